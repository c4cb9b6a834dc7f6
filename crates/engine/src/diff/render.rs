//! Expressions in one canonical text, the same whatever language they were written in; for people and for comparing.
//!
//! In: an [`ir::Expr`]. Out: text with `let`s and computed columns written out. A text that grows too long is cut short.

use ruleferry_ir::{self as ir, ColId, Expr, ExprKind, Value};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

/// Nodes that one query may be rendered to; what is beyond is `…`.
const BUDGET: usize = 400_000;
/// Expressions within each other, `let`s written out.
const DEEPEST: usize = 300;
/// Characters of one text.
const LONGEST: usize = 20_000;

pub(crate) struct Renderer<'q> {
    query: &'q ir::Query,
    shared: &'q FxHashSet<SmolStr>,
    aliases: FxHashMap<ColId, ColId>,
    made: FxHashMap<ColId, SmolStr>,
    budget: usize,
    depth: usize,
}

/// A constant whose size means something; times may count from `now()`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number {
    pub value: f64,
    pub from_now: bool,
    pub time: bool,
}

impl<'q> Renderer<'q> {
    pub fn new(query: &'q ir::Query, shared: &'q FxHashSet<SmolStr>) -> Self {
        Self {
            query,
            shared,
            aliases: FxHashMap::default(),
            made: FxHashMap::default(),
            budget: BUDGET,
            depth: 0,
        }
    }

    /// `to` is `from` under another id.
    pub fn alias(&mut self, to: ColId, from: ColId) {
        if to != from {
            self.aliases.insert(to, from);
        }
    }

    /// What a computed column is. True where it is called by its name because the other query has one of that name, too.
    pub fn define(&mut self, id: ColId, text: &str) -> bool {
        let shared = self.shared.contains(self.query.columns.name(id));
        if !shared {
            self.write_out(id, text);
        }
        shared
    }

    pub fn write_out(&mut self, id: ColId, text: &str) {
        self.made.insert(id, text.into());
    }

    pub fn column(&self, id: ColId) -> String {
        let mut id = id;
        // Aliases lead upstream, so this ends; the bound is for safety.
        for _ in 0..10_000 {
            if let Some(text) = self.made.get(&id) {
                return text.to_string();
            }
            match self.aliases.get(&id) {
                Some(from) if !self.shared.contains(self.query.columns.name(id)) => id = *from,
                _ => break,
            }
        }
        self.query.columns.name(id).to_owned()
    }

