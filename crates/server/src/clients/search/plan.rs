//! Where to look for the clients of which all of some conditions hold.

use super::run::Sort;
use super::statement::{FEW, Statement};
use crate::app::App;
use crate::db::DbResult;
use tenantry_types::clients::search::{Condition, Cover, Field, Test};

/// Somewhere to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A client by its id.
    Client(String),
    /// A client by the URL of its metadata document.
    External(String),
    /// The clients with a grant that was given to an organization.
    Organization(String),
    /// The clients with a term.
    Term(Vec<u8>),
    /// The clients with one of these terms, the last one excluded.
    Terms(Vec<u8>, Vec<u8>),
    /// The clients that were changed last in this time.
    Updated(i64, i64),
    /// The clients of one party, one type, or both; all, if neither is said.
    Sort { party: Option<bool>, app_type: Option<String> },
}

/// Terms of one condition that are counted to find the rarest; those of a long name are alike.
const COUNTED: usize = 8;
/// Terms of one condition that are looked at beside the one under which clients are looked for.
const BESIDE: usize = 2;

/// How the clients of one list of conditions are found.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) sort: Sort,
    pub(super) conditions: Vec<Condition>,
    /// Where to look; `None` is every client, in the order of the sort.
    pub(super) source: Option<Source>,
    /// Whether the source is walked through in order, rather than read as a whole.
    pub(super) is_walk: bool,
    /// Terms that the clients must have too.
    pub(super) beside: Vec<Vec<u8>>,
}

impl Plan {
    /// Looks for clients that are new.
    pub(super) fn of_fresh(sort: Sort, conditions: Vec<Condition>) -> Self {
        Self { sort, conditions, source: None, is_walk: false, beside: Vec::new() }
    }

    /// Counts, up to a limit, what stands under the terms of the conditions, and takes the rarest.
    pub(super) async fn make(app: &App, sort: Sort, conditions: Vec<Condition>) -> DbResult<Self> {
        let count = async |source: &Source| -> DbResult<i64> {
            let statement = Statement::count(&app.tenant, source);
            Ok(app.db.query_opt(&statement.sql, &statement.params, |row| row.int(0)).await?.unwrap_or(0))
        };
        let mut sources = Vec::new();
        let mut beside = Vec::new();
        for condition in &conditions {
            let mut terms = Vec::new();
            for source in sources_of(condition) {
                let count = count(&source).await?;
                if let Source::Term(term) = &source {
                    terms.push((count, term.clone()));
                }
                sources.push((count, source));
                if count == 0 {
                    break;
                }
            }
            terms.sort();
            beside.extend(terms.into_iter().take(BESIDE).map(|(_, term)| term));
        }
        let by_columns = sort_of(&conditions);
        if by_columns != (Source::Sort { party: None, app_type: None }) {
            sources.push((count(&by_columns).await?, by_columns.clone()));
        }
        let best = sources.iter().min_by_key(|(count, _)| *count);
        let is_few = |count: i64| count < FEW;
        let (source, is_walk) = match best {
            Some((count, source)) if is_few(*count) => (Some(source.clone()), false),
            _ if sort != Sort::Created => (None, true),
            _ => {
                // All are many. Terms, which are likely to go together, before a type or party.
                let term = sources.iter().find(|(_, source)| matches!(source, Source::Term(_)));
                (Some(term.map_or(by_columns, |(_, term)| term.clone())), true)
            }
        };
        if let Some(Source::Term(taken)) = &source {
            beside.retain(|term| term != taken);
        }
        Ok(Self { sort, conditions, source, is_walk, beside })
    }

    /// The table that is walked through: its alias, and what stands behind `FROM`.
    pub(super) fn walked(&self) -> (&'static str, &'static str) {
        match &self.source {
            Some(Source::Term(_)) if self.is_walk => ("s", "client_term s"),
            _ => ("c", "client c"),
        }
    }
}

/// Where the clients of one condition are found.
fn sources_of(condition: &Condition) -> Vec<Source> {
    match condition.cover() {
        Cover::Terms(terms) => {
            // Spread over the whole text.
            let step = terms.len().div_ceil(COUNTED);
            return terms.into_iter().step_by(step.max(1)).map(Source::Term).collect();
        }
        Cover::Range(from, to) => return vec![Source::Terms(from, to)],
        Cover::Unknown => {}
    }
    if !condition.holds {
        return Vec::new();
    }
    match (&condition.field, &condition.test) {
        (Field::ClientId, Test::Is(id)) => vec![Source::Client(id.clone())],
        (Field::ExternalClientId, Test::Is(id)) => vec![Source::External(id.clone())],
        (Field::GrantOrganization, Test::Is(id)) => vec![Source::Organization(id.clone())],
        (Field::UpdatedAt, Test::Within(from, to)) => {
            vec![Source::Updated(from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX))]
        }
        _ => Vec::new(),
    }
}

/// What the conditions say about party and type.
fn sort_of(conditions: &[Condition]) -> Source {
    let (mut party, mut app_type) = (None, None);
    for condition in conditions {
        match (&condition.field, &condition.test) {
            (Field::IsFirstParty, Test::IsTrue(asked)) => party = Some(*asked == condition.holds),
            (Field::AppType, Test::Is(asked)) if condition.holds => app_type = Some(asked.clone()),
            _ => {}
        }
    }
    Source::Sort { party, app_type }
}
