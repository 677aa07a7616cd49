//! What AWS tells of an account: what it may have, what runs in it, and who did what in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::json;

use super::CannotLook;
use super::quota::{self, Running, between};
use super::signed::{Asks, Signed, encoded, refused};
use super::trail::{self, Page};
use crate::domain::ids::Timestamp;

/// Most pages of running instances that are read: twenty thousand of them.
const PAGES_MAX: usize = 20;

/// Most types in one question. Source: `DescribeInstanceTypes`.
const TYPES_MAX: usize = 100;

/// One service of the query protocol.
#[derive(Debug, Clone, Copy)]
struct Query {
    service: &'static str,
    variable: &'static str,
    version: &'static str,
}

const EC2: Query = Query { service: "ec2", variable: "EC2", version: "2016-11-15" };
const AUTO_SCALING: Query = Query { service: "autoscaling", variable: "AUTO_SCALING", version: "2011-01-01" };

impl Signed {
    /// Who wrote to the resource of this name since then: the latest fifty events, of which those that only read are left out.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said. CloudTrail takes two such questions a second, for an account and region.
    pub async fn events(&self, resource: &str, since: Timestamp) -> Result<Page, CannotLook> {
        let body = json!({
            "LookupAttributes": [{ "AttributeKey": "ResourceName", "AttributeValue": resource }],
            "StartTime": since.0.div_euclid(1_000),
            "MaxResults": 50,
        });
        let target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
        let answer = self.json("cloudtrail", "CLOUDTRAIL", target, &body).await?;
        trail::page(&answer).ok_or_else(|| CannotLook::Other("an answer without events".to_owned()))
    }

    /// How much there may be of something, as Service Quotas calls it; whole, less what is above.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said.
    pub async fn quota(&self, service: &str, code: &str) -> Result<u64, CannotLook> {
        let body = json!({ "ServiceCode": service, "QuotaCode": code });
        let target = "ServiceQuotasV20190624.GetServiceQuota";
        let answer = self.json("servicequotas", "SERVICE_QUOTAS", target, &body).await?;
        let value = answer["Quota"]["Value"].as_f64().filter(|value| (0.0..=1e12).contains(value));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "its range was looked at")]
        let whole = |value: f64| value as u64;
        value.map(whole).ok_or_else(|| CannotLook::Other("a quota without a value".to_owned()))
    }

    /// The instances of the region that run or are about to.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said, also where there are more than are read.
    pub async fn running(&self) -> Result<Vec<Running>, CannotLook> {
        let states = [("Filter.1.Value.1", "pending"), ("Filter.1.Value.2", "running")];
        let fixed = [("MaxResults", "1000"), ("Filter.1.Name", "instance-state-name")].into_iter().chain(states);
        let fixed: Vec<(String, String)> = fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (mut all, mut page) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let mut parameters = fixed.clone();
            parameters.extend(page.take().map(|page| ("NextToken".to_owned(), page)));
            let answer = self.query(EC2, "DescribeInstances", &parameters).await?;
            all.extend(quota::running(&answer));
            page = between(&answer, "<nextToken>", "</nextToken>").filter(|page| !page.is_empty()).map(unescaped);
            if page.is_none() {
                return Ok(all);
            }
        }
        Err(CannotLook::Other("more instances run than are read".to_owned()))
    }

    /// How many vCPUs machines of these types have, as far as the region knows them.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said, also where one of the types is unknown in the region.
    pub async fn vcpus(&self, types: &BTreeSet<String>) -> Result<BTreeMap<String, u64>, CannotLook> {
        let all: Vec<&String> = types.iter().collect();
        let mut told = BTreeMap::new();
        for some in all.chunks(TYPES_MAX) {
            let named = some.iter().enumerate();
            let parameters: Vec<(String, String)> =
                named.map(|(at, name)| (format!("InstanceType.{}", at + 1), (*name).clone())).collect();
            told.extend(quota::vcpus(&self.query(EC2, "DescribeInstanceTypes", &parameters).await?));
        }
        Ok(told)
    }

    /// How many Auto Scaling groups there may be in the region, and how many there are.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said.
    pub async fn groups_had(&self) -> Result<(u64, u64), CannotLook> {
        let answer = self.query(AUTO_SCALING, "DescribeAccountLimits", &[]).await?;
        let number = |name: &str| between(&answer, &format!("<{name}>"), &format!("</{name}>"))?.parse().ok();
        let both = number("MaxNumberOfAutoScalingGroups").zip(number("NumberOfAutoScalingGroups"));
        both.ok_or_else(|| CannotLook::Other("limits without numbers".to_owned()))
    }

    async fn query(&self, of: Query, action: &str, parameters: &[(String, String)]) -> Result<String, CannotLook> {
        let mut body = format!("Action={action}&Version={}", of.version);
        for (name, value) in parameters {
            let _ = write!(body, "&{name}={}", encoded(value).replace('/', "%2F"));
        }
        let asks = Asks {
            service: of.service,
            signs: of.service,
            variable: of.variable,
            method: "POST",
            path: "/".to_owned(),
            headers: &[("content-type", "application/x-www-form-urlencoded".to_owned())],
            body,
        };
        let (status, text) = self.ask(&asks).await?;
        if status == 200 { Ok(text) } else { Err(refused(status, &text)) }
    }
}