    /// What a `let` stands for, in place of its name.
    pub fn resolved(&self, mut e: &'q Expr) -> &'q Expr {
        // A `let` names earlier ones only, so this ends.
        while let ExprKind::Let(id) = e.kind {
            match self.query.bindings.get(id.0 as usize).map(|b| &b.value) {
                Some(ir::BindingValue::Scalar(value)) => e = value,
                Some(ir::BindingValue::Table { .. }) | None => break,
            }
        }
        e
    }

    pub fn number(&self, e: &'q Expr) -> Option<Number> {
        self.number_within(e, 50)
    }

    #[expect(clippy::cast_precision_loss, reason = "only compared")]
    fn number_within(&self, e: &'q Expr, depth: u32) -> Option<Number> {
        let depth = depth.checked_sub(1)?;
        let plain = |value: f64, time: bool| Some(Number { value, from_now: false, time });
        match &self.resolved(e).kind {
            ExprKind::Now => Some(Number { value: 0.0, from_now: true, time: true }),
            ExprKind::Literal(value) => match value {
                Value::Int(n) => plain(f64::from(*n), false),
                Value::Long(n) => plain(*n as f64, false),
                Value::Real(n) => plain(*n, false),
                Value::Decimal(text) => plain(text.parse().ok()?, false),
                Value::Datetime(n) | Value::Timespan(n) => plain(*n as f64, true),
                Value::Null(_) | Value::Bool(_) | Value::String(_) | Value::Guid(_) | Value::Dynamic(_) => {
                    None
                }
            },
            ExprKind::Cast(c) => self.number_within(&c.expr, depth),
            ExprKind::Negate(e) => {
                let n = self.number_within(e, depth).filter(|n| !n.from_now)?;
                Some(Number { value: -n.value, ..n })
            }
            ExprKind::Arithmetic(a) => {
                let (l, r) = (self.number_within(&a.left, depth)?, self.number_within(&a.right, depth)?);
                if r.from_now {
                    return None;
                }
                let value = match a.op {
                    ir::ArithmeticOp::Add => l.value + r.value,
                    ir::ArithmeticOp::Sub => l.value - r.value,
                    ir::ArithmeticOp::Mul if !l.from_now => l.value * r.value,
                    ir::ArithmeticOp::Mul | ir::ArithmeticOp::Div | ir::ArithmeticOp::Mod => return None,
                };
                Some(Number { value, from_now: l.from_now, time: l.time || r.time })
            }
            _ => None,
        }
    }

    pub fn expr(&mut self, e: &'q Expr) -> String {
        let mut out = String::new();
        self.write(e, &mut out);
        out
    }

    fn list(&mut self, es: &'q [Expr], separator: &str, out: &mut String) {
        for (i, e) in es.iter().enumerate() {
            if i > 0 {
                out.push_str(separator);
            }
            self.write(e, out);
        }
    }

    fn call(&mut self, name: &str, args: &[&'q Expr], out: &mut String) {
        out.push_str(name);
        out.push('(');
        for (i, e) in args.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            self.write(e, out);
        }
        out.push(')');
    }

    fn write(&mut self, e: &'q Expr, out: &mut String) {
        if self.budget == 0 || out.len() > LONGEST || self.depth >= DEEPEST {
            out.push('…');
            return;
        }
        self.budget -= 1;
        self.depth += 1;
        self.write_kind(e, out);
        self.depth -= 1;
    }

    fn write_kind(&mut self, e: &'q Expr, out: &mut String) {
        match &e.kind {
            ExprKind::Literal(value) => out.push_str(&value_text(value)),
            ExprKind::Column(id) => out.push_str(&self.column(*id)),
            ExprKind::Let(_) => {
                let value = self.resolved(e);
                if matches!(value.kind, ExprKind::Let(_)) { out.push('?') } else { self.write(value, out) }
            }
            ExprKind::Now => out.push_str("now()"),
            ExprKind::And(es) => {
                out.push('(');
                self.list(es, " and ", out);
                out.push(')');
            }
            ExprKind::Or(es) => {
                out.push('(');
                self.list(es, " or ", out);
                out.push(')');
            }
            ExprKind::Not(e) => self.call("not", &[&**e], out),
            ExprKind::Compare(c) => {
                self.write(&c.left, out);
                out.push_str(compare_sign(c.op));
                self.write(&c.right, out);
            }
            ExprKind::Match(m) => self.string_match(m, out),
            ExprKind::In(i) => {
                self.write(&i.subject, out);
                out.push_str(" in (");
                match &i.values {
                    ir::InValues::List(es) => self.list(es, ", ", out),
                    ir::InValues::Dynamic(e) => self.write(e, out),
                }
                out.push(')');
            }
            ExprKind::InQuery(i) => {
                self.write(&i.subject, out);
                out.push_str(" in (query)");
            }
            ExprKind::Between(b) => {
                self.write(&b.subject, out);
                out.push_str(" between (");
                self.write(&b.low, out);
                out.push_str(" .. ");
                self.write(&b.high, out);
                out.push(')');
            }
            ExprKind::IsNull(e) => self.call("isnull", &[&**e], out),
            ExprKind::IsEmpty(e) => self.call("isempty", &[&**e], out),
            ExprKind::Arithmetic(a) => {
                out.push('(');
                self.write(&a.left, out);
                out.push_str(match a.op {
                    ir::ArithmeticOp::Add => " + ",
                    ir::ArithmeticOp::Sub => " - ",
                    ir::ArithmeticOp::Mul => " * ",
                    ir::ArithmeticOp::Div => " / ",
                    ir::ArithmeticOp::Mod => " % ",
                });
                self.write(&a.right, out);
                out.push(')');
            }
            ExprKind::Negate(e) => {
                out.push('-');
                self.write(e, out);
            }
            ExprKind::Call(f, args) => {
                out.push_str(f.name);
                out.push('(');
                self.list(args, ", ", out);
                out.push(')');
            }
            ExprKind::Cast(c) if c.implicit => self.write(&c.expr, out),
            ExprKind::Cast(c) => self.call(&format!("to{}", c.to.name()), &[&c.expr], out),
            ExprKind::Member(e, name) => {
                self.write(e, out);
                out.push('.');
                out.push_str(name);
            }
            ExprKind::Index(e, index) => {
                self.write(e, out);
                match index.as_literal().and_then(Value::as_str) {
                    Some(name) => {
                        out.push('.');
                        out.push_str(name);
                    }
                    None => {
                        out.push('[');
                        self.write(index, out);
                        out.push(']');
                    }
                }
            }
            ExprKind::Case(branches, otherwise) => {
                out.push_str("case(");
                for (condition, value) in branches {
                    self.write(condition, out);
                    out.push_str(", ");
                    self.write(value, out);
                    out.push_str(", ");
                }
                self.write(otherwise, out);
                out.push(')');
            }
            ExprKind::Subquery(plan) => {
                out.push_str("toscalar(");
                self.plan(plan, out);
                out.push(')');
            }
            ExprKind::Opaque(o) => out.push_str(&o.text),
        }
    }

    /// A sub-query, roughly: its tables and what stands in its operators.
    fn plan(&mut self, plan: &'q ir::Plan, out: &mut String) {
        if self.budget == 0 || out.len() > LONGEST || self.depth >= DEEPEST {
            out.push('…');
            return;
        }
        self.budget -= 1;
        self.depth += 1;
        self.write_plan(plan, out);
        self.depth -= 1;
    }

    fn write_plan(&mut self, plan: &'q ir::Plan, out: &mut String) {
        match &*plan.op {
            ir::Op::Scan(scan) => out.push_str(match &scan.source {
                ir::Source::Table(table) => &table.name,
                ir::Source::Glob(glob) => glob,
                ir::Source::Input(input) => &input.name,
            }),
            ir::Op::Ref(id) => {
                if let Some(ir::BindingValue::Table { plan: bound, .. }) =
                    self.query.bindings.get(id.0 as usize).map(|b| &b.value)
                {
                    self.plan(bound, out);
                }
            }
            op => {
                let mut children = Vec::new();
                plan.children(&mut |c| children.push(c));
                for child in &children {
                    if let ir::Child::Plan(p) = child {
                        self.plan(p, out);
                        out.push(' ');
                    }
                }
                out.push_str("| ");
                out.push_str(op_name(op));
                for child in children {
                    if let ir::Child::Expr(e) = child {
                        out.push(' ');
                        self.write(e, out);
                    }
                }
            }
        }
    }

    fn string_match(&mut self, m: &'q ir::StringMatch, out: &mut String) {
        match &m.subject {
            ir::Subject::Expr(e) => self.write(e, out),
            ir::Subject::AnyColumn => out.push('*'),
            ir::Subject::Event => out.push_str("the event"),
        }
        out.push(' ');
        out.push_str(match_word(m.kind));
        if m.case == ir::Case::Sensitive {
            out.push_str(" (case)");
        }
        if m.quantifier == ir::Quantifier::All {
            out.push_str(" all");
        }
        out.push_str(" (");
        match &m.values {
            ir::MatchValues::List(values) => {
                for (i, value) in values.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    match value {
                        ir::MatchValue::Expr(e) => self.write(e, out),
                        ir::MatchValue::Glob(parts) => out.push_str(&glob_text(parts)),
                    }
                }
            }
            ir::MatchValues::Dynamic(e) => self.write(e, out),
            ir::MatchValues::Query(plan) => self.plan(plan, out),
        }
        out.push(')');
    }
}

