//! Taking away what no state knows: which kinds can be, by which calls of AWS, and in which order. Pure: asking is [`super::Signed`]'s.
//!
//! By AWS's own query calls and not by Terraform: a state made for the purpose would need every argument of every kind, knows no order
//! where it has no configuration, and its provider takes six seconds for each import. What holds people's data by its nature (databases, buckets)
//! is not on the list.
//!
//! Source of calls, parameters and codes: the API references of EC2, Auto Scaling and Elastic Load Balancing v2.

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

/// How a kind of resource is taken away.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// As Terraform calls it.
    name: &'static str,
    service: Service,
    delete: (&'static str, &'static str),
    look: (&'static str, &'static str),
    /// The error by which AWS says that there is none, or its beginning.
    none: &'static str,
    /// What an answer has that tells of one that is gone, or going and not to be stopped.
    over: &'static [&'static str],
    /// The element that tells since when it is there.
    since: Option<&'static str>,
}

const fn ec2(
    kind: &'static str,
    delete: (&'static str, &'static str),
    look: (&'static str, &'static str),
    none: &'static str,
) -> Kind {
    Kind { name: kind, service: Service::Ec2, delete, look, none, over: &[], since: None }
}

/// What can be taken away, in the order in which it goes: whatever makes or holds others before what it makes or stands in.
const KINDS: [Kind; 14] = [
    Kind {
        name: "aws_autoscaling_group",
        service: Service::AutoScaling,
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
            ("TerminateInstances", "InstanceId.1"),
            ("DescribeInstances", "InstanceId.1"),
            "InvalidInstanceID.NotFound",
        )
    },
    Kind {
        name: "aws_lb",
        service: Service::Balancing,
        delete: ("DeleteLoadBalancer", "LoadBalancerArn"),
        look: ("DescribeLoadBalancers", "LoadBalancerArns.member.1"),
        none: "LoadBalancerNotFound",
        over: &[],
        since: Some("CreatedTime"),
    },
    Kind {
        name: "aws_lb_target_group",
        service: Service::Balancing,
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
            ("DeleteLaunchTemplate", "LaunchTemplateId"),
            ("DescribeLaunchTemplates", "LaunchTemplateId.1"),
            "InvalidLaunchTemplateId",
        )
    },
    Kind {
        over: &["<state>deleted</state>"],
        since: Some("createTime"),
        ..ec2(
            "aws_nat_gateway",
            ("DeleteNatGateway", "NatGatewayId"),
            ("DescribeNatGateways", "NatGatewayId.1"),
            "NatGatewayNotFound",
        )
    },
    ec2(
        "aws_eip",
        ("ReleaseAddress", "AllocationId"),
        ("DescribeAddresses", "AllocationId.1"),
        "InvalidAllocationID.NotFound",
    ),
    ec2(
        "aws_network_interface",
        ("DeleteNetworkInterface", "NetworkInterfaceId"),
        ("DescribeNetworkInterfaces", "NetworkInterfaceId.1"),
        "InvalidNetworkInterfaceID.NotFound",
    ),
    Kind {
        since: Some("createTime"),
        ..ec2(
            "aws_ebs_volume",
            ("DeleteVolume", "VolumeId"),
            ("DescribeVolumes", "VolumeId.1"),
            "InvalidVolume.NotFound",
        )
    },
    ec2(
        "aws_security_group",
        ("DeleteSecurityGroup", "GroupId"),
        ("DescribeSecurityGroups", "GroupId.1"),
        "InvalidGroup.NotFound",
    ),
    ec2("aws_subnet", ("DeleteSubnet", "SubnetId"), ("DescribeSubnets", "SubnetId.1"), "InvalidSubnetID.NotFound"),
    ec2(
        "aws_route_table",
        ("DeleteRouteTable", "RouteTableId"),
        ("DescribeRouteTables", "RouteTableId.1"),
        "InvalidRouteTableID.NotFound",
    ),
    ec2(
        "aws_internet_gateway",
        ("DeleteInternetGateway", "InternetGatewayId"),
        ("DescribeInternetGateways", "InternetGatewayId.1"),
        "InvalidInternetGatewayID.NotFound",
    ),
    ec2("aws_vpc", ("DeleteVpc", "VpcId"), ("DescribeVpcs", "VpcId.1"), "InvalidVpcID.NotFound"),
];

/// What a look at one resource tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is not there, or not any more.
    Gone,
    /// It is there; since when, where that is told.
    There {
        /// Since when.
        since: Option<Timestamp>,
        /// What stands in the way of its removal and is to be done before.
        first: Option<Call>,
        /// Instances that it has.
        instances: Vec<String>,
    },
}

/// A resource that can be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removable<'s> {
    kind: &'static Kind,
    id: &'s str,
    /// Its place in the order.
    pub order: usize,
}