/// A token as it is, where XML had to write it otherwise.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::super::scripted::Scripted;
    use super::*;

    async fn asks(server: &Scripted) -> Signed {
        Signed::connect(&server.surroundings(), "ap-northeast-1", None).await.expect("credentials")
    }

    #[tokio::test]
    async fn cloudtrail_is_asked_by_name_and_from_when_on() {
        let server = Scripted::answering(|action, body| match (action, body.contains("slaves")) {
            ("LookupEvents", true) => {
                let event = json!({ "EventName": "SetDesiredCapacity", "EventTime": 1_795_000_000.5, "ReadOnly": "false", "Username": "ito" });
                (200, json!({ "Events": [event] }).to_string())
            }
            _ => (400, json!({ "__type": "AccessDeniedException", "Message": "no" }).to_string()),
        });
        let aws = asks(&server).await;
        let page = aws.events("slaves", Timestamp(1_794_000_000_999)).await.expect("a page");
        assert_eq!(
            page.wrote.iter().map(|one| (one.by.as_str(), one.at.0)).collect::<Vec<_>>(),
            [("ito", 1_795_000_000_500)]
        );
        assert!(server.asked().iter().any(|asked| asked.contains(r#""StartTime":1794000000"#)), "{:?}", server.asked());
        assert!(
            matches!(aws.events("other", Timestamp(0)).await, Err(CannotLook::Denied(said)) if said.contains("no"))
        );
    }

    #[tokio::test]
    async fn what_runs_is_read_page_by_page_and_limits_as_they_are_told() {
        let instance =
            |kind: &str| format!("<item><instanceId>i</instanceId><instanceType>{kind}</instanceType></item>");
        let server = Scripted::answering(move |action, body| match action {
            "DescribeInstances" if body.contains("NextToken=a%2Fb%26c") => (200, instance("m5.large")),
            "DescribeInstances" => (200, format!("{}<nextToken>a/b&amp;c</nextToken>", instance("c6i.xlarge"))),
            "DescribeInstanceTypes" => {
                assert!(body.contains("InstanceType.1=c6i.xlarge&InstanceType.2=m5.large"), "{body}");
                (200, "<instanceType>c6i.xlarge</instanceType><defaultVCpus>4</defaultVCpus>".to_owned())
            }
            "GetServiceQuota" => (200, json!({ "Quota": { "Value": 64.0 } }).to_string()),
            "DescribeAccountLimits" => {
                let limits = "<MaxNumberOfAutoScalingGroups>500</MaxNumberOfAutoScalingGroups>";
                (200, format!("{limits}<NumberOfAutoScalingGroups>3</NumberOfAutoScalingGroups>"))
            }
            _ => (500, String::new()),
        });
        let aws = asks(&server).await;
        let running = aws.running().await.expect("instances");
        assert_eq!(running.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["c6i.xlarge", "m5.large"]);
        let types = running.iter().map(|one| one.name.clone()).collect();
        assert_eq!(aws.vcpus(&types).await.expect("vCPUs"), BTreeMap::from([("c6i.xlarge".to_owned(), 4)]));
        assert_eq!(aws.quota("ec2", "L-1216C47A").await, Ok(64));
        assert_eq!(aws.groups_had().await, Ok((500, 3)));
    }
}
