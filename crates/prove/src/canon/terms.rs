//! The only place that makes terms: each value has one form.
//!
//! In: parts that are canonical. Out: their term, computed where it depends on no row.

use super::{Canon, Made, Test};
use crate::formula::{Atom, Formula, FormulaId, Language};
use crate::term::{Constant, Term, TermId};
use ruleferry_diag::Span;
use ruleferry_eval::text::Network;
use ruleferry_eval::{self as eval, MemoryTables};
use ruleferry_ir::functions::{Flags, FunctionDef, FunctionKind, find};
use ruleferry_ir::{self as ir, ArithmeticOp, Columns, Expr, ExprKind, Json, Op, Plan, Query, Type};
use smol_str::{SmolStr, format_smolstr};

/// Texts that a constant expression may grow to.
const MAX_FOLDED: usize = 1 << 16;
/// A span that is added to the time of a run without leaving the calendar.
const YEARS: u64 = 500 * 365 * 864_000_000_000;
/// Functions that make much of little.
const GREEDY: [&str; 3] = ["strrep", "range", "repeat"];

/// Functions that ask whether a text is an address of some ranges: the range of all addresses that they read, and whether several
/// ranges may be named (one that is none is passed over then).
const ADDRESS_TESTS: [(&str, &str, bool); 4] = [
    ("ipv4_is_in_range", "0.0.0.0/0", false),
    ("ipv4_is_in_any_range", "0.0.0.0/0", true),
    ("ipv6_is_in_range", "::/0", false),
    ("ipv6_is_in_any_range", "::/0", true),
];

/// Functions whose result is never null.
const NEVER_NULL: [&str; 15] = [
    "countof",
    "isascii",
    "isutf8",
    "replace_string",
    "reverse",
    "strcat",
    "strcat_delim",
    "strlen",
    "string_size",
    "substring",
    "tolower",
    "toupper",
    "translate",
    "trim",
    "url_decode",
];

/// Functions that read a missing text as the empty one, in every argument that is a text.
const TEXT_ARGUMENTS: [&str; 16] = [
    "indexof",
    "isascii",
    "isutf8",
    "replace_string",
    "reverse",
    "split",
    "strcat",
    "strcat_delim",
    "strcmp",
    "strlen",
    "string_size",
    "strrep",
    "substring",
    "tolower",
    "toupper",
    "translate",
];

/// Aggregates whose result is never null.
const NEVER_NULL_AGGREGATES: [&str; 10] = [
    "count",
    "count_distinct",
    "count_distinctif",
    "countif",
    "dcount",
    "dcountif",
    "make_list",
    "make_list_if",
    "make_set",
    "make_set_if",
];

/// Whether every value of one type has one of another.
const fn always_converts(from: Type, to: Type) -> bool {
    match from {
        Type::Bool => matches!(to, Type::Int | Type::Long | Type::Real | Type::Dynamic),
        Type::Int => matches!(
            to,
            Type::Long | Type::Real | Type::Decimal | Type::Dynamic | Type::Bool | Type::Timespan
        ),
        Type::Long => matches!(to, Type::Real | Type::Decimal | Type::Dynamic | Type::Bool | Type::Timespan),
        Type::Real => matches!(to, Type::Dynamic | Type::Bool),
        Type::Datetime | Type::Timespan => {
            matches!(to, Type::Long | Type::Real | Type::Decimal | Type::Dynamic)
        }
        Type::Guid => matches!(to, Type::Dynamic),
        Type::Decimal | Type::String | Type::Dynamic | Type::Unknown => false,
    }
}

/// A constant of the IR for one of the prover.
pub(super) fn ir_value(constant: &Constant) -> ir::Value {
    match constant {
        Constant::Null(ty) => ir::Value::Null(*ty),
        Constant::Bool(b) => ir::Value::Bool(*b),
        Constant::Long(n) => ir::Value::Long(*n),
        Constant::Real(bits) => ir::Value::Real(f64::from_bits(*bits)),
        Constant::Decimal(t) => ir::Value::Decimal(t.clone()),
        Constant::String(s) => ir::Value::String(s.clone()),
        Constant::Datetime(t) => ir::Value::Datetime(*t),
        Constant::Timespan(t) => ir::Value::Timespan(*t),
        Constant::Guid(g) => ir::Value::Guid(g.clone()),
        Constant::Dynamic(text) => match eval::parse_json(text) {
            Some(json) => ir::Value::Dynamic(json),
            None => ir::Value::Null(Type::Dynamic),
        },
    }
}

