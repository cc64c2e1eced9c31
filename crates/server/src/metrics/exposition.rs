//! The page that Prometheus reads, in the `OpenMetrics` text format.

use super::process::Process;
use super::{Counter, Histogram};
use crate::app::App;
use crate::db::Kind;
use crate::http::{ConnectionFigures, Tls, Traffic};
use crate::limiter::Limiter;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt::Error;
use std::sync::Arc;

const NANOSECONDS: f64 = 1e9;

/// Everything that is counted anywhere.
#[derive(Clone)]
pub(crate) struct Exposition {
    pub(crate) app: App,
    traffic: Arc<Traffic>,
    connections: Arc<ConnectionFigures>,
    tls: Tls,
    /// When the server started, in milliseconds since 1970.
    started: i64,
    key_since: Option<i64>,
}

impl Exposition {
    pub(crate) fn new(
        app: App,
        traffic: Arc<Traffic>,
        connections: Arc<ConnectionFigures>,
        tls: Tls,
    ) -> Self {
        let started = app.clock.now_ms();
        Self { app, traffic, connections, tls, started, key_since: None }
    }

    pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// The page.
    pub(crate) async fn page(&self) -> Result<String, Error> {
        let keys = self.app.keys().await.ok();
        let key_since = keys.and_then(|keys| keys.current_since());
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Self { key_since, ..self.clone() }));
        let mut page = String::new();
        text::encode(&mut page, &registry)?;
        Ok(page)
    }

    fn requests(&self, out: &mut Page<'_>) -> Result<(), Error> {
        let seen = || {
            let answered = |counts: &[Counter; 5]| counts.iter().any(|count| count.get() > 0);
            self.traffic.operations().iter().filter(move |operation| answered(&operation.answers))
        };
        out.counters(
            "tenantry_http_requests",
            "Requests that were answered, by route and class of status",
            seen().flat_map(|operation| {
                let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(&operation.answers);
                classes.filter(|(_, count)| count.get() > 0).map(|(class, count)| {
                    (
                        [("method", operation.method), ("route", operation.route), ("status", class)],
                        count.get(),
                    )
                })
            }),
        )?;
        out.histograms(
            "tenantry_http_request_duration_seconds",
            "From the end of a request's headers to the start of its answer",
            NANOSECONDS,
            seen().map(|operation| {
                ([("method", operation.method), ("route", operation.route)], &operation.times)
            }),
        )?;
        out.gauge(
            "tenantry_http_requests_in_flight",
            "Requests that are being answered",
            self.traffic.in_flight.get(),
        )?;
        out.counters(
            "tenantry_http_failures",
            "Answers 500 (internal) and 503 (unavailable); the log says why",
            [("internal", &self.traffic.internal), ("unavailable", &self.traffic.unavailable)]
                .map(|(kind, count)| ([("kind", kind)], count.get())),
        )?;
        let limiter = self.app.limiter.iter();
        out.counters(
            "tenantry_rate_limited",
            "Requests that were refused, by whose limit it was",
            limiter.flat_map(Limiter::refusals).map(|(limit, count)| ([("limit", limit)], count)),
        )
    }

    fn connections(&self, out: &mut Page<'_>) -> Result<(), Error> {
        let figures = &self.connections;
        out.gauge("tenantry_connections_open", "Connections that are open", figures.open.get())?;
        out.counter("tenantry_connections_accepted", "Connections that were accepted", &figures.accepted)?;
        out.counters(
            "tenantry_connections_closed",
            "Connections that the server ended before their time",
            figures.closed().map(|(reason, count)| ([("reason", reason)], count)),
        )
    }

    fn memory(&self, out: &mut Page<'_>) -> Result<(), Error> {
        let tokens = &self.app.verified_tokens.lookups;
        let caches = Kind::ALL.into_iter().map(|kind| (kind.name(), self.app.db.figures().cache(kind)));
        let lookups = caches.chain([("verified token", tokens)]);
        out.counters(
            "tenantry_cache_requests",
            "Look-ups in memory, by kind of object and whether it was there and good",
            lookups.flat_map(|(cache, lookups)| {
                [("hit", &lookups.hits), ("miss", &lookups.misses)]
                    .map(|(result, count)| ([("cache", cache), ("result", result)], count.get()))
            }),
        )
    }

    fn database(&self, out: &mut Page<'_>) -> Result<(), Error> {
        let (figures, load) = (self.app.db.figures(), self.app.db.load());
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        out.gauge(
            "tenantry_db_trusted",
            "1 while what is in memory counts; 0 while a node is out of touch with the others",
            u64::from(load.is_trusted),
        )?;
        out.histogram(
            "tenantry_db_read_duration_seconds",
            "Statements that only read, with the wait for a connection",
            NANOSECONDS,
            &figures.reads,
        )?;
        out.counters(
            "tenantry_db_transactions",
            "Transactions: committed, refused by what they found, or failed with the database",
            [("committed", &figures.committed), ("refused", &figures.refused), ("failed", &figures.failed)]
                .map(|(result, count)| ([("result", result)], count.get())),
        )?;
        out.histogram(
            "tenantry_db_commit_duration_seconds",
            "Commits, each of as many transactions as waited",
            NANOSECONDS,
            &figures.commits,
        )?;
        out.histogram("tenantry_db_commit_transactions", "Transactions in a commit", 1.0, &figures.batches)?;
        out.gauge(
            "tenantry_db_writer_queue",
            "Transactions that wait for the writer",
            number(load.waiting_transactions),
        )?;
        out.gauges(
            "tenantry_db_pool_connections",
            "Connections that read: idle ones, and how many are kept (SQLite) or allowed (PostgreSQL)",
            [("idle", load.idle_readers), ("most", load.most_readers)]
                .map(|(state, count)| ([("state", state)], number(count))),
        )?;
        out.gauge(
            "tenantry_db_pool_waiting",
            "Requests that wait for such a connection",
            number(load.waiting_reads),
        )
    }

    fn tokens(&self, out: &mut Page<'_>) -> Result<(), Error> {
        let figures = &self.app.token_figures;
        out.counters(
            "tenantry_tokens_issued",
            "Access tokens, by the algorithm of their signature",
            figures.by_algorithm().map(|(algorithm, count)| ([("algorithm", algorithm)], count)),
        )?;
        out.counters(
            "tenantry_tokens_refused",
            "Token requests that were refused, by the error that the caller was told",
            figures.by_reason().map(|(reason, count)| ([("reason", reason)], count)),
        )?;
        let signer = self.app.signer.figures();
        out.gauge(
            "tenantry_signer_queue",
            "Tokens that wait for a signature",
            u64::try_from(self.app.signer.waiting()).unwrap_or(u64::MAX),
        )?;
        out.histogram(
            "tenantry_signature_duration_seconds",
            "RSA signatures, without the wait",
            NANOSECONDS,
            &signer.signatures,
        )?;
        out.counter("tenantry_signer_refused", "Tokens for which the queue had no room", &signer.refused)
    }

    fn log(&self, out: &mut Page<'_>) -> Result<(), Error> {
        let audit = &self.app.audit;
        out.gauge(
            "tenantry_audit_queue",
            "Tokens and refused attempts that wait to be written in the audit log",
            u64::try_from(audit.waiting()).unwrap_or(u64::MAX),
        )?;
        out.counter(
            "tenantry_audit_lost",
            "Tokens and refused attempts for which the queue had no room; the log only counts them",
            &audit.all_lost,
        )
    }

    fn server(&self, out: &mut Page<'_>) -> Result<(), Error> {
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let seconds = |millis: i64| millis as f64 / 1e3;
        if let Some(since) = self.key_since {
            let age = seconds(self.app.clock.now_ms() - since);
            out.gauge("tenantry_signing_key_age_seconds", "How long the key has been signing tokens", age)?;
        }
        if let Some(expiry) = self.tls.expiry() {
            let name = "tenantry_tls_certificate_expiry_timestamp_seconds";
            out.gauge(name, "When the TLS certificate ends", seconds(expiry.saturating_mul(1000)))?;
        }
        let info = [("version", env!("CARGO_PKG_VERSION")), ("database", self.app.db.engine())];
        out.gauges("tenantry_build_info", "Always 1; the labels say what runs", [(info, 1_u64)])?;
        out.gauge("process_start_time_seconds", "When the server started", seconds(self.started))?;
        let process = Process::look();
        if let Some(seconds) = process.cpu_seconds {
            let help = "Processor time, of the user and the system";
            let mut metric =
                out.0.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?;
            metric.encode_counter::<NoLabelSet, f64, f64>(&seconds, None)?;
        }
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Memory that is in use", process.resident_bytes),
            ("process_virtual_memory_bytes", "Memory that is mapped", process.virtual_bytes),
            ("process_threads", "Threads", process.threads),
            ("process_open_fds", "Open file descriptors", process.open_files),
            ("process_max_fds", "File descriptors that may be open", process.most_files),
        ] {
            if let Some(value) = value {
                out.gauge(name, help, value)?;
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Exposition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exposition")
    }
}

impl Collector for Exposition {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut out = Page(encoder);
        self.requests(&mut out)?;
        self.connections(&mut out)?;
        self.memory(&mut out)?;
        self.database(&mut out)?;
        self.tokens(&mut out)?;
        self.log(&mut out)?;
        self.server(&mut out)
    }
}

/// The page while it is written.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn counter(&mut self, name: &str, help: &str, counter: &Counter) -> Result<(), Error> {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, u64, f64>(&counter.get(), None)
    }

    fn counters<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, u64)>,
    ) -> Result<(), Error> {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, f64>(&value, None)?;
        }
        Ok(())
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue + Copy) -> Result<(), Error> {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn gauges<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, u64)>,
    ) -> Result<(), Error> {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    fn histogram<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        unit: f64,
        histogram: &Histogram<N>,
    ) -> Result<(), Error> {
        let (count, sum, buckets) = histogram.read(unit);
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn histograms<'h, const N: usize, L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        unit: f64,
        histograms: impl IntoIterator<Item = (L, &'h Histogram<N>)>,
    ) -> Result<(), Error> {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, histogram) in histograms {
            let (count, sum, buckets) = histogram.read(unit);
            metric.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }
}
