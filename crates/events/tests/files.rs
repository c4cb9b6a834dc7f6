//! Files as tables: names, types, values, and what is said of what does not fit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use ruleferry_eval::{Value, cast};
use ruleferry_events::{EventFile, Report};
use ruleferry_ir::Type;
use smol_str::SmolStr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A file that goes when the test is over.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ruleferry-events-{}-{n}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    fn open(&self) -> EventFile {
        EventFile::new(&self.0).unwrap()
    }

    /// Columns and types.
    fn columns(&self) -> Vec<(String, Type)> {
        let survey = self.open().survey(&mut Report::default()).unwrap();
        survey.columns().into_iter().map(|(n, t)| (n.to_string(), t)).collect()
    }

    /// The values of these columns as text, null as `-`; and the warnings as `line: message`.
    fn rows(&self, columns: &[(&str, Type)]) -> (Vec<Vec<String>>, Vec<String>) {
        let wanted: Vec<(SmolStr, Type)> = columns.iter().map(|(n, t)| (SmolStr::new(n), *t)).collect();
        let mut report = Report::default();
        let loaded = self.open().load(&wanted, false, &mut report).unwrap();
        let text = |v: &Value| match cast(v, Type::String) {
            _ if v.is_null() => "-".to_owned(),
            Value::String(s) => s.to_string(),
            _ => unreachable!(),
        };
        let rows = loaded.rows.iter().map(|r| r.iter().map(text).collect()).collect();
        let line = |n: Option<u64>| n.map_or("-".to_owned(), |n| n.to_string());
        (rows, report.warnings().iter().map(|w| format!("{}: {}", line(w.line), w.message)).collect())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn types_are_inferred_over_all_rows() {
    let file = File::new(
        "a.jsonl",
        "{\"a\": 1, \"b\": \"2026-01-15\", \"c\": true, \"d\": [1]}\n{\"a\": 2.5, \"b\": \"2026-01-15T10:00:00Z\", \"e\": \"{}\", \"f\": 1}\n{\"f\": \"x\", \"g\": null}\n",
    );
    let expected = [
        ("a", Type::Real),
        ("b", Type::Datetime),
        ("c", Type::Bool),
        ("d", Type::Dynamic),
        ("e", Type::String),
        ("f", Type::String),
        ("g", Type::String),
    ];
    assert_eq!(file.columns(), expected.map(|(n, t)| (n.to_owned(), t)));
    let mut report = Report::default();
    file.open().survey(&mut report).unwrap();
    let warnings = report.warnings();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].message, "the values of `f` are of several types; it is read as string");
}

#[test]
fn values_take_the_type_of_their_column() {
    let file = File::new(
        "a.json",
        r#"[{"s": 00.10, "n": "7"}, {"s": 1.10, "n": "7", "r": 1, "b": "TRUE", "t": "2026-01-15T10:00:00+02:00", "d": "{\"k\": 1}", "x": "5"},
            {"s": {"a": [1]}, "n": 7.5, "r": "x", "b": 1, "t": 5, "d": "{broken", "x": 5}, {"n": 3.0, "r": "", "t": ""}]"#,
    );
    let (rows, warnings) = file.rows(&[
        ("s", Type::String),
        ("n", Type::Long),
        ("r", Type::Real),
        ("b", Type::Bool),
        ("t", Type::Datetime),
        ("d", Type::Dynamic),
        ("x", Type::String),
    ]);
    assert_eq!(rows[1], ["1.10", "7", "1.0", "true", "2026-01-15T08:00:00.0000000Z", "{\"k\":1}", "5"]);
    assert_eq!(rows[2], ["{\"a\":[1]}", "-", "-", "true", "-", "{broken", "5"]);
    assert_eq!(rows[3], ["-", "3", "-", "-", "-", "-", "-"]);
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].starts_with("2: `n` is long, and `7.5` is not"), "{warnings:?}");
}

