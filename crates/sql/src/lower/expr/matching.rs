//! String matches: one IR node in, the plainest SQL test with the same answer out.
//!
//! A missing string is `""` for Kusto and no value for Sigma; SQL has NULL for both. Which guard keeps the meaning
//! depends on where the test stands ([`Use`]), so that a `WHERE` without negation stays free of them.

use super::Use;
use super::form::{array_of, lambda, like};
use crate::build::{and, boolean, call, coalesce, in_list, in_subquery, or, string};
use crate::lower::{Lowerer, Refusal, Scope};
use ruleferry_diag::Span;
use ruleferry_ir::{
    Case, Expr as IrExpr, ExprKind, GlobPart, Json, MatchKind, MatchValue, MatchValues, Missing, Quantifier,
    StringMatch, Subject, Type, Value,
};
use ruleferry_targets::Capability;
use sqlparser::ast::{BinaryOperator, Expr};

/// A value to look for: known text, or an expression.
enum Needle {
    Text(String),
    Glob(Vec<GlobPart>),
    Expr(Box<Expr>),
}

impl Lowerer<'_> {
    pub(super) fn string_match(
        &mut self,
        m: &StringMatch,
        span: Span,
        scope: &Scope,
        place: Use,
    ) -> Result<Expr, Refusal> {
        match &m.subject {
            Subject::Expr(e) => {
                let nullable = self.nullable(e, scope);
                let subject = self.expr(e, scope)?;
                self.match_subject(subject, nullable, m, span, scope, place)
            }
            Subject::Event => {
                let subject = self.event_text(scope, span)?;
                self.match_subject(subject, true, m, span, scope, place)
            }
            Subject::AnyColumn => {
                let columns = self.row_texts(scope, span)?;
                let whole_value = matches!(
                    m.kind,
                    MatchKind::Equals | MatchKind::Glob | MatchKind::StartsWith | MatchKind::EndsWith
                );
                if whole_value {
                    let mut any = Vec::new();
                    for c in columns {
                        any.push(self.match_subject(c, true, m, span, scope, place)?);
                    }
                    return Ok(or(any));
                }
                // A separator that no term or literal crosses: a line feed between the values.
                let mut args = vec![string("\n")];
                args.extend(columns);
                let row = call("concat_ws", args);
                self.match_subject(row, false, m, span, scope, place)
            }
        }
    }

    fn match_subject(
        &mut self,
        subject: Expr,
        mut nullable: bool,
        m: &StringMatch,
        span: Span,
        scope: &Scope,
        place: Use,
    ) -> Result<Expr, Refusal> {
        let needles = match &m.values {
            MatchValues::Query(plan) => return self.match_query(subject, m, plan, span, scope),
            MatchValues::Dynamic(list) => match self.constant_list(list) {
                Some(texts) => texts.into_iter().map(Needle::Text).collect(),
                None => return self.match_dynamic(subject, m, list, span, scope),
            },
            MatchValues::List(values) => {
                let mut needles = Vec::with_capacity(values.len());
                for v in values {
                    needles.push(match v {
                        MatchValue::Glob(parts) => Needle::Glob(parts.clone()),
                        MatchValue::Expr(e) => match self.constant_text(e) {
                            Some(text) => Needle::Text(text),
                            // A missing value is found in no text, where a missing text is no match.
                            None if m.missing == Missing::False => {
                                nullable |= self.nullable(e, scope);
                                Needle::Expr(Box::new(self.expr(e, scope)?))
                            }
                            None => Needle::Expr(Box::new(self.non_null_string(e, scope)?)),
                        },
                    });
                }
                needles
            }
        };
        let beyond = |n: &Needle| matches!(n, Needle::Text(t) if !t.is_ascii());
        if m.case == Case::Insensitive
            && self.dialect().can(Capability::LikeFoldsAscii)
            && needles.iter().any(beyond)
        {
            return Err(self.refuse_pattern(span, "a search that ignores the case of letters beyond ASCII"));
        }
        // With a missing subject read as "", tests that "" passes must see "", wherever they stand.
        let empty_may_match = needles.iter().any(|n| n.may_match_empty(m.kind));
        let guard = nullable
            && match m.missing {
                Missing::Empty => place != Use::Where || empty_may_match,
                Missing::False | Missing::Null | Missing::Distinct => false,
            };
        let subject = if guard { coalesce(subject, string("")) } else { subject };
        let test = self.tests(&subject, m, needles, span)?;
        let false_guard = nullable && m.missing == Missing::False && place != Use::Where;
        Ok(if false_guard { coalesce(test, boolean(false)) } else { test })
    }

    fn tests(
        &mut self,
        subject: &Expr,
        m: &StringMatch,
        needles: Vec<Needle>,
        span: Span,
    ) -> Result<Expr, Refusal> {
        if m.kind == MatchKind::Equals && m.quantifier == Quantifier::Any && needles.len() > 1 {
            let (subject, fold) = folded(subject.clone(), m.case);
            let list = needles.into_iter().map(|n| n.folded(fold)).collect::<Option<Vec<_>>>();
            return list.map(|l| in_list(subject, l)).ok_or_else(|| self.refuse_glob(span));
        }
        let mut tests = Vec::with_capacity(needles.len());
        for needle in needles {
            tests.push(self.one(subject.clone(), m.kind, m.case, needle, span)?);
        }
        Ok(match m.quantifier {
            Quantifier::Any => or(tests),
            Quantifier::All => and(tests),
        })
    }

    fn one(
        &mut self,
        subject: Expr,
        kind: MatchKind,
        case: Case,
        needle: Needle,
        span: Span,
    ) -> Result<Expr, Refusal> {
        let sensitive = case == Case::Sensitive;
        match kind {
            MatchKind::Equals => {
                let (subject, fold) = folded(subject, case);
                match needle.folded(fold) {
                    Some(value) => Ok(crate::build::binary(subject, BinaryOperator::Eq, value)),
                    None => Err(self.refuse_glob(span)),
                }
            }
            MatchKind::Contains => Ok(self.affix(subject, needle, case, "contains", true, true)),
            MatchKind::StartsWith => Ok(self.affix(subject, needle, case, "starts_with", false, true)),
            MatchKind::EndsWith => Ok(self.affix(subject, needle, case, "ends_with", true, false)),
            MatchKind::Glob => match needle {
                Needle::Glob(parts) => Ok(glob(subject, &parts, case)),
                Needle::Text(text) => Ok(glob(subject, &[GlobPart::Text(text.into())], case)),
                Needle::Expr(_) => Err(self.refuse_glob(span)),
            },
            MatchKind::Regex => {
                if !self.dialect().generic {
                    let Needle::Text(text) = needle else {
                        return Err(self.refuse_pattern(span, "a pattern that is known only when run"));
                    };
                    return self.pattern_test(subject, &text, sensitive, span);
                }
                let value = match needle {
                    Needle::Text(text) => {
                        if let Some(what) = crate::build::beyond_re2(&text) {
                            let message = format!("the pattern uses {what}, which the engine does not have");
                            return Err(Refusal::new(ruleferry_diag::codes::SQL_PATTERN, span, message));
                        }
                        crate::build::regex(&text)
                    }
                    other => other.value().ok_or_else(|| self.refuse_glob(span))?,
                };
                let mut args = vec![subject, value];
                if !sensitive {
                    args.push(string("i"));
                }
                Ok(call("regexp_matches", args))
            }
            MatchKind::Term | MatchKind::TermPrefix | MatchKind::TermSuffix => {
                let key = match (kind, sensitive) {
                    (MatchKind::TermPrefix, false) => "match.term_prefix",
                    (MatchKind::TermPrefix, true) => "match.term_prefix_cs",
                    (MatchKind::TermSuffix, false) => "match.term_suffix",
                    (MatchKind::TermSuffix, true) => "match.term_suffix_cs",
                    (_, false) => "match.term",
                    (_, true) => "match.term_cs",
                };
                if !self.dialect().generic {
                    let Needle::Text(text) = needle else {
                        return Err(self.refuse_pattern(span, "a term that is known only when run"));
                    };
                    return self.term_test(subject, &text, kind, sensitive, span);
                }
                let value = needle.value().ok_or_else(|| self.refuse_glob(span))?;
                self.template(key, &[Type::String, Type::String], vec![subject, value], span)
            }
            MatchKind::Cidr => {
                let v6 = matches!(&needle, Needle::Text(t) if t.contains(':'));
                let key = if v6 { "ipv6_is_in_range" } else { "ipv4_is_in_range" };
                let value = needle.value().ok_or_else(|| self.refuse_glob(span))?;
                self.template(key, &[Type::String, Type::String], vec![subject, value], span)
            }
        }
    }

    fn refuse_pattern(&self, span: Span, what: &str) -> Refusal {
        let message = format!("{what} has no form in {}", self.dialect().title);
        Refusal::new(ruleferry_diag::codes::SQL_PATTERN, span, message)
    }

    /// A test by a constant pattern, in the flavour of the dialect.
    pub(in crate::lower) fn pattern_test(
        &mut self,
        subject: Expr,
        pattern: &str,
        sensitive: bool,
        span: Span,
    ) -> Result<Expr, Refusal> {
        let pattern = self.own_pattern(pattern, !sensitive, span)?;
        self.own_pattern_test(subject, &pattern, sensitive, span)
    }

    /// A constant pattern in the flavour of the dialect; how case is folded may stand in it.
    pub(in crate::lower) fn own_pattern(
        &self,
        pattern: &str,
        fold: bool,
        span: Span,
    ) -> Result<String, Refusal> {
        if let Some(what) = crate::build::beyond_re2(pattern) {
            let message = format!("the pattern uses {what}, which the engine does not have");
            return Err(Refusal::new(ruleferry_diag::codes::SQL_PATTERN, span, message));
        }
        crate::adapt::translate(pattern, self.dialect().regex, fold)
            .map_err(|what| self.refuse_pattern(span, &format!("a pattern with {what}")))
    }

    fn own_pattern_test(
        &mut self,
        subject: Expr,
        pattern: &str,
        sensitive: bool,
        span: Span,
    ) -> Result<Expr, Refusal> {
        let key = if sensitive { "match.regex_cs" } else { "match.regex" };
        self.template(key, &[Type::String, Type::String], vec![subject, string(pattern)], span)
    }

    /// A term as a pattern; where there are none, by GLOB over the text between blanks.
    fn term_test(
        &mut self,
        subject: Expr,
        text: &str,
        kind: MatchKind,
        sensitive: bool,
        span: Span,
    ) -> Result<Expr, Refusal> {
        let (left, right) = (kind != MatchKind::TermSuffix, kind != MatchKind::TermPrefix);
        let flavour = self.dialect().regex;
        if flavour != crate::dialect::Regex::None {
            let pattern = crate::adapt::term(text, left, right, flavour, !sensitive);
            let nullable = coalesce(subject, string(""));
            return self.own_pattern_test(nullable, &pattern, sensitive, span);
        }
        if !text.is_ascii() && !sensitive {
            return Err(self.refuse_pattern(span, "a term with letters beyond ASCII"));
        }
        self.assume("in texts that are searched for a term, letters beyond ASCII end a term");
        let text = if sensitive { text.to_owned() } else { text.to_ascii_lowercase() };
        let pattern = crate::adapt::term_glob(&text, left, right);
        let key = if sensitive { "match.glob_cs" } else { "match.glob" };
        self.template(
            key,
            &[Type::String, Type::String],
            vec![coalesce(subject, string("")), string(&pattern)],
            span,
        )
    }

    /// Contains, starts with, ends with.
    fn affix(
        &mut self,
        subject: Expr,
        needle: Needle,
        case: Case,
        function: &str,
        before: bool,
        after: bool,
    ) -> Expr {
        match needle {
            Needle::Text(text) if !self.dialect().generic => {
                let mut parts = vec![GlobPart::Text(text.into())];
                if before {
                    parts.insert(0, GlobPart::Many);
                }
                if after {
                    parts.push(GlobPart::Many);
                }
                glob(subject, &parts, case)
            }
            needle => affix(subject, needle, case, function, before, after),
        }
    }

    /// Against the first column of a query.
    fn match_query(
        &mut self,
        subject: Expr,
        m: &StringMatch,
        plan: &ruleferry_ir::Plan,
        span: Span,
        scope: &Scope,
    ) -> Result<Expr, Refusal> {
        let subject = if m.missing == Missing::Empty { coalesce(subject, string("")) } else { subject };
        if m.kind == MatchKind::Equals && m.quantifier == Quantifier::Any {
            // NOT IN over a NULL would drop every row: the values are never NULL.
            let (subject, fold) = folded(subject, m.case);
            let query = self.value_query(plan, scope, &mut |value| {
                let value = coalesce(value, string(""));
                if fold { call("lower", vec![value]) } else { value }
            })?;
            return Ok(in_subquery(subject, query));
        }
        let query = self.value_query(plan, scope, &mut |value| coalesce(value, string("")))?;
        let value = Expr::Identifier(sqlparser::ast::Ident::new("v_"));
        let test = self.one(subject, m.kind, m.case, Needle::Expr(Box::new(value)), span)?;
        Ok(quantified(call("list_transform", vec![array_of(query), lambda(&["v_"], test)]), m.quantifier))
    }

    /// Against a dynamic array that is known only when run.
    fn match_dynamic(
        &mut self,
        subject: Expr,
        m: &StringMatch,
        list: &IrExpr,
        span: Span,
        scope: &Scope,
    ) -> Result<Expr, Refusal> {
        let subject = if m.missing == Missing::Empty { coalesce(subject, string("")) } else { subject };
        let list = self.expr(list, scope)?;
        let values = self.template("dynamic.strings", &[Type::Dynamic], vec![list], span)?;
        let value = Expr::Identifier(sqlparser::ast::Ident::new("v_"));
        let test = self.one(subject, m.kind, m.case, Needle::Expr(Box::new(value)), span)?;
        Ok(quantified(call("list_transform", vec![values, lambda(&["v_"], test)]), m.quantifier))
    }

    /// The strings of a list that is known without running: a literal, or a `let` of one.
    pub(super) fn constant_list(&self, e: &IrExpr) -> Option<Vec<String>> {
        match &e.kind {
            ExprKind::Let(id) => self.constant_list(self.binding_expr(*id)?),
            ExprKind::Cast(c) => self.constant_list(&c.expr),
            ExprKind::Literal(Value::Dynamic(Json::Array(items))) => items.iter().map(json_string).collect(),
            ExprKind::Literal(Value::Dynamic(json @ Json::String(_))) => Some(vec![json_string(json)?]),
            ExprKind::Literal(Value::String(s)) => Some(vec![s.to_string()]),
            ExprKind::Call(f, args) if f.name == "pack_array" => {
                args.iter().map(|a| self.constant_text(a)).collect()
            }
            _ => None,
        }
    }

    pub(super) fn constant_text(&self, e: &IrExpr) -> Option<String> {
        match &e.kind {
            ExprKind::Literal(Value::String(s) | Value::Guid(s)) => Some(s.to_string()),
            ExprKind::Literal(Value::Dynamic(json)) => json_string(json),
            ExprKind::Literal(Value::Long(n)) => Some(n.to_string()),
            ExprKind::Literal(Value::Int(n)) => Some(n.to_string()),
            ExprKind::Let(id) => self.constant_text(self.binding_expr(*id)?),
            ExprKind::Cast(c) if c.to == Type::String => self.constant_text(&c.expr),
            _ => None,
        }
    }
}

