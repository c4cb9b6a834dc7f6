//! Regular expressions: Sigma's flavour is PCRE-like, the IR's is RE2.
//!
//! In: a pattern. Out: the same language as RE2 writes it, in a spelling that other engines of that family read alike;
//! or what it uses that RE2 has not (look-around, back references, possessive and atomic groups).

use regex_syntax::ast::{self, Ast, ErrorKind, Flag, FlagsItemKind, GroupKind};

/// RE2 repeats no more often than this.
const MAX_REPEAT: u32 = 1000;

/// The pattern with the letters of its flags, or why it has no meaning here.
pub(super) fn translate(pattern: &str, flags: &str) -> Result<String, String> {
    let spelled = respell(pattern)?;
    // Recursion is bounded by the parser's own limit on nesting.
    let ast = ast::parse::Parser::new().parse(&spelled).map_err(|e| reason(e.kind(), &e))?;
    ast::visit(&ast, Check)?;
    Ok(if flags.is_empty() { spelled } else { format!("(?{flags}){spelled}") })
}

fn reason(kind: &ErrorKind, error: &ast::Error) -> String {
    match kind {
        ErrorKind::UnsupportedLookAround => "it looks ahead or behind, which RE2 has not".to_owned(),
        ErrorKind::UnsupportedBackreference => "it refers back to a group, which RE2 has not".to_owned(),
        _ => format!("{}", error.kind()),
    }
}

struct Check;

impl ast::Visitor for Check {
    type Output = ();
    type Err = String;

    fn finish(self) -> Result<(), String> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), String> {
        let flags = match ast {
            Ast::Flags(set) => Some(&set.flags),
            Ast::Group(group) => match &group.kind {
                GroupKind::NonCapturing(flags) => Some(flags),
                GroupKind::CaptureIndex(_) | GroupKind::CaptureName { .. } => None,
            },
            Ast::Repetition(repetition) => {
                return match &repetition.op.kind {
                    ast::RepetitionKind::Range(range) => check_range(range),
                    ast::RepetitionKind::ZeroOrOne
                    | ast::RepetitionKind::ZeroOrMore
                    | ast::RepetitionKind::OneOrMore => Ok(()),
                };
            }
            _ => None,
        };
        for item in flags.iter().flat_map(|f| &f.items) {
            match item.kind {
                FlagsItemKind::Flag(Flag::Unicode | Flag::CRLF | Flag::IgnoreWhitespace) => {
                    return Err("it sets a flag that RE2 has not".to_owned());
                }
                FlagsItemKind::Negation
                | FlagsItemKind::Flag(
                    Flag::CaseInsensitive | Flag::MultiLine | Flag::DotMatchesNewLine | Flag::SwapGreed,
                ) => {}
            }
        }
        Ok(())
    }
}

fn check_range(range: &ast::RepetitionRange) -> Result<(), String> {
    let most = match range {
        ast::RepetitionRange::Exactly(n) | ast::RepetitionRange::AtLeast(n) => *n,
        ast::RepetitionRange::Bounded(_, n) => *n,
    };
    if most > MAX_REPEAT {
        Err(format!("it repeats more than {MAX_REPEAT} times, which RE2 does not"))
    } else {
        Ok(())
    }
}

/// Writes literal signs so that no engine of the family takes them for something else.
fn respell(pattern: &str) -> Result<String, String> {
    let chars: Vec<char> = pattern.chars().collect();
    let at = |i: usize| chars.get(i).copied();
    let mut out = String::with_capacity(pattern.len());
    let mut i = 0;
    // Whether what stands before is a quantifier: a `+` behind it makes it possessive.
    let mut quantified = false;
    while let Some(c) = at(i) {
        let mut quantifier = false;
        match c {
            '\\' => {
                let Some(next) = at(i + 1) else { return Err("it ends in a backslash".to_owned()) };
                escaped(next, "\\.+*?()|[]{}^$", &mut out);
                i += 2;
            }
            '[' => i = class(&chars, i, &mut out)?,
            '{' => {
                let length = repetition(chars.get(i..).unwrap_or(&[]));
                quantifier = length > 0;
                if quantifier {
                    out.extend(chars.get(i..i + length).unwrap_or(&[]));
                    i += length;
                } else {
                    out.push_str("\\{");
                    i += 1;
                }
            }
            '+' if quantified => return Err("it has a possessive quantifier, which RE2 has not".to_owned()),
            '(' if at(i + 1) == Some('?') && at(i + 2) == Some('>') => {
                return Err("it has an atomic group, which RE2 has not".to_owned());
            }
            _ => {
                // A `?` behind a quantifier makes it lazy; no quantifier can follow that.
                quantifier = matches!(c, '*' | '+') || c == '?' && !quantified && !out.ends_with('(');
                out.push(c);
                i += 1;
            }
        }
        quantified = quantifier;
    }
    Ok(out)
}

