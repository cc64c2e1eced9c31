//! `tenantry audit`.

use crate::Failure;
use crate::options::{DataDirOption, data_dir};
use clap::Subcommand;
use std::fmt::Write as _;
use std::process::ExitCode;
use tenantry_server::audit::{Report, verify_audit};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look for entries that were altered, deleted or inserted behind the server's back
    ///
    /// Reads the whole log; the server may run. Ends with 1 if something is wrong.
    Verify(VerifyArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tenantry audit verify
  tenantry audit verify --database-url postgres://tenantry@db.example.com/tenantry --json

Whoever may write to the database could write the whole log anew. Keep the hashes that are printed
somewhere else; as long as a later run has the entries up to them, nothing before them was changed.")]
struct VerifyArgs {
    #[command(flatten)]
    data_dir: DataDirOption,
    /// The database, if the server's URL has a password or its data directory is not at hand
    #[arg(long, value_name = "URL", env = "TENANTRY_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<ExitCode, Failure> {
    let Command::Verify(args) = args.command;
    let report = verify_audit(&data_dir(args.data_dir.data_dir)?, args.database_url.as_deref()).await?;
    let text = if args.json { serde_json::to_string_pretty(&report)? } else { shown(&report) };
    crate::manage::output::print(&text)?;
    Ok(if report.intact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn shown(report: &Report) -> String {
    let mut text = String::new();
    for chain in &report.chains {
        let _ = writeln!(
            text,
            "{}: {} entries, {} deleted for their age, last hash {}",
            chain.chain, chain.entries, chain.deleted, chain.hash
        );
    }
    for problem in &report.problems {
        let id = problem.log_id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        let _ = writeln!(text, "{} {}{id} {}", problem.chain, problem.number, problem.problem);
    }
    text.push_str(if report.intact { "intact" } else { "NOT intact" });
    text
}
