//! `outcome` and `condition`: aggregates over the rows of a group, what is computed of them, and what must hold of them.
//!
//! Aggregates run over all rows of the group: every copy of an event that was expanded, beside every event that it was
//! joined with. So `count`, `sum` and `array` grow with these, as they do in the service.

use super::bind::conjuncts;
use super::rows::{Presence, counted_if, presence_in};
use super::{Cx, Lifter, make};
use crate::syntax::tree::{self, Call, CompareOp, ExprKind};
use ruleferry_diag::Span;
use ruleferry_ir::functions::{FunctionKind, find};
use ruleferry_ir::{AggregateCall, AggregateItem, ArithmeticOp, ColId, Expr, Item, Type, Value};
use smol_str::SmolStr;

/// Lists are cut to so many elements.
const LIST_LIMIT: i64 = 25;

/// An aggregate of the language.
struct Aggregate {
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An aggregate of the catalogue over a number; its type is that of the number, or this.
    Number(&'static str, Option<Type>),
    Count,
    CountDistinct,
    /// A list; each value once.
    List(bool),
    /// The value beside the least or greatest number.
    Extreme(bool),
    /// No counterpart; why.
    None(&'static str),
}

/// Sorted by name.
static AGGREGATES: &[Aggregate] = &[
    Aggregate { name: "array", kind: Kind::List(false) },
    Aggregate { name: "array_distinct", kind: Kind::List(true) },
    Aggregate { name: "avg", kind: Kind::Number("avg", Some(Type::Real)) },
    Aggregate { name: "count", kind: Kind::Count },
    Aggregate { name: "count_distinct", kind: Kind::CountDistinct },
    Aggregate { name: "earliest", kind: Kind::Number("min", None) },
    Aggregate { name: "latest", kind: Kind::Number("max", None) },
    Aggregate { name: "max", kind: Kind::Number("max", None) },
    Aggregate { name: "min", kind: Kind::Number("min", None) },
    Aggregate { name: "stddev", kind: Kind::Number("stdev", Some(Type::Real)) },
    Aggregate { name: "sum", kind: Kind::Number("sum", None) },
    Aggregate { name: "window.avg", kind: Kind::Number("avg", Some(Type::Real)) },
    Aggregate { name: "window.first", kind: Kind::Extreme(false) },
    Aggregate { name: "window.last", kind: Kind::Extreme(true) },
    Aggregate {
        name: "window.median",
        kind: Kind::None("which of the two middle values it takes is not documented"),
    },
    Aggregate { name: "window.mode", kind: Kind::None("the IR has no most frequent value") },
    Aggregate { name: "window.range", kind: Kind::None("its form is not documented") },
    Aggregate { name: "window.stddev", kind: Kind::Number("stdev", Some(Type::Real)) },
    Aggregate { name: "window.variance", kind: Kind::Number("variance", Some(Type::Real)) },
];

impl Lifter<'_> {
    /// Lifts the outcomes: aggregates are collected, and what is computed of them is returned.
    pub(super) fn outcomes_of_groups(&mut self) -> Vec<Item> {
        let mut computed = Vec::new();
        for outcome in &self.rule.outcome {
            let span = outcome.span.0;
            let before = self.aggregates.len();
            let value = self.value(&outcome.value, Cx::Grouped);
            let value = self.filled(value);
            let name = outcome.name.text.clone();
            if self.outcomes.contains_key(&name) {
                let message = format!("`${name}` is defined twice");
                self.wrong(outcome.name.span.0, message, "");
                continue;
            }
            let parts: Vec<ColId> =
                self.aggregates.iter().skip(before).flat_map(|a| a.ids.iter().copied()).collect();
            let (id, ty) = match self.as_aggregate(&value, &parts, before, &name) {
                Some(found) => found,
                None => {
                    let id = self.columns.add(name.clone(), value.ty, span);
                    let ty = value.ty;
                    computed.push(Item { ids: vec![id], expr: value, named: true });
                    (id, ty)
                }
            };
            self.outcomes.insert(name, Expr::column(id, ty, span));
        }
        computed
    }

    /// An outcome that is an aggregate, or computed of its own aggregates alone, is made with them.
    fn as_aggregate(
        &mut self,
        value: &Expr,
        parts: &[ColId],
        before: usize,
        name: &SmolStr,
    ) -> Option<(ColId, Type)> {
        let mut read = Vec::new();
        make::columns_of(value, &mut read);
        if parts.is_empty() || read.is_empty() || !read.iter().all(|id| parts.contains(id)) {
            return None;
        }
        // One row a group: what else stands there is a constant.
        if let Some(id) = bare_column(value)
            && let Some([only]) = self.aggregates.get(before..)
            && only.ids.last() == Some(&id)
            && let Some(column) = self.columns.get_mut(id)
        {
            column.name = name.clone();
            return Some((id, value.ty));
        }
        let id = self.columns.add(name.clone(), value.ty, value.span);
        let parts = self.aggregates.split_off(before);
        let call = AggregateCall::Composed { parts, expr: value.clone() };
        self.aggregates.push(AggregateItem { ids: vec![id], call, named: true });
        Some((id, value.ty))
    }

    pub(super) fn forget_outcomes(&mut self) {
        self.outcomes.clear();
        self.aggregates.clear();
    }

    /// What must hold of a group, without what the join has seen to.
    pub(super) fn conditions(&mut self) -> Vec<Expr> {
        let Some(condition) = &self.rule.condition else { return Vec::new() };
        let mut parts = Vec::new();
        conjuncts(condition, &mut parts);
        for part in &parts {
            // A value that must be there is one of events that must be there.
            if let Some((name, Presence::Needed)) = presence_in(part)
                && let Some(placeholder) = self.placeholders.get(&name)
            {
                for binding in &placeholder.bindings {
                    self.presence.entry(binding.var.clone()).or_insert(Presence::Needed);
                }
            }
        }
        let mut tests = Vec::new();
        for part in parts {
            if self.is_presence(part) {
                continue;
            }
            self.check_alternatives(part);
            let test = self.condition(part, Cx::Grouped);
            if !matches!(test.as_literal(), Some(Value::Bool(true))) {
                tests.push(test);
            }
        }
        tests
    }

    /// Events are joined: what a part of the condition says of an event that need not be there cannot be kept.
    fn check_alternatives(&mut self, part: &tree::Expr) {
        if presence_in(part).is_some() {
            return;
        }
        let mut named = Vec::new();
        counted(part, &mut named);
        super::bind::visit(part, &mut |field, span| named.push((field.var.clone(), span)));
        for (name, span) in named {
            let var = match self.placeholders.get(&name).and_then(|p| p.bindings.first()) {
                Some(binding) if !self.vars.contains_key(&name) => binding.var.clone(),
                Some(_) | None => name,
            };
            if self.joined && self.vars.contains_key(&var) && !self.presence.contains_key(&var) {
                let message =
                    format!("events of `${var}` stand only among alternatives, so that they may be absent");
                self.wrong(span, message, &format!("ask for them apart: `${var} and …`"));
            }
        }
    }

    /// `$e`, `#e > 0`, `!$e` and their kin, which joins see to.
    fn is_presence(&self, e: &tree::Expr) -> bool {
        match &e.kind {
            ExprKind::Field(field) => field.steps.is_empty() && self.is_named(&field.var),
            ExprKind::Bang(inner) => match &inner.kind {
                ExprKind::Field(field) => {
                    field.steps.is_empty() && self.presence_of(&field.var) == Presence::Absent
                }
                _ => false,
            },
            ExprKind::Compare(c) => match (&c.left.kind, c.op, &c.right.kind) {
                (ExprKind::Count(var), CompareOp::Gt, ExprKind::Number(n)) if n == "0" => self.is_needed(var),
                (ExprKind::Count(var), CompareOp::Ge, ExprKind::Number(n)) if n == "1" => self.is_needed(var),
                (ExprKind::Count(var), _, _) | (_, _, ExprKind::Count(var)) => {
                    self.presence_of(var) == Presence::Absent
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn is_named(&self, var: &SmolStr) -> bool {
        !self.outcomes.contains_key(var) && (self.is_needed(var) || self.placeholders.contains_key(var))
    }

    fn is_needed(&self, var: &SmolStr) -> bool {
        self.vars.contains_key(var) && self.presence_of(var) == Presence::Needed
    }

    /// `!$e` where no join can see to it.
    pub(super) fn bang(&mut self, inner: &tree::Expr, span: Span, cx: Cx) -> Expr {
        match &inner.kind {
            ExprKind::Field(field) if cx == Cx::Grouped && field.steps.is_empty() => {
                let message = format!(
                    "that `${}` is absent stands beside other events, not among alternatives",
                    field.var
                );
                self.wrong(span, message, "join it with `and`")
            }
            _ => {
                let inner = self.condition(inner, cx);
                inner.negated(span)
            }
        }
    }

    /// `#e`: how many events, or values of a placeholder, the group holds.
    pub(super) fn count_of(&mut self, var: &SmolStr, span: Span, cx: Cx) -> Expr {
        if cx != Cx::Grouped {
            return self.wrong(span, "counts stand only in `condition`", "");
        }
        let of = match self.vars.get(var).map(|v| v.origin) {
            Some(_) if self.rule.matching.is_none() => return make::long(1, span),
            Some(origin) => {
                let id = self.column(var, origin.id(), Type::String, span);
                self.export(var, origin.id(), id)
            }
            None if self.placeholders.contains_key(var) && self.rule.matching.is_none() => {
                return make::long(1, span);
            }
            None => self.variable(var, span, Cx::Joined),
        };
        let found = self.outer.get(var).cloned();
        let name = self.unique_name(&format!("#{var}"));
        let id = self.columns.add(name, Type::Long, span);
        if self.rows_are_events() && self.vars.contains_key(var) {
            self.aggregates.extend(super::event::aggregate("count", Vec::new(), id));
        } else {
            self.aggregates.extend(counted_if(id, of, found));
        }
        self.present.insert(id);
        Expr::column(id, Type::Long, span)
    }

    /// A call of an aggregate; `None` where the name is none.
    pub(super) fn aggregate_call(&mut self, e: &tree::Expr, call: &Call) -> Option<Expr> {
        let at = AGGREGATES.binary_search_by(|a| a.name.cmp(call.name.as_str())).ok()?;
        let kind = AGGREGATES.get(at)?.kind;
        let span = e.span.0;
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            let value = self.value(&arg.value, Cx::Joined);
            args.push(match value.ty {
                Type::Dynamic | Type::Unknown => value.cast(Type::String, false),
                _ => self.filled(value),
            });
        }
        let Some(first) = args.first().cloned() else {
            return Some(self.wrong(span, format!("`{}` needs a value", call.name), ""));
        };
        if let Some(plain) = self.of_one_row(kind, &first, span) {
            return Some(plain);
        }
        let (item, ty) = match kind {
            Kind::Number(function, ty) => {
                if first.ty == Type::String && ty.is_some() || first.ty == Type::Bool {
                    let message = format!("`{}` needs a number", call.name);
                    return Some(self.wrong(span, message, ""));
                }
                (self.made(function, vec![first.clone()]), ty.unwrap_or(first.ty))
            }
            Kind::Count => (self.made("count", Vec::new()), Type::Long),
            Kind::CountDistinct if self.is_event_id(&first) => (self.made("count", Vec::new()), Type::Long),
            Kind::CountDistinct => (self.made("count_distinct", vec![first]), Type::Long),
            Kind::List(distinct) => {
                let function = if distinct { "make_set" } else { "make_list" };
                (self.made(function, vec![first, make::long(LIST_LIMIT, span)]), Type::Dynamic)
            }
            Kind::Extreme(max) => {
                let Some(value) = args.get(1).cloned() else {
                    let message = format!("`{}` needs a number to sort by and a value", call.name);
                    return Some(self.wrong(span, message, ""));
                };
                let ty = value.ty;
                let call = AggregateCall::ArgExtreme { max, by: first, returned: vec![value], star: false };
                (Some(call), ty)
            }
            Kind::None(reason) => return Some(self.opaque(e, reason, Type::Real)),
        };
        let call_of = item?;
        let by = matches!(call_of, AggregateCall::ArgExtreme { .. })
            .then(|| self.columns.add(self.unique_name(&format!("{} key", call.name)), Type::Long, span));
        let id = self.columns.add(self.unique_name(&call.name), ty, span);
        if matches!(kind, Kind::Count | Kind::CountDistinct) {
            self.present.insert(id);
        }
        let ids = by.into_iter().chain([id]).collect();
        self.aggregates.push(AggregateItem { ids, call: call_of, named: true });
        Some(Expr::column(id, ty, span))
    }

    /// A value of one of the copies of the event that pass; which one is open.
    pub(super) fn of_some_copy(&mut self, value: Expr, name: &str) -> Expr {
        let (ty, span) = (value.ty, value.span);
        let id = self.columns.add(self.unique_name(name), ty, span);
        let call = AggregateCall::TakeAny { returned: vec![value], star: false, condition: None };
        self.aggregates.push(AggregateItem { ids: vec![id], call, named: true });
        Expr::column(id, ty, span)
    }

    /// How many copies of the event pass.
    fn copy_count(&mut self, span: Span) -> Expr {
        let id = self.columns.add(self.unique_name("copies"), Type::Long, span);
        self.aggregates.extend(super::event::aggregate("count", Vec::new(), id));
        self.present.insert(id);
        Expr::column(id, Type::Long, span)
    }

    /// Each row of a group is an event of its own: those of one variable over a table of plain columns.
    fn rows_are_events(&self) -> bool {
        !self.joined && self.vars.first().is_some_and(|(_, v)| v.plain.is_some() && !v.has_expansions())
    }

    /// The id of the events, where no two rows have the same.
    fn is_event_id(&self, e: &Expr) -> bool {
        let name = e.as_column().map(|id| self.columns.name(id));
        self.rows_are_events() && name == Some(crate::plain::EVENT_ID)
    }

    fn made(&self, name: &str, args: Vec<Expr>) -> Option<AggregateCall> {
        Some(AggregateCall::Function(find(name, FunctionKind::Aggregate)?, args))
    }

    /// In a rule without `match` an aggregate runs over the copies of one event: of a value that is the same in all of them
    /// it needs no look at the copies.
    fn of_one_row(&mut self, kind: Kind, value: &Expr, span: Span) -> Option<Expr> {
        if self.rule.matching.is_some() {
            return None;
        }
        let (_, var) = self.vars.first()?;
        let alone = !var.has_expansions();
        let same = !var.is_expanded(value);
        match kind {
            Kind::Number("max" | "min" | "avg", ty) if same => {
                Some(ty.map_or_else(|| value.clone(), |ty| value.clone().cast(ty, true)))
            }
            Kind::Number("sum", _) if alone => Some(value.clone()),
            Kind::Count if alone => Some(make::long(1, span)),
            Kind::CountDistinct if same => Some(make::long(1, span)),
            Kind::List(true) if same => {
                Some(make::call("pack_array", vec![value.clone()], Type::Dynamic, span))
            }
            Kind::List(false) if alone => {
                Some(make::call("pack_array", vec![value.clone()], Type::Dynamic, span))
            }
            // The same value once for each copy.
            Kind::Number("sum", _) if same => {
                let (ty, copies) = (value.ty, self.copy_count(span));
                Some(Expr::arithmetic(ArithmeticOp::Mul, value.clone(), copies, ty, span))
            }
            Kind::List(false) if same => {
                let copies = self.copy_count(span);
                let most = make::long(LIST_LIMIT, span);
                let shown = make::call("min_of", vec![copies, most], Type::Long, span);
                Some(make::call("repeat", vec![value.clone(), shown], Type::Dynamic, span))
            }
            Kind::Number(..)
            | Kind::Count
            | Kind::CountDistinct
            | Kind::List(_)
            | Kind::Extreme(_)
            | Kind::None(_) => None,
        }
    }
}

/// The variables that an expression counts.
fn counted(e: &tree::Expr, out: &mut Vec<(SmolStr, Span)>) {
    match &e.kind {
        ExprKind::Count(var) => out.push((var.clone(), e.span.0)),
        ExprKind::Compare(c) => {
            counted(&c.left, out);
            counted(&c.right, out);
        }
        ExprKind::Arith { first, rest } => {
            counted(first, out);
            rest.iter().for_each(|(_, e)| counted(e, out));
        }
        ExprKind::And(es) | ExprKind::Or(es) | ExprKind::Array(es) => es.iter().for_each(|e| counted(e, out)),
        ExprKind::Not(e) | ExprKind::Bang(e) | ExprKind::NoCase(e) | ExprKind::IsNull { operand: e, .. } => {
            counted(e, out)
        }
        ExprKind::In(i) => counted(&i.operand, out),
        ExprKind::Call(call) => call.args.iter().for_each(|a| counted(&a.value, out)),
        ExprKind::Field(_)
        | ExprKind::Quantified { .. }
        | ExprKind::Text(_)
        | ExprKind::Regex(_)
        | ExprKind::Number(_)
        | ExprKind::Bool(_)
        | ExprKind::Duration(_)
        | ExprKind::Word(_)
        | ExprKind::TableColumn { .. }
        | ExprKind::WindowStart
        | ExprKind::WindowEnd
        | ExprKind::Error => {}
    }
}

/// A column, also one that [`make::filled`] was put around.
fn bare_column(e: &Expr) -> Option<ColId> {
    match &e.kind {
        ruleferry_ir::ExprKind::Call(function, args) if function.name == "coalesce" => {
            match args.as_slice() {
                [value, zero] if zero.as_literal().is_some() => value.as_column(),
                _ => None,
            }
        }
        _ => e.as_column(),
    }
}

#[cfg(test)]
mod tests {
    use super::AGGREGATES;

    #[test]
    fn table_is_sorted() {
        assert!(AGGREGATES.is_sorted_by_key(|a| a.name));
    }
}
