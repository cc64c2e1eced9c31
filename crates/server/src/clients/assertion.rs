//! `private_key_jwt`: a client proves itself by an assertion that it signed (RFC 7523, `OpenID` Connect Core section 9).

use super::{AuthMethod, Client};
use crate::app::App;
use crate::credentials::Proof;
use crate::db::{DbResult, Tx, params};
use crate::http::OAuthError;
use crate::registration::keys;
use serde::{Deserialize, Deserializer};
use std::sync::Arc;
use tenantry_jose::VerifyingAlgorithm;
use tenantry_jose::jwt::{Audience, Unverified};
use tenantry_types::registration::metadata_document::MAX_URL;

/// The only kind of assertion (RFC 7523 section 2.2).
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest assertion, in bytes.
const MAX_ASSERTION: usize = 2_048;
/// The longest `iss`, `sub` and `jti`, in characters.
const MAX_CLAIM: usize = 64;
/// The longest `alg`, in characters.
const MAX_ALG: usize = 16;
/// How long an assertion may be good for, in seconds.
const MAX_LIFETIME: i64 = 300;
/// How far clocks may be apart, in seconds.
const SKEW: i64 = 10;

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(deserialize_with = "seconds")]
    exp: i64,
    #[serde(default, deserialize_with = "some_seconds")]
    iat: Option<i64>,
    #[serde(default, deserialize_with = "some_seconds")]
    nbf: Option<i64>,
    jti: String,
}

/// A `NumericDate` (RFC 7519 section 2), whose fraction does not count.
fn seconds<'de, D: Deserializer<'de>>(value: D) -> Result<i64, D::Error> {
    f64::deserialize(value).map(whole)
}

fn some_seconds<'de, D: Deserializer<'de>>(value: D) -> Result<Option<i64>, D::Error> {
    Ok(Option::deserialize(value)?.map(whole))
}

#[expect(clippy::cast_possible_truncation, reason = "what is too large is as large as can be")]
fn whole(seconds: f64) -> i64 {
    seconds.floor() as i64
}

/// The assertion does not prove who sent it. Everyone is told the same; the log learns why.
fn refused(hint: impl Into<String>) -> OAuthError {
    OAuthError::new(401, "invalid_client", "Client authentication failed").with_hint(hint)
}

/// The client that signed `assertion`.
pub(super) async fn authenticate(
    app: &App,
    assertion_type: Option<&str>,
    assertion: &str,
    client_id: Option<&str>,
) -> Result<Arc<Client>, OAuthError> {
    match assertion_type {
        None => return Err(OAuthError::missing_parameter("client_assertion_type")),
        Some(ASSERTION_TYPE) => {}
        Some(_) => return Err(OAuthError::invalid_request("client_assertion_type is not supported")),
    }
    if assertion.len() > MAX_ASSERTION {
        return Err(refused(format!("the assertion is longer than {MAX_ASSERTION} bytes")));
    }
    let parsed = Unverified::parse(assertion).map_err(|_| refused("the assertion is no signed JWT"))?;
    // Looked at before the signature only to find whose keys to try.
    let claims: Claims = parsed.claims().map_err(|_| refused("a claim is missing or of the wrong type"))?;
    // A client with a metadata document is named by its URL.
    let longest = |claim: &String| if claim.starts_with("https://") { MAX_URL } else { MAX_CLAIM };
    let claimed =
        [(&claims.iss, longest(&claims.iss)), (&claims.sub, longest(&claims.sub)), (&claims.jti, MAX_CLAIM)];
    if claimed.iter().any(|(claim, most)| claim.is_empty() || claim.chars().count() > *most) {
        return Err(refused(format!("'iss', 'sub' and 'jti' must have 1 to {MAX_CLAIM} characters")));
    }
    if claims.iss != claims.sub || client_id.is_some_and(|in_body| in_body != claims.sub) {
        return Err(refused("'iss', 'sub' and client_id must be the same"));
    }
    let Some(mut client) = app.clients.named(app, &claims.sub).await? else {
        return Err(refused("unknown client"));
    };
    if client.auth_method != AuthMethod::PrivateKeyJwt {
        return Err(refused(format!("client {} does not authenticate by private_key_jwt", client.client_id)));
    }
    // A key that is not known yet may be in the client's key set by now.
    if !knows_key(&client, parsed.header.kid.as_deref())
        && Box::pin(keys::refresh(app, &client)).await
        && let Some(refreshed) = app.clients.find(app, &client.client_id).await?
    {
        client = refreshed;
    }
    check_signature(app, &client, &parsed)?;
    check_claims(app, &claims)?;
    if !use_once(app, &client.client_id, &claims).await? {
        return Err(refused("'jti' was used before"));
    }
    keys::revisit(app, &client);
    Ok(client)
}

