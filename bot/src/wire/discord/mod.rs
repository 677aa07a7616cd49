//! A client of Discord: its HTTP API (`rest`, and each call by name in `calls`), its gateway, what it posts to us
//! in place of that (`hook`), what it delivers (`interaction`, `spoken`), what it is sent (`bodies`), its numbers, its signatures, its permissions.
//!
//! Numbers, names, addresses and multipart bodies are serenity's; why its own clients are not used say `rest` and `gateway`. Bodies are plain
//! JSON: serenity's models refuse a whole answer for a field of a kind that they do not know yet.

pub(crate) mod bodies;
mod calls;
pub(crate) mod gateway;
pub(crate) mod hook;
mod ids;
pub(crate) mod interaction;
mod member;
mod permissions;
mod rest;
mod signed;
pub(crate) mod spoken;

pub(crate) use calls::{Target, id_of};
pub(crate) use ids::{is_id, moment, number_at};
pub(crate) use member::{Member, Role};
pub(crate) use rest::Api;
