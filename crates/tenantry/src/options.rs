//! Options that several commands have.

use crate::Failure;
use clap::Args;
use std::path::PathBuf;
use tenantry_server::DataDir;

/// Where the server keeps everything.
#[derive(Debug, Args)]
pub(crate) struct DataDirOption {
    /// Directory in which the server keeps everything [default: the platform's data directory]
    #[arg(long, value_name = "DIR", env = "TENANTRY_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// The data directory: the one that was named, else the platform's.
pub(crate) fn data_dir(named: Option<PathBuf>) -> Result<DataDir, Failure> {
    data_path(named).map(DataDir::new)
}

/// Its path.
pub(crate) fn data_path(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(path) = named {
        return Ok(std::path::absolute(path)?);
    }
    let dirs = directories::ProjectDirs::from("", "", "tenantry")
        .ok_or("there is no home directory\nhint: name a directory with --data-dir")?;
    Ok(dirs.data_dir().to_owned())
}
