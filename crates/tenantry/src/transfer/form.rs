//! How objects of a tenant stand in a document: without what belongs to this one tenant, without secrets, and with names
//! instead of ids.

use super::credential;
use super::keywords::DOMAIN;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use tenantry_types::Object;
use tenantry_types::clients::fields::{FIELDS, Merge, field};
use tenantry_types::json::in_order;

/// How clients are called in documents: by name, or by id where several have the same name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    by_id: HashMap<String, String>,
    /// Ids by name; several where a name is not unique.
    by_name: BTreeMap<String, Vec<String>>,
}

impl Names {
    pub(crate) fn new(clients: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut names = Self::default();
        for (id, name) in clients {
            names.add(id, name);
        }
        names
    }

    /// Adds a client that was just made.
    pub(crate) fn add(&mut self, id: String, name: String) {
        self.by_name.entry(name.clone()).or_default().push(id.clone());
        self.by_id.insert(id, name);
    }

    /// What a client is called, if there is one of that id.
    pub(crate) fn reference(&self, id: &str) -> Option<&str> {
        let (id, name) = self.by_id.get_key_value(id)?;
        Some(if self.by_name[name].len() == 1 { name } else { id })
    }

    /// The ids that a name or an id may mean.
    pub(crate) fn ids(&self, reference: &str) -> Vec<&str> {
        if let Some((id, _)) = self.by_id.get_key_value(reference) {
            return vec![id];
        }
        self.by_name.get(reference).into_iter().flatten().map(String::as_str).collect()
    }

    /// The one client that a name or an id means.
    pub(crate) fn id(&self, reference: &str) -> Option<&str> {
        match self.ids(reference).as_slice() {
            [id] => Some(id),
            _ => None,
        }
    }

    pub(crate) fn is_unique(&self, name: &str) -> bool {
        self.by_name.get(name).is_none_or(|ids| ids.len() < 2)
    }

    /// Names that several clients have.
    pub(crate) fn shared(&self) -> impl Iterator<Item = (&str, usize)> {
        self.by_name.iter().filter(|(_, ids)| ids.len() > 1).map(|(name, ids)| (name.as_str(), ids.len()))
    }
}

/// Whether a document may speak of a member of a client: requests take it, or this version does not know it.
pub(crate) fn is_setting(name: &str) -> bool {
    field(name).is_none_or(|field| field.in_create() || field.in_patch())
}

/// Whether the server adds to an object what it was not sent, so that a document need not say all of it.
pub(crate) fn is_completed(name: &str) -> bool {
    name == "refresh_token"
        || (name != "client_metadata" && field(name).is_some_and(|field| field.merge == Merge::Members))
}

/// Older names of members, and the newer ones that say the same.
const OLDER: &[(&str, &str)] =
    &[("cross_origin_auth", "cross_origin_authentication"), ("oidc_backchannel_logout", "oidc_logout")];

/// What clients that stand for an API cannot have.
const NOT_OF_RESOURCE_SERVERS: &[&str] = &["refresh_token", "oidc_logout"];

/// Leaves what may be set, each under its newer name.
pub(crate) fn settings(client: &mut Object) {
    for (older, newer) in OLDER {
        if let Some(value) = client.shift_remove(*older) {
            client.entry(*newer).or_insert(value);
        }
    }
    client.retain(|name, _| is_setting(name));
    if client.get("app_type").and_then(Value::as_str) == Some("resource_server") {
        client.retain(|name, _| !NOT_OF_RESOURCE_SERVERS.contains(&name.as_str()));
    }
}

/// Replaces every client that `allowed_clients` names. What is no client is an API, or gone.
pub(crate) fn map_clients(client: &mut Object, map: impl Fn(&str) -> Option<String>) {
    if let Some(Value::Array(list)) = client.get_mut("allowed_clients") {
        for item in list {
            if let Some(other) = item.as_str().and_then(&map) {
                *item = other.into();
            }
        }
    }
}

/// A client as a document has it.
pub(crate) fn client(answer: &Object, credentials: &[Object], names: &Names) -> Object {
    let mut form = answer.clone();
    let id = form.get("client_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = form.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    settings(&mut form);
    form.shift_remove("client_secret");
    form.retain(|_, value| !value.is_null());
    credential::refer(&mut form, credentials);
    map_clients(&mut form, |id| names.reference(id).map(str::to_owned));
    let mut ordered = Object::new();
    ordered.insert("name".into(), name.as_str().into());
    if !names.is_unique(&name) {
        ordered.insert("client_id".into(), id.into());
    }
    let order: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    ordered.extend(in_order(form, &order));
    let mut list: Vec<_> = credentials.iter().map(credential::form).collect();
    list.sort_by_cached_key(|credential| Value::Object(credential.clone()).to_string());
    list.dedup();
    if !list.is_empty() {
        ordered.insert("credentials".into(), list.into_iter().map(Value::Object).collect());
    }
    tidy(ordered)
}

/// Members of an API that belong to one tenant, and its secret.
const OF_ONE_API: &[&str] = &["id", "is_system", "client_id", "signing_secret"];

/// Leaves what may be set. One of the platform's own is made by naming it.
pub(crate) fn strip_api(api: &mut Object) {
    let is_system = is_system(api);
    api.retain(|name, _| !OF_ONE_API.contains(&name.as_str()) && (!is_system || name == "identifier"));
}

/// An API as a document has it.
pub(crate) fn api(answer: &Object) -> Object {
    let mut form = answer.clone();
    strip_api(&mut form);
    form.retain(|_, value| !value.is_null());
    tidy(in_order(form, &["name", "identifier"]))
}

pub(crate) fn is_system(api: &Object) -> bool {
    api.get("is_system") == Some(&Value::Bool(true))
}

/// A grant as a document has it.
pub(crate) fn grant(answer: &Object, names: &Names) -> Object {
    let mut form = answer.clone();
    form.retain(|name, value| !["id", "is_system"].contains(&name.as_str()) && !value.is_null());
    if let Some(Value::String(client)) = form.get_mut("client_id")
        && let Some(name) = names.reference(client)
    {
        *client = name.to_owned();
    }
    tidy(in_order(form, &["client_id", "default_for", "audience", "subject_type", "scope"]))
}

/// Objects inside have their members in alphabetical order, whatever they were sent in.
fn tidy(form: Object) -> Object {
    form.into_iter().map(|(name, value)| (name, tidy_value(value))).collect()
}

fn tidy_value(value: Value) -> Value {
    match value {
        Value::Object(mut members) => {
            members.sort_keys();
            tidy(members).into()
        }
        Value::Array(items) => items.into_iter().map(tidy_value).collect(),
        other => other,
    }
}

/// The platform's own APIs are named after the tenant's domain.
const OWN_APIS: &[&str] = &["api/v2/", "me/", "my-org/"];

/// Puts the keyword for the domain where one of the platform's own APIs is named.
pub(crate) fn without_domain(value: Value, domain: &str) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, without_domain(value, domain))).collect()
        }
        Value::Array(items) => items.into_iter().map(|item| without_domain(item, domain)).collect(),
        Value::String(text) => {
            let rest =
                text.strip_prefix("https://").and_then(|text| text.strip_prefix(domain)?.strip_prefix('/'));
            match rest {
                Some(rest) if OWN_APIS.contains(&rest) => format!("https://{DOMAIN}/{rest}").into(),
                _ => text.into(),
            }
        }
        other => other,
    }
}
