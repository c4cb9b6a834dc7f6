//! What a migration came to: counts, and what kept rules from being carried over whole, ranked by how many rules it touches.
//!
//! In: ledger entries. Out: the data of `report.json`, `report.md` and `report.html`.

use super::ledger::Entry;
use ruleferry_engine::Status;
use ruleferry_engine::diag::render::visible::visible;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const STATUSES: [Status; 5] =
    [Status::Converted, Status::Unproved, Status::Lossy, Status::Refused, Status::Invalid];

#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Files and rules of the catalogue; a file that cannot be read counts as one rule.
    files: usize,
    rules: usize,
    targets: Vec<TargetTotals>,
    verdicts: Vec<Split>,
    tactics: Vec<Split>,
    severities: Vec<Split>,
    log_sources: Vec<Split>,
    losses: Vec<Ranked>,
    refusals: Vec<Ranked>,
    /// Ids that more than one rule has.
    duplicate_ids: Vec<Duplicate>,
    /// Files that stand where an output would, and were left as they are.
    kept: Vec<String>,
    list: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct TargetTotals {
    target: String,
    rules: usize,
    converted: usize,
    unproved: usize,
    lossy: usize,
    refused: usize,
    invalid: usize,
    /// Converted and proved equivalent, in hundredths of all.
    proved_percent: String,
}

/// How the outputs of some rules came out.
#[derive(Debug, Serialize)]
struct Split {
    name: String,
    outputs: usize,
    converted: usize,
    other: usize,
}

/// A loss or a refusal, and how many rules it touches.
#[derive(Debug, Serialize)]
struct Ranked {
    code: String,
    kind: String,
    detail: String,
    rules: usize,
    example: String,
    page: String,
}

#[derive(Debug, Serialize)]
struct Duplicate {
    id: String,
    files: Vec<String>,
}

/// One rule.
#[derive(Debug, Serialize)]
struct Line {
    title: String,
    file: String,
    page: String,
    outcomes: Vec<Outcome>,
}

#[derive(Debug, Serialize)]
struct Outcome {
    target: String,
    status: String,
    relation: Option<String>,
}

fn status_name(status: Status) -> String {
    format!("{status:?}").to_lowercase()
}

impl Report {
    pub fn of(entries: &[Entry], kept: &[String]) -> Self {
        let files: BTreeSet<&str> = entries.iter().map(|e| e.path.as_str()).collect();
        let mut lines: Vec<Line> = Vec::new();
        let mut last = None;
        let mut ids: BTreeMap<&str, BTreeSet<(&str, usize)>> = BTreeMap::new();
        for entry in entries {
            if last != Some((entry.path.as_str(), entry.number)) {
                last = Some((entry.path.as_str(), entry.number));
                lines.push(Line {
                    title: visible(entry.rule.title.as_deref().unwrap_or("(no title)")).into_owned(),
                    file: visible(&entry.path).into_owned(),
                    page: link(&super::page::path(&entry.path)),
                    outcomes: Vec::new(),
                });
            }
            if let Some(line) = lines.last_mut() {
                line.outcomes.push(Outcome {
                    target: entry.target.clone(),
                    status: status_name(entry.status),
                    relation: entry.relation().map(str::to_owned),
                });
            }
            if let Some(id) = &entry.rule.id {
                ids.entry(id).or_default().insert((&entry.path, entry.number));
            }
        }
        let one = |e: &Entry, name: Option<&String>| {
            vec![name.map_or_else(|| none(e), |n| visible(n).into_owned())]
        };
        let duplicates = ids.into_iter().filter(|(_, places)| places.len() > 1);
        Self {
            files: files.len(),
            rules: lines.len(),
            targets: targets(entries),
            verdicts: splits(entries, |e| vec![e.relation().unwrap_or("no verdict").to_owned()]),
            tactics: splits(entries, |e| {
                if e.rule.tactics.is_empty() { vec![none(e)] } else { e.rule.tactics.clone() }
            }),
            severities: splits(entries, |e| one(e, e.rule.severity.as_ref())),
            log_sources: splits(entries, |e| one(e, e.rule.log_source.as_ref())),
            losses: ranked(entries, |e| {
                e.losses.iter().map(|l| (l.code.clone(), l.effect.clone(), l.detail.clone())).collect()
            }),
            refusals: ranked(entries, |e| {
                let refused = matches!(e.status, Status::Refused | Status::Invalid);
                let errors = e.diagnostics.iter().filter(|d| refused && d.severity == "error");
                errors.map(|d| (d.code.clone(), status_name(e.status), d.message.clone())).collect()
            }),
            duplicate_ids: duplicates
                .map(|(id, places)| Duplicate {
                    id: visible(id).into_owned(),
                    files: places.into_iter().map(|(p, _)| visible(p).into_owned()).collect(),
                })
                .collect(),
            kept: kept.iter().map(|k| visible(k).into_owned()).collect(),
            list: lines,
        }
    }

    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    pub fn markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "# Migration\n\n{} rules in {} files.\n", self.rules, self.files);
        out.push_str("| target | rules | converted | unproved | lossy | refused | invalid | proved |\n");
        out.push_str("|---|---|---|---|---|---|---|---|\n");
        for t in &self.targets {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} % |",
                t.target, t.rules, t.converted, t.unproved, t.lossy, t.refused, t.invalid, t.proved_percent
            );
        }
        for (title, splits) in [
            ("Verdicts", &self.verdicts),
            ("Tactics", &self.tactics),
            ("Severities", &self.severities),
            ("Log sources", &self.log_sources),
        ] {
            let _ = writeln!(out, "\n## {title}\n\n| | outputs | converted | other |\n|---|---|---|---|");
            for s in splits {
                let _ =
                    writeln!(out, "| {} | {} | {} | {} |", cell(&s.name), s.outputs, s.converted, s.other);
            }
        }
        for (title, ranks) in [("Losses", &self.losses), ("Not converted", &self.refusals)] {
            if ranks.is_empty() {
                continue;
            }
            let _ = writeln!(
                out,
                "\n## {title}\n\n| code | | what | rules | for example |\n|---|---|---|---|---|"
            );
            for r in ranks {
                let (detail, example) = (cell(&r.detail), cell(&r.example));
                let _ = writeln!(out, "| {} | {} | {detail} | {} | {example} |", r.code, r.kind, r.rules);
            }
        }
        if !self.duplicate_ids.is_empty() {
            out.push_str("\n## Ids of several rules\n\n");
            for d in &self.duplicate_ids {
                let _ = writeln!(out, "- {}: {}", cell(&d.id), cell(&d.files.join(", ")));
            }
        }
        if !self.kept.is_empty() {
            out.push_str("\n## Files left as they are\n\nThey stand where an output would, and are not as we wrote them.\n\n");
            for k in &self.kept {
                let _ = writeln!(out, "- {}", cell(k));
            }
        }
        out
    }
}

