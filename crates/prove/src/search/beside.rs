//! Values beside the one that a test looks for: another case, a character more, the boundary itself.
//!
//! In: a test and which of such values it is to meet. Out: a wish at what it reads. They tell apart rules that differ in this test.

use super::goal::{read_type, spread};
use super::maker::{Inst, Maker, NEEDLE, key};
use super::store::NodeId;
use super::wish::{Needle, Test, Wish};
use ruleferry_eval::Value;
use ruleferry_ir::{Expr, ExprKind, InValues, MatchKind, MatchValue, MatchValues, Plan, Subject, Type};
use smol_str::SmolStr;

impl<'q> Maker<'q, '_, '_> {
    /// A value that is what a test looks for, or nearly: the number `which` of such.
    pub(super) fn beside(&mut self, e: &'q Expr, inst: Inst, which: usize) -> bool {
        let (subject, value) = match &e.kind {
            ExprKind::Compare(c) => match (self.fixed(&c.right, inst), self.fixed(&c.left, inst)) {
                (Some(value), _) => (&c.left, value),
                (None, Some(value)) => (&c.right, value),
                (None, None) => {
                    let nodes = (self.node_of(&c.left, inst), self.node_of(&c.right, inst));
                    return self.in_another_case(nodes, which);
                }
            },
            ExprKind::Between(b) => {
                let bound = if which.is_multiple_of(2) { &b.low } else { &b.high };
                let Some(value) = self.fixed(bound, inst) else { return false };
                return self.near_wish(&b.subject, inst, &value, which / 2);
            }
            ExprKind::In(i) => {
                let values = match &i.values {
                    InValues::List(es) => es.iter().filter_map(|e| self.fixed(e, inst)).collect(),
                    InValues::Dynamic(list) => self.fixed(list, inst).map(spread).unwrap_or_default(),
                };
                let at = self.choose(key(e, inst, NEEDLE), values.len());
                let Some(value) = values.into_iter().nth(at) else { return false };
                (&i.subject, value)
            }
            ExprKind::Match(m) => {
                let Subject::Expr(subject) = &m.subject else { return false };
                let texts: Vec<SmolStr> = match &m.values {
                    MatchValues::List(list) => list
                        .iter()
                        .filter_map(|value| match value {
                            MatchValue::Glob(parts) => Some(super::wish::glob_sample(parts, "x").into()),
                            MatchValue::Expr(x) => self.fixed(x, inst).map(|v| super::wish::text_of(&v)),
                        })
                        .collect(),
                    MatchValues::Dynamic(list) => match self.fixed(list, inst) {
                        Some(v) => spread(v).iter().map(super::wish::text_of).collect(),
                        None => {
                            let nodes = (self.node_of(subject, inst), self.node_each(list, inst));
                            return self.in_another_case(nodes, which);
                        }
                    },
                    MatchValues::Query(plan) => return self.nearly_in_plan(subject, plan, inst, which),
                };
                if texts.is_empty()
                    && let MatchValues::List(list) = &m.values
                    && let Some(MatchValue::Expr(other)) = list.first()
                {
                    let nodes = (self.node_of(subject, inst), self.node_of(other, inst));
                    return self.in_another_case(nodes, which);
                }
                let at = self.choose(key(e, inst, NEEDLE), texts.len());
                let Some(text) = texts.into_iter().nth(at) else { return false };
                let text = if m.kind == MatchKind::Regex {
                    super::sample::sample(&text, which as u64 % 4).map_or(text, SmolStr::from)
                } else {
                    text
                };
                (subject, Value::String(text))
            }
            ExprKind::InQuery(i) => return self.nearly_in_plan(&i.subject, &i.plan, inst, which),
            ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
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
            | ExprKind::Opaque(_) => return false,
        };
        self.near_wish(subject, inst, &value, which)
    }

    pub(super) fn near_wish(&mut self, subject: &'q Expr, inst: Inst, value: &Value, which: usize) -> bool {
        let ty = read_type(subject.ty, Some(value));
        let near = super::vary::near(value, ty);
        let Some(value) = std::iter::once(value.clone()).chain(near).nth(which) else { return false };
        if value.is_null() {
            return self.wish(subject, inst, Wish::new(Test::Null, ty));
        }
        self.wish(subject, inst, Wish::equals(value, ty))
    }

    /// Two texts that differ in case only, or nearly.
    pub(super) fn in_another_case(&mut self, nodes: (Option<NodeId>, Option<NodeId>), which: usize) -> bool {
        let (Some(a), Some(b)) = nodes else { return false };
        // Neither is there.
        if which == 11 {
            for node in [a, b] {
                self.store.wish(node, Wish::new(Test::Null, Type::Unknown));
            }
            return true;
        }
        let (one, other) = if which.is_multiple_of(2) { (a, b) } else { (b, a) };
        // With a letter at its end, where that goes with what is asked of it.
        let test = Test::Text {
            kind: MatchKind::EndsWith,
            case: ruleferry_ir::Case::Sensitive,
            needles: [Needle::Text("Qz".into())].into(),
            chosen: 0,
        };
        self.store.wish(one, Wish::new(test, Type::String));
        let Value::String(text) = self.store.value(one) else { return false };
        let near = super::vary::near(&Value::String(text), Type::String);
        let Some(value) = near.into_iter().nth(which / 2).filter(|v| !v.is_null()) else { return false };
        self.store.wish(other, Wish::equals(value, Type::String));
        true
    }

    /// The same for a value and one of a plan's first column.
    pub(super) fn nearly_in_plan(
        &mut self,
        subject: &'q Expr,
        plan: &'q Plan,
        inst: Inst,
        which: usize,
    ) -> bool {
        let inner = self.fresh();
        let share = std::mem::replace(&mut self.share, false);
        self.plan(plan, inner);
        self.share = share;
        let Some(first) = plan.output.first() else { return false };
        let nodes = (self.node_of(subject, inst), self.node_of_column(inner, *first));
        self.in_another_case(nodes, which)
    }
}
