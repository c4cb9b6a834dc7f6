//! The events that a rule runs on: files by table, or events that a unit test holds.

use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_eval::{Fault, Request, Row, Tables, Value};
use ruleferry_events::{
    EventFile, Field, FileFault, Report, Survey, Wanted, Warning, event_text, in_folder, typed,
};
use ruleferry_ir::Type;
use ruleferry_kql::lift::DataTables;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

/// An event as a unit test writes it, with the places of its values.
#[derive(Clone, Debug, Default)]
pub struct Event {
    pub fields: Vec<(SmolStr, Field)>,
    pub places: Vec<Span>,
}

#[derive(Clone, Debug)]
pub(crate) enum Source {
    File(EventFile),
    Events(Rc<Vec<Event>>),
}

type Columns = Vec<(SmolStr, Type)>;

/// A table with the columns that were asked for, and whether the text of the event was.
type Asked = (SmolStr, Columns, bool);

/// Tables by name.
#[derive(Default)]
pub struct Data {
    tables: indexmap::IndexMap<SmolStr, Vec<Source>>,
    /// Files that were given without a name of a table.
    unnamed: Vec<SmolStr>,
    /// A table that is not given is empty.
    lenient: bool,
    notes: RefCell<Vec<String>>,
    surveys: RefCell<FxHashMap<SmolStr, Rc<Columns>>>,
    loaded: RefCell<FxHashMap<Asked, Rc<Vec<Row>>>>,
    report: RefCell<Report>,
    faults: RefCell<Vec<FileFault>>,
    /// Values of written events that do not fit, in the file that they are written in.
    diagnostics: RefCell<Vec<Diagnostic>>,
}

impl Data {
    /// No tables at all; each that is asked for is empty.
    pub(crate) fn lenient() -> Self {
        Self { lenient: true, ..Self::default() }
    }

    /// Adds what `--data` names: `TABLE=FILE`, a file whose name is that of its table, or a folder of such.
    pub fn add(&mut self, argument: &str) -> Result<(), FileFault> {
        // A path that is there as it stands is no pair, whatever its name holds.
        let plain = Path::new(argument);
        if plain.is_dir() {
            for file in in_folder(plain)? {
                self.add_unnamed(file);
            }
            return Ok(());
        }
        match argument.split_once('=').filter(|_| !plain.exists()) {
            Some((table, path)) => self.add_file(table, EventFile::new(Path::new(path))?),
            None => self.add_unnamed(EventFile::new(plain)?),
        }
        Ok(())
    }

    pub fn add_file(&mut self, table: &str, file: EventFile) {
        self.tables.entry(SmolStr::new(table)).or_default().push(Source::File(file));
    }

    fn add_unnamed(&mut self, file: EventFile) {
        let name = SmolStr::from(file.stem());
        if !self.unnamed.contains(&name) {
            self.unnamed.push(name.clone());
        }
        self.tables.entry(name).or_default().push(Source::File(file));
    }

    pub fn add_events(&mut self, table: &str, events: Rc<Vec<Event>>) {
        self.tables.entry(SmolStr::new(table)).or_default().push(Source::Events(events));
    }

    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// If there is but one file and its name says nothing of a table, it is this one.
    pub(crate) fn adopt(&mut self, table: &str) -> Option<String> {
        let [only] = self.unnamed.as_slice() else { return None };
        if self.tables.len() != 1 || self.find(table).is_some() {
            return None;
        }
        let only = only.clone();
        let sources = self.tables.shift_remove(&only)?;
        self.unnamed.clear();
        self.tables.insert(SmolStr::new(table), sources);
        self.surveys.borrow_mut().clear();
        Some(only.to_string())
    }

    /// The same, and the note is kept.
    pub(crate) fn adopt_quietly(&mut self, table: &str) {
        if let Some(file) = self.adopt(table) {
            let note = format!(
                "the events of `{file}` are taken for the table `{table}`, the only one that the rule reads"
            );
            self.notes.borrow_mut().push(note);
        }
    }

    pub(crate) fn take_notes(&self) -> Vec<String> {
        self.notes.take()
    }

