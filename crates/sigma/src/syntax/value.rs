//! Values of a detection: what kind of thing each is, and Sigma's escaping of text.

use super::Loc;
use ruleferry_doc::{Node, Style};
use smol_str::{SmolStr, SmolStrBuilder};

#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub kind: ValueKind,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// As it was written: nothing, `null` or `~`.
    Null(SmolStr),
    Bool(bool, SmolStr),
    /// As it was written: `00000429` stays that.
    Number(SmolStr),
    /// Text with wildcards and escapes (and placeholders, if the field has `expand`).
    String(SigmaString),
    /// Text that is taken as it is: a regular expression, a network, the name of a field.
    Verbatim(SigmaString),
    /// What no value can be, such as a list in a list; a diagnostic has told so.
    Unreadable(Box<Node>),
}

/// Text as it was written. What it means, [`SigmaString::parts`] says: several spellings can mean the same.
#[derive(Clone, Debug)]
pub struct SigmaString {
    pub raw: SmolStr,
    /// Whether `%name%` is a placeholder.
    pub expand: bool,
    pub style: Style,
}

impl PartialEq for SigmaString {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw && self.expand == other.expand
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Literal(SmolStr),
    /// `*`: any text, also none.
    Any,
    /// `?`: one character.
    One,
    /// `%name%`
    Placeholder(SmolStr),
}

impl Value {
    /// Text whose wildcards and escapes are already in it.
    pub fn raw_string(raw: impl Into<SmolStr>) -> Self {
        ValueKind::String(SigmaString::new(raw)).into()
    }

    /// Text that means exactly itself.
    pub fn literal(text: &str) -> Self {
        Self::parts([Part::Literal(SmolStr::new(text))])
    }

    pub fn parts(parts: impl IntoIterator<Item = Part>) -> Self {
        ValueKind::String(SigmaString::from_parts(parts)).into()
    }

    /// Text that is taken as it is, for `re`, `cidr` and `fieldref`.
    pub fn verbatim(text: impl Into<SmolStr>) -> Self {
        ValueKind::Verbatim(SigmaString::new(text)).into()
    }

    /// A number as it is to be written.
    pub fn number(text: impl Into<SmolStr>) -> Self {
        ValueKind::Number(text.into()).into()
    }

    pub fn bool(value: bool) -> Self {
        ValueKind::Bool(value, SmolStr::new_static(if value { "true" } else { "false" })).into()
    }

    pub fn null() -> Self {
        ValueKind::Null(SmolStr::new_static("null")).into()
    }
}

impl From<ValueKind> for Value {
    fn from(kind: ValueKind) -> Self {
        Self { kind, span: Loc::default() }
    }
}

impl SigmaString {
    pub fn new(raw: impl Into<SmolStr>) -> Self {
        let raw = raw.into();
        // Text with characters that mean something is quoted in the way that Sigma's authors do.
        let style = match Node::string(raw.clone()).as_scalar().map(|s| s.style) {
            Some(Style::Plain) if raw.contains(['\\', '*', '?', '%', '\'', '"', '{', '[']) => Style::Single,
            Some(style) => style,
            None => Style::Single,
        };
        Self { raw, expand: false, style }
    }

    /// Writes text, wildcards and placeholders with the escapes that make them mean themselves.
    pub fn from_parts(parts: impl IntoIterator<Item = Part>) -> Self {
        let parts: Vec<Part> = parts.into_iter().collect();
        let expand = parts.iter().any(|p| matches!(p, Part::Placeholder(_)));
        let mut raw = SmolStrBuilder::new();
        let mut parts = parts.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Any => raw.push('*'),
                Part::One => raw.push('?'),
                Part::Placeholder(name) => {
                    raw.push('%');
                    raw.push_str(name);
                    raw.push('%');
                }
                Part::Literal(text) => escape(text, parts.peek().is_some(), expand, &mut raw),
            }
        }
        Self { expand, ..Self::new(raw.finish()) }
    }

    /// What the text means.
    ///
    /// A backslash before `*`, `?` or another backslash makes that character literal; before anything else, and at the
    /// end, it is a backslash. With `expand`, `\%` is a percent sign.
    pub fn parts(&self) -> Vec<Part> {
        let special = self.raw.contains(['\\', '*', '?']) || self.expand && self.raw.contains('%');
        if !special {
            return vec![Part::Literal(self.raw.clone())];
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = self.raw.as_str();
        while let Some(c) = rest.chars().next() {
            let after = rest.get(c.len_utf8()..).unwrap_or("");
            rest = after;
            match c {
                '\\' => match after.chars().next() {
                    Some(next) if matches!(next, '*' | '?' | '\\') || (next == '%' && self.expand) => {
                        literal.push(next);
                        rest = after.get(1..).unwrap_or("");
                    }
                    _ => literal.push('\\'),
                },
                '*' | '?' => {
                    flush(&mut literal, &mut parts);
                    parts.push(if c == '*' { Part::Any } else { Part::One });
                }
                '%' if self.expand => match after.split_once('%').filter(|(name, _)| is_name(name)) {
                    Some((name, behind)) => {
                        flush(&mut literal, &mut parts);
                        parts.push(Part::Placeholder(SmolStr::new(name)));
                        rest = behind;
                    }
                    None => literal.push('%'),
                },
                other => literal.push(other),
            }
        }
        flush(&mut literal, &mut parts);
        if parts.is_empty() {
            parts.push(Part::Literal(SmolStr::default()));
        }
        parts
    }

    /// Whether the text has neither wildcards nor placeholders: then this is what it means.
    pub fn as_literal(&self) -> Option<SmolStr> {
        let mut parts = self.parts();
        match (parts.pop(), parts.is_empty()) {
            (Some(Part::Literal(text)), true) => Some(text),
            _ => None,
        }
    }
}

