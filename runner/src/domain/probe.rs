//! Probes: what a configuration says must answer before a stack counts as there, as far as it is text.

use std::collections::BTreeMap;

use super::ids::ProfileName;

/// Something that must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What is asked.
    pub asks: Ask,
    /// Levels at which it must answer; empty: at all but `off`.
    pub levels: Vec<ProfileName>,
}

/// What a probe asks. Addresses may name outputs of the stack: `{output.url}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A connection to `host:port` is taken.
    Tcp(String),
    /// A GET of an `http://` address has this status.
    Http {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// A program ends with status 0. It is started as it stands here, without a shell, with the stack's environment variables.
    Command(Vec<String>),
}

/// What tells whether a load test runs in a stack: an environment that was made for one test does not end under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    /// What is asked. A connection that is taken, the status, or exit status 0 says that a test runs; a connection that is refused, another
    /// status, or exit status 1 that none does. Whatever else comes of it is no answer.
    pub asks: Ask,
    /// How long after the end of its time that counts, in seconds, and that there is no answer.
    pub at_most_s: u32,
}

/// What is between these in an address is the name of an output.
const OUTPUT: (&str, &str) = ("{output.", "}");

/// The names of the outputs that `text` names.
///
/// # Errors
/// What is wrong with it, in words.
pub fn outputs_in(text: &str) -> Result<Vec<&str>, String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(OUTPUT.0) {
        let Some((name, after)) = after.split_once(OUTPUT.1) else {
            return Err("`{output.` has no closing `}`".to_owned());
        };
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            return Err(format!("`{name}` is not the name of an output"));
        }
        names.push(name);
        rest = after;
    }
    Ok(names)
}

/// The texts of a probe.
pub fn texts(asks: &Ask) -> impl Iterator<Item = &str> {
    let all: Vec<&str> = match asks {
        Ask::Tcp(address) => vec![address],
        Ask::Http { url, .. } => vec![url],
        Ask::Command(argv) => argv.iter().map(String::as_str).collect(),
    };
    all.into_iter()
}

/// The probe with the outputs of the stack in their places.
///
/// # Errors
/// In words: the stack has no such output, or it is a secret.
pub fn filled(asks: &Ask, outputs: &BTreeMap<String, String>, secret: &[String]) -> Result<Ask, String> {
    let fill = |text: &str| fill(text, outputs, secret);
    Ok(match asks {
        Ask::Tcp(address) => Ask::Tcp(fill(address)?),
        Ask::Http { url, status } => Ask::Http { url: fill(url)?, status: *status },
        Ask::Command(argv) => Ask::Command(argv.iter().map(|word| fill(word)).collect::<Result<_, _>>()?),
    })
}

fn fill(text: &str, outputs: &BTreeMap<String, String>, secret: &[String]) -> Result<String, String> {
    let mut filled = text.to_owned();
    for name in outputs_in(text)? {
        let Some(value) = outputs.get(name) else {
            return Err(if secret.iter().any(|secret| secret == name) {
                format!("the output `{name}` is sensitive, and a probe would show it")
            } else {
                format!("the stack has no output `{name}`")
            });
        };
        filled = filled.replace(&format!("{}{name}{}", OUTPUT.0, OUTPUT.1), value);
    }
    Ok(filled)
}

/// What a probe asks, as people read it.
#[must_use]
pub fn named(asks: &Ask) -> String {
    match asks {
        Ask::Tcp(address) => format!("tcp {address}"),
        Ask::Http { url, status } => format!("{url} answers {status}"),
        Ask::Command(argv) => format!("`{}`", argv.join(" ")),
    }
}

/// Host with port, and path with query, of an `http://` address.
#[must_use]
pub fn parts(url: &str) -> Option<(&str, &str)> {
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let rest = url.strip_prefix("http://")?;
    let rest = rest.split('#').next().unwrap_or(rest);
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(at)?;
    let path = match path {
        "" => "/",
        // A query without a path is rare enough to be left to a command.
        path if path.starts_with('?') => return None,
        path => path,
    };
    (!host.is_empty() && !host.contains('@')).then_some((host, path))
}

/// True when `address` is `host:port`, also `[::1]:80`.
#[must_use]
pub fn has_port(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let whole = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    whole && !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_put_where_they_are_named_and_secret_ones_never() {
        let outputs = [("url".to_owned(), "http://10.0.0.7".to_owned())].into();
        let secret = ["password".to_owned()];
        let filled = |url: &str| filled(&Ask::Http { url: url.to_owned(), status: 200 }, &outputs, &secret);
        let is = |url: &str| Ok(Ask::Http { url: url.to_owned(), status: 200 });
        assert_eq!(filled("{output.url}/health"), is("http://10.0.0.7/health"));
        assert_eq!(filled("http://a/b"), is("http://a/b"));
        assert_eq!(filled("{output.ulr}"), Err("the stack has no output `ulr`".to_owned()));
        assert!(filled("{output.password}").expect_err("a secret").contains("sensitive"));
        assert!(filled("{output.url").is_err() && filled("{output. x}").is_err());
    }

    #[test]
    fn addresses_are_taken_apart_as_written() {
        assert_eq!(parts("http://a:8080/b?c=d#e"), Some(("a:8080", "/b?c=d")));
        assert_eq!(parts("http://a"), Some(("a", "/")));
        for wrong in
            ["https://a", "http://", "http:///b", "http://u@a/", "http://a b", "http://a/\r\nX: y", "http://a?b"]
        {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
        for (address, has) in [
            ("a:1099", true),
            ("[::1]:80", true),
            ("a", false),
            ("::1", false),
            ("a:0", false),
            (":1", false),
            ("a:x", false),
        ] {
            assert_eq!(has_port(address), has, "{address}");
        }
    }
}
