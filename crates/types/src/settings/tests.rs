use super::*;
use proptest::prelude::*;
use serde_json::json;

fn settings() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().copied().flatten()
}

fn setting(path: &str) -> &'static Setting {
    settings().find(|setting| setting.path == path).unwrap()
}

#[test]
fn what_there_is_at_first_could_have_been_sent() {
    for setting in settings() {
        assert_eq!(setting.parameter_names().count(), setting.parameters.len(), "{}", setting.path);
        let Ok(initial) = setting.initial() else { continue };
        for schema in [setting.patch, setting.put].into_iter().flatten() {
            // A captcha's keys are empty until they are set, and come with their secret; no one sends them so.
            // What has to be sent whole may be empty at first.
            let is_empty = initial.as_object().is_some_and(Object::is_empty);
            if !is_empty && !setting.path.ends_with("/captcha") {
                schema().check(Part::Payload, &initial).unwrap_or_else(|v| panic!("{}: {v}", setting.path));
            }
        }
    }
    for collection in COLLECTIONS {
        let _ = collection.defaults();
    }
}

#[test]
fn members_of_a_member_are_changed_one_by_one() {
    let throttling = setting("/api/v2/attack-protection/suspicious-ip-throttling");
    let before = throttling.initial().unwrap();
    let body = json!({"enabled": false, "stage": {"pre-login": {"max_attempts": 5, "rate": 34_560}}});
    let after = throttling.patched(before.clone(), body.as_object().unwrap());
    assert_eq!(after["enabled"], false);
    assert_eq!(after["stage"]["pre-login"]["max_attempts"], 5);
    assert_eq!(after["stage"]["pre-user-registration"], before["stage"]["pre-user-registration"]);
    assert_eq!(after["shields"], before["shields"]);
}

#[test]
fn null_goes_back_to_the_beginning_where_it_means_that() {
    let prompts = setting("/api/v2/prompts");
    let changed = json!({"universal_login_experience": "classic", "identifier_first": false,
        "webauthn_platform_first_factor": true});
    let body = json!({"identifier_first": null, "webauthn_platform_first_factor": null});
    let after = prompts.patched(changed, body.as_object().unwrap());
    assert_eq!(after, json!({"universal_login_experience": "classic", "identifier_first": true}));
    let template = setting("/api/v2/email-templates/{templateName}");
    let after = template.patched(json!({"body": "b"}), json!({"body": null}).as_object().unwrap());
    assert_eq!(after, json!({"body": null}));
}

#[test]
fn secrets_are_taken_out_by_their_path() {
    let mut document =
        json!({"name": "ses", "credentials": {"secretAccessKey": "s", "region": "r", "api_key": null}});
    let taken =
        take_secrets(&mut document, &[&["credentials", "secretAccessKey"], &["credentials", "api_key"]]);
    assert_eq!(document, json!({"name": "ses", "credentials": {"region": "r"}}));
    assert_eq!(
        Value::Object(taken),
        json!({"credentials.secretAccessKey": "s", "credentials.api_key": null})
    );
}

#[test]
fn parameters_of_a_path_take_known_values_alone() {
    let text = setting("/api/v2/prompts/{prompt}/custom-text/{language}");
    assert!(text.check_parameters(&["login".into(), "pt-BR".into()]).is_ok());
    let violation = text.check_parameters(&["login".into(), "xx".into()]).unwrap_err();
    assert_eq!(violation.to_string(), "Path validation error: 'Invalid value \"xx\"' on property language.");
}

proptest! {
    #[test]
    fn a_patch_applied_twice_is_the_patch_applied_once(
        first: bool, second: Option<bool>, third: Option<bool>, classic: bool,
    ) {
        let prompts = setting("/api/v2/prompts");
        let body = json!({"identifier_first": second, "webauthn_platform_first_factor": third,
            "universal_login_experience": if classic { "classic" } else { "new" }});
        let body = body.as_object().unwrap();
        let once = prompts.patched(json!({"identifier_first": first}), body);
        prop_assert_eq!(prompts.patched(once.clone(), body), once);
    }
}
