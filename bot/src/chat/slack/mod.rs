//! Slack: native message in, card out.

mod api;
mod delivery;
mod render;
mod text;
