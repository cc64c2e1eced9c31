//! Integration tests: the real server over HTTPS.

#![recursion_limit = "256"] // for one large JSON literal
#![expect(clippy::unwrap_used, reason = "a test may fail this way")]

mod access_tokens;
mod authorization;
mod client_authentication;
mod client_grants;
mod clients;
mod credentials;
mod errors;
mod http;
mod ledger;
mod lists;
mod mtls;
mod operations;
mod quotas;
mod resource_servers;
mod sdk;
mod secrets;
mod settings;
mod tenant_settings;
mod third_party;
mod tokens;
