//! Health checks and metrics, on a listener of their own.

use crate::app::App;
use crate::metrics::Exposition;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{StatusCode, header};

/// Whether a path is one that everybody may ask. What `/metrics` tells is not for everybody, and `--http-listen` may be
/// behind a proxy that passes on whatever there is.
pub(crate) fn is_harmless(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// `/healthz` says that the process answers, `/readyz` that it can do its work, `/metrics` what it did.
pub(crate) fn router(exposition: Exposition) -> Router {
    let app = exposition.app.clone();
    let metrics = async move || match exposition.page().await {
        Ok(page) => ([(header::CONTENT_TYPE, Exposition::CONTENT_TYPE)], page).into_response(),
        Err(_) => Response::default(),
    };
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(app)
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
