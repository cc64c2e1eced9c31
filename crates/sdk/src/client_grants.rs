//! Which client may call which API.

use crate::call::Call;
use crate::client::{ManagementClient, segment};
use crate::page::{Items, Listed, Page, list};
use http::Method;
use tenantry_types::client_grants::model::{
    ClientGrant, ClientGrantPatch, GrantedOrganization, NewClientGrant,
};

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
    /// Grants on a page, 100 at most; 50 if nobody says otherwise.
    pub per_page: Option<u64>,
    /// Whether the answer says how many there are in all.
    pub include_totals: bool,
    /// Grants behind a checkpoint, instead of a page; 100 at most.
    pub take: Option<u64>,
    /// The checkpoint: [`Page::next`] of the page before.
    pub from: Option<String>,
    /// Only those for this API.
    pub audience: Option<String>,
    /// Only those of this client.
    pub client_id: Option<String>,
    /// Only those for `client` or `user` access.
    pub subject_type: Option<String>,
    /// Only those that are good for every organization. The API takes no `false`.
    pub allow_any_organization: bool,
    /// Only those for a class of clients: `third_party_clients`.
    pub default_for: Option<String>,
}

/// Which organizations of a grant are listed.
#[derive(Clone, Debug, Default)]
pub struct ListGrantedOrganizations {
    /// The number of the page, from 0 on.
    pub page: Option<u64>,
    /// Organizations on a page, 100 at most; 50 if nobody says otherwise.
    pub per_page: Option<u64>,
    /// Whether the answer says how many there are in all.
    pub include_totals: bool,
    /// Organizations behind a checkpoint, instead of a page; 100 at most.
    pub take: Option<u64>,
    /// The checkpoint: [`Page::next`] of the page before.
    pub from: Option<String>,
}

/// Grants in a request when all are walked through.
const TAKE: u64 = 100;

impl Listed for ClientGrant {
    const MEMBER: &'static str = "client_grants";
}

impl Listed for GrantedOrganization {
    const MEMBER: &'static str = "organizations";
}

impl ClientGrants {
    pub(crate) fn new(client: ManagementClient) -> Self {
        Self { client }
    }

    fn one(id: impl AsRef<str>) -> String {
        format!("client-grants/{}", segment(id.as_ref()))
    }

    /// Lets a client call an API.
    ///
    /// **Scopes**: `create:client_grants`.
    ///
    /// **Limits**: one grant for a client, an API and a `subject_type`.
    ///
    /// **Errors**: 404 when there is no such client or API, 409 ([`is_conflict`](crate::Error::is_conflict)) when there
    /// is such a grant, 400 for a scope that the API does not have.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::NewClientGrant;
    ///
    /// # let new = tenantry_sdk::NewClient { name: "n".into(), ..Default::default() };
    /// # let id = management.clients().create(&new).await?.client_id.unwrap();
    /// # let new = tenantry_sdk::NewResourceServer { identifier: "https://api.example".into(), ..Default::default() };
    /// # management.resource_servers().create(&new).await?;
    /// let new = NewClientGrant {
    ///     client_id: Some(id),
    ///     audience: "https://api.example".into(),
    ///     scope: Some(vec![]),
    ///     ..NewClientGrant::default()
    /// };
    /// let grant = management.client_grants().create(&new).await?;
    /// println!("{}", grant.id);
    /// # Ok(()) });
    /// ```
    pub fn create(&self, grant: &NewClientGrant) -> Call<ClientGrant> {
        Call::new(&self.client, Method::POST, "client-grants").body(grant)
    }

    /// Reads a grant.
    ///
    /// **Scopes**: `read:client_grants`.
    ///
    /// **Errors**: 404 when there is no such grant.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// # let id = management.client_grants().list(&Default::default()).await?.items[0].id.clone();
    /// let grant = management.client_grants().get(&id).await?;
    /// println!("{:?}", grant.grant.scope);
    /// # Ok(()) });
    /// ```
    pub fn get(&self, id: impl AsRef<str>) -> Call<ClientGrant> {
        Call::new(&self.client, Method::GET, Self::one(id))
    }

