//! Which tenant, and who calls.

use super::explain;
use super::profiles::{Profile, Profiles};
use crate::options::data_path;
use crate::{Failure, local};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::path::PathBuf;
use tenantry_sdk::ManagementClient;
use tenantry_server::DataDir;

/// What is said about connections at the end of the help of every group.
pub(crate) const HELP: &str = "\
Which tenant, the first of these that says so:
  1. --domain and the other options of connections, --profile, --data-dir
  2. the variables AUTH0_…, if AUTH0_DOMAIN is set: eval \"$(tenantry env)\"
  3. the profile that TENANTRY_PROFILE names
  4. the profile in use: tenantry profiles use NAME
  5. the server of this machine, in TENANTRY_DATA_DIR or the usual directory
--profile and --data-dir leave the variables AUTH0_… aside.";

/// Which tenant, and who calls.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Domain of the tenant: tenant.eu.auth0.com, localhost:8443, or a base URL [env: AUTH0_DOMAIN]
    #[arg(long, value_name = "DOMAIN", global = true)]
    domain: Option<String>,
    /// Client that gets the token [env: AUTH0_CLIENT_ID]
    #[arg(long, value_name = "ID", global = true)]
    client_id: Option<String>,
    /// Its secret; better given by the environment or a profile [env: AUTH0_CLIENT_SECRET]
    #[arg(long, value_name = "SECRET", global = true)]
    client_secret: Option<String>,
    /// A token, instead of client and secret [env: AUTH0_API_TOKEN]
    #[arg(long, value_name = "TOKEN", global = true)]
    token: Option<String>,
    /// Audience of the token, if it is not the tenant's Management API [env: AUTH0_AUDIENCE]
    #[arg(long, value_name = "IDENTIFIER", global = true)]
    audience: Option<String>,
    /// Authority to trust besides the system's, in PEM [env: TENANTRY_CA_CERT]
    #[arg(long, value_name = "FILE", global = true)]
    ca_cert: Option<PathBuf>,
    /// A profile, see `tenantry profiles` [env: TENANTRY_PROFILE]
    #[arg(long, value_name = "NAME", global = true, conflicts_with = "data_dir")]
    profile: Option<String>,
    /// The server of this machine that keeps its data there [env: TENANTRY_DATA_DIR]
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
}

/// A tenant that can be called.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) sdk: ManagementClient,
    /// The client that calls, if that is known.
    pub(crate) client_id: Option<String>,
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Connection {
    /// What the variables `AUTH0_…` say.
    fn environment(&self) -> Profile {
        // An audience belongs to its tenant; another domain has another one.
        let audience = if self.domain.is_none() { variable("AUTH0_AUDIENCE") } else { None };
        Profile {
            domain: variable("AUTH0_DOMAIN"),
            client_id: variable("AUTH0_CLIENT_ID"),
            client_secret: variable("AUTH0_CLIENT_SECRET"),
            token: variable("AUTH0_API_TOKEN"),
            audience,
            ..Profile::default()
        }
    }

    /// What there is to say before single options take the place of single members.
    fn base(&self) -> Result<Profile, Failure> {
        if let Some(name) = &self.profile {
            return Profiles::load()?.get(name);
        }
        if let Some(path) = &self.data_dir {
            return Ok(Profile::local(path.clone()));
        }
        if self.domain.is_some() || variable("AUTH0_DOMAIN").is_some() {
            return Ok(self.environment());
        }
        if let Some(name) = variable("TENANTRY_PROFILE") {
            return Profiles::load()?.get(&name);
        }
        let profiles = Profiles::load()?;
        if let Some(name) = profiles.active() {
            return profiles.get(name);
        }
        if let Ok(path) = data_path(variable("TENANTRY_DATA_DIR").map(PathBuf::from))
            && DataDir::new(path.clone()).server_file().is_ok()
        {
            return Ok(Profile::local(path));
        }
        Err("no tenant is named\nhint: --domain, AUTH0_DOMAIN or `tenantry profiles add` name one; \
             `tenantry serve` starts one on this machine"
            .into())
    }

    /// What the options and the variables `AUTH0_…` say, and nothing that was remembered.
    pub(crate) fn described(&self) -> Result<Profile, Failure> {
        let is_elsewhere = self.profile.is_some() || self.data_dir.is_some();
        self.over(if is_elsewhere { self.base()? } else { self.environment() })
    }

    /// A profile with what the options say in place of its members.
    fn over(&self, mut profile: Profile) -> Result<Profile, Failure> {
        if self.domain.is_some() || self.client_id.is_some() || self.token.is_some() {
            profile.data_dir = None;
        }
        if self.client_id.is_some() || self.client_secret.is_some() {
            profile.token = None;
        }
        let set = |member: &mut Option<String>, option: &Option<String>| {
            if option.is_some() {
                member.clone_from(option);
            }
        };
        set(&mut profile.domain, &self.domain);
        set(&mut profile.client_id, &self.client_id);
        set(&mut profile.client_secret, &self.client_secret);
        set(&mut profile.token, &self.token);
        set(&mut profile.audience, &self.audience);
        if let Some(path) = self.ca_cert.clone().or_else(|| variable("TENANTRY_CA_CERT").map(PathBuf::from)) {
            profile.ca_cert = Some(std::path::absolute(path)?);
        }
        if let Some(path) = &mut profile.data_dir {
            *path = std::path::absolute(&*path)?;
        }
        Ok(profile)
    }

    pub(crate) async fn open(&self) -> Result<Opened, Failure> {
        let profile = self.over(self.base()?)?;
        if let Some(path) = profile.data_dir {
            return local::server(
                &DataDir::new(path),
                None,
                std::env::var("TENANTRY_DATABASE_URL").ok().as_deref(),
            )
            .await?
            .open();
        }
        let domain = profile.domain.ok_or("no tenant is named\nhint: add --domain")?;
        let mut builder = ManagementClient::builder(domain);
        let client_id;
        builder = match (profile.token, profile.client_id, profile.client_secret) {
            (Some(token), _, _) => {
                client_id = client_of(&token);
                builder.token(token)
            }
            (None, Some(id), Some(secret)) => {
                client_id = Some(id.clone());
                builder.client_credentials(id, secret)
            }
            _ => {
                return Err("nothing says who calls\nhint: set AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET, or \
                            AUTH0_API_TOKEN; `tenantry profiles add` remembers them"
                    .into());
            }
        };
        if let Some(audience) = profile.audience {
            builder = builder.audience(audience);
        }
        if let Some(path) = profile.ca_cert {
            let pem = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            builder = builder.ca_certificate(pem);
        }
        Ok(Opened { sdk: builder.build().map_err(explain)?, client_id })
    }
}

/// The client that a token was issued to, as far as the token says so. Nothing is decided by it but what to leave alone.
fn client_of(token: &str) -> Option<String> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    ["azp", "client_id"].iter().find_map(|name| claims[*name].as_str()).map(str::to_owned)
}
