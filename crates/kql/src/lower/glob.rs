//! Patterns with `*` and `?`: as the plainest string test that means exactly the same, else as a regular expression.

use ruleferry_ir::{Case, GlobPart};
use smol_str::SmolStr;

/// What a pattern that the whole text must fit is equal to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Glob {
    Equals(SmolStr),
    StartsWith(SmolStr),
    EndsWith(SmolStr),
    Contains(SmolStr),
    /// `*`: any text.
    Anything,
    /// A regular expression that is found in the text.
    Regex(String),
}

pub(super) fn plainest(parts: &[GlobPart], case: Case) -> Glob {
    match parts {
        [] => Glob::Equals(SmolStr::default()),
        [GlobPart::Text(text)] => Glob::Equals(text.clone()),
        [GlobPart::Text(text), GlobPart::Many] => Glob::StartsWith(text.clone()),
        [GlobPart::Many, GlobPart::Text(text)] => Glob::EndsWith(text.clone()),
        [GlobPart::Many, GlobPart::Text(text), GlobPart::Many] => Glob::Contains(text.clone()),
        _ if parts.iter().all(|p| *p == GlobPart::Many) => Glob::Anything,
        _ => Glob::Regex(regex(parts, case)),
    }
}

/// Anchored unless the pattern begins or ends with `*`. `.` stands for line ends, too.
fn regex(parts: &[GlobPart], case: Case) -> String {
    let leading = parts.iter().take_while(|p| **p == GlobPart::Many).count();
    let trailing = parts.iter().rev().take_while(|p| **p == GlobPart::Many).count();
    let inner = parts.get(leading..parts.len() - trailing).unwrap_or(&[]);
    let cased = inner.iter().any(|p| matches!(p, GlobPart::Text(t) if has_case(t)));
    let mut out = String::from(if case == Case::Insensitive && cased { "(?is)" } else { "(?s)" });
    if leading == 0 {
        out.push('^');
    }
    let mut last_many = false;
    for part in inner {
        match part {
            GlobPart::Text(text) => escape(text, &mut out),
            GlobPart::Many if last_many => {}
            GlobPart::Many => out.push_str(".*"),
            GlobPart::One => out.push('.'),
        }
        last_many = *part == GlobPart::Many;
    }
    if trailing == 0 {
        out.push('$');
    }
    out
}

/// Text as a regular expression that finds just it.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        if matches!(c, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
}

/// Whether the text has a letter, so that case matters.
pub(super) fn has_case(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(t: &str) -> GlobPart {
        GlobPart::Text(t.into())
    }

    #[test]
    fn plain_forms() {
        use GlobPart::{Many, One};
        let ci = |parts: &[GlobPart]| plainest(parts, Case::Insensitive);
        assert_eq!(ci(&[text("a"), Many]), Glob::StartsWith("a".into()));
        assert_eq!(ci(&[Many, Many]), Glob::Anything);
        assert_eq!(ci(&[text("A"), Many, text("B")]), Glob::Regex("(?is)^A.*B$".into()));
        assert_eq!(ci(&[Many, text("a.b"), Many, text("c"), Many]), Glob::Regex(r"(?is)a\.b.*c".into()));
        assert_eq!(ci(&[text("1"), One, Many]), Glob::Regex("(?s)^1.".into()));
        assert_eq!(plainest(&[text("A"), One], Case::Sensitive), Glob::Regex("(?s)^A.$".into()));
    }
}
