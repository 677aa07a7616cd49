//! What a state has, by the addresses that people type.

use serde::Deserialize;
use serde_json::Value;

/// What of a state tells its addresses.
///
/// Source of the format: Terraform's `internal/states/statefile/version4.go`.
#[derive(Default, Deserialize)]
struct State {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default)]
    module: String,
    #[serde(default)]
    mode: String,
    r#type: String,
    name: String,
    #[serde(default)]
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
struct Instance {
    index_key: Option<Value>,
}

/// The address of each instance in a state, those too that are only read.
///
/// # Errors
/// When it is no state. An empty text is one in which nothing is.
pub fn addresses(state: &[u8]) -> Result<Vec<String>, serde_json::Error> {
    let state: State = if state.trim_ascii().is_empty() { State::default() } else { serde_json::from_slice(state)? };
    let all = state.resources.into_iter().flat_map(|Resource { module, mode, r#type, name, instances }| {
        let module = if module.is_empty() { module } else { format!("{module}.") };
        let data = if mode == "data" { "data." } else { "" };
        let resource = format!("{module}{data}{type}.{name}");
        instances.into_iter().map(move |instance| match instance.index_key {
            // A text is quoted as in the language, a number stands as it is: JSON writes both alike.
            Some(key) => format!("{resource}[{key}]"),
            None => resource.clone(),
        })
    });
    Ok(all.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_instance_has_the_address_that_people_type() {
        let state = serde_json::json!({ "version": 4, "resources": [
            { "mode": "managed", "type": "aws_vpc", "name": "main", "instances": [{ "attributes": {} }] },
            { "module": "module.db[\"eu\"]", "mode": "managed", "type": "aws_db_instance", "name": "main",
              "instances": [{ "index_key": 0 }, { "index_key": "a \"b\"" }] },
            { "mode": "data", "type": "aws_ami", "name": "this", "instances": [{}] },
            { "mode": "managed", "type": "aws_subnet", "name": "gone", "instances": [] },
        ] });
        assert_eq!(
            addresses(state.to_string().as_bytes()).expect("a state"),
            [
                "aws_vpc.main",
                "module.db[\"eu\"].aws_db_instance.main[0]",
                "module.db[\"eu\"].aws_db_instance.main[\"a \\\"b\\\"\"]",
                "data.aws_ami.this"
            ]
        );
        assert_eq!(addresses(b"\n").expect("none"), Vec::<String>::new());
        assert!(addresses(b"{").is_err());
    }
}
