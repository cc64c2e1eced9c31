use super::*;
use proptest::prelude::{Just, Strategy as _, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::json;

fn new() -> New<'static> {
    New {
        id: "con_1",
        domain: "tenant.example",
        ticket: "0123456789abcdef0123456789abcdef",
        discovered: None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "reads better at the calls")]
fn made(body: Value) -> Object {
    create(check_create_body(&body).unwrap(), &new()).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "reads better at the calls")]
fn refused(options: Value) -> String {
    let body = json!({"name": "a", "strategy": "auth0", "options": options});
    create(check_create_body(&body).unwrap(), &new()).unwrap_err().message
}

fn options(strategy: &str, sent: &Value) -> Value {
    made(json!({"name": "a", "strategy": strategy, "options": sent}))["options"].clone()
}

#[test]
fn every_strategy_can_be_created_and_updated_with_nothing_but_its_defaults() {
    for strategy in STRATEGIES {
        let connection = made(json!({"name": "a", "strategy": strategy.name}));
        let again = patch(&connection, json!({"options": {}}).as_object().unwrap(), "t", None).unwrap();
        assert_eq!(again["strategy"], strategy.name);
        assert_eq!(connection.contains_key("show_as_button"), strategy.is_enterprise);
        let twice = patch(&again, json!({"options": {}}).as_object().unwrap(), "t", None).unwrap();
        assert_eq!(twice, again, "{}", strategy.name);
    }
    let unsorted: Vec<_> = STRATEGY_NAMES.windows(2).filter(|pair| pair[0] >= pair[1]).collect();
    assert!(unsorted.is_empty(), "{unsorted:?}");
}

#[test]
fn members_have_the_recorded_order() {
    let oidc = made(json!({"name": "a", "strategy": "oidc", "metadata": {}}));
    let names: Vec<_> = with_enabled_clients(oidc, vec![]).keys().cloned().collect();
    let expected = [
        "id",
        "options",
        "strategy",
        "name",
        "is_domain_connection",
        "show_as_button",
        "authentication",
        "connected_accounts",
        "display_name",
        "enabled_clients",
        "realms",
        "metadata",
    ];
    assert_eq!(names, expected);
}

#[test]
fn scope_follows_from_switches() {
    let cases = [
        ("github", json!({}), json!([])),
        (
            "github",
            json!({"email": true, "repo_status": true, "gist": false, "profile": true}),
            json!(["user:email", "repo:status"]),
        ),
        ("google-oauth2", json!({}), json!(["email", "profile"])),
        (
            "google-oauth2",
            json!({"profile": true, "calendar": true, "youtube": false}),
            json!(["profile", "https://www.googleapis.com/auth/calendar", "email"]),
        ),
        ("facebook", json!({}), json!("")),
        (
            "facebook",
            json!({"email": true, "user_birthday": false, "public_profile": true}),
            json!("email,public_profile"),
        ),
        ("linkedin", json!({}), json!(["r_basicprofile"])),
        (
            "linkedin",
            json!({"strategy_version": 2, "email": true, "basic_profile": true}),
            json!(["r_emailaddress", "r_basicprofile", "r_liteprofile"]),
        ),
        ("line", json!({"email": true, "scope": ["x"]}), json!(["openid", "email", "profile"])),
        ("wordpress", json!({"scope": ["email", "openid"]}), json!(["profile"])),
        ("windowslive", json!({"strategy_version": 2}), json!([])),
        ("salesforce", json!({}), json!([])),
    ];
    for (strategy, sent, scope) in cases {
        assert_eq!(options(strategy, &sent)["scope"], scope, "{strategy} {sent}");
    }
    assert_eq!(options("apple", &json!({"scope": "email"})), json!({"scope": "email"}));
}

#[test]
fn databases_keep_three_options_over_updates_and_lose_the_others() {
    let sent = json!({"authentication_methods": {"passkey": {"enabled": true}}, "brute_force_protection": false,
        "import_mode": true});
    let connection = made(json!({"name": "a", "strategy": "auth0", "options": sent}));
    let methods = json!({
        "passkey": {"enabled": true},
        "password": {"enabled": true, "api_behavior": "required", "signup_behavior": "allow"},
        "email_otp": {"enabled": false},
        "phone_otp": {"enabled": false},
    });
    assert_eq!(connection["options"]["authentication_methods"], methods);
    assert_eq!(connection["options"]["passwordPolicy"], "good");
    let body = json!({"options": {"disable_signup": true}});
    let after = patch(&connection, check_patch_body(&body).unwrap(), "t", None).unwrap();
    let names: Vec<_> = after["options"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["disable_signup", "authentication_methods", "passkey_options", "brute_force_protection"]
    );
    assert_eq!(after["options"]["authentication_methods"], methods);
    assert_eq!(after["options"]["brute_force_protection"], false);
}

