//! How groups stand: what Auto Scaling lists of them, counted.

use std::fmt::Write as _;

use super::state::StateGroup;
use crate::domain::readiness::{GroupCount, Readiness};

/// A group as Auto Scaling lists it. Source: `DescribeAutoScalingGroups`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// Its ARN; empty where it is not told.
    pub arn: String,
    /// How many it is to have.
    pub desired: u32,
    /// What it has.
    pub instances: Vec<SeenInstance>,
}

/// One instance of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenInstance {
    /// Its availability zone.
    pub zone: String,
    /// `InService`, `Pending:Wait` and alike.
    pub state: String,
    /// `Healthy` or `Unhealthy`.
    pub health: String,
    /// What it counts for, where the group's types are weighted; 1 otherwise.
    pub weight: u32,
}

/// Counts what is `seen` of a group of the state.
///
/// Desired is whatever is more: what Terraform set, or what the group itself says. A group that somebody has set lower by hand is
/// not as was asked for, and one that a scaling policy has raised has to have what the policy wants.
#[must_use]
pub fn count(group: &StateGroup, seen: &Seen, readiness: &Readiness) -> GroupCount {
    let desired = seen.desired.max(group.desired.unwrap_or(0));
    let mut count = GroupCount {
        label: group.label().to_owned(),
        name: group.name.clone(),
        address: group.address.clone(),
        arn: group.arn.clone(),
        desired,
        enough: readiness.enough_of(&group.address).map(|enough| enough.of(desired)).filter(|of| *of < desired),
        ..GroupCount::default()
    };
    for instance in &seen.instances {
        let weight = instance.weight.max(1);
        // Source: "Amazon EC2 Auto Scaling instance lifecycle". Standby and detached ones do not count for the desired capacity, and
        // those of a warm pool are not in service.
        if instance.state == "InService" {
            if instance.health.eq_ignore_ascii_case("healthy") {
                count.in_service += weight;
                *count.zones.entry(instance.zone.clone()).or_default() += weight;
            }
        } else if instance.state.starts_with("Pending") {
            count.pending += weight;
        } else if instance.state.starts_with("Terminating") || instance.state == "Detaching" {
            count.terminating += weight;
        }
    }
    // The last instance of a weighted group may count for more than was left to desire.
    let heaviest = seen.instances.iter().map(|instance| instance.weight.max(1)).max().unwrap_or(1);
    if count.in_service > desired && count.in_service - desired < heaviest {
        count.in_service = desired;
    }
    count
}

/// Where several groups have the same label, their addresses are shown.
pub fn tell_apart(groups: &[StateGroup], counts: &mut [GroupCount]) {
    let labels: Vec<String> = counts.iter().map(|count| count.label.clone()).collect();
    for count in counts {
        if labels.iter().filter(|label| **label == count.label).count() > 1
            && let Some(group) = groups.iter().find(|group| group.name == count.name)
        {
            count.label.clone_from(&group.address);
        }
    }
}

/// `slaves 37 of 40 in service`
#[must_use]
pub fn words(count: &GroupCount) -> String {
    let GroupCount { label, desired, in_service, pending, terminating, enough, cause, .. } = count;
    let mut text = format!("{label} {in_service} of {desired} in service");
    if let Some(enough) = enough.filter(|enough| in_service < desired && in_service >= enough) {
        let _ = write!(text, " ({enough} are enough)");
    }
    for (many, word) in [(pending, "on their way"), (terminating, "still going")] {
        if *many > 0 {
            let _ = write!(text, ", {many} {word}");
        }
    }
    if let Some(cause) = cause.as_ref().filter(|_| enough.is_some()) {
        let _ = write!(text, ", {cause}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::readiness::Enough;

    fn group(desired: Option<u32>) -> StateGroup {
        StateGroup {
            address: "aws_autoscaling_group.slaves".to_owned(),
            name: "shop-slaves".to_owned(),
            arn: String::new(),
            desired,
        }
    }

    fn seen(desired: u32, instances: &[(&str, &str, &str, u32)]) -> Seen {
        let instance = |(zone, state, health, weight): &(&str, &str, &str, u32)| SeenInstance {
            zone: (*zone).to_owned(),
            state: (*state).to_owned(),
            health: (*health).to_owned(),
            weight: *weight,
        };
        Seen {
            name: "shop-slaves".to_owned(),
            arn: String::new(),
            desired,
            instances: instances.iter().map(instance).collect(),
        }
    }

    #[test]
    fn only_what_is_in_service_and_healthy_counts() {
        let seen = seen(
            7,
            &[
                ("1a", "InService", "Healthy", 1),
                ("1a", "InService", "Healthy", 1),
                ("1c", "InService", "Healthy", 1),
                ("1c", "InService", "Unhealthy", 1),
                ("1a", "Pending:Wait", "Healthy", 1),
                ("1a", "Terminating:Proceed", "Healthy", 1),
                ("1a", "Standby", "Healthy", 1),
                ("1a", "Warmed:Stopped", "Healthy", 1),
            ],
        );
        let count = count(&group(Some(7)), &seen, &Readiness::default());
        assert_eq!((count.in_service, count.desired, count.pending, count.terminating), (3, 7, 1, 1));
        assert_eq!(count.zones, [("1a".to_owned(), 2), ("1c".to_owned(), 1)].into());
        assert_eq!(count.label, "slaves");
    }

    #[test]
    fn a_group_that_was_set_lower_by_hand_is_not_as_asked() {
        let one = [("1a", "InService", "Healthy", 1)];
        let readiness = Readiness::default();
        assert!(!count(&group(Some(2)), &seen(1, &one), &readiness).is_as_asked());
        assert!(count(&group(Some(1)), &seen(1, &one), &readiness).is_as_asked());
        assert!(!count(&group(Some(1)), &seen(2, &one), &readiness).is_as_asked(), "a policy wants two");
        assert!(count(&group(None), &seen(1, &one), &readiness).is_as_asked(), "not Terraform's to say");
    }

    #[test]
    fn weights_count_and_may_overshoot_by_less_than_one_instance() {
        let readiness = Readiness::default();
        let two = [("1a", "InService", "Healthy", 4), ("1a", "InService", "Healthy", 4)];
        assert!(count(&group(Some(8)), &seen(8, &two), &readiness).is_as_asked());
        assert!(count(&group(Some(6)), &seen(6, &two), &readiness).is_as_asked());
        assert!(!count(&group(Some(4)), &seen(4, &two), &readiness).is_as_asked(), "a whole instance too many");
    }

    #[test]
    fn what_is_enough_is_told_only_where_it_is_less_than_all() {
        let readiness = Readiness {
            enough: vec![("aws_autoscaling_group.slaves".to_owned(), Enough::Percent(90))],
            ..Readiness::default()
        };
        assert_eq!(count(&group(Some(40)), &seen(40, &[]), &readiness).enough, Some(36));
        assert_eq!(count(&group(Some(0)), &seen(0, &[]), &readiness).enough, None);
    }
}
