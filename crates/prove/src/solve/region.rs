//! Values in an order: whether one is inside of some ranges and outside of others.
//!
//! In: tests of a value against constants. Out: a value, or the tests that no value meets together. Every kind of value is laid
//! out on whole numbers: reals by the order of their bits, decimals by their rank among the constants.

use crate::term::Constant;
use ruleferry_eval::Value;
use ruleferry_ir::CompareOp;
use std::cmp::Ordering;

/// The kinds of values that compare with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Bool,
    Long,
    Real,
    Decimal,
    Datetime,
    Timespan,
    Guid,
}

/// A test of a value: operator, constant, whether it is to hold.
pub(super) type Test<'c> = (CompareOp, &'c Constant, bool);

#[derive(Debug, PartialEq)]
pub(super) enum Decided {
    Value(Option<Constant>),
    /// The tests, by their places, that exclude each other.
    Never(Vec<usize>),
}

/// First and last place; nothing where the first is behind the last.
type Range = (i128, i128);

const NOWHERE: Range = (0, -1);

/// In 2022: a day of our time.
const PLAIN_DATETIME: i128 = 638_000_000_000_000_000;

/// `None`: a test that this space does not decide; it is left out.
fn range(space: Space, op: CompareOp, constant: &Constant, decimals: &[Value]) -> Option<Range> {
    let (least, most) = bounds(space, decimals);
    let around = |first: i128, last: i128| match op {
        CompareOp::Eq => Some((first, last)),
        CompareOp::Lt => Some(first.checked_sub(1).map_or(NOWHERE, |last| (least, last))),
        CompareOp::Le => Some((least, last)),
        CompareOp::Gt => Some(last.checked_add(1).map_or(NOWHERE, |first| (first, most))),
        CompareOp::Ge => Some((first, most)),
        CompareOp::Ne => None,
    };
    let exactly = |place: i128| around(place, place);
    match (space, constant) {
        (Space::Bool, Constant::Bool(b)) => exactly(i128::from(*b)),
        (Space::Long, Constant::Long(n)) => exactly(i128::from(*n)),
        (Space::Long, Constant::Real(bits)) => {
            let x = f64::from_bits(*bits);
            if x.is_nan() {
                return Some(NOWHERE);
            }
            // Whole numbers are compared as reals: several may round to the same.
            let first = first_long(|n| n as f64 >= x);
            let behind = first_long(|n| n as f64 > x);
            around(first, behind - 1)
        }
        (Space::Real, Constant::Long(n)) => exactly(real_place(*n as f64)),
        (Space::Real, Constant::Real(bits)) => {
            let x = f64::from_bits(*bits);
            if x.is_nan() { Some(NOWHERE) } else { exactly(real_place(x)) }
        }
        (Space::Decimal, Constant::Long(_) | Constant::Decimal(_)) => {
            let value = value_of(constant);
            let rank = decimals.iter().position(|d| same_decimal(d, &value))?;
            exactly(2 * i128::try_from(rank).ok()? + 1)
        }
        (Space::Datetime, Constant::Datetime(t)) | (Space::Timespan, Constant::Timespan(t)) => {
            exactly(i128::from(*t))
        }
        (Space::Guid, Constant::Guid(text)) => {
            let hex: String = text.chars().filter(|c| *c != '-').collect();
            exactly((u128::from_str_radix(&hex, 16).ok()? ^ (1 << 127)).cast_signed())
        }
        (_, Constant::Null(_)) => Some(NOWHERE),
        _ => None,
    }
}

fn bounds(space: Space, decimals: &[Value]) -> Range {
    match space {
        Space::Bool => (0, 1),
        Space::Long | Space::Datetime | Space::Timespan => (i128::from(i64::MIN), i128::from(i64::MAX)),
        Space::Real => (real_place(f64::NEG_INFINITY), real_place(f64::INFINITY)),
        Space::Decimal => (0, 2 * decimals.len() as i128),
        Space::Guid => (i128::MIN, i128::MAX),
    }
}

/// The first whole number for which a test holds that holds for all behind it; one behind the last where there is none.
fn first_long(test: impl Fn(i64) -> bool) -> i128 {
    let (mut low, mut high) = (i128::from(i64::MIN), i128::from(i64::MAX) + 1);
    while low < high {
        let middle = low + (high - low).div_euclid(2);
        if i64::try_from(middle).is_ok_and(&test) { high = middle } else { low = middle + 1 }
    }
    low
}