const fn op_name(op: &ir::Op) -> &'static str {
    match op {
        ir::Op::Scan(_) => "scan",
        ir::Op::Ref(_) => "use",
        ir::Op::Values(_) => "rows",
        ir::Op::Range(_) => "range",
        ir::Op::Rows => "the rows",
        ir::Op::Filter { .. } => "where",
        ir::Op::Extend { .. } => "extend",
        ir::Op::Project { .. } => "project",
        ir::Op::Select { .. } => "select",
        ir::Op::Aggregate(_) => "aggregate",
        ir::Op::Distinct { .. } => "distinct",
        ir::Op::Join(_) => "join",
        ir::Op::Union(_) => "union",
        ir::Op::Sort { .. } => "sort",
        ir::Op::Limit { .. } => "limit",
        ir::Op::Top { .. } => "top",
        ir::Op::Expand(_) => "expand",
        ir::Op::Apply(_) => "apply",
        ir::Op::MakeSeries(_) => "make-series",
        ir::Op::Parse(_) => "parse",
        ir::Op::ParseKv(_) => "parse-kv",
        ir::Op::Serialize { .. } => "serialize",
        ir::Op::Partition { .. } => "partition",
        ir::Op::Sequence(_) => "sequence",
        ir::Op::TopNested(_) => "top-nested",
        ir::Op::Plugin(_) => "evaluate",
        ir::Op::Search(_) => "search",
        ir::Op::GetSchema { .. } => "getschema",
        ir::Op::Render { .. } => "render",
        ir::Op::Opaque { .. } => "operator",
    }
}

