//! `docs/configuration.md`: the reference of the configuration, made from the schema.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema::{resolve, schema};
use super::wording::describe;

/// Where a section is written in the file.
#[derive(Clone)]
struct Place {
    /// Keys from the top.
    keys: Vec<String>,
    /// True for `[[..]]`.
    repeated: bool,
}

/// The reference as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from(INTRODUCTION);
    section(&mut text, schema(), &Place { keys: Vec::new(), repeated: false });
    text
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated from runner/src/config/sections; `UPDATE_DOCS=1 cargo test -p tidegate-runner docs` writes it anew. -->

Tidegate reads one file, `tidegate.toml`. `tidegate check` tells everything that is wrong in it, with line, column and
the nearest right name, and reads the Terraform roots too. A complete example is [`tidegate.example.toml`](../tidegate.example.toml).
Editors that know JSON Schema find it in [`tidegate.schema.json`](tidegate.schema.json): with Taplo or Even Better TOML, write
`#:schema docs/tidegate.schema.json` in the first line.

The smallest file that is of use:

```toml
[environments.shop]
owners = [\"local:YOUR-USER-NAME\"]
down = \"off\"

[[environments.shop.stacks]]
name = \"app\"
root = \"terraform/app\"
off = \"destroy\"

[environments.shop.profiles.full]
```

An unknown key is an error. An environment with an error is *unmanaged*: `status` says so, and the others run. A changed file, or
root, is read again by itself within seconds (`the configuration was read again` in the log of each process; until then what it plans and applies goes by the one before, also where the
audit has the change from another process already: a new `protect` holds from that line on); an environment that then has an error goes on as it last was. So it does for whoever is started
later, when the error is in its section of the file: the ledger keeps, for each such environment, the file in which it last had none,
without secrets, until its section checks again; one in whose section a secret stands itself is then unmanaged. Roles count as the newest
file has them, also there; the `[runner]` table's defaults for its stacks are those of that file. The audit has every version of it.

Where only a root does not check and no earlier state of it is known to a process, nothing new is begun there. What runs and waits is told all the same (`status`, `queue`), and
`cancel`, `reject`, `unhold`, `ask` and `tell` work, by the rights that stand in the file; where they cannot be read either, those can `cancel`, `reject`,
`leave` and `unhold` to whom `[access]` gives it in all environments.

Environments, profiles and settings cannot have words of the commands as names, such as `off`, `all`, `until` or `tonight`.

Two stacks must not keep one state: the same root in the same workspace, or the same settings of a backend. All of them are refused.

`tidegate check` holds values against a variable's type and against those of its `validation` conditions that are simple:
comparisons of the variable with a plain value, `contains([...], var.NAME)`, and several of them joined by `&&`. Other conditions
are left to the plan.

A root is made of `*.tf` and `*.tf.json`. `*.tofu` files count for nobody but OpenTofu: a root of them alone is refused.

Values of Terraform variables come from, later ones first: settings given by command, the profile, the stack's
`variables`, the root's own defaults.
";