/// The bits of a real with one zero and one NaN.
pub(super) fn real_bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { (x + 0.0).to_bits() }
}

impl Canon<'_, '_> {
    pub fn null(&mut self, ty: Type) -> TermId {
        // Strings have no null that stands written.
        let constant =
            if ty == Type::String { Constant::String(SmolStr::default()) } else { Constant::Null(ty) };
        self.arena.constant(constant)
    }

    /// The constant of a written value.
    pub fn literal(&mut self, value: &ir::Value) -> TermId {
        let constant = match value {
            ir::Value::Null(ty) => return self.null(*ty),
            ir::Value::Bool(b) => Constant::Bool(*b),
            ir::Value::Int(n) => {
                let long = self.arena.constant(Constant::Long(i64::from(*n)));
                return self.arena.term(Term::Cast(long, Type::Int));
            }
            ir::Value::Long(n) => Constant::Long(*n),
            // The two zeros are one to every comparison, and not to a division.
            ir::Value::Real(x) if *x == 0.0 && x.is_sign_negative() => {
                let zero = self.arena.constant(Constant::Real(0.0_f64.to_bits()));
                return self.arena.term(Term::Negate(zero));
            }
            ir::Value::Real(x) => Constant::Real(real_bits(*x)),
            ir::Value::String(s) => Constant::String(s.clone()),
            ir::Value::Datetime(t) => Constant::Datetime(*t),
            ir::Value::Timespan(t) => Constant::Timespan(*t),
            ir::Value::Decimal(_) | ir::Value::Guid(_) => {
                match eval::to_ir(&eval::Value::of_ir(value), value.ty()) {
                    ir::Value::Decimal(text) => Constant::Decimal(text),
                    ir::Value::Guid(text) => Constant::Guid(text),
                    _ => Constant::Null(value.ty()),
                }
            }
            ir::Value::Dynamic(ir::Json::Null) => Constant::Null(Type::Dynamic),
            ir::Value::Dynamic(json @ (ir::Json::Bool(_) | ir::Json::Long(_))) => {
                Constant::Dynamic(eval::json_text(json))
            }
            ir::Value::Dynamic(json) => {
                let text: SmolStr = eval::json_text(json);
                // Times in dynamic literals have no JSON form: their text would read back as a text.
                if eval::parse_json(&text).as_ref() == Some(json) {
                    Constant::Dynamic(text)
                } else {
                    let parts = vec![self.arena.constant(Constant::String(format!("{json:?}").into()))];
                    return self.arena.term(Term::Call("$dynamic".into(), parts.into(), Type::Dynamic));
                }
            }
        };
        self.arena.constant(constant)
    }

    /// The constant that a term is.
    pub fn known(&self, term: TermId) -> Option<ir::Value> {
        match self.arena.get(term) {
            Term::Constant(c) => Some(ir_value(c)),
            Term::Cast(inner, Type::Int) => match self.arena.get(*inner) {
                Term::Constant(Constant::Long(n)) => i32::try_from(*n).ok().map(ir::Value::Int),
                _ => None,
            },
            _ => None,
        }
    }

    pub fn known_text(&self, term: TermId) -> Option<SmolStr> {
        match self.arena.get(term) {
            Term::Constant(Constant::String(s)) => Some(s.clone()),
            _ => None,
        }
    }

    /// What the evaluator makes of an expression that is about no row.
    pub fn evaluated(&self, e: Expr) -> Option<ir::Value> {
        let ty = e.ty;
        let mut columns = Columns::default();
        let id = columns.add("x", ty, Span::default());
        let values = ir::Values { rows: vec![vec![e]], print: true };
        let plan = Plan::new(Op::Values(values), [id], Span::default());
        let query = Query { columns, bindings: Vec::new(), plan, assumptions: Vec::new() };
        let answer =
            eval::evaluate(&query, &MemoryTables::default(), eval::Options::at(self.options.now)).ok()?;
        let value = answer.rows.first()?.first()?;
        let value = eval::to_ir(value, ty);
        let size = match &value {
            ir::Value::String(s) => s.len(),
            ir::Value::Dynamic(json) => eval::json_text(json).len(),
            _ => 0,
        };
        (size <= MAX_FOLDED).then_some(value)
    }

