//! Regular expressions, compiled once for each pattern.
//!
//! Kusto: "Regex syntax". Its syntax is that of the `regex` crate, with octal escapes: patterns are taken as they are. Kusto's
//! syntax was RE2's until 2024 ("RE2 syntax"), which takes some characters as themselves that are an error now: a pattern that
//! is valid only there is read so.

use super::strings::{Window, characters, check_size, count, occurrence, overlapping, shown_arg};
use super::{Call, Scalar, long, text};
use crate::cast::cast;
use crate::fault::{Fault, Result};
use crate::{Value, json};
use ::regex::{Captures, Regex};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{Json, Type};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::cell::RefCell;
use std::rc::Rc;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("countof", count_of),
    ("extract", extract),
    ("extract_all", extract_all),
    ("extract_json", extract_json),
    ("indexof_regex", index_of_regex),
    ("regex_quote", regex_quote),
    ("replace_regex", replace_regex),
    ("trim", trim),
    ("trim_end", trim),
    ("trim_start", trim),
];

/// Compiled patterns of one run, those that ignore case apart.
#[derive(Debug, Default)]
pub(crate) struct Regexes {
    compiled: [RefCell<FxHashMap<String, Option<Rc<Regex>>>>; 2],
}

/// Compiled size of one pattern, in bytes.
const MAX_SIZE: usize = 16 << 20;

/// Patterns kept at once; those of a rule are few, those out of the data may be as many as its rows.
const MAX_KEPT: usize = 1000;

impl Regexes {
    /// A pattern, found anywhere in a text. A pattern that is not valid is a fault at `span`.
    pub fn get(&self, pattern: &str, fold_case: bool, span: Span) -> Result<Rc<Regex>> {
        self.find(pattern, fold_case).ok_or_else(|| {
            let message = format!("`{pattern}` is not a valid regular expression");
            Fault::new(codes::EVAL_REGEX, span, message)
                .help("patterns have no look-around and no back references")
        })
    }

    /// The same for a pattern out of the data, where an invalid one matches nothing.
    pub fn find(&self, pattern: &str, fold_case: bool) -> Option<Rc<Regex>> {
        let [sensitive, insensitive] = &self.compiled;
        let compiled = if fold_case { insensitive } else { sensitive };
        if let Some(found) = compiled.borrow().get(pattern) {
            return found.clone();
        }
        let compile = |pattern: &str| {
            let mut builder = ::regex::RegexBuilder::new(pattern);
            builder.case_insensitive(fold_case).octal(true).size_limit(MAX_SIZE).build().ok()
        };
        let regex = compile(&as_in_re2(pattern)).or_else(|| compile(pattern)).map(Rc::new);
        let mut compiled = compiled.borrow_mut();
        if compiled.len() >= MAX_KEPT {
            compiled.clear();
        }
        compiled.insert(pattern.to_owned(), regex.clone());
        regex
    }
}

/// A pattern with a backslash before what only RE2 takes as itself: `{` that is no repetition (`{ 2}`), `[`, `&` and `~` in a
/// class. `\Q…\E` is spelled out, and `\<` and `\>` are the characters.
pub fn as_in_re2(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let mut class = false;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix(r"\Q") {
            let (literal, tail) = after.split_once(r"\E").unwrap_or((after, ""));
            out.push_str(&::regex::escape(literal));
            rest = tail;
            continue;
        }
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        let taken = match c {
            // A border of a word today.
            '\\' if tail.starts_with(['<', '>']) => {
                rest = tail;
                continue;
            }
            '\\' => {
                // An escape, with its braces: `\x{7F}`, `\p{L}`.
                let escaped = tail.chars().next().map_or(0, char::len_utf8);
                let after = tail.get(escaped..).unwrap_or_default();
                let braces = tail.starts_with(['x', 'p', 'P']) && after.starts_with('{');
                1 + escaped + after.find('}').filter(|_| braces).map_or(0, |at| at + 1)
            }
            '[' if !class => {
                class = true;
                // A bracket right at the start of a class is one of its characters.
                let negated = usize::from(tail.starts_with('^'));
                1 + negated + usize::from(tail.get(negated..).is_some_and(|t| t.starts_with(']')))
            }
            '[' if tail.starts_with(':') => rest.find(":]").map_or(1, |at| at + 2),
            '[' | '&' | '~' if class => {
                out.push('\\');
                1
            }
            ']' => {
                class = false;
                1
            }
            '{' if !class && !is_repetition(tail) => {
                out.push('\\');
                1
            }
            c => c.len_utf8(),
        };
        let (piece, tail) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        out.push_str(piece);
        rest = tail;
    }
    out
}

