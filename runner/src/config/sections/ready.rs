//! What makes a stack count as there, beside what Terraform says: `ready_within`, `ready`, `enough`, `in_service`, `role`.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::Path;
use super::super::duration;
use super::super::findings::Findings;
use super::super::nearest::suggestion;
use super::super::problem::quoted;
use crate::domain::ids::ProfileName;
use crate::domain::probe::{Ask, Busy, Probe, has_port, outputs_in, parts, texts};
use crate::domain::readiness::{Enough, PlannedEnd, Readiness};

/// A day, in seconds.
const DAY_S: u32 = 86_400;

/// How long a test is waited for where nobody says: 6 hours.
const AT_MOST_S: u32 = 6 * 3_600;

/// Longest that a test can be waited for: 7 days.
const AT_MOST_MAX_S: u32 = 7 * DAY_S;

/// What must answer: one of `tcp`, `http` and `command`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(super) struct ProbeSection {
    /// `HOST:PORT` that takes a connection.
    #[schemars(example = &"{output.master}:1099")]
    tcp: Option<String>,
    /// An `http://` address that answers with `status`.
    #[schemars(example = &"http://{output.address}/health")]
    http: Option<String>,
    /// The status that `http` must answer with. Without it, 200.
    #[schemars(range(min = 100, max = 599))]
    status: Option<u16>,
    /// A program and its arguments; it must end with exit status 0 within 10 s. It has the stack's environment variables.
    #[schemars(length(min = 1), example = ["curl", "-fsS", "https://shop.example.com/health"])]
    command: Option<Vec<String>>,
    /// Profiles at which it must answer. Without it, at all; at `off` nothing must.
    #[schemars(example = ["full"])]
    levels: Vec<String>,
}

/// What tells whether a load test runs: one of `tcp`, `http` and `command`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(super) struct BusySection {
    /// `HOST:PORT` that takes a connection while a test runs, and refuses it when none does.
    #[schemars(example = &"{output.master}:4445")]
    tcp: Option<String>,
    /// An `http://` address that answers with `status` while a test runs, and with another one when none does.
    #[schemars(example = &"http://{output.master}:8080/running")]
    http: Option<String>,
    /// The status that says that a test runs. Without it, 200.
    #[schemars(range(min = 100, max = 599))]
    status: Option<u16>,
    /// A program and its arguments: exit status 0 says that a test runs, 1 that none does, and any other that nobody can say. It has 10 s, the
    /// stack's environment variables, and the folder of this file.
    #[schemars(length(min = 1), example = ["ssh", "{output.master}", "pgrep", "-f", "ApacheJMeter"])]
    command: Option<Vec<String>>,
    /// How long after the end of its time a test that runs, or of which nobody can say, is waited for. `1m` to `7d`. Without it, `6h`.
    #[schemars(regex(pattern = duration::PATTERN), example = &"6h")]
    at_most: Option<String>,
}

impl BusySection {
    /// Reads it; what is wrong goes to `findings`.
    pub(super) fn read(&self, at: &Path<'_>, findings: &mut Findings<'_, '_>) -> Option<Busy> {
        let Self { tcp, http, status, command, at_most } = self.clone();
        let probe = ProbeSection { tcp, http, status, command, levels: Vec::new() }.read(at, findings);
        let at_most_s = at_most
            .map_or(Some(AT_MOST_S), |text| duration::read(&at.key("at_most"), &text, 60..=AT_MOST_MAX_S, findings));
        Some(Busy { asks: probe?.asks, at_most_s: at_most_s? })
    }
}

/// A share (`"90%"`) or a number.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum EnoughSection {
    /// So many instances.
    Count(u32),
    /// A share of those desired.
    Share(String),
}

/// Auto Scaling groups that AWS ends by itself two hours after the planned end.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct PlannedEndSection {
    /// Which, by address, with `*` for any characters.
    #[schemars(length(min = 1), example = ["module.jmeter.aws_autoscaling_group.slaves"])]
    groups: Vec<String>,
    /// ARN of the role that is assumed to write it, where the root's provider assumes one too. Without it, the credentials of `env` write
    /// it.
    #[schemars(example = &"arn:aws:iam::123456789012:role/tidegate-change")]
    role: Option<String>,
}

