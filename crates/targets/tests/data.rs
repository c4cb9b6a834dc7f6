//! The embedded data, through the public look-ups.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use ruleferry_ir::Type;
use ruleferry_ir::functions::{FunctionKind, resolve};
use ruleferry_targets::schema::{self, SchemaSet, TableFunctionForm};
use ruleferry_targets::target::{self, Language};
use ruleferry_targets::{Capability, sql};

#[test]
fn every_table_and_column_is_found_by_name() {
    let counts: Vec<usize> = SchemaSet::ALL.iter().map(|set| schema::tables(*set).len()).collect();
    assert_eq!(counts, [1021, 64, 11]);
    for set in SchemaSet::ALL {
        for table in schema::tables(set) {
            assert_eq!(schema::find_table(set, table.name), Some(table));
            for (name, ty) in table.columns() {
                assert_eq!(table.column(name), Some(ty), "{}.{name}", table.name);
                assert_ne!(ty, Type::Unknown);
            }
            assert!(table.declared_columns().len() <= table.columns().len());
        }
    }
}

#[test]
fn columns_have_their_types() {
    let events = schema::find_table(SchemaSet::LogAnalytics, "SecurityEvent").unwrap();
    assert_eq!(events.column("EventID"), Some(Type::Int));
    assert_eq!(events.column("TimeGenerated"), Some(Type::Datetime));
    assert_eq!(events.column("_BilledSize"), Some(Type::Real));
    assert_eq!(events.column("eventid"), None);
    assert_eq!(events.similar_column("EventId"), Some("EventID"));
    assert_eq!((events.open, events.time_column), (false, Some("TimeGenerated")));
    let processes = schema::find_table(SchemaSet::DefenderXdr, "DeviceProcessEvents").unwrap();
    assert_eq!(
        (processes.column("Timestamp"), processes.column("TimeGenerated")),
        (Some(Type::Datetime), None)
    );
    assert_eq!(processes.time_column, Some("Timestamp"));
    let diagnostics = schema::find_table(SchemaSet::LogAnalytics, "AzureDiagnostics").unwrap();
    assert!(diagnostics.open && diagnostics.column("_open").is_none());
}

#[test]
fn standard_columns_come_last_and_once() {
    for table in schema::tables(SchemaSet::LogAnalytics) {
        let mut names: Vec<&str> = table.columns().map(|(name, _)| name).collect();
        assert!(names.contains(&"TimeGenerated") && names.contains(&"_ItemId"), "{}", table.name);
        assert!(
            table.columns().skip(table.declared_columns().len()).all(|(n, _)| schema::is_standard_column(n))
        );
        names.sort_unstable();
        assert!(names.windows(2).all(|w| w[0] != w[1]), "{}", table.name);
    }
    assert!(!schema::is_standard_column("Account"));
    let hunting = schema::find_table(SchemaSet::DefenderXdr, "AlertInfo").unwrap();
    assert_eq!(hunting.column("_ItemId"), None);
}

#[test]
fn a_table_of_both_products_is_chosen_by_its_time_column() {
    let chosen = |name, timestamp, generated| schema::choose_table(name, timestamp, generated).map(|t| t.set);
    assert_eq!(chosen("DeviceEvents", true, false), Some(SchemaSet::DefenderXdr));
    assert_eq!(chosen("DeviceEvents", true, true), Some(SchemaSet::LogAnalytics));
    assert_eq!(chosen("DeviceEvents", false, false), Some(SchemaSet::LogAnalytics));
    assert_eq!(chosen("SecurityEvent", true, false), Some(SchemaSet::LogAnalytics));
    assert_eq!(chosen("ExposureGraphNodes", false, true), Some(SchemaSet::DefenderXdr));
    assert_eq!(chosen("NoSuchTable", true, false), None);
}

#[test]
fn names_are_case_sensitive_and_suggested() {
    assert!(schema::find_table(SchemaSet::LogAnalytics, "securityevent").is_none());
    assert_eq!(schema::similar_table(&SchemaSet::ALL, "securityevents"), Some("SecurityEvent"));
    assert_eq!(schema::similar_table(&SchemaSet::ALL, "Mydata"), None);
    assert!(schema::find_table(SchemaSet::ResourceGraph, "resourcecontainers").is_some());
}

#[test]
fn functions_that_give_tables() {
    let profile = schema::table_function("FileProfile").unwrap();
    assert_eq!(
        (profile.form, profile.keeps_input, profile.params.len()),
        (TableFunctionForm::Invoke, true, 2)
    );
    assert_eq!(profile.params[0].default, Some("SHA1"));
    assert!(profile.columns.contains(&("GlobalPrevalence", Type::Int)));
    let watchlist = schema::table_function("_GetWatchlist").unwrap();
    assert!(watchlist.open && watchlist.form == TableFunctionForm::Call);
    assert_eq!(
        schema::table_function("arg").unwrap().form,
        TableFunctionForm::Tables(SchemaSet::ResourceGraph)
    );
    assert!(schema::table_function("strcat").is_none());
}

#[test]
fn targets_say_what_they_can() {
    let names: Vec<&str> = target::all().iter().map(|t| t.name).collect();
    assert!(names.is_sorted());
    let duckdb = target::find("duckdb").unwrap();
    assert_eq!(
        (duckdb.language, duckdb.dialect, duckdb.limits.second_digits),
        (Language::Sql, Some("duckdb"), Some(6))
    );
    assert!(duckdb.can(Capability::Qualify) && !target::find("sigma").unwrap().can(Capability::Relational));
    assert!(target::find("DuckDB").is_none());
}

/// Names with a dot (`cast.string`) are keys of the SQL back end; any other must be a function of the catalogue.
#[test]
fn templates_name_functions_of_the_catalogue() {
    for dialect in sql::dialects() {
        let known = |kind| move |name: &str| name.contains('.') || resolve(name, kind).is_some();
        let (scalar, aggregate) = (known(FunctionKind::Scalar), known(FunctionKind::Aggregate));
        let functions = dialect.all_functions().iter().map(|t| t.name).filter(|n| !scalar(n));
        let aggregates = dialect.all_aggregates().iter().map(|t| t.name).filter(|n| !aggregate(n));
        let unknown: Vec<&str> = functions.chain(aggregates).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", dialect.name);
    }
}

#[test]
fn templates_are_found_by_name_and_macros_stand_behind_what_they_need() {
    for dialect in sql::dialects() {
        for template in dialect.all_functions() {
            assert!(dialect.functions(template.name).contains(template));
            assert!(template.id < sql::template_count());
            let macros = dialect.macro_closure(template.macros.iter().copied());
            for (i, m) in macros.iter().enumerate() {
                let before: Vec<&str> = macros[..i].iter().map(|m| m.name).collect();
                assert!(m.needs.iter().all(|n| before.contains(n)), "{} before what it needs", m.name);
            }
        }
        assert!(dialect.functions("no_such_function").is_empty());
    }
    assert!(sql::functions("no_such_dialect", "strcat").is_empty());
}
