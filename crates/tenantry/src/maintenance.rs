//! Commands on the database of a data directory: `backup`, `restore`, `check`, `copy`, `admin`.

use crate::manage::output::{plain, print};
use crate::options::{DataDirOption, data_dir};
use crate::{Failure, local};
use clap::Subcommand;
use std::path::PathBuf;
use std::process::ExitCode;
use tenantry_server::maintenance::{Restored, Site};
use tenantry_server::{DataDir, maintenance, reset_admin};

/// Which database, and the key to it.
#[derive(Debug, clap::Args)]
pub(crate) struct SiteOptions {
    #[command(flatten)]
    data_dir: DataDirOption,
    /// The database [default: that of the last server in the directory]
    #[arg(long, value_name = "URL", env = "TENANTRY_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// File that holds the master key [default: that of the last server in the directory]
    #[arg(long, value_name = "FILE", env = "TENANTRY_MASTER_KEY_FILE")]
    master_key_file: Option<PathBuf>,
}

impl SiteOptions {
    pub(crate) fn open(&self) -> Result<(DataDir, Site), Failure> {
        let dir = data_dir(self.data_dir.data_dir.clone())?;
        let site = Site::new(dir.clone(), self.database_url.as_deref(), self.master_key_file.as_deref())?;
        Ok((dir, site))
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// Where to write it; an earlier backup there is replaced when the new one is whole
    file: PathBuf,
    #[command(flatten)]
    site: SiteOptions,
}

pub(crate) async fn backup(args: BackupArgs) -> Result<(), Failure> {
    let (_, site) = args.site.open()?;
    site.backup(&args.file).await?;
    eprintln!("wrote {}; it opens only with the master key, which is not in it", args.file.display());
    Ok(())
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    /// Put it in the place of a database that exists; that is lost
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    site: SiteOptions,
}

pub(crate) async fn restore(args: RestoreArgs) -> Result<(), Failure> {
    let (dir, site) = args.site.open()?;
    let restored = site.restore(&args.file, args.replace).await?;
    eprintln!("restored {}", site.database());
    if restored == Restored::MasterKeyMissing {
        eprintln!("the master key is not there: put it into {}", dir.master_key_file().display());
    }
    Ok(())
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    site: SiteOptions,
}

pub(crate) async fn check(args: CheckArgs) -> Result<ExitCode, Failure> {
    let (_, site) = args.site.open()?;
    let checked = site.check().await?;
    for problem in &checked.problems {
        print(&plain(&problem.what))?;
    }
    let database = site.database();
    if checked.problems.is_empty() {
        eprintln!("{database} is whole: {} rows", checked.rows);
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("{database} is not whole: {} problems in {} rows", checked.problems.len(), checked.rows);
    Ok(ExitCode::FAILURE)
}

#[derive(Debug, clap::Args)]
pub(crate) struct CopyArgs {
    /// The database to read: sqlite:PATH or `postgres://USER:PASSWORD@HOST/DATABASE`
    #[arg(long, value_name = "URL", env = "TENANTRY_COPY_FROM", hide_env_values = true)]
    from: String,
    /// The empty database to fill
    #[arg(long, value_name = "URL", env = "TENANTRY_COPY_TO", hide_env_values = true)]
    to: String,
}

pub(crate) async fn copy(args: CopyArgs) -> Result<(), Failure> {
    let copied = maintenance::copy(&args.from, &args.to).await?;
    for (table, rows) in &copied {
        print(&format!("{table} {rows}"))?;
    }
    let rows: u64 = copied.iter().map(|(_, rows)| rows).sum();
    eprintln!(
        "copied {rows} rows; start the server with the new URL, the same data directory and master key"
    );
    Ok(())
}

/// A step of changing the master key.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Step {
    /// Add a new key to this machine's file, which opens and does not seal yet
    Add,
    /// Let the new key of this machine's file seal
    Promote,
    /// Seal everything in the database with the key that seals
    Reseal,
    /// Leave only the key that seals in this machine's file
    Retire,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RekeyArgs {
    /// Only this step, where several machines share a database [default: all, or what is left of them]
    #[arg(value_enum)]
    step: Option<Step>,
    #[command(flatten)]
    site: SiteOptions,
}

pub(crate) async fn rekey(args: RekeyArgs) -> Result<(), Failure> {
    let (_, site) = args.site.open()?;
    match args.step {
        None => {
            let done = site.rekey().await?;
            eprintln!("{} secrets are sealed anew, with the key {}", done.resealed, done.key);
            eprintln!("{}: only backups that were made before need the keys in it", done.retired.display());
        }
        Some(Step::Add) => {
            let key = site.add_key().await?;
            eprintln!("added the key {key}; give the file to every server, then `tenantry rekey promote`");
        }
        Some(Step::Promote) => {
            let key = site.promote_key().await?;
            eprintln!("the key {key} seals; give the file to every server, then `tenantry rekey reseal`");
        }
        Some(Step::Reseal) => {
            let count = site.reseal().await?;
            eprintln!("{count} secrets are sealed anew; then `tenantry rekey retire`");
        }
        Some(Step::Retire) => {
            let retired = site.retire().await?;
            eprintln!("only the key that seals is left; give the file to every server");
            eprintln!("{}: only backups that were made before need the keys in it", retired.display());
        }
    }
    Ok(())
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Make a new client Tenantry Admin when the old one is lost; the old one is deleted
    Reset {
        #[command(flatten)]
        site: SiteOptions,
    },
}

pub(crate) async fn admin(command: AdminCommand) -> Result<(), Failure> {
    let AdminCommand::Reset { site: options } = command;
    let (dir, site) = options.open()?;
    let reset = reset_admin(&site).await?;
    if let Some(left) = &reset.left {
        let local = local::server(&dir, None, options.database_url.as_deref()).await?.open()?;
        local.sdk.clients().delete(left).await.map_err(|error| {
            format!("the new client is made, but {left}, the one before, could not be deleted: {error}")
        })?;
    }
    print(&reset.client_id)?;
    eprintln!("this is the administrator's client now; `tenantry env` tells its secret");
    Ok(())
}
