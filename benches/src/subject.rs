//! The server that is measured: a fresh one, filled through its own API.

use crate::api::{Api, FORM, JSON, text};
use crate::key::Key;
use crate::load::{Ask, Load};
use crate::process::Process;
use crate::store::Database;
use crate::{Failure, cpu};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const CLIENTS: &str = "/api/v2/clients";
const TOKEN: &str = "/oauth/token";
/// Answered when the server can do its work.
const READY: &str = "/.well-known/jwks.json";
const DOMAIN: &str = "bench.example.com";
/// What the token of the measurements may do: all that they need, secrets included.
const SCOPES: &str = "read:clients read:client_keys create:clients update:clients delete:clients \
                      create:client_grants create:resource_servers create:client_credentials";
/// What reads need, and how many other scopes make a token unlike all others.
const READ_SCOPES: &str = "read:clients read:client_keys";
const MORE_SCOPES: usize = 8;
/// An API with RS256 tokens, and one with HS256 tokens: those show what a token costs besides the signature.
const API: &str = "https://api.example.com/";
const API_HS256: &str = "https://hs256.example.com/";
/// Clients that are read again and again.
const HOT: usize = 1_000;
/// Checkpoints that are kept of all.
const CHECKPOINTS: usize = 1_000;
/// How long a fill may take.
const FILL: Duration = Duration::from_secs(4 * 3_600);

/// How servers are started.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) tenantry: PathBuf,
    /// The directory in which data directories are made.
    pub(crate) dir: PathBuf,
    /// A `PostgreSQL` server, instead of `SQLite`.
    pub(crate) database_url: Option<String>,
}

/// Where a server keeps what it has.
pub(crate) struct Place {
    data: TempDir,
    database: Option<Database>,
}

impl Program {
    pub(crate) fn place(&self, purpose: &str) -> Result<Place, Failure> {
        let data = tempfile::Builder::new().prefix("tenantry-bench-").tempdir_in(&self.dir)?;
        let database = self.database_url.as_deref().map(|url| Database::new(url, purpose)).transpose()?;
        Ok(Place { data, database })
    }

    fn command(&self, name: &str, place: &Place) -> Result<Command, Failure> {
        let mut command = Command::new(&self.tenantry);
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("TENANTRY_") {
                command.env_remove(variable);
            }
        }
        command.arg(name).arg("--data-dir").arg(place.data.path());
        if let Some(database) = &place.database {
            command.arg("--database-url").arg(database.url()?);
        }
        Ok(command)
    }

    pub(crate) fn start(&self, place: &Place) -> Result<Process, Failure> {
        let mut command = self.command("serve", place)?;
        command.args(["--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--domain", DOMAIN]);
        Process::start(&mut command, READY)
    }

    /// The administrator's variables, as `tenantry env` prints them.
    fn admin(&self, place: &Place) -> Result<HashMap<String, String>, Failure> {
        let output = self.command("env", place)?.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let line = |line: &str| {
            let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
            Some((name.to_owned(), value.trim_matches('\'').to_owned()))
        };
        Ok(String::from_utf8(output.stdout)?.lines().filter_map(line).collect())
    }
}

/// Who asks for tokens.
pub(crate) struct Machine {
    client_id: String,
    client_secret: String,
}

/// A client that proves itself by a key.
pub(crate) struct Signer {
    key: Key,
    client_id: String,
}

pub(crate) struct Subject {
    pub(crate) clients: u64,
    // Before the place, which can be removed when the server has ended.
    pub(crate) server: Process,
    place: Place,
    program: Program,
    pub(crate) api: Api,
    admin: HashMap<String, String>,
    /// What the administrator's tokens may do.
    all_scopes: Vec<String>,
    machine: Machine,
    signer: Signer,
    /// The clients it was filled with.
    pub(crate) ids: Vec<String>,
    /// Parameters of pages by checkpoint, from everywhere in the list.
    pub(crate) checkpoints: Vec<String>,
}

#[derive(Deserialize)]
struct Made {
    client_id: String,
}

#[derive(Deserialize)]
struct ListPage {
    next: Option<String>,
}

