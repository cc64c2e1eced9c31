//! `tenantry`: a tenant in one binary.

mod audit;
mod env;
mod help;
mod local;
mod logging;
mod maintenance;
mod manage;
mod options;
mod serve;
mod token;
mod transfer;

use clap::{Parser, Subcommand};
use manage::Group;
use std::process::ExitCode;

/// An Auth0-compatible tenant on your own machine.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = FIRST_STEPS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const FIRST_STEPS: &str = "\
First steps:
  tenantry serve                                  and in another shell
  tenantry clients create --name 'My app' --app-type regular_web \\
      --callback https://app.example/callback
  tenantry clients list
  tenantry clients update --help
`tenantry COMMAND --help` shows more of each, with examples.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server. The first start makes everything it needs.
    Serve(Box<serve::Args>),
    /// Print the shell variables that point SDKs and tools at the server, for `eval "$(tenantry env)"`.
    Env(env::Args),
    /// Ask the running server for an access token, and print it.
    Token(token::Args),
    /// Manage applications
    #[command(after_help = manage::connection::HELP)]
    Clients(Box<Group<manage::clients::Command>>),
    /// Manage credentials of applications
    #[command(after_help = manage::connection::HELP)]
    Credentials(Box<Group<manage::credentials::Command>>),
    /// Manage which application may call which API
    #[command(after_help = manage::connection::HELP)]
    Grants(Box<Group<manage::grants::Command>>),
    /// Manage APIs
    #[command(after_help = manage::connection::HELP)]
    Apis(Box<Group<manage::apis::Command>>),
    /// Manage the keys that sign the tenant's tokens
    #[command(after_help = manage::connection::HELP)]
    Keys(Box<Group<manage::keys::Command>>),
    /// Write a tenant's applications, credentials, grants and APIs into a document
    Export(Box<transfer::ExportArgs>),
    /// Make a tenant as a document says
    Apply(Box<transfer::ApplyArgs>),
    /// Look after the log of what was changed
    Audit(audit::Args),
    /// Remember tenants and how to reach them
    Profiles(manage::profiles::Args),
    /// Copy the SQLite database into a file, also while a server uses it
    Backup(maintenance::BackupArgs),
    /// Put a backup in the place of the SQLite database; no server may be running
    Restore(maintenance::RestoreArgs),
    /// Verify a database: its pages, secrets, documents, references and totals
    Check(maintenance::CheckArgs),
    /// Copy everything from one database into another, empty one: from SQLite to PostgreSQL or back
    Copy(maintenance::CopyArgs),
    /// Change the master key that secrets are sealed with, while the server runs
    Rekey(maintenance::RekeyArgs),
    /// The administrator's client
    #[command(subcommand)]
    Admin(maintenance::AdminCommand),
    /// Print the completions of a shell
    Completions(help::CompletionsArgs),
    /// Write manual pages
    Man(help::ManArgs),
}

/// Much of what a request costs is memory that is asked for and given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(run(cli.command)) {
        Ok(code) => code,
        Err(error) => failed(error.as_ref()),
    }
}

async fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve(args) => serve::run(*args).await,
        Command::Env(args) => env::run(args).await,
        Command::Token(args) => token::run(args).await,
        Command::Clients(group) => group.run().await,
        Command::Credentials(group) => group.run().await,
        Command::Grants(group) => group.run().await,
        Command::Apis(group) => group.run().await,
        Command::Keys(group) => group.run().await,
        Command::Export(args) => transfer::export(*args).await,
        Command::Apply(args) => return transfer::apply(*args).await,
        Command::Audit(args) => return audit::run(args).await,
        Command::Profiles(args) => manage::profiles::run(args),
        Command::Backup(args) => maintenance::backup(args).await,
        Command::Restore(args) => maintenance::restore(args).await,
        Command::Check(args) => return maintenance::check(args).await,
        Command::Copy(args) => maintenance::copy(args).await,
        Command::Rekey(args) => maintenance::rekey(args).await,
        Command::Admin(command) => maintenance::admin(command).await,
        Command::Completions(args) => help::completions(&args),
        Command::Man(args) => help::man(&args),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {}", manage::output::plain(&error.to_string()));
    ExitCode::FAILURE
}

/// Why a command failed, for people.
type Failure = Box<dyn std::error::Error>;
