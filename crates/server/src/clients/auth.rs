//! How a client proves at the token endpoint who it is (RFC 6749 section 2.3).

use super::{AuthMethod, Client};
use crate::app::App;
use crate::http::{Form, OAuthError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use tenantry_jose::sha256;
use zeroize::Zeroizing;

/// What a request says about who sends it.
struct Presented {
    client_id: String,
    secret: Option<Zeroizing<String>>,
    in_header: bool,
}

/// The client that sent the request.
pub(crate) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Arc<Client>, OAuthError> {
    let presented = presented(headers, form)?;
    let Some(client) = app.clients.find(app, &presented.client_id).await? else {
        return Err(OAuthError::unauthorized("unknown client"));
    };
    let by_secret = match (client.auth_method, presented.in_header) {
        (AuthMethod::Unset, _)
        | (AuthMethod::ClientSecretPost, false)
        | (AuthMethod::ClientSecretBasic, true) => true,
        (
            AuthMethod::ClientSecretPost
            | AuthMethod::ClientSecretBasic
            | AuthMethod::None
            | AuthMethod::Keys,
            _,
        ) => false,
    };
    if !by_secret {
        return Err(OAuthError::unauthorized(format!(
            "client {} authenticates by {:?}, not the way it tried",
            client.client_id, client.auth_method
        )));
    }
    let is_right =
        presented.secret.as_ref().is_some_and(|secret| has_secret(&client, secret, app.clock.now_ms()));
    if is_right {
        Ok(client)
    } else {
        Err(OAuthError::unauthorized(format!("wrong or no secret for client {}", client.client_id)))
    }
}

/// Whether `presented` is one of the client's secrets. Digests of equal length are compared, every one of them to its
/// end, so that the time says nothing about the secret.
fn has_secret(client: &Client, presented: &str, now: i64) -> bool {
    let presented = sha256(presented.as_bytes());
    let valid = client.secrets.iter().filter(|secret| secret.expires_at.is_none_or(|at| now < at));
    valid
        .fold(subtle::Choice::from(0), |found, secret| {
            found | sha256(secret.value.as_bytes()).ct_eq(&presented)
        })
        .into()
}

fn presented(headers: &HeaderMap, form: &Form) -> Result<Presented, OAuthError> {
    let in_body = form.get("client_secret").map(|secret| Zeroizing::new(secret.to_owned()));
    let basic = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    if let Some(basic) = basic {
        if in_body.is_some() || form.get("client_assertion").is_some() {
            return Err(OAuthError::invalid_request(
                "Multiple authentication methods provided, please use one.",
            ));
        }
        let (client_id, secret) =
            read_basic(basic).ok_or_else(|| OAuthError::unauthorized("malformed Basic header"))?;
        if form.get("client_id").is_some_and(|in_form| in_form != client_id) {
            return Err(OAuthError::invalid_request("client_id does not match the Authorization header"));
        }
        return Ok(Presented { client_id, secret: Some(secret), in_header: true });
    }
    if form.get("client_assertion").is_some() && in_body.is_some() {
        return Err(OAuthError::invalid_request("Multiple authentication methods provided, please use one."));
    }
    let client_id =
        form.get("client_id").ok_or_else(|| OAuthError::missing_parameter("client_id"))?.to_owned();
    Ok(Presented { client_id, secret: in_body, in_header: false })
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
