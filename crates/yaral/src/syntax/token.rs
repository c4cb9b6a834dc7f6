//! Tokens: what the lexer hands to the parser. Small and flat, so that a text is lexed once into one vector.

use ruleferry_diag::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A bare word: a keyword (they are contextual), a function or a name.
    Word,
    /// `$name`
    Var,
    /// `#name`
    Count,
    /// `%name`
    List,
    /// `"…"`
    Str,
    /// `` `…` ``
    RawStr,
    /// `/…/`
    Regex,
    /// `5`, `0.5`
    Number,
    /// `5m`
    Duration,
    LBrace,
    RBrace,
    LParen,
    RParen,
    LBracket,
    RBracket,
    Comma,
    Dot,
    Colon,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Bang,
    /// Text that the language does not use; the lexer has reported it.
    Bad,
    Eof,
}

impl TokenKind {
    /// Whether an operand may end with the token: then `/` divides, else it begins a regex.
    pub const fn ends_operand(self) -> bool {
        use TokenKind as K;
        match self {
            K::Word
            | K::Var
            | K::Count
            | K::List
            | K::Str
            | K::RawStr
            | K::Regex
            | K::Number
            | K::Duration
            | K::RBrace
            | K::RParen
            | K::RBracket => true,
            K::LBrace
            | K::LParen
            | K::LBracket
            | K::Comma
            | K::Dot
            | K::Colon
            | K::Eq
            | K::Ne
            | K::Lt
            | K::Le
            | K::Gt
            | K::Ge
            | K::Plus
            | K::Minus
            | K::Star
            | K::Slash
            | K::Percent
            | K::Bang
            | K::Bad
            | K::Eof => false,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub kind: TokenKind,
    /// Byte offsets.
    pub start: u32,
    pub end: u32,
    /// Whether it is the first of its line: where the reader looks for the next predicate after a fault.
    pub starts_line: bool,
}

impl Token {
    pub const fn span(self) -> Span {
        Span::new(self.start, self.end)
    }
}
