//! The reference for people, `docs/commands.md`, made from the table.

use std::fmt::Write as _;

use super::table::TABLE;

/// The whole of `docs/commands.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Commands\n\nGenerated from the table in `bot/src/commands/table.rs`; a test keeps it so.\n\n\
         A leading `/tide`, `@tidegate` or `tide` may stand before every command. Letters may be large or small, phone \
         dashes, smart quotes and full-width characters are understood. Everything after `because` is the reason, as \
         typed. A run is named `812`, `#812` or `run 812`. The name of a command is also the name of the permission to \
         run it.\n\n| command | what it does | the least role |\n| --- | --- | --- |\n",
    );
    for spec in &TABLE {
        let who = spec.name.least().as_str();
        let _ = writeln!(text, "| [`{0}`](#{0}) | {1} | {who} |", spec.name, spec.summary);
    }
    for spec in &TABLE {
        let _ = write!(text, "\n## {}\n\n```\n{}\n```\n\n{}.\n", spec.name, spec.usage, capitalised(spec.summary));
        for paragraph in spec.details {
            let _ = write!(text, "\n{paragraph}\n");
        }
        text.push_str("\n| for example | |\n| --- | --- |\n");
        for example in spec.examples {
            let _ = writeln!(text, "| `{}` | {} |", example.line, example.meaning);
        }
    }
    text
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `TIDEGATE_WRITE_DOCS=1 cargo test -p tidegate reference` writes the page anew.
    #[test]
    fn the_reference_is_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/commands.md");
        if std::env::var_os("TIDEGATE_WRITE_DOCS").is_some() {
            std::fs::write(path, markdown()).expect("docs/commands.md can be written");
        }
        let page = std::fs::read_to_string(path).expect("docs/commands.md is there");
        assert!(
            page == markdown(),
            "docs/commands.md is not what the table says; write it anew as this test describes"
        );
    }
}
