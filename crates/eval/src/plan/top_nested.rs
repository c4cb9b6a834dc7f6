//! `top-nested`: the best groups, inside of each the best groups of the next level, and so on.
//!
//! Kusto: "top-nested operator". With `others` a level has one more row for the rows of all groups that are not among the
//! best; deeper levels do not split it: they show their own `others`, or nothing.

use super::Evaluator;
use crate::Value;
use crate::choice::ChoiceKind;
use crate::compare::order;
use crate::expr::filled;
use crate::fault::Result;
use crate::rows::{Row, Rows, Slots};
use ruleferry_ir::{Plan, TopNested, TopNestedLevel, Type};
use std::cmp::Ordering;

impl Evaluator<'_> {
    pub(super) fn top_nested(&self, plan: &Plan, input: Rows, node: &TopNested) -> Result<Rows> {
        let mut ids = Vec::new();
        for level in &node.levels {
            ids.extend(level.key.ids.iter().chain(&level.by.ids));
        }
        let slots = Slots::new(&ids);
        let places: Vec<Option<usize>> = plan.output.iter().map(|id| slots.get(*id)).collect();
        let mut made = Vec::new();
        self.level(plan, &node.levels, &input, Vec::new(), &mut made)?;
        let rows = made.iter().map(|row| super::project::pick(row, &places));
        Ok(Rows { rows: rows.collect(), columns: plan.output.clone() })
    }

    /// The rows that one level and those below it make of a group.
    fn level(
        &self,
        plan: &Plan,
        levels: &[TopNestedLevel],
        rows: &Rows,
        head: Vec<Value>,
        made: &mut Vec<Vec<Value>>,
    ) -> Result<()> {
        let Some((level, deeper)) = levels.split_first() else {
            made.push(head);
            return self.check_size(made.len(), plan.span);
        };
        let slots = Slots::new(&rows.columns);
        let aggregate =
            |members: &[Row]| self.aggregate_item(&level.by, members, &slots, plan, &[], &rows.columns);
        let mut groups = Vec::new();
        for (key, members) in self.groups(rows, std::slice::from_ref(&level.key))? {
            let values = aggregate(&members)?;
            groups.push((key, values, members));
        }
        let by = |values: &[Value]| values.first().cloned().unwrap_or(Value::Null);
        let compare = |a: &[Value], b: &[Value]| {
            let order = order(&by(a), &by(b));
            if level.descending { order.reverse() } else { order }
        };
        groups.sort_by(|a, b| compare(&a.1, &b.1));
        let mut rest = Vec::new();
        if let Some(count) = &level.count {
            let wanted = self.count(count)?;
            if let (Some(last), Some(next)) =
                (wanted.checked_sub(1).and_then(|n| groups.get(n)), groups.get(wanted))
                && compare(&last.1, &next.1) == Ordering::Equal
            {
                let key = last.1.clone();
                let first = groups.iter().position(|g| compare(&g.1, &key) == Ordering::Equal).unwrap_or(0);
                let end =
                    groups.iter().rposition(|g| compare(&g.1, &key) == Ordering::Equal).unwrap_or(first);
                let ties = groups.get_mut(first..=end).unwrap_or_default();
                let turn = self.chooser().rotation(ChoiceKind::Rows, plan.span, ties.len(), wanted - first);
                ties.rotate_left(turn);
            }
            rest = groups.split_off(wanted.min(groups.len()));
        }
        for (key, values, members) in groups {
            let mut head = head.clone();
            head.extend(key);
            head.extend(values);
            self.level(plan, deeper, &Rows { columns: rows.columns.clone(), rows: members }, head, made)?;
        }
        if let Some(others) = &level.others
            && !rest.is_empty()
        {
            let members: Vec<Row> = rest.into_iter().flat_map(|(_, _, members)| members).collect();
            let mut row = head;
            row.push(self.constant(others)?);
            row.extend(aggregate(&members)?);
            self.others(plan, deeper, &Rows { columns: rows.columns.clone(), rows: members }, row, made)?;
        }
        Ok(())
    }

    /// The row of all rows that a level left aside, through the levels below it.
    fn others(
        &self,
        plan: &Plan,
        levels: &[TopNestedLevel],
        rows: &Rows,
        mut row: Vec<Value>,
        made: &mut Vec<Vec<Value>>,
    ) -> Result<()> {
        let slots = Slots::new(&rows.columns);
        for level in levels {
            match &level.others {
                Some(others) => {
                    row.push(self.constant(others)?);
                    row.extend(self.aggregate_item(
                        &level.by,
                        &rows.rows,
                        &slots,
                        plan,
                        &[],
                        &rows.columns,
                    )?);
                }
                None => {
                    let none =
                        if level.key.expr.ty == Type::String { filled(Value::Null) } else { Value::Null };
                    row.push(none);
                    row.extend(level.by.ids.iter().map(|_| Value::Null));
                }
            }
        }
        made.push(row);
        self.check_size(made.len(), plan.span)
    }
}
