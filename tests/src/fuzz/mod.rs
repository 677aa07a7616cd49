//! What hostile input is given to, and what must hold whatever it is. `tests/fuzz` drives these with a fuzzer, `tests/run`
//! replays the corpus of `fuzz/corpus` and draws a few random inputs.

mod configuration;
mod grammar;
mod terraform;

pub use configuration::configuration;
pub use grammar::{AllowList, CONFIG, grammar};
pub use terraform::terraform;

/// A target, by the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 3] = [
    ("grammar", |input| grammar(&String::from_utf8_lossy(input))),
    ("configuration", configuration),
    ("terraform", terraform),
];

/// True for a character that must not come out of Tidegate, whatever went in: it would move a terminal's cursor.
fn disturbs(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}
