//! Clients in the database.

use super::search::index;
use super::{Client, Secret, Shown, references};
use crate::app::App;
use crate::audit::{self, Change};
use crate::clock::Random;
use crate::db::{Db, DbError, DbResult, Kind, Param, Question, Row, Tx, params};
use crate::http::ApiResult;
use crate::seal::{MasterKey, SealError};
use crate::tokens::quota;
use crate::{connections, credentials, ids, settings};
use memchr::memmem::Finder;
use std::sync::LazyLock;
use std::sync::atomic::AtomicI64;
use tenantry_types::Object;
use tenantry_types::clients::search::name_key;
use tenantry_types::clients::{ClientDocument, StoredClient};
use zeroize::Zeroizing;

/// Where a client's secret is sealed.
pub(crate) fn seal_context(tenant: &str, client_id: &str, secret_id: &str) -> String {
    ["client_secret", tenant, client_id, secret_id].join("/")
}

/// Opens a client's secret.
pub(super) fn open_secret(
    master: &MasterKey,
    tenant: &str,
    client_id: &str,
    secret_id: &str,
    sealed: &[u8],
) -> DbResult<Zeroizing<String>> {
    master
        .open_text(&seal_context(tenant, client_id, secret_id), sealed)
        .map_err(|error| DbError::Data(format!("secret of client {client_id}: {error}")))
}

/// A secret, ready to be stored.
pub(crate) struct NewSecret {
    /// How long the secrets before it stay valid; not at all when absent.
    pub(super) keep_others_until: Option<i64>,
    id: String,
    value: Zeroizing<String>,
    sealed: Vec<u8>,
}

impl NewSecret {
    /// Seals `value` for a client.
    pub(super) fn new(
        value: String,
        tenant: &str,
        client_id: &str,
        random: &Random,
        master: &MasterKey,
    ) -> Result<Self, SealError> {
        let value = Zeroizing::new(value);
        let id = ids::secret_id(random);
        let sealed = master.seal(&seal_context(tenant, client_id, &id), value.as_bytes())?;
        Ok(Self { keep_others_until: None, id, value, sealed })
    }

    /// The secret itself.
    pub(super) fn value(&self) -> &str {
        &self.value
    }
}

/// A client, ready to be stored.
pub(crate) struct NewClient {
    pub(crate) document: ClientDocument,
    pub(super) stored: StoredClient,
    pub(super) secret: NewSecret,
    /// What is derived from the document, made before the writer's turn.
    name_key: Vec<u8>,
    terms: Vec<u8>,
    change: Change,
    seq: i64,
    now: i64,
    /// The number under which every connection that there is gets enabled for it, if the tenant wants that.
    enabled_at: Option<i64>,
}

impl NewClient {
    /// A client that a request asks for.
    pub(crate) async fn requested(app: &App, document: ClientDocument) -> ApiResult<Self> {
        let (seq, now) = (app.sequence.next(&app.clock), app.clock.now_ms());
        let gets_connections = app.tenant_settings().await?.enable_client_connections;
        let enabled_at = gets_connections.then(|| app.sequence.next(&app.clock));
        Ok(Self { enabled_at, ..Self::new(document, &app.random, &app.master, seq, now)? })
    }

    /// Gives `document` a secret.
    pub(crate) fn new(
        document: ClientDocument,
        random: &Random,
        master: &MasterKey,
        seq: i64,
        now: i64,
    ) -> Result<Self, SealError> {
        let tenant = document.text("tenant").unwrap_or_default();
        let secret =
            NewSecret::new(ids::client_secret(random), tenant, document.client_id(), random, master)?;
        Ok(Self {
            stored: document.to_stored(),
            secret,
            name_key: name_key(document.members()),
            terms: index::packed(&document),
            change: Change::created("client", document.client_id(), document.members()),
            seq,
            now,
            enabled_at: None,
            document,
        })
    }

    /// Its secret.
    pub(crate) fn secret(&self) -> &str {
        self.secret.value()
    }

    /// When it is made.
    pub(crate) fn created_at(&self) -> i64 {
        self.now
    }
}

