//! `tidegate audit`: proves, signs, exports and prunes the audit. Asking is a command of the chats: `tidegate shell -c audit`.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use tidegate_runner::bell::Bell;
use tidegate_runner::config::{self, Config};
use tidegate_runner::desk::{Desk, Message};
use tidegate_runner::domain::answer::Actor;
use tidegate_runner::domain::audit::{self as audit_domain, AuditFilter};
use tidegate_runner::domain::command::{Command, Query};
use tidegate_runner::domain::ids::{ActorId, EnvironmentName, Timestamp};
use tidegate_runner::domain::policy::Place;
use tidegate_runner::house;
use tidegate_runner::ledger::Store;
use tidegate_runner::ledger::audit::{
    self, Asked, Checkpoint, Evidence, ExportError, Key, Proven, Prunable, VerifyError,
};
use tidegate_runner::redact::Redactor;
use tidegate_runner::secrets::{self, Secrets};
use tokio::sync::watch;

use super::{fail, os_user};
use crate::cards::{Clock, duration};
use crate::chat::shell::{color_on_stderr, local_zone};
use crate::commands::{self, Known};
use crate::sheet::Sheet;

/// `tidegate audit`
#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Looks whether any entry was altered, removed, inserted or reordered. Exit status 0 when all is as it was written, else 1.
    Verify {
        /// A checkpoint that was kept elsewhere: finds a cut end and another history.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// The public key that the checkpoint must be signed with.
        #[arg(long, value_name = "HEX", requires = "checkpoint")]
        key: Option<String>,
        /// A file that `prune` wrote; give each of them to prove everything from the first entry on.
        #[arg(long = "with-export", value_name = "FILE")]
        exports: Vec<PathBuf>,
    },
    /// Verifies, and signs where the audit ends now. Keep it where whoever can change the ledger cannot.
    Checkpoint {
        /// Where to; else it is printed.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Writes entries to a file, oldest first.
    Export {
        /// Form of the file.
        #[arg(long, value_enum)]
        format: Format,
        /// Where to; `-` is standard output. A file that is there is not written over.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Which entries, as after `audit` in a chat: `shop by @ito since 7d failed "black friday"`.
        #[arg(value_name = "FILTER")]
        filter: Vec<String>,
    },
    /// Exports the entries before a moment, and takes them out of the ledger; what is left stays provable.
    Prune {
        /// A date or time, as after `since` in a chat: `2026-01-01`, `52w`.
        #[arg(long, value_name = "TIME")]
        before: String,
        /// Where to. A file that is there is not written over.
        #[arg(long, value_name = "FILE")]
        export: PathBuf,
        /// Take out nothing after this entry: the last one that was told.
        #[arg(long, value_name = "ENTRY")]
        upto: Option<i64>,
        /// Why, for the entry about it.
        #[arg(long, value_name = "REASON")]
        because: Option<String>,
        /// Take out what is younger than 90 days, or all that there is, too: without it, it is told what that would be.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For spreadsheets: a heading, then a line for each entry.
    Csv,
    /// One array of objects.
    Json,
}

const NONE_SO_OLD: &str = "No entry is that old; nothing was written.";

/// Words for whoever typed the command; all of them go to standard error, and exit status 1.
type Refused = String;

impl Audit {
    pub(super) async fn run(self, file: &Path) -> ExitCode {
        let config = match config::load(file) {
            Ok(config) => config,
            Err(problems) => {
                eprint!("{}", config::render(problems.as_slice(), color_on_stderr()));
                return ExitCode::FAILURE;
            }
        };
        let secrets = Secrets::default();
        let store = match open(&config, &secrets).await {
            Ok(store) => store,
            Err(error) => return fail(&error),
        };
        let done = match self.task {
            Task::Verify { checkpoint, key, exports } => {
                verify(&store, checkpoint.as_deref(), key.as_deref(), &exports).await
            }
            Task::Checkpoint { out } => sign(&store, &config, out.as_deref()).await,
            Task::Export { format, out, filter } => export(&store, config, secrets, format, &out, &filter).await,
            Task::Prune { before, export, upto, because, yes } => {
                let redactor = Redactor::new(secrets::told(&config, &secrets));
                let because = because.map(|because| redactor.redact(&because).into_owned());
                prune(&store, (&before, upto), &export, because.as_deref(), yes).await
            }
        };
        store.close().await;
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        }
    }
}

