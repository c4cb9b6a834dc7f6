//! The rule as a whole, and what it counts: match variables, outcome variables, the condition.

use super::columns::Origin;
use super::cond::{Cond, comparison, complement};
use super::source::{Branch, Side, Source};
use super::{At, ColRef, LowerOptions, Lowerer, Place, Placeholder, envelope};
use crate::plain;
use crate::syntax::tree::{self, ArithOp, Expr as Tree, ExprKind as Kind, WindowKind};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{
    self as ir, Aggregate, AggregateCall, AggregateItem, ColId, CompareOp, Effect, ExprKind, Op, Plan, Type,
    Value,
};
use smol_str::SmolStr;

/// What a rule holds at most.
const MAX_OUTCOMES: usize = 20;

/// The grouping of a query.
#[derive(Clone, Debug)]
pub(super) struct Stage<'q> {
    keys: Vec<Key<'q>>,
    aggregates: Vec<(u32, &'q AggregateItem)>,
    /// Rows are grouped only to drop repeated ones.
    repeats: bool,
    span: Span,
}

#[derive(Clone, Copy, Debug)]
struct Key<'q> {
    column: ColRef,
    /// `None`: the column is passed on.
    value: Option<At<'q>>,
}

/// An outcome variable.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub name: SmolStr,
    pub value: Tree,
    /// The aggregate and its column.
    aggregate: Option<(usize, usize)>,
}

impl<'q> Stage<'q> {
    pub(super) fn of_aggregate(a: &'q Aggregate, scope: u32, span: Span) -> Self {
        let keys = a.keys.iter().filter_map(|k| {
            let id = *k.ids.first()?;
            let value = (k.expr.as_column() != Some(id)).then_some(At { scope, e: &k.expr });
            Some(Key { column: (scope, id), value })
        });
        Self { keys: keys.collect(), aggregates: Vec::new(), repeats: a.aggregates.is_empty(), span }
    }

    pub(super) fn of_columns(columns: &[ColId], scope: u32, span: Span) -> Self {
        let keys = columns.iter().map(|id| Key { column: (scope, *id), value: None });
        Self { keys: keys.collect(), aggregates: Vec::new(), repeats: true, span }
    }
}

impl<'q> Lowerer<'q> {
    pub(super) fn register_aggregates(&mut self, a: &'q Aggregate, scope: u32) {
        for item in &a.aggregates {
            self.register_aggregate(item, scope);
        }
    }

    fn register_aggregate(&mut self, item: &'q AggregateItem, scope: u32) {
        if let AggregateCall::Composed { parts, expr } = &item.call {
            for part in parts {
                self.register_aggregate(part, scope);
            }
            if let [id] = item.ids.as_slice() {
                self.computed(scope, *id, expr);
            }
            return;
        }
        let Some(stage) = &mut self.stage else { return };
        let index = stage.aggregates.len();
        stage.aggregates.push((scope, item));
        for (part, id) in item.ids.iter().enumerate() {
            self.origins.insert((scope, *id), Origin::Aggregate(index, part));
        }
    }

