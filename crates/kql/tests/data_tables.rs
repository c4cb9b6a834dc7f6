//! Lift against tables that the caller has: those of event files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use ruleferry_ir::Type;
use ruleferry_kql::lift::{DataTables, LiftOptions, Lifted, lift_with};
use ruleferry_kql::syntax::parse;
use smol_str::SmolStr;

struct Given;

impl DataTables for Given {
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>> {
        let columns: &[(&str, Type)] = match table {
            "Mine" => &[("n", Type::Long), ("when", Type::Datetime), ("Timestamp", Type::Datetime)],
            "Mine2" => &[("n", Type::String)],
            "Heartbeat" => &[("Weight", Type::Real), ("Computer", Type::Long)],
            _ => return None,
        };
        Some(columns.iter().map(|(n, t)| (SmolStr::new(n), *t)).collect())
    }

    fn names(&self) -> Vec<SmolStr> {
        ["Heartbeat", "Mine", "Mine2"].map(SmolStr::new).to_vec()
    }
}

/// Names and types of what a query returns.
fn output(text: &str) -> (Vec<(String, Type)>, Lifted) {
    let parsed = parse(text);
    assert!(parsed.diagnostics.is_empty(), "{text}");
    let lifted = lift_with(&parsed.query, &LiftOptions { source: text }, Some(&Given));
    let query = lifted.query.as_ref().unwrap_or_else(|| panic!("{text}: {:?}", lifted.diagnostics));
    let columns =
        query.plan.output.iter().map(|id| (query.columns.name(*id).to_owned(), query.columns.ty(*id)));
    (columns.collect(), lifted)
}

fn typed(columns: &[(&str, Type)]) -> Vec<(String, Type)> {
    columns.iter().map(|(n, t)| ((*n).to_owned(), *t)).collect()
}

#[test]
fn a_table_without_a_schema_has_the_columns_of_its_events() {
    let (columns, lifted) = output("Mine | where n > 5");
    assert_eq!(columns, typed(&[("n", Type::Long), ("when", Type::Datetime), ("Timestamp", Type::Datetime)]));
    assert!(lifted.diagnostics.is_empty());
    // What no event has is learned from its use, as ever.
    assert_eq!(output("Mine | project x = other + 1.5").0, typed(&[("x", Type::Real)]));
}

#[test]
fn a_table_with_a_schema_may_have_more() {
    let (columns, lifted) = output("Heartbeat | summarize sum(Weight) by Computer, x = Weight");
    assert_eq!(columns, typed(&[("Computer", Type::String), ("x", Type::Real), ("sum_Weight", Type::Real)]));
    assert!(lifted.diagnostics.is_empty(), "{:?}", lifted.diagnostics);
}

#[test]
fn wildcards_stand_for_the_tables_that_are_given() {
    let columns = [
        ("n_long", Type::Long),
        ("n_string", Type::String),
        ("when", Type::Datetime),
        ("Timestamp", Type::Datetime),
    ];
    assert_eq!(output("union Mine*").0, typed(&columns));
    for text in ["union * | count", "search \"x\"", "find where Weight > 1"] {
        let (_, lifted) = output(text);
        let mut tables = Vec::new();
        lifted.query.unwrap().for_each_plan(&mut |plan| {
            if let ruleferry_ir::Op::Scan(ruleferry_ir::Scan {
                source: ruleferry_ir::Source::Table(t), ..
            }) = &*plan.op
            {
                tables.push(t.name.to_string());
            }
        });
        assert_eq!(tables, ["Heartbeat", "Mine", "Mine2"], "{text}");
    }
}
