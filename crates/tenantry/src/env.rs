//! `tenantry env`.

use crate::Failure;
use crate::options::{DataDirOption, data_dir};
use std::io::Write as _;
use tenantry_server::admin_client;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data_dir: DataDirOption,
    /// The database, if the server's URL has a password
    #[arg(long, value_name = "URL", env = "TENANTRY_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let admin = admin_client(&data_dir(args.data_dir.data_dir)?, args.database_url.as_deref()).await?;
    let mut lines = vec![
        ("AUTH0_DOMAIN", admin.domain),
        ("AUTH0_CLIENT_ID", admin.client_id),
        ("AUTH0_CLIENT_SECRET", admin.client_secret),
        ("AUTH0_AUDIENCE", admin.audience),
    ];
    if let Some(ca) = admin.ca {
        lines.push(("NODE_EXTRA_CA_CERTS", ca.display().to_string()));
    }
    if let Some(bundle) = admin.ca_bundle {
        let bundle = bundle.display().to_string();
        lines.extend([("SSL_CERT_FILE", bundle.clone()), ("REQUESTS_CA_BUNDLE", bundle)]);
    }
    let mut out = std::io::stdout().lock();
    for (name, value) in lines {
        writeln!(out, "export {name}={}", quoted(&value))?;
    }
    Ok(())
}

/// A word that a POSIX shell reads as exactly this text.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_survive_a_shell() {
        let text = "it's $HOME `x` \"y\" \\";
        let out = std::process::Command::new("sh")
            .args(["-c", &format!("printf %s {}", super::quoted(text))])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), text);
    }
}
