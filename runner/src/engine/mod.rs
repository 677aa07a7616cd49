//! Claims a run, drives its state machine, heartbeats, recovers.

pub mod course;
