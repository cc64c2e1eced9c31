//! Looks where the plans say, checks what is found there, and puts the page together.

use super::index::unpack;
use super::plan::{Plan, Source};
use super::statement::Statement;
use crate::app::App;
use crate::clients::store;
use crate::db::{DbResult, Row, params};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use tenantry_jose::{base64url, from_base64url};
use tenantry_types::clients::StoredClient;
use tenantry_types::clients::search::{ANY_ORGANIZATION, Condition, Cover, Search, Searched};

/// The order of what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Created,
    Name,
    Updated,
}

/// Where a client stands in each of the orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) seq: i64,
    pub(super) name: Vec<u8>,
    pub(super) updated_at: i64,
}

impl Position {
    fn cmp(&self, other: &Self, sort: Sort) -> Ordering {
        let by_key = match sort {
            Sort::Created => Ordering::Equal,
            Sort::Name => self.name.cmp(&other.name),
            Sort::Updated => self.updated_at.cmp(&other.updated_at),
        };
        by_key.then(self.seq.cmp(&other.seq))
    }

    /// The position as part of a checkpoint, for its order only.
    pub(super) fn print(&self, sort: Sort) -> String {
        match sort {
            Sort::Created => format!("c{}", self.seq),
            Sort::Name => format!("n{}:{}", self.seq, base64url(&self.name)),
            Sort::Updated => format!("u{}:{}", self.seq, self.updated_at),
        }
    }

    /// Reads a position that was printed for this order.
    pub(super) fn read(text: &str, sort: Sort) -> Option<Self> {
        let mut position = Self::default();
        match sort {
            Sort::Created => position.seq = text.strip_prefix('c')?.parse().ok()?,
            Sort::Name => {
                let (seq, name) = text.strip_prefix('n')?.split_once(':')?;
                position.seq = seq.parse().ok()?;
                position.name = from_base64url(name)?;
            }
            Sort::Updated => {
                let (seq, updated_at) = text.strip_prefix('u')?.split_once(':')?;
                position.seq = seq.parse().ok()?;
                position.updated_at = updated_at.parse().ok()?;
            }
        }
        Some(position)
    }
}

/// A client that was found.
pub(super) struct Found {
    pub(super) stored: StoredClient,
    pub(super) created_at: i64,
    pub(super) position: Position,
}

/// How far ahead a request looks, step by step, when there is a lot to look through.
const STEPS: [i64; 3] = [200, 800, 3_000];
/// The most clients that are read and turn out not to match.
const MISSES: usize = 1_000;

/// What one plan found.
struct Part {
    found: Vec<Found>,
    /// How far it looked; `None` is to the end.
    reached: Option<Position>,
}

/// The first `take` clients behind `after`, and where to go on if there may be more.
pub(super) async fn run(
    app: &App,
    search: &Search,
    sort: Sort,
    after: &Position,
    take: usize,
) -> DbResult<(Vec<Found>, Option<Position>)> {
    let misses = MISSES / search.0.len().max(1);
    // First among the new ones, so that a client whose terms are brought to their places meanwhile is not missed.
    let mut parts = fresh(app, search, sort, after, take, misses).await?;
    for conditions in &search.0 {
        let plan = Plan::make(app, sort, conditions.clone()).await?;
        parts.push(look(app, &plan, after, take, misses).await?);
    }
    let by = |a: &Position, b: &Position| a.cmp(b, sort);
    // Behind what all of them reached, one may have missed what another would have found first.
    let reached = parts.iter().filter_map(|part| part.reached.clone()).min_by(by);
    let all = parts.into_iter().flat_map(|part| part.found).map(|found| (found.position.seq, found));
    let mut found: Vec<_> = all.collect::<BTreeMap<_, _>>().into_values().collect();
    found.retain(|one| {
        reached.as_ref().is_none_or(|reached| one.position.cmp(reached, sort) != Ordering::Greater)
    });
    found.sort_by(|a, b| a.position.cmp(&b.position, sort));
    let more = found.len() > take;
    found.truncate(take);
    let next = if more { found.last().map(|last| last.position.clone()) } else { reached };
    Ok((found, next))
}

/// Looks at the new clients whose terms are not in their places yet. Without conditions that are looked up by terms, they
/// are found like all others.
async fn fresh(
    app: &App,
    search: &Search,
    sort: Sort,
    after: &Position,
    take: usize,
    most_misses: usize,
) -> DbResult<Vec<Part>> {
    const TERMS: &str = "SELECT seq, terms FROM client_unindexed WHERE tenant = $1";
    let covers = |conditions: &Vec<Condition>| {
        conditions.iter().map(Condition::cover).filter(is_by_term).collect::<Vec<_>>()
    };
    let mut lists: Vec<_> =
        search.0.iter().map(|conditions| (conditions, covers(conditions), HashSet::new())).collect();
    lists.retain(|(_, covers, _)| !covers.is_empty());
    let mut parts = Vec::new();
    if lists.is_empty() {
        return Ok(parts);
    }
    let read = |row: &Row<'_>| {
        let (seq, terms) = (row.int(0)?, unpack(row.bytes(1)?));
        for (_, covers, found) in &mut lists {
            if covers.iter().all(|cover| has_terms(cover, &terms)) {
                found.insert(seq);
            }
        }
        Ok(())
    };
    app.db.query(TERMS, params![&app.tenant], read).await?;
    for (conditions, _, found) in lists.into_iter().filter(|(_, _, found)| !found.is_empty()) {
        let plan = Plan::of_fresh(sort, conditions.clone());
        let statement = Statement::fresh(&app.tenant, &plan);
        let mut positions = app.db.query(&statement.sql, &statement.params, position).await?;
        positions.retain(|position| found.contains(&position.seq));
        parts.push(one_by_one(app, &plan, positions, after, take, most_misses).await?);
    }
    Ok(parts)
}

