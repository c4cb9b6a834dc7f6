//! Text to tokens and comments, byte by byte, in one pass. Faults of single tokens are reported here.

use ruleferry_diag::{Diagnostic, Span, codes};
use smol_str::SmolStr;

use super::keyword;
use super::token::{NameClass, Token, TokenKind};
use super::tree::Comment;

/// What a text consists of.
pub struct Lexed {
    /// In order; the last is [`TokenKind::Eof`].
    pub tokens: Vec<Token>,
    pub comments: Vec<Comment>,
    pub diagnostics: Vec<Diagnostic>,
}

/// More faults than this say nothing new about a text.
pub const MAX_FAULTS: usize = 200;

const WORD: u8 = 1;
const DIGIT: u8 = 2;
const BLANK: u8 = 4;
const HEX: u8 = 8;

/// Classes of the bytes: letters, digits and `_` are [`WORD`].
static CLASS: [u8; 256] = classes();

#[expect(clippy::indexing_slicing, reason = "runs when compiled")]
const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut b = 0usize;
    while b < 256 {
        let byte = b as u8;
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            table[b] |= WORD;
        }
        if byte.is_ascii_digit() {
            table[b] |= DIGIT;
        }
        if byte.is_ascii_hexdigit() {
            table[b] |= HEX;
        }
        if matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0C) {
            table[b] |= BLANK;
        }
        b += 1;
    }
    table
}

fn is(class: u8, byte: u8) -> bool {
    CLASS.get(usize::from(byte)).is_some_and(|c| c & class != 0)
}

/// Blanks of the language beyond ASCII.
fn is_wide_blank(c: char) -> bool {
    matches!(
        c,
        '\u{A0}' | '\u{1680}' | '\u{180E}' | '\u{2000}'
            ..='\u{200B}' | '\u{202F}' | '\u{205F}' | '\u{3000}' | '\u{FEFF}'
    )
}

/// Ends a comment; `\n` and `\r` besides.
fn is_wide_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// The units of timespan literals.
const TIMESPAN_UNITS: &[&str] = &[
    "d",
    "h",
    "m",
    "s",
    "ms",
    "min",
    "minute",
    "minutes",
    "sec",
    "second",
    "seconds",
    "day",
    "days",
    "hr",
    "hrs",
    "hour",
    "hours",
    "milli",
    "millis",
    "millisec",
    "millisecond",
    "milliseconds",
    "micro",
    "micros",
    "microsec",
    "microsecond",
    "microseconds",
    "nano",
    "nanos",
    "nanosec",
    "nanosecond",
    "nanoseconds",
    "tick",
    "ticks",
];

/// Splits a text into tokens. Texts longer than `u32` are cut off by the caller.
pub fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        pos: 0,
        out: Lexed {
            tokens: Vec::with_capacity(text.len() / 6 + 8),
            comments: Vec::new(),
            diagnostics: Vec::new(),
        },
    };
    while lexer.token() {}
    lexer.out
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    pos: usize,
    out: Lexed,
}

impl<'t> Lexer<'t> {
    fn at(&self, pos: usize) -> u8 {
        self.bytes.get(pos).copied().unwrap_or(0)
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.at(self.pos + ahead)
    }

    fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or("")
    }

    fn rest(&self, start: usize) -> &'t [u8] {
        self.bytes.get(start..).unwrap_or(&[])
    }

    /// The end of the run of bytes of a class.
    fn run(&self, class: u8, mut pos: usize) -> usize {
        while is(class, self.at(pos)) {
            pos += 1;
        }
        pos
    }

    fn char_at(&self, pos: usize) -> Option<char> {
        self.text.get(pos..).and_then(|t| t.chars().next())
    }

    fn push(&mut self, kind: TokenKind, name: NameClass, start: usize, end: usize) {
        let span = Span::from_usize(start, end);
        self.out.tokens.push(Token { kind, name, start: span.start, end: span.end });
        self.pos = end;
    }

    fn plain(&mut self, kind: TokenKind, len: usize) {
        self.push(kind, NameClass::No, self.pos, self.pos + len);
    }

    fn fault(&mut self, diagnostic: Diagnostic) {
        if self.out.diagnostics.len() < MAX_FAULTS {
            self.out.diagnostics.push(diagnostic);
        }
    }

    /// Skips blanks and comments; keeps the comments.
    fn trivia(&mut self) {
        loop {
            let byte = self.peek(0);
            if is(BLANK, byte) {
                self.pos += 1;
            } else if byte == b'/' && self.peek(1) == b'/' {
                self.comment();
            } else if byte >= 0x80 {
                match self.char_at(self.pos) {
                    Some(c) if is_wide_blank(c) => self.pos += c.len_utf8(),
                    _ => return,
                }
            } else {
                return;
            }
        }
    }

    fn comment(&mut self) {
        let start = self.pos;
        let mut end = match memchr::memchr2(b'\n', b'\r', self.rest(start)) {
            Some(n) => start + n,
            None => self.bytes.len(),
        };
        let mut text = self.slice(start, end);
        if !text.is_ascii()
            && let Some(n) = text.find(is_wide_break)
        {
            end = start + n;
            text = self.slice(start, end);
            self.pos = end + '\u{2028}'.len_utf8();
        } else {
            self.pos = end;
        }
        let before = self.bytes.get(..start).unwrap_or(&[]);
        let code = before.iter().rev().find(|b| !matches!(b, b' ' | b'\t'));
        let own_line = matches!(code, None | Some(b'\n' | b'\r')) || self.only_blanks_before(start);
        let text = text.trim_end();
        let span = Span::from_usize(start, start + text.len());
        let blank_before = own_line && self.blank_line_before(start);
        self.out.comments.push(Comment { text: SmolStr::new(text), span, own_line, blank_before });
    }

    /// Whether two line ends stand before the line of the comment, with nothing between them.
    fn blank_line_before(&self, start: usize) -> bool {
        let before = self.bytes.get(..start).unwrap_or(&[]);
        let blanks = before.iter().rev().take_while(|b| is(BLANK, **b));
        blanks.filter(|b| **b == b'\n').count() > 1
    }

    /// For lines that begin with a wide blank or a byte order mark.
    fn only_blanks_before(&self, start: usize) -> bool {
        let line = self.slice(0, start);
        let line = line.rsplit(['\n', '\r', '\u{2028}', '\u{2029}']).next().unwrap_or("");
        line.chars().all(|c| c == ' ' || c == '\t' || is_wide_blank(c))
    }

    /// Pushes the next token; false at the end.
    fn token(&mut self) -> bool {
        self.trivia();
        let byte = self.peek(0);
        if is(WORD, byte) {
            if is(DIGIT, byte) {
                self.number()
            } else {
                self.word(self.pos)
            }
            return true;
        }
        let next = self.peek(1);
        match byte {
            b'|' => self.plain(TokenKind::Bar, 1),
            b'"' | b'\'' => self.string(self.pos, self.pos, false),
            b'(' => self.plain(TokenKind::LParen, 1),
            b')' => self.plain(TokenKind::RParen, 1),
            b',' => self.plain(TokenKind::Comma, 1),
            b'.' if next == b'.' => self.plain(TokenKind::DotDot, 2),
            b'.' => self.plain(TokenKind::Dot, 1),
            b'=' => match next {
                b'=' => self.plain(TokenKind::EqEq, 2),
                b'~' => self.plain(TokenKind::EqTilde, 2),
                b'>' => self.plain(TokenKind::FatArrow, 2),
                _ => self.plain(TokenKind::Assign, 1),
            },
            b'[' => self.plain(TokenKind::LBracket, 1),
            b']' => self.plain(TokenKind::RBracket, 1),
            b'{' => self.plain(TokenKind::LBrace, 1),
            b'}' => self.plain(TokenKind::RBrace, 1),
            b';' => self.plain(TokenKind::Semicolon, 1),
            b':' => self.plain(TokenKind::Colon, 1),
            b'+' => self.plain(TokenKind::Plus, 1),
            b'-' => self.plain(TokenKind::Minus, 1),
            b'*' => self.plain(TokenKind::Star, 1),
            b'/' => self.plain(TokenKind::Slash, 1),
            b'%' => self.plain(TokenKind::Percent, 1),
            b'?' => self.plain(TokenKind::Question, 1),
            b'<' => match next {
                b'=' => self.plain(TokenKind::Le, 2),
                b'>' => self.plain(TokenKind::LtGt, 2),
                _ => self.plain(TokenKind::Lt, 1),
            },
            b'>' if next == b'=' => self.plain(TokenKind::Ge, 2),
            b'>' => self.plain(TokenKind::Gt, 1),
            b'!' => self.bang(),
            b'@' if self.quote_at(self.pos + 1) => self.string(self.pos, self.pos + 1, true),
            b'@' => self.plain(TokenKind::At, 1),
            b'`' | b'~' if self.quote_at(self.pos) => self.string(self.pos, self.pos, false),
            b'$' => self.word(self.pos),
            b'#' => self.directive(),
            _ if self.pos >= self.bytes.len() => {
                self.plain(TokenKind::Eof, 0);
                return false;
            }
            _ => self.bad_character(),
        }
        true
    }

    fn quote_at(&self, pos: usize) -> bool {
        match self.at(pos) {
            b'"' | b'\'' => true,
            b'`' => self.rest(pos).starts_with(b"```"),
            b'~' => self.rest(pos).starts_with(b"~~~"),
            _ => false,
        }
    }

    fn directive(&mut self) {
        let end = match memchr::memchr2(b'\n', b'\r', self.rest(self.pos)) {
            Some(n) => self.pos + n,
            None => self.bytes.len(),
        };
        self.push(TokenKind::Directive, NameClass::No, self.pos, end);
    }

    /// An identifier, a keyword, a hidden string `h"…"`, a typed literal `datetime(…)` or a bare guid.
    fn word(&mut self, start: usize) {
        let end = self.run(WORD, start + 1);
        let text = self.slice(start, end);
        if text.len() == 1 && matches!(text, "h" | "H") {
            let verbatim = self.at(end) == b'@';
            let quote = end + usize::from(verbatim);
            if self.quote_at(quote) {
                return self.string(start, quote, verbatim);
            }
        }
        if text.len() == 8 && self.raw_guid(start) {
            return self.push(TokenKind::RawGuid, NameClass::No, start, start + 36);
        }
        match self.at(end) {
            b'-' => {
                for candidate in keyword::dashed(text) {
                    let dashed_end = start + candidate.len();
                    if self.rest(start).starts_with(candidate.as_bytes()) && !is(WORD, self.at(dashed_end)) {
                        return self.keyword(candidate, start, dashed_end);
                    }
                }
            }
            b'.' if text == "hint" => {
                let hint_end = self.run(WORD, end + 1);
                let hint = self.slice(start, hint_end);
                if keyword::word(hint).is_some() {
                    return self.keyword(hint, start, hint_end);
                }
            }
            b'~' if text == "in" => return self.keyword("in~", start, end + 1),
            b'(' if keyword::takes_literal(text) => return self.typed(start, end),
            b' ' | b'\t' | b'\r' | b'\n' if text == "matches" => {
                let regex = self.run(BLANK, end);
                let regex_end = self.run(WORD, regex);
                if self.slice(regex, regex_end) == "regex" {
                    return self.keyword("matches regex", start, regex_end);
                }
            }
            _ => {}
        }
        self.keyword(text, start, end);
    }

    /// A keyword if the text is one, else an identifier.
    fn keyword(&mut self, text: &str, start: usize, end: usize) {
        match keyword::word(text) {
            Some(word) => self.push(TokenKind::Kw(word.kw), NameClass::of(word), start, end),
            None => self.push(TokenKind::Ident, NameClass::Any, start, end),
        }
    }

    /// `!=`, `!~`, `!contains`, `!in~`, …
    fn bang(&mut self) {
        match self.peek(1) {
            b'=' => return self.plain(TokenKind::BangEq, 2),
            b'~' => return self.plain(TokenKind::BangTilde, 2),
            _ => {}
        }
        let start = self.pos;
        let mut end = self.run(WORD, start + 1);
        if self.slice(start, end) == "!in" && self.at(end) == b'~' {
            end += 1;
        }
        let text = self.slice(start, end);
        if let Some(word) = keyword::word(text) {
            return self.push(TokenKind::Kw(word.kw), NameClass::No, start, end);
        }
        let span = Span::from_usize(start, end);
        let (message, help) = match text.strip_prefix('!') {
            Some(name @ ("has_any" | "has_all" | "matches" | "like" | "isempty" | "isnotempty")) => (
                format!("there is no operator `{text}`"),
                format!("negate the whole test: `not(… {name} …)`"),
            ),
            Some(name) if !name.is_empty() => {
                (format!("there is no operator `{text}`"), "write `not(…)` around the test".to_owned())
            }
            _ => ("unexpected `!`".to_owned(), "`not(…)` negates a test, `!=` compares".to_owned()),
        };
        self.fault(Diagnostic::error(codes::KQL_BAD_CHARACTER, span, message).with_help(help));
        self.push(TokenKind::Bad, NameClass::No, start, end);
    }

    /// `datetime(…)`: all up to the next `)` on the line.
    fn typed(&mut self, start: usize, open: usize) {
        let end = match memchr::memchr3(b')', b'\n', b'\r', self.rest(open)) {
            Some(n) => open + n,
            None => self.bytes.len(),
        };
        if self.at(end) == b')' {
            return self.push(TokenKind::Typed, NameClass::No, start, end + 1);
        }
        let span = Span::from_usize(start, open + 1);
        let message = format!("`{}` is not closed on its line", self.slice(start, open + 1));
        let help = "put the `)` that ends the literal on the same line";
        self.fault(Diagnostic::error(codes::KQL_BAD_LITERAL, span, message).with_help(help));
        self.push(TokenKind::Typed, NameClass::No, start, end);
    }

    fn raw_guid(&self, start: usize) -> bool {
        let Some(text) = self.bytes.get(start..start + 36) else { return false };
        text.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => is(HEX, *b),
        })
    }

    /// A number, a timespan, or a name that begins with a digit.
    fn number(&mut self) {
        let start = self.pos;
        if self.at(start + 8) == b'-' && self.raw_guid(start) {
            return self.push(TokenKind::RawGuid, NameClass::No, start, start + 36);
        }
        let digits = self.run(DIGIT, start);
        let next = self.at(digits);
        if next != b'.' && !is(WORD, next) {
            return self.push(TokenKind::Long, NameClass::No, start, digits);
        }
        if let Some(end) = self.real(digits) {
            return self.push(TokenKind::Real, NameClass::No, start, end);
        }
        if let Some(end) = self.timespan(digits) {
            return self.push(TokenKind::Timespan, NameClass::No, start, end);
        }
        if next == b'.' {
            return self.push(TokenKind::Long, NameClass::No, start, digits);
        }
        let end = self.run(WORD, digits);
        let hex =
            self.slice(start, end).strip_prefix("0x").or_else(|| self.slice(start, end).strip_prefix("0X"));
        match hex {
            Some(hex) if !hex.is_empty() && hex.bytes().all(|b| is(HEX, b)) => {
                self.push(TokenKind::Long, NameClass::No, start, end);
            }
            _ => self.keyword(self.slice(start, end), start, end),
        }
    }

    /// The end of a real whose whole part ends at `digits`.
    fn real(&self, digits: usize) -> Option<usize> {
        let mut end = digits;
        let dot = self.at(end) == b'.' && (self.at(end + 1) != b'.' || self.at(end + 2) == b'.');
        if dot {
            end = self.run(DIGIT, end + 1);
        }
        if let Some(exponent) = self.exponent(end) {
            end = exponent;
        } else if !dot {
            return None;
        }
        (!is(WORD, self.at(end))).then_some(end)
    }

    fn exponent(&self, pos: usize) -> Option<usize> {
        if !matches!(self.at(pos), b'e' | b'E') {
            return None;
        }
        let sign = usize::from(matches!(self.at(pos + 1), b'+' | b'-'));
        let end = self.run(DIGIT, pos + 1 + sign);
        (end > pos + 1 + sign).then_some(end)
    }

    fn timespan(&self, digits: usize) -> Option<usize> {
        let mut unit = digits;
        if self.at(unit) == b'.' && is(DIGIT, self.at(unit + 1)) {
            unit = self.run(DIGIT, unit + 1);
        }
        let end = self.run(WORD, unit);
        TIMESPAN_UNITS.contains(&self.slice(unit, end)).then_some(end)
    }

    /// A string from `start` whose quote is at `quote`.
    fn string(&mut self, start: usize, quote: usize, verbatim: bool) {
        let mark = self.at(quote);
        if matches!(mark, b'`' | b'~') {
            let close = if mark == b'`' { "```" } else { "~~~" };
            let content = quote + 3;
            let found = memchr::memmem::find(self.rest(content), close.as_bytes());
            let Some(n) = found else { return self.unterminated(start, content, self.bytes.len(), close) };
            return self.push(TokenKind::Str, NameClass::No, start, content + n + 3);
        }
        let mut pos = quote + 1;
        loop {
            let rest = self.rest(pos);
            let found = if verbatim {
                memchr::memchr3(mark, b'\n', b'\r', rest)
            } else {
                rest.iter().position(|b| *b == mark || matches!(b, b'\\' | b'\n' | b'\r'))
            };
            pos += found.unwrap_or(rest.len());
            match self.at(pos) {
                b if b == mark && pos < self.bytes.len() => {
                    if verbatim && self.at(pos + 1) == mark {
                        pos += 2;
                        continue;
                    }
                    return self.push(TokenKind::Str, NameClass::No, start, pos + 1);
                }
                b'\\' => match escape_len(self.rest(pos)) {
                    Some(len) => pos += len,
                    None => {
                        self.bad_escape(pos);
                        // Step over the character after the backslash, unless the line ends there.
                        let after = self.char_at(pos + 1).filter(|c| !matches!(c, '\n' | '\r'));
                        pos += 1 + after.map_or(0, char::len_utf8);
                    }
                },
                _ => return self.unterminated(start, quote + 1, pos, if mark == b'"' { "\"" } else { "'" }),
            }
        }
    }

    fn unterminated(&mut self, start: usize, content: usize, end: usize, close: &str) {
        let span = Span::from_usize(start, content.min(end));
        let message = format!("the string that begins here has no closing `{close}`");
        let help = if close.len() == 1 {
            "close the string on its line; three backticks (```) enclose strings of several lines"
        } else {
            "close the string"
        };
        self.fault(Diagnostic::error(codes::KQL_UNTERMINATED_STRING, span, message).with_help(help));
        self.push(TokenKind::Str, NameClass::No, start, end);
    }

    fn bad_escape(&mut self, pos: usize) {
        let after = self.char_at(pos + 1).filter(|c| !c.is_control());
        let len = 1 + after.map_or(0, char::len_utf8);
        let span = Span::from_usize(pos, pos + len);
        let message = format!("`{}` is no escape of a string", self.slice(pos, pos + len));
        let help = "double the backslash, or write the string verbatim: @\"…\"";
        self.fault(Diagnostic::error(codes::KQL_BAD_ESCAPE, span, message).with_help(help));
    }

    fn bad_character(&mut self) {
        let start = self.pos;
        let Some(c) = self.char_at(start) else {
            self.pos = self.bytes.len();
            return;
        };
        let mut end = start + c.len_utf8();
        // One message for `&&` and for a run of letters of another script.
        while let Some(next) = self.char_at(end)
            && (next == c || (c.is_alphabetic() && !c.is_ascii() && next.is_alphabetic() && !next.is_ascii()))
        {
            end += next.len_utf8();
        }
        let text = self.slice(start, end);
        let shown = if c.is_control() { c.escape_default().to_string() } else { text.to_owned() };
        let help = match c {
            '\u{2018}' | '\u{2019}' | '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{AB}' | '\u{BB}' => {
                "use straight quotes: \" or '"
            }
            '\u{2010}'..='\u{2015}' | '\u{2212}' => "use the hyphen of the keyboard: -",
            '&' => "`and` joins conditions",
            '^' => "`pow(a, b)` raises to a power, `binary_xor(a, b)` is the bitwise operator",
            '~' | '`' => "strings of several lines stand in three backticks or tildes",
            '\\' => "a backslash has a meaning in strings only",
            _ if c.is_alphabetic() => "names with other letters than a-z stand in brackets: ['…']",
            _ => "remove the character",
        };
        let message = format!("unexpected character `{shown}`");
        let span = Span::from_usize(start, end);
        self.fault(Diagnostic::error(codes::KQL_BAD_CHARACTER, span, message).with_help(help));
        self.push(TokenKind::Bad, NameClass::No, start, end);
    }
}

/// The length of the escape at the beginning of the bytes.
pub fn escape_len(bytes: &[u8]) -> Option<usize> {
    let hex = |n: usize| bytes.get(2..2 + n).is_some_and(|d| d.iter().all(|b| is(HEX, *b))).then_some(2 + n);
    match bytes.get(1)? {
        b'\\' | b'\'' | b'"' | b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' => Some(2),
        b'u' => hex(4),
        b'U' => hex(8),
        b'x' => hex(2),
        first @ b'0'..=b'7' => {
            let octal = |i: usize| bytes.get(i).is_some_and(|b| matches!(b, b'0'..=b'7'));
            Some(match (octal(2), octal(3) && *first <= b'3') {
                (true, true) => 4,
                (true, false) => 3,
                (false, _) => 2,
            })
        }
        _ => None,
    }
}
