//! Whatever is created and linked in whatever order: what was deleted is named nowhere any more.

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use tenantry_testkit::{Reply, Testkit};

/// Repeats a run.
const SEED: &str = "TENANTRY_SEED";
/// Runs, and what happens in each.
const RUNS: u64 = 2;
const STEPS: usize = 60;
/// Objects of a kind beyond which one is deleted rather than another created.
const MANY: usize = 4;
/// Ways to link two things.
const LINKS: usize = 8;
/// Requests at a time when everything is read.
const AT_ONCE: usize = 8;

/// Numbers that look random, by `SplitMix64`.
struct Choice(u64);

impl Choice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n.max(1)).unwrap()).unwrap()
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { Some(&all[self.below(all.len())]) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Client,
    Credential,
    Connection,
    Organization,
    Domain,
    Api,
    Grant,
    ConnectionProfile,
    UserAttributeProfile,
}

const KINDS: [Kind; 9] = [
    Kind::Client,
    Kind::Credential,
    Kind::Connection,
    Kind::Organization,
    Kind::Domain,
    Kind::Api,
    Kind::Grant,
    Kind::ConnectionProfile,
    Kind::UserAttributeProfile,
];

/// Something that was created and not deleted.
#[derive(Clone, Debug)]
struct Thing {
    kind: Kind,
    id: String,
    /// What else it may be called by: the name of a connection, the identifier of an API.
    name: String,
    /// What it belongs to, and goes with: ids.
    owners: Vec<String>,
    path: String,
}

struct World {
    t: Testkit,
    seed: u64,
    choice: Choice,
    things: Vec<Thing>,
    /// Everything that deleted things were called by.
    gone: BTreeSet<String>,
    made: usize,
    log: Vec<String>,
}

impl World {
    async fn new(seed: u64) -> Self {
        let t = Testkit::start().await;
        let (things, gone, log) = (Vec::new(), BTreeSet::new(), Vec::new());
        Self { t, seed, choice: Choice(seed), things, gone, made: 0, log }
    }

    fn blame(&self, what: &str) -> String {
        format!("{SEED}={}: {what}\nafter {:#?}", self.seed, self.log)
    }

    fn all(&self, kind: Kind) -> Vec<Thing> {
        self.things.iter().filter(|thing| thing.kind == kind).cloned().collect()
    }

    fn any(&mut self, kind: Kind) -> Option<Thing> {
        let all = self.all(kind);
        self.choice.of(&all).cloned()
    }

    fn any_id(&mut self, kind: Kind) -> Option<String> {
        self.any(kind).map(|thing| thing.id)
    }

    fn name(&mut self, of: &str) -> String {
        self.made += 1;
        format!("{of}-{:04}-of-run", self.made)
    }

    /// Whether a thing of three or so.
    fn now_and_then(&mut self) -> bool {
        self.choice.below(3) == 0
    }

    /// Posts what may be refused because it is there already.
    async fn try_post(&mut self, path: &str, body: &Value) -> Option<Value> {
        let reply = self.t.admin.post(path, body).await;
        self.log.push(format!("POST {path} {body}: {}", reply.status));
        let is_conflict = reply.status == 409 || reply.text("message").contains("cannot have more than");
        assert!(reply.status < 300 || is_conflict, "{}", self.blame(&reply.body.to_string()));
        (reply.status < 300).then_some(reply.body)
    }

    async fn post(&mut self, path: &str, body: &Value) -> Value {
        let reply = self.t.admin.post(path, body).await;
        self.log.push(format!("POST {path} {body}: {}", reply.status));
        assert!(reply.status < 300, "{}", self.blame(&reply.body.to_string()));
        reply.body
    }

    async fn patch(&mut self, path: &str, body: &Value) {
        let reply = self.t.admin.patch(path, body).await;
        self.log.push(format!("PATCH {path} {body}: {}", reply.status));
        assert!(reply.status < 300, "{}", self.blame(&reply.body.to_string()));
    }

    fn made(&mut self, kind: Kind, collection: &str, id: &Value, name: &str, owners: Vec<String>) {
        let id = id.as_str().unwrap().to_owned();
        let path = format!("{collection}/{id}");
        self.things.push(Thing { kind, id, name: name.to_owned(), owners, path });
    }

