//! The tree of a Sigma file. The parser builds it, the lowering builds it by hand, the printer writes it.
//!
//! Every key of a document is in [`SigmaDocument::entries`], in the order of the file: nothing that was written is
//! lost. What has a meaning for detection is typed; the rest stays a [`Node`]. Equality ignores places.

use super::{Condition, Modifier, Value};
use ruleferry_diag::Span;
use ruleferry_doc::{Node, Style};
use smol_str::SmolStr;
use std::ops::Deref;

/// A place in the file that does not count when trees are compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loc(pub Span);

impl PartialEq for Loc {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Loc {}

impl Deref for Loc {
    type Target = Span;

    fn deref(&self) -> &Span {
        &self.0
    }
}

impl From<Span> for Loc {
    fn from(span: Span) -> Self {
        Self(span)
    }
}

/// A key or a word, with its place.
#[derive(Clone, Debug)]
pub struct Name {
    pub text: SmolStr,
    pub span: Loc,
    /// How a key is quoted.
    pub style: Style,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T: Into<SmolStr>> From<T> for Name {
    fn from(text: T) -> Self {
        let text = text.into();
        let style = Node::string(text.clone()).as_scalar().map_or(Style::Single, |s| s.style);
        Self { text, span: Loc::default(), style }
    }
}

/// One document of a file: a rule, a correlation, a filter, or a part of rules that an `action` spreads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SigmaDocument {
    pub entries: Vec<Entry>,
    pub span: Loc,
    /// False if a part could not be read as YAML: what seems missing may only be unreadable.
    pub complete: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: Name,
    pub section: Section,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Section {
    LogSource(LogSource),
    Detection(Detection),
    Correlation(Correlation),
    /// As a detection; its `rules` are in [`Detection::others`].
    Filter(Detection),
    /// Everything else, and any of the above in a shape that cannot be read.
    Other(Node),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    Rule,
    Correlation,
    Filter,
    /// Has an `action` and is no rule by itself.
    Part,
    /// None of these; a diagnostic has told so.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The document is a part of all that follow, up to a `reset`.
    Global,
    /// The document is laid over the one before.
    Repeat,
    /// Ends what `global` began.
    Reset,
}

/// All keys of a `logsource`, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogSource {
    pub entries: Vec<(Name, Node)>,
    pub span: Loc,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detection {
    pub searches: Vec<Search>,
    pub timeframe: Option<(Name, Node)>,
    pub condition: Option<Conditions>,
    /// `rules` of a filter; a condition or timeframe that stands twice.
    pub others: Vec<(Name, Node)>,
    pub span: Loc,
}

/// `condition:`, one or a list of them (each is a rule of its own).
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions {
    pub key: Name,
    pub list: bool,
    pub conditions: Vec<Condition>,
}

/// A search identifier and what it looks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    pub name: Name,
    pub body: Group,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub kind: GroupKind,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub enum GroupKind {
    /// All of these hold.
    Map(Vec<Item>),
    /// One of these holds.
    List(Vec<Group>),
    /// Any field holds this.
    Keyword(Value),
}

/// `field|modifier|…: value(s)`. No field: a search in all fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub field: Name,
    pub modifiers: Vec<ItemModifier>,
    pub values: Values,
    /// The whole key.
    pub key: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ItemModifier {
    pub kind: Modifier,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    One(Value),
    /// One of them, or all with the modifier `all`.
    List(Vec<Value>, Loc),
}

/// A correlation with all its keys. Its meaning is read by the lift.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Correlation {
    pub entries: Vec<(Name, Node)>,
    pub span: Loc,
}

impl SigmaDocument {
    /// An empty document, to be filled by [`Self::set`] and its kind.
    pub fn new() -> Self {
        Self { complete: true, ..Self::default() }
    }