#[test]
fn rules_of_databases_have_the_recorded_messages() {
    let attribute = |active, status| json!({"identifier": {"active": active}, "profile_required": true, "signup": {"status": status}});
    let email = json!({"email": attribute(true, "required")});
    let cases = [
        (
            json!({"attributes": email, "validation": {"username": {"min": 1, "max": 5}}}),
            "Cannot set both options.attributes and options.validation",
        ),
        (
            json!({"attributes": email, "requires_username": true}),
            "Cannot set both options.attributes and options.requires_username",
        ),
        (
            json!({"attributes": {"email": attribute(false, "required")}}),
            "attributes must contain one active identifier",
        ),
        (
            json!({"attributes": {"phone_number": attribute(true, "inactive")}}),
            "attribute phone_number must also be required on signup",
        ),
        (
            json!({"password_options": {}, "passwordPolicy": "good"}),
            "Cannot set both options.password_options and options.passwordPolicy",
        ),
    ];
    for (options, message) in cases {
        assert_eq!(refused(options), message);
    }
    let fine = json!({"attributes": email, "requires_username": false});
    assert_eq!(options("auth0", &fine)["attributes"]["email"]["verification_method"], "link");
    let policy = options("auth0", &json!({"password_options": {"complexity": {"min_length": 20}}}));
    assert_eq!(policy["password_options"]["complexity"]["min_length"], 20);
    assert_eq!(policy["password_options"]["history"], json!({"active": false, "size": 3}));
    assert!(policy.get("passwordPolicy").is_none());
}

#[test]
fn cross_app_access_is_for_openid_connections() {
    let body = json!({"name": "a", "strategy": "auth0", "cross_app_access_requesting_app": {"active": true}});
    let error = create(check_create_body(&body).unwrap(), &new()).unwrap_err();
    assert_eq!(error.message, "Cross App Access Requesting App is not supported for this connection.");
    let oidc = made(
        json!({"name": "a", "strategy": "oidc", "cross_app_access_resource_app": {"status": "enabled"}}),
    );
    let body = json!({"cross_app_access_resource_app": null});
    let after = patch(&oidc, check_patch_body(&body).unwrap(), "t", None).unwrap();
    assert!(!after.contains_key("cross_app_access_resource_app"));
}

#[test]
fn endpoints_come_from_metadata_where_they_are_not_sent() {
    let metadata =
        json!({"token_endpoint": "https://a/token", "authorization_endpoint": "https://a/authorize"});
    let sent =
        json!({"token_endpoint": null, "authorization_endpoint": "https://mine", "oidc_metadata": metadata});
    let oidc = options("oidc", &sent);
    assert_eq!(oidc["token_endpoint"], "https://a/token");
    assert_eq!(oidc["authorization_endpoint"], "https://mine");
    assert_eq!(oidc["oidc_metadata"]["request_uri_parameter_supported"], false);
    assert!(oidc.get("issuer").is_none());
    assert_eq!(oidc["connection_settings"]["pkce"], "auto");

    let okta = made(json!({"name": "a", "strategy": "okta", "options": {"domain": "x.okta.com"}}));
    assert_eq!(okta["options"]["token_endpoint"], "https://x.okta.com/oauth2/v1/token");
    let body = json!({"options": {"domain": "y.okta.com"}});
    let moved = patch(&okta, check_patch_body(&body).unwrap(), "t", None).unwrap();
    assert_eq!(moved["options"]["oidc_metadata"]["issuer"], "https://y.okta.com");
    assert_eq!(moved["options"]["connection_settings"]["pkce"], "disabled");
}

#[test]
fn providers_are_asked_only_for_what_was_not_sent() {
    let url = |strategy: &str, options: Value| {
        discovery_url(strategy, json!({"options": options}).as_object().unwrap()).map(String::from)
    };
    let at = "https://idp.example/.well-known/openid-configuration";
    assert_eq!(url("oidc", json!({"discovery_url": at})).as_deref(), Some(at));
    assert_eq!(url("okta", json!({"domain": "idp.example"})).as_deref(), Some(at));
    assert_eq!(url("oidc", json!({"discovery_url": at, "oidc_metadata": {}})).as_deref(), Some(at));
    for (strategy, options) in [
        ("oidc", json!({"discovery_url": at, "oidc_metadata": {"issuer": "i"}})),
        ("oidc", json!({"discovery_url": ""})),
        ("oidc", json!({"discovery_url": "no URL"})),
        ("oidc", json!({"domain": "idp.example"})),
        ("okta", json!({"discovery_url": at})),
        ("okta", json!({"domain": "idp.example/x"})),
        ("okta", json!({"domain": "idp.example?x="})),
        ("samlp", json!({"discovery_url": at})),
        ("nothing", json!({"discovery_url": at})),
    ] {
        assert_eq!(url(strategy, options.clone()), None, "{strategy} {options}");
    }
    assert_eq!(discovery_url("oidc", &Object::new()), None);
    assert_eq!(discovered(json!({"issuer": 1})), None);
    assert_eq!(discovered(json!([])), None);
}

