//! Lists of clients. Pages are keyset pages in the order of creation; a page asked for by number starts from where the
//! one before it ended, if that is remembered, and otherwise skips over a small index.

use super::render::{self, Parts, Stored, View};
use super::store::{open_secret, shows_secret};
use crate::app::App;
use crate::db::generations::Slot;
use crate::db::{DbResult, Kind, Param, Row, params};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use tenantry_types::clients::search::ANY_ORGANIZATION;

/// Which clients are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Filter {
    pub(super) is_global: Option<bool>,
    pub(super) is_first_party: Option<bool>,
    /// Any of these; all when empty.
    pub(super) app_types: Vec<String>,
    pub(super) external_client_id: Option<String>,
    pub(super) grants_any_organization: bool,
    pub(super) grants_organization: Option<String>,
}

/// As many clients as a request may ask for, and one to know whether there are more.
const MOST_EXPECTED: usize = 101;

/// What stands before the clients, as soon as it is known how many there are in all.
type Head = Box<dyn FnOnce(u64) -> String + Send>;

/// An answer in the making: what stands before the clients, and the clients as they are shown, with commas between.
pub(super) struct Listed {
    head: Option<Head>,
    total: u64,
    text: Vec<u8>,
    prefix: usize,
    /// The number of each client, and where its text ends.
    clients: Vec<(i64, usize)>,
    /// How many there will be at most.
    expected: usize,
}

impl Listed {
    fn new(prefix: &str, limit: u64) -> Self {
        let expected = usize::try_from(limit).unwrap_or(0).min(MOST_EXPECTED);
        let (text, clients) = (prefix.as_bytes().to_vec(), Vec::with_capacity(expected));
        Self { head: None, total: 0, text, prefix: prefix.len(), clients, expected }
    }

    fn with_total(head: Head, limit: u64) -> Self {
        Self { head: Some(head), ..Self::new("", limit) }
    }

    /// Whether it has to be told how many clients there are in all, before the first of them.
    fn wants_total(&self) -> bool {
        self.head.is_some()
    }

    fn set_total(&mut self, total: u64) {
        self.total = total;
        if let Some(head) = self.head.take() {
            self.text.extend_from_slice(head(total).as_bytes());
            self.prefix = self.text.len();
        }
    }

    /// How many clients there are in all, in an answer that was told.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    /// The number of the last client.
    pub(super) fn last(&self) -> Option<i64> {
        self.clients.last().map(|(seq, _)| *seq)
    }

    /// Leaves the first `most` clients.
    pub(super) fn truncate(&mut self, most: usize) {
        self.clients.truncate(most);
        self.text.truncate(self.clients.last().map_or(self.prefix, |(_, end)| *end));
    }

    /// The whole text.
    pub(super) fn finish(mut self, suffix: &str) -> Vec<u8> {
        self.text.extend_from_slice(suffix.as_bytes());
        self.text
    }

    fn push(&mut self, seq: i64, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.clients.is_empty() {
            self.text.push(b',');
        }
        let start = self.text.len();
        write(&mut self.text);
        self.clients.push((seq, self.text.len()));
        // Clients are about as long as each other, so the rest of the page is made room for at once.
        if let [_] = self.clients[..] {
            let rest = (self.text.len() - start + 64).saturating_mul(self.expected);
            self.text.reserve(rest.min(MAX_RESERVED));
        }
    }

    /// Brings the clients into the order of their numbers.
    fn sort(&mut self) {
        let mut start = self.prefix;
        let mut spans = Vec::with_capacity(self.clients.len());
        for (seq, end) in std::mem::take(&mut self.clients) {
            spans.push((seq, start..end));
            start = end + 1;
        }
        spans.sort_unstable_by_key(|(seq, _)| *seq);
        let unsorted = self.text.clone();
        self.text.truncate(self.prefix);
        for (seq, span) in spans {
            self.push(seq, |out| out.extend_from_slice(&unsorted[span]));
        }
    }
}

/// Bytes that a page takes in advance, at most.
const MAX_RESERVED: usize = 1 << 20;

/// Where clients stand in lists.
pub(super) struct Positions(Cache<Filter, Arc<Marks>>);

/// Where some clients of a list stand.
#[derive(Default)]
struct Marks(Mutex<Known>);

/// What is known of one state of the list.
#[derive(Default)]
struct Known {
    state: u64,
    /// How many clients stand before some, with their numbers.
    places: BTreeMap<u64, i64>,
    /// Held by whoever walks far. Others wait, to find the marks that the walk leaves.
    walk: Arc<Walk>,
}

