//! Expressions on one line, as sqlparser prints them, but without its formatting machinery for the forms that make up nearly
//! all of a script. What is not listed here is sqlparser's to print.

use sqlparser::ast::{
    BinaryOperator, CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    ObjectName, ObjectNamePart, OrderByExpr, ReplaceSelectElement, SelectItem, TableWithJoins, UnaryOperator,
    Value,
};
use std::fmt::{self, Display, Formatter, Write as _};

/// Something to print on one line.
pub(super) trait Flat {
    fn flat(&self, f: &mut Formatter<'_>) -> fmt::Result;
}

/// Prints as [`Flat`] says.
pub(super) struct Line<'a, T: ?Sized>(pub(super) &'a T);

impl<T: Flat + ?Sized> Display for Line<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.flat(f)
    }
}

/// Deeper trees are left to sqlparser, which minds the stack.
const MAX_DEPTH: u32 = 60;

impl Flat for Expr {
    fn flat(&self, f: &mut Formatter<'_>) -> fmt::Result {
        expr(self, f, 0)
    }
}

impl Flat for FunctionArg {
    fn flat(&self, f: &mut Formatter<'_>) -> fmt::Result {
        arg(self, f, 0)
    }
}

impl Flat for SelectItem {
    fn flat(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnnamedExpr(e) => expr(e, f, 0),
            Self::ExprWithAlias { expr: e, alias } => {
                expr(e, f, 0)?;
                f.write_str(" AS ")?;
                ident(alias, f)
            }
            other => other.fmt(f),
        }
    }
}

impl Flat for Ident {
    fn flat(&self, f: &mut Formatter<'_>) -> fmt::Result {
        ident(self, f)
    }
}

impl Flat for ObjectName {
    fn flat(&self, f: &mut Formatter<'_>) -> fmt::Result {
        name(self, f)
    }
}

impl Flat for OrderByExpr {
    fn flat(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.fmt(f)
    }
}

impl Flat for TableWithJoins {
    fn flat(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.fmt(f)
    }
}

impl<T: Flat> Flat for Box<T> {
    fn flat(&self, f: &mut Formatter<'_>) -> fmt::Result {
        (**self).flat(f)
    }
}

impl Flat for ReplaceSelectElement {
    fn flat(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.fmt(f)
    }
}

fn ident(i: &Ident, f: &mut Formatter<'_>) -> fmt::Result {
    match i.quote_style {
        None => f.write_str(&i.value),
        Some(_) => i.fmt(f),
    }
}

fn idents(parts: &[Ident], f: &mut Formatter<'_>) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            f.write_char('.')?;
        }
        ident(part, f)?;
    }
    Ok(())
}

fn name(n: &ObjectName, f: &mut Formatter<'_>) -> fmt::Result {
    match n.0.as_slice() {
        [ObjectNamePart::Identifier(i)] => ident(i, f),
        _ => n.fmt(f),
    }
}

fn list(items: &[Expr], f: &mut Formatter<'_>, depth: u32) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        expr(item, f, depth)?;
    }
    Ok(())
}

fn value(v: &Value, f: &mut Formatter<'_>) -> fmt::Result {
    match v {
        Value::Number(digits, false) => f.write_str(digits),
        // Quotes are escaped by rules of sqlparser's own.
        Value::SingleQuotedString(s) if !s.contains('\'') => {
            f.write_char('\'')?;
            f.write_str(s)?;
            f.write_char('\'')
        }
        Value::Null => f.write_str("NULL"),
        Value::Boolean(b) => f.write_str(if *b { "true" } else { "false" }),
        other => other.fmt(f),
    }
}

fn operator(op: &BinaryOperator, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char(' ')?;
    match op {
        BinaryOperator::And => f.write_str("AND")?,
        BinaryOperator::Or => f.write_str("OR")?,
        BinaryOperator::Eq => f.write_char('=')?,
        other => other.fmt(f)?,
    }
    f.write_char(' ')
}

fn arg(a: &FunctionArg, f: &mut Formatter<'_>, depth: u32) -> fmt::Result {
    match a {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => expr(e, f, depth),
        other => other.fmt(f),
    }
}

