//! What is known of the text in a join's keys. In: a plan and one of its columns. Out: whether the column may be `""`.
//!
//! A missing text is `""` to Kusto and NULL in a table, so a key that may be `""` on the one side meets the NULLs of the other.
//! Where a filter has taken the empty ones away, a plain `=` says the same, and reads better.

use crate::lower::Lowerer;
use ruleferry_ir::{BindingValue, ColId, Expr, ExprKind, Item, JoinKind, Op, Plan};

impl Lowerer<'_> {
    /// Whether no row of the plan has `""` (or a missing text) in the column. What cannot be told is `false`.
    pub(super) fn never_empty(&self, plan: &Plan, id: ColId) -> bool {
        let (mut at, mut id) = (plan, id);
        loop {
            match &*at.op {
                Op::Filter { input, predicate } => {
                    if drops_empty(predicate, id) {
                        return true;
                    }
                    at = input;
                }
                Op::Extend { input, items }
                | Op::Project { input, items }
                | Op::Serialize { input, items } => {
                    let Some(from) = source(items, id) else { return false };
                    (at, id) = (input, from);
                }
                Op::Select { input, items, .. } => {
                    id = items.iter().find(|i| i.to == id).map_or(id, |i| i.from);
                    at = input;
                }
                Op::Aggregate(a) => {
                    let Some(key) = a.keys.iter().find(|k| k.ids.contains(&id)) else { return false };
                    let Some(from) = key.expr.as_column() else { return false };
                    (at, id) = (&a.input, from);
                }
                Op::Join(join) => match (join.right_output.iter().find(|i| i.to == id), join.kind) {
                    (Some(item), JoinKind::Inner | JoinKind::InnerUnique) => {
                        (at, id) = (&join.right, item.from)
                    }
                    (
                        None,
                        JoinKind::Inner
                        | JoinKind::InnerUnique
                        | JoinKind::LeftOuter
                        | JoinKind::LeftSemi
                        | JoinKind::LeftAnti,
                    ) => {
                        at = &join.left;
                    }
                    // A row without a partner has "" there, or the side is not followed.
                    (Some(_), JoinKind::LeftOuter | JoinKind::LeftSemi | JoinKind::LeftAnti)
                    | (
                        _,
                        JoinKind::RightOuter
                        | JoinKind::FullOuter
                        | JoinKind::RightSemi
                        | JoinKind::RightAnti,
                    ) => {
                        return false;
                    }
                },
                Op::Ref(binding) => {
                    let place = at.output.iter().position(|o| *o == id);
                    let Some(BindingValue::Table { plan, .. }) = self.binding(*binding).map(|b| &b.value)
                    else {
                        return false;
                    };
                    let Some(from) = place.and_then(|p| plan.output.get(p)) else { return false };
                    (at, id) = (plan, *from);
                }
                Op::Distinct { input }
                | Op::Sort { input, .. }
                | Op::Limit { input, .. }
                | Op::Top { input, .. }
                | Op::Render { input, .. } => at = input,
                Op::Scan(_)
                | Op::Values(_)
                | Op::Range(_)
                | Op::Rows
                | Op::Union(_)
                | Op::Expand(_)
                | Op::Apply(_)
                | Op::MakeSeries(_)
                | Op::Parse(_)
                | Op::ParseKv(_)
                | Op::Partition { .. }
                | Op::Sequence(_)
                | Op::TopNested(_)
                | Op::Plugin(_)
                | Op::Search(_)
                | Op::GetSchema { .. }
                | Op::Opaque { .. } => return false,
            }
        }
    }
}

/// The column that an output passes on; `None` where it is computed.
fn source(items: &[Item], id: ColId) -> Option<ColId> {
    match items.iter().find(|i| i.ids.contains(&id)) {
        Some(item) => item.expr.as_column(),
        None => Some(id),
    }
}

/// Whether a row passes the predicate only if the column holds some text.
fn drops_empty(predicate: &Expr, id: ColId) -> bool {
    let is_it = |e: &Expr| e.as_column() == Some(id);
    match &predicate.kind {
        ExprKind::And(parts) => parts.iter().any(|p| drops_empty(p, id)),
        ExprKind::Not(inner) => matches!(&inner.kind, ExprKind::IsEmpty(e) if is_it(e)),
        ExprKind::Literal(_)
        | ExprKind::Column(_)
        | ExprKind::Let(_)
        | ExprKind::Now
        | ExprKind::Or(_)
        | ExprKind::Compare(_)
        | ExprKind::Match(_)
        | ExprKind::In(_)
        | ExprKind::InQuery(_)
        | ExprKind::Between(_)
        | ExprKind::IsNull(_)
        | ExprKind::IsEmpty(_)
        | ExprKind::Arithmetic(_)
        | ExprKind::Negate(_)
        | ExprKind::Call(..)
        | ExprKind::Cast(_)
        | ExprKind::Member(..)
        | ExprKind::Index(..)
        | ExprKind::Case(..)
        | ExprKind::Subquery(_)
        | ExprKind::Opaque(_) => false,
    }
}
