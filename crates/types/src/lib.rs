//! The wire of the Management API, shared by the server, the SDK and the command line:
//! resources, identifiers, scopes, error bodies, and the rules that decide whether a request is acceptable.
//!
//! Nothing here does I/O or knows about HTTP, SQL or time zones.

#![warn(missing_docs)]

pub mod client_grants;
pub mod clients;
pub mod connection_profiles;
pub mod connections;
pub mod credentials;
pub mod error;
pub mod format;
pub mod json;
pub mod logs;
mod lucene;
pub mod organizations;
pub mod patch;
pub mod redaction;
pub mod registration;
pub mod resource_servers;
pub mod schema;
pub mod scope;
pub mod settings;
pub mod signing_keys;
pub mod tenant_settings;
pub mod time;
pub mod token_quota;
pub mod user_attribute_profiles;
pub mod wire;

pub use error::{ApiError, ErrorCode};
pub use json::Object;
pub use patch::Patch;
pub use scope::{Scope, ScopeSet};
