//! What Discord's words for a refusal mean.

use crate::chat::voice::refused::Words;

pub(super) const WORDS: Words = Words {
    content: &["invalid_form", "too_large"],
    message: &["message_not_found", "cannot_dm", "expired_token", "thread_gone"],
    edit: &["message_not_found", "not_our_message", "edit_limit"],
    person: &["user_not_found", "cannot_dm"],
    // What proxies say while they start, and Discord before it has read an acknowledgement.
    passing: &["http_408", "http_425", "http_409", "unknown_webhook"],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::voice::platform::{Call, Means};

    #[test]
    fn only_what_nobody_can_put_right_is_given_up() {
        for code in
            ["invalid_auth", "missing_permissions", "missing_access", "channel_not_found", "is_archived", "12345"]
        {
            for call in [Call::Post, Call::Edit, Call::Private] {
                assert_eq!(WORDS.means(call, code), Means::Mend, "{call:?} {code}");
            }
        }
        assert_eq!(WORDS.means(Call::Edit, "message_not_found"), Means::Never);
        assert_eq!(WORDS.means(Call::Post, "invalid_form"), Means::Never);
        assert_eq!(WORDS.means(Call::Post, "thread_gone"), Means::Never);
        assert_eq!(WORDS.means(Call::Place, "cannot_dm"), Means::Never);
        assert_eq!(WORDS.means(Call::Post, "http_409"), Means::Passing);
    }
}
