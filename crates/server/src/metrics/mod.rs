//! What is counted while requests are answered, and how Prometheus reads it.
//!
//! Each part of the server owns its figures, as plain atomic numbers that are found without a look-up; [`exposition`]
//! walks them when it is asked. Counting costs a few nanoseconds, and nothing is locked.

mod exposition;
mod process;

pub(crate) use exposition::Exposition;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many of something there are now.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicU64);

impl Gauge {
    /// One more, until what is returned is dropped.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.increment();
        Entered(self)
    }

    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn decrement(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One of what a [`Gauge`] counts.
pub(crate) struct Entered<'a>(&'a Gauge);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.decrement();
    }
}

/// Look-ups in a cache.
#[derive(Default)]
pub(crate) struct Lookups {
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
}

/// How values are distributed: how many are at most as large as each bound. The histograms of libraries take a lock for
/// each value, or keep values until somebody asks.
#[derive(Debug)]
pub(crate) struct Histogram<const N: usize> {
    bounds: &'static [u64; N],
    counts: [Counter; N],
    larger: Counter,
    sum: Counter,
}

impl<const N: usize> Histogram<N> {
    pub(crate) fn new(bounds: &'static [u64; N]) -> Self {
        Self {
            bounds,
            counts: std::array::from_fn(|_| Counter::default()),
            larger: Counter::default(),
            sum: Counter::default(),
        }
    }

    pub(crate) fn record(&self, value: u64) {
        let place = self.bounds.iter().position(|bound| value <= *bound);
        place.map_or(&self.larger, |place| &self.counts[place]).increment();
        self.sum.add(value);
    }

    /// The same for a histogram whose bounds are nanoseconds.
    pub(crate) fn record_time(&self, time: Duration) {
        self.record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Count, sum, and each bound with what is above the one before it and not above it, bounds and sum divided by
    /// `unit`.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn read(&self, unit: f64) -> (u64, f64, Vec<(f64, u64)>) {
        let bounds = self.bounds.iter().map(|bound| *bound as f64 / unit).chain([f64::INFINITY]);
        let counts = self.counts.iter().chain([&self.larger]).map(Counter::get);
        let buckets: Vec<_> = bounds.zip(counts).collect();
        (buckets.iter().map(|(_, count)| count).sum(), self.sum.get() as f64 / unit, buckets)
    }
}

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000 * MICROSECOND;

/// Bounds for what takes from a few microseconds to a few seconds, in nanoseconds.
pub(crate) const TIMES: [u64; 14] = [
    50 * MICROSECOND,
    100 * MICROSECOND,
    250 * MICROSECOND,
    500 * MICROSECOND,
    MILLISECOND,
    2 * MILLISECOND + 500 * MICROSECOND,
    5 * MILLISECOND,
    10 * MILLISECOND,
    25 * MILLISECOND,
    50 * MILLISECOND,
    100 * MILLISECOND,
    250 * MILLISECOND,
    1_000 * MILLISECOND,
    5_000 * MILLISECOND,
];

/// A distribution of times.
pub(crate) type Times = Histogram<14>;

impl Default for Times {
    fn default() -> Self {
        Self::new(&TIMES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_under_the_first_bound_that_holds_them() {
        let histogram = Histogram::new(&[1, 10]);
        for value in [0, 1, 2, 10, 11, 1_000] {
            histogram.record(value);
        }
        let (count, sum, buckets) = histogram.read(2.0);
        assert_eq!((count, buckets), (6, vec![(0.5, 2), (5.0, 2), (f64::INFINITY, 2)]));
        assert!((sum - 512.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_gauge_follows_what_comes_and_goes() {
        let gauge = Gauge::default();
        let first = gauge.enter();
        let second = gauge.enter();
        assert_eq!(gauge.get(), 2);
        drop(first);
        assert_eq!(gauge.get(), 1);
        drop(second);
        assert_eq!(gauge.get(), 0);
    }
}