type Walk = tokio::sync::Mutex<()>;

impl Known {
    /// What is known of this state, which is nothing if another was looked at last.
    fn of(&mut self, state: u64) -> &mut Self {
        if self.state != state {
            *self = Self { state, ..Self::default() };
        }
        self
    }
}

/// Lists that are remembered, and marks of each; when there are as many, every second one goes.
const LISTS: usize = 32;
const MARKS: usize = 4_096;
/// Clients between two marks that a jump leaves, at most.
const STRIDE: u64 = 1_000;
/// The same as long as the jump goes farther.
const FAR_STRIDE: u64 = 10 * STRIDE;

impl Default for Positions {
    fn default() -> Self {
        Self(Cache::new(LISTS))
    }
}

impl Positions {
    fn of(&self, filter: &Filter) -> Arc<Marks> {
        let Ok(marks) = self.0.get_or_insert_with(filter, || Ok::<_, Infallible>(Arc::default()));
        marks
    }
}

impl Marks {
    /// The last mark that has no more than `place` clients before it, in this state of the list.
    fn before(&self, state: u64, place: u64) -> Option<(u64, i64)> {
        let known = self.0.lock();
        let (place, seq) = known.places.range(..=place).next_back().filter(|_| known.state == state)?;
        Some((*place, *seq))
    }

    /// Remembers that `place` clients stood before number `seq` when the list was in this state.
    fn set(&self, state: u64, place: u64, seq: i64) {
        let mut known = self.0.lock();
        let places = &mut known.of(state).places;
        if places.len() >= MARKS {
            let mut is_kept = false;
            places.retain(|_, _| {
                is_kept = !is_kept;
                is_kept
            });
        }
        places.insert(place, seq);
    }

    fn walk(&self, state: u64) -> Arc<Walk> {
        Arc::clone(&self.0.lock().of(state).walk)
    }
}

/// A statement and its parameters, put together from fixed pieces.
struct Statement<'a> {
    sql: String,
    params: Vec<Param<'a>>,
}

impl<'a> Statement<'a> {
    fn new(select: &str, tenant: &'a str) -> Self {
        Self { sql: format!("{select} WHERE c.tenant = $1"), params: vec![Param::Text(tenant)] }
    }

    /// Which clients of a filter stand behind number `after`, in their order.
    fn after(
        filter: &'a Filter,
        app_type: Option<&'a str>,
        columns: &str,
        with_total: bool,
        tenant: &'a str,
        after: i64,
        limit: u64,
    ) -> Self {
        let by_term = filter.grants_any_organization;
        // Clients with such a grant have a term, under which they stand in this order too.
        let (from, seq) = if by_term {
            ("client_term s CROSS JOIN client c", "s.seq")
        } else if filter.grants_organization.is_some() {
            // What is added keeps the planner from walking through all clients in their order.
            (filter.from(), "c.seq + 0")
        } else {
            (filter.from(), "c.seq")
        };
        let mut statement = Self { sql: format!("SELECT {columns}"), params: vec![Param::Text(tenant)] };
        if with_total {
            let _ = write!(statement.sql, ", ({} WHERE c.tenant = $1", count_from(filter));
            statement.filter(filter, app_type);
            statement.sql.push(')');
        }
        let _ = write!(statement.sql, " FROM {from} WHERE c.tenant = $1");
        if by_term {
            statement.sql.push_str(" AND s.tenant = $1 AND c.seq = s.seq + 0");
            statement.and("s.term =", Param::Bytes(ANY_ORGANIZATION));
        }
        statement.filter(filter, app_type);
        statement.and(&format!("{seq} >"), Param::Int(after));
        statement.limit(seq, limit, 0);
        statement
    }

    /// The number of a client behind number `after`, with so many between. `global` is the number of the global client,
    /// where it tells all that the filter asks.
    fn skip(filter: &'a Filter, global: Option<i64>, tenant: &'a str, after: i64, skipped: u64) -> Self {
        let mut statement = Self::new(&format!("SELECT c.seq FROM {}", filter.from()), tenant);
        match global {
            Some(global) => statement.and("c.seq <>", Param::Int(global)),
            None => statement.filter(filter, filter.app_types.first().map(String::as_str)),
        }
        statement.and("c.seq >", Param::Int(after));
        statement.limit("c.seq", 1, skipped);
        statement
    }

    fn and(&mut self, condition: &str, param: Param<'a>) {
        self.params.push(param);
        let _ = write!(self.sql, " AND {condition} ${}", self.params.len());
    }

