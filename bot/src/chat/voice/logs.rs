//! Logs of what failed, as they go into the thread of a run's card: the end of each, and the whole as a file.

use tidegate_runner::domain::answer::{LogExtract, RunDetail};
use tidegate_runner::domain::run::StackState;

use super::letter::Extras;
use super::mouth::Mouth;
use super::plain::as_text;
use crate::cards;

/// What Terraform said in the stacks that failed, with the whole of it as a file where the card has not all.
pub(in crate::chat) async fn of(mouth: &Mouth, detail: &RunDetail) -> Vec<(cards::Card, Option<(String, String)>)> {
    let run = detail.run.number;
    let mut found = Vec::new();
    for (name, stack) in &detail.view.stacks {
        if !matches!(stack.state, StackState::Failed(..)) {
            continue;
        }
        match mouth.desk.log(run, Some(name)).await {
            Ok(mut extract) => {
                let over = |card: &cards::Card| mouth.platform.render(card, &Extras::default()).left_out.len();
                let long =
                    shorten(over, &mut extract) || extract.parts.iter().any(|part| part.left_out > 0 || part.cut);
                let whole = if long { mouth.desk.whole_log(run, Some(name)).await.ok() } else { None };
                // Where it lies on Tidegate's machine is of no use to people here.
                let beside = match (&whole, long) {
                    (Some(_), _) => cards::BESIDE.to_owned(),
                    (None, false) => cards::ALL_OF_IT.to_owned(),
                    (None, true) => cards::log_typed(run, name),
                };
                extract.parts.iter_mut().for_each(|part| beside.clone_into(&mut part.file));
                let file = whole.map(|mut whole| {
                    for part in &mut whole.parts {
                        let all = part.left_out == 0 && !part.cut;
                        if all { cards::THIS_FILE } else { cards::LAST_OF_IT }.clone_into(&mut part.file);
                    }
                    (format!("run-{run}-{name}.txt"), as_text(&cards::log(&whole)))
                });
                found.push((cards::log(&extract), file));
            }
            Err(error) => tracing::warn!(%error, run = run.0, "a log is not here"),
        }
    }
    found
}

/// Leaves out of a log what does not fit into a message, from its beginning: an error stands at the end. True where it did.
fn shorten(over: impl Fn(&cards::Card) -> usize, extract: &mut LogExtract) -> bool {
    let mut shortened = false;
    loop {
        let over = over(&cards::log(extract));
        let longest = extract.parts.iter_mut().max_by_key(|part| part.lines.len());
        let Some(part) = longest.filter(|part| over > 0 && !part.lines.is_empty()) else { return shortened };
        let less = over.min(part.lines.len());
        part.lines.drain(..less);
        part.left_out += u64::try_from(less).unwrap_or(u64::MAX);
        shortened = true;
    }
}

#[cfg(test)]
mod tests {
    use tidegate_runner::domain::answer::LogPart;
    use tidegate_runner::domain::ids::RunNumber;

    use super::*;

    #[test]
    fn of_a_log_that_is_too_long_the_end_is_shown() {
        let lines: Vec<String> = (0..200).map(|line| format!("{line}: {}", "log ".repeat(30))).collect();
        let part = |lines: &[String]| LogPart {
            stack: "app".parse().expect("a name"),
            phase: "apply".to_owned(),
            tried: false,
            lines: lines.to_vec(),
            left_out: 7,
            cut: false,
            file: "where it lies".to_owned(),
        };
        let mut extract = LogExtract { run: RunNumber(5), parts: vec![part(&lines[..3]), part(&lines)] };
        // As if there were room for forty lines.
        let over = |card: &cards::Card| card.lines.len().saturating_sub(40);
        assert!(shorten(over, &mut extract));
        assert_eq!(over(&cards::log(&extract)), 0);
        assert_eq!(extract.parts[0], part(&lines[..3]));
        let (kept, left) = (&extract.parts[1].lines, extract.parts[1].left_out);
        assert!(kept.len() > 20 && kept.last() == lines.last(), "{}", kept.len());
        assert_eq!(left, 7 + 200 - u64::try_from(kept.len()).expect("few"));
        assert!(!shorten(over, &mut extract));
    }
}
