//! What Slack's words for a refusal mean.

use super::sending::NO_WAY;
use crate::chat::voice::refused::Words;

pub(super) const WORDS: Words = Words {
    content: &[
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
    ],
    message: &["cannot_reply_to_message", "message_not_found", NO_WAY, "thread_not_found", "user_not_in_channel"],
    // Deleted, of another app, or too old.
    edit: &["message_not_found", "cant_update_message", "edit_window_closed"],
    person: &[
        "user_not_found",
        "user_not_visible",
        "user_disabled",
        "users_not_found",
        "cannot_dm_bot",
        "invalid_user_id",
    ],
    // A workspace that is being moved, and what proxies say while they start.
    passing: &["team_added_to_org", "org_login_required", "http_408", "http_425", "http_409"],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::voice::platform::{Call, Means};

    #[test]
    fn only_what_nobody_can_put_right_is_given_up() {
        for code in
            ["token_revoked", "is_inactive", "is_archived", "not_in_channel", "missing_scope", "http_403", "new"]
        {
            for call in [Call::Post, Call::Edit, Call::Person] {
                assert_eq!(WORDS.means(call, code), Means::Mend, "{call:?} {code}");
            }
        }
        assert_eq!(WORDS.means(Call::Edit, "edit_window_closed"), Means::Never);
        assert_eq!(WORDS.means(Call::Post, "edit_window_closed"), Means::Mend);
        assert_eq!(WORDS.means(Call::Post, "thread_not_found"), Means::Never);
        assert_eq!(WORDS.means(Call::Response, NO_WAY), Means::Never);
        assert_eq!(WORDS.means(Call::Person, "user_not_found"), Means::Never);
        assert_eq!(WORDS.means(Call::Post, "msg_too_long"), Means::Never);
        assert_eq!(WORDS.means(Call::Post, "team_added_to_org"), Means::Passing);
    }
}
