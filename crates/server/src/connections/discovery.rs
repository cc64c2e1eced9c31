//! What `OpenID` providers publish about themselves. It is read when a connection names its provider and does not bring
//! the metadata along.

use crate::app::App;
use tenantry_types::{Object, connections};

/// A document has no more bytes. Most have some 3,000; the largest list every claim and locale they know.
const MOST: usize = 64 << 10;

/// The metadata that the options of a checked body leave out. None when the provider cannot be asked: a connection can
/// be set up before its provider, or out of its reach.
pub(super) async fn discover(app: &App, strategy: &str, body: &Object) -> Option<Object> {
    let url = connections::discovery_url(strategy, body)?;
    match app.outgoing.json(&url, MOST).await {
        Ok(document) => {
            let metadata = connections::discovered(document);
            if metadata.is_none() {
                tracing::info!(host = url.host_str(), "a discovery document names no issuer");
            }
            metadata
        }
        Err(reason) => {
            tracing::info!(host = url.host_str(), reason, "a discovery document was not read");
            None
        }
    }
}
