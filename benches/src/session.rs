//! One measurement from beginning to end.

use crate::goals::{self, Engine, Goal};
use crate::growth;
use crate::operations::{self, Settings};
use crate::peer::Peer;
use crate::process::Process;
use crate::rounds::{self, Results};
use crate::subject::{Program, Subject};
use crate::{Failure, cpu, report, startup, stop, store};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A block that takes longer to keep makes a disk slow, in milliseconds.
const SLOW_DISK: f64 = 2.0;

/// How to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The program that is measured [default: `tenantry` beside this one]
    #[arg(long, value_name = "FILE")]
    tenantry: Option<PathBuf>,
    /// How often everything is measured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    rounds: u16,
    /// How long each operation runs in a round
    #[arg(long, default_value = "3", value_parser = seconds)]
    seconds: Duration,
    /// Kept-alive connections, unless an operation says otherwise
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4_096))]
    connections: u16,
    /// Goals (R1) or operations (create) to measure, separated by commas; `growth` is what its table shows
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    only: Vec<String>,
    /// Tokens and reads after which memory is looked at; 0 leaves this out
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    memory_requests: u64,
    /// File for all figures
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Directory on the disk that is measured [default: the one for temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Measure oidc-provider too: the directory with its script, after `npm ci` there
    #[arg(long, value_name = "DIR")]
    peer: Option<PathBuf>,
    /// A `PostgreSQL` in which databases may be made, to measure instead of `SQLite`
    #[arg(long, value_name = "URL", env = "TENANTRY_TEST_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

/// A number of seconds from the command line.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|seconds| (Duration::from_millis(100)..=Duration::from_secs(600)).contains(seconds))
        .ok_or_else(|| "must be a number of seconds from 0.1 to 600".into())
}

impl Options {
    fn program(&self) -> Result<Program, Failure> {
        let tenantry = match &self.tenantry {
            Some(file) => file.clone(),
            None => std::env::current_exe()?.with_file_name("tenantry"),
        };
        if !tenantry.is_file() {
            return Err(format!(
                "{} is not there; build it, or name another with --tenantry",
                tenantry.display()
            )
            .into());
        }
        let dir = self.dir.clone().unwrap_or_else(std::env::temp_dir);
        Ok(Program { tenantry, dir, database_url: self.database_url.clone() })
    }

    fn engine(&self) -> Engine {
        if self.database_url.is_some() { Engine::Postgres } else { Engine::Sqlite }
    }

    /// The operations that are asked for; `None` for all.
    fn wanted(&self, goals: &[Goal]) -> Result<Option<BTreeSet<String>>, Failure> {
        if self.only.is_empty() {
            return Ok(None);
        }
        let mut wanted = BTreeSet::new();
        for name in &self.only {
            let of_goals = goals.iter().filter(|goal| goal.id.eq_ignore_ascii_case(name));
            let mut needed: Vec<_> = of_goals.flat_map(|goal| goal.needs).map(ToString::to_string).collect();
            if name == "growth" {
                needed.extend(growth::ROWS.iter().flat_map(growth::Row::needs).map(String::from));
            }
            if operations::ALL.contains(&name.as_str()) {
                needed.push(name.clone());
            }
            if needed.is_empty() {
                let known = operations::ALL.join("\n  ");
                return Err(
                    format!("`{name}` is neither a goal nor an operation. Operations:\n  {known}").into()
                );
            }
            wanted.extend(needed);
        }
        Ok(Some(wanted))
    }
}

/// Measures tenants of these sizes, and prints what came of it.
pub(crate) fn run(sizes: &[u64], options: &Options) -> Result<(), Failure> {
    cpu::check()?;
    if sizes.iter().enumerate().any(|(place, size)| sizes[..place].contains(size)) {
        return Err("each size once".into());
    }
    let program = options.program()?;
    let sync_time =
        store::sync_time(&program.dir).map_err(|error| format!("{}: {error}", program.dir.display()))?;
    let goals = goals::all(options.engine(), sync_time > SLOW_DISK);
    if let Some(file) = &options.json {
        // Before the work rather than after it.
        std::fs::write(file, "").map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let wanted = options.wanted(&goals)?;
    let wanted = |name: &str| wanted.as_ref().is_none_or(|wanted| wanted.contains(name));
    stop::on_signals()?;

    let connections = usize::from(options.connections);
    let subjects = sizes
        .iter()
        .map(|&clients| Subject::new(&program, clients, connections))
        .collect::<Result<Vec<_>, _>>()?;
    let first = subjects.first().ok_or("no size")?;
    let settings = Settings {
        connections,
        dir: &program.dir,
        database_url: program.database_url.as_deref(),
        wanted: &wanted,
    };
    let mut results = Results::default();
    {
        let mut command = Command::new(std::env::current_exe()?);
        let reference = Process::start(command.arg("reference"), "/bytes/100")?;
        let peer = options.peer.as_deref().map(Peer::start).transpose()?;
        let mut all = operations::references(&settings, &reference, first)?;
        all.extend(peer.iter().flat_map(|peer| peer.operations(connections)));
        all.extend(operations::of_all(&settings, &subjects));
        operations::sort(&mut all);
        rounds::measure(&mut all, options.rounds.into(), options.seconds, &mut results)?;
    }
    if wanted(startup::AFTER) && options.memory_requests > 0 {
        for subject in &subjects {
            startup::memory(subject, options.memory_requests, connections, &mut results)?;
        }
    }
    if wanted(startup::EXISTING) {
        for subject in subjects {
            startup::again(subject, options.rounds.into(), &mut results)?;
        }
    }
    if wanted(startup::EMPTY) {
        startup::first(&program, options.rounds.into(), &mut results)?;
    }
    if wanted(startup::PROGRAM) {
        startup::size(&program, &mut results)?;
    }

    println!("{}", report::operations(&results));
    let verdicts: Vec<_> = goals.iter().filter_map(|goal| goal.judge(&results, sizes[0])).collect();
    println!("{}", report::goals(&verdicts));
    if sizes.len() > 1 {
        println!("{}", report::growth(&results, sizes));
    }
    println!("The disk keeps 4 KiB in {sync_time:.2} ms.");
    if let Some(url) = &options.database_url {
        let waits = if store::waits_for_disk(url)? { "waits" } else { "DOES NOT WAIT" };
        println!("The database {waits} for the disk with every commit.");
    }
    if let Some(file) = &options.json {
        let about = json!({
            "version": env!("CARGO_PKG_VERSION"), "clients": sizes, "rounds": options.rounds,
            "seconds": options.seconds.as_secs_f64(), "connections": options.connections, "sync_ms": sync_time,
            "engine": if options.database_url.is_some() { "postgres" } else { "sqlite" },
            "processors": std::thread::available_parallelism().map_or(1, usize::from),
        });
        report::write(file, &results, &verdicts, &about)?;
    }
    Ok(())
}
