//! From the YARA-L tree to the IR.
//!
//! In: one rule of a file. Out: [`Lifted`]: a rule over the tables `UDM` (events), `GRAPH` (entities) and `DETECTION`, whose
//! columns are the paths that the rule uses; or why it has no meaning here.
//!
//! How a rule becomes a plan (docs of the modules say more):
//! - [`plain`]: events of other tables, as the lowering writes them.
//! - [`path`]: fields to columns, typed from UDM; an absent field has the zero value of its type.
//! - [`event`]: each event variable is a pipeline over its table; a repeated field without `any` or `all` is expanded, so that
//!   all predicates hold in one copy of the event.
//! - [`bind`]: placeholders, and which predicate belongs to which variable.
//! - [`rows`]: variables joined on what they share, within the windows of `match`.
//! - [`outcome`]: aggregates over the joined rows, and the condition on them.

mod bind;
mod compare;
mod envelope;
mod event;
mod function;
mod make;
mod outcome;
mod path;
mod plain;
mod rows;
mod value;

pub use envelope::envelope;

use crate::plain::{LookBack, Tables};
use crate::syntax::print_expr;
use crate::syntax::tree::{self, Rule, WindowKind};
use event::{EventVar, Quantified};
use indexmap::IndexMap;
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::{self as ir, AggregateItem, ColId, Columns, Expr, Query, Type};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::{SmolStr, format_smolstr};
use std::cell::RefCell;

#[derive(Clone, Debug)]
pub struct Lifted {
    pub rule: ir::Rule,
    pub warnings: Vec<Diagnostic>,
}

/// Gives a rule its meaning, or says everything that stands in the way.
pub fn lift(rule: &Rule) -> Result<Lifted, Vec<Diagnostic>> {
    lift_over(rule, &LiftOptions::default())
}

/// What a caller knows of rules that were converted to YARA-L.
#[derive(Clone, Copy, Default)]
pub struct LiftOptions<'t> {
    /// The tables of their events.
    pub tables: Option<&'t dyn Tables>,
    /// All events lie in one window: what a rule with `over` finds in one look at the length of its window.
    pub one_window: bool,
    /// The period of the events, where the rule is looked at as a query of one run.
    pub look_backs: &'t [LookBack],
}

/// The same with what the caller knows.
pub fn lift_over(rule: &Rule, options: &LiftOptions<'_>) -> Result<Lifted, Vec<Diagnostic>> {
    let window = rule.matching.as_ref().and_then(|m| m.window.as_ref());
    let hops = window.is_some_and(|w| w.kind == WindowKind::Hop);
    let mut lifter = Lifter {
        rule,
        tables: options.tables,
        one_window: hops && options.one_window,
        look_backs: options.look_backs,
        columns: Columns::default(),
        vars: IndexMap::new(),
        placeholders: IndexMap::new(),
        joined: false,
        quantified: None,
        counted: None,
        current: None,
        outcomes: IndexMap::new(),
        keys: IndexMap::new(),
        window: None,
        aggregates: Vec::new(),
        present: FxHashSet::default(),
        presence: IndexMap::new(),
        outer: IndexMap::new(),
        inputs: FxHashSet::default(),
        assumptions: Vec::new(),
        numbers: RefCell::default(),
        faults: Vec::new(),
        warnings: Vec::new(),
    };
    let envelope = envelope(rule);
    let plan = lifter.plan();
    match plan {
        Some(plan) if lifter.faults.is_empty() => {
            let query = Query {
                columns: lifter.columns,
                bindings: Vec::new(),
                plan,
                assumptions: lifter.assumptions,
            };
            Ok(Lifted { rule: ir::Rule { envelope, query }, warnings: lifter.warnings })
        }
        Some(_) | None => {
            if lifter.faults.is_empty() {
                let message = "the rule has no events that could be looked for";
                lifter.faults.push(Diagnostic::error(codes::YARAL_RULE, rule.span.0, message));
            }
            Err(lifter.faults)
        }
    }
}