/// The client that an assertion says to come from, which is no proof.
pub(super) fn claimed_client_id(assertion: &str) -> Option<String> {
    let parsed = Unverified::parse(assertion).ok().filter(|_| assertion.len() <= MAX_ASSERTION)?;
    parsed.claims::<Claims>().ok().map(|claims| claims.sub)
}

fn knows_key(client: &Client, kid: Option<&str>) -> bool {
    client.credentials.iter().any(|credential| match &credential.proof {
        Proof::Signature { kid: known, .. } => kid == Some(known.as_str()),
        Proof::Certificate { .. } | Proof::Subject { .. } => false,
    })
}

/// Any key of the client that is enabled and has not expired may have signed. The algorithm is the key's.
fn check_signature(app: &App, client: &Client, parsed: &Unverified<'_>) -> Result<(), OAuthError> {
    let header = &parsed.header;
    let algorithm =
        Some(header.alg.as_str()).filter(|alg| alg.len() <= MAX_ALG).and_then(VerifyingAlgorithm::of);
    let Some(algorithm) = algorithm else { return Err(refused("'alg' is not one that credentials have")) };
    let now = app.clock.now_ms();
    let is_signed =
        client.credentials.iter().filter(|credential| credential.expires_at.is_none_or(|at| now < at)).any(
            |credential| match &credential.proof {
                Proof::Signature { kid, key } => {
                    key.algorithm() == algorithm
                        && header.kid.as_ref().is_none_or(|asked| asked == kid)
                        && key.verifies(parsed.signing_input.as_bytes(), &parsed.signature)
                }
                Proof::Certificate { .. } | Proof::Subject { .. } => false,
            },
        );
    if is_signed {
        Ok(())
    } else {
        Err(refused(format!("no key of client {} made the signature", client.client_id)))
    }
}

fn check_claims(app: &App, claims: &Claims) -> Result<(), OAuthError> {
    if !claims.aud.contains(app.issuer()) {
        return Err(refused("'aud' is not this tenant"));
    }
    let now = app.clock.now_secs();
    if claims.exp <= now {
        return Err(refused("'exp' is in the past"));
    }
    if claims.iat.is_some_and(|iat| iat > now.saturating_add(SKEW)) {
        return Err(refused("'iat' is in the future"));
    }
    if claims.nbf.is_some_and(|nbf| nbf > now.saturating_add(SKEW)) {
        return Err(refused("'nbf' is in the future"));
    }
    let (start, skew) = claims.iat.map_or((now, SKEW), |iat| (iat, 0));
    if claims.exp.saturating_sub(start) > MAX_LIFETIME + skew {
        return Err(refused("'exp' claim must specify a time that is no more than 5 minutes after 'iat'"));
    }
    Ok(())
}

/// Whether the assertion's id is used for the first time: one conditional statement, so of two that arrive together
/// one is refused. Durable, so that a restart forgets none.
async fn use_once(app: &App, client_id: &str, claims: &Claims) -> Result<bool, OAuthError> {
    let (tenant, client_id, jti) = (app.tenant.clone(), client_id.to_owned(), claims.jti.clone());
    let (now, expires_at) = (app.clock.now_ms(), claims.exp.saturating_mul(1000));
    app.db
        .repeatable(move |tx| insert(tx, &tenant, &client_id, &jti, now, expires_at))
        .await
        .map_err(OAuthError::from)
}

fn insert(
    tx: &mut Tx<'_>,
    tenant: &str,
    client_id: &str,
    jti: &str,
    now: i64,
    expires_at: i64,
) -> DbResult<bool> {
    const FORGET: &str = "DELETE FROM used_assertion WHERE tenant = $1 AND expires_at < $2";
    const USE: &str = "INSERT INTO used_assertion (tenant, client_id, jti, expires_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (tenant, client_id, jti) DO NOTHING";
    tx.will_not_fail();
    tx.write(FORGET, params![tenant, now])?;
    Ok(tx.execute(USE, params![tenant, client_id, jti, expires_at])? > 0)
}