/// An escape: kept where it is one, dropped before signs that mean themselves.
fn escaped(next: char, signs: &str, out: &mut String) {
    if next.is_ascii_alphanumeric() || signs.contains(next) {
        out.push('\\');
    }
    out.push(next);
}

/// A class in brackets from `start`; gives the place behind it.
fn class(chars: &[char], start: usize, out: &mut String) -> Result<usize, String> {
    let at = |i: usize| chars.get(i).copied();
    let mut i = start + 1;
    out.push('[');
    if at(i) == Some('^') {
        out.push('^');
        i += 1;
    }
    let first = i;
    while let Some(c) = at(i) {
        match c {
            ']' if i > first => {
                out.push(']');
                return Ok(i + 1);
            }
            ']' => out.push_str("\\]"),
            '[' if at(i + 1) == Some(':') => {
                let name: String = chars.iter().skip(i).take_while(|c| **c != ']').collect();
                if name.ends_with(':') && name.len() > 2 {
                    out.push_str(&name);
                    out.push(']');
                    i += name.chars().count() + 1;
                    continue;
                }
                out.push_str("\\[");
            }
            '[' => out.push_str("\\["),
            // Rust's engine has operators on classes: `&&`, `--`, `~~`.
            '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '-' if at(i + 1) == Some('-') || i > first && at(i - 1) == Some('-') => out.push_str("\\-"),
            '\\' => {
                let Some(next) = at(i + 1) else { break };
                escaped(next, "\\[]^-&~", out);
                i += 1;
            }
            _ => out.push(c),
        }
        i += 1;
    }
    Err("a `[` is not closed".to_owned())
}

/// How long a `{n,m}` at the start is; 0 if it is none.
fn repetition(chars: &[char]) -> usize {
    let Some(close) = chars.iter().take(16).position(|c| *c == '}') else { return 0 };
    let inner: String = chars.iter().take(close).skip(1).collect();
    let (low, high) = inner.split_once(',').unwrap_or((&inner, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if !low.is_empty() && digits(low) && digits(high) { close + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_or_respelled() {
        let cases = [
            (r"a\.b", r"a\.b"),
            (r"\/x\-y\_z", "/x-y_z"),
            (r"[a[b]", r"[a\[b]"),
            (r"[]a]", r"[\]a]"),
            (r"[^]]", r"[^\]]"),
            (r"[[:alpha:]-]", "[[:alpha:]-]"),
            (r"[\w\-.]", r"[\w\-.]"),
            ("a{b", r"a\{b"),
            ("a{2,}?b", "a{2,}?b"),
            (r"(?i)a+?", r"(?i)a+?"),
            (r"(?:a?)b", r"(?:a?)b"),
            (r"\<a\>", "<a>"),
        ];
        for (pattern, wanted) in cases {
            assert_eq!(translate(pattern, "").as_deref(), Ok(wanted), "{pattern}");
        }
        assert_eq!(translate("a", "im").as_deref(), Ok("(?im)a"));
    }

    #[test]
    fn refused() {
        for pattern in [
            "(?=a)b", "(?<!a)b", r"(a)\1", "a++", "a*+b", "(?>a)", "[a", "a{1001}", "(?x)a", "(", r"a\",
            "a{2}+",
        ] {
            assert!(translate(pattern, "").is_err(), "{pattern}");
        }
    }
}
