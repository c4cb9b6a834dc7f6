//! Expressions.

use super::super::literal::{Duration, Text, write_quoted, write_regex};
use super::super::tree::{Arg, ArithOp, Call, Compare, Expr, ExprKind, Field, ListKind, Quantifier, Step};
use super::Printer;

/// What may stand at a place without parentheses: a level and all that bind closer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Atom,
    /// Nothing: always in parentheses.
    Grouped,
}

fn level_of(expr: &Expr) -> Level {
    match &expr.kind {
        ExprKind::Or(_) => Level::Or,
        ExprKind::And(_) => Level::And,
        ExprKind::Not(_) | ExprKind::Bang(_) => Level::Not,
        ExprKind::Compare(_) | ExprKind::In(_) | ExprKind::IsNull { .. } | ExprKind::NoCase(_) => {
            Level::Compare
        }
        ExprKind::Arith { rest, .. } if rest.iter().all(|(op, _)| op.is_product()) => Level::Product,
        ExprKind::Arith { .. } => Level::Sum,
        ExprKind::Field(_)
        | ExprKind::Quantified { .. }
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
        | ExprKind::Array(_)
        | ExprKind::Call(_)
        | ExprKind::Error => Level::Atom,
    }
}

impl Printer<'_> {
    pub(super) fn expr(&mut self, expr: &Expr, place: Level) {
        if level_of(expr) >= place {
            if !self.try_flat(expr.span, |p| p.kind(expr)) {
                self.kind(expr);
            }
            return;
        }
        let grouped = |p: &mut Self| {
            p.put("(");
            p.kind(expr);
            p.put(")");
        };
        if !self.try_flat(expr.span, grouped) {
            self.put("(");
            self.indented(|p| {
                p.comments_before(first_start(expr));
                p.newline();
                p.kind(expr);
                p.comments_before(expr.span.0.end);
            });
            self.newline();
            self.put(")");
        }
    }

    fn kind(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Field(field) => self.field(field),
            ExprKind::Quantified { quantifier, field } => {
                self.put(match quantifier {
                    Quantifier::Any => "any ",
                    Quantifier::All => "all ",
                });
                self.field(field);
            }
            ExprKind::Count(var) => {
                self.put("#");
                self.put(var);
            }
            ExprKind::Text(text) => self.leaf(|out| write_text(out, text)),
            ExprKind::Regex(pattern) => self.leaf(|out| write_regex(out, pattern)),
            ExprKind::Number(text) | ExprKind::Word(text) => self.put(text),
            ExprKind::Bool(value) => self.put(if *value { "true" } else { "false" }),
            ExprKind::Duration(duration) => self.leaf(|out| write_duration(out, *duration)),
            ExprKind::TableColumn { table, column } => {
                self.leaf(|out| out.extend(["%", table.as_str(), ".", column.as_str()]));
            }
            ExprKind::WindowStart => self.put("window_start"),
            ExprKind::WindowEnd => self.put("window_end"),
            ExprKind::Array(items) => {
                self.put("[");
                self.list(items, |e| e.span.0.start, |p, e| p.expr(e, Level::Or), expr.span.0.end);
                self.put("]");
            }
            ExprKind::Call(call) => self.call(call, expr.span.0.end),
            ExprKind::Arith { first, rest } => self.arith(first, rest),
            ExprKind::Compare(compare) => self.compare(compare),
            ExprKind::In(lookup) => {
                self.expr(&lookup.operand, Level::Sum);
                self.put(match lookup.kind {
                    ListKind::Text => " in %",
                    ListKind::Regex => " in regex %",
                    ListKind::Cidr => " in cidr %",
                });
                self.put(&lookup.list);
                if let Some(column) = &lookup.column {
                    self.put(".");
                    self.put(column);
                }
                self.nocase(lookup.nocase);
            }
            ExprKind::IsNull { operand, negated } => {
                self.expr(operand, Level::Sum);
                self.put(if *negated { " is not null" } else { " is null" });
            }
            ExprKind::NoCase(operand) => {
                self.expr(operand, Level::Sum);
                self.nocase(true);
            }
            ExprKind::Not(operand) => {
                self.put("not ");
                self.expr(operand, Level::Not);
            }
            ExprKind::Bang(operand) => {
                self.put("!");
                self.expr(operand, Level::Not);
            }
            ExprKind::And(operands) => self.joined(operands, " and", Level::Not),
            ExprKind::Or(operands) => self.joined(operands, " or", Level::And),
            ExprKind::Error => {}
        }
    }

    fn nocase(&mut self, nocase: bool) {
        if nocase {
            self.put(" nocase");
        }
    }

    fn field(&mut self, field: &Field) {
        self.leaf(|out| write_field(out, field));
    }

    fn compare(&mut self, compare: &Compare) {
        self.expr(&compare.left, Level::Sum);
        self.put(" ");
        self.put(compare.op.text());
        self.put(" ");
        self.expr(&compare.right, Level::Sum);
        self.nocase(compare.nocase);
    }

    fn arith(&mut self, first: &Expr, rest: &[(ArithOp, Expr)]) {
        let place = if rest.iter().all(|(op, _)| op.is_product()) { Level::Atom } else { Level::Product };
        self.expr(first, place);
        for (op, operand) in rest {
            self.put(" ");
            self.put(op.text());
            self.separate(operand.span.0.start);
            self.expr(operand, place);
        }
    }

    fn joined(&mut self, operands: &[Expr], word: &str, place: Level) {
        for (i, operand) in operands.iter().enumerate() {
            if i > 0 {
                self.put(word);
                self.separate(operand.span.0.start);
            }
            self.expr(operand, place);
        }
    }

    /// A blank on one line, else the next line.
    fn separate(&mut self, start: u32) {
        if self.flat {
            self.put(" ");
        } else {
            self.comments_before(start);
            self.newline();
        }
    }

    fn call(&mut self, call: &Call, end: u32) {
        self.put(&call.name);
        self.put("(");
        self.list(&call.args, |a| a.span.0.start, Self::arg, end);
        self.put(")");
    }

    fn arg(&mut self, arg: &Arg) {
        if let Some(name) = &arg.name {
            self.put(name);
            self.put(":");
        }
        self.expr(&arg.value, Level::Or);
    }

    fn list<T>(&mut self, items: &[T], start: impl Fn(&T) -> u32, write: impl Fn(&mut Self, &T), end: u32) {
        if self.flat || items.is_empty() {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    self.put(", ");
                }
                write(self, item);
            }
            return;
        }
        self.indented(|p| {
            for (i, item) in items.iter().enumerate() {
                p.comments_before(start(item));
                p.newline();
                write(p, item);
                if i + 1 < items.len() {
                    p.put(",");
                }
            }
            p.comments_before(end);
        });
        self.newline();
    }
}

