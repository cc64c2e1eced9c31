//! Signing keys in the database.

use crate::audit;
use crate::db::{Db, DbError, DbResult, Kind, Row, Tx, params};
use tenantry_types::Object;

/// What the log calls a key.
const RESOURCE: &str = "signing_key";

/// What a key is to its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Signs after the next rotation; published already, so that nobody is surprised by it.
    Next,
    /// Signs.
    Current,
    /// Signed; what it signed is good.
    Previous,
    /// What it signed is refused.
    Revoked,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Revoked => "revoked",
        }
    }

    fn parse(text: &str) -> DbResult<Self> {
        [Self::Next, Self::Current, Self::Previous, Self::Revoked]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| DbError::Data(format!("signing key: the state `{text}`")))
    }
}

/// A row of `signing_key`.
#[derive(Clone)]
pub(crate) struct StoredKey {
    pub(crate) kid: String,
    pub(crate) state: State,
    /// Sealed; empty when the key was revoked.
    pub(crate) private_key: Vec<u8>,
    pub(crate) certificate: Vec<u8>,
    pub(crate) current_since: Option<i64>,
    pub(crate) current_until: Option<i64>,
    pub(crate) revoked_at: Option<i64>,
}

impl StoredKey {
    /// Whether it is the same key in the same state, however it is sealed.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let Self { kid, state, private_key: _, certificate, current_since, current_until, revoked_at } = self;
        *kid == other.kid
            && *state == other.state
            && *certificate == other.certificate
            && (*current_since, *current_until, *revoked_at)
                == (other.current_since, other.current_until, other.revoked_at)
    }
}

/// A key that was just made.
pub(crate) struct NewKey {
    pub(crate) kid: String,
    pub(super) sealed: Vec<u8>,
    pub(crate) certificate: Vec<u8>,
}

/// The current one, the next, those before, and the last three that were revoked.
const KEYS: &str = "SELECT kid, state, private_key, certificate, current_since, current_until, revoked_at FROM signing_key \
    WHERE tenant = $1 AND (state <> 'revoked' OR kid IN (SELECT kid FROM signing_key \
        WHERE tenant = $1 AND state = 'revoked' ORDER BY revoked_at DESC, kid LIMIT 3)) \
    ORDER BY CASE state WHEN 'current' THEN 0 WHEN 'next' THEN 1 WHEN 'previous' THEN 2 ELSE 3 END, \
        COALESCE(current_since, 0) DESC, created_at DESC, kid";
const BY_ID: &str = "SELECT kid, state, private_key, certificate, current_since, current_until, revoked_at FROM signing_key \
    WHERE tenant = $1 AND kid = $2";

fn read(row: &Row<'_>) -> DbResult<StoredKey> {
    Ok(StoredKey {
        kid: row.text(0)?.to_owned(),
        state: State::parse(row.text(1)?)?,
        private_key: row.bytes(2)?.to_vec(),
        certificate: row.bytes(3)?.to_vec(),
        current_since: row.opt_int(4)?,
        current_until: row.opt_int(5)?,
        revoked_at: row.opt_int(6)?,
    })
}

pub(super) async fn list(db: &Db, tenant: &str) -> DbResult<Vec<StoredKey>> {
    db.query(KEYS, params![tenant], read).await
}

pub(super) fn list_for_update(tx: &mut Tx<'_>, tenant: &str) -> DbResult<Vec<StoredKey>> {
    tx.query(KEYS, params![tenant], read)
}

/// The current key, as it is sealed.
pub(crate) async fn current(db: &Db, tenant: &str) -> DbResult<Option<StoredKey>> {
    Ok(list(db, tenant).await?.into_iter().find(|key| key.state == State::Current))
}

pub(super) async fn find(db: &Db, tenant: &str, kid: &str) -> DbResult<Option<StoredKey>> {
    db.query_opt(BY_ID, params![tenant, kid], read).await
}

pub(super) fn find_for_update(tx: &mut Tx<'_>, tenant: &str, kid: &str) -> DbResult<Option<StoredKey>> {
    tx.query_opt(BY_ID, params![tenant, kid], read)
}

/// Stores a new key as the current or the next one.
pub(crate) fn insert(tx: &mut Tx<'_>, tenant: &str, key: &NewKey, state: State, now: i64) -> DbResult<()> {
    const INSERT: &str = "INSERT INTO signing_key (tenant, kid, state, private_key, certificate, created_at, \
        current_since) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let since = (state == State::Current).then_some(now);
    let NewKey { kid, sealed, certificate } = key;
    tx.write(INSERT, params![tenant, kid, state.as_str(), sealed, certificate, now, since])?;
    audit::created(tx, RESOURCE, kid, &shown(state));
    changed(tx, tenant);
    Ok(())
}

/// What the log says of a key.
fn shown(state: State) -> Object {
    Object::from_iter([("state".to_owned(), state.as_str().into())])
}

fn log_step(tx: &mut Tx<'_>, key: &StoredKey, to: State) {
    audit::updated(tx, RESOURCE, &key.kid, &shown(key.state), &shown(to));
}

/// Of these keys, the current one ends to sign, and the next one begins.
pub(super) fn promote(tx: &mut Tx<'_>, tenant: &str, keys: &[StoredKey], now: i64) -> DbResult<()> {
    const END: &str = "UPDATE signing_key SET state = 'previous', \
        current_until = CASE WHEN current_since > $2 THEN current_since ELSE $2 END \
        WHERE tenant = $1 AND state = 'current'";
    const BEGIN: &str =
        "UPDATE signing_key SET state = 'current', current_since = $2 WHERE tenant = $1 AND state = 'next'";
    tx.write(END, params![tenant, now])?;
    tx.write(BEGIN, params![tenant, now])?;
    for key in keys {
        match key.state {
            State::Current => log_step(tx, key, State::Previous),
            State::Next => log_step(tx, key, State::Current),
            State::Previous | State::Revoked => {}
        }
    }
    changed(tx, tenant);
    Ok(())
}

/// A key is good for nothing from now on; its private half goes.
pub(super) fn revoke(tx: &mut Tx<'_>, tenant: &str, key: &StoredKey, now: i64) -> DbResult<()> {
    const REVOKE: &str = "UPDATE signing_key SET state = 'revoked', revoked_at = $3, private_key = $4 \
        WHERE tenant = $1 AND kid = $2";
    let nothing: &[u8] = &[];
    tx.write(REVOKE, params![tenant, &key.kid, now, nothing])?;
    log_step(tx, key, State::Revoked);
    changed(tx, tenant);
    Ok(())
}

fn changed(tx: &mut Tx<'_>, tenant: &str) {
    tx.changed(Kind::SigningKeys, tenant, "");
}
