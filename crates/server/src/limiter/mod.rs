//! How many requests callers may send: of each address, of each client, of the tenant, and for some endpoints. Off unless
//! the operator says otherwise, and each node counts for itself; what has to be exact, such as quotas, is counted in the
//! database.
//!
//! A request takes from the buckets in that order, and from none after the first that refuses it. The tenant's buckets
//! are behind authentication wherever there is one: so neither who may not call at all nor who calls too often takes
//! anything from the others.

mod bucket;
mod profiles;

pub(crate) use bucket::{Bucket, Standing};
pub use bucket::{NotARate, Rate};
pub use profiles::Profile;

use crate::config::Config;
use crate::http::{Failure, OAuthError, network};
use crate::metrics::Counter;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use moka::sync::Cache;
use profiles::{Endpoint, Rates};
use std::borrow::Borrow;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tenantry_types::{ApiError, ErrorCode};

/// Addresses and clients whose buckets are remembered, some 200 bytes each. Of a flood of more, the rare ones are
/// forgotten first; they are still held by the limits of the tenant.
const REMEMBERED: u64 = 50_000;

pub(crate) const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
pub(crate) const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
pub(crate) const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The limits of a node.
pub(crate) struct Limiter {
    addresses: Option<Buckets<IpAddr>>,
    clients: Option<Buckets<Box<str>>>,
    management: Option<(Rate, Bucket)>,
    authentication: Option<(Rate, Bucket)>,
    endpoints: Box<[(&'static Endpoint, Bucket)]>,
    endpoints_stand_apart: bool,
    refused: [Counter; 4],
}

/// A bucket for each of many callers.
struct Buckets<K> {
    rate: Rate,
    buckets: Cache<K, Arc<Bucket>>,
}

impl<K: Hash + Eq + Send + Sync + 'static> Buckets<K> {
    fn new(rate: Rate) -> Self {
        let idle = Duration::from_secs(rate.forgotten_after());
        Self { rate, buckets: Cache::builder().max_capacity(REMEMBERED).time_to_idle(idle).build() }
    }

    fn take<Q>(&self, key: &Q, now: i64) -> Result<Standing, Standing>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned + ?Sized,
        Q::Owned: Into<K>,
    {
        let bucket = self.buckets.get(key);
        let bucket = bucket.unwrap_or_else(|| self.buckets.get_with(key.to_owned().into(), Arc::default));
        bucket.take(self.rate, now)
    }
}

/// Which bucket refused a request.
#[derive(Clone, Copy)]
enum Which {
    Address,
    Client,
    Tenant,
    Endpoint,
}

/// What the limits know of an operation.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    api: Api,
    endpoint: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Api {
    Management,
    /// The token endpoint, where clients authenticate.
    Token,
    /// What anybody may ask.
    Public,
    /// Nothing that there is.
    None,
}

/// A request on its way: what it has to pay where it is authenticated, and the tightest bucket so far.
#[derive(Clone, Copy)]
pub(crate) struct Ticket {
    subject: Subject,
    standing: Option<Standing>,
}

/// A request that is one too many.
#[derive(Debug)]
pub(crate) struct Refused {
    message: &'static str,
    standing: Standing,
}

impl Limiter {
    /// The limits that the operator asks for, if any.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        let Rates { management, authentication, endpoints, endpoints_stand_apart } =
            config.rate_limit.unwrap_or_default().rates();
        let with_bucket = |rate: Option<Rate>| rate.map(|rate| (rate, Bucket::default()));
        let limiter = Self {
            addresses: config.rate_limit_address.map(Buckets::new),
            clients: config.rate_limit_client.map(Buckets::new),
            management: with_bucket(config.rate_limit_management.or(management)),
            authentication: with_bucket(config.rate_limit_authentication.or(authentication)),
            endpoints: endpoints.iter().map(|endpoint| (endpoint, Bucket::default())).collect(),
            endpoints_stand_apart,
            refused: Default::default(),
        };
        let has_any = limiter.addresses.is_some()
            || limiter.clients.is_some()
            || limiter.management.is_some()
            || limiter.authentication.is_some();
        has_any.then_some(limiter)
    }

