//! What Slack refuses in blocks and views: types, lengths, counts, names given twice.
//!
//! Source: the limits in Slack's reference of Block Kit; the wording and the JSON pointers are those of its `invalid_blocks`.

use std::collections::HashSet;

use serde_json::Value;

/// Characters of all text in the blocks of one message. Slack documents it nowhere (bolt-js#2509).
const TOTAL: usize = 13_200;

/// Where blocks stand: decides how many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Message,
    View,
}

/// Why blocks are refused: the error word and one line for each fault.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) error: &'static str,
    pub(crate) messages: Vec<String>,
}

/// Checks the blocks of a message or of a view.
pub(crate) fn check(blocks: &Value, place: Place) -> Result<(), Fault> {
    let Some(list) = blocks.as_array() else {
        return Err(Fault { error: "invalid_blocks_format", messages: vec!["[ERROR] must be an array".into()] });
    };
    let mut found = Check { faults: Vec::new(), total: 0, place };
    let most = if place == Place::Message { 50 } else { 100 };
    if list.len() > most {
        found.fault("/blocks", &format!("no more than {most} items allowed"));
    }
    let mut names = HashSet::new();
    for (index, block) in list.iter().enumerate() {
        let at = format!("/blocks/{index}");
        if let Some(name) = block.get("block_id").and_then(Value::as_str)
            && !names.insert(name)
        {
            found.fault(&format!("{at}/block_id"), &format!("`block_id` {name} already exists"));
        }
        found.block(block, &at);
    }
    if !found.faults.is_empty() {
        return Err(Fault { error: "invalid_blocks", messages: found.faults });
    }
    if place == Place::Message && found.total > TOTAL {
        return Err(Fault { error: "msg_blocks_too_long", messages: vec![] });
    }
    Ok(())
}

/// Checks a whole view: its title, buttons, metadata and blocks.
pub(crate) fn check_view(view: &Value) -> Result<(), Fault> {
    let mut found = Check { faults: Vec::new(), total: 0, place: Place::View };
    let kind = view.get("type").and_then(Value::as_str).unwrap_or_default();
    if !["modal", "home"].contains(&kind) {
        found.fault("/view/type", "unsupported type");
    }
    if kind == "modal" {
        found.plain(view.get("title"), "/view/title", 24, true);
        found.plain(view.get("submit"), "/view/submit", 24, false);
        found.plain(view.get("close"), "/view/close", 24, false);
    }
    found.string(view.get("private_metadata"), "/view/private_metadata", 0, 3000);
    found.string(view.get("callback_id"), "/view/callback_id", 0, 255);
    let blocks = view.get("blocks").cloned().unwrap_or(Value::Null);
    let list = blocks.as_array().map_or(&[][..], Vec::as_slice);
    if kind == "modal" && view.get("submit").is_none() && list.iter().any(|b| b.get("type") == Some(&"input".into())) {
        found.fault("/view/submit", "missing required field: submit");
    }
    if let Err(fault) = check(&blocks, Place::View) {
        found.faults.extend(fault.messages);
    }
    if found.faults.is_empty() { Ok(()) } else { Err(Fault { error: "invalid_arguments", messages: found.faults }) }
}

/// Whether it is something that a person can press, choose or fill in.
pub(crate) fn is_interactive(element: &Value) -> bool {
    let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
    kind == "button" || ELEMENTS.contains(&kind)
}

const ELEMENTS: &[&str] = &[
    "button",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
    "overflow",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "checkboxes",
    "radio_buttons",
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "rich_text_input",
    "file_input",
    "workflow_button",
];

struct Check {
    faults: Vec<String>,
    total: usize,
    place: Place,
}

impl Check {
    fn fault(&mut self, at: &str, what: &str) {
        self.faults.push(format!("[ERROR] {what} [json-pointer:{at}]"));
    }

    fn missing(&mut self, at: &str, field: &str) {
        self.fault(at, &format!("missing required field: {field}"));
    }

