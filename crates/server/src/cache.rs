//! Objects kept in memory, never used after they changed; see [`Generations`](crate::db::generations::Generations).

use crate::db::generations::Slot;
use crate::db::{Db, DbResult, Kind};
use quick_cache::Weighter;
use quick_cache::sync::Cache as Map;
use std::sync::Arc;

/// Beside what an object says that it weighs: its entry, and the reference counts.
const ENTRY: usize = 128;
/// Longer ids are no object's; who asks for them fills no memory with it.
const LONGEST_ID: usize = 256;

/// A bounded cache of one kind of object of one tenant.
pub(crate) struct Cache<T> {
    kind: Kind,
    map: Map<Box<str>, Seen<T>, Weigh<T>>,
}

/// What was there, or that nothing was, and the number that its counter showed before.
struct Seen<T> {
    generation: u64,
    object: Option<Arc<T>>,
}

impl<T> Clone for Seen<T> {
    fn clone(&self) -> Self {
        Self { generation: self.generation, object: self.object.clone() }
    }
}

/// How many bytes an object takes in memory, roughly.
struct Weigh<T>(fn(&T) -> usize);

impl<T> Clone for Weigh<T> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<T> Weighter<Box<str>, Seen<T>> for Weigh<T> {
    fn weight(&self, id: &Box<str>, seen: &Seen<T>) -> u64 {
        let object = seen.object.as_deref().map_or(0, |object| size_of::<T>() + (self.0)(object));
        (ENTRY + id.len() + object) as u64
    }
}

impl<T: Send + Sync + 'static> Cache<T> {
    /// A cache of `bytes` at most, where an object takes what `weigh` says besides its own size, and about `typical` is
    /// expected.
    pub(crate) fn new(kind: Kind, bytes: usize, weigh: fn(&T) -> usize) -> Self {
        let typical = ENTRY + size_of::<T>() + 256;
        Self { kind, map: Map::with_weighter(bytes / typical, bytes as u64, Weigh(weigh)) }
    }

    /// The object of that id, from memory or through `load`. That there is none is remembered likewise, and forgotten
    /// likewise when there comes to be one.
    pub(crate) async fn get(
        &self,
        db: &Db,
        tenant: &str,
        id: &str,
        load: impl AsyncFnOnce() -> DbResult<Option<T>>,
    ) -> DbResult<Option<Arc<T>>> {
        let generation = db.generations().now(Slot::of(self.kind, tenant, id));
        if let Some(seen) = self.map.get(id)
            && seen.generation == generation
        {
            db.figures().cache(self.kind).hits.increment();
            return Ok(seen.object);
        }
        db.figures().cache(self.kind).misses.increment();
        let object = load().await?.map(Arc::new);
        if id.len() <= LONGEST_ID {
            self.map.insert(id.into(), Seen { generation, object: object.clone() });
        }
        Ok(object)
    }
}
