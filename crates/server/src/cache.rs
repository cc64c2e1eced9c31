//! Objects kept in memory, never used after they changed; see [`Generations`](crate::db::generations::Generations).

use crate::db::generations::Slot;
use crate::db::{Db, DbResult, Kind};
use moka::sync::Cache as Map;
use std::sync::Arc;

/// A bounded cache of one kind of object of one tenant.
pub(crate) struct Cache<T> {
    kind: Kind,
    map: Map<Box<str>, (u64, Arc<T>)>,
}

impl<T: Send + Sync + 'static> Cache<T> {
    pub(crate) fn new(kind: Kind, capacity: u64) -> Self {
        Self { kind, map: Map::new(capacity) }
    }

    /// The object of that id, from memory or through `load`. What is not there is not remembered.
    pub(crate) async fn get(
        &self,
        db: &Db,
        tenant: &str,
        id: &str,
        load: impl AsyncFnOnce() -> DbResult<Option<T>>,
    ) -> DbResult<Option<Arc<T>>> {
        let slot = Slot::of(self.kind, tenant, id);
        let generation = db.generations().now(slot);
        if let Some((seen, object)) = self.map.get(id)
            && seen == generation
        {
            db.figures().cache(self.kind).hits.increment();
            return Ok(Some(object));
        }
        db.figures().cache(self.kind).misses.increment();
        let Some(object) = load().await?.map(Arc::new) else {
            self.map.invalidate(id);
            return Ok(None);
        };
        self.map.insert(id.into(), (generation, Arc::clone(&object)));
        Ok(Some(object))
    }
}
