//! What a transaction changes: objects before and after, without secrets.

use crate::db::Tx;
use tenantry_types::Object;
use tenantry_types::redaction::{difference, redacted};

/// A change of one object, as JSON.
#[derive(Clone, Debug)]
pub(crate) struct Change(String);

impl Change {
    pub(crate) fn created(resource: &str, id: &str, after: &Object) -> Self {
        Self::of(resource, id, "null", &redacted(after))
    }

    /// Names only the members that are not the same.
    pub(crate) fn updated(resource: &str, id: &str, before: &Object, after: &Object) -> Self {
        let (before, after) = difference(before, after);
        Self::of(resource, id, &before, &after)
    }

    pub(crate) fn deleted(resource: &str, id: &str, before: &Object) -> Self {
        Self::of(resource, id, &redacted(before), "null")
    }

    fn of(resource: &str, id: &str, before: &str, after: &str) -> Self {
        let id = serde_json::Value::from(id);
        Self(format!(r#"{{"resource":"{resource}","id":{id},"before":{before},"after":{after}}}"#))
    }
}

/// What a transaction tells of itself.
#[derive(Debug, Default)]
pub(crate) struct Record {
    changes: String,
    pub(crate) status: Option<u16>,
}

/// Objects beyond this are only counted; the largest request is a megabyte.
const MAX_CHANGES: usize = 4 << 20;

impl Record {
    pub(crate) fn add(&mut self, change: &Change) {
        if self.changes.len() + change.0.len() > MAX_CHANGES {
            return;
        }
        if !self.changes.is_empty() {
            self.changes.push(',');
        }
        self.changes.push_str(&change.0);
    }

    /// The changes as JSON, without the brackets of the list.
    pub(super) fn changes(&self) -> &str {
        &self.changes
    }
}

/// An object came to be.
pub(crate) fn created(tx: &mut Tx<'_>, resource: &str, id: &str, after: &Object) {
    tx.record(|| Change::created(resource, id, after));
}

/// An object became another.
pub(crate) fn updated(tx: &mut Tx<'_>, resource: &str, id: &str, before: &Object, after: &Object) {
    tx.record(|| Change::updated(resource, id, before, after));
}

/// An object is gone.
pub(crate) fn deleted(tx: &mut Tx<'_>, resource: &str, id: &str, before: &Object) {
    tx.record(|| Change::deleted(resource, id, before));
}
