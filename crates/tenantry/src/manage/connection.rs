//! Which tenant, and who calls.

use crate::Failure;
use std::path::PathBuf;
use tenantry_sdk::ManagementClient;

/// Which tenant, and who calls; `eval "$(tenantry env)"` sets all of it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Domain of the tenant: tenant.eu.auth0.com, localhost:8443, or a base URL
    #[arg(long, value_name = "DOMAIN", env = "AUTH0_DOMAIN", global = true)]
    domain: Option<String>,
    /// Client that gets the token
    #[arg(long, value_name = "ID", env = "AUTH0_CLIENT_ID", global = true)]
    client_id: Option<String>,
    /// Its secret; better given by the environment
    #[arg(long, value_name = "SECRET", env = "AUTH0_CLIENT_SECRET", hide_env_values = true, global = true)]
    client_secret: Option<String>,
    /// A token, instead of client and secret
    #[arg(long, value_name = "TOKEN", env = "AUTH0_API_TOKEN", hide_env_values = true, global = true)]
    token: Option<String>,
    /// Audience of the token [default: the tenant's Management API]
    #[arg(long, value_name = "IDENTIFIER", env = "AUTH0_AUDIENCE", global = true)]
    audience: Option<String>,
    /// Authority to trust besides the system's, in PEM
    #[arg(long, value_name = "FILE", env = "TENANTRY_CA_CERT", global = true)]
    ca_cert: Option<PathBuf>,
}

impl Connection {
    pub(crate) fn open(self) -> Result<ManagementClient, Failure> {
        let domain =
            self.domain.ok_or("no tenant: set AUTH0_DOMAIN or --domain\nhint: eval \"$(tenantry env)\"")?;
        let mut builder = ManagementClient::builder(domain);
        builder = match (self.token, self.client_id, self.client_secret) {
            (Some(token), _, _) => builder.token(token),
            (None, Some(id), Some(secret)) => builder.client_credentials(id, secret),
            _ => {
                return Err(
                    "no credentials: set AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET, or AUTH0_API_TOKEN".into(),
                );
            }
        };
        if let Some(audience) = self.audience {
            builder = builder.audience(audience);
        }
        if let Some(path) = self.ca_cert {
            let pem = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            builder = builder.ca_certificate(pem);
        }
        builder.build().map_err(super::explain)
    }
}
