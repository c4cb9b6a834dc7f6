//! Searches and a condition that say what a [`Node`] says, readably: what must hold together in one mapping,
//! alternatives in a list, exclusions as filters.

use super::node::{self, Node, Test};
use crate::syntax::{Detection, Expr, Group, GroupKind, Quantifier, Search, Target};
use smol_str::SmolStr;

/// A condition whose searches have no names yet.
enum Condition {
    /// Index of a search.
    Search(usize),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

#[derive(Default)]
struct Builder {
    /// Whether it excludes, and what it looks for.
    searches: Vec<(bool, Group)>,
}

/// `None` where everything or nothing matches.
pub(super) fn detection(node: Node) -> Option<Detection> {
    let node = match node {
        Node::Const(_) => return None,
        node @ (Node::Test(_) | Node::And(_) | Node::Or(_) | Node::Not(_)) => split_exclusions(node),
    };
    let mut builder = Builder::default();
    let condition = builder.condition(&node, false);
    let names = builder.names();
    let expr = shorten(&condition, &builder.searches, &names);
    let searches = names.into_iter().zip(builder.searches).map(|(name, (_, group))| Search::new(name, group));
    let condition = crate::syntax::Condition {
        body: crate::syntax::ConditionBody::Expr { expr, pipe: None },
        span: crate::syntax::Loc::default(),
    };
    Some(Detection::new(searches.collect(), condition))
}

/// `not (a or b)` that no single search can hold is `not a and not b`.
fn split_exclusions(node: Node) -> Node {
    let conjuncts = match node {
        Node::And(conjuncts) => conjuncts,
        other @ (Node::Test(_) | Node::Or(_) | Node::Not(_) | Node::Const(_)) => vec![other],
    };
    let mut out = Vec::with_capacity(conjuncts.len());
    for conjunct in conjuncts {
        match conjunct {
            Node::Not(inner) => match *inner {
                Node::Or(alternatives) if group_of_any(&alternatives).is_none() => {
                    out.extend(alternatives.into_iter().map(node::not));
                }
                other => out.push(node::not(other)),
            },
            other @ (Node::Test(_) | Node::And(_) | Node::Or(_) | Node::Const(_)) => out.push(other),
        }
    }
    node::all(out)
}

/// The search that holds the whole node, if one can.
fn group(node: &Node) -> Option<Group> {
    match node {
        Node::Test(test) => Some(test.group()),
        Node::And(nodes) => group_of_all(nodes),
        Node::Or(nodes) => group_of_any(nodes),
        Node::Not(_) | Node::Const(_) => None,
    }
}

/// One mapping: every key once.
fn group_of_all(nodes: &[Node]) -> Option<Group> {
    let mut tests: Vec<&Test> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let Node::Test(test) = node else { return None };
        if test.is_keyword() || tests.iter().any(|t| t.clashes(test)) {
            return None;
        }
        tests.push(test);
    }
    Some(GroupKind::Map(tests.into_iter().map(Test::item).collect()).into())
}

/// A list of mappings and keywords.
fn group_of_any(nodes: &[Node]) -> Option<Group> {
    let mut groups = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::Test(test) => match test.group() {
                Group { kind: GroupKind::List(words), .. } => groups.extend(words),
                group => groups.push(group),
            },
            Node::And(nodes) => groups.push(group_of_all(nodes)?),
            Node::Or(_) | Node::Not(_) | Node::Const(_) => return None,
        }
    }
    Some(GroupKind::List(groups).into())
}

impl Builder {
    fn search(&mut self, group: Group, excludes: bool) -> Condition {
        // What was looked for before has a name already.
        let found = self.searches.iter().position(|(_, g)| *g == group);
        Condition::Search(found.unwrap_or_else(|| {
            self.searches.push((excludes, group));
            self.searches.len() - 1
        }))
    }

    fn condition(&mut self, node: &Node, excludes: bool) -> Condition {
        if let Some(group) = group(node) {
            return self.search(group, excludes);
        }
        match node {
            Node::Not(inner) => Condition::Not(Box::new(self.condition(inner, !excludes))),
            Node::And(nodes) => Condition::And(self.conjunction(nodes, excludes)),
            Node::Or(nodes) => Condition::Or(self.disjunction(nodes, excludes)),
            // Constants are gone by now; a test is a group.
            Node::Test(_) | Node::Const(_) => Condition::And(Vec::new()),
        }
    }