    /// The sources of a table: its name as written, else with another case if there is one only.
    pub(crate) fn find(&self, name: &str) -> Option<(&SmolStr, &[Source])> {
        if let Some((name, sources)) = self.tables.get_key_value(name) {
            return Some((name, sources));
        }
        let mut near = self.tables.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        match (near.next(), near.next()) {
            (Some((name, sources)), None) => Some((name, sources)),
            _ => None,
        }
    }

    /// Columns and types that the events themselves have.
    pub(crate) fn survey(&self, name: &str) -> Option<Rc<Columns>> {
        let (name, sources) = self.find(name)?;
        if let Some(known) = self.surveys.borrow().get(name) {
            return Some(Rc::clone(known));
        }
        let mut survey = Survey::default();
        let mut typed_columns: Columns = Vec::new();
        for source in sources {
            match source {
                Source::File(file) if super::parquet::is_parquet(file) => match super::parquet::columns(file)
                {
                    Ok(columns) => typed_columns.extend(columns),
                    Err(fault) => self.fault(fault),
                },
                Source::File(file) => {
                    let mut report = Report::default();
                    match file.survey(&mut report) {
                        Ok(found) => survey.merge(&found),
                        Err(fault) => self.fault(fault),
                    }
                    self.report.borrow_mut().merge(report);
                }
                Source::Events(events) => {
                    for (name, field) in events.iter().flat_map(|e| &e.fields) {
                        survey.see(name, field);
                    }
                }
            }
        }
        let known: FxHashSet<SmolStr> = typed_columns.iter().map(|(n, _)| n.clone()).collect();
        typed_columns.extend(survey.columns().into_iter().filter(|(n, _)| !known.contains(n)));
        let columns = Rc::new(typed_columns);
        self.surveys.borrow_mut().insert(name.clone(), Rc::clone(&columns));
        Some(columns)
    }

    /// Notes a file that cannot be read.
    pub(crate) fn tell(&self, fault: FileFault) {
        self.fault(fault);
    }

    fn fault(&self, fault: FileFault) {
        let mut faults = self.faults.borrow_mut();
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }

    /// The rows of a table: values of these columns, then maybe the text of the event.
    pub(crate) fn rows(
        &self,
        table: &str,
        columns: &[(SmolStr, Type)],
        event: bool,
    ) -> Result<Option<Rc<Vec<Row>>>, FileFault> {
        let Some((name, sources)) = self.find(table) else { return Ok(None) };
        let key = (name.clone(), columns.to_vec(), event);
        if let Some(known) = self.loaded.borrow().get(&key) {
            return Ok(Some(Rc::clone(known)));
        }
        let mut rows: Vec<Row> = Vec::new();
        for source in sources {
            match source {
                Source::File(file) if super::parquet::is_parquet(file) => {
                    rows.extend(super::parquet::rows(file, columns, event)?);
                }
                Source::File(file) => {
                    let mut report = Report::default();
                    let loaded = file.load(columns, event, &mut report);
                    self.report.borrow_mut().merge(report);
                    let loaded = loaded?;
                    if event {
                        let texts = loaded.events.into_iter().map(Value::String);
                        rows.extend(
                            loaded
                                .rows
                                .iter()
                                .zip(texts)
                                .map(|(r, t)| r.iter().cloned().chain([t]).collect::<Row>()),
                        );
                    } else {
                        rows.extend(loaded.rows);
                    }
                }
                Source::Events(events) => self.written(events, columns, event, &mut rows),
            }
        }
        let rows = Rc::new(rows);
        self.loaded.borrow_mut().insert(key, Rc::clone(&rows));
        Ok(Some(rows))
    }

