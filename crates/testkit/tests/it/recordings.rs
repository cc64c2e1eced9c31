//! What the API answers fits the SDK's types, and nothing of it is lost on the way: some samples always, and with
//! `TENANTRY_RECORDINGS` every object in the recorded exchanges of that directory.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::Path;
use tenantry_sdk::{Client, ClientConnection, ClientGrant, Credential, MetadataPreview, ResourceServer};

fn survives<T: Serialize + DeserializeOwned>(wire: &Value, place: &str) {
    match serde_json::from_value::<T>(wire.clone()) {
        Err(error) => panic!("{place}: {error}: {wire}"),
        Ok(typed) => {
            assert_eq!(serde_json::to_value(&typed).unwrap(), *wire, "{place}");
            // What requests make of it stays in its place too.
            let text = serde_json::to_string(&typed).unwrap();
            assert!(serde_json::from_str::<T>(&text).is_ok(), "{place}");
        }
    }
}

#[test]
fn samples_survive() {
    survives::<Client>(&json!({}), "empty");
    survives::<Client>(
        &json!({
            "tenant": "t", "global": false, "is_token_endpoint_ip_header_trusted": false, "name": "a",
            "callbacks": [], "client_aliases": ["x"], "allowed_clients": null, "refresh_token": {
                "expiration_type": "expiring", "leeway": 0, "token_lifetime": 2_592_000, "infinite_token_lifetime": false,
                "idle_token_lifetime": 1_296_000, "infinite_idle_token_lifetime": false, "rotation_type": "shiny",
                "policies": [{"audience": "https://a", "scope": ["b"], "more": null}],
            },
            "signing_keys": [{"cert": "c", "pkcs7": "p", "subject": "/CN=t", "key": 1}],
            "jwt_configuration": {"lifetime_in_seconds": 36000, "secret_encoded": false, "alg": "ES256", "scopes": {}},
            "addons": {"samlp": {"mappings": {"a": null}}}, "app_type": "rms", "custom_login_page_on": true,
            "client_metadata": {"a": "b", "c": null}, "mobile": {"ios": {"team_id": "t"}},
            "oidc_logout": {"backchannel_logout_urls": [], "backchannel_logout_initiators":
                {"mode": "custom", "selected_initiators": ["rp-logout"]}, "backchannel_logout_session_metadata": null},
            "default_organization": {"organization_id": "org_1", "flows": ["client_credentials"], "x": 1},
            "client_authentication_methods": {"private_key_jwt": {"credentials": [{"id": "cred_1", "kid": "k"}]},
                "by_magic": {}},
            "signed_request_object": {"required": true, "credentials": [{"id": "cred_1"}]},
            "token_quota": {"client_credentials": {"enforce": true, "per_day": 5, "per_minute": 1}},
            "client_secret": "s", "owners": ["mr|x"], "created_at": "2030-01-01T00:00:00.000Z", "brand_new": [1, null],
        }),
        "client",
    );
    survives::<Credential>(
        &json!({"id": "cred_1", "credential_type": "quantum", "kid": "k", "alg": "RS256", "expires_at": null}),
        "credential",
    );
    survives::<ClientGrant>(
        &json!({"id": "cgr_1", "client_id": "c", "audience": "a", "scope": ["s"], "subject_type": "thing",
            "organization_usage": null, "is_system": true}),
        "grant",
    );
    survives::<ResourceServer>(
        &json!({"id": "1", "identifier": "a", "is_system": true, "signing_alg": "PS512", "proof_of_possession": null,
            "scopes": [{"value": "s", "description": "d", "x": 1}], "token_dialect": "other", "new": null}),
        "API",
    );
    survives::<ClientConnection>(
        &json!({"id": "con_1", "strategy": "auth0", "options": {"a": 1}, "realms": [], "enabled": null}),
        "connection",
    );
    survives::<MetadataPreview>(
        &json!({"client_id": "c", "errors": ["e"], "validation": {"valid": false, "violations": ["v"], "warnings": []},
            "mapped_fields": {"name": "n", "app_type": "web", "client_authentication_methods": {"private_key_jwt":
            {"credentials": [{"credential_type": "public_key", "kid": "k", "alg": "RS256", "x": 1}]}}}, "y": {}}),
        "preview",
    );
}

/// What kind of object an endpoint of the API answers with.
fn check(path: &[&str], body: &Value, place: &str) -> usize {
    let all = |member: &str, check: fn(&Value, &str)| {
        let list = body.as_array().or_else(|| body[member].as_array());
        let objects: Vec<&Value> = match list {
            Some(list) => list.iter().collect(),
            None if body.is_object() => vec![body],
            None => vec![],
        };
        for object in &objects {
            check(object, place);
        }
        objects.len()
    };
    match path {
        ["clients"] | ["clients", _] | ["clients", _, "rotate-secret"] => all("clients", survives::<Client>),
        ["clients", _, "credentials", ..] => all("", survives::<Credential>),
        ["clients", _, "connections"] => all("connections", survives::<ClientConnection>),
        ["client-grants"] | ["client-grants", _] => all("client_grants", survives::<ClientGrant>),
        ["resource-servers"] | ["resource-servers", _] => all("resource_servers", survives::<ResourceServer>),
        _ => 0,
    }
}

/// Objects in the fixtures below a directory.
fn walk(directory: &Path) -> usize {
    let mut found = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found += walk(&path);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let fixture: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            for exchange in fixture["interactions"].as_array().into_iter().flatten() {
                if !(200..300).contains(&exchange["status"].as_u64().unwrap()) {
                    continue;
                }
                let asked = exchange["path"].as_str().unwrap().split('?').next().unwrap();
                let parts: Vec<_> =
                    asked.trim_start_matches("/api/v2").trim_matches('/').split('/').collect();
                let body = &exchange["response"];
                let place = path.display().to_string();
                found += match check(&parts, body, &place) {
                    0 => nested(body, &place),
                    count => count,
                };
            }
        }
    }
    found
}

/// Clients that stand in other answers, such as those of organizations and connections.
fn nested(body: &Value, place: &str) -> usize {
    match body {
        Value::Array(items) => items.iter().map(|item| nested(item, place)).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| match name.as_str() {
                "client" if member.is_object() => {
                    survives::<Client>(member, place);
                    1
                }
                "clients" => {
                    member.as_array().into_iter().flatten().filter(|client| client.is_object()).fold(
                        0,
                        |count, client| {
                            survives::<Client>(client, place);
                            count + 1
                        },
                    )
                }
                _ => nested(member, place),
            })
            .sum(),
        _ => 0,
    }
}

#[test]
fn recorded_objects_survive() {
    let Some(directory) = std::env::var_os("TENANTRY_RECORDINGS") else {
        eprintln!("TENANTRY_RECORDINGS names no directory; skipped");
        return;
    };
    let found = walk(Path::new(&directory));
    assert!(found > 0, "no objects in {}", directory.display());
    println!("{found} objects");
}