impl PlannedEndSection {
    fn read(&self, at: &Path<'_>, in_service: bool, findings: &mut Findings<'_, '_>) -> Option<PlannedEnd> {
        if self.groups.is_empty() || !in_service {
            let (message, hint) = if in_service {
                (
                    "this names no group",
                    "write `groups = [\"module.jmeter.aws_autoscaling_group.slaves\"]`, or take it out",
                )
            } else {
                (
                    "with `in_service = false` AWS is not asked, so that no group is known to end",
                    "take one of the two out",
                )
            };
            findings.at_value(at, message, Some(hint.to_owned()));
            return None;
        }
        check_role(at, self.role.as_ref(), findings)?;
        Some(PlannedEnd { groups: self.groups.clone(), role: self.role.clone() })
    }
}

/// Tells of a text that is not the ARN of a role.
fn check_role(at: &Path<'_>, role: Option<&String>, findings: &mut Findings<'_, '_>) -> Option<()> {
    let Some(role) = role.filter(|role| !is_role(role)) else { return Some(()) };
    let message = format!("{} is not the ARN of a role", quoted(role));
    let hint = "write it like `arn:aws:iam::123456789012:role/tidegate-read`";
    findings.at_value(&at.key("role"), message, Some(hint.to_owned()));
    None
}

/// What a stack says about it, as written.
pub(super) struct Written<'a> {
    pub(super) within: Option<&'a String>,
    pub(super) probes: &'a [ProbeSection],
    pub(super) enough: &'a IndexMap<String, EnoughSection>,
    pub(super) in_service: bool,
    pub(super) role: Option<&'a String>,
    pub(super) planned_end: Option<&'a PlannedEndSection>,
}

/// Reads it for the stack at `at`; what is wrong goes to `findings`.
pub(super) fn read(at: &Path<'_>, written: &Written<'_>, findings: &mut Findings<'_, '_>) -> Option<Readiness> {
    let default = Readiness::default();
    let within_s = written
        .within
        .map_or(Some(default.within_s), |text| duration::read(&at.key("ready_within"), text, 1..=DAY_S, findings));
    let ready = at.key("ready");
    let probes: Vec<Option<Probe>> =
        written.probes.iter().enumerate().map(|(index, section)| section.read(&ready.index(index), findings)).collect();
    let enough = at.key("enough");
    let enough: Vec<Option<(String, Enough)>> = written
        .enough
        .iter()
        .map(|(pattern, section)| Some((pattern.clone(), section.read(&enough.key(pattern), findings)?)))
        .collect();
    check_role(at, written.role, findings)?;
    let planned_end = match written.planned_end {
        Some(section) => section.read(&at.key("planned_end"), written.in_service, findings)?,
        None => PlannedEnd::default(),
    };
    Some(Readiness {
        within_s: within_s?,
        groups: written.in_service,
        enough: enough.into_iter().collect::<Option<_>>()?,
        probes: probes.into_iter().collect::<Option<_>>()?,
        role: written.role.cloned(),
        planned_end,
    })
}

/// Tells of levels that the environment does not have.
pub(super) fn check_levels(
    at: &Path<'_>,
    sections: &[ProbeSection],
    profiles: &[&str],
    findings: &mut Findings<'_, '_>,
) {
    for (index, section) in sections.iter().enumerate() {
        let at = at.index(index);
        let at = at.key("levels");
        for (index, level) in section.levels.iter().enumerate().filter(|(_, level)| !profiles.contains(&level.as_str()))
        {
            let message = match level.as_str() {
                "off" => "at `off` nothing answers".to_owned(),
                _ => format!("there is no profile {} in this environment", quoted(level)),
            };
            findings.at_value(&at.index(index), message, suggestion(level, profiles.iter().copied(), "its profiles"));
        }
    }
}

