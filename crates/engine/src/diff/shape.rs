//! A query as people speak of it: where the events come from, what they must meet, what is made of them.
//!
//! In: an [`ir::Query`]. Out: a [`Flow`], in which neighbouring filters are one, `let`s are written out, and tests are in
//! negation normal form with the values apart, so that two ways of writing one thing have one form. It says how two rules
//! differ and never whether they do: that is the prover's part. So it may leave out, and stops at a [`BUDGET`].

use super::predicate::{Node, Predicates};
use super::render::Renderer;
use ruleferry_diag::Span;
use ruleferry_ir::{self as ir, Op, Plan};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

/// What a change is about; the names are part of the record's contract.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    PredicateRemoved,
    PredicateAdded,
    /// A condition was written anew.
    Predicate,
    /// A value that is looked for.
    Literal,
    Case,
    /// `any of` against `all of`.
    Quantifier,
    Negation,
    /// `contains` against `endswith`, `==` against `has`.
    Operator,
    /// The field that is looked at.
    Field,
    Threshold,
    /// A length of time: look-back, bins, `ago(…)`.
    Window,
    Table,
    Join,
    Key,
    Aggregate,
    Distinct,
    Limit,
    Order,
    /// A computed column.
    Column,
    /// A column that is returned.
    Output,
    /// Any other operator.
    Step,
    Frequency,
    Trigger,
    /// How long alerts are held back after one.
    Suppression,
    Enabled,
}

impl ChangeKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::PredicateRemoved => "predicate-removed",
            Self::PredicateAdded => "predicate-added",
            Self::Predicate => "predicate",
            Self::Literal => "literal",
            Self::Case => "case",
            Self::Quantifier => "quantifier",
            Self::Negation => "negation",
            Self::Operator => "operator",
            Self::Field => "field",
            Self::Threshold => "threshold",
            Self::Window => "window",
            Self::Table => "table",
            Self::Join => "join",
            Self::Key => "key",
            Self::Aggregate => "aggregate",
            Self::Distinct => "distinct",
            Self::Limit => "limit",
            Self::Order => "order",
            Self::Column => "column",
            Self::Output => "output",
            Self::Step => "step",
            Self::Frequency => "frequency",
            Self::Suppression => "suppression",
            Self::Trigger => "trigger",
            Self::Enabled => "enabled",
        }
    }
}

/// What more rows below a place do to the rows above it: more, fewer, or who knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polarity {
    More,
    Fewer,
    Unclear,
}

impl Polarity {
    pub const fn then(self, next: Self) -> Self {
        match (self, next) {
            (Self::Unclear, _) | (_, Self::Unclear) => Self::Unclear,
            (Self::More, Self::More) | (Self::Fewer, Self::Fewer) => Self::More,
            (Self::More, Self::Fewer) | (Self::Fewer, Self::More) => Self::Fewer,
        }
    }

    /// Of a place that is reached on two ways.
    pub const fn both(self, other: Self) -> Self {
        match (self, other) {
            (Self::More, Self::More) => Self::More,
            (Self::Fewer, Self::Fewer) => Self::Fewer,
            (Self::More | Self::Fewer | Self::Unclear, _) => Self::Unclear,
        }
    }
}

/// Rows on their way: a head, what the rows must meet, and operators each with what follows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flow {
    pub head: Head,
    pub rows: Rows,
    pub steps: Vec<(Step, Rows)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Head {
    Leaf(Part),
    Union(Vec<Flow>),
}

impl Default for Head {
    fn default() -> Self {
        Self::Union(Vec::new())
    }
}

/// What changes no row but drops, names and orders them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// All of these must hold.
    pub filter: Vec<Node>,
    pub columns: Vec<Part>,
    pub order: Option<Part>,
}

/// An operator that makes other rows.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub name: &'static str,
    pub kind: ChangeKind,
    pub parts: Vec<Part>,
    /// Its other inputs.
    pub flows: Vec<(Polarity, Flow)>,
    /// From its main input to its output.
    pub polarity: Polarity,
    /// What it does to the number of rows, where that is known.
    pub drops: bool,
    pub place: Place,
}

