//! What every route shares: who is calling, what they sent, how errors become answers, and the listeners.

mod body;
mod caller;
mod connections;
mod error;
mod list;
mod listener;
mod outgoing;
mod pace;
mod query;
mod request_id;
mod route;
mod service;
#[cfg(feature = "otel")]
mod span;
mod traffic;

pub(crate) use body::{Form, Input, Metadata};
pub(crate) use caller::{Caller, VerifiedTokens};
pub(crate) use connections::{ConnectionFigures, Connections, network};
pub(crate) use error::{ApiResult, Failure, OAuthError, Refused};
pub(crate) use list::{Envelope, Listed, MOST_BY_NUMBER, Window, checkpoints, paging, paging_of_zero};
pub(crate) use listener::{Listener, Peer, Tls};
pub use outgoing::Network;
pub(crate) use outgoing::Outgoing;
pub(crate) use pace::Patience;
pub(crate) use query::{Page, Query, list_link};
pub use request_id::with_request_id;
pub(crate) use route::{ApiRoute, RouteInput, Slice, State};
pub(crate) use service::{Service, Source};
#[cfg(feature = "otel")]
pub use span::SPANS;
pub(crate) use traffic::Traffic;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};

/// Bodies of requests are no larger than this; the largest real one seen is a hundred times smaller.
pub(crate) const MAX_BODY: usize = 1 << 20;
/// Headers of a request, names and values together, are no larger than this.
pub(crate) const MAX_HEADERS: usize = 32 << 10;
/// As many headers as a request may have; no more are read of HTTP/1.
pub(crate) const MAX_HEADER_COUNT: usize = 100;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// An answer of the Management API.
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(axum::body::Body::from(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// `OPTIONS` of a route that browsers call from other origins; the layer around it adds what they ask for.
pub(crate) async fn options() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// 204, with the content type that the API sends even then.
pub(crate) fn no_content() -> Response {
    (StatusCode::NO_CONTENT, [(header::CONTENT_TYPE, JSON)]).into_response()
}
