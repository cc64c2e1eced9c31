//! Applications.

use crate::call::Call;
use crate::client::{ManagementClient, segment};
use crate::connections::Connections;
use crate::credentials::Credentials;
use crate::page::{Items, Listed, Page, list};
use http::Method;
use serde::Serialize;
use tenantry_types::clients::model::{
    Client, ClientPatch, ClientSort, MetadataDocument, MetadataPreview, MetadataRegistration, NewClient,
    SearchParser,
};

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
    /// Clients on a page, 100 at most; 50 if nobody says otherwise.
    pub per_page: Option<u64>,
    /// Whether the answer says how many there are in all.
    pub include_totals: bool,
    /// Clients behind a checkpoint, instead of a page; 100 at most.
    pub take: Option<u64>,
    /// The checkpoint: [`Page::next`] of the page before.
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
    /// Only clients with certain grants: `client_grant.organization_id:…` or
    /// `client_grant.allow_any_organization:true`. Needs `take`, and goes with no other filter.
    pub q: Option<String>,
}

/// Which clients are searched for, and which part of them is wanted.
#[derive(Clone, Debug, Default)]
pub struct SearchClients {
    /// The filter: five conditions at most on `client_id`, `external_client_id`, `name`, `app_type`, `is_first_party`,
    /// `updated_at`, `metadata.…`, `client_grant.organization_id` and `client_grant.allow_any_organization`.
    pub q: Option<String>,
    /// The language of `q`; Lucene's if nobody says otherwise.
    pub parser: Option<SearchParser>,
    /// Only these fields, separated by commas; 50 at most.
    pub fields: Option<String>,
    /// `Some(false)`: all fields but those.
    pub include_fields: Option<bool>,
    /// Clients on a page, 100 at most; 50 if nobody says otherwise.
    pub take: Option<u64>,
    /// The checkpoint: [`Page::next`] of the page before.
    pub from: Option<String>,
    /// In which order; that of their creation if nobody says otherwise.
    pub sort: Option<ClientSort>,
}

#[derive(Serialize)]
struct Rotation {
    grace_period_seconds: u64,
}

/// Clients in a request when all are walked through.
const TAKE: u64 = 100;

impl Listed for Client {
    const MEMBER: &'static str = "clients";
}

impl Clients {
    pub(crate) fn new(client: ManagementClient) -> Self {
        Self { client }
    }

    fn one(id: impl AsRef<str>) -> String {
        format!("clients/{}", segment(id.as_ref()))
    }

    fn document(external_client_id: impl Into<String>) -> MetadataDocument {
        MetadataDocument { external_client_id: external_client_id.into() }
    }

    /// Creates a client. Its id and secret are in the answer.
    ///
    /// **Scopes**: `create:clients`; `create:client_credentials` too if it is made with credentials
    /// (`client_authentication_methods`).
    ///
    /// **Limits**: the name has no `<` and no `>`; 140 characters of description; ten entries of metadata, 255
    /// characters each; two credentials of a type.
    ///
    /// **Errors**: 400 for what breaks a rule, 403 without the scope, 409 when another client has the alias. Never
    /// repeated after an error that leaves open whether the client was made
    /// ([`Error::may_have_taken_effect`](crate::Error::may_have_taken_effect)): the API knows no idempotency keys.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::{AppType, NewClient};
    ///
    /// let new = NewClient {
    ///     name: "My app".into(),
    ///     app_type: Some(AppType::RegularWeb),
    ///     callbacks: Some(vec!["https://app.example/callback".into()]),
    ///     ..NewClient::default()
    /// };
    /// let client = management.clients().create(&new).await?;
    /// let secret = client.client_secret.expect("the answer to a create has it");
    /// println!("{:?}, {} characters of secret", client.client_id, secret.reveal().len());
    /// # Ok(()) });
    /// ```
    pub fn create(&self, client: &NewClient) -> Call<Client> {
        Call::new(&self.client, Method::POST, "clients").body(client)
    }

