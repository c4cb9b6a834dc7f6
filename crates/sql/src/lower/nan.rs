//! Where a number may be NaN.
//!
//! To Kusto NaN equals nothing, is neither below nor above anything and sorts beside null; to DuckDB it equals itself and is
//! above every number. And the mean of no values is NaN there, NULL here. In: the query. Out: [`Nans`], the columns that may hold
//! NaN, which tests and sorts guard, and the means that may stay NULL, as a later filter drops every row that lacks a value.
//!
//! Columns of tables and numbers read from text are taken for finite.

use super::unseen::Unseen;
use super::walk::{self, Uses};
use ruleferry_ir::{
    AggregateCall, AggregateItem, Arithmetic, ArithmeticOp, BindingValue, ColId, CompareOp, Expr, ExprKind,
    Item, Op, Plan, PluginArg, Query, Type, Value,
};
use rustc_hash::{FxHashMap, FxHashSet};

/// Functions that make NaN or infinity of finite numbers.
const MAKERS: [&str; 15] = [
    "acos", "asin", "beta_cdf", "beta_inv", "beta_pdf", "exp", "exp10", "exp2", "gamma", "log", "log10",
    "log2", "loggamma", "pow", "sqrt",
];

/// What may be known of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wild {
    nan: bool,
    infinite: bool,
}

impl Wild {
    const ANY: Self = Self { nan: true, infinite: true };

    const fn or(self, other: Self) -> Self {
        Self { nan: self.nan || other.nan, infinite: self.infinite || other.infinite }
    }
}

/// The columns of a query that may hold NaN.
#[derive(Debug, Default)]
pub(crate) struct Nans {
    /// Something makes NaN: else there is nothing to look at.
    any: bool,
    wild: FxHashMap<ColId, Wild>,
    /// Columns that are never 0, as a filter or the way they were counted says.
    nonzero: FxHashSet<ColId>,
    /// Columns of which a later filter drops null and NaN alike.
    unseen: FxHashSet<ColId>,
    /// A step so far keeps rows by their number or order, or is a body: what a filter says is not true of all rows below it.
    counted: bool,
}

/// Whether an expression makes NaN of other numbers.
pub(crate) fn makes(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Arithmetic(a) => {
            e.ty == Type::Real && matches!(a.op, ArithmeticOp::Div | ArithmeticOp::Mod)
        }
        ExprKind::Call(f, _) => e.ty == Type::Real && MAKERS.binary_search(&f.name).is_ok(),
        ExprKind::Literal(Value::Real(x)) => !x.is_finite(),
        _ => false,
    }
}

/// Whether an operator does: a mean of no values.
pub(crate) fn has_mean(plan: &Plan) -> bool {
    match &*plan.op {
        Op::Aggregate(a) => a.aggregates.iter().any(is_mean),
        Op::TopNested(t) => t.levels.iter().any(|l| is_mean(&l.by)),
        Op::Plugin(p) => p.args.iter().any(is_mean_arg),
        _ => false,
    }
}

fn is_mean_arg(arg: &PluginArg) -> bool {
    matches!(arg, PluginArg::Aggregate(item) if is_mean(item))
}

fn is_mean(item: &AggregateItem) -> bool {
    match &item.call {
        AggregateCall::Function(f, _) => matches!(f.name, "avg" | "avgif"),
        AggregateCall::Composed { parts, .. } => parts.iter().any(is_mean),
        AggregateCall::ArgExtreme { .. } | AggregateCall::TakeAny { .. } => false,
    }
}

impl Nans {
    /// Of a query in which something [`makes`] NaN; of others there is nothing to know.
    pub(crate) fn of(query: &Query) -> Self {
        let mut nans = Self { any: true, unseen: Unseen::of(query), ..Self::default() };
        for binding in &query.bindings {
            match &binding.value {
                BindingValue::Table { plan, .. } => nans.plans(query, plan),
                BindingValue::Scalar(e) => {
                    let mut plans = Vec::new();
                    walk::visit_expr(e, &mut |p| plans.push(p), &mut |_| {});
                    plans.into_iter().rev().for_each(|p| nans.plan(query, p));
                }
            }
        }
        nans.plans(query, &query.plan);
        nans
    }