    /// The whole rule.
    pub(super) fn rule(&mut self, rule: &'q ir::Rule, options: &LowerOptions) -> tree::Rule {
        let plan = &rule.query.plan;
        let branch = self.top(plan, 0, true);
        if !self.faults.is_empty() {
            return tree::Rule::default();
        }
        self.drop_repeats_stage(plan.span);
        self.name_events(&branch);
        let grouped = self.stage.is_some() || self.events.len() > 1;
        let mut events = Vec::new();
        self.predicates(&branch, &mut events);
        for at in std::mem::take(&mut self.having) {
            if self.looks_at(at).1 {
                self.having.push(at);
            } else {
                let cond = self.when(at, false);
                self.predicate(cond, at.e.span, &mut events);
            }
        }
        let matching = if grouped { self.matching(plan, &branch) } else { None };
        if events.is_empty() && self.placeholders.is_empty() {
            let message = "the query keeps every event of UDM";
            self.refuse(codes::YARAL_OUT_NOTHING, plan.span, message, "filter the events");
        }
        for placeholder in &self.placeholders {
            let var = || Tree::var(placeholder.name.clone());
            events.extend(placeholder.values.iter().map(|v| v.clone().eq(var())));
        }
        self.usual_outcomes(grouped, rule, &branch);
        let condition = self.condition(&branch);
        self.shown(plan, grouped);

        let mut out = tree::Rule::new(envelope::rule_name(&rule.envelope, options));
        // What the window says needs no other word.
        let period =
            matching.as_ref().and_then(|m| m.window.as_ref()).is_some_and(|w| w.kind == WindowKind::Hop);
        let look_back = if period { None } else { self.look_back_of(0) };
        out.meta = self.meta(&rule.envelope, look_back);
        out.events = events;
        out.outcome = std::mem::take(&mut self.outcomes)
            .into_iter()
            .map(|m| tree::Outcome::new(m.name, m.value))
            .collect();
        out.condition = Some(condition);
        if grouped {
            // Groups of empty values are groups in the source.
            out.options.push(tree::Setting {
                name: tree::Name::new("allow_zero_values"),
                value: tree::SettingValue::Bool(true),
                span: tree::Loc::default(),
            });
        }
        out.matching = matching;
        out
    }

    /// `distinct` alone needs no window: without one the repeated rows are shown.
    fn drop_repeats_stage(&mut self, span: Span) {
        let repeats = self.stage.as_ref().is_some_and(|s| s.repeats);
        let known = (0..self.events.len())
            .map(|e| self.look_back_of(e))
            .all(|p| p.is_some_and(|p| p <= super::window::LONGEST));
        if repeats && self.events.len() == 1 && !known {
            self.stage = None;
            let detail = "rows that repeat are not dropped: each makes a result of its own";
            self.lose(codes::DUPLICATES_SHOWN, Effect::Widens, span, detail);
        }
    }

    fn name_events(&mut self, branch: &Branch<'q>) {
        let several = self.events.len() > 1;
        // In the order in which the rule names them.
        for (number, event) in branch.events.iter().enumerate() {
            if let Some(e) = self.events.get_mut(*event) {
                e.name = if several { format!("e{}", number + 1).into() } else { "e".into() };
                self.names.insert(e.name.clone());
            }
        }
        self.names.extend(["risk_score", "event_count"].map(SmolStr::new_static));
    }

    fn predicate(&mut self, cond: Cond, span: Span, out: &mut Vec<Tree>) {
        match cond {
            Cond::Const(true) => {}
            Cond::Const(false) => {
                let help = "look at the conditions: they exclude each other";
                self.refuse(codes::YARAL_OUT_NOTHING, span, "the query keeps no row", help);
            }
            Cond::Is(e) => match e.kind {
                Kind::And(es) => out.extend(es),
                kind => out.push(Tree { kind, span: e.span }),
            },
        }
    }

    fn predicates(&mut self, branch: &Branch<'q>, out: &mut Vec<Tree>) {
        match &branch.source {
            Source::Table { event, table } => {
                if table != plain::UDM_TABLE {
                    out.push(self.event_path(*event, plain::EVENT_TYPE).eq(Tree::text(plain::GENERIC_EVENT)));
                    out.push(self.event_path(*event, plain::LOG_TYPE).eq(Tree::text(table.clone())));
                }
            }
            Source::Any(branches) => {
                let tables: Option<Vec<(usize, &SmolStr)>> = branches
                    .iter()
                    .map(|b| match &b.source {
                        Source::Table { event, table } if b.filters.is_empty() => Some((*event, table)),
                        Source::Table { .. } | Source::Any(_) | Source::Join { .. } | Source::Nothing => None,
                    })
                    .collect();
                // What all branches have in common is said once.
                if let Some(tables) = tables.filter(|t| t.iter().all(|(_, n)| *n != plain::UDM_TABLE)) {
                    if let Some((event, _)) = tables.first() {
                        let generic = Tree::text(plain::GENERIC_EVENT);
                        out.push(self.event_path(*event, plain::EVENT_TYPE).eq(generic));
                    }
                    let named = tables
                        .iter()
                        .map(|(e, t)| self.event_path(*e, plain::LOG_TYPE).eq(Tree::text((*t).clone())));
                    out.push(Tree::any_of(named.collect::<Vec<_>>()));
                } else {
                    let mut any = Vec::with_capacity(branches.len());
                    for b in branches {
                        let mut own = Vec::new();
                        self.predicates(b, &mut own);
                        any.push(Tree::all_of(own));
                    }
                    out.push(Tree::any_of(any));
                }
            }
            Source::Join { left, right, absent } => {
                self.predicates(left, out);
                self.flipped ^= *absent;
                self.predicates(right, out);
                self.flipped ^= *absent;
            }
            Source::Nothing => {}
        }
        for at in &branch.filters {
            let cond = self.when(*at, false);
            self.predicate(cond, at.e.span, out);
        }
    }