/// The state of one lift.
struct Lifter<'t> {
    rule: &'t Rule,
    tables: Option<&'t dyn Tables>,
    /// The windows of `match` are not told apart.
    one_window: bool,
    look_backs: &'t [LookBack],
    columns: Columns,
    vars: IndexMap<SmolStr, EventVar>,
    placeholders: IndexMap<SmolStr, Placeholder>,
    /// Several variables are joined: what is read behind the join are columns of its own.
    joined: bool,
    /// The field of an `any` or `all` is being walked.
    quantified: Option<Quantified>,
    /// The arrays of the `any` or `all` of the test that is being lifted.
    counted: Option<Quantified>,
    /// The variable to which the predicate belongs that is being lifted.
    current: Option<SmolStr>,
    /// Outcomes so far, with their columns.
    outcomes: IndexMap<SmolStr, Expr>,
    /// The columns of the match variables in the groups.
    keys: IndexMap<SmolStr, Expr>,
    /// Start of the window and its length in ticks.
    window: Option<(ColId, i64)>,
    /// The aggregates that outcome and condition ask for.
    aggregates: Vec<AggregateItem>,
    /// Columns that hold a value in every row that is left.
    present: FxHashSet<ColId>,
    /// Variables whose events need not be there.
    presence: IndexMap<SmolStr, rows::Presence>,
    /// Of those that are joined all the same: how a row tells that there is an event.
    outer: IndexMap<SmolStr, Expr>,
    /// Lists from outside that an assumption was noted for.
    inputs: FxHashSet<SmolStr>,
    assumptions: Vec<String>,
    /// How often a name was asked for.
    numbers: RefCell<FxHashMap<SmolStr, u32>>,
    faults: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

/// A placeholder: a name for a value of one or several event variables.
#[derive(Debug, Default)]
struct Placeholder {
    /// The value in the rows of each variable.
    bindings: Vec<Binding>,
}

#[derive(Clone, Debug)]
struct Binding {
    var: SmolStr,
    expr: Expr,
    /// Of a function call: match drops no zero values then.
    computed: bool,
}

/// In which rows an expression is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cx {
    /// Those of one event variable.
    Row,
    /// Those of all variables joined.
    Joined,
    /// Groups: what outcome and condition speak of.
    Grouped,
}

/// Nobody reads more.
const MANY: usize = 100;

impl Lifter<'_> {
    fn fault(&mut self, fault: Diagnostic) {
        if self.faults.len() < MANY && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn warn(&mut self, warning: Diagnostic) {
        if self.warnings.len() < MANY && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    fn assume(&mut self, assumption: String) {
        if !self.assumptions.contains(&assumption) {
            self.assumptions.push(assumption);
        }
    }

    /// The value with its zero value where it may be absent.
    fn filled(&self, e: Expr) -> Expr {
        if self.is_present(&e) { e } else { make::filled(e) }
    }

    fn is_present(&self, e: &Expr) -> bool {
        match &e.kind {
            ir::ExprKind::Column(id) => self.present.contains(id),
            _ => make::never_null(e) || path::time_of(e).is_some_and(|time| self.is_present(time)),
        }
    }

    /// A fault of the rule, and what stands in for it.
    fn wrong(&mut self, span: Span, message: impl Into<String>, help: &str) -> Expr {
        let fault = Diagnostic::error(codes::YARAL_RULE, span, message);
        self.fault(if help.is_empty() { fault } else { fault.with_help(help) });
        Expr::bool(false, span)
    }

    /// A construct that the IR does not have: the rule can still be printed in its own language.
    fn opaque(&self, e: &tree::Expr, reason: &str, ty: Type) -> Expr {
        self.opaque_text(&print_expr(e), reason, ty, e.span.0)
    }

    fn opaque_text(&self, text: &str, reason: &str, ty: Type, span: Span) -> Expr {
        Expr::opaque("yaral", text, reason.to_owned(), ty, span)
    }

    /// A name that no column has yet.
    fn unique_name(&self, base: &str) -> SmolStr {
        let mut numbers = self.numbers.borrow_mut();
        if let Some(number) = numbers.get_mut(base) {
            *number += 1;
            // Nothing else ends in a blank and a number.
            return format_smolstr!("{base} {number}");
        }
        let taken = self.columns.iter().any(|(_, c)| c.name == base);
        numbers.insert(base.into(), if taken { 2 } else { 1 });
        if taken { format_smolstr!("{base} 2") } else { base.into() }
    }
}
