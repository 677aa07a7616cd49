//! What Slack's words for a refusal mean for what was refused: one table, for messages, edits and questions alike.

/// What becomes of something that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// It will be refused however often it is tried, and whatever anybody does.
    Never,
    /// Somebody has to do something about it; it waits until then.
    Mend,
    /// It passes by itself.
    Passing,
}

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

/// What a refusal of this method means.
pub(super) fn means(method: &str, code: &str) -> Means {
    let never = OF_CONTENT.contains(&code)
        || match method {
            "chat.update" => OF_EDIT.contains(&code),
            "users.info" | "conversations.open" => OF_PERSON.contains(&code),
            _ => OF_MESSAGE.contains(&code),
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
            for method in ["chat.postMessage", "chat.update", "users.info"] {
                assert_eq!(means(method, code), Means::Mend, "{method} {code}");
            }
        }
        assert_eq!(means("chat.update", "edit_window_closed"), Means::Never);
        assert_eq!(means("chat.postMessage", "edit_window_closed"), Means::Mend);
        assert_eq!(means("chat.postMessage", "thread_not_found"), Means::Never);
        assert_eq!(means("users.info", "user_not_found"), Means::Never);
        assert_eq!(means("chat.postMessage", "msg_too_long"), Means::Never);
        assert_eq!(means("chat.postMessage", "team_added_to_org"), Means::Passing);
    }
}
