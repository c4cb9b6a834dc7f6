//! Expressions: an [`ir::Expr`] to a term, and one that is a test to the two formulas of when it is true and when false.

use super::plan::Rel;
use super::{Canon, Made, Test};
use crate::formula::{Formula, FormulaId};
use crate::term::{Constant, Term, TermId};
use ruleferry_ir::functions::{Flags, find_any};
use ruleferry_ir::{
    Between, BindingId, BindingValue, ColId, Compare, CompareOp, Expr, ExprKind, Missing, Opaque, Type,
};
use smol_str::{SmolStr, format_smolstr};

impl Canon<'_, '_> {
    /// The value of a column in scope.
    pub fn column(&mut self, rel: &Rel, id: ColId) -> Made<TermId> {
        if let Some(term) = rel.columns.get(&id) {
            return Ok(*term);
        }
        let name = SmolStr::new(self.query.columns.name(id));
        self.leave_out(format!("`{name}` is no column that is in scope"));
        let ty = self.query.columns.ty(id);
        Ok(self.unlike_any(ty))
    }

    /// The time of the run.
    pub fn now(&mut self) -> TermId {
        if self.options.now_is_fixed {
            return self.arena.constant(Constant::Datetime(self.options.now));
        }
        self.arena.term(Term::Now)
    }

    pub fn value(&mut self, e: &Expr, scope: &Rel) -> Made<TermId> {
        self.deeper(|this| this.value_inside(e, scope))
    }

