//! A parsed file, the same for both syntaxes of Terraform: bodies, blocks in them, arguments of blocks.
//! Source of the JSON form: "JSON Configuration Syntax" in Terraform's documentation: a block is an object, or a list of
//! objects, by label.

use std::collections::BTreeSet;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure;
use serde_json::{Map, Value};

use super::kind::Type;
use super::{Location, plain};
use crate::problem::Problem;
use crate::problem::source::Source;

/// A file as its syntax has it.
#[derive(Debug)]
pub(super) enum Tree {
    Native(structure::Body),
    Json(Value),
}

impl Tree {
    /// Parses a file; what is wrong is told with its place.
    pub(super) fn parse(source: &Source, json: bool) -> Result<Self, Problem> {
        if json { parse_json(source) } else { parse_native(source) }
    }

    /// The file's top level.
    pub(super) fn body<'f>(&'f self, source: &'f Source) -> Body<'f> {
        let form = match self {
            Self::Native(body) => Form::Native(body),
            Self::Json(value) => Form::Json(objects(value).collect()),
        };
        Body { source, kind: "", form }
    }
}

fn parse_native(source: &Source) -> Result<Tree, Problem> {
    hcl_edit::parser::parse_body(source.text()).map(Tree::Native).map_err(|error| {
        let at = error.location().offset();
        Problem::at(source, at..at.saturating_add(1), format!("not Terraform's syntax: {}", error.message()))
    })
}

fn parse_json(source: &Source) -> Result<Tree, Problem> {
    let refuse = |at: usize, why: String| Problem::at(source, at..at.saturating_add(1), why);
    match serde_json::from_str::<Value>(source.text()) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => Ok(Tree::Json(value)),
        Ok(_) => Err(refuse(0, "not Terraform's JSON syntax: the file must hold one object".to_owned())),
        Err(error) => {
            let text = error.to_string();
            // The place is told apart, so that it need not be in the message as well.
            let why = text.split(" at line ").next().unwrap_or(&text).to_owned();
            Err(refuse(source.offset(error.line(), error.column()), format!("not JSON: {why}")))
        }
    }
}

/// What stands in a file or in a block.
#[derive(Debug)]
pub(super) struct Body<'f> {
    source: &'f Source,
    /// The kind of the block whose body it is; empty at the top.
    kind: &'static str,
    form: Form<'f>,
}

#[derive(Debug)]
enum Form<'f> {
    Native(&'f structure::Body),
    Json(Vec<&'f Map<String, Value>>),
}

/// A block.
#[derive(Debug)]
pub(super) struct Block<'f> {
    /// Its first label; empty where it has none.
    pub(super) label: &'f str,
    pub(super) body: Body<'f>,
    ident: Option<Range<usize>>,
}

/// An argument: a name and the expression that it is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Argument<'f> {
    pub(super) name: &'f str,
    source: &'f Source,
    kind: &'static str,
    given: Given<'f>,
}

