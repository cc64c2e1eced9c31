//! `tenantry apis`.

use super::input::Body;
use super::output::Fields;
use super::{Commands, Deletion, Listing, Session, text};
use crate::Failure;
use clap::Subcommand;
use tenantry_sdk::{ListResourceServers, NewResourceServer, ResourceServerPatch};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List APIs
    List {
        #[command(flatten)]
        listing: Listing,
    },
    /// Show an API
    Get {
        /// Its id or identifier
        id: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Register an API
    #[command(after_help = "\
Examples:
  tenantry apis create --identifier https://api.example/ --name 'My API' \\
      --set 'scopes=[{\"value\": \"read:x\"}]'")]
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
    /// Change an API; what is not named stays
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
        #[command(flatten)]
        deletion: Deletion,
    },
}

const COLUMNS: &[&str] = &["id", "identifier", "name", "signing_alg", "token_lifetime"];

impl Commands for Command {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let apis = session.sdk.resource_servers();
        match self {
            Self::List { listing } => {
                let list = ListResourceServers {
                    page: Some(listing.page),
                    per_page: Some(listing.per_page),
                    include_totals: true,
                    ..ListResourceServers::default()
                };
                session.list(&listing, apis.stream(&list), apis.list(&list), COLUMNS).await
            }
            Self::Get { id, fields } => session.show(apis.get(&id), &fields).await,
            Self::Create { identifier, name, body } => {
                let options = vec![("identifier", text(identifier)), ("name", text(name))];
                session.send(body, options, |new: &NewResourceServer| apis.create(new)).await
            }
            Self::Update { id, body } => {
                session.send(body, Vec::new(), |patch: &ResourceServerPatch| apis.update(&id, patch)).await
            }
            Self::Delete { id, deletion } => {
                let question = format!("Delete the API {id} and every grant for it?");
                session.delete(&deletion, &question, &id, apis.delete(&id)).await
            }
        }
    }
}
