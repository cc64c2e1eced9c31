//! The log: what is written, what is not, and how it is read.

use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tenantry_testkit::{Caller, Credentials, Testkit, client_path};

/// The newest entries that a search finds, the newest first.
pub(crate) async fn logs(caller: &Caller, q: &str) -> Vec<Value> {
    page(caller, q, 0).await
}

async fn page(caller: &Caller, q: &str, page: usize) -> Vec<Value> {
    let page = page.to_string();
    let request =
        caller.request(Method::GET, "/api/v2/logs").query(&[("q", q), ("per_page", "100"), ("page", &page)]);
    caller.send(request).await.expect(200).as_array().unwrap().clone()
}

#[tokio::test]
async fn a_change_is_logged_with_who_what_before_and_after() {
    let t = Testkit::start().await;
    let client = t.create_client(json!({"name": "first"})).await;
    let id = client["client_id"].as_str().unwrap();
    let request = t.admin.request(Method::PATCH, &client_path(&client)).json(&json!({"name": "second"}));
    let request = request.header("user-agent", "tests/1.0");
    let _ = t.admin.send(request).await.expect(200);
    let found = logs(&t.admin, "type:sapi").await;
    assert_eq!(found.len(), 2, "{found:?}");
    let admin = t.admin_credentials().await.client_id;
    let update = &found[0];
    assert_eq!(update["type"], "sapi");
    assert_eq!(update["description"], "Update a client");
    assert_eq!(update["client_id"], admin.as_str());
    assert_eq!(update["client_name"], "Tenantry Admin");
    assert_eq!(update["ip"], "127.0.0.1");
    assert_eq!(update["user_agent"], "tests/1.0");
    let request = &update["details"]["request"];
    assert_eq!((&request["method"], &request["path"]), (&json!("patch"), &json!(client_path(&client))));
    assert_eq!(request["body"], json!({"name": "second"}));
    assert_eq!(update["details"]["response"]["statusCode"], 200);
    let change = &update["details"]["changes"][0];
    assert_eq!((&change["resource"], &change["id"]), (&json!("client"), &json!(id)));
    assert_eq!(
        (&change["before"], &change["after"]),
        (&json!({"name": "first"}), &json!({"name": "second"}))
    );
    assert_eq!(found[1]["details"]["changes"][0]["before"], Value::Null);
    assert_eq!(found[1]["details"]["changes"][0]["after"]["name"], "first");
    // The token that was used is the one whose issue is logged.
    let issued = logs(&t.admin, "type:seccft").await;
    assert_eq!(issued[0]["details"]["token_id"], request["auth"]["credentials"]["jti"]);
    assert_eq!(issued[0]["audience"], t.audience());
}

