//! What the SDK sends is what the API takes: method, path, names of query parameters and of body members, checked for
//! every method against the facts in `api_shapes.json`. With `TENANTRY_API_DESCRIPTION` these are compared with the
//! API's description in that file as well; `TENANTRY_BLESS=1` writes them anew from it.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::future::IntoFuture as _;
use std::path::Path;
use tenantry_sdk::{
    ClientGrantPatch, ClientPatch, ClientSort, CredentialPatch, ListClientGrants, ListClients,
    ListConnections, ListGrantedOrganizations, ListResourceServers, NewClient, NewClientGrant, NewCredential,
    NewResourceServer, Patch, ResourceServerPatch, SearchClients, SearchParser,
};
use tenantry_testkit::scripted::{Scripted, Seen};

/// What an operation takes: query parameters and body members.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Shape {
    query: BTreeSet<String>,
    body: BTreeSet<String>,
}

type Shapes = BTreeMap<String, Shape>;

/// Operations that the description does not have: the SDKs of the vendor do.
const UNDESCRIBED: &[&str] = &["GET /clients/search"];
/// Operations of these are the SDK's.
const PATHS: &[&str] = &["/clients", "/client-grants", "/resource-servers", "/keys/signing"];

fn facts() -> Shapes {
    serde_json::from_str(include_str!("api_shapes.json")).unwrap()
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// The path with `{}` for ids.
fn template(path: &str) -> String {
    let parts: Vec<_> = path
        .trim_start_matches("/api/v2")
        .split('/')
        .map(|part| if part.starts_with('{') || part == "an%2Fid" { "{}" } else { part })
        .collect();
    parts.join("/")
}

/// An object with every member that a form knows, as far as it can be made of nothing but names.
fn full<'a>(members: impl IntoIterator<Item = &'a str>, value: impl Fn(&str) -> Value) -> Value {
    Value::Object(members.into_iter().map(|name| (name.to_owned(), value(name))).collect())
}

/// Calls every method with everything that it takes; what the server saw.
#[expect(clippy::too_many_lines, reason = "a list of all methods")]
async fn call_everything() -> Vec<Seen> {
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().max_retries(0).build().unwrap();
    let id = "an/id";
    let text = || Some("x".to_owned());
    let (clients, grants, apis) = (sdk.clients(), sdk.client_grants(), sdk.resource_servers());
    let keys = sdk.signing_keys();
    let (credentials, connections) = (clients.credentials(id), clients.connections(id));

    // The answers are of no interest here.
    macro_rules! send {
        ($($call:expr),+ $(,)?) => { $(let _ = $call.into_future().await;)+ };
    }
    let list = ListClients {
        page: Some(1),
        per_page: Some(1),
        include_totals: true,
        take: Some(1),
        from: text(),
        fields: text(),
        include_fields: Some(true),
        is_global: Some(true),
        is_first_party: Some(true),
        app_type: text(),
        external_client_id: text(),
        q: text(),
    };
    let search = SearchClients {
        q: text(),
        parser: Some(SearchParser::Scim),
        fields: text(),
        include_fields: Some(true),
        take: Some(1),
        from: text(),
        sort: Some(ClientSort::Name),
    };
    let of_connections = ListConnections {
        strategy: vec!["a".into(), "b".into()],
        take: Some(1),
        from: text(),
        fields: text(),
        include_fields: Some(true),
    };
    let of_grants = ListClientGrants {
        page: Some(1),
        per_page: Some(1),
        include_totals: true,
        take: Some(1),
        from: text(),
        audience: text(),
        client_id: text(),
        subject_type: text(),
        allow_any_organization: true,
        default_for: text(),
    };
    let of_organizations = ListGrantedOrganizations {
        page: Some(1),
        per_page: Some(1),
        include_totals: true,
        take: Some(1),
        from: text(),
    };
    let of_apis = ListResourceServers {
        page: Some(1),
        per_page: Some(1),
        include_totals: true,
        identifiers: vec!["a".into(), "b".into()],
        include_fields: Some(true),
    };
    let key = NewCredential::PublicKey {
        pem: "p".into(),
        name: text(),
        alg: Some("RS256".into()),
        kid: text(),
        expires_at: text(),
        parse_expiry_from_cert: Some(true),
    };
    let subject = NewCredential::CertSubjectDn { name: text(), subject_dn: text(), pem: text() };
    let never = CredentialPatch { expires_at: Patch::Null };
    let new_api: NewResourceServer =
        serde_json::from_value(json!({"identifier": "i", "token_encryption": null})).unwrap();
    send!(
        clients.create(&NewClient { name: "n".into(), ..NewClient::default() }),
        clients.get(id).without_fields(&["a"]),
        clients.list(&list),
        clients.update(id, &ClientPatch { name: Patch::Value("n".into()), ..ClientPatch::default() }),
        clients.delete(id),
        clients.rotate_secret(id),
        clients.search(&search),
        clients.cimd_preview("https://a/b"),
        clients.cimd_register("https://a/b"),
        credentials.create(&key),
        credentials.create(&subject),
        credentials.get(id),
        credentials.list(),
        credentials.update(id, &never),
        credentials.delete(id),
        connections.list(&of_connections),
        grants.create(&NewClientGrant::default()),
        grants.get(id),
        grants.list(&of_grants),
        grants.update(id, &ClientGrantPatch { scope: Patch::Null, ..ClientGrantPatch::default() }),
        grants.delete(id),
        grants.organizations(id, &of_organizations),
        apis.create(&new_api),
        apis.get(id).query("include_fields", "true"),
        apis.list(&of_apis),
        apis.update(id, &ResourceServerPatch { name: Patch::Value("n".into()), ..Default::default() }),
        apis.delete(id),
        keys.list(),
        keys.get(id),
        keys.rotate(),
        keys.revoke(id),
    );
    scripted.seen()
}

