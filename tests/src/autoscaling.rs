//! A fake AWS Auto Scaling and STS: the Query protocol over HTTP on loopback, over groups that a test writes down, with faults on
//! demand. Source of the forms: the API references of Auto Scaling 2011-01-01 and of STS 2011-06-15.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Where the groups of the tests are.
pub const REGION: &str = "ap-northeast-1";

/// An activity that failed, as Auto Scaling tells it.
pub const NO_CAPACITY: &str = "We currently do not have sufficient c5.xlarge capacity in the Availability Zone you requested \
    (ap-northeast-1a). Our system will be working on provisioning additional capacity. Launching EC2 instance failed.";

/// One group.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// How many it is to have.
    pub desired: u32,
    /// How many are in service and healthy.
    pub in_service: u32,
    /// How many are going.
    pub terminating: u32,
    /// How many more are in service with each answer, as far as desired.
    pub grows: u32,
    /// What its launches failed with.
    pub failures: Vec<String>,
    /// Whose it is; empty for [`ACCOUNT`].
    pub account: String,
}

/// Whose the groups of the tests are.
pub const ACCOUNT: &str = "123456789012";

/// The ARN of a group.
#[must_use]
pub fn arn(account: &str, name: &str) -> String {
    format!("arn:aws:autoscaling:{REGION}:{account}:autoScalingGroup:u:autoScalingGroupName/{name}")
}

/// Something that a call meets in place of its answer.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The HTTP status.
    pub status: u16,
    /// The code in the body; empty: the body is no answer of AWS.
    pub code: &'static str,
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `DescribeAutoScalingGroups` and alike.
    pub action: String,
    /// By the key with this id.
    pub key: String,
}

#[derive(Debug, Default)]
struct World {
    groups: BTreeMap<String, Group>,
    /// When a group is to be ended, as it was written, by its name.
    ends: BTreeMap<String, String>,
    faults: VecDeque<Fault>,
    always: Option<Fault>,
    asked: Vec<Asked>,
}

/// The server. Dropping it ends it.
#[derive(Debug)]
pub struct AutoScaling {
    world: Arc<Mutex<World>>,
    url: String,
    task: JoinHandle<()>,
}

impl Drop for AutoScaling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl AutoScaling {
    /// Starts on a free port of loopback.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let world = Arc::new(Mutex::new(World::default()));
        let router = Router::new().route("/", any(answer)).with_state(Arc::clone(&world));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("served") });
        Self { world, url, task }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("nobody panicked")
    }

    /// Sets a group.
    pub fn group(&self, name: &str, group: Group) {
        self.world().groups.insert(name.to_owned(), group);
    }

    /// When a group is to be ended by itself, as it was written: `2026-11-22T05:00:00Z`.
    #[must_use]
    pub fn ends(&self, name: &str) -> Option<String> {
        self.world().ends.get(name).cloned()
    }

    /// Somebody deletes a group.
    pub fn delete(&self, name: &str) {
        self.world().groups.remove(name).expect("it was there");
    }

    /// The next calls meet these.
    pub fn meet(&self, faults: impl IntoIterator<Item = Fault>) {
        self.world().faults.extend(faults);
    }

    /// Every call meets this, until `None`.
    pub fn always(&self, fault: Option<Fault>) {
        self.world().always = fault;
    }

    /// What was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.world().asked.clone()
    }

    /// The environment by which this server is asked, and nothing else in the world.
    #[must_use]
    pub fn env(&self) -> Vec<(String, String)> {
        on_loopback(&self.url);
        env(&self.url)
    }
}

