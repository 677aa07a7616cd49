//! `schedule list|show|add|change|remove`: the schedules of environments, in the words of the file.

use tidegate_runner::domain::command::{Command, Order, Query};
use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::ids::EnvironmentName;
use tidegate_runner::domain::refusal::{Refusal, nearest};
use tidegate_runner::domain::schedule::{At, ScheduleOrder, Window, Written};

use super::ahead::{self, Ahead};
use super::context::{Context, quoted};
use super::line::Argument;
use super::moment::End;
use crate::zone::Zone;

/// What can be done with schedules.
pub(super) const ACTIONS: [&str; 5] = ["list", "show", "add", "change", "remove"];
/// Longest name or value, in characters.
const LONGEST: usize = 200;
/// Keys whose values have settings in them.
const WISHES: [&str; 3] = ["inside", "outside", "do"];

/// Reads `schedule list [ENV]`, `schedule show ENV NAME`, `schedule add|change ENV NAME key=value ...`, `schedule remove ENV NAME`.
pub(super) fn read_schedule(context: &Context<'_>) -> Result<Command, Refusal> {
    let Some(word) = context.line.word(1) else {
        return Ok(Command::Query(Query::Schedules { environment: None, name: None }));
    };
    let action = word.to_lowercase();
    let action = match action.as_str() {
        "list" => return context.schedule_list(),
        "show" => return context.schedule_show(),
        "add" | "change" | "remove" => action.as_str(),
        other => return Err(context.no_action(other)),
    };
    let environment = context.schedule_environment(action)?;
    let written = context.written(action, environment)?;
    let name = environment.name.clone();
    Ok(context.order(Order::Schedule(match action {
        "add" => ScheduleOrder::Add { environment: name, written },
        "change" => ScheduleOrder::Change { environment: name, written },
        _ => ScheduleOrder::Remove { environment: name, name: written.name },
    })))
}

