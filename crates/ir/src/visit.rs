//! Walking plans and expressions: the one place that knows what is inside what.
//!
//! In: a node. Out: its direct children, in source order, to a callback. Everything that walks (needs, losses,
//! text form, capability checks) is built on these two functions, so a new node is handled everywhere or nowhere.

use crate::functions::Flags;
use crate::*;

/// A direct child of a node.
pub enum Child<'n> {
    Plan(&'n Plan),
    Expr(&'n Expr),
}

impl Plan {
    /// Calls `f` with each direct child: input plans and expressions.
    pub fn children<'n>(&'n self, f: &mut dyn FnMut(Child<'n>)) {
        match &*self.op {
            Op::Ref(_) | Op::Rows => {}
            Op::Scan(s) => match &s.source {
                Source::Table(_) | Source::Glob(_) => {}
                Source::Input(i) => {
                    i.over.iter().for_each(|p| f(Child::Plan(p)));
                    i.args.iter().for_each(|e| f(Child::Expr(e)));
                }
            },
            Op::Values(v) => v.rows.iter().flatten().for_each(|e| f(Child::Expr(e))),
            Op::Range(r) => [&r.from, &r.to, &r.step].into_iter().for_each(|e| f(Child::Expr(e))),
            Op::Filter { input, predicate } => {
                f(Child::Plan(input));
                f(Child::Expr(predicate));
            }
            Op::Extend { input, items } | Op::Project { input, items } | Op::Serialize { input, items } => {
                f(Child::Plan(input));
                items.iter().for_each(|i| f(Child::Expr(&i.expr)));
            }
            Op::Select { input, kind: _, items: _ }
            | Op::Distinct { input }
            | Op::GetSchema { input }
            | Op::Render { input, text: _ } => f(Child::Plan(input)),
            Op::Aggregate(a) => {
                f(Child::Plan(&a.input));
                a.keys.iter().for_each(|i| f(Child::Expr(&i.expr)));
                a.aggregates.iter().for_each(|i| i.children(f));
            }
            Op::Join(j) => {
                f(Child::Plan(&j.left));
                f(Child::Plan(&j.right));
            }
            Op::Union(u) => u.inputs.iter().for_each(|p| f(Child::Plan(p))),
            Op::Sort { input, keys } => {
                f(Child::Plan(input));
                keys.iter().for_each(|k| f(Child::Expr(&k.expr)));
            }
            Op::Limit { input, count, kind: _ } => {
                f(Child::Plan(input));
                f(Child::Expr(count));
            }
            Op::Top { input, count, keys } => {
                f(Child::Plan(input));
                f(Child::Expr(count));
                keys.iter().for_each(|k| f(Child::Expr(&k.expr)));
            }
            Op::Expand(e) => {
                f(Child::Plan(&e.input));
                e.items.iter().for_each(|i| f(Child::Expr(&i.expr)));
                e.limit.iter().for_each(|e| f(Child::Expr(e)));
            }
            Op::Apply(a) => {
                f(Child::Plan(&a.input));
                a.items.iter().for_each(|i| f(Child::Expr(&i.expr)));
                a.limit.iter().for_each(|e| f(Child::Expr(e)));
                f(Child::Plan(&a.body));
            }
            Op::MakeSeries(m) => {
                f(Child::Plan(&m.input));
                for s in &m.aggregates {
                    s.aggregate.children(f);
                    s.default.iter().for_each(|e| f(Child::Expr(e)));
                }
                f(Child::Expr(&m.axis));
                m.from.iter().chain(&m.to).for_each(|e| f(Child::Expr(e)));
                f(Child::Expr(&m.step));
                m.keys.iter().for_each(|i| f(Child::Expr(&i.expr)));
            }
            Op::Parse(p) => {
                f(Child::Plan(&p.input));
                f(Child::Expr(&p.subject));
            }
            Op::ParseKv(p) => {
                f(Child::Plan(&p.input));
                f(Child::Expr(&p.subject));
            }
            Op::Partition { input, key: _, body } => {
                f(Child::Plan(input));
                f(Child::Plan(body));
            }
            Op::Sequence(s) => {
                f(Child::Plan(&s.input));
                s.declared.iter().filter_map(|(_, e)| e.as_ref()).for_each(|e| f(Child::Expr(e)));
                for step in &s.steps {
                    f(Child::Expr(&step.condition));
                    step.assignments.iter().for_each(|(_, e)| f(Child::Expr(e)));
                }
            }
            Op::TopNested(t) => {
                f(Child::Plan(&t.input));
                for level in &t.levels {
                    level.count.iter().for_each(|e| f(Child::Expr(e)));
                    f(Child::Expr(&level.key.expr));
                    level.by.children(f);
                    level.others.iter().for_each(|e| f(Child::Expr(e)));
                }
            }
            Op::Plugin(p) => {
                p.input.iter().for_each(|p| f(Child::Plan(p)));
                for arg in &p.args {
                    match arg {
                        PluginArg::Expr(e) => f(Child::Expr(e)),
                        PluginArg::Aggregate(a) => a.children(f),
                        PluginArg::Table(p) => f(Child::Plan(p)),
                    }
                }
            }
            Op::Search(s) => {
                s.inputs.iter().for_each(|p| f(Child::Plan(p)));
                f(Child::Expr(&s.predicate));
            }
            Op::Opaque { input, opaque: _ } => input.iter().for_each(|p| f(Child::Plan(p))),
        }
    }
}

impl AggregateItem {
    fn children<'n>(&'n self, f: &mut dyn FnMut(Child<'n>)) {
        match &self.call {
            AggregateCall::Function(_, args) => args.iter().for_each(|e| f(Child::Expr(e))),
            AggregateCall::ArgExtreme { max: _, by, returned, star: _ } => {
                f(Child::Expr(by));
                returned.iter().for_each(|e| f(Child::Expr(e)));
            }
            AggregateCall::TakeAny { returned, star: _, condition } => {
                returned.iter().chain(condition).for_each(|e| f(Child::Expr(e)));
            }
            AggregateCall::Composed { parts, expr } => {
                parts.iter().for_each(|p| p.children(f));
                f(Child::Expr(expr));
            }
        }
    }
}

impl Expr {
    /// Calls `f` with each direct child: operands and sub-plans.
    pub fn children<'n>(&'n self, f: &mut dyn FnMut(Child<'n>)) {
        match &self.kind {
            ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::Opaque(_) => {}
            ExprKind::And(es) | ExprKind::Or(es) | ExprKind::Call(_, es) => {
                es.iter().for_each(|e| f(Child::Expr(e)));
            }
            ExprKind::Not(e)
            | ExprKind::IsNull(e)
            | ExprKind::IsEmpty(e)
            | ExprKind::Negate(e)
            | ExprKind::Member(e, _) => f(Child::Expr(e)),
            ExprKind::Compare(c) => [&c.left, &c.right].into_iter().for_each(|e| f(Child::Expr(e))),
            ExprKind::Match(m) => {
                match &m.subject {
                    Subject::Expr(e) => f(Child::Expr(e)),
                    Subject::AnyColumn | Subject::Event => {}
                }
                match &m.values {
                    MatchValues::List(values) => {
                        for v in values {
                            match v {
                                MatchValue::Expr(e) => f(Child::Expr(e)),
                                MatchValue::Glob(_) => {}
                            }
                        }
                    }
                    MatchValues::Dynamic(e) => f(Child::Expr(e)),
                    MatchValues::Query(p) => f(Child::Plan(p)),
                }
            }
            ExprKind::In(i) => {
                f(Child::Expr(&i.subject));
                match &i.values {
                    InValues::List(es) => es.iter().for_each(|e| f(Child::Expr(e))),
                    InValues::Dynamic(e) => f(Child::Expr(e)),
                }
            }
            ExprKind::InQuery(i) => {
                f(Child::Expr(&i.subject));
                f(Child::Plan(&i.plan));
            }
            ExprKind::Between(b) => [&b.subject, &b.low, &b.high].into_iter().for_each(|e| f(Child::Expr(e))),
            ExprKind::Arithmetic(a) => [&a.left, &a.right].into_iter().for_each(|e| f(Child::Expr(e))),
            ExprKind::Cast(c) => f(Child::Expr(&c.expr)),
            ExprKind::Index(a, b) => [a, b].into_iter().for_each(|e| f(Child::Expr(e))),
            ExprKind::Case(branches, otherwise) => {
                for (condition, value) in branches {
                    f(Child::Expr(condition));
                    f(Child::Expr(value));
                }
                f(Child::Expr(otherwise));
            }
            ExprKind::Subquery(p) => f(Child::Plan(p)),
        }
    }

    /// Adds the expressions directly below this one, of the same row: no sub-plans.
    pub fn operands<'n>(&'n self, out: &mut Vec<&'n Self>) {
        self.children(&mut |child| match child {
            Child::Expr(e) => out.push(e),
            Child::Plan(_) => {}
        });
    }

    /// Whether a function of the row's place among others is called in it, sub-plans apart (`prev`, `row_number`).
    pub fn has_window(&self) -> bool {
        if matches!(&self.kind, ExprKind::Call(f, _) if f.has(Flags::WINDOW)) {
            return true;
        }
        let mut found = false;
        self.children(&mut |child| match child {
            Child::Expr(e) => found = found || e.has_window(),
            Child::Plan(_) => {}
        });
        found
    }

    /// Whether `test` holds for this expression or one inside it, sub-plans included.
    pub fn any(&self, test: &mut dyn FnMut(&Expr) -> bool) -> bool {
        if test(self) {
            return true;
        }
        let mut found = false;
        self.children(&mut |c| {
            found = found
                || match c {
                    Child::Expr(e) => e.any(test),
                    Child::Plan(p) => p.any_expr(test),
                }
        });
        found
    }
}

