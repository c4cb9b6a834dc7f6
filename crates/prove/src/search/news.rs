//! The parts of a rule that the other rule does not have: what is changed there is tried first.
//!
//! In: two queries. Out: the addresses of such expressions, aggregates and operators, and which elements of lists are such.
//! Two parts are the same if they read the same, columns by their names and `let`s by their values; spans say nothing.

use indexmap::IndexMap;
use ruleferry_ir::{
    AggregateCall, AggregateItem, BindingValue, Child, Expr, ExprKind, InValues, Json, MatchValue,
    MatchValues, Op, Plan, Query, Source, Value,
};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::hash::{Hash, Hasher as _};

/// What is in one query only.
#[derive(Debug, Default)]
pub(super) struct News {
    places: FxHashSet<usize>,
    /// Elements of the list that a test looks for, by its address.
    elements: FxHashMap<usize, Vec<bool>>,
    /// Constants.
    pub constants: Vec<ruleferry_eval::Value>,
}

impl News {
    /// For each of two queries what the other does not have.
    pub fn of(a: &Query, b: &Query) -> [Self; 2] {
        let (a, b) = (Prints::of(a), Prints::of(b));
        [a.beside(&b), b.beside(&a)]
    }

    pub fn has(&self, place: usize) -> bool {
        self.places.contains(&place)
    }

    /// Whether an element of a list that a test looks for is new.
    pub fn has_element(&self, test: usize, at: usize) -> bool {
        self.elements.get(&test).and_then(|e| e.get(at)).copied().unwrap_or(false)
    }
}

/// A number for each part of a query: the same for those that read the same.
struct Prints<'q> {
    query: &'q Query,
    by_place: FxHashMap<usize, u64>,
    elements: FxHashMap<usize, Vec<u64>>,
    constants: IndexMap<u64, ruleferry_eval::Value>,
    all: FxHashSet<u64>,
}

fn hashed(write: impl FnOnce(&mut FxHasher)) -> u64 {
    let mut hasher = FxHasher::default();
    write(&mut hasher);
    hasher.finish()
}

fn place<T>(at: &T) -> usize {
    std::ptr::from_ref(at).addr()
}

impl<'q> Prints<'q> {
    fn of(query: &'q Query) -> Self {
        let mut prints = Self {
            query,
            by_place: FxHashMap::default(),
            elements: FxHashMap::default(),
            constants: IndexMap::new(),
            all: FxHashSet::default(),
        };
        for binding in &query.bindings {
            match &binding.value {
                BindingValue::Scalar(e) => drop(prints.expr(e)),
                BindingValue::Table { plan, .. } => drop(prints.plan(plan)),
            }
        }
        prints.plan(&query.plan);
        prints
    }

    fn beside(&self, other: &Self) -> News {
        let new = |print: &u64| !other.all.contains(print);
        News {
            places: self.by_place.iter().filter(|(_, p)| new(p)).map(|(at, _)| *at).collect(),
            elements: self.elements.iter().map(|(at, es)| (*at, es.iter().map(new).collect())).collect(),
            constants: self.constants.iter().filter(|(p, _)| new(p)).map(|(_, v)| v.clone()).collect(),
        }
    }

    fn keep(&mut self, at: usize, print: u64) -> u64 {
        self.by_place.insert(at, print);
        self.all.insert(print);
        print
    }

    /// A pipeline from its source down.
    fn plan(&mut self, plan: &'q Plan) -> u64 {
        let mut chain = vec![plan];
        while let Some(input) = chain.last().and_then(|p| p.input()) {
            chain.push(input);
        }
        let mut print = 0;
        while let Some(step) = chain.pop() {
            print = self.step(step, print);
        }
        print
    }

