//! Lists between commas.

use super::super::token::TokenKind;
use super::{Parser, Read};

impl Parser<'_> {
    /// Whether a list cannot go on here.
    pub(super) fn at_list_end(&self) -> bool {
        matches!(
            self.kind(),
            TokenKind::RParen
                | TokenKind::RBracket
                | TokenKind::RBrace
                | TokenKind::Bar
                | TokenKind::Semicolon
                | TokenKind::Eof
        )
    }

    /// One or more items between commas.
    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat(TokenKind::Comma) {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// As [`Self::list`], but may be empty.
    pub(super) fn list_or_none<T>(&mut self, item: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        if self.at_list_end() { Ok(Vec::new()) } else { self.list(item) }
    }

    /// A list that may be empty, and begin and end with a comma.
    pub(super) fn loose_list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        self.eat(TokenKind::Comma);
        let mut items = Vec::new();
        while !self.at_list_end() {
            items.push(item(self)?);
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        Ok(items)
    }

    /// `( items )`
    pub(super) fn parenthesized<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.bracketed(TokenKind::LParen, TokenKind::RParen, read)
    }

    /// Brackets around what is no pipeline.
    pub(super) fn bracketed<T>(
        &mut self,
        open: TokenKind,
        close: TokenKind,
        read: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Read<T> {
        let (open_text, close_text) = match open {
            TokenKind::LBracket => ("`[`", "`]`"),
            TokenKind::LBrace => ("`{`", "`}`"),
            _ => ("`(`", "`)`"),
        };
        let opened = self.token().span();
        self.expect(open, open_text)?;
        let value = read(self)?;
        if self.eat(close) { Ok(value) } else { Err(self.unclosed(opened, open_text, close_text)) }
    }
}