/// The id of the client with this metadata document.
pub(crate) async fn id_of_external(db: &Db, tenant: &str, url: &str) -> DbResult<Option<String>> {
    db.query_opt(BY_EXTERNAL, params![tenant, url], |row| Ok(row.text(0)?.to_owned())).await
}

/// The same, to change it.
pub(crate) fn find_external(tx: &mut Tx<'_>, tenant: &str, url: &str) -> DbResult<Option<String>> {
    tx.query_opt(BY_EXTERNAL, params![tenant, url], |row| Ok(row.text(0)?.to_owned()))
}

const BY_EXTERNAL: &str = "SELECT client_id FROM client WHERE tenant = $1 AND external_client_id = $2";

const INSERT: &str = "INSERT INTO client (tenant, client_id, seq, version, document, signing_keys_at, \
    client_secret_at, secret_id, is_global, is_first_party, app_type, external_client_id, \
    resource_server_identifier, default_organization, created_at, updated_at, name_key, secret, secret_created_at) \
    VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16, $14)";

pub(crate) fn insert(tx: &mut Tx<'_>, tenant: &str, client: &NewClient) -> DbResult<()> {
    let NewClient { document, stored, secret, seq, now, enabled_at, name_key, terms, change } = client;
    let row = [
        tenant.into(),
        document.client_id().into(),
        (*seq).into(),
        stored.json.as_str().into(),
        offset(stored.signing_keys_at).into(),
        offset(stored.client_secret_at).into(),
        secret.id.as_str().into(),
        document.is_global().into(),
        document.is_first_party().into(),
        app_type(document).into(),
        document.text("external_client_id").into(),
        document.text("resource_server_identifier").into(),
        document.default_organization().into(),
        (*now).into(),
        Param::Bytes(name_key),
        Param::Bytes(&secret.sealed),
    ];
    tx.append(INSERT, [row])?;
    index::insert(tx, tenant, *seq, terms)?;
    insert_aliases(tx, tenant, document)?;
    references::store(tx, tenant, document, None)?;
    if let Some(seq) = enabled_at {
        connections::store::enable_all(tx, tenant, document.client_id(), *seq)?;
    }
    count(tx, tenant, document, 1);
    tx.record(|| change.clone());
    tx.changed(Kind::Client, tenant, document.client_id());
    Ok(())
}

fn offset(at: usize) -> i64 {
    i64::try_from(at).expect("documents are far smaller")
}

fn app_type(document: &ClientDocument) -> &str {
    document.text("app_type").unwrap_or_default()
}

/// Gives a client another secret. Those before it end at once or at `keep_others_until`; none lives longer than it would
/// have.
fn replace_secret(
    tx: &mut Tx<'_>,
    tenant: &str,
    client_id: &str,
    secret: &NewSecret,
    now: i64,
) -> DbResult<()> {
    const END: &str = "DELETE FROM client_secret WHERE tenant = $1 AND client_id = $2";
    const LIMIT: &str = "UPDATE client_secret SET expires_at = $3 \
        WHERE tenant = $1 AND client_id = $2 AND (expires_at IS NULL OR expires_at > $3)";
    const FORGET: &str =
        "DELETE FROM client_secret WHERE tenant = $1 AND client_id = $2 AND expires_at <= $3";
    const KEEP: &str = "INSERT INTO client_secret \
        (tenant, client_id, secret_id, secret, created_at, expires_at, last_used_at) \
        SELECT tenant, client_id, secret_id, secret, secret_created_at, CAST($3 AS BIGINT), secret_used_at \
        FROM client WHERE tenant = $1 AND client_id = $2 AND secret IS NOT NULL";
    const REPLACE: &str = "UPDATE client SET secret_id = $3, secret = $4, secret_created_at = $5, \
        secret_used_at = NULL WHERE tenant = $1 AND client_id = $2";
    match secret.keep_others_until {
        None => tx.write(END, params![tenant, client_id])?,
        Some(until) => {
            tx.write(LIMIT, params![tenant, client_id, until])?;
            tx.write(FORGET, params![tenant, client_id, now])?;
            tx.write(KEEP, params![tenant, client_id, until])?;
        }
    }
    tx.write(REPLACE, params![tenant, client_id, &secret.id, &secret.sealed, now])
}

