//! Tests of texts and lists: `has`, `in`, `matches regex`, in all quantities, over a value, all columns or the whole event.

use super::atoms::language_of;
use super::plan::Rel;
use super::{Canon, Made, Test};
use crate::formula::{Atom, FormulaId, Language, TextRelation};
use crate::term::{Constant, Term, TermId};
use ruleferry_ir::{
    Case, CompareOp, InList, InQuery, InValues, Json, MatchKind, MatchValue, MatchValues, Missing,
    Quantifier, StringMatch, Subject, Type, Value,
};

/// What a test looks for.
enum Needle {
    Language(Language),
    /// A value of the row, and whether it may be missing.
    Term(TermId),
}

impl Canon<'_, '_> {
    fn both(&mut self, holds: FormulaId) -> Test {
        Test { holds, fails: self.arena.not(holds) }
    }

    pub fn matched(&mut self, m: &StringMatch, scope: &Rel) -> Made<Test> {
        match &m.subject {
            Subject::Expr(e) => {
                let subject = self.value(e, scope)?;
                self.match_of(m, subject, scope)
            }
            Subject::Event => {
                let events = scope.events.clone();
                if events.is_empty() {
                    self.leave_out("the text of the event is not known here");
                    let call = self.unlike_any(Type::Bool);
                    return Ok(self.test_of(call));
                }
                self.any_of(m, &events, scope)
            }
            Subject::AnyColumn => self.any_column(m, scope),
        }
    }

    fn any_of(&mut self, m: &StringMatch, subjects: &[TermId], scope: &Rel) -> Made<Test> {
        let mut tests = Vec::with_capacity(subjects.len());
        for subject in subjects {
            tests.push(self.match_of(m, *subject, scope)?);
        }
        Ok(self.any_test(&tests))
    }

    fn any_test(&mut self, tests: &[Test]) -> Test {
        Test {
            holds: self.arena.or(tests.iter().map(|t| t.holds)),
            fails: self.arena.and(tests.iter().map(|t| t.fails)),
        }
    }

    /// `* has "x"`: any column of the row; what columns an open row has besides is in the text of the event.
    fn any_column(&mut self, m: &StringMatch, scope: &Rel) -> Made<Test> {
        self.used("any-column");
        let mut tests = Vec::new();
        let open = !scope.events.is_empty();
        // A part of some value is a part of them all; for other tests it matters where a value ends.
        let whole =
            m.kind == MatchKind::Contains && m.quantifier == Quantifier::Any && m.missing == Missing::Empty;
        for event in &scope.events {
            if whole || !matches!(m.values, MatchValues::List(_)) {
                tests.push(self.match_of(m, *event, scope)?);
                continue;
            }
            tests.push(self.in_some_column(m, *event, scope)?);
        }
        for id in scope.output.iter() {
            if Some(*id) == scope.hidden {
                continue;
            }
            let term = self.column(scope, *id)?;
            // Columns of the table itself are part of its event.
            if open && self.is_own_column(term, scope) {
                continue;
            }
            tests.push(self.match_of(m, term, scope)?);
        }
        if scope.hidden.is_some() {
            let none = self.arena.constant(Constant::Null(Type::Dynamic));
            tests.push(self.match_of(m, none, scope)?);
        }
        Ok(self.any_test(&tests))
    }

    /// Whether a term is a column of an open table, whose event is in scope.
    fn is_own_column(&self, term: TermId, scope: &Rel) -> bool {
        let (mut at, mut event) = (term, scope.events.first().copied());
        if scope.events.len() > 1 {
            return false;
        }
        loop {
            match (self.arena.get(at), event.map(|e| self.arena.get(e))) {
                (Term::Column { .. }, Some(Term::Event)) => return true,
                (Term::Input(a, inner), Some(Term::Input(b, e))) if a == b => {
                    at = *inner;
                    event = Some(*e);
                }
                _ => return false,
            }
        }
    }

