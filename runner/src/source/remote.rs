//! A repository's URL, apart from what it holds that is secret: git would give it to `git-remote-https` as an argument, which
//! everybody on the machine can read, and repeat it in its complaints.

use std::process::Command;

/// A repository's URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Remote {
    /// The URL without user and password; as it was where it has none, and for everything but HTTP.
    pub url: String,
    /// `user:password` or a token alone, as they stand in the URL.
    userinfo: Option<String>,
}

/// Without what is secret.
impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Remote").field(&self.url).finish()
    }
}

impl Remote {
    /// Takes a URL apart. Of other schemes (`ssh://git@host`) the user is no secret; a password is taken for one and left in place.
    #[must_use]
    pub fn of(url: &str) -> Self {
        let whole = || Self { url: url.to_owned(), userinfo: None };
        let Some((scheme, rest)) = url.split_once("://") else { return whole() };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let Some((userinfo, _)) = authority.rsplit_once('@') else { return whole() };
        let after = rest.get(userinfo.len() + 1..).unwrap_or_default();
        let http = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
        if http {
            return Self { url: format!("{scheme}://{after}"), userinfo: Some(userinfo.to_owned()) };
        }
        Self { url: url.to_owned(), userinfo: userinfo.contains(':').then(|| userinfo.to_owned()) }
    }

    /// What no sink may show: password or token, as it stands in the URL and with its escapes undone.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let Some(userinfo) = &self.userinfo else { return Vec::new() };
        let secret = match userinfo.split_once(':') {
            // `https://TOKEN:x-oauth-basic@host` has the secret before the colon.
            Some((user, "x-oauth-basic" | "")) => user,
            Some((_, password)) => password,
            None => userinfo,
        };
        let mut secrets = vec![secret.to_owned(), unescaped(secret)];
        secrets.dedup();
        secrets.retain(|secret| !secret.is_empty());
        secrets
    }

    /// Gives user and password to a git call by its environment, for this server alone.
    pub(super) fn authorise(&self, git: &mut Command) {
        let server = self.url.split_once("://").map(|(scheme, rest)| {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            (scheme, host)
        });
        let (Some(userinfo), Some((scheme, host))) = (&self.userinfo, server) else { return };
        if !scheme.to_ascii_lowercase().starts_with("http") {
            return;
        }
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let both = format!("{}:{}", unescaped(user), unescaped(password));
        git.env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", format!("http.{scheme}://{host}/.extraHeader"))
            .env("GIT_CONFIG_VALUE_0", format!("Authorization: Basic {}", crate::redact::base64(both.as_bytes())));
    }
}

/// The text with `%41` as `A`. What is no UTF-8 afterwards stays as it was.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let escaped = digits.filter(|_| *first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_a_url_goes_by_the_environment() {
        let remote = Remote::of("https://bot:to%40ken@git.example.com:8443/a/b.git?x=1");
        assert_eq!(remote.url, "https://git.example.com:8443/a/b.git?x=1");
        assert_eq!(remote.secrets(), ["to%40ken", "to@ken"]);
        assert_eq!(format!("{remote:?}"), "Remote(\"https://git.example.com:8443/a/b.git?x=1\")");
        let mut git = Command::new("git");
        remote.authorise(&mut git);
        let env: Vec<_> = git.get_envs().filter_map(|(_, value)| value?.to_str()).collect();
        assert_eq!(
            env,
            ["1", "http.https://git.example.com:8443/.extraHeader", "Authorization: Basic Ym90OnRvQGtlbg=="]
        );
    }

    #[test]
    fn other_urls_stay_as_they_are() {
        for url in [
            "https://git.example.com/a@b.git",
            "ssh://git@host/a.git",
            "git@host:a.git",
            "/srv/a@b:c.git",
            "./a",
            "",
            "https://",
        ] {
            let remote = Remote::of(url);
            assert_eq!((remote.url.as_str(), remote.secrets().len()), (url, 0));
            let mut git = Command::new("git");
            remote.authorise(&mut git);
            assert_eq!(git.get_envs().count(), 0, "{url}");
        }
        assert_eq!(Remote::of("https://ghp_x:x-oauth-basic@h/").secrets(), ["ghp_x"]);
        assert_eq!(Remote::of("https://only-a-token@h/").secrets(), ["only-a-token"]);
        assert_eq!(Remote::of("postgres://u:p%ff@h/n").secrets(), ["p%ff"]);
        assert_eq!(Remote::of("https://日:本@h/").secrets(), ["本"]);
    }
}
