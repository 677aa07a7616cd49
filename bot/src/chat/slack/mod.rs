//! Slack: native message in, card out.

mod render;
mod text;
