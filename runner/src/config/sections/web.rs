//! `[web]`: what Tidegate tells over HTTP.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::problem::quoted;

/// Where it listens when nothing is said: for this machine alone.
const LISTEN: &str = "127.0.0.1:3080";

fn listen() -> String {
    LISTEN.to_owned()
}

/// What Tidegate tells over HTTP: `/health`. Without this section, nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct WebSection {
    /// Address and port to listen on. Nothing asks who reads it: leave it to this machine, or put something before it that does.
    #[serde(default = "listen")]
    #[schemars(length(min = 1), example = &"127.0.0.1:3080")]
    listen: String,
}

/// What Tidegate tells over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebConfig {
    /// Address and port to listen on.
    pub listen: SocketAddr,
}

/// Reads the section.
pub(in super::super) fn read(section: Option<WebSection>, findings: &mut Findings<'_, '_>) -> Option<WebConfig> {
    let WebSection { listen } = section?;
    if let Ok(listen) = listen.parse() {
        return Some(WebConfig { listen });
    }
    let message = format!("{} is not an address with a port", quoted(&listen));
    let at = Path::ROOT.key("web");
    findings.at_value(&at.key("listen"), message, Some(format!("write for example `{LISTEN}`")));
    None
}
