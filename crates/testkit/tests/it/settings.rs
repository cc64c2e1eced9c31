use reqwest::Method;
use serde_json::{Value, json};
use tenantry_testkit::Testkit;

const CAPTCHA: &str = "/api/v2/attack-protection/captcha";
const PROVIDER: &str = "/api/v2/emails/provider";
const THROTTLING: &str = "/api/v2/attack-protection/suspicious-ip-throttling";

#[tokio::test]
async fn settings_are_kept_across_a_restart() {
    let t = Testkit::start().await;
    assert_eq!(t.admin.get("/api/v2/branding").await.expect(200), json!({}));
    let colors = json!({"colors": {"primary": "#0059d6", "page_background": {"type": "linear-gradient"}}});
    assert_eq!(t.admin.patch("/api/v2/branding", &colors).await.expect(200), colors);
    let logo = json!({"logo_url": "https://a.b/logo.png", "favicon_url": "https://a.b/f.ico"});
    let both = t.admin.patch("/api/v2/branding", &logo).await.expect(200);
    // In the order of the API, whatever was sent first.
    let names: Vec<_> = both.as_object().unwrap().keys().collect();
    assert_eq!(names, ["colors", "favicon_url", "logo_url"]);
    let t = t.restart(|_| ()).await;
    assert_eq!(t.admin.get("/api/v2/branding").await.expect(200), both);
    let without =
        t.admin.patch("/api/v2/branding", &json!({"logo_url": null, "colors": {"primary": null}})).await;
    let expected = json!({"colors": {"page_background": {"type": "linear-gradient"}}, "favicon_url": "https://a.b/f.ico"});
    assert_eq!(without.expect(200), expected);
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let t = Testkit::start().await;
    let before = t.admin.get(THROTTLING).await.expect(200);
    let body = json!({"enabled": false, "stage": {"pre-login": {"max_attempts": 5, "rate": 34_560}}});
    let after = t.admin.patch(THROTTLING, &body).await.expect(200);
    let mut expected = before.clone();
    expected["enabled"] = false.into();
    expected["stage"]["pre-login"] = body["stage"]["pre-login"].clone();
    assert_eq!(after, expected);
    assert_eq!(t.admin.get(THROTTLING).await.expect(200), expected);
    // Whatever was read can be written back, and changes nothing.
    assert_eq!(t.admin.patch(THROTTLING, &expected).await.expect(200), expected);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    let t = Testkit::start().await;
    for (method, path, body, message) in [
        (
            Method::PATCH,
            THROTTLING,
            json!({"enabled": "yes"}),
            "Payload validation error: 'Expected type boolean but found type string' on property enabled.",
        ),
        (
            Method::PATCH,
            THROTTLING,
            json!({"nothing": 1}),
            "Payload validation error: 'Additional properties not allowed: nothing'.",
        ),
        (
            Method::PATCH,
            THROTTLING,
            json!({"allowlist": ["localhost"]}),
            "Payload validation error: 'None of the valid schemas were met' on property allowlist[0].",
        ),
        (
            Method::PUT,
            "/api/v2/guardian/policies",
            json!(["sometimes"]),
            "Payload validation error: 'No enum match for: sometimes' on property [0].",
        ),
        (
            Method::PUT,
            "/api/v2/guardian/factors/telepathy",
            json!({"enabled": true}),
            "Path validation error: 'Invalid value \"telepathy\"' on property name.",
        ),
        (
            Method::PUT,
            "/api/v2/prompts/login/custom-text/xx",
            json!({}),
            "Path validation error: 'Invalid value \"xx\"' on property language.",
        ),
        (
            Method::PATCH,
            "/api/v2/branding",
            json!([]),
            "Payload validation error: 'Expected type object but found type array'.",
        ),
        (
            Method::PATCH,
            "/api/v2/prompts",
            Value::Null,
            "Payload validation error: 'Expected type object but found type null'.",
        ),
    ] {
        let reply = t.admin.send(t.admin.request(method, path).json(&body)).await;
        assert_eq!((reply.status, reply.text("message")), (400, message), "{path} {body}");
    }
    assert_eq!(t.admin.get(THROTTLING).await.expect(200)["enabled"], true);
}

#[tokio::test]
async fn factors_are_switched_one_by_one() {
    let t = Testkit::start().await;
    let body = json!({"enabled": true});
    assert_eq!(t.admin.put("/api/v2/guardian/factors/otp", &body).await.expect(200), body);
    let factors = t.admin.get("/api/v2/guardian/factors").await.expect(200);
    let enabled: Vec<_> = factors.as_array().unwrap().iter().filter(|one| one["enabled"] == true).collect();
    assert_eq!(enabled, [&json!({"name": "otp", "enabled": true, "trial_expired": false})]);
    assert_eq!(factors.as_array().unwrap().len(), 8);
    let policies = json!(["all-applications"]);
    assert_eq!(t.admin.put("/api/v2/guardian/policies", &policies).await.expect(200), policies);
    assert_eq!(t.admin.get("/api/v2/guardian/policies").await.expect(200), policies);
    let messages =
        t.admin.put("/api/v2/guardian/factors/sms/templates", &json!({"enrollment_message": "e"})).await;
    assert_eq!(messages.status, 400, "{}", messages.body);
}

