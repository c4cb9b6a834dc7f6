//! `join` and `lookup`.

use super::param;
use crate::lift::Lifter;
use crate::lift::scope::{Env, Origins, Rel, name_hash};
use crate::syntax::tree::{self, BinaryOp, ExprKind, JoinCondition};
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::{ColId, Join, JoinKey, JoinKind, Op, Plan, SelectItem, Type};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

/// Spellings of the kinds.
const KINDS: [(&str, JoinKind); 14] = [
    ("innerunique", JoinKind::InnerUnique),
    ("inner", JoinKind::Inner),
    ("leftouter", JoinKind::LeftOuter),
    ("rightouter", JoinKind::RightOuter),
    ("fullouter", JoinKind::FullOuter),
    ("leftsemi", JoinKind::LeftSemi),
    ("rightsemi", JoinKind::RightSemi),
    ("leftanti", JoinKind::LeftAnti),
    ("leftantisemi", JoinKind::LeftAnti),
    ("anti", JoinKind::LeftAnti),
    ("rightanti", JoinKind::RightAnti),
    ("rightantisemi", JoinKind::RightAnti),
    ("semi", JoinKind::LeftSemi),
    ("outer", JoinKind::FullOuter),
];

/// Which columns a kind gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sides {
    Left,
    Right,
    Both,
}

const fn sides(kind: JoinKind) -> Sides {
    match kind {
        JoinKind::Inner
        | JoinKind::InnerUnique
        | JoinKind::LeftOuter
        | JoinKind::RightOuter
        | JoinKind::FullOuter => Sides::Both,
        JoinKind::LeftSemi | JoinKind::LeftAnti => Sides::Left,
        JoinKind::RightSemi | JoinKind::RightAnti => Sides::Right,
    }
}