#[derive(Debug, Clone, Copy)]
enum Given<'f> {
    Native(&'f structure::Attribute),
    Json(&'f Value),
}

impl<'f> Body<'f> {
    /// The blocks of this kind.
    pub(super) fn blocks(&self, kind: &'static str) -> Vec<Block<'f>> {
        let source = self.source;
        match &self.form {
            Form::Native(body) => body
                .get_blocks(kind)
                .map(|block| {
                    let labels = (block.labels.first(), block.labels.last().and_then(hcl_edit::Span::span));
                    // From the keyword to the end of the labels: the part of a block that names it.
                    let ident = block.ident.span().map(|ident| ident.start..labels.1.map_or(ident.end, |l| l.end));
                    let body = Body { source, kind, form: Form::Native(&block.body) };
                    Block { label: labels.0.map_or("", |label| label.as_str()), body, ident }
                })
                .collect(),
            Form::Json(all) => {
                let block = |label: &'f str, body| {
                    let body = Body { source, kind, form: Form::Json(vec![body]) };
                    Block { label, body, ident: None }
                };
                let contents = all.iter().filter_map(|object| object.get(kind)).flat_map(objects);
                if is_labelled(kind) {
                    let entries = contents.flat_map(|labels| labels.iter().filter(|(label, _)| *label != "//"));
                    entries.flat_map(|(label, bodies)| objects(bodies).map(move |body| block(label, body))).collect()
                } else {
                    contents.map(|body| block("", body)).collect()
                }
            }
        }
    }

    /// The addresses of the resource blocks: `TYPE.NAME`.
    pub(super) fn resources(&self) -> Vec<String> {
        const KIND: &str = "resource";
        match &self.form {
            Form::Native(body) => body
                .get_blocks(KIND)
                .filter_map(|block| match block.labels.as_slice() {
                    [kind, name] => Some(format!("{}.{}", kind.as_str(), name.as_str())),
                    _ => None,
                })
                .collect(),
            Form::Json(all) => {
                let kinds = all.iter().filter_map(|object| object.get(KIND)).flat_map(objects).flatten();
                let kinds = kinds.filter(|(kind, _)| *kind != "//");
                kinds
                    .flat_map(|(kind, names)| objects(names).flatten().map(move |(name, _)| (kind, name)))
                    .filter(|(_, name)| *name != "//")
                    .map(|(kind, name)| format!("{kind}.{name}"))
                    .collect()
            }
        }
    }

    /// The resource blocks: address (`TYPE.NAME`), names of arguments and blocks inside, and the `lifecycle` block as it is written.
    pub(super) fn entries_of_resources(&self) -> Vec<(String, BTreeSet<String>, String)> {
        const KIND: &str = "resource";
        match &self.form {
            Form::Native(body) => body
                .get_blocks(KIND)
                .filter_map(|block| {
                    let [kind, name] = block.labels.as_slice() else { return None };
                    let named = block.body.iter().map(|entry| match entry {
                        structure::Structure::Attribute(attribute) => attribute.key.as_str().to_owned(),
                        structure::Structure::Block(inner) if inner.ident.as_str() == "dynamic" => {
                            inner.labels.first().map_or("", |label| label.as_str()).to_owned()
                        }
                        structure::Structure::Block(inner) => inner.ident.as_str().to_owned(),
                    });
                    let lifecycle = block.body.get_blocks("lifecycle").next();
                    let lifecycle = lifecycle.map(|inner| written(self.source, inner.span()).to_owned());
                    let address = format!("{}.{}", kind.as_str(), name.as_str());
                    Some((address, named.collect(), lifecycle.unwrap_or_default()))
                })
                .collect(),
            Form::Json(all) => {
                let kinds = all.iter().filter_map(|object| object.get(KIND)).flat_map(objects).flatten();
                let named = kinds.filter(|(kind, _)| *kind != "//").flat_map(|(kind, names)| {
                    objects(names)
                        .flatten()
                        .filter(|(name, _)| *name != "//")
                        .map(move |(name, body)| (kind, name, body))
                });
                named
                    .map(|(kind, name, body)| {
                        let written = objects(body).flat_map(Map::keys).cloned().collect();
                        let lifecycle = objects(body).find_map(|object| object.get("lifecycle"));
                        (format!("{kind}.{name}"), written, lifecycle.map(Value::to_string).unwrap_or_default())
                    })
                    .collect()
            }
        }
    }

    /// The arguments. In JSON they cannot be told from blocks inside, which are among them then.
    pub(super) fn arguments(&self) -> Vec<Argument<'f>> {
        let &Self { source, kind, .. } = self;
        match &self.form {
            Form::Native(body) => body
                .attributes()
                .map(|given| Argument { name: given.key.as_str(), source, kind, given: Given::Native(given) })
                .collect(),
            Form::Json(all) => all
                .iter()
                .flat_map(|object| object.iter().filter(|(name, _)| *name != "//"))
                .map(|(name, value)| Argument { name, source, kind, given: Given::Json(value) })
                .collect(),
        }
    }

    /// The argument of this name.
    pub(super) fn argument(&self, name: &str) -> Option<Argument<'f>> {
        self.arguments().into_iter().find(|argument| argument.name == name)
    }

    /// The text of an argument that has a plain one.
    pub(super) fn text(&self, name: &str) -> Option<&'f str> {
        self.argument(name)?.text()
    }

    /// Arguments and blocks inside, each by its name and as it is written.
    pub(super) fn entries(&self) -> Vec<(&'f str, String)> {
        match &self.form {
            Form::Native(body) => body
                .iter()
                .map(|entry| {
                    let name = match entry {
                        structure::Structure::Attribute(attribute) => attribute.key.as_str(),
                        structure::Structure::Block(block) => block.ident.as_str(),
                    };
                    (name, written(self.source, entry.span()).to_owned())
                })
                .collect(),
            Form::Json(_) => self.arguments().into_iter().map(|entry| (entry.name, entry.written())).collect(),
        }
    }

    /// Everything in it as plain values, blocks as lists of them; `None` when something is not plain.
    pub(super) fn plain(&self) -> Option<Map<String, Value>> {
        let arguments = self.arguments();
        let mut found: Map<String, Value> =
            arguments.iter().map(|given| Some((given.name.to_owned(), given.plain()?))).collect::<Option<_>>()?;
        if let Form::Native(body) = &self.form {
            for block in body.blocks() {
                let inner = Body { source: self.source, kind: self.kind, form: Form::Native(&block.body) };
                let list = found.entry(block.ident.as_str()).or_insert_with(|| Value::Array(Vec::new()));
                list.as_array_mut()?.push(Value::Object(inner.plain()?));
            }
        }
        Some(found)
    }
}

