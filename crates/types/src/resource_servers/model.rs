//! APIs as types.

use crate::wire::{ClientId, ResourceServerId, Secret, keeps_nulls, wire_enum};
use crate::{Object, Patch};
use serde::{Deserialize, Serialize};
use serde_json::Value;

wire_enum! {
    /// How tokens for an API are signed.
    SigningAlgorithm {
        /// By the API's own secret.
        Hs256 = "HS256",
        /// By the tenant's key, PKCS#1 with SHA-256.
        Rs256 = "RS256",
        /// By the tenant's key, PKCS#1 with SHA-512.
        Rs512 = "RS512",
        /// By the tenant's key, PSS with SHA-256.
        Ps256 = "PS256",
    }
}

wire_enum! {
    /// Which claims tokens for an API have.
    TokenDialect {
        /// Auth0's own.
        AccessToken = "access_token",
        /// The same with permissions.
        AccessTokenAuthz = "access_token_authz",
        /// RFC 9068's.
        Rfc9068Profile = "rfc9068_profile",
        /// The same with permissions.
        Rfc9068ProfileAuthz = "rfc9068_profile_authz",
    }
}

/// A permission of an API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiScope {
    /// Its name.
    pub value: String,
    /// What it allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

macro_rules! api_forms {
    (
        plain { $($(#[$doc:meta])* $name:ident: $type:ty,)* }
        nullable { $($(#[$nullable_doc:meta])* $nullable:ident: $nullable_type:ty,)* }
    ) => {
        /// The body of `POST /resource-servers`.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct NewResourceServer {
            /// The audience of its tokens; never changed afterwards.
            pub identifier: String,
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $name: Option<$type>,)*
            $($(#[$nullable_doc])* #[serde(default, skip_serializing_if = "Patch::is_absent")] pub $nullable: Patch<$nullable_type>,)*
            /// Members that this version does not know.
            #[serde(flatten)]
            pub other: Object,
        }

        /// The body of `PATCH /resource-servers/{id}`.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct ResourceServerPatch {
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Patch::is_absent")] pub $name: Patch<$type>,)*
            $($(#[$nullable_doc])* #[serde(default, skip_serializing_if = "Patch::is_absent")] pub $nullable: Patch<$nullable_type>,)*
            /// Members that this version does not know.
            #[serde(flatten)]
            pub other: Object,
        }

        impl NewResourceServer {
            /// The members that this version knows.
            pub const MEMBERS: &'static [&'static str] =
                &["identifier", $(stringify!($name),)* $(stringify!($nullable),)*];
        }

        impl ResourceServerPatch {
            /// The members that this version knows.
            pub const MEMBERS: &'static [&'static str] = &[$(stringify!($name),)* $(stringify!($nullable),)*];
        }

        /// An API as answers show it.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(remote = "Self")]
        #[non_exhaustive]
        pub struct ResourceServer {
            /// Its id.
            pub id: ResourceServerId,
            /// The audience of its tokens.
            pub identifier: String,
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $name: Option<$type>,)*
            $($(#[$nullable_doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $nullable: Option<$nullable_type>,)*
            /// Whether it is one of the platform's own.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub is_system: Option<bool>,
            /// The client that is linked to it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub client_id: Option<ClientId>,
            /// Members that this version does not know.
            #[serde(flatten)]
            pub other: Object,
        }
    };
}

api_forms! {
    plain {
        /// Its name.
        name: String,
        /// Its permissions.
        scopes: Vec<ApiScope>,
        /// How its tokens are signed.
        signing_alg: SigningAlgorithm,
        /// The secret that signs with HS256.
        signing_secret: Secret,
        /// Whether refresh tokens are issued.
        allow_offline_access: bool,
        /// Whether refresh tokens bound to a session are issued.
        allow_online_access: bool,
        /// The same for sessions that end with the browser.
        allow_online_access_with_ephemeral_sessions: bool,
        /// Seconds that a token is valid.
        token_lifetime: i64,
        /// The same for tokens from browser flows.
        token_lifetime_for_web: i64,
        /// Which claims its tokens have.
        token_dialect: TokenDialect,
        /// Whether own clients need no consent.
        skip_consent_for_verifiable_first_party_clients: bool,
        /// Whether permissions are checked.
        enforce_policies: bool,
        /// Who may access it.
        subject_type_authorization: Value,
    }
    nullable {
        /// How its tokens are encrypted.
        token_encryption: Value,
        /// How consent is asked for.
        consent_policy: String,
        /// Types of authorization details.
        authorization_details: Vec<Value>,
        /// Whether tokens are bound to a key.
        proof_of_possession: Value,
        /// The policy that decides about access.
        authorization_policy: Value,
    }
}

keeps_nulls!(ResourceServer);