#[tokio::test]
async fn the_email_provider_comes_and_goes() {
    let t = Testkit::start().await;
    for reply in [
        t.admin.get(PROVIDER).await,
        t.admin.patch(PROVIDER, &json!({"enabled": false})).await,
        t.admin.delete(PROVIDER).await,
    ] {
        assert_eq!((reply.status, reply.text("errorCode")), (404, "inexistent_email_provider"));
    }
    let body = json!({"name": "ses", "default_from_address": "a@b.c",
        "credentials": {"accessKeyId": "id-k8s", "secretAccessKey": "sec-9f2", "region": "eu-west-1"}});
    let created = t.admin.post(PROVIDER, &body).await.expect(201);
    let expected = json!({"name": "ses", "enabled": true, "default_from_address": "a@b.c",
        "credentials": {"region": "eu-west-1"}});
    assert_eq!(created, expected);
    let again = t.admin.post(PROVIDER, &body).await;
    assert_eq!(
        (again.status, again.text("message"), again.text("errorCode")),
        (409, "An email provider is already configured: ses", "email_provider_conflict")
    );
    let fields =
        t.admin.get(&format!("{PROVIDER}?fields=name,enabled&include_fields=true")).await.expect(200);
    assert_eq!(fields, json!({"name": "ses", "enabled": true}));
    let body = json!({"name": "mandrill", "credentials": {"api_key": "md-key-77"}});
    let changed = t.admin.patch(PROVIDER, &body).await.expect(200);
    assert_eq!((&changed["name"], &changed["credentials"]), (&json!("mandrill"), &json!({})));
    assert_eq!(t.admin.get(PROVIDER).await.expect(200), changed);
    assert_eq!(t.admin.delete(PROVIDER).await.status, 204);
    assert_eq!(t.admin.get(PROVIDER).await.status, 404);
}

#[tokio::test]
async fn secrets_are_sealed_and_not_shown() {
    let t = Testkit::start().await;
    let captcha = json!({"active_provider_id": "recaptcha_v2",
        "recaptcha_v2": {"site_key": "site", "secret": "planted-captcha-secret"}});
    let twilio = json!({"from": "+1", "sid": "S", "auth_token": "planted-twilio-token", "messaging_service_sid": null});
    let key = json!({"server_key": "planted-server-key"});
    let shown = t.admin.patch(CAPTCHA, &captcha).await.expect(200);
    assert_eq!(shown["recaptcha_v2"], json!({"site_key": "site"}));
    let shown = t.admin.put("/api/v2/guardian/factors/sms/providers/twilio", &twilio).await.expect(200);
    assert_eq!(shown, json!({"from": "+1", "messaging_service_sid": null, "sid": "S"}));
    let fcm = "/api/v2/guardian/factors/push-notification/providers/fcm";
    assert_eq!(t.admin.put(fcm, &key).await.expect(200), json!({}));
    let phone = json!({"name": "twilio", "configuration": {"sid": "S", "delivery_methods": ["text"]},
        "credentials": {"auth_token": "planted-phone-token"}});
    let provider = t.admin.post("/api/v2/branding/phone/providers", &phone).await.expect(201);
    assert_eq!(provider["credentials"], Value::Null);
    for path in [CAPTCHA, "/api/v2/guardian/factors/sms/providers/twilio", "/api/v2/branding/phone/providers"]
    {
        let body = t.admin.get(path).await.expect(200);
        assert!(!body.to_string().contains("planted"), "{path}: {body}");
    }
    assert!(t.database().holds("recaptcha_v2"), "looking in the wrong place");
    assert!(!t.database().holds("planted"));
}