    /// Computes what is made of constants only.
    fn folded(&mut self, args: &[TermId], make: impl FnOnce(Vec<Expr>) -> Expr) -> Option<TermId> {
        let values: Option<Vec<ir::Value>> = args.iter().map(|t| self.known(*t)).collect();
        let literals = values?.into_iter().map(|v| Expr::literal(v, Span::default())).collect();
        let value = self.evaluated(make(literals))?;
        self.used("fold-constants");
        Some(self.literal(&value))
    }

    pub fn call(&mut self, function: &'static FunctionDef, mut args: Vec<TermId>, ty: Type) -> Made<TermId> {
        self.count(args.len())?;
        if function.has(Flags::VOLATILE) {
            self.leave_out(format!("`{}` gives another value at each call", function.name));
            return Ok(self.unlike_any(ty));
        }
        if TEXT_ARGUMENTS.contains(&function.name) {
            for arg in &mut args {
                *arg = self.unfilled(*arg);
            }
        }
        let greedy = GREEDY.contains(&function.name);
        if !args.is_empty() && !greedy && !function.has(Flags::WINDOW) && ty != Type::Unknown {
            let make = |args| Expr::new(ExprKind::Call(function, args), ty, Span::default());
            if let Some(value) = self.folded(&args, make) {
                return Ok(value);
            }
        }
        let tests = |this: &Self| args.iter().all(|t| this.arena.ty(*t) == Type::Bool);
        if function.name == "coalesce" && ty == Type::Bool && tests(self) {
            let term = self.first_known(&args)?;
            return self.shallow_term(term);
        }
        let term = match self.in_networks(function.name, &args)? {
            Some(term) => term,
            None => self.arena.term(Term::Call(function.name.into(), args.into(), ty)),
        };
        self.shallow_term(term)
    }

    /// `coalesce` of truth values.
    fn first_known(&mut self, args: &[TermId]) -> Made<TermId> {
        self.used("case-as-formula");
        let no = self.arena.truth(false);
        let mut made = Test { holds: no, fails: no };
        for term in args.iter().rev() {
            let first = self.test_of(*term);
            // What is true is not false, so that either is the other's absence where the rest always knows.
            let known = made.fails == self.arena.not(made.holds);
            let not_false = self.arena.not(first.fails);
            let rest = self.arena.and([not_false, made.holds]);
            let holds = self.arena.or([first.holds, rest]);
            let fails = if known {
                self.arena.not(holds)
            } else {
                let not_true = self.arena.not(first.holds);
                let rest = self.arena.and([not_true, made.fails]);
                self.arena.or([first.fails, rest])
            };
            made = self.shallow(Test { holds, fails })?;
        }
        Ok(self.truth(made.holds, made.fails))
    }

    /// `ipv4_is_in_range` and its like: true for an address in one of the ranges, null for what is no address.
    fn in_networks(&mut self, name: &str, args: &[TermId]) -> Made<Option<TermId>> {
        let Some((_, all, several)) = ADDRESS_TESTS.iter().find(|t| t.0 == name) else { return Ok(None) };
        let Some((subject, ranges)) = args.split_first() else { return Ok(None) };
        if self.arena.ty(*subject) != Type::String {
            return Ok(None);
        }
        let mut texts: Vec<SmolStr> = Vec::new();
        for range in ranges {
            match self.known(*range) {
                Some(ir::Value::String(text)) => texts.push(text),
                Some(ir::Value::Dynamic(Json::Array(items))) if *several => {
                    texts.extend(items.iter().filter_map(|item| match item {
                        Json::String(text) => Some(text.clone()),
                        Json::Null
                        | Json::Bool(_)
                        | Json::Long(_)
                        | Json::Real(_)
                        | Json::Datetime(_)
                        | Json::Timespan(_)
                        | Json::Array(_)
                        | Json::Object(_) => None,
                    }));
                }
                _ => return Ok(None),
            }
        }
        self.count(texts.len())?;
        let v4 = all.contains('.');
        let mut networks: Vec<Network> = Vec::new();
        for text in &texts {
            match Network::parse(text).filter(|n| n.v4 || !v4) {
                Some(network) => networks.push(if v4 { network } else { network.with_mapped() }),
                None if *several => {}
                // No range: the answer is null.
                None => return Ok(Some(self.null(Type::Bool))),
            }
        }
        self.used("address-ranges");
        let subject = self.unfilled(*subject);
        let parts: Vec<FormulaId> =
            networks.iter().map(|n| self.text(subject, Language::Cidr(format_smolstr!("{n}")))).collect();
        let holds = self.arena.or(parts);
        let address = self.text(subject, Language::Cidr((*all).into()));
        let not = self.arena.not(holds);
        let fails = self.arena.and([address, not]);
        Ok(Some(self.truth(holds, fails)))
    }

