//! The plan of a rule as the stages that a reader sees: operators in the order in which rows pass them.
//!
//! In: a query with its text. Out: [`Walked`]. Several nodes that one operator of the text became are one stage; consecutive
//! `extend`s are one, too. A `let` that is a table stands where its rows are used, and a note says so.

use super::tests::{Shown, one_line};
use super::words;
use super::{Exclusion, Indicator, Need, Output, Stage, names};
use crate::diff::render::Renderer;
use ruleferry_diag::Span;
use ruleferry_ir::{
    self as ir, AggregateCall, AggregateItem, BindingValue, ColId, Expr, ExprKind, InputKind, Join, JoinKind,
    Op, Plan, Query, SelectKind, Source,
};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

#[derive(Clone, Debug, Default)]
pub(super) struct Walked {
    pub stages: Vec<Stage>,
    pub tables: Vec<SmolStr>,
    pub columns: Vec<SmolStr>,
    pub operators: Vec<SmolStr>,
    pub indicators: Vec<Indicator>,
    pub exclusions: Vec<Exclusion>,
    pub outputs: Vec<Output>,
    pub inputs: Vec<Need>,
    /// What the stages do, in words.
    pub steps: Vec<String>,
    /// The same of tables that the rule names and that branches read.
    pub definitions: Vec<(SmolStr, Vec<String>)>,
}

/// Plans within each other; deeper ones are cut.
const DEEPEST: usize = 40;
/// Stages of one rule.
const MOST: usize = 2_000;

/// `kql`: the text says the operators; `whole`: it says the conditions.
pub(super) fn walk(query: &Query, text: &str, whole: bool, kql: bool) -> Walked {
    let shared = FxHashSet::default();
    let shown = Shown { renderer: Renderer::new(query, &shared), text, whole };
    let pipelines = if kql { names::pipelines(text) } else { Vec::new() };
    let mut starts = FxHashSet::default();
    query.for_each_plan(&mut |plan| {
        starts.insert(plan.span.start);
    });
    let mut walker = Walker { query, shown, kql, pipelines, starts, out: Walked::default(), left: MOST };
    let mut outputs = Vec::new();
    let (stages, steps) = walker.pipeline(&query.plan, &mut outputs, 0);
    let Walker { mut out, .. } = walker;
    (out.stages, out.steps) = (stages, steps);
    let returned: FxHashSet<&str> = query.plan.output.iter().map(|id| query.columns.name(*id)).collect();
    for output in &mut outputs {
        output.returned = returned.contains(output.field.as_str());
    }
    out.outputs = outputs;
    out.columns = columns(query);
    out
}

/// Columns of tables that some expression or key names.
fn columns(query: &Query) -> Vec<SmolStr> {
    let mut of_tables: FxHashSet<ColId> = FxHashSet::default();
    query.for_each_plan(&mut |plan| {
        if let Op::Scan(_) = &*plan.op {
            of_tables.extend(plan.output.iter());
        }
    });
    let mut found: Vec<SmolStr> = Vec::new();
    let mut add = |id: ColId| {
        let name = query.columns.name(id);
        if of_tables.contains(&id) && !found.iter().any(|f| f == name) {
            found.push(name.into());
        }
    };
    query.any_expr(&mut |e| {
        e.as_column().into_iter().for_each(&mut add);
        false
    });
    query.for_each_plan(&mut |plan| {
        if let Op::Join(join) = &*plan.op {
            join.on.iter().flat_map(|k| [k.left, k.right]).for_each(&mut add);
        }
    });
    found
}

struct Walker<'q> {
    query: &'q Query,
    shown: Shown<'q>,
    kql: bool,
    /// The operators of the text.
    pipelines: Vec<Vec<Span>>,
    /// Where the operators begin that became nodes of the plan.
    starts: FxHashSet<u32>,
    out: Walked,
    left: usize,
}

