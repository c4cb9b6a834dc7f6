//! Expressions: `or` over `and` over `not` over comparisons over sums over products over atoms.

use ruleferry_diag::{Diagnostic, Span, codes};
use smol_str::SmolStr;

use super::super::literal::{self, Text};
use super::super::token::{Token, TokenKind};
use super::super::tree::{
    Arg, ArithOp, Call, Compare, CompareOp, Expr, ExprKind, Field, In, ListKind, Loc, Quantifier, Step,
};
use super::{Fault, MAX_DEPTH, Parser, Read};

impl Parser<'_> {
    /// Goes one level down; every recursion of the parser passes here.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    pub(super) fn expr(&mut self) -> Read<Expr> {
        self.deeper(|p| p.joined("or", ExprKind::Or, |p| p.joined("and", ExprKind::And, Self::not)))
    }

    fn joined(
        &mut self,
        word: &str,
        join: fn(Vec<Expr>) -> ExprKind,
        operand: impl Fn(&mut Self) -> Read<Expr>,
    ) -> Read<Expr> {
        let start = self.current().start;
        let first = operand(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.eat_word(word) {
            operands.push(operand(self)?);
        }
        Ok(Expr { kind: join(operands), span: self.span_from(start) })
    }

    fn not(&mut self) -> Read<Expr> {
        let start = self.current().start;
        let make = if self.eat_word("not") {
            ExprKind::Not
        } else if self.eat(TokenKind::Bang) {
            ExprKind::Bang
        } else {
            return self.comparison();
        };
        let operand = self.deeper(Self::not)?;
        Ok(Expr { kind: make(Box::new(operand)), span: self.span_from(start) })
    }

    fn comparison(&mut self) -> Read<Expr> {
        let start = self.current().start;
        let left = self.sum()?;
        if let Some(op) = compare_op(self.kind()) {
            self.bump();
            if self.kind() == TokenKind::Eq {
                let span = Span::new(self.last_end().saturating_sub(1), self.current().end);
                let fault = Diagnostic::error(codes::YARAL_SYNTAX, span, "`==` is no operator");
                self.fault(fault.with_help("write `=`"));
                return Err(Fault);
            }
            let right = if self.kind() == TokenKind::Regex { self.regex() } else { self.sum()? };
            let nocase = self.eat_word("nocase");
            let kind = ExprKind::Compare(Box::new(Compare { op, left, right, nocase }));
            return Ok(Expr { kind, span: self.span_from(start) });
        }
        if self.is_word("in") {
            self.bump();
            return self.lookup(start, left);
        }
        if self.is_word("is") && (self.is_word_at(1, "null") || self.is_word_at(1, "not")) {
            self.bump();
            let negated = self.eat_word("not");
            if !self.eat_word("null") {
                return Err(self.expected("`null`"));
            }
            let kind = ExprKind::IsNull { operand: Box::new(left), negated };
            return Ok(Expr { kind, span: self.span_from(start) });
        }
        if self.eat_word("nocase") {
            return Ok(Expr { kind: ExprKind::NoCase(Box::new(left)), span: self.span_from(start) });
        }
        Ok(left)
    }

    fn lookup(&mut self, start: u32, operand: Expr) -> Read<Expr> {
        let kind = if self.eat_word("regex") {
            ListKind::Regex
        } else if self.eat_word("cidr") {
            ListKind::Cidr
        } else {
            ListKind::Text
        };
        let token = self.expect(TokenKind::List, "a list such as `%list`")?;
        let list = self.without_sigil(token);
        let column = if self.eat(TokenKind::Dot) { Some(self.word("a column")?.text) } else { None };
        let list_span = self.span_from(token.start);
        let nocase = self.eat_word("nocase");
        let kind = ExprKind::In(Box::new(In { operand, kind, list, column, nocase, list_span }));
        Ok(Expr { kind, span: self.span_from(start) })
    }

    pub(super) fn sum(&mut self) -> Read<Expr> {
        self.chain(sum_op, |p| p.chain(product_op, |p| p.deeper(Self::atom)))
    }

    fn chain(
        &mut self,
        op_of: fn(TokenKind) -> Option<ArithOp>,
        operand: impl Fn(&mut Self) -> Read<Expr>,
    ) -> Read<Expr> {
        let start = self.current().start;
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some(op) = op_of(self.kind()) {
            self.bump();
            rest.push((op, operand(self)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let kind = ExprKind::Arith { first: Box::new(first), rest };
        Ok(Expr { kind, span: self.span_from(start) })
    }

    fn atom(&mut self) -> Read<Expr> {
        let token = self.current();
        let kind = match token.kind {
            TokenKind::Var => ExprKind::Field(self.field()?),
            TokenKind::Count => {
                self.bump();
                ExprKind::Count(self.without_sigil(token))
            }
            TokenKind::List => {
                self.bump();
                self.expect(TokenKind::Dot, "`.` and a column of the table")?;
                let column = self.word("a column of the table")?.text;
                ExprKind::TableColumn { table: self.without_sigil(token), column }
            }
            TokenKind::Str | TokenKind::RawStr => ExprKind::Text(self.text_literal()),
            TokenKind::Number => {
                self.bump();
                ExprKind::Number(SmolStr::new(self.text_of(token)))
            }
            TokenKind::LParen => return self.parenthesised(),
            TokenKind::LBracket => {
                self.bump();
                let items = self.list_of(TokenKind::RBracket, Self::expr)?;
                self.expect(TokenKind::RBracket, "`,` or `]`")?;
                ExprKind::Array(items)
            }
            TokenKind::Word => return self.worded(),
            _ => return Err(self.expected("an expression")),
        };
        Ok(Expr { kind, span: self.span_from(token.start) })
    }

    /// Leaves no trace but a span that takes the parentheses in.
    fn parenthesised(&mut self) -> Read<Expr> {
        let start = self.bump().start;
        let mut inner = self.expr()?;
        self.expect(TokenKind::RParen, "`)`")?;
        inner.span = self.span_from(start);
        Ok(inner)
    }

    fn list_of<T>(&mut self, end: TokenKind, mut read: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut items = Vec::new();
        while self.kind() != end {
            items.push(read(self)?);
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        Ok(items)
    }

    fn field(&mut self) -> Read<Field> {
        let var = self.expect(TokenKind::Var, "a variable")?;
        let mut steps = Vec::new();
        loop {
            match self.kind() {
                TokenKind::Dot => {
                    self.bump();
                    steps.push(Step::Name(self.word("the name of a field")?.text));
                }
                TokenKind::LBracket => {
                    self.bump();
                    steps.push(self.bracket()?);
                    self.expect(TokenKind::RBracket, "`]`")?;
                }
                _ => return Ok(Field { var: self.without_sigil(var), steps }),
            }
        }
    }

    /// What stands between `[` and `]` behind a field.
    fn bracket(&mut self) -> Read<Step> {
        let token = self.current();
        match token.kind {
            TokenKind::Str | TokenKind::RawStr => Ok(Step::Key(self.text_literal())),
            TokenKind::Number => {
                let Ok(index) = self.text_of(token).parse() else {
                    return Err(self.expected("a whole number or a key in quotes"));
                };
                self.bump();
                Ok(Step::Index(index))
            }
            _ => Err(self.expected("a whole number or a key in quotes")),
        }
    }

    pub(super) fn text_literal(&mut self) -> Text {
        let token = self.bump();
        let whole = self.text_of(token);
        let inner = whole.get(1..whole.len().saturating_sub(1)).unwrap_or("");
        if token.kind == TokenKind::RawStr {
            return Text { value: SmolStr::new(inner), raw: true };
        }
        let (value, unknown) = literal::unescape(inner);
        for at in unknown {
            let start = token.start as usize + 1 + at;
            let wide = inner.get(at + 1..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8);
            let span = Span::from_usize(start, start + 1 + wide);
            let message = format!("`{}` is no escape", span.text(self.text));
            let fault = Diagnostic::warning(codes::YARAL_BAD_ESCAPE, span, message);
            self.fault(fault.with_help("it is taken as it stands; double the backslash, or use backquotes"));
        }
        Text { value, raw: false }
    }

    fn regex(&mut self) -> Expr {
        let token = self.bump();
        let whole = self.text_of(token);
        let inner = whole.get(1..whole.len().saturating_sub(1)).unwrap_or("");
        Expr { kind: ExprKind::Regex(literal::read_regex(inner)), span: Loc(token.span()) }
    }

    /// What begins with a bare word: a literal, `any` or `all`, a call.
    fn worded(&mut self) -> Read<Expr> {
        let token = self.current();
        let word = self.text_of(token);
        let plain = match word.to_ascii_lowercase().as_str() {
            "true" => Some(ExprKind::Bool(true)),
            "false" => Some(ExprKind::Bool(false)),
            "window_start" => Some(ExprKind::WindowStart),
            "window_end" => Some(ExprKind::WindowEnd),
            _ => None,
        };
        // A parenthesis behind one of them begins the next predicate.
        if let Some(kind) = plain {
            self.bump();
            return Ok(Expr { kind, span: Loc(token.span()) });
        }
        for (quantifier, name) in [(Quantifier::Any, "any"), (Quantifier::All, "all")] {
            if self.is_word(name) && self.ahead(1).kind == TokenKind::Var {
                self.bump();
                let field = self.field()?;
                return Ok(Expr {
                    kind: ExprKind::Quantified { quantifier, field },
                    span: self.span_from(token.start),
                });
            }
        }
        let name = self.dotted()?;
        if !self.eat(TokenKind::LParen) {
            let span = self.span_from(token.start);
            let message = format!("`{name}` is neither a call nor a field of an event variable");
            let fault = Diagnostic::error(codes::YARAL_SYNTAX, span.0, message);
            self.fault(
                fault.with_help(format!(
                    "a field is `$e.{name}`, a call `{name}(…)`, a text stands in quotes"
                )),
            );
            return Err(Fault);
        }
        let args = self.list_of(TokenKind::RParen, Self::arg)?;
        self.expect(TokenKind::RParen, "`,` or `)`")?;
        Ok(Expr { kind: ExprKind::Call(Call { name, args }), span: self.span_from(token.start) })
    }

    /// `a.b.c`
    fn dotted(&mut self) -> Read<SmolStr> {
        let first = self.word("a name")?;
        if self.kind() != TokenKind::Dot {
            return Ok(first.text);
        }
        let mut name = first.text.to_string();
        while self.eat(TokenKind::Dot) {
            name.push('.');
            name.push_str(&self.word("a name")?.text);
        }
        Ok(name.into())
    }

    fn arg(&mut self) -> Read<Arg> {
        let start = self.current().start;
        if self.kind() == TokenKind::Regex {
            let value = self.regex();
            return Ok(Arg { name: None, span: value.span, value });
        }
        let name = if self.named_arg() {
            let name = self.dotted()?;
            self.bump();
            Some(name)
        } else {
            None
        };
        let value = match self.kind() {
            TokenKind::Duration => {
                let from = self.current().start;
                let value = self.duration()?;
                Expr { kind: ExprKind::Duration(value), span: self.span_from(from) }
            }
            TokenKind::Word if name.is_some() && self.bare_word() => {
                let word = self.bump();
                let name = self.name_at(word);
                Expr { kind: ExprKind::Word(name.text), span: name.span }
            }
            _ => self.expr()?,
        };
        Ok(Arg { name, value, span: self.span_from(start) })
    }

    /// `a.b:` ahead.
    fn named_arg(&self) -> bool {
        let mut at = 0;
        while self.ahead(at).kind == TokenKind::Word {
            match self.ahead(at + 1).kind {
                TokenKind::Colon => return true,
                TokenKind::Dot => at += 2,
                _ => return false,
            }
        }
        false
    }

    /// A word that is the whole value of an argument.
    fn bare_word(&self) -> bool {
        let next: Token = self.ahead(1);
        matches!(next.kind, TokenKind::Comma | TokenKind::RParen)
            && !self.is_word("true")
            && !self.is_word("false")
    }
}

const fn compare_op(kind: TokenKind) -> Option<CompareOp> {
    Some(match kind {
        TokenKind::Eq => CompareOp::Eq,
        TokenKind::Ne => CompareOp::Ne,
        TokenKind::Lt => CompareOp::Lt,
        TokenKind::Le => CompareOp::Le,
        TokenKind::Gt => CompareOp::Gt,
        TokenKind::Ge => CompareOp::Ge,
        _ => return None,
    })
}

const fn sum_op(kind: TokenKind) -> Option<ArithOp> {
    Some(match kind {
        TokenKind::Plus => ArithOp::Add,
        TokenKind::Minus => ArithOp::Sub,
        _ => return None,
    })
}

const fn product_op(kind: TokenKind) -> Option<ArithOp> {
    Some(match kind {
        TokenKind::Star => ArithOp::Mul,
        TokenKind::Slash => ArithOp::Div,
        TokenKind::Percent => ArithOp::Rem,
        _ => return None,
    })
}
