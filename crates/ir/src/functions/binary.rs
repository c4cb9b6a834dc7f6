//! Types of arithmetic and of values that must agree.

use crate::Type;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ArithOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
}

impl ArithOp {
    pub const ALL: [Self; 5] = [Self::Add, Self::Sub, Self::Mul, Self::Div, Self::Mod];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
        }
    }
}

/// int as long: arithmetic of Kusto never stays in 32 bits.
pub(super) const fn promote(ty: Type) -> Type {
    match ty {
        Type::Int => Type::Long,
        other => other,
    }
}

const fn rank(ty: Type) -> Option<u8> {
    match ty {
        Type::Int => Some(0),
        Type::Long => Some(1),
        Type::Real => Some(2),
        Type::Decimal => Some(3),
        _ => None,
    }
}

/// The wider of two numeric types (int < long < real < decimal).
fn wider(a: Type, b: Type) -> Option<Type> {
    Some(if rank(a)? >= rank(b)? { a } else { b })
}

pub(super) fn widest(args: &[Type]) -> Type {
    let mut types = args.iter().copied();
    let Some(first) = types.next() else { return Type::Unknown };
    types.try_fold(first, wider).map_or(Type::Unknown, promote)
}

/// The type of `a op b`, or `None` if Kusto refuses the pair. An unknown operand gives an unknown result, unless the other
/// one leaves a single answer.
pub fn binary_result(op: ArithOp, a: Type, b: Type) -> Option<Type> {
    use Type::{Datetime, Dynamic, Timespan, Unknown};
    if let Some(ty) = wider(a, b) {
        return Some(promote(ty));
    }
    let scaled = matches!(op, ArithOp::Mul | ArithOp::Div | ArithOp::Mod);
    Some(match (op, a, b) {
        (_, Unknown, _) | (_, _, Unknown) => Unknown,
        (ArithOp::Add, Timespan, Timespan) | (ArithOp::Sub, Timespan, Timespan) => Timespan,
        (ArithOp::Add, Datetime | Timespan, Datetime | Timespan) => Datetime,
        (ArithOp::Add, Dynamic, Datetime | Timespan) => b,
        (ArithOp::Add, Datetime | Timespan, Dynamic) => a,
        (ArithOp::Sub, Datetime, Datetime | Dynamic) | (ArithOp::Sub, Dynamic, Datetime | Timespan) => {
            Timespan
        }
        (ArithOp::Sub, Timespan, Dynamic) => Timespan,
        (ArithOp::Sub, Datetime, Timespan) | (ArithOp::Sub, Timespan, Datetime) => Datetime,
        (ArithOp::Mul | ArithOp::Mod, Timespan, Timespan) => Timespan,
        (ArithOp::Mod, Datetime, Datetime | Timespan) => Timespan,
        (ArithOp::Div, Timespan, Timespan) | (ArithOp::Div, Datetime, Datetime | Timespan) => Type::Real,
        (_, Datetime | Timespan, _) if scaled && b.is_numeric() => a,
        (ArithOp::Mul, _, Datetime | Timespan) if a.is_numeric() => b,
        (_, Dynamic, Dynamic) => Dynamic,
        (_, Dynamic, _) if b.is_numeric() => promote(b),
        (_, _, Dynamic) if a.is_numeric() => promote(a),
        _ => return None,
    })
}

/// The type of `-x` and `+x`.
pub const fn negate_result(ty: Type) -> Option<Type> {
    match ty {
        Type::Int | Type::Long => Some(Type::Long),
        Type::Real | Type::Decimal | Type::Datetime | Type::Timespan | Type::Dynamic | Type::Unknown => {
            Some(ty)
        }
        Type::Bool | Type::String | Type::Guid => None,
    }
}

/// The type that values share: equal types, or the widest number; else dynamic.
/// With `yield_dynamic` a dynamic value takes the type of the others (`iff(x, d, "a")` is a string).
pub fn common_type(types: impl IntoIterator<Item = Type>, yield_dynamic: bool) -> Type {
    let mut result: Option<Type> = None;
    let mut unknown = false;
    let mut dynamic = false;
    for ty in types {
        match ty {
            Type::Unknown => unknown = true,
            Type::Dynamic if yield_dynamic => dynamic = true,
            _ => {
                result = Some(match result {
                    None => ty,
                    Some(seen) if seen == ty => seen,
                    Some(seen) => wider(seen, ty).unwrap_or(Type::Dynamic),
                });
            }
        }
    }
    match result {
        // A wider number could still come from the unknown one; anything else can only turn into dynamic.
        Some(ty) if unknown && ty.is_numeric() => Type::Unknown,
        Some(ty) => ty,
        None if dynamic && !unknown => Type::Dynamic,
        None => Type::Unknown,
    }
}
