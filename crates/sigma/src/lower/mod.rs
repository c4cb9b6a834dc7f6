//! From the IR to the Sigma tree.
//!
//! In: a rule whose plan reads one table and filters it, or relates such events in time ([`correlation`]). Out: a document with
//! the same meaning, the rules that it refers to, and what they do not say ([`Loss`]); or why Sigma cannot say it. The plan is walked once: [`field`] knows what each column is called,
//! [`predicate`] turns conditions into [`node`]s, [`detection`] makes readable searches and a condition of them.

mod constant;
mod correlation;
mod detection;
mod envelope;
mod field;
mod node;
mod predicate;
mod text;

use crate::duration;
use crate::syntax::{LogSource, Modifier, Section, SigmaDocument, Value};
use field::Fields;
use node::Node;
use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_ir::{self as ir, BindingValue, Effect, Expr, Loss, Op, Plan, Source};
use std::cell::Cell;

/// What the caller chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LowerOptions {
    /// What a rule without a title of its own is called: the name of its file.
    pub title: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Lowered {
    /// The rule, or the correlation.
    pub document: SigmaDocument,
    /// The rules that a correlation refers to; they stand before it.
    pub base: Vec<SigmaDocument>,
    pub losses: Vec<Loss>,
    /// Where an alert is no row of the query: the columns that say which group it is about, with their names in the output.
    pub groups: Option<Vec<(ir::ColId, String)>>,
}

/// Makes the Sigma rule, or says everything that stands in the way.
pub fn lower(rule: &ir::Rule, options: &LowerOptions) -> Result<Lowered, Vec<Diagnostic>> {
    if !correlation::applies(&rule.query, &rule.query.plan) {
        return single(rule, options);
    }
    // Groups of which no number is asked are events of a single rule, too.
    correlation::lower(rule, options).or_else(|refusal| {
        single(rule, options).map_err(|found| if refusal.single { found } else { refusal.faults })
    })
}

/// The rule as one about single events.
fn single(rule: &ir::Rule, options: &LowerOptions) -> Result<Lowered, Vec<Diagnostic>> {
    let mut lowerer = Lowerer::new(&rule.query, rule.envelope.schedule.look_back);
    lowerer.plan(&rule.query.plan);
    let mut conjuncts = std::mem::take(&mut lowerer.conjuncts);
    if conjuncts.is_empty()
        && let Some(time) = lowerer.windowed.take()
    {
        // All events of a time: those that have one.
        conjuncts.push(node::Test::new(&time, vec![Modifier::Exists], vec![Value::bool(true)]).into());
    }
    let detection = detection::detection(node::all(conjuncts));
    if detection.is_none() && lowerer.faults.is_empty() {
        let help = "filter the rows: a Sigma rule must look for something";
        let message = "the query keeps every row, or none: there is nothing to look for";
        lowerer.refuse(codes::SIGMA_OUT_NO_CONDITION, rule.query.plan.span, message, help);
    }
    let Some(detection) = detection.filter(|_| lowerer.faults.is_empty()) else { return Err(lowerer.faults) };

    let (mut document, named) = envelope::document(&rule.envelope, options, &mut lowerer);
    if let Some(length) = lowerer.look_back.and_then(duration::format) {
        document.set(crate::lift::LOOK_BACK_KEY, envelope::plain(&length));
    }
    if document.logsource().is_none() {
        let source = LogSource::new(None, None, lowerer.table.as_deref());
        document.set("logsource", Section::LogSource(source));
    }
    document.set("detection", Section::Detection(detection));
    if let Some(shown) = &lowerer.shown {
        document.set_texts("fields", shown.iter().map(String::as_str));
    }
    if !named {
        // The same rule always gets the same id.
        let text = crate::syntax::print(std::slice::from_ref(&document), &ruleferry_doc::Comments::default());
        document.set("id", envelope::plain(&envelope::derived_id(&text)));
    }
    Ok(Lowered { document, base: Vec::new(), losses: lowerer.losses, groups: lowerer.groups })
}

/// The state of one lowering.
struct Lowerer<'q> {
    query: &'q ir::Query,
    fields: Fields<'q>,
    table: Option<String>,
    /// All of these must hold.
    conjuncts: Vec<Node>,
    /// The fields that the query shows, if it chooses them.
    shown: Option<Vec<String>>,
    /// In ticks: the rule's own, or what its condition on the time of events leaves of it.
    look_back: Option<i64>,
    /// The column that holds the time of the events.
    time: Option<ir::ColId>,
    /// The field that a condition on the time of events has asked for.
    windowed: Option<String>,
    /// Conditions that are said elsewhere.
    skip: Vec<*const Expr>,
    /// The keys of groups that the query makes of its events, with their fields.
    groups: Option<Vec<(ir::ColId, String)>>,
    losses: Vec<Loss>,
    faults: Vec<Diagnostic>,
    /// How many expressions may still be looked at: columns that are computed from columns can double at each step.
    budget: Cell<u32>,
    depth: Cell<u32>,
}

