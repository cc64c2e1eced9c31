//! Threads that sign. An RSA signature is most of a millisecond of unbroken work: done on the threads that answer
//! requests, every read would wait behind the tokens that are being signed.

use crossbeam_channel::{Receiver, Sender, TrySendError};
use std::sync::Arc;
use tenantry_jose::{RsaSigningKey, SigningAlgorithm, jwt};
use tokio::sync::oneshot;

/// Tokens that may wait; a hundredth of a second each at most on one core, so a second or so.
const QUEUE: usize = 2_048;

/// The signer threads.
#[derive(Clone)]
pub(crate) struct Signer(Sender<Job>);

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
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for i in 0..threads {
            let queue = queue.clone();
            std::thread::Builder::new().name(format!("signer-{i}")).spawn(move || sign(&queue))?;
        }
        Ok(Self(jobs))
    }

    /// The token of `input` (see [`jwt::signing_input`]).
    pub(crate) async fn sign(&self, signature: Signature, input: String) -> Result<String, Busy> {
        let (reply, token) = oneshot::channel();
        match self.0.try_send(Job { signature, input, reply }) {
            Ok(()) => token.await.ok().flatten().ok_or(Busy),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Busy),
        }
    }
}

fn sign(queue: &Receiver<Job>) {
    while let Ok(Job { signature: Signature { key, algorithm }, input, reply }) = queue.recv() {
        if reply.is_closed() {
            continue;
        }
        let token =
            key.sign(algorithm, input.as_bytes()).ok().map(|signature| jwt::assemble(input, &signature));
        let _ = reply.send(token);
    }
}
