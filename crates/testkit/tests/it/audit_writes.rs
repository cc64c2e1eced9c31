//! Every operation that writes leaves one entry in the log, whatever becomes of it.

use crate::audit::logs;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tenantry_testkit::{Caller, Reply, Testkit};

/// The path of a route with something in the place of its parameters.
fn filled(route: &str) -> String {
    let parts = route.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

async fn total(reader: &Caller) -> u64 {
    let page = reader.get("/api/v2/logs?per_page=1&include_totals=true").await.expect(200);
    page["total"].as_u64().unwrap()
}

#[tokio::test]
async fn every_refused_write_leaves_one_entry() {
    let t = Testkit::start().await;
    let reader = t.with_scopes(&["read:logs"]).await;
    let mut before = total(&reader).await;
    let mut count = 0;
    for route in t.running().routes().iter().filter(|route| route.method != "GET") {
        let method: Method = route.method.parse().unwrap();
        for (caller, status) in [(&t.nobody(), 401), (&reader, 403)] {
            let path = filled(route.path);
            let reply = caller.send(caller.request(method.clone(), &path).json(&json!({}))).await;
            assert_eq!(reply.status, status, "{method} {path}");
            let page = reader.get("/api/v2/logs?per_page=1&include_totals=true").await.expect(200);
            let entry = &page["logs"][0];
            let (request, response) = (&entry["details"]["request"], &entry["details"]["response"]);
            assert_eq!(page["total"], before + 1, "{method} {path}: {entry}");
            assert_eq!((&entry["type"], &response["statusCode"]), (&json!("fapi"), &json!(status)), "{path}");
            assert_eq!(request["path"], path);
            assert_eq!(request["method"], method.as_str().to_ascii_lowercase());
            before += 1;
            count += 1;
        }
    }
    assert!(count > 400, "{count} writes");
}

/// Sends what should succeed, and looks at what the log says of it.
struct Writer {
    t: Testkit,
    /// The routes that were tried.
    tried: BTreeSet<(String, &'static str)>,
}

impl Writer {
    async fn write(&mut self, method: Method, route: &'static str, path: &str, body: Value) -> Value {
        let before = logs(&self.t.admin, "type:sapi").await.len();
        let request = self.t.admin.request(method.clone(), path);
        let request = if body.is_null() { request } else { request.json(&body) };
        let Reply { status, body, .. } = self.t.admin.send(request).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {body}");
        let found = logs(&self.t.admin, "type:sapi").await;
        assert_eq!(found.len(), (before + 1).min(100), "{method} {path}");
        let entry = &found[0];
        let details = &entry["details"];
        assert_eq!(details["request"]["path"], path.split('?').next().unwrap());
        assert_eq!(details["response"]["statusCode"], status, "{method} {path}");
        let changes = details["changes"].as_array().map_or(0, Vec::len);
        let changes_something = !path.ends_with("/preview");
        assert_eq!(changes > 0, changes_something, "{method} {path} says what it changed: {entry}");
        assert!(!entry["description"].as_str().unwrap().is_empty());
        self.tried.insert((method.to_string(), route));
        body
    }

    /// Writes a setting back as it is read.
    async fn write_back(&mut self, method: Method, route: &'static str, path: &str) {
        let body = self.t.admin.get(path).await.expect(200);
        let _ = self.write(method, route, path, body).await;
    }
}

const ORGANIZATION: &str = "/api/v2/organizations/{id}";

#[tokio::test]
async fn every_write_that_is_served_leaves_one_entry_that_says_what_it_changed() {
    let web = crate::web::Web::start().await;
    let t = Testkit::within(tenantry_server::Config::default(), web.network.clone()).await;
    let routes = t.running().routes();
    let mut w = Writer { t, tried: BTreeSet::new() };
    let id = |answer: &Value, name: &str| answer[name].as_str().unwrap_or_default().to_owned();

    // Applications.
    let client = w.write(Method::POST, "/api/v2/clients", "/api/v2/clients", json!({"name": "c"})).await;
    let client_id = id(&client, "client_id");
    let path = format!("/api/v2/clients/{client_id}");
    let _ = w.write(Method::PATCH, "/api/v2/clients/{id}", &path, json!({"name": "d"})).await;
    let rotate = "/api/v2/clients/{id}/rotate-secret";
    let grace = json!({"grace_period_seconds": 60});
    let _ = w.write(Method::POST, rotate, &format!("{path}/rotate-secret"), grace).await;
    let secrets = w.t.admin.get(&format!("{path}/secrets")).await.expect(200);
    let old = secrets.as_array().unwrap().iter().find(|secret| secret["is_current"] == false).unwrap();
    let old = format!("{path}/secrets/{}", id(old, "id"));
    let _ = w.write(Method::DELETE, "/api/v2/clients/{id}/secrets/{secret_id}", &old, Value::Null).await;
    let key =
        json!({"credential_type": "public_key", "name": "k", "pem": tenantry_testkit::public_key_pem()});
    let credentials = "/api/v2/clients/{client_id}/credentials";
    let credential = w.write(Method::POST, credentials, &format!("{path}/credentials"), key).await;
    let credential = format!("{path}/credentials/{}", id(&credential, "id"));
    let one = "/api/v2/clients/{client_id}/credentials/{credential_id}";
    let expiry = json!({"expires_at": "2099-01-01T00:00:00.000Z"});
    let _ = w.write(Method::PATCH, one, &credential, expiry).await;
    let _ = w.write(Method::DELETE, one, &credential, Value::Null).await;
    let enable = json!({"client_id_metadata_document_supported": true});
    let settings = "/api/v2/tenants/settings";
    let _ = w.write(Method::PATCH, settings, settings, enable).await;
    let url = "https://client.example/metadata.json";
    let document = json!({"client_id": url, "client_name": "W", "redirect_uris": ["https://client.example/"],
        "grant_types": ["authorization_code"], "token_endpoint_auth_method": "none"});
    web.put("client.example/metadata.json", crate::web::Page::json(&document));
    for path in ["/api/v2/clients/cimd/preview", "/api/v2/clients/cimd/register"] {
        let _ = w.write(Method::POST, path, path, json!({"external_client_id": url})).await;
    }

    // APIs and grants.
    let api = json!({"identifier": "https://a.example/", "name": "a", "scopes": [{"value": "read"}]});
    let api = w.write(Method::POST, "/api/v2/resource-servers", "/api/v2/resource-servers", api).await;
    let api_path = format!("/api/v2/resource-servers/{}", id(&api, "id"));
    let _ = w.write(Method::PATCH, "/api/v2/resource-servers/{id}", &api_path, json!({"name": "b"})).await;
    let grant = json!({"client_id": client_id, "audience": "https://a.example/", "scope": ["read"],
        "organization_usage": "allow"});
    let grant = w.write(Method::POST, "/api/v2/client-grants", "/api/v2/client-grants", grant).await;
    let grant_id = id(&grant, "id");
    let grant_path = format!("/api/v2/client-grants/{grant_id}");
    let _ = w.write(Method::PATCH, "/api/v2/client-grants/{id}", &grant_path, json!({"scope": []})).await;

    // Connections.
    let body = json!({"name": "con", "strategy": "auth0"});
    let connection = w.write(Method::POST, "/api/v2/connections", "/api/v2/connections", body).await;
    let connection_id = id(&connection, "id");
    let path_of_connection = format!("/api/v2/connections/{connection_id}");
    let body = json!({"display_name": "Con"});
    let _ = w.write(Method::PATCH, "/api/v2/connections/{id}", &path_of_connection, body).await;
    let body = json!([{"client_id": client_id, "status": true}]);
    let path_of_clients = format!("{path_of_connection}/clients");
    let _ = w.write(Method::PATCH, "/api/v2/connections/{id}/clients", &path_of_clients, body).await;

    // Profiles.
    for (collection, body) in [
        ("/api/v2/connection-profiles", json!({"name": "p"})),
        ("/api/v2/user-attribute-profiles", profile()),
    ] {
        let made = w.write(Method::POST, collection, collection, body).await;
        let path = format!("{collection}/{}", id(&made, "id"));
        let route = routes.iter().find(|route| filled(route.path) == format!("{collection}/x")).unwrap().path;
        let _ = w.write(Method::PATCH, route, &path, json!({"name": "q"})).await;
        let _ = w.write(Method::DELETE, route, &path, Value::Null).await;
    }

    // Signing keys.
    let keys = w.t.admin.get("/api/v2/keys/signing").await.expect(200);
    let current = keys.as_array().unwrap().iter().find(|key| key["current"] == true).unwrap();
    let revoke = format!("/api/v2/keys/signing/{}/revoke", id(current, "kid"));
    let rotate = "/api/v2/keys/signing/rotate";
    let _ = w.write(Method::POST, rotate, rotate, Value::Null).await;
    w.t.renew_admin().await;
    let _ = w.write(Method::PUT, "/api/v2/keys/signing/{kid}/revoke", &revoke, Value::Null).await;

    organizations(&mut w, &client_id, &grant_id, &connection_id).await;
    kept_settings(&mut w).await;
    kept_objects(&mut w).await;

    // What was made goes again.
    let _ = w.write(Method::DELETE, "/api/v2/connections/{id}", &path_of_connection, Value::Null).await;
    let _ = w.write(Method::DELETE, "/api/v2/client-grants/{id}", &grant_path, Value::Null).await;
    let _ = w.write(Method::DELETE, "/api/v2/resource-servers/{id}", &api_path, Value::Null).await;
    let _ = w.write(Method::DELETE, "/api/v2/clients/{id}", &path, Value::Null).await;

    let rest: Vec<_> = routes
        .iter()
        .filter(|route| route.method != "GET" && matches!(route.state, "served" | "echo"))
        .filter(|route| !w.tried.contains(&(route.method.clone(), route.path)))
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert!(rest.is_empty(), "not tried: {rest:#?}");
}

fn profile() -> Value {
    json!({"name": "p", "user_attributes": {"email": {"description": "d", "label": "l", "profile_required": true,
        "auth0_mapping": "email"}}})
}

async fn organizations(w: &mut Writer, client_id: &str, grant_id: &str, connection_id: &str) {
    let made =
        w.write(Method::POST, "/api/v2/organizations", "/api/v2/organizations", json!({"name": "o"})).await;
    let path = format!("/api/v2/organizations/{}", made["id"].as_str().unwrap());
    let _ = w.write(Method::PATCH, ORGANIZATION, &path, json!({"display_name": "O"})).await;
    let grants = "/api/v2/organizations/{id}/client-grants";
    let _ =
        w.write(Method::POST, grants, &format!("{path}/client-grants"), json!({"grant_id": grant_id})).await;
    let grant = format!("{path}/client-grants/{grant_id}");
    let _ = w
        .write(Method::DELETE, "/api/v2/organizations/{id}/client-grants/{grant_id}", &grant, Value::Null)
        .await;
    let clients = "/api/v2/organizations/{id}/clients";
    let body = json!({"clients": [{"client_id": client_id}]});
    let _ = w.write(Method::POST, clients, &format!("{path}/clients"), body).await;
    let one = format!("{path}/clients/{client_id}");
    let body = json!({"use_for_member_access": true});
    let _ = w.write(Method::PATCH, "/api/v2/organizations/{id}/clients/{client_id}", &one, body).await;
    let body = json!({"clients": [client_id]});
    let _ = w.write(Method::DELETE, clients, &format!("{path}/clients"), body).await;
    for (all, one, member) in [
        (
            "/api/v2/organizations/{id}/connections",
            "/api/v2/organizations/{id}/connections/{connection_id}",
            "connections",
        ),
        (
            "/api/v2/organizations/{id}/enabled_connections",
            "/api/v2/organizations/{id}/enabled_connections/{connection_id}",
            "enabled_connections",
        ),
    ] {
        let body = json!({"connection_id": connection_id});
        let _ = w.write(Method::POST, all, &format!("{path}/{member}"), body).await;
        let path = format!("{path}/{member}/{connection_id}");
        let body = json!({"assign_membership_on_login": true});
        let _ = w.write(Method::PATCH, one, &path, body).await;
        let _ = w.write(Method::DELETE, one, &path, Value::Null).await;
    }
    let domains = "/api/v2/organizations/{id}/discovery-domains";
    let body = json!({"domain": "a.example", "status": "pending"});
    let domain = w.write(Method::POST, domains, &format!("{path}/discovery-domains"), body).await;
    let domain = format!("{path}/discovery-domains/{}", domain["id"].as_str().unwrap());
    let one = "/api/v2/organizations/{id}/discovery-domains/{discovery_domain_id}";
    let _ = w.write(Method::PATCH, one, &domain, json!({"status": "verified"})).await;
    let _ = w.write(Method::DELETE, one, &domain, Value::Null).await;
    let _ = w.write(Method::DELETE, ORGANIZATION, &path, Value::Null).await;
}

/// Settings that are read can be written back; of the others something that they take.
async fn kept_settings(w: &mut Writer) {
    for (method, path) in [
        (Method::PATCH, "/api/v2/attack-protection/bot-detection"),
        (Method::PATCH, "/api/v2/attack-protection/breached-password-detection"),
        (Method::PATCH, "/api/v2/attack-protection/brute-force-protection"),
        (Method::PATCH, "/api/v2/attack-protection/phone-provider-protection"),
        (Method::PATCH, "/api/v2/attack-protection/suspicious-ip-throttling"),
        (Method::PUT, "/api/v2/guardian/factors/phone/message-types"),
        (Method::PUT, "/api/v2/guardian/policies"),
        (Method::PATCH, "/api/v2/prompts"),
        (Method::PATCH, "/api/v2/risk-assessments/settings"),
        (Method::PATCH, "/api/v2/risk-assessments/settings/new-device"),
        (Method::PATCH, "/api/v2/supplemental-signals"),
    ] {
        w.write_back(method, path, path).await;
    }
    let message = json!({"enrollment_message": "e", "verification_message": "v"});
    let twilio = json!({"from": "+1", "sid": "S", "auth_token": "t"});
    for (method, path, body) in [
        (Method::PATCH, "/api/v2/attack-protection/captcha", json!({"active_provider_id": "auth_challenge"})),
        (Method::PATCH, "/api/v2/branding", json!({"logo_url": "https://a.b/l.png"})),
        (
            Method::PUT,
            "/api/v2/guardian/factors/duo/settings",
            json!({"ikey": "i", "skey": "s", "host": "h"}),
        ),
        (Method::PATCH, "/api/v2/guardian/factors/duo/settings", json!({"ikey": "j"})),
        (Method::PUT, "/api/v2/guardian/factors/phone/providers/twilio", twilio.clone()),
        (Method::PUT, "/api/v2/guardian/factors/sms/providers/twilio", twilio),
        (Method::PUT, "/api/v2/guardian/factors/phone/selected-provider", json!({"provider": "auth0"})),
        (Method::PUT, "/api/v2/guardian/factors/sms/selected-provider", json!({"provider": "auth0"})),
        (
            Method::PUT,
            "/api/v2/guardian/factors/push-notification/selected-provider",
            json!({"provider": "guardian"}),
        ),
        (Method::PUT, "/api/v2/guardian/factors/phone/templates", message.clone()),
        (Method::PUT, "/api/v2/guardian/factors/sms/templates", message),
        (
            Method::PATCH,
            "/api/v2/guardian/factors/push-notification/providers/apns",
            json!({"sandbox": true}),
        ),
        (Method::PUT, "/api/v2/guardian/factors/push-notification/providers/apns", json!({"sandbox": false})),
        (
            Method::PATCH,
            "/api/v2/guardian/factors/push-notification/providers/fcm",
            json!({"server_key": "k"}),
        ),
        (Method::PUT, "/api/v2/guardian/factors/push-notification/providers/fcm", json!({"server_key": "k"})),
        (
            Method::PATCH,
            "/api/v2/guardian/factors/push-notification/providers/fcmv1",
            json!({"server_credentials": "k"}),
        ),
        (
            Method::PUT,
            "/api/v2/guardian/factors/push-notification/providers/fcmv1",
            json!({"server_credentials": "k"}),
        ),
        (
            Method::PATCH,
            "/api/v2/guardian/factors/push-notification/providers/sns",
            json!({"aws_region": "r"}),
        ),
        (Method::PUT, "/api/v2/guardian/factors/push-notification/providers/sns", json!({"aws_region": "r"})),
        (
            Method::PATCH,
            "/api/v2/prompts/rendering",
            json!({"configs": [{"prompt": "signup", "screen": "signup", "rendering_mode": "standard"}]}),
        ),
        (
            Method::POST,
            "/api/v2/emails/provider",
            json!({"name": "mandrill", "credentials": {"api_key": "k"}}),
        ),
        (Method::PATCH, "/api/v2/emails/provider", json!({"enabled": false})),
    ] {
        let _ = w.write(method, path, path, body).await;
    }
    let _ = w.write(Method::DELETE, "/api/v2/emails/provider", "/api/v2/emails/provider", Value::Null).await;
}

/// Settings of which there are several.
async fn kept_objects(w: &mut Writer) {
    let factor = "/api/v2/guardian/factors/{name}";
    let _ = w.write(Method::PUT, factor, "/api/v2/guardian/factors/otp", json!({"enabled": true})).await;
    let text = "/api/v2/prompts/{prompt}/custom-text/{language}";
    let body = json!({"login": {"title": "W"}});
    let _ = w.write(Method::PUT, text, "/api/v2/prompts/login/custom-text/en", body).await;
    let partials = "/api/v2/prompts/{prompt}/partials";
    let body = json!({"login": {"form-content-start": "<p>x</p>"}});
    let _ = w.write(Method::PUT, partials, "/api/v2/prompts/login/partials", body).await;
    let screen = "/api/v2/prompts/{prompt}/screen/{screen}/rendering";
    let body = json!({"rendering_mode": "advanced"});
    let _ = w.write(Method::PATCH, screen, "/api/v2/prompts/login/screen/login/rendering", body).await;
    let template = json!({"template": "welcome_email", "body": "b", "from": "", "resultUrl": "https://a.b",
        "subject": "s", "syntax": "liquid", "urlLifetimeInSeconds": 3600, "enabled": false});
    let templates = "/api/v2/email-templates";
    let _ = w.write(Method::POST, templates, templates, template.clone()).await;
    let (route, path) = ("/api/v2/email-templates/{templateName}", "/api/v2/email-templates/welcome_email");
    let _ = w.write(Method::PATCH, route, path, json!({"subject": "t"})).await;
    let _ = w.write(Method::PUT, route, path, template).await;
    let provider = json!({"name": "twilio", "configuration": {"sid": "S", "delivery_methods": ["text"]},
        "credentials": {"auth_token": "t"}});
    let content = json!({"type": "otp_verify", "disabled": false, "content": {"syntax": "liquid", "body": {"text": "t"}}});
    for (collection, route, member, body, change) in [
        (
            "/api/v2/branding/phone/providers",
            "/api/v2/branding/phone/providers/{id}",
            "id",
            provider,
            json!({"disabled": true}),
        ),
        (
            "/api/v2/branding/phone/templates",
            "/api/v2/branding/phone/templates/{id}",
            "id",
            content,
            json!({"disabled": true}),
        ),
        (
            "/api/v2/branding/themes",
            "/api/v2/branding/themes/{themeId}",
            "themeId",
            crate::settings::theme(),
            crate::settings::theme(),
        ),
    ] {
        let made = w.write(Method::POST, collection, collection, body).await;
        let path = format!("{collection}/{}", made[member].as_str().unwrap());
        let _ = w.write(Method::PATCH, route, &path, change).await;
        let _ = w.write(Method::DELETE, route, &path, Value::Null).await;
    }
}
