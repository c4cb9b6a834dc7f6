//! `ipv4_lookup` and `ipv6_lookup`: rows beside those of a table whose range holds their address.
//!
//! Kusto: "ipv4_lookup plugin", "ipv6_lookup plugin".

use super::Call;
use crate::Value;
use crate::compare::{Key, compare};
use crate::fault::{Fault, Result};
use crate::functions;
use crate::rows::{EVENT, Row, Rows, Slots};
use ruleferry_diag::codes;
use ruleferry_ir::{ColId, Expr, Type};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

/// `…_lookup(table, address, range [, keys…] [, return_unmatched])`
pub(super) fn ip_lookup(call: &Call<'_, '_>, input: Rows) -> Result<Rows> {
    let evaluator = call.evaluator;
    let Some(table) = call.table() else { return Err(call.fault(0, "a table is expected")) };
    let right = evaluator.rows(table)?;
    let (left_slots, right_slots) = (Slots::new(&input.columns), Slots::new(&right.columns));
    let address = call.place_of(1, &left_slots)?;
    let range = call.place_of(2, &right_slots)?;
    let mut unmatched = false;
    // Places of the further keys, left and right.
    let mut keys: Vec<(usize, usize)> = Vec::new();
    for place in 3..call.plugin.args.len() {
        let Some(e) = call.expr(place) else { continue };
        match e.as_column() {
            Some(id) => {
                let name = evaluator.name(id);
                let of = |columns: &[ColId]| {
                    columns.iter().position(|c| *c != EVENT && evaluator.name(*c) == name)
                };
                match (of(&input.columns), of(&right.columns)) {
                    (Some(l), Some(r)) => keys.push((l, r)),
                    _ => return Err(call.fault(place, "both tables need the column")),
                }
            }
            None => unmatched |= evaluator.constant(e)?.as_bool() == Some(true),
        }
    }

    // Where each column of the output is in the row of both sides beside each other.
    let left_width = input.columns.iter().filter(|id| **id != EVENT).count();
    let right_width = right.columns.iter().filter(|id| **id != EVENT).count();
    let by_place = call.plan.output.len() == left_width + right_width;
    let place = |(i, id): (usize, &ColId)| {
        if let Some(place) = left_slots.get(*id) {
            return Some(place);
        }
        if by_place && i >= left_width {
            return Some(i - left_width + input.columns.len());
        }
        let name = evaluator.name(*id);
        let left = input.columns.iter().position(|c| *c != EVENT && evaluator.name(*c) == name);
        left.or_else(|| {
            let right = right.columns.iter().position(|c| *c != EVENT && evaluator.name(*c) == name);
            right.map(|p| p + input.columns.len())
        })
    };
    let places: Vec<Option<usize>> = call.plan.output.iter().enumerate().map(place).collect();

    let mut matches: FxHashMap<Key, Vec<usize>> = FxHashMap::default();
    let mut rows: Vec<Row> = Vec::new();
    let mut wide: Vec<Value> = Vec::new();
    for row in &input.rows {
        let value = row.get(address).unwrap_or(&Value::Null);
        let key = Key::new(value, Type::String);
        let found = match matches.get(&key) {
            Some(found) => found,
            None => {
                let found = in_ranges(call, value, &right.rows, range)?;
                matches.entry(key).or_insert(found)
            }
        };
        let mut any = false;
        for other in found.iter().filter_map(|i| right.rows.get(*i)) {
            let same = |(l, r): &(usize, usize)| match (row.get(*l), other.get(*r)) {
                (Some(l), Some(r)) => compare(l, r) == Some(Ordering::Equal),
                _ => false,
            };
            if keys.iter().all(same) {
                any = true;
                wide.clear();
                wide.extend(row.iter().chain(other.iter()).cloned());
                rows.push(
                    places
                        .iter()
                        .map(|p| p.and_then(|i| wide.get(i)).cloned().unwrap_or(Value::Null))
                        .collect(),
                );
            }
        }
        if !any && unmatched {
            rows.push(
                places.iter().map(|p| p.and_then(|i| row.get(i)).cloned().unwrap_or(Value::Null)).collect(),
            );
        }
        evaluator.check_size(rows.len(), call.span())?;
    }
    Ok(Rows { columns: call.plan.output.clone(), rows })
}

/// The rows whose range holds an address.
fn in_ranges(call: &Call<'_, '_>, address: &Value, rows: &[Row], range: usize) -> Result<Vec<usize>> {
    let name = if call.name() == "ipv6_lookup" { "ipv6_is_in_range" } else { "ipv4_is_in_range" };
    let Some(in_range) = functions::find(name) else {
        return Err(Fault::new(
            codes::EVAL_UNSUPPORTED,
            call.span(),
            format!("the evaluator has no function `{name}`"),
        ));
    };
    let args: &[Expr] = &[];
    let test =
        functions::Call { name, ty: Type::Bool, args, span: call.span(), regexes: call.evaluator.regexes() };
    let mut found = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let range = row.get(range).cloned().unwrap_or(Value::Null);
        if in_range(&test, &[address.clone(), range])?.as_bool() == Some(true) {
            found.push(i);
        }
    }
    Ok(found)
}
