//! Walks over the IR that the lowering needs: which columns an expression reads, which tables a plan scans.

use ruleferry_ir::functions::Flags;
use ruleferry_ir::{
    AggregateCall, AggregateItem, BindingValue, ColId, Expr, ExprKind, MatchValues, Op, Plan, PluginArg,
    Query, Source, Subject,
};

/// What an expression reads, and how.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses {
    /// Columns of the row around it, once for each mention.
    pub columns: Vec<ColId>,
    /// It looks at the whole row (`* has "x"`).
    pub whole_row: bool,
    /// It reads neighbouring rows (`prev(x)`).
    pub window: bool,
    /// It may answer differently each time (`rand()`).
    pub volatile: bool,
    /// It holds a query.
    pub subquery: bool,
}

impl Uses {
    pub(crate) fn of<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> Self {
        let mut uses = Self::default();
        for e in exprs {
            uses.expr(e);
        }
        uses
    }

    fn expr(&mut self, root: &Expr) {
        match &root.kind {
            ExprKind::Column(id) => return self.columns.push(*id),
            ExprKind::Literal(_) => return,
            _ => {}
        }
        let mut todo = vec![root];
        while let Some(e) = todo.pop() {
            match &e.kind {
                ExprKind::Column(id) => self.columns.push(*id),
                ExprKind::Call(def, _) => {
                    self.window |= def.has(Flags::WINDOW);
                    self.volatile |= def.has(Flags::VOLATILE);
                }
                ExprKind::Match(m) => self.whole_row |= !matches!(m.subject, Subject::Expr(_)),
                ExprKind::Subquery(_) | ExprKind::InQuery(_) => self.subquery = true,
                ExprKind::Literal(_)
                | ExprKind::Let(_)
                | ExprKind::Now
                | ExprKind::And(_)
                | ExprKind::Or(_)
                | ExprKind::Not(_)
                | ExprKind::Compare(_)
                | ExprKind::In(_)
                | ExprKind::Between(_)
                | ExprKind::IsNull(_)
                | ExprKind::IsEmpty(_)
                | ExprKind::Arithmetic(_)
                | ExprKind::Negate(_)
                | ExprKind::Cast(_)
                | ExprKind::Member(..)
                | ExprKind::Index(..)
                | ExprKind::Case(..)
                | ExprKind::Opaque(_) => {}
            }
            e.operands(&mut todo);
        }
    }

    pub(crate) fn count(&self, id: ColId) -> usize {
        self.columns.iter().filter(|c| **c == id).count()
    }
}

/// The arguments of an aggregate.
pub(crate) fn aggregate_args<'e>(item: &'e AggregateItem, out: &mut Vec<&'e Expr>) {
    match &item.call {
        AggregateCall::Function(_, args) => out.extend(args),
        AggregateCall::ArgExtreme { by, returned, .. } => {
            out.push(by);
            out.extend(returned);
        }
        AggregateCall::TakeAny { returned, condition, .. } => {
            out.extend(returned);
            out.extend(condition);
        }
        AggregateCall::Composed { parts, expr } => {
            for part in parts {
                aggregate_args(part, out);
            }
            out.push(expr);
        }
    }
}

