//! Parameters of operators: `kind=inner`, `hint.strategy=shuffle`, `with (format="csv")`.

use ruleferry_diag::{Diagnostic, Span, codes};
use smol_str::SmolStr;

use super::super::keyword::Kw;
use super::super::token::TokenKind;
use super::super::tree::{Expr, ExprKind, Name, Param, ParamValue};
use super::fault::suggest;
use super::{Parser, Read};

/// Parameters that any operator may carry as far as the grammar goes.
const KNOWN: &[&str] = &[
    "__crossCluster",
    "__crossDB",
    "__id",
    "__isFuzzy",
    "__noWithSource",
    "__packedColumn",
    "__sourceColumnIndex",
    "bagexpansion",
    "bin_legacy",
    "cycles",
    "decodeblocks",
    "expandoutput",
    "force_remote",
    "hint.concurrency",
    "hint.distribution",
    "hint.materialized",
    "hint.num_partitions",
    "hint.pass_filters",
    "hint.pass_filters_column",
    "hint.progressive_top",
    "hint.remote",
    "hint.shufflekey",
    "hint.spread",
    "hint.strategy",
    "isfuzzy",
    "kind",
    "with_itemindex",
    "with_match_id",
    "with_source",
    "with_step_name",
    "withsource",
];

/// Properties of `render`.
pub(super) const RENDER: &[&str] = &[
    "accumulate",
    "anomalycolumns",
    "kind",
    "legend",
    "series",
    "title",
    "xaxis",
    "xcolumn",
    "xmax",
    "xmin",
    "xtitle",
    "yaxis",
    "ycolumns",
    "ymax",
    "ymin",
    "ysplit",
    "ytitle",
];

/// Properties of `parse-kv`.
pub(super) const PARSE_KV: &[&str] =
    &["escape", "greedy", "kv_delimiter", "pair_delimiter", "quote", "regex"];

/// Parameters whose value is a list of columns.
const LISTS: &[&str] = &["anomalycolumns", "series", "ycolumns"];