    /// Placeholders of joins and groups, and the window.
    fn matching(&mut self, plan: &'q Plan, branch: &Branch<'q>) -> Option<tree::Match> {
        let staged = self.stage.is_some();
        for join in std::mem::take(&mut self.joins) {
            if join.keys.is_empty() {
                let message = "events are joined without an equality";
                let help = "join on a value that both have";
                self.refuse(codes::YARAL_OUT_OPERATOR, join.span, message, help);
            }
            for (left, right, fold) in join.keys {
                let name = self.side_name(left);
                let values = [left, right].map(|side| {
                    let value = self.side(side, join.span);
                    if fold { Tree::call("strings.to_lower", [value]) } else { value }
                });
                self.placeholder(&name, values.to_vec(), !staged, join.span);
            }
        }
        let Some(stage) = self.stage.clone() else {
            let window = match self.sliding(plan.span) {
                Some(window) => window,
                None => self.period(plan.span)?,
            };
            return Some(self.match_of(window));
        };
        let mut tumbling = None;
        for key in &stage.keys {
            let column = key.column;
            if let Some(at) = key.value {
                if let Some(length) = self.tumbling(at) {
                    tumbling = Some(length);
                    let why = "the start of a window";
                    self.origins.insert(column, Origin::Nothing(why));
                    continue;
                }
                // A constant splits no group.
                if self.constant(at).is_some() {
                    continue;
                }
            }
            let value = match key.value {
                Some(at) => self.value(at),
                None => self.shown_value(column, stage.span),
            };
            if value.kind == Kind::Error {
                continue;
            }
            let name = self.query.columns.name(column.1).to_owned();
            let index = self.placeholder(&name, vec![value], true, stage.span);
            self.keys.insert(column, index);
            let resolved = self.resolve_through(column);
            self.keys.entry(resolved).or_insert(index);
        }
        if self.placeholders.iter().all(|p| !p.matched) {
            self.one_group(branch, &stage);
        }
        let window = match tumbling {
            Some(length) if self.events.len() == 1 => {
                self.window(WindowKind::Tumbling, length, stage.span)?
            }
            Some(_) => {
                let message = "events of different windows are joined, and then grouped by window";
                self.refuse(codes::YARAL_OUT_WINDOW, stage.span, message, "group by no time");
                return None;
            }
            None => self.period(stage.span)?,
        };
        Some(self.match_of(window))
    }

    /// The column that a column is another name of, as rows know it.
    fn resolve_through(&mut self, column: ColRef) -> ColRef {
        let place = std::mem::replace(&mut self.place, Place::Events);
        let resolved = self.resolve(column);
        self.place = place;
        resolved
    }

    fn match_of(&self, window: tree::Window) -> tree::Match {
        let matched = self.placeholders.iter().filter(|p| p.matched);
        let keys = matched.map(|p| tree::Name::new(p.name.clone())).collect();
        tree::Match { keys, window: Some(window), span: tree::Loc::default() }
    }

