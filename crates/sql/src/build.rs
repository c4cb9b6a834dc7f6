//! Small constructors of sqlparser's tree, so that no SQL text is ever glued.

use ruleferry_ir::Type;
use smol_str::SmolStr;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Array, BinaryOperator, CastKind, DataType, ExcludeSelectItem, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentList, FunctionArguments, GroupByExpr, Ident, ObjectName, ObjectNamePart,
    OrderByExpr, OrderByOptions, OrderBySort, Query, ReplaceSelectElement, ReplaceSelectItem, Select,
    SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableAliasColumnDef,
    TableFactor, TableFunctionArgs, TableWithJoins, UnaryOperator, Value, WildcardAdditionalOptions,
    WindowSpec, WindowType,
};
use sqlparser::tokenizer::Span;
use std::cell::RefCell;

/// An identifier, quoted only where the dialect would read the bare name as something else.
pub(crate) fn ident(name: &str) -> Ident {
    if needs_quotes(name) {
        Ident::with_quote('"', doubled(&name.replace('\0', "\u{fffd}"), '"'))
    } else {
        Ident::new(name)
    }
}

/// Text with its quotes doubled.
///
/// INVARIANT: quoted text stands in the tree with its quotes doubled. sqlparser's printer takes a quote after a backslash, or
/// beside another quote, for escaped already and prints it alone, so that `\'` in a rule would end the literal and let the
/// rest of it be read as SQL. Doubled text is printed as it stands by that rule, whatever it holds.
fn doubled(text: &str, quote: char) -> String {
    if !text.contains(quote) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        out.push(c);
        if c == quote {
            out.push(c);
        }
    }
    out
}

fn needs_quotes(name: &str) -> bool {
    let plain = name.as_bytes().first().is_some_and(|b| !b.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    !plain || crate::keywords::is_reserved(name)
}

/// `name`
pub(crate) fn column(name: &str) -> Expr {
    Expr::Identifier(ident(name))
}

/// `table.name`
pub(crate) fn qualified(table: &str, name: &str) -> Expr {
    Expr::CompoundIdentifier(vec![ident(table), ident(name)])
}

pub(crate) fn object_name(name: &str) -> ObjectName {
    ObjectName(vec![ObjectNamePart::Identifier(ident(name))])
}

pub(crate) fn value(value: Value) -> Expr {
    Expr::Value(value.with_span(Span::empty()))
}

/// `'text'`
pub(crate) fn string(text: &str) -> Expr {
    if text.contains('\0') {
        // No SQL text can hold the character.
        let nul = || call("chr", vec![number(0)]);
        let mut parts = Vec::new();
        for (i, part) in text.split('\0').enumerate() {
            if i > 0 {
                parts.push(nul());
            }
            if !part.is_empty() {
                parts.push(string(part));
            }
        }
        return call("concat", parts);
    }
    value(Value::SingleQuotedString(doubled(text, '\'')))
}

/// A number as it stands; the caller vouches that `digits` is one.
pub(crate) fn number(digits: impl ToString) -> Expr {
    value(Value::Number(digits.to_string(), false))
}

/// A whole number; a negative one is a `-` before its digits.
pub(crate) fn integer(n: i64) -> Expr {
    if n < 0 { negative(number(n.unsigned_abs())) } else { number(n) }
}

pub(crate) fn negative(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(expr) }
}

pub(crate) fn boolean(b: bool) -> Expr {
    value(Value::Boolean(b))
}

pub(crate) fn null() -> Expr {
    value(Value::Null)
}

/// `name(args…)`
pub(crate) fn call(name: &str, args: Vec<Expr>) -> Expr {
    Expr::Function(function(name, args))
}

pub(crate) fn function(name: &str, args: Vec<Expr>) -> Function {
    let args = args.into_iter().map(|e| FunctionArg::Unnamed(FunctionArgExpr::Expr(e))).collect();
    Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        within_group: Vec::new(),
        filter: None,
        null_treatment: None,
        over: None,
    }
}

