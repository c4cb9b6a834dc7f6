//! The type of a column that no schema knows, from all of its values.

use crate::field::Field;
use crate::time::parse_time;
use ruleferry_ir::Type;

/// What the values of a column have been so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inference {
    seen: u8,
    /// Some value said of itself what it is: JSON, not a cell.
    marked: bool,
}

const BOOL: u8 = 1;
const LONG: u8 = 2;
const REAL: u8 = 4;
const TIME: u8 = 8;
const TEXT: u8 = 16;
const NESTED: u8 = 32;

impl Inference {
    pub fn see(&mut self, field: &Field) {
        // Once text, always text: nothing is to be learned from reading on.
        let kind = match field {
            Field::Null => 0,
            Field::Bool(_) => BOOL,
            Field::Number(t) => number(t).unwrap_or(REAL),
            Field::Text(_) if self.seen & TEXT != 0 => TEXT,
            Field::Text(t) => time_or_text(t),
            Field::Cell(t) => cell(t),
            Field::Nested(_) => NESTED,
        };
        self.seen |= kind;
        self.marked |= kind != 0 && !matches!(field, Field::Cell(_));
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.seen |= other.seen;
        self.marked |= other.marked;
    }

    /// The type, and whether values disagreed about it.
    pub const fn result(self) -> (Type, bool) {
        match self.seen {
            BOOL => (Type::Bool, false),
            LONG => (Type::Long, false),
            REAL => (Type::Real, false),
            n if n & !(LONG | REAL) == 0 && n != 0 => (Type::Real, false),
            TIME => (Type::Datetime, false),
            NESTED => (Type::Dynamic, false),
            n if n & NESTED != 0 => (Type::Dynamic, true),
            n if n & !(TIME | TEXT) == 0 => (Type::String, false),
            _ => (Type::String, self.marked),
        }
    }
}

fn time_or_text(text: &str) -> u8 {
    if text.as_bytes().first().is_some_and(u8::is_ascii_digit) && parse_time(text).is_some() {
        TIME
    } else {
        TEXT
    }
}

fn cell(text: &str) -> u8 {
    if text.is_empty() {
        return 0;
    }
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return BOOL;
    }
    number(text).unwrap_or_else(|| time_or_text(text))
}

/// A number without leading zeros: `00000429` is a code, not a number.
fn number(text: &str) -> Option<u8> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let first = digits.bytes().next()?;
    if !first.is_ascii_digit() || first == b'0' && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        return if text.parse::<i64>().is_ok() { Some(LONG) } else { None };
    }
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    (plain && text.parse::<f64>().is_ok()).then_some(REAL)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn of(fields: &[Field]) -> (Type, bool) {
        let mut inference = Inference::default();
        fields.iter().for_each(|f| inference.see(f));
        inference.result()
    }

    fn cells(texts: &[&str]) -> Type {
        of(&texts.iter().map(|t| Field::Cell((*t).into())).collect::<Vec<_>>()).0
    }

    #[test]
    fn all_values_decide() {
        assert_eq!(cells(&["1", "22", ""]), Type::Long);
        assert_eq!(cells(&["1", "2.5"]), Type::Real);
        assert_eq!(cells(&["00000429", "5"]), Type::String);
        assert_eq!(cells(&["true", "False"]), Type::Bool);
        assert_eq!(cells(&["2026-01-15T10:00:00Z", "2026-01-15"]), Type::Datetime);
        assert_eq!(cells(&["2026-01-15", "today"]), Type::String);
        assert_eq!(cells(&["99999999999999999999"]), Type::String);
        assert_eq!(cells(&["1.2.3.4"]), Type::String);
        assert_eq!(of(&[Field::Number("1".into()), Field::Text("a".into())]), (Type::String, true));
        assert_eq!(
            of(&[Field::Nested(ruleferry_ir::Json::Array(vec![])), Field::Null]),
            (Type::Dynamic, false)
        );
        assert_eq!(of(&[]), (Type::String, false));
    }
}
