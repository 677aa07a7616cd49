//! What carries the tags of an environment and stands in none of its states. Pure: asking is [`super::Signed`]'s.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::state::StateError;
use crate::domain::drift::Stray;

/// The tags that every resource of a stack carries.
pub const ENVIRONMENT_TAG: &str = "tidegate:environment";
/// See [`ENVIRONMENT_TAG`].
pub const STACK_TAG: &str = "tidegate:stack";

/// The tag that Auto Scaling gives the instances of a group.
const GROUP_TAG: &str = "aws:autoscaling:groupName";

/// Something that AWS lists by its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// Its ARN.
    pub arn: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What a state has, by the names that AWS gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// How often it was written; 0 where there is no state.
    pub serial: u64,
    /// Which state it is; `None` where there is none.
    pub lineage: Option<String>,
    arns: BTreeSet<String>,
    ids: BTreeSet<String>,
    /// Names of Auto Scaling groups: what they launch is in no state, and is theirs.
    groups: BTreeSet<String>,
}

#[derive(Deserialize)]
struct File {
    version: u64,
    #[serde(default)]
    serial: u64,
    #[serde(default)]
    lineage: String,
    #[serde(default)]
    resources: Vec<ResourceOf>,
}

#[derive(Deserialize)]
struct ResourceOf {
    mode: String,
    r#type: String,
    #[serde(default)]
    instances: Vec<InstanceOf>,
}

#[derive(Deserialize)]
struct InstanceOf {
    #[serde(default)]
    attributes: Option<Names>,
}

#[derive(Deserialize)]
struct Names {
    #[serde(default)]
    arn: Value,
    #[serde(default)]
    id: Value,
    #[serde(default)]
    name: Value,
}

impl Known {
    /// Reads what `terraform state pull` printed.
    ///
    /// # Errors
    /// [`StateError`]; an unreadable state is never taken for one without resources.
    pub fn read(text: &[u8]) -> Result<Self, StateError> {
        if text.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let file: File = serde_json::from_slice(text)
            .map_err(|error| StateError::NotAState(format!("{:?} at line {}", error.classify(), error.line())))?;
        if file.version != 4 {
            return Err(StateError::Version(file.version));
        }
        let lineage = Some(file.lineage).filter(|lineage| !lineage.is_empty());
        let mut known = Self { serial: file.serial, lineage, ..Self::default() };
        for resource in file.resources.iter().filter(|resource| resource.mode == "managed") {
            for names in resource.instances.iter().filter_map(|instance| instance.attributes.as_ref()) {
                known.arns.extend(names.arn.as_str().map(str::to_owned));
                known.ids.extend(names.id.as_str().map(str::to_owned));
                if resource.r#type == super::GROUP {
                    known.groups.extend(names.name.as_str().map(str::to_owned));
                }
            }
        }
        Ok(known)
    }

    /// Whether the state has it, or a group that the state has launched it.
    #[must_use]
    pub fn has(&self, tagged: &Tagged) -> bool {
        let group = tagged.tags.get(GROUP_TAG);
        self.arns.contains(&tagged.arn)
            || tail(&tagged.arn).is_some_and(|id| self.ids.contains(id))
            || group.is_some_and(|group| self.groups.contains(group))
            // A disk or an interface of what a group launched tells no group; who has groups may have those.
            || (!self.groups.is_empty() && matches!(kind(&tagged.arn), Some("aws_ebs_volume" | "aws_network_interface")))
    }

    /// Whether nothing stands in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.arns.is_empty() && self.ids.is_empty()
    }

    /// The accounts that the state's resources are in.
    #[must_use]
    pub fn accounts(&self) -> BTreeSet<&str> {
        self.arns.iter().filter_map(|arn| account(arn)).collect()
    }

    /// A region that the state's resources are in.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.arns.iter().find_map(|arn| arn.split(':').nth(3).filter(|region| !region.is_empty()))
    }
}

/// What stands in no state, with whether its tag names a stack that there is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Of {
    /// What.
    pub stray: Stray,
    /// It is of no stack that there is: one that was renamed or taken away has left it, or nobody tagged it.
    pub of_none: bool,
}

/// Sorts what carries an environment's tag: what stands in none of the states known here and is this stack's, or of none of the
/// environment's `stacks` (one that was renamed or taken away has left it), and what is of others and stands in this one's state.
#[must_use]
pub fn sort(stack: &str, stacks: &[&str], known: &Known, all: &[Tagged]) -> (Vec<Of>, Vec<String>) {
    let is_own = |tagged: &Tagged| stack_of(tagged).is_none_or(|of| of == stack || !stacks.contains(&of));
    let strays = all.iter().filter(|tagged| is_own(tagged) && !known.has(tagged));
    let of = |tagged: &Tagged| Of { stray: stray(tagged), of_none: stack_of(tagged) != Some(stack) };
    let mut strays: Vec<Of> = strays.map(of).collect();
    strays.sort();
    let here = all.iter().filter(|tagged| stack_of(tagged) != Some(stack) && known.has(tagged));
    (strays, here.map(|tagged| tagged.arn.clone()).collect())
}

fn stack_of(tagged: &Tagged) -> Option<&str> {
    tagged.tags.get(STACK_TAG).map(String::as_str)
}

