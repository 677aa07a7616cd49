//! Taking away what no state knows: which kinds can be, by which calls of AWS, and in which order. Pure: asking is [`super::Signed`]'s.
//!
//! By AWS's own query calls and not by Terraform: a state made for the purpose would need every argument of every kind, knows no order
//! where it has no configuration, and its provider takes six seconds for each import. What holds people's data by its nature (databases, buckets)
//! is not on the list. No call forces anything: what is in use stays, and AWS says so. An Auto Scaling group is not emptied: its instances are
//! its own, and whoever wants them gone says so to the group.
//!
//! Source of calls, parameters and codes: the API references of EC2, Auto Scaling and Elastic Load Balancing v2.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::DateTime;

use crate::domain::drift::Stray;
use crate::domain::ids::Timestamp;

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// EC2.
    Ec2,
    /// Auto Scaling.
    AutoScaling,
    /// Elastic Load Balancing, version 2.
    Balancing,
}

impl Service {
    /// As in the name of its host, in its signature and in the names of rights.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::AutoScaling => "autoscaling",
            Self::Balancing => "elasticloadbalancing",
        }
    }

    /// As in `AWS_ENDPOINT_URL_...`.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::Ec2 => "EC2",
            Self::AutoScaling => "AUTO_SCALING",
            Self::Balancing => "ELASTIC_LOAD_BALANCING_V2",
        }
    }

    /// The version of its API.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Ec2 => "2016-11-15",
            Self::AutoScaling => "2011-01-01",
            Self::Balancing => "2015-12-01",
        }
    }
}

/// One call: an action with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Whom.
    pub service: Service,
    /// What, as in the names of rights.
    pub action: &'static str,
    /// With what.
    pub parameters: Vec<(&'static str, String)>,
}

impl Call {
    /// The body of the request. Everything but what stands for itself everywhere is written as its bytes: `/`, `&` and the rest mean nothing here.
    #[must_use]
    pub fn form(&self) -> String {
        let mut body = format!("Action={}&Version={}", self.action, self.service.version());
        for (name, value) in &self.parameters {
            let _ = write!(body, "&{name}=");
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                    body.push(char::from(byte));
                } else {
                    let _ = write!(body, "%{byte:02X}");
                }
            }
        }
        body
    }

    /// As the right to it is called in a policy.
    #[must_use]
    pub fn right(&self) -> String {
        format!("{}:{}", self.service.as_str(), self.action)
    }
}

/// How a kind of resource is taken away.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// As Terraform calls it.
    name: &'static str,
    service: Service,
    /// How ids of this kind begin.
    begins: &'static str,
    delete: (&'static str, &'static str),
    look: (&'static str, &'static str),
    /// The error by which AWS says that there is none, or its beginning.
    none: &'static str,
    /// What an answer has that tells of one that is gone.
    over: &'static [&'static str],
    /// The element that tells since when it is there.
    since: Option<&'static str>,
}

const fn ec2(
    kind: &'static str,
    begins: &'static str,
    delete: (&'static str, &'static str),
    look: (&'static str, &'static str),
    none: &'static str,
) -> Kind {
    Kind { name: kind, service: Service::Ec2, begins, delete, look, none, over: &[], since: None }
}