impl<'t> Lifter<'t> {
    pub(super) fn join(
        &mut self,
        left: Rel,
        join: &'t tree::Join,
        lookup: bool,
        span: Span,
        env: Env,
    ) -> Rel {
        let right = self.table(&join.right, env);
        let word = param(&join.params, "kind").map(|p| self.param_text(p));
        let default = if lookup { JoinKind::LeftOuter } else { JoinKind::InnerUnique };
        let kind = match &word {
            None => default,
            Some(word) => match KINDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)) {
                Some((_, kind)) => *kind,
                None => {
                    self.error(codes::BAD_JOIN_CONDITION, span, format!("`{word}` is no kind of join"));
                    default
                }
            },
        };
        let mut on = Vec::new();
        match &join.condition {
            JoinCondition::On(conditions) => {
                for condition in conditions {
                    self.join_condition(condition, &left, &right, &mut on);
                }
            }
            JoinCondition::Where(condition) => self.join_condition(condition, &left, &right, &mut on),
            JoinCondition::None => {
                self.error(codes::BAD_JOIN_CONDITION, span, "the join does not say which columns it is on");
            }
        }
        let hints = join
            .params
            .iter()
            .filter(|p| p.name.text.starts_with("hint."))
            .map(|p| (p.name.text.clone(), self.param_text(&p.value)))
            .collect();
        let (output, right_output) = self.join_output(kind, lookup, &left, &right, &on);
        let origins = join_origins(kind, &left, &right);
        let depth = left.depth.max(right.depth) + 1;
        let explicit = word.is_some();
        let join =
            Join { kind, lookup, explicit, left: left.plan, right: right.plan, on, right_output, hints };
        Rel { plan: Plan::new(Op::Join(join), output, span), origins, ordered: false, depth }
    }

    fn join_output(
        &mut self,
        kind: JoinKind,
        lookup: bool,
        left: &Rel,
        right: &Rel,
        on: &[JoinKey],
    ) -> (Vec<ColId>, Vec<SelectItem>) {
        match sides(kind) {
            Sides::Left => (left.plan.output.to_vec(), Vec::new()),
            Sides::Right => {
                let items = right.plan.output.iter().map(|id| SelectItem { from: *id, to: *id }).collect();
                (right.plan.output.to_vec(), items)
            }
            Sides::Both => {
                let mut output = left.plan.output.to_vec();
                let mut items = Vec::with_capacity(right.plan.output.len());
                let mut taken: FxHashSet<u32> = left.plan.output.iter().map(|id| self.hash_of(*id)).collect();
                let left_names = taken.clone();
                let dropped = |id: &ColId| lookup && on.iter().any(|k| k.right == *id);
                taken.extend(right.plan.output.iter().filter(|id| !dropped(id)).map(|id| self.hash_of(*id)));
                for from in right.plan.output.iter().copied().filter(|id| !dropped(id)) {
                    let to = if left_names.contains(&self.hash_of(from)) {
                        self.suffixed_column(from, &mut taken)
                    } else {
                        from
                    };
                    output.push(to);
                    items.push(SelectItem { from, to });
                }
                (output, items)
            }
        }
    }

    /// A right column whose name the left side has: with the first number that no column has.
    fn suffixed_column(&mut self, from: ColId, taken: &mut FxHashSet<u32>) -> ColId {
        let (name, ty) = (SmolStr::new(self.columns.name(from)), self.columns.ty(from));
        let mut n = 1u32;
        loop {
            let candidate = SmolStr::from(format!("{name}{n}"));
            if taken.insert(name_hash(&candidate)) {
                let id = self.add_column(candidate, ty, Span::default());
                self.same_origin(id, from);
                return id;
            }
            n += 1;
        }
    }

    /// `x`, `$left.a == $right.b`, or several joined by `and`.
    fn join_condition(&mut self, e: &'t tree::Expr, left: &Rel, right: &Rel, on: &mut Vec<JoinKey>) {
        let span = e.span.0;
        match &e.kind {
            ExprKind::Name(name) => {
                let l = self.column_of(left, name, span);
                let r = self.column_of(right, name, span);
                if let (Some(l), Some(r)) = (l, r) {
                    self.join_key(l, r, on);
                }
            }
            ExprKind::And(conditions) => {
                for condition in conditions {
                    self.join_condition(condition, left, right, on);
                }
            }
            ExprKind::Binary(binary) if binary.op == BinaryOp::Eq => {
                let sides = match (side(&binary.left), side(&binary.right)) {
                    (Some((true, a)), Some((false, b))) => Some((a, b)),
                    (Some((false, b)), Some((true, a))) => Some((a, b)),
                    _ => None,
                };
                match sides {
                    Some((a, b)) => {
                        let l = self.column_of(left, &a.text, a.span.0);
                        let r = self.column_of(right, &b.text, b.span.0);
                        if let (Some(l), Some(r)) = (l, r) {
                            self.join_key(l, r, on);
                        }
                    }
                    None => self.bad_condition(span),
                }
            }
            _ => self.bad_condition(span),
        }
    }

    fn bad_condition(&mut self, span: Span) {
        let message = format!("`{}` is no condition that a join can have", self.text(span));
        let help = "a join is on columns of both sides: `on Name`, or `on $left.a == $right.b`";
        self.diagnose(Diagnostic::error(codes::BAD_JOIN_CONDITION, span, message).with_help(help));
    }

    /// The types of the two columns must agree; a learned one takes that of the other.
    fn join_key(&mut self, left: ColId, right: ColId, on: &mut Vec<JoinKey>) {
        let (l, r) = (self.columns.ty(left), self.columns.ty(right));
        if l != r {
            if l == Type::Unknown {
                let e = self.column_expr(left, Span::default());
                self.hint(&e, r);
            } else if r == Type::Unknown {
                let e = self.column_expr(right, Span::default());
                self.hint(&e, l);
            } else if !self.retype_learned(right, l) {
                self.retype_learned(left, r);
            }
        }
        on.push(JoinKey { left, right });
    }
}

/// `$left.name` (true) or `$right.name` (false).
fn side(e: &tree::Expr) -> Option<(bool, &tree::Name)> {
    let ExprKind::Path { base, name } = &e.kind else { return None };
    match &base.kind {
        ExprKind::Name(side) if side == "$left" => Some((true, name)),
        ExprKind::Name(side) if side == "$right" => Some((false, name)),
        _ => None,
    }
}

/// An unknown name after a join is a column of the left side if that is open, else of the right one.
fn join_origins(kind: JoinKind, left: &Rel, right: &Rel) -> Origins {
    match sides(kind) {
        Sides::Left => left.origins.clone(),
        Sides::Right => right.origins.clone(),
        Sides::Both => {
            let pick = |l: &Vec<_>, r: &Vec<_>| if l.is_empty() { r.clone() } else { l.clone() };
            Origins {
                open: pick(&left.origins.open, &right.origins.open),
                closed: pick(&left.origins.closed, &right.origins.closed),
                suffixed: if right.origins.open.is_empty() {
                    left.origins.suffixed.clone()
                } else {
                    right.origins.open.clone()
                },
            }
        }
    }
}
