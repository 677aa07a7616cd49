//! Words of the commands that cannot be names: whoever typed one could mean either.

/// Each word with what it says in a command, to be read after "it".
const WORDS: [(&str, &str); 34] = [
    ("action", "begins the name of a command"),
    ("as", "begins the form of a file"),
    ("alone", "says that nobody else approves"),
    ("all", "means every environment"),
    ("anyway", "says that an objection is known"),
    ("because", "begins the reason"),
    ("before", "begins a moment"),
    ("bookings", "means what is booked"),
    ("by", "begins the name of a person"),
    ("code", "takes the newest code"),
    ("everything", "means every environment"),
    ("failed", "asks for runs that failed"),
    ("for", "begins a duration"),
    ("force", "kills instead of asking"),
    ("free", "says that nobody has it"),
    ("from", "begins the name of a template"),
    ("leave", "takes a run out of the queue"),
    ("me", "means whoever types it"),
    ("new", "means what was made for one test"),
    ("next", "means the next transition"),
    ("now", "means this moment"),
    ("off", "is the level below all others"),
    ("only", "begins the names of those who still may"),
    ("page", "begins the number of a page"),
    ("remove", "takes away what was found"),
    ("run", "begins the number of a run"),
    ("since", "begins a moment"),
    ("take", "takes what a template says"),
    ("today", "means a day"),
    ("tomorrow", "means a day"),
    ("tonight", "means a night"),
    ("unlock", "breaks a state lock"),
    ("until", "begins a moment"),
    ("yesterday", "means a day"),
];

/// What a word of the commands says in them, to be read after "it"; `None` for any other word.
#[must_use]
pub fn meaning(word: &str) -> Option<&'static str> {
    WORDS.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
}