    fn filter(&mut self, filter: &'a Filter, app_type: Option<&'a str>) {
        match filter.is_global {
            Some(true) => self.sql.push_str(" AND c.is_global"),
            Some(false) => self.sql.push_str(" AND NOT c.is_global"),
            None => {}
        }
        if let Some(is_first_party) = filter.is_first_party {
            self.and("c.is_first_party =", Param::Bool(is_first_party));
        }
        if let Some(app_type) = app_type {
            self.and("c.app_type =", Param::Text(app_type));
        }
        if let Some(id) = &filter.external_client_id {
            self.and("c.external_client_id =", Param::Text(id));
        }
        if filter.grants_any_organization {
            self.sql.push_str(
                " AND EXISTS (SELECT 1 FROM client_grant g WHERE g.tenant = c.tenant \
                 AND g.client_id = c.client_id AND g.allow_any_organization)",
            );
        }
        if let Some(organization) = &filter.grants_organization {
            self.params.push(Param::Text(organization));
            let _ = write!(
                self.sql,
                " AND c.client_id IN (SELECT g.client_id FROM organization_client_grant o \
                 CROSS JOIN client_grant g WHERE o.tenant = $1 AND o.organization_id = ${} \
                 AND g.tenant = $1 AND g.id = o.grant_id)",
                self.params.len()
            );
        }
    }

    fn limit(&mut self, order: &str, limit: u64, offset: u64) {
        let number = |n: u64| Param::Int(i64::try_from(n).unwrap_or(i64::MAX));
        self.params.push(number(limit));
        let _ = write!(self.sql, " ORDER BY {order} LIMIT ${}", self.params.len());
        if offset > 0 {
            self.params.push(number(offset));
            let _ = write!(self.sql, " OFFSET ${}", self.params.len());
        }
    }
}

impl Filter {
    /// Where clients are looked for. The global client has an index of its own, and is filtered afterwards: a planner
    /// that does not know that there is one only would rather walk through all clients.
    fn from(&self) -> &'static str {
        if self.is_global == Some(true) {
            "(SELECT * FROM client WHERE tenant = $1 AND is_global LIMIT 1) c"
        } else {
            "client c"
        }
    }

    /// Whether it leaves out the global client, and nobody else.
    fn is_all_but_global(&self) -> bool {
        *self == Self { is_global: Some(false), ..Self::default() }
    }

    /// The listed types one by one, or one time "any": each is read through an index of its own.
    fn app_types(&self) -> Vec<Option<&str>> {
        if self.app_types.is_empty() {
            vec![None]
        } else {
            self.app_types.iter().map(|one| Some(one.as_str())).collect()
        }
    }
}

/// Counters know how many clients there are of each sort; the rest is counted.
fn count_from(filter: &Filter) -> &'static str {
    let is_counted = filter.external_client_id.is_none()
        && !filter.grants_any_organization
        && filter.grants_organization.is_none();
    if is_counted {
        "SELECT CAST(COALESCE(SUM(c.n), 0) AS BIGINT) FROM client_count c"
    } else {
        "SELECT COUNT(*) FROM client c"
    }
}

/// How many clients there are.
async fn count(app: &App, filter: &Filter) -> DbResult<u64> {
    let select = count_from(filter);
    let mut total = 0;
    for app_type in filter.app_types() {
        let mut statement = Statement::new(select, &app.tenant);
        statement.filter(filter, app_type);
        total += app.db.query_opt(&statement.sql, &statement.params, |row| row.int(0)).await?.unwrap_or(0);
    }
    Ok(u64::try_from(total).unwrap_or(0))
}

/// What is read of each client without its secret, and with it; and how many columns that are.
const WITHOUT: (&str, usize) = ("c.seq, c.document, c.signing_keys_at, c.client_secret_at", 4);
const WITH: (&str, usize) =
    ("c.seq, c.document, c.signing_keys_at, c.client_secret_at, c.client_id, c.secret_id, c.secret", 7);

/// The clients behind number `after`, `limit` of them at most, behind `prefix`.
pub(super) async fn after(
    app: &App,
    filter: &Filter,
    after: i64,
    limit: u64,
    view: &View,
    prefix: &str,
) -> DbResult<Listed> {
    let mut listed = Listed::new(prefix, limit);
    fill(app, filter, after, view, &mut listed, limit).await?;
    Ok(listed)
}

