//! What Discord's words for a refusal mean for what was refused: one table, for messages, edits and questions alike.

use crate::chat::voice::platform::{Call, Means};

/// What is said cannot be said at all: our mistake.
const OF_CONTENT: [&str; 2] = ["invalid_form", "too_large"];

/// A thread or message that is gone, or somebody who takes no messages: about this one message.
const OF_MESSAGE: [&str; 4] = ["message_not_found", "cannot_dm", "expired_token", "thread_gone"];

/// A card that nobody can edit any more.
const OF_EDIT: [&str; 3] = ["message_not_found", "not_our_message", "edit_limit"];

/// Somebody who is not there.
const OF_PERSON: [&str; 2] = ["user_not_found", "cannot_dm"];

/// What a refusal of this call means.
pub(super) fn means(call: Call, code: &str) -> Means {
    let never = OF_CONTENT.contains(&code)
        || match call {
            Call::Edit => OF_EDIT.contains(&code),
            Call::Person | Call::Place => OF_PERSON.contains(&code),
            Call::Post | Call::Private | Call::Response | Call::File | Call::History => OF_MESSAGE.contains(&code),
        };
    match code {
        _ if never => Means::Never,
        "http_408" | "http_425" | "http_409" => Means::Passing,
        _ => Means::Mend,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_can_put_right_is_given_up() {
        for code in
            ["invalid_auth", "missing_permissions", "missing_access", "channel_not_found", "is_archived", "12345"]
        {
            for call in [Call::Post, Call::Edit, Call::Private] {
                assert_eq!(means(call, code), Means::Mend, "{call:?} {code}");
            }
        }
        assert_eq!(means(Call::Edit, "message_not_found"), Means::Never);
        assert_eq!(means(Call::Post, "invalid_form"), Means::Never);
        assert_eq!(means(Call::Post, "thread_gone"), Means::Never);
        assert_eq!(means(Call::Place, "cannot_dm"), Means::Never);
        assert_eq!(means(Call::Post, "http_409"), Means::Passing);
    }
}