impl ProbeSection {
    fn read(&self, at: &Path<'_>, findings: &mut Findings<'_, '_>) -> Option<Probe> {
        let asks = match (&self.tcp, &self.http, &self.command) {
            (Some(address), None, None) => Ask::Tcp(address.clone()),
            (None, Some(url), None) => Ask::Http { url: url.clone(), status: self.status.unwrap_or(200) },
            (None, None, Some(argv)) => Ask::Command(argv.clone()),
            (None, None, None) => {
                let hint =
                    "write `{ tcp = \"HOST:PORT\" }`, `{ http = \"http://...\" }` or `{ command = [\"PROGRAM\"] }`";
                findings.at_value(at, "this does not say what must answer", Some(hint.to_owned()));
                return None;
            }
            (_, _, _) => {
                let message = "one probe asks one thing: `tcp`, `http` or `command`";
                findings.at_value(at, message, Some("make a probe of each".to_owned()));
                return None;
            }
        };
        if self.status.is_some() && self.http.is_none() {
            findings.at_value(&at.key("status"), "only `http` has a status", Some("remove it".to_owned()));
            return None;
        }
        let known = check(at, &asks, findings);
        let levels: Vec<ProfileName> = self.levels.iter().filter_map(|level| level.parse().ok()).collect();
        // Levels that are no names are told with those that the environment does not have.
        known.then_some(Probe { asks, levels })
    }
}

/// Whether what is asked can be asked; what is wrong goes to `findings`.
fn check(at: &Path<'_>, asks: &Ask, findings: &mut Findings<'_, '_>) -> bool {
    let key = match asks {
        Ask::Tcp(_) => at.key("tcp"),
        Ask::Http { .. } => at.key("http"),
        Ask::Command(_) => at.key("command"),
    };
    let outputs: Result<Vec<Vec<&str>>, String> = texts(asks).map(outputs_in).collect();
    let names_outputs = match outputs {
        Ok(names) => names.iter().any(|names| !names.is_empty()),
        Err(message) => {
            findings.at_value(&key, message, Some("write it like `{output.address}`".to_owned()));
            return false;
        }
    };
    let (message, hint) = match asks {
        Ask::Tcp(address) if !names_outputs && !has_port(address) => {
            (format!("{} is not `HOST:PORT`", quoted(address)), "write it like `10.0.0.7:1099`".to_owned())
        }
        Ask::Http { url, .. } if url.starts_with("https://") => {
            let hint = format!("use `command = [\"curl\", \"-fsS\", {}]`", quoted(url).replace('`', "\""));
            ("a probe speaks HTTP without TLS only".to_owned(), hint)
        }
        Ask::Http { url, .. } if !names_outputs && parts(url).is_none() => (
            format!("{} is not an `http://` address", quoted(url)),
            "write it like `http://10.0.0.7/health`".to_owned(),
        ),
        Ask::Command(argv) if argv.first().is_none_or(|program| program.trim().is_empty()) => {
            ("this names no program".to_owned(), "write `[\"PROGRAM\", \"ARGUMENT\"]`".to_owned())
        }
        Ask::Tcp(_) | Ask::Http { .. } | Ask::Command(_) => return true,
    };
    findings.at_value(&key, message, Some(hint));
    false
}

impl EnoughSection {
    fn read(&self, at: &Path<'_>, findings: &mut Findings<'_, '_>) -> Option<Enough> {
        match self {
            Self::Count(count) => Some(Enough::Count(*count)),
            Self::Share(text) => {
                let share = text.strip_suffix('%').and_then(|number| number.parse::<u8>().ok());
                let share = share.filter(|share| (1..=100).contains(share));
                if share.is_none() {
                    let message = format!("{} is neither a share nor a number", quoted(text));
                    findings.at_value(at, message, Some("write `\"90%\"` or `36`".to_owned()));
                }
                share.map(Enough::Percent)
            }
        }
    }
}

/// `arn:aws:iam::123456789012:role/NAME`. Source: "IAM identifiers" of the IAM user guide.
fn is_role(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, role] = parts.as_slice() else { return false };
    let name = role.strip_prefix("role/").unwrap_or_default();
    *arn == "arn"
        && partition.starts_with("aws")
        && *service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.chars().all(|c| c.is_ascii_digit())
        && !name.is_empty()
        && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}
