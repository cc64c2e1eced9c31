//! What surrounds every request: limits on headers, the request's id, the log line of a failure, and the headers that
//! every answer has.

use super::error::InternalCause;
use super::pace::TimedBody;
use super::request_id::{REQUEST_ID, RequestId};
use super::traffic::{Operation, Traffic};
use super::{Failure, MAX_HEADER_COUNT, MAX_HEADERS, Peer};
use crate::app::App;
use crate::limiter::{self, Refused, Ticket};
use crate::limits::Limits;
use crate::{discovery, openapi};
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Request, StatusCode, Version, header};
use hyper::body::Incoming;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tenantry_types::ApiError;
use tower::ServiceExt as _;
use tower_http::compression::CompressionLayer;

/// The whole of the public API, ready to answer requests.
pub(crate) struct Service {
    app: App,
    router: Router,
    /// The same for those who take answers compressed.
    compressing: Router,
    traffic: Arc<Traffic>,
    /// How long a request's body may take to arrive, and the whole of a request to be answered.
    body_time: Duration,
    request_time: Duration,
}

/// The answer to a request, on its way.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Who sent a request, as far as addresses tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source(pub(crate) IpAddr);

/// How many headers every answer gets.
const ADDED: usize = 8;

impl Service {
    pub(crate) fn new(app: App, router: Router, traffic: Arc<Traffic>, limits: &Limits) -> Self {
        let compressing = router.clone().layer(CompressionLayer::new());
        let (body_time, request_time) = (limits.patience.body, limits.request_time);
        Self { app, router, compressing, traffic, body_time, request_time }
    }

    /// Answers a request. The future is boxed, because it is large, and moved a few times on its way into the connection.
    pub(crate) fn handle(self: &Arc<Self>, request: Request<Incoming>, peer: Peer) -> Answer {
        let (service, id) = (Arc::clone(self), RequestId::new(&self.app.random));
        Box::pin(id.scope(async move { Ok(service.respond(request, peer, id).await) }))
    }

    async fn respond(&self, request: Request<Incoming>, peer: Peer, id: RequestId) -> Response {
        let began = Instant::now();
        let version = request.version();
        let mut request = request.map(|body| TimedBody::new(body, self.body_time, version));
        let operation = self.traffic.operation(request.method(), request.uri().path());
        let _in_flight = self.traffic.in_flight.enter();
        let address = peer.address.ip();
        let forwarded = || self.app.proxies.as_ref()?.certificate(address, request.headers());
        if let Some(certificate) = peer.certificate.or_else(forwarded) {
            request.extensions_mut().insert(certificate);
        }
        let source = match &self.app.proxies {
            Some(proxies) => proxies.source(address, request.headers()),
            None => address,
        };
        request.extensions_mut().insert(Source(source));
        #[cfg(feature = "otel")]
        let span = super::span::begin(operation, request.headers(), id, source);
        let answer = async {
            let mut response = match self.admit(operation, &request, source) {
                Ok(ticket) => self.answer(request, ticket, id).await,
                Err(refused) => {
                    refused.tell(&self.app, None);
                    refused.answer(operation.subject)
                }
            };
            self.add_headers(&mut response);
            response.headers_mut().insert(REQUEST_ID, id.header());
            let (status, time) = (response.status(), began.elapsed());
            self.traffic.record(operation, status, time);
            let (method, route) = (operation.method, operation.route);
            let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            let code = status.as_u16();
            if status == StatusCode::INTERNAL_SERVER_ERROR {
                tracing::warn!(method, route, status = code, micros, %source, "answered");
            } else {
                tracing::debug!(method, route, status = code, micros, %source, "answered");
            }
            response
        };
        #[cfg(feature = "otel")]
        let answer = {
            let answer = tracing::Instrument::instrument(answer, span.clone());
            async move {
                let response = answer.await;
                super::span::end(&span, response.status());
                response
            }
        };
        answer.await
    }

