use std::path::Path;
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
