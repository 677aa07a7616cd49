//! Secrets that must go, look-alikes that must stay, and pieces.

use proptest::prelude::*;

use super::*;

fn redactor() -> Redactor {
    Redactor::new(["hunter22", "p<q>&\"r\\s", "日本語の秘密", "on", "redacted", "line-one-of-key\nline-two-of-key\n"])
}

/// Made up at run time, so that no scanner takes this file for a leak.
fn token(prefix: &str, length: usize) -> String {
    prefix.chars().chain("A1b2C3d4E5f6G7h8".chars().cycle()).take(prefix.len() + length).collect()
}

#[test]
fn told_values_go_whatever_the_way_they_are_written() {
    let redactor = redactor();
    let cases = [
        ("x hunter22 y", "x [redacted] y"),
        ("hunter22hunter22", "[redacted]"),
        ("a 日本語の秘密 b", "a [redacted] b"),
        (r#"raw p<q>&"r\s end"#, "raw [redacted] end"),
        ("line-two-of-key", "[redacted]"),
        ("on and off", "on and off"),
        (r#"{"m":"p\u003cq\u003e\u0026\"r\\s"}"#, r#"{"m":"[redacted]"}"#),
        (r#"{"m":"p<q>&\"r\\s","n":[1,"hunter22"]}"#, r#"{"m":"[redacted]","n":[1,"[redacted]"]}"#),
        (r#"{"m":"{\"a\":\"hunter22\"}"}"#, r#"{"m":"{\"a\":\"[redacted]\"}"}"#),
        (r#"{"hunter22":1}"#, r#"{"[redacted]":1}"#),
    ];
    for (text, expected) in cases {
        assert_eq!(redactor.redact(text), expected);
    }
    assert_eq!(Redactor::new(["48151623"]).redact(r#"{"pin":48151623}"#), r#"{"pin":"[redacted]"}"#);
}

#[test]
fn tokens_go_by_their_shape() {
    let redactor = Redactor::new(Vec::<String>::new());
    let secrets = [
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        "ASIAIOSFODNN7EXAMPLE".to_owned(),
        token("xoxb-", 30),
        token("xapp-1-", 30),
        token("ghp_", 36),
        token("github_pat_", 40),
        token("glpat-", 20),
        format!("{}.{}.{}", token("eyJ", 20), token("eyJ", 20), token("", 20)),
        token("AIza", 35),
        token("sk_live_", 24),
        format!("-----BEGIN RSA {} KEY-----\nMIIE\n-----END RSA {} KEY-----", "PRIVATE", "PRIVATE"),
        format!("-----BEGIN {} KEY-----\nMIIE", "PRIVATE"),
    ];
    for secret in &secrets {
        assert_eq!(redactor.redact(&format!("before {secret}")), "before [redacted]", "{secret}");
        let json = serde_json::json!({ "@message": format!("x {secret}") }).to_string();
        assert_eq!(redactor.redact(&json), r#"{"@message":"x [redacted]"}"#, "{secret}");
    }
}

#[test]
fn values_go_by_the_name_before_them() {
    let redactor = Redactor::new(Vec::<String>::new());
    let cases = [
        ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer [redacted]"),
        ("PGPASSWORD=tiger psql", "PGPASSWORD=[redacted] psql"),
        ("db_password = \"a b c\"", "db_password = \"[redacted]\""),
        ("--db-password='a b' -x", "--db-password='[redacted]' -x"),
        ("-Dspring.datasource.password=tiger", "-Dspring.datasource.password=[redacted]"),
        ("password: tiger", "password: [redacted]"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = [redacted]"),
        (r#"{"SecretAccessKey":"wJalrXUtnFEMI","n":1}"#, r#"{"SecretAccessKey":"[redacted]","n":1}"#),
        (r#"{"m":"{\"password\":\"tiger\",\"a\":1}"}"#, r#"{"m":"{\"password\":\"[redacted]\",\"a\":1}"}"#),
        (
            r#"{"outputs":{"db_password":{"sensitive":false,"value":"x"}}}"#,
            r#"{"outputs":{"db_password":{"sensitive":false,"value":"[redacted]"}}}"#,
        ),
        ("postgres://tide:ti:g@er@db:5432/x", "postgres://tide:[redacted]@db:5432/x"),
        ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/services/[redacted]"),
        ("https://discord.com/api/webhooks/123/abc-def", "https://discord.com/api/webhooks/123/[redacted]"),
        ("https://b.s3/x?X-Amz-Signature=abc123&y=1", "https://b.s3/x?X-Amz-Signature=[redacted]&y=1"),
    ];
    for (text, expected) in cases {
        assert_eq!(redactor.redact(text), expected);
    }
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    let redactor = Redactor::new(Vec::<String>::new());
    for text in [
        "random_password.password: Creating...",
        "module.db.random_password.db[0]: Creation complete after 0s [id=none]",
        "terraform_data.token: Refreshing state... [id=6b378054-b7b6-0010-a319-820d9add19f9]",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbCdEf",
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/lt1-alb/f3f6a353dafc9a8b/4d4c918e6d99ac3f",
        "ami-0abcdef1234567890 i-363ef11283b26a5e7 subnet-550ed9ec87fe0bdf1 10.20.16.6",
        "http://54.214.99.188:3000/d/abc?x=1 and someone@example.com",
        "  password = var.db_password",
        "  password = random_password.db.result",
        "  token    = \"${local.token}\"",
        "password = (sensitive value)",
        "Error: invalid password: must be at least eight characters",
        "secret_count = 5, password_length = 16, passed = 3, tokens: 7",
        r#"{"type":"planned_change","change":{"resource":{"addr":"aws_secretsmanager_secret.password","resource_name":"password"}}}"#,
        r#"{"outputs":{"token":{"sensitive":true,"action":"create"}}}"#,
        "1234567890123456789012345678901234567890",
        "d670460b4b4aece5915caf5c68d12f560a9fe3e4",
        "[redacted] password=[redacted] https://u:[redacted]@h",
    ] {
        assert_eq!(redactor.redact(text), text);
    }
}

#[test]
fn the_samples_hold_nothing_that_looks_like_a_secret_and_stay_as_they_are() {
    let redactor = Redactor::new(Vec::<String>::new());
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/terraform");
    for entry in std::fs::read_dir(folder).expect("samples") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a sample");
        for line in text.lines() {
            assert_eq!(redactor.redact(line), line);
        }
    }
}

#[test]
fn a_private_key_over_many_lines_goes_whole() {
    let redactor = Redactor::new(Vec::<String>::new());
    let key = format!("a\n-----BEGIN {0} KEY-----\nMIIE\nabcd\n-----END {0} KEY-----\nb\n", "PRIVATE");
    let mut stream = StreamRedactor::new(&redactor);
    let out = stream.push(key.as_bytes()) + &stream.finish();
    assert_eq!(out, "a\n[redacted]\n[redacted]\n[redacted]\n[redacted]\nb\n");
}

#[test]
fn a_secret_split_anywhere_does_not_get_through() {
    let redactor = redactor();
    let text = format!("one hunter22 two\n日本語の秘密 {} x\npassword=tiger\nlast hunter22", token("ghp_", 36));
    let whole = {
        let mut stream = StreamRedactor::new(&redactor);
        stream.push(text.as_bytes()) + &stream.finish()
    };
    assert_eq!(whole, "one [redacted] two\n[redacted] [redacted] x\npassword=[redacted]\nlast [redacted]");
    for at in 0..=text.len() {
        let (left, right) = text.as_bytes().split_at(at);
        let mut stream = StreamRedactor::new(&redactor);
        assert_eq!(stream.push(left) + &stream.push(right) + &stream.finish(), whole, "split at {at}");
    }
}

#[test]
fn a_secret_that_the_end_of_a_text_would_begin_in_does_not_get_through() {
    let redactor = Redactor::new(["correct horse battery".to_owned()]);
    let body = "MIIEowIBAAKCAQEA1234\n".repeat(4);
    let key = format!("-----BEGIN {0} KEY-----\n{body}-----END {0} KEY-----\n", "PRIVATE");
    let text = format!("日本 panic: correct horse battery\n{key}goroutine 1\n");
    for max in 0..=text.len() + 1 {
        let end = redactor.end_of(text.as_bytes(), max);
        assert!(end.len() <= max, "{max}");
        for part in ["horse", "battery", "MIIE", "1234"] {
            assert!(!end.contains(part), "{max}: {end}");
        }
    }
    assert!(redactor.end_of(text.as_bytes(), 12).ends_with("goroutine 1\n"));
}

#[test]
fn a_line_without_end_is_given_in_parts_and_hides_what_lies_across_them() {
    let redactor = redactor();
    for before in [0, 7, 56 * 1024 - 4, 56 * 1024, 64 * 1024 - 4, 64 * 1024, 200_000] {
        let text = format!("{}hunter22{}", "x".repeat(before), "y".repeat(200_000));
        let mut stream = StreamRedactor::new(&redactor);
        let mut out = String::new();
        for chunk in text.as_bytes().chunks(1000) {
            out += &stream.push(chunk);
            assert!(stream.held.len() <= 64 * 1024);
        }
        out += &stream.finish();
        assert_eq!(out, text.replace("hunter22", REDACTED), "after {before}");
    }
}

/// A piece of what the provisioner of `a.b` prints.
fn piece(output: &str) -> String {
    serde_json::json!({
        "@message": format!("a.b: (local-exec): {output}"),
        "type": "provision_progress",
        "hook": { "resource": { "addr": "a.b" }, "provisioner": "local-exec", "output": output },
    })
    .to_string()
}

/// What comes out for these lines, joined.
fn shown<T: AsRef<str>>(redactor: &Redactor, lines: &[T]) -> String {
    let mut redacting = LineRedactor::new(redactor);
    let mut out = String::new();
    for line in lines {
        for line in redacting.push(line.as_ref()) {
            let message: serde_json::Value = serde_json::from_str(&line).expect("a message");
            let text = message["hook"]["output"].as_str().unwrap_or_default();
            assert!(message["@message"].as_str().expect("a text").ends_with(text));
            out.push_str(text);
        }
    }
    redacting.finish().iter().for_each(|line| {
        out.push_str(
            serde_json::from_str::<serde_json::Value>(line).expect("a message")["hook"]["output"].as_str().unwrap(),
        );
    });
    out
}

#[test]
fn a_value_that_a_provisioner_printed_in_pieces_does_not_get_through() {
    let redactor = redactor();
    for at in 1.."hunter22".len() {
        let (left, right) = "hunter22".split_at(at);
        let out = shown(&redactor, &[piece(&format!("say {left}")), piece(&format!("{right} done"))]);
        assert!(out.ends_with(" done") && !out.contains(right), "{at}: {out}");
        // One or two characters are everywhere and tell nothing.
        assert!(at <= 2 || !out.contains(left), "{at}: {out}");
    }
    let bytewise: Vec<String> = "say hunter22 done".chars().map(|c| piece(&c.to_string())).collect();
    let out = shown(&redactor, &bytewise);
    assert!(out.ends_with(" done") && !out.contains("nter22"), "{out}");
    // Whatever it would have become, nobody told.
    assert_eq!(shown(&redactor, &[piece("say hunter2")]), "say [redacted]");
    assert_eq!(shown(&redactor, &[piece("say hunt"), piece("ing")]), "say hunting");
}

#[test]
fn a_token_that_a_provisioner_printed_in_two_pieces_does_not_get_through() {
    let redactor = Redactor::new(Vec::<String>::new());
    let secret = token("", 36);
    for text in [
        format!("use {} now", token("ghp_", 36)),
        format!("Authorization: Bearer {secret} x"),
        format!("export DB_PASSWORD={secret} x"),
        format!("db_password = \"{secret} {secret}\" x"),
        format!("see postgres://tide:{secret}@db/x for it"),
    ] {
        for at in 0..=text.len() {
            let (left, right) = text.split_at(at);
            let out = shown(&redactor, &[piece(left), piece(right)]);
            let shortest = 8;
            for from in 0..secret.len() - shortest {
                assert!(!out.contains(&secret[from..from + shortest]), "{text} at {at}: {out}");
            }
        }
    }
}

#[test]
fn a_key_that_a_provisioner_prints_line_by_line_goes_whole() {
    let redactor = Redactor::new(Vec::<String>::new());
    let key = format!("-----BEGIN RSA {0} KEY-----\nMIIEabcdefgh\nijklmnop\n-----END RSA {0} KEY-----", "PRIVATE");
    let lines: Vec<String> = key.lines().chain(["after it"]).map(piece).collect();
    assert_eq!(shown(&redactor, &lines), format!("{}after it", REDACTED.repeat(4)));
    let mut raw = LineRedactor::new(&redactor);
    let out: Vec<String> = key.lines().flat_map(|line| raw.push(line)).map(Cow::into_owned).collect();
    assert_eq!(out, [REDACTED; 4]);
}

#[test]
fn lines_of_provisioners_come_at_once_and_in_order() {
    let redactor = redactor();
    let mut lines = LineRedactor::new(&redactor);
    assert_eq!(lines.push(&piece("all is well")), [piece("all is well")]);
    assert_eq!(lines.push("no message"), ["no message"]);
    assert!(lines.push(&piece("token = abc")).is_empty());
    let done = r#"{"type":"provision_complete","hook":{"resource":{"addr":"a.b"}}}"#;
    let other = r#"{"type":"provision_complete","hook":{"resource":{"addr":"a.c"}}}"#;
    assert_eq!(lines.push(other), [other]);
    assert_eq!(lines.push(done), [piece("token = [redacted]").as_str(), done]);
    assert!(lines.finish().is_empty());
}

#[test]
fn a_failure_and_an_output_are_redacted_in_every_text() {
    use crate::domain::failure::{FailureKind, SourceLine};
    let redactor = redactor();
    let mut failure = Failure::new(FailureKind::Terraform, "hunter22").with_detail("hunter22");
    failure.address = Some("a[\"hunter22\"]".to_owned());
    failure.at = Some(SourceLine { file: "main.tf".to_owned(), line: 1, code: Some("x = \"hunter22\"".to_owned()) });
    assert!(!format!("{:?}", redactor.redact_failure(failure)).contains("hunter22"));
    let output = |name: &str, value: &str| {
        redactor.redact_output(Output { name: name.to_owned(), value: Some(value.into()) }).value.expect("a value")
    };
    assert_eq!(output("url", "http://h/?k=hunter22"), "http://h/?k=[redacted]");
    assert_eq!(output("admin_password", "x"), REDACTED);
    assert_eq!(output("master", "10.0.0.1"), "10.0.0.1");
}

fn texts() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "\\PC{0,12}",
        Just("hunter22".to_owned()),
        Just("password=".to_owned()),
        Just("password: ".to_owned()),
        Just(" \"".to_owned()),
        Just("\n".to_owned()),
        Just("[redacted]".to_owned()),
        Just("https://u:".to_owned()),
        Just("@".to_owned()),
        Just(token("ghp_", 36)),
    ];
    proptest::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn redacting_twice_changes_nothing_more(text in texts()) {
        let redactor = redactor();
        let once = redactor.redact(&text).into_owned();
        prop_assert_eq!(redactor.redact(&once), once.as_str());
        prop_assert!(!once.contains("hunter22"), "{}", once);
    }

    #[test]
    fn a_json_line_stays_a_json_line(text in texts(), key in "[a-z_]{0,10}") {
        let redactor = redactor();
        let mut message = serde_json::Map::new();
        message.insert(key, text.into());
        let line = serde_json::Value::from(message).to_string();
        let redacted = redactor.redact(&line).into_owned();
        prop_assert!(serde_json::from_str::<serde_json::Value>(&redacted).is_ok_and(|value| value.is_object()));
        prop_assert_eq!(redactor.redact(&redacted), redacted.as_str());
    }

    #[test]
    fn chunks_may_be_cut_anywhere(text in texts(), sizes in proptest::collection::vec(1_usize..9, 1..4)) {
        let redactor = redactor();
        let mut whole = StreamRedactor::new(&redactor);
        let expected = whole.push(text.as_bytes()) + &whole.finish();
        let mut stream = StreamRedactor::new(&redactor);
        let (mut out, mut rest) = (String::new(), text.as_bytes());
        for size in sizes.iter().cycle() {
            let (head, tail) = rest.split_at((*size).min(rest.len()));
            out += &stream.push(head);
            rest = tail;
            if rest.is_empty() { break; }
        }
        out += &stream.finish();
        prop_assert!(!out.contains("hunter22"));
        prop_assert_eq!(out, expected);
    }
}

#[test]
fn lines_without_secrets_are_given_back_as_they_are_without_a_copy() {
    let redactor = redactor();
    let line = r#"{"@message":"terraform_data.a: Creating...","type":"apply_start","hook":{"action":"create"}}"#;
    assert!(matches!(redactor.redact(line), Cow::Borrowed(_)));
    assert!(matches!(redactor.redact("see https://example.com/secrets"), Cow::Borrowed(_)));
}

#[test]
fn what_aws_and_probes_say_of_a_stack_is_kept_without_secrets() {
    use crate::domain::readiness::GroupCount;
    use crate::domain::run::Note;
    let (told, shaped) = ("hunter22", token("xoxb-", 30));
    let said = format!("launch template user data {told}, key {shaped}");
    let group = GroupCount { name: "shop-jmeter".to_owned(), cause: Some(said.clone()), ..GroupCount::default() };
    for note in [
        Note::InService { groups: vec![group], trouble: Some(said.clone()) },
        Note::NotReady { probes: vec![said.clone()] },
        Note::Init { why: said.clone() },
        Note::Text(said.clone()),
    ] {
        let before = serde_json::to_string(&note).expect("text");
        assert!(before.contains(told) && before.contains(&shaped));
        let kept = serde_json::to_string(&redactor().redact_note(note)).expect("text");
        assert!(!kept.contains(told) && !kept.contains(&shaped) && kept.contains(REDACTED), "{kept}");
    }
}
