//! `CREATE TABLE` for the tables that emitted SQL reads.
//!
//! In: names of tables with a schema, or a query whose tables (also those whose columns were inferred from use) are wanted.
//! Out: the statements. Column names that differ only in case get a suffix, as in emitted queries.

use crate::build;
use crate::dialect::Dialect;
use crate::lower::{Need, walk};
use indexmap::IndexMap;
use ruleferry_ir::{BindingValue, Op, Query, Source, Type};
use ruleferry_targets::schema::{self, SchemaSet};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use std::fmt::Write;

type Columns = IndexMap<SmolStr, Type>;

/// The tables of these names, from all schema sets; all tables where no name is given. Names without a schema are left out.
pub fn ddl(dialect: &Dialect, names: &[&str]) -> String {
    let mut tables: IndexMap<SmolStr, Columns> = IndexMap::new();
    for set in SchemaSet::ALL {
        for table in schema::tables(set) {
            if names.is_empty() || names.contains(&table.name) {
                // A table that two products have holds the columns of both.
                let columns = match dialect.folds_case.then(|| same_folded(&tables, table.name)).flatten() {
                    Some(at) => tables.get_index_mut(at).map(|(_, columns)| columns),
                    None => Some(tables.entry(table.name.into()).or_default()),
                };
                let Some(columns) = columns else { continue };
                for (name, ty) in table.columns() {
                    columns.entry(name.into()).or_insert(ty);
                }
            }
        }
    }
    tables.sort_keys();
    print(dialect, &tables)
}

/// A table that the engine would take for the one of this name: names that differ only in case are one to it.
fn same_folded(tables: &IndexMap<SmolStr, Columns>, name: &str) -> Option<usize> {
    tables.get_index_of(name).or_else(|| tables.keys().position(|k| k.eq_ignore_ascii_case(name)))
}

/// The tables and inputs that a query reads, with the columns that it knows of them. `needs`: those of its lowering.
pub fn ddl_for(dialect: &Dialect, query: &Query, needs: &[Need]) -> String {
    print(dialect, &tables_for(query, needs))
}

/// The same tables, as data.
pub fn tables_for(query: &Query, needs: &[Need]) -> IndexMap<SmolStr, IndexMap<SmolStr, Type>> {
    let mut tables: IndexMap<SmolStr, Columns> = IndexMap::new();
    let mut on_plan = |plan: &ruleferry_ir::Plan| {
        let Op::Scan(scan) = &*plan.op else { return };
        let (name, over) = match &scan.source {
            Source::Table(table) => (&table.name, None),
            Source::Input(input) => (&input.name, input.over.as_ref()),
            Source::Glob(_) => return,
        };
        let columns = tables.entry(name.clone()).or_default();
        for id in plan.output.iter() {
            if over.is_some_and(|o| o.output.contains(id)) {
                continue;
            }
            columns.entry(query.columns.name(*id).into()).or_insert_with(|| query.columns.ty(*id));
        }
        // The key that the rows are looked up by.
        if let (Some(over), Source::Input(input)) = (over, &scan.source) {
            let key = input.args.iter().find_map(ruleferry_ir::Expr::as_column);
            let key =
                key.or_else(|| over.output.iter().copied().find(|id| query.columns.name(*id) == "SHA1"));
            if let Some(key) = key {
                columns.entry(query.columns.name(key).into()).or_insert_with(|| query.columns.ty(key));
            }
        }
    };
    for binding in &query.bindings {
        match &binding.value {
            BindingValue::Table { plan, .. } => walk::visit(plan, &mut on_plan, &mut |_| {}),
            BindingValue::Scalar(e) => walk::visit_expr(e, &mut on_plan, &mut |_| {}),
        }
    }
    walk::visit(&query.plan, &mut on_plan, &mut |_| {});
    for need in needs {
        let columns = tables.entry(need.name.clone()).or_default();
        for (name, ty) in &need.columns {
            columns.entry(name.clone()).or_insert(*ty);
        }
    }
    tables
}

/// A name as emitted queries write it.
fn written(dialect: &Dialect, text: &str) -> sqlparser::ast::Ident {
    if dialect.generic { build::ident(text) } else { crate::adapt::quoted(dialect, text) }
}

fn print(dialect: &Dialect, tables: &IndexMap<SmolStr, Columns>) -> String {
    let mut out = String::new();
    for (table, columns) in tables {
        // Writing to a string does not fail.
        let _ = writeln!(out, "CREATE TABLE {} (", written(dialect, table));
        let mut taken: FxHashSet<String> = FxHashSet::default();
        let mut lines: Vec<String> = Vec::with_capacity(columns.len());
        for (name, ty) in columns {
            let mut unique = name.to_string();
            let mut n = 1;
            while dialect.folds_case && !taken.insert(unique.to_lowercase()) {
                n += 1;
                unique = format!("{name}__{n}");
            }
            lines.push(format!("    {} {}", written(dialect, &unique), dialect.type_name(*ty)));
        }
        if lines.is_empty() {
            // A table must have a column.
            lines.push(format!("    _raw {}", dialect.type_name(Type::String)));
        }
        out.push_str(&lines.join(",\n"));
        out.push_str("\n)");
        if !dialect.table_suffix.is_empty() {
            out.push(' ');
            out.push_str(dialect.table_suffix);
        }
        out.push_str(";\n");
    }
    out
}
