use super::*;

fn patched(settings: &Object, body: &Value) -> Object {
    patch(settings, check_patch_body(body).unwrap()).unwrap()
}

#[test]
fn a_fresh_tenant_has_the_recorded_settings() {
    assert_eq!(
        Value::Object(as_read(defaults())).to_string(),
        concat!(
            r#"{"enabled_locales":["en"],"flags":{"allow_changing_enable_sso":false,"disable_impersonation":true,"#,
            r#""enable_sso":true,"new_universal_login_experience_enabled":true,"universal_login":true,"#,
            r#""revoke_refresh_token_grant":false,"disable_clickjack_protection_headers":false},"#,
            r#""sandbox_version":"22","oidc_logout":{"rp_logout_end_session_endpoint_discovery":true},"#,
            r#""universal_login":{},"phone_consolidated_experience":false,"sandbox_versions_available":["22","18"],"#,
            r#""resource_parameter_profile":"audience","client_id_metadata_document_supported":false}"#
        )
    );
    assert_eq!(Value::Object(ordered(defaults())).to_string(), Value::Object(defaults()).to_string());
}

#[test]
fn settings_take_their_place_in_the_order_of_answers() {
    let after = patched(
        &defaults(),
        &json!({"session_cookie": {"mode": "persistent"}, "support_url": "", "default_audience": "",
            "flags": {"use_scope_descriptions_for_consent": true, "change_pwd_flow_v1": false}}),
    );
    let names: Vec<_> = after.keys().map(String::as_str).collect();
    let expected = [
        "default_audience",
        "enabled_locales",
        "flags",
        "sandbox_version",
        "support_url",
        "oidc_logout",
        "universal_login",
        "phone_consolidated_experience",
        "session_cookie",
    ];
    assert_eq!(names, expected);
    let flags: Vec<_> = after["flags"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(flags[..2], ["allow_changing_enable_sso", "change_pwd_flow_v1"], "flags are merged");
    assert_eq!(flags.len(), 9);
}

#[test]
fn a_change_shows_two_flags_that_reading_does_not() {
    let read = as_read(defaults());
    let changed = as_changed(defaults());
    let flags = |settings: &Object| settings["flags"].as_object().unwrap().len();
    assert_eq!((flags(&read), flags(&changed)), (7, 9));
    assert!(!changed.contains_key(SANDBOX_VERSIONS) && !changed.contains_key("resource_parameter_profile"));
}

#[test]
fn null_removes_and_an_empty_redirection_uri_does_too() {
    let set = json!({"mtls": {"enable_endpoint_aliases": true}, "acr_values_supported": [],
        "default_redirection_uri": "https://example.com/login"});
    let settings = patched(&defaults(), &set);
    assert_eq!(settings["acr_values_supported"], json!([]));
    let unset = json!({"mtls": null, "acr_values_supported": null, "default_redirection_uri": ""});
    assert_eq!(patched(&settings, &unset), defaults());
}

#[test]
fn minutes_become_hours() {
    let minutes = |n: u32| patched(&defaults(), &json!({"session_lifetime_in_minutes": n}));
    assert_eq!(minutes(181)["session_lifetime"].to_string(), "3.0166666666666666");
    assert_eq!(minutes(120)["session_lifetime"].to_string(), "2");
    let both = json!({"session_lifetime": 1, "session_lifetime_in_minutes": 60});
    let error = patch(&defaults(), check_patch_body(&both).unwrap()).unwrap_err();
    assert_eq!(error.status, 400);
}

#[test]
fn bad_settings_are_refused() {
    let cases = [
        (json!({}), "Too few properties"),
        (json!({"sandbox_versions_available": []}), "Additional properties not allowed"),
        (json!({"flags": {"allow_other_legacy_grant_types": true}}), "Additional properties not allowed"),
        (json!({"flags": null}), "Expected type object"),
        (json!({"flags": {"enable_sso": "yes"}}), "Expected type boolean"),
        (json!({"enabled_locales": []}), "Array is too short"),
        (json!({"enabled_locales": ["xx"]}), "No enum match"),
        (json!({"session_lifetime": 0}), "less than minimum"),
        (json!({"default_token_quota": {}}), "Too few properties"),
        (json!({"default_token_quota": {"clients": {}}}), "Missing required property: client_credentials"),
        (json!({"default_token_quota": {"clients": {"client_credentials": {"per_day": 0}}}}), "minimum"),
        (json!({"country_codes": {"list": ["us"]}}), "does not match pattern"),
        (json!({"session_cookie": {}}), "Missing required property: mode"),
        (json!({"support_email": "nobody"}), "format email-or-empty"),
        (json!({"default_redirection_uri": "http://example.com"}), "absolute-https-uri-or-empty"),
        (json!({"resource_parameter_profile": null}), "Expected type string"),
    ];
    for (body, expected) in cases {
        let message = check_patch_body(&body).unwrap_err().to_string();
        assert!(message.contains(expected), "{body}: {message}");
    }
}