impl Block<'_> {
    /// The part that names the block.
    pub(super) fn span(&self) -> Range<usize> {
        self.ident.clone().unwrap_or_else(|| find(self.body.source, self.body.kind, self.label))
    }

    pub(super) fn at(&self) -> Location {
        location(self.body.source, self.span().start)
    }

    pub(super) fn source(&self) -> Source {
        self.body.source.clone()
    }
}

impl<'f> Argument<'f> {
    pub(super) fn at(&self) -> Location {
        let start = match self.given {
            Given::Native(attribute) => attribute.key.span().map_or(0, |span| span.start),
            Given::Json(_) => find(self.source, self.kind, self.name).start,
        };
        location(self.source, start)
    }

    pub(super) fn text(&self) -> Option<&'f str> {
        match self.given {
            Given::Native(attribute) => attribute.value.as_str(),
            Given::Json(value) => value.as_str(),
        }
    }

    pub(super) fn flag(&self) -> Option<bool> {
        match self.given {
            Given::Native(attribute) => attribute.value.as_bool(),
            Given::Json(value) => value.as_bool(),
        }
    }

    /// The value, when it needs no evaluation.
    pub(super) fn plain(&self) -> Option<Value> {
        match self.given {
            Given::Native(attribute) => plain::value(&attribute.value),
            Given::Json(value) => Some(value.clone()),
        }
    }

    /// The expression as it is written.
    pub(super) fn written(&self) -> String {
        match self.given {
            Given::Native(attribute) => written(self.source, attribute.value.span()).trim().to_owned(),
            Given::Json(Value::String(text)) => text.clone(),
            Given::Json(value) => value.to_string(),
        }
    }

    /// The type that it means as a variable's `type`.
    pub(super) fn kind(&self) -> Type {
        self.with_expression(Type::of).unwrap_or(Type::Any)
    }

    /// What `read` makes of the expression; in JSON it is the text, or the only template in it.
    pub(super) fn with_expression<T>(&self, read: impl FnOnce(&Expression) -> T) -> Option<T> {
        match self.given {
            Given::Native(attribute) => Some(read(&attribute.value)),
            Given::Json(value) => {
                let text = value.as_str()?;
                let text = text.strip_prefix("${").and_then(|text| text.strip_suffix('}')).unwrap_or(text);
                hcl_edit::parser::parse_expr(text).ok().as_ref().map(read)
            }
        }
    }
}

fn location(source: &Source, offset: usize) -> Location {
    Location { file: source.path().to_owned(), line: source.line_of(offset) }
}

fn written(source: &Source, span: Option<Range<usize>>) -> &str {
    span.and_then(|span| source.text().get(span)).unwrap_or_default()
}

/// Kinds of blocks that have a label: in JSON only the kind tells.
fn is_labelled(kind: &str) -> bool {
    matches!(kind, "variable" | "module" | "provider" | "resource" | "data" | "ephemeral" | "backend")
}

/// `value` as the objects that it is, be it one or a list of them.
fn objects(value: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    let list = match value {
        Value::Array(items) => items.as_slice(),
        value => std::slice::from_ref(value),
    };
    list.iter().filter_map(Value::as_object)
}

/// Where `"name"` stands after `"kind"`: serde keeps no places, and this is near enough for a line number.
fn find(source: &Source, kind: &str, name: &str) -> Range<usize> {
    let text = source.text();
    let place = |from: usize, word: &str| {
        let at = text.get(from..)?.find(&format!("\"{word}\""))? + from;
        Some(at..at + word.len() + 2)
    };
    let kind = place(0, kind).unwrap_or(0..0);
    place(kind.start, name).filter(|_| !name.is_empty()).unwrap_or(kind)
}
