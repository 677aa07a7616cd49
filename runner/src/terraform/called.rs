//! By which names AWS knows what a plan found changed, and in which region it is: as the state had it before.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use serde_json::{Map, Value};
use zip::ZipArchive;

use super::drift::{attributes, plain, text_of};

/// What AWS calls a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Called {
    /// Its names, the likeliest first.
    pub names: Vec<String>,
    /// Where it is; `None` where its state does not tell.
    pub region: Option<String>,
    /// Whose it is, by the account's number; `None` where its state does not tell.
    pub account: Option<String>,
}

/// Services that are in no region: CloudTrail lists their events in this one. Source: "Global service events" of the CloudTrail user
/// guide.
const GLOBAL: ([&str; 4], &str) = (["iam", "cloudfront", "route53", "sts"], "us-east-1");

/// The names of AWS's resources in the state that the plan at `plan` began with, by address. Empty where that cannot be read.
#[must_use]
pub fn called(plan: &Path) -> BTreeMap<String, Called> {
    let read = || {
        let mut archive = ZipArchive::new(File::open(plan).ok()?).ok()?;
        attributes(&text_of(&mut archive, "tfstate-prev")?)
    };
    let all = read().unwrap_or_default().into_iter();
    let of_aws = all.filter(|(address, _)| plain(address).starts_with("aws_"));
    of_aws.map(|(address, attributes)| (address, of(&attributes))).collect()
}

/// The ARNs of what stands in the state that the plan at `plan` began with; empty where that cannot be read.
#[must_use]
pub fn state_arns(plan: &Path) -> Vec<String> {
    let read = || {
        let mut archive = ZipArchive::new(File::open(plan).ok()?).ok()?;
        attributes(&text_of(&mut archive, "tfstate")?)
    };
    let all = read().unwrap_or_default().into_values();
    all.filter_map(|attributes| attributes.get("arn")?.as_str().map(str::to_owned)).collect()
}

fn of(attributes: &Map<String, Value>) -> Called {
    let text = |name: &str| attributes.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let arn = text("arn");
    // An `identifier` goes before the id: that of a database is one that no event names.
    let all = [text("identifier"), text("id"), text("name"), arn];
    let mut names: Vec<String> = Vec::new();
    for name in all.into_iter().flatten() {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    let part = |at: usize| arn.and_then(|arn| arn.split(':').nth(at)).filter(|part| !part.is_empty());
    let global = part(2).filter(|service| part(1) == Some("aws") && GLOBAL.0.contains(service)).map(|_| GLOBAL.1);
    let region = part(3).or(global).or(text("region")).map(str::to_owned);
    let account = part(4).filter(|account| *account != "aws").map(str::to_owned);
    Called { names, region, account }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_is_asked_for_by_the_name_that_its_events_have_and_where_it_is() {
        for (attributes, names, region) in [
            (
                json!({ "id": "slaves", "name": "slaves", "arn": "arn:aws:autoscaling:ap-northeast-1:1:autoScalingGroup:u:x/slaves" }),
                vec!["slaves", "arn:aws:autoscaling:ap-northeast-1:1:autoScalingGroup:u:x/slaves"],
                Some("ap-northeast-1"),
            ),
            (
                json!({ "id": "db-ABC", "identifier": "shop", "arn": "arn:aws:rds:eu-west-1:1:db:shop" }),
                vec!["shop", "db-ABC", "arn:aws:rds:eu-west-1:1:db:shop"],
                Some("eu-west-1"),
            ),
            (
                json!({ "id": "node", "arn": "arn:aws:iam::1:role/node" }),
                vec!["node", "arn:aws:iam::1:role/node"],
                Some("us-east-1"),
            ),
            (
                json!({ "id": "b", "arn": "arn:aws:s3:::b", "region": "eu-west-1" }),
                vec!["b", "arn:aws:s3:::b"],
                Some("eu-west-1"),
            ),
            (json!({ "id": "sg-1", "name": null }), vec!["sg-1"], None),
        ] {
            let told = of(attributes.as_object().expect("an object"));
            assert_eq!((told.names, told.region.as_deref()), (names.into_iter().map(str::to_owned).collect(), region));
        }
        assert_eq!(called(Path::new("/dev/null")), BTreeMap::new());
    }

    #[test]
    fn the_names_stand_in_a_plan_that_terraform_itself_saved() {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/terraform/samples");
        let all = called(&samples.join("drifted.plan"));
        let group = all.get("aws_autoscaling_group.this").expect("the group");
        let first = group.names.first().map(String::as_str);
        assert_eq!((first, group.region.as_deref()), (Some("lean-lean"), Some("ap-northeast-1")));
        assert_eq!(all.len(), 5, "{all:?}");
        let arns = state_arns(&samples.join("grown.plan"));
        assert!(arns.iter().any(|arn| arn.starts_with("arn:aws:autoscaling:ap-northeast-1:123456789012:")), "{arns:?}");
        assert_eq!(state_arns(&samples.join("made.plan")), Vec::<String>::new());
    }
}
