//! Load: kept-alive connections that ask, wait for the answer, and ask again, all on the calling thread.

use crate::Failure;
use crate::cpu::Usage;
use crate::stop;
use bytes::{Bytes, BytesMut};
use futures_util::future::join_all;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

pub(crate) type Ask = Request<Full<Bytes>>;
/// Makes the request of each number; `None` when there are no more.
pub(crate) type Asks<'a> = dyn Fn(u64) -> Option<Ask> + Sync + 'a;
/// Looks at each answer's body.
pub(crate) type Answers<'a> = dyn Fn(&[u8]) + 'a;

/// How much longer than planned a run may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(60);
/// Failures after which there is no point in going on.
const MOST_FAILURES: u64 = 100;

/// What to ask, how often, and of whom.
pub(crate) struct Load<'a> {
    pub(crate) to: SocketAddr,
    pub(crate) connections: usize,
    /// No request begins after this.
    pub(crate) lasts: Duration,
    /// Nor more than so many.
    pub(crate) most: u64,
    pub(crate) expect: StatusCode,
    pub(crate) ask: &'a Asks<'a>,
    pub(crate) answer: Option<&'a Answers<'a>>,
    /// Whose processor time is counted.
    pub(crate) process: Option<u32>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Answers with the expected status.
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
    pub(crate) took: Duration,
    pub(crate) cpu: Duration,
    /// Microseconds, from the shortest to the longest.
    latencies: Vec<u32>,
}

impl Outcome {
    /// The latency in milliseconds that this part of all answers does not exceed.
    pub(crate) fn percentile(&self, part: f64) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index into a list of some hundred thousand"
        )]
        let at = (part * (self.latencies.len() as f64 - 1.0)).max(0.0).round() as usize;
        self.latencies.get(at).map_or(f64::NAN, |&latency| f64::from(latency) / 1e3)
    }
}

#[derive(Default)]
struct Record {
    latencies: Vec<u32>,
    failed: u64,
    first_failure: Option<String>,
}

impl Record {
    fn fail(&mut self, why: impl FnOnce() -> String) {
        self.failed += 1;
        self.first_failure.get_or_insert_with(why);
    }
}

impl Load<'_> {
    /// Asks until the time or the requests are over.
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        stop::check()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let outcome = LocalSet::new().block_on(&runtime, async {
            tokio::time::timeout(self.lasts + PATIENCE, self.ask_all())
                .await
                .map_err(|_| "the server stopped answering")?
        })?;
        stop::check()?;
        match &outcome.first_failure {
            Some(why) if outcome.answered == 0 || outcome.failed > MOST_FAILURES => {
                Err(format!("{} requests failed, the first: {why}", outcome.failed).into())
            }
            _ => Ok(outcome),
        }
    }

    async fn ask_all(&self) -> Result<Outcome, Failure> {
        let mut senders = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            senders.push(connect(self.to).await?);
        }
        let record = RefCell::new(Record::default());
        let next = Cell::new(0);
        let usage = self.process.map(Usage::of);
        let start = Instant::now();
        join_all(senders.into_iter().map(|sender| self.ask_on(sender, start, &next, &record))).await;
        let (took, cpu) = (start.elapsed(), usage.map_or(Duration::ZERO, |usage| usage.since()));
        let Record { mut latencies, failed, first_failure } = record.into_inner();
        latencies.sort_unstable();
        Ok(Outcome { answered: latencies.len() as u64, failed, first_failure, took, cpu, latencies })
    }

    async fn ask_on(
        &self,
        mut sender: SendRequest<Full<Bytes>>,
        start: Instant,
        next: &Cell<u64>,
        record: &RefCell<Record>,
    ) {
        let mut body = BytesMut::new();
        while start.elapsed() < self.lasts && !stop::is_asked() {
            let number = next.get();
            if number >= self.most || record.borrow().failed > MOST_FAILURES {
                return;
            }
            next.set(number + 1);
            let Some(request) = (self.ask)(number) else { return };
            let asked = Instant::now();
            body.clear();
            match self.exchange(&mut sender, request, &mut body).await {
                Ok(status) if status == self.expect => {
                    let latency = u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX);
                    record.borrow_mut().latencies.push(latency);
                    if let Some(answer) = self.answer {
                        answer(&body);
                    }
                }
                Ok(status) => record.borrow_mut().fail(|| {
                    let text = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
                    format!("{status} {text}")
                }),
                Err(error) => {
                    record.borrow_mut().fail(|| error.to_string());
                    match connect(self.to).await {
                        Ok(again) => sender = again,
                        Err(_) => return,
                    }
                }
            }
        }
    }

    /// Asks, and reads the answer to its end; keeps the body if someone looks at it, or it may be an error.
    async fn exchange(
        &self,
        sender: &mut SendRequest<Full<Bytes>>,
        request: Ask,
        body: &mut BytesMut,
    ) -> Result<StatusCode, hyper::Error> {
        sender.ready().await?;
        let mut response = sender.send_request(request).await?;
        let status = response.status();
        let keep = self.answer.is_some() || status != self.expect;
        while let Some(frame) = response.frame().await {
            if let (true, Some(data)) = (keep, frame?.data_ref()) {
                body.extend_from_slice(data);
            }
        }
        Ok(status)
    }
}

async fn connect(to: SocketAddr) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let stream = TcpStream::connect(to).await.map_err(|error| format!("cannot connect to {to}: {error}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(connection);
    Ok(sender)
}
