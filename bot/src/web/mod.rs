//! What listens for HTTP: until there are pages, only what chats deliver.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

/// Between two tries to get the port.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Serves `router`, for ever. A port that somebody else has is tried again.
pub async fn listen(address: SocketAddr, router: Router) {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                let address = listener.local_addr().unwrap_or(address);
                tracing::info!(%address, "listening for HTTP");
                if let Err(error) = axum::serve(listener, router.clone()).await {
                    tracing::error!(%error, "the HTTP server ended");
                }
            }
            Err(error) => tracing::error!(%error, %address, "cannot listen for HTTP"),
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}
