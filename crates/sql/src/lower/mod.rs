//! From the IR to SQL.
//!
//! In: a [`Query`]. Out: [`Lowered`]. Expressions are lowered in [`expr`], operators in [`plan`], which fuses a pipeline into as
//! few SELECT blocks ([`block`]) as its meaning allows and chains the blocks as CTEs.

mod block;
mod close;
mod expr;
mod nan;
mod outs;
mod plan;
mod select;
mod unseen;
pub(crate) mod walk;

pub(crate) use expr::instantiate;
pub use expr::unread_templates;
pub(crate) use outs::Unique;

use crate::dialect::Dialect;
use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_ir::{
    Binding, BindingId, BindingValue, ColId, Expr, ExprKind, InputKind, Loss, Op, Plan, Query, Source, Type,
    Value,
};
use ruleferry_targets::Capability;
use ruleferry_targets::sql::{self, MacroDef};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use sqlparser::ast;
use std::collections::BTreeSet;

/// What the caller chooses.
#[derive(Clone, Debug)]
pub struct SqlOptions {
    pub dialect: &'static Dialect,
    /// The one time of the run, in ticks; without it the engine's own clock is asked.
    pub now: Option<i64>,
    /// How far a rule looks back, in ticks: a filter on the time column of every scan whose query does not bound it.
    pub look_back: Option<i64>,
}

/// A macro script and one SELECT.
#[derive(Clone, Debug)]
pub struct Script {
    /// Lines of the comment at the top.
    pub header: Vec<String>,
    /// The macros that the query calls, each behind those that it needs.
    pub macros: Vec<&'static MacroDef>,
    pub select: ast::Query,
}

/// An input from outside the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub kind: InputKind,
    pub name: SmolStr,
    pub columns: Vec<(SmolStr, Type)>,
}

#[derive(Clone, Debug)]
pub struct Lowered {
    pub script: Script,
    pub losses: Vec<Loss>,
    pub needs: Vec<Need>,
    pub assumptions: Vec<String>,
}

/// Why something has no SQL.
#[derive(Debug)]
pub(crate) struct Refusal(pub Box<Diagnostic>);

impl Refusal {
    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self(Box::new(Diagnostic::error(code, span, message)))
    }

    #[must_use]
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self(Box::new((*self.0).with_help(help)))
    }
}

pub(crate) type Result<T> = std::result::Result<T, Refusal>;

/// What a column of the IR is called at one place of the SQL.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    ids: Vec<ColId>,
    exprs: Vec<ast::Expr>,
    /// The columns of the row, in order: what `* has "x"` looks at.
    row: Vec<ColId>,
    /// Columns that hold no NULL.
    present: Vec<ColId>,
    /// The order of rows that window functions see (the last `sort`), and the partition they stay in.
    pub order: Vec<ast::OrderByExpr>,
    pub partition: Vec<ast::Expr>,
    /// Aggregates stand over the rows of a group, which has at least one.
    pub grouped: bool,
}

impl Scope {
    fn with_capacity(n: usize) -> Self {
        Self { ids: Vec::with_capacity(n), exprs: Vec::with_capacity(n), ..Self::default() }
    }

    /// The SQL for a column: a name, a qualified name, or the expression that computes it.
    pub(crate) fn get(&self, id: ColId) -> Option<&ast::Expr> {
        let at = self.ids.iter().position(|i| *i == id)?;
        self.exprs.get(at)
    }

    /// The columns of the row in order.
    pub(crate) fn row(&self) -> &[ColId] {
        &self.row
    }

    /// Whether SQL may give NULL for the column.
    pub(crate) fn is_present(&self, id: ColId) -> bool {
        self.present.contains(&id)
    }

    fn set_present(&mut self, id: ColId) {
        if !self.present.contains(&id) {
            self.present.push(id);
        }
    }

    /// Adds a column of the row.
    pub(crate) fn push(&mut self, id: ColId, expr: ast::Expr) {
        self.define(id, expr);
        self.row.push(id);
    }

    /// Adds a name that is no column of the row (a part of a composed aggregate).
    pub(crate) fn define(&mut self, id: ColId, expr: ast::Expr) {
        match self.ids.iter().position(|i| *i == id).and_then(|at| self.exprs.get_mut(at)) {
            Some(old) => *old = expr,
            None => {
                self.ids.push(id);
                self.exprs.push(expr);
            }
        }
    }
}

