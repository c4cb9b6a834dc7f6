//! JSON Schemas of the records that commands print, and of files that people write: generated from the Rust types.

use crate::diff::DiffRecord;
use crate::execute::RunRecord;
use crate::explain::ExplainRecord;
use crate::record::{CheckRecord, ConvertRecord};
use crate::rule_test::{TestFile, TestRecord};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

/// A name, what has it, and how its schema is made.
type Entry = (&'static str, &'static str, fn() -> Schema);

const ALL: [Entry; 7] = [
    ("check", "one file of `check --format json`", printed::<CheckRecord>),
    ("convert", "one rule of `convert --format json`", printed::<ConvertRecord>),
    ("diff", "one pair of `diff --format json`", printed::<DiffRecord>),
    ("explain", "one rule of `explain --format json`", printed::<ExplainRecord>),
    ("run", "what `run --format json` prints", printed::<RunRecord>),
    ("test", "a file of tests, `<rule>.test.yaml`", written::<TestFile>),
    ("test-record", "one case of `test --format json`", printed::<TestRecord>),
];

/// Of a record: every key is there.
fn printed<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// Of a file that people write: keys may be left out.
fn written<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>()
}

/// Names with what they describe.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.into_iter().map(|(name, what, _)| (name, what))
}

/// The schema of a name.
pub fn schema(name: &str) -> Option<serde_json::Value> {
    ALL.into_iter().find(|(n, ..)| *n == name).map(|(_, _, make)| make().to_value())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_schema_of_a_test_names_what_is_read() {
        let schema = schema("test").unwrap();
        let keys = |of: &serde_json::Value| -> Vec<String> {
            of.pointer("/properties").unwrap().as_object().unwrap().keys().cloned().collect()
        };
        let sorted = |mut keys: Vec<String>| {
            keys.sort();
            keys
        };
        let read = |keys: &[&str]| sorted(keys.iter().map(|k| (*k).to_owned()).collect());
        assert_eq!(sorted(keys(&schema)), read(crate::rule_test::FILE_KEYS));
        assert_eq!(sorted(keys(schema.pointer("/$defs/Case").unwrap())), read(crate::rule_test::CASE_KEYS));
    }

    #[test]
    fn every_schema_is_an_object_with_descriptions() {
        for (name, _) in names() {
            let schema = schema(name).unwrap();
            assert!(schema.get("$schema").is_some() && schema.pointer("/properties").is_some(), "{name}");
        }
        assert!(schema("nonsense").is_none());
    }
}
