//! Bits of whole numbers.
//!
//! Source: Kusto documentation, "binary_and()" and its neighbours, "bitset_count_ones()", "tohex()".

use super::{Call, Scalar, long};
use crate::Value;
use crate::fault::Result;
use ruleferry_ir::Type;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("binary_and", |_, args| two(args, |a, b| a & b)),
    ("binary_not", |_, args| one(args, |a| !a)),
    ("binary_or", |_, args| two(args, |a, b| a | b)),
    ("binary_shift_left", |_, args| two(args, |a, n| a.wrapping_shl(places(n)))),
    ("binary_shift_right", |_, args| two(args, |a, n| a.wrapping_shr(places(n)))),
    ("binary_xor", |_, args| two(args, |a, b| a ^ b)),
    ("bitset_count_ones", |_, args| one(args, |a| i64::from(a.count_ones()))),
    ("tohex", tohex),
];

fn one(args: &[Value], of: fn(i64) -> i64) -> Result<Value> {
    Ok(long(args, 0).map_or(Value::Null, |a| Value::Long(of(a))))
}

fn two(args: &[Value], of: fn(i64, i64) -> i64) -> Result<Value> {
    let (Some(a), Some(b)) = (long(args, 0), long(args, 1)) else { return Ok(Value::Null) };
    Ok(Value::Long(of(a, b)))
}

/// A shift goes by the number modulo 64.
fn places(n: i64) -> u32 {
    u32::try_from(n.rem_euclid(64)).unwrap_or(0)
}

/// The longest text that zeros are put before.
const MAX_WIDTH: i64 = 1 << 16;

/// The two's complement of a negative number, in the width of its type.
fn tohex(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(n) = long(args, 0) else { return Ok(Value::EMPTY) };
    let digits = match args.first() {
        Some(Value::Int(n)) => format!("{n:x}"),
        _ if call.arg_type(0) == Type::Int => format!("{:x}", n as i32),
        _ => format!("{n:x}"),
    };
    let width = if args.len() > 1 { long(args, 1).unwrap_or(0).clamp(0, MAX_WIDTH) } else { 0 };
    let width = usize::try_from(width).unwrap_or(0);
    Ok(Value::string(format!("{digits:0>width$}")))
}
