//! Roots in a temporary folder: good ones, broken ones, strange ones.

use serde_json::json;

use super::block::Tree;
use super::*;
use crate::problem::{render, source::Source};

fn root(files: &[(&str, &str)]) -> Result<Root, String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    read_root(folder.path())
        .map_err(|problems| render(&problems, false).replace(&format!("{}", folder.path().display()), "ROOT"))
}

const MAIN: &str = r#"
terraform {
  required_version = ">= 1.9, < 2.0"
  backend "s3" {
    bucket = "state"
  }
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
    null = "~> 3.0"
  }
}

variable "slaves" {
  type        = number
  default     = -2
  description = "日本語"
  validation {
    condition     = var.slaves >= 0
    error_message = "never below 0"
  }
}

variable "password" {
  type      = string
  sensitive = true
}

variable "servers" {
  type = map(object({
    size = string
    zone = optional(string)
  }))
  default = { a = { size = "s" } }
}

variable "free" {
  default = null
}

module "jmeter" {
  source = "../../modules/jmeter"
  count  = var.slaves
}

resource "terraform_data" "slave" {
  count = var.slaves
  input = <<-EOT
    %{for i in range(3)}slave ${i} ${var.servers["a"].size}
    %{endfor}
  EOT
  triggers_replace = [for k, v in var.servers : "${k}-${v.size}" if v.size != ""]
}
"#;

#[test]
fn a_root_tells_what_it_declares() {
    let root =
        root(&[("main.tf", MAIN), ("terraform.tfvars", "password = \"x\"\n"), ("x.auto.tfvars.json", "{\"free\": 1}")])
            .expect("a good root");
    assert_eq!(root.variables["slaves"].kind, Type::Number);
    assert_eq!(root.variables["slaves"].default, DefaultValue::Value(json!(-2)));
    let conditions: Vec<_> = root.variables["slaves"].conditions.iter().map(|c| (c.text.as_str(), c.at.line)).collect();
    assert_eq!((conditions, root.variables["free"].conditions.len()), (vec![("var.slaves >= 0", 21)], 0));
    assert_eq!(root.variables["slaves"].at.line, 16);
    assert_eq!(root.variables["password"].default, DefaultValue::Missing);
    assert_eq!(root.variables["servers"].default, DefaultValue::Value(json!({ "a": { "size": "s" } })));
    assert!(root.variables["servers"].type_text.starts_with("map(object({"));
    assert_eq!(root.variables["free"].default, DefaultValue::Value(json!(null)));
    assert!(root.variables["password"].sensitive && !root.variables["slaves"].sensitive);
    assert_eq!(root.required_versions.first().map(|v| (v.0.as_str(), v.1.line)), Some((">= 1.9, < 2.0", 3)));
    let backend = root.backend.expect("a backend");
    assert_eq!((backend.kind.as_str(), backend.arguments.expect("plain")["bucket"].as_str()), ("s3", Some("state")));
    assert_eq!(root.modules.first().and_then(ModuleCall::local), Some(Path::new("../../modules/jmeter")));
    assert_eq!(root.given, ["free".to_owned(), "password".to_owned()].into());
}

#[test]
fn the_json_syntax_says_the_same() {
    let text = r#"{
  "//": "a comment",
  "terraform": { "required_version": "~> 1.11", "backend": { "local": { "path": "x" } },
                 "required_providers": { "aws": { "source": "hashicorp/aws" } } },
  "variable": [
    { "slaves": { "type": "number", "default": 3 } },
    { "names": { "type": "list(string)", "sensitive": true } }
  ],
  "module": { "m": { "source": "./m" } }
}"#;
    let root = root(&[("main.tf.json", text)]).expect("a good root");
    assert_eq!(root.variables["slaves"].default, DefaultValue::Value(json!(3)));
    assert_eq!(root.variables["names"].kind, Type::List(Box::new(Type::String)));
    assert_eq!(root.variables["names"].at.line, 7);
    assert!(root.variables["names"].sensitive && !root.variables["slaves"].sensitive);
    assert_eq!(root.backend.expect("a backend").kind, "local");
    assert_eq!(root.modules.len(), 1);
}

#[test]
fn override_files_change_what_they_name_and_no_more() {
    let over = "variable \"slaves\" {\n  default = 9\n}\nterraform {\n  backend \"local\" {}\n}\nmodule \"jmeter\" {\n  source = \"./own\"\n}\n";
    let root = root(&[("main.tf", MAIN), ("aaa_override.tf", over)]).expect("a good root");
    assert_eq!(root.variables["slaves"].default, DefaultValue::Value(json!(9)));
    assert_eq!(root.variables["slaves"].kind, Type::Number);
    assert_eq!(root.backend.expect("a backend").kind, "local");
    assert_eq!(root.modules.iter().map(|m| m.source.as_str()).collect::<Vec<_>>(), ["./own"]);
}

#[test]
fn windows_line_ends_a_byte_order_mark_and_tabs_are_fine() {
    let text = format!("\u{feff}{}", MAIN.replace('\n', "\r\n").replace("  ", "\t"));
    assert_eq!(root(&[("main.tf", &text)]).expect("a good root").variables.len(), 4);
}

#[test]
fn what_is_wrong_with_files_is_told_with_its_place_and_all_at_once() {
    let report = root(&[
        ("a.tf", "variable \"x\" {}\nvariable \"日本\" {\n  default = = 3\n}\n"),
        ("b.tf", "variable \"y\" {}\n"),
        ("c.tf", "variable \"y\" {}\n"),
        ("d.tf.json", "{\n  \"variable\": { \"日本\": }\n}"),
        ("e_override.tf", "variable \"z\" {\n  default = 1\n}\n"),
        (".ignored.tf", "}"),
        ("note.txt", "}"),
    ]);
    insta::assert_snapshot!(report.expect_err("broken"));
}

#[test]
fn a_folder_that_is_no_root_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let why = |path: &Path| read_root(path).expect_err("no root").remove(0).message;
    assert_eq!(why(folder.path()), "there are no Terraform files (`*.tf`) in this folder");
    assert_eq!(why(&folder.path().join("none")), "there is no such folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    assert_eq!(why(&file), "it is a file, not a folder");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|\n|[{}\"=$%<]){0,120}") {
        let source = Source::new("x.tf", &text);
        for json in [false, true] {
            if let Ok(tree) = Tree::parse(&source, json) {
                let body = tree.body(&source);
                let _ = Declarations::read(&body);
                let _ = (body.entries(), body.plain());
            }
        }
    }
}
