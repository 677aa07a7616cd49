//! What a plan needs of something that an AWS account has only so much of, held against what is left.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What there is only so much of, in one account and region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quota {
    /// vCPUs of running on-demand instances of the standard families (A, C, D, H, I, M, R, T, Z).
    OnDemand,
    /// vCPUs of running spot instances of the same families.
    Spot,
    /// Auto Scaling groups.
    Groups,
}

impl Quota {
    /// By what Service Quotas calls it. Source: "Amazon EC2 On-Demand Instances" and "Spot Instance quotas" of the EC2 user guide, and
    /// "Quotas for Amazon EC2 Auto Scaling".
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::OnDemand => "L-1216C47A",
            Self::Spot => "L-34B43A08",
            Self::Groups => "L-CDE20ADC",
        }
    }
}

/// What one stack's plan needs of one quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Of what.
    pub quota: Quota,
    /// In which account, by its number.
    pub account: String,
    /// In which region.
    pub region: String,
    /// How much more than is there now, at the least.
    pub needs: u64,
    /// How much is used, by whomever, when it was looked.
    pub used: u64,
    /// How much there may be.
    pub limit: u64,
}

impl Need {
    /// How much of it was left.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// Those that ask for more than is left, with what all of them need together: several stacks may share an account.
#[must_use]
pub fn short<'a>(needs: impl IntoIterator<Item = &'a Need>) -> Vec<Need> {
    let mut all: BTreeMap<(Quota, &str, &str), Need> = BTreeMap::new();
    for need in needs {
        let key = (need.quota, need.account.as_str(), need.region.as_str());
        all.entry(key)
            .and_modify(|sum| {
                // Looked at one after another: what is told is the least that was left.
                let tighter = need.left() < sum.left();
                sum.needs = sum.needs.saturating_add(need.needs);
                if tighter {
                    (sum.used, sum.limit) = (need.used, need.limit);
                }
            })
            .or_insert_with(|| need.clone());
    }
    all.into_values().filter(|sum| sum.needs > sum.left()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(quota: Quota, account: &str, needs: u64, used: u64) -> Need {
        Need { quota, account: account.to_owned(), region: "eu-west-1".to_owned(), needs, used, limit: 64 }
    }

    #[test]
    fn stacks_of_one_account_need_together_and_those_of_others_do_not() {
        let (app, jmeter) = (need(Quota::OnDemand, "1", 30, 24), need(Quota::OnDemand, "1", 12, 26));
        assert_eq!(short([&app]), []);
        let both = short([&app, &jmeter]);
        assert_eq!(both.iter().map(|sum| (sum.needs, sum.left())).collect::<Vec<_>>(), [(42, 38)]);
        assert_eq!(short([&app, &need(Quota::OnDemand, "2", 12, 26)]), []);
        assert_eq!(short([&app, &need(Quota::Spot, "1", 12, 26)]), []);
    }

    #[test]
    fn just_what_is_left_is_enough_and_more_used_than_there_may_be_leaves_nothing() {
        assert_eq!(short([&need(Quota::Spot, "1", 40, 24)]), []);
        assert_eq!(short([&need(Quota::Spot, "1", 41, 24)]).len(), 1);
        let over = need(Quota::Groups, "1", 1, 70);
        assert_eq!(short([&over]).iter().map(Need::left).collect::<Vec<_>>(), [0]);
    }
}
