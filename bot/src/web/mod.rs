//! What listens for HTTP: what chats deliver, and `/health`. Pages there are none yet.

mod health;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tidegate_runner::house::House;
use tidegate_runner::service::Beside;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::vitals::Vitals;

/// Between two tries to get the port.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Tells how everything is beside the engine of `house`, where that is configured.
#[must_use]
pub fn beside(house: &House, vitals: &Vitals) -> Option<Beside> {
    let address = house.config().web?.listen;
    let router = health::router(house.desk.clone(), vitals.clone());
    let (stop, mut stopped) = watch::channel(false);
    let task = tokio::spawn(async move {
        tokio::select! {
            () = listen(address, router) => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    });
    Some(Beside { stop, task })
}

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
