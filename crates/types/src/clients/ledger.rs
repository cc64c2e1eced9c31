//! `docs/enforcement.md`, from the field table.

use super::fields::{Enforcement, FIELDS, ReadGroup, WriteGuard};
use crate::{client_grants, connections, organizations, resource_servers, tenant_settings};
use std::fmt::Write as _;

/// The document, as Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# What a client's settings do\n\
        \n\
        Every field of a client, and what storing it changes. This page is written from the field table of the code\n\
        (`crates/types/src/clients/fields.rs`); a test fails when the two differ.\n\
        \n\
        - **enforced**: another value has another outcome; the named test shows it.\n\
        - **echo**: it only describes the client.\n\
        - **inert**: it governs a flow that is not served at all yet, so nothing can bypass it.\n\
        \n\
        | field | state | shown by | or governs | read with | set with |\n\
        |---|---|---|---|---|---|\n",
    );
    for field in FIELDS {
        let read = match field.read {
            ReadGroup::Summary => "any read scope",
            ReadGroup::Settings => "`read:clients`, `read:client_keys`",
            ReadGroup::Keys => "`read:client_keys`, `read:client_credentials`",
        };
        let set = match (field.in_create() || field.in_patch(), field.write) {
            (false, _) => "–",
            (true, WriteGuard::Settings) => "`create:clients`, `update:clients`",
            (true, WriteGuard::Keys) => "`update:client_keys`",
            (true, WriteGuard::Credentials) => "`create:client_credentials`, `update:client_credentials`",
            (true, WriteGuard::TokenVault) => {
                "`create:client_credentials`, `update:client_token_vault_privileged_access`"
            }
        };
        let _ = writeln!(text, "| `{}` {} {read} | {set} |", field.name, columns(field.state));
    }
    for (title, ledger) in others() {
        let _ =
            write!(text, "\n## {title}\n\n| member | state | shown by | or governs |\n|---|---|---|---|\n");
        for (name, state) in ledger {
            let _ = writeln!(text, "| `{name}` {}", columns(state));
        }
    }
    text
}

/// What the members of a kind of object do.
type Ledger = Vec<(String, Enforcement)>;

/// What the members of everything but clients do.
fn others() -> Vec<(&'static str, Ledger)> {
    let own = |ledger: &[(&str, Enforcement)]| -> Ledger {
        ledger.iter().map(|(name, state)| ((*name).to_owned(), *state)).collect()
    };
    vec![
        ("APIs (resource servers)", own(resource_servers::LEDGER)),
        ("Client grants", own(client_grants::LEDGER)),
        ("Connections", own(connections::LEDGER)),
        ("Organizations", own(organizations::LEDGER)),
        ("Tenant settings", tenant_settings::ledger().collect()),
    ]
}

/// State, test, and what is governed or needed, as cells of a table.
fn columns(state: Enforcement) -> String {
    match state {
        Enforcement::Enforced { test } => format!("| enforced | `{test}` | |"),
        Enforcement::Echo => "| echo | | |".into(),
        Enforcement::Inert { flow } => format!("| inert | | {flow} |"),
    }
}

/// The names of all tests that show something enforced.
pub fn tests() -> impl Iterator<Item = &'static str> {
    let others = others().into_iter().flat_map(|(_, ledger)| ledger).map(|(_, state)| state);
    FIELDS.iter().map(|field| field.state).chain(others).filter_map(|state| match state {
        Enforcement::Enforced { test } => Some(test),
        _ => None,
    })
}
