//! What has to be done with clients: their settings, secrets and credentials.

use super::compare::{Difference, Extent, differences, patch};
use super::credential::{self, Credentials, Key};
use super::form;
use super::plan::{Change, Kind, Step, secret_difference};
use super::tenant::{KnownClient, Tenant, text};
use crate::Failure;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tenantry_types::Object;
use tenantry_types::clients::field;
use tenantry_types::credentials::visit_lists;

/// A client that is made or changed.
#[derive(Debug)]
pub(crate) struct ClientChange {
    /// Its id, unless it is to be made.
    pub(crate) known: Option<String>,
    /// What is sent: all members, or those that change. Credentials are references, clients are names.
    pub(crate) body: Object,
    /// A secret of the document's own.
    pub(crate) secret: Option<Value>,
    /// Credentials to be made.
    pub(crate) new: Credentials,
    /// Credentials that end at another time: id and time.
    pub(crate) expiries: Vec<(String, Value)>,
    /// Credentials to be deleted, by id.
    pub(crate) gone: Vec<String>,
    /// Ids of those that are there.
    pub(crate) ids: BTreeMap<Key, String>,
    /// Clients that are allowed to delegate and are not there yet; sent when all are.
    pub(crate) links: Option<Value>,
}

/// The plan for clients.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub(super) changes: Vec<Change>,
    pub(super) notes: Vec<String>,
    /// Names of clients that will be made.
    pub(super) coming: BTreeSet<String>,
    /// Clients that the document does not have: name and id.
    pub(super) missing: Vec<(String, String)>,
}

pub(super) fn plan(wanted: Vec<Object>, tenant: &Tenant, delete: bool) -> Result<Planned, Failure> {
    let mut planned = Planned::default();
    let by_id: HashMap<_, _> = tenant.clients.iter().map(|known| (known.client.id.as_str(), known)).collect();
    let mut seen = BTreeSet::new();
    let mut matched = Vec::with_capacity(wanted.len());
    for want in wanted {
        let name = text(&want, "name");
        if name.is_empty() {
            return Err("an application in the document has no name".into());
        }
        if want.get("global") == Some(&Value::Bool(true)) {
            planned.notes.push(format!("the application {name} stands for all of them and is left alone"));
            continue;
        }
        let known = find(&want, &name, tenant, &by_id)?;
        let key = known.map_or_else(|| name.clone(), |known| known.client.id.clone());
        if !seen.insert(key) {
            return Err(format!(
                "the application `{name}` is in the document twice\nhint: names tell applications apart; where they \
                 do not, a client_id that the tenant has does"
            )
            .into());
        }
        if known.is_none() {
            planned.coming.insert(name.clone());
        }
        matched.push((want, name, known));
    }
    for (want, name, known) in matched {
        if known.is_some_and(|known| known.client.is_fixed) {
            planned.notes.push(format!("the application {name} is the one that calls, and is left alone"));
            continue;
        }
        let change = change(want, &name, known, tenant, &planned.coming, delete)
            .map_err(|error| format!("the application {name}: {error}"))?;
        planned.changes.extend(change);
    }
    let missing = tenant.clients.iter().map(|known| &known.client);
    let missing = missing.filter(|client| !client.is_fixed && !seen.contains(&client.id));
    planned.missing = missing.map(|client| (text(&client.form, "name"), client.id.clone())).collect();
    Ok(planned)
}

/// The client of the tenant that the document means: by its id, or else by its name.
fn find<'a>(
    want: &Object,
    name: &str,
    tenant: &Tenant,
    by_id: &HashMap<&str, &'a KnownClient>,
) -> Result<Option<&'a KnownClient>, Failure> {
    if let Some(known) = by_id.get(text(want, "client_id").as_str()) {
        return Ok(Some(known));
    }
    match tenant.names.ids(name).as_slice() {
        [] => Ok(None),
        [id] => Ok(by_id.get(id).copied()),
        several => Err(format!(
            "{} applications are called `{name}`: {}\nhint: say which one by a client_id in the document",
            several.len(),
            several.join(", ")
        )
        .into()),
    }
}

