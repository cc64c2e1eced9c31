//! How a client proves at the token endpoint who it is (RFC 6749 section 2.3, RFC 7523, RFC 8705 section 2).

use super::assertion;
use super::certificate::{ClientCertificate, is_subject};
use super::{AuthMethod, Client, store};
use crate::app::App;
use crate::credentials::Proof;
use crate::http::{Form, OAuthError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use subtle::ConstantTimeEq as _;
use tenantry_jose::sha256;
use zeroize::Zeroizing;

/// What a request says about who sends it.
enum Presented<'a> {
    Secret {
        client_id: String,
        secret: Zeroizing<String>,
        in_header: bool,
    },
    Assertion {
        assertion: &'a str,
        client_id: Option<&'a str>,
    },
    /// A name, and perhaps a certificate.
    Name {
        client_id: &'a str,
    },
}

/// The client that sent the request.
pub(crate) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    form: &Form,
    certificate: Option<&ClientCertificate>,
) -> Result<Arc<Client>, OAuthError> {
    match presented(headers, form, certificate.is_some())? {
        Presented::Secret { client_id, secret, in_header } => {
            by_secret(app, &client_id, &secret, in_header).await
        }
        Presented::Assertion { assertion, client_id } => {
            assertion::authenticate(app, form.get("client_assertion_type"), assertion, client_id).await
        }
        Presented::Name { client_id } => by_certificate(app, client_id, certificate).await,
    }
}

async fn find(app: &App, client_id: &str) -> Result<Arc<Client>, OAuthError> {
    let client = app.clients.named(app, client_id).await?;
    client.ok_or_else(|| OAuthError::unauthorized("unknown client"))
}

async fn by_secret(
    app: &App,
    client_id: &str,
    secret: &str,
    in_header: bool,
) -> Result<Arc<Client>, OAuthError> {
    let client = find(app, client_id).await?;
    let may = match client.auth_method {
        AuthMethod::Unset => true,
        AuthMethod::ClientSecretPost => !in_header,
        AuthMethod::ClientSecretBasic => in_header,
        AuthMethod::None | AuthMethod::PrivateKeyJwt | AuthMethod::Tls | AuthMethod::SelfSignedTls => false,
    };
    // Compared in any case, so that the time tells nothing about the method either.
    let is_right = find_secret(&client, secret, app.clock.now_ms());
    match (may, is_right) {
        (true, Some(secret)) => {
            record_use(app, &client, secret);
            Ok(client)
        }
        (true, None) => Err(OAuthError::unauthorized(format!("wrong secret for client {client_id}"))),
        (false, _) => Err(OAuthError::unauthorized(format!(
            "client {client_id} authenticates by {:?}, not the way it tried",
            client.auth_method
        ))),
    }
}

/// Which of the client's secrets `presented` is. Digests of equal length are compared, every one of them to its end, so
/// that the time says nothing about the secret.
fn find_secret(client: &Client, presented: &str, now: i64) -> Option<usize> {
    let presented = sha256(presented.as_bytes());
    let mut found = None;
    for (index, secret) in client.secrets.iter().enumerate() {
        let is_valid = secret.expires_at.is_none_or(|at| now < at);
        let is_same = bool::from(sha256(secret.value.as_bytes()).ct_eq(&presented));
        if is_valid && is_same {
            found = Some(index);
        }
    }
    found
}

/// How exactly the last use of a secret is known; a write for every token would cost as much as the token.
const USE_RESOLUTION_MS: i64 = 60_000;

/// Remembers that a secret was used, in the background: the token does not wait for it.
fn record_use(app: &App, client: &Client, index: usize) {
    let (secret, now) = (&client.secrets[index], app.clock.now_ms());
    if now - secret.last_used_at.load(Ordering::Relaxed) < USE_RESOLUTION_MS {
        return;
    }
    secret.last_used_at.store(now, Ordering::Relaxed);
    let (app, client_id, id) = (app.clone(), client.client_id.clone(), secret.id.clone());
    tokio::spawn(async move {
        let tenant = app.tenant.clone();
        let stored = app.db.repeatable(move |tx| store::secret_used(tx, &tenant, &client_id, &id, now)).await;
        if let Err(error) = stored {
            tracing::warn!(%error, "the use of a secret was not recorded");
        }
    });
}