async fn open(config: &Config, secrets: &Secrets) -> Result<Store, Refused> {
    let address = house::address(&config.database, secrets).await.map_err(told)?;
    Store::open_at(&address).await.map_err(told)
}

fn told(error: impl std::fmt::Display) -> Refused {
    error.to_string()
}

/// With what to do where the chain is broken: nothing in it can be mended without hiding what was done to it.
fn broken(error: &VerifyError) -> Refused {
    let VerifyError::Broken(_) = error else { return error.to_string() };
    format!(
        "{error}\nSomebody changed the ledger past Tidegate. Keep a copy of it as it is, ask who can write to it, and compare it with the \
         last backup and the exported files; `tidegate audit export --format json --out FILE` writes what stands in it now, as long as each entry can be read."
    )
}

async fn verify(
    store: &Store,
    checkpoint: Option<&Path>,
    key: Option<&str>,
    exports: &[PathBuf],
) -> Result<(), Refused> {
    let checkpoint = match checkpoint {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            Some(Checkpoint::from_text(&text, key).map_err(|error| format!("{}: {error}", file.display()))?)
        }
        None => None,
    };
    let evidence = Evidence { checkpoint: checkpoint.as_ref(), exports };
    let Proven { entries, start, end, exported, reconnected } =
        audit::prove(store, evidence).await.map_err(|error| broken(&error))?;
    if entries == 0 {
        println!("The audit is whole: it has no entry.");
    } else {
        println!("The audit is whole: {}, {} to {}.", counted(entries), start.seq + 1, end.seq);
        println!("The last one has the hash {}.", end.hash);
    }
    for seq in reconnected {
        println!(
            "Entry {seq} says that somebody changed the end of the audit past Tidegate: what was written right before it may be gone. \
             A checkpoint of before shows it: `--checkpoint FILE`."
        );
    }
    if exported > 0 {
        println!("The {exported} before them are in the exported files, whole.");
    } else if start.seq > 0 {
        println!("The {} before them were exported and taken out: `--with-export` proves them too.", start.seq);
    }
    if let Some(Checkpoint { link, key, .. }) = checkpoint {
        println!("It goes on from the checkpoint at entry {}, signed with {key}.", link.seq);
    }
    Ok(())
}

async fn sign(store: &Store, config: &Config, out: Option<&Path>) -> Result<(), Refused> {
    let Proven { end, .. } = audit::prove(store, Evidence::default()).await.map_err(told)?;
    let key = Key::open(&config.runner.state_dir.join("audit.key")).map_err(told)?;
    let checkpoint = Checkpoint::sign(&key, end, store.now().await.map_err(told)?);
    match out {
        Some(file) => {
            create(file)?.write_all(checkpoint.to_text().as_bytes()).map_err(|error| written(file, &error))?;
            println!("Checkpoint at entry {} written to {}.", checkpoint.link.seq, file.display());
        }
        None => print!("{}", checkpoint.to_text()),
    }
    eprintln!("The public key is {}: note it elsewhere too.", key.public());
    Ok(())
}

async fn export(
    store: &Store,
    config: Config,
    secrets: Secrets,
    format: Format,
    out: &Path,
    words: &[String],
) -> Result<(), Refused> {
    let filter = filter(store, &config, words).await?;
    let filter = seen(store, config, secrets, filter, words).await?;
    let count = if out == Path::new("-") {
        write(store, &filter, format, std::io::stdout().lock()).await
    } else {
        let count = write(store, &filter, format, create(out)?).await;
        // Half an export looks like a whole one.
        if count.is_err() && std::fs::remove_file(out).is_err() {
            eprintln!("{} is not whole: remove it.", out.display());
        }
        count
    };
    eprintln!("{} exported.", counted(count.map_err(told)?));
    Ok(())
}

