//! Slack: native message in, card out.

mod api;
mod delivery;
mod limiter;
mod render;
mod text;
mod workspace;
