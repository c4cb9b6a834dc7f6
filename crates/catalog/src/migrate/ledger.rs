//! The ledger: one line a rule and target, in the order of the inputs; and the journal of a run that has not ended.
//!
//! A line says what was converted (hash of the input, tool and options) and what came of it. It holds no time and no path
//! outside of the folders, so that the same rules give the same bytes. The journal has the same lines in the order in which they were
//! made; a run that was killed leaves it behind, its last line perhaps cut short.

use crate::folder::{Folder, FolderError};
use indexmap::IndexMap;
use ruleferry_engine::{ConvertRecord, Status};
use ruleferry_ir::Envelope;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

pub(super) const LEDGER: &str = "ledger.jsonl";
const JOURNAL: &str = "journal.jsonl";

/// What came of one rule for one target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The rule's file, below the folder that was migrated.
    pub path: String,
    /// Which rule of the file, from 1.
    pub number: usize,
    pub target: String,
    /// SHA-256 of the file.
    pub input: String,
    /// SHA-256 of the tool's version and of the options that change outputs.
    pub run: String,
    pub rule: Rule,
    pub source: Option<String>,
    pub status: Status,
    /// As in the records of `convert`.
    pub verdict: Option<Json>,
    pub assumptions: Vec<String>,
    pub needs: Vec<Json>,
    pub losses: Vec<Loss>,
    pub outputs: Vec<Output>,
    pub diagnostics: Vec<Finding>,
}

/// What the rule says of itself that reports count by.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rule {
    pub id: Option<String>,
    pub title: Option<String>,
    pub severity: Option<String>,
    pub tactics: Vec<String>,
    pub techniques: Vec<String>,
    pub log_source: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Loss {
    pub code: String,
    pub effect: String,
    pub detail: String,
    pub line: u32,
    pub column: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    pub code: String,
    pub severity: String,
    pub message: String,
    pub help: Option<String>,
    pub line: u32,
    pub column: u32,
}

/// A file below the output folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Output {
    pub path: String,
    /// SHA-256 of what the conversion gives.
    pub hash: String,
    /// Another file stands there, edited by hand or not ours: it was left as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}

impl Entry {
    /// From a record of the engine, without its outputs.
    pub(super) fn new(record: &ConvertRecord, envelope: &Envelope, path: &str, number: usize) -> Self {
        let text = |s: &smol_str::SmolStr| s.to_string();
        let json = |value: &dyn erased::Json| value.json();
        Self {
            path: path.to_owned(),
            number,
            target: record.target.to_owned(),
            input: String::new(),
            run: String::new(),
            rule: Rule {
                id: record.rule.id.as_ref().map(text),
                title: record.rule.title.as_ref().map(text),
                severity: envelope.severity.map(|s| s.name().to_owned()),
                tactics: envelope.tactics.iter().map(text).collect(),
                techniques: envelope.techniques.iter().map(text).collect(),
                log_source: log_source(envelope),
            },
            source: record.source.map(str::to_owned),
            status: record.status,
            verdict: record.verdict.as_ref().map(|v| json(v)),
            assumptions: record.assumptions.clone(),
            needs: record.needs.iter().map(|n| json(n)).collect(),
            losses: record
                .losses
                .iter()
                .map(|l| Loss {
                    code: l.code.to_owned(),
                    effect: json(&l.effect).as_str().unwrap_or_default().to_owned(),
                    detail: l.detail.clone(),
                    line: l.span.line,
                    column: l.span.column,
                })
                .collect(),
            outputs: Vec::new(),
            diagnostics: record
                .diagnostics
                .iter()
                .map(|d| Finding {
                    code: d.code.0.to_owned(),
                    severity: json(&d.severity).as_str().unwrap_or_default().to_owned(),
                    message: d.message.clone(),
                    help: d.help.clone(),
                    line: d.span.line,
                    column: d.span.column,
                })
                .collect(),
        }
    }

    pub fn relation(&self) -> Option<&str> {
        self.verdict.as_ref()?.get("relation")?.as_str()
    }
}

mod erased {
    /// What can be shown as JSON: none of the records' types fails to.
    pub trait Json {
        fn json(&self) -> serde_json::Value;
    }

    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> serde_json::Value {
            serde_json::to_value(self).unwrap_or_default()
        }
    }
}

/// `windows/process_creation`; the rules of other languages have tables instead.
fn log_source(envelope: &Envelope) -> Option<String> {
    let source = &envelope.log_source;
    let parts: Vec<&str> = [&source.product, &source.category, &source.service]
        .into_iter()
        .flatten()
        .map(|s| s.as_str())
        .collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Lines by file and target, each with its text.
pub(super) type Entries = IndexMap<(String, String), Vec<Entry>>;

/// What earlier runs did, and whether the last one was cut short.
pub(super) fn read(folder: &Folder) -> Result<(Entries, bool), FolderError> {
    let mut entries = Entries::default();
    let ledger = folder.path(LEDGER);
    take(&ledger, &mut entries)?;
    let journal = folder.own(JOURNAL);
    let unfinished = journal.exists();
    if unfinished {
        let mut newer = Entries::default();
        take(&journal, &mut newer)?;
        entries.extend(newer);
    }
    Ok((entries, unfinished))
}

fn take(path: &Path, entries: &mut Entries) -> Result<(), FolderError> {
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(FolderError::io("read", path)(e)),
    };
    for line in text.lines() {
        // A line that a killed run cut short, or of another version of the ledger: that rule is done again.
        if let Ok(entry) = serde_json::from_str::<Entry>(line) {
            let key = (entry.path.clone(), entry.target.clone());
            let group: &mut Vec<Entry> = entries.entry(key).or_default();
            // A run that was cut short twice may have noted a file twice.
            if entry.number == 1 {
                group.clear();
            }
            group.push(entry);
        }
    }
    Ok(())
}

/// The journal of this run.
pub(super) struct Journal(File);

impl Journal {
    /// Begins where the last run was cut short, if it was.
    pub fn open(folder: &Folder) -> Result<Self, FolderError> {
        let path = folder.own(JOURNAL);
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(FolderError::io("create", &path))?;
        // What was cut short must not run into the next line.
        file.write_all(b"\n").map_err(FolderError::io("write", &path))?;
        Ok(Self(file))
    }

    pub fn note(&mut self, entries: &[Entry]) -> io::Result<()> {
        let mut text = String::new();
        for entry in entries {
            text.push_str(&serde_json::to_string(entry)?);
            text.push('\n');
        }
        self.0.write_all(text.as_bytes())
    }

    /// All is in the ledger now.
    pub fn close(self, folder: &Folder) -> Result<(), FolderError> {
        drop(self.0);
        let path = folder.own(JOURNAL);
        std::fs::remove_file(&path).map_err(FolderError::io("remove", &path))
    }
}

/// The lines of a ledger.
pub(super) fn text<'e>(entries: impl Iterator<Item = &'e Entry>) -> serde_json::Result<String> {
    let mut out = String::new();
    for entry in entries {
        out.push_str(&serde_json::to_string(entry)?);
        out.push('\n');
    }
    Ok(out)
}
