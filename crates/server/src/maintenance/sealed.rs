//! Where sealed values are: one list for whoever opens or seals all of them.

use crate::{clients, connections, keys, resource_servers, settings, tls};

/// A column of sealed values.
pub(super) struct Place {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    /// The columns that name a row, and what its value is bound to.
    pub(super) keys: &'static [&'static str],
    /// The place that a row's value is sealed for, by its keys.
    pub(super) context: fn(&[&str]) -> String,
}

pub(super) const PLACES: &[Place] = &[
    Place {
        table: "signing_key",
        column: "private_key",
        keys: &["tenant", "kid"],
        context: |keys| keys::seal_context(keys[0], keys[1]),
    },
    Place {
        table: "tls_key",
        column: "private_key",
        keys: &["name"],
        context: |keys| tls::seal_context(keys[0]),
    },
    Place {
        table: "client",
        column: "secret",
        keys: &["tenant", "client_id", "secret_id"],
        context: |keys| clients::store::seal_context(keys[0], keys[1], keys[2]),
    },
    Place {
        table: "client_secret",
        column: "secret",
        keys: &["tenant", "client_id", "secret_id"],
        context: |keys| clients::store::seal_context(keys[0], keys[1], keys[2]),
    },
    Place {
        table: "resource_server",
        column: "signing_secret",
        keys: &["tenant", "id"],
        context: |keys| resource_servers::seal_context(keys[0], keys[1]),
    },
    Place {
        table: "connection",
        column: "secrets",
        keys: &["tenant", "id"],
        context: |keys| connections::store::seal_context(keys[0], keys[1]),
    },
    Place {
        table: "configuration",
        column: "secrets",
        keys: &["tenant", "kind", "id"],
        context: |keys| settings::seal_context(keys[0], keys[1], keys[2]),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::schema::{self, Holds};

    /// Bytes that anybody may see.
    const OPEN: &[(&str, &str)] = &[
        ("signing_key", "certificate"),
        ("tls_key", "certificate"),
        ("client", "name_key"),
        ("client_term", "term"),
        ("client_unindexed", "terms"),
        ("audit_log", "hash"),
        ("audit_chain", "hash"),
        ("audit_chain", "deleted_hash"),
    ];

    #[test]
    fn every_column_of_bytes_is_sealed_or_known_not_to_be() {
        for table in schema::tables().unwrap() {
            for column in table.columns.iter().filter(|column| column.holds == Holds::Bytes) {
                let (table, column) = (table.name.as_str(), column.name.as_str());
                let is_sealed = PLACES.iter().any(|place| (place.table, place.column) == (table, column));
                assert!(is_sealed != OPEN.contains(&(table, column)), "{table}.{column}");
            }
        }
    }
}
