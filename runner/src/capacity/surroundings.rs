//! The environment variables by which AWS is found and questions are signed: those of a stack before those of this process, as its
//! Terraform has them.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::CannotLook;

/// Variables whose names begin with `AWS_`. No part of it is shown: there are secrets among them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Surroundings(BTreeMap<String, String>);

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Surroundings {
    /// Those of this process, with `env` on top.
    #[must_use]
    pub fn with(env: &[(OsString, OsString)]) -> Self {
        Self::of(std::env::vars_os().chain(env.iter().cloned()))
    }

    fn of(all: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let texts = all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self(texts.filter(|(name, _)| name.starts_with("AWS_")).collect())
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

    fn of(all: &[(&str, &str)]) -> Surroundings {
        Surroundings::of(all.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn the_stack_goes_before_the_process_and_nothing_secret_is_shown() {
        let both = of(&[
            ("AWS_PROFILE", "mine"),
            ("HOME", "/"),
            ("AWS_PROFILE", "load"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ]);
        assert_eq!((both.get("AWS_PROFILE"), both.get("HOME")), (Some("load"), None));
        assert_eq!(format!("{both:?}"), r#"{"AWS_PROFILE", "AWS_SECRET_ACCESS_KEY"}"#);
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
