//! Applications (OAuth clients): their fields, defaults, rules, and how a `PATCH` changes them.
//!
//! A client is a JSON document that keeps the order in which its members were sent, because the API's answers do.
//! [`fields`] is the one list of field names; whatever depends on a field (who may read or set it, whether `null`
//! removes it, how a `PATCH` merges it, whether it is enforced) is said there and nowhere else.

mod addons;
mod defaults;
mod document;
pub mod fields;
pub mod ledger;
mod merge;
pub mod model;
mod rules;
pub(crate) mod schema;
pub mod search;

pub use document::{ClientDocument, StoredClient};
pub use fields::{Enforcement, FIELDS, Field, ReadGroup, WriteGuard, field};

use crate::schema::{Schema, Violation};
use crate::{ApiError, Object, Scope, ScopeSet};
use serde_json::Value;
use std::sync::LazyLock;

/// How a third-party client is held to the newer security rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThirdPartySecurityMode {
    /// The curated set of features that OAuth 2.1 leaves.
    Strict,
    /// What third-party clients could do before the modes existed.
    #[default]
    Permissive,
}

impl ThirdPartySecurityMode {
    /// The mode as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Permissive => "permissive",
        }
    }
}

/// The body of `POST /clients`.
pub static CREATE: LazyLock<Schema> =
    LazyLock::new(|| Schema::object_of(FIELDS.iter().filter_map(Field::create_member).collect()));
/// The body of `PATCH /clients/{id}`.
pub static PATCH: LazyLock<Schema> =
    LazyLock::new(|| Schema::object_of(FIELDS.iter().filter_map(Field::patch_member).collect()).min(1));

/// Checks the body of `POST /clients`, apart from rules that look at more than one member.
///
/// # Errors
/// The first violation.
pub fn check_create_body(body: &Value) -> Result<&Object, Violation> {
    CREATE.check_body(body)
}

/// Checks the body of `PATCH /clients/{id}`, apart from rules that look at more than one member.
///
/// # Errors
/// The first violation.
pub fn check_patch_body(body: &Value) -> Result<&Object, Violation> {
    PATCH.check_body(body)
}

/// Which request sets fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `POST /clients`.
    Create,
    /// `PATCH /clients/{id}`.
    Update,
}

/// Checks that `held` allows setting every member of `body`.
///
/// # Errors
/// 403 with the scopes of which one is needed.
pub fn check_write_scopes(operation: Operation, body: &Object, held: &ScopeSet) -> Result<(), ApiError> {
    for name in body.keys() {
        let Some(field) = field(name) else { continue };
        let needed = field.scopes_to_set(operation);
        if !held.contains_any(needed) {
            return Err(ApiError::insufficient_scope(needed.iter().map(|scope| scope.as_str())));
        }
    }
    Ok(())
}

/// Scopes of which one is needed to read clients at all.
pub const READ_SCOPES: &[Scope] = &[
    Scope::READ_CLIENTS,
    Scope::READ_CLIENT_KEYS,
    Scope::READ_CLIENT_CREDENTIALS,
    Scope::READ_CLIENT_SUMMARY,
];

/// Scopes of which one is needed to update a client at all.
pub const UPDATE_SCOPES: &[Scope] = &[
    Scope::UPDATE_CLIENTS,
    Scope::UPDATE_CLIENT_KEYS,
    Scope::UPDATE_CLIENT_CREDENTIALS,
    Scope::UPDATE_CLIENT_TOKEN_VAULT_PRIVILEGED_ACCESS,
];

/// The most entries that `client_metadata` may hold.
pub const MAX_METADATA: usize = 10;

#[cfg(test)]
mod tests;