/// The state of one lowering.
pub(crate) struct Lowerer<'q> {
    pub query: &'q Query,
    pub options: &'q SqlOptions,
    /// Names of the macros that were called.
    pub macros: BTreeSet<SmolStr>,
    pub needs: Vec<Need>,
    pub losses: Vec<Loss>,
    pub assumptions: Vec<String>,
    /// Lower-case names of CTEs and tables in use.
    names: FxHashSet<String>,
    depth: u32,
    /// The CTEs so far, in order.
    ctes: Vec<ast::Cte>,
    /// Names of CTEs that the source named, which stay.
    kept: FxHashSet<String>,
    recursive: bool,
    /// `let` tables that have their CTE.
    tables: FxHashMap<BindingId, TableInfo>,
    /// How many bodies that read a row around them are being lowered; inside, sub-selects stand where CTEs would.
    lateral: u32,
    /// The rows of the innermost `mv-apply` body.
    row: Option<Frame>,
    /// The rows of the innermost `partition` body.
    rows_block: Option<block::Block>,
    /// The `let` table being lowered: its steps are named after it.
    prefix: Option<SmolStr>,
    /// Whether a macro's text, or that of one that it needs, holds a word.
    macro_words: FxHashMap<(SmolStr, &'static str), bool>,
    /// How often columns of sources are read below a computed one, were all steps between written out in one expression; columns
    /// that are not listed count for one.
    weights: FxHashMap<ColId, u32>,
    /// Time columns that the query bounds: how far back from now, in ticks.
    bounds: Vec<(ColId, i64)>,
    nans: nan::Nans,
}

/// The CTE of a `let` table.
#[derive(Clone, Debug)]
struct TableInfo {
    name: SmolStr,
    columns: Vec<block::SourceColumn>,
    open: bool,
}

/// What the body of `mv-apply` stands on.
#[derive(Clone, Debug)]
struct Frame {
    /// The elements.
    relation: block::Relation,
    /// The columns of the row around them.
    around: Vec<block::Out>,
}

/// How deep expressions and plans may nest; far above what people write, far below what a stack holds.
const MAX_DEPTH: u32 = 200;

impl<'q> Lowerer<'q> {
    fn new(query: &'q Query, options: &'q SqlOptions) -> Self {
        Self {
            query,
            options,
            macros: BTreeSet::new(),
            needs: Vec::new(),
            losses: Vec::new(),
            assumptions: Vec::new(),
            names: FxHashSet::default(),
            depth: 0,
            ctes: Vec::new(),
            kept: FxHashSet::default(),
            recursive: false,
            tables: FxHashMap::default(),
            lateral: 0,
            row: None,
            rows_block: None,
            prefix: None,
            macro_words: FxHashMap::default(),
            weights: FxHashMap::default(),
            bounds: Vec::new(),
            nans: nan::Nans::default(),
        }
    }

    pub(crate) fn dialect(&self) -> &'static Dialect {
        self.options.dialect
    }

    pub(crate) fn ty(&self, id: ColId) -> Type {
        self.query.columns.ty(id)
    }

    pub(crate) fn binding(&self, id: BindingId) -> Option<&'q Binding> {
        self.query.bindings.get(id.0 as usize)
    }

    /// Runs `f` one level deeper, or refuses what nests too deep.
    pub(crate) fn deeper<T>(&mut self, span: Span, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Refusal::new(codes::SQL_TOO_DEEP, span, "the query is nested too deep for SQL")
                .help("split it into several `let` statements"));
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    /// Notes that the script needs a macro of the target.
    pub(crate) fn use_macro(&mut self, name: &str) {
        if !self.macros.contains(name) {
            self.macros.insert(name.into());
        }
    }

    pub(crate) fn assume(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.assumptions.contains(&text) {
            self.assumptions.push(text);
        }
    }

    pub(crate) fn lose(&mut self, loss: Loss) {
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }

    /// A name for a CTE or alias that nothing else in the script has: `base`, `base_2`, …
    pub(crate) fn fresh(&mut self, base: &str) -> SmolStr {
        let mut name = SmolStr::new(base);
        let mut n = 1;
        while !self.names.insert(name.to_lowercase()) {
            n += 1;
            name = SmolStr::new(format!("{base}_{n}"));
        }
        name
    }

    /// A whole query for a plan that depends on no row around it: `toscalar(…)`, `in (subquery)`. Its columns are
    /// those of `plan.output`, in order. Blocks that it is made of become CTEs of the script.
    pub(crate) fn subquery(&mut self, plan: &Plan) -> Result<ast::Query> {
        let mut block = self.block(plan)?;
        // Exactly the columns of the plan, in order.
        if !block.outs.iter().map(|o| o.id).eq(plan.output.iter().copied()) {
            plan::sort_outs(&mut block, &plan.output);
        }
        block.explicit = true;
        if block.is_trivial() && block.sources.iter().any(|s| s.columns.len() > 1) || block.outs.len() > 1 {
            block.explicit = false;
        }
        self.finish(block, true)
    }

    /// The name of the first output column of [`Self::subquery`].
    pub(crate) fn column_name(&self, id: ColId) -> &'q str {
        self.query.columns.name(id)
    }
}

