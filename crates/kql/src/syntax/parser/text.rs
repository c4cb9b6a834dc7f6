//! String tokens to values.

use smol_str::SmolStr;

use super::super::literal::{StringForm, StringLiteral};
use super::super::token::TokenKind;
use super::Parser;

impl Parser<'_> {
    /// One or more adjacent strings; the current token is one.
    pub(super) fn string_literal(&mut self) -> StringLiteral {
        let mut whole = decode(self.text_of(self.token()));
        self.advance();
        if !self.at(TokenKind::Str) {
            return whole;
        }
        let mut value = String::from(whole.value);
        while self.at(TokenKind::Str) {
            let next = decode(self.text_of(self.token()));
            self.advance();
            value.push_str(&next.value);
            whole.obfuscated |= next.obfuscated;
            if whole.form != next.form {
                whole.form = StringForm::Regular;
            }
        }
        whole.value = SmolStr::from(value);
        if !whole.form.can_hold(&whole.value) {
            whole.form = StringForm::Regular;
        }
        whole
    }
}

/// The value and form of a string token, its closing quote may be missing.
pub(super) fn decode(token: &str) -> StringLiteral {
    let mut literal = decode_as_written(token);
    // Hidden characters are shown as escapes, which only the regular form has.
    if !literal.form.can_hold(&literal.value) {
        literal.form = StringForm::Regular;
    }
    literal
}

fn decode_as_written(token: &str) -> StringLiteral {
    let (obfuscated, rest) = match token.strip_prefix(['h', 'H']) {
        Some(rest) => (true, rest),
        None => (false, token),
    };
    let (verbatim, rest) = match rest.strip_prefix('@') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    for mark in ["```", "~~~"] {
        if let Some(content) = rest.strip_prefix(mark) {
            let content = content.strip_suffix(mark).unwrap_or(content);
            return StringLiteral { value: SmolStr::new(content), form: StringForm::Multiline, obfuscated };
        }
    }
    let mark = if rest.starts_with('\'') { '\'' } else { '"' };
    let content = rest.strip_prefix(mark).unwrap_or(rest);
    let content = content.strip_suffix(mark).unwrap_or(content);
    if verbatim {
        let doubled = if mark == '"' { "\"\"" } else { "''" };
        let value = if content.contains(doubled) {
            SmolStr::from(content.replace(doubled, if mark == '"' { "\"" } else { "'" }))
        } else {
            SmolStr::new(content)
        };
        return StringLiteral { value, form: StringForm::Verbatim, obfuscated };
    }
    let value = if memchr::memchr(b'\\', content.as_bytes()).is_some() {
        SmolStr::from(unescape(content))
    } else {
        SmolStr::new(content)
    };
    StringLiteral { value, form: StringForm::Regular, obfuscated }
}

/// Resolves the escapes of a regular string. Unknown ones, which the lexer has reported, stay as they are.
fn unescape(content: &str) -> String {
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let len = super::super::lexer::escape_len(escape.as_bytes()).unwrap_or(1);
        let (this, after) = escape.split_at_checked(len).unwrap_or((escape, ""));
        rest = after;
        match this.as_bytes().get(1) {
            None => out.push('\\'),
            Some(b'a') => out.push('\u{7}'),
            Some(b'b') => out.push('\u{8}'),
            Some(b'f') => out.push('\u{C}'),
            Some(b'n') => out.push('\n'),
            Some(b'r') => out.push('\r'),
            Some(b't') => out.push('\t'),
            Some(b'v') => out.push('\u{B}'),
            Some(b'u') => rest = push_utf16(&mut out, this, rest),
            Some(b'U' | b'x') => out.push(code_point(this.get(2..), 16)),
            Some(b'0'..=b'7') => out.push(code_point(this.get(1..), 8)),
            Some(other) => out.push(char::from(*other)),
        }
    }
    out.push_str(rest);
    out
}

fn code_point(digits: Option<&str>, radix: u32) -> char {
    let number = digits.and_then(|d| u32::from_str_radix(d, radix).ok());
    number.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `\uXXXX`, or two of them that make one character; gives what follows.
fn push_utf16<'t>(out: &mut String, this: &str, rest: &'t str) -> &'t str {
    let unit = |s: &str| s.get(2..6).and_then(|d| u16::from_str_radix(d, 16).ok());
    let Some(first) = unit(this) else { return rest };
    let second = rest.strip_prefix("\\u").and(unit(rest));
    if let Some(second) = second
        && let Some(Ok(c)) = char::decode_utf16([first, second]).next()
        && (0xD800..0xDC00).contains(&first)
    {
        out.push(c);
        return rest.get(6..).unwrap_or("");
    }
    out.push(char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER));
    rest
}
