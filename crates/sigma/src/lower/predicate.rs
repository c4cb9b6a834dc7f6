//! Conditions of the IR as two-valued nodes.
//!
//! A filter keeps the rows whose condition is true: not those where it is null. So there are two questions, when a
//! condition is true and when it is false, and under a negation the second is answered; where nothing can be null the one
//! is `not` of the other.

use super::node::{self, Node, Test};
use super::{Lowerer, text};
use crate::syntax::{Modifier, Value};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{
    self as ir, Between, Case, Compare, CompareOp, Expr, ExprKind, InValues, Json, MatchKind, MatchValue,
    MatchValues, Missing, Quantifier, StringMatch, Subject, Type,
};

/// Functions that take a part of a time, with Sigma's modifier for it.
const TIME_PARTS: &[(&str, Modifier)] = &[
    ("hourofday", Modifier::Hour),
    ("dayofmonth", Modifier::Day),
    ("monthofyear", Modifier::Month),
    ("getmonth", Modifier::Month),
    ("getyear", Modifier::Year),
    ("week_of_year", Modifier::Week),
];

/// `datetime_part("hour", t)`.
const NAMED_PARTS: &[(&str, Modifier)] = &[
    ("minute", Modifier::Minute),
    ("hour", Modifier::Hour),
    ("day", Modifier::Day),
    ("week_of_year", Modifier::Week),
    ("month", Modifier::Month),
    ("year", Modifier::Year),
];

const PRIVATE_NETWORKS: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/// Operands of one `and` or `or`; each is compared with every other.
const MAX_OPERANDS: usize = 5000;

/// What is compared with numbers.
struct Measure {
    field: String,
    part: Option<Modifier>,
}

impl<'q> Lowerer<'q> {
    /// When the condition is true.
    pub(super) fn when_true(&mut self, e: &'q Expr) -> Node {
        self.when(e, false)
    }

    fn when(&mut self, e: &'q Expr, negated: bool) -> Node {
        if !self.enter() {
            let help = "write a shorter condition";
            self.refuse(
                codes::SIGMA_OUT_TOO_LARGE,
                e.span,
                "the condition is too large for a Sigma rule",
                help,
            );
            return Node::Const(true);
        }
        let node = self.when_inside(e, negated);
        self.leave();
        node
    }

    fn too_large(&mut self, span: Span) -> Node {
        let help = "write a shorter condition; a list of values is one condition";
        self.refuse(codes::SIGMA_OUT_TOO_LARGE, span, "the condition is too large for a Sigma rule", help);
        Node::Const(true)
    }