    /// The routes that have limits of their own.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &'static str> {
        self.endpoints.iter().flat_map(|(endpoint, _)| endpoint.routes.iter().copied())
    }

    /// What an operation is subject to.
    pub(crate) fn operation(&self, method: &str, route: &str) -> Subject {
        let is_it =
            |endpoint: &Endpoint| endpoint.methods.contains(&method) && endpoint.routes.contains(&route);
        let endpoint = self.endpoints.iter().position(|(endpoint, _)| is_it(endpoint));
        let api = match route {
            "/oauth/token" => Api::Token,
            _ if route.starts_with("/api/v2/") => Api::Management,
            _ => Api::Public,
        };
        Subject { api, endpoint: endpoint.and_then(|place| u16::try_from(place).ok()) }
    }

    /// Lets a request in, or does not.
    pub(crate) fn enter(
        &self,
        subject: Subject,
        query: Option<&str>,
        source: IpAddr,
        now: i64,
    ) -> Result<Ticket, Refused> {
        let has = |name: &str| {
            let mut parameters = query.unwrap_or_default().split('&');
            parameters.any(|parameter| parameter.split('=').next() == Some(name))
        };
        let applies = |place: &u16| self.endpoints[usize::from(*place)].0.parameter.is_none_or(has);
        let subject = Subject { endpoint: subject.endpoint.filter(applies), ..subject };
        let mut ticket = Ticket { subject, standing: None };
        if let Some(addresses) = &self.addresses {
            let taken = addresses.take(&network(source), now);
            ticket.passes(taken).map_err(|standing| self.refused(Which::Address, standing))?;
        }
        if subject.api == Api::Public { self.pay(ticket, None, now) } else { Ok(ticket) }
    }

    /// Takes what the request costs its client and the tenant.
    pub(crate) fn pay(&self, mut ticket: Ticket, client: Option<&str>, now: i64) -> Result<Ticket, Refused> {
        let Subject { api, endpoint } = ticket.subject;
        if let (Some(clients), Some(client)) = (&self.clients, client) {
            let taken = clients.take(client, now);
            ticket.passes(taken).map_err(|standing| {
                tracing::debug!(client, "the client sends too many requests");
                self.refused(Which::Client, standing)
            })?;
        }
        let stands_apart = self.endpoints_stand_apart && api == Api::Management && endpoint.is_some();
        if !stands_apart && let Some((rate, bucket)) = self.tenant(api) {
            let taken = bucket.take(*rate, now);
            ticket.passes(taken).map_err(|standing| self.refused(Which::Tenant, standing))?;
        }
        if let Some(place) = endpoint {
            let (endpoint, bucket) = &self.endpoints[usize::from(place)];
            let taken = bucket.take(endpoint.rate, now);
            ticket.passes(taken).map_err(|standing| self.refused(Which::Endpoint, standing))?;
        }
        Ok(ticket)
    }

    /// How the caller stands with a request that was not charged to the tenant.
    pub(crate) fn look(&self, ticket: Ticket, now: i64) -> Option<Standing> {
        let tenant = || self.tenant(ticket.subject.api).map(|(rate, bucket)| bucket.look(*rate, now));
        ticket.standing.or_else(tenant)
    }

    /// The tenant's limit of an API.
    fn tenant(&self, api: Api) -> Option<&(Rate, Bucket)> {
        match api {
            Api::Management => self.management.as_ref(),
            Api::Token | Api::Public => self.authentication.as_ref(),
            Api::None => None,
        }
    }

    fn refused(&self, which: Which, standing: Standing) -> Refused {
        self.refused[which as usize].increment();
        let message = match which {
            Which::Endpoint => "Endpoint limit has been reached",
            Which::Address | Which::Client | Which::Tenant => "Global limit has been reached",
        };
        Refused { message, standing }
    }

    /// Requests that were refused, by what refused them.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        ["address", "client", "tenant", "endpoint"].into_iter().zip(self.refused.iter().map(Counter::get))
    }
}

impl Subject {
    /// What no operation answers.
    pub(crate) const NOTHING: Self = Self { api: Api::None, endpoint: None };

    fn is_management(self) -> bool {
        self.api == Api::Management
    }
}

impl Ticket {
    /// Remembers the tightest of the buckets that let it pass.
    fn passes(&mut self, taken: Result<Standing, Standing>) -> Result<(), Standing> {
        let standing = taken?;
        if self.standing.is_none_or(|tightest| standing.remaining < tightest.remaining) {
            self.standing = Some(standing);
        }
        Ok(())
    }

    /// Tells the caller how it stands.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        if let Some(standing) = self.standing {
            standing.write(headers);
        }
    }
}

impl Standing {
    /// Tells the caller, in Auth0's headers.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        headers.extend(self.headers());
    }

    fn headers(self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let retry_after = self.retry_after.map(|seconds| (header::RETRY_AFTER, seconds.into()));
        let standing =
            [(LIMIT, self.limit.into()), (REMAINING, self.remaining.into()), (RESET, self.reset.into())];
        standing.into_iter().chain(retry_after)
    }
}

impl Refused {
    /// Refuses in the words of the API that was called.
    pub(crate) fn answer(self, subject: Subject) -> Response {
        if subject.is_management() { self.into_response() } else { OAuthError::from(self).into_response() }
    }

