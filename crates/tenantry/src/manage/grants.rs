//! `tenantry grants`.

use super::connection::Connection;
use super::input::{Body, confirm};
use super::output::Output;
use super::{explain, to_json};
use crate::Failure;
use clap::Subcommand;
use futures_util::TryStreamExt as _;
use tenantry_sdk::{ClientGrantPatch, ListClientGrants, NewClientGrant};

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
    /// List which application may call which API
    List {
        /// Only those of this application
        #[arg(long, value_name = "ID")]
        application: Option<String>,
        /// Only those for this API
        #[arg(long, value_name = "IDENTIFIER")]
        api: Option<String>,
    },
    /// Show a grant
    Get {
        /// Its id
        id: String,
    },
    /// Let an application call an API
    Create {
        /// The application
        #[arg(long, value_name = "ID")]
        application: Option<String>,
        /// The API
        #[arg(long, value_name = "IDENTIFIER")]
        api: Option<String>,
        #[command(flatten)]
        body: Body,
    },
    /// Change a grant
    Update {
        /// Its id
        id: String,
        #[command(flatten)]
        body: Body,
    },
    /// Withdraw a grant
    Delete {
        /// Its id
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

const COLUMNS: &[&str] = &["id", "client_id", "audience", "subject_type", "scope"];

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let (output, sdk) = (args.output, args.connection.open()?);
    let grants = sdk.client_grants();
    match args.command {
        Command::List { application, api } => {
            let list =
                ListClientGrants { client_id: application, audience: api, ..ListClientGrants::default() };
            let found: Vec<_> = grants.stream(&list).try_collect().await.map_err(explain)?;
            output.list(found.iter().map(to_json).collect::<Result<Vec<_>, _>>()?, COLUMNS)
        }
        Command::Get { id } => output.one(to_json(&grants.get(&id).await.map_err(explain)?)?),
        Command::Create { application, api, body } => {
            let new: NewClientGrant = body.read(&[("client_id", application), ("audience", api)])?;
            output.one(to_json(&grants.create(&new).await.map_err(explain)?)?)
        }
        Command::Update { id, body } => {
            let patch: ClientGrantPatch = body.read(&[])?;
            output.one(to_json(&grants.update(&id, &patch).await.map_err(explain)?)?)
        }
        Command::Delete { id, yes } => {
            confirm(&format!("Withdraw the grant {id}?"), yes)?;
            grants.delete(&id).await.map_err(explain)?;
            eprintln!("deleted {id}");
            Ok(())
        }
    }
}
