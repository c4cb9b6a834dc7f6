//! The readable text form of a query, for people and for tests that look at the IR.
//!
//! In: a [`Query`]. Out: one operator a line, inputs above what uses them, columns as `name#id`. The form is not read back.

use crate::visit::Child;
use crate::*;
use std::fmt::Write as _;

/// The text form of a query.
pub fn text(query: &Query) -> String {
    let mut out = Text { query, out: String::new() };
    for binding in &query.bindings {
        match &binding.value {
            BindingValue::Scalar(e) => {
                let value = out.expr(e);
                let _ = writeln!(out.out, "let {}: {} = {value}", binding.name, e.ty);
            }
            BindingValue::Table { plan, materialized } => {
                let how = if *materialized { " materialized" } else { "" };
                let _ = writeln!(out.out, "let {}{how} =", binding.name);
                out.plan(plan, 1);
            }
        }
    }
    out.plan(&query.plan, 0);
    out.out
}

struct Text<'q> {
    query: &'q Query,
    out: String,
}

impl Text<'_> {
    fn column(&self, id: ColId) -> String {
        format!("{}#{}", self.query.columns.name(id), id.0)
    }

    fn columns(&self, ids: &[ColId]) -> String {
        ids.iter().map(|id| self.column(*id)).collect::<Vec<_>>().join(", ")
    }

    fn binding(&self, id: BindingId) -> &str {
        self.query.bindings.get(id.0 as usize).map_or("?", |b| b.name.as_str())
    }

    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.out, "{:width$}{text}", "", width = depth * 2);
    }

    /// The main input, then this operator; other inputs indented below it.
    fn plan(&mut self, plan: &Plan, depth: usize) {
        if let Some(input) = plan.input() {
            self.plan(input, depth);
        }
        let text = self.operator(plan);
        let mark = if plan.input().is_some() { "| " } else { "" };
        self.line(depth, &format!("{mark}{text}"));
        let main = plan.input().map(std::ptr::from_ref);
        let mut others = Vec::new();
        plan.children(&mut |c| {
            if let Child::Plan(p) = c
                && Some(std::ptr::from_ref(p)) != main
            {
                others.push(p.clone());
            }
        });
        for other in &others {
            self.line(depth + 1, "(");
            self.plan(other, depth + 2);
            self.line(depth + 1, ")");
        }
    }

    fn items(&self, items: &[Item]) -> String {
        items
            .iter()
            .map(|i| format!("{} = {}", self.columns(&i.ids), self.expr(&i.expr)))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn keys(&self, keys: &[SortKey]) -> String {
        let one = |k: &SortKey| {
            let way = if k.descending { "desc" } else { "asc" };
            let nulls = if k.nulls_first { "nulls first" } else { "nulls last" };
            format!("{} {way} {nulls}", self.expr(&k.expr))
        };
        keys.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn expand(&self, items: &[ExpandItem]) -> String {
        let one = |i: &ExpandItem| {
            format!("{} = {}: {}", self.column(i.id), self.expr(&i.expr), i.to.map_or("dynamic", Type::name))
        };
        items.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn operator(&self, plan: &Plan) -> String {
        match &*plan.op {
            Op::Scan(s) => {
                let source = match &s.source {
                    Source::Table(t) => format!("table {}", t.name),
                    Source::Glob(g) => format!("tables {g}"),
                    Source::Input(i) => format!("input {:?} {}", i.kind, i.name),
                };
                format!("scan {source}{} [{}]", if s.open { " open" } else { "" }, self.columns(&plan.output))
            }
            Op::Ref(id) => format!("use {} [{}]", self.binding(*id), self.columns(&plan.output)),
            Op::Values(v) => {
                let row = |r: &Vec<Expr>| format!("({})", self.exprs(r));
                let rows = v.rows.iter().map(row).collect::<Vec<_>>().join(", ");
                format!("values [{}] {rows}", self.columns(&plan.output))
            }
            Op::Range(r) => {
                format!("range {} to {} step {}", self.expr(&r.from), self.expr(&r.to), self.expr(&r.step))
            }
            Op::Rows => "rows".into(),
            Op::Filter { predicate, .. } => format!("filter {}", self.expr(predicate)),
            Op::Extend { items, .. } => format!("extend {}", self.items(items)),
            Op::Project { items, .. } => format!("project {}", self.items(items)),
            Op::Serialize { items, .. } => format!("serialize {}", self.items(items)),
            Op::Select { kind, .. } => format!("select {kind:?} [{}]", self.columns(&plan.output)),
            Op::Aggregate(a) => {
                let aggregates =
                    a.aggregates.iter().map(|i| self.aggregate(i)).collect::<Vec<_>>().join(", ");
                format!("aggregate {aggregates} by {}", self.items(&a.keys))
            }
            Op::Distinct { .. } => "distinct".into(),
            Op::Join(j) => {
                let on = |k: &JoinKey| format!("{} = {}", self.column(k.left), self.column(k.right));
                format!("join {:?} on {}", j.kind, j.on.iter().map(on).collect::<Vec<_>>().join(", "))
            }
            Op::Union(_) => format!("union [{}]", self.columns(&plan.output)),
            Op::Sort { keys, .. } => format!("sort {}", self.keys(keys)),
            Op::Limit { count, kind, .. } => format!("limit {kind:?} {}", self.expr(count)),
            Op::Top { count, keys, .. } => format!("top {} by {}", self.expr(count), self.keys(keys)),
            Op::Expand(e) => format!("expand {:?} {}", e.kind, self.expand(&e.items)),
            Op::Apply(a) => format!("apply {}", self.expand(&a.items)),
            Op::MakeSeries(m) => {
                let series =
                    m.aggregates.iter().map(|s| self.aggregate(&s.aggregate)).collect::<Vec<_>>().join(", ");
                format!("make-series {series} on {} by {}", self.expr(&m.axis), self.items(&m.keys))
            }
            Op::Parse(p) => {
                let piece = |p: &ParsePiece| match p {
                    ParsePiece::Star => "*".to_owned(),
                    ParsePiece::Text(t) => format!("{t:?}"),
                    ParsePiece::Column(id) => self.column(*id),
                };
                let pieces = p.pieces.iter().map(piece).collect::<Vec<_>>().join(" ");
                format!("parse {:?} {} with {pieces}", p.mode, self.expr(&p.subject))
            }
            Op::ParseKv(p) => format!("parse-kv {} as {}", self.expr(&p.subject), self.columns(&p.columns)),
            Op::Partition { key, .. } => format!("partition by {}", self.column(*key)),
            Op::Sequence(s) => {
                let step = |s: &SequenceStep| format!("{}: {}", s.name, self.expr(&s.condition));
                format!("sequence {}", s.steps.iter().map(step).collect::<Vec<_>>().join("; "))
            }
            Op::TopNested(t) => {
                format!("top-nested {} levels [{}]", t.levels.len(), self.columns(&plan.output))
            }
            Op::Plugin(p) => format!("plugin {} [{}]", p.function.name, self.columns(&plan.output)),
            Op::Search(s) => format!("search {}", self.expr(&s.predicate)),
            Op::GetSchema { .. } => "schema".into(),
            Op::Render { text, .. } => format!("render {text}"),
            Op::Opaque { opaque, .. } => format!("opaque {:?}", opaque.text),
        }
    }

    fn aggregate(&self, item: &AggregateItem) -> String {
        let call = match &item.call {
            AggregateCall::Function(f, args) => format!("{}({})", f.name, self.exprs(args)),
            AggregateCall::ArgExtreme { max, by, returned, star: _ } => {
                let name = if *max { "arg_max" } else { "arg_min" };
                format!("{name}({}; {})", self.expr(by), self.exprs(returned))
            }
            AggregateCall::TakeAny { returned, star: _, condition } => {
                let condition =
                    condition.as_ref().map(|c| format!(" if {}", self.expr(c))).unwrap_or_default();
                format!("take_any({}){condition}", self.exprs(returned))
            }
            AggregateCall::Composed { parts, expr } => {
                let parts = parts.iter().map(|p| self.aggregate(p)).collect::<Vec<_>>().join(", ");
                format!("{} where {parts}", self.expr(expr))
            }
        };
        format!("{} = {call}", self.columns(&item.ids))
    }

    fn exprs(&self, es: &[Expr]) -> String {
        es.iter().map(|e| self.expr(e)).collect::<Vec<_>>().join(", ")
    }

    fn chain(&self, es: &[Expr], word: &str) -> String {
        format!("({})", es.iter().map(|e| self.expr(e)).collect::<Vec<_>>().join(word))
    }

    fn expr(&self, e: &Expr) -> String {
        match &e.kind {
            ExprKind::Literal(v) => format!("{v:?}"),
            ExprKind::Column(id) => self.column(*id),
            ExprKind::Let(id) => self.binding(*id).to_owned(),
            ExprKind::Now => "now".into(),
            ExprKind::And(es) => self.chain(es, " and "),
            ExprKind::Or(es) => self.chain(es, " or "),
            ExprKind::Not(e) => format!("not({})", self.expr(e)),
            ExprKind::Compare(c) => {
                format!("({:?} {} {} missing {:?})", c.op, self.expr(&c.left), self.expr(&c.right), c.missing)
            }
            ExprKind::Match(m) => self.string_match(m),
            ExprKind::In(i) => {
                let values = match &i.values {
                    InValues::List(es) => self.exprs(es),
                    InValues::Dynamic(e) => self.expr(e),
                };
                format!("({} in [{values}] missing {:?})", self.expr(&i.subject), i.missing)
            }
            ExprKind::InQuery(i) => format!("({} in query {:?})", self.expr(&i.subject), i.case),
            ExprKind::Between(b) => {
                format!(
                    "({} between {} and {})",
                    self.expr(&b.subject),
                    self.expr(&b.low),
                    self.expr(&b.high)
                )
            }
            ExprKind::IsNull(e) => format!("isnull({})", self.expr(e)),
            ExprKind::IsEmpty(e) => format!("isempty({})", self.expr(e)),
            ExprKind::Arithmetic(a) => format!("({:?} {} {})", a.op, self.expr(&a.left), self.expr(&a.right)),
            ExprKind::Negate(e) => format!("-({})", self.expr(e)),
            ExprKind::Call(f, args) => format!("{}({})", f.name, self.exprs(args)),
            ExprKind::Cast(c) => format!("{}!({})", c.to, self.expr(&c.expr)),
            ExprKind::Member(e, name) => format!("{}.{name:?}", self.expr(e)),
            ExprKind::Index(e, i) => format!("{}[{}]", self.expr(e), self.expr(i)),
            ExprKind::Case(branches, otherwise) => {
                let one = |(c, v): &(Expr, Expr)| format!("when {} then {}", self.expr(c), self.expr(v));
                let branches = branches.iter().map(one).collect::<Vec<_>>().join(" ");
                format!("case({branches} else {})", self.expr(otherwise))
            }
            ExprKind::Subquery(p) => format!("scalar[{}]", self.columns(&p.output)),
            ExprKind::Opaque(o) => format!("opaque({:?})", o.text),
        }
    }

    fn string_match(&self, m: &StringMatch) -> String {
        let subject = match &m.subject {
            Subject::Expr(e) => self.expr(e),
            Subject::AnyColumn => "any column".into(),
            Subject::Event => "event".into(),
        };
        let values = match &m.values {
            MatchValues::List(values) => {
                let one = |v: &MatchValue| match v {
                    MatchValue::Expr(e) => self.expr(e),
                    MatchValue::Glob(parts) => format!("{parts:?}"),
                };
                values.iter().map(one).collect::<Vec<_>>().join(", ")
            }
            MatchValues::Dynamic(e) => format!("each of {}", self.expr(e)),
            MatchValues::Query(_) => "each of query".into(),
        };
        let case = if m.case == Case::Insensitive { "~" } else { "" };
        format!("({subject} {:?}{case} {:?} [{values}] missing {:?})", m.kind, m.quantifier, m.missing)
    }
}
