//! Terraform (or OpenTofu) as a child process: typed events out of its JSON, in files that outlive us.
//!
//! Here live the arguments of each subcommand, the typed stream and its folds (a plan, an apply, a failure), and the
//! supervised child itself. What to run, and when, is the engine's business; what people read is the conversation's.

mod addresses;
mod apply;
mod called;
pub mod child;
pub mod command;
mod diagnostic;
pub mod drift;
mod exit;
mod failure;
mod hearing;
pub mod init;
mod lines;
mod lock;
mod lockplace;
pub mod logfile;
mod msgpack;
mod plan;
mod planfile;
mod planned;
mod query;
mod rundir;
mod standby;
mod statehead;
mod stream;
mod supervise;
mod surroundings;
mod tool;

pub use addresses::addresses;
pub use apply::ApplyFold;
pub use called::{Called, called, state_arns};
pub use child::{Attached, Child, ChildEvent, Stop};
pub use diagnostic::{Diagnostic, Position, Range, Snippet, SnippetValue};
pub use exit::Exit;
pub use failure::{Diagnostics, failure_of};
pub use hearing::Hearing;
pub use lines::{LINE_MAX, LineItem, LineSplitter};
pub use lock::lock_holder;
pub use lockplace::{LockPlace, backend_region, lock_place};
pub use plan::PlanFold;
pub use planfile::{check_plan_file, state_names, state_of, values};
pub use planned::{Machines, Market, OutOfBounds, Planned, is_of_machines, out_of_bounds, planned};
pub use query::{Finished, Query, QueryError};
pub use rundir::Spec;
pub use standby::{Standby, Supervisor};
pub use statehead::{StateHead, local_state};
pub use stream::{
    ChangeOf, Entry, HookOf, Level, Line, Message, Operation, OutputOf, ProvisionStage, Provisioning, Resource,
    StreamAction, Summary,
};
pub use supervise::supervise;
pub use tool::{MINIMUM_TERRAFORM, Product, Tool, Version};
