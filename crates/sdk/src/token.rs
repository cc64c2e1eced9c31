//! Where tokens come from, and how one is kept.

use crate::error::{ApiFailure, Error};
use serde::Deserialize;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
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
pub type TokenFuture = Pin<Box<dyn Future<Output = Result<AccessToken, Error>> + Send>>;

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
    renew_at: Option<Instant>,
}

/// A token that is fetched once for all who wait for it, kept, and renewed before it expires.
pub(crate) struct Tokens {
    source: Source,
    issuer: String,
    endpoint: String,
    audience: String,
    http: reqwest::Client,
    kept: Mutex<Option<Kept>>,
}

/// A token is renewed this long before it expires, or a tenth of its life before if that is shorter.
const AHEAD: Duration = Duration::from_secs(60);
/// How long an assertion is good for.
const ASSERTION_SECS: u64 = 60;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Tokens {
    pub(crate) fn new(
        source: Source,
        issuer: String,
        endpoint: String,
        audience: String,
        http: reqwest::Client,
    ) -> Self {
        Self { source, issuer, endpoint, audience, http, kept: Mutex::new(None) }
    }

    /// The token to send. Whoever comes first fetches it; the others wait for that one.
    pub(crate) async fn get(&self) -> Result<Secret, Error> {
        if let Source::Fixed(token) = &self.source {
            return Ok(token.clone());
        }
        let mut kept = self.kept.lock().await;
        if let Some(kept) = &*kept
            && kept.renew_at.is_none_or(|at| Instant::now() < at)
        {
            return Ok(kept.token.clone());
        }
        let fetched = self.fetch().await.map_err(|error| Error::Token(Box::new(error)))?;
        let renew_at =
            fetched.expires_in.map(|life| Instant::now() + life.saturating_sub(AHEAD.min(life / 10)));
        *kept = Some(Kept { token: fetched.token.clone(), renew_at });
        Ok(fetched.token)
    }

    /// Forgets a token that was refused, unless another took its place already. Whether it makes sense to try again.
    pub(crate) async fn refused(&self, token: &Secret) -> bool {
        if matches!(self.source, Source::Fixed(_)) {
            return false;
        }
        let mut kept = self.kept.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.token == *token) {
            *kept = None;
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
            ("audience", self.audience.clone()),
        ];
        match proof {
            Proof::Secret(secret) => form.push(("client_secret", secret.reveal().to_owned())),
            Proof::Key { key, algorithm, kid } => {
                form.push(("client_assertion_type", ASSERTION_TYPE.to_owned()));
                form.push(("client_assertion", self.assertion(client_id, key, *algorithm, kid.as_deref())?));
            }
            Proof::Certificate => {}
        }
        tracing::debug!(audience = self.audience, "asking for a token");
        let response = self.http.post(&self.endpoint).form(&form).send().await.map_err(classify)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(classify)?;
        if !status.is_success() {
            return Err(Error::Api(Box::new(ApiFailure::new(status, headers, &body))));
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(Error::Decode)?;
        Ok(AccessToken {
            token: answer.access_token.into(),
            expires_in: answer.expires_in.map(Duration::from_secs),
        })
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
        let header = serde_json::json!({"alg": algorithm.as_str(), "typ": "JWT", "kid": kid});
        let claims = serde_json::json!({
            "iss": client_id, "sub": client_id, "aud": self.issuer, "iat": now, "exp": now + ASSERTION_SECS, "jti": jti,
        });
        let input = jwt::signing_input(&without_null(header).to_string(), &claims.to_string());
        let signature =
            key.sign(algorithm, input.as_bytes()).map_err(|error| Error::Build(error.to_string()))?;
        Ok(jwt::assemble(input, &signature))
    }
}

fn without_null(mut value: serde_json::Value) -> serde_json::Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    value
}

/// At which stage a request failed.
pub(crate) fn classify(error: reqwest::Error) -> Error {
    if error.is_connect() {
        Error::Connect(error.without_url())
    } else if error.is_builder() {
        Error::Build(error.without_url().to_string())
    } else {
        Error::Interrupted(error.without_url())
    }
}
