//! `migrate`: every rule of a catalogue to several targets, in a folder that later runs go on with.
//!
//! In: inputs, options for each target, the output folder. Out, below that folder: `<target>/…` as a mirror of the inputs, the
//! [ledger](Entry), `report.html`, `report.md`, `report.json`, and a page for each file under `report/`. A rule whose file, options and
//! tool are the same as before, and whose outputs stand as they were written, is not done again. A file that is not as we
//! wrote it is never overwritten or removed. A run that is killed is gone on with by the next one and ends with the same bytes: outputs
//! are written whole, noted in a journal once they stand, and the ledger replaces the journal at the end.

mod ledger;
mod page;
mod report;

use crate::folder::{Folder, FolderError, hash};
use ledger::{Entries, Journal};
use ruleferry_engine::{ConvertOptions, Input, Status, convert_text, for_each, stems, write_whole};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use ledger::{Entry, Finding, Loss, Output, Rule};

/// What to do.
pub struct Options {
    /// One for each target.
    pub targets: Vec<ConvertOptions>,
    pub output: PathBuf,
    /// What else changes outputs, as text: the tool's version, the values of placeholders.
    pub settings: String,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Rules by target and status, those of earlier runs included.
    pub totals: BTreeMap<(String, Status), usize>,
    /// Files that were converted, and those that stood already, counted for each target.
    pub converted: usize,
    pub unchanged: usize,
    pub without_rules: usize,
    /// Outputs of rules that are gone, removed.
    pub removed: usize,
    /// Files that stand where an output would, and were left as they are.
    pub kept: Vec<String>,
    /// An earlier run was cut short, and this one went on with it.
    pub resumed: bool,
}

/// Why a run ended early. What was done until then is kept.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("cannot write below `{0}`: {1}; what is done is kept: run the same command again")]
    Write(String, std::io::Error),
    #[error("cannot write the report: {0}")]
    Report(String),
}

/// What came of one file.
struct Done {
    entries: Vec<Entry>,
    /// Numbers of targets that were converted, and that stood already.
    converted: usize,
    unchanged: usize,
}

struct Run<'r> {
    options: &'r Options,
    folder: Folder,
    before: Entries,
    /// For each target the hash of all that changes its outputs but the rule.
    runs: Vec<String>,
    pages: page::Pages,
}

/// Migrates the inputs; `progress` is told of each file that is done.
pub fn migrate(
    inputs: &[Input],
    options: &Options,
    progress: &dyn Fn(&str),
) -> Result<Summary, MigrateError> {
    let folder = Folder::open(&options.output)?;
    let (before, resumed) = ledger::read(&folder)?;
    if resumed {
        folder.sweep()?;
    }
    let runs =
        options.targets.iter().map(|t| hash(format!("{}\n{}", settings(t), options.settings).as_bytes()));
    let runs = runs.collect();
    let pages = page::Pages::new().map_err(MigrateError::Report)?;
    let run = Run { options, folder, before, runs, pages };
    let mut journal = Journal::open(&run.folder)?;
    let mut summary = Summary { resumed, ..Summary::default() };
    let mut entries: Vec<Entry> = Vec::new();
    let mut files = BTreeSet::new();
    let stems = stems(inputs);
    let stem = |i: usize| stems.get(i).map_or_else(|| Path::new("rule"), PathBuf::as_path);
    for_each(
        inputs,
        |i, input| run.file(input, stem(i)),
        |i, done: std::io::Result<Done>| {
            let done = done?;
            progress(inputs.get(i).map_or("", |input| input.shown.as_str()));
            if done.converted > 0 {
                journal.note(&done.entries)?;
            }
            summary.converted += done.converted;
            summary.unchanged += done.unchanged;
            summary.without_rules += usize::from(done.entries.is_empty());
            files.insert(i);
            entries.extend(done.entries);
            Ok(())
        },
    )
    .map_err(|e| MigrateError::Write(options.output.display().to_string(), e))?;
    run.finish(inputs, entries, journal, summary)
}

/// What of the options changes outputs.
fn settings(options: &ConvertOptions) -> String {
    format!(
        "{} {:?} {:?} {:?} {} {}",
        options.to.name, options.from, options.now, options.max_loss, options.require_proof, options.validate
    )
}

/// How a file is called in the ledger.
fn name(input: &Input) -> String {
    input.relative.to_string_lossy().replace('\\', "/")
}

