//! Files that go with an answer, in a terminal: into the folder that it was started in.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use crate::cards::{self, Card};
use crate::conversation::{Reply, Verdict};

/// Most files of one name.
const MOST: u32 = 1_000;

/// Writes the answer's file, if it has one, under a name that is free (`audit.csv`, `audit-2.csv`), readable by its owner only, and gives
/// the answer that says so.
pub(super) fn saved(reply: Reply) -> Reply {
    let Some(file) = &reply.file else { return reply };
    match write(&file.name, &file.text) {
        Ok(name) => Reply { card: cards::saved(reply.card, &name), ..reply },
        Err(error) => Reply { card: not_saved(&file.name, &error), verdict: Verdict::Fault, ..reply },
    }
}

fn not_saved(name: &str, error: &std::io::Error) -> Card {
    tracing::error!(name, %error, "a file cannot be written");
    cards::not_saved(name, &error.to_string())
}

fn write(name: &str, text: &str) -> std::io::Result<String> {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "txt"));
    for at in 1..=MOST {
        let name = if at == 1 { name.to_owned() } else { format!("{stem}-{at}.{ending}") };
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&name) {
            Ok(mut file) => {
                let written = file.write_all(text.as_bytes());
                if written.is_err() {
                    // Half of it would look like the whole.
                    let _ = std::fs::remove_file(&name);
                }
                return written.map(|()| name);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}
