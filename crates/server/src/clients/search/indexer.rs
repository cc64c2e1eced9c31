//! Brings the terms of new clients to their places, a moment later and many at once.

use super::index::{has_new, index_new};
use crate::app::App;
use crate::db::DbResult;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// How long new clients gather.
const GATHERING: Duration = Duration::from_millis(500);

/// Indexes new clients until the server stops. Those that are left then are indexed by another server, or the next.
pub(crate) async fn run(app: App, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            () = sleep(GATHERING) => {}
        }
        while !*stopped.borrow() {
            match index_some(&app).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::debug!(%error, "new clients wait to be indexed");
                    break;
                }
            }
        }
    }
}

/// Whether there may be more.
async fn index_some(app: &App) -> DbResult<bool> {
    Ok(has_new(&app.db, &app.tenant).await? && index_new(&app.db, &app.tenant).await?)
}
