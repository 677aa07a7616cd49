//! Secrets of thirty shapes, planted wherever they can come from: none is found in what people read, nor in any file that stays.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_runner::redact::{LineRedactor, Redactor, StreamRedactor};
use tidegate_tests::planted::{NAMED, Planted, Search, shapes};
use tidegate_tests::yard::{Layout, Yard};

use crate::secrets::{content, files};

/// A piece of what the provisioner of a resource prints.
fn piece(output: &str, resource: usize) -> Value {
    let addr = format!("terraform_data.slave[{resource}]");
    json!({
        "@level": "info", "@message": format!("{addr}: (local-exec): {output}"), "type": "provision_progress",
        "hook": { "resource": { "addr": addr, "resource_type": "terraform_data", "resource_name": "slave", "resource_key": resource },
                  "provisioner": "local-exec", "output": output },
    })
}

fn cuts(line: &str) -> impl Iterator<Item = (&str, &str)> {
    (0..=line.len()).filter(|at| line.is_char_boundary(*at)).map(|at| line.split_at(at))
}

fn redactor() -> Redactor {
    Redactor::new([NAMED])
}

#[test]
fn a_secret_of_any_shape_goes_wherever_its_line_is_cut() {
    let redactor = redactor();
    let planted = shapes();
    let search = Search::of(&planted);
    let refuse = |shown: &str, how: &str, planted: &Planted| {
        assert_eq!(search.find(shown.as_bytes()), None, "{} {how}: {shown}", planted.name);
    };
    for planted in &planted {
        refuse(&redactor.redact(&planted.line), "alone", planted);
        refuse(&redactor.redact(&json!({ "@message": planted.line }).to_string()), "in a message", planted);
        let log = json!({ "@message": json!({ "msg": planted.line }).to_string() }).to_string();
        refuse(&redactor.redact(&log), "in a message in a message", planted);
        for (left, right) in cuts(&planted.line) {
            let mut lines = LineRedactor::new(&redactor);
            let mut shown = String::new();
            for output in [left, right] {
                lines
                    .push(&piece(output, 0).to_string())
                    .iter()
                    .for_each(|line| write!(shown, "{line}").expect("written"));
            }
            shown.extend(lines.finish());
            refuse(&shown, &format!("in pieces, `{left}` first,"), planted);
        }
        for at in 0..=planted.line.len() {
            let (left, right) = planted.line.as_bytes().split_at(at);
            let mut stream = StreamRedactor::new(&redactor);
            let shown = stream.push(left) + &stream.push(right) + &stream.finish();
            refuse(&shown, "in chunks", planted);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_secret_goes_whatever_stands_around_it_and_however_often_it_is_cut(
        which in any::<prop::sample::Index>(),
        before in "(\\PC{0,20} |[a-z ]{0,10} |)",
        after in "( \\PC{0,20}| [a-z]{0,8}|)",
        at in proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let planted = shapes();
        let planted = which.get(&planted);
        let redactor = redactor();
        let line = format!("{before}{}{after}", planted.line);
        let mut places: Vec<usize> = at.iter().map(|at| line.floor_char_boundary(at.index(line.len()))).collect();
        places.sort_unstable();
        let mut lines = LineRedactor::new(&redactor);
        let mut shown = String::new();
        let mut from = 0;
        for to in places.into_iter().chain([line.len()]) {
            lines.push(&piece(&line[from..to], 0).to_string()).iter().for_each(|line| shown.push_str(line));
            from = to;
        }
        shown.extend(lines.finish());
        prop_assert_eq!(Search::of([planted]).find(shown.as_bytes()), None, "{}: {}", planted.name, shown);
    }
}

const ROOT: &str = r#"variable "slaves" { type = number }
variable "yard" { type = string }
variable "stack" { type = string }
variable "note" { type = string }
variable "password" {
  type      = string
  sensitive = true
}
resource "terraform_data" "slave" {
  count = var.slaves
}
"#;

/// The smallest file that passes for a saved plan: an empty ZIP file.
const EMPTY_ZIP: &str = r"PK\005\006\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000";

fn message(kind: &str, text: &str, more: &Value) -> Value {
    let mut message = json!({ "@level": "info", "@message": text, "type": kind });
    message.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    message
}

fn change(kind: &str, addr: &str) -> Value {
    let resource =
        json!({ "addr": addr, "resource": addr, "resource_type": "terraform_data", "resource_name": "slave" });
    match kind {
        "planned_change" => json!({ "change": { "resource": resource, "action": "create" } }),
        _ => json!({ "hook": { "resource": resource, "action": "create", "elapsed_seconds": 1 } }),
    }
}

fn summary(operation: &str) -> Value {
    let changes = json!({ "changes": { "add": 1, "change": 0, "remove": 0, "import": 0, "operation": operation } });
    message("change_summary", "done", &changes)
}

fn lines(messages: &[Value]) -> String {
    messages.iter().map(|message| format!("{message}\n")).collect()
}

/// A yard whose Terraform says all of it: in logs, pieces, outputs and errors. `fails` makes the apply fail.
fn yard(planted: &[Planted]) -> Yard {
    let yard = Layout::new().top("redact = [\"LICENCE_KEY\"]").environment("shop", &[("app", &[])]).lay();
    let note = planted.first().map(|planted| planted.line.clone()).unwrap_or_default();
    yard.configure(
        "stack = \"shop-app\" }",
        &format!("stack = \"shop-app\", password = {NAMED:?}, note = {note:?} }}"),
    );
    yard.configure(
        "off = \"destroy\"",
        "off = \"destroy\"\nenv = { TOKEN_OF_NO_NAME = { command = [\"./print\"], refresh = \"1h\" } }",
    );
    yard.program("print", "#!/bin/sh\ncat YARD/named\n");
    yard.write("named", NAMED);
    yard.write("roots/shop/app/main.tf", ROOT);
    let slave = "terraform_data.slave[0]";
    let noise = || planted.iter().map(|planted| message("log", &format!("provider: {}", planted.line), &Value::Null));
    let mut plan: Vec<Value> = noise().collect();
    plan.extend([message("planned_change", "create", &change("planned_change", slave)), summary("plan")]);
    let mut apply = vec![message("apply_start", "creating", &change("apply_start", slave))];
    for (resource, planted) in planted.iter().enumerate() {
        apply.extend(
            cuts(&planted.line)
                .flat_map(|(left, right)| [piece(left, resource), piece(right, resource), piece("- end -", resource)]),
        );
    }
    apply.extend(noise());
    let outputs: serde_json::Map<String, Value> = planted
        .iter()
        .enumerate()
        .map(|(at, planted)| {
            (format!("out_{at}"), json!({ "sensitive": false, "type": "string", "value": planted.line }))
        })
        .collect();
    let mut good = apply.clone();
    good.extend([
        message("apply_complete", "created", &change("apply_complete", slave)),
        summary("apply"),
        message("outputs", "Outputs: 1", &json!({ "outputs": outputs })),
    ]);
    for planted in planted {
        apply.push(json!({ "@level": "error", "@message": format!("Error: {}", planted.line), "type": "diagnostic", "diagnostic": {
            "severity": "error", "summary": planted.line, "detail": format!("it said: {}", planted.line),
            "address": slave,
            "snippet": { "context": null, "code": planted.line, "start_line": 1, "highlight_start_offset": 0, "highlight_end_offset": 1, "values": [] },
            "range": { "filename": "main.tf", "start": { "line": 1, "column": 1, "byte": 0 }, "end": { "line": 1, "column": 2, "byte": 1 } },
        } }));
    }
    apply.push(message("apply_errored", "failed", &change("apply_errored", slave)));
    yard.write("plan.jsonl", &lines(&plan));
    yard.write("good.jsonl", &lines(&good));
    yard.write("bad.jsonl", &lines(&apply));
    let stderr: String = planted.iter().map(|planted| planted.line.replace("\\n", " ") + "\n").collect();
    yard.write("stderr.txt", &stderr);
    let out = "for a in \"$@\"; do case \"$a\" in -out=*) out=${a#-out=};; esac; done";
    yard.instead(
        "plan",
        &format!("{out}\nprintf '{EMPTY_ZIP}' >\"$out\"\ncat YARD/plan.jsonl\ncat YARD/stderr.txt >&2\n"),
    );
    yard.instead(
        "apply",
        "cat YARD/stderr.txt >&2\nprintf '%s' \"$TOKEN_OF_NO_NAME\" >YARD/named-as-given\n\
         if [ -e YARD/fails ]; then cat YARD/bad.jsonl; exit 1; fi\ncat YARD/good.jsonl\n",
    );
    yard
}

/// What a test or Terraform itself wrote; everything else is Tidegate's.
const NOT_TIDEGATES: [&str; 13] = [
    "roots",
    "tidegate.toml",
    "print",
    "named",
    "plan.jsonl",
    "good.jsonl",
    "bad.jsonl",
    "stderr.txt",
    "instead.",
    "does",
    "terraform",
    "state/checkouts",
    "state/data",
];

fn nothing_left(yard: &Yard, search: &Search) {
    let mut seen = Vec::new();
    for file in files(yard.path()) {
        let inside = file.strip_prefix(yard.path()).expect("in the yard").to_string_lossy().into_owned();
        if NOT_TIDEGATES.iter().any(|mine| inside.starts_with(mine)) {
            continue;
        }
        let content = content(&file);
        assert_eq!(search.find(&content), None, "in {inside}");
        seen.push(inside);
    }
    for kind in ["tidegate.db", ".out", "tidegate.log", ".jsonl.gz"] {
        assert!(seen.iter().any(|file| file.ends_with(kind)), "no {kind} among {seen:?}");
    }
}

#[tokio::test]
async fn planted_secrets_are_in_no_card_log_ledger_or_file() {
    let planted = shapes();
    let search = Search::of(&planted);
    let yard = yard(&planted);
    let env = [("LICENCE_KEY", NAMED), ("TIDEGATE_LOG", "trace")];
    let say = async |line: &str, status| {
        yard.start(&["shell", "-c", line], &env).end().await.exits(status);
    };
    say("up shop small", 0).await;
    assert_eq!(yard.read("named-as-given"), NAMED);
    say("show 1", 0).await;
    say("log 1", 0).await;
    yard.write("fails", "");
    say("scale shop app+=1", 1).await;
    say("show 2", 0).await;
    say("log 2 app", 0).await;
    let reasons: Vec<&str> = planted.iter().map(|planted| planted.line.as_str()).collect();
    for reasons in reasons.chunks(8) {
        say(&format!("plan shop because {}", reasons.join(" , ")), 0).await;
        say(&format!("frobnicate {}", reasons.join(" ")), 2).await;
        say(&format!("down shpo because {}", reasons.join(" ")), 2).await;
    }
    say("history shop", 0).await;
    nothing_left(&yard, &search);
    // While nothing is written to a log file, the ledger's own is still open.
    let serve = yard.serve().await;
    nothing_left(&yard, &search);
    serve.stop().await.exits(0);
}
