//! Rows of rows: `mv-expand`, `mv-apply`, `partition`.

use super::Evaluator;
use super::project::pick;
use crate::compare::Key;
use crate::expr::Scope;
use crate::fault::Result;
use crate::rows::{Row, Rows, Slots};
use crate::{Value, cast};
use indexmap::IndexMap;
use ruleferry_ir::{Apply, ColId, Expand, ExpandItem, ExpandKind, Json, Plan, Type};

impl Evaluator<'_> {
    pub(super) fn expand(&self, plan: &Plan, input: Rows, e: &Expand) -> Result<Rows> {
        let limit = e.limit.as_ref().map(|l| self.count(l)).transpose()?;
        let mut all: Vec<ColId> = input.columns.to_vec();
        all.extend(e.index);
        all.extend(e.items.iter().map(|i| i.id));
        let slots = Slots::new(&input.columns);
        let wide_slots = Slots::new(&all);
        let places: Vec<Option<usize>> = plan.output.iter().map(|id| wide_slots.get(*id)).collect();
        let mut rows: Vec<Row> = Vec::new();
        for row in &input.rows {
            for wide in self.elements(row, &slots, &e.items, e.kind, e.index.is_some(), limit)? {
                rows.push(pick(&wide, &places));
            }
            self.check_size(rows.len(), plan.span)?;
        }
        Ok(Rows { columns: plan.output.clone(), rows })
    }

    /// A row with its elements beside it, once for each: first the index (if wanted), then the element of each item. Several
    /// items expand side by side; the shorter ones end in nulls.
    fn elements(
        &self,
        row: &[Value],
        slots: &Slots,
        items: &[ExpandItem],
        kind: ExpandKind,
        index: bool,
        limit: Option<usize>,
    ) -> Result<Vec<Vec<Value>>> {
        let mut lists = Vec::with_capacity(items.len());
        for item in items {
            let value = self.expr(&item.expr, &Scope::new(slots, row))?;
            lists.push(elements_of(&value, kind));
        }
        let longest = lists.iter().map(Vec::len).max().unwrap_or(0).min(limit.unwrap_or(usize::MAX));
        Ok((0..longest)
            .map(|i| {
                let mut wide = row.to_vec();
                if index {
                    wide.push(Value::Long(i64::try_from(i).unwrap_or(i64::MAX)));
                }
                for (item, list) in items.iter().zip(&lists) {
                    let element = list.get(i).cloned().unwrap_or(Value::Null);
                    wide.push(match item.to {
                        Some(ty) if ty != Type::Dynamic && !element.is_null() => cast(&element, ty),
                        Some(Type::String) => Value::EMPTY,
                        Some(_) | None => element,
                    });
                }
                wide
            })
            .collect())
    }

    pub(super) fn apply(&self, plan: &Plan, input: Rows, a: &Apply) -> Result<Rows> {
        let limit = a.limit.as_ref().map(|l| self.count(l)).transpose()?;
        let slots = Slots::new(&input.columns);
        let mut all: Vec<ColId> = input.columns.to_vec();
        all.extend(a.index);
        all.extend(a.items.iter().map(|i| i.id));
        let body_columns: Vec<ColId> = all.clone();
        let body_slots = Slots::new(&a.body.output);
        let width = input.columns.len();
        // A column of the row itself, else one that the body made.
        let places: Vec<Option<usize>> = plan
            .output
            .iter()
            .map(|id| slots.get(*id).or_else(|| body_slots.get(*id).map(|i| width + i)))
            .collect();
        let mut rows: Vec<Row> = Vec::new();
        for row in &input.rows {
            let elements = self.elements(row, &slots, &a.items, ExpandKind::Bag, a.index.is_some(), limit)?;
            // No elements, no rows, also where the body would count them.
            if elements.is_empty() {
                continue;
            }
            let sub = Rows {
                columns: body_columns.clone().into(),
                rows: elements.into_iter().map(Row::from).collect(),
            };
            let made = self.with_body(sub, || self.rows(&a.body))?;
            for inner in &made.rows {
                let wide: Vec<Value> = row.iter().chain(inner.iter()).cloned().collect();
                rows.push(pick(&wide, &places));
            }
            self.check_size(rows.len(), plan.span)?;
        }
        Ok(Rows { columns: plan.output.clone(), rows })
    }

    pub(super) fn partition(&self, plan: &Plan, input: Rows, key: ColId, body: &Plan) -> Result<Rows> {
        let place = Slots::new(&input.columns).get(key);
        let ty = self.ty(key);
        let mut groups: IndexMap<Key, Vec<Row>> = IndexMap::new();
        for row in &input.rows {
            let value = place.and_then(|p| row.get(p)).unwrap_or(&Value::Null);
            groups.entry(Key::new(value, ty)).or_default().push(Row::clone(row));
        }
        let mut rows: Vec<Row> = Vec::new();
        for (_, group) in groups {
            let sub = Rows { columns: input.columns.clone(), rows: group };
            let made = self.with_body(sub, || self.rows(body))?;
            rows.extend(made.rows);
            self.check_size(rows.len(), plan.span)?;
        }
        Ok(Rows { columns: plan.output.clone(), rows })
    }
}

/// What a dynamic value expands to: the elements of an array, the members of an object, else itself (one null of null).
fn elements_of(value: &Value, kind: ExpandKind) -> Vec<Value> {
    match value.as_json() {
        Some(Json::Array(items)) => items.iter().map(Value::of_json).collect(),
        Some(Json::Object(members)) => {
            let member = |(name, value): (&smol_str::SmolStr, &Json)| match kind {
                ExpandKind::Bag => Json::Object([(name.clone(), value.clone())].into_iter().collect()),
                ExpandKind::Array => Json::Array(vec![Json::String(name.clone()), value.clone()]),
            };
            members.iter().map(member).map(Value::dynamic).collect()
        }
        Some(
            Json::Null
            | Json::Bool(_)
            | Json::Long(_)
            | Json::Real(_)
            | Json::String(_)
            | Json::Datetime(_)
            | Json::Timespan(_),
        )
        | None => vec![value.clone()],
    }
}
