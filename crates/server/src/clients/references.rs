//! What the settings of a client refer to: profiles, and other clients.
//!
//! The references stand in the client's document; a table beside it finds the clients that refer to something that
//! goes away.

use super::store;
use crate::db::{DbResult, Tx, params};
use crate::http::Failure;
use crate::profiles;
use serde_json::Value;
use tenantry_types::ErrorCode;
use tenantry_types::clients::ClientDocument;

const EXPRESS: &str = "express_configuration";
const MY_ORGANIZATION: &str = "my_organization_configuration";
const LINKED: &str = "linked_clients";

/// What kind of object is referred to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Client,
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
            Self::Profile(kind) => kind.as_str(),
        }
    }
}

/// Members that hold the id of something, and what of.
const MEMBERS: [(&str, &str, Kind); 6] = [
    (EXPRESS, "connection_profile_id", Kind::Profile(profiles::Kind::Connection)),
    (EXPRESS, "user_attribute_profile_id", Kind::Profile(profiles::Kind::UserAttribute)),
    (EXPRESS, "okta_oin_client_id", Kind::Client),
    (MY_ORGANIZATION, "connection_profile_id", Kind::Profile(profiles::Kind::Connection)),
    (MY_ORGANIZATION, "user_attribute_profile_id", Kind::Profile(profiles::Kind::UserAttribute)),
    (MY_ORGANIZATION, "invitation_landing_client_id", Kind::Client),
];

/// A reference, and the path of the member that holds it.
#[derive(PartialEq)]
struct Reference<'a> {
    kind: Kind,
    id: &'a str,
    path: [&'static str; 2],
}

fn of(document: &ClientDocument) -> Vec<Reference<'_>> {
    let members = MEMBERS.iter().filter_map(|(owner, member, kind)| {
        let id = document.get(owner)?.get(member)?.as_str()?;
        Some(Reference { kind: *kind, id, path: [owner, member] })
    });
    let linked = document.get(EXPRESS).and_then(|express| express.get(LINKED)?.as_array());
    let linked = linked.into_iter().flatten().filter_map(|client| {
        let id = client.get("client_id")?.as_str()?;
        Some(Reference { kind: Kind::Client, id, path: [EXPRESS, LINKED] })
    });
    members.chain(linked).collect()
}

/// A connection profile for Express Configuration is taken as it is: recordings show clients made with one that their
/// tenant need not have had.
const UNCHECKED: [&str; 2] = [EXPRESS, "connection_profile_id"];

/// What `after` refers to and `before` did not must exist.
pub(super) fn check(
    tx: &mut Tx<'_>,
    tenant: &str,
    after: &ClientDocument,
    before: Option<&ClientDocument>,
) -> Result<(), Failure> {
    let known = before.map(of).unwrap_or_default();
    let is_new = |reference: &Reference<'_>| !known.contains(reference) && reference.path != UNCHECKED;
    for Reference { kind, id, path } in of(after).into_iter().filter(is_new) {
        match kind {
            Kind::Client => {
                if store::find_for_update(tx, tenant, id)?.is_none() {
                    let message = format!("{}: the client {id} does not exist", path.join("."));
                    return Err(Failure::not_found(&message, ErrorCode::InexistentClient));
                }
            }
            Kind::Profile(kind) => {
                if profiles::store::find_for_update(tx, tenant, kind, id)?.is_none() {
                    return Err(kind.not_found());
                }
            }
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
        tx.execute(DELETE, params![tenant, after.client_id()])?;
    }
    for reference in references {
        tx.execute(INSERT, params![tenant, after.client_id(), reference.kind.as_str(), reference.id])?;
    }
    Ok(())
}

/// No client refers any longer to something that goes away.
pub(crate) fn forget(tx: &mut Tx<'_>, tenant: &str, kind: Kind, id: &str, now: i64) -> DbResult<()> {
    const REFERRING: &str =
        "SELECT client_id FROM client_reference WHERE tenant = $1 AND kind = $2 AND id = $3";
    let params = params![tenant, kind.as_str(), id];
    for client_id in tx.query(REFERRING, params, |row| Ok(row.text(0)?.to_owned()))? {
        let Some((before, version)) = store::find_for_update(tx, tenant, &client_id)? else { continue };
        let after = without(&before, kind, id);
        store::update(tx, tenant, &before, &after, version, None, now)?;
    }
    Ok(())
}

/// The client without its references to one thing. What cannot be without it goes as a whole.
fn without(client: &ClientDocument, kind: Kind, id: &str) -> ClientDocument {
    let mut members = client.members().clone();
    for reference in of(client).iter().filter(|reference| (reference.kind, reference.id) == (kind, id)) {
        match reference.path {
            [EXPRESS, LINKED] => {
                let linked = members.get_mut(EXPRESS).and_then(|express| express.get_mut(LINKED));
                if let Some(Value::Array(linked)) = linked {
                    linked.retain(|client| client.get("client_id").and_then(Value::as_str) != Some(id));
                }
            }
            // Every other reference of it is required.
            [EXPRESS, _] => {
                members.shift_remove(EXPRESS);
            }
            [owner, member] => {
                if let Some(Value::Object(owner)) = members.get_mut(owner) {
                    owner.shift_remove(member);
                }
            }
        }
    }
    ClientDocument::from(members)
}