/// The body of a new client, of about 0.3 kB.
pub(crate) fn new_client(number: u64) -> String {
    let app_type =
        ["non_interactive", "spa", "native", "regular_web"][usize::try_from(number % 4).unwrap_or(0)];
    json!({
        "name": format!("client {number}"), "app_type": app_type, "grant_types": ["client_credentials"],
        "description": "One of those that the measurements made",
        "callbacks": [format!("https://app{number}.example.com/callback")],
        "client_metadata": {"team": format!("team {}", number % 97)},
        "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36_000},
    })
    .to_string()
}

/// What a load is limited by.
pub(crate) struct Bounds {
    pub(crate) connections: usize,
    pub(crate) lasts: Duration,
    pub(crate) most: u64,
}

impl Subject {
    /// Starts a server with so many clients.
    pub(crate) fn new(program: &Program, clients: u64, connections: usize) -> Result<Self, Failure> {
        let place = program.place(&clients.to_string())?;
        let server = program.start(&place)?;
        let api = Api::new(server.address)?;
        let admin = program.admin(&place)?;
        let (_, all_scopes) = token(&api, &admin, None)?;
        let api = api.with_token(&token(&api, &admin, Some(SCOPES))?.0)?;
        let machine = machine(&api)?;
        let signer = signer(&api)?;
        let (program, ids, checkpoints) = (program.clone(), Vec::new(), Vec::new());
        let mut subject = Self {
            clients,
            server,
            place,
            program,
            api,
            admin,
            all_scopes,
            machine,
            signer,
            ids,
            checkpoints,
        };
        subject.fill(connections)?;
        subject.checkpoints = subject.walk()?;
        Ok(subject)
    }

    fn fill(&mut self, connections: usize) -> Result<(), Failure> {
        let begin = Instant::now();
        let bounds = Bounds { connections, lasts: FILL, most: self.clients };
        self.ids = self.create(0, &bounds)?.1;
        let seconds = begin.elapsed().as_secs_f64();
        let memory = cpu::resident(self.server.id()).unwrap_or(f64::NAN);
        let rate = crate::rounds::as_float(self.clients) / seconds;
        eprintln!("{} clients made in {seconds:.1} s, {rate:.0} a second; {memory:.0} MB", self.clients);
        if self.ids.len() as u64 != self.clients {
            return Err(format!("only {} of {} clients could be made", self.ids.len(), self.clients).into());
        }
        Ok(())
    }

    /// Makes clients, numbered from `first`; the outcome and their ids.
    pub(crate) fn create(
        &self,
        first: u64,
        bounds: &Bounds,
    ) -> Result<(crate::load::Outcome, Vec<String>), Failure> {
        let ids = RefCell::new(Vec::new());
        let outcome = self.load(
            bounds,
            StatusCode::CREATED,
            &|number| Some(self.api.send(Method::POST, CLIENTS, JSON, new_client(first + number))),
            Some(&|answer| {
                if let Ok(made) = serde_json::from_slice::<Made>(answer) {
                    ids.borrow_mut().push(made.client_id);
                }
            }),
        )?;
        Ok((outcome, ids.into_inner()))
    }

    /// Deletes clients, so that the tenant keeps its size.
    pub(crate) fn delete(&self, ids: &[String], connections: usize) -> Result<(), Failure> {
        let at = |number: u64| Some(&ids[usize::try_from(number).ok()?]);
        let bounds = Bounds { connections, lasts: FILL, most: ids.len() as u64 };
        let ask = |number| Some(self.api.ask(Method::DELETE, &client_path(at(number)?)));
        let outcome = self.load(&bounds, StatusCode::NO_CONTENT, &ask, None)?;
        if outcome.answered == ids.len() as u64 {
            Ok(())
        } else {
            Err("not all clients could be deleted".into())
        }
    }

    /// Loads this server, and counts its processor time.
    pub(crate) fn load(
        &self,
        bounds: &Bounds,
        expect: StatusCode,
        ask: &crate::load::Asks<'_>,
        answer: Option<&crate::load::Answers<'_>>,
    ) -> Result<crate::load::Outcome, Failure> {
        let Bounds { connections, lasts, most } = *bounds;
        let process = Some(self.server.id());
        Load { to: self.api.address, connections, lasts, most, expect, ask, answer, process }.run()
    }

