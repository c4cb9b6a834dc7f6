//! From the IR to a rule of YARA-L 2.0.
//!
//! In: a rule of the IR. Out: the tree of a rule that finds the same, what it does not say ([`Loss`]) and what it rests on;
//! or why there is none. [`source`] finds out what a row of the plan is made of (events, joins, one grouping), [`columns`]
//! where each column comes from, [`cond`] and [`text`] write conditions, [`value`] values, [`outcome`] what is counted,
//! [`envelope`] the rule around it.
//!
//! Events of YARA-L have no missing fields: a field that is absent reads as `""`, 0 or false. Conditions there are true or
//! false, never null. So each test is written by when it must hold, and where the zero value of an absent field would make it
//! hold otherwise than in the source, that is told ([`codes::EMPTY_IS_MISSING`]).

mod columns;
mod cond;
mod constant;
mod envelope;
mod outcome;
mod source;
mod text;
mod time;
mod value;
mod window;

use crate::plain::{self, LookBack};
use crate::syntax::tree;
use columns::Origin;
use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_ir::{self as ir, ColId, Effect, Expr, Loss};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

/// What the caller chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LowerOptions {
    /// What a rule without a title of its own is called: the name of its file.
    pub title: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Lowered {
    pub rule: tree::Rule,
    pub losses: Vec<Loss>,
    /// What the rule rests on, for people.
    pub assumptions: Vec<String>,
    /// Lists that the rule looks values up in: name, and the column if it is a table.
    pub lists: Vec<(SmolStr, Option<SmolStr>)>,
    /// Its events are those of one table, so that it reads back as a rule over it.
    pub one_table: bool,
    /// Conditions on the time of events that are the period of the rule, if its events are those of one table.
    pub look_backs: Vec<LookBack>,
}

/// Makes the rule, or says everything that stands in the way.
pub fn lower(rule: &ir::Rule, options: &LowerOptions) -> Result<Lowered, Vec<Diagnostic>> {
    let mut lowerer = Lowerer {
        query: &rule.query,
        look_back: rule.envelope.schedule.look_back,
        origins: FxHashMap::default(),
        keys: FxHashMap::default(),
        scopes: 0,
        events: Vec::new(),
        scans: Vec::new(),
        joins: Vec::new(),
        distances: Vec::new(),
        counted: Vec::new(),
        stage: None,
        having: Vec::new(),
        placeholders: Vec::new(),
        outcomes: Vec::new(),
        names: FxHashSet::default(),
        place: Place::Events,
        flipped: false,
        inverted: false,
        losses: Vec::new(),
        told: FxHashSet::default(),
        assumptions: Vec::new(),
        lists: Vec::new(),
        faults: Vec::new(),
        budget: BUDGET,
        depth: 0,
    };
    let made = lowerer.rule(rule, options);
    if lowerer.faults.is_empty() {
        Ok(Lowered {
            rule: made,
            losses: lowerer.losses,
            assumptions: lowerer.assumptions,
            lists: lowerer.lists,
            one_table: lowerer.scans.len() == 1,
            look_backs: lowerer.scans.first().map(|s| s.bounds.clone()).unwrap_or_default(),
        })
    } else {
        Err(lowerer.faults)
    }
}

/// An expression and the use of a `let` table that its columns belong to: 0 outside of all.
#[derive(Clone, Copy, Debug)]
struct At<'q> {
    scope: u32,
    e: &'q Expr,
}

/// A column in a scope.
type ColRef = (u32, ColId);

/// Which section a value is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Fields of events stand for themselves.
    Events,
    /// In the outcome of a rule that groups: match variables and outcomes alone.
    Outcome,
    /// In the condition: outcomes, compared with constants.
    Condition,
}

impl Place {
    /// Whether columns are those of groups.
    const fn of_groups(self) -> bool {
        matches!(self, Self::Outcome | Self::Condition)
    }
}

/// An event variable.
#[derive(Clone, Debug, Default)]
struct Event {
    name: SmolStr,
    /// Its table is `UDM`; `None` until it is known.
    udm: Option<bool>,
    /// The rule finds what has no such event.
    absent: bool,
}

/// One use of a table.
#[derive(Clone, Debug)]
struct Scanned {
    event: usize,
    /// How far the query looks back in it, in ticks.
    look_back: Option<i64>,
    /// The conditions that say so.
    bounds: Vec<LookBack>,
}

/// Rows of two sides that are put together where the keys are equal.
#[derive(Clone, Debug)]
struct Joined<'q> {
    /// Which sides must be equal, and whether in any case.
    keys: Vec<(source::Side<'q>, source::Side<'q>, bool)>,
    span: Span,
}

/// A variable that stands for a value, and the values of each event that must be equal to it.
#[derive(Clone, Debug)]
struct Placeholder {
    name: SmolStr,
    values: Vec<tree::Expr>,
    /// The rule groups by it.
    matched: bool,
}

