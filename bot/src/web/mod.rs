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
            () = listen(address, router, |_| {}) => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    });
    Some(Beside { stop, task })
}

/// What became of the port that is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// What is sent to it is heard from now on.
    Open,
    /// It is not any more.
    Lost,
    /// It cannot be had: tried again.
    Refused,
}

/// Serves `router`, for ever, and says what becomes of the port. One that somebody else has is tried again.
pub async fn listen(address: SocketAddr, router: Router, became: impl Fn(Port)) {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                let address = listener.local_addr().unwrap_or(address);
                tracing::info!(%address, "listening for HTTP");
                became(Port::Open);
                if let Err(error) = axum::serve(listener, router.clone()).await {
                    tracing::error!(%error, "the HTTP server ended");
                }
                became(Port::Lost);
            }
            Err(error) => {
                tracing::error!(%error, %address, "cannot listen for HTTP");
                became(Port::Refused);
            }
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}