/// A plan node, or what is said between two.
enum Step<'q> {
    Node(&'q Plan),
    /// The rows of a table `let` begin, or end.
    Begins(&'q str),
    Ends(&'q str),
}

fn add<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

/// Puts a stage behind the others, or into the last one where both are `extend`s.
fn push(stages: &mut Vec<Stage>, steps: &mut Vec<String>, mut stage: Stage, said: String) {
    if let Some(last) = stages.last_mut()
        && last.kind == "extend"
        && stage.kind == "extend"
        && stage.notes.is_empty()
    {
        last.steps += 1;
        last.text.push_str("\n| ");
        last.text.push_str(&stage.text);
        if let (Some(before), Some(more)) = (steps.last_mut(), said.strip_prefix(words::COMPUTES)) {
            before.truncate(before.trim_end_matches('.').len());
            before.push_str("; ");
            before.push_str(more);
        }
        return;
    }
    stage.index = stages.len() + 1;
    let said = if said.is_empty() { words::other(&stage.text) } else { said };
    steps.push(words::noted(&said, &stage.notes));
    stages.push(stage);
}

impl<'q> Walker<'q> {
    /// The nodes of a pipeline from its source on, table `let`s in their place.
    fn chain(&self, plan: &'q Plan, depth: usize, out: &mut Vec<Step<'q>>) {
        let mut nodes = Vec::new();
        let mut at = Some(plan);
        while let Some(node) = at {
            nodes.push(node);
            at = rows_of(node);
        }
        for node in nodes.into_iter().rev() {
            let bound = match &*node.op {
                Op::Ref(id) => self.query.bindings.get(id.0 as usize),
                _ => None,
            };
            match bound.map(|b| (&b.name, &b.value)) {
                Some((name, BindingValue::Table { plan, .. })) if depth < DEEPEST => {
                    out.push(Step::Begins(name));
                    self.chain(plan, depth + 1, out);
                    out.push(Step::Ends(name));
                }
                _ => out.push(Step::Node(node)),
            }
        }
    }

    fn pipeline(
        &mut self,
        plan: &'q Plan,
        outputs: &mut Vec<Output>,
        depth: usize,
    ) -> (Vec<Stage>, Vec<String>) {
        let mut chain = Vec::new();
        self.chain(plan, depth, &mut chain);
        let (mut stages, mut steps): (Vec<Stage>, Vec<String>) = (Vec::new(), Vec::new());
        let mut notes: Vec<String> = Vec::new();
        // In a branch a table that has a name is told of by its name; its stages stand there all the same.
        let mut named: Vec<(&'q str, usize)> = Vec::new();
        let mut group: Vec<&'q Plan> = Vec::new();
        let mut series = false;
        // The last operator of the text that was seen: its pipeline, and its place there.
        let mut last: Option<(usize, usize)> = None;
        let mut nodes = chain.into_iter().peekable();
        while let Some(step) = nodes.next() {
            let node = match step {
                Step::Node(node) => node,
                Step::Begins(name) => {
                    named.push((name, steps.len()));
                    notes.push(format!("the stages from here make `{name}`"));
                    continue;
                }
                Step::Ends(name) => {
                    for passed in self.passed(&mut last, None) {
                        push(&mut stages, &mut steps, passed, String::new());
                    }
                    if let Some((_, start)) = named.pop().filter(|_| depth > 0) {
                        let own = steps.split_off(start);
                        if !self.out.definitions.iter().any(|(n, _)| n == name) {
                            self.out.definitions.push((name.into(), own));
                        }
                        steps.push(words::takes(name));
                    }
                    notes.retain(|n| !n.ends_with(&format!("make `{name}`")));
                    notes.push(format!("the stages from here run on `{name}`"));
                    continue;
                }
            };
            group.push(node);
            // One operator of the text may be several nodes.
            if let Some(Step::Node(next)) = nodes.peek()
                && next.span == node.span
                && !node.span.is_empty()
                && self.kql
                && !is_source(node)
            {
                continue;
            }
            let Some((mut stage, said)) = self.stage(&group, outputs, depth) else {
                group.clear();
                continue;
            };
            group.clear();
            if stage.kind == "make-series" && !series {
                series = true;
                stage.notes.push("the stages from here work on time series".to_owned());
            }
            stage.notes.splice(0..0, notes.drain(..));
            for passed in self.passed(&mut last, Some(node)) {
                add(&mut self.out.operators, passed.kind.clone());
                push(&mut stages, &mut steps, passed, String::new());
            }
            add(&mut self.out.operators, stage.kind.clone());
            push(&mut stages, &mut steps, stage, said);
            if self.left == 0 {
                break;
            }
            self.left -= 1;
        }
        for passed in self.passed(&mut last, None) {
            push(&mut stages, &mut steps, passed, String::new());
        }
        (stages, steps)
    }

    /// The operators of the text before `node`, or behind the last one of its pipeline, that the plan does without.
    fn passed(&self, last: &mut Option<(usize, usize)>, node: Option<&Plan>) -> Vec<Stage> {
        let (pipeline, from, to) = match node {
            Some(node) => {
                let inside = |s: &Span| s.start >= node.span.start && s.start < node.span.end;
                let own = |s: &Span| s.start == node.span.start || inside(s) && s.end <= node.span.end;
                let place = |operators: &Vec<Span>| operators.iter().position(own);
                // The outermost one: a join holds the operators of its branch.
                let mut found = self.pipelines.iter().enumerate().filter_map(|(i, p)| Some((i, place(p)?)));
                let best = found.by_ref().min_by_key(|(i, at)| {
                    self.pipelines.get(*i).and_then(|p| p.get(*at)).map_or(u32::MAX, |s| s.start)
                });
                let Some((pipeline, at)) = best.filter(|_| !is_source(node)) else { return Vec::new() };
                let from = last.filter(|(p, _)| *p == pipeline).map_or(0, |(_, at)| at + 1);
                *last = Some((pipeline, at));
                (pipeline, from, at)
            }
            None => {
                let Some((pipeline, at)) = last.take() else { return Vec::new() };
                (pipeline, at + 1, usize::MAX)
            }
        };
        let operators = self.pipelines.get(pipeline).map(Vec::as_slice).unwrap_or_default();
        let missed = operators.get(from..to.min(operators.len())).unwrap_or_default();
        let stage = |span: &Span| {
            let text = one_line(span.text(self.shown.text));
            let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
            let kind = SmolStr::new(text.get(..end.unwrap_or(text.len())).unwrap_or_default());
            // That the plan has no such step may have other reasons with operators that choose rows.
            let idle = matches!(kind.as_str(), "extend" | "as" | "render" | "serialize" | "project-reorder");
            let notes = if idle { vec!["changes nothing of what is found".to_owned()] } else { Vec::new() };
            Stage { index: 0, kind, steps: 1, text, predicates: Vec::new(), notes, branches: Vec::new() }
        };
        missed.iter().filter(|span| !self.starts.contains(&span.start)).map(stage).collect()
    }

    /// The stage of the nodes of one operator, and what it does in words. The last node has the operator's result.
    fn stage(
        &mut self,
        group: &[&'q Plan],
        outputs: &mut Vec<Output>,
        depth: usize,
    ) -> Option<(Stage, String)> {
        let (first, last) = (*group.first()?, *group.last()?);
        let kind = self.kind(first, last);
        let mut stage = Stage {
            index: 0,
            kind: kind.clone(),
            steps: 1,
            text: self.text(last),
            predicates: Vec::new(),
            notes: Vec::new(),
            branches: Vec::new(),
        };
        let mut said = String::new();
        for node in group {
            let words = self.node(node, &kind, &mut stage, outputs, depth);
            if !words.is_empty() {
                said = words;
            }
        }
        if said.is_empty() {
            said = words::other(&stage.text);
        }
        Some((stage, said))
    }

    /// The operator as the text names it, or as the plan does.
    fn kind(&self, first: &Plan, last: &Plan) -> SmolStr {
        if is_source(first) {
            return SmolStr::new_static(match &*first.op {
                Op::Union(_) => "union",
                Op::Search(s) => {
                    if s.find {
                        "find"
                    } else {
                        "search"
                    }
                }
                _ => "source",
            });
        }
        if self.kql {
            let text = last.span.text(self.shown.text).trim_start_matches(['|', ' ', '\t', '\r', '\n']);
            let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
            let word = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
            if word.chars().next().is_some_and(|c| c.is_ascii_lowercase()) {
                return SmolStr::new(match word {
                    "filter" => "where",
                    "order" => "sort",
                    "limit" => "take",
                    other => other,
                });
            }
        }
        SmolStr::new_static(op_kind(&last.op))
    }

    fn text(&mut self, node: &'q Plan) -> String {
        match &*node.op {
            Op::Join(join) => self.join_text(join),
            Op::Scan(scan) if is_source(node) => source_name(&scan.source),
            Op::Filter { predicate, .. } if !self.kql => {
                format!("where {}", self.shown.expr(predicate))
            }
            _ if self.kql && !node.span.is_empty() => {
                let text = node.span.text(self.shown.text);
                one_line(text.trim_start_matches(['|', ' ', '\t', '\r', '\n']))
            }
            _ => {
                let names: Vec<&str> =
                    node.output.iter().take(50).map(|id| self.query.columns.name(*id)).collect();
                match &*node.op {
                    Op::Project { .. } | Op::Distinct { .. } | Op::Aggregate(_) | Op::Select { .. } => {
                        format!("{} {}", op_kind(&node.op), names.join(", "))
                    }
                    other => op_kind(other).to_owned(),
                }
            }
        }
    }

    fn join_text(&self, join: &Join) -> String {
        let keys: Vec<String> = join.on.iter().map(|k| self.key(k)).collect();
        let word = if join.lookup { "lookup" } else { "join" };
        let kind = if join.explicit || join.lookup {
            format!(" kind={}", join_kind(join.kind))
        } else {
            String::new()
        };
        format!("{word}{kind} (…) on {}", keys.join(", "))
    }

    fn key(&self, key: &ir::JoinKey) -> String {
        let (left, right) = (self.query.columns.name(key.left), self.query.columns.name(key.right));
        if left == right { left.to_owned() } else { format!("$left.{left} == $right.{right}") }
    }

    fn name(&self, id: ColId) -> SmolStr {
        self.query.columns.name(id).into()
    }

    fn branch(&mut self, plan: &'q Plan, stage: &mut Stage, depth: usize) -> String {
        if depth >= DEEPEST || self.left == 0 {
            stage.notes.push("a branch that lies too deep is not shown".to_owned());
            return String::new();
        }
        let (stages, steps) = self.pipeline(plan, &mut Vec::new(), depth + 1);
        stage.branches.push(stages);
        words::nested(&steps)
    }

    /// Takes in one node: what it adds to the stage and to the outputs. Its words come back.
    fn node(
        &mut self,
        node: &'q Plan,
        kind: &str,
        stage: &mut Stage,
        outputs: &mut Vec<Output>,
        depth: usize,
    ) -> String {
        let made = |field: SmolStr| Output { field, source: kind.into(), returned: false };
        let set = |outputs: &mut Vec<Output>, field: SmolStr| {
            outputs.retain(|o| o.field != field);
            outputs.push(made(field));
        };
        match &*node.op {
            Op::Scan(scan) => self.scan(&scan.source),
            Op::Filter { input: _, predicate } => {
                let parts: &[Expr] = match &predicate.kind {
                    ExprKind::And(parts) => parts,
                    _ => std::slice::from_ref(predicate),
                };
                stage.predicates = parts.iter().map(|p| self.shown.expr(p)).collect();
                let (mut found, mut left_out) = (Vec::new(), Vec::new());
                self.shown.collect(predicate, &mut found, &mut left_out);
                found.into_iter().for_each(|i| add(&mut self.out.indicators, i));
                left_out.into_iter().for_each(|x| add(&mut self.out.exclusions, x));
                words::filter(&mut self.shown, parts)
            }
            Op::Extend { input: _, items } | Op::Serialize { input: _, items } => {
                let items = items.iter().collect::<Vec<_>>();
                let named: Vec<(String, &'q Expr)> = items
                    .iter()
                    .map(|i| (i.ids.iter().map(|id| self.name(*id)).collect::<Vec<_>>().join(", "), &i.expr))
                    .collect();
                items.iter().flat_map(|i| &i.ids).for_each(|id| set(outputs, self.name(*id)));
                words::computes(&mut self.shown, &named)
            }
            Op::Project { input: _, items } => {
                // `distinct` of expressions computes them first, and takes nothing away that a reader would miss.
                if kind != "distinct" {
                    outputs.clear();
                    items.iter().flat_map(|i| &i.ids).for_each(|id| set(outputs, self.name(*id)));
                }
                let names: Vec<SmolStr> =
                    items.iter().flat_map(|i| &i.ids).map(|id| self.name(*id)).collect();
                let renamed = |i: &&ir::Item| match (i.expr.as_column(), i.ids.as_slice()) {
                    (Some(from), [to]) => self.name(from) != self.name(*to),
                    _ => true,
                };
                let computed: Vec<(String, &'q Expr)> = items
                    .iter()
                    .filter(renamed)
                    .map(|i| (i.ids.iter().map(|id| self.name(*id)).collect::<Vec<_>>().join(", "), &i.expr))
                    .collect();
                words::projects(&mut self.shown, &names, &computed)
            }
            Op::Select { input, kind: how, items } => {
                let before: FxHashSet<SmolStr> = input.output.iter().map(|id| self.name(*id)).collect();
                match how {
                    SelectKind::Away | SelectKind::Keep => {
                        let stay: FxHashSet<SmolStr> = node.output.iter().map(|id| self.name(*id)).collect();
                        outputs.retain(|o| stay.contains(&o.field));
                        let gone: Vec<SmolStr> = input
                            .output
                            .iter()
                            .map(|id| self.name(*id))
                            .filter(|n| !stay.contains(n))
                            .collect();
                        words::selects(
                            *how,
                            &gone,
                            &node.output.iter().map(|id| self.name(*id)).collect::<Vec<_>>(),
                        )
                    }
                    SelectKind::Rename => {
                        let mut pairs = Vec::new();
                        for item in items {
                            let (from, to) = (self.name(item.from), self.name(item.to));
                            if from != to && before.contains(&from) {
                                outputs.retain(|o| o.field != from);
                                set(outputs, to.clone());
                                pairs.push(format!("`{from}` is `{to}` from here"));
                            }
                        }
                        words::renames(&pairs)
                    }
                    SelectKind::Reorder => words::reorders(),
                }
            }
            Op::Aggregate(a) => {
                outputs.clear();
                let keys: Vec<SmolStr> =
                    a.keys.iter().flat_map(|k| &k.ids).map(|id| self.name(*id)).collect();
                keys.iter().for_each(|k| set(outputs, k.clone()));
                let mut made = Vec::new();
                for item in &a.aggregates {
                    let ids = own_ids(item);
                    ids.iter().for_each(|id| set(outputs, self.name(*id)));
                    let names: Vec<SmolStr> = ids.iter().map(|id| self.name(*id)).collect();
                    made.push(format!("`{}` = {}", names.join(", "), self.aggregate(&item.call)));
                }
                words::groups(&keys, &made)
            }
            Op::Distinct { input: _ } => {
                words::distinct(&node.output.iter().map(|id| self.name(*id)).collect::<Vec<_>>())
            }
            Op::Join(join) => {
                stage.predicates = join.on.iter().map(|k| self.key(k)).collect();
                if join.kind == JoinKind::InnerUnique && !join.explicit && !join.lookup {
                    stage.notes.push("no kind is written: of left rows with one key one is kept".to_owned());
                }
                let branch = self.branch(&join.right, stage, depth);
                words::joins(join.kind, &stage.predicates, &branch)
            }
            Op::Union(union) => {
                let branches: Vec<String> =
                    union.inputs.iter().map(|p| self.branch(p, stage, depth)).collect();
                words::unions(&branches)
            }
            Op::Search(search) => {
                let branches: Vec<String> =
                    search.inputs.iter().map(|p| self.branch(p, stage, depth)).collect();
                stage.predicates = vec![self.shown.expr(&search.predicate)];
                let (mut found, mut left_out) = (Vec::new(), Vec::new());
                self.shown.collect(&search.predicate, &mut found, &mut left_out);
                found.into_iter().for_each(|i| add(&mut self.out.indicators, i));
                left_out.into_iter().for_each(|x| add(&mut self.out.exclusions, x));
                let wanted = words::filter(&mut self.shown, std::slice::from_ref(&search.predicate));
                format!("{} {wanted}", words::unions(&branches))
            }
            Op::Expand(e) => {
                e.items.iter().for_each(|i| set(outputs, self.name(i.id)));
                words::expands(&e.items.iter().map(|i| self.name(i.id)).collect::<Vec<_>>())
            }
            Op::MakeSeries(m) => {
                outputs.clear();
                let keys: Vec<SmolStr> =
                    m.keys.iter().flat_map(|k| &k.ids).map(|id| self.name(*id)).collect();
                keys.iter().for_each(|k| set(outputs, k.clone()));
                let mut made = Vec::new();
                for item in &m.aggregates {
                    item.aggregate.ids.iter().for_each(|id| set(outputs, self.name(*id)));
                    let names: Vec<SmolStr> = item.aggregate.ids.iter().map(|id| self.name(*id)).collect();
                    made.push(format!("`{}` = {}", names.join(", "), self.aggregate(&item.aggregate.call)));
                }
                set(outputs, self.name(m.axis_out));
                let step = self.shown.expr(&m.step);
                words::series(&keys, &made, &self.name(m.axis_out), &step)
            }
            Op::Parse(p) => {
                let subject = self.shown.expr(&p.subject);
                let mut columns = Vec::new();
                for piece in &p.pieces {
                    if let ir::ParsePiece::Column(id) = piece {
                        set(outputs, self.name(*id));
                        columns.push(self.name(*id));
                    }
                }
                words::parses(&subject, &columns, p.filter)
            }
            Op::ParseKv(p) => {
                let subject = self.shown.expr(&p.subject);
                p.columns.iter().for_each(|id| set(outputs, self.name(*id)));
                words::parses(&subject, &p.columns.iter().map(|id| self.name(*id)).collect::<Vec<_>>(), false)
            }
            Op::Apply(a) => {
                a.items.iter().for_each(|i| set(outputs, self.name(i.id)));
                let branch = self.branch(&a.body, stage, depth);
                words::applies(&a.items.iter().map(|i| self.name(i.id)).collect::<Vec<_>>(), &branch)
            }
            Op::Partition { input: _, key, body } => {
                let branch = self.branch(body, stage, depth);
                words::partitions(&self.name(*key), &branch)
            }
            Op::Sort { input: _, keys } => {
                let keys: Vec<String> = keys
                    .iter()
                    .map(|k| {
                        format!(
                            "`{}`{}",
                            self.shown.expr(&k.expr),
                            if k.descending { " (greatest first)" } else { "" }
                        )
                    })
                    .collect();
                words::sorts(&keys)
            }
            Op::Limit { input: _, count, kind: _ } => words::limits(&self.shown.expr(count)),
            Op::Top { input: _, count, keys } => {
                let keys: Vec<String> = keys.iter().map(|k| self.shown.expr(&k.expr)).collect();
                words::tops(&self.shown.expr(count), &keys)
            }
            Op::Values(_) => words::rows(),
            Op::Ref(_)
            | Op::Range(_)
            | Op::Rows
            | Op::Sequence(_)
            | Op::TopNested(_)
            | Op::Plugin(_)
            | Op::GetSchema { .. }
            | Op::Render { .. }
            | Op::Opaque { .. } => {
                // What it adds to the columns before it.
                if let Some(input) = node.input() {
                    let before: FxHashSet<ColId> = input.output.iter().copied().collect();
                    node.output
                        .iter()
                        .filter(|id| !before.contains(id))
                        .for_each(|id| set(outputs, self.name(*id)));
                }
                String::new()
            }
        }
    }

    fn scan(&mut self, source: &Source) -> String {
        let name = source_name(source);
        match source {
            Source::Table(_) | Source::Glob(_) => {
                add(&mut self.out.tables, SmolStr::new(&name));
                add(&mut self.out.inputs, Need { kind: "table", name: SmolStr::new(&name) });
            }
            Source::Input(input) => {
                let kind = match input.kind {
                    InputKind::Table => "table",
                    InputKind::Watchlist => "watchlist",
                    InputKind::ExternalData => "external-data",
                    InputKind::Function => "function",
                };
                add(&mut self.out.inputs, Need { kind, name: input.name.clone() });
            }
        }
        match source {
            Source::Input(input) if input.over.is_some() => words::looks_up(&name),
            Source::Input(_) | Source::Table(_) | Source::Glob(_) => words::reads(&name),
        }
    }

    fn aggregate(&mut self, call: &'q AggregateCall) -> String {
        let list = |this: &mut Self, es: &'q [Expr]| {
            es.iter().map(|e| this.shown.expr(e)).collect::<Vec<_>>().join(", ")
        };
        match call {
            AggregateCall::Function(f, args) => format!("{}({})", f.name, list(self, args)),
            AggregateCall::ArgExtreme { max, by, returned, star } => {
                let name = if *max { "arg_max" } else { "arg_min" };
                let rest = if *star { "*".to_owned() } else { list(self, returned) };
                format!("{name}({}, {rest})", self.shown.expr(by))
            }
            AggregateCall::TakeAny { returned, star, condition: _ } => {
                format!("take_any({})", if *star { "*".to_owned() } else { list(self, returned) })
            }
            AggregateCall::Composed { parts, expr: _ } => {
                let parts: Vec<String> = parts.iter().map(|p| self.aggregate(&p.call)).collect();
                format!("an expression of {}", parts.join(", "))
            }
        }
    }
}

/// The columns that an aggregate was written for; of `arg_max(x, *)` the first, for the rest comes with it.
fn own_ids(item: &AggregateItem) -> &[ColId] {
    match &item.call {
        AggregateCall::ArgExtreme { star: true, .. } | AggregateCall::TakeAny { star: true, .. } => {
            item.ids.get(..1).unwrap_or_default()
        }
        AggregateCall::ArgExtreme { .. }
        | AggregateCall::TakeAny { .. }
        | AggregateCall::Function(..)
        | AggregateCall::Composed { .. } => &item.ids,
    }
}

fn source_name(source: &Source) -> String {
    match source {
        Source::Table(table) => table.name.to_string(),
        Source::Glob(glob) => glob.to_string(),
        Source::Input(input) => input.name.to_string(),
    }
}

/// The rows that a node works on; a function that rows are handed to reads them, too.
fn rows_of(plan: &Plan) -> Option<&Plan> {
    match &*plan.op {
        Op::Scan(ir::Scan { source: Source::Input(input), .. }) => input.over.as_ref(),
        _ => plan.input(),
    }
}

fn is_source(plan: &Plan) -> bool {
    rows_of(plan).is_none()
}

pub(super) const fn join_kind(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => "inner",
        JoinKind::InnerUnique => "innerunique",
        JoinKind::LeftOuter => "leftouter",
        JoinKind::RightOuter => "rightouter",
        JoinKind::FullOuter => "fullouter",
        JoinKind::LeftSemi => "leftsemi",
        JoinKind::RightSemi => "rightsemi",
        JoinKind::LeftAnti => "leftanti",
        JoinKind::RightAnti => "rightanti",
    }
}

/// Names of operators where no text names them.
const fn op_kind(op: &Op) -> &'static str {
    match op {
        Op::Scan(_) | Op::Ref(_) | Op::Values(_) | Op::Range(_) | Op::Rows => "source",
        Op::Filter { .. } => "where",
        Op::Extend { .. } => "extend",
        Op::Project { .. } => "project",
        Op::Select { kind, .. } => match kind {
            SelectKind::Away => "project-away",
            SelectKind::Keep => "project-keep",
            SelectKind::Rename => "project-rename",
            SelectKind::Reorder => "project-reorder",
        },
        Op::Aggregate(_) => "summarize",
        Op::Distinct { .. } => "distinct",
        Op::Join(_) => "join",
        Op::Union(_) => "union",
        Op::Sort { .. } => "sort",
        Op::Limit { .. } => "take",
        Op::Top { .. } => "top",
        Op::Expand(_) => "mv-expand",
        Op::Apply(_) => "mv-apply",
        Op::MakeSeries(_) => "make-series",
        Op::Parse(_) => "parse",
        Op::ParseKv(_) => "parse-kv",
        Op::Serialize { .. } => "serialize",
        Op::Partition { .. } => "partition",
        Op::Sequence(_) => "scan",
        Op::TopNested(_) => "top-nested",
        Op::Plugin(_) => "evaluate",
        Op::Search(_) => "search",
        Op::GetSchema { .. } => "getschema",
        Op::Render { .. } => "render",
        Op::Opaque { .. } => "other",
    }
}
