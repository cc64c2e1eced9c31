//! Rounds: every operation in turn, again and again, so that whatever slows the machine down meets all of them.

use crate::Failure;
use crate::load::Outcome;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// One operation in one round.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Sample {
    pub(crate) count: u64,
    pub(crate) per_second: f64,
    /// Processor time of each, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p99_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) megabytes: Option<f64>,
    /// Answers other than expected; a sound run has none.
    pub(crate) failed: u64,
}

impl Sample {
    pub(crate) fn of(count: u64, took: Duration, cpu: Option<Duration>) -> Self {
        let number = as_float(count);
        Self {
            count,
            per_second: number / took.as_secs_f64(),
            cpu_us: cpu.filter(|_| count > 0).map(|cpu| cpu.as_secs_f64() * 1e6 / number),
            ..Self::default()
        }
    }

    pub(crate) fn megabytes(megabytes: f64) -> Self {
        Self { count: 1, megabytes: Some(megabytes), ..Self::default() }
    }

    /// A start: how long it took, and the memory afterwards.
    pub(crate) fn start(took: Duration, megabytes: Option<f64>) -> Self {
        Self { count: 1, p50_ms: Some(took.as_secs_f64() * 1e3), megabytes, ..Self::default() }
    }
}

impl From<Outcome> for Sample {
    fn from(outcome: Outcome) -> Self {
        Self {
            p50_ms: Some(outcome.percentile(0.5)),
            p99_ms: Some(outcome.percentile(0.99)),
            failed: outcome.failed,
            ..Self::of(outcome.answered, outcome.took, Some(outcome.cpu))
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts here stay far below 2^52")]
pub(crate) fn as_float(count: u64) -> f64 {
    count as f64
}

/// What is measured: its name, the size of the tenant if it depends on one, and how.
pub(crate) struct Operation<'a> {
    pub(crate) name: &'static str,
    pub(crate) clients: Option<u64>,
    pub(crate) measure: Measure<'a>,
}

pub(crate) type Measure<'a> = Box<dyn FnMut(Duration) -> Result<Sample, Failure> + 'a>;

impl<'a> Operation<'a> {
    pub(crate) fn new(
        name: &'static str,
        clients: Option<u64>,
        measure: impl FnMut(Duration) -> Result<Sample, Failure> + 'a,
    ) -> Self {
        Self { name, clients, measure: Box::new(measure) }
    }
}

/// The samples of one operation, a sample a round.
type Samples = BTreeMap<(&'static str, Option<u64>), Vec<Sample>>;

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Results {
    samples: Samples,
    /// In the order in which they were measured.
    pub(crate) order: Vec<(&'static str, Option<u64>)>,
}

impl Results {
    pub(crate) fn add(&mut self, name: &'static str, clients: Option<u64>, sample: Sample) {
        if !self.order.contains(&(name, clients)) {
            self.order.push((name, clients));
        }
        self.samples.entry((name, clients)).or_default().push(sample);
    }

    pub(crate) fn of(&self, name: &'static str, clients: Option<u64>) -> &[Sample] {
        self.samples.get(&(name, clients)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn rounds(&self) -> usize {
        self.samples.values().map(Vec::len).max().unwrap_or(0)
    }

    /// A figure of each round in which it could be made.
    pub(crate) fn each(&self, clients: u64, figure: impl Fn(Round<'_>) -> Option<f64>) -> Vec<f64> {
        let round = |number| Round { results: self, number, clients };
        (0..self.rounds())
            .filter_map(|number| figure(round(number)))
            .filter(|figure| figure.is_finite())
            .collect()
    }
}

/// One round, seen from a tenant of one size.
#[derive(Clone, Copy)]
pub(crate) struct Round<'a> {
    results: &'a Results,
    number: usize,
    clients: u64,
}

impl<'a> Round<'a> {
    /// The sample of an operation on this tenant, or of a reference.
    pub(crate) fn sample(self, name: &'static str) -> Option<&'a Sample> {
        let get = |clients| self.results.of(name, clients).get(self.number);
        get(Some(self.clients)).or_else(|| get(None))
    }

    /// The same round, seen from another tenant.
    pub(crate) fn at(self, clients: u64) -> Self {
        Self { clients, ..self }
    }

    pub(crate) fn cpu(self, name: &'static str) -> Option<f64> {
        self.sample(name)?.cpu_us
    }

    pub(crate) fn per_second(self, name: &'static str) -> Option<f64> {
        Some(self.sample(name)?.per_second)
    }

    pub(crate) fn p50(self, name: &'static str) -> Option<f64> {
        self.sample(name)?.p50_ms
    }

    pub(crate) fn megabytes(self, name: &'static str) -> Option<f64> {
        self.sample(name)?.megabytes
    }

    /// How many times the processor time of `other` this one takes.
    pub(crate) fn ratio(self, name: &'static str, other: &'static str) -> Option<f64> {
        Some(self.cpu(name)? / self.cpu(other)?)
    }
}

/// How long an operation runs before it is measured.
const WARM_UP: Duration = Duration::from_millis(300);

/// Measures each operation once a round.
pub(crate) fn measure(
    operations: &mut [Operation<'_>],
    rounds: usize,
    lasts: Duration,
    results: &mut Results,
) -> Result<(), Failure> {
    let named = |name: &str, error: Failure| -> Failure { format!("{name}: {error}").into() };
    for operation in &mut *operations {
        (operation.measure)(WARM_UP.min(lasts)).map_err(|error| named(operation.name, error))?;
    }
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for operation in &mut *operations {
            let sample = (operation.measure)(lasts).map_err(|error| named(operation.name, error))?;
            results.add(operation.name, operation.clients, sample);
        }
    }
    Ok(())
}

/// The middle one, the least and the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Spread {
    pub(crate) fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (least, greatest) = (*figures.first()?, *figures.last()?);
        let middle = figures.len() / 2;
        let median = if figures.len().is_multiple_of(2) {
            f64::midpoint(figures[middle - 1], figures[middle])
        } else {
            figures[middle]
        };
        Some(Self { median, least, greatest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(cpu_us: f64) -> Sample {
        Sample { cpu_us: Some(cpu_us), ..Sample::default() }
    }

    #[test]
    fn ratios_are_made_within_a_round_and_then_their_median() {
        let mut results = Results::default();
        // The machine is twice as slow in the second round.
        for (subject, reference) in [(20.0, 10.0), (60.0, 20.0), (25.0, 10.0)] {
            results.add("read", Some(1_000), sample(subject));
            results.add("bare", None, sample(reference));
        }
        let spread = Spread::of(results.each(1_000, |round| round.ratio("read", "bare"))).unwrap();
        assert_eq!(spread, Spread { median: 2.5, least: 2.0, greatest: 3.0 });
        assert_eq!(
            Spread::of(results.each(20_000, |round| round.ratio("read", "bare"))),
            None,
            "not measured"
        );
    }

    #[test]
    fn the_median_of_an_even_number_is_between_two() {
        let spread = Spread::of(vec![4.0, 1.0, 2.0, 3.0]);
        assert_eq!(spread, Some(Spread { median: 2.5, least: 1.0, greatest: 4.0 }));
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
