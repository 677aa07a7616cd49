//! Why a group has not what it is to have, in the few words that its scaling activities come down to.

use std::collections::BTreeSet;

/// An activity of a group that did not succeed. Source: `DescribeScalingActivities`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// `Failed`, `Cancelled`, `Successful` and alike.
    pub status: String,
    /// What Auto Scaling says of it.
    pub message: String,
    /// JSON, with the availability zone in it.
    pub details: String,
    /// When it began, in milliseconds since 1970, as far as it is told.
    pub began_ms: Option<i64>,
}

/// Words by which a message is told, each with the code of EC2 or Auto Scaling that it comes down to. Source: "Troubleshoot Amazon EC2
/// Auto Scaling" in its user guide.
const CODES: [(&str, &str); 9] = [
    ("InsufficientInstanceCapacity", "InsufficientInstanceCapacity"),
    ("do not have sufficient", "InsufficientInstanceCapacity"),
    ("no Spot capacity available", "InsufficientInstanceCapacity"),
    ("UnfulfillableCapacity", "UnfulfillableCapacity"),
    ("VcpuLimitExceeded", "VcpuLimitExceeded"),
    ("more vCPU capacity than your current vCPU limit", "VcpuLimitExceeded"),
    ("MaxSpotInstanceCountExceeded", "MaxSpotInstanceCountExceeded"),
    ("InstanceLimitExceeded", "InstanceLimitExceeded"),
    ("InsufficientFreeAddressesInSubnet", "InsufficientFreeAddressesInSubnet"),
];

/// Most characters of a message that comes down to none of the codes.
const MESSAGE_MAX: usize = 160;

/// `InsufficientInstanceCapacity in ap-northeast-1a, ap-northeast-1c`; what happened most often first, at most two kinds. `None` where
/// nothing failed.
#[must_use]
pub fn short(activities: &[Activity]) -> Option<String> {
    let mut kinds: Vec<(String, usize, BTreeSet<String>)> = Vec::new();
    for activity in activities.iter().filter(|activity| matches!(activity.status.as_str(), "Failed" | "Cancelled")) {
        let Some(what) = what(&activity.message) else { continue };
        let at = kinds.iter().position(|(kind, _, _)| *kind == what).unwrap_or_else(|| {
            kinds.push((what, 0, BTreeSet::new()));
            kinds.len() - 1
        });
        if let Some((_, times, zones)) = kinds.get_mut(at) {
            *times += 1;
            zones.extend(zone(activity));
        }
    }
    kinds.sort_by_key(|(_, times, _)| std::cmp::Reverse(*times));
    let told: Vec<String> = kinds
        .iter()
        .take(2)
        .map(|(what, _, zones)| {
            let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
            if zones.is_empty() { what.clone() } else { format!("{what} in {}", zones.join(", ")) }
        })
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn what(message: &str) -> Option<String> {
    if let Some((_, code)) = CODES.iter().find(|(words, _)| message.contains(words)) {
        return Some((*code).to_owned());
    }
    let first = message.split(". ").next().unwrap_or(message).trim().trim_end_matches('.');
    (!first.is_empty()).then(|| {
        let cut: String = first.chars().take(MESSAGE_MAX).collect();
        if cut.len() < first.len() { format!("{cut}...") } else { cut }
    })
}

fn zone(activity: &Activity) -> Option<String> {
    let details: serde_json::Value = serde_json::from_str(&activity.details).unwrap_or_default();
    let told = details.get("Availability Zone").and_then(serde_json::Value::as_str).map(str::to_owned);
    told.or_else(|| zone_in(&activity.message))
}

/// The first word that is the name of a zone: `ap-northeast-1a`. The zones that a message offers instead come after it.
fn zone_in(message: &str) -> Option<String> {
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '-';
    message.split(ends).find(|word| is_zone(word)).map(str::to_owned)
}

fn is_zone(word: &str) -> bool {
    let Some((region, last)) = word.rsplit_once('-') else { return false };
    let mut last = last.chars();
    let number = last.next().is_some_and(|c| c.is_ascii_digit());
    let letter = last.next().is_some_and(|c| c.is_ascii_lowercase());
    number && letter && last.next().is_none() && region.contains('-') && region.len() >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(message: &str, zone: Option<&str>) -> Activity {
        Activity {
            status: "Failed".to_owned(),
            message: message.to_owned(),
            details: zone.map(|zone| format!("{{\"Availability Zone\":\"{zone}\"}}")).unwrap_or_default(),
            began_ms: None,
        }
    }

    #[test]
    fn activities_come_down_to_a_few_words_with_their_zones() {
        // As Auto Scaling writes it.
        let capacity = "We currently do not have sufficient c5.xlarge capacity in the Availability Zone you requested \
             (ap-northeast-1a). Our system will be working on provisioning additional capacity. You can currently get c5.xlarge \
             capacity by not specifying an Availability Zone in your request or choosing ap-northeast-1c. Launching EC2 instance failed.";
        assert_eq!(
            short(&[failed(capacity, None)]).as_deref(),
            Some("InsufficientInstanceCapacity in ap-northeast-1a")
        );
        let both = [
            failed(
                "Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity",
                Some("eu-west-1b"),
            ),
            failed(capacity, Some("eu-west-1a")),
            failed("You have requested more vCPU capacity than your current vCPU limit of 32 allows", None),
        ];
        assert_eq!(
            short(&both).as_deref(),
            Some("InsufficientInstanceCapacity in eu-west-1a, eu-west-1b; VcpuLimitExceeded")
        );
    }

    #[test]
    fn what_is_not_known_is_told_in_its_own_words_and_success_is_none() {
        let key = "The key pair 'load' does not exist. Launching EC2 instance failed.";
        assert_eq!(short(&[failed(key, None)]).as_deref(), Some("The key pair 'load' does not exist"));
        let long = short(&[failed(&"日本".repeat(500), None)]).expect("words");
        assert!(long.chars().count() <= MESSAGE_MAX + 3 && long.ends_with("..."));
        assert_eq!(short(&[failed("", None)]), None);
        let fine = Activity { status: "Successful".to_owned(), ..failed(key, None) };
        assert_eq!(short(&[fine]), None);
        assert_eq!(
            short(&[failed("InsufficientInstanceCapacity", None)]).as_deref(),
            Some("InsufficientInstanceCapacity")
        );
    }

    #[test]
    fn a_zone_is_told_from_other_words() {
        for (word, is) in [
            ("ap-northeast-1a", true),
            ("us-gov-west-1b", true),
            ("eu-west-1", false),
            ("c5-1a", false),
            ("a", false),
            ("-1a", false),
        ] {
            assert_eq!(is_zone(word), is, "{word}");
        }
    }
}