/// Whether clients are looked up under terms that are brought to their places later. A grant for any organization is not
/// among these.
fn is_by_term(cover: &Cover) -> bool {
    match cover {
        Cover::Terms(terms) => terms.iter().any(|term| term != ANY_ORGANIZATION),
        Cover::Range(..) => true,
        Cover::Unknown => false,
    }
}

/// Whether a client with these terms, which are sorted, is covered.
fn has_terms(cover: &Cover, terms: &[&[u8]]) -> bool {
    match cover {
        Cover::Terms(all) => {
            all.iter().all(|term| term == ANY_ORGANIZATION || terms.binary_search(&&**term).is_ok())
        }
        Cover::Range(from, to) => terms.iter().any(|term| *term >= &**from && *term < &**to),
        Cover::Unknown => true,
    }
}

/// Looks where a plan says.
async fn look(app: &App, plan: &Plan, after: &Position, take: usize, misses: usize) -> DbResult<Part> {
    match &plan.source {
        Some(source) if !plan.is_walk => whole(app, plan, source, after, take, misses).await,
        _ => walk(app, plan, after, take, misses).await,
    }
}

/// Reads where all the clients of a source stand, and then one after the other until there are enough.
async fn whole(
    app: &App,
    plan: &Plan,
    source: &Source,
    after: &Position,
    take: usize,
    most_misses: usize,
) -> DbResult<Part> {
    let statement = Statement::positions(&app.tenant, plan, source);
    let positions = app.db.query(&statement.sql, &statement.params, position).await?;
    one_by_one(app, plan, positions, after, take, most_misses).await
}

/// Reads the clients at these positions, in their order, until there are enough.
async fn one_by_one(
    app: &App,
    plan: &Plan,
    mut positions: Vec<Position>,
    after: &Position,
    take: usize,
    most_misses: usize,
) -> DbResult<Part> {
    positions.retain(|position| position.cmp(after, plan.sort) == Ordering::Greater);
    positions.sort_by(|a, b| a.cmp(b, plan.sort));
    let (mut found, mut misses, mut reached) = (Vec::new(), 0, after.clone());
    for position in positions {
        if found.len() > take || misses >= most_misses {
            return Ok(Part { found, reached: Some(reached) });
        }
        let statement = Statement::client(&app.tenant, position.seq);
        match read(app, plan, &statement).await?.pop() {
            Some((one, true)) => found.push(one),
            // It changed or went in the meantime, or never matched.
            Some((_, false)) | None => misses += 1,
        }
        reached = position;
    }
    Ok(Part { found, reached: None })
}

/// Walks through a source in its order, a few steps ahead each time.
async fn walk(app: &App, plan: &Plan, after: &Position, take: usize, most_misses: usize) -> DbResult<Part> {
    let (mut found, mut misses) = (Vec::new(), 0);
    let mut after = after.clone();
    for step in STEPS {
        let statement = Statement::ahead(&app.tenant, plan, &after, step);
        let end = app.db.query_opt(&statement.sql, &statement.params, position).await?;
        loop {
            let limit = take + 1 - found.len().min(take);
            let most = i64::try_from(limit).unwrap_or(i64::MAX);
            let statement = Statement::walk_on(&app.tenant, plan, &after, end.as_ref(), most);
            let rows = read(app, plan, &statement).await?;
            let is_last = rows.len() < limit;
            for (one, matches) in rows {
                after.clone_from(&one.position);
                if matches {
                    found.push(one);
                } else {
                    misses += 1;
                }
            }
            if found.len() > take || misses >= most_misses {
                return Ok(Part { found, reached: Some(after) });
            }
            if is_last {
                break;
            }
        }
        let Some(end) = end else { return Ok(Part { found, reached: None }) };
        after = end;
    }
    Ok(Part { found, reached: Some(after) })
}

/// Where the client of a row stands.
fn position(row: &Row<'_>) -> DbResult<Position> {
    Ok(Position {
        seq: row.int(0)?,
        name: row.opt_bytes(1)?.unwrap_or_default().to_vec(),
        updated_at: row.int(2)?,
    })
}

/// The clients that a statement reads, and whether each of them matches.
async fn read(app: &App, plan: &Plan, statement: &Statement<'_>) -> DbResult<Vec<(Found, bool)>> {
    let read = |row: &Row<'_>| {
        let position = position(row)?;
        let stored = StoredClient {
            json: row.text(4)?.to_owned(),
            signing_keys_at: row.size(5)?,
            client_secret_at: row.size(6)?,
        };
        let document = store::parse(&stored.json)?;
        let searched = Searched::new(document.members(), position.updated_at);
        let matches = plan.conditions.iter().all(|condition| searched.matches(condition));
        Ok((Found { stored, created_at: row.int(3)?, position }, matches))
    };
    app.db.query(&statement.sql, &statement.params, read).await
}
