//! Lift: from the syntax tree of a query to the IR.
//!
//! In: a [`tree::Query`] without error nodes. Out: an [`ir::Query`] with typed columns and bindings, or diagnostics that say
//! why not. Columns of tables whose schema is not known are learned from their use: the tree is lifted again with what the
//! pass before learned, until nothing new turns up.
//!
//! Division of labour: `statement` (lets, functions, the query), `source` (what stands before the first pipe), `op` (one
//! operator each), `expr` (scalar expressions, aggregates, names that Kusto generates), `scope` (what a name means).

mod expr;
mod learn;
mod op;
mod scope;
mod source;
mod statement;

use crate::syntax::tree;
use indexmap::IndexSet;
use learn::{Knowledge, SourceKey};
use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_ir as ir;
use rustc_hash::FxHashMap;
use scope::{Def, Env, Frames};
use smol_str::SmolStr;

pub(crate) use scope::Scope;

/// What the lift may know besides the tree.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiftOptions<'a> {
    /// The text that the tree's spans point into; opaque nodes keep their part of it.
    pub source: &'a str,
}

/// Tables that the caller has: those of event files.
///
/// A table that no shipped schema knows gets its columns from here; one that a schema knows may have columns beyond it.
pub trait DataTables {
    /// Columns and types of a table; `None` where the caller has no such table.
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, ir::Type)>>;

    /// The type of one column.
    fn column(&self, table: &str, name: &str) -> Option<ir::Type> {
        self.columns(table)?.into_iter().find(|(n, _)| n == name).map(|(_, ty)| ty)
    }

    /// The names of all tables, in order, for wildcards.
    fn names(&self) -> Vec<SmolStr>;
}

/// What a lift gives.
#[derive(Debug)]
pub struct Lifted {
    /// None if there is an error among the diagnostics.
    pub query: Option<ir::Query>,
    pub diagnostics: Vec<Diagnostic>,
    /// How many constructs the IR does not have.
    pub opaque: usize,
}

/// Nested expressions, sub-queries and function calls beyond this are refused.
const MAX_DEPTH: u32 = 160;
/// Operators on one path from the query's end to its source.
const MAX_PLAN_DEPTH: u32 = 600;
/// Calls of `let` functions that are expanded in one query.
const MAX_EXPANSIONS: u32 = 2_000;
/// Columns and copied expressions in one query: what expansion may blow a small text up to.
const MAX_SIZE: usize = 400_000;
/// Nodes of one query, copies included: far above the longest list that people write.
const MAX_NODES: usize = 600_000;
/// Columns of one operator; far beyond what a service takes.
const MAX_COLUMNS: usize = 10_000;
/// Columns times inputs of one union.
const MAX_UNION: usize = 2_000_000;
/// Passes for learning columns; each but the last one has learned something.
const MAX_PASSES: usize = 6;

/// Lifts a query. The tree must come from a parse without errors: error nodes are refused here, but a parser can also skip
/// text without leaving one, so look at its diagnostics first.
pub fn lift(query: &tree::Query, options: &LiftOptions<'_>) -> Lifted {
    lift_with(query, options, None)
}

/// The same, with tables of the caller.
pub fn lift_with(query: &tree::Query, options: &LiftOptions<'_>, data: Option<&dyn DataTables>) -> Lifted {
    let mut knowledge = Knowledge::new(options.source);
    let mut pass = 1;
    loop {
        let mut lifter = Lifter::new(options, data, knowledge);
        let plan = lifter.query(query);
        if lifter.knowledge.finish_pass() && pass < MAX_PASSES {
            pass += 1;
            knowledge = lifter.knowledge;
            continue;
        }
        return lifter.finish(plan);
    }
}