const BUDGET: u32 = 500_000;

/// How deep conditions may nest, computed columns written out.
const MAX_DEPTH: u32 = 200;

/// Columns that hold the time of an event in tables without a schema.
const TIME_COLUMNS: [&str; 2] = ["TimeGenerated", "Timestamp"];

impl<'q> Lowerer<'q> {
    fn new(query: &'q ir::Query, look_back: Option<i64>) -> Self {
        Self {
            query,
            fields: Fields::default(),
            table: None,
            conjuncts: Vec::new(),
            shown: None,
            look_back,
            time: None,
            windowed: None,
            skip: Vec::new(),
            groups: None,
            losses: Vec::new(),
            faults: Vec::new(),
            budget: Cell::new(BUDGET),
            depth: Cell::new(0),
        }
    }

    fn refuse(&mut self, code: Code, span: Span, message: impl Into<String>, help: &str) {
        let fault = Diagnostic::error(code, span, message);
        let fault = if help.is_empty() { fault } else { fault.with_help(help) };
        /// Nobody reads more.
        const MANY: usize = 100;
        if self.faults.len() < MANY && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn lose(&mut self, code: Code, effect: Effect, span: Span, detail: impl Into<String>) {
        let loss = Loss { code, effect, detail: detail.into(), span };
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }

    /// Walks a pipeline from its source upwards.
    fn plan(&mut self, plan: &'q Plan) {
        let mut chain = vec![plan];
        while let Some(input) = chain.last().and_then(|p| p.input()) {
            chain.push(input);
        }
        if let Some(source) = chain.pop() {
            self.source(source);
        }
        let chosen = chain
            .iter()
            .any(|p| matches!(*p.op, Op::Project { .. } | Op::Select { kind: ir::SelectKind::Keep, .. }));
        for plan in chain.into_iter().rev() {
            self.operator(plan);
        }
        if chosen {
            self.show(plan);
        }
    }

    fn source(&mut self, plan: &'q Plan) {
        match &*plan.op {
            Op::Scan(scan) => {
                match &scan.source {
                    Source::Table(table) if table.qualifiers.is_empty() => {
                        self.table = Some(table.name.to_string())
                    }
                    Source::Input(input) if input.kind == ir::InputKind::Table => {
                        self.table = Some(input.name.to_string());
                    }
                    Source::Table(_) | Source::Glob(_) | Source::Input(_) => {
                        let help = "read one table of the data source by its name";
                        let message = "a Sigma rule looks at the events of one log source";
                        self.refuse(codes::SIGMA_OUT_SOURCE, plan.span, message, help);
                    }
                }
                for id in plan.output.iter() {
                    self.fields.named(*id, self.query.columns.name(*id));
                }
                let by_name = || {
                    plan.output
                        .iter()
                        .copied()
                        .find(|id| TIME_COLUMNS.contains(&self.query.columns.name(*id)))
                };
                self.time = scan.time.or_else(by_name);
            }
            Op::Ref(id) => {
                let query = self.query;
                let Some(BindingValue::Table { plan: table, materialized: _ }) =
                    query.bindings.get(id.0 as usize).map(|b| &b.value)
                else {
                    return self.refuse_operator("a reference to something that is no table", plan.span);
                };
                self.plan(table);
                for (id, of) in plan.output.iter().zip(table.output.iter()) {
                    self.fields.same(*id, *of);
                    if self.time == Some(*of) {
                        self.time = Some(*id);
                    }
                }
            }
            Op::Values(_) => self.refuse_operator("rows that the query writes itself", plan.span),
            Op::Range(_) => self.refuse_operator("rows that the query makes itself", plan.span),
            Op::Union(_) => self.refuse_operator("a union of tables", plan.span),
            Op::Search(_) => self.refuse_operator("a search over several tables", plan.span),
            Op::Plugin(_) => self.refuse_operator("a plugin", plan.span),
            Op::Opaque { input: _, opaque } => self.refuse_operator(&format!("`{}`", opaque.text), plan.span),
            Op::Rows
            | Op::Filter { .. }
            | Op::Extend { .. }
            | Op::Project { .. }
            | Op::Select { .. }
            | Op::Aggregate(_)
            | Op::Distinct { .. }
            | Op::Join(_)
            | Op::Sort { .. }
            | Op::Limit { .. }
            | Op::Top { .. }
            | Op::Expand(_)
            | Op::Apply(_)
            | Op::MakeSeries(_)
            | Op::Parse(_)
            | Op::ParseKv(_)
            | Op::Serialize { .. }
            | Op::Partition { .. }
            | Op::Sequence(_)
            | Op::TopNested(_)
            | Op::GetSchema { .. }
            | Op::Render { .. } => self.refuse_operator("an operator without a table", plan.span),
        }
    }

    fn operator(&mut self, plan: &'q Plan) {
        match &*plan.op {
            Op::Filter { input: _, predicate } => self.filter(predicate),
            Op::Extend { input: _, items }
            | Op::Project { input: _, items }
            | Op::Serialize { input: _, items } => {
                for item in items {
                    if let [id] = item.ids.as_slice() {
                        self.fields.computed(*id, &item.expr);
                        self.follow_time(item.expr.as_column(), *id);
                    }
                }
            }
            Op::Select { input: _, kind: _, items } => {
                for item in items {
                    self.fields.same(item.to, item.from);
                    self.follow_time(Some(item.from), item.to);
                }
            }
            Op::Sort { .. } => self.lose_order(plan.span),
            Op::Limit { .. } => self.lose_limit(plan.span),
            Op::Top { .. } => {
                self.lose_order(plan.span);
                self.lose_limit(plan.span);
            }
            // A hint for people that changes no row.
            Op::Render { .. } => {}
            Op::Aggregate(a) => self.groups(a, plan.span),
            Op::Distinct { .. } => {
                let detail = "the query shows events that look alike once; in Sigma every event alerts";
                self.lose(codes::GROUPS_LOST, Effect::Widens, plan.span, detail);
            }
            Op::Join(_) => self.refuse_operator("a join", plan.span),
            Op::Expand(_) | Op::Apply(_) => self.refuse_operator("the expansion of arrays", plan.span),
            Op::MakeSeries(_) => self.refuse_operator("a series", plan.span),
            Op::Parse(_) | Op::ParseKv(_) => self.refuse_operator("the parsing of text", plan.span),
            Op::Partition { .. } => self.refuse_operator("`partition`", plan.span),
            Op::Sequence(_) => self.refuse_operator("a sequence of steps", plan.span),
            Op::TopNested(_) => self.refuse_operator("`top-nested`", plan.span),
            Op::GetSchema { .. } => self.refuse_operator("`getschema`", plan.span),
            Op::Plugin(_) => self.refuse_operator("a plugin", plan.span),
            Op::Opaque { input: _, opaque } => self.refuse_operator(&format!("`{}`", opaque.text), plan.span),
            // These start a pipeline.
            Op::Scan(_)
            | Op::Ref(_)
            | Op::Values(_)
            | Op::Range(_)
            | Op::Rows
            | Op::Union(_)
            | Op::Search(_) => {}
        }
    }

    /// Groups of events of which no number is asked: each event stands for its group.
    fn groups(&mut self, a: &'q ir::Aggregate, span: Span) {
        if a.keys.is_empty() {
            return self.refuse_operator("an aggregation", span);
        }
        let detail = "the query makes one row of a group of events; in Sigma every event alerts";
        self.lose(codes::GROUPS_LOST, Effect::Widens, span, detail);
        let mut groups = Vec::with_capacity(a.keys.len());
        let time = self.time;
        for key in &a.keys {
            if let [id] = key.ids.as_slice() {
                self.fields.computed(*id, &key.expr);
                self.follow_time(key.expr.as_column(), *id);
                groups.extend(self.fields.of_column(*id).map(|field| (*id, field)));
            }
        }
        for item in &a.aggregates {
            // The first or last time of a group is that of one of its events.
            let ([id], ir::AggregateCall::Function(f, args)) = (item.ids.as_slice(), &item.call) else {
                continue;
            };
            if let ("min" | "max", [of]) = (f.name, args.as_slice())
                && of.as_column().is_some()
                && of.as_column() == time
            {
                self.fields.computed(*id, of);
                self.time = Some(*id);
            }
        }
        self.groups = Some(groups);
    }

    /// A time column that is only passed on under another id stays one.
    fn follow_time(&mut self, from: Option<ir::ColId>, to: ir::ColId) {
        if from.is_some() && from == self.time {
            self.time = Some(to);
        }
    }

    /// Goes one level into an expression; false where it nests too deep, or too much has been looked at.
    fn enter(&self) -> bool {
        let left = self.budget.get().checked_sub(1);
        let enters = left.is_some() && self.depth.get() < MAX_DEPTH;
        self.budget.set(left.unwrap_or(0));
        if enters {
            self.depth.set(self.depth.get() + 1);
        }
        enters
    }

    fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }

    fn refuse_operator(&mut self, what: &str, span: Span) {
        let message = format!("{what} is more than a Sigma rule can say");
        let help = "a Sigma rule filters the events of one log source";
        self.refuse(codes::SIGMA_OUT_OPERATOR, span, message, help);
    }

    fn lose_order(&mut self, span: Span) {
        self.lose(codes::ORDER_LOST, Effect::Cosmetic, span, "Sigma does not order what it finds");
    }

    fn lose_limit(&mut self, span: Span) {
        let detail = "Sigma does not limit what it finds: all events that match are shown";
        self.lose(codes::LIMIT_LOST, Effect::Widens, span, detail);
    }

    /// The fields behind the columns that the query shows.
    fn show(&mut self, plan: &'q Plan) {
        let mut shown: Vec<String> = Vec::with_capacity(plan.output.len());
        for id in plan.output.iter() {
            match self.fields.of_column(*id) {
                Some(name) if !shown.contains(&name) => shown.push(name),
                Some(_) => {}
                None => {
                    let detail = format!(
                        "column `{}` is computed, which Sigma cannot say",
                        self.query.columns.name(*id)
                    );
                    self.lose(codes::COLUMN_LOST, Effect::Cosmetic, plan.span, detail);
                }
            }
        }
        self.shown = Some(shown).filter(|s| !s.is_empty());
    }

