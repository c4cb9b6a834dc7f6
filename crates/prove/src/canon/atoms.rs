//! The only place that makes atoms: each test of a value has one form, and is false where the value is missing.

use super::terms::real_bits;
use super::{Canon, Test};
use crate::formula::{Atom, Folding, FormulaId, Language, TextRelation};
use crate::term::{Constant, Term, TermId};
use ruleferry_diag::Span;
use ruleferry_ir::{
    self as ir, Case, CompareOp, Expr, GlobPart, MatchKind, MatchValue, MatchValues, Missing, Quantifier,
    StringMatch, Subject, Type,
};
use smol_str::SmolStr;

/// Branches of a choice up to which a test of it becomes a choice of tests.
const MAX_BRANCHES: usize = 12;

/// `fold` of the evaluator.
pub(super) fn fold(text: &str) -> SmolStr {
    if text.is_ascii() {
        return if text.bytes().any(|b| b.is_ascii_uppercase()) {
            text.to_ascii_lowercase().into()
        } else {
            text.into()
        };
    }
    let fold = |c: char| {
        if c.is_ascii() { c.to_ascii_lowercase() } else { c.to_lowercase().next().unwrap_or(c) }
    };
    text.chars().map(fold).collect()
}

/// Whether no other character folds to one of this text: then case plays no part.
fn caseless(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii() && !b.is_ascii_alphabetic())
}

enum Normal {
    Any,
    Never,
    Lang(Language),
}

/// Needle and folding in their one form.
fn needle(text: SmolStr, folding: Folding) -> (SmolStr, Folding) {
    match folding {
        Folding::Exact => (text, Folding::Exact),
        Folding::Simple | Folding::Lower if caseless(&text) => (text, Folding::Exact),
        Folding::Simple => (fold(&text), Folding::Simple),
        Folding::Lower => (text, Folding::Lower),
    }
}

fn normal(language: Language) -> Normal {
    let term = |text: &str, left: bool, right: bool| {
        (
            left && text.chars().next().is_some_and(char::is_alphanumeric),
            right && text.chars().next_back().is_some_and(char::is_alphanumeric),
        )
    };
    let bounded = |text: SmolStr, f: Folding, left: bool, right: bool| {
        let (text, f) = needle(text, f);
        if text.is_empty() {
            return Normal::Any;
        }
        Normal::Lang(match term(&text, left, right) {
            (true, true) => Language::Term(text, f),
            (true, false) => Language::TermPrefix(text, f),
            (false, true) => Language::TermSuffix(text, f),
            (false, false) => Language::Contains(text, f),
        })
    };
    let part = |text: SmolStr, f: Folding, make: fn(SmolStr, Folding) -> Language| {
        if text.is_empty() {
            return Normal::Any;
        }
        let (text, f) = needle(text, f);
        Normal::Lang(make(text, f))
    };
    match language {
        Language::Equals(text, f) => {
            let (text, f) = needle(text, f);
            Normal::Lang(Language::Equals(text, f))
        }
        Language::Contains(text, f) => part(text, f, Language::Contains),
        Language::StartsWith(text, f) => part(text, f, Language::StartsWith),
        Language::EndsWith(text, f) => part(text, f, Language::EndsWith),
        Language::Term(text, f) => bounded(text, f, true, true),
        Language::TermPrefix(text, f) => bounded(text, f, true, false),
        Language::TermSuffix(text, f) => bounded(text, f, false, true),
        Language::Glob(parts, f) => glob(&parts, f),
        Language::Cidr(range) => match ruleferry_eval::text::Network::parse(&range) {
            Some(network) => Normal::Lang(Language::Cidr(smol_str::format_smolstr!("{network}"))),
            None => Normal::Never,
        },
        Language::Regex(..) => Normal::Lang(language),
    }
}

