//! `tenantry completions` and `tenantry man`, from the definitions that parse the command line.

use crate::{Cli, Failure};
use clap::CommandFactory as _;
use clap_complete::Shell;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tenantry completions bash > /etc/bash_completion.d/tenantry
  tenantry completions zsh > ~/.zfunc/_tenantry     (fpath+=~/.zfunc in ~/.zshrc)
  tenantry completions fish > ~/.config/fish/completions/tenantry.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Directory to write the pages into
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tenantry", &mut script);
    crate::manage::output::print(&String::from_utf8(script)?)
}

pub(crate) fn man(args: &ManArgs) -> Result<(), Failure> {
    let at = |error: std::io::Error| format!("{}: {error}", args.out.display());
    std::fs::create_dir_all(&args.out).map_err(at)?;
    Ok(clap_mangen::generate_to(Cli::command(), &args.out).map_err(at)?)
}