    fn written(&self, events: &[Event], columns: &[(SmolStr, Type)], event: bool, rows: &mut Vec<Row>) {
        let wanted = Wanted::new(columns);
        let raw = columns.iter().position(|(n, _)| n == "_raw").filter(|_| event);
        for e in events {
            let mut values: Vec<Value> = vec![Value::Null; columns.len()];
            for ((name, field), place) in e.fields.iter().zip(&e.places) {
                wanted.put(name, field, &mut |at, field| {
                    let Some((column, ty)) = columns.get(at) else { return };
                    let value = typed(field, *ty).unwrap_or_else(|| {
                        let message = format!("`{column}` is {ty}, and `{}` is not", field.shown());
                        let fault = Diagnostic::error(codes::DATA_BAD_VALUE, *place, message);
                        let mut faults = self.diagnostics.borrow_mut();
                        if !faults.contains(&fault) {
                            faults.push(fault);
                        }
                        Value::Null
                    });
                    if let Some(slot) = values.get_mut(at) {
                        *slot = value;
                    }
                });
            }
            if event {
                let text = event_text(e.fields.iter().map(|(_, f)| f));
                if let Some(slot) = raw.and_then(|at| values.get_mut(at)).filter(|v| v.is_null()) {
                    *slot = Value::String(text.clone());
                }
                values.push(Value::String(text));
            }
            rows.push(values.into());
        }
    }

    /// Tells something of the file of a table.
    pub(crate) fn warn(&self, code: Code, table: &str, message: String) {
        let file = match self.find(table).and_then(|(_, s)| s.first()) {
            Some(Source::File(file)) => file.shown.clone(),
            Some(Source::Events(_)) | None => return,
        };
        self.report.borrow_mut().warn(Warning { code, file, line: None, message });
    }

    /// What was wrong with the files, up to now.
    pub fn warnings(&self) -> Vec<Warning> {
        self.report.borrow().warnings()
    }

    /// Files that could not be read at all.
    pub fn faults(&self) -> Vec<FileFault> {
        self.faults.borrow().clone()
    }

    /// What was wrong with written events.
    pub(crate) fn diagnostics(&self) -> Vec<Diagnostic> {
        self.diagnostics.borrow().clone()
    }
}

impl DataTables for Data {
    fn columns(&self, table: &str) -> Option<Columns> {
        self.survey(table).map(|c| c.to_vec())
    }

    fn column(&self, table: &str, name: &str) -> Option<Type> {
        self.survey(table)?.iter().find(|(n, _)| n == name).map(|(_, ty)| *ty)
    }

    fn names(&self) -> Vec<SmolStr> {
        let mut names: Vec<SmolStr> = self.tables.keys().cloned().collect();
        names.sort();
        names
    }
}

/// The columns of tables that a script names.
#[derive(Debug)]
pub(super) struct NamedTables(Vec<(SmolStr, Columns)>);

impl Data {
    pub(super) fn named(&self, names: &[SmolStr]) -> NamedTables {
        // SQL folds the case of names.
        let near = |name: &SmolStr| self.tables.keys().find(|own| own.eq_ignore_ascii_case(name));
        let columns = |name: &SmolStr| self.survey(name).or_else(|| self.survey(near(name)?));
        let known = names.iter().filter_map(|name| Some((name.clone(), columns(name)?.to_vec())));
        NamedTables(known.collect())
    }
}

impl ruleferry_sql::SqlTables for NamedTables {
    fn columns(&self, table: &str) -> Option<Columns> {
        use ruleferry_targets::schema::{SchemaSet, find_table};
        let (_, own) = self.0.iter().find(|(name, columns)| name == table && !columns.is_empty())?;
        // The events need not have every column of their table; what the shipped schema lacks, the events tell.
        let Some(shipped) = SchemaSet::ALL.into_iter().find_map(|set| find_table(set, table)) else {
            return Some(own.clone());
        };
        let mut columns: Columns = shipped.columns().map(|(name, ty)| (name.into(), ty)).collect();
        for (name, ty) in own {
            if !columns.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                columns.push((name.clone(), *ty));
            }
        }
        Some(columns)
    }
}

impl Tables for Data {
    fn scan(&self, request: &Request<'_>) -> Result<Option<Vec<Row>>, Fault> {
        match self.rows(request.table, request.columns, request.event) {
            Ok(Some(rows)) => Ok(Some(rows.to_vec())),
            Ok(None) => Ok(self.lenient.then(Vec::new)),
            Err(fault) => {
                let shown = fault.to_string();
                self.fault(fault);
                Err(Fault::new(codes::DATA_UNREADABLE, Span::default(), shown))
            }
        }
    }

    fn names(&self) -> Vec<SmolStr> {
        DataTables::names(self)
    }

    fn columns(&self, table: &str) -> Option<Columns> {
        DataTables::columns(self, table)
    }
}