/// The text that a scalar inside of a dynamic list is compared by.
fn json_string(json: &Json) -> Option<String> {
    match json {
        Json::String(s) => Some(s.to_string()),
        Json::Long(n) => Some(n.to_string()),
        Json::Bool(b) => Some(b.to_string()),
        Json::Null => Some(String::new()),
        Json::Real(_) | Json::Datetime(_) | Json::Timespan(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

impl Needle {
    fn may_match_empty(&self, kind: MatchKind) -> bool {
        match self {
            Self::Text(text) => match kind {
                MatchKind::Regex => true,
                MatchKind::Cidr => false,
                _ => text.is_empty(),
            },
            Self::Glob(parts) => parts.iter().all(|p| match p {
                GlobPart::Many => true,
                GlobPart::One => false,
                GlobPart::Text(t) => t.is_empty(),
            }),
            Self::Expr(_) => true,
        }
    }

    fn value(self) -> Option<Expr> {
        match self {
            Self::Text(t) => Some(string(&t)),
            Self::Expr(e) => Some(*e),
            Self::Glob(_) => None,
        }
    }

    /// The value to compare a subject with that went through `lower` if `fold`.
    fn folded(self, fold: bool) -> Option<Expr> {
        match self {
            Self::Text(t) if !fold => Some(string(&t)),
            // Outside of ASCII the engine folds, so that both sides are folded alike.
            Self::Text(t) if t.is_ascii() => Some(string(&t.to_ascii_lowercase())),
            Self::Text(t) => Some(call("lower", vec![string(&t)])),
            Self::Expr(e) => Some(if fold { call("lower", vec![*e]) } else { *e }),
            Self::Glob(_) => None,
        }
    }
}

fn folded(subject: Expr, case: Case) -> (Expr, bool) {
    match case {
        Case::Sensitive => (subject, false),
        Case::Insensitive => (call("lower", vec![subject]), true),
    }
}

/// Contains, starts with, ends with: `LIKE` where the text has none of its wildcards, else the function.
fn affix(subject: Expr, needle: Needle, case: Case, function: &str, before: bool, after: bool) -> Expr {
    let insensitive = case == Case::Insensitive;
    match &needle {
        Needle::Text(text)
            if !text.contains(['%', '_', '\\']) || (insensitive && !text.contains(['%', '_'])) =>
        {
            let pattern = format!("{}{text}{}", if before { "%" } else { "" }, if after { "%" } else { "" });
            like(subject, pattern, None, insensitive)
        }
        _ => {
            let (subject, fold) = folded(subject, case);
            let value = needle.folded(fold).unwrap_or_else(|| string(""));
            call(function, vec![subject, value])
        }
    }
}

/// A glob over the whole value as a `LIKE` pattern, with an escape character that the text does not hold.
fn glob(subject: Expr, parts: &[GlobPart], case: Case) -> Expr {
    let texts: String = parts
        .iter()
        .filter_map(|p| if let GlobPart::Text(t) = p { Some(t.as_str()) } else { None })
        .collect();
    let needs_escape = texts.contains(['%', '_']);
    let escape = needs_escape.then(|| {
        ['!', '^', '~', '#', '$', '@', '\u{1}'].into_iter().find(|c| !texts.contains(*c)).unwrap_or('\u{2}')
    });
    let mut pattern = String::new();
    for part in parts {
        match part {
            GlobPart::Many => pattern.push('%'),
            GlobPart::One => pattern.push('_'),
            GlobPart::Text(text) => {
                for c in text.chars() {
                    if let Some(escape) = escape
                        && (c == '%' || c == '_' || c == escape)
                    {
                        pattern.push(escape);
                    }
                    pattern.push(c);
                }
            }
        }
    }
    like(subject, pattern, escape, case == Case::Insensitive)
}

/// Whether any or all of a list of tests hold; false for an unknown list.
fn quantified(tests: Expr, quantifier: Quantifier) -> Expr {
    let function = match quantifier {
        Quantifier::Any => "list_bool_or",
        Quantifier::All => "list_bool_and",
    };
    coalesce(call(function, vec![tests]), boolean(quantifier == Quantifier::All))
}
