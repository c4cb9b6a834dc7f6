//! What changed between two rules, part by part: predicates, values, thresholds, windows, keys, tables, outputs.
//!
//! In: two queries. Out: [`RawChange`]s with canonical texts, spans in both queries, and the [`ChangeEffect`] that each has
//! by itself. Operators are aligned by kind and likeness, conditions by what they look at. It explains a verdict and never
//! makes one.

use super::predicate::{Node, Test, TestKind, Wanted};
use super::shape::{self, ChangeKind, Flow, Head, Part, Place, Polarity, Rows, Step};
use ruleferry_diag::Span;
use ruleferry_ir::{self as ir, Case, CompareOp, MatchKind};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// What a change does by itself to the rows that the rule finds.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ChangeEffect {
    /// `b` finds more.
    Wider,
    /// `b` misses something.
    Narrower,
    /// The same is found.
    None,
    Unknown,
}

impl ChangeEffect {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wider => "wider",
            Self::Narrower => "narrower",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }

    /// Of a change that lets more rows through (or fewer), seen from where the rule ends.
    const fn of(more: Option<bool>, polarity: Polarity) -> Self {
        match (more, polarity) {
            (None, _) | (_, Polarity::Unclear) => Self::Unknown,
            (Some(true), Polarity::More) | (Some(false), Polarity::Fewer) => Self::Wider,
            (Some(false), Polarity::More) | (Some(true), Polarity::Fewer) => Self::Narrower,
        }
    }
}

/// A change, with places in the texts of the queries.
#[derive(Clone, Debug)]
pub(crate) struct RawChange {
    pub kind: ChangeKind,
    pub a: Option<Place>,
    pub b: Option<Place>,
    /// Values behind a name (`let`), where the places themselves read alike.
    pub detail: Option<(Place, Place)>,
    pub effect: ChangeEffect,
}

/// More of them nobody reads.
const MOST: usize = 500;
/// Pairs that are looked at for likeness in one place.
const PAIRS: usize = 40_000;

/// What changed between two queries.
pub(crate) fn changes(a: &ir::Query, b: &ir::Query) -> Vec<RawChange> {
    let names_of_b = shape::computed_names(b);
    let shared = shape::computed_names(a).into_iter().filter(|n| names_of_b.contains(n)).collect();
    let (flow_a, flow_b) = (shape::flow(a, &shared), shape::flow(b, &shared));
    let mut found = Changes { out: Vec::new() };
    found.flows(&flow_a, &flow_b, Polarity::More);
    found.outputs(a, b);
    found.out
}

/// Tells two flows apart.
pub(crate) fn flow_key(flow: &Flow) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &flow.head {
        Head::Leaf(part) => part.place.text.hash(&mut hasher),
        Head::Union(flows) => {
            let mut keys: Vec<u64> = flows.iter().map(flow_key).collect();
            keys.sort_unstable();
            keys.hash(&mut hasher);
        }
    }
    rows_key(&flow.rows).hash(&mut hasher);
    for (step, rows) in &flow.steps {
        step_key(step).hash(&mut hasher);
        rows_key(rows).hash(&mut hasher);
    }
    hasher.finish()
}