    /// All events in one group: YARA-L needs a variable to group by, so that it is one that all have alike.
    fn one_group(&mut self, branch: &Branch<'q>, stage: &Stage<'q>) {
        let single = matches!(&branch.source, Source::Table { table, .. } if table != plain::UDM_TABLE);
        if !single {
            let message = "all events are counted together, and YARA-L groups by a value";
            let help = "group by a column: `summarize … by …`";
            self.refuse(codes::YARAL_OUT_OPERATOR, stage.span, message, help);
            return;
        }
        let event = branch.events.first().copied().unwrap_or_default();
        let value = self.event_path(event, plain::LOG_TYPE);
        self.placeholder("log_type", vec![value], true, stage.span);
        let having = self.having.clone();
        if stage.keys.is_empty() && !having.into_iter().any(|at| self.excludes_nothing(at)) {
            let detail = "without any event the source still has its one row of counts; YARA-L has no group of no events";
            self.lose(codes::OUTPUT_MISSES, Effect::Narrows, stage.span, detail);
        }
    }

    /// Whether a condition on counts is false where there is no event at all.
    fn excludes_nothing(&mut self, at: At<'q>) -> bool {
        let at = self.behind(at);
        let ExprKind::Compare(c) = &at.e.kind else { return false };
        let (left, right) = (At { e: &c.left, ..at }, At { e: &c.right, ..at });
        let (op, value, constant) = match (self.constant(left), self.constant(right)) {
            (None, Some(k)) => (c.op, left, k),
            (Some(k), None) => (c.op.flipped(), right, k),
            _ => return false,
        };
        matches!(self.column_origin(value), Some(Origin::Aggregate(..)))
            && !op.holds(super::cond::ordering(&Value::Long(0), &constant))
    }

    fn side_name(&self, side: Side<'q>) -> String {
        let column = match side {
            Side::Column(column) => Some(column),
            Side::Value(at) => at.e.as_column().map(|id| (at.scope, id)),
        };
        column.map_or_else(|| "value".to_owned(), |(_, id)| self.query.columns.name(id).to_owned())
    }

    fn side(&mut self, side: Side<'q>, span: Span) -> Tree {
        match side {
            Side::Value(at) => self.value(at),
            Side::Column((scope, id)) => {
                // A computed column is written out.
                match self.origin((scope, id)) {
                    Some(Origin::Computed(at)) => self.value(at),
                    _ => {
                        let ty = self.query.columns.ty(id);
                        self.column(scope, id, ty, span)
                    }
                }
            }
        }
    }

    /// The placeholder for values that are equal to one another.
    fn placeholder(&mut self, name: &str, values: Vec<Tree>, matched: bool, span: Span) -> usize {
        for value in &values {
            let mut vars = Vec::new();
            variables(value, &mut vars);
            if vars.len() != 1 && value.kind != Kind::Error {
                let message = "a value that events are grouped or joined by must be one of a single event";
                self.refuse(codes::YARAL_OUT_CONDITION, span, message, "");
            }
        }
        let same = self.placeholders.iter().position(|p| values.iter().any(|v| p.values.contains(v)));
        if let Some(index) = same
            && let Some(found) = self.placeholders.get_mut(index)
        {
            found.matched |= matched;
            for value in values {
                if !found.values.contains(&value) {
                    found.values.push(value);
                }
            }
            return index;
        }
        let name = self.fresh(name);
        self.placeholders.push(Placeholder { name, values, matched });
        self.placeholders.len() - 1
    }

    fn usual_outcomes(&mut self, grouped: bool, rule: &ir::Rule, branch: &Branch<'q>) {
        let score = Tree::int(envelope::risk_score(rule.envelope.severity));
        let score = if grouped { Tree::call("max", [score]) } else { score };
        self.outcomes.push(Made { name: "risk_score".into(), value: score, aggregate: None });
        let first = branch.events.iter().find(|e| self.events.get(**e).is_some_and(|e| !e.absent));
        let id = self.event_path(first.copied().unwrap_or_default(), plain::EVENT_ID);
        let value = Tree::call("count_distinct", [id]);
        self.outcomes.push(Made { name: "event_count".into(), value, aggregate: None });
        if self.stage.is_some() {
            self.counted.clone_from(&branch.counted);
        }
    }

