//! Which client may call which API.

use crate::call::Call;
use crate::client::{ManagementClient, segment};
use crate::error::Error;
use crate::page::{Listed, Page, walk};
use futures_core::Stream;
use http::Method;
use tenantry_types::client_grants::model::{ClientGrant, ClientGrantPatch, NewClientGrant};

/// The Client Grants API.
#[derive(Clone, Debug)]
pub struct ClientGrants {
    client: ManagementClient,
}

/// Which grants are listed.
#[derive(Clone, Debug, Default)]
pub struct ListClientGrants {
    /// The number of the page, from 0 on.
    pub page: Option<u64>,
    /// Grants on a page, 100 at most.
    pub per_page: Option<u64>,
    /// Whether the answer says how many there are in all.
    pub include_totals: bool,
    /// Only those for this API.
    pub audience: Option<String>,
    /// Only those of this client.
    pub client_id: Option<String>,
    /// Only those for `client` or `user` access.
    pub subject_type: Option<String>,
}

impl ListClientGrants {
    fn add_to<T>(&self, call: Call<T>) -> Call<T> {
        let parameters = [
            ("page", self.page.map(|n| n.to_string())),
            ("per_page", self.per_page.map(|n| n.to_string())),
            ("include_totals", self.include_totals.then(|| "true".into())),
            ("audience", self.audience.clone()),
            ("client_id", self.client_id.clone()),
            ("subject_type", self.subject_type.clone()),
        ];
        parameters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .fold(call, |call, (name, value)| call.query(name, value))
    }
}

/// Grants in a request when all are walked through.
const TAKE: u64 = 100;

impl ClientGrants {
    pub(crate) fn new(client: ManagementClient) -> Self {
        Self { client }
    }

    fn path(id: impl AsRef<str>) -> String {
        format!("client-grants/{}", segment(id.as_ref()))
    }

    /// Grants a client access to an API. Scope `create:client_grants`.
    pub fn create(&self, grant: &NewClientGrant) -> Call<ClientGrant> {
        self.client.call(Method::POST, "client-grants").body(grant)
    }

    /// Reads a grant. Scope `read:client_grants`.
    pub fn get(&self, id: impl AsRef<str>) -> Call<ClientGrant> {
        self.client.call(Method::GET, Self::path(id))
    }

    /// Reads a page of grants. Scope `read:client_grants`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list(&self, list: &ListClientGrants) -> Result<Page<ClientGrant>, Error> {
        let call: Call<Listed<ClientGrant>> = list.add_to(self.client.call(Method::GET, "client-grants"));
        call.await?.into_page("client_grants")
    }

    /// Reads all grants that fit; paging is the stream's business. Scope `read:client_grants`.
    pub fn stream(
        &self,
        list: &ListClientGrants,
    ) -> impl Stream<Item = Result<ClientGrant, Error>> + Send + use<> {
        let (client, list) = (self.client.clone(), list.clone());
        let list = ListClientGrants { page: None, per_page: None, include_totals: false, ..list };
        walk("client_grants", move || {
            list.add_to(client.call(Method::GET, "client-grants")).query("take", TAKE.to_string())
        })
    }

    /// Changes a grant. Scope `update:client_grants`.
    pub fn update(&self, id: impl AsRef<str>, patch: &ClientGrantPatch) -> Call<ClientGrant> {
        self.client.call(Method::PATCH, Self::path(id)).body(patch)
    }

    /// Withdraws a grant; also fine when it is not there. Scope `delete:client_grants`.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        self.client.call(Method::DELETE, Self::path(id))
    }
}
