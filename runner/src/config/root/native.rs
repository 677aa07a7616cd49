//! Terraform's own syntax, `*.tf` and `*.tfvars`.

use std::collections::BTreeSet;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey, UnaryOperator};
use hcl_edit::structure::{Block, Body};
use serde_json::Value;

use super::super::problem::Problem;
use super::super::source::Source;
use super::{Backend, Declarations, DefaultValue, Location, ModuleCall, Provider, Type, VariableDeclaration};

/// Reads the declarations of a file.
pub(super) fn read(source: &Source) -> Result<Declarations, Vec<Problem>> {
    let body = parse(source)?;
    let mut found = Declarations::default();
    for block in body.blocks() {
        match block.ident.as_str() {
            "variable" => found.variables.extend(variable(source, block)),
            "terraform" => terraform(source, block, &mut found),
            "module" => found.modules.extend(module(source, block)),
            _ => {}
        }
    }
    Ok(found)
}

/// Reads the names that a values file gives.
pub(super) fn names(source: &Source) -> Result<BTreeSet<String>, Vec<Problem>> {
    Ok(parse(source)?.attributes().map(|attribute| attribute.key.as_str().to_owned()).collect())
}

fn parse(source: &Source) -> Result<Body, Vec<Problem>> {
    hcl_edit::parser::parse_body(source.text()).map_err(|error| {
        let at = error.location().offset();
        vec![Problem::at(source, at..at.saturating_add(1), format!("not Terraform's syntax: {}", error.message()))]
    })
}

fn location(source: &Source, span: Option<Range<usize>>) -> Location {
    Location { file: source.path().to_owned(), line: source.line_of(span.map_or(0, |span| span.start)) }
}

fn label(block: &Block) -> Option<String> {
    block.labels.first().map(|label| label.as_str().to_owned())
}

fn variable(source: &Source, block: &Block) -> Option<VariableDeclaration> {
    let name = label(block)?;
    let attribute = |key| block.body.get_attribute(key).map(|attribute| &attribute.value);
    let kind = attribute("type").map(|kind| {
        let text = kind.span().and_then(|span| source.text().get(span)).unwrap_or_default();
        (type_of(kind), text.trim().to_owned())
    });
    Some(VariableDeclaration {
        name,
        kind,
        default: attribute("default").map(|value| plain(value).map_or(DefaultValue::Unread, DefaultValue::Value)),
        sensitive: attribute("sensitive").and_then(Expression::as_bool),
        validated: block.body.has_blocks("validation"),
        at: location(source, block.ident.span()),
        // From the keyword to the end of the labels: the part of a block that names it.
        span: block.ident.span().map_or(0..0, |ident| {
            ident.start..block.labels.last().and_then(hcl_edit::Span::span).map_or(ident.end, |label| label.end)
        }),
        source: source.clone(),
    })
}

fn terraform(source: &Source, block: &Block, found: &mut Declarations) {
    if let Some(version) = block.body.get_attribute("required_version")
        && let Some(text) = version.value.as_str()
    {
        found.required_versions.push((text.to_owned(), location(source, version.key.span())));
    }
    for inner in block.body.blocks() {
        let kind = match inner.ident.as_str() {
            "backend" => label(inner),
            "cloud" => Some("cloud".to_owned()),
            "required_providers" => {
                let entries = inner.body.attributes();
                found.providers.extend(entries.map(|entry| (entry.key.as_str().to_owned(), provider(&entry.value))));
                None
            }
            _ => None,
        };
        if let Some(kind) = kind {
            let arguments = inner.body.attributes().map(|argument| argument.key.as_str().to_owned()).collect();
            found.backend = Some(Backend { kind, arguments, at: location(source, inner.ident.span()) });
        }
    }
}