/// What may be told of a secret: its id, creation, expiry and last use, whether it is the current one.
pub(super) struct SecretRecord {
    pub(super) id: String,
    pub(super) created_at: i64,
    pub(super) expires_at: Option<i64>,
    pub(super) last_used_at: Option<i64>,
    pub(super) is_current: bool,
}

const SECRETS: &str = "SELECT secret_id, secret_created_at AS created_at, CAST(NULL AS BIGINT) AS expires_at, \
    secret_used_at AS last_used_at, TRUE AS is_current \
    FROM client WHERE tenant = $1 AND client_id = $2 AND secret IS NOT NULL \
    UNION ALL SELECT secret_id, created_at, expires_at, last_used_at, FALSE FROM client_secret \
    WHERE tenant = $1 AND client_id = $2 AND (expires_at IS NULL OR expires_at > $3) \
    ORDER BY created_at DESC, secret_id";

fn secret_record(row: &Row<'_>) -> DbResult<SecretRecord> {
    Ok(SecretRecord {
        id: row.text(0)?.to_owned(),
        created_at: row.int(1)?,
        expires_at: row.opt_int(2)?,
        last_used_at: row.opt_int(3)?,
        is_current: row.bool(4)?,
    })
}

/// The secrets of a client that are valid at `now`, the newest first.
pub(super) async fn secrets(db: &Db, tenant: &str, client_id: &str, now: i64) -> DbResult<Vec<SecretRecord>> {
    db.query(SECRETS, params![tenant, client_id, now], secret_record).await
}

/// The same within a transaction.
pub(super) fn secrets_for_update(
    tx: &mut Tx<'_>,
    tenant: &str,
    client_id: &str,
    now: i64,
) -> DbResult<Vec<SecretRecord>> {
    tx.query(SECRETS, params![tenant, client_id, now], secret_record)
}

pub(super) fn delete_secret(tx: &mut Tx<'_>, tenant: &str, client_id: &str, id: &str) -> DbResult<()> {
    const DELETE: &str = "DELETE FROM client_secret WHERE tenant = $1 AND client_id = $2 AND secret_id = $3";
    if tx.execute(DELETE, params![tenant, client_id, id])? > 0 {
        audit::deleted(tx, "client_secret", id, &Object::from_iter([("client_id".into(), client_id.into())]));
    }
    tx.changed(Kind::Client, tenant, client_id);
    Ok(())
}

/// Remembers that a secret was used. No cache needs to know.
pub(super) fn secret_used(tx: &mut Tx<'_>, tenant: &str, client_id: &str, id: &str, at: i64) -> DbResult<()> {
    const CURRENT: &str = "UPDATE client SET secret_used_at = $4 \
        WHERE tenant = $1 AND client_id = $2 AND secret_id = $3";
    const EARLIER: &str = "UPDATE client_secret SET last_used_at = $4 \
        WHERE tenant = $1 AND client_id = $2 AND secret_id = $3";
    if tx.execute(CURRENT, params![tenant, client_id, id, at])? == 0 {
        tx.write(EARLIER, params![tenant, client_id, id, at])?;
    }
    Ok(())
}

fn insert_aliases(tx: &mut Tx<'_>, tenant: &str, document: &ClientDocument) -> DbResult<()> {
    const INSERT: &str = "INSERT INTO client_alias (tenant, alias, client_id) VALUES ($1, $2, $3) \
        ON CONFLICT (tenant, alias) DO NOTHING";
    for alias in document.texts("client_aliases") {
        tx.write(INSERT, params![tenant, alias, document.client_id()])?;
    }
    Ok(())
}

