//! What speaks against taking away something that no state seems to know. Pure: what is found is given. Asked when it is shown, and again in the
//! moment before it is deleted.

use std::collections::BTreeMap;

use super::removal::{Removable, Thing};
use super::strays;
use crate::domain::drift::Stray;
use crate::domain::ids::{EnvironmentName, StackName, Timestamp};
use crate::domain::protect::{names, protects_kind};

/// What is not there for so long yet is not taken away, in milliseconds: one hour. Terraform writes what it has made into
/// its state within seconds, or at the end of its apply; an apply that takes longer holds a state lock, which is looked at apart.
pub const LEAST_AGE_MS: i64 = 3_600_000;

/// One thing, and what is known around it.
#[derive(Debug, Clone, Copy)]
pub struct Case<'c> {
    /// It.
    pub stray: &'c Stray,
    /// Its tags, as they were found last; `None` where nobody told.
    pub tags: Option<&'c BTreeMap<String, String>>,
    /// The environment that removes.
    pub environment: &'c EnvironmentName,
    /// The stack that removes.
    pub stack: &'c StackName,
    /// What the environment protects.
    pub protect: &'c [String],
    /// The accounts in which nobody else gives anything this environment's tags, as whoever configured it says.
    pub accounts: &'c [String],
    /// Every Terraform state that there is: whose it is, and its text.
    pub states: &'c [(String, String)],
    /// Now, by the ledger's clock.
    pub now: Timestamp,
}

/// Why it is not taken away, in half a sentence; `None`: nothing speaks against it.
#[must_use]
pub fn stays(case: &Case<'_>) -> Option<String> {
    let Case { stray, tags, environment, stack, protect, accounts, states, now } = case;
    if let Some(owner) = tags.and_then(strays::owner).or_else(|| stray.stays.clone()) {
        return Some(owner);
    }
    if tags.is_none_or(|tags| !strays::is_of(tags, environment.as_str(), stack.as_str())) {
        return Some(format!("it does not carry exactly the tags of {environment}/{stack}"));
    }
    let removable = match Removable::of(stray) {
        Ok(removable) => removable,
        Err(why) => return Some(why.to_owned()),
    };
    // Another Tidegate with other states may have an environment of the same name, and no tag tells the two apart.
    let account = strays::account(&stray.arn).unwrap_or_default();
    if !accounts.iter().any(|own| own == account) {
        return Some(format!("`remove_in` of {environment} does not name its account {account}"));
    }
    let kind = stray.kind.as_deref().unwrap_or_default();
    if let Some(pattern) = protect.iter().find(|pattern| protects_kind(pattern, kind) || names(pattern, &stray.arn)) {
        return Some(format!("`protect` names it or its kind (`{pattern}`)"));
    }
    if let Some((of, _)) = states.iter().find(|(_, text)| removable.thing.is_in(&stray.arn, text)) {
        return Some(format!("the state of {of} speaks of it"));
    }
    // AWS tells of few kinds since when they are there; what Tidegate has seen before is as old at least.
    let since = stray.since.into_iter().chain(stray.seen).min();
    match since {
        Some(since) if now.ms_since(since) >= LEAST_AGE_MS => None,
        Some(since) => {
            let left_min = (LEAST_AGE_MS - now.ms_since(since)).max(0) / 60_000 + 1;
            Some(format!("it is known for less than an hour: it may be removed in {left_min} min"))
        }
        None => Some("it was found just now, and AWS does not tell its age: it may be removed in 60 min".to_owned()),
    }
}

/// Why an instance is not taken away for the sake of what AWS deletes along with it: `along` is one of those, with its tags where AWS told them.
#[must_use]
pub fn stays_for(case: &Case<'_>, along: &Thing<'_>, tags: Option<&BTreeMap<String, String>>) -> Option<String> {
    let Case { stray, environment, stack, protect, states, .. } = case;
    let (kind, id) = (along.kind(), along.id);
    // It is where the instance is.
    let arn = along.arn_beside(&stray.arn);
    if let Some(pattern) = protect.iter().find(|pattern| protects_kind(pattern, kind) || names(pattern, &arn)) {
        return Some(format!("{id} would go with it, and `protect` names that or its kind (`{pattern}`)"));
    }
    if let Some((of, _)) = states.iter().find(|(_, text)| text.contains(id)) {
        return Some(format!("{id} would go with it, and the state of {of} speaks of that"));
    }
    let Some(tags) = tags else { return Some(format!("{id} would go with it, and AWS does not tell whose that is")) };
    if let Some(owner) = strays::owner(tags) {
        return Some(format!("{id} would go with it: {owner}"));
    }
    // One without any tags of ours is a part of the instance, as it is wherever one is ended.
    let is_tagged = tags.contains_key(strays::ENVIRONMENT_TAG) || tags.contains_key(strays::STACK_TAG);
    (is_tagged && !strays::is_of(tags, environment.as_str(), stack.as_str()))
        .then(|| format!("{id} would go with it, and carries the tags of another stack"))
}