fn provider(value: &Expression) -> Provider {
    // Terraform 0.12 wrote the version alone.
    let Some(entries) = value.as_object() else {
        return Provider { source: None, version: value.as_str().map(str::to_owned) };
    };
    let text = |name: &str| {
        let entry = entries.iter().find(|(key, _)| key_text(key) == Some(name));
        entry.and_then(|(_, value)| value.expr().as_str()).map(str::to_owned)
    };
    Provider { source: text("source"), version: text("version") }
}

fn module(source: &Source, block: &Block) -> Option<ModuleCall> {
    let from = block.body.get_attribute("source").and_then(|attribute| attribute.value.as_str());
    let at = location(source, block.ident.span());
    Some(ModuleCall { name: label(block)?, source: from.unwrap_or_default().to_owned(), at })
}

fn key_text(key: &ObjectKey) -> Option<&str> {
    match key {
        ObjectKey::Ident(name) => Some(name.as_str()),
        ObjectKey::Expression(value) => value.as_str(),
    }
}

/// The value of an expression without variables, functions and templates.
fn plain(value: &Expression) -> Option<Value> {
    match value {
        Expression::Null(_) => Some(Value::Null),
        Expression::Bool(value) => Some(Value::from(*value.value())),
        Expression::Number(number) => {
            let number = number.value();
            number.as_i64().map(Value::from).or_else(|| number.as_f64().map(Value::from))
        }
        Expression::String(text) => Some(Value::from(text.as_str())),
        Expression::Array(items) => items.iter().map(plain).collect::<Option<Vec<_>>>().map(Value::from),
        Expression::Object(entries) => entries
            .iter()
            .map(|(key, value)| Some((key_text(key)?.to_owned(), plain(value.expr())?)))
            .collect::<Option<serde_json::Map<_, _>>>()
            .map(Value::from),
        Expression::Parenthesis(inner) => plain(inner.inner()),
        Expression::UnaryOp(operation) if *operation.operator.value() == UnaryOperator::Neg => {
            match plain(&operation.expr)? {
                Value::Number(number) => match number.as_i64() {
                    Some(number) => number.checked_neg().map(Value::from),
                    None => number.as_f64().map(|number| Value::from(-number)),
                },
                _ => None,
            }
        }
        _ => None,
    }
}

/// The type that an expression in a variable's `type` means.
pub(super) fn type_of(kind: &Expression) -> Type {
    let words = match kind {
        Expression::Variable(word) => Some(word.as_str()),
        // Terraform 0.11 wrote `type = "string"`.
        Expression::String(word) => Some(word.as_str()),
        _ => None,
    };
    if let Some(word) = words {
        return match word {
            "string" => Type::String,
            "number" => Type::Number,
            "bool" => Type::Bool,
            "list" => Type::List(Box::new(Type::Any)),
            "set" => Type::Set(Box::new(Type::Any)),
            "map" => Type::Map(Box::new(Type::Any)),
            _ => Type::Any,
        };
    }
    let Some(call) = kind.as_func_call() else { return Type::Any };
    let first = call.args.iter().next();
    let inner = || Box::new(first.map_or(Type::Any, type_of));
    match call.name.name.as_str() {
        "list" => Type::List(inner()),
        "set" => Type::Set(inner()),
        "map" => Type::Map(inner()),
        "tuple" => {
            let items = first.and_then(Expression::as_array);
            items.map_or(Type::Any, |items| Type::Tuple(items.iter().map(type_of).collect()))
        }
        "object" => first.and_then(Expression::as_object).map_or(Type::Any, |attributes| {
            let attribute = |(key, value): (&ObjectKey, &hcl_edit::expr::ObjectValue)| {
                let optional = value.expr().as_func_call().filter(|call| call.name.name.as_str() == "optional");
                let kind = optional.and_then(|call| call.args.iter().next()).unwrap_or_else(|| value.expr());
                key_text(key).map(|key| (key.to_owned(), (type_of(kind), optional.is_none())))
            };
            Type::Object(attributes.iter().filter_map(attribute).collect())
        }),
        _ => Type::Any,
    }
}
