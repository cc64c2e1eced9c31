//! Integration tests: the real server over HTTPS.

#![recursion_limit = "256"] // for one large JSON literal
#![expect(clippy::unwrap_used, reason = "a test may fail this way")]

mod access_tokens;
mod authorization;
mod cimd;
mod client_authentication;
mod client_grants;
mod clients;
mod credentials;
mod errors;
mod http;
mod ledger;
mod lists;
mod mtls;
mod quotas;
mod registration;
mod resource_servers;
mod sdk;
mod search;
mod secrets;
mod tenant_settings;
mod third_party;
mod tokens;
mod web;
