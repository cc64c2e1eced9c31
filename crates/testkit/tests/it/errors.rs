use reqwest::Method;
use serde_json::json;
use tenantry_testkit::{Testkit, client_path};

#[tokio::test]
async fn bad_bodies_are_told_in_the_recorded_words_and_change_nothing() {
    let t = Testkit::start().await;
    let client = t.create_client(json!({})).await;
    let before = t.admin.get(&client_path(&client)).await.expect(200);
    let cases = [
        (json!({"foo": 1, "bar": 2}), "'Additional properties not allowed: bar,foo'."),
        (json!({}), "'Too few properties defined (0), minimum 1'."),
        (
            json!({"name": ""}),
            "'String does not match pattern ^[^<>]+$: ' on property name (Name shown for this application, without `<` or `>`).",
        ),
        (
            json!({"callbacks": ["https://ok.example", "nope"]}),
            "'Object didn't pass validation for format callback-url: nope' on property callbacks[1]",
        ),
        (
            json!({"refresh_token": {"rotation_type": "rotating"}}),
            "'Missing required property: expiration_type' on property refresh_token",
        ),
        (
            json!({"token_quota": {"client_credentials": {"per_day": 0}}}),
            "'Value 0 is less than minimum 1' on property token_quota.client_credentials.per_day",
        ),
        (
            json!({"is_first_party": null}),
            "'Expected type boolean but found type null' on property is_first_party",
        ),
        (json!([]), "'Expected type object but found type array'."),
        (
            json!({"resource_server_identifier": "x"}),
            "'Additional properties not allowed: resource_server_identifier'.",
        ),
    ];
    for (body, expected) in cases {
        let reply = t.admin.patch(&client_path(&client), &body).await;
        assert_eq!(
            (reply.status, reply.text("error"), reply.text("errorCode")),
            (400, "Bad Request", "invalid_body")
        );
        let expected = format!("Payload validation error: {expected}");
        let start = expected.split(" (").next().unwrap();
        assert!(reply.text("message").starts_with(start), "{body}: {} is not {start}", reply.text("message"));
    }
    assert_eq!(t.admin.get(&client_path(&client)).await.expect(200), before);
    let missing = t.admin.post("/api/v2/clients", &json!({"description": "d"})).await;
    assert_eq!(missing.text("message"), "Payload validation error: 'Missing required property: name'.");
}

#[tokio::test]
async fn malformed_requests_get_the_envelope() {
    let t = Testkit::start().await;
    let send = async |content_type: Option<&str>, body: Vec<u8>| {
        let mut request = t.admin.request(Method::POST, "/api/v2/clients");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        t.admin.send(request.body(body)).await
    };
    let json = send(Some("application/json"), b"{\"name\":".to_vec()).await;
    assert_eq!(
        (json.status, json.text("message"), json.text("errorCode")),
        (400, "Invalid request payload JSON format", "invalid_body")
    );
    let text = send(Some("text/plain"), b"{}".to_vec()).await;
    assert_eq!(
        (text.status, text.text("error"), text.text("message")),
        (415, "Unsupported Media Type", "Unsupported Media Type")
    );
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    assert_eq!(send(Some("application/json"), deep.into_bytes()).await.status, 400);
    assert_eq!(send(Some("application/json"), Vec::new()).await.status, 400);
    assert_eq!(send(None, b"{\"name\":\"no content type\"}".to_vec()).await.status, 201);
    assert_eq!(send(Some("application/json; charset=utf-8"), b"{\"name\":\"x\"}".to_vec()).await.status, 201);
    assert_eq!(
        send(Some("application/x-www-form-urlencoded"), b"name=from+a+form".to_vec()).await.expect(201)["name"],
        "from a form"
    );
    assert_eq!(send(Some("application/json"), vec![0xff, 0xfe]).await.status, 400);

    let duplicate = send(Some("application/json"), b"{\"name\":\"a\",\"name\":\"b\"}".to_vec()).await;
    assert_eq!(duplicate.expect(201)["name"], "b", "the last one counts");

    let large = send(Some("application/json"), vec![b' '; (1 << 20) + 1]).await;
    assert_eq!((large.status, large.text("error")), (413, "Request Entity Too Large"));
    assert_eq!(large.text("message"), "Payload content length greater than maximum allowed: 1048576");
}