    fn condition(&mut self, branch: &Branch<'q>) -> Tree {
        self.place = Place::Condition;
        let mut tests = Vec::new();
        for at in std::mem::take(&mut self.having) {
            let cond = if self.looks_at_rows(at) { self.check(at, false) } else { self.when(at, false) };
            self.predicate(cond, at.e.span, &mut tests);
        }
        self.place = Place::Events;
        let mut all = Vec::new();
        for event in branch.events.iter().filter_map(|e| self.events.get(*e)) {
            if event.absent {
                all.push(Tree::absent(event.name.clone()));
            } else if !tests.iter().any(|t| is_bounding(t, &event.name)) {
                all.push(Tree::var(event.name.clone()));
            }
        }
        all.extend(tests);
        Tree::all_of(all)
    }

    fn looks_at_rows(&self, at: At<'q>) -> bool {
        self.looks_at(at).0
    }

    /// A condition that only the outcome can say, as a variable that is 1 where it holds.
    pub(super) fn check(&mut self, at: At<'q>, negated: bool) -> Cond {
        let place = std::mem::replace(&mut self.place, Place::Outcome);
        let cond = self.when(at, false);
        self.place = place;
        match cond {
            Cond::Const(value) => Cond::Const(value != negated),
            Cond::Is(test) => self.holds(test).negated_if(negated),
        }
    }

    /// A test of outcomes, as one of a variable that is 1 where it holds.
    pub(super) fn holds(&mut self, test: Tree) -> Cond {
        let name = self.fresh("holds");
        let value = Tree::call("if", [test, Tree::int(1), Tree::int(0)]);
        self.outcomes.push(Made { name: name.clone(), value, aggregate: None });
        Cond::Is(Tree::var(name).eq(Tree::int(1)))
    }

    /// A value in the condition: an outcome.
    pub(super) fn in_condition(&mut self, at: At<'q>) -> Tree {
        if let Some(Origin::Aggregate(index, part)) = self.column_origin(at) {
            return self.aggregate_variable(index, part, at.e.span);
        }
        let place = std::mem::replace(&mut self.place, Place::Outcome);
        let value = self.value(at);
        self.place = place;
        let wanted = at.e.as_column().map_or("value", |id| self.query.columns.name(id)).to_owned();
        let name = self.fresh(&wanted);
        self.outcomes.push(Made { name: name.clone(), value, aggregate: None });
        Tree::var(name)
    }

    /// `count() > 5` as `#e > 5`.
    pub(super) fn compare_count(
        &mut self,
        op: CompareOp,
        left: At<'q>,
        constant: &Value,
        _span: Span,
        negated: bool,
    ) -> Option<Cond> {
        let Some(Origin::Aggregate(index, 0)) = self.column_origin(left) else { return None };
        if self.place != Place::Condition {
            return None;
        }
        let (_, item) = *self.stage.as_ref()?.aggregates.get(index)?;
        let AggregateCall::Function(f, args) = &item.call else { return None };
        let [event] = self.counted.as_slice() else { return None };
        let n = match constant {
            Value::Long(n) => *n,
            Value::Int(n) => i64::from(*n),
            _ => return None,
        };
        if f.name != "count" || !args.is_empty() || n < 0 {
            return None;
        }
        let name = self.events.get(*event)?.name.clone();
        let op = if negated { complement(op) } else { op };
        Some(Cond::Is(Tree::count_of(name).compare(comparison(op), Tree::int(n))))
    }

    /// `array_length(make_set(x))`: a list cannot be measured, its values can be counted.
    pub(super) fn distinct_count(&mut self, list: At<'q>, span: Span) -> Option<Tree> {
        let Some(Origin::Aggregate(index, _)) = self.column_origin(list) else { return None };
        let (scope, item) = *self.stage.as_ref()?.aggregates.get(index)?;
        let AggregateCall::Function(f, args) = &item.call else { return None };
        let value = args.first().filter(|_| matches!(f.name, "make_set" | "make_set_if"))?;
        if f.name == "make_set_if" {
            return Some(self.cannot(span, "the length of a list that a condition fills"));
        }
        let value = self.of_rows(At { scope, e: value });
        Some(Tree::call("count_distinct", [value]))
    }

