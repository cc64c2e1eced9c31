//! How caches learn that something changed, without a moment in which they could keep what is old.
//!
//! Each object belongs to one of a few thousand counters. Who reads an object from the database notes the counter
//! *before* reading and keeps it beside the cached copy; the copy is good only while the counter still shows that
//! number. A commit moves the counter. So a read that overlaps a write can cache an old copy, but never use it
//! afterwards, whichever of the two finished first.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a cached object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Client,
    /// The order and filters of a tenant's clients: anything but an addition at the end.
    ClientList,
    Grant,
    ResourceServer,
    TenantSettings,
    /// By id, and by name.
    Organization,
    /// That a client grant was given to an organization.
    OrganizationGrant,
}

const COUNTERS: usize = 4_096;

/// The counters.
#[derive(Debug)]
pub(crate) struct Generations(Box<[AtomicU64]>);

impl Default for Generations {
    fn default() -> Self {
        Self((0..COUNTERS).map(|_| AtomicU64::new(0)).collect())
    }
}

/// Which counter an object belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(usize);

impl Slot {
    pub(crate) fn of(kind: Kind, tenant: &str, id: &str) -> Self {
        let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one((kind, tenant, id));
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits count")]
        Self(hash as usize % COUNTERS)
    }
}

impl Generations {
    pub(crate) fn now(&self, slot: Slot) -> u64 {
        self.0[slot.0].load(Ordering::Acquire)
    }

    pub(crate) fn moved(&self, slot: Slot) {
        self.0[slot.0].fetch_add(1, Ordering::AcqRel);
    }
}
