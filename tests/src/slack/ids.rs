//! The names by which Slack knows things.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) String);

        impl $name {
            /// As Slack writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A person or an app's bot user: `U...`.
    UserId
);
id!(
    /// A channel (`C...`) or a direct conversation (`D...`).
    ChannelId
);
id!(
    /// A user group: `S...`.
    GroupId
);
id!(
    /// A form or a Home tab: `V...`.
    ViewId
);

/// One message: its channel and its time stamp, which is its name there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId {
    /// Where it is.
    pub channel: ChannelId,
    /// Seconds and six digits, unique in the channel: `1700000000.000100`.
    pub ts: String,
}