    pub fn kind(&self) -> DocumentKind {
        let has = |wanted: fn(&Section) -> bool| self.entries.iter().any(|e| wanted(&e.section));
        if has(|s| matches!(s, Section::Correlation(_))) || self.entry("correlation").is_some() {
            DocumentKind::Correlation
        } else if has(|s| matches!(s, Section::Filter(_))) {
            DocumentKind::Filter
        } else if matches!(self.action(), Some(Action::Global | Action::Reset)) {
            DocumentKind::Part
        } else if has(|s| matches!(s, Section::Detection(_))) || self.entry("detection").is_some() {
            DocumentKind::Rule
        } else if self.action().is_some() {
            DocumentKind::Part
        } else {
            DocumentKind::Unknown
        }
    }

    pub fn action(&self) -> Option<Action> {
        match self.text("action")? {
            "global" => Some(Action::Global),
            "repeat" => Some(Action::Repeat),
            "reset" => Some(Action::Reset),
            _ => None,
        }
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.key.text == key)
    }

    /// The value of a key that is not typed.
    pub fn node(&self, key: &str) -> Option<&Node> {
        match &self.entry(key)?.section {
            Section::Other(node) => Some(node),
            Section::LogSource(_) | Section::Detection(_) | Section::Correlation(_) | Section::Filter(_) => {
                None
            }
        }
    }

    /// The text of a key, such as `title` or `level`.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.node(key)?.as_text()
    }

    /// The texts of a key that holds a list, such as `tags`; one text counts as a list of one.
    pub fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        let node = self.node(key);
        let one = node.and_then(Node::as_text);
        let list = node.and_then(Node::as_sequence).unwrap_or_default();
        one.into_iter().chain(list.iter().filter_map(Node::as_text))
    }

    pub fn logsource(&self) -> Option<&LogSource> {
        self.entries.iter().find_map(|e| match &e.section {
            Section::LogSource(logsource) => Some(logsource),
            Section::Detection(_) | Section::Correlation(_) | Section::Filter(_) | Section::Other(_) => None,
        })
    }

    pub fn detection(&self) -> Option<&Detection> {
        self.entries.iter().find_map(|e| match &e.section {
            Section::Detection(detection) => Some(detection),
            Section::LogSource(_) | Section::Correlation(_) | Section::Filter(_) | Section::Other(_) => None,
        })
    }

    pub fn filter(&self) -> Option<&Detection> {
        self.entries.iter().find_map(|e| match &e.section {
            Section::Filter(filter) => Some(filter),
            Section::LogSource(_) | Section::Detection(_) | Section::Correlation(_) | Section::Other(_) => {
                None
            }
        })
    }

    pub fn correlation(&self) -> Option<&Correlation> {
        self.entries.iter().find_map(|e| match &e.section {
            Section::Correlation(correlation) => Some(correlation),
            Section::LogSource(_) | Section::Detection(_) | Section::Filter(_) | Section::Other(_) => None,
        })
    }

    /// Sets a key, in the place of the old value if there is one.
    pub fn set(&mut self, key: &str, section: Section) {
        match self.entries.iter_mut().find(|e| e.key.text == key) {
            Some(entry) => entry.section = section,
            None => self.entries.push(Entry { key: Name::from(key), section }),
        }
    }

    pub fn set_text(&mut self, key: &str, text: &str) {
        self.set(key, Section::Other(Node::string(text)));
    }

    pub fn set_texts<'a>(&mut self, key: &str, texts: impl IntoIterator<Item = &'a str>) {
        let items = texts.into_iter().map(Node::string).collect();
        self.set(key, Section::Other(Node::sequence(items)));
    }
}

impl LogSource {
    pub fn new(category: Option<&str>, product: Option<&str>, service: Option<&str>) -> Self {
        let parts = [("category", category), ("product", product), ("service", service)];
        let entries =
            parts.iter().filter_map(|(key, value)| value.map(|text| (Name::from(*key), Node::string(text))));
        Self { entries: entries.collect(), span: Loc::default() }
    }

    fn part(&self, key: &str) -> Option<&str> {
        self.entries.iter().find(|(name, _)| name.text == key)?.1.as_text()
    }

    pub fn category(&self) -> Option<&str> {
        self.part("category")
    }

    pub fn product(&self) -> Option<&str> {
        self.part("product")
    }

    pub fn service(&self) -> Option<&str> {
        self.part("service")
    }
}