#[test]
fn a_display_name_that_is_not_sent_again_is_the_name() {
    let oidc = made(json!({"name": "a", "display_name": "A", "strategy": "oidc"}));
    assert_eq!(oidc["display_name"], "A");
    let after = patch(&oidc, json!({"show_as_button": true}).as_object().unwrap(), "t", None).unwrap();
    assert_eq!((&after["display_name"], &after["show_as_button"]), (&json!("a"), &json!(true)));
}

#[test]
fn metadata_are_merged_and_realms_never_empty() {
    let connection =
        made(json!({"name": "a", "strategy": "sms", "metadata": {"x": "1", "y": "2"}, "realms": []}));
    assert_eq!(connection["realms"], json!(["a"]));
    let body = json!({"metadata": {"x": null, "z": "3"}, "realms": ["r"]});
    let after = patch(&connection, check_patch_body(&body).unwrap(), "t", None).unwrap();
    assert_eq!(after["metadata"], json!({"y": "2", "z": "3"}));
    assert_eq!(after["realms"], json!(["r"]));
    let many: Object = (0..10).map(|n| (format!("m{n}"), json!("v"))).collect();
    let body = json!({"metadata": many});
    assert!(patch(&after, check_patch_body(&body).unwrap(), "t", None).is_err());
}

#[test]
fn bad_bodies_are_refused() {
    let cases = [
        (json!({"strategy": "auth0"}), "Missing required property: name"),
        (json!({"name": "a"}), "Missing required property: strategy"),
        (json!({"name": "a", "strategy": "nothing"}), "No enum match for: nothing"),
        (json!({"name": "-a", "strategy": "auth0"}), "String does not match pattern"),
        (json!({"name": "a", "strategy": "auth0", "id": "x"}), "Additional properties not allowed: id"),
        (
            json!({"name": "a", "strategy": "auth0", "options": {"passwordPolicy": "x"}}),
            "No enum match for: x",
        ),
        (
            json!({"name": "a", "strategy": "oidc", "options": {"upstream_params": {"p": {"alias": "x"}}}}),
            "None of the valid schemas were met",
        ),
    ];
    for (body, message) in cases {
        let violation = check_create_body(&body).unwrap_err().to_string();
        assert!(violation.contains(message), "{violation}");
    }
    for body in [json!({}), json!({"name": "b"}), json!({"strategy": "sms"}), json!({"enabled_clients": []})]
    {
        assert!(check_patch_body(&body).is_err(), "{body}");
    }
    for body in [json!([]), json!([{"client_id": "a"}]), json!({"client_id": "a", "status": true})] {
        assert!(check_enable_body(&body).is_err(), "{body}");
    }
}

#[test]
fn secrets_are_taken_wherever_they_stand_and_put_back() {
    let whole = json!({
        "client_id": "i", "client_secret": "s1", "consumer_secret": "s2", "twilio_token": "s3",
        "gateway_authentication": {"secret": "s4", "secret_base64_encoded": false, "subject": "x"},
        "decryptionKey": {"key": "s5", "cert": "c"}, "customHeaders": {"X-A/b~c": "s6"},
        "list": [{"password": "s7"}], "app_secret": "", "passwordPolicy": "good", "token_endpoint": "e",
        "signing_key": {"key": "s8"}, "oidc_metadata": {"token_endpoint_auth_methods_supported": ["client_secret_post"]},
    });
    let mut options = whole.as_object().unwrap().clone();
    let taken = secrets::take(&mut options);
    let left = Value::Object(options.clone()).to_string();
    for n in 1..=8 {
        assert!(!left.contains(&format!("\"s{n}\"")), "s{n} is left in {left}");
    }
    assert_eq!(taken.len(), 8);
    secrets::put_back(&mut options, taken);
    assert_eq!(canonical(options.into()), canonical(whole));
}

#[test]
fn fields_choose_members() {
    let connection = made(json!({"name": "a", "strategy": "auth0"}));
    let names = |connection: Object| connection.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(select(connection.clone(), "strategy, name", true)),
        ["id", "strategy", "name", "is_domain_connection", "authentication", "connected_accounts"]
    );
    assert!(!names(select(connection.clone(), "options", false)).contains(&"options".to_owned()));
    assert_eq!(select(connection.clone(), " ,", true), connection);
}

fn values() -> impl proptest::strategy::Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let name = "[a-z]{1,3}|client_secret|key|signing_key|customHeaders|a/b|~1|password";
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn taking_secrets_and_putting_them_back_loses_nothing(value in values()) {
        let whole = match value { Value::Object(members) => members, other => [("x".to_owned(), other)].into_iter().collect() };
        let mut options = whole.clone();
        let taken = secrets::take(&mut options);
        prop_assert!(secrets::take(&mut options.clone()).is_empty());
        secrets::put_back(&mut options, taken);
        prop_assert_eq!(canonical(options.into()), canonical(whole.into()));
    }

    #[test]
    fn sorting_twice_is_sorting_once(value in values()) {
        let once = canonical(value);
        prop_assert_eq!(canonical(once.clone()).to_string(), once.to_string());
    }
}