#[tokio::test]
async fn what_is_refused_is_logged_and_a_change_that_failed_is_not() {
    let t = Testkit::start().await;
    let grant = json!({"client_id": "nobody", "audience": t.audience(), "scope": []});
    assert_eq!(t.admin.post("/api/v2/client-grants", &grant).await.status, 404);
    let api = json!({"identifier": "https://a.example/", "name": "a"});
    let _ = t.admin.post("/api/v2/resource-servers", &api).await.expect(201);
    assert_eq!(t.admin.post("/api/v2/resource-servers", &api).await.status, 409);
    assert_eq!(t.admin.post("/api/v2/clients", &json!({"nmae": "x"})).await.status, 400);
    assert_eq!(t.nobody().post("/api/v2/clients", &json!({})).await.status, 401);
    assert_eq!(t.nobody().get("/api/v2/clients").await.status, 401, "a refused read is an attempt too");
    assert_eq!(logs(&t.admin, "type:sapi").await.len(), 1);
    let refused = logs(&t.admin, "type:fapi").await;
    let seen: Vec<_> = refused
        .iter()
        .rev()
        .map(|entry| {
            let details = &entry["details"];
            let request = &details["request"];
            (request["method"].as_str().unwrap(), details["response"]["statusCode"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(seen, [("post", 404), ("post", 409), ("post", 400), ("post", 401), ("get", 401)]);
    let unknown = &refused[2];
    assert_eq!(
        unknown["description"],
        "Payload validation error: 'Additional properties not allowed: nmae'."
    );
    assert_eq!(unknown["details"]["response"]["body"]["errorCode"], "invalid_body");
    assert!(refused[0].get("client_id").is_none(), "nobody knows who it was");
}

#[tokio::test]
async fn tokens_are_logged_and_why_others_were_refused() {
    let t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let _ = t.token(&machine, &t.audience()).await;
    let q = format!("type:seccft AND client_id:\"{}\"", machine.client_id);
    let issued = logs(&t.admin, &q).await;
    assert_eq!(issued.len(), 1);
    assert_eq!(
        (&issued[0]["scope"], &issued[0]["client_name"]),
        (&json!("read:clients"), &json!("a client"))
    );
    assert_eq!(issued[0]["hostname"], t.running().domain);
    let wrong = Credentials { client_secret: "wrong".into(), ..machine.clone() };
    assert_eq!(t.ask(&wrong, &t.audience(), &[]).await.status, 401);
    let unknown = Credentials { client_id: "no\u{7}body\n".into(), client_secret: "x".into() };
    assert_eq!(t.ask(&unknown, &t.audience(), &[]).await.status, 401);
    assert_eq!(t.ask(&machine, "https://nowhere.example/", &[]).await.status, 403);
    assert_eq!(t.ask_token(&[("grant_type", "password"), ("client_id", "x")]).await.status, 400);
    let basic = t.http.post(format!("{}/oauth/token", t.base)).basic_auth("by-header", Some("x"));
    let basic = basic.form(&[("grant_type", "client_credentials")]).send().await.unwrap();
    assert_eq!(basic.status().as_u16(), 401);
    let refused = logs(&t.admin, "type:feccft").await;
    let seen: Vec<_> = refused
        .iter()
        .rev()
        .map(|entry| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&entry["client_id"]), text(&entry["details"]["reason"]))
        })
        .collect();
    let expected = [
        (machine.client_id.clone(), format!("wrong secret for client {}", machine.client_id)),
        ("no\u{fffd}body\u{fffd}".to_owned(), "unknown client".to_owned()),
        (machine.client_id.clone(), String::new()),
        ("by-header".to_owned(), "unknown client".to_owned()),
    ];
    assert_eq!(seen, expected);
    assert_eq!(logs(&t.admin, "type:fepft").await.len(), 1);
    // A body that cannot be read is an attempt too.
    let bad = t.http.post(format!("{}/oauth/token", t.base)).header("content-type", "text/plain").body("x");
    assert_eq!(bad.send().await.unwrap().status().as_u16(), 415);
    assert_eq!(logs(&t.admin, "type:feccft").await.len(), 5);
}

#[tokio::test]
async fn a_flood_is_counted_rather_than_kept() {
    let t = Testkit::start().await;
    let before = logs(&t.admin, "type:feccft OR type:fapi").await.len();
    let floods = (0..20).map(|_| async {
        for _ in 0..20 {
            let nobody = Credentials { client_id: "nobody".into(), client_secret: "x".into() };
            assert_eq!(t.ask(&nobody, &t.audience(), &[]).await.status, 401);
        }
    });
    futures_util::future::join_all(floods).await;
    // The slower the machine, the more entries it is spread over; they may be more than one page has.
    let mut found = Vec::new();
    for number in 0..5 {
        found.extend(page(&t.admin, "type:feccft AND client_id:nobody", number).await);
    }
    let counted: u64 = found.iter().map(|entry| entry["details"]["count"].as_u64().unwrap_or(1)).sum();
    assert_eq!(counted, 400, "none is lost");
    assert!(before == 0 && found.len() < 400, "{} entries", found.len());
}

#[tokio::test]
async fn the_log_is_read_page_by_page_and_from_an_entry_on() {
    let t = Testkit::start().await;
    for i in 0..12 {
        let _ = t.create_client(json!({"name": format!("client {i}")})).await;
        t.clock.advance(Duration::from_secs(1));
    }
    let get = async |query: &str| t.admin.get(&format!("/api/v2/logs?{query}")).await.expect(200);
    let name = |entry: &Value| entry["details"]["changes"][0]["after"]["name"].as_str().map(str::to_owned);
    let page = get("q=type:sapi&per_page=5&page=1&include_totals=true").await;
    assert_eq!(
        (&page["start"], &page["limit"], &page["length"], &page["total"]),
        (&json!(5), &json!(5), &json!(5), &json!(12))
    );
    assert_eq!(name(&page["logs"][0]).as_deref(), Some("client 6"));
    let oldest = get("q=type:sapi&sort=date:1&per_page=1").await;
    assert_eq!(name(&oldest[0]).as_deref(), Some("client 0"));
    assert_eq!(get("include_totals=true").await["total"], 13, "and the token of the administrator");
    // From an entry on, in the order in which they were written.
    let first = oldest[0]["log_id"].as_str().unwrap();
    let mut from = first.to_owned();
    let mut names = Vec::new();
    loop {
        let entries = get(&format!("from={from}&take=4")).await;
        let Some(last) = entries.as_array().unwrap().last() else { break };
        from = last["log_id"].as_str().unwrap().to_owned();
        names.extend(entries.as_array().unwrap().iter().filter_map(name));
    }
    assert_eq!(names, (1..12).map(|i| format!("client {i}")).collect::<Vec<_>>());
    assert_eq!(get("take=1").await.as_array().unwrap().len(), 1);
    assert_eq!(
        get(&format!("from={}&take=100", &first[..11])).await.as_array().unwrap().len(),
        13,
        "of today"
    );
    assert_eq!(get("from=90020990101").await, json!([]));
    // One entry, all or some of it.
    let one = t.admin.get(&format!("/api/v2/logs/{first}")).await.expect(200);
    assert_eq!((&one["log_id"], &one["_id"], &one["type"]), (&json!(first), &json!(first), &json!("sapi")));
    assert_eq!(one, oldest[0]);
    let some = get("fields=type,log_id&per_page=1").await;
    assert_eq!(some[0].as_object().unwrap().len(), 2);
    let others = get("fields=details&include_fields=false&per_page=1").await;
    assert!(others[0].get("details").is_none() && others[0].get("date").is_some());
    let missing = t.admin.get(&format!("/api/v2/logs/{}9", &first[..55])).await;
    assert_eq!((missing.status, missing.text("message")), (404, "Log not found."));
    for (query, message) in [
        ("q=details.x:1", "q: `details.x` cannot be searched"),
        ("q=type:(sapi", "q: a parenthesis is not closed"),
        ("sort=ip:1", "sort takes date:1 and date:-1"),
        ("page=10&per_page=100", "Requesting page exceeds the allowed maximum of 1000 records."),
        (
            "per_page=101",
            "Query validation error: 'Value 101 is greater than maximum 100' on property per_page.",
        ),
        ("from=nothing", "from is not the id of a log entry"),
    ] {
        let reply = t.admin.get(&format!("/api/v2/logs?{query}")).await;
        assert_eq!((reply.status, reply.text("message")), (400, message), "{query}");
    }
}

#[tokio::test]
async fn the_log_is_searched_by_the_fields_that_programs_need() {
    let t = Testkit::start().await;
    let client = t.create_client(json!({"name": "a"})).await;
    t.clock.advance(Duration::from_secs(3600));
    let since = jiff::Timestamp::from_millisecond(t.clock.now_ms()).unwrap().to_string();
    let _ = t.admin.patch(&client_path(&client), &json!({"name": "b"})).await.expect(200);
    assert_eq!(t.admin.delete(&client_path(&client)).await.status, 204);
    let admin = t.admin_credentials().await.client_id;
    let id =
        logs(&t.admin, "description:\"Delete a client\"").await[0]["log_id"].as_str().unwrap().to_owned();
    for (q, expected) in [
        ("type:sapi".to_owned(), 3),
        (format!("type:sapi AND client_id:\"{admin}\""), 3),
        ("type:sapi AND client_id:nobody".to_owned(), 0),
        ("type:(sapi OR fapi)".to_owned(), 3),
        ("type:sapi OR type:seccft".to_owned(), 4),
        (format!("type:sapi AND date:[{since} TO *]"), 2),
        (format!("date:[* TO {since}}}"), 2),
        (format!("date:[2000-01-01 TO {since}}}"), 2),
        (format!("date:[{since} TO {since}}}"), 0),
        ("date:[2000-01-01 TO 2000-01-02]".to_owned(), 0),
        ("description:\"Create a client\"".to_owned(), 1),
        ("description:Delete*".to_owned(), 1),
        ("type:sapi AND NOT description:\"Create a client\"".to_owned(), 2),
        ("ip:127.0.0.1 AND type:sapi".to_owned(), 3),
        ("client_name:\"Tenantry Admin\"".to_owned(), 4),
        (format!("log_id:{id}"), 1),
        (format!("user_id:\"{admin}@clients\""), 3),
    ] {
        let newest_first = logs(&t.admin, &q).await;
        assert_eq!(newest_first.len(), expected, "{q}");
        let query = [("q", q.as_str()), ("sort", "date:1")];
        let request = t.admin.request(Method::GET, "/api/v2/logs").query(&query);
        let mut oldest_first = t.admin.send(request).await.expect(200).as_array().unwrap().clone();
        oldest_first.reverse();
        assert_eq!(oldest_first, newest_first, "{q}");
    }
    let older = t.admin.get("/api/v2/logs?search=application:tenantry").await.expect(200);
    assert_eq!(older.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn only_those_who_may_read_the_log_do() {
    let t = Testkit::start().await;
    let reader = t.with_scopes(&["read:logs"]).await;
    assert!(!logs(&reader, "type:sapi").await.is_empty());
    let other = t.with_scopes(&["read:clients"]).await;
    assert_eq!(other.get("/api/v2/logs").await.status, 403);
    assert_eq!(t.nobody().get("/api/v2/logs/1").await.status, 401);
}

/// Requests with a secret in every place that takes one, and in some that do not.
fn planting(path: &str, secret: &str, pem: &str) -> Vec<(Method, String, Value)> {
    vec![
        (
            Method::POST,
            "/api/v2/clients".to_owned(),
            json!({"name": "c", "client_metadata": {"api_key": secret},
            "encryption_key": {"pub": secret, "cert": "c"}, "addons": {"azure_sb": {"sasKey": secret}}}),
        ),
        (Method::PATCH, path.to_owned(), json!({"client_secret": secret})),
        (Method::PATCH, path.to_owned(), json!({"client_secret": [secret]})),
        (Method::PATCH, path.to_owned(), json!({"client_secret": secret, "nothing": secret})),
        (
            Method::POST,
            format!("{path}/rotate-secret"),
            json!({"grace_period_seconds": 60, "secret": secret}),
        ),
        (Method::POST, format!("{path}/rotate-secret"), json!({"grace_period_seconds": 60})),
        (
            Method::POST,
            format!("{path}/credentials"),
            json!({"credential_type": "public_key", "name": "k", "pem": pem}),
        ),
        (
            Method::POST,
            format!("{path}/credentials"),
            json!({"credential_type": "public_key", "name": "k",
            "pem": format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----")}),
        ),
        (
            Method::POST,
            "/api/v2/connections".to_owned(),
            json!({"name": "con", "strategy": "oidc", "options": {
            "client_id": "c", "client_secret": secret, "issuer": "https://a.b", "authorization_endpoint": "https://a.b/a",
            "jwks_uri": "https://a.b/j", "token_endpoint": "https://a.b/t", "type": "back_channel"}}),
        ),
        (
            Method::POST,
            "/api/v2/connections".to_owned(),
            json!({"name": "db", "strategy": "auth0",
            "options": {"configuration": {"url": secret}, "enabledDatabaseCustomization": true}}),
        ),
        (
            Method::POST,
            "/api/v2/resource-servers".to_owned(),
            json!({"identifier": "https://hs.example/",
            "signing_alg": "HS256", "signing_secret": format!("{secret}-{secret}")}),
        ),
        (
            Method::PATCH,
            "/api/v2/attack-protection/captcha".to_owned(),
            json!({"active_provider_id": "recaptcha_v2",
            "recaptcha_v2": {"site_key": "site", "secret": secret}}),
        ),
        (
            Method::PUT,
            "/api/v2/guardian/factors/sms/providers/twilio".to_owned(),
            json!({"from": "+1", "sid": "S", "auth_token": secret}),
        ),
        (
            Method::PUT,
            "/api/v2/guardian/factors/push-notification/providers/fcm".to_owned(),
            json!({"server_key": secret}),
        ),
        (
            Method::PUT,
            "/api/v2/guardian/factors/push-notification/providers/fcmv1".to_owned(),
            json!({"server_credentials": secret}),
        ),
        (
            Method::POST,
            "/api/v2/emails/provider".to_owned(),
            json!({"name": "smtp", "default_from_address": "a@b.c",
            "credentials": {"smtp_host": "h", "smtp_port": 25, "smtp_user": "u", "smtp_pass": secret}}),
        ),
        (
            Method::POST,
            "/api/v2/branding/phone/providers".to_owned(),
            json!({"name": "twilio",
            "configuration": {"sid": "S", "delivery_methods": ["text"]}, "credentials": {"auth_token": secret}}),
        ),
        (Method::PATCH, "/api/v2/tenants/settings".to_owned(), json!({"client_secret": secret})),
    ]
}

#[tokio::test]
async fn no_secret_is_in_the_log() {
    let t = Testkit::start().await;
    let secret = "planted-5ecre7";
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let path = format!("/api/v2/clients/{}", machine.client_id);
    let pem = tenantry_testkit::public_key_pem();
    let requests = planting(&path, secret, &pem);
    let (mut done, mut refused) = (0, 0);
    for (method, path, body) in requests {
        let reply = t.admin.send(t.admin.request(method, &path).json(&body)).await;
        if reply.status < 300 { done += 1 } else { refused += 1 }
    }
    assert!(done >= 9 && refused >= 5, "{done} done, {refused} refused");
    let wrong = Credentials { client_secret: secret.into(), ..machine.clone() };
    assert_eq!(t.ask(&wrong, &t.audience(), &[("client_assertion", secret)]).await.status, 400);
    assert_eq!(t.ask(&wrong, &t.audience(), &[]).await.status, 200, "it is the client's since it was set");
    let query = t.nobody().delete(&format!("{path}?client_secret={secret}")).await;
    assert_eq!(query.status, 401);
    let entries = t.admin.get("/api/v2/logs?per_page=100").await.expect(200);
    assert!(entries.as_array().unwrap().len() > 20);
    let text = entries.to_string();
    assert!(text.contains("[REDACTED]") && text.contains("recaptcha_v2"), "looking in the wrong place");
    for needle in [secret, machine.client_secret.as_str(), pem.lines().nth(2).unwrap()] {
        let holding = entries.as_array().unwrap().iter().find(|entry| entry.to_string().contains(needle));
        assert!(holding.is_none(), "{needle} is in the log: {holding:?}");
    }
}

#[tokio::test]
async fn what_registers_itself_is_logged() {
    let t = Testkit::start().await;
    let body = json!({"client_name": "Agent", "redirect_uris": ["https://a.example/cb"]});
    assert_eq!(t.nobody().post("/oidc/register", &body).await.status, 404);
    let enable = json!({"flags": {"enable_dynamic_client_registration": true}});
    let _ = t.admin.patch("/api/v2/tenants/settings", &enable).await.expect(200);
    let made = t.nobody().post("/oidc/register", &body).await.expect(201);
    let entry = &logs(&t.admin, "description:\"Dynamic client registration\"").await[0];
    assert_eq!((&entry["type"], &entry["details"]["response"]["statusCode"]), (&json!("sapi"), &json!(201)));
    assert_eq!(entry["details"]["changes"][0]["id"], made["client_id"]);
    let refused = &logs(&t.admin, "type:fapi").await[0];
    assert_eq!(refused["details"]["request"]["path"], "/oidc/register");
}

#[tokio::test]
async fn a_log_that_is_followed_from_a_date_on_has_what_was_written_out_of_order() {
    let t = Testkit::start().await;
    // An attempt is written a moment after it was made; what is changed meanwhile stands before it.
    assert_eq!(t.nobody().delete("/api/v2/clients/x").await.status, 401);
    t.clock.advance(Duration::from_millis(10));
    for i in 0..3 {
        let _ = t.create_client(json!({"name": format!("client {i}")})).await;
    }
    let all = t.admin.get("/api/v2/logs?sort=date:1&per_page=100").await.expect(200);
    let all = all.as_array().unwrap();
    let day = &all[0]["log_id"].as_str().unwrap()[..11];
    let followed = t.admin.get(&format!("/api/v2/logs?from={day}&take=100")).await.expect(200);
    assert_eq!(followed.as_array().unwrap().len(), all.len(), "{followed}");
}
