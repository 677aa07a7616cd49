//! What others changed since the last apply: told once, then adopted or repaired.

use std::fmt::Write as _;

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::changes::Change;
use super::environment::{Environment, Level, SettingValue};
use super::ids::{StackName, Timestamp};
use super::request::{RunRequest, Target, check_value, value_at};
use super::run::RunView;

/// What the configuration says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriftRules {
    /// When it is looked for each day, on the clock of the environment; `None`: only when somebody asks.
    pub at: Option<NaiveTime>,
    /// Globs over addresses, and over an address with an attribute after a point: nobody wants to hear of those.
    pub ignore: Vec<String>,
    /// CloudTrail is asked who did what was found.
    pub who: bool,
    /// Accounts in which what no state knows may be taken away: nobody else gives anything the tags of this environment there.
    pub remove_in: Vec<String>,
    /// How long before its schedules raise it it is looked whether anything stands in the way, in seconds; `None`: it is not.
    pub preflight_s: Option<u32>,
}

/// Something that carries the tags of a stack and stands in no state of its environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stray {
    /// Its ARN.
    pub arn: String,
    /// The type of Terraform resource that it is, where that is known: `aws_instance`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// By what Terraform imports it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its tag `Name`, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Since when it is there, where AWS tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When Tidegate first found it in no state, and ever since; `None` where it did not look before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
    /// Why Tidegate does not take it away, in half a sentence; `None` for what it may, or where that was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stays: Option<String>,
}

/// How something is billed as long as it is there, whatever it does. Sums are the business of who has the prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billed {
    /// For each hour.
    ByHour,
    /// For its size, for each month.
    BySize,
    /// Not at all by itself.
    Free,
}

/// How a kind of resource is billed; `None` where that is not known here. Source: the price pages of EC2, EBS, VPC, Elastic Load Balancing, RDS
/// and S3.
#[must_use]
pub fn billed(kind: &str) -> Option<Billed> {
    Some(match kind {
        "aws_instance" | "aws_nat_gateway" | "aws_eip" | "aws_lb" | "aws_elb" | "aws_db_instance" => Billed::ByHour,
        "aws_ebs_volume" | "aws_s3_bucket" | "aws_cloudwatch_log_group" => Billed::BySize,
        "aws_autoscaling_group"
        | "aws_launch_template"
        | "aws_lb_target_group"
        | "aws_network_interface"
        | "aws_security_group"
        | "aws_subnet"
        | "aws_vpc"
        | "aws_route_table"
        | "aws_internet_gateway" => Billed::Free,
        _ => return None,
    })
}

/// Somebody who wrote to a resource outside Tidegate, as CloudTrail tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doer {
    /// Address of the resource.
    pub address: String,
    /// Who, as CloudTrail names them: `ito (role admin)`.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Which call of AWS it was: `SetDesiredCapacity`.
    pub event: String,
}