impl Plan {
    /// Calls `f` with this plan and every plan inside it, those in expressions included; outer ones first.
    pub fn for_each_plan<'n>(&'n self, f: &mut dyn FnMut(&'n Plan)) {
        f(self);
        self.children(&mut |c| match c {
            Child::Plan(p) => p.for_each_plan(f),
            Child::Expr(e) => e.for_each_plan(f),
        });
    }

    /// Whether `test` holds for any expression of the plan.
    pub fn any_expr(&self, test: &mut dyn FnMut(&Expr) -> bool) -> bool {
        let mut found = false;
        self.children(&mut |c| {
            found = found
                || match c {
                    Child::Expr(e) => e.any(test),
                    Child::Plan(p) => p.any_expr(test),
                }
        });
        found
    }
}

impl Expr {
    fn for_each_plan<'n>(&'n self, f: &mut dyn FnMut(&'n Plan)) {
        self.children(&mut |c| match c {
            Child::Plan(p) => p.for_each_plan(f),
            Child::Expr(e) => e.for_each_plan(f),
        });
    }
}

impl Query {
    /// Every plan of the query, bindings first.
    pub fn for_each_plan<'n>(&'n self, f: &mut dyn FnMut(&'n Plan)) {
        for b in &self.bindings {
            match &b.value {
                BindingValue::Scalar(e) => e.for_each_plan(f),
                BindingValue::Table { plan, materialized: _ } => plan.for_each_plan(f),
            }
        }
        self.plan.for_each_plan(f);
    }