#[tokio::test]
async fn email_templates_are_made_and_changed() {
    let t = Testkit::start().await;
    let path = "/api/v2/email-templates/welcome_email";
    let missing = t.admin.get(path).await;
    assert_eq!(
        (missing.status, missing.text("message"), missing.text("errorCode")),
        (404, "The template does not exist.", "inexistent_email_template")
    );
    let template = json!({"template": "welcome_email", "body": "<p>Hi</p>", "from": "", "resultUrl": "https://a.b",
        "subject": "Welcome", "syntax": "liquid", "urlLifetimeInSeconds": 3600, "enabled": false});
    assert_eq!(t.admin.put(path, &template).await.status, 404);
    assert_eq!(t.admin.patch(path, &template).await.status, 404);
    assert_eq!(t.admin.post("/api/v2/email-templates", &template).await.expect(200), template);
    assert_eq!(t.admin.post("/api/v2/email-templates", &template).await.status, 409);
    let changed = t.admin.patch(path, &json!({"subject": "Hello", "from": null})).await.expect(200);
    assert_eq!((&changed["subject"], &changed["from"]), (&json!("Hello"), &Value::Null));
    assert_eq!(t.admin.put(path, &template).await.expect(200), template);
    let other = t.admin.patch(path, &json!({"template": "verify_email"})).await;
    assert_eq!(
        (other.status, other.text("message")),
        (400, "template must be `welcome_email`, as in the path")
    );
    assert_eq!(t.admin.get("/api/v2/email-templates/verify_email").await.status, 404);
    assert_eq!(t.admin.get("/api/v2/email-templates/nothing").await.status, 400);
}

#[tokio::test]
async fn words_of_prompts_belong_to_one_prompt_and_language() {
    let t = Testkit::start().await;
    let text = json!({"login": {"title": "Welcome"}});
    let _ = t.admin.put("/api/v2/prompts/login/custom-text/en", &text).await.expect(200);
    assert_eq!(t.admin.get("/api/v2/prompts/login/custom-text/en").await.expect(200), text);
    for other in ["login/custom-text/de", "signup/custom-text/en"] {
        assert_eq!(t.admin.get(&format!("/api/v2/prompts/{other}")).await.expect(200), json!({}));
    }
    let partials = json!({"login": {"form-content-start": "<div>x</div>"}});
    let _ = t.admin.put("/api/v2/prompts/login/partials", &partials).await.expect(200);
    assert_eq!(t.admin.get("/api/v2/prompts/login/partials").await.expect(200), partials);
    assert_eq!(t.admin.get("/api/v2/prompts/logout/partials").await.status, 400);
}

#[tokio::test]
async fn screens_are_rendered_one_by_one_or_several_at_once() {
    let t = Testkit::start().await;
    let list = "/api/v2/prompts/rendering?page=0&per_page=100&include_totals=true";
    assert_eq!(
        t.admin.get(list).await.expect(200),
        json!({"total": 0, "start": 0, "limit": 100, "configs": []})
    );
    let client = t.create_client(json!({})).await;
    let keep = t.create_client(json!({})).await;
    let config = json!({"rendering_mode": "advanced", "filters": {"match_type": "includes_any",
        "clients": [{"id": client["client_id"]}, {"id": keep["client_id"]}]}});
    let one = "/api/v2/prompts/login/screen/login/rendering";
    let shown = t.admin.patch(one, &config).await.expect(200);
    assert_eq!((&shown["rendering_mode"], &shown["head_tags"]), (&json!("advanced"), &json!([])));
    let bulk = json!({"configs": [{"prompt": "signup", "screen": "signup", "rendering_mode": "advanced"},
        {"prompt": "nothing", "screen": "signup"}]});
    assert_eq!(t.admin.patch("/api/v2/prompts/rendering", &bulk).await.status, 400);
    assert_eq!(t.admin.get(list).await.expect(200)["total"], 1, "all of them or none");
    let bulk = json!({"configs": [{"prompt": "signup", "screen": "signup", "rendering_mode": "standard"}]});
    let _ = t.admin.patch("/api/v2/prompts/rendering", &bulk).await.expect(200);
    assert_eq!(t.admin.get(list).await.expect(200)["total"], 2);
    let advanced = t.admin.get("/api/v2/prompts/rendering?rendering_mode=advanced").await.expect(200);
    assert_eq!(advanced.as_array().unwrap().len(), 1);
    assert_eq!((&advanced[0]["prompt"], &advanced[0]["screen"]), (&json!("login"), &json!("login")));
    let first = t.admin.get("/api/v2/prompts/rendering?take=1").await.expect(200);
    let next = first["next"].as_str().unwrap();
    let second = t.admin.get(&format!("/api/v2/prompts/rendering?take=1&from={next}")).await.expect(200);
    assert_eq!(second["configs"][0]["prompt"], "signup");
    // A client that is deleted is named no more.
    assert_eq!(t.admin.delete(&tenantry_testkit::client_path(&client)).await.status, 204);
    let filters = t.admin.get(one).await.expect(200)["filters"]["clients"].clone();
    assert_eq!(filters, json!([{"id": keep["client_id"]}]));
}

