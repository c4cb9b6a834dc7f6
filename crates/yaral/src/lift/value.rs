//! Values: fields, placeholders, literals, arithmetic.

use super::path::Target;
use super::{Cx, Lifter, make};
use crate::syntax::tree::{self, ArithOp, ExprKind, Field, Quantifier, Step};
use ruleferry_diag::Span;
use ruleferry_ir::{ArithmeticOp, CompareOp, Expr, Missing, Type, Value};
use smol_str::SmolStr;

impl Lifter<'_> {
    pub(super) fn value(&mut self, e: &tree::Expr, cx: Cx) -> Expr {
        self.target(e, cx).expr
    }

    /// A value, with the enumeration that it is of.
    pub(super) fn target(&mut self, e: &tree::Expr, cx: Cx) -> Target {
        let span = e.span.0;
        let expr = match &e.kind {
            ExprKind::Field(field) => return self.field(field, span, cx),
            ExprKind::Quantified { field, .. } => return self.quantified_field(field, span),
            ExprKind::Count(var) => self.count_of(var, span, cx),
            ExprKind::Text(text) => Expr::string(text.value.clone(), span),
            ExprKind::Regex(pattern) => Expr::string(pattern.clone(), span),
            ExprKind::Number(text) => number(text, span)
                .unwrap_or_else(|| self.wrong(span, format!("`{text}` is too large a number"), "")),
            ExprKind::Bool(value) => Expr::bool(*value, span),
            ExprKind::Duration(_) | ExprKind::Word(_) => {
                self.wrong(span, "this stands only among the arguments of a metric", "")
            }
            ExprKind::TableColumn { .. } => {
                self.opaque(e, "rows of data tables are not joined", Type::String)
            }
            ExprKind::WindowStart | ExprKind::WindowEnd => self.window_bound(e, span),
            ExprKind::Array(items) => {
                let items = items.iter().map(|i| self.value(i, cx)).collect();
                make::call("pack_array", items, Type::Dynamic, span)
            }
            ExprKind::Call(_)
            | ExprKind::Compare(_)
            | ExprKind::In(_)
            | ExprKind::IsNull { .. }
            | ExprKind::NoCase(_) => self.atom(e, cx),
            ExprKind::Arith { first, rest } => self.arithmetic(first, rest, span, cx),
            ExprKind::Not(inner) => {
                if cx == Cx::Grouped
                    && matches!(&inner.kind, ExprKind::Field(f) if self.vars.contains_key(&f.var))
                {
                    self.wrong(span, "`not` does not stand before events", "write `!`")
                } else {
                    self.condition(inner, cx).negated(span)
                }
            }
            ExprKind::Bang(inner) => self.bang(inner, span, cx),
            ExprKind::And(operands) => {
                Expr::and(operands.iter().map(|o| self.condition(o, cx)).collect(), span)
            }
            ExprKind::Or(operands) => {
                Expr::or(operands.iter().map(|o| self.condition(o, cx)).collect(), span)
            }
            ExprKind::Error => self.wrong(span, "this could not be read", ""),
        };
        Target { expr, of_enum: None }
    }

    /// A value that is true or false.
    pub(super) fn condition(&mut self, e: &tree::Expr, cx: Cx) -> Expr {
        let value = self.value(e, cx);
        match value.ty {
            Type::Bool => self.filled(value),
            Type::Unknown | Type::Dynamic => value.cast(Type::Bool, false),
            ty if ty.is_numeric() || ty == Type::String => {
                let message = format!("a condition is expected here, not a {ty}");
                self.wrong(e.span.0, message, "compare the value with another")
            }
            _ => self.wrong(e.span.0, "a condition is expected here", "compare the value with another"),
        }
    }

    /// A test; one with `any` or `all` becomes a count of the elements that pass.
    fn atom(&mut self, e: &tree::Expr, cx: Cx) -> Expr {
        let quantified = (self.counted.is_none()).then(|| find_quantified(e)).flatten();
        let Some((quantifier, field)) = quantified else { return self.plain_atom(e, cx) };
        let span = e.span.0;
        if cx == Cx::Grouped {
            return self.wrong(span, "`any` and `all` stand only in `events`", "");
        }
        self.counted = Some(super::Quantified { arrays: Vec::new() });
        // All of the test is of one variable.
        let test = self.plain_atom(e, Cx::Row);
        let of = self.counted.take().unwrap_or(super::Quantified { arrays: Vec::new() });
        if test.ty != Type::Bool {
            return self.wrong(span, "`any` and `all` need a test of the elements", "");
        }
        if of.arrays.is_empty() {
            return self.wrong(span, "`any` and `all` stand only before repeated fields", "leave it out");
        }
        let (test, op) = match quantifier {
            Quantifier::Any => (test, CompareOp::Gt),
            Quantifier::All => (test.negated(span), CompareOp::Eq),
        };
        let count = self.count_elements(&field.var, of, test, span);
        let holds = Expr::compare(op, count, make::long(0, span), Missing::False, span);
        match cx {
            Cx::Row | Cx::Grouped => holds,
            Cx::Joined => {
                let name = self.unique_name("elements");
                self.export(&field.var, &name, holds)
            }
        }
    }

    fn plain_atom(&mut self, e: &tree::Expr, cx: Cx) -> Expr {
        let span = e.span.0;
        match &e.kind {
            ExprKind::Call(call) => self.call(e, call, false, cx),
            ExprKind::NoCase(inner) => match &inner.kind {
                ExprKind::Call(call) => self.call(inner, call, true, cx),
                _ => self.wrong(span, "`nocase` stands behind a comparison or a call", ""),
            },
            ExprKind::Compare(compare) => self.compare(e, compare, cx),
            ExprKind::In(lookup) => self.lookup(lookup, span, cx),
            ExprKind::IsNull { .. } => self.opaque(e, "fields of rules are never null", Type::Bool),
            _ => self.value(e, cx),
        }
    }

    fn quantified_field(&mut self, field: &Field, span: Span) -> Target {
        if self.counted.as_ref().is_none_or(|c| !c.arrays.is_empty()) {
            let expr = self.wrong(span, "`any` and `all` stand before one field of a test", "");
            return Target { expr, of_enum: None };
        }
        self.quantified = self.counted.take();
        let target = self.walk(field, span);
        self.counted = self.quantified.take();
        target
    }

    fn field(&mut self, field: &Field, span: Span, cx: Cx) -> Target {
        if field.steps.is_empty() {
            let expr = self.variable(&field.var, span, cx);
            return Target { expr, of_enum: None };
        }
        let mut target = self.walk(field, span);
        match cx {
            Cx::Row => {}
            Cx::Joined => target.expr = self.export(&field.var, &written(field), target.expr),
            Cx::Grouped => {
                let expanded = self.vars.get(&field.var).is_some_and(|v| v.is_expanded(&target.expr));
                if self.rule.matching.is_none() && expanded {
                    target.expr = self.of_some_copy(target.expr, &written(field));
                } else if self.rule.matching.is_some() {
                    let message = format!("`${}.{}` has many values here", field.var, written(field));
                    let help = "take one of them with an aggregate such as `max` or `array_distinct`";
                    target.expr = self.wrong(span, message, help);
                }
            }
        }
        target
    }

    /// `$name` without a path.
    pub(super) fn variable(&mut self, name: &SmolStr, span: Span, cx: Cx) -> Expr {
        if cx == Cx::Grouped {
            if let Some(outcome) = self.outcomes.get(name).or_else(|| self.keys.get(name)) {
                return Expr { span, ..outcome.clone() };
            }
            if self.vars.contains_key(name) {
                // That it is there has been seen to by the join.
                return Expr::bool(true, span);
            }
            if self.rule.matching.is_some() {
                let message = format!("`${name}` has many values here");
                let help = "take one of them with an aggregate such as `max` or `array_distinct`";
                return self.wrong(span, message, help);
            }
        }
        let current = self.current.clone();
        let binding = self.placeholders.get(name).and_then(|p| match cx {
            Cx::Row => p.bindings.iter().find(|b| Some(&b.var) == current.as_ref()),
            Cx::Joined | Cx::Grouped => p.bindings.first(),
        });
        match binding.cloned() {
            Some(binding) => {
                let value = Expr { span, ..binding.expr };
                match cx {
                    Cx::Row => value,
                    Cx::Joined => self.export(&binding.var, name, value),
                    Cx::Grouped => {
                        let expanded = self.vars.get(&binding.var).is_some_and(|v| v.is_expanded(&value));
                        if expanded { self.of_some_copy(value, name) } else { value }
                    }
                }
            }
            None => {
                let message = format!("`${name}` is bound to no field");
                self.wrong(span, message, "equate it with a field of an event in `events`")
            }
        }
    }

    fn window_bound(&mut self, e: &tree::Expr, span: Span) -> Expr {
        let Some((start, length)) = self.window else {
            return self.wrong(span, "a rule without `match` has no window", "");
        };
        let start = Expr::column(start, Type::Datetime, span);
        let time = match e.kind {
            ExprKind::WindowStart => start,
            _ => {
                let length = Expr::literal(Value::Timespan(length), span);
                Expr::arithmetic(ArithmeticOp::Add, start, length, Type::Datetime, span)
            }
        };
        super::path::unix_seconds(time, span)
    }

    fn arithmetic(&mut self, first: &tree::Expr, rest: &[(ArithOp, tree::Expr)], span: Span, cx: Cx) -> Expr {
        // Each term nests the one before it.
        if rest.len() > MAX_TERMS {
            let message = format!("more than {MAX_TERMS} terms are computed with");
            self.wrong(span, message, "compute parts in outcomes of their own");
            return make::long(0, span);
        }
        let mut left = self.numeric(first, cx);
        for (op, right) in rest {
            let right = self.numeric(right, cx);
            let real = left.ty == Type::Real || right.ty == Type::Real || *op == ArithOp::Div;
            let ty = if real { Type::Real } else { Type::Long };
            let op = match op {
                ArithOp::Add => ArithmeticOp::Add,
                ArithOp::Sub => ArithmeticOp::Sub,
                ArithOp::Mul => ArithmeticOp::Mul,
                ArithOp::Div => ArithmeticOp::Div,
                ArithOp::Rem => ArithmeticOp::Mod,
            };
            // Whole numbers divide to a float.
            let dividend = if op == ArithmeticOp::Div { left.cast(Type::Real, true) } else { left };
            let dividend = match dividend.as_literal() {
                Some(Value::Long(n)) if op == ArithmeticOp::Div => {
                    #[expect(clippy::cast_precision_loss, reason = "numbers that people write")]
                    let n = *n as f64;
                    Expr::literal(Value::Real(n), dividend.span)
                }
                _ => dividend,
            };
            left = Expr::arithmetic(op, dividend, right, ty, span);
        }
        left
    }

    fn numeric(&mut self, e: &tree::Expr, cx: Cx) -> Expr {
        let value = self.value(e, cx);
        match value.ty {
            Type::Int | Type::Long | Type::Real | Type::Decimal => self.filled(value),
            Type::Dynamic | Type::Unknown => make::filled(value.cast(Type::Real, false)),
            Type::Datetime => super::path::unix_seconds(value, e.span.0),
            ty => {
                let message = format!("arithmetic needs numbers, and this is a {ty}");
                self.wrong(e.span.0, message, "convert it with `cast.as_int` or `cast.as_float`");
                make::long(0, e.span.0)
            }
        }
    }
}

