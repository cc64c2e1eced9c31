//! What a signature costs, with nothing around it.

use crate::key::Key;
use crate::rounds::Sample;
use crate::{Failure, cpu, stop};
use std::time::{Duration, Instant};

/// As long as what is signed for a token.
const MESSAGE: [u8; 450] = [b'm'; 450];

/// Signs on all processors at once: two of them may share the parts of one.
pub(crate) fn signature(lasts: Duration) -> Result<Sample, Failure> {
    let key = Key::generate()?;
    let begin = Instant::now();
    let sign = || {
        let (mut count, thread) = (0_u64, cpu::Thread::now());
        while begin.elapsed() < lasts && !stop::is_asked() {
            key.sign(&MESSAGE)?;
            count += 1;
        }
        Ok::<_, Failure>((count, thread.since()))
    };
    let each = std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let signing: Vec<_> = (0..threads).map(|_| scope.spawn(sign)).collect();
        signing
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a signer failed")?)
            .collect::<Result<Vec<_>, _>>()
    })?;
    stop::check()?;
    let (count, used) =
        each.iter().fold((0, Duration::ZERO), |(count, used), (n, cpu)| (count + n, used + *cpu));
    Ok(Sample::of(count, begin.elapsed(), Some(used)))
}

/// `tenantry-bench signature`.
pub(crate) fn print_signature(lasts: Duration) -> Result<(), Failure> {
    cpu::check()?;
    stop::on_signals()?;
    let sample = signature(lasts)?;
    let cpu = sample.cpu_us.unwrap_or(f64::NAN);
    println!("RSA-2048 signature: {cpu:.1} us of CPU, {:.0} a second on all processors", sample.per_second);
    Ok(())
}
