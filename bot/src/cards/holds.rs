//! Holds, keeps, freezes and stops: answers, the queue, and what people are told of them.

use tidegate_runner::domain::answer::{Actor, RunSummary};
use tidegate_runner::domain::holds::{
    About, Afterwards, Comes, Ending, Freed, Hold, HoldAnswer, Keeps, Kind, News, QueueOf, StillWorking,
};
use tidegate_runner::domain::ids::{ActorId, RunNumber, Timestamp};
use tidegate_runner::domain::lookalike::distinct;
use tidegate_runner::domain::request::Target;

use super::bend;
use super::card::{Card, Line, Span, Tone};
use super::history::state_word;
use super::made;
use super::rollout::end_of_rollout;
use super::run::silence;
use super::words::{Clock, DOT, about, cut, duration, plural, run_of, target, what};

/// Most runs that are named in a list.
const NAMED_MAX: usize = 5;

/// What a hold means for the end of what was made for one test, whose time is over at `ends`, and at `latest` whatever is done to it.
fn carried(hold: &Hold, ends: Timestamp, latest: Timestamp, clock: &Clock) -> Line {
    let beyond = if hold.until.is_some_and(|until| until > latest) {
        format!(", beyond {}, which is the longest that its template allows", clock.moment(latest))
    } else {
        String::new()
    };
    let ends = clock.moment(ends);
    Line::text(format!(
        "It was made for one test, and its time is over at {ends}: its end waits until this is over{beyond}."
    ))
}

/// The desk's answer to an order about holds.
#[must_use]
pub(super) fn hold_answer(answer: &HoldAnswer, clock: &Clock) -> Card {
    match answer {
        HoldAnswer::Began { hold, going_on, refused, comes, carries, keeps } => {
            let card = Card::new(Tone::Good, format!("{} {}", begun(hold), lasts(hold, clock)));
            let card = card.lines(left_in(hold)).lines(because(hold.because.as_deref()));
            let card = keeps.iter().fold(card, |card, keeps| kept_back(card, keeps, clock));
            let card = match hold.kind {
                Kind::Keep => card.line(Line::marked(
                    "Others may raise it. Your own `down` ends this; somebody else's is refused unless they say `anyway`, and then you are told.",
                )),
                Kind::Hold | Kind::Freeze | Kind::Stop | Kind::Booking => card,
            };
            let card = card
                .lines(
                    (!going_on.is_empty())
                        .then(|| Line::text(format!("Under way, and goes on: {}.", runs(going_on.iter().map(run_of))))),
                )
                .lines((!refused.is_empty()).then(|| {
                    Line::text(format!(
                        "Has changed nothing yet, and will be refused if it is to begin before the end: {}.",
                        runs(refused.iter().map(run_of))
                    ))
                }));
            let carries = carries.map(|(ends, latest)| carried(hold, ends, latest, clock));
            card.lines(carries).lines(comes_of(hold, comes.as_ref(), clock)).next(lift(hold))
        }
        HoldAnswer::Booked { hold, afterwards } => {
            let card = Card::new(Tone::Good, format!("{} {}", begun(hold), lasts(hold, clock)));
            let card = card.lines(left_in(hold)).lines(because(hold.because.as_deref()));
            let words = format!(
                "It is brought there as that begins, and nobody else changes it then. {}",
                then(hold, afterwards)
            );
            card.line(Line::marked(&words)).next(lift(hold))
        }
        HoldAnswer::Lifted { hold, of_another, comes } => {
            let card = Card::new(Tone::Good, ended(hold)).lines(comes_of(hold, comes.as_ref(), clock));
            if *of_another {
                card.line(Line::text(format!("It was of {}, who is told that you lifted it.", person(&hold.by))))
            } else {
                card
            }
        }
        HoldAnswer::Cleared { environment, number, why } => {
            Card::new(Tone::Good, format!("Hold {number} is taken away"))
                .line(Line::text(format!("Nobody could read it: {}", cut(why))))
                .next(format!("status {environment}"))
        }
        HoldAnswer::Asked { to, news } => {
            let whom: Vec<String> = to.iter().map(person).collect();
            let card = Card::new(Tone::Plain, format!("{} will be asked", whom.join(", ")));
            match news {
                News::Asked { words, .. } => card.line(Line::text(format!("\u{201c}{}\u{201d}", cut(words)))),
                _ => card,
            }
        }
        HoldAnswer::WillTell { environment, until, already } => {
            let again = if *already { "still " } else { "" };
            Card::new(Tone::Plain, format!("You will {again}be told once {environment} is free"))
                .line(Line::text(format!("You are told, too, if it is not by {}.", clock.ahead(*until))))
                .next(format!("queue {environment}"))
        }
        HoldAnswer::Left(run) => {
            Card::new(Tone::Plain, format!("Run {} has left the queue{DOT}{}", run.number, what(&run.request)))
                .line(Line::text(not_done(run)))
        }
        HoldAnswer::Stopped { hold, again, working, emptied, half_done, unknown, unread } => {
            let fact = if *again { "Everything was stopped already" } else { "Everything is stopped" };
            let mut card =
                Card::new(Tone::Warning, format!("{fact}{DOT}{}", still(working, unknown.len() + unread.len())));
            card = card.lines(working.iter().filter_map(|still| silence(&still.run, clock)).take(1));
            card = card.lines(because(hold.because.as_deref()));
            if !emptied.is_empty() {
                let count = plural(u64::try_from(emptied.len()).unwrap_or(u64::MAX), "run");
                card = card.line(Line::text(format!(
                    "{count} had not begun to change anything and will not; whoever asked is told: {}.",
                    runs(emptied.iter().map(run_of))
                )));
            }
            if !half_done.is_empty() {
                let count = plural(u64::try_from(half_done.len()).unwrap_or(u64::MAX), "run");
                card = card.line(Line::text(format!(
                    "{count} waited for a yes half way, and what is done stays so; ends PARTIAL: {}.",
                    runs(half_done.iter().map(run_of))
                )));
            }
            card = card.lines(unknown_runs(unknown)).lines(unread_runs(unread));
            card = card.line(Line::marked("Nothing that changes anything begins until `resume everything`."));
            let card = half_done.iter().take(2).fold(card, |card, run| card.next(format!("show {}", run.number)));
            unknown.iter().take(2).fold(card, |card, run| card.next(format!("recover {run}"))).next("resume everything")
        }
        HoldAnswer::Resumed(_) => Card::new(Tone::Good, "Runs are accepted again")
            .line(Line::text("What was stopped does not begin by itself: whoever wants it asks again.")),
    }
}