/// Whether `{` before a text is a repetition: `3}`, `3,}`, `3,5}`.
fn is_repetition(text: &str) -> bool {
    text.split_once('}').is_some_and(|(inside, _)| {
        let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        !least.is_empty() && digits(least) && digits(most)
    })
}

/// The pattern of an argument.
fn pattern(call: &Call<'_>, args: &[Value], index: usize) -> Result<Rc<Regex>> {
    let span = call.args.get(index).map_or(call.span, |a| a.span);
    let written = shown_arg(args, index);
    // A pattern out of the data that is none finds nothing: one bad row stops no rule.
    if !call.args.get(index).is_some_and(is_fixed) && call.regexes.find(&written, false).is_none() {
        return call.regexes.get(NEVER, false, span);
    }
    call.regexes.get(&written, false, span)
}

/// The text of a group, `""` where it took no part or is not there.
fn group<'t>(captures: &Captures<'t>, index: usize) -> &'t str {
    captures.get(index).map_or("", |m| m.as_str())
}

/// What is found, as the type that the call asks for.
fn typed(call: &Call<'_>, found: &str) -> Value {
    let value = Value::string(found);
    if matches!(call.ty, Type::String | Type::Unknown) { value } else { cast(&value, call.ty) }
}

/// Kusto: "extract()".
fn extract(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let regex = pattern(call, args, 0)?;
    let index = long(args, 1).and_then(|n| usize::try_from(n).ok());
    let captures = regex.captures(text(args, 2));
    let found = captures.zip(index).map_or("", |(c, i)| group(&c, i));
    Ok(typed(call, found))
}

/// Kusto: "extract_all()": of one group its texts, of several an array for each match; null without a match.
fn extract_all(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let regex = pattern(call, args, 0)?;
    let subject = text(args, args.len().saturating_sub(1));
    let groups = match args {
        [_, wanted, _] => wanted_groups(&regex, wanted),
        _ => (1..regex.captures_len()).collect(),
    };
    if groups.is_empty() {
        return Err(call.fault(0, "`extract_all` wants a pattern with a capture group"));
    }
    let item = |captures: &Captures<'_>, i: &usize| Json::String(group(captures, *i).into());
    let found: Vec<Json> = regex
        .captures_iter(subject)
        .map(|captures| match groups.as_slice() {
            [one] => item(&captures, one),
            several => Json::Array(several.iter().map(|i| item(&captures, i)).collect()),
        })
        .collect();
    Ok(if found.is_empty() { Value::Null } else { Value::array(found) })
}

/// A pattern that fits nothing.
const NEVER: &str = r"[^\s\S]";

/// Whether an expression is the same in every row because it is written so.
pub(crate) const fn is_fixed(e: &ruleferry_ir::Expr) -> bool {
    matches!(e.kind, ruleferry_ir::ExprKind::Literal(_) | ruleferry_ir::ExprKind::Let(_))
}

/// Capture groups by their number or name; one that the pattern does not have is empty in every match.
fn wanted_groups(regex: &Regex, wanted: &Value) -> Vec<usize> {
    let items = wanted.as_array().unwrap_or_default();
    let index_of = |item: &Json| match item {
        Json::String(name) => regex.capture_names().position(|n| n == Some(name.as_str())),
        Json::Long(n) => usize::try_from(*n).ok().filter(|n| (1..regex.captures_len()).contains(n)),
        _ => None,
    };
    items.iter().map(|item| index_of(item).unwrap_or(usize::MAX)).collect()
}

/// Kusto: "extract_json()".
fn extract_json(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let path = text(args, 0);
    let Some(steps) = json_path(path) else {
        return Err(call.fault(0, format!("`{path}` is not a path that can be followed")));
    };
    let parsed = match args.get(1) {
        Some(Value::Dynamic(json)) if !matches!(**json, Json::String(_)) => Some((**json).clone()),
        Some(value) => value.text().and_then(json::parse),
        None => None,
    };
    let mut at = parsed.as_ref();
    for step in &steps {
        at = at.and_then(|json| match (json, step) {
            (Json::Object(members), Step::Member(name)) => members.get(name),
            (Json::Array(items), Step::Element(index)) => items.get(*index),
            _ => None,
        });
    }
    let found = at.map_or(Value::Null, Value::of_json);
    let ty = if call.ty == Type::Unknown { Type::String } else { call.ty };
    Ok(match cast(&found, ty) {
        Value::Null if ty == Type::String => Value::EMPTY,
        value => value,
    })
}

enum Step {
    Member(SmolStr),
    Element(usize),
}

