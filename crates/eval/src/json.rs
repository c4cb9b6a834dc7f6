//! Dynamic values as text and back.
//!
//! Kusto: "The dynamic data type", "parse_json()", "tostring()".

use crate::Value;
use crate::cast::{cast, real_text};
use indexmap::IndexMap;
use ruleferry_ir::{Json, Type};
use smol_str::SmolStr;
use std::fmt::Write as _;

/// Arrays and bags inside of each other. What is deeper is no JSON for us: a value is walked by recursion.
pub(crate) const MAX_DEPTH: usize = 256;

/// Reads a JSON text; `None` where it is not one. Whole numbers that fit are longs, all others reals; of members of the same
/// name the last one counts.
pub fn parse(text: &str) -> Option<Json> {
    let mut reader = Reader { text, at: 0 };
    let json = reader.value(MAX_DEPTH)?;
    reader.blanks();
    (reader.at == text.len()).then_some(json)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str, json: Json) -> Option<Json> {
        self.text.get(self.at..)?.starts_with(word).then(|| {
            self.at += word.len();
            json
        })
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.blanks();
        match self.peek()? {
            b'{' => self.object(depth.checked_sub(1)?),
            b'[' => self.array(depth.checked_sub(1)?),
            b'"' => self.string().map(Json::String),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'n' => self.word("null", Json::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        self.eat(b'[')?;
        self.blanks();
        let mut items = Vec::new();
        if self.eat(b']').is_some() {
            return Some(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.blanks();
            if self.eat(b',').is_none() {
                self.eat(b']')?;
                return Some(Json::Array(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.eat(b'{')?;
        self.blanks();
        let mut members = IndexMap::new();
        if self.eat(b'}').is_some() {
            return Some(Json::Object(members));
        }
        loop {
            self.blanks();
            let name = self.string()?;
            self.blanks();
            self.eat(b':')?;
            members.insert(name, self.value(depth)?);
            self.blanks();
            if self.eat(b',').is_none() {
                self.eat(b'}')?;
                return Some(Json::Object(members));
            }
        }
    }

    fn string(&mut self) -> Option<SmolStr> {
        self.eat(b'"')?;
        let start = self.at;
        // Most strings hold nothing that is escaped: one copy.
        loop {
            match self.peek()? {
                b'"' => {
                    let text = self.text.get(start..self.at)?;
                    self.at += 1;
                    return Some(text.into());
                }
                b'\\' => break,
                0..0x20 => return None,
                _ => self.at += 1,
            }
        }
        let mut text = self.text.get(start..self.at)?.to_owned();
        loop {
            let plain = self.at;
            while !matches!(self.peek()?, b'"' | b'\\' | 0..0x20) {
                self.at += 1;
            }
            text.push_str(self.text.get(plain..self.at)?);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(text.into());
                }
                b'\\' => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                if let 0xD800..=0xDBFF = unit {
                    let back = self.at;
                    let low = self.eat(b'\\').and_then(|()| self.eat(b'u')).and_then(|()| self.unit());
                    if let Some(low @ 0xDC00..=0xDFFF) = low {
                        let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                        return Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = back;
                }
                // Half of a surrogate pair is no character.
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    fn number(&mut self) -> Option<Json> {
        let from = self.at;
        let _ = self.eat(b'-');
        if self.eat(b'0').is_none() {
            self.digits()?;
        } else if self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return None;
        }
        let mut whole = true;
        if self.eat(b'.').is_some() {
            whole = false;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            whole = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.text.get(from..self.at)?;
        if whole && let Ok(n) = text.parse() {
            return Some(Json::Long(n));
        }
        text.parse().ok().filter(|x: &f64| x.is_finite()).map(Json::Real)
    }
}

/// The JSON text of a value, as Kusto writes it: no blanks, times as strings, reals always with a point or an exponent.
pub fn text(json: &Json) -> SmolStr {
    let mut out = String::new();
    write(&mut out, json, false);
    out.into()
}

/// Whether arrays and bags stand inside of each other deeper than [`MAX_DEPTH`], which a query that feeds a value back into
/// itself row by row (`scan`) can reach.
pub(crate) fn is_too_deep(json: &Json) -> bool {
    fn deeper(json: &Json, left: usize) -> bool {
        match json {
            Json::Array(items) => left == 0 || items.iter().any(|item| deeper(item, left - 1)),
            Json::Object(members) => left == 0 || members.values().any(|value| deeper(value, left - 1)),
            Json::Null
            | Json::Bool(_)
            | Json::Long(_)
            | Json::Real(_)
            | Json::String(_)
            | Json::Datetime(_)
            | Json::Timespan(_) => false,
        }
    }
    deeper(json, MAX_DEPTH)
}

/// The same with members in the order of their names: equal values have equal texts.
pub(crate) fn canonical(json: &Json) -> SmolStr {
    let mut out = String::new();
    write(&mut out, json, true);
    out.into()
}

fn write(out: &mut String, json: &Json, sorted: bool) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Json::Long(n) => {
            let _ = write!(out, "{n}");
        }
        Json::Real(x) => write_real(out, *x),
        Json::String(s) => write_string(out, s),
        Json::Datetime(t) => write_cast(out, &Value::Datetime(*t)),
        Json::Timespan(t) => write_cast(out, &Value::Timespan(*t)),
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(out, item, sorted);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            let mut entries: Vec<(&SmolStr, &Json)> = members.iter().collect();
            if sorted {
                entries.sort_by_key(|(name, _)| *name);
            }
            for (i, (name, value)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(out, name);
                out.push(':');
                write(out, value, sorted);
            }
            out.push('}');
        }
    }
}

/// As `tostring()` writes it. What is no number is a string, as JSON has none.
fn write_real(out: &mut String, x: f64) {
    let digits = real_text(x);
    if x.is_finite() { out.push_str(&digits) } else { write_string(out, &digits) }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn write_cast(out: &mut String, value: &Value) {
    let text = cast(value, Type::String);
    write_string(out, text.text().unwrap_or_default());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_read_is_written_without_blanks() {
        for (given, wanted) in [
            (" { \"b\" : 1 , \"a\" : [ 1.0 , 2.50 , -0.0 ] } ", r#"{"b":1,"a":[1.0,2.5,-0.0]}"#),
            ("9223372036854775807", "9223372036854775807"),
            // Digits beyond the precision of a real are not kept.
            ("9223372036854775808", "9.223372036854776e+18"),
            ("[1e3,1e20,1e-7,123456789012345.5]", "[1000.0,1e+20,1e-07,123456789012345.5]"),
            (r#""\u00e9\ud83d\ude00\ud83d\/\n""#, "\"é😀\u{fffd}/\\n\""),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            ("null", "null"),
        ] {
            let read = parse(given).map(|j| text(&j).to_string());
            assert_eq!(read.as_deref(), Some(wanted), "{given}");
        }
    }

    #[test]
    fn what_is_not_json() {
        let deep = "[".repeat(300) + &"]".repeat(300);
        for given in [
            "", " ", "abc", "{a:1}", "[1,]", "01", "1.", ".5", "+1", "1e999", "\"a\nb\"", "'a'", "[1] x",
            "nul", &deep,
        ] {
            assert_eq!(parse(given), None, "{given}");
        }
    }

    #[test]
    fn equal_values_have_one_canonical_text() {
        let (a, b) = (parse(r#"{"x":{"b":1,"a":2}}"#).unwrap(), parse(r#"{"x":{"a":2,"b":1}}"#).unwrap());
        assert_eq!(canonical(&a), canonical(&b));
        assert_ne!(text(&a), text(&b));
    }
}
