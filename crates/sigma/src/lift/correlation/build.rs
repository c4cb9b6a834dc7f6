//! The plans of correlations.

use super::DEFAULT_TIME;
use super::read::{Condition, Kind, Spec, read};
use crate::lift::set::Member;
use crate::lift::{LiftOptions, Lifter, RuleSet, TIME_FIELD_KEY};
use crate::syntax::{DocumentKind, Expr as Tree, Quantifier, SigmaDocument};
use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_ir::functions::{FunctionKind, find};
use ruleferry_ir::window::{Anchor, Pivot, SlidingJoin, sliding};
use ruleferry_ir::{
    Aggregate, AggregateCall, AggregateItem, ArithmeticOp, Binding, BindingId, BindingValue, Case, ColId,
    Columns, CompareOp, Expr, ExprKind, Item, JoinKey, LogSource, MatchKind, MatchValue, MatchValues,
    Missing, Op, Plan, Quantifier as MatchQuantifier, StringMatch, Subject, Type, Union, Value,
};
use smol_str::{SmolStr, format_smolstr};

/// Correlations of correlations deeper than this are nobody's.
const MAX_DEPTH: usize = 16;
/// Rules that one correlation may look at, those of correlations inside counted.
const MAX_RULES: usize = 256;

/// Rows with a time.
#[derive(Clone, Debug)]
pub(super) struct Events {
    pub plan: Plan,
    time: ColId,
    /// The fields that were asked for, in order.
    fields: Vec<ColId>,
}

/// The column that stands for the one group of a correlation without `group-by`.
const ONE_GROUP: &str = "all_events";
/// The column that says which rule found an event.
const RULE: &str = "matched_rule";

pub(super) struct Builder<'t> {
    set: RuleSet<'t>,
    options: &'t LiftOptions,
    pub columns: Columns,
    pub bindings: Vec<Binding>,
    pub faults: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
    pub assumptions: Vec<String>,
    /// The correlations that are being built, the outermost first.
    within: Vec<*const SigmaDocument>,
    rules: usize,
    size: usize,
    /// Tables that are read: no binding is called like one.
    tables: Vec<SmolStr>,
}

impl<'t> Builder<'t> {
    pub(super) fn new(set: RuleSet<'t>, options: &'t LiftOptions) -> Self {
        Self {
            set,
            options,
            columns: Columns::default(),
            bindings: Vec::new(),
            faults: Vec::new(),
            warnings: Vec::new(),
            assumptions: Vec::new(),
            within: Vec::new(),
            rules: 0,
            size: 0,
            tables: Vec::new(),
        }
    }

    fn fault(&mut self, code: Code, span: Span, message: impl Into<String>, help: &str) -> Option<Events> {
        let fault = Diagnostic::error(code, span, message).with_help(help);
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
        None
    }

    /// The alerts of a correlation. `place`: where the correlation is named, if it stands in another file; `extra`: fields
    /// that the alerts must have beside those it groups by.
    pub(super) fn correlation(
        &mut self,
        document: &SigmaDocument,
        place: Option<Span>,
        extra: &[SmolStr],
    ) -> Option<Events> {
        let own = *document.span;
        let span = place.unwrap_or(own);
        let address = std::ptr::from_ref(document);
        if self.within.contains(&address) || self.within.len() >= MAX_DEPTH {
            let message = "the correlation refers to itself, or nests too deep";
            let help = "name rules and correlations that stand on their own";
            return self.fault(codes::SIGMA_CORRELATION_MEANING, span, message, help);
        }
        let Some(correlation) = document.correlation() else {
            let message = "the correlation cannot be read";
            return self.fault(codes::SIGMA_CORRELATION, span, message, "write it as a mapping");
        };
        let mut spec = match read(correlation, own) {
            Ok(spec) => spec,
            Err(mut fault) => {
                if place.is_some() {
                    fault.span = span;
                }
                self.faults.push(fault);
                return None;
            }
        };
        if let Some(place) = place {
            // Places in another file say nothing here.
            spec.span = place;
            spec.condition_span = place;
            spec.rules.iter_mut().for_each(|(_, span)| *span = place);
        }
        self.within.push(address);
        let name = document.text("name").map(SmolStr::new);
        let built = match spec.kind {
            Kind::Temporal => self.temporal(&spec, name, extra),
            Kind::TemporalOrdered => self.ordered(&spec, extra),
            Kind::EventCount
            | Kind::ValueCount
            | Kind::ValueSum
            | Kind::ValueAvg
            | Kind::ValuePercentile
            | Kind::ValueMedian => self.counted(&spec, name, extra),
        };
        self.within.pop();
        built
    }

    // ---- the types -------------------------------------------------------------------------------------------------