    /// Whether `test` holds for any expression of the query.
    pub fn any_expr(&self, test: &mut dyn FnMut(&Expr) -> bool) -> bool {
        self.bindings.iter().any(|b| match &b.value {
            BindingValue::Scalar(e) => e.any(test),
            BindingValue::Table { plan, materialized: _ } => plan.any_expr(test),
        }) || self.plan.any_expr(test)
    }

    /// Number of opaque nodes, of plans and expressions.
    pub fn opaque_count(&self) -> usize {
        let mut count = 0;
        self.for_each_plan(&mut |p| count += usize::from(matches!(*p.op, Op::Opaque { .. })));
        self.any_expr(&mut |e| {
            count += usize::from(matches!(e.kind, ExprKind::Opaque(_)));
            false
        });
        count
    }
}

impl Query {
    /// How many expression nodes the query has with every scalar `let` written out where it is used. A text of a few
    /// lines can stand for more than any machine holds (`let b = a + a; let c = b + b; …`): saturates.
    pub fn expanded_size(&self) -> usize {
        let mut sizes: Vec<usize> = Vec::with_capacity(self.bindings.len());
        let mut total = 0_usize;
        for binding in &self.bindings {
            let size = match &binding.value {
                BindingValue::Scalar(e) => e.expanded_size(&sizes),
                BindingValue::Table { plan, materialized: _ } => plan.expanded_size(&sizes),
            };
            total = total.saturating_add(size);
            sizes.push(size);
        }
        total.saturating_add(self.plan.expanded_size(&sizes))
    }
}

impl Expr {
    fn expanded_size(&self, lets: &[usize]) -> usize {
        let mut size = match &self.kind {
            ExprKind::Let(id) => lets.get(id.0 as usize).copied().unwrap_or(1),
            _ => 1,
        };
        self.children(&mut |c| size = size.saturating_add(c.expanded_size(lets)));
        size
    }
}

impl Plan {
    fn expanded_size(&self, lets: &[usize]) -> usize {
        let mut size = 1_usize;
        self.children(&mut |c| size = size.saturating_add(c.expanded_size(lets)));
        size
    }
}

impl Child<'_> {
    fn expanded_size(&self, lets: &[usize]) -> usize {
        match self {
            Child::Plan(p) => p.expanded_size(lets),
            Child::Expr(e) => e.expanded_size(lets),
        }
    }
}