/// A text in canonical form, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub kind: ChangeKind,
    /// What it is aligned by.
    pub key: String,
    pub place: Place,
    /// A number whose growth means something.
    pub number: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Canonical: the same for every language.
    pub text: String,
    /// In the text of the query; empty where nothing was written.
    pub span: Span,
    /// It stands under a `not` that is not in the span.
    pub turned: bool,
}

impl Place {
    pub fn new(text: impl Into<String>, span: Span) -> Self {
        Self { text: text.into(), span, turned: false }
    }
}

impl Part {
    fn new(kind: ChangeKind, key: impl Into<String>, text: String, span: Span) -> Self {
        Self { kind, key: key.into(), place: Place::new(text, span), number: None }
    }
}

/// Operators and conditions of one query, `let`s written out; what is beyond is left out.
const BUDGET: usize = 200_000;
/// Tables within tables, and conditions within conditions.
const DEEPEST: usize = 300;

/// The names of columns that a query computes.
pub(crate) fn computed_names(query: &ir::Query) -> FxHashSet<SmolStr> {
    let mut names = FxHashSet::default();
    query.for_each_plan(&mut |plan| match &*plan.op {
        Op::Extend { items, .. } | Op::Project { items, .. } | Op::Serialize { items, .. } => {
            let computed = items.iter().filter(|i| i.expr.as_column().is_none());
            names.extend(computed.flat_map(|i| &i.ids).map(|id| SmolStr::new(query.columns.name(*id))));
        }
        Op::Aggregate(a) => {
            let ids = a.aggregates.iter().flat_map(|i| &i.ids);
            let keys = a.keys.iter().filter(|i| i.expr.as_column().is_none()).flat_map(|i| &i.ids);
            names.extend(ids.chain(keys).map(|id| SmolStr::new(query.columns.name(*id))));
        }
        Op::Scan(_)
        | Op::Ref(_)
        | Op::Values(_)
        | Op::Range(_)
        | Op::Rows
        | Op::Filter { .. }
        | Op::Select { .. }
        | Op::Distinct { .. }
        | Op::Join(_)
        | Op::Union(_)
        | Op::Sort { .. }
        | Op::Limit { .. }
        | Op::Top { .. }
        | Op::Expand(_)
        | Op::Apply(_)
        | Op::MakeSeries(_)
        | Op::Parse(_)
        | Op::ParseKv(_)
        | Op::Partition { .. }
        | Op::Sequence(_)
        | Op::TopNested(_)
        | Op::Plugin(_)
        | Op::Search(_)
        | Op::GetSchema { .. }
        | Op::Render { .. }
        | Op::Opaque { .. } => {}
    });
    names
}

/// The flow of a query. `shared`: names of columns that both queries compute; the others are written out where they are used.
pub(crate) fn flow(query: &ir::Query, shared: &FxHashSet<SmolStr>) -> Flow {
    let mut shaper = Shaper { query, render: Renderer::new(query, shared), budget: BUDGET, depth: 0 };
    shaper.flow(&query.plan)
}

pub(crate) struct Shaper<'q> {
    pub query: &'q ir::Query,
    pub render: Renderer<'q>,
    budget: usize,
    depth: usize,
}

impl<'q> Shaper<'q> {
    /// Goes one level down, unless that is too deep or too much was looked at. Every `true` needs a [`Self::leave`].
    pub fn enter(&mut self) -> bool {
        let enters = self.budget > 0 && self.depth < DEEPEST;
        if enters {
            (self.budget, self.depth) = (self.budget - 1, self.depth + 1);
        }
        enters
    }

    pub const fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    pub fn flow(&mut self, plan: &'q Plan) -> Flow {
        if !self.enter() {
            return Flow::default();
        }
        let flow = self.flow_within(plan);
        self.leave();
        flow
    }