    fn step(&mut self, plan: &'q Plan, input: u64) -> u64 {
        let name = |id: ruleferry_ir::ColId| self.query.columns.name(id);
        let mut own = hashed(|h| {
            std::mem::discriminant(&*plan.op).hash(h);
            match &*plan.op {
                Op::Scan(scan) => match &scan.source {
                    Source::Table(t) => t.name.hash(h),
                    Source::Glob(glob) => glob.hash(h),
                    Source::Input(i) => i.name.hash(h),
                },
                Op::Join(j) => {
                    std::mem::discriminant(&j.kind).hash(h);
                    j.on.iter().for_each(|on| (name(on.left), name(on.right)).hash(h));
                }
                Op::Distinct { .. } => plan.output.iter().for_each(|id| name(*id).hash(h)),
                Op::Plugin(p) => p.function.name.hash(h),
                Op::Parse(p) => format!("{:?}", p.pieces).hash(h),
                Op::Ref(_)
                | Op::Values(_)
                | Op::Range(_)
                | Op::Rows
                | Op::Filter { .. }
                | Op::Extend { .. }
                | Op::Project { .. }
                | Op::Serialize { .. }
                | Op::Select { .. }
                | Op::Aggregate(_)
                | Op::Union(_)
                | Op::Sort { .. }
                | Op::Limit { .. }
                | Op::Top { .. }
                | Op::Expand(_)
                | Op::Apply(_)
                | Op::Partition { .. }
                | Op::MakeSeries(_)
                | Op::ParseKv(_)
                | Op::Sequence(_)
                | Op::TopNested(_)
                | Op::Search(_)
                | Op::GetSchema { .. }
                | Op::Render { .. }
                | Op::Opaque { .. } => {}
            }
        });
        if let Op::Aggregate(a) = &*plan.op {
            for item in &a.aggregates {
                own = hashed(|h| (own, self.aggregate(item)).hash(h));
            }
        }
        let before = plan.input().map(place);
        let mut inside: Vec<Child<'q>> = Vec::new();
        plan.children(&mut |child| inside.push(child));
        for child in inside {
            let print = match child {
                Child::Plan(p) if Some(place(p)) == before => input,
                Child::Plan(p) => self.plan(p),
                Child::Expr(e) => self.expr(e),
            };
            own = hashed(|h| (own, print).hash(h));
        }
        // The operator alone, without what is before it.
        self.keep(place(&*plan.op), own)
    }

    fn aggregate(&mut self, item: &'q AggregateItem) -> u64 {
        let (name, args): (&str, Vec<&'q Expr>) = match &item.call {
            AggregateCall::Function(f, args) => (f.name, args.iter().collect()),
            AggregateCall::ArgExtreme { max, by, returned, .. } => {
                (if *max { "arg_max" } else { "arg_min" }, std::iter::once(by).chain(returned).collect())
            }
            AggregateCall::TakeAny { returned, condition, .. } => {
                ("take_any", returned.iter().chain(condition).collect())
            }
            AggregateCall::Composed { parts, expr } => {
                for part in parts {
                    self.aggregate(part);
                }
                ("", vec![expr])
            }
        };
        let args: Vec<u64> = args.into_iter().map(|e| self.expr(e)).collect();
        let print = hashed(|h| (name, args).hash(h));
        self.keep(place(item), print)
    }