impl Detection {
    /// A detection with one condition.
    pub fn new(searches: Vec<Search>, condition: Condition) -> Self {
        let condition = Conditions { key: Name::from("condition"), list: false, conditions: vec![condition] };
        Self { searches, condition: Some(condition), ..Self::default() }
    }

    pub fn conditions(&self) -> &[Condition] {
        self.condition.as_ref().map_or(&[], |c| &c.conditions)
    }

    pub fn search(&self, name: &str) -> Option<&Search> {
        self.searches.iter().find(|s| s.name.text == name)
    }

    pub fn timeframe(&self) -> Option<&str> {
        self.timeframe.as_ref()?.1.as_text()
    }
}

impl Search {
    pub fn new(name: impl Into<SmolStr>, body: impl Into<Group>) -> Self {
        Self { name: Name::from(name), body: body.into() }
    }
}

impl From<GroupKind> for Group {
    fn from(kind: GroupKind) -> Self {
        Self { kind, span: Loc::default() }
    }
}

impl Item {
    pub fn new(
        field: impl Into<SmolStr>,
        modifiers: impl IntoIterator<Item = Modifier>,
        values: Values,
    ) -> Self {
        let modifiers =
            modifiers.into_iter().map(|kind| ItemModifier { kind, span: Loc::default() }).collect();
        let mut item = Self { field: Name::from(field), modifiers, values, key: Loc::default() };
        if item.has(&Modifier::Expand) {
            item.values.as_mut_slice().iter_mut().for_each(|value| match &mut value.kind {
                super::ValueKind::String(text) => text.expand = true,
                super::ValueKind::Null(_)
                | super::ValueKind::Bool(..)
                | super::ValueKind::Number(_)
                | super::ValueKind::Verbatim(_)
                | super::ValueKind::Unreadable(_) => {}
            });
        }
        item
    }

    pub fn has(&self, modifier: &Modifier) -> bool {
        self.modifiers.iter().any(|m| m.kind == *modifier)
    }

    /// The field, unless all fields are meant.
    pub fn field(&self) -> Option<&str> {
        Some(self.field.text.as_str()).filter(|f| !f.is_empty())
    }
}

impl Values {
    pub fn as_slice(&self) -> &[Value] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::List(values, _) => values,
        }
    }

    pub fn as_mut_slice(&mut self) -> &mut [Value] {
        match self {
            Self::One(value) => std::slice::from_mut(value),
            Self::List(values, _) => values,
        }
    }
}

impl From<Vec<Value>> for Values {
    /// One value stands alone, several are a list.
    fn from(mut values: Vec<Value>) -> Self {
        match values.pop() {
            Some(only) if values.is_empty() => Self::One(only),
            last => {
                values.extend(last);
                Self::List(values, Loc::default())
            }
        }
    }
}

impl Correlation {
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(name, _)| name.text == key).map(|(_, node)| node)
    }

    /// `event_count`, `temporal`, …
    pub fn kind(&self) -> Option<&str> {
        self.get("type")?.as_text()
    }

    /// Ids or names of the rules that are correlated.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        texts(self.get("rules"))
    }

    pub fn group_by(&self) -> impl Iterator<Item = &str> {
        texts(self.get("group-by"))
    }

    pub fn timespan(&self) -> Option<&str> {
        self.get("timespan")?.as_text()
    }

    /// Whether the rules that it refers to make alerts of their own, too.
    pub fn generates(&self) -> bool {
        self.get("generate").and_then(Node::as_bool).unwrap_or(false)
    }

    /// The words of a condition that combines rules (`a and not b`), operators among them.
    pub fn condition_rules(&self) -> impl Iterator<Item = &str> {
        let text = self.get("condition").and_then(Node::as_text).unwrap_or_default();
        text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')')).filter(|w| !w.is_empty())
    }
}

fn texts(node: Option<&Node>) -> impl Iterator<Item = &str> {
    let one = node.and_then(Node::as_text);
    let list = node.and_then(Node::as_sequence).unwrap_or_default();
    one.into_iter().chain(list.iter().filter_map(Node::as_text))
}
