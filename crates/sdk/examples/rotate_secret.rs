//! Replaces an application's secret so that nobody is locked out: for a while both the old and the new one are good.
//! Tenantry can do that; Auth0 ends the old one at once.
//!
//!     eval "$(tenantry env)"
//!     cargo run --example rotate_secret -- CLIENT_ID [SECONDS]

use tenantry_sdk::{Error, ManagementClient};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let Some(id) = arguments.next() else {
        eprintln!("usage: rotate_secret CLIENT_ID [SECONDS]");
        std::process::exit(2);
    };
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(24 * 60 * 60);
    let management = ManagementClient::from_env()?.build()?;

    let before = management.clients().get(&id).fields(&["client_secret"]).await?.client_secret;
    let rotated = match management.clients().rotate_secret_with_grace(&id, seconds).await {
        Ok(client) => client,
        // No answer came, or none that says what happened: look before doing it again.
        Err(error) if error.may_have_taken_effect() => {
            let client = management.clients().get(&id).await?;
            if client.client_secret == before {
                return Err(error);
            }
            client
        }
        Err(error) => return Err(error),
    };
    let secret = rotated.client_secret.expect("the administrator may read it");
    eprintln!("give this to every server of {id} within {seconds} s; the secret before is good until then:");
    println!("{}", secret.reveal());
    Ok(())
}