fn rows_key(rows: &Rows) -> u64 {
    let mut keys: Vec<u64> = rows.filter.iter().map(Node::key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut hasher = DefaultHasher::new();
    keys.hash(&mut hasher);
    for part in &rows.columns {
        (&part.key, &part.place.text).hash(&mut hasher);
    }
    hasher.finish()
}

fn step_key(step: &Step) -> u64 {
    let mut hasher = DefaultHasher::new();
    step.name.hash(&mut hasher);
    let mut parts: Vec<(&str, &str)> =
        step.parts.iter().map(|p| (p.key.as_str(), p.place.text.as_str())).collect();
    parts.sort_unstable();
    parts.hash(&mut hasher);
    for (_, flow) in &step.flows {
        flow_key(flow).hash(&mut hasher);
    }
    hasher.finish()
}

struct Changes {
    out: Vec<RawChange>,
}

impl Changes {
    fn push(&mut self, kind: ChangeKind, a: Option<Place>, b: Option<Place>, effect: ChangeEffect) {
        if self.out.len() < MOST {
            self.out.push(RawChange { kind, a, b, detail: None, effect });
        }
    }

    fn flows(&mut self, a: &Flow, b: &Flow, polarity: Polarity) {
        if flow_key(a) == flow_key(b) {
            return;
        }
        let pairs = aligned(&a.steps, &b.steps);
        // What lies behind the last aligned pair, then each pair with what lies between it and the one before.
        let (mut end_a, mut end_b, mut polarity) = (a.steps.len(), b.steps.len(), polarity);
        let mut order = Vec::new();
        for (i, j) in pairs.iter().rev() {
            order.push((Some((*i, *j)), (i + 1..end_a, j + 1..end_b), polarity));
            polarity = self::between(a, b, i + 1..end_a, j + 1..end_b, polarity);
            if let (Some((x, _)), Some((y, _))) = (a.steps.get(*i), b.steps.get(*j)) {
                polarity = polarity.then(x.polarity.both(y.polarity));
            }
            (end_a, end_b) = (*i, *j);
        }
        let first = polarity;
        let below = self::between(a, b, 0..end_a, 0..end_b, polarity);
        self.heads(a, b, below);
        self.segment(a, b, None, (0..end_a, 0..end_b), first, below);
        for (pair, rest, polarity) in order.into_iter().rev() {
            let inner = self::between(a, b, rest.0.clone(), rest.1.clone(), polarity);
            self.segment(a, b, pair, rest, polarity, inner);
        }
    }

    /// The steps that have no partner, and the rows around them. `above`: behind the last of them; `below`: before the first.
    fn segment(
        &mut self,
        a: &Flow,
        b: &Flow,
        pair: Option<(usize, usize)>,
        (rest_a, rest_b): (std::ops::Range<usize>, std::ops::Range<usize>),
        above: Polarity,
        below: Polarity,
    ) {
        let (mut rows_a, mut rows_b) = (Vec::new(), Vec::new());
        match pair {
            None => {
                rows_a.push(&a.rows);
                rows_b.push(&b.rows);
            }
            Some((i, j)) => {
                if let (Some((x, after_x)), Some((y, after_y))) = (a.steps.get(i), b.steps.get(j)) {
                    self.steps(x, y, below);
                    rows_a.push(after_x);
                    rows_b.push(after_y);
                }
            }
        }
        for (step, rows) in a.steps.get(rest_a.clone()).unwrap_or_default() {
            // Fewer operators that drop rows: more rows.
            self.push(step.kind, Some(step.place.clone()), None, lone(step, true, above));
            rows_a.push(rows);
        }
        for (step, rows) in b.steps.get(rest_b.clone()).unwrap_or_default() {
            self.push(step.kind, None, Some(step.place.clone()), lone(step, false, above));
            rows_b.push(rows);
        }
        let polarity = above.both(below);
        let filter_a: Vec<&Node> = rows_a.iter().flat_map(|r| &r.filter).collect();
        let filter_b: Vec<&Node> = rows_b.iter().flat_map(|r| &r.filter).collect();
        self.children(&filter_a, &filter_b, true, polarity);
        let columns = |rows: &[&Rows]| -> Vec<Part> { rows.iter().flat_map(|r| r.columns.clone()).collect() };
        self.parts(&columns(&rows_a), &columns(&rows_b), polarity);
        let order = |rows: &[&Rows]| rows.iter().rev().find_map(|r| r.order.clone());
        let (x, y) = (order(&rows_a), order(&rows_b));
        if x.as_ref().map(|p| &p.place.text) != y.as_ref().map(|p| &p.place.text) {
            // Only what takes the first rows looks at their order.
            let limits = |flow: &Flow| flow.steps.iter().any(|(s, _)| s.kind == ChangeKind::Limit);
            let effect = if limits(a) || limits(b) { ChangeEffect::Unknown } else { ChangeEffect::None };
            self.push(ChangeKind::Order, x.map(|p| p.place), y.map(|p| p.place), effect);
        }
    }

    fn heads(&mut self, a: &Flow, b: &Flow, polarity: Polarity) {
        match (&a.head, &b.head) {
            (Head::Leaf(x), Head::Leaf(y)) => {
                if x.place.text != y.place.text {
                    let (x, y) = (x.place.clone(), y.place.clone());
                    self.push(ChangeKind::Table, Some(x), Some(y), ChangeEffect::Unknown);
                }
            }
            (Head::Union(x), Head::Union(y)) => self.unions(x, y, polarity),
            (Head::Leaf(_), Head::Union(y)) => {
                let x = Flow { head: a.head.clone(), ..Flow::default() };
                self.unions(std::slice::from_ref(&x), y, polarity);
            }
            (Head::Union(x), Head::Leaf(_)) => {
                let y = Flow { head: b.head.clone(), ..Flow::default() };
                self.unions(x, std::slice::from_ref(&y), polarity);
            }
        }
    }

    fn unions(&mut self, a: &[Flow], b: &[Flow], polarity: Polarity) {
        let keys_b: Vec<u64> = b.iter().map(flow_key).collect();
        let mut taken = vec![false; b.len()];
        let mut take = |test: &dyn Fn(usize) -> bool| -> Option<usize> {
            let found = (0..b.len()).find(|j| taken.get(*j) == Some(&false) && test(*j))?;
            if let Some(t) = taken.get_mut(found) {
                *t = true;
            }
            Some(found)
        };
        let mut rest = Vec::new();
        for flow in a {
            let key = flow_key(flow);
            if take(&|j| keys_b.get(j) == Some(&key)).is_none() {
                rest.push(flow);
            }
        }
        let mut lone = Vec::new();
        let mut pairs = Vec::new();
        for flow in rest {
            let names = flow.source_names();
            match take(&|j| b.get(j).is_some_and(|f| f.source_names() == names)) {
                Some(j) => pairs.push((flow, j)),
                None => lone.push(flow),
            }
        }
        for (flow, j) in pairs {
            if let Some(other) = b.get(j) {
                self.flows(flow, other, polarity);
            }
        }
        for flow in lone {
            let place = flow_place(flow);
            self.push(ChangeKind::Table, Some(place), None, ChangeEffect::of(Some(false), polarity));
        }
        for (flow, taken) in b.iter().zip(taken) {
            if !taken {
                let place = flow_place(flow);
                self.push(ChangeKind::Table, None, Some(place), ChangeEffect::of(Some(true), polarity));
            }
        }
    }

    /// Two operators of a kind; `polarity` is that of what they put out.
    fn steps(&mut self, a: &Step, b: &Step, polarity: Polarity) {
        if step_key(a) == step_key(b) {
            return;
        }
        self.parts(&a.parts, &b.parts, polarity);
        for ((way_a, flow_a), (way_b, flow_b)) in a.flows.iter().zip(&b.flows) {
            self.flows(flow_a, flow_b, polarity.then(way_a.both(*way_b)));
        }
    }

    fn parts(&mut self, a: &[Part], b: &[Part], polarity: Polarity) {
        let by_key = |parts: &[Part]| -> BTreeMap<String, Part> {
            parts.iter().map(|p| (p.key.clone(), p.clone())).collect()
        };
        let (mut rest_a, mut rest_b) = (Vec::new(), by_key(b));
        for part in a {
            match rest_b.remove(&part.key) {
                Some(other) if other.place.text == part.place.text => {}
                Some(other) => self.part(part, &other, polarity),
                None => rest_a.push(part),
            }
        }
        // In the order of the text; what has no partner by name may have one by kind.
        let mut rest_b: Vec<&Part> = b.iter().filter(|p| rest_b.contains_key(&p.key)).collect();
        let few = rest_a.len() * rest_b.len() <= PAIRS;
        for part in rest_a {
            let same = |p: &&Part| p.place.text == part.place.text;
            let near = |p: &&Part| p.kind == part.kind && p.kind == ChangeKind::Window;
            let partner = rest_b.iter().position(same).or_else(|| rest_b.iter().position(near));
            match partner.filter(|_| few).map(|j| rest_b.remove(j)) {
                Some(other) if same(&other) => {}
                Some(other) => self.part(part, other, polarity),
                None => self.push(part.kind, Some(part.place.clone()), None, ChangeEffect::Unknown),
            }
        }
        for part in rest_b {
            self.push(part.kind, None, Some(part.place.clone()), ChangeEffect::Unknown);
        }
    }

    fn part(&mut self, a: &Part, b: &Part, polarity: Polarity) {
        let more = match (a.kind, a.number.zip(b.number)) {
            (ChangeKind::Limit, Some((x, y))) => Some(y > x),
            (ChangeKind::Join, _) => join_widens(&a.place.text, &b.place.text),
            _ => None,
        };
        self.push(a.kind, Some(a.place.clone()), Some(b.place.clone()), ChangeEffect::of(more, polarity));
    }

    /// Conditions that stand side by side: all (or any) of them must hold.
    fn children(&mut self, a: &[&Node], b: &[&Node], all: bool, polarity: Polarity) {
        let mut counts: FxHashMap<u64, usize> = FxHashMap::default();
        b.iter().for_each(|n| *counts.entry(n.key()).or_default() += 1);
        let mut same: FxHashMap<u64, usize> = FxHashMap::default();
        let mut rest_a = Vec::new();
        for node in a {
            match counts.get_mut(&node.key()) {
                // The same condition twice is that condition.
                Some(_) => *same.entry(node.key()).or_default() += 1,
                None => rest_a.push(*node),
            }
        }
        let mut rest_b: Vec<&Node> = b.iter().copied().filter(|n| !same.contains_key(&n.key())).collect();
        let mut matched = Vec::new();
        if rest_a.len() * rest_b.len() <= PAIRS {
            let mut scores = Vec::new();
            for (i, x) in rest_a.iter().enumerate() {
                for (j, y) in rest_b.iter().enumerate() {
                    let score = likeness(x, y);
                    if score >= 30 {
                        scores.push((std::cmp::Reverse(score), i, j));
                    }
                }
            }
            scores.sort_unstable();
            let (mut used_a, mut used_b) = (vec![false; rest_a.len()], vec![false; rest_b.len()]);
            for (_, i, j) in scores {
                if let (Some(x @ false), Some(y @ false)) = (used_a.get_mut(i), used_b.get_mut(j)) {
                    (*x, *y) = (true, true);
                    matched.extend(rest_a.get(i).copied().zip(rest_b.get(j).copied()));
                }
            }
            let unused = |nodes: Vec<&Node>, used: Vec<bool>| -> Vec<Node> {
                nodes.into_iter().zip(used).filter(|(_, used)| !used).map(|(n, _)| n.clone()).collect()
            };
            let (lone_a, lone_b) = (unused(rest_a, used_a), unused(std::mem::take(&mut rest_b), used_b));
            matched.sort_by_key(|(x, _)| x.span());
            matched.into_iter().for_each(|(x, y)| self.node(x, y, polarity));
            self.lone(&lone_a.iter().collect::<Vec<_>>(), &lone_b.iter().collect::<Vec<_>>(), all, polarity);
        } else {
            self.lone(&rest_a, &rest_b, all, polarity);
        }
    }

    fn lone(&mut self, a: &[&Node], b: &[&Node], all: bool, polarity: Polarity) {
        for node in a {
            let effect = ChangeEffect::of(Some(all), polarity);
            self.push(ChangeKind::PredicateRemoved, Some(node.place()), None, effect);
        }
        for node in b {
            let effect = ChangeEffect::of(Some(!all), polarity);
            self.push(ChangeKind::PredicateAdded, None, Some(node.place()), effect);
        }
    }

    fn node(&mut self, a: &Node, b: &Node, polarity: Polarity) {
        fn refs(parts: &[Node]) -> Vec<&Node> {
            parts.iter().collect()
        }
        match (a, b) {
            (Node::Test(x), Node::Test(y)) => self.test(x, y, polarity),
            (Node::All { parts: x, .. }, Node::All { parts: y, .. }) => {
                self.children(&refs(x), &refs(y), true, polarity);
            }
            (Node::Any { parts: x, .. }, Node::Any { parts: y, .. }) => {
                self.children(&refs(x), &refs(y), false, polarity);
            }
            (Node::Any { parts, .. }, Node::Test(_) | Node::All { .. }) => {
                self.children(&refs(parts), &[b], false, polarity);
            }
            (Node::Test(_) | Node::All { .. }, Node::Any { parts, .. }) => {
                self.children(&[a], &refs(parts), false, polarity);
            }
            (Node::All { parts, .. }, Node::Test(_)) => self.children(&refs(parts), &[b], true, polarity),
            (Node::Test(_), Node::All { parts, .. }) => self.children(&[a], &refs(parts), true, polarity),
        }
    }

    fn test(&mut self, a: &Test, b: &Test, polarity: Polarity) {
        let own = if a.negated == b.negated {
            if a.negated { polarity.then(Polarity::Fewer) } else { polarity }
        } else {
            Polarity::Unclear
        };
        let mut whole = |kind: ChangeKind, more: Option<bool>| {
            self.push(kind, Some(a.place()), Some(b.place()), ChangeEffect::of(more, own));
        };
        if a.subject != b.subject {
            return whole(ChangeKind::Field, None);
        }
        let same_values = same_values(&a.values, &b.values);
        if a.kind != b.kind {
            let both_compare = matches!((a.kind, b.kind), (TestKind::Compare(_), TestKind::Compare(_)));
            let kind = if both_compare { ChangeKind::Threshold } else { ChangeKind::Operator };
            let same_case = a.case == b.case || b.case == Some(Case::Insensitive);
            let more = if same_values && a.all == b.all { operator_widens(a.kind, b.kind) } else { None };
            let more = more.filter(|more| !*more || same_case);
            return whole(kind, more);
        }
        if a.negated != b.negated {
            whole(ChangeKind::Negation, None);
        }
        if a.case != b.case {
            whole(ChangeKind::Case, Some(b.case == Some(Case::Insensitive)));
        }
        if a.all != b.all && a.values.len() > 1 && b.values.len() > 1 {
            whole(ChangeKind::Quantifier, Some(a.all));
        }
        if let (Some(x), Some(y)) = (&a.flow, &b.flow) {
            self.flows(x, y, own);
        }
        if !same_values {
            self.values(a, b, own);
        }
    }

    /// One test with other values.
    fn values(&mut self, a: &Test, b: &Test, own: Polarity) {
        let texts = |values: &[Wanted]| -> std::collections::BTreeSet<String> {
            values.iter().map(|v| v.place.text.clone()).collect()
        };
        let (texts_a, texts_b) = (texts(&a.values), texts(&b.values));
        let gone: Vec<&Wanted> = a.values.iter().filter(|v| !texts_b.contains(&v.place.text)).collect();
        let new: Vec<&Wanted> = b.values.iter().filter(|v| !texts_a.contains(&v.place.text)).collect();
        let all = a.all || b.all;
        if let ([x], [y]) = (gone.as_slice(), new.as_slice()) {
            let timed = |v: &Wanted| v.number.is_some_and(|n| n.from_now) || v.place.text.contains("now()");
            let ordered = matches!(a.kind, TestKind::Compare(op) if op != CompareOp::Eq);
            let kind = match () {
                () if timed(x) || timed(y) => ChangeKind::Window,
                () if ordered => ChangeKind::Threshold,
                () => ChangeKind::Literal,
            };
            let more = value_widens(a, x, y);
            if self.out.len() < MOST {
                // A single value is shown with its test, one of a list by itself.
                let single = a.values.len() == 1 && b.values.len() == 1;
                let (pa, pb, detail) = if single {
                    (a.place(), b.place(), Some((x.place.clone(), y.place.clone())))
                } else {
                    (x.place.clone(), y.place.clone(), None)
                };
                let effect = ChangeEffect::of(more, own);
                self.out.push(RawChange { kind, a: Some(pa), b: Some(pb), detail, effect });
            }
            return;
        }
        for value in gone {
            let effect = ChangeEffect::of(Some(all), own);
            self.push(ChangeKind::Literal, Some(value.place.clone()), None, effect);
        }
        for value in new {
            let effect = ChangeEffect::of(Some(!all), own);
            self.push(ChangeKind::Literal, None, Some(value.place.clone()), effect);
        }
    }

    /// Columns that only one of them returns, where both say which they return.
    fn outputs(&mut self, a: &ir::Query, b: &ir::Query) {
        if !(chooses_columns(&a.plan) && chooses_columns(&b.plan)) {
            return;
        }
        let names = |q: &ir::Query| -> Vec<(String, Span)> {
            let column = |id: &ir::ColId| q.columns.get(*id);
            q.plan.output.iter().filter_map(column).map(|c| (c.name.to_string(), c.span)).collect()
        };
        let (names_a, names_b) = (names(a), names(b));
        let lacks = |list: &[(String, Span)], name: &str| list.iter().all(|(n, _)| n != name);
        for (name, span) in names_a.iter().filter(|(n, _)| lacks(&names_b, n)).take(MOST) {
            let place = Place::new(name.as_str(), *span);
            self.push(ChangeKind::Output, Some(place), None, ChangeEffect::None);
        }
        for (name, span) in names_b.iter().filter(|(n, _)| lacks(&names_a, n)).take(MOST) {
            let place = Place::new(name.as_str(), *span);
            self.push(ChangeKind::Output, None, Some(place), ChangeEffect::None);
        }
    }
}

/// The polarity below operators that have no partner: each must carry more rows up as more rows.
fn between(
    a: &Flow,
    b: &Flow,
    rest_a: std::ops::Range<usize>,
    rest_b: std::ops::Range<usize>,
    above: Polarity,
) -> Polarity {
    let through = |flow: &Flow, range: std::ops::Range<usize>| {
        let steps = flow.steps.get(range).unwrap_or_default();
        steps.iter().fold(above, |p, (step, _)| p.then(step.polarity))
    };
    through(a, rest_a).both(through(b, rest_b))
}

/// An operator that one side alone has.
const fn lone(step: &Step, removed: bool, above: Polarity) -> ChangeEffect {
    if step.drops { ChangeEffect::of(Some(removed), above) } else { ChangeEffect::Unknown }
}

fn flow_place(flow: &Flow) -> Place {
    let span = match &flow.head {
        Head::Leaf(part) => part.place.span,
        Head::Union(_) => Span::default(),
    };
    Place::new(flow.source_names().join(", "), span)
}

fn chooses_columns(plan: &ir::Plan) -> bool {
    let mut plan = Some(plan);
    while let Some(here) = plan {
        match &*here.op {
            ir::Op::Project { .. }
            | ir::Op::Aggregate(_)
            | ir::Op::Distinct { .. }
            | ir::Op::MakeSeries(_)
            | ir::Op::TopNested(_)
            | ir::Op::Select { kind: ir::SelectKind::Keep, .. } => return true,
            _ => plan = here.input(),
        }
    }
    false
}

/// The pairs of operators that belong together, in order: of the same kind, as alike as can be.
fn aligned(a: &[(Step, Rows)], b: &[(Step, Rows)]) -> Vec<(usize, usize)> {
    let (n, m) = (a.len(), b.len());
    if n * m > PAIRS {
        return (0..n.min(m)).collect::<Vec<_>>().into_iter().map(|i| (i, i)).collect();
    }
    let score = |x: &Step, y: &Step| -> u32 {
        if x.name != y.name {
            return 0;
        }
        let keys: Vec<&str> = y.parts.iter().map(|p| p.place.text.as_str()).collect();
        let common = x.parts.iter().filter(|p| keys.contains(&p.place.text.as_str())).count();
        10 + 10 * u32::try_from(2 * common).unwrap_or(0)
            / u32::try_from(x.parts.len() + y.parts.len()).unwrap_or(1).max(1)
    };
    // best[i][j]: the best total of a[i..] and b[j..].
    let width = m + 1;
    let mut best = vec![0_u32; (n + 1) * width];
    let at = |best: &[u32], i: usize, j: usize| best.get(i * width + j).copied().unwrap_or(0);
    for (i, (x, _)) in a.iter().enumerate().rev() {
        for (j, (y, _)) in b.iter().enumerate().rev() {
            let paired = match score(x, y) {
                0 => 0,
                s => s + at(&best, i + 1, j + 1),
            };
            let value = paired.max(at(&best, i + 1, j)).max(at(&best, i, j + 1));
            if let Some(slot) = best.get_mut(i * width + j) {
                *slot = value;
            }
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while let (Some((x, _)), Some((y, _))) = (a.get(i), b.get(j)) {
        let s = score(x, y);
        if s > 0 && at(&best, i, j) == s + at(&best, i + 1, j + 1) {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if at(&best, i, j) == at(&best, i + 1, j) {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// How alike two conditions are, of 100.
fn likeness(a: &Node, b: &Node) -> usize {
    match (a, b) {
        (Node::Test(x), Node::Test(y)) => test_likeness(x, y),
        _ => {
            let (mut in_a, mut in_b) = (Vec::new(), Vec::new());
            a.tests(&mut |t| in_a.push(t));
            b.tests(&mut |t| in_b.push(t));
            let keys: rustc_hash::FxHashSet<u64> = in_b.iter().map(|t| t.key).collect();
            let subjects: rustc_hash::FxHashSet<&str> = in_b.iter().map(|t| t.subject.as_str()).collect();
            let same = in_a.iter().filter(|t| keys.contains(&t.key)).count();
            let near = in_a.iter().filter(|t| subjects.contains(t.subject.as_str())).count();
            let most = in_a.len().max(in_b.len()).max(1);
            60 * same / most + 40 * near / most
        }
    }
}

fn test_likeness(a: &Test, b: &Test) -> usize {
    let texts: rustc_hash::FxHashSet<&str> = b.values.iter().map(|v| v.place.text.as_str()).collect();
    let common = a.values.iter().filter(|v| texts.contains(v.place.text.as_str())).count();
    let overlap = 20 * common / a.values.len().max(b.values.len()).max(1);
    let same_kind = usize::from(a.kind == b.kind);
    if a.subject != b.subject {
        // The same thing looked for elsewhere.
        return if overlap == 20 && same_kind == 1 && a.negated == b.negated { 35 } else { 0 };
    }
    50 + 20 * same_kind + 10 * usize::from(a.negated == b.negated) + overlap
}

fn same_values(a: &[Wanted], b: &[Wanted]) -> bool {
    let sorted = |values: &[Wanted]| {
        let mut texts: Vec<String> = values.iter().map(|v| v.place.text.clone()).collect();
        texts.sort_unstable();
        texts.dedup();
        texts
    };
    sorted(a) == sorted(b)
}

/// Whether the second way of looking for the same values finds all that the first one finds (`true`), or the other way round.
fn operator_widens(a: TestKind, b: TestKind) -> Option<bool> {
    let within = |x: TestKind, y: TestKind| match (x, y) {
        (TestKind::Compare(CompareOp::Gt), TestKind::Compare(CompareOp::Ge))
        | (TestKind::Compare(CompareOp::Lt), TestKind::Compare(CompareOp::Le))
        | (TestKind::Compare(CompareOp::Eq), TestKind::Compare(CompareOp::Ge | CompareOp::Le)) => true,
        (TestKind::Match(x), TestKind::Match(y)) => within_match(x, y),
        _ => false,
    };
    match (within(a, b), within(b, a)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        (false, false) => None,
    }
}

const fn within_match(a: MatchKind, b: MatchKind) -> bool {
    use MatchKind::{Contains, EndsWith, Equals, StartsWith, Term, TermPrefix, TermSuffix};
    matches!(
        (a, b),
        (Equals, StartsWith | EndsWith | Contains | Term | TermPrefix | TermSuffix)
            | (StartsWith | EndsWith | Term | TermPrefix | TermSuffix, Contains)
            | (StartsWith | Term, TermPrefix)
            | (EndsWith | Term, TermSuffix)
    )
}

/// Whether a test with the second value finds all that it finds with the first one, or the other way round.
fn value_widens(test: &Test, x: &Wanted, y: &Wanted) -> Option<bool> {
    match test.kind {
        TestKind::Compare(op) => {
            let (x, y) = (x.number?, y.number?);
            if x.from_now != y.from_now || x.value == y.value {
                return None;
            }
            match op {
                CompareOp::Gt | CompareOp::Ge => Some(y.value < x.value),
                CompareOp::Lt | CompareOp::Le => Some(y.value > x.value),
                CompareOp::Eq | CompareOp::Ne => None,
            }
        }
        TestKind::Match(kind) => {
            let fold = |text: &str| {
                if test.case == Some(Case::Insensitive) { text.to_lowercase() } else { text.to_owned() }
            };
            let (x, y) = (fold(x.literal.as_ref()?), fold(y.literal.as_ref()?));
            let holds = |long: &str, short: &str| match kind {
                MatchKind::Contains => long.contains(short),
                MatchKind::StartsWith => long.starts_with(short),
                MatchKind::EndsWith => long.ends_with(short),
                MatchKind::Equals
                | MatchKind::Term
                | MatchKind::TermPrefix
                | MatchKind::TermSuffix
                | MatchKind::Regex
                | MatchKind::Glob
                | MatchKind::Cidr => false,
            };
            match (holds(&x, &y), holds(&y, &x)) {
                (true, false) => Some(true),
                (false, true) => Some(false),
                _ => None,
            }
        }
        TestKind::Null | TestKind::Empty | TestKind::InQuery | TestKind::True => None,
    }
}

fn join_widens(a: &str, b: &str) -> Option<bool> {
    let within = |x: &str, y: &str| {
        matches!(
            (x, y),
            ("inner", "leftouter" | "rightouter" | "fullouter") | ("leftouter" | "rightouter", "fullouter")
        )
    };
    match (within(a, b), within(b, a)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        (false, false) => None,
    }
}
