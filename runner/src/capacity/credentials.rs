//! With what questions to AWS are signed: found as Terraform's AWS provider finds it, in the surroundings of one stack and nowhere
//! else. The SDK's own default chain would read this process's environment, and ask with the keys of somebody else.
//!
//! Source of the order: `resolveCredentialChain` of the AWS SDK for Go v2, which the provider uses.

use std::path::PathBuf;

use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::profile::region::ProfileFileRegionProvider;
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

/// The name of the profile, and the files that have it, both named: where either is not told the SDK would ask this process's environment.
fn chosen(surroundings: &Surroundings) -> (String, EnvConfigFiles) {
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
    (name.to_owned(), files.build())
}

/// The region that the profile of these surroundings names.
pub async fn region_of_profile(surroundings: &Surroundings) -> Option<String> {
    let (name, files) = chosen(surroundings);
    let provider = ProfileFileRegionProvider::builder()
        .configure(&ProviderConfig::without_region())
        .profile_name(name)
        .profile_files(files)
        .build();
    provider.region().await.map(|region| region.to_string()).filter(|region| !region.is_empty())
}

fn profile(surroundings: &Surroundings, config: &ProviderConfig) -> ProfileFileCredentialsProvider {
    let (name, files) = chosen(surroundings);
    let provider = ProfileFileCredentialsProvider::builder().configure(config).profile_name(name).profile_files(files);
    // `credential_source = Environment` means that of the stack, which has no keys: they would have been taken before any profile.
    provider.with_custom_provider("Environment", provide_credentials_fn(nothing)).build()
}

async fn nothing() -> aws_credential_types::provider::Result {
    Err(CredentialsError::not_loaded("the stack's environment has no keys"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_region_is_that_of_the_profile_which_the_stack_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config");
        let text = "[default]\nregion = us-east-1\n[profile change]\nregion = ap-northeast-1\n[profile silent]\noutput = json\n\
                    [profile child]\nrole_arn = r\nsource_profile = change\n";
        std::fs::write(&file, text).expect("written");
        let of = |profile: &str| {
            let all = [("AWS_CONFIG_FILE", file.to_str().expect("text")), ("AWS_PROFILE", profile)];
            let all = all.into_iter().chain([("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")]);
            Surroundings::with(&all.map(|(name, value)| (name.into(), value.into())).collect::<Vec<_>>())
        };
        assert_eq!(region_of_profile(&of("change")).await.as_deref(), Some("ap-northeast-1"));
        assert_eq!(region_of_profile(&of("child")).await.as_deref(), Some("ap-northeast-1"));
        assert_eq!(region_of_profile(&of("")).await.as_deref(), Some("us-east-1"), "none named is the default one");
        assert_eq!(region_of_profile(&of("silent")).await, None);
        assert_eq!(region_of_profile(&of("nobody")).await, None);
    }
}
