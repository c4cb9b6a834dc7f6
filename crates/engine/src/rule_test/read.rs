//! The file of tests: `<rule>.test.yaml`.
//!
//! In: its text. Out: [`TestFile`], or what is wrong with it, with places. Scalars keep their text until the type of their
//! column is known: `00000429` stays that in a column of text.

use crate::execute::Event;
use crate::time_of;
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_doc::{Class, Kind, Node, Pair, parse_yaml};
use ruleferry_events::Field;
use ruleferry_ir::Json;
use smol_str::SmolStr;
use std::rc::Rc;

#[derive(Clone, Debug)]
pub(super) struct TestFile {
    pub cases: Vec<Case>,
}

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub name: SmolStr,
    pub span: Span,
    pub now: Option<i64>,
    pub events: Events,
    pub expected: Expected,
    /// Columns to compare, with their places.
    pub columns: Option<Vec<(SmolStr, Span)>>,
}

/// The events of a case.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    pub tables: Vec<(SmolStr, Span, Given)>,
    /// A list without a table: of the only one that the rule reads.
    pub only: Option<(Given, Span)>,
}

#[derive(Clone, Debug)]
pub(super) enum Given {
    Written(Rc<Vec<Event>>),
    /// A file, as it stands in the test.
    File(SmolStr, Span),
}

#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// The rule alerts, or does not.
    Alert(bool),
    Count(usize),
    Rows(Vec<Row>),
}

/// An expected row: columns with their values and the places of these.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub fields: Vec<(SmolStr, Field, Span)>,
}

/// Keys of the file and of a case.
pub(crate) const FILE_KEYS: &[&str] = &["now", "events", "cases"];
pub(crate) const CASE_KEYS: &[&str] = &["name", "now", "events", "rows", "columns", "match"];

pub(super) fn read(text: &str) -> Result<TestFile, Vec<Diagnostic>> {
    let parsed = parse_yaml(text);
    let mut reader = Reader { faults: parsed.diagnostics };
    let file = match parsed.documents.as_slice() {
        [document] => reader.file(&document.root),
        [] => {
            reader.fault(Span::default(), "the file holds no tests", "write a list under `cases`");
            None
        }
        [_, second, ..] => {
            reader.fault(second.span, "the file holds several documents", "put all tests under one `cases`");
            None
        }
    };
    match file {
        Some(file) if !reader.faults.iter().any(Diagnostic::is_error) => Ok(file),
        _ => Err(reader.faults),
    }
}

struct Reader {
    faults: Vec<Diagnostic>,
}

impl Reader {
    fn fault(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let fault = Diagnostic::error(codes::TEST_INVALID, span, message);
        let help = help.into();
        self.faults.push(if help.is_empty() { fault } else { fault.with_help(help) });
    }

