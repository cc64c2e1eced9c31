//! What surrounds every request: limits on headers, the request's id, the log line of a failure, and the headers that
//! every answer has.

use super::error::InternalCause;
use super::{MAX_HEADERS, Peer};
use crate::app::App;
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, Request, StatusCode, header};
use hyper::body::Incoming;
use std::convert::Infallible;
use std::net::IpAddr;
use tenantry_types::ApiError;
use tower::ServiceExt as _;

/// The whole of the public API, ready to answer requests.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) app: App,
    pub(crate) router: Router,
}

/// Who sent a request, as far as addresses tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source(pub(crate) IpAddr);

const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl Service {
    pub(crate) async fn handle(
        self,
        mut request: Request<Incoming>,
        peer: Peer,
    ) -> Result<Response, Infallible> {
        let forwarded = || self.app.proxies.as_ref()?.certificate(peer.address.ip(), request.headers());
        if let Some(certificate) = peer.certificate.or_else(forwarded) {
            request.extensions_mut().insert(certificate);
        }
        let address = peer.address.ip();
        let source = match &self.app.proxies {
            Some(proxies) => proxies.source(address, request.headers()),
            None => address,
        };
        request.extensions_mut().insert(Source(source));
        let size: usize =
            request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        let mut response = if size > MAX_HEADERS || request.uri().path().len() > MAX_HEADERS {
            super::Failure::from(ApiError::new(431, "Request Header Fields Too Large")).into_response()
        } else {
            let Ok(response) = self.router.clone().oneshot(request.map(Body::new)).await;
            response
        };
        if response.extensions().get::<InternalCause>().is_some() {
            response = failed(&self.app, &response);
        }
        self.add_headers(&mut response);
        Ok(response)
    }

    fn add_headers(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.entry(RATE_LIMIT).or_insert(HeaderValue::from_static("1000"));
        headers.entry(RATE_REMAINING).or_insert(HeaderValue::from_static("999"));
        headers.insert(RATE_RESET, HeaderValue::from(self.app.clock.now_secs() + 1));
        headers.insert(header::VARY, HeaderValue::from_static("origin,accept-encoding"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    }
}

/// Logs why, and tells the caller where to look for it.
fn failed(app: &App, response: &Response) -> Response {
    let id = app.random.text(b"0123456789abcdef", 16);
    let cause = response.extensions().get::<InternalCause>().map_or("unknown", |cause| cause.0.as_str());
    let status = response.status();
    // What is not available for now is logged where that is noticed: once, not with every request.
    if status == StatusCode::SERVICE_UNAVAILABLE {
        tracing::debug!(request_id = id, cause, "request failed");
    } else {
        tracing::error!(request_id = id, cause, "request failed");
    }
    let error = match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            ApiError::new(503, format!("The service is not available for now (request id {id})"))
        }
        _ => ApiError::new(500, format!("An internal error occurred (request id {id})")),
    };
    let mut response = super::Failure::from(error).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