fn none(_: &Entry) -> String {
    "(not said)".to_owned()
}

/// A reference to a file, as a URL.
fn link(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Text in a cell of a Markdown table: what people wrote is neither markup nor the end of the cell.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn targets(entries: &[Entry]) -> Vec<TargetTotals> {
    let names: BTreeSet<&str> = entries.iter().map(|e| e.target.as_str()).collect();
    let of = |target: &str| {
        let mine: Vec<&Entry> = entries.iter().filter(|e| e.target == target).collect();
        let count = |status| mine.iter().filter(|e| e.status == status).count();
        let [converted, unproved, lossy, refused, invalid] = STATUSES.map(count);
        let proved = mine
            .iter()
            .filter(|e| e.status == Status::Converted && e.relation() == Some("equivalent"))
            .count();
        // Without floats, so that each machine rounds the same.
        let thousandths = (proved * 1000).checked_div(mine.len()).unwrap_or(0);
        TargetTotals {
            target: target.to_owned(),
            rules: mine.len(),
            converted,
            unproved,
            lossy,
            refused,
            invalid,
            proved_percent: format!("{}.{}", thousandths / 10, thousandths % 10),
        }
    };
    names.into_iter().map(of).collect()
}

fn splits(entries: &[Entry], names: impl Fn(&Entry) -> Vec<String>) -> Vec<Split> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for entry in entries {
        for name in names(entry) {
            let (all, converted) = counts.entry(name).or_default();
            *all += 1;
            *converted += usize::from(entry.status == Status::Converted);
        }
    }
    let split = |(name, (outputs, converted))| Split { name, outputs, converted, other: outputs - converted };
    let mut splits: Vec<Split> = counts.into_iter().map(split).collect();
    splits.sort_by_key(|s| std::cmp::Reverse(s.outputs));
    splits
}

/// Names in backquotes differ from rule to rule: what is said of them is the same.
fn general(detail: &str) -> String {
    let mut out = String::with_capacity(detail.len());
    for (i, part) in detail.split('`').enumerate() {
        out.push_str(if i % 2 == 0 { part } else { "`…`" });
    }
    out
}

/// Code, effect or status, and what is said.
type Reason = (String, String, String);

fn ranked(entries: &[Entry], what: impl Fn(&Entry) -> Vec<Reason>) -> Vec<Ranked> {
    let mut found: BTreeMap<Reason, BTreeSet<(&str, usize)>> = BTreeMap::new();
    for entry in entries {
        for (code, kind, detail) in what(entry) {
            found.entry((code, kind, general(&detail))).or_default().insert((&entry.path, entry.number));
        }
    }
    let mut ranks: Vec<Ranked> = found
        .into_iter()
        .map(|((code, kind, detail), rules)| {
            let example = rules.first().map_or("", |(path, _)| path);
            Ranked {
                code,
                kind,
                detail: visible(&detail).into_owned(),
                rules: rules.len(),
                example: visible(example).into_owned(),
                page: link(&super::page::path(example)),
            }
        })
        .collect();
    ranks.sort_by_key(|r| std::cmp::Reverse(r.rules));
    ranks
}