    /// A test of the unknown columns of an open row, each for itself.
    fn in_some_column(&mut self, m: &StringMatch, event: TermId, scope: &Rel) -> Made<Test> {
        let MatchValues::List(values) = &m.values else { return self.match_of(m, event, scope) };
        let mut parts = Vec::with_capacity(values.len());
        let case = if m.case == Case::Sensitive { "cs" } else { "ci" };
        for value in values {
            let mut args = vec![event];
            let mut glob = String::new();
            let mut contains = None;
            match value {
                MatchValue::Expr(e) => {
                    let term = self.value(e, scope)?;
                    if m.kind == MatchKind::Contains {
                        contains = self.known_text(term);
                    }
                    args.push(term);
                }
                MatchValue::Glob(parts) => glob = format!("{parts:?}"),
            }
            // A part of some value: the order of quantifiers is all that differs, and there is one needle.
            if let Some(text) = contains
                && m.missing == Missing::Empty
            {
                let relation = TextRelation { kind: m.kind, case: m.case };
                if let Some(language) = language_of(relation, text) {
                    parts.push(self.text(event, language));
                    continue;
                }
            }
            let name = format!("$column {:?} {case} {glob} {:?}", m.kind, m.missing);
            let call = self.opaque_call(name, args, Type::Bool);
            parts.push(self.is_true(call));
        }
        let holds = match m.quantifier {
            Quantifier::Any => self.arena.or(parts),
            // All in one column, which is more than all in some column each.
            Quantifier::All if parts.len() < 2 => self.arena.and(parts),
            Quantifier::All => {
                let terms: Vec<TermId> =
                    parts.iter().map(|f| self.arena.term(Term::Truth { holds: *f, fails: *f })).collect();
                let call = self.opaque_call(format!("$all {:?} {case}", m.kind), terms, Type::Bool);
                self.is_true(call)
            }
        };
        Ok(self.both(holds))
    }

    /// A test of one value.
    fn match_of(&mut self, m: &StringMatch, subject: TermId, scope: &Rel) -> Made<Test> {
        // Other types show their text.
        let text = if self.arena.ty(subject) == Type::String && m.missing != Missing::Empty {
            subject
        } else {
            self.cast(subject, Type::String)
        };
        let absent = match m.missing {
            Missing::Empty => self.arena.truth(false),
            Missing::False | Missing::Null | Missing::Distinct => self.missing(subject),
        };
        let found = self.found(m, text, scope)?;
        let there = self.arena.not(absent);
        let holds = self.arena.and([there, found.holds]);
        let fails = match m.missing {
            Missing::Null => self.arena.and([there, found.fails]),
            Missing::Empty | Missing::False | Missing::Distinct => self.arena.or([absent, found.fails]),
        };
        Ok(Test { holds, fails })
    }

    /// Whether a text that is there is found.
    fn found(&mut self, m: &StringMatch, text: TermId, scope: &Rel) -> Made<Test> {
        match &m.values {
            MatchValues::List(values) => self.found_in_list(m, values, text, scope),
            MatchValues::Dynamic(e) => {
                let list = self.value(e, scope)?;
                let Some(value) = self.known(list) else {
                    return Ok(self.found_opaque(m, text, list));
                };
                let items: Vec<Value> = match value {
                    Value::Dynamic(Json::Array(items)) => {
                        self.count(items.len())?;
                        items.into_iter().map(Value::Dynamic).collect()
                    }
                    Value::Null(_) | Value::Dynamic(Json::Null) => Vec::new(),
                    other => vec![other],
                };
                let mut needles = Vec::with_capacity(items.len());
                for item in items {
                    let item = self.literal(&item);
                    let item = self.cast(item, Type::String);
                    needles.push(self.needle(m, item));
                }
                self.used("list-as-or");
                Ok(self.quantified(m, text, needles))
            }
            MatchValues::Query(plan) => {
                let rel = self.rel(plan)?;
                let first = plan.output.first().copied();
                if m.kind == MatchKind::Equals && m.quantifier == Quantifier::Any {
                    let holds = self.in_rel(text, rel, first, Type::String, m.case)?;
                    return Ok(self.both(holds));
                }
                let (block, rel) = self.sealed(rel)?;
                let column = match first {
                    Some(id) => self.column(&rel, id)?,
                    None => self.null(Type::String),
                };
                let list = self.arena.term(Term::List(block, column));
                Ok(self.found_opaque(m, text, list))
            }
        }
    }