/// Far above what people write, far below what a stack holds.
const MAX_TERMS: usize = 120;

/// The quantifier of a test, and its field.
fn find_quantified(e: &tree::Expr) -> Option<(Quantifier, &Field)> {
    match &e.kind {
        ExprKind::Quantified { quantifier, field } => Some((*quantifier, field)),
        ExprKind::Compare(c) => find_quantified(&c.left).or_else(|| find_quantified(&c.right)),
        ExprKind::In(i) => find_quantified(&i.operand),
        ExprKind::NoCase(inner) | ExprKind::IsNull { operand: inner, .. } => find_quantified(inner),
        ExprKind::Call(call) => call.args.iter().find_map(|a| find_quantified(&a.value)),
        ExprKind::Arith { first, rest } => {
            find_quantified(first).or_else(|| rest.iter().find_map(|(_, e)| find_quantified(e)))
        }
        ExprKind::Array(items) => items.iter().find_map(find_quantified),
        ExprKind::Field(_)
        | ExprKind::Count(_)
        | ExprKind::Text(_)
        | ExprKind::Regex(_)
        | ExprKind::Number(_)
        | ExprKind::Bool(_)
        | ExprKind::Duration(_)
        | ExprKind::Word(_)
        | ExprKind::TableColumn { .. }
        | ExprKind::WindowStart
        | ExprKind::WindowEnd
        | ExprKind::Not(_)
        | ExprKind::Bang(_)
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::Error => None,
    }
}

/// The path of a field as a name: `principal.ip`, `target.labels[key]`.
pub(super) fn written(field: &Field) -> String {
    let mut out = String::new();
    for step in &field.steps {
        match step {
            Step::Name(name) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(name);
            }
            Step::Index(n) => out.push_str(&format!("[{n}]")),
            Step::Key(key) => out.push_str(&format!("[{}]", key.value)),
        }
    }
    out
}

fn number(text: &str, span: Span) -> Option<Expr> {
    let value = match text.parse() {
        Ok(whole) => Value::Long(whole),
        Err(_) => Value::Real(text.parse().ok().filter(|x: &f64| x.is_finite())?),
    };
    Some(Expr::literal(value, span))
}