/// A digest of everything that a look found, and of what it could not look at; `None` where there is neither. The same is told once.
#[must_use]
pub fn digest(view: &RunView) -> Option<String> {
    let mut all: Vec<_> = view
        .stacks
        .iter()
        .flat_map(|(name, stack)| stack.plan.iter().flat_map(move |plan| plan.drift.iter().map(move |one| (name, one))))
        .map(|(name, Change { address, action, reason })| {
            serde_json::json!([name, address, action, reason]).to_string()
        })
        .collect();
    let moved = view.stacks.iter().filter_map(|(name, stack)| Some((name, stack.plan.as_ref()?.moved()?)));
    all.extend(moved.map(|(name, moved)| serde_json::json!([name, moved.serial, moved.left]).to_string()));
    all.extend(view.strays().map(|(name, stray)| serde_json::json!([name, stray.arn]).to_string()));
    let troubles = view.stacks.iter().flat_map(|(name, stack)| stack.troubles.iter().map(move |one| (name, one)));
    all.extend(troubles.map(|(name, trouble)| serde_json::json!([name, trouble]).to_string()));
    let needs = super::quota::short(view.stacks.values().flat_map(|stack| &stack.needs));
    all.extend(
        needs.iter().map(|need| serde_json::json!(["needs", need.quota, need.account, need.region]).to_string()),
    );
    let unswept = view
        .stacks
        .iter()
        .flat_map(|(name, stack)| [&stack.doubt, &stack.unswept].into_iter().flatten().map(move |why| (name, why)));
    all.extend(unswept.map(|(name, why)| serde_json::json!([name, why]).to_string()));
    all.sort();
    let mut hash = Sha256::new();
    for line in &all {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    (!all.is_empty()).then(|| hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The order that brings an environment back to where it is wanted, whatever others did to it.
#[must_use]
pub fn repair(request: &RunRequest) -> String {
    let name = &request.environment;
    let Target { level, settings } = &request.target;
    if *level == Level::Off {
        return format!("down {name} off");
    }
    let mut line = format!("up {name} {level}");
    for (setting, value) in settings {
        let _ = write!(line, " {setting}={value}");
    }
    line
}

/// What a person runs to take a stray away, where one line does it and takes nothing else along. What others depend on is refused by AWS.
#[must_use]
pub fn removal(stray: &Stray) -> Option<String> {
    let (kind, id) = (stray.kind.as_deref()?, stray.id.as_deref()?);
    // Pasted into a shell as it is: an id with anything else in it is not offered.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    if !id.chars().all(plain) || id.starts_with('-') {
        return None;
    }
    Some(match kind {
        "aws_instance" => format!("aws ec2 terminate-instances --instance-ids {id}"),
        "aws_ebs_volume" => format!("aws ec2 delete-volume --volume-id {id}"),
        "aws_security_group" => format!("aws ec2 delete-security-group --group-id {id}"),
        "aws_subnet" => format!("aws ec2 delete-subnet --subnet-id {id}"),
        "aws_vpc" => format!("aws ec2 delete-vpc --vpc-id {id}"),
        "aws_route_table" => format!("aws ec2 delete-route-table --route-table-id {id}"),
        "aws_network_interface" => format!("aws ec2 delete-network-interface --network-interface-id {id}"),
        "aws_internet_gateway" => format!("aws ec2 delete-internet-gateway --internet-gateway-id {id}"),
        "aws_nat_gateway" => format!("aws ec2 delete-nat-gateway --nat-gateway-id {id}"),
        "aws_eip" => format!("aws ec2 release-address --allocation-id {id}"),
        "aws_launch_template" => format!("aws ec2 delete-launch-template --launch-template-id {id}"),
        // Without `--force-delete`, which would end its instances: AWS refuses while it has any.
        "aws_autoscaling_group" => {
            format!("aws autoscaling delete-auto-scaling-group --auto-scaling-group-name {id}")
        }
        // AWS refuses while anything is in it.
        "aws_s3_bucket" => format!("aws s3api delete-bucket --bucket {id}"),
        "aws_cloudwatch_log_group" => format!("aws logs delete-log-group --log-group-name {id}"),
        "aws_elb" => format!("aws elb delete-load-balancer --load-balancer-name {id}"),
        "aws_lb" => format!("aws elbv2 delete-load-balancer --load-balancer-arn {id}"),
        "aws_lb_target_group" => format!("aws elbv2 delete-target-group --target-group-arn {id}"),
        _ => return None,
    })
}

/// `slaves=9` for each size of a group that somebody changed by hand, from and to: where exactly one setting of the stack has the one
/// value at `target`, and may have the other.
#[must_use]
pub fn resized(
    environment: &Environment,
    stack: &StackName,
    target: &Target,
    sizes: impl Iterator<Item = (i64, i64)>,
) -> Vec<String> {
    let mut all = Vec::new();
    for (from, to) in sizes {
        let is = |value: i64| SettingValue::Number(value);
        let own = environment.settings.values().filter(|setting| setting.stack == *stack);
        let mut meant = own.filter(|setting| value_at(environment, setting, target) == Some(is(from)));
        if let (Some(setting), None) = (meant.next(), meant.next())
            && check_value(setting, &is(to)).is_ok()
        {
            all.push(format!("{}={to}", setting.name));
        }
    }
    all
}
