//! What AWS tells of one thing, and the few kinds that Tidegate takes away: by which calls, and in which order. Pure: asking is
//! [`super::Signed`]'s.
//!
//! By AWS's own query calls and not by Terraform: a state made for the purpose would need every argument of every kind, knows no order
//! where it has no configuration, and its provider takes six seconds for each import.
//!
//! The list of kinds that are taken away is short on purpose. On it is only what AWS itself refuses to delete while somebody uses it, or tells
//! who does. A subnet goes though a group without instances, or a database's subnet group, names it; a security group though a launch template
//! does; a launch template though groups launch by it; a NAT gateway and a load balancer while they are in the middle of their work; a gateway
//! is to be detached first, which cuts off whoever has no public address. What holds people's data by its nature (databases, buckets) is not
//! on it either. No call forces anything. An Auto Scaling group is not emptied: its instances are its own.
//!
//! Source of calls, parameters, elements and codes: the API references of EC2, Auto Scaling and Elastic Load Balancing v2.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::DateTime;

use super::element::Element;
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

/// A kind of resource: how one of them is looked at, and how it is taken away.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// As Terraform calls it.
    name: &'static str,
    service: Service,
    /// How ids of this kind begin.
    begins: &'static str,
    /// The call that deletes one; `None` where Tidegate does not.
    delete: Option<(&'static str, &'static str)>,
    look: (&'static str, &'static str),
    /// The error by which AWS says that there is none, or its beginning.
    none: &'static str,
    /// The list in an answer, and the element of its entries that has the id.
    list: (&'static str, &'static str),
    /// The element that tells since when it is there.
    since: Option<&'static str>,
}

const fn ec2(
    kind: &'static str,
    begins: &'static str,
    look: (&'static str, &'static str),
    none: &'static str,
    list: (&'static str, &'static str),
) -> Kind {
    Kind { name: kind, service: Service::Ec2, begins, delete: None, look, none, list, since: None }
}

