//! A client of Discord: its HTTP API (`rest`, and each call by name in `calls`), its gateway, what it delivers
//! (`interaction`), what it is sent (`bodies`), its numbers, its signatures, its permissions.
//!
//! Numbers, names, addresses and multipart bodies are serenity's; why its own clients are not used say `rest` and `gateway`. Bodies are plain
//! JSON: serenity's models refuse a whole answer for a field of a kind that they do not know yet.

pub(crate) mod bodies;
mod calls;
pub(crate) mod gateway;
mod ids;
pub(crate) mod interaction;
mod member;
mod permissions;
mod rest;
mod signed;

pub(crate) use calls::{Target, id_of};
pub(crate) use ids::{moment, number_at};
pub(crate) use member::Member;
pub(crate) use rest::Api;
pub(crate) use signed::is_proven;
