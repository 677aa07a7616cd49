//! Addresses that may be spoken to: in tests nothing but this machine.

/// Set by tests: nothing but this machine may be spoken to.
pub(crate) const LOOPBACK_ONLY: &str = "TIDEGATE_LOOPBACK_ONLY";

/// Whether an address may be spoken to at all: in tests only this machine is.
pub(crate) fn may_be_spoken_to(url: &str) -> bool {
    let only_here = std::env::var_os(LOOPBACK_ONLY).is_some_and(|set| set == "1");
    !only_here || is_loopback(url)
}

/// Whether the host of an address is this machine.
fn is_loopback(url: &str) -> bool {
    let host = url.parse::<axum::http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    host.is_some_and(|host| {
        let bare = host.trim_matches(['[', ']']);
        bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for here in ["http://127.0.0.1:80/api", "http://localhost/api", "http://[::1]:5/api"] {
            assert!(is_loopback(here), "{here}");
        }
        for there in ["https://slack.com/api", "http://127.0.0.1.example/api", "http://user@example/api", "", "x"] {
            assert!(!is_loopback(there), "{there}");
        }
    }
}
