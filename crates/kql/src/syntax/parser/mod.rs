//! Tokens to tree: recursive descent with one token of look-ahead (a few where the language needs them).
//!
//! In: the text. Out: a tree for any text, with [`StatementKind::Error`], [`OperatorKind::Error`] and
//! [`ExprKind::Error`] where it could not be read, and the diagnostics that say why. After a fault the parser goes
//! on at the next `|` or `;`, so that one run shows all faults.

mod expr;
mod fault;
mod graph;
mod list;
mod literal;
mod operator;
mod param;
mod pipeline;
mod special;
mod statement;
mod text;

use ruleferry_diag::{Diagnostic, Span, codes};
use smol_str::SmolStr;

use super::keyword::Kw;
use super::lexer::{self, MAX_FAULTS};
use super::token::{NameClass, Token, TokenKind};
use super::tree::{Comment, Loc, Name, Query};

/// How deep expressions and subqueries may nest.
pub const MAX_DEPTH: u32 = 128;

/// A text as read.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub query: Query,
    /// In the order of the text.
    pub comments: Vec<Comment>,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Reads a text. Never fails: what it could not read is in the diagnostics.
pub fn parse(text: &str) -> Parsed {
    if u32::try_from(text.len()).is_err() {
        let message = "the query text is larger than 4 GiB";
        let diagnostic = Diagnostic::error(codes::KQL_TOO_LARGE, Span::default(), message);
        return Parsed { query: Query::default(), comments: Vec::new(), diagnostics: vec![diagnostic] };
    }
    let lexed = lexer::lex(text);
    let end = Token {
        kind: TokenKind::Eof,
        name: NameClass::No,
        start: Span::from_usize(text.len(), text.len()).start,
        end: Span::from_usize(text.len(), text.len()).end,
    };
    let mut parser = Parser {
        text,
        tokens: lexed.tokens,
        end,
        pos: 0,
        depth: 0,
        height: 0,
        enclosures: 0,
        stopped: false,
        diagnostics: lexed.diagnostics,
    };
    let query = parser.query();
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|d| d.span);
    Parsed { query, comments: lexed.comments, diagnostics }
}

/// The rest of the construct could not be read; the diagnostic has been given.
struct Fault;

