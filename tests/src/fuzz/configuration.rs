//! Any text as `tidegate.toml`.

use tidegate_runner::config;
use tidegate_runner::problem::source::Source;

use super::disturbs;

/// Reads `input` as a configuration and shows what is wrong with it.
pub fn configuration(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let lines = text.lines().count().max(1);
    let problems = match config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None) {
        Ok(config) => config.unmanaged.into_values().flatten().collect(),
        Err(problems) => problems.into_vec(),
    };
    for problem in &problems {
        let line = usize::try_from(problem.line).expect("a line");
        assert!(line <= lines + 1, "line {line} of {lines}: {}", problem.message);
        assert!(!problem.message.chars().any(disturbs), "{:?}", problem.message);
    }
    let shown = config::render(&problems, false);
    assert!(!shown.chars().any(disturbs), "{shown:?}");
}
