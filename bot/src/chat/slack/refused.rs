//! What Slack's words for a refusal mean for what was refused: one table, for messages, edits and questions alike.

use crate::chat::voice::platform::{Call, Means};

/// What is said cannot be said at all: our mistake.
const OF_CONTENT: [&str; 12] = [
    "invalid_arguments",
    "invalid_arg_name",
    "invalid_array_arg",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "metadata_too_large",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
];

/// A thread that is gone, or somebody who does not sit in the channel: about this one message.
const OF_MESSAGE: [&str; 4] =
    ["cannot_reply_to_message", "message_not_found", "thread_not_found", "user_not_in_channel"];

/// A card that nobody can edit any more: deleted, of another app, or too old.
const OF_EDIT: [&str; 3] = ["message_not_found", "cant_update_message", "edit_window_closed"];

/// Somebody who is not there.
const OF_PERSON: [&str; 6] =
    ["user_not_found", "user_not_visible", "user_disabled", "users_not_found", "cannot_dm_bot", "invalid_user_id"];

/// A workspace that is being moved, and what proxies say while they start.
const PASSING: [&str; 5] = ["team_added_to_org", "org_login_required", "http_408", "http_425", "http_409"];

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
        passing if PASSING.contains(&passing) => Means::Passing,
        _ => Means::Mend,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_can_put_right_is_given_up() {
        for code in
            ["token_revoked", "is_inactive", "is_archived", "not_in_channel", "missing_scope", "http_403", "new"]
        {
            for call in [Call::Post, Call::Edit, Call::Person] {
                assert_eq!(means(call, code), Means::Mend, "{call:?} {code}");
            }
        }
        assert_eq!(means(Call::Edit, "edit_window_closed"), Means::Never);
        assert_eq!(means(Call::Post, "edit_window_closed"), Means::Mend);
        assert_eq!(means(Call::Post, "thread_not_found"), Means::Never);
        assert_eq!(means(Call::Person, "user_not_found"), Means::Never);
        assert_eq!(means(Call::Post, "msg_too_long"), Means::Never);
        assert_eq!(means(Call::Post, "team_added_to_org"), Means::Passing);
    }
}
