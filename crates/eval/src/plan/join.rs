//! Joins: equality of key columns. Nulls never match; a missing string is the empty one, and those do.

use super::Evaluator;
use super::project::pick;
use crate::choice::ChoiceKind;
use crate::compare::Key;
use crate::expr::filled;
use crate::fault::Result;
use crate::rows::{Row, Rows, Slots};
use crate::{Value, cast};
use ruleferry_ir::{ColId, Join, JoinKind, Plan, Type};
use rustc_hash::{FxHashMap, FxHashSet};

impl Evaluator<'_> {
    pub(super) fn join(&self, plan: &Plan, left: Rows, join: &Join) -> Result<Rows> {
        let right = self.rows(&join.right)?;
        let types: Vec<Type> =
            join.on.iter().map(|k| Type::of_keys(self.ty(k.left), self.ty(k.right))).collect();
        let left_keys = self.keys(&left, join.on.iter().map(|k| k.left), &types);
        let right_keys = self.keys(&right, join.on.iter().map(|k| k.right), &types);
        let mut by_key: FxHashMap<&[Key], Vec<usize>> = FxHashMap::default();
        for (i, key) in right_keys.iter().enumerate() {
            if let Some(key) = key {
                by_key.entry(key).or_default().push(i);
            }
        }
        let matches = |i: usize| -> &[usize] {
            let key = left_keys.get(i).and_then(Option::as_deref);
            key.and_then(|k| by_key.get(k)).map_or(&[], Vec::as_slice)
        };
        let left_rows: Vec<usize> = if join.kind == JoinKind::InnerUnique {
            self.one_a_key(plan, &left_keys, left.rows.len())
        } else {
            (0..left.rows.len()).collect()
        };
        // Pairs of a left and a right row; none on one side where it has no partner.
        let mut pairs: Vec<(Option<usize>, Option<usize>)> = Vec::new();
        let mut used: FxHashSet<usize> = FxHashSet::default();
        for i in left_rows {
            let found = matches(i);
            match join.kind {
                JoinKind::Inner | JoinKind::InnerUnique => {
                    pairs.extend(found.iter().map(|r| (Some(i), Some(*r))));
                }
                JoinKind::LeftOuter | JoinKind::FullOuter | JoinKind::RightOuter => {
                    pairs.extend(found.iter().map(|r| (Some(i), Some(*r))));
                    if found.is_empty() && join.kind != JoinKind::RightOuter {
                        pairs.push((Some(i), None));
                    }
                    used.extend(found);
                }
                JoinKind::LeftSemi if !found.is_empty() => pairs.push((Some(i), None)),
                JoinKind::LeftAnti if found.is_empty() => pairs.push((Some(i), None)),
                JoinKind::RightSemi | JoinKind::RightAnti => used.extend(found),
                JoinKind::LeftSemi | JoinKind::LeftAnti => {}
            }
            self.check_size(pairs.len(), plan.span)?;
        }
        let all = 0..right.rows.len();
        match join.kind {
            JoinKind::RightOuter | JoinKind::FullOuter | JoinKind::RightAnti => {
                pairs.extend(all.filter(|r| !used.contains(r)).map(|r| (None, Some(r))));
            }
            JoinKind::RightSemi => pairs.extend(all.filter(|r| used.contains(r)).map(|r| (None, Some(r)))),
            JoinKind::Inner
            | JoinKind::InnerUnique
            | JoinKind::LeftOuter
            | JoinKind::LeftSemi
            | JoinKind::LeftAnti => {}
        }
        self.check_size(pairs.len(), plan.span)?;
        Ok(joined(plan, join, &left, &right, &pairs))
    }

    /// The key of each row; none where a part of it is null.
    fn keys(
        &self,
        rows: &Rows,
        columns: impl Iterator<Item = ColId>,
        types: &[Type],
    ) -> Vec<Option<Vec<Key>>> {
        let slots = Slots::new(&rows.columns);
        let places: Vec<Option<usize>> = columns.map(|id| slots.get(id)).collect();
        let key = |row: &Row| {
            places
                .iter()
                .zip(types)
                .map(|(place, ty)| {
                    let value = place.and_then(|p| row.get(p)).cloned().unwrap_or(Value::Null);
                    let value = if *ty == Type::String { filled(value) } else { value };
                    let value =
                        if value.is_null() || *ty == Type::Unknown { value } else { cast(&value, *ty) };
                    (!value.is_null()).then(|| Key::new(&value, *ty))
                })
                .collect::<Option<Vec<Key>>>()
        };
        rows.rows.iter().map(key).collect()
    }

    /// One row of each key: which one is open.
    fn one_a_key(&self, plan: &Plan, keys: &[Option<Vec<Key>>], count: usize) -> Vec<usize> {
        let mut groups: FxHashMap<&[Key], Vec<usize>> = FxHashMap::default();
        for (i, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                groups.entry(key).or_default().push(i);
            }
        }
        let mut kept: Vec<usize> = Vec::new();
        for (i, key) in keys.iter().enumerate().take(count) {
            let Some(group) = key.as_deref().and_then(|k| groups.get(k)) else { continue };
            if group.first() == Some(&i) {
                let pick = self.chooser().pick(ChoiceKind::UniqueRow, plan.span, group.len());
                kept.push(group.get(pick).copied().unwrap_or(i));
            }
        }
        kept
    }
}

/// Rows of the output from pairs of rows.
fn joined(
    plan: &Plan,
    join: &Join,
    left: &Rows,
    right: &Rows,
    pairs: &[(Option<usize>, Option<usize>)],
) -> Rows {
    // Columns of both sides beside each other; right ones under the id that they have in the output.
    let width = left.columns.len();
    let mut slots = Slots::new(&left.columns);
    let right_slots = Slots::new(&right.columns);
    for (i, id) in right.columns.iter().enumerate() {
        if slots.get(*id).is_none() {
            slots.put(*id, width + i);
        }
    }
    for item in &join.right_output {
        if let Some(place) = right_slots.get(item.from) {
            slots.put(item.to, width + place);
        }
    }
    let places: Vec<Option<usize>> = plan.output.iter().map(|id| slots.get(*id)).collect();
    let mut wide: Vec<Value> = Vec::new();
    let rows = pairs.iter().map(|(l, r)| {
        wide.clear();
        match l.and_then(|i| left.rows.get(i)) {
            Some(row) => wide.extend(row.iter().cloned()),
            None => wide.resize(width, Value::Null),
        }
        match r.and_then(|i| right.rows.get(i)) {
            Some(row) => wide.extend(row.iter().cloned()),
            None => wide.resize(width + right.columns.len(), Value::Null),
        }
        pick(&wide, &places)
    });
    Rows { rows: rows.collect(), columns: plan.output.clone() }
}
