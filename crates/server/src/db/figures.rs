//! What the database and the caches of its objects did.

use super::Kind;
use crate::metrics::{Counter, Histogram, Lookups, Times};

/// Transactions in a commit.
const SIZES: [u64; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/// More than there are kinds of objects.
const MOST_KINDS: usize = 32;

pub(crate) struct Figures {
    caches: [Lookups; MOST_KINDS],
    /// Statements that only read, each with the wait for a connection.
    pub(crate) reads: Times,
    /// Transactions by how they ended.
    pub(crate) committed: Counter,
    pub(crate) refused: Counter,
    pub(crate) failed: Counter,
    /// Commits: how long each took, and of how many transactions.
    pub(crate) commits: Times,
    pub(crate) batches: Histogram<9>,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            caches: Default::default(),
            reads: Times::default(),
            committed: Counter::default(),
            refused: Counter::default(),
            failed: Counter::default(),
            commits: Times::default(),
            batches: Histogram::new(&SIZES),
        }
    }
}

impl Figures {
    /// Counts a group of transactions, of which `kept` were to be committed.
    pub(super) fn count(&self, all: usize, kept: usize, did_commit: bool) {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        self.refused.add(count(all - kept));
        if !did_commit {
            self.failed.add(count(kept));
        } else if kept > 0 {
            self.committed.add(count(kept));
            self.batches.record(count(kept));
        }
    }

    /// The look-ups in caches of that kind of object.
    pub(crate) fn cache(&self, kind: Kind) -> &Lookups {
        &self.caches[kind as usize]
    }
}

/// How much waits, and how many connections there are, at this moment.
pub(crate) struct Load {
    /// Transactions that wait for the writer.
    pub(crate) waiting_transactions: usize,
    /// Connections that read: as many as there may be or are kept, and those that nobody uses.
    pub(crate) most_readers: usize,
    pub(crate) idle_readers: usize,
    /// Requests that wait for such a connection.
    pub(crate) waiting_reads: usize,
    /// Whether what is in memory counts: news from the other nodes arrives.
    pub(crate) is_trusted: bool,
}
