#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod attempt;
#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
mod call;
mod client;
mod client_grants;
mod clients;
mod connections;
mod credentials;
mod error;
mod page;
mod resource_servers;
mod signing_keys;
mod token;

pub use builder::Builder;
pub use call::{Call, Response};
pub use client::ManagementClient;
pub use client_grants::{ClientGrants, ListClientGrants, ListGrantedOrganizations};
pub use clients::{Clients, ListClients, SearchClients};
pub use connections::{Connections, ListConnections};
pub use credentials::Credentials;
pub use error::{ApiFailure, Error, Stage, TimedOut, Unreadable};
pub use page::{Items, Page};
pub use resource_servers::{ListResourceServers, ResourceServers};
pub use signing_keys::SigningKeys;
pub use tenantry_types::client_grants::model::*;
pub use tenantry_types::clients::model::*;
pub use tenantry_types::resource_servers::model::*;
pub use tenantry_types::signing_keys::*;
pub use tenantry_types::wire::*;
pub use tenantry_types::{Object, Patch};
pub use token::AccessToken;
