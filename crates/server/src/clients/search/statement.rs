//! Statements put together from fixed pieces.

use super::plan::{Plan, Source};
use super::run::{Position, Sort};
use crate::db::Param;
use std::fmt::Write as _;
use tenantry_types::clients::search::{Condition, Field, Test};

/// A statement and its parameters.
#[derive(Clone, Debug)]
pub(super) struct Statement<'a> {
    pub(super) sql: String,
    pub(super) params: Vec<Param<'a>>,
}

/// What is read of a client.
const CLIENT: &str = "SELECT c.seq, c.name_key, c.updated_at, c.created_at, c.document, c.signing_keys_at, \
    c.client_secret_at FROM ";

/// So many clients a source may have to be read as a whole.
pub(super) const FEW: i64 = 1_000;

impl<'a> Statement<'a> {
    fn new(sql: &str, tenant: &'a str) -> Self {
        Self { sql: sql.to_owned(), params: vec![Param::Text(tenant)] }
    }

    /// Appends text in which every `?` stands for one of the parameters.
    fn add(&mut self, sql: &str, params: impl IntoIterator<Item = Param<'a>>) {
        let mut params = params.into_iter();
        for c in sql.chars() {
            if c == '?' {
                self.params.extend(params.next());
                let _ = write!(self.sql, "${}", self.params.len());
            } else {
                self.sql.push(c);
            }
        }
    }

    /// The numbers of a source's clients.
    fn source(&mut self, source: &'a Source) {
        match source {
            Source::Client(id) => {
                self.add("SELECT seq FROM client WHERE tenant = $1 AND client_id = ?", [Param::Text(id)]);
            }
            Source::External(id) => {
                self.add(
                    "SELECT seq FROM client WHERE tenant = $1 AND external_client_id = ?",
                    [Param::Text(id)],
                );
            }
            Source::Organization(id) => self.add(
                "SELECT seq FROM client WHERE tenant = $1 AND client_id IN (\
                 SELECT g.client_id FROM organization_client_grant o CROSS JOIN client_grant g \
                 WHERE o.tenant = $1 AND o.organization_id = ? AND g.tenant = $1 AND g.id = o.grant_id)",
                [Param::Text(id)],
            ),
            Source::Term(term) => {
                self.add("SELECT seq FROM client_term WHERE tenant = $1 AND term = ?", [Param::Bytes(term)]);
            }
            Source::Terms(from, to) => {
                self.add(
                    "SELECT seq FROM client_term WHERE tenant = $1 AND term >= ? AND term < ?",
                    [Param::Bytes(from), Param::Bytes(to)],
                );
            }
            Source::Updated(from, to) => {
                self.add(
                    "SELECT seq FROM client WHERE tenant = $1 AND updated_at >= ? AND updated_at < ?",
                    [Param::Int(*from), Param::Int(*to)],
                );
            }
            Source::Sort { party, app_type } => {
                self.add("SELECT seq FROM client WHERE tenant = $1", []);
                self.sort_of(party.as_ref(), app_type.as_deref(), "");
            }
        }
    }

    fn sort_of(&mut self, party: Option<&bool>, app_type: Option<&'a str>, table: &str) {
        if let Some(party) = party {
            self.add(&format!(" AND {table}is_first_party = ?"), [Param::Bool(*party)]);
        }
        if let Some(app_type) = app_type {
            self.add(&format!(" AND {table}app_type = ?"), [Param::Text(app_type)]);
        }
    }

    /// How many clients a source has, counted up to [`FEW`].
    pub(super) fn count(tenant: &'a str, source: &'a Source) -> Self {
        let mut statement = Self::new("SELECT COUNT(*) FROM (", tenant);
        statement.source(source);
        let _ = write!(statement.sql, " LIMIT {FEW}) AS few");
        statement
    }

    /// The order of the plan, where the number is the one of `table`.
    fn order(sort: Sort, table: &str) -> String {
        match sort {
            Sort::Created => format!("{table}.seq"),
            Sort::Name => "c.name_key, c.seq".into(),
            Sort::Updated => "c.updated_at, c.seq".into(),
        }
    }

    /// Only what stands behind `after`, up to `end`.
    fn between(&mut self, sort: Sort, table: &str, after: &'a Position, end: Option<&'a Position>) {
        let bounds = [Some((after, ">")), end.map(|end| (end, "<="))];
        for (position, is) in bounds.into_iter().flatten() {
            let (sql, key) = match sort {
                Sort::Created => (format!(" AND {table}.seq {is} ?"), None),
                Sort::Name => {
                    (format!(" AND (c.name_key, c.seq) {is} (?, ?)"), Some(Param::Bytes(&position.name)))
                }
                Sort::Updated => {
                    (format!(" AND (c.updated_at, c.seq) {is} (?, ?)"), Some(Param::Int(position.updated_at)))
                }
            };
            self.add(&sql, key.into_iter().chain([Param::Int(position.seq)]));
        }
    }

    /// Where the `n`th client behind `after` stands, of those among which a plan looks.
    pub(super) fn ahead(tenant: &'a str, plan: &'a Plan, after: &'a Position, n: i64) -> Self {
        let (table, from) = plan.walked();
        // The parts of a position that do not count in this order are left out.
        let columns = match plan.sort {
            Sort::Created => format!("{table}.seq, CAST(NULL AS BYTEA), CAST(0 AS BIGINT)"),
            Sort::Name => "c.seq, c.name_key, CAST(0 AS BIGINT)".into(),
            Sort::Updated => "c.seq, CAST(NULL AS BYTEA), c.updated_at".into(),
        };
        let mut statement =
            Self::new(&format!("SELECT {columns} FROM {from} WHERE {table}.tenant = $1"), tenant);
        statement.walk(plan);
        statement.between(plan.sort, table, after, None);
        statement.add(
            &format!(" ORDER BY {} LIMIT 1 OFFSET ?", Self::order(plan.sort, table)),
            [Param::Int(n - 1)],
        );
        statement
    }

