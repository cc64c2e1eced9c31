//! How caches learn that something changed, without a moment in which they could keep what is old.
//!
//! Each object belongs to one of a few thousand counters. Who reads an object from the database notes the counter
//! *before* reading and keeps it beside the cached copy; the copy is good only while the counter still shows that
//! number. A commit moves the counter. So a read that overlaps a write can cache an old copy, but never use it
//! afterwards, whichever of the two finished first.
//!
//! Where other processes write to the same database, they tell what they changed. What is cached counts only under a
//! lease, renewed as long as that news is known to arrive; without one, every look at a counter finds another number.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a cached object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Client,
    /// The order and filters of a tenant's clients: anything but an addition at the end.
    ClientList,
    Grant,
    ResourceServer,
    TenantSettings,
    /// All of a tenant, under no id.
    SigningKeys,
    /// By id, and by name.
    Organization,
    /// That a client grant was given to an organization.
    OrganizationGrant,
}

impl Kind {
    /// In the order of their declaration.
    pub(crate) const ALL: [Self; 8] = [
        Self::Client,
        Self::ClientList,
        Self::Grant,
        Self::ResourceServer,
        Self::TenantSettings,
        Self::SigningKeys,
        Self::Organization,
        Self::OrganizationGrant,
    ];

    /// What processes of different versions agree on.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::ClientList => "client list",
            Self::Grant => "grant",
            Self::ResourceServer => "resource server",
            Self::TenantSettings => "tenant settings",
            Self::SigningKeys => "signing keys",
            Self::Organization => "organization",
            Self::OrganizationGrant => "organization grant",
        }
    }
}

const COUNTERS: usize = 4_096;

/// Marks a number that no counter ever shows.
const UNTRUSTED: u64 = 1 << 63;
const FOREVER: u64 = u64::MAX;

/// The counters.
#[derive(Debug)]
pub(crate) struct Generations {
    counters: Box<[AtomicU64]>,
    started: Instant,
    /// Microseconds after the start until which the counters can be trusted.
    lease: AtomicU64,
    untrusted: AtomicU64,
}

impl Default for Generations {
    /// Counters of a database that no other process writes to.
    fn default() -> Self {
        Self {
            counters: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect(),
            started: Instant::now(),
            lease: AtomicU64::new(FOREVER),
            untrusted: AtomicU64::new(UNTRUSTED),
        }
    }
}

/// Which counter an object belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(usize);

impl Slot {
    pub(crate) fn of(kind: Kind, tenant: &str, id: &str) -> Self {
        let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one((kind.name(), tenant, id));
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits count")]
        Self(hash as usize % COUNTERS)
    }

    /// The slot as other processes name it, if they hash alike.
    pub(super) fn number(self) -> usize {
        self.0
    }

    /// Tells whether another process hashes alike: it has the same number here.
    pub(super) fn probe() -> usize {
        Self::of(Kind::Client, "probe", "probe").0
    }
}

impl Generations {
    /// Counters of a database that others write to: nothing is trusted before the first [`Generations::trust`].
    pub(super) fn shared() -> Self {
        Self { lease: AtomicU64::new(0), ..Self::default() }
    }

    /// Whether what is cached counts.
    pub(crate) fn are_trusted(&self) -> bool {
        let lease = self.lease.load(Ordering::Acquire);
        lease == FOREVER || self.micros(Instant::now()) < lease
    }

    pub(crate) fn now(&self, slot: Slot) -> u64 {
        if !self.are_trusted() {
            return self.untrusted.fetch_add(1, Ordering::Relaxed);
        }
        self.counters[slot.0].load(Ordering::Acquire)
    }

    pub(crate) fn moved(&self, slot: Slot) {
        self.counters[slot.0].fetch_add(1, Ordering::AcqRel);
    }

    /// Moves the counter that another process names.
    pub(super) fn moved_number(&self, number: usize) {
        if number < COUNTERS {
            self.moved(Slot(number));
        }
    }

    /// Moves all of them: nobody knows what changed.
    pub(super) fn moved_all(&self) {
        (0..COUNTERS).for_each(|number| self.moved(Slot(number)));
    }

    /// Everything that others wrote before `since` has been heard of; that is good enough for `lease`.
    pub(super) fn trust(&self, since: Instant, lease: Duration) {
        self.lease.store(self.micros(since + lease), Ordering::Release);
    }

    /// News is known not to arrive any more.
    pub(super) fn distrust(&self) {
        self.lease.store(0, Ordering::Release);
    }

    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.started).as_micros()).unwrap_or(FOREVER - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_are_listed_in_order() {
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place, "{kind:?}");
        }
    }

    #[test]
    fn counters_of_a_shared_database_count_only_under_a_lease() {
        let generations = Generations::shared();
        let slot = Slot::of(Kind::Client, "t", "c");
        assert_ne!(generations.now(slot), generations.now(slot));
        generations.trust(Instant::now(), Duration::from_secs(60));
        let trusted = generations.now(slot);
        assert_eq!(generations.now(slot), trusted);
        generations.moved_number(slot.number());
        assert_ne!(generations.now(slot), trusted);
        generations.distrust();
        assert_ne!(generations.now(slot), generations.now(slot));
    }
}
