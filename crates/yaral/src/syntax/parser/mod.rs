//! Tokens to tree: recursive descent with one token of look-ahead (a few where the language needs them).
//!
//! In: the text. Out: a tree for any text, with [`ExprKind::Error`] where it could not be read, and the diagnostics
//! that say why. After a fault the parser goes on at the next predicate or section, so that one run shows all faults.
//!
//! [`ExprKind::Error`]: super::tree::ExprKind::Error

mod expr;
mod section;

use ruleferry_diag::{Diagnostic, Span, codes};
use smol_str::SmolStr;

use super::lexer::{self, MAX_FAULTS};
use super::token::{Token, TokenKind};
use super::tree::{Comment, File, Loc, Name, Section};

/// How deep expressions may nest.
pub const MAX_DEPTH: u32 = 128;

/// A text as read.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub file: File,
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
        let message = "the text is larger than 4 GiB";
        let diagnostic = Diagnostic::error(codes::YARAL_TOO_LARGE, Span::default(), message);
        return Parsed { file: File::default(), comments: Vec::new(), diagnostics: vec![diagnostic] };
    }
    let lexed = lexer::lex(text);
    let end = Span::from_usize(text.len(), text.len()).start;
    let mut parser = Parser {
        text,
        tokens: lexed.tokens,
        end: Token { kind: TokenKind::Eof, start: end, end, starts_line: true },
        pos: 0,
        depth: 0,
        diagnostics: lexed.diagnostics,
    };
    let file = parser.file();
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|d| d.span);
    Parsed { file, comments: lexed.comments, diagnostics }
}

/// Whether a text begins as a rule does, comments apart: `rule name {`.
pub fn is_rule_text(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        rest = match (rest.strip_prefix("//"), rest.strip_prefix("/*")) {
            (Some(line), _) => line.split_once('\n').map_or("", |(_, after)| after),
            (_, Some(block)) => block.split_once("*/").map_or("", |(_, after)| after),
            (None, None) => break,
        }
        .trim_start();
    }
    let mut words = rest.splitn(2, char::is_whitespace);
    let rule = words.next().is_some_and(|w| w.eq_ignore_ascii_case("rule"));
    let after = words.next().unwrap_or("").trim_start();
    let name = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    rule && name.len() < after.len() && name.trim_start().starts_with('{')
}

/// The rest of the construct could not be read; the diagnostic has been given.
struct Fault;

type Read<T> = Result<T, Fault>;

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    end: Token,
    pos: usize,
    depth: u32,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Parser<'t> {
    fn ahead(&self, n: usize) -> Token {
        self.tokens.get(self.pos + n).copied().unwrap_or(self.end)
    }

    fn current(&self) -> Token {
        self.ahead(0)
    }

    fn kind(&self) -> TokenKind {
        self.current().kind
    }

    fn text_of(&self, token: Token) -> &'t str {
        token.span().text(self.text)
    }

    fn bump(&mut self) -> Token {
        let token = self.current();
        self.pos = (self.pos + 1).min(self.tokens.len());
        token
    }

    /// The end of the token read last.
    fn last_end(&self) -> u32 {
        self.pos.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(0, |t| t.end)
    }

    fn span_from(&self, start: u32) -> Loc {
        Loc(Span::new(start, self.last_end().max(start)))
    }

    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.bump();
        }
        found
    }

    /// Whether a token is the word, in any case.
    fn is_word_at(&self, ahead: usize, word: &str) -> bool {
        let token = self.ahead(ahead);
        token.kind == TokenKind::Word && self.text_of(token).eq_ignore_ascii_case(word)
    }

    fn is_word(&self, word: &str) -> bool {
        self.is_word_at(0, word)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.bump();
        }
        found
    }

    fn fault(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MAX_FAULTS {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Something else was expected at the current token.
    fn expected(&mut self, what: &str) -> Fault {
        let token = self.current();
        // What the lexer could not read has its own message.
        if token.kind != TokenKind::Bad {
            let found = match token.kind {
                TokenKind::Eof => "the end of the text".to_owned(),
                _ => format!("`{}`", shorten(self.text_of(token))),
            };
            let message = format!("expected {what}, found {found}");
            self.fault(Diagnostic::error(codes::YARAL_SYNTAX, token.span(), message));
        }
        Fault
    }

    fn expect(&mut self, kind: TokenKind, what: &str) -> Read<Token> {
        if self.kind() == kind { Ok(self.bump()) } else { Err(self.expected(what)) }
    }

    fn word(&mut self, what: &str) -> Read<Name> {
        let token = self.expect(TokenKind::Word, what)?;
        Ok(Name { text: SmolStr::new(self.text_of(token)), span: Loc(token.span()) })
    }

    /// `$name`
    fn var(&mut self, what: &str) -> Read<Name> {
        let token = self.expect(TokenKind::Var, what)?;
        Ok(Name { text: self.without_sigil(token), span: Loc(token.span()) })
    }

    fn without_sigil(&self, token: Token) -> SmolStr {
        SmolStr::new(self.text_of(token).get(1..).unwrap_or(""))
    }

    /// The section whose header begins at the current token: `events:`.
    fn section_here(&self) -> Option<Section> {
        if self.kind() != TokenKind::Word || self.ahead(1).kind != TokenKind::Colon {
            return None;
        }
        Section::ALL.into_iter().find(|s| self.is_word(s.word()))
    }

    /// `rule name {`
    fn rule_here(&self) -> bool {
        self.is_word("rule")
            && self.ahead(1).kind == TokenKind::Word
            && self.ahead(2).kind == TokenKind::LBrace
    }

    fn too_deep(&mut self) -> Fault {
        let span = self.current().span();
        let message = format!("nested more than {MAX_DEPTH} levels deep");
        self.fault(Diagnostic::error(codes::YARAL_TOO_DEEP, span, message));
        Fault
    }
}

/// A piece of the user's text for a message.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() <= LONGEST && line.len() == text.len() {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(LONGEST).collect();
    short.push('…');
    short
}
