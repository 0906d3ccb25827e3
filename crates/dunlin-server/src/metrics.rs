//! Numbers for Prometheus. Labels are routes as they are declared, methods and status classes: never an id, an
//! address or a name.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// What a request was.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
    status: &'static str,
}

/// The numbers of one server.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Asked, Counter<u64, AtomicU64>>,
    seconds: Histogram,
    refused: Family<Vec<(&'static str, &'static str)>, Counter>,
    /// Open connections.
    pub(crate) connections: Gauge,
    /// Open event streams.
    pub(crate) streams: Gauge,
    /// Entries of the ledger.
    pub(crate) ledger_entries: Gauge,
}

impl Metrics {
    /// All at zero.
    pub(crate) fn new() -> Metrics {
        let mut registry = Registry::with_prefix("dunlin");
        let buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        let metrics = Metrics {
            requests: Family::default(),
            seconds: Histogram::new(buckets),
            refused: Family::default(),
            connections: Gauge::default(),
            streams: Gauge::default(),
            ledger_entries: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        let help = "Time until an answer began";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, metrics.seconds.clone());
        registry.register("refused", "Requests refused before a handler saw them", metrics.refused.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register("event_streams", "Open event streams", metrics.streams.clone());
        registry.register("ledger_entries", "Entries of the ledger", metrics.ledger_entries.clone());
        Metrics { registry, ..metrics }
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, method: &axum::http::Method, route: &str, status: u16, seconds: f64) {
        let method = match method.as_str() {
            "GET" => "GET",
            "POST" => "POST",
            "PUT" => "PUT",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
            "HEAD" => "HEAD",
            _ => "other",
        };
        let status = match status {
            100..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        self.requests.get_or_create(&Asked { method, route: route.to_owned(), status }).inc();
        self.seconds.observe(seconds);
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self, why: &'static str) {
        self.refused.get_or_create(&vec![("why", why)]).inc();
    }

    /// The text that Prometheus reads (OpenMetrics 1.0).
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
