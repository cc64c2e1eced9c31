//! `tenantry grants`.

use super::input::Body;
use super::output::Fields;
use super::{Commands, Deletion, Listing, Session, text};
use crate::Failure;
use clap::Subcommand;
use tenantry_sdk::{ClientGrantPatch, ListClientGrants, NewClientGrant};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List which application may call which API
    List {
        #[command(flatten)]
        listing: Listing,
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
        #[command(flatten)]
        fields: Fields,
    },
    /// Let an application call an API
    #[command(after_help = "\
Examples:
  tenantry grants create --application ID --api https://api.example/ \\
      --set 'scope=[\"read:x\"]'")]
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
    /// Change a grant; what is not named stays
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
        #[command(flatten)]
        deletion: Deletion,
    },
}

const COLUMNS: &[&str] = &["id", "client_id", "audience", "subject_type", "scope"];

impl Commands for Command {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let grants = session.sdk.client_grants();
        match self {
            Self::List { listing, application, api } => {
                let list = ListClientGrants {
                    page: Some(listing.page),
                    per_page: Some(listing.per_page),
                    include_totals: true,
                    client_id: application,
                    audience: api,
                    ..ListClientGrants::default()
                };
                session.list(&listing, grants.stream(&list), grants.list(&list), COLUMNS).await
            }
            Self::Get { id, fields } => session.show(grants.get(&id), &fields).await,
            Self::Create { application, api, body } => {
                let options = vec![("client_id", text(application)), ("audience", text(api))];
                session.send(body, options, |new: &NewClientGrant| grants.create(new)).await
            }
            Self::Update { id, body } => {
                session.send(body, Vec::new(), |patch: &ClientGrantPatch| grants.update(&id, patch)).await
            }
            Self::Delete { id, deletion } => {
                session.delete(&deletion, &format!("Withdraw the grant {id}?"), &id, grants.delete(&id)).await
            }
        }
    }
}