    fn expr(&mut self, e: &'q Expr) -> u64 {
        if let Some(known) = self.by_place.get(&place(e)) {
            return *known;
        }
        let mut listed: Option<Vec<u64>> = None;
        let mut own = hashed(|h| {
            std::mem::discriminant(&e.kind).hash(h);
            match &e.kind {
                ExprKind::Literal(value) => format!("{value:?}").hash(h),
                ExprKind::Column(id) => self.query.columns.name(*id).hash(h),
                ExprKind::Compare(c) => (c.op, c.missing).hash(h),
                ExprKind::Match(m) => {
                    (m.kind, m.case, m.quantifier, m.missing).hash(h);
                    std::mem::discriminant(&m.subject).hash(h);
                    if let MatchValues::List(values) = &m.values {
                        for value in values {
                            if let MatchValue::Glob(parts) = value {
                                format!("{parts:?}").hash(h);
                            }
                        }
                    }
                }
                ExprKind::In(i) => i.missing.hash(h),
                ExprKind::InQuery(i) => (i.case, i.missing).hash(h),
                ExprKind::Call(f, _) => f.name.hash(h),
                ExprKind::Cast(c) => c.to.hash(h),
                ExprKind::Member(_, name) => name.hash(h),
                ExprKind::Opaque(o) => o.text.hash(h),
                ExprKind::Let(_)
                | ExprKind::Now
                | ExprKind::And(_)
                | ExprKind::Or(_)
                | ExprKind::Not(_)
                | ExprKind::Between(_)
                | ExprKind::IsNull(_)
                | ExprKind::IsEmpty(_)
                | ExprKind::Arithmetic(_)
                | ExprKind::Negate(_)
                | ExprKind::Index(..)
                | ExprKind::Case(..)
                | ExprKind::Subquery(_) => {}
            }
        });
        if let ExprKind::Arithmetic(a) = &e.kind {
            own = hashed(|h| (own, std::mem::discriminant(&a.op)).hash(h));
        }
        if let ExprKind::Let(id) = &e.kind
            && let Some(BindingValue::Scalar(value)) =
                self.query.bindings.get(id.0 as usize).map(|b| &b.value)
        {
            own = hashed(|h| (own, self.expr(value)).hash(h));
        }
        let mut inside: Vec<Child<'q>> = Vec::new();
        e.children(&mut |child| inside.push(child));
        for child in inside {
            let print = match child {
                Child::Plan(p) => self.plan(p),
                Child::Expr(e) => self.expr(e),
            };
            own = hashed(|h| (own, print).hash(h));
        }
        match &e.kind {
            ExprKind::Match(m) => match &m.values {
                MatchValues::List(values) => {
                    let each = values.iter().map(|v| match v {
                        MatchValue::Expr(e) => self.expr(e),
                        MatchValue::Glob(parts) => {
                            let print = hashed(|h| format!("{parts:?}").hash(h));
                            self.all.insert(print);
                            print
                        }
                    });
                    listed = Some(each.collect());
                }
                MatchValues::Dynamic(list) => listed = self.items(list),
                MatchValues::Query(_) => {}
            },
            ExprKind::In(i) => match &i.values {
                InValues::List(values) => listed = Some(values.iter().map(|e| self.expr(e)).collect()),
                InValues::Dynamic(list) => listed = self.items(list),
            },
            ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Call(..)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => {}
        }
        if let ExprKind::Literal(value) = &e.kind {
            let list = matches!(value, Value::Dynamic(Json::Array(_) | Json::Object(_)));
            if !list {
                self.constants.insert(own, ruleferry_eval::Value::of_ir(value));
            }
        }
        if let Some(listed) = listed {
            self.elements.insert(place(e), listed);
        }
        self.keep(place(e), own)
    }

    /// The elements of an array that is written in the query.
    fn items(&mut self, list: &Expr) -> Option<Vec<u64>> {
        let mut at = list;
        loop {
            at = match &at.kind {
                ExprKind::Cast(c) => &c.expr,
                ExprKind::Let(id) => match self.query.bindings.get(id.0 as usize).map(|b| &b.value) {
                    Some(BindingValue::Scalar(e)) => e,
                    Some(BindingValue::Table { .. }) | None => return None,
                },
                ExprKind::Literal(Value::Dynamic(Json::Array(items))) => {
                    let prints: Vec<u64> =
                        items.iter().map(|i| hashed(|h| format!("{i:?}").hash(h))).collect();
                    self.all.extend(&prints);
                    let values = items.iter().map(ruleferry_eval::Value::of_json);
                    self.constants.extend(prints.iter().copied().zip(values));
                    return Some(prints);
                }
                _ => return None,
            };
        }
    }
}
