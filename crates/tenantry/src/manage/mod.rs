//! Commands that manage a tenant through its API, be it Auth0's or Tenantry's.

#![expect(clippy::doc_markdown, clippy::doc_link_with_quotes, reason = "comments on options are help texts")]

pub(crate) mod apis;
pub(crate) mod clients;
pub(crate) mod connection;
pub(crate) mod credentials;
pub(crate) mod grants;
mod input;
mod output;

use crate::Failure;
use serde_json::Value;
use tenantry_sdk::Error;

/// A failed call, with what may help.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn explain(error: Error) -> Failure {
    let hint = match &error {
        Error::Connect(_) => {
            "is the domain right, the server running, and its certificate trusted (SSL_CERT_FILE)?"
        }
        Error::Token(inner) if inner.status().is_some() => {
            "are AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET right?"
        }
        error if error.is_forbidden() => "the client needs a grant for the Management API with that scope",
        _ => return causes(&error).into(),
    };
    format!("{}\nhint: {hint}", causes(&error)).into()
}

/// An error and what caused it, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Any answer as JSON, for printing.
fn to_json(answer: &impl serde::Serialize) -> Result<Value, Failure> {
    Ok(serde_json::to_value(answer)?)
}
