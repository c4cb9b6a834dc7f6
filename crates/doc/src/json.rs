//! JSON text to the same tree that YAML gives. JSON is read by itself, since YAML readers stumble over what JSON
//! allows: tabs as indentation, `\/`, surrogate pairs, keys of any length.

use crate::comments::Comments;
use crate::{Document, Kind, MAX_DEPTH, MAX_FAULTS, Node, Pair, Parsed, Scalar, Style};
use ruleferry_diag::{Diagnostic, LineIndex, Span, codes};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Reads a file of one JSON value. Strings become double-quoted scalars, everything else plain ones.
pub fn parse_json(text: &str) -> Parsed {
    let mut reader = Reader { text, at: 0, depth: 0, diagnostics: Vec::new(), broken: false };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    let root = reader.value();
    reader.blank();
    if !reader.broken && reader.at < text.len() && root.is_some() {
        let span = Span::from_usize(reader.at, reader.at + 1);
        reader.fault(span, "there is text behind the end of the value", "a JSON file holds one value");
    }
    let complete = reader.diagnostics.is_empty();
    let documents = root.map(|root| Document { span: root.span, root, complete }).into_iter().collect();
    Parsed { documents, comments: Comments::default(), diagnostics: reader.diagnostics }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    diagnostics: Vec<Diagnostic>,
    /// Set when reading on makes no sense; everything open is then closed.
    broken: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn fault(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.diagnostics.push(Diagnostic::error(codes::YAML_SYNTAX, span, message).with_help(help));
        if self.diagnostics.len() >= MAX_FAULTS {
            self.broken = true;
        }
    }

    /// The character at the place where reading stands.
    fn here(&self) -> Span {
        let width = self.text.get(self.at..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8);
        Span::from_usize(self.at, self.at + width)
    }

    fn value(&mut self) -> Option<Node> {
        self.blank();
        match self.peek() {
            Some(b'{') => Some(self.collection(b'}')),
            Some(b'[') => Some(self.collection(b']')),
            Some(b'"') => Some(self.string()),
            Some(b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => Some(self.word()),
            Some(_) => {
                let span = self.here();
                self.fault(span, "a value is expected here", "write a string, a number, a list or an object");
                None
            }
            None => {
                if !self.broken && self.depth == 0 && self.diagnostics.is_empty() {
                    self.fault(self.here(), "the file holds no value", "write a JSON value");
                }
                None
            }
        }
    }

    fn collection(&mut self, closing: u8) -> Node {
        let start = self.at;
        self.at += 1;
        let is_object = closing == b'}';
        let mut items = Vec::new();
        let mut pairs = Vec::new();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            let span = Span::from_usize(start, start + 1);
            self.diagnostics.push(Diagnostic::error(codes::YAML_LIMIT, span, message));
            self.broken = true;
        }
        while !self.broken {
            self.blank();
            match self.peek() {
                Some(b) if b == closing => {
                    self.at += 1;
                    break;
                }
                None | Some(b']' | b'}') => {
                    let span = Span::from_usize(start, start + 1);
                    let help = format!("close it with `{}`", char::from(closing));
                    self.fault(span, "the bracket is not closed", &help);
                    self.broken = true;
                }
                Some(_) => {
                    let before = self.at;
                    if is_object {
                        pairs.extend(self.pair())
                    } else {
                        items.extend(self.value())
                    }
                    self.separator(closing, before);
                }
            }
        }
        self.depth -= 1;
        if is_object {
            self.check_duplicates(&pairs);
        }
        let kind = if is_object { Kind::Mapping(pairs) } else { Kind::Sequence(items) };
        Node::new(kind, Span::from_usize(start, self.at))
    }

    fn pair(&mut self) -> Option<Pair> {
        if self.peek() != Some(b'"') {
            let span = self.here();
            self.fault(span, "a key in double quotes is expected here", "write \"key\": value");
            return None;
        }
        let key = self.string();
        self.blank();
        if self.peek() == Some(b':') {
            self.at += 1;
        } else if !self.broken {
            self.fault(key.span, "`:` is missing after the key", "write \"key\": value");
        }
        let value = self.value().unwrap_or_else(|| Node::null().at(Span::from_usize(self.at, self.at)));
        Some(Pair { key, value })
    }

    /// The comma between two entries. After something unreadable, reading goes on behind the next comma.
    fn separator(&mut self, closing: u8, before: usize) {
        self.blank();
        match self.peek() {
            Some(b',') => {
                let comma = self.here();
                self.at += 1;
                self.blank();
                if self.peek() == Some(closing) {
                    self.fault(comma, "a comma before the closing bracket", "remove it");
                }
            }
            None => {}
            Some(b) if b == closing || self.broken => {}
            Some(_) if self.at > before => {
                let span = self.here();
                self.fault(span, "`,` is missing before this entry", "separate the entries with `,`");
            }
            Some(_) => {
                // Nothing could be read here, and it has been told.
                let rest = self.text.get(self.at..).unwrap_or("");
                let skipped = rest.find([',', '\n', ']', '}']).unwrap_or(rest.len());
                self.at += skipped.max(self.here().end as usize - self.at).max(1);
                while !self.text.is_char_boundary(self.at) {
                    self.at += 1;
                }
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Node {
        let rest = self.text.get(self.at..).unwrap_or("");
        let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '+' | '.' | '_'));
        let length = rest.find(ends).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or("");
        let span = Span::from_usize(self.at, self.at + length);
        self.at += length;
        if !matches!(word, "true" | "false" | "null") && !is_number(word) {
            let message = format!("`{word}` is no JSON value");
            self.fault(span, message, "write strings in double quotes; `true`, `false` and `null` are small");
        }
        Node::new(Kind::Scalar(Scalar { text: SmolStr::new(word), style: Style::Plain }), span)
    }

    fn string(&mut self) -> Node {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or("");
            let run = rest.find(|c: char| matches!(c, '"' | '\\') || c < ' ').unwrap_or(rest.len());
            text.push_str(rest.get(..run).unwrap_or(""));
            self.at += run;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') => self.escape(&mut text),
                Some(b'\t') => {
                    // Harmless, and found in exports.
                    text.push('\t');
                    self.at += 1;
                }
                Some(b'\n' | b'\r') | None => {
                    let span = Span::from_usize(start, self.at);
                    self.fault(
                        span,
                        "the string does not end on its line",
                        "close the quote; write line breaks as \\n",
                    );
                    break;
                }
                Some(control) => {
                    let message = format!("a control character (\\u{control:04x}) stands in a string");
                    self.fault(self.here(), message, "write it as an escape");
                    text.push(char::from(control));
                    self.at += 1;
                    if self.broken {
                        break;
                    }
                }
            }
        }
        let kind = Kind::Scalar(Scalar { text: SmolStr::from(text), style: Style::Double });
        Node::new(kind, Span::from_usize(start, self.at))
    }

    fn escape(&mut self, text: &mut String) {
        let start = self.at;
        let name = self.text.as_bytes().get(self.at + 1).copied();
        self.at += 2;
        let plain = match name {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => match self.unicode() {
                Some(c) => c,
                None => {
                    let end = self.at.min(self.text.len());
                    let message = "the escape is no character";
                    self.fault(Span::from_usize(start, end), message, "`\\u` takes four hexadecimal digits");
                    '\u{fffd}'
                }
            },
            _ => {
                self.at = start + 1;
                let span = Span::from_usize(start, start + 1);
                self.fault(span, "this is no escape of JSON", "write a backslash as `\\\\`");
                '\\'
            }
        };
        text.push(plain);
    }

    /// The four digits behind `\u`, and the second half of a pair.
    fn unicode(&mut self) -> Option<char> {
        let digits = |at: usize| {
            let digits = self.text.get(at..at + 4)?;
            let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
            all.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
        };
        let high = digits(self.at)?;
        self.at += 4;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high);
        }
        let pair = self.text.get(self.at..self.at + 2) == Some("\\u");
        let low = pair.then(|| digits(self.at + 2)).flatten().filter(|l| (0xDC00..0xE000).contains(l))?;
        self.at += 6;
        char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    }

    fn check_duplicates(&mut self, pairs: &[Pair]) {
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        for pair in pairs {
            let Some(name) = pair.key.as_text() else { continue };
            if let Some(first) = seen.get(name) {
                let line = LineIndex::new(self.text).position(*first).line;
                let message = format!("the key `{name}` stands twice in one object; first in line {line}");
                let diagnostic = Diagnostic::error(codes::YAML_DUPLICATE_KEY, pair.key.span, message);
                self.diagnostics.push(diagnostic.with_help("rename one of the two"));
                if self.diagnostics.len() >= MAX_FAULTS {
                    return;
                }
            } else {
                seen.insert(name, pair.key.span.start);
            }
        }
    }
}

fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or("");
    let whole = mantissa.split('.').next().unwrap_or("");
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    !leading_zero
        && whole.bytes().all(|b| b.is_ascii_digit())
        && !whole.is_empty()
        && !mantissa.ends_with('.')
        && unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        && word.parse::<f64>().is_ok()
}