    /// Reads a page of grants, by its number or behind a checkpoint. [`Page::next_page`] leads on.
    ///
    /// **Scopes**: `read:client_grants`.
    ///
    /// **Notes**: with `take` or `from` there are no totals.
    ///
    /// **Limits**: 100 grants on a page; Auth0 ends page numbers at 1000 grants.
    ///
    /// **Errors**: 400 for parameters that do not go together.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::ListClientGrants;
    ///
    /// let list = ListClientGrants { audience: Some("https://api.example".into()), ..Default::default() };
    /// let page = management.client_grants().list(&list).await?;
    /// # assert!(page.items.is_empty());
    /// # Ok(()) });
    /// ```
    pub fn list(&self, grants: &ListClientGrants) -> Call<Page<ClientGrant>> {
        list(&self.client, "client-grants")
            .query_if("page", grants.page)
            .query_if("per_page", grants.per_page)
            .query_if("include_totals", grants.include_totals.then_some(true))
            .query_if("take", grants.take)
            .query_if("from", grants.from.as_ref())
            .query_if("audience", grants.audience.as_ref())
            .query_if("client_id", grants.client_id.as_ref())
            .query_if("subject_type", grants.subject_type.as_ref())
            .query_if("allow_any_organization", grants.allow_any_organization.then_some(true))
            .query_if("default_for", grants.default_for.as_ref())
    }

    /// Reads all grants that fit, by checkpoints; the paging members of `grants` are not looked at. Scopes and errors as
    /// [`list`](Self::list).
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// let all = management.client_grants().stream(&Default::default()).collect().await?;
    /// # assert_eq!(all.len(), 1);
    /// # Ok(()) });
    /// ```
    pub fn stream(&self, grants: &ListClientGrants) -> Items<ClientGrant> {
        let unpaged = ListClientGrants {
            page: None,
            per_page: None,
            include_totals: false,
            take: Some(TAKE),
            from: None,
            ..grants.clone()
        };
        self.list(&unpaged).stream()
    }

    /// Changes a grant. `scope` is replaced as a whole.
    ///
    /// **Scopes**: `update:client_grants`.
    ///
    /// **Errors**: 404; 400 for an empty patch or a scope that the API does not have.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::{ClientGrantPatch, Patch};
    ///
    /// # let id = management.client_grants().list(&Default::default()).await?.items[0].id.clone();
    /// let patch = ClientGrantPatch {
    ///     scope: Patch::Value(vec!["read:clients".into(), "update:client_grants".into()]),
    ///     ..ClientGrantPatch::default()
    /// };
    /// management.client_grants().update(&id, &patch).await?;
    /// # Ok(()) });
    /// ```
    pub fn update(&self, id: impl AsRef<str>, patch: &ClientGrantPatch) -> Call<ClientGrant> {
        Call::new(&self.client, Method::PATCH, Self::one(id)).body(patch)
    }

    /// Withdraws a grant; also fine when it is not there. Tokens that were issued stay good until they expire.
    ///
    /// **Scopes**: `delete:client_grants`.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// management.client_grants().delete("cgr_1234567890123456").await?;
    /// # Ok(()) });
    /// ```
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        Call::new(&self.client, Method::DELETE, Self::one(id))
    }

    /// Reads a page of the organizations that a grant is for. [`Page::next_page`] leads on, [`Call::stream`] reads them
    /// all.
    ///
    /// **Scopes**: `read:organization_client_grants`.
    ///
    /// **Errors**: 404 when there is no such grant.
    ///
    /// ```no_run
    /// # async fn example(management: tenantry_sdk::ManagementClient) -> Result<(), tenantry_sdk::Error> {
    /// let page = management.client_grants().organizations("cgr_…", &Default::default()).await?;
    /// for organization in page.items {
    ///     println!("{:?}", organization.name);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn organizations(
        &self,
        id: impl AsRef<str>,
        organizations: &ListGrantedOrganizations,
    ) -> Call<Page<GrantedOrganization>> {
        list(&self.client, Self::one(id) + "/organizations")
            .query_if("page", organizations.page)
            .query_if("per_page", organizations.per_page)
            .query_if("include_totals", organizations.include_totals.then_some(true))
            .query_if("take", organizations.take)
            .query_if("from", organizations.from.as_ref())
    }
}
