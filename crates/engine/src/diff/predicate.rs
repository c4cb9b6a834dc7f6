//! Conditions in negation normal form, with what is looked for apart from how it is looked for.
//!
//! In: an [`ir::Expr`] of a filter. Out: a [`Node`]. Tests of one subject of one kind that stand side by side are one test
//! with a list, so that `x == 1 or x == 2` and `x in (1, 2)` are the same.

use super::render::{self, Number};
use super::shape::{Flow, Place, Shaper};
use ruleferry_diag::Span;
use ruleferry_ir::{self as ir, Case, CompareOp, Expr, ExprKind, MatchKind, Quantifier, Type, Value};
use std::hash::{DefaultHasher, Hasher as _};

#[derive(Clone, Debug)]
pub(crate) enum Node {
    All { parts: Vec<Node>, span: Span, key: u64 },
    Any { parts: Vec<Node>, span: Span, key: u64 },
    Test(Box<Test>),
}

#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub subject: String,
    pub kind: TestKind,
    pub case: Option<Case>,
    /// All of the values, not any.
    pub all: bool,
    pub values: Vec<Wanted>,
    /// Of a value out of a query.
    pub flow: Option<Flow>,
    pub negated: bool,
    /// It stands under a `not` that is not in its span.
    pub turned: bool,
    pub span: Span,
    pub key: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TestKind {
    Match(MatchKind),
    /// `Eq`, `Lt`, `Le`, `Gt` or `Ge`.
    Compare(CompareOp),
    Null,
    Empty,
    InQuery,
    /// An expression that is true.
    True,
}

#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub place: Place,
    pub number: Option<Number>,
    /// A constant text, without quotes.
    pub literal: Option<String>,
}

impl Node {
    pub const fn key(&self) -> u64 {
        match self {
            Self::All { key, .. } | Self::Any { key, .. } => *key,
            Self::Test(test) => test.key,
        }
    }

    pub const fn span(&self) -> Span {
        match self {
            Self::All { span, .. } | Self::Any { span, .. } => *span,
            Self::Test(test) => test.span,
        }
    }

    fn group(all: bool, parts: Vec<Self>, span: Span) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match (part, all) {
                (Self::All { parts, .. }, true) | (Self::Any { parts, .. }, false) => flat.extend(parts),
                (part, _) => flat.push(part),
            }
        }
        let mut parts = merged(flat, all);
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return only;
        }
        let mut keys: Vec<u64> = parts.iter().map(Self::key).collect();
        keys.sort_unstable();
        keys.dedup();
        let key = hashed(&(all, keys));
        if all { Self::All { parts, span, key } } else { Self::Any { parts, span, key } }
    }

    /// In canonical text.
    pub fn text(&self) -> String {
        match self {
            Self::All { parts, .. } => joined(parts, " and "),
            Self::Any { parts, .. } => joined(parts, " or "),
            Self::Test(test) => test.text(),
        }
    }

    pub fn place(&self) -> Place {
        match self {
            Self::All { .. } | Self::Any { .. } => {
                // A text that was turned inside out is not in the source.
                let span = if self.is_turned() { Span::default() } else { self.span() };
                Place::new(self.text(), span)
            }
            Self::Test(test) => test.place(),
        }
    }

    fn is_turned(&self) -> bool {
        match self {
            Self::All { parts, .. } | Self::Any { parts, .. } => parts.iter().any(Self::is_turned),
            Self::Test(test) => test.turned,
        }
    }

    /// Each test, however deep.
    pub fn tests<'n>(&'n self, f: &mut dyn FnMut(&'n Test)) {
        match self {
            Self::All { parts, .. } | Self::Any { parts, .. } => parts.iter().for_each(|p| p.tests(f)),
            Self::Test(test) => f(test),
        }
    }
}

/// Characters of a text that is shown.
const LONGEST: usize = 2_000;

fn joined(parts: &[Node], word: &str) -> String {
    let mut text = String::from("(");
    for (i, part) in parts.iter().enumerate() {
        if text.len() > LONGEST {
            text.push('…');
            break;
        }
        if i > 0 {
            text.push_str(word);
        }
        text.push_str(&part.text());
    }
    text + ")"
}

