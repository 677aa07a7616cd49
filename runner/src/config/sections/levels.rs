//! `levels`, `up` and `down`: in which order the profiles of an environment stand, and what people mean by up and down.

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::nearest::{listed, suggestion};
use super::super::problem::quoted;
use super::environment::EnvironmentSection;
use crate::domain::environment::Level;
use crate::domain::ids::ProfileName;

/// The order of an environment's profiles and its two directions.
pub(super) struct Levels {
    pub(super) order: Vec<ProfileName>,
    pub(super) up: ProfileName,
    pub(super) down: Level,
}

/// Works the levels out; what is wrong goes to `findings`.
pub(super) fn read(
    at: &Path<'_>,
    section: &EnvironmentSection,
    profiles: &[&ProfileName],
    findings: &mut Findings<'_, '_>,
) -> Option<Levels> {
    if profiles.is_empty() {
        let message = "this environment has no profile, so that `up` would mean nothing";
        let hint = format!("add a table `[{at}.profiles.full]` with the values of the variables at that level");
        findings.at_key(at, message, Some(hint));
        return None;
    }
    let before = findings.errors();
    if let Some(up) = &section.up {
        known(&at.key("up"), up, profiles, false, findings);
    }
    if let Some(down) = &section.down {
        known(&at.key("down"), down, profiles, true, findings);
    }
    if findings.errors() > before && section.levels.is_none() {
        return None;
    }
    let levels = order(at, section, profiles, findings)?;
    if findings.errors() > before {
        return None;
    }
    let up: ProfileName = match &section.up {
        Some(name) => name.parse().ok()?,
        None => levels.last()?.clone(),
    };
    let down: Level = match &section.down {
        Some(name) => name.parse().ok()?,
        None => Level::Profile(levels.first()?.clone()),
    };
    let height = |profile: &ProfileName| levels.iter().position(|level| level == profile);
    if let Level::Profile(lower) = &down
        && height(lower) >= height(&up)
    {
        let (message, hint) = if lower == &up {
            let message = format!("`up` and `down` would both mean `{up}`");
            (message, "say what `down` means, for example `down = \"off\"`")
        } else {
            let message = format!("`down` is `{lower}`, which is above `up`, `{up}`");
            (message, "exchange them, or put `levels` in order, lowest first")
        };
        let key = if section.down.is_some() { "down" } else { "up" };
        findings.at_key(&at.key(key), message, Some(hint.to_owned()));
        return None;
    }
    Some(Levels { order: levels, up, down })
}

/// The profiles from lowest to highest: as written, or what `down` and `up` say when there are no others.
fn order(
    at: &Path<'_>,
    section: &EnvironmentSection,
    profiles: &[&ProfileName],
    findings: &mut Findings<'_, '_>,
) -> Option<Vec<ProfileName>> {
    if let Some(levels) = &section.levels {
        return written(&at.key("levels"), levels, profiles, findings);
    }
    if let [only] = profiles {
        return Some(vec![(*only).clone()]);
    }
    let find = |name: &Option<String>| profiles.iter().find(|profile| Some(profile.as_str()) == name.as_deref());
    match (profiles, find(&section.down), find(&section.up)) {
        ([_, _], Some(down), Some(up)) if down != up => Some(vec![(*down).clone(), (*up).clone()]),
        _ => {
            let names: Vec<String> = profiles.iter().map(|profile| format!("\"{profile}\"")).collect();
            let message = "nothing says which profile is higher than which, so that raising and lowering are unknown";
            let hint = format!("add `levels = [{}]`, lowest first", names.join(", "));
            findings.at_key(at, message, Some(hint));
            None
        }
    }
}

/// `levels` as written: each profile once.
fn written(
    at: &Path<'_>,
    levels: &[String],
    profiles: &[&ProfileName],
    findings: &mut Findings<'_, '_>,
) -> Option<Vec<ProfileName>> {
    let before = findings.errors();
    let mut found: Vec<ProfileName> = Vec::new();
    for (index, name) in levels.iter().enumerate() {
        let at = at.index(index);
        if name == "off" {
            findings.at_value(&at, "`off` is below all levels and is not listed", Some("remove it".to_owned()));
            continue;
        }
        match known(&at, name, profiles, false, findings) {
            None => {}
            Some(profile) if found.contains(profile) => {
                findings.at_value(&at, format!("{} is listed twice", quoted(name)), Some("remove one".to_owned()));
            }
            Some(profile) => found.push(profile.clone()),
        }
    }
    let missing: Vec<&str> = profiles.iter().filter(|p| !found.contains(p)).map(|p| p.as_str()).collect();
    // A misspelt level is also a missing profile; once is enough.
    if !missing.is_empty() && findings.errors() == before {
        let message = format!("`levels` leaves out {}, so that nobody knows how high that is", listed(&missing));
        findings.at_key(at, message, Some("add it at its place, lowest first".to_owned()));
    }
    (findings.errors() == before).then_some(found)
}

/// The profile of that name; an unknown one goes to `findings`. `off` is fine where `off_too` says so.
fn known<'p>(
    path: &Path<'_>,
    name: &str,
    profiles: &[&'p ProfileName],
    off_too: bool,
    findings: &mut Findings<'_, '_>,
) -> Option<&'p ProfileName> {
    let found = profiles.iter().find(|profile| profile.as_str() == name).copied();
    if found.is_none() && !(off_too && name == "off") {
        let names = profiles.iter().map(|profile| profile.as_str()).chain(off_too.then_some("off"));
        let message = format!("there is no profile {} in this environment", quoted(name));
        findings.at_value(path, message, suggestion(name, names, "its profiles"));
    }
    found
}
