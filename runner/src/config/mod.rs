//! `tidegate.toml` to valid domain values; errors with file, line, column and a suggestion.
//!
//! Reading goes in three steps, each of which tells all that it finds: the text of all its files becomes a tree with places
//! (`document`; `files` finds them, `book` binds them, `like` and `placeholder` make each environment whole), the tree is held against the form (`shape`), and each environment is turned into a domain value by
//! the rules of its sections (`sections`). Terraform roots are held against the configuration (`check`) apart, because
//! that needs many more files. Nothing here knows the ledger or starts a program.

pub mod adopt;
mod book;
pub mod check;
mod document;
mod duration;
mod files;
mod findings;
mod like;
mod load;
mod made;
mod moved;
mod nearest;
mod newest;
mod placeholder;
pub mod reference;
mod schema;
mod sections;
mod shape;
mod show;
mod template;
pub mod version;
mod wording;

use crate::problem::{self, source};

pub use check::{CheckOptions, Report, check};
pub use files::files_of;
pub use load::{Config, database_of, load, load_to_check, parse};
pub use made::{MadeUp, differences};
pub use moved::moved_to_secrets;
pub use newest::{Asked, Newest, Rules};
pub use problem::{Problem, Problems, Severity, render};
pub use schema::{schema, schema_text};
pub use sections::chat::{ChatConfig, SlackConfig, SlackMode};
pub use sections::database::DatabaseConfig;
pub use sections::discord::{DiscordConfig, DiscordMode};
pub use sections::runner::RunnerConfig;
pub use sections::typed_schedule;
pub use sections::web::WebConfig;
pub use show::{NotShown, Shown, show};
pub(crate) use template::template_of;

#[cfg(test)]
mod approvers;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod several;
#[cfg(test)]
mod tests;