/// What can be taken away, in the order in which it goes: whatever makes or holds others before what it makes or stands in.
const KINDS: [Kind; 14] = [
    Kind {
        name: "aws_autoscaling_group",
        service: Service::AutoScaling,
        begins: "",
        // Never with `ForceDelete`, which would end whatever instances it has.
        delete: ("DeleteAutoScalingGroup", "AutoScalingGroupName"),
        look: ("DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1"),
        none: "-",
        over: &[],
        since: Some("CreatedTime"),
    },
    Kind {
        over: &["<name>terminated</name>"],
        since: Some("launchTime"),
        ..ec2(
            "aws_instance",
            "i-",
            ("TerminateInstances", "InstanceId.1"),
            ("DescribeInstances", "InstanceId.1"),
            "InvalidInstanceID.NotFound",
        )
    },
    Kind {
        name: "aws_lb",
        service: Service::Balancing,
        begins: "arn:aws",
        delete: ("DeleteLoadBalancer", "LoadBalancerArn"),
        look: ("DescribeLoadBalancers", "LoadBalancerArns.member.1"),
        none: "LoadBalancerNotFound",
        over: &[],
        since: Some("CreatedTime"),
    },
    Kind {
        name: "aws_lb_target_group",
        service: Service::Balancing,
        begins: "arn:aws",
        delete: ("DeleteTargetGroup", "TargetGroupArn"),
        look: ("DescribeTargetGroups", "TargetGroupArns.member.1"),
        none: "TargetGroupNotFound",
        over: &[],
        since: None,
    },
    Kind {
        since: Some("createTime"),
        ..ec2(
            "aws_launch_template",
            "lt-",
            ("DeleteLaunchTemplate", "LaunchTemplateId"),
            ("DescribeLaunchTemplates", "LaunchTemplateId.1"),
            "InvalidLaunchTemplateId.NotFound",
        )
    },
    Kind {
        over: &["<state>deleted</state>"],
        since: Some("createTime"),
        ..ec2(
            "aws_nat_gateway",
            "nat-",
            ("DeleteNatGateway", "NatGatewayId"),
            ("DescribeNatGateways", "NatGatewayId.1"),
            "NatGatewayNotFound",
        )
    },
    ec2(
        "aws_eip",
        "eipalloc-",
        ("ReleaseAddress", "AllocationId"),
        ("DescribeAddresses", "AllocationId.1"),
        "InvalidAllocationID.NotFound",
    ),
    ec2(
        "aws_network_interface",
        "eni-",
        ("DeleteNetworkInterface", "NetworkInterfaceId"),
        ("DescribeNetworkInterfaces", "NetworkInterfaceId.1"),
        "InvalidNetworkInterfaceID.NotFound",
    ),
    Kind {
        since: Some("createTime"),
        ..ec2(
            "aws_ebs_volume",
            "vol-",
            ("DeleteVolume", "VolumeId"),
            ("DescribeVolumes", "VolumeId.1"),
            "InvalidVolume.NotFound",
        )
    },
    ec2(
        "aws_security_group",
        "sg-",
        ("DeleteSecurityGroup", "GroupId"),
        ("DescribeSecurityGroups", "GroupId.1"),
        "InvalidGroup.NotFound",
    ),
    ec2(
        "aws_subnet",
        "subnet-",
        ("DeleteSubnet", "SubnetId"),
        ("DescribeSubnets", "SubnetId.1"),
        "InvalidSubnetID.NotFound",
    ),
    ec2(
        "aws_route_table",
        "rtb-",
        ("DeleteRouteTable", "RouteTableId"),
        ("DescribeRouteTables", "RouteTableId.1"),
        "InvalidRouteTableID.NotFound",
    ),
    ec2(
        "aws_internet_gateway",
        "igw-",
        ("DeleteInternetGateway", "InternetGatewayId"),
        ("DescribeInternetGateways", "InternetGatewayId.1"),
        "InvalidInternetGatewayID.NotFound",
    ),
    ec2("aws_vpc", "vpc-", ("DeleteVpc", "VpcId"), ("DescribeVpcs", "VpcId.1"), "InvalidVpcID.NotFound"),
];

/// What a look at one resource tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is not there, or not any more.
    Gone,
    /// It is there.
    There(There),
    /// The answer tells neither.
    Unclear,
}

/// Something that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct There {
    /// Since when, where that is told.
    pub since: Option<Timestamp>,
    /// Its tags as they are now; `None` where this answer has none.
    pub tags: Option<BTreeMap<String, String>>,
    /// The network that an internet gateway is of: it is detached from that before.
    pub network: Option<String>,
    /// Instances that have it, or that it has.
    pub instances: Vec<String>,
}

/// A resource that can be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removable<'s> {
    kind: &'static Kind,
    /// As AWS knows it.
    pub id: &'s str,
    /// Its place in the order.
    pub order: usize,
}

