//! Asks AWS Auto Scaling, by its own SDK.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::config::{HttpClient, ProvideCredentials as _, SharedCredentialsProvider};
use aws_sdk_autoscaling::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_autoscaling::primitives::DateTime;
use aws_sdk_autoscaling::types::{AutoScalingGroup, Instance};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use super::cause::Activity;
use super::counts::{Seen, SeenInstance};
use super::{CannotLook, Surroundings, credentials};
use crate::domain::ids::Timestamp;
use crate::domain::switch::ACTION;

/// How long one question may take, with its second try.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long one try may take.
const TRY: Duration = Duration::from_secs(8);

/// Most names in one question. Source: `DescribeAutoScalingGroups`, which gives at most 100 groups a page.
const NAMES_MAX: usize = 50;

/// How many of the latest activities of a group are looked at.
const ACTIVITIES: i32 = 20;

/// Whoever answers for one region, with one set of credentials.
#[derive(Debug, Clone)]
pub struct Aws(Client);

impl Aws {
    /// Finds credentials, and takes on `role` by them where one is named. Nothing is asked of Auto Scaling yet.
    ///
    /// # Errors
    /// [`CannotLook`], where there are no credentials or the role is refused.
    pub async fn connect(surroundings: &Surroundings, region: &str, role: Option<&str>) -> Result<Self, CannotLook> {
        let config = signed_in(surroundings, region, role).await?;
        let config = match surroundings.endpoint("AUTO_SCALING") {
            Some(endpoint) => config.into_builder().endpoint_url(endpoint).build(),
            None => config,
        };
        Ok(Self(Client::new(&config)))
    }

    /// The groups of these names, as far as there are such.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said. A group that is not there is no error here.
    pub async fn groups(&self, names: &[String]) -> Result<Vec<Seen>, CannotLook> {
        let mut seen = Vec::new();
        for names in names.chunks(NAMES_MAX) {
            let mut page = None;
            loop {
                let question = self.0.describe_auto_scaling_groups().set_auto_scaling_group_names(Some(names.to_vec()));
                let answer = question.set_next_token(page).send().await.map_err(|error| refused(&error))?;
                page = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
                seen.extend(answer.auto_scaling_groups().iter().filter_map(group));
                if page.is_none() {
                    break;
                }
            }
        }
        Ok(seen)
    }

    /// What the group of this name tried last, the newest first.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said.
    pub async fn activities(&self, name: &str) -> Result<Vec<Activity>, CannotLook> {
        let question = self.0.describe_scaling_activities().auto_scaling_group_name(name).max_records(ACTIVITIES);
        let answer = question.send().await.map_err(|error| refused(&error))?;
        let activity = |activity: &aws_sdk_autoscaling::types::Activity| Activity {
            status: activity.status_code().map(|code| code.as_str().to_owned()).unwrap_or_default(),
            message: activity.status_message().unwrap_or_default().to_owned(),
            details: activity.details().unwrap_or_default().to_owned(),
            began_ms: activity.start_time().and_then(|at| at.to_millis().ok()),
        };
        Ok(answer.activities().iter().map(activity).collect())
    }
}

impl Aws {
    /// Has the group of this name end all its instances but `left` at `at`, by a scheduled action; moves one that is there.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said; what was written before stands then.
    pub async fn end_at(&self, name: &str, at: Timestamp, left: u32) -> Result<(), CannotLook> {
        let question = self
            .0
            .put_scheduled_update_group_action()
            .auto_scaling_group_name(name)
            .scheduled_action_name(ACTION)
            .start_time(DateTime::from_millis(at.0))
            .min_size(0)
            .desired_capacity(i32::try_from(left).unwrap_or_default());
        question.send().await.map(drop).map_err(|error| refused(&error))
    }

    /// Takes that action away. One that is not there, or was carried out, is no error.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said.
    pub async fn end_never(&self, name: &str) -> Result<(), CannotLook> {
        let there = self.0.describe_scheduled_actions().auto_scaling_group_name(name).scheduled_action_names(ACTION);
        let there = there.send().await.map_err(|error| refused(&error))?;
        if there.scheduled_update_group_actions().is_empty() {
            return Ok(());
        }
        let question = self.0.delete_scheduled_action().auto_scaling_group_name(name).scheduled_action_name(ACTION);
        question.send().await.map(drop).map_err(|error| refused(&error))
    }
}

