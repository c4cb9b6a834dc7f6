//! What a test asks of the values that it looks at.
//!
//! In: a condition that is to hold, or not. Out: wishes at the columns that it reads, followed back through expressions to
//! where the values come from. What cannot be followed back is left for later, when the other values are known.

use super::maker::{ATOM, BRANCH, Def, Inst, Late, Maker, NEEDLE, key};
use super::store::NodeId;
use super::wish::{Needle, Test, Wish};
use ruleferry_eval::Value;
use ruleferry_ir::{
    BindingValue, ColId, CompareOp, Expr, ExprKind, InValues, Json, MatchKind, MatchValue, MatchValues,
    Missing, Plan, Quantifier, StringMatch, Subject, Type,
};

/// The elements of an array, else the value.
pub(super) fn spread(value: Value) -> Vec<Value> {
    let plain = |json: &Json| match json {
        Json::String(s) => Value::String(s.clone()),
        Json::Long(n) => Value::Long(*n),
        Json::Real(x) => Value::Real(*x),
        Json::Bool(b) => Value::Bool(*b),
        Json::Datetime(t) => Value::Datetime(*t),
        Json::Timespan(t) => Value::Timespan(*t),
        Json::Null | Json::Array(_) | Json::Object(_) => Value::of_json(json),
    };
    match value.as_json() {
        Some(Json::Array(items)) => items.iter().map(plain).collect(),
        Some(json) => vec![plain(json)],
        None => vec![value],
    }
}

impl<'q> Maker<'q, '_, '_> {
    /// `e` is to hold, or not to.
    pub fn goal(&mut self, e: &'q Expr, inst: Inst, want: bool) {
        if self.budget == 0 {
            return;
        }
        self.budget -= 1;
        match &e.kind {
            ExprKind::And(es) | ExprKind::Or(es) => {
                let at = key(e, inst, ATOM);
                self.trace.atoms.insert(at);
                let want = want != self.guide.flips.contains(&at);
                if matches!(e.kind, ExprKind::And(_)) == want {
                    es.iter().for_each(|e| self.goal(e, inst, want));
                } else {
                    let at = self.choose(key(e, inst, BRANCH), es.len());
                    for (n, branch) in es.iter().enumerate() {
                        if n == at {
                            self.goal(branch, inst, want);
                        } else if self.guide.strict {
                            self.goal(branch, inst, !want);
                        }
                    }
                }
            }
            ExprKind::Not(inner) => self.goal(inner, inst, !want),
            ExprKind::Column(id) => match self.def(inst, *id) {
                Some(Def::Expr(inner, i, 0)) => self.goal(inner, i, want),
                _ => self.atom(e, inst, want),
            },
            ExprKind::Let(id) => match self.binding(*id) {
                Some(inner) => self.goal(inner, inst, want),
                None => self.store.conflicts += 1,
            },
            ExprKind::Cast(c) if c.expr.ty == Type::Bool => self.goal(&c.expr, inst, want),
            ExprKind::Literal(_)
            | ExprKind::Now
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
            | ExprKind::Opaque(_) => self.atom(e, inst, want),
        }
    }

