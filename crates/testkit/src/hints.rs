//! What a query compares its tables' columns with.
//!
//! In: a query. Out: for each scanned table its columns, and for each column (and path inside of a dynamic one) the constants
//! that the query tests it against, with the sense of the test; and which columns are joined with which. Predicates are
//! followed down to the scans through renames, casts and functions of one value.

use crate::route::NOW;
use indexmap::IndexMap;
use ruleferry_diag::Span;
use ruleferry_eval::{MemoryTables, Options, Value, evaluate};
use ruleferry_ir::{
    AggregateCall, AggregateItem, BindingValue, Child, ColId, CompareOp, Expr, ExprKind, GlobPart, InValues,
    Item, Json, MatchKind, MatchValue, MatchValues, Op, ParsePiece, Plan, Query, Source, Subject, Type,
    Values,
};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

/// A step into a dynamic value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Name(SmolStr),
    At(usize),
    /// Any element.
    Each,
}

/// A column of a table, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub table: SmolStr,
    pub column: SmolStr,
    pub path: Vec<Step>,
    /// A function stands between: what is inside of its result is no path into the column.
    fixed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    Equals,
    Starts,
    Ends,
    Contains,
    /// The value is a text that fits a pattern.
    Pattern,
    /// The value is a pattern itself: one of these, not nearly one.
    Regex,
    Order(CompareOp),
}

/// One test of a place: any of the values makes it true.
#[derive(Clone, Debug)]
pub struct Hint {
    pub test: Test,
    pub values: Vec<Value>,
    pub negated: bool,
}

/// By table and column: tests with their paths.
pub type Tests = IndexMap<(SmolStr, SmolStr), Vec<(Vec<Step>, Hint)>>;

#[derive(Debug, Default)]
pub struct Hints {
    /// Columns of each scanned table.
    pub tables: IndexMap<SmolStr, IndexMap<SmolStr, Type>>,
    pub tests: Tests,
    /// Pairs of columns that are compared with each other.
    pub links: Vec<(Place, Place)>,
    /// Tables that stand for a function that is asked for a key: each key once, and none without.
    pub looked_up: Vec<(SmolStr, SmolStr)>,
    /// Table names with a `*`: no table is known by that name.
    pub globs: bool,
}

pub fn of(query: &Query) -> Hints {
    let mut walk = Walk { query, places: FxHashMap::default(), hints: Hints::default() };
    for binding in &query.bindings {
        match &binding.value {
            BindingValue::Table { plan, .. } => walk.plan(plan),
            BindingValue::Scalar(e) => walk.expr(e, true),
        }
    }
    walk.plan(&query.plan);
    walk.hints
}

/// The value of an expression that reads no column.
pub fn constant(query: &Query, e: &Expr) -> Option<Value> {
    if let ExprKind::Literal(v) = &e.kind {
        return Some(Value::of_ir(v));
    }
    let mut columns = false;
    e.any(&mut |e| {
        columns |= matches!(
            e.kind,
            ExprKind::Column(_) | ExprKind::Subquery(_) | ExprKind::Opaque(_) | ExprKind::InQuery(_)
        );
        columns
    });
    if columns {
        return None;
    }
    let mut all = query.columns.clone();
    let id = all.add("x", e.ty, Span::default());
    let values = Values { rows: vec![vec![e.clone()]], print: true };
    let one = Query {
        columns: all,
        bindings: query.bindings.clone(),
        plan: Plan::new(Op::Values(values), vec![id], Span::default()),
        assumptions: Vec::new(),
    };
    let answer = evaluate(&one, &MemoryTables::default(), Options::at(NOW)).ok()?;
    answer.rows.first()?.first().cloned()
}

struct Walk<'q> {
    query: &'q Query,
    places: FxHashMap<ColId, Vec<Place>>,
    hints: Hints,
}