    async fn create(&mut self, kind: Kind) {
        match kind {
            Kind::Client => self.create_client().await,
            Kind::Credential => {
                let Some(client) = self.any(Kind::Client) else { return };
                let path = format!("{}/credentials", client.path);
                let name = self.name("credential");
                let body = json!({"credential_type": "cert_subject_dn", "subject_dn": format!("CN={name}")});
                if let Some(made) = self.try_post(&path, &body).await {
                    self.made(kind, &path, &made["id"], "", vec![client.id]);
                }
            }
            Kind::Connection => {
                let name = self.name("connection");
                let mut body = json!({"name": name, "strategy": "samlp"});
                if let Some(client) = self.any_id(Kind::Client) {
                    body["enabled_clients"] = json!([client]);
                    body["options"] = json!({"signInEndpoint": "https://idp.example/saml",
                        "idpinitiated": {"enabled": true, "client_id": client, "client_protocol": "oidc"}});
                }
                let made = self.post("/api/v2/connections", &body).await;
                self.made(kind, "/api/v2/connections", &made["id"], &name, Vec::new());
            }
            Kind::Organization => {
                let name = self.name("organization");
                let mut body = json!({"name": name});
                if let Some(connection) = self.any_id(Kind::Connection) {
                    body["enabled_connections"] = json!([{"connection_id": connection}]);
                }
                let made = self.post("/api/v2/organizations", &body).await;
                self.made(kind, "/api/v2/organizations", &made["id"], &name, Vec::new());
            }
            Kind::Domain => {
                let Some(organization) = self.any(Kind::Organization) else { return };
                let path = format!("{}/discovery-domains", organization.path);
                let body = json!({"domain": format!("{}.example", self.name("domain"))});
                let made = self.post(&path, &body).await;
                self.made(kind, &path, &made["id"], "", vec![organization.id]);
            }
            Kind::Api => {
                let identifier = format!("urn:{}", self.name("api"));
                let body = json!({"identifier": identifier, "scopes": [{"value": "a"}]});
                let made = self.post("/api/v2/resource-servers", &body).await;
                self.made(kind, "/api/v2/resource-servers", &made["id"], &identifier, Vec::new());
            }
            Kind::Grant => {
                let (Some(client), Some(api)) = (self.any(Kind::Client), self.any(Kind::Api)) else { return };
                let body = json!({"client_id": client.id, "audience": api.name, "scope": ["a"],
                    "organization_usage": "allow"});
                if let Some(made) = self.try_post("/api/v2/client-grants", &body).await {
                    self.made(kind, "/api/v2/client-grants", &made["id"], "", vec![client.id, api.id]);
                }
            }
            Kind::ConnectionProfile => {
                let name = self.name("profile");
                let made = self.post("/api/v2/connection-profiles", &json!({"name": name})).await;
                self.made(kind, "/api/v2/connection-profiles", &made["id"], "", Vec::new());
            }
            Kind::UserAttributeProfile => {
                let name = self.name("profile");
                let body = json!({"name": name, "user_attributes": {"email": {"description": "d", "label": "l",
                    "profile_required": true, "auth0_mapping": "email"}}});
                let made = self.post("/api/v2/user-attribute-profiles", &body).await;
                self.made(kind, "/api/v2/user-attribute-profiles", &made["id"], "", Vec::new());
            }
        }
    }

    async fn create_client(&mut self) {
        let mut body = json!({"name": self.name("client")});
        let linked = self.t.admin.get("/api/v2/resource-servers").await.expect(200);
        let is_free = |api: &Thing| {
            linked.as_array().unwrap().iter().any(|one| one["id"] == api.id && one["client_id"].is_null())
        };
        if self.now_and_then()
            && let Some(api) = self.any(Kind::Api).filter(is_free)
        {
            body["app_type"] = "resource_server".into();
            body["resource_server_identifier"] = api.name.into();
        }
        for (name, value) in self.references().as_object().unwrap() {
            body[name] = value.clone();
        }
        let made = self.post("/api/v2/clients", &body).await;
        self.made(Kind::Client, "/api/v2/clients", &made["client_id"], "", Vec::new());
    }

    /// Members of a client that refer to something that is there.
    fn references(&mut self) -> Value {
        let mut body = json!({});
        let (one, other) = (self.any_id(Kind::Client), self.any_id(Kind::Client));
        let api = self.any_id(Kind::Api);
        if self.now_and_then() {
            let all = [one.clone(), other, api];
            body["allowed_clients"] = all.into_iter().flatten().collect::<Vec<_>>().into();
        }
        if let Some(organization) = self.any_id(Kind::Organization)
            && self.now_and_then()
        {
            body["default_organization"] =
                json!({"flows": ["client_credentials"], "organization_id": organization});
        }
        if let Some(connection) = self.any(Kind::Connection)
            && self.now_and_then()
        {
            body["addons"] = json!({"office365": {"domain": "d", "connection": connection.name}});
            body["token_vault_privileged_access"] =
                json!({"credentials": [], "grants": [{"connection": connection.name, "scopes": ["s"]}]});
        }
        let (connection_profile, user_attribute_profile) =
            (self.any_id(Kind::ConnectionProfile), self.any_id(Kind::UserAttributeProfile));
        let (Some(connection_profile), Some(user_attribute_profile), Some(client)) =
            (connection_profile, user_attribute_profile, one)
        else {
            return body;
        };
        if self.now_and_then() {
            body["my_organization_configuration"] = json!({
                "connection_profile_id": connection_profile, "user_attribute_profile_id": user_attribute_profile,
                "invitation_landing_client_id": client, "allowed_strategies": ["oidc"],
                "connection_deletion_behavior": "allow"});
        }
        if self.now_and_then() {
            body["express_configuration"] = json!({
                "initiate_login_uri_template": "https://example.com/login?org={organization_name}",
                "connection_profile_id": connection_profile, "user_attribute_profile_id": user_attribute_profile,
                "enable_client": true, "enable_organization": true, "okta_oin_client_id": client,
                "linked_clients": [{"client_id": client}], "admin_login_domain": "admin.example.com"});
        }
        body
    }

