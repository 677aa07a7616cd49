//! Who wrote to a resource, as CloudTrail tells it. Pure: asking is [`super::Signed`]'s.
//!
//! Source of the forms: `LookupEvents` of the CloudTrail API reference, and "CloudTrail userIdentity element" of its user guide.

use serde_json::Value;

use crate::domain::ids::Timestamp;

/// Somebody who wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrote {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// By which call: `SetDesiredCapacity`.
    pub event: String,
}

/// What one question was answered with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Who wrote, the newest first, each person and call once.
    pub wrote: Vec<Wrote>,
    /// There are older events that were not read.
    pub more: bool,
}

/// Calls that name a group and change nothing of it: those of its nodes, and the end that Tidegate writes for it.
const BESIDE: [&str; 7] = [
    "PutScheduledUpdateGroupAction",
    "BatchPutScheduledUpdateGroupAction",
    "DeleteScheduledAction",
    "BatchDeleteScheduledAction",
    "CompleteLifecycleAction",
    "RecordLifecycleActionHeartbeat",
    "SetInstanceHealth",
];

/// Reads an answer of `LookupEvents`; `None` where it is none. What only reads, and what AWS refused, changed nothing.
#[must_use]
pub fn page(answer: &Value) -> Option<Page> {
    let mut page =
        Page { more: answer["NextToken"].as_str().is_some_and(|token| !token.is_empty()), ..Page::default() };
    for wrote in answer["Events"].as_array()?.iter().filter_map(wrote) {
        if !page.wrote.iter().any(|known| (&known.by, &known.event) == (&wrote.by, &wrote.event)) {
            page.wrote.push(wrote);
        }
    }
    page.wrote.sort_by_key(|wrote| std::cmp::Reverse(wrote.at));
    Some(page)
}

fn wrote(event: &Value) -> Option<Wrote> {
    let name = event["EventName"].as_str()?;
    let whole: Value =
        event["CloudTrailEvent"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let reads = event["ReadOnly"].as_str() == Some("true") || whole["readOnly"].as_bool() == Some(true);
    let refused = whole["errorCode"].as_str().is_some_and(|code| !code.is_empty());
    if reads || refused || BESIDE.contains(&name) {
        return None;
    }
    let seconds = event["EventTime"].as_f64().filter(|seconds| (0.0..=1e11).contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, reason = "its range was looked at")]
    let at = Timestamp((seconds * 1_000.0) as i64);
    Some(Wrote { by: by(&whole["userIdentity"], event["Username"].as_str()), at, event: name.to_owned() })
}

/// Who it was: a user by their name, somebody in a role by the name of their session and the role, a service by its own.
fn by(identity: &Value, user: Option<&str>) -> String {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let user = || user.filter(|user| !user.is_empty()).map(str::to_owned);
    let who = match identity["type"].as_str() {
        Some("Root") => Some("the account's root".to_owned()),
        Some("AWSService") => text(&identity["invokedBy"]).or_else(user),
        Some("AssumedRole") => {
            let session =
                identity["arn"].as_str().and_then(|arn| arn.rsplit_once('/')).map(|(_, name)| name.to_owned());
            let role = text(&identity["sessionContext"]["sessionIssuer"]["userName"]);
            match (session.or_else(user), role) {
                (Some(session), Some(role)) => Some(format!("{session} (role {role})")),
                (session, role) => session.or(role),
            }
        }
        _ => text(&identity["userName"]).or_else(user).or_else(|| text(&identity["arn"])),
    };
    let who = who.unwrap_or_else(|| "somebody whom CloudTrail does not name".to_owned());
    match text(&identity["invokedBy"]).filter(|service| *service != who) {
        Some(service) => format!("{who} by {service}"),
        None => who,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(name: &str, at: f64, identity: &Value, error: Option<&str>) -> Value {
        let whole = json!({ "userIdentity": identity, "errorCode": error, "readOnly": name.starts_with("Describe") });
        let read = if name.starts_with("Describe") { "true" } else { "false" };
        json!({ "EventName": name, "EventTime": at, "ReadOnly": read, "Username": "u", "CloudTrailEvent": whole.to_string() })
    }

    #[test]
    fn who_wrote_is_told_the_newest_first_and_who_only_read_or_was_refused_is_not() {
        let ito = json!({ "type": "IAMUser", "userName": "ito" });
        let answer = json!({ "NextToken": "x", "Events": [
            event("DescribeAutoScalingGroups", 50.0, &ito, None),
            event("SetDesiredCapacity", 40.0, &ito, Some("AccessDenied")),
            event("CompleteLifecycleAction", 35.0, &ito, None),
            event("SetDesiredCapacity", 20.5, &ito, None),
            event("CreateOrUpdateTags", 30.0, &ito, None),
            event("SetDesiredCapacity", 10.0, &ito, None),
        ] });
        let page = page(&answer).expect("a page");
        let told: Vec<_> = page.wrote.iter().map(|one| (one.by.as_str(), one.at.0, one.event.as_str())).collect();
        assert_eq!(told, [("ito", 30_000, "CreateOrUpdateTags"), ("ito", 20_500, "SetDesiredCapacity")]);
        assert!(page.more);
        assert_eq!(super::page(&json!({ "Events": [] })), Some(Page::default()));
        assert_eq!(super::page(&json!({})), None);
    }

    #[test]
    fn people_roles_and_services_are_told_apart() {
        let role = json!({ "type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/admin/ito@example.com",
            "sessionContext": { "sessionIssuer": { "userName": "admin" } } });
        let cloud = json!({ "type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/admin/ito", "invokedBy": "cloudformation.amazonaws.com" });
        for (identity, wanted) in [
            (&role, "ito@example.com (role admin)"),
            (&cloud, "ito by cloudformation.amazonaws.com"),
            (&json!({ "type": "Root" }), "the account's root"),
            (&json!({ "type": "AWSService", "invokedBy": "autoscaling.amazonaws.com" }), "autoscaling.amazonaws.com"),
            (&json!({ "type": "IAMUser", "userName": "伊藤" }), "伊藤"),
            (&json!({ "type": "FederatedUser", "arn": "arn:x" }), "u"),
            (&Value::Null, "u"),
        ] {
            assert_eq!(by(identity, Some("u")), wanted, "{identity}");
        }
        assert_eq!(by(&Value::Null, None), "somebody whom CloudTrail does not name");
    }
}