type Read<T> = Result<T, Fault>;

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    /// Stands for all that is past the last token.
    end: Token,
    pos: usize,
    depth: u32,
    /// The height of the tree that was read last.
    height: u32,
    /// Brackets and braces around the current pipeline.
    enclosures: u32,
    /// The text is too deep to go on; no more messages.
    stopped: bool,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Parser<'t> {
    #[inline]
    fn token(&self) -> Token {
        self.tokens.get(self.pos).copied().unwrap_or(self.end)
    }

    #[inline]
    fn ahead(&self, n: usize) -> Token {
        self.tokens.get(self.pos + n).copied().unwrap_or(self.end)
    }

    #[inline]
    fn kind(&self) -> TokenKind {
        self.tokens.get(self.pos).map_or(TokenKind::Eof, |t| t.kind)
    }

    #[inline]
    fn kind_ahead(&self, n: usize) -> TokenKind {
        self.tokens.get(self.pos + n).map_or(TokenKind::Eof, |t| t.kind)
    }

    #[inline]
    fn advance(&mut self) {
        self.pos += 1;
    }

    #[inline]
    fn at(&self, kind: TokenKind) -> bool {
        self.kind() == kind
    }

    #[inline]
    fn at_kw(&self, kw: Kw) -> bool {
        self.kind() == TokenKind::Kw(kw)
    }

    #[inline]
    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.at(kind);
        self.pos += usize::from(found);
        found
    }

    #[inline]
    fn eat_kw(&mut self, kw: Kw) -> bool {
        self.eat(TokenKind::Kw(kw))
    }

    fn text_of(&self, token: Token) -> &'t str {
        token.span().text(self.text)
    }

    /// The start of the current token.
    fn start(&self) -> u32 {
        self.token().start
    }

    /// From `start` to the end of the last token read.
    fn span_from(&self, start: u32) -> Loc {
        let end = self.pos.checked_sub(1).and_then(|p| self.tokens.get(p)).map_or(start, |t| t.end);
        Loc(Span::new(start, end.max(start)))
    }

    fn previous(&self) -> Option<Token> {
        self.pos.checked_sub(1).and_then(|p| self.tokens.get(p)).copied()
    }

    /// Whether the token `n` ahead follows the one before it without a blank.
    fn adjacent(&self, n: usize) -> bool {
        let Some(before) = (self.pos + n).checked_sub(1).and_then(|p| self.tokens.get(p)) else {
            return false;
        };
        before.end == self.ahead(n).start
    }

    /// Whether the current token is the first on its line.
    fn at_line_start(&self, pos: usize) -> bool {
        let token = self.tokens.get(pos).copied().unwrap_or(self.end);
        let before = pos.checked_sub(1).and_then(|p| self.tokens.get(p)).map_or(0, |t| t.end);
        Span::new(before, token.start).text(self.text).contains(['\n', '\r'])
    }

    /// One level deeper; give the result to [`Self::leave`].
    fn enter(&mut self) -> Read<u32> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        Ok(std::mem::take(&mut self.height))
    }

    fn leave(&mut self, height_before: u32) {
        self.depth -= 1;
        self.height = height_before.max(self.height + 1);
    }

    /// One more link of a chain like `a + b + c`, where each link makes the tree higher.
    fn link(&mut self) -> Read<()> {
        self.height += 1;
        if self.depth + self.height > MAX_DEPTH { Err(self.too_deep()) } else { Ok(()) }
    }

    fn too_deep(&mut self) -> Fault {
        let span = self.token().span();
        let message = format!("nested more than {MAX_DEPTH} levels deep");
        let help = "flatten the expression; lists of values belong into `in (…)` or `dynamic([…])`";
        self.report(Diagnostic::error(codes::KQL_TOO_DEEP, span, message).with_help(help));
        self.stopped = true;
        self.pos = self.tokens.len();
        Fault
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        let again = self.diagnostics.last().is_some_and(|d| d.span == diagnostic.span);
        if !again && !self.is_mute() {
            self.diagnostics.push(diagnostic);
        }
    }

    /// No more messages are taken.
    fn is_mute(&self) -> bool {
        self.stopped || self.diagnostics.len() >= MAX_FAULTS
    }

    fn expect(&mut self, kind: TokenKind, what: &str) -> Read<()> {
        if self.eat(kind) { Ok(()) } else { Err(self.expected(what)) }
    }

    fn expect_kw(&mut self, kw: Kw, what: &str) -> Read<()> {
        self.expect(TokenKind::Kw(kw), what)
    }

    /// `open … close` around what may be a pipeline.
    fn enclosed<T>(
        &mut self,
        open: TokenKind,
        close: TokenKind,
        read: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Read<T> {
        let (open_text, close_text) = if open == TokenKind::LBrace { ("`{`", "`}`") } else { ("`(`", "`)`") };
        let opened = self.token().span();
        self.expect(open, open_text)?;
        self.enclosures += 1;
        let value = read(self);
        self.enclosures -= 1;
        let value = value?;
        if !self.eat(close) {
            return Err(self.unclosed(opened, open_text, close_text));
        }
        Ok(value)
    }

    /// A name as it stands in the text: an identifier, `['…']` or `{…}`.
    fn name(&mut self) -> Option<Name> {
        let token = self.token();
        if token.is_name() {
            self.advance();
            return Some(Name { text: SmolStr::new(self.text_of(token)), span: token.span().into() });
        }
        match token.kind {
            TokenKind::LBracket => self.bracketed_name(),
            TokenKind::LBrace => self.braced_name(),
            _ => None,
        }
    }

    /// A name where one is declared: some more keywords may be names there.
    fn declared_name(&mut self) -> Option<Name> {
        let token = self.token();
        if token.is_declarable() {
            self.advance();
            return Some(Name { text: SmolStr::new(self.text_of(token)), span: token.span().into() });
        }
        self.name()
    }

    fn expect_name(&mut self, what: &str) -> Read<Name> {
        match self.name() {
            Some(name) => Ok(name),
            None => self.keyword_as_name(what),
        }
    }

    fn expect_declared_name(&mut self, what: &str) -> Read<Name> {
        match self.declared_name() {
            Some(name) => Ok(name),
            None => self.keyword_as_name(what),
        }
    }

    /// How many tokens a bracketed name takes, 0 if there is none.
    fn bracketed_len(&self, at: usize) -> usize {
        if self.kind_ahead(at) != TokenKind::LBracket || self.kind_ahead(at + 1) != TokenKind::Str {
            return 0;
        }
        let mut n = at + 2;
        while self.kind_ahead(n) == TokenKind::Str {
            n += 1;
        }
        if self.kind_ahead(n) == TokenKind::RBracket { n + 1 - at } else { 0 }
    }

    fn bracketed_name(&mut self) -> Option<Name> {
        if self.bracketed_len(0) == 0 {
            return None;
        }
        let start = self.start();
        self.advance();
        let text = self.string_literal().value;
        self.advance();
        Some(Name { text, span: self.span_from(start) })
    }

    /// How many tokens `{name}` or `{name[0]}` takes, 0 if there is none. It holds no blanks.
    fn braced_len(&self, at: usize) -> usize {
        if self.kind_ahead(at) != TokenKind::LBrace || !self.ahead(at + 1).is_word() {
            return 0;
        }
        let mut n = at + 2;
        if self.kind_ahead(n) == TokenKind::LBracket {
            n += 1 + usize::from(self.kind_ahead(n + 1) == TokenKind::Minus);
            if self.kind_ahead(n) != TokenKind::Long || self.kind_ahead(n + 1) != TokenKind::RBracket {
                return 0;
            }
            n += 2;
        }
        let closed = self.kind_ahead(n) == TokenKind::RBrace;
        if closed && (at + 1..=n).all(|i| self.adjacent(i)) { n + 1 - at } else { 0 }
    }

    /// `{name}`, with its braces.
    fn braced_name(&mut self) -> Option<Name> {
        let len = self.braced_len(0);
        let last = len.checked_sub(1)?;
        let span = self.token().span().to(self.ahead(last).span());
        self.pos += len;
        Some(Name { text: SmolStr::new(span.text(self.text)), span: span.into() })
    }

    /// How many tokens a name takes that is declared here, 0 if there is none.
    fn declared_len(&self, at: usize) -> usize {
        if self.ahead(at).is_declarable() {
            return 1;
        }
        match self.kind_ahead(at) {
            TokenKind::LBracket => self.bracketed_len(at),
            TokenKind::LBrace => self.braced_len(at),
            _ => 0,
        }
    }
}
