//! Connections of a client.

use crate::call::Call;
use crate::client::{ManagementClient, segment};
use crate::page::{Items, Listed, Page, list};
use tenantry_types::clients::model::ClientConnection;

/// The connections of one client.
#[derive(Clone, Debug)]
pub struct Connections {
    client: ManagementClient,
    path: String,
}

/// Which connections are listed, and which part of them.
#[derive(Clone, Debug, Default)]
pub struct ListConnections {
    /// Only those of these kinds: `auth0`, `google-oauth2`, `samlp` …
    pub strategy: Vec<String>,
    /// Connections on a page, 100 at most; 50 if nobody says otherwise.
    pub take: Option<u64>,
    /// The checkpoint: [`Page::next`] of the page before.
    pub from: Option<String>,
    /// Only these fields, separated by commas.
    pub fields: Option<String>,
    /// `Some(false)`: all fields but those.
    pub include_fields: Option<bool>,
}

/// Connections on a page when nobody says otherwise.
const DEFAULT_TAKE: u64 = 50;
/// Connections in a request when all are walked through.
const TAKE: u64 = 100;

impl Listed for ClientConnection {
    const MEMBER: &'static str = "connections";
}

impl Connections {
    pub(crate) fn new(client: ManagementClient, client_id: &str) -> Self {
        Self { client, path: format!("clients/{}/connections", segment(client_id)) }
    }

    /// Reads a page of the connections that are enabled for the client. [`Page::next_page`] leads on.
    ///
    /// **Scopes**: `read:connections`, and `read:clients` or `read:client_summary`.
    ///
    /// **Limits**: 100 connections on a page; pages go by checkpoints only.
    ///
    /// **Errors**: 404 when there is no such client.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::ListConnections;
    ///
    /// # let new = tenantry_sdk::NewClient { name: "n".into(), ..Default::default() };
    /// # let id = management.clients().create(&new).await?.client_id.unwrap();
    /// let list = ListConnections { strategy: vec!["auth0".into()], ..ListConnections::default() };
    /// for connection in management.clients().connections(&id).list(&list).await?.items {
    ///     println!("{:?}", connection.name);
    /// }
    /// # Ok(()) });
    /// ```
    pub fn list(&self, connections: &ListConnections) -> Call<Page<ClientConnection>> {
        let call = list(&self.client, self.path.clone());
        let call = connections.strategy.iter().fold(call, |call, one| call.query("strategy", one));
        call.query_if("take", Some(connections.take.unwrap_or(DEFAULT_TAKE)))
            .query_if("from", connections.from.as_ref())
            .query_if("fields", connections.fields.as_ref())
            .query_if("include_fields", connections.include_fields)
    }

    /// Reads all connections that fit; where to begin is not looked at. Scopes, limits and errors as
    /// [`list`](Self::list).
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// # let new = tenantry_sdk::NewClient { name: "n".into(), ..Default::default() };
    /// # let id = management.clients().create(&new).await?.client_id.unwrap();
    /// let all = management.clients().connections(&id).stream(&Default::default()).collect().await?;
    /// # assert!(all.is_empty());
    /// # Ok(()) });
    /// ```
    pub fn stream(&self, connections: &ListConnections) -> Items<ClientConnection> {
        self.list(&ListConnections { take: Some(TAKE), from: None, ..connections.clone() }).stream()
    }
}
