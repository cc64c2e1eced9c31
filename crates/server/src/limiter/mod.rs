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

use crate::app::App;
use crate::audit::{LimitReached, ReachedLimit};
use crate::clients::Client;
use crate::config::Config;
use crate::http::{Failure, OAuthError, network};
use crate::metrics::Counter;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use profiles::{Endpoint, Rates};
use quick_cache::sync::Cache;
use std::borrow::Borrow;
use std::convert::Infallible;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use tenantry_types::{ApiError, ErrorCode};

/// Addresses and clients whose buckets are remembered, some 200 bytes each. Of a flood of more, the rare ones are
/// forgotten first; they are still held by the limits of the tenant.
const REMEMBERED: usize = 50_000;

pub(crate) const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
pub(crate) const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
pub(crate) const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The limits of a node.
pub(crate) struct Limiter {
    addresses: Option<Buckets<IpAddr>>,
    tokens: Option<Buckets<Box<str>>>,
    clients: Option<Buckets<Box<str>>>,
    management: Option<(Rate, Bucket)>,
    authentication: Option<(Rate, Bucket)>,
    endpoints: Box<[(&'static Endpoint, Bucket)]>,
    endpoints_stand_apart: bool,
    refused: [Counter; WHOSE.len()],
}

/// A bucket for each of many callers.
struct Buckets<K> {
    rate: Rate,
    buckets: Cache<K, Arc<Bucket>>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(rate: Rate) -> Self {
        Self { rate, buckets: Cache::new(REMEMBERED) }
    }

    fn take<Q>(&self, key: &Q, now: i64) -> Result<Standing, Standing>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned + ?Sized,
        Q::Owned: Into<K>,
    {
        let bucket = self.buckets.get(key).unwrap_or_else(|| {
            let Ok(bucket) = self
                .buckets
                .get_or_insert_with(&key.to_owned().into(), || Ok::<_, Infallible>(Arc::default()));
            bucket
        });
        bucket.take(self.rate, now)
    }
}

/// Which bucket refused a request.
#[derive(Clone, Copy, Debug)]
enum Which {
    Address,
    Token,
    Client,
    Tenant,
    Endpoint,
}

/// Their names.
const WHOSE: [&str; 5] = ["address", "token", "client", "tenant", "endpoint"];

/// What the limits know of an operation.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    api: Api,
    route: &'static str,
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
    source: IpAddr,
    standing: Option<Standing>,
}

/// Who pays for a request, as far as that is known.
#[derive(Clone, Copy, Default)]
pub(crate) struct Payer<'a> {
    pub(crate) client: Option<&'a str>,
    pub(crate) token: Option<&'a str>,
}

/// A request that is one too many.
#[derive(Debug)]
pub(crate) struct Refused {
    which: Which,
    route: &'static str,
    source: IpAddr,
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
            tokens: config.rate_limit_token.map(Buckets::new),
            clients: config.rate_limit_client.map(Buckets::new),
            management: with_bucket(config.rate_limit_management.or(management)),
            authentication: with_bucket(config.rate_limit_authentication.or(authentication)),
            endpoints: endpoints.iter().map(|endpoint| (endpoint, Bucket::default())).collect(),
            endpoints_stand_apart,
            refused: Default::default(),
        };
        let has_any = limiter.addresses.is_some()
            || limiter.tokens.is_some()
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
    pub(crate) fn operation(&self, method: &str, route: &'static str) -> Subject {
        let is_it =
            |endpoint: &Endpoint| endpoint.methods.contains(&method) && endpoint.routes.contains(&route);
        let endpoint = self.endpoints.iter().position(|(endpoint, _)| is_it(endpoint));
        let api = match route {
            "/oauth/token" => Api::Token,
            _ if route.starts_with("/api/v2/") => Api::Management,
            _ => Api::Public,
        };
        Subject { api, route, endpoint: endpoint.and_then(|place| u16::try_from(place).ok()) }
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
        let mut ticket = Ticket { subject, source, standing: None };
        if let Some(addresses) = &self.addresses {
            self.charge(&mut ticket, Which::Address, addresses.take(&network(source), now))?;
        }
        if subject.api == Api::Public { self.pay(ticket, Payer::default(), now) } else { Ok(ticket) }
    }

    /// Takes what the request costs its token, its client and the tenant.
    pub(crate) fn pay(&self, mut ticket: Ticket, payer: Payer<'_>, now: i64) -> Result<Ticket, Refused> {
        let Subject { api, endpoint, .. } = ticket.subject;
        if let (Some(tokens), Some(token)) = (&self.tokens, payer.token) {
            self.charge(&mut ticket, Which::Token, tokens.take(token, now))?;
        }
        if let (Some(clients), Some(client)) = (&self.clients, payer.client) {
            self.charge(&mut ticket, Which::Client, clients.take(client, now))?;
        }
        let stands_apart = self.endpoints_stand_apart && api == Api::Management && endpoint.is_some();
        if !stands_apart && let Some((rate, bucket)) = self.tenant(api) {
            self.charge(&mut ticket, Which::Tenant, bucket.take(*rate, now))?;
        }
        if let Some(place) = endpoint {
            let (endpoint, bucket) = &self.endpoints[usize::from(place)];
            self.charge(&mut ticket, Which::Endpoint, bucket.take(endpoint.rate, now))?;
        }
        Ok(ticket)
    }

    /// Remembers the tightest of the buckets that let the request pass, and counts one that does not.
    fn charge(
        &self,
        ticket: &mut Ticket,
        which: Which,
        taken: Result<Standing, Standing>,
    ) -> Result<(), Refused> {
        match taken {
            Ok(standing) => {
                if ticket.standing.is_none_or(|tightest| standing.remaining < tightest.remaining) {
                    ticket.standing = Some(standing);
                }
                Ok(())
            }
            Err(standing) => {
                self.refused[which as usize].increment();
                Err(Refused { which, route: ticket.subject.route, source: ticket.source, standing })
            }
        }
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

    /// Requests that were refused, by what refused them.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        WHOSE.into_iter().zip(self.refused.iter().map(Counter::get))
    }
}

