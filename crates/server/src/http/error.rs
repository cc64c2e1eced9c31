//! How errors become answers.

use crate::db::DbError;
use crate::seal::SealError;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use tenantry_types::schema::Violation;
use tenantry_types::{ApiError, ErrorCode};

pub(crate) type ApiResult<T = Response> = Result<T, Failure>;

/// Why a request of the Management API was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The caller's fault; told to the caller.
    Api(Box<ApiError>),
    /// Ours; told to the log, under the request's id.
    Internal(String),
    /// Ours, and likely to pass; the same.
    Unavailable(String),
}

impl Failure {
    pub(crate) fn not_found(message: &str, code: ErrorCode) -> Self {
        Self::missing(message, Some(code))
    }

    /// The same, where Auth0 has no code for it.
    pub(crate) fn missing(message: &str, code: Option<ErrorCode>) -> Self {
        let mut error = ApiError::new(404, message);
        error.code = code;
        error.into()
    }

    pub(crate) fn client_not_found() -> Self {
        Self::not_found("The client does not exist", ErrorCode::InexistentClient)
    }

    pub(crate) fn organization_not_found() -> Self {
        ApiError::new(404, "No organization found by that id or name").into()
    }

    pub(crate) fn conflict(message: &str, code: ErrorCode) -> Self {
        ApiError::new(409, message).with_code(code).into()
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        ApiError::from(violation).into()
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        let cause = error.to_string();
        match error {
            DbError::Unavailable(_) | DbError::Stopped => Self::Unavailable(cause),
            _ => Self::Internal(cause),
        }
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    /// Bodies are never read this way; what fails here is stored data.
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(format!("stored data: {error}"))
    }
}

/// Put on a response that refuses: why, for the audit log.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) message: String,
    pub(crate) code: Option<&'static str>,
    /// What only we are told.
    pub(crate) hint: Option<String>,
}

/// Put on a response whose cause belongs in the log.
#[derive(Clone, Debug)]
pub(crate) struct InternalCause(pub(crate) String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Api(error) => {
                let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let body = serde_json::to_vec(&error).unwrap_or_default();
                let mut response = super::json(status, body);
                if status == StatusCode::UNAUTHORIZED {
                    response
                        .headers_mut()
                        .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                }
                let code = error.code.map(ErrorCode::as_str);
                response.extensions_mut().insert(Refused { message: error.message, code, hint: None });
                response
            }
            Self::Internal(cause) => with_cause(StatusCode::INTERNAL_SERVER_ERROR, cause),
            Self::Unavailable(cause) => with_cause(StatusCode::SERVICE_UNAVAILABLE, cause),
        }
    }
}

fn with_cause(status: StatusCode, cause: String) -> Response {
    let mut response = status.into_response();
    let message = status.canonical_reason().unwrap_or_default().to_owned();
    response.extensions_mut().insert(Refused { message, code: None, hint: None });
    response.extensions_mut().insert(InternalCause(cause));
    response
}

/// An error of a protocol endpoint (RFC 6749 section 5.2, in Auth0's words).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OAuthError {
    #[serde(skip)]
    status: u16,
    error: &'static str,
    error_description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_uri: Option<&'static str>,
    /// For the log only.
    #[serde(skip)]
    hint: Option<String>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl OAuthError {
    pub(crate) fn new(status: u16, error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status,
            error,
            error_description: description.into(),
            error_uri: None,
            hint: None,
            headers: Vec::new(),
        }
    }

    /// The code of the error.
    pub(crate) fn error(&self) -> &'static str {
        self.error
    }

    pub(crate) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", description)
    }

    pub(crate) fn missing_parameter(name: &str) -> Self {
        Self::invalid_request(format!("Missing required parameter: {name}"))
    }

    /// The client is not known, or did not prove that it is the one. The two look alike.
    pub(crate) fn unauthorized(hint: impl Into<String>) -> Self {
        Self::new(401, "access_denied", "Unauthorized").with_hint(hint)
    }

    pub(crate) fn access_denied(description: impl Into<String>) -> Self {
        Self::new(403, "access_denied", description)
    }

    pub(crate) fn with_uri(mut self, uri: &'static str) -> Self {
        self.error_uri = Some(uri);
        self
    }

    /// Adds headers to the answer.
    pub(crate) fn with_headers(
        mut self,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Self {
        self.headers.extend(headers);
        self
    }

    /// Adds what only the log may say.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl OAuthError {
    /// What the audit log says of it. The cause of an internal error stays out of it.
    pub(crate) fn refused(&self) -> Refused {
        let hint = self.hint.clone().filter(|_| self.status < 500);
        Refused { message: self.error_description.clone(), code: Some(self.error), hint }
    }
}

impl From<DbError> for OAuthError {
    fn from(error: DbError) -> Self {
        Failure::from(error).into()
    }
}

impl From<Failure> for OAuthError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Internal(cause) => Self::new(500, "server_error", "Internal error").with_hint(cause),
            Failure::Unavailable(cause) => {
                Self::new(503, "temporarily_unavailable", "Try again later").with_hint(cause)
            }
            Failure::Api(error) => Self::new(error.status, "invalid_request", error.message),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        if let Some(hint) = &self.hint {
            let (status, error) = (self.status, self.error);
            // What is not available for now is logged where that is noticed: once, not with every request.
            if status >= 500 && status != 503 {
                tracing::error!(status, error, hint, "request failed");
            } else {
                // The audit log has what was refused. Here anybody could write as much as they like.
                tracing::debug!(status, error, hint, "request refused");
            }
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, serde_json::to_vec(&self).unwrap_or_default()).into_response();
        response.extensions_mut().insert(self.refused());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static(
                "private, no-store, no-cache, must-revalidate, post-check=0, pre-check=0, no-transform",
            ),
        );
        headers.extend(self.headers);
        if self.status == 429 || self.status == 503 {
            headers.entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
        }
        response
    }
}
