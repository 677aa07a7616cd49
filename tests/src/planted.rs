//! Secrets of all shapes to plant, and the search for what is left of them.

use std::collections::HashSet;

/// The value that a command gives to Terraform's environment: with everything in it that somebody escapes.
pub const NAMED: &str = "s3cr<t>&\"w\\th 日本 100%/+?";

/// A secret as it is planted.
#[derive(Debug, Clone)]
pub struct Planted {
    /// What it is, for a test that fails.
    pub name: &'static str,
    /// A line with it, as programs print it.
    pub line: String,
    /// What must be nowhere afterwards.
    pub secret: String,
}

/// Bytes of a secret that are found again; less tells nobody anything.
const WINDOW: usize = 12;

/// Made up at run time, so that no scanner takes this file for a leak; different for each `seed`.
fn body(seed: usize, length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = 0x9e37_79b9_usize.wrapping_mul(seed + 1);
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(LETTERS[(state >> 33) % LETTERS.len()])
    };
    (0..length).map(|_| letter()).collect()
}

fn upper(seed: usize, length: usize) -> String {
    body(seed, length * 9).chars().filter(|c| matches!(c, 'A'..='Z' | '2'..='7')).take(length).collect()
}

/// As the `base64` of most systems, by another way than Tidegate's.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let three = [group[0], *group.get(1).unwrap_or(&0), *group.get(2).unwrap_or(&0)];
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

fn escaped_url(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|b| if kept(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn escaped_json(text: &str) -> String {
    serde_json::Value::from(text).to_string().trim_matches('"').to_owned()
}

/// All shapes, those of the named secret last.
#[must_use]
pub fn shapes() -> Vec<Planted> {
    let key = ["PRIVATE", " KEY-----"].concat();
    let discord = base64(b"112233445566778899");
    let tokens: [(&str, String, String, &str); 24] = [
        ("AWS key id", "id AKIA".to_owned(), upper(1, 16), " end"),
        ("AWS session key id", "id ASIA".to_owned(), upper(2, 16), " end"),
        ("AWS secret key", "aws_secret_access_key = ".to_owned(), body(3, 40), " end"),
        ("AWS signature", "https://b.s3/x?X-Amz-Signature=".to_owned(), body(4, 64), "&y=1"),
        ("GitHub token", ["use g", "hp_"].concat(), body(5, 36), " end"),
        ("GitHub fine-grained token", ["use github", "_pat_"].concat(), body(6, 82), " end"),
        ("GitLab token", ["use glp", "at-"].concat(), body(7, 20), " end"),
        ("Slack bot token", ["use xo", "xb-"].concat(), body(8, 50), " end"),
        ("Slack app token", ["use xa", "pp-1-"].concat(), body(9, 50), " end"),
        ("Slack webhook", "https://hooks.slack.com/services/T0/B0/".to_owned(), body(10, 24), " end"),
        ("Discord webhook", "https://discord.com/api/webhooks/123/".to_owned(), body(11, 68), " end"),
        ("Discord token", format!("use {discord}."), format!("{}.{}", body(12, 6), body(13, 38)), " end"),
        ("JWT", ["Cookie: ey", "J"].concat(), format!("{}.{}.{}", body(14, 20), body(15, 40), body(16, 43)), "; x"),
        ("private key", format!("-----BEGIN RSA {key}\\n"), body(17, 64), "\\n-----END RSA PRIVATE"),
        ("bearer", "Authorization: Bearer ".to_owned(), body(18, 40), " end"),
        ("basic", "Authorization: Basic ".to_owned(), base64(body(19, 24).as_bytes()), " end"),
        ("URL with password", "postgres://tide:".to_owned(), body(20, 20), "@db:5432/x end"),
        ("password", "PGPASSWORD=".to_owned(), body(21, 16), " psql"),
        ("quoted password", "db_password = \"".to_owned(), format!("{} {}", body(22, 14), body(23, 14)), "\" end"),
        ("password in JSON", r#"{"user":"x","password":""#.to_owned(), body(24, 20), "\"} end"),
        ("Google key", ["use AI", "za"].concat(), body(25, 35), " end"),
        ("Stripe key", ["use sk_", "live_"].concat(), body(26, 24), " end"),
        ("npm token", ["use npm", "_"].concat(), body(27, 36), " end"),
        ("Vault token", ["use hv", "s."].concat(), body(28, 24), " end"),
    ];
    let mut all: Vec<Planted> = tokens
        .into_iter()
        .map(|(name, before, secret, after)| Planted { name, line: format!("{before}{secret}{after}"), secret })
        .collect();
    for (name, secret) in [
        ("named", NAMED.to_owned()),
        ("named in base64", base64(NAMED.as_bytes())),
        ("named in base64 with a user", base64(format!("tide:{NAMED}").as_bytes())),
        ("named in a URL", escaped_url(NAMED)),
        ("named in JSON", escaped_json(NAMED)),
        ("named in JSON in JSON", escaped_json(&escaped_json(NAMED))),
    ] {
        all.push(Planted { name, line: format!("got {secret} end"), secret });
    }
    all
}

/// Finds what is left of secrets.
#[derive(Debug)]
pub struct Search {
    windows: HashSet<Vec<u8>>,
}

impl Search {
    /// For any twelve bytes of these, as they are.
    #[must_use]
    pub fn of<'p>(planted: impl IntoIterator<Item = &'p Planted>) -> Self {
        let windows = planted.into_iter().flat_map(|planted| {
            let bytes = planted.secret.as_bytes();
            bytes.windows(WINDOW.min(bytes.len())).map(<[u8]>::to_vec).collect::<Vec<_>>()
        });
        Self { windows: windows.collect() }
    }

    /// The first piece of a secret in `content`.
    #[must_use]
    pub fn find(&self, content: &[u8]) -> Option<String> {
        let found = content.windows(WINDOW).find(|window| self.windows.contains(*window));
        found.map(|window| String::from_utf8_lossy(window).into_owned())
    }
}
