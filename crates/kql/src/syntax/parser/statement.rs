//! Statements: `let`, `set`, `declare`, `alias`, `restrict`, and the query itself.

use ruleferry_diag::{Diagnostic, codes};
use smol_str::SmolStr;

use super::super::keyword::Kw;
use super::super::token::TokenKind;
use super::super::tree::{
    Directive, Expr, ExprKind, Function, FunctionParam, LetValue, Loc, ParamType, Pattern, PatternCase,
    PatternSignature, Query, Statement, StatementKind, WrapKind, Wrapped,
};
use super::{Fault, Parser, Read};

impl Parser<'_> {
    /// The whole text.
    pub(super) fn query(&mut self) -> Query {
        let mut directives = Vec::new();
        while self.at(TokenKind::Directive) {
            let span = self.token().span();
            directives.push(Directive { text: SmolStr::new(span.text(self.text)), span: span.into() });
            self.advance();
        }
        if self.at(TokenKind::Dot) {
            self.command();
            return Query { directives, statements: Vec::new(), span: self.span_from(0) };
        }
        if self.at(TokenKind::Eof) {
            let message = "there is no query in the text";
            let span = self.token().span();
            self.report(Diagnostic::error(codes::KQL_EMPTY, span, message));
        }
        let mut statements = Vec::new();
        loop {
            match self.statements() {
                Ok(more) => statements.extend(more),
                Err(Fault) => self.pos = self.tokens.len(),
            }
            if self.at(TokenKind::Eof) {
                break;
            }
            // A closing bracket that nothing opened.
            self.unexpected_after();
            self.advance();
        }
        Query { directives, statements, span: self.span_from(0) }
    }

    fn command(&mut self) {
        let word = self.text_of(self.ahead(1));
        let message = format!("`.{word}` is a management command, not a query");
        let span = self.token().span().to(self.ahead(1).span());
        let help = "give the query alone";
        self.report(Diagnostic::error(codes::KQL_COMMAND, span, message).with_help(help));
        self.pos = self.tokens.len();
    }

    /// Statements with `;` between them, up to a closing bracket or the end.
    pub(super) fn statements(&mut self) -> Read<Vec<Statement>> {
        let height = self.enter()?;
        let mut statements = Vec::new();
        loop {
            match self.kind() {
                TokenKind::Eof | TokenKind::RParen | TokenKind::RBrace => break,
                TokenKind::Semicolon => {
                    self.stray_semicolon();
                    continue;
                }
                _ => {}
            }
            let before = self.pos;
            statements.push(self.statement());
            if !self.eat(TokenKind::Semicolon) && self.pos == before {
                self.advance();
            }
        }
        self.leave(height);
        Ok(statements)
    }

    fn stray_semicolon(&mut self) {
        let message = "there is no statement before this `;`";
        let span = self.token().span();
        self.report(Diagnostic::error(codes::KQL_SYNTAX, span, message).with_help("remove it"));
        self.advance();
    }

    fn statement(&mut self) -> Statement {
        let start = self.start();
        let begin = self.pos;
        let depth = self.depth;
        let kind = match self.statement_kind() {
            Ok(kind) => {
                if !self.at_statement_end() {
                    self.unexpected_after();
                    self.synchronize(begin);
                    self.skip_operators();
                }
                kind
            }
            Err(Fault) => {
                self.depth = depth;
                if !self.stopped {
                    self.synchronize(begin);
                    self.skip_operators();
                }
                StatementKind::Error
            }
        };
        Statement { kind, span: self.span_from(start) }
    }

    fn at_statement_end(&self) -> bool {
        match self.kind() {
            TokenKind::Semicolon | TokenKind::Eof => true,
            TokenKind::RParen | TokenKind::RBrace => self.enclosures > 0,
            _ => false,
        }
    }

    /// After a fault: reads the operators that follow, for their faults, and drops them.
    fn skip_operators(&mut self) {
        while self.at(TokenKind::Bar) {
            let begin = self.pos;
            let depth = self.depth;
            if self.pipe_rest().is_err() {
                self.depth = depth;
            }
            if !self.at_statement_end() {
                self.synchronize(begin);
            }
            self.pos = self.pos.max(begin + 1);
        }
    }

    fn statement_kind(&mut self) -> Read<StatementKind> {
        let TokenKind::Kw(kw) = self.kind() else { return self.query_statement() };
        let next = self.kind_ahead(1);
        match kw {
            Kw::Let if self.ahead(1).is_word() || matches!(next, TokenKind::LBracket | TokenKind::LBrace) => {
                self.let_statement()
            }
            Kw::Set => self.set_statement(),
            Kw::Declare if next == TokenKind::Kw(Kw::Pattern) => self.pattern_statement(),
            Kw::Declare if next == TokenKind::Kw(Kw::QueryParameters) => {
                self.pos += 2;
                let params = self.parenthesized(|p| p.list(Self::function_param))?;
                Ok(StatementKind::QueryParameters(params))
            }
            Kw::Alias if next == TokenKind::Kw(Kw::Database) => {
                self.pos += 2;
                let name = self.expect_name("a name")?;
                self.expect(TokenKind::Assign, "`=`")?;
                Ok(StatementKind::AliasDatabase { name, value: self.expr()? })
            }
            Kw::Restrict if next == TokenKind::Kw(Kw::Access) => {
                self.pos += 2;
                self.expect_kw(Kw::To, "`to`")?;
                let entities = self.parenthesized(|p| p.list(Self::entity))?;
                Ok(StatementKind::RestrictAccess { entities, properties: self.properties(None)? })
            }
            _ => self.query_statement(),
        }
    }

    fn query_statement(&mut self) -> Read<StatementKind> {
        if self.at(TokenKind::Bar) {
            let message = "expected a table before the first `|`";
            let span = self.token().span();
            let help = "the query begins with the table that it reads";
            self.report(Diagnostic::error(codes::KQL_SYNTAX, span, message).with_help(help));
            return Err(Fault);
        }
        Ok(StatementKind::Query(self.pipe()?))
    }

    fn let_statement(&mut self) -> Read<StatementKind> {
        self.advance();
        let name = self.expect_name("a name")?;
        self.expect(TokenKind::Assign, "`=`")?;
        let start = self.start();
        let value = if self.at_kw(Kw::Materialize) {
            self.advance();
            let value = self.enclosed(TokenKind::LParen, TokenKind::RParen, Self::pipe)?;
            let wrapped = Wrapped { kind: WrapKind::Materialize, params: Vec::new(), value };
            LetValue::Expr(Expr { kind: ExprKind::Wrapped(Box::new(wrapped)), span: self.span_from(start) })
        } else if self.at_kw(Kw::EntityGroup) && self.kind_ahead(1) == TokenKind::LBracket {
            LetValue::Expr(self.entity_group()?)
        } else if self.at_function() {
            LetValue::Function(Box::new(self.function()?))
        } else {
            LetValue::Expr(self.pipe()?)
        };
        Ok(StatementKind::Let { name, value })
    }

    /// Whether a function begins here: `(a: string) {`, `() {`, `view () {`.
    fn at_function(&self) -> bool {
        let open = usize::from(self.at_kw(Kw::View));
        if self.kind_ahead(open) != TokenKind::LParen {
            return false;
        }
        if matches!(self.kind_ahead(open + 1), TokenKind::RParen | TokenKind::Star) {
            return true;
        }
        let len = self.declared_len(open + 1);
        len > 0 && self.kind_ahead(open + 1 + len) == TokenKind::Colon
    }

    fn function(&mut self) -> Read<Function> {
        let start = self.start();
        let view = self.eat_kw(Kw::View);
        let params = self.parenthesized(|p| p.list_or_none(Self::function_param))?;
        let body = self.enclosed(TokenKind::LBrace, TokenKind::RBrace, Self::statements)?;
        Ok(Function { view, params, body, span: self.span_from(start) })
    }

    fn function_param(&mut self) -> Read<FunctionParam> {
        let start = self.start();
        let name = self.expect_declared_name("a parameter `name: type`")?;
        self.expect(TokenKind::Colon, "`:` and a type")?;
        let ty = if self.at(TokenKind::LParen) {
            self.table_type()?
        } else {
            ParamType::Scalar(self.column_type()?)
        };
        let default = self.default_value()?;
        Ok(FunctionParam { name, ty, default, span: self.span_from(start) })
    }

    /// `(*)` or `(a: string, …)`
    fn table_type(&mut self) -> Read<ParamType> {
        self.parenthesized(|p| {
            if p.at(TokenKind::Star) {
                p.advance();
                return Ok(ParamType::AnyTable);
            }
            Ok(ParamType::Table(p.loose_list(Self::column_decl)?))
        })
    }

    /// `= constant`
    pub(super) fn default_value(&mut self) -> Read<Option<Expr>> {
        if !self.eat(TokenKind::Assign) {
            return Ok(None);
        }
        let token = self.token();
        if token.is_name() && self.kind_ahead(1) != TokenKind::LParen {
            self.advance();
            let name = SmolStr::new(self.text_of(token));
            return Ok(Some(Expr { kind: ExprKind::Name(name), span: Loc(token.span()) }));
        }
        self.constant().map(Some)
    }

    fn set_statement(&mut self) -> Read<StatementKind> {
        self.advance();
        let name = self.expect_name("the name of an option")?;
        let value = if self.eat(TokenKind::Assign) { Some(self.expr()?) } else { None };
        Ok(StatementKind::Set { name, value })
    }

    fn pattern_statement(&mut self) -> Read<StatementKind> {
        let start = self.start();
        self.pos += 2;
        let name = self.expect_name("a name")?;
        let signature = if self.eat(TokenKind::Assign) { Some(self.pattern_signature()?) } else { None };
        Ok(StatementKind::Pattern(Box::new(Pattern { name, signature, span: self.span_from(start) })))
    }

    fn pattern_signature(&mut self) -> Read<PatternSignature> {
        let params = self.parenthesized(|p| p.list_or_none(Self::function_param))?;
        let path = if self.at(TokenKind::LBracket) {
            Some(self.bracketed(TokenKind::LBracket, TokenKind::RBracket, Self::function_param)?)
        } else {
            None
        };
        let cases = self.bracketed(TokenKind::LBrace, TokenKind::RBrace, |p| {
            let mut cases = vec![p.pattern_case()?];
            while p.at(TokenKind::LParen) {
                cases.push(p.pattern_case()?);
            }
            Ok(cases)
        })?;
        Ok(PatternSignature { params, path, cases })
    }

    fn pattern_case(&mut self) -> Read<PatternCase> {
        let start = self.start();
        let args = self.parenthesized(|p| p.list(Self::expr))?;
        let path = if self.eat(TokenKind::Dot) {
            Some(self.bracketed(TokenKind::LBracket, TokenKind::RBracket, Self::constant)?)
        } else {
            None
        };
        self.expect(TokenKind::Assign, "`=`")?;
        let body = self.enclosed(TokenKind::LBrace, TokenKind::RBrace, Self::statements)?;
        self.expect(TokenKind::Semicolon, "`;`")?;
        Ok(PatternCase { args, path, body, span: self.span_from(start) })
    }
}
