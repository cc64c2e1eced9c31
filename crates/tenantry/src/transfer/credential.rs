//! Credentials in documents: by what is public of them, never by an id.

use crate::Failure;
use serde_json::Value;
use std::collections::BTreeMap;
use tenantry_jose::credential::parse_pem;
use tenantry_types::Object;
use tenantry_types::credentials::visit_lists;

/// What a credential is known by in every tenant: its type, and the id of the key, the thumbprint of the certificate or
/// the subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    kind: String,
    value: String,
}

/// The member by which a type of credential is known.
fn member(kind: &str) -> &'static str {
    match kind {
        "x509_cert" => "thumbprint_sha256",
        "cert_subject_dn" => "subject_dn",
        _ => "kid",
    }
}

/// Members of a credential that belong to one tenant.
const LOCAL: &[&str] = &["id", "created_at", "updated_at"];

impl Key {
    /// What a definition, an answer or a reference is known by. A definition that does not say so shows its key.
    pub(crate) fn of(credential: &Object, kind: &str) -> Result<Self, Failure> {
        let key = |value: &str| Self { kind: kind.to_owned(), value: value.to_owned() };
        if let Some(value) = credential.get(member(kind)).and_then(Value::as_str) {
            return Ok(key(value));
        }
        let Some(pem) = credential.get("pem").and_then(Value::as_str) else {
            return Err(format!("a credential of type {kind} needs {} or pem", member(kind)).into());
        };
        let material = parse_pem(pem)?;
        Ok(match kind {
            "x509_cert" => key(&material.certificate()?.thumbprint_sha256),
            "cert_subject_dn" => key(&material.certificate()?.subject_dn),
            _ => key(&material.rsa_key()?.thumbprint()),
        })
    }

    /// How a list of a client names the credential.
    fn reference(&self) -> Value {
        let mut reference = Object::new();
        reference.insert(member(&self.kind).into(), self.value.as_str().into());
        reference.into()
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.value)
    }
}

fn kind_of(credential: &Object) -> &str {
    credential.get("credential_type").and_then(Value::as_str).unwrap_or("public_key")
}

/// The credentials of a client, by what they are known by.
pub(crate) type Credentials = BTreeMap<Key, Object>;

/// Sorts credentials by what they are known by, and says so in each of them.
pub(crate) fn by_key(list: impl IntoIterator<Item = Object>) -> Result<Credentials, Failure> {
    list.into_iter()
        .map(|mut credential| {
            let key = Key::of(&credential, kind_of(&credential))?;
            credential.insert(member(&key.kind).into(), key.value.as_str().into());
            credential.entry("credential_type").or_insert_with(|| key.kind.as_str().into());
            Ok((key, credential))
        })
        .collect()
}

/// A credential of a tenant as a document has it. When it ends is said by a certificate itself.
pub(crate) fn form(credential: &Object) -> Object {
    let mut form = credential.clone();
    form.retain(|name, value| !LOCAL.contains(&name.as_str()) && !value.is_null());
    if kind_of(credential) != "public_key" {
        form.shift_remove("expires_at");
    }
    form
}

/// The body that makes a credential.
pub(crate) fn definition(credential: &Object) -> Object {
    let mut definition = form(credential);
    definition.shift_remove("thumbprint_sha256");
    if kind_of(credential) == "cert_subject_dn" && definition.contains_key("subject_dn") {
        definition.shift_remove("pem");
    }
    definition
}

/// Replaces ids in a client's lists by references. An id that is not known stays.
pub(crate) fn refer(client: &mut Object, credentials: &[Object]) {
    let Ok(()) = visit_lists(client, |_, _, list| {
        for item in list {
            let known =
                item.get("id").and_then(|id| credentials.iter().find(|one| one.get("id") == Some(id)));
            if let Some(key) = known.and_then(|one| Key::of(one, kind_of(one)).ok()) {
                *item = key.reference();
            }
        }
        Ok::<_, std::convert::Infallible>(())
    });
}

/// Takes definitions out of a client's lists, and leaves references.
pub(crate) fn hoist(client: &mut Object, found: &mut Vec<Object>) -> Result<(), Failure> {
    visit_lists(client, |path, kind, list| {
        for item in list {
            let Value::Object(named) = item else {
                return Err(format!("{path} has an entry that is no object").into());
            };
            if named.contains_key("id") {
                continue;
            }
            let key = Key::of(named, kind.as_str()).map_err(|error| format!("{path}: {error}"))?;
            if named.contains_key("pem") || named.contains_key("credential_type") {
                let mut definition = std::mem::take(named);
                definition.entry("credential_type").or_insert_with(|| kind.as_str().into());
                found.push(definition);
            }
            *item = key.reference();
        }
        Ok::<_, Failure>(())
    })
}

/// Replaces references in a client's lists by what `replace` says of each.
pub(crate) fn resolve(
    client: &mut Object,
    mut replace: impl FnMut(&str, &Key) -> Result<Value, Failure>,
) -> Result<(), Failure> {
    visit_lists(client, |path, kind, list| {
        for item in list {
            if let Value::Object(reference) = item
                && !reference.contains_key("id")
            {
                *item = replace(path, &Key::of(reference, kind.as_str())?)?;
            }
        }
        Ok(())
    })
}