    /// Reads a client. [`Call::fields`] asks for a part of it.
    ///
    /// **Scopes**, one of them: `read:clients` for the settings, `read:client_keys` for these and the secret and keys,
    /// `read:client_credentials` for how it authenticates, `read:client_summary` for id, name, kind and little more.
    /// What the caller may not read is `None`.
    ///
    /// **Errors**: 404 ([`is_not_found`](crate::Error::is_not_found)) when there is no such client.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// match management.clients().get("no such client").await {
    ///     Ok(client) => println!("{:?}", client.name),
    ///     Err(error) if error.is_not_found() => println!("gone"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(()) });
    /// ```
    pub fn get(&self, id: impl AsRef<str>) -> Call<Client> {
        Call::new(&self.client, Method::GET, Self::one(id))
    }

    /// Reads a page of clients, by its number or behind a checkpoint. [`Page::next_page`] leads on.
    ///
    /// **Scopes** as [`get`](Self::get).
    ///
    /// **Notes**: with `take` or `from` the page is one behind a checkpoint, which lasts for a day, and there are no
    /// totals. The global client is in the list unless `is_global` is `Some(false)`.
    ///
    /// **Limits**: 100 clients on a page. Auth0 ends page numbers at 1000 objects for some collections; checkpoints have
    /// no end.
    ///
    /// **Errors**: 400 for parameters that do not go together.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::ListClients;
    ///
    /// let list = ListClients {
    ///     app_type: Some("spa,native".into()),
    ///     fields: Some("client_id,name".into()),
    ///     include_totals: true,
    ///     ..ListClients::default()
    /// };
    /// let page = management.clients().list(&list).await?;
    /// println!("{} of {:?}", page.items.len(), page.total);
    /// # Ok(()) });
    /// ```
    pub fn list(&self, clients: &ListClients) -> Call<Page<Client>> {
        list(&self.client, "clients")
            .query_if("page", clients.page)
            .query_if("per_page", clients.per_page)
            .query_if("include_totals", clients.include_totals.then_some(true))
            .query_if("take", clients.take)
            .query_if("from", clients.from.as_ref())
            .query_if("fields", clients.fields.as_ref())
            .query_if("include_fields", clients.include_fields)
            .query_if("is_global", clients.is_global)
            .query_if("is_first_party", clients.is_first_party)
            .query_if("app_type", clients.app_type.as_ref())
            .query_if("external_client_id", clients.external_client_id.as_ref())
            .query_if("q", clients.q.as_ref())
    }

    /// Reads all clients that fit, by checkpoints of 100 clients; paging is the stream's business. Where a walk begins
    /// and how, `clients` does not say: its paging members are not looked at. For options of the calls, see
    /// [`Call::stream`].
    ///
    /// **Scopes** and errors as [`list`](Self::list).
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::ListClients;
    ///
    /// let list = ListClients { is_global: Some(false), ..ListClients::default() };
    /// for client in management.clients().stream(&list).collect().await? {
    ///     println!("{:?}", client.name);
    /// }
    /// # Ok(()) });
    /// ```
    pub fn stream(&self, clients: &ListClients) -> Items<Client> {
        let unpaged = ListClients {
            page: None,
            per_page: None,
            include_totals: false,
            take: Some(TAKE),
            from: None,
            ..clients.clone()
        };
        self.list(&unpaged).stream()
    }