/// The inputs of a plan's operator and the expressions on it.
pub(crate) fn parts<'p>(plan: &'p Plan, plans: &mut Vec<&'p Plan>, exprs: &mut Vec<&'p Expr>) {
    plans.extend(plan.input());
    match &*plan.op {
        Op::Scan(scan) => {
            if let Source::Input(input) = &scan.source {
                plans.extend(&input.over);
                exprs.extend(&input.args);
            }
        }
        Op::Ref(_)
        | Op::Rows
        | Op::Select { .. }
        | Op::Distinct { .. }
        | Op::GetSchema { .. }
        | Op::Render { .. } => {}
        Op::Values(v) => exprs.extend(v.rows.iter().flatten()),
        Op::Range(r) => exprs.extend([&r.from, &r.to, &r.step]),
        Op::Filter { predicate, .. } => exprs.push(predicate),
        Op::Extend { items, .. } | Op::Project { items, .. } | Op::Serialize { items, .. } => {
            exprs.extend(items.iter().map(|i| &i.expr));
        }
        Op::Aggregate(a) => {
            exprs.extend(a.keys.iter().map(|i| &i.expr));
            a.aggregates.iter().for_each(|i| aggregate_args(i, exprs));
        }
        Op::Join(j) => plans.push(&j.right),
        Op::Union(u) => plans.extend(&u.inputs),
        Op::Sort { keys, .. } => exprs.extend(keys.iter().map(|k| &k.expr)),
        Op::Limit { count, .. } => exprs.push(count),
        Op::Top { count, keys, .. } => {
            exprs.push(count);
            exprs.extend(keys.iter().map(|k| &k.expr));
        }
        Op::Expand(e) => {
            exprs.extend(e.items.iter().map(|i| &i.expr));
            exprs.extend(&e.limit);
        }
        Op::Apply(a) => {
            exprs.extend(a.items.iter().map(|i| &i.expr));
            exprs.extend(&a.limit);
            plans.push(&a.body);
        }
        Op::MakeSeries(m) => {
            m.aggregates.iter().for_each(|i| aggregate_args(&i.aggregate, exprs));
            exprs.extend(m.aggregates.iter().filter_map(|i| i.default.as_ref()));
            exprs.extend([&m.axis, &m.step]);
            exprs.extend(&m.from);
            exprs.extend(&m.to);
            exprs.extend(m.keys.iter().map(|i| &i.expr));
        }
        Op::Parse(p) => exprs.push(&p.subject),
        Op::ParseKv(p) => exprs.push(&p.subject),
        Op::Partition { body, .. } => plans.push(body),
        Op::Sequence(s) => {
            exprs.extend(s.declared.iter().filter_map(|(_, e)| e.as_ref()));
            for step in &s.steps {
                exprs.push(&step.condition);
                exprs.extend(step.assignments.iter().map(|(_, e)| e));
            }
        }
        Op::TopNested(t) => {
            for level in &t.levels {
                exprs.extend(&level.count);
                exprs.push(&level.key.expr);
                aggregate_args(&level.by, exprs);
                exprs.extend(&level.others);
            }
        }
        Op::Plugin(p) => {
            for arg in &p.args {
                match arg {
                    PluginArg::Expr(e) => exprs.push(e),
                    PluginArg::Aggregate(a) => aggregate_args(a, exprs),
                    PluginArg::Table(t) => plans.push(t),
                }
            }
        }
        Op::Search(s) => {
            plans.extend(&s.inputs);
            exprs.push(&s.predicate);
        }
        Op::Opaque { .. } => {}
    }
}

/// Every plan and every expression under a plan, also those inside of expressions; `let` tables are not entered.
pub(crate) fn visit<'p>(
    root: &'p Plan,
    on_plan: &mut dyn FnMut(&'p Plan),
    on_expr: &mut dyn FnMut(&'p Expr),
) {
    let (mut plans, mut exprs) = (vec![root], Vec::new());
    loop {
        if let Some(plan) = plans.pop() {
            on_plan(plan);
            parts(plan, &mut plans, &mut exprs);
        } else if let Some(e) = exprs.pop() {
            on_expr(e);
            e.operands(&mut exprs);
            inner_plan(e, &mut plans);
        } else {
            return;
        }
    }
}

/// As [`visit`], from an expression.
pub(crate) fn visit_expr<'p>(
    root: &'p Expr,
    on_plan: &mut dyn FnMut(&'p Plan),
    on_expr: &mut dyn FnMut(&'p Expr),
) {
    let mut exprs = vec![root];
    while let Some(e) = exprs.pop() {
        on_expr(e);
        e.operands(&mut exprs);
        let mut plans = Vec::new();
        inner_plan(e, &mut plans);
        for plan in plans {
            visit(plan, on_plan, on_expr);
        }
    }
}

fn inner_plan<'p>(e: &'p Expr, plans: &mut Vec<&'p Plan>) {
    match &e.kind {
        ExprKind::Subquery(plan) => plans.push(plan),
        ExprKind::InQuery(q) => plans.push(&q.plan),
        ExprKind::Match(m) => {
            if let MatchValues::Query(plan) = &m.values {
                plans.push(plan);
            }
        }
        _ => {}
    }
}

/// How deep the expressions and sub-queries of a query nest; the length of a pipeline does not count.
pub(crate) fn depth(query: &Query) -> u32 {
    let mut plans: Vec<(&Plan, u32)> = vec![(&query.plan, 0)];
    let mut exprs: Vec<(&Expr, u32)> = Vec::new();
    for binding in &query.bindings {
        match &binding.value {
            BindingValue::Table { plan, .. } => plans.push((plan, 0)),
            BindingValue::Scalar(e) => exprs.push((e, 0)),
        }
    }
    let mut deepest = 0;
    loop {
        let (mut below, mut inside) = (Vec::new(), Vec::new());
        if let Some((plan, depth)) = plans.pop() {
            deepest = deepest.max(depth);
            parts(plan, &mut below, &mut inside);
            let main = plan.input().map(std::ptr::from_ref);
            plans.extend(
                below
                    .into_iter()
                    .map(|p| (p, if Some(std::ptr::from_ref(p)) == main { depth } else { depth + 1 })),
            );
            exprs.extend(inside.into_iter().map(|e| (e, depth + 1)));
        } else if let Some((e, depth)) = exprs.pop() {
            deepest = deepest.max(depth);
            e.operands(&mut inside);
            inner_plan(e, &mut below);
            plans.extend(below.into_iter().map(|p| (p, depth + 1)));
            exprs.extend(inside.into_iter().map(|e| (e, depth + 1)));
        } else {
            return deepest;
        }
    }
}
