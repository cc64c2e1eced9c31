//! Every statement that lists or searches clients is read through an index.

use super::plan::{Plan, Source};
use super::run::{Position, Sort};
use super::statement::Statement;
use crate::db::{Db, Param};
use tenantry_types::clients::search::{Condition, Language, Search};

const TENANT: &str = "t";

/// The steps in which the engine would answer a statement.
pub(crate) async fn plan_of(db: &Db, sql: &str, params: &[Param<'_>]) -> Vec<String> {
    let sql = format!("EXPLAIN QUERY PLAN {sql}");
    db.query(&sql, params, |row| Ok(row.text(3)?.to_owned())).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
}

/// Each step has to look something up; only what another step gave may be read from end to end.
#[track_caller]
pub(in crate::clients) fn check_plan(what: &str, plan: &[String]) {
    let is_made = |table: &str| {
        plan.iter()
            .any(|step| *step == format!("CO-ROUTINE {table}") || *step == format!("MATERIALIZE {table}"))
    };
    let is_scan = |step: &String| step.strip_prefix("SCAN ").is_some_and(|table| !is_made(table));
    assert!(!plan.is_empty() && !plan.iter().any(is_scan), "{what}: {plan:#?}");
}

/// What is read in an order starts from a position in an index of that order, and is not sorted.
#[track_caller]
pub(in crate::clients) fn check_walk(what: &str, plan: &[String]) {
    let starts = plan.first().is_some_and(|step| step.contains("seq>?") || step.contains("seq)>(?"));
    let sorts = plan.iter().any(|step| step.contains("USE TEMP B-TREE"));
    assert!(starts && !sorts, "{what}: {plan:#?}");
    check_lookups(what, &plan[1..]);
}

/// Clients that another step named are looked up by their number, each of them.
#[track_caller]
fn check_lookups(what: &str, plan: &[String]) {
    let is_lookup = |step: &String| !step.starts_with("SEARCH c ") || step.contains("seq=?");
    assert!(plan.iter().all(is_lookup), "{what}: {plan:#?}");
}

fn conditions(q: &str) -> Vec<Vec<Condition>> {
    Search::parse(Language::Scim, q).unwrap().0
}

#[tokio::test]
async fn no_search_reads_a_whole_table() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&crate::db::Target::Sqlite(dir.path().join("t.db"))).await.unwrap();
    let term = |text: &str| Source::Term(text.as_bytes().to_vec());
    let sort = |party, app_type: Option<&str>| Source::Sort { party, app_type: app_type.map(str::to_owned) };
    let sources = [
        (None, true),
        (Some(term("nabc")), true),
        (Some(term("nabc")), false),
        (Some(Source::Client("a".into())), false),
        (Some(Source::External("https://a/b".into())), false),
        (Some(Source::Organization("org_1".into())), false),
        (Some(Source::Terms(b"ma".to_vec(), b"mb".to_vec())), false),
        (Some(Source::Updated(1, 2)), false),
        (Some(sort(Some(true), None)), true),
        (Some(sort(None, Some("spa"))), true),
        (Some(sort(Some(false), Some("spa"))), true),
        (Some(sort(Some(false), Some("spa"))), false),
        (Some(sort(None, None)), true),
    ];
    let queries = [
        r#"name co "abc""#,
        r#"client_id ne "x" and app_type ne "spa" and is_first_party eq true"#,
        r#"updated_at ge "2024-01-01" and metadata.k pr and callback_host eq "a""#,
        "metadata.k pr and is_first_party eq false",
        "client_grant.allow_any_organization eq false and client_grant.organization_id pr",
        r#"client_grant.organization_id eq "org_1" and client_grant.organization_id ne "org_2""#,
    ];
    let (start, end) = (Position::default(), Position { seq: 9, name: b"z".to_vec(), updated_at: 9 });
    for (source, is_walk) in sources {
        if let Some(source) = &source {
            let count = Statement::count(TENANT, source);
            check_plan(&count.sql, &plan_of(&db, &count.sql, &count.params).await);
        }
        for order in [Sort::Created, Sort::Name, Sort::Updated] {
            // Sorted otherwise than by creation, only the whole order is walked through.
            if is_walk && source.is_some() && order != Sort::Created {
                continue;
            }
            let all = queries.iter().flat_map(|q| conditions(q));
            for (conditions, beside) in
                all.flat_map(|all| [(all.clone(), None), (all, Some(b"nxyz".to_vec()))])
            {
                let beside = beside.into_iter().collect();
                let plan = Plan { sort: order, conditions, source: source.clone(), is_walk, beside };
                let statements = match &source {
                    Some(source) if !is_walk => vec![Statement::positions(TENANT, &plan, source)],
                    _ => vec![
                        Statement::walk_on(TENANT, &plan, &start, None, 51),
                        Statement::walk_on(TENANT, &plan, &start, Some(&end), 51),
                        Statement::ahead(TENANT, &plan, &start, 200),
                    ],
                };
                for statement in statements {
                    let steps = plan_of(&db, &statement.sql, &statement.params).await;
                    check_plan(&statement.sql, &steps);
                    if is_walk {
                        check_walk(&statement.sql, &steps);
                    } else {
                        check_lookups(&statement.sql, &steps);
                    }
                }
            }
        }
    }
    for q in queries {
        for sort in [Sort::Created, Sort::Name, Sort::Updated] {
            let plan = Plan::of_fresh(sort, conditions(q).remove(0));
            let fresh = Statement::fresh(TENANT, &plan);
            let steps = plan_of(&db, &fresh.sql, &fresh.params).await;
            check_plan(&fresh.sql, &steps);
            check_lookups(&fresh.sql, &steps);
        }
    }
    let one = Statement::client(TENANT, 1);
    let steps = plan_of(&db, &one.sql, &one.params).await;
    assert_eq!(steps, ["SEARCH c USING INDEX client_seq (tenant=? AND seq=?)"]);
}