    /// Walks through the whole list, and keeps checkpoints from everywhere in it.
    fn walk(&self) -> Result<Vec<String>, Failure> {
        let (next, found) = (parking_lot::Mutex::new(Some(String::new())), RefCell::new(Vec::new()));
        let bounds = Bounds { connections: 1, lasts: FILL, most: u64::MAX };
        let ask =
            |_| Some(self.api.get(&format!("{CLIENTS}?take=100&fields=client_id{}", next.lock().as_ref()?)));
        self.load(
            &bounds,
            StatusCode::OK,
            &ask,
            Some(&|answer| {
                let page = serde_json::from_slice::<ListPage>(answer).ok();
                let from = page.and_then(|page| page.next).map(|next| format!("&from={next}"));
                found.borrow_mut().extend(from.clone());
                *next.lock() = from;
            }),
        )?;
        let found = found.into_inner();
        let step = found.len().div_ceil(CHECKPOINTS).max(1);
        Ok(found.into_iter().step_by(step).collect())
    }

    /// Reads of the hot clients.
    pub(crate) fn hot(&self, query: &str) -> Vec<Ask> {
        self.ids.iter().take(HOT).map(|id| self.api.get(&format!("{}{query}", client_path(id)))).collect()
    }

    /// A token request in the form that standards want.
    pub(crate) fn token_form(&self, api: TokenFor) -> Ask {
        let Machine { client_id, client_secret } = &self.machine;
        self.form(&[("client_id", client_id), ("client_secret", client_secret), ("audience", api.audience())])
    }

    /// The same as JSON, with this id and secret instead of the right ones.
    pub(crate) fn token_json(&self, client_id: Option<&str>, client_secret: Option<&str>) -> Ask {
        let body = json!({
            "grant_type": "client_credentials", "audience": API,
            "client_id": client_id.unwrap_or(&self.machine.client_id),
            "client_secret": client_secret.unwrap_or(&self.machine.client_secret),
        });
        self.api.anonymous().send(Method::POST, TOKEN, JSON, body.to_string())
    }

    fn form(&self, members: &[(&str, &str)]) -> Ask {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials").extend_pairs(members);
        self.api.anonymous().send(Method::POST, TOKEN, FORM, form.finish())
    }

