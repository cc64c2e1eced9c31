//! Servers that are started here, and ended with whoever holds them.

use crate::Failure;
use crate::api::Api;
use http::StatusCode;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The line in which a server says where it listens.
const LISTENING: &str = "listening on http://";
/// How long a start may take.
const START: Duration = Duration::from_secs(120);
/// How long a server may take to finish.
const FINISH: Duration = Duration::from_secs(15);

pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first good answer.
    pub(crate) started_in: Duration,
}

impl Process {
    /// Starts a server and waits until `path` is answered with 200.
    pub(crate) fn start(command: &mut Command, path: &str) -> Result<Self, Failure> {
        let name = command.get_program().to_string_lossy().into_owned();
        let begin = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        let stderr = child.stderr.take().ok_or("no pipe")?;
        let (lines, said) = crossbeam_channel::bounded(1_000);
        // Reads to the end, so that the server never waits for a reader.
        std::thread::Builder::new().name("log".into()).spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = lines.try_send(line);
            }
        })?;
        let mut heard = Vec::new();
        let mut process = Self { child, address: ([127, 0, 0, 1], 0).into(), started_in: Duration::ZERO };
        process.address = loop {
            match said.recv_timeout(START.saturating_sub(begin.elapsed())) {
                Ok(line) => match line.strip_prefix(LISTENING) {
                    Some(address) => break address.parse()?,
                    None => heard.push(line),
                },
                Err(_) => return Err(format!("{name} did not start:\n{}", heard.join("\n")).into()),
            }
        };
        let api = Api::new(process.address)?;
        let ready = api.get(path);
        while let Err(error) = api.once(&ready, StatusCode::OK) {
            if begin.elapsed() > START {
                return Err(format!("{name} does not get ready: {error}").into());
            }
            crate::stop::check()?;
            std::thread::sleep(Duration::from_micros(500));
        }
        process.started_in = begin.elapsed();
        Ok(process)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the server as an operator would, and waits for it.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let asked = Command::new("kill").arg(self.id().to_string()).status()?;
        let begin = Instant::now();
        while asked.success() && begin.elapsed() < FINISH {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err("the server did not end when asked to".into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