#[tokio::test]
async fn unknown_routes_and_wrong_methods_are_not_found() {
    let t = Testkit::start().await;
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/api/v2/nothing"),
        (Method::PUT, "/api/v2/clients"),
        (Method::POST, "/api/v2/clients/x"),
        (Method::GET, "/oauth/token"),
        (Method::GET, "/api/v2/clients/"),
        (Method::GET, "/healthz"),
        (Method::GET, "/metrics"),
    ] {
        for caller in [t.admin.clone(), t.nobody()] {
            let reply = caller.send(caller.request(method.clone(), path)).await;
            assert_eq!(reply.status, 404, "{method} {path}");
            assert_eq!(
                reply.body,
                json!({"statusCode": 404, "error": "Not Found", "message": "Not Found"}),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn paths_are_texts() {
    let t = Testkit::start().await;
    for (method, path) in
        [(Method::GET, "/api/v2/clients/%ff"), (Method::DELETE, "/api/v2/connections/%c3%28")]
    {
        let nobody = t.nobody();
        assert_eq!(nobody.send(nobody.request(method.clone(), path)).await.status, 401, "{path}");
        let reply = t.admin.send(t.admin.request(method, path)).await;
        assert_eq!((reply.status, reply.text("errorCode")), (400, "invalid_uri"), "{path}");
        assert!(reply.text("message").starts_with("Path validation error: '"), "{}", reply.body);
        assert_eq!(reply.headers["content-type"], "application/json; charset=utf-8");
    }
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused() {
    let t = Testkit::start().await;
    let request = t.admin.request(Method::GET, "/api/v2/clients").header("x-large", "x".repeat(40_000));
    let reply = t.admin.send(request).await;
    assert_eq!((reply.status, reply.text("message")), (431, "Request Header Fields Too Large"));
    let request = t.admin.request(Method::GET, "/api/v2/clients").header("x-large", "x".repeat(400_000));
    if let Ok(response) = request.send().await {
        assert_eq!(response.status(), 431);
    }
    assert_eq!(t.admin.get("/api/v2/clients").await.status, 200, "the server goes on");
}

#[tokio::test]
async fn query_strings_are_checked() {
    let t = Testkit::start().await;
    for (query, expected) in [
        (
            "per_page=101",
            "Query validation error: 'Value 101 is greater than maximum 100' on property per_page.",
        ),
        ("page=-1", "Query validation error: 'Value -1 is less than minimum 0' on property page."),
        ("page=x", "Query validation error: 'Expected type integer but found type string' on property page."),
        (
            "include_totals=yes",
            "Query validation error: 'Expected type boolean but found type string' on property include_totals.",
        ),
        ("nothing=1", "Query validation error: 'Additional properties not allowed: nothing'."),
        ("take=0", "Query validation error: 'Value 0 is less than minimum 1' on property take."),
        (
            "page=1&page=2",
            "Query validation error: 'Expected type integer but found type array' on property page.",
        ),
    ] {
        let reply = t.admin.get(&format!("/api/v2/clients?{query}")).await;
        assert_eq!((reply.status, reply.text("errorCode")), (400, "invalid_query_string"), "{query}");
        assert_eq!(reply.text("message"), expected);
    }
    // Clients and the log take 0, the others do not.
    for (list, status) in [
        ("clients", 200),
        ("logs", 200),
        ("client-grants", 400),
        ("organizations", 400),
        ("connections", 400),
    ] {
        assert_eq!(t.admin.get(&format!("/api/v2/{list}?per_page=0")).await.status, status, "{list}");
    }
}