fn change(
    mut want: Object,
    name: &str,
    known: Option<&KnownClient>,
    tenant: &Tenant,
    coming: &BTreeSet<String>,
    delete: bool,
) -> Result<Option<Change>, Failure> {
    let listed = take_credentials(&mut want)?;
    let speaks_of_credentials = listed.is_some();
    let mut definitions = listed.unwrap_or_default();
    let secret = want.shift_remove("client_secret").filter(|secret| !secret.is_null());
    form::settings(&mut want);
    // Whoever proves itself by keys has no method for a secret, and the other way round.
    imply_absence(&mut want, "client_authentication_methods", "token_endpoint_auth_method");
    imply_absence(&mut want, "token_endpoint_auth_method", "client_authentication_methods");
    credential::refer(&mut want, known.map_or(&[], |known| &known.credentials));
    credential::hoist(&mut want, &mut definitions)?;
    let wanted = credential::by_key(definitions)?;
    let (credentials, ids) = match known {
        Some(known) => {
            let credentials = known.credentials()?;
            let ids = credentials.iter().map(|(key, one)| (key.clone(), text(one, "id"))).collect();
            (credentials, ids)
        }
        None => (Credentials::new(), BTreeMap::new()),
    };
    let names_credentials = check_references(&mut want, &wanted, &credentials)? || !wanted.is_empty();
    if names_credentials && known.is_some() && tenant.is_blind_to_credentials {
        return Err(
            "its credentials cannot be read\nhint: the client needs the scope read:client_credentials".into(),
        );
    }

    let mut found = Vec::new();
    let expiries = expiries(&wanted, &credentials, &mut found)?;
    let is_new = |key: &Key| !credentials.contains_key(key);
    let is_gone = |key: &Key| delete && speaks_of_credentials && !wanted.contains_key(key);
    let new: Credentials =
        wanted.iter().filter(|(key, _)| is_new(key)).map(|(k, c)| (k.clone(), c.clone())).collect();
    if let Some((key, _)) = new.iter().find(|(_, one)| lacks_material(one)) {
        return Err(format!(
            "the document does not show {key}, which the tenant does not have\nhint: add the public key or \
             certificate as `pem`; Auth0 does not export it"
        )
        .into());
    }
    let gone: Vec<_> = ids.iter().filter(|(key, _)| is_gone(key)).collect();
    if known.is_some() && (!new.is_empty() || !gone.is_empty()) {
        let shown = |keys: Vec<&Key>| Some(keys.iter().map(|key| Value::from(key.to_string())).collect());
        let after = ids.keys().filter(|key| !is_gone(key)).chain(new.keys()).collect();
        let difference = Difference::new("credentials", shown(ids.keys().collect()), shown(after));
        found.push(difference);
    }
    let gone = gone.into_iter().map(|(_, id)| id.clone()).collect();

    form::map_clients(&mut want, |other| {
        tenant.names.id(other).and_then(|id| tenant.names.reference(id)).map(str::to_owned)
    });
    let body = match known {
        None => {
            want.retain(|_, value| !value.is_null());
            want
        }
        Some(known) => {
            let extent = |name: &str| if form::is_completed(name) { Extent::Named } else { Extent::Whole };
            let settings = differences(&want, &known.client.form, extent);
            if let Some(bad) =
                settings.iter().find(|one| field(&one.member).is_some_and(|field| !field.in_patch()))
            {
                return Err(format!("{} cannot be changed", bad.member).into());
            }
            let body = patch(&settings, |name| name == "client_metadata");
            found.splice(0..0, settings);
            body
        }
    };
    let has = known.and_then(|known| known.client.secret.as_ref());
    let secret_difference = secret_difference("client_secret", secret.as_ref(), has);
    let secret = secret.filter(|_| secret_difference.is_some());
    found.extend(secret_difference);
    if known.is_some() && found.is_empty() {
        return Ok(None);
    }
    let mut change = ClientChange {
        known: known.map(|known| known.client.id.clone()),
        body,
        secret,
        new,
        expiries,
        gone,
        ids,
        links: None,
    };
    let names_coming = |list: &Value| {
        list.as_array()
            .is_some_and(|list| list.iter().filter_map(Value::as_str).any(|one| coming.contains(one)))
    };
    if change.body.get("allowed_clients").is_some_and(names_coming) {
        change.links = change.body.shift_remove("allowed_clients");
    }
    let differences = if known.is_some() { found } else { Vec::new() };
    let step = Step::Client(Box::new(change));
    Ok(Some(Change { kind: Kind::Client, name: name.to_owned(), differences, step }))
}

