//! Operators with a grammar of their own: `search`, `find`, `scan`, `partition`, `top-nested`, ….

use smol_str::SmolStr;

use super::super::keyword::Kw;
use super::super::token::TokenKind;
use super::super::tree::{
    Evaluate, EvaluateSchema, Expr, ExprKind, Find, FindColumn, FindProject, ForkBranch, MacroExpand, Name,
    NamedExpr, OperatorKind, Param, ParamValue, Partition, PartitionBody, Pipeline, Range, Reduce, Render,
    Scan, ScanStep, Search, TopNested,
};
use super::param::RENDER;
use super::{Parser, Read};

impl Parser<'_> {
    pub(super) fn evaluate(&mut self) -> Read<OperatorKind> {
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

    pub(super) fn invoke(&mut self) -> Read<OperatorKind> {
        let start = self.start();
        let call = self.call()?;
        let mut call = Expr { kind: ExprKind::Call(Box::new(call)), span: self.span_from(start) };
        while self.eat(TokenKind::Dot) {
            let method = Box::new(self.call()?);
            self.link()?;
            call = Expr {
                kind: ExprKind::MethodCall { base: Box::new(call), call: method },
                span: self.span_from(start),
            };
        }
        Ok(OperatorKind::Invoke { params: Vec::new(), call })
    }

    pub(super) fn render(&mut self) -> Read<OperatorKind> {
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

    pub(super) fn range(&mut self) -> Read<OperatorKind> {
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

    pub(super) fn search(&mut self) -> Read<OperatorKind> {
        let mut params = self.params(&[])?;
        self.scope_param(&mut params)?;
        let tables = self.in_tables()?;
        let start = self.start();
        let bare_star = self.at(TokenKind::Star)
            && (matches!(self.kind_ahead(1), TokenKind::Kw(Kw::And)) || self.star_alone());
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

    pub(super) fn find(&mut self) -> Read<OperatorKind> {
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

    pub(super) fn getschema(&mut self) -> Read<OperatorKind> {
        let mut kind = None;
        if self.eat_kw(Kw::Kind) {
            self.expect(TokenKind::Assign, "`=`")?;
            kind = Some(self.expect_name("`csl`")?);
        }
        Ok(OperatorKind::GetSchema { kind })
    }

    pub(super) fn sample_distinct(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let count = self.named_as_expr()?;
        self.expect_kw(Kw::Of, "`of` and a column")?;
        Ok(OperatorKind::SampleDistinct { params, count, of: self.named_as_expr()? })
    }

    pub(super) fn top_hitters(&mut self) -> Read<OperatorKind> {
        let count = self.named_as_expr()?;
        self.expect_kw(Kw::Of, "`of` and a column")?;
        let of = self.named()?;
        let by = if self.eat_kw(Kw::By) { Some(self.named()?) } else { None };
        Ok(OperatorKind::TopHitters { params: Vec::new(), count, of, by })
    }

    pub(super) fn top_nested(&mut self) -> Read<OperatorKind> {
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

    pub(super) fn fork(&mut self) -> Read<OperatorKind> {
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

    pub(super) fn facet(&mut self) -> Read<OperatorKind> {
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

    pub(super) fn partition(&mut self) -> Read<OperatorKind> {
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

    pub(super) fn partition_by(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let by = self.simple_path()?;
        let context = if self.eat_kw(Kw::Id) { Some(self.constant()?) } else { None };
        let body = PartitionBody::Scoped { context, body: self.body()? };
        Ok(OperatorKind::Partition(Box::new(Partition { params, by, scope: None, body })))
    }

    pub(super) fn scan(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let mut scan = Scan {
            params,
            order_by: Vec::new(),
            partition_by: Vec::new(),
            declare: Vec::new(),
            steps: Vec::new(),
        };
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
        let assignments =
            if self.eat(TokenKind::FatArrow) { self.list(Self::assignment)? } else { Vec::new() };
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

    pub(super) fn reduce(&mut self) -> Read<OperatorKind> {
        let params = self.params(&["threshold", "characters"])?;
        self.expect_kw(Kw::By, "`by` and a column")?;
        let by = self.named_as_expr()?;
        let properties = if self.eat_kw(Kw::With) { self.list(|p| p.property(None))? } else { Vec::new() };
        Ok(OperatorKind::Reduce(Box::new(Reduce { params, by, properties })))
    }

    pub(super) fn macro_expand(&mut self) -> Read<OperatorKind> {
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
