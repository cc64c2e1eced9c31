//! Keys of clients with a metadata document: fetched from their `jwks_uri`, stored as credentials, and fetched again when
//! an assertion names one that is not known, or now and then.

use crate::app::App;
use crate::audit::Attempt;
use crate::clients::{Client, store};
use crate::credentials::{self, NewCredential};
use crate::db::Tx;
use crate::http::Failure;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use serde_json::{Value, json};
use tenantry_jose::{Jwk, VerifyingAlgorithm};
use tenantry_types::Object;
use tenantry_types::registration::metadata_document::MAX_KEY_SET;
use url::Url;

/// Keys of one client; a set of them has 12 kB at most anyway.
const MAX_KEYS: usize = 20;
/// The longest id of a key that is kept as it is.
const MAX_KID: usize = 64;

/// A public key that may sign assertions.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) kid: String,
    pub(super) alg: VerifyingAlgorithm,
    pub(super) jwk: Jwk,
}

/// The keys of a set that can be used, and what was odd about the others.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    pub(super) keys: Vec<Key>,
    pub(super) warnings: Vec<String>,
}

impl KeySet {
    /// `client_authentication_methods` of answers about documents.
    pub(super) fn mapped(&self) -> Value {
        let credentials: Vec<_> = self
            .keys
            .iter()
            .map(|key| json!({"credential_type": "public_key", "kid": key.kid, "alg": key.alg.as_str()}))
            .collect();
        json!({"private_key_jwt": {"credentials": credentials}})
    }
}

/// Fetches and reads a key set; an error says why it is of no use.
pub(super) async fn fetch(app: &App, jwks_uri: &Url) -> Result<KeySet, String> {
    let document = app.outgoing.json(jwks_uri, MAX_KEY_SET).await;
    read(&document.map_err(|reason| format!("The keys at {jwks_uri} could not be retrieved: {reason}"))?)
}

fn read(document: &Value) -> Result<KeySet, String> {
    let Some(entries) = document.get("keys").and_then(Value::as_array) else {
        return Err("The key set has no list of keys".into());
    };
    let is_private = |entry: &Value| {
        ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| entry.get(name).is_some())
    };
    if entries.iter().any(is_private) {
        return Err("The key set holds a private or shared key, which is no longer secret".into());
    }
    let mut set = KeySet::default();
    for (i, entry) in entries.iter().enumerate() {
        match read_key(entry) {
            Ok(key) if set.keys.iter().any(|known| known.kid == key.kid) => {
                set.warnings.push(format!("Ignoring key {i}: its kid is another one's too"));
            }
            Ok(_) if set.keys.len() == MAX_KEYS => {
                set.warnings.push(format!("Ignoring key {i}: {MAX_KEYS} keys at most are supported"));
            }
            Ok(key) => set.keys.push(key),
            Err(reason) => set.warnings.push(format!("Ignoring key {i}: {reason}")),
        }
    }
    if set.keys.is_empty() {
        return Err("The key set holds no RSA key for signatures with RS256, RS384 or PS256".into());
    }
    Ok(set)
}

fn read_key(entry: &Value) -> Result<Key, &'static str> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    if text("kty") != Some("RSA") {
        return Err("it is not an RSA key");
    }
    if text("use").is_some_and(|usage| usage != "sig") {
        return Err("it is not for signatures");
    }
    let alg =
        VerifyingAlgorithm::of(text("alg").unwrap_or("RS256")).ok_or("its algorithm is not supported")?;
    let (modulus, exponent) = text("n").zip(text("e")).ok_or("it has no n or e")?;
    let jwk = Jwk::rsa(modulus, exponent);
    jwk.public_key(alg).map_err(|_| "it is not an RSA key of 2048 to 8192 bits")?;
    let is_kept =
        |kid: &&str| !kid.is_empty() && kid.chars().count() <= MAX_KID && !kid.contains(char::is_control);
    let kid = text("kid").filter(is_kept);
    let kid = kid.map_or_else(|| jwk.thumbprint(), str::to_owned);
    Ok(Key { kid, alg, jwk })
}

/// Credentials for the keys, ready to be stored where they are not yet.
pub(super) fn credentials(app: &App, set: &KeySet) -> Vec<NewCredential> {
    set.keys
        .iter()
        .map(|key| NewCredential::of_key(&key.kid, key.alg, &key.jwk, &app.random, &app.clock))
        .collect()
}

/// Makes the client's credentials those of its key set; returns the member of the client that names them, and what was
/// not done. A key under a known id never replaces the one that is there.
pub(super) fn store(
    tx: &mut Tx<'_>,
    tenant: &str,
    client_id: &str,
    wanted: &[NewCredential],
) -> Result<(Value, Vec<String>), Failure> {
    let mut known = credentials::store::keys(tx, tenant, client_id)?;
    let (mut ids, mut warnings) = (Vec::new(), Vec::new());
    for credential in wanted {
        let id = if let Some(at) = known.iter().position(|known| known.kid == credential.sort) {
            let known = known.swap_remove(at);
            if credential.jwk.as_ref() != Some(&known.jwk) {
                warnings.push(format!(
                    "Keeping the key '{}': another one has the same kid now, and a new key needs a new kid",
                    known.kid
                ));
            }
            known.id
        } else {
            credentials::store::insert(tx, tenant, client_id, credential)?;
            credential.id.clone()
        };
        ids.push(json!({"id": id}));
    }
    for gone in known {
        credentials::store::delete(tx, tenant, client_id, &gone.id)?;
    }
    Ok((json!({"private_key_jwt": {"credentials": ids}}), warnings))
}