async fn fill(
    app: &App,
    filter: &Filter,
    after: i64,
    view: &View,
    listed: &mut Listed,
    limit: u64,
) -> DbResult<()> {
    let with_secrets = view.shows_secret();
    let (columns, count) = if with_secrets { WITH } else { WITHOUT };
    let keys = app.keys().await?;
    let signing_keys = &keys.signing_keys().read;
    let app_types = filter.app_types();
    let several = app_types.len() > 1;
    for app_type in app_types {
        let with_total = listed.wants_total();
        let statement = Statement::after(filter, app_type, columns, with_total, &app.tenant, after, limit);
        let read = |row: &Row<'_>| {
            if listed.wants_total() {
                listed.set_total(u64::try_from(row.int(count)?).unwrap_or(0));
            }
            let json = row.text_bytes(1)?;
            let secret = match with_secrets.then(|| row.opt_bytes(6)).transpose()?.flatten() {
                Some(sealed) if shows_secret(json)? => {
                    Some(open_secret(&app.master, &app.tenant, row.text(4)?, row.text(5)?, sealed)?)
                }
                _ => None,
            };
            let stored = Stored { json, signing_keys_at: row.size(2)?, client_secret_at: row.size(3)? };
            let secret = secret.as_ref().map(|secret| secret.as_str());
            let parts = Parts { stored, secret, signing_keys, is_new: false };
            listed.push(row.int(0)?, |out| render::client(out, &parts, view));
            Ok(())
        };
        app.db.query(&statement.sql, &statement.params, read).await?;
    }
    if several {
        listed.sort();
        listed.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    Ok(())
}

/// Page `page` of `per_page` clients, behind what `head` makes of how many there are in all. That comes with the clients,
/// where it can: a question less, and true of the same moment.
pub(super) async fn page(
    app: &App,
    filter: &Filter,
    page: u64,
    per_page: u64,
    view: &View,
    head: impl FnOnce(u64) -> String + Send + 'static,
) -> DbResult<Listed> {
    let slot = Slot::of(Kind::ClientList, &app.tenant, "");
    let state = app.db.generations().now(slot);
    let mut listed = Listed::with_total(Box::new(head), per_page);
    if filter.app_types.len() > 1 {
        listed.set_total(count(app, filter).await?);
    }
    if let Some(start) = start_of(app, filter, page, per_page, state).await? {
        fill(app, filter, start, view, &mut listed, per_page).await?;
        if let Some(last) = listed.last()
            && listed.len() as u64 == per_page
        {
            let before = page.saturating_add(1).saturating_mul(per_page) - 1;
            app.clients.positions.of(filter).set(state, before, last);
        }
    }
    if listed.wants_total() {
        listed.set_total(count(app, filter).await?);
    }
    Ok(listed)
}

/// The number behind which a page starts; `None` when it is past the end.
async fn start_of(app: &App, filter: &Filter, page: u64, per_page: u64, state: u64) -> DbResult<Option<i64>> {
    let Some(place) = page.saturating_mul(per_page).checked_sub(1) else { return Ok(Some(0)) };
    let marks = app.clients.positions.of(filter);
    let mut mark = marks.before(state, place);
    if mark.is_none_or(|(at, _)| at < place)
        && let [Some(_), Some(_), ..] = filter.app_types().as_slice()
    {
        return start_among_types(app, filter, place).await;
    }
    let global = if filter.is_all_but_global() { Some(global(app).await?) } else { None };
    let mut walk = None;
    loop {
        // How many clients are skipped, and behind which number.
        let (skipped, after) = match mark {
            Some((at, seq)) if at == place => return Ok(Some(seq)),
            Some((at, seq)) => (place - at - 1, seq),
            None => (place, 0),
        };
        if skipped > FAR_STRIDE && walk.is_none() {
            walk = Some(marks.walk(state).lock_owned().await);
            mark = marks.before(state, place);
            continue;
        }
        let stride = if skipped > FAR_STRIDE { FAR_STRIDE } else { skipped.min(STRIDE) };
        let statement = Statement::skip(filter, global, &app.tenant, after, stride);
        let found = app.db.query_opt(&statement.sql, &statement.params, |row| row.int(0)).await?;
        let Some(seq) = found else { return Ok(None) };
        let at = mark.map_or(0, |(at, _)| at + 1) + stride;
        marks.set(state, at, seq);
        mark = Some((at, seq));
    }
}

const GLOBAL: &str = "SELECT seq FROM client WHERE tenant = $1 AND is_global";