    /// Whether a value is a list that was made of a group.
    pub(super) fn is_list(&self, at: At<'q>) -> bool {
        let mut at = self.behind(at);
        while let ExprKind::Cast(cast) = &at.e.kind {
            at = self.behind(At { e: &cast.expr, ..at });
        }
        let Some(Origin::Aggregate(index, _)) = self.column_origin(at) else { return false };
        let item = self.stage.as_ref().and_then(|s| s.aggregates.get(index)).map(|(_, item)| *item);
        item.is_some_and(|i| matches!(&i.call, AggregateCall::Function(f, _) if f.name.starts_with("make_")))
    }

    /// A value of single events, for an aggregate.
    fn of_rows(&mut self, at: At<'q>) -> Tree {
        let place = std::mem::replace(&mut self.place, Place::Events);
        let value = self.value(at);
        self.place = place;
        value
    }

    /// `if(condition, value, otherwise)` on single events.
    fn if_rows(&mut self, at: At<'q>, value: Tree, otherwise: Tree) -> Tree {
        let place = std::mem::replace(&mut self.place, Place::Events);
        let cond = self.when(at, false);
        self.place = place;
        match cond {
            Cond::Const(true) => value,
            Cond::Const(false) => otherwise,
            Cond::Is(test) => Tree::call("if", [test, value, otherwise]),
        }
    }

    /// The outcome variable of an aggregate, made where there is none yet.
    pub(super) fn aggregate_variable(&mut self, index: usize, part: usize, span: Span) -> Tree {
        if let Some(made) = self.outcomes.iter().find(|m| m.aggregate == Some((index, part))) {
            return Tree::var(made.name.clone());
        }
        let Some((scope, item)) = self.stage.as_ref().and_then(|s| s.aggregates.get(index)).copied() else {
            return self.cannot(span, "this column");
        };
        let value = self.aggregate(item, scope, part, span);
        if value.kind == Kind::Error {
            return value;
        }
        let name = match item.ids.get(part) {
            Some(id) => self.outcome_name(*id),
            None => self.fresh("value"),
        };
        self.outcomes.push(Made { name: name.clone(), value, aggregate: Some((index, part)) });
        Tree::var(name)
    }

    /// The variable of a column; times are told to be seconds.
    fn outcome_name(&mut self, id: ColId) -> SmolStr {
        let name = self.query.columns.name(id).to_owned();
        if self.query.columns.ty(id) == Type::Datetime {
            self.fresh(&format!("{name}_seconds"))
        } else {
            self.fresh(&name)
        }
    }

    fn aggregate(&mut self, item: &'q AggregateItem, scope: u32, part: usize, span: Span) -> Tree {
        match &item.call {
            AggregateCall::Function(f, args) => self.aggregate_function(f.name, args, scope, span),
            AggregateCall::ArgExtreme { max, by, returned, star: _ } => {
                let by = At { scope, e: by };
                let sort = self.of_rows(by);
                let Some(value) = part.checked_sub(1).and_then(|i| returned.get(i)) else {
                    return Tree::call(if *max { "max" } else { "min" }, [sort]);
                };
                let whole = matches!(by.e.ty, Type::Datetime | Type::Int | Type::Long);
                if !whole {
                    return self
                        .cannot(span, "which row has the highest value that is no whole number or time");
                }
                let value = self.of_rows(At { scope, e: value });
                Tree::call(if *max { "window.last" } else { "window.first" }, [sort, value])
            }
            AggregateCall::TakeAny { returned, star: _, condition } => {
                let (Some(value), None) = (returned.get(part), condition) else {
                    return self.cannot(span, "a value of any row that fulfils a condition");
                };
                let value = self.of_rows(At { scope, e: value });
                let event = self.counted.first().copied().unwrap_or_default();
                let time = self.event_path(event, plain::EVENT_SECONDS);
                Tree::call("window.first", [time, value])
            }
            // Its parts are columns of their own.
            AggregateCall::Composed { .. } => self.cannot(span, "this column"),
        }
    }

