//! Token quotas: how many tokens a client may get in an hour and in a day (both in UTC).

use crate::app::App;
use crate::db::{DbError, Tx, params};
use crate::http::OAuthError;
use tenantry_types::token_quota::TokenQuota;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Takes one token from the quota, or refuses. Exact: the count and its limit are one conditional statement.
pub(super) async fn take(app: &App, client_id: &str, quota: TokenQuota) -> Result<(), OAuthError> {
    let (tenant, client_id, now) = (app.tenant.clone(), client_id.to_owned(), app.clock.now_ms());
    app.db
        .transaction(move |tx| {
            let windows = [("hour", HOUR_MS, quota.per_hour), ("day", DAY_MS, quota.per_day)];
            for (period, length, limit) in windows {
                let Some(limit) = limit else { continue };
                let limit = if quota.enforce { limit } else { i64::MAX };
                let window = Window { period, start: now - now.rem_euclid(length), limit };
                if !window.count(tx, &tenant, &client_id)? {
                    return Err(OAuthError::new(429, "too_many_requests", "Client quota exceeded"));
                }
            }
            Ok::<_, OAuthError>(())
        })
        .await
}

struct Window {
    period: &'static str,
    start: i64,
    limit: i64,
}

impl Window {
    /// Counts a token in this window; `false` when it is full. Old windows are forgotten on the way.
    fn count(&self, tx: &mut Tx<'_>, tenant: &str, client_id: &str) -> Result<bool, DbError> {
        const COUNT: &str = "INSERT INTO token_quota_use (tenant, client_id, period, window_start, n) \
            VALUES ($1, $2, $3, $4, 1) ON CONFLICT (tenant, client_id, period) DO UPDATE SET \
            n = CASE WHEN token_quota_use.window_start = excluded.window_start THEN token_quota_use.n + 1 ELSE 1 END, \
            window_start = excluded.window_start \
            WHERE token_quota_use.window_start <> excluded.window_start OR token_quota_use.n < $5";
        Ok(tx.execute(COUNT, params![tenant, client_id, self.period, self.start, self.limit])? > 0)
    }
}
