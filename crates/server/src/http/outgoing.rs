//! What the server fetches from elsewhere, at addresses that others choose.
//!
//! A name is resolved once; every address that it has must be a public one; and the connection goes to one of these very
//! addresses, so that a second answer of the name server has no effect. Only `https` with a trusted certificate, no
//! redirects, no proxies, no cookies, no credentials, and limits on time and size.

use ipnet::IpNet;
use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, header, redirect};
use serde_json::Value;
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;
use tenantry_types::json;
use tokio::sync::Semaphore;
use url::{Host, Url};

/// Connecting, in which the handshake is included, takes no longer.
const CONNECT: Duration = Duration::from_secs(3);
/// A whole fetch takes no longer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Fetches at the same time; more wait their turn.
const AT_ONCE: usize = 16;

/// What is not a public address of one host: the registries of special purposes (RFC 6890, as IANA keeps them),
/// multicast, what embeds another address (6to4, NAT64, Teredo), and addresses of clouds that answer their own machines.
const NOT_PUBLIC: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    // Azure's wire server stands among public addresses.
    "168.63.129.16/32",
    // Of IPv6, only 2000::/3 is given to hosts at all; these parts of it are not.
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
];

static NETWORKS: LazyLock<Vec<IpNet>> =
    LazyLock::new(|| NOT_PUBLIC.iter().map(|network| network.parse().expect("a constant network")).collect());
static UNICAST: LazyLock<IpNet> = LazyLock::new(|| "2000::/3".parse().expect("a constant network"));

/// Whether a fetch may go to this address.
fn is_public(address: IpAddr) -> bool {
    (address.is_ipv4() || UNICAST.contains(&address))
        && !NETWORKS.iter().any(|network| network.contains(&address))
}

/// Where names lead, for programs that run a server inside them, as tests do. The command line and the configuration
/// have no way to set it: a server takes names, addresses and trust from its system.
#[derive(Clone, Default)]
pub struct Network(Option<Arc<Routes>>);

struct Routes {
    lookup: Lookup,
    authorities: Vec<Certificate>,
    connected: Mutex<HashSet<IpAddr>>,
}

type Lookup = Box<dyn Fn(&str) -> Vec<(IpAddr, SocketAddr)> + Send + Sync>;

impl Network {
    /// A network in which `lookup` gives the addresses of a name, each with where a connection to it really goes, and
    /// in which these authorities (in PEM) are trusted and no others.
    ///
    /// # Panics
    /// An authority is not a certificate.
    pub fn routed(
        lookup: impl Fn(&str) -> Vec<(IpAddr, SocketAddr)> + Send + Sync + 'static,
        authorities: &[&str],
    ) -> Self {
        let authorities = authorities
            .iter()
            .map(|pem| Certificate::from_pem(pem.as_bytes()).expect("a certificate in PEM"))
            .collect();
        Self(Some(Arc::new(Routes { lookup: Box::new(lookup), authorities, connected: Mutex::default() })))
    }

    /// The addresses that names were resolved to and that connections were allowed to go to.
    #[must_use]
    pub fn allowed(&self) -> HashSet<IpAddr> {
        self.0.as_ref().map_or_else(HashSet::new, |routes| routes.connected.lock().clone())
    }

    async fn resolve(&self, name: &str) -> std::io::Result<Vec<SocketAddr>> {
        let found: Vec<(IpAddr, SocketAddr)> = match &self.0 {
            Some(routes) => (routes.lookup)(name),
            // Port 0 stands for the one of the URL.
            None => tokio::net::lookup_host((name, 0)).await?.map(|found| (found.ip(), found)).collect(),
        };
        // One address that is not public makes the name suspect as a whole.
        if found.is_empty() || found.iter().any(|(address, _)| !is_public(*address)) {
            return Err(std::io::Error::other("the host has no address, or one that is not public"));
        }
        if let Some(routes) = &self.0 {
            routes.connected.lock().extend(found.iter().map(|(address, _)| *address));
        }
        Ok(found.into_iter().map(|(_, to)| to).collect())
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Network(routed)" } else { "Network(system)" })
    }
}

