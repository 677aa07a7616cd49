//! `drift`, `drift_ignore`, `drift_who`, `remove_in` and `preflight` of an environment: when it is looked what others changed, what of it nobody
//! wants to hear of, whether CloudTrail is asked who did it, in which accounts what no state knows may be removed, and when it is looked whether
//! anything stands in the way of a change.

use chrono::NaiveTime;

use super::super::document::Path;
use super::super::duration;
use super::super::findings::Findings;
use super::super::problem::quoted;
use super::environment::EnvironmentSection;
use crate::domain::drift::DriftRules;

/// Shortest time in which somebody can still do something, in seconds: five minutes.
const PREFLIGHT_MIN_S: u32 = 300;
/// Longest before a transition, in seconds: a day.
const PREFLIGHT_MAX_S: u32 = 86_400;

/// Reads them.
pub(super) fn read(at: &Path<'_>, section: &EnvironmentSection, findings: &mut Findings<'_, '_>) -> DriftRules {
    let time = section.drift.as_ref().and_then(|text| {
        // Two digits each: `3:00` is as likely to be meant for the afternoon.
        let read = NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| text.len() == 5);
        if read.is_none() {
            let message = format!("{} is no time of the day", quoted(text));
            findings.at_value(&at.key("drift"), message, Some("write hours and minutes: `03:00`".to_owned()));
        }
        read
    });
    if section.drift.is_some() && section.zone.is_none() {
        let message = "nothing says on whose clock this time is";
        findings.at_key(&at.key("drift"), message, Some("add `zone = \"Asia/Tokyo\"`".to_owned()));
    }
    for (index, pattern) in section.drift_ignore.iter().enumerate() {
        if pattern.is_empty() || pattern.trim() != pattern || pattern.chars().any(char::is_control) {
            let message = format!("{} names no resource and no attribute", quoted(pattern));
            let hint = "write an address as Terraform prints it, or one with an attribute: `*.tags`";
            findings.at_value(&at.key("drift_ignore").index(index), message, Some(hint.to_owned()));
        }
    }
    let preflight = section.preflight.as_ref();
    let preflight_s = preflight
        .and_then(|text| duration::read(&at.key("preflight"), text, PREFLIGHT_MIN_S..=PREFLIGHT_MAX_S, findings));
    for (index, account) in section.remove_in.iter().enumerate() {
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = format!("{} is no AWS account", quoted(account));
            let hint = "write its 12 digits in quotes: `\"123456789012\"`";
            findings.at_value(&at.key("remove_in").index(index), message, Some(hint.to_owned()));
        }
    }
    let (ignore, remove_in) = (section.drift_ignore.clone(), section.remove_in.clone());
    DriftRules { at: time, ignore, who: section.drift_who, preflight_s, remove_in }
}
