//! Starts the real server for tests: on a free loopback port, with a database of its own, a clock that only moves when
//! told, and seeded randomness. [`scripted`] is another server, for tests of the SDK alone.
//!
//! The database is SQLite, or a schema of the PostgreSQL that `TENANTRY_TEST_DATABASE_URL` names.

mod database;
mod line;
pub mod scripted;

pub use database::Database;
pub use line::Line;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tenantry_sdk::{ManagementClient, NewClient, NewClientGrant};
use tenantry_server::maintenance::Site;
use tenantry_server::{Clock, Config, DataDir, Network, Random, Running, Server, admin_client};

/// A running server and someone who may do everything on it.
#[derive(Debug)]
pub struct Testkit {
    /// The server's clock.
    pub clock: Clock,
    /// The administrator.
    pub admin: Caller,
    /// `https://localhost:PORT`.
    pub base: String,
    /// Trusts the server.
    pub http: reqwest::Client,
    running: Option<Running>,
    config: Config,
    network: Network,
    dir: TempDir,
    database: Database,
}

/// Who sends a request: a bearer token, or nobody.
#[derive(Clone, Debug)]
pub struct Caller {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; `null` when there is none.
    pub body: Value,
}

impl Reply {
    /// The body, if the status is as expected.
    ///
    /// # Panics
    /// If it is not.
    #[must_use]
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The text of a member.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }
}

/// A client that may ask for tokens.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
}

impl Credentials {
    /// Those of a client as `POST /clients` answered it.
    #[must_use]
    pub fn of(client: &Value) -> Self {
        let text = |name: &str| client[name].as_str().unwrap_or_default().to_owned();
        Self { client_id: text("client_id"), client_secret: text("client_secret") }
    }
}

impl Testkit {
    /// Starts a server.
    pub async fn start() -> Self {
        Self::with(Config::default()).await
    }

