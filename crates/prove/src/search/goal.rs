//! What a test asks of the values that it looks at.
//!
//! In: a condition that is to hold, or not. Out: wishes at the columns that it reads, followed back through expressions to
//! where the values come from. What cannot be followed back is left for later, when the other values are known.

use super::build::{ATOM, BRANCH, Def, Inst, Late, Maker, NEEDLE, key};
use super::store::{NodeId, Piece, Shape};
use super::wish::{Needle, Test, Wish, holds};
use ruleferry_eval::Value;
use ruleferry_ir::{
    AggregateCall, AggregateItem, ArithmeticOp, BindingValue, ColId, CompareOp, Expr, ExprKind, InValues,
    Json, MatchKind, MatchValue, MatchValues, Missing, Plan, Quantifier, StringMatch, Subject,
    TICKS_PER_SECOND, Type,
};
use smol_str::{SmolStr, format_smolstr};

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

    fn atom(&mut self, e: &'q Expr, inst: Inst, want: bool) {
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

    /// A value that is what a test looks for, or nearly: the number `which` of such.
    fn beside(&mut self, e: &'q Expr, inst: Inst, which: usize) -> bool {
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

    fn near_wish(&mut self, subject: &'q Expr, inst: Inst, value: &Value, which: usize) -> bool {
        let ty = read_type(subject.ty, Some(value));
        let near = super::vary::near(value, ty);
        let Some(value) = std::iter::once(value.clone()).chain(near).nth(which) else { return false };
        if value.is_null() {
            return self.wish(subject, inst, Wish::new(Test::Null, ty));
        }
        self.wish(subject, inst, Wish::equals(value, ty))
    }

    /// Two texts that differ in case only, or not at all.
    fn in_another_case(&mut self, nodes: (Option<NodeId>, Option<NodeId>), which: usize) -> bool {
        let (Some(a), Some(b)) = nodes else { return false };
        let texts = match which {
            0 => ("Alpha", "Alpha"),
            1 => ("alpha", "ALPHA"),
            2 => ("alpha bravo", "alpha"),
            3 => ("xalpha", "alpha"),
            4 => ("alphax", "alpha"),
            _ => return false,
        };
        self.store.wish(a, Wish::equals(Value::string(texts.0), Type::String));
        self.store.wish(b, Wish::equals(Value::string(texts.1), Type::String));
        true
    }

    /// The same for a value and one of a plan's first column.
    fn nearly_in_plan(&mut self, subject: &'q Expr, plan: &'q Plan, inst: Inst, which: usize) -> bool {
        let inner = self.fresh();
        let share = std::mem::replace(&mut self.share, false);
        self.plan(plan, inner);
        self.share = share;
        let Some(first) = plan.output.first() else { return false };
        let nodes = (self.node_of(subject, inst), self.node_of_column(inner, *first));
        self.in_another_case(nodes, which)
    }

    /// Whether the test could be followed back.
    fn leaf(&mut self, e: &'q Expr, inst: Inst, want: bool) -> bool {
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

    fn compare(
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

    fn matched(&mut self, e: &'q Expr, m: &'q StringMatch, inst: Inst, want: bool) -> bool {
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
    fn some_text(&mut self, e: &'q Expr, subject: &Subject, inst: Inst) -> Option<NodeId> {
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

    fn in_array(&mut self, subject: &'q Expr, list: &'q Expr, inst: Inst, want: bool) -> bool {
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
    fn in_plan(&mut self, subject: &'q Expr, plan: &'q Plan, inst: Inst, want: bool) -> bool {
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

    pub fn node_of_column(&mut self, inst: Inst, id: ColId) -> Option<NodeId> {
        match self.def(inst, id)? {
            Def::Column(template, name, ty) => Some(self.store.column(template, &name, ty)),
            Def::Node(node) => Some(node),
            Def::Expr(e, i, 0) => self.node_of(e, i),
            Def::Each(e, i) => self.node_each(e, i),
            Def::Made(group, item, part) => {
                let (e, world) = self.passed(item, part)?;
                let _ = world;
                let inst = self.groups.get(group)?.worlds.first()?.inst;
                self.node_of(e, inst)
            }
            Def::Expr(..) | Def::Const(_) | Def::Same(..) => None,
        }
    }

    /// The argument whose value an aggregate gives on.
    pub fn passed(&self, item: &'q AggregateItem, part: usize) -> Option<(&'q Expr, usize)> {
        match &item.call {
            AggregateCall::Function(f, args) => match f.name {
                "count"
                | "countif"
                | "dcount"
                | "dcountif"
                | "count_distinct"
                | "count_distinctif"
                | "hll"
                | "hll_if"
                | "hll_merge"
                | "tdigest"
                | "tdigest_merge"
                | "binary_all_or"
                | "binary_all_and"
                | "binary_all_xor"
                | "make_bag"
                | "make_bag_if"
                | "buildschema"
                | "make_list"
                | "make_set"
                | "make_list_if"
                | "make_set_if"
                | "make_list_with_nulls"
                | "stdev"
                | "stdevif"
                | "stdevp"
                | "variance"
                | "varianceif"
                | "variancep"
                | "covariance"
                | "covariancep" => None,
                _ => args.first().map(|a| (a, part)),
            },
            AggregateCall::ArgExtreme { by, returned, .. } => {
                let extra = usize::from(item.ids.len() > returned.len());
                if extra == 1 && part == 0 {
                    Some((by, 0))
                } else {
                    returned.get(part - extra).map(|e| (e, 0))
                }
            }
            AggregateCall::TakeAny { returned, .. } => returned.get(part).map(|e| (e, 0)),
            AggregateCall::Composed { .. } => None,
        }
    }

    /// The node whose value an expression has, up to a conversion.
    pub fn node_of(&mut self, e: &'q Expr, inst: Inst) -> Option<NodeId> {
        if self.budget == 0 || self.node_depth > 200 {
            return None;
        }
        self.budget -= 1;
        // A column may be defined by itself (a cast that keeps the id).
        self.node_depth += 1;
        let node = self.node_within(e, inst);
        self.node_depth -= 1;
        node
    }

    fn node_within(&mut self, e: &'q Expr, inst: Inst) -> Option<NodeId> {
        match &e.kind {
            ExprKind::Column(id) => self.node_of_column(inst, *id),
            ExprKind::Let(id) => self.binding(*id).and_then(|e| self.node_of(e, inst)),
            ExprKind::Cast(c) => self.node_of(&c.expr, inst),
            ExprKind::Member(base, name) => match &base.kind {
                ExprKind::Call(f, args) => self.member_of_call(f.name, args, name, inst),
                ExprKind::Column(_) | ExprKind::Let(_) => match self.called(base, inst) {
                    Some((f, args, i)) => self.member_of_call(f, args, name, i).or_else(|| {
                        let base = self.node_of(base, inst)?;
                        Some(self.store.member(base, name))
                    }),
                    None => {
                        let base = self.node_of(base, inst)?;
                        Some(self.store.member(base, name))
                    }
                },
                _ => {
                    let base = self.node_of(base, inst)?;
                    Some(self.store.member(base, name))
                }
            },
            ExprKind::Index(base, index) => {
                let index = self.constant(index);
                if let (Some((name, args, i)), Some(at)) = (self.called(base, inst), index.as_ref()) {
                    match (name, args) {
                        ("split", [text, by, ..]) => {
                            let n = at.as_long()?;
                            return self.split_part(text, by, i, usize::try_from(n.max(0)).ok()?);
                        }
                        ("parse_command_line", [text, ..]) => {
                            let n = usize::try_from(at.as_long()?).ok()?;
                            let text = self.node_of(text, i)?;
                            let parts = self.split_of(text, " ", n + 1);
                            self.store.shape_split(text, " ", &parts);
                            return parts.get(n).copied();
                        }
                        ("pack_array" | "pack_dictionary", _) => {
                            let n = usize::try_from(at.as_long()?).ok()?;
                            return args.get(n).and_then(|a| self.node_of(a, i));
                        }
                        ("extract_all", _) => {}
                        _ => {
                            if let Value::String(s) = at {
                                return self.member_of_call(name, args, s, i);
                            }
                        }
                    }
                }
                if let Some(Value::String(s)) = &index {
                    let base = self.node_of(base, inst)?;
                    return Some(self.store.member(base, s));
                }
                let at = index.and_then(|v| v.as_long()).map_or(0, |n| usize::try_from(n).unwrap_or(0));
                if at == 0 {
                    return self.node_each(base, inst);
                }
                let base = self.node_of(base, inst)?;
                Some(self.store.element(base, at.min(60)))
            }
            ExprKind::Call(f, args) => self.node_of_call(f.name, args, inst),
            ExprKind::Case(branches, otherwise) => {
                // Any branch that gives a value on.
                let at = self.choose(key(e, inst, BRANCH), branches.len() + 1);
                let order: Vec<usize> =
                    (0..=branches.len()).map(|n| (n + at) % (branches.len() + 1)).collect();
                for n in order {
                    let value = branches.get(n).map_or(&**otherwise, |(_, v)| v);
                    if self.constant(value).is_some() {
                        continue;
                    }
                    if let Some(node) = self.node_of(value, inst) {
                        self.take_branch(branches, n, inst);
                        return Some(node);
                    }
                }
                None
            }
            ExprKind::Subquery(plan) => {
                let inner = self.subquery(plan)?;
                self.node_of_column(inner, *plan.output.first()?)
            }
            ExprKind::Negate(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Literal(_)
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
            | ExprKind::Opaque(_) => None,
        }
    }

    fn take_branch(&mut self, branches: &'q [(Expr, Expr)], at: usize, inst: Inst) {
        for (n, (condition, _)) in branches.iter().enumerate().take(at + 1) {
            self.goal(condition, inst, n == at);
        }
    }

    fn subquery(&mut self, plan: &'q Plan) -> Option<Inst> {
        let at = (u32::MAX, *plan.output.first()?);
        if let Some(Def::Same(inst, _)) = self.defs.get(&at) {
            return Some(*inst);
        }
        let inner = self.fresh();
        let share = std::mem::replace(&mut self.share, false);
        self.plan(plan, inner);
        self.share = share;
        self.defs.insert(at, Def::Same(inner, at.1));
        Some(inner)
    }

    /// The call that an expression is, through columns.
    fn called(&mut self, e: &'q Expr, inst: Inst) -> Option<(&'static str, &'q [Expr], Inst)> {
        match &e.kind {
            ExprKind::Call(f, args) => match (f.name, args.as_slice()) {
                ("parse_json" | "todynamic", [inner]) => {
                    let found = self.called(inner, inst);
                    found.or(Some((f.name, args, inst)))
                }
                _ => Some((f.name, args, inst)),
            },
            ExprKind::Cast(c) => self.called(&c.expr, inst),
            ExprKind::Let(id) => self.binding(*id).and_then(|e| self.called(e, inst)),
            ExprKind::Column(id) => match self.def(inst, *id) {
                Some(Def::Expr(e, i, 0)) => self.called(e, i),
                _ => None,
            },
            _ => None,
        }
    }

    fn member_of_call(&mut self, name: &str, args: &'q [Expr], member: &str, inst: Inst) -> Option<NodeId> {
        match (name, args) {
            ("bag_pack" | "pack_dictionary" | "pack", _) => {
                let at = args.chunks(2).find(|pair| {
                    pair.first()
                        .and_then(|k| self.constant(k))
                        .is_some_and(|k| super::wish::text_of(&k) == member)
                })?;
                at.get(1).and_then(|v| self.node_of(v, inst))
            }
            ("parse_url", [url]) => {
                let url = self.node_of(url, inst)?;
                let parts = self.split_of(url, "url", 4);
                let at = match member {
                    "Scheme" => 0,
                    "Host" => 1,
                    "Path" => 2,
                    _ => 3,
                };
                if !self.store.is_asked(url) {
                    let text = |t: &'static str| Piece::Text(SmolStr::new_static(t));
                    let hole = |n: usize| Piece::Hole(parts.get(n).copied().unwrap_or(url));
                    let pieces = vec![text("https://"), hole(1), text("/"), hole(2), text("?"), hole(3)];
                    self.store.shape(url, Shape { pieces, first: true });
                }
                parts.get(at).copied()
            }
            _ => {
                let base = self.node_of_call(name, args, inst)?;
                Some(self.store.member(base, member))
            }
        }
    }

    fn split_of(&mut self, text: NodeId, by: &str, count: usize) -> Vec<NodeId> {
        let root = self.store.root(text);
        let at = (root, SmolStr::new(by));
        let mut parts = self.store.splits.get(&at).cloned().unwrap_or_default();
        while parts.len() < count.min(60) {
            let part = self.store.node("", Type::String);
            parts.push(part);
        }
        self.store.splits.insert(at, parts.clone());
        parts
    }

    /// A part of a text that is split.
    fn split_part(&mut self, text: &'q Expr, by: &'q Expr, inst: Inst, at: usize) -> Option<NodeId> {
        let by = super::wish::text_of(&self.constant(by)?);
        let text = self.node_of(text, inst)?;
        let parts = self.split_of(text, &by, at + 1);
        self.store.shape_split(text, &by, &parts);
        parts.get(at).copied()
    }

    fn node_of_call(&mut self, name: &str, args: &'q [Expr], inst: Inst) -> Option<NodeId> {
        match (name, args) {
            ("extract", [pattern, group, text, ..]) => {
                let pattern = super::wish::text_of(&self.constant(pattern)?);
                let group = self.constant(group)?.as_long()?;
                let text = self.node_of(text, inst)?;
                self.captured(text, &pattern, u32::try_from(group).ok()?)
            }
            ("extract_all", _) => None,
            ("extract_json" | "extractjson", [path, json, ..]) => {
                let path = super::wish::text_of(&self.constant(path)?);
                let mut node = self.node_of(json, inst)?;
                for step in
                    path.trim_start_matches('$').split(['.', '[', ']', '\'', '"']).filter(|s| !s.is_empty())
                {
                    node = match step.parse::<usize>() {
                        Ok(n) => self.store.element(node, n.min(60)),
                        Err(_) => self.store.member(node, step),
                    };
                }
                Some(node)
            }
            ("trim" | "trim_start" | "trim_end", [_, text]) => self.node_of(text, inst),
            ("split", [text, by, at]) => {
                let n = self.constant(at)?.as_long()?;
                self.split_part(text, by, inst, usize::try_from(n.max(0)).ok()?)
            }
            ("strcat", _) if args.iter().filter(|a| self.constant(a).is_none()).count() == 1 => None,
            ("substring", [text, start, ..]) => match self.constant(start)?.as_long()? {
                0 => self.node_of(text, inst),
                n => {
                    let text = self.node_of(text, inst)?;
                    let hole = self.store.node("", Type::String);
                    let before: String =
                        "abcdefgh".chars().cycle().take(usize::try_from(n).unwrap_or(0).min(200)).collect();
                    let pieces = vec![Piece::Text(before.into()), Piece::Hole(hole)];
                    self.store.shape(text, Shape { pieces, first: true });
                    Some(hole)
                }
            },
            (
                "parse_json"
                | "todynamic"
                | "tolower"
                | "toupper"
                | "coalesce"
                | "parse_xml"
                | "column_ifexists"
                | "bin"
                | "bin_at"
                | "floor"
                | "ceiling"
                | "round"
                | "abs"
                | "startofday"
                | "startofhour"
                | "url_decode"
                | "replace_string"
                | "replace_strings"
                | "dynamic_to_json"
                | "array_sort_asc"
                | "array_sort_desc"
                | "set_union"
                | "array_concat"
                | "set_difference"
                | "array_slice"
                | "bag_merge"
                | "parse_ipv4"
                | "ingestion_time"
                | "materialize"
                | "startofweek"
                | "startofmonth"
                | "toscalar"
                | "zip"
                | "bag_remove_keys"
                | "array_reverse"
                | "unicode_codepoints_from_string"
                | "strrep"
                | "parse_urlquery"
                | "gettype"
                | "make_string"
                | "set_intersect"
                | "todatetime"
                | "url_encode"
                | "datetime_utc_to_local"
                | "parse_command_line"
                | "punycode_to_string"
                | "punycode_domain_to_string"
                | "endofday"
                | "parse_path"
                | "parse_version"
                | "parse_user_agent",
                [first, ..],
            ) if !matches!(
                name,
                "gettype" | "unicode_codepoints_from_string" | "make_string" | "parse_ipv4" | "parse_version"
            ) =>
            {
                let found = self.node_of(first, inst);
                match (found, name) {
                    (None, "coalesce" | "set_union" | "array_concat" | "bag_merge") => {
                        args.iter().skip(1).find_map(|a| self.node_of(a, inst))
                    }
                    (found, _) => found,
                }
            }
            ("replace_regex", [text, ..]) => self.node_of(text, inst),
            ("case" | "iff" | "iif", _) => None,
            ("pack_array", [first, ..]) => self.node_of(first, inst),
            _ => None,
        }
    }

    /// The value of a group of a pattern in a text.
    fn captured(&mut self, text: NodeId, pattern: &str, group: u32) -> Option<NodeId> {
        let at = (self.store.root(text), format_smolstr!("\u{0}{group}{pattern}"));
        if let Some(known) = self.store.splits.get(&at).and_then(|p| p.first()) {
            return Some(*known);
        }
        let around = super::sample::around(pattern, group)?;
        let hole = self.store.node("", Type::String);
        let whole: SmolStr = format_smolstr!("^(?:{})$", around.group);
        self.store.wish(
            hole,
            Wish::new(
                Test::Text {
                    kind: MatchKind::Regex,
                    case: ruleferry_ir::Case::Sensitive,
                    needles: [Needle::Text(whole)].into(),
                    chosen: 0,
                },
                Type::String,
            ),
        );
        let pieces =
            vec![Piece::Text(around.before.into()), Piece::Hole(hole), Piece::Text(around.after.into())];
        self.store.shape(text, Shape { pieces, first: pattern.starts_with('^') });
        self.store.splits.insert(at, vec![hole]);
        Some(hole)
    }

    /// An element of an array.
    pub fn node_each(&mut self, e: &'q Expr, inst: Inst) -> Option<NodeId> {
        if self.budget == 0 {
            return None;
        }
        self.budget -= 1;
        match &e.kind {
            ExprKind::Column(id) => match self.def(inst, *id) {
                Some(Def::Expr(inner, i, 0)) => self.node_each(inner, i),
                Some(Def::Made(group, item, _)) => {
                    let inst = self.groups.get(group)?.worlds.first()?.inst;
                    match &item.call {
                        AggregateCall::Function(f, args) if f.name.starts_with("make_") => {
                            self.node_of(args.first()?, inst)
                        }
                        AggregateCall::Function(..)
                        | AggregateCall::ArgExtreme { .. }
                        | AggregateCall::TakeAny { .. }
                        | AggregateCall::Composed { .. } => {
                            let node = self.node_of(e, inst)?;
                            Some(self.store.element(node, 0))
                        }
                    }
                }
                _ => {
                    let node = self.node_of(e, inst)?;
                    Some(self.store.element(node, 0))
                }
            },
            ExprKind::Let(id) => self.binding(*id).and_then(|e| self.node_each(e, inst)),
            ExprKind::Cast(c) => self.node_each(&c.expr, inst),
            ExprKind::Subquery(plan) => {
                let inner = self.subquery(plan)?;
                let id = *plan.output.first()?;
                match self.def(inner, id)? {
                    Def::Made(group, item, _) => {
                        let inst = self.groups.get(group)?.worlds.first()?.inst;
                        match &item.call {
                            AggregateCall::Function(f, args) if f.name.starts_with("make_") => {
                                self.node_of(args.first()?, inst)
                            }
                            AggregateCall::Function(..)
                            | AggregateCall::ArgExtreme { .. }
                            | AggregateCall::TakeAny { .. }
                            | AggregateCall::Composed { .. } => None,
                        }
                    }
                    Def::Expr(e, i, 0) => self.node_each(e, i),
                    Def::Column(..)
                    | Def::Node(_)
                    | Def::Expr(..)
                    | Def::Same(..)
                    | Def::Const(_)
                    | Def::Each(..) => {
                        let node = self.node_of_column(inner, id)?;
                        Some(self.store.element(node, 0))
                    }
                }
            }
            ExprKind::Call(f, args) => match (f.name, args.as_slice()) {
                ("split", [text, by, ..]) => self.split_part(text, by, inst, 0),
                ("pack_array", _) => {
                    let at = self.choose(key(e, inst, BRANCH), args.len());
                    args.get(at).and_then(|a| self.node_of(a, inst))
                }
                ("extract_all", [pattern, .., text]) => {
                    let pattern = super::wish::text_of(&self.constant(pattern)?);
                    let text = self.node_of(text, inst)?;
                    self.captured(text, &pattern, 1)
                }
                (
                    "parse_json" | "todynamic" | "array_sort_asc" | "array_sort_desc" | "array_slice"
                    | "set_difference" | "set_union" | "array_concat" | "coalesce" | "array_reverse",
                    [first, ..],
                ) => self.node_each(first, inst),
                ("bag_keys", _) => None,
                _ => {
                    let node = self.node_of(e, inst)?;
                    Some(self.store.element(node, 0))
                }
            },
            _ => {
                let node = self.node_of(e, inst)?;
                Some(self.store.element(node, 0))
            }
        }
    }

    fn wish_each(&mut self, e: &'q Expr, inst: Inst, wish: Wish) -> bool {
        match self.node_each(e, inst) {
            Some(node) => {
                self.store.wish(node, wish);
                true
            }
            None => false,
        }
    }

    /// A value that meets a wish, where any such will do.
    fn target(&self, wish: &Wish, ty: Type) -> Option<Value> {
        let about = super::wish::About {
            ty,
            wishes: std::slice::from_ref(wish),
            name: "",
            number: 0,
            shapes: &[],
            now: self.store.now,
            patterns: self.store.patterns,
        };
        let (found, good) = super::wish::candidates(&about);
        found.into_iter().find(|v| good && !v.is_null())
    }

    /// The least number from 0 on that meets a wish.
    fn count_for(&self, wish: &Wish) -> Option<usize> {
        let meets = |n: i64| holds(&Value::Long(n), wish, self.store.patterns);
        let mut tries: Vec<i64> = (1..=12).collect();
        match &wish.test {
            Test::Order(_, v) => {
                tries.extend(v.as_real().map(|x| x as i64).into_iter().flat_map(|n| [n - 1, n, n + 1]))
            }
            Test::Equal(values, _) => {
                tries.extend(values.iter().filter_map(Value::as_real).flat_map(|x| [x as i64, x as i64 + 1]));
            }
            Test::Present | Test::Null | Test::Empty | Test::Text { .. } | Test::Length(..) => {}
        }
        tries.push(0);
        tries.into_iter().find(|n| *n >= 0 && meets(*n)).and_then(|n| usize::try_from(n).ok())
    }

    /// Asks something of the value of an expression. Whether that was possible.
    pub fn wish(&mut self, e: &'q Expr, inst: Inst, wish: Wish) -> bool {
        if self.budget == 0 {
            return true;
        }
        self.budget -= 1;
        if let Some(value) = self.constant(e) {
            let met = holds(&value, &wish, self.store.patterns);
            self.store.conflicts += u32::from(!met);
            return true;
        }
        match &e.kind {
            ExprKind::Column(id) => match self.def(inst, *id) {
                Some(Def::Expr(inner, i, 0)) => self.wish(inner, i, wish),
                Some(Def::Const(value)) => {
                    let met = holds(&value, &wish, self.store.patterns);
                    self.store.conflicts += u32::from(!met);
                    true
                }
                Some(Def::Made(group, item, part)) => self.wish_made(group, item, part, &wish),
                _ => self.wish_node(e, inst, wish),
            },
            ExprKind::Let(id) => match self.binding(*id) {
                Some(inner) => self.wish(inner, inst, wish),
                None => false,
            },
            ExprKind::Cast(c) => self.wish(&c.expr, inst, wish),
            ExprKind::Negate(inner) => {
                let zero = if inner.ty == Type::Timespan { Value::Timespan(0) } else { Value::Long(0) };
                match self.mapped(&wish, inner.ty, true, |this, v| {
                    this.compute(ArithmeticOp::Sub, &zero, v, inner.ty)
                }) {
                    Some(w) => self.wish(inner, inst, w),
                    None => false,
                }
            }
            ExprKind::Arithmetic(a) => self.wish_arithmetic(e, a, inst, &wish),
            ExprKind::Case(branches, otherwise) => {
                let count = branches.len() + 1;
                let first = self.choose(key(e, inst, BRANCH), count);
                for n in 0..count {
                    let at = (first + n) % count;
                    let value = branches.get(at).map_or(&**otherwise, |(_, v)| v);
                    let fits = self.constant(value).is_none_or(|v| holds(&v, &wish, self.store.patterns));
                    if fits {
                        self.take_branch(branches, at, inst);
                        return self.wish(value, inst, wish);
                    }
                }
                self.store.conflicts += 1;
                true
            }
            ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_) => {
                let truth =
                    [true, false].into_iter().find(|b| holds(&Value::Bool(*b), &wish, self.store.patterns));
                if let Some(b) = truth {
                    self.goal(e, inst, b);
                }
                truth.is_some()
            }
            ExprKind::Subquery(plan) => {
                let (Some(inner), Some(id)) = (self.subquery(plan), plan.output.first()) else {
                    return false;
                };
                match self.def(inner, *id) {
                    Some(Def::Made(group, item, part)) => self.wish_made(group, item, part, &wish),
                    Some(Def::Expr(x, i, 0)) => self.wish(x, i, wish),
                    _ => match self.node_of_column(inner, *id) {
                        Some(node) => {
                            self.store.wish(node, wish);
                            true
                        }
                        None => false,
                    },
                }
            }
            ExprKind::Call(f, args) => self.wish_call(e, f.name, args, inst, wish),
            ExprKind::Member(..) | ExprKind::Index(..) => self.wish_node(e, inst, wish),
            ExprKind::Literal(_) | ExprKind::Now | ExprKind::Opaque(_) => false,
        }
    }

    fn wish_node(&mut self, e: &'q Expr, inst: Inst, wish: Wish) -> bool {
        match self.node_of(e, inst) {
            Some(node) => {
                self.store.wish(node, wish);
                true
            }
            None => false,
        }
    }

    /// The wish for `x` where it is known for `f(x)`; `flip`: `f` turns the order around.
    fn mapped(
        &self,
        wish: &Wish,
        ty: Type,
        flip: bool,
        back: impl Fn(&Self, &Value) -> Option<Value>,
    ) -> Option<Wish> {
        let test = match &wish.test {
            Test::Order(op, v) => Test::Order(if flip { op.flipped() } else { *op }, back(self, v)?),
            Test::Equal(values, at) => {
                let values: Vec<Value> = values.iter().filter_map(|v| back(self, v)).collect();
                if values.is_empty() {
                    return None;
                }
                let at = (*at).min(values.len() - 1);
                Test::Equal(values.into(), at)
            }
            Test::Null | Test::Present | Test::Empty => wish.test.clone(),
            Test::Text { .. } | Test::Length(..) => return None,
        };
        Some(Wish { test, not: wish.not, ty, missing: wish.missing })
    }

    fn wish_arithmetic(
        &mut self,
        e: &'q Expr,
        a: &'q ruleferry_ir::Arithmetic,
        inst: Inst,
        wish: &Wish,
    ) -> bool {
        use ArithmeticOp::{Add, Div, Mod, Mul, Sub};
        let (left, right) = (self.constant(&a.left), self.constant(&a.right));
        let one = |this: &mut Self, x: &'q Expr, flip: bool, op: ArithmeticOp, k: &Value, turned: bool| {
            let mapped = this.mapped(wish, x.ty, flip, |this, v| {
                if turned { this.compute(op, k, v, x.ty) } else { this.compute(op, v, k, x.ty) }
            });
            match mapped {
                Some(w) => this.wish(x, inst, w),
                None => false,
            }
        };
        let negative =
            |k: &Value| k.as_real().or_else(|| k.as_ticks().map(|t| t as f64)).is_some_and(|x| x < 0.0);
        match (a.op, left, right) {
            (Add, None, Some(k)) => one(self, &a.left, false, Sub, &k, false),
            (Add, Some(k), None) => one(self, &a.right, false, Sub, &k, false),
            (Sub, None, Some(k)) => one(self, &a.left, false, Add, &k, false),
            (Sub, Some(k), None) => one(self, &a.right, true, Sub, &k, true),
            (Mul, None, Some(k)) => one(self, &a.left, negative(&k), Div, &k, false),
            (Mul, Some(k), None) => one(self, &a.right, negative(&k), Div, &k, false),
            (Div, None, Some(k)) => one(self, &a.left, negative(&k), Mul, &k, false),
            (Div, Some(k), None) => one(self, &a.right, true, Div, &k, true),
            (Mod, None, Some(_)) => self.wish(&a.left, inst, Wish { ty: a.left.ty, ..wish.clone() }),
            (Sub, None, None) => {
                let (x, y) = (self.node_of(&a.left, inst), self.node_of(&a.right, inst));
                let d = self.difference((&a.left, x), (&a.right, y), inst, e.ty);
                self.store.wish(d, wish.clone());
                true
            }
            (Add | Mul | Div | Mod, None, None) | (Mod, Some(_), None) => {
                // Large numbers on the left and a small one on the right, or the other way: what is asked tells.
                self.share_out(a, inst, wish)
            }
            (Add | Sub | Mul | Div | Mod, Some(_), Some(_)) => false,
        }
    }

    /// The node of `a - b`.
    fn difference(
        &mut self,
        a: (&'q Expr, Option<NodeId>),
        b: (&'q Expr, Option<NodeId>),
        inst: Inst,
        ty: Type,
    ) -> NodeId {
        let name = |this: &Self, x: (&'q Expr, Option<NodeId>)| match x.1 {
            Some(n) => format_smolstr!("n{}", this.store.root(n)),
            None => format_smolstr!("e{}", std::ptr::from_ref(x.0).addr()),
        };
        let at = (usize::MAX, format_smolstr!("{}-{}", name(self, a), name(self, b)));
        if let Some(known) = self.store.splits.get(&at).and_then(|p| p.first()) {
            return *known;
        }
        let d = self.store.node("", ty);
        self.store.splits.insert(at, vec![d]);
        self.late.push(Late::Offset { a: (a.0, inst), b: (b.0, inst), d, unit: 1 });
        d
    }

    fn share_out(&mut self, a: &'q ruleferry_ir::Arithmetic, inst: Inst, wish: &Wish) -> bool {
        let number = |v: f64, ty: Type| match ty {
            Type::Real => Value::Real(v),
            Type::Timespan => Value::Timespan((v * TICKS_PER_SECOND as f64) as i64),
            _ => Value::Long(v as i64),
        };
        let Some(wanted) = self.target(wish, Type::Real).and_then(|v| v.as_real()) else { return false };
        let (x, y) = match a.op {
            ArithmeticOp::Add => (wanted.max(0.0), 0.0),
            ArithmeticOp::Sub => (wanted.max(0.0), 0.0),
            ArithmeticOp::Mul => (wanted, 1.0),
            ArithmeticOp::Div if wanted.abs() < 1.0 && wanted != 0.0 => ((wanted * 1000.0).round(), 1000.0),
            ArithmeticOp::Div => (wanted, 1.0),
            ArithmeticOp::Mod => (wanted, wanted + 1.0),
        };
        let strip = |e: &'q Expr| -> Type { e.ty };
        let first = self.wish(&a.left, inst, Wish::equals(number(x, strip(&a.left)), a.left.ty));
        let second = self.wish(&a.right, inst, Wish::equals(number(y, strip(&a.right)), a.right.ty));
        first && second
    }

    fn wish_call(&mut self, e: &'q Expr, name: &str, args: &'q [Expr], inst: Inst, wish: Wish) -> bool {
        match (name, args) {
            ("strlen" | "string_size", [text]) => {
                let Some(n) = self.count_for(&wish) else { return false };
                let test = match &wish.test {
                    Test::Order(op, v) => Test::Length(*op, v.as_real().map_or(0, |x| x as i64)),
                    _ => Test::Length(CompareOp::Eq, i64::try_from(n).unwrap_or(0)),
                };
                let not = wish.not && matches!(wish.test, Test::Order(..));
                self.wish(text, inst, Wish::new(test, Type::String).negated(not))
            }
            ("array_length", [array]) => {
                let Some(n) = self.count_for(&wish) else { return false };
                self.elements(array, inst, n, e)
            }
            ("datetime_diff", [unit, a, b]) => {
                let Some(unit) = self.constant(unit) else { return false };
                let ticks = unit_ticks(&super::wish::text_of(&unit));
                let (left, right) = (self.fixed(a, inst), self.fixed(b, inst));
                if left.is_none() && right.is_none() {
                    self.node_of(a, inst);
                    self.node_of(b, inst);
                    let d = self.store.node("", Type::Long);
                    self.store.wish(d, wish);
                    self.late.push(Late::Offset { a: (a, inst), b: (b, inst), d, unit: ticks });
                    return true;
                }
                let Some(n) = self.target(&wish, Type::Long).and_then(|v| v.as_long()) else { return false };
                let d = Value::Timespan(n.saturating_mul(ticks));
                match (left, right) {
                    (Some(k), None) => match self.compute(ArithmeticOp::Sub, &k, &d, Type::Datetime) {
                        Some(v) => self.wish(b, inst, Wish::equals(v, Type::Datetime)),
                        None => false,
                    },
                    (None, Some(k)) => match self.compute(ArithmeticOp::Add, &k, &d, Type::Datetime) {
                        Some(v) => self.wish(a, inst, Wish::equals(v, Type::Datetime)),
                        None => false,
                    },
                    _ => false,
                }
            }
            ("datetime_add", [unit, count, from]) => {
                let (Some(unit), Some(n)) =
                    (self.constant(unit), self.constant(count).and_then(|v| v.as_long()))
                else {
                    return false;
                };
                let d = Value::Timespan(n.saturating_mul(unit_ticks(&super::wish::text_of(&unit))));
                match self.mapped(&wish, Type::Datetime, false, |this, v| {
                    this.compute(ArithmeticOp::Sub, v, &d, Type::Datetime)
                }) {
                    Some(w) => self.wish(from, inst, w),
                    None => false,
                }
            }
            ("indexof" | "indexof_regex", [text, what, ..]) => {
                let Some(what) = self.constant(what) else { return false };
                let found = !holds(&Value::Long(-1), &wish, self.store.patterns);
                let kind = if name == "indexof" { MatchKind::Contains } else { MatchKind::Regex };
                let test = Test::Text {
                    kind,
                    case: ruleferry_ir::Case::Sensitive,
                    needles: [Needle::Text(super::wish::text_of(&what))].into(),
                    chosen: 0,
                };
                self.wish(text, inst, Wish::new(test, Type::String).negated(!found).missing(Missing::Empty))
            }
            ("countof", [text, what, ..]) => {
                let (Some(what), Some(n)) = (self.constant(what), self.count_for(&wish)) else {
                    return false;
                };
                let what = super::wish::text_of(&what);
                let one = match args.get(2).and_then(|k| self.constant(k)) {
                    Some(k) if super::wish::text_of(&k) == "regex" => {
                        super::sample::sample(&what, 0).unwrap_or_default()
                    }
                    _ => what.to_string(),
                };
                let Some(node) = self.node_of(text, inst) else { return false };
                let pieces = vec![Piece::Text(vec![one; n.min(400)].join(" ").into())];
                self.store.shape(node, Shape { pieces, first: false });
                true
            }
            ("strcat" | "strcat_delim", _) => self.wish_joined(name, args, inst, &wish),
            ("coalesce", [first, ..]) => {
                if self.wish(first, inst, wish.clone()) {
                    return true;
                }
                args.iter().skip(1).any(|a| self.wish(a, inst, wish.clone()))
            }
            ("array_index_of", [array, value, ..]) => {
                let found = !holds(&Value::Long(-1), &wish, self.store.patterns);
                match self.constant(value) {
                    Some(v) if found => self.wish_each(array, inst, Wish::equals(v, value.ty)),
                    Some(_) => true,
                    None => false,
                }
            }
            ("base64_decode_tostring", [text]) => {
                let Some(Value::String(plain)) = self.target(&wish, Type::String) else { return false };
                // Longer texts where the coded text has to be long.
                let more = " alpha bravo carol delta echo foxtrot golf hotel";
                let coded: Vec<Value> = ["", more]
                    .into_iter()
                    .flat_map(|tail| {
                        let plain = format!("{plain}{tail}");
                        let long = format!("{plain}{more}{more}{more}");
                        [plain, long].map(|p| Value::string(super::base64(p.as_bytes())))
                    })
                    .collect();
                self.wish(text, inst, Wish::new(Test::Equal(coded.into(), 0), Type::String))
            }
            ("gettype" | "hash_sha256" | "hash_md5" | "hash_sha1" | "hash", _) => false,
            ("row_cumsum", [value, ..]) => self.wish(value, inst, wish),
            ("bin" | "bin_at" | "floor", [value, ..]) => self.wish(value, inst, wish),
            _ => self.wish_node(e, inst, wish),
        }
    }

    /// The parts of a text that is joined from several.
    fn wish_joined(&mut self, name: &str, args: &'q [Expr], inst: Inst, wish: &Wish) -> bool {
        let (delimiter, parts) = match (name, args.split_first()) {
            ("strcat_delim", Some((first, rest))) => {
                (self.constant(first).map(|v| super::wish::text_of(&v)).unwrap_or_default(), rest)
            }
            _ => (SmolStr::default(), args),
        };
        if wish.not {
            return true;
        }
        let open: Vec<&'q Expr> = parts.iter().filter(|a| self.constant(a).is_none()).collect();
        if let (Test::Equal(values, at), true) = (&wish.test, delimiter.is_empty()) {
            // Cut along the constants.
            let Some(value) = values.get(*at) else { return false };
            let text = super::wish::text_of(value);
            let mut rest = text.as_str();
            let mut waiting: Option<&'q Expr> = None;
            let mut cuts: Vec<(&'q Expr, SmolStr)> = Vec::new();
            for part in parts {
                match self.constant(part).map(|v| super::wish::text_of(&v)) {
                    Some(fixed) => match waiting.take() {
                        Some(e) => {
                            let Some((head, tail)) = rest.split_once(fixed.as_str()) else { return false };
                            cuts.push((e, head.into()));
                            rest = tail;
                        }
                        None => match rest.strip_prefix(fixed.as_str()) {
                            Some(tail) => rest = tail,
                            None => return false,
                        },
                    },
                    None => {
                        if let Some(e) = waiting.replace(part) {
                            cuts.push((e, SmolStr::default()));
                        }
                    }
                }
            }
            if let Some(e) = waiting {
                cuts.push((e, rest.into()));
            }
            let mut done = true;
            for (e, text) in cuts {
                done &= self.wish(e, inst, Wish::equals(Value::String(text), Type::String));
            }
            return done;
        }
        let wanted = match &wish.test {
            Test::Text { kind: MatchKind::EndsWith, .. } => open.last().copied(),
            _ => open.first().copied(),
        };
        match wanted {
            Some(e) => self.wish(e, inst, wish.clone()),
            None => false,
        }
    }

    /// So many elements in an array.
    fn elements(&mut self, array: &'q Expr, inst: Inst, count: usize, at: &'q Expr) -> bool {
        let count = count.min(200);
        if let Some((name, args, i)) = self.called(array, inst)
            && let ("split", [text, by, ..]) = (name, args)
        {
            return count == 0 || self.split_part(text, by, i, count - 1).is_some();
        }
        match &array.kind {
            ExprKind::Column(id) => match self.def(inst, *id) {
                Some(Def::Expr(inner, i, 0)) => return self.elements(inner, i, count, at),
                Some(Def::Made(group, item, _)) => {
                    if let AggregateCall::Function(f, args) = &item.call
                        && f.name.starts_with("make_")
                        && let Some(arg) = args.first()
                    {
                        return self.vary(group, 0, arg, count, key(at, inst, super::build::COPIES));
                    }
                }
                _ => {}
            },
            ExprKind::Cast(c) => return self.elements(&c.expr, inst, count, at),
            _ => {}
        }
        let Some(node) = self.node_of(array, inst) else { return false };
        if count > 0 {
            self.store.element(node, count - 1);
        }
        true
    }

    /// So many different values of an expression in a group.
    fn vary(
        &mut self,
        group: usize,
        world: usize,
        arg: &'q Expr,
        count: usize,
        at: super::build::Key,
    ) -> bool {
        let Some(inst) = self.groups.get(group).and_then(|g| g.worlds.get(world)).map(|w| w.inst) else {
            return false;
        };
        self.trace.counts.insert(at, count);
        let more = self.guide.more.get(&at).copied().unwrap_or(0);
        let count = usize::try_from(i64::try_from(count).unwrap_or(0) + more).unwrap_or(0);
        let step = self.step_of(arg, inst);
        let node = self.node_of(arg, inst).or_else(|| self.parts(arg, inst).into_iter().next());
        let Some(node) = node else { return false };
        self.store.wish(node, Wish::present());
        self.repeat(group, world, count, vec![(node, step)]);
        true
    }

    /// The nodes that an expression reads.
    pub fn parts(&mut self, e: &'q Expr, inst: Inst) -> Vec<NodeId> {
        if let Some(node) = self.node_of(e, inst) {
            return vec![node];
        }
        if let ExprKind::Column(id) = &e.kind
            && let Some(Def::Expr(inner, i, _)) = self.def(inst, *id)
        {
            return self.parts(inner, i);
        }
        if let ExprKind::Let(id) = &e.kind {
            return self.binding(*id).map_or_else(Vec::new, |e| self.parts(e, inst));
        }
        let mut inner: Vec<&'q Expr> = Vec::new();
        e.operands(&mut inner);
        let mut out = Vec::new();
        for x in inner {
            if self.budget == 0 {
                break;
            }
            for node in self.parts(x, inst) {
                if !out.contains(&node) {
                    out.push(node);
                }
            }
        }
        out
    }

    /// Asks something of the result of an aggregate.
    fn wish_made(&mut self, group: usize, item: &'q AggregateItem, part: usize, wish: &Wish) -> bool {
        let Some(first) = self.groups.get(group).and_then(|g| g.worlds.first()).map(|w| w.inst) else {
            return false;
        };
        let at = key(item, first, super::build::COPIES);
        if let Some((e, _)) = self.passed(item, part) {
            let (condition, zero) = match &item.call {
                AggregateCall::Function(f, args) if f.name.ends_with("if") => {
                    (args.last(), f.name == "sumif" && holds(&Value::Long(0), wish, self.store.patterns))
                }
                AggregateCall::TakeAny { condition, .. } => (condition.as_ref(), false),
                AggregateCall::Function(..)
                | AggregateCall::ArgExtreme { .. }
                | AggregateCall::Composed { .. } => (None, false),
            };
            if zero {
                return true;
            }
            let (world, inst) = match condition {
                Some(_) => match self.conditioned(group) {
                    Some(found) => found,
                    None => return false,
                },
                None => (0, first),
            };
            if let Some(c) = condition {
                self.goal(c, inst, true);
            }
            // A sum of values that a rule itself gives: so many rows.
            if let AggregateCall::Function(f, _) = &item.call
                && matches!(f.name, "sum" | "sumif")
                && self.node_of(e, inst).is_none()
                && let Some(each) = self.eval(e, inst, 0).and_then(|v| v.as_real()).filter(|x| *x > 0.0)
                && let Some(n) = self.count_for(wish)
            {
                let rows = (n as f64 / each).ceil().clamp(1.0, 1500.0) as usize;
                self.copies(group, world, rows, at);
                return true;
            }
            return self.wish(e, inst, wish.clone());
        }
        let AggregateCall::Function(f, args) = &item.call else { return false };
        match f.name {
            "count" => {
                let Some(n) = self.count_for(wish) else { return false };
                if n > 1 || self.guide.more.contains_key(&at) {
                    self.copies(group, 0, n, at);
                } else {
                    self.trace.counts.insert(at, n);
                }
                true
            }
            "countif" | "dcountif" | "count_distinctif" => {
                let Some(n) = self.count_for_zero(wish) else { return false };
                if n == 0 {
                    return true;
                }
                let Some((world, inst)) = self.conditioned(group) else { return false };
                if let Some(c) = if f.name == "countif" { args.first() } else { args.get(1) } {
                    self.goal(c, inst, true);
                }
                match (f.name, args.first()) {
                    ("countif", _) => {
                        self.copies(group, world, n, at);
                        true
                    }
                    (_, Some(arg)) => self.vary(group, world, arg, n, at),
                    _ => false,
                }
            }
            "dcount" | "count_distinct" | "hll" => {
                let (Some(n), Some(arg)) = (self.count_for(wish), args.first()) else { return false };
                if n > 1 || self.guide.more.contains_key(&at) {
                    self.vary(group, 0, arg, n, at)
                } else {
                    self.trace.counts.insert(at, n);
                    let node = self.node_of(arg, first);
                    if let Some(node) = node {
                        self.store.wish(node, Wish::present());
                    }
                    true
                }
            }
            "stdev" | "stdevp" | "variance" | "variancep" | "stdevif" | "varianceif" => {
                args.first().is_some_and(|arg| self.vary(group, 0, arg, 3, at))
            }
            "make_set" | "make_list" | "make_set_if" | "make_list_if" | "make_list_with_nulls" => {
                let Some(arg) = args.first() else { return false };
                match wish.test {
                    Test::Text { .. } if wish.not => true,
                    Test::Text { .. } => self.wish(arg, first, wish.clone()),
                    Test::Present | Test::Empty | Test::Null => {
                        if let Some(node) = self.node_of(arg, first) {
                            self.store.wish(node, Wish::present());
                        }
                        true
                    }
                    Test::Order(..) | Test::Equal(..) | Test::Length(..) => false,
                }
            }
            _ => false,
        }
    }

    /// As [`Self::count_for`], but none where none will do.
    fn count_for_zero(&self, wish: &Wish) -> Option<usize> {
        if holds(&Value::Long(0), wish, self.store.patterns) { Some(0) } else { self.count_for(wish) }
    }

    /// A set of rows of the group of which no condition is asked yet.
    fn conditioned(&mut self, group: usize) -> Option<(usize, Inst)> {
        let free = {
            let g = self.groups.get_mut(group)?;
            let w = g.worlds.first_mut()?;
            let free = !w.conditioned;
            w.conditioned = true;
            free.then_some((0, w.inst))
        };
        if free.is_some() {
            return free;
        }
        let world = self.world(group)?;
        let inst = self.groups.get(group)?.worlds.get(world)?.inst;
        Some((world, inst))
    }
}

/// The type in which a comparison with a constant looks at a value.
fn read_type(ty: Type, value: Option<&Value>) -> Type {
    match (ty, value) {
        (Type::Dynamic | Type::Unknown, Some(v)) => super::value_type(v),
        (ty, _) => ty,
    }
}

fn unit_ticks(unit: &str) -> i64 {
    let second = TICKS_PER_SECOND;
    match unit.to_lowercase().as_str() {
        "year" => 365 * 86_400 * second,
        "quarter" => 91 * 86_400 * second,
        "month" => 30 * 86_400 * second,
        "week" => 7 * 86_400 * second,
        "day" | "dayofyear" => 86_400 * second,
        "hour" => 3600 * second,
        "minute" => 60 * second,
        "millisecond" => second / 1000,
        "microsecond" => second / 1_000_000,
        "nanosecond" => 1,
        _ => second,
    }
}
