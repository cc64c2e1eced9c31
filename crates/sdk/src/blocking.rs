//! The same for programs without an async runtime: every method of the async API, with [`Call::send`] in place of
//! `.await`.
//!
//! A [`ManagementClient`] has a thread of its own, on which its calls run. They wait for it, so an async program should
//! use the async API instead; here it would hold up its own threads. A call cannot be cancelled once it was sent off,
//! but [timeouts](Call::timeout) hold.
//!
//! ```
//! # tenantry_testkit::example_blocking(|management| {
//! use tenantry_sdk::NewClient;
//!
//! let new = NewClient { name: "My app".into(), ..NewClient::default() };
//! let client = management.clients().create(&new).send()?;
//! for client in management.clients().stream(&Default::default()) {
//!     println!("{:?}", client?.name);
//! }
//! # assert!(client.client_id.is_some());
//! # Ok(()) });
//! ```

use crate::{
    Client, ClientConnection, ClientGrant, ClientGrantPatch, ClientPatch, Credential, CredentialPatch, Error,
    GrantedOrganization, ListClientGrants, ListClients, ListConnections, ListGrantedOrganizations,
    ListResourceServers, MetadataPreview, MetadataRegistration, NamedSigningKey, NewClient, NewClientGrant,
    NewCredential, NewResourceServer, Page, ResourceServer, ResourceServerPatch, Response, SearchClients,
    TenantSigningKey,
};
use http::header::{HeaderName, HeaderValue};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// The thread that calls run on.
#[derive(Clone)]
struct Worker(Arc<Shared>);

/// `None` only while it is dropped.
struct Shared(Option<Runtime>);

impl Drop for Shared {
    fn drop(&mut self) {
        // An ordinary drop waits, which a thread of an async runtime may not.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Worker {
    fn start() -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("tenantry-sdk")
            .enable_all()
            .build()
            .map_err(|error| Error::Build(format!("cannot start a thread: {error}")))?;
        Ok(Self(Arc::new(Shared(Some(runtime)))))
    }

    fn wait<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let (sender, receiver) = mpsc::sync_channel(1);
        let runtime = self.0.0.as_ref().expect("the runtime is there until it is dropped");
        drop(runtime.spawn(async move {
            let _ = sender.send(work.await);
        }));
        receiver.recv().expect("a call does not panic")
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worker")
    }
}

/// An operation that is done when it is [sent](Self::send); as [`crate::Call`].
#[must_use = "a call does nothing until it is sent"]
#[derive(Debug)]
pub struct Call<T> {
    call: crate::Call<T>,
    worker: Worker,
}

impl<T> Call<T> {
    fn with(self, change: impl FnOnce(crate::Call<T>) -> crate::Call<T>) -> Self {
        Self { call: change(self.call), worker: self.worker }
    }

    /// As [`crate::Call::timeout`].
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|call| call.timeout(timeout))
    }

    /// As [`crate::Call::attempt_timeout`].
    pub fn attempt_timeout(self, timeout: Duration) -> Self {
        self.with(|call| call.attempt_timeout(timeout))
    }

    /// As [`crate::Call::max_retries`].
    pub fn max_retries(self, retries: u32) -> Self {
        self.with(|call| call.max_retries(retries))
    }

    /// As [`crate::Call::header`].
    pub fn header(self, name: HeaderName, value: HeaderValue) -> Self {
        self.with(|call| call.header(name, value))
    }

    /// As [`crate::Call::query`].
    pub fn query(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(|call| call.query(name, value))
    }

    /// As [`crate::Call::fields`].
    pub fn fields(self, names: &[&str]) -> Self {
        self.with(|call| call.fields(names))
    }

    /// As [`crate::Call::without_fields`].
    pub fn without_fields(self, names: &[&str]) -> Self {
        self.with(|call| call.without_fields(names))
    }
}

impl<T: Send + 'static> Call<T> {
    /// Does it.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn send(self) -> Result<T, Error> {
        self.with_response().map(|response| response.value)
    }

    /// Does it; as [`crate::Call::with_response`].
    ///
    /// # Errors
    /// See [`Error`].
    pub fn with_response(self) -> Result<Response<T>, Error> {
        self.worker.wait(self.call.with_response())
    }
}

impl<T: Send + 'static> Call<Page<T>> {
    /// Every object of the list from this page on; as the async [`stream`](crate::Call::stream).
    pub fn stream(self) -> Items<T> {
        Items { items: Some(self.call.stream()), worker: self.worker }
    }

    /// The call for the page after `page`; `None` after the last. In place of [`Page::next_page`], which is async.
    #[must_use]
    pub fn after(&self, page: &Page<T>) -> Option<Self> {
        page.next_page().map(|call| Self { call, worker: self.worker.clone() })
    }
}

impl<T> Clone for Call<T> {
    fn clone(&self) -> Self {
        Self { call: self.call.clone(), worker: self.worker.clone() }
    }
}

/// Every object of a list, page after page; after an error it ends.
#[must_use = "an iterator does nothing until it is read"]
#[derive(Debug)]
pub struct Items<T> {
    items: Option<crate::Items<T>>,
    worker: Worker,
}

impl<T: Send + 'static> Iterator for Items<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut items = self.items.take()?;
        let (item, items) = self.worker.wait(async move { (items.next().await, items) });
        // After its end it is not asked again.
        self.items = item.is_some().then_some(items);
        item
    }
}

/// A client of the Management API of one tenant; as [`crate::ManagementClient`].
#[derive(Clone, Debug)]
pub struct ManagementClient {
    client: crate::ManagementClient,
    worker: Worker,
}

impl crate::Builder {
    /// The client, for programs without an async runtime.
    ///
    /// # Errors
    /// As [`build`](Self::build); also when no thread can be had.
    pub fn build_blocking(self) -> Result<ManagementClient, Error> {
        ManagementClient::new(self.build()?)
    }
}