    /// A term that equals no other, not even its own copy.
    pub fn unlike_any(&mut self, ty: Type) -> TermId {
        let number = i64::try_from(self.arena.size()).unwrap_or(i64::MAX);
        let number = self.arena.constant(Constant::Long(number));
        // The number may be there already: the term is new as long as it was not made with it.
        let place = i64::try_from(self.arena.size()).unwrap_or(i64::MAX);
        let place = self.arena.constant(Constant::Long(place));
        self.arena.term(Term::Call("$volatile".into(), [number, place].into(), ty))
    }

    /// A call of something that only the prover names.
    pub fn opaque_call(&mut self, name: impl Into<SmolStr>, args: Vec<TermId>, ty: Type) -> TermId {
        self.arena.term(Term::Call(name.into(), args.into(), ty))
    }

    pub fn cast(&mut self, term: TermId, to: Type) -> TermId {
        let from = self.arena.ty(term);
        if to == Type::Unknown || (from == to && (to != Type::String || self.never_missing(term))) {
            return term;
        }
        // A written `int` is a cast of its own.
        if let Term::Constant(Constant::Long(n)) = self.arena.get(term)
            && to == Type::Int
        {
            if i32::try_from(*n).is_err() {
                return self.null(Type::Int);
            }
            return self.arena.term(Term::Cast(term, to));
        }
        if let Some(value) = self.known(term) {
            self.used("fold-constants");
            let value = eval::cast(&eval::Value::of_ir(&value), to);
            let value = match value {
                // What has no text has the empty one; other types have a null of their own.
                eval::Value::Null => ir::Value::Null(to),
                value => eval::to_ir(&value, to),
            };
            return self.literal(&value);
        }
        match *self.arena.get(term) {
            // A wider number has the same text, and converts as the narrow one does.
            Term::Cast(inner, Type::Long) if self.arena.ty(inner) == Type::Int => {
                return self.cast(inner, to);
            }
            // What was put into a dynamic value comes out of it.
            Term::Cast(inner, Type::Dynamic)
                if matches!(
                    self.arena.ty(inner),
                    Type::Bool | Type::Int | Type::Long | Type::Real | Type::Datetime | Type::Timespan
                ) =>
            {
                return self.cast(inner, to);
            }
            _ => {}
        }
        self.arena.term(Term::Cast(term, to))
    }

    /// The term behind a cast of a text to a text, which only fills in `""`: for places that do that by themselves.
    pub fn unfilled(&self, term: TermId) -> TermId {
        match self.arena.get(term) {
            Term::Cast(inner, Type::String) if self.arena.ty(*inner) == Type::String => *inner,
            _ => term,
        }
    }

    /// Whether a term always has a value.
    pub fn never_missing(&self, term: TermId) -> bool {
        match self.arena.get(term) {
            Term::Constant(c) => !matches!(c, Constant::Null(_)),
            Term::Now | Term::Event | Term::Cast(_, Type::String) => true,
            Term::Cast(inner, to) => {
                always_converts(self.arena.ty(*inner), *to) && self.never_missing(*inner)
            }
            Term::Call(name, ..) => NEVER_NULL.contains(&name.as_str()),
            Term::Made { what, .. } => NEVER_NULL_AGGREGATES.contains(&what.as_str()),
            Term::Case(branches, otherwise) => {
                self.never_missing(*otherwise) && branches.iter().all(|(_, t)| self.never_missing(*t))
            }
            // A time some years from now is in the calendar.
            Term::Arithmetic(ArithmeticOp::Add, base, span, Type::Datetime) => {
                matches!(self.arena.get(*base), Term::Now)
                    && matches!(self.arena.get(*span), Term::Constant(Constant::Timespan(t)) if t.unsigned_abs() < YEARS)
            }
            Term::Column { .. }
            | Term::Input(..)
            | Term::Arithmetic(..)
            | Term::Negate(_)
            | Term::Member(..)
            | Term::Index(..)
            | Term::Truth { .. }
            | Term::Merged(..)
            | Term::Scalar(..)
            | Term::List(..)
            | Term::Opaque { .. } => false,
        }
    }

