//! Hints that are ready to copy: what a refusal offers is a command that would be understood.

use tidegate_runner::domain::refusal::Refusal;

use super::line::Line;
use super::{Known, Present, table};

/// Most corrections of one hint. Each takes one wrong word; whoever has more of them is better served by `help`.
const ROUNDS: usize = 5;
/// Longest hint, in characters. What is longer nobody copies.
const LONGEST: usize = 300;
/// Most hints of one refusal.
const MOST: usize = 5;

/// Replaces each hint that is itself not understood by the corrections of it, and offers help when none is left.
pub(super) fn to_copy(mut refusal: Refusal, line: &Line, known: &Known<'_>, present: &Present) -> Refusal {
    let mut ready = Vec::new();
    for hint in std::mem::take(&mut refusal.hints) {
        correct(hint, known, present, ROUNDS, &mut ready);
    }
    ready.truncate(MOST);
    if ready.is_empty() {
        let about = line.word(0).and_then(table::find);
        ready.push(about.map_or_else(|| "help".to_owned(), |spec| format!("help {}", spec.name)));
    }
    refusal.hints = ready;
    refusal
}

/// All corrections, not only the first: which of two environments is meant is not for us to say.
fn correct(hint: String, known: &Known<'_>, present: &Present, rounds: usize, ready: &mut Vec<String>) {
    if rounds == 0 || ready.len() >= MOST || hint.chars().count() > LONGEST {
        return;
    }
    match super::read(&Line::read(&hint), known, present) {
        Ok(_) if ready.contains(&hint) => {}
        Ok(_) => ready.push(hint),
        Err(refusal) => refusal.hints.into_iter().for_each(|next| correct(next, known, present, rounds - 1, ready)),
    }
}
