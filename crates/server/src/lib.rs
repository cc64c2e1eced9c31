//! The server: the Management API, the OAuth 2.0 and `OpenID` Connect endpoints, and their storage.
//!
//! [`Server::start`] is all that the binary and the tests need.

mod admin;
mod app;
pub mod audit;
mod cache;
mod client_grants;
mod clients;
mod clock;
pub mod config;
mod connections;
mod credentials;
pub mod data_dir;
mod db;
mod discovery;
mod http;
mod ids;
mod keys;
mod limiter;
mod limits;
pub mod maintenance;
mod master_key;
mod metrics;
mod openapi;
mod operations;
mod ops;
mod organizations;
mod profiles;
mod provision;
mod registration;
mod resource_servers;
mod router;
mod seal;
mod server;
mod settings;
mod tenant_settings;
mod tls;
mod tokens;

#[cfg(feature = "otel")]
pub use crate::http::SPANS;
pub use crate::http::{Network, with_request_id};
pub use admin::{AdminClient, AdminError, Reset, admin_client, reset_admin};
pub use clock::{Clock, Random};
pub use config::Config;
pub use data_dir::{DataDir, DataDirError};
pub use limits::raise_file_limit;
pub use server::{RouteInfo, Running, Server, StartError};
