//! Comparisons and lookups in lists. An absent field has the zero value of its type, so every test is true or false.

use super::path::Target;
use super::{Cx, Lifter, make};
use crate::syntax::tree::{self, Compare, CompareOp, ExprKind, In, ListKind};
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::{
    self as ir, Case, Expr, Input, InputKind, MatchKind, MatchValues, Missing, Op, Plan, Scan, Source, Type,
    Value,
};
use ruleferry_targets::udm::UdmEnum;
use smol_str::SmolStr;
use std::borrow::Cow;

pub(super) const fn operator(op: CompareOp) -> ir::CompareOp {
    match op {
        CompareOp::Eq => ir::CompareOp::Eq,
        CompareOp::Ne => ir::CompareOp::Ne,
        CompareOp::Lt => ir::CompareOp::Lt,
        CompareOp::Le => ir::CompareOp::Le,
        CompareOp::Gt => ir::CompareOp::Gt,
        CompareOp::Ge => ir::CompareOp::Ge,
    }
}

/// The operator with its sides exchanged.
const fn mirrored(op: ir::CompareOp) -> ir::CompareOp {
    match op {
        ir::CompareOp::Lt => ir::CompareOp::Gt,
        ir::CompareOp::Le => ir::CompareOp::Ge,
        ir::CompareOp::Gt => ir::CompareOp::Lt,
        ir::CompareOp::Ge => ir::CompareOp::Le,
        ir::CompareOp::Eq => ir::CompareOp::Eq,
        ir::CompareOp::Ne => ir::CompareOp::Ne,
    }
}

