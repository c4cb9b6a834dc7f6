//! Text to tokens and comments, byte by byte, in one pass. Faults of single tokens are reported here.

use ruleferry_diag::{Diagnostic, Span, codes};
use smol_str::SmolStr;

use super::token::{Token, TokenKind};
use super::tree::Comment;

/// What a text consists of.
pub struct Lexed {
    /// In order; without an end mark.
    pub tokens: Vec<Token>,
    pub comments: Vec<Comment>,
    pub diagnostics: Vec<Diagnostic>,
}

/// More faults than this say nothing new about a text.
pub const MAX_FAULTS: usize = 200;

/// Splits a text into tokens.
pub fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        pos: if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 },
        line_open: false,
        blank_lines: 0,
        after_comment: false,
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
    /// Something stands on the current line.
    line_open: bool,
    /// Line ends since the last token or comment.
    blank_lines: u32,
    /// What was read last is a comment.
    after_comment: bool,
    out: Lexed,
}

const fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl<'t> Lexer<'t> {
    fn at(&self, pos: usize) -> u8 {
        self.bytes.get(pos).copied().unwrap_or(0)
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.at(self.pos + ahead)
    }

    fn rest(&self, start: usize) -> &'t [u8] {
        self.bytes.get(start..).unwrap_or(&[])
    }

    fn words_end(&self, mut pos: usize) -> usize {
        while is_word(self.at(pos)) {
            pos += 1;
        }
        pos
    }

    fn push(&mut self, kind: TokenKind, end: usize) {
        let span = Span::from_usize(self.pos, end);
        self.out.tokens.push(Token { kind, start: span.start, end: span.end, starts_line: !self.line_open });
        if self.after_comment && self.blank_lines > 1 {
            self.out.comments.last_mut().into_iter().for_each(|c| c.blank_after = true);
        }
        self.after_comment = false;
        self.line_open = true;
        self.blank_lines = 0;
        self.pos = end;
    }

    fn fault(&mut self, diagnostic: Diagnostic) {
        if self.out.diagnostics.len() < MAX_FAULTS {
            self.out.diagnostics.push(diagnostic);
        }
    }

    /// Skips blanks and comments; keeps the comments.
    fn trivia(&mut self) {
        loop {
            match self.peek(0) {
                b'\n' => {
                    self.pos += 1;
                    self.line_open = false;
                    self.blank_lines += 1;
                }
                b' ' | b'\t' | b'\r' | 0x0C => self.pos += 1,
                b'/' if self.peek(1) == b'/' => self.line_comment(),
                b'/' if self.peek(1) == b'*' => self.block_comment(),
                0x80.. => match self.text.get(self.pos..).and_then(|t| t.chars().next()) {
                    Some(c) if c.is_whitespace() || c == '\u{feff}' => self.pos += c.len_utf8(),
                    _ => return,
                },
                _ => return,
            }
        }
    }

    fn line_comment(&mut self) {
        let end = memchr::memchr(b'\n', self.rest(self.pos)).map_or(self.bytes.len(), |n| self.pos + n);
        self.comment(end);
    }

    fn block_comment(&mut self) {
        let inside = self.pos + 2;
        let end = memchr::memmem::find(self.rest(inside), b"*/").map(|n| inside + n + 2);
        if end.is_none() {
            let span = Span::from_usize(self.pos, inside);
            self.fault(
                Diagnostic::error(
                    codes::YARAL_UNTERMINATED,
                    span,
                    "the comment that begins here does not end",
                )
                .with_help("end it with `*/`"),
            );
        }
        self.comment(end.unwrap_or(self.bytes.len()));
    }

    fn comment(&mut self, end: usize) {
        let text = self.text.get(self.pos..end).unwrap_or("").trim_end();
        self.out.comments.push(Comment {
            text: SmolStr::new(text),
            span: Span::from_usize(self.pos, self.pos + text.len()),
            own_line: !self.line_open,
            blank_before: self.blank_lines > 1,
            blank_after: false,
        });
        self.after_comment = true;
        // Code behind a block comment that spans lines is still the first of its line, for all that matters here.
        self.line_open = self.line_open && !text.contains('\n');
        self.blank_lines = 0;
        self.pos = end;
    }

    /// Reads one token; false at the end.
    fn token(&mut self) -> bool {
        use TokenKind as K;
        self.trivia();
        let Some(byte) = self.bytes.get(self.pos).copied() else { return false };
        match byte {
            b'{' => self.push(K::LBrace, self.pos + 1),
            b'}' => self.push(K::RBrace, self.pos + 1),
            b'(' => self.push(K::LParen, self.pos + 1),
            b')' => self.push(K::RParen, self.pos + 1),
            b'[' => self.push(K::LBracket, self.pos + 1),
            b']' => self.push(K::RBracket, self.pos + 1),
            b',' => self.push(K::Comma, self.pos + 1),
            b'.' => self.push(K::Dot, self.pos + 1),
            b':' => self.push(K::Colon, self.pos + 1),
            b'=' => self.push(K::Eq, self.pos + 1),
            b'!' if self.peek(1) == b'=' => self.push(K::Ne, self.pos + 2),
            b'!' => self.push(K::Bang, self.pos + 1),
            b'<' if self.peek(1) == b'=' => self.push(K::Le, self.pos + 2),
            b'<' => self.push(K::Lt, self.pos + 1),
            b'>' if self.peek(1) == b'=' => self.push(K::Ge, self.pos + 2),
            b'>' => self.push(K::Gt, self.pos + 1),
            b'+' => self.push(K::Plus, self.pos + 1),
            b'-' => self.push(K::Minus, self.pos + 1),
            b'*' => self.push(K::Star, self.pos + 1),
            b'/' => self.slash(),
            b'$' if is_word_start(self.peek(1)) => self.push(K::Var, self.words_end(self.pos + 1)),
            b'#' if is_word_start(self.peek(1)) => self.push(K::Count, self.words_end(self.pos + 1)),
            b'%' if is_word_start(self.peek(1)) => self.list(),
            b'%' => self.push(K::Percent, self.pos + 1),
            b'"' => self.quoted(),
            b'`' => self.raw(),
            b'0'..=b'9' => self.number(),
            b if is_word_start(b) => self.push(K::Word, self.words_end(self.pos)),
            _ => self.bad(),
        }
        true
    }

    /// List names may hold hyphens.
    fn list(&mut self) {
        let mut end = self.words_end(self.pos + 1);
        while self.at(end) == b'-' && is_word(self.at(end + 1)) {
            end = self.words_end(end + 1);
        }
        self.push(TokenKind::List, end);
    }

    fn slash(&mut self) {
        if self.out.tokens.last().is_some_and(|t| t.kind.ends_operand() && !self.is_keyword(*t)) {
            self.push(TokenKind::Slash, self.pos + 1);
            return;
        }
        let mut end = self.pos + 1;
        loop {
            match memchr::memchr3(b'/', b'\\', b'\n', self.rest(end)).map(|n| end + n) {
                Some(at) if self.at(at) == b'/' => {
                    self.push(TokenKind::Regex, at + 1);
                    return;
                }
                Some(at) if self.at(at) == b'\\' && self.at(at + 1) != b'\n' => {
                    end = (at + 2).min(self.bytes.len())
                }
                at => {
                    let at = at.unwrap_or(self.bytes.len());
                    self.unterminated(at, "the regular expression that begins here has no closing `/`");
                    return;
                }
            }
        }
    }

    /// Words after which an operand begins, so that `/` begins a regex.
    fn is_keyword(&self, token: Token) -> bool {
        let word = token.span().text(self.text);
        token.kind == TokenKind::Word
            && ["and", "or", "not", "in"].iter().any(|k| k.eq_ignore_ascii_case(word))
    }

    /// The rest of the line is a token that cannot be used.
    fn unterminated(&mut self, end: usize, message: &str) {
        let line = memchr::memchr(b'\n', self.rest(self.pos)).map_or(self.bytes.len(), |n| self.pos + n);
        let end = end.min(line).max(self.pos + 1);
        let span = Span::from_usize(self.pos, end);
        self.fault(Diagnostic::error(codes::YARAL_UNTERMINATED, span, message));
        self.push(TokenKind::Bad, end);
    }

    /// A string may span lines (old rules do); without a closing quote it ends with its line.
    fn quoted(&mut self) {
        let mut end = self.pos + 1;
        while let Some(n) = memchr::memchr2(b'"', b'\\', self.rest(end)) {
            let at = end + n;
            if self.at(at) == b'"' {
                self.push(TokenKind::Str, at + 1);
                return;
            }
            // The next character may be wide; whichever it is, none of its bytes is a quote or a backslash.
            end = at + 2;
        }
        self.unterminated(self.bytes.len(), "the string that begins here has no closing quote");
    }

    fn raw(&mut self) {
        let inside = self.pos + 1;
        match memchr::memchr(b'`', self.rest(inside)) {
            Some(n) => self.push(TokenKind::RawStr, inside + n + 1),
            None => {
                self.unterminated(self.bytes.len(), "the string that begins here has no closing backquote")
            }
        }
    }

    fn number(&mut self) {
        let digits = |mut pos: usize| {
            while self.at(pos).is_ascii_digit() {
                pos += 1;
            }
            pos
        };
        let mut end = digits(self.pos);
        if is_word_start(self.at(end)) {
            let end = self.words_end(end);
            self.push(TokenKind::Duration, end);
            return;
        }
        if self.at(end) == b'.' && self.at(end + 1).is_ascii_digit() {
            end = digits(end + 1);
        }
        self.push(TokenKind::Number, end);
    }

    /// Characters that begin nothing; a run of them is one fault.
    fn bad(&mut self) {
        let start = self.pos;
        let mut end = start;
        for c in self.text.get(start..).unwrap_or("").chars() {
            if c.is_whitespace() || c.is_ascii_alphanumeric() || "{}()[],.:=!<>+-*/\"`".contains(c) {
                break;
            }
            end += c.len_utf8();
            if matches!(c, '$' | '#' | '%') {
                break;
            }
        }
        let end = end.max(start + 1);
        let text = self.text.get(start..end).unwrap_or("");
        let (message, help) = match text {
            "$" | "#" => (format!("`{text}` without a name"), "a variable is `$name`, its count `#name`"),
            "&&" | "&" => (format!("`{text}` is no operator"), "write `and`"),
            "||" | "|" => (format!("`{text}` is no operator"), "write `or`"),
            "\u{201c}" | "\u{201d}" | "\u{201e}" | "'" => {
                (format!("`{text}` begins no string"), "use straight double quotes")
            }
            _ => (format!("unexpected `{text}`"), "the language does not use this character here"),
        };
        self.fault(
            Diagnostic::error(codes::YARAL_BAD_CHARACTER, Span::from_usize(start, end), message)
                .with_help(help),
        );
        self.push(TokenKind::Bad, end);
    }
}