    fn counted(&mut self, spec: &Spec, name: Option<SmolStr>, extra: &[SmolStr]) -> Option<Events> {
        let wanted = wanted(spec, extra);
        let branches = self.merged_branches(spec, &wanted)?;
        let mut events = self.union(branches, spec.span);
        let measured = spec.by.len() + usize::from(spec.by.is_empty())..wanted.len() - extra.len();
        let values: Vec<ColId> = events.fields.get(measured).unwrap_or_default().to_vec();
        let (events_name, value) = (binding_name(spec, name), self.value(spec, &mut events, &values));
        let events = self.bind(&events_name, events, value);
        let (pivot, _) = self.pivot(spec, &events);
        let (window, keys, moved) = self.window(spec, &pivot, &events);
        let moved_to = |id: ColId| moved.iter().find(|(from, _)| *from == id).map_or(id, |(_, to)| *to);
        let value = events.value.map(moved_to);
        let aggregates = self.aggregate(spec, value)?;
        let result = *aggregates.last()?.ids.first()?;
        let ty = self.columns.ty(result);
        let Condition::Compare(list) = &spec.condition else { return None };
        let tests = list.iter().map(|(op, value)| {
            let value = match (ty, value) {
                (Type::Real, Value::Long(n)) => Value::Real(*n as f64),
                (_, value) => value.clone(),
            };
            let (left, right) =
                (Expr::column(result, ty, spec.span), Expr::literal(value, spec.condition_span));
            Expr::compare(*op, left, right, missing(*op), spec.condition_span)
        });
        let predicate = Expr::and(tests.collect(), spec.condition_span);
        let alerts = self.alerts(spec, window, keys, aggregates, predicate);
        self.with_extra(spec, alerts, events, extra)
    }

    fn temporal(&mut self, spec: &Spec, name: Option<SmolStr>, extra: &[SmolStr]) -> Option<Events> {
        let wanted = wanted(spec, extra);
        let mut branches = Vec::with_capacity(spec.rules.len());
        for (reference, span) in &spec.rules {
            let branch = self.branch(spec, reference, *span, &wanted)?;
            branches.push(self.tagged(branch, reference, *span));
        }
        let events = self.union(branches, spec.span);
        let events = self.bind(&binding_name(spec, name), events, None);
        let rule = *events.fields.last()?;
        let (pivot, _) = self.pivot(spec, &events);
        let (window, keys, moved) = self.window(spec, &pivot, &events);
        let rule = moved.iter().find(|(from, _)| *from == rule).map_or(rule, |(_, to)| *to);
        let (aggregates, predicate) = match &spec.condition {
            Condition::Boolean(tree) => self.boolean(spec, tree, rule)?,
            Condition::None | Condition::Compare(_) => {
                let all = i64::try_from(spec.rules.len()).unwrap_or(i64::MAX);
                let every = vec![(CompareOp::Ge, Value::Long(all))];
                let list = if let Condition::Compare(list) = &spec.condition { list } else { &every };
                let call = function("count_distinct", vec![Expr::column(rule, Type::String, spec.span)])?;
                let n = self.fresh("rule_count", Type::Long, spec, &keys);
                let tests = list.iter().map(|(op, value)| {
                    let (left, right) = (
                        Expr::column(n, Type::Long, spec.span),
                        Expr::literal(value.clone(), spec.condition_span),
                    );
                    Expr::compare(*op, left, right, missing(*op), spec.condition_span)
                });
                let predicate = Expr::and(tests.collect(), spec.condition_span);
                (vec![AggregateItem { ids: vec![n], call, named: true }], predicate)
            }
        };
        let alerts = self.alerts(spec, window, keys, aggregates, predicate);
        self.with_extra(spec, alerts, events, extra)
    }

    /// Each rule's events joined to those of the rule before it.
    fn ordered(&mut self, spec: &Spec, extra: &[SmolStr]) -> Option<Events> {
        if !extra.is_empty() {
            let message = format!(
                "the alerts of an ordered correlation have only what it groups by, not `{}`",
                extra.join("`, `")
            );
            let help = "add the field to its `group-by`";
            return self.fault(codes::SIGMA_CORRELATION_MEANING, spec.span, message, help);
        }
        self.check_order(spec)?;
        let wanted = wanted(spec, &[]);
        let mut steps = Vec::with_capacity(spec.rules.len());
        for (reference, span) in &spec.rules {
            let events = self.branch(spec, reference, *span, &wanted)?;
            steps.push(self.bind(&identifier(reference), events, None));
        }
        let mut steps = steps.into_iter();
        let first = steps.next()?;
        let first = self.reference(&first);
        let (start, keys) = (first.time, first.fields.clone());
        let (mut plan, mut last) = (first.plan, first.time);
        for step in steps {
            let next = self.reference(&step);
            let on = keys.iter().zip(&next.fields).map(|(l, r)| JoinKey { left: *l, right: *r }).collect();
            let window = SlidingJoin {
                pivot: Pivot { plan, time: start },
                events: Pivot { plan: next.plan, time: next.time },
                on,
                length: spec.timespan,
                anchor: Anchor::Starts,
            };
            let (joined, moved) = sliding(&mut self.columns, window, spec.span);
            let time = moved.iter().find(|i| i.from == next.time).map_or(next.time, |i| i.to);
            plan = joined;
            if last != start
                && let Op::Filter { predicate, .. } = &mut *plan.op
            {
                // The window says that it comes after the first; it must come after the one before, too.
                let column = |id| Expr::column(id, Type::Datetime, spec.span);
                let after =
                    Expr::compare(CompareOp::Ge, column(time), column(last), Missing::Null, spec.span);
                let window = std::mem::replace(predicate, Expr::bool(true, spec.span));
                *predicate = Expr::and(vec![window, after], spec.span);
            }
            last = time;
        }
        let time = self.columns.add(DEFAULT_TIME, Type::Datetime, spec.span);
        let mut items = self.passed(&keys, spec);
        items.push(Item {
            ids: vec![time],
            expr: Expr::column(last, Type::Datetime, spec.span),
            named: true,
        });
        let output: Vec<ColId> = items.iter().flat_map(|i| i.ids.clone()).collect();
        let shown = output.iter().copied().filter(|id| *id != time).collect();
        let project = Plan::new(Op::Project { input: plan, items }, output.clone(), spec.span);
        let plan = Plan::new(Op::Distinct { input: project }, output, spec.span);
        Some(Events { plan, time, fields: shown })
    }

