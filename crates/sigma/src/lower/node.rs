//! The condition of a rule between the IR and Sigma: tests of fields, joined by and, or, not; two-valued.

use crate::syntax::{Group, GroupKind, Item, Modifier, Value, ValueKind, Values};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Test(Test),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Const(bool),
}

/// `field|modifiers: values`. No field: the whole event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    pub field: String,
    /// Without `all`.
    pub modifiers: Vec<Modifier>,
    pub values: Vec<Value>,
    pub all: bool,
}

impl Test {
    pub(super) fn new(field: &str, modifiers: Vec<Modifier>, values: Vec<Value>) -> Self {
        Self { field: field.to_owned(), modifiers, values, all: false }
    }

    /// A keyword, which is written without a key.
    pub(super) fn is_keyword(&self) -> bool {
        self.field.is_empty() && self.modifiers.is_empty() && !self.all
    }

    fn same_key(&self, other: &Self) -> bool {
        self.field == other.field && self.modifiers == other.modifiers
    }

    pub(super) fn clashes(&self, other: &Self) -> bool {
        self.same_key(other) && self.all == other.all
    }

    pub(super) fn item(&self) -> Item {
        let mut modifiers = self.modifiers.clone();
        if self.all {
            // `contains|all`, and `all` before what says how text is compared.
            let at = modifiers.iter().position(|m| *m == Modifier::Cased).unwrap_or(modifiers.len());
            modifiers.insert(at, Modifier::All);
        }
        Item::new(self.field.as_str(), modifiers, Values::from(self.values.clone()))
    }

    pub(super) fn group(&self) -> Group {
        if !self.is_keyword() {
            return GroupKind::Map(vec![self.item()]).into();
        }
        let mut words: Vec<Group> =
            self.values.iter().map(|v| GroupKind::Keyword(v.clone()).into()).collect();
        match (words.pop(), words.is_empty()) {
            (Some(only), true) => GroupKind::List(vec![only]).into(),
            (last, _) => {
                words.extend(last);
                GroupKind::List(words).into()
            }
        }
    }

    /// Takes the values of a test with the same key.
    fn add(&mut self, other: &Self) {
        /// Longer lists keep what stands twice: looking for it costs the square of their length.
        const LONG: usize = 1000;
        let long = self.values.len() > LONG;
        let new = other.values.iter().filter(|v| long || !self.values.contains(v)).cloned();
        let new: Vec<Value> = new.collect();
        self.values.extend(new);
    }

    fn has_null(&self) -> bool {
        self.values.iter().any(|v| matches!(v.kind, ValueKind::Null(_)))
    }
}

impl From<Test> for Node {
    fn from(test: Test) -> Self {
        Self::Test(test)
    }
}

pub(super) fn not(node: Node) -> Node {
    match node {
        Node::Not(inner) => *inner,
        Node::Const(value) => Node::Const(!value),
        other @ (Node::Test(_) | Node::And(_) | Node::Or(_)) => Node::Not(Box::new(other)),
    }
}

/// Conjunction: flat, without what is always true or stands twice, tests of one field in one item.
pub(super) fn all(nodes: Vec<Node>) -> Node {
    let mut flat = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::And(inner) => inner.into_iter().for_each(|n| conjoin(&mut flat, n)),
            Node::Const(true) => {}
            Node::Const(false) => return Node::Const(false),
            other @ (Node::Test(_) | Node::Or(_) | Node::Not(_)) => conjoin(&mut flat, other),
        }
    }
    single(flat, Node::And, true)
}

/// Disjunction, likewise.
pub(super) fn any(nodes: Vec<Node>) -> Node {
    let mut flat = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::Or(inner) => inner.into_iter().for_each(|n| disjoin(&mut flat, n)),
            Node::Const(false) => {}
            Node::Const(true) => return Node::Const(true),
            other @ (Node::Test(_) | Node::And(_) | Node::Not(_)) => disjoin(&mut flat, other),
        }
    }
    single(flat, Node::Or, false)
}

fn single(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node, empty: bool) -> Node {
    match (nodes.pop(), nodes.is_empty()) {
        (None, _) => Node::Const(empty),
        (Some(only), true) => only,
        (Some(last), false) => {
            nodes.push(last);
            join(nodes)
        }
    }
}

/// `contains: a` and `contains: b` of one field are `contains|all: [a, b]`.
fn conjoin(nodes: &mut Vec<Node>, node: Node) {
    if nodes.contains(&node) {
        return;
    }
    let mergeable = |t: &Test| (t.all || t.values.len() == 1) && !t.has_null() && may_be_all(&t.modifiers);
    if let Node::Test(test) = &node
        && mergeable(test)
    {
        for earlier in nodes.iter_mut() {
            if let Node::Test(earlier) = earlier
                && earlier.same_key(test)
                && mergeable(earlier)
            {
                earlier.add(test);
                earlier.all = earlier.values.len() > 1;
                return;
            }
        }
    }
    nodes.push(node);
}

/// `contains: a` or `contains: b` of one field are `contains: [a, b]`.
fn disjoin(nodes: &mut Vec<Node>, node: Node) {
    if nodes.contains(&node) {
        return;
    }
    if let Node::Test(test) = &node
        && !test.all
    {
        for earlier in nodes.iter_mut() {
            if let Node::Test(earlier) = earlier
                && earlier.same_key(test)
                && !earlier.all
                && !has_bound(&earlier.modifiers)
            {
                earlier.add(test);
                return;
            }
        }
    }
    nodes.push(node);
}

/// Comparisons take one number.
fn has_bound(modifiers: &[Modifier]) -> bool {
    modifiers.iter().any(|m| matches!(m, Modifier::Lt | Modifier::Lte | Modifier::Gt | Modifier::Gte))
}

/// Whether several values of an item can be asked for at once.
fn may_be_all(modifiers: &[Modifier]) -> bool {
    let part = |m: &Modifier| {
        matches!(m, Modifier::Contains | Modifier::StartsWith | Modifier::EndsWith | Modifier::Re)
    };
    modifiers.iter().any(part)
}
