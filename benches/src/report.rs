//! Tables, in Markdown, and everything in JSON.

use crate::Failure;
use crate::goals::Verdict;
use crate::growth::ROWS;
use crate::rounds::{Results, Sample, Spread};
use crate::startup;
use serde_json::{Value, json};
use std::path::Path;

/// A table whose columns are as wide as what they hold.
fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..heads.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<_> = cells.zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        format!("| {} |\n", padded.join(" | "))
    };
    let mut text = line(&mut heads.iter().copied());
    let rules: Vec<_> = widths.iter().map(|&width| "-".repeat(width)).collect();
    text.push_str(&line(&mut rules.iter().map(String::as_str)));
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

/// Three significant digits or so.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

fn with_range(spread: Spread, unit: &str) -> String {
    let space = if unit.is_empty() { "" } else { " " };
    let (median, least, greatest) = (number(spread.median), number(spread.least), number(spread.greatest));
    if least == greatest {
        format!("{median}{space}{unit}")
    } else {
        format!("{median}{space}{unit} ({least}..{greatest})")
    }
}

fn median(samples: &[Sample], figure: impl Fn(&Sample) -> Option<f64>) -> String {
    let figures = samples.iter().filter_map(figure).filter(|figure| figure.is_finite()).collect();
    Spread::of(figures).map_or(String::new(), |spread| number(spread.median))
}

/// Every operation with its own figures.
pub(crate) fn operations(results: &Results) -> String {
    let row = |&(name, clients): &(&'static str, Option<u64>)| {
        let samples = results.of(name, clients);
        vec![
            name.to_owned(),
            clients.map_or(String::new(), |clients| clients.to_string()),
            median(samples, |sample| sample.cpu_us),
            median(samples, |sample| Some(sample.per_second).filter(|&rate| rate > 0.0)),
            median(samples, |sample| sample.p50_ms),
            median(samples, |sample| sample.p99_ms),
            median(samples, |sample| sample.megabytes),
            samples.iter().map(|sample| sample.failed).sum::<u64>().to_string(),
        ]
    };
    let rows: Vec<_> = results.order.iter().map(row).collect();
    table(&["operation", "clients", "CPU us", "a second", "p50 ms", "p99 ms", "MB", "failed"], &rows)
}

/// The goals and what came of them.
pub(crate) fn goals(verdicts: &[Verdict]) -> String {
    let row = |verdict: &Verdict| {
        vec![
            verdict.id.to_owned(),
            verdict.what.to_owned(),
            verdict.against.to_owned(),
            with_range(verdict.figure, verdict.unit),
            verdict.must.clone(),
            verdict.aim.clone(),
            verdict.met.to_owned(),
        ]
    };
    let rows: Vec<_> = verdicts.iter().map(row).collect();
    table(&["goal", "what", "held against", "measured (least..greatest)", "must", "aim", ""], &rows)
}

/// What each operation costs at each size, and how much more than at the first.
pub(crate) fn growth(results: &Results, sizes: &[u64]) -> String {
    let (base, more) = (sizes[0], &sizes[1..]);
    let mut heads = vec!["operation".to_owned(), format!("at {base}")];
    for size in more {
        heads.extend([format!("at {size}"), "growth (least..greatest)".into(), "bound".into()]);
    }
    let mut rows = Vec::new();
    for row in ROWS {
        let Some(first) = row.cost(results, base) else { continue };
        let mut cells = vec![row.name.to_owned(), number(first.median)];
        for &size in more {
            let (cost, growth) = (row.cost(results, size), row.growth(results, base, size));
            let (Some(cost), Some(growth)) = (cost, growth) else { continue };
            let over = if growth.median > row.bound(size) { " OVER" } else { "" };
            cells.extend([
                number(cost.median),
                with_range(growth, ""),
                format!("≤ {}{over}", row.bound(size)),
            ]);
        }
        rows.push(cells);
    }
    for (what, name) in
        [("memory when idle, MB", startup::EXISTING), ("memory after the requests, MB", startup::AFTER)]
    {
        let at = |size| median(results.of(name, Some(size)), |sample| sample.megabytes);
        let mut cells = vec![what.to_owned(), at(base)];
        cells.extend(more.iter().flat_map(|&size| [at(size), String::new(), String::new()]));
        rows.push(cells);
    }
    table(&heads.iter().map(String::as_str).collect::<Vec<_>>(), &rows)
}

/// Writes everything down.
pub(crate) fn write(
    file: &Path,
    results: &Results,
    verdicts: &[Verdict],
    about: &Value,
) -> Result<(), Failure> {
    let of = |&(name, clients): &(&'static str, Option<u64>)| json!({"operation": name, "clients": clients, "rounds": results.of(name, clients)});
    let operations: Vec<_> = results.order.iter().map(of).collect();
    let all = json!({"about": about, "goals": verdicts, "operations": operations});
    std::fs::write(file, serde_json::to_string_pretty(&all)?)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let rows = [vec!["read".to_owned(), "1.5".to_owned()], vec!["≤ 2".to_owned(), "x".to_owned()]];
        assert_eq!(
            table(&["what", "figure"], &rows),
            "| what | figure |\n| ---- | ------ |\n| read | 1.5    |\n| ≤ 2  | x      |\n"
        );
    }

    #[test]
    fn figures_have_three_digits_or_so() {
        assert_eq!(
            ["1.23", "12.3", "1235"],
            [1.234, 12.34, 1234.9].map(number).each_ref().map(String::as_str)
        );
        let spread = Spread { median: 1.5, least: 1.5, greatest: 1.5 };
        assert_eq!(with_range(spread, "ms"), "1.50 ms");
    }
}
