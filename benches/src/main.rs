//! `tenantry-bench`: holds the server against what the machine can do.
//!
//! A processor that other work shares is not twice as fast as itself. So no figure here is told in seconds alone: each
//! operation is measured in turn with a bare reference (a server without logic, a signature, an insert), in the same
//! rounds, and the ratio within a round is what counts. `docs/performance.md` has the goals and the last figures.

mod api;
mod cpu;
mod goals;
mod growth;
mod key;
mod load;
mod operations;
mod peer;
mod process;
mod raw;
mod reference;
mod report;
mod rounds;
mod session;
mod startup;
mod stop;
mod store;
mod subject;

use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Why a command failed, for people.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures a Tenantry server against bare references.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure every operation at one size, and hold it against the goals
    Run {
        /// Clients in the tenant
        #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(100..=5_000_000))]
        clients: u64,
        #[command(flatten)]
        options: session::Options,
    },
    /// Measure at several sizes in the same rounds: what more clients cost
    Growth {
        /// Clients in each tenant, the first being what the others are compared with
        #[arg(long, value_name = "N,N,…", default_value = "1000,20000", value_delimiter = ',',
              value_parser = clap::value_parser!(u64).range(100..=5_000_000))]
        clients: Vec<u64>,
        #[command(flatten)]
        options: session::Options,
    },
    /// Run the bare server that everything is held against
    Reference {
        /// Where it listens; port 0 takes a free one
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Threads that answer requests
        #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
        workers: u16,
        /// Threads that sign
        #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
        signers: u16,
    },
    /// Print what a bare RSA-2048 signature costs while all processors sign
    Signature {
        /// For how long
        #[arg(long, default_value = "2", value_parser = session::seconds)]
        seconds: std::time::Duration,
    },
    /// Print what durable inserts and point reads cost without a server
    Store {
        /// For how long each
        #[arg(long, default_value = "2", value_parser = session::seconds)]
        seconds: std::time::Duration,
        /// Where the file is made [default: the directory for temporary files]
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        /// A `PostgreSQL` in which databases may be made
        #[arg(long, value_name = "URL", env = "TENANTRY_TEST_DATABASE_URL", hide_env_values = true)]
        database_url: Option<String>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run { clients, options } => session::run(&[clients], &options),
        Command::Growth { clients, options } => session::run(&clients, &options),
        Command::Reference { listen, workers, signers } => {
            reference::serve(listen, workers.into(), signers.into())
        }
        Command::Signature { seconds } => raw::print_signature(seconds),
        Command::Store { seconds, dir, database_url } => {
            store::print(seconds, dir.as_deref(), database_url.as_deref())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
