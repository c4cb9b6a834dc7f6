//! Names and values of written events against what the rule and the schemas know of their tables.

use crate::execute::{Event, ReadRule};
use crate::language::Language;
use ruleferry_diag::{Diagnostic, codes};
use ruleferry_events::typed;
use ruleferry_targets::schema::{SchemaSet, find_table};
use smol_str::SmolStr;

/// Whether the rule reads every table whose name fits a pattern.
pub(super) fn has_glob(rule: &ReadRule) -> bool {
    use ruleferry_ir::{Op, Scan, Source};
    let mut found = false;
    rule.query.for_each_plan(&mut |plan| {
        found |= matches!(&*plan.op, Op::Scan(Scan { source: Source::Glob(_), .. }));
    });
    found
}

/// The columns of a table as the query knows them.
fn known_columns(rule: &ReadRule, table: &str) -> Vec<(SmolStr, ruleferry_ir::Type)> {
    use ruleferry_ir::{Op, Scan, Source};
    let mut columns = Vec::new();
    rule.query.for_each_plan(&mut |plan| {
        let Op::Scan(Scan { source, .. }) = &*plan.op else { return };
        let name = match source {
            Source::Table(table) => &table.name,
            Source::Input(input) => &input.name,
            Source::Glob(_) => return,
        };
        if name == table {
            let typed = plan
                .output
                .iter()
                .map(|id| (SmolStr::new(rule.query.columns.name(*id)), rule.query.columns.ty(*id)));
            columns.extend(typed);
        }
    });
    columns
}

/// Values of written events that do not have the type of their column, also where no step of the rule reads them.
pub(super) fn unfit(rule: &ReadRule, table: &str, events: &[Event]) -> Vec<Diagnostic> {
    let types: rustc_hash::FxHashMap<SmolStr, ruleferry_ir::Type> =
        known_columns(rule, table).into_iter().collect();
    let mut faults = Vec::new();
    for ((name, field), place) in events.iter().flat_map(|e| e.fields.iter().zip(&e.places)) {
        if let Some(ty) = types.get(name).filter(|ty| typed(field, **ty).is_none()) {
            let message = format!("`{name}` is {ty}, and `{}` is not", field.shown());
            faults.push(Diagnostic::error(codes::DATA_BAD_VALUE, *place, message));
        }
    }
    faults
}

/// Columns of written events that neither a schema of the table nor the rule knows.
pub(super) fn misspelt(rule: &ReadRule, table: &str, events: &[Event]) -> Vec<Diagnostic> {
    let mut faults: Vec<Diagnostic> = Vec::new();
    if rule.language == Language::Sigma {
        return faults;
    }
    let known: Vec<_> = SchemaSet::ALL.into_iter().filter_map(|set| find_table(set, table)).collect();
    let Some(schema) = known.first() else { return faults };
    let used: Vec<SmolStr> = known_columns(rule, table).into_iter().map(|(n, _)| n).collect();
    let mut told: Vec<&SmolStr> = Vec::new();
    for ((name, _), place) in events.iter().flat_map(|e| e.fields.iter().zip(&e.places)) {
        let is_known =
            known.iter().any(|t| t.column(name).is_some()) || used.contains(name) || name.starts_with('_');
        if is_known || told.contains(&name) {
            continue;
        }
        told.push(name);
        let near = schema.similar_column(name);
        if known.iter().any(|t| t.open) && near.is_none() {
            continue;
        }
        let message = format!("the table `{table}` has no column `{name}`");
        let fault = Diagnostic::error(codes::TEST_UNKNOWN_COLUMN, *place, message);
        faults.push(match near {
            Some(near) => fault.with_help(format!("did you mean `{near}`?")),
            None => fault.with_help("remove it, or put `_` before a remark"),
        });
    }
    faults
}
