use super::*;
use proptest::prelude::*;

const URL: &str = "https://client.example/metadata.json";

fn mapped(members: &Value) -> Mapped {
    let mut document = json!({
        "client_id": URL, "client_name": "A client", "grant_types": ["authorization_code"],
        "redirect_uris": ["https://client.example/cb"], "token_endpoint_auth_method": "none",
    });
    for (name, value) in members.as_object().unwrap() {
        document[name] = value.clone();
    }
    map(&Url::parse(URL).unwrap(), &document)
}

#[test]
fn a_document_maps_to_settings_in_the_recorded_order() {
    let mapped = mapped(&json!({
        "application_type": "native", "logo_uri": "https://client.example/l.png", "description": "d",
        "client_uri": "https://client.example", "redirect_uris": ["http://127.0.0.1:8000/cb"],
    }));
    assert_eq!(mapped.violations, Vec::<String>::new());
    let names: Vec<_> = mapped.fields.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "external_client_id",
            "name",
            "callbacks",
            "logo_uri",
            "description",
            "grant_types",
            "app_type",
            "token_endpoint_auth_method"
        ]
    );
    assert_eq!(mapped.fields["app_type"], "native");
    assert_eq!(
        mapped.warnings,
        [
            "Ignoring unsupported properties: client_uri. These properties are not validated or mapped to the Auth0 \
          client configuration."
        ]
    );
}

#[test]
fn keys_come_from_the_same_origin() {
    let with = |jwks_uri: &str| {
        mapped(&json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": jwks_uri}))
    };
    let good = with("https://client.example/keys");
    assert!(good.violations.is_empty() && good.jwks_uri.is_some());
    assert!(!good.settings().contains_key("token_endpoint_auth_method"));
    for bad in [
        "https://other.example/keys",
        "https://client.example:8443/keys",
        "http://client.example/keys",
        "https://a@client.example/keys",
        "https://client.example/keys#x",
        "https://client.example/a/../keys",
        "/keys",
    ] {
        assert_eq!(with(bad).violations.len(), 1, "{bad}");
        assert!(with(bad).jwks_uri.is_none());
    }
}

#[test]
fn documents_that_break_a_rule_say_which() {
    for (members, count) in [
        (json!({"client_id": "https://client.example/other.json"}), 1),
        (json!({"client_id": 1}), 2),
        (json!({"client_name": ""}), 1),
        (json!({"client_name": "<b>"}), 1),
        (json!({"grant_types": ["implicit"]}), 1),
        (json!({"grant_types": "authorization_code"}), 2),
        (json!({"redirect_uris": []}), 1),
        (json!({"redirect_uris": ["http://client.example/cb"]}), 1),
        (json!({"redirect_uris": ["http://127.0.0.1/cb"]}), 1),
        (json!({"redirect_uris": ["https://*.client.example/cb"]}), 1),
        (json!({"redirect_uris": ["https://a.example/", "https://a.example/"]}), 1),
        (json!({"redirect_uris": [1]}), 1),
        (json!({"application_type": "desktop"}), 1),
        (json!({"token_endpoint_auth_method": "client_secret_post"}), 1),
        (json!({"token_endpoint_auth_method": "private_key_jwt"}), 1),
        (json!({"jwks": {"keys": []}}), 1),
        (json!({"logo_uri": "javascript:alert(1)"}), 1),
        (json!({"description": "x".repeat(141)}), 1),
    ] {
        let found = mapped(&members);
        assert_eq!(found.violations.len(), count, "{members}: {:?}", found.violations);
        assert_eq!(found.validation()["valid"], false);
    }
    assert_eq!(map(&Url::parse(URL).unwrap(), &json!([])).violations.len(), 1);
    let warned = mapped(&json!({"grant_types": ["refresh_token", "implicit"], "response_types": ["code"]}));
    assert_eq!((warned.violations.len(), warned.warnings.len()), (0, 2));
}

#[test]
fn only_plain_public_https_urls_hold_documents() {
    for good in [URL, "https://client.example:8443/a/b%20c", "https://xn--mnchen-3ya.example/c"] {
        assert!(check_url(good).is_ok(), "{good}");
    }
    for bad in [
        "http://client.example/a",
        "https://client.example",
        "https://client.example/",
        "https://localhost/a",
        "https://localhost./a",
        "https://a.localhost/a",
        "https://127.0.0.1/a",
        "https://0x7f.1/a",
        "https://2130706433/a",
        "https://8.8.8.8/a",
        "https://[::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https:///client.example/a",
        "https://u@client.example/a",
        "https://u:p@client.example/a",
        "https://client.example/a?x",
        "https://client.example/a?",
        "https://client.example/a#x",
        "https://client.example/a#",
        "https://client.example:0/a",
        "https://client.example:443/a",
        "https://client.example/a/../b",
        "https://client.example/./a",
        "https://client.example/%2e%2E/a",
        "https://client.example/a%2",
        "https://client.example/a%zz",
        "https://Client.example/a",
        "https://münchen.example/a",
        "https://client.example\\a",
        " https://client.example/a",
        "https://client.example/a ",
        "https://client.example/a\tb",
        "ftp://client.example/a",
        "client.example/a",
        "",
        &format!("https://client.example/{}", "a".repeat(98)),
    ] {
        assert!(check_url(bad).is_err(), "{bad}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("https://client.example/x")),
        Just(json!("private_key_jwt")),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z]{1,4}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_document_makes_mapping_panic(members in proptest::collection::vec((0..SUPPORTED.len() + 2, values()), 0..8)) {
        let name = |i: usize| *SUPPORTED.get(i).unwrap_or(&"jwks");
        let document = members.into_iter().map(|(i, value)| (name(i).to_owned(), value)).collect();
        let mapped = map(&Url::parse(URL).unwrap(), &Value::Object(document));
        // What may be registered has all that a client needs.
        if mapped.violations.is_empty() {
            for name in ["name", "grant_types", "app_type", "token_endpoint_auth_method"] {
                prop_assert!(mapped.fields.contains_key(name));
            }
        }
    }

    #[test]
    fn no_url_makes_checking_panic(text in r"(https?:/{0,3})?[\PC@%./:?#\[\]\\]{0,40}") {
        if let Ok(url) = check_url(&text) {
            prop_assert!(matches!(url.host(), Some(Host::Domain(_))) && url.as_str() == text);
        }
    }
}