/// Whether another client has one of the aliases of `document`.
pub(super) fn has_taken_alias(tx: &mut Tx<'_>, tenant: &str, document: &ClientDocument) -> DbResult<bool> {
    const OTHER: &str = "SELECT 1 FROM client_alias WHERE tenant = $1 AND alias = $2 AND client_id <> $3";
    for alias in document.texts("client_aliases") {
        if tx.query_opt(OTHER, params![tenant, alias, document.client_id()], |_| Ok(()))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The client that is linked to an API.
pub(crate) fn linked_to_api(tx: &mut Tx<'_>, tenant: &str, identifier: &str) -> DbResult<Option<String>> {
    const LINKED: &str = "SELECT client_id FROM client WHERE tenant = $1 AND resource_server_identifier = $2";
    tx.query_opt(LINKED, params![tenant, identifier], |row| Ok(row.text(0)?.to_owned()))
}

/// Unlinks the client of an API that goes away.
pub(crate) fn unlink_api(tx: &mut Tx<'_>, tenant: &str, identifier: &str, now: i64) -> DbResult<()> {
    let Some(client_id) = linked_to_api(tx, tenant, identifier)? else { return Ok(()) };
    let Some(mut document) = find_for_update(tx, tenant, &client_id)? else { return Ok(()) };
    let before = document.clone();
    document.remove("resource_server_identifier");
    update(tx, tenant, &before, &document, None, now).map(|_| ())
}

/// No client assumes an organization that goes away.
pub(crate) fn forget_organization(tx: &mut Tx<'_>, tenant: &str, id: &str, now: i64) -> DbResult<()> {
    const OF: &str = "SELECT client_id FROM client WHERE tenant = $1 AND default_organization = $2";
    for client_id in tx.query(OF, params![tenant, id], |row| Ok(row.text(0)?.to_owned()))? {
        let Some(mut document) = find_for_update(tx, tenant, &client_id)? else { continue };
        let before = document.clone();
        document.remove("default_organization");
        update(tx, tenant, &before, &document, None, now)?;
    }
    Ok(())
}

fn count(tx: &mut Tx<'_>, tenant: &str, document: &ClientDocument, by: i64) {
    const ADD: &str = "INSERT INTO client_count (tenant, shard, is_global, is_first_party, app_type, n) \
        VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (tenant, shard, is_global, is_first_party, app_type) DO UPDATE SET n = client_count.n + excluded.n";
    let shard = tx.shard();
    let (is_global, is_first_party) = (document.is_global(), document.is_first_party());
    tx.add(ADD, params![tenant, shard, is_global, is_first_party, app_type(document)], by);
}

const SHOWN: &str = "SELECT document, signing_keys_at, client_secret_at, secret_id, secret FROM client \
    WHERE tenant = $1 AND client_id = $2";

/// The client of that id as answers show it. Its document is copied, not read.
pub(crate) async fn find_shown(
    db: &Db,
    master: &MasterKey,
    tenant: &str,
    client_id: &str,
) -> DbResult<Option<Shown>> {
    db.query_opt(SHOWN, params![tenant, client_id], |row| {
        let json = row.text(0)?;
        let secret = match (row.opt_text(3)?, row.opt_bytes(4)?) {
            (Some(id), Some(sealed)) if shows_secret(json.as_bytes())? => {
                Some(open_secret(master, tenant, client_id, id, sealed)?)
            }
            _ => None,
        };
        let stored = StoredClient {
            json: json.to_owned(),
            signing_keys_at: row.size(1)?,
            client_secret_at: row.size(2)?,
        };
        Ok(Shown { stored, secret })
    })
    .await
}

/// Whether answers show the secret of a client. Few documents have to be read to know.
pub(super) fn shows_secret(json: &[u8]) -> DbResult<bool> {
    static METHODS: LazyLock<Finder<'_>> =
        LazyLock::new(|| Finder::new(r#""client_authentication_methods":"#));
    if METHODS.find(json).is_none() {
        return Ok(true);
    }
    let json = std::str::from_utf8(json).map_err(|_| DbError::Data("a client that is no text".into()))?;
    Ok(!parse(json)?.has_key_authentication())
}

const BY_ID: &str = "SELECT c.document, c.secret_id, c.secret, c.secret_used_at, \
    s.secret_id, s.secret, s.last_used_at, s.expires_at FROM client c \
    LEFT JOIN client_secret s ON s.tenant = c.tenant AND s.client_id = c.client_id \
    WHERE c.tenant = $1 AND c.client_id = $2";

/// The client of that id with its secrets.
pub(super) async fn find(app: &App, client_id: &str) -> DbResult<Option<Client>> {
    let (db, tenant) = (&app.db, app.tenant.as_str());
    let secret = |row: &Row<'_>, at: usize, expires_at: Option<i64>| {
        let (Some(id), Some(sealed)) = (row.opt_text(at)?, row.opt_bytes(at + 1)?) else { return Ok(None) };
        let value = open_secret(&app.master, tenant, client_id, id, sealed)?;
        let last_used_at = AtomicI64::new(row.opt_int(at + 2)?.unwrap_or(0));
        Ok::<_, DbError>(Some(Secret { id: id.to_owned(), value, expires_at, last_used_at }))
    };
    let (mut document, mut secrets) = (None, Vec::new());
    db.query(BY_ID, params![tenant, client_id], |row| {
        if document.is_none() {
            document = Some(parse(row.text(0)?)?);
            secrets.extend(secret(row, 1, None)?);
        }
        secrets.extend(secret(row, 4, row.opt_int(7)?)?);
        Ok(())
    })
    .await?;
    let Some(document) = document else { return Ok(None) };
    let enabled = enabled_credentials(&document);
    let credentials = match enabled.as_slice() {
        [] => Vec::new(),
        enabled => credentials::store::load(db, tenant, client_id, enabled).await?,
    };
    Ok(Some(Client::decode(&document, secrets, credentials)))
}

/// Ids of the credentials that a client authenticates with.
pub(crate) fn enabled_credentials(document: &ClientDocument) -> Vec<&str> {
    let methods = document.get("client_authentication_methods").and_then(serde_json::Value::as_object);
    let lists = methods
        .into_iter()
        .flat_map(|methods| methods.values())
        .filter_map(|method| method.get("credentials"));
    let all = lists.filter_map(serde_json::Value::as_array).flatten();
    all.filter_map(|credential| credential.get("id")?.as_str()).collect()
}

pub(super) fn parse(json: &str) -> DbResult<ClientDocument> {
    ClientDocument::from_json(json).map_err(|error| DbError::Data(format!("client: {error}")))
}

/// A client as it is now, to be changed.
pub(super) struct Changing {
    pub(super) document: ClientDocument,
    pub(super) secret: Option<SealedSecret>,
}

/// The current secret of a client, as it is stored.
pub(super) struct SealedSecret {
    id: String,
    sealed: Vec<u8>,
}

impl SealedSecret {
    /// The secret of this client.
    pub(super) fn open(
        &self,
        master: &MasterKey,
        tenant: &str,
        client_id: &str,
    ) -> DbResult<Zeroizing<String>> {
        open_secret(master, tenant, client_id, &self.id, &self.sealed)
    }
}

const TO_CHANGE: &str = "SELECT document, secret_id, secret FROM client WHERE tenant = $1 AND client_id = $2";

impl Changing {
    /// What [`Changing::find`] will ask.
    pub(super) fn question(tenant: &str, client_id: &str) -> Question {
        Question::new(TO_CHANGE, params![tenant, client_id], Kind::Client, tenant, client_id)
    }

    /// The client of that id, which stays as it is until the transaction ends.
    pub(super) fn find(tx: &mut Tx<'_>, tenant: &str, client_id: &str) -> DbResult<Option<Self>> {
        tx.query_opt(TO_CHANGE, params![tenant, client_id], |row| {
            let secret = row.opt_text(1)?.zip(row.opt_bytes(2)?);
            let secret =
                secret.map(|(id, sealed)| SealedSecret { id: id.to_owned(), sealed: sealed.to_vec() });
            Ok(Self { document: parse(row.text(0)?)?, secret })
        })
    }
}

/// The client as it is now, which stays so until the transaction ends: writers take turns.
pub(crate) fn find_for_update(
    tx: &mut Tx<'_>,
    tenant: &str,
    client_id: &str,
) -> DbResult<Option<ClientDocument>> {
    const FIND: &str = "SELECT document FROM client WHERE tenant = $1 AND client_id = $2";
    tx.query_opt(FIND, params![tenant, client_id], |row| parse(row.text(0)?))
}

/// Whether there is a client of that id.
pub(crate) fn exists(tx: &mut Tx<'_>, tenant: &str, client_id: &str) -> DbResult<bool> {
    const EXISTS: &str = "SELECT 1 FROM client WHERE tenant = $1 AND client_id = $2";
    Ok(tx.query_opt(EXISTS, params![tenant, client_id], |_| Ok(()))?.is_some())
}

/// Stores what became of a client that this transaction read as `before`; returns the stored text.
pub(crate) fn update(
    tx: &mut Tx<'_>,
    tenant: &str,
    before: &ClientDocument,
    after: &ClientDocument,
    secret: Option<&NewSecret>,
    now: i64,
) -> DbResult<StoredClient> {
    const UPDATE: &str = "UPDATE client SET version = version + 1, document = $3, signing_keys_at = $4, \
        client_secret_at = $5, is_first_party = $6, app_type = $7, external_client_id = $8, \
        resource_server_identifier = $9, default_organization = $10, updated_at = $11, name_key = $12 \
        WHERE tenant = $1 AND client_id = $2";
    let client_id = after.client_id();
    let stored = after.to_stored();
    tx.write(
        UPDATE,
        params![
            tenant,
            client_id,
            &stored.json,
            offset(stored.signing_keys_at),
            offset(stored.client_secret_at),
            after.is_first_party(),
            app_type(after),
            after.text("external_client_id"),
            after.text("resource_server_identifier"),
            after.default_organization(),
            now,
            &name_key(after.members())
        ],
    )?;
    index::update(tx, tenant, before, after)?;
    if let Some(secret) = secret {
        replace_secret(tx, tenant, client_id, secret, now)?;
    }
    if before.get("client_aliases") != after.get("client_aliases") {
        tx.write(
            "DELETE FROM client_alias WHERE tenant = $1 AND client_id = $2",
            params![tenant, client_id],
        )?;
        insert_aliases(tx, tenant, after)?;
    }
    references::store(tx, tenant, after, Some(before))?;
    let sort = |document: &ClientDocument| (document.is_first_party(), app_type(document).to_owned());
    if sort(before) != sort(after) {
        count(tx, tenant, before, -1);
        count(tx, tenant, after, 1);
        tx.changed(Kind::ClientList, tenant, "");
    }
    tx.record(|| {
        let mut members = after.members().clone();
        if secret.is_some() {
            // That it is another one, not what it is.
            members.insert("client_secret".into(), audit::NEW.into());
        }
        Change::updated("client", client_id, before.members(), &members)
    });
    tx.changed(Kind::Client, tenant, client_id);
    Ok(stored)
}

/// Deletes a client and, through the references of other tables, everything that belongs to it.
pub(crate) fn delete(tx: &mut Tx<'_>, tenant: &str, document: &ClientDocument, now: i64) -> DbResult<()> {
    let client_id = document.client_id();
    index::remove(tx, tenant, document)?;
    tx.write("DELETE FROM client WHERE tenant = $1 AND client_id = $2", params![tenant, client_id])?;
    references::forget(tx, tenant, references::Kind::Client, client_id, now)?;
    connections::store::forget_client(tx, tenant, client_id)?;
    settings::forget(tx, tenant, "clients", client_id)?;
    quota::forget(tx, tenant, quota::Owner::Client, client_id)?;
    count(tx, tenant, document, -1);
    audit::deleted(tx, "client", client_id, document.members());
    for kind in [Kind::Client, Kind::Grant] {
        tx.changed(kind, tenant, client_id);
    }
    tx.changed(Kind::ClientList, tenant, "");
    Ok(())
}
