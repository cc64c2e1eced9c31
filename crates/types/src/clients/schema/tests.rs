use super::*;
use crate::schema::Part;
use serde_json::{Value, json};

/// Every good value passes; every bad one is refused with a message that holds the text beside it.
fn check(schema: &Schema, good: &[Value], bad: &[(Value, &str)]) {
    for value in good {
        assert_eq!(schema.check(Part::Payload, value), Ok(()), "{value}");
    }
    for (value, expected) in bad {
        let message = schema.check(Part::Payload, value).expect_err(&value.to_string()).to_string();
        assert!(message.contains(expected), "{value}: {message}");
    }
}

const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----";
const CREDENTIAL: &str = "cred_u48ffSJiNu39cUu2jAxjY2";

#[test]
fn a_client_has_a_name_without_angle_brackets() {
    check(
        &name(),
        &[json!("x"), json!("Größe & mehr")],
        &[
            (json!(""), "does not match pattern ^[^<>]+$: "),
            (json!("<b>"), "<b>"),
            (json!(null), "found type null"),
        ],
    );
}

#[test]
fn metadata_holds_a_few_short_texts() {
    check(
        &client_metadata(),
        &[json!({}), json!({"a": "", "b": null, "c": "ä".repeat(255)})],
        &[
            (json!({"a": 1}), "Expected type string,null but found type integer' on property a"),
            (json!({"a": "x".repeat(256)}), "maximum 255' on property a"),
            (
                Value::Object((0..11).map(|i| (i.to_string(), json!(""))).collect()),
                "Too many properties defined (11)",
            ),
        ],
    );
}

#[test]
fn refresh_tokens_need_both_types() {
    let sent = |more: Value| {
        let mut body = json!({"rotation_type": "rotating", "expiration_type": "expiring"});
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body
    };
    check(
        &refresh_token(),
        &[
            json!(null),
            sent(json!({})),
            sent(json!({"leeway": 0, "token_lifetime": MAX_TOKEN_LIFETIME, "policies": null})),
            sent(json!({"policies": [{"audience": "x", "scope": ["read", "write"]}]})),
        ],
        &[
            (json!({"rotation_type": "rotating"}), "Missing required property: expiration_type"),
            (
                sent(json!({"rotation_type": "always"})),
                "No enum match for: always' on property rotation_type",
            ),
            (sent(json!({"leeway": -1})), "Value -1 is less than minimum 0"),
            (sent(json!({"token_lifetime": 157_788_001})), "greater than maximum 157788000"),
            (sent(json!({"idle_token_lifetime": 0})), "less than minimum 1"),
            (sent(json!({"policies": []})), "Array is too short (0), minimum 1' on property policies"),
            (sent(json!({"policies": [{"audience": "x"}]})), "Missing required property: scope"),
            (
                sent(json!({"policies": [{"audience": "x", "scope": [""]}]})),
                "on property policies[0].scope[0]",
            ),
            (sent(json!({"rotation": true})), "Additional properties not allowed: rotation"),
        ],
    );
}

#[test]
fn session_transfer_has_nullable_parts() {
    check(
        &session_transfer(),
        &[
            json!(null),
            json!({"delegation": null, "allowed_authentication_methods": null}),
            json!({"allowed_authentication_methods": ["cookie"], "enforce_device_binding": "none"}),
            json!({"delegation": {"allow_delegated_access": true, "enforce_device_binding": "asn"}}),
        ],
        &[
            (json!({"enforce_device_binding": null}), "Expected type string but found type null"),
            (json!({"delegation": {"enforce_device_binding": "none"}}), "No enum match for: none"),
            (json!({"allowed_authentication_methods": ["header"]}), "No enum match for: header"),
            (json!({"x": 1}), "Additional properties not allowed: x"),
        ],
    );
}

#[test]
fn a_client_is_created_with_whole_credentials() {
    let by = |method: &str, credential: Value| json!({method: {"credentials": [credential]}});
    let jwt = |credential| by("private_key_jwt", credential);
    let key = |name: &str, value: Value| {
        let mut body = json!({"credential_type": "public_key", "pem": KEY});
        body[name] = value;
        jwt(body)
    };
    check(
        &client_authentication_methods(),
        &[
            json!({"private_key_jwt": {"credentials": []}}),
            key("name", json!("Key")),
            key("alg", json!("PS256")),
            key("kid", json!("0aZ-_bcdef")),
            key("expires_at", json!("2095-05-13T09:33:13.000Z")),
            by("tls_client_auth", json!({"credential_type": "cert_subject_dn", "subject_dn": "CN=x"})),
            by("self_signed_tls_client_auth", json!({"credential_type": "x509_cert", "pem": "x"})),
        ],
        &[
            (json!(null), "Expected type object but found type null"),
            (json!({}), "Too few properties defined (0), minimum 1"),
            (
                json!({"private_key_jwt": {"credentials": []}, "tls_client_auth": {"credentials": []}}),
                "Too many properties defined (2), maximum 1",
            ),
            (json!({"private_key_jwt": {}}), "Missing required property: credentials"),
            (jwt(json!({"id": CREDENTIAL})), "Additional properties not allowed: id"),
            (jwt(json!({"credential_type": "x509_cert", "pem": KEY})), "No enum match for: x509_cert"),
            (key("name", json!("x".repeat(129))), "maximum 128"),
            (key("alg", json!("HS256")), "No enum match for: HS256"),
            (key("kid", json!("short")), "String is too short (5 chars), minimum 10"),
            (
                key("kid", json!("0123456789.")),
                "does not match pattern ^([0-9a-zA-Z-_]{10,64})$: 0123456789.",
            ),
            (key("expires_at", json!("tomorrow")), "format date-time: tomorrow"),
            (
                by("self_signed_tls_client_auth", json!({"credential_type": "x509_cert"})),
                "Missing required property: pem",
            ),
        ],
    );
}