/// Patterns by their shape: texts in one piece, `?` before `*`.
fn glob(parts: &[GlobPart], folding: Folding) -> Normal {
    let mut made: Vec<GlobPart> = Vec::with_capacity(parts.len());
    let mut text = String::new();
    let (mut ones, mut many) = (0_usize, false);
    let flush_signs = |made: &mut Vec<GlobPart>, ones: &mut usize, many: &mut bool| {
        made.extend(std::iter::repeat_n(GlobPart::One, std::mem::take(ones)));
        if std::mem::take(many) {
            made.push(GlobPart::Many);
        }
    };
    let flush_text = |made: &mut Vec<GlobPart>, text: &mut String| {
        if !text.is_empty() {
            made.push(GlobPart::Text(std::mem::take(text).into()));
        }
    };
    for part in parts {
        match part {
            GlobPart::Text(t) if t.is_empty() => {}
            GlobPart::Text(t) => {
                flush_signs(&mut made, &mut ones, &mut many);
                match folding {
                    Folding::Simple => text.push_str(&fold(t)),
                    Folding::Exact | Folding::Lower => text.push_str(t),
                }
            }
            GlobPart::Many => {
                flush_text(&mut made, &mut text);
                many = true;
            }
            GlobPart::One => {
                flush_text(&mut made, &mut text);
                ones += 1;
            }
        }
    }
    flush_text(&mut made, &mut text);
    flush_signs(&mut made, &mut ones, &mut many);
    match made.as_slice() {
        [] => normal(Language::Equals(SmolStr::default(), folding)),
        [GlobPart::Many] => Normal::Any,
        [GlobPart::Text(t)] => normal(Language::Equals(t.clone(), folding)),
        [GlobPart::Text(t), GlobPart::Many] => normal(Language::StartsWith(t.clone(), folding)),
        [GlobPart::Many, GlobPart::Text(t)] => normal(Language::EndsWith(t.clone(), folding)),
        [GlobPart::Many, GlobPart::Text(t), GlobPart::Many] => normal(Language::Contains(t.clone(), folding)),
        parts => {
            let caseless = parts.iter().all(|p| match p {
                GlobPart::Text(t) => caseless(t),
                GlobPart::Many | GlobPart::One => true,
            });
            let folding = if caseless { Folding::Exact } else { folding };
            Normal::Lang(Language::Glob(made.into(), folding))
        }
    }
}

/// What a language says of a text in which case is already lost (`tolower(x)`), of the text before. `None`: nothing.
fn of_lower(language: &Language) -> Option<Normal> {
    let (needle, folding) = match language {
        Language::Equals(t, f)
        | Language::Contains(t, f)
        | Language::StartsWith(t, f)
        | Language::EndsWith(t, f)
        | Language::Term(t, f)
        | Language::TermPrefix(t, f)
        | Language::TermSuffix(t, f) => (t.clone(), *f),
        Language::Glob(parts, f) => {
            let text = parts.iter().filter_map(|p| match p {
                GlobPart::Text(t) => Some(t.as_str()),
                GlobPart::Many | GlobPart::One => None,
            });
            (text.collect::<String>().into(), *f)
        }
        Language::Regex(..) | Language::Cidr(_) => return None,
    };
    match folding {
        Folding::Simple => Some(Normal::Lang(language.clone())),
        // A folded text holds no character that folds to another one.
        Folding::Exact if fold(&needle) != needle => Some(Normal::Never),
        Folding::Exact => Some(normal(match language.clone() {
            Language::Equals(t, _) => Language::Equals(t, Folding::Simple),
            Language::Contains(t, _) => Language::Contains(t, Folding::Simple),
            Language::StartsWith(t, _) => Language::StartsWith(t, Folding::Simple),
            Language::EndsWith(t, _) => Language::EndsWith(t, Folding::Simple),
            Language::Term(t, _) => Language::Term(t, Folding::Simple),
            Language::TermPrefix(t, _) => Language::TermPrefix(t, Folding::Simple),
            Language::TermSuffix(t, _) => Language::TermSuffix(t, Folding::Simple),
            Language::Glob(parts, _) => Language::Glob(parts, Folding::Simple),
            other @ (Language::Regex(..) | Language::Cidr(_)) => other,
        })),
        Folding::Lower => None,
    }
}

