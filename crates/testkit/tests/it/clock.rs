//! A clock that is set back while the server runs, or while it does not.

use serde_json::{Value, json};
use std::time::Duration;
use tenantry_testkit::Testkit;

const DAY: Duration = Duration::from_secs(86_400);

async fn names(t: &Testkit) -> Vec<String> {
    let clients = t.admin.get("/api/v2/clients?is_global=false").await.expect(200);
    clients.as_array().unwrap().iter().map(|client| client["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn after_the_clock_was_set_back_tokens_are_good_and_lists_keep_their_order() {
    let mut t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let caller = t.caller(&t.token(&machine, &t.audience()).await);
    let mut expected = names(&t).await;
    let make = async |t: &Testkit, expected: &mut Vec<String>, name: &str| {
        let _ = t.create_client(json!({"name": name})).await;
        expected.push(name.to_owned());
        assert_eq!(names(t).await, *expected);
    };
    make(&t, &mut expected, "first").await;
    t.clock.go_back(DAY);
    // Whoever has a token goes on with it; one that is made now is good too.
    assert_eq!(caller.get("/api/v2/clients").await.status, 200);
    assert_eq!(t.caller(&t.token(&machine, &t.audience()).await).get("/api/v2/clients").await.status, 200);
    make(&t, &mut expected, "second").await;
    let page = |page: u64| format!("/api/v2/clients?is_global=false&per_page=1&page={page}");
    assert_eq!(t.admin.get(&page(3)).await.expect(200)[0]["name"], "second");
    let checkpoint = t.admin.get("/api/v2/clients?take=50&is_global=false").await.expect(200);
    let last = checkpoint["clients"].as_array().unwrap().last().unwrap()["name"].clone();
    assert_eq!(last, "second");

    // Rotation in the past is rotation after what was before.
    let path = format!("/api/v2/clients/{}/rotate-secret", machine.client_id);
    let rotated = t.admin.post(&path, &json!({"grace_period_seconds": 60})).await.expect(200);
    assert_eq!(t.ask(&machine, &t.audience(), &[]).await.status, 200, "the old secret in its grace period");
    t.clock.advance(Duration::from_secs(61));
    assert_eq!(t.ask(&machine, &t.audience(), &[]).await.status, 401);
    assert!(rotated["client_secret"].is_string());
    let _ = t.admin.post("/api/v2/keys/signing/rotate", &Value::Null).await.expect(201);
    let keys = t.admin.get("/api/v2/keys/signing").await.expect(200);
    let previous = keys.as_array().unwrap().iter().find(|key| key["previous"] == true).unwrap();
    assert!(previous["current_since"].as_str() <= previous["current_until"].as_str());
    assert_eq!(caller.get("/api/v2/clients").await.status, 200);

    // The same when the clock was set back while nothing ran.
    t.clock.go_back(DAY);
    t = t.restart(|_| ()).await;
    make(&t, &mut expected, "third").await;
    t.clock.advance(3 * DAY);
    t.renew_admin().await;
    make(&t, &mut expected, "fourth").await;
    assert_eq!(t.site().check().await.unwrap().problems, []);
}
