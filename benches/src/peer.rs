//! Another server that does the same: oidc-provider on Node.js, with everything in memory.

use crate::Failure;
use crate::api::{Api, FORM, JSON, text};
use crate::load::{Ask, Load};
use crate::process::Process;
use crate::rounds::{Operation, Sample};
use crate::subject::Bounds;
use http::{Method, StatusCode};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

pub(crate) const TOKEN: &str = "oidc-provider: token";
pub(crate) const READ: &str = "oidc-provider: read one client";
pub(crate) const CREATE: &str = "oidc-provider: create a client, in memory";

/// Requests after which the compiler of Node.js has seen enough.
const WARM_UP: u64 = 3_000;

const SCRIPT: &str = "oidc-provider.mjs";
const REGISTRATION: &str = "/reg";

pub(crate) struct Peer {
    process: Process,
    api: Api,
    secret: String,
}

impl Peer {
    /// Starts it from a directory where its dependencies are installed.
    pub(crate) fn start(dir: &Path) -> Result<Self, Failure> {
        let secret = format!("{:032x}{:032x}", fastrand::u128(..), fastrand::u128(..));
        let mut command = Command::new("node");
        command.arg(SCRIPT).current_dir(dir).env("NODE_ENV", "production").env("PEER_SECRET", &secret);
        let process = Process::start(&mut command, "/.well-known/openid-configuration")?;
        Ok(Self { api: Api::new(process.address)?, process, secret })
    }

    fn token(&self) -> Ask {
        let form = format!("grant_type=client_credentials&client_id=machine&client_secret={}", self.secret);
        self.api.send(Method::POST, "/token", FORM, form)
    }

    fn create(&self) -> Ask {
        let body = json!({
            "client_name": "One of those that the measurements made",
            "redirect_uris": ["https://app.example.com/callback"],
            "grant_types": ["authorization_code", "client_credentials"],
        });
        self.api.send(Method::POST, REGISTRATION, JSON, body.to_string())
    }

    /// A read of a client that is made for it: of many, the memory keeps the newest.
    fn read(&self) -> Result<Ask, Failure> {
        let made = serde_json::from_slice(&self.api.once(&self.create(), StatusCode::CREATED)?)?;
        let api = self.api.with_token(&text(&made, "registration_access_token")?)?;
        Ok(api.get(&format!("{REGISTRATION}/{}", text(&made, "client_id")?)))
    }

    fn load(&self, ask: &Ask, bounds: &Bounds, expect: StatusCode) -> Result<Sample, Failure> {
        let Bounds { connections, lasts, most } = *bounds;
        let (to, process, ask) = (self.api.address, Some(self.process.id()), |_| Some(ask.clone()));
        Ok(Load { to, connections, lasts, most, expect, ask: &ask, answer: None, process }.run()?.into())
    }

    pub(crate) fn operations(&self, connections: usize) -> Vec<Operation<'_>> {
        let operation = |name, expect, make: fn(&Self) -> Result<Ask, Failure>| {
            let mut is_cold = true;
            Operation::new(name, None, move |lasts| {
                let ask = make(self)?;
                if std::mem::take(&mut is_cold) {
                    let bounds = Bounds { connections, lasts: Duration::from_secs(60), most: WARM_UP };
                    self.load(&ask, &bounds, expect)?;
                }
                self.load(&ask, &Bounds { connections, lasts, most: u64::MAX }, expect)
            })
        };
        vec![
            operation(TOKEN, StatusCode::OK, |peer| Ok(peer.token())),
            operation(CREATE, StatusCode::CREATED, |peer| Ok(peer.create())),
            operation(READ, StatusCode::OK, Self::read),
        ]
    }
}
