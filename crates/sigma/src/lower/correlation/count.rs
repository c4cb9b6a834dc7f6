//! `summarize … by keys, bin(time, length) | where n > 10` and its kin.

use super::print::{Made, group_name};
use super::{Above, Maker};
use crate::duration;
use ruleferry_diag::{Span, codes};
use ruleferry_ir::window::{Anchor, Tumbling, as_sliding, as_tumbling, definition, origin};
use ruleferry_ir::{
    Aggregate, AggregateCall, AggregateItem, BindingValue, Case, ColId, CompareOp, Effect, Expr, ExprKind,
    MatchKind, MatchValue, MatchValues, Op, Plan, Subject, Type, Value,
};
use std::ptr;

/// How the rows that are counted are held together in time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Window {
    /// As in a correlation.
    Sliding,
    /// On a grid.
    Tumbling,
    /// All that the rule looks at.
    Whole,
}

/// The rows that are counted.
struct Rows<'q> {
    plan: &'q Plan,
    window: Window,
    length: i64,
    time: Option<ColId>,
    /// Name and column of each key, over `plan`, with its id behind the aggregate.
    keys: Vec<(String, ColId, ColId)>,
    /// From the columns of the aggregate's input to those of `plan`.
    moved: Vec<(ColId, ColId)>,
}

impl Rows<'_> {
    fn column(&self, id: ColId) -> ColId {
        self.moved.iter().find(|(from, _)| *from == id).map_or(id, |(_, to)| *to)
    }
}

/// What is compared.
#[derive(Clone)]
struct Measure<'q> {
    kind: &'static str,
    of: Option<ColId>,
    condition: Option<&'q Expr>,
    percentile: Option<String>,
    /// More events never make it less.
    grows: bool,
    /// A missing value counts as one.
    counts_empty: bool,
}

/// A comparison of an aggregate's column with a number.
struct Threshold {
    item: ColId,
    op: CompareOp,
    value: Value,
}

