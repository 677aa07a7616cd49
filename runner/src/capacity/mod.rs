//! Is what was asked for in service? Terraform is not believed there: AWS Auto Scaling is asked for each group of a stack, and
//! probes for whatever answers.
//!
//! The core is pure: a state's groups ([`state`]), how they stand ([`counts`]), why they do not ([`cause`]). Asking is [`Aws`]'s and
//! [`probe`]'s. When to ask, and for how long, is the engine's business; without the feature `aws` nobody can be asked about groups,
//! and that is said instead of success.

#[cfg(feature = "aws")]
mod account;
#[cfg(feature = "aws")]
mod aws;
pub mod cause;
pub mod counts;
#[cfg(feature = "aws")]
mod credentials;
pub mod element;
mod error;
pub mod probe;
pub mod quota;
pub mod removal;
#[cfg(all(test, feature = "aws"))]
pub(crate) mod scripted;
#[cfg(feature = "aws")]
mod signed;
pub mod state;
pub mod stays;
pub mod strays;
mod surroundings;
pub mod trail;
#[cfg(not(feature = "aws"))]
mod without;

#[cfg(feature = "aws")]
pub use aws::Aws;
#[cfg(feature = "aws")]
pub use credentials::region_of_profile;
pub use error::CannotLook;
#[cfg(feature = "aws")]
pub use signed::Signed;
pub use strays::Tagged;
pub use surroundings::{Surroundings, blanked};
#[cfg(not(feature = "aws"))]
pub use without::{Aws, Signed, region_of_profile};

/// Type of the resources that are Auto Scaling groups.
pub const GROUP: &str = "aws_autoscaling_group";
