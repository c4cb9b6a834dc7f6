//! Conditions on how far apart two times are.
//!
//! In: the conjuncts of a filter. Out: for each pair of time columns the interval in which their difference must lie, and the
//! conjuncts that say something else. `a - b <= 5m`, `a <= b + 5m`, `b >= a - 5m`, `a between (b .. b + 5m)` and
//! `abs(a - b) <= 5m` are one thing here.

use super::recognize::{Defined, local_definition};
use crate::{ArithmeticOp, BindingValue, ColId, CompareOp, Expr, ExprKind, Plan, Query, Value};

/// One end of an interval of ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bound {
    pub ticks: i64,
    pub inclusive: bool,
}

/// `low <= left - right <= high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Difference {
    pub left: ColId,
    pub right: ColId,
    pub low: Option<Bound>,
    pub high: Option<Bound>,
}

impl Difference {
    /// The same said of `right - left`.
    #[must_use]
    pub fn flipped(self) -> Self {
        let negated = |b: Bound| Bound { ticks: b.ticks.saturating_neg(), inclusive: b.inclusive };
        Self { left: self.right, right: self.left, low: self.high.map(negated), high: self.low.map(negated) }
    }

    /// Both hold; the other one is about the same two columns.
    pub(super) fn meet(&mut self, other: Self) {
        let other = if other.left == self.left { other } else { other.flipped() };
        if let Some(Bound { ticks, inclusive }) = other.low {
            self.narrow(if inclusive { CompareOp::Ge } else { CompareOp::Gt }, ticks);
        }
        if let Some(Bound { ticks, inclusive }) = other.high {
            self.narrow(if inclusive { CompareOp::Le } else { CompareOp::Lt }, ticks);
        }
    }

    pub(super) fn is_about(&self, other: &Self) -> bool {
        (self.left, self.right) == (other.left, other.right)
            || (self.left, self.right) == (other.right, other.left)
    }

    fn narrow(&mut self, op: CompareOp, ticks: i64) {
        let inclusive = matches!(op, CompareOp::Le | CompareOp::Ge | CompareOp::Eq);
        let new = Bound { ticks, inclusive };
        if matches!(op, CompareOp::Le | CompareOp::Lt | CompareOp::Eq) {
            let tighter =
                self.high.is_none_or(|h| ticks < h.ticks || (ticks == h.ticks && h.inclusive && !inclusive));
            if tighter {
                self.high = Some(new);
            }
        }
        if matches!(op, CompareOp::Ge | CompareOp::Gt | CompareOp::Eq) {
            let tighter =
                self.low.is_none_or(|l| ticks > l.ticks || (ticks == l.ticks && l.inclusive && !inclusive));
            if tighter {
                self.low = Some(new);
            }
        }
    }
}

/// The differences that conjuncts over the columns of `plan` demand, each pair of columns once, and what else they demand.
pub fn differences<'e>(
    query: &Query,
    plan: &Plan,
    conjuncts: impl IntoIterator<Item = &'e Expr>,
) -> (Vec<Difference>, Vec<&'e Expr>) {
    let mut found: Vec<Difference> = Vec::new();
    let mut rest = Vec::new();
    let mut work: Vec<&Expr> = conjuncts.into_iter().collect();
    work.reverse();
    while let Some(e) = work.pop() {
        if let ExprKind::And(operands) = &e.kind {
            work.extend(operands.iter().rev());
            continue;
        }
        match atoms(query, plan, e) {
            Some(atoms) => {
                for Atom { left, right, op, ticks } in atoms {
                    let mut new = Difference { left, right, low: None, high: None };
                    new.narrow(op, ticks);
                    add(&mut found, new);
                }
            }
            None => rest.push(e),
        }
    }
    (found, rest)
}

/// Adds what is demanded of two columns to what is known of them.
pub(super) fn add(found: &mut Vec<Difference>, new: Difference) {
    match found.iter_mut().find(|d| d.is_about(&new)) {
        Some(d) => d.meet(new),
        None => found.push(new),
    }
}

