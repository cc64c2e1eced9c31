//! The data directory: its rights, its lock, and the files that others read.

use crate::seal::{MasterKey, SealError};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};
use zeroize::Zeroizing;

/// The data directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process has it.
    #[error(
        "another tenantry process is using {0}; stop it first, or choose another with --data-dir or --database-url"
    )]
    InUse(PathBuf),
    /// Nothing was ever served from it.
    #[error("there is no tenant in {0} yet; start one with `tenantry serve`")]
    Empty(PathBuf),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The master key cannot be used.
    #[error("{path}: {source}")]
    MasterKey {
        /// Where it was read from.
        path: String,
        /// Why not.
        source: SealError,
    },
    /// The database exists, but the key that its secrets are sealed with is gone.
    #[error(
        "{database} exists, but its master key {key} does not; put the key back, or give it with --master-key-file"
    )]
    MasterKeyMissing {
        /// The database.
        database: String,
        /// The key.
        key: PathBuf,
    },
    /// `server.json` is not what the server wrote.
    #[error("{path}: {source}")]
    ServerFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// A data directory.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

/// What `server.json` says of a server: where it listens and whom it trusts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServerFile {
    /// The domain.
    pub domain: String,
    /// URLs of the listeners.
    pub listeners: Vec<String>,
    /// Path of the local certificate authority.
    pub ca: PathBuf,
    /// URL of the database, without a password.
    pub database: String,
    /// Path of the master key, unless it came from the environment.
    pub master_key_file: Option<PathBuf>,
    /// Whether the server uses the certificate of the local authority.
    pub uses_local_ca: bool,
    /// The names of the master keys that the server has, the one that seals first.
    #[serde(default)]
    pub master_keys: Vec<String>,
}

/// The environment variable that may hold the master key.
pub const MASTER_KEY_VARIABLE: &str = "TENANTRY_MASTER_KEY";

impl DataDir {
    /// Names a directory.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Creates it, for its owner only, unless it is there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(&self) -> Result<(), DataDirError> {
        let make = || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700))
        };
        make().map_err(|source| DataDirError::Io { path: self.0.clone(), source })
    }

    /// Keeps other processes out until the answer is dropped.
    ///
    /// # Errors
    /// Another process is in.
    pub fn lock(&self) -> Result<File, DataDirError> {
        self.lock_file(&self.0.join("lock"))
    }

    /// The same for a database, which may be in another directory than the rest.
    ///
    /// # Errors
    /// Another process is in.
    pub fn lock_database(&self, database: &Path) -> Result<File, DataDirError> {
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        self.lock_file(Path::new(&path))
    }

    fn lock_file(&self, path: &Path) -> Result<File, DataDirError> {
        let io = |source| DataDirError::Io { path: path.to_owned(), source };
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(if path == self.0.join("lock") {
                self.0.clone()
            } else {
                path.with_extension("")
            })),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// The path of a file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What is kept in it, whether it is there yet or not.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let names = ["lock", "server.json", "tenantry.db", "ca.pem", "ca-bundle.pem", "master.key"];
        names.map(|name| self.file(name)).into()
    }

    /// The database, unless another place is configured.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.file("tenantry.db")
    }

    /// The local certificate authority.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// The system's certificate authorities and ours in one file.
    #[must_use]
    pub fn ca_bundle(&self) -> PathBuf {
        self.file("ca-bundle.pem")
    }

    /// The master key, unless another place is configured.
    #[must_use]
    pub fn master_key_file(&self) -> PathBuf {
        self.file("master.key")
    }

    /// Where the master key is read from; `None` when it comes from the environment.
    #[must_use]
    pub fn master_key_path(&self, file: Option<&Path>) -> Option<PathBuf> {
        let path = file.map_or_else(|| self.master_key_file(), Path::to_owned);
        std::env::var_os(MASTER_KEY_VARIABLE).is_none().then_some(path)
    }

    /// Reads the master key: from the environment, else from `file`. Makes one if there is none, unless `database` has
    /// secrets that are sealed with one already.
    ///
    /// # Errors
    /// There are secrets without a key, or what is there is no key.
    pub fn master_key(&self, file: Option<&Path>, database: Option<&str>) -> Result<MasterKey, DataDirError> {
        if let Some(text) = std::env::var_os(MASTER_KEY_VARIABLE) {
            let text = Zeroizing::new(text.into_string().unwrap_or_default());
            return MasterKey::parse(&text)
                .map_err(|source| DataDirError::MasterKey { path: MASTER_KEY_VARIABLE.into(), source });
        }
        let path = file.map_or_else(|| self.master_key_file(), Path::to_owned);
        let bad = |source| DataDirError::MasterKey { path: path.display().to_string(), source };
        let io = |source| DataDirError::Io { path: path.clone(), source };
        if !path.exists() {
            if let Some(database) = database {
                return Err(DataDirError::MasterKeyMissing { database: database.to_owned(), key: path });
            }
            write_private(&path, MasterKey::generate().map_err(bad)?.as_bytes()).map_err(io)?;
        }
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(io)?);
        MasterKey::parse(&text).map_err(bad)
    }

    /// Writes a file that anyone may read, all of it or nothing.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path, content: &[u8]) -> Result<(), DataDirError> {
        replace(path, content, 0o644).map_err(|source| DataDirError::Io { path: path.to_owned(), source })
    }

    /// Writes `server.json`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_server_file(&self, server: &ServerFile) -> Result<(), DataDirError> {
        let path = self.file("server.json");
        let json = serde_json::to_vec_pretty(server)
            .map_err(|source| DataDirError::ServerFile { path: path.clone(), source })?;
        write_private(&path, &json).map_err(|source| DataDirError::Io { path, source })
    }

    /// Reads `server.json`, which the last server that ran here left.
    ///
    /// # Errors
    /// No server ever ran here.
    pub fn server_file(&self) -> Result<ServerFile, DataDirError> {
        let path = self.file("server.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(DataDirError::Empty(self.0.clone()));
            }
            Err(source) => return Err(DataDirError::Io { path, source }),
        };
        let mut server: ServerFile =
            serde_json::from_slice(&text).map_err(|source| DataDirError::ServerFile { path, source })?;
        self.move_in(&mut server);
        Ok(server)
    }

    /// What a server had in its directory is looked for here, if the directory was copied or moved since: whoever works on
    /// a copy must not touch the original.
    fn move_in(&self, server: &mut ServerFile) {
        let Some(home) = server.ca.parent().map(Path::to_owned) else { return };
        let is_home = match (fs::canonicalize(&home), fs::canonicalize(&self.0)) {
            (Ok(home), Ok(here)) => home == here,
            _ => false,
        };
        if is_home {
            return;
        }
        let moved = |path: &Path| {
            let inside = path.strip_prefix(&home).ok()?;
            let is_inside = inside.components().all(|part| matches!(part, Component::Normal(_)));
            is_inside.then(|| self.0.join(inside))
        };
        if let Some(path) = server.database.strip_prefix("sqlite:").and_then(|path| moved(Path::new(path))) {
            server.database = format!("sqlite:{}", path.display());
        }
        if let Some(path) = server.master_key_file.as_deref().and_then(moved) {
            server.master_key_file = Some(path);
        }
        if let Some(path) = moved(&server.ca) {
            server.ca = path;
        }
    }
}

pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, content, 0o600)
}

/// Writes beside the file and moves it into place, so that a reader sees the old or the new one, never a half.
fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    sync_directory_of(path)
}

/// Makes the name of a file last, not only its content.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}
