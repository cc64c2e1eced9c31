//! `tenantry`: a tenant in one binary.

mod env;
mod local;
mod manage;
mod options;
mod serve;
mod token;

use clap::{Parser, Subcommand};
use manage::Group;
use std::process::ExitCode;

/// An Auth0-compatible tenant on your own machine.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

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
    /// Remember tenants and how to reach them
    Profiles(manage::profiles::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(*args).await,
            Command::Env(args) => env::run(args).await,
            Command::Token(args) => token::run(args).await,
            Command::Clients(group) => group.run().await,
            Command::Credentials(group) => group.run().await,
            Command::Grants(group) => group.run().await,
            Command::Apis(group) => group.run().await,
            Command::Profiles(args) => manage::profiles::run(args),
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error.as_ref()),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

/// Why a command failed, for people.
type Failure = Box<dyn std::error::Error>;
