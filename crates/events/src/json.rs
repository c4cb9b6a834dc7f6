//! JSON of one event: its members one by one, the values that are not asked for only skipped.

use crate::MAX_DEPTH;
use crate::field::Field;
use indexmap::IndexMap;
use ruleferry_ir::Json;
use smol_str::SmolStr;

/// Where the text is no JSON, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bad {
    pub at: usize,
    pub what: &'static str,
}

type Result<T> = std::result::Result<T, Bad>;

/// Walks the members of an object: `wants` says of a name whether its value is needed, `on` gets the values that are.
pub(crate) fn walk(
    text: &str,
    wants: &mut dyn FnMut(&str) -> bool,
    on: &mut dyn FnMut(&str, Field),
) -> Result<()> {
    let mut reader = Reader { text, at: 0 };
    reader.blanks();
    if reader.peek() != Some(b'{') {
        return Err(reader.bad("an event is a JSON object"));
    }
    reader.members(0, &mut |reader, name| {
        if wants(name) {
            let value = reader.field()?;
            on(name, value);
            Ok(())
        } else {
            reader.skip(1)
        }
    })?;
    reader.blanks();
    if reader.at < text.len() { Err(reader.bad("there is text behind the event")) } else { Ok(()) }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    const fn bad(&self, what: &'static str) -> Bad {
        Bad { at: self.at, what }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn members(&mut self, depth: usize, on: &mut dyn FnMut(&mut Self, &str) -> Result<()>) -> Result<()> {
        if depth >= MAX_DEPTH {
            return Err(self.bad("it is nested too deep"));
        }
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.bad("the name of a member is expected"));
            }
            let name = self.string()?;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.bad("`:` is expected"));
            }
            self.at += 1;
            self.blanks();
            on(self, &name)?;
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                None => return Err(self.bad("the event is cut short")),
                Some(_) => return Err(self.bad("`,` or `}` is expected")),
            }
        }
    }

    fn elements(&mut self, depth: usize, on: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<()> {
        if depth >= MAX_DEPTH {
            return Err(self.bad("it is nested too deep"));
        }
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            on(self)?;
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                None => return Err(self.bad("the event is cut short")),
                Some(_) => return Err(self.bad("`,` or `]` is expected")),
            }
        }
    }

    fn field(&mut self) -> Result<Field> {
        match self.peek() {
            Some(b'{' | b'[') => self.json(1).map(Field::Nested),
            Some(b'"') => self.string().map(Field::Text),
            Some(b't') => self.word("true").map(|()| Field::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Field::Bool(false)),
            Some(b'n') => self.word("null").map(|()| Field::Null),
            Some(b'-' | b'0'..=b'9') => self.number().map(|n| Field::Number(SmolStr::new(n))),
            None => Err(self.bad("the event is cut short")),
            Some(_) => Err(self.bad("a value is expected")),
        }
    }

    fn json(&mut self, depth: usize) -> Result<Json> {
        match self.peek() {
            Some(b'{') => {
                let mut object = IndexMap::new();
                self.members(depth, &mut |reader, name| {
                    object.insert(SmolStr::new(name), reader.json(depth + 1)?);
                    Ok(())
                })?;
                Ok(Json::Object(object))
            }
            Some(b'[') => {
                let mut items = Vec::new();
                self.elements(depth, &mut |reader| {
                    items.push(reader.json(depth + 1)?);
                    Ok(())
                })?;
                Ok(Json::Array(items))
            }
            _ => Ok(match self.field()? {
                Field::Null => Json::Null,
                Field::Bool(b) => Json::Bool(b),
                Field::Text(t) | Field::Cell(t) => Json::String(t),
                Field::Number(n) => match n.parse::<i64>() {
                    Ok(n) => Json::Long(n),
                    Err(_) => n.parse::<f64>().map_or(Json::Null, Json::Real),
                },
                Field::Nested(json) => json,
            }),
        }
    }

    fn skip(&mut self, depth: usize) -> Result<()> {
        match self.peek() {
            Some(b'{') => self.members(depth, &mut |reader, _| reader.skip(depth + 1)),
            Some(b'[') => self.elements(depth, &mut |reader| reader.skip(depth + 1)),
            Some(b'"') => self.raw_string().map(drop),
            _ => self.field().map(drop),
        }
    }

    fn word(&mut self, word: &str) -> Result<()> {
        if !self.text.get(self.at..).is_some_and(|t| t.starts_with(word)) {
            return Err(self.bad("a value is expected"));
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<&'t str> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let of_number = |b: u8| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
        let length = rest.bytes().position(|b| !of_number(b)).unwrap_or(rest.len());
        let number = rest.get(..length).unwrap_or_default();
        if number.parse::<f64>().is_err() {
            return Err(self.bad("this is no number"));
        }
        self.at += length;
        Ok(number)
    }

    /// The characters between the quotes, and whether there are escapes among them.
    fn raw_string(&mut self) -> Result<(&'t str, bool)> {
        let start = self.at + 1;
        let mut at = start;
        let mut escapes = false;
        loop {
            let rest = self.text.as_bytes().get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = self.text.len();
                return Err(self.bad("a text is not closed: the event is cut short"));
            };
            if rest.get(found) == Some(&b'"') {
                self.at = at + found + 1;
                return Ok((self.text.get(start..at + found).unwrap_or_default(), escapes));
            }
            escapes = true;
            at += found + 2;
        }
    }

    fn string(&mut self) -> Result<SmolStr> {
        let start = self.at;
        let (raw, escapes) = self.raw_string()?;
        if !escapes {
            return Ok(SmolStr::new(raw));
        }
        unescaped(raw)
            .map(SmolStr::from)
            .ok_or(Bad { at: start, what: "a text holds an escape that JSON does not have" })
    }
}

