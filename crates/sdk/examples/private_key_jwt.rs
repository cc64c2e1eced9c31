//! Moves an application from a secret to a key (`private_key_jwt`). The key stays where it was made; only its public
//! half is sent.
//!
//!     openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem
//!     openssl pkey -in key.pem -pubout -out public.pem
//!     eval "$(tenantry env)"
//!     cargo run --example private_key_jwt -- CLIENT_ID public.pem key.pem

use tenantry_sdk::{
    AuthenticationMethods, ClientPatch, JwtAlgorithm, JwtConfiguration, ManagementClient, NamedCredential,
    NamedCredentials, NewCredential, Object, Patch,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [id, public, private] = arguments.as_slice() else {
        eprintln!("usage: private_key_jwt CLIENT_ID PUBLIC_KEY_FILE PRIVATE_KEY_FILE");
        std::process::exit(2);
    };
    let management = ManagementClient::from_env()?.build()?;

    let key = NewCredential::PublicKey {
        pem: std::fs::read_to_string(public)?,
        name: Some("first key".into()),
        alg: None,
        kid: None,
        expires_at: None,
        parse_expiry_from_cert: None,
    };
    let credential = management.clients().credentials(id).create(&key).await?;
    println!("made {}; the application does not use it yet", credential.id);

    // From the secret to the key in one step: there is no moment with neither.
    let named = NamedCredential { id: credential.id.clone(), other: Object::new() };
    let methods = AuthenticationMethods {
        private_key_jwt: Some(NamedCredentials { credentials: vec![named], other: Object::new() }),
        ..AuthenticationMethods::default()
    };
    let patch = ClientPatch {
        token_endpoint_auth_method: Patch::Null,
        client_authentication_methods: Patch::Value(methods),
        // Without a shared secret nothing can be signed with HS256.
        jwt_configuration: Patch::Value(JwtConfiguration {
            alg: Some(JwtAlgorithm::Rs256),
            ..JwtConfiguration::default()
        }),
        ..ClientPatch::default()
    };
    let _ = management.clients().update(id, &patch).await?;
    println!("{id} authenticates by it now");

    // And it works, if the application may call the Management API.
    let pem = std::fs::read_to_string(private)?;
    let by_key = ManagementClient::builder(std::env::var("AUTH0_DOMAIN")?)
        .private_key_jwt(id, &pem, credential.kid.as_deref())
        .build()?;
    match by_key.clients().get(id).await {
        Ok(client) => println!("it got a token, and read itself: {:?}", client.name),
        Err(error) => println!("with its own token: {error}"),
    }
    Ok(())
}
