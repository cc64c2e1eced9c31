//! The master key's file, looked at while the server runs, so that the key can be changed without a restart.

use crate::app::App;
use crate::data_dir::{DataDir, ServerFile};
use crate::keys;
use crate::seal::MasterKey;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;
use zeroize::Zeroizing;

/// How often the file is looked at. Whoever changes the key waits for as long.
const EVERY: Duration = Duration::from_secs(1);

/// What tells that a file was written or replaced.
#[derive(PartialEq)]
struct Seen(u64, u64, i64, i64);

impl Seen {
    fn of(file: &Metadata) -> Self {
        Self(file.ino(), file.len(), file.mtime(), file.mtime_nsec())
    }
}

/// Takes the keys of the file as they change, and says in `server.json` which ones the server has.
pub(crate) async fn watch(
    app: App,
    dir: DataDir,
    mut server: ServerFile,
    mut stopped: watch::Receiver<bool>,
) {
    let Some(path) = server.master_key_file.clone() else { return };
    let (mut seen, mut failed) = (None, None);
    loop {
        let now = tokio::fs::metadata(&path).await.ok().map(|file| Seen::of(&file));
        // A file that is gone is no new key.
        if now.is_some() && now != seen {
            match take(&app, &path).await {
                Ok(()) => {
                    (seen, failed) = (now, None);
                    if server.master_keys != app.master.ids() {
                        server.master_keys = app.master.ids();
                        tracing::info!(keys = ?server.master_keys, "took the master key anew");
                        if let Err(error) = dir.write_server_file(&server) {
                            tracing::error!(%error, "cannot say which master key is in use");
                        }
                    }
                }
                Err(error) if failed.as_ref() == Some(&error) => {}
                Err(error) => {
                    tracing::error!(file = %path.display(), error, "the new master key cannot be used; the old one stays");
                    failed = Some(error);
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopped.changed() => return,
        }
    }
}

/// Uses the keys of the file, if they open what is stored.
async fn take(app: &App, path: &Path) -> Result<(), String> {
    let text = Zeroizing::new(tokio::fs::read_to_string(path).await.map_err(|error| error.to_string())?);
    let keys = MasterKey::parse(&text).map_err(|error| error.to_string())?;
    if keys.ids() == app.master.ids() {
        return Ok(());
    }
    let current = keys::store::current(&app.db, &app.tenant).await.map_err(|error| error.to_string())?;
    let current = current.ok_or("there is no current signing key")?;
    let context = keys::seal_context(&app.tenant, &current.kid);
    keys.open(&context, &current.private_key).map_err(|error| error.to_string())?;
    app.master.replace(&keys);
    Ok(())
}
