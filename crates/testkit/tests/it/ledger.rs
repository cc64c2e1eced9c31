use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use tenantry_server::RouteInfo;
use tenantry_testkit::Testkit;
use tenantry_types::clients::ledger;

/// Set this to write the documents that the code describes, instead of comparing them.
const BLESS: &str = "TENANTRY_BLESS";

#[test]
fn the_enforcement_table_is_the_one_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/enforcement.md");
    let expected = ledger::markdown();
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/enforcement.md is not current; run the tests with {BLESS}=1 to write it"
    );
}

#[test]
fn every_test_that_the_table_names_exists() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let sources: String = std::fs::read_dir(here)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    for test in ledger::tests() {
        assert!(sources.contains(&format!("async fn {test}()")), "there is no test {test}");
    }
}

fn endpoints(routes: &mut [RouteInfo]) -> String {
    routes.sort_by(|a, b| (a.path, &a.method).cmp(&(b.path, &b.method)));
    let count = |state: &str| routes.iter().filter(|route| route.state == state).count();
    let mut text = format!(
        "# What each operation of the Management API does\n\n\
        Every path and method of the Management API. This page is written from the routes of the code; a test fails when\n\
        the two differ, another one when an operation of Auth0's description is missing.\n\n\
        - **served** ({}): the operation, as far as its page of the documentation says.\n\
        - **echo** ({}): a setting is kept and given back. Nothing else reads it, because what it governs (login, factors,\n\
        \x20 e-mail and the like) is not served.\n\
        - **empty** ({}): the answer of a tenant that has none of these things: an empty list, zero, or 404.\n\
        - **not served** ({}): 501 with the name of the operation. Nothing is accepted and dropped.\n\n\
        | path | method | state | scopes, of which one is needed |\n|---|---|---|---|\n",
        count("served"),
        count("echo"),
        count("empty"),
        count("not served"),
    );
    for RouteInfo { method, path, scopes, state } in routes.iter() {
        let _ = writeln!(text, "| `{path}` | {method} | {state} | {} |", scopes.join(", "));
    }
    text
}

#[tokio::test]
async fn the_table_of_endpoints_is_the_one_of_the_code() {
    let t = Testkit::start().await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/endpoints.md");
    let expected = endpoints(&mut t.running().routes());
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "docs/endpoints.md is not current; run the tests with {BLESS}=1 to write it");
}

/// A path without the names of its parameters.
fn shape(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn no_two_routes_have_the_same_path_and_method() {
    let t = Testkit::start().await;
    let mut seen = BTreeSet::new();
    for route in t.running().routes() {
        assert!(
            seen.insert((shape(route.path), route.method.clone())),
            "{} {} twice",
            route.method,
            route.path
        );
    }
}

/// Names the file with Auth0's description of the Management API (`OpenAPI`, JSON).
const DESCRIPTION: &str = "TENANTRY_API_DESCRIPTION";

#[tokio::test]
async fn no_operation_of_the_description_is_missing() {
    let Some(path) = std::env::var_os(DESCRIPTION) else {
        eprintln!("{DESCRIPTION} is not set; the table of endpoints was not compared with the description");
        return;
    };
    let description: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let t = Testkit::start().await;
    let routes = t.running().routes();
    let mut operations = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(security) = operation["security"].as_array() else { continue };
            operations += 1;
            let (path, method) = (shape(&format!("/api/v2{path}")), method.to_uppercase());
            let route = routes.iter().find(|route| shape(route.path) == path && route.method == method);
            let route = route.unwrap_or_else(|| panic!("{method} {path} is missing"));
            let scopes: BTreeSet<_> = security
                .iter()
                .filter_map(|one| one["oAuth2ClientCredentials"].as_array())
                .flatten()
                .filter_map(serde_json::Value::as_str)
                .collect();
            let declared: BTreeSet<_> = route.scopes.iter().copied().collect();
            // A slice may ask for more than one scope where the description cannot say so.
            if route.state != "served" {
                assert_eq!(declared, scopes, "{method} {path}");
            }
        }
    }
    assert!(operations > 400, "{operations} operations");
}