    /// Starts a server with settings, for which no name leads anywhere.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn with(config: Config) -> Self {
        Self::within(config, Network::routed(|_| Vec::new(), &[])).await
    }

    /// Starts a server for which names lead where `network` says.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn within(mut config: Config, network: Network) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        config.listen.get_or_insert_with(|| "127.0.0.1:0".into());
        let database = Database::new(&dir.path().join("tenantry.db"));
        config.database_url.get_or_insert_with(|| database.url().to_owned());
        // Certificates are valid from the real present on.
        #[expect(clippy::disallowed_methods, reason = "the test's clock starts in the present")]
        let clock = Clock::manual(jiff::Timestamp::now());
        Self::run(config, network, dir, clock, database).await
    }

    async fn run(config: Config, network: Network, dir: TempDir, clock: Clock, database: Database) -> Self {
        let data = DataDir::new(dir.path().to_owned());
        let running = Server::start_in(&config, data, clock.clone(), Random::seeded(7), &network).await;
        let running = running.expect("the server starts");
        let ca = std::fs::read(&running.ca).expect("the server writes its authority");
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([reqwest::Certificate::from_pem(&ca).expect("a certificate")])
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client");
        let port = running.listeners[0].rsplit_once(':').expect("an address").1;
        let base = format!("https://localhost:{port}");
        let nobody = Caller { http: http.clone(), base: base.clone(), token: None };
        let mut kit =
            Self { clock, admin: nobody, base, http, running: Some(running), config, network, dir, database };
        kit.renew_admin().await;
        kit
    }

    /// Gives the administrator a fresh token.
    ///
    /// # Panics
    /// If the server refuses.
    pub async fn renew_admin(&mut self) {
        let admin = self.admin_credentials().await;
        let token = self.token(&admin, &self.audience()).await;
        self.admin = self.caller(&token);
    }

    /// The administrator's client.
    ///
    /// # Panics
    /// If the data directory cannot be read.
    pub async fn admin_credentials(&self) -> Credentials {
        let data = DataDir::new(self.dir.path().to_owned());
        let admin = admin_client(&data, self.config.database_url.as_deref())
            .await
            .expect("the administrator's client");
        Credentials { client_id: admin.client_id, client_secret: admin.client_secret }
    }

    /// The audience of the Management API.
    ///
    /// # Panics
    /// After the server was stopped.
    #[must_use]
    pub fn audience(&self) -> String {
        format!("https://{}/api/v2/", self.running().domain)
    }

    /// The running server.
    ///
    /// # Panics
    /// After the server was stopped.
    #[must_use]
    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("the server runs")
    }

    /// Where the server keeps everything.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Starts another server on the same database, under the same domain; `None` on an engine that serves only one.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn second_node(&self) -> Option<Self> {
        let database = self.database.shared()?;
        let url = database.url().to_owned();
        Some(self.node_at(url, database).await)
    }

    /// Another server that reaches the database through a line that can be cut.
    pub async fn distant_node(&self) -> Option<(Self, Line)> {
        let database = self.database.shared()?;
        let (line, url) = Line::to(database.url()).await;
        Some((self.node_at(url, database).await, line))
    }

    async fn node_at(&self, url: String, database: Database) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let config = Config {
            domain: Some(self.running().domain.clone()),
            master_key_file: Some(self.dir.path().join("master.key")),
            database_url: Some(url),
            ..self.config.clone()
        };
        Self::run(config, self.network.clone(), dir, self.clock.clone(), database).await
    }

    /// Stops the server and starts it again on the same data, with other settings.
    #[must_use]
    pub async fn restart(mut self, change: impl FnOnce(&mut Config)) -> Self {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        change(&mut self.config);
        Self::run(self.config, self.network, self.dir, self.clock, self.database).await
    }

    /// Stops the server, copies everything into a database of the other engine, and starts on that one, under the same
    /// domain.
    ///
    /// # Panics
    /// If it cannot be copied.
    #[must_use]
    pub async fn move_over(mut self) -> Self {
        let domain = self.running().domain.clone();
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        let other = self.database.other(self.dir.path());
        let _ = tenantry_server::maintenance::copy(self.database.url(), other.url()).await.expect("a copy");
        self.config.domain = Some(domain);
        self.config.database_url = Some(other.url().to_owned());
        Self::run(self.config, self.network, self.dir, self.clock, other).await
    }

    /// The database and the key to it, for what is done past the server.
    ///
    /// # Panics
    /// If the data directory cannot be read.
    #[must_use]
    pub fn site(&self) -> Site {
        let dir = DataDir::new(self.dir.path().to_owned());
        Site::new(dir, Some(self.database.url()), None).expect("a data directory")
    }

    /// Someone with this token.
    #[must_use]
    pub fn caller(&self, token: &str) -> Caller {
        Caller { http: self.http.clone(), base: self.base.clone(), token: Some(token.to_owned()) }
    }

    /// Someone without a token.
    #[must_use]
    pub fn nobody(&self) -> Caller {
        Caller { token: None, ..self.admin.clone() }
    }

    /// Makes a client with these members; all that the answer shows.
    ///
    /// # Panics
    /// If the server refuses, or the SDK has no such members.
    pub async fn create_client(&self, members: Value) -> Value {
        let mut body = json!({"name": "a client"});
        for (name, value) in members.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let new: NewClient = serde_json::from_value(body).expect("members of a client");
        let answer = self.admin_sdk().clients().create(&new).with_response().await.expect("a client");
        serde_json::from_slice(&answer.raw).expect("JSON")
    }

    /// Makes a machine-to-machine client and lets it call `audience` with `scopes`.
    ///
    /// # Panics
    /// If the server refuses.
    pub async fn create_machine(&self, audience: &str, scopes: &[&str]) -> Credentials {
        let client = self
            .create_client(json!({
                "app_type": "non_interactive",
                "grant_types": ["client_credentials"],
                "token_endpoint_auth_method": "client_secret_post",
            }))
            .await;
        let machine = Credentials::of(&client);
        let grant = NewClientGrant {
            client_id: Some(machine.client_id.as_str().into()),
            audience: audience.to_owned(),
            scope: Some(scopes.iter().map(|&scope| scope.to_owned()).collect()),
            ..NewClientGrant::default()
        };
        let _ = self.admin_sdk().client_grants().create(&grant).await.expect("a grant");
        machine
    }

    /// The SDK with the administrator's token.
    fn admin_sdk(&self) -> ManagementClient {
        let token = self.admin.token.clone().expect("the administrator has a token");
        let builder = ManagementClient::builder(&self.base).token(token).http_client(self.http.clone());
        builder.build().expect("a client")
    }

    /// Someone with these management scopes and no others.
    pub async fn with_scopes(&self, scopes: &[&str]) -> Caller {
        let machine = self.create_machine(&self.audience(), scopes).await;
        self.caller(&self.token(&machine, &self.audience()).await)
    }

    /// Asks for a token; `None` leaves a parameter out.
    pub async fn ask_token(&self, form: &[(&str, &str)]) -> Reply {
        let request = self.http.post(format!("{}/oauth/token", self.base)).form(form);
        reply(request.send().await.expect("an answer")).await
    }

    /// Asks for a token by `client_secret_post`.
    pub async fn ask(&self, client: &Credentials, audience: &str, more: &[(&str, &str)]) -> Reply {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &client.client_id),
            ("client_secret", &client.client_secret),
            ("audience", audience),
        ];
        form.extend_from_slice(more);
        self.ask_token(&form).await
    }

    /// A token.
    ///
    /// # Panics
    /// If the server refuses.
    pub async fn token(&self, client: &Credentials, audience: &str) -> String {
        let reply = self.ask(client, audience, &[]).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.text("access_token").to_owned()
    }
}

