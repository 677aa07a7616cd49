//! Why nobody can say whether a group is in service. Never taken for success.

/// Why AWS could not be asked, or its answer not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotLook {
    /// Nothing to sign a question with.
    #[error("no AWS credentials were found")]
    NoCredentials(String),
    /// Credentials that are over.
    #[error("the AWS credentials have expired")]
    Expired(String),
    /// Credentials that AWS does not know, or a wrong clock.
    #[error("AWS does not take the credentials")]
    BadCredentials(String),
    /// The role may not be assumed.
    #[error("the role {role} cannot be assumed")]
    Role {
        /// Its ARN.
        role: String,
        /// What AWS says.
        said: String,
    },
    /// Credentials that may not ask this.
    #[error("AWS refuses to tell: access denied")]
    Denied(String),
    /// Too many questions, by whomever.
    #[error("AWS throttles requests")]
    Throttled(String),
    /// A trouble of AWS's own.
    #[error("AWS has a trouble of its own (HTTP {status})")]
    Busy {
        /// The HTTP status.
        status: u16,
        /// What it says.
        said: String,
    },
    /// No connection, or no answer in time.
    #[error("AWS cannot be reached")]
    Unreachable(String),
    /// A group that the state has and AWS has not.
    #[error("the group {0} is in the state, and Auto Scaling does not have it")]
    Gone(String),
    /// AWS has a group of that name, and it is another one.
    #[error("the group {group} that answers is another one of that name: {found}")]
    Another {
        /// Its name.
        group: String,
        /// ARN of the one in the state.
        wanted: String,
        /// ARN of the one that answers.
        found: String,
    },
    /// Neither the group's ARN nor the surroundings tell a region.
    #[error("it is not known in which region {0} is")]
    NoRegion(String),
    /// Anything else that AWS says.
    #[error("AWS answered what is not understood")]
    Other(String),
    /// This program cannot ask AWS.
    #[error("this Tidegate was built without asking AWS (feature `aws`)")]
    NotBuilt,
}

impl CannotLook {
    /// Whether asking again a little later may help.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Throttled(_) | Self::Busy { .. } | Self::Unreachable(_) => true,
            Self::NoCredentials(_)
            | Self::Expired(_)
            | Self::BadCredentials(_)
            | Self::Role { .. }
            | Self::Denied(_)
            | Self::Gone(_)
            | Self::Another { .. }
            | Self::NoRegion(_)
            | Self::Other(_)
            | Self::NotBuilt => false,
        }
    }

    /// What was said, where somebody said something.
    #[must_use]
    pub fn said(&self) -> &str {
        match self {
            Self::NoCredentials(said)
            | Self::Expired(said)
            | Self::BadCredentials(said)
            | Self::Role { said, .. }
            | Self::Denied(said)
            | Self::Throttled(said)
            | Self::Busy { said, .. }
            | Self::Unreachable(said)
            | Self::Other(said) => said,
            Self::Another { wanted, .. } => wanted,
            Self::Gone(_) | Self::NoRegion(_) | Self::NotBuilt => "",
        }
    }

    /// What whoever reads it can do.
    #[must_use]
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::NoCredentials(_) => {
                "give the stack `env = { AWS_PROFILE = \"...\" }`, or Tidegate's own process credentials, then `retry`"
            }
            Self::Expired(_) => "renew them where the stack's `env` takes them from, then `retry`",
            Self::BadCredentials(_) => "put right the stack's `env`, and this machine's clock, then `retry`",
            Self::Role { .. } => {
                "let the stack's credentials assume it (`sts:AssumeRole`), or put right `role` of the stack"
            }
            Self::Denied(_) => {
                "allow `autoscaling:DescribeAutoScalingGroups` and `autoscaling:DescribeScalingActivities`, or name a `role` that may, \
                 then `retry`"
            }
            Self::Throttled(_) | Self::Busy { .. } => {
                "`retry` a little later; nothing is wrong with what was applied as far as is known"
            }
            Self::Unreachable(_) => "look at the network and at AWS_ENDPOINT_URL, then `retry`",
            Self::Gone(_) => {
                "somebody deleted it, or it is in another account: name the provider's role as `role` of the stack; `retry` makes what is missing again"
            }
            Self::Another { .. } => {
                "the stack's credentials are those of another account: name the provider's role as `role` of the stack, or its profile in `env`"
            }
            Self::NoRegion(_) => "give the stack `env = { AWS_REGION = \"...\" }`, then `retry`",
            Self::Other(_) => "`retry`; if it stays so, look at AWS by hand, and `accept` what stands",
            Self::NotBuilt => "build with the feature, or say `in_service = false` of the stack and use `ready`",
        }
    }
}