    /// Conditions on the time of events become the look-back, all others conjuncts.
    fn filter(&mut self, predicate: &'q Expr) {
        let operands = if let ir::ExprKind::And(operands) = &predicate.kind {
            operands.as_slice()
        } else {
            std::slice::from_ref(predicate)
        };
        for operand in operands {
            if self.skip.iter().any(|skipped| std::ptr::eq(*skipped, operand)) {
                continue;
            }
            match self.time_window(operand) {
                Some(window) => {
                    self.look_back = Some(self.look_back.map_or(window, |before| before.min(window)));
                    self.windowed = self.time.and_then(|id| self.fields.of_column(id));
                }
                None => {
                    let node = self.when_true(operand);
                    self.conjuncts.push(node);
                }
            }
        }
    }

    /// How far `TimeGenerated > ago(7d)` or `… between (ago(7d) .. now())` looks back.
    fn time_window(&self, e: &'q Expr) -> Option<i64> {
        use ir::CompareOp::{Ge, Gt, Le, Lt};
        let is_time = |e: &Expr| {
            e.as_column().is_some_and(|id| {
                let named =
                    || self.fields.of_column(id).is_some_and(|name| TIME_COLUMNS.contains(&name.as_str()));
                Some(id) == self.time || named()
            })
        };
        if let ir::ExprKind::Between(b) = &e.kind {
            let until_now = is_time(&b.subject) && self.is_now(&b.high);
            return if until_now { self.ago(&b.low) } else { None };
        }
        let ir::ExprKind::Compare(c) = &e.kind else { return None };
        match c.op {
            Gt | Ge if is_time(&c.left) => self.ago(&c.right),
            Lt | Le if is_time(&c.right) => self.ago(&c.left),
            ir::CompareOp::Eq | ir::CompareOp::Ne | Lt | Le | Gt | Ge => None,
        }
    }

    /// How long before now the expression is.
    fn ago(&self, e: &'q Expr) -> Option<i64> {
        let ir::ExprKind::Arithmetic(a) = &self.through_let(e).kind else { return None };
        if !self.is_now(&a.left) {
            return None;
        }
        let Some(ir::Value::Timespan(ticks)) = self.constant(&a.right) else { return None };
        let ticks = match a.op {
            ir::ArithmeticOp::Sub => ticks,
            ir::ArithmeticOp::Add => ticks.checked_neg()?,
            ir::ArithmeticOp::Mul | ir::ArithmeticOp::Div | ir::ArithmeticOp::Mod => return None,
        };
        duration::format(ticks).map(|_| ticks)
    }

    fn is_now(&self, e: &'q Expr) -> bool {
        matches!(self.through_let(e).kind, ir::ExprKind::Now)
    }

    /// What a `let` stands for, in place of its name.
    fn through_let(&self, mut e: &'q Expr) -> &'q Expr {
        // Bindings use only earlier ones, so this ends.
        while let ir::ExprKind::Let(id) = e.kind {
            match self.query.bindings.get(id.0 as usize).map(|b| &b.value) {
                Some(BindingValue::Scalar(value)) => e = value,
                Some(BindingValue::Table { .. }) | None => break,
            }
        }
        e
    }
}
