//! What a Terraform state tells of its Auto Scaling groups, and of the outputs that probes name.
//!
//! Source of the format: Terraform's `internal/states/statefile/version4.go`, as `terraform state pull` writes it. A state holds
//! secrets: nothing but what is named here is kept of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::GROUP;

/// An Auto Scaling group as a state has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateGroup {
    /// The address of its resource: `module.jmeter.aws_autoscaling_group.slaves[0]`.
    pub address: String,
    /// Its name in AWS.
    pub name: String,
    /// Its ARN, by which it is known from groups of the same name in other accounts and regions.
    pub arn: String,
    /// How many it is to have, as Terraform set it last; `None` where that is not Terraform's to say.
    pub desired: Option<u32>,
}

impl StateGroup {
    /// Where it is, as its ARN tells.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        region_of(&self.arn)
    }

    /// Whether the ARN of a group that AWS lists is that of this one: the same partition, region, account and name. The id in the middle
    /// is another one for a group that was made again under its name, and Terraform knows that as the same.
    #[must_use]
    pub fn is_at(&self, arn: &str) -> bool {
        is_same_group(&self.arn, arn)
    }

    /// What people call it: what comes after its type in its address; where that is one of the names that say nothing, its name in AWS.
    #[must_use]
    pub fn label(&self) -> &str {
        let after = self.address.rsplit_once(GROUP).map(|(_, after)| after.trim_start_matches('.'));
        match after.filter(|label| !label.is_empty()) {
            Some(label) if matches!(label.split('[').next(), Some("this" | "main" | "default")) => &self.name,
            Some(label) => label,
            None => &self.address,
        }
    }
}

/// What is needed of a state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateFacts {
    /// Its groups, in the order of the state.
    pub groups: Vec<StateGroup>,
    /// Its outputs that are no secrets, as text.
    pub outputs: BTreeMap<String, String>,
    /// Outputs that are secrets, by name.
    pub secret_outputs: Vec<String>,
}

/// Why a state cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Not a state, or one that is cut off.
    #[error("`terraform state pull` gave no state that can be read: {0}")]
    NotAState(String),
    /// Of another version of the format.
    #[error("the state has the format {0}; only 4 is known here")]
    Version(u64),
    /// A group without a name cannot be asked for.
    #[error("the state has no name for {0}")]
    NoName(String),
    /// Without its ARN a group cannot be told from others of its name.
    #[error("the state has no ARN for {0}")]
    NoArn(String),
}

#[derive(Deserialize)]
struct File {
    version: u64,
    #[serde(default)]
    outputs: BTreeMap<String, OutputOf>,
    #[serde(default)]
    resources: Vec<ResourceOf>,
}

#[derive(Deserialize)]
struct OutputOf {
    #[serde(default)]
    value: Value,
    #[serde(default)]
    sensitive: bool,
}

#[derive(Deserialize)]
struct ResourceOf {
    #[serde(default)]
    module: Option<String>,
    mode: String,
    r#type: String,
    name: String,
    #[serde(default)]
    instances: Vec<InstanceOf>,
}

#[derive(Deserialize)]
struct InstanceOf {
    #[serde(default)]
    index_key: Option<Value>,
    /// Of an object that another one has replaced, and that only goes.
    #[serde(default)]
    deposed: Option<String>,
    #[serde(default)]
    attributes: Option<GroupAttributes>,
}

/// Read of every resource; of others than groups nothing of it fits or is looked at.
#[derive(Deserialize)]
struct GroupAttributes {
    #[serde(default)]
    name: Value,
    #[serde(default)]
    arn: Value,
    #[serde(default)]
    desired_capacity: Value,
}

/// Reads what `terraform state pull` printed. Nothing at all is what it prints of a stack without a state.
///
/// # Errors
/// [`StateError`]; an unreadable state is never taken for one without groups.
pub fn read(text: &[u8]) -> Result<StateFacts, StateError> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(StateFacts::default());
    }
    // The words of serde quote no values but of keys that are asked for by type, none of which is a secret.
    let file: File = serde_json::from_slice(text)
        .map_err(|error| StateError::NotAState(format!("{:?} at line {}", error.classify(), error.line())))?;
    if file.version != 4 {
        return Err(StateError::Version(file.version));
    }
    let mut facts = StateFacts::default();
    for (name, output) in file.outputs {
        if output.sensitive {
            facts.secret_outputs.push(name);
            continue;
        }
        let text = match output.value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        facts.outputs.insert(name, text);
    }
    for resource in file.resources.iter().filter(|resource| resource.mode == "managed" && resource.r#type == GROUP) {
        for instance in resource.instances.iter().filter(|instance| instance.deposed.is_none()) {
            facts.groups.push(group(resource, instance)?);
        }
    }
    Ok(facts)
}

fn group(resource: &ResourceOf, instance: &InstanceOf) -> Result<StateGroup, StateError> {
    let module = resource.module.as_ref().map(|module| format!("{module}.")).unwrap_or_default();
    let index = match &instance.index_key {
        None | Some(Value::Null) => String::new(),
        Some(key) => format!("[{key}]"),
    };
    let address = format!("{module}{}.{}{index}", resource.r#type, resource.name);
    let Some(attributes) = &instance.attributes else { return Err(StateError::NoName(address)) };
    let Some(name) = attributes.name.as_str().filter(|name| !name.is_empty()) else {
        return Err(StateError::NoName(address));
    };
    let Some(arn) = attributes.arn.as_str().filter(|arn| place(arn).is_some()) else {
        return Err(StateError::NoArn(address));
    };
    Ok(StateGroup {
        name: name.to_owned(),
        arn: arn.to_owned(),
        desired: attributes.desired_capacity.as_u64().and_then(|desired| u32::try_from(desired).ok()),
        address,
    })
}

/// The region that the ARN of a group tells.
#[must_use]
pub fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}

