//! Making, rotating and revoking keys.

use super::store::{self, NewKey, State, StoredKey};
use super::{open_private, routes::not_found, seal_context};
use crate::app::App;
use crate::clock::{Clock, Random};
use crate::db::{DbError, DbResult};
use crate::http::Failure;
use crate::seal::MasterKey;
use std::time::Duration as Wait;
use tenantry_jose::{RsaSigningKey, certificate};
use tenantry_types::{ApiError, ErrorCode};
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

/// Years after which nobody should still be looking at the certificate.
const CERTIFICATE_DAYS: i64 = 3_650;
/// How long a server that just started leaves its processors to its first callers.
const SETTLED: Wait = Wait::from_secs(1);
/// After a failure.
const AGAIN: Wait = Wait::from_secs(10);

impl NewKey {
    /// Makes a key for `tenant`, whose domain stands in its certificate. Takes 0.1 s and more.
    pub(crate) fn generate(
        master: &MasterKey,
        clock: &Clock,
        random: &Random,
        tenant: &str,
        domain: &str,
    ) -> DbResult<Self> {
        let bad =
            |error: &dyn std::fmt::Display| DbError::Data(format!("cannot make a signing key: {error}"));
        let key = RsaSigningKey::generate().map_err(|error| bad(&error))?;
        let from = OffsetDateTime::from_unix_timestamp(clock.now_secs()).map_err(|error| bad(&error))?;
        let until = from + Duration::days(CERTIFICATE_DAYS);
        let mut serial = [0; 8];
        random.fill(&mut serial);
        let serial = u64::from_be_bytes(serial) >> 1;
        let certificate = certificate::self_signed(&key, crate::tls::host(domain), from, until, serial)
            .map_err(|error| bad(&error))?;
        let kid = key.kid().to_owned();
        let pkcs8 = key.to_pkcs8().map_err(|error| bad(&error))?;
        let sealed = master.seal(&seal_context(tenant, &kid), &pkcs8).map_err(|error| bad(&error))?;
        Ok(Self { kid, sealed, certificate })
    }
}

async fn generate(app: &App) -> DbResult<NewKey> {
    let app = app.clone();
    let made = tokio::task::spawn_blocking(move || {
        NewKey::generate(&app.master, &app.clock, &app.random, &app.tenant, &app.domain)
    });
    made.await.map_err(|_| DbError::Data("making a signing key panicked".into()))?
}

/// Makes the next key, if there is none: at the first start that would only delay what the server is started for.
pub(super) async fn prepare_next(app: &App) -> DbResult<()> {
    if app.keys().await?.has_next() {
        return Ok(());
    }
    let _one_at_a_time = app.preparing_key.lock().await;
    if app.keys().await?.has_next() {
        return Ok(());
    }
    let key = generate(app).await?;
    let (tenant, now) = (app.tenant.clone(), app.clock.now_ms());
    app.db
        .transaction(move |tx| {
            let keys = store::list_for_update(tx, &tenant)?;
            // Another node may have been quicker.
            if keys.iter().any(|key| key.state == State::Next) {
                return Ok(());
            }
            store::insert(tx, &tenant, &key, State::Next, now)
        })
        .await
}

/// The same in the background, until it is done or the server stops.
pub(crate) async fn keep_next(app: App, mut stopped: watch::Receiver<bool>) {
    let prepare = async {
        tokio::time::sleep(SETTLED).await;
        while let Err(error) = prepare_next(&app).await {
            tracing::warn!(%error, "cannot make the next signing key; trying again");
            tokio::time::sleep(AGAIN).await;
        }
    };
    tokio::select! {
        () = prepare => {}
        _ = stopped.changed() => {}
    }
}

/// The next key becomes the current one, the current one a previous one; the answer is the new next one.
pub(super) async fn rotate(app: &App) -> Result<NewKey, Failure> {
    // On a task of its own: a key that was due anyway is no part of this request in the log.
    let due = app.clone();
    let prepared = tokio::spawn(async move { prepare_next(&due).await });
    prepared.await.map_err(|_| DbError::Data("making a signing key panicked".into()))??;
    let key = generate(app).await?;
    let (writer, now) = (app.clone(), app.clock.now_ms());
    let key = app
        .db
        .transaction(move |tx| {
            let tenant = &writer.tenant;
            let keys = store::list_for_update(tx, tenant)?;
            let next = keys.iter().find(|key| key.state == State::Next);
            let next = next.ok_or_else(|| DbError::Data("there is no next signing key".into()))?;
            // A key that does not open must not become the one that everything is signed with.
            open_private(&writer.master, tenant, next)?;
            store::promote(tx, tenant, &keys, now)?;
            store::insert(tx, tenant, &key, State::Next, now)?;
            Ok::<_, DbError>(key)
        })
        .await?;
    tracing::info!(next = key.kid, "rotated the signing key");
    Ok(key)
}

/// Revokes a previous key.
pub(super) async fn revoke(app: &App, kid: &str) -> Result<StoredKey, Failure> {
    let (tenant, kid, now) = (app.tenant.clone(), kid.to_owned(), app.clock.now_ms());
    app.db
        .transaction(move |tx| {
            let key = store::find_for_update(tx, &tenant, &kid)?.ok_or_else(not_found)?;
            match key.state {
                State::Previous => {
                    store::revoke(tx, &tenant, &key, now)?;
                    tracing::info!(kid, "revoked a signing key");
                    Ok(key)
                }
                State::Revoked => Ok(key),
                State::Current | State::Next => Err(ApiError::new(
                    400,
                    "Only a key that was used before can be revoked; rotate the signing key first",
                )
                .with_code(ErrorCode::OperationNotSupported)
                .into()),
            }
        })
        .await
}
