//! Graph operators.

use super::super::keyword::Kw;
use super::super::token::TokenKind;
use super::super::tree::{
    EdgeDirection, EdgeRange, GraphElement, GraphMatch, GraphTable, MakeGraph, MakeGraphNodes, OperatorKind,
};
use super::{Parser, Read};

impl Parser<'_> {
    /// The operator after its keyword.
    pub(super) fn graph_operator(&mut self, kw: Kw) -> Read<OperatorKind> {
        match kw {
            Kw::MakeGraph => self.make_graph(),
            Kw::GraphMatch => Ok(OperatorKind::GraphMatch(Box::new(self.graph_match(&["cycles"])?))),
            Kw::GraphShortestPaths => {
                Ok(OperatorKind::GraphShortestPaths(Box::new(self.graph_match(&["output"])?)))
            }
            Kw::GraphToTable => Ok(OperatorKind::GraphToTable(self.list(Self::graph_table)?)),
            Kw::GraphMarkComponents => {
                Ok(OperatorKind::GraphMarkComponents(self.params(&["with_component_id"])?))
            }
            Kw::GraphWhereEdges => {
                Ok(OperatorKind::GraphWhereEdges { params: Vec::new(), predicate: self.expr()? })
            }
            Kw::GraphWhereNodes => {
                Ok(OperatorKind::GraphWhereNodes { params: Vec::new(), predicate: self.expr()? })
            }
            _ => Err(self.expected("an operator")),
        }
    }

    /// Takes tokens that together are the symbol, with no blanks inside.
    fn eat_symbol(&mut self, symbol: &[TokenKind]) -> bool {
        let same =
            symbol.iter().enumerate().all(|(i, k)| self.kind_ahead(i) == *k && (i == 0 || self.adjacent(i)));
        if same {
            self.pos += symbol.len();
        }
        same
    }

    fn make_graph(&mut self) -> Read<OperatorKind> {
        let params = self.params(&[])?;
        let source = self.expect_name("the column of the source")?;
        let directed = if self.eat_symbol(&[TokenKind::Minus, TokenKind::Minus, TokenKind::Gt]) {
            true
        } else if self.eat_symbol(&[TokenKind::Minus, TokenKind::Minus]) {
            false
        } else {
            return Err(self.expected("`-->` or `--`"));
        };
        let target = self.expect_name("the column of the target")?;
        let nodes = if self.eat_kw(Kw::WithNodeId) {
            self.expect(TokenKind::Assign, "`=`")?;
            MakeGraphNodes::NodeId(self.expect_name("a name")?)
        } else if self.eat_kw(Kw::With) {
            MakeGraphNodes::Tables(self.list(|p| {
                let table = p.signed()?;
                p.expect_kw(Kw::On, "`on` and the key")?;
                let start = p.start();
                let key = p.expect_name("the key")?;
                let kind = super::super::tree::ExprKind::Name(key.text);
                Ok((table, super::super::tree::Expr { kind, span: p.span_from(start) }))
            })?)
        } else {
            MakeGraphNodes::None
        };
        let partitioned_by =
            if self.eat_kw(Kw::PartitionedBy) { Some((self.simple_path()?, self.body()?)) } else { None };
        let graph = MakeGraph { params, source, directed, target, nodes, partitioned_by };
        Ok(OperatorKind::MakeGraph(Box::new(graph)))
    }

    fn graph_match(&mut self, own: &[&str]) -> Read<GraphMatch> {
        let params = self.params(own)?;
        let patterns = self.list(Self::graph_pattern)?;
        let predicate = if self.eat_kw(Kw::Where) { Some(self.expr()?) } else { None };
        let project = if self.eat_kw(Kw::Project) { Some(self.list(Self::named)?) } else { None };
        Ok(GraphMatch { params, patterns, predicate, project })
    }

    fn graph_pattern(&mut self) -> Read<Vec<GraphElement>> {
        let mut elements = Vec::new();
        while let Some(element) = self.graph_element()? {
            elements.push(element);
        }
        if elements.is_empty() { Err(self.expected("a pattern like `(a)-[e]->(b)`")) } else { Ok(elements) }
    }

    fn graph_element(&mut self) -> Read<Option<GraphElement>> {
        use TokenKind::{Gt, LBracket, LParen, Lt, Minus, RBracket};
        if self.at(LParen) {
            return self.parenthesized(|p| Ok(Some(GraphElement::Node(p.name()))));
        }
        let plain = |direction| Ok(Some(GraphElement::Edge { name: None, direction, range: None }));
        if self.eat_symbol(&[Minus, Minus, Gt]) {
            return plain(EdgeDirection::Forward);
        }
        if self.eat_symbol(&[Lt, Minus, Minus]) {
            return plain(EdgeDirection::Backward);
        }
        if self.eat_symbol(&[Minus, Minus]) {
            return plain(EdgeDirection::Any);
        }
        let backward = self.eat_symbol(&[Lt, Minus, LBracket]);
        if !backward && !self.eat_symbol(&[Minus, LBracket]) {
            return Ok(None);
        }
        let name = self.name();
        let mut range = None;
        if self.eat(TokenKind::Star) {
            let from = self.signed()?;
            self.expect(TokenKind::DotDot, "`..`")?;
            range = Some(EdgeRange { from, to: self.signed()? });
        }
        let forward = self.eat_symbol(&[RBracket, Minus, Gt]);
        if !forward && !self.eat_symbol(&[RBracket, Minus]) {
            return Err(self.expected("`]->` or `]-`"));
        }
        let direction = match (backward, forward) {
            (true, false) => EdgeDirection::Backward,
            (false, true) => EdgeDirection::Forward,
            (_, _) => EdgeDirection::Any,
        };
        Ok(Some(GraphElement::Edge { name, direction, range }))
    }

    fn graph_table(&mut self) -> Read<GraphTable> {
        if !matches!(self.kind(), TokenKind::Kw(Kw::Nodes | Kw::Edges)) {
            return Err(self.expected("`nodes` or `edges`"));
        }
        let what = self.expect_name("`nodes` or `edges`")?;
        let name = if self.eat_kw(Kw::As) { Some(self.expect_name("a name")?) } else { None };
        let params = self.params(&["with_node_id", "with_source_id", "with_target_id"])?;
        Ok(GraphTable { what, name, params })
    }
}
