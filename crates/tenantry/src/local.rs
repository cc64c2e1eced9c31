//! The server of this machine, reached through its own listener whatever its domain resolves to.

use crate::Failure;
use crate::manage::connection::Opened;
use crate::manage::explain;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use tenantry_sdk::ManagementClient;
use tenantry_server::{AdminClient, DataDir, admin_client};

/// A server whose data directory is at hand, and its administrator.
pub(crate) struct Local {
    pub(crate) admin: AdminClient,
    /// Trusts the server, and finds it by its domain.
    pub(crate) http: reqwest::Client,
    /// `https://HOST:PORT`.
    pub(crate) base: String,
    pub(crate) address: SocketAddr,
}

/// The server that last ran in a directory. `certificate` is the chain that it shows instead of its own authority's.
/// `database_url` is needed where the server's has a password.
pub(crate) async fn server(
    dir: &DataDir,
    certificate: Option<&Path>,
    database_url: Option<&str>,
) -> Result<Local, Failure> {
    let admin = admin_client(dir, database_url).await?;
    let file = dir.server_file()?;
    let url = file.listeners.first().ok_or("server.json names no listener")?;
    let mut http = reqwest::Client::builder().no_proxy();
    let read = |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    if let Some(ca) = &admin.ca {
        http = http.tls_certs_only(reqwest::Certificate::from_pem_bundle(&read(ca)?)?);
    } else if let Some(chain) = certificate {
        http = http.tls_certs_merge(reqwest::Certificate::from_pem_bundle(&read(chain)?)?);
    }
    // The listener may be bound to any address of this machine; its certificate is for the domain.
    let host = admin.domain.rsplit_once(':').map_or(admin.domain.as_str(), |(host, _)| host);
    let bound: SocketAddr = url.trim_start_matches("https://").parse()?;
    let address = if bound.ip().is_unspecified() {
        SocketAddr::from((Ipv4Addr::LOCALHOST, bound.port()))
    } else {
        bound
    };
    let http = http.resolve(host, address).connect_timeout(Duration::from_secs(10)).build()?;
    let base = format!("https://{host}:{}", address.port());
    Ok(Local { admin, http, base, address })
}

impl Local {
    /// A client of its Management API.
    pub(crate) fn open(self) -> Result<Opened, Failure> {
        let AdminClient { client_id, client_secret, audience, .. } = self.admin;
        let builder = ManagementClient::builder(self.base)
            .http_client(self.http)
            .client_credentials(client_id.clone(), client_secret)
            .audience(audience);
        Ok(Opened { sdk: builder.build().map_err(explain)?, client_id: Some(client_id) })
    }
}