    fn aggregate_function(&mut self, name: &str, args: &'q [ir::Expr], scope: u32, span: Span) -> Tree {
        let at = |e| At { scope, e };
        match (name, args) {
            ("count", []) => match self.counted.as_slice() {
                [event] => {
                    let id = self.event_path(*event, plain::EVENT_ID);
                    Tree::call("count_distinct", [id])
                }
                [event, ..] if self.each_row_counts() => {
                    let id = self.event_path(*event, plain::EVENT_ID);
                    Tree::call("count", [id])
                }
                _ => self.no_rows(span),
            },
            ("countif", [condition]) | ("count", [condition]) if self.each_row_counts() => {
                let one = self.if_rows(at(condition), Tree::int(1), Tree::int(0));
                Tree::call("sum", [one])
            }
            ("sum", [x]) if self.each_row_counts() => {
                let x = self.of_rows(at(x));
                Tree::call("sum", [x])
            }
            ("sumif", [x, condition]) if self.each_row_counts() => {
                let x = self.of_rows(at(x));
                let x = self.if_rows(at(condition), x, Tree::int(0));
                Tree::call("sum", [x])
            }
            ("avg", [x]) if self.each_row_counts() && x.ty.is_numeric() => {
                self.assume("absent numbers count as 0 in a mean");
                let x = self.of_rows(at(x));
                Tree::call("window.avg", [x])
            }
            ("countif" | "count" | "sum" | "sumif" | "avg", _) => self.no_rows(span),
            ("dcount" | "count_distinct", [x, ..]) => {
                let x = self.of_rows(at(x));
                Tree::call("count_distinct", [x])
            }
            ("dcountif" | "count_distinctif", [x, condition, ..])
                if matches!(x.ty, Type::String | Type::Dynamic) =>
            {
                // The empty text stands for all rows that the condition drops: it is no value of them.
                let x = self.of_rows(at(x));
                let x = self.if_rows(at(condition), x, Tree::text(""));
                let dropped = self.if_rows(at(condition), Tree::int(0), Tree::int(1));
                self.assume("empty text is no value that is counted under a condition");
                Tree::call("count_distinct", [x]).arith(ArithOp::Sub, Tree::call("max", [dropped]))
            }
            ("min" | "max", [x]) if x.ty.is_numeric() || x.ty == Type::Datetime => {
                let x = self.of_rows(at(x));
                Tree::call(name, [x])
            }
            ("make_set", [x, ..]) => {
                let x = self.of_rows(at(x));
                self.lose(
                    codes::LIST_CUT,
                    Effect::Cosmetic,
                    span,
                    "YARA-L shows 25 values of a list at most",
                );
                Tree::call("array_distinct", [x])
            }
            ("make_list" | "make_list_with_nulls", [x, ..]) => {
                let x = self.of_rows(at(x));
                self.lose(
                    codes::LIST_CUT,
                    Effect::Cosmetic,
                    span,
                    "YARA-L shows 25 values of a list at most",
                );
                Tree::call("array", [x])
            }
            _ => {
                let message = format!("YARA-L has no aggregate for `{name}(…)`");
                let help =
                    "count, sum, dcount, min, max, avg, make_set, make_list, arg_max and arg_min have a form";
                self.refuse(codes::YARAL_OUT_FUNCTION, span, message, help)
            }
        }
    }

    /// Whether each row of a group is one combination of events, as YARA-L counts them.
    fn each_row_counts(&self) -> bool {
        let bounded = self.events.iter().filter(|e| !e.absent).count();
        !self.counted.is_empty() && self.counted.len() == bounded
    }

    fn no_rows(&mut self, span: Span) -> Tree {
        let help = "count the distinct values of a column instead";
        let message = "rows that a join or union has made cannot be counted in YARA-L";
        self.refuse(codes::YARAL_OUT_CONDITION, span, message, help)
    }

