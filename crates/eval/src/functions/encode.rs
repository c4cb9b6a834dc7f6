//! Encodings of texts: base64, gzip, zlib, punycode.

use super::strings::MAX_TEXT;
use super::{Call, Scalar, text};
use crate::Value;
use crate::fault::{Fault, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder, ZlibDecoder, ZlibEncoder};
use ruleferry_diag::codes;
use ruleferry_ir::Json;
use std::io::Read;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("base64_decode_toarray", base64_to_array),
    ("base64_decode_toguid", base64_to_guid),
    ("base64_decode_tostring", base64_to_string),
    ("base64_encode_fromarray", array_to_base64),
    ("base64_encode_fromguid", guid_to_base64),
    ("base64_encode_tostring", string_to_base64),
    ("gzip_compress_to_base64_string", compress),
    ("gzip_decompress_from_base64_string", decompress),
    ("punycode_domain_from_string", domain_from_punycode),
    ("punycode_domain_to_string", domain_to_punycode),
    ("punycode_from_string", to_punycode),
    ("punycode_to_string", from_punycode),
    ("zlib_compress_to_base64_string", compress),
    ("zlib_decompress_from_base64_string", decompress),
];

/// What is no base64 is none, missing padding included.
fn decoded(args: &[Value]) -> Option<Vec<u8>> {
    STANDARD.decode(text(args, 0)).ok()
}

fn base64_to_string(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let text = decoded(args).and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(Value::string(text.unwrap_or_default()))
}

fn base64_to_array(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let array = |bytes: Vec<u8>| Value::array(bytes.into_iter().map(|b| Json::Long(i64::from(b))).collect());
    Ok(decoded(args).map_or(Value::Null, array))
}

fn base64_to_guid(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let bytes = decoded(args).and_then(|b| <[u8; 16]>::try_from(b).ok());
    Ok(bytes.map_or(Value::Null, |bytes| Value::Guid(guid_of(bytes))))
}

fn string_to_base64(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(Value::string(STANDARD.encode(text(args, 0))))
}

/// `""` for what is no array of bytes.
fn array_to_base64(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let byte = |item: &Json| match item {
        Json::Long(n) => u8::try_from(*n).ok(),
        Json::Null
        | Json::Bool(_)
        | Json::Real(_)
        | Json::String(_)
        | Json::Datetime(_)
        | Json::Timespan(_)
        | Json::Array(_)
        | Json::Object(_) => None,
    };
    let items = args.first().and_then(Value::as_array);
    let bytes: Option<Vec<u8>> = items.and_then(|items| items.iter().map(byte).collect());
    Ok(Value::string(bytes.map(|b| STANDARD.encode(b)).unwrap_or_default()))
}

fn guid_to_base64(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(match args.first() {
        Some(Value::Guid(g)) => Value::string(STANDARD.encode(guid_bytes(*g))),
        _ => Value::EMPTY,
    })
}

/// The bytes of a guid as Windows keeps them: the first three groups with the lowest byte first.
pub(super) fn guid_bytes(guid: u128) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = guid.to_be_bytes();
    let [i, j, k, l, m, n, o, p] = rest;
    [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
}

fn guid_of(bytes: [u8; 16]) -> u128 {
    // The same exchange leads back.
    u128::from_be_bytes(guid_bytes(u128::from_be_bytes(bytes)))
}

/// `gzip_…` and `zlib_…`. Which bytes a compressor writes is its own choice: what they decompress to is not.
fn compress(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let bytes = text(args, 0).as_bytes();
    let mut out = Vec::new();
    let written = if call.name.starts_with("gzip") {
        GzEncoder::new(bytes, Compression::default()).read_to_end(&mut out)
    } else {
        ZlibEncoder::new(bytes, Compression::default()).read_to_end(&mut out)
    };
    Ok(if written.is_ok() { Value::string(STANDARD.encode(&out)) } else { Value::EMPTY })
}

/// `""` for what cannot be decompressed, or is no UTF-8.
fn decompress(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(bytes) = decoded(args) else { return Ok(Value::EMPTY) };
    let out = if call.name.starts_with("gzip") {
        read(GzDecoder::new(bytes.as_slice()))
    } else {
        read(ZlibDecoder::new(bytes.as_slice()))
    };
    let Some(out) = out else { return Ok(Value::EMPTY) };
    if out.len() > MAX_TEXT {
        let message = format!("`{}` makes a text of more than {} MB", call.name, MAX_TEXT >> 20);
        return Err(Fault::new(codes::EVAL_LIMIT, call.span, message));
    }
    Ok(Value::string(String::from_utf8(out).unwrap_or_default()))
}

/// Reads to the end, or one byte further than a text may get.
fn read(source: impl Read) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    source.take(MAX_TEXT as u64 + 1).read_to_end(&mut out).ok()?;
    Some(out)
}

fn to_punycode(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(Value::string(punycode::encode(text(args, 0)).unwrap_or_default()))
}

fn from_punycode(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(Value::string(punycode::decode(text(args, 0)).unwrap_or_default()))
}

