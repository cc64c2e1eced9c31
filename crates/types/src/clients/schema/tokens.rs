//! Grants and tokens of a client.

use super::{MAX_AUDIENCE, flag};
use crate::schema::{Schema, array, boolean, integer, object, one_of, optional, required, string};

/// Five years of 365.25 days, in seconds.
pub(super) const MAX_TOKEN_LIFETIME: u32 = 157_788_000;

pub(in crate::clients) fn grant_types() -> Schema {
    array(string().min(1)).describe("Grants with which the client may ask for tokens")
}

pub(in crate::clients) fn oidc_conformant() -> Schema {
    boolean().describe("Whether OpenID Connect is followed strictly, without legacy features")
}

pub(in crate::clients) fn jwt_configuration() -> Schema {
    object([
        optional("lifetime_in_seconds", integer().describe("Seconds until an ID token expires")),
        flag("secret_encoded", "Whether the secret is kept as base64"),
        optional("scopes", object([]).open().describe("Claims of ID tokens")),
        optional(
            "alg",
            one_of(&["HS256", "RS256", "RS512", "PS256"])
                .describe("Algorithm that ID tokens are signed with"),
        ),
    ])
    .open()
    .describe("How ID tokens for the client are made")
}

pub(in crate::clients) fn refresh_token() -> Schema {
    let policy = object([
        required("audience", string().min(1).max(MAX_AUDIENCE).describe("The API that the policy is about")),
        required(
            "scope",
            array(string().min(1).max(280).describe("A permission of that API"))
                .describe("Permissions that an access token for that API may get"),
        ),
    ]);
    object([
        required(
            "rotation_type",
            one_of(&["rotating", "non-rotating"])
                .describe("Whether use replaces a token: rotating, non-rotating"),
        ),
        required(
            "expiration_type",
            one_of(&["expiring", "non-expiring"]).describe("Whether tokens end: expiring, non-expiring"),
        ),
        optional(
            "leeway",
            integer().min(0).describe("Seconds in which a replaced token may still be used without alarm"),
        ),
        optional(
            "token_lifetime",
            integer().min(1).max(MAX_TOKEN_LIFETIME).describe("Seconds until a token ends, used or not"),
        ),
        flag("infinite_token_lifetime", "Whether tokens have no set end, whatever `token_lifetime` says"),
        optional("idle_token_lifetime", integer().min(1).describe("Seconds until an unused token ends")),
        flag(
            "infinite_idle_token_lifetime",
            "Whether unused tokens stay, whatever `idle_token_lifetime` says",
        ),
        optional(
            "policies",
            array(policy)
                .min(1)
                .nullable()
                .describe("APIs that a refresh token can also get access tokens for"),
        ),
    ])
    .nullable()
    .describe("How refresh tokens of the client live and end")
}

pub(in crate::clients) fn session_transfer() -> Schema {
    let delegation = object([
        flag("allow_delegated_access", "Whether a session transfer token may act for another user"),
        optional(
            "enforce_device_binding",
            one_of(&["ip", "asn"]).describe("What must stay the same while acting for another user"),
        ),
    ]);
    object([
        flag("can_create_session_transfer_token", "Whether the client may get session transfer tokens"),
        flag("enforce_cascade_revocation", "Whether revoking the refresh token ends what came from it"),
        optional(
            "allowed_authentication_methods",
            array(one_of(&["cookie", "query"]))
                .nullable()
                .describe("How a session transfer token may be handed to the client"),
        ),
        optional(
            "enforce_device_binding",
            one_of(&["ip", "asn", "none"]).describe("What must stay the same from issue to use"),
        ),
        flag("allow_refresh_token", "Whether such a login may yield refresh tokens"),
        flag("enforce_online_refresh_tokens", "Whether those refresh tokens end with the session"),
        optional(
            "delegation",
            delegation.nullable().describe("Acting for another user by session transfer token"),
        ),
    ])
    .nullable()
    .describe("Single sign-on from native apps to the web")
}

pub(in crate::clients) fn token_exchange() -> Schema {
    let kind = one_of(&["custom_authentication", "on_behalf_of_token_exchange"])
        .describe("A kind of token exchange");
    object([optional(
        "allow_any_profile_of_type",
        array(kind).describe("Kinds of token exchange that the client may use"),
    )])
    .describe("Which tokens the client may trade for others")
}

pub(in crate::clients) fn token_quota() -> Schema {
    crate::token_quota::schema().describe("How many tokens the client may get")
}

pub(in crate::clients) fn identity_assertion_authorization_grant() -> Schema {
    object([required("active", boolean().describe("Whether the client may use the grant"))])
        .describe("The identity assertion authorization grant")
}
