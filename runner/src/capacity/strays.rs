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
    /// What an instance brings with it has its tags, and stands nowhere but in the instance.
    #[serde(default)]
    root_block_device: Value,
    #[serde(default)]
    ebs_block_device: Value,
    #[serde(default)]
    primary_network_interface_id: Value,
}

impl Names {
    fn ids(&self) -> impl Iterator<Item = String> {
        let disks = [&self.root_block_device, &self.ebs_block_device].into_iter().filter_map(Value::as_array).flatten();
        let parts = disks.map(|disk| &disk["volume_id"]).chain([&self.id, &self.primary_network_interface_id]);
        parts.filter_map(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned)
    }
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
                known.ids.extend(names.ids());
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
            || group_name(&tagged.arn).is_some_and(|name| self.groups.contains(name))
            || log_group(&tagged.arn).is_some_and(|name| self.ids.contains(name))
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

    /// The accounts and regions that the state's resources are in, but for those of what has no region.
    pub fn places(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.arns.iter().filter_map(|arn| Some((account(arn)?, arn.split(':').nth(3)?)));
        all.filter(|(account, region)| !account.is_empty() && !region.is_empty())
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
    /// Its tags, as AWS lists them.
    pub tags: BTreeMap<String, String>,
    /// It is of no stack that there is: one that was renamed or taken away has left it, or nobody tagged it.
    pub of_none: bool,
}

/// Sorts what carries an environment's tag: what stands in none of the states known here and is this stack's, or of none of the
/// environment's `stacks` (one that was renamed or taken away has left it), and what is of others and stands in this one's state.
#[must_use]
pub fn sort(stack: &str, stacks: &[&str], known: &Known, all: &[Tagged]) -> (Vec<Of>, Vec<String>) {
    let is_own = |tagged: &Tagged| stack_of(tagged).is_none_or(|of| of == stack || !stacks.contains(&of));
    let strays = all.iter().filter(|tagged| is_own(tagged) && !known.has(tagged));
    let of = |tagged: &Tagged| {
        let of_none = stack_of(tagged) != Some(stack);
        Of { stray: stray(tagged), tags: tagged.tags.clone(), of_none }
    };
    let mut strays: Vec<Of> = strays.map(of).collect();
    strays.sort();
    let here = all.iter().filter(|tagged| stack_of(tagged) != Some(stack) && known.has(tagged));
    (strays, here.map(|tagged| tagged.arn.clone()).collect())
}

fn stack_of(tagged: &Tagged) -> Option<&str> {
    tagged.tags.get(STACK_TAG).map(String::as_str)
}

/// What an ARN alone tells of something.
#[must_use]
pub fn named(arn: &str) -> Stray {
    stray(&Tagged { arn: arn.to_owned(), tags: BTreeMap::new() })
}

fn stray(tagged: &Tagged) -> Stray {
    let kind = kind(&tagged.arn);
    let id = match kind {
        Some("aws_lb" | "aws_lb_target_group") => Some(tagged.arn.as_str()),
        Some("aws_autoscaling_group") => group_name(&tagged.arn),
        // Its name begins with a slash as a rule.
        Some("aws_cloudwatch_log_group") => log_group(&tagged.arn),
        Some(_) => tail(&tagged.arn),
        None => None,
    };
    Stray {
        arn: tagged.arn.clone(),
        kind: kind.map(str::to_owned),
        id: id.map(str::to_owned),
        name: tagged.tags.get("Name").cloned(),
        since: None,
        seen: None,
        stays: owner(&tagged.tags),
    }
}

/// Tags by which services, and what works by them, mark what they made for themselves, each with what they call it. Source: the
/// documentation of each: "Tag your ...", "Resources that ... creates".
const OWNERS: [(&str, &str); 22] = [
    ("aws:cloudformation:stack-name", "the CloudFormation stack"),
    (GROUP_TAG, "the Auto Scaling group"),
    ("aws:ec2:fleet-id", "the EC2 fleet"),
    ("aws:ec2spot:fleet-request-id", "the Spot fleet"),
    ("aws:elasticmapreduce:job-flow-id", "the EMR cluster"),
    ("elasticbeanstalk:environment-name", "the Elastic Beanstalk environment"),
    ("elasticbeanstalk:environment-id", "the Elastic Beanstalk environment"),
    ("aws:eks:cluster-name", "the EKS cluster"),
    ("eks:cluster-name", "the EKS cluster"),
    ("eks:nodegroup-name", "the EKS node group"),
    ("aws:ecs:clusterName", "the ECS cluster"),
    ("AmazonECSManaged", "ECS"),
    ("AWSBatchServiceTag", "AWS Batch"),
    ("aws:batch:compute-environment", "the AWS Batch environment"),
    ("aws:servicecatalog:provisionedProductArn", "the Service Catalog product"),
    ("aws:backup:source-resource", "AWS Backup, for"),
    ("aws:dlm:lifecycle-policy-id", "the lifecycle policy"),
    ("opsworks:stack", "the OpsWorks stack"),
    ("parallelcluster:cluster-name", "the ParallelCluster"),
    ("elbv2.k8s.aws/cluster", "the Kubernetes cluster"),
    ("karpenter.sh/nodepool", "the Karpenter node pool"),
    ("cluster.x-k8s.io/cluster-name", "the Kubernetes cluster"),
];

/// Beginnings of such tags whose end or value tells whose it is.
const OWNERS_BY_BEGINNING: [&str; 4] =
    ["kubernetes.io/cluster/", "sigs.k8s.io/cluster-api-provider-aws/", "k8s.io/cluster-autoscaler/", "karpenter."];

/// What EC2 writes on whatever was started by a template, also where nobody but Terraform started it.
const TEMPLATE: &str = "aws:ec2launchtemplate:";

/// Whose it is, in half a sentence, where a service made it for something else: what is taken from under that would be made again, or
/// missed by it.
#[must_use]
pub fn owner(tags: &BTreeMap<String, String>) -> Option<String> {
    let known = OWNERS.iter().find_map(|(key, what)| Some(format!("it belongs to {what} {}", tags.get(*key)?)));
    known.or_else(|| {
        let is_owner = |key: &&String| {
            OWNERS_BY_BEGINNING.iter().any(|beginning| key.starts_with(beginning))
                // Nobody but AWS itself can write a tag that begins so.
                || (key.starts_with("aws:") && !key.starts_with(TEMPLATE))
        };
        let key = tags.keys().find(is_owner)?;
        Some(format!("it belongs to what gave it the tag `{key}`"))
    })
}

/// Whether it carries exactly the tags of this stack of this environment.
#[must_use]
pub fn is_of(tags: &BTreeMap<String, String>, environment: &str, stack: &str) -> bool {
    tags.get(ENVIRONMENT_TAG).is_some_and(|of| of == environment) && tags.get(STACK_TAG).is_some_and(|of| of == stack)
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

/// The name of an Auto Scaling group, which may have slashes in it: all that follows `autoScalingGroup:UUID:autoScalingGroupName/`.
fn group_name(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?.strip_prefix("autoScalingGroup:")?;
    let (_, name) = resource.split_once(":autoScalingGroupName/")?;
    Some(name).filter(|name| !name.is_empty())
}

/// The name of a log group, without the star that some answers end its ARN with.
fn log_group(arn: &str) -> Option<&str> {
    let name = arn.splitn(6, ':').nth(5)?.strip_prefix("log-group:")?;
    Some(name.strip_suffix(":*").unwrap_or(name)).filter(|name| !name.is_empty())
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
        ("elasticloadbalancing", "loadbalancer") => match resource.split('/').nth(1)? {
            "app" | "net" | "gwy" => "aws_lb",
            // A classic one, which is deleted by another call.
            _ => "aws_elb",
        },
        ("elasticloadbalancing", "targetgroup") => "aws_lb_target_group",
        ("s3", _) => "aws_s3_bucket",
        ("logs", "log-group") => "aws_cloudwatch_log_group",
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
        assert_eq!(strays[0].stray.stays.as_deref(), Some("it belongs to the Auto Scaling group of others"));
        assert!(Known::read(b"{").is_err() && Known::read(b"").is_ok_and(|known| known == Known::default()));
    }

    #[test]
    fn what_an_instance_brings_with_it_stands_in_its_state() {
        let state = json!({ "version": 4, "resources": [{ "mode": "managed", "type": "aws_instance", "instances": [{ "attributes": {
            "id": "i-1", "primary_network_interface_id": "eni-1", "ebs_block_device": [],
            "root_block_device": [{ "volume_id": "vol-1", "volume_size": 30 }]
        } }] }] });
        let known = Known::read(state.to_string().as_bytes()).expect("a state");
        let has = |what: &str| known.has(&tagged(&format!("arn:aws:ec2:eu-west-1:1:{what}"), &[]));
        assert!(has("instance/i-1") && has("volume/vol-1") && has("network-interface/eni-1"));
        assert!(!has("volume/vol-2") && !has("network-interface/eni-2"), "what is of nobody");
    }

    #[test]
    fn what_a_service_made_for_something_else_is_told_with_its_owner() {
        let told = |key: &str, value: &str| owner(&BTreeMap::from([(key.to_owned(), value.to_owned())]));
        for (key, _) in OWNERS {
            let of = told(key, "日本/a&b").expect(key);
            assert!(of.starts_with("it belongs to ") && of.ends_with(" 日本/a&b"), "{key}: {of}");
        }
        for key in ["kubernetes.io/cluster/blue", "karpenter.k8s.aws/ec2nodeclass", "aws:something:new"] {
            assert_eq!(told(key, "owned"), Some(format!("it belongs to what gave it the tag `{key}`")));
        }
        for key in [ENVIRONMENT_TAG, "Name", "aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version", "AWS:x"] {
            assert_eq!(told(key, "x"), None, "{key}");
        }
    }

    #[test]
    fn only_exactly_these_tags_are_those_of_a_stack() {
        let of = |environment: &str, stack: &str| {
            let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
            is_of(&[tag(ENVIRONMENT_TAG, environment), tag(STACK_TAG, stack)].into(), "shop", "app")
        };
        assert!(of("shop", "app"));
        for (environment, stack) in [("shop ", "app"), ("Shop", "app"), ("shop2", "app"), ("shop", "jmeter"), ("", "")]
        {
            assert!(!of(environment, stack), "{environment}/{stack}");
        }
        assert!(!is_of(&[(ENVIRONMENT_TAG.to_owned(), "shop".to_owned())].into(), "shop", "app"), "of no stack");
    }

    #[test]
    fn an_arn_is_taken_apart_exactly() {
        let of = |arn: &str| {
            let stray = stray(&tagged(arn, &[]));
            (stray.kind.unwrap_or_default(), stray.id.unwrap_or_default())
        };
        let group = "arn:aws:autoscaling:eu-west-1:1:autoScalingGroup:930d:autoScalingGroupName/";
        let is = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());
        assert_eq!(of(&format!("{group}team/slaves")), is("aws_autoscaling_group", "team/slaves"));
        assert_eq!(of(&format!("{group}a&b:c")), is("aws_autoscaling_group", "a&b:c"));
        let balancer = |what: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/{what}");
        assert_eq!(of(&balancer("app/shop/50dc")), is("aws_lb", &balancer("app/shop/50dc")));
        assert_eq!(of(&balancer("shop")).0, "aws_elb");
        let logs = "arn:aws:logs:eu-west-1:1:log-group:/aws/shop";
        assert_eq!(of(logs), is("aws_cloudwatch_log_group", "/aws/shop"));
        assert_eq!(of(&format!("{logs}:*")), is("aws_cloudwatch_log_group", "/aws/shop"));
        let state = json!({ "version": 4, "resources": [{ "mode": "managed", "type": "aws_autoscaling_group",
            "instances": [{ "attributes": { "name": "team/slaves" } }] }] });
        let known = Known::read(state.to_string().as_bytes()).expect("a state");
        assert!(known.has(&tagged(&format!("{group}team/slaves"), &[])));
        assert!(!known.has(&tagged(&format!("{group}others/slaves"), &[])));
    }
}