    /// Terms whose values are missing exactly where one of these is; `None`: nothing is known.
    pub fn missing_with(&self, term: TermId) -> Option<Vec<TermId>> {
        match *self.arena.get(term) {
            Term::Cast(inner, to) if always_converts(self.arena.ty(inner), to) => Some(vec![inner]),
            Term::Negate(inner) if self.arena.ty(inner).is_numeric() => Some(vec![inner]),
            Term::Arithmetic(op, a, b, ty) => {
                let whole = |t: TermId| matches!(self.arena.ty(t), Type::Int | Type::Long);
                let plain = |t: TermId| matches!(self.arena.ty(t), Type::Int | Type::Long | Type::Real);
                let total = match ty {
                    Type::Int | Type::Long => {
                        whole(a) && whole(b) && !matches!(op, ArithmeticOp::Div | ArithmeticOp::Mod)
                    }
                    Type::Real => plain(a) && plain(b),
                    _ => false,
                };
                total.then(|| vec![a, b])
            }
            _ => None,
        }
    }

    pub fn arithmetic(&mut self, op: ArithmeticOp, left: TermId, right: TermId, ty: Type) -> Made<TermId> {
        let make = |mut args: Vec<Expr>| {
            let right = args.pop().unwrap_or_else(|| Expr::bool(false, Span::default()));
            let left = args.pop().unwrap_or_else(|| Expr::bool(false, Span::default()));
            Expr::arithmetic(op, left, right, ty, Span::default())
        };
        if let Some(value) = self.folded(&[left, right], make) {
            return Ok(value);
        }
        let (mut op, mut left, mut right) = (op, left, right);
        let whole = matches!(ty, Type::Int | Type::Long);
        let whole_sides = self.arena.ty(left).is_integer() && self.arena.ty(right).is_integer();
        // `x - 1` is `x + -1`: whole numbers wrap, and a span has its opposite.
        if op == ArithmeticOp::Sub {
            let opposite = match self.arena.get(right) {
                Term::Constant(Constant::Long(n)) if whole && whole_sides => {
                    Some(Constant::Long(n.wrapping_neg()))
                }
                Term::Constant(Constant::Timespan(t)) if matches!(ty, Type::Datetime | Type::Timespan) => {
                    t.checked_neg().map(Constant::Timespan)
                }
                _ => None,
            };
            if let Some(opposite) = opposite {
                op = ArithmeticOp::Add;
                right = self.arena.constant(opposite);
            }
        }
        // What order the operands stand in says nothing: of whole numbers, and of a time and a span.
        let commutes = match op {
            ArithmeticOp::Add => {
                whole && whole_sides
                    || matches!(ty, Type::Real | Type::Decimal | Type::Datetime | Type::Timespan)
            }
            ArithmeticOp::Mul => {
                whole && whole_sides || matches!(ty, Type::Real | Type::Decimal | Type::Timespan)
            }
            ArithmeticOp::Sub | ArithmeticOp::Div | ArithmeticOp::Mod => false,
        };
        if commutes && self.goes_last(left, right) {
            std::mem::swap(&mut left, &mut right);
            self.used("commute");
        }
        if op == ArithmeticOp::Add
            && let Some(term) = self.summed(left, right, ty, whole && whole_sides)
        {
            return Ok(term);
        }
        let term = self.arena.term(Term::Arithmetic(op, left, right, ty));
        self.shallow_term(term)
    }

    /// Constants stand behind, other operands in the order of their ids.
    fn goes_last(&self, left: TermId, right: TermId) -> bool {
        match (self.known(left).is_some(), self.known(right).is_some()) {
            (true, false) => true,
            (false, true) => false,
            _ => left > right,
        }
    }

    /// `(x + 1) + 2`: exact for whole numbers, and for spans of one direction, which leave the range of times at one end only.
    fn summed(&mut self, left: TermId, right: TermId, ty: Type, whole: bool) -> Option<TermId> {
        let Term::Arithmetic(ArithmeticOp::Add, base, first, inner) = *self.arena.get(left) else {
            return None;
        };
        if inner != ty {
            return None;
        }
        let sum = match (self.arena.get(first), self.arena.get(right)) {
            (Term::Constant(Constant::Long(a)), Term::Constant(Constant::Long(b)))
                if whole && ty == Type::Long =>
            {
                Constant::Long(a.wrapping_add(*b))
            }
            (Term::Constant(Constant::Timespan(a)), Term::Constant(Constant::Timespan(b)))
                if ty == Type::Datetime && (*a >= 0) == (*b >= 0) =>
            {
                Constant::Timespan(a.checked_add(*b)?)
            }
            _ => return None,
        };
        let sum = self.arena.constant(sum);
        Some(self.arena.term(Term::Arithmetic(ArithmeticOp::Add, base, sum, ty)))
    }

