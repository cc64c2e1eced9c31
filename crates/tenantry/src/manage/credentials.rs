//! `tenantry credentials`.

use super::connection::Connection;
use super::input::{Body, confirm};
use super::output::Output;
use super::{explain, to_json};
use crate::Failure;
use clap::Subcommand;
use std::path::PathBuf;
use tenantry_sdk::{CredentialPatch, NewCredential, Patch};

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
    /// List the credentials of an application
    List {
        /// The application
        application: String,
    },
    /// Show a credential
    Get {
        /// The application
        application: String,
        /// The credential
        id: String,
    },
    /// Add a credential to an application; nothing is done with it until the application names it
    Create {
        /// The application
        application: String,
        /// `public_key`, `cert_subject_dn` or `x509_cert`
        #[arg(long = "type", value_name = "TYPE", default_value = "public_key")]
        kind: String,
        /// Public key or certificate in PEM
        #[arg(long, value_name = "FILE")]
        pem: Option<PathBuf>,
        #[command(flatten)]
        body: Body,
    },
    /// Change when a key stops working
    Update {
        /// The application
        application: String,
        /// The credential
        id: String,
        /// RFC 3339, or never
        #[arg(long, value_name = "TIME")]
        expires_at: String,
    },
    /// Delete a credential that its application does not name any more
    Delete {
        /// The application
        application: String,
        /// The credential
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

const COLUMNS: &[&str] = &["id", "credential_type", "kid", "alg", "name", "expires_at"];

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let (output, sdk) = (args.output, args.connection.open()?);
    match args.command {
        Command::List { application } => {
            let list = sdk.credentials(&application).list().await.map_err(explain)?;
            output.list(list.iter().map(to_json).collect::<Result<Vec<_>, _>>()?, COLUMNS)
        }
        Command::Get { application, id } => {
            output.one(to_json(&sdk.credentials(&application).get(&id).await.map_err(explain)?)?)
        }
        Command::Create { application, kind, pem, body } => {
            let read = |path: &PathBuf| {
                std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
            };
            let pem = pem.as_ref().map(read).transpose()?;
            let new: NewCredential = body.read(&[("credential_type", Some(kind)), ("pem", pem)])?;
            output.one(to_json(&sdk.credentials(&application).create(&new).await.map_err(explain)?)?)
        }
        Command::Update { application, id, expires_at } => {
            let expires_at = if expires_at == "never" { Patch::Null } else { Patch::Value(expires_at) };
            let patch = CredentialPatch { expires_at };
            output.one(to_json(&sdk.credentials(&application).update(&id, &patch).await.map_err(explain)?)?)
        }
        Command::Delete { application, id, yes } => {
            confirm(&format!("Delete the credential {id} of the application {application}?"), yes)?;
            sdk.credentials(&application).delete(&id).await.map_err(explain)?;
            eprintln!("deleted {id}");
            Ok(())
        }
    }
}
