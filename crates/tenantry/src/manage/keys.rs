//! `tenantry keys`.

use super::input::confirm;
use super::output::Fields;
use super::{Commands, Deletion, Session, explain};
use crate::Failure;
use clap::Subcommand;
use tenantry_sdk::TenantSigningKey;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the keys: current, next, previous and the last that were revoked
    List {
        #[command(flatten)]
        fields: Fields,
    },
    /// Show a key with its certificate
    Get {
        /// Its id
        kid: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Sign with the next key from now on; prints the one that is next after it
    ///
    /// What the key before signed stays good until that is revoked.
    #[command(after_help = "\
Examples:
  tenantry keys rotate
  tenantry keys rotate --revoke       # a key became known: refuse all that it signed")]
    Rotate {
        /// Revoke the key that signed until now as well
        #[arg(long)]
        revoke: bool,
        #[command(flatten)]
        deletion: Deletion,
    },
    /// Refuse from now on what a previous key signed
    Revoke {
        /// Its id
        kid: String,
        #[command(flatten)]
        deletion: Deletion,
    },
}

const COLUMNS: &[&str] =
    &["kid", "current", "next", "previous", "revoked", "current_since", "current_until", "revoked_at"];

impl Commands for Command {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let keys = session.sdk.signing_keys();
        match self {
            Self::List { fields } => {
                let all = keys.list().await.map_err(explain)?;
                session.print_list(&all, &fields, COLUMNS)
            }
            Self::Get { kid, fields } => session.show(keys.get(&kid), &fields).await,
            Self::Rotate { revoke: false, deletion: _ } => {
                session.show(keys.rotate(), &Fields::default()).await
            }
            Self::Rotate { revoke: true, deletion } => {
                confirm(
                    "Rotate the signing key and refuse every token that was issued until now?",
                    deletion.yes,
                )?;
                let is_current = |key: &TenantSigningKey| key.current == Some(true);
                let before = keys.list().await.map_err(explain)?.into_iter().find(is_current);
                let before = before.ok_or("the tenant shows no current signing key")?;
                session.show(keys.rotate(), &Fields::default()).await?;
                keys.revoke(&before.kid).await.map_err(explain)?;
                eprintln!("revoked {}", before.kid);
                Ok(())
            }
            Self::Revoke { kid, deletion } => {
                confirm(&format!("Refuse every token that the key {kid} signed?"), deletion.yes)?;
                keys.revoke(&kid).await.map_err(explain)?;
                eprintln!("revoked {kid}");
                Ok(())
            }
        }
    }
}
