//! The operations: references first, then the same requests of every subject.

use crate::api::{Api, FORM, JSON};
use crate::load::{Ask, Load};
use crate::process::Process;
use crate::rounds::{Operation, Sample};
use crate::store::{self, Postgres, Sqlite};
use crate::subject::{Bounds, CLIENTS, Subject, TokenFor, client_path, new_client};
use crate::{Failure, growth, peer, raw};
use http::{Method, StatusCode};
use serde_json::json;
use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

pub(crate) const SIGNATURE: &str = "bare: RSA-2048 signature";
pub(crate) const BARE_CLIENT: &str = "bare: bytes of one client";
pub(crate) const BARE_PAGE: &str = "bare: bytes of a page of 50";
pub(crate) const BARE_DISCOVERY: &str = "bare: bytes of the discovery document";
pub(crate) const BARE_JWKS: &str = "bare: bytes of the JWKS";
pub(crate) const BARE_POST: &str = "bare: POST of 0.3 kB";
pub(crate) const BARE_TOKEN: &str = "bare: token";
pub(crate) const RAW_READ: &str = "raw SQLite: point read";
pub(crate) const RAW_INSERT: &str = "raw SQLite: durable insert, 1 a transaction";
pub(crate) const RAW_INSERT_16: &str = "raw SQLite: durable insert, 16 a transaction";
pub(crate) const RAW_POSTGRES: &str = "raw PostgreSQL: insert, 16 connections";

pub(crate) const TOKEN: &str = "token, form";
pub(crate) const TOKEN_JSON: &str = "token, JSON";
pub(crate) const TOKEN_HS256: &str = "token, HS256";
pub(crate) const TOKEN_ASSERTION: &str = "token, private_key_jwt";
pub(crate) const WRONG_SECRET: &str = "token refused, wrong secret";
pub(crate) const UNKNOWN_CLIENT: &str = "token refused, unknown client";
pub(crate) const READ: &str = "read one of 1,000";
pub(crate) const READ_ANY: &str = "read one of all";
pub(crate) const READ_FIELDS: &str = "read 3 fields of one";
pub(crate) const READ_UNSEEN: &str = "read with a token never seen";
pub(crate) const READ_REFUSED: &str = "read refused, no token";
pub(crate) const DISCOVERY: &str = "discovery document";
pub(crate) const JWKS: &str = "JWKS";
pub(crate) const LIST: &str = "list 50, first page";
pub(crate) const LIST_FIELDS: &str = "list 50, 3 fields";
pub(crate) const LIST_TOTALS: &str = "list 50, with totals";
pub(crate) const LIST_PAGE: &str = "list 50, any page";
pub(crate) const LIST_CHECKPOINT: &str = "list 50, any checkpoint";
pub(crate) const LIST_TYPE: &str = "list 50, of one type";
pub(crate) const CREATE: &str = "create";
pub(crate) const CREATE_16: &str = "create, 16 connections";
pub(crate) const UPDATE: &str = "update";
pub(crate) const READ_BESIDE: &str = "read beside 64 that ask for tokens";

/// All of them, in the order in which they are measured: each beside what it is held against.
pub(crate) const ALL: &[&str] = &[
    SIGNATURE,
    BARE_TOKEN,
    TOKEN,
    TOKEN_JSON,
    TOKEN_ASSERTION,
    peer::TOKEN,
    BARE_CLIENT,
    READ,
    READ_ANY,
    READ_FIELDS,
    READ_UNSEEN,
    READ_REFUSED,
    TOKEN_HS256,
    WRONG_SECRET,
    UNKNOWN_CLIENT,
    peer::READ,
    BARE_DISCOVERY,
    DISCOVERY,
    BARE_JWKS,
    JWKS,
    BARE_PAGE,
    LIST,
    LIST_FIELDS,
    LIST_TOTALS,
    LIST_PAGE,
    LIST_CHECKPOINT,
    LIST_TYPE,
    RAW_READ,
    RAW_INSERT,
    RAW_INSERT_16,
    RAW_POSTGRES,
    BARE_POST,
    CREATE,
    CREATE_16,
    UPDATE,
    peer::CREATE,
    READ_BESIDE,
];