    fn needle(&mut self, m: &StringMatch, term: TermId) -> Needle {
        let relation = TextRelation { kind: m.kind, case: m.case };
        match self.known_text(term).and_then(|text| language_of(relation, text)) {
            Some(language) => Needle::Language(language),
            None => Needle::Term(term),
        }
    }

    fn found_in_list(
        &mut self,
        m: &StringMatch,
        values: &[MatchValue],
        text: TermId,
        scope: &Rel,
    ) -> Made<Test> {
        self.count(values.len())?;
        let mut needles = Vec::with_capacity(values.len());
        // Where a value of the row is missing.
        let mut missing = Vec::new();
        for value in values {
            match value {
                MatchValue::Glob(parts) => {
                    let folding = match m.case {
                        Case::Sensitive => crate::formula::Folding::Exact,
                        Case::Insensitive => crate::formula::Folding::Simple,
                    };
                    self.used("wildcards");
                    needles.push(Needle::Language(Language::Glob(parts.as_slice().into(), folding)));
                }
                MatchValue::Expr(e) => {
                    let term = self.value(e, scope)?;
                    if m.missing != Missing::Empty {
                        missing.push(self.missing(term));
                    }
                    let term = self.cast(term, Type::String);
                    needles.push(self.needle(m, term));
                }
            }
        }
        if needles.len() > 1 {
            self.used("list-as-or");
        }
        if missing.iter().all(|f| self.is_constant(*f, false)) {
            return Ok(self.quantified(m, text, needles));
        }
        // Rare: values of the row of which some are missing (Sigma's `fieldref`).
        let regex = m.kind == MatchKind::Regex;
        if needles.len() == 1 && missing.len() == 1 && m.quantifier == Quantifier::Any && !regex {
            let none = missing.first().copied().unwrap_or_else(|| self.arena.truth(false));
            let test = self.quantified(m, text, needles);
            let there = self.arena.not(none);
            let holds = self.arena.and([there, test.holds]);
            let fails = match m.missing {
                Missing::Null => self.arena.and([there, test.fails]),
                Missing::Empty | Missing::False | Missing::Distinct => self.arena.or([none, test.fails]),
            };
            return Ok(Test { holds, fails });
        }
        let mut args = vec![text];
        for value in values {
            match value {
                MatchValue::Expr(e) => args.push(self.value(e, scope)?),
                MatchValue::Glob(parts) => {
                    args.push(self.arena.constant(Constant::String(format!("{parts:?}").into())));
                }
            }
        }
        let name = format!("$match {:?} {:?} {:?} {:?}", m.kind, m.case, m.quantifier, m.missing);
        let call = self.opaque_call(name, args, Type::Bool);
        Ok(self.test_of(call))
    }

    fn quantified(&mut self, m: &StringMatch, text: TermId, needles: Vec<Needle>) -> Test {
        let relation = TextRelation { kind: m.kind, case: m.case };
        let parts: Vec<FormulaId> = needles
            .into_iter()
            .map(|needle| match needle {
                Needle::Language(language) => self.text(text, language),
                Needle::Term(term) if m.kind == MatchKind::Regex && m.quantifier == Quantifier::All => {
                    // A pattern out of the data that is none is left out.
                    let call = self.opaque_call(format!("$regex {:?}", m.case), vec![text, term], Type::Bool);
                    self.is_true(call)
                }
                Needle::Term(term) => self.text_pair(text, relation, term),
            })
            .collect();
        let holds = match m.quantifier {
            Quantifier::Any => self.arena.or(parts),
            Quantifier::All => self.arena.and(parts),
        };
        self.both(holds)
    }

    /// A list that is known only when run.
    fn found_opaque(&mut self, m: &StringMatch, text: TermId, list: TermId) -> Test {
        let name = format!("$match {:?} {:?} {:?}", m.kind, m.case, m.quantifier);
        let call = self.opaque_call(name, vec![text, list], Type::Bool);
        let holds = self.is_true(call);
        self.both(holds)
    }