impl Context<'_> {
    fn schedule_list(&self) -> Result<Command, Refusal> {
        self.only_tells()?;
        let environment = self.line.word(2).map(|word| self.readable_environment(2, word)).transpose()?;
        if let Some(word) = self.line.word(3) {
            // What stands behind the name is a schedule's: it is left out as a whole.
            let hints = if self.has_keys() {
                vec![self.line.until(3), self.line.with(1, "add")]
            } else {
                vec![self.line.until(3), self.line.with(1, "show")]
            };
            return Err(Refusal { hints, ..self.stray(3, word) });
        }
        Ok(Command::Query(Query::Schedules { environment, name: None }))
    }

    fn schedule_show(&self) -> Result<Command, Refusal> {
        self.only_tells()?;
        let Some(word) = self.line.word(2) else {
            let why = "it is one schedule of one environment";
            return Err(
                Refusal::not_understood("`schedule show` needs an environment and a name", why).hint("schedule list")
            );
        };
        let environment = Some(self.readable_environment(2, word)?);
        let words: Vec<String> = self.line.arguments().into_iter().skip(3).map(|argument| argument.text).collect();
        let name = Some(words.join(" ")).filter(|name| !name.is_empty());
        Ok(Command::Query(Query::Schedules { environment, name: name.map(cut) }))
    }

    /// Refuses a reason for what only tells.
    fn only_tells(&self) -> Result<(), Refusal> {
        if self.line.because().is_none() {
            return Ok(());
        }
        Err(Refusal::not_understood("that takes no reason", "it only tells, and changes nothing")
            .hint(self.line.unreasoned()))
    }

    /// Whether the line has keys of a schedule, with their values.
    fn has_keys(&self) -> bool {
        self.line.arguments().iter().skip(1).any(|argument| argument.assignment().is_some())
    }

    fn no_action(&self, word: &str) -> Refusal {
        let why = format!("what can be done is: {}", ACTIONS.join(", "));
        let refusal =
            Refusal::not_understood(format!("{} is nothing that can be done with schedules", quoted(word)), why);
        if self.known.environments.contains_key(word) {
            return if self.has_keys() {
                refusal.hint(self.line.inserted(1, "add")).hint(self.line.inserted(1, "change"))
            } else {
                refusal.hint(self.line.inserted(1, "list")).hint(self.line.inserted(1, "add"))
            };
        }
        let meant = match word {
            "delete" | "rm" | "del" | "drop" => Some("remove"),
            "edit" | "set" | "update" | "modify" => Some("change"),
            "new" | "create" | "make" => Some("add"),
            "ls" | "all" => Some("list"),
            _ => nearest(word, ACTIONS),
        };
        match meant {
            Some(meant) => refusal.hint(self.line.with(1, meant)),
            None => refusal.hint("schedule list"),
        }
    }

    fn schedule_environment(&self, action: &str) -> Result<&Environment, Refusal> {
        let Some(word) = self.line.word(2) else {
            let refusal = Refusal::not_understood(
                format!("`schedule {action}` needs an environment"),
                "a schedule belongs to one environment",
            );
            return Err(self.with_each_environment(refusal, 2, |_| true));
        };
        let known = self.known.environments.keys().map(EnvironmentName::as_str);
        let name = self.readable_environment(2, word).map_err(|refusal| {
            let near = nearest(&word.to_lowercase(), known).and_then(|near| self.known.environments.get(near));
            // The line as a whole: the words alone have lost their quotes.
            match near.map(|near| (near, self.written(action, near))) {
                Some((near, Ok(written))) => Refusal { hints: vec![self.again(action, near, written)], ..refusal },
                Some((_, Err(_))) | None => refusal,
            }
        })?;
        self.known.environments.get(&name).ok_or_else(|| {
            Refusal::refused(
                format!("{name} cannot be changed"),
                "Tidegate does not manage it, so it can only be asked about",
            )
            .hint(format!("status {name}"))
        })
    }

    /// The name and the keys behind the environment.
    fn written(&self, action: &str, environment: &Environment) -> Result<Written, Refusal> {
        let mut written = Written::default();
        let mut words: Vec<String> = Vec::new();
        let mut last: Option<String> = None;
        // The rest is read before either is refused: what is offered has all that was typed.
        let (mut named, mut twice) = (None::<String>, None::<String>);
        for argument in self.line.arguments().into_iter().skip(3) {
            let setting = |key: &str| environment.settings.contains_key(key);
            match (argument.assignment(), last.as_deref()) {
                // `do=up full slaves=40`, without quotes.
                (Some((key, _)), Some(wish)) if WISHES.contains(&wish) && setting(key) => {
                    extend(&mut written, wish, &argument.text);
                }
                (Some((key, value)), _) => {
                    let key = key.to_lowercase();
                    if key == "name" {
                        named = Some(value.to_owned());
                    } else if written.keys.insert(key.clone(), value.to_owned()).is_some() {
                        twice = Some(key.clone());
                    }
                    last = Some(key);
                }
                (None, Some("name")) => named = named.map(|name| format!("{name} {}", argument.text)),
                (None, Some(key)) => extend(&mut written, key, &argument.text),
                (None, None) => words.push(argument.text),
            }
        }
        self.with_its_date(environment, &mut written);
        if let Some(value) = named {
            return Err(self.named_by_key(action, environment, &written, &words, &value));
        }
        if let Some(key) = twice {
            return Err(self.twice(action, environment, written, &words, &key));
        }
        written.name = words.join(" ");
        let name = &environment.name;
        if let Some(long) = written.keys.values().chain([&written.name]).find(|text| text.chars().count() > LONGEST) {
            let why = format!("a name or a value has at most {LONGEST} characters");
            return Err(Refusal::not_understood(format!("{} is too long", quoted(long)), why).hint("help schedule"));
        }
        if written.name.is_empty() {
            let refusal =
                Refusal::not_understood("the schedule has no name", "its name stands right after the environment");
            let example = Written { name: free_name(environment), keys: written.keys.clone() };
            return Err(match action {
                "add" => refusal.hint(self.again(action, environment, with_window(environment, example))),
                _ => refusal.hint(format!("schedule list {name}")),
            });
        }
        match action {
            "remove" if !written.keys.is_empty() => {
                let refusal =
                    Refusal::not_understood("`schedule remove` takes a name only", "it is removed as a whole");
                let plain = Written { name: written.name.clone(), ..Written::default() };
                Err(refusal.hint(self.again(action, environment, plain)).hint(self.again(
                    "change",
                    environment,
                    written,
                )))
            }
            "add" if written.keys.is_empty() => {
                let why = "it says when, and what is wanted then, in the words of the configuration";
                let refusal = Refusal::not_understood("the schedule does nothing", why);
                let meant = without_keys(environment, &words).unwrap_or(written);
                Err(refusal.hint(self.again(action, environment, with_window(environment, meant))))
            }
            "change" if written.keys.is_empty() => {
                let why = "it names the keys that change, like `window=\"Mon-Fri 09:00-21:00\"`";
                let line = format!("schedule show {name} {}", written.line());
                Err(Refusal::not_understood("nothing is to change", why).hint(line))
            }
            _ => Ok(written),
        }
    }

    /// `at="tomorrow 9:00"` and the like with their date, on the clock of the schedule: what is stored says the same tomorrow. What has
    /// passed, or is no moment, stays as it is for the checks of the file.
    fn with_its_date(&self, environment: &Environment, written: &mut Written) {
        let zone = match written.keys.get("zone") {
            Some(zone) => zone.parse().ok(),
            None => environment.timetable.unsaid.zone,
        };
        let (Some(zone), Some(at)) = (zone, written.keys.get_mut("at")) else { return };
        let (now, clock) = (self.known.now, Zone::Told(zone));
        if at.parse::<At>().is_ok() || ahead::is_day(at, now, clock) {
            return;
        }
        if let Some(Ahead::At(found)) = ahead::read(at, End::First, now, clock)
            && let Some(wall) = ahead::wall(found, clock)
        {
            *at = wall;
        }
    }

    fn twice(&self, action: &str, environment: &Environment, written: Written, words: &[String], key: &str) -> Refusal {
        let refusal = Refusal::not_understood(format!("{} is given twice", quoted(key)), "each key counts once");
        refusal.hint(self.again(action, environment, Written { name: words.join(" "), ..written }))
    }

    fn named_by_key(
        &self,
        action: &str,
        environment: &Environment,
        written: &Written,
        words: &[String],
        value: &str,
    ) -> Refusal {
        let name = if words.is_empty() { value.to_owned() } else { words.join(" ") };
        let why = "the name stands right after the environment, and stays what it is";
        Refusal::not_understood("`name` is no key here", why).hint(self.again(
            action,
            environment,
            Written { name, keys: written.keys.clone() },
        ))
    }

    /// The line again, with this in it.
    fn again(&self, action: &str, environment: &Environment, written: Written) -> String {
        let environment = environment.name.clone();
        let line = match action {
            "add" => ScheduleOrder::Add { environment, written }.line(),
            "change" => ScheduleOrder::Change { environment, written }.line(),
            _ => ScheduleOrder::Remove { environment, name: written.name }.line(),
        };
        match self.line.because().filter(|because| !because.is_empty()) {
            Some(because) => format!("{line} because {because}"),
            None => line,
        }
    }
}

