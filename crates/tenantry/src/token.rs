//! `tenantry token`.

use crate::options::{DataDirOption, data_dir};
use crate::{Failure, local};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data_dir: DataDirOption,
    /// The database, if the server's URL has a password
    #[arg(long, value_name = "URL", env = "TENANTRY_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Scopes of the token, separated by spaces [default: all that are granted]
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// The API that the token is for [default: the Management API]
    #[arg(long, value_name = "IDENTIFIER")]
    audience: Option<String>,
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let server =
        local::server(&data_dir(args.data_dir.data_dir)?, None, args.database_url.as_deref()).await?;
    let admin = &server.admin;
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
    let url = format!("{}/oauth/token", server.base);
    let request = server.http.post(&url).timeout(Duration::from_secs(30)).form(&form);
    let response = request.send().await.map_err(|error| {
        format!(
            "cannot reach the server at {}: {}\nhint: is `tenantry serve` running?",
            server.address,
            root_cause(&error)
        )
    })?;
    let status = response.status();
    let body: serde_json::Value = response.json().await?;
    match body["access_token"].as_str() {
        Some(token) if status.is_success() => crate::manage::output::print(token),
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