    fn value_inside(&mut self, e: &Expr, scope: &Rel) -> Made<TermId> {
        match &e.kind {
            ExprKind::Literal(value) => Ok(self.literal(value)),
            ExprKind::Column(id) => self.column(scope, *id),
            ExprKind::Let(id) => self.scalar_let(*id),
            ExprKind::Now => Ok(self.now()),
            ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_) => {
                let test = self.test_inside(e, scope)?;
                let term = self.truth(test.holds, test.fails);
                self.shallow_term(term)
            }
            ExprKind::Arithmetic(a) => {
                let (left, right) = (self.value(&a.left, scope)?, self.value(&a.right, scope)?);
                self.arithmetic(a.op, left, right, e.ty)
            }
            ExprKind::Negate(inner) => {
                let inner = self.value(inner, scope)?;
                Ok(self.negate(inner, e.ty))
            }
            ExprKind::Call(function, args) => {
                let mut terms = Vec::with_capacity(args.len());
                for arg in args {
                    terms.push(self.value(arg, scope)?);
                }
                if function.has(Flags::WINDOW) {
                    let name = format!("$window:{}", function.name);
                    let term = self.opaque_call(name, terms, e.ty);
                    return self.shallow_term(term);
                }
                self.call(function, terms, e.ty)
            }
            ExprKind::Cast(c) => {
                let inner = self.value(&c.expr, scope)?;
                let term = self.cast(inner, c.to);
                self.shallow_term(term)
            }
            ExprKind::Member(base, name) => {
                let base = self.value(base, scope)?;
                let term = self.member(base, name);
                self.shallow_term(term)
            }
            ExprKind::Index(base, index) => {
                let index = self.value(index, scope)?;
                let base_term = self.value(base, scope)?;
                // Of a call that makes several columns an index picks one, of others an element.
                if let ExprKind::Call(function, args) = &base.kind
                    && function.column_types(&args.iter().map(|a| a.ty).collect::<Vec<_>>()).len() > 1
                {
                    let term = self.opaque_call("$column", vec![base_term, index], Type::Dynamic);
                    return self.shallow_term(term);
                }
                let term = self.index(base_term, index);
                self.shallow_term(term)
            }
            ExprKind::Case(branches, otherwise) => {
                let mut made = Vec::with_capacity(branches.len());
                for (condition, value) in branches {
                    let condition = self.test(condition, scope)?.holds;
                    made.push((condition, self.value(value, scope)?));
                }
                let otherwise = self.value(otherwise, scope)?;
                if e.ty == Type::Bool {
                    let test = self.case_test(&made, otherwise)?;
                    let term = self.truth(test.holds, test.fails);
                    return self.shallow_term(term);
                }
                self.case(made, otherwise)
            }
            ExprKind::Subquery(plan) => {
                let rel = self.rel(plan)?;
                self.first_value(rel, plan.output.first().copied(), e.ty)
            }
            ExprKind::Opaque(o) => Ok(self.opaque(o, e.ty, scope)),
        }
    }

    /// Text that the IR does not have, with the columns in scope that it names.
    fn opaque(&mut self, o: &Opaque, ty: Type, scope: &Rel) -> TermId {
        self.leave_out(format!("`{}`: {}", shorten(&o.text), o.reason));
        let mut columns: Vec<(SmolStr, TermId)> = Vec::new();
        for id in scope.output.iter() {
            let name = self.query.columns.name(*id);
            if !name.is_empty()
                && o.text.contains(name)
                && let Some(term) = scope.columns.get(id)
            {
                columns.push((name.into(), *term));
            }
        }
        columns.sort();
        columns.dedup();
        let mut text = o.text.clone();
        if !self.says_all(o, scope) {
            text = format_smolstr!("{text}#{}", self.arena.size());
        }
        self.arena.term(Term::Opaque { language: o.language.into(), text, columns: columns.into(), ty })
    }

    /// Whether a text means the same wherever it stands over the same columns: it names nothing that the query defines.
    pub fn says_all(&self, o: &Opaque, scope: &Rel) -> bool {
        let allowed = |name: &str| {
            scope.output.iter().any(|id| self.query.columns.name(*id) == name)
                || find_any(name).is_some()
                || WORDS.contains(&name)
                // The function that nobody knows is none of the query's.
                || o.reason.contains(&format!("no function `{name}`"))
        };
        // Escapes hide where a text ends.
        !o.text.contains(['\\', '@', '`']) && names(&o.text).iter().all(|name| allowed(name))
    }

    pub fn scalar_let(&mut self, id: BindingId) -> Made<TermId> {
        self.used("inline-let");
        if let Some(term) = self.lets.get(&id) {
            return Ok(*term);
        }
        let query = self.query;
        let term = match query.bindings.get(id.0 as usize).map(|b| &b.value) {
            Some(BindingValue::Scalar(e)) => {
                let outer = self.many;
                self.many = outer || self.uses.get(id.0 as usize).is_some_and(|n| *n > 1);
                let scope = self.no_scope();
                let term = self.value(e, &scope);
                self.many = outer;
                term?
            }
            Some(BindingValue::Table { .. }) | None => {
                self.leave_out("a table stands where a value is expected");
                self.unlike_any(Type::Unknown)
            }
        };
        self.lets.insert(id, term);
        Ok(term)
    }

    pub fn test(&mut self, e: &Expr, scope: &Rel) -> Made<Test> {
        let test = self.deeper(|this| this.test_inside(e, scope))?;
        self.shallow(test)
    }

    fn decided(&mut self, holds: FormulaId) -> Test {
        Test { holds, fails: self.arena.not(holds) }
    }

    fn test_inside(&mut self, e: &Expr, scope: &Rel) -> Made<Test> {
        match &e.kind {
            ExprKind::And(operands) | ExprKind::Or(operands) => {
                let and = matches!(e.kind, ExprKind::And(_));
                let mut holds = Vec::with_capacity(operands.len());
                let mut fails = Vec::with_capacity(operands.len());
                for operand in operands {
                    let test = self.test(operand, scope)?;
                    holds.push(test.holds);
                    fails.push(test.fails);
                }
                self.count(operands.len())?;
                Ok(if and {
                    Test { holds: self.arena.and(holds), fails: self.arena.or(fails) }
                } else {
                    Test { holds: self.arena.or(holds), fails: self.arena.and(fails) }
                })
            }
            ExprKind::Not(inner) => {
                let Test { holds, fails } = self.test(inner, scope)?;
                Ok(Test { holds: fails, fails: holds })
            }
            ExprKind::Compare(c) => self.compare(c, scope),
            ExprKind::Match(m) => self.matched(m, scope),
            ExprKind::In(list) => self.in_list(list, scope),
            ExprKind::InQuery(query) => self.in_query(query, scope),
            ExprKind::Between(b) => self.between(b, scope),
            ExprKind::IsNull(inner) => {
                let term = self.value(inner, scope)?;
                let missing = self.missing(term);
                Ok(self.decided(missing))
            }
            ExprKind::IsEmpty(inner) => {
                let term = self.value(inner, scope)?;
                let empty = match self.arena.ty(term) {
                    Type::String | Type::Dynamic | Type::Unknown => self.empty(term),
                    Type::Bool
                    | Type::Int
                    | Type::Long
                    | Type::Real
                    | Type::Decimal
                    | Type::Datetime
                    | Type::Timespan
                    | Type::Guid => self.missing(term),
                };
                Ok(self.decided(empty))
            }
            ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Call(..)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => {
                let term = self.value_inside(e, scope)?;
                if self.arena.ty(term) != Type::Bool {
                    // What is no truth value is neither true nor false.
                    let call = self.opaque_call("$bool", vec![term], Type::Bool);
                    return Ok(self.test_of(call));
                }
                Ok(self.test_of(term))
            }
        }
    }

    /// A choice of truth values.
    fn case_test(&mut self, branches: &[(FormulaId, TermId)], otherwise: TermId) -> Made<Test> {
        let mut made = self.test_of(otherwise);
        for (condition, value) in branches.iter().rev() {
            let here = self.test_of(*value);
            let not = self.arena.not(*condition);
            let mut pick = |here, rest| {
                let yes = self.arena.and([*condition, here]);
                let no = self.arena.and([not, rest]);
                self.arena.or([yes, no])
            };
            made = Test { holds: pick(here.holds, made.holds), fails: pick(here.fails, made.fails) };
            made = self.shallow(made)?;
        }
        self.used("case-as-formula");
        Ok(made)
    }

    fn compare(&mut self, c: &Compare, scope: &Rel) -> Made<Test> {
        let (left, right) = (self.value(&c.left, scope)?, self.value(&c.right, scope)?);
        Ok(self.compared(c.op, left, right, c.missing))
    }

    /// A comparison, with what it says where a side is missing.
    pub fn compared(&mut self, op: CompareOp, left: TermId, right: TermId, missing: Missing) -> Test {
        let (mut left, mut right) = (left, right);
        let text = self.arena.ty(left) == Type::String || self.arena.ty(right) == Type::String;
        if text && matches!(missing, Missing::Empty | Missing::Distinct) {
            left = self.cast(left, Type::String);
            right = self.cast(right, Type::String);
        }
        let holds = self.strict(op, left, right);
        match missing {
            Missing::False => self.decided(holds),
            Missing::Null | Missing::Empty => self.null_compared(op, left, right, holds),
            Missing::Distinct => {
                let (l, r) = (self.missing(left), self.missing(right));
                let both = self.arena.and([l, r]);
                let known = self.arena.not(both);
                match op {
                    CompareOp::Eq => {
                        let not = self.arena.not(holds);
                        Test { holds, fails: self.arena.and([known, not]) }
                    }
                    CompareOp::Ne => {
                        let equal = self.strict(CompareOp::Eq, left, right);
                        let not = self.arena.not(equal);
                        Test { holds: self.arena.and([known, not]), fails: equal }
                    }
                    CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => {
                        self.null_compared(op, left, right, holds)
                    }
                }
            }
        }
    }

    fn null_compared(&mut self, op: CompareOp, left: TermId, right: TermId, holds: FormulaId) -> Test {
        let orders = |ty: Type| !matches!(ty, Type::Real | Type::Dynamic | Type::Unknown);
        let (tl, tr) = (self.arena.ty(left), self.arena.ty(right));
        let total = orders(tl) && orders(tr) && (tl == tr || tl.is_numeric() && tr.is_numeric());
        // Decimals meet reals as reals.
        let opposite = match op {
            CompareOp::Eq => Some(CompareOp::Ne),
            CompareOp::Ne => Some(CompareOp::Eq),
            CompareOp::Lt => total.then_some(CompareOp::Ge),
            CompareOp::Le => total.then_some(CompareOp::Gt),
            CompareOp::Gt => total.then_some(CompareOp::Le),
            CompareOp::Ge => total.then_some(CompareOp::Lt),
        };
        if let Some(op) = opposite {
            return Test { holds, fails: self.strict(op, left, right) };
        }
        let (l, r) = (self.present(left), self.present(right));
        let not = self.arena.not(holds);
        Test { holds, fails: self.arena.and([l, r, not]) }
    }

    fn between(&mut self, b: &Between, scope: &Rel) -> Made<Test> {
        let subject = self.value(&b.subject, scope)?;
        let (low, high) = (self.value(&b.low, scope)?, self.value(&b.high, scope)?);
        self.used("ranges");
        let low = self.compared_as_is(CompareOp::Ge, subject, low);
        let high = self.compared_as_is(CompareOp::Le, subject, high);
        Ok(Test {
            holds: self.arena.and([low.holds, high.holds]),
            fails: self.arena.or([low.fails, high.fails]),
        })
    }

    fn compared_as_is(&mut self, op: CompareOp, left: TermId, right: TermId) -> Test {
        let holds = self.strict(op, left, right);
        self.null_compared(op, left, right, holds)
    }

    /// Whether a formula is settled.
    pub fn is_constant(&self, formula: FormulaId, value: bool) -> bool {
        match self.arena.get_formula(formula) {
            Formula::True => value,
            Formula::False => !value,
            Formula::And(_) | Formula::Or(_) | Formula::Literal { .. } => false,
        }
    }
}

