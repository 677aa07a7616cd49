//! An answer of AWS's query services, which is XML, as a tree. What is no whole document is none: half an answer tells nothing.

use std::collections::BTreeMap;

use xmlparser::{ElementEnd, Token, Tokenizer};

/// Deepest that elements may stand in each other. Answers of EC2 have nine.
const DEPTH_MAX: usize = 64;

/// An element with what stands in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name, without what stands before a colon.
    pub name: String,
    /// Its own text, without the space around it.
    pub text: String,
    /// The elements in it, in their order.
    pub children: Vec<Element>,
}

impl Element {
    /// Reads a whole document; `None` where it is none.
    #[must_use]
    pub fn read(document: &str) -> Option<Self> {
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        for token in Tokenizer::from(document) {
            match token.ok()? {
                Token::ElementStart { local, .. } => {
                    if root.is_some() || open.len() == DEPTH_MAX {
                        return None;
                    }
                    open.push(Self { name: local.as_str().to_owned(), ..Self::default() });
                }
                Token::ElementEnd { end: ElementEnd::Open, .. }
                | Token::Attribute { .. }
                | Token::Declaration { .. }
                | Token::ProcessingInstruction { .. }
                | Token::Comment { .. } => {}
                Token::ElementEnd { end, .. } => {
                    let mut closed = open.pop()?;
                    if let ElementEnd::Close(_, name) = end
                        && name.as_str() != closed.name
                    {
                        return None;
                    }
                    closed.text.truncate(closed.text.trim_end().len());
                    closed.text.drain(..closed.text.len() - closed.text.trim_start().len());
                    match open.last_mut() {
                        Some(parent) => parent.children.push(closed),
                        None => root = Some(closed),
                    }
                }
                Token::Text { text } => {
                    if let Some(within) = open.last_mut() {
                        within.text.push_str(&meant(text.as_str())?);
                    }
                }
                Token::Cdata { text, .. } => open.last_mut()?.text.push_str(text.as_str()),
                // Nothing of AWS's has a type of its own, and entities are only declared in one.
                Token::DtdStart { .. }
                | Token::EmptyDtd { .. }
                | Token::EntityDeclaration { .. }
                | Token::DtdEnd { .. } => {
                    return None;
                }
            }
        }
        root.filter(|_| open.is_empty())
    }

    /// The first element of this name that stands in it.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the element at this path.
    #[must_use]
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        path.iter().try_fold(self, |element, name| element.child(name)).map(|element| element.text.as_str())
    }

    /// What stands in the list of this name.
    #[must_use]
    pub fn list(&self, name: &str) -> &[Self] {
        self.child(name).map_or(&[], |list| &list.children)
    }

    /// The first element of this name at any depth, the outermost first.
    #[must_use]
    pub fn within(&self, name: &str) -> Option<&Self> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.within(name))
    }

    /// The tags in the list `list`, each with a `key` and a `value`, whichever of the two is written first.
    #[must_use]
    pub fn tags(&self, list: &str, key: &str, value: &str) -> BTreeMap<String, String> {
        let text = |tag: &Self, name: &str| tag.child(name).map(|of| of.text.clone());
        let tags = self.list(list).iter();
        tags.filter_map(|tag| Some((text(tag, key)?, text(tag, value).unwrap_or_default()))).collect()
    }
}

/// A text as it is meant; `None` where it refers to something that is not known.
fn meant(written: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        let (name, after) = after.split_once(';')?;
        text.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            "quot" => '"',
            number => {
                let number = number.strip_prefix('#')?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_in_either_order_and_as_they_are_meant() {
        // As Auto Scaling writes them, in the order of their names: of the next tag's key it is told before.
        let answer = "<?xml version=\"1.0\"?>\n<R xmlns=\"http://x\"><Tags>\n<member><Value>shop</Value><Key>tidegate:environment</Key></member>\
                      <member><Value>a &lt;b&gt; &amp;amp; &#26085;&#x672C;</Value><Key>&quot;k&quot;</Key></member>\
                      <member><Key>empty</Key><Value/></member><member><Key>none</Key></member></Tags></R>";
        let read = Element::read(answer).expect("a document").tags("Tags", "Key", "Value");
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let wanted =
            [tag("tidegate:environment", "shop"), tag("\"k\"", "a <b> &amp; 日本"), tag("empty", ""), tag("none", "")];
        assert_eq!(read, wanted.into());
    }

    #[test]
    fn what_is_no_whole_document_tells_nothing() {
        let deep = "<a>".repeat(DEPTH_MAX + 1) + &"</a>".repeat(DEPTH_MAX + 1);
        for text in
            ["", "x", "<a>", "<a><b></a></b>", "<a></a><b/>", "<a>&nbsp;</a>", "<a>&lt</a>", "<a", "</a>", &deep]
        {
            assert_eq!(Element::read(text), None, "{text}");
        }
        assert_eq!(Element::read("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"), None);
        let read =
            Element::read("<ns:a x='1'> <b> 1 </b><b>2</b><!-- <c/> --><![CDATA[<d>]]></ns:a>\n").expect("a document");
        assert_eq!((read.name.as_str(), read.text.as_str(), read.children.len()), ("a", "<d>", 2));
        assert_eq!((read.text_at(&["b"]), read.text_at(&["c"]), read.text_at(&["b", "c"])), (Some("1"), None, None));
    }
}
