//! Does what is planned.

use super::clients::ClientChange;
use super::credential::{self, Key};
use super::form::{self, Names};
use super::plan::{Action, Change, Kind, Plan, Step};
use super::progress::Progress;
use super::tenant::{AT_ONCE, Tenant, text};
use crate::Failure;
use crate::manage::explain;
use futures_util::{StreamExt as _, stream};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use tenantry_sdk::{ClientPatch, CredentialPatch, ManagementClient, Patch};
use tenantry_types::Object;
use tenantry_types::credentials::visit_lists;

/// A body as the type that the call takes.
fn typed<T: DeserializeOwned>(body: Object) -> Result<T, Failure> {
    Ok(serde_json::from_value(Value::Object(body))
        .map_err(|error| format!("the members do not fit: {error}"))?)
}

/// Carries out a plan.
struct Run<'a> {
    sdk: &'a ManagementClient,
    /// The tenant's clients, and those that were made meanwhile.
    names: RefCell<Names>,
    /// Clients to be allowed to delegate, by the client that allows it.
    links: RefCell<Vec<(String, Value)>>,
    progress: Progress,
    /// Whether something failed, so that nothing more is begun.
    has_failed: Cell<bool>,
}

/// Changes of one sort can be made at the same time; each sort needs those before it.
fn phase(change: &Change) -> usize {
    match (change.action(), change.kind) {
        (Action::Delete, Kind::Grant) => 3,
        (Action::Delete, Kind::Client) => 4,
        (Action::Delete, Kind::Api) => 5,
        (_, Kind::Api) => 0,
        (_, Kind::Client) => 1,
        (_, Kind::Grant) => 2,
    }
}

/// Does everything, or stops at the first failure; what was done then stays, and the same run can be repeated.
pub(crate) async fn run(plan: &Plan, tenant: &Tenant) -> Result<(), Failure> {
    let run = Run {
        sdk: &tenant.sdk,
        names: RefCell::new(tenant.names.clone()),
        links: RefCell::default(),
        progress: Progress::new("applying", plan.changes.len()),
        has_failed: Cell::new(false),
    };
    for wanted in 0..=5 {
        let changes = plan.changes.iter().filter(|change| phase(change) == wanted);
        run.all(changes, |change| run.one(change)).await?;
        if wanted == 1 {
            let links = run.links.take();
            run.all(&links, |(id, allowed)| run.link(id, allowed)).await?;
        }
    }
    Ok(())
}

