//! Computed columns (`extend`, `project`, `serialize`) and plain choices of columns.

use super::Evaluator;
use crate::Value;
use crate::cast::cast;
use crate::expr::Scope;
use crate::fault::Result;
use crate::rows::{EVENT, Row, Rows, Slots};
use crate::window::Windows;
use ruleferry_ir::{ColId, Item, Json, Op, Plan, SelectItem, SelectKind, Type};
use rustc_hash::FxHashMap;

impl Evaluator<'_> {
    /// The columns of `plan.output`: what the items compute, and (with `beside`) the input's columns. Each item sees the
    /// columns of the input and those of the items before it.
    pub(super) fn computed(&self, plan: &Plan, input: Rows, items: &[Item], beside: bool) -> Result<Rows> {
        // One row, wide enough for the input and all new columns, is filled item by item.
        let mut all: Vec<ColId> = input.columns.to_vec();
        for id in items.iter().flat_map(|i| &i.ids) {
            if !all.contains(id) {
                all.push(*id);
            }
        }
        let slots = Slots::new(&all);
        let exprs: Vec<_> = items.iter().map(|i| &i.expr).collect();
        let windows = Windows::of_items(self, items, &exprs, &slots, &input.rows, all.len())?;
        let mut wanted = plan.output.to_vec();
        if beside {
            wanted.extend(input.columns.iter().filter(|id| self.is_found(**id)));
        }
        let places: Vec<Option<usize>> = wanted.iter().map(|id| slots.get(*id)).collect();
        let mut rows: Vec<Row> = Vec::with_capacity(input.rows.len());
        let mut buffer: Vec<Value> = Vec::with_capacity(all.len());
        for (n, row) in input.rows.iter().enumerate() {
            buffer.clear();
            buffer.extend(row.iter().cloned());
            buffer.resize(all.len(), Value::Null);
            for item in items {
                let scope = Scope { slots: &slots, row: &buffer, windows: windows.as_ref().map(|w| (w, n)) };
                let value = self.item(item, &scope)?;
                self.put(item, value, &slots, &mut buffer);
            }
            let values = places.iter().map(|p| p.and_then(|i| buffer.get(i)).cloned().unwrap_or(Value::Null));
            rows.push(values.collect());
        }
        Ok(Rows { columns: wanted.into(), rows })
    }

    /// Puts the value of an item in its place; the elements of a tuple in several.
    pub(crate) fn put(&self, item: &Item, value: Value, slots: &Slots, row: &mut [Value]) {
        let mut set = |id: ColId, value: Value| {
            if let Some(slot) = slots.get(id).and_then(|i| row.get_mut(i)) {
                *slot = value;
            }
        };
        match item.ids.as_slice() {
            [id] => set(*id, value),
            ids => {
                for (i, id) in ids.iter().enumerate() {
                    let part = value.as_array().and_then(|a| a.get(i)).unwrap_or(&Json::Null);
                    let part = Value::of_json(part);
                    let ty = self.ty(*id);
                    let keep = part.is_null() || matches!(ty, Type::Dynamic | Type::Unknown);
                    set(*id, if keep { part } else { cast(&part, ty) });
                }
            }
        }
    }

    pub(super) fn select(&self, plan: &Plan, input: Rows, items: &[SelectItem]) -> Result<Rows> {
        let from: FxHashMap<ColId, ColId> = items.iter().map(|i| (i.to, i.from)).collect();
        let slots = Slots::new(&input.columns);
        let mut columns = plan.output.to_vec();
        // What only the run knows stays, unless the columns to keep are named.
        let all = !matches!(&*plan.op, Op::Select { kind: SelectKind::Keep, .. });
        columns.extend(input.columns.iter().filter(|id| **id == EVENT || (all && self.is_found(**id))));
        let places: Vec<Option<usize>> =
            columns.iter().map(|id| slots.get(from.get(id).copied().unwrap_or(*id))).collect();
        let rows = input.rows.iter().map(|row| pick(row, &places));
        Ok(Rows { rows: rows.collect(), columns: columns.into() })
    }
}

/// The values at some places of a row; null where there is none.
pub(super) fn pick(row: &[Value], places: &[Option<usize>]) -> Row {
    places.iter().map(|p| p.and_then(|i| row.get(i)).cloned().unwrap_or(Value::Null)).collect()
}
