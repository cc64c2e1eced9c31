//! APIs.

use crate::call::Call;
use crate::client::{ManagementClient, segment};
use crate::error::Error;
use crate::page::{Listed, Page, walk_numbers};
use futures_core::Stream;
use http::Method;
use tenantry_types::resource_servers::model::{NewResourceServer, ResourceServer, ResourceServerPatch};

/// The Resource Servers API.
#[derive(Clone, Debug)]
pub struct ResourceServers {
    client: ManagementClient,
}

/// Which APIs are listed.
#[derive(Clone, Debug, Default)]
pub struct ListResourceServers {
    /// The number of the page, from 0 on.
    pub page: Option<u64>,
    /// APIs on a page, 100 at most.
    pub per_page: Option<u64>,
    /// Whether the answer says how many there are in all.
    pub include_totals: bool,
    /// Only those with these identifiers, ten at most.
    pub identifiers: Vec<String>,
}

impl ListResourceServers {
    fn add_to<T>(&self, call: Call<T>) -> Call<T> {
        let parameters = [
            ("page", self.page.map(|n| n.to_string())),
            ("per_page", self.per_page.map(|n| n.to_string())),
            ("include_totals", self.include_totals.then(|| "true".into())),
        ];
        let identifiers = self.identifiers.iter().map(|one| ("identifiers", Some(one.clone())));
        parameters
            .into_iter()
            .chain(identifiers)
            .filter_map(|(name, value)| Some((name, value?)))
            .fold(call, |call, (name, value)| call.query(name, value))
    }
}

/// APIs on a page when all are walked through.
const PER_PAGE: u64 = 100;

impl ResourceServers {
    pub(crate) fn new(client: ManagementClient) -> Self {
        Self { client }
    }

    fn path(id: impl AsRef<str>) -> String {
        format!("resource-servers/{}", segment(id.as_ref()))
    }

    /// Registers an API. Scope `create:resource_servers`.
    pub fn create(&self, api: &NewResourceServer) -> Call<ResourceServer> {
        self.client.call(Method::POST, "resource-servers").body(api)
    }

    /// Reads an API, by its id or its identifier. Scope `read:resource_servers`.
    pub fn get(&self, id: impl AsRef<str>) -> Call<ResourceServer> {
        self.client.call(Method::GET, Self::path(id))
    }

    /// Reads a page of APIs. Scope `read:resource_servers`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list(&self, list: &ListResourceServers) -> Result<Page<ResourceServer>, Error> {
        let call: Call<Listed<ResourceServer>> =
            list.add_to(self.client.call(Method::GET, "resource-servers"));
        call.await?.into_page("resource_servers")
    }

    /// Reads all APIs; paging is the stream's business. Scope `read:resource_servers`.
    pub fn stream(
        &self,
        list: &ListResourceServers,
    ) -> impl Stream<Item = Result<ResourceServer, Error>> + Send + use<> {
        let (client, list) = (self.client.clone(), list.clone());
        let list = ListResourceServers { page: None, per_page: None, include_totals: false, ..list };
        walk_numbers("resource_servers", PER_PAGE, move || {
            list.add_to(client.call(Method::GET, "resource-servers"))
        })
    }

    /// Changes an API. Scope `update:resource_servers`.
    pub fn update(&self, id: impl AsRef<str>, patch: &ResourceServerPatch) -> Call<ResourceServer> {
        self.client.call(Method::PATCH, Self::path(id)).body(patch)
    }

    /// Deletes an API with every grant for it; also fine when it is not there. Scope `delete:resource_servers`.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        self.client.call(Method::DELETE, Self::path(id))
    }
}