    /// In the Management API's.
    pub(crate) fn into_response(self) -> Response {
        let error = ApiError::new(429, self.message).with_code(ErrorCode::TooManyRequests);
        let mut response = Failure::from(error).into_response();
        self.standing.write(response.headers_mut());
        response
    }
}

impl From<Refused> for OAuthError {
    fn from(refused: Refused) -> Self {
        Self::new(429, "too_many_requests", refused.message).with_headers(refused.standing.headers())
    }
}

impl From<Standing> for Refused {
    /// An endpoint's own limit.
    fn from(standing: Standing) -> Self {
        Self { message: "Endpoint limit has been reached", standing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn limiter(config: &Config) -> Limiter {
        Limiter::of(config).unwrap()
    }

    fn admitted(limiter: &Limiter, subject: Subject, source: &str, client: Option<&str>) -> usize {
        let one = || {
            let ticket = limiter.enter(subject, None, source.parse().unwrap(), NOW)?;
            client.map_or(Ok(ticket), |client| limiter.pay(ticket, Some(client), NOW))
        };
        (0..100).filter(|_| one().is_ok()).count()
    }

    #[test]
    fn nothing_is_limited_unless_asked_for() {
        assert!(Limiter::of(&Config::default()).is_none());
        assert!(Limiter::of(&Config { rate_limit: Some(Profile::Off), ..Config::default() }).is_none());
    }

    #[test]
    fn a_noisy_client_takes_nothing_from_the_tenant_beyond_its_own() {
        let limiter = limiter(&Config {
            rate_limit_client: Some("5/s".parse().unwrap()),
            rate_limit_management: Some("12/s".parse().unwrap()),
            ..Config::default()
        });
        let subject = limiter.operation("GET", "/api/v2/clients");
        assert_eq!(admitted(&limiter, subject, "192.0.2.1", Some("noisy")), 5);
        assert_eq!(admitted(&limiter, subject, "192.0.2.1", Some("quiet")), 5);
        assert_eq!(
            admitted(&limiter, subject, "192.0.2.1", Some("third")),
            2,
            "the tenant's twelve are taken"
        );
    }

    #[test]
    fn who_is_not_authenticated_takes_nothing_from_the_tenant() {
        let limiter = limiter(&Config { rate_limit: Some(Profile::Free), ..Config::default() });
        for (method, route) in [("GET", "/api/v2/clients"), ("POST", "/oauth/token")] {
            let subject = limiter.operation(method, route);
            assert_eq!(admitted(&limiter, subject, "192.0.2.1", None), 100);
        }
        let management = limiter.operation("GET", "/api/v2/clients");
        assert_eq!(admitted(&limiter, management, "192.0.2.1", Some("c")), 2);
        let token = limiter.operation("POST", "/oauth/token");
        assert_eq!(admitted(&limiter, token, "192.0.2.1", Some("c")), 30);
    }

    #[test]
    fn an_address_is_an_ipv4_address_or_an_ipv6_network() {
        let limiter =
            limiter(&Config { rate_limit_address: Some("3/m".parse().unwrap()), ..Config::default() });
        let subject = Subject::NOTHING;
        assert_eq!(admitted(&limiter, subject, "192.0.2.1", None), 3);
        assert_eq!(admitted(&limiter, subject, "::ffff:192.0.2.1", None), 0);
        assert_eq!(admitted(&limiter, subject, "2001:db8::1", None), 3);
        assert_eq!(admitted(&limiter, subject, "2001:db8::2", None), 0);
        assert_eq!(admitted(&limiter, subject, "2001:db8:0:1::1", None), 3);
    }

    #[test]
    fn the_memory_of_addresses_is_bounded() {
        let limiter =
            limiter(&Config { rate_limit_address: Some("3/m".parse().unwrap()), ..Config::default() });
        for i in 0..120_000_u32 {
            let _ = limiter.enter(Subject::NOTHING, None, IpAddr::from(i.to_be_bytes()), NOW);
        }
        let buckets = &limiter.addresses.as_ref().unwrap().buckets;
        buckets.run_pending_tasks();
        assert!(buckets.entry_count() <= REMEMBERED);
    }

    #[test]
    fn the_tightest_bucket_is_told() {
        let limiter = limiter(&Config {
            rate_limit: Some(Profile::Enterprise),
            rate_limit_address: Some("1000/s".parse().unwrap()),
            ..Config::default()
        });
        let subject = limiter.operation("GET", "/api/v2/clients");
        let standing = |query| {
            let ticket = limiter.enter(subject, query, "192.0.2.1".parse().unwrap(), NOW).unwrap();
            limiter.pay(ticket, Some("c"), NOW).unwrap().standing.unwrap().limit
        };
        assert_eq!(standing(None), 50);
        assert_eq!(standing(Some("per_page=1&q=x")), 5, "searches have a limit of their own");
        assert_eq!(standing(Some("fq=x")), 50);
    }
}
