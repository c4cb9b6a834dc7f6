//! Reading a file: first what columns there are, then the rows of those that are wanted.

use crate::MAX_COLUMNS;
use crate::csv_file;
use crate::field::{Field, text, typed};
use crate::file::{EventFile, FileFault, Format};
use crate::infer::Inference;
use crate::json::walk;
use crate::report::{Report, Warning};
use crate::split::Splitter;
use crate::windows;
use indexmap::IndexMap;
use ruleferry_diag::codes;
use ruleferry_eval::{Row, Value};
use ruleferry_ir::{Json, Type};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::fs::File;

/// Gets the line of an event and its fields.
type OnEvent<'f> = &'f mut dyn FnMut(u64, &[(SmolStr, Field)], &mut Report);

/// The columns of a file, in the order in which they turn up.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    columns: IndexMap<SmolStr, Inference>,
}

impl Survey {
    /// An event of the table has this field.
    pub fn see(&mut self, name: &str, field: &Field) {
        if let Some(inference) = self.columns.get_mut(name) {
            inference.see(field);
        } else if self.columns.len() < MAX_COLUMNS {
            let mut inference = Inference::default();
            inference.see(field);
            self.columns.insert(SmolStr::new(name), inference);
        }
    }

    /// Takes in what another file of the same table has.
    pub fn merge(&mut self, other: &Self) {
        for (name, inference) in &other.columns {
            self.columns.entry(name.clone()).or_default().merge(*inference);
        }
    }

    /// Names and types.
    pub fn columns(&self) -> Vec<(SmolStr, Type)> {
        self.columns.iter().map(|(n, i)| (n.clone(), i.result().0)).collect()
    }

    /// Columns whose values do not agree on a type.
    pub fn mixed(&self) -> impl Iterator<Item = (&SmolStr, Type)> {
        self.columns.iter().filter(|(_, i)| i.result().1).map(|(n, i)| (n, i.result().0))
    }
}

/// The rows of a file.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    pub rows: Vec<Row>,
    /// All values of each event, one a line, where that was asked for.
    pub events: Vec<SmolStr>,
}

impl EventFile {
    /// Reads the file once, for the names of its columns and their types.
    pub fn survey(&self, report: &mut Report) -> Result<Survey, FileFault> {
        let mut survey = Survey::default();
        self.each(&mut |_| true, report, &mut |_, fields, _| {
            fields.iter().for_each(|(name, field)| survey.see(name, field));
        })?;
        if survey.columns.len() >= MAX_COLUMNS {
            let message = format!("there are more than {MAX_COLUMNS} columns; those beyond are left out");
            let file = self.shown.clone();
            report.warn(Warning { code: codes::DATA_BAD_EVENT, file, line: None, message });
        }
        for (name, ty) in survey.mixed() {
            let message = format!("the values of `{name}` are of several types; it is read as {ty}");
            report.warn(Warning {
                code: codes::DATA_MIXED_TYPES,
                file: self.shown.clone(),
                line: None,
                message,
            });
        }
        Ok(survey)
    }

    /// Reads the rows: the values of these columns, each in its type. A value that does not convert is missing, with a
    /// warning. `event` asks for the text of the whole event, too.
    pub fn load(
        &self,
        wanted: &[(SmolStr, Type)],
        event: bool,
        report: &mut Report,
    ) -> Result<Loaded, FileFault> {
        let plan = Wanted::new(wanted);
        let mut loaded = Loaded::default();
        let raw = wanted.iter().position(|(n, _)| n == "_raw").filter(|_| event);
        self.each(&mut |name| event || plan.wants(name), report, &mut |line, fields, report| {
            let mut values: Vec<Value> = vec![Value::Null; wanted.len()];
            for (name, field) in fields {
                plan.put(name, field, &mut |at, field| {
                    let Some((column, ty)) = wanted.get(at) else { return };
                    let value = typed(field, *ty).unwrap_or_else(|| {
                        let message = format!(
                            "`{column}` is {ty}, and `{}` is not; it counts as missing",
                            field.shown()
                        );
                        let file = self.shown.clone();
                        report.warn(Warning { code: codes::DATA_BAD_VALUE, file, line: Some(line), message });
                        Value::Null
                    });
                    if let Some(slot) = values.get_mut(at) {
                        *slot = value;
                    }
                });
            }
            if event {
                let text = event_text(fields.iter().map(|(_, f)| f));
                if let Some(slot) = raw.and_then(|at| values.get_mut(at)).filter(|v| v.is_null()) {
                    *slot = Value::String(text.clone());
                }
                loaded.events.push(text);
            }
            loaded.rows.push(values.into());
        })?;
        Ok(loaded)
    }

