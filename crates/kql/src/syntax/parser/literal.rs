//! Literals, `dynamic(…)`, `typeof(…)`, `datatable` and `externaldata`.

use ruleferry_diag::{Diagnostic, Span, codes};
use smol_str::SmolStr;

use super::super::keyword::Kw;
use super::super::literal::{Dynamic, Literal, ScalarType, StringLiteral, TypedLiteral, is_hidden};
use super::super::token::TokenKind;
use super::super::tree::{ColumnDecl, Datatable, Expr, ExprKind, ExternalData, TypeOf};
use super::fault::suggest;
use super::{Parser, Read};

/// The types of columns and parameters, for suggestions.
const TYPES: &[&str] =
    &["bool", "datetime", "decimal", "dynamic", "guid", "int", "long", "real", "string", "timespan"];

impl Parser<'_> {
    pub(super) fn string_expr(&mut self) -> ExprKind {
        ExprKind::Literal(Literal::String(self.string_literal()))
    }

    /// The current token as a literal: a number, `true`, `datetime(…)`, ….
    pub(super) fn scalar_literal(&mut self) -> ExprKind {
        ExprKind::Literal(self.literal_token())
    }

    fn literal_token(&mut self) -> Literal {
        let token = self.token();
        let text = self.text_of(token);
        let literal = match token.kind {
            TokenKind::Str => return Literal::String(self.string_literal()),
            TokenKind::Real => Literal::Real(SmolStr::new(text)),
            TokenKind::Timespan => Literal::Timespan(SmolStr::new(text)),
            TokenKind::Typed => typed(text),
            TokenKind::RawGuid => self.raw_guid(text, token.span()),
            TokenKind::Kw(Kw::True) => Literal::Bool(true),
            TokenKind::Kw(Kw::False) => Literal::Bool(false),
            _ => Literal::Long(SmolStr::new(text)),
        };
        self.advance();
        literal
    }

    /// A guid without `guid(…)`: reported, and read as if it had it.
    fn raw_guid(&mut self, text: &str, span: Span) -> Literal {
        let message = format!("the guid `{text}` stands without `guid(…)`");
        let help = format!("write `guid({text})`, or a string in quotes where text is compared");
        self.report(Diagnostic::error(codes::KQL_BAD_LITERAL, span, message).with_help(help));
        Literal::Typed(Box::new(TypedLiteral { ty: ScalarType::Guid, text: SmolStr::new(text) }))
    }

    pub(super) fn dynamic_expr(&mut self) -> Read<ExprKind> {
        Ok(ExprKind::Dynamic(Box::new(self.dynamic()?)))
    }

    /// `dynamic ( value )`
    fn dynamic(&mut self) -> Read<Dynamic> {
        self.advance();
        self.parenthesized(Self::dynamic_value)
    }

    fn dynamic_value(&mut self) -> Read<Dynamic> {
        let token = self.token();
        let text = self.text_of(token);
        Ok(match token.kind {
            TokenKind::Str => Dynamic::String(self.string_literal()),
            TokenKind::Long | TokenKind::Real => {
                self.advance();
                Dynamic::Number(SmolStr::new(text))
            }
            TokenKind::Minus if matches!(self.kind_ahead(1), TokenKind::Long | TokenKind::Real) => {
                let number = self.text_of(self.ahead(1));
                self.pos += 2;
                Dynamic::Number(SmolStr::from(format!("-{number}")))
            }
            TokenKind::Kw(Kw::True | Kw::False) => {
                self.advance();
                Dynamic::Bool(token.kind == TokenKind::Kw(Kw::True))
            }
            TokenKind::Kw(Kw::Null) => {
                self.advance();
                Dynamic::Null
            }
            TokenKind::Timespan => Dynamic::Literal(self.literal_token()),
            TokenKind::RawGuid => {
                // A guid needs no `guid(…)` here, as far as the type is concerned; Microsoft's parser asks for it.
                Dynamic::Literal(self.literal_token())
            }
            TokenKind::Typed => match typed(text) {
                Literal::Typed(t) if !dynamic_takes(&t.ty) => return Err(self.bad_dynamic()),
                literal => {
                    self.advance();
                    Dynamic::Literal(literal)
                }
            },
            TokenKind::Kw(Kw::Dynamic) => {
                let height = self.enter()?;
                let nested = self.dynamic()?;
                self.leave(height);
                Dynamic::Nested(Box::new(nested))
            }
            TokenKind::LBracket => {
                let height = self.enter()?;
                let items = self.bracketed(TokenKind::LBracket, TokenKind::RBracket, |p| {
                    p.list_or_none(Self::dynamic_value)
                })?;
                self.leave(height);
                Dynamic::Array(items)
            }
            TokenKind::LBrace if self.braced_len(0) > 0 => {
                let name = self.braced_name().map(|n| n.text).unwrap_or_default();
                Dynamic::ClientParameter(SmolStr::new(name.trim_matches(['{', '}'])))
            }
            TokenKind::LBrace => {
                let height = self.enter()?;
                let pairs = self.bracketed(TokenKind::LBrace, TokenKind::RBrace, |p| {
                    p.list_or_none(Self::dynamic_pair)
                })?;
                self.leave(height);
                Dynamic::Object(pairs)
            }
            _ => return Err(self.bad_dynamic()),
        })
    }

    fn dynamic_pair(&mut self) -> Read<(StringLiteral, Dynamic)> {
        if !self.at(TokenKind::Str) {
            return Err(self.expected("a key in quotes"));
        }
        let key = super::text::decode(self.text_of(self.token()));
        self.advance();
        self.expect(TokenKind::Colon, "`:` after the key")?;
        Ok((key, self.dynamic_value()?))
    }

    fn bad_dynamic(&mut self) -> super::Fault {
        let token = self.token();
        let trailing = self.at_list_end() && self.previous().is_some_and(|p| p.kind == TokenKind::Comma);
        if trailing || !token.is_word() {
            return self.expected("a value of `dynamic(…)`");
        }
        let message = format!("`{}` is no value inside of `dynamic(…)`", self.text_of(token));
        let help = "`dynamic(…)` holds constants; `pack_array(…)` and `bag_pack(…)` take expressions";
        self.report(Diagnostic::error(codes::KQL_BAD_LITERAL, token.span(), message).with_help(help));
        super::Fault
    }

    /// A literal where the language takes no other expression.
    pub(super) fn constant(&mut self) -> Read<Expr> {
        let start = self.start();
        match self.kind() {
            TokenKind::Minus | TokenKind::Plus
                if self.adjacent(1)
                    && matches!(
                        self.kind_ahead(1),
                        TokenKind::Long | TokenKind::Real | TokenKind::Timespan
                    ) =>
            {
                self.signed()
            }
            TokenKind::Str
            | TokenKind::Long
            | TokenKind::Real
            | TokenKind::Timespan
            | TokenKind::Typed
            | TokenKind::RawGuid
            | TokenKind::Kw(Kw::True | Kw::False) => {
                Ok(Expr { kind: ExprKind::Literal(self.literal_token()), span: self.span_from(start) })
            }
            TokenKind::Kw(Kw::Dynamic) => {
                Ok(Expr { kind: self.dynamic_expr()?, span: self.span_from(start) })
            }
            TokenKind::Kw(Kw::TypeOf) if self.kind_ahead(1) == TokenKind::LParen => {
                Ok(Expr { kind: self.type_of()?, span: self.span_from(start) })
            }
            TokenKind::LBrace if self.braced_len(0) > 0 => self.signed(),
            _ => Err(self.expected("a constant")),
        }
    }

    /// The type of a column or parameter.
    pub(super) fn column_type(&mut self) -> Read<ScalarType> {
        let token = self.token();
        if !token.is_word() {
            return Err(self.expected("the name of a type"));
        }
        let text = self.text_of(token);
        match ScalarType::from_name(text) {
            Some(ty) if text != "uuid" && (!matches!(ty, ScalarType::Other(_)) || text == "int8") => {
                self.advance();
                Ok(ty)
            }
            _ => Err(self.unknown_type()),
        }
    }

    fn unknown_type(&mut self) -> super::Fault {
        let token = self.token();
        let text = self.text_of(token);
        let message = format!("`{text}` is no type");
        let help = match suggest(text, TYPES) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the types are {}", TYPES.join(", ")),
        };
        self.report(Diagnostic::error(codes::KQL_UNKNOWN_TYPE, token.span(), message).with_help(help));
        super::Fault
    }

    /// `name: type`
    pub(super) fn column_decl(&mut self) -> Read<ColumnDecl> {
        let start = self.start();
        let name = self.expect_declared_name("the name of a column")?;
        self.expect(TokenKind::Colon, "`:` and a type")?;
        let ty = self.column_type()?;
        Ok(ColumnDecl { name, ty, default: None, span: self.span_from(start) })
    }

    /// `( name: type, … )`, where commas may be too many.
    pub(super) fn row_schema(&mut self) -> Read<Vec<ColumnDecl>> {
        self.parenthesized(|p| p.loose_list(Self::column_decl))
    }

    /// `typeof ( … )`
    pub(super) fn type_of(&mut self) -> Read<ExprKind> {
        self.advance();
        let scalar = self.ahead(1).is_word() && self.kind_ahead(2) == TokenKind::RParen;
        if scalar {
            return Ok(ExprKind::TypeOf(Box::new(TypeOf::Scalar(self.parenthesized(Self::any_type)?))));
        }
        let table = self.parenthesized(|p| {
            let mut star = false;
            let columns = p.list_or_none(|p| {
                if p.eat(TokenKind::Star) {
                    star = true;
                    return Ok(None);
                }
                p.column_decl().map(Some)
            })?;
            Ok(TypeOf::Table { star, columns: columns.into_iter().flatten().collect() })
        })?;
        Ok(ExprKind::TypeOf(Box::new(table)))
    }

    /// A type where the grammar takes any word.
    fn any_type(&mut self) -> Read<ScalarType> {
        let token = self.token();
        let text = self.text_of(token);
        let Some(ty) = ScalarType::from_name(text) else {
            if !token.is_name() {
                return Err(self.unknown_type());
            }
            self.advance();
            return Ok(ScalarType::Other(SmolStr::new(text)));
        };
        self.advance();
        Ok(ty)
    }

    /// `to typeof(type)`
    pub(super) fn type_clause(&mut self) -> Read<Option<ScalarType>> {
        if !self.eat_kw(Kw::To) {
            return Ok(None);
        }
        self.expect_kw(Kw::TypeOf, "`typeof(…)`")?;
        Ok(Some(self.parenthesized(Self::any_type)?))
    }

    pub(super) fn datatable(&mut self) -> Read<ExprKind> {
        self.advance();
        let params = self.params(&[])?;
        let columns = self.row_schema()?;
        let values =
            self.bracketed(TokenKind::LBracket, TokenKind::RBracket, |p| p.loose_list(Self::constant))?;
        Ok(ExprKind::Datatable(Box::new(Datatable { params, columns, values, context: None })))
    }

    pub(super) fn context_datatable(&mut self) -> Read<ExprKind> {
        self.advance();
        let context = Some(self.expr()?);
        let columns = self.row_schema()?;
        Ok(ExprKind::Datatable(Box::new(Datatable {
            params: Vec::new(),
            columns,
            values: Vec::new(),
            context,
        })))
    }

    pub(super) fn external_data(&mut self) -> Read<ExprKind> {
        self.advance();
        let params = self.params(&[])?;
        let columns = self.row_schema()?;
        let uris =
            self.bracketed(TokenKind::LBracket, TokenKind::RBracket, |p| p.loose_list(Self::pipe_item))?;
        let properties = self.properties(None)?;
        Ok(ExprKind::ExternalData(Box::new(ExternalData { params, columns, uris, properties })))
    }
}

/// Whether a literal of the type can stand in `dynamic(…)`.
fn dynamic_takes(ty: &ScalarType) -> bool {
    match ty {
        ScalarType::Bool
        | ScalarType::Datetime
        | ScalarType::Timespan
        | ScalarType::Guid
        | ScalarType::Long
        | ScalarType::Real
        | ScalarType::Decimal => true,
        ScalarType::Dynamic | ScalarType::Int | ScalarType::String | ScalarType::Other(_) => false,
    }
}

/// `type(text)` as the lexer found it; the `)` may be missing.
fn typed(token: &str) -> Literal {
    let (name, text) = token.split_once('(').unwrap_or((token, ""));
    let ty = ScalarType::from_name(name).unwrap_or(ScalarType::String);
    let text = text.strip_suffix(')').unwrap_or(text).trim();
    // A zero-width blank from a copied text is no part of the value.
    let text = if text.is_ascii() && !text.contains(is_hidden) {
        SmolStr::new(text)
    } else {
        let shown: String = text.chars().filter(|c| !is_hidden(*c)).collect();
        SmolStr::new(shown.trim())
    };
    Literal::Typed(Box::new(TypedLiteral { ty, text }))
}
