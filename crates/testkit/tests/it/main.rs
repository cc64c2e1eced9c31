//! Integration tests: the real server over HTTPS.

mod authorization;
mod clients;
mod errors;
mod http;
mod ledger;
mod lists;
mod resource_servers;
mod client_grants;
mod secrets;
mod third_party;
mod tokens;
