//! Applications: the Clients API, how clients are stored and cached, and how they prove who they are.
//!
//! What a client may look like is `tenantry_types::clients`' business; which tokens it gets is [`crate::tokens`]'.

mod assertion;
pub(crate) mod auth;
pub(crate) mod certificate;
mod list;
pub(crate) mod references;
mod render;
mod routes;
pub(crate) mod search;
mod secrets;
pub(crate) mod store;

pub(crate) use routes::routes;
pub(crate) use store::NewClient;

use crate::app::App;
use crate::cache::Cache;
use crate::credentials::Credential;
use crate::db::{DbResult, Kind};
use crate::ids;
use list::Positions;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use tenantry_types::clients::{ClientDocument, StoredClient, ThirdPartySecurityMode};
use tenantry_types::token_quota::TokenQuota;
use zeroize::Zeroizing;

/// How a client authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthMethod {
    /// Not said: the secret, in either place.
    Unset,
    /// A public client: not at all.
    None,
    ClientSecretPost,
    ClientSecretBasic,
    /// An assertion signed by one of its keys.
    PrivateKeyJwt,
    /// A certificate of its name by a trusted authority.
    Tls,
    /// A certificate of its own.
    SelfSignedTls,
}

/// One of a client's secrets, opened.
pub(crate) struct Secret {
    pub(crate) id: String,
    pub(crate) value: Zeroizing<String>,
    pub(crate) expires_at: Option<i64>,
    /// When it was used, as far as that is stored; to the minute.
    pub(crate) last_used_at: AtomicI64,
}

#[expect(clippy::struct_field_names, reason = "`client_id` is what everyone calls it")]
/// A client, decoded: what the token endpoint asks of it.
pub(crate) struct Client {
    pub(crate) client_id: String,
    pub(crate) name: String,
    pub(crate) secrets: Vec<Secret>,
    /// Those that the client authenticates with.
    pub(crate) credentials: Vec<Credential>,
    pub(crate) auth_method: AuthMethod,
    pub(crate) grant_types: Vec<String>,
    pub(crate) is_first_party: bool,
    pub(crate) require_proof_of_possession: bool,
    /// Where its keys are, if a metadata document says so.
    pub(crate) jwks_uri: Option<String>,
    pub(crate) token_quota: Option<TokenQuota>,
    /// The organization of machine-to-machine tokens whose request names none.
    pub(crate) default_organization: Option<String>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Client {
    fn decode(document: &ClientDocument, secrets: Vec<Secret>, credentials: Vec<Credential>) -> Self {
        let methods = document.get("client_authentication_methods");
        let has = |method: &str| methods.is_some_and(|methods| methods.get(method).is_some());
        let auth_method = match document.text("token_endpoint_auth_method") {
            _ if has("private_key_jwt") => AuthMethod::PrivateKeyJwt,
            _ if has("tls_client_auth") => AuthMethod::Tls,
            _ if has("self_signed_tls_client_auth") => AuthMethod::SelfSignedTls,
            Some("none") => AuthMethod::None,
            Some("client_secret_post") => AuthMethod::ClientSecretPost,
            Some("client_secret_basic") => AuthMethod::ClientSecretBasic,
            _ => AuthMethod::Unset,
        };
        Self {
            client_id: document.client_id().to_owned(),
            name: document.text("name").unwrap_or_default().to_owned(),
            secrets,
            credentials,
            auth_method,
            grant_types: document.texts("grant_types").map(str::to_owned).collect(),
            is_first_party: document.is_first_party(),
            require_proof_of_possession: document.flag("require_proof_of_possession"),
            jwks_uri: document.text("jwks_uri").map(str::to_owned),
            token_quota: document.get("token_quota").and_then(TokenQuota::of),
            default_organization: document.default_organization().map(str::to_owned),
        }
    }

    /// Bytes beside its own.
    fn weight(&self) -> usize {
        let texts = self.client_id.len() + self.name.len() + self.jwks_uri.as_ref().map_or(0, String::len);
        let grant_types: usize = self.grant_types.iter().map(|name| size_of::<String>() + name.len()).sum();
        texts + grant_types + self.secrets.len() * SECRET + self.credentials.len() * CREDENTIAL
    }
}

/// A client as answers show it.
pub(crate) struct Shown {
    pub(crate) stored: StoredClient,
    /// `None` when answers show none.
    pub(crate) secret: Option<Zeroizing<String>>,
}

impl Shown {
    /// Its secret.
    pub(crate) fn secret(&self) -> Option<&str> {
        self.secret.as_ref().map(|secret| secret.as_str())
    }

    fn weight(&self) -> usize {
        self.stored.json.capacity() + self.secret().map_or(0, str::len)
    }
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").field("stored", &self.stored).finish_non_exhaustive()
    }
}

/// Bytes of a secret and of a public key in memory, roughly.
const SECRET: usize = 256;
const CREDENTIAL: usize = 1_024;
/// Memory for clients that authenticate, of which one takes about 0.8 kB, and for clients that are read, about 1.2 kB.
const CACHED: usize = 8 << 20;
const SHOWN: usize = 24 << 20;

/// The clients of a tenant.
pub(crate) struct Clients {
    cache: Cache<Client>,
    shown: Cache<Shown>,
    positions: Positions,
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            cache: Cache::new(Kind::Client, CACHED, Client::weight),
            shown: Cache::new(Kind::Client, SHOWN, Shown::weight),
            positions: Positions::default(),
        }
    }
}

/// The id of a new client of that mode.
pub(crate) fn new_client_id(app: &App, mode: ThirdPartySecurityMode) -> String {
    match mode {
        ThirdPartySecurityMode::Strict => ids::third_party_client_id(&app.random),
        ThirdPartySecurityMode::Permissive => ids::client_id(&app.random),
    }
}

impl Clients {
    /// The client that a protocol request names: by its id, or by the URL of its metadata document.
    pub(crate) async fn named(&self, app: &App, name: &str) -> DbResult<Option<Arc<Client>>> {
        if !name.starts_with("https://") {
            return self.find(app, name).await;
        }
        match store::id_of_external(&app.db, &app.tenant, name).await? {
            Some(client_id) => self.find(app, &client_id).await,
            None => Ok(None),
        }
    }

    /// The client of that id, as answers show it.
    pub(crate) async fn shown(&self, app: &App, client_id: &str) -> DbResult<Option<Arc<Shown>>> {
        let load = async || store::find_shown(&app.db, &app.master, &app.tenant, client_id).await;
        self.shown.get(&app.db, &app.tenant, client_id, load).await
    }

    /// The client of that id.
    pub(crate) async fn find(&self, app: &App, client_id: &str) -> DbResult<Option<Arc<Client>>> {
        self.cache.get(&app.db, &app.tenant, client_id, async || store::find(app, client_id).await).await
    }
}
