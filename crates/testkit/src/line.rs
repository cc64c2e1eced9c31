//! A line to the database that can be cut.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A TCP proxy. While it is cut, connections stay and are accepted, and nothing arrives.
#[derive(Debug)]
pub struct Line {
    flows: watch::Sender<bool>,

    task: JoinHandle<()>,
}

impl Line {
    /// Leads to the database of a URL; the URL that goes through it.
    ///
    /// # Panics
    /// If the URL names no port of this machine.
    pub(crate) async fn to(url: &str) -> (Self, String) {
        let mut through = url::Url::parse(url).expect("a URL");
        let target = through.port().expect("a port");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        through.set_port(Some(port)).expect("a URL with a host");
        let (flows, flowing) = watch::channel(true);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(join(near, target, flowing.clone()));
            }
        });
        (Self { flows, task }, through.into())
    }

    /// From now on nothing arrives.
    pub fn cut(&self) {
        self.flows.send_replace(false);
    }

    /// Everything arrives again, also what was held back.
    pub fn mend(&self) {
        self.flows.send_replace(true);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn join(near: TcpStream, target: u16, flowing: watch::Receiver<bool>) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    tokio::spawn(pump(from_far, to_near, flowing.clone()));
    pump(from_near, to_far, flowing).await;
}

async fn pump(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    mut flowing: watch::Receiver<bool>,
) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        if flowing.wait_for(|flows| *flows).await.is_err() || to.write_all(&piece[..length]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
