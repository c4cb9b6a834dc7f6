//! Places of expressions that come from another text than their plan.

use crate::{Expr, ExprKind, InValues, MatchValue, MatchValues, Subject};
use ruleferry_diag::Span;

impl Expr {
    /// Sets the place of the expression and of its operands; plans inside keep theirs.
    pub fn set_spans(&mut self, span: Span) {
        self.span = span;
        match &mut self.kind {
            ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => {}
            ExprKind::And(es) | ExprKind::Or(es) | ExprKind::Call(_, es) => {
                es.iter_mut().for_each(|e| e.set_spans(span));
            }
            ExprKind::Not(e)
            | ExprKind::IsNull(e)
            | ExprKind::IsEmpty(e)
            | ExprKind::Negate(e)
            | ExprKind::Member(e, _) => e.set_spans(span),
            ExprKind::Compare(c) => [&mut c.left, &mut c.right].into_iter().for_each(|e| e.set_spans(span)),
            ExprKind::Match(m) => {
                if let Subject::Expr(e) = &mut m.subject {
                    e.set_spans(span);
                }
                match &mut m.values {
                    MatchValues::List(values) => {
                        for value in values {
                            match value {
                                MatchValue::Expr(e) => e.set_spans(span),
                                MatchValue::Glob(_) => {}
                            }
                        }
                    }
                    MatchValues::Dynamic(e) => e.set_spans(span),
                    MatchValues::Query(_) => {}
                }
            }
            ExprKind::In(i) => {
                i.subject.set_spans(span);
                match &mut i.values {
                    InValues::List(es) => es.iter_mut().for_each(|e| e.set_spans(span)),
                    InValues::Dynamic(e) => e.set_spans(span),
                }
            }
            ExprKind::InQuery(i) => i.subject.set_spans(span),
            ExprKind::Between(b) => {
                [&mut b.subject, &mut b.low, &mut b.high].into_iter().for_each(|e| e.set_spans(span));
            }
            ExprKind::Arithmetic(a) => {
                [&mut a.left, &mut a.right].into_iter().for_each(|e| e.set_spans(span));
            }
            ExprKind::Cast(c) => c.expr.set_spans(span),
            ExprKind::Index(a, b) => [a, b].into_iter().for_each(|e| e.set_spans(span)),
            ExprKind::Case(branches, otherwise) => {
                for (condition, value) in branches {
                    condition.set_spans(span);
                    value.set_spans(span);
                }
                otherwise.set_spans(span);
            }
        }
    }
}
