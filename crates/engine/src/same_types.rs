//! One type for one column on both sides of a comparison.
//!
//! A language without schemas takes types from use, and Sigma takes all fields for text; two rules are compared over the same
//! tables, so what one of them knows of a column holds for the other.

use indexmap::IndexMap;
use ruleferry_ir::{self as ir, ColId, Expr, ExprKind, Item, Op, Plan, Query, Scan, Source, Type, Value};
use ruleferry_kql::lift::DataTables;
use ruleferry_targets::schema::{SchemaSet, find_table};
use smol_str::SmolStr;
use std::sync::Arc;

/// The tables that a query reads, with the columns and types that it knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KnownTables(IndexMap<SmolStr, IndexMap<SmolStr, Type>>);

impl KnownTables {
    pub fn of(query: &Query) -> Self {
        let mut tables: IndexMap<SmolStr, IndexMap<SmolStr, Type>> = IndexMap::new();
        query.for_each_plan(&mut |plan| {
            let Op::Scan(Scan { source: Source::Table(table), .. }) = &*plan.op else { return };
            let columns = tables.entry(table.name.clone()).or_default();
            for id in plan.output.iter() {
                let ty = query.columns.ty(*id);
                let known = columns.entry(query.columns.name(*id).into()).or_insert(ty);
                *known = stronger(*known, ty);
            }
        });
        Self(tables)
    }

    /// The tables that the SQL of a query reads, as its `CREATE TABLE`s would have them.
    pub fn of_sql(query: &Query, needs: &[ruleferry_sql::Need]) -> Self {
        Self(ruleferry_sql::tables_for(query, needs))
    }

    /// What both know together, of the tables that no schema has. `None` where neither would learn anything that matters: a
    /// column that both have and whose type differs.
    pub fn reconciled(&self, other: &Self) -> Option<Self> {
        let mut differ = false;
        let mut merged = Self::default();
        for (table, columns) in &self.0 {
            let Some(others) = other.0.get(table).filter(|_| !has_schema(table)) else { continue };
            let mut together = columns.clone();
            for (name, ty) in others {
                let known = together.entry(name.clone()).or_insert(*ty);
                differ |= *known != *ty;
                *known = stronger(*known, *ty);
            }
            merged.0.insert(table.clone(), together);
        }
        differ.then_some(merged)
    }
}

pub(crate) fn has_schema(table: &str) -> bool {
    SchemaSet::ALL.into_iter().any(|set| find_table(set, table).is_some())
}

/// The type that says more: text is what is taken for want of a better one.
const fn stronger(a: Type, b: Type) -> Type {
    if b.evidence() > a.evidence() { b } else { a }
}

impl DataTables for KnownTables {
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>> {
        self.0.get(table).map(|columns| columns.iter().map(|(n, ty)| (n.clone(), *ty)).collect())
    }

    fn column(&self, table: &str, name: &str) -> Option<Type> {
        self.0.get(table)?.get(name).copied()
    }

    /// None, so that a wildcard means the same as without them.
    fn names(&self) -> Vec<SmolStr> {
        Vec::new()
    }
}

impl ruleferry_yaral::plain::Tables for KnownTables {
    fn column(&self, table: &str, column: &str) -> Option<Type> {
        self.0.get(table)?.get(column).copied()
    }

    fn time(&self, table: &str) -> Option<SmolStr> {
        let columns = self.0.get(table)?;
        let of_schema = SchemaSet::ALL.into_iter().filter_map(|set| find_table(set, table)?.time_column);
        let mut names = of_schema.chain(["TimeGenerated", "Timestamp"]);
        names.find(|name| columns.contains_key(*name)).map(SmolStr::new)
    }
}

impl ruleferry_sql::SqlTables for KnownTables {
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>> {
        // The engine folds the case of names.
        let found = self.0.get(table);
        let found = found.or_else(|| {
            self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(table)).map(|(_, columns)| columns)
        });
        found.map(|columns| columns.iter().map(|(n, ty)| (n.clone(), *ty)).collect())
    }
}

