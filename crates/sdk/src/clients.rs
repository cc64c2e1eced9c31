//! Applications.

use crate::call::Call;
use crate::client::{ManagementClient, segment};
use crate::error::Error;
use crate::page::{Listed, Page, walk_numbers};
use futures_core::Stream;
use http::Method;
use serde::Serialize;
use tenantry_types::clients::model::{Client, ClientPatch, NewClient};

/// The Clients API.
#[derive(Clone, Debug)]
pub struct Clients {
    client: ManagementClient,
}

/// Which clients are listed, and which part of them.
#[derive(Clone, Debug, Default)]
pub struct ListClients {
    /// The number of the page, from 0 on.
    pub page: Option<u64>,
    /// Clients on a page, 100 at most.
    pub per_page: Option<u64>,
    /// Whether the answer says how many there are in all.
    pub include_totals: bool,
    /// Clients behind a checkpoint, instead of a page.
    pub take: Option<u64>,
    /// The checkpoint.
    pub from: Option<String>,
    /// Only these fields, separated by commas.
    pub fields: Option<String>,
    /// `Some(false)`: all fields but those.
    pub include_fields: Option<bool>,
    /// Whether the client stands for all applications.
    pub is_global: Option<bool>,
    /// Whether the tenant's owner runs the client.
    pub is_first_party: Option<bool>,
    /// Only these kinds, separated by commas.
    pub app_type: Option<String>,
    /// Only the client with this metadata document.
    pub external_client_id: Option<String>,
    /// Only clients with certain grants.
    pub q: Option<String>,
}

impl ListClients {
    fn add_to<T>(&self, call: Call<T>) -> Call<T> {
        let number = |n: Option<u64>| n.map(|n| n.to_string());
        let truth = |b: Option<bool>| b.map(|b| b.to_string());
        let parameters = [
            ("page", number(self.page)),
            ("per_page", number(self.per_page)),
            ("include_totals", self.include_totals.then(|| "true".into())),
            ("take", number(self.take)),
            ("from", self.from.clone()),
            ("fields", self.fields.clone()),
            ("include_fields", truth(self.include_fields)),
            ("is_global", truth(self.is_global)),
            ("is_first_party", truth(self.is_first_party)),
            ("app_type", self.app_type.clone()),
            ("external_client_id", self.external_client_id.clone()),
            ("q", self.q.clone()),
        ];
        parameters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .fold(call, |call, (name, value)| call.query(name, value))
    }
}

#[derive(Serialize)]
struct Rotation {
    grace_period_seconds: u64,
}

/// Clients on a page when all are walked through.
const PER_PAGE: u64 = 100;

impl Clients {
    pub(crate) fn new(client: ManagementClient) -> Self {
        Self { client }
    }

    fn path(id: impl AsRef<str>) -> String {
        format!("clients/{}", segment(id.as_ref()))
    }

    /// Creates a client. Its secret is in the answer.
    ///
    /// Scope `create:clients`; `create:client_credentials` too when it defines credentials.
    pub fn create(&self, client: &NewClient) -> Call<Client> {
        self.client.call(Method::POST, "clients").body(client)
    }

    /// Reads a client.
    ///
    /// Scope `read:clients`, `read:client_keys`, `read:client_credentials` or `read:client_summary`; which decides what
    /// the answer shows.
    pub fn get(&self, id: impl AsRef<str>) -> Call<Client> {
        self.client.call(Method::GET, Self::path(id))
    }

    /// Reads a page of clients. Scopes as [`Self::get`].
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list(&self, list: &ListClients) -> Result<Page<Client>, Error> {
        let call: Call<Listed<Client>> = list.add_to(self.client.call(Method::GET, "clients"));
        call.await?.into_page("clients")
    }

    /// Reads all clients that fit, page by page; paging is the stream's business. Scopes as [`Self::get`].
    pub fn stream(&self, list: &ListClients) -> impl Stream<Item = Result<Client, Error>> + Send + use<> {
        let (client, list) = (self.client.clone(), list.clone());
        let list =
            ListClients { page: None, per_page: None, take: None, from: None, include_totals: false, ..list };
        walk_numbers("clients", PER_PAGE, move || list.add_to(client.call(Method::GET, "clients")))
    }

    /// Changes a client: what the patch does not name stays.
    ///
    /// Scope `update:clients`; `update:client_keys` for the secret, `update:client_credentials` for
    /// `client_authentication_methods`.
    pub fn update(&self, id: impl AsRef<str>, patch: &ClientPatch) -> Call<Client> {
        self.client.call(Method::PATCH, Self::path(id)).body(patch)
    }

    /// Deletes a client with everything that belongs to it; also fine when it is not there.
    ///
    /// Scope `delete:clients`.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        self.client.call(Method::DELETE, Self::path(id))
    }

    /// Replaces a client's secret. The new one is in the answer; the old one stops working at once.
    ///
    /// Scope `update:client_keys`.
    pub fn rotate_secret(&self, id: impl AsRef<str>) -> Call<Client> {
        self.client.call(Method::POST, Self::path(id) + "/rotate-secret")
    }

    /// The same, but the secrets before stay valid for a while. Tenantry only.
    pub fn rotate_secret_with_grace(&self, id: impl AsRef<str>, grace_period_seconds: u64) -> Call<Client> {
        self.client
            .call(Method::POST, Self::path(id) + "/rotate-secret")
            .body(&Rotation { grace_period_seconds })
    }
}
