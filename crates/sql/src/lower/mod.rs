//! From the IR to SQL.
//!
//! In: a [`Query`]. Out: [`Lowered`]. Expressions are lowered in [`expr`], operators in [`plan`], which fuses a pipeline into as
//! few SELECT blocks ([`block`]) as its meaning allows and chains the blocks as CTEs.

mod expr;

use crate::build;
use crate::dialect::Dialect;
use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_ir::{Binding, BindingId, ColId, InputKind, Loss, Plan, Query, Type};
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
    /// Names of the macros that the query calls, sorted; the target's data has their text.
    pub macros: Vec<SmolStr>,
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
    columns: FxHashMap<ColId, ast::Expr>,
    /// The columns of the row, in order: what `* has "x"` looks at.
    row: Vec<ColId>,
    /// The order of rows that window functions see (the last `sort`), and the partition they stay in.
    pub order: Vec<ast::OrderByExpr>,
    pub partition: Vec<ast::Expr>,
}

impl Scope {
    /// The SQL for a column: a name, a qualified name, or the expression that computes it.
    pub(crate) fn get(&self, id: ColId) -> Option<&ast::Expr> {
        self.columns.get(&id)
    }

    /// The columns of the row in order.
    pub(crate) fn row(&self) -> &[ColId] {
        &self.row
    }

    /// Adds a column of the row.
    pub(crate) fn push(&mut self, id: ColId, expr: ast::Expr) {
        self.define(id, expr);
        self.row.push(id);
    }

    /// Adds a name that is no column of the row (a part of a composed aggregate).
    pub(crate) fn define(&mut self, id: ColId, expr: ast::Expr) {
        self.columns.insert(id, expr);
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
        let _ = plan;
        unreachable!("placeholder until plan lowering lands")
    }

    /// The name of the first output column of [`Self::subquery`].
    pub(crate) fn column_name(&self, id: ColId) -> &'q str {
        self.query.columns.name(id)
    }
}