    /// Whether the value may be NaN.
    pub(crate) fn may_be(&self, query: &Query, e: &Expr) -> bool {
        self.any && e.ty == Type::Real && self.wild(query, e).nan
    }

    /// Whether the value may be NaN or infinite.
    pub(crate) fn may_be_infinite(&self, query: &Query, e: &Expr) -> bool {
        self.any && e.ty == Type::Real && self.wild(query, e) != Wild::default()
    }

    /// Whether a mean may stay NULL where it has no values.
    pub(crate) fn is_unseen(&self, id: ColId) -> bool {
        self.unseen.contains(&id)
    }

    /// The plans under one, those that others stand on first.
    fn plans(&mut self, query: &Query, root: &Plan) {
        let mut plans = Vec::new();
        walk::visit(root, &mut |p| plans.push(p), &mut |_| {});
        plans.into_iter().rev().for_each(|p| self.plan(query, p));
    }

    fn plan(&mut self, query: &Query, plan: &Plan) {
        match &*plan.op {
            Op::Filter { predicate, .. } => {
                if !self.counted {
                    self.filter(query, predicate);
                }
            }
            Op::Extend { items, .. } | Op::Project { items, .. } | Op::Serialize { items, .. } => {
                self.counted |= Uses::of(items.iter().map(|i| &i.expr)).window;
                items.iter().for_each(|i| self.item(query, i));
            }
            Op::Select { items, .. } => items.iter().for_each(|i| self.same(i.from, i.to)),
            Op::Aggregate(a) => {
                a.keys.iter().for_each(|k| self.item(query, k));
                let row = a.input.output.iter().filter_map(|id| self.wild.get(id));
                let row = row.fold(Wild::default(), |all, w| all.or(*w));
                for item in &a.aggregates {
                    self.aggregate(query, item, !a.keys.is_empty(), row);
                }
            }
            Op::TopNested(t) => {
                self.counted = true;
                for level in &t.levels {
                    self.item(query, &level.key);
                    self.aggregate(query, &level.by, true, Wild::default());
                }
            }
            Op::Join(j) => j.right_output.iter().for_each(|i| self.same(i.from, i.to)),
            Op::Union(u) => {
                let outs = plan.output.iter().filter(|id| Some(**id) != u.source);
                for (to, from) in outs.zip(&u.columns) {
                    self.any_of(from, *to);
                }
            }
            Op::Search(s) => {
                let outs = plan.output.iter().filter(|id| Some(**id) != s.source);
                for (to, from) in outs.zip(&s.columns) {
                    self.any_of(from, *to);
                }
            }
            Op::Ref(id) => {
                if let Some(BindingValue::Table { plan: table, .. }) =
                    query.bindings.get(id.0 as usize).map(|b| &b.value)
                {
                    for (from, to) in table.output.iter().zip(plan.output.iter()) {
                        self.same(*from, *to);
                    }
                }
            }
            Op::Values(v) => {
                for row in &v.rows {
                    for (id, e) in plan.output.iter().zip(row) {
                        if e.ty == Type::Real {
                            let wild = self.wild(query, e);
                            self.note(*id, wild);
                        }
                    }
                }
            }
            Op::Plugin(p) => {
                self.counted = true;
                if p.args.iter().any(is_mean_arg) {
                    for id in plan.output.iter().filter(|id| query.columns.ty(**id) == Type::Real) {
                        self.note(*id, Wild { nan: true, infinite: false });
                    }
                }
            }
            // A body's filter says nothing of the rows around it.
            Op::Rows | Op::Limit { .. } | Op::Top { .. } | Op::Partition { .. } | Op::Sequence(_) => {
                self.counted = true;
            }
            Op::Scan(_)
            | Op::Range(_)
            | Op::Distinct { .. }
            | Op::Sort { .. }
            | Op::Expand(_)
            | Op::Apply(_)
            | Op::MakeSeries(_)
            | Op::Parse(_)
            | Op::ParseKv(_)
            | Op::GetSchema { .. }
            | Op::Render { .. }
            | Op::Opaque { .. } => {}
        }
    }

