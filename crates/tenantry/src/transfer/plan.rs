//! What has to be done so that a tenant is as a document says.

use super::clients::{self, ClientChange};
use super::compare::{Difference, Extent, differences, patch};
use super::document::Document;
use super::form::Names;
use super::keywords::set_domain;
use super::tenant::{Known, Tenant, text};
use crate::Failure;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tenantry_sdk::Secret;
use tenantry_types::Object;

/// Everything that has to be done, in its order.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) changes: Vec<Change>,
    /// What a person should know besides.
    pub(crate) notes: Vec<String>,
}

/// What happens to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Update,
    Delete,
}

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Api,
    Client,
    Grant,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Api => "API",
            Self::Client => "application",
            Self::Grant => "grant",
        }
    }
}

/// A change of one object.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) differences: Vec<Difference>,
    pub(crate) step: Step,
}

/// How it is done.
#[derive(Debug)]
pub(crate) enum Step {
    /// An API or a grant, from a body.
    Create(Object),
    /// An API or a grant, by a patch.
    Update(String, Object),
    Client(Box<ClientChange>),
    Delete(String),
}

impl Change {
    pub(crate) fn action(&self) -> Action {
        match &self.step {
            Step::Create(_) => Action::Create,
            Step::Client(change) if change.known.is_none() => Action::Create,
            Step::Update(..) | Step::Client(_) => Action::Update,
            Step::Delete(_) => Action::Delete,
        }
    }
}

/// What stands for a secret in a difference.
const SECRET: &str = "[secret]";

/// A secret that is to be another one.
pub(super) fn secret_difference(
    member: &str,
    want: Option<&Value>,
    have: Option<&Secret>,
) -> Option<Difference> {
    let want = want?.as_str()?;
    let from = have.map(|_| json!(SECRET));
    (have.map(Secret::reveal) != Some(want))
        .then(|| Difference::new(member, from, Some(json!("[another secret]"))))
}

/// Members of an API to which the server adds what it was not sent.
const COMPLETED_OF_APIS: &[&str] = &["subject_type_authorization", "token_encryption"];

/// Members of a grant that a change may name.
const OF_GRANTS: &[&str] = &[
    "scope",
    "organization_usage",
    "allow_any_organization",
    "authorization_details_types",
    "allow_all_scopes",
];

impl Plan {
    /// Compares a document with a tenant. What is not in the document is deleted if `delete`, and left alone otherwise.
    pub(crate) fn new(document: Document, tenant: &Tenant, delete: bool) -> Result<Self, Failure> {
        let mut plan = Self::default();
        if !document.others.is_empty() {
            plan.notes.push(format!(
                "these sections are passed over, tenantry does not manage them: {}",
                document.others.join(", ")
            ));
        }
        let local = |section: Option<Vec<Object>>| {
            section.map(|mut objects| {
                if let Some(domain) = &tenant.domain {
                    objects
                        .iter_mut()
                        .flat_map(Object::values_mut)
                        .for_each(|value| set_domain(value, domain));
                }
                objects
            })
        };
        let (apis, clients, grants) = (local(document.apis), local(document.clients), local(document.grants));
        let mut identifiers: BTreeSet<String> =
            tenant.apis.iter().map(|api| text(&api.form, "identifier")).collect();
        let coming = apis.iter().flatten().filter(|api| !is_management(api));
        identifiers.extend(coming.map(|api| text(api, "identifier")));
        let mut gone = Vec::new();
        if let Some(apis) = apis {
            gone.push((Kind::Api, plan.apis(apis, tenant)?));
        }
        let mut coming = BTreeSet::new();
        if let Some(wanted) = clients {
            let found = clients::plan(wanted, tenant, delete)?;
            coming = found.coming;
            plan.changes.extend(found.changes);
            plan.notes.extend(found.notes);
            gone.push((Kind::Client, found.missing));
        }
        if let Some(grants) = grants {
            gone.push((Kind::Grant, plan.grants(grants, tenant, &coming, &identifiers)?));
        }
        let count: usize = gone.iter().map(|(_, missing)| missing.len()).sum();
        if delete {
            // Grants go first: they would go with their application.
            for (kind, missing) in gone.into_iter().rev() {
                plan.changes.extend(missing.into_iter().map(|(name, id)| Change {
                    kind,
                    name,
                    differences: Vec::new(),
                    step: Step::Delete(id),
                }));
            }
        } else if count > 0 {
            plan.notes.push(format!(
                "{count} objects of the tenant are not in the document; --delete deletes them"
            ));
        }
        Ok(plan)
    }

