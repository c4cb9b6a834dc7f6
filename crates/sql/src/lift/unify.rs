//! Trees with holes: whether an expression is a template with its places filled, and with what.
//!
//! A tree is seen as a head and its parts. Parentheses do not count; nor does the spelling of a cast.

use smol_str::{SmolStr, format_smolstr};
use sqlparser::ast::{
    BinaryOperator, CastKind, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArguments, ObjectNamePart, OneOrManyWithParens, UnaryOperator, Value,
};

/// An expression without the parentheses around it.
pub(super) fn bare(mut e: &Expr) -> &Expr {
    while let Expr::Nested(inner) = e {
        e = inner;
    }
    e
}

/// The plain name of a function, in lower case.
pub(super) fn function_name(f: &Function) -> Option<String> {
    match f.name.0.as_slice() {
        [ObjectNamePart::Identifier(i)] => Some(i.value.to_ascii_lowercase()),
        _ => None,
    }
}

/// The arguments of a plain call: no names, no clauses, no window.
pub(super) fn plain_args(f: &Function) -> Option<Vec<&Expr>> {
    let usual = f.filter.is_none() && f.over.is_none() && f.null_treatment.is_none();
    match &f.args {
        FunctionArguments::List(list)
            if usual
                && f.within_group.is_empty()
                && list.clauses.is_empty()
                && list.duplicate_treatment.is_none() =>
        {
            list.args.iter().map(argument).collect()
        }
        FunctionArguments::List(_) | FunctionArguments::None | FunctionArguments::Subquery(_) => None,
    }
}

fn argument(arg: &FunctionArg) -> Option<&Expr> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Some(e),
        _ => None,
    }
}

/// Head and parts; `None` for trees that no template has.
pub(super) fn shape(e: &Expr) -> Option<(SmolStr, Vec<&Expr>)> {
    Some(match bare(e) {
        Expr::Identifier(i) => (format_smolstr!("name:{}", i.value), vec![]),
        Expr::CompoundIdentifier(parts) => {
            let names: Vec<&str> = parts.iter().map(|p| p.value.as_str()).collect();
            (format_smolstr!("name:{}", names.join(".")), vec![])
        }
        Expr::Value(v) => match &v.value {
            Value::Number(n, _) => (format_smolstr!("number:{n}"), vec![]),
            Value::SingleQuotedString(s) => (format_smolstr!("text:{s}"), vec![]),
            Value::Boolean(b) => (format_smolstr!("bool:{b}"), vec![]),
            Value::Null => ("null".into(), vec![]),
            _ => return None,
        },
        Expr::TypedString(t) => (format_smolstr!("typed:{t}"), vec![]),
        Expr::Interval(i) => (format_smolstr!("interval:{i}"), vec![]),
        Expr::Function(f) => {
            let name = function_name(f)?;
            if !matches!(f.parameters, FunctionArguments::None) {
                return None;
            }
            if f.over.is_some() || f.null_treatment.is_some() || !f.within_group.is_empty() {
                return None;
            }
            let FunctionArguments::List(list) = &f.args else { return None };
            let distinct = match list.duplicate_treatment {
                Some(DuplicateTreatment::Distinct) => ":distinct",
                Some(DuplicateTreatment::All) => return None,
                None => "",
            };
            let star = matches!(list.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]);
            let mut parts: Vec<&Expr> =
                if star { Vec::new() } else { list.args.iter().map(argument).collect::<Option<_>>()? };
            // The order of what a list collects is read apart.
            if list.clauses.iter().any(|c| !matches!(c, FunctionArgumentClause::OrderBy(_))) {
                return None;
            }
            let filter = if let Some(filter) = &f.filter {
                parts.push(filter);
                ":filter"
            } else {
                ""
            };
            let star = if star { ":*" } else { "" };
            (format_smolstr!("call:{name}{distinct}{star}{filter}"), parts)
        }
        Expr::BinaryOp { left, op, right } => (format_smolstr!("op:{op}"), vec![&**left, &**right]),
        Expr::UnaryOp { op, expr } => (format_smolstr!("unary:{op}"), vec![&**expr]),
        Expr::Cast { kind, expr, data_type, format: None, .. } => {
            let tries = match kind {
                CastKind::TryCast => "try",
                CastKind::Cast | CastKind::DoubleColon => "cast",
                CastKind::SafeCast => return None,
            };
            (format_smolstr!("{tries}:{data_type}"), vec![&**expr])
        }
        Expr::Case { operand: None, conditions, else_result, .. } => {
            let mut parts = Vec::with_capacity(conditions.len() * 2 + 1);
            for c in conditions {
                parts.push(&c.condition);
                parts.push(&c.result);
            }
            parts.extend(else_result.as_deref());
            (format_smolstr!("case:{}", conditions.len()), parts)
        }
        Expr::IsNull(e) => ("is-null".into(), vec![&**e]),
        Expr::IsNotNull(e) => ("is-not-null".into(), vec![&**e]),
        Expr::Between { expr, negated, low, high } => {
            (format_smolstr!("between:{negated}"), vec![&**expr, &**low, &**high])
        }
        Expr::InList { expr, list, negated } => {
            let parts = std::iter::once(&**expr).chain(list).collect();
            (format_smolstr!("in:{negated}"), parts)
        }
        Expr::Array(a) => ("list".into(), a.elem.iter().collect()),
        Expr::Lambda(l) => {
            let names: Vec<&str> = match &l.params {
                OneOrManyWithParens::One(p) => vec![p.name.value.as_str()],
                OneOrManyWithParens::Many(ps) => ps.iter().map(|p| p.name.value.as_str()).collect(),
            };
            (format_smolstr!("lambda:{}", names.join(",")), vec![&*l.body])
        }
        Expr::AtTimeZone { timestamp, time_zone } => ("zone".into(), vec![&**timestamp, &**time_zone]),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let chain: Vec<String> = access_chain.iter().map(ToString::to_string).collect();
            (format_smolstr!("access:{}", chain.join("")), vec![&**root])
        }
        Expr::Floor { expr, .. } => ("call:floor".into(), vec![&**expr]),
        Expr::Ceil { expr, .. } => ("call:ceil".into(), vec![&**expr]),
        Expr::Tuple(items) => ("tuple".into(), items.iter().collect()),
        _ => return None,
    })
}