pub(crate) fn compare_sign(op: ir::CompareOp) -> &'static str {
    match op {
        ir::CompareOp::Eq => " == ",
        ir::CompareOp::Ne => " != ",
        ir::CompareOp::Lt => " < ",
        ir::CompareOp::Le => " <= ",
        ir::CompareOp::Gt => " > ",
        ir::CompareOp::Ge => " >= ",
    }
}

pub(crate) fn match_word(kind: ir::MatchKind) -> &'static str {
    match kind {
        ir::MatchKind::Equals => "equals",
        ir::MatchKind::Contains => "contains",
        ir::MatchKind::StartsWith => "startswith",
        ir::MatchKind::EndsWith => "endswith",
        ir::MatchKind::Term => "has",
        ir::MatchKind::TermPrefix => "hasprefix",
        ir::MatchKind::TermSuffix => "hassuffix",
        ir::MatchKind::Regex => "matches regex",
        ir::MatchKind::Glob => "like",
        ir::MatchKind::Cidr => "in cidr",
    }
}

pub(crate) fn glob_text(parts: &[ir::GlobPart]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            ir::GlobPart::Text(t) => text.push_str(t),
            ir::GlobPart::Many => text.push('*'),
            ir::GlobPart::One => text.push('?'),
        }
    }
    format!("\"{text}\"")
}

pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::Null(ty) => format!("{}(null)", ty.name()),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Long(n) => n.to_string(),
        // Whole numbers look alike whatever their type.
        Value::Real(n) => n.to_string(),
        Value::Decimal(text) | Value::Guid(text) => text.to_string(),
        Value::String(text) => format!("\"{text}\""),
        Value::Datetime(ticks) => ir::time::datetime_text(*ticks).into(),
        Value::Timespan(ticks) => ir::time::timespan_text(*ticks).into(),
        Value::Dynamic(json) => ruleferry_eval::json_text(json).to_string(),
    }
}