impl Run<'_> {
    /// Several at once. After a failure nothing is begun, and what was begun is finished.
    async fn all<T, F: Future<Output = Result<(), Failure>>>(
        &self,
        items: impl IntoIterator<Item = T>,
        work: impl Fn(T) -> F,
    ) -> Result<(), Failure> {
        let work = |item: T| {
            let work = work(item);
            async {
                if self.has_failed.get() {
                    return Ok(());
                }
                let done = work.await;
                self.has_failed.set(self.has_failed.get() || done.is_err());
                done
            }
        };
        let done: Vec<_> = stream::iter(items).map(work).buffer_unordered(AT_ONCE).collect().await;
        done.into_iter().collect()
    }

    async fn one(&self, change: &Change) -> Result<(), Failure> {
        let done = match (change.kind, &change.step) {
            (Kind::Client, Step::Client(client)) => self.client(client).await,
            (Kind::Client, Step::Delete(id)) => self.sdk.clients().delete(id).await.map_err(explain),
            (Kind::Api, step) => self.api(step).await,
            (Kind::Grant, step) => self.grant(step).await,
            (Kind::Client, Step::Create(_) | Step::Update(..)) => Ok(()),
        };
        self.progress.step();
        done.map_err(|error| format!("{} {}: {error}", change.kind.as_str(), change.name).into())
    }

    async fn api(&self, step: &Step) -> Result<(), Failure> {
        let apis = self.sdk.resource_servers();
        match step {
            Step::Create(body) => apis.create(&typed(body.clone())?).await.map(|_| ()),
            Step::Update(id, body) => apis.update(id, &typed(body.clone())?).await.map(|_| ()),
            Step::Delete(id) => apis.delete(id).await,
            Step::Client(_) => Ok(()),
        }
        .map_err(explain)
    }

    async fn grant(&self, step: &Step) -> Result<(), Failure> {
        let grants = self.sdk.client_grants();
        match step {
            Step::Create(body) => {
                let mut body = body.clone();
                if let Some(Value::String(client)) = body.get_mut("client_id") {
                    *client = self.id_of(client)?;
                }
                grants.create(&typed(body)?).await.map(|_| ())
            }
            Step::Update(id, body) => grants.update(id, &typed(body.clone())?).await.map(|_| ()),
            Step::Delete(id) => grants.delete(id).await,
            Step::Client(_) => Ok(()),
        }
        .map_err(explain)
    }

    fn id_of(&self, reference: &str) -> Result<String, Failure> {
        let names = self.names.borrow();
        let id = names.id(reference).ok_or_else(|| format!("there is no application `{reference}`"))?;
        Ok(id.to_owned())
    }

    fn resolve_clients(&self, body: &mut Object) {
        let names = self.names.borrow();
        form::map_clients(body, |other| names.id(other).map(str::to_owned));
    }

    async fn client(&self, change: &ClientChange) -> Result<(), Failure> {
        let mut ids = change.ids.clone();
        let mut body = change.body.clone();
        self.resolve_clients(&mut body);
        let id = match &change.known {
            Some(id) => id.clone(),
            None => self.create(&mut body, change, &mut ids).await?,
        };
        let credentials = self.sdk.credentials(&id);
        for (key, credential) in change.new.iter().filter(|(key, _)| !change.ids.contains_key(key)) {
            if !ids.contains_key(key) {
                let made =
                    credentials.create(&typed(credential::definition(credential))?).await.map_err(explain)?;
                ids.insert(key.clone(), made.id.to_string());
            }
        }
        for (credential, time) in &change.expiries {
            let expires_at = time.as_str().map_or(Patch::Null, |time| Patch::Value(time.to_owned()));
            let _ = credentials.update(credential, &CredentialPatch { expires_at }).await.map_err(explain)?;
        }
        credential::resolve(&mut body, |path, key| match ids.get(key) {
            Some(id) => Ok(json!({"id": id})),
            None => Err(format!("{path} names {key}, and there is no such credential").into()),
        })?;
        if let Some(secret) = &change.secret {
            body.insert("client_secret".into(), secret.clone());
        }
        if !body.is_empty() {
            let patch: ClientPatch = typed(body)?;
            let _ = self.sdk.clients().update(&id, &patch).await.map_err(explain)?;
        }
        for credential in &change.gone {
            credentials.delete(credential).await.map_err(explain)?;
        }
        if let Some(links) = &change.links {
            self.links.borrow_mut().push((id, links.clone()));
        }
        Ok(())
    }

    /// Makes a client, with credentials where they stand in one list only. What has to be sent afterwards stays in
    /// `body`; what was made is in `ids`.
    async fn create(
        &self,
        body: &mut Object,
        change: &ClientChange,
        ids: &mut BTreeMap<Key, String>,
    ) -> Result<String, Failure> {
        let mut first = std::mem::take(body);
        let mut used = BTreeSet::new();
        let mut again = BTreeSet::new();
        visit_lists(&mut first, |path, kind, list| {
            for item in list.iter() {
                let Value::Object(reference) = item else { continue };
                if !used.insert(Key::of(reference, kind.as_str())?) {
                    again.insert(path.split('.').next().unwrap_or_default().to_owned());
                }
            }
            Ok::<_, Failure>(())
        })?;
        for member in again {
            body.extend(first.shift_remove(&member).map(|value| (member, value)));
        }
        credential::resolve(&mut first, |path, key| match change.new.get(key) {
            Some(credential) => Ok(Value::Object(credential::definition(credential))),
            None => Err(format!("{path} names {key}, and there is no such credential").into()),
        })?;
        let is_with_credentials = !used.is_empty();
        let name = text(&first, "name");
        let made = self.sdk.clients().create(&typed(first)?).await.map_err(explain)?;
        let id = made.client_id.ok_or("the tenant did not say which id it has")?.to_string();
        self.names.borrow_mut().add(id.clone(), name);
        if is_with_credentials {
            for credential in self.sdk.credentials(&id).list().await.map_err(explain)? {
                let Value::Object(one) = serde_json::to_value(&credential)? else { continue };
                ids.insert(Key::of(&one, &credential.credential_type)?, credential.id.to_string());
            }
        }
        Ok(id)
    }

    async fn link(&self, id: &str, allowed: &Value) -> Result<(), Failure> {
        let mut body = Object::new();
        body.insert("allowed_clients".into(), allowed.clone());
        self.resolve_clients(&mut body);
        let patch: ClientPatch = typed(body)?;
        let _ = self.sdk.clients().update(id, &patch).await.map_err(explain)?;
        Ok(())
    }
}
