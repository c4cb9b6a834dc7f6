//! From the IR to KQL.
//!
//! In: a [`Query`] and [`LowerOptions`]. Out: the tree of a query that returns the same rows, and what it does not say
//! ([`Loss`]); or why there is no such query. Expressions are lowered in [`expr`] and [`matching`], operators in [`plan`].
//!
//! Kusto's strings have no null: a field that is absent in the source reads as `""`. Atoms that are false where the field
//! is absent are therefore plain KQL, unless they hold for the empty string; then the loss says which way it goes.

mod aggregate;
mod build;
mod expr;
mod glob;
mod literal;
mod matching;
mod plan;
mod rows;
mod source;

use crate::syntax::tree;
use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_ir::{Binding, BindingId, BindingValue, ColId, Effect, Loss, Query};
use rustc_hash::{FxHashMap, FxHashSet};

/// What the caller chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LowerOptions {
    /// The one time of the run, in ticks; without it the query asks the engine's clock.
    pub now: Option<i64>,
    /// How far the rule looks back, in ticks, where nothing around the query says it: a filter on the time column of
    /// every table.
    pub look_back: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct Lowered {
    pub query: tree::Query,
    pub losses: Vec<Loss>,
}

/// Makes the KQL of a query, or says everything that stands in the way.
pub fn lower(query: &Query, options: &LowerOptions) -> Result<Lowered, Vec<Diagnostic>> {
    let mut lowerer = Lowerer {
        query,
        options,
        losses: Vec::new(),
        told: FxHashSet::default(),
        faults: Vec::new(),
        parts: FxHashMap::default(),
        depth: 0,
    };
    let statements = lowerer.statements();
    if lowerer.faults.is_empty() {
        let query = tree::Query { statements, ..tree::Query::default() };
        Ok(Lowered { query, losses: lowerer.losses })
    } else {
        Err(lowerer.faults)
    }
}

/// The state of one lowering. Faults are collected; what has one becomes an error node, which never leaves this module.
struct Lowerer<'q> {
    query: &'q Query,
    options: &'q LowerOptions,
    losses: Vec<Loss>,
    /// The losses by what makes them different.
    told: FxHashSet<(&'static str, Effect, Span, String)>,
    faults: Vec<Diagnostic>,
    /// The aggregates inside of an expression over aggregates, by the column that stands for each.
    parts: FxHashMap<ColId, tree::Expr>,
    depth: u32,
}

/// How deep expressions and plans may nest; far above what people write, far below what a stack holds.
const MAX_DEPTH: u32 = 200;

/// Where an expression stands: what its value is used for.
#[derive(Clone, Copy, Debug)]
struct Cx {
    /// What it does to the alerts if a condition here holds too often.
    widened: Effect,
    /// Null and false must be told apart: under `not`, and where the value is kept.
    exact: bool,
}

impl Cx {
    /// A condition that drops rows.
    const FILTER: Self = Self { widened: Effect::Widens, exact: false };
    /// A value that is kept or computed with.
    const VALUE: Self = Self { widened: Effect::Unknown, exact: true };

    const fn negated(self) -> Self {
        Self { widened: self.widened.flipped(), exact: true }
    }
}

impl Lowerer<'_> {
    fn statements(&mut self) -> Vec<tree::Statement> {
        let query = self.query;
        let mut statements: Vec<_> = query.bindings.iter().map(|b| self.binding_statement(b)).collect();
        let main = build::tabular(self.pipeline(&query.plan));
        statements.push(build::statement(tree::StatementKind::Query(main)));
        statements
    }

    fn binding_statement(&mut self, binding: &Binding) -> tree::Statement {
        let value = match &binding.value {
            BindingValue::Scalar(e) => self.expr(e, Cx::VALUE),
            BindingValue::Table { plan, materialized } => {
                let value = build::tabular(self.pipeline(plan));
                if *materialized { wrapped(tree::WrapKind::Materialize, value) } else { value }
            }
        };
        let name = build::name(binding.name.clone());
        build::statement(tree::StatementKind::Let { name, value: tree::LetValue::Expr(value) })
    }

    fn binding_name(&self, id: BindingId) -> tree::Expr {
        let name = self.query.bindings.get(id.0 as usize).map(|b| b.name.clone());
        build::named(name.unwrap_or_default())
    }

    fn column_name(&self, id: ColId) -> &str {
        self.query.columns.name(id)
    }

    /// Reports why there is no KQL, and stands in for it.
    fn refuse(&mut self, code: Code, span: Span, message: impl Into<String>) -> tree::Expr {
        self.fault(Diagnostic::error(code, span, message));
        build::expr(tree::ExprKind::Error)
    }

    fn fault(&mut self, fault: Diagnostic) {
        /// Nobody reads more.
        const MANY: usize = 100;
        if self.faults.len() < MANY && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn lose(&mut self, code: Code, effect: Effect, span: Span, detail: impl Into<String>) {
        let detail = detail.into();
        if self.told.insert((code.0, effect, span, detail.clone())) {
            self.losses.push(Loss { code, effect, detail, span });
        }
    }

    /// Runs `f` one level deeper, or refuses what nests too deep.
    fn deeper<T>(&mut self, span: Span, otherwise: T, f: impl FnOnce(&mut Self) -> T) -> T {
        if self.depth >= MAX_DEPTH {
            self.fault(
                Diagnostic::error(codes::KQL_OUT_TOO_DEEP, span, "the query is nested too deep for KQL")
                    .with_help("split it into several rules or steps"),
            );
            return otherwise;
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }
}

fn wrapped(kind: tree::WrapKind, value: tree::Expr) -> tree::Expr {
    build::expr(tree::ExprKind::Wrapped(Box::new(tree::Wrapped { kind, params: Vec::new(), value })))
}
