//! The tree of a document. Built by the readers or by hand; walked by the languages; written by the printer.

use crate::core_schema::{self, Class};
use crate::{source_map, text_style};
use ruleferry_diag::{Span, SpanMap};
use smol_str::SmolStr;

/// A value with its place. Equality ignores places and the style of quoting, but not what a scalar is: `'1'` is not `1`.
#[derive(Clone, Debug)]
pub struct Node {
    pub kind: Kind,
    /// Where the content stands, without tag and anchor; what an alias stands for has the place of its anchor.
    pub span: Span,
    /// `!name`, or the whole URI (`tag:yaml.org,2002:str`).
    pub tag: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    /// In the order of the file. A key that stands twice is a diagnostic, and both are here.
    Mapping(Vec<Pair>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub key: Node,
    pub value: Node,
}

/// A scalar as it was written: the decoded text, and how it was quoted.
#[derive(Clone, Debug)]
pub struct Scalar {
    pub text: SmolStr,
    pub style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    Plain,
    Single,
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        let same_class = match (&self.kind, &other.kind) {
            (Kind::Scalar(_), Kind::Scalar(_)) => self.class() == other.class(),
            _ => true,
        };
        same_class && self.tag == other.tag && self.kind == other.kind
    }
}

/// The texts alone; what the text is depends on style and tag, which [`Node`] knows.
impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Node {
    pub fn new(kind: Kind, span: Span) -> Self {
        Self { kind, span, tag: None }
    }

    /// A string, quoted where it needs to be.
    pub fn string(text: impl Into<SmolStr>) -> Self {
        let text = text.into();
        let style = text_style::for_string(&text);
        Self::scalar(text, style)
    }

    /// A scalar as it is to be written: a number, a boolean, or a string whose quotes are chosen.
    pub fn scalar(text: impl Into<SmolStr>, style: Style) -> Self {
        Self::new(Kind::Scalar(Scalar { text: text.into(), style }), Span::default())
    }

    pub fn null() -> Self {
        Self::scalar("null", Style::Plain)
    }

    pub fn sequence(items: Vec<Self>) -> Self {
        Self::new(Kind::Sequence(items), Span::default())
    }

    pub fn mapping(pairs: Vec<Pair>) -> Self {
        Self::new(Kind::Mapping(pairs), Span::default())
    }

    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }

    /// The text of any scalar, whatever it is: `00000429` as much as `'abc'`.
    pub fn as_text(&self) -> Option<&str> {
        self.as_scalar().map(|s| s.text.as_str())
    }

    /// What the scalar is; a collection counts as a string that no accessor returns.
    pub fn class(&self) -> Class {
        let Kind::Scalar(scalar) = &self.kind else { return Class::Str };
        match (self.tag.as_deref(), scalar.style) {
            (None, Style::Plain) => core_schema::classify(&scalar.text),
            (None, Style::Single | Style::Double | Style::Literal | Style::Folded) => Class::Str,
            (Some(tag), _) => match tag.strip_prefix("tag:yaml.org,2002:") {
                Some("null") => Class::Null,
                Some("bool") => Class::Bool,
                Some("int") => Class::Int,
                Some("float") => Class::Float,
                _ => Class::Str,
            },
        }
    }

    pub fn is_null(&self) -> bool {
        self.as_scalar().is_some() && self.class() == Class::Null
    }

    /// The text of a scalar that is a string.
    pub fn as_str(&self) -> Option<&str> {
        self.as_text().filter(|_| self.class() == Class::Str)
    }

    pub fn as_bool(&self) -> Option<bool> {
        self.as_text().filter(|_| self.class() == Class::Bool).and_then(core_schema::as_bool)
    }

    pub fn as_i64(&self) -> Option<i64> {
        self.as_text().filter(|_| self.class() == Class::Int).and_then(core_schema::as_i64)
    }

    pub fn as_f64(&self) -> Option<f64> {
        let numeric = matches!(self.class(), Class::Int | Class::Float);
        self.as_text().filter(|_| numeric).and_then(core_schema::as_f64)
    }

    pub fn as_sequence(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::Sequence(items) => Some(items),
            Kind::Scalar(_) | Kind::Mapping(_) => None,
        }
    }

    pub fn as_mapping(&self) -> Option<&[Pair]> {
        match &self.kind {
            Kind::Mapping(pairs) => Some(pairs),
            Kind::Scalar(_) | Kind::Sequence(_) => None,
        }
    }

    /// The value of a key of a mapping (the first, where it stands twice).
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.pair(key).map(|p| &p.value)
    }

    pub fn pair(&self, key: &str) -> Option<&Pair> {
        self.as_mapping()?.iter().find(|p| p.key.as_text() == Some(key))
    }

    /// What people call it in a message.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
            Kind::Scalar(_) => match self.class() {
                Class::Null => "nothing",
                Class::Bool => "a boolean",
                Class::Int | Class::Float => "a number",
                Class::Str => "text",
            },
        }
    }

    /// Takes offsets in the text of the scalar to offsets in the file. `file` is the text that was parsed.
    pub fn span_map(&self, file: &str) -> SpanMap {
        match &self.kind {
            Kind::Scalar(scalar) => source_map::of_scalar(scalar, self.span, file),
            Kind::Sequence(_) | Kind::Mapping(_) => SpanMap::new(vec![(0, self.span.start)]),
        }
    }

    /// Nodes in the tree under this one, itself counted. Stops counting at `limit`.
    pub fn count(&self, limit: usize) -> usize {
        self.measure(limit).0
    }

    /// Nodes in the tree under this one, itself counted, and how deep it is. Stops counting at `limit` nodes.
    pub(crate) fn measure(&self, limit: usize) -> (usize, usize) {
        let mut count = 0;
        let mut deepest = 0;
        let mut todo = vec![(self, 1)];
        while let Some((node, depth)) = todo.pop() {
            count += 1;
            deepest = deepest.max(depth);
            if count > limit {
                break;
            }
            match &node.kind {
                Kind::Scalar(_) => {}
                Kind::Sequence(items) => todo.extend(items.iter().map(|n| (n, depth + 1))),
                Kind::Mapping(pairs) => {
                    todo.extend(pairs.iter().flat_map(|p| [(&p.key, depth + 1), (&p.value, depth + 1)]));
                }
            }
        }
        (count, deepest)
    }
}
