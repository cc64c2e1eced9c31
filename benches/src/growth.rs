//! Growth: what an operation costs beside so many clients, to what it costs beside few. Both are told by their reference
//! in the same round, which the machine's moods do not touch.

use crate::operations as op;
use crate::rounds::{Results, Spread};
use crate::startup;

/// What a row of the table measures.
enum Cost {
    /// Processor time to a reference's.
    Cpu(&'static str),
    /// Milliseconds.
    Time,
}

/// A row: the operation, and the bounds at 100,000 and at 1,000,000 clients.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    cost: Cost,
    pub(crate) bounds: [f64; 2],
}

pub(crate) const ROWS: &[Row] = &[
    row(op::TOKEN, op::BARE_TOKEN, 1.02, 1.05),
    row(op::READ, op::BARE_CLIENT, 1.15, 1.25),
    row(op::READ_ANY, op::BARE_CLIENT, 1.4, 2.0),
    row(op::LIST, op::BARE_PAGE, 1.1, 1.2),
    row(op::LIST_TOTALS, op::BARE_PAGE, 1.1, 1.2),
    row(op::LIST_PAGE, op::BARE_PAGE, 1.1, 1.2),
    row(op::LIST_CHECKPOINT, op::BARE_PAGE, 1.1, 1.2),
    row(op::LIST_TYPE, op::BARE_PAGE, 1.1, 1.2),
    row(op::CREATE, op::BARE_POST, 1.25, 1.3),
    row(op::UPDATE, op::BARE_POST, 1.25, 1.3),
    Row { name: startup::EXISTING, cost: Cost::Time, bounds: [1.1, 1.2] },
];

const fn row(name: &'static str, reference: &'static str, at_100k: f64, at_1m: f64) -> Row {
    Row { name, cost: Cost::Cpu(reference), bounds: [at_100k, at_1m] }
}

/// Whether the table has a row for this operation.
pub(crate) fn is_shown(name: &str) -> bool {
    ROWS.iter().any(|row| row.name == name)
}

impl Row {
    /// What has to be measured for it.
    pub(crate) fn needs(&self) -> [&'static str; 2] {
        match self.cost {
            Cost::Cpu(reference) => [self.name, reference],
            Cost::Time => [self.name, self.name],
        }
    }

    /// The cost at a size: a ratio to the reference, or milliseconds.
    pub(crate) fn cost(&self, results: &Results, clients: u64) -> Option<Spread> {
        Spread::of(results.each(clients, |round| match self.cost {
            Cost::Cpu(reference) => round.ratio(self.name, reference),
            Cost::Time => round.p50(self.name),
        }))
    }

    /// How often the cost at `base` is contained in the cost at `clients`.
    pub(crate) fn growth(&self, results: &Results, base: u64, clients: u64) -> Option<Spread> {
        Spread::of(results.each(clients, |round| match self.cost {
            Cost::Cpu(_) => Some(round.cpu(self.name)? / round.at(base).cpu(self.name)?),
            Cost::Time => Some(round.p50(self.name)? / round.at(base).p50(self.name)?),
        }))
    }

    /// The bound at a size, and whether the growth keeps to it.
    pub(crate) fn bound(&self, clients: u64) -> f64 {
        self.bounds[usize::from(clients > 100_000)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::Sample;

    #[test]
    fn growth_compares_two_sizes_in_the_same_round() {
        let mut results = Results::default();
        for slow in [1.0, 3.0, 2.0] {
            let sample = |cpu_us: f64| Sample { cpu_us: Some(cpu_us * slow), ..Sample::default() };
            results.add(op::READ, Some(1_000), sample(20.0));
            results.add(op::READ, Some(100_000), sample(25.0));
            results.add(op::BARE_CLIENT, None, sample(10.0));
        }
        let read = ROWS.iter().find(|row| row.name == op::READ).unwrap();
        let growth = read.growth(&results, 1_000, 100_000).unwrap();
        assert!((growth.median - 1.25).abs() < 1e-9 && (growth.greatest - 1.25).abs() < 1e-9, "{growth:?}");
        assert!((read.cost(&results, 1_000).unwrap().median - 2.0).abs() < 1e-9);
        assert!(read.bound(100_000) < read.bound(1_000_000));
    }
}