    fn string(&mut self, value: Option<&Value>, at: &str, least: usize, most: usize) {
        let Some(value) = value.filter(|value| !value.is_null()) else { return };
        let Some(text) = value.as_str() else { return self.fault(at, "must be a string") };
        let length = text.chars().count();
        if length > most {
            self.fault(at, &format!("must be less than {} characters", most + 1));
        }
        if length < least {
            self.fault(at, &format!("must be more than {} characters", least - 1));
        }
    }

    /// A text object of either kind.
    fn text(&mut self, value: &Value, at: &str, most: usize) {
        match value.get("type").and_then(Value::as_str) {
            Some("mrkdwn" | "plain_text") => {}
            _ => self.fault(&format!("{at}/type"), "must be a valid enum value"),
        }
        if value.get("text").is_none() {
            return self.missing(at, "text");
        }
        self.string(value.get("text"), &format!("{at}/text"), 1, most);
        self.total += value.get("text").and_then(Value::as_str).map_or(0, |text| text.chars().count());
    }

    fn plain(&mut self, value: Option<&Value>, at: &str, most: usize, required: bool) {
        match value.filter(|value| !value.is_null()) {
            None if required => {
                let (parent, field) = at.rsplit_once('/').unwrap_or(("", at));
                self.missing(parent, field);
            }
            None => {}
            Some(text) => {
                if text.get("type").and_then(Value::as_str) == Some("plain_text") {
                    self.text(text, at, most);
                } else {
                    self.fault(&format!("{at}/type"), "must be a valid enum value");
                }
            }
        }
    }

