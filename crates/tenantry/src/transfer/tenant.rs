//! What a tenant has, as far as documents speak of it.

use super::credential::{self, Credentials};
use super::document::Document;
use super::form::{self, Names};
use super::progress::Progress;
use crate::Failure;
use crate::manage::connection::Opened;
use crate::manage::{explain, to_json};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use tenantry_sdk::{ListClientGrants, ListClients, ListResourceServers, ManagementClient};
use tenantry_types::Object;

/// Requests at a time.
pub(super) const AT_ONCE: usize = 8;

/// A tenant.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) sdk: ManagementClient,
    /// The domain, as the Management API's identifier has it.
    pub(crate) domain: Option<String>,
    pub(crate) names: Names,
    pub(crate) apis: Vec<Known>,
    pub(crate) clients: Vec<KnownClient>,
    pub(crate) grants: Vec<Known>,
    /// Whether credentials could not be read, and so are not known.
    pub(crate) is_blind_to_credentials: bool,
}

/// An object of the tenant.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) id: String,
    /// As a document has it.
    pub(crate) form: Object,
    /// A secret of it, to compare with; in no document.
    pub(crate) secret: Option<tenantry_sdk::Secret>,
    /// Whether it is one of the platform's own, or the caller's.
    pub(crate) is_fixed: bool,
}

/// A client of the tenant.
#[derive(Clone, Debug)]
pub(crate) struct KnownClient {
    pub(crate) client: Known,
    /// Its credentials with their ids.
    pub(crate) credentials: Vec<Object>,
}

impl KnownClient {
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        credential::by_key(self.credentials.iter().cloned())
    }
}

fn object(answer: &impl serde::Serialize) -> Result<Object, Failure> {
    match to_json(answer)? {
        Value::Object(object) => Ok(object),
        _ => Err("the tenant answered with something that is no object".into()),
    }
}

