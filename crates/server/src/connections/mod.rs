//! Connections: the Connections API, and which clients each connection is enabled for.
//!
//! What a strategy makes of its options is `tenantry_types::connections`' business. Nothing here talks to an identity
//! provider: no metadata are fetched, and nobody logs in.

mod clients;
pub(crate) mod configuration;
mod metadata;
mod routes;
pub(crate) mod store;

pub(crate) use routes::routes;

use crate::http::Failure;
use tenantry_types::ErrorCode;

fn not_found() -> Failure {
    Failure::not_found("The connection does not exist", ErrorCode::InexistentConnection)
}
