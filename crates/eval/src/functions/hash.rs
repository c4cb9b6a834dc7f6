//! Hashes.
//!
//! Kusto: "hash()", "hash_xxhash64()", "hash_sha256()", "hash_sha1()", "hash_md5()". `hash_combine()` and `hash_many()` are not
//! here: how they mix is documented nowhere.

use super::{Call, Scalar, long};
use crate::Value;
use crate::expr::shown;
use crate::fault::Result;
use md5::Digest as _;
use ruleferry_ir::{Json, Type};
use smol_str::format_smolstr;
use std::fmt::Write as _;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("hash", hash),
    ("hash_md5", digest),
    ("hash_sha1", digest),
    ("hash_sha256", digest),
    ("hash_xxhash64", hash),
];

/// xxHash64 with seed 0. The documented cases hash a string as its UTF-8 and a datetime as its ticks, 8 bytes, the lowest
/// first; other numbers are taken likewise, which the documentation leaves open.
fn hash(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let value = args.first().unwrap_or(&Value::Null);
    let number = |n: i64| n.to_le_bytes().to_vec();
    let bytes = match value {
        Value::Null if super::strings::is_string(call, 0) => Vec::new(),
        Value::Null => return Ok(Value::Null),
        Value::String(s) => s.as_bytes().to_vec(),
        Value::Int(n) => number(i64::from(*n)),
        Value::Long(n) | Value::Datetime(n) | Value::Timespan(n) => number(*n),
        Value::Real(x) => x.to_le_bytes().to_vec(),
        Value::Bool(b) => vec![u8::from(*b)],
        Value::Guid(g) => super::encode::guid_bytes(*g).to_vec(),
        Value::Decimal(_) => shown(value).as_bytes().to_vec(),
        Value::Dynamic(json) => match &**json {
            Json::Long(n) => number(*n),
            _ => shown(value).as_bytes().to_vec(),
        },
    };
    let hash = xxhash_rust::xxh64::xxh64(&bytes, 0).cast_signed();
    if args.get(1).is_none() {
        return Ok(Value::Long(hash));
    }
    match long(args, 1) {
        // Always from 0 to modulo - 1.
        Some(modulo) if modulo > 0 => Ok(Value::Long(hash.rem_euclid(modulo))),
        Some(_) => Err(call.fault(1, "the modulo must be above 0")),
        None => Ok(Value::Null),
    }
}

/// Of the text of the value, in lower case hexadecimal digits.
fn digest(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let value = args.first().unwrap_or(&Value::Null);
    if value.is_null() && call.arg_type(0) != Type::String {
        return Ok(Value::EMPTY);
    }
    let text = shown(value);
    Ok(Value::String(match call.name {
        "hash_md5" => hex(&md5::Md5::digest(text.as_bytes())),
        "hash_sha256" => hex(&sha2::Sha256::digest(text.as_bytes())),
        _ => format_smolstr!("{}", sha1_smol::Sha1::from(text.as_bytes()).digest()),
    }))
}

fn hex(bytes: &[u8]) -> smol_str::SmolStr {
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        let _ = write!(out, "{b:02x}");
    }
    out.into()
}
