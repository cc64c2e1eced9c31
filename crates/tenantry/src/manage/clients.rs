//! `tenantry clients`.

use super::connection::Connection;
use super::input::{Body, confirm};
use super::output::Output;
use super::{explain, to_json};
use crate::Failure;
use clap::Subcommand;
use futures_util::TryStreamExt as _;
use tenantry_sdk::{ClientPatch, ListClients, NewClient};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List applications
    List {
        /// Number of the page, from 0 on
        #[arg(long, default_value_t = 0)]
        page: u64,
        /// Applications on a page
        #[arg(long, default_value_t = 50)]
        per_page: u64,
        /// All pages
        #[arg(long, conflicts_with_all = ["page", "per_page"])]
        all: bool,
        /// Only these fields, separated by commas
        #[arg(long)]
        fields: Option<String>,
        /// Only these kinds, separated by commas: spa, native, regular_web, non_interactive, …
        #[arg(long)]
        app_type: Option<String>,
    },
    /// Show an application
    Get {
        /// Its id
        id: String,
        /// Only these fields, separated by commas
        #[arg(long)]
        fields: Option<String>,
    },
    /// Create an application
    Create {
        /// Its name
        #[arg(long)]
        name: Option<String>,
        /// Its kind: spa, native, regular_web, non_interactive, …
        #[arg(long)]
        app_type: Option<String>,
        #[command(flatten)]
        body: Body,
    },
    /// Change an application; what is not named stays, null removes
    Update {
        /// Its id
        id: String,
        #[command(flatten)]
        body: Body,
    },
    /// Delete an application with everything that belongs to it
    Delete {
        /// Its id
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Replace an application's secret
    RotateSecret {
        /// Its id
        id: String,
        /// Seconds that the secret before stays valid (Tenantry only)
        #[arg(long, value_name = "SECONDS")]
        grace: Option<u64>,
    },
}

const COLUMNS: &[&str] = &["client_id", "name", "app_type", "grant_types"];

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let (output, sdk) = (args.output, args.connection.open()?);
    let clients = sdk.clients();
    match args.command {
        Command::List { page, per_page, all, fields, app_type } => {
            let named: Option<Vec<String>> =
                fields.as_ref().map(|list| list.split(',').map(|f| f.trim().into()).collect());
            let list = ListClients { fields, app_type, ..ListClients::default() };
            let found = if all {
                clients.stream(&list).try_collect().await.map_err(explain)?
            } else {
                let list =
                    ListClients { page: Some(page), per_page: Some(per_page), include_totals: true, ..list };
                let page = clients.list(&list).await.map_err(explain)?;
                if let Some(total) =
                    page.total.filter(|total| *total > page.items.len() as u64 && !output.is_json())
                {
                    eprintln!("{} of {total}; --all shows all", page.items.len());
                }
                page.items
            };
            let items = found.iter().map(to_json).collect::<Result<Vec<_>, _>>()?;
            let columns: Option<Vec<&str>> =
                named.as_ref().map(|names| names.iter().map(String::as_str).collect());
            output.list(items, columns.as_deref().unwrap_or(COLUMNS))
        }
        Command::Get { id, fields } => {
            let mut call = clients.get(&id);
            if let Some(fields) = fields {
                call = call.query("fields", fields);
            }
            output.one(to_json(&call.await.map_err(explain)?)?)
        }
        Command::Create { name, app_type, body } => {
            let new: NewClient = body.read(&[("name", name), ("app_type", app_type)])?;
            output.one(to_json(&clients.create(&new).await.map_err(explain)?)?)
        }
        Command::Update { id, body } => {
            let patch: ClientPatch = body.read(&[])?;
            output.one(to_json(&clients.update(&id, &patch).await.map_err(explain)?)?)
        }
        Command::Delete { id, yes } => {
            let client = clients.get(&id).query("fields", "name").await.map_err(explain)?;
            let name = client.name.unwrap_or_default();
            confirm(
                &format!("Delete the application {id} ({name}) and everything that belongs to it?"),
                yes,
            )?;
            clients.delete(&id).await.map_err(explain)?;
            eprintln!("deleted {id}");
            Ok(())
        }
        Command::RotateSecret { id, grace } => {
            let call = match grace {
                Some(seconds) => clients.rotate_secret_with_grace(&id, seconds),
                None => clients.rotate_secret(&id),
            };
            output.one(to_json(&call.await.map_err(explain)?)?)
        }
    }
}
