//! Forms of tests and literals that the general constructors ([`crate::build`]) do not have.

use crate::build::{negative, not, number, string};
use sqlparser::ast::{
    self, BinaryOperator, Expr, Ident, LambdaFunction, LambdaFunctionParameter, LambdaSyntax,
    OneOrManyWithParens, UnaryOperator,
};

/// An operand of `LIKE` or `IS`: in parentheses unless it is a plain value, name or call.
fn operand(e: Expr) -> Box<Expr> {
    Box::new(match e {
        Expr::BinaryOp { .. }
        | Expr::UnaryOp { .. }
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::ILike { .. }
        | Expr::Like { .. }
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Between { .. }
        | Expr::IsNotTrue(_)
        | Expr::IsTrue(_)
        | Expr::Lambda(_) => Expr::Nested(Box::new(e)),
        other => other,
    })
}

/// `(e) IS NOT TRUE`: true where `e` is false or null.
pub fn is_not_true(e: Expr) -> Expr {
    Expr::IsNotTrue(operand(e))
}

pub fn like(e: Expr, pattern: String, escape: Option<char>, insensitive: bool) -> Expr {
    let (expr, pattern) = (operand(e), Box::new(string(&pattern)));
    let escape_char = escape.map(|c| Box::new(string(&c.to_string())));
    if insensitive {
        Expr::ILike { negated: false, any: false, expr, pattern, escape_char }
    } else {
        Expr::Like { negated: false, any: false, expr, pattern, escape_char }
    }
}

/// The plain opposite of a test (`NOT LIKE`, `IS NOT NULL`, `<>`): null stays null, or never was.
pub fn opposite(e: Expr) -> Expr {
    match e {
        Expr::ILike { negated, any, expr, pattern, escape_char } => {
            Expr::ILike { negated: !negated, any, expr, pattern, escape_char }
        }
        Expr::Like { negated, any, expr, pattern, escape_char } => {
            Expr::Like { negated: !negated, any, expr, pattern, escape_char }
        }
        Expr::InList { expr, list, negated } => Expr::InList { expr, list, negated: !negated },
        Expr::InSubquery { expr, subquery, negated } => {
            Expr::InSubquery { expr, subquery, negated: !negated }
        }
        Expr::Between { expr, negated, low, high } => Expr::Between { expr, negated: !negated, low, high },
        Expr::IsNull(e) => Expr::IsNotNull(e),
        Expr::IsNotNull(e) => Expr::IsNull(e),
        Expr::IsDistinctFrom(l, r) => Expr::IsNotDistinctFrom(l, r),
        Expr::IsNotDistinctFrom(l, r) => Expr::IsDistinctFrom(l, r),
        Expr::IsTrue(e) => Expr::IsNotTrue(e),
        Expr::IsNotTrue(e) => Expr::IsTrue(e),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => match *expr {
            Expr::Nested(inner) => *inner,
            other => other,
        },
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            Expr::BinaryOp { left, op: BinaryOperator::NotEq, right }
        }
        Expr::BinaryOp { left, op: BinaryOperator::NotEq, right } => {
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right }
        }
        other => not(other),
    }
}

/// A number with its sign; the caller vouches that the text is one.
pub fn signed(text: &str) -> Expr {
    match text.strip_prefix('-') {
        Some(digits) => negative(number(digits)),
        None => number(text),
    }
}

/// `(lambda a, b : body)`
pub fn lambda(params: &[&str], body: Expr) -> Expr {
    let param = |name: &&str| LambdaFunctionParameter { name: Ident::new(*name), data_type: None };
    let params = match params {
        [one] => OneOrManyWithParens::One(param(one)),
        many => OneOrManyWithParens::Many(many.iter().map(param).collect()),
    };
    Expr::Lambda(LambdaFunction { params, body: Box::new(body), syntax: LambdaSyntax::LambdaKeyword })
}

/// `ARRAY(query)`: the values of a query of one column as a list.
pub fn array_of(query: ast::Query) -> Expr {
    let mut function = crate::build::function("array", Vec::new());
    function.args = ast::FunctionArguments::Subquery(Box::new(query));
    Expr::Function(function)
}

/// `SELECT value FROM (query)`.
pub fn select_from(value: Expr, query: ast::Query) -> Option<ast::Query> {
    let dialect = sqlparser::dialect::DuckDbDialect {};
    let mut parser =
        sqlparser::parser::Parser::new(&dialect).try_with_sql("SELECT x FROM (SELECT x)").ok()?;
    let mut outer = *parser.parse_query().ok()?;
    let ast::SetExpr::Select(select) = &mut *outer.body else { return None };
    select.projection = vec![ast::SelectItem::UnnamedExpr(value)];
    let from = select.from.first_mut()?;
    from.relation =
        ast::TableFactor::Derived { lateral: false, subquery: Box::new(query), alias: None, sample: None };
    Some(outer)
}
