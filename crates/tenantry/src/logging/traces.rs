//! Spans of requests for an OpenTelemetry collector: OTLP over HTTP, to where the usual `OTEL_EXPORTER_OTLP_…` variables
//! say. Without them nothing is sent.

use crate::Failure;
use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tenantry_server::SPANS;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::registry::LookupSpan;

/// Keeps spans until they are sent.
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    pub(super) fn finish(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// What is for the log, and not for the collector.
pub(super) fn is_line() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    FilterFn::new(|metadata| metadata.target() != SPANS)
}

/// Starts to send, if a collector is named.
pub(super) fn start<S>() -> Result<Option<(impl Layer<S>, Exporter)>, Failure>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !is_set("OTEL_EXPORTER_OTLP_ENDPOINT") && !is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        return Ok(None);
    }
    let resource = Resource::builder();
    let resource =
        if is_set("OTEL_SERVICE_NAME") { resource } else { resource.with_service_name("tenantry") };
    let exporter = SpanExporter::builder().with_http().build()?;
    let provider =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
    global::set_text_map_propagator(TraceContextPropagator::new());
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("tenantry"))
        .with_location(false)
        .with_threads(false)
        .with_filter(filter_fn(|metadata| metadata.target() == SPANS));
    Ok(Some((layer, Exporter(provider))))
}
