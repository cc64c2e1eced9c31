//! `tenantry export` and `tenantry apply`: a tenant as a document, and a document as a tenant.
//!
//! A document names things by what they are called in every tenant: applications by name, APIs by identifier,
//! credentials by their key. What belongs to one tenant (ids, secrets, times) is not in it, so that it can be applied to
//! another.

#![expect(clippy::doc_markdown, reason = "comments on options are help texts")]

mod clients;
mod compare;
mod credential;
mod document;
mod form;
mod keywords;
mod plan;
mod progress;
mod run;
mod tenant;

use crate::Failure;
use crate::manage::connection::{Connection, HELP, Opened};
use crate::manage::input::confirm;
use crate::manage::output::{plain, print};
use document::{Document, Format};
use keywords::Keywords;
use plan::{Action, Plan};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use tenant::Tenant;

#[derive(Debug, clap::Args)]
#[command(after_help = format!("\
Secrets are not exported, and neither are the application that calls and the
Management API.

Examples:
  tenantry export -o tenant.yaml
  tenantry export --profile staging | tenantry apply --profile test --dry-run -

{HELP}"))]
pub(crate) struct ExportArgs {
    /// File to write; standard output if none is named
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Form of the document [default: what the file is called after, or yaml]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
#[command(after_help = format!("\
What the document does not name stays as it is: sections, objects and members;
null removes a member. ##NAME## in the document stands for the text of the
variable NAME, @@NAME@@ for its value as JSON; AUTH0_KEYWORD_REPLACE_MAPPINGS is
read too. Documents and directories of auth0-deploy-cli are understood.

With --dry-run the exit code is 0 if nothing would change, 3 if something would.

Examples:
  tenantry apply tenant.yaml --dry-run
  tenantry apply tenant.yaml --keyword ENV=test --delete

{HELP}"))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ApplyArgs {
    /// Document in YAML or JSON, or directory of auth0-deploy-cli; - is standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Delete what the document does not have, in the sections that it has
    #[arg(long)]
    delete: bool,
    /// Do not ask before something is deleted
    #[arg(long)]
    yes: bool,
    /// What a keyword of the document stands for; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = keyword)]
    keyword: Vec<(String, String)>,
    /// Take ##NAME## and @@NAME@@ as they stand, except ##AUTH0_DOMAIN##
    #[arg(long, conflicts_with = "keyword")]
    no_keywords: bool,
    /// Print the changes as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

fn keyword(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(crate) async fn export(args: ExportArgs) -> Result<(), Failure> {
    let tenant = Tenant::read(args.connection.open().await?).await?;
    for (name, count) in tenant.names.shared() {
        eprintln!(
            "note: {count} applications are called `{}`; the document tells them apart by client_id, and so \
             fits this tenant only",
            plain(name)
        );
    }
    if tenant.is_blind_to_credentials {
        eprintln!("note: credentials are left out: reading them needs the scope read:client_credentials");
    }
    let lacking = tenant.credentials_without_material();
    if lacking > 0 {
        eprintln!(
            "note: {lacking} credentials are without their public key or certificate, which Auth0 does not show; add \
             it as `pem` before applying the document to another tenant"
        );
    }
    let format = args.format.unwrap_or_else(|| args.output.as_deref().map_or(Format::Yaml, Format::of));
    let text = tenant.document().print(format)?;
    match args.output {
        None => print(text.trim_end_matches('\n')),
        Some(path) => {
            let at = |error: std::io::Error| format!("{}: {error}", path.display());
            let mut options = OpenOptions::new();
            let mut file =
                options.write(true).create(true).truncate(true).mode(0o600).open(&path).map_err(at)?;
            Ok(file.write_all(text.as_bytes()).map_err(at)?)
        }
    }
}

/// Exit code of a dry run that found something to change.
const DIFFERS: u8 = 3;

pub(crate) async fn apply(args: ApplyArgs) -> Result<ExitCode, Failure> {
    let keywords = if args.no_keywords { Keywords::none() } else { Keywords::new(&args.keyword)? };
    let document = Document::read(&args.file, &keywords)?;
    let tenant = Tenant::read(args.connection.open().await?).await?;
    let plan = Plan::new(document, &tenant, args.delete)?;
    for note in &plan.notes {
        eprintln!("note: {}", plain(note));
    }
    if args.json {
        print(&serde_json::to_string_pretty(&plan.to_json())?)?;
    } else if !plan.changes.is_empty() {
        let text: String = plan.changes.iter().map(ToString::to_string).collect();
        print(&plain(text.trim_end_matches('\n')))?;
    }
    let counts = [Action::Create, Action::Update, Action::Delete].map(|action| plan.count(action));
    let [create, update, delete] = counts;
    if plan.changes.is_empty() {
        eprintln!("nothing to change");
        return Ok(ExitCode::SUCCESS);
    }
    if args.dry_run {
        eprintln!("{create} to create, {update} to change, {delete} to delete");
        return Ok(ExitCode::from(DIFFERS));
    }
    if delete > 0 {
        confirm(&format!("Delete {delete} objects?"), args.yes)?;
    }
    run::run(&plan, &tenant).await?;
    eprintln!("{create} created, {update} changed, {delete} deleted");
    Ok(ExitCode::SUCCESS)
}

/// Applies a document to a tenant that was just started; returns how many objects were made or changed.
pub(crate) async fn seed(file: &str, opened: Opened) -> Result<usize, Failure> {
    let document = Document::read(file, &Keywords::new(&[])?)?;
    let tenant = Tenant::read(opened).await?;
    let plan = Plan::new(document, &tenant, false)?;
    for note in &plan.notes {
        tracing::info!("seed: {note}");
    }
    run::run(&plan, &tenant).await?;
    Ok(plan.changes.len())
}