/// Where the first operand begins: behind the parenthesis that the span takes in.
fn first_start(expr: &Expr) -> u32 {
    match &expr.kind {
        ExprKind::And(operands) | ExprKind::Or(operands) => operands.first().map_or(0, |o| o.span.0.start),
        ExprKind::Arith { first, .. } => first.span.0.start,
        ExprKind::Compare(compare) => compare.left.span.0.start,
        ExprKind::In(lookup) => lookup.operand.span.0.start,
        ExprKind::IsNull { operand, .. }
        | ExprKind::NoCase(operand)
        | ExprKind::Not(operand)
        | ExprKind::Bang(operand) => operand.span.0.start,
        ExprKind::Field(_)
        | ExprKind::Quantified { .. }
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
        | ExprKind::Array(_)
        | ExprKind::Call(_)
        | ExprKind::Error => expr.span.0.start,
    }
}

pub(super) fn write_text(out: &mut String, text: &Text) {
    if text.raw && !text.value.contains('`') {
        out.extend(["`", text.value.as_str(), "`"]);
    } else {
        write_quoted(out, &text.value);
    }
}

pub(super) fn write_duration(out: &mut String, duration: Duration) {
    out.push_str(&duration.value.to_string());
    out.push(duration.unit.letter());
}

fn write_field(out: &mut String, field: &Field) {
    out.push('$');
    out.push_str(&field.var);
    for step in &field.steps {
        match step {
            Step::Name(name) => out.extend([".", name.as_str()]),
            Step::Index(index) => out.extend(["[", &index.to_string(), "]"]),
            Step::Key(key) => {
                out.push('[');
                write_text(out, key);
                out.push(']');
            }
        }
    }
}
