//! Expressions: precedence climbing over the levels of the language, loosest first: `or`, `and`, equality and
//! membership, comparison, sum, product, string tests, sign, path.

use ruleferry_diag::{Diagnostic, codes};
use smol_str::SmolStr;

use super::super::keyword::Kw;
use super::super::token::{NameClass, TokenKind};
use super::super::tree::{
    Between, Binary, BinaryOp, Call, ColumnNames, Expr, ExprKind, ListOp, ListTest, Loc, Name, NamedExpr,
    UnaryOp, WrapKind, Wrapped,
};
use super::{Parser, Read};

/// Binding levels, loosest first.
const EQUALITY: u8 = 3;
const RELATION: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const STRING: u8 = 7;

/// What an infix token means.
enum Infix {
    Binary(BinaryOp),
    List(ListOp),
    Between { negated: bool },
}

fn infix(kind: TokenKind) -> Option<(Infix, u8)> {
    let binary = |op, level| Some((Infix::Binary(op), level));
    let list = |op| Some((Infix::List(op), EQUALITY));
    let kw = match kind {
        TokenKind::EqEq => return binary(BinaryOp::Eq, EQUALITY),
        TokenKind::BangEq | TokenKind::LtGt => return binary(BinaryOp::Ne, EQUALITY),
        TokenKind::Lt => return binary(BinaryOp::Lt, RELATION),
        TokenKind::Le => return binary(BinaryOp::Le, RELATION),
        TokenKind::Gt => return binary(BinaryOp::Gt, RELATION),
        TokenKind::Ge => return binary(BinaryOp::Ge, RELATION),
        TokenKind::Plus => return binary(BinaryOp::Add, SUM),
        TokenKind::Minus => return binary(BinaryOp::Sub, SUM),
        TokenKind::Star => return binary(BinaryOp::Mul, PRODUCT),
        TokenKind::Slash => return binary(BinaryOp::Div, PRODUCT),
        TokenKind::Percent => return binary(BinaryOp::Mod, PRODUCT),
        TokenKind::EqTilde => return binary(BinaryOp::EqCi, STRING),
        TokenKind::BangTilde => return binary(BinaryOp::NeCi, STRING),
        TokenKind::Colon => return binary(BinaryOp::Colon, STRING),
        TokenKind::Kw(kw) => kw,
        _ => return None,
    };
    match kw {
        Kw::In => list(ListOp::In),
        Kw::NotIn => list(ListOp::NotIn),
        Kw::InCi => list(ListOp::InCi),
        Kw::NotInCi => list(ListOp::NotInCi),
        Kw::HasAny => list(ListOp::HasAny),
        Kw::HasAll => list(ListOp::HasAll),
        Kw::Between => Some((Infix::Between { negated: false }, EQUALITY)),
        Kw::NotBetween => Some((Infix::Between { negated: true }, EQUALITY)),
        _ => string_operator(kw).map(|op| (Infix::Binary(op), STRING)),
    }
}

fn string_operator(kw: Kw) -> Option<BinaryOp> {
    Some(match kw {
        Kw::Has => BinaryOp::Has,
        Kw::NotHas => BinaryOp::NotHas,
        Kw::HasCs => BinaryOp::HasCs,
        Kw::NotHasCs => BinaryOp::NotHasCs,
        Kw::HasPrefix => BinaryOp::HasPrefix,
        Kw::NotHasPrefix => BinaryOp::NotHasPrefix,
        Kw::HasPrefixCs => BinaryOp::HasPrefixCs,
        Kw::NotHasPrefixCs => BinaryOp::NotHasPrefixCs,
        Kw::HasSuffix => BinaryOp::HasSuffix,
        Kw::NotHasSuffix => BinaryOp::NotHasSuffix,
        Kw::HasSuffixCs => BinaryOp::HasSuffixCs,
        Kw::NotHasSuffixCs => BinaryOp::NotHasSuffixCs,
        Kw::Contains => BinaryOp::Contains,
        Kw::NotContains => BinaryOp::NotContains,
        Kw::ContainsCs => BinaryOp::ContainsCs,
        Kw::NotContainsCs => BinaryOp::NotContainsCs,
        Kw::StartsWith => BinaryOp::StartsWith,
        Kw::NotStartsWith => BinaryOp::NotStartsWith,
        Kw::StartsWithCs => BinaryOp::StartsWithCs,
        Kw::NotStartsWithCs => BinaryOp::NotStartsWithCs,
        Kw::EndsWith => BinaryOp::EndsWith,
        Kw::NotEndsWith => BinaryOp::NotEndsWith,
        Kw::EndsWithCs => BinaryOp::EndsWithCs,
        Kw::NotEndsWithCs => BinaryOp::NotEndsWithCs,
        Kw::Like => BinaryOp::Like,
        Kw::NotLike => BinaryOp::NotLike,
        Kw::LikeCs => BinaryOp::LikeCs,
        Kw::NotLikeCs => BinaryOp::NotLikeCs,
        Kw::MatchesRegex => BinaryOp::MatchesRegex,
        _ => return None,
    })
}

