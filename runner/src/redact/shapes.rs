//! Well-known shapes of secrets: tokens with a telling prefix, private keys, and values after a telling name.
//!
//! What must stay readable: resource addresses, ARNs, UUIDs, ids of machines and images, numbers, addresses of hosts, and
//! expressions in quoted source (`password = var.password`).

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};
use regex::{Captures, Regex};

use super::REDACTED;

/// Words without which no shape is in a line, in any case. A line without them is not looked at.
pub(super) const HINTS: &[&str] = &[
    "akia",
    "asia",
    "xox",
    "xapp-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "eyj",
    "-----begin",
    "aiza",
    "sk_live_",
    "rk_live_",
    "bearer",
    "basic ",
    "pass",
    "pwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "accesskey",
    "private_key",
    "privatekey",
    "credential",
    "signature",
    "://",
    "hooks.slack",
    "webhooks",
    "npm_",
    "hvs.",
    "dop_v1_",
];

static ANY_HINT: LazyLock<AhoCorasick> = LazyLock::new(|| super::searcher(HINTS, MatchKind::Standard, true));

/// The beginnings of Discord's tokens, which are the base64 of a decimal number: apart from the others, since they are many.
static NUMBERS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let numbers: Vec<String> = (100..1000).map(|number| super::base64(number.to_string().as_bytes())).collect();
    AhoCorasickBuilder::new()
        .kind(Some(AhoCorasickKind::DFA))
        .build(&numbers)
        .expect("only sets of some two thousand million patterns do not build")
});

/// True when a shape without a telling word may be in `text`.
pub(super) fn is_numbered(text: &str) -> bool {
    NUMBERS.is_match(text)
}

/// Where the last of the words ends without which no shape is in `text`.
pub(super) fn last_hint(text: &str) -> Option<usize> {
    let last = |of: &AhoCorasick| of.find_iter(text).last().map(|hint| hint.end());
    last(&ANY_HINT).max(last(&NUMBERS))
}

/// A shape; the group `secret` is what is replaced, or all of it where there is no such group.
struct Shape(Regex);

/// The tokens. Sources: each vendor's page on token formats; lengths are lower bounds because they grew before.
static TOKENS: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    [
        r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
        r"\bxox[abeoprs](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}",
        r"\bxapp-[A-Za-z0-9-]{10,}",
        r"\bgh[pousr]_[A-Za-z0-9]{20,}",
        r"\bgithub_pat_[A-Za-z0-9_]{20,}",
        r"\bglpat-[A-Za-z0-9_-]{16,}",
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        r"\bAIza[A-Za-z0-9_-]{35}",
        r"\b[sr]k_live_[A-Za-z0-9]{10,}",
        r"\bnpm_[A-Za-z0-9]{36}",
        r"\bhvs\.[A-Za-z0-9_-]{20,}",
        r"\bdop_v1_[a-f0-9]{40,}",
        // Discord: the bot's number (17 to 20 digits), a moment and a signature, each in base64.
        r"\b[MNO][A-Za-z0-9]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}",
        // Of several lines, or with `\n` as two characters when it was quoted; cut off at the end counts too.
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
        r"(?i)\b(?:bearer|basic)\s+(?P<secret>[A-Za-z0-9._~+/=-]{12,})",
        // From the first `:` to the last `@` before the host: passwords hold both.
        r#"[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@'"<>\[\]]*:(?P<secret>[^\s/'"<>]+)@"#,
        r"(?i)\bhttps://hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_-]+)",
        r"(?i)\bhttps://(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/(?P<secret>[A-Za-z0-9_-]+)",
        r"(?i)\bX-Amz-(?:Signature|Security-Token|Credential)=(?P<secret>[^&\s'\x22]+)",
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok().map(Shape))
    .collect()
});

/// Names whose value is a secret, as the end of a longer name too (`db_password`). Not before `_arn`, `_name`, `_id`, `_version`.
const NAMES: &str = r"(?:password|passwd|passphrase|pwd|secret|secret[_-]?key|secret[_-]?access[_-]?key|access[_-]?token|auth[_-]?token|session[_-]?token|security[_-]?token|api[_-]?key|private[_-]?key|client[_-]?secret|token|credentials?)";

/// `name = value`, `name=value`, and `name: value` where the value ends the line. A resource's address may end in `.password`
/// and be followed by `: Creating...`, so that the colon wants a name that no dot comes before; an ARN has `:secret:` without
/// a space.
static ASSIGNED: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let value = r#"(?:\\*"(?P<quoted>(?:[^"\\]|\\[^"])+)|'(?P<single>[^']+)'|(?P<bare>[^\s'"\\,;&(){}<>\[\]]+))"#;
    [
        format!(r"(?i)(?:^|[^A-Za-z0-9])[\w.-]*?{NAMES}\s*=>?\s*{value}"),
        format!(r#"(?i)(?:^|[^\w.\-])[\w-]*?{NAMES}\\*["']\s*:\s*{value}"#),
        format!(r"(?im)(?:^|[^\w.\-:/])[\w-]*?{NAMES}:[ \t]+{value}[ \t]*\\?['\x22]?[ \t]*$"),
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok().map(Shape))
    .collect()
});

static NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"(?i)(?:^|[^A-Za-z0-9]|[a-z0-9_-]){NAMES}$")).ok());

/// Adds to `spans` where `text` holds a shape.
pub(super) fn find(text: &str, spans: &mut Vec<Range<usize>>) {
    for Shape(regex) in &*TOKENS {
        for found in regex.captures_iter(text) {
            spans.extend(found.name("secret").or_else(|| found.get(0)).map(|found| found.range()));
        }
    }
    for Shape(regex) in &*ASSIGNED {
        spans.extend(regex.captures_iter(text).filter_map(|found| assigned(&found)));
    }
    // The placeholder is no secret, whatever comes before it.
    spans.retain(|span| text.get(span.clone()).is_some_and(|secret| !secret.contains(REDACTED)));
}

fn assigned(found: &Captures<'_>) -> Option<Range<usize>> {
    if let Some(bare) = found.name("bare") {
        return (!is_expression(bare.as_str())).then(|| bare.range());
    }
    let quoted = found.name("quoted").or_else(|| found.name("single"))?;
    let harmless = quoted.as_str().starts_with("${") || quoted.as_str().starts_with("(sensitive");
    (!harmless).then(|| quoted.range())
}

/// Things that stand after `password =` in source and in plans without being one.
fn is_expression(value: &str) -> bool {
    let words = ["null", "true", "false", "sensitive", "required", "string", "known", "redacted"];
    // `var.x`, `random_password.db.result`, `module.x.y`: an identifier with parts, of letters, digits and `_` only.
    let parts: Vec<&str> = value.split('.').collect();
    let identifier = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let reference = matches!(
        parts.first(),
        Some(&("var" | "local" | "module" | "data" | "each" | "self" | "path" | "terraform" | "ephemeral"))
    ) || parts.first().is_some_and(|first| first.contains('_') && parts.len() > 2);
    words.contains(&value.to_ascii_lowercase().as_str())
        || (parts.len() > 1 && reference && parts.iter().all(identifier))
        || value.chars().all(|c| !c.is_alphanumeric())
}

/// True when a field with this name holds a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    NAME.as_ref().is_some_and(|regex| regex.is_match(name))
}