    fn flow_within(&mut self, plan: &'q Plan) -> Flow {
        let mut chain = vec![plan];
        while let Some(input) = chain.last().and_then(|p| p.input()) {
            chain.push(input);
        }
        if chain.len() > self.budget {
            self.budget = 0;
            return Flow::default();
        }
        self.budget -= chain.len();
        let mut flow = chain.pop().map(|source| self.source(source)).unwrap_or_default();
        for plan in chain.into_iter().rev() {
            self.operator(plan, &mut flow);
        }
        flow
    }

    fn source(&mut self, plan: &'q Plan) -> Flow {
        let leaf = |text: String| Head::Leaf(Part::new(ChangeKind::Table, "", text, plan.span));
        let head = match &*plan.op {
            Op::Scan(scan) => {
                let text = match &scan.source {
                    ir::Source::Table(table) => {
                        let mut text = String::new();
                        for (function, argument) in &table.qualifiers {
                            text.push_str(&format!("{function}({argument:?})."));
                        }
                        text + &table.name
                    }
                    ir::Source::Glob(glob) => glob.to_string(),
                    ir::Source::Input(input) => {
                        let args: Vec<String> = input.args.iter().map(|e| self.render.expr(e)).collect();
                        if args.is_empty() {
                            input.name.to_string()
                        } else {
                            format!("{}({})", input.name, args.join(", "))
                        }
                    }
                };
                leaf(text)
            }
            Op::Ref(id) => {
                let binding = self.query.bindings.get(id.0 as usize);
                match binding.map(|b| &b.value) {
                    Some(ir::BindingValue::Table { plan: bound, .. }) if self.budget > 0 => {
                        for (to, from) in plan.output.iter().zip(bound.output.iter()) {
                            self.render.alias(*to, *from);
                        }
                        return self.flow(bound);
                    }
                    _ => leaf(binding.map_or_else(String::new, |b| b.name.to_string())),
                }
            }
            Op::Values(values) => {
                let mut rows = Vec::with_capacity(values.rows.len());
                for row in &values.rows {
                    let cells: Vec<String> = row.iter().map(|e| self.render.expr(e)).collect();
                    rows.push(cells.join(", "));
                }
                leaf(format!("rows ({})", rows.join("; ")))
            }
            Op::Range(r) => leaf(format!(
                "range {} to {} step {}",
                self.render.expr(&r.from),
                self.render.expr(&r.to),
                self.render.expr(&r.step)
            )),
            Op::Rows => leaf("the rows".into()),
            Op::Union(union) => Head::Union(union.inputs.iter().map(|p| self.flow(p)).collect()),
            Op::Search(search) => {
                let head = Head::Union(search.inputs.iter().map(|p| self.flow(p)).collect());
                let mut flow = Flow { head, ..Flow::default() };
                flow.rows.filter = self.conjuncts(&search.predicate);
                return flow;
            }
            Op::Plugin(plugin) => {
                let mut flow = Flow { head: leaf(plugin.function.name.to_owned()), ..Flow::default() };
                flow.steps.push((self.plugin(plugin, plan), Rows::default()));
                return flow;
            }
            Op::Opaque { opaque, .. } => leaf(opaque.text.to_string()),
            // These have an input, so that none of them is a source.
            Op::Filter { .. }
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
            | Op::Render { .. } => leaf(String::new()),
        };
        Flow { head, ..Flow::default() }
    }

    fn conjuncts(&mut self, predicate: &'q ir::Expr) -> Vec<Node> {
        match (Predicates { shaper: self }).node(predicate, false) {
            Node::All { parts, .. } => parts,
            other => vec![other],
        }
    }

