//! Makes an application that may read the names of applications and nothing else, gets a token as it, and shows what
//! that token can and cannot do.
//!
//!     eval "$(tenantry env)"
//!     cargo run --example least_privilege

use tenantry_sdk::{
    AppType, Error, GrantType, ListClients, ManagementClient, NewClient, NewClientGrant,
    TokenEndpointAuthMethod,
};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let management = ManagementClient::from_env()?.build()?;
    let domain = std::env::var("AUTH0_DOMAIN").map_err(Error::supplier)?;
    let audience = std::env::var("AUTH0_AUDIENCE").unwrap_or_else(|_| format!("https://{domain}/api/v2/"));

    let new = NewClient {
        name: "Reader of names".into(),
        app_type: Some(AppType::NonInteractive),
        grant_types: Some(vec![GrantType::ClientCredentials]),
        token_endpoint_auth_method: Some(TokenEndpointAuthMethod::ClientSecretPost),
        ..NewClient::default()
    };
    let client = management.clients().create(&new).await?;
    let (id, secret) = (client.client_id.expect("it has one"), client.client_secret.expect("it has one"));
    let grant = NewClientGrant {
        client_id: Some(id.clone()),
        audience: audience.clone(),
        scope: Some(vec!["read:client_summary".into()]),
        ..NewClientGrant::default()
    };
    let _ = management.client_grants().create(&grant).await?;

    let reader = ManagementClient::builder(domain)
        .audience(audience)
        .client_credentials(id.as_str(), secret)
        .build()?;
    for client in reader.clients().list(&ListClients::default()).await?.items {
        assert!(client.client_secret.is_none(), "a summary has no secrets");
        println!("it reads: {}", client.name.unwrap_or_default());
    }
    match reader.clients().delete(&id).await {
        Err(error) if error.is_forbidden() => println!("it may not delete: {error}"),
        other => println!("it should not have been allowed to delete: {other:?}"),
    }
    management.clients().delete(&id).await
}