#[tokio::test]
async fn every_method_sends_what_the_api_takes() {
    let facts = facts();
    let mut sent = Shapes::new();
    for Seen { method, path, query, headers, body } in call_everything().await {
        let operation = format!("{method} {}", template(&path));
        let fact = facts.get(&operation).unwrap_or_else(|| panic!("the API has no {operation}"));
        let shape = sent.entry(operation.clone()).or_default();
        shape.query.extend(query.into_iter().map(|(name, _)| name));
        if let Value::Object(members) = &body {
            assert_eq!(headers["content-type"], "application/json", "{operation}");
            shape.body.extend(members.keys().cloned());
        } else {
            assert_eq!(body, json!(""), "{operation}");
        }
        assert!(shape.body.is_subset(&fact.body), "{operation}: {:?}", shape.body);
    }
    let operations = |shapes: &Shapes| shapes.keys().cloned().collect::<Vec<_>>();
    assert_eq!(operations(&sent), operations(&facts), "the SDK has a method for each operation");
    for (operation, shape) in &sent {
        assert_eq!(shape.query, facts[operation].query, "{operation}");
    }
    let body = |operation: &str| facts[operation].body.clone();
    assert_eq!(sent["POST /clients/{}/credentials"].body, body("POST /clients/{}/credentials"));
    assert_eq!(sent["PATCH /clients/{}/credentials/{}"].body, body("PATCH /clients/{}/credentials/{}"));
    assert_eq!(sent["POST /clients/cimd/preview"].body, body("POST /clients/cimd/preview"));
    assert_eq!(sent["POST /clients/cimd/register"].body, body("POST /clients/cimd/register"));
}

/// Members that no field is for: they go to `other`.
fn unknown<T: serde::de::DeserializeOwned>(body: Value, other: fn(T) -> Map<String, Value>) -> Vec<String> {
    other(serde_json::from_value(body).unwrap()).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn every_member_of_a_body_has_a_field() {
    let facts = facts();
    let names = |operation: &str| facts[operation].body.iter().map(String::as_str).collect::<Vec<_>>();
    let missing = |operation: &str, members: &[&str]| {
        let known = set(members.iter().copied());
        names(operation)
            .into_iter()
            .filter(|name| !known.contains(*name))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(missing("POST /clients", NewClient::MEMBERS), [""; 0]);
    assert_eq!(missing("PATCH /clients/{}", ClientPatch::MEMBERS), [""; 0]);
    assert_eq!(missing("POST /resource-servers", NewResourceServer::MEMBERS), [""; 0]);
    assert_eq!(missing("PATCH /resource-servers/{}", ResourceServerPatch::MEMBERS), [""; 0]);
    let null = |name: &str| if name == "audience" { json!("a") } else { Value::Null };
    let grant = full(names("POST /client-grants"), null);
    assert_eq!(unknown::<NewClientGrant>(grant, |grant| grant.other), [""; 0]);
    let patch = full(names("PATCH /client-grants/{}"), null);
    assert_eq!(unknown::<ClientGrantPatch>(patch, |patch| patch.other), [""; 0]);
}

/// The schema that a reference leads to.
fn resolve<'a>(description: &'a Value, mut schema: &'a Value) -> &'a Value {
    while let Some(reference) = schema["$ref"].as_str() {
        schema = description.pointer(reference.trim_start_matches('#')).unwrap();
    }
    schema
}

fn members(description: &Value, schema: &Value, found: &mut BTreeSet<String>) {
    let schema = resolve(description, schema);
    found.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    for choice in ["oneOf", "anyOf", "allOf"] {
        for one in schema[choice].as_array().into_iter().flatten() {
            members(description, one, found);
        }
    }
}

fn described(description: &Value) -> Shapes {
    let mut shapes = Shapes::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        let is_ours = |root: &&&str| path == **root || path.starts_with(&format!("{root}/"));
        if !PATHS.iter().any(|root| is_ours(&root)) {
            continue;
        }
        for (method, operation) in operations.as_object().unwrap() {
            let mut shape = Shape::default();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let parameter = resolve(description, parameter);
                if parameter["in"] == "query" {
                    shape.query.insert(parameter["name"].as_str().unwrap().to_owned());
                }
            }
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            members(description, body, &mut shape.body);
            shapes.insert(format!("{} {}", method.to_uppercase(), template(path)), shape);
        }
    }
    shapes
}

#[test]
fn the_facts_are_those_of_the_description() {
    let Some(file) = std::env::var_os("TENANTRY_API_DESCRIPTION") else {
        eprintln!("TENANTRY_API_DESCRIPTION names no file; skipped");
        return;
    };
    let description: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut described = described(&description);
    let mut facts = facts();
    for operation in UNDESCRIBED {
        let fact = facts.remove(*operation).expect("it is in the facts");
        if std::env::var_os("TENANTRY_BLESS").is_some() {
            described.entry((*operation).to_owned()).or_insert(fact);
        } else {
            described.remove(*operation);
        }
    }
    if std::env::var_os("TENANTRY_BLESS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/api_shapes.json");
        std::fs::write(path, serde_json::to_string_pretty(&described).unwrap() + "\n").unwrap();
    } else {
        assert_eq!(facts, described);
    }
}
