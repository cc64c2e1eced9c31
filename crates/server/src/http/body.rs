//! Reading request bodies.

use super::MAX_BODY;
use super::error::{ApiResult, Failure, OAuthError};
use super::pace::SlowBody;
use crate::audit;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;
use std::collections::HashMap;
use tenantry_types::{ApiError, json};

/// What went wrong while reading a body, before anyone looked into it.
enum BodyError {
    TooLarge,
    TooSlow,
    Interrupted,
}

async fn read(body: Body, most: usize) -> Result<Bytes, BodyError> {
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(BodyError::TooLarge),
        Err(error) if is_slow(&*error) => Err(BodyError::TooSlow),
        Err(_) => Err(BodyError::Interrupted),
    }
}

fn is_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(<dyn std::error::Error>::is::<SlowBody>)
}

impl From<BodyError> for OAuthError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::new(413, "invalid_request", "Request body too large"),
            BodyError::TooSlow => Self::new(408, "invalid_request", "Request body took too long"),
            BodyError::Interrupted => Self::invalid_request("Invalid request payload"),
        }
    }
}

#[derive(PartialEq)]
enum MediaType {
    Json,
    Form,
    Other,
}

fn media_type(headers: &HeaderMap) -> MediaType {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return MediaType::Json };
    let value = value.to_str().unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "" | "application/json" | "text/json" => MediaType::Json,
        "application/x-www-form-urlencoded" => MediaType::Form,
        essence if essence.starts_with("application/") && essence.ends_with("+json") => MediaType::Json,
        _ => MediaType::Other,
    }
}

async fn document(request: Request) -> ApiResult<Option<Value>> {
    let (parts, body) = request.into_parts();
    let bytes = read(body, MAX_BODY).await.map_err(|error| match error {
        BodyError::TooLarge => {
            ApiError::new(413, format!("Payload content length greater than maximum allowed: {MAX_BODY}"))
        }
        BodyError::TooSlow => ApiError::new(408, "Request body took too long"),
        BodyError::Interrupted => ApiError::new(400, "Invalid request payload"),
    })?;
    if bytes.is_empty() {
        return Ok(None);
    }
    match media_type(&parts.headers) {
        MediaType::Json => Ok(Some(
            json::parse(&bytes).map_err(|_| ApiError::invalid_body("Invalid request payload JSON format"))?,
        )),
        MediaType::Form => {
            let members =
                form_urlencoded::parse(&bytes).map(|(name, value)| (name.into(), Value::from(value)));
            Ok(Some(Value::Object(members.collect())))
        }
        MediaType::Other => Err(ApiError::new(415, "Unsupported Media Type").into()),
    }
}

/// The JSON (or form) body of a Management API request; `null` when there is none.
pub(crate) struct Input(pub(crate) Value);

impl<S: Sync> FromRequest<S> for Input {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let body = document(request).await?.unwrap_or(Value::Null);
        audit::note_body(&body);
        Ok(Self(body))
    }
}

/// The parameters of a protocol request: a form, or a JSON object of strings.
pub(crate) struct Form {
    parameters: HashMap<String, String>,
}

impl Form {
    /// The parameter of that name; an empty one counts as left out (RFC 6749 section 3.2).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn of_json(bytes: &[u8]) -> Result<Self, OAuthError> {
        let Ok(Value::Object(members)) = json::parse(bytes) else {
            return Err(OAuthError::invalid_request("Invalid request payload JSON format"));
        };
        let mut parameters = HashMap::with_capacity(members.len());
        for (name, value) in members {
            let value = match value {
                Value::String(text) => text,
                Value::Null => continue,
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    return Err(OAuthError::invalid_request(format!("Parameter must be a string: {name}")));
                }
            };
            parameters.insert(name, value);
        }
        Ok(Self { parameters })
    }

    fn of_form(bytes: &[u8]) -> Result<Self, OAuthError> {
        let mut parameters = HashMap::with_capacity(8);
        for (name, value) in form_urlencoded::parse(bytes) {
            // RFC 6749 section 3.2: a parameter must not be included more than once.
            if let Some(name) = parameters.insert(name.clone().into_owned(), value.into_owned()).map(|_| name)
            {
                return Err(OAuthError::invalid_request(format!("Parameter sent more than once: {name}")));
            }
        }
        Ok(Self { parameters })
    }
}

impl<S: Sync> FromRequest<S> for Form {
    type Rejection = OAuthError;

    async fn from_request(request: Request, _: &S) -> Result<Self, OAuthError> {
        let (parts, body) = request.into_parts();
        let bytes = read(body, MAX_BODY).await?;
        match media_type(&parts.headers) {
            MediaType::Form => Self::of_form(&bytes),
            MediaType::Json => Self::of_json(&bytes),
            MediaType::Other => Err(OAuthError::new(415, "invalid_request", "Unsupported Media Type")),
        }
    }
}

/// Registrations come from anybody; fifty redirect URIs fit in easily.
const MAX_METADATA: usize = 64 << 10;

/// The JSON body of a registration request.
pub(crate) struct Metadata(pub(crate) Value);

impl<S: Sync> FromRequest<S> for Metadata {
    type Rejection = OAuthError;

    async fn from_request(request: Request, _: &S) -> Result<Self, OAuthError> {
        let (parts, body) = request.into_parts();
        let bytes = read(body, MAX_METADATA).await?;
        if media_type(&parts.headers) != MediaType::Json {
            return Err(OAuthError::new(415, "invalid_request", "Unsupported Media Type"));
        }
        let body = json::parse(&bytes);
        let body = body.map_err(|_| OAuthError::invalid_request("Invalid request payload JSON format"))?;
        audit::note_body(&body);
        Ok(Self(body))
    }
}
