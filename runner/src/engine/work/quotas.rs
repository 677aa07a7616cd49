//! Whether the account has enough left of what a plan needs: asked before anybody says yes, told with its numbers, and never in the way.
//! What AWS does not tell is not known, and nothing is said of it.
//!
//! `GetSpotPlacementScores` is not asked: its score is of how likely a request is to succeed now, in one region as a whole, and tells nobody
//! what to do who has a region and a list of types.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::RunContext;
use crate::capacity::{CannotLook, Signed, Surroundings, quota, strays};
use crate::domain::changes::{Action, StackPlan};
use crate::domain::ids::StackName;
use crate::domain::quota::{Need, Quota};
use crate::domain::run::Note;
use crate::terraform::{Market, Planned, is_of_machines, planned, state_arns};

/// How long all questions of one stack may take: people wait for the plan.
const PATIENCE: Duration = Duration::from_secs(8);

impl RunContext {
    /// Tells what the plan of this stack, just made, needs of the account's quotas.
    pub(super) async fn note_needs(&self, name: &StackName, plan: &StackPlan) {
        let starts = |action| matches!(action, Action::Create | Action::Update | Action::Replace);
        if !plan.changes.iter().any(|change| starts(change.action) && is_of_machines(&change.address)) {
            return;
        }
        let Some(needs) = self.needs_of(name, &self.plan_file(name)).await else { return };
        if !needs.is_empty() {
            self.note(name, Note::Needs { needs });
        }
    }

    /// What the plan at `plan` needs; `None` where that is not known.
    pub(super) async fn needs_of(&self, name: &StackName, plan: &Path) -> Option<Vec<Need>> {
        let planned = planned(plan)?;
        if !planned.untold.is_empty() {
            tracing::info!(stack = %name, untold = ?planned.untold, "what these need of the account's quotas is not known");
        }
        if planned.groups <= 0 && planned.machines.iter().all(|machines| machines.count <= 0) {
            return Some(Vec::new());
        }
        let ready = self.remembered(name)?;
        let surroundings = Surroundings::with(&ready.env);
        let arns = state_arns(plan);
        let in_state = arns.iter().find_map(|arn| arn.split(':').nth(3).filter(|region| !region.is_empty()));
        let region = match self.region(name, &ready, in_state).await {
            Ok(asked) => asked.region,
            Err(error) => {
                tracing::info!(stack = %name, %error, "whether the account's quotas are enough is not known");
                return None;
            }
        };
        let role = self.stack(name).ok()?.readiness.role.clone();
        let accounts: BTreeSet<&str> = arns.iter().filter_map(|arn| strays::account(arn)).collect();
        let asks = asked(&surroundings, &region, role.as_deref(), &accounts, &planned);
        let late = |_| Err(CannotLook::Unreachable("no answer in time".to_owned()));
        match tokio::time::timeout(PATIENCE, asks).await.unwrap_or_else(late) {
            Ok(needs) => Some(needs),
            Err(error) => {
                let said = ready.redactor.redact(error.said()).into_owned();
                tracing::info!(stack = %name, %error, said, "whether the account's quotas are enough is not known");
                None
            }
        }
    }
}

async fn asked(
    surroundings: &Surroundings,
    region: &str,
    role: Option<&str>,
    accounts: &BTreeSet<&str>,
    planned: &Planned,
) -> Result<Vec<Need>, CannotLook> {
    let aws = Signed::connect(surroundings, region, role).await?;
    let identity = aws.identity().await?;
    let account = strays::account(&identity).unwrap_or_default().to_owned();
    // A provider may take on a role that nobody but it knows of: another account's quotas say nothing of this one.
    if !accounts.is_empty() && !accounts.contains(account.as_str()) {
        let why = format!("what its state has is in another account than {account}, which was asked");
        return Err(CannotLook::Other(why));
    }
    let need = |quota, needs, used, limit| Need {
        quota,
        account: account.clone(),
        region: region.to_owned(),
        needs,
        used,
        limit,
    };
    let mut all = vcpus(&aws, planned, &need).await?;
    if let Ok(groups @ 1..) = u64::try_from(planned.groups) {
        let (limit, used) = aws.groups_had().await?;
        all.push(need(Quota::Groups, groups, used, limit));
    }
    Ok(all)
}

