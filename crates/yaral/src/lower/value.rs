//! Values: IR to YARA-L.
//!
//! Fields of events stand for themselves. Times and lengths of time are whole seconds. What YARA-L gives for text or numbers
//! that are absent is its zero value; conditions tell where that matters.

use super::columns::Origin;
use super::text::{author_pattern, escaped, groups, replacement};
use super::{At, Lowerer, Place};
use crate::plain;
use crate::syntax::is_identifier;
use crate::syntax::tree::{self, ArithOp, Expr as Tree, Step};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{self as ir, ArithmeticOp, ExprKind, TICKS_PER_SECOND, Type, Value};
use ruleferry_targets::yaral;
use smol_str::SmolStr;

/// Ticks from year 1 to 1970.
const EPOCH: i64 = 621_355_968_000_000_000;

/// Functions of a time, and the function of YARA-L for it.
const TIME_PARTS: &[(&str, &str)] = &[("hourofday", "timestamp.get_hour")];

/// `datetime_part("hour", t)`.
const NAMED_PARTS: &[(&str, &str)] = &[("hour", "timestamp.get_hour"), ("minute", "timestamp.get_minute")];

impl<'q> Lowerer<'q> {
    pub(super) fn value(&mut self, at: At<'q>) -> Tree {
        let error = Tree::new(tree::ExprKind::Error);
        self.deeper(at.e.span, error, |l| l.value_inside(at))
    }

    fn value_inside(&mut self, at: At<'q>) -> Tree {
        let span = at.e.span;
        let at = self.behind(at);
        let inner = |e| At { e, ..at };
        if let ExprKind::Literal(value) = &at.e.kind {
            return match self.literal(value, span) {
                Some(e) => e,
                None => self.cannot(span, "this constant"),
            };
        }
        if let Some(constant) = self.constant(at)
            && let Some(e) = self.literal(&constant, span)
        {
            return e;
        }
        if self.place == Place::Condition {
            return self.in_condition(at);
        }
        match &at.e.kind {
            ExprKind::Column(id) => self.column(at.scope, *id, at.e.ty, span),
            ExprKind::Member(base, name) => self.member(inner(base), Step::Name(name.clone()), span),
            ExprKind::Index(base, index) => {
                if let Some(e) = self.element_of_split(inner(base), inner(index)) {
                    return e;
                }
                let step = match self.constant(inner(index)) {
                    Some(Value::String(name)) if is_identifier(&name) => Step::Name(name),
                    Some(Value::String(name)) => Step::Key(crate::syntax::literal::Text::quoted(name)),
                    Some(Value::Long(n)) if u32::try_from(n).is_ok() => {
                        Step::Index(u32::try_from(n).unwrap_or(0))
                    }
                    Some(Value::Int(n)) if n >= 0 => Step::Index(n.unsigned_abs()),
                    Some(_) | None => return self.cannot(span, "an element at a place that is computed"),
                };
                self.member(inner(base), step, span)
            }
            ExprKind::Arithmetic(a) => self.arithmetic(a, at),
            ExprKind::Negate(e) => {
                let zero = Tree::int(0);
                let value = self.value(inner(e));
                zero.arith(ArithOp::Sub, value)
            }
            ExprKind::Call(f, args) => self.call(f.name, args, at),
            ExprKind::Cast(cast) => self.cast(cast, at),
            ExprKind::Case(branches, otherwise) if self.place == Place::Outcome => {
                let mut out = self.value(inner(otherwise));
                for (condition, value) in branches.iter().rev() {
                    let condition = self.when(inner(condition), false);
                    let value = self.value(inner(value));
                    out = match condition {
                        super::cond::Cond::Const(true) => value,
                        super::cond::Cond::Const(false) => out,
                        super::cond::Cond::Is(test) => Tree::call("if", [test, value, out]),
                    };
                }
                out
            }
            ExprKind::Opaque(opaque) => {
                let message = format!("`{}` has no YARA-L form: {}", opaque.text, opaque.reason);
                self.refuse(codes::YARAL_OUT_CONDITION, span, message, "")
            }
            ExprKind::Now => {
                let message = "a rule is run on events as they come: it has no `now()` to compare with";
                let help = "say how far the rule looks back: `where TimeGenerated > ago(1d)`";
                self.refuse(codes::YARAL_OUT_TIME, span, message, help)
            }
            ExprKind::Case(..) => self.cannot(span, "a value that conditions choose, outside of the outcome"),
            ExprKind::Subquery(_) => self.cannot(span, "a value that a query finds"),
            ExprKind::Literal(_)
            | ExprKind::Let(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_) => self.cannot(span, "this value"),
        }
    }

