//! Error bodies of the Management API: `{"statusCode","error","message","errorCode"?}`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Codes that programs branch on (`errorCode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The body broke a rule of the operation.
    InvalidBody,
    /// A path parameter has the wrong shape.
    InvalidUri,
    /// A query parameter is unknown or has a wrong value.
    InvalidQueryString,
    /// A page beyond what the collection serves by number.
    InvalidPaging,
    /// The token lacks a scope.
    InsufficientScope,
    /// No client has this id.
    InexistentClient,
    /// No client grant has this id.
    InexistentClientGrant,
    /// No API has this id or identifier.
    InexistentResourceServer,
    /// No credential of the client has this id.
    InexistentCredential,
    /// No connection has this id.
    InexistentConnection,
    /// No connection profile has this id.
    InexistentConnectionProfile,
    /// No user attribute profile has this id.
    InexistentUserAttributeProfile,
    /// A connection profile of this name exists.
    ConnectionProfileConflict,
    /// A user attribute profile of this name exists.
    UserAttributeProfileConflict,
    /// No invitation to the organization has this id.
    InexistentInvitation,
    /// No user has this id.
    InexistentUser,
    /// No provider sends the tenant's e-mail.
    InexistentEmailProvider,
    /// A provider sends the tenant's e-mail already.
    EmailProviderConflict,
    /// The tenant has no such e-mail template.
    InexistentEmailTemplate,
    /// The tenant has such an e-mail template already.
    EmailTemplateConflict,
    /// No theme has this id.
    ThemeNotFound,
    /// An API with this identifier exists.
    ResourceServerConflict,
    /// A grant for this client, API and subject type exists.
    ClientGrantConflict,
    /// Another client has one of these aliases.
    ClientConflict,
    /// A connection with this name exists.
    ConnectionConflict,
    /// An organization of this name exists, or has what is to be added to it.
    OrganizationConflict,
    /// The operation does not apply to this kind of object.
    OperationNotSupported,
    /// A rule that looks at other objects was broken.
    ValidationError,
    /// The tenant holds as many objects of this kind as it may.
    TooManyEntities,
    /// The caller asks too often.
    TooManyRequests,
    /// The token is not shaped like one; printed as `Bearer`.
    #[serde(rename = "Bearer")]
    Bearer,
}

impl ErrorCode {
    /// The code as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidBody => "invalid_body",
            Self::InvalidUri => "invalid_uri",
            Self::InvalidQueryString => "invalid_query_string",
            Self::InvalidPaging => "invalid_paging",
            Self::InsufficientScope => "insufficient_scope",
            Self::InexistentClient => "inexistent_client",
            Self::InexistentClientGrant => "inexistent_client_grant",
            Self::InexistentResourceServer => "inexistent_resource_server",
            Self::InexistentCredential => "inexistent_credential",
            Self::InexistentConnection => "inexistent_connection",
            Self::InexistentConnectionProfile => "inexistent_connection_profile",
            Self::InexistentUserAttributeProfile => "inexistent_user_attribute_profile",
            Self::ConnectionProfileConflict => "connection_profile_conflict",
            Self::UserAttributeProfileConflict => "user_attribute_profile_conflict",
            Self::InexistentInvitation => "inexistent_invitation",
            Self::InexistentUser => "inexistent_user",
            Self::InexistentEmailProvider => "inexistent_email_provider",
            Self::EmailProviderConflict => "email_provider_conflict",
            Self::InexistentEmailTemplate => "inexistent_email_template",
            Self::EmailTemplateConflict => "email_template_conflict",
            Self::ThemeNotFound => "theme_not_found",
            Self::ResourceServerConflict => "resource_server_conflict",
            Self::ClientGrantConflict => "client_grant_conflict",
            Self::ClientConflict => "client_conflict",
            Self::ConnectionConflict => "connection_conflict",
            Self::OrganizationConflict => "organization_conflict",
            Self::OperationNotSupported => "operation_not_supported",
            Self::ValidationError => "validation_error",
            Self::TooManyEntities => "too_many_entities",
            Self::TooManyRequests => "too_many_requests",
            Self::Bearer => "Bearer",
        }
    }
}

/// An error answer of the Management API.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApiError {
    /// The HTTP status.
    #[serde(rename = "statusCode")]
    pub status: u16,
    /// The reason phrase of the status.
    pub error: &'static str,
    /// What is wrong, for people.
    pub message: String,
    /// What is wrong, for programs.
    #[serde(rename = "errorCode", skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// More about a refused token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<ErrorAttributes>,
}

/// `attributes` of a 401: the same text once more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorAttributes {
    /// The message.
    pub error: String,
}

impl ApiError {
    /// An error without a code.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, error: reason(status), message: message.into(), code: None, attributes: None }
    }

    /// Adds the code.
    #[must_use]
    pub fn with_code(mut self, code: ErrorCode) -> Self {
        self.code = Some(code);
        self
    }

    /// A rule about the body was broken: 400 `invalid_body`.
    pub fn invalid_body(message: impl Into<String>) -> Self {
        Self::new(400, message).with_code(ErrorCode::InvalidBody)
    }

    /// A query parameter is not acceptable: 400 `invalid_query_string`.
    pub fn invalid_query(message: impl Into<String>) -> Self {
        Self::new(400, message).with_code(ErrorCode::InvalidQueryString)
    }

    /// None of the scopes that would allow this is held: 403 `insufficient_scope`.
    pub fn insufficient_scope<'a>(expected: impl IntoIterator<Item = &'a str>) -> Self {
        let expected: Vec<_> = expected.into_iter().collect();
        Self::new(403, format!("Insufficient scope, expected any of: {}", expected.join(",")))
            .with_code(ErrorCode::InsufficientScope)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.error, self.message)
    }
}

impl std::error::Error for ApiError {}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Time-out",
        409 => "Conflict",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_has_the_recorded_order() {
        let error = ApiError::new(404, "The client does not exist").with_code(ErrorCode::InexistentClient);
        assert_eq!(
            serde_json::to_string(&error).unwrap(),
            r#"{"statusCode":404,"error":"Not Found","message":"The client does not exist","errorCode":"inexistent_client"}"#
        );
    }

    #[test]
    fn scopes_are_listed_by_comma() {
        let error = ApiError::insufficient_scope(["read:clients", "read:client_keys"]);
        assert_eq!(error.message, "Insufficient scope, expected any of: read:clients,read:client_keys");
    }
}