/// Brings operations of all kinds into that order.
pub(crate) fn sort(operations: &mut [Operation<'_>]) {
    operations.sort_by_key(|operation| ALL.iter().position(|name| *name == operation.name));
}

const PAGE: u64 = 50;
/// Connections of those who read while others ask for tokens, and of these.
const FEW: usize = 4;
const MANY: usize = 64;
/// What is made for each second of a measurement and may be used once: more than a server of two processors uses up.
const ASSERTIONS: u64 = 1_500;
const UNSEEN: u64 = 750;
const CREATED: u64 = 2_500;

/// How the operations are run.
pub(crate) struct Settings<'a> {
    pub(crate) connections: usize,
    /// Where raw stores are made.
    pub(crate) dir: &'a Path,
    pub(crate) database_url: Option<&'a str>,
    /// Whether an operation is wanted.
    pub(crate) wanted: &'a dyn Fn(&str) -> bool,
}

fn per_second(count: u64, lasts: Duration) -> u64 {
    count.saturating_mul(u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX)) / 1_000
}

/// The request whose turn it is.
fn of(asks: &[Ask], number: u64) -> Option<Ask> {
    asks.get(usize::try_from(number).ok()?).cloned()
}

/// The references, for the answers that this subject gives.
pub(crate) fn references<'a>(
    settings: &Settings<'a>,
    reference: &'a Process,
    subject: &'a Subject,
) -> Result<Vec<Operation<'a>>, Failure> {
    // The same headers as the server is sent.
    let bare = subject.api.clone().moved(reference.address)?;
    let connections = settings.connections;
    let mut operations = Vec::new();
    let mut add = |name: &'static str, expect: StatusCode, ask: Ask| {
        operations.push(Operation::new(name, None, move |lasts| {
            let ask = |_| Some(ask.clone());
            let (to, process) = (reference.address, Some(reference.id()));
            let load =
                Load { to, connections, lasts, most: u64::MAX, expect, ask: &ask, answer: None, process };
            Ok(load.run()?.into())
        }));
    };
    let length =
        |ask: Ask| subject.api.once(&ask, StatusCode::OK).map(|answer| format!("/bytes/{}", answer.len()));
    let first = subject.hot("").into_iter().next().ok_or("there are no clients")?;
    add(BARE_CLIENT, StatusCode::OK, bare.get(&length(first)?));
    add(BARE_PAGE, StatusCode::OK, bare.get(&length(page(&subject.api, "&page=0"))?));
    add(BARE_POST, StatusCode::CREATED, bare.send(Method::POST, "/create", JSON, new_client(0)));
    let (bare, nobody) = (bare.anonymous(), subject.api.anonymous());
    add(BARE_DISCOVERY, StatusCode::OK, bare.get(&length(nobody.get("/.well-known/openid-configuration"))?));
    add(BARE_JWKS, StatusCode::OK, bare.get(&length(nobody.get("/.well-known/jwks.json"))?));
    let form = "grant_type=client_credentials&client_id=k3Jq0aVYwNsT5ZbXr8uEoL1mPdGcHf7i&audience=https%3A%2F%2F\
                api.example.com%2F&client_secret=p9Xv2LwQ7tRzBn4KcY0sHjUa8eMfGd1oVq6iTkWb3xNl5ZrPhEyCuJgSmA_D-IOF";
    add(BARE_TOKEN, StatusCode::OK, bare.send(Method::POST, "/token", FORM, form));
    operations.push(Operation::new(SIGNATURE, None, raw::signature));
    operations.retain(|operation| (settings.wanted)(operation.name));
    operations.extend(stores(settings)?);
    Ok(operations)
}