/// How strongly an expression binds, as the dialect's grammar has it: an operand that binds less needs parentheses.
fn strength(expr: &Expr) -> u8 {
    match expr {
        Expr::BinaryOp { op, .. } => operator_strength(op),
        Expr::UnaryOp { op: UnaryOperator::Not, .. } => 15,
        // `-x::T` negates the cast and `-x[1]` the element.
        Expr::UnaryOp { .. } => 70,
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..) => 17,
        Expr::Between { .. }
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::SimilarTo { .. } => 19,
        Expr::AnyOp { .. } | Expr::AllOp { .. } => 20,
        Expr::Cast { kind: CastKind::DoubleColon, .. } | Expr::CompoundFieldAccess { .. } => 90,
        Expr::Collate { .. } => 80,
        Expr::Lambda(_) | Expr::Named { .. } => 1,
        _ => u8::MAX,
    }
}

fn operator_strength(op: &BinaryOperator) -> u8 {
    match op {
        BinaryOperator::Or => 5,
        BinaryOperator::And => 10,
        BinaryOperator::Eq
        | BinaryOperator::NotEq
        | BinaryOperator::Lt
        | BinaryOperator::LtEq
        | BinaryOperator::Gt
        | BinaryOperator::GtEq => 20,
        BinaryOperator::Plus | BinaryOperator::Minus => 40,
        BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Modulo
        | BinaryOperator::DuckIntegerDivide => 50,
        // DuckDB gives `||`, `->`, `->>`, `&`, `<<` … one level between comparison and addition.
        _ => 30,
    }
}

/// The operand of something that binds with `outer`: in parentheses if it binds less.
fn operand(expr: Expr, outer: u8) -> Expr {
    if strength(&expr) < outer { Expr::Nested(Box::new(expr)) } else { expr }
}

/// `left op right`, left-associative.
pub(crate) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    let own = operator_strength(&op);
    // Comparisons do not chain, and the levels of `||`, `->` and `IS` are not worth a reader's memory.
    let left_at = if own == 20 || own == 30 && !same_operator(&left, &op) { own + 1 } else { own };
    let associative = matches!(op, BinaryOperator::And | BinaryOperator::Or);
    let right_at = if associative { own } else { own + 1 };
    Expr::BinaryOp { left: Box::new(operand(left, left_at)), op, right: Box::new(operand(right, right_at)) }
}

fn same_operator(expr: &Expr, op: &BinaryOperator) -> bool {
    matches!(expr, Expr::BinaryOp { op: inner, .. } if inner == op)
}

/// Chains longer than this are built as a balanced tree, which keeps recursion over them shallow.
const LONG_CHAIN: usize = 200;

fn chain(mut operands: Vec<Expr>, op: &BinaryOperator, empty: bool) -> Expr {
    if operands.len() > LONG_CHAIN {
        let right = operands.split_off(operands.len() / 2);
        return binary(chain(operands, op, empty), op.clone(), chain(right, op, empty));
    }
    operands.into_iter().reduce(|l, r| binary(l, op.clone(), r)).unwrap_or_else(|| boolean(empty))
}

/// `a AND b AND …`; none is `TRUE`.
pub(crate) fn and(operands: Vec<Expr>) -> Expr {
    chain(operands, &BinaryOperator::And, true)
}

/// `a OR b OR …`; none is `FALSE`.
pub(crate) fn or(operands: Vec<Expr>) -> Expr {
    chain(operands, &BinaryOperator::Or, false)
}

pub(crate) fn not(expr: Expr) -> Expr {
    // `NOT a = b` is read rightly by every engine, but not by every reader.
    let expr = match strength(&expr) {
        u8::MAX => expr,
        _ => Expr::Nested(Box::new(expr)),
    };
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) }
}

pub(crate) fn eq(left: Expr, right: Expr) -> Expr {
    binary(left, BinaryOperator::Eq, right)
}

pub(crate) fn is_null(expr: Expr) -> Expr {
    Expr::IsNull(Box::new(operand(expr, 18)))
}

pub(crate) fn is_not_null(expr: Expr) -> Expr {
    Expr::IsNotNull(Box::new(operand(expr, 18)))
}

