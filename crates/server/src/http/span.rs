//! The span of a request, for OpenTelemetry. It continues the caller's trace, if the caller says which (W3C Trace
//! Context), and holds nothing that callers make up.

use super::request_id::RequestId;
use super::traffic::Operation;
use http::{HeaderMap, StatusCode};
use opentelemetry::global;
use opentelemetry::propagation::Extractor;
use std::net::IpAddr;
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The target of these spans, and of nothing else.
pub const SPANS: &str = "tenantry_spans";

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

pub(super) fn begin(operation: &Operation, headers: &HeaderMap, id: RequestId, source: IpAddr) -> Span {
    let (method, route) = (operation.method, operation.route);
    let span = tracing::info_span!(
        target: SPANS,
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        client.address = %source,
        request_id = id.as_str(),
    );
    if !span.is_disabled() {
        let caller = global::get_text_map_propagator(|propagator| propagator.extract(&Headers(headers)));
        // Fails only where no layer exports spans.
        let _ = span.set_parent(caller);
    }
    span
}

pub(super) fn end(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}