    pub fn binding(&self, id: ruleferry_ir::BindingId) -> Option<&'q Expr> {
        match self.known.query.bindings.get(id.0 as usize).map(|b| &b.value) {
            Some(BindingValue::Scalar(e)) => Some(e),
            Some(BindingValue::Table { .. }) | None => None,
        }
    }

    pub(super) fn atom(&mut self, e: &'q Expr, inst: Inst, want: bool) {
        if let Some(value) = self.constant(e) {
            self.store.conflicts += u32::from((value.as_bool() == Some(true)) != want);
            return;
        }
        let at = key(e, inst, ATOM);
        self.trace.atoms.insert(at);
        self.trace.leaves.insert(at);
        if let Some(which) = self.guide.near.get(&at).copied()
            && self.beside(e, inst, which)
        {
            return;
        }
        let want = want != self.guide.flips.contains(&at);
        if !self.leaf(e, inst, want) {
            self.late.push(Late::Opaque { e, inst, want });
        }
    }

    /// Whether the test could be followed back.
    pub(super) fn leaf(&mut self, e: &'q Expr, inst: Inst, want: bool) -> bool {
        match &e.kind {
            ExprKind::Compare(c) => {
                let op = c.op;
                if let Some(value) = self.fixed(&c.right, inst) {
                    self.compare(&c.left, inst, op, value, want, c.missing)
                } else if let Some(value) = self.fixed(&c.left, inst) {
                    self.compare(&c.right, inst, op.flipped(), value, want, c.missing)
                } else {
                    if (op == CompareOp::Eq && want || op == CompareOp::Ne && !want)
                        && let (Some(a), Some(b)) =
                            (self.node_of(&c.left, inst), self.node_of(&c.right, inst))
                    {
                        self.store.unite(a, b);
                        return true;
                    }
                    // So that both are there.
                    self.node_of(&c.left, inst);
                    self.node_of(&c.right, inst);
                    self.late.push(Late::Compare {
                        op,
                        left: (&c.left, inst),
                        right: (&c.right, inst),
                        not: !want,
                    });
                    true
                }
            }
            ExprKind::Match(m) => self.matched(e, m, inst, want),
            ExprKind::In(i) => {
                let values = match &i.values {
                    InValues::List(es) => {
                        let mut known: Vec<Value> = Vec::new();
                        for e in es {
                            known.extend(self.fixed(e, inst));
                        }
                        if known.len() < es.len() {
                            return false;
                        }
                        known
                    }
                    InValues::Dynamic(list) => match self.fixed(list, inst) {
                        Some(v) => spread(v),
                        None => return self.in_array(&i.subject, list, inst, want),
                    },
                };
                let chosen = if want { self.choose(key(e, inst, NEEDLE), values.len()) } else { 0 };
                if values.is_empty() {
                    self.store.conflicts += u32::from(want);
                    return true;
                }
                let ty = read_type(i.subject.ty, values.first());
                let wish =
                    Wish::new(Test::Equal(values.into(), chosen), ty).negated(!want).missing(i.missing);
                self.wish(&i.subject, inst, wish)
            }
            ExprKind::InQuery(i) => self.in_plan(&i.subject, &i.plan, inst, want),
            ExprKind::Between(b) => {
                let (low, high) = (self.fixed(&b.low, inst), self.fixed(&b.high, inst));
                let which = if want { 2 } else { self.choose(key(e, inst, BRANCH), 2) };
                let mut done = true;
                if which != 1 {
                    let op = if want { CompareOp::Ge } else { CompareOp::Lt };
                    done &= match low {
                        Some(v) => self.compare(&b.subject, inst, op, v, true, Missing::Null),
                        None => {
                            self.late.push(Late::Compare {
                                op,
                                left: (&b.subject, inst),
                                right: (&b.low, inst),
                                not: false,
                            });
                            true
                        }
                    };
                }
                if which != 0 {
                    let op = if want { CompareOp::Le } else { CompareOp::Gt };
                    done &= match high {
                        Some(v) => self.compare(&b.subject, inst, op, v, true, Missing::Null),
                        None => {
                            self.late.push(Late::Compare {
                                op,
                                left: (&b.subject, inst),
                                right: (&b.high, inst),
                                not: false,
                            });
                            true
                        }
                    };
                }
                done
            }
            ExprKind::IsNull(inner) => self.wish(inner, inst, Wish::new(Test::Null, inner.ty).negated(!want)),
            ExprKind::IsEmpty(inner) => {
                self.wish(inner, inst, Wish::new(Test::Empty, inner.ty).negated(!want))
            }
            ExprKind::Case(..)
            | ExprKind::Column(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Cast(_)
            | ExprKind::Subquery(_) => self.wish(e, inst, Wish::equals(Value::Bool(want), Type::Bool)),
            ExprKind::Call(f, args) => match (f.name, args.as_slice()) {
                ("set_has_element", [array, value]) => match self.constant(value) {
                    Some(v) if want => self.wish_each(array, inst, Wish::equals(v, value.ty)),
                    Some(_) => true,
                    None => false,
                },
                _ => self.wish(e, inst, Wish::equals(Value::Bool(want), Type::Bool)),
            },
            ExprKind::Literal(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Opaque(_) => false,
        }
    }

    pub(super) fn compare(
        &mut self,
        e: &'q Expr,
        inst: Inst,
        op: CompareOp,
        value: Value,
        want: bool,
        missing: Missing,
    ) -> bool {
        if value.is_null() {
            return false;
        }
        let ty = read_type(e.ty, Some(&value));
        let (test, not) = match op {
            CompareOp::Eq => (Test::Equal([value].into(), 0), false),
            CompareOp::Ne => (Test::Equal([value].into(), 0), true),
            CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => (Test::Order(op, value), false),
        };
        self.wish(e, inst, Wish::new(test, ty).negated(not).negated(!want).missing(missing))
    }

    pub(super) fn matched(&mut self, e: &'q Expr, m: &'q StringMatch, inst: Inst, want: bool) -> bool {
        let mut needles: Vec<Needle> = Vec::new();
        match &m.values {
            MatchValues::List(list) => {
                for value in list {
                    match value {
                        MatchValue::Glob(parts) => needles.push(Needle::Glob(parts.clone().into())),
                        MatchValue::Expr(x) => match self.fixed(x, inst) {
                            Some(v) => needles.push(Needle::Text(super::wish::text_of(&v))),
                            None => {
                                let other = match &m.subject {
                                    Subject::Expr(s) if m.kind == MatchKind::Equals => Some(s),
                                    _ => None,
                                };
                                if let (Some(s), true) = (other, want)
                                    && let (Some(a), Some(b)) = (self.node_of(s, inst), self.node_of(x, inst))
                                {
                                    self.store.unite(a, b);
                                    return true;
                                }
                                return false;
                            }
                        },
                    }
                }
            }
            MatchValues::Dynamic(list) => match (self.fixed(list, inst), &m.subject) {
                (Some(v), _) => {
                    needles.extend(spread(v).iter().map(|v| Needle::Text(super::wish::text_of(v))));
                }
                (None, Subject::Expr(s)) => return self.in_array(s, list, inst, want),
                (None, Subject::AnyColumn | Subject::Event) => return false,
            },
            MatchValues::Query(plan) => {
                return match &m.subject {
                    Subject::Expr(s) => self.in_plan(s, plan, inst, want),
                    Subject::AnyColumn | Subject::Event => false,
                };
            }
        }
        if needles.is_empty() {
            self.store.conflicts += u32::from((m.quantifier == Quantifier::All) != want);
            return true;
        }
        let needles: std::rc::Rc<[Needle]> = needles.into();
        let test = |needles: std::rc::Rc<[Needle]>, chosen: usize| Test::Text {
            kind: m.kind,
            case: m.case,
            needles,
            chosen,
        };
        let count = needles.len();
        let wishes: Vec<Wish> = match (m.quantifier, want) {
            (Quantifier::Any, true) => {
                let chosen = self.choose(key(e, inst, NEEDLE), count);
                vec![Wish::new(test(needles, chosen), Type::String)]
            }
            (Quantifier::Any, false) => vec![Wish::new(test(needles, 0), Type::String).negated(true)],
            (Quantifier::All, true) => {
                needles.iter().map(|n| Wish::new(test([n.clone()].into(), 0), Type::String)).collect()
            }
            (Quantifier::All, false) => {
                let chosen = self.choose(key(e, inst, NEEDLE), count);
                let one = needles.get(chosen).cloned();
                one.into_iter().map(|n| Wish::new(test([n].into(), 0), Type::String).negated(true)).collect()
            }
        };
        let mut done = true;
        for wish in wishes {
            let wish = wish.missing(m.missing);
            done &= match &m.subject {
                Subject::Expr(s) => self.wish(s, inst, wish),
                // A text somewhere in the row; that there is none anywhere cannot be asked for.
                Subject::AnyColumn | Subject::Event => match (want, self.some_text(e, &m.subject, inst)) {
                    (false, _) => true,
                    (true, Some(node)) => {
                        self.store.wish(node, wish);
                        true
                    }
                    (true, None) => false,
                },
            };
        }
        done
    }

    /// A text column of the row at hand.
    pub(super) fn some_text(&mut self, e: &'q Expr, subject: &Subject, inst: Inst) -> Option<NodeId> {
        let (plan, at) = *self.scope.last()?;
        let texts: Vec<ColId> =
            plan.output.iter().copied().filter(|id| self.ty(*id) == Type::String).collect();
        let raw = texts.iter().position(|id| self.known.query.columns.name(*id) == "_raw");
        let event = matches!(subject, Subject::Event);
        let chosen = match raw {
            Some(at) if event => at,
            _ => self.choose(key(e, inst, BRANCH), texts.len().min(12)),
        };
        match texts.get(chosen) {
            Some(id) => self.node_of_column(at, *id),
            None => {
                // A row whose columns nobody knows.
                let template = *self.rows.last()?.templates.first()?;
                Some(self.store.column(template, "_raw", Type::String))
            }
        }
    }

    pub(super) fn in_array(&mut self, subject: &'q Expr, list: &'q Expr, inst: Inst, want: bool) -> bool {
        if !want {
            return true;
        }
        match (self.node_of(subject, inst), self.node_each(list, inst)) {
            (Some(a), Some(b)) => {
                self.store.unite(a, b);
                self.store.wish(a, Wish::present());
                true
            }
            _ => false,
        }
    }

    /// The value is one of a plan's first column.
    pub(super) fn in_plan(&mut self, subject: &'q Expr, plan: &'q Plan, inst: Inst, want: bool) -> bool {
        if !want {
            self.node_of(subject, inst);
            return true;
        }
        let inner = self.fresh();
        let share = std::mem::replace(&mut self.share, false);
        let built = self.plan(plan, inner);
        self.share = share;
        drop(built);
        let Some(first) = plan.output.first() else { return false };
        let Some(node) = self.node_of(subject, inst) else { return false };
        match self.node_of_column(inner, *first) {
            Some(other) => {
                self.store.unite(node, other);
                self.store.wish(node, Wish::present());
                true
            }
            None => match self.def(inner, *first) {
                Some(Def::Const(v)) => {
                    self.store.wish(node, Wish::equals(v, subject.ty));
                    true
                }
                Some(Def::Expr(e, i, part)) => match self.eval(e, i, part) {
                    Some(v) => {
                        self.store.wish(node, Wish::equals(v, subject.ty));
                        true
                    }
                    None => false,
                },
                _ => false,
            },
        }
    }
}

/// The type in which a comparison with a constant looks at a value.
pub(super) fn read_type(ty: Type, value: Option<&Value>) -> Type {
    match (ty, value) {
        (Type::Dynamic | Type::Unknown, Some(v)) => super::value_type(v),
        (ty, _) => ty,
    }
}