impl<'s> Removable<'s> {
    /// # Errors
    /// Why Tidegate does not take it away, in half a sentence: its kind is not on the list, or its name is one that is not surely read and
    /// written as AWS means it.
    pub fn of(stray: &'s Stray) -> Result<Self, &'static str> {
        let other = "Tidegate does not delete its kind";
        let (Some(kind), Some(id)) = (stray.kind.as_deref(), stray.id.as_deref()) else { return Err(other) };
        let order = KINDS.iter().position(|known| known.name == kind).ok_or(other)?;
        let kind = KINDS.get(order).ok_or(other)?;
        let rest = id.strip_prefix(kind.begins).unwrap_or_default();
        // An ARN has more in it; the id of what EC2 numbers has less.
        let more: &[u8] = match kind.service {
            Service::Ec2 => b"",
            Service::AutoScaling => b"-_.",
            Service::Balancing => b"-_./:",
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
        if rest.is_empty() || !rest.bytes().all(plain) {
            return Err("its name has signs in it that Tidegate does not write to AWS");
        }
        Ok(Self { kind, id, order })
    }

    /// Whether it is an Auto Scaling group.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.kind.name == super::GROUP
    }

    /// The call that deletes it.
    #[must_use]
    pub fn delete(&self) -> Call {
        self.call(self.kind.delete)
    }

    /// The call that tells whether it is there.
    #[must_use]
    pub fn look(&self) -> Call {
        self.call(self.kind.look)
    }

    /// The call that takes an internet gateway out of its network.
    #[must_use]
    pub fn detach(&self, network: &str) -> Call {
        Call {
            service: Service::Ec2,
            action: "DetachInternetGateway",
            parameters: vec![("InternetGatewayId", self.id.to_owned()), ("VpcId", network.to_owned())],
        }
    }

    fn call(&self, (action, parameter): (&'static str, &'static str)) -> Call {
        Call { service: self.kind.service, action, parameters: vec![(parameter, self.id.to_owned())] }
    }

    /// Whether AWS says by this error that there is none. Any other error tells nothing.
    #[must_use]
    pub fn is_none(&self, said: &str) -> bool {
        said.starts_with(self.kind.none)
    }

    /// Whether `state`, the text of a Terraform state, speaks of it anywhere: as a resource, in what another one was made with, in an output. What
    /// EC2 numbers and ARNs are the same nowhere by chance; the name of a group is looked for as a whole text.
    #[must_use]
    pub fn is_in(&self, arn: &str, state: &str) -> bool {
        let by_id = match self.kind.service {
            Service::Ec2 | Service::Balancing => state.contains(self.id),
            Service::AutoScaling => state.contains(&format!("\"{}\"", self.id)),
        };
        by_id || state.contains(arn)
    }

    /// What an answer to [`Self::look`] tells.
    #[must_use]
    pub fn found(&self, answer: &str) -> Found {
        if !answer.contains(&format!("{}Response", self.kind.look.0)) {
            return Found::Unclear;
        }
        let is_there = answer.contains(&format!(">{}<", self.id));
        if !is_there || self.kind.over.iter().any(|over| answer.contains(over)) {
            return Found::Gone;
        }
        let (network, instances) = match self.kind.name {
            "aws_internet_gateway" => (element(answer, "vpcId").map(str::to_owned), Vec::new()),
            super::GROUP => (None, elements(answer, "InstanceId")),
            "aws_ebs_volume" => (None, elements(answer, "instanceId")),
            _ => (None, Vec::new()),
        };
        let tags = match self.kind.service {
            Service::Ec2 => Some(tags(answer, "key", "value")),
            Service::AutoScaling => Some(tags(answer, "Key", "Value")),
            Service::Balancing => None,
        };
        let since = self.kind.since.and_then(|name| element(answer, name)).and_then(moment);
        Found::There(There { since, tags, network, instances })
    }
}

/// Errors that pass once something else is gone.
#[must_use]
pub fn waits_for_others(said: &str) -> bool {
    ["DependencyViolation", "ResourceInUse", "ScalingActivityInProgress", "VolumeInUse", "InvalidIPAddress.InUse"]
        .iter()
        .any(|code| said.starts_with(code))
        || said.starts_with("InvalidNetworkInterface.InUse")
}

fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inside, _)| inside.trim())
}

fn elements(text: &str, name: &str) -> Vec<String> {
    let begins = format!("<{name}>");
    let parts = text.split(&begins).skip(1);
    parts.filter_map(|part| part.split_once('<').map(|(inside, _)| inside.trim().to_owned())).collect()
}