    /// Lets the request in, where requests are limited.
    fn admit(
        &self,
        operation: &Operation,
        request: &Request<TimedBody>,
        source: IpAddr,
    ) -> Result<Option<Ticket>, Refused> {
        let Some(limiter) = &self.app.limiter else { return Ok(None) };
        let ticket = limiter.enter(operation.subject, request.uri().query(), source, self.app.clock.now_ms());
        ticket.map(Some)
    }

    async fn answer(
        &self,
        mut request: Request<TimedBody>,
        ticket: Option<Ticket>,
        id: RequestId,
    ) -> Response {
        if let Some(ticket) = ticket {
            request.extensions_mut().insert(ticket);
        }
        let headers = request.headers();
        let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        let is_too_large = size > MAX_HEADERS
            || headers.len() > MAX_HEADER_COUNT
            || request.uri().path().len() > MAX_HEADERS;
        let mut response = if is_too_large {
            Failure::from(ApiError::new(431, "Request Header Fields Too Large")).into_response()
        } else if !has_host(&request) {
            Failure::from(ApiError::new(400, "A request needs one Host header with the name of a host"))
                .into_response()
        } else {
            let answer = tokio::time::timeout(self.request_time, self.route(request)).await;
            answer.unwrap_or_else(|_| {
                tracing::warn!("the request took too long");
                Failure::Unavailable("the request took too long".into()).into_response()
            })
        };
        if response.extensions().get::<InternalCause>().is_some() {
            response = failed(id, &response);
        }
        if let (Some(ticket), Some(limiter)) = (ticket, &self.app.limiter)
            && !response.headers().contains_key(limiter::LIMIT)
            && let Some(standing) = limiter.look(ticket, self.app.clock.now_ms())
        {
            standing.write(response.headers_mut());
        }
        response
    }

    async fn route(&self, request: Request<TimedBody>) -> Response {
        let accepted = request.headers().get_all(header::ACCEPT_ENCODING).iter();
        // The description is large, and anybody may ask for it: compressing it each time would cost too much.
        let compresses = request.uri().path() != openapi::PATH
            && accepted.into_iter().any(|accepted| contains(accepted.as_bytes(), b"gzip"));
        if !compresses && let Some(response) = discovery::answer(&self.app, &request).await {
            return response;
        }
        let router = if compresses { &self.compressing } else { &self.router };
        let request = request.map(Body::new);
        let Ok(response) = router.clone().oneshot(request).await;
        response
    }

    fn add_headers(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.reserve(ADDED);
        // Programs look at these, and must not trip over their absence where nothing is limited.
        if !headers.contains_key(limiter::LIMIT) {
            headers.insert(limiter::LIMIT, HeaderValue::from_static("1000"));
            headers.insert(limiter::REMAINING, HeaderValue::from_static("999"));
            headers.insert(limiter::RESET, HeaderValue::from(self.app.clock.now_secs() + 1));
        }
        headers.insert(header::VARY, HeaderValue::from_static("origin,accept-encoding"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    }
}

/// Whether a request says for which host it is, as HTTP/1.1 has to (RFC 9112 section 3.2).
fn has_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => {
            host.as_bytes().iter().all(|byte| byte.is_ascii_graphic() && !b"/\\?#@,\"<>".contains(byte))
        }
        (None, None) => request.version() != Version::HTTP_11,
        _ => false,
    }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Logs why, and tells the caller where to look for it.
fn failed(id: RequestId, response: &Response) -> Response {
    let cause = response.extensions().get::<InternalCause>().map_or("unknown", |cause| cause.0.as_str());
    let (status, id) = (response.status(), id.as_str());
    // What is not available for now is logged where that is noticed: once, not with every request.
    if status == StatusCode::SERVICE_UNAVAILABLE {
        tracing::debug!(cause, "request failed");
    } else {
        tracing::error!(cause, "request failed");
    }
    let error = match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            ApiError::new(503, format!("The service is not available for now (request id {id})"))
        }
        _ => ApiError::new(500, format!("An internal error occurred (request id {id})")),
    };
    let mut response = Failure::from(error).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