    /// Links two things, of which each may be deleted later.
    async fn link(&mut self, how: usize) {
        let client = self.any(Kind::Client);
        let connection = self.any(Kind::Connection);
        let organization = self.any(Kind::Organization);
        match (how, client, connection, organization) {
            (0, Some(client), ..) => {
                let mut references = self.references();
                references["description"] = "changed".into();
                self.patch(&client.path, &references).await;
            }
            (1, Some(client), Some(connection), _) => {
                let status = !self.now_and_then();
                let body = json!([{"client_id": client.id, "status": status}]);
                self.patch(&format!("{}/clients", connection.path), &body).await;
            }
            (2, Some(client), Some(connection), _) => {
                let body = json!({"options": {"signInEndpoint": "https://idp.example/saml",
                    "idpinitiated": {"enabled": true, "client_id": client.id, "client_protocol": "oidc"}}});
                self.patch(&connection.path, &body).await;
            }
            (3, Some(client), _, Some(organization)) => {
                let body = json!({"clients": [{"client_id": client.id}]});
                self.try_post(&format!("{}/clients", organization.path), &body).await;
            }
            (4, _, Some(connection), Some(organization)) => {
                let body = json!({"connection_id": connection.id});
                self.try_post(&format!("{}/enabled_connections", organization.path), &body).await;
            }
            (5, .., Some(organization)) => {
                let Some(grant) = self.any_id(Kind::Grant) else { return };
                let body = json!({"grant_id": grant});
                self.try_post(&format!("{}/client-grants", organization.path), &body).await;
            }
            (6, _, Some(connection), _) => {
                let mut body = json!({"default_directory": connection.name});
                if let Some(api) = self.any(Kind::Api) {
                    body["default_audience"] = api.name.into();
                }
                self.patch("/api/v2/tenants/settings", &body).await;
            }
            (7, Some(client), _, Some(organization)) => {
                let screen = if self.now_and_then() { "signup" } else { "login" };
                let path = format!("/api/v2/prompts/{screen}/screen/{screen}/rendering");
                let body = json!({"rendering_mode": "advanced", "filters": {"match_type": "includes_any",
                    "clients": [{"id": client.id}], "organizations": [{"id": organization.id}]}});
                self.patch(&path, &body).await;
            }
            _ => {}
        }
    }

    async fn delete(&mut self, kind: Kind) {
        let Some(thing) = self.any(kind) else { return };
        let Reply { status, body, .. } = self.t.admin.delete(&thing.path).await;
        self.log.push(format!("DELETE {}: {status}", thing.path));
        assert!(status == 204 || status == 202, "{}", self.blame(&body.to_string()));
        self.things.retain(|other| {
            let goes = other.id == thing.id || other.owners.contains(&thing.id);
            if goes {
                self.gone.extend([other.id.clone(), other.name.clone()]);
            }
            !goes
        });
        self.gone.remove("");
    }

    /// The paths of what is there, below routes of the API that show one of several things.
    async fn paths(&self, is_last: bool) -> Vec<String> {
        let routes = self.t.running().routes().into_iter().filter(|route| route.method == "GET");
        let (mut paths, mut lists) = (Vec::new(), HashMap::<String, Vec<String>>::new());
        for route in routes {
            // Logs tell what happened, whoever is gone since.
            let is_history = route.path.starts_with("/api/v2/logs");
            let is_asked = is_last || route.state == "served" || route.path.starts_with("/api/v2/prompts/");
            if is_history || !is_asked {
                continue;
            }
            let mut found = vec![String::new()];
            for part in route.path.split('/').skip(1) {
                let mut longer = Vec::new();
                for path in &found {
                    if !part.starts_with('{') {
                        longer.push(format!("{path}/{part}"));
                        continue;
                    }
                    if !lists.contains_key(path) {
                        lists.insert(path.clone(), self.values(path).await);
                    }
                    longer.extend(lists[path].iter().map(|value| format!("{path}/{value}")));
                }
                found = longer;
            }
            paths.extend(found);
        }
        for thing in &self.things {
            match thing.kind {
                Kind::Organization => {
                    paths
                        .push(format!("/api/v2/clients?take=50&q=client_grant.organization_id:{}", thing.id));
                    paths.push(format!("/api/v2/organizations/name/{}", thing.name));
                }
                Kind::Client => {
                    paths.push(format!("/api/v2/client-grants?client_id={}", thing.id));
                    let query = format!("include_client_association_for={}", thing.id);
                    paths.push(format!("/api/v2/organizations?{query}"));
                }
                _ => {}
            }
        }
        paths
    }