/// Whether two ARNs are those of one group; see [`StateGroup::is_at`].
#[must_use]
pub fn is_same_group(one: &str, other: &str) -> bool {
    place(one).is_some() && place(one) == place(other)
}

/// All of `arn:aws:autoscaling:ap-northeast-1:123456789012:autoScalingGroup:ID:autoScalingGroupName/NAME` but the id.
fn place(arn: &str) -> Option<Vec<&str>> {
    let mut parts: Vec<&str> = arn.splitn(8, ':').collect();
    (parts.len() == 8).then(|| parts.remove(6))?;
    Some(parts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(resources: &Value) -> Vec<u8> {
        json!({ "version": 4, "serial": 7, "lineage": "x", "outputs": {
            "url": { "value": "http://10.0.0.7", "type": "string" },
            "port": { "value": 1099, "type": "number" },
            "password": { "value": "hunter2", "type": "string", "sensitive": true },
        }, "resources": resources })
        .to_string()
        .into_bytes()
    }

    fn slaves(name: &str, key: &Value) -> Value {
        json!({ "index_key": key, "schema_version": 0, "attributes": {
            "name": name, "desired_capacity": 40, "tag": [{ "key": "a", "value": "日本" }],
            "arn": format!("arn:aws:autoscaling:ap-northeast-1:123456789012:autoScalingGroup:u:autoScalingGroupName/{name}"),
        }, "sensitive_attributes": [] })
    }

    #[test]
    fn the_groups_of_a_state_are_found_with_address_name_region_and_desired_count() {
        let text = state(&json!([
            { "mode": "managed", "type": "aws_instance", "name": "master", "instances": [{ "attributes": { "name": 3 } }] },
            { "mode": "data", "type": GROUP, "name": "other", "instances": [{ "attributes": { "name": "not-ours" } }] },
            { "module": "module.jmeter", "mode": "managed", "type": GROUP, "name": "slaves",
              "instances": [slaves("s-0", &json!(0)), slaves("s-a", &json!("a"))] },
        ]));
        let facts = read(&text).expect("a state");
        let told: Vec<_> = facts.groups.iter().map(|g| (g.address.as_str(), g.label(), g.name.as_str())).collect();
        assert_eq!(
            told,
            [
                ("module.jmeter.aws_autoscaling_group.slaves[0]", "slaves[0]", "s-0"),
                ("module.jmeter.aws_autoscaling_group.slaves[\"a\"]", "slaves[\"a\"]", "s-a"),
            ]
        );
        let unnamed =
            StateGroup { address: "module.a.aws_autoscaling_group.this[0]".to_owned(), ..facts.groups[0].clone() };
        assert_eq!(unnamed.label(), "s-0");
        assert_eq!((facts.groups[0].region(), facts.groups[0].desired), (Some("ap-northeast-1"), Some(40)));
        assert_eq!(facts.outputs.get("port").map(String::as_str), Some("1099"));
        assert!(!facts.outputs.contains_key("password") && facts.secret_outputs == ["password"]);
        assert!(!format!("{facts:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_no_state_is_never_taken_for_one_without_groups() {
        assert_eq!(read(b" \n"), Ok(StateFacts::default()), "a stack that was never applied");
        let whole = state(
            &json!([{ "mode": "managed", "type": GROUP, "name": "s", "instances": [slaves("s", &Value::Null)] }]),
        );
        assert_eq!(read(&whole).expect("a state").groups[0].address, "aws_autoscaling_group.s");
        for end in 1..whole.len() {
            assert!(matches!(read(&whole[..end]), Err(StateError::NotAState(_))), "cut off after {end} bytes");
        }
        assert_eq!(read(br#"{ "version": 5 }"#), Err(StateError::Version(5)));
        let nameless =
            state(&json!([{ "mode": "managed", "type": GROUP, "name": "s", "instances": [{ "attributes": {} }] }]));
        assert_eq!(read(&nameless), Err(StateError::NoName("aws_autoscaling_group.s".to_owned())));
        let placeless = state(
            &json!([{ "mode": "managed", "type": GROUP, "name": "s", "instances": [{ "attributes": { "name": "s", "arn": "x" } }] }]),
        );
        assert_eq!(read(&placeless), Err(StateError::NoArn("aws_autoscaling_group.s".to_owned())));
        let error = read(br#"{ "version": "hunter2" }"#).expect_err("not a state").to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_group_of_that_name_elsewhere_is_another_one() {
        let text = state(
            &json!([{ "mode": "managed", "type": GROUP, "name": "s", "instances": [slaves("s", &Value::Null)] }]),
        );
        let group = read(&text).expect("a state").groups.remove(0);
        let arn = |region: &str, account: &str, id: &str, name: &str| {
            format!("arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{id}:autoScalingGroupName/{name}")
        };
        assert!(group.is_at(&arn("ap-northeast-1", "123456789012", "u", "s")));
        assert!(group.is_at(&arn("ap-northeast-1", "123456789012", "made-again", "s")));
        assert!(!group.is_at(&arn("ap-northeast-1", "999999999999", "u", "s")));
        assert!(!group.is_at(&arn("eu-west-1", "123456789012", "u", "s")));
        assert!(!group.is_at(&arn("ap-northeast-1", "123456789012", "u", "s:t")));
        assert!(!group.is_at("") && !group.is_at("arn:aws:autoscaling"));
    }
}
