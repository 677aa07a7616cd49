//! An error or a warning as Terraform's JSON tells it.
//! Source: `internal/command/views/json/diagnostic.go`.

use serde::{Deserialize, Deserializer};

/// An error or a warning of Terraform.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Diagnostic {
    /// `error` or `warning`.
    pub severity: String,
    /// One line.
    #[serde(default)]
    pub summary: String,
    /// Several lines, or empty.
    #[serde(default)]
    pub detail: String,
    /// Resource that it is about.
    #[serde(default)]
    pub address: Option<String>,
    /// Where in the source.
    #[serde(default)]
    pub range: Option<Range>,
    /// The source there.
    #[serde(default)]
    pub snippet: Option<Snippet>,
}

/// A place in a source file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Range {
    /// Relative to the root module.
    pub filename: String,
    /// First character of it.
    pub start: Position,
}

/// A line number, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
}

/// Source that Terraform quotes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Snippet {
    /// One or several source lines.
    #[serde(default)]
    pub code: String,
    /// Expressions of it with what they are.
    #[serde(default, deserialize_with = "null_as_default")]
    pub values: Vec<SnippetValue>,
}

/// One expression that Terraform explains.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SnippetValue {
    /// The expression: `data.terraform_remote_state.app.outputs`.
    pub traversal: String,
    /// What it is: `is object with no attributes`.
    #[serde(default)]
    pub statement: String,
}

fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
