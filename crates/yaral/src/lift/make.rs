//! Short forms for IR nodes.

use ruleferry_diag::Span;
use ruleferry_ir::functions::{FunctionKind, find};
use ruleferry_ir::{
    Case, ColId, CompareOp, Expr, ExprKind, Json, MatchKind, MatchValue, MatchValues, Missing, Op, Plan,
    Quantifier, StringMatch, Subject, Type, Value,
};
use smol_str::SmolStr;

/// A call of a scalar function of the catalogue. Names are constants of this crate; a wrong one shows in the tests.
pub fn call(name: &str, args: Vec<Expr>, ty: Type, span: Span) -> Expr {
    match find(name, FunctionKind::Scalar) {
        Some(function) => Expr::new(ExprKind::Call(function, args), ty, span),
        None => Expr::opaque("yaral", name, format!("the function catalogue has no `{name}`"), ty, span),
    }
}

pub fn long(value: i64, span: Span) -> Expr {
    Expr::literal(Value::Long(value), span)
}

/// `if(condition, yes, no)`
pub fn case(condition: Expr, yes: Expr, no: Expr) -> Expr {
    let (ty, span) = (yes.ty, condition.span);
    Expr::new(ExprKind::Case(vec![(condition, yes)], Box::new(no)), ty, span)
}

/// A test of a text against values of which one must fit; a missing text is the empty one.
pub fn text_match(subject: Expr, kind: MatchKind, case: Case, values: Vec<Expr>, span: Span) -> Expr {
    let values = MatchValues::List(values.into_iter().map(MatchValue::Expr).collect());
    text_match_any(subject, kind, case, values, span)
}

pub fn text_match_any(subject: Expr, kind: MatchKind, case: Case, values: MatchValues, span: Span) -> Expr {
    let subject = Subject::Expr(subject);
    Expr::matches(
        StringMatch { subject, kind, case, values, quantifier: Quantifier::Any, missing: Missing::Empty },
        span,
    )
}

pub fn equals(left: Expr, right: Expr, case: Case, span: Span) -> Expr {
    text_match(left, MatchKind::Equals, case, vec![right], span)
}

/// The member of a dynamic value.
pub fn member(base: Expr, name: impl Into<SmolStr>, span: Span) -> Expr {
    Expr::new(ExprKind::Member(Box::new(base), name.into()), Type::Dynamic, span)
}

pub fn index(base: Expr, index: Expr, span: Span) -> Expr {
    Expr::new(ExprKind::Index(Box::new(base), Box::new(index)), Type::Dynamic, span)
}

/// The array that a repeated field is expanded over: an empty one has one element without a value.
pub fn padded(array: Expr, span: Span) -> Expr {
    let length = call("array_length", vec![array.clone()], Type::Long, span);
    let empty = Expr::compare(CompareOp::Eq, length, long(0, span), Missing::Distinct, span);
    let nothing = Expr::literal(Value::Dynamic(Json::Array(vec![Json::Null])), span);
    case(empty, nothing, array)
}

/// The zero value of a type, for what is absent.
pub fn zero(ty: Type, span: Span) -> Expr {
    let value = match ty {
        Type::Bool => Value::Bool(false),
        Type::Int => Value::Int(0),
        Type::Long => Value::Long(0),
        Type::Real => Value::Real(0.0),
        Type::Datetime => Value::Datetime(ruleferry_ir::time::UNIX_EPOCH),
        Type::Timespan => Value::Timespan(0),
        Type::String | Type::Decimal | Type::Guid | Type::Dynamic | Type::Unknown => Value::string(""),
    };
    Expr::literal(value, span)
}

/// The value with its zero value where it is absent; texts are never absent.
pub fn filled(e: Expr) -> Expr {
    let span = e.span;
    if matches!(e.ty, Type::String | Type::Dynamic | Type::Unknown) || never_null(&e) {
        return e;
    }
    let (ty, zero) = (e.ty, zero(e.ty, span));
    call("coalesce", vec![e, zero], ty, span)
}

/// Values that are there whatever the event holds.
pub fn never_null(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Literal(value) => !matches!(value, Value::Null(_)),
        ExprKind::Now
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::Not(_)
        | ExprKind::Match(_)
        | ExprKind::IsNull(_)
        | ExprKind::IsEmpty(_) => true,
        ExprKind::Compare(c) => c.missing != Missing::Null,
        ExprKind::In(i) => i.missing != Missing::Null,
        ExprKind::Call(function, args) => {
            function.name == "coalesce" && args.iter().any(never_null)
                || function.name == "pack_array"
                || function.name == "countof"
        }
        ExprKind::Case(branches, otherwise) => {
            branches.iter().all(|(_, e)| never_null(e)) && never_null(otherwise)
        }
        // A quotient is null for a divisor of 0.
        ExprKind::Arithmetic(a) => {
            !matches!(a.op, ruleferry_ir::ArithmeticOp::Div | ruleferry_ir::ArithmeticOp::Mod)
                && never_null(&a.left)
                && never_null(&a.right)
        }
        ExprKind::Negate(e) => never_null(e),
        ExprKind::Column(_)
        | ExprKind::Let(_)
        | ExprKind::InQuery(_)
        | ExprKind::Between(_)
        | ExprKind::Cast(_)
        | ExprKind::Member(..)
        | ExprKind::Index(..)
        | ExprKind::Subquery(_)
        | ExprKind::Opaque(_) => false,
    }
}

pub fn filter(input: Plan, predicates: Vec<Expr>, span: Span) -> Plan {
    if predicates.is_empty() {
        return input;
    }
    let output = input.output.clone();
    Plan::new(Op::Filter { input, predicate: Expr::and(predicates, span) }, output, span)
}

/// The columns that an expression reads, those of its sub-plans included.
pub fn columns_of(e: &Expr, out: &mut Vec<ColId>) {
    e.any(&mut |e| {
        if let ExprKind::Column(id) = e.kind {
            out.push(id);
        }
        false
    });
}
