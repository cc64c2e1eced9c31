//! Health checks, on a listener of their own.

use crate::app::App;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;

/// `/healthz` says that the process answers, `/readyz` that it can do its work.
pub(crate) fn router(app: &App) -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready)).with_state(app.clone())
}

async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.db.query_opt("SELECT MAX(version) FROM migration", &[], |row| row.int(0)).await {
        Ok(Some(_)) => (StatusCode::OK, "ready\n"),
        Ok(None) => (StatusCode::SERVICE_UNAVAILABLE, "not migrated\n"),
        Err(error) => {
            tracing::error!(%error, "the database cannot be reached");
            (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached\n")
        }
    }
}