impl ManagementClient {
    /// A client that does what `client` does.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn new(client: crate::ManagementClient) -> Result<Self, Error> {
        Ok(Self { client, worker: Worker::start()? })
    }

    /// Applications.
    #[must_use]
    pub fn clients(&self) -> Clients {
        Clients { inner: self.client.clients(), worker: self.worker.clone() }
    }

    /// Credentials of a client; short for [`Clients::credentials`].
    #[must_use]
    pub fn credentials(&self, client_id: impl AsRef<str>) -> Credentials {
        self.clients().credentials(client_id)
    }

    /// Which client may call which API.
    #[must_use]
    pub fn client_grants(&self) -> ClientGrants {
        ClientGrants { inner: self.client.client_grants(), worker: self.worker.clone() }
    }

    /// APIs.
    #[must_use]
    pub fn resource_servers(&self) -> ResourceServers {
        ResourceServers { inner: self.client.resource_servers(), worker: self.worker.clone() }
    }

    /// The keys that sign the tenant's tokens.
    #[must_use]
    pub fn signing_keys(&self) -> SigningKeys {
        SigningKeys { inner: self.client.signing_keys(), worker: self.worker.clone() }
    }
}

/// Methods that do what those of the async API do.
macro_rules! facade {
    (
        $(#[$doc:meta])* $name:ident {
            $(fn $call:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
            $(stream($list:ty) -> $item:ty;)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            inner: crate::$name,
            worker: Worker,
        }

        impl $name {
            $(
                #[doc = concat!("As [`crate::", stringify!($name), "::", stringify!($call), "`].")]
                pub fn $call(&self, $($argument: $type),*) -> Call<$answer> {
                    Call { call: self.inner.$call($($argument),*), worker: self.worker.clone() }
                }
            )*
            $(
                #[doc = concat!("As [`crate::", stringify!($name), "::stream`].")]
                pub fn stream(&self, list: &$list) -> Items<$item> {
                    Items { items: Some(self.inner.stream(list)), worker: self.worker.clone() }
                }
            )?
        }
    };
}

facade! {
    /// The Clients API; as [`crate::Clients`].
    Clients {
        fn create(client: &NewClient) -> Client;
        fn get(id: impl AsRef<str>) -> Client;
        fn list(clients: &ListClients) -> Page<Client>;
        fn update(id: impl AsRef<str>, patch: &ClientPatch) -> Client;
        fn delete(id: impl AsRef<str>) -> ();
        fn rotate_secret(id: impl AsRef<str>) -> Client;
        fn rotate_secret_with_grace(id: impl AsRef<str>, grace_period_seconds: u64) -> Client;
        fn search(search: &SearchClients) -> Page<Client>;
        fn cimd_preview(external_client_id: impl Into<String>) -> MetadataPreview;
        fn cimd_register(external_client_id: impl Into<String>) -> MetadataRegistration;
        stream(ListClients) -> Client;
    }
}

impl Clients {
    /// Credentials of a client.
    #[must_use]
    pub fn credentials(&self, client_id: impl AsRef<str>) -> Credentials {
        Credentials { inner: self.inner.credentials(client_id), worker: self.worker.clone() }
    }

    /// Connections that a client's users may log in with.
    #[must_use]
    pub fn connections(&self, client_id: impl AsRef<str>) -> Connections {
        Connections { inner: self.inner.connections(client_id), worker: self.worker.clone() }
    }
}

facade! {
    /// The credentials of one client; as [`crate::Credentials`].
    Credentials {
        fn create(credential: &NewCredential) -> Credential;
        fn get(id: impl AsRef<str>) -> Credential;
        fn list() -> Vec<Credential>;
        fn update(id: impl AsRef<str>, patch: &CredentialPatch) -> Credential;
        fn delete(id: impl AsRef<str>) -> ();
    }
}

facade! {
    /// The connections of one client; as [`crate::Connections`].
    Connections {
        fn list(connections: &ListConnections) -> Page<ClientConnection>;
        stream(ListConnections) -> ClientConnection;
    }
}

facade! {
    /// The Client Grants API; as [`crate::ClientGrants`].
    ClientGrants {
        fn create(grant: &NewClientGrant) -> ClientGrant;
        fn get(id: impl AsRef<str>) -> ClientGrant;
        fn list(grants: &ListClientGrants) -> Page<ClientGrant>;
        fn update(id: impl AsRef<str>, patch: &ClientGrantPatch) -> ClientGrant;
        fn delete(id: impl AsRef<str>) -> ();
        fn organizations(
            id: impl AsRef<str>,
            organizations: &ListGrantedOrganizations
        ) -> Page<GrantedOrganization>;
        stream(ListClientGrants) -> ClientGrant;
    }
}

facade! {
    /// The Resource Servers API; as [`crate::ResourceServers`].
    ResourceServers {
        fn create(api: &NewResourceServer) -> ResourceServer;
        fn get(id: impl AsRef<str>) -> ResourceServer;
        fn list(apis: &ListResourceServers) -> Page<ResourceServer>;
        fn update(id: impl AsRef<str>, patch: &ResourceServerPatch) -> ResourceServer;
        fn delete(id: impl AsRef<str>) -> ();
        stream(ListResourceServers) -> ResourceServer;
    }
}

facade! {
    /// The API of signing keys; as [`crate::SigningKeys`].
    SigningKeys {
        fn list() -> Vec<TenantSigningKey>;
        fn get(kid: impl AsRef<str>) -> TenantSigningKey;
        fn rotate() -> NamedSigningKey;
        fn revoke(kid: impl AsRef<str>) -> NamedSigningKey;
    }
}
