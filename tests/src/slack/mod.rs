//! A Slack for tests: one workspace in memory, behind a real HTTP and WebSocket server on the loopback interface.
//!
//! Where a fake would usually be kinder than Slack, this one is not: unknown tokens and missing scopes are refused, arguments
//! and blocks are checked in Slack's words, one envelope goes to one socket and comes again when it is not acknowledged,
//! triggers end after three seconds. Sources: Slack's published payload samples and API description, and its reference of
//! limits; that it is faithful enough is proven by Bolt for Python, which runs a whole story against it (`tests/slack`).
//!
//! Methods that no test needs are not there, and fail as unknown. Nothing of Tidegate is known here.

mod acts;
mod blocks;
mod call;
mod delivery;
mod faults;
mod files;
mod forms;
mod http;
mod ids;
mod inner;
pub mod judges;
mod messages;
mod methods;
mod response;
mod server;
mod sights;
mod state;
#[cfg(test)]
mod tests;
mod transcript;
mod words;
mod workspace;

pub use acts::Said;
pub use call::Call;
pub use delivery::{Acknowledgement, Outcome};
pub use faults::Refusal;
pub use ids::{ChannelId, GroupId, MessageId, UserId, ViewId};
pub use workspace::{Trouble, Workspace};