    fn walk(&mut self, plan: &'a Plan) {
        match &plan.source {
            Some(Source::Term(term)) if plan.is_walk => self.add(" AND s.term = ?", [Param::Bytes(term)]),
            Some(Source::Sort { party, app_type }) if plan.is_walk => {
                self.sort_of(party.as_ref(), app_type.as_deref(), "c.");
            }
            _ => {}
        }
    }

    /// The clients of a plan that walks behind `after`, up to `end`, `limit` at most.
    pub(super) fn walk_on(
        tenant: &'a str,
        plan: &'a Plan,
        after: &'a Position,
        end: Option<&'a Position>,
        limit: i64,
    ) -> Self {
        let mut statement = Self::new(CLIENT, tenant);
        // In SQLite, CROSS JOIN also says which table is read first; and what is added to a number keeps the planner from
        // taking the bounds of one table for bounds of the other, which it would rather use than the number itself.
        let (table, _) = plan.walked();
        if table == "s" {
            statement.sql.push_str(
                "client_term s CROSS JOIN client c WHERE s.tenant = $1 AND c.tenant = $1 AND c.seq = s.seq + 0",
            );
        } else {
            statement.sql.push_str("client c WHERE c.tenant = $1");
        }
        statement.walk(plan);
        statement.between(plan.sort, table, after, end);
        statement.conditions(plan, table);
        statement.add(&format!(" ORDER BY {} LIMIT ?", Self::order(plan.sort, table)), [Param::Int(limit)]);
        statement
    }

    /// Where all the clients of a source stand that is read as a whole.
    pub(super) fn positions(tenant: &'a str, plan: &'a Plan, source: &'a Source) -> Self {
        let mut statement = Self::new("SELECT c.seq, c.name_key, c.updated_at FROM (", tenant);
        statement.source(source);
        let _ = write!(
            statement.sql,
            " LIMIT {FEW}) s CROSS JOIN client c WHERE c.tenant = $1 AND c.seq = s.seq"
        );
        statement.conditions(plan, "s");
        statement
    }

    /// Where all new clients stand.
    pub(super) fn fresh(tenant: &'a str, plan: &'a Plan) -> Self {
        let mut statement = Self::new(
            "SELECT c.seq, c.name_key, c.updated_at FROM client_unindexed u CROSS JOIN client c \
             WHERE u.tenant = $1 AND c.tenant = $1 AND c.seq = u.seq + 0",
            tenant,
        );
        statement.conditions(plan, "u");
        statement
    }

    /// The client of that number.
    pub(super) fn client(tenant: &'a str, seq: i64) -> Self {
        let mut statement = Self::new(CLIENT, tenant);
        statement.add("client c WHERE c.tenant = $1 AND c.seq = ?", [Param::Int(seq)]);
        statement
    }

    fn conditions(&mut self, plan: &'a Plan, table: &str) {
        for condition in &plan.conditions {
            self.condition(condition);
        }
        for term in &plan.beside {
            let sql = format!(
                " AND EXISTS (SELECT 1 FROM client_term t WHERE t.tenant = $1 AND t.term = ? AND t.seq = {table}.seq)"
            );
            self.add(&sql, [Param::Bytes(term)]);
        }
    }

    /// What of a condition can be said here. The rest is looked at when the client is read.
    fn condition(&mut self, condition: &'a Condition) {
        let not = if condition.holds { "" } else { "NOT " };
        match (&condition.field, &condition.test) {
            (Field::AppType, Test::Is(app_type)) => {
                let is = if condition.holds { "=" } else { "<>" };
                self.add(&format!(" AND c.app_type {is} ?"), [Param::Text(app_type)]);
            }
            (Field::IsFirstParty, Test::IsTrue(asked)) => {
                self.add(" AND c.is_first_party = ?", [Param::Bool(*asked == condition.holds)]);
            }
            (Field::UpdatedAt, Test::Within(from, to)) if condition.holds => {
                let bounds = [(" AND c.updated_at >= ?", from), (" AND c.updated_at < ?", to)];
                for (sql, bound) in bounds {
                    if let Some(bound) = bound {
                        self.add(sql, [Param::Int(*bound)]);
                    }
                }
            }
            (Field::GrantAnyOrganization, Test::IsTrue(asked)) => {
                let not = if *asked == condition.holds { "" } else { "NOT " };
                let sql = " EXISTS (SELECT 1 FROM client_grant g WHERE g.tenant = $1 \
                     AND g.client_id = c.client_id AND g.allow_any_organization)";
                let _ = write!(self.sql, " AND {not}{}", sql.trim_start());
            }
            (Field::GrantOrganization, test) => {
                let grants = "SELECT 1 FROM client_grant g JOIN organization_client_grant o \
                     ON o.tenant = g.tenant AND o.grant_id = g.id WHERE g.tenant = $1 AND g.client_id = c.client_id";
                match test {
                    Test::Is(id) => self.add(
                        &format!(" AND {not}EXISTS ({grants} AND o.organization_id = ?)"),
                        [Param::Text(id)],
                    ),
                    _ => self.add(&format!(" AND {not}EXISTS ({grants})"), []),
                }
            }
            _ => {}
        }
    }
}