/// The stores without a server.
fn stores<'a>(settings: &Settings<'a>) -> Result<Vec<Operation<'a>>, Failure> {
    let wanted = |name| (settings.wanted)(name);
    let mut operations = Vec::new();
    if let Some(url) = settings.database_url {
        if wanted(RAW_POSTGRES) {
            let mut store = Postgres::new(url)?;
            operations.push(Operation::new(RAW_POSTGRES, None, move |lasts| store.inserts(lasts)));
        }
        return Ok(operations);
    }
    for (name, per_transaction) in [(RAW_INSERT, 1), (RAW_INSERT_16, 16)] {
        if wanted(name) {
            let mut store = Sqlite::new(settings.dir)?;
            operations.push(Operation::new(name, None, move |lasts| store.inserts(lasts, per_transaction)));
        }
    }
    if wanted(RAW_READ) {
        let mut store = Sqlite::new(settings.dir)?;
        operations.push(Operation::new(RAW_READ, None, move |lasts| store.reads(lasts)));
    }
    Ok(operations)
}

fn page(api: &Api, more: &str) -> Ask {
    api.get(&format!("{CLIENTS}?per_page={PAGE}{more}"))
}

/// What is asked of the subjects. All but the first are there to see what grows, and are asked nothing else.
pub(crate) fn of_all<'a>(settings: &Settings<'a>, subjects: &'a [Subject]) -> Vec<Operation<'a>> {
    let of = |subject| simple(settings, subject).into_iter().chain(prepared(settings, subject));
    let mut operations: Vec<_> = subjects.iter().flat_map(of).collect();
    let first = subjects.first().map(|subject| subject.clients);
    operations.retain(|operation| {
        (settings.wanted)(operation.name) && (operation.clients == first || growth::is_shown(operation.name))
    });
    operations
}

/// Operations whose requests are made while they run.
fn simple<'a>(settings: &Settings<'a>, subject: &'a Subject) -> Vec<Operation<'a>> {
    let (connections, api, clients) = (settings.connections, &subject.api, subject.clients);
    let mut operations = Vec::new();
    let mut add =
        |name: &'static str, expect: StatusCode, ask: Box<dyn Fn(u64) -> Option<Ask> + Sync + 'a>| {
            operations.push(Operation::new(name, Some(clients), move |lasts| {
                let bounds = Bounds { connections, lasts, most: u64::MAX };
                Ok(subject.load(&bounds, expect, &*ask, None)?.into())
            }));
        };
    let same = |ask: Ask| Box::new(move |_| Some(ask.clone()));
    let any = |asks: Vec<Ask>| Box::new(move |_| fastrand::choice(&asks).cloned());

    add(TOKEN, StatusCode::OK, same(subject.token_form(TokenFor::Rs256)));
    add(TOKEN_JSON, StatusCode::OK, same(subject.token_json(None, None)));
    add(TOKEN_HS256, StatusCode::OK, same(subject.token_form(TokenFor::Hs256)));
    add(WRONG_SECRET, StatusCode::UNAUTHORIZED, same(subject.token_json(None, Some("wrong"))));
    let unknown = "unknownunknownunknownunknownunkn";
    add(UNKNOWN_CLIENT, StatusCode::UNAUTHORIZED, same(subject.token_json(Some(unknown), None)));
    add(READ, StatusCode::OK, any(subject.hot("")));
    add(READ_ANY, StatusCode::OK, Box::new(|_| Some(api.get(&client_path(fastrand::choice(&subject.ids)?)))));
    add(READ_FIELDS, StatusCode::OK, any(subject.hot("?fields=client_id,name,app_type&include_fields=true")));
    let nobody = api.anonymous();
    add(DISCOVERY, StatusCode::OK, same(nobody.get("/.well-known/openid-configuration")));
    add(JWKS, StatusCode::OK, same(nobody.get("/.well-known/jwks.json")));
    add(READ_REFUSED, StatusCode::UNAUTHORIZED, same(nobody.get(&client_path(&subject.ids[0]))));
    add(LIST, StatusCode::OK, same(page(api, "&page=0")));
    add(LIST_FIELDS, StatusCode::OK, same(page(api, "&page=0&fields=client_id,name,app_type")));
    add(LIST_TOTALS, StatusCode::OK, same(page(api, "&page=0&include_totals=true")));
    let pages = clients / PAGE;
    add(
        LIST_PAGE,
        StatusCode::OK,
        Box::new(move |_| Some(page(api, &format!("&page={}", fastrand::u64(..pages))))),
    );
    let at = |next: &String| api.get(&format!("{CLIENTS}?take={PAGE}{next}"));
    add(LIST_CHECKPOINT, StatusCode::OK, any(subject.checkpoints.iter().map(at).collect()));
    add(LIST_TYPE, StatusCode::OK, same(page(api, "&page=0&app_type=non_interactive")));
    let hot: Vec<_> = subject.ids.iter().take(1_000).map(|id| client_path(id)).collect();
    let update = move |number| {
        let body = json!({"description": format!("update {number} {}", fastrand::u32(..))});
        Some(api.send(Method::PATCH, fastrand::choice(&hot)?, JSON, body.to_string()))
    };
    add(UPDATE, StatusCode::OK, Box::new(update));
    operations
}