/// Whether all values of a type have a place in one order.
const fn is_total(ty: Type) -> bool {
    match ty {
        Type::Int
        | Type::Long
        | Type::Decimal
        | Type::String
        | Type::Datetime
        | Type::Timespan
        | Type::Guid
        | Type::Bool => true,
        Type::Real | Type::Dynamic | Type::Unknown => false,
    }
}

/// The size below which every whole number is a real of its own.
const EXACT_REALS: f64 = 9_007_199_254_740_992.0;

impl Canon<'_, '_> {
    /// A test of a term; of a choice it is a choice of tests.
    fn over_case(
        &mut self,
        term: TermId,
        test: &mut dyn FnMut(&mut Self, TermId) -> FormulaId,
    ) -> Option<FormulaId> {
        let Term::Case(branches, otherwise) = self.arena.get(term).clone() else { return None };
        if branches.len() > MAX_BRANCHES || self.arena.term_depth(term) > super::MAX_DEPTH / 2 {
            return None;
        }
        self.used("case-as-formula");
        let mut made = test(self, otherwise);
        for (condition, value) in branches.iter().rev() {
            let here = test(self, *value);
            let not = self.arena.not(*condition);
            let yes = self.arena.and([*condition, here]);
            let no = self.arena.and([not, made]);
            made = self.arena.or([yes, no]);
        }
        Some(made)
    }

    /// The term has no value.
    pub fn missing(&mut self, term: TermId) -> FormulaId {
        if let Term::Constant(Constant::Null(_)) = self.arena.get(term) {
            return self.arena.truth(true);
        }
        if self.never_missing(term) {
            return self.arena.truth(false);
        }
        if let Term::Truth { holds, fails } = *self.arena.get(term) {
            let known = self.arena.or([holds, fails]);
            return self.arena.not(known);
        }
        if let Some(of) = self.missing_with(term) {
            let parts: Vec<FormulaId> = of.into_iter().map(|t| self.missing(t)).collect();
            return self.arena.or(parts);
        }
        if let Some(made) = self.over_case(term, &mut |this, t| this.missing(t)) {
            return made;
        }
        self.arena.atom(Atom::Missing(term))
    }

    pub fn present(&mut self, term: TermId) -> FormulaId {
        let missing = self.missing(term);
        self.arena.not(missing)
    }

    /// A Boolean term is true.
    pub fn is_true(&mut self, term: TermId) -> FormulaId {
        match self.arena.get(term) {
            Term::Constant(Constant::Bool(b)) => {
                let b = *b;
                return self.arena.truth(b);
            }
            Term::Constant(_) => return self.arena.truth(false),
            Term::Truth { holds, .. } => return *holds,
            _ => {}
        }
        if let Some(made) = self.over_case(term, &mut |this, t| this.is_true(t)) {
            return made;
        }
        self.arena.atom(Atom::True(term))
    }

    /// A Boolean term is false.
    pub fn fails_of(&mut self, term: TermId) -> FormulaId {
        if let Term::Truth { fails, .. } = self.arena.get(term) {
            return *fails;
        }
        let (there, holds) = (self.present(term), self.is_true(term));
        let not = self.arena.not(holds);
        self.arena.and([there, not])
    }

    pub fn test_of(&mut self, term: TermId) -> Test {
        Test { holds: self.is_true(term), fails: self.fails_of(term) }
    }

