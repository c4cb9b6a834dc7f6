//! Operators over columns and tables: `where`, `project`, `summarize`, `join`, `parse`, ….

use smol_str::SmolStr;

use super::super::keyword::Kw;
use super::super::token::TokenKind;
use super::super::tree::{
    Direction, Expr, ExprKind, Join, JoinCondition, MakeSeries, MvApply, MvColumn, MvExpand, Name,
    NamePattern, Nulls, OperatorKind, Parse, ParseKv, ParsePart, ReorderDirection, ReorderKey, Series,
    SeriesRange, SortKey, Summarize,
};
use super::param::PARSE_KV;
use super::{Parser, Read};

impl Parser<'_> {
    pub(super) fn filter(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        Ok(OperatorKind::Where { params, predicate: self.named_as_expr()? })
    }

    /// Operators that take columns, named or not.
    pub(super) fn columns_operator(&mut self, kw: Kw) -> Read<OperatorKind> {
        let required = matches!(kw, Kw::Extend | Kw::Print);
        let columns = if required { self.list(Self::named)? } else { self.list_or_none(Self::named)? };
        Ok(match kw {
            Kw::Extend => OperatorKind::Extend(columns),
            Kw::Print => OperatorKind::Print(columns),
            Kw::ProjectRename => OperatorKind::ProjectRename(columns),
            _ => OperatorKind::Project(columns),
        })
    }

    /// Operators that take names of columns, with wildcards or not.
    pub(super) fn pattern_operator(&mut self, kw: Kw) -> Read<OperatorKind> {
        Ok(match kw {
            Kw::ProjectAway => OperatorKind::ProjectAway(self.list_or_none(Self::pattern)?),
            Kw::ProjectKeep => OperatorKind::ProjectKeep(self.list_or_none(Self::pattern)?),
            Kw::ProjectReorder => OperatorKind::ProjectReorder(self.list_or_none(Self::reorder_key)?),
            _ => OperatorKind::ProjectByNames(self.list_or_none(Self::expr)?),
        })
    }

    pub(super) fn take(&mut self, kw: Kw) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let count = self.named_as_expr()?;
        Ok(if kw == Kw::Sample {
            OperatorKind::Sample { params, count }
        } else {
            OperatorKind::Take { params, count }
        })
    }

    pub(super) fn as_operator(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        Ok(OperatorKind::As { params, name: self.expect_name("a name")? })
    }

    pub(super) fn serialize(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        Ok(OperatorKind::Serialize { params, columns: self.list_or_none(Self::named)? })
    }

    pub(super) fn consume(&mut self) -> Read<OperatorKind> {
        Ok(OperatorKind::Consume(self.params(&[])?))
    }

    pub(super) fn assert_schema(&mut self) -> Read<OperatorKind> {
        Ok(OperatorKind::AssertSchema(self.row_schema()?))
    }

    pub(super) fn pattern(&mut self) -> Read<NamePattern> {
        let len = self.wildcard_len(0);
        if let Some(last) = len.checked_sub(1) {
            let span = self.token().span().to(self.ahead(last).span());
            self.pos += len;
            return Ok(NamePattern { text: SmolStr::new(span.text(self.text)), span: span.into() });
        }
        let name = self.expect_name("the name of a column")?;
        Ok(NamePattern { text: name.text, span: name.span })
    }

    fn reorder_key(&mut self) -> Read<ReorderKey> {
        let name = self.pattern()?;
        let direction = match self.kind() {
            TokenKind::Kw(Kw::Asc) => Some(ReorderDirection::Asc),
            TokenKind::Kw(Kw::Desc) => Some(ReorderDirection::Desc),
            TokenKind::Kw(Kw::GrannyAsc) => Some(ReorderDirection::GrannyAsc),
            TokenKind::Kw(Kw::GrannyDesc) => Some(ReorderDirection::GrannyDesc),
            _ => None,
        };
        self.pos += usize::from(direction.is_some());
        Ok(ReorderKey { name, direction })
    }

    pub(super) fn summarize(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let aggregates = if self.at_kw(Kw::By) { Vec::new() } else { self.list_or_none(Self::named)? };
        let mut summarize = Summarize { params, aggregates, by: Vec::new(), bin: None };
        if self.eat_kw(Kw::By) {
            loop {
                summarize.by.push(self.named()?);
                if !self.eat(TokenKind::Comma) {
                    break;
                }
            }
            if self.at_kw(Kw::Bin) && self.kind_ahead(1) == TokenKind::Assign {
                self.pos += 2;
                summarize.bin = Some(self.expr()?);
            }
        }
        Ok(OperatorKind::Summarize(Box::new(summarize)))
    }

    pub(super) fn join(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let right = self.expr()?;
        let condition = match self.kind() {
            TokenKind::Kw(Kw::On) => {
                self.advance();
                JoinCondition::On(self.list(Self::expr)?)
            }
            TokenKind::Kw(Kw::Where) => {
                self.advance();
                JoinCondition::Where(self.expr()?)
            }
            _ => JoinCondition::None,
        };
        Ok(OperatorKind::Join(Box::new(Join { params, right, condition })))
    }

    pub(super) fn lookup(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let right = self.expr()?;
        self.expect_kw(Kw::On, "`on` and the columns to look up by")?;
        let condition = JoinCondition::On(self.list(Self::expr)?);
        Ok(OperatorKind::Lookup(Box::new(Join { params, right, condition })))
    }

    pub(super) fn union(&mut self) -> Read<OperatorKind> {
        let params = self.params(&["best_effort"])?;
        Ok(OperatorKind::Union { params, tables: self.list(Self::table)? })
    }

    /// A table of `union`: in parentheses, with wildcards, a path or a call.
    fn table(&mut self) -> Read<Expr> {
        if self.at(TokenKind::LParen) {
            return self.enclosed(TokenKind::LParen, TokenKind::RParen, Self::pipe);
        }
        self.entity()
    }

    /// A path of names without calls: a `(` behind it is no list of arguments.
    pub(super) fn simple_path(&mut self) -> Read<Expr> {
        let start = self.start();
        let name = self.expect_name("a column")?;
        let mut expr = Expr { kind: ExprKind::Name(name.text), span: name.span };
        loop {
            let base = Box::new(expr);
            let kind = match self.kind() {
                TokenKind::Dot => {
                    self.advance();
                    let name = self.expect_name("a name after `.`")?;
                    ExprKind::Path { base, name }
                }
                TokenKind::LBracket => {
                    let index = self.bracketed(TokenKind::LBracket, TokenKind::RBracket, Self::expr)?;
                    ExprKind::Index { base, index: Box::new(index) }
                }
                _ => return Ok(*base),
            };
            self.link()?;
            expr = Expr { kind, span: self.span_from(start) };
        }
    }

    /// A path to a table, the last name of which may have wildcards.
    pub(super) fn entity(&mut self) -> Read<Expr> {
        let start = self.start();
        if let Some(pattern) = self.wildcard() {
            return Ok(pattern);
        }
        let token = self.token();
        let mut expr = if token.is_name() && self.kind_ahead(1) == TokenKind::LParen {
            let call = self.call()?;
            Expr { kind: ExprKind::Call(Box::new(call)), span: self.span_from(start) }
        } else if token.name == super::NameClass::Read {
            self.advance();
            Expr { kind: ExprKind::Name(SmolStr::new(self.text_of(token))), span: self.span_from(start) }
        } else if token.kind == TokenKind::LBracket {
            self.path()?
        } else {
            let name = self.expect_name("a table")?;
            Expr { kind: ExprKind::Name(name.text), span: name.span }
        };
        loop {
            let base = Box::new(expr);
            let kind = match self.kind() {
                TokenKind::Dot => {
                    self.advance();
                    match self.wildcard() {
                        Some(Expr { kind: ExprKind::Wildcard(text), span }) => {
                            ExprKind::Path { base, name: Name { text, span } }
                        }
                        _ => self.selector(base)?,
                    }
                }
                TokenKind::LBracket => {
                    let index = self.bracketed(TokenKind::LBracket, TokenKind::RBracket, Self::expr)?;
                    ExprKind::Index { base, index: Box::new(index) }
                }
                _ => return Ok(*base),
            };
            self.link()?;
            expr = Expr { kind, span: self.span_from(start) };
        }
    }

    /// `a*`, `*b`, `*`
    fn wildcard(&mut self) -> Option<Expr> {
        let len = self.wildcard_len(0);
        let last = len.checked_sub(1)?;
        let span = self.token().span().to(self.ahead(last).span());
        self.pos += len;
        let text = span.text(self.text);
        let kind = if text == "*" { ExprKind::Star } else { ExprKind::Wildcard(SmolStr::new(text)) };
        Some(Expr { kind, span: span.into() })
    }

    pub(super) fn sort(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        self.expect_kw(Kw::By, "`by`")?;
        Ok(OperatorKind::Sort { params, keys: self.list(Self::sort_key)? })
    }

    pub(super) fn sort_key(&mut self) -> Read<SortKey> {
        let value = self.named()?;
        let direction = match self.kind() {
            TokenKind::Kw(Kw::Asc | Kw::GrannyAsc) => Some(Direction::Asc),
            TokenKind::Kw(Kw::Desc | Kw::GrannyDesc) => Some(Direction::Desc),
            _ => None,
        };
        self.pos += usize::from(direction.is_some());
        let mut nulls = None;
        if self.eat_kw(Kw::Nulls) {
            nulls = Some(match self.kind() {
                TokenKind::Kw(Kw::First) => Nulls::First,
                TokenKind::Kw(Kw::Last) => Nulls::Last,
                _ => return Err(self.expected("`first` or `last`")),
            });
            self.advance();
        }
        Ok(SortKey { value, direction, nulls })
    }

    pub(super) fn top(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let count = self.named_as_expr()?;
        self.expect_kw(Kw::By, "`by` and the column to sort by")?;
        Ok(OperatorKind::Top { params, count, by: self.sort_key()? })
    }

    pub(super) fn count(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let name = if self.eat_kw(Kw::As) { Some(self.expect_name("a name")?) } else { None };
        Ok(OperatorKind::Count { params, name })
    }

    pub(super) fn distinct(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let columns = self.list(|p| {
            let star = p.at(TokenKind::Star) && p.kind_ahead(1) != TokenKind::EqEq;
            if star { Ok(p.star()) } else { p.named_as_expr() }
        })?;
        Ok(OperatorKind::Distinct { params, columns })
    }

    fn mv_columns(&mut self) -> Read<Vec<MvColumn>> {
        self.list(|p| Ok(MvColumn { value: p.named()?, to: p.type_clause()? }))
    }

    pub(super) fn mv_expand(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let columns = self.mv_columns()?;
        let limit = self.limit()?;
        Ok(OperatorKind::MvExpand(Box::new(MvExpand { params, columns, limit })))
    }

    /// `limit n`
    fn limit(&mut self) -> Read<Option<Expr>> {
        let is_limit = self.at_kw(Kw::Take) && self.text_of(self.token()) == "limit";
        if !is_limit {
            return Ok(None);
        }
        self.advance();
        Ok(Some(self.expr()?))
    }

    pub(super) fn mv_apply(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let columns = self.mv_columns()?;
        let limit = self.limit()?;
        let context = if self.eat_kw(Kw::Id) { Some(self.expr()?) } else { None };
        self.expect_kw(Kw::On, "`on` and the subquery in parentheses")?;
        let body = self.body()?;
        Ok(OperatorKind::MvApply(Box::new(MvApply { params, columns, limit, context, body })))
    }

    pub(super) fn make_series(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let series = self.list(|p| {
            let value = p.named()?;
            let mut default = None;
            if p.eat_kw(Kw::Default) {
                p.expect(TokenKind::Assign, "`=`")?;
                default = Some(p.named_as_expr()?);
            }
            Ok(Series { value, default })
        })?;
        self.expect_kw(Kw::On, "`on` and the column of the axis")?;
        let on = self.named()?;
        let range = self.series_range()?;
        let by = if self.eat_kw(Kw::By) { self.list(Self::named)? } else { Vec::new() };
        Ok(OperatorKind::MakeSeries(Box::new(MakeSeries { params, series, on, range, by })))
    }

    fn series_range(&mut self) -> Read<SeriesRange> {
        if self.eat_kw(Kw::In) {
            self.expect_kw(Kw::Range, "`range(…)`")?;
            return Ok(SeriesRange::InRange(self.parenthesized(|p| p.list_or_none(Self::named_as_expr))?));
        }
        let from = if self.eat_kw(Kw::From) { Some(self.expr()?) } else { None };
        let to = if self.eat_kw(Kw::To) { Some(self.expr()?) } else { None };
        self.expect_kw(Kw::Step, "`from … to … step …` or `in range(…)`")?;
        Ok(SeriesRange::FromToStep { from, to, step: self.expr()? })
    }

    pub(super) fn parse(&mut self, filter: bool) -> Read<OperatorKind> {
        let params = self.params(&["flags"])?;
        let subject = self.expr()?;
        self.expect_kw(Kw::With, "`with` and the pattern")?;
        let mut pattern = Vec::new();
        while let Some(part) = self.parse_part()? {
            pattern.push(part);
        }
        Ok(OperatorKind::Parse(Box::new(Parse { filter, params, subject, pattern })))
    }

    fn parse_part(&mut self) -> Read<Option<ParsePart>> {
        match self.kind() {
            TokenKind::Star => {
                self.advance();
                return Ok(Some(ParsePart::Star));
            }
            TokenKind::Str => return Ok(Some(ParsePart::Text(self.string_literal()))),
            _ => {}
        }
        let Some(name) = self.declared_name() else { return Ok(None) };
        let ty = if self.eat(TokenKind::Colon) { Some(self.column_type()?) } else { None };
        Ok(Some(ParsePart::Column { name, ty }))
    }

    pub(super) fn parse_kv(&mut self) -> Read<OperatorKind> {
        let subject = self.expr()?;
        self.expect_kw(Kw::As, "`as` and the columns")?;
        let columns = self.row_schema()?;
        let properties = self.properties(Some(PARSE_KV))?;
        Ok(OperatorKind::ParseKv(Box::new(ParseKv { subject, columns, properties })))
    }
}