/// Reals in their order; both zeros are one place.
fn real_place(x: f64) -> i128 {
    let bits = i128::from(x.abs().to_bits());
    if x.is_sign_negative() { -bits } else { bits }
}

fn real_at(place: i128) -> Option<f64> {
    let bits = u64::try_from(place.unsigned_abs()).ok()?;
    let x = f64::from_bits(bits);
    Some(if place < 0 { -x } else { x })
}

/// A constant as a value of the evaluator.
pub(crate) fn value_of(constant: &Constant) -> Value {
    match constant {
        Constant::Null(_) => Value::Null,
        Constant::Bool(b) => Value::Bool(*b),
        Constant::Long(n) => Value::Long(*n),
        Constant::Real(bits) => Value::Real(f64::from_bits(*bits)),
        Constant::Decimal(text) => Value::of_ir(&ruleferry_ir::Value::Decimal(text.clone())),
        Constant::String(text) => Value::String(text.clone()),
        Constant::Datetime(t) => Value::Datetime(*t),
        Constant::Timespan(t) => Value::Timespan(*t),
        Constant::Guid(text) => Value::of_ir(&ruleferry_ir::Value::Guid(text.clone())),
        Constant::Dynamic(text) => ruleferry_eval::parse_json(text).map_or(Value::Null, Value::dynamic),
    }
}

fn same_decimal(a: &Value, b: &Value) -> bool {
    ruleferry_eval::compare(a, b) == Some(Ordering::Equal)
}

