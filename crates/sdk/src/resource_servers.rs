//! APIs.

use crate::call::Call;
use crate::client::{ManagementClient, segment};
use crate::page::{Items, Listed, Page, list};
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
    /// APIs on a page, 100 at most; 50 if nobody says otherwise.
    pub per_page: Option<u64>,
    /// Whether the answer says how many there are in all.
    pub include_totals: bool,
    /// Only those with these identifiers, ten at most.
    pub identifiers: Vec<String>,
    /// Whether fields that were named by [`Call::fields`] are the ones to show.
    pub include_fields: Option<bool>,
}

/// APIs on a page when all are walked through.
const PER_PAGE: u64 = 100;

impl Listed for ResourceServer {
    const MEMBER: &'static str = "resource_servers";
}

impl ResourceServers {
    pub(crate) fn new(client: ManagementClient) -> Self {
        Self { client }
    }

    fn one(id: impl AsRef<str>) -> String {
        format!("resource-servers/{}", segment(id.as_ref()))
    }

    /// Registers an API.
    ///
    /// **Scopes**: `create:resource_servers`.
    ///
    /// **Notes**: the identifier is the audience of its tokens, need not be an address that anybody calls, and is never
    /// changed.
    ///
    /// **Errors**: 409 ([`is_conflict`](crate::Error::is_conflict)) when an API has this identifier, 400 for what breaks
    /// a rule.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::{ApiScope, NewResourceServer};
    ///
    /// let read = ApiScope { value: "read:things".into(), ..ApiScope::default() };
    /// let new = NewResourceServer {
    ///     identifier: "https://api.example".into(),
    ///     name: Some("Things".into()),
    ///     scopes: Some(vec![read]),
    ///     token_lifetime: Some(600),
    ///     ..NewResourceServer::default()
    /// };
    /// let api = management.resource_servers().create(&new).await?;
    /// # assert_eq!(api.token_lifetime, Some(600));
    /// # Ok(()) });
    /// ```
    pub fn create(&self, api: &NewResourceServer) -> Call<ResourceServer> {
        Call::new(&self.client, Method::POST, "resource-servers").body(api)
    }

    /// Reads an API, by its id or its identifier.
    ///
    /// **Scopes**: `read:resource_servers`.
    ///
    /// **Errors**: 404 when there is no such API.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// # let new = tenantry_sdk::NewResourceServer { identifier: "https://api.example".into(), ..Default::default() };
    /// # management.resource_servers().create(&new).await?;
    /// let api = management.resource_servers().get("https://api.example").await?;
    /// println!("{} {:?}", api.id, api.scopes);
    /// # Ok(()) });
    /// ```
    pub fn get(&self, id: impl AsRef<str>) -> Call<ResourceServer> {
        Call::new(&self.client, Method::GET, Self::one(id))
    }

    /// Reads a page of APIs, by its number. [`Page::next_page`] leads on.
    ///
    /// **Scopes**: `read:resource_servers`.
    ///
    /// **Limits**: 100 APIs on a page, ten identifiers.
    ///
    /// **Errors**: 400 for more than these.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::ListResourceServers;
    ///
    /// let list = ListResourceServers { identifiers: vec!["https://api.example".into()], ..Default::default() };
    /// let page = management.resource_servers().list(&list).await?;
    /// # assert!(page.items.is_empty());
    /// # Ok(()) });
    /// ```
    pub fn list(&self, apis: &ListResourceServers) -> Call<Page<ResourceServer>> {
        let call = list(&self.client, "resource-servers")
            .query_if("page", apis.page)
            .query_if("per_page", apis.per_page)
            .query_if("include_totals", apis.include_totals.then_some(true))
            .query_if("include_fields", apis.include_fields);
        apis.identifiers.iter().fold(call, |call, one| call.query("identifiers", one))
    }

    /// Reads all APIs that fit, 100 at a time; the paging members of `apis` are not looked at. Scopes and errors as
    /// [`list`](Self::list).
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// let mut apis = management.resource_servers().stream(&Default::default());
    /// while let Some(api) = apis.next().await {
    ///     println!("{}", api?.identifier);
    /// }
    /// # Ok(()) });
    /// ```
    pub fn stream(&self, apis: &ListResourceServers) -> Items<ResourceServer> {
        let unpaged = ListResourceServers {
            page: None,
            per_page: Some(PER_PAGE),
            include_totals: false,
            ..apis.clone()
        };
        self.list(&unpaged).stream()
    }

    /// Changes an API, by its id or its identifier. `scopes` is replaced as a whole.
    ///
    /// **Scopes**: `update:resource_servers`.
    ///
    /// **Errors**: 404; 400 for what breaks a rule, and for settings of the platform's own APIs.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::{Patch, ResourceServerPatch};
    ///
    /// # let new = tenantry_sdk::NewResourceServer { identifier: "https://api.example".into(), ..Default::default() };
    /// # let id = management.resource_servers().create(&new).await?.id;
    /// let patch = ResourceServerPatch { token_lifetime: Patch::Value(60), ..ResourceServerPatch::default() };
    /// let api = management.resource_servers().update(&id, &patch).await?;
    /// # assert_eq!(api.token_lifetime, Some(60));
    /// # Ok(()) });
    /// ```
    pub fn update(&self, id: impl AsRef<str>, patch: &ResourceServerPatch) -> Call<ResourceServer> {
        Call::new(&self.client, Method::PATCH, Self::one(id)).body(patch)
    }

    /// Deletes an API with every grant for it; also fine when it is not there. Tokens that were issued stay good until
    /// they expire.
    ///
    /// **Scopes**: `delete:resource_servers`.
    ///
    /// **Errors**: 400 for the platform's own APIs.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// management.resource_servers().delete("https://api.example").await?;
    /// # Ok(()) });
    /// ```
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        Call::new(&self.client, Method::DELETE, Self::one(id))
    }
}
