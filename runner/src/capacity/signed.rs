//! Single questions to AWS services that need no SDK of their own: what carries a tag, who one is, who holds a state lock. Each is one signed
//! request and a short answer; an SDK for each would be most of what there is to build.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_autoscaling::config::{Credentials, ProvideCredentials as _};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_async::time::{SystemTimeSource, TimeSource as _};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::{Value, json};

use super::aws::{judged, signed_in};
use super::element::Element;
use super::quota::between;
use super::removal::Call;
use super::{CannotLook, Surroundings, Tagged};

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Most pages of tagged resources that are read: ten thousand of them.
const PAGES_MAX: usize = 100;

/// Whoever answers in one region, with one set of credentials.
#[derive(Debug, Clone)]
pub struct Signed {
    surroundings: Surroundings,
    region: String,
    config: SdkConfig,
}

/// One request before it is signed.
pub(super) struct Asks<'a> {
    /// As in the name of its host.
    pub(super) service: &'a str,
    /// As in the signature.
    pub(super) signs: &'a str,
    /// As in `AWS_ENDPOINT_URL_...`.
    pub(super) variable: &'a str,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) headers: &'a [(&'static str, String)],
    pub(super) body: String,
}

impl Signed {
    /// Finds credentials, and takes on `role` by them where one is named. Nothing else is asked yet.
    ///
    /// # Errors
    /// [`CannotLook`], where there are no credentials or the role is refused.
    pub async fn connect(surroundings: &Surroundings, region: &str, role: Option<&str>) -> Result<Self, CannotLook> {
        let config = signed_in(surroundings, region, role).await?;
        Ok(Self { surroundings: surroundings.clone(), region: region.to_owned(), config })
    }

    /// Whether AWS takes the credentials: who they are, as an ARN.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said.
    pub async fn identity(&self) -> Result<String, CannotLook> {
        let form = ("content-type", "application/x-www-form-urlencoded".to_owned());
        let (status, text) = self
            .ask(&Asks {
                service: "sts",
                signs: "sts",
                variable: "STS",
                method: "POST",
                path: "/".to_owned(),
                headers: &[form],
                body: "Action=GetCallerIdentity&Version=2011-06-15".to_owned(),
            })
            .await?;
        if status != 200 {
            return Err(refused(status, &text));
        }
        Ok(between(&text, "<Arn>", "</Arn>").unwrap_or_default().to_owned())
    }

    /// Everything in the region that carries this tag, with its tags.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said; what had come until then is not given.
    pub async fn tagged(&self, key: &str, value: &str) -> Result<Vec<Tagged>, CannotLook> {
        let (mut all, mut page) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let body = json!({
                "TagFilters": [{ "Key": key, "Values": [value] }], "ResourcesPerPage": 100, "PaginationToken": page,
            });
            let target = "ResourceGroupsTaggingAPI_20170126.GetResources";
            let answer = self.json("tagging", "RESOURCE_GROUPS_TAGGING_API", target, &body).await?;
            let Some(list) = answer["ResourceTagMappingList"].as_array() else {
                return Err(CannotLook::Other("an answer without resources".to_owned()));
            };
            all.extend(list.iter().filter_map(tagged));
            answer["PaginationToken"].as_str().unwrap_or_default().clone_into(&mut page);
            if page.is_empty() {
                return Ok(all);
            }
        }
        Err(CannotLook::Other("more resources carry the tag than are read".to_owned()))
    }

    /// The object of this key in a bucket of this region; `None` where there is none.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said, also where there is no such bucket.
    pub async fn object(&self, bucket: &str, key: &str) -> Result<Option<String>, CannotLook> {
        let (status, text) = self
            .ask(&Asks {
                service: "s3",
                signs: "s3",
                variable: "S3",
                method: "GET",
                path: format!("/{}/{}", encoded(bucket), encoded(key)),
                headers: &[],
                body: String::new(),
            })
            .await?;
        match status {
            200 => Ok(Some(text)),
            404 if !text.contains("NoSuchBucket") => Ok(None),
            _ => Err(refused(status, &text)),
        }
    }

    /// The text `Info` of the item with this `LockID` in a table; `None` where there is none.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said.
    pub async fn lock_item(&self, table: &str, id: &str) -> Result<Option<String>, CannotLook> {
        let body = json!({ "TableName": table, "Key": { "LockID": { "S": id } }, "ConsistentRead": true });
        let answer = self.json("dynamodb", "DYNAMODB", "DynamoDB_20120810.GetItem", &body).await?;
        Ok(answer["Item"]["Info"]["S"].as_str().map(str::to_owned))
    }

    /// One call of the query protocol: the answer.
    ///
    /// # Errors
    /// [`CannotLook`] with what AWS said, its code first.
    pub async fn call(&self, call: &Call) -> Result<Element, CannotLook> {
        let service = call.service;
        let (status, text) = self
            .ask(&Asks {
                service: service.as_str(),
                signs: service.as_str(),
                variable: service.variable(),
                method: "POST",
                path: "/".to_owned(),
                headers: &[("content-type", "application/x-www-form-urlencoded".to_owned())],
                body: call.form(),
            })
            .await?;
        if status != 200 {
            return Err(refused(status, &text));
        }
        // It was heard, and what it says is not.
        Element::read(&text).ok_or_else(|| CannotLook::Unreachable("an answer that is no whole XML".to_owned()))
    }

    pub(super) async fn json(
        &self,
        service: &str,
        variable: &str,
        target: &str,
        body: &Value,
    ) -> Result<Value, CannotLook> {
        let version = if service == "dynamodb" { "1.0" } else { "1.1" };
        let headers =
            [("content-type", format!("application/x-amz-json-{version}")), ("x-amz-target", target.to_owned())];
        let asks = Asks {
            service,
            signs: service,
            variable,
            method: "POST",
            path: "/".to_owned(),
            headers: &headers,
            body: body.to_string(),
        };
        let (status, text) = self.ask(&asks).await?;
        if status != 200 {
            return Err(refused(status, &text));
        }
        serde_json::from_str(&text).map_err(|error| CannotLook::Other(format!("no JSON: {error}")))
    }

    async fn credentials(&self) -> Result<Credentials, CannotLook> {
        let Some(provider) = self.config.credentials_provider() else {
            return Err(CannotLook::NoCredentials(String::new()));
        };
        provider.provide_credentials().await.map_err(|error| CannotLook::NoCredentials(error.to_string()))
    }

    /// The status and the text of the answer.
    pub(super) async fn ask(&self, asks: &Asks<'_>) -> Result<(u16, String), CannotLook> {
        let request = self.signed(asks, self.credentials().await?, SystemTimeSource::new().now())?;
        let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
        let unreachable = |why: String| CannotLook::Unreachable(why);
        let answered = tokio::time::timeout(PATIENCE, async {
            let answer: HttpResponse = connector.call(request).await.map_err(|error| unreachable(error.to_string()))?;
            let status = answer.status().as_u16();
            let body = ByteStream::new(answer.into_body()).collect().await;
            let bytes = body.map_err(|error| unreachable(error.to_string()))?.into_bytes();
            Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
        });
        answered.await.unwrap_or_else(|_| Err(unreachable("no answer in time".to_owned())))
    }

    fn signed(&self, asks: &Asks<'_>, credentials: Credentials, now: SystemTime) -> Result<HttpRequest, CannotLook> {
        let wrong = |why: String| CannotLook::Other(format!("a question cannot be signed: {why}"));
        let endpoint = match self.surroundings.endpoint(asks.variable) {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://{}.{}.{}", asks.service, self.region, suffix(&self.region)),
        };
        let uri = format!("{endpoint}{}", asks.path);
        let host = uri.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
        let mut settings = SigningSettings::default();
        if asks.signs == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let identity = credentials.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(asks.signs)
            .time(now)
            .settings(settings)
            .build()
            .map_err(|error| wrong(error.to_string()))?
            .into();
        let own = asks.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let headers = own.chain([("host", host.as_str())]);
        let signable =
            SignableRequest::new(asks.method, &uri, headers.clone(), SignableBody::Bytes(asks.body.as_bytes()))
                .map_err(|error| wrong(error.to_string()))?;
        let (instructions, _) = sign(signable, &params).map_err(|error| wrong(error.to_string()))?.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(asks.body.as_str()));
        request.set_method(asks.method).map_err(|error| wrong(error.to_string()))?;
        request.set_uri(uri.clone()).map_err(|error| wrong(error.to_string()))?;
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut all: Vec<(String, String)> = headers.map(owned).collect();
        all.extend(instructions.headers().map(owned));
        for (name, value) in all {
            request.headers_mut().try_insert(name, value).map_err(|error| wrong(error.to_string()))?;
        }
        Ok(request)
    }
}