/// What stands in the holes of a template.
#[derive(Clone, Debug, Default)]
pub(super) struct Holes<'e> {
    /// `$1`, `$2`, …
    pub places: Vec<Option<&'e Expr>>,
    /// `$...`
    pub rest: Option<Vec<&'e Expr>>,
}

/// The number of a hole; 0 for the rest.
pub(super) fn hole(e: &Expr) -> Option<usize> {
    match bare(e) {
        Expr::Value(v) => match &v.value {
            Value::Placeholder(name) => match name.strip_prefix('$')? {
                "rest" => Some(0),
                n => n.parse().ok(),
            },
            _ => None,
        },
        _ => None,
    }
}

/// Whether `e` is the template with its holes filled.
pub(super) fn unify<'e>(template: &Expr, e: &'e Expr, holes: &mut Holes<'e>) -> bool {
    if let Some(n) = hole(template) {
        let Some(at) = n.checked_sub(1) else { return false };
        if holes.places.len() <= at {
            holes.places.resize(at + 1, None);
        }
        let Some(slot) = holes.places.get_mut(at) else { return false };
        return match slot {
            Some(old) => same(old, e),
            None => {
                *slot = Some(e);
                true
            }
        };
    }
    // The lowering does not fill what is filled: `coalesce($1, '')` of a filled text is that text's own.
    let (Some((head, parts)), Some((own_head, own_parts))) = (shape(template), shape(e)) else {
        return false;
    };
    if head != own_head {
        return false;
    }
    if let Some(at) = parts.iter().position(|p| hole(p) == Some(0)) {
        let after = parts.len() - at - 1;
        let Some(count) = own_parts.len().checked_sub(at + after) else { return false };
        let (before, own) = own_parts.split_at(at);
        let (middle, behind) = own.split_at(count);
        if holes.rest.as_ref().is_some_and(|r| r.len() != middle.len()) {
            return false;
        }
        holes.rest = Some(middle.to_vec());
        return pairs(parts.get(..at).unwrap_or_default(), before, holes)
            && pairs(parts.get(at + 1..).unwrap_or_default(), behind, holes);
    }
    pairs(&parts, &own_parts, holes)
}

fn pairs<'e>(templates: &[&Expr], own: &[&'e Expr], holes: &mut Holes<'e>) -> bool {
    templates.len() == own.len() && templates.iter().zip(own).all(|(t, e)| unify(t, e, holes))
}

/// Whether two trees are the same but for parentheses.
pub(super) fn same(a: &Expr, b: &Expr) -> bool {
    let (a, b) = (bare(a), bare(b));
    match (shape(a), shape(b)) {
        (Some((ha, pa)), Some((hb, pb))) => {
            ha == hb && pa.len() == pb.len() && pa.iter().zip(&pb).all(|(x, y)| same(x, y))
        }
        _ => a == b,
    }
}

/// How much of a tree is fixed: a template that says more is tried first.
pub(super) fn size(e: &Expr) -> usize {
    if hole(e).is_some() {
        return 0;
    }
    match shape(e) {
        Some((_, parts)) => 1 + parts.into_iter().map(size).sum::<usize>(),
        None => 1,
    }
}

/// Whether a template has more in it than comparisons and arithmetic, which are read for themselves.
pub(super) fn says_something(e: &Expr) -> bool {
    if hole(e).is_some() {
        return false;
    }
    match bare(e) {
        Expr::Function(_)
        | Expr::Cast { .. }
        | Expr::Case { .. }
        | Expr::Array(_)
        | Expr::AtTimeZone { .. }
        | Expr::Floor { .. }
        | Expr::Ceil { .. }
        | Expr::CompoundFieldAccess { .. } => true,
        Expr::BinaryOp { left, op, right } => {
            matches!(op, BinaryOperator::Arrow | BinaryOperator::LongArrow | BinaryOperator::BitwiseAnd)
                || says_something(left)
                || says_something(right)
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => says_something(expr),
        _ => false,
    }
}