impl Lowerer<'_> {
    /// The name of a step: after the `let` table that it belongs to.
    fn fresh_step(&mut self, hint: &str) -> SmolStr {
        match self.prefix.clone() {
            Some(prefix) => self.fresh(&format!("{prefix}_{hint}")),
            None => self.fresh(hint),
        }
    }

    /// Takes the names of all tables and looks for bounds on time, before anything is lowered.
    fn survey(&mut self) -> Result<()> {
        let mut wide = None;
        let mut names = Vec::new();
        let mut bounds = Vec::new();
        let query = self.query;
        let literal = |e: &Expr| literal_span(query, e);
        let makes_nan = std::cell::Cell::new(false);
        let mut on_plan = |p: &Plan| {
            if nan::has_mean(p) {
                makes_nan.set(true);
            }
            if p.output.len() > MAX_COLUMNS {
                wide = Some(p.span);
            }
            match &*p.op {
                Op::Scan(scan) => match &scan.source {
                    Source::Table(t) => names.push(t.name.to_lowercase()),
                    Source::Input(i) => names.push(i.name.to_lowercase()),
                    Source::Glob(_) => {}
                },
                Op::Filter { predicate, .. } => {
                    let parts = match &predicate.kind {
                        ExprKind::And(parts) => parts.as_slice(),
                        _ => std::slice::from_ref(predicate),
                    };
                    bounds.extend(parts.iter().filter_map(|e| plan::time_bound(e, &literal)));
                }
                _ => {}
            }
        };
        let mut on_expr = |e: &Expr| {
            if nan::makes(e) {
                makes_nan.set(true);
            }
        };
        let mut plans = vec![&query.plan];
        for binding in &query.bindings {
            match &binding.value {
                BindingValue::Table { plan, .. } => plans.push(plan),
                BindingValue::Scalar(e) => walk::visit_expr(e, &mut on_plan, &mut on_expr),
            }
        }
        for plan in plans {
            walk::visit(plan, &mut on_plan, &mut on_expr);
        }
        if makes_nan.get() {
            if self.dialect().can(Capability::NotANumber) {
                self.nans = nan::Nans::of(query);
            } else {
                self.assume(format!("{} has no NaN: NULL stands for it", self.dialect().title));
            }
        }
        self.names.extend(names);
        self.bounds = bounds;
        match wide {
            Some(span) => {
                let message = format!("a step has more than {MAX_COLUMNS} columns");
                Err(Refusal::new(codes::SQL_TOO_LARGE, span, message))
            }
            None => Ok(()),
        }
    }
}

/// A constant time span, also through a `let`.
fn literal_span(query: &Query, e: &Expr) -> Option<i64> {
    let mut e = e;
    // Bindings only use earlier ones, so this ends.
    for _ in 0..query.bindings.len() + 4 {
        e = match &e.kind {
            ExprKind::Literal(Value::Timespan(ticks)) => return Some(*ticks),
            ExprKind::Let(id) => match &query.bindings.get(id.0 as usize)?.value {
                BindingValue::Scalar(inner) => inner,
                BindingValue::Table { .. } => return None,
            },
            ExprKind::Cast(c) => &c.expr,
            _ => return None,
        };
    }
    None
}

impl Lowerer<'_> {
    /// The names of the values that stand in the text where the source named them.
    fn header(&mut self) -> Vec<String> {
        const SHOWN: usize = 60;
        let macros = self.macros.clone();
        let mut lines = Vec::new();
        for binding in &self.query.bindings {
            let BindingValue::Scalar(e) = &binding.value else { continue };
            let literal =
                matches!(&e.kind, ExprKind::Literal(_) | ExprKind::Arithmetic(_) | ExprKind::Cast(_));
            if !literal || walk::Uses::of([e]).subquery {
                continue;
            }
            let Ok(value) = self.expr(e, &Scope::default()) else { continue };
            let own = if self.dialect().generic {
                Some(value)
            } else {
                crate::adapt::adapt_value(self.dialect(), value)
            };
            let Some(value) = own else { continue };
            let value = value.to_string();
            let text = if value.chars().count() > SHOWN {
                format!("{}: a value of {} characters", binding.name, value.chars().count())
            } else {
                format!("{}: {value}", binding.name)
            };
            lines.push(text);
        }
        // What only the comment calls is not needed.
        self.macros = macros;
        if !lines.is_empty() {
            lines.insert(0, "Values of the rule, by the names that it gives them:".to_owned());
        }
        lines
    }
}