/// Kusto: "punycode_domain_to_string()": labels that are not ASCII are encoded; all four dots of IDNA separate.
fn domain_to_punycode(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let label = |label: &str| {
        if label.is_ascii() {
            Some(label.to_owned())
        } else {
            Some(format!("xn--{}", punycode::encode(label)?))
        }
    };
    let dots = ['.', '\u{3002}', '\u{FF0E}', '\u{FF61}'];
    let labels: Option<Vec<String>> = text(args, 0).split(dots).map(label).collect();
    Ok(Value::string(labels.unwrap_or_default().join(".")))
}

/// Kusto: "punycode_domain_from_string()", which decodes, whatever its name says.
fn domain_from_punycode(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let label = |label: &str| match label.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("xn--") => punycode::decode(label.get(4..)?),
        _ => Some(label.to_owned()),
    };
    let labels: Option<Vec<String>> = text(args, 0).split('.').map(label).collect();
    Ok(Value::string(labels.unwrap_or_default().join(".")))
}

/// RFC 3492: characters beyond ASCII as the places where they are put in, smallest code point first.
mod punycode {
    const BASE: u32 = 36;
    const SMALLEST: u32 = 1;
    const LARGEST: u32 = 26;
    const SKEW: u32 = 38;
    const DAMP: u32 = 700;
    const FIRST_BIAS: u32 = 72;
    const FIRST_CODE: u32 = 128;
    /// A longer label is no label; encoding takes time in the square of it.
    const MOST_CHARACTERS: usize = 1024;

    /// Section 6.1.
    fn adapted(delta: u32, count: u32, first: bool) -> u32 {
        let mut delta = if first { delta / DAMP } else { delta / 2 };
        delta += delta / count.max(1);
        let mut k = 0;
        while delta > (BASE - SMALLEST) * LARGEST / 2 {
            delta /= BASE - SMALLEST;
            k += BASE;
        }
        k + (BASE - SMALLEST + 1) * delta / (delta + SKEW)
    }

    fn threshold(k: u32, bias: u32) -> u32 {
        k.saturating_sub(bias).clamp(SMALLEST, LARGEST)
    }

    /// Section 6.2.
    pub fn decode(text: &str) -> Option<String> {
        if !text.is_ascii() || text.len() > MOST_CHARACTERS {
            return None;
        }
        let (basic, extended) = text.rsplit_once('-').unwrap_or(("", text));
        let mut out: Vec<char> = basic.chars().collect();
        let (mut code, mut place, mut bias) = (FIRST_CODE, 0u32, FIRST_BIAS);
        let mut digits = extended.chars();
        while !digits.as_str().is_empty() {
            let before = place;
            let (mut weight, mut k) = (1u32, BASE);
            loop {
                let digit = match digits.next()? {
                    c @ 'a'..='z' => u32::from(c) - u32::from('a'),
                    c @ 'A'..='Z' => u32::from(c) - u32::from('A'),
                    c @ '0'..='9' => u32::from(c) - u32::from('0') + 26,
                    _ => return None,
                };
                place = place.checked_add(digit.checked_mul(weight)?)?;
                let t = threshold(k, bias);
                if digit < t {
                    break;
                }
                weight = weight.checked_mul(BASE - t)?;
                k += BASE;
            }
            let count = u32::try_from(out.len()).ok()? + 1;
            bias = adapted(place - before, count, before == 0);
            code = code.checked_add(place / count)?;
            place %= count;
            out.insert(usize::try_from(place).ok()?, char::from_u32(code)?);
            place += 1;
        }
        Some(out.into_iter().collect())
    }

    /// Section 6.3.
    pub fn encode(text: &str) -> Option<String> {
        let all: Vec<u32> = text.chars().map(u32::from).collect();
        if all.len() > MOST_CHARACTERS {
            return None;
        }
        let mut out: String = text.chars().filter(char::is_ascii).collect();
        let basic = u32::try_from(out.len()).ok()?;
        let mut done = basic;
        if basic > 0 {
            out.push('-');
        }
        let (mut code, mut delta, mut bias) = (FIRST_CODE, 0u32, FIRST_BIAS);
        while usize::try_from(done).ok()? < all.len() {
            let next = all.iter().copied().filter(|c| *c >= code).min()?;
            delta = delta.checked_add((next - code).checked_mul(done + 1)?)?;
            code = next;
            for c in &all {
                if *c < code {
                    delta = delta.checked_add(1)?;
                }
                if *c != code {
                    continue;
                }
                let (mut rest, mut k) = (delta, BASE);
                loop {
                    let t = threshold(k, bias);
                    if rest < t {
                        break;
                    }
                    out.push(digit(t + (rest - t) % (BASE - t)));
                    rest = (rest - t) / (BASE - t);
                    k += BASE;
                }
                out.push(digit(rest));
                bias = adapted(delta, done + 1, done == basic);
                delta = 0;
                done += 1;
            }
            delta = delta.checked_add(1)?;
            code += 1;
        }
        Some(out)
    }

    fn digit(value: u32) -> char {
        let place = if value < 26 { u32::from('a') + value } else { u32::from('0') + value - 26 };
        char::from_u32(place).unwrap_or('a')
    }
}