/// `$.a.b[0]['c']`. Kusto: "JSONPath expressions"; wildcards are not among what is followed here.
fn json_path(path: &str) -> Option<Vec<Step>> {
    let mut rest =
        path.strip_prefix('$').filter(|r| r.is_empty() || r.starts_with(['.', '['])).unwrap_or(path);
    // `a.b` without the root; `$a` is a name of its own.
    if rest.len() == path.len() && !path.starts_with(['.', '[']) && !path.is_empty() {
        return json_path(&format!("$.{path}"));
    }
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, tail) = after.split_at_checked(end)?;
            if name.is_empty() || name == "*" {
                return None;
            }
            steps.push(Step::Member(name.into()));
            rest = tail;
            continue;
        }
        let after = rest.strip_prefix('[')?;
        if let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let (name, tail) = after.strip_prefix(quote)?.split_once(quote)?;
            steps.push(Step::Member(name.into()));
            rest = tail.strip_prefix(']')?;
        } else {
            let (index, tail) = after.split_once(']')?;
            steps.push(Step::Element(index.trim().parse().ok()?));
            rest = tail;
        }
    }
    Some(steps)
}

/// Kusto: "indexof_regex()": null for a start or an occurrence below 0, or a length below -1.
fn index_of_regex(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let regex = pattern(call, args, 1)?;
    let subject = shown_arg(args, 0);
    if long(args, 2).is_some_and(|start| start < 0) {
        return Ok(Value::Null);
    }
    let Some(window) = Window::of(args, &subject) else { return Ok(Value::Null) };
    let found = occurrence(regex.find_iter(window.text).map(|m| m.start()), window.nth);
    let place = |at: usize| count(window.first + characters(window.text.get(..at).unwrap_or_default()));
    Ok(found.map_or(Value::Long(-1), place))
}

/// Kusto: "countof()": plain places may overlap, matches of a pattern don't.
fn count_of(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let subject = text(args, 0);
    match text(args, 2) {
        "" | "normal" => Ok(count(overlapping(subject, text(args, 1)).len())),
        "regex" => Ok(count(pattern(call, args, 1)?.find_iter(subject).count())),
        other => Err(call.fault(2, format!("`{other}` is no kind of `countof`: `normal` or `regex`"))),
    }
}

fn regex_quote(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(Value::string(::regex::escape(&shown_arg(args, 0))))
}

/// Kusto: "replace_regex()": `\0` to `\9` stand for the match and its groups, `\\` for a backslash.
fn replace_regex(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let regex = pattern(call, args, 1)?;
    let (subject, rewrite) = (text(args, 0), text(args, 2));
    let mut out = String::with_capacity(subject.len());
    let mut from = 0;
    for captures in regex.captures_iter(subject) {
        let Some(found) = captures.get(0) else { continue };
        out.push_str(subject.get(from..found.start()).unwrap_or_default());
        let mut chars = rewrite.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some(digit @ '0'..='9') => {
                    let index = digit.to_digit(10).and_then(|d| usize::try_from(d).ok()).unwrap_or(0);
                    out.push_str(group(&captures, index));
                }
                Some('\\') | None => out.push('\\'),
                Some(other) => out.extend(['\\', other]),
            }
        }
        check_size(call, out.len())?;
        from = found.end();
    }
    out.push_str(subject.get(from..).unwrap_or_default());
    Ok(Value::string(out))
}

/// `trim`, `trim_start`, `trim_end`: without the matches at the ends.
fn trim(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (written, subject) = (text(args, 0), text(args, 1));
    // The pattern by itself has to be valid, also where brackets around it would make it so.
    pattern(call, args, 0)?;
    let mut subject = subject;
    if call.name != "trim_end" {
        let start = call.regexes.get(&format!(r"\A(?:{written})+"), false, call.span)?;
        if let Some(found) = start.find(subject) {
            subject = subject.get(found.end()..).unwrap_or_default();
        }
    }
    if call.name != "trim_start" {
        let end = call.regexes.get(&format!(r"(?:{written})+\z"), false, call.span)?;
        if let Some(found) = end.find(subject) {
            subject = subject.get(..found.start()).unwrap_or_default();
        }
    }
    Ok(Value::string(subject))
}

#[cfg(test)]
mod tests {
    use super::as_in_re2;

    #[test]
    fn what_only_re2_takes_gets_a_backslash() {
        for (given, wanted) in [
            (r"a{2}b{3,}c{d}", r"a{2}b{3,}c\{d}"),
            (r"[a[b][[:alpha:]][]x[]", r"[a\[b][[:alpha:]][]x\[]"),
            (r"\x{41}\{[^]{]", r"\x{41}\{[^]{]"),
            (r"\Qa.b\Ec.", r"a\.bc."),
            (r"é{é", r"é\{é"),
            (r"[\<\]]\>", r"[<\]]>"),
        ] {
            assert_eq!(as_in_re2(given), wanted, "{given}");
        }
    }
}
