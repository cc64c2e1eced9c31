//! `tenantry apis`.

use super::connection::Connection;
use super::input::{Body, confirm};
use super::output::Output;
use super::{explain, to_json};
use crate::Failure;
use clap::Subcommand;
use futures_util::TryStreamExt as _;
use tenantry_sdk::{ListResourceServers, NewResourceServer, ResourceServerPatch};

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
    /// List APIs
    List,
    /// Show an API
    Get {
        /// Its id or identifier
        id: String,
    },
    /// Register an API
    Create {
        /// Its identifier, the audience of its tokens
        #[arg(long)]
        identifier: Option<String>,
        /// Its name
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        body: Body,
    },
    /// Change an API
    Update {
        /// Its id or identifier
        id: String,
        #[command(flatten)]
        body: Body,
    },
    /// Delete an API with every grant for it
    Delete {
        /// Its id or identifier
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

const COLUMNS: &[&str] = &["id", "identifier", "name", "signing_alg", "token_lifetime"];

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let (output, sdk) = (args.output, args.connection.open()?);
    let apis = sdk.resource_servers();
    match args.command {
        Command::List => {
            let found: Vec<_> =
                apis.stream(&ListResourceServers::default()).try_collect().await.map_err(explain)?;
            output.list(found.iter().map(to_json).collect::<Result<Vec<_>, _>>()?, COLUMNS)
        }
        Command::Get { id } => output.one(to_json(&apis.get(&id).await.map_err(explain)?)?),
        Command::Create { identifier, name, body } => {
            let new: NewResourceServer = body.read(&[("identifier", identifier), ("name", name)])?;
            output.one(to_json(&apis.create(&new).await.map_err(explain)?)?)
        }
        Command::Update { id, body } => {
            let patch: ResourceServerPatch = body.read(&[])?;
            output.one(to_json(&apis.update(&id, &patch).await.map_err(explain)?)?)
        }
        Command::Delete { id, yes } => {
            confirm(&format!("Delete the API {id} and every grant for it?"), yes)?;
            apis.delete(&id).await.map_err(explain)?;
            eprintln!("deleted {id}");
            Ok(())
        }
    }
}