/// `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 section 2).
async fn by_certificate(
    app: &App,
    client_id: &str,
    certificate: Option<&ClientCertificate>,
) -> Result<Arc<Client>, OAuthError> {
    let client = find(app, client_id).await?;
    let refused = |hint: &str| {
        OAuthError::new(401, "invalid_client", "Client authentication failed")
            .with_hint(format!("client {client_id}: {hint}"))
    };
    if !matches!(client.auth_method, AuthMethod::Tls | AuthMethod::SelfSignedTls) {
        return Err(OAuthError::unauthorized(format!("no secret for client {client_id}")));
    }
    let Some(certificate) = certificate else { return Err(refused("no certificate was presented")) };
    let now = app.clock.now_ms();
    if certificate.info.not_after.saturating_mul(1000) < now {
        return Err(refused("the certificate has expired"));
    }
    let matches =
        client.credentials.iter().filter(|credential| credential.expires_at.is_none_or(|at| now < at)).any(
            |credential| match &credential.proof {
                Proof::Certificate { thumbprint_sha256 } => {
                    *thumbprint_sha256 == certificate.info.thumbprint_sha256
                }
                // Anyone can make a certificate of any name; only a trusted issuer makes it mean something.
                Proof::Subject { subject_dn } => {
                    certificate.is_trusted && is_subject(subject_dn, &certificate.info)
                }
                Proof::Signature { .. } => false,
            },
        );
    if matches { Ok(client) } else { Err(refused("the certificate is not one of its credentials")) }
}

/// The client that a request says to come from, which is no proof.
pub(crate) fn claimed_client_id(headers: &HeaderMap, form: &Form) -> Option<String> {
    let basic = headers.get(header::AUTHORIZATION).and_then(|value| read_basic(value.to_str().ok()?));
    basic
        .map(|(client_id, _)| client_id)
        .or_else(|| form.get("client_id").map(str::to_owned))
        .or_else(|| assertion::claimed_client_id(form.get("client_assertion")?))
}

fn presented<'a>(
    headers: &HeaderMap,
    form: &'a Form,
    has_certificate: bool,
) -> Result<Presented<'a>, OAuthError> {
    let in_body = form.get("client_secret");
    let assertion = form.get("client_assertion");
    let client_id = form.get("client_id");
    let basic = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let secrets = usize::from(in_body.is_some()) + usize::from(basic.is_some());
    // A certificate beside an assertion binds the token to it; beside a secret it is a second method.
    if secrets + usize::from(assertion.is_some()) > 1 || (secrets > 0 && has_certificate) {
        return Err(OAuthError::invalid_request("Multiple authentication methods provided, please use one."));
    }
    if let Some(basic) = basic {
        let (in_header, secret) =
            read_basic(basic).ok_or_else(|| OAuthError::unauthorized("malformed Basic header"))?;
        if client_id.is_some_and(|in_form| in_form != in_header) {
            return Err(OAuthError::invalid_request("client_id does not match the Authorization header"));
        }
        return Ok(Presented::Secret { client_id: in_header, secret, in_header: true });
    }
    if let Some(assertion) = assertion {
        return Ok(Presented::Assertion { assertion, client_id });
    }
    let client_id = client_id.ok_or_else(|| OAuthError::missing_parameter("client_id"))?;
    Ok(match in_body {
        Some(secret) => Presented::Secret {
            client_id: client_id.to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
            in_header: false,
        },
        None => Presented::Name { client_id },
    })
}

/// Reads `Basic base64(id:secret)`, where id and secret are form-encoded (RFC 6749 section 2.3.1).
fn read_basic(value: &str) -> Option<(String, Zeroizing<String>)> {
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(credentials.trim()).ok()?);
    let (client_id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let read = |text: &str| {
        percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    Some((read(client_id)?, Zeroizing::new(read(secret)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn id_and_secret_are_form_decoded() {
        let (id, secret) = read_basic(&basic("my%3Aid:a%2Bb+c")).unwrap();
        assert_eq!((id.as_str(), secret.as_str()), ("my:id", "a+b c"));
        for bad in ["Basic", "Basic !!", "Bearer eDp5", &basic("no colon")] {
            assert!(read_basic(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(value in "(Basic )?[ -~]{0,60}") {
            let _ = read_basic(&value);
        }
    }
}