/// State of one pass over a tree.
pub(crate) struct Lifter<'t> {
    options: &'t LiftOptions<'t>,
    data: Option<&'t dyn DataTables>,
    pub(crate) columns: ir::Columns,
    /// Hash of each column's name, by column id: what a look-up compares first.
    hashes: Vec<u32>,
    pub(crate) bindings: Vec<ir::Binding>,
    /// Names of bindings and inputs so far, with how often each was asked for.
    taken: FxHashMap<SmolStr, u32>,
    pub(crate) frames: Frames<'t>,
    pub(crate) knowledge: Knowledge,
    diagnostics: Vec<Diagnostic>,
    assumptions: IndexSet<String>,
    opaque: usize,
    depth: u32,
    expansions: u32,
    /// Let functions being expanded, innermost last: a function that calls itself is refused.
    calling: Vec<&'t tree::Function>,
    /// Bodies of scalar functions around this place: their `let`s may hold columns of a row.
    inlining: u32,
    /// `mv-apply` and `partition` bodies around this place: their rows have no name.
    correlated: u32,
    /// What `as` has named so far, anywhere in the query.
    as_names: FxHashMap<SmolStr, Def<'t>>,
    /// `set query_bin_auto_size` and `set query_bin_auto_at`: what `bin_auto` goes by.
    bin_auto: [Option<&'t tree::Expr>; 2],
    /// Names of inputs by what they are.
    inputs: FxHashMap<SmolStr, SmolStr>,
    /// Output columns of unions that some open input lacks: where else they are to be learned if they are used.
    partial: FxHashMap<ir::ColId, Vec<SourceKey>>,
    /// Learned columns of this pass, in the scans that have them.
    learned_ids: FxHashMap<ir::ColId, (SourceKey, SmolStr)>,
    size: usize,
    /// Nodes of the tree so far, copies included: what an argument costs each time that it is put in.
    nodes: usize,
    /// A limit was hit: everything after is skipped quietly.
    exhausted: bool,
}

impl<'t> Lifter<'t> {
    fn new(options: &'t LiftOptions<'t>, data: Option<&'t dyn DataTables>, knowledge: Knowledge) -> Self {
        Self {
            options,
            data,
            columns: ir::Columns::default(),
            hashes: Vec::new(),
            bindings: Vec::new(),
            taken: FxHashMap::default(),
            frames: Frames::default(),
            knowledge,
            diagnostics: Vec::new(),
            assumptions: IndexSet::new(),
            opaque: 0,
            depth: 0,
            expansions: 0,
            calling: Vec::new(),
            inlining: 0,
            correlated: 0,
            as_names: FxHashMap::default(),
            bin_auto: [None; 2],
            inputs: FxHashMap::default(),
            partial: FxHashMap::default(),
            learned_ids: FxHashMap::default(),
            size: 0,
            nodes: 0,
            exhausted: false,
        }
    }

    fn finish(mut self, plan: Option<ir::Plan>) -> Lifted {
        self.diagnostics.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
        self.diagnostics.dedup();
        let mut assumptions = self.knowledge.assumptions();
        assumptions.extend(std::mem::take(&mut self.assumptions));
        let failed = self.diagnostics.iter().any(Diagnostic::is_error);
        let (columns, bindings) = (self.columns, self.bindings);
        let query = plan.filter(|_| !failed).map(|plan| ir::Query { columns, bindings, plan, assumptions });
        Lifted { query, diagnostics: self.diagnostics, opaque: self.opaque }
    }

    /// A new column. All columns must be made here.
    pub(crate) fn add_column(&mut self, name: impl Into<SmolStr>, ty: ir::Type, span: Span) -> ir::ColId {
        let name = name.into();
        self.hashes.push(scope::name_hash(&name));
        self.size += 1;
        self.columns.add(name, ty, span)
    }

