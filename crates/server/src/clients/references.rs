//! What the settings of a client refer to: other clients, APIs, profiles, connections.
//!
//! The references stand in the client's document; a table beside it finds the clients that refer to something that
//! goes away.

use super::store;
use crate::db::{DbResult, Tx, params};
use crate::http::Failure;
use crate::profiles;
use serde_json::Value;
use tenantry_types::clients::ClientDocument;
use tenantry_types::{ErrorCode, Object};

const EXPRESS: &str = "express_configuration";
const MY_ORGANIZATION: &str = "my_organization_configuration";

/// What kind of object is referred to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A client by its id, or an API by its id or identifier where a list takes both.
    Client,
    /// A connection by its name.
    Connection,
    Profile(profiles::Kind),
}

impl From<profiles::Kind> for Kind {
    fn from(kind: profiles::Kind) -> Self {
        Self::Profile(kind)
    }
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Connection => "connection",
            Self::Profile(kind) => kind.as_str(),
        }
    }
}

/// Where a reference stands in a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It is the member at this path, and the first member of the path goes with it.
    Essential([&'static str; 2]),
    /// It is the member at this path.
    Member(&'static [&'static str]),
    /// It is this member of an object in the list at this path.
    ListOf(&'static [&'static str], &'static str),
    /// It is a text in the list of this name.
    Texts(&'static str),
}

/// Everything that refers to something, what to, and whether it must exist when it is set. Policies of refresh tokens are
/// not among it: they name audiences, and outlive the APIs, as recorded.
const PLACES: [(Place, Kind, bool); 10] = [
    // Recordings show clients made with a profile that their tenant need not have had.
    (Place::Essential([EXPRESS, "connection_profile_id"]), Kind::Profile(profiles::Kind::Connection), false),
    (
        Place::Essential([EXPRESS, "user_attribute_profile_id"]),
        Kind::Profile(profiles::Kind::UserAttribute),
        true,
    ),
    (Place::Essential([EXPRESS, "okta_oin_client_id"]), Kind::Client, true),
    (
        Place::Member(&[MY_ORGANIZATION, "connection_profile_id"]),
        Kind::Profile(profiles::Kind::Connection),
        true,
    ),
    (
        Place::Member(&[MY_ORGANIZATION, "user_attribute_profile_id"]),
        Kind::Profile(profiles::Kind::UserAttribute),
        true,
    ),
    (Place::Member(&[MY_ORGANIZATION, "invitation_landing_client_id"]), Kind::Client, true),
    (Place::ListOf(&[EXPRESS, "linked_clients"], "client_id"), Kind::Client, true),
    (Place::Texts("allowed_clients"), Kind::Client, false),
    (Place::ListOf(&["token_vault_privileged_access", "grants"], "connection"), Kind::Connection, false),
    (Place::Member(&["addons", "office365", "connection"]), Kind::Connection, false),
];

impl Place {
    fn path(&self) -> &[&'static str] {
        match self {
            Self::Essential(path) => path,
            Self::Member(path) | Self::ListOf(path, _) => path,
            Self::Texts(name) => std::slice::from_ref(name),
        }
    }

    /// What stands there.
    fn ids<'a>(&self, members: &'a Object) -> Vec<&'a str> {
        let [first, rest @ ..] = self.path() else { return Vec::new() };
        let found = members.get(*first);
        let Some(found) = rest.iter().try_fold(found, |value, name| Some(value?.get(name))).flatten() else {
            return Vec::new();
        };
        let listed = || found.as_array().into_iter().flatten();
        match self {
            Self::Essential(_) | Self::Member(_) => found.as_str().into_iter().collect(),
            Self::ListOf(_, member) => listed().filter_map(|one| one.get(member)?.as_str()).collect(),
            Self::Texts(_) => listed().filter_map(Value::as_str).collect(),
        }
    }

    /// Takes `id` away from there.
    fn remove(&self, members: &mut Object, id: &str) {
        if !self.ids(members).contains(&id) {
            return;
        }
        if let Self::Essential([first, _]) = self {
            members.shift_remove(*first);
            return;
        }
        let Some((name, owners)) = self.path().split_last() else { return };
        let owner = owners.iter().try_fold(members, |owner, step| owner.get_mut(*step)?.as_object_mut());
        let Some(owner) = owner else { return };
        let is_it = |one: &Value| match self {
            Self::ListOf(_, member) => one.get(member).and_then(Value::as_str) == Some(id),
            _ => one.as_str() == Some(id),
        };
        match owner.get_mut(*name) {
            Some(Value::Array(list)) => list.retain(|one| !is_it(one)),
            _ => {
                owner.shift_remove(*name);
            }
        }
    }
}