/// Words of query texts that are no names.
const WORDS: [&str; 34] = [
    "and",
    "or",
    "not",
    "in",
    "has",
    "contains",
    "startswith",
    "endswith",
    "like",
    "notlike",
    "like_cs",
    "notlike_cs",
    "matches",
    "regex",
    "between",
    "typeof",
    "string",
    "long",
    "int",
    "real",
    "double",
    "datetime",
    "timespan",
    "bool",
    "dynamic",
    "guid",
    "decimal",
    "true",
    "false",
    "null",
    "by",
    "asc",
    "desc",
    "h",
];

/// The names in a text, string literals left out.
fn names(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = if c == '"' || c == '\'' {
            let inside = rest.get(1..).unwrap_or_default();
            inside.find(c).map_or(rest.len(), |n| n + 2)
        } else if c.is_alphabetic() || c == '_' || c == '$' {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .filter(|n| *n > 0)
                .unwrap_or(rest.len());
            let end = if c == '$' { end.max(1) } else { end };
            found.push(rest.get(..end).unwrap_or_default());
            end
        } else if c.is_ascii_digit() {
            // `1d` is a number.
            rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())
        } else {
            c.len_utf8()
        };
        rest = rest.get(end..).unwrap_or_default();
    }
    found
}

pub(super) fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 60 { line } else { line.chars().take(57).chain("...".chars()).collect() }
}