    /// The columns that the query chooses to show, as outcomes as far as there is room.
    fn shown(&mut self, plan: &'q Plan, grouped: bool) {
        let staged = self.stage.is_some();
        if !staged && !chooses(plan) {
            return;
        }
        self.place = if staged { Place::Outcome } else { Place::Events };
        for id in plan.output.iter().copied() {
            let name = self.query.columns.name(id).to_owned();
            let column = (0, id);
            let resolved = self.resolve(column);
            if staged && self.keys.contains_key(&resolved) {
                continue;
            }
            if let Some(Origin::Aggregate(index, part)) = self.origin(column)
                && self.outcomes.iter().any(|m| m.aggregate == Some((index, part)))
            {
                continue;
            }
            let before = (self.faults.len(), self.losses.len(), self.outcomes.len());
            let value = self.shown_value(column, plan.span);
            let failed = self.faults.len() > before.0 || value.kind == Kind::Error;
            if failed || self.outcomes.len() > MAX_OUTCOMES || before.2 >= MAX_OUTCOMES {
                self.faults.truncate(before.0);
                self.losses.truncate(before.1);
                self.outcomes.truncate(before.2);
                let why = if failed { "YARA-L has no form for it" } else { "a rule has 20 outcomes at most" };
                let detail = format!("the column `{name}` is not shown: {why}");
                self.lose(codes::COLUMN_LOST, Effect::Cosmetic, plan.span, detail);
                continue;
            }
            if matches!(self.origin(column), Some(Origin::Aggregate(..))) {
                continue;
            }
            // The detection shows what it is grouped by, and when its events were.
            let matched = self.placeholders.iter().any(|p| p.matched && p.values.contains(&value));
            if matched || matches!(self.origin(column), Some(Origin::Time { .. })) {
                continue;
            }
            let value = if grouped && !staged { Tree::call("array_distinct", [value]) } else { value };
            let name = self.outcome_name(id);
            self.outcomes.push(Made { name, value, aggregate: None });
        }
        self.place = Place::Events;
    }

    fn shown_value(&mut self, column: ColRef, span: Span) -> Tree {
        match self.origin(column) {
            Some(Origin::Computed(at)) => self.value(at),
            _ => {
                let ty = self.query.columns.ty(column.1);
                self.column(column.0, column.1, ty, span)
            }
        }
    }
}

/// Whether the query chooses the columns that it shows.
fn chooses(plan: &Plan) -> bool {
    let mut plan = Some(plan);
    while let Some(p) = plan {
        match &*p.op {
            Op::Project { .. } | Op::Select { kind: ir::SelectKind::Keep, .. } => return true,
            _ => plan = p.input(),
        }
    }
    false
}

/// Whether a test of the condition demands an event of the variable: `#e > 3`.
fn is_bounding(test: &Tree, event: &SmolStr) -> bool {
    let Kind::Compare(c) = &test.kind else { return false };
    let (Kind::Count(name), Kind::Number(n)) = (&c.left.kind, &c.right.kind) else { return false };
    let zero = n == "0";
    name == event
        && match c.op {
            tree::CompareOp::Gt => true,
            tree::CompareOp::Ge | tree::CompareOp::Eq => !zero,
            tree::CompareOp::Ne => zero,
            tree::CompareOp::Lt | tree::CompareOp::Le => false,
        }
}

/// The variables of a value, each once.
fn variables(e: &Tree, out: &mut Vec<SmolStr>) {
    match &e.kind {
        Kind::Field(field) | Kind::Quantified { field, .. } => {
            if !out.contains(&field.var) {
                out.push(field.var.clone());
            }
        }
        Kind::Call(call) => call.args.iter().for_each(|a| variables(&a.value, out)),
        Kind::Arith { first, rest } => {
            variables(first, out);
            rest.iter().for_each(|(_, e)| variables(e, out));
        }
        Kind::Array(es) | Kind::And(es) | Kind::Or(es) => es.iter().for_each(|e| variables(e, out)),
        Kind::Compare(c) => {
            variables(&c.left, out);
            variables(&c.right, out);
        }
        Kind::In(i) => variables(&i.operand, out),
        Kind::IsNull { operand, .. } => variables(operand, out),
        Kind::NoCase(e) | Kind::Not(e) | Kind::Bang(e) => variables(e, out),
        Kind::Count(_)
        | Kind::Text(_)
        | Kind::Regex(_)
        | Kind::Number(_)
        | Kind::Bool(_)
        | Kind::Duration(_)
        | Kind::Word(_)
        | Kind::TableColumn { .. }
        | Kind::WindowStart
        | Kind::WindowEnd
        | Kind::Error => {}
    }
}
