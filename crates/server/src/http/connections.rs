//! How many connections there may be, and how many there are.

use crate::metrics::{Counter, Gauge};
use ipnet::IpNet;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The connections of one kind of listener.
pub(crate) struct Connections {
    most: u64,
    most_per_address: u64,
    /// Networks that speak for many callers, so that the limit of an address is not theirs.
    proxies: Vec<IpNet>,
    addresses: Mutex<HashMap<IpAddr, u64>>,
    is_full: AtomicBool,
    pub(crate) figures: Arc<ConnectionFigures>,
}

/// What became of connections.
#[derive(Default)]
pub(crate) struct ConnectionFigures {
    pub(crate) open: Gauge,
    pub(crate) accepted: Counter,
    full: Counter,
    address: Counter,
    pub(super) handshake: Counter,
    pub(super) slow_handshake: Counter,
    pub(super) slow_headers: Counter,
    pub(super) slow_reader: Counter,
}

impl ConnectionFigures {
    /// Connections that the server ended before their time, by reason.
    pub(crate) fn closed(&self) -> [(&'static str, u64); 6] {
        [
            ("too many connections", self.full.get()),
            ("too many of an address", self.address.get()),
            ("handshake failed", self.handshake.get()),
            ("slow handshake", self.slow_handshake.get()),
            ("slow headers", self.slow_headers.get()),
            ("slow reader", self.slow_reader.get()),
        ]
    }
}

impl Connections {
    pub(crate) fn new(most: u64, most_per_address: u64, proxies: Vec<IpNet>) -> Self {
        Self {
            most,
            most_per_address,
            proxies,
            addresses: Mutex::default(),
            is_full: AtomicBool::new(false),
            figures: Arc::default(),
        }
    }

    /// One more connection, unless there are as many as there may be.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Admitted> {
        self.figures.accepted.increment();
        if self.figures.open.get() >= self.most {
            self.figures.full.increment();
            if !self.is_full.swap(true, Ordering::Relaxed) {
                tracing::warn!(most = self.most, "there are as many connections as there may be");
            }
            return None;
        }
        self.is_full.store(false, Ordering::Relaxed);
        let peer = peer.to_canonical();
        let address = (!self.proxies.iter().any(|proxy| proxy.contains(&peer))).then(|| network(peer));
        if let Some(address) = address {
            let mut addresses = self.addresses.lock();
            let count = addresses.entry(address).or_default();
            if *count >= self.most_per_address {
                drop(addresses);
                self.figures.address.increment();
                tracing::debug!(%address, "as many connections of this address as there may be");
                return None;
            }
            *count += 1;
        }
        self.figures.open.increment();
        Some(Admitted { connections: Arc::clone(self), address })
    }
}

/// A connection; it counts until this is dropped.
pub(super) struct Admitted {
    connections: Arc<Connections>,
    address: Option<IpAddr>,
}

impl Admitted {
    pub(super) fn figures(&self) -> &Arc<ConnectionFigures> {
        &self.connections.figures
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.connections.figures.open.decrement();
        let Some(address) = self.address else { return };
        let mut addresses = self.connections.addresses.lock();
        if let Some(count) = addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&address);
            }
        }
    }
}

/// What counts as one caller: an IPv4 address, or the network of an IPv6 host, which has as many addresses as it likes.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(connections: &Arc<Connections>, peer: &str) -> Option<Admitted> {
        connections.admit(peer.parse().unwrap())
    }

    #[test]
    fn an_address_has_its_share_and_leaves_the_rest_to_others() {
        let connections = Arc::new(Connections::new(4, 2, vec!["10.0.0.0/8".parse().unwrap()]));
        let first = admit(&connections, "192.0.2.1").unwrap();
        let _second = admit(&connections, "::ffff:192.0.2.1").unwrap();
        assert!(admit(&connections, "192.0.2.1").is_none());
        drop(first);
        let _again = admit(&connections, "192.0.2.1").unwrap();
        let _proxy = [admit(&connections, "10.0.0.1").unwrap(), admit(&connections, "10.0.0.1").unwrap()];
        assert!(admit(&connections, "10.0.0.1").is_none(), "there are four");
        assert_eq!(connections.figures.open.get(), 4);
    }

    #[test]
    fn addresses_that_left_are_forgotten() {
        let connections = Arc::new(Connections::new(10, 1, vec![]));
        let first = admit(&connections, "2001:db8::1").unwrap();
        assert!(admit(&connections, "2001:db8::2").is_none(), "the same host, most likely");
        drop(first);
        assert!(connections.addresses.lock().is_empty());
        assert_eq!(connections.figures.open.get(), 0);
    }
}