/// What a keep holds back, and what comes after it.
fn kept_back(card: Card, keeps: &Keeps, clock: &Clock) -> Card {
    let Keeps { instead_of, turns, next } = keeps;
    let before = instead_of.map(|end| format!("It takes the place of your keep until {}.", clock.moment(end)));
    let not =
        turns.iter().take(NAMED_MAX).map(|turn| Line::text(format!("Not: {}", bend::when(turn, clock))).indented(1));
    let next = next.as_ref().map(|next| format!("next: {}", bend::when(next, clock)));
    card.lines(before.map(Line::text)).lines(not).lines(next.map(Line::text))
}

/// What the clock does because of it.
fn comes_of(hold: &Hold, comes: Option<&Comes>, clock: &Clock) -> Option<Line> {
    let Comes { at_once, warned } = comes?;
    Some(bend::at_once_words(hold.environment.as_ref()?, at_once, *warned, clock))
}

/// Of a run that was taken back before it changed anything.
pub(super) fn not_done(run: &RunSummary) -> &'static str {
    if run.started.is_none() { "It had not begun." } else { "Its plan is not applied." }
}

/// `2 runs stopping: 12 shop apply 3 of 9, 13 blog planning`; or that nothing runs, as far as that is known.
fn still(working: &[StillWorking], unknown: usize) -> String {
    if working.is_empty() {
        return match unknown {
            0 => "nothing runs".to_owned(),
            count => format!("no run is worked on; of {count} nobody can say"),
        };
    }
    let each = working.iter().map(|StillWorking { run, done, planned }| {
        let far = if *planned > 0 { format!(" {done} of {planned}") } else { String::new() };
        format!("{} {} {}{far}", run.number, run.request.environment, state_word(&run.state))
    });
    let count = plural(u64::try_from(working.len()).unwrap_or(u64::MAX), "run");
    format!("{count} stopping: {}", runs(each))
}

fn unknown_runs(unknown: &[RunNumber]) -> Option<Line> {
    let numbers: Vec<String> = unknown.iter().map(ToString::to_string).collect();
    (!numbers.is_empty())
        .then(|| Line::text(format!("UNKNOWN, so that nobody can say whether it runs: {}.", numbers.join(", "))))
}

fn unread_runs(unread: &[(RunNumber, String)]) -> Vec<Line> {
    let head = "CANNOT BE READ, so that nobody can say whether it runs, and it was not asked to stop:";
    let head = (!unread.is_empty()).then(|| Line::text(head));
    head.into_iter().chain(unread.iter().map(|(_, why)| Line::marked(&cut(why)).indented(1))).collect()
}