    /// Whether a text is in a language; `None` where the evaluator faults.
    pub fn contains(&self, language: &Language, text: &str) -> Option<bool> {
        let case = |f: &Folding| if *f == Folding::Exact { Case::Sensitive } else { Case::Insensitive };
        let one = |kind: MatchKind, t: &SmolStr, f: &Folding| {
            (kind, case(f), MatchValue::Expr(Expr::string(t.clone(), Span::default())))
        };
        let (kind, case, value) = match language {
            Language::Equals(t, Folding::Exact) => return Some(t == text),
            Language::Equals(t, f) => one(MatchKind::Equals, t, f),
            Language::Contains(t, f) => one(MatchKind::Contains, t, f),
            Language::StartsWith(t, f) => one(MatchKind::StartsWith, t, f),
            Language::EndsWith(t, f) => one(MatchKind::EndsWith, t, f),
            Language::Term(t, f) => one(MatchKind::Term, t, f),
            Language::TermPrefix(t, f) => one(MatchKind::TermPrefix, t, f),
            Language::TermSuffix(t, f) => one(MatchKind::TermSuffix, t, f),
            Language::Regex(t, f) => one(MatchKind::Regex, t, f),
            Language::Glob(parts, f) => (MatchKind::Glob, case(f), MatchValue::Glob(parts.to_vec())),
            Language::Cidr(t) => one(MatchKind::Cidr, t, &Folding::Exact),
        };
        let test = StringMatch {
            subject: Subject::Expr(Expr::string(text, Span::default())),
            kind,
            case,
            values: MatchValues::List(vec![value]),
            quantifier: Quantifier::Any,
            missing: Missing::Empty,
        };
        match self.evaluated(Expr::matches(test, Span::default()))? {
            ir::Value::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// Whether the empty text is in a language in its one form.
    fn takes_empty(&self, language: &Language) -> Option<bool> {
        match language {
            Language::Equals(t, _) => Some(t.is_empty()),
            Language::Contains(..)
            | Language::StartsWith(..)
            | Language::EndsWith(..)
            | Language::Term(..)
            | Language::TermPrefix(..)
            | Language::TermSuffix(..)
            | Language::Cidr(_)
            // All signs of a pattern in its one form that is not `*` alone are some character.
            | Language::Glob(..) => Some(false),
            // Most patterns ask for some character, and say so without being compiled. (What RE2 reads in another way than the
            // library is never shorter there.)
            Language::Regex(pattern, _) => {
                let parsed = regex_syntax::ParserBuilder::new().octal(true).build().parse(pattern);
                match parsed.ok().and_then(|hir| hir.properties().minimum_len()) {
                    Some(1..) => Some(false),
                    Some(0) | None => self.contains(language, ""),
                }
            }
        }
    }

    /// The text of a term is in a language.
    pub fn text(&mut self, term: TermId, language: Language) -> FormulaId {
        match normal(language) {
            Normal::Any => self.present(term),
            Normal::Never => self.arena.truth(false),
            Normal::Lang(language) => self.text_in(term, language),
        }
    }

    fn text_in(&mut self, term: TermId, language: Language) -> FormulaId {
        match self.arena.get(term).clone() {
            Term::Constant(Constant::String(s)) => {
                if let Some(b) = self.contains(&language, &s) {
                    self.used("fold-constants");
                    return self.arena.truth(b);
                }
            }
            Term::Constant(_) => return self.arena.truth(false),
            // A text that is filled in.
            Term::Cast(inner, Type::String) if self.arena.ty(inner) == Type::String => {
                if let Some(empty) = self.takes_empty(&language) {
                    let found = self.text_in(inner, language);
                    if !empty {
                        return found;
                    }
                    self.used("empty-text");
                    let missing = self.missing(inner);
                    return self.arena.or([found, missing]);
                }
            }
            Term::Cast(inner, Type::String) if self.arena.ty(inner) == Type::Bool => {
                let words = ["true", "false", ""].map(|w| self.contains(&language, w));
                if let [Some(yes), Some(no), Some(none)] = words {
                    let parts =
                        [(yes, self.is_true(inner)), (no, self.fails_of(inner)), (none, self.missing(inner))];
                    return self.arena.or(parts.into_iter().filter(|(b, _)| *b).map(|(_, f)| f));
                }
            }
            Term::Call(name, args, _) if name == "tolower" => {
                if let (Some(before), Some(arg)) = (of_lower(&language), args.first()) {
                    self.used("fold-case");
                    let arg = self.cast(*arg, Type::String);
                    return match before {
                        Normal::Any => self.present(arg),
                        Normal::Never => self.arena.truth(false),
                        Normal::Lang(language) => self.text_in(arg, language),
                    };
                }
            }
            Term::Column { .. } if self.options.empty_is_absent => {
                if matches!(&language, Language::Equals(t, _) if t.is_empty()) {
                    return self.arena.truth(false);
                }
            }
            _ => {}
        }
        if let Some(made) = self.over_case(term, &mut |this, t| this.text_in(t, language.clone())) {
            return made;
        }
        self.arena.atom(Atom::Text(term, language))
    }

    /// A text is empty or missing.
    pub fn empty(&mut self, term: TermId) -> FormulaId {
        let filled = self.cast(term, Type::String);
        self.text(filled, Language::Equals(SmolStr::default(), Folding::Exact))
    }

    /// Two texts match: `a contains b`.
    pub fn text_pair(&mut self, subject: TermId, relation: TextRelation, needle: TermId) -> FormulaId {
        if let Some(text) = self.known_text(needle)
            && let Some(language) = language_of(relation, text)
        {
            return self.text(subject, language);
        }
        let symmetric = matches!(relation.kind, MatchKind::Equals | MatchKind::Glob);
        if symmetric {
            if let Some(text) = self.known_text(subject)
                && let Some(language) = language_of(relation, text)
            {
                return self.text(needle, language);
            }
            if relation.case == Case::Sensitive {
                return self.strict(CompareOp::Eq, subject, needle);
            }
            let (a, b) = if needle < subject { (needle, subject) } else { (subject, needle) };
            let relation = TextRelation { kind: MatchKind::Equals, case: relation.case };
            return self.arena.atom(Atom::TextPair(a, relation, b));
        }
        self.arena.atom(Atom::TextPair(subject, relation, needle))
    }

    /// `left op right` where both have values; false where one has none. The types are comparable.
    pub fn strict(&mut self, op: CompareOp, left: TermId, right: TermId) -> FormulaId {
        if let (Some(l), Some(r)) = (self.known(left), self.known(right)) {
            let make = |v: ir::Value| Expr::literal(v, Span::default());
            let test = Expr::compare(op, make(l), make(r), Missing::False, Span::default());
            return match self.evaluated(test) {
                Some(ir::Value::Bool(b)) => self.arena.truth(b),
                _ => self.unknown_order(op, left, right),
            };
        }
        if self.known(left).is_some() {
            self.used("flip-comparison");
            return self.strict(op.flipped(), right, left);
        }
        if op == CompareOp::Ne {
            let (l, r) = (self.present(left), self.present(right));
            let equal = self.strict(CompareOp::Eq, left, right);
            let not = self.arena.not(equal);
            return self.arena.and([l, r, not]);
        }
        let (tl, tr) = (self.arena.ty(left), self.arena.ty(right));
        if tl == Type::Bool && tr == Type::Bool {
            return self.strict_bool(op, left, right);
        }
        if tl.is_numeric() && tr.is_numeric() {
            return self.strict_number(op, left, right);
        }
        if tl != tr || matches!(tl, Type::Dynamic | Type::Unknown) {
            return self.unknown_order(op, left, right);
        }
        self.strict_typed(op, left, right, tl)
    }

    /// Comparisons that nothing is known of but what they are about.
    fn unknown_order(&mut self, op: CompareOp, left: TermId, right: TermId) -> FormulaId {
        let (op, mut left, mut right) = match op {
            CompareOp::Gt => (CompareOp::Lt, right, left),
            CompareOp::Ge => (CompareOp::Le, right, left),
            op => (op, left, right),
        };
        let name = match op {
            CompareOp::Eq | CompareOp::Ne => "$eq",
            CompareOp::Lt | CompareOp::Gt => "$lt",
            CompareOp::Le | CompareOp::Ge => "$le",
        };
        if matches!(op, CompareOp::Eq | CompareOp::Ne) && right < left {
            std::mem::swap(&mut left, &mut right);
        }
        let call = self.opaque_call(name, vec![left, right], Type::Bool);
        let (l, r) = (self.present(left), self.present(right));
        let holds = self.arena.atom(Atom::True(call));
        self.arena.and([l, r, holds])
    }

    fn strict_bool(&mut self, op: CompareOp, left: TermId, right: TermId) -> FormulaId {
        let (l, r) = (self.test_of(left), self.test_of(right));
        let parts: &[(bool, bool)] = match op {
            CompareOp::Eq => &[(true, true), (false, false)],
            CompareOp::Ne => &[(true, false), (false, true)],
            CompareOp::Lt => &[(false, true)],
            CompareOp::Le => &[(false, true), (true, true), (false, false)],
            CompareOp::Gt => &[(true, false)],
            CompareOp::Ge => &[(true, false), (true, true), (false, false)],
        };
        let pick = |t: Test, b: bool| if b { t.holds } else { t.fails };
        let parts: Vec<FormulaId> =
            parts.iter().map(|(a, b)| self.arena.and([pick(l, *a), pick(r, *b)])).collect();
        self.arena.or(parts)
    }

    fn strict_number(&mut self, op: CompareOp, left: TermId, right: TermId) -> FormulaId {
        let (tl, tr) = (self.arena.ty(left), self.arena.ty(right));
        if tl.is_integer() && tr.is_integer() {
            let (left, right) = (self.narrow(left), self.narrow(right));
            return self.strict_typed(op, left, right, Type::Long);
        }
        if tl == Type::Real || tr == Type::Real {
            // A whole number against a written real.
            if let Some(ir::Value::Real(x)) = self.known(right) {
                let inner = match *self.arena.get(left) {
                    Term::Cast(inner, Type::Real) => inner,
                    _ => left,
                };
                if self.arena.ty(inner).is_integer() && x.abs() < EXACT_REALS {
                    return self.strict_rounded(op, inner, x);
                }
            }
            let (left, right) = (self.cast(left, Type::Real), self.cast(right, Type::Real));
            if let Term::Cast(inner, Type::Real) = *self.arena.get(left)
                && let Some(ir::Value::Real(x)) = self.known(right)
                && self.arena.ty(inner).is_integer()
                && x.abs() < EXACT_REALS
            {
                return self.strict_rounded(op, inner, x);
            }
            return self.strict_typed(op, left, right, Type::Real);
        }
        let (left, right) = (self.cast(left, Type::Decimal), self.cast(right, Type::Decimal));
        self.strict_typed(op, left, right, Type::Decimal)
    }

    /// A whole number in its own width: widening changes no comparison.
    fn narrow(&self, term: TermId) -> TermId {
        match *self.arena.get(term) {
            Term::Cast(inner, Type::Long) if self.arena.ty(inner) == Type::Int => inner,
            Term::Cast(inner, Type::Int)
                if matches!(self.arena.get(inner), Term::Constant(Constant::Long(_))) =>
            {
                inner
            }
            _ => term,
        }
    }

    /// Whole numbers against a real between them.
    fn strict_rounded(&mut self, op: CompareOp, left: TermId, x: f64) -> FormulaId {
        let left = self.narrow(left);
        #[allow(clippy::cast_possible_truncation, reason = "within the range in which reals are exact")]
        let whole = |x: f64| x as i64;
        let mut with = |op: CompareOp, n: i64| {
            let n = self.arena.constant(Constant::Long(n));
            self.strict_typed(op, left, n, Type::Long)
        };
        match op {
            CompareOp::Eq if x.fract() != 0.0 => self.arena.truth(false),
            CompareOp::Eq | CompareOp::Ne => with(op, whole(x)),
            CompareOp::Lt => with(CompareOp::Lt, whole(x.ceil())),
            CompareOp::Le => with(CompareOp::Le, whole(x.floor())),
            CompareOp::Gt => with(CompareOp::Gt, whole(x.floor())),
            CompareOp::Ge => with(CompareOp::Ge, whole(x.ceil())),
        }
    }

    /// Values of one type, the right one maybe a constant.
    fn strict_typed(&mut self, op: CompareOp, left: TermId, right: TermId, ty: Type) -> FormulaId {
        let (left, right) =
            if ty == Type::Long { (self.narrow(left), self.narrow(right)) } else { (left, right) };
        if let Term::Constant(c) = self.arena.get(right).clone() {
            if matches!(self.arena.get(left), Term::Constant(_)) {
                return self.strict(op, left, right);
            }
            return self.strict_constant(op, left, c, ty);
        }
        if matches!(self.arena.get(left), Term::Constant(_)) {
            return self.strict_typed(op.flipped(), right, left, ty);
        }
        if left == right {
            let there = if ty == Type::Real { self.no_nan(left) } else { self.present(left) };
            return match op {
                CompareOp::Eq | CompareOp::Le | CompareOp::Ge => there,
                CompareOp::Ne | CompareOp::Lt | CompareOp::Gt => self.arena.truth(false),
            };
        }
        match op {
            CompareOp::Gt => return self.strict_typed(CompareOp::Lt, right, left, ty),
            CompareOp::Ge => return self.strict_typed(CompareOp::Le, right, left, ty),
            CompareOp::Eq | CompareOp::Ne | CompareOp::Lt | CompareOp::Le => {}
        }
        if op == CompareOp::Lt && is_total(ty) {
            // `a < b` is `not (b <= a)` where both are there.
            let (l, r) = (self.present(left), self.present(right));
            let other = self.arena.literal(Atom::Pair(CompareOp::Le, right, left), true);
            return self.arena.and([l, r, other]);
        }
        let (left, right) = if op == CompareOp::Eq && right < left { (right, left) } else { (left, right) };
        self.arena.atom(Atom::Pair(op, left, right))
    }

    /// A real that is a number.
    fn no_nan(&mut self, term: TermId) -> FormulaId {
        if let Term::Cast(inner, Type::Real) = *self.arena.get(term)
            && self.arena.ty(inner).is_integer()
        {
            return self.present(inner);
        }
        self.arena.atom(Atom::Value(term, CompareOp::Le, Constant::Real(f64::INFINITY.to_bits())))
    }

    fn strict_constant(&mut self, op: CompareOp, term: TermId, c: Constant, ty: Type) -> FormulaId {
        if matches!(c, Constant::Null(_)) {
            return self.arena.truth(false);
        }
        if op == CompareOp::Ne {
            let there = self.present(term);
            let equal = self.strict_constant(CompareOp::Eq, term, c, ty);
            let not = self.arena.not(equal);
            return self.arena.and([there, not]);
        }
        if let Some(made) = self.over_case(term, &mut |this, t| {
            let c = this.arena.constant(c.clone());
            this.strict(op, t, c)
        }) {
            return made;
        }
        if ty == Type::String && op == CompareOp::Eq {
            if let Constant::String(s) = c {
                return self.text(term, Language::Equals(s, Folding::Exact));
            }
            return self.arena.truth(false);
        }
        if let Term::Call(name, args, _) = self.arena.get(term)
            && name == "strlen"
            && let (Some(arg), Constant::Long(n)) = (args.first().copied(), &c)
            && let Some(made) = self.length(op, arg, *n)
        {
            return made;
        }
        match ty {
            Type::Int | Type::Long | Type::Datetime | Type::Timespan => self.strict_whole(op, term, c),
            Type::Real => self.strict_real(op, term, c),
            // A text in a dynamic value is neither below nor above a number.
            Type::Dynamic | Type::Unknown => self.arena.atom(Atom::Value(term, op, c)),
            Type::Decimal | Type::String | Type::Guid | Type::Bool => match op {
                CompareOp::Gt => self.above(term, CompareOp::Le, c),
                CompareOp::Ge => self.above(term, CompareOp::Lt, c),
                CompareOp::Eq | CompareOp::Ne | CompareOp::Lt | CompareOp::Le => {
                    self.arena.atom(Atom::Value(term, op, c))
                }
            },
        }
    }

    /// `x > c` is: there, and not `x <= c`.
    fn above(&mut self, term: TermId, not: CompareOp, c: Constant) -> FormulaId {
        let there = self.present(term);
        let other = self.arena.literal(Atom::Value(term, not, c), true);
        self.arena.and([there, other])
    }

    /// Values that have a next one: only `<=` and `==` are needed.
    fn strict_whole(&mut self, op: CompareOp, term: TermId, c: Constant) -> FormulaId {
        let before = |c: &Constant| match c {
            Constant::Long(n) => n.checked_sub(1).map(Constant::Long),
            Constant::Datetime(t) => t.checked_sub(1).map(Constant::Datetime),
            Constant::Timespan(t) => t.checked_sub(1).map(Constant::Timespan),
            Constant::Null(_)
            | Constant::Bool(_)
            | Constant::Real(_)
            | Constant::Decimal(_)
            | Constant::String(_)
            | Constant::Guid(_)
            | Constant::Dynamic(_) => None,
        };
        match op {
            CompareOp::Eq | CompareOp::Ne | CompareOp::Le => {
                self.arena.atom(Atom::Value(term, if op == CompareOp::Le { op } else { CompareOp::Eq }, c))
            }
            CompareOp::Gt => self.above(term, CompareOp::Le, c),
            CompareOp::Lt => match before(&c) {
                Some(c) => self.arena.atom(Atom::Value(term, CompareOp::Le, c)),
                None => self.arena.truth(false),
            },
            CompareOp::Ge => match before(&c) {
                Some(c) => self.above(term, CompareOp::Le, c),
                None => self.present(term),
            },
        }
    }

    fn strict_real(&mut self, op: CompareOp, term: TermId, c: Constant) -> FormulaId {
        let Constant::Real(bits) = c else { return self.arena.truth(false) };
        let x = f64::from_bits(bits);
        if x.is_nan() {
            return self.arena.truth(false);
        }
        let c = Constant::Real(real_bits(x));
        match op {
            CompareOp::Eq | CompareOp::Ne => self.arena.atom(Atom::Value(term, CompareOp::Eq, c)),
            CompareOp::Lt | CompareOp::Le => self.arena.atom(Atom::Value(term, op, c)),
            CompareOp::Gt | CompareOp::Ge => {
                let number = self.no_nan(term);
                let not = if op == CompareOp::Gt { CompareOp::Le } else { CompareOp::Lt };
                let other = self.arena.literal(Atom::Value(term, not, c), true);
                self.arena.and([number, other])
            }
        }
    }

    /// `strlen(x) > 0`
    fn length(&mut self, op: CompareOp, text: TermId, n: i64) -> Option<FormulaId> {
        let empty = match (op, n) {
            (CompareOp::Eq | CompareOp::Le, 0) | (CompareOp::Lt, 1) => true,
            (CompareOp::Gt, 0) | (CompareOp::Ge, 1) => false,
            _ => return None,
        };
        self.used("empty-text");
        let is_empty = self.empty(text);
        Some(if empty { is_empty } else { self.arena.not(is_empty) })
    }
}

/// The texts that match a constant so.
pub(super) fn language_of(relation: TextRelation, text: SmolStr) -> Option<Language> {
    let folding = match relation.case {
        Case::Sensitive => Folding::Exact,
        Case::Insensitive => Folding::Simple,
    };
    Some(match relation.kind {
        MatchKind::Equals | MatchKind::Glob => Language::Equals(text, folding),
        MatchKind::Contains => Language::Contains(text, folding),
        MatchKind::StartsWith => Language::StartsWith(text, folding),
        MatchKind::EndsWith => Language::EndsWith(text, folding),
        MatchKind::Term => Language::Term(text, folding),
        MatchKind::TermPrefix => Language::TermPrefix(text, folding),
        MatchKind::TermSuffix => Language::TermSuffix(text, folding),
        MatchKind::Regex => Language::Regex(text, folding),
        MatchKind::Cidr => Language::Cidr(text),
    })
}