/// `left - right op ticks`.
struct Atom {
    left: ColId,
    right: ColId,
    op: CompareOp,
    ticks: i64,
}

fn atoms(query: &Query, plan: &Plan, e: &Expr) -> Option<Vec<Atom>> {
    let read = Reader { query, plan };
    match &e.kind {
        ExprKind::Compare(c) => {
            if let Some(atoms) = read.absolute(&c.left, c.op, &c.right) {
                return Some(atoms);
            }
            Some(vec![read.atom(&c.left, c.op, &c.right)?])
        }
        ExprKind::Between(b) => Some(vec![
            read.atom(&b.subject, CompareOp::Ge, &b.low)?,
            read.atom(&b.subject, CompareOp::Le, &b.high)?,
        ]),
        ExprKind::Literal(_)
        | ExprKind::Column(_)
        | ExprKind::Let(_)
        | ExprKind::Now
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::Not(_)
        | ExprKind::Match(_)
        | ExprKind::In(_)
        | ExprKind::InQuery(_)
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
        | ExprKind::Opaque(_) => None,
    }
}

/// The operator with its sides exchanged.
const fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        CompareOp::Eq => CompareOp::Eq,
        CompareOp::Ne => CompareOp::Ne,
    }
}

struct Reader<'r> {
    query: &'r Query,
    plan: &'r Plan,
}

/// A sum of times, each with its sign, and of ticks.
#[derive(Default)]
struct Sum {
    columns: Vec<(ColId, i64)>,
    ticks: i64,
}

/// Names that lead to names: more steps than this are nobody's.
const MAX_STEPS: u32 = 32;

impl Reader<'_> {
    fn atom(&self, left: &Expr, op: CompareOp, right: &Expr) -> Option<Atom> {
        if op == CompareOp::Ne {
            return None;
        }
        let mut sum = Sum::default();
        self.add(left, 1, &mut sum, MAX_STEPS)?;
        self.add(right, -1, &mut sum, MAX_STEPS)?;
        sum.columns.retain(|(_, sign)| *sign != 0);
        let (left, right) = match sum.columns.as_slice() {
            [(a, 1), (b, -1)] | [(b, -1), (a, 1)] => (*a, *b),
            _ => return None,
        };
        Some(Atom { left, right, op, ticks: sum.ticks.checked_neg()? })
    }

    /// `abs(a - b) <= length`.
    fn absolute(&self, left: &Expr, op: CompareOp, right: &Expr) -> Option<Vec<Atom>> {
        let (call, op, length) = match (&left.kind, &right.kind) {
            (ExprKind::Call(f, args), _) if f.name == "abs" => (args, op, right),
            (_, ExprKind::Call(f, args)) if f.name == "abs" => (args, mirrored(op), left),
            _ => return None,
        };
        if !matches!(op, CompareOp::Le | CompareOp::Lt) {
            return None;
        }
        let [difference] = call.as_slice() else { return None };
        let above = self.atom(difference, op, length)?;
        let below = Atom { op: mirrored(op), ticks: above.ticks.checked_neg()?, ..above };
        Some(vec![above, below])
    }

    fn add(&self, e: &Expr, sign: i64, sum: &mut Sum, steps: u32) -> Option<()> {
        let steps = steps.checked_sub(1)?;
        match &e.kind {
            ExprKind::Literal(Value::Timespan(ticks) | Value::Datetime(ticks)) => {
                sum.ticks = sum.ticks.checked_add(ticks.checked_mul(sign)?)?;
                Some(())
            }
            ExprKind::Column(id) => {
                // A column that the pipeline computed is what it was computed from.
                if let Some(Defined { expr, .. }) = local_definition(self.query, self.plan, *id)
                    && !matches!(expr.kind, ExprKind::Column(_))
                {
                    let mut inner = Sum { columns: sum.columns.clone(), ticks: sum.ticks };
                    if self.add(expr, sign, &mut inner, steps).is_some() {
                        *sum = inner;
                        return Some(());
                    }
                }
                match sum.columns.iter_mut().find(|(c, _)| c == id) {
                    Some((_, total)) => *total += sign,
                    None => sum.columns.push((*id, sign)),
                }
                Some(())
            }
            ExprKind::Let(id) => match &self.query.bindings.get(id.0 as usize)?.value {
                BindingValue::Scalar(e) => self.add(e, sign, sum, steps),
                BindingValue::Table { .. } => None,
            },
            ExprKind::Arithmetic(a) => match a.op {
                ArithmeticOp::Add => {
                    self.add(&a.left, sign, sum, steps)?;
                    self.add(&a.right, sign, sum, steps)
                }
                ArithmeticOp::Sub => {
                    self.add(&a.left, sign, sum, steps)?;
                    self.add(&a.right, -sign, sum, steps)
                }
                ArithmeticOp::Mul | ArithmeticOp::Div | ArithmeticOp::Mod => {
                    sum.ticks = sum.ticks.checked_add(constant(self.query, e, steps)?.checked_mul(sign)?)?;
                    Some(())
                }
            },
            ExprKind::Negate(e) => self.add(e, -sign, sum, steps),
            ExprKind::Literal(_)
            | ExprKind::Now
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_)
            | ExprKind::Call(..)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => None,
        }
    }
}

