//! Patience with callers that send or read slowly: how long a connection may lie idle, take to send the headers of a
//! request or its body, or not read its answer.
//!
//! The ordinary request touches no timer here: one is set when a connection first waits, and looked at when it rings.

use super::MAX_BODY;
use super::connections::ConnectionFigures;
use bytes::Bytes;
use http::Version;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

/// How long callers may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Between requests.
    pub(crate) idle: Duration,
    /// From the first byte of a request to the end of its headers.
    pub(crate) headers: Duration,
    /// For the rest of a request.
    pub(crate) body: Duration,
    /// Without taking in anything of an answer.
    pub(crate) unread: Duration,
}

/// What the requests of a connection are doing.
pub(super) struct Requests {
    opened: Instant,
    begun: AtomicU32,
    ended: AtomicU32,
    /// When the last one ended, in milliseconds since the connection was opened.
    last_end: AtomicU64,
}

impl Requests {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            begun: AtomicU32::new(0),
            ended: AtomicU32::new(0),
            last_end: AtomicU64::new(0),
        })
    }

    /// A request's headers have arrived; it lasts until what is returned is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        self.begun.fetch_add(1, Ordering::AcqRel);
        Running(Arc::clone(self))
    }

    fn idle_since(&self) -> Instant {
        self.opened + Duration::from_millis(self.last_end.load(Ordering::Acquire))
    }
}

pub(super) struct Running(Arc<Requests>);

impl Drop for Running {
    fn drop(&mut self) {
        let since = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last_end.store(since, Ordering::Release);
        self.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}

/// A connection that is closed when its caller is too slow.
pub(super) struct Paced<S> {
    stream: S,
    requests: Arc<Requests>,
    patience: Patience,
    figures: Arc<ConnectionFigures>,
    /// Rings no later than the connection has to be closed, if it goes on waiting.
    alarm: Pin<Box<Sleep>>,
    /// Bytes of a request have come, and its headers are not complete.
    is_within_headers: bool,
    headers_due: Option<Instant>,
    /// How many requests had begun when last looked at.
    begun: u32,
    /// The first bytes were those of HTTP/2, where what comes between requests need not belong to one.
    is_http2: Option<bool>,
    unread: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    pub(super) fn new(
        stream: S,
        requests: Arc<Requests>,
        patience: Patience,
        figures: Arc<ConnectionFigures>,
    ) -> Self {
        let alarm = Box::pin(sleep_until(requests.opened + patience.idle));
        Self {
            stream,
            requests,
            patience,
            figures,
            alarm,
            is_within_headers: false,
            headers_due: None,
            begun: 0,
            is_http2: None,
            unread: None,
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let is_http2 = *self.is_http2.get_or_insert_with(|| bytes.starts_with(b"PRI"));
        self.is_within_headers |= !is_http2;
    }

    /// Waits with the reader; whether that took too long.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<Late> {
        let begun = self.requests.begun.load(Ordering::Acquire);
        if begun != self.begun {
            (self.begun, self.is_within_headers, self.headers_due) = (begun, false, None);
        }
        // The time of a request that is being answered is limited elsewhere. But nobody may ask here again when it ends,
        // so that the alarm has to be set.
        let is_answered = self.requests.ended.load(Ordering::Acquire) == begun;
        self.is_within_headers &= is_answered;
        let due = if self.is_within_headers {
            Some(*self.headers_due.get_or_insert_with(|| Instant::now() + self.patience.headers))
        } else {
            is_answered.then(|| self.requests.idle_since() + self.patience.idle)
        };
        if let Some(due) = due.filter(|due| *due < self.alarm.deadline()) {
            self.alarm.as_mut().reset(due);
        }
        loop {
            ready!(self.alarm.as_mut().poll(context));
            let now = Instant::now();
            if due.is_some_and(|due| due <= now) {
                return Poll::Ready(if self.is_within_headers { Late::Headers } else { Late::Idle });
            }
            self.alarm.as_mut().reset(due.unwrap_or(now + self.patience.idle));
        }
    }

    /// Passes on how writing went, unless nothing was taken for too long.
    fn written<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.unread = None;
            return result;
        }
        let patience = self.patience.unread;
        let unread = self.unread.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        ready!(unread.as_mut().poll(context));
        self.figures.slow_reader.increment();
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the caller does not read its answer")))
    }
}

enum Late {
    Idle,
    Headers,
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            self.received(&buffer.filled()[filled..]);
            return Poll::Ready(result);
        }
        match ready!(self.wait(context)) {
            // As if the caller had closed it.
            Late::Idle => Poll::Ready(Ok(())),
            Late::Headers => {
                self.figures.slow_headers.increment();
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the headers took too long")))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.written(context, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(context);
        self.written(context, result)
    }
}

/// The body did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("the body took too long")]
pub(super) struct SlowBody;

/// A request's body, which has to be there in time.
pub(super) struct TimedBody {
    /// Absent when it is dropped.
    body: Option<Incoming>,
    patience: Duration,
    alarm: Option<Pin<Box<Sleep>>>,
    is_http2: bool,
}

impl TimedBody {
    pub(super) fn new(body: Incoming, patience: Duration, version: Version) -> Self {
        Self { body: Some(body), patience, alarm: None, is_http2: version == Version::HTTP_2 }
    }
}

impl Drop for TimedBody {
    /// Reads the rest of what a caller sends whose request was answered before. By HTTP/2 it would be told otherwise not to
    /// go on, and some programs (curl before 8.2) then forget the answer. By HTTP/1 the connection is closed.
    fn drop(&mut self) {
        let is_late = self.alarm.as_ref().is_some_and(|alarm| alarm.is_elapsed());
        let is_wanted = |body: &Incoming| self.is_http2 && !is_late && !body.is_end_stream();
        let Some(mut body) = self.body.take().filter(is_wanted) else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(timeout(self.patience, async move {
            let mut read = 0;
            while read < MAX_BODY
                && let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
            {
                read += frame.data_ref().map_or(0, Bytes::len);
            }
        }));
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = self.patience;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        ready!(alarm.as_mut().poll(context));
        Poll::Ready(Some(Err(SlowBody.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    fn paced<S>(stream: S, figures: &Arc<ConnectionFigures>) -> Paced<S> {
        let long = Duration::from_secs(60);
        let patience = Patience { idle: long, headers: long, body: long, unread: Duration::from_millis(200) };
        Paced::new(stream, Requests::new(), patience, Arc::clone(figures))
    }

    #[tokio::test]
    async fn who_does_not_read_is_let_go_and_who_reads_slowly_is_not() {
        let figures = Arc::default();
        let (server, _silent) = duplex(64);
        let error = paced(server, &figures).write_all(&[0; 1_000]).await.unwrap_err();
        assert_eq!((error.kind(), figures.slow_reader.get()), (io::ErrorKind::TimedOut, 1));

        let (server, mut slow) = duplex(64);
        let began = Instant::now();
        let reader = tokio::spawn(async move {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                slow.read_exact(&mut [0; 64]).await.unwrap();
            }
        });
        paced(server, &figures).write_all(&[0; 640]).await.unwrap();
        assert!(
            began.elapsed() > Duration::from_millis(400),
            "longer than the patience, never that long at once"
        );
        reader.await.unwrap();
        assert_eq!(figures.slow_reader.get(), 1);
    }
}
