//! Graph operators.

use super::super::tree::{EdgeDirection, GraphElement, GraphMatch, GraphTable, MakeGraph, MakeGraphNodes};
use super::{Printer, text};

impl Printer<'_> {
    pub(super) fn make_graph(&mut self, graph: &MakeGraph) {
        self.put("make-graph");
        self.params(&graph.params);
        self.put(" ");
        self.leaf(|o| text::declared(o, &graph.source.text));
        self.put(if graph.directed { " --> " } else { " -- " });
        self.leaf(|o| text::declared(o, &graph.target.text));
        match &graph.nodes {
            MakeGraphNodes::None => {}
            MakeGraphNodes::NodeId(name) => {
                self.put(" with_node_id=");
                self.leaf(|o| text::declared(o, &name.text));
            }
            MakeGraphNodes::Tables(tables) => {
                self.put(" with ");
                self.inline(tables, |p, (table, key)| {
                    p.entity(table);
                    p.put(" on ");
                    p.expr(key);
                });
            }
        }
        if let Some((by, body)) = &graph.partitioned_by {
            self.put(" partitioned-by ");
            self.expr(by);
            self.put(" ");
            self.body(body);
        }
    }

    pub(super) fn graph_match(&mut self, keyword: &str, graph: &GraphMatch) {
        self.put(keyword);
        self.params(&graph.params);
        let patterns = |p: &mut Self| {
            p.put(" ");
            p.inline(&graph.patterns, |p, pattern| pattern.iter().for_each(|e| p.graph_element(e)));
        };
        if !self.try_flat(super::super::tree::Loc::default(), patterns) {
            self.indented(|p| {
                p.stacked(
                    &graph.patterns,
                    |_| 0,
                    |p, pattern| pattern.iter().for_each(|e| p.graph_element(e)),
                );
            });
        }
        self.indented(|p| {
            if let Some(predicate) = &graph.predicate {
                p.gap();
                p.put("where ");
                p.expr(predicate);
            }
            if let Some(columns) = &graph.project {
                p.gap();
                p.put("project");
                p.named_list(columns);
            }
        });
    }

    /// A new line, or a blank on one line.
    pub(super) fn gap(&mut self) {
        if self.flat { self.put(" ") } else { self.newline() }
    }

    fn graph_element(&mut self, element: &GraphElement) {
        match element {
            GraphElement::Node(name) => {
                self.put("(");
                if let Some(name) = name {
                    self.leaf(|o| text::declared(o, &name.text));
                }
                self.put(")");
            }
            GraphElement::Edge { name: None, range: None, direction } => self.put(match direction {
                EdgeDirection::Forward => "-->",
                EdgeDirection::Backward => "<--",
                EdgeDirection::Any => "--",
            }),
            GraphElement::Edge { name, range, direction } => {
                self.put(match direction {
                    EdgeDirection::Backward => "<-[",
                    EdgeDirection::Forward | EdgeDirection::Any => "-[",
                });
                if let Some(name) = name {
                    self.leaf(|o| text::declared(o, &name.text));
                }
                if let Some(range) = range {
                    self.put("*");
                    self.expr(&range.from);
                    // A number directly before `..` reads as one that ends with a dot only if a third dot follows.
                    self.put("..");
                    self.expr(&range.to);
                }
                self.put(match direction {
                    EdgeDirection::Forward => "]->",
                    EdgeDirection::Backward | EdgeDirection::Any => "]-",
                });
            }
        }
    }

    pub(super) fn graph_tables(&mut self, tables: &[GraphTable]) {
        self.put("graph-to-table ");
        self.inline(tables, |p, table| {
            p.put(&table.what.text);
            if let Some(name) = &table.name {
                p.put(" as ");
                p.leaf(|o| text::declared(o, &name.text));
            }
            p.params(&table.params);
        });
    }
}