/// A constant length of time: a literal, a `let`, a sum, a product with a whole number (`2 * 1h`).
pub(super) fn constant(query: &Query, e: &Expr, steps: u32) -> Option<i64> {
    let steps = steps.checked_sub(1)?;
    match &e.kind {
        ExprKind::Literal(Value::Timespan(ticks)) => Some(*ticks),
        ExprKind::Let(id) => match &query.bindings.get(id.0 as usize)?.value {
            BindingValue::Scalar(e) => constant(query, e, steps),
            BindingValue::Table { .. } => None,
        },
        ExprKind::Negate(e) => constant(query, e, steps)?.checked_neg(),
        ExprKind::Arithmetic(a) => match a.op {
            ArithmeticOp::Add => {
                constant(query, &a.left, steps)?.checked_add(constant(query, &a.right, steps)?)
            }
            ArithmeticOp::Sub => {
                constant(query, &a.left, steps)?.checked_sub(constant(query, &a.right, steps)?)
            }
            ArithmeticOp::Mul => match (whole(query, &a.left), whole(query, &a.right)) {
                (Some(n), None) => constant(query, &a.right, steps)?.checked_mul(n),
                (None, Some(n)) => constant(query, &a.left, steps)?.checked_mul(n),
                (Some(_), Some(_)) | (None, None) => None,
            },
            ArithmeticOp::Div | ArithmeticOp::Mod => None,
        },
        ExprKind::Literal(_)
        | ExprKind::Column(_)
        | ExprKind::Now
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::Not(_)
        | ExprKind::Compare(_)
        | ExprKind::Match(_)
        | ExprKind::In(_)
        | ExprKind::InQuery(_)
        | ExprKind::Between(_)
        | ExprKind::IsNull(_)
        | ExprKind::IsEmpty(_)
        | ExprKind::Call(..)
        | ExprKind::Cast(_)
        | ExprKind::Member(..)
        | ExprKind::Index(..)
        | ExprKind::Case(..)
        | ExprKind::Subquery(_)
        | ExprKind::Opaque(_) => None,
    }
}

fn whole(query: &Query, e: &Expr) -> Option<i64> {
    match &e.kind {
        ExprKind::Literal(Value::Int(n)) => Some(i64::from(*n)),
        ExprKind::Literal(Value::Long(n)) => Some(*n),
        ExprKind::Let(id) => match &query.bindings.get(id.0 as usize)?.value {
            BindingValue::Scalar(Expr { kind: ExprKind::Literal(Value::Int(n)), .. }) => Some(i64::from(*n)),
            BindingValue::Scalar(Expr { kind: ExprKind::Literal(Value::Long(n)), .. }) => Some(*n),
            BindingValue::Scalar(_) | BindingValue::Table { .. } => None,
        },
        _ => None,
    }
}
