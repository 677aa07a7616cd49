//! What somebody filled into the form, as Slack tells it.

use serde_json::Value;
use tidegate_runner::domain::ids::Timestamp;

use crate::chat::voice::draft::Fields;

/// What was filled in, field by field.
pub(super) fn fields(view: &Value) -> Fields {
    let mut fields = Fields::default();
    for (block, filled) in view["state"]["values"].as_object().into_iter().flatten() {
        for (action, field) in filled.as_object().into_iter().flatten() {
            let value = field["value"].as_str().or(field["selected_option"]["value"].as_str());
            let value = value.unwrap_or_default().trim();
            if action == "until" {
                let seconds = field["selected_date_time"].as_i64();
                fields.until(seconds.and_then(|at| at.checked_mul(1_000)).map(Timestamp));
            } else if !value.is_empty() {
                fields.field(block, action, value);
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::chat::voice::draft;
    use crate::chat::voice::origin::Draft;
    use crate::commands::fixture::{NOW, tokyo, with_environments};

    fn filled(change: impl FnOnce(&mut Value)) -> Result<(String, Draft), Value> {
        let mut values = json!({
            "environment": { "environment": { "selected_option": { "value": "shop" } } },
            "what": { "what": { "selected_option": { "value": "up" } } },
            "level.shop": { "level": { "selected_option": { "value": "full" } } },
            "setting.shop.slaves": { "setting.slaves": { "value": "40" } },
            "until": { "until": { "selected_date_time": NOW.0 / 1000 + 7200 } },
            "because": { "because": { "value": "late\n<!channel>" } },
        });
        change(&mut values);
        let view = json!({ "id": "V1", "state": { "values": values } });
        let read =
            with_environments(&["shop"], |known| draft::read(fields(&view), "V1", known.environments, NOW, tokyo()));
        read.map_err(Value::Object)
    }

    #[test]
    fn what_is_filled_in_is_a_plan_and_what_follows_it() {
        let (line, draft) = filled(|_| {}).expect("good");
        assert_eq!(line, "plan shop full slaves=40 because late <!channel>");
        assert_eq!(draft.keep.as_deref(), Some("keep shop until 2026-11-20T14:00:00+09:00 because late <!channel>"));
        let (line, draft) = filled(|v| {
            v["what"]["what"]["selected_option"]["value"] = "down".into();
            v["level.shop"] = json!({ "level": { "selected_option": null } });
            v["setting.shop.slaves"]["setting.slaves"]["value"] = Value::Null;
            v["until"]["until"]["selected_date_time"] = Value::Null;
        })
        .expect("good");
        assert_eq!((line.as_str(), draft.keep), ("plan shop small because late <!channel>", None));
    }

    #[test]
    fn what_is_wrong_stands_beside_its_field() {
        type Change = fn(&mut Value);
        let slaves: fn(&mut Value, &str) =
            |v, value| v["setting.shop.slaves"]["setting.slaves"]["value"] = value.into();
        let cases: [(&str, Change, &str); 9] = [
            ("too many", |v| v["setting.shop.slaves"]["setting.slaves"]["value"] = "999".into(), "setting.shop.slaves"),
            (
                "words",
                |v| v["setting.shop.slaves"]["setting.slaves"]["value"] = "4 because".into(),
                "setting.shop.slaves",
            ),
            (
                "no number",
                |v| v["setting.shop.slaves"]["setting.slaves"]["value"] = "日本".into(),
                "setting.shop.slaves",
            ),
            ("no level", |v| v["level.shop"]["level"]["selected_option"]["value"] = "huge".into(), "level.shop"),
            ("past", |v| v["until"]["until"]["selected_date_time"] = 1.into(), "until"),
            ("years", |v| v["until"]["until"]["selected_date_time"] = (NOW.0 / 1000 + 90 * 86_400).into(), "until"),
            ("kept down", |v| v["what"]["what"]["selected_option"]["value"] = "plan".into(), "until"),
            ("removed", |v| v["environment"]["environment"]["selected_option"]["value"] = "gone".into(), "environment"),
            ("no choice", |v| v["what"]["what"]["selected_option"]["value"] = "hold".into(), "environment"),
        ];
        for (what, change, block) in cases {
            let errors = filled(change).expect_err(what);
            assert!(
                errors[block].as_str().is_some_and(|told| !told.is_empty() && !told.contains('`')),
                "{what}: {errors}"
            );
        }
        let both = filled(|v| {
            slaves(v, "999");
            v["until"]["until"]["selected_date_time"] = 1.into();
        });
        assert_eq!(both.expect_err("two").as_object().map(Map::len), Some(2));
        assert!(
            with_environments(&["shop"], |known| draft::read(fields(&json!({})), "", known.environments, NOW, tokyo()))
                .is_err()
        );
    }
}
