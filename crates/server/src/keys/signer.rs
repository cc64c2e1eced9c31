//! Threads that sign. An RSA signature is most of a millisecond of unbroken work: done on the threads that answer
//! requests, every read would wait behind the tokens that are being signed.

use crate::metrics::{Counter, Times};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use std::sync::Arc;
use std::time::Instant;
use tenantry_jose::{RsaSigningKey, SigningAlgorithm, jwt};
use tokio::sync::oneshot;

/// Tokens that may wait; a hundredth of a second each at most on one core, so a second or so.
const QUEUE: usize = 2_048;

/// The signer threads.
#[derive(Clone)]
pub(crate) struct Signer {
    jobs: Sender<Job>,
    figures: Arc<SignerFigures>,
}

/// What was signed so far.
#[derive(Default)]
pub(crate) struct SignerFigures {
    pub(crate) signatures: Times,
    /// Tokens for which there was no room in the queue.
    pub(crate) refused: Counter,
}

/// Who signs, and how.
pub(crate) struct Signature {
    pub(crate) key: Arc<RsaSigningKey>,
    pub(crate) algorithm: SigningAlgorithm,
}

struct Job {
    signature: Signature,
    input: String,
    reply: oneshot::Sender<Option<String>>,
}

/// More tokens are asked for than can be signed.
#[derive(Debug)]
pub(crate) struct Busy;

impl Signer {
    /// Starts one thread for each processor. They end when the last `Signer` is dropped.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (jobs, queue) = crossbeam_channel::bounded(QUEUE);
        let figures = Arc::<SignerFigures>::default();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for i in 0..threads {
            let (queue, figures) = (queue.clone(), Arc::clone(&figures));
            let signer = std::thread::Builder::new().name(format!("signer-{i}"));
            signer.spawn(move || sign(&queue, &figures.signatures))?;
        }
        Ok(Self { jobs, figures })
    }

    /// How many tokens wait.
    pub(crate) fn waiting(&self) -> usize {
        self.jobs.len()
    }

    pub(crate) fn figures(&self) -> &SignerFigures {
        &self.figures
    }

    /// The token of `input` (see [`jwt::signing_input`]).
    pub(crate) async fn sign(&self, signature: Signature, input: String) -> Result<String, Busy> {
        let (reply, token) = oneshot::channel();
        match self.jobs.try_send(Job { signature, input, reply }) {
            Ok(()) => token.await.ok().flatten().ok_or(Busy),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.figures.refused.increment();
                Err(Busy)
            }
        }
    }
}

fn sign(queue: &Receiver<Job>, times: &Times) {
    while let Ok(Job { signature: Signature { key, algorithm }, input, reply }) = queue.recv() {
        if reply.is_closed() {
            continue;
        }
        let began = Instant::now();
        let token =
            key.sign(algorithm, input.as_bytes()).ok().map(|signature| jwt::assemble(input, &signature));
        times.record_time(began.elapsed());
        let _ = reply.send(token);
    }
}