    fn when_inside(&mut self, e: &'q Expr, negated: bool) -> Node {
        let e = self.fields.behind(self.through_let(e));
        let span = e.span;
        match &e.kind {
            ExprKind::And(es) | ExprKind::Or(es) if es.len() > MAX_OPERANDS => self.too_large(span),
            ExprKind::And(es) | ExprKind::Or(es) => {
                let conjunction = matches!(e.kind, ExprKind::And(_));
                // `not (a and b)` reads better than `not a or not b`.
                let outside = negated && self.two_valued(e);
                let nodes = es.iter().map(|e| self.when(e, negated && !outside)).collect();
                let joined =
                    if conjunction != (negated && !outside) { node::all(nodes) } else { node::any(nodes) };
                if outside { node::not(joined) } else { joined }
            }
            ExprKind::Not(inner) => self.when(inner, !negated),
            ExprKind::Literal(ir::Value::Bool(value)) => Node::Const(*value != negated),
            ExprKind::Match(m) => {
                let node = self.string_match(m, span);
                if negated { node::not(node) } else { node }
            }
            ExprKind::Compare(c) => self.compare(c, negated, span),
            ExprKind::Between(b) => self.between(b, negated, span),
            ExprKind::In(i) => {
                let values: Option<Vec<Value>> = match &i.values {
                    InValues::List(es) => es.iter().map(|e| self.constant_value(e)).collect(),
                    InValues::Dynamic(e) => self.constant_list(e),
                };
                let (Some(field), Some(values)) = (self.field(&i.subject), values) else {
                    return self.cannot(span, "this list of values");
                };
                if values.is_empty() {
                    return Node::Const(negated);
                }
                let node = Test::new(&field, Vec::new(), values).into();
                if negated { node::not(node) } else { node }
            }
            ExprKind::IsNull(inner) => match self.field(inner) {
                Some(field) => {
                    let node = Test::new(&field, Vec::new(), vec![Value::null()]).into();
                    if negated { node::not(node) } else { node }
                }
                None => self.cannot(span, "this test for null"),
            },
            ExprKind::IsEmpty(inner) => match self.field(inner) {
                Some(field) => {
                    let node = empty(&field);
                    if negated { node::not(node) } else { node }
                }
                None => self.cannot(span, "this test for empty text"),
            },
            // A field that is true or false; neither where it is absent.
            ExprKind::Column(_) | ExprKind::Member(..) | ExprKind::Index(..) => self.truth(e, negated, span),
            ExprKind::Cast(cast) if cast.to == Type::Bool => self.truth(e, negated, span),
            ExprKind::Call(f, args) => self.call(f.name, args, negated, span),
            ExprKind::InQuery(_) | ExprKind::Subquery(_) => {
                self.cannot(span, "a query inside of a condition")
            }
            ExprKind::Opaque(opaque) => self.cannot(span, &format!("`{}`", opaque.text)),
            ExprKind::Literal(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Cast(_)
            | ExprKind::Case(..) => self.cannot(span, "this condition"),
        }
    }

    /// Whether a condition is never null.
    fn two_valued(&self, e: &'q Expr) -> bool {
        if !self.enter() {
            return false;
        }
        let two_valued = self.two_valued_inside(e);
        self.leave();
        two_valued
    }

    fn two_valued_inside(&self, e: &'q Expr) -> bool {
        let e = self.fields.behind(self.through_let(e));
        match &e.kind {
            ExprKind::And(es) | ExprKind::Or(es) => es.iter().all(|e| self.two_valued(e)),
            ExprKind::Not(inner) => self.two_valued(inner),
            ExprKind::Match(m) => {
                m.missing != Missing::Null && m.kind != MatchKind::Cidr || m.missing == Missing::False
            }
            ExprKind::Compare(c) => match c.missing {
                Missing::False => true,
                Missing::Distinct => self.constant(&c.right).is_some() || self.constant(&c.left).is_some(),
                Missing::Empty => true,
                Missing::Null => false,
            },
            ExprKind::In(i) => i.missing != Missing::Null,
            ExprKind::IsNull(_) | ExprKind::IsEmpty(_) | ExprKind::Literal(_) => true,
            ExprKind::Column(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Call(..)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => false,
        }
    }

    pub(super) fn cannot(&mut self, span: Span, what: &str) -> Node {
        let message = format!("Sigma cannot say {what}");
        let help = "Sigma compares fields of one event with constants";
        self.refuse(codes::SIGMA_OUT_CONDITION, span, message, help);
        Node::Const(true)
    }

    fn field(&self, e: &'q Expr) -> Option<String> {
        self.fields.name(self.through_let(e))
    }

    fn truth(&mut self, e: &'q Expr, negated: bool, span: Span) -> Node {
        match self.field(e) {
            Some(field) => Test::new(&field, Vec::new(), vec![Value::bool(!negated)]).into(),
            None => self.cannot(span, "this condition"),
        }
    }

    fn constant_value(&self, e: &'q Expr) -> Option<Value> {
        text::value(&self.constant(e)?)
    }

    fn constant_list(&self, e: &'q Expr) -> Option<Vec<Value>> {
        let Some(ir::Value::Dynamic(Json::Array(items))) = self.constant(e) else { return None };
        items.iter().map(|json| text::value(&of_json(json)?)).collect()
    }

    /// Texts of a dynamic array.
    fn constant_texts(&self, e: &'q Expr) -> Option<Vec<String>> {
        let Some(ir::Value::Dynamic(Json::Array(items))) = self.constant(e) else { return None };
        items.iter().map(|json| as_text(&of_json(json)?)).collect()
    }

    fn compare(&mut self, c: &'q Compare, negated: bool, span: Span) -> Node {
        let (left, right, op) = match self.constant(&c.left) {
            Some(_) => (&c.right, &c.left, c.op.flipped()),
            None => (&c.left, &c.right, c.op),
        };
        if c.left.ty == Type::Datetime || c.right.ty == Type::Datetime {
            return self.refuse_time(span);
        }
        let Some(constant) = self.constant(right) else { return self.compare_fields(c, negated, span) };
        if let ir::Value::Bool(wanted) = constant
            && matches!(op, CompareOp::Eq | CompareOp::Ne)
        {
            return self.compare_truth(left, wanted == (op == CompareOp::Eq), negated, c.missing, span);
        }
        if let Some(node) = self.compare_length(left, &constant, op, negated) {
            return node;
        }
        let Some(measure) = self.measure(left) else { return self.cannot(span, "this comparison") };
        let Some(value) = text::value(&constant) else {
            return self.cannot(span, "a comparison with this constant");
        };
        let numeric = matches!(
            constant,
            ir::Value::Int(_) | ir::Value::Long(_) | ir::Value::Real(_) | ir::Value::Decimal(_)
        );
        let test = |modifier: Option<Modifier>, value: Value| {
            let modifiers = measure.part.iter().cloned().chain(modifier).collect();
            Node::from(Test::new(&measure.field, modifiers, vec![value]))
        };
        let ordered = |op: CompareOp| match op {
            CompareOp::Lt => Some(Modifier::Lt),
            CompareOp::Le => Some(Modifier::Lte),
            CompareOp::Gt => Some(Modifier::Gt),
            CompareOp::Ge => Some(Modifier::Gte),
            CompareOp::Eq | CompareOp::Ne => None,
        };
        match op {
            CompareOp::Eq | CompareOp::Ne => {
                let equal = test(None, value);
                let wanted = (op == CompareOp::Eq) != negated;
                match (wanted, c.missing) {
                    (true, _) => equal,
                    // Null is not different then: the field must be there.
                    (false, Missing::Null) => node::all(vec![present(&measure.field), node::not(equal)]),
                    (false, Missing::False) if op == CompareOp::Ne => {
                        node::all(vec![present(&measure.field), node::not(equal)])
                    }
                    (false, Missing::Empty | Missing::Distinct | Missing::False) => node::not(equal),
                }
            }
            CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge if numeric => {
                let plain = test(ordered(op), value.clone());
                match (negated, c.missing) {
                    (false, _) => plain,
                    (true, Missing::False) => node::not(plain),
                    // Null stays out, so the opposite is asked.
                    (true, Missing::Empty | Missing::Null | Missing::Distinct) => {
                        test(ordered(opposite(op)), value)
                    }
                }
            }
            CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => {
                self.cannot(span, "which text comes first")
            }
        }
    }

    /// `condition == true`, `field == false`.
    fn compare_truth(
        &mut self,
        left: &'q Expr,
        wanted: bool,
        negated: bool,
        missing: Missing,
        span: Span,
    ) -> Node {
        if let Some(field) = self.field(left) {
            let node: Node = Test::new(&field, Vec::new(), vec![Value::bool(wanted)]).into();
            return match (negated, missing) {
                (false, _) => node,
                (true, Missing::Null) => node::all(vec![present(&field), node::not(node)]),
                (true, Missing::Empty | Missing::False | Missing::Distinct) => node::not(node),
            };
        }
        let node = self.when(left, !wanted);
        if !negated {
            return node;
        }
        // Unequal where it is null, too.
        if missing == Missing::Null { self.cannot(span, "this comparison") } else { node::not(node) }
    }

    fn refuse_time(&mut self, span: Span) -> Node {
        let help = "only `> ago(…)` on the table's time column can be said: it becomes the look-back";
        self.refuse(codes::SIGMA_OUT_TIME, span, "Sigma cannot compare times", help);
        Node::Const(true)
    }

    /// `strlen(x) > 5` as a regular expression.
    fn compare_length(
        &mut self,
        left: &'q Expr,
        constant: &ir::Value,
        op: CompareOp,
        negated: bool,
    ) -> Option<Node> {
        let left = self.fields.behind(self.through_let(left));
        let ExprKind::Call(f, args) = &left.kind else { return None };
        let ([subject], "strlen") = (args.as_slice(), f.name) else { return None };
        let field = self.field(subject)?;
        let n = match constant {
            ir::Value::Long(n) => usize::try_from(*n).ok()?,
            ir::Value::Int(n) => usize::try_from(*n).ok()?,
            ir::Value::Real(x) if x.fract() == 0.0 && (0.0..1e6).contains(x) => {
                format!("{x:.0}").parse().ok()?
            }
            _ => return None,
        };
        // Engines repeat no more often than this.
        const LONGEST: usize = 1000;
        let op = if negated { opposite(op) } else { op };
        let (least, most) = match op {
            CompareOp::Eq => (n, Some(n)),
            CompareOp::Ne => return None,
            CompareOp::Lt => (0, Some(n.checked_sub(1)?)),
            CompareOp::Le => (0, Some(n)),
            CompareOp::Gt => (n + 1, None),
            CompareOp::Ge => (n, None),
        };
        if least.max(most.unwrap_or(0)) > LONGEST {
            return None;
        }
        if (least, most) == (1, None) {
            return Some(node::not(empty(&field)));
        }
        let repeat = match most {
            Some(most) if most == least => format!("{{{most}}}"),
            Some(most) => format!("{{{least},{most}}}"),
            None => format!("{{{least},}}"),
        };
        let pattern = Value::verbatim(format!("(?s)^.{repeat}$"));
        let test = Test::new(&field, vec![Modifier::Re], vec![pattern]).into();
        // The length of an absent text is 0.
        Some(if least == 0 { node::any(vec![test, null(&field)]) } else { test })
    }

    /// A field, or a part of the time in a field.
    fn measure(&self, e: &'q Expr) -> Option<Measure> {
        let e = self.fields.behind(self.through_let(e));
        if let Some(field) = self.field(e) {
            return Some(Measure { field, part: None });
        }
        if let ExprKind::Cast(cast) = &e.kind {
            // A text is read as a number by Sigma, too.
            let number = cast.to.is_numeric() && cast.expr.ty == Type::String;
            return match (cast.implicit, number) {
                (true, _) => self.measure(&cast.expr),
                (false, true) => Some(Measure { field: self.field(&cast.expr)?, part: None }),
                (false, false) => None,
            };
        }
        let ExprKind::Call(f, args) = &e.kind else { return None };
        let (time, part) = match args.as_slice() {
            [time] => (time, TIME_PARTS.iter().find(|(name, _)| *name == f.name)?),
            [part, time] if f.name == "datetime_part" => {
                let ir::Value::String(part) = self.constant(part)? else { return None };
                (time, NAMED_PARTS.iter().find(|(name, _)| part.eq_ignore_ascii_case(name))?)
            }
            _ => return None,
        };
        let time = if let ExprKind::Cast(cast) = &time.kind
            && cast.to == Type::Datetime
        {
            &cast.expr
        } else {
            time
        };
        Some(Measure { field: self.field(time)?, part: Some(part.1.clone()) })
    }

    /// Two fields of one event.
    fn compare_fields(&mut self, c: &'q Compare, negated: bool, span: Span) -> Node {
        let (Some(left), Some(right)) = (self.field(&c.left), self.field(&c.right)) else {
            return self.cannot(span, "this comparison");
        };
        let wanted = match c.op {
            CompareOp::Eq => !negated,
            CompareOp::Ne => negated,
            CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => {
                return self.cannot(span, "which of two fields is larger");
            }
        };
        let cased = c.left.ty == Type::String;
        let modifiers =
            if cased { vec![Modifier::FieldRef, Modifier::Cased] } else { vec![Modifier::FieldRef] };
        let equal: Node = Test::new(&left, modifiers, vec![Value::verbatim(right.as_str())]).into();
        let neither = node::all(vec![null(&left), null(&right)]);
        match (wanted, c.missing) {
            (true, _) => equal,
            // Null against null is neither equal nor different.
            (false, Missing::Distinct) => node::all(vec![node::not(equal), node::not(neither)]),
            (false, Missing::Empty) => node::not(node::any(vec![equal, neither])),
            (false, Missing::False) if c.op == CompareOp::Eq => node::not(equal),
            (false, Missing::False | Missing::Null) => {
                node::all(vec![present(&left), present(&right), node::not(equal)])
            }
        }
    }

    fn between(&mut self, b: &'q Between, negated: bool, span: Span) -> Node {
        if b.subject.ty == Type::Datetime {
            return self.refuse_time(span);
        }
        let (low, high) = (self.constant_value(&b.low), self.constant_value(&b.high));
        let (Some(measure), Some(low), Some(high)) = (self.measure(&b.subject), low, high) else {
            return self.cannot(span, "this range");
        };
        let test = |modifier: Modifier, value: Value| -> Node {
            let modifiers = measure.part.iter().cloned().chain([modifier]).collect();
            Test::new(&measure.field, modifiers, vec![value]).into()
        };
        if negated {
            node::any(vec![test(Modifier::Lt, low), test(Modifier::Gt, high)])
        } else {
            node::all(vec![test(Modifier::Gte, low), test(Modifier::Lte, high)])
        }
    }

    fn call(&mut self, name: &str, args: &'q [Expr], negated: bool, span: Span) -> Node {
        let (six, networks) = match (name, args) {
            ("ipv4_is_private", [_]) => (false, Some(PRIVATE_NETWORKS.map(String::from).to_vec())),
            ("ipv4_is_in_range" | "ipv6_is_in_range", [_, network]) => {
                let network = self.constant(network).and_then(|v| as_text(&v));
                (name.starts_with("ipv6"), network.map(|n| vec![n]))
            }
            ("ipv4_is_in_any_range" | "ipv6_is_in_any_range", [_, networks @ ..]) => {
                let listed = match networks {
                    [list] if list.ty == Type::Dynamic => self.constant_texts(list),
                    texts => texts.iter().map(|t| self.constant(t).and_then(|v| as_text(&v))).collect(),
                };
                (name.starts_with("ipv6"), listed)
            }
            _ => return self.cannot(span, &format!("`{name}(…)`")),
        };
        let field = args.first().and_then(|subject| self.field(subject));
        let (Some(field), Some(networks)) = (field, networks) else {
            return self.cannot(span, &format!("`{name}(…)` with these arguments"));
        };
        // A network without its length is one address; a function of IPv6 takes addresses of IPv4 written either way.
        let whole = |n: String| {
            let (address, length) =
                n.split_once('/').unwrap_or((&n, if n.contains(':') { "128" } else { "32" }));
            match length.parse::<u32>() {
                Ok(length) if six && !address.contains(':') => format!("::ffff:{address}/{}", length + 96),
                _ => format!("{address}/{length}"),
            }
        };
        let values =
            |networks: Vec<String>| networks.into_iter().map(|n| Value::verbatim(whole(n))).collect();
        let within: Node = Test::new(&field, vec![Modifier::Cidr], values(networks)).into();
        if !negated {
            return within;
        }
        // What is no address is neither inside nor outside.
        let addresses =
            if six { vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()] } else { vec!["0.0.0.0/0".to_owned()] };
        let address = Test::new(&field, vec![Modifier::Cidr], values(addresses)).into();
        node::all(vec![address, node::not(within)])
    }

    fn string_match(&mut self, m: &'q StringMatch, span: Span) -> Node {
        if m.missing == Missing::Null {
            return self.cannot(span, "a test that is unknown for absent text");
        }
        let (field, case) = match &m.subject {
            Subject::Expr(e) => match self.text_subject(e, m) {
                Some(found) => found,
                None => return self.cannot(span, "this test of text"),
            },
            Subject::AnyColumn | Subject::Event => (String::new(), m.case),
        };
        let mut texts: Vec<String> = Vec::new();
        let mut nodes: Vec<Node> = Vec::new();
        match &m.values {
            MatchValues::List(values) => {
                for value in values {
                    match value {
                        MatchValue::Glob(parts) if field.is_empty() => nodes.push(keyword_glob(parts)),
                        MatchValue::Glob(parts) => nodes.push(pattern(&field, case, text::glob(parts))),
                        MatchValue::Expr(e) => match self.constant(e) {
                            Some(constant) => match (as_text(&constant), self.constant_texts(e)) {
                                (Some(text), _) => texts.push(text),
                                (None, Some(list)) => texts.extend(list),
                                (None, None) => return self.cannot(span, "a comparison with this constant"),
                            },
                            None => match self.field(e).filter(|_| !field.is_empty()) {
                                Some(other) => nodes.push(field_reference(&field, &other, m, case)),
                                None => return self.cannot(span, "a comparison with a computed value"),
                            },
                        },
                    }
                }
            }
            MatchValues::Dynamic(e) => match self.constant_texts(e) {
                Some(list) => texts.extend(list),
                None => return self.cannot(span, "a comparison with a computed list"),
            },
            MatchValues::Query(_) => return self.cannot(span, "a query inside of a condition"),
        }
        let all = m.quantifier == Quantifier::All;
        if !texts.is_empty() {
            nodes.insert(0, self.texts(&field, m, case, texts, span));
        }
        if all { node::all(nodes) } else { node::any(nodes) }
    }

    /// The field that is looked at, and in which case. `tolower(x) == "a"` is `x =~ "a"`.
    fn text_subject(&self, e: &'q Expr, m: &'q StringMatch) -> Option<(String, Case)> {
        let e = self.fields.behind(self.through_let(e));
        if let Some(field) = self.field(e) {
            return Some((field, m.case));
        }
        let ExprKind::Call(f, args) = &e.kind else { return None };
        let ([subject], "tolower" | "toupper") = (args.as_slice(), f.name) else { return None };
        let field = self.field(subject)?;
        let MatchValues::List(values) = &m.values else {
            return (m.case == Case::Insensitive).then_some((field, Case::Insensitive));
        };
        let folded = |text: String| {
            let same = if f.name == "tolower" { text.to_lowercase() } else { text.to_uppercase() };
            same == text
        };
        let fits = values.iter().all(|v| match v {
            MatchValue::Expr(e) => self.constant(e).and_then(|v| as_text(&v)).is_some_and(folded),
            MatchValue::Glob(_) => false,
        });
        let plain = m.kind != MatchKind::Regex;
        (plain && (fits || m.case == Case::Insensitive)).then_some((field, Case::Insensitive))
    }

    /// Constant texts, of which one or all must match.
    fn texts(&mut self, field: &str, m: &StringMatch, case: Case, texts: Vec<String>, span: Span) -> Node {
        let all = m.quantifier == Quantifier::All;
        let cased = case == Case::Sensitive && texts.iter().any(|t| text::has_case(t));
        let anywhere = match m.kind {
            MatchKind::Equals => None,
            MatchKind::Contains => Some(Modifier::Contains),
            MatchKind::StartsWith => Some(Modifier::StartsWith),
            MatchKind::EndsWith => Some(Modifier::EndsWith),
            MatchKind::Term => return self.terms(field, case, all, &texts, (true, true), span),
            MatchKind::TermPrefix => return self.terms(field, case, all, &texts, (true, false), span),
            MatchKind::TermSuffix => return self.terms(field, case, all, &texts, (false, true), span),
            MatchKind::Regex => return regexes(field, m, case, texts),
            MatchKind::Cidr => {
                let values = texts.into_iter().map(Value::verbatim).collect();
                return Test::new(field, vec![Modifier::Cidr], values).into();
            }
            // Globs are no texts.
            MatchKind::Glob => return self.cannot(span, "a pattern that is computed"),
        };
        let (empties, texts): (Vec<String>, Vec<String>) = texts.into_iter().partition(String::is_empty);
        let mut modifiers: Vec<Modifier> = anywhere.clone().into_iter().collect();
        if field.is_empty() {
            // A keyword is found anywhere in any value.
            if anywhere != Some(Modifier::Contains) {
                return self.cannot(span, "a test of every field as a whole");
            }
            modifiers.clear();
        }
        if cased {
            modifiers.push(Modifier::Cased);
        }
        let mut nodes = Vec::with_capacity(2);
        if !texts.is_empty() {
            let values: Vec<Value> = texts.iter().map(|t| Value::literal(t)).collect();
            let mut test = Test::new(field, modifiers, values);
            test.all = all && texts.len() > 1;
            nodes.push(Node::from(test));
        }
        if !empties.is_empty() {
            nodes.push(match (anywhere, m.missing) {
                (None, Missing::False) => Test::new(field, Vec::new(), vec![Value::literal("")]).into(),
                (None, Missing::Empty | Missing::Null | Missing::Distinct) => empty(field),
                // Every text begins and ends with the empty one.
                (Some(_), Missing::False) if !field.is_empty() => present(field),
                (Some(_), _) => Node::Const(true),
            });
        }
        if all { node::all(nodes) } else { node::any(nodes) }
    }

    fn terms(
        &mut self,
        field: &str,
        case: Case,
        all: bool,
        texts: &[String],
        (left, right): (bool, bool),
        span: Span,
    ) -> Node {
        if texts.iter().any(String::is_empty) {
            return self.cannot(span, "a search for an empty term");
        }
        let mut modifiers = vec![Modifier::Re];
        if case == Case::Insensitive && texts.iter().any(|t| text::has_case(t)) {
            modifiers.push(Modifier::IgnoreCase);
        }
        let values = texts.iter().map(|t| Value::verbatim(text::term(t, left, right))).collect();
        let mut test = Test::new(field, modifiers, values);
        test.all = all && texts.len() > 1;
        test.into()
    }
}

fn regexes(field: &str, m: &StringMatch, case: Case, texts: Vec<String>) -> Node {
    let mut modifiers = vec![Modifier::Re];
    if case == Case::Insensitive {
        modifiers.push(Modifier::IgnoreCase);
    }
    let absent = m.missing == Missing::Empty && !field.is_empty() && texts.iter().any(|t| finds_empty(t));
    let several = texts.len() > 1;
    let mut test = Test::new(field, modifiers, texts.into_iter().map(Value::verbatim).collect());
    test.all = several && m.quantifier == Quantifier::All;
    // An absent text is empty.
    if absent { node::any(vec![test.into(), null(field)]) } else { test.into() }
}

/// Whether a regular expression is found in the empty text.
fn finds_empty(pattern: &str) -> bool {
    regex_syntax::parse(pattern).is_ok_and(|hir| hir.properties().minimum_len() == Some(0))
}

fn pattern(field: &str, case: Case, value: Value) -> Node {
    let modifiers = if case == Case::Sensitive { vec![Modifier::Cased] } else { Vec::new() };
    Test::new(field, modifiers, vec![value]).into()
}

/// A keyword stands anywhere by itself, so the `*` around it go.
fn keyword_glob(parts: &[ir::GlobPart]) -> Node {
    let many = |p: &&ir::GlobPart| **p == ir::GlobPart::Many;
    let leading = parts.iter().take_while(many).count();
    let trailing = parts.iter().rev().take_while(many).count();
    let inner = parts.get(leading..parts.len().saturating_sub(trailing)).unwrap_or(&[]);
    Test::new("", Vec::new(), vec![text::glob(inner)]).into()
}

fn field_reference(field: &str, other: &str, m: &StringMatch, case: Case) -> Node {
    let mut modifiers = vec![Modifier::FieldRef];
    match m.kind {
        MatchKind::Contains => modifiers.push(Modifier::Contains),
        MatchKind::StartsWith => modifiers.push(Modifier::StartsWith),
        MatchKind::EndsWith => modifiers.push(Modifier::EndsWith),
        MatchKind::Equals
        | MatchKind::Term
        | MatchKind::TermPrefix
        | MatchKind::TermSuffix
        | MatchKind::Regex
        | MatchKind::Glob
        | MatchKind::Cidr => {}
    }
    if case == Case::Sensitive {
        modifiers.push(Modifier::Cased);
    }
    let equal = Test::new(field, modifiers, vec![Value::verbatim(other)]).into();
    if m.missing != Missing::Empty {
        return equal;
    }
    // Absent text is empty: two absent fields are equal, and every text holds an absent one.
    let absent =
        if m.kind == MatchKind::Equals { node::all(vec![empty(field), empty(other)]) } else { empty(other) };
    node::any(vec![equal, absent])
}

fn null(field: &str) -> Node {
    Test::new(field, Vec::new(), vec![Value::null()]).into()
}

/// Kusto's empty text is an absent field, too.
fn empty(field: &str) -> Node {
    Test::new(field, Vec::new(), vec![Value::literal(""), Value::null()]).into()
}

fn present(field: &str) -> Node {
    node::not(null(field))
}

fn of_json(json: &Json) -> Option<ir::Value> {
    Some(match json {
        Json::Bool(b) => ir::Value::Bool(*b),
        Json::Long(n) => ir::Value::Long(*n),
        Json::Real(x) => ir::Value::Real(*x),
        Json::String(text) => ir::Value::String(text.clone()),
        Json::Null | Json::Datetime(_) | Json::Timespan(_) | Json::Array(_) | Json::Object(_) => return None,
    })
}

fn as_text(value: &ir::Value) -> Option<String> {
    match value {
        ir::Value::String(text) | ir::Value::Guid(text) => Some(text.to_string()),
        ir::Value::Long(n) => Some(n.to_string()),
        ir::Value::Int(n) => Some(n.to_string()),
        ir::Value::Bool(b) => Some(b.to_string()),
        ir::Value::Null(_)
        | ir::Value::Real(_)
        | ir::Value::Decimal(_)
        | ir::Value::Datetime(_)
        | ir::Value::Timespan(_)
        | ir::Value::Dynamic(_) => None,
    }
}

/// The comparison that holds where this one does not.
const fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Le => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Ge => CompareOp::Lt,
    }
}