    fn note(&mut self, id: ColId, wild: Wild) {
        if wild != Wild::default() {
            let known = self.wild.entry(id).or_default();
            *known = known.or(wild);
        }
    }

    fn same(&mut self, from: ColId, to: ColId) {
        if let Some(wild) = self.wild.get(&from).copied() {
            self.note(to, wild);
        }
        if self.nonzero.contains(&from) {
            self.nonzero.insert(to);
        }
    }

    fn any_of(&mut self, from: &[Option<ColId>], to: ColId) {
        for id in from.iter().flatten() {
            if let Some(wild) = self.wild.get(id).copied() {
                self.note(to, wild);
            }
        }
    }

    fn item(&mut self, query: &Query, item: &Item) {
        let [id] = item.ids.as_slice() else { return };
        if item.expr.as_column() == Some(*id) {
            return;
        }
        if item.expr.ty == Type::Real {
            let wild = self.wild(query, &item.expr);
            self.note(*id, wild);
        }
        if self.is_nonzero(query, &item.expr) {
            self.nonzero.insert(*id);
        }
    }

    fn aggregate(&mut self, query: &Query, item: &AggregateItem, grouped: bool, row: Wild) {
        match &item.call {
            AggregateCall::Function(f, args) => {
                let mean = matches!(f.name, "avg" | "avgif");
                let wild = args.iter().filter(|a| a.ty == Type::Real).map(|a| self.wild(query, a));
                let wild = wild.fold(Wild::default(), Wild::or);
                for id in &item.ids {
                    if query.columns.ty(*id) == Type::Real {
                        let none = Wild { nan: mean && !self.is_unseen(*id), infinite: false };
                        self.note(*id, wild.or(none));
                    }
                    // A group has a row.
                    if grouped && f.name == "count" {
                        self.nonzero.insert(*id);
                    }
                }
            }
            AggregateCall::ArgExtreme { by, returned, star, .. } => {
                let listed = std::iter::once(by).chain(returned);
                self.returned(query, &item.ids, listed, *star, row);
            }
            AggregateCall::TakeAny { returned, star, .. } => {
                self.returned(query, &item.ids, returned.iter(), *star, row);
            }
            AggregateCall::Composed { parts, expr } => {
                parts.iter().for_each(|p| self.aggregate(query, p, grouped, row));
                if let [id] = item.ids.as_slice()
                    && expr.ty == Type::Real
                {
                    let wild = self.wild(query, expr);
                    self.note(*id, wild);
                }
            }
        }
    }

