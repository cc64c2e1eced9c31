//! Token quotas: how many tokens a client, or all clients together for an organization, may get in an hour and in a
//! day (both in UTC).
//!
//! A request looks at the counts before it costs a signature, and is counted when it has its token: one that fails in
//! between takes nothing from the quota. Who has no quota is not counted, and costs nothing here.

use crate::app::App;
use crate::db::{DbError, DbResult, Row, Tx, params};
use crate::http::OAuthError;
use http::{HeaderName, HeaderValue, header};
use std::fmt::Write as _;
use tenantry_types::token_quota::TokenQuota;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Whose tokens are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Client,
    Organization,
}

impl Owner {
    fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Organization => "organization",
        }
    }

    /// The header that tells what is left.
    fn header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::Client => "auth0-client-quota-limit",
            Self::Organization => "auth0-organization-quota-limit",
        })
    }

    fn refusal(self) -> OAuthError {
        let description = match self {
            Self::Client => "Client quota exceeded",
            Self::Organization => "Organization quota exceeded",
        };
        OAuthError::new(429, "too_many_requests", description)
    }
}

/// A window that tokens are counted in.
#[derive(Clone, Copy)]
struct Period {
    /// The word in the database.
    name: &'static str,
    /// The word in headers.
    bucket: &'static str,
    length: i64,
    limit: fn(&TokenQuota) -> Option<i64>,
}

const PERIODS: [Period; 2] = [
    Period { name: "hour", bucket: "per_hour", length: HOUR_MS, limit: |quota| quota.per_hour },
    Period { name: "day", bucket: "per_day", length: DAY_MS, limit: |quota| quota.per_day },
];

impl Period {
    fn start(self, now: i64) -> i64 {
        now - now.rem_euclid(self.length)
    }
}

/// A quota and who has it.
struct Limit {
    owner: Owner,
    id: String,
    quota: TokenQuota,
}

impl Limit {
    /// The periods that are limited, with their limits.
    fn periods(&self) -> impl Iterator<Item = (Period, i64)> {
        PERIODS.into_iter().filter_map(|period| Some((period, (period.limit)(&self.quota)?)))
    }
}

/// How much of a limit is used.
struct Use {
    owner: Owner,
    period: Period,
    limit: i64,
    n: i64,
    is_enforced: bool,
}

impl Use {
    fn is_full(&self) -> bool {
        self.is_enforced && self.n >= self.limit
    }

    /// Seconds until the count begins anew.
    fn resets_in(&self, now: i64) -> i64 {
        (self.period.start(now) + self.period.length - now + 999) / 1_000
    }
}

/// The quotas that a request for a token is subject to.
pub(super) struct Quotas(Vec<Limit>);

impl Quotas {
    /// Those of a client, if it has one.
    pub(super) fn of_client(id: &str, quota: Option<TokenQuota>) -> Self {
        Self(Vec::new()).and(Owner::Client, id, quota)
    }

    /// And of another owner, if it has one.
    pub(super) fn and(mut self, owner: Owner, id: &str, quota: Option<TokenQuota>) -> Self {
        self.0.extend(quota.map(|quota| Limit { owner, id: id.to_owned(), quota }));
        self
    }

    /// Refuses if a quota is used up.
    pub(super) async fn check(&self, app: &App) -> Result<(), OAuthError> {
        let now = app.clock.now_ms();
        let used = self.used(app, now).await?;
        match used.iter().find(|used| used.is_full()) {
            None => Ok(()),
            Some(full) => Err(refused(full.owner, &used, now)),
        }
    }

