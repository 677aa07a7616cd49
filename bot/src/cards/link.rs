//! Who is one person with whom.

use tidegate_runner::domain::access::Link;
use tidegate_runner::domain::ids::ActorId;
use tidegate_runner::domain::link::{LinkAnswer, Links};

use super::card::{Card, Line, Tone};
use super::words::{Clock, person};

/// Most that a list has.
const LISTED_MAX: usize = 50;

/// The answer to `link` and `unlink`.
pub(super) fn answer(answer: &LinkAnswer, clock: &Clock) -> Card {
    match answer {
        LinkAnswer::Code { code, until } => Card::new(Tone::Plain, format!("Your code is {code}"))
            .line(Line::marked(&format!(
                "Say `link {code}` from your other id until {}: in the other chat, or in the terminal.",
                clock.ahead(*until)
            )))
            .line(Line::text(
                "Whoever says it becomes one person with you: show it to nobody. It gives no rights; it can be said once.",
            )),
        LinkAnswer::Linked(link) => Card::new(Tone::Good, format!("{} are one person", both(link)))
            .line(Line::text(
                "Neither says yes to what the other asked for; what one asked for, holds or keeps is the other's too. Rights stay \
                 each id's own.",
            ))
            .next("unlink"),
        LinkAnswer::Unlinked(links) => {
            let card = Card::new(Tone::Plain, "Not linked any more");
            card.lines(links.iter().map(|link| Line::text(format!("{}, since {}", both(link), clock.moment(link.began)))))
                .line(Line::text("For 90 days they still do not count as two people for a yes."))
        }
        LinkAnswer::Cleared(broken) => Card::new(Tone::Plain, format!("Link {} is taken away", broken.number))
            .line(Line::text(format!("It could not be read: {}", broken.why)))
            .line(Line::text(
                "Whom it made one person is not known, so that nothing of it lingers: for a yes they count as two people from now on, \
                 without the 90 days. Where that matters, name them under `[people]` in the file.",
            )),
    }
}

/// Who is one person with whom.
#[must_use]
pub fn links(links: &Links, clock: &Clock) -> Card {
    let Links { people, links, unreadable, all } = links;
    let title = match (people.is_empty() && links.is_empty() && unreadable.is_empty(), all) {
        (true, true) => "Nobody is known by several ids",
        (true, false) => "You are known by one id",
        (false, true) => "Who is known by several ids",
        (false, false) => "You are known by several ids",
    };
    let mut card = Card::new(Tone::Plain, title);
    for known in people.iter().take(LISTED_MAX) {
        let ids: Vec<_> = known.ids.iter().map(ActorId::shown).collect();
        card = card.line(Line::text(format!("{}: {} ({})", person(&known.name), ids.join(", "), known.written)));
    }
    for link in links.iter().take(LISTED_MAX) {
        card =
            card.line(Line::text(format!("link {}: {}, since {}", link.number, both(link), clock.moment(link.began))));
    }
    for broken in unreadable.iter().take(LISTED_MAX) {
        card = card.line(Line::marked(&format!(
            "{}: no yes counts until an admin says `unlink {}`",
            broken.why, broken.number
        )));
    }
    let more = people.len().saturating_sub(LISTED_MAX) + links.len().saturating_sub(LISTED_MAX);
    if more > 0 {
        card = card.line(Line::text(format!("and {more} more")));
    }
    if links.is_empty() { card.next("link") } else { card.next("unlink") }
}

/// Where everybody would read the code.
#[must_use]
pub fn not_in_public() -> (&'static str, &'static str, &'static str) {
    (
        "`link` is about a code that only you may see, and everybody would read it here",
        "a mention and its answer are read by all; say it as a command of the chat, or to Tidegate alone",
        "link",
    )
}

/// `sato (slack:U1) and sato (discord:1)`.
fn both(link: &Link) -> String {
    let [one, other] = &link.ids;
    let [one_name, other_name] = &link.called;
    format!("{} ({}) and {} ({})", person(one_name), one.shown(), person(other_name), other.shown())
}
