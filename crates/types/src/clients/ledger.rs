//! `docs/enforcement.md`, from the field table.

use super::fields::{Enforcement, FIELDS, ReadGroup, WriteGuard};
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
        - **refused**: it refers to something that is not served yet; setting it is answered with 400.\n\
        \n\
        | field | state | shown by | or governs | read with | set with |\n\
        |---|---|---|---|---|---|\n",
    );
    for field in FIELDS {
        let (state, shown_by, governs) = match field.state {
            Enforcement::Enforced { test } => ("enforced", format!("`{test}`"), ""),
            Enforcement::Echo => ("echo", String::new(), ""),
            Enforcement::Inert { flow } => ("inert", String::new(), flow),
            Enforcement::Refused { needs } => ("refused", String::new(), needs),
        };
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
        let _ = writeln!(text, "| `{}` | {state} | {shown_by} | {governs} | {read} | {set} |", field.name);
    }
    text
}