/// Nothing has a longer id or name, in bytes: identifiers of APIs have 600 characters at most. What is longer refers to
/// nothing, and would not fit into an index.
const LONGEST: usize = 2_400;

/// A reference, and where it stands.
#[derive(PartialEq)]
struct Reference<'a> {
    place: Place,
    kind: Kind,
    id: &'a str,
    is_checked: bool,
}

fn of(document: &ClientDocument) -> Vec<Reference<'_>> {
    let of_place = |(place, kind, is_checked): (Place, Kind, bool)| {
        let ids = place.ids(document.members()).into_iter();
        ids.filter(|id| id.len() <= LONGEST).map(move |id| Reference { place, kind, id, is_checked })
    };
    PLACES.into_iter().flat_map(of_place).collect()
}

/// What a client refers to: the kind and the id, and whether that must exist.
pub(crate) fn of_client(document: &ClientDocument) -> Vec<(&'static str, &str, bool)> {
    let of = of(document).into_iter();
    of.map(|Reference { kind, id, is_checked, .. }| (kind.as_str(), id, is_checked)).collect()
}

/// What `after` refers to and `before` did not must exist.
pub(super) fn check(
    tx: &mut Tx<'_>,
    tenant: &str,
    after: &ClientDocument,
    before: Option<&ClientDocument>,
) -> Result<(), Failure> {
    let known = before.map(of).unwrap_or_default();
    let is_new = |reference: &Reference<'_>| reference.is_checked && !known.contains(reference);
    for Reference { place, kind, id, .. } in of(after).into_iter().filter(is_new) {
        match kind {
            Kind::Client => {
                if !store::exists(tx, tenant, id)? {
                    let message = format!("{}: the client {id} does not exist", place.path().join("."));
                    return Err(Failure::not_found(&message, ErrorCode::InexistentClient));
                }
            }
            Kind::Profile(kind) => {
                if profiles::store::find_for_update(tx, tenant, kind, id)?.is_none() {
                    return Err(kind.not_found());
                }
            }
            Kind::Connection => {}
        }
    }
    Ok(())
}

/// Remembers what a client refers to now.
pub(super) fn store(
    tx: &mut Tx<'_>,
    tenant: &str,
    after: &ClientDocument,
    before: Option<&ClientDocument>,
) -> DbResult<()> {
    const DELETE: &str = "DELETE FROM client_reference WHERE tenant = $1 AND client_id = $2";
    const INSERT: &str = "INSERT INTO client_reference (tenant, client_id, kind, id) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (tenant, client_id, kind, id) DO NOTHING";
    let (known, references) = (before.map(of).unwrap_or_default(), of(after));
    if known == references {
        return Ok(());
    }
    if !known.is_empty() {
        tx.write(DELETE, params![tenant, after.client_id()])?;
    }
    for reference in references {
        tx.write(INSERT, params![tenant, after.client_id(), reference.kind.as_str(), reference.id])?;
    }
    Ok(())
}

/// No client refers any longer to something that goes away.
pub(crate) fn forget(tx: &mut Tx<'_>, tenant: &str, kind: Kind, id: &str, now: i64) -> DbResult<()> {
    const REFERRING: &str =
        "SELECT client_id FROM client_reference WHERE tenant = $1 AND kind = $2 AND id = $3";
    let params = params![tenant, kind.as_str(), id];
    for client_id in tx.query(REFERRING, params, |row| Ok(row.text(0)?.to_owned()))? {
        let Some(before) = store::find_for_update(tx, tenant, &client_id)? else { continue };
        let mut members = before.members().clone();
        for (place, _, _) in PLACES.iter().filter(|(_, of, _)| *of == kind) {
            place.remove(&mut members, id);
        }
        store::update(tx, tenant, &before, &ClientDocument::from(members), None, now)?;
    }
    Ok(())
}
