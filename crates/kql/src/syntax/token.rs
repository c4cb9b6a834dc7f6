//! Tokens: what the lexer hands to the parser. Small and flat, so that a text is lexed once into one vector.

use ruleferry_diag::Span;

use super::keyword::{Kw, Word};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Ident,
    Kw(Kw),
    /// `5`, `0x1F`
    Long,
    Real,
    Timespan,
    /// `datetime(…)` up to the next `)`
    Typed,
    /// A guid without `guid(…)`.
    RawGuid,
    Str,
    LParen,
    RParen,
    LBracket,
    RBracket,
    LBrace,
    RBrace,
    Bar,
    Dot,
    DotDot,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Lt,
    Le,
    LtGt,
    Gt,
    Ge,
    Assign,
    EqEq,
    FatArrow,
    EqTilde,
    BangEq,
    BangTilde,
    Colon,
    Semicolon,
    Comma,
    At,
    Question,
    /// A line that begins with `#`.
    Directive,
    /// A character that the language does not use; the lexer has reported it.
    Bad,
    Eof,
}

#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub kind: TokenKind,
    /// What kind of name an identifier or keyword can be.
    pub name: NameClass,
    pub start: u32,
    pub end: u32,
}

/// Where a token may stand for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameClass {
    /// Not a word, or a word that is never a name.
    No,
    /// Anywhere.
    Any,
    /// Only where a column is declared.
    Declared,
    /// Only where a column is read.
    Read,
}

impl NameClass {
    pub fn of(word: &Word) -> Self {
        match (word.is_declarable(), word.is_readable()) {
            (true, true) => Self::Any,
            (true, false) => Self::Declared,
            (false, true) => Self::Read,
            (false, false) => Self::No,
        }
    }
}

impl Token {
    pub fn span(&self) -> Span {
        Span::new(self.start, self.end)
    }

    /// A name in any position.
    pub fn is_name(&self) -> bool {
        self.name == NameClass::Any
    }

    /// A name where a column or parameter is declared.
    pub fn is_declarable(&self) -> bool {
        matches!(self.name, NameClass::Any | NameClass::Declared)
    }

    pub fn is_word(&self) -> bool {
        matches!(self.kind, TokenKind::Ident | TokenKind::Kw(_))
    }
}
