//! Integration tests: the real server over HTTPS.

#![recursion_limit = "256"] // for one large JSON literal
#![expect(clippy::unwrap_used, reason = "a test may fail this way")]

mod access_tokens;
mod audit;
mod audit_chain;
mod audit_writes;
mod authorization;
mod cimd;
mod client_authentication;
mod client_grants;
mod clients;
mod clock;
mod connection_discovery;
mod connections;
mod credentials;
mod deletions;
mod errors;
mod http;
mod ledger;
mod limits;
mod lists;
mod maintenance;
mod metrics;
mod mtls;
mod nodes;
mod openapi;
mod operations;
mod organizations;
mod profiles;
mod quotas;
mod rate_limits;
mod recordings;
mod registration;
mod resource_servers;
mod sdk;
mod sdk_faults;
mod sdk_matrix;
mod sdk_shapes;
mod sdk_tokens;
mod search;
mod secrets;
mod settings;
mod signing_keys;
mod tenant_settings;
mod third_party;
mod tokens;
mod web;