/// Where a region's services are. Source: the partitions of the AWS general reference.
fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// A path in which only slashes stand for themselves.
pub(super) fn encoded(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn tagged(item: &Value) -> Option<Tagged> {
    let tags = item["Tags"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(Tagged {
        arn: text(&item["ResourceARN"])?,
        tags: tags.filter_map(|tag| Some((text(&tag["Key"])?, text(&tag["Value"])?))).collect(),
    })
}

/// What AWS said, as JSON or as XML, by whichever service.
pub(super) fn refused(status: u16, text: &str) -> CannotLook {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let code = match json["__type"].as_str() {
        Some(code) => code.rsplit('#').next().unwrap_or(code),
        None => between(text, "<Code>", "</Code>").unwrap_or_default(),
    };
    let message = json["message"].as_str().or_else(|| json["Message"].as_str());
    judged(status, code, message.or_else(|| between(text, "<Message>", "</Message>")).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_services_refuse_is_told_alike_whichever_form_it_has() {
        let json = r#"{"__type":"com.amazonaws.tagging#AccessDeniedException","Message":"not authorized"}"#;
        assert_eq!(refused(400, json), CannotLook::Denied("AccessDeniedException: not authorized".to_owned()));
        let xml = "<Error><Code>ExpiredToken</Code><Message>over</Message></Error>";
        assert_eq!(refused(400, xml), CannotLook::Expired("ExpiredToken: over".to_owned()));
        assert_eq!(refused(503, ""), CannotLook::Busy { status: 503, said: String::new() });
    }

    #[test]
    fn a_path_is_written_as_s3_reads_it() {
        assert_eq!(encoded("env:/a b/日.tfstate"), "env%3A/a%20b/%E6%97%A5.tfstate");
    }
}