impl Parser<'_> {
    /// Parameters between blanks; `own` are those of the operator beyond the general ones.
    pub(super) fn params(&mut self, own: &[&str]) -> Read<Vec<Param>> {
        let mut params = Vec::new();
        while self.param_len(own) > 0 {
            params.push(self.param(own)?);
        }
        Ok(params)
    }

    /// How many tokens the name of a parameter takes that stands here before `=`, 0 if there is none.
    fn param_len(&self, own: &[&str]) -> usize {
        let token = self.token();
        if !token.is_word() {
            return 0;
        }
        // `hint.pass_filters` is three tokens.
        let dotted = self.kind_ahead(1) == TokenKind::Dot && self.text_of(token) == "hint";
        let len = if dotted { 3 } else { 1 };
        if self.kind_ahead(len) != TokenKind::Assign {
            return 0;
        }
        let text = token.span().to(self.ahead(len - 1).span()).text(self.text);
        if KNOWN.contains(&text) || own.contains(&text) { len } else { 0 }
    }

    fn param(&mut self, own: &[&str]) -> Read<Param> {
        let len = self.param_len(own).max(1);
        let span = self.token().span().to(self.ahead(len - 1).span());
        self.pos += len;
        self.expect(TokenKind::Assign, "`=`")?;
        self.param_value(span)
    }

    /// The value behind `name =`.
    fn param_value(&mut self, name: Span) -> Read<Param> {
        let text = name.text(self.text);
        let value = if LISTS.contains(&text) {
            ParamValue::Words(self.columns_of_param()?)
        } else {
            self.single_value(text)?
        };
        Ok(Param { name: Name { text: SmolStr::new(text), span: name.into() }, value })
    }

    fn single_value(&mut self, param: &str) -> Read<ParamValue> {
        let token = self.token();
        let constant = matches!(
            token.kind,
            TokenKind::Str
                | TokenKind::Long
                | TokenKind::Real
                | TokenKind::Timespan
                | TokenKind::Typed
                | TokenKind::RawGuid
                | TokenKind::Minus
                | TokenKind::Plus
                | TokenKind::Kw(Kw::True | Kw::False)
        );
        let called = matches!(token.kind, TokenKind::Kw(Kw::Dynamic | Kw::TypeOf))
            && self.kind_ahead(1) == TokenKind::LParen;
        // The title of a chart may be any expression.
        if param == "title" || token.kind == TokenKind::LBrace {
            return Ok(word_or_expr(self.path()?));
        }
        if constant || called {
            return Ok(ParamValue::Expr(self.constant()?));
        }
        // Words like `simple` are reserved for this place.
        let reserved = token.kind == TokenKind::Kw(Kw::Reserved) && !KNOWN.contains(&self.text_of(token));
        if token.is_name() || reserved {
            self.advance();
            return Ok(ParamValue::Word(SmolStr::new(self.text_of(token))));
        }
        match self.bracketed_name() {
            Some(name) => Ok(ParamValue::Word(name.text)),
            None => Err(self.expected("a value")),
        }
    }

    /// `a, b` up to the next parameter.
    fn columns_of_param(&mut self) -> Read<Vec<Name>> {
        let mut names = vec![self.expect_declared_name("a column")?];
        while self.at(TokenKind::Comma) {
            let next = self.ahead(1);
            let another = next.is_word() && self.kind_ahead(2) == TokenKind::Assign;
            if another || !(next.is_declarable() || next.kind == TokenKind::LBracket) {
                break;
            }
            self.advance();
            names.push(self.expect_declared_name("a column")?);
        }
        Ok(names)
    }

    /// `with ( name = value, … )`, if it is there. `known` limits the names.
    pub(super) fn properties(&mut self, known: Option<&[&str]>) -> Read<Vec<Param>> {
        if !self.eat_kw(Kw::With) {
            return Ok(Vec::new());
        }
        self.property_list(known)
    }

    /// `( name = value, … )`
    pub(super) fn property_list(&mut self, known: Option<&[&str]>) -> Read<Vec<Param>> {
        self.parenthesized(|p| {
            p.eat(TokenKind::Comma);
            p.list_or_none(|p| p.property(known))
        })
    }

    pub(super) fn property(&mut self, known: Option<&[&str]>) -> Read<Param> {
        let token = self.token();
        if !token.is_word() {
            let Some(name) = self.declared_name() else {
                return Err(self.expected("the name of a property"));
            };
            self.expect(TokenKind::Assign, "`=`")?;
            let value = self.single_value(&name.text)?;
            return Ok(Param { name, value });
        }
        let text = self.text_of(token);
        if let Some(known) = known
            && !known.contains(&text)
        {
            return Err(self.unknown_property(text, known));
        }
        self.advance();
        self.expect(TokenKind::Assign, "`=`")?;
        self.param_value(token.span())
    }

    fn unknown_property(&mut self, text: &str, known: &[&str]) -> super::Fault {
        let help = match suggest(text, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the properties are {}", known.join(", ")),
        };
        let message = format!("unknown property `{text}`");
        let span = self.token().span();
        self.report(Diagnostic::error(codes::KQL_SYNTAX, span, message).with_help(help));
        super::Fault
    }

    /// Properties of `render` without `with`: `kind=stacked title="x" by a, b`.
    pub(super) fn legacy_render(&mut self) -> Read<Vec<Param>> {
        let mut params = Vec::new();
        loop {
            let token = self.token();
            let assigned = self.kind_ahead(1) == TokenKind::Assign;
            match self.text_of(token) {
                "kind" | "title" | "accumulate" if assigned => {
                    self.pos += 2;
                    params.push(self.param_value(token.span())?);
                }
                "with" if self.kind_ahead(1) != TokenKind::LParen => {
                    self.advance();
                    params.push(self.param_value(token.span())?);
                }
                "by" => {
                    self.advance();
                    let value = ParamValue::Words(self.columns_of_param()?);
                    let name = Name { text: SmolStr::new_static("by"), span: token.span().into() };
                    params.push(Param { name, value });
                }
                _ => return Ok(params),
            }
        }
    }
}

/// A bare name is a word, all else an expression.
fn word_or_expr(expr: Expr) -> ParamValue {
    match expr.kind {
        ExprKind::Name(name) => ParamValue::Word(name),
        kind => ParamValue::Expr(Expr { kind, span: expr.span }),
    }
}
