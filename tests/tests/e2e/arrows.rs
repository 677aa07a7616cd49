//! The arrows of `docs/ARCHITECTURE.md`, read from the sources: who may name whom.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of `runner`, lowest first. A room may use what stands below it, and nobody beside or above it.
const FLOORS: [&[&str]; 10] = [
    &["domain", "problem", "account", "signals"],
    &["redact", "root"],
    &["logging"],
    &["config", "ledger", "terraform", "source", "bell", "paths"],
    &["secrets", "warden", "witness", "agenda", "capacity"],
    &["standing", "inspection", "at_work"],
    &["desk", "engine"],
    &["clockwork", "switch", "rollouts", "lives", "retries"],
    &["house"],
    &["service"],
];

/// What `domain` is kept free of: time, surroundings, files, processes, databases, threads.
const IMPURE: [&str; 13] = [
    "tokio",
    "sqlx",
    "tracing",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "Utc::now",
    "now_v7",
];

/// A source file: its path below `src`, and its production code without comments.
struct Source {
    path: PathBuf,
    code: String,
}

impl Source {
    /// The file or folder right below `src` that it belongs to.
    fn room(&self) -> String {
        let first = self.path.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
        first.unwrap_or_default().trim_end_matches(".rs").to_owned()
    }

    /// The words that follow `prefix` in it: the rooms or crates named.
    fn named_after<'s>(&'s self, prefix: &str) -> Vec<&'s str> {
        // A group would hide what it names from this simple reading.
        assert!(
            !self.code.contains(&format!("{prefix}{{")),
            "{}: a line for each of {prefix}{{..}}",
            self.path.display()
        );
        let ends = |c: char| !c.is_alphanumeric() && c != '_';
        self.code
            .match_indices(prefix)
            .filter(|(at, _)| self.code[..*at].chars().next_back().is_none_or(ends))
            .filter_map(|(at, _)| self.code[at + prefix.len()..].split(ends).next())
            .collect()
    }
}

/// All sources of a package of the workspace, without tests.
fn sources(package: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(package).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(&root).expect("below the root").to_owned();
                let is_test =
                    below.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")));
                if !is_test {
                    found.push(Source { path: below, code: production(&fs::read_to_string(&path).expect("a source")) });
                }
            }
        }
    }
    assert!(found.len() > 20, "the sources of {package} are elsewhere");
    found
}

/// The code above a file's own tests, without comments.
fn production(text: &str) -> String {
    without_tests(text).lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

#[test]
fn every_room_of_the_runner_uses_only_what_stands_below_it() {
    for source in sources("runner") {
        let room = source.room();
        if matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let own = floor(&room).unwrap_or_else(|| panic!("`{room}` is a new room: say in FLOORS where it stands"));
        for other in source.named_after("crate::").into_iter().filter(|other| *other != room) {
            let allowed = floor(other).is_some_and(|other| other < own);
            assert!(allowed, "{} uses `{other}`, which does not stand below `{room}`", source.path.display());
        }
    }
}

/// The line of the document: rooms of one floor with commas, floors with `<-`.
#[test]
fn the_document_tells_the_same_floors_and_all_rooms() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ARCHITECTURE.md");
    let document = fs::read_to_string(document).expect("the document");
    let floors: Vec<String> = FLOORS.iter().map(|rooms| rooms.join(", ")).collect();
    let arrows = format!("inside `runner`: `{}`.", floors.join(" <- "));
    assert!(document.contains(&arrows), "docs/ARCHITECTURE.md has to say: {arrows}");
    let map: Vec<&str> = document.lines().filter(|line| line.starts_with('|')).collect();
    for room in FLOORS.iter().flat_map(|rooms| rooms.iter()) {
        let (folder, file) = (format!("runner/src/{room}/`"), format!("{room}.rs`"));
        let on_it = map.iter().any(|line| {
            let place = line.split('|').nth(1).unwrap_or_default();
            place.contains(&folder) || place.contains(&format!("/{file}")) || place.contains(&format!("`{file}"))
        });
        assert!(on_it, "the map of docs/ARCHITECTURE.md does not tell where `{room}` lives");
    }
}

#[test]
fn the_domain_knows_neither_time_nor_surroundings() {
    for source in sources("runner").into_iter().filter(|source| source.room() == "domain") {
        for word in IMPURE {
            let used = source.named_after(word);
            assert!(used.is_empty(), "{} uses `{word}`", source.path.display());
        }
    }
}

#[test]
fn the_runner_does_not_know_the_bot() {
    for source in sources("runner") {
        for word in ["tidegate::", "slack_morphism", "serenity"] {
            assert!(source.named_after(word).is_empty(), "{} names `{word}`", source.path.display());
        }
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runner/Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("a manifest");
    assert!(!manifest.lines().any(|line| line.starts_with("tidegate.") || line.starts_with("tidegate ")), "{manifest}");
}

#[test]
fn the_bot_starts_no_terraform_and_writes_no_state() {
    for source in sources("bot") {
        // Being the supervisor of a child is the one thing that a binary must lend itself for.
        let supervises = source.path == Path::new("main.rs");
        for room in ["terraform", "ledger", "engine", "source", "standing"] {
            let named = source.named_after("tidegate_runner::").contains(&room);
            let lent =
                supervises && room == "terraform" && source.code.contains("tidegate_runner::terraform::supervise()");
            // Proof is of the rows themselves, whoever wrote them.
            let proves = room == "ledger" && source.path.starts_with("cli/audit.rs");
            assert!(!named || lent || proves, "{} uses `{room}` of the runner", source.path.display());
        }
        for word in ["process::Command", "Command::new"] {
            let used = source.code.contains(word);
            assert!(!used, "{} starts programs with `{word}`", source.path.display());
        }
    }
}

#[test]
fn what_speaks_a_protocol_knows_no_chat_card_or_command() {
    let wire: Vec<Source> = sources("bot").into_iter().filter(|source| source.room() == "wire").collect();
    assert!(wire.len() > 5, "the clients are elsewhere");
    for source in wire {
        let named = source.named_after("crate::");
        assert!(named.iter().all(|room| *room == "wire"), "{} uses {named:?}", source.path.display());
        let runner = source.named_after("tidegate_runner::");
        let lent = runner.iter().all(|room| ["domain", "secrets"].contains(room));
        assert!(lent, "{} uses {runner:?} of the runner", source.path.display());
    }
}

/// Lines of a folder of the bot without its tests, which stand last in each file.
fn lines_of(folder: &str) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bot/src").join(folder);
    let files = fs::read_dir(folder).expect("a folder").flatten().map(|file| fs::read_to_string(file.path()));
    files.map(|text| without_tests(&text.expect("text")).lines().count()).sum()
}

/// The text above a file's own tests; what is only re-exported for tests elsewhere ends nothing.
fn without_tests(text: &str) -> &str {
    text.split_once("#[cfg(test)]\nmod tests").map_or(text, |(before, _)| before)
}

#[test]
fn a_chat_is_as_large_as_the_architecture_says() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ARCHITECTURE.md");
    let docs = fs::read_to_string(docs).expect("the architecture");
    for folder in ["chat/discord", "chat/slack", "wire/discord"] {
        let lines = lines_of(folder);
        let hundreds = (lines + 50) / 100;
        let says = format!("`{folder}` has about {},{}00 lines", hundreds / 10, hundreds % 10);
        assert!(docs.contains(&says), "it has {lines}: {says}");
    }
    let adapter = lines_of("chat/discord");
    assert!(adapter < 1_500, "a chat is easy to add as long as its adapter is small: this one has {adapter} lines");
}
