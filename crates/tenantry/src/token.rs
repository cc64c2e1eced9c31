//! `tenantry token`.

use crate::Failure;
use crate::options::{DataDirOption, data_dir};
use std::time::Duration;
use tenantry_server::admin_client;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data_dir: DataDirOption,
    /// Scopes of the token, separated by spaces [default: all that are granted]
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// The API that the token is for [default: the Management API]
    #[arg(long, value_name = "IDENTIFIER")]
    audience: Option<String>,
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let dir = data_dir(args.data_dir.data_dir)?;
    let admin = admin_client(&dir).await?;
    let server = dir.server_file()?;
    let url = server.listeners.first().ok_or("server.json names no listener")?;
    let audience = args.audience.unwrap_or_else(|| admin.audience.clone());
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_id", &admin.client_id),
        ("client_secret", &admin.client_secret),
        ("audience", &audience),
    ];
    if let Some(scope) = &args.scope {
        form.push(("scope", scope));
    }
    let mut client = reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy();
    if let Some(ca) = &admin.ca {
        client = client.tls_certs_only(reqwest::Certificate::from_pem_bundle(&std::fs::read(ca)?)?);
    }
    // The listener may be bound to any address of this machine; its certificate is for the domain.
    let host = admin.domain.rsplit_once(':').map_or(admin.domain.as_str(), |(host, _)| host);
    let address: std::net::SocketAddr = url.trim_start_matches("https://").parse()?;
    let reachable = if address.ip().is_unspecified() {
        std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, address.port()))
    } else {
        address
    };
    let client = client.resolve(host, reachable).build()?;
    let url = format!("https://{host}:{}/oauth/token", reachable.port());
    let response = client.post(&url).form(&form).send().await.map_err(|error| {
        format!(
            "cannot reach the server at {}: {}; is `tenantry serve` running?",
            reachable,
            root_cause(&error)
        )
    })?;
    let status = response.status();
    let body: serde_json::Value = response.json().await?;
    match body["access_token"].as_str() {
        Some(token) if status.is_success() => {
            println!("{token}");
            Ok(())
        }
        _ => {
            let why = body["error_description"].as_str().unwrap_or("no description");
            Err(format!("the server refused ({status}): {why}").into())
        }
    }
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