impl<'q> Maker<'q> {
    pub(super) fn count(&mut self, above: &Above<'q>, a: &'q Aggregate) -> Option<Made<'q>> {
        let span = above.at.span;
        let rows = self.rows(a, span)?;
        if let Some(made) = self.occurrence(above, a, &rows) {
            return Some(made);
        }
        let mut thresholds = Vec::with_capacity(above.tests.len());
        for (input, test) in &above.tests {
            let Some(threshold) = self.threshold(above.at, input, test) else {
                let message =
                    "a condition on the groups compares something else than one count with a number";
                let help = "keep one comparison of a count, a sum, a mean or a percentile";
                return self.refuse(codes::SIGMA_OUT_OPERATOR, test.span, message, help);
            };
            thresholds.push(threshold);
        }
        let Some(first) = thresholds.first() else {
            self.unnumbered = true;
            let message = "the query groups its events and asks for no number of them";
            let help = "keep only the filter, or add `| where count_ > n` behind the groups";
            return self.refuse(codes::SIGMA_OUT_OPERATOR, span, message, help);
        };
        if thresholds.iter().any(|t| t.item != first.item) {
            let message = "the query compares several numbers, a correlation only one";
            return self.refuse(codes::SIGMA_OUT_OPERATOR, span, message, "write one rule for each");
        }
        let item = a.aggregates.iter().find(|i| i.ids.contains(&first.item))?;
        let Some(measure) = self.measure(item, &rows) else {
            let message = "what the query computes of its groups is nothing that a correlation compares";
            let help = "count events or values, or compare a sum, a mean or a percentile";
            return self.refuse(codes::SIGMA_OUT_OPERATOR, span, message, help);
        };
        let tag = measure.of.filter(|id| measure.kind == "value_count" && self.is_tag(rows.plan, *id));
        let measured = measure.of.filter(|_| tag.is_none());
        let parts = self.parts(rows.plan, rows.time, measured, measure.condition, tag)?;
        let length = match rows.window {
            Window::Sliding | Window::Tumbling => rows.length,
            Window::Whole => self.period(span)?,
        };
        if duration::format(length).is_none() {
            let message = "the window is no whole number of seconds";
            return self.refuse(codes::SIGMA_OUT_OPERATOR, span, message, "take a longer window");
        }
        let mut by = Vec::with_capacity(rows.keys.len());
        for (name, column, _) in &rows.keys {
            let columns: Vec<(&Plan, ColId)> = parts.iter().map(|_| (rows.plan, *column)).collect();
            by.push((name.clone(), self.group(&parts, &columns, span)?));
        }
        let mut fields: Vec<String> = Vec::new();
        for (at, id) in measured.map(|id| self.measured_fields(rows.plan, id)).unwrap_or_default() {
            let named: Option<Vec<String>> = parts.iter().map(|p| p.field(self.query, at, id)).collect();
            let one = named.filter(|f| f.windows(2).all(|w| w.first() == w.last()));
            let Some(field) = one.and_then(|f| f.into_iter().next()) else {
                let message = "what is counted is no field of the events";
                return self.refuse(codes::SIGMA_OUT_OPERATOR, span, message, "count a field");
            };
            fields.push(field);
        }
        let mut compare = Vec::with_capacity(thresholds.len());
        let only_lower = thresholds.iter().all(|t| matches!(t.op, CompareOp::Gt | CompareOp::Ge));
        let is_present = |id: ColId| {
            self.measured_fields(rows.plan, id).into_iter().all(|(at, id)| self.is_present(at, id))
        };
        let empty_counts = measure.counts_empty && tag.is_none() && !measured.is_some_and(is_present);
        for t in &thresholds {
            let (mut op, mut value) = (t.op, t.value.clone());
            if empty_counts && let (CompareOp::Gt | CompareOp::Ge, Value::Long(n)) = (op, &value) {
                // The empty value is one of those that are counted, which it is not in Sigma.
                (op, value) = match op {
                    CompareOp::Gt => (CompareOp::Ge, Value::Long(*n)),
                    _ => (CompareOp::Ge, Value::Long(n.saturating_sub(1).max(1))),
                };
            }
            compare.push((operator(op), number(&value)));
        }
        if empty_counts {
            let effect = if only_lower { Effect::Widens } else { Effect::Unknown };
            let detail =
                "the query counts a missing value as one, a correlation does not: the threshold is one lower";
            self.lose(codes::EMPTY_IS_MISSING, effect, span, detail);
        }
        let grid = match rows.window {
            Window::Sliding => None,
            Window::Tumbling => Some("windows of the query begin on a grid, those of a correlation slide"),
            Window::Whole => {
                Some("the query counts all that it looks back at, a correlation any span of that length")
            }
        };
        if let Some(detail) = grid {
            let effect = if only_lower && measure.grows { Effect::Widens } else { Effect::Unknown };
            self.lose(codes::WINDOW_SLIDES, effect, span, detail);
        }
        let computed = a.aggregates.iter().filter(|i| !ptr::eq(*i, item)).flat_map(|i| &i.ids).count();
        if computed > 0 {
            let detail = "an alert of a correlation does not show what else was computed of its events";
            self.lose(codes::COLUMN_LOST, Effect::Cosmetic, span, detail);
        }
        let names: Vec<String> = parts.iter().map(|p| p.name.clone()).collect();
        let keys = self.key_origins(above.at, &rows.keys, &by);
        Some(Made {
            kind: if tag.is_some() { "temporal" } else { measure.kind },
            rules: names,
            timespan: length,
            compare,
            boolean: None,
            fields,
            percentile: measure.percentile,
            keys,
            columns: rows.keys.iter().map(|(.., out)| *out).collect(),
            by,
        })
    }

    /// Where the keys of groups come from, with their names.
    fn key_origins(
        &self,
        aggregate: &'q Plan,
        keys: &[(String, ColId, ColId)],
        by: &[(String, Vec<String>)],
    ) -> Vec<(&'q Plan, ColId, String)> {
        let named = keys.iter().enumerate().filter_map(|(i, (_, _, out))| {
            let (made, id) = origin(self.query, aggregate, *out)?;
            Some((made, id, group_name(by, i)))
        });
        named.collect()
    }

    /// The rows behind an aggregate, and its keys.
    fn rows(&mut self, a: &'q Aggregate, span: Span) -> Option<Rows<'q>> {
        let query = self.query;
        if let Some(sliding) = as_sliding(query, &a.input)
            && let Some((Anchor::Ends, length)) = sliding.anchor()
            && sliding.is_closed()
            && sliding.rest.is_empty()
            && sliding.also.is_empty()
            && let Some((pivot, events)) = self.same_rows(&sliding.join.left, &sliding.join.right)
        {
            let join = sliding.join;
            let time = join.right_output.iter().find(|i| i.to == sliding.event_time)?.from;
            let mut keys = Vec::with_capacity(a.keys.len());
            for key in &a.keys {
                let (id, out) = (key.expr.as_column()?, *key.ids.first()?);
                if id == sliding.pivot_time {
                    continue;
                }
                let on = join.on.iter().find(|k| k.left == id)?;
                keys.push((query.columns.name(out).to_owned(), on.right, out));
            }
            // All keys of the pivot are keys of the groups, but a constant that stands for one group.
            let constant = |id: ColId| {
                definition(query, pivot, id).is_some_and(|d| matches!(d.expr.kind, ExprKind::Literal(_)))
            };
            let missing = |k: &&ruleferry_ir::JoinKey| {
                !constant(k.left) && a.keys.iter().all(|key| key.expr.as_column() != Some(k.left))
            };
            if join.on.iter().any(|k| missing(&k))
                || a.keys.iter().all(|k| k.expr.as_column() != Some(sliding.pivot_time))
            {
                return None;
            }
            let moved = join.right_output.iter().map(|i| (i.to, i.from)).collect();
            return Some(Rows {
                plan: events,
                window: Window::Sliding,
                length,
                time: Some(time),
                keys,
                moved,
            });
        }
        let mut rows = Rows {
            plan: &a.input,
            window: Window::Whole,
            length: 0,
            time: None,
            keys: Vec::new(),
            moved: Vec::new(),
        };
        for key in &a.keys {
            let out = *key.ids.first()?;
            if let Some(Tumbling { time, length }) = as_tumbling(query, &a.input, &key.expr) {
                (rows.window, rows.length, rows.time) = (Window::Tumbling, length, Some(time));
                continue;
            }
            let Some(id) = key.expr.as_column() else {
                let message = "the query groups by something that is no field of the events";
                return self.refuse(
                    codes::SIGMA_OUT_OPERATOR,
                    span,
                    message,
                    "group by fields of the events",
                );
            };
            rows.keys.push((query.columns.name(out).to_owned(), id, out));
        }
        Some(rows)
    }

    /// Whether the left side is the groups and times of the right side's rows.
    fn same_rows(&self, left: &'q Plan, right: &'q Plan) -> Option<(&'q Plan, &'q Plan)> {
        let mut at = left;
        let mut distinct = false;
        loop {
            at = match &*at.op {
                Op::Distinct { input } => {
                    distinct = true;
                    input
                }
                Op::Project { input, .. } | Op::Select { input, .. } => input,
                _ => break,
            };
        }
        let same = match (&*at.op, &*right.op) {
            (Op::Ref(a), Op::Ref(b)) => a == b,
            _ => false,
        };
        (same && distinct).then_some((left, right))
    }

    fn threshold(&self, aggregate: &'q Plan, input: &'q Plan, test: &'q Expr) -> Option<Threshold> {
        let ExprKind::Compare(c) = &test.kind else { return None };
        let (side, op, value) = match (self.number(&c.left), self.number(&c.right)) {
            (None, Some(value)) => (&c.left, c.op, value),
            (Some(value), None) => (&c.right, exchanged(c.op), value),
            (Some(_), Some(_)) | (None, None) => return None,
        };
        let column = match &side.kind {
            ExprKind::Cast(cast) => cast.expr.as_column()?,
            // `array_length(make_set(x))`
            ExprKind::Call(f, args) if f.name == "array_length" => {
                let [set] = args.as_slice() else { return None };
                let (made, id) = origin(self.query, input, set.as_column()?)?;
                let is_set = self.aggregate_of(made, id).is_some_and(|name| name == "make_set");
                return (ptr::eq(made, aggregate) && is_set).then_some(Threshold { item: id, op, value });
            }
            _ => side.as_column()?,
        };
        let (made, id) = origin(self.query, input, column)?;
        if ptr::eq(made, aggregate) {
            return Some(Threshold { item: id, op, value });
        }
        // A column that was computed of one: the length of a set.
        let defined = definition(self.query, input, column)?;
        let ExprKind::Call(f, args) = &defined.expr.kind else { return None };
        let ("array_length", [set]) = (f.name, args.as_slice()) else { return None };
        let (made, id) = origin(self.query, defined.input, set.as_column()?)?;
        let is_set = self.aggregate_of(made, id).is_some_and(|name| name == "make_set");
        (ptr::eq(made, aggregate) && is_set).then_some(Threshold { item: id, op, value })
    }

    /// The aggregate that makes a column of an aggregation.
    fn aggregate_of(&self, plan: &'q Plan, id: ColId) -> Option<&'static str> {
        let Op::Aggregate(a) = &*plan.op else { return None };
        match &a.aggregates.iter().find(|i| i.ids.contains(&id))?.call {
            AggregateCall::Function(f, _) => Some(f.name),
            AggregateCall::ArgExtreme { .. }
            | AggregateCall::TakeAny { .. }
            | AggregateCall::Composed { .. } => None,
        }
    }

    fn number(&self, e: &'q Expr) -> Option<Value> {
        match &e.kind {
            ExprKind::Literal(value @ (Value::Long(_) | Value::Real(_))) => Some(value.clone()),
            ExprKind::Literal(Value::Int(n)) => Some(Value::Long(i64::from(*n))),
            ExprKind::Cast(c) if c.implicit => self.number(&c.expr),
            ExprKind::Let(id) => match &self.query.bindings.get(id.0 as usize)?.value {
                BindingValue::Scalar(e) => self.number(e),
                BindingValue::Table { .. } => None,
            },
            _ => None,
        }
    }

    fn measure(&self, item: &'q AggregateItem, rows: &Rows<'q>) -> Option<Measure<'q>> {
        let events = Measure {
            kind: "event_count",
            of: None,
            condition: None,
            percentile: None,
            grows: true,
            counts_empty: false,
        };
        let (f, args) = match &item.call {
            AggregateCall::Function(f, args) => (f.name, args.as_slice()),
            AggregateCall::Composed { parts, expr } => {
                let value = self.median(parts, expr, rows)?;
                return Some(Measure {
                    kind: "value_median",
                    of: Some(value),
                    grows: false,
                    ..events.clone()
                });
            }
            AggregateCall::ArgExtreme { .. } | AggregateCall::TakeAny { .. } => return None,
        };
        let column = |e: &Expr| self.measured(e, rows);
        let values = |of: &Expr, condition| {
            let counts_empty = of.ty == Type::String && f != "make_set" && f != "make_set_if";
            Some(Measure {
                kind: "value_count",
                of: Some(column(of)?),
                condition,
                counts_empty,
                ..events.clone()
            })
        };
        match (f, args) {
            ("count", []) => Some(events),
            ("countif" | "count", [condition]) => {
                Some(Measure { condition: Some(condition), ..events.clone() })
            }
            ("dcount" | "count_distinct" | "make_set", [of, ..]) => values(of, None),
            ("dcountif" | "count_distinctif" | "make_set_if", [of, condition, ..]) => {
                values(of, Some(condition))
            }
            ("sum", [of]) => {
                Some(Measure { kind: "value_sum", of: Some(column(of)?), grows: false, ..events.clone() })
            }
            ("avg", [of]) => {
                Some(Measure { kind: "value_avg", of: Some(column(of)?), grows: false, ..events.clone() })
            }
            ("percentile", [of, percentile]) => {
                let percentile = number(&self.number(percentile)?);
                let of = Some(column(of)?);
                Some(Measure {
                    kind: "value_percentile",
                    of,
                    percentile: Some(percentile),
                    grows: false,
                    ..events.clone()
                })
            }
            _ => None,
        }
    }

    /// The column of the counted rows that is measured: as it is, or read as a number.
    fn measured(&self, e: &Expr, rows: &Rows<'q>) -> Option<ColId> {
        let id = match &e.kind {
            ExprKind::Cast(c) => c.expr.as_column()?,
            _ => e.as_column()?,
        };
        Some(rows.column(id))
    }

    /// The columns that a measured column is made of: itself, the field that it reads as a number, or the fields of a list.
    pub(super) fn measured_fields(&self, plan: &'q Plan, id: ColId) -> Vec<(&'q Plan, ColId)> {
        let Some(defined) = definition(self.query, plan, id) else { return vec![(plan, id)] };
        let ExprKind::Cast(cast) = &defined.expr.kind else { return vec![(plan, id)] };
        let columns = match &cast.expr.kind {
            ExprKind::Column(of) => vec![*of],
            ExprKind::Call(f, args) if f.name == "pack_array" => {
                args.iter().filter_map(Expr::as_column).collect()
            }
            _ => Vec::new(),
        };
        if columns.is_empty() {
            vec![(plan, id)]
        } else {
            columns.into_iter().map(|c| (defined.input, c)).collect()
        }
    }

    /// `(percentile(x, 50) - percentile(-x, 50)) / 2.0`.
    fn median(&self, parts: &'q [AggregateItem], expr: &'q Expr, rows: &Rows<'q>) -> Option<ColId> {
        let [below, above] = parts else { return None };
        let half = |item: &'q AggregateItem| match &item.call {
            AggregateCall::Function(f, args) if f.name == "percentile" => match args.as_slice() {
                [of, p] if self.number(p)? == Value::Long(50) => Some(of),
                _ => None,
            },
            _ => None,
        };
        let (low, high) = (half(below)?, half(above)?);
        let ExprKind::Negate(high) = &high.kind else { return None };
        let id = low.as_column()?;
        let ExprKind::Arithmetic(div) = &expr.kind else { return None };
        let ExprKind::Arithmetic(sub) = &div.left.kind else { return None };
        let right_form = high.as_column() == Some(id)
            && self.number(&div.right) == Some(Value::Real(2.0))
            && div.op == ruleferry_ir::ArithmeticOp::Div
            && sub.op == ruleferry_ir::ArithmeticOp::Sub
            && sub.left.as_column() == below.ids.first().copied()
            && sub.right.as_column() == above.ids.first().copied();
        right_form.then(|| rows.column(id))
    }

    /// Whether a column names, in each input of a union, that input.
    fn is_tag(&self, plan: &'q Plan, id: ColId) -> bool {
        let Some((made, id)) = origin(self.query, plan, id) else { return false };
        let Op::Union(union) = &*made.op else { return false };
        let Some(place) = made.output.iter().position(|o| *o == id) else { return false };
        let Some(columns) = union.columns.get(place) else { return false };
        let texts: Vec<Option<String>> = union
            .inputs
            .iter()
            .zip(columns)
            .map(|(input, id)| id.and_then(|id| self.text(input, id)))
            .collect();
        let differ =
            texts.iter().enumerate().all(|(i, t)| t.is_some() && !texts.iter().take(i).any(|u| u == t));
        union.source.is_none() && differ
    }

    /// `countif(tag == "a") > 0 and not(countif(tag == "b") > 0)`: rules that occur, and rules that do not.
    fn occurrence(&mut self, above: &Above<'q>, a: &'q Aggregate, rows: &Rows<'q>) -> Option<Made<'q>> {
        if rows.window != Window::Sliding || above.tests.is_empty() {
            return None;
        }
        let mut tag = None;
        let mut words = Vec::with_capacity(above.tests.len());
        for (input, test) in &above.tests {
            words.push(self.occurs(above.at, input, a, test, rows, &mut tag)?);
        }
        let parts = self.parts(rows.plan, rows.time, None, None, Some(tag?))?;
        let mut by = Vec::with_capacity(rows.keys.len());
        for (name, column, _) in &rows.keys {
            let columns: Vec<(&Plan, ColId)> = parts.iter().map(|_| (rows.plan, *column)).collect();
            by.push((name.clone(), self.group(&parts, &columns, above.at.span)?));
        }
        let keys = self.key_origins(above.at, &rows.keys, &by);
        let several = words.len() > 1;
        let words =
            words.into_iter().map(|w| if several && w.contains(" or ") { format!("({w})") } else { w });
        Some(Made {
            kind: "temporal",
            rules: parts.iter().map(|p| p.name.clone()).collect(),
            timespan: rows.length,
            compare: Vec::new(),
            boolean: Some(words.collect::<Vec<_>>().join(" and ")),
            fields: Vec::new(),
            percentile: None,
            keys,
            columns: rows.keys.iter().map(|(.., out)| *out).collect(),
            by,
        })
    }

    fn occurs(
        &self,
        aggregate: &'q Plan,
        input: &'q Plan,
        a: &'q Aggregate,
        e: &'q Expr,
        rows: &Rows<'q>,
        tag: &mut Option<ColId>,
    ) -> Option<String> {
        let mut each = |es: &'q [Expr], word: &str| -> Option<String> {
            let mut texts = Vec::with_capacity(es.len());
            for e in es {
                let text = self.occurs(aggregate, input, a, e, rows, tag)?;
                texts.push(if text.contains(' ') { format!("({text})") } else { text });
            }
            Some(texts.join(word))
        };
        match &e.kind {
            ExprKind::And(es) => each(es, " and "),
            ExprKind::Or(es) => each(es, " or "),
            ExprKind::Not(inner) => {
                let text = self.occurs(aggregate, input, a, inner, rows, tag)?;
                Some(if text.contains(' ') { format!("not ({text})") } else { format!("not {text}") })
            }
            ExprKind::Compare(_) => {
                let threshold = self.threshold(aggregate, input, e)?;
                if (threshold.op, &threshold.value) != (CompareOp::Gt, &Value::Long(0)) {
                    return None;
                }
                let item = a.aggregates.iter().find(|i| i.ids.contains(&threshold.item))?;
                let AggregateCall::Function(f, args) = &item.call else { return None };
                let ("countif", [condition]) = (f.name, args.as_slice()) else { return None };
                let (subject, value) = equality(condition)?;
                let id = rows.column(subject.as_column()?);
                if !self.is_tag(rows.plan, id) || tag.is_some_and(|t| t != id) {
                    return None;
                }
                *tag = Some(id);
                value.as_literal()?.as_str().map(str::to_owned)
            }
            _ => None,
        }
    }
}