    /// Hands each event to `on`: its line and the fields that `wants` names.
    fn each(
        &self,
        wants: &mut dyn FnMut(&str) -> bool,
        report: &mut Report,
        on: OnEvent<'_>,
    ) -> Result<(), FileFault> {
        let lines = match self.format {
            Format::Json => false,
            Format::JsonLines => true,
            Format::Csv { delimiter } => return self.each_csv(delimiter, wants, report, on),
            Format::Parquet => return Err(FileFault::Parquet(self.shown.clone())),
        };
        let input = File::open(&self.path).map_err(|e| self.fault(e))?;
        let mut splitter = Splitter::new(input, lines);
        let mut fields: Vec<(SmolStr, Field)> = Vec::new();
        while let Some(piece) = splitter.next().map_err(|e| self.fault(e))? {
            let line = piece.line;
            fields.clear();
            let mut wrapped = None;
            let walked = piece.text.and_then(|text| {
                let mut members = 0_usize;
                let mut all = |name: &str| {
                    members += 1;
                    name == "Event" || WRAPPERS.contains(&name) || wants(name)
                };
                walk(text, &mut all, &mut |name, field| fields.push((SmolStr::new(name), field)))
                    .map_err(|bad| bad.what)?;
                match fields.as_slice() {
                    [(name, event)] if members == 1 && name == "Event" => {
                        if let Some(found) = windows::fields(event) {
                            fields = found;
                        }
                    }
                    [(name, list)] if members == 1 && WRAPPERS.contains(&name.as_str()) => {
                        wrapped = records(list)
                    }
                    _ => {}
                }
                Ok(())
            });
            match walked {
                Ok(()) => match wrapped {
                    Some(events) => events.iter().for_each(|fields| on(line, fields, report)),
                    None => on(line, &fields, report),
                },
                Err(what) => report.skip(Warning {
                    code: codes::DATA_BAD_EVENT,
                    file: self.shown.clone(),
                    line: Some(line),
                    message: format!("the event is left out: {what}"),
                }),
            }
        }
        Ok(())
    }

    fn each_csv(
        &self,
        delimiter: u8,
        wants: &mut dyn FnMut(&str) -> bool,
        report: &mut Report,
        on: OnEvent<'_>,
    ) -> Result<(), FileFault> {
        // Which cells are wanted, and under which name.
        let names = std::cell::RefCell::new(Vec::<Option<SmolStr>>::new());
        let mut take_names = |columns: Vec<SmolStr>| {
            let mut seen = rustc_hash::FxHashSet::default();
            let name = |n: SmolStr| (!n.is_empty() && seen.insert(n.clone()) && wants(&n)).then_some(n);
            *names.borrow_mut() = columns.into_iter().map(name).collect();
        };
        let mut fields = Vec::new();
        csv_file::read(self, delimiter, report, &mut take_names, &mut |line, cells, report| {
            fields.clear();
            for (name, cell) in names.borrow().iter().zip(cells) {
                if let Some(name) = name {
                    fields.push((name.clone(), cell.map_or(Field::Null, |c| Field::Cell(c.into()))));
                }
            }
            on(line, &fields, report);
        })
    }
}

/// Under these names an object of nothing else holds the events of a file: exports of CloudTrail and of Microsoft's services.
const WRAPPERS: [&str; 2] = ["Records", "value"];

/// The events of such an object.
fn records(list: &Field) -> Option<Vec<Vec<(SmolStr, Field)>>> {
    let Field::Nested(Json::Array(items)) = list else { return None };
    let event = |item: &Json| match item {
        Json::Object(members) => Some(members.iter().map(|(n, v)| (n.clone(), Field::of_json(v))).collect()),
        Json::Null
        | Json::Bool(_)
        | Json::Long(_)
        | Json::Real(_)
        | Json::String(_)
        | Json::Datetime(_)
        | Json::Timespan(_)
        | Json::Array(_) => None,
    };
    items.iter().map(event).collect()
}

/// All values of an event, one a line: what a search over the whole event looks at.
pub fn event_text<'f>(fields: impl Iterator<Item = &'f Field>) -> SmolStr {
    let mut lines: Vec<SmolStr> = Vec::new();
    for field in fields {
        match field {
            Field::Null => {}
            Field::Nested(json) => leaves(json, &mut lines),
            Field::Bool(_) | Field::Number(_) | Field::Text(_) | Field::Cell(_) => lines.push(text(field)),
        }
    }
    lines.join("\n").into()
}

/// The depth is bounded by that of the event.
fn leaves(json: &Json, lines: &mut Vec<SmolStr>) {
    match json {
        Json::Null => {}
        Json::Array(items) => items.iter().for_each(|j| leaves(j, lines)),
        Json::Object(members) => members.values().for_each(|j| leaves(j, lines)),
        Json::Bool(_)
        | Json::Long(_)
        | Json::Real(_)
        | Json::String(_)
        | Json::Datetime(_)
        | Json::Timespan(_) => {
            lines.push(text(&Field::of_json(json)));
        }
    }
}

/// Where the fields of an event go. A wanted `a.b` is the field of that name, or the member `b` of the field `a`.
pub struct Wanted {
    plain: FxHashMap<SmolStr, Vec<usize>>,
    paths: FxHashMap<SmolStr, Vec<(usize, SmolStr)>>,
}

impl Wanted {
    pub fn new(wanted: &[(SmolStr, Type)]) -> Self {
        let mut plain: FxHashMap<SmolStr, Vec<usize>> = FxHashMap::default();
        let mut paths: FxHashMap<SmolStr, Vec<(usize, SmolStr)>> = FxHashMap::default();
        for (at, (name, _)) in wanted.iter().enumerate() {
            plain.entry(name.clone()).or_default().push(at);
            if let Some((root, path)) = name.split_once('.') {
                paths.entry(SmolStr::new(root)).or_default().push((at, SmolStr::new(path)));
            }
        }
        Self { plain, paths }
    }

    fn wants(&self, name: &str) -> bool {
        self.plain.contains_key(name) || self.paths.contains_key(name)
    }

    /// Hands a field on to the columns that it fills.
    pub fn put(&self, name: &str, field: &Field, to: &mut dyn FnMut(usize, &Field)) {
        for at in self.plain.get(name).into_iter().flatten() {
            to(*at, field);
        }
        if let Field::Nested(json) = field {
            for (at, path) in self.paths.get(name).into_iter().flatten() {
                let found = path.split('.').try_fold(json, |json, part| match json {
                    Json::Object(members) => members.get(part),
                    _ => None,
                });
                if let Some(found) = found {
                    to(*at, &Field::of_json(found));
                }
            }
        }
    }
}
