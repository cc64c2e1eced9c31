//! How far a long run is, on standard error. Short runs say nothing.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Before this nobody wonders.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two lines where they cannot be written over.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Counts what is done.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    total: usize,
    is_terminal: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    done: usize,
    next: Instant,
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new(what: &'static str, total: usize) -> Self {
        let state = State { done: 0, next: Instant::now() + PATIENCE, is_shown: false };
        Self { what, total, is_terminal: std::io::stderr().is_terminal(), state: Mutex::new(state) }
    }

    /// One more is done.
    pub(crate) fn step(&self) {
        let Ok(mut state) = self.state.lock() else { return };
        state.done += 1;
        if Instant::now() < state.next {
            return;
        }
        let of = if self.total > 0 { format!(" of {}", self.total) } else { String::new() };
        if self.is_terminal {
            eprint!("\r{}: {}{of} ", self.what, state.done);
            let _ = std::io::stderr().flush();
            state.next = Instant::now() + PATIENCE / 10;
        } else {
            eprintln!("{}: {}{of}", self.what, state.done);
            state.next = Instant::now() + BETWEEN_LINES;
        }
        state.is_shown = true;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_terminal && self.state.lock().is_ok_and(|state| state.is_shown) {
            eprintln!();
        }
    }
}
