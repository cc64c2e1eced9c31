//! Processor time, in nanoseconds. `/proc/PID/stat` counts in hundredths of a second; the scheduler's own account of each
//! thread is exact.

use std::collections::HashMap;
use std::time::Duration;

/// What each thread of a process had used when this was taken.
pub(crate) struct Usage {
    process: u32,
    threads: HashMap<String, u64>,
}

impl Usage {
    pub(crate) fn of(process: u32) -> Self {
        Self { process, threads: threads(process) }
    }

    /// What the process has used since. A thread that ended meanwhile is not counted: those of a server that end have
    /// been idle for seconds.
    pub(crate) fn since(&self) -> Duration {
        let used = threads(self.process)
            .iter()
            .map(|(thread, now)| now.saturating_sub(self.threads.get(thread).copied().unwrap_or(0)))
            .sum();
        Duration::from_nanos(used)
    }
}

fn threads(process: u32) -> HashMap<String, u64> {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{process}/task")) else { return HashMap::new() };
    let of = |entry: std::fs::DirEntry| {
        let used = first_number(&std::fs::read_to_string(entry.path().join("schedstat")).ok()?)?;
        Some((entry.file_name().to_string_lossy().into_owned(), used))
    };
    entries.flatten().filter_map(of).collect()
}

/// What the calling thread had used when this was taken.
pub(crate) struct Thread(Option<u64>);

impl Thread {
    pub(crate) fn now() -> Self {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat");
        Self(text.ok().and_then(|text| first_number(&text)))
    }

    /// What it has used since.
    pub(crate) fn since(&self) -> Duration {
        let now = Self::now().0.unwrap_or(0);
        Duration::from_nanos(now.saturating_sub(self.0.unwrap_or(0)))
    }
}

/// Fails where the kernel keeps no such account.
pub(crate) fn check() -> Result<(), crate::Failure> {
    let known = Thread::now().0;
    known
        .map(drop)
        .ok_or_else(|| "no /proc/thread-self/schedstat: this needs Linux with CONFIG_SCHED_INFO".into())
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Resident memory of a process in megabytes (of 1,024² bytes).
pub(crate) fn resident(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u32 = line.split_whitespace().next()?.parse().ok()?;
    Some(f64::from(kilobytes) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_thread_is_seen_by_itself_and_by_the_process() {
        let (usage, thread) = (Usage::of(std::process::id()), Thread::now());
        let mut sum = 0_u64;
        while thread.since() < Duration::from_millis(50) {
            sum = (0..10_000_u64).fold(sum, |sum, n| std::hint::black_box(sum.wrapping_add(n)));
        }
        assert!(usage.since() >= Duration::from_millis(40), "{:?}", usage.since());
        assert!(resident(std::process::id()).unwrap() > 1.0);
    }
}