    pub(crate) fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, span, message));
    }

    pub(crate) fn diagnose(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// A line for people about something that the query does not say. Said once.
    pub(crate) fn assume(&mut self, text: impl Into<String>) {
        self.assumptions.insert(text.into());
    }

    /// Goes one level down; `false` (with a diagnostic) where that is too deep. Every `true` needs a [`Self::leave`].
    pub(crate) fn enter(&mut self, span: Span) -> bool {
        if self.exhausted {
            return false;
        }
        if self.depth >= MAX_DEPTH {
            self.exhaust(codes::LIFT_TOO_DEEP, span, format!("nested more than {MAX_DEPTH} levels deep"));
            return false;
        }
        if self.size > MAX_SIZE {
            self.exhaust(
                codes::LIFT_TOO_LARGE,
                span,
                "the query grows too large when its functions are expanded".into(),
            );
            return false;
        }
        if self.nodes >= MAX_NODES {
            self.exhaust(codes::LIFT_TOO_LARGE, span, format!("more than {MAX_NODES} values and conditions"));
            return false;
        }
        self.depth += 1;
        self.nodes += 1;
        true
    }

    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Whether an operator may have so many columns; reports if not.
    fn allows_columns(&mut self, count: usize, span: Span) -> bool {
        if count > MAX_COLUMNS {
            self.exhaust(codes::LIFT_TOO_LARGE, span, format!("more than {MAX_COLUMNS} columns"));
        }
        count <= MAX_COLUMNS
    }

    /// Reports a limit, once.
    fn exhaust(&mut self, code: Code, span: Span, message: String) {
        if !self.exhausted {
            self.exhausted = true;
            self.error(code, span, message);
        }
    }

    /// The source text under a span.
    pub(crate) fn text(&self, span: Span) -> &'t str {
        span.text(self.options.source)
    }

    /// A scalar construct that the IR does not have, with its source text.
    pub(crate) fn opaque(&mut self, reason: impl Into<String>, ty: ir::Type, span: Span) -> ir::Expr {
        self.opaque += 1;
        ir::Expr::opaque("kql", self.text(span), reason.into(), ty, span)
    }

    /// What stands where an error was reported; the plan that holds it is thrown away.
    pub(crate) fn placeholder(&self, ty: ir::Type, span: Span) -> ir::Expr {
        ir::Expr::literal(ir::Value::Null(ty), span)
    }

    /// A name for a binding or an input that no other one of the query has.
    pub(crate) fn unique_name(&mut self, name: &str) -> SmolStr {
        let mut candidate = SmolStr::new(name);
        loop {
            match self.taken.get_mut(&candidate) {
                None => {
                    self.taken.insert(candidate.clone(), 1);
                    return candidate;
                }
                Some(count) => {
                    *count += 1;
                    candidate = SmolStr::from(format!("{name}_{count}"));
                }
            }
        }
    }

    pub(crate) fn bind(&mut self, name: &str, value: ir::BindingValue, span: Span) -> ir::BindingId {
        let name = self.unique_name(name);
        let id = ir::BindingId(u32::try_from(self.bindings.len()).unwrap_or(u32::MAX));
        self.bindings.push(ir::Binding { name, value, span });
        id
    }

    /// The constant behind an expression, through scalar `let`s.
    pub(crate) fn constant<'e>(&'e self, e: &'e ir::Expr) -> Option<&'e ir::Value> {
        let mut e = e;
        // A binding refers to earlier ones only, so this ends; the bound is for safety.
        for _ in 0..64 {
            match &e.kind {
                ir::ExprKind::Literal(value) => return Some(value),
                ir::ExprKind::Let(id) => match &self.bindings.get(id.0 as usize)?.value {
                    ir::BindingValue::Scalar(bound) => e = bound,
                    ir::BindingValue::Table { .. } => return None,
                },
                _ => return None,
            }
        }
        None
    }

    /// The text behind an expression that is a string constant.
    pub(crate) fn constant_text<'e>(&'e self, e: &'e ir::Expr) -> Option<&'e str> {
        self.constant(e).and_then(ir::Value::as_str)
    }

    /// The environment of a query's top level.
    fn root(&mut self) -> Env {
        self.frames.root()
    }
}