fn unescaped(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        let c = match chars.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = u32::from_str_radix(chars.as_str().get(..4)?, 16).ok()?;
                chars = chars.as_str().get(4..)?.chars();
                let low = chars.as_str().strip_prefix("\\u").and_then(|t| t.get(..4));
                let low = low.and_then(|t| u32::from_str_radix(t, 16).ok());
                match (high, low) {
                    (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
                        chars = chars.as_str().get(6..)?.chars();
                        char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?
                    }
                    // Half of a character alone is none.
                    _ => char::from_u32(high).unwrap_or('\u{fffd}'),
                }
            }
            _ => return None,
        };
        out.push(c);
        rest = chars.as_str();
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn fields(text: &str) -> Result<Vec<(String, Field)>> {
        let mut found = Vec::new();
        walk(text, &mut |name| !name.starts_with('_'), &mut |n, f| found.push((n.to_owned(), f)))?;
        Ok(found)
    }

    #[test]
    fn members_are_read_and_skipped() {
        let found = fields(
            r#"{"a": 1.10, "_b": {"x": ["]}\""]}, "c": "t\u00e9\ud83d\ude00\n", "d": [1, {"e": null}]}"#,
        );
        let d =
            Json::Array(vec![Json::Long(1), Json::Object([("e".into(), Json::Null)].into_iter().collect())]);
        assert_eq!(
            found.unwrap(),
            [
                ("a".into(), Field::Number("1.10".into())),
                ("c".into(), Field::Text("té😀\n".into())),
                ("d".into(), Field::Nested(d)),
            ]
        );
    }

    #[test]
    fn what_is_no_event_is_told() {
        for text in [
            "",
            "[]",
            "{",
            r#"{"a"#,
            r#"{"a": "#,
            r#"{"a": 1"#,
            r#"{"a": 1,}"#,
            r#"{"a": 1} x"#,
            r#"{"a": "\x"}"#,
            r#"{"a": --1}"#,
        ] {
            assert!(fields(text).is_err(), "{text}");
        }
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(fields(&deep).unwrap_err().what, "it is nested too deep");
        let deep = format!("{{\"_a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(fields(&deep).unwrap_err().what, "it is nested too deep");
    }
}
