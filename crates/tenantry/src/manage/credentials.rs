//! `tenantry credentials`.

use super::input::Body;
use super::output::Fields;
use super::{Commands, Deletion, Session, explain, text};
use crate::Failure;
use clap::Subcommand;
use std::path::PathBuf;
use tenantry_sdk::{CredentialPatch, NewCredential, Patch};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the credentials of an application
    List {
        /// The application's id
        application: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Show a credential
    Get {
        /// The application's id
        application: String,
        /// The credential's id
        id: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Add a credential to an application; nothing is done with it until the application names it
    #[command(after_help = "\
Examples:
  tenantry credentials create ID --pem key.pub.pem --set alg=PS256
  tenantry clients update ID --set token_endpoint_auth_method=null \\
      --set jwt_configuration.alg=RS256 --set \\
      'client_authentication_methods.private_key_jwt.credentials=[{\"id\": \"cred_…\"}]'")]
    Create {
        /// The application's id
        application: String,
        /// public_key, cert_subject_dn or x509_cert
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
        /// The application's id
        application: String,
        /// The credential's id
        id: String,
        /// A time as in 2030-01-31T12:00:00Z, or never
        #[arg(long, value_name = "TIME")]
        expires_at: String,
    },
    /// Delete a credential that its application does not name any more
    Delete {
        /// The application's id
        application: String,
        /// The credential's id
        id: String,
        #[command(flatten)]
        deletion: Deletion,
    },
}

const COLUMNS: &[&str] = &["id", "credential_type", "kid", "alg", "name", "expires_at"];

impl Commands for Command {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let of = |application: &str| session.sdk.credentials(application);
        match self {
            Self::List { application, fields } => {
                let list = of(&application).list().await.map_err(explain)?;
                session.print_list(&list, &fields, COLUMNS)
            }
            Self::Get { application, id, fields } => session.show(of(&application).get(&id), &fields).await,
            Self::Create { application, kind, pem, body } => {
                let read = |path: &PathBuf| {
                    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
                };
                let pem = pem.as_ref().map(read).transpose()?;
                let options = vec![("credential_type", text(Some(kind))), ("pem", text(pem))];
                let credentials = of(&application);
                session.send(body, options, |new: &NewCredential| credentials.create(new)).await
            }
            Self::Update { application, id, expires_at } => {
                let expires_at = if expires_at == "never" { Patch::Null } else { Patch::Value(expires_at) };
                let patch = CredentialPatch { expires_at };
                session.show(of(&application).update(&id, &patch), &Fields::default()).await
            }
            Self::Delete { application, id, deletion } => {
                let question = format!("Delete the credential {id} of the application {application}?");
                session.delete(&deletion, &question, &id, of(&application).delete(&id)).await
            }
        }
    }
}
