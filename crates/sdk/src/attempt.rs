//! How a call is done: attempts, pauses between them, and the deadline over all.

use crate::call::Request;
use crate::client::ManagementClient;
use crate::error::{ApiFailure, Asked, Error, Stage, TimedOut};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tracing::Instrument as _;

/// A whole answer.
pub(crate) type Answer = (StatusCode, HeaderMap, Bytes);

/// The first pause between two attempts; each one after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause, unless the server asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(crate) async fn perform(client: &ManagementClient, request: &Request) -> Result<Answer, Error> {
    let timeout = request.timeout.unwrap_or(client.defaults().timeout);
    if timeout.is_zero() {
        return Err(Error::Timeout(TimedOut { after: timeout, stage: Stage::Token }));
    }
    // Whether the server may be at work on it.
    let is_sent = AtomicBool::new(false);
    let span = tracing::debug_span!("management_call", method = %request.method, path = request.path);
    let attempts = attempts(client, request, Instant::now().checked_add(timeout), &is_sent);
    let done = tokio::time::timeout(timeout, attempts.instrument(span)).await;
    done.unwrap_or_else(|_| {
        let stage = if is_sent.load(Ordering::Relaxed) { Stage::Waiting } else { Stage::Token };
        Err(Error::Timeout(TimedOut { after: timeout, stage }))
    })
}

async fn attempts(
    client: &ManagementClient,
    request: &Request,
    deadline: Option<Instant>,
    is_sent: &AtomicBool,
) -> Result<Answer, Error> {
    let defaults = client.defaults();
    let retries = request.max_retries.unwrap_or(defaults.max_retries);
    let mut renewed = false;
    let mut tried = 0;
    loop {
        let attempt_timeout = request.attempt_timeout.or(defaults.attempt_timeout);
        let error = match within(attempt_timeout, Stage::Token, client.tokens().get()).await {
            Err(error) => error,
            Ok(token) => {
                let http = client.http_request(request, &token)?;
                is_sent.store(true, Ordering::Relaxed);
                let error = match within(attempt_timeout, Stage::Waiting, send(http)).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                };
                is_sent.store(false, Ordering::Relaxed);
                // A token may have been revoked, or its key replaced: one new token, once.
                if error.is_unauthorized() && !renewed && client.tokens().refused(&token).await {
                    renewed = true;
                    continue;
                }
                error
            }
        };
        if tried >= retries || !may_repeat(request.is_repeatable, &error) {
            return Err(error);
        }
        let pause = pause(&error, tried);
        let next = Instant::now().checked_add(pause);
        if next.is_none() || deadline.is_some_and(|deadline| next >= Some(deadline)) {
            return Err(error);
        }
        tried += 1;
        tracing::debug!(tried, ?pause, status = error.status().map(|status| status.as_u16()), "trying again");
        tokio::time::sleep(pause).await;
    }
}

/// Does something, within a time if there is one.
async fn within<T>(
    timeout: Option<Duration>,
    stage: Stage,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match timeout {
        None => work.await,
        Some(after) => {
            tokio::time::timeout(after, work).await.unwrap_or(Err(Error::Timeout(TimedOut { after, stage })))
        }
    }
}

fn pause(error: &Error, tried: u32) -> Duration {
    let asked = error.api().filter(|failure| failure.retry_after().is_some()).and_then(ApiFailure::asked);
    match asked {
        Some(Asked::After(pause)) if !pause.is_zero() => pause,
        // Everybody else was told the same moment.
        Some(Asked::Reset(pause)) if !pause.is_zero() => {
            pause.saturating_add(LONGEST_PAUSE.min(pause / 5).mul_f64(fastrand::f64()))
        }
        _ => backoff(tried),
    }
}

/// Twice as long after each attempt, and a random part of it, so that many callers do not come back together.
fn backoff(tried: u32) -> Duration {
    let whole = FIRST_PAUSE.saturating_mul(1 << tried.min(16)).min(LONGEST_PAUSE);
    whole.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// Whether an operation can be done again after this failure. One that may have taken effect is done again only if
/// doing it twice is the same as doing it once.
fn may_repeat(is_repeatable: bool, error: &Error) -> bool {
    match error {
        Error::Connect(_) => true,
        Error::Timeout(timed_out) => is_repeatable || timed_out.stage != Stage::Waiting,
        Error::Interrupted(_) => is_repeatable,
        Error::Api(failure) => match failure.status {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::REQUEST_TIMEOUT => is_repeatable,
            status => is_repeatable && status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED,
        },
        // Nothing but another token comes of asking for a token twice.
        Error::Token(error) => may_repeat(true, error),
        Error::Build(_) | Error::Supplier(_) | Error::Decode(_) => false,
    }
}

pub(crate) async fn send(request: reqwest::RequestBuilder) -> Result<Answer, Error> {
    let response = request.send().await.map_err(classify)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let raw = response.bytes().await.map_err(classify)?;
    tracing::debug!(status = status.as_u16(), "answered");
    if status.is_success() {
        Ok((status, headers, raw))
    } else {
        Err(Error::Api(Box::new(ApiFailure::new(status, headers, raw))))
    }
}

/// At which stage a request failed.
fn classify(error: reqwest::Error) -> Error {
    // An address may hold what should not be printed.
    let error = error.without_url();
    if error.is_connect() {
        Error::Connect(error)
    } else if error.is_builder() {
        Error::Build(error.to_string())
    } else {
        Error::Interrupted(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: StatusCode) -> Error {
        Error::Api(Box::new(ApiFailure::new(status, HeaderMap::new(), Bytes::new())))
    }

    #[test]
    fn what_may_have_taken_effect_is_repeated_only_if_that_does_no_harm() {
        let timed_out = |stage| Error::Timeout(TimedOut { after: Duration::ZERO, stage });
        for (error, always, if_repeatable) in [
            (refusal(StatusCode::TOO_MANY_REQUESTS), true, true),
            (refusal(StatusCode::REQUEST_TIMEOUT), false, true),
            (refusal(StatusCode::INTERNAL_SERVER_ERROR), false, true),
            (refusal(StatusCode::BAD_GATEWAY), false, true),
            (refusal(StatusCode::NOT_IMPLEMENTED), false, false),
            (refusal(StatusCode::CONFLICT), false, false),
            (refusal(StatusCode::FOUND), false, false),
            (timed_out(Stage::Token), true, true),
            (timed_out(Stage::Waiting), false, true),
            (Error::Token(refusal(StatusCode::BAD_GATEWAY).into()), true, true),
            (Error::Token(refusal(StatusCode::UNAUTHORIZED).into()), false, false),
            (Error::Build(String::new()), false, false),
        ] {
            assert_eq!(
                (may_repeat(false, &error), may_repeat(true, &error)),
                (always, if_repeatable),
                "{error}"
            );
            if always && error.stage() == Stage::Refused {
                assert!(!error.may_have_taken_effect(), "{error}");
            }
        }
    }

    #[test]
    fn pauses_grow_and_differ() {
        for (tried, most) in [(0, 250), (1, 500), (2, 1000), (30, 30_000), (u32::MAX, 30_000)] {
            let pause = backoff(tried).as_millis();
            assert!((most / 2..=most).contains(&pause), "{tried}: {pause}");
        }
        assert!((0..20).map(|_| backoff(3)).collect::<std::collections::HashSet<_>>().len() > 1);
    }
}