/// Settings with credentials that are there, of `role` where one is named.
///
/// # Errors
/// [`CannotLook`], where there are no credentials or the role is refused.
pub(super) async fn signed_in(
    surroundings: &Surroundings,
    region: &str,
    role: Option<&str>,
) -> Result<SdkConfig, CannotLook> {
    let base = base(surroundings, region);
    check(&base).await.map_err(|said| no_credentials(surroundings, said))?;
    let Some(role) = role else { return Ok(base) };
    let sts = match surroundings.endpoint("STS") {
        Some(endpoint) => base.clone().into_builder().endpoint_url(endpoint).build(),
        None => base.clone(),
    };
    let provider = AssumeRoleProvider::builder(role).session_name("tidegate").configure(&sts).build().await;
    let config = base.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
    check(&config).await.map_err(|said| CannotLook::Role { role: role.to_owned(), said })?;
    Ok(config)
}

fn group(group: &AutoScalingGroup) -> Option<Seen> {
    Some(Seen {
        name: group.auto_scaling_group_name()?.to_owned(),
        arn: group.auto_scaling_group_arn().unwrap_or_default().to_owned(),
        desired: group.desired_capacity().and_then(|desired| u32::try_from(desired).ok())?,
        instances: group.instances().iter().map(instance).collect(),
    })
}

fn instance(instance: &Instance) -> SeenInstance {
    SeenInstance {
        zone: instance.availability_zone().unwrap_or_default().to_owned(),
        state: instance.lifecycle_state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        health: instance.health_status().unwrap_or_default().to_owned(),
        weight: instance.weighted_capacity().and_then(|weight| weight.parse().ok()).unwrap_or(1),
    }
}

/// Settings without an endpoint: each service has its own. Made here, not loaded: what this process's environment says is not the
/// stack's.
fn base(surroundings: &Surroundings, region: &str) -> SdkConfig {
    let http = http();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(4))
        .operation_attempt_timeout(TRY)
        .operation_timeout(PATIENCE);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        // Whoever assumes a role panics without either.
        .time_source(SystemTimeSource::new())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .region(Region::new(region.to_owned()))
        .http_client(http.clone())
        // Whoever waits asks again and again anyway.
        .retry_config(RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(300)))
        .timeout_config(timeouts.build())
        .credentials_provider(credentials::provider(surroundings, region, http))
        .build()
}

fn http() -> impl HttpClient + Clone + 'static {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// Whether there are credentials at all; what was said where there are none.
async fn check(config: &SdkConfig) -> Result<(), String> {
    let Some(provider) = config.credentials_provider() else {
        return Err("nothing gives any".to_owned());
    };
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(error) => Err(words(&error)),
    }
}

fn no_credentials(surroundings: &Surroundings, said: String) -> CannotLook {
    if said.contains("ExpiredToken") || said.contains("expired") {
        return CannotLook::Expired(said);
    }
    let looked = match surroundings.get("AWS_PROFILE") {
        Some(profile) => format!("profile {profile}: {said}"),
        None => said,
    };
    CannotLook::NoCredentials(looked)
}

/// What an error comes down to. Source of the codes: "Common errors" of the Auto Scaling API reference, and those of STS.
fn refused<E>(error: &SdkError<E>) -> CannotLook
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let SdkError::ServiceError(service) = error else {
        return match error {
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => CannotLook::Unreachable(words(error)),
            _ => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(429) => CannotLook::Throttled(words(error)),
                Some(status) if status >= 500 => CannotLook::Busy { status, said: words(error) },
                Some(_) | None => CannotLook::Other(words(error)),
            },
        };
    };
    let status = service.raw().status().as_u16();
    let (code, message) = (service.err().code().unwrap_or_default(), service.err().message().unwrap_or_default());
    judged(status, code, message)
}

/// What an answer with this status, code and message means.
pub(super) fn judged(status: u16, code: &str, message: &str) -> CannotLook {
    let said = cut(&[code, message].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": "));
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => CannotLook::Expired(said),
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" | "OptInRequired" => {
            CannotLook::Denied(said)
        }
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "AuthFailure"
        | "IncompleteSignature"
        | "MissingAuthenticationToken" => CannotLook::BadCredentials(said),
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown" => CannotLook::Throttled(said),
        _ if status == 429 => CannotLook::Throttled(said),
        _ if status >= 500 => CannotLook::Busy { status, said },
        _ if status == 401 || status == 403 => CannotLook::Denied(said),
        _ => CannotLook::Other(if said.is_empty() { format!("HTTP {status}") } else { said }),
    }
}

/// An error with what caused it, on one line.
fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !parts.contains(&text) {
            parts.push(text);
        }
        cause = next.source();
    }
    tracing::debug!(error = %DisplayErrorContext(error), "AWS could not be asked");
    cut(&parts.join(": "))
}

/// Most characters of what AWS says.
const SAID_MAX: usize = 400;

fn cut(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SAID_MAX).collect()
}