/// The tags in an answer. One whose text is written in a way that is not read here is another one than it is, and fits nothing.
fn tags(text: &str, key: &str, value: &str) -> BTreeMap<String, String> {
    let begins = format!("<{key}>");
    let parts = text.split(&begins).skip(1);
    parts
        .filter_map(|part| {
            let (name, rest) = part.split_once('<')?;
            Some((unescaped(name), element(rest, value).map(unescaped).unwrap_or_default()))
        })
        .collect()
}

/// Source: the entities that XML 1.0 itself has.
fn unescaped(text: &str) -> String {
    let plain = text.trim().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    plain.replace("&amp;", "&")
}

fn moment(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| Timestamp(at.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::drift::{billed, removal};

    fn stray(kind: &str, id: &str) -> Stray {
        Stray {
            arn: format!("arn:{id}"),
            kind: Some(kind.to_owned()),
            id: Some(id.to_owned()),
            name: None,
            since: None,
            seen: None,
            stays: None,
        }
    }

    /// One of each kind.
    fn one(kind: &Kind) -> Stray {
        stray(kind.name, &format!("{}0a1b", kind.begins))
    }

    #[test]
    fn whatever_makes_or_holds_others_goes_before_them() {
        let at = |kind: &str| KINDS.iter().position(|known| known.name == kind).expect(kind);
        for (first, then) in [
            ("aws_autoscaling_group", "aws_instance"),
            ("aws_instance", "aws_network_interface"),
            ("aws_instance", "aws_ebs_volume"),
            ("aws_nat_gateway", "aws_eip"),
            ("aws_lb", "aws_lb_target_group"),
            ("aws_security_group", "aws_vpc"),
            ("aws_subnet", "aws_route_table"),
            ("aws_subnet", "aws_vpc"),
            ("aws_internet_gateway", "aws_vpc"),
        ] {
            assert!(at(first) < at(then), "{first} goes before {then}");
        }
        for kind in ["aws_db_instance", "aws_s3_bucket", "aws_iam_role", "aws_elb"] {
            assert_eq!(Removable::of(&stray(kind, "x")), Err("Tidegate does not delete its kind"));
        }
    }

    #[test]
    fn what_can_be_removed_by_hand_with_one_line_can_be_by_the_same_call_and_its_price_is_told() {
        for kind in KINDS {
            let stray = one(&kind);
            let call = Removable::of(&stray).expect("removable").delete();
            assert_eq!(call.parameters.len(), 1, "nothing is forced");
            assert!(billed(kind.name).is_some(), "{}", kind.name);
            // `DeleteVpc` and `delete-vpc`.
            let line = removal(&stray).expect("a line");
            let dashed: String = call.action.chars().fold(String::new(), |mut text, c| {
                if c.is_ascii_uppercase() && !text.is_empty() {
                    text.push('-');
                }
                text.push(c.to_ascii_lowercase());
                text
            });
            assert!(line.contains(&format!(" {dashed} ")), "{line}: {dashed}");
        }
    }

    #[test]
    fn a_name_that_could_be_read_otherwise_is_refused_and_what_is_written_means_itself() {
        for (kind, id) in [
            ("aws_autoscaling_group", "team/slaves"),
            ("aws_autoscaling_group", "a&Action=DeleteVpc"),
            ("aws_autoscaling_group", "日本"),
            ("aws_autoscaling_group", ""),
            ("aws_vpc", "vpc-1/x"),
            ("aws_vpc", "vpc-"),
            ("aws_vpc", "igw-1"),
            ("aws_instance", "i-1&InstanceId.2=i-2"),
            ("aws_lb", "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/a b/1"),
        ] {
            assert_eq!(
                Removable::of(&stray(kind, id)),
                Err("its name has signs in it that Tidegate does not write to AWS"),
                "{kind} {id}"
            );
        }
        let parameters = vec![("LoadBalancerArn", "arn:aws:x/a&b=c d/日".to_owned())];
        let call = Call { service: Service::Balancing, action: "DeleteLoadBalancer", parameters };
        assert_eq!(
            call.form(),
            "Action=DeleteLoadBalancer&Version=2015-12-01&LoadBalancerArn=arn%3Aaws%3Ax%2Fa%26b%3Dc%20d%2F%E6%97%A5"
        );
    }

    #[test]
    fn only_what_aws_says_is_gone_counts_as_gone() {
        let instance = stray("aws_instance", "i-1");
        let instance = Removable::of(&instance).expect("removable");
        let answer = |state: &str| {
            format!(
                "<DescribeInstancesResponse><instanceId>i-1</instanceId><name>{state}</name>\
                 <launchTime>2026-11-20T05:54:55.000Z</launchTime><tagSet><item><key>tidegate:environment</key>\
                 <value>a &amp;lt; b</value></item><item><key>empty</key><value/></item></tagSet></DescribeInstancesResponse>"
            )
        };
        assert_eq!(instance.found(&answer("terminated")), Found::Gone);
        assert_eq!(instance.found("<DescribeInstancesResponse><reservationSet/>"), Found::Gone);
        // Another one whose id begins alike.
        assert_eq!(instance.found("<DescribeInstancesResponse><instanceId>i-12</instanceId>"), Found::Gone);
        for text in ["", "<html>busy</html>", "<DescribeVpcsResponse/>"] {
            assert_eq!(instance.found(text), Found::Unclear, "{text}");
        }
        let Found::There(there) = instance.found(&answer("shutting-down")) else { panic!("it is there") };
        assert_eq!(there.since, Some(Timestamp(1_795_154_095_000)));
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(there.tags, Some([tag("tidegate:environment", "a &lt; b"), tag("empty", "")].into()));
        assert!(instance.is_none("InvalidInstanceID.NotFound: The instance ID 'i-1' does not exist"));
        for said in ["UnauthorizedOperation: no", "", "RequestLimitExceeded", "InvalidInstanceID.Malformed"] {
            assert!(!instance.is_none(said), "{said}");
        }
        let group = stray("aws_autoscaling_group", "g");
        let group = Removable::of(&group).expect("removable");
        assert!(!group.is_none(""));
        let answer = "<DescribeAutoScalingGroupsResponse><AutoScalingGroupName>g</AutoScalingGroupName>\
            <InstanceId>i-1</InstanceId><InstanceId>i-2</InstanceId>";
        let Found::There(there) = group.found(answer) else { panic!("it is there") };
        assert_eq!(there.instances, ["i-1", "i-2"]);
    }

    #[test]
    fn whose_a_disk_or_a_gateway_is_is_told() {
        let gateway = stray("aws_internet_gateway", "igw-1");
        let gateway = Removable::of(&gateway).expect("removable");
        let answer =
            "<DescribeInternetGatewaysResponse><internetGatewayId>igw-1</internetGatewayId><vpcId>vpc-1</vpcId>";
        let Found::There(There { network: Some(network), .. }) = gateway.found(answer) else {
            panic!("it is attached")
        };
        let call = gateway.detach(&network);
        assert_eq!(call.right(), "ec2:DetachInternetGateway");
        assert_eq!(call.parameters, [("InternetGatewayId", "igw-1".to_owned()), ("VpcId", "vpc-1".to_owned())]);
        let disk = stray("aws_ebs_volume", "vol-1");
        let disk = Removable::of(&disk).expect("removable");
        let answer = "<DescribeVolumesResponse><volumeId>vol-1</volumeId><instanceId>i-9</instanceId>";
        let Found::There(there) = disk.found(answer) else { panic!("it is there") };
        assert_eq!(there.instances, ["i-9"]);
    }

    #[test]
    fn what_a_state_speaks_of_anywhere_is_seen() {
        let arn = |what: &str| format!("arn:aws:ec2:eu-west-1:1:{what}");
        let network = Stray { arn: arn("vpc/vpc-1"), ..stray("aws_vpc", "vpc-1") };
        let network_of = Removable::of(&network).expect("removable");
        for state in
            [r#"{"vpc_id":"vpc-1"}"#, r#"{"user_data":"curl vpc-1/x"}"#, r#"{"outputs":{"a":{"value":["vpc-1"]}}}"#]
        {
            assert!(network_of.is_in(&network.arn, state), "{state}");
        }
        assert!(!network_of.is_in(&network.arn, r#"{"vpc_id":"vpc-2"}"#));
        let group = stray("aws_autoscaling_group", "shop");
        let group_of = Removable::of(&group).expect("removable");
        assert!(group_of.is_in(&group.arn, r#"{"autoscaling_group_name":"shop"}"#));
        assert!(group_of.is_in(&group.arn, r#"{"arn":"arn:shop"}"#));
        assert!(!group_of.is_in(&group.arn, r#"{"name":"shop-app"}"#));
    }
}
