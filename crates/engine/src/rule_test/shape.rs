//! The form of a file of tests, for its JSON Schema: what editors complete and check. The reader is `read`, which knows places.

#![expect(dead_code, reason = "the types are read by the derive alone")]

use schemars::JsonSchema;
use std::collections::BTreeMap;

/// Unit tests of one rule, kept beside it: those of `<rule>.kql`, `<rule>.yaml` … in `<rule>.test.yaml`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct TestFile {
    /// The time that `now()` stands for in every case, as `2026-01-15T12:00:00Z`.
    now: Option<String>,
    /// Events that all cases share. A case that gives a table itself replaces it.
    events: Option<Events>,
    cases: Vec<Case>,
}

/// One test: events, and what the rule makes of them. It has `rows` or `match`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Case {
    /// Unlike the names of the other cases.
    name: String,
    /// The time that `now()` stands for.
    now: Option<String>,
    /// Tables that the rule reads and that are not given are empty.
    events: Option<Events>,
    /// The rows that the rule finds, in any order. Only the columns that a row names are compared.
    rows: Option<Vec<BTreeMap<String, serde_json::Value>>>,
    /// The columns of `rows` that are compared; what a row does not name is missing.
    columns: Option<Vec<String>>,
    /// Instead of `rows`: whether the rule alerts, or how many rows it finds.
    r#match: Option<Match>,
}

/// Events by table; a list or a file alone where the rule reads one table.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(crate) enum Events {
    Tables(BTreeMap<String, Table>),
    Only(Table),
}

/// Events, or the path of a file of such (JSON, JSON lines, CSV, Parquet), from the folder of the test.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(crate) enum Table {
    Written(Option<Vec<BTreeMap<String, serde_json::Value>>>),
    File(String),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
pub(crate) enum Match {
    Alert(bool),
    Rows(u64),
}