    /// What stands behind a path: the ids of the list that it is.
    async fn values(&self, path: &str) -> Vec<String> {
        match path {
            "/api/v2/prompts" => return vec!["login".into(), "signup".into()],
            "/api/v2/prompts/login/screen" => return vec!["login".into()],
            "/api/v2/prompts/signup/screen" => return vec!["signup".into()],
            _ => {}
        }
        let member = match path.rsplit('/').next() {
            Some("clients") => "client_id",
            Some("connections" | "enabled_connections") if path.contains("/organizations/") => {
                "connection_id"
            }
            _ => "id",
        };
        let reply = self.t.admin.get(path).await;
        let members = reply.body.as_object().into_iter().flat_map(serde_json::Map::values);
        let objects = members.chain([&reply.body]).filter_map(Value::as_array).flatten();
        objects.filter_map(|object| object[member].as_str()).map(str::to_owned).collect()
    }

    /// Reads everything, and looks for what is gone.
    async fn check(&self, is_last: bool) -> usize {
        let paths = self.paths(is_last).await;
        let count = paths.len();
        let replies = stream::iter(paths).map(async |path| (self.t.admin.get(&path).await, path));
        let replies: Vec<_> = replies.buffer_unordered(AT_ONCE).collect().await;
        for (reply, path) in replies {
            assert!(
                reply.status < 500 || reply.status == 501,
                "{}",
                self.blame(&format!("GET {path}: {}", reply.body))
            );
            let text = reply.body.to_string();
            for id in &self.gone {
                assert!(
                    !text.contains(id.as_str()),
                    "{}",
                    self.blame(&format!("GET {path}: {id} in {text}"))
                );
            }
        }
        count
    }

    async fn step(&mut self) {
        let kind = KINDS[self.choice.below(KINDS.len())];
        let count = self.all(kind).len();
        match self.choice.below(10) {
            _ if count >= MANY => self.delete(kind).await,
            0 => self.delete(kind).await,
            1..=4 => self.create(kind).await,
            _ => {
                let how = self.choice.below(LINKS);
                self.link(how).await;
            }
        }
    }
}

async fn run(seed: u64) -> (usize, usize) {
    let mut world = World::new(seed).await;
    for kind in [KINDS, KINDS].concat() {
        world.create(kind).await;
    }
    for how in 0..LINKS {
        world.link(how).await;
    }
    let mut read = 0;
    for _ in 0..STEPS {
        let gone = world.gone.len();
        world.step().await;
        if world.gone.len() > gone {
            read += world.check(false).await;
        }
    }
    // What others belong to goes last, so that all of it is asked for by itself.
    for kind in KINDS.into_iter().rev() {
        while !world.all(kind).is_empty() {
            world.delete(kind).await;
        }
    }
    read += world.check(true).await;
    (world.gone.len(), read)
}

#[tokio::test]
async fn what_was_deleted_is_named_nowhere_any_more() {
    let seeds: Vec<u64> = match std::env::var(SEED) {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..RUNS).map(|run| RandomState::new().hash_one(run)).collect(),
    };
    for seed in seeds {
        let (gone, read) = run(seed).await;
        eprintln!("{SEED}={seed}: {gone} names of deleted things, {read} answers read");
        assert!(gone > 10, "{SEED}={seed}: a run in which hardly anything is deleted shows nothing");
    }
}

#[tokio::test]
async fn what_refers_to_nothing_may_be_of_any_length() {
    let t = Testkit::start().await;
    // Hardly compressible, as an index would have to hold it.
    let mut choice = Choice(1);
    let long = (0..1_000).map(|_| choice.next().to_string()).collect::<Vec<_>>().concat();
    let body = json!({"allowed_clients": [long], "addons": {"office365": {"domain": "d", "connection": long}},
        "token_vault_privileged_access": {"credentials": [], "grants": [{"connection": long, "scopes": ["s"]}]}});
    let client = t.create_client(body.clone()).await;
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&client[name], value);
    }
    let body = json!({"name": "c", "strategy": "samlp", "options": {"idpinitiated": {"client_id": long}}});
    let connection = t.admin.post("/api/v2/connections", &body).await.expect(201);
    assert_eq!(connection["options"]["idpinitiated"]["client_id"], long);
}