fn hashed(value: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Tests side by side that differ in their values alone are one test with all of them.
fn merged(parts: Vec<Node>, all: bool) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::with_capacity(parts.len());
    let mut places: rustc_hash::FxHashMap<u64, usize> = rustc_hash::FxHashMap::default();
    for part in parts {
        let Node::Test(mut test) = part else {
            out.push(part);
            continue;
        };
        // Under `or`, any of the values; under `and`, none of them; and texts that must all be there.
        let listable = match test.kind {
            TestKind::Match(_) | TestKind::Compare(CompareOp::Eq) => true,
            TestKind::Compare(_) | TestKind::Null | TestKind::Empty | TestKind::InQuery | TestKind::True => {
                false
            }
        };
        let single = test.values.len() == 1;
        let fits = listable
            && test.flow.is_none()
            && match (all, test.negated) {
                (false, false) | (true, true) => !test.all || single,
                (true, false) => (test.all || single) && matches!(test.kind, TestKind::Match(_)),
                (false, true) => false,
            };
        if !fits {
            out.push(Node::Test(test));
            continue;
        }
        let wants_all = all && !test.negated;
        let shape =
            hashed(&(&test.subject, test.kind, test.case.map(|c| c == Case::Sensitive), test.negated));
        let place = places.get(&shape).copied();
        match place.and_then(|i| out.get_mut(i)) {
            Some(Node::Test(first)) => {
                first.all = wants_all;
                first.span = first.span.to(test.span);
                first.values.append(&mut test.values);
            }
            _ => {
                places.insert(shape, out.len());
                out.push(Node::Test(test));
            }
        }
    }
    for part in &mut out {
        if let Node::Test(test) = part {
            test.seal();
        }
    }
    out
}

impl Test {
    fn seal(&mut self) {
        if self.values.len() < 2 {
            self.all = false;
        }
        let mut values: Vec<&str> = self.values.iter().map(|v| v.place.text.as_str()).collect();
        values.sort_unstable();
        values.dedup();
        let case = self.case.map(|c| c == Case::Sensitive);
        let flow = self.flow.as_ref().map(super::changes::flow_key);
        self.key = hashed(&(&self.subject, self.kind, case, self.all, values, flow, self.negated));
    }

    pub fn place(&self) -> Place {
        Place { text: self.text(), span: self.span, turned: self.turned }
    }

    pub fn text(&self) -> String {
        let values: Vec<&str> = self.values.iter().map(|v| v.place.text.as_str()).collect();
        let list = match values.as_slice() {
            [one] => (*one).to_owned(),
            many if self.all => format!("all of ({})", many.join(", ")),
            many => format!("({})", many.join(", ")),
        };
        let positive = match self.kind {
            TestKind::Match(kind) => {
                let word = match (kind, self.case, values.len()) {
                    (MatchKind::Equals, Some(Case::Insensitive), 0 | 1) => "=~",
                    (MatchKind::Equals, Some(Case::Insensitive), _) => "in~",
                    (MatchKind::Equals, _, 0 | 1) => "==",
                    (MatchKind::Equals, _, _) => "in",
                    (kind, _, _) => render::match_word(kind),
                };
                let exact = self.case == Some(Case::Sensitive)
                    && !matches!(kind, MatchKind::Equals | MatchKind::Regex | MatchKind::Cidr);
                let case = if exact { " (case)" } else { "" };
                format!("{} {word}{case} {list}", self.subject)
            }
            TestKind::Compare(CompareOp::Eq) if values.len() > 1 => format!("{} in {list}", self.subject),
            TestKind::Compare(op) => format!("{}{}{list}", self.subject, render::compare_sign(op)),
            TestKind::Null => format!("isnull({})", self.subject),
            TestKind::Empty => format!("isempty({})", self.subject),
            TestKind::InQuery => format!("{} in (query)", self.subject),
            TestKind::True => self.subject.clone(),
        };
        if self.negated { format!("not({positive})") } else { positive }
    }
}

pub(crate) struct Predicates<'s, 'q> {
    pub shaper: &'s mut Shaper<'q>,
}

