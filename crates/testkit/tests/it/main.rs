//! Integration tests: the real server over HTTPS.

#![expect(clippy::unwrap_used, reason = "a test may fail this way")]

mod authorization;
mod client_grants;
mod clients;
mod errors;
mod http;
mod ledger;
mod lists;
mod resource_servers;
mod secrets;
mod third_party;
mod tokens;
