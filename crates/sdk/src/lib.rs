//! A typed client of the Auth0 Management API: clients, their credentials, client grants and APIs. It works against
//! Auth0 and against Tenantry.
//!
//! ```no_run
//! # async fn example() -> Result<(), tenantry_sdk::Error> {
//! use tenantry_sdk::{ManagementClient, NewClient};
//!
//! let management = ManagementClient::builder("tenant.eu.auth0.com")
//!     .client_credentials("client id", "client secret")
//!     .build()?;
//! let new = NewClient { name: "My app".into(), ..NewClient::default() };
//! let client = management.clients().create(&new).await?;
//! println!("{:?}", client.client_id);
//! # Ok(())
//! # }
//! ```
//!
//! Every method returns a [`Call`]: awaited as it is it gives the typed answer; before that it takes options (timeouts,
//! retries, headers, query parameters). [`Call::with_response`] gives status, headers and the raw body as well.
//! Dropping the future cancels the call, also while it pauses between two attempts.

#![warn(missing_docs)]

mod call;
mod client;
mod client_grants;
mod clients;
mod credentials;
mod error;
mod page;
mod resource_servers;
mod token;

pub use call::{Call, Options, Response};
pub use client::{Builder, ManagementClient};
pub use client_grants::{ClientGrants, ListClientGrants};
pub use clients::{Clients, ListClients};
pub use credentials::Credentials;
pub use error::{ApiFailure, Error};
pub use page::Page;
pub use resource_servers::{ListResourceServers, ResourceServers};
pub use tenantry_types::Patch;
pub use tenantry_types::client_grants::model::{ClientGrant, ClientGrantPatch, NewClientGrant};
pub use tenantry_types::clients::model::*;
pub use tenantry_types::resource_servers::model::{NewResourceServer, ResourceServer, ResourceServerPatch};
pub use tenantry_types::wire::*;
pub use token::{AccessToken, TokenFuture};