    /// An order is clear where every rule must occur.
    fn check_order(&mut self, spec: &Spec) -> Option<()> {
        let all = i64::try_from(spec.rules.len()).unwrap_or(i64::MAX);
        let whole = match &spec.condition {
            Condition::None => true,
            Condition::Compare(list) => list.iter().any(|(op, value)| match (op, value) {
                (CompareOp::Ge | CompareOp::Eq, Value::Long(n)) => *n == all,
                (CompareOp::Gt, Value::Long(n)) => n.saturating_add(1) == all,
                (_, _) => false,
            }),
            Condition::Boolean(tree) => {
                let mut named: Vec<&str> = Vec::new();
                let plain = match tree.ungrouped() {
                    Tree::And(operands, _) => operands.iter().all(|o| match o.ungrouped() {
                        Tree::Search(name) => {
                            named.push(&name.text);
                            true
                        }
                        Tree::Of { .. } | Tree::Not(..) | Tree::And(..) | Tree::Or(..) | Tree::Group(..) => {
                            false
                        }
                    }),
                    Tree::Search(name) => {
                        named.push(&name.text);
                        true
                    }
                    Tree::Of { .. } | Tree::Not(..) | Tree::Or(..) | Tree::Group(..) => false,
                };
                plain && spec.rules.iter().all(|(rule, _)| named.contains(&rule.as_str()))
            }
        };
        if whole {
            return Some(());
        }
        let message = "the order of events is not settled where not all of the rules must occur";
        let help = "ask for all rules, or write one correlation for each sequence";
        self.fault(codes::SIGMA_CORRELATION_MEANING, spec.condition_span, message, help);
        None
    }

    // ---- conditions ------------------------------------------------------------------------------------------------

    /// How many events of each rule that the condition names are in the window, and the condition over that.
    fn boolean(&mut self, spec: &Spec, tree: &Tree, rule: ColId) -> Option<(Vec<AggregateItem>, Expr)> {
        let mut aggregates: Vec<(SmolStr, AggregateItem)> = Vec::new();
        let predicate = self.combined(spec, tree, rule, &mut aggregates)?;
        Some((aggregates.into_iter().map(|(_, item)| item).collect(), predicate))
    }

    fn combined(
        &mut self,
        spec: &Spec,
        tree: &Tree,
        rule: ColId,
        aggregates: &mut Vec<(SmolStr, AggregateItem)>,
    ) -> Option<Expr> {
        let span = spec.condition_span;
        Some(match tree {
            Tree::Search(name) => self.occurs(spec, &name.text, rule, aggregates)?,
            Tree::Of { quantifier, target, .. } => {
                let names: Vec<SmolStr> =
                    spec.rules.iter().map(|(n, _)| n.clone()).filter(|n| target.includes(n)).collect();
                let mut operands = Vec::with_capacity(names.len());
                for name in &names {
                    operands.push(self.occurs(spec, name, rule, aggregates)?);
                }
                match quantifier {
                    Quantifier::One if !operands.is_empty() => Expr::or(operands, span),
                    Quantifier::All if !operands.is_empty() => Expr::and(operands, span),
                    Quantifier::One | Quantifier::All | Quantifier::AtLeast(_) => {
                        let message = "the condition counts rules in a way that is not settled";
                        let help = "join the names of the rules by `and`, `or` and `not`";
                        self.fault(codes::SIGMA_CORRELATION_MEANING, span, message, help);
                        return None;
                    }
                }
            }
            Tree::Not(inner, _) => self.combined(spec, inner, rule, aggregates)?.negated(span),
            Tree::And(operands, _) | Tree::Or(operands, _) => {
                let mut made = Vec::with_capacity(operands.len());
                for operand in operands {
                    made.push(self.combined(spec, operand, rule, aggregates)?);
                }
                if matches!(tree, Tree::And(..)) { Expr::and(made, span) } else { Expr::or(made, span) }
            }
            Tree::Group(inner, _) => self.combined(spec, inner, rule, aggregates)?,
        })
    }

