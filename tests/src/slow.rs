//! A way to a PostgreSQL on which everything takes its time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// The name of PostgreSQL's socket in its folder.
const SOCKET: &str = ".s.PGSQL.5432";

/// Stands before a PostgreSQL and passes on what comes, both ways, after a while. Ends when dropped.
#[derive(Debug)]
pub struct Slow {
    folder: tempfile::TempDir,
    delay_ms: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Slow {
    /// Before the server whose socket lies in this folder; at first it delays nothing.
    ///
    /// # Panics
    /// When there can be no socket.
    #[must_use]
    pub fn before(server: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-slow.").tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket");
        let delay_ms = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(serve(listener, server.join(SOCKET), Arc::clone(&delay_ms)));
        Self { folder, delay_ms, task }
    }

    /// The address of its database `postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.folder.path().display())
    }

    /// From now on each way takes so much longer.
    ///
    /// # Panics
    /// When that is for ages.
    pub fn delays(&self, by: Duration) {
        self.delay_ms.store(by.as_millis().try_into().expect("not for ages"), Ordering::SeqCst);
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: UnixListener, server: PathBuf, delay_ms: Arc<AtomicU64>) {
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = UnixStream::connect(&server).await else { return };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::spawn(pass(from_client, to_server, Arc::clone(&delay_ms)));
        tokio::spawn(pass(from_server, to_client, Arc::clone(&delay_ms)));
    }
}

/// Later, but not slower: what comes meanwhile is on its way, too.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin + Send + 'static,
    delay_ms: Arc<AtomicU64>,
) {
    let (send, mut comes) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((at, bytes)) = comes.recv().await {
            tokio::time::sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // Whoever is at the other end may be gone already.
        let _ = to.shutdown().await;
    });
    let mut piece = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let at = Instant::now() + Duration::from_millis(delay_ms.load(Ordering::SeqCst));
        if send.send((at, piece[..length].to_vec())).is_err() {
            return;
        }
    }
}