#[cfg(test)]
mod tests {
    use super::super::strays::{ENVIRONMENT_TAG, STACK_TAG};
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn network() -> Stray {
        Stray {
            arn: "arn:aws:ec2:eu-west-1:1:vpc/vpc-0a1b".to_owned(),
            kind: Some("aws_vpc".to_owned()),
            id: Some("vpc-0a1b".to_owned()),
            name: None,
            since: None,
            seen: Some(Timestamp(NOW.0 - LEAST_AGE_MS)),
            stays: None,
        }
    }

    fn tags(more: &[(&str, &str)]) -> BTreeMap<String, String> {
        let own = [(ENVIRONMENT_TAG, "shop"), (STACK_TAG, "app")];
        own.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn why(
        stray: &Stray,
        tags: Option<&BTreeMap<String, String>>,
        protect: &[&str],
        states: &[(&str, &str)],
    ) -> String {
        let protect: Vec<String> = protect.iter().map(|&pattern| pattern.to_owned()).collect();
        let states: Vec<(String, String)> =
            states.iter().map(|(of, text)| ((*of).to_owned(), (*text).to_owned())).collect();
        let (environment, stack) = ("shop".parse().expect("a name"), "app".parse().expect("a name"));
        let case = Case {
            stray,
            tags,
            environment: &environment,
            stack: &stack,
            protect: &protect,
            accounts: &["1".to_owned()],
            states: &states,
            now: NOW,
        };
        stays(&case).unwrap_or_else(|| "goes".to_owned())
    }

    #[test]
    fn what_nothing_speaks_against_goes() {
        let states = [("shop/app", r#"{"resources":[]}"#), ("stage/app", r#"{"vpc_id":"vpc-0a1c"}"#)];
        assert_eq!(why(&network(), Some(&tags(&[])), &["aws_db_instance.*", "module.db"], &states), "goes");
    }

    #[test]
    fn what_another_state_speaks_of_stays_whosever_that_is() {
        for of in ["stage/app", "shop/jmeter", "shop/app (workspace blue)"] {
            let told = why(&network(), Some(&tags(&[])), &[], &[("shop/app", "{}"), (of, r#"{"id":"vpc-0a1b"}"#)]);
            assert_eq!(told, format!("the state of {of} speaks of it"));
        }
    }

    #[test]
    fn what_carries_other_tags_or_none_stays() {
        let exactly = "it does not carry exactly the tags of shop/app";
        assert_eq!(why(&network(), None, &[], &[]), exactly);
        assert_eq!(why(&network(), Some(&tags(&[(ENVIRONMENT_TAG, "stage")])), &[], &[]), exactly);
        assert_eq!(why(&network(), Some(&tags(&[(STACK_TAG, "jmeter")])), &[], &[]), exactly);
        let mut none = tags(&[]);
        none.remove(STACK_TAG);
        assert_eq!(why(&network(), Some(&none), &[], &[]), exactly);
    }

    #[test]
    fn what_a_service_made_for_something_else_stays_with_its_owner() {
        let of = |key: &str| why(&network(), Some(&tags(&[(key, "blue")])), &[], &[]);
        assert_eq!(of("aws:cloudformation:stack-name"), "it belongs to the CloudFormation stack blue");
        assert_eq!(of("aws:ec2:fleet-id"), "it belongs to the EC2 fleet blue");
        // Also where only the list told it, and not the look.
        let stray = Stray { stays: Some("it belongs to the EMR cluster j-1".to_owned()), ..network() };
        assert_eq!(why(&stray, Some(&tags(&[])), &[], &[]), "it belongs to the EMR cluster j-1");
    }

    #[test]
    fn what_is_protected_or_of_another_kind_or_oddly_named_stays() {
        let told = why(&network(), Some(&tags(&[])), &["aws_vpc.*"], &[]);
        assert_eq!(told, "`protect` names it or its kind (`aws_vpc.*`)");
        assert_eq!(
            why(&network(), Some(&tags(&[])), &["*vpc-0a1b"], &[]),
            "`protect` names it or its kind (`*vpc-0a1b`)"
        );
        let table = Stray { kind: Some("aws_db_instance".to_owned()), ..network() };
        assert_eq!(why(&table, Some(&tags(&[])), &[], &[]), "Tidegate does not delete its kind");
        let odd = Stray { id: Some("vpc-0a/1&b".to_owned()), ..network() };
        let told = why(&odd, Some(&tags(&[])), &[], &[]);
        assert_eq!(told, "its name has signs in it that Tidegate does not write to AWS");
    }

    #[test]
    fn what_is_young_stays_and_the_older_of_two_ages_counts() {
        let seen = |ms: i64| Stray { seen: Some(Timestamp(NOW.0 - ms)), ..network() };
        let told = |stray: &Stray| why(stray, Some(&tags(&[])), &[], &[]);
        let young = "it is known for less than an hour: it may be removed in ";
        assert_eq!(told(&seen(LEAST_AGE_MS - 1)), format!("{young}1 min"));
        assert_eq!(told(&seen(0)), format!("{young}61 min"));
        // A clock that went back.
        assert!(told(&seen(-60_000)).starts_with(young));
        assert!(told(&Stray { seen: None, ..network() }).contains("AWS does not tell its age"));
        let old = Some(Timestamp(NOW.0 - 2 * LEAST_AGE_MS));
        assert_eq!(told(&Stray { since: old, seen: Some(NOW), ..network() }), "goes");
        assert_eq!(told(&Stray { since: Some(NOW), seen: old, ..network() }), "goes");
    }

    #[test]
    fn what_is_in_an_account_that_nobody_said_is_this_environments_own_stays() {
        let told = |account: &str| {
            let stray = Stray { arn: format!("arn:aws:ec2:eu-west-1:{account}:vpc/vpc-0a1b"), ..network() };
            why(&stray, Some(&tags(&[])), &[], &[])
        };
        assert_eq!(told("1"), "goes");
        for other in ["2", "11", ""] {
            assert_eq!(told(other), format!("`remove_in` of shop does not name its account {other}"));
        }
    }

    #[test]
    fn an_instance_stays_for_what_would_go_with_it() {
        let (environment, stack) = ("shop".parse().expect("a name"), "app".parse().expect("a name"));
        let told = |protect: &[&str], state: &str, of: Option<&[(&str, &str)]>| {
            let protect: Vec<String> = protect.iter().map(|&pattern| pattern.to_owned()).collect();
            let states = [("stage/db".to_owned(), state.to_owned())];
            let (stray, accounts) = (network(), Vec::new());
            let (tags, environment, stack) = (None, &environment, &stack);
            let case = Case {
                stray: &stray,
                tags,
                environment,
                stack,
                protect: &protect,
                accounts: &accounts,
                states: &states,
                now: NOW,
            };
            let of: Option<BTreeMap<String, String>> =
                of.map(|of| of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect());
            let disk = Thing::along("vol-1").expect("a disk");
            stays_for(&case, &disk, of.as_ref()).unwrap_or_else(|| "goes".to_owned())
        };
        let own: &[(&str, &str)] = &[(ENVIRONMENT_TAG, "shop"), (STACK_TAG, "app")];
        assert_eq!(told(&["aws_db_instance.*"], "{}", Some(&[])), "goes");
        assert_eq!(told(&[], "{}", Some(own)), "goes");
        for pattern in ["aws_ebs_volume.*", "arn:aws:ec2:eu-west-1:1:volume/vol-1"] {
            assert!(told(&[pattern], "{}", Some(own)).contains("`protect` names that"), "{pattern}");
        }
        assert!(told(&[], r#"{"volume_id":"vol-1"}"#, Some(own)).contains("the state of stage/db speaks of that"));
        assert!(told(&[], "{}", None).contains("does not tell whose"));
        assert!(told(&[], "{}", Some(&[(ENVIRONMENT_TAG, "stage"), (STACK_TAG, "app")])).contains("tags of another"));
        assert!(told(&[], "{}", Some(&[("eks:cluster-name", "x")])).contains("the EKS cluster x"));
    }
}
