//! A Discord for tests: one server in memory, behind real HTTP and a real WebSocket gateway on the loopback interface.
//!
//! Every body that comes in is held against Discord's published description (`tests/discord/openapi.json`) and against the limits that
//! Discord writes beside it; what does not fit is refused in Discord's words, and noted, so that a test can ask for it. Unknown tokens,
//! channels and messages are refused, an interaction is acknowledged once and within three seconds, its token ends, a session is
//! resumed only with what was missed. Calls that no test needs are not there. Nothing of Tidegate is known here.

#![expect(clippy::must_use_candidate, reason = "what people do is done also where nobody asks what came of it")]

mod acts;
mod gateway;
mod rest;
mod schema;
mod server;
mod state;
mod transcript;

pub use acts::Interaction;
pub use rest::Fault;
pub use server::{Call, Server};
pub use state::{Id, now_ms};