/// Tables that macros read: inputs that a query needs without naming them.
const MACRO_TABLES: &[(&str, &[(&str, Type)])] = &[
    (
        "geo_ip_ranges",
        &[
            ("first_ip", Type::String),
            ("last_ip", Type::String),
            ("country", Type::String),
            ("state", Type::String),
            ("city", Type::String),
            ("latitude", Type::Real),
            ("longitude", Type::Real),
        ],
    ),
    (
        "user_agent_patterns",
        &[
            ("kind", Type::String),
            ("place", Type::Int),
            ("pattern", Type::String),
            ("family", Type::String),
            ("part1", Type::String),
            ("part2", Type::String),
            ("part3", Type::String),
            ("part4", Type::String),
        ],
    ),
];

/// Engines write the columns of a step out where the next one reads them: `x = f(x, x)` in twenty steps is a million reads. A
/// step whose columns stand for more than this is computed and kept.
const MAX_WEIGHT: u32 = 256;

/// The names of a table's columns in emitted queries: the second of two that differ only in case gets a suffix.
pub fn table_columns<'q>(query: &'q Query, columns: &'q [ColId]) -> impl Iterator<Item = (ColId, SmolStr)> {
    let mut given = outs::Unique::with_capacity(columns.len());
    columns.iter().map(move |id| {
        let wanted = query.columns.get(*id).map(|c| &c.name);
        (*id, wanted.map_or_else(SmolStr::default, |name| given.name(name)))
    })
}

/// Queries that nest deeper than this are lowered on a stack of their own size: workers have small ones.
const DEEP: u32 = 16;
const LARGE_STACK: usize = 64 * 1024 * 1024;

/// Expressions of a query with its scalar `let`s written out; real ones have some thousands.
const MAX_SIZE: usize = 250_000;
/// Columns of one step; far beyond what a table has.
const MAX_COLUMNS: usize = 10_000;

/// An assumption that a conversion lists: times have no digits below the microsecond.
pub const TICKS_CUT: &str = "digits of times below the microsecond are cut off";

/// Lowers a query to a script.
pub fn lower(query: &Query, options: &SqlOptions) -> std::result::Result<Lowered, Vec<Diagnostic>> {
    if query.expanded_size() > MAX_SIZE {
        let message = format!("the query has more than {MAX_SIZE} values and conditions");
        let refused = Refusal::new(codes::SQL_TOO_LARGE, query.plan.span, message).help(
            "put the values into a table and look them up there; name what repeats as a table by `let`",
        );
        return Err(vec![*refused.0]);
    }
    if walk::depth(query) <= DEEP {
        return lower_here(query, options);
    }
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .stack_size(LARGE_STACK)
            .spawn_scoped(scope, || lower_here(query, options));
        let refused = || {
            let why =
                Refusal::new(codes::SQL_TOO_DEEP, query.plan.span, "the query is nested too deep for SQL");
            Err(vec![*why.0])
        };
        match worker.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(done)) => done,
            Ok(Err(_)) | Err(_) => refused(),
        }
    })
}

fn lower_here(query: &Query, options: &SqlOptions) -> std::result::Result<Lowered, Vec<Diagnostic>> {
    let mut l = Lowerer::new(query, options);
    l.survey().map_err(|r| vec![*r.0])?;
    l.assumptions.clone_from(&query.assumptions);
    let block = l.block(&query.plan).map_err(|r| vec![*r.0])?;
    let select = l.finish(block, true).map_err(|r| vec![*r.0])?;
    let select = l.with_ctes(select);
    let header = l.header();
    let select = if options.dialect.generic {
        select
    } else {
        options.dialect.assumes.iter().for_each(|text| l.assume(*text));
        if options.dialect.can(Capability::LikeFoldsAscii) {
            l.assume("where case is ignored, that of letters beyond ASCII counts");
        }
        crate::adapt::adapt(options.dialect, select).map_err(|why| {
            let message = format!("{why} has no form in {}", options.dialect.title);
            vec![*Refusal::new(codes::SQL_OPERATOR, query.plan.span, message).0]
        })?
    };
    let macros = sql::macro_closure(options.dialect.name, l.macros.iter().map(SmolStr::as_str));
    for (table, columns) in MACRO_TABLES {
        if macros.iter().any(|m| m.text.contains(table)) {
            let columns = columns.iter().map(|(n, t)| (SmolStr::new(n), *t)).collect();
            l.needs.push(Need { kind: InputKind::Table, name: SmolStr::new(table), columns });
        }
    }
    Ok(Lowered {
        script: Script { header, macros, select },
        losses: l.losses,
        needs: l.needs,
        assumptions: l.assumptions,
    })
}