    pub fn in_list(&mut self, list: &InList, scope: &Rel) -> Made<Test> {
        let subject = self.value(&list.subject, scope)?;
        let found = match &list.values {
            InValues::List(values) => {
                self.count(values.len())?;
                self.used("list-as-or");
                let mut parts = Vec::with_capacity(values.len());
                for e in values {
                    let value = self.value(e, scope)?;
                    parts.push(self.strict(CompareOp::Eq, subject, value));
                }
                self.arena.or(parts)
            }
            InValues::Dynamic(e) => {
                let values = self.value(e, scope)?;
                let ty = self.arena.ty(subject);
                match self.known(values) {
                    Some(value) => {
                        let items = match value {
                            Value::Dynamic(Json::Array(items)) => items,
                            Value::Dynamic(one) => vec![one],
                            _ => Vec::new(),
                        };
                        self.count(items.len())?;
                        self.used("list-as-or");
                        let mut parts = Vec::with_capacity(items.len());
                        for item in items {
                            let item = self.literal(&Value::Dynamic(item));
                            let item = self.cast(item, ty);
                            parts.push(self.strict(CompareOp::Eq, subject, item));
                        }
                        self.arena.or(parts)
                    }
                    None => {
                        let call = self.opaque_call("$in", vec![subject, values], Type::Bool);
                        let there = self.present(subject);
                        let found = self.is_true(call);
                        self.arena.and([there, found])
                    }
                }
            }
        };
        Ok(self.membership(subject, found, list.missing))
    }

    /// Membership of a value that is missing is not known, or false.
    fn membership(&mut self, subject: TermId, found: FormulaId, missing: Missing) -> Test {
        if missing == Missing::Null {
            let there = self.present(subject);
            let not = self.arena.not(found);
            return Test { holds: found, fails: self.arena.and([there, not]) };
        }
        self.both(found)
    }

    pub fn in_query(&mut self, query: &InQuery, scope: &Rel) -> Made<Test> {
        let ty = query.subject.ty;
        let mut subject = self.value(&query.subject, scope)?;
        if ty == Type::String && matches!(query.missing, Missing::Empty | Missing::Distinct) {
            subject = self.cast(subject, Type::String);
        }
        let rel = self.rel(&query.plan)?;
        let case = if ty == Type::String { query.case } else { Case::Sensitive };
        let there = self.present(subject);
        let found = self.in_rel(subject, rel, query.plan.output.first().copied(), ty, case)?;
        let found = self.arena.and([there, found]);
        Ok(self.membership(subject, found, query.missing))
    }

    /// A value is one of the first column of some rows.
    fn in_rel(
        &mut self,
        subject: TermId,
        rel: Rel,
        column: Option<ruleferry_ir::ColId>,
        ty: Type,
        case: Case,
    ) -> Made<FormulaId> {
        let Some(id) = column else { return Ok(self.arena.truth(false)) };
        let value = self.column(&rel, id)?;
        let value = self.cast(value, ty);
        self.in_rows(vec![(subject, value)], rel, case)
    }

    /// Some row has these values: pairs of a value here and one there. Null equals nothing; a missing text is the empty one.
    pub fn in_rows(&mut self, pairs: Vec<(TermId, TermId)>, rel: Rel, case: Case) -> Made<FormulaId> {
        if let [(subject, value)] = pairs.as_slice()
            && let Some(values) = self.literal_column(&rel.draft, *value)?
        {
            self.used("values-as-list");
            let subject = *subject;
            let relation = TextRelation { kind: MatchKind::Equals, case };
            let text = self.arena.ty(subject) == Type::String;
            let mut parts = Vec::with_capacity(values.len());
            for value in values {
                let value = self.cast(value, self.arena.ty(subject));
                parts.push(if text {
                    self.text_pair(subject, relation, value)
                } else {
                    self.strict(CompareOp::Eq, subject, value)
                });
            }
            return Ok(self.arena.or(parts));
        }
        let (rel, pairs) = self.as_set(rel, pairs)?;
        let (block, rel) = self.sealed_with(rel, pairs.iter().map(|p| p.1).collect())?;
        let mut pairs: Vec<(TermId, TermId)> = pairs
            .iter()
            .zip(&rel)
            .map(|((here, _), there)| (self.unfilled(*here), self.unfilled(*there)))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        if self.is_empty_block(block) {
            return Ok(self.arena.truth(false));
        }
        Ok(self.arena.atom(Atom::InBlock(pairs.into(), block, case)))
    }
}
