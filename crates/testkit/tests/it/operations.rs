use reqwest::Method;
use serde_json::json;
use tenantry_testkit::Testkit;

#[tokio::test]
async fn what_is_not_served_is_refused_by_name_and_only_to_those_who_may() {
    let t = Testkit::start().await;
    let body = json!({"name": "a", "code": "exports.onExecutePostLogin = () => {}"});
    let reply = t.admin.post("/api/v2/actions/actions", &body).await;
    assert_eq!(
        reply.body,
        json!({"statusCode": 501, "error": "Not Implemented",
            "message": "POST /api/v2/actions/actions is not served"})
    );
    assert_eq!(reply.status, 501);
    let reply = t.admin.delete("/api/v2/users/auth0%7C1").await;
    assert_eq!((reply.status, reply.text("message")), (501, "DELETE /api/v2/users/{id} is not served"));
    assert_eq!(t.nobody().post("/api/v2/actions/actions", &body).await.status, 401);
    let reader = t.with_scopes(&["read:actions"]).await;
    assert_eq!(reader.post("/api/v2/actions/actions", &body).await.status, 403);
    // Nothing was kept.
    assert_eq!(t.admin.get("/api/v2/actions/actions").await.expect(200)["actions"], json!([]));
}

#[tokio::test]
async fn paths_that_nobody_knows_stay_404() {
    let t = Testkit::start().await;
    for path in ["/api/v2/nothing", "/api/v2/actions", "/api/v2/branding/nothing", "/api/v2/users/a/b/c"] {
        let reply = t.admin.get(path).await;
        assert_eq!((reply.status, reply.text("message")), (404, "Not Found"), "{path}");
    }
    // A path that exists, but not with this method.
    let put = t.admin.request(Method::PUT, "/api/v2/branding").json(&json!({}));
    assert_eq!(t.admin.send(put).await.status, 404);
}

#[tokio::test]
async fn an_empty_tenant_has_empty_lists_in_each_form() {
    let t = Testkit::start().await;
    let cases = [
        ("/api/v2/rules", json!([])),
        (
            "/api/v2/rules?page=2&per_page=10&include_totals=true",
            json!({"total": 0, "start": 20, "limit": 10, "rules": []}),
        ),
        (
            "/api/v2/roles?include_totals=true&type=tenant",
            json!({"total": 0, "start": 0, "limit": 50, "roles": []}),
        ),
        ("/api/v2/groups?take=5", json!({"groups": []})),
        ("/api/v2/token-exchange-profiles?take=50", json!({"token_exchange_profiles": []})),
        ("/api/v2/event-streams", json!({"eventStreams": []})),
        ("/api/v2/actions/actions?page=0&per_page=100", json!({"actions": [], "per_page": 100})),
        (
            "/api/v2/actions/modules?page=0&per_page=100",
            json!({"modules": [], "total": 0, "page": 0, "per_page": 100}),
        ),
        ("/api/v2/users", json!([])),
        (
            "/api/v2/users?include_totals=true&q=email:a",
            json!({"start": 0, "limit": 50, "length": 0, "total": 0, "users": []}),
        ),
        ("/api/v2/log-streams", json!([])),
        ("/api/v2/custom-domains", json!([])),
        ("/api/v2/stats/active-users", json!(0)),
        ("/api/v2/stats/daily", json!([])),
    ];
    for (path, expected) in cases {
        assert_eq!(t.admin.get(path).await.expect(200), expected, "{path}");
    }
    let domain = t.admin.get("/api/v2/custom-domains/default").await.expect(200);
    assert_eq!(domain, json!({"domain": t.running().domain}));
    let triggers = t.admin.get("/api/v2/actions/triggers").await.expect(200);
    assert!(triggers["triggers"].as_array().unwrap().iter().any(|one| one["id"] == "credentials-exchange"));
    for (path, message) in [
        ("/api/v2/users/auth0%7C1", "The user does not exist."),
        ("/api/v2/roles/rol_1", "The role does not exist."),
        ("/api/v2/log-streams/lst_1", "The log stream does not exist."),
    ] {
        let reply = t.admin.get(path).await;
        assert_eq!((reply.status, reply.text("message")), (404, message), "{path}");
    }
    // Paging is checked even where there is nothing to page through.
    let reply = t.admin.get("/api/v2/rules?per_page=101").await;
    assert_eq!((reply.status, reply.text("errorCode")), (400, "invalid_query_string"));
}
