//! What the columns of a plan are made of.

use super::{At, ColRef, Lowerer};
use ruleferry_ir::{BindingValue, ColId, Expr, ExprKind};

/// Where a column comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin<'q> {
    /// A field of an event.
    Field {
        event: usize,
        name: &'q str,
    },
    /// The time of an event; of a union the last scan is not one of them.
    Time {
        event: usize,
        scan: Option<usize>,
    },
    /// Another column under a new id.
    Column(ColRef),
    Computed(At<'q>),
    /// The result of an aggregate: which one, and which of its columns.
    Aggregate(usize, usize),
    /// What no rule can say, and why.
    Nothing(&'static str),
}

/// Longer chains of columns are no rules that a person wrote.
const MAX_STEPS: u32 = 64;

impl<'q> Lowerer<'q> {
    pub(super) fn computed(&mut self, scope: u32, id: ColId, e: &'q Expr) {
        if e.as_column() != Some(id) {
            self.origins.insert((scope, id), Origin::Computed(At { scope, e }));
        }
    }

    pub(super) fn same(&mut self, column: ColRef, of: ColRef) {
        if column != of {
            self.origins.insert(column, Origin::Column(of));
        }
    }

    /// The column that a column is another name of. Where match variables stand for values, it ends at these.
    pub(super) fn resolve(&self, mut column: ColRef) -> ColRef {
        for _ in 0..MAX_STEPS {
            if self.place.of_groups() && self.keys.contains_key(&column) {
                return column;
            }
            column = match self.origins.get(&column) {
                Some(Origin::Column(of)) => *of,
                // A column that a `let` or a projection only passes on.
                Some(Origin::Computed(At { scope, e })) => match e.kind {
                    ExprKind::Column(id) => (*scope, id),
                    _ => return column,
                },
                Some(
                    Origin::Field { .. } | Origin::Time { .. } | Origin::Aggregate(..) | Origin::Nothing(_),
                )
                | None => return column,
            };
        }
        column
    }

    pub(super) fn origin(&self, column: ColRef) -> Option<Origin<'q>> {
        self.origins.get(&self.resolve(column)).copied()
    }

    /// What an expression was computed by, through any number of columns and `let`s.
    pub(super) fn behind(&self, at: At<'q>) -> At<'q> {
        let mut at = at;
        for _ in 0..MAX_STEPS {
            at = match &at.e.kind {
                ExprKind::Column(id) => {
                    let column = self.resolve((at.scope, *id));
                    if self.place.of_groups() && self.keys.contains_key(&column) {
                        return at;
                    }
                    match self.origins.get(&column) {
                        Some(Origin::Computed(inner)) => *inner,
                        Some(
                            Origin::Field { .. }
                            | Origin::Time { .. }
                            | Origin::Column(_)
                            | Origin::Aggregate(..)
                            | Origin::Nothing(_),
                        )
                        | None => return at,
                    }
                }
                ExprKind::Let(id) => match self.query.bindings.get(id.0 as usize).map(|b| &b.value) {
                    Some(BindingValue::Scalar(e)) => At { scope: 0, e },
                    Some(BindingValue::Table { .. }) | None => return at,
                },
                _ => return at,
            };
        }
        at
    }

    /// The origin of an expression that is a column, other names seen through.
    pub(super) fn column_origin(&self, at: At<'q>) -> Option<Origin<'q>> {
        let at = self.behind(at);
        at.e.as_column().and_then(|id| self.origin((at.scope, id)))
    }

    /// Whether an expression looks at rows' own fields, and whether it looks at aggregates.
    pub(super) fn looks_at(&self, at: At<'q>) -> (bool, bool) {
        let (mut rows, mut aggregates) = (false, false);
        let mut work = vec![at];
        let mut steps = 0_u32;
        while let Some(at) = work.pop() {
            steps += 1;
            if steps > 100_000 {
                return (true, true);
            }
            let at = self.behind(at);
            match &at.e.kind {
                ExprKind::Column(id) => match self.origin((at.scope, *id)) {
                    Some(Origin::Aggregate(..)) => aggregates = true,
                    Some(
                        Origin::Field { .. } | Origin::Time { .. } | Origin::Column(_) | Origin::Computed(_),
                    ) => rows = true,
                    Some(Origin::Nothing(_)) | None => rows = true,
                },
                _ => {
                    let mut operands = Vec::new();
                    at.e.operands(&mut operands);
                    work.extend(operands.into_iter().map(|e| At { scope: at.scope, e }));
                }
            }
        }
        (rows, aggregates)
    }
}
