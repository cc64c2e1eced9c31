//! Connections: the Connections API, and which clients each connection is enabled for.
//!
//! What a strategy makes of its options is `tenantry_types::connections`' business. `OpenID` providers are asked for
//! their metadata; apart from that nothing here talks to an identity provider, and nobody logs in.

mod clients;
pub(crate) mod configuration;
mod discovery;
mod metadata;
mod routes;
pub(crate) mod store;

pub(crate) use routes::routes;

use crate::http::Failure;
use tenantry_types::ErrorCode;

fn not_found() -> Failure {
    Failure::not_found("The connection does not exist", ErrorCode::InexistentConnection)
}
