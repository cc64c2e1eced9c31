//! What the system knows of this process.

/// What it uses, as far as the system tells.
#[derive(Default)]
pub(super) struct Process {
    pub(super) cpu_seconds: Option<f64>,
    pub(super) resident_bytes: Option<u64>,
    pub(super) virtual_bytes: Option<u64>,
    pub(super) threads: Option<u64>,
    pub(super) open_files: Option<u64>,
    pub(super) most_files: Option<u64>,
}

impl Process {
    #[cfg(target_os = "linux")]
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    pub(super) fn look() -> Self {
        let mut found = Self { most_files: most_files(), ..Self::default() };
        let Ok(process) = procfs::process::Process::myself() else { return found };
        if let Ok(stat) = process.stat() {
            found.cpu_seconds = Some((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64);
            found.resident_bytes = Some(stat.rss * procfs::page_size());
            found.virtual_bytes = Some(stat.vsize);
            found.threads = u64::try_from(stat.num_threads).ok();
        }
        found.open_files = process.fd_count().ok().and_then(|count| u64::try_from(count).ok());
        found
    }

    /// Elsewhere there is no safe interface to these.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn look() -> Self {
        Self { most_files: most_files(), ..Self::default() }
    }
}

fn most_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}
