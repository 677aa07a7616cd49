//! What is secret is nowhere: not in the ledger, not in a log, not on a card.

use std::path::{Path, PathBuf};

use tidegate_tests::yard::{Layout, Yard};

/// A value of a sensitive variable.
const PASSWORD: &str = "correct horse battery staple";
/// A value of an environment variable that `redact` names.
const LICENCE: &str = "licence-of-load-generator-77";
/// A text with the shape of a token, put together here so that this file holds none.
const TOKEN: [&str; 2] = ["ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"];

const ROOT: &str = r#"variable "slaves" { type = number }
variable "yard" { type = string }
variable "stack" { type = string }
variable "password" {
  type      = string
  sensitive = true
}
variable "in_default" {
  type      = object({ key = string })
  default   = { key = "a-default-that-is-secret" }
  sensitive = true
}

resource "terraform_data" "slave" {
  count = var.slaves
  input = nonsensitive("made with ${var.password}")

  provisioner "local-exec" {
    command = "${var.yard}/leak"
  }
}

output "password" {
  value     = var.password
  sensitive = true
}

output "leaked" {
  value = nonsensitive(var.password)
}
"#;

const LEAK: &str = "#!/bin/sh
cat YARD/words
printf 'in two pieces: %s %s\\n' 'correct horse' 'battery staple'
echo \"from the environment: $LICENCE_KEY\"
[ ! -e YARD/then-fail ] || { cat YARD/words >&2; exit 1; }
";

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.flat_map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { vec![entry.path()] }).collect()
}

pub(crate) fn content(file: &Path) -> Vec<u8> {
    if file.extension().is_some_and(|end| end == "gz") {
        let unpacked = std::process::Command::new("gzip").arg("-dc").arg(file).output().expect("gzip");
        assert!(unpacked.status.success(), "{}", file.display());
        return unpacked.stdout;
    }
    std::fs::read(file).expect("a file")
}

fn has(content: &[u8], text: &str) -> bool {
    content.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Asserts that no secret is in anything that Tidegate keeps or says.
fn nothing_leaked(yard: &Yard) {
    let token = TOKEN.concat();
    let mut seen = 0;
    for file in files(yard.path()) {
        let inside = file.strip_prefix(yard.path()).expect("in the yard").to_string_lossy().into_owned();
        // What people wrote, and what Terraform itself keeps.
        if ["roots", "words", "tidegate.toml", "leak", "by-hand", "state/checkouts", "state/data"]
            .iter()
            .any(|mine| inside.starts_with(mine))
        {
            continue;
        }
        seen += 1;
        for secret in [PASSWORD, LICENCE, &token, "a-default-that-is-secret", "battery staple"] {
            assert!(!has(&content(&file), secret), "`{secret}` is in {inside}");
        }
    }
    assert!(seen > 5, "{seen} files");
}

fn yard() -> Yard {
    let yard = Layout::new().top("redact = [\"LICENCE_KEY\"]").environment("shop", &[("app", &[])]).lay();
    yard.configure("stack = \"shop-app\" }", &format!("stack = \"shop-app\", password = \"{PASSWORD}\" }}"));
    yard.write("roots/shop/app/main.tf", ROOT);
    yard.write("words", &format!("{PASSWORD} {} a-default-that-is-secret\n", TOKEN.concat()));
    yard.program("leak", LEAK);
    yard
}

#[tokio::test]
async fn secrets_that_a_run_prints_are_nowhere_afterwards() {
    let yard = yard();
    let env = [("LICENCE_KEY", LICENCE)];
    let say = async |line: &str, status| {
        let told = yard.start(&["shell", "-c", line], &env).end().await;
        told.exits(status);
    };
    say("up shop", 0).await;
    say("show 1", 0).await;
    say("log 1", 0).await;
    say("plan shop small", 0).await;
    nothing_leaked(&yard);
    // The same when it fails, and its words become the failure's.
    yard.write("then-fail", "");
    say("scale shop app+=2", 1).await;
    say("show 3", 0).await;
    say("log 3 app", 0).await;
    nothing_leaked(&yard);
    let told = yard.shell("log 1").await;
    told.says(&["[redacted]"]);
}

#[tokio::test]
async fn secrets_stay_secret_over_a_crash() {
    let yard = yard();
    yard.program(
        "leak",
        &LEAK.replace(
            "cat YARD/words\nprintf",
            "echo x >>YARD/did\nwhile [ -e YARD/hold ]; do sleep 0.05; done\ncat YARD/words\nprintf",
        ),
    );
    yard.write("hold", "");
    let env = [("LICENCE_KEY", LICENCE)];
    let up = yard.start(&["shell", "-c", "up shop small"], &env);
    yard.until_did("x", 1).await;
    up.kill().await;
    let serve = yard.start(&["serve"], &env);
    yard.until_taken_over(1, "applying").await;
    std::fs::remove_file(yard.file("hold")).expect("held");
    assert_eq!(yard.ends(1).await, "succeeded");
    serve.stop().await.exits(0);
    nothing_leaked(&yard);
}

#[tokio::test]
async fn what_only_a_living_run_needs_is_gone_after_it_and_was_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let yard = yard();
    yard.hold("apply");
    let up = yard.begin("up shop");
    yard.until_calls("apply", "shop-app", 1).await;
    let open = |path: &Path| std::fs::metadata(path).expect("its mode").permissions().mode() & 0o077 != 0;
    let found = files(&yard.file("state/runs"));
    assert!(found.len() > 5, "{found:?}");
    for file in found {
        // A folder that others cannot enter closes what Terraform itself leaves open in it.
        let ways = file.ancestors().take_while(|way| way.starts_with(yard.file("state")));
        assert!(ways.into_iter().any(|way| !open(way)), "{} can be read by others", file.display());
    }
    assert!(!open(&yard.file("tidegate.db")));
    yard.release("apply");
    up.end().await.exits(0);
    assert!(files(&yard.file("state/runs")).is_empty());
}

