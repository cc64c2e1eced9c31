//! Who calls the Management API: the bearer token, its scopes, and that its client still exists.

use super::error::Failure;
use crate::app::App;
use crate::audit::{self, Attempt, Who};
use crate::clients::Client;
use crate::clients::certificate::ClientCertificate;
use crate::keys::Keys;
use crate::limiter::{Payer, Refused, Ticket};
use crate::metrics::Lookups;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, header};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Deserialize;
use std::sync::Arc;
use tenantry_jose::jwt::{Audience, Unverified};
use tenantry_types::error::ErrorAttributes;
use tenantry_types::{ApiError, ErrorCode, Scope, ScopeSet};

/// Bytes of verified tokens that are remembered; a token with every scope has 9 kB, an ordinary one less than 1 kB.
const REMEMBERED: usize = 8 << 20;
/// What each takes beside its text.
const ENTRY: usize = 512;
/// Longer tokens are refused unread.
const MAX_TOKEN: usize = 16 << 10;

/// The caller of a Management API route, authorized for it.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Arc<Token>);

struct Token {
    /// The token itself; only its signature is the key of the memory of verified tokens.
    text: Box<str>,
    kid: String,
    client_id: String,
    scopes: ScopeSet,
    not_before: i64,
    expires: i64,
    /// What the log calls it.
    logged_as: String,
    /// The certificate that the token is bound to, by its thumbprint.
    bound_to: Option<String>,
}

impl Caller {
    /// The scopes of the caller's token.
    pub(crate) fn scopes(&self) -> &ScopeSet {
        &self.0.scopes
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Tokens whose signature was verified, by their signature. A remembered token counts only when all of its text is the
/// same; everything that may change about it is looked at each time.
pub(crate) struct VerifiedTokens {
    remembered: Cache<Box<[u8]>, Arc<Token>, WeighToken>,
    pub(crate) lookups: Lookups,
}

#[derive(Clone)]
struct WeighToken;

impl Weighter<Box<[u8]>, Arc<Token>> for WeighToken {
    fn weight(&self, signature: &Box<[u8]>, token: &Arc<Token>) -> u64 {
        (signature.len() + token.text.len() + ENTRY) as u64
    }
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        let bytes = REMEMBERED as u64;
        let remembered = Cache::with_weighter(REMEMBERED / (1_024 + ENTRY), bytes, WeighToken);
        Self { remembered, lookups: Lookups::default() }
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    jti: Option<String>,
    #[serde(default)]
    cnf: Option<Confirmation>,
}

#[derive(Deserialize)]
struct Confirmation {
    #[serde(rename = "x5t#S256")]
    x5t_s256: String,
}

fn refused(message: &str) -> Failure {
    let mut error = ApiError::new(401, message);
    error.attributes = Some(ErrorAttributes { error: message.to_owned() });
    error.into()
}

fn bearer(headers: &HeaderMap) -> Result<&str, Failure> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(ApiError::new(401, "Missing authentication").into());
    };
    let malformed = || {
        Failure::from(
            ApiError::new(400, "Bad HTTP authentication header format").with_code(ErrorCode::Bearer),
        )
    };
    let (scheme, token) =
        value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(malformed());
    }
    let token = token.trim();
    let mut parts = 0;
    let is_shaped = token.len() <= MAX_TOKEN
        && token.split('.').all(|part| {
            parts += 1;
            !part.is_empty()
        })
        && parts == 3;
    if is_shaped { Ok(token) } else { Err(malformed()) }
}