/// `subject == value`, in letters as they are.
fn equality(e: &Expr) -> Option<(&Expr, &Expr)> {
    match &e.kind {
        ExprKind::Match(m) if m.kind == MatchKind::Equals && m.case == Case::Sensitive => {
            let Subject::Expr(subject) = &m.subject else { return None };
            let MatchValues::List(values) = &m.values else { return None };
            match values.as_slice() {
                [MatchValue::Expr(value)] => Some((subject, value)),
                _ => None,
            }
        }
        ExprKind::Compare(c) if c.op == CompareOp::Eq => {
            let swapped = c.left.as_literal().is_some();
            Some(if swapped { (&c.right, &c.left) } else { (&c.left, &c.right) })
        }
        _ => None,
    }
}

/// The comparison with its sides exchanged.
const fn exchanged(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        CompareOp::Eq => CompareOp::Eq,
        CompareOp::Ne => CompareOp::Ne,
    }
}

/// The comparison in Sigma's word.
const fn operator(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "eq",
        CompareOp::Ne => "neq",
        CompareOp::Lt => "lt",
        CompareOp::Le => "lte",
        CompareOp::Gt => "gt",
        CompareOp::Ge => "gte",
    }
}

fn number(value: &Value) -> String {
    match value {
        Value::Long(n) => n.to_string(),
        Value::Real(x) => {
            let text = format!("{x}");
            if text.contains(['e', 'E']) { format!("{x:.6}") } else { text }
        }
        _ => String::new(),
    }
}