impl Subject {
    /// What no operation answers.
    pub(crate) const NOTHING: Self = Self { api: Api::None, route: "unmatched", endpoint: None };

    fn is_management(self) -> bool {
        self.api == Api::Management
    }
}

impl Ticket {
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
    /// By the limit of an endpoint that limits itself.
    pub(crate) fn by_endpoint(route: &'static str, source: IpAddr, standing: Standing) -> Self {
        Self { which: Which::Endpoint, route, source, standing }
    }

    fn message(&self) -> &'static str {
        match self.which {
            Which::Endpoint => "Endpoint limit has been reached",
            Which::Address | Which::Token | Which::Client | Which::Tenant => "Global limit has been reached",
        }
    }

    /// Tells whoever reads the log, once a minute for each bucket.
    pub(crate) fn tell(&self, app: &App, client: Option<&Client>) {
        if !self.standing.is_news {
            return;
        }
        let whose = WHOSE[self.which as usize];
        let (route, source) = (self.route, self.source);
        let client_id = client.map(|client| client.client_id.as_str());
        tracing::info!(whose, route, %source, client_id, "a rate limit has been reached");
        app.audit.limit_reached(
            app,
            client,
            &LimitReached {
                description: self.message(),
                client_name: client.map_or("", |client| &client.name),
                ip: source,
                hostname: &app.domain,
                details: ReachedLimit { limit: whose, size: self.standing.limit, route },
            },
        );
    }

    /// Refuses in the words of the API that was called.
    pub(crate) fn answer(self, subject: Subject) -> Response {
        if subject.is_management() { self.into_response() } else { OAuthError::from(self).into_response() }
    }

    /// In the Management API's.
    pub(crate) fn into_response(self) -> Response {
        let error = ApiError::new(429, self.message()).with_code(ErrorCode::TooManyRequests);
        let mut response = Failure::from(error).into_response();
        self.standing.write(response.headers_mut());
        response
    }
}

impl From<Refused> for OAuthError {
    fn from(refused: Refused) -> Self {
        Self::new(429, "too_many_requests", refused.message()).with_headers(refused.standing.headers())
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
            client.map_or(Ok(ticket), |client| {
                limiter.pay(ticket, Payer { client: Some(client), token: None }, NOW)
            })
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
    fn any_rate_can_be_a_limit_of_each_caller() {
        let config = Config { rate_limit_address: Some("1/d:1000000".parse().unwrap()), ..Config::default() };
        assert_eq!(admitted(&limiter(&config), Subject::NOTHING, "192.0.2.1", None), 100);
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
        assert!(buckets.len() <= REMEMBERED);
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
            limiter.pay(ticket, Payer::default(), NOW).unwrap().standing.unwrap().limit
        };
        assert_eq!(standing(None), 50);
        assert_eq!(standing(Some("per_page=1&q=x")), 5, "searches have a limit of their own");
        assert_eq!(standing(Some("fq=x")), 50);
    }
}
