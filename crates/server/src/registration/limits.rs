//! How often clients may register themselves: the tenant's limit, which Auth0 documents, and one for each source, so that
//! nobody uses it up alone.

use crate::http::network;
use crate::limiter::{Bucket, Rate, Standing};
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

/// Registrations of a tenant.
const PER_TENANT: Rate = Rate::per_second(5, 5);
/// Registrations of a source.
const PER_SOURCE: Rate = Rate::per_second(2, 2);
/// Sources that are remembered. Who is forgotten is limited by the tenant's limit still.
const REMEMBERED: usize = 10_000;
/// Tenants likewise.
const TENANTS: usize = 1_000;

/// The limits of one server.
pub(crate) struct RegistrationLimits {
    tenants: Cache<Box<str>, Arc<Bucket>>,
    sources: Cache<(Box<str>, IpAddr), Arc<Bucket>>,
}

impl Default for RegistrationLimits {
    fn default() -> Self {
        Self { tenants: Cache::new(TENANTS), sources: Cache::new(REMEMBERED) }
    }
}

impl RegistrationLimits {
    /// Counts one more registration, if it is within the limits.
    pub(super) fn admit(&self, tenant: &str, source: IpAddr, now: i64) -> Result<(), Standing> {
        bucket(&self.sources, &(tenant.into(), network(source))).take(PER_SOURCE, now)?;
        bucket(&self.tenants, &Box::from(tenant)).take(PER_TENANT, now)?;
        Ok(())
    }
}

fn bucket<K: Clone + Eq + Hash>(known: &Cache<K, Arc<Bucket>>, key: &K) -> Arc<Bucket> {
    let Ok(bucket) = known.get_or_insert_with(key, || Ok::<_, Infallible>(Arc::default()));
    bucket
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(limits: &RegistrationLimits, source: &str, now: i64) -> usize {
        (0..20).filter(|_| limits.admit("t", source.parse().unwrap(), now).is_ok()).count()
    }

    #[test]
    fn nobody_uses_up_the_limit_of_the_tenant() {
        let limits = RegistrationLimits::default();
        assert_eq!(admitted(&limits, "192.0.2.1", 1_000_000), 2);
        assert_eq!(admitted(&limits, "192.0.2.2", 1_000_000), 2);
        assert_eq!(admitted(&limits, "192.0.2.3", 1_000_000), 1, "the tenant's five are taken");
        assert_eq!(admitted(&limits, "192.0.2.1", 1_000_500), 1);
        assert_eq!(admitted(&limits, "192.0.2.1", 1_005_000), 2, "silence saves nothing up");
    }

    #[test]
    fn addresses_of_one_network_are_one_source() {
        let limits = RegistrationLimits::default();
        assert_eq!(admitted(&limits, "2001:db8::1", 1_000_000), 2);
        assert_eq!(admitted(&limits, "2001:db8::ffff:1", 1_000_000), 0);
        assert_eq!(admitted(&limits, "2001:db8:0:1::1", 1_000_000), 2);
        assert_eq!(admitted(&limits, "::ffff:192.0.2.1", 1_001_000), 2);
        assert_eq!(admitted(&limits, "192.0.2.1", 1_001_000), 0);
    }

    #[test]
    fn the_memory_of_sources_is_bounded() {
        let limits = RegistrationLimits::default();
        for i in 0..30_000_u32 {
            let _ = limits.admit("t", IpAddr::from(i.to_be_bytes()), 0);
        }
        assert!(limits.sources.len() <= REMEMBERED);
    }
}
