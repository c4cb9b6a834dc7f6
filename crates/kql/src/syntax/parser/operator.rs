//! Pipelines and tabular operators.

use smol_str::SmolStr;

use super::super::keyword::Kw;
use super::super::token::TokenKind;
use super::super::tree::{
    Direction, Evaluate, EvaluateSchema, Expr, ExprKind, Find, FindColumn, FindProject, ForkBranch, Join,
    JoinCondition, MacroExpand, MakeSeries, MvApply, MvColumn, MvExpand, Name, NamePattern, NamedExpr, Nulls,
    Operator, OperatorKind, Param, ParamValue, Parse, ParseKv, ParsePart, Partition, PartitionBody, Pipeline, Range,
    Reduce, Render, ReorderDirection, ReorderKey, Scan, ScanStep, Search, Series, SeriesRange, SortKey, Summarize,
    TopNested,
};
use super::param::{PARSE_KV, RENDER};
use super::{Fault, Parser, Read};

impl Parser<'_> {
    /// An expression, with operators behind it if there are any.
    pub(super) fn pipe(&mut self) -> Read<Expr> {
        let height = self.enter()?;
        let start = self.start();
        let begin = self.pos;
        let mut operators = Vec::new();
        let source = if self.at_starting_operator() {
            operators.push(self.operator_or_skip());
            None
        } else {
            let depth = self.depth;
            Some(match self.expr() {
                Ok(expr) => expr,
                Err(Fault) => {
                    self.depth = depth;
                    self.skipped_source(begin, start)?
                }
            })
        };
        // A scalar before a `|` that begins a line: the parenthesis around it is not closed.
        let unclosed = self.enclosures > 0 && self.at(TokenKind::Bar) && self.at_line_start(self.pos);
        let source = match source {
            Some(expr) if unclosed && is_scalar(&expr) => {
                self.leave(height);
                return Ok(expr);
            }
            source => source,
        };
        if source.is_some() && !self.at_pipeline_end() {
            self.unexpected_after();
            self.synchronize(begin);
        }
        self.piped(&mut operators);
        self.leave(height);
        let span = self.span_from(start);
        match source {
            Some(expr) if operators.is_empty() => Ok(expr),
            source => {
                let pipeline = Pipeline { source, operators, span };
                Ok(Expr { kind: ExprKind::Pipeline(Box::new(pipeline)), span })
            }
        }
    }

    /// As [`Self::pipe`], for the item of a list: a comma may follow.
    pub(super) fn pipe_item(&mut self) -> Read<Expr> {
        if self.at_starting_operator() {
            return self.pipe();
        }
        let begin = self.pos;
        let start = self.start();
        let source = self.expr()?;
        if !self.at(TokenKind::Bar) {
            return Ok(source);
        }
        let height = self.enter()?;
        let mut operators = Vec::new();
        self.piped(&mut operators);
        self.leave(height);
        debug_assert!(self.pos > begin);
        let span = self.span_from(start);
        let pipeline = Pipeline { source: Some(source), operators, span };
        Ok(Expr { kind: ExprKind::Pipeline(Box::new(pipeline)), span })
    }

    /// The source could not be read: skips it, if operators follow.
    fn skipped_source(&mut self, begin: usize, start: u32) -> Read<Expr> {
        if self.stopped {
            return Err(Fault);
        }
        self.synchronize(begin);
        if !self.at(TokenKind::Bar) {
            return Err(Fault);
        }
        Ok(Expr { kind: ExprKind::Error, span: self.span_from(start) })
    }

    /// `| operator` as long as there are any.
    fn piped(&mut self, operators: &mut Vec<Operator>) {
        while self.eat(TokenKind::Bar) {
            operators.push(self.operator_or_skip());
        }
    }

    /// The operators from the current `|` on.
    pub(super) fn pipe_rest(&mut self) -> Read<Vec<Operator>> {
        let height = self.enter()?;
        let mut operators = Vec::new();
        self.piped(&mut operators);
        self.leave(height);
        Ok(operators)
    }

    /// Operators without a source, of `mv-apply` and the like.
    fn subpipeline(&mut self) -> Read<Pipeline> {
        let height = self.enter()?;
        let start = self.start();
        let mut source = None;
        let mut operators = Vec::new();
        if self.at_kw(Kw::ContextDatatable) {
            source = Some(self.expr()?);
        } else {
            operators.push(self.operator_or_skip());
        }
        self.piped(&mut operators);
        self.leave(height);
        Ok(Pipeline { source, operators, span: self.span_from(start) })
    }

    /// `( operators )`
    pub(super) fn body(&mut self) -> Read<Pipeline> {
        self.enclosed(TokenKind::LParen, TokenKind::RParen, Self::subpipeline)
    }

    /// Whether an operator begins here that can begin a query.
    fn at_starting_operator(&self) -> bool {
        let TokenKind::Kw(kw) = self.kind() else { return false };
        let next = self.kind_ahead(1);
        let word_next = self.ahead(1).is_word();
        match kw {
            Kw::Evaluate => self.ahead(1).is_name() || (word_next && self.kind_ahead(2) == TokenKind::Assign),
            Kw::Facet => next == TokenKind::Kw(Kw::By),
            Kw::Partition | Kw::Reduce => {
                next == TokenKind::Kw(Kw::By) || (word_next && self.kind_ahead(2) == TokenKind::Assign)
            }
            Kw::Range => {
                let len = self.declared_len(1);
                len > 0 && self.kind_ahead(1 + len) == TokenKind::Kw(Kw::From)
            }
            Kw::Render => word_next,
            Kw::As
            | Kw::AssertSchema
            | Kw::ExecuteAndCache
            | Kw::Find
            | Kw::GraphMarkComponents
            | Kw::GraphMatch
            | Kw::GraphShortestPaths
            | Kw::GraphToTable
            | Kw::GraphWhereEdges
            | Kw::GraphWhereNodes
            | Kw::Invoke
            | Kw::MacroExpand
            | Kw::MakeGraph
            | Kw::MakeSeries
            | Kw::ParseKv
            | Kw::ParseWhere
            | Kw::Print
            | Kw::Project
            | Kw::ProjectAway
            | Kw::ProjectByNames
            | Kw::ProjectKeep
            | Kw::ProjectRename
            | Kw::ProjectReorder
            | Kw::Sample
            | Kw::SampleDistinct
            | Kw::Search
            | Kw::TopHitters
            | Kw::TopNested
            | Kw::Union => true,
            Kw::MvApply | Kw::MvExpand | Kw::Where => !self.token().is_name(),
            _ => false,
        }
    }

    /// The operator here; after a fault, skips to the next one.
    fn operator_or_skip(&mut self) -> Operator {
        let start = self.start();
        let begin = self.pos;
        let depth = self.depth;
        let kind = match self.operator() {
            Ok(kind) => {
                let span = self.span_from(start);
                if !self.at_pipeline_end() {
                    self.unexpected_after();
                    self.synchronize(begin);
                }
                return Operator { kind, span };
            }
            Err(Fault) => OperatorKind::Error,
        };
        self.depth = depth;
        if !self.stopped {
            self.synchronize(begin);
        }
        Operator { kind, span: self.span_from(start) }
    }

    fn operator(&mut self) -> Read<OperatorKind> {
        let TokenKind::Kw(kw) = self.kind() else { return Err(self.unknown_operator()) };
        let called = self.kind_ahead(1) == TokenKind::LParen;
        let function = matches!(kw, Kw::Count | Kw::Range) && called;
        // `project-awya` reads as `project -awya` otherwise.
        let dashed = self.kind_ahead(1) == TokenKind::Minus
            && self.adjacent(1)
            && self.adjacent(2)
            && self.ahead(2).is_word();
        if function || dashed || !is_operator(kw) {
            return Err(self.unknown_operator());
        }
        self.advance();
        match kw {
            Kw::Where => self.filter(),
            Kw::Extend | Kw::Project | Kw::Print | Kw::ProjectRename => self.columns_operator(kw),
            Kw::ProjectAway | Kw::ProjectKeep | Kw::ProjectReorder | Kw::ProjectByNames => self.pattern_operator(kw),
            Kw::Take | Kw::Sample => self.take(kw),
            Kw::Summarize => self.summarize(),
            Kw::Join => self.join(),
            Kw::Lookup => self.lookup(),
            Kw::Union => self.union(),
            Kw::Sort => self.sort(),
            Kw::Top => self.top(),
            Kw::Count => self.count(),
            Kw::Distinct => self.distinct(),
            Kw::MvExpand => self.mv_expand(),
            Kw::MvApply => self.mv_apply(),
            Kw::MakeSeries => self.make_series(),
            Kw::Parse => self.parse(false),
            Kw::ParseWhere => self.parse(true),
            Kw::ParseKv => self.parse_kv(),
            Kw::As => self.as_operator(),
            Kw::Serialize => self.serialize(),
            Kw::Evaluate => self.evaluate(),
            Kw::Invoke => self.invoke(),
            Kw::Render => self.render(),
            Kw::Range => self.range(),
            Kw::Search => self.search(),
            Kw::Find => self.find(),
            Kw::GetSchema => self.getschema(),
            Kw::Consume => self.consume(),
            Kw::SampleDistinct => self.sample_distinct(),
            Kw::TopHitters => self.top_hitters(),
            Kw::TopNested => self.top_nested(),
            Kw::Fork => self.fork(),
            Kw::Facet => self.facet(),
            Kw::Partition => self.partition(),
            Kw::PartitionBy => self.partition_by(),
            Kw::Scan => self.scan(),
            Kw::Reduce => self.reduce(),
            Kw::AssertSchema => self.assert_schema(),
            Kw::ExecuteAndCache => Ok(OperatorKind::ExecuteAndCache),
            Kw::MacroExpand => self.macro_expand(),
            _ => self.graph_operator(kw),
        }
    }

    fn filter(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        Ok(OperatorKind::Where { params, predicate: self.named_as_expr()? })
    }

    /// Operators that take columns, named or not.
    fn columns_operator(&mut self, kw: Kw) -> Read<OperatorKind> {
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
    fn pattern_operator(&mut self, kw: Kw) -> Read<OperatorKind> {
        Ok(match kw {
            Kw::ProjectAway => OperatorKind::ProjectAway(self.list_or_none(Self::pattern)?),
            Kw::ProjectKeep => OperatorKind::ProjectKeep(self.list_or_none(Self::pattern)?),
            Kw::ProjectReorder => OperatorKind::ProjectReorder(self.list_or_none(Self::reorder_key)?),
            _ => OperatorKind::ProjectByNames(self.list_or_none(Self::expr)?),
        })
    }

    fn take(&mut self, kw: Kw) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let count = self.named_as_expr()?;
        Ok(if kw == Kw::Sample { OperatorKind::Sample { params, count } } else { OperatorKind::Take { params, count } })
    }

    fn as_operator(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        Ok(OperatorKind::As { params, name: self.expect_name("a name")? })
    }

    fn serialize(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        Ok(OperatorKind::Serialize { params, columns: self.list_or_none(Self::named)? })
    }

    fn consume(&mut self) -> Read<OperatorKind> {
        Ok(OperatorKind::Consume(self.params(&[])?))
    }

    fn assert_schema(&mut self) -> Read<OperatorKind> {
        Ok(OperatorKind::AssertSchema(self.row_schema()?))
    }

    fn pattern(&mut self) -> Read<NamePattern> {
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

    fn summarize(&mut self) -> Read<OperatorKind> {
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

    fn join(&mut self) -> Read<OperatorKind> {
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

    fn lookup(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let right = self.expr()?;
        self.expect_kw(Kw::On, "`on` and the columns to look up by")?;
        let condition = JoinCondition::On(self.list(Self::expr)?);
        Ok(OperatorKind::Lookup(Box::new(Join { params, right, condition })))
    }

    fn union(&mut self) -> Read<OperatorKind> {
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

    fn sort(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        self.expect_kw(Kw::By, "`by`")?;
        Ok(OperatorKind::Sort { params, keys: self.list(Self::sort_key)? })
    }

    fn sort_key(&mut self) -> Read<SortKey> {
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

    fn top(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let count = self.named_as_expr()?;
        self.expect_kw(Kw::By, "`by` and the column to sort by")?;
        Ok(OperatorKind::Top { params, count, by: self.sort_key()? })
    }

    fn count(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let name = if self.eat_kw(Kw::As) { Some(self.expect_name("a name")?) } else { None };
        Ok(OperatorKind::Count { params, name })
    }

    fn distinct(&mut self) -> Read<OperatorKind> {
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

    fn mv_expand(&mut self) -> Read<OperatorKind> {
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

    fn mv_apply(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let columns = self.mv_columns()?;
        let limit = self.limit()?;
        let context = if self.eat_kw(Kw::Id) { Some(self.expr()?) } else { None };
        self.expect_kw(Kw::On, "`on` and the subquery in parentheses")?;
        let body = self.body()?;
        Ok(OperatorKind::MvApply(Box::new(MvApply { params, columns, limit, context, body })))
    }

    fn make_series(&mut self) -> Read<OperatorKind> {
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

    fn parse(&mut self, filter: bool) -> Read<OperatorKind> {
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

    fn parse_kv(&mut self) -> Read<OperatorKind> {
        let subject = self.expr()?;
        self.expect_kw(Kw::As, "`as` and the columns")?;
        let columns = self.row_schema()?;
        let properties = self.properties(Some(PARSE_KV))?;
        Ok(OperatorKind::ParseKv(Box::new(ParseKv { subject, columns, properties })))
    }

    fn evaluate(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let start = self.start();
        let call = self.call()?;
        let call = Expr { kind: ExprKind::Call(Box::new(call)), span: self.span_from(start) };
        let mut schema = None;
        if self.eat(TokenKind::Colon) {
            schema = Some(self.parenthesized(|p| {
                p.eat(TokenKind::Comma);
                let star = p.eat(TokenKind::Star);
                Ok(EvaluateSchema { star, columns: p.loose_list(Self::column_decl)? })
            })?);
        }
        Ok(OperatorKind::Evaluate(Box::new(Evaluate { params, call, schema })))
    }

    fn invoke(&mut self) -> Read<OperatorKind> {
        let start = self.start();
        let call = self.call()?;
        let mut call = Expr { kind: ExprKind::Call(Box::new(call)), span: self.span_from(start) };
        while self.eat(TokenKind::Dot) {
            let method = Box::new(self.call()?);
            self.link()?;
            call = Expr { kind: ExprKind::MethodCall { base: Box::new(call), call: method }, span: self.span_from(start) };
        }
        Ok(OperatorKind::Invoke { params: Vec::new(), call })
    }

    fn render(&mut self) -> Read<OperatorKind> {
        let token = self.token();
        if !token.is_word() {
            return Err(self.expected("the kind of chart"));
        }
        self.advance();
        let chart = Name { text: SmolStr::new(self.text_of(token)), span: token.span().into() };
        let mut properties = self.legacy_render()?;
        properties.extend(self.properties(Some(RENDER))?);
        // `by` and a bare `with` cannot stand inside of `with (…)`: they go first.
        properties.sort_by_key(|p| !matches!(p.name.text.as_str(), "by" | "with"));
        Ok(OperatorKind::Render(Box::new(Render { chart, properties })))
    }

    fn range(&mut self) -> Read<OperatorKind> {
        let name = self.expect_name("a name")?;
        self.expect_kw(Kw::From, "`from`")?;
        let from = self.expr()?;
        self.expect_kw(Kw::To, "`to`")?;
        let to = self.expr()?;
        self.expect_kw(Kw::Step, "`step`")?;
        let step = self.expr()?;
        Ok(OperatorKind::Range(Box::new(Range { name, from, to, step })))
    }

    /// `datascope = word` as a parameter.
    fn scope_param(&mut self, params: &mut Vec<Param>) -> Read<()> {
        let span = self.token().span();
        if self.at_kw(Kw::DataScope) {
            let value = ParamValue::Word(self.data_scope()?);
            let name = Name { text: SmolStr::new_static("datascope"), span: span.into() };
            params.push(Param { name, value });
        }
        Ok(())
    }

    /// `in ( tables )`
    fn in_tables(&mut self) -> Read<Vec<Expr>> {
        if !self.eat_kw(Kw::In) {
            return Ok(Vec::new());
        }
        self.enclosed(TokenKind::LParen, TokenKind::RParen, |p| {
            p.list(|p| {
                let start = p.start();
                let entity = p.entity()?;
                if !p.at(TokenKind::Bar) {
                    return Ok(entity);
                }
                let mut operators = Vec::new();
                p.piped(&mut operators);
                let span = p.span_from(start);
                let pipeline = Pipeline { source: Some(entity), operators, span };
                Ok(Expr { kind: ExprKind::Pipeline(Box::new(pipeline)), span })
            })
        })
    }

    fn search(&mut self) -> Read<OperatorKind> {
        let mut params = self.params(&[])?;
        self.scope_param(&mut params)?;
        let tables = self.in_tables()?;
        let start = self.start();
        let bare_star =
            self.at(TokenKind::Star) && (matches!(self.kind_ahead(1), TokenKind::Kw(Kw::And)) || self.star_alone());
        let predicate = if bare_star {
            let star = self.star();
            if self.eat_kw(Kw::And) {
                let rest = self.expr()?;
                Expr { kind: ExprKind::And(vec![star, rest]), span: self.span_from(start) }
            } else {
                star
            }
        } else {
            self.expr()?
        };
        Ok(OperatorKind::Search(Box::new(Search { params, tables, predicate })))
    }

    fn star_alone(&self) -> bool {
        matches!(
            self.kind_ahead(1),
            TokenKind::Bar | TokenKind::Semicolon | TokenKind::Eof | TokenKind::RParen | TokenKind::RBrace
        )
    }

    fn find(&mut self) -> Read<OperatorKind> {
        let mut params = Vec::new();
        self.scope_param(&mut params)?;
        params.extend(self.params(&[])?);
        let tables = self.in_tables()?;
        let needs_where = !params.is_empty() || !tables.is_empty();
        if needs_where {
            self.expect_kw(Kw::Where, "`where`")?;
        } else {
            self.eat_kw(Kw::Where);
        }
        let predicate = self.expr()?;
        let project = match self.kind() {
            TokenKind::Kw(Kw::Project) => {
                self.advance();
                FindProject::Columns(self.list(Self::find_column)?)
            }
            TokenKind::Kw(Kw::ProjectSmart) => {
                self.advance();
                FindProject::Smart
            }
            TokenKind::Kw(Kw::ProjectAwayFind) => {
                self.advance();
                FindProject::Away(self.list(Self::pattern)?)
            }
            _ => FindProject::None,
        };
        Ok(OperatorKind::Find(Box::new(Find { params, tables, predicate, project })))
    }

    fn find_column(&mut self) -> Read<FindColumn> {
        if self.at_kw(Kw::Pack) && self.kind_ahead(1) == TokenKind::LParen {
            self.advance();
            self.parenthesized(|p| p.expect(TokenKind::Star, "`*`"))?;
            return Ok(FindColumn::PackAll);
        }
        if self.eat(TokenKind::Star) {
            return Ok(FindColumn::Star);
        }
        let name = self.expect_name("a column")?;
        let ty = if self.eat(TokenKind::Colon) { Some(self.column_type()?) } else { None };
        Ok(FindColumn::Column { name, ty })
    }

    fn getschema(&mut self) -> Read<OperatorKind> {
        let mut kind = None;
        if self.eat_kw(Kw::Kind) {
            self.expect(TokenKind::Assign, "`=`")?;
            kind = Some(self.expect_name("`csl`")?);
        }
        Ok(OperatorKind::GetSchema { kind })
    }

    fn sample_distinct(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let count = self.named_as_expr()?;
        self.expect_kw(Kw::Of, "`of` and a column")?;
        Ok(OperatorKind::SampleDistinct { params, count, of: self.named_as_expr()? })
    }

    fn top_hitters(&mut self) -> Read<OperatorKind> {
        let count = self.named_as_expr()?;
        self.expect_kw(Kw::Of, "`of` and a column")?;
        let of = self.named()?;
        let by = if self.eat_kw(Kw::By) { Some(self.named()?) } else { None };
        Ok(OperatorKind::TopHitters { params: Vec::new(), count, of, by })
    }

    fn top_nested(&mut self) -> Read<OperatorKind> {
        let mut clauses = vec![self.top_nested_clause()?];
        while self.eat(TokenKind::Comma) {
            self.expect_kw(Kw::TopNested, "`top-nested`")?;
            clauses.push(self.top_nested_clause()?);
        }
        Ok(OperatorKind::TopNested(clauses))
    }

    fn top_nested_clause(&mut self) -> Read<TopNested> {
        let count = if self.at_kw(Kw::Of) { None } else { Some(self.named_as_expr()?) };
        self.expect_kw(Kw::Of, "`of` and a column")?;
        let of = self.named()?;
        let mut others = None;
        if self.eat_kw(Kw::With) {
            self.expect_kw(Kw::Others, "`others = …`")?;
            self.expect(TokenKind::Assign, "`=`")?;
            others = Some(self.expr()?);
        }
        self.expect_kw(Kw::By, "`by` and an aggregate")?;
        Ok(TopNested { count, of, others, by: self.sort_key()? })
    }

    fn fork(&mut self) -> Read<OperatorKind> {
        let mut branches = Vec::new();
        loop {
            let len = self.declared_len(0);
            let name = if len > 0 && self.kind_ahead(len) == TokenKind::Assign {
                let name = self.declared_name();
                self.advance();
                name
            } else {
                None
            };
            branches.push(ForkBranch { name, body: self.body()? });
            if self.at_pipeline_end() {
                return Ok(OperatorKind::Fork(branches));
            }
        }
    }

    fn facet(&mut self) -> Read<OperatorKind> {
        self.expect_kw(Kw::By, "`by` and the columns")?;
        let by = self.list(Self::simple_path)?;
        let mut with = None;
        if self.eat_kw(Kw::With) {
            with = Some(Box::new(if self.at(TokenKind::LParen) {
                self.body()?
            } else {
                let start = self.start();
                let operators = vec![self.operator_or_skip()];
                Pipeline { source: None, operators, span: self.span_from(start) }
            }));
        }
        Ok(OperatorKind::Facet { by, with })
    }

    fn partition(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        self.expect_kw(Kw::By, "`by` and a column")?;
        let by = self.simple_path()?;
        let scope = if self.eat_kw(Kw::In) { Some(self.path()?) } else { None };
        let body = if self.at(TokenKind::LBrace) {
            let query = self.enclosed(TokenKind::LBrace, TokenKind::RBrace, Self::pipe)?;
            PartitionBody::Query(Box::new(query))
        } else {
            PartitionBody::Operators(self.body()?)
        };
        Ok(OperatorKind::Partition(Box::new(Partition { params, by, scope, body })))
    }

    fn partition_by(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let by = self.simple_path()?;
        let context = if self.eat_kw(Kw::Id) { Some(self.constant()?) } else { None };
        let body = PartitionBody::Scoped { context, body: self.body()? };
        Ok(OperatorKind::Partition(Box::new(Partition { params, by, scope: None, body })))
    }

    fn scan(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let mut scan =
            Scan { params, order_by: Vec::new(), partition_by: Vec::new(), declare: Vec::new(), steps: Vec::new() };
        if self.at_kw(Kw::Sort) && self.text_of(self.token()) == "order" {
            self.advance();
            self.expect_kw(Kw::By, "`by`")?;
            scan.order_by = self.list(Self::sort_key)?;
        }
        if self.eat_kw(Kw::Partition) {
            self.expect_kw(Kw::By, "`by`")?;
            scan.partition_by = self.list(Self::expr)?;
        }
        if self.eat_kw(Kw::Declare) {
            scan.declare = self.parenthesized(|p| {
                p.list_or_none(|p| {
                    let mut column = p.column_decl()?;
                    column.default = p.default_value()?;
                    Ok(column)
                })
            })?;
        }
        self.expect_kw(Kw::With, "`with ( step … )`")?;
        scan.steps = self.parenthesized(|p| {
            let mut steps = Vec::new();
            while p.at_kw(Kw::Step) {
                steps.push(p.scan_step()?);
            }
            Ok(steps)
        })?;
        Ok(OperatorKind::Scan(Box::new(scan)))
    }

    fn scan_step(&mut self) -> Read<ScanStep> {
        let start = self.start();
        self.advance();
        let name = self.expect_declared_name("the name of the step")?;
        let optional = self.eat_kw(Kw::Optional);
        let mut output = None;
        if self.eat_kw(Kw::Output) {
            self.expect(TokenKind::Assign, "`=`")?;
            output = Some(self.expect_declared_word("`all`, `last` or `none`")?);
        }
        self.expect(TokenKind::Colon, "`:` and the condition")?;
        let condition = self.expr()?;
        let assignments = if self.eat(TokenKind::FatArrow) { self.list(Self::assignment)? } else { Vec::new() };
        self.expect(TokenKind::Semicolon, "`;` after the step")?;
        Ok(ScanStep { name, optional, output, condition, assignments, span: self.span_from(start) })
    }

    /// Any word as a name.
    fn expect_declared_word(&mut self, what: &str) -> Read<Name> {
        let token = self.token();
        if !token.is_word() {
            return Err(self.expected(what));
        }
        self.advance();
        Ok(Name { text: SmolStr::new(self.text_of(token)), span: token.span().into() })
    }

    fn assignment(&mut self) -> Read<NamedExpr> {
        let name = self.expect_declared_name("a column")?;
        self.expect(TokenKind::Assign, "`=`")?;
        Ok(NamedExpr { names: super::super::tree::ColumnNames::One(name), value: self.expr()? })
    }

    fn reduce(&mut self) -> Read<OperatorKind> {
        let params = self.params(&["threshold", "characters"])?;
        self.expect_kw(Kw::By, "`by` and a column")?;
        let by = self.named_as_expr()?;
        let properties = if self.eat_kw(Kw::With) { self.list(|p| p.property(None))? } else { Vec::new() };
        Ok(OperatorKind::Reduce(Box::new(Reduce { params, by, properties })))
    }

    fn macro_expand(&mut self) -> Read<OperatorKind> {
        let params = self.params(&["best_effort"])?;
        let group = self.entity_group()?;
        let scope = if self.eat_kw(Kw::As) { Some(self.expect_name("a name")?) } else { None };
        let body = self.enclosed(TokenKind::LParen, TokenKind::RParen, Self::statements)?;
        Ok(OperatorKind::MacroExpand(Box::new(MacroExpand { params, group, scope, body })))
    }

    /// `entity_group [ … ]`, or a name or call that gives one.
    pub(super) fn entity_group(&mut self) -> Read<Expr> {
        if !self.at_kw(Kw::EntityGroup) || self.kind_ahead(1) != TokenKind::LBracket {
            return self.path();
        }
        let start = self.start();
        self.advance();
        let items = self.bracketed(TokenKind::LBracket, TokenKind::RBracket, |p| p.list(Self::expr))?;
        Ok(Expr { kind: ExprKind::EntityGroup(items), span: self.span_from(start) })
    }
}

/// Whether the expression can be no table.
fn is_scalar(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Literal(_)
            | ExprKind::Dynamic(_)
            | ExprKind::Unary { .. }
            | ExprKind::Binary(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::List(_)
            | ExprKind::Between(_)
    )
}

/// Whether a keyword names an operator.
fn is_operator(kw: Kw) -> bool {
    matches!(
        kw,
        Kw::As
            | Kw::AssertSchema
            | Kw::Consume
            | Kw::Count
            | Kw::Distinct
            | Kw::Evaluate
            | Kw::ExecuteAndCache
            | Kw::Extend
            | Kw::Facet
            | Kw::Find
            | Kw::Fork
            | Kw::GetSchema
            | Kw::GraphMarkComponents
            | Kw::GraphMatch
            | Kw::GraphShortestPaths
            | Kw::GraphToTable
            | Kw::GraphWhereEdges
            | Kw::GraphWhereNodes
            | Kw::Invoke
            | Kw::Join
            | Kw::Lookup
            | Kw::MacroExpand
            | Kw::MakeGraph
            | Kw::MakeSeries
            | Kw::MvApply
            | Kw::MvExpand
            | Kw::Parse
            | Kw::ParseKv
            | Kw::ParseWhere
            | Kw::Partition
            | Kw::PartitionBy
            | Kw::Print
            | Kw::Project
            | Kw::ProjectAway
            | Kw::ProjectByNames
            | Kw::ProjectKeep
            | Kw::ProjectRename
            | Kw::ProjectReorder
            | Kw::Range
            | Kw::Reduce
            | Kw::Render
            | Kw::Sample
            | Kw::SampleDistinct
            | Kw::Scan
            | Kw::Search
            | Kw::Serialize
            | Kw::Sort
            | Kw::Summarize
            | Kw::Take
            | Kw::Top
            | Kw::TopHitters
            | Kw::TopNested
            | Kw::Union
            | Kw::Where
    )
}