    /// `countif(matched_rule == "name") > 0`.
    fn occurs(
        &mut self,
        spec: &Spec,
        name: &SmolStr,
        rule: ColId,
        aggregates: &mut Vec<(SmolStr, AggregateItem)>,
    ) -> Option<Expr> {
        let span = spec.condition_span;
        if spec.rules.iter().all(|(known, _)| known != name) {
            let message = format!("the condition names `{name}`, which is not among the rules");
            self.fault(codes::SIGMA_CORRELATION, span, message, "add it to `rules`");
            return None;
        }
        let known =
            aggregates.iter().find(|(n, _)| n == name).and_then(|(_, item)| item.ids.first().copied());
        let id = match known {
            Some(id) => id,
            None => {
                let is = StringMatch {
                    subject: Subject::Expr(Expr::column(rule, Type::String, span)),
                    kind: MatchKind::Equals,
                    case: Case::Sensitive,
                    values: MatchValues::List(vec![MatchValue::Expr(Expr::string(name.clone(), span))]),
                    quantifier: MatchQuantifier::Any,
                    missing: Missing::Empty,
                };
                let call = function("countif", vec![Expr::matches(is, span)])?;
                let id = self.fresh(&format!("{}_count", identifier(name)), Type::Long, spec, &[]);
                aggregates.push((name.clone(), AggregateItem { ids: vec![id], call, named: true }));
                id
            }
        };
        let (count, zero) = (Expr::column(id, Type::Long, span), Expr::literal(Value::Long(0), span));
        Some(Expr::compare(CompareOp::Gt, count, zero, Missing::Null, span))
    }

    /// The column whose values are counted or measured, and only those events that have a value.
    fn value(&mut self, spec: &Spec, events: &mut Events, fields: &[ColId]) -> Option<ColId> {
        let span = spec.condition_span;
        let text = |id: ColId| Expr::column(id, Type::String, span);
        let keep = |events: &mut Events, predicate: Expr| {
            let output = events.plan.output.clone();
            let input = std::mem::replace(&mut events.plan, Plan::new(Op::Rows, output.clone(), span));
            events.plan = Plan::new(Op::Filter { input, predicate }, output, span);
        };
        let empty = |id: ColId| Expr::new(ExprKind::IsEmpty(Box::new(text(id))), Type::Bool, span);
        match spec.kind {
            Kind::EventCount | Kind::Temporal | Kind::TemporalOrdered => None,
            Kind::ValueCount => {
                let has = fields.iter().map(|id| empty(*id).negated(span)).collect();
                keep(events, Expr::and(has, span));
                if let [only] = fields {
                    return Some(*only);
                }
                // Several fields count as one value: a list, which no other list looks like.
                let pack = find("pack_array", FunctionKind::Scalar)?;
                let list = ExprKind::Call(pack, fields.iter().map(|id| text(*id)).collect());
                let value = Expr::new(list, Type::Dynamic, span).cast(Type::String, false);
                Some(self.extended(events, "values_together", value, spec))
            }
            Kind::ValueSum | Kind::ValueAvg | Kind::ValuePercentile | Kind::ValueMedian => {
                let number = text(*fields.first()?).cast(Type::Real, false);
                let id = self.extended(events, "number_value", number, spec);
                let null = ExprKind::IsNull(Box::new(Expr::column(id, Type::Real, span)));
                keep(events, Expr::new(null, Type::Bool, span).negated(span));
                Some(id)
            }
        }
    }

    fn extended(&mut self, events: &mut Events, name: &str, expr: Expr, spec: &Spec) -> ColId {
        let id = self.fresh(name, expr.ty, spec, &[]);
        let output: Vec<ColId> = events.plan.output.iter().copied().chain([id]).collect();
        let input = events.plan.clone();
        let items = vec![Item { ids: vec![id], expr, named: true }];
        events.plan = Plan::new(Op::Extend { input, items }, output, spec.span);
        id
    }

    fn aggregate(&mut self, spec: &Spec, value: Option<ColId>) -> Option<Vec<AggregateItem>> {
        let span = spec.condition_span;
        let of = |ty: Type| value.map(|id| Expr::column(id, ty, span));
        let name = spec.kind.name();
        let (ty, call) = match spec.kind {
            Kind::EventCount | Kind::Temporal | Kind::TemporalOrdered => {
                (Type::Long, function("count", Vec::new())?)
            }
            Kind::ValueCount => (Type::Long, function("count_distinct", vec![of(Type::String)?])?),
            Kind::ValueSum => (Type::Real, function("sum", vec![of(Type::Real)?])?),
            Kind::ValueAvg => (Type::Real, function("avg", vec![of(Type::Real)?])?),
            Kind::ValuePercentile => {
                let percentile = Expr::literal(number(spec.percentile), span);
                (Type::Real, function("percentile", vec![of(Type::Real)?, percentile])?)
            }
            Kind::ValueMedian => (Type::Real, self.median(of(Type::Real)?, spec)?),
        };
        let id = self.fresh(name, ty, spec, &[]);
        Some(vec![AggregateItem { ids: vec![id], call, named: true }])
    }