fn flush(literal: &mut String, parts: &mut Vec<Part>) {
    if !literal.is_empty() {
        parts.push(Part::Literal(SmolStr::new(&literal)));
        literal.clear();
    }
}

/// What can stand between two percent signs: also the `-` that pySigma passes over, since authors use it.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Writes a literal so that it means itself. A backslash is doubled only where it would mean something.
fn escape(text: &str, special_follows: bool, expand: bool, out: &mut SmolStrBuilder) {
    let mut chars = text.chars().peekable();
    let mut after_backslash = false;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match c {
            '*' | '?' => {
                out.push('\\');
                out.push(c);
            }
            '%' if expand => out.push_str("\\%"),
            '\\' => {
                let special = match next {
                    Some('*' | '?' | '\\') => true,
                    Some('%') => expand,
                    Some(_) => false,
                    None => special_follows,
                };
                out.push_str(if special || after_backslash { "\\\\" } else { "\\" });
            }
            _ => out.push(c),
        }
        after_backslash = c == '\\';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Part {
        Part::Literal(SmolStr::new(text))
    }

    #[test]
    fn escaping() {
        let cases: [(&str, Vec<Part>); 12] = [
            ("abc", vec![literal("abc")]),
            ("", vec![literal("")]),
            (r"\cmd.exe", vec![literal(r"\cmd.exe")]),
            (r"a\*b", vec![literal("a*b")]),
            (r"a\?b", vec![literal("a?b")]),
            (r"a\\*b", vec![literal(r"a\"), Part::Any, literal("b")]),
            (r"a\\b", vec![literal(r"a\b")]),
            (r"\\\\srv", vec![literal(r"\\srv")]),
            (r"a\\\*", vec![literal(r"a\*")]),
            ("dir\\", vec![literal("dir\\")]),
            ("*x?", vec![Part::Any, literal("x"), Part::One]),
            ("%a%", vec![literal("%a%")]),
        ];
        for (raw, parts) in cases {
            assert_eq!(SigmaString::new(raw).parts(), parts, "{raw}");
        }
    }

    #[test]
    fn placeholders() {
        let text = SigmaString { expand: true, ..SigmaString::new(r"a%x_1%\%b%*%no no%") };
        let placeholder = Part::Placeholder(SmolStr::new("x_1"));
        assert_eq!(
            text.parts(),
            vec![literal("a"), placeholder, literal("%b%"), Part::Any, literal("%no no%")]
        );
    }

    #[test]
    fn parts_are_written_with_the_escapes_they_need() {
        let cases: [(&str, &str); 7] = [
            (r"\cmd.exe", r"\cmd.exe"),
            (r"\\srv\x", r"\\\\srv\x"),
            ("a*b?", r"a\*b\?"),
            (r"a\*", r"a\\\*"),
            ("dir\\", "dir\\"),
            ("dir\\\\", "dir\\\\\\\\"),
            ("100%", "100%"),
        ];
        for (text, raw) in cases {
            let made = SigmaString::from_parts([literal(text)]);
            assert_eq!(made.raw, raw);
            assert_eq!(made.as_literal().as_deref(), Some(text));
        }
        let made = SigmaString::from_parts([literal("dir\\"), Part::Any]);
        assert_eq!(made.raw, r"dir\\*");
        assert_eq!(made.parts(), vec![literal("dir\\"), Part::Any]);
    }
}