/// The environment by which `url` is asked, and nothing else in the world.
///
/// # Panics
/// Where it does not lie on loopback: no test ever asks AWS itself.
#[must_use]
pub fn env(url: &str) -> Vec<(String, String)> {
    on_loopback(url);
    [
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ENDPOINT_URL_AUTO_SCALING", url),
        ("AWS_ENDPOINT_URL_STS", url),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false"),
        ("AWS_ACCESS_KEY_ID", "AKIATESTONLY"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("AWS_SESSION_TOKEN", ""),
        ("AWS_REGION", REGION),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn on_loopback(url: &str) {
    let host = url.strip_prefix("http://").and_then(|rest| rest.split(['/', ':']).next());
    assert_eq!(host, Some("127.0.0.1"), "tests ask no AWS but on loopback");
}

async fn answer(State(world): State<Arc<Mutex<World>>>, headers: HeaderMap, body: Bytes) -> Response {
    let fields: Vec<(String, String)> = pairs(&String::from_utf8_lossy(&body));
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
    let action = field("Action").unwrap_or_default();
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key = signed.split("Credential=").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
    let mut world = world.lock().expect("nobody panicked");
    world.asked.push(Asked { action: action.clone(), key });
    if let Some(fault) = world.faults.pop_front().or_else(|| world.always.clone()) {
        return refused(&fault);
    }
    let names: Vec<String> = fields
        .iter()
        .filter(|(name, _)| name.starts_with("AutoScalingGroupNames.member."))
        .map(|(_, v)| v.clone())
        .collect();
    match action.as_str() {
        "DescribeAutoScalingGroups" => {
            let mut members = String::new();
            for (name, group) in world.groups.iter_mut().filter(|(name, _)| names.contains(name)) {
                members.push_str(&described(name, group));
                group.in_service = group.desired.min(group.in_service + group.grows).max(group.in_service);
            }
            told(&action, &format!("<AutoScalingGroups>{members}</AutoScalingGroups>"))
        }
        "DescribeScalingActivities" => {
            let group = field("AutoScalingGroupName").and_then(|name| world.groups.get(&name).cloned());
            let failures = group.unwrap_or_default().failures;
            let members: String = failures.iter().map(|message| activity(message)).collect();
            told(&action, &format!("<Activities>{members}</Activities>"))
        }
        "PutScheduledUpdateGroupAction" => {
            let wanted = [field("ScheduledActionName"), field("MinSize"), field("DesiredCapacity")];
            assert_eq!(wanted, ["tidegate-planned-end", "0", "0"].map(|text| Some(text.to_owned())), "{fields:?}");
            world.ends.extend(field("AutoScalingGroupName").zip(field("StartTime")));
            told(&action, "")
        }
        "DescribeScheduledActions" => {
            let group = field("AutoScalingGroupName").unwrap_or_default();
            let at = world.ends.get(&group).map(|at| {
                format!("<member><AutoScalingGroupName>{group}</AutoScalingGroupName><ScheduledActionName>tidegate-planned-end</ScheduledActionName><StartTime>{at}</StartTime></member>")
            });
            told(
                &action,
                &format!("<ScheduledUpdateGroupActions>{}</ScheduledUpdateGroupActions>", at.unwrap_or_default()),
            )
        }
        "DeleteScheduledAction" => {
            world.ends.remove(&field("AutoScalingGroupName").unwrap_or_default());
            told(&action, "")
        }
        "AssumeRole" => told(
            &action,
            "<Credentials><AccessKeyId>ASIAASSUMED</AccessKeyId><SecretAccessKey>hunter3</SecretAccessKey>\
             <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>",
        ),
        _ => refused(&Fault { status: 400, code: "InvalidAction" }),
    }
}

fn described(name: &str, group: &Group) -> String {
    let mut instances = String::new();
    let states = std::iter::repeat_n("InService", group.in_service as usize)
        .chain(std::iter::repeat_n("Terminating", group.terminating as usize));
    for (index, state) in states.enumerate() {
        let zone = if index % 2 == 0 { "a" } else { "c" };
        let _ = write!(
            instances,
            "<member><InstanceId>i-{index}</InstanceId><AvailabilityZone>{REGION}{zone}</AvailabilityZone>\
             <LifecycleState>{state}</LifecycleState><HealthStatus>Healthy</HealthStatus>\
             <ProtectedFromScaleIn>false</ProtectedFromScaleIn></member>"
        );
    }
    let arn = arn(if group.account.is_empty() { ACCOUNT } else { &group.account }, name);
    format!(
        "<member><AutoScalingGroupName>{name}</AutoScalingGroupName><AutoScalingGroupARN>{arn}</AutoScalingGroupARN><MinSize>0</MinSize><MaxSize>200</MaxSize>\
         <DesiredCapacity>{}</DesiredCapacity><DefaultCooldown>300</DefaultCooldown>\
         <AvailabilityZones><member>{REGION}a</member></AvailabilityZones><HealthCheckType>EC2</HealthCheckType>\
         <CreatedTime>2026-11-22T00:00:00Z</CreatedTime><Instances>{instances}</Instances></member>",
        group.desired
    )
}

fn activity(message: &str) -> String {
    format!(
        "<member><ActivityId>a</ActivityId><AutoScalingGroupName>g</AutoScalingGroupName><Cause>c</Cause>\
         <StartTime>2099-01-01T00:00:00Z</StartTime><StatusCode>Failed</StatusCode><StatusMessage>{message}</StatusMessage></member>"
    )
}

fn told(action: &str, result: &str) -> Response {
    let body = format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>");
    (StatusCode::OK, [("content-type", "text/xml")], body).into_response()
}

fn refused(fault: &Fault) -> Response {
    let status = StatusCode::from_u16(fault.status).expect("a status");
    let body = if fault.code.is_empty() {
        "<html>Service Unavailable</html>".to_owned()
    } else {
        let code = fault.code;
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>as the test said</Message></Error></ErrorResponse>"
        )
    };
    (status, [("content-type", "text/xml")], body).into_response()
}

/// The fields of a form. No name or value in it needs more than this.
fn pairs(body: &str) -> Vec<(String, String)> {
    let fields = body.split('&').filter_map(|pair| pair.split_once('='));
    fields.map(|(name, value)| (name.to_owned(), value.replace("%3A", ":").replace("%2F", "/"))).collect()
}