/// What can be looked at, in the order in which it is taken away: whatever holds others before what it holds.
const KINDS: [Kind; 14] = [
    Kind {
        name: "aws_autoscaling_group",
        service: Service::AutoScaling,
        begins: "",
        // Never with `ForceDelete`, which would end whatever instances it has.
        delete: Some(("DeleteAutoScalingGroup", "AutoScalingGroupName")),
        look: ("DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1"),
        none: "-",
        list: ("AutoScalingGroups", "AutoScalingGroupName"),
        since: Some("CreatedTime"),
    },
    Kind {
        delete: Some(("TerminateInstances", "InstanceId.1")),
        since: Some("launchTime"),
        ..ec2(
            "aws_instance",
            "i-",
            ("DescribeInstances", "InstanceId.1"),
            "InvalidInstanceID.NotFound",
            ("reservationSet", "instanceId"),
        )
    },
    Kind {
        delete: Some(("ReleaseAddress", "AllocationId")),
        ..ec2(
            "aws_eip",
            "eipalloc-",
            ("DescribeAddresses", "AllocationId.1"),
            "InvalidAllocationID.NotFound",
            ("addressesSet", "allocationId"),
        )
    },
    Kind {
        delete: Some(("DeleteNetworkInterface", "NetworkInterfaceId")),
        ..ec2(
            "aws_network_interface",
            "eni-",
            ("DescribeNetworkInterfaces", "NetworkInterfaceId.1"),
            "InvalidNetworkInterfaceID.NotFound",
            ("networkInterfaceSet", "networkInterfaceId"),
        )
    },
    Kind {
        delete: Some(("DeleteVolume", "VolumeId")),
        since: Some("createTime"),
        ..ec2(
            "aws_ebs_volume",
            "vol-",
            ("DescribeVolumes", "VolumeId.1"),
            "InvalidVolume.NotFound",
            ("volumeSet", "volumeId"),
        )
    },
    Kind {
        delete: Some(("DeleteVpc", "VpcId")),
        ..ec2("aws_vpc", "vpc-", ("DescribeVpcs", "VpcId.1"), "InvalidVpcID.NotFound", ("vpcSet", "vpcId"))
    },
    Kind {
        name: "aws_lb",
        service: Service::Balancing,
        begins: "arn:aws",
        delete: None,
        look: ("DescribeLoadBalancers", "LoadBalancerArns.member.1"),
        none: "LoadBalancerNotFound",
        list: ("LoadBalancers", "LoadBalancerArn"),
        since: Some("CreatedTime"),
    },
    Kind {
        name: "aws_lb_target_group",
        service: Service::Balancing,
        begins: "arn:aws",
        delete: None,
        look: ("DescribeTargetGroups", "TargetGroupArns.member.1"),
        none: "TargetGroupNotFound",
        list: ("TargetGroups", "TargetGroupArn"),
        since: None,
    },
    Kind {
        since: Some("createTime"),
        ..ec2(
            "aws_launch_template",
            "lt-",
            ("DescribeLaunchTemplates", "LaunchTemplateId.1"),
            "InvalidLaunchTemplateId.NotFound",
            ("launchTemplates", "launchTemplateId"),
        )
    },
    Kind {
        since: Some("createTime"),
        ..ec2(
            "aws_nat_gateway",
            "nat-",
            ("DescribeNatGateways", "NatGatewayId.1"),
            "NatGatewayNotFound",
            ("natGatewaySet", "natGatewayId"),
        )
    },
    ec2(
        "aws_security_group",
        "sg-",
        ("DescribeSecurityGroups", "GroupId.1"),
        "InvalidGroup.NotFound",
        ("securityGroupInfo", "groupId"),
    ),
    ec2(
        "aws_subnet",
        "subnet-",
        ("DescribeSubnets", "SubnetId.1"),
        "InvalidSubnetID.NotFound",
        ("subnetSet", "subnetId"),
    ),
    ec2(
        "aws_route_table",
        "rtb-",
        ("DescribeRouteTables", "RouteTableId.1"),
        "InvalidRouteTableID.NotFound",
        ("routeTableSet", "routeTableId"),
    ),
    ec2(
        "aws_internet_gateway",
        "igw-",
        ("DescribeInternetGateways", "InternetGatewayId.1"),
        "InvalidInternetGatewayID.NotFound",
        ("internetGatewaySet", "internetGatewayId"),
    ),
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct There {
    /// Since when, where that is told.
    pub since: Option<Timestamp>,
    /// Its tags as they are now; `None` where this answer has none.
    pub tags: Option<BTreeMap<String, String>>,
    /// Why it stays whoever it belongs to, in half a sentence: the default of its kind, or a service's own.
    pub kept: Option<String>,
    /// Ids of what uses it, or of the instances that it has.
    pub used_by: Vec<String>,
    /// Ids of what AWS deletes along with it.
    pub takes: Vec<String>,
}

/// Something that AWS can be asked about by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thing<'s> {
    kind: &'static Kind,
    /// As AWS knows it.
    pub id: &'s str,
    /// Its place in the order in which things are taken away.
    pub order: usize,
}

/// Why something is left, where nothing speaks against taking it away but that Tidegate does not.
pub const OTHER_KIND: &str = "Tidegate does not delete its kind";

