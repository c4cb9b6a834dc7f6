//! What a name means at a place: columns of the row first, then `let`s and parameters, innermost first; a name of neither
//! that stands over rows of an open (or too old) schema is learned as a column of it.

use super::learn::SourceKey;
use super::{Lifter, codes};
use crate::syntax::tree;
use ruleferry_diag::{Diagnostic, Span};
use ruleferry_ir::{self as ir, BindingId, ColId, Plan, Type};
use rustc_hash::{FxHashMap, FxHasher};
use smol_str::SmolStr;
use std::cell::RefCell;
use std::hash::Hasher;
use std::sync::Arc;

/// A relation that is being built.
#[derive(Clone, Debug)]
pub(crate) struct Rel {
    pub plan: Plan,
    /// Where columns that are not in the output may come from.
    pub origins: Origins,
    /// The rows are in an order that means something: window functions may stand.
    pub ordered: bool,
    /// Operators between the end and the source.
    pub depth: u32,
}

/// Sources all of whose columns still pass through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    /// Their schema says that there may be more columns.
    pub open: Vec<SourceKey>,
    /// Their schema says all, but it can be older or newer than the query.
    pub closed: Vec<SourceKey>,
    /// Open sources on the right of a join, whose columns may have got a suffix.
    pub suffixed: Vec<SourceKey>,
}

impl Origins {
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.closed.is_empty()
    }
}

/// What an expression sees. Made for each operator; cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    /// `let`s and parameters.
    pub env: Env,
    /// The row; none in a scalar `let`, in `print`, among the arguments of a table.
    pub row: Option<&'s Rel>,
    /// The other side, in the condition of a join; `row` is the left one.
    pub right: Option<&'s Rel>,
    /// Columns that `summarize` groups by: a `*` in an aggregate leaves them out.
    pub keys: &'s [ColId],
    /// Earlier steps of a `scan`.
    pub states: Option<&'s States>,
}

impl<'s> Scope<'s> {
    /// No row.
    pub const fn bare(env: Env) -> Self {
        Self { env, row: None, right: None, keys: &[], states: None }
    }

    pub const fn over(env: Env, row: &'s Rel) -> Self {
        Self { env, row: Some(row), right: None, keys: &[], states: None }
    }

    pub const fn with_keys(self, keys: &'s [ColId]) -> Self {
        Self { keys, ..self }
    }

    /// Columns of the row, for `*` and wildcards.
    pub fn columns(&self) -> &'s [ColId] {
        self.row.map_or(&[], |r| &r.plan.output)
    }

    /// Window functions (`prev`, `row_number`) may stand.
    pub fn windows(&self) -> bool {
        self.row.is_some_and(|r| r.ordered)
    }
}

/// Columns of the steps of a `scan`, made when they are first asked for.
#[derive(Debug, Default)]
pub(crate) struct States {
    pub steps: Vec<SmolStr>,
    /// (step, column of the row, id of the state).
    pub used: RefCell<Vec<(SmolStr, ColId, ColId)>>,
}

/// A place in the nest of `let` scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Env {
    frame: u32,
    /// Definitions of the frame that are visible: those before this number.
    upto: u32,
}