    /// The mean of the middle value from below and the middle value from above, which are one of an odd count.
    fn median(&mut self, value: Expr, spec: &Spec) -> Option<AggregateCall> {
        let span = spec.condition_span;
        let half = || Expr::literal(Value::Long(50), span);
        let below = function("percentile", vec![value.clone(), half()])?;
        let negative = Expr::new(ExprKind::Negate(Box::new(value)), Type::Real, span);
        let above = function("percentile", vec![negative, half()])?;
        let [low, high] = ["low", "high"].map(|name| self.columns.add(name, Type::Real, span));
        let part = |id: ColId, call| AggregateItem { ids: vec![id], call, named: false };
        let column = |id| Expr::column(id, Type::Real, span);
        let sum = Expr::arithmetic(ArithmeticOp::Sub, column(low), column(high), Type::Real, span);
        let two = Expr::literal(Value::Real(2.0), span);
        let expr = Expr::arithmetic(ArithmeticOp::Div, sum, two, Type::Real, span);
        Some(AggregateCall::Composed { parts: vec![part(low, below), part(high, above)], expr })
    }

    // ---- windows ---------------------------------------------------------------------------------------------------

    /// The groups and times at which windows end.
    fn pivot(&mut self, spec: &Spec, events: &Bound) -> (Events, Vec<ColId>) {
        let all = self.reference(events);
        let keys: Vec<ColId> = all.fields.iter().copied().take(group_width(spec)).collect();
        let output: Vec<ColId> = keys.iter().copied().chain([all.time]).collect();
        let items = self.passed(&output, spec);
        let project = Plan::new(Op::Project { input: all.plan, items }, output.clone(), spec.span);
        let plan = Plan::new(Op::Distinct { input: project }, output, spec.span);
        (Events { plan, time: all.time, fields: keys.clone() }, keys)
    }

    /// Each group and time beside the events of the window that ends there: the plan, the group's keys with the time, and where
    /// the columns of the events went.
    fn window(
        &mut self,
        spec: &Spec,
        pivot: &Events,
        events: &Bound,
    ) -> (Plan, Vec<Item>, Vec<(ColId, ColId)>) {
        let all = self.reference(events);
        let on = pivot.fields.iter().zip(&all.fields).map(|(l, r)| JoinKey { left: *l, right: *r }).collect();
        let before: Vec<ColId> = all.plan.output.to_vec();
        let window = SlidingJoin {
            pivot: Pivot { plan: pivot.plan.clone(), time: pivot.time },
            events: Pivot { plan: all.plan, time: all.time },
            on,
            length: spec.timespan,
            anchor: Anchor::Ends,
        };
        let (plan, moved) = sliding(&mut self.columns, window, spec.span);
        // From the ids of the binding to those behind the join.
        let original = events.events.plan.output.iter().copied();
        let to = |id: ColId| moved.iter().find(|i| i.from == id).map_or(id, |i| i.to);
        let moved = original.zip(before).map(|(own, used)| (own, to(used))).collect();
        let mut keys: Vec<ColId> = if spec.by.is_empty() { Vec::new() } else { pivot.fields.clone() };
        keys.push(pivot.time);
        let keys = self.passed(&keys, spec);
        (plan, keys, moved)
    }

    fn alerts(
        &self,
        spec: &Spec,
        window: Plan,
        keys: Vec<Item>,
        aggregates: Vec<AggregateItem>,
        predicate: Expr,
    ) -> Events {
        let keys_out: Vec<ColId> = keys.iter().flat_map(|k| k.ids.clone()).collect();
        let output: Vec<ColId> =
            keys_out.iter().copied().chain(aggregates.iter().flat_map(|a| a.ids.clone())).collect();
        let aggregate = Op::Aggregate(Aggregate { input: window, keys, aggregates });
        let plan = Plan::new(aggregate, output.clone(), spec.span);
        let plan = Plan::new(Op::Filter { input: plan, predicate }, output, spec.span);
        let time = keys_out.last().copied().unwrap_or(ColId(0));
        let fields = keys_out.iter().copied().take(keys_out.len().saturating_sub(1)).collect();
        Events { plan, time, fields }
    }

    /// The alerts once for each value that the events of their windows have in further fields.
    fn with_extra(
        &mut self,
        spec: &Spec,
        alerts: Events,
        events: Bound,
        extra: &[SmolStr],
    ) -> Option<Events> {
        if extra.is_empty() {
            return Some(alerts);
        }
        if spec.by.is_empty() {
            let message = "the alerts of a correlation without `group-by` have no fields";
            return self.fault(codes::SIGMA_CORRELATION_MEANING, spec.span, message, "add a `group-by`");
        }
        let (plan, keys, moved) = self.window(spec, &alerts, &events);
        let first = group_width(spec) + spec.fields.len();
        let originals = events.events.fields.iter().skip(first).take(extra.len());
        let added: Vec<ColId> = originals
            .map(|id| moved.iter().find(|(from, _)| from == id).map_or(*id, |(_, to)| *to))
            .collect();
        let mut items: Vec<Item> = keys;
        for (id, name) in added.iter().zip(extra) {
            let out = self.columns.add(name.clone(), Type::String, spec.span);
            items.push(Item {
                ids: vec![out],
                expr: Expr::column(*id, Type::String, spec.span),
                named: true,
            });
        }
        let output: Vec<ColId> = items.iter().flat_map(|i| i.ids.clone()).collect();
        let fields = output.iter().copied().filter(|id| *id != alerts.time).collect();
        let project = Plan::new(Op::Project { input: plan, items }, output.clone(), spec.span);
        let plan = Plan::new(Op::Distinct { input: project }, output, spec.span);
        Some(Events { plan, time: alerts.time, fields })
    }