/// The text of a member; empty if there is none.
pub(super) fn text(object: &Object, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The path of the Management API.
const MANAGEMENT: &str = "/api/v2/";

impl Tenant {
    /// Reads everything.
    pub(crate) async fn read(opened: Opened) -> Result<Self, Failure> {
        let Opened { sdk, client_id: caller } = opened;
        let progress = Progress::new("reading the tenant", 0);
        let apis: Vec<_> = sdk
            .resource_servers()
            .stream(&ListResourceServers::default())
            .inspect_ok(|_| progress.step())
            .map_err(explain)
            .and_then(async |api| object(&api))
            .try_collect()
            .await?;
        let domain = apis.iter().filter(|api| form::is_system(api)).find_map(|api| {
            let identifier = text(api, "identifier");
            Some(identifier.strip_prefix("https://")?.strip_suffix(MANAGEMENT)?.to_owned())
        });
        let list = ListClients { is_global: Some(false), ..ListClients::default() };
        let clients: Vec<_> = sdk
            .clients()
            .stream(&list)
            .inspect_ok(|_| progress.step())
            .map_err(explain)
            .and_then(async |client| object(&client))
            .try_filter(|client| std::future::ready(client.get("global") != Some(&Value::Bool(true))))
            .try_collect()
            .await?;
        let grants: Vec<_> = sdk
            .client_grants()
            .stream(&ListClientGrants::default())
            .inspect_ok(|_| progress.step())
            .map_err(explain)
            .and_then(async |grant| object(&grant))
            .try_collect()
            .await?;
        drop(progress);

        let names =
            Names::new(clients.iter().map(|client| (text(client, "client_id"), text(client, "name"))));
        let reader = CredentialReader::new(&sdk);
        let progress = Progress::new("reading credentials", clients.len());
        let credentials: Vec<Vec<Object>> = stream::iter(&clients)
            .map(async |client| {
                let found = reader.read(&text(client, "client_id")).await;
                progress.step();
                found
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        drop(progress);
        let is_blind_to_credentials = reader.is_refused.into_inner();

        let is_caller = |id: &str| caller.as_deref() == Some(id);
        let clients = clients.into_iter().zip(credentials).map(|(client, credentials)| {
            let id = text(&client, "client_id");
            let secret = client.get("client_secret").and_then(Value::as_str).map(Into::into);
            let form = form::client(&client, &credentials, &names);
            let is_fixed = is_caller(&id);
            KnownClient { client: Known { id, form, secret, is_fixed }, credentials }
        });
        let clients = clients.collect();
        let apis = apis.iter().map(|api| Known {
            id: text(api, "id"),
            form: form::api(api),
            secret: api.get("signing_secret").and_then(Value::as_str).map(Into::into),
            is_fixed: form::is_system(api),
        });
        let apis = apis.collect();
        let grants = grants.iter().map(|grant| Known {
            id: text(grant, "id"),
            form: form::grant(grant, &names),
            secret: None,
            is_fixed: is_caller(&text(grant, "client_id"))
                || grant.get("is_system") == Some(&Value::Bool(true)),
        });
        let grants = grants.collect();
        Ok(Self { sdk, domain, names, apis, clients, grants, is_blind_to_credentials })
    }

    /// The identifier of the Management API.
    pub(crate) fn management(&self) -> String {
        format!("https://{}{MANAGEMENT}", self.domain.as_deref().unwrap_or_default())
    }

    /// Everything that can be taken to another tenant, in an order that does not depend on this one.
    pub(crate) fn document(&self) -> Document {
        let sorted = |known: Vec<&Known>, by: &[&str]| {
            let general = |known: &Known| match (&self.domain, known.form.clone()) {
                (Some(domain), form) => form
                    .into_iter()
                    .map(|(name, value)| (name, form::without_domain(value, domain)))
                    .collect(),
                (None, form) => form,
            };
            let mut forms: Vec<_> = known.into_iter().map(general).collect();
            forms.sort_by_cached_key(|form| by.iter().map(|name| text(form, name)).collect::<Vec<_>>());
            Some(forms)
        };
        let management = self.management();
        let apis = self.apis.iter().filter(|api| text(&api.form, "identifier") != management).collect();
        let clients =
            self.clients.iter().map(|client| &client.client).filter(|client| !client.is_fixed).collect();
        let grants = self.grants.iter().filter(|grant| !grant.is_fixed).collect();
        Document {
            apis: sorted(apis, &["identifier"]),
            clients: sorted(clients, &["name", "client_id"]),
            grants: sorted(grants, &["client_id", "default_for", "audience", "subject_type"]),
            others: Vec::new(),
        }
    }

    /// How many credentials the document could not make elsewhere, because the tenant does not show them.
    pub(crate) fn credentials_without_material(&self) -> usize {
        let lacks =
            |one: &&Object| text(one, "credential_type") != "cert_subject_dn" && !one.contains_key("pem");
        let exported = self.clients.iter().filter(|client| !client.client.is_fixed);
        exported.flat_map(|client| &client.credentials).filter(lacks).count()
    }
}

/// Reads credentials, and stops asking for what is refused.
struct CredentialReader<'a> {
    sdk: &'a ManagementClient,
    /// Whether the caller may not read credentials.
    is_refused: AtomicBool,
    /// Whether the tenant does not show what was uploaded.
    is_without_pem: AtomicBool,
}

impl<'a> CredentialReader<'a> {
    fn new(sdk: &'a ManagementClient) -> Self {
        Self { sdk, is_refused: AtomicBool::new(false), is_without_pem: AtomicBool::new(false) }
    }

    async fn read(&self, client_id: &str) -> Result<Vec<Object>, Failure> {
        if self.is_refused.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let credentials = self.sdk.credentials(client_id);
        let list = match credentials.list().await {
            Err(error) if error.is_forbidden() => {
                self.is_refused.store(true, Ordering::Relaxed);
                return Ok(Vec::new());
            }
            list => list.map_err(explain)?,
        };
        let mut found = Vec::with_capacity(list.len());
        for credential in list {
            let mut form = object(&credential)?;
            if credential.credential_type != "cert_subject_dn" && !self.is_without_pem.load(Ordering::Relaxed)
            {
                match credentials.pem(&credential.id).await {
                    Ok(answer) => {
                        if let Some(pem) = answer.pem {
                            form.insert("pem".into(), pem.into());
                        }
                    }
                    // Auth0 has no such path.
                    Err(error) if error.is_not_found() => self.is_without_pem.store(true, Ordering::Relaxed),
                    Err(error) => return Err(explain(error)),
                }
            }
            found.push(form);
        }
        Ok(found)
    }
}