/// The constants that a decimal is compared with exactly, in order, each once.
fn decimals(tests: &[Test<'_>]) -> Vec<Value> {
    let exact = |c: &Constant| matches!(c, Constant::Long(_) | Constant::Decimal(_));
    let mut values: Vec<Value> = tests
        .iter()
        .filter(|(_, c, _)| exact(c))
        .map(|(_, c, _)| ruleferry_eval::cast(&value_of(c), ruleferry_ir::Type::Decimal))
        .filter(|v| !v.is_null())
        .collect();
    values.sort_by(ruleferry_eval::order);
    values.dedup_by(|a, b| same_decimal(a, b));
    values
}

/// Whether some value of a kind meets all tests. Tests against constants of other kinds fail.
pub(super) fn decide(space: Space, tests: &[Test<'_>]) -> Decided {
    let decimals = if space == Space::Decimal { decimals(tests) } else { Vec::new() };
    let (mut first, mut last) = bounds(space, &decimals);
    let (mut of_first, mut of_last): (Option<usize>, Option<usize>) = (None, None);
    let mut outside: Vec<(Range, usize)> = Vec::new();
    let mut wanted = false;
    for (i, (op, constant, holds)) in tests.iter().enumerate() {
        let Some(range) = range(space, *op, constant, &decimals) else {
            // Of another kind: it fails. What is merely not decided here is left out.
            if *holds && is_of_other_kind(space, constant) {
                return Decided::Never(vec![i]);
            }
            continue;
        };
        if !holds {
            if range.0 <= range.1 {
                outside.push((range, i));
            }
            continue;
        }
        wanted = true;
        if range.0 > range.1 {
            return Decided::Never(vec![i]);
        }
        if range.0 > first {
            (first, of_first) = (range.0, Some(i));
        }
        if range.1 < last {
            (last, of_last) = (range.1, Some(i));
        }
    }
    outside.sort_unstable();
    let mut core: Vec<usize> = of_first.into_iter().chain(of_last).collect();
    core.dedup();
    let mut at = Some(first).filter(|first| *first <= last);
    let mut free: Vec<Range> = Vec::new();
    for ((from, to), i) in outside {
        let Some(place) = at.filter(|_| from <= last) else { break };
        if from > place {
            free.push((place, from - 1));
        }
        if to >= place {
            core.push(i);
            at = to.checked_add(1).filter(|next| *next <= last);
        }
    }
    free.extend(at.map(|at| (at, last)));
    // The most ordinary of the ranges that are left.
    let plain = if space == Space::Datetime { PLAIN_DATETIME } else { 0 };
    let range = free.iter().min_by_key(|(from, to)| {
        let away = if *from > plain { from.abs_diff(plain) } else { plain.abs_diff((*to).min(plain)) };
        (away, from != to)
    });
    if let Some((from, to)) = range {
        return Decided::Value(constant_at(space, *from, *to, &decimals));
    }
    // What is not a number fails every comparison.
    if space == Space::Real && !wanted {
        return Decided::Value(Some(Constant::Real(f64::NAN.to_bits())));
    }
    Decided::Never(core)
}

/// Whether no value of the kind compares with such a constant.
const fn is_of_other_kind(space: Space, constant: &Constant) -> bool {
    let numbers = matches!(constant, Constant::Long(_) | Constant::Real(_) | Constant::Decimal(_));
    match constant {
        Constant::Dynamic(_) | Constant::Null(_) => false,
        Constant::Bool(_)
        | Constant::Long(_)
        | Constant::Real(_)
        | Constant::Decimal(_)
        | Constant::String(_)
        | Constant::Datetime(_)
        | Constant::Timespan(_)
        | Constant::Guid(_) => match space {
            Space::Long | Space::Real | Space::Decimal => !numbers,
            Space::Bool => !matches!(constant, Constant::Bool(_)),
            Space::Datetime => !matches!(constant, Constant::Datetime(_)),
            Space::Timespan => !matches!(constant, Constant::Timespan(_)),
            Space::Guid => !matches!(constant, Constant::Guid(_)),
        },
    }
}

/// A plain value between two places, both included.
fn constant_at(space: Space, from: i128, to: i128, decimals: &[Value]) -> Option<Constant> {
    // As near as can be to what is ordinary.
    let near = |plain: i128| i64::try_from(plain.clamp(from, to)).ok();
    match space {
        Space::Bool => Some(Constant::Bool(from == 1)),
        Space::Long => near(0).map(Constant::Long),
        Space::Datetime => near(PLAIN_DATETIME).map(Constant::Datetime),
        Space::Timespan => near(0).map(Constant::Timespan),
        Space::Real => {
            let (low, high) = (real_at(from)?, real_at(to)?);
            let (near, whole) = if low > 0.0 { (low, low.ceil()) } else { (high, high.floor()) };
            let x = if low <= 0.0 && 0.0 <= high {
                0.0
            } else if whole.is_finite() && low <= whole && whole <= high {
                whole
            } else {
                near
            };
            Some(Constant::Real((x + 0.0).to_bits()))
        }
        Space::Decimal => {
            let rank = usize::try_from(from / 2).ok()?;
            let text = |v: &Value| match ruleferry_eval::to_ir(v, ruleferry_ir::Type::Decimal) {
                ruleferry_ir::Value::Decimal(text) => Some(Constant::Decimal(text)),
                _ => None,
            };
            let one = Value::Long(1);
            let moved = |v: &Value, sign: f64| -> Option<Constant> {
                let x =
                    ruleferry_eval::cast(v, ruleferry_ir::Type::Real).as_real()? + sign * one.as_real()?;
                text(&ruleferry_eval::cast(&Value::Real(x), ruleferry_ir::Type::Decimal))
            };
            match (from % 2 == 1, decimals.get(rank), rank.checked_sub(1).and_then(|i| decimals.get(i))) {
                (true, Some(d), _) => text(d),
                (false, None, None) => Some(Constant::Decimal("0".into())),
                (false, Some(above), None) => moved(above, -1.0),
                (false, None, Some(below)) => moved(below, 1.0),
                (false, Some(above), Some(below)) => {
                    let real = |v| ruleferry_eval::cast(v, ruleferry_ir::Type::Real).as_real();
                    let middle = f64::midpoint(real(below)?, real(above)?);
                    text(&ruleferry_eval::cast(&Value::Real(middle), ruleferry_ir::Type::Decimal))
                }
                (true, None, _) => None,
            }
        }
        Space::Guid => {
            let number = from.cast_unsigned() ^ (1 << 127);
            let hex = format!("{number:032x}");
            let part = |a: usize, b: usize| hex.get(a..b).unwrap_or_default().to_owned();
            let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
            Some(Constant::Guid(parts.join("-").into()))
        }
    }
}
