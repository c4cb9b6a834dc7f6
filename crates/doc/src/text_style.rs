//! Which style of quoting can hold a text, and which one reads best.

use crate::Style;
use crate::core_schema;

/// The style for a string: plain where no reader could take it for something else.
pub(crate) fn for_string(text: &str) -> Style {
    if text.contains('\n') && literal_holds(text) {
        Style::Literal
    } else if plain_holds(text) && !core_schema::ambiguous(text) && !text.starts_with(INDICATORS) {
        Style::Plain
    } else if single_holds(text) {
        Style::Single
    } else {
        Style::Double
    }
}

/// What cannot begin a plain scalar, or looks as if it could not.
const INDICATORS: [char; 19] =
    ['-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`'];

/// Whether plain text in a block collection reads back as the same text. (It may still read back as a number.)
pub(crate) fn plain_holds(text: &str) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return true };
    let second = chars.next();
    let starts = match first {
        '-' | '?' | ':' => {
            second.is_some_and(|c| !c.is_whitespace() && !matches!(c, ',' | '[' | ']' | '{' | '}'))
        }
        other => !INDICATORS.contains(&other),
    };
    // Only these bytes can be trouble further inside; most texts have none of them.
    starts
        && !text.starts_with(' ')
        && !text.ends_with([' ', ':'])
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(is_printable)
}

pub(crate) fn single_holds(text: &str) -> bool {
    text.chars().all(is_printable)
}

/// Whether a literal block reads back as the same text.
pub(crate) fn literal_holds(text: &str) -> bool {
    let body = text.trim_end_matches('\n');
    let first = body.split('\n').find(|l| !l.is_empty());
    !body.is_empty()
        && !body.starts_with('\n')
        && first.is_some_and(|l| !l.starts_with('\t') && !l.trim().is_empty())
        && body.split('\n').all(|l| l.is_empty() || !l.trim_matches([' ', '\t']).is_empty())
        && text.chars().all(|c| is_printable(c) || c == '\n' || c == '\t')
}

/// Whether a folded block, whose lines we may break anew, reads back as the same text.
pub(crate) fn folded_holds(text: &str) -> bool {
    literal_holds(text) && text.split('\n').all(|l| !l.starts_with([' ', '\t']) && !l.ends_with([' ', '\t']))
}

/// Whether a character can stand unescaped: no control characters (terminals obey them), no line breaks of other
/// systems, nothing that reorders or hides text.
pub(crate) fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => false,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' => false,
        _ => true,
    }
}