impl<'s> Removable<'s> {
    /// `None` for what Tidegate does not take away.
    #[must_use]
    pub fn of(stray: &'s Stray) -> Option<Self> {
        let (kind, id) = (stray.kind.as_deref()?, stray.id.as_deref()?);
        let order = KINDS.iter().position(|known| known.name == kind)?;
        Some(Self { kind: KINDS.get(order)?, id, order })
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

    fn call(&self, (action, parameter): (&'static str, &'static str)) -> Call {
        Call { service: self.kind.service, action, parameters: vec![(parameter, self.id.to_owned())] }
    }

    /// The call that has an Auto Scaling group end its instances.
    #[must_use]
    pub fn empty(&self) -> Call {
        let zero = |name| (name, "0".to_owned());
        Call {
            service: Service::AutoScaling,
            action: "UpdateAutoScalingGroup",
            parameters: vec![
                ("AutoScalingGroupName", self.id.to_owned()),
                zero("MinSize"),
                zero("MaxSize"),
                zero("DesiredCapacity"),
            ],
        }
    }

    /// Whether AWS says by this error that there is none. Any other error tells nothing.
    #[must_use]
    pub fn is_none(&self, said: &str) -> bool {
        said.starts_with(self.kind.none)
    }

    /// What an answer to [`Self::look`] tells.
    #[must_use]
    pub fn found(&self, answer: &str) -> Found {
        if !answer.contains(self.id) || self.kind.over.iter().any(|over| answer.contains(over)) {
            return Found::Gone;
        }
        let since = self.kind.since.and_then(|name| element(answer, name)).and_then(moment);
        let detach = |vpc: &str| Call {
            service: Service::Ec2,
            action: "DetachInternetGateway",
            parameters: vec![("InternetGatewayId", self.id.to_owned()), ("VpcId", vpc.to_owned())],
        };
        let first = element(answer, "vpcId").filter(|_| self.kind.name == "aws_internet_gateway").map(detach);
        let instances = if self.kind.name == super::GROUP { elements(answer, "InstanceId") } else { Vec::new() };
        Found::There { since, first, instances }
    }
}

/// Errors that pass once something else is gone.
#[must_use]
pub fn waits_for_others(said: &str) -> bool {
    ["DependencyViolation", "ResourceInUse", "ScalingActivityInProgress", "VolumeInUse", "InvalidIPAddress.InUse"]
        .iter()
        .any(|code| said.starts_with(code))
        || said.starts_with("InvalidNetworkInterface.InUse")
        || said.starts_with("AuthFailure: You do not have permission to access the specified resource")
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

fn moment(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| Timestamp(at.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::drift::removal;

    fn stray(kind: &str, id: &str) -> Stray {
        Stray {
            arn: format!("arn:{id}"),
            kind: Some(kind.to_owned()),
            id: Some(id.to_owned()),
            name: None,
            since: None,
        }
    }

    #[test]
    fn whatever_makes_or_holds_others_goes_before_them() {
        let at = |kind: &str| Removable::of(&stray(kind, "x")).expect(kind).order;
        for (first, then) in [
            ("aws_autoscaling_group", "aws_instance"),
            ("aws_instance", "aws_network_interface"),
            ("aws_nat_gateway", "aws_eip"),
            ("aws_lb", "aws_lb_target_group"),
            ("aws_security_group", "aws_vpc"),
            ("aws_subnet", "aws_route_table"),
            ("aws_subnet", "aws_vpc"),
            ("aws_internet_gateway", "aws_vpc"),
        ] {
            assert!(at(first) < at(then), "{first} goes before {then}");
        }
        for kind in ["aws_db_instance", "aws_s3_bucket", "aws_iam_role"] {
            assert_eq!(Removable::of(&stray(kind, "x")), None, "{kind} is left to people");
        }
    }

    #[test]
    fn what_can_be_removed_by_hand_with_one_line_can_be_by_the_same_call() {
        for kind in KINDS {
            let stray = stray(kind.name, "x-1");
            let call = Removable::of(&stray).expect("removable").delete();
            assert_eq!(call.parameters.len(), 1);
            // `DeleteVpc` and `delete-vpc`.
            let Some(line) = removal(&stray) else { continue };
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
    fn only_what_aws_says_is_gone_counts_as_gone() {
        let instance = stray("aws_instance", "i-1");
        let instance = Removable::of(&instance).expect("removable");
        let answer = |state: &str| {
            format!("<instanceId>i-1</instanceId><name>{state}</name><launchTime>2026-11-20T05:54:55.000Z</launchTime>")
        };
        assert_eq!(instance.found(&answer("terminated")), Found::Gone);
        assert_eq!(instance.found("<reservationSet/>"), Found::Gone);
        let there = |since| Found::There { since, first: None, instances: Vec::new() };
        assert_eq!(instance.found(&answer("shutting-down")), there(Some(Timestamp(1_795_154_095_000))));
        assert!(instance.is_none("InvalidInstanceID.NotFound: The instance ID 'i-1' does not exist"));
        for said in ["UnauthorizedOperation: no", "", "RequestLimitExceeded", "InvalidInstanceID.Malformed"] {
            assert!(!instance.is_none(said), "{said}");
        }
        let group = stray("aws_autoscaling_group", "g");
        let group = Removable::of(&group).expect("removable");
        assert!(!group.is_none(""));
        let answer =
            "<AutoScalingGroupName>g</AutoScalingGroupName><InstanceId>i-1</InstanceId><InstanceId>i-2</InstanceId>";
        let Found::There { instances, .. } = group.found(answer) else { panic!("it is there") };
        assert_eq!(instances, ["i-1", "i-2"]);
    }

    #[test]
    fn a_gateway_is_detached_before_it_is_deleted() {
        let gateway = stray("aws_internet_gateway", "igw-1");
        let gateway = Removable::of(&gateway).expect("removable");
        let Found::There { first: Some(call), .. } =
            gateway.found("<internetGatewayId>igw-1</internetGatewayId><vpcId>vpc-1</vpcId>")
        else {
            panic!("it is attached")
        };
        assert_eq!(call.action, "DetachInternetGateway");
        assert_eq!(call.parameters, [("InternetGatewayId", "igw-1".to_owned()), ("VpcId", "vpc-1".to_owned())]);
    }
}