/// The number of the global client, or one that no client has.
async fn global(app: &App) -> DbResult<i64> {
    Ok(app.db.query_opt(GLOBAL, params![&app.tenant], |row| row.int(0)).await?.unwrap_or(-1))
}

/// A jump in a list of several types has to sort their numbers; walking on from a remembered page does not.
async fn start_among_types(app: &App, filter: &Filter, skipped: u64) -> DbResult<Option<i64>> {
    let mut numbers = Vec::new();
    for app_type in filter.app_types() {
        let mut statement = Statement::new(&format!("SELECT c.seq FROM {}", filter.from()), &app.tenant);
        statement.filter(filter, app_type);
        statement.limit("c.seq", skipped.saturating_add(1), 0);
        numbers.extend(app.db.query(&statement.sql, &statement.params, |row| row.int(0)).await?);
    }
    numbers.sort_unstable();
    Ok(usize::try_from(skipped).ok().and_then(|skipped| numbers.get(skipped).copied()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::search::tests::{check_plan, check_walk, plan_of};
    use crate::db::Db;

    /// Every combination of filters, as far as they may be combined.
    fn filters() -> Vec<(Filter, Option<&'static str>)> {
        let mut filters = vec![(Filter { grants_any_organization: true, ..Filter::default() }, None)];
        for is_global in [None, Some(true), Some(false)] {
            for is_first_party in [None, Some(true), Some(false)] {
                for app_type in [None, Some("spa")] {
                    for external_client_id in [None, Some("https://a/b".to_owned())] {
                        let filter =
                            Filter { is_global, is_first_party, external_client_id, ..Filter::default() };
                        filters.push((filter, app_type));
                    }
                }
            }
        }
        filters
    }

    #[tokio::test]
    async fn clients_of_an_organization_are_found_by_its_grants() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&crate::db::Target::Sqlite(dir.path().join("t.db"))).await.unwrap();
        let filter = Filter { grants_organization: Some("org_1".into()), ..Filter::default() };
        let mut count = Statement::new(count_from(&filter), "t");
        count.filter(&filter, None);
        let page = Statement::after(&filter, None, WITH.0, false, "t", 1, 50);
        for statement in [page, count] {
            let plan = plan_of(&db, &statement.sql, &statement.params).await;
            check_plan(&statement.sql, &plan);
            let by_id = |step: &String| step.starts_with("SEARCH c ") && step.contains("client_id=?");
            assert!(plan.iter().any(by_id), "{}: {plan:#?}", statement.sql);
        }
    }

    #[tokio::test]
    async fn no_list_reads_a_whole_table() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&crate::db::Target::Sqlite(dir.path().join("t.db"))).await.unwrap();
        check_plan(GLOBAL, &plan_of(&db, GLOBAL, params!["t"]).await);
        for (filter, app_type) in filters() {
            for (columns, _) in [WITH, WITHOUT] {
                let with_total = Statement::after(&filter, app_type, columns, true, "t", 1, 50);
                check_plan(&with_total.sql, &plan_of(&db, &with_total.sql, &with_total.params).await);
                let statement = Statement::after(&filter, app_type, columns, false, "t", 1, 50);
                let plan = plan_of(&db, &statement.sql, &statement.params).await;
                check_plan(&statement.sql, &plan);
                // One client or none has an index of its own.
                if filter.external_client_id.is_some() || filter.is_global == Some(true) {
                    let is_direct = ["INDEX client_external", "INDEX client_global"];
                    let is_direct =
                        plan.iter().any(|step| is_direct.iter().any(|index| step.contains(index)));
                    assert!(is_direct, "{}: {plan:#?}", statement.sql);
                } else {
                    check_walk(&statement.sql, &plan);
                }
            }
            let of_type =
                Filter { app_types: app_type.map(str::to_owned).into_iter().collect(), ..filter.clone() };
            let global = of_type.is_all_but_global().then_some(7);
            let skip = Statement::skip(&of_type, global, "t", 1, 100);
            let plan = plan_of(&db, &skip.sql, &skip.params).await;
            check_plan(&skip.sql, &plan);
            let by_number = !filter.grants_any_organization;
            if by_number && filter.external_client_id.is_none() && filter.is_global != Some(true) {
                // What is skipped is not read.
                assert!(plan.iter().all(|step| step.contains("COVERING INDEX")), "{}: {plan:#?}", skip.sql);
            }
            let mut count = Statement::new(count_from(&filter), "t");
            count.filter(&filter, app_type);
            check_plan(&count.sql, &plan_of(&db, &count.sql, &count.params).await);
        }
    }
}