    fn operator(&mut self, plan: &'q Plan, flow: &mut Flow) {
        match &*plan.op {
            Op::Filter { predicate, .. } => {
                let filter = self.conjuncts(predicate);
                flow.last().filter.extend(filter);
            }
            Op::Extend { items, .. } | Op::Project { items, .. } | Op::Serialize { items, .. } => {
                let parts = self.items(items, ChangeKind::Column);
                flow.last().columns.extend(parts);
            }
            Op::Select { items, .. } => {
                items.iter().filter(|i| i.from != i.to).for_each(|i| self.render.alias(i.to, i.from));
            }
            Op::Sort { keys, .. } => {
                let part = self.order(keys, plan.span);
                flow.last().order = Some(part);
            }
            Op::Render { .. } => {}
            op => {
                let step = self.step(op, plan);
                flow.steps.push((step, Rows::default()));
            }
        }
    }

    fn order(&mut self, keys: &'q [ir::SortKey], span: Span) -> Part {
        let texts: Vec<String> = keys
            .iter()
            .map(|k| {
                let way = if k.descending { "desc" } else { "asc" };
                format!("{} {way}", self.render.expr(&k.expr))
            })
            .collect();
        Part::new(ChangeKind::Order, "", texts.join(", "), span)
    }

    /// Computed columns; those that both queries have by name are parts, the others are written out where they are used.
    fn items(&mut self, items: &'q [ir::Item], kind: ChangeKind) -> Vec<Part> {
        let mut parts = Vec::new();
        for item in items {
            if let (Some(from), [to]) = (item.expr.as_column(), item.ids.as_slice()) {
                self.render.alias(*to, from);
                if kind == ChangeKind::Key {
                    let text = self.render.expr(&item.expr);
                    parts.push(Part::new(kind, text.clone(), text, item.expr.span));
                }
                continue;
            }
            let text = self.render.expr(&item.expr);
            let name = item.ids.first().map_or("", |id| self.query.columns.name(*id));
            let mut kept = false;
            for id in &item.ids {
                kept |= self.render.define(*id, &text);
            }
            let bin = kind == ChangeKind::Key && text.contains("bin(");
            match kind {
                ChangeKind::Key => {
                    let kind = if bin { ChangeKind::Window } else { kind };
                    parts.push(Part::new(kind, name, text, item.expr.span));
                }
                _ if kept => parts.push(Part::new(kind, name, text, item.expr.span)),
                _ => {}
            }
        }
        parts
    }

    fn aggregate(&mut self, item: &'q ir::AggregateItem) -> Part {
        let text = self.aggregate_text(item);
        for id in &item.ids {
            self.render.define(*id, &text);
        }
        let name = item.ids.first().map_or("", |id| self.query.columns.name(*id));
        // A generated name says no more than the call.
        let key = if item.named { name } else { text.as_str() };
        Part::new(ChangeKind::Aggregate, key, text.clone(), self.aggregate_span(item))
    }

    fn aggregate_span(&self, item: &'q ir::AggregateItem) -> Span {
        let named = item.ids.first().and_then(|id| self.query.columns.get(*id)).map(|c| c.span);
        named.unwrap_or_default()
    }