/// The filter as far as this user of the machine may read the audit: the same rights as for `audit` in the shell, and the same entry
/// where they have none.
async fn seen(
    store: &Store,
    config: Config,
    secrets: Secrets,
    filter: AuditFilter,
    words: &[String],
) -> Result<AuditFilter, Refused> {
    let name = os_user()?;
    let message = Message {
        key: format!("audit:{}", uuid::Uuid::now_v7()),
        actor: Actor::person(ActorId::local(&name), name),
        place: Place::shell(),
        typed: ["audit export"].into_iter().chain(words.iter().map(String::as_str)).collect::<Vec<_>>().join(" "),
    };
    let (_config, receiver) = watch::channel(Arc::new(config));
    let desk = Desk::new(store.clone(), receiver, Bell::default()).with_secrets(secrets);
    let sight = desk.may_ask(&message, &Query::Audit(filter.clone())).await.map_err(told)?;
    // Who sees one environment only means that one; of several they were asked which. People are meant by all of their ids.
    desk.audit_filter(&filter, &sight).await.map_err(told)
}

async fn write(store: &Store, filter: &AuditFilter, format: Format, out: impl Write) -> Result<u64, ExportError> {
    let format = match format {
        Format::Csv => audit_domain::Format::Csv,
        Format::Json => audit_domain::Format::Json,
    };
    let mut sheet = Sheet::begin(format, BufWriter::new(out))?;
    let count = audit::each(store, filter, |record| sheet.add(record)).await?;
    sheet.end()?;
    Ok(count)
}

/// Reads filters as the chats do. Environments that are gone from the configuration are known as long as the audit has them.
async fn filter(store: &Store, config: &Config, words: &[String]) -> Result<AuditFilter, Refused> {
    let names = audit::environments(store).await.map_err(told)?;
    let unmanaged = config.unmanaged.keys().cloned();
    let mut others: Vec<EnvironmentName> = unmanaged.chain(names).filter_map(|name| name.parse().ok()).collect();
    others.retain(|name| !config.environments.contains_key(name));
    let me = ActorId::local(&os_user()?);
    let now = store.now().await.map_err(told)?;
    let known =
        Known { environments: &config.environments, aside: &[], others: &others, me: &me, now, zone: local_zone() };
    // The shell took the quotes away.
    let words = words.iter().map(|word| if word.contains(' ') { format!("\"{word}\"") } else { word.clone() });
    let line = std::iter::once("audit".to_owned()).chain(words).collect::<Vec<_>>().join(" ");
    match commands::parse(&line, &known) {
        Ok(Command::Query(Query::Audit(AuditFilter { before: Some(_), .. }))) => {
            Err("an export has no pages: leave `before` out".to_owned())
        }
        Ok(Command::Query(Query::Audit(filter))) if filter.page > 1 => {
            Err("an export has no pages: leave `page` out".to_owned())
        }
        Ok(Command::Query(Query::Audit(filter))) => Ok(filter),
        Ok(Command::Query(Query::Export { .. })) => {
            Err("the form is said by `--format`: leave `as ...` out".to_owned())
        }
        Ok(_) => Err("these are no filters".to_owned()),
        Err(refusal) => Err(refusal.to_string()),
    }
}

async fn prune(
    store: &Store,
    (before, upto): (&str, Option<i64>),
    file: &Path,
    because: Option<&str>,
    yes: bool,
) -> Result<(), Refused> {
    let now = store.now().await.map_err(told)?;
    let moment = commands::moment(before, now, local_zone())
        .ok_or_else(|| format!("`{before}` is not a time: write `2026-01-01` or `52w`"))?;
    if moment > now {
        // Everything would be taken out, what happens meanwhile too: nobody means that.
        let today = commands::today(now, local_zone());
        return Err(format!(
            "`{before}` is not past: the newest day that may be given is today, `--before {today}`, which leaves today's entries"
        ));
    }
    let mut asked = Asked { before: moment, upto };
    if !yes {
        match audit::prunable(store, asked).await.map_err(told)? {
            None => {
                println!("{NONE_SO_OLD}");
                return Ok(());
            }
            Some(would) if would.is_to_be_asked(now) => return Err(asks(&would, moment, now)),
            // What a run that ends in this moment held back was not looked at: it stays for the next time.
            Some(would) => asked.upto = Some(would.last),
        }
    }
    let name = os_user()?;
    let actor = Actor::person(ActorId::local(&name), name);
    match audit::prune(store, asked, file, &actor, because).await.map_err(told)? {
        None => println!("{NONE_SO_OLD}"),
        Some(audit::Pruned { entries, end, stays_for }) => {
            println!("The entries up to {} are in {} and out of the ledger: {entries}.", end.seq, file.display());
            if let Some(run) = stays_for {
                println!(
                    "Those that are old enough and come later stay until run {run} is over, which the next of them is about."
                );
            }
            println!("Keep the file: only with it can the whole be proven (`tidegate audit verify --with-export`).");
        }
    }
    Ok(())
}