    fn returned<'e>(
        &mut self,
        query: &Query,
        ids: &[ColId],
        exprs: impl Iterator<Item = &'e Expr>,
        star: bool,
        row: Wild,
    ) {
        let listed: Vec<&Expr> = exprs.collect();
        for (i, id) in ids.iter().enumerate() {
            if query.columns.ty(*id) == Type::Real {
                let wild = match listed.get(i) {
                    Some(e) => self.wild(query, e),
                    None if star => row,
                    None => Wild::default(),
                };
                self.note(*id, wild);
            }
        }
    }

    /// Columns that are not 0 in the rows that pass.
    fn filter(&mut self, query: &Query, predicate: &Expr) {
        for part in conjuncts(predicate) {
            let ExprKind::Compare(c) = &part.kind else { continue };
            let (Some(id), Some(limit)) = (c.left.as_column(), number(query, &c.right)) else { continue };
            let nonzero = match c.op {
                CompareOp::Gt => limit >= 0.0,
                CompareOp::Ge => limit > 0.0,
                CompareOp::Lt => limit <= 0.0,
                CompareOp::Le => limit < 0.0,
                CompareOp::Eq => limit != 0.0,
                CompareOp::Ne => limit == 0.0,
            };
            if nonzero {
                self.nonzero.insert(id);
            }
        }
    }

    fn is_nonzero(&self, query: &Query, e: &Expr) -> bool {
        match &e.kind {
            ExprKind::Column(id) => self.nonzero.contains(id),
            ExprKind::Cast(c) if e.ty.is_numeric() => {
                c.expr.ty.is_numeric() && self.is_nonzero(query, &c.expr)
            }
            ExprKind::Arithmetic(a) if a.op == ArithmeticOp::Mul => {
                self.is_nonzero(query, &a.left) && self.is_nonzero(query, &a.right)
            }
            ExprKind::Literal(Value::Timespan(t)) => *t != 0,
            _ => number(query, e).is_some_and(|n| n != 0.0),
        }
    }

    fn wild(&self, query: &Query, e: &Expr) -> Wild {
        match &e.kind {
            ExprKind::Literal(Value::Real(x)) => Wild { nan: x.is_nan(), infinite: x.is_infinite() },
            ExprKind::Column(id) => self.wild.get(id).copied().unwrap_or_default(),
            ExprKind::Let(id) => match query.bindings.get(id.0 as usize).map(|b| &b.value) {
                Some(BindingValue::Scalar(value)) => self.wild(query, value),
                Some(BindingValue::Table { .. }) | None => Wild::default(),
            },
            ExprKind::Subquery(plan) => {
                let first = plan.output.first().and_then(|id| self.wild.get(id));
                first.copied().unwrap_or_default()
            }
            ExprKind::Arithmetic(a) if e.ty == Type::Real => self.wild_arithmetic(query, a),
            ExprKind::Negate(x) => self.wild(query, x),
            ExprKind::Cast(c) if e.ty == Type::Real && c.expr.ty == Type::Real => self.wild(query, &c.expr),
            ExprKind::Case(branches, otherwise) => {
                branches.iter().fold(self.wild(query, otherwise), |all, (_, v)| all.or(self.wild(query, v)))
            }
            ExprKind::Call(f, _) if e.ty == Type::Real && MAKERS.binary_search(&f.name).is_ok() => Wild::ANY,
            ExprKind::Call(_, args) if e.ty == Type::Real => {
                let real = args.iter().filter(|a| a.ty == Type::Real);
                real.map(|a| self.wild(query, a)).fold(Wild::default(), Wild::or)
            }
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
            | ExprKind::Arithmetic(_)
            | ExprKind::Call(..)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Opaque(_) => Wild::default(),
        }
    }

    fn wild_arithmetic(&self, query: &Query, a: &Arithmetic) -> Wild {
        let (left, right) = (self.wild(query, &a.left), self.wild(query, &a.right));
        let both = left.or(right);
        match a.op {
            // Two infinities of opposite signs.
            ArithmeticOp::Add | ArithmeticOp::Sub => {
                Wild { nan: both.nan || left.infinite && right.infinite, ..both }
            }
            // Zero times infinity.
            ArithmeticOp::Mul => Wild { nan: both.nan || both.infinite, ..both },
            ArithmeticOp::Div => {
                let divisor = self.is_nonzero(query, &a.right);
                let zeros = !divisor && !self.is_nonzero(query, &a.left);
                Wild {
                    nan: both.nan || zeros || left.infinite && right.infinite,
                    infinite: left.infinite || !divisor,
                }
            }
            ArithmeticOp::Mod => {
                let divisor = self.is_nonzero(query, &a.right);
                Wild { nan: both.nan || left.infinite || !divisor, infinite: false }
            }
        }
    }
}

pub(super) fn conjuncts(e: &Expr) -> &[Expr] {
    match &e.kind {
        ExprKind::And(parts) => parts,
        _ => std::slice::from_ref(e),
    }
}

/// A constant number, also through a `let`.
fn number(query: &Query, e: &Expr) -> Option<f64> {
    match &e.kind {
        ExprKind::Literal(Value::Int(n)) => Some(f64::from(*n)),
        ExprKind::Literal(Value::Long(n)) => Some(*n as f64),
        ExprKind::Literal(Value::Real(x)) => Some(*x),
        ExprKind::Negate(x) => number(query, x).map(|n| -n),
        ExprKind::Cast(c) if c.expr.ty.is_numeric() && e.ty.is_numeric() => number(query, &c.expr),
        ExprKind::Let(id) => match &query.bindings.get(id.0 as usize)?.value {
            BindingValue::Scalar(value) => number(query, value),
            BindingValue::Table { .. } => None,
        },
        _ => None,
    }
}