/// The state of one lowering. Faults are collected; what has one becomes an error node, which never leaves this module.
struct Lowerer<'q> {
    query: &'q ir::Query,
    /// In ticks: how far the rule's file says that it looks back.
    look_back: Option<i64>,
    origins: FxHashMap<ColRef, Origin<'q>>,
    /// Columns that the rows are grouped by, and the placeholder of each.
    keys: FxHashMap<ColRef, usize>,
    scopes: u32,
    events: Vec<Event>,
    scans: Vec<Scanned>,
    joins: Vec<Joined<'q>>,
    /// How far the events of two variables are apart: the second is later than the first by at least and at most so many ticks.
    distances: Vec<(usize, usize, Option<i64>, Option<i64>)>,
    /// The event variables that make rows of their own in a group; none where that is not known.
    counted: Vec<usize>,
    stage: Option<outcome::Stage<'q>>,
    /// Conditions on the groups.
    having: Vec<At<'q>>,
    placeholders: Vec<Placeholder>,
    outcomes: Vec<outcome::Made>,
    /// Variables that are taken.
    names: FxHashSet<SmolStr>,
    place: Place,
    /// Inside of what must be absent: to find too much there is to find too little.
    flipped: bool,
    /// Inside of a `not` around what is written.
    inverted: bool,
    losses: Vec<Loss>,
    told: FxHashSet<(&'static str, Effect, Span, String)>,
    assumptions: Vec<String>,
    lists: Vec<(SmolStr, Option<SmolStr>)>,
    faults: Vec<Diagnostic>,
    /// How many expressions may still be looked at: columns that are computed from columns can double at each step.
    budget: u32,
    depth: u32,
}

const BUDGET: u32 = 500_000;

/// How deep conditions may nest, computed columns written out. Less than the parser reads, with its parentheses.
const MAX_DEPTH: u32 = 100;

impl<'q> Lowerer<'q> {
    /// Reports why there is no such rule, and stands in for it.
    fn refuse(&mut self, code: Code, span: Span, message: impl Into<String>, help: &str) -> tree::Expr {
        let fault = Diagnostic::error(code, span, message);
        let fault = if help.is_empty() { fault } else { fault.with_help(help) };
        /// Nobody reads more.
        const MANY: usize = 100;
        if self.faults.len() < MANY && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
        tree::Expr::new(tree::ExprKind::Error)
    }

    fn cannot(&mut self, span: Span, what: &str) -> tree::Expr {
        let help = "YARA-L compares fields of events with constants and with one another";
        self.refuse(codes::YARAL_OUT_CONDITION, span, format!("YARA-L cannot say {what}"), help)
    }

    fn lose(&mut self, code: Code, effect: Effect, span: Span, detail: impl Into<String>) {
        let detail = detail.into();
        if self.told.insert((code.0, effect, span, detail.clone())) {
            self.losses.push(Loss { code, effect, detail, span });
        }
    }

    fn assume(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.assumptions.contains(&what) {
            self.assumptions.push(what);
        }
    }

    /// Runs `f` one level deeper, or refuses what nests too deep or is too large.
    fn deeper<T>(&mut self, span: Span, otherwise: T, f: impl FnOnce(&mut Self) -> T) -> T {
        let left = self.budget.checked_sub(1);
        if self.depth >= MAX_DEPTH || left.is_none() {
            let message = "the rule is too large or nested too deep for YARA-L";
            self.refuse(codes::YARAL_OUT_LIMIT, span, message, "split it into several rules");
            return otherwise;
        }
        self.budget = left.unwrap_or(0);
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    /// A variable's name that is not taken yet, near to what is wanted.
    fn fresh(&mut self, wanted: &str) -> SmolStr {
        let base = envelope::identifier(wanted, "value");
        let numbered = (2..).map(|n| SmolStr::from(format!("{base}_{n}")));
        let name = std::iter::once(base.clone()).chain(numbered).find(|n| !self.names.contains(n));
        let name = name.unwrap_or(base);
        self.names.insert(name.clone());
        name
    }

    /// The field of an event variable that a column of its table is.
    fn event_field(&self, event: usize, column: &str) -> tree::Field {
        let (name, udm) =
            self.events.get(event).map_or(("e", false), |e| (e.name.as_str(), e.udm == Some(true)));
        if udm && column.split('.').all(crate::syntax::is_identifier) {
            tree::Field::path(name, column)
        } else if udm {
            udm_field(name, column)
        } else {
            plain::field(name, column)
        }
    }

    fn event_path(&self, event: usize, path: &str) -> tree::Expr {
        tree::Expr::field(self.events.get(event).map_or("e", |e| e.name.as_str()), path)
    }
}

/// A path of UDM with brackets, as a column is named by it: `additional.fields["x"]`, `principal.ip[0]`.
fn udm_field(var: &str, column: &str) -> tree::Field {
    let text = format!("rule r {{ events: $x.{column} = \"\" condition: $x }}");
    let parsed = crate::syntax::parse(&text);
    let read = parsed.file.rules.first().and_then(|r| r.events.first()).map(|e| &e.kind);
    if !parsed.has_errors()
        && let Some(tree::ExprKind::Compare(c)) = read
        && let tree::ExprKind::Field(field) = &c.left.kind
        && parsed.file.rules.len() == 1
    {
        return tree::Field { var: var.into(), steps: field.steps.clone() };
    }
    plain::field(var, column)
}
