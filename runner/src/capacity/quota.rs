//! What machines need of an account's vCPUs, and what is used of them. Pure: asking is [`super::Signed`]'s.

use std::collections::BTreeMap;

use crate::terraform::{Machines, Market};

/// The families that share one quota. Source: "Amazon EC2 On-Demand Instance quotas" of the EC2 user guide: A, C, D, H, I, M, R, T, Z;
/// `im` and `is` are of I. All others have quotas of their own, which are not asked for.
const STANDARD: [&str; 11] = ["a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"];

/// Whether a type of machine counts towards the quota of the standard families.
#[must_use]
pub fn is_standard(instance_type: &str) -> bool {
    let family = instance_type.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
    STANDARD.contains(&family)
}

/// A machine that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its type.
    pub name: String,
    /// How it is paid for.
    pub market: Market,
    /// How many vCPUs it has; `None` where that is not told of itself.
    pub vcpus: Option<u64>,
}

/// Those in an answer to `DescribeInstances`. What stands on a host of its own counts towards no such quota.
#[must_use]
pub fn running(answer: &str) -> Vec<Running> {
    let all = answer.split("<instanceId>").skip(1);
    all.filter(|one| !one.contains("<tenancy>host</tenancy>"))
        .filter_map(|one| {
            let number = |name: &str| between(one, &format!("<{name}>"), &format!("</{name}>"))?.parse::<u64>().ok();
            let spot = between(one, "<instanceLifecycle>", "</instanceLifecycle>") == Some("spot");
            Some(Running {
                name: between(one, "<instanceType>", "</instanceType>")?.to_owned(),
                market: if spot { Market::Spot } else { Market::OnDemand },
                vcpus: number("coreCount").zip(number("threadsPerCore")).map(|(cores, threads)| cores * threads),
            })
        })
        .collect()
}

/// The vCPUs of each type in an answer to `DescribeInstanceTypes`.
#[must_use]
pub fn vcpus(answer: &str) -> BTreeMap<String, u64> {
    let all = answer.split("<instanceType>").skip(1);
    all.filter_map(|one| {
        let (name, _) = one.split_once("</instanceType>")?;
        Some((name.to_owned(), between(one, "<defaultVCpus>", "</defaultVCpus>")?.parse().ok()?))
    })
    .collect()
}

/// How many vCPUs of the standard families run in this market; `None` where that of one is not known.
#[must_use]
pub fn used(running: &[Running], market: Market, vcpus: &BTreeMap<String, u64>) -> Option<u64> {
    let own = running.iter().filter(|one| one.market == market && is_standard(&one.name));
    own.map(|one| one.vcpus.or_else(|| vcpus.get(&one.name).copied())).sum()
}

/// How many vCPUs of the standard families a plan needs in this market at the least: of several types AWS may take the smallest, or one
/// that does not count. What it ends counts against that, the largest.
#[must_use]
pub fn needed(machines: &[Machines], market: Market, vcpus: &BTreeMap<String, u64>) -> u64 {
    let mut sum = 0_i64;
    for Machines { types, count, .. } in machines.iter().filter(|machines| machines.market == market) {
        let each = types.iter().map(|name| if is_standard(name) { vcpus.get(name).copied().unwrap_or(0) } else { 0 });
        let each = if *count > 0 { each.min() } else { each.max() };
        sum = sum.saturating_add(count.saturating_mul(i64::try_from(each.unwrap_or(0)).unwrap_or(i64::MAX)));
    }
    u64::try_from(sum).unwrap_or(0)
}

/// What stands between two marks, the first time.
pub(super) fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(from)?;
    rest.split_once(to).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_that_share_the_quota_are_told_from_those_that_do_not() {
        for (name, is) in [
            ("c6i.xlarge", true),
            ("t3.micro", true),
            ("im4gn.large", true),
            ("z1d.large", true),
            ("p5.48xlarge", false),
            ("x2iedn.large", false),
            ("inf2.xlarge", false),
            ("hpc7g.4xlarge", false),
            ("mac2.metal", false),
            ("", false),
            ("日本", false),
        ] {
            assert_eq!(is_standard(name), is, "{name}");
        }
    }

    #[test]
    fn what_runs_is_counted_by_its_own_vcpus_or_by_its_type() {
        let item = |kind: &str, rest: &str| {
            format!("<item><instanceId>i-1</instanceId><instanceType>{kind}</instanceType>{rest}</item>")
        };
        let cpus = "<cpuOptions><coreCount>2</coreCount><threadsPerCore>1</threadsPerCore></cpuOptions>";
        let answer = [
            item("c6i.xlarge", cpus),
            item("m5.large", ""),
            item("m5.large", "<instanceLifecycle>spot</instanceLifecycle>"),
            item("p5.48xlarge", cpus),
            item("m5.large", "<placement><tenancy>host</tenancy></placement>"),
        ]
        .concat();
        let running = running(&answer);
        assert_eq!(running.len(), 4);
        let types = vcpus(
            "<item><instanceType>m5.large</instanceType><vCpuInfo><defaultVCpus>2</defaultVCpus></vCpuInfo></item>",
        );
        assert_eq!(used(&running, Market::OnDemand, &types), Some(4));
        assert_eq!(used(&running, Market::Spot, &types), Some(2));
        assert_eq!(used(&running, Market::Spot, &BTreeMap::new()), None, "one of which nothing is known is no none");
    }

    #[test]
    fn a_plan_needs_at_the_least_what_the_smallest_of_its_types_have() {
        let vcpus = BTreeMap::from([("c6i.xlarge".to_owned(), 4), ("c6i.2xlarge".to_owned(), 8)]);
        let machines = |types: &[&str], count| Machines {
            market: Market::OnDemand,
            types: types.iter().map(|name| (*name).to_owned()).collect(),
            count,
        };
        let needs = |all: &[Machines]| needed(all, Market::OnDemand, &vcpus);
        assert_eq!(needs(&[machines(&["c6i.xlarge"], 40)]), 160);
        assert_eq!(needs(&[machines(&["c6i.2xlarge", "c6i.xlarge"], 40)]), 160);
        assert_eq!(needs(&[machines(&["c6i.xlarge", "p5.48xlarge"], 40)]), 0);
        assert_eq!(needs(&[machines(&["c6i.xlarge"], 40), machines(&["c6i.2xlarge"], -10)]), 80);
        assert_eq!(needs(&[machines(&["c6i.xlarge"], -40)]), 0);
        assert_eq!(needed(&[machines(&["c6i.xlarge"], 40)], Market::Spot, &vcpus), 0);
    }
}