#[test]
fn a_client_is_changed_with_ids_of_credentials() {
    let by_id = json!([{"id": CREDENTIAL}]);
    check(
        &client_authentication_methods_patch(),
        &[
            json!(null),
            json!({"private_key_jwt": {"credentials": by_id}}),
            json!({"tls_client_auth": {"credentials": []}}),
        ],
        &[
            (json!({"private_key_jwt": {"credentials": [{"id": "cred_1"}]}}), "format credential-id: cred_1"),
            (
                json!({"private_key_jwt": {"credentials": [{"pem": KEY}]}}),
                "Additional properties not allowed: pem",
            ),
        ],
    );
    check(&signed_request_object_patch(), &[json!({"required": true}), json!({"credentials": by_id})], &[]);
    check(
        &token_vault_privileged_access_patch(),
        &[
            json!({"credentials": by_id, "ip_allowlist": ["10.0.0.1", "::1", "10.0.0.0/8", "fc00::/7"]}),
            json!({"credentials": [], "ip_allowlist": [], "grants": []}),
            json!({"credentials": [], "grants": [{"connection": "github", "scopes": ["repo"]}]}),
        ],
        &[
            (json!({"grants": []}), "Missing required property: credentials"),
            (
                json!({"credentials": [], "ip_allowlist": ["example.com"]}),
                "None of the valid schemas were met",
            ),
            (
                json!({"credentials": [], "grants": [{"connection": "github"}]}),
                "Missing required property: scopes",
            ),
        ],
    );
}

#[test]
fn quotas_say_at_least_one_thing() {
    check(
        &token_quota(),
        &[
            json!({"client_credentials": {"enforce": true}}),
            json!({"client_credentials": {"per_day": 1, "per_hour": 2_147_483_647}}),
        ],
        &[
            (json!({}), "Missing required property: client_credentials"),
            (json!({"client_credentials": {}}), "Too few properties defined (0), minimum 1"),
            (json!({"client_credentials": {"per_day": 0}}), "Value 0 is less than minimum 1"),
            (
                json!({"client_credentials": {"per_hour": 2_147_483_648_u32}}),
                "greater than maximum 2147483647",
            ),
        ],
    );
}

#[test]
fn apps_have_fingerprints_if_any() {
    check(
        &mobile(),
        &[json!({}), json!({"android": {"sha256_cert_fingerprints": ["D8:A0"]}, "ios": {"x": 1}, "x": 1})],
        &[
            (json!({"android": {"sha256_cert_fingerprints": []}}), "Array is too short (0), minimum 1"),
            (
                json!({"ios": {"team_id": 9}}),
                "Expected type string but found type integer' on property ios.team_id",
            ),
            (json!({"ios": null}), "Expected type object but found type null"),
        ],
    );
}

#[test]
fn some_members_take_more_when_changed() {
    check(
        &cross_origin_loc(),
        &[json!("https://a.b/c")],
        &[(json!("a"), "format url: a"), (json!(null), "type null")],
    );
    check(
        &cross_origin_loc_patch(),
        &[json!("https://a.b/c"), json!(null)],
        &[(json!("a"), "format url-or-null: a")],
    );
    check(&custom_login_page(), &[json!("x")], &[(json!(""), "String is too short (0 chars), minimum 1")]);
    check(&custom_login_page_patch(), &[json!(""), json!("x")], &[]);
    check(
        &native_social_login(),
        &[json!({"apple": {"enabled": true}})],
        &[(json!({"apple": null}), "type null")],
    );
    check(&native_social_login_patch(), &[json!(null), json!({"apple": null})], &[(json!({}), "Too few")]);
    check(&fedcm_login(), &[json!({"google": {"is_enabled": false}})], &[(json!({"google": {}}), "Too few")]);
    check(&fedcm_login_patch(), &[json!({"google": null})], &[(json!({}), "Too few")]);
}

#[test]
fn add_ons_have_patterns_and_limits() {
    let blob = |name: &str, value: Value| json!({"azure_blob": {name: value}});
    let key = format!("{}==", "aZ0+/9".repeat(15)[..86].to_owned());
    check(
        &addons(),
        &[
            json!({}),
            json!({"box": {}, "samlp": {"logout": {}, "mappings": {}}, "oag": null}),
            blob("accountName", json!("acme")),
            blob("storageAccessKey", json!(key)),
            blob("containerName", json!("my-container")),
            blob("blobName", json!("ä".repeat(1024))),
            json!({"sharepoint": {"external_url": "a"}}),
            json!({"sharepoint": {"external_url": ["a", "b"]}}),
            json!({"aws": {"lifetime_in_seconds": 900}}),
        ],
        &[
            (json!({"other": {}}), "Additional properties not allowed: other"),
            (json!({"box": null}), "Expected type object but found type null"),
            (json!({"oag": {"x": 1}}), "Additional properties not allowed: x"),
            (blob("accountName", json!("Acme")), "^([a-z0-9]){3,24}$: Acme"),
            (blob("storageAccessKey", json!("a==")), "^([A-Za-z0-9+/]){86}==$: a=="),
            (blob("containerName", json!("-a-")), "^([a-z0-9]){1}([a-z0-9-]){2,62}$: -a-"),
            (blob("blobName", json!("")), "^(.){1,1024}$: "),
            (json!({"aws": {"lifetime_in_seconds": 899}}), "Value 899 is less than minimum 900"),
            (json!({"sharepoint": {"external_url": 1}}), "None of the valid schemas were met"),
            (json!({"rms": {}}), "Missing required property: url"),
            (json!({"layer": {"keyId": "x"}}), "Missing required property: providerId"),
        ],
    );
}