impl VerifiedTokens {
    /// The token of a request, if it is known. Nothing else has to be read of the header then.
    fn find(&self, headers: &HeaderMap) -> Option<Arc<Token>> {
        let (scheme, token) = headers.get(header::AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
        let token = token.trim_ascii();
        let known = self.remembered.get(&token[memchr::memrchr(b'.', token)? + 1..])?;
        let is_it = scheme.eq_ignore_ascii_case(b"bearer ") && *known.text.as_bytes() == *token;
        is_it.then_some(known)
    }

    fn insert(&self, token: &Arc<Token>) {
        if let Some((_, signature)) = token.text.rsplit_once('.') {
            self.remembered.insert(signature.as_bytes().into(), Arc::clone(token));
        }
    }
}

fn verify(app: &App, keys: &Keys, token: &str) -> Result<Arc<Token>, Failure> {
    let parsed = Unverified::parse(token).map_err(|_| refused("Invalid token"))?;
    let kid = parsed.header.kid.clone().unwrap_or_default();
    // The algorithm is ours to say, not the token's: whatever its header claims, only RS256 is verified.
    let is_ours = parsed.header.alg == "RS256"
        && keys
            .public(&kid)
            .is_some_and(|key| key.verifies(parsed.signing_input.as_bytes(), &parsed.signature));
    if !is_ours {
        return Err(refused("Invalid signature received for JSON Web Token validation"));
    }
    let claims: Claims = parsed.claims().map_err(|_| refused("Invalid token"))?;
    if claims.iss != app.issuer() || !claims.aud.contains(app.management_audience()) {
        return Err(refused("Invalid token"));
    }
    let Some(client_id) = claims.azp.or(claims.client_id) else { return Err(refused("Invalid token")) };
    let verified = Arc::new(Token {
        text: token.into(),
        kid,
        client_id,
        scopes: ScopeSet::parse(&claims.scope),
        not_before: claims.nbf.unwrap_or(0),
        expires: claims.exp,
        logged_as: audit::token_id(claims.jti.as_deref(), token),
        bound_to: claims.cnf.map(|cnf| cnf.x5t_s256),
    });
    app.verified_tokens.insert(&verified);
    Ok(verified)
}

/// Clocks of the nodes of one tenant may differ by this much.
const SKEW_SECS: i64 = 10;

async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    certificate: Option<&ClientCertificate>,
) -> Result<(Caller, Arc<Client>), Failure> {
    let known = match app.verified_tokens.find(headers) {
        Some(token) => Ok(token),
        None => Err(bearer(headers)?),
    };
    let Lookups { hits, misses } = &app.verified_tokens.lookups;
    if known.is_ok() { hits } else { misses }.increment();
    let keys = app.keys().await?;
    let token = known.or_else(|text| verify(app, &keys, text))?;
    let now = app.clock.now_secs();
    if now >= token.expires {
        return Err(refused("Expired token received for JSON Web Token validation"));
    }
    if now + SKEW_SECS < token.not_before || keys.public(&token.kid).is_none() {
        return Err(refused("Invalid token"));
    }
    // RFC 8705 section 3: a bound token is of no use without the certificate.
    if let Some(thumbprint) = &token.bound_to
        && certificate.is_none_or(|certificate| certificate.info.thumbprint_sha256 != *thumbprint)
    {
        return Err(refused("Invalid token"));
    }
    let Some(client) = app.clients.find(app, &token.client_id).await? else {
        return Err(refused("Invalid token"));
    };
    Ok((Caller(token), client))
}

/// Refuses with 401 or 403 before anything else is looked at. What is refused, and what changes something, is logged.
pub(super) async fn authorize<F: Future<Output = Response>>(
    app: &App,
    (path, scopes): (&'static str, &'static [Scope]),
    mut request: Request,
    run: impl FnOnce(Request) -> F,
) -> Response {
    let (caller, client) = match authenticate(app, request.headers(), request.extensions().get()).await {
        Ok(found) => found,
        Err(failure) => return Attempt::of(app, path, &request).refused(app, failure.into_response()),
    };
    let who = |caller: &Caller| Who {
        client_id: client.client_id.clone(),
        client_name: client.name.clone(),
        token_id: caller.0.logged_as.clone(),
    };
    let ticket = match pay(app, &request, &caller) {
        Ok(ticket) => ticket,
        Err(refused) => {
            refused.tell(app, Some(&*client));
            let attempt = Attempt::of(app, path, &request).by(who(&caller));
            return attempt.refused(app, refused.into_response());
        }
    };
    let mut response = if !caller.0.scopes.contains_any(scopes) {
        let error = ApiError::insufficient_scope(scopes.iter().map(|scope| scope.as_str()));
        let attempt = Attempt::of(app, path, &request).by(who(&caller));
        attempt.refused(app, Failure::from(error).into_response())
    } else if matches!(*request.method(), Method::GET | Method::HEAD) {
        request.extensions_mut().insert(caller);
        run(request).await
    } else {
        let attempt = Attempt::of(app, path, &request).by(who(&caller));
        request.extensions_mut().insert(caller);
        attempt.watch(app, run(request)).await
    };
    if let Some(ticket) = ticket {
        ticket.write(response.headers_mut());
    }
    response
}

/// Takes what a request costs, where requests are limited.
fn pay(app: &App, request: &Request, caller: &Caller) -> Result<Option<Ticket>, Refused> {
    let Some((limiter, ticket)) = app.limiter.as_ref().zip(request.extensions().get::<Ticket>()) else {
        return Ok(None);
    };
    let payer = Payer { client: Some(&caller.0.client_id), token: Some(&caller.0.logged_as) };
    limiter.pay(*ticket, payer, app.clock.now_ms()).map(Some)
}

impl<S: Sync> axum::extract::FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut http::request::Parts, _: &S) -> Result<Self, Failure> {
        // Absent only on a route that was not declared as one of the Management API.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| ApiError::new(401, "Missing authentication").into())
    }
}
