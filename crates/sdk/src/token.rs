//! Where tokens come from, and how one is kept.

use crate::attempt::send;
use crate::error::{Error, Unreadable};
use http::HeaderValue;
use serde::Deserialize;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tenantry_jose::{RsaSigningKey, SigningAlgorithm, jwt};
use tenantry_types::wire::Secret;
use tokio::sync::Mutex;

/// An access token, and how long it is good for.
#[derive(Clone)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// How long it is good for, if that is known.
    pub expires_in: Option<Duration>,
}

/// What a supplier of tokens returns.
pub(crate) type TokenFuture = Pin<Box<dyn Future<Output = Result<AccessToken, Error>> + Send>>;

pub(crate) type Supplier = Arc<dyn Fn() -> TokenFuture + Send + Sync>;

/// How a client proves itself at the token endpoint.
#[derive(Clone)]
pub(crate) enum Proof {
    Secret(Secret),
    Key { key: Arc<RsaSigningKey>, algorithm: SigningAlgorithm, kid: Option<String> },
    Certificate,
}

/// Where tokens come from.
#[derive(Clone)]
pub(crate) enum Source {
    Fixed(Secret),
    Supplier(Supplier),
    ClientCredentials { client_id: String, proof: Proof },
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

struct Kept {
    token: Secret,
    /// From when on it is replaced, and from when on it is no good.
    renew_at: Option<Instant>,
    expires_at: Option<Instant>,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    /// Why the last fetch came to nothing.
    failure: Option<Arc<Error>>,
}

/// What a token is asked for with.
pub(crate) struct Endpoint {
    pub(crate) issuer: String,
    pub(crate) url: String,
    pub(crate) audience: String,
    pub(crate) telemetry: Option<HeaderValue>,
}

/// A token that is fetched once for all who wait for it, kept, and renewed before it expires.
pub(crate) struct Tokens {
    source: Source,
    endpoint: Endpoint,
    http: reqwest::Client,
    state: Mutex<State>,
    /// Fetches that came to an end, be it a good one.
    fetches: AtomicU64,
}

/// A token is renewed this long before it expires, or a tenth of its life before if that is shorter.
const AHEAD: Duration = Duration::from_secs(60);
/// The next attempt to renew a token that is still good.
const AGAIN: Duration = Duration::from_secs(5);
/// How long an assertion is good for.
const ASSERTION_SECS: u64 = 60;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Deserialize)]
struct Answer {
    access_token: Secret,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Tokens {
    pub(crate) fn new(source: Source, endpoint: Endpoint, http: reqwest::Client) -> Self {
        Self { source, endpoint, http, state: Mutex::default(), fetches: AtomicU64::new(0) }
    }

    /// The token to send. Whoever comes first fetches it; the others wait for that one, and share its failure too.
    pub(crate) async fn get(&self) -> Result<Secret, Error> {
        if let Source::Fixed(token) = &self.source {
            return Ok(token.clone());
        }
        let before = self.fetches.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(kept) = &state.kept
            && kept.renew_at.is_none_or(|at| Instant::now() < at)
        {
            return Ok(kept.token.clone());
        }
        if let Some(failure) = &state.failure
            && self.fetches.load(Ordering::Acquire) > before
        {
            return Err(Error::Token(Arc::clone(failure)));
        }
        let fetched = self.fetch().await;
        self.fetches.fetch_add(1, Ordering::Release);
        let now = Instant::now();
        match fetched {
            Ok(fetched) => {
                let after = |life: Duration| now.checked_add(life);
                state.failure = None;
                state.kept = Some(Kept {
                    token: fetched.token.clone(),
                    renew_at: fetched
                        .expires_in
                        .and_then(|life| after(life.saturating_sub(AHEAD.min(life / 10)))),
                    expires_at: fetched.expires_in.and_then(after),
                });
                Ok(fetched.token)
            }
            Err(error) => {
                if let Some(kept) = &mut state.kept
                    && kept.expires_at.is_some_and(|at| now < at)
                {
                    tracing::warn!(stage = ?error.stage(), "the token could not be renewed; it is still good");
                    kept.renew_at = now.checked_add(AGAIN);
                    return Ok(kept.token.clone());
                }
                let error = Arc::new(error);
                state.failure = Some(Arc::clone(&error));
                Err(Error::Token(error))
            }
        }
    }

    /// Forgets a token that was refused, unless another took its place already. Whether it makes sense to try again.
    pub(crate) async fn refused(&self, token: &Secret) -> bool {
        if matches!(self.source, Source::Fixed(_)) {
            return false;
        }
        let mut state = self.state.lock().await;
        if state.kept.as_ref().is_some_and(|kept| kept.token == *token) {
            state.kept = None;
        }
        true
    }

    async fn fetch(&self) -> Result<AccessToken, Error> {
        let (client_id, proof) = match &self.source {
            Source::Fixed(token) => return Ok(AccessToken { token: token.clone(), expires_in: None }),
            Source::Supplier(supply) => return supply().await,
            Source::ClientCredentials { client_id, proof } => (client_id, proof),
        };
        let mut form = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", client_id.clone()),
            ("audience", self.endpoint.audience.clone()),
        ];
        match proof {
            Proof::Secret(secret) => form.push(("client_secret", secret.reveal().to_owned())),
            Proof::Key { key, algorithm, kid } => {
                form.push(("client_assertion_type", ASSERTION_TYPE.to_owned()));
                form.push(("client_assertion", self.assertion(client_id, key, *algorithm, kid.as_deref())?));
            }
            Proof::Certificate => {}
        }
        tracing::debug!(audience = self.endpoint.audience, "asking for a token");
        let mut request = self.http.post(&self.endpoint.url).form(&form);
        if let Some(telemetry) = &self.endpoint.telemetry {
            request = request.header("auth0-client", telemetry.clone());
        }
        let (status, headers, raw) = send(request).await?;
        match serde_json::from_slice::<Answer>(&raw) {
            Ok(answer) => Ok(AccessToken {
                token: answer.access_token,
                expires_in: answer.expires_in.map(Duration::from_secs),
            }),
            Err(cause) => Err(Error::Decode(Box::new(Unreadable { status, headers, raw, cause }))),
        }
    }

    fn assertion(
        &self,
        client_id: &str,
        key: &RsaSigningKey,
        algorithm: SigningAlgorithm,
        kid: Option<&str>,
    ) -> Result<String, Error> {
        #[expect(clippy::disallowed_methods, reason = "the server compares with the time of day")]
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let jti: String = std::iter::repeat_with(fastrand::alphanumeric).take(32).collect();
        let mut header = serde_json::json!({"alg": algorithm.as_str(), "typ": "JWT"});
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        let claims = serde_json::json!({
            "iss": client_id, "sub": client_id, "aud": self.endpoint.issuer, "iat": now, "exp": now + ASSERTION_SECS, "jti": jti,
        });
        let input = jwt::signing_input(&header.to_string(), &claims.to_string());
        let signature =
            key.sign(algorithm, input.as_bytes()).map_err(|error| Error::Build(error.to_string()))?;
        Ok(jwt::assemble(input, &signature))
    }
}