#[test]
fn csv_has_cells() {
    let file = File::new(
        "a.csv",
        "\u{feff}Code,\"Name, full\",TimeGenerated [UTC],Code,n\n00000429,\"a \"\"b\"\"\nc\",2026-01-15T10:00:00Z,dup,1\nshort,line\n,,,,\n",
    );
    let names: Vec<(String, Type)> = file.columns();
    let expected = [
        ("Code", Type::String),
        ("Name, full", Type::String),
        ("TimeGenerated", Type::Datetime),
        ("n", Type::Long),
    ];
    assert_eq!(names, expected.map(|(n, t)| (n.to_owned(), t)));
    let (rows, warnings) =
        file.rows(&[("Code", Type::String), ("Name, full", Type::String), ("n", Type::Long)]);
    assert_eq!(rows, [["00000429", "a \"b\"\nc", "1"], ["-", "-", "-"]]);
    assert_eq!(warnings, ["4: the line has 2 values for 5 columns", "-: 1 event is left out"]);
    let file = File::new("a.tsv", "a\tb\n1,2\t3\n");
    assert_eq!(file.rows(&[("a", Type::String)]).0, [["1,2"]]);
}

#[test]
fn nested_fields_have_dotted_names() {
    let file = File::new(
        "a.jsonl",
        "{\"a\": {\"b\": {\"c\": 1}, \"l\": [1]}}\n{\"a.b.c\": 2, \"a\": 3}\n{\"a\": {\"b\": 4}}\n",
    );
    let (rows, warnings) = file.rows(&[("a.b.c", Type::String), ("a.l", Type::String), ("a", Type::Dynamic)]);
    assert_eq!(rows, [["1", "[1]", "{\"b\":{\"c\":1},\"l\":[1]}"], ["2", "-", "3"], ["-", "-", "{\"b\":4}"]]);
    assert!(warnings.is_empty());
}

#[test]
fn exports_wrap_their_events() {
    for name in ["Records", "value"] {
        let file = File::new("a.json", format!("{{\"{name}\": [{{\"a\": 1}}, {{\"a\": 2}}]}}"));
        assert_eq!(file.rows(&[("a", Type::Long)]).0, [["1"], ["2"]]);
    }
    // A field of that name is a field.
    let file = File::new("a.json", "{\"value\": [1, 2]}\n{\"value\": [{\"a\": 1}], \"b\": 1}");
    assert_eq!(file.columns()[0], ("value".to_owned(), Type::Dynamic));
    assert_eq!(file.rows(&[("value", Type::String)]).0, [["[1,2]"], ["[{\"a\":1}]"]]);
}

#[test]
fn many_faults_are_counted() {
    let file = File::new("a.jsonl", "{\"a\": \"x\"}\n".repeat(100) + &"{\n".repeat(50));
    let (rows, warnings) = file.rows(&[("a", Type::Long)]);
    assert_eq!(rows.len(), 100);
    assert_eq!(warnings.len(), 5 + 5 + 2 + 1, "{warnings:?}");
    assert!(warnings.contains(&"-: 95 more like these".to_owned()), "{warnings:?}");
    assert!(warnings.contains(&"-: 50 events are left out".to_owned()), "{warnings:?}");
}

#[test]
fn what_cannot_be_opened_is_told() {
    assert!(
        EventFile::new(std::path::Path::new("none.json"))
            .unwrap_err()
            .to_string()
            .starts_with("cannot read `none.json`")
    );
    assert!(EventFile::new(std::path::Path::new("a.evtx")).unwrap_err().to_string().contains("is not known"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a file holds, reading ends, and what one reading finds another finds.
    #[test]
    fn any_file_is_read(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "[\\[\\]{}\",:\\\\ \nab1nultrue.-]{0,200}".prop_map(String::into_bytes),
        ],
        name in prop_oneof![Just("a.json"), Just("a.jsonl"), Just("a.csv"), Just("a.tsv")],
    ) {
        let file = File::new(name, &bytes);
        let mut report = Report::default();
        if let Ok(survey) = file.open().survey(&mut report) {
            let columns = survey.columns();
            let mut again = Report::default();
            let loaded = file.open().load(&columns, true, &mut again).unwrap();
            prop_assert_eq!(report.skipped(), again.skipped());
            prop_assert_eq!(loaded.rows.len(), loaded.events.len());
            for (at, (_, ty)) in columns.iter().enumerate() {
                // What was inferred fits: no value was lost.
                prop_assert!(*ty != Type::Unknown);
                prop_assert!(again.warnings().iter().all(|w| w.code != ruleferry_diag::codes::DATA_BAD_VALUE), "{:?} {}", again.warnings(), at);
            }
        }
    }
}