/// A client's keys are not fetched more often, whatever assertions arrive.
const RETRY_MS: i64 = 60_000;
/// Keys in use are looked at again after this time, so that one that is gone from the set stops working.
const REVISIT_MS: i64 = 3_600_000;

/// When the keys of clients were fetched last; bounded, and forgotten at a restart.
pub(crate) struct KeyFetches(Mutex<Cache<Box<str>, i64>>);

impl Default for KeyFetches {
    fn default() -> Self {
        Self(Mutex::new(Cache::new(10_000)))
    }
}

impl KeyFetches {
    /// Whether the keys may be fetched now, if the last time is so long ago; of several that ask, one may.
    fn begin(&self, client_id: &str, now: i64, after: i64) -> bool {
        let last = self.0.lock();
        let is_due = last.get(client_id).is_none_or(|at| now - at >= after);
        if is_due {
            last.insert(client_id.into(), now);
        }
        is_due
    }
}

/// Fetches the keys of a client because an assertion names one that is not known; whether that was done.
pub(crate) async fn refresh(app: &App, client: &Client) -> bool {
    let Some(jwks_uri) = client.jwks_uri.as_deref().and_then(|uri| Url::parse(uri).ok()) else {
        return false;
    };
    if !app.key_fetches.begin(&client.client_id, app.clock.now_ms(), RETRY_MS) {
        return false;
    }
    update(app, &client.client_id, &jwks_uri).await
}

/// Looks at the keys of a client in the background, if that was long ago.
pub(crate) fn revisit(app: &App, client: &Client) {
    let Some(jwks_uri) = client.jwks_uri.as_deref().and_then(|uri| Url::parse(uri).ok()) else { return };
    if app.key_fetches.begin(&client.client_id, app.clock.now_ms(), REVISIT_MS) {
        let (app, client_id) = (app.clone(), client.client_id.clone());
        tokio::spawn(async move { update(&app, &client_id, &jwks_uri).await });
    }
}

/// Fetches and stores the keys. What fails leaves those that are there.
async fn update(app: &App, client_id: &str, jwks_uri: &Url) -> bool {
    let set = match fetch(app, jwks_uri).await {
        Ok(set) => set,
        Err(reason) => {
            tracing::warn!(client_id, reason, "keys of a client were not refreshed");
            return false;
        }
    };
    let wanted = credentials(app, &set);
    let (tenant, id, uri) = (app.tenant.clone(), client_id.to_owned(), jwks_uri.to_string());
    let now = app.clock.now_ms();
    let attempt = Attempt::of_server(app, "Keys of a client fetched from its jwks_uri");
    let stored = attempt
        .scope(app.db.transaction(move |tx| {
            let Some(before) = store::find_for_update(tx, &tenant, &id)? else { return Ok(()) };
            // The document may have been registered anew in the meantime.
            if before.text("jwks_uri") != Some(uri.as_str()) || !before.has_key_authentication() {
                return Ok(());
            }
            let (methods, _) = self::store(tx, &tenant, &id, &wanted)?;
            let after =
                before.refreshed(&Object::from_iter([("client_authentication_methods".into(), methods)]))?;
            if after != before {
                store::update(tx, &tenant, &before, &after, None, now)?;
            }
            Ok::<_, Failure>(())
        }))
        .await;
    if let Err(error) = &stored {
        tracing::warn!(client_id, ?error, "keys of a client were not stored");
    }
    stored.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(members: &Value) -> Value {
        let mut key =
            serde_json::to_value(tenantry_jose::RsaSigningKey::generate().unwrap().public_jwk()).unwrap();
        for (name, value) in members.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    }

    #[test]
    fn keys_that_can_be_used_are_used() {
        let set = json!({"keys": [
            key(&json!({"kid": "a", "alg": "PS256"})), key(&json!({"kid": "a"})), key(&json!({"use": "enc"})),
            {"kty": "EC"}, 1, key(&json!({"alg": "HS256"})), key(&json!({"n": "AQAB"})), key(&json!({})),
        ]});
        let read = read(&set).unwrap();
        let kids: Vec<_> = read.keys.iter().map(|key| (key.kid.len(), key.alg.as_str())).collect();
        assert_eq!(kids, [(1, "PS256"), (43, "RS256")]);
        assert_eq!(read.warnings.len(), 6);
    }

    #[test]
    fn sets_with_private_keys_or_none_are_refused() {
        for set in [
            json!({"keys": [key(&json!({})), key(&json!({"d": "x"}))]}),
            json!({"keys": [{"kty": "oct", "k": "x"}]}),
            json!({"keys": []}),
            json!({"keys": {}}),
            json!([]),
            json!(null),
        ] {
            assert!(read(&set).is_err(), "{set}");
        }
    }

    #[test]
    fn keys_are_not_fetched_too_often() {
        let fetches = KeyFetches::default();
        assert!(fetches.begin("c", 0, RETRY_MS) && !fetches.begin("c", 59_999, RETRY_MS));
        assert!(fetches.begin("d", 0, RETRY_MS) && fetches.begin("c", 60_000, RETRY_MS));
    }
}