pub(crate) fn is_distinct(left: Expr, right: Expr) -> Expr {
    Expr::IsDistinctFrom(Box::new(operand(left, 21)), Box::new(operand(right, 21)))
}

pub(crate) fn is_not_distinct(left: Expr, right: Expr) -> Expr {
    Expr::IsNotDistinctFrom(Box::new(operand(left, 21)), Box::new(operand(right, 21)))
}

/// `expr IN (list…)`
pub(crate) fn in_list(expr: Expr, list: Vec<Expr>) -> Expr {
    Expr::InList { expr: Box::new(operand(expr, 31)), list, negated: false }
}

pub(crate) fn in_subquery(expr: Expr, subquery: Query) -> Expr {
    Expr::InSubquery { expr: Box::new(operand(expr, 31)), subquery: Box::new(subquery), negated: false }
}

pub(crate) fn between(expr: Expr, low: Expr, high: Expr) -> Expr {
    Expr::Between {
        expr: Box::new(operand(expr, 31)),
        negated: false,
        low: Box::new(operand(low, 31)),
        high: Box::new(operand(high, 31)),
    }
}

/// `(query)` as a scalar.
pub(crate) fn subquery(query: Query) -> Expr {
    Expr::Subquery(Box::new(query))
}

/// The first of the arguments that is not null; what has the same default already stands alone.
pub(crate) fn coalesce(expr: Expr, default: Expr) -> Expr {
    let has_it = |e: &Expr| match e {
        Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) => {
            is_named(name, "coalesce")
                && matches!(list.args.last(), Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(last))) if *last == default)
        }
        _ => false,
    };
    if has_it(&expr) { expr } else { call("coalesce", vec![expr, default]) }
}

/// `expr::TYPE`
pub(crate) fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::DoubleColon, expr: Box::new(operand(expr, 90)), data_type, format: None }
}

/// `TRY_CAST(expr AS TYPE)`
pub(crate) fn try_cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::TryCast, expr: Box::new(expr), data_type, format: None }
}

/// The type of the dialect for one of ours.
pub(crate) fn data_type(dialect: &crate::Dialect, ty: Type) -> DataType {
    if !dialect.generic {
        // Printed as it stands in the target's data.
        let name = Ident::new(dialect.type_name(ty));
        return DataType::Custom(
            ObjectName(vec![ObjectNamePart::Identifier(Ident { quote_style: Some('\u{1}'), ..name })]),
            Vec::new(),
        );
    }
    named_type(dialect.type_name(ty))
}

/// A type by its name in the dialect: `VARCHAR`, `DECIMAL(38,17)`, `VARCHAR[]`.
pub(crate) fn named_type(name: &str) -> DataType {
    thread_local! {
        // The few names of the dialects, each read once.
        static KNOWN: RefCell<Vec<(String, DataType)>> = const { RefCell::new(Vec::new()) };
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some((_, ty)) = known.iter().find(|(n, _)| n == name) {
            return ty.clone();
        }
        let ty = sqlparser::parser::Parser::new(&sqlparser::dialect::DuckDbDialect {})
            .try_with_sql(name)
            .and_then(|mut p| p.parse_data_type())
            .unwrap_or(DataType::Varchar(None));
        known.push((name.to_owned(), ty.clone()));
        ty
    })
}

/// Whether it is the bare name.
pub(crate) fn is_named(name: &ObjectName, wanted: &str) -> bool {
    matches!(name.0.as_slice(), [ObjectNamePart::Identifier(i)] if i.quote_style.is_none() && i.value == wanted)
}

/// `CASE WHEN c THEN v … ELSE other END`
pub(crate) fn case(branches: Vec<(Expr, Expr)>, other: Option<Expr>) -> Expr {
    use sqlparser::ast::CaseWhen;
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: branches.into_iter().map(|(condition, result)| CaseWhen { condition, result }).collect(),
        else_result: other.map(Box::new),
    }
}