fn stray(tagged: &Tagged) -> Stray {
    let kind = kind(&tagged.arn);
    let by_arn = matches!(kind, Some("aws_lb" | "aws_lb_target_group"));
    let id = if by_arn { Some(tagged.arn.as_str()) } else { tail(&tagged.arn) };
    Stray {
        arn: tagged.arn.clone(),
        kind: kind.map(str::to_owned),
        id: id.filter(|_| kind.is_some()).map(str::to_owned),
        name: tagged.tags.get("Name").cloned(),
        since: None,
    }
}

/// The account in an ARN; some name none, as that of a bucket, and AWS's own things are of `aws`.
#[must_use]
pub fn account(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty() && *account != "aws")
}

/// What stands last in an ARN: `vpc-1` of `arn:aws:ec2:eu-west-1:1:vpc/vpc-1`, `shop` of `arn:aws:rds:eu-west-1:1:db:shop`.
fn tail(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?;
    resource.rsplit(['/', ':']).next().filter(|id| !id.is_empty())
}

/// The type of Terraform resource for an ARN. Source: the "Import" sections of the AWS provider's documentation.
fn kind(arn: &str) -> Option<&'static str> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let service = parts.next()?;
    let resource = parts.nth(2)?;
    let noun = resource.split(['/', ':']).next()?;
    Some(match (service, noun) {
        ("ec2", "instance") => "aws_instance",
        ("ec2", "volume") => "aws_ebs_volume",
        ("ec2", "network-interface") => "aws_network_interface",
        ("ec2", "security-group") => "aws_security_group",
        ("ec2", "subnet") => "aws_subnet",
        ("ec2", "vpc") => "aws_vpc",
        ("ec2", "internet-gateway") => "aws_internet_gateway",
        ("ec2", "natgateway") => "aws_nat_gateway",
        ("ec2", "elastic-ip") => "aws_eip",
        ("ec2", "launch-template") => "aws_launch_template",
        ("ec2", "route-table") => "aws_route_table",
        ("autoscaling", "autoScalingGroup") => "aws_autoscaling_group",
        ("rds", "db") => "aws_db_instance",
        ("elasticloadbalancing", "loadbalancer") => "aws_lb",
        ("elasticloadbalancing", "targetgroup") => "aws_lb_target_group",
        ("s3", _) => "aws_s3_bucket",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tagged(arn: &str, tags: &[(&str, &str)]) -> Tagged {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Tagged { arn: arn.to_owned(), tags }
    }

    #[test]
    fn what_stands_in_no_state_is_told_and_what_groups_launch_is_theirs() {
        let arn = |what: &str| format!("arn:aws:ec2:eu-west-1:1:{what}");
        let state = json!({ "version": 4, "resources": [
            { "mode": "managed", "type": "aws_vpc", "instances": [{ "attributes": { "id": "vpc-1", "arn": arn("vpc/vpc-1") } }] },
            { "mode": "managed", "type": "aws_nat_gateway", "instances": [{ "attributes": { "id": "nat-1" } }] },
            { "mode": "managed", "type": "aws_autoscaling_group", "instances": [{ "attributes": { "name": "slaves" } }] },
            { "mode": "data", "type": "aws_vpc", "instances": [{ "attributes": { "id": "vpc-2" } }] },
        ] });
        let known = Known::read(state.to_string().as_bytes()).expect("a state");
        let jmeter = (STACK_TAG, "jmeter");
        let all = [
            tagged(&arn("vpc/vpc-1"), &[jmeter]),
            tagged(&arn("natgateway/nat-1"), &[jmeter]),
            tagged(&arn("instance/i-1"), &[jmeter, (GROUP_TAG, "slaves")]),
            tagged(&arn("volume/vol-1"), &[jmeter]),
            tagged(&arn("instance/i-2"), &[jmeter, (GROUP_TAG, "of others"), ("Name", "日本")]),
            tagged(&arn("vpc/vpc-2"), &[jmeter]),
            tagged(&arn("vpc/vpc-3"), &[(STACK_TAG, "app")]),
            tagged("arn:aws:sns:eu-west-1:1:topic", &[jmeter]),
            tagged(&arn("vpc/vpc-4"), &[(STACK_TAG, "renamed since")]),
            tagged(&arn("vpc/vpc-5"), &[]),
        ];
        let stacks = ["app", "jmeter"];
        let (strays, here) = sort("jmeter", &stacks, &known, &all);
        let told: Vec<_> = strays.iter().map(|of| (of.stray.kind.as_deref(), of.stray.id.as_deref())).collect();
        assert_eq!(
            told,
            [
                (Some("aws_instance"), Some("i-2")),
                (Some("aws_vpc"), Some("vpc-2")),
                (Some("aws_vpc"), Some("vpc-4")),
                (Some("aws_vpc"), Some("vpc-5")),
                (None, None)
            ],
            "{strays:?}"
        );
        let of_none: Vec<bool> = strays.iter().map(|of| of.of_none).collect();
        assert_eq!(of_none, [false, false, true, true, false], "{strays:?}");
        assert_eq!(here, Vec::<String>::new());
        assert_eq!(sort("app", &stacks, &known, &all).1.len(), 4, "what another stack's tag is on and this state has");
        assert_eq!(known.region(), Some("eu-west-1"));
        assert!(Known::read(b"{").is_err() && Known::read(b"").is_ok_and(|known| known == Known::default()));
    }
}