    /// Changes a client: what the patch does not name stays.
    ///
    /// **Scopes**: `update:clients`; `update:client_keys` for the secret, `update:client_credentials` for
    /// `client_authentication_methods`.
    ///
    /// **Notes**: most nested objects are replaced as a whole; `client_metadata` is merged, and an entry that is `null`
    /// goes. A client authenticates by a secret or by keys: to move from one to the other, set
    /// `token_endpoint_auth_method` and `client_authentication_methods` in one patch, one of them to
    /// [`Patch::Null`](crate::Patch::Null).
    ///
    /// **Errors**: 400 for a patch that is empty or breaks a rule, 403 without the scope for a member, 404.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::{ClientPatch, Patch};
    ///
    /// # let new = tenantry_sdk::NewClient { name: "n".into(), ..Default::default() };
    /// # let id = management.clients().create(&new).await?.client_id.unwrap();
    /// let patch = ClientPatch {
    ///     callbacks: Patch::Value(vec!["https://app.example/callback".into()]),
    ///     default_organization: Patch::Null,
    ///     ..ClientPatch::default()
    /// };
    /// let client = management.clients().update(&id, &patch).await?;
    /// # assert_eq!(client.callbacks.unwrap().len(), 1);
    /// # Ok(()) });
    /// ```
    pub fn update(&self, id: impl AsRef<str>, patch: &ClientPatch) -> Call<Client> {
        Call::new(&self.client, Method::PATCH, Self::one(id)).body(patch)
    }