/// `expr AS name`, or `expr` alone where it is a column of that very name.
pub(crate) fn item(expr: Expr, name: &str) -> SelectItem {
    let last = match &expr {
        Expr::Identifier(i) => Some(i),
        Expr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    };
    if last.is_some_and(|i| i.value == doubled(name, '"')) {
        SelectItem::UnnamedExpr(expr)
    } else {
        SelectItem::ExprWithAlias { expr, alias: ident(name) }
    }
}

/// A SELECT with nothing in it.
pub(crate) fn empty_select() -> Select {
    Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: Vec::new(),
        exclude: None,
        into: None,
        from: Vec::new(),
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    }
}

/// A query of one body.
pub(crate) fn query(body: SetExpr) -> Query {
    Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

pub(crate) fn select_query(select: Select) -> Query {
    query(SetExpr::Select(Box::new(select)))
}

/// `*`, or `name.*`, with columns left out and replaced.
pub(crate) fn star(
    qualifier: Option<&str>,
    exclude: &[SmolStr],
    replace: Vec<(Expr, SmolStr)>,
) -> SelectItem {
    let names: Vec<ObjectName> = exclude.iter().map(|n| object_name(n)).collect();
    let items = replace
        .into_iter()
        .map(|(expr, n)| Box::new(ReplaceSelectElement { expr, column_name: ident(&n), as_keyword: true }))
        .collect::<Vec<_>>();
    let options = WildcardAdditionalOptions {
        opt_exclude: (!names.is_empty()).then_some(ExcludeSelectItem::Multiple(names)),
        opt_replace: (!items.is_empty()).then_some(ReplaceSelectItem { items }),
        ..Default::default()
    };
    match qualifier {
        None => SelectItem::Wildcard(options),
        Some(q) => SelectItem::QualifiedWildcard(
            SelectItemQualifiedWildcardKind::ObjectName(object_name(q)),
            options,
        ),
    }
}

/// `name` as a FROM item.
pub(crate) fn table(name: &str) -> TableFactor {
    TableFactor::Table {
        name: object_name(name),
        alias: None,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

/// `name(args…)` as a FROM item.
pub(crate) fn table_call(name: &str, args: Vec<Expr>) -> TableFactor {
    TableFactor::Table {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]),
        alias: None,
        args: Some(TableFunctionArgs {
            args: args.into_iter().map(|e| FunctionArg::Unnamed(FunctionArgExpr::Expr(e))).collect(),
            settings: None,
        }),
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

/// `(query)`, `LATERAL (query)` as a FROM item.
pub(crate) fn derived(query: Query, lateral: bool) -> TableFactor {
    TableFactor::Derived { lateral, subquery: Box::new(query), alias: None, sample: None }
}

/// `factor AS name (columns…)`
pub(crate) fn aliased(mut factor: TableFactor, name: &str, columns: &[SmolStr]) -> TableFactor {
    let new = TableAlias {
        explicit: true,
        name: ident(name),
        columns: columns.iter().map(|c| TableAliasColumnDef { name: ident(c), data_type: None }).collect(),
        at: None,
    };
    if let TableFactor::Table { alias, .. } | TableFactor::Derived { alias, .. } = &mut factor {
        // Column names that an alias gave (`(VALUES …) AS data (a, b)`) move to the new one.
        let old = alias.take().map(|a| a.columns).unwrap_or_default();
        let columns = if new.columns.is_empty() { old } else { new.columns };
        *alias = Some(TableAlias { columns, ..new });
    }
    factor
}

/// One FROM item with nothing joined to it.
pub(crate) fn from(relation: TableFactor) -> TableWithJoins {
    TableWithJoins { relation, joins: Vec::new() }
}

/// Whether a test holds for an expression or one inside of it.
pub(crate) fn any_expr(expr: &Expr, mut test: impl FnMut(&Expr) -> bool) -> bool {
    let found = sqlparser::ast::visit_expressions(expr, |e| {
        if test(e) { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    });
    found.is_break()
}

/// It reads neighbouring rows.
pub(crate) fn has_window(expr: &Expr) -> bool {
    any_expr(expr, |e| matches!(e, Expr::Function(f) if f.over.is_some()))
}

/// It is made of literals alone.
pub(crate) fn is_constant(expr: &Expr) -> bool {
    let literal = |e: &Expr| {
        matches!(
            e,
            Expr::Value(_)
                | Expr::TypedString(_)
                | Expr::Interval(_)
                | Expr::Cast { .. }
                | Expr::Nested(_)
                | Expr::UnaryOp { .. }
        )
    };
    !any_expr(expr, |e| !literal(e))
}

/// `expr [DESC] [NULLS FIRST|LAST]`; the engine's own place of nulls is not spelled out.
/// The order of `row_number() = 1`. DuckDB 1.5 makes an aggregate of that where there is one key, and takes a wrong row if NULLs come
/// first among the rows and last in the order; with a key more it does not.
pub(crate) fn rank_order(order: &[OrderByExpr]) -> Vec<OrderByExpr> {
    let [only] = order else { return order.to_vec() };
    if only.options.nulls_first == Some(true) {
        return order.to_vec();
    }
    vec![order_key(is_null(only.expr.clone()), false, false), only.clone()]
}

pub(crate) fn order_key(expr: Expr, descending: bool, nulls_first: bool) -> OrderByExpr {
    // DuckDB puts nulls last in both directions.
    let nulls_first = nulls_first.then_some(true);
    OrderByExpr {
        expr,
        options: OrderByOptions { sort: descending.then_some(OrderBySort::Desc), nulls_first },
        with_fill: None,
    }
}

/// `function OVER (PARTITION BY … ORDER BY …)`
pub(crate) fn over(mut function: Function, partition_by: Vec<Expr>, order_by: Vec<OrderByExpr>) -> Expr {
    function.over = Some(WindowType::WindowSpec(WindowSpec {
        window_name: None,
        partition_by,
        order_by,
        window_frame: None,
    }));
    Expr::Function(function)
}

/// `'name'` as the key of a struct literal.
pub(crate) fn string_ident(name: &str) -> Ident {
    Ident::with_quote('\'', doubled(name, '\''))
}

/// `[a, b, …]`
pub(crate) fn list(items: Vec<Expr>) -> Expr {
    Expr::Array(Array { elem: items, named: false })
}

/// A constant pattern as RE2 of every age reads it: a named group is `(?P<name>…)`.
pub(crate) fn regex(pattern: &str) -> Expr {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("(?<") {
        out.push_str(before);
        let escaped = before.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
        let named = after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        out.push_str(if named && !escaped { "(?P<" } else { "(?<" });
        rest = after;
    }
    out.push_str(rest);
    string(&out)
}

/// What of a pattern RE2 does not have, if anything: such a pattern has no SQL.
pub(crate) fn beyond_re2(pattern: &str) -> Option<&'static str> {
    let mut chars = pattern.chars().peekable();
    let mut class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('1'..='9') if !class => return Some("a back reference"),
                Some('k') if !class => return Some("a back reference"),
                _ => {}
            },
            '[' => class = true,
            ']' => class = false,
            '(' if !class && chars.peek() == Some(&'?') => {
                chars.next();
                match chars.next() {
                    Some('=' | '!') => return Some("look-ahead"),
                    Some('<') if matches!(chars.peek(), Some('=' | '!')) => return Some("look-behind"),
                    Some('>') => return Some("an atomic group"),
                    Some('(') => return Some("a conditional"),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{beyond_re2, regex, string};

    #[test]
    fn named_groups_are_respelled() {
        assert_eq!(regex("a(?<x>b)(?<=c)").to_string(), "'a(?P<x>b)(?<=c)'");
    }

    #[test]
    fn what_re2_lacks_is_told() {
        assert_eq!(beyond_re2("a(?=b)"), Some("look-ahead"));
        assert_eq!(beyond_re2("(?<!b)a"), Some("look-behind"));
        assert_eq!(beyond_re2(r"(a)\1"), Some("a back reference"));
        assert_eq!(beyond_re2(r"(?:a)[(?=]\.(?<n>b)(?i)"), None);
    }

    #[test]
    fn quotes_cannot_end_a_literal() {
        assert_eq!(string(r"\'; DROP").to_string(), r"'\''; DROP'");
    }
}