/// What a `let` or a parameter stands for.
#[derive(Clone, Debug)]
pub(crate) enum Def<'t> {
    /// A scalar `let`.
    Scalar(BindingId, Type),
    /// A value that is put in where its name stands: a parameter, or a `let` that depends on one.
    Inline(Arc<ir::Expr>, usize),
    /// A table `let`.
    Table(TableLet),
    /// A tabular argument that is lifted anew at each use, in the environment of the call.
    Lazy(&'t tree::Expr, Env),
    Function(FunctionRef<'t>),
    /// `declare pattern`
    Pattern,
    /// Rows that have no name of their own: those of an enclosing `mv-apply` or `partition`.
    Rows(Box<Rel>),
    /// A parameter of a function that is only looked at, not called: whether it is a table.
    Unbound {
        tabular: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct TableLet {
    pub binding: BindingId,
    pub output: Arc<[ColId]>,
    pub origins: Origins,
}

/// A `let` function and the scope that its body is read in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FunctionRef<'t> {
    pub function: &'t tree::Function,
    pub env: Env,
    pub name: &'t str,
    pub tabular: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// All `let` scopes of a query. A scope is never changed but by adding to it, so a function's body can be lifted later
/// in the scope that it was defined in.
#[derive(Debug, Default)]
pub(crate) struct Frames<'t>(Vec<Frame<'t>>);

#[derive(Debug)]
struct Frame<'t> {
    parent: Option<Env>,
    defs: FxHashMap<SmolStr, Vec<(u32, Def<'t>)>>,
    count: u32,
}

impl<'t> Frames<'t> {
    pub fn root(&mut self) -> Env {
        self.open(None)
    }

    /// A scope inside of `parent`.
    pub fn child(&mut self, parent: Env) -> Env {
        self.open(Some(parent))
    }

    fn open(&mut self, parent: Option<Env>) -> Env {
        let frame = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.push(Frame { parent, defs: FxHashMap::default(), count: 0 });
        Env { frame, upto: 0 }
    }

    /// Adds a definition; it is visible from the environment that comes back.
    #[must_use]
    pub fn define(&mut self, env: Env, name: &str, def: Def<'t>) -> Env {
        let Some(frame) = self.0.get_mut(env.frame as usize) else { return env };
        let at = frame.count;
        frame.count += 1;
        frame.defs.entry(SmolStr::new(name)).or_default().push((at, def));
        Env { frame: env.frame, upto: frame.count }
    }

    pub fn find(&self, env: Env, name: &str) -> Option<&Def<'t>> {
        let mut place = Some(env);
        while let Some(env) = place {
            let frame = self.0.get(env.frame as usize)?;
            let visible = |(at, _): &&(u32, Def<'t>)| *at < env.upto;
            if let Some((_, def)) = frame.defs.get(name).and_then(|d| d.iter().rev().find(visible)) {
                return Some(def);
            }
            place = frame.parent;
        }
        None
    }

    /// The `view` functions that can be seen, in the order in which they were defined: `search` and `union *` take them in.
    pub fn views(&self, env: Env) -> Vec<SmolStr> {
        let mut found: Vec<(u32, u32, SmolStr)> = Vec::new();
        let mut place = Some(env);
        while let Some(env) = place {
            let Some(frame) = self.0.get(env.frame as usize) else { break };
            #[expect(clippy::iter_over_hash_type, reason = "sorted below")]
            for (name, defs) in &frame.defs {
                let last = defs.iter().rev().find(|(at, _)| *at < env.upto);
                if let Some((at, Def::Function(f))) = last
                    && f.function.view
                {
                    found.push((env.frame, *at, name.clone()));
                }
            }
            place = frame.parent;
        }
        found.sort();
        found.into_iter().map(|(_, _, name)| name).collect()
    }
}

pub(super) fn name_hash(name: &str) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(name.as_bytes());
    let h = hasher.finish();
    // The upper half is the better mixed one; both are folded in.
    u32::try_from((h ^ (h >> 32)) & 0xFFFF_FFFF).unwrap_or(0)
}

impl<'t> Lifter<'t> {
    pub(super) fn hash_of(&self, id: ColId) -> u32 {
        self.hashes.get(id.0 as usize).copied().unwrap_or(0)
    }

    /// The column of this name among these.
    pub(crate) fn find_column(&self, columns: &[ColId], name: &str) -> Option<ColId> {
        let hash = name_hash(name);
        let same = |id: &&ColId| {
            self.hashes.get(id.0 as usize).is_some_and(|h| *h == hash) && self.columns.name(**id) == name
        };
        columns.iter().find(same).copied()
    }

    /// A column of the row by its name, if the row has it. Learns nothing.
    pub(crate) fn row_column(&self, scope: &Scope<'_>, name: &str) -> Option<ColId> {
        self.find_column(scope.columns(), name)
    }

    pub(crate) fn column_expr(&self, id: ColId, span: Span) -> ir::Expr {
        ir::Expr::column(id, self.columns.ty(id), span)
    }

    /// What a bare name stands for in an expression. Reports what cannot be resolved and always gives an expression.
    pub(crate) fn resolve(&mut self, name: &str, span: Span, scope: &Scope<'_>) -> ir::Expr {
        self.knowledge.see(name);
        if let Some(id) = self.row_column(scope, name) {
            self.learn_partial(id);
            return self.column_expr(id, span);
        }
        if let Some(e) = self.resolve_let(name, span, scope) {
            return e;
        }
        if let Some(row) = scope.row
            && let Some(id) = self.learn(row, name, span)
        {
            return self.column_expr(id, span);
        }
        self.unknown_name(name, span, scope.columns());
        self.placeholder(Type::Unknown, span)
    }

    /// A column of one relation (`$left.x`, `on x`, `project-away x`): found or learned; otherwise reported.
    pub(crate) fn column_of(&mut self, rel: &Rel, name: &str, span: Span) -> Option<ColId> {
        self.knowledge.see(name);
        let found = self.find_column(&rel.plan.output, name).or_else(|| self.learn(rel, name, span));
        match found {
            Some(id) => self.learn_partial(id),
            None => self.unknown_name(name, span, &rel.plan.output),
        }
        found
    }

    /// `$left.name` or `$right.name` in the condition of a join.
    pub(crate) fn side_column(&mut self, side: Side, name: &str, span: Span, scope: &Scope<'_>) -> ir::Expr {
        let rel = match side {
            Side::Left => scope.row,
            Side::Right => scope.right,
        };
        let Some(rel) = rel.filter(|_| scope.right.is_some()) else {
            let side = if side == Side::Left { "$left" } else { "$right" };
            self.error(
                codes::UNKNOWN_NAME,
                span,
                format!("`{side}` has a meaning only in the condition of a join"),
            );
            return self.placeholder(Type::Unknown, span);
        };
        match self.column_of(rel, name, span) {
            Some(id) => self.column_expr(id, span),
            None => self.placeholder(Type::Unknown, span),
        }
    }

    /// The column that holds the time of the event, for `ingestion_time()`.
    pub(crate) fn time_column(&mut self, scope: &Scope<'_>) -> Option<ColId> {
        let time = |id: &ColId| self.columns.ty(*id) == Type::Datetime;
        let names = ["TimeGenerated", "Timestamp"];
        names.iter().find_map(|n| self.row_column(scope, n)).filter(time)
    }

    /// The `let` function of this name.
    pub(crate) fn function(&self, scope: &Scope<'_>, name: &str) -> Option<FunctionRef<'t>> {
        match self.frames.find(scope.env, name)? {
            Def::Function(f) => Some(*f),
            Def::Scalar(..)
            | Def::Inline(..)
            | Def::Table(_)
            | Def::Lazy(..)
            | Def::Pattern
            | Def::Rows(_)
            | Def::Unbound { .. } => None,
        }
    }

    fn resolve_let(&mut self, name: &str, span: Span, scope: &Scope<'_>) -> Option<ir::Expr> {
        match self.frames.find(scope.env, name)? {
            Def::Scalar(binding, ty) => Some(ir::Expr::new(ir::ExprKind::Let(*binding), *ty, span)),
            Def::Inline(e, size) => {
                let (e, size) = (Arc::clone(e), *size);
                self.size += size;
                self.nodes += size;
                Some((*e).clone())
            }
            Def::Function(f) => {
                let f = *f;
                Some(self.call_scalar(f, &[], span, scope))
            }
            Def::Table(_) | Def::Lazy(..) | Def::Rows(_) => {
                self.error(
                    codes::TABLE_AS_VALUE,
                    span,
                    format!("`{name}` is a table, and a value is needed here"),
                );
                Some(self.placeholder(Type::Unknown, span))
            }
            Def::Pattern | Def::Unbound { .. } => None,
        }
    }

    /// `step.column` inside a `scan`, if there is such a step.
    pub(crate) fn step_column(
        &mut self,
        scope: &Scope<'_>,
        step: &str,
        column: &str,
        span: Span,
    ) -> Option<ir::Expr> {
        let states = scope.states?;
        let step = states.steps.iter().find(|s| *s == step)?;
        let id = self.column_of(scope.row?, column, span)?;
        let known =
            states.used.borrow().iter().find(|(s, c, _)| s == step && *c == id).map(|(_, _, state)| *state);
        let state = known.unwrap_or_else(|| {
            let state = self.add_column(SmolStr::new(column), self.columns.ty(id), span);
            states.used.borrow_mut().push((step.clone(), id, state));
            state
        });
        Some(self.column_expr(state, span))
    }

    fn unknown_name(&mut self, name: &str, span: Span, columns: &[ColId]) {
        if self.exhausted {
            return;
        }
        let message = format!("no column or `let` named `{name}` is in scope here");
        let mut diagnostic = Diagnostic::error(codes::UNKNOWN_NAME, span, message);
        if let Some(near) = self.nearest(columns, name) {
            diagnostic = diagnostic.with_help(format!("did you mean `{near}`?"));
        }
        self.diagnose(diagnostic);
    }

    /// The column name that is most like `name`.
    pub(crate) fn nearest(&self, columns: &[ColId], name: &str) -> Option<&str> {
        let limit = (name.len() / 3).clamp(1, 3);
        let near = columns.iter().map(|id| self.columns.name(*id));
        near.filter_map(|n| distance(n, name, limit).map(|d| (d, n))).min().map(|(_, n)| n)
    }
}

/// Edit distance without case, if it is at most `limit`.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > limit || a.len() > 64 {
        return None;
    }
    let b: Vec<u8> = b.bytes().map(|c| c.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let x = x.to_ascii_lowercase();
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let best = (diagonal + usize::from(x != *y)).min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
    }
    row.last().copied().filter(|d| *d <= limit)
}