fn runs(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(NAMED_MAX);
    let mut names: Vec<String> = all.take(NAMED_MAX).collect();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

fn person(who: &ActorId) -> String {
    cut(&distinct(who.short()))
}

/// The environment, or that it is about all.
fn of(hold: &Hold) -> String {
    hold.environment.as_ref().map_or_else(|| "everything".to_owned(), ToString::to_string)
}

fn begun(hold: &Hold) -> String {
    match hold.kind {
        Kind::Hold => format!("{} is held", of(hold)),
        Kind::Freeze => "Everything is frozen".to_owned(),
        Kind::Keep => format!("{} is kept as it is", of(hold)),
        Kind::Stop => "Everything is stopped".to_owned(),
        Kind::Booking => format!("{} is booked{}", of(hold), booked_at(hold)),
    }
}

fn ended(hold: &Hold) -> String {
    match hold.kind {
        Kind::Hold => format!("{} is not held any more", of(hold)),
        Kind::Freeze => "Nothing is frozen any more".to_owned(),
        Kind::Keep => format!("{} is not kept any more", of(hold)),
        Kind::Stop => "Runs are accepted again".to_owned(),
        Kind::Booking => format!("{} is not booked any more", of(hold)),
    }
}

/// ` at full slaves=40`.
fn booked_at(hold: &Hold) -> String {
    hold.booked.as_ref().map(|booked| format!(" at {}", target(&booked.target))).unwrap_or_default()
}

/// Where it goes as a booking ends.
fn then(hold: &Hold, afterwards: &Afterwards) -> String {
    let stays = |to: &Target| hold.booked.as_ref().is_some_and(|booked| booked.target == *to);
    match afterwards {
        Afterwards::Schedules(to) => format!("Afterwards its schedules ask for {}.", target(to)),
        Afterwards::Asked(to) => format!("Afterwards it is to be at {}, as somebody asked.", target(to)),
        Afterwards::Back(to) if stays(to) => format!("It is at {} now, and stays there afterwards.", target(to)),
        Afterwards::Back(to) => format!("Afterwards it goes back to {}, where it is now.", target(to)),
        Afterwards::Rests(to) => {
            format!("Afterwards nobody asks for anything, and it goes to {}, as `down {}` does.", target(to), of(hold))
        }
        Afterwards::Unknown => "What comes afterwards cannot be told.".to_owned(),
    }
}

/// `until ...`; of a booking `from ... until ...`.
fn lasts(hold: &Hold, clock: &Clock) -> String {
    match hold.kind {
        Kind::Booking if hold.began > clock.now => {
            format!("from {} until {}", clock.ahead(hold.began), clock.moment(hold.until.unwrap_or(hold.began)))
        }
        Kind::Hold | Kind::Freeze | Kind::Keep | Kind::Stop | Kind::Booking => format!("until {}", until(hold, clock)),
    }
}

fn until(hold: &Hold, clock: &Clock) -> String {
    hold.until.map_or_else(|| "somebody resumes".to_owned(), |until| clock.ahead(until))
}

fn left_in(hold: &Hold) -> Option<Line> {
    let only: Vec<String> = hold.only.iter().map(|who| cut(&who.shown())).collect();
    (!only.is_empty()).then(|| Line::text(format!("It leaves in {}.", only.join(", "))))
}

fn because(because: Option<&str>) -> Option<Line> {
    because.map(|because| Line::text(format!("because {}", cut(because))))
}

fn lift(hold: &Hold) -> String {
    match (hold.kind, &hold.environment) {
        (Kind::Stop, _) => "resume everything".to_owned(),
        (Kind::Freeze, _) | (_, None) => "unfreeze all".to_owned(),
        (Kind::Hold, Some(environment)) => format!("unhold {environment}"),
        (Kind::Booking, Some(environment)) => format!("unbook {environment} {}", hold.number),
        // Alone, `unhold` is for a hold of theirs first.
        (Kind::Keep, Some(environment)) => format!("unhold {environment} {}", hold.number),
    }
}

/// `held by sato until Fri 2026-11-20 22:00 Asia/Tokyo (in 2 h), because ... (hold 3)`.
pub(super) fn hold_line(hold: &Hold, clock: &Clock) -> String {
    let word = match hold.kind {
        Kind::Hold => "held".to_owned(),
        Kind::Freeze => "frozen, as everything is,".to_owned(),
        Kind::Keep => "kept as it is".to_owned(),
        Kind::Stop => "STOPPED, as everything is,".to_owned(),
        Kind::Booking => format!("booked{}", booked_at(hold)),
    };
    let only: Vec<String> = hold.only.iter().map(person).collect();
    let only = if only.is_empty() { String::new() } else { format!(", leaves in {}", only.join(", ")) };
    let why = hold.because.as_ref().map(|because| format!(", because {}", cut(because))).unwrap_or_default();
    let number = if hold.kind == Kind::Booking { "booking" } else { "hold" };
    format!("{word} by {} {}{only}{why} ({number} {})", person(&hold.by), lasts(hold, clock), hold.number)
}

/// The same in few words, for a list: `held by sato until 22:00`.
pub(super) fn hold_fact(hold: &Hold, clock: &Clock) -> String {
    let until = hold.until.map(|until| format!(" until {}", clock.moment(until))).unwrap_or_default();
    let word = match hold.kind {
        Kind::Hold => "held",
        Kind::Freeze => "frozen",
        Kind::Keep => "kept",
        Kind::Stop => "STOPPED",
        Kind::Booking => "booked",
    };
    // What lies ahead has a beginning, too.
    let from =
        Some(hold.began).filter(|began| *began > clock.now).map(|began| format!(" from {}", clock.moment(began)));
    format!("{word} by {}{}{until}", person(&hold.by), from.unwrap_or_default())
}

/// What is booked.
#[must_use]
pub fn bookings(all: &[Hold], clock: &Clock) -> Card {
    if all.is_empty() {
        let card = Card::new(Tone::Plain, "Nothing is booked");
        return card.line(Line::marked("`help book` tells how to."));
    }
    let count = plural(u64::try_from(all.len()).unwrap_or(u64::MAX), "booking");
    let width = all.iter().map(|one| of(one).chars().count()).max().unwrap_or_default() + 2;
    let lines =
        all.iter().map(|one| Line::of([Span::Column(of(one), width), Span::Text(hold_line(one, clock))]).indented(1));
    Card::new(Tone::Plain, count).lines(lines)
}

/// What an accepted run says about a keep that it ends.
pub(super) fn freed(freed: &Freed) -> Line {
    let Freed { hold, own } = freed;
    Line::text(if *own {
        format!("Your keep of {} ends by it.", of(hold))
    } else {
        format!("Against the keep of {}, which ends when it begins, and who is told then.", person(&hold.by))
    })
}

/// Who has what, and who waits, as `me` reads it.
#[must_use]
pub fn queue(queues: &[QueueOf], me: &Actor, clock: &Clock) -> Card {
    if queues.is_empty() {
        return Card::new(Tone::Plain, "Nothing runs and nothing waits").next("envs");
    }
    let waiting: usize = queues.iter().map(|queue| queue.waiting.len()).sum();
    let title = match (queues, waiting) {
        ([only], _) if !only.unread.is_empty() => format!("{}{DOT}not all of its runs can be read", only.environment),
        ([only], 0) if only.running.is_none() && only.asking.is_empty() => {
            format!("Nothing waits for {}", only.environment)
        }
        ([only], 0) if only.running.is_none() => {
            format!("{}{DOT}nothing waits for its turn", only.environment)
        }
        ([only], count) => format!("{}{DOT}{count} waiting", only.environment),
        (_, count) => format!("{} waiting", plural(u64::try_from(count).unwrap_or(u64::MAX), "run")),
    };
    let mut card = Card::new(Tone::Plain, title);
    for queue in queues {
        let QueueOf { environment, running, waiting, asking, holds, unread } = queue;
        let has = match running {
            Some((run, worked)) => {
                format!("{environment}: {}{DOT}{} for {}", run_of(run), state_word(&run.state), duration(*worked))
            }
            None if !unread.is_empty() => format!("{environment}: nobody knows whether a run has it"),
            None => format!("{environment}: no run has it"),
        };
        card = card.line(Line::text(has));
        card = card.lines(holds.iter().map(|hold| Line::text(hold_line(hold, clock)).indented(1)));
        let lost = unread.iter().map(|why| Line::text(format!("A RUN CANNOT BE READ: {}", cut(why))).indented(1));
        card = card.lines(lost);
        for (place, waiting) in waiting.iter().enumerate() {
            let when = match waiting.starts_in_ms {
                _ if waiting.barred => format!("{DOT}will be refused when its turn comes, as things stand"),
                Some(ms) => format!("{DOT}starts in {}", about(ms)),
                None => String::new(),
            };
            // Whoever has it is the first.
            let place = place + 1 + usize::from(running.is_some());
            card = card.line(Line::text(format!("{place}. {}{when}", run_of(&waiting.run))).indented(1));
        }
        card = card.lines(asking.iter().map(|run| {
            let text = format!("{}{DOT}{}: `show {}`", run_of(run), state_word(&run.state), run.number);
            Line::marked(&text).indented(1)
        }));
    }
    if let [only] = queues
        && (only.running.is_some()
            || !only.waiting.is_empty()
            || only.holds.iter().any(|hold| hold.kind != Kind::Keep && !hold.leaves_in(me)))
    {
        card = card.next(format!("tell me when free {}", only.environment));
    }
    card
}

/// `1st`, `2nd`, `3rd`, `11th`.
pub(super) fn ordinal(number: usize) -> String {
    let end = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

/// One piece of news for a person.
#[must_use]
pub fn news(news: &News, clock: &Clock) -> Card {
    match news {
        News::Began { hold } => {
            let title = format!("{} by {} {}", begun(hold), person(&hold.by), lasts(hold, clock));
            let tone = if hold.kind == Kind::Stop { Tone::Bad } else { Tone::Warning };
            Card::new(tone, title).lines(left_in(hold)).lines(because(hold.because.as_deref()))
        }
        News::Over { hold, ending } => match ending {
            Ending::Lapsed => Card::new(Tone::Plain, format!("{}{DOT}its time is over", ended(hold))),
            Ending::Lifted { by, because: why } => {
                Card::new(Tone::Plain, format!("{}{DOT}lifted by {}", ended(hold), person(by)))
                    .lines(because(why.as_deref()))
            }
            Ending::Overridden { by, because: why, run } => Card::new(
                Tone::Warning,
                format!(
                    "{} has asked to lower {} (run {run}) against the keep of {}, which has ended by that",
                    person(by),
                    of(hold),
                    person(&hold.by)
                ),
            )
            .lines(because(why.as_deref()))
            .next(format!("show {run}")),
        },
        News::Still { hold, unknown, unread } => {
            let (tone, fact) = match unknown.len() + unread.len() {
                0 => (Tone::Good, "Nothing runs any more".to_owned()),
                count => (Tone::Warning, format!("No run is worked on; of {count} nobody can say")),
            };
            let card = Card::new(tone, format!("{fact}{DOT}everything was stopped by {}", person(&hold.by)))
                .lines(unknown_runs(unknown))
                .lines(unread_runs(unread));
            unknown.iter().take(2).fold(card, |card, run| card.next(format!("recover {run}"))).next("resume everything")
        }
        News::Asked { by, about, words } => {
            let (what, line) = match about {
                About::Environment(environment) => (environment.to_string(), format!("status {environment}")),
                About::Run(run) => (format!("run {run}"), format!("show {run}")),
            };
            Card::new(Tone::Plain, format!("{} asks about {what}: \u{201c}{}\u{201d}", person(by), cut(words)))
                .next(line)
        }
        News::Clock { environment, said } => bend::of_clock(environment, said, clock),
        News::Rollout(rollout) => end_of_rollout(rollout),
        News::Life { environment, said, channels: _ } => made::of_life(environment, said, clock),
        News::Linked { by, called } => {
            Card::new(Tone::Warning, format!("{} ({}) said your code: you are one person", cut(called), by.shown()))
                .line(Line::marked("Was that not you? `unlink`, and tell an admin."))
                .next("link list")
        }
        News::Unlinked { by, called, link } => {
            let [one, other] = &link.ids;
            let title = format!("{} and {} are not linked any more", one.shown(), other.shown());
            Card::new(Tone::Plain, title)
                .line(Line::text(format!("{} ({}) took it back.", cut(called), by.shown())))
                .next("link list")
        }
        News::Notice { text } => Card::new(Tone::Warning, cut(text)),
        News::Free { environment } => {
            Card::new(Tone::Good, format!("{environment} is free")).next(format!("up {environment}"))
        }
        News::Cleared { by, number, environment, why } => {
            let how = match by {
                Some(by) => format!("is taken away by {}", person(by)),
                None => "is over: its time has come".to_owned(),
            };
            let look = environment.as_ref().map_or_else(|| "envs".to_owned(), |name| format!("status {name}"));
            Card::new(Tone::Plain, format!("Hold {number} {how}"))
                .line(Line::text(format!("Nobody could read it: {}", cut(why))))
                .next(look)
        }
        News::NotFree { environment, since } => {
            Card::new(Tone::Plain, format!("{environment} has not become free; you are not waiting for it any more"))
                .line(Line::text(format!("You asked for this at {}.", clock.moment(*since))))
                .next(format!("tell me when free {environment}"))
        }
    }
}