    // ---- events ----------------------------------------------------------------------------------------------------

    /// The events of each named rule; rules of one log source with the same fields are one branch.
    fn merged_branches(&mut self, spec: &Spec, wanted: &[SmolStr]) -> Option<Vec<Events>> {
        let mut groups: Vec<(Vec<Member<'t>>, Vec<SmolStr>, Span)> = Vec::new();
        let mut branches = Vec::new();
        for (reference, span) in &spec.rules {
            let member = self.member(reference, *span)?;
            if member.document.kind() == DocumentKind::Correlation {
                branches.push(self.branch(spec, reference, *span, wanted)?);
                continue;
            }
            let fields = fields_in(spec, reference, member.document, wanted);
            let same = |(members, known, _): &&mut (Vec<Member<'t>>, Vec<SmolStr>, Span)| {
                *known == fields
                    && members.first().is_some_and(|m| {
                        m.document.logsource() == member.document.logsource()
                            && time_field(m.document) == time_field(member.document)
                    })
            };
            match groups.iter_mut().find(same) {
                Some((members, _, _)) => members.push(member),
                None => groups.push((vec![member], fields, *span)),
            }
        }
        for (members, fields, span) in groups {
            branches.push(self.rules(&members, &fields, wanted, span)?);
        }
        Some(branches)
    }

    fn member(&mut self, reference: &str, span: Span) -> Option<Member<'t>> {
        let found = self.set.find(reference);
        if found.is_none() {
            let message = format!("the correlation refers to `{reference}`, which is not there");
            let help = "put the rule into the same file, or convert the folder that holds both";
            self.fault(codes::SIGMA_REFERENCE, span, message, help);
        }
        self.rules += 1;
        if self.rules > MAX_RULES {
            let message = "the correlation looks at too many rules";
            self.fault(codes::SIGMA_TOO_LARGE, span, message, "name fewer rules");
            return None;
        }
        found
    }

    /// The events of one rule, or the alerts of one correlation, with these fields.
    fn branch(&mut self, spec: &Spec, reference: &SmolStr, span: Span, wanted: &[SmolStr]) -> Option<Events> {
        let member = self.member(reference, span)?;
        let fields = fields_in(spec, reference, member.document, wanted);
        if member.document.kind() != DocumentKind::Correlation {
            return self.rules(&[member], &fields, wanted, span);
        }
        let inner = member.document.correlation()?;
        let grouped: Vec<&str> = inner.group_by().collect();
        let constant = |name: &SmolStr| name == ONE_GROUP;
        let extra: Vec<SmolStr> =
            fields.iter().filter(|f| !constant(f) && !grouped.contains(&f.as_str())).cloned().collect();
        let alerts = self.correlation(member.document, member.path.is_some().then_some(span), &extra)?;
        let named: Vec<(SmolStr, ColId)> =
            alerts.fields.iter().map(|id| (self.columns.name(*id).into(), *id)).collect();
        let from = |name: &SmolStr| named.iter().find(|(n, _)| n == name).map(|(_, id)| *id);
        let columns: Vec<Option<ColId>> = fields.iter().map(from).collect();
        Some(self.projected(alerts.plan, alerts.time, &columns, wanted, span))
    }

