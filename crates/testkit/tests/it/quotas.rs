use serde_json::{Value, json};
use std::time::Duration;
use tenantry_testkit::{Credentials, Reply, Testkit};

const SETTINGS: &str = "/api/v2/tenants/settings";

fn quota(per_hour: u32) -> Value {
    json!({"client_credentials": {"per_hour": per_hour}})
}

fn path(client: &Credentials) -> String {
    format!("/api/v2/clients/{}", client.client_id)
}

/// How many tokens `client` gets before it is refused.
async fn tokens_until_refused(t: &Testkit, client: &Credentials) -> usize {
    for n in 0..50 {
        let reply = t.ask(client, &t.audience(), &[]).await;
        if reply.status == 429 {
            return n;
        }
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    panic!("nobody refuses");
}

#[tokio::test]
async fn a_quota_of_its_own_comes_before_the_default_of_the_tenant() {
    let t = Testkit::start().await;
    let default = json!({"default_token_quota": {"clients": quota(2)}});
    let _ = t.admin.patch(SETTINGS, &default).await.expect(200);
    let plain = t.create_machine(&t.audience(), &[]).await;
    assert_eq!(tokens_until_refused(&t, &plain).await, 2);

    let own = t.create_machine(&t.audience(), &[]).await;
    let _ = t.admin.patch(&path(&own), &json!({"token_quota": quota(3)})).await.expect(200);
    assert_eq!(tokens_until_refused(&t, &own).await, 3);

    let _ = t.admin.patch(SETTINGS, &json!({"default_token_quota": null})).await.expect(200);
    assert_eq!(t.ask(&plain, &t.audience(), &[]).await.status, 200);
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

async fn set_quota(t: &Testkit, client: &Credentials, quota: Value) {
    let body = json!({"token_quota": {"client_credentials": quota}});
    let _ = t.admin.patch(&path(client), &body).await.expect(200);
}

/// Moves the clock to so many seconds after the beginning of a day.
async fn move_into_day(t: &mut Testkit, seconds: i64) {
    let until = (seconds - t.clock.now_secs().rem_euclid(86_400)).rem_euclid(86_400);
    t.clock.advance(Duration::from_secs(until.unsigned_abs()));
    t.renew_admin().await;
}

/// The counts in the database, by period.
fn counts(t: &Testkit, client: &Credentials) -> Vec<(String, i64)> {
    let mut counts = Vec::new();
    for period in ["day", "hour"] {
        let sql = format!(
            "SELECT COALESCE(MAX(n), -1) FROM token_count WHERE owner_id = $1 AND period = '{period}'"
        );
        counts.push((period.to_owned(), t.database().number(&sql, &client.client_id)));
    }
    counts.retain(|(_, n)| *n >= 0);
    counts
}

#[tokio::test]
async fn headers_tell_what_is_left_and_when_to_come_back() {
    let mut t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &[]).await;
    let none = t.ask(&machine, &t.audience(), &[]).await;
    assert_eq!(header(&none, "auth0-client-quota-limit"), "", "there is no quota");

    move_into_day(&mut t, 43_200 + 60).await;
    set_quota(&t, &machine, json!({"per_hour": 2, "per_day": 50})).await;
    let first = t.ask(&machine, &t.audience(), &[]).await;
    assert_eq!(
        header(&first, "auth0-client-quota-limit"),
        "b=per_hour;q=2;r=1;t=3540,b=per_day;q=50;r=49;t=43140"
    );
    assert_eq!((header(&first, "retry-after"), header(&first, "auth0-organization-quota-limit")), ("", ""));
    let _ = t.ask(&machine, &t.audience(), &[]).await;
    t.clock.advance(Duration::from_secs(40));
    let refused = t.ask(&machine, &t.audience(), &[]).await;
    assert_eq!((refused.status, refused.text("error")), (429, "too_many_requests"));
    assert_eq!(header(&refused, "retry-after"), "3500");
    assert_eq!(
        header(&refused, "auth0-client-quota-limit"),
        "b=per_hour;q=2;r=0;t=3500,b=per_day;q=50;r=48;t=43100"
    );
    t.clock.advance(Duration::from_secs(3_500));
    let next = t.ask(&machine, &t.audience(), &[]).await;
    assert_eq!(
        header(&next, "auth0-client-quota-limit"),
        "b=per_hour;q=2;r=1;t=3600,b=per_day;q=50;r=47;t=39600"
    );

    set_quota(&t, &machine, json!({"per_day": 3})).await;
    let refused = t.ask(&machine, &t.audience(), &[]).await;
    assert_eq!((refused.status, header(&refused, "retry-after")), (429, "39600"), "until the day is over");
    assert_eq!(header(&refused, "auth0-client-quota-limit"), "b=per_day;q=3;r=0;t=39600");
}

#[tokio::test]
async fn a_quota_that_is_not_enforced_only_counts() {
    let mut t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &[]).await;
    move_into_day(&mut t, 0).await;
    set_quota(&t, &machine, json!({"enforce": false, "per_hour": 1})).await;
    for _ in 0..3 {
        let reply = t.ask(&machine, &t.audience(), &[]).await;
        assert_eq!(reply.status, 200);
        assert_eq!(header(&reply, "auth0-client-quota-limit"), "b=per_hour;q=1;r=0;t=3600");
    }
    assert_eq!(counts(&t, &machine), [("hour".to_owned(), 3)]);
    set_quota(&t, &machine, json!({"enforce": true, "per_hour": 4})).await;
    assert_eq!(tokens_until_refused(&t, &machine).await, 1, "what was counted counts");
}

