//! Strings: parts, searches, replacements, characters.
//!
//! A character is a Unicode code point. What is not a string is taken as its text (`tostring()`).

use super::{Call, Scalar, long, text};
use crate::Value;
use crate::expr::shown;
use crate::fault::{Fault, Result};
use crate::matching::{fold, fold_char, term};
use ruleferry_diag::codes;
use ruleferry_ir::{Json, Type};
use rustc_hash::FxHashMap;
use smol_str::{SmolStr, SmolStrBuilder};

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("has_any_index", has_any_index),
    ("indexof", index_of),
    ("isascii", is_ascii),
    ("isutf8", is_utf8),
    ("replace_string", replace_string),
    ("replace_strings", replace_strings),
    ("reverse", reverse),
    ("split", split),
    ("strcat", concat),
    ("strcat_array", concat_array),
    ("strcat_delim", concat_delimited),
    ("strcmp", string_compare),
    ("string_size", string_size),
    ("strlen", string_length),
    ("strrep", string_repeat),
    ("substring", substring),
    ("tohex", to_hex),
    ("tolower", to_lower),
    ("toupper", to_upper),
    ("translate", translate),
    ("unicode_codepoints_from_string", codepoints_from_string),
    ("unicode_codepoints_to_string", codepoints_to_string),
];

/// Bytes of a text that one call may make; Kusto cuts strings at 1 MB.
pub(super) const MAX_TEXT: usize = 64 << 20;

/// The text of an argument of any type; `""` where it is missing or null.
pub(super) fn shown_arg(args: &[Value], index: usize) -> SmolStr {
    args.get(index).map(shown).unwrap_or_default()
}

/// A fault where a text gets too long.
pub(super) fn check_size(call: &Call<'_>, bytes: usize) -> Result<()> {
    if bytes <= MAX_TEXT {
        return Ok(());
    }
    let message = format!("`{}` makes a text of more than {} MB", call.name, MAX_TEXT >> 20);
    Err(Fault::new(codes::EVAL_LIMIT, call.span, message))
}