impl<'q> Predicates<'_, 'q> {
    pub fn node(&mut self, e: &'q Expr, negated: bool) -> Node {
        if !self.shaper.enter() {
            return self.truth(e, negated);
        }
        let node = self.node_within(e, negated);
        self.shaper.leave();
        node
    }

    fn node_within(&mut self, e: &'q Expr, negated: bool) -> Node {
        match &e.kind {
            // What a test that has no answer counts for is the prover's to say.
            ExprKind::Call(f, args)
                if f.name == "coalesce"
                    && args.get(1).and_then(Expr::as_literal) == Some(&Value::Bool(false))
                    && args.len() == 2 =>
            {
                match args.first() {
                    Some(inner) => self.node(inner, negated),
                    None => self.truth(e, negated),
                }
            }
            ExprKind::And(es) => self.group(es, !negated, negated, e.span),
            ExprKind::Or(es) => self.group(es, negated, negated, e.span),
            ExprKind::Not(inner) => {
                let mut node = self.node(inner, !negated);
                // The place of a negated test is that of its negation.
                if let Node::Test(test) = &mut node
                    && !e.span.is_empty()
                {
                    (test.span, test.turned) = (test.span.to(e.span), false);
                }
                node
            }
            ExprKind::Let(_) => {
                let value = self.shaper.render.resolved(e);
                if matches!(value.kind, ExprKind::Let(_)) {
                    self.truth(e, negated)
                } else {
                    self.node(value, negated)
                }
            }
            ExprKind::Between(b) => {
                let low = self.compared(CompareOp::Ge, &b.subject, &b.low, negated, e.span);
                let high = self.compared(CompareOp::Le, &b.subject, &b.high, negated, e.span);
                Node::group(!negated, vec![low, high], e.span)
            }
            ExprKind::Compare(c) => {
                let (op, flip) = if c.op == CompareOp::Ne { (CompareOp::Eq, true) } else { (c.op, false) };
                let constant =
                    |e: &'q Expr| self.shaper.render.number(e).is_some() || e.as_literal().is_some();
                if constant(&c.left) && !constant(&c.right) {
                    self.compared(op.flipped(), &c.right, &c.left, negated != flip, e.span)
                } else {
                    self.compared(op, &c.left, &c.right, negated != flip, e.span)
                }
            }
            ExprKind::In(list) => {
                let values = match &list.values {
                    ir::InValues::List(es) => es.iter().flat_map(|e| self.wanted(e)).collect(),
                    ir::InValues::Dynamic(e) => self.wanted(e),
                };
                let subject = self.shaper.render.expr(&list.subject);
                self.test(subject, TestKind::Compare(CompareOp::Eq), None, values, negated, e.span)
            }
            ExprKind::Match(m) => self.string_match(m, negated, e.span),
            ExprKind::InQuery(i) => {
                let subject = self.shaper.render.expr(&i.subject);
                let flow = self.shaper.flow(&i.plan);
                self.query_test(subject, TestKind::InQuery, Some(i.case), flow, negated, e.span)
            }
            ExprKind::IsNull(inner) => {
                let subject = self.shaper.render.expr(inner);
                // Kusto's texts have no null: both words ask for the same there.
                let kind = if inner.ty == Type::String { TestKind::Empty } else { TestKind::Null };
                self.test(subject, kind, None, Vec::new(), negated, e.span)
            }
            ExprKind::IsEmpty(inner) => {
                let subject = self.shaper.render.expr(inner);
                self.test(subject, TestKind::Empty, None, Vec::new(), negated, e.span)
            }
            ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Now
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Call(..)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => self.truth(e, negated),
        }
    }

    fn group(&mut self, es: &'q [Expr], all: bool, negated: bool, span: Span) -> Node {
        let mut parts: Vec<Node> = es.iter().map(|e| self.node(e, negated)).collect();
        for part in &mut parts {
            if let Node::Test(test) = part {
                test.turned = negated;
            }
        }
        Node::group(all, parts, span)
    }

    fn truth(&mut self, e: &'q Expr, negated: bool) -> Node {
        let subject = self.shaper.render.expr(e);
        self.test(subject, TestKind::True, None, Vec::new(), negated, e.span)
    }

    fn compared(
        &mut self,
        op: CompareOp,
        left: &'q Expr,
        right: &'q Expr,
        negated: bool,
        span: Span,
    ) -> Node {
        let subject = self.shaper.render.expr(left);
        let mut values = self.wanted(right);
        // Texts are matched, however the source writes it.
        if op == CompareOp::Eq && right.ty == Type::String {
            return self.test(
                subject,
                TestKind::Match(MatchKind::Equals),
                Some(Case::Sensitive),
                values,
                negated,
                span,
            );
        }
        if op != CompareOp::Eq && values.len() != 1 {
            values.truncate(1);
        }
        // Without missing values `not(x < 5)` is `x >= 5`; what they do is the prover's to say.
        let (op, negated) = match (op, negated) {
            (CompareOp::Eq | CompareOp::Ne, negated) => (op, negated),
            (CompareOp::Lt, true) => (CompareOp::Ge, false),
            (CompareOp::Le, true) => (CompareOp::Gt, false),
            (CompareOp::Gt, true) => (CompareOp::Le, false),
            (CompareOp::Ge, true) => (CompareOp::Lt, false),
            (op, false) => (op, false),
        };
        self.test(subject, TestKind::Compare(op), None, values, negated, span)
    }

    fn string_match(&mut self, m: &'q ir::StringMatch, negated: bool, span: Span) -> Node {
        let subject = match &m.subject {
            ir::Subject::Expr(e) => self.shaper.render.expr(e),
            ir::Subject::AnyColumn | ir::Subject::Event => "*".to_owned(),
        };
        let case = match m.kind {
            MatchKind::Cidr => None,
            MatchKind::Equals
            | MatchKind::Contains
            | MatchKind::StartsWith
            | MatchKind::EndsWith
            | MatchKind::Term
            | MatchKind::TermPrefix
            | MatchKind::TermSuffix
            | MatchKind::Regex
            | MatchKind::Glob => Some(m.case),
        };
        let values = match &m.values {
            ir::MatchValues::List(values) => {
                let mut wanted = Vec::with_capacity(values.len());
                for value in values {
                    match value {
                        ir::MatchValue::Expr(e) => wanted.extend(self.wanted(e)),
                        ir::MatchValue::Glob(parts) => wanted.push(Wanted {
                            place: Place::new(render::glob_text(parts), Span::default()),
                            number: None,
                            literal: None,
                        }),
                    }
                }
                wanted
            }
            ir::MatchValues::Dynamic(e) => self.wanted(e),
            ir::MatchValues::Query(plan) => {
                let flow = self.shaper.flow(plan);
                return self.query_test(subject, TestKind::Match(m.kind), case, flow, negated, span);
            }
        };
        let mut test = self.test(subject, TestKind::Match(m.kind), case, values, negated, span);
        if m.quantifier == Quantifier::All
            && let Node::Test(test) = &mut test
        {
            test.all = true;
            test.seal();
        }
        test
    }

    fn test(
        &mut self,
        subject: String,
        kind: TestKind,
        case: Option<Case>,
        values: Vec<Wanted>,
        negated: bool,
        span: Span,
    ) -> Node {
        let mut test = Test {
            subject,
            kind,
            case,
            all: false,
            values,
            flow: None,
            negated,
            turned: false,
            span,
            key: 0,
        };
        test.seal();
        Node::Test(Box::new(test))
    }

    fn query_test(
        &mut self,
        subject: String,
        kind: TestKind,
        case: Option<Case>,
        flow: Flow,
        negated: bool,
        span: Span,
    ) -> Node {
        let values = Vec::new();
        let mut test = Test {
            subject,
            kind,
            case,
            all: false,
            values,
            flow: Some(flow),
            negated,
            turned: false,
            span,
            key: 0,
        };
        test.seal();
        Node::Test(Box::new(test))
    }

    /// A value that is looked for; the elements of a constant array each.
    fn wanted(&mut self, e: &'q Expr) -> Vec<Wanted> {
        let value = self.shaper.render.resolved(e);
        // The place is that of the constant itself, also where a `let` names it.
        if let ExprKind::Literal(Value::Dynamic(ir::Json::Array(items))) = &value.kind {
            let one = |item: &ir::Json| Wanted {
                place: Place::new(ruleferry_eval::json_text(item), value.span),
                number: None,
                literal: if let ir::Json::String(s) = item { Some(s.to_string()) } else { None },
            };
            return items.iter().map(one).collect();
        }
        let literal = value.as_literal().and_then(Value::as_str).map(str::to_owned);
        let number = self.shaper.render.number(value);
        let text = match &literal {
            // As an element of an array is written, so that the two are one.
            Some(text) => ruleferry_eval::json_text(&ir::Json::String(text.as_str().into())).into(),
            None => self.shaper.render.expr(value),
        };
        vec![Wanted { place: Place::new(text, value.span), number, literal }]
    }
}