    async fn used(&self, app: &App, now: i64) -> DbResult<Vec<Use>> {
        const COUNTS: &str = "SELECT period, window_start, n FROM token_count \
            WHERE tenant = $1 AND owner = $2 AND owner_id = $3";
        let mut all = Vec::new();
        for limit in &self.0 {
            let read = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.int(1)?, row.int(2)?));
            let params = params![&app.tenant, limit.owner.as_str(), &limit.id];
            let counts = app.db.query(COUNTS, params, read).await?;
            all.extend(limit.periods().map(|(period, most)| {
                let is_now = |(name, start, _): &&(String, i64, i64)| {
                    name == period.name && *start == period.start(now)
                };
                Use {
                    owner: limit.owner,
                    period,
                    limit: most,
                    n: counts.iter().find(is_now).map_or(0, |(_, _, n)| *n),
                    is_enforced: limit.quota.enforce,
                }
            }));
        }
        Ok(all)
    }

    /// Counts a token against every quota, or against none and refuses. Exact: each count and its limit are one
    /// conditional statement. Returns the headers that tell what is left.
    pub(super) async fn take(self, app: &App) -> Result<Vec<(HeaderName, HeaderValue)>, OAuthError> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let (tenant, now) = (app.tenant.clone(), app.clock.now_ms());
        let counted = app
            .db
            .transaction(move |tx| match self.count(tx, &tenant, now) {
                Ok(used) => Ok(used),
                Err(Uncounted::Full(owner)) => Err(Refused::Full(owner, self)),
                Err(Uncounted::Db(error)) => Err(Refused::Db(error)),
            })
            .await;
        match counted {
            Ok(used) => Ok(headers(&used, now)),
            Err(Refused::Full(owner, quotas)) => Err(refused(owner, &quotas.used(app, now).await?, now)),
            Err(Refused::Db(error)) => Err(error.into()),
        }
    }

    fn count(&self, tx: &mut Tx<'_>, tenant: &str, now: i64) -> Result<Vec<Use>, Uncounted> {
        const COUNT: &str = "INSERT INTO token_count (tenant, owner, owner_id, period, window_start, n) \
            VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT (tenant, owner, owner_id, period) DO UPDATE SET \
            n = CASE WHEN token_count.window_start = excluded.window_start THEN token_count.n + 1 ELSE 1 END, \
            window_start = excluded.window_start \
            WHERE token_count.window_start <> excluded.window_start OR token_count.n < $6 RETURNING n";
        let mut all = Vec::new();
        for limit in &self.0 {
            let (owner, is_enforced) = (limit.owner, limit.quota.enforce);
            for (period, most) in limit.periods() {
                let enforced = if is_enforced { most } else { i64::MAX };
                let params =
                    params![tenant, owner.as_str(), &limit.id, period.name, period.start(now), enforced];
                let n = tx.query_opt(COUNT, params, |row| row.int(0))?.ok_or(Uncounted::Full(owner))?;
                if n == most + 1 {
                    let (owner, period) = (owner.as_str(), period.bucket);
                    tracing::warn!(owner, id = limit.id, period, quota = most, "a token quota is exceeded");
                }
                all.push(Use { owner, period, limit: most, n, is_enforced });
            }
        }
        Ok(all)
    }
}

/// Why a token was not counted.
enum Uncounted {
    Full(Owner),
    Db(DbError),
}

impl From<DbError> for Uncounted {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// The same outside the transaction, with the quotas, to tell what is left of them.
enum Refused {
    Full(Owner, Quotas),
    Db(DbError),
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// `b=per_hour;q=10;r=7;t=3540,b=per_day;…` for each owner: the quota, what is left of it, and the seconds until it is
/// whole again.
fn headers(used: &[Use], now: i64) -> Vec<(HeaderName, HeaderValue)> {
    let of = |owner: Owner| {
        let mut buckets = String::new();
        for used in used.iter().filter(|used| used.owner == owner) {
            let separator = if buckets.is_empty() { "" } else { "," };
            let (left, resets_in) = ((used.limit - used.n).max(0), used.resets_in(now));
            let _ = write!(
                buckets,
                "{separator}b={};q={};r={left};t={resets_in}",
                used.period.bucket, used.limit
            );
        }
        let value = HeaderValue::from_str(&buckets).ok().filter(|value| !value.is_empty())?;
        Some((owner.header(), value))
    };
    [Owner::Client, Owner::Organization].into_iter().filter_map(of).collect()
}

fn refused(owner: Owner, used: &[Use], now: i64) -> OAuthError {
    // Until nothing is full any more; a window that ended just now needs no wait.
    let wait = used.iter().filter(|used| used.is_full()).map(|used| used.resets_in(now)).max();
    let retry_after = (header::RETRY_AFTER, HeaderValue::from(wait.unwrap_or(1)));
    owner.refusal().with_headers(headers(used, now).into_iter().chain([retry_after]))
}

/// Whose tokens were counted goes away.
pub(crate) fn forget(tx: &mut Tx<'_>, tenant: &str, owner: Owner, id: &str) -> DbResult<()> {
    const FORGET: &str = "DELETE FROM token_count WHERE tenant = $1 AND owner = $2 AND owner_id = $3";
    tx.write(FORGET, params![tenant, owner.as_str(), id])
}
