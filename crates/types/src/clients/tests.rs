use super::*;
use serde_json::json;

fn create(body: &Value) -> Result<ClientDocument, ApiError> {
    let body = check_create_body(body).map_err(ApiError::from)?;
    ClientDocument::create(body, "t", ThirdPartySecurityMode::Permissive, |mode| mode.as_str().into())
}

fn patch(client: &ClientDocument, body: &Value) -> Result<ClientDocument, ApiError> {
    client.patched(check_patch_body(body).map_err(ApiError::from)?)
}

fn client(mut body: Value) -> ClientDocument {
    body["name"] = "N".into();
    create(&body).unwrap()
}

#[test]
fn the_grant_types_follow_the_kind() {
    let all = json!(["authorization_code", "implicit", "refresh_token", "client_credentials"]);
    let cases = [
        (json!({}), all.clone()),
        (
            json!({"app_type": "regular_web", "token_endpoint_auth_method": "client_secret_basic"}),
            all.clone(),
        ),
        (json!({"app_type": "spa"}), all),
        (
            json!({"app_type": "native", "token_endpoint_auth_method": "none"}),
            json!(["authorization_code", "implicit", "refresh_token"]),
        ),
        (json!({"app_type": "express_configuration"}), json!(["authorization_code", "client_credentials"])),
        (json!({"app_type": "resource_server", "resource_server_identifier": "x"}), json!([])),
        (
            json!({"is_first_party": false, "third_party_security_mode": "strict"}),
            json!(["authorization_code"]),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(client(body.clone()).get("grant_types"), Some(&expected), "{body}");
    }
}

#[test]
fn refresh_tokens_last_longer_with_an_explicit_secret_method() {
    for (method, expected) in
        [(None, 2_592_000), (Some("none"), 2_592_000), (Some("client_secret_post"), 31_557_600)]
    {
        let mut body = json!({});
        if let Some(method) = method {
            body["token_endpoint_auth_method"] = method.into();
        }
        assert_eq!(client(body).get("refresh_token").unwrap()["token_lifetime"], expected);
    }
}

#[test]
fn jwt_configuration_is_completed_and_merged() {
    let sent = client(json!({"jwt_configuration": {"alg": "RS256"}}));
    assert_eq!(sent.get("jwt_configuration"), Some(&json!({"alg": "RS256", "secret_encoded": false})));
    let after = patch(&client(json!({})), &json!({"jwt_configuration": {"alg": "RS256"}})).unwrap();
    assert_eq!(
        after.get("jwt_configuration"),
        Some(&json!({"lifetime_in_seconds": 36000, "secret_encoded": false, "alg": "RS256"}))
    );
}

#[test]
fn null_and_empty_mean_what_is_recorded() {
    let full = client(json!({
        "addons": {"samlp": {}}, "initiate_login_uri": "https://a.b", "client_metadata": {"a": "1", "b": "2"},
        "description": "d", "refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring"},
        "callbacks": ["https://a.b/c"], "token_endpoint_auth_method": "none",
        "oidc_logout": {"backchannel_logout_urls": ["https://a.b/l"]},
    }));
    assert_eq!(
        full.get("oidc_backchannel_logout"),
        Some(&json!({"backchannel_logout_urls": ["https://a.b/l"]}))
    );
    let body = json!({
        "addons": null, "initiate_login_uri": "", "client_metadata": {"a": null, "b": ""}, "description": "",
        "refresh_token": null, "callbacks": [], "token_endpoint_auth_method": null, "oidc_backchannel_logout": null,
    });
    let after = patch(&full, &body).unwrap();
    for gone in [
        "addons",
        "initiate_login_uri",
        "token_endpoint_auth_method",
        "oidc_logout",
        "oidc_backchannel_logout",
    ] {
        assert_eq!(after.get(gone), None, "{gone}");
    }
    assert_eq!(after.get("client_metadata"), Some(&json!({"b": ""})));
    assert_eq!(after.get("description"), Some(&json!("")));
    assert_eq!(after.get("callbacks"), Some(&json!([])));
    assert_eq!(after.get("refresh_token").unwrap()["rotation_type"], "non-rotating");
}

#[test]
fn rules_across_members_are_checked_on_create_and_on_update() {
    let refused_on_create = [
        json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}),
        json!({"grant_types": ["nonsense"]}),
        json!({"refresh_token": {"rotation_type": "rotating", "expiration_type": "non-expiring"}}),
        json!({"refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "infinite_token_lifetime": true}}),
        json!({"organization_require_behavior": "post_login_prompt"}),
        json!({"third_party_security_mode": "strict"}),
        json!({"app_type": "resource_server"}),
        json!({"resource_server_identifier": "x"}),
        json!({"client_metadata": {"x".repeat(256): "1"}}),
    ];
    for mut body in refused_on_create {
        body["name"] = "N".into();
        let error = create(&body).unwrap_err();
        assert_eq!((error.status, error.code), (400, Some(crate::ErrorCode::InvalidBody)), "{body}: {error}");
    }
    let plain = client(json!({"organization_usage": "allow"}));
    for body in [json!({"is_first_party": false}), json!({"app_type": "resource_server"})] {
        assert_eq!(patch(&plain, &body).unwrap_err().status, 400, "{body}");
    }
    assert!(patch(&plain, &json!({"is_first_party": false, "organization_usage": null})).is_ok());
}