    /// Tests of different fields share a mapping.
    fn conjunction(&mut self, nodes: &[Node], excludes: bool) -> Vec<Condition> {
        let mut mappings: Vec<Vec<Node>> = Vec::new();
        let mut others = Vec::new();
        for node in nodes {
            let Node::Test(test) = node else {
                others.push(node);
                continue;
            };
            let fits = |mapping: &Vec<Node>| {
                !test.is_keyword()
                    && mapping
                        .iter()
                        .all(|n| matches!(n, Node::Test(t) if !t.is_keyword() && !t.clashes(test)))
            };
            match mappings.iter_mut().find(|m| fits(m)) {
                Some(mapping) => mapping.push(node.clone()),
                None => mappings.push(vec![node.clone()]),
            }
        }
        let mut out: Vec<Condition> =
            mappings.into_iter().map(|m| self.condition(&node::all(m), excludes)).collect();
        out.extend(others.into_iter().map(|n| self.condition(n, excludes)));
        out
    }

    /// Alternatives that can stand in a list share one.
    fn disjunction(&mut self, nodes: &[Node], excludes: bool) -> Vec<Condition> {
        let (simple, others): (Vec<&Node>, Vec<&Node>) = nodes.iter().partition(|n| group(n).is_some());
        let mut out = Vec::with_capacity(others.len() + 1);
        if !simple.is_empty() {
            let simple = node::any(simple.into_iter().cloned().collect());
            out.push(self.condition(&simple, excludes));
        }
        out.extend(others.into_iter().map(|n| self.condition(n, excludes)));
        out
    }

    fn names(&self) -> Vec<SmolStr> {
        let mut counts = [0usize; 2];
        let total = |excludes: bool| self.searches.iter().filter(|(e, _)| *e == excludes).count();
        let totals = [total(false), total(true)];
        let mut names = Vec::with_capacity(self.searches.len());
        for (excludes, _) in &self.searches {
            let (word, [selections, filters]) = (if *excludes { "filter" } else { "selection" }, &mut counts);
            let count = if *excludes { filters } else { selections };
            *count += 1;
            let [selections, filters] = totals;
            let only = if *excludes { filters } else { selections } == 1;
            names.push(if only { word.into() } else { SmolStr::from(format!("{word}_{count}")) });
        }
        names
    }
}

impl Condition {
    fn expr(&self, names: &[SmolStr]) -> Expr {
        match self {
            Self::Search(i) => Expr::search(names.get(*i).cloned().unwrap_or_default()),
            Self::Not(inner) => Expr::not(inner.expr(names)),
            Self::And(operands) => Expr::and(operands.iter().map(|o| o.expr(names))),
            Self::Or(operands) => Expr::or(operands.iter().map(|o| o.expr(names))),
        }
    }
}

/// `all of selection_*` and `not 1 of filter_*` where that is all the condition says.
fn shorten(condition: &Condition, searches: &[(bool, Group)], names: &[SmolStr]) -> Expr {
    let operands = match condition {
        Condition::And(operands) => operands.as_slice(),
        other @ (Condition::Search(_) | Condition::Not(_) | Condition::Or(_)) => std::slice::from_ref(other),
    };
    let excludes = |i: &usize| searches.get(*i).is_some_and(|(excludes, _)| *excludes);
    let mut used: Vec<usize> = Vec::with_capacity(operands.len());
    for operand in operands {
        match operand {
            Condition::Search(i) if !excludes(i) => used.push(*i),
            Condition::Not(inner) => match **inner {
                Condition::Search(i) if excludes(&i) => used.push(i),
                Condition::Search(_) | Condition::Not(_) | Condition::And(_) | Condition::Or(_) => {
                    return condition.expr(names);
                }
            },
            Condition::Search(_) | Condition::And(_) | Condition::Or(_) => return condition.expr(names),
        }
    }
    if used.len() != searches.len() {
        return condition.expr(names);
    }
    let (filters, selections): (Vec<usize>, Vec<usize>) = used.into_iter().partition(excludes);
    let pattern = |text: &'static str| Target::Pattern(SmolStr::new_static(text).into());
    let name = |i: &usize| Expr::search(names.get(*i).cloned().unwrap_or_default());
    let mut parts = Vec::with_capacity(2);
    match selections.as_slice() {
        [] => {}
        [one] => parts.push(name(one)),
        [..] => parts.push(Expr::of(Quantifier::All, pattern("selection_*"))),
    }
    match filters.as_slice() {
        [] => {}
        [one] => parts.push(Expr::not(name(one))),
        [..] => parts.push(Expr::not(Expr::of(Quantifier::One, pattern("filter_*")))),
    }
    Expr::and(parts)
}
