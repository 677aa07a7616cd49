//! A Terraform that does what a script says. The script is a JSON file named by `FAKE_TERRAFORM_SCRIPT`, or
//! `script.json` in the current folder:
//!
//! ```json
//! {
//!   "argv_log": "/path/argv.jsonl",
//!   "rules": [
//!     { "match": "plan", "steps": [{ "print": "{\"type\":\"version\"}" }, { "exit": 0 }] }
//!   ]
//! }
//! ```
//!
//! The first rule whose `match` is the subcommand (or `*`) is carried out, step by step; a rule with `"once": "FILE"` is taken
//! only while FILE does not exist, and makes it. Without an `exit` step the exit status is 0. Steps:
//!
//! | step | does |
//! | --- | --- |
//! | `{"print": "x"}`, `{"print_err": "x"}` | a line on standard output, on standard error |
//! | `{"half": "x"}` | text without a line break |
//! | `{"file": "path"}` | copies a file to standard output |
//! | `{"fill": N}` | N megabytes of lines of garbage |
//! | `{"long_line": N}` | one line of N megabytes |
//! | `{"sleep_ms": N}` | waits |
//! | `{"make_out": true}` | makes the file of `-out=` |
//! | `{"touch": "path"}`, `{"wait_for": "path"}` | makes a file; waits until there is one |
//! | `{"on_interrupt": "ignore"}`, `{"on_interrupt": 1}` | from here on SIGINT is ignored, or ends it with that status |
//! | `{"kill_self": true}` | ends by SIGKILL |
//! | `{"exit": N}` | ends |

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let script = std::env::var("FAKE_TERRAFORM_SCRIPT").unwrap_or_else(|_| "script.json".to_owned());
    let script: Value = serde_json::from_slice(&std::fs::read(script).expect("the script")).expect("a script in JSON");
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(log) = script.get("argv_log").and_then(Value::as_str) {
        let mut log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("the log of arguments");
        writeln!(log, "{}", Value::from(args.clone())).expect("logged");
    }
    let subcommand = args.first().map_or("", String::as_str);
    let rule = script["rules"].as_array().into_iter().flatten().find(|rule| fits(rule, subcommand));
    let Some(rule) = rule else {
        eprintln!("fake-terraform: no rule for `{subcommand}`");
        std::process::exit(97);
    };
    for step in rule["steps"].as_array().into_iter().flatten() {
        carry_out(step, &args).await;
    }
}

fn fits(rule: &Value, subcommand: &str) -> bool {
    let matches = rule["match"].as_str().is_some_and(|word| word == "*" || word == subcommand);
    match rule["once"].as_str() {
        Some(mark) if matches => std::fs::OpenOptions::new().write(true).create_new(true).open(mark).is_ok(),
        _ => matches,
    }
}

async fn carry_out(step: &Value, args: &[String]) {
    let (name, value) = step.as_object().and_then(|step| step.iter().next()).expect("a step");
    let text = || value.as_str().expect("a text");
    let number = || value.as_u64().expect("a number");
    let mut out = std::io::stdout();
    match name.as_str() {
        "print" => writeln!(out, "{}", text()).expect("printed"),
        "print_err" => eprintln!("{}", text()),
        "half" => out.write_all(text().as_bytes()).expect("printed"),
        "file" => {
            std::io::copy(&mut std::fs::File::open(text()).expect("the file"), &mut out).expect("printed");
        }
        "fill" => {
            let line = [&[b'x'; 1023][..], b"\n"].concat();
            let mega = line.repeat(1024);
            (0..number()).for_each(|_| out.write_all(&mega).expect("printed"));
        }
        "long_line" => {
            let mega = vec![b'x'; 1024 * 1024];
            (0..number()).for_each(|_| out.write_all(&mega).expect("printed"));
            out.write_all(b"\n").expect("printed");
        }
        "sleep_ms" => tokio::time::sleep(Duration::from_millis(number())).await,
        "make_out" => {
            let file = args.iter().find_map(|argument| argument.strip_prefix("-out=")).expect("-out=");
            std::fs::write(file, "a plan").expect("the plan file");
        }
        "touch" => std::fs::write(text(), "").expect("the file"),
        "wait_for" => {
            while !Path::new(text()).exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        "on_interrupt" => {
            let mut interrupts = signal(SignalKind::interrupt()).expect("a signal handler");
            let status = value.as_i64().and_then(|status| i32::try_from(status).ok());
            tokio::spawn(async move {
                while interrupts.recv().await.is_some() {
                    if let Some(status) = status {
                        std::process::exit(status);
                    }
                }
            });
        }
        "kill_self" => {
            kill_process(getpid(), Signal::KILL).expect("killed");
            std::future::pending::<()>().await;
        }
        "exit" => {
            out.flush().expect("flushed");
            std::process::exit(i32::try_from(number()).expect("an exit status"));
        }
        _ => panic!("fake-terraform: unknown step `{name}`"),
    }
    out.flush().expect("flushed");
}