    /// A constant; `None` for those that no field is compared with.
    pub(super) fn literal(&mut self, value: &Value, _span: Span) -> Option<Tree> {
        Some(match value {
            Value::Bool(b) => Tree::bool(*b),
            Value::Int(n) => Tree::int(i64::from(*n)),
            Value::Long(n) => Tree::int(*n),
            Value::Real(x) => Tree::float(*x)?,
            Value::Decimal(digits) => Tree::float(digits.parse().ok()?)?,
            Value::String(text) | Value::Guid(text) => Tree::text(text.clone()),
            Value::Datetime(ticks) => {
                let since = ticks.checked_sub(EPOCH)?;
                if since % TICKS_PER_SECOND != 0 {
                    return None;
                }
                Tree::int(since / TICKS_PER_SECOND)
            }
            Value::Timespan(ticks) => {
                if ticks % TICKS_PER_SECOND != 0 {
                    return None;
                }
                Tree::int(ticks / TICKS_PER_SECOND)
            }
            Value::Null(_) | Value::Dynamic(_) => return None,
        })
    }

    pub(super) fn column(&mut self, scope: u32, id: ir::ColId, ty: Type, span: Span) -> Tree {
        let column = self.resolve((scope, id));
        if self.place.of_groups()
            && let Some(key) = self.keys.get(&column).and_then(|i| self.placeholders.get(*i))
        {
            return Tree::var(key.name.clone());
        }
        match self.origins.get(&column).copied() {
            Some(Origin::Field { event, name }) if self.place == Place::Events => self.field(event, name, ty),
            Some(Origin::Time { event, .. }) if self.place == Place::Events => {
                self.assume("times of events are compared in whole seconds");
                self.event_path(event, plain::EVENT_SECONDS)
            }
            Some(Origin::Field { .. } | Origin::Time { .. }) => {
                self.cannot(span, "a field of single events among their counts")
            }
            Some(Origin::Aggregate(index, part)) => self.aggregate_variable(index, part, span),
            Some(Origin::Nothing(why)) => self.cannot(span, why),
            Some(Origin::Column(_) | Origin::Computed(_)) | None => {
                let name = self.query.columns.name(id).to_owned();
                self.cannot(span, &format!("the column `{name}`"))
            }
        }
    }

    fn field(&mut self, event: usize, name: &str, ty: Type) -> Tree {
        let field = self.event_field(event, name);
        // The values of this map are text.
        let mapped = matches!(field.steps.last(), Some(Step::Key(_)));
        let field = field.expr();
        match ty {
            Type::Int | Type::Long if mapped => Tree::call("cast.as_int", [field]),
            Type::Real | Type::Decimal if mapped => Tree::call("cast.as_float", [field]),
            Type::Bool if mapped => Tree::call("cast.as_bool", [field]),
            Type::Bool
            | Type::Int
            | Type::Long
            | Type::Real
            | Type::Decimal
            | Type::String
            | Type::Datetime
            | Type::Timespan
            | Type::Guid
            | Type::Dynamic
            | Type::Unknown => field,
        }
    }

    /// A member of a value that is a field itself.
    fn member(&mut self, base: At<'q>, step: Step, span: Span) -> Tree {
        let base = self.value(base);
        let tree::ExprKind::Field(field) = base.kind else {
            if base.kind == tree::ExprKind::Error {
                return base;
            }
            return self.cannot(span, "a member of a value that is computed");
        };
        if matches!(field.steps.last(), Some(Step::Key(_))) {
            return self.cannot(span, "a member of a field that holds text");
        }
        let step = match step {
            Step::Name(name) if !is_identifier(&name) => {
                Step::Key(crate::syntax::literal::Text::quoted(name))
            }
            step => step,
        };
        field.step(step).expr()
    }