impl Parser<'_> {
    /// An expression without `|`.
    pub(super) fn expr(&mut self) -> Read<Expr> {
        let token = self.token();
        if token.kind == TokenKind::Ident
            && matches!(
                self.kind_ahead(1),
                TokenKind::Comma
                    | TokenKind::RParen
                    | TokenKind::Bar
                    | TokenKind::RBracket
                    | TokenKind::RBrace
            )
        {
            self.advance();
            let name = SmolStr::new(self.text_of(token));
            return Ok(Expr { kind: ExprKind::Name(name), span: Loc(token.span()) });
        }
        let height = self.enter()?;
        let expr = self.disjunction()?;
        self.leave(height);
        Ok(expr)
    }

    fn disjunction(&mut self) -> Read<Expr> {
        let start = self.start();
        let first = self.conjunction()?;
        if !self.at_kw(Kw::Or) {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.eat_kw(Kw::Or) {
            items.push(self.conjunction()?);
        }
        self.link()?;
        Ok(Expr { kind: ExprKind::Or(items), span: self.span_from(start) })
    }

    fn conjunction(&mut self) -> Read<Expr> {
        let start = self.start();
        let first = self.infix_chain(EQUALITY)?;
        if !self.at_kw(Kw::And) {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.eat_kw(Kw::And) {
            items.push(self.infix_chain(EQUALITY)?);
        }
        self.link()?;
        Ok(Expr { kind: ExprKind::And(items), span: self.span_from(start) })
    }

    /// Operators of the level `min` and tighter ones.
    fn infix_chain(&mut self, min: u8) -> Read<Expr> {
        // The operands of `and` do not stand on each other: the highest counts.
        let before = std::mem::take(&mut self.height);
        let chain = self.infix_links(min)?;
        self.height = before.max(self.height);
        Ok(chain)
    }

    fn infix_links(&mut self, min: u8) -> Read<Expr> {
        let start = self.start();
        let mut left = match self.star_operand(min) {
            Some(star) => star,
            None => self.signed()?,
        };
        let mut max = STRING;
        while let Some((op, level)) = infix(self.kind()) {
            // `in range(…)` belongs to `make-series`.
            let range = self.at_kw(Kw::In) && self.kind_ahead(1) == TokenKind::Kw(Kw::Range);
            if level < min || level > max || range {
                break;
            }
            self.advance();
            self.link()?;
            let kind = match op {
                Infix::Binary(op) => {
                    let right = self.infix_chain(level + 1)?;
                    ExprKind::Binary(Box::new(Binary { op, left, right }))
                }
                Infix::List(op) => {
                    let items = self.test_items()?;
                    ExprKind::List(Box::new(ListTest { op, left, items }))
                }
                Infix::Between { negated } => {
                    let (low, high) = self.bounds()?;
                    ExprKind::Between(Box::new(Between { negated, subject: left, low, high }))
                }
            };
            left = Expr { kind, span: self.span_from(start) };
            // Only sums and products chain.
            max = if matches!(level, SUM | PRODUCT) { level } else { level - 1 };
        }
        Ok(left)
    }

    /// `*` before a string test or `==`: any column.
    fn star_operand(&mut self, min: u8) -> Option<Expr> {
        if !self.at(TokenKind::Star) {
            return None;
        }
        let applies = match infix(self.kind_ahead(1)) {
            Some((Infix::Binary(BinaryOp::Eq), _)) => {
                min <= EQUALITY && self.kind_ahead(1) == TokenKind::EqEq
            }
            Some((Infix::Binary(_), level)) => level == STRING,
            Some((Infix::List(_) | Infix::Between { .. }, _)) | None => false,
        };
        applies.then(|| self.star())
    }

    /// The current token as `*`.
    pub(super) fn star(&mut self) -> Expr {
        let span = self.token().span();
        self.advance();
        Expr { kind: ExprKind::Star, span: span.into() }
    }

    /// `( item, … )` of `in` and `has_any`; a single item may be a query.
    fn test_items(&mut self) -> Read<Vec<Expr>> {
        self.enclosed(TokenKind::LParen, TokenKind::RParen, |p| {
            let first = p.pipe_item()?;
            let mut items = vec![first];
            while p.eat(TokenKind::Comma) {
                items.push(p.expr()?);
            }
            Ok(items)
        })
    }

    /// `( low .. high )`
    fn bounds(&mut self) -> Read<(Expr, Expr)> {
        self.parenthesized(|p| {
            let low = p.expr()?;
            p.expect(TokenKind::DotDot, "`..`")?;
            Ok((low, p.expr()?))
        })
    }

    /// An optional sign before a path.
    pub(super) fn signed(&mut self) -> Read<Expr> {
        let op = match self.kind() {
            TokenKind::Minus => UnaryOp::Minus,
            TokenKind::Plus => UnaryOp::Plus,
            _ => return self.path(),
        };
        let start = self.start();
        self.advance();
        let operand = self.path()?;
        self.link()?;
        Ok(Expr { kind: ExprKind::Unary { op, operand: Box::new(operand) }, span: self.span_from(start) })
    }

    /// A primary expression with `.name`, `.f(…)` and `[…]` behind it.
    pub(super) fn path(&mut self) -> Read<Expr> {
        let start = self.start();
        let mut expr = self.primary()?;
        loop {
            let kind = match self.kind() {
                TokenKind::Dot => {
                    self.advance();
                    self.selector(Box::new(expr))?
                }
                TokenKind::LBracket => {
                    ExprKind::Index { base: Box::new(expr), index: Box::new(self.index()?) }
                }
                _ => return Ok(expr),
            };
            self.link()?;
            expr = Expr { kind, span: self.span_from(start) };
        }
    }

    fn index(&mut self) -> Read<Expr> {
        self.bracketed(TokenKind::LBracket, TokenKind::RBracket, Self::expr)
    }

    /// What follows a dot.
    pub(super) fn selector(&mut self, base: Box<Expr>) -> Read<ExprKind> {
        let token = self.token();
        if token.is_name() && self.kind_ahead(1) == TokenKind::LParen {
            let call = self.call()?;
            return Ok(ExprKind::MethodCall { base, call: Box::new(call) });
        }
        if token.kind == TokenKind::LBracket {
            if let Some(name) = self.bracketed_name() {
                return Ok(ExprKind::Path { base, name });
            }
            return Ok(ExprKind::Index { base, index: Box::new(self.index()?) });
        }
        if token.name == NameClass::Read || token.kind == TokenKind::At {
            self.advance();
            let name = Name { text: SmolStr::new(self.text_of(token)), span: token.span().into() };
            return Ok(ExprKind::Path { base, name });
        }
        let name = self.expect_name("a name after `.`")?;
        Ok(ExprKind::Path { base, name })
    }

    fn primary(&mut self) -> Read<Expr> {
        let token = self.token();
        let start = token.start;
        let kind = match token.kind {
            TokenKind::Ident => return self.name_or_call(),
            TokenKind::Str => self.string_expr(),
            TokenKind::Long
            | TokenKind::Real
            | TokenKind::Timespan
            | TokenKind::Typed
            | TokenKind::RawGuid
            | TokenKind::Kw(Kw::True | Kw::False) => self.scalar_literal(),
            TokenKind::LParen => return self.enclosed(TokenKind::LParen, TokenKind::RParen, Self::pipe),
            TokenKind::LBracket => match self.bracketed_name() {
                Some(name) => return self.after_name(name, start),
                None => return Err(self.expected("an expression")),
            },
            TokenKind::LBrace => match self.braced_name() {
                Some(name) => client_parameter(name),
                None => return Err(self.expected("an expression")),
            },
            TokenKind::At => {
                self.advance();
                ExprKind::Name(SmolStr::new_static("@"))
            }
            TokenKind::Kw(kw) => return self.keyword_primary(kw),
            _ => return Err(self.expected("an expression")),
        };
        Ok(Expr { kind, span: self.span_from(start) })
    }

    fn keyword_primary(&mut self, kw: Kw) -> Read<Expr> {
        let token = self.token();
        let start = token.start;
        let called = self.kind_ahead(1) == TokenKind::LParen;
        let kind = match kw {
            Kw::Dynamic if called => self.dynamic_expr()?,
            Kw::Datatable => self.datatable()?,
            Kw::ContextDatatable => self.context_datatable()?,
            Kw::ExternalData => self.external_data()?,
            Kw::ToScalar => self.wrapped(WrapKind::ToScalar)?,
            Kw::ToTable => self.wrapped(WrapKind::ToTable)?,
            Kw::TypeOf if called => self.type_of()?,
            Kw::InlineExternalTable if called || self.kind_ahead(1) == TokenKind::Kw(Kw::Kind) => {
                return Err(self.not_read("`inline_external_table`"));
            }
            Kw::Null if !called => {
                self.advance();
                ExprKind::Literal(super::super::literal::Literal::Null)
            }
            _ if token.is_name() => return self.name_or_call(),
            _ if token.name == NameClass::Read => {
                self.advance();
                ExprKind::Name(SmolStr::new(self.text_of(token)))
            }
            _ if self.is_name_position() => ExprKind::Name(self.bracketless(token).text),
            _ => return Err(self.expected("an expression")),
        };
        Ok(Expr { kind, span: self.span_from(start) })
    }

    /// Whether what follows a keyword shows that it was meant as a name.
    fn is_name_position(&self) -> bool {
        match self.kind_ahead(1) {
            TokenKind::RParen
            | TokenKind::RBracket
            | TokenKind::RBrace
            | TokenKind::Dot
            | TokenKind::Comma
            | TokenKind::Bar
            | TokenKind::Kw(Kw::And | Kw::Or) => true,
            TokenKind::Plus | TokenKind::Minus => false,
            other => infix(other).is_some(),
        }
    }

    fn not_read(&mut self, what: &str) -> super::Fault {
        let message = format!("{what} is not read by Ruleferry");
        let span = self.token().span();
        self.report(Diagnostic::error(codes::KQL_NOT_READ, span, message));
        super::Fault
    }

    fn name_or_call(&mut self) -> Read<Expr> {
        let token = self.token();
        if self.kind_ahead(1) == TokenKind::LParen {
            let call = self.call()?;
            return Ok(Expr { kind: ExprKind::Call(Box::new(call)), span: self.span_from(token.start) });
        }
        self.advance();
        let name = Name { text: SmolStr::new(self.text_of(token)), span: token.span().into() };
        self.after_name(name, token.start)
    }

    /// A call of a bracketed name, or a name with its data scope.
    fn after_name(&mut self, name: Name, start: u32) -> Read<Expr> {
        if self.at(TokenKind::LParen) {
            let args = self.arguments()?;
            let call = Box::new(Call { name, args });
            return Ok(Expr { kind: ExprKind::Call(call), span: self.span_from(start) });
        }
        let expr = Expr { kind: ExprKind::Name(name.text), span: self.span_from(start) };
        if !self.at_kw(Kw::DataScope) {
            return Ok(expr);
        }
        let scope = self.data_scope()?;
        Ok(Expr { kind: ExprKind::DataScope { entity: Box::new(expr), scope }, span: self.span_from(start) })
    }

    /// `datascope = word`
    pub(super) fn data_scope(&mut self) -> Read<SmolStr> {
        self.advance();
        self.expect(TokenKind::Assign, "`=`")?;
        let token = self.token();
        if !token.is_word() {
            return Err(self.expected("a data scope"));
        }
        self.advance();
        Ok(SmolStr::new(self.text_of(token)))
    }

    pub(super) fn call(&mut self) -> Read<Call> {
        let name = self.expect_name("the name of a function")?;
        Ok(Call { name, args: self.arguments()? })
    }

    pub(super) fn arguments(&mut self) -> Read<Vec<Expr>> {
        self.parenthesized(|p| p.list_or_none(Self::argument))
    }

    pub(super) fn argument(&mut self) -> Read<Expr> {
        if self.at(TokenKind::Star) && matches!(self.kind_ahead(1), TokenKind::RParen | TokenKind::Comma) {
            return Ok(self.star());
        }
        self.named_as_expr()
    }

    /// As [`Self::named`], as one expression.
    pub(super) fn named_as_expr(&mut self) -> Read<Expr> {
        let start = self.start();
        let named = self.named()?;
        Ok(match named.names {
            ColumnNames::Default => named.value,
            ColumnNames::One(_) | ColumnNames::Many(_) => {
                Expr { kind: ExprKind::Named(Box::new(named)), span: self.span_from(start) }
            }
        })
    }

    /// `value`, `name = value` or `(a, b) = value`.
    pub(super) fn named(&mut self) -> Read<NamedExpr> {
        let names = self.column_names();
        Ok(NamedExpr { names, value: self.expr()? })
    }

    /// The names before `=`, with the `=`.
    fn column_names(&mut self) -> ColumnNames {
        let token = self.token();
        if token.is_word() {
            if self.kind_ahead(1) != TokenKind::Assign {
                return ColumnNames::Default;
            }
            let name =
                if token.is_declarable() { self.declared_name() } else { Some(self.bracketless(token)) };
            self.advance();
            return name.map_or(ColumnNames::Default, ColumnNames::One);
        }
        if token.kind == TokenKind::LParen {
            return self.rename_list();
        }
        let len = self.declared_len(0);
        if len == 0 || self.kind_ahead(len) != TokenKind::Assign {
            return ColumnNames::Default;
        }
        let name = self.declared_name();
        self.advance();
        name.map_or(ColumnNames::Default, ColumnNames::One)
    }

    /// `(a, b) =`
    fn rename_list(&mut self) -> ColumnNames {
        let mut at = 1;
        loop {
            let len = self.declared_len(at);
            if len == 0 {
                return ColumnNames::Default;
            }
            at += len;
            match self.kind_ahead(at) {
                TokenKind::Comma => at += 1,
                TokenKind::RParen if self.kind_ahead(at + 1) == TokenKind::Assign => break,
                _ => return ColumnNames::Default,
            }
        }
        self.advance();
        let mut names = Vec::new();
        while let Some(name) = self.declared_name() {
            names.push(name);
            self.eat(TokenKind::Comma);
        }
        self.advance();
        self.advance();
        ColumnNames::Many(names)
    }

    /// `toscalar(…)` and the like.
    pub(super) fn wrapped(&mut self, kind: WrapKind) -> Read<ExprKind> {
        self.advance();
        let params = if self.at_kw(Kw::Kind) { self.params(&[])? } else { Vec::new() };
        let value = self.enclosed(TokenKind::LParen, TokenKind::RParen, Self::pipe)?;
        Ok(ExprKind::Wrapped(Box::new(Wrapped { kind, params, value })))
    }

    /// How many tokens a name with `*` takes, 0 if there is none. It holds no blanks.
    pub(super) fn wildcard_len(&self, at: usize) -> usize {
        let mut n = at;
        if self.kind_ahead(n) == TokenKind::Star {
            n += 1;
        } else if self.ahead(n).is_declarable()
            && self.kind_ahead(n + 1) == TokenKind::Star
            && self.adjacent(n + 1)
        {
            n += 2;
        } else {
            return 0;
        }
        while self.adjacent(n)
            && (matches!(self.kind_ahead(n), TokenKind::Long | TokenKind::Star)
                || self.ahead(n).is_declarable())
        {
            n += 1;
        }
        n - at
    }
}

fn client_parameter(name: Name) -> ExprKind {
    let text = name.text.trim_start_matches('{').trim_end_matches('}');
    ExprKind::ClientParameter(SmolStr::new(text))
}
