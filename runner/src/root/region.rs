//! In which region a root's AWS provider works, as far as that is written plainly.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Folder;

/// What the root says of the region of its own AWS provider, not of those with an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Region {
    /// Nothing: the surroundings tell.
    Unsaid,
    /// This one.
    Is(String),
    /// It is written as something that only Terraform can tell.
    Unread,
}

/// A region as written: the text, or the variable that has it.
enum Written {
    Text(String),
    Variable(String),
    Other,
}

impl Folder {
    /// The region that the root's AWS provider is given, where its variables have these values before `terraform.tfvars` and their own
    /// defaults. Files that cannot be read say nothing: [`super::read_root`] tells of them.
    #[must_use]
    pub fn region(&self, variables: &BTreeMap<String, Value>) -> Region {
        let mut given = None;
        for file in self.files.iter().filter(|file| !file.tofu_only && file.mentions(&["aws"])) {
            let Ok(body) = file.body() else { continue };
            let providers = body.blocks("provider");
            let own = providers.iter().filter(|block| block.label == "aws" && block.body.argument("alias").is_none());
            // An override file changes what it names and leaves the rest.
            given = own.filter_map(|block| block.body.argument("region")).next_back().map(|at| written(&at)).or(given);
        }
        match given {
            None => Region::Unsaid,
            Some(Written::Text(text)) => Region::Is(text),
            Some(Written::Other) => Region::Unread,
            Some(Written::Variable(name)) => match self.value_of(&name, variables) {
                Some(Value::String(text)) if !text.is_empty() => Region::Is(text),
                // A null is as if nothing was written.
                Some(Value::Null) => Region::Unsaid,
                Some(_) | None => Region::Unread,
            },
        }
    }

    fn value_of(&self, name: &str, variables: &BTreeMap<String, Value>) -> Option<Value> {
        let declared = || {
            let bodies = self.files.iter().filter(|file| !file.tofu_only).filter_map(|file| file.body().ok());
            let mut defaults = bodies.flat_map(|body| {
                let blocks = body.blocks("variable");
                let of = blocks.iter().filter(|block| block.label == name);
                of.filter_map(|block| block.body.argument("default")?.plain()).collect::<Vec<_>>()
            });
            defaults.next_back()
        };
        variables.get(name).cloned().or_else(|| self.plain_values().remove(name)).or_else(declared)
    }
}

fn written(argument: &super::block::Argument<'_>) -> Written {
    let text = argument.written();
    let inside = text.strip_prefix("${").and_then(|text| text.strip_suffix('}')).unwrap_or(&text);
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if let Some(name) = inside.strip_prefix("var.").filter(is_name) {
        return Written::Variable(name.to_owned());
    }
    match argument.plain() {
        Some(Value::String(text)) if !text.is_empty() && !text.contains("${") => Written::Text(text),
        Some(_) | None => Written::Other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn region(files: &[(&str, &str)], variables: &Value) -> Region {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        let variables = variables.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
        Folder::list(folder.path()).expect("a folder").region(&variables.collect())
    }

    fn is(text: &str) -> Region {
        Region::Is(text.to_owned())
    }

    const BY_VARIABLE: &str =
        "variable \"region\" {\n  default = \"eu-west-1\"\n}\nprovider \"aws\" {\n  region = var.region\n}\n";

    #[test]
    fn a_region_is_a_text_or_what_its_variable_has() {
        let text = "provider \"aws\" {\n  region = \"ap-northeast-1\"\n}\n";
        assert_eq!(region(&[("main.tf", text)], &json!({})), is("ap-northeast-1"));
        assert_eq!(region(&[("main.tf", BY_VARIABLE)], &json!({})), is("eu-west-1"));
        assert_eq!(region(&[("main.tf", BY_VARIABLE)], &json!({ "region": "us-east-2" })), is("us-east-2"));
        let values = [("main.tf", BY_VARIABLE), ("terraform.tfvars", "region = \"us-west-2\"\n")];
        assert_eq!(region(&values, &json!({})), is("us-west-2"));
        assert_eq!(region(&values, &json!({ "region": "us-east-2" })), is("us-east-2"));
        let as_json = r#"{ "provider": { "aws": { "region": "${var.region}" } }, "variable": { "region": { "default": "eu-north-1" } } }"#;
        assert_eq!(region(&[("main.tf.json", as_json)], &json!({})), is("eu-north-1"));
    }

    #[test]
    fn another_provider_s_region_is_not_its_own() {
        let others = "provider \"aws\" {\n  alias  = \"far\"\n  region = \"us-east-1\"\n}\nprovider \"google\" {\n  region = \"x\"\n}\n";
        assert_eq!(region(&[("main.tf", others)], &json!({})), Region::Unsaid);
        let both = [("main.tf", BY_VARIABLE), ("a_override.tf", "provider \"aws\" {\n  max_retries = 2\n}\n")];
        assert_eq!(region(&both, &json!({})), is("eu-west-1"));
        let other = [("main.tf", BY_VARIABLE), ("a_override.tf", "provider \"aws\" {\n  region = \"us-east-2\"\n}\n")];
        assert_eq!(region(&other, &json!({})), is("us-east-2"));
    }

    #[test]
    fn what_only_terraform_can_tell_is_not_guessed() {
        for written in ["local.region", "\"${var.where}-1\"", "var.regions[0]", "var.where"] {
            let text = format!("variable \"where\" {{}}\nprovider \"aws\" {{\n  region = {written}\n}}\n");
            assert_eq!(region(&[("main.tf", &text)], &json!({})), Region::Unread, "{written}");
        }
        let null = "variable \"region\" {\n  default = null\n}\nprovider \"aws\" {\n  region = var.region\n}\n";
        assert_eq!(region(&[("main.tf", null)], &json!({})), Region::Unsaid);
    }
}