/// Checks that every credential that the client names is there or will be; returns whether it names any.
fn check_references(
    want: &mut Object,
    wanted: &Credentials,
    credentials: &Credentials,
) -> Result<bool, Failure> {
    let mut names_any = false;
    visit_lists(want, |path, kind, list| {
        for item in list {
            let Value::Object(reference) = item else { continue };
            names_any = true;
            if let Some(id) = reference.get("id") {
                return Err(format!("{path} names {id}, which is a credential of another tenant").into());
            }
            let key = Key::of(reference, kind.as_str())?;
            if !wanted.contains_key(&key) && !credentials.contains_key(&key) {
                return Err(format!("{path} names {key}, and there is no such credential").into());
            }
        }
        Ok::<_, Failure>(())
    })?;
    Ok(names_any)
}

fn take_credentials(want: &mut Object) -> Result<Option<Vec<Object>>, Failure> {
    let list = match want.shift_remove("credentials") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => list,
        Some(_) => return Err("credentials is no list".into()),
    };
    let object = |item| match item {
        Value::Object(object) => Ok(credential::form(&object)),
        _ => Err("credentials has an entry that is no object".into()),
    };
    list.into_iter().map(object).collect::<Result<_, Failure>>().map(Some)
}

fn imply_absence(want: &mut Object, given: &str, other: &str) {
    if want.get(given).is_some_and(|value| !value.is_null()) && !want.contains_key(other) {
        want.insert(other.to_owned(), Value::Null);
    }
}

fn lacks_material(credential: &Object) -> bool {
    !credential.contains_key("pem") && text(credential, "credential_type") != "cert_subject_dn"
}

/// Members of a credential that never change, if the document names them.
const FIXED: &[&str] = &["alg", "name"];

/// Credentials of both sides that are to end at another time. Nothing else about them can be changed.
fn expiries(
    wanted: &Credentials,
    credentials: &Credentials,
    found: &mut Vec<Difference>,
) -> Result<Vec<(String, Value)>, Failure> {
    let mut expiries = Vec::new();
    for (key, want) in wanted {
        let Some(have) = credentials.get(key) else { continue };
        let mut compared = want.clone();
        compared.retain(|name, _| name == "expires_at" || FIXED.contains(&name.as_str()));
        let is_key = text(have, "credential_type") == "public_key";
        if !is_key {
            compared.shift_remove("expires_at");
        }
        let mut differing = differences(&compared, have, |_| Extent::Whole);
        if is_key && !want.contains_key("expires_at") && have.contains_key("expires_at") {
            let from = have.get("expires_at").cloned();
            differing.push(Difference::new("expires_at", from, None));
        }
        let is_other = is_key
            && matches!((want.get("pem"), have.get("pem")), (Some(one), Some(other)) if one != other)
            && material(want)? != material(have)?;
        if is_other || differing.iter().any(|one| FIXED.contains(&one.member.as_str())) {
            return Err(format!(
                "the credential {key} cannot be changed but for its end\nhint: give the new one another kid"
            )
            .into());
        }
        for mut difference in differing {
            expiries.push((text(have, "id"), difference.to.clone().unwrap_or_default()));
            difference.member = format!("credentials.{key}.expires_at");
            found.push(difference);
        }
    }
    Ok(expiries)
}

/// What a key is, however it is written.
fn material(credential: &Object) -> Result<String, Failure> {
    let material = tenantry_jose::credential::parse_pem(&text(credential, "pem"))?;
    Ok(material.rsa_key()?.thumbprint())
}