/// A number of characters or elements.
pub(super) fn count(n: usize) -> Value {
    Value::Long(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Byte offset of a character counted from 0; the end of the text where it has fewer.
pub(super) fn offset(text: &str, character: usize) -> usize {
    if text.is_ascii() {
        return character.min(text.len());
    }
    text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
}

pub(super) fn characters(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

fn string_length(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(count(characters(&shown_arg(args, 0))))
}

fn string_size(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(count(shown_arg(args, 0).len()))
}

/// A negative start counts from the end.
fn substring(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let text = shown_arg(args, 0);
    let Some(start) = long(args, 1) else { return Ok(Value::EMPTY) };
    let length = match args.get(2) {
        None => i64::MAX,
        Some(_) => match long(args, 2) {
            Some(n) => n,
            None => return Ok(Value::EMPTY),
        },
    };
    let Ok(length) = usize::try_from(length) else { return Ok(Value::EMPTY) };
    let from = offset(&text, from_either_end(start, &text));
    let rest = text.get(from..).unwrap_or_default();
    Ok(Value::string(rest.get(..offset(rest, length)).unwrap_or_default()))
}

/// A place in a text, counted from its end where it is negative, never before its start.
fn from_either_end(start: i64, text: &str) -> usize {
    if start >= 0 {
        return usize::try_from(start).unwrap_or(usize::MAX);
    }
    let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
    characters(text).saturating_sub(back)
}

/// Kusto: "indexof()": null for a length below -1 or an occurrence below 0.
fn index_of(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (text, wanted) = (shown_arg(args, 0), shown_arg(args, 1));
    let Some(window) = Window::of(args, &text) else { return Ok(Value::Null) };
    let found = match window.nth {
        1 => window.text.find(wanted.as_str()),
        nth => occurrence(overlapping(window.text, &wanted).into_iter(), nth),
    };
    Ok(found.map_or(Value::Long(-1), |at| {
        count(window.first + characters(window.text.get(..at).unwrap_or_default()))
    }))
}

/// The part of a text that a search looks at, and which of its finds is wanted.
pub(super) struct Window<'t> {
    pub text: &'t str,
    /// How many characters stand before it.
    pub first: usize,
    /// From 1; 0 finds nothing.
    pub nth: usize,
}

impl<'t> Window<'t> {
    /// From the arguments start, length and occurrence, the third and on; `None` where they are out of range.
    pub fn of(args: &[Value], text: &'t str) -> Option<Self> {
        let or = |index: usize, default: i64| match args.get(index) {
            None => Some(default),
            Some(_) => long(args, index),
        };
        let (start, length, nth) = (or(2, 0)?, or(3, -1)?, or(4, 1)?);
        let nth = usize::try_from(nth).ok()?;
        if length < -1 {
            return None;
        }
        let first = from_either_end(start, text).min(characters(text));
        let rest = text.get(offset(text, first)..).unwrap_or_default();
        let end = usize::try_from(length).map_or(rest.len(), |n| offset(rest, n));
        Some(Self { text: rest.get(..end).unwrap_or_default(), first, nth })
    }
}

/// The n-th of some finds, counted from 1.
pub(super) fn occurrence(finds: impl Iterator<Item = usize>, nth: usize) -> Option<usize> {
    let skip = nth.checked_sub(1)?;
    finds.into_iter().nth(skip)
}

/// Byte offsets of all places where a text has a word; they may overlap. An empty word is at each character.
///
/// Source: Knuth, Morris, Pratt, "Fast Pattern Matching in Strings", SIAM J. Comput. 6 (1977).
pub(super) fn overlapping(text: &str, word: &str) -> Vec<usize> {
    if word.is_empty() {
        return text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    }
    let word = word.as_bytes();
    // For each start of the word: how long an end of it is that is a start, too.
    let mut shorter: Vec<usize> = vec![0];
    let mut matched = 0;
    let step = |byte: u8, matched: usize, shorter: &[usize]| {
        let mut matched = matched;
        while word.get(matched) != Some(&byte) {
            match matched.checked_sub(1) {
                Some(last) => matched = shorter.get(last).copied().unwrap_or(0),
                None => return 0,
            }
        }
        matched + 1
    };
    for byte in word.iter().skip(1) {
        matched = step(*byte, matched, &shorter);
        shorter.push(matched);
    }
    let mut found = Vec::new();
    matched = 0;
    for (at, byte) in text.bytes().enumerate() {
        matched = step(byte, matched, &shorter);
        if matched == word.len() {
            found.push(at + 1 - matched);
        }
    }
    found
}

/// Kusto: "has_any_index()": the first word of the list, not the first in the text.
fn has_any_index(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let text = fold(&shown_arg(args, 0));
    let words = args.get(1).and_then(Value::as_array).unwrap_or_default();
    let found = words.iter().position(|w| term(&text, &fold(&shown(&Value::of_json(w))), true, true));
    Ok(found.map_or(Value::Long(-1), count))
}

fn is_ascii(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(Value::Bool(shown_arg(args, 0).is_ascii()))
}

/// Strings are UTF-8 by construction here.
fn is_utf8(_: &Call<'_>, _: &[Value]) -> Result<Value> {
    Ok(Value::TRUE)
}

fn replace_string(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (subject, word, rewrite) = (text(args, 0), text(args, 1), text(args, 2));
    if word.is_empty() {
        return Ok(Value::string(subject));
    }
    check_size(
        call,
        subject.len().saturating_add(subject.matches(word).count().saturating_mul(rewrite.len())),
    )?;
    Ok(Value::string(subject.replace(word, rewrite)))
}

/// Kusto: "replace_strings()": words are looked for one after the other, never inside of what has been put in. Elements that are
/// no strings are passed over.
fn replace_strings(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let subject = text(args, 0);
    let words = args.get(1).and_then(Value::as_array).unwrap_or_default();
    let rewrites = args.get(2).and_then(Value::as_array).unwrap_or_default();
    // Pieces of the text, and which of them are put in.
    let mut pieces: Vec<(bool, &str)> = vec![(false, subject)];
    for (word, rewrite) in words.iter().zip(rewrites) {
        let (Json::String(word), Json::String(rewrite)) = (word, rewrite) else { continue };
        if word.is_empty() {
            continue;
        }
        let mut next = Vec::with_capacity(pieces.len());
        for (done, piece) in pieces {
            if done {
                next.push((true, piece));
                continue;
            }
            for (i, part) in piece.split(word.as_str()).enumerate() {
                if i > 0 {
                    next.push((true, rewrite.as_str()));
                }
                next.push((false, part));
            }
        }
        pieces = next;
        check_size(call, pieces.iter().map(|(_, p)| p.len()).sum())?;
    }
    Ok(Value::string(pieces.into_iter().map(|(_, p)| p).collect::<String>()))
}

fn reverse(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(Value::string(shown_arg(args, 0).chars().rev().collect::<String>()))
}

/// An empty delimiter splits nothing (undocumented).
fn split(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let subject = shown_arg(args, 0);
    let delimiter = text(args, 1);
    let parts: Vec<&str> =
        if delimiter.is_empty() { vec![&subject] } else { subject.split(delimiter).collect() };
    let item = |part: &&str| Json::String((*part).into());
    Ok(Value::array(match args.get(2) {
        None => parts.iter().map(item).collect(),
        Some(_) => {
            let index = long(args, 2).and_then(|i| usize::try_from(i).ok());
            index.and_then(|i| parts.get(i)).map(item).into_iter().collect()
        }
    }))
}

fn concat(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    join(call, args.iter().map(shown), "")
}

fn concat_delimited(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let delimiter = shown_arg(args, 0);
    join(call, args.iter().skip(1).map(shown), &delimiter)
}

/// Elements that are null count as `""`; what is no array has none.
fn concat_array(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let delimiter = shown_arg(args, 1);
    let items = args.first().and_then(Value::as_array).unwrap_or_default();
    join(call, items.iter().map(|i| shown(&Value::of_json(i))), &delimiter)
}

fn join(call: &Call<'_>, parts: impl Iterator<Item = SmolStr>, delimiter: &str) -> Result<Value> {
    let mut out = String::new();
    for (i, part) in parts.enumerate() {
        if i > 0 {
            out.push_str(delimiter);
        }
        out.push_str(&part);
        check_size(call, out.len())?;
    }
    Ok(Value::string(out))
}

/// -1, 0 or 1, by code points.
fn string_compare(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let order = shown_arg(args, 0).as_str().cmp(shown_arg(args, 1).as_str());
    Ok(Value::Long(order as i64))
}

/// Kusto: "strrep()": at most 1024 times.
fn string_repeat(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    const MOST: i64 = 1024;
    let (subject, delimiter) = (shown_arg(args, 0), shown_arg(args, 2));
    let times = long(args, 1).unwrap_or(0).clamp(0, MOST);
    join(call, (0..times).map(|_| subject.clone()), &delimiter)
}

/// One character becomes one character; those that would become several stay (`ß`).
fn to_upper(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let text = shown_arg(args, 0);
    if text.is_ascii() {
        return Ok(Value::string(text.to_ascii_uppercase()));
    }
    let upper = |c: char| {
        let mut mapped = c.to_uppercase();
        match (mapped.next(), mapped.next()) {
            (Some(one), None) => one,
            _ => c,
        }
    };
    Ok(Value::string(text.chars().map(upper).collect::<String>()))
}

fn to_lower(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let text = shown_arg(args, 0);
    if text.is_ascii() {
        return Ok(Value::string(text.to_ascii_lowercase()));
    }
    Ok(Value::string(text.chars().map(fold_char).collect::<String>()))
}

/// Kusto: "translate()": the replacements are extended by their last character; without any, characters are taken out.
fn translate(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let mut wanted: FxHashMap<char, usize> = FxHashMap::default();
    for (i, c) in text(args, 0).chars().enumerate() {
        wanted.entry(c).or_insert(i);
    }
    let replacements: Vec<char> = text(args, 1).chars().collect();
    let replaced = |c: char| match wanted.get(&c) {
        None => Some(c),
        Some(i) => replacements.get(*i).or(replacements.last()).copied(),
    };
    Ok(Value::string(text(args, 2).chars().filter_map(replaced).collect::<String>()))
}

fn codepoints_from_string(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(Value::array(shown_arg(args, 0).chars().map(|c| Json::Long(i64::from(u32::from(c)))).collect()))
}

/// Numbers and arrays of numbers; a number that is no code point is U+FFFD.
fn codepoints_to_string(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let mut out = SmolStrBuilder::new();
    let mut put = |n: i64| {
        out.push(u32::try_from(n).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER));
    };
    for (i, arg) in args.iter().enumerate() {
        match arg.as_array() {
            Some(items) => {
                items.iter().filter_map(|item| Value::of_json(item).as_real()).for_each(|x| put(x as i64))
            }
            None => long(args, i).into_iter().for_each(&mut put),
        }
    }
    Ok(Value::String(out.finish()))
}

/// Two's complement, of 32 bits for an `int`.
fn to_hex(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    // More digits than a number has would only be zeros without end.
    const MOST: i64 = 1024;
    let digits = match args.first() {
        Some(Value::Int(n)) => format!("{n:x}"),
        Some(value) => match value.as_long() {
            Some(n) => format!("{n:x}"),
            None => return Ok(Value::EMPTY),
        },
        None => return Ok(Value::EMPTY),
    };
    let width = usize::try_from(long(args, 1).unwrap_or(0).clamp(0, MOST)).unwrap_or(0);
    Ok(Value::string(format!("{digits:0>width$}")))
}

/// Whether the expression of an argument is a string; a null of it reads as `""`.
pub(super) fn is_string(call: &Call<'_>, index: usize) -> bool {
    call.arg_type(index) == Type::String
}