#[tokio::test]
async fn only_tokens_are_counted_and_only_where_there_is_a_quota() {
    let mut t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    move_into_day(&mut t, 0).await;
    assert_eq!(t.ask(&machine, &t.audience(), &[]).await.status, 200);
    assert_eq!(counts(&t, &machine), [], "no quota, no count");
    set_quota(&t, &machine, json!({"per_hour": 2, "per_day": 3})).await;
    let wrong = Credentials { client_secret: "wrong".into(), ..machine.clone() };
    assert_eq!(t.ask(&wrong, &t.audience(), &[]).await.status, 401);
    assert_eq!(t.ask(&machine, "https://other", &[]).await.status, 403);
    assert_eq!(t.ask(&machine, &t.audience(), &[("scope", "delete:clients")]).await.status, 403);
    assert_eq!(counts(&t, &machine), []);
    assert_eq!(tokens_until_refused(&t, &machine).await, 2);
    let used = [("day".to_owned(), 2), ("hour".to_owned(), 2)];
    assert_eq!(counts(&t, &machine), used, "a refusal by the hour takes nothing from the day");

    let t = t.restart(|_| ()).await;
    assert_eq!(t.ask(&machine, &t.audience(), &[]).await.status, 429, "a restart forgets nothing");
    assert_eq!(counts(&t, &machine), used);
    t.clock.advance(Duration::from_secs(3_600));
    assert_eq!(tokens_until_refused(&t, &machine).await, 1);
    assert_eq!(counts(&t, &machine), [("day".to_owned(), 3), ("hour".to_owned(), 1)]);
}

#[tokio::test]
async fn many_requests_at_once_get_exactly_what_is_left() {
    let mut t = Testkit::start().await;
    let default =
        json!({"default_token_quota": {"clients": {"client_credentials": {"per_day": 40, "per_hour": 30}}}});
    let machines = [t.create_machine(&t.audience(), &[]).await, t.create_machine(&t.audience(), &[]).await];
    move_into_day(&mut t, 0).await;
    let t = std::sync::Arc::new(t);
    let _ = t.admin.patch(SETTINGS, &default).await.expect(200);
    for (round, expected) in [(0, 30), (1, 10)] {
        let mut asked = Vec::new();
        for machine in machines.iter().cycle().take(120) {
            let (t, machine) = (std::sync::Arc::clone(&t), machine.clone());
            asked.push(tokio::spawn(async move {
                (machine.client_id.clone(), t.ask(&machine, &t.audience(), &[]).await.status)
            }));
        }
        let mut issued = std::collections::HashMap::new();
        for answer in asked {
            let (client, status) = answer.await.unwrap();
            assert!(status == 200 || status == 429, "{status}");
            *issued.entry(client).or_insert(0) += usize::from(status == 200);
        }
        for machine in &machines {
            assert_eq!(issued[&machine.client_id], expected, "round {round}");
        }
        t.clock.advance(Duration::from_secs(3_600));
    }
}

#[tokio::test]
async fn an_organization_gets_no_more_tokens_than_its_quota_from_all_its_clients() {
    const API: &str = "https://api";
    let mut t = Testkit::start().await;
    move_into_day(&mut t, 0).await;
    let _ = t.admin.post("/api/v2/resource-servers", &json!({"identifier": API})).await.expect(201);
    let default = json!({"default_token_quota": {"organizations": quota(2)}});
    let _ = t.admin.patch(SETTINGS, &default).await.expect(200);
    let organization = async |body: Value| {
        let made = t.admin.post("/api/v2/organizations", &body).await.expect(201);
        made["id"].as_str().unwrap().to_owned()
    };
    let plain = organization(json!({"name": "plain"})).await;
    let own = organization(json!({"name": "own", "token_quota": quota(3)})).await;
    let mut machines = Vec::new();
    for _ in 0..2 {
        let machine = t.create_machine(&t.audience(), &[]).await;
        let grant = json!({"client_id": machine.client_id, "audience": API, "scope": [],
            "organization_usage": "allow", "allow_any_organization": true});
        let _ = t.admin.post("/api/v2/client-grants", &grant).await.expect(201);
        machines.push(machine);
    }
    set_quota(&t, &machines[0], json!({"per_hour": 9})).await;
    let ask = async |n: usize, organization: &str| {
        t.ask(&machines[n % 2], API, &[("organization", organization)]).await
    };
    for (organization, most) in [(&plain, 2), (&own, 3)] {
        for n in 0..most {
            let reply = ask(n, organization).await;
            let left = most - n - 1;
            let expected = format!("b=per_hour;q={most};r={left};t=3600");
            assert_eq!((reply.status, header(&reply, "auth0-organization-quota-limit")), (200, &*expected));
        }
        for n in 0..2 {
            let refused = ask(n, organization).await;
            assert_eq!(
                (refused.status, refused.text("error_description")),
                (429, "Organization quota exceeded")
            );
            assert_eq!(header(&refused, "retry-after"), "3600");
        }
    }
    // Three of its tokens were for organizations; what they refused took nothing from its own quota.
    let reply = t.ask(&machines[0], API, &[]).await;
    assert_eq!(header(&reply, "auth0-client-quota-limit"), "b=per_hour;q=9;r=5;t=3600");
    assert_eq!((reply.status, header(&reply, "auth0-organization-quota-limit")), (200, ""));

    let path = format!("/api/v2/organizations/{own}");
    let _ = t.admin.patch(&path, &json!({"token_quota": quota(4)})).await.expect(200);
    assert_eq!((ask(0, &own).await.status, ask(0, &own).await.status), (200, 429));
    assert_eq!(t.admin.delete(&path).await.status, 204);
    let left = t.database().number("SELECT COUNT(*) FROM token_count WHERE owner_id = $1", &own);
    assert_eq!(left, 0, "nothing of a deleted organization stays");
}