/// A stack whose Terraform gets a secret that `YARD/print` prints.
fn with_command(refresh: &str) -> Yard {
    let yard = Yard::new();
    let env = format!("off = \"destroy\"\nenv = {{ TOKEN_OF_NO_NAME = {{ command = [\"./print\"]{refresh} }} }}");
    yard.configure("off = \"destroy\"", &env);
    yard.program("print", "#!/bin/sh\necho x >>YARD/printed\ncat YARD/token\n");
    yard.write("token", "a-token-from-a-command\n");
    yard
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_stops_the_run_before_terraform_and_says_why() {
    let yard = with_command("");
    std::fs::remove_file(yard.file("token")).expect("removed");
    let told = yard.shell("up shop small").await;
    told.exits(1);
    told.says(&["the secret `TOKEN_OF_NO_NAME` of app cannot be read", "failed (exit status 1)"]);
    assert_eq!(yard.calls("plan", "shop-app"), 0);
    yard.write("token", "a-token-from-a-command\n");
    yard.shell("up shop small").await.exits(0);
}

#[tokio::test]
async fn a_secret_that_cannot_be_refreshed_becomes_a_notice_and_the_one_before_stays_good() {
    let yard = with_command(", refresh = \"1s\"");
    let serve = yard.serve().await;
    yard.accepted("up shop small").await;
    assert_eq!(yard.ends(1).await, "succeeded");
    std::fs::remove_file(yard.file("token")).expect("removed");
    let notices = "SELECT count(*) FROM outbox WHERE kind = 'notice' AND address = 'tidegate:admins'";
    yard.wait("a notice", async || (yard.number(notices).await == 1).then_some(())).await;
    yard.accepted("scale shop app+=1").await;
    assert_eq!(yard.ends(2).await, "succeeded");
    yard.write("token", "another-token-from-a-command\n");
    yard.wait("a second notice", async || (yard.number(notices).await == 2).then_some(())).await;
    serve.stop().await.exits(0);
    for file in files(&yard.file("state")).into_iter().chain([yard.file("tidegate.db"), yard.file("0.err")]) {
        assert!(!has(&content(&file), "token-from-a-command"), "{}", file.display());
    }
}

#[tokio::test]
async fn the_ledgers_address_may_come_from_a_command() {
    let yard = Yard::new();
    yard.configure("url = \"sqlite:tidegate.db\"", "url = { command = [\"./print\"] }");
    yard.program("print", "#!/bin/sh\ncat YARD/address\n");
    yard.run(&["shell", "-c", "envs"]).await.says(&["the ledger's address"]).exits(1);
    yard.write("address", "mysql://geheim@h/x");
    let told = yard.run(&["shell", "-c", "envs"]).await;
    told.exits(1);
    assert!(!told.err.contains("geheim"), "{}", told.err);
    yard.write("address", "sqlite:tidegate.db\n");
    yard.shell("up shop small").await.exits(0);
    assert!(yard.file("tidegate.db").is_file());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn neither_tidegate_nor_its_children_leave_core_dumps() {
    let yard = Yard::new();
    yard.hold("plan");
    let up = yard.begin("up shop small");
    yard.until_calls("plan", "shop-app", 1).await;
    // Terraform may be at work before its supervisor has written down which process it is.
    let (supervisor, _) = yard.wait("a child", async || yard.processes(1, "app")).await;
    let terraform = yard.call_pids("plan", "shop-app").pop().expect("a process");
    for pid in [up.pid(), supervisor, terraform] {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("its limits");
        let cores = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
        assert_eq!(cores.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{pid}");
    }
    yard.release("plan");
    up.end().await.exits(0);
}
