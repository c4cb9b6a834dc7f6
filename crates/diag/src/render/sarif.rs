//! SARIF 2.1.0, as code scanning reads it.

use super::{FileReport, Placed, json, visible};
use crate::{Fix, LineIndex, Severity, codes};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

/// The whole document, one line. `version` is the tool's.
pub fn sarif(reports: &[FileReport], version: &str) -> serde_json::Result<String> {
    json::line(&document(reports, version))
}

pub fn document(reports: &[FileReport], version: &str) -> Document {
    let used: BTreeSet<&'static str> =
        reports.iter().flat_map(|r| &r.diagnostics).map(|d| d.code.0).collect();
    let used: Vec<_> = used.into_iter().collect();
    let results = reports.iter().flat_map(|report| {
        let uri = uri(&report.file.path);
        let index = LineIndex::new(&report.file.text);
        report.placed().map(|placed| result(&placed, &uri, &used, &index)).collect::<Vec<_>>()
    });
    let driver = Driver {
        name: "ruleferry",
        version: version.to_owned(),
        information_uri: env!("CARGO_PKG_REPOSITORY"),
        rules: used.iter().map(|code| rule(code)).collect(),
    };
    let run = Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results: results.collect() };
    Document { schema: SCHEMA, version: "2.1.0", runs: vec![run] }
}

fn rule(code: &'static str) -> Rule {
    let text = |text: &str| Message { text: text.to_owned() };
    let info = codes::find(code);
    Rule {
        id: code,
        short_description: info.map(|i| text(i.title)),
        full_description: info.map(|i| text(&format!("{}. Example: {}.", i.why, i.example))),
        help: info.map(|i| text(i.fix)),
    }
}

fn result(
    Placed { diagnostic: d, start, end }: &Placed<'_>,
    uri: &str,
    used: &[&'static str],
    index: &LineIndex<'_>,
) -> ResultRecord {
    let help = d.help.as_deref().map(|h| format!("\nhelp: {}", visible::brief(h))).unwrap_or_default();
    let region = Region {
        start_line: start.line,
        start_column: start.column,
        end_line: end.line,
        end_column: end.column,
        byte_offset: d.span.start,
        byte_length: d.span.end.saturating_sub(d.span.start),
    };
    let artifact_location = ArtifactLocation { uri: uri.to_owned() };
    ResultRecord {
        rule_id: d.code.0,
        rule_index: used.binary_search(&d.code.0).unwrap_or_default(),
        level: match d.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        message: Message { text: format!("{}{help}", visible::brief(&d.message)) },
        fixes: d.fix.iter().map(|fix| fix_record(fix, &artifact_location, index)).collect(),
        locations: vec![Location { physical_location: PhysicalLocation { artifact_location, region } }],
    }
}

fn fix_record(fix: &Fix, location: &ArtifactLocation, index: &LineIndex<'_>) -> FixRecord {
    let replacement = |edit: &crate::Edit| {
        let place = json::SpanRecord::new(edit.span, index);
        Replacement {
            deleted_region: Region {
                start_line: place.line,
                start_column: place.column,
                end_line: place.end_line,
                end_column: place.end_column,
                byte_offset: place.start,
                byte_length: place.end.saturating_sub(place.start),
            },
            inserted_content: Message { text: edit.text.clone() },
        }
    };
    let replacements = fix.edits.iter().map(replacement).collect();
    FixRecord {
        description: Message { text: visible::brief(&fix.title).into_owned() },
        artifact_changes: vec![ArtifactChange { artifact_location: location.clone(), replacements }],
    }
}

/// A path as a URI reference: relative stays relative, absolute becomes `file:`. A colon is encoded too, else the first
/// segment could be taken for a scheme.
fn uri(path: &str) -> String {
    let mut out = String::new();
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(byte.into())
            }
            // Writing to a string cannot fail.
            byte => write!(out, "%{byte:02X}").unwrap_or_default(),
        }
    }
    out
}

#[derive(Clone, Debug, Serialize)]
pub struct Document {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: Vec<Run>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<ResultRecord>,
}

#[derive(Clone, Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: String,
    information_uri: &'static str,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_description: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    full_description: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Message>,
}

#[derive(Clone, Debug, Serialize)]
struct Message {
    text: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultRecord {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<FixRecord>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FixRecord {
    description: Message,
    artifact_changes: Vec<ArtifactChange>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange {
    artifact_location: ArtifactLocation,
    replacements: Vec<Replacement>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    inserted_content: Message,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Clone, Debug, Serialize)]
struct ArtifactLocation {
    uri: String,
}

/// Lines and columns count from 1, the end column is behind the last character.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
    byte_offset: u32,
    byte_length: u32,
}
