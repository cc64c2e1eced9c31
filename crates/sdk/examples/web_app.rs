//! Creates a web application, configures it, and lets it call an API.
//!
//!     eval "$(tenantry env)"
//!     cargo run --example web_app

use tenantry_sdk::{
    ApiScope, AppType, ClientPatch, Error, GrantType, ManagementClient, NewClient, NewClientGrant,
    NewResourceServer, Patch, RefreshTokenSettings,
};

const API: &str = "https://api.example/orders";

#[tokio::main]
async fn main() -> Result<(), Error> {
    let management = ManagementClient::from_env()?.build()?;

    let new = NewClient {
        name: "Shop".into(),
        app_type: Some(AppType::RegularWeb),
        callbacks: Some(vec!["https://shop.example/callback".into()]),
        allowed_logout_urls: Some(vec!["https://shop.example/".into()]),
        grant_types: Some(vec![
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::ClientCredentials,
        ]),
        ..NewClient::default()
    };
    let client = management.clients().create(&new).await?;
    let id = client.client_id.expect("an answer to a create has it");
    println!("created {id}");

    // What the patch does not name stays.
    let patch = ClientPatch {
        refresh_token: Patch::Value(RefreshTokenSettings {
            rotation_type: Some("rotating".into()),
            expiration_type: Some("expiring".into()),
            token_lifetime: Some(30 * 24 * 60 * 60),
            ..RefreshTokenSettings::default()
        }),
        client_metadata: Patch::Value([("team".to_owned(), "checkout".into())].into_iter().collect()),
        ..ClientPatch::default()
    };
    let client = management.clients().update(&id, &patch).await?;
    println!("refresh tokens live {:?} seconds", client.refresh_token.and_then(|s| s.token_lifetime));

    let scope = ApiScope { value: "read:orders".into(), ..ApiScope::default() };
    let api = NewResourceServer {
        identifier: API.into(),
        name: Some("Orders".into()),
        scopes: Some(vec![scope]),
        ..NewResourceServer::default()
    };
    match management.resource_servers().create(&api).await {
        Ok(api) => println!("registered {}", api.identifier),
        Err(error) if error.is_conflict() => println!("{API} is registered already"),
        Err(error) => return Err(error),
    }

    let grant = NewClientGrant {
        client_id: Some(id.clone()),
        audience: API.into(),
        scope: Some(vec!["read:orders".into()]),
        ..NewClientGrant::default()
    };
    let grant = management.client_grants().create(&grant).await?;
    println!("{id} may call {} with {:?}", grant.grant.audience, grant.grant.scope.unwrap_or_default());
    Ok(())
}
