//! With what questions to AWS are signed: found as Terraform's AWS provider finds it, in the surroundings of one stack and nowhere
//! else. The SDK's own default chain would read this process's environment, and ask with the keys of somebody else.
//!
//! Source of the order: `resolveCredentialChain` of the AWS SDK for Go v2, which the provider uses.

use std::path::PathBuf;

use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::error::CredentialsError;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_autoscaling::config::{Credentials, HttpClient, SharedCredentialsProvider};

use super::Surroundings;

/// Whoever gives credentials to a stack of these surroundings. Nothing is read yet.
pub(super) fn provider(
    surroundings: &Surroundings,
    region: &str,
    http: impl HttpClient + 'static,
) -> SharedCredentialsProvider {
    let get = |name| surroundings.get(name);
    if let Some(keys) = keys(surroundings) {
        return SharedCredentialsProvider::new(keys);
    }
    let config =
        ProviderConfig::without_region().with_region(Some(Region::new(region.to_owned()))).with_http_client(http);
    if let (Some(role), Some(file)) = (get("AWS_ROLE_ARN"), get("AWS_WEB_IDENTITY_TOKEN_FILE")) {
        let given = StaticConfiguration {
            web_identity_token_file: file.into(),
            role_arn: role.to_owned(),
            session_name: get("AWS_ROLE_SESSION_NAME").unwrap_or("tidegate").to_owned(),
        };
        let provider = WebIdentityTokenCredentialsProvider::builder().configure(&config).static_configuration(given);
        return SharedCredentialsProvider::new(provider.build());
    }
    let mut chain = CredentialsProviderChain::first_try("Profile", profile(surroundings, &config));
    // The container's agent tells the process; a stack that names something of its own has these blank.
    if get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").or_else(|| get("AWS_CONTAINER_CREDENTIALS_FULL_URI")).is_some() {
        chain = chain.or_else("EcsContainer", EcsCredentialsProvider::builder().configure(&config).build());
    }
    if !get("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        chain = chain.or_else("Ec2InstanceMetadata", ImdsCredentialsProvider::builder().configure(&config).build());
    }
    SharedCredentialsProvider::new(chain)
}

fn keys(surroundings: &Surroundings) -> Option<Credentials> {
    let (id, secret) = (surroundings.get("AWS_ACCESS_KEY_ID")?, surroundings.get("AWS_SECRET_ACCESS_KEY")?);
    let token = surroundings.get("AWS_SESSION_TOKEN").map(str::to_owned);
    Some(Credentials::new(id, secret, token, None, "environment"))
}

/// The profile, by name and from files that are named: where neither is told the SDK would ask this process's environment.
fn profile(surroundings: &Surroundings, config: &ProviderConfig) -> ProfileFileCredentialsProvider {
    let name = surroundings.get("AWS_PROFILE").or_else(|| surroundings.get("AWS_DEFAULT_PROFILE")).unwrap_or("default");
    let mut files = EnvConfigFiles::builder();
    for (variable, usual, kind) in [
        ("AWS_CONFIG_FILE", ".aws/config", EnvConfigFileKind::Config),
        ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", EnvConfigFileKind::Credentials),
    ] {
        let usual = || surroundings.get("HOME").map(|home| PathBuf::from(home).join(usual));
        let file = surroundings.get(variable).map(PathBuf::from).or_else(usual);
        // A file that is not there says nothing, as in every SDK.
        if let Some(file) = file.filter(|file| file.exists()) {
            files = files.with_file(kind, file);
        }
    }
    let provider =
        ProfileFileCredentialsProvider::builder().configure(config).profile_name(name).profile_files(files.build());
    // `credential_source = Environment` means that of the stack, which has no keys: they would have been taken before any profile.
    provider.with_custom_provider("Environment", provide_credentials_fn(nothing)).build()
}

async fn nothing() -> aws_credential_types::provider::Result {
    Err(CredentialsError::not_loaded("the stack's environment has no keys"))
}