/// Reads an answer.
///
/// # Panics
/// If the connection breaks.
pub async fn reply(response: reqwest::Response) -> Reply {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.expect("a body");
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into())
    };
    Reply { status, headers, body }
}

impl Caller {
    /// A request that is not sent yet.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request.
    ///
    /// # Panics
    /// If the connection breaks.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        reply(request.send().await.expect("an answer")).await
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// `POST`.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// `PUT`.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// `PATCH`.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request(Method::DELETE, path)).await
    }
}

/// The path of a client.
#[must_use]
pub fn client_path(client: &Value) -> String {
    format!("/api/v2/clients/{}", client["client_id"].as_str().unwrap_or_default())
}

/// Someone who may do everything, by the SDK.
impl Testkit {
    /// The SDK as the administrator.
    ///
    /// # Panics
    /// If the server's authority cannot be read.
    pub async fn sdk(&self) -> ManagementClient {
        self.sdk_builder().await.build().expect("a client")
    }

    /// The same before it is built.
    ///
    /// # Panics
    /// If the server's authority cannot be read.
    pub async fn sdk_builder(&self) -> tenantry_sdk::Builder {
        let admin = self.admin_credentials().await;
        ManagementClient::builder(&self.base)
            .client_credentials(admin.client_id, admin.client_secret)
            .ca_certificate(std::fs::read(&self.running().ca).expect("the server writes its authority"))
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(work)
}

/// Runs an example of the SDK's documentation against a server of its own.
///
/// # Panics
/// If the example fails.
pub fn example(work: impl AsyncFnOnce(ManagementClient) -> Result<(), tenantry_sdk::Error>) {
    run(async {
        let kit = Testkit::start().await;
        work(kit.sdk().await).await.expect("the example works");
    });
}

/// The same for the blocking API.
///
/// # Panics
/// If the example fails.
pub fn example_blocking(
    work: impl FnOnce(tenantry_sdk::blocking::ManagementClient) -> Result<(), tenantry_sdk::Error>,
) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let kit = runtime.block_on(Testkit::start());
    let builder = runtime.block_on(kit.sdk_builder());
    work(builder.build_blocking().expect("a client")).expect("the example works");
    runtime.block_on(async { drop(kit) });
}

/// A public key that nobody has the private half of.
///
/// # Panics
/// If the system has no randomness.
#[must_use]
pub fn public_key_pem() -> String {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
    key.expect("a key").public_key_pem()
}