impl Run<'_> {
    /// Converts one file to each target where that is not done yet.
    fn file(&self, input: &Input, stem: &Path) -> std::io::Result<Done> {
        let mut done = Done { entries: Vec::new(), converted: 0, unchanged: 0 };
        let path = name(input);
        let read = input.read();
        // What cannot be read has no hash, and is tried again each time.
        let digest = read.as_ref().map_or_else(|_| String::new(), |text| hash(text.as_bytes()));
        let mut changed = false;
        for (options, run) in self.options.targets.iter().zip(&self.runs) {
            let key = (path.clone(), options.to.name.to_owned());
            let old = self.before.get(&key);
            let same = |e: &Entry| e.input == digest && e.run == *run && self.stands(e);
            if let Some(old) = old.filter(|old| !digest.is_empty() && !old.is_empty() && old.iter().all(same))
            {
                done.unchanged += 1;
                done.entries.extend(old.iter().cloned());
                continue;
            }
            done.converted += 1;
            changed = true;
            let converted = match &read {
                Ok(text) => convert_text(input, text.clone(), stem, options),
                Err(_) => ruleferry_engine::convert_file(input, stem, options),
            };
            let none = ruleferry_ir::Envelope::default();
            for (i, record) in converted.records.iter().enumerate() {
                let envelope = converted.envelopes.get(i).unwrap_or(&none);
                let mut entry = Entry::new(record, envelope, &path, i + 1);
                (entry.input, entry.run) = (digest.clone(), run.clone());
                for file in &record.files {
                    entry.outputs.push(self.write(
                        &format!("{}/{}", entry.target, file.path),
                        &file.text,
                        old,
                    )?);
                }
                done.entries.push(entry);
            }
        }
        let page = page::path(&path);
        if !done.entries.is_empty() && (changed || !self.folder.path(&page).exists()) {
            let text =
                self.pages.page(&path, read.as_deref().unwrap_or_default(), &done.entries, &self.folder);
            let text = text.map_err(std::io::Error::other)?;
            write_whole(&self.folder.path(&page), &text)?;
        }
        Ok(done)
    }

    /// Whether the outputs of a rule are as the ledger says.
    fn stands(&self, entry: &Entry) -> bool {
        entry.outputs.iter().all(|output| {
            let found =
                std::fs::read(self.folder.path(&output.path)).map(|bytes| hash(&bytes) == output.hash);
            found.is_ok_and(|same| same != output.kept)
        })
    }

    /// Writes an output, unless something stands there that is not as we wrote it.
    fn write(&self, path: &str, text: &str, old: Option<&Vec<Entry>>) -> std::io::Result<Output> {
        let at = self.folder.path(path);
        let new = hash(text.as_bytes());
        let kept = match std::fs::read(&at) {
            Ok(bytes) => {
                let found = hash(&bytes);
                let ours = |o: &Output| o.path == path && o.hash == found;
                found != new && !old.into_iter().flatten().flat_map(|e| &e.outputs).any(ours)
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => false,
            Err(e) => return Err(e),
        };
        if !kept {
            write_whole(&at, text)?;
        }
        Ok(Output { path: path.to_owned(), hash: new, kept })
    }

    /// Takes away what belongs to rules that are gone, and writes the ledger and the reports.
    fn finish(
        &self,
        inputs: &[Input],
        mut entries: Vec<Entry>,
        journal: Journal,
        mut summary: Summary,
    ) -> Result<Summary, MigrateError> {
        let present: BTreeSet<String> = inputs.iter().map(name).collect();
        let targets: BTreeSet<&str> = self.options.targets.iter().map(|t| t.to.name).collect();
        let live: BTreeSet<String> =
            entries.iter().flat_map(|e| &e.outputs).map(|o| o.path.clone()).collect();
        for ((path, target), old) in &self.before {
            if present.contains(path) && !targets.contains(target.as_str()) {
                // Another command made these: they stay.
                entries.extend(old.iter().cloned());
                continue;
            }
            for output in old.iter().flat_map(|e| &e.outputs).filter(|o| !live.contains(&o.path)) {
                let found = std::fs::read(self.folder.path(&output.path)).map(|bytes| hash(&bytes));
                match found {
                    Ok(found) if found == output.hash => {
                        self.folder.remove(&output.path)?;
                        summary.removed += 1;
                    }
                    Ok(_) => summary.kept.push(output.path.clone()),
                    Err(_) => {}
                }
            }
            if !present.contains(path) {
                self.folder.remove(&page::path(path))?;
            }
        }
        let order: BTreeMap<String, usize> =
            inputs.iter().enumerate().map(|(i, input)| (name(input), i)).collect();
        entries.sort_by(|a, b| {
            let key = |e: &Entry| (order.get(&e.path).copied(), e.number);
            key(a).cmp(&key(b)).then_with(|| a.target.cmp(&b.target))
        });
        for entry in &entries {
            *summary.totals.entry((entry.target.clone(), entry.status)).or_default() += 1;
            summary.kept.extend(entry.outputs.iter().filter(|o| o.kept).map(|o| o.path.clone()));
        }
        summary.kept.sort();
        let write = |name: &str, text: &str| {
            let path = self.folder.path(name);
            write_whole(&path, text).map_err(FolderError::io("write", &path))
        };
        let failed = |e: &dyn std::fmt::Display| MigrateError::Report(e.to_string());
        write(ledger::LEDGER, &ledger::text(entries.iter()).map_err(|e| failed(&e))?)?;
        let report = report::Report::of(&entries, &summary.kept);
        write("report.json", &report.json().map_err(|e| failed(&e))?)?;
        write("report.md", &report.markdown())?;
        write("report.html", &self.pages.report(&report).map_err(|e| failed(&e))?)?;
        journal.close(&self.folder)?;
        Ok(summary)
    }
}