    /// Deletes a client with everything that belongs to it: credentials, grants, connections. Also fine when it is not
    /// there.
    ///
    /// **Scopes**: `delete:clients`.
    ///
    /// **Errors**: 400 for the global client.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// management.clients().delete("no such client").await?;
    /// # Ok(()) });
    /// ```
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        Call::new(&self.client, Method::DELETE, Self::one(id))
    }

    /// Replaces a client's secret. The new one is in the answer; the old one stops working at once.
    ///
    /// **Scopes**: `update:client_keys`.
    ///
    /// **Notes**: never repeated when it may have taken effect. If no answer came, [`get`](Self::get) shows the secret
    /// that holds.
    ///
    /// **Errors**: 404; 400 for a client that authenticates by keys.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// # let new = tenantry_sdk::NewClient { name: "n".into(), ..Default::default() };
    /// # let id = management.clients().create(&new).await?.client_id.unwrap();
    /// let secret = management.clients().rotate_secret(&id).await?.client_secret;
    /// # assert!(secret.is_some());
    /// # Ok(()) });
    /// ```
    pub fn rotate_secret(&self, id: impl AsRef<str>) -> Call<Client> {
        Call::new(&self.client, Method::POST, Self::one(id) + "/rotate-secret")
    }

    /// The same, but the secrets before stay valid for a while, so that the client's servers can be moved to the new one
    /// in turn. Tenantry only; Auth0 refuses the body.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// # let new = tenantry_sdk::NewClient { name: "n".into(), ..Default::default() };
    /// # let id = management.clients().create(&new).await?.client_id.unwrap();
    /// let client = management.clients().rotate_secret_with_grace(&id, 24 * 60 * 60).await?;
    /// # assert!(client.client_secret.is_some());
    /// # Ok(()) });
    /// ```
    pub fn rotate_secret_with_grace(&self, id: impl AsRef<str>, grace_period_seconds: u64) -> Call<Client> {
        Call::new(&self.client, Method::POST, Self::one(id) + "/rotate-secret")
            .body(&Rotation { grace_period_seconds })
    }

    /// Searches clients by a filter. [`Page::next_page`] leads on, [`Call::stream`] reads them all.
    ///
    /// **Scopes**, one of them: `read:clients`, `read:client_summary`.
    ///
    /// **Notes**: what was changed a moment ago may not be found yet. The answer never has `client_secret`,
    /// `encryption_key`, `signing_keys`, `owners` and `addons`; it has `created_at` and `updated_at`.
    ///
    /// **Limits**: five conditions; 100 clients on a page; 50 names of fields; 64 characters of a metadata value are
    /// searched.
    ///
    /// **Errors**: 400 for a filter that cannot be read.
    ///
    /// ```no_run
    /// # async fn example(management: tenantry_sdk::ManagementClient) -> Result<(), tenantry_sdk::Error> {
    /// use tenantry_sdk::{ClientSort, SearchClients, SearchParser};
    ///
    /// let search = SearchClients {
    ///     q: Some(r#"name sw "shop" and app_type eq "spa""#.into()),
    ///     parser: Some(SearchParser::Scim),
    ///     sort: Some(ClientSort::Name),
    ///     ..SearchClients::default()
    /// };
    /// let mut found = management.clients().search(&search).stream();
    /// while let Some(client) = found.next().await {
    ///     println!("{:?}", client?.name);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn search(&self, search: &SearchClients) -> Call<Page<Client>> {
        list(&self.client, "clients/search")
            .query_if("q", search.q.as_ref())
            .query_if("parser", search.parser.as_ref())
            .query_if("fields", search.fields.as_ref())
            .query_if("include_fields", search.include_fields)
            .query_if("take", Some(search.take.unwrap_or(DEFAULT_TAKE)))
            .query_if("from", search.from.as_ref())
            .query_if("sort", search.sort.as_ref())
    }

    /// Fetches a client's metadata document (CIMD), and tells what [`cimd_register`](Self::cimd_register) would make of
    /// it. Nothing is stored.
    ///
    /// **Scopes**: `read:clients`.
    ///
    /// **Notes**: a document that cannot be fetched is no error of this call: the answer has `errors` then.
    ///
    /// **Limits**: an `https` URL of 120 characters.
    ///
    /// **Errors**: 400 for what is no such URL.
    ///
    /// ```no_run
    /// # async fn example(management: tenantry_sdk::ManagementClient) -> Result<(), tenantry_sdk::Error> {
    /// let preview = management.clients().cimd_preview("https://agent.example/client.json").await?;
    /// match preview.validation {
    ///     Some(validation) if validation.valid => println!("{:?}", preview.mapped_fields),
    ///     Some(validation) => println!("{:?}", validation.violations),
    ///     None => println!("{:?}", preview.errors),
    /// }
    /// # Ok(()) }
    /// ```
    pub fn cimd_preview(&self, external_client_id: impl Into<String>) -> Call<MetadataPreview> {
        Call::new(&self.client, Method::POST, "clients/cimd/preview")
            .body(&Self::document(external_client_id))
            .repeatable()
    }

    /// Makes a client of a metadata document (CIMD), or changes the one that was made of it before.
    ///
    /// **Scopes**: `create:clients` for a new one, `update:clients` for one that exists.
    ///
    /// **Notes**: the status tells which it was, 201 or 200: [`Call::with_response`]. Doing it again does no harm, but
    /// it is not repeated by itself when it may have taken effect.
    ///
    /// **Limits** as [`cimd_preview`](Self::cimd_preview).
    ///
    /// **Errors**: 400 for a document that cannot be fetched or used.
    ///
    /// ```no_run
    /// # async fn example(management: tenantry_sdk::ManagementClient) -> Result<(), tenantry_sdk::Error> {
    /// let call = management.clients().cimd_register("https://agent.example/client.json");
    /// let answer = call.with_response().await?;
    /// println!("{} {}", answer.value.client_id, if answer.status == 201 { "is new" } else { "was there" });
    /// # Ok(()) }
    /// ```
    pub fn cimd_register(&self, external_client_id: impl Into<String>) -> Call<MetadataRegistration> {
        Call::new(&self.client, Method::POST, "clients/cimd/register")
            .body(&Self::document(external_client_id))
    }

    /// Credentials of a client: keys and certificates that it proves itself by.
    #[must_use]
    pub fn credentials(&self, client_id: impl AsRef<str>) -> Credentials {
        Credentials::new(self.client.clone(), client_id.as_ref())
    }

    /// Connections that a client's users may log in with.
    #[must_use]
    pub fn connections(&self, client_id: impl AsRef<str>) -> Connections {
        Connections::new(self.client.clone(), client_id.as_ref())
    }
}

/// Clients on a page of a search when nobody says otherwise.
const DEFAULT_TAKE: u64 = 50;