/// One table of the file and, after it, the tables inside it.
fn section(text: &mut String, schema: &'static Value, place: &Place) {
    let mut inner: Vec<(&'static Value, Place)> = Vec::new();
    let header = header(place);
    // Writing into a String cannot fail.
    let _ = writeln!(text, "\n## {header}\n");
    let _ = writeln!(text, "{}\n", describe_section(schema));
    let _ = writeln!(text, "| key | value | default | meaning |\n| --- | --- | --- | --- |");
    let list = |key| schema.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let required: Vec<&str> = list("required").collect();
    let Some(keys) = schema.get("properties").and_then(Value::as_object) else { return };
    // Needed keys first: whoever writes a section begins with them.
    let mut keys: Vec<(&String, &'static Value)> = keys.iter().collect();
    keys.sort_by_key(|(name, _)| !required.contains(&name.as_str()));
    for (name, part) in keys {
        let mut keys = place.keys.clone();
        keys.push(name.clone());
        if let Some((form, repeated, named)) = nested(part) {
            if named {
                keys.push("NAME".to_owned());
            }
            inner.push((form, Place { keys, repeated }));
        }
        row(text, name, part, required.contains(&name.as_str()));
    }
    for (form, place) in inner {
        section(text, form, &place);
    }
}

/// The table inside a key, whether it is one of a list, and whether it is one of several by name.
fn nested(part: &'static Value) -> Option<(&'static Value, bool, bool)> {
    let is_section = |value: &'static Value| value.get("$ref").map(|_| resolve(value));
    let form = resolve(part);
    if part.get("$ref").is_some() && form.get("properties").is_some() {
        return Some((form, false, false));
    }
    if let Some(items) = form.get("items").and_then(is_section) {
        return Some((items, true, false));
    }
    // One table or a list of them: told as the list.
    let mut choices = form.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    if let Some(items) = choices.find_map(|choice| choice.get("items").and_then(is_section)) {
        return Some((items, true, false));
    }
    form.get("additionalProperties").and_then(is_section).map(|form| (form, false, true))
}

fn header(place: &Place) -> String {
    if place.keys.is_empty() {
        return "At the top".to_owned();
    }
    let keys = place.keys.join(".");
    if place.repeated { format!("`[[{keys}]]`") } else { format!("`[{keys}]`") }
}

fn describe_section(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    one_line(text)
}

fn row(text: &mut String, name: &str, part: &'static Value, required: bool) {
    let meaning = part.get("description").or_else(|| resolve(part).get("description")).and_then(Value::as_str);
    let mut meaning = one_line(meaning.unwrap_or_default());
    if let Some(example) = part.pointer("/examples/0") {
        let _ = write!(meaning, " Example: `{}`.", toml_text(example));
    }
    let default = match part.get("default") {
        Some(value) => format!("`{}`", toml_text(value)),
        None if required => "needed".to_owned(),
        None => String::new(),
    };
    let mut kind = describe(part);
    if let (Some(least), Some(most)) = (part.get("minimum"), part.get("maximum")) {
        let _ = write!(kind, ", {least} to {most}");
    }
    match part.get("pattern").and_then(Value::as_str) {
        Some(pattern) if pattern.contains(':') => "a time of day: `HH:MM`".clone_into(&mut kind),
        Some(_) => "a duration: `90s`, `5m`, `2h`, `1d`".clone_into(&mut kind),
        None => {}
    }
    if let Some((_, repeated, named)) = nested(part) {
        kind = match (repeated, named) {
            (true, _) => "tables, see below".to_owned(),
            (false, true) => "tables by name, see below".to_owned(),
            (false, false) => "a table, see below".to_owned(),
        };
    }
    let cells = [format!("`{name}`"), kind, default, meaning];
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value as TOML writes it in one line.
fn toml_text(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml_text).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => {
            let entries = table.iter().map(|(key, value)| format!("{} = {}", toml_key(key), toml_text(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => format!("\"{text}\""),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A key as TOML writes it.
fn toml_key(key: &str) -> String {
    let bare = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { key.to_owned() } else { format!("\"{key}\"") }
}

#[cfg(test)]
mod docs {
    use std::path::Path;

    /// The file holds `expected`; with `UPDATE_DOCS` set it is written instead.
    fn holds(file: &str, expected: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("docs can be made");
            std::fs::write(&path, expected).expect("docs can be written");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == expected, "docs/{file} is old: run `UPDATE_DOCS=1 cargo test -p tidegate-runner docs`");
    }

    #[test]
    fn the_reference_is_what_the_code_says() {
        holds("configuration.md", &super::reference());
    }

    #[test]
    fn the_smallest_file_checks() {
        let text = super::INTRODUCTION.split("```toml").nth(1).and_then(|text| text.split("```").next());
        let source = crate::problem::source::Source::new("tidegate.toml", text.expect("a file"));
        let config = super::super::parse(source, &|_| None).expect("a good file");
        assert_eq!((config.environments.len(), config.unmanaged.len()), (1, 0));
    }

    #[test]
    fn the_schema_is_what_the_code_says() {
        holds("tidegate.schema.json", &super::super::schema_text());
    }
}
