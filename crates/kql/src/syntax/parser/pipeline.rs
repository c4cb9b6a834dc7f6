//! Pipelines: sources, operators and how they are told apart.

use super::super::keyword::Kw;
use super::super::token::TokenKind;
use super::super::tree::{Expr, ExprKind, Operator, OperatorKind, Pipeline};
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
    pub(super) fn piped(&mut self, operators: &mut Vec<Operator>) {
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
    pub(super) fn operator_or_skip(&mut self) -> Operator {
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
            Kw::ProjectAway | Kw::ProjectKeep | Kw::ProjectReorder | Kw::ProjectByNames => {
                self.pattern_operator(kw)
            }
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