impl Walk<'_> {
    fn name(&self, id: ColId) -> SmolStr {
        self.query.columns.name(id).into()
    }

    fn put(&mut self, id: ColId, places: Vec<Place>) {
        if !places.is_empty() {
            let known = self.places.entry(id).or_default();
            for place in places {
                if known.len() < 8 && !known.contains(&place) {
                    known.push(place);
                }
            }
        }
    }

    fn pass(&mut self, from: ColId, to: ColId) {
        if from != to
            && let Some(places) = self.places.get(&from).cloned()
        {
            self.put(to, places);
        }
    }

    /// Where the value of an expression comes from.
    fn places(&self, e: &Expr) -> Vec<Place> {
        let fixed = |mut places: Vec<Place>| {
            places.iter_mut().for_each(|p| p.fixed = true);
            places
        };
        let step = |mut places: Vec<Place>, step: Step| {
            for p in places.iter_mut().filter(|p| !p.fixed && p.path.len() < 12) {
                p.path.push(step.clone());
            }
            places
        };
        match &e.kind {
            ExprKind::Column(id) => self.places.get(id).cloned().unwrap_or_default(),
            ExprKind::Cast(c) => self.places(&c.expr),
            ExprKind::Member(base, name) => step(self.places(base), Step::Name(name.clone())),
            ExprKind::Index(base, index) => {
                let at = match index.as_literal() {
                    Some(ruleferry_ir::Value::String(s)) => Step::Name(s.clone()),
                    Some(v) => match Value::of_ir(v).as_long() {
                        Some(n) if (0..6).contains(&n) => Step::At(usize::try_from(n).unwrap_or(0)),
                        _ => Step::Each,
                    },
                    None => Step::Each,
                };
                step(self.places(base), at)
            }
            ExprKind::Call(f, args) => {
                let found = args.iter().map(|a| self.places(a)).find(|p| !p.is_empty()).unwrap_or_default();
                match f.name {
                    "parse_json" | "todynamic" | "tolower" | "toupper" | "trim" | "coalesce"
                    | "parse_xml" | "column_ifexists" => found,
                    _ => fixed(found),
                }
            }
            ExprKind::Case(branches, otherwise) => {
                let values = branches.iter().map(|(_, v)| v).chain([&**otherwise]);
                values.map(|v| self.places(v)).find(|p| !p.is_empty()).unwrap_or_default()
            }
            ExprKind::Arithmetic(a) => {
                let left = self.places(&a.left);
                fixed(if left.is_empty() { self.places(&a.right) } else { left })
            }
            ExprKind::Let(id) => match self.query.bindings.get(id.0 as usize).map(|b| &b.value) {
                Some(BindingValue::Scalar(value)) => self.places(value),
                Some(BindingValue::Table { .. }) | None => Vec::new(),
            },
            ExprKind::Subquery(plan) => {
                let first = plan.output.first().and_then(|id| self.places.get(id));
                fixed(first.cloned().unwrap_or_default())
            }
            ExprKind::Literal(_)
            | ExprKind::Now
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_)
            | ExprKind::Negate(_)
            | ExprKind::Opaque(_) => Vec::new(),
        }
    }

    /// Where a pattern comes from, valid patterns have to be.
    fn regex(&mut self, e: &Expr) {
        let places = self.places(e);
        let values = REGEXES.iter().map(|r| Value::string(*r)).collect();
        self.hint(&places, &Hint { test: Test::Regex, values, negated: false });
    }

    fn hint(&mut self, places: &[Place], hint: &Hint) {
        for p in places {
            let tests = self.hints.tests.entry((p.table.clone(), p.column.clone())).or_default();
            if tests.len() < 200 {
                tests.push((p.path.clone(), hint.clone()));
            }
        }
    }

    fn link(&mut self, a: &[Place], b: &[Place]) {
        for a in a.iter().take(4) {
            for b in b.iter().take(4) {
                if a != b {
                    self.hints.links.push((a.clone(), b.clone()));
                }
            }
        }
    }

    fn plan(&mut self, plan: &Plan) {
        // Inputs first: they say where the columns come from.
        let mut chain = vec![plan];
        while let Some(input) = chain.last().and_then(|p| p.input()) {
            chain.push(input);
        }
        while let Some(step) = chain.pop() {
            self.step(step);
        }
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            self.expr(&item.expr, true);
            let places = self.places(&item.expr);
            for id in &item.ids {
                self.put(*id, places.clone());
            }
        }
    }

    fn aggregate(&mut self, item: &AggregateItem) {
        match &item.call {
            AggregateCall::Function(f, args) => {
                args.iter().for_each(|a| self.expr(a, true));
                if !matches!(f.name, "count" | "countif" | "dcount" | "dcountif" | "sum" | "sumif")
                    && let Some(arg) = args.first()
                {
                    let list = f.name.starts_with("make_");
                    let mut places = self.places(arg);
                    if list {
                        places.iter_mut().for_each(|p| p.fixed = true);
                    }
                    item.ids.iter().for_each(|id| self.put(*id, places.clone()));
                }
            }
            AggregateCall::ArgExtreme { by, returned, .. } => {
                self.expr(by, true);
                let by = self.places(by);
                let extra = usize::from(item.ids.len() > returned.len());
                if extra == 1
                    && let Some(id) = item.ids.first()
                {
                    self.put(*id, by);
                }
                for (id, e) in item.ids.iter().skip(extra).zip(returned) {
                    let places = self.places(e);
                    self.put(*id, places);
                }
            }
            AggregateCall::TakeAny { returned, condition, .. } => {
                if let Some(c) = condition {
                    self.expr(c, true);
                }
                for (id, e) in item.ids.iter().zip(returned) {
                    let places = self.places(e);
                    self.put(*id, places);
                }
            }
            AggregateCall::Composed { parts, expr } => {
                parts.iter().for_each(|p| self.aggregate(p));
                self.expr(expr, true);
                let places = self.places(expr);
                item.ids.iter().for_each(|id| self.put(*id, places.clone()));
            }
        }
    }

    fn step(&mut self, plan: &Plan) {
        match &*plan.op {
            Op::Scan(scan) => {
                let (table, over) = match &scan.source {
                    Source::Table(table) => (table.name.clone(), None),
                    Source::Input(input) => (input.name.clone(), input.over.as_ref()),
                    Source::Glob(_) => {
                        self.hints.globs = true;
                        return;
                    }
                };
                if let Some(over) = over {
                    self.plan(over);
                }
                let inner: &[ColId] = over.map_or(&[], |o| &o.output);
                let mut wanted: Vec<ColId> =
                    plan.output.iter().copied().filter(|id| !inner.contains(id)).collect();
                if let (Some(over), Source::Input(input)) = (over, &scan.source) {
                    let key = input.args.iter().find_map(Expr::as_column);
                    let key = key.or_else(|| {
                        over.output.iter().copied().find(|id| self.query.columns.name(*id) == "SHA1")
                    });
                    if let Some(key) = key {
                        wanted.push(key);
                        let left = self.places.get(&key).cloned().unwrap_or_default();
                        let right = Place {
                            table: table.clone(),
                            column: self.name(key),
                            path: Vec::new(),
                            fixed: false,
                        };
                        let asked = (table.clone(), self.name(key));
                        self.hints.looked_up.push(asked);
                        self.link(&left, &[right]);
                    }
                }
                for id in wanted {
                    let (name, ty) = (self.name(id), self.query.columns.ty(id));
                    self.hints.tables.entry(table.clone()).or_default().entry(name.clone()).or_insert(ty);
                    if plan.output.contains(&id) {
                        let place =
                            Place { table: table.clone(), column: name, path: Vec::new(), fixed: false };
                        self.put(id, vec![place]);
                    }
                }
                self.hints.tables.entry(table).or_default();
            }
            Op::Ref(id) => {
                if let Some(BindingValue::Table { plan: bound, .. }) =
                    self.query.bindings.get(id.0 as usize).map(|b| &b.value)
                {
                    for (to, from) in plan.output.iter().zip(bound.output.iter()) {
                        self.pass(*from, *to);
                    }
                }
            }
            Op::Extend { items, .. } | Op::Project { items, .. } | Op::Serialize { items, .. } => {
                self.items(items)
            }
            Op::Select { items, .. } => items.iter().for_each(|i| self.pass(i.from, i.to)),
            Op::Aggregate(a) => {
                self.items(&a.keys);
                a.aggregates.iter().for_each(|a| self.aggregate(a));
            }
            Op::Join(j) => {
                self.plan(&j.right);
                for key in &j.on {
                    let left = self.places.get(&key.left).cloned().unwrap_or_default();
                    let right = self.places.get(&key.right).cloned().unwrap_or_default();
                    self.link(&left, &right);
                }
                j.right_output.iter().for_each(|i| self.pass(i.from, i.to));
            }
            Op::Union(u) => {
                u.inputs.iter().for_each(|i| self.plan(i));
                let outputs = plan.output.iter().filter(|id| Some(**id) != u.source);
                for (out, inputs) in outputs.zip(&u.columns) {
                    inputs.iter().flatten().for_each(|id| self.pass(*id, *out));
                }
            }
            Op::Search(s) => {
                s.inputs.iter().for_each(|i| self.plan(i));
                let outputs = plan.output.iter().filter(|id| Some(**id) != s.source);
                for (out, inputs) in outputs.zip(&s.columns) {
                    inputs.iter().flatten().for_each(|id| self.pass(*id, *out));
                }
                self.expr(&s.predicate, true);
            }
            Op::Expand(e) => {
                for item in &e.items {
                    self.expanded(item.id, &item.expr);
                }
            }
            Op::Apply(a) => {
                for item in &a.items {
                    self.expanded(item.id, &item.expr);
                }
                self.plan(&a.body);
            }
            Op::Partition { body, .. } => self.plan(body),
            Op::MakeSeries(m) => {
                self.items(&m.keys);
                m.aggregates.iter().for_each(|a| self.aggregate(&a.aggregate));
                for bound in [&m.from, &m.to].into_iter().flatten() {
                    if let Some(v) = constant(self.query, bound) {
                        let places = self.places(&m.axis);
                        let hint = Hint { test: Test::Order(CompareOp::Ge), values: vec![v], negated: false };
                        self.hint(&places, &hint);
                    }
                }
            }
            Op::Parse(p) => {
                self.expr(&p.subject, true);
                let texts = ["alpha", "7", "x y", "10.0.0.5", "b"].map(|fill| {
                    let pieces = p.pieces.iter().map(|piece| match piece {
                        ParsePiece::Star => String::new(),
                        ParsePiece::Text(t) => t.to_string(),
                        ParsePiece::Column(id) if self.query.columns.ty(*id) != Type::String => {
                            "7".to_owned()
                        }
                        ParsePiece::Column(_) => fill.to_owned(),
                    });
                    Value::string(pieces.collect::<String>())
                });
                let places = self.places(&p.subject);
                self.hint(&places, &Hint { test: Test::Pattern, values: texts.to_vec(), negated: false });
            }
            Op::ParseKv(p) => {
                let pair = p.pair_delimiter.as_deref().unwrap_or(" ");
                let kv = p.kv_delimiter.as_deref().unwrap_or("=");
                let names: Vec<String> =
                    p.columns.iter().map(|id| format!("{}{kv}7", self.name(*id))).collect();
                let places = self.places(&p.subject);
                let values = vec![Value::string(names.join(pair))];
                self.hint(&places, &Hint { test: Test::Pattern, values, negated: false });
            }
            Op::Filter { predicate, .. } => self.expr(predicate, true),
            Op::Plugin(_) | Op::TopNested(_) | Op::Sequence(_) | Op::Opaque { .. } => {
                let input = plan.input().map(|p| std::ptr::from_ref(&*p.op));
                let mut rest: Vec<Child<'_>> = Vec::new();
                plan.children(&mut |c| rest.push(c));
                for child in rest {
                    match child {
                        Child::Plan(p) if Some(std::ptr::from_ref(&*p.op)) == input => {}
                        Child::Plan(p) => self.plan(p),
                        Child::Expr(e) => self.expr(e, true),
                    }
                }
            }
            Op::Values(_)
            | Op::Range(_)
            | Op::Rows
            | Op::Distinct { .. }
            | Op::Sort { .. }
            | Op::Limit { .. }
            | Op::Top { .. }
            | Op::GetSchema { .. }
            | Op::Render { .. } => {}
        }
    }

    fn expanded(&mut self, id: ColId, e: &Expr) {
        self.expr(e, true);
        let mut places = self.places(e);
        places.iter_mut().filter(|p| !p.fixed).for_each(|p| p.path.push(Step::Each));
        // So that the array is there, also where nothing is known of its elements.
        let hint = Hint { test: Test::Equals, values: Vec::new(), negated: true };
        self.hint(&places, &hint);
        self.put(id, places);
    }

    /// Tests of an expression; `positive`: rows are kept where it is true.
    fn expr(&mut self, e: &Expr, positive: bool) {
        match &e.kind {
            ExprKind::And(es) | ExprKind::Or(es) => es.iter().for_each(|e| self.expr(e, positive)),
            ExprKind::Not(inner) => self.expr(inner, !positive),
            ExprKind::Compare(c) => {
                self.expr(&c.left, true);
                self.expr(&c.right, true);
                let (left, right) = (self.places(&c.left), self.places(&c.right));
                if !left.is_empty() && !right.is_empty() {
                    if c.op == CompareOp::Eq {
                        self.link(&left, &right);
                    }
                    return;
                }
                let (places, other, op) =
                    if left.is_empty() { (right, &c.left, c.op.flipped()) } else { (left, &c.right, c.op) };
                if places.is_empty() {
                    return;
                }
                let Some(value) = constant(self.query, other) else { return };
                let (test, flip) = match op {
                    CompareOp::Eq => (Test::Equals, false),
                    CompareOp::Ne => (Test::Equals, true),
                    CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => (Test::Order(op), false),
                };
                self.hint(&places, &Hint { test, values: vec![value], negated: positive == flip });
            }
            ExprKind::Match(m) => {
                let places = match &m.subject {
                    Subject::Expr(e) => {
                        self.expr(e, true);
                        self.places(e)
                    }
                    // Any text column will do: the first ones of each table.
                    Subject::AnyColumn | Subject::Event => self.some_columns(),
                };
                let mut values: Vec<Value> = Vec::new();
                match &m.values {
                    MatchValues::List(list) => {
                        for value in list {
                            match value {
                                MatchValue::Expr(e) => {
                                    self.expr(e, true);
                                    if m.kind == MatchKind::Regex {
                                        self.regex(e);
                                    }
                                    values.extend(constant(self.query, e));
                                }
                                MatchValue::Glob(parts) => values.push(Value::string(glob(parts))),
                            }
                        }
                    }
                    MatchValues::Dynamic(e) => values.extend(spread(constant(self.query, e))),
                    MatchValues::Query(plan) => {
                        self.plan(plan);
                        let other = plan
                            .output
                            .first()
                            .and_then(|id| self.places.get(id))
                            .cloned()
                            .unwrap_or_default();
                        self.link(&places, &other);
                    }
                }
                let test = match m.kind {
                    MatchKind::Equals => Test::Equals,
                    MatchKind::StartsWith => Test::Starts,
                    MatchKind::EndsWith => Test::Ends,
                    MatchKind::Contains | MatchKind::Term | MatchKind::TermPrefix | MatchKind::TermSuffix => {
                        Test::Contains
                    }
                    MatchKind::Regex => {
                        values =
                            values.iter().filter_map(|v| Some(Value::string(sample(v.text()?)?))).collect();
                        Test::Pattern
                    }
                    MatchKind::Cidr => {
                        values = values
                            .iter()
                            .filter_map(|v| Some(Value::string(v.text()?.split('/').next()?)))
                            .collect();
                        Test::Pattern
                    }
                    MatchKind::Glob => Test::Pattern,
                };
                if m.quantifier == ruleferry_ir::Quantifier::All {
                    for v in values {
                        self.hint(&places, &Hint { test, values: vec![v], negated: !positive });
                    }
                } else if !values.is_empty() {
                    self.hint(&places, &Hint { test, values, negated: !positive });
                }
            }
            ExprKind::In(i) => {
                self.expr(&i.subject, true);
                let places = self.places(&i.subject);
                let values: Vec<Value> = match &i.values {
                    InValues::List(es) => es.iter().filter_map(|e| constant(self.query, e)).collect(),
                    InValues::Dynamic(e) => spread(constant(self.query, e)),
                };
                self.hint(&places, &Hint { test: Test::Equals, values, negated: !positive });
            }
            ExprKind::InQuery(i) => {
                self.expr(&i.subject, true);
                self.plan(&i.plan);
                let left = self.places(&i.subject);
                let right =
                    i.plan.output.first().and_then(|id| self.places.get(id)).cloned().unwrap_or_default();
                self.link(&left, &right);
            }
            ExprKind::Between(b) => {
                let places = self.places(&b.subject);
                for (bound, op) in [(&b.low, CompareOp::Ge), (&b.high, CompareOp::Le)] {
                    if let Some(v) = constant(self.query, bound) {
                        self.hint(
                            &places,
                            &Hint { test: Test::Order(op), values: vec![v], negated: !positive },
                        );
                    }
                }
            }
            ExprKind::Call(f, args) => {
                args.iter().for_each(|a| self.expr(a, true));
                if let Some(pattern) = REGEX_ARGUMENT.iter().find(|(name, _)| *name == f.name)
                    && let Some(arg) = args.get(pattern.1)
                {
                    self.regex(arg);
                }
                let places = args.iter().map(|a| self.places(a)).find(|p| !p.is_empty()).unwrap_or_default();
                if places.is_empty() {
                    return;
                }
                let texts = args.iter().filter_map(|a| constant(self.query, a)).flat_map(|v| spread(Some(v)));
                let values: Vec<Value> = texts
                    .filter_map(|v| match &v {
                        Value::String(s) if f.name.starts_with("extract") || f.name.contains("regex") => {
                            sample(s).map(Value::string)
                        }
                        Value::String(s) if f.name.contains("ip") => s.split('/').next().map(Value::string),
                        Value::String(s) if f.name == "split" => {
                            Some(Value::string(format!("alpha{s}beta{s}c")))
                        }
                        Value::String(_) => Some(v),
                        _ => None,
                    })
                    .collect();
                if !values.is_empty() {
                    self.hint(&places, &Hint { test: Test::Pattern, values, negated: !positive });
                }
            }
            ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => {
                let mut rest: Vec<Child<'_>> = Vec::new();
                e.children(&mut |c| rest.push(c));
                for child in rest {
                    match child {
                        Child::Plan(p) => self.plan(p),
                        Child::Expr(e) => self.expr(e, true),
                    }
                }
            }
        }
    }

    fn some_columns(&self) -> Vec<Place> {
        let tables = self.hints.tables.iter();
        let texts = tables.flat_map(|(t, cs)| {
            let strings = cs.iter().filter(|(_, ty)| **ty == Type::String).take(3);
            strings.map(|(c, _)| Place {
                table: t.clone(),
                column: c.clone(),
                path: Vec::new(),
                fixed: false,
            })
        });
        texts.collect()
    }
}

