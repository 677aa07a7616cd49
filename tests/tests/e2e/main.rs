//! End-to-end tests: real processes, real files.

mod access;
mod argv;
mod arrows;
mod audit;
mod bad;
mod bolt;
mod cancel;
mod code;
mod crash;
mod driver;
mod ends;
mod envelope;
mod fault;
mod fuzz;
mod guards;
mod holds;
mod planted;
mod queue;
mod secrets;
mod slack;
mod story;
mod surroundings;
mod terminal;
mod tofu;
mod two;
