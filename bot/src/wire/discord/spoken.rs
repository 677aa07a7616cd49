//! A message as Discord delivers it, or tells it when asked.

use serde_json::Value;

/// What somebody wrote.
#[derive(Debug)]
pub(crate) struct Spoken<'d> {
    pub(crate) id: &'d str,
    /// The channel or thread.
    pub(crate) place: &'d str,
    /// The server, where it was told with it.
    pub(crate) guild: Option<&'d str>,
    pub(crate) author: &'d str,
    /// The author is a program.
    pub(crate) program: bool,
    /// Somebody typed it: no webhook said it, nor Discord itself.
    pub(crate) by_hand: bool,
    /// Empty where Discord does not tell it.
    pub(crate) text: &'d str,
    pub(crate) edited: bool,
    /// The roles that it names.
    pub(crate) roles: Vec<&'d str>,
}

impl<'d> Spoken<'d> {
    /// `None`: something in it is missing.
    pub(crate) fn read(said: &'d Value) -> Option<Self> {
        let author = &said["author"];
        // 19 answers another message; anything else that is not 0 nobody typed.
        let by_hand = said["webhook_id"].is_null() && matches!(said["type"].as_i64(), Some(0 | 19));
        Some(Self {
            id: said["id"].as_str()?,
            place: said["channel_id"].as_str()?,
            guild: said["guild_id"].as_str(),
            author: author["id"].as_str()?,
            program: author["bot"] == true,
            by_hand,
            text: said["content"].as_str().unwrap_or_default(),
            edited: !said["edited_timestamp"].is_null(),
            roles: said["mention_roles"].as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
        })
    }
}
