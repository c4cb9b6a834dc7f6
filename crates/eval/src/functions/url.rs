//! URLs and their encoding.

use super::{Call, Scalar, text};
use crate::Value;
use crate::fault::Result;
use indexmap::IndexMap;
use ruleferry_ir::Json;
use smol_str::SmolStr;
use std::fmt::Write as _;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("parse_url", parse_url),
    ("parse_urlquery", parse_urlquery),
    ("url_decode", url_decode),
    ("url_encode", url_encode),
    ("url_encode_component", url_encode_component),
];

/// `%41` is `A`. A `%` without two digits stays; bytes that are no UTF-8 become U+FFFD. `+` stays too.
fn url_decode(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let mut bytes = Vec::new();
    let mut rest = text(args, 0).as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digit = |i: usize| tail.get(i).and_then(|b| char::from(*b).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(0));
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    Ok(Value::string(String::from_utf8_lossy(&bytes)))
}

/// A blank becomes `+`. Kusto: "url_encode()".
fn url_encode(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(Value::string(encoded(text(args, 0), "_.!*()-", true)))
}

/// Kusto: "url_encode_component()".
fn url_encode_component(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(Value::string(encoded(text(args, 0), "_.~!*'()-", false)))
}

/// Letters, digits and `kept` stay; the digits of the rest are lower case, as the documentation shows them.
fn encoded(text: &str, kept: &str, plus: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || kept.contains(c) {
            out.push(c);
        } else if c == ' ' && plus {
            out.push('+');
        } else {
            let _ = write!(out, "%{byte:02x}");
        }
    }
    out
}

/// Kusto: "parse_url()", of an absolute URL (RFC 3986). Parts that it does not have are `""`.
fn parse_url(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let url = text(args, 0);
    let (before, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (before, query) = before.split_once('?').unwrap_or((before, ""));
    let parts = before.split_once(':').filter(|(scheme, _)| is_scheme(scheme));
    let (scheme, rest) = parts.unwrap_or_default();
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or_default(),
        None => ("", rest),
    };
    let (user, host) = authority.split_once('@').unwrap_or(("", authority));
    let (username, password) = user.split_once(':').unwrap_or((user, ""));
    // The colons of an IPv6 address stand in brackets.
    let bracket = host.starts_with('[').then(|| host.find(']')).flatten().map_or(0, |at| at + 1);
    let colon = host.get(bracket..).and_then(|t| t.find(':')).map_or(host.len(), |at| bracket + at);
    let (host, port) = host.split_at_checked(colon).unwrap_or_default();
    let port = port.strip_prefix(':').filter(|p| p.bytes().all(|b| b.is_ascii_digit())).unwrap_or_default();
    let members = [
        ("Scheme", scheme),
        ("Host", host),
        ("Port", port),
        ("Path", path),
        ("Username", username),
        ("Password", password),
    ];
    let mut bag: IndexMap<SmolStr, Json> =
        members.into_iter().map(|(name, part)| (name.into(), Json::String(part.into()))).collect();
    bag.insert("Query Parameters".into(), parameters(query));
    bag.insert("Fragment".into(), Json::String(fragment.into()));
    Ok(Value::dynamic(Json::Object(bag)))
}

pub(super) fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Kusto: "parse_urlquery()".
fn parse_urlquery(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let bag = [("Query Parameters".into(), parameters(text(args, 0)))];
    Ok(Value::dynamic(Json::Object(bag.into_iter().collect())))
}

/// The parameters of a query as they stand, not decoded; of a repeated name the last one counts.
fn parameters(query: &str) -> Json {
    let mut bag: IndexMap<SmolStr, Json> = IndexMap::new();
    for pair in query.split('&').rev().filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        bag.entry(name.into()).or_insert_with(|| Json::String(value.into()));
    }
    bag.reverse();
    Json::Object(bag)
}
