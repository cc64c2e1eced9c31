//! The log of `serve`: lines for people, or JSON for programs, each with the id of the request that it belongs to.

#[cfg(feature = "otel")]
mod traces;

use crate::Failure;
use serde::ser::{SerializeMap as _, Serializer as _};
use std::fmt;
use std::io::IsTerminal as _;
use tenantry_server::config::LogFormat;
use tenantry_server::with_request_id;
use tracing::{Event, Subscriber};
use tracing_serde::{AsSerde as _, SerdeMapVisitor};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, Layer};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What has to be finished when the program ends.
#[must_use]
pub(crate) struct Log {
    #[cfg(feature = "otel")]
    traces: Option<traces::Exporter>,
}

impl Log {
    /// Sends what was not sent yet.
    pub(crate) fn finish(self) {
        #[cfg(feature = "otel")]
        let Self { traces: Some(traces) } = self else { return };
        #[cfg(feature = "otel")]
        traces.finish();
        #[cfg(not(feature = "otel"))]
        let Self {} = self;
    }
}

/// Starts to log to stderr what `filter` lets through.
pub(crate) fn start(filter: Option<&str>, format: LogFormat) -> Result<Log, Failure> {
    let filter = filter.unwrap_or("info");
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("--log {filter}: {error}"))?;
    let lines = Layer::default().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).fmt_fields(WithId).boxed(),
        LogFormat::Json => lines.event_format(Json).boxed(),
    };
    #[cfg(not(feature = "otel"))]
    {
        tracing_subscriber::registry().with(filter).with(lines).init();
        Ok(Log {})
    }
    #[cfg(feature = "otel")]
    {
        let (layer, traces) = traces::start()?.unzip();
        let lines = lines.with_filter(filter).with_filter(traces::is_line());
        tracing_subscriber::registry().with(lines).with(layer).init();
        Ok(Log { traces })
    }
}

/// The message and its fields as usual, and the id behind them.
struct WithId;

impl<'w> FormatFields<'w> for WithId {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        DefaultFields::new().format_fields(writer.by_ref(), fields)?;
        with_request_id(|id| write!(writer, " request_id={id}")).unwrap_or(Ok(()))
    }
}

/// One object a line: `timestamp`, `level`, `target`, `request_id`, `message`, and the fields beside them.
struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut line = Vec::with_capacity(256);
        let mut serializer = serde_json::Serializer::new(&mut line);
        let mut object = || {
            let metadata = event.metadata();
            let mut object = serializer.serialize_map(None)?;
            object.serialize_entry("timestamp", &timestamp)?;
            object.serialize_entry("level", &metadata.level().as_serde())?;
            object.serialize_entry("target", metadata.target())?;
            with_request_id(|id| object.serialize_entry("request_id", id)).unwrap_or(Ok(()))?;
            let mut fields = SerdeMapVisitor::new(object);
            event.record(&mut fields);
            fields.finish()
        };
        object().map_err(|_: serde_json::Error| fmt::Error)?;
        writer.write_str(std::str::from_utf8(&line).map_err(|_| fmt::Error)?)?;
        writer.write_char('\n')
    }
}
