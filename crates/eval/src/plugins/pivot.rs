//! `pivot`: the values of a column become columns.
//!
//! Kusto: "pivot plugin". Each cell is the aggregate over the rows that have the keys of its row and the value of its column,
//! also where there are none.

use super::Call;
use crate::compare::Key;
use crate::expr::{Scope, filled, shown};
use crate::fault::Result;
use crate::rows::{EVENT, Row, Rows, Slots};
use crate::{Value, cast};
use indexmap::IndexMap;
use ruleferry_ir::{AggregateCall, AggregateItem, ColId, Expr, Type};
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// The keys of a row and its rows by the value of the pivoted column.
type Line = (Vec<Value>, IndexMap<SmolStr, Vec<Row>>);

pub(super) fn pivot(call: &Call<'_, '_>, input: Rows) -> Result<Rows> {
    let evaluator = call.evaluator;
    let slots = Slots::new(&input.columns);
    let Some(subject) = call.expr(0) else { return Err(call.fault(0, "a column is expected")) };
    let aggregate = call.aggregate();
    let mut keys = call.columns_from(2);
    if keys.is_empty() {
        let mut used: Vec<ColId> = subject.as_column().into_iter().collect();
        used.extend(aggregate.map(read).unwrap_or_default());
        keys = input.columns.iter().copied().filter(|id| *id != EVENT && !used.contains(id)).collect();
    }
    let mut lines: IndexMap<Vec<Key>, Line> = IndexMap::new();
    let mut names: BTreeSet<SmolStr> = BTreeSet::new();
    for row in &input.rows {
        let values: Vec<Value> = keys
            .iter()
            .map(|id| {
                let value = slots.get(*id).and_then(|i| row.get(i)).cloned().unwrap_or(Value::Null);
                if call.ty(*id) == Type::String { filled(value) } else { value }
            })
            .collect();
        let key = values.iter().zip(&keys).map(|(v, id)| Key::new(v, call.ty(*id))).collect();
        let name = shown(&evaluator.expr(subject, &Scope::new(&slots, row))?);
        names.insert(name.clone());
        let line = lines.entry(key).or_insert_with(|| (values, IndexMap::new()));
        line.1.entry(name).or_default().push(Row::clone(row));
    }

    let ty = aggregate.and_then(|a| a.ids.first()).map_or(Type::Long, |id| call.ty(*id));
    let mut columns: Vec<ColId> = call.plan.output.to_vec();
    let known: Vec<SmolStr> = columns.iter().map(|id| evaluator.name(*id).into()).collect();
    // What each column of the output shows: a key, or the cell of a value.
    let mut sources: Vec<std::result::Result<usize, SmolStr>> = columns
        .iter()
        .zip(&known)
        .map(|(id, name)| {
            keys.iter().position(|k| k == id || (evaluator.name(*k) == name)).ok_or_else(|| name.clone())
        })
        .collect();
    if call.plugin.open {
        for name in names.iter().filter(|n| !known.contains(n)) {
            columns.push(evaluator.find_column(name.clone(), ty));
            sources.push(Err(name.clone()));
        }
    }
    let cell = |rows: &[Row], id: ColId| -> Result<Value> {
        let Some(item) = aggregate else {
            return Ok(Value::Long(i64::try_from(rows.len()).unwrap_or(i64::MAX)));
        };
        let values = evaluator.aggregate_item(item, rows, &slots, call.plan, &[], &input.columns)?;
        let value = values.into_iter().next().unwrap_or(Value::Null);
        let wanted = call.ty(id);
        let keep = wanted == ty || value.is_null() || matches!(wanted, Type::Dynamic | Type::Unknown);
        Ok(if keep { value } else { cast(&value, wanted) })
    };
    let mut rows: Vec<Row> = Vec::with_capacity(lines.len());
    for (keys, groups) in lines.into_values() {
        let mut row: Vec<Value> = Vec::with_capacity(columns.len());
        for (source, id) in sources.iter().zip(&columns) {
            row.push(match source {
                Ok(place) => keys.get(*place).cloned().unwrap_or(Value::Null),
                Err(name) => cell(groups.get(name).map_or(&[], Vec::as_slice), *id)?,
            });
        }
        rows.push(row.into());
    }
    Ok(Rows { columns: columns.into(), rows })
}

/// The columns that an aggregate names as its arguments.
fn read(item: &AggregateItem) -> Vec<ColId> {
    match &item.call {
        AggregateCall::Function(_, args) => args.iter().filter_map(Expr::as_column).collect(),
        AggregateCall::ArgExtreme { by, returned, .. } => {
            std::iter::once(by).chain(returned).filter_map(Expr::as_column).collect()
        }
        AggregateCall::TakeAny { returned, .. } => returned.iter().filter_map(Expr::as_column).collect(),
        AggregateCall::Composed { parts, .. } => parts.iter().flat_map(read).collect(),
    }
}