async fn vcpus(
    aws: &Signed,
    planned: &Planned,
    need: &impl Fn(Quota, u64, u64, u64) -> Need,
) -> Result<Vec<Need>, CannotLook> {
    let standard = |name: &&String| quota::is_standard(name);
    let mut types: BTreeSet<String> =
        planned.machines.iter().flat_map(|machines| &machines.types).filter(standard).cloned().collect();
    if types.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = aws.vcpus(&types).await?;
    let markets = [(Market::OnDemand, Quota::OnDemand), (Market::Spot, Quota::Spot)];
    let needed = markets.map(|(market, of)| (market, of, quota::needed(&planned.machines, market, &known)));
    if needed.iter().all(|(_, _, needs)| *needs == 0) {
        return Ok(Vec::new());
    }
    // The cheapest question first: where it is not answered, the others are in vain.
    let mut limits = Vec::new();
    for (market, of, needs) in needed.into_iter().filter(|(_, _, needs)| *needs > 0) {
        limits.push((market, of, needs, aws.quota("ec2", of.code()).await?));
    }
    let running = aws.running().await?;
    let silent = running.iter().filter(|one| one.vcpus.is_none() && quota::is_standard(&one.name));
    types = silent.map(|one| one.name.clone()).filter(|name| !known.contains_key(name)).collect();
    if !types.is_empty() {
        known.extend(aws.vcpus(&types).await?);
    }
    let mut all = Vec::new();
    for (market, of, needs, limit) in limits {
        let used = quota::used(&running, market, &known)
            .ok_or_else(|| CannotLook::Other("an instance of a type without vCPUs".to_owned()))?;
        all.push(need(of, needs, used, limit));
    }
    Ok(all)
}

#[cfg(all(test, feature = "aws"))]
mod tests {
    use super::*;
    use crate::capacity::scripted::Scripted;
    use crate::terraform::Machines;

    fn server(vcpus: u16) -> Scripted {
        Scripted::answering(move |action, body| match action {
            "GetCallerIdentity" => (200, "<Arn>arn:aws:iam::123456789012:user/tide</Arn>".to_owned()),
            "DescribeInstanceTypes" if body.contains("m5.large") => {
                (200, "<instanceType>m5.large</instanceType><defaultVCpus>2</defaultVCpus>".to_owned())
            }
            "DescribeInstanceTypes" => {
                (200, format!("<instanceType>c6i.xlarge</instanceType><defaultVCpus>{vcpus}</defaultVCpus>"))
            }
            "DescribeInstances" => {
                let one = "<instanceId>i</instanceId><instanceType>m5.large</instanceType>";
                (200, one.repeat(12))
            }
            "GetServiceQuota" if body.contains("L-1216C47A") => (200, r#"{"Quota":{"Value":64.0}}"#.to_owned()),
            "DescribeAccountLimits" => {
                let limits = "<MaxNumberOfAutoScalingGroups>5</MaxNumberOfAutoScalingGroups>";
                (200, format!("{limits}<NumberOfAutoScalingGroups>5</NumberOfAutoScalingGroups>"))
            }
            _ => (400, r#"{"__type":"NoSuchResourceException"}"#.to_owned()),
        })
    }

    fn plan(types: &[&str], count: i64, groups: i64) -> Planned {
        let types = types.iter().map(|name| (*name).to_owned()).collect();
        Planned { machines: vec![Machines { market: Market::OnDemand, types, count }], groups, untold: Vec::new() }
    }

    async fn told(server: &Scripted, accounts: &[&str], plan: &Planned) -> Result<Vec<(Quota, u64, u64)>, CannotLook> {
        let accounts = accounts.iter().copied().collect();
        let needs = asked(&server.surroundings(), "ap-northeast-1", None, &accounts, plan).await?;
        Ok(needs.iter().map(|need| (need.quota, need.needs, need.left())).collect())
    }

    #[tokio::test]
    async fn what_a_plan_needs_is_held_against_what_runs_and_what_there_may_be() {
        let both = [(Quota::OnDemand, 160, 40), (Quota::Groups, 1, 0)];
        assert_eq!(told(&server(4), &[], &plan(&["c6i.xlarge"], 40, 1)).await, Ok(both.to_vec()));
        let own = server(4);
        assert_eq!(
            told(&own, &["123456789012"], &plan(&["c6i.xlarge"], 2, 0)).await,
            Ok(vec![(Quota::OnDemand, 8, 40)])
        );
        assert!(!own.asked().iter().any(|asked| asked.starts_with("DescribeAccountLimits")), "no group is made");
        // A family with a quota of its own: nothing is known, nothing is asked, nothing is said.
        let other = server(4);
        assert_eq!(told(&other, &[], &plan(&["p5.48xlarge"], 40, 0)).await, Ok(Vec::new()));
        assert!(!other.asked().iter().any(|asked| asked.starts_with("DescribeInstances")));
    }

    #[tokio::test]
    async fn another_account_s_quotas_are_not_told_as_this_one_s() {
        assert!(told(&server(4), &["999999999999"], &plan(&["c6i.xlarge"], 40, 0)).await.is_err());
        let planned = Planned {
            machines: vec![Machines { market: Market::Spot, types: vec!["c6i.xlarge".to_owned()], count: 40 }],
            ..Planned::default()
        };
        assert!(told(&server(4), &[], &planned).await.is_err(), "a quota that is not told is no quota of nothing");
    }
}