struct Resolver(Network);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let network = self.0.clone();
        Box::pin(async move {
            let addresses = network.resolve(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Fetches documents.
pub(crate) struct Outgoing {
    network: Network,
    /// Made when it is needed first: most servers never fetch anything, and it reads the system's authorities.
    client: OnceLock<Option<Client>>,
    permits: Semaphore,
}

impl Outgoing {
    pub(crate) fn new(network: Network) -> Self {
        Self { network, client: OnceLock::new(), permits: Semaphore::new(AT_ONCE) }
    }

    fn make(network: &Network) -> Result<Client, reqwest::Error> {
        let mut builder = Client::builder()
            .dns_resolver(Arc::new(Resolver(network.clone())))
            .no_proxy()
            .https_only(true)
            .redirect(redirect::Policy::none())
            .referer(false)
            // A kept connection would go to an address that was checked at another time.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .user_agent("Tenantry");
        if let Some(routes) = &network.0 {
            builder = builder.tls_certs_only(routes.authorities.clone());
        }
        builder.build()
    }

    fn client(&self) -> Result<&Client, String> {
        let make = || {
            Self::make(&self.network)
                .inspect_err(|error| {
                    tracing::error!(error = error as &dyn std::error::Error, "nothing can be fetched");
                })
                .ok()
        };
        self.client.get_or_init(make).as_ref().ok_or_else(|| "the server cannot fetch anything".to_owned())
    }

    /// The JSON document at `url`, of `most` bytes at most; or why there is none, in words that may be shown.
    pub(crate) async fn json(&self, url: &Url, most: usize) -> Result<Value, String> {
        // An address in the URL itself would not be resolved, and so not be checked.
        if url.scheme() != "https" || !matches!(url.host(), Some(Host::Domain(_))) {
            return Err("only https URLs with a host name are fetched".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("no URL with a user name or password is fetched".into());
        }
        let bytes = tokio::time::timeout(PATIENCE, self.bytes(url, most));
        let bytes = bytes.await.map_err(|_| "it took too long".to_owned())??;
        json::parse(&bytes).map_err(|_| "it is not a JSON document".into())
    }

    async fn bytes(&self, url: &Url, most: usize) -> Result<Vec<u8>, String> {
        let _permit = self.permits.acquire().await.map_err(|_| "the server is stopping".to_owned())?;
        let request = self.client()?.get(url.clone()).header(header::ACCEPT, "application/json");
        let mut response = request.send().await.map_err(|error| reason(&error))?;
        let status = response.status();
        if status.is_redirection() {
            return Err(format!("it redirects (status {}); redirects are not followed", status.as_u16()));
        }
        if status.as_u16() != 200 {
            return Err(format!("the status is {}, not 200", status.as_u16()));
        }
        let too_large = || format!("it is larger than {most} bytes");
        if response.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| reason(&error))? {
            if bytes.len() + chunk.len() > most {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// Says what kind of failure it was, and no more: details are for the log.
fn reason(error: &reqwest::Error) -> String {
    tracing::info!(error = error as &dyn std::error::Error, "a fetch failed");
    if error.is_timeout() {
        "it took too long".into()
    } else if error.is_connect() {
        "no connection could be made: the host is unknown, not public, silent, or has no trusted certificate"
            .into()
    } else {
        "the connection failed".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn public(address: &str) -> bool {
        is_public(address.parse().unwrap())
    }

    #[test]
    fn only_public_addresses_are_public() {
        for good in
            ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"]
        {
            assert!(public(good), "{good}");
        }
        for bad in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(bad), "{bad}");
        }
    }

    proptest! {
        /// The standard library knows some of the special ranges too.
        #[test]
        fn what_the_standard_library_calls_special_is_not_public(bits: u32, low: u128) {
            let v4 = Ipv4Addr::from(bits);
            let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_broadcast()
                || v4.is_documentation() || v4.is_unspecified() || v4.is_multicast();
            prop_assert!(!(special && is_public(v4.into())), "{v4}");
            prop_assert!(!is_public(v4.to_ipv6_mapped().into()));
            let v6 = Ipv6Addr::from(low);
            let special = v6.is_loopback() || v6.is_multicast() || v6.is_unique_local() || v6.is_unicast_link_local();
            prop_assert!(!(special && is_public(v6.into())), "{v6}");
        }
    }

    #[tokio::test]
    async fn a_name_with_one_address_that_is_not_public_is_refused() {
        let to: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let lookup = move |name: &str| {
            let mut found = vec![("1.1.1.1".parse().unwrap(), to)];
            if name == "mixed.example" {
                found.push(("10.0.0.1".parse().unwrap(), to));
            }
            found
        };
        let network = Network::routed(lookup, &[]);
        assert_eq!(network.resolve("good.example").await.unwrap(), [to]);
        assert!(network.resolve("mixed.example").await.is_err());
        assert_eq!(network.allowed().len(), 1);
        // The system's resolver is held to the same.
        assert!(Network::default().resolve("localhost").await.is_err());
    }
}