/// Operations that need something made before them, cleared away after them, or running beside them.
fn prepared<'a>(settings: &Settings<'a>, subject: &'a Subject) -> Vec<Operation<'a>> {
    let (connections, clients) = (settings.connections, Some(subject.clients));
    let once_each = move |asks: &[Ask], lasts| {
        let bounds = Bounds { connections, lasts, most: u64::MAX };
        Ok::<Sample, Failure>(subject.load(&bounds, StatusCode::OK, &|number| of(asks, number), None)?.into())
    };
    let mut operations = vec![
        Operation::new(TOKEN_ASSERTION, clients, move |lasts| {
            once_each(&subject.assertions(per_second(ASSERTIONS, lasts))?, lasts)
        }),
        Operation::new(READ_UNSEEN, clients, move |lasts| {
            once_each(&subject.unseen(per_second(UNSEEN, lasts), connections)?, lasts)
        }),
        Operation::new(READ_BESIDE, clients, move |lasts| beside(subject, lasts)),
    ];
    for (name, connections) in [(CREATE, settings.connections), (CREATE_16, store::CONNECTIONS)] {
        let made = Cell::new(subject.clients);
        operations.push(Operation::new(name, clients, move |lasts| {
            let bounds = Bounds { connections, lasts, most: per_second(CREATED, lasts) };
            let (outcome, ids) = subject.create(made.get(), &bounds)?;
            made.set(made.get() + outcome.answered);
            subject.delete(&ids, connections)?;
            Ok(outcome.into())
        }));
    }
    operations
}

/// Reads while others keep the server busy with signatures.
fn beside(subject: &Subject, lasts: Duration) -> Result<Sample, Failure> {
    let lead = Duration::from_millis(500);
    std::thread::scope(|scope| {
        let tokens = scope.spawn(|| {
            let ask = subject.token_form(TokenFor::Rs256);
            let bounds = Bounds { connections: MANY, lasts: lasts + 2 * lead, most: u64::MAX };
            subject.load(&bounds, StatusCode::OK, &|_| Some(ask.clone()), None).map(|outcome| outcome.failed)
        });
        std::thread::sleep(lead);
        let asks = subject.hot("");
        let bounds = Bounds { connections: FEW, lasts, most: u64::MAX };
        let read = subject.load(&bounds, StatusCode::OK, &|_| fastrand::choice(&asks).cloned(), None);
        let failed = tokens.join().map_err(|_| "the load of tokens failed")??;
        // The processor time is that of both.
        let sample = Sample { cpu_us: None, ..read?.into() };
        Ok(Sample { failed: sample.failed + failed, ..sample })
    })
}