    /// `split(x, ",")[1]`
    fn element_of_split(&mut self, base: At<'q>, index: At<'q>) -> Option<Tree> {
        let base = self.behind(base);
        let ExprKind::Call(f, args) = &base.e.kind else { return None };
        let ([text, by], "split") = (args.as_slice(), f.name) else { return None };
        let by = self.constant_text(At { e: by, ..base }).filter(|t| !t.is_empty())?;
        let index = match self.constant(index)? {
            Value::Long(n) => n,
            Value::Int(n) => i64::from(n),
            _ => return None,
        };
        let text = self.value(At { e: text, ..base });
        let list = Tree::call("strings.split", [text, Tree::text(by)]);
        Some(Tree::call("arrays.index_to_str", [list, Tree::int(index)]))
    }

    fn arithmetic(&mut self, a: &'q ir::Arithmetic, at: At<'q>) -> Tree {
        let op = match a.op {
            ArithmeticOp::Add => ArithOp::Add,
            ArithmeticOp::Sub => ArithOp::Sub,
            ArithmeticOp::Mul => ArithOp::Mul,
            ArithmeticOp::Div if at.e.ty == Type::Real => ArithOp::Div,
            ArithmeticOp::Mod if at.e.ty.is_integer() => ArithOp::Rem,
            ArithmeticOp::Div | ArithmeticOp::Mod => {
                return self.cannot(at.e.span, "a division of whole numbers, or what remains of one");
            }
        };
        let left = self.value(At { e: &a.left, ..at });
        let right = self.value(At { e: &a.right, ..at });
        left.arith(op, right)
    }

    fn cast(&mut self, cast: &'q ir::Cast, at: At<'q>) -> Tree {
        let inner = At { e: &cast.expr, ..at };
        let from = self.behind(inner).e.ty;
        let from = if from == Type::Unknown { cast.expr.ty } else { from };
        let value = self.value(inner);
        let call = |name: &str, value: Tree| Tree::call(name, [value]);
        match (from, cast.to) {
            (from, to) if from == to || cast.implicit => value,
            (Type::Dynamic | Type::Unknown, Type::Datetime | Type::Timespan) => self.no_time(at.e.span),
            // A member of an event has the type that it has.
            (Type::Dynamic | Type::Unknown, _) | (_, Type::Dynamic) => value,
            (Type::Guid, Type::String) | (Type::String, Type::Guid) => value,
            (Type::Int | Type::Long, Type::Int | Type::Long | Type::Real | Type::Decimal) => value,
            (Type::Real, Type::Decimal) | (Type::Decimal, Type::Real) => value,
            (Type::Int | Type::Long | Type::Real | Type::Decimal | Type::Bool, Type::String) => {
                call("cast.as_string", value)
            }
            (Type::String, Type::Int | Type::Long) => call("cast.as_int", value),
            (Type::String, Type::Real | Type::Decimal) => call("cast.as_float", value),
            (Type::String, Type::Bool) => call("cast.as_bool", value),
            _ => self.no_time(at.e.span),
        }
    }

    fn no_time(&mut self, span: Span) -> Tree {
        let message = "a conversion that YARA-L has not";
        let help = "the only time of an event is the time column of its table";
        self.refuse(codes::YARAL_OUT_TIME, span, message, help)
    }