    pub fn negate(&mut self, term: TermId, ty: Type) -> TermId {
        let make = |mut args: Vec<Expr>| {
            Expr::new(ExprKind::Negate(Box::new(args.swap_remove(0))), ty, Span::default())
        };
        // A real zero negated is the other zero, which stands as this very node.
        let zero = matches!(self.arena.get(term), Term::Constant(Constant::Real(0)));
        if !zero && let Some(value) = self.folded(&[term], make) {
            return value;
        }
        self.arena.term(Term::Negate(term))
    }

    pub fn member(&mut self, base: TermId, name: &SmolStr) -> TermId {
        let make = |mut args: Vec<Expr>| {
            Expr::new(
                ExprKind::Member(Box::new(args.swap_remove(0)), name.clone()),
                Type::Dynamic,
                Span::default(),
            )
        };
        if let Some(value) = self.folded(&[base], make) {
            return value;
        }
        self.arena.term(Term::Member(base, name.clone()))
    }

    pub fn index(&mut self, base: TermId, index: TermId) -> TermId {
        let make = |mut args: Vec<Expr>| {
            let index = Box::new(args.pop().unwrap_or_else(|| Expr::bool(false, Span::default())));
            Expr::new(ExprKind::Index(Box::new(args.swap_remove(0)), index), Type::Dynamic, Span::default())
        };
        if let Some(value) = self.folded(&[base, index], make) {
            return value;
        }
        // `x["a"]` is `x.a`.
        if let Some(name) = self.known_text(index) {
            return self.member(base, &name);
        }
        self.arena.term(Term::Index(base, index))
    }

    /// The value of the first condition that holds.
    pub fn case(&mut self, branches: Vec<(FormulaId, TermId)>, otherwise: TermId) -> Made<TermId> {
        self.count(branches.len())?;
        let mut kept: Vec<(FormulaId, TermId)> = Vec::with_capacity(branches.len());
        let mut otherwise = otherwise;
        for (condition, value) in branches {
            match self.arena.get_formula(condition) {
                Formula::False => continue,
                Formula::True => {
                    otherwise = value;
                    break;
                }
                Formula::And(_) | Formula::Or(_) | Formula::Literal { .. } => {}
            }
            match kept.last_mut() {
                // Two branches with one value are one branch.
                Some((before, same)) if *same == value => *before = self.arena.or([*before, condition]),
                _ => kept.push((condition, value)),
            }
        }
        // A choice in the last place goes on with the same questions.
        if let Term::Case(more, last) = self.arena.get(otherwise).clone() {
            kept.extend(more.iter().copied());
            otherwise = last;
        }
        while kept.last().is_some_and(|(_, value)| *value == otherwise) {
            kept.pop();
        }
        if kept.is_empty() {
            return Ok(otherwise);
        }
        // Of two values either may come first.
        if let [(condition, value)] = kept.as_mut_slice() {
            let not = self.arena.not(*condition);
            if not < *condition {
                *condition = not;
                std::mem::swap(value, &mut otherwise);
            }
        }
        let term = self.arena.term(Term::Case(kept.into(), otherwise));
        self.shallow_term(term)
    }

    /// A test as a value.
    pub fn truth(&mut self, holds: FormulaId, fails: FormulaId) -> TermId {
        match (self.arena.get_formula(holds), self.arena.get_formula(fails)) {
            (Formula::True, _) => return self.arena.constant(Constant::Bool(true)),
            (_, Formula::True) => return self.arena.constant(Constant::Bool(false)),
            (Formula::False, Formula::False) => return self.arena.constant(Constant::Null(Type::Bool)),
            (Formula::Literal { atom: Atom::True(term), negated: false }, _) => {
                // A column that was read as a test and is a value again.
                let term = *term;
                if self.fails_of(term) == fails {
                    return term;
                }
            }
            _ => {}
        }
        self.arena.term(Term::Truth { holds, fails })
    }

    pub fn function(&self, name: &str) -> Option<&'static FunctionDef> {
        find(name, FunctionKind::Scalar)
    }
}