impl Lifter<'_> {
    pub(super) fn compare(&mut self, e: &tree::Expr, compare: &Compare, cx: Cx) -> Expr {
        let span = e.span.0;
        if matches!(compare.left.kind, ExprKind::TableColumn { .. })
            || matches!(compare.right.kind, ExprKind::TableColumn { .. })
        {
            return self.opaque(e, "rows of data tables are not joined", Type::Bool);
        }
        let case = if compare.nocase { Case::Insensitive } else { Case::Sensitive };
        if let ExprKind::Regex(pattern) = &compare.right.kind {
            let subject = self.value(&compare.left, cx);
            let subject = self.text(subject);
            let Some(pattern) = self.pattern(pattern, compare.right.span.0) else {
                return Expr::bool(false, span);
            };
            let test = make::text_match(subject, MatchKind::Regex, case, vec![pattern], span);
            return match compare.op {
                CompareOp::Eq => test,
                CompareOp::Ne => test.negated(span),
                CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => {
                    self.wrong(span, "a regular expression is compared with `=` or `!=`", "")
                }
            };
        }
        let (left, right) = (self.target(&compare.left, cx), self.target(&compare.right, cx));
        self.compare_values(operator(compare.op), left, right, case, span)
    }

    pub(super) fn compare_values(
        &mut self,
        op: ir::CompareOp,
        left: Target,
        right: Target,
        case: Case,
        span: Span,
    ) -> Expr {
        // The constant stands at the right.
        if left.expr.as_literal().is_some() && right.expr.as_literal().is_none() {
            return self.compare_values(mirrored(op), right, left, case, span);
        }
        let of_enum = left.of_enum.or(right.of_enum);
        let (left, right) = self.same_type(left.expr, right.expr, span);
        if left.ty != Type::String {
            return self.number_test(op, left, right, span);
        }
        match (op, of_enum, right.as_literal().and_then(Value::as_str).map(SmolStr::new)) {
            (_, Some(of_enum), Some(name)) => self.enum_test(op, left, right, of_enum, &name, case, span),
            (ir::CompareOp::Eq, ..) => make::equals(left, right, case, span),
            (ir::CompareOp::Ne, ..) => make::equals(left, right, case, span).negated(span),
            (ir::CompareOp::Lt | ir::CompareOp::Le | ir::CompareOp::Gt | ir::CompareOp::Ge, ..) => {
                Expr::compare(op, left, right, Missing::Empty, span)
            }
        }
    }

    /// An enumeration against one of its names: equality by name, order by number. Absent is the value of number 0.
    #[expect(clippy::too_many_arguments, reason = "one comparison")]
    fn enum_test(
        &mut self,
        op: ir::CompareOp,
        left: Expr,
        right: Expr,
        of_enum: &UdmEnum,
        name: &str,
        case: Case,
        span: Span,
    ) -> Expr {
        let number = of_enum.number(name);
        if number.is_none() && !name.is_empty() {
            let message = format!("`{name}` is no value of `{}`", of_enum.name);
            let warning = Diagnostic::warning(codes::YARAL_UNKNOWN_FIELD, right.span, message);
            self.warn(match of_enum.similar(name) {
                Some(similar) => warning.with_help(format!("`{similar}` is the nearest one")),
                None => warning,
            });
        }
        let zero = |n: Option<i64>| n == Some(0);
        match op {
            ir::CompareOp::Eq | ir::CompareOp::Ne => {
                let mut values = vec![right];
                if zero(number) {
                    values.push(Expr::string("", span));
                }
                let test = make::text_match(left, MatchKind::Equals, case, values, span);
                if op == ir::CompareOp::Eq { test } else { test.negated(span) }
            }
            ir::CompareOp::Lt | ir::CompareOp::Le | ir::CompareOp::Gt | ir::CompareOp::Ge => {
                let Some(number) = number else {
                    let message = format!("`{name}` has no number to compare with");
                    return self.wrong(span, message, "name a value of the enumeration");
                };
                let holds = |n: i64| match op {
                    ir::CompareOp::Lt => n < number,
                    ir::CompareOp::Le => n <= number,
                    ir::CompareOp::Gt => n > number,
                    ir::CompareOp::Ge | ir::CompareOp::Eq | ir::CompareOp::Ne => n >= number,
                };
                let mut values: Vec<Expr> = of_enum
                    .names()
                    .filter(|n| of_enum.number(n).is_some_and(holds))
                    .map(|n| Expr::string(n, span))
                    .collect();
                if holds(0) {
                    values.push(Expr::string("", span));
                }
                if values.is_empty() {
                    return Expr::bool(false, span);
                }
                make::text_match(left, MatchKind::Equals, Case::Sensitive, values, span)
            }
        }
    }

    /// Both sides in one type.
    fn same_type(&mut self, left: Expr, right: Expr, span: Span) -> (Expr, Expr) {
        use Type::{Bool, Datetime, Dynamic, String, Unknown};
        match (left.ty, right.ty) {
            (a, b) if a == b && !matches!(a, Dynamic | Unknown | Datetime) => (left, right),
            (a, b) if a.is_numeric() && b.is_numeric() => (left, right),
            (Datetime, Datetime) => (left, right),
            // Times are compared as seconds.
            (Datetime, b) if b.is_numeric() => (super::path::unix_seconds(left, span), right),
            (a, Datetime) if a.is_numeric() => (left, super::path::unix_seconds(right, span)),
            (Dynamic | Unknown, b) if b.is_numeric() => (left.cast(Type::Real, false), right),
            (a, Dynamic | Unknown) if a.is_numeric() => (left, right.cast(Type::Real, false)),
            (Dynamic | Unknown, Bool) => (left.cast(Bool, false), right),
            (Bool, Dynamic | Unknown) => (left, right.cast(Bool, false)),
            (a, b) => {
                if !matches!((a, b), (Dynamic | Unknown | String, Dynamic | Unknown | String)) {
                    let message = format!("a {a} is compared with a {b}");
                    let warning = Diagnostic::warning(codes::YARAL_TYPES, span, message);
                    self.warn(warning.with_help("the rule would not be accepted; both are compared as text"));
                }
                (self.text(left), self.text(right))
            }
        }
    }

    /// A value as text.
    pub(super) fn text(&mut self, e: Expr) -> Expr {
        match e.ty {
            Type::String => e,
            // The zero value of a number is a digit.
            ty if ty.is_numeric() || ty == Type::Bool => make::filled(e).cast(Type::String, false),
            _ => e.cast(Type::String, false),
        }
    }

    /// A pattern in RE2's syntax, with braces that repeat nothing escaped; says what is wrong with one that is not.
    pub(super) fn pattern(&mut self, pattern: &str, span: Span) -> Option<Expr> {
        let pattern = literal_braces(pattern);
        let checked = regex_syntax::ParserBuilder::new().utf8(false).build().parse(&pattern);
        if let Err(fault) = checked {
            let what = match &fault {
                regex_syntax::Error::Parse(e) => e.kind().to_string(),
                regex_syntax::Error::Translate(e) => e.kind().to_string(),
                _ => "it cannot be read".to_owned(),
            };
            // RE2 and the parser here differ in little; an octal escape is one of them.
            let message = format!("the regular expression is not valid: {what}");
            self.fault(Diagnostic::error(codes::YARAL_PATTERN, span, message));
            return None;
        }
        Some(Expr::string(pattern.as_ref(), span))
    }

    /// `x in %list`: the list is a table from outside with one column.
    pub(super) fn lookup(&mut self, lookup: &In, span: Span, cx: Cx) -> Expr {
        let subject = self.value(&lookup.operand, cx);
        let subject = self.text(subject);
        let list_span = lookup.list_span.0;
        let column = lookup.column.clone().unwrap_or_else(|| SmolStr::new_static("value"));
        if self.inputs.insert(lookup.list.clone()) {
            let what = if lookup.column.is_some() { "data table" } else { "reference list" };
            self.assume(format!(
                "the {what} `{}` is given as a table with the column `{column}`",
                lookup.list
            ));
        }
        let id = self.columns.add(column, Type::String, list_span);
        let input = Input {
            kind: InputKind::Watchlist,
            name: lookup.list.clone(),
            args: Vec::new(),
            over: None,
            properties: Vec::new(),
        };
        let scan = Scan { source: Source::Input(input), open: true, time: None };
        let scan = Plan::new(Op::Scan(scan), vec![id], list_span);
        let only = ir::Item { ids: vec![id], expr: Expr::column(id, Type::String, list_span), named: false };
        let plan = Plan::new(Op::Project { input: scan, items: vec![only] }, vec![id], list_span);
        let kind = match lookup.kind {
            ListKind::Text => MatchKind::Equals,
            ListKind::Regex => MatchKind::Regex,
            ListKind::Cidr => MatchKind::Cidr,
        };
        let case = if lookup.nocase { Case::Insensitive } else { Case::Sensitive };
        make::text_match_any(subject, kind, case, MatchValues::Query(Box::new(plan)), span)
    }
}