/// Patterns with a capture group that are valid alone and as a part of another.
const REGEXES: [&str; 4] = ["(alpha)", "([a-z]+)", r"(\w+\.\w+)", "(Beta|gamma).*"];

/// Functions that take a pattern, and which argument it is.
const REGEX_ARGUMENT: [(&str, usize); 7] = [
    ("extract", 0),
    ("extract_all", 0),
    ("replace_regex", 1),
    ("trim", 0),
    ("trim_start", 0),
    ("trim_end", 0),
    ("countof", 1),
];

/// The elements of an array; else the value.
fn spread(value: Option<Value>) -> Vec<Value> {
    let Some(value) = value else { return Vec::new() };
    match value.as_json() {
        Some(Json::Array(items)) => items.iter().map(plain).collect(),
        Some(json) => vec![plain(json)],
        None => vec![value],
    }
}

/// A scalar inside of a dynamic value as that scalar.
fn plain(json: &Json) -> Value {
    match json {
        Json::String(s) => Value::String(s.clone()),
        Json::Long(n) => Value::Long(*n),
        Json::Real(x) => Value::Real(*x),
        Json::Bool(b) => Value::Bool(*b),
        Json::Datetime(t) => Value::Datetime(*t),
        Json::Timespan(t) => Value::Timespan(*t),
        Json::Null | Json::Array(_) | Json::Object(_) => Value::of_json(json),
    }
}