    fn aggregate_text(&mut self, item: &'q ir::AggregateItem) -> String {
        let list = |shaper: &mut Self, es: &'q [ir::Expr]| -> String {
            es.iter().map(|e| shaper.render.expr(e)).collect::<Vec<_>>().join(", ")
        };
        match &item.call {
            ir::AggregateCall::Function(f, args) => format!("{}({})", f.name, list(self, args)),
            ir::AggregateCall::ArgExtreme { max, by, returned, star } => {
                let name = if *max { "arg_max" } else { "arg_min" };
                let returned = if *star { "*".into() } else { list(self, returned) };
                format!("{name}({}, {returned})", self.render.expr(by))
            }
            ir::AggregateCall::TakeAny { returned, star, condition } => {
                let returned = if *star { "*".into() } else { list(self, returned) };
                match condition {
                    Some(condition) => format!("take_anyif({returned}, {})", self.render.expr(condition)),
                    None => format!("take_any({returned})"),
                }
            }
            ir::AggregateCall::Composed { parts, expr } => {
                for part in parts {
                    let text = self.aggregate_text(part);
                    for id in &part.ids {
                        self.render.write_out(*id, &text);
                    }
                }
                self.render.expr(expr)
            }
        }
    }

    fn exprs(&mut self, kind: ChangeKind, list: &[(&'static str, &'q ir::Expr)]) -> Vec<Part> {
        list.iter()
            .map(|(key, e)| {
                let mut part = Part::new(kind, *key, self.render.expr(e), e.span);
                part.number = self.render.number(e).map(|n| n.value);
                part
            })
            .collect()
    }

    fn text(kind: ChangeKind, key: &'static str, text: impl Into<String>, span: Span) -> Part {
        Part::new(kind, key, text.into(), span)
    }

    fn step(&mut self, op: &'q Op, plan: &'q Plan) -> Step {
        let span = plan.span;
        let mut step = Step {
            name: "",
            kind: ChangeKind::Step,
            parts: Vec::new(),
            flows: Vec::new(),
            polarity: Polarity::Unclear,
            drops: false,
            place: Place::new("", span),
        };
        match op {
            Op::Aggregate(a) => {
                (step.name, step.kind) = ("aggregate", ChangeKind::Aggregate);
                step.parts = self.items(&a.keys, ChangeKind::Key);
                let aggregates: Vec<Part> = a.aggregates.iter().map(|i| self.aggregate(i)).collect();
                step.parts.extend(aggregates);
                if a.aggregates.is_empty() {
                    (step.polarity, step.drops) = (Polarity::More, true);
                }
            }
            Op::Distinct { input } => {
                (step.name, step.kind) = ("distinct", ChangeKind::Distinct);
                (step.polarity, step.drops) = (Polarity::More, true);
                let names: Vec<String> = input.output.iter().map(|id| self.render.column(*id)).collect();
                step.parts = vec![Self::text(ChangeKind::Key, "columns", names.join(", "), span)];
            }
            Op::Join(j) => self.join(j, plan, &mut step),
            Op::Limit { count, kind, .. } => {
                (step.name, step.kind, step.drops) = ("limit", ChangeKind::Limit, true);
                step.parts = self.exprs(ChangeKind::Limit, &[("count", count)]);
                let way = match kind {
                    ir::LimitKind::Take => "take",
                    ir::LimitKind::Sample => "sample",
                    ir::LimitKind::SampleDistinct => "sample-distinct",
                };
                step.parts.push(Self::text(ChangeKind::Step, "kind", way, span));
            }
            Op::Top { count, keys, .. } => {
                (step.name, step.kind, step.drops) = ("top", ChangeKind::Limit, true);
                step.parts = self.exprs(ChangeKind::Limit, &[("count", count)]);
                let order = self.order(keys, span);
                step.parts.push(order);
            }
            Op::Expand(e) => {
                (step.name, step.polarity) = ("expand", Polarity::More);
                step.parts = self.expand(&e.items);
                let limit: Vec<_> = e.limit.iter().map(|l| ("limit", l)).collect();
                let limit = self.exprs(ChangeKind::Limit, &limit);
                step.parts.extend(limit);
            }
            Op::Apply(a) => {
                step.name = "apply";
                step.parts = self.expand(&a.items);
                step.polarity = Polarity::More;
                let body = self.flow(&a.body);
                step.flows.push((Polarity::More, body));
            }
            Op::MakeSeries(m) => {
                step.name = "make-series";
                step.parts = self.items(&m.keys, ChangeKind::Key);
                let series: Vec<Part> = m.aggregates.iter().map(|s| self.aggregate(&s.aggregate)).collect();
                step.parts.extend(series);
                let mut times = vec![("axis", &m.axis), ("step", &m.step)];
                times.extend(m.from.iter().map(|e| ("from", e)));
                times.extend(m.to.iter().map(|e| ("to", e)));
                let times = self.exprs(ChangeKind::Window, &times);
                step.parts.extend(times);
            }
            Op::Parse(p) => {
                step.name = if p.filter { "parse-where" } else { "parse" };
                step.polarity = Polarity::More;
                step.parts = self.exprs(ChangeKind::Field, &[("subject", &p.subject)]);
                let pieces: Vec<String> = p
                    .pieces
                    .iter()
                    .map(|piece| match piece {
                        ir::ParsePiece::Star => "*".to_owned(),
                        ir::ParsePiece::Text(t) => format!("{t:?}"),
                        ir::ParsePiece::Column(id) => self.query.columns.name(*id).to_owned(),
                    })
                    .collect();
                let text = format!("{:?} {}", p.mode, pieces.join(" "));
                step.parts.push(Self::text(ChangeKind::Step, "pattern", text, span));
            }
            Op::ParseKv(p) => {
                (step.name, step.polarity) = ("parse-kv", Polarity::More);
                step.parts = self.exprs(ChangeKind::Field, &[("subject", &p.subject)]);
                let names: Vec<&str> = p.columns.iter().map(|id| self.query.columns.name(*id)).collect();
                let text = format!(
                    "{} {:?} {:?} {:?} {:?} {:?} {}",
                    names.join(", "),
                    p.pair_delimiter,
                    p.kv_delimiter,
                    p.quotes,
                    p.escape,
                    p.regex,
                    p.greedy
                );
                step.parts.push(Self::text(ChangeKind::Step, "pattern", text, span));
            }
            Op::Partition { key, body, .. } => {
                step.name = "partition";
                let key = self.render.column(*key);
                step.parts = vec![Self::text(ChangeKind::Key, "key", key, span)];
                let body = self.flow(body);
                step.flows.push((Polarity::More, body));
            }
            Op::Sequence(s) => {
                step.name = "sequence";
                for part in &s.steps {
                    let mut text = self.render.expr(&part.condition);
                    for (id, e) in &part.assignments {
                        let value = self.render.expr(e);
                        text.push_str(&format!(" => {} = {value}", self.query.columns.name(*id)));
                    }
                    let place = part.condition.span;
                    step.parts.push(Part::new(ChangeKind::Step, part.name.as_str(), text, place));
                }
            }
            Op::TopNested(t) => {
                (step.name, step.kind) = ("top-nested", ChangeKind::Limit);
                for level in &t.levels {
                    let key = self.render.expr(&level.key.expr);
                    let by = self.aggregate_text(&level.by);
                    let count = level.count.as_ref().map(|c| self.render.expr(c)).unwrap_or_default();
                    let text = format!("{count} of {key} by {by}");
                    step.parts.push(Part::new(ChangeKind::Limit, key, text, level.key.expr.span));
                }
            }
            Op::Plugin(plugin) => return self.plugin(plugin, plan),
            Op::GetSchema { .. } => step.name = "getschema",
            Op::Opaque { opaque, .. } => {
                step.name = "operator";
                step.parts = vec![Self::text(ChangeKind::Step, "text", opaque.text.as_str(), span)];
            }
            // Heads of a flow, and what changes no row: not for here.
            Op::Scan(_)
            | Op::Ref(_)
            | Op::Values(_)
            | Op::Range(_)
            | Op::Rows
            | Op::Union(_)
            | Op::Search(_)
            | Op::Filter { .. }
            | Op::Extend { .. }
            | Op::Project { .. }
            | Op::Select { .. }
            | Op::Sort { .. }
            | Op::Serialize { .. }
            | Op::Render { .. } => step.name = "operator",
        }
        step.place.text = step_text(&step);
        step
    }

    fn expand(&mut self, items: &'q [ir::ExpandItem]) -> Vec<Part> {
        items
            .iter()
            .map(|i| {
                let text = self.render.expr(&i.expr);
                self.render.define(i.id, &format!("each of {text}"));
                Part::new(ChangeKind::Field, self.query.columns.name(i.id), text, i.expr.span)
            })
            .collect()
    }

    fn plugin(&mut self, plugin: &'q ir::Plugin, plan: &'q Plan) -> Step {
        let mut parts = Vec::new();
        let mut flows = Vec::new();
        for (i, arg) in plugin.args.iter().enumerate() {
            match arg {
                ir::PluginArg::Expr(e) => {
                    let text = self.render.expr(e);
                    parts.push(Part::new(ChangeKind::Step, format!("argument {}", i + 1), text, e.span));
                }
                ir::PluginArg::Aggregate(a) => parts.push(self.aggregate(a)),
                ir::PluginArg::Table(p) => flows.push((Polarity::Unclear, self.flow(p))),
            }
        }
        let mut step = Step {
            name: plugin.function.name,
            kind: ChangeKind::Step,
            parts,
            flows,
            polarity: Polarity::Unclear,
            drops: false,
            place: Place::new("", plan.span),
        };
        step.place.text = step_text(&step);
        step
    }

    fn join(&mut self, j: &'q ir::Join, plan: &'q Plan, step: &mut Step) {
        use ir::JoinKind::{
            FullOuter, Inner, InnerUnique, LeftAnti, LeftOuter, LeftSemi, RightAnti, RightOuter, RightSemi,
        };
        (step.name, step.kind) = ("join", ChangeKind::Join);
        let right = self.flow(&j.right);
        for item in j.right_output.iter().filter(|i| i.from != i.to) {
            self.render.alias(item.to, item.from);
        }
        let (kind, left_way, right_way) = match j.kind {
            Inner => ("inner", Polarity::More, Polarity::More),
            InnerUnique => ("innerunique", Polarity::Unclear, Polarity::More),
            LeftOuter => ("leftouter", Polarity::More, Polarity::Unclear),
            RightOuter => ("rightouter", Polarity::Unclear, Polarity::More),
            FullOuter => ("fullouter", Polarity::Unclear, Polarity::Unclear),
            LeftSemi => ("leftsemi", Polarity::More, Polarity::More),
            RightSemi => ("rightsemi", Polarity::More, Polarity::More),
            LeftAnti => ("leftanti", Polarity::More, Polarity::Fewer),
            RightAnti => ("rightanti", Polarity::Fewer, Polarity::More),
        };
        step.polarity = left_way;
        step.drops = matches!(j.kind, LeftSemi | LeftAnti);
        // The operator up to its right side says the kind.
        let mut source = &j.right;
        while let Some(input) = source.input() {
            source = input;
        }
        let (from, to) = (plan.span.start, source.span.start);
        let span = if from < to && to < plan.span.end { Span::new(from, to) } else { Span::default() };
        step.parts.push(Self::text(ChangeKind::Join, "kind", kind, span));
        for key in &j.on {
            let (left, right) = (self.render.column(key.left), self.render.column(key.right));
            let text = if left == right { left } else { format!("{left} == {right}") };
            step.parts.push(Part::new(ChangeKind::Key, text.clone(), text, Span::default()));
        }
        step.flows.push((right_way, right));
        step.place.span = plan.span;
    }
}

/// An operator in one line.
fn step_text(step: &Step) -> String {
    let parts: Vec<&str> = step.parts.iter().map(|p| p.place.text.as_str()).collect();
    let mut text = format!("{} {}", step.name, parts.join(", "));
    for (_, flow) in &step.flows {
        text.push_str(&format!(" ({})", flow.source_names().join(", ")));
    }
    text
}

impl Flow {
    /// What stands behind the last operator.
    fn last(&mut self) -> &mut Rows {
        match self.steps.last_mut() {
            Some((_, rows)) => rows,
            None => &mut self.rows,
        }
    }

    /// The tables at its sources.
    pub fn source_names(&self) -> Vec<&str> {
        match &self.head {
            Head::Leaf(part) => vec![part.place.text.as_str()],
            Head::Union(flows) => flows.iter().flat_map(Self::source_names).collect(),
        }
    }
}
