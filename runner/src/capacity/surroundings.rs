//! The environment variables by which AWS is found and questions are signed: those of a stack before those of this process, as its
//! Terraform has them.

use std::collections::BTreeMap;
use std::ffi::OsString;

use chrono::DateTime;

use super::CannotLook;
use crate::domain::ids::Timestamp;

/// Variables that say who asks. Source: "Environment variables support" of the AWS SDKs' reference.
const CREDENTIALS: [&str; 12] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// What to blank in the environment of a stack that says itself who asks: a key of Tidegate's own process would go before the profile
/// that the stack names, and its Terraform would work in another account. Nothing where the stack says nothing of it.
#[must_use]
pub fn blanked<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'static str> {
    let own: Vec<&str> = names.into_iter().filter(|name| CREDENTIALS.contains(name)).collect();
    if own.is_empty() {
        return Vec::new();
    }
    CREDENTIALS.into_iter().filter(|name| !own.contains(name)).collect()
}

/// `HOME`, and variables whose names begin with `AWS_`. No part of it is shown: there are secrets among them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Surroundings(BTreeMap<String, String>);

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Surroundings {
    /// Those of this process, with `env`, a stack's, on top: as its Terraform has them. Where the stack says who asks, nothing of this
    /// process does.
    #[must_use]
    pub fn with(env: &[(OsString, OsString)]) -> Self {
        Self::of(std::env::vars_os(), env)
    }

    fn of(process: impl Iterator<Item = (OsString, OsString)>, env: &[(OsString, OsString)]) -> Self {
        let blank = blanked(env.iter().filter_map(|(name, _)| name.to_str()));
        let kept = process.filter(|(name, _)| !blank.iter().any(|blank| name == blank));
        let all = kept.chain(env.iter().cloned());
        let texts = all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self(texts.filter(|(name, _)| name.starts_with("AWS_") || name == "HOME").collect())
    }

    /// A variable that is set to something.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Where Auto Scaling is to be asked instead of where it is. Source: "Service-specific endpoints" of the AWS SDKs' reference.
    #[must_use]
    pub fn endpoint(&self, service: &str) -> Option<&str> {
        if self.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return None;
        }
        self.get(&format!("AWS_ENDPOINT_URL_{service}")).or_else(|| self.get("AWS_ENDPOINT_URL"))
    }

    /// When the credentials end for good. Only keys in the environment do: Terraform has them as they were when it began. Of roles, web
    /// identities, processes and hosts the SDK asks anew, also in a long apply; what they tell is the end of one session.
    ///
    /// Source of the variable: `aws configure export-credentials --format env`, which writes it beside the keys.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        let _ = (self.get("AWS_ACCESS_KEY_ID")?, self.get("AWS_SECRET_ACCESS_KEY")?, self.get("AWS_SESSION_TOKEN")?);
        let end = DateTime::parse_from_rfc3339(self.get("AWS_CREDENTIAL_EXPIRATION")?).ok()?;
        Some(Timestamp(end.timestamp_millis()))
    }

    /// The region of a group: that of its ARN, else that of the surroundings.
    ///
    /// # Errors
    /// [`CannotLook::NoRegion`] where nothing tells it.
    pub fn region(&self, group: &str, of_arn: Option<&str>) -> Result<String, CannotLook> {
        of_arn
            .or_else(|| self.get("AWS_REGION"))
            .or_else(|| self.get("AWS_DEFAULT_REGION"))
            .map(str::to_owned)
            .ok_or_else(|| CannotLook::NoRegion(group.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(all: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        all.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    fn of(all: &[(&str, &str)]) -> Surroundings {
        Surroundings::of(std::iter::empty(), &owned(all))
    }

    #[test]
    fn the_stack_goes_before_the_process_and_nothing_secret_is_shown() {
        let process = [("AWS_PROFILE", "mine"), ("LANG", "C"), ("AWS_REGION", "eu-west-1")];
        let stack = [("AWS_PROFILE", "load"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
        let both = Surroundings::of(owned(&process).into_iter(), &owned(&stack));
        assert_eq!((both.get("AWS_PROFILE"), both.get("LANG")), (Some("load"), None));
        assert_eq!(both.get("AWS_REGION"), Some("eu-west-1"));
        assert_eq!(format!("{both:?}"), r#"{"AWS_PROFILE", "AWS_REGION", "AWS_SECRET_ACCESS_KEY"}"#);
    }

    #[test]
    fn keys_of_the_process_are_not_those_of_a_stack_that_names_a_profile() {
        let process =
            owned(&[("AWS_ACCESS_KEY_ID", "AKIAOTHER"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_ROLE_ARN", "r")]);
        let of = |stack: &[(&str, &str)]| Surroundings::of(process.clone().into_iter(), &owned(stack));
        let named = of(&[("AWS_PROFILE", "change")]);
        assert_eq!((named.get("AWS_ACCESS_KEY_ID"), named.get("AWS_ROLE_ARN")), (None, None));
        assert_eq!(named.get("AWS_PROFILE"), Some("change"));
        let silent = of(&[("AWS_REGION", "eu-west-1")]);
        assert_eq!(silent.get("AWS_ACCESS_KEY_ID"), Some("AKIAOTHER"), "a stack that says nothing has the process's");
        assert!(blanked(["AWS_PROFILE"]).contains(&"AWS_SESSION_TOKEN") && blanked(["AWS_REGION"]).is_empty());
    }

    #[test]
    fn only_keys_that_nobody_renews_have_an_end() {
        let keys = [("AWS_ACCESS_KEY_ID", "ASIA"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_SESSION_TOKEN", "y")];
        let end = [("AWS_CREDENTIAL_EXPIRATION", "2026-11-20T05:54:55+00:00")];
        let both: Vec<_> = keys.into_iter().chain(end).collect();
        assert_eq!(of(&both).ends(), Some(Timestamp(1_795_154_095_000)));
        assert_eq!(of(&keys).ends(), None, "who does not say it does not know it");
        let role: Vec<_> = end.into_iter().chain([("AWS_PROFILE", "change")]).collect();
        assert_eq!(of(&role).ends(), None, "a profile is asked anew");
        assert!(blanked(["AWS_PROFILE"]).contains(&"AWS_CREDENTIAL_EXPIRATION"), "an end of other keys");
    }

    #[test]
    fn the_endpoint_of_the_service_goes_before_that_of_all() {
        let all = [("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), ("AWS_ENDPOINT_URL_AUTO_SCALING", "http://127.0.0.1:2")];
        assert_eq!(of(&all).endpoint("AUTO_SCALING"), Some("http://127.0.0.1:2"));
        assert_eq!(of(&all).endpoint("STS"), Some("http://127.0.0.1:1"));
        let ignored = [all[0], ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        assert_eq!(of(&ignored).endpoint("STS"), None);
    }

    #[test]
    fn the_region_of_the_group_goes_before_that_of_the_surroundings() {
        let all = of(&[("AWS_REGION", "eu-west-1")]);
        assert_eq!(all.region("g", Some("ap-northeast-1")), Ok("ap-northeast-1".to_owned()));
        assert_eq!(all.region("g", None), Ok("eu-west-1".to_owned()));
        assert_eq!(of(&[]).region("g", None), Err(CannotLook::NoRegion("g".to_owned())));
    }
}