fn extend(written: &mut Written, key: &str, text: &str) {
    if let Some(value) = written.keys.get_mut(key) {
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str(text);
    }
}

/// A name that no schedule of the configuration has.
fn free_name(environment: &Environment) -> String {
    const NAME: &str = "working hours";
    let has = |name: &str| environment.timetable.schedules.iter().any(|one| one.name.to_lowercase() == name);
    let numbered = (2..).map(|number| format!("{NAME} {number}"));
    std::iter::once(NAME.to_owned()).chain(numbered).find(|name| !has(name)).unwrap_or_default()
}

/// What is meant where a window and a level stand there without their keys, as `sat Sat 10:00-12:00 full`.
fn without_keys(environment: &Environment, words: &[String]) -> Option<Written> {
    let spans = (0..words.len()).flat_map(|start| (start + 1..=words.len()).rev().map(move |end| start..end));
    let mut windows = spans.map(|span| (words[span.clone()].join(" "), span));
    // A day alone is a window too, and a name as well.
    let (window, span) = windows.find(|(text, _)| text.contains(':') && text.parse::<Window>().is_ok())?;
    let rest = || words[..span.start].iter().chain(&words[span.end..]);
    let level = |word: &&String| environment.profiles.keys().any(|profile| profile.as_str() == word.as_str());
    let named: Vec<&str> = rest().filter(|word| !level(word) && *word != "window").map(String::as_str).collect();
    let name = if named.is_empty() { free_name(environment) } else { named.join(" ") };
    let (up, down) = (environment.up.to_string(), environment.down.to_string());
    let inside = rest().find(level).unwrap_or(&up).clone();
    let outside = if inside == down { up } else { down };
    let keys = [("window", window), ("inside", inside), ("outside", outside)];
    Some(Written { name, keys: keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect() })
}

/// A schedule that says nothing, with something to begin with.
fn with_window(environment: &Environment, mut written: Written) -> Written {
    if written.keys.is_empty() {
        let (up, down) = (environment.up.to_string(), environment.down.to_string());
        let keys = [("window", "Mon-Fri 09:00-21:00".to_owned()), ("inside", up), ("outside", down)];
        written.keys = keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    }
    written
}

fn cut(name: String) -> String {
    if name.chars().count() > LONGEST { name.chars().take(LONGEST).collect() } else { name }
}

impl Argument {
    /// The key and value of `window="Mon-Fri 09:00-21:00"`.
    fn assignment(&self) -> Option<(&str, &str)> {
        let (key, value) = self.text.split_once('=').filter(|_| !self.whole)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        (key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.chars().all(plain)).then_some((key, value))
    }
}
