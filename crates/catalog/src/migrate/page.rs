//! The pages that people read: one for each file of rules, and the report's.
//!
//! In: ledger entries, the source, the outputs. Out: HTML that stands alone: no script, nothing loaded. Rule text is not trusted: the
//! templates escape whatever they are given, and what a terminal or browser would not show is made visible first.

use super::ledger::Entry;
use super::report::Report;
use crate::folder::Folder;
use handlebars::Handlebars;
use ruleferry_engine::diag::render::visible::visible;
use serde::Serialize;
use serde_json::Value as Json;

const STYLE: &str = include_str!("../../templates/style.css");

pub(super) struct Pages {
    templates: Handlebars<'static>,
}

/// Where the page of a file stands.
pub(super) fn path(file: &str) -> String {
    format!("report/{file}.html")
}

#[derive(Serialize)]
struct Page<'p> {
    style: &'static str,
    /// From the page back to the report.
    root: String,
    file: String,
    source: String,
    language: Option<&'p str>,
    rules: Vec<RulePart<'p>>,
}

#[derive(Serialize)]
struct RulePart<'p> {
    title: String,
    id: Option<&'p str>,
    severity: Option<&'p str>,
    techniques: String,
    outputs: Vec<OutputPart<'p>>,
}

#[derive(Serialize)]
struct OutputPart<'p> {
    target: &'p str,
    status: String,
    relation: Option<&'p str>,
    proof: Option<&'p str>,
    reasons: Vec<&'p str>,
    assumptions: Vec<String>,
    losses: Vec<Note>,
    findings: Vec<Note>,
    witnesses: Vec<WitnessPart>,
    files: Vec<FilePart>,
}

#[derive(Serialize)]
struct Note {
    code: String,
    kind: String,
    text: String,
    line: u32,
}

#[derive(Serialize)]
struct FilePart {
    path: String,
    kept: bool,
    text: String,
}

#[derive(Serialize)]
struct WitnessPart {
    /// The source fires, or the output.
    fires: &'static str,
    now: String,
    tables: Vec<TablePart>,
}

#[derive(Serialize)]
struct TablePart {
    name: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Pages {
    pub fn new() -> Result<Self, String> {
        let mut templates = Handlebars::new();
        templates.set_strict_mode(true);
        for (name, text) in [
            ("page", include_str!("../../templates/page.hbs")),
            ("report", include_str!("../../templates/report.hbs")),
        ] {
            templates.register_template_string(name, text).map_err(|e| e.to_string())?;
        }
        Ok(Self { templates })
    }

    /// The page of one file: its text beside what was made of it.
    pub fn page(
        &self,
        file: &str,
        source: &str,
        entries: &[Entry],
        folder: &Folder,
    ) -> Result<String, String> {
        let mut rules: Vec<(usize, RulePart<'_>)> = Vec::new();
        for entry in entries {
            let part = output(entry, folder);
            match rules.iter_mut().find(|(number, _)| *number == entry.number) {
                Some((_, rule)) => rule.outputs.push(part),
                None => rules.push((entry.number, rule(entry, part))),
            }
        }
        let page = Page {
            style: STYLE,
            root: "../".repeat(file.split('/').count()),
            file: visible(file).into_owned(),
            source: lines(source),
            language: entries.iter().find_map(|e| e.source.as_deref()),
            rules: rules.into_iter().map(|(_, r)| r).collect(),
        };
        self.templates.render("page", &page).map_err(|e| e.to_string())
    }

    pub fn report(&self, report: &Report) -> Result<String, String> {
        #[derive(Serialize)]
        struct Styled<'r> {
            style: &'static str,
            #[serde(flatten)]
            report: &'r Report,
        }
        self.templates.render("report", &Styled { style: STYLE, report }).map_err(|e| e.to_string())
    }
}

/// Text of several lines with its hidden characters shown.
fn lines(text: &str) -> String {
    text.lines().map(|l| visible(l).into_owned()).collect::<Vec<_>>().join("\n")
}

fn rule<'e>(entry: &'e Entry, first: OutputPart<'e>) -> RulePart<'e> {
    RulePart {
        title: visible(entry.rule.title.as_deref().unwrap_or(&entry.path)).into_owned(),
        id: entry.rule.id.as_deref(),
        severity: entry.rule.severity.as_deref(),
        techniques: entry.rule.techniques.join(", "),
        outputs: vec![first],
    }
}

fn output<'e>(entry: &'e Entry, folder: &Folder) -> OutputPart<'e> {
    let verdict = entry.verdict.as_ref();
    let texts = |key: &str| -> Vec<&'e str> {
        let list = verdict.and_then(|v| v.get(key)).and_then(Json::as_array);
        list.into_iter().flatten().filter_map(Json::as_str).collect()
    };
    let witnesses = verdict.and_then(|v| v.get("witnesses")).and_then(Json::as_array);
    OutputPart {
        target: &entry.target,
        status: format!("{:?}", entry.status).to_lowercase(),
        relation: entry.relation(),
        proof: verdict.and_then(|v| v.get("proof")).and_then(Json::as_str),
        reasons: texts("reasons"),
        assumptions: entry.assumptions.iter().map(|a| visible(a).into_owned()).collect(),
        losses: entry.losses.iter().map(|l| note(&l.code, &l.effect, &l.detail, l.line)).collect(),
        findings: entry.diagnostics.iter().map(|d| note(&d.code, &d.severity, &d.message, d.line)).collect(),
        witnesses: witnesses.into_iter().flatten().map(witness).collect(),
        files: entry
            .outputs
            .iter()
            .map(|o| FilePart {
                path: visible(&o.path).into_owned(),
                kept: o.kept,
                text: lines(&std::fs::read_to_string(folder.path(&o.path)).unwrap_or_default()),
            })
            .collect(),
    }
}

fn note(code: &str, kind: &str, text: &str, line: u32) -> Note {
    Note { code: code.to_owned(), kind: kind.to_owned(), text: visible(text).into_owned(), line }
}

fn witness(witness: &Json) -> WitnessPart {
    let text = |key: &str| witness.get(key).and_then(Json::as_str).unwrap_or_default();
    let tables = witness.get("tables").and_then(Json::as_object);
    let table = |(name, rows): (&String, &Json)| {
        let rows: Vec<_> = rows.as_array().into_iter().flatten().filter_map(Json::as_object).collect();
        let mut columns: Vec<&String> = Vec::new();
        for column in rows.iter().flat_map(|r| r.keys()) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let cell = |row: &serde_json::Map<String, Json>, column: &String| match row.get(column) {
            Some(Json::String(s)) => visible(s).into_owned(),
            Some(other) => visible(&other.to_string()).into_owned(),
            None => "–".to_owned(),
        };
        TablePart {
            name: visible(name).into_owned(),
            rows: rows.iter().map(|r| columns.iter().map(|c| cell(r, c)).collect()).collect(),
            columns: columns.iter().map(|c| visible(c).into_owned()).collect(),
        }
    };
    WitnessPart {
        fires: if text("fires") == "a" { "only the source finds it" } else { "only the output finds it" },
        now: text("now").to_owned(),
        tables: tables.into_iter().flatten().map(table).collect(),
    }
}
