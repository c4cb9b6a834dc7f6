//! Strings, regexes and durations between source and value.

use smol_str::SmolStr;

/// A string and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub value: SmolStr,
    /// Between backquotes, where backslashes mean themselves. A value with a backquote is printed in double quotes
    /// all the same.
    pub raw: bool,
}

impl Text {
    /// `"…"`
    pub fn quoted(value: impl Into<SmolStr>) -> Self {
        Self { value: value.into(), raw: false }
    }

    /// `` `…` `` where the value allows it (no backquote, no control characters), else `"…"`.
    pub fn raw(value: impl Into<SmolStr>) -> Self {
        let value = value.into();
        let raw = can_be_raw(&value);
        Self { value, raw }
    }
}

/// Whether a value can stand between backquotes on one line.
pub fn can_be_raw(value: &str) -> bool {
    !value.chars().any(|c| c == '`' || c.is_control())
}

/// A span of time, as written: the unit is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration {
    pub value: u64,
    pub unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
}

impl Unit {
    pub const fn letter(self) -> char {
        match self {
            Self::Second => 's',
            Self::Minute => 'm',
            Self::Hour => 'h',
            Self::Day => 'd',
        }
    }

    pub const fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    fn of(letter: char) -> Option<Self> {
        Some(match letter.to_ascii_lowercase() {
            's' => Self::Second,
            'm' => Self::Minute,
            'h' => Self::Hour,
            'd' => Self::Day,
            _ => return None,
        })
    }
}

impl Duration {
    /// `5m`; `None` for another unit, or a number that no rule needs.
    pub fn read(text: &str) -> Option<Self> {
        let unit = Unit::of(text.chars().next_back()?)?;
        let value = text.get(..text.len() - 1)?.parse().ok()?;
        Some(Self { value, unit })
    }

    /// In the largest unit that fits without rest.
    pub fn from_seconds(seconds: u64) -> Self {
        // A day is written in hours, as in the rules that people write.
        let units = [Unit::Hour, Unit::Minute];
        let unit = units
            .into_iter()
            .find(|u| seconds > 0 && seconds.is_multiple_of(u.seconds()))
            .unwrap_or(Unit::Second);
        Self { value: seconds / unit.seconds(), unit }
    }

    pub const fn seconds(self) -> u64 {
        self.value.saturating_mul(self.unit.seconds())
    }
}

/// The value of the inside of `"…"`, and the places of escapes that the language does not know (their backslash is kept).
pub fn unescape(inner: &str) -> (SmolStr, Vec<usize>) {
    if !inner.contains('\\') {
        return (SmolStr::new(inner), Vec::new());
    }
    let mut out = String::with_capacity(inner.len());
    let mut unknown = Vec::new();
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        match escape_of(escape) {
            Some((c, len)) => {
                out.push(c);
                rest = escape.get(len..).unwrap_or("");
            }
            None => {
                unknown.push(inner.len() - escape.len());
                out.push('\\');
                rest = escape.get(1..).unwrap_or("");
            }
        }
    }
    out.push_str(rest);
    (out.into(), unknown)
}

/// The character of the escape that a text begins with, and its length.
fn escape_of(text: &str) -> Option<(char, usize)> {
    let hex = |digits: usize| {
        let code = u32::from_str_radix(text.get(2..2 + digits).filter(|d| !d.starts_with('+'))?, 16).ok()?;
        Some((char::from_u32(code)?, 2 + digits))
    };
    let c = match text.chars().nth(1)? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        c @ ('\\' | '"' | '\'' | '`' | '?' | '/') => c,
        'x' => return hex(2).filter(|(c, _)| c.is_ascii()),
        'u' => return hex(4),
        'U' => return hex(8),
        _ => return None,
    };
    Some((c, 2))
}

/// Writes a string in double quotes.
pub fn write_quoted(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            // Line breaks of Unicode, and what would turn the direction of the text around it.
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
            {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The pattern inside of `/…/`: `\/` is a slash, every other escape belongs to the pattern.
pub fn read_regex(inner: &str) -> SmolStr {
    if !inner.contains("\\/") {
        return SmolStr::new(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('/') => out.push('/'),
            Some(next) => out.extend(['\\', next]),
            None => out.push('\\'),
        }
    }
    out.into()
}

/// Writes a pattern between slashes, so that [`read_regex`] gives it back.
pub fn write_regex(out: &mut String, pattern: &str) {
    out.push('/');
    // `//` and `/*` begin comments.
    if pattern.is_empty() || pattern.starts_with('*') {
        out.push_str("(?:)");
    }
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '/' => out.push_str("\\/"),
            // In a pattern, `\n` is a line feed.
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\\' => match chars.next() {
                Some('/') => out.push_str("\\/"),
                Some('\n') => out.push_str("\\n"),
                Some('\r') => out.push_str("\\r"),
                Some(next) => out.extend(['\\', next]),
                // No pattern ends so; the slash must not be taken for an escaped one.
                None => out.push_str("\\\\"),
            },
            c => out.push(c),
        }
    }
    out.push('/');
}