#[tokio::test]
async fn phone_providers_and_templates_have_ids() {
    let t = Testkit::start().await;
    let providers = "/api/v2/branding/phone/providers";
    let body = json!({"name": "twilio", "configuration": {"sid": "S", "delivery_methods": ["text"]},
        "credentials": {"auth_token": "t"}});
    let provider = t.admin.post(providers, &body).await.expect(201);
    let id = provider["id"].as_str().unwrap();
    assert!(id.starts_with("pro_"), "{id}");
    assert_eq!(t.admin.post(providers, &body).await.status, 409);
    let path = format!("{providers}/{id}");
    assert_eq!(t.admin.get(&path).await.expect(200), provider);
    t.clock.advance(std::time::Duration::from_secs(5));
    let changed = t.admin.patch(&path, &json!({"disabled": true})).await.expect(200);
    assert_eq!((&changed["disabled"], &changed["created_at"]), (&json!(true), &provider["created_at"]));
    assert_ne!(changed["updated_at"], provider["updated_at"]);
    assert_eq!(t.admin.get(providers).await.expect(200), json!({"providers": [changed]}));
    assert_eq!(t.admin.delete(&path).await.status, 204);
    assert_eq!(t.admin.delete(&path).await.status, 404);

    let templates = "/api/v2/branding/phone/templates";
    let body = |of: &str| json!({"type": of, "disabled": false, "content": {"syntax": "liquid", "body": {"text": "t"}}});
    let _ = t.admin.post(templates, &body("otp_verify")).await.expect(201);
    let other = t.admin.post(templates, &body("otp_enroll")).await.expect(201);
    assert_eq!(t.admin.post(templates, &body("otp_verify")).await.status, 409);
    assert_eq!(t.admin.get(templates).await.expect(200)["templates"].as_array().unwrap().len(), 2);
    let path = format!("{templates}/{}", other["id"].as_str().unwrap());
    let changed = t.admin.patch(&path, &json!({"content": {"body": {"text": "u"}}})).await.expect(200);
    assert_eq!(changed["content"], json!({"syntax": "liquid", "body": {"text": "u"}}));
}

pub(crate) fn theme() -> Value {
    let color = "#fff";
    let text = json!({"bold": true, "size": 87.5});
    json!({
        "borders": {"button_border_radius": 3, "button_border_weight": 1, "buttons_style": "rounded",
            "input_border_radius": 3, "input_border_weight": 1, "inputs_style": "rounded",
            "show_widget_shadow": true, "widget_border_weight": 0, "widget_corner_radius": 5},
        "colors": {"body_text": color, "error": color, "header": color, "icons": color, "input_background": color,
            "input_border": color, "input_filled_text": color, "input_labels_placeholders": color,
            "links_focused_components": color, "primary_button": color, "primary_button_label": color,
            "secondary_button_border": color, "secondary_button_label": color, "success": color,
            "widget_background": color, "widget_border": color},
        "displayName": "A theme",
        "fonts": {"body_text": text, "buttons_text": text, "font_url": "", "input_labels": text, "links": text,
            "links_style": "normal", "reference_text_size": 16, "subtitle": text, "title": text},
        "page_background": {"background_color": color, "background_image_url": "", "page_layout": "center"},
        "widget": {"header_text_alignment": "center", "logo_height": 52, "logo_position": "center", "logo_url": "",
            "social_buttons_layout": "bottom"},
    })
}

#[tokio::test]
async fn there_is_one_theme_at_most() {
    let t = Testkit::start().await;
    let default = "/api/v2/branding/themes/default";
    let missing = t.admin.get(default).await;
    assert_eq!((missing.status, missing.text("errorCode")), (404, "theme_not_found"));
    let created = t.admin.post("/api/v2/branding/themes", &theme()).await.expect(200);
    assert_eq!(t.admin.get(default).await.expect(200), created);
    assert_eq!(t.admin.post("/api/v2/branding/themes", &theme()).await.status, 409);
    let path = format!("/api/v2/branding/themes/{}", created["themeId"].as_str().unwrap());
    let mut other = theme();
    other["displayName"] = "Another".into();
    let changed = t.admin.patch(&path, &other).await.expect(200);
    assert_eq!((&changed["displayName"], &changed["themeId"]), (&json!("Another"), &created["themeId"]));
    assert_eq!(t.admin.get(&path).await.expect(200), changed);
    assert_eq!(t.admin.delete(&path).await.status, 204);
    assert_eq!(t.admin.get(default).await.status, 404);
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_kept() {
    let t = Testkit::start().await;
    let names = ["enabled", "shields", "mode", "allowlist", "max_attempts"];
    let values =
        [json!(false), json!(["block"]), json!("count_per_identifier"), json!(["10.0.0.0/8"]), json!(7)];
    let path = "/api/v2/attack-protection/brute-force-protection";
    let tasks: Vec<_> = names
        .into_iter()
        .zip(values.clone())
        .map(|(name, value)| {
            let admin = t.admin.clone();
            tokio::spawn(async move { admin.patch(path, &json!({name: value})).await.status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    let after = t.admin.get(path).await.expect(200);
    for (name, value) in names.into_iter().zip(values) {
        assert_eq!(after[name], value, "{name}");
    }
}
