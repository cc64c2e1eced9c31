//! Starts, memory, size.

use crate::load::Outcome;
use crate::rounds::{Results, Sample};
use crate::subject::{Bounds, Program, Subject, TokenFor};
use crate::{Failure, cpu};
use http::StatusCode;
use std::time::Duration;

pub(crate) const EXISTING: &str = "start on existing data";
pub(crate) const EMPTY: &str = "first start";
pub(crate) const HALF: &str = "memory after half of the requests";
pub(crate) const AFTER: &str = "memory after the requests";
pub(crate) const PROGRAM: &str = "size of the program";

/// After which a server that started counts as idle.
const IDLE: Duration = Duration::from_secs(1);
/// How long the requests before memory is looked at may take.
const LONGEST: Duration = Duration::from_secs(2 * 3_600);

/// First starts: database, keys, certificate, tenant.
pub(crate) fn first(program: &Program, times: usize, results: &mut Results) -> Result<(), Failure> {
    for time in 0..times {
        let place = program.place(&format!("start{time}"))?;
        let process = program.start(&place)?;
        results.add(EMPTY, None, Sample::start(process.started_in, cpu::resident(process.id())));
        process.finish()?;
    }
    Ok(())
}

/// Starts on what a tenant has.
pub(crate) fn again(mut subject: Subject, times: usize, results: &mut Results) -> Result<(), Failure> {
    for _ in 0..times {
        subject = subject.restart()?;
        std::thread::sleep(IDLE);
        let server = &subject.server;
        results.add(
            EXISTING,
            Some(subject.clients),
            Sample::start(server.started_in, cpu::resident(server.id())),
        );
    }
    Ok(())
}

/// So many tokens and as many reads, and the memory in the middle and at the end.
pub(crate) fn memory(
    subject: &Subject,
    requests: u64,
    connections: usize,
    results: &mut Results,
) -> Result<(), Failure> {
    let (token, hot) = (subject.token_form(TokenFor::Rs256), subject.hot(""));
    let bounds = Bounds { connections, lasts: LONGEST, most: requests / 2 };
    for name in [HALF, AFTER] {
        let run = |ask: &crate::load::Asks<'_>| -> Result<Outcome, Failure> {
            subject.load(&bounds, StatusCode::OK, ask, None)
        };
        run(&|_| Some(token.clone()))?;
        run(&|_| fastrand::choice(&hot).cloned())?;
        let memory = cpu::resident(subject.server.id()).ok_or("the server is gone")?;
        results.add(name, Some(subject.clients), Sample::megabytes(memory));
    }
    Ok(())
}

/// The program on the disk.
pub(crate) fn size(program: &Program, results: &mut Results) -> Result<(), Failure> {
    let bytes = std::fs::metadata(&program.tenantry)?.len();
    results.add(PROGRAM, None, Sample::megabytes(crate::rounds::as_float(bytes) / 1_048_576.0));
    Ok(())
}