    /// Token requests that are proved by a signature, each for one use.
    pub(crate) fn assertions(&self, count: u64) -> Result<Vec<Ask>, Failure> {
        let Signer { key, client_id } = &self.signer;
        let (audience, now) = (format!("https://{DOMAIN}/"), crate::key::now());
        let one = || {
            let claims = json!({
                "iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + 60,
                "jti": format!("{:032x}", fastrand::u128(..)),
            });
            let assertion = key.jwt(r#"{"alg":"RS256","typ":"JWT"}"#, &claims)?;
            Ok(self.form(&[
                ("client_id", client_id),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", &assertion),
                ("audience", API),
            ]))
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        std::thread::scope(|scope| {
            let part = || (0..count.div_ceil(threads)).map(|_| one()).collect::<Result<Vec<_>, Failure>>();
            let parts: Vec<_> = (0..threads).map(|_| scope.spawn(part)).collect();
            let mut all = Vec::new();
            for part in parts {
                all.extend(part.join().map_err(|_| "a thread failed")??);
            }
            Ok(all)
        })
    }

    /// Reads of the hot clients, each with a management token that the server has not seen. Tokens of one second are the
    /// same unless something else tells them apart; here scopes do.
    pub(crate) fn unseen(&self, count: u64, connections: usize) -> Result<Vec<Ask>, Failure> {
        let tokens = RefCell::new(BTreeSet::new());
        let bounds = Bounds { connections, lasts: Duration::from_secs(60), most: count };
        let ask = |_| {
            let more = fastrand::choose_multiple(&self.all_scopes, MORE_SCOPES).into_iter();
            let scopes: Vec<_> = more.map(String::as_str).chain([READ_SCOPES]).collect();
            admin_token(&self.api, &self.admin, Some(&scopes.join(" "))).ok()
        };
        self.load(
            &bounds,
            StatusCode::OK,
            &ask,
            Some(&|answer| {
                let answer = serde_json::from_slice::<Value>(answer).ok();
                tokens.borrow_mut().extend(answer.and_then(|answer| text(&answer, "access_token").ok()));
            }),
        )?;
        let ids = self.ids.iter().take(HOT).cycle();
        let read = |(token, id): (&String, &String)| Ok(self.api.with_token(token)?.get(&client_path(id)));
        tokens.borrow().iter().zip(ids).map(read).collect()
    }

    /// Stops the server, and starts it again on what it has.
    pub(crate) fn restart(self) -> Result<Self, Failure> {
        self.server.finish()?;
        let server = self.program.start(&self.place)?;
        let api = self.api.moved(server.address)?;
        Ok(Self { server, api, ..self })
    }
}

/// Which API a token is for.
#[derive(Clone, Copy)]
pub(crate) enum TokenFor {
    Rs256,
    Hs256,
}

impl TokenFor {
    fn audience(self) -> &'static str {
        match self {
            Self::Rs256 => API,
            Self::Hs256 => API_HS256,
        }
    }
}

pub(crate) fn client_path(id: &str) -> String {
    format!("{CLIENTS}/{id}")
}

/// Asks for an administrator's token, for everything or for less.
fn admin_token(api: &Api, admin: &HashMap<String, String>, scope: Option<&str>) -> Result<Ask, Failure> {
    let of = |name: &str| admin.get(name).ok_or_else(|| format!("`tenantry env` prints no {name}"));
    let mut body = json!({
        "grant_type": "client_credentials", "client_id": of("AUTH0_CLIENT_ID")?,
        "client_secret": of("AUTH0_CLIENT_SECRET")?, "audience": of("AUTH0_AUDIENCE")?,
    });
    if let Some(scope) = scope {
        body["scope"] = scope.into();
    }
    Ok(api.anonymous().send(Method::POST, TOKEN, JSON, body.to_string()))
}

/// An administrator's token, and its scopes.
fn token(
    api: &Api,
    admin: &HashMap<String, String>,
    scope: Option<&str>,
) -> Result<(String, Vec<String>), Failure> {
    let answer = api.once(&admin_token(api, admin, scope)?, StatusCode::OK)?;
    let answer = serde_json::from_slice(&answer)?;
    let scopes = text(&answer, "scope")?.split(' ').map(String::from).collect();
    Ok((text(&answer, "access_token")?, scopes))
}

/// Lets a client have tokens for an API.
fn grant(api: &Api, client_id: &str, audience: &str) -> Result<(), Failure> {
    let body = json!({"client_id": client_id, "audience": audience, "scope": ["read:things", "create:things", "update:things"]});
    api.post("/api/v2/client-grants", &body, StatusCode::CREATED).map(drop)
}

/// Makes both APIs, and the client that asks for their tokens.
fn machine(api: &Api) -> Result<Machine, Failure> {
    let scopes: Vec<_> =
        ["read:things", "create:things", "update:things"].map(|value| json!({"value": value})).into();
    let rs256 = json!({"identifier": API, "name": "measured", "scopes": scopes});
    let hs256 = json!({
        "identifier": API_HS256, "name": "measured without RSA", "scopes": scopes, "signing_alg": "HS256",
        "signing_secret": format!("{:032x}{:032x}", fastrand::u128(..), fastrand::u128(..)),
    });
    for body in [rs256, hs256] {
        api.post("/api/v2/resource-servers", &body, StatusCode::CREATED)?;
    }
    let body =
        json!({"name": "machine", "app_type": "non_interactive", "grant_types": ["client_credentials"]});
    let made = api.post(CLIENTS, &body, StatusCode::CREATED)?;
    let (client_id, client_secret) = (text(&made, "client_id")?, text(&made, "client_secret")?);
    grant(api, &client_id, API)?;
    grant(api, &client_id, API_HS256)?;
    Ok(Machine { client_id, client_secret })
}

/// Makes the client that proves itself by a key.
fn signer(api: &Api) -> Result<Signer, Failure> {
    let key = Key::generate()?;
    let credential = json!({"credential_type": "public_key", "pem": key.public_pem()?, "alg": "RS256"});
    let body = json!({
        "name": "signer", "app_type": "non_interactive", "grant_types": ["client_credentials"],
        "jwt_configuration": {"alg": "RS256"},
        "client_authentication_methods": {"private_key_jwt": {"credentials": [credential]}},
    });
    let client_id = text(&api.post(CLIENTS, &body, StatusCode::CREATED)?, "client_id")?;
    grant(api, &client_id, API)?;
    Ok(Signer { key, client_id })
}
