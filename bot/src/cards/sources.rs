//! Where values of an environment come from, as `tidegate check --show` prints it.

use std::fmt::Write as _;

use serde_json::json;
use tidegate_runner::config::Shown;

/// For people: each environment with its values, one a line.
#[must_use]
pub fn text(all: &[Shown]) -> String {
    let wide = |of: fn(&Shown) -> &str| all.iter().map(|one| of(one).chars().count()).max().unwrap_or(0);
    let (keys, values) = (wide(|one| &one.key).min(60), wide(|one| &one.value).min(48));
    let (mut text, mut last) = (String::new(), None);
    for Shown { environment, key, value, file, line, written } in all {
        if last.replace(environment) != Some(environment) {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{environment}");
        }
        let written = written.as_ref().map(|written| format!("  from {written}")).unwrap_or_default();
        let _ = writeln!(text, "  {key:keys$}  {value:values$}  {file}:{line}{written}");
    }
    text
}

/// For programs: a list, in the same order.
#[must_use]
pub fn json(all: &[Shown]) -> String {
    let all: Vec<_> = all
        .iter()
        .map(|Shown { environment, key, value, file, line, written }| {
            json!({ "environment": environment, "key": key, "value": value, "file": file, "line": line, "written": written })
        })
        .collect();
    format!("{}\n", serde_json::Value::from(all))
}

/// That nothing has this name.
#[must_use]
pub fn unknown(name: &str, nearest: Option<&str>) -> String {
    let hint = nearest.map(|nearest| format!(": did you mean `tidegate check --show {nearest}`?")).unwrap_or_default();
    format!("there is no environment, no group and no template `{name}`{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_its_file_and_line_and_what_is_written_there() {
        let one = |environment: &str, key: &str, written: Option<&str>| Shown {
            environment: environment.to_owned(),
            key: key.to_owned(),
            value: "\"日本\"".to_owned(),
            file: "teams/rpg.toml".to_owned(),
            line: 4,
            written: written.map(str::to_owned),
        };
        let all =
            [one("game", "zone", None), one("game", "stacks[app].root", Some("'{env}'")), one("rally", "zone", None)];
        assert_eq!(
            text(&all),
            "game\n  zone              \"日本\"  teams/rpg.toml:4\n  stacks[app].root  \"日本\"  teams/rpg.toml:4  from '{env}'\n\
             rally\n  zone              \"日本\"  teams/rpg.toml:4\n"
        );
        assert!(json(&all).contains(r#""line":4"#));
        assert_eq!(
            unknown("rgp", Some("rpg")),
            "there is no environment, no group and no template `rgp`: did you mean `tidegate check --show rpg`?"
        );
    }
}