    /// Plans APIs; returns those that the document does not have.
    fn apis(&mut self, wanted: Vec<Object>, tenant: &Tenant) -> Result<Vec<(String, String)>, Failure> {
        let known: BTreeMap<_, _> =
            tenant.apis.iter().map(|api| (text(&api.form, "identifier"), api)).collect();
        let mut seen = BTreeSet::new();
        for mut want in wanted {
            let name = text(&want, "identifier");
            if name.is_empty() {
                return Err("an API in the document has no identifier".into());
            }
            if !seen.insert(name.clone()) {
                return Err(format!("the API {name} is in the document twice").into());
            }
            let is_management = is_management(&want);
            let secret = want.shift_remove("signing_secret");
            super::form::strip_api(&mut want);
            let fixed = known.get(&name).is_some_and(|api| api.is_fixed);
            if fixed || is_management {
                if want.len() > 1 {
                    self.notes.push(format!("the API {name} is the platform's own and is left alone"));
                }
                continue;
            }
            let Some(Known { id, form, secret: has, .. }) = known.get(&name).copied() else {
                want.retain(|_, value| !value.is_null());
                want.extend(secret.map(|secret| ("signing_secret".to_owned(), secret)));
                self.push(Kind::Api, name, Vec::new(), Step::Create(want));
                continue;
            };
            let mut found = differences(&want, form, |name| {
                if COMPLETED_OF_APIS.contains(&name) { Extent::Named } else { Extent::Whole }
            });
            let mut body = patch(&found, |_| false);
            if let Some(difference) = secret_difference("signing_secret", secret.as_ref(), has.as_ref()) {
                found.push(difference);
                body.extend(secret.map(|secret| ("signing_secret".to_owned(), secret)));
            }
            if !found.is_empty() {
                self.push(Kind::Api, name, found, Step::Update(id.clone(), body));
            }
        }
        let missing = known.into_iter().filter(|(name, api)| !api.is_fixed && !seen.contains(name));
        Ok(missing.map(|(name, api)| (name, api.id.clone())).collect())
    }

    /// Plans grants; returns those that the document does not have.
    fn grants(
        &mut self,
        wanted: Vec<Object>,
        tenant: &Tenant,
        coming: &BTreeSet<String>,
        identifiers: &BTreeSet<String>,
    ) -> Result<Vec<(String, String)>, Failure> {
        let known: BTreeMap<_, _> =
            tenant.grants.iter().map(|grant| (GrantKey::of(&grant.form), grant)).collect();
        let mut seen = BTreeSet::new();
        for mut want in wanted {
            want.retain(|name, _| !["id", "is_system"].contains(&name.as_str()));
            if let Some(Value::String(client)) = want.get_mut("client_id") {
                *client = canonical(client, &tenant.names, coming)?;
            }
            let key = GrantKey::of(&want);
            if !identifiers.contains(&key.audience) {
                return Err(format!(
                    "the grant {key} is for an API that neither the document nor the tenant has\nhint: the tenant's \
                     Management API is https://##AUTH0_DOMAIN##/api/v2/"
                )
                .into());
            }
            let name = key.to_string();
            if !seen.insert(key.clone()) {
                return Err(format!("the grant {name} is in the document twice").into());
            }
            if want.get("allow_all_scopes") == Some(&Value::Bool(true)) {
                want.shift_remove("scope");
            }
            match known.get(&key) {
                Some(grant) if grant.is_fixed => {
                    self.notes.push(format!(
                        "the grant {name} is the caller's or the platform's and is left alone"
                    ));
                }
                Some(grant) => {
                    let mut found = differences(&want, &grant.form, |_| Extent::Whole);
                    found.retain(|difference| !GrantKey::MEMBERS.contains(&difference.member.as_str()));
                    if let Some(bad) = found.iter().find(|one| !OF_GRANTS.contains(&one.member.as_str())) {
                        return Err(format!("the grant {name}: {} cannot be changed", bad.member).into());
                    }
                    if !found.is_empty() {
                        let body = patch(&found, |_| false);
                        self.push(Kind::Grant, name, found, Step::Update(grant.id.clone(), body));
                    }
                }
                None => {
                    want.retain(|_, value| !value.is_null());
                    self.push(Kind::Grant, name, Vec::new(), Step::Create(want));
                }
            }
        }
        let missing = known.into_iter().filter(|(key, grant)| !grant.is_fixed && !seen.contains(key));
        Ok(missing.map(|(key, grant)| (key.to_string(), grant.id.clone())).collect())
    }