impl<'s> Thing<'s> {
    /// # Errors
    /// Why it cannot be asked about, in half a sentence: its kind is not known, or its name is one that is not surely read and written as AWS
    /// means it.
    pub fn of(stray: &'s Stray) -> Result<Self, &'static str> {
        let (Some(kind), Some(id)) = (stray.kind.as_deref(), stray.id.as_deref()) else { return Err(OTHER_KIND) };
        Self::named(kind, id)
    }

    fn named(kind: &str, id: &'s str) -> Result<Self, &'static str> {
        let order = KINDS.iter().position(|known| known.name == kind).ok_or(OTHER_KIND)?;
        let kind = KINDS.get(order).ok_or(OTHER_KIND)?;
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

    /// A disk or an interface by its id: what goes along with an instance.
    #[must_use]
    pub fn along(id: &'s str) -> Option<Self> {
        let kind = if id.starts_with("vol-") { "aws_ebs_volume" } else { "aws_network_interface" };
        Self::named(kind, id).ok()
    }

    /// Its ARN, as what goes along with the thing of that ARN.
    #[must_use]
    pub fn arn_beside(&self, arn: &str) -> String {
        let noun = if self.id.starts_with("vol-") { "volume" } else { "network-interface" };
        let place = arn.rsplit_once(':').map_or("", |(place, _)| place);
        format!("{place}:{noun}/{}", self.id)
    }

    /// As Terraform calls its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind.name
    }

    /// Whether it is an Auto Scaling group.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.kind.name == super::GROUP
    }

    /// The call that tells whether it is there.
    #[must_use]
    pub fn look(&self) -> Call {
        self.call(self.kind.look)
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
    pub fn found(&self, answer: &Element) -> Found {
        let (list, key) = self.kind.list;
        if answer.name != format!("{}Response", self.kind.look.0) {
            return Found::Unclear;
        }
        // Only an answer that has the list, and not this one in it, says that there is none.
        let Some(list) = answer.within(list) else { return Found::Unclear };
        let Some(it) = entry(list, key, self.id) else { return Found::Gone };
        let over = match self.kind.name {
            "aws_instance" => it.text_at(&["instanceState", "name"]) == Some("terminated"),
            "aws_nat_gateway" => it.text_at(&["state"]) == Some("deleted"),
            _ => false,
        };
        if over {
            return Found::Gone;
        }
        let since = self.kind.since.and_then(|name| it.text_at(&[name])).and_then(moment);
        let tags = match self.kind.service {
            Service::Ec2 => Some(it.tags("tagSet", "key", "value")),
            Service::AutoScaling => Some(it.tags("Tags", "Key", "Value")),
            Service::Balancing => None,
        };
        Found::There(There { since, tags, kept: self.kept(it), used_by: self.used_by(it), takes: self.takes(it) })
    }

    /// Why it stays, whoever it belongs to. What does not plainly say that it is nobody's default counts as one.
    fn kept(&self, it: &Element) -> Option<String> {
        let says = |name: &str, wanted: &str| it.text_at(&[name]).is_some_and(|text| text.eq_ignore_ascii_case(wanted));
        match self.kind.name {
            "aws_vpc" if !says("isDefault", "false") => Some("it is the default network of its region".to_owned()),
            "aws_network_interface" if says("requesterManaged", "true") => {
                Some("a service of AWS made it for itself".to_owned())
            }
            "aws_network_interface" if it.child("attachment").is_none() && !says("status", "available") => {
                Some("AWS does not say that it is free".to_owned())
            }
            "aws_eip" if it.child("serviceManaged").is_some_and(|by| !by.text.is_empty()) => {
                Some("a service of AWS made it for itself".to_owned())
            }
            super::GROUP if it.child("WarmPoolConfiguration").is_some() => {
                Some("it has a warm pool, whose instances are its own".to_owned())
            }
            _ => None,
        }
    }

    fn used_by(&self, it: &Element) -> Vec<String> {
        let ids = |list: &str, key: &str| -> Vec<String> {
            let entries = it.list(list).iter();
            entries.map(|entry| entry.text_at(&[key]).unwrap_or("something unnamed").to_owned()).collect()
        };
        let first = |of: &Element, names: &[&str]| {
            let named = names.iter().find_map(|name| of.text_at(&[*name]).filter(|text| !text.is_empty()));
            named.map(str::to_owned)
        };
        match self.kind.name {
            super::GROUP => ids("Instances", "InstanceId"),
            "aws_ebs_volume" => ids("attachmentSet", "instanceId"),
            "aws_eip" => first(it, &["instanceId", "networkInterfaceId", "associationId"]).into_iter().collect(),
            "aws_network_interface" => {
                let attached = it.child("attachment").filter(|attached| !attached.children.is_empty());
                let by = attached.map(|attached| first(attached, &["instanceId", "attachmentId"]));
                by.map(|by| by.unwrap_or_else(|| "something unnamed".to_owned())).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn takes(&self, it: &Element) -> Vec<String> {
        if self.kind.name != "aws_instance" {
            return Vec::new();
        }
        let along = |entry: &Element, under: &str, key: &[&str]| {
            // What does not plainly stay goes.
            let stays =
                entry.text_at(&[under, "deleteOnTermination"]).is_some_and(|text| text.eq_ignore_ascii_case("false"));
            entry.text_at(key).filter(|_| !stays).map(str::to_owned)
        };
        let disks = it.list("blockDeviceMapping").iter().filter_map(|disk| along(disk, "ebs", &["ebs", "volumeId"]));
        let interfaces = it.list("networkInterfaceSet").iter();
        disks.chain(interfaces.filter_map(|own| along(own, "attachment", &["networkInterfaceId"]))).collect()
    }
}

/// The outermost entry of a list that has this id.
fn entry<'e>(list: &'e Element, key: &str, id: &str) -> Option<&'e Element> {
    if list.text_at(&[key]) == Some(id) {
        return Some(list);
    }
    list.children.iter().find_map(|child| entry(child, key, id))
}

/// Something that Tidegate takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removable<'s> {
    /// It.
    pub thing: Thing<'s>,
    delete: (&'static str, &'static str),
}

impl<'s> Removable<'s> {
    /// # Errors
    /// Why Tidegate does not take it away, in half a sentence: as [`Thing::of`], or its kind is not on the list.
    pub fn of(stray: &'s Stray) -> Result<Self, &'static str> {
        let thing = Thing::of(stray)?;
        Ok(Self { thing, delete: thing.kind.delete.ok_or(OTHER_KIND)? })
    }

    /// The call that deletes it.
    #[must_use]
    pub fn delete(&self) -> Call {
        self.thing.call(self.delete)
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

    /// What a look at one tells by an answer with this inside of its list.
    fn found(kind: &str, id: &str, inside: &str) -> Found {
        let stray = stray(kind, id);
        let thing = Thing::of(&stray).expect("a thing");
        let (response, list) = (format!("{}Response", thing.kind.look.0), thing.kind.list.0);
        let answer = Element::read(&format!("<{response}><{list}>{inside}</{list}></{response}>"));
        thing.found(&answer.expect("a document"))
    }

    fn there(kind: &str, id: &str, inside: &str) -> There {
        match found(kind, id, inside) {
            Found::There(there) => there,
            other @ (Found::Gone | Found::Unclear) => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_what_aws_refuses_to_delete_in_use_or_tells_the_use_of_is_on_the_list() {
        let goes: Vec<&str> = KINDS.iter().filter(|kind| kind.delete.is_some()).map(|kind| kind.name).collect();
        let wanted =
            ["aws_autoscaling_group", "aws_instance", "aws_eip", "aws_network_interface", "aws_ebs_volume", "aws_vpc"];
        assert_eq!(goes, wanted);
        for (kind, id) in [
            ("aws_launch_template", "lt-1"),
            ("aws_nat_gateway", "nat-1"),
            ("aws_lb", "arn:aws:x"),
            ("aws_lb_target_group", "arn:aws:x"),
            ("aws_subnet", "subnet-1"),
            ("aws_security_group", "sg-1"),
            ("aws_route_table", "rtb-1"),
            ("aws_internet_gateway", "igw-1"),
            ("aws_db_instance", "x"),
            ("aws_s3_bucket", "x"),
            ("aws_iam_role", "x"),
            ("aws_elb", "x"),
        ] {
            assert_eq!(Removable::of(&stray(kind, id)), Err(OTHER_KIND), "{kind}");
        }
    }

    #[test]
    fn what_can_be_removed_by_hand_with_one_line_can_be_by_the_same_call_and_its_price_is_told() {
        for kind in KINDS {
            // What Tidegate leaves has its line all the same.
            let stray = stray(kind.name, &format!("{}0a1b", kind.begins));
            let line = removal(&stray).expect("a line");
            assert!(billed(kind.name).is_some(), "{}", kind.name);
            let Ok(removable) = Removable::of(&stray) else { continue };
            let call = removable.delete();
            assert_eq!(call.parameters.len(), 1, "nothing is forced");
            // `DeleteVpc` and `delete-vpc`.
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
                Thing::of(&stray(kind, id)),
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
        let instance = |state: &str| {
            format!(
                "<item><instancesSet><item><instanceId>i-1</instanceId><instanceState><name>{state}</name></instanceState>\
                 <launchTime>2026-11-20T05:54:55.000Z</launchTime><tagSet><item><key>Name</key><value>a</value></item>\
                 </tagSet></item></instancesSet></item>"
            )
        };
        assert_eq!(found("aws_instance", "i-1", &instance("terminated")), Found::Gone);
        assert_eq!(found("aws_instance", "i-1", ""), Found::Gone);
        // Another one whose id begins alike.
        assert_eq!(found("aws_instance", "i-12", &instance("running")), Found::Gone);
        // One that is only called so by its owner.
        let named = "<item><instancesSet><item><instanceId>i-1</instanceId><instanceState><name>running</name></instanceState>\
                     <tagSet><item><key>name</key><value>terminated</value></item></tagSet></item></instancesSet></item>";
        assert!(matches!(found("aws_instance", "i-1", named), Found::There(_)));
        let stray = stray("aws_instance", "i-1");
        let thing = Thing::of(&stray).expect("a thing");
        for text in ["<html>busy</html>", "<DescribeVpcsResponse/>", "<DescribeInstancesResponse/>"] {
            assert_eq!(thing.found(&Element::read(text).expect("a document")), Found::Unclear, "{text}");
        }
        let it = there("aws_instance", "i-1", &instance("shutting-down"));
        assert_eq!(it.since, Some(Timestamp(1_795_154_095_000)));
        assert_eq!(it.tags, Some([("Name".to_owned(), "a".to_owned())].into()));
        assert!(thing.is_none("InvalidInstanceID.NotFound: The instance ID 'i-1' does not exist"));
        for said in ["UnauthorizedOperation: no", "", "RequestLimitExceeded", "InvalidInstanceID.Malformed"] {
            assert!(!thing.is_none(said), "{said}");
        }
        let gateway = |state: &str| format!("<item><natGatewayId>nat-1</natGatewayId><state>{state}</state></item>");
        assert_eq!(found("aws_nat_gateway", "nat-1", &gateway("deleted")), Found::Gone);
        assert!(matches!(found("aws_nat_gateway", "nat-1", &gateway("deleting")), Found::There(_)));
    }

    #[test]
    fn the_tags_of_a_group_are_its_own_in_whichever_order_they_are_written() {
        let it = there(
            "aws_autoscaling_group",
            "g",
            "<member><AutoScalingGroupName>g</AutoScalingGroupName><Instances><member><InstanceId>i-1</InstanceId></member>\
             <member><InstanceId>i-2</InstanceId></member></Instances><Tags>\
             <member><Value>shop</Value><ResourceId>g</ResourceId><Key>tidegate:environment</Key></member>\
             <member><Value>app</Value><Key>tidegate:stack</Key></member></Tags></member>",
        );
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(it.tags, Some([tag("tidegate:environment", "shop"), tag("tidegate:stack", "app")].into()));
        assert_eq!((it.used_by, it.kept), (vec!["i-1".to_owned(), "i-2".to_owned()], None));
        let warm = "<member><AutoScalingGroupName>g</AutoScalingGroupName><WarmPoolConfiguration/></member>";
        assert!(there("aws_autoscaling_group", "g", warm).kept.is_some());
    }

    #[test]
    fn what_is_nobodys_default_says_so() {
        let network = |more: &str| there("aws_vpc", "vpc-1", &format!("<item><vpcId>vpc-1</vpcId>{more}</item>")).kept;
        assert_eq!(network("<isDefault>false</isDefault>"), None);
        for more in ["<isDefault>true</isDefault>", "", "<isDefault/>"] {
            assert_eq!(network(more).as_deref(), Some("it is the default network of its region"), "{more}");
        }
    }

    #[test]
    fn who_uses_something_is_told() {
        let used = |kind: &str, id: &str, key: &str, more: &str| {
            let it = there(kind, id, &format!("<item><{key}>{id}</{key}>{more}</item>"));
            (it.used_by.join(" "), it.kept.is_some())
        };
        let address = |more: &str| used("aws_eip", "eipalloc-1", "allocationId", more);
        assert_eq!(address("<instanceId/>"), (String::new(), false));
        assert_eq!(address("<instanceId/><networkInterfaceId>eni-1</networkInterfaceId>"), ("eni-1".to_owned(), false));
        assert_eq!(address("<associationId>eipassoc-1</associationId>"), ("eipassoc-1".to_owned(), false));
        assert_eq!(address("<instanceId>i-1</instanceId><associationId>e</associationId>"), ("i-1".to_owned(), false));
        assert_eq!(address("<serviceManaged>alb</serviceManaged>"), (String::new(), true));
        let interface = |more: &str| used("aws_network_interface", "eni-1", "networkInterfaceId", more);
        assert_eq!(interface("<status>available</status>"), (String::new(), false));
        assert_eq!(interface("<status>in-use</status>"), (String::new(), true));
        assert_eq!(interface(""), (String::new(), true));
        assert_eq!(
            interface("<status>available</status><requesterManaged>true</requesterManaged>"),
            (String::new(), true)
        );
        let attached = "<status>in-use</status><attachment><attachmentId>a-1</attachmentId></attachment>";
        assert_eq!(interface(attached), ("a-1".to_owned(), false));
        let disk = "<attachmentSet><item><volumeId>vol-1</volumeId><instanceId>i-9</instanceId></item></attachmentSet>";
        assert_eq!(used("aws_ebs_volume", "vol-1", "volumeId", disk), ("i-9".to_owned(), false));
    }

    #[test]
    fn what_aws_deletes_along_with_an_instance_is_told() {
        let it = there(
            "aws_instance",
            "i-1",
            "<item><instancesSet><item><instanceId>i-1</instanceId><blockDeviceMapping>\
             <item><ebs><volumeId>vol-1</volumeId><deleteOnTermination>true</deleteOnTermination></ebs></item>\
             <item><ebs><volumeId>vol-2</volumeId><deleteOnTermination>false</deleteOnTermination></ebs></item>\
             <item><ebs><volumeId>vol-3</volumeId></ebs></item></blockDeviceMapping><networkInterfaceSet>\
             <item><networkInterfaceId>eni-1</networkInterfaceId><attachment><deleteOnTermination>true</deleteOnTermination></attachment></item>\
             <item><networkInterfaceId>eni-2</networkInterfaceId><attachment><deleteOnTermination>false</deleteOnTermination></attachment></item>\
             </networkInterfaceSet></item></instancesSet></item>",
        );
        assert_eq!(it.takes, ["vol-1", "vol-3", "eni-1"]);
        for id in &it.takes {
            assert_eq!(Thing::along(id).map(|thing| thing.id), Some(id.as_str()));
        }
        assert_eq!(Thing::along("i-1"), None);
    }

    #[test]
    fn what_a_state_speaks_of_anywhere_is_seen() {
        let arn = |what: &str| format!("arn:aws:ec2:eu-west-1:1:{what}");
        let network = Stray { arn: arn("vpc/vpc-1"), ..stray("aws_vpc", "vpc-1") };
        let network_of = Thing::of(&network).expect("a thing");
        for state in
            [r#"{"vpc_id":"vpc-1"}"#, r#"{"user_data":"curl vpc-1/x"}"#, r#"{"outputs":{"a":{"value":["vpc-1"]}}}"#]
        {
            assert!(network_of.is_in(&network.arn, state), "{state}");
        }
        assert!(!network_of.is_in(&network.arn, r#"{"vpc_id":"vpc-2"}"#));
        let group = stray("aws_autoscaling_group", "shop");
        let group_of = Thing::of(&group).expect("a thing");
        assert!(group_of.is_in(&group.arn, r#"{"autoscaling_group_name":"shop"}"#));
        assert!(group_of.is_in(&group.arn, r#"{"arn":"arn:shop"}"#));
        assert!(!group_of.is_in(&group.arn, r#"{"name":"shop-app"}"#));
    }
}