    fn call(&mut self, name: &'static str, args: &'q [ir::Expr], at: At<'q>) -> Tree {
        let span = at.e.span;
        let inner = |e| At { e, ..at };
        match (name, args) {
            ("parse_json" | "todynamic" | "parse_xml", [text]) if name != "parse_xml" => {
                let value = self.value(inner(text));
                if matches!(value.kind, tree::ExprKind::Field(_)) {
                    self.assume("fields that hold JSON are parsed: their members are fields of the event");
                }
                value
            }
            ("extract", [pattern, group, text]) => {
                let pattern = self.constant_text(inner(pattern));
                let group = self.constant(inner(group));
                self.capture(pattern, group, inner(text), span)
            }
            ("replace_string", [text, from, to]) => {
                let (from, to) = (self.constant_text(inner(from)), self.constant_text(inner(to)));
                match (from, to) {
                    (Some(from), Some(to)) if !from.is_empty() => {
                        let text = self.value(inner(text));
                        let pattern = Tree::raw_text(format!("(?s){}", escaped(&from)));
                        Tree::call("re.replace", [text, pattern, Tree::text(replacement(&to))])
                    }
                    _ => self.cannot(span, "a replacement of computed text"),
                }
            }
            ("replace_regex", [text, pattern, to]) => {
                let (pattern, to) = (self.constant_text(inner(pattern)), self.constant_text(inner(to)));
                match (pattern.map(|p| author_pattern(&p)), to) {
                    (Some(Ok(pattern)), Some(to)) => {
                        let text = self.value(inner(text));
                        Tree::call("re.replace", [text, Tree::raw_text(pattern), Tree::text(to)])
                    }
                    _ => self.refuse(
                        codes::YARAL_OUT_PATTERN,
                        span,
                        "YARA-L replaces constant patterns of RE2 by constant text",
                        "",
                    ),
                }
            }
            ("array_length", [list]) => match self.distinct_count(inner(list), span) {
                Some(e) => e,
                None => self.mapped(name, args, at),
            },
            ("strcat_delim", [by, texts @ ..]) if !texts.is_empty() => {
                let by = self.value(inner(by));
                let mut all = Vec::with_capacity(texts.len() * 2);
                for text in texts {
                    if !all.is_empty() {
                        all.push(by.clone());
                    }
                    all.push(self.value(inner(text)));
                }
                Tree::call("strings.concat", all)
            }
            ("datetime_part", [part, time]) => {
                let part = self.constant_text(inner(part));
                let named = NAMED_PARTS
                    .iter()
                    .find(|(n, _)| part.as_deref().is_some_and(|p| p.eq_ignore_ascii_case(n)));
                match named {
                    Some((_, function)) => self.time_part(function, inner(time), span),
                    None => self.no_function(name, span),
                }
            }
            (_, [time]) if TIME_PARTS.iter().any(|(n, _)| *n == name) => {
                let function = TIME_PARTS.iter().find(|(n, _)| *n == name).map_or("", |(_, f)| f);
                self.time_part(function, inner(time), span)
            }
            _ => self.mapped(name, args, at),
        }
    }

    fn time_part(&mut self, function: &str, time: At<'q>, span: Span) -> Tree {
        match self.column_origin(time) {
            Some(Origin::Time { .. }) => {
                let time = self.value(time);
                Tree::call(function, [time])
            }
            _ => self.no_time(span),
        }
    }

    fn mapped(&mut self, name: &'static str, args: &'q [ir::Expr], at: At<'q>) -> Tree {
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let Some(function) = yaral::function(name, &types) else {
            return self.no_function(name, at.e.span);
        };
        if let Some(differs) = function.differs {
            self.assume(format!("`{}`: {differs}", function.call));
        }
        let args: Vec<Tree> = args.iter().map(|e| self.value(At { e, ..at })).collect();
        Tree::call(function.call, args)
    }

    fn no_function(&mut self, name: &str, span: Span) -> Tree {
        let message = format!("YARA-L has no function for `{name}(…)`");
        let help = "write the value with functions that YARA-L has";
        self.refuse(codes::YARAL_OUT_FUNCTION, span, message, help)
    }

    /// `extract(pattern, group, text)`: YARA-L gives the one group, or the whole where there is none.
    fn capture(&mut self, pattern: Option<SmolStr>, group: Option<Value>, text: At<'q>, span: Span) -> Tree {
        let group = match group {
            Some(Value::Long(n)) => n,
            Some(Value::Int(n)) => i64::from(n),
            _ => -1,
        };
        let Some((pattern, count)) = pattern.and_then(|p| groups(&p).map(|n| (p, n))) else {
            let message = "only constant patterns of RE2 can be cut out of text";
            return self.refuse(codes::YARAL_OUT_PATTERN, span, message, "");
        };
        if !(group == 1 && count == 1 || group == 0 && count == 0) {
            let message =
                "YARA-L cuts out the one group of a pattern, or all that it finds where it has none";
            let help = "write other groups as `(?:…)`";
            return self.refuse(codes::YARAL_OUT_PATTERN, span, message, help);
        }
        match author_pattern(&pattern) {
            Ok(pattern) => {
                let text = self.value(text);
                Tree::call("re.capture", [text, Tree::raw_text(pattern)])
            }
            Err(reason) => {
                let message = format!("the regular expression has no YARA-L form: {reason}");
                self.refuse(codes::YARAL_OUT_PATTERN, span, message, "")
            }
        }
    }
}