fn glob(parts: &[GlobPart]) -> String {
    parts
        .iter()
        .map(|p| match p {
            GlobPart::Text(t) => t.as_str(),
            GlobPart::Many => "mid",
            GlobPart::One => "q",
        })
        .collect()
}

/// A text that a regular expression matches, most often.
pub fn sample(pattern: &str) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut out = String::new();
    write_sample(&hir, &mut out);
    Some(out)
}

fn write_sample(hir: &regex_syntax::hir::Hir, out: &mut String) {
    use regex_syntax::hir::{Class, HirKind};
    if out.len() > 300 {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(l) => out.push_str(&String::from_utf8_lossy(&l.0)),
        HirKind::Class(Class::Unicode(c)) => {
            let good = |ch: char| c.ranges().iter().any(|r| (r.start()..=r.end()).contains(&ch));
            let nice = ['a', '7', 'Z', ' ', '-', '.', '/', '_'].into_iter().find(|ch| good(*ch));
            out.extend(nice.or_else(|| c.ranges().first().map(|r| r.start())));
        }
        HirKind::Class(Class::Bytes(c)) => out.extend(c.ranges().first().map(|r| char::from(r.start()))),
        HirKind::Repetition(r) => {
            let times = r.min.max(u32::from(r.max != Some(0))).min(40);
            (0..times).for_each(|_| write_sample(&r.sub, out));
        }
        HirKind::Capture(c) => write_sample(&c.sub, out),
        HirKind::Concat(parts) => parts.iter().for_each(|p| write_sample(p, out)),
        HirKind::Alternation(parts) => parts.iter().take(1).for_each(|p| write_sample(p, out)),
    }
}