impl Lifter<'_> {
    /// A comparison of numbers, times or truth values, in which what is absent is zero.
    fn number_test(&self, op: ir::CompareOp, left: Expr, right: Expr, span: Span) -> Expr {
        let Some(value) = right.as_literal() else {
            let (left, right) = (self.filled(left), self.filled(right));
            return Expr::compare(op, left, right, Missing::False, span);
        };
        let sign = match value {
            Value::Long(n) => n.signum(),
            Value::Real(x) if *x > 0.0 => 1,
            Value::Real(x) if *x < 0.0 => -1,
            Value::Bool(true) => 1,
            _ => 0,
        };
        // Where zero fails the test, so may what is absent: the plain comparison says it.
        match op {
            ir::CompareOp::Eq if sign != 0 => Expr::compare(op, left, right, Missing::Distinct, span),
            ir::CompareOp::Ne if sign != 0 => Expr::compare(op, left, right, Missing::Distinct, span),
            ir::CompareOp::Gt if sign >= 0 => Expr::compare(op, left, right, Missing::False, span),
            ir::CompareOp::Ge if sign > 0 => Expr::compare(op, left, right, Missing::False, span),
            ir::CompareOp::Lt if sign <= 0 => Expr::compare(op, left, right, Missing::False, span),
            ir::CompareOp::Le if sign < 0 => Expr::compare(op, left, right, Missing::False, span),
            ir::CompareOp::Eq
            | ir::CompareOp::Ne
            | ir::CompareOp::Gt
            | ir::CompareOp::Ge
            | ir::CompareOp::Lt
            | ir::CompareOp::Le => Expr::compare(op, self.filled(left), right, Missing::False, span),
        }
    }
}

/// RE2 takes a brace that begins no repetition (`{x}`, `a{,5}`) for itself; other engines want it escaped.
fn literal_braces(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains('{') {
        return Cow::Borrowed(pattern);
    }
    let mut out = String::with_capacity(pattern.len() + 4);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\\' => {
                // `\x{41}`, `\p{Greek}`: the braces belong to the escape.
                let escape = rest.chars().nth(1).map_or(1, |e| 1 + e.len_utf8());
                let braced = rest.get(1..2).is_some_and(|e| "xpP".contains(e))
                    && rest.get(escape..).is_some_and(|r| r.starts_with('{'));
                if braced { rest.find('}').map_or(escape, |end| end + 1) } else { escape }
            }
            '{' if !in_class => match repetition(rest) {
                Some(length) => length,
                None => {
                    out.push('\\');
                    1
                }
            },
            '[' if !in_class => {
                in_class = true;
                // `]` is itself where it comes first.
                let negated = usize::from(rest.get(1..2) == Some("^"));
                1 + negated + usize::from(rest.get(1 + negated..2 + negated) == Some("]"))
            }
            ']' => {
                in_class = false;
                1
            }
            other => other.len_utf8(),
        };
        let (head, tail) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        out.push_str(head);
        rest = tail;
    }
    Cow::Owned(out)
}

/// The length of `{2}`, `{2,}` or `{2,5}` at the start of a text.
fn repetition(text: &str) -> Option<usize> {
    let inner = text.get(1..text.find('}')?)?;
    let (low, high) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    (!low.is_empty() && digits(low) && digits(high)).then_some(inner.len() + 2)
}

#[cfg(test)]
mod tests {
    use super::literal_braces;

    #[test]
    fn braces_that_repeat_nothing_are_themselves() {
        for (pattern, expected) in [
            (r"a{2}b{2,}c{2,5}", r"a{2}b{2,}c{2,5}"),
            (r"{a}", r"\{a}"),
            (r"a{,5}", r"a\{,5}"),
            (r"\{a\}[{]\x{41}\p{Greek}{", r"\{a\}[{]\x{41}\p{Greek}\{"),
            (r"[]{]{x", r"[]{]\{x"),
            (r"[^]{]{x", r"[^]{]\{x"),
        ] {
            assert_eq!(literal_braces(pattern), expected, "{pattern}");
        }
    }
}
