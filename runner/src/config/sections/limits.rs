//! `hours`, `zone`, `changes`, `hold`, `destroys_max`, `destroys_ask` and `approve` of an environment: what no run may do, and what asks.

use super::super::document::Path;
use super::super::duration;
use super::super::findings::Findings;
use super::super::problem::quoted;
use super::approve;
use super::drift;
use super::environment::{EnvironmentSection, Surroundings};
use super::schedule;
use crate::domain::access::limits::{Limit, WorkingHours};
use crate::domain::environment::{Rules, Setting};
use crate::domain::holds::LONGEST_S;
use crate::domain::hours::Hours;
use crate::domain::retries::TRIES_MAX;

/// Reads what is asked and what is refused; the rest of the rules is empty.
pub(super) fn read(
    at: &Path<'_>,
    section: &EnvironmentSection,
    surroundings: &Surroundings<'_>,
    settings: &[&Setting],
    findings: &mut Findings<'_, '_>,
) -> Rules {
    let hours = hours(at, section, findings);
    let changes = at.key("changes");
    let only_in_hours = section.changes.is_some().then(|| findings.written(&changes));
    if only_in_hours.is_some() && section.hours.is_none() {
        let hint = "add `hours = \"Mon-Fri 09:00-18:00\"` and `zone`".to_owned();
        findings.at_key(&changes, "there are no working hours to change in", Some(hint));
    }
    let limit = |key: &'static str, most: Option<u32>, findings: &Findings<'_, '_>| {
        most.map(|most| Limit { most, written: findings.written(&at.key(key)) })
    };
    let destroys_max = limit("destroys_max", section.destroys_max, findings);
    let destroys_ask = limit("destroys_ask", section.destroys_ask, findings);
    if let (Some(max), Some(ask)) = (section.destroys_max, section.destroys_ask)
        && ask >= max
    {
        let message = format!("it would never ask: more than {max} is refused by `destroys_max`");
        findings.at_value(&at.key("destroys_ask"), message, Some(format!("write less than {max}")));
    }
    let known = approve::Known {
        roles: surroundings.roles,
        ask_expires_s: surroundings.runner.ask_expires_s,
        settings,
        has_owners: !section.owners.is_empty(),
        has_hours: section.hours.is_some(),
        only_in_hours: only_in_hours.is_some(),
        destroys_max: section.destroys_max,
    };
    let approvals = approve::read(&at.key("approve"), section.approve.as_ref(), &known, findings);
    let all = at.key("settings");
    let bounds_at = settings
        .iter()
        .map(|setting| (setting.name.clone(), findings.written(&all.key(setting.name.as_str()))))
        .collect();
    let hold = section.hold.as_ref();
    let hold_s = hold.and_then(|text| duration::read(&at.key("hold"), text, 60..=LONGEST_S, findings));
    let drift = drift::read(at, section, findings);
    let retries = section.retries.min(TRIES_MAX);
    if section.retries > TRIES_MAX {
        let message = format!("{} tries are more than anybody waits for", section.retries);
        findings.at_value(&at.key("retries"), message, Some(format!("write at most {TRIES_MAX}")));
    }
    Rules {
        bounds_at,
        approvals,
        destroys_max,
        destroys_ask,
        hours,
        only_in_hours,
        hold_s,
        drift,
        retries,
        adopted: section.adopted,
        ..Rules::default()
    }
}

fn hours(at: &Path<'_>, section: &EnvironmentSection, findings: &mut Findings<'_, '_>) -> Option<WorkingHours> {
    // Of one that there is all else is told where schedules are read.
    let zone = section.zone.as_ref().and_then(|name| match name.parse::<chrono_tz::Tz>() {
        Ok(zone) => Some(zone),
        Err(_) => schedule::zone(&at.key("zone"), name, findings),
    });
    let text = section.hours.as_ref()?;
    let hours = match text.parse::<Hours>() {
        Ok(hours) => Some(hours),
        Err(error) => {
            let hint = "write days and a span: `Mon-Fri 09:00-18:00`".to_owned();
            findings.at_value(&at.key("hours"), format!("{}: {error}", quoted(text)), Some(hint));
            None
        }
    };
    if section.zone.is_none() {
        let message = "nothing says on whose clock these hours are";
        findings.at_key(&at.key("hours"), message, Some("add `zone = \"Asia/Tokyo\"`".to_owned()));
    }
    Some(WorkingHours { hours: hours?, zone: zone?, written: findings.written(&at.key("hours")) })
}