/// What would be taken out, and the line that does just that, whatever is written or ends meanwhile.
fn asks(would: &Prunable, moment: Timestamp, now: Timestamp) -> Refused {
    let clock = Clock { now, zone: local_zone().told() };
    let Prunable { first, last, of, oldest, youngest, stays_for } = would;
    let whole = would.entries() == *of;
    let count = counted(u64::try_from(would.entries()).unwrap_or_default());
    let how = if whole { "which is all that the ledger has".to_owned() } else { format!("of {of} in the ledger") };
    let (from, to) = (clock.moment(*oldest), clock.moment(*youngest));
    let age = duration(now.ms_since(*youngest));
    let held = stays_for.map(|run| format!(" What comes later stays until run {run} is over.")).unwrap_or_default();
    let typed = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let line = with_yes(typed, &commands::exactly(moment), *last);
    format!(
        "this would take out {count}, {how}: {first} to {last}, from {from} to {to}; the youngest is {age} old.{held} Nothing was \
         written and nothing taken out. If that is meant, type:\n  {line}"
    )
}

/// The command line with the moment as it was understood, the last entry that was told, and `--yes`; as a shell reads it.
fn with_yes(typed: impl Iterator<Item = String>, before: &str, last: i64) -> String {
    let mut words = vec!["tidegate".to_owned()];
    let (mut is_moment, mut is_entry) = (false, false);
    for word in typed.skip(1) {
        // The last entry is said once.
        if is_entry || word.starts_with("--upto=") {
            is_entry = false;
            continue;
        }
        let word = match word.split_once('=') {
            _ if is_moment => before.to_owned(),
            Some(("--before", _)) => format!("--before={before}"),
            Some(_) | None => word,
        };
        is_moment = word == "--before";
        is_entry = word == "--upto";
        if !is_entry {
            words.push(in_shell(&word));
        }
    }
    words.extend(["--upto".to_owned(), last.to_string(), "--yes".to_owned()]);
    words.join(" ")
}

/// A word as a shell reads it back.
fn in_shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// `1 entry`, `3 entries`.
fn counted(entries: u64) -> String {
    if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") }
}

/// A new file that only its owner may read.
fn create(file: &Path) -> Result<std::fs::File, Refused> {
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    created.map_err(|error| written(file, &error))
}

fn written(file: &Path, error: &std::io::Error) -> Refused {
    format!("{} cannot be written: {error}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_typed_means_the_same_to_a_shell() {
        let at = "2026-11-22T14:51:00.000Z";
        for (typed, line) in [
            (
                "audit|prune|--before|now|--export|old",
                format!("audit prune --before {at} --export old --upto 12 --yes"),
            ),
            (
                "audit|prune|--before=now|--export=old",
                format!("audit prune --before={at} --export=old --upto 12 --yes"),
            ),
            (
                "audit|prune|--upto|7|--before|now|--export|old",
                format!("audit prune --before {at} --export old --upto 12 --yes"),
            ),
            (
                "--config|my file|audit|prune|--export|old|--because|it's over|--before|now",
                format!(
                    "--config 'my file' audit prune --export old --because 'it'\\''s over' --before {at} --upto 12 --yes"
                ),
            ),
            (
                "audit|prune|--before|now|--export|$HOME/old|--because|",
                format!("audit prune --before {at} --export '$HOME/old' --because '' --upto 12 --yes"),
            ),
        ] {
            let typed = std::iter::once("./target/tidegate").chain(typed.split('|')).map(str::to_owned);
            assert_eq!(with_yes(typed, at, 12), format!("tidegate {line}"));
        }
    }
}
