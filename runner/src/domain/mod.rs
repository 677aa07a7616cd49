//! The pure heart: names, environments, changes, runs, policy. It knows no clock, no database, no environment variable
//! and no async runtime; what it needs comes in as arguments.

pub mod access;
pub mod answer;
pub mod audit;
pub mod by_hand;
pub mod changes;
pub mod command;
pub mod drift;
pub mod environment;
pub mod failure;
pub mod grammar;
pub mod holds;
pub mod hours;
pub mod hours_on;
pub mod ids;
pub mod link;
pub mod lookalike;
pub mod made;
pub mod order;
pub mod policy;
pub mod probe;
pub mod protect;
pub mod quota;
pub mod readiness;
pub mod refusal;
pub mod request;
pub mod retries;
pub mod rollout;
pub mod run;
pub mod schedule;
pub mod secret;
pub mod switch;