    /// A part of rich text: known kinds, no empty texts.
    fn rich(&mut self, part: &Value, at: &str) {
        let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
        if !["rich_text_section", "rich_text_preformatted", "rich_text_quote", "rich_text_list"].contains(&kind) {
            self.fault(&format!("{at}/type"), &format!("unsupported type: {kind}"));
        }
        for (index, element) in part.get("elements").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let here = format!("{at}/elements/{index}");
            match element.get("type").and_then(Value::as_str).unwrap_or_default() {
                "text" => {
                    self.string(
                        Some(element.get("text").unwrap_or(&Value::String(String::new()))),
                        &format!("{here}/text"),
                        1,
                        3000,
                    );
                    self.total += element.get("text").and_then(Value::as_str).map_or(0, |text| text.chars().count());
                }
                "rich_text_section" => self.rich(element, &here),
                "user" | "usergroup" | "channel" | "broadcast" | "emoji" | "link" | "date" | "color" => {}
                other => self.fault(&format!("{here}/type"), &format!("unsupported type: {other}")),
            }
        }
    }

    fn block(&mut self, block: &Value, at: &str) {
        let Some(kind) = block.get("type").and_then(Value::as_str) else { return self.missing(at, "type") };
        self.string(block.get("block_id"), &format!("{at}/block_id"), 1, 255);
        match kind {
            "rich_text" => {
                let parts = block.get("elements").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                for (index, part) in parts.iter().enumerate() {
                    self.rich(part, &format!("{at}/elements/{index}"));
                }
            }
            "divider" | "file" | "video" | "table" => {}
            "section" => self.section(block, at),
            "header" => self.plain(block.get("text"), &format!("{at}/text"), 150, true),
            "markdown" => {
                self.string(block.get("text"), &format!("{at}/text"), 1, 12_000);
                self.total += block.get("text").and_then(Value::as_str).map_or(0, |text| text.chars().count());
            }
            "image" => {
                if block.get("alt_text").is_none() {
                    self.missing(at, "alt_text");
                }
            }
            "context" => {
                for (index, element) in self.elements(block, at, 10).iter().enumerate() {
                    if element.get("type").and_then(Value::as_str) != Some("image") {
                        self.text(element, &format!("{at}/elements/{index}"), 3000);
                    }
                }
            }
            "actions" => {
                let mut names = HashSet::new();
                for (index, element) in self.elements(block, at, 25).iter().enumerate() {
                    let here = format!("{at}/elements/{index}");
                    if let Some(name) = element.get("action_id").and_then(Value::as_str)
                        && !names.insert(name.to_owned())
                    {
                        self.fault(&format!("{here}/action_id"), &format!("`action_id` {name} already exists"));
                    }
                    self.element(element, &here);
                }
            }
            "input" => {
                self.plain(block.get("label"), &format!("{at}/label"), 2000, true);
                self.plain(block.get("hint"), &format!("{at}/hint"), 2000, false);
                match block.get("element") {
                    None => self.missing(at, "element"),
                    Some(element) => self.element(element, &format!("{at}/element")),
                }
            }
            other => self.fault(&format!("{at}/type"), &format!("unsupported type: {other}")),
        }
    }

    fn section(&mut self, block: &Value, at: &str) {
        let fields = block.get("fields").and_then(Value::as_array);
        match block.get("text") {
            Some(text) => self.text(text, &format!("{at}/text"), 3000),
            None if fields.is_none() => self.missing(at, "text"),
            None => {}
        }
        if fields.is_some_and(|fields| fields.is_empty() || fields.len() > 10) {
            self.fault(&format!("{at}/fields"), "no more than 10 items allowed");
        }
        for (index, field) in fields.into_iter().flatten().enumerate() {
            self.text(field, &format!("{at}/fields/{index}"), 2000);
        }
        match block.get("accessory") {
            Some(accessory) if accessory.get("type").and_then(Value::as_str) != Some("image") => {
                self.element(accessory, &format!("{at}/accessory"));
            }
            _ => {}
        }
    }

    fn elements(&mut self, block: &Value, at: &str, most: usize) -> Vec<Value> {
        let list = block.get("elements").and_then(Value::as_array).cloned().unwrap_or_default();
        if list.is_empty() {
            self.missing(at, "elements");
        }
        if list.len() > most {
            self.fault(&format!("{at}/elements"), &format!("no more than {most} items allowed"));
        }
        list
    }

    fn element(&mut self, element: &Value, at: &str) {
        let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
        if !ELEMENTS.contains(&kind) {
            return self.fault(&format!("{at}/type"), &format!("unsupported type: {kind}"));
        }
        self.string(element.get("action_id"), &format!("{at}/action_id"), 1, 255);
        self.plain(element.get("placeholder"), &format!("{at}/placeholder"), 150, false);
        if kind == "button" {
            self.plain(element.get("text"), &format!("{at}/text"), 75, true);
            self.string(element.get("value"), &format!("{at}/value"), 0, 2000);
            self.string(element.get("url"), &format!("{at}/url"), 1, 3000);
            if element.get("style").is_some_and(|style| !["primary", "danger"].map(Value::from).contains(style)) {
                self.fault(&format!("{at}/style"), "must be a valid enum value");
            }
        }
        if let Some(confirm) = element.get("confirm") {
            self.plain(confirm.get("title"), &format!("{at}/confirm/title"), 100, true);
            self.plain(confirm.get("confirm"), &format!("{at}/confirm/confirm"), 30, false);
            self.plain(confirm.get("deny"), &format!("{at}/confirm/deny"), 30, false);
            match confirm.get("text") {
                Some(text) => self.text(text, &format!("{at}/confirm/text"), 300),
                None => self.missing(&format!("{at}/confirm"), "text"),
            }
        }
        let most = match kind {
            "static_select" | "multi_static_select" => 100,
            "checkboxes" | "radio_buttons" => 10,
            "overflow" => 5,
            _ => return,
        };
        if self.place == Place::Message || element.get("option_groups").is_none() {
            self.options(element, at, most);
        }
    }

    fn options(&mut self, element: &Value, at: &str, most: usize) {
        let Some(options) = element.get("options").and_then(Value::as_array) else {
            if element.get("option_groups").is_none() {
                self.missing(at, "options");
            }
            return;
        };
        if options.is_empty() || options.len() > most {
            self.fault(&format!("{at}/options"), &format!("no more than {most} items allowed"));
        }
        for (index, option) in options.iter().enumerate() {
            let here = format!("{at}/options/{index}");
            match option.get("text") {
                Some(text) => self.text(text, &format!("{here}/text"), 75),
                None => self.missing(&here, "text"),
            }
            if option.get("value").is_none() {
                self.missing(&here, "value");
            }
            self.string(option.get("value"), &format!("{here}/value"), 1, 150);
        }
    }
}