fn function(call: &Function, f: &mut Formatter<'_>, depth: u32) -> fmt::Result {
    let FunctionArguments::List(args) = &call.args else { return call.fmt(f) };
    let plain = !call.uses_odbc_syntax
        && matches!(call.parameters, FunctionArguments::None)
        && args.duplicate_treatment.is_none()
        && args.clauses.is_empty()
        && call.within_group.is_empty()
        && call.filter.is_none()
        && call.null_treatment.is_none()
        && call.over.is_none();
    if !plain {
        return call.fmt(f);
    }
    name(&call.name, f)?;
    f.write_char('(')?;
    for (i, a) in args.args.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        arg(a, f, depth)?;
    }
    f.write_char(')')
}

fn expr(e: &Expr, f: &mut Formatter<'_>, depth: u32) -> fmt::Result {
    if depth > MAX_DEPTH {
        return e.fmt(f);
    }
    let depth = depth + 1;
    let mut after = |x: &Expr, word: &str| {
        expr(x, f, depth)?;
        f.write_str(word)
    };
    match e {
        Expr::Identifier(i) => ident(i, f),
        Expr::CompoundIdentifier(parts) => idents(parts, f),
        Expr::Value(v) => value(&v.value, f),
        Expr::Nested(x) => {
            f.write_char('(')?;
            expr(x, f, depth)?;
            f.write_char(')')
        }
        Expr::BinaryOp { left, op, right } => {
            expr(left, f, depth)?;
            operator(op, f)?;
            expr(right, f, depth)
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr: x } => {
            f.write_str("NOT ")?;
            expr(x, f, depth)
        }
        Expr::Function(call) => function(call, f, depth),
        Expr::IsNull(x) => after(x, " IS NULL"),
        Expr::IsNotNull(x) => after(x, " IS NOT NULL"),
        Expr::IsTrue(x) => after(x, " IS TRUE"),
        Expr::IsNotTrue(x) => after(x, " IS NOT TRUE"),
        Expr::IsFalse(x) => after(x, " IS FALSE"),
        Expr::IsNotFalse(x) => after(x, " IS NOT FALSE"),
        Expr::InList { expr: x, list: items, negated } => {
            after(x, if *negated { " NOT IN (" } else { " IN (" })?;
            list(items, f, depth)?;
            f.write_char(')')
        }
        Expr::Like { negated, any: false, expr: x, pattern, escape_char: None } => {
            after(x, if *negated { " NOT LIKE " } else { " LIKE " })?;
            expr(pattern, f, depth)
        }
        Expr::ILike { negated, any: false, expr: x, pattern, escape_char: None } => {
            after(x, if *negated { " NOT ILIKE " } else { " ILIKE " })?;
            expr(pattern, f, depth)
        }
        Expr::Cast { kind: CastKind::DoubleColon, expr: x, data_type, format: None } => {
            after(x, "::")?;
            data_type.fmt(f)
        }
        Expr::Array(array) if !array.named => {
            f.write_char('[')?;
            list(&array.elem, f, depth)?;
            f.write_char(']')
        }
        other => other.fmt(f),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::build;

    #[test]
    fn a_line_is_what_sqlparser_prints() {
        for text in [
            "a.b.\"c d\"",
            "NOT (a = 1 AND b <> 'it''s' OR c IS NOT TRUE)",
            "f(x, 'y', NULL, true) + -1.5e3 * g()",
            "x NOT IN (1, 2, 'a') AND y IN ('b')",
            "a LIKE '%x' ESCAPE '!' OR b NOT ILIKE '%y%' OR c NOT LIKE 'z'",
            "count(DISTINCT a) FILTER (WHERE b) + row_number() OVER (ORDER BY c)",
            "[1, 'a'][1]::VARCHAR[]",
            "CASE WHEN a THEN b ELSE c END IS NULL",
            "list_transform(l, lambda x: x || '\\')",
            "(SELECT max(a) FROM t WHERE b BETWEEN 1 AND 2) IS FALSE",
            "TRY_CAST(a AS BIGINT) // 2 -> '$.x'",
            "sum(x ORDER BY y) IS NOT FALSE AND z IS NOT NULL AND w IS TRUE",
        ] {
            let dialect = sqlparser::dialect::DuckDbDialect {};
            let mut parser = sqlparser::parser::Parser::new(&dialect).try_with_sql(text).unwrap();
            let e = parser.parse_expr().unwrap();
            assert_eq!(Line(&e).to_string(), e.to_string());
        }
        let odd = build::string("a'b\\'c");
        assert_eq!(Line(&odd).to_string(), odd.to_string());
    }
}
