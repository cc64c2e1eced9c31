//! Commands that manage a tenant through its API, be it Auth0's or Tenantry's.
//!
//! A group of commands (`clients`, `grants`, …) is a [`Group`]: its own subcommands, and the options that all groups
//! have. What a subcommand does goes through a [`Session`], so that every group lists, shows, sends and deletes alike.

#![expect(clippy::doc_markdown, clippy::doc_link_with_quotes, reason = "comments on options are help texts")]

pub(crate) mod apis;
pub(crate) mod clients;
pub(crate) mod connection;
pub(crate) mod credentials;
pub(crate) mod grants;
pub(crate) mod input;
pub(crate) mod keys;
pub(crate) mod output;
pub(crate) mod profiles;

use crate::Failure;
use clap::Subcommand;
use connection::Connection;
use futures_util::{Stream, TryStreamExt as _};
use input::{Body, confirm};
use output::{Fields, Output};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tenantry_sdk::{Call, Error, ManagementClient, Page};

/// A group of commands with the options that all groups have.
#[derive(Debug, clap::Args)]
pub(crate) struct Group<C: Subcommand> {
    #[command(subcommand)]
    command: C,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

/// The commands of a group.
pub(crate) trait Commands: Subcommand {
    async fn run(self, session: &Session) -> Result<(), Failure>;
}

impl<C: Commands> Group<C> {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let session = Session { sdk: self.connection.open().await?.sdk, output: self.output };
        self.command.run(&session).await
    }
}

/// A tenant, and how its answers are printed.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) sdk: ManagementClient,
    pub(crate) output: Output,
}

/// Which part of a list is shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Listing {
    /// Number of the page, from 0 on
    #[arg(long, default_value_t = 0)]
    page: u64,
    /// Rows on a page
    #[arg(long, default_value_t = 50)]
    per_page: u64,
    /// All pages
    #[arg(long, conflicts_with_all = ["page", "per_page"])]
    all: bool,
    #[command(flatten)]
    fields: Fields,
}

/// What is deleted, and whether anyone is asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Deletion {
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

impl Session {
    /// Prints a part of a list; only one of the two ways is gone.
    async fn list<T: Serialize>(
        &self,
        listing: &Listing,
        all: impl Stream<Item = Result<T, Error>>,
        page: impl IntoFuture<Output = Result<Page<T>, Error>>,
        columns: &[&str],
    ) -> Result<(), Failure> {
        let items = if listing.all {
            all.try_collect().await.map_err(explain)?
        } else {
            let page = page.await.map_err(explain)?;
            let shown = page.items.len() as u64;
            if let Some(total) = page.total.filter(|total| *total > shown && !self.output.is_json()) {
                eprintln!("{shown} of {total}; --all shows all");
            }
            page.items
        };
        self.print_list(&items, &listing.fields, columns)
    }

    fn print_list<T: Serialize>(
        &self,
        items: &[T],
        fields: &Fields,
        columns: &[&str],
    ) -> Result<(), Failure> {
        self.output.list(items.iter().map(to_json).collect::<Result<_, _>>()?, fields, columns)
    }

    /// Makes a call and prints the answer.
    async fn show<T>(&self, call: Call<T>, fields: &Fields) -> Result<(), Failure>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        self.output.one(to_json(&call.await.map_err(explain)?)?, fields)
    }

    /// Sends what was given by file, by `--set` and by options of its own, and prints the answer.
    async fn send<B, T>(
        &self,
        body: Body,
        options: Vec<(&str, Option<Value>)>,
        call: impl FnOnce(&B) -> Call<T>,
    ) -> Result<(), Failure>
    where
        B: DeserializeOwned,
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let body = body.read(options)?;
        self.show(call(&body), &Fields::default()).await
    }

    /// Deletes, after asking.
    async fn delete(
        &self,
        deletion: &Deletion,
        question: &str,
        id: &str,
        call: Call<()>,
    ) -> Result<(), Failure> {
        confirm(question, deletion.yes)?;
        call.await.map_err(explain)?;
        eprintln!("deleted {id}");
        Ok(())
    }
}

/// An option of a command as a member of a body.
fn text(option: Option<String>) -> Option<Value> {
    option.map(Value::from)
}

/// A failed call, with what may help.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn explain(error: Error) -> Failure {
    let message = causes(&error);
    let hint = match &error {
        Error::Connect(_) => {
            "is the domain right, the server running, and its certificate trusted (--ca-cert, SSL_CERT_FILE)?"
        }
        Error::Token(inner) if inner.status().is_some() => "are the client id and the client secret right?",
        Error::Token(_) => "is the domain right, and the server running?",
        error if error.is_unauthorized() => "the token has expired, or is for another tenant",
        error if error.is_forbidden() => "the client needs a grant for the Management API with that scope",
        error if error.is_not_found() => "the command `list` of this group shows what there is",
        error if error.is_rate_limited() => "the tenant limits how many requests it takes; try again later",
        error if error.is_bad_request() && message.contains("but found type string") => {
            "lists and objects are written as JSON: --set 'callbacks=[\"https://a.example/cb\"]'"
        }
        _ => return message.into(),
    };
    format!("{message}\nhint: {hint}").into()
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
pub(crate) fn to_json(answer: &impl Serialize) -> Result<Value, Failure> {
    Ok(serde_json::to_value(answer)?)
}
