//! Rows as JSON, CSV and a table for people.

use super::Found;
use ruleferry_diag::render::visible::visible;
use ruleferry_eval::{Value, cast, json_text};
use ruleferry_ir::{Json, Type};
use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;

/// What `run --format json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunRecord {
    pub columns: Vec<ColumnRecord>,
    /// The values of each row, in the order of the columns.
    pub rows: Vec<Vec<serde_json::Value>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ColumnRecord {
    pub name: SmolStr,
    #[serde(rename = "type")]
    pub ty: &'static str,
}

impl From<&Found> for RunRecord {
    fn from(found: &Found) -> Self {
        let columns =
            found.columns.iter().map(|(name, ty)| ColumnRecord { name: name.clone(), ty: ty.name() });
        let rows = found.rows.iter().map(|row| {
            let values = row.iter().zip(&found.columns);
            values.map(|(value, (_, ty))| value_json(&found.value(value, *ty))).collect()
        });
        Self { columns: columns.collect(), rows: rows.collect() }
    }
}

/// A value as JSON: times as RFC 3339 with seven digits, timespans as `[-][d.]hh:mm:ss[.fffffff]`; what JSON has no number for
/// (decimals, NaN, infinity) as text.
pub fn value_json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Out;
    match value {
        Value::Null => Out::Null,
        Value::Bool(b) => Out::Bool(*b),
        Value::Int(n) => Out::from(*n),
        Value::Long(n) => Out::from(*n),
        Value::Real(x) => real(*x),
        Value::String(s) => Out::from(s.as_str()),
        Value::Dynamic(json) => dynamic(json),
        Value::Decimal(_) | Value::Datetime(_) | Value::Timespan(_) | Value::Guid(_) => {
            Out::from(plain(value).as_str())
        }
    }
}

fn real(x: f64) -> serde_json::Value {
    match serde_json::Number::from_f64(x) {
        Some(n) => serde_json::Value::Number(n),
        None if x.is_nan() => "NaN".into(),
        None => if x > 0.0 { "Infinity" } else { "-Infinity" }.into(),
    }
}

/// The depth is bounded by that of the readers.
fn dynamic(json: &Json) -> serde_json::Value {
    use serde_json::Value as Out;
    match json {
        Json::Null => Out::Null,
        Json::Bool(b) => Out::Bool(*b),
        Json::Long(n) => Out::from(*n),
        Json::Real(x) => real(*x),
        Json::String(s) => Out::from(s.as_str()),
        Json::Datetime(t) => Out::from(plain(&Value::Datetime(*t)).as_str()),
        Json::Timespan(t) => Out::from(plain(&Value::Timespan(*t)).as_str()),
        Json::Array(items) => items.iter().map(dynamic).collect(),
        Json::Object(members) => {
            Out::Object(members.iter().map(|(k, v)| (k.to_string(), dynamic(v))).collect())
        }
    }
}

/// A value as text; null is empty.
fn plain(value: &Value) -> SmolStr {
    match value {
        Value::Null => SmolStr::default(),
        Value::String(s) => s.clone(),
        Value::Dynamic(json) => json_text(json),
        other => match cast(other, Type::String) {
            Value::String(s) => s,
            _ => SmolStr::default(),
        },
    }
}

/// CSV with a line of names.
pub fn csv_text(found: &Found) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(found.columns.iter().map(|(n, _)| n.as_str()))?;
    for row in &found.rows {
        // One empty value alone on its line would read back as no line at all; the writer quotes it.
        writer.write_record(row.iter().map(|v| plain(v).to_string()))?;
    }
    writer.into_inner().map_err(|e| csv::Error::from(std::io::Error::other(e.to_string())))
}

/// Characters of one value that a table shows.
const WIDEST: usize = 120;

/// A table as people read it. Characters that a terminal obeys are written out.
pub fn table_text(found: &Found, width: Option<u16>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    if let Some(width) = width {
        table.set_width(width);
    }
    table.set_header(found.columns.iter().map(|(n, _)| cell(n)));
    for row in &found.rows {
        table.add_row(row.iter().map(|v| cell(&plain(v))));
    }
    let mut text = table.to_string();
    text.push('\n');
    text
}

fn cell(text: &str) -> String {
    match text.char_indices().nth(WIDEST) {
        None => visible(text).into_owned(),
        Some((cut, _)) => format!("{}…", visible(text.get(..cut).unwrap_or_default())),
    }
}
