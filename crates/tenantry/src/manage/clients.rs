//! `tenantry clients`.

use super::input::Body;
use super::output::Fields;
use super::{Commands, Deletion, Listing, Session, explain, text, to_json};
use crate::Failure;
use clap::Subcommand;
use serde_json::Value;
use tenantry_sdk::{ClientPatch, ListClients, NewClient};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List applications
    List {
        #[command(flatten)]
        listing: Listing,
        /// Only these kinds, separated by commas: spa, native, regular_web, non_interactive, …
        #[arg(long)]
        app_type: Option<String>,
    },
    /// Show an application
    Get {
        /// Its id
        id: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Create an application
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        body: Body,
    },
    /// Change an application; what is not named stays, null removes
    #[command(after_help = UPDATE_EXAMPLES)]
    Update {
        /// Its id
        id: String,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        body: Body,
    },
    /// Delete an application with everything that belongs to it
    Delete {
        /// Its id
        id: String,
        #[command(flatten)]
        deletion: Deletion,
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

/// The members that most applications have.
#[derive(Debug, clap::Args)]
pub(crate) struct Settings {
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// Its kind: spa, native, regular_web, non_interactive, …
    #[arg(long, value_name = "KIND")]
    app_type: Option<String>,
    /// Where users may be sent after they logged in; may be repeated, takes the place of those before
    #[arg(long = "callback", value_name = "URL")]
    callbacks: Vec<String>,
}

impl Settings {
    fn members(self) -> Vec<(&'static str, Option<Value>)> {
        let callbacks = (!self.callbacks.is_empty()).then(|| Value::from(self.callbacks));
        vec![("name", text(self.name)), ("app_type", text(self.app_type)), ("callbacks", callbacks)]
    }
}

const CREATE_EXAMPLES: &str = "\
Examples:
  tenantry clients create --name 'My app' --app-type regular_web \\
      --callback https://app.example/callback
  tenantry clients create --name Robot --app-type non_interactive --reveal-secrets
  tenantry clients create -f app.json --set jwt_configuration.alg=RS256";

const UPDATE_EXAMPLES: &str = "\
Examples:
  tenantry clients update ID --callback https://app.example/callback
  tenantry clients update ID --set 'web_origins=[\"https://app.example\"]'
  tenantry clients update ID --set client_metadata.team=blue --set addons=null";

const COLUMNS: &[&str] = &["client_id", "name", "app_type", "grant_types"];

impl Commands for Command {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let clients = session.sdk.clients();
        match self {
            Self::List { listing, app_type } => {
                let list = ListClients {
                    page: Some(listing.page),
                    per_page: Some(listing.per_page),
                    include_totals: true,
                    fields: listing.fields.query(),
                    app_type,
                    ..ListClients::default()
                };
                session.list(&listing, clients.stream(&list), clients.list(&list), COLUMNS).await
            }
            Self::Get { id, fields } => {
                let call = clients.get(&id);
                let call = match fields.query() {
                    Some(names) => call.query("fields", names),
                    None => call,
                };
                session.show(call, &fields).await
            }
            Self::Create { settings, body } => {
                let new: NewClient = body.read(settings.members())?;
                let made = clients.create(&new).await.map_err(explain)?;
                session.output.one(to_json(&made)?, &Fields::default())?;
                if made.client_secret.is_some() {
                    session.output.hint_at_secret(made.client_id.as_ref().map_or("ID", |id| id.as_str()));
                }
                Ok(())
            }
            Self::Update { id, settings, body } => {
                let update = |patch: &ClientPatch| clients.update(&id, patch);
                session.send(body, settings.members(), update).await
            }
            Self::Delete { id, deletion } => {
                let client = clients.get(&id).query("fields", "name").await.map_err(explain)?;
                let name = client.name.unwrap_or_default();
                let question =
                    format!("Delete the application {id} ({name}) and everything that belongs to it?");
                session.delete(&deletion, &question, &id, clients.delete(&id)).await
            }
            Self::RotateSecret { id, grace } => {
                let call = match grace {
                    Some(seconds) => clients.rotate_secret_with_grace(&id, seconds),
                    None => clients.rotate_secret(&id),
                };
                let shown = Fields::of(&["client_id", "name", "client_secret"]);
                session.show(call, &if session.output.is_json() { Fields::default() } else { shown }).await?;
                session.output.hint_at_secret(&id);
                Ok(())
            }
        }
    }
}