    fn push(&mut self, kind: Kind, name: String, differences: Vec<Difference>, step: Step) {
        self.changes.push(Change { kind, name, differences, step });
    }

    pub(crate) fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action() == action).count()
    }

    /// The changes for programs.
    pub(crate) fn to_json(&self) -> Value {
        let change = |change: &Change| {
            let differences = change
                .differences
                .iter()
                .map(|one| json!({"member": one.member, "from": one.from, "to": one.to}));
            let action = match change.action() {
                Action::Create => "create",
                Action::Update => "update",
                Action::Delete => "delete",
            };
            json!({
                "action": action,
                "kind": change.kind.as_str().to_lowercase(),
                "name": change.name,
                "differences": differences.collect::<Value>(),
            })
        };
        json!({"changes": self.changes.iter().map(change).collect::<Value>()})
    }
}

/// One change, its differences below it.
impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match self.action() {
            Action::Create => '+',
            Action::Update => '~',
            Action::Delete => '-',
        };
        writeln!(f, "{sign} {} {}", self.kind.as_str(), self.name)?;
        self.differences.iter().try_for_each(|difference| difference.fmt(f))
    }
}

/// Whether an API of a document is some tenant's Management API, which every tenant has of its own.
fn is_management(api: &Object) -> bool {
    super::form::is_system(api) && text(api, "identifier").ends_with("/api/v2/")
}

/// The client that a grant names: as the tenant calls it, or as the document will have it called.
fn canonical(reference: &str, names: &Names, coming: &BTreeSet<String>) -> Result<String, Failure> {
    match names.ids(reference).as_slice() {
        [id] => Ok(names.reference(id).unwrap_or(reference).to_owned()),
        [] if coming.contains(reference) => Ok(reference.to_owned()),
        [] => Err(format!(
            "a grant is for `{reference}`, and neither the document nor the tenant has an application of that name"
        )
        .into()),
        several => Err(format!(
            "a grant is for `{reference}`, and {} applications have that name\nhint: write the client_id instead",
            several.len()
        )
        .into()),
    }
}

/// What a grant is known by in every tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct GrantKey {
    holder: String,
    audience: String,
    subject_type: String,
}

impl GrantKey {
    const MEMBERS: &[&str] = &["client_id", "default_for", "audience", "subject_type"];

    fn of(grant: &Object) -> Self {
        let holder = match text(grant, "client_id") {
            id if id.is_empty() => text(grant, "default_for"),
            id => id,
        };
        let subject_type = match text(grant, "subject_type") {
            none if none.is_empty() => "client".into(),
            subject_type => subject_type,
        };
        Self { holder, audience: text(grant, "audience"), subject_type }
    }
}

impl std::fmt::Display for GrantKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} → {}", self.holder, self.audience)?;
        if self.subject_type == "client" { Ok(()) } else { write!(f, " ({})", self.subject_type) }
    }
}
