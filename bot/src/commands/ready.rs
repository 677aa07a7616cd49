//! Hints that are ready to copy: what a refusal offers is a command that would be understood.

use tidegate_runner::domain::refusal::Refusal;

use super::line::Line;
use super::{Known, table};

/// Most corrections of one hint. Each takes one wrong word; whoever has more of them is better served by `help`.
const ROUNDS: usize = 5;
/// Longest hint, in characters. What is longer nobody copies.
const LONGEST: usize = 300;

/// Replaces each hint that is itself not understood by the correction of it, and offers help when none is left.
pub(super) fn to_copy(mut refusal: Refusal, line: &Line, known: &Known<'_>) -> Refusal {
    let mut ready = Vec::new();
    for hint in std::mem::take(&mut refusal.hints) {
        if let Some(hint) = corrected(hint, known)
            && !ready.contains(&hint)
        {
            ready.push(hint);
        }
    }
    if ready.is_empty() {
        let about = line.word(0).and_then(table::find);
        ready.push(about.map_or_else(|| "help".to_owned(), |spec| format!("help {}", spec.name)));
    }
    refusal.hints = ready;
    refusal
}

fn corrected(mut hint: String, known: &Known<'_>) -> Option<String> {
    for _ in 0..ROUNDS {
        if hint.chars().count() > LONGEST {
            return None;
        }
        match super::read(&Line::read(&hint), known) {
            Ok(_) => return Some(hint),
            Err(refusal) => hint = refusal.hints.into_iter().next()?,
        }
    }
    None
}
