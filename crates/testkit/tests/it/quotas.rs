use serde_json::{Value, json};
use tenantry_testkit::{Credentials, Testkit};

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
