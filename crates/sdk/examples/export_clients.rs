//! Writes all applications of a tenant to standard output, one JSON object a line. Without secrets, unless asked.
//!
//!     eval "$(tenantry env)"
//!     cargo run --example export_clients [-- --with-secrets] >clients.jsonl

use std::io::Write as _;
use tenantry_sdk::{ListClients, ManagementClient};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let with_secrets = std::env::args().any(|argument| argument == "--with-secrets");
    let management = ManagementClient::from_env()?.build()?;
    let mut list = ListClients { is_global: Some(false), ..ListClients::default() };
    if !with_secrets {
        list.fields = Some("client_secret,signing_keys,encryption_key".into());
        list.include_fields = Some(false);
    }
    let (mut clients, mut count) = (management.clients().stream(&list), 0);
    let mut out = std::io::stdout().lock();
    while let Some(client) = clients.next().await {
        // What this version of the SDK does not know is written too.
        serde_json::to_writer(&mut out, &client?)?;
        writeln!(out)?;
        count += 1;
    }
    eprintln!("{count} applications");
    Ok(())
}
