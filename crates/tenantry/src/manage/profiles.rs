//! Named connections, in a file that only its owner may read; and `tenantry profiles`.

use super::connection::Connection;
use super::input::confirm;
use super::output::{Fields, Output};
use super::to_json;
use crate::Failure;
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A named connection: a domain with what its calls are authenticated by, or a server of this machine.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca_cert: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_dir: Option<PathBuf>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").field("domain", &self.domain).finish_non_exhaustive()
    }
}

impl Profile {
    pub(crate) fn local(data_dir: PathBuf) -> Self {
        Self { data_dir: Some(data_dir), ..Self::default() }
    }
}

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profiles {
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// The variable that names the file.
const FILE_VARIABLE: &str = "TENANTRY_PROFILES";

fn file() -> Result<PathBuf, Failure> {
    if let Some(path) = std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(std::path::absolute(path)?);
    }
    let dirs = directories::ProjectDirs::from("", "", "tenantry")
        .ok_or("there is no home directory\nhint: name the file of profiles with TENANTRY_PROFILES")?;
    Ok(dirs.config_dir().join("profiles.toml"))
}

impl Profiles {
    /// Reads the file. One that others may read is refused: it holds secrets.
    pub(crate) fn load() -> Result<Self, Failure> {
        let path = file()?;
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let mut file = match std::fs::File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            opened => opened.map_err(|error| at(&error))?,
        };
        let mode = file.metadata().map_err(|error| at(&error))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let shown = path.display();
            return Err(format!(
                "{shown} holds secrets, and others may use it (mode {mode:04o})\nhint: chmod 600 '{shown}'; replace \
                 the secrets if somebody else could have read them"
            )
            .into());
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| at(&error))?;
        // The error would show the line, and with it a secret.
        Ok(toml::from_str(&text).map_err(|error| at(&error.message()))?)
    }

    /// Writes the file, for its owner only, all of it or nothing.
    fn save(&self) -> Result<(), Failure> {
        let path = file()?;
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let dir = path.parent().unwrap_or(Path::new("."));
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| at(&error))?;
        // Such a file has the mode 0600 from its first moment on.
        let mut file = tempfile::NamedTempFile::new_in(dir).map_err(|error| at(&error))?;
        file.write_all(toml::to_string(self)?.as_bytes()).map_err(|error| at(&error))?;
        file.as_file().sync_all().map_err(|error| at(&error))?;
        file.persist(&path).map_err(|error| at(&error.error))?;
        Ok(())
    }

    pub(crate) fn active(&self) -> Option<&str> {
        self.active.as_deref()
    }

    pub(crate) fn get(&self, name: &str) -> Result<Profile, Failure> {
        Ok(self.profiles.get(name).cloned().ok_or_else(|| self.unknown(name))?)
    }

    fn unknown(&self, name: &str) -> String {
        let names: Vec<_> = self.profiles.keys().map(String::as_str).collect();
        let hint = if names.is_empty() {
            "there are none yet; `tenantry profiles add` makes one".to_owned()
        } else {
            format!("there are: {}", names.join(", "))
        };
        format!("there is no profile `{name}`\nhint: {hint}")
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Profiles are kept in the file that TENANTRY_PROFILES names, else in profiles.toml
in the platform's directory for configuration, readable for you alone.

Examples:
  tenantry profiles add prod --domain tenant.eu.auth0.com --client-id ID
  tenantry profiles add here --data-dir ./data
  tenantry clients list --profile prod")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Remember a connection; without options the one that the variables AUTH0_… name
    Add {
        /// Its name
        #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
        name: String,
        /// Read the client's secret from standard input
        #[arg(long)]
        secret_stdin: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// List the profiles
    List,
    /// Make a profile the one that is used when nothing else is said
    Use {
        /// Its name
        name: String,
    },
    /// Forget a profile
    Remove {
        /// Its name
        name: String,
        #[command(flatten)]
        deletion: super::Deletion,
    },
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let mut all = Profiles::load()?;
    match args.command {
        Command::Add { name, secret_stdin, connection } => {
            if name.is_empty() || all.profiles.contains_key(&name) {
                return Err(format!(
                    "there is a profile `{name}` already\nhint: tenantry profiles remove {name}"
                )
                .into());
            }
            all.profiles.insert(name.clone(), complete(&connection, secret_stdin)?);
            let is_first = all.active.is_none();
            if is_first {
                all.active = Some(name.clone());
            }
            all.save()?;
            let used = if is_first { " and will be used when nothing else is said" } else { "" };
            eprintln!("added {name}{used}");
            Ok(())
        }
        Command::List => {
            let rows = all.profiles.iter().map(|(name, profile)| {
                let mut row = json!({"name": name, "active": all.active.as_deref() == Some(name)});
                if let (Some(row), serde_json::Value::Object(profile)) =
                    (row.as_object_mut(), to_json(profile)?)
                {
                    row.extend(profile);
                }
                Ok(row)
            });
            let rows = rows.collect::<Result<_, Failure>>()?;
            let columns = ["name", "active", "domain", "client_id", "data_dir"];
            args.output.list(rows, &Fields::default(), &columns)
        }
        Command::Use { name } => {
            all.get(&name)?;
            all.active = Some(name.clone());
            all.save()?;
            eprintln!("{name} is used when nothing else is said");
            Ok(())
        }
        Command::Remove { name, deletion } => {
            all.get(&name)?;
            confirm(&format!("Forget the profile {name}?"), deletion.yes)?;
            all.profiles.remove(&name);
            all.active = all.active.filter(|active| *active != name);
            all.save()?;
            eprintln!("removed {name}");
            Ok(())
        }
    }
}

/// The profile that the options and variables describe; asks for the secret if it lacks.
fn complete(connection: &Connection, secret_stdin: bool) -> Result<Profile, Failure> {
    let mut profile = connection.described()?;
    if profile.data_dir.is_some() {
        return Ok(profile);
    }
    if profile.domain.is_none() {
        return Err(
            "a profile needs a domain\nhint: add --domain, or --data-dir for a server of this machine".into(),
        );
    }
    if profile.token.is_some() {
        return Ok(profile);
    }
    if profile.client_id.is_none() {
        return Err("a profile needs a client\nhint: add --client-id, or --token".into());
    }
    if secret_stdin {
        let mut secret = String::new();
        std::io::stdin().read_to_string(&mut secret)?;
        profile.client_secret = Some(secret.trim_end_matches(['\r', '\n']).to_owned());
    } else if profile.client_secret.is_none() {
        if !std::io::stdin().is_terminal() {
            return Err(
                "a profile needs the client's secret\nhint: --secret-stdin reads it from standard input"
                    .into(),
            );
        }
        profile.client_secret = Some(rpassword::prompt_password("Client secret: ")?);
    }
    if profile.client_secret.as_deref() == Some("") {
        return Err("the secret is empty".into());
    }
    Ok(profile)
}