#[test]
fn metadata_is_limited_after_merging_too() {
    let ten: serde_json::Map<_, _> = (0..10).map(|i| (i.to_string(), json!("x"))).collect();
    let full = client(json!({"client_metadata": ten}));
    assert_eq!(patch(&full, &json!({"client_metadata": {"eleven": "x"}})).unwrap_err().status, 400);
    assert!(patch(&full, &json!({"client_metadata": {"eleven": "x", "0": null}})).is_ok());
}

#[test]
fn strict_clients_get_ids_of_their_own_and_keep_to_the_curated_set() {
    let strict = client(
        json!({"is_first_party": false, "third_party_security_mode": "strict", "app_type": "regular_web"}),
    );
    assert_eq!(strict.client_id(), "strict");
    assert_eq!(strict.text("redirection_policy"), Some("open_redirect_protection"));
    let refused = [
        json!({"grant_types": ["implicit"]}),
        json!({"callbacks": ["https://*.example.com"]}),
        json!({"addons": {"samlp": {"audience": "x"}}}),
        json!({"jwt_configuration": {"alg": "HS256"}}),
        json!({"app_type": "sso_integration"}),
        json!({"refresh_token": {"rotation_type": "non-rotating", "expiration_type": "non-expiring"}}),
        json!({"oidc_conformant": false}),
        json!({"is_first_party": true}),
        json!({"third_party_security_mode": "permissive"}),
    ];
    for body in refused {
        assert_eq!(patch(&strict, &body).unwrap_err().status, 400, "{body}");
    }
    for body in [
        json!({"third_party_security_mode": "strict"}),
        json!({"redirection_policy": "allow_always"}),
        json!({"addons": {}}),
    ] {
        assert!(patch(&strict, &body).is_ok(), "{body}");
    }
}

#[test]
fn stored_texts_are_whole_json_and_the_offsets_are_where_members_begin_and_end() {
    for body in [json!({}), json!({"allowed_origins": ["https://a.b"], "description": "ü\"\\"})] {
        let client = client(body);
        let stored = client.to_stored();
        let read = ClientDocument::from_json(&stored.json).unwrap();
        assert!(client.members().iter().all(|(name, value)| read.get(name) == Some(value)));
        let (head, rest) = stored.json.split_at(stored.signing_keys_at);
        assert!(head.ends_with(',') && rest.starts_with('"'), "{head} | {rest}");
        let (before, after) = stored.json.split_at(stored.client_secret_at);
        assert!(
            before.ends_with(r#""callback_url_template":false"#) && after.starts_with(','),
            "{before} | {after}"
        );
    }
    let global = ClientDocument::global("t", "g").to_stored();
    assert!(global.json[..global.client_secret_at].ends_with(r#""client_id":"g""#));
}

#[test]
fn every_field_that_a_request_sets_is_in_one_table() {
    let mut names: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    names.sort_unstable();
    let before = names.len();
    names.dedup();
    assert_eq!(names.len(), before, "a field stands in the table twice");
    for name in fields::TAIL {
        assert!(field(name).is_some(), "{name}");
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn members() -> impl Strategy<Value = Object> {
        let one = prop_oneof![
            Just(("description", json!("d"))),
            Just(("callbacks", json!(["https://a.b/c"]))),
            Just(("app_type", json!("spa"))),
            Just(("token_endpoint_auth_method", json!("none"))),
            Just(("token_endpoint_auth_method", json!("client_secret_post"))),
            Just(("client_metadata", json!({"k": "v"}))),
            Just(("oidc_conformant", json!(true))),
            Just(("jwt_configuration", json!({"alg": "RS256"}))),
            Just(("sso", json!(true))),
            Just(("session_transfer", json!({"enforce_device_binding": "asn"}))),
            Just(("allowed_origins", json!(["https://a.b"]))),
        ];
        proptest::collection::vec(one, 0..6)
            .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    proptest! {
        #[test]
        fn applying_a_patch_twice_is_applying_it_once(created in members(), patched in members()) {
            let client = client(Value::Object(created));
            let once = client.patched(&patched).unwrap();
            prop_assert_eq!(once.patched(&patched).unwrap(), once);
        }

        #[test]
        fn a_patch_changes_only_what_it_names(created in members(), patched in members()) {
            let before = client(Value::Object(created));
            let after = before.patched(&patched).unwrap();
            for (name, value) in before.members() {
                if !patched.contains_key(name) {
                    prop_assert_eq!(after.get(name), Some(value));
                }
            }
        }

        #[test]
        fn storing_and_reading_loses_nothing(created in members(), patched in members()) {
            let client = client(Value::Object(created)).patched(&patched).unwrap();
            let read = ClientDocument::from_json(&client.to_stored().json).unwrap();
            for (name, value) in client.members() {
                prop_assert_eq!(read.get(name), Some(value));
            }
            prop_assert_eq!(read.to_stored(), client.to_stored());
        }
    }
}