/// Gives the fields of a rule over events of text the types that the table has: what the rule compares is the text of the
/// typed value. True if there was such a field.
pub(crate) fn retype(query: &mut Query, tables: &KnownTables) -> bool {
    let Op::Filter { .. } = &*query.plan.op else { return retype_bindings(query, tables) };
    let Query { columns, plan, .. } = query;
    let Some(outputs) = retype_filter(columns, plan, tables, true) else {
        return retype_bindings(query, tables);
    };
    let span = query.plan.span;
    let outputs: Arc<[ColId]> = outputs.into();
    let select = outputs.iter().map(|id| ir::SelectItem { from: *id, to: *id }).collect();
    let whole = std::mem::replace(&mut query.plan, Plan::new(Op::Rows, outputs.clone(), span));
    query.plan =
        Plan::new(Op::Select { input: whole, kind: ir::SelectKind::Keep, items: select }, outputs, span);
    true
}

/// The same for the events of a correlation, whose scans stand in its tables.
fn retype_bindings(query: &mut Query, tables: &KnownTables) -> bool {
    let Query { columns, bindings, plan, .. } = query;
    let bound = bindings.iter_mut().filter_map(|b| match &mut b.value {
        ir::BindingValue::Table { plan, .. } => Some(plan),
        ir::BindingValue::Scalar(_) => None,
    });
    let mut changed = false;
    let mut work: Vec<&mut Plan> = bound.chain([plan]).collect();
    while let Some(plan) = work.pop() {
        if retype_filter(columns, plan, tables, false).is_some() {
            changed = true;
            continue;
        }
        // What stands above a scan in what Sigma becomes.
        match &mut *plan.op {
            Op::Filter { input, .. }
            | Op::Extend { input, .. }
            | Op::Project { input, .. }
            | Op::Select { input, .. }
            | Op::Distinct { input } => work.push(input),
            Op::Aggregate(a) => work.push(&mut a.input),
            Op::Join(j) => work.extend([&mut j.left, &mut j.right]),
            Op::Union(u) => work.extend(&mut u.inputs),
            _ => {}
        }
    }
    changed
}

/// Puts the texts of typed columns between a filter and the scan below it; the columns that the filter had, typed. `shown`: these
/// are what the rule returns, so that the texts need names of their own.
fn retype_filter(
    columns: &mut ir::Columns,
    plan: &mut Plan,
    tables: &KnownTables,
    shown: bool,
) -> Option<Vec<ColId>> {
    let span = plan.span;
    let Op::Filter { input, .. } = &mut *plan.op else { return None };
    let Op::Scan(Scan { source: Source::Table(table), .. }) = &*input.op else { return None };
    let known = tables.0.get(&table.name)?;
    let mut items = Vec::new();
    let mut outputs: Vec<ColId> = Vec::with_capacity(input.output.len());
    for id in input.output.iter() {
        let Some(column) = columns.get(*id).cloned() else { continue };
        match known.get(&column.name) {
            Some(ty) if *ty != Type::String && *ty != Type::Unknown && *ty != column.ty => {
                let new = columns.add(column.name.clone(), *ty, column.span);
                if shown && let Some(old) = columns.get_mut(*id) {
                    old.name = format!("{} (text)", column.name).into();
                }
                items.push(Item { ids: vec![*id], expr: text_of(new, *ty), named: true });
                outputs.push(new);
            }
            _ => outputs.push(*id),
        }
    }
    if items.is_empty() {
        return None;
    }
    let mut op = input.op.clone();
    if let Op::Scan(scan) = &mut *op
        && let Some(time) = scan.time
    {
        let at = input.output.iter().position(|id| *id == time);
        scan.time = at.and_then(|i| outputs.get(i)).copied().or(scan.time);
    }
    let scan = Plan { op, output: outputs.clone().into(), span };
    let extended: Vec<ColId> =
        outputs.iter().copied().chain(items.iter().flat_map(|i| i.ids.clone())).collect();
    let extended: Arc<[ColId]> = extended.into();
    *input = Plan::new(Op::Extend { input: scan, items }, extended.clone(), span);
    plan.output = extended;
    Some(outputs)
}

/// The text of a typed value; absent where it has none.
fn text_of(id: ColId, ty: Type) -> Expr {
    let column = || Expr::column(id, ty, ruleferry_diag::Span::default());
    let missing =
        Expr::new(ExprKind::IsNull(Box::new(column())), Type::Bool, ruleferry_diag::Span::default());
    let null = Expr::literal(Value::Null(Type::String), ruleferry_diag::Span::default());
    let text = column().cast(Type::String, false);
    Expr::new(
        ExprKind::Case(vec![(missing, null)], Box::new(text)),
        Type::String,
        ruleferry_diag::Span::default(),
    )
}
