//! `union`, `search` and `find`: the rows of several tables under one list of columns.

use super::Evaluator;
use crate::Value;
use crate::expr::Scope;
use crate::fault::Result;
use crate::rows::{Row, Rows, Slots};
use ruleferry_diag::codes;
use ruleferry_ir::{ColId, Op, Plan, Search, Source, Union};
use smol_str::SmolStr;

/// How the columns of the inputs become those of the output.
struct Shape<'p> {
    plan: &'p Plan,
    /// For each output column but the source column, the column of each input.
    columns: &'p [Vec<Option<ColId>>],
    source: Option<ColId>,
    labels: &'p [SmolStr],
}

impl Evaluator<'_> {
    pub(super) fn union(&self, plan: &Plan, union: &Union) -> Result<Rows> {
        let shape = Shape { plan, columns: &union.columns, source: union.source, labels: &union.labels };
        let mut all = Vec::new();
        for (n, input) in union.inputs.iter().enumerate() {
            match self.rows(input) {
                Ok(rows) => shape.append(n, &rows, &mut all),
                // `isfuzzy`: what does not exist is left out.
                Err(fault) if union.fuzzy && fault.code == codes::EVAL_NO_TABLE && is_table(input) => {}
                Err(fault) => return Err(fault),
            }
            self.check_size(all.len(), plan.span)?;
        }
        Ok(Rows { columns: shape.output(), rows: all })
    }

    pub(super) fn search(&self, plan: &Plan, search: &Search) -> Result<Rows> {
        let shape = Shape { plan, columns: &search.columns, source: search.source, labels: &search.labels };
        let mut kept = Vec::new();
        let inputs = self.searched(plan, search)?;
        for (n, rows) in inputs.iter().enumerate() {
            let mut all = Vec::new();
            shape.append(n, rows, &mut all);
            let slots = Slots::new(&plan.output);
            // The name of the table is no value of the row.
            let hidden = search.source.and_then(|id| slots.get(id));
            for row in all {
                let mut looked_at = row.to_vec();
                if let Some(slot) = hidden.and_then(|i| looked_at.get_mut(i)) {
                    *slot = Value::Null;
                }
                if self.holds(&search.predicate, &Scope::new(&slots, &looked_at))? {
                    kept.push(row);
                }
            }
            self.check_size(kept.len(), plan.span)?;
        }
        Ok(Rows { columns: shape.output(), rows: kept })
    }

    /// The rows of each table that is looked at.
    fn searched(&self, plan: &Plan, search: &Search) -> Result<Vec<Rows>> {
        if !search.inputs.is_empty() {
            return search.inputs.iter().map(|input| self.rows(input)).collect();
        }
        Err(crate::Fault::new(codes::EVAL_UNSUPPORTED, plan.span, "the tables to search are not known")
            .help("name them: `search in (SecurityEvent, Syslog) \"term\"`"))
    }
}

impl Shape<'_> {
    fn output(&self) -> std::sync::Arc<[ColId]> {
        self.plan.output.clone()
    }

    fn append(&self, n: usize, rows: &Rows, all: &mut Vec<Row>) {
        let slots = Slots::new(&rows.columns);
        let mut columns = self.columns.iter();
        // `None`: the source column.
        let places: Vec<Option<Option<usize>>> = self
            .plan
            .output
            .iter()
            .map(|id| {
                if Some(*id) == self.source {
                    return None;
                }
                let column = columns.next().and_then(|c| c.get(n)).copied().flatten();
                Some(column.and_then(|c| slots.get(c)))
            })
            .collect();
        let label = Value::String(self.labels.get(n).cloned().unwrap_or_default());
        all.extend(rows.rows.iter().map(|row| -> Row {
            let values = places.iter().map(|place| match place {
                None => label.clone(),
                Some(at) => at.and_then(|i| row.get(i)).cloned().unwrap_or(Value::Null),
            });
            values.collect()
        }));
    }
}

/// Whether an input is a table by its name, which may not exist.
fn is_table(plan: &Plan) -> bool {
    let mut at = plan;
    while let Some(input) = at.input() {
        at = input;
    }
    matches!(&*at.op, Op::Scan(s) if matches!(s.source, Source::Table(_) | Source::Input(_)))
}
