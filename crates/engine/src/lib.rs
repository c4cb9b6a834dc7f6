#![doc = include_str!("../../../ARCHITECTURE.md")]
//!
//! # The engine
//!
//! The public library of Ruleferry: the languages, the pipeline from one to the other, and runs over many files.
//! In: [`Input`]s and options. Out: records ([`ConvertRecord`], [`CheckRecord`]) and texts.

mod check;
mod companions;
mod convert;
mod diff;
mod execute;
mod explain;
mod fix;
mod format;
mod identify;
mod input;
mod language;
mod options;
mod outcome;
mod record;
mod rule_test;
mod run;
mod same_types;
pub mod schemas;
mod source;
mod to_yaral;
mod validate;

pub use check::{Checked, check_file};
pub use companions::{companions, companions_beside};
pub use convert::{Converted, convert_file, convert_text};
pub use diff::{
    Change, ChangeEffect, ChangeKind, DiffOptions, DiffRecord, DiffSide, Diffed, DiffedFile, Gates,
    MetadataChange, Side, Watch, diff, diff_text, finding, sentence,
};
pub use execute::{
    ColumnRecord, Data, DuckDb, EngineKind, Found, Ran, RunOptions, RunRecord, csv_text, run_rule, table_text,
};
pub use explain::{ExplainRecord, Explained, explain_file, explain_markdown, explain_text};
pub use fix::{Fixed, fix_file};
pub use format::{Formatted, format_file};
pub use input::{Input, MAX_FILE, WalkError, walk};
pub use language::{EXTENSIONS, Language, Layout, detect, layout};
pub use options::{ConvertOptions, MaxLoss, Placeholders, parse_values};
pub use record::{CheckRecord, ConvertRecord, FileRecord, LossRecord, NeedRecord, RuleName, Status};
pub use rule_test::{
    FileDiagnostic, TestInput, TestOptions, TestRecord, TestStatus, TestTables, Tested, find_tests, junit,
    run_tests, test_tables, text_report,
};
pub(crate) use ruleferry_events::parse_time as time_of;
pub use ruleferry_events::{FileFault, Warning as DataWarning, parse_time};
pub use ruleferry_prove::{Executor, Relation, Verdict, Witness};
pub use ruleferry_sigma::lift::{Companions, LiftOptions as SigmaOptions};
pub use run::{for_each, stems, write_whole};
pub use {ruleferry_diag as diag, ruleferry_targets as targets};

/// The `CREATE TABLE`s that emitted SQL expects: of the named tables, or of all. An unknown name is an error that suggests one.
pub fn ddl(target: &targets::target::Target, tables: &[String]) -> Result<String, String> {
    use targets::schema::{SchemaSet, find_table, similar_table};
    for name in tables {
        if SchemaSet::ALL.into_iter().all(|set| find_table(set, name).is_none()) {
            let near = similar_table(&SchemaSet::ALL, name).map(|t| format!("; did you mean `{t}`?"));
            return Err(format!("no schema has a table `{name}`{}", near.unwrap_or_default()));
        }
    }
    let names: Vec<&str> = tables.iter().map(String::as_str).collect();
    let dialect = target.dialect.and_then(ruleferry_sql::Dialect::find);
    let dialect = dialect.ok_or_else(|| format!("`{}` is no dialect of SQL", target.name))?;
    Ok(ruleferry_sql::ddl(dialect, &names))
}

/// A day as `YYYY-MM-DD`, counted from 1970-01-01.
pub fn date_text(days: i64) -> String {
    const FROM_YEAR_1: i64 = 719_162;
    let (year, month, day) = ruleferry_ir::time::civil(days.saturating_add(FROM_YEAR_1));
    format!("{year:04}-{month:02}-{day:02}")
}