    /// The events that any of these rules finds. All look at one log source.
    fn rules(
        &mut self,
        members: &[Member<'t>],
        fields: &[SmolStr],
        wanted: &[SmolStr],
        span: Span,
    ) -> Option<Events> {
        let first = members.first()?;
        let mut lifter =
            Lifter::new(first.document, self.set, self.options, std::mem::take(&mut self.columns));
        lifter.size = self.size;
        let mut predicates = Vec::with_capacity(members.len());
        let mut log_source = LogSource::default();
        for member in members {
            lifter.document = member.document;
            let (faults, warnings) = (lifter.faults.len(), lifter.warnings.len());
            log_source = lifter.envelope().log_source;
            lifter.check_status();
            let predicate = lifter.condition();
            let mut predicate = lifter.filtered(predicate);
            if let Some(path) = member.path {
                predicate.set_spans(span);
                let title = member.document.text("title").unwrap_or_default();
                let found = lifter.faults.iter_mut().skip(faults);
                for d in found.chain(lifter.warnings.iter_mut().skip(warnings)) {
                    d.span = span;
                    d.message = format!("in `{title}` of {path}: {}", d.message);
                }
            }
            predicates.push(predicate);
        }
        let place = if first.path.is_some() { span } else { *first.document.span };
        let mut columns = Vec::with_capacity(fields.len());
        for field in fields {
            let column = (field != ONE_GROUP).then(|| lifter.field(field, span));
            columns.push(column.and_then(|e| e.as_column()));
        }
        let time_name = time_field(first.document);
        if lifter.fields.contains_key(time_name.as_str()) {
            let message = format!("`{time_name}` is the time of the event and cannot be looked at as a text");
            let help = format!("name the field of the time by `{TIME_FIELD_KEY}` in the rule");
            lifter.fault(codes::SIGMA_CORRELATION_MEANING, span, message, &help);
        }
        let time = lifter.columns.add(time_name.clone(), Type::Datetime, span);
        let scan = lifter.scan(&log_source, Some(time), place);
        self.columns = std::mem::take(&mut lifter.columns);
        self.size = lifter.size;
        let failed = !lifter.faults.is_empty();
        self.faults.append(&mut lifter.faults);
        self.warnings.append(&mut lifter.warnings);
        if failed {
            return None;
        }
        if let Op::Scan(s) = &*scan.op
            && let ruleferry_ir::Source::Table(table) = &s.source
            && !self.tables.contains(&table.name)
        {
            self.tables.push(table.name.clone());
            let assumed = format!("the time of an event of `{}` is in `{time_name}`", table.name);
            self.assumptions.push(assumed);
        }
        let output = scan.output.clone();
        let plan =
            Plan::new(Op::Filter { input: scan, predicate: Expr::or(predicates, place) }, output, place);
        Some(self.projected(plan, time, &columns, wanted, span))
    }

    /// The time and the wanted fields alone, under the names that the correlation gives them.
    fn projected(
        &mut self,
        input: Plan,
        time: ColId,
        columns: &[Option<ColId>],
        wanted: &[SmolStr],
        span: Span,
    ) -> Events {
        let mut items = Vec::with_capacity(wanted.len() + 1);
        let out_time = if self.columns.name(time) == DEFAULT_TIME {
            time
        } else {
            self.columns.add(DEFAULT_TIME, Type::Datetime, span)
        };
        items.push(Item {
            ids: vec![out_time],
            expr: Expr::column(time, Type::Datetime, span),
            named: out_time != time,
        });
        let mut fields: Vec<ColId> = Vec::with_capacity(wanted.len());
        for (name, column) in wanted.iter().zip(columns) {
            let (ty, expr) = match column {
                Some(id) => (Type::String, Expr::column(*id, Type::String, span)),
                None => (Type::Long, Expr::literal(Value::Long(1), span)),
            };
            let id = match column {
                Some(id) if self.columns.name(*id) == name.as_str() && !fields.contains(id) => *id,
                Some(_) | None => self.columns.add(name.clone(), ty, span),
            };
            items.push(Item { ids: vec![id], expr, named: *column != Some(id) });
            fields.push(id);
        }
        let output: Vec<ColId> = items.iter().flat_map(|i| i.ids.clone()).collect();
        Events { plan: Plan::new(Op::Project { input, items }, output, span), time: out_time, fields }
    }

    /// The events with the name of their rule as last field.
    fn tagged(&mut self, events: Events, rule: &SmolStr, span: Span) -> Events {
        let id = self.columns.add(RULE, Type::String, span);
        let items = vec![Item { ids: vec![id], expr: Expr::string(rule.clone(), span), named: true }];
        let output: Vec<ColId> = events.plan.output.iter().copied().chain([id]).collect();
        let plan = Plan::new(Op::Extend { input: events.plan, items }, output, span);
        let fields = events.fields.iter().copied().chain([id]).collect();
        Events { plan, time: events.time, fields }
    }

    fn union(&mut self, branches: Vec<Events>, span: Span) -> Events {
        let mut branches = branches;
        if branches.len() == 1
            && let Some(only) = branches.pop()
        {
            return only;
        }
        let Some(first) = branches.first() else {
            let plan = Plan::new(Op::Rows, Vec::new(), span);
            return Events { plan, time: ColId(0), fields: Vec::new() };
        };
        let old: Vec<ColId> = std::iter::once(first.time).chain(first.fields.iter().copied()).collect();
        let output: Vec<ColId> = old
            .iter()
            .map(|id| {
                let (name, ty) = (SmolStr::new(self.columns.name(*id)), self.columns.ty(*id));
                self.columns.add(name, ty, span)
            })
            .collect();
        let columns = (0..output.len())
            .map(|i| {
                let of = |e: &Events| if i == 0 { Some(e.time) } else { e.fields.get(i - 1).copied() };
                branches.iter().map(of).collect()
            })
            .collect();
        let union = Union {
            inputs: branches.into_iter().map(|b| b.plan).collect(),
            columns,
            inner: false,
            fuzzy: false,
            source: None,
            labels: Vec::new(),
        };
        let mut ids = output.iter().copied();
        let time = ids.next().unwrap_or(ColId(0));
        Events { plan: Plan::new(Op::Union(union), output.clone(), span), time, fields: ids.collect() }
    }

    // ---- bindings and names ----------------------------------------------------------------------------------------

    fn bind(&mut self, name: &str, events: Events, value: Option<ColId>) -> Bound {
        let taken = |n: &str| {
            self.tables.iter().any(|t| t.eq_ignore_ascii_case(n))
                || self.bindings.iter().any(|b| b.name.eq_ignore_ascii_case(n))
        };
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let name = std::iter::once(name.to_owned()).chain(numbered).find(|n| !taken(n)).unwrap_or_default();
        let id = BindingId(u32::try_from(self.bindings.len()).unwrap_or(u32::MAX));
        let span = events.plan.span;
        let bound = BindingValue::Table { plan: events.plan.clone(), materialized: false };
        self.bindings.push(Binding { name: name.into(), value: bound, span });
        Bound { id, fields: events.fields.clone(), events, value }
    }

    /// The rows of a binding, under ids of their own.
    fn reference(&mut self, bound: &Bound) -> Events {
        let span = bound.events.plan.span;
        let old: Vec<ColId> = bound.events.plan.output.to_vec();
        let new: Vec<ColId> = old
            .iter()
            .map(|id| {
                let (name, ty) = (SmolStr::new(self.columns.name(*id)), self.columns.ty(*id));
                self.columns.add(name, ty, span)
            })
            .collect();
        let to = |id: ColId| {
            let at = old.iter().position(|o| *o == id);
            at.and_then(|i| new.get(i)).copied().unwrap_or(id)
        };
        let (time, fields) = (to(bound.events.time), bound.events.fields.iter().map(|id| to(*id)).collect());
        Events { plan: Plan::new(Op::Ref(bound.id), new, span), time, fields }
    }

    fn passed(&self, ids: &[ColId], spec: &Spec) -> Vec<Item> {
        let item = |id: &ColId| Item {
            ids: vec![*id],
            expr: Expr::column(*id, self.columns.ty(*id), spec.span),
            named: false,
        };
        ids.iter().map(item).collect()
    }

    /// A new column that is called like none that the correlation groups by.
    fn fresh(&mut self, name: &str, ty: Type, spec: &Spec, _keys: &[Item]) -> ColId {
        let taken = |n: &str| n == DEFAULT_TIME || spec.by.iter().chain(&spec.fields).any(|k| k == n);
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let name = std::iter::once(name.to_owned()).chain(numbered).find(|n| !taken(n)).unwrap_or_default();
        self.columns.add(name, ty, spec.span)
    }
}

/// A binding of events.
struct Bound {
    id: BindingId,
    events: Events,
    fields: Vec<ColId>,
    /// The column whose values are counted or measured.
    value: Option<ColId>,
}

/// What a comparison does with a missing value, which counts never are: what makes it plain in every language.
const fn missing(op: CompareOp) -> Missing {
    match op {
        CompareOp::Eq | CompareOp::Ne => Missing::Distinct,
        CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => Missing::Null,
    }
}

/// The columns of the events: what is grouped by, what is measured, what others ask for.
fn wanted(spec: &Spec, extra: &[SmolStr]) -> Vec<SmolStr> {
    let mut wanted = spec.by.clone();
    if wanted.is_empty() {
        wanted.push(SmolStr::new_static(ONE_GROUP));
    }
    wanted.extend(spec.fields.iter().cloned());
    wanted.extend(extra.iter().cloned());
    wanted
}

fn group_width(spec: &Spec) -> usize {
    spec.by.len().max(1)
}

/// What the wanted columns are called in the events of a rule: aliases are resolved by the name or id of the rule.
fn fields_in(spec: &Spec, reference: &str, document: &SigmaDocument, wanted: &[SmolStr]) -> Vec<SmolStr> {
    let names: Vec<&str> = std::iter::once(reference)
        .chain(["name", "id"].into_iter().filter_map(|k| document.text(k)))
        .collect();
    let field = |name: &SmolStr| {
        let alias = spec.aliases.get(name);
        let mapped = alias.and_then(|rules| names.iter().find_map(|n| rules.get(*n)));
        mapped.unwrap_or(name).clone()
    };
    wanted.iter().map(field).collect()
}

/// The field that holds the time of a rule's events.
fn time_field(document: &SigmaDocument) -> SmolStr {
    SmolStr::new(document.text(TIME_FIELD_KEY).unwrap_or(DEFAULT_TIME))
}

/// What the events of a correlation are called.
fn binding_name(spec: &Spec, name: Option<SmolStr>) -> String {
    match (spec.rules.as_slice(), name) {
        ([(only, _)], _) if !is_an_id(only) => identifier(only),
        (_, Some(name)) => format!("{}_events", identifier(&name)),
        (_, None) => "events".to_owned(),
    }
}

fn is_an_id(name: &str) -> bool {
    name.len() == 36 && name.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// Letters, digits and underscores, with a letter first.
fn identifier(name: &str) -> String {
    if is_an_id(name) {
        return "events".to_owned();
    }
    const LONGEST: usize = 60;
    let kept: String =
        name.chars().take(LONGEST).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let plain = kept.trim_matches('_');
    match plain.chars().next() {
        None => "events".to_owned(),
        Some(c) if c.is_ascii_alphabetic() => plain.to_owned(),
        Some(_) => format!("rule_{plain}"),
    }
}

fn function(name: &str, args: Vec<Expr>) -> Option<AggregateCall> {
    Some(AggregateCall::Function(find(name, FunctionKind::Aggregate)?, args))
}

/// A percentage: whole where it is.
fn number(x: f64) -> Value {
    let text = format_smolstr!("{x}");
    text.parse::<i64>().map_or(Value::Real(x), Value::Long)
}
