//! Every sealed value opens, and holds what it should.

use super::Findings;
use crate::connections::configuration;
use crate::db::{DbResult, Snapshot};
use crate::maintenance::sealed::PLACES;
use crate::seal::MasterKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tenantry_jose::RsaSigningKey;
use tenantry_types::Object;

const KIND: &str = "a secret does not open";

pub(super) fn open(snapshot: &mut Snapshot, master: &MasterKey, found: &mut Findings) -> DbResult<()> {
    for place in PLACES {
        let (table, column) = (place.table, place.column);
        let sql =
            format!("SELECT {column}, {} FROM {table} WHERE {column} IS NOT NULL", place.keys.join(", "));
        snapshot.each(&sql, |row| {
            let keys: Vec<_> =
                (1..=place.keys.len()).map(|index| row.text(index)).collect::<DbResult<_>>()?;
            let sealed = row.bytes(0)?;
            let name = || format!("{table} {}", keys.join(" "));
            // The private half of a revoked key is gone on purpose.
            if sealed.is_empty() && table == "signing_key" {
                return Ok(());
            }
            match master.open(&(place.context)(&keys), sealed) {
                Err(error) => found.problem(KIND, || format!("{}: {error}", name())),
                Ok(plain) => {
                    let is_good = match table {
                        "signing_key" => {
                            RsaSigningKey::from_pkcs8(&plain).is_ok_and(|key| key.kid() == keys[1])
                        }
                        "connection" | "configuration" => serde_json::from_slice::<Object>(&plain).is_ok(),
                        _ => true,
                    };
                    if !is_good {
                        found.problem("a secret is not what it should be", name);
                    }
                }
            }
            Ok(())
        })?;
    }
    shown_sealed(snapshot, master, found)
}

/// Values that answers show sealed are part of the document.
fn shown_sealed(snapshot: &mut Snapshot, master: &MasterKey, found: &mut Findings) -> DbResult<()> {
    snapshot.each("SELECT tenant, id, document FROM connection", |row| {
        let (tenant, id) = (row.text(0)?, row.text(1)?);
        // What is no document is told elsewhere.
        let document: Value = serde_json::from_str(row.text(2)?).unwrap_or_default();
        let values = document.pointer("/options/configuration").and_then(Value::as_object);
        for (name, value) in values.into_iter().flatten() {
            let Some(text) = value.as_str() else { continue };
            let sealed = STANDARD.decode(text).unwrap_or_default();
            if let Err(error) = master.open(&configuration::seal_context(tenant, id, name), &sealed) {
                found.problem(KIND, || format!("connection {id}, options.configuration.{name}: {error}"));
            }
        }
        Ok(())
    })
}