    /// The members of a mapping whose keys are among these.
    fn members<'n>(&mut self, node: &'n Node, keys: &[&str], what: &str) -> &'n [Pair] {
        let Some(pairs) = node.as_mapping() else {
            let message = format!("{what} is a mapping, and this is {}", node.describe());
            self.fault(node.span, message, format!("its keys are {}", keys.join(", ")));
            return &[];
        };
        for pair in pairs {
            let key = pair.key.as_text().unwrap_or_default();
            if !keys.contains(&key) {
                let near = ruleferry_ir::functions::closest(key, keys.iter().copied());
                let help = near.map_or_else(
                    || format!("the keys are {}", keys.join(", ")),
                    |n| format!("did you mean `{n}`?"),
                );
                self.fault(pair.key.span, format!("{what} has no key `{key}`"), help);
            }
        }
        pairs
    }

    fn file(&mut self, root: &Node) -> Option<TestFile> {
        self.members(root, FILE_KEYS, "a file of tests");
        let now = root.get("now").and_then(|n| self.time(n));
        let shared = root.get("events").map(|n| self.events(n)).unwrap_or_default();
        let Some(list) = root.get("cases") else {
            self.fault(root.span, "the file has no `cases`", "write a list of cases, each with a `name`");
            return None;
        };
        let Some(items) = list.as_sequence() else {
            self.fault(list.span, format!("`cases` is a list, and this is {}", list.describe()), "");
            return None;
        };
        let mut cases: Vec<Case> = Vec::with_capacity(items.len());
        for item in items {
            let Some(case) = self.case(item, now, &shared) else { continue };
            if cases.iter().any(|c| c.name == case.name) {
                self.fault(case.span, format!("two cases are named `{}`", case.name), "rename one of them");
            }
            cases.push(case);
        }
        Some(TestFile { cases })
    }

    fn time(&mut self, node: &Node) -> Option<i64> {
        let time = node.as_text().and_then(time_of);
        if time.is_none() {
            let message =
                format!("`{}` is no point in time", node.as_text().unwrap_or_else(|| node.describe()));
            self.fault(node.span, message, "write it as 2026-01-15T12:00:00Z");
        }
        time
    }

    fn case(&mut self, node: &Node, now: Option<i64>, shared: &Events) -> Option<Case> {
        self.members(node, CASE_KEYS, "a case");
        let name = match node.get("name").map(|n| (n, n.as_text())) {
            Some((n, Some(text))) if !text.trim().is_empty() => (SmolStr::new(text), n.span),
            Some((n, _)) => {
                self.fault(n.span, "the name of a case is a text", "");
                return None;
            }
            None => {
                node.as_mapping()?;
                self.fault(node.span, "the case has no `name`", "name it, so that a failure can be found");
                return None;
            }
        };
        let now = match node.get("now") {
            Some(n) => self.time(n),
            None => now,
        };
        let mut events = node.get("events").map(|n| self.events(n)).unwrap_or_default();
        for table in &shared.tables {
            if events.tables.iter().all(|(n, ..)| *n != table.0) {
                events.tables.push(table.clone());
            }
        }
        if events.only.is_none() && node.get("events").is_none() {
            events.only.clone_from(&shared.only);
        }
        let expected = match (node.get("rows"), node.get("match")) {
            (Some(rows), None) => Expected::Rows(self.rows(rows)?),
            (None, Some(n)) => self.matches(n)?,
            (Some(_), Some(n)) => {
                self.fault(n.span, "the case has `rows` and `match`", "keep one of them");
                return None;
            }
            (None, None) => {
                let help =
                    "add `rows` with the rows that the rule finds, or `match: true`, `false` or a number";
                self.fault(name.1, format!("the case `{}` expects nothing", name.0), help);
                return None;
            }
        };
        let columns = node.get("columns").map(|n| self.columns(n));
        if let (Some(n), false) = (node.get("columns"), matches!(expected, Expected::Rows(_))) {
            self.fault(
                n.span,
                "`columns` says which columns of `rows` are compared, and there are no `rows`",
                "",
            );
        }
        Some(Case { name: name.0, span: name.1, now, events, expected, columns })
    }

    fn matches(&mut self, node: &Node) -> Option<Expected> {
        if let Some(alert) = node.as_bool() {
            return Some(Expected::Alert(alert));
        }
        let count = node.as_i64().and_then(|n| usize::try_from(n).ok());
        if count.is_none() {
            self.fault(node.span, "`match` is true, false, or a number of rows", "");
        }
        count.map(Expected::Count)
    }

    fn columns(&mut self, node: &Node) -> Vec<(SmolStr, Span)> {
        let names = node.as_sequence().unwrap_or_default();
        if node.as_sequence().is_none() || names.iter().any(|n| n.as_text().is_none()) {
            self.fault(node.span, "`columns` is a list of names", "");
        }
        names.iter().filter_map(|n| Some((SmolStr::new(n.as_text()?), n.span))).collect()
    }

    fn rows(&mut self, node: &Node) -> Option<Vec<Row>> {
        let Some(items) = node.as_sequence() else {
            self.fault(node.span, format!("`rows` is a list of rows, and this is {}", node.describe()), "");
            return None;
        };
        Some(items.iter().filter_map(|item| Some(Row { fields: self.fields(item, "a row")? })).collect())
    }

    fn fields(&mut self, node: &Node, what: &str) -> Option<Vec<(SmolStr, Field, Span)>> {
        let Some(pairs) = node.as_mapping() else {
            self.fault(
                node.span,
                format!("{what} is a mapping from columns to values, and this is {}", node.describe()),
                "",
            );
            return None;
        };
        Some(
            pairs
                .iter()
                .map(|p| (p.key.as_text().unwrap_or_default().into(), field(&p.value), p.value.span))
                .collect(),
        )
    }

    fn events(&mut self, node: &Node) -> Events {
        let mut events = Events::default();
        match &node.kind {
            Kind::Mapping(pairs) => {
                for pair in pairs {
                    if let Some(given) = self.given(&pair.value) {
                        let table = SmolStr::new(pair.key.as_text().unwrap_or_default());
                        events.tables.push((table, pair.key.span, given));
                    }
                }
            }
            Kind::Sequence(_) | Kind::Scalar(_) if !node.is_null() => {
                events.only = self.given(node).map(|given| (given, node.span));
            }
            Kind::Sequence(_) | Kind::Scalar(_) => {}
        }
        events
    }

    /// A list of events, or a file of such.
    fn given(&mut self, node: &Node) -> Option<Given> {
        match &node.kind {
            Kind::Scalar(_) if node.is_null() => Some(Given::Written(Rc::default())),
            Kind::Scalar(scalar) => Some(Given::File(scalar.text.clone(), node.span)),
            Kind::Sequence(items) => {
                let events = items.iter().filter_map(|item| {
                    let mut event = Event::default();
                    for (name, field, place) in self.fields(item, "an event")? {
                        event.fields.push((name, field));
                        event.places.push(place);
                    }
                    Some(event)
                });
                Some(Given::Written(Rc::new(events.collect())))
            }
            Kind::Mapping(_) => {
                self.fault(
                    node.span,
                    "events are a list, or the path of a file",
                    "put `- ` before the event",
                );
                None
            }
        }
    }
}

/// A value as it is written: a plain scalar may stand for any type.
fn field(node: &Node) -> Field {
    match &node.kind {
        Kind::Scalar(scalar) => match node.class() {
            Class::Null => Field::Null,
            Class::Str if !matches!(scalar.style, ruleferry_doc::Style::Plain) => {
                Field::Text(scalar.text.clone())
            }
            Class::Bool | Class::Int | Class::Float | Class::Str => Field::Cell(scalar.text.clone()),
        },
        Kind::Sequence(_) | Kind::Mapping(_) => Field::Nested(json(node)),
    }
}

/// Inside of a dynamic value YAML's own types hold. The depth is bounded by that of the reader.
fn json(node: &Node) -> Json {
    match &node.kind {
        Kind::Scalar(scalar) => match node.class() {
            Class::Null => Json::Null,
            Class::Bool => Json::Bool(node.as_bool().unwrap_or_default()),
            Class::Int => node.as_i64().map_or_else(|| Json::String(scalar.text.clone()), Json::Long),
            Class::Float => node.as_f64().map_or_else(|| Json::String(scalar.text.clone()), Json::Real),
            Class::Str => Json::String(scalar.text.clone()),
        },
        Kind::Sequence(items) => Json::Array(items.iter().map(json).collect()),
        Kind::Mapping(pairs) => Json::Object(
            pairs
                .iter()
                .map(|p| (SmolStr::new(p.key.as_text().unwrap_or_default()), json(&p.value)))
                .collect(),
        ),
    }
}
