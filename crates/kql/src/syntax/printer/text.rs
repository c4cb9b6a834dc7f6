//! Names, strings and other leaves as text that reads back as the same leaf, whatever characters they hold.

use std::fmt::Write;

use super::super::keyword;
use super::super::literal::{ScalarType, StringForm, StringLiteral, TypedLiteral, is_hidden};

/// Keywords that read well without brackets, and that Microsoft's parser takes as a name anywhere.
const PLAIN_KEYWORDS: &[&str] = &[
    "access",
    "alias",
    "bin",
    "bool",
    "count",
    "database",
    "dataformat",
    "edges",
    "graph",
    "guid",
    "id",
    "nodes",
    "output",
    "pack",
    "pattern",
    "plotly",
    "range",
    "regex",
    "uuid",
    "view",
];

/// Whether the text is an identifier; those that begin with a digit are not counted.
pub fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether the text can stand without brackets where a name is declared.
pub fn is_plain_name(text: &str) -> bool {
    let word = || keyword::word(text).is_none() || PLAIN_KEYWORDS.contains(&text);
    (is_identifier(text) && word()) || is_client_parameter(text)
}

/// `{name}` in the place of a name.
fn is_client_parameter(text: &str) -> bool {
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
    inner.is_some_and(|t| is_identifier(t.split('[').next().unwrap_or("")) && client_index(t))
}

/// `name` or `name[0]`
fn client_index(text: &str) -> bool {
    let Some((_, index)) = text.split_once('[') else { return true };
    let digits = index.strip_suffix(']').map(|i| i.strip_prefix('-').unwrap_or(i));
    digits.is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
}

/// A name where it is declared.
pub fn declared(out: &mut String, text: &str) {
    if is_plain_name(text) { out.push_str(text) } else { bracketed(out, text) }
}

/// A name where it is read.
pub fn read(out: &mut String, text: &str) {
    let special = matches!(text, "$left" | "$right");
    let readable =
        || is_identifier(text) && keyword::word(text).is_some_and(|w| w.is_readable() && !w.is_name());
    if special || readable() { out.push_str(text) } else { declared(out, text) }
}

/// `['name']`
pub fn bracketed(out: &mut String, text: &str) {
    out.push('[');
    quoted(out, text, if text.contains('\'') && !text.contains('"') { '"' } else { '\'' });
    out.push(']');
}

/// A name with wildcards.
pub fn pattern(out: &mut String, text: &str) {
    let parts =
        text.contains('*') && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'*'));
    // A run of letters between stars must be a word that wildcards take.
    let words = || {
        text.split('*').filter(|w| !w.is_empty()).all(|w| {
            let digits = w.bytes().all(|b| b.is_ascii_digit());
            digits || (is_identifier(w) && keyword::word(w).is_none_or(keyword::Word::is_declarable))
        })
    };
    if parts && !text.starts_with(|c: char| c.is_ascii_digit()) && words() {
        out.push_str(text);
    } else {
        read(out, text);
    }
}

/// A word as value of a parameter.
pub fn word(out: &mut String, text: &str) {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain && !text.bytes().all(|b| b.is_ascii_digit()) { out.push_str(text) } else { bracketed(out, text) }
}

pub fn string(out: &mut String, literal: &StringLiteral) {
    if literal.obfuscated {
        out.push('h');
    }
    let value = &literal.value;
    let form = if literal.form.can_hold(value) { literal.form } else { StringForm::Regular };
    match form {
        StringForm::Regular => {
            quoted(out, value, if value.contains('"') && !value.contains('\'') { '\'' } else { '"' });
        }
        StringForm::Verbatim => {
            let (mark, doubled) =
                if value.contains('"') && !value.contains('\'') { ('\'', "''") } else { ('"', "\"\"") };
            out.push('@');
            out.push(mark);
            for c in value.chars() {
                if c == mark { out.push_str(doubled) } else { out.push(c) }
            }
            out.push(mark);
        }
        StringForm::Multiline => {
            let mark = if value.contains("```") || value.ends_with('`') { "~~~" } else { "```" };
            out.push_str(mark);
            out.push_str(value);
            out.push_str(mark);
        }
    }
}

/// The value in quotes, with escapes.
fn quoted(out: &mut String, value: &str, mark: char) {
    out.push(mark);
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == mark => {
                out.push('\\');
                out.push(c);
            }
            c if is_hidden(c) => {
                let mut units = [0u16; 2];
                for unit in c.encode_utf16(&mut units) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
            c => out.push(c),
        }
    }
    out.push(mark);
}

/// `type(text)`. A text that cannot stand there is converted from a string.
pub fn typed(out: &mut String, literal: &TypedLiteral) {
    let text = &literal.text;
    let holds =
        !text.contains([')', '\n', '\r']) && !text.chars().any(is_hidden) && text.trim() == text.as_str();
    let takes = keyword::takes_literal(literal.ty.name());
    if holds && takes {
        let _ = write!(out, "{}({text})", literal.ty.name());
        return;
    }
    let convert = match literal.ty {
        ScalarType::Bool => "tobool",
        ScalarType::Datetime => "todatetime",
        ScalarType::Decimal => "todecimal",
        ScalarType::Dynamic => "todynamic",
        ScalarType::Guid => "toguid",
        ScalarType::Int => "toint",
        ScalarType::Long => "tolong",
        ScalarType::Real => "toreal",
        ScalarType::String | ScalarType::Other(_) => "tostring",
        ScalarType::Timespan => "totimespan",
    };
    out.push_str(convert);
    out.push('(');
    quoted(out, text, '"');
    out.push(')');
}
