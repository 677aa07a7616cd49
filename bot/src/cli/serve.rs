//! `tidegate serve`: carries out runs, and speaks in the chats, until it is told to stop.

use std::path::Path;
use std::process::ExitCode;

use tidegate_runner::house::House;
use tidegate_runner::logging::{self, LogFormat};
use tidegate_runner::service::{self, Beside};

use super::{fail, open};
use crate::vitals::Vitals;

pub(super) async fn run(config: &Path, log_format: LogFormat) -> ExitCode {
    if let Err(error) = logging::start(None, log_format) {
        return fail(&format!("cannot log: {error}"));
    }
    match open(config).await {
        Ok(house) => service::serve(house, beside).await,
        Err(status) => status,
    }
}

fn beside(house: &House) -> Vec<Beside> {
    let vitals = Vitals::default();
    [slack(house, &vitals), discord(house, &vitals), web(house, &vitals)].into_iter().flatten().collect()
}

#[cfg(feature = "slack")]
fn slack(house: &House, vitals: &Vitals) -> Option<Beside> {
    crate::chat::slack::beside(house, vitals)
}

#[cfg(not(feature = "slack"))]
fn slack(house: &House, _: &Vitals) -> Option<Beside> {
    if house.config().chat.slack.is_some() {
        tracing::error!("`[chat.slack]` is configured, and this program was built without Slack");
    }
    None
}

#[cfg(feature = "discord")]
fn discord(house: &House, vitals: &Vitals) -> Option<Beside> {
    crate::chat::discord::beside(house, vitals)
}

#[cfg(not(feature = "discord"))]
fn discord(house: &House, _: &Vitals) -> Option<Beside> {
    if house.config().chat.discord.is_some() {
        tracing::error!("`[chat.discord]` is configured, and this program was built without Discord");
    }
    None
}

#[cfg(feature = "network")]
fn web(house: &House, vitals: &Vitals) -> Option<Beside> {
    crate::web::beside(house, vitals)
}

#[cfg(not(feature = "network"))]
fn web(house: &House, _: &Vitals) -> Option<Beside> {
    if house.config().web.is_some() {
        tracing::error!("`[web]` is configured, and this program was built without it");
    }
    None
}
