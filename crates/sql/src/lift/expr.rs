//! Scalar expressions.
//!
//! Tests are read in [`super::test`]; here all that is a value. What is a template of the target's data is read by it; what is left
//! are the forms of SQL itself.

use super::block::Block;
use super::nulls::Nulls;
use super::unify::{bare, function_name, plain_args, same};
use super::{Lifter, Place, Result, Val, json, literal, nulls};
use ruleferry_diag::Span;
use ruleferry_ir::functions::{self, ArithOp, FunctionKind, binary_result};
use ruleferry_ir::{self as ir, ArithmeticOp, Expr, ExprKind, Type, Value};
use sqlparser::ast::{self, BinaryOperator, UnaryOperator};

impl<'q> Lifter<'q> {
    /// A value.
    pub(super) fn value(&mut self, block: &mut Block<'q>, e: &'q ast::Expr) -> Result<Val> {
        self.deeper(|l| l.value_inner(block, bare(e)))
    }

    fn value_inner(&mut self, block: &mut Block<'q>, e: &'q ast::Expr) -> Result<Val> {
        if let Some(val) = self.known_value(e) {
            return Ok(val);
        }
        match e {
            ast::Expr::Value(v) => return self.literal(v, e),
            ast::Expr::TypedString(t) => return self.typed_string(t, e),
            ast::Expr::Interval(i) => return self.interval(i, e),
            ast::Expr::Identifier(i) => return self.named(block, i),
            ast::Expr::CompoundIdentifier(parts) => return self.compound(block, parts),
            _ => {}
        }
        if is_test(e) {
            return self.test_value(block, e);
        }
        let refused = match self.template_value(block, e) {
            Ok(Some(val)) => return Ok(val),
            Ok(None) => None,
            Err(refusal) => Some(refusal),
        };
        // The forms of SQL itself; where they do not fit either, the template knows better what is wrong.
        match self.recipe_value(block, e) {
            Ok(Some(val)) => return Ok(val),
            Ok(None) => {}
            Err(own) => return Err(refused.unwrap_or(own)),
        }
        self.form(block, e).map_err(|own| refused.unwrap_or(own))
    }

    fn form(&mut self, block: &mut Block<'q>, e: &'q ast::Expr) -> Result<Val> {
        match e {
            ast::Expr::BinaryOp { left, op, right } => self.binary(block, left, op, right, e),
            ast::Expr::UnaryOp { op: UnaryOperator::Minus, expr } => self.negative(block, expr, e),
            ast::Expr::Cast { kind, expr, data_type, .. } => self.cast(block, kind, expr, data_type, e),
            ast::Expr::Case { operand: None, conditions, else_result, .. } => {
                self.case(block, conditions, else_result.as_deref(), e)
            }
            ast::Expr::Function(f) => self.function_call(block, f, e),
            ast::Expr::Subquery(query) => self.scalar_query(query, e),
            // The parser takes an arrow behind a name for that of a lambda.
            ast::Expr::Lambda(l) if l.syntax == ast::LambdaSyntax::Arrow => match &l.params {
                ast::OneOrManyWithParens::One(p) if p.data_type.is_none() => {
                    let base = self.named(block, &p.name)?;
                    self.json_path(base, false, &l.body, e)
                }
                _ => Err(self.function(e, "a lambda")),
            },
            ast::Expr::Array(array) => self.array(block, &array.elem, e),
            ast::Expr::CompoundFieldAccess { root, access_chain } => {
                self.access(block, root, access_chain, e)
            }
            ast::Expr::AtTimeZone { timestamp, time_zone }
                if literal::constant_text(time_zone).is_some_and(|z| z.eq_ignore_ascii_case("utc")) =>
            {
                self.value(block, timestamp)
            }
            _ => Err(self.function(e, format!("`{}`", short(e)))),
        }
    }

    /// What was read of a tree already: an aggregate or a group key below it.
    pub(super) fn known_value(&self, e: &ast::Expr) -> Option<Val> {
        let known = self.known.get(&std::ptr::from_ref(e).addr());
        let keyed = || self.keyed.iter().find(|(node, _)| same(node, e)).map(|(_, val)| val);
        known.or_else(keyed).cloned()
    }

    /// A test whose three answers are looked at.
    fn test_value(&mut self, block: &mut Block<'q>, e: &'q ast::Expr) -> Result<Val> {
        let test = self.test(block, e, Place::Exact)?;
        Ok(if super::test::two_valued(&test) { Val::present(test) } else { Val::exact(test) })
    }

    fn binary(
        &mut self,
        block: &mut Block<'q>,
        left: &'q ast::Expr,
        op: &BinaryOperator,
        right: &'q ast::Expr,
        node: &'q ast::Expr,
    ) -> Result<Val> {
        let arithmetic = match op {
            BinaryOperator::Arrow | BinaryOperator::LongArrow => {
                return self.json_arrow(block, left, *op == BinaryOperator::LongArrow, right, node);
            }
            BinaryOperator::Plus => ArithmeticOp::Add,
            BinaryOperator::Minus => ArithmeticOp::Sub,
            BinaryOperator::Multiply => ArithmeticOp::Mul,
            BinaryOperator::Divide | BinaryOperator::DuckIntegerDivide => ArithmeticOp::Div,
            BinaryOperator::Modulo => return self.modulo(block, left, right, node),
            BinaryOperator::StringConcat => return self.concat(block, left, right, node),
            _ => return Err(self.function(node, format!("the operator `{op}`"))),
        };
        if *op == BinaryOperator::Divide
            && let (Some(l), Some(r)) = (epoch(left), epoch(right))
        {
            // Seconds by seconds: how often one span goes into another.
            let (l, r) = (self.value(block, l)?, self.value(block, r)?);
            if l.e.ty == Type::Timespan && r.e.ty == Type::Timespan {
                return self.arithmetic_value(ArithmeticOp::Div, l, r, node);
            }
            return Err(self.types(node, "`epoch` of what is no span"));
        }
        let zero = matches!(bare(left), ast::Expr::Interval(_)) && arithmetic == ArithmeticOp::Sub;
        let (mut l, mut r) = (self.value(block, left)?, self.value(block, right)?);
        self.numbers(&mut l, &mut r);
        if zero && r.e.ty == Type::Timespan && matches!(l.e.as_literal(), Some(Value::Timespan(0))) {
            return Ok(negate(r));
        }
        let whole = l.e.ty.is_integer() && r.e.ty.is_integer();
        match op {
            // `/` of whole numbers is a real number in most dialects; `//` is for those.
            BinaryOperator::Divide if whole && !self.traits.whole_division => {
                let l = Val { e: l.e.cast(Type::Real, true), ..l };
                self.arithmetic_value(arithmetic, l, r, node)
            }
            BinaryOperator::DuckIntegerDivide if !whole => {
                Err(self.types(node, "`//` of what are no whole numbers"))
            }
            _ => self.arithmetic_value(arithmetic, l, r, node),
        }
    }

    pub(super) fn arithmetic_value(
        &mut self,
        op: ArithmeticOp,
        left: Val,
        right: Val,
        node: &ast::Expr,
    ) -> Result<Val> {
        let catalogue = match op {
            ArithmeticOp::Add => ArithOp::Add,
            ArithmeticOp::Sub => ArithOp::Sub,
            ArithmeticOp::Mul => ArithOp::Mul,
            ArithmeticOp::Div => ArithOp::Div,
            ArithmeticOp::Mod => ArithOp::Mod,
        };
        let known = |t: Type| t.is_numeric() || matches!(t, Type::Datetime | Type::Timespan);
        let ty = binary_result(catalogue, left.e.ty, right.e.ty);
        let Some(ty) = ty.filter(|_| known(left.e.ty) && known(right.e.ty)) else {
            let message = format!("arithmetic on `{}` and `{}`", left.e.ty, right.e.ty);
            return Err(self.types(node, message));
        };
        let divides = matches!(op, ArithmeticOp::Div | ArithmeticOp::Mod);
        let sql = left.nulls.sql || right.nulls.sql || divides;
        let e = Expr::arithmetic(op, left.e, right.e, ty, self.span(node));
        Ok(Val::new(e, Nulls { sql, ..Nulls::EXACT }))
    }

    /// `(a % b + abs(b)) % abs(b)`: the remainder that is never negative.
    fn modulo(
        &mut self,
        block: &mut Block<'q>,
        left: &'q ast::Expr,
        right: &'q ast::Expr,
        node: &'q ast::Expr,
    ) -> Result<Val> {
        if let ast::Expr::BinaryOp { left: once, op: BinaryOperator::Plus, right: size } = bare(left)
            && let ast::Expr::BinaryOp { left: a, op: BinaryOperator::Modulo, right: b } = bare(once)
            && same(size, right)
        {
            let sized = match bare(size) {
                ast::Expr::Function(f) if function_name(f).as_deref() == Some("abs") => {
                    plain_args(f).is_some_and(|args| matches!(args.as_slice(), [one] if same(one, b)))
                }
                // A literal is positive: a sign would be an operator.
                ast::Expr::Value(_) => same(size, b),
                _ => false,
            };
            if sized {
                let (a, b) = (self.value(block, a)?, self.value(block, b)?);
                return self.arithmetic_value(ArithmeticOp::Mod, a, b, node);
            }
        }
        let (mut a, mut b) = (self.value(block, left)?, self.value(block, right)?);
        self.numbers(&mut a, &mut b);
        if !(a.e.ty.is_integer() && b.e.ty.is_integer()) {
            return Err(self.types(node, "a remainder of what are no whole numbers"));
        }
        // It has the sign of the first number; that of the IR is never negative.
        let quotient = self.arithmetic_value(ArithmeticOp::Div, a.clone(), b.clone(), node)?;
        let product = self.arithmetic_value(ArithmeticOp::Mul, quotient, b, node)?;
        self.arithmetic_value(ArithmeticOp::Sub, a, product, node)
    }

    /// Columns that nothing told the type of are numbers where they are reckoned with.
    fn numbers(&mut self, left: &mut Val, right: &mut Val) {
        let (l, r) = (left.e.ty, right.e.ty);
        let of = |other: Type| match other {
            Type::Timespan => Type::Datetime,
            Type::String => Type::Long,
            other => other,
        };
        if l == Type::String {
            self.settle(left, of(r));
        }
        if r == Type::String {
            self.settle(right, if l == Type::String { Type::Long } else { of(left.e.ty) });
        }
    }

    /// `a || b`: NULL if one of them is.
    fn concat(
        &mut self,
        block: &mut Block<'q>,
        left: &'q ast::Expr,
        right: &'q ast::Expr,
        node: &'q ast::Expr,
    ) -> Result<Val> {
        let mut parts = Vec::new();
        for side in [left, right] {
            let val = self.value(block, side)?;
            parts.push(match val.e.ty {
                Type::String => val,
                Type::Int | Type::Long | Type::Bool => self.cast_to_text(val),
                ty => return Err(self.types(node, format!("`||` of `{ty}`"))),
            });
        }
        let Some(def) = functions::find("strcat", FunctionKind::Scalar) else {
            return Err(self.function(node, "`||`"));
        };
        let mut conditions = Vec::new();
        for part in &parts {
            match self.cond(part) {
                Ok(c) => conditions.extend(c),
                Err(()) => return Err(self.null(node, "a text")),
            }
        }
        let never_empty = parts.iter().any(|p| p.nulls.never_empty && !p.nulls.sql);
        // Chains are one call.
        let mut args = Vec::new();
        for part in parts {
            match part.e.kind {
                ExprKind::Call(own, inner) if std::ptr::eq(own, def) => args.extend(inner),
                // The whole is blank where a part is.
                ExprKind::Case(branches, otherwise) => match (branches.as_slice(), &otherwise.kind) {
                    ([(_, blank)], ExprKind::Call(own, inner))
                        if std::ptr::eq(*own, def)
                            && blank.as_literal().and_then(Value::as_str) == Some("")
                            && part.nulls.sql =>
                    {
                        args.extend(inner.iter().cloned());
                    }
                    _ => {
                        args.push(Expr::new(ExprKind::Case(branches, otherwise), part.e.ty, part.e.span));
                    }
                },
                kind => args.push(Expr::new(kind, part.e.ty, part.e.span)),
            }
        }
        let e = Expr::new(ExprKind::Call(def, args), Type::String, self.span(node));
        if conditions.is_empty() {
            return Ok(Val::new(e, Nulls { never_empty, ..Nulls::PRESENT }));
        }
        let null = Expr::or(conditions, Span::default());
        let e = nulls::blank_where(null.clone(), e);
        Ok(Val::new(e, Nulls { never_empty, ..Nulls::when(Some(null)) }))
    }

    /// `[a, b]`
    fn array(&mut self, block: &mut Block<'q>, items: &'q [ast::Expr], node: &'q ast::Expr) -> Result<Val> {
        let Some(def) = functions::find("pack_array", FunctionKind::Scalar) else {
            return Err(self.function(node, "a list"));
        };
        let mut args = Vec::with_capacity(items.len());
        for item in items {
            let val = self.value(block, item)?;
            args.push(match self.cond(&val) {
                Ok(Some(null)) if val.e.ty == Type::String => self.or_null(val.e, null),
                Ok(_) => val.e,
                Err(()) => return Err(self.null(node, "a text in a list")),
            });
        }
        Ok(Val::present(Expr::new(ExprKind::Call(def, args), Type::Dynamic, self.span(node))))
    }

    /// `x['a']`, `x[1]`, `x.a.b`
    fn access(
        &mut self,
        block: &mut Block<'q>,
        root: &'q ast::Expr,
        chain: &'q [ast::AccessExpr],
        node: &'q ast::Expr,
    ) -> Result<Val> {
        let mut val = self.value(block, root)?;
        self.settle(&mut val, Type::Dynamic);
        if val.e.ty != Type::Dynamic {
            return Err(self.types(node, format!("a part of `{}`", val.e.ty)));
        }
        for step in chain {
            let kind = match step {
                ast::AccessExpr::Dot(ast::Expr::Identifier(name)) => {
                    ExprKind::Member(Box::new(val.e), name.value.as_str().into())
                }
                ast::AccessExpr::Subscript(ast::Subscript::Index { index }) => {
                    match (literal::constant_text(index), literal::constant_number(index)) {
                        (Some(name), _) => ExprKind::Member(Box::new(val.e), name.into()),
                        (None, Some(n)) if self.traits.from_zero || n > 0 => {
                            let n = if self.traits.from_zero { n } else { n - 1 };
                            let n = Expr::literal(Value::Long(n), Span::default());
                            ExprKind::Index(Box::new(val.e), Box::new(n))
                        }
                        _ => return Err(self.function(node, "this subscript")),
                    }
                }
                _ => return Err(self.function(node, "this part of a value")),
            };
            val = Val::exact(Expr::new(kind, Type::Dynamic, self.span(node)));
        }
        Ok(val)
    }

    fn negative(&mut self, block: &mut Block<'q>, inner: &'q ast::Expr, node: &'q ast::Expr) -> Result<Val> {
        if let ast::Expr::Value(v) = bare(inner)
            && let ast::Value::Number(digits, _) = &v.value
            && let Ok(n) = format!("-{digits}").parse::<i64>()
        {
            return Ok(Val::present(Expr::literal(Value::Long(n), Span::default())));
        }
        let val = self.value(block, inner)?;
        match val.e.as_literal() {
            Some(Value::Long(n)) => {
                Ok(Val::present(Expr::literal(Value::Long(n.saturating_neg()), Span::default())))
            }
            Some(Value::Real(x)) => Ok(Val::present(Expr::literal(Value::Real(-x), Span::default()))),
            _ if val.e.ty.is_numeric() => Ok(negate(val)),
            _ => Err(self.types(node, format!("`-` of `{}`", val.e.ty))),
        }
    }

    fn cast(
        &mut self,
        block: &mut Block<'q>,
        kind: &ast::CastKind,
        inner: &'q ast::Expr,
        data_type: &ast::DataType,
        node: &'q ast::Expr,
    ) -> Result<Val> {
        let Some(to) = literal::type_of(data_type) else {
            return Err(self.function(node, format!("a cast to `{data_type}`")));
        };
        let date = matches!(data_type, ast::DataType::Date | ast::DataType::Date32);
        let constant = match bare(inner) {
            ast::Expr::Value(v) => Some(&v.value),
            _ => None,
        };
        let value = match (constant, to) {
            (Some(ast::Value::Null), _) => Some(Value::Null(to)),
            (Some(ast::Value::SingleQuotedString(text)), Type::Dynamic) => {
                let Some(json) = literal::json(text) else {
                    return Err(self.function(node, "a text that is no JSON"));
                };
                Some(Value::Dynamic(json))
            }
            (Some(ast::Value::SingleQuotedString(text)), Type::Long) => text.parse().ok().map(Value::Long),
            (Some(ast::Value::SingleQuotedString(text)), Type::Real) => match text.as_str() {
                "NaN" => Some(Value::Real(f64::NAN)),
                "Infinity" => Some(Value::Real(f64::INFINITY)),
                "-Infinity" => Some(Value::Real(f64::NEG_INFINITY)),
                _ => None,
            },
            (Some(ast::Value::SingleQuotedString(text)), Type::Datetime) => {
                literal::timestamp(text).map(Value::Datetime)
            }
            (Some(ast::Value::SingleQuotedString(text)), Type::Timespan) => {
                literal::spelled(text).map(Value::Timespan)
            }
            (Some(ast::Value::Number(digits, _)), Type::Real) if digits.contains('.') => {
                digits.parse().ok().map(Value::Real)
            }
            (Some(ast::Value::Number(digits, _)), Type::Decimal) => {
                Some(Value::Decimal(digits.as_str().into()))
            }
            _ => None,
        };
        if let Some(value) = value {
            let null = matches!(value, Value::Null(_));
            let e = Expr::literal(value, Span::default());
            return Ok(match (null, to) {
                // A NULL text: the constant is "" in the IR.
                (true, Type::String) => Val::new(e, Nulls::when(Some(Expr::bool(true, Span::default())))),
                (true, _) => Val::exact(e),
                (false, _) => Val::present(e),
            });
        }
        let mut val = self.value(block, inner)?;
        if val.e.ty == to && !date {
            return Ok(val);
        }
        if to == Type::Datetime || to == Type::Dynamic {
            self.settle(&mut val, to);
        }
        if date && val.e.ty == Type::Datetime {
            let Some(def) = functions::find("startofday", FunctionKind::Scalar) else {
                return Err(self.function(node, "a date"));
            };
            let e = Expr::new(ExprKind::Call(def, vec![val.e]), Type::Datetime, self.span(node));
            return Ok(Val::exact(e));
        }
        let literal = match (val.e.as_literal(), to) {
            (Some(Value::Long(n)), Type::Int) => i32::try_from(*n).ok().map(Value::Int),
            (Some(Value::Long(n)), Type::Real) => Some(Value::Real(*n as f64)),
            (Some(Value::Long(n)), Type::Decimal) => Some(Value::Decimal(n.to_string().into())),
            _ => None,
        };
        if let Some(value) = literal {
            return Ok(Val::present(Expr::literal(value, Span::default())));
        }
        let tries = *kind == ast::CastKind::TryCast;
        let numbers = val.e.ty.is_integer() && matches!(to, Type::Real | Type::Long | Type::Int);
        if numbers && (tries || to != Type::Int) {
            let nulls = Nulls { sql: val.nulls.sql || to == Type::Int, ..Nulls::EXACT };
            return Ok(Val::new(val.e.cast(to, false), nulls));
        }
        let cast = match (val.e.ty, to) {
            (Type::Int | Type::Long | Type::Bool | Type::Guid, Type::String) => {
                return Ok(self.cast_to_text(val));
            }
            (Type::Dynamic, Type::String) => {
                // The text of JSON: that of a text has its quotes.
                return Err(self.function(node, format!("a cast of `{}` to `{data_type}`", val.e.ty)));
            }
            (Type::String, Type::Int | Type::Long | Type::Real | Type::Datetime | Type::Bool) => {
                self.assume("texts that are cast are written plainly: numbers as digits, times in ISO form");
                true
            }
            (Type::Real | Type::Decimal, Type::Real | Type::Decimal) => true,
            (Type::Bool, Type::Int | Type::Long) => true,
            (a, Type::Bool) if a.is_integer() => true,
            (a, Type::Decimal) if a.is_integer() => true,
            (Type::Dynamic, Type::Int | Type::Long | Type::Real | Type::Bool) => true,
            (Type::String, Type::Dynamic) => {
                let Some(def) = functions::find("parse_json", FunctionKind::Scalar) else {
                    return Err(self.function(node, "a cast to JSON"));
                };
                let e = Expr::new(ExprKind::Call(def, vec![val.e]), Type::Dynamic, self.span(node));
                return Ok(Val::exact(e));
            }
            _ => false,
        };
        if cast {
            let mut e = val.e.cast(to, false);
            e.span = self.span(node);
            // Of "" there is no number either: NULL and "" need not be told apart.
            return Ok(Val::exact(e));
        }
        Err(self.function(node, format!("a cast of `{}` to `{data_type}`", val.e.ty)))
    }

    fn case(
        &mut self,
        block: &mut Block<'q>,
        conditions: &'q [ast::CaseWhen],
        otherwise: Option<&'q ast::Expr>,
        node: &'q ast::Expr,
    ) -> Result<Val> {
        let mut branches = Vec::with_capacity(conditions.len());
        for branch in conditions {
            let condition = self.test(block, &branch.condition, Place::Keep)?;
            branches.push((condition, self.maybe_null(block, &branch.result)?));
        }
        let last = match otherwise {
            Some(e) => self.maybe_null(block, e)?,
            None => None,
        };
        let vals = || branches.iter().map(|(_, v)| v).chain(std::iter::once(&last)).flatten();
        let mut types = vals().map(|v| v.e.ty);
        let Some(mut ty) = types.next() else { return Err(self.types(node, "a CASE of NULL alone")) };
        for other in types {
            ty = match (ty, other) {
                (a, b) if a == b => a,
                (a, b) if a.is_numeric() && b.is_numeric() => functions::common_type([a, b], false),
                (a, b) => return Err(self.types(node, format!("a CASE of `{a}` and `{b}`"))),
            };
        }
        let mut nulls = Nulls { never_empty: true, ..Nulls::PRESENT };
        for val in vals() {
            nulls = nulls.or(&val.nulls);
        }
        if branches.iter().any(|(_, v)| v.is_none()) || last.is_none() {
            // NULL in a text is "" in the IR.
            nulls = nulls.or(if ty == Type::String { &Nulls::OPEN } else { &Nulls::EXACT });
            nulls.never_empty = vals().all(|v| v.nulls.never_empty);
        }
        if ty == Type::String && nulls.sql && !nulls.exact && !nulls.never_empty {
            // NULL where the branch that is taken has it.
            let bool = |b: bool| Expr::bool(b, Span::default());
            let null = |v: &Option<Val>| match v {
                None => Some(bool(true)),
                Some(v) => self.cond(v).ok().map(|c| c.unwrap_or_else(|| bool(false))),
            };
            let each: Option<Vec<(Expr, Expr)>> =
                branches.iter().map(|(c, v)| Some((c.clone(), null(v)?))).collect();
            if let (Some(each), Some(otherwise)) = (each, null(&last)) {
                let when = ExprKind::Case(each, Box::new(otherwise));
                nulls.when = Some(Box::new(Expr::new(when, Type::Bool, Span::default())));
            }
        }
        let plain = |v: Option<Val>| match v {
            Some(v) if v.e.ty != ty => v.e.cast(ty, true),
            Some(v) => v.e,
            None => Expr::literal(Value::Null(ty), Span::default()),
        };
        let branches: Vec<(Expr, Expr)> = branches.into_iter().map(|(c, v)| (c, plain(v))).collect();
        let e = ExprKind::Case(branches, Box::new(plain(last)));
        Ok(Val::new(Expr::new(e, ty, self.span(node)), nulls))
    }

    /// A value, or a NULL without a type.
    fn maybe_null(&mut self, block: &mut Block<'q>, e: &'q ast::Expr) -> Result<Option<Val>> {
        match bare(e) {
            ast::Expr::Value(v) if v.value == ast::Value::Null => Ok(None),
            e => self.value(block, e).map(Some),
        }
    }

    fn function_call(
        &mut self,
        block: &mut Block<'q>,
        f: &'q ast::Function,
        e: &'q ast::Expr,
    ) -> Result<Val> {
        let name = function_name(f).unwrap_or_default();
        if f.over.is_some() {
            return self.window(block, f, e);
        }
        let Some(args) = plain_args(f) else {
            return Err(self.function(e, format!("`{name}` in this form")));
        };
        match (name.as_str(), args.as_slice()) {
            ("coalesce", args) => self.coalesce(block, args, e),
            ("nullif", [value, empty]) if literal::constant_text(empty) == Some("") => {
                let val = self.value(block, value)?;
                if val.e.ty != Type::String {
                    return Err(self.types(e, "`nullif` of what is no text"));
                }
                if let (true, Ok(Some(null))) = (val.nulls.sql && !val.nulls.exact, self.cond(&val)) {
                    let empty = nulls::is_empty(val.e.clone());
                    let either = Expr::or(vec![null, empty], Span::default());
                    return Ok(Val::new(val.e, Nulls { never_empty: true, ..Nulls::when(Some(either)) }));
                }
                let condition = nulls::is_empty(val.e.clone());
                let nulls = Nulls { never_empty: true, ..Nulls::when(Some(condition)) };
                Ok(Val::new(val.e, nulls))
            }
            ("nullif", [value, other]) => {
                let (mut val, mut r) = (self.value(block, value)?, self.value(block, other)?);
                self.agree(&mut val, &mut r);
                if !super::test::comparable(val.e.ty, r.e.ty) {
                    return Err(self.types(e, format!("`nullif` of `{}` and `{}`", val.e.ty, r.e.ty)));
                }
                if val.e.ty == Type::String {
                    let Ok(null) = self.cond(&val) else { return Err(self.null(e, "a text")) };
                    let equal = self.text_match(
                        val.clone(),
                        ir::MatchKind::Equals,
                        ir::Case::Sensitive,
                        vec![r],
                        Place::Keep,
                        e,
                    )?;
                    let either: Vec<Expr> = null.into_iter().chain([equal]).collect();
                    let either = Expr::or(either, Span::default());
                    let e = nulls::blank_where(either.clone(), val.e);
                    return Ok(Val::new(e, Nulls::when(Some(either))));
                }
                let equal =
                    Expr::compare(ir::CompareOp::Eq, val.e.clone(), r.e, ir::Missing::False, Span::default());
                Ok(Val::exact(nulls::null_where(equal, val.e)))
            }
            ("substring", [text, start]) => self.part_of_text(block, [*text, *start], None, e),
            ("substring", [text, start, count]) => self.part_of_text(block, [*text, *start], Some(*count), e),
            ("left", [text, count]) => {
                let val = self.value(block, text)?;
                let Some(n) = literal::constant_number(count) else {
                    return Err(self.function(e, "a length that is computed"));
                };
                let args = vec![val.e.clone(), whole(0), whole(n)];
                self.text_call("substring", args, &[val], e)
            }
            ("right", [text, count]) => {
                let val = self.value(block, text)?;
                let Some(n) = literal::constant_number(count) else {
                    return Err(self.function(e, "a length that is computed"));
                };
                let Some(strlen) = functions::find("strlen", FunctionKind::Scalar) else {
                    return Err(self.function(e, "`right`"));
                };
                let length =
                    Expr::new(ExprKind::Call(strlen, vec![val.e.clone()]), Type::Long, Span::default());
                let start = Expr::arithmetic(
                    ArithmeticOp::Sub,
                    length.clone(),
                    whole(n),
                    Type::Long,
                    Span::default(),
                );
                let short =
                    Expr::compare(ir::CompareOp::Le, length, whole(n), ir::Missing::False, Span::default());
                let cut =
                    self.text_call("substring", vec![val.e.clone(), start], std::slice::from_ref(&val), e)?;
                let kind = ExprKind::Case(vec![(short, val.e)], Box::new(cut.e));
                Ok(Val::new(Expr::new(kind, Type::String, self.span(e)), cut.nulls))
            }
            ("split_part", [text, separator, place]) => {
                let (val, separator) = (self.value(block, text)?, self.value(block, separator)?);
                let (Some(n), Some(split)) = (
                    literal::constant_number(place).filter(|n| *n > 0),
                    functions::find("split", FunctionKind::Scalar),
                ) else {
                    return Err(self.function(e, "this part of a text"));
                };
                if val.e.ty != Type::String || separator.e.as_literal().is_none() {
                    return Err(self.types(e, format!("`split_part` of `{}`", val.e.ty)));
                }
                let args = vec![val.e.clone(), separator.e];
                let list = Expr::new(ExprKind::Call(split, args), Type::Dynamic, Span::default());
                let part = ExprKind::Index(Box::new(list), Box::new(whole(n - 1)));
                let part = Expr::new(part, Type::Dynamic, Span::default()).cast(Type::String, false);
                match self.cond(&val) {
                    Ok(null) => Ok(Val::new(part, Nulls::when(null))),
                    Err(()) => Err(self.null(e, "a text")),
                }
            }
            ("list_extract" | "array_extract", [list, place])
                if literal::constant_number(place).is_some_and(|n| n > 0) =>
            {
                let val = self.value(block, list)?;
                let n = literal::constant_number(place).unwrap_or(1);
                if val.e.ty != Type::Dynamic {
                    return Err(self.types(e, format!("an element of `{}`", val.e.ty)));
                }
                let kind = ExprKind::Index(Box::new(val.e), Box::new(whole(n - 1)));
                Ok(Val::exact(Expr::new(kind, Type::Dynamic, self.span(e))))
            }
            ("current_date", []) => {
                let now = Expr::new(ExprKind::Now, Type::Datetime, self.span(e));
                let Some(def) = functions::find("startofday", FunctionKind::Scalar) else {
                    return Err(self.function(e, "a date"));
                };
                Ok(Val::present(Expr::new(ExprKind::Call(def, vec![now]), Type::Datetime, self.span(e))))
            }
            ("utc_now", []) if self.macros.contains("utc_now") => {
                Ok(Val::present(Expr::new(ExprKind::Now, Type::Datetime, self.span(e))))
            }
            ("list_extract", [list, one]) if super::literal::constant_number(one) == Some(1) => {
                match self.bind(block, list)? {
                    Some((names, body)) => {
                        let val = self.value(block, body);
                        self.params.truncate(names);
                        val
                    }
                    None => Err(self.function(e, format!("`{}`", short(e)))),
                }
            }
            ("struct_extract_at", [holder, n]) => {
                let field = match literal::constant_number(n) {
                    Some(n) => self.field_at(block, holder, n)?,
                    None => None,
                };
                field.ok_or_else(|| self.function(e, format!("`{}`", short(e))))
            }
            ("json_extract", [base, path]) => {
                let base = self.value(block, base)?;
                self.json_path(base, false, path, e)
            }
            ("chr", [n]) if matches!(self.value(block, n)?.e.as_literal(), Some(Value::Long(0))) => {
                Ok(literal::text_literal("\0"))
            }
            _ => Err(self.function(e, format!("`{name}`"))),
        }
    }

    /// `substring(x, 2, 3)`: places count from 1.
    fn part_of_text(
        &mut self,
        block: &mut Block<'q>,
        [text, start]: [&'q ast::Expr; 2],
        count: Option<&'q ast::Expr>,
        node: &'q ast::Expr,
    ) -> Result<Val> {
        let val = self.value(block, text)?;
        let Some(start) = literal::constant_number(start).filter(|n| *n >= 1) else {
            return Err(self.function(node, "a part of a text from a place that is computed"));
        };
        let mut args = vec![val.e.clone(), whole(start - 1)];
        let mut own = vec![val];
        if let Some(count) = count {
            let count = self.value(block, count)?;
            if count.e.as_literal().is_none() || !count.e.ty.is_integer() {
                return Err(self.function(node, "a part of a text of a length that is computed"));
            }
            args.push(count.e.clone());
            own.push(count);
        }
        self.text_call("substring", args, &own, node)
    }

    /// A function from text to text that is NULL where an argument is.
    fn text_call(&mut self, name: &str, args: Vec<Expr>, own: &[Val], node: &ast::Expr) -> Result<Val> {
        let Some(def) = functions::find(name, FunctionKind::Scalar) else {
            return Err(self.function(node, format!("`{name}`")));
        };
        if own.first().is_some_and(|v| v.e.ty != Type::String) {
            return Err(self.types(node, format!("`{name}` of what is no text")));
        }
        let mut conditions = Vec::new();
        for val in own {
            match self.cond(val) {
                Ok(c) => conditions.extend(c),
                Err(()) => return Err(self.null(node, "a text")),
            }
        }
        let null = (!conditions.is_empty()).then(|| Expr::or(conditions, Span::default()));
        let e = Expr::new(ExprKind::Call(def, args), Type::String, self.span(node));
        Ok(Val::new(e, Nulls::when(null)))
    }

    /// `list_transform([value], lambda name : body)`, of which the one element is taken: the body with a name for a value. Gives how
    /// many names there were before, for the caller to go back to.
    pub(super) fn bind(
        &mut self,
        block: &mut Block<'q>,
        list: &'q ast::Expr,
    ) -> Result<Option<(usize, &'q ast::Expr)>> {
        let Some((name, args)) = super::select::named_call(list) else { return Ok(None) };
        let (true, [values, ast::Expr::Lambda(lambda)]) = (name == "list_transform", args.as_slice()) else {
            return Ok(None);
        };
        let (ast::OneOrManyWithParens::One(param), ast::Expr::Array(array)) = (&lambda.params, bare(values))
        else {
            return Ok(None);
        };
        let [value] = array.elem.as_slice() else { return Ok(None) };
        let before = self.params.len();
        match bare(value) {
            ast::Expr::Dictionary(fields) => {
                for field in fields {
                    let val = self.value(block, &field.value)?;
                    self.params.push((format!("{}.{}", param.name.value, field.key.value), val));
                }
            }
            value => {
                let val = self.value(block, value)?;
                self.params.push((param.name.value.clone(), val));
            }
        }
        Ok(Some((before, &lambda.body)))
    }

    /// The first value that is not NULL.
    fn coalesce(
        &mut self,
        block: &mut Block<'q>,
        args: &[&'q ast::Expr],
        node: &'q ast::Expr,
    ) -> Result<Val> {
        let (Some((last, before)), true) = (args.split_last(), args.len() > 1) else {
            return Err(self.function(node, "`coalesce` of one value"));
        };
        if let ([test], ast::Expr::Value(v)) = (before, bare(last))
            && let ast::Value::Boolean(default) = v.value
        {
            let place = if default { Place::Drop } else { Place::Keep };
            let test = self.test(block, test, place)?;
            let test =
                if default { super::test::two_valued_drop(test) } else { super::test::two_valued_keep(test) };
            return Ok(Val::present(test));
        }
        let mut vals = Vec::with_capacity(args.len());
        for arg in args {
            vals.push(self.value(block, arg)?);
        }
        let Some(ty) = vals.first().map(|v| v.e.ty) else { return Err(self.function(node, "`coalesce`")) };
        if ty == Type::String {
            return self.coalesce_text(vals, node);
        }
        let mut common = ty;
        for val in &vals {
            common = match (common, val.e.ty) {
                (a, b) if a == b => a,
                (a, b) if a.is_numeric() && b.is_numeric() => functions::common_type([a, b], false),
                (a, b) => return Err(self.types(node, format!("`coalesce` of `{a}` and `{b}`"))),
            };
        }
        let sql = vals.iter().all(|v| v.nulls.sql);
        let Some(def) = functions::find("coalesce", FunctionKind::Scalar) else {
            return Err(self.function(node, "`coalesce`"));
        };
        let args = vals.into_iter().map(|v| v.e.cast(common, true)).collect();
        let e = Expr::new(ExprKind::Call(def, args), common, self.span(node));
        Ok(Val::new(e, Nulls { sql, ..Nulls::EXACT }))
    }

    fn coalesce_text(&mut self, mut vals: Vec<Val>, node: &'q ast::Expr) -> Result<Val> {
        if let Some(odd) = vals.iter().find(|v| v.e.ty != Type::String) {
            return Err(self.types(node, format!("`coalesce` of a text and `{}`", odd.e.ty)));
        }
        let filled = vals.len() > 1
            && vals.last().is_some_and(|v| v.e.as_literal().and_then(Value::as_str) == Some(""));
        if filled {
            vals.pop();
        }
        let mut nulls = match vals.last() {
            Some(last) => last.nulls.clone(),
            None => return Err(self.function(node, "`coalesce`")),
        };
        if filled {
            nulls = Nulls { sql: false, when: None, never_empty: false, ..nulls };
        }
        if vals.len() == 1
            && let Some(val) = vals.pop()
        {
            // Where SQL had NULL it has '': the IR may have null or "" there.
            return Ok(Val::new(val.e, Nulls { exact: val.nulls.exact && !val.nulls.sql, ..nulls }));
        }
        // Kusto's `coalesce` passes over "" as over null: where one may be "", it is spelled out.
        let (_, before) = vals.split_last().map_or((None, &[][..]), |(l, b)| (Some(l), b));
        if !before.iter().all(|v| v.nulls.never_empty) {
            return self.first_text(vals, filled, node);
        }
        let Some(def) = functions::find("coalesce", FunctionKind::Scalar) else {
            return Err(self.function(node, "`coalesce`"));
        };
        let never_empty = nulls.never_empty;
        let args = vals.into_iter().map(|v| v.e).collect();
        let e = Expr::new(ExprKind::Call(def, args), Type::String, self.span(node));
        // It gives "" for null: whether SQL has NULL there is what the last one says.
        let nulls = if nulls.sql {
            Nulls { never_empty, ..Nulls::OPEN }
        } else {
            Nulls { never_empty, ..Nulls::PRESENT }
        };
        Ok(Val::new(e, nulls))
    }

    /// The first text that is not NULL.
    fn first_text(&mut self, mut vals: Vec<Val>, filled: bool, node: &ast::Expr) -> Result<Val> {
        let mut conditions = Vec::with_capacity(vals.len());
        for val in &vals {
            match self.cond(val) {
                Ok(c) => conditions.push(c),
                Err(()) => return Err(self.null(node, "a text of `coalesce`")),
            }
        }
        let Some(last) = vals.pop() else { return Err(self.function(node, "`coalesce`")) };
        let never_empty = !filled && last.nulls.never_empty && vals.iter().all(|v| v.nulls.never_empty);
        let mut branches = Vec::with_capacity(vals.len());
        for (val, null) in vals.into_iter().zip(&conditions) {
            match null {
                Some(null) => branches.push((super::test::not(null.clone()), val.e)),
                // What is behind it is never looked at.
                None => {
                    let e = ExprKind::Case(branches, Box::new(val.e));
                    return Ok(Val::present(Expr::new(e, Type::String, self.span(node))));
                }
            }
        }
        let e = Expr::new(ExprKind::Case(branches, Box::new(last.e)), Type::String, self.span(node));
        let all: Option<Vec<Expr>> = conditions.into_iter().collect();
        let nulls = match all {
            Some(all) if !filled => Nulls::when(Some(Expr::and(all, Span::default()))),
            _ => Nulls::FILLED,
        };
        Ok(Val::new(e, Nulls { never_empty, ..nulls }))
    }

    /// `x -> '$.a'`, `x ->> '$.a'`
    fn json_arrow(
        &mut self,
        block: &mut Block<'q>,
        left: &'q ast::Expr,
        text: bool,
        right: &'q ast::Expr,
        node: &'q ast::Expr,
    ) -> Result<Val> {
        let base = self.value(block, left)?;
        self.json_path(base, text, right, node)
    }

    fn json_path(&mut self, base: Val, text: bool, right: &'q ast::Expr, node: &'q ast::Expr) -> Result<Val> {
        let mut base = base;
        self.settle(&mut base, Type::Dynamic);
        if base.e.ty == Type::String
            && let Some(def) = functions::find("parse_json", FunctionKind::Scalar)
        {
            // A text is read as JSON.
            let e = Expr::new(ExprKind::Call(def, vec![base.e]), Type::Dynamic, self.span(node));
            base = Val::exact(e);
        }
        if base.e.ty != Type::Dynamic {
            return Err(self.types(node, format!("a path into `{}`", base.e.ty)));
        }
        let path = match (literal::constant_text(right), literal::constant_number(right)) {
            (Some(path), _) => json::path_of(path).and_then(|path| json::access(base.e, &path)),
            (None, Some(n)) => {
                let n = Expr::literal(Value::Long(n), Span::default());
                let index = ExprKind::Index(Box::new(base.e), Box::new(n));
                Some(Expr::new(index, Type::Dynamic, Span::default()))
            }
            (None, None) => None,
        };
        let Some(mut value) = path else { return Err(self.function(node, "this path")) };
        value.span = self.span(node);
        if !text {
            return Ok(Val::exact(value));
        }
        let condition = nulls::is_null(value.clone());
        let mut e = value.cast(Type::String, false);
        e.span = self.span(node);
        Ok(Val::new(e, Nulls::when(Some(condition))))
    }

    /// `(SELECT x …)` as a value: of no row NULL.
    fn scalar_query(&mut self, query: &'q ast::Query, node: &'q ast::Expr) -> Result<Val> {
        let rel = self.query(query, false)?;
        let cols: Vec<_> = rel.cols().cloned().collect();
        let [col] = cols.as_slice() else {
            return Err(self.clause(node, "a query of several columns as a value"));
        };
        if col.fields.is_some() || !is_single(query, self) {
            return Err(self.clause(node, "a query of several rows as a value"));
        }
        let ty = self.columns.ty(col.id);
        // Exactly the column that is the value.
        let plan = only(rel.plan.clone(), col.id, self.column(col.id));
        let e = Expr::new(ExprKind::Subquery(Box::new(plan)), ty, self.span(node));
        if ty != Type::String {
            return Ok(Val::exact(e));
        }
        // Whether it is there is another query's value.
        let own = Val::new(self.column(col.id), col.nulls.clone());
        let nulls = match self.is_there(&own) {
            Ok(there) => {
                let there = there.unwrap_or_else(|| Expr::bool(true, Span::default()));
                let id = self.add("known_", Type::Bool);
                let mut rel = rel;
                rel.extend(id, there);
                let plan = only(rel.plan, id, self.column(id));
                let found = Expr::new(ExprKind::Subquery(Box::new(plan)), Type::Bool, Span::default());
                let yes = Expr::bool(true, Span::default());
                let test = Expr::compare(ir::CompareOp::Eq, found, yes, ir::Missing::False, Span::default());
                Nulls::when(Some(test.negated(Span::default())))
            }
            Err(()) => Nulls::OPEN,
        };
        Ok(Val::new(e, nulls))
    }
}

/// A plan with one column left.
pub(super) fn only(plan: ir::Plan, id: ir::ColId, column: Expr) -> ir::Plan {
    if plan.output.first() == Some(&id) && plan.output.len() == 1 {
        return plan;
    }
    let items = vec![ir::Item { ids: vec![id], expr: column, named: true }];
    ir::Plan::new(ir::Op::Project { input: plan, items }, vec![id], Span::default())
}

/// Whether a query gives one row at most: more are an error to the engine.
fn is_single(query: &ast::Query, l: &Lifter<'_>) -> bool {
    if query.limit_clause.is_some() {
        return true;
    }
    let ast::SetExpr::Select(select) = &*query.body else { return false };
    let no_keys = matches!(&select.group_by, ast::GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let aggregated = select.projection.iter().any(|item| match item {
        ast::SelectItem::UnnamedExpr(e) | ast::SelectItem::ExprWithAlias { expr: e, .. } => {
            super::aggregate::aggregates(e)
        }
        _ => false,
    });
    if no_keys && (aggregated || select.from.is_empty()) {
        return true;
    }
    // Another query's one row passed on.
    match select.from.as_slice() {
        [one] if one.joins.is_empty() => match &one.relation {
            ast::TableFactor::Table { name, args: None, .. } => {
                l.ctes.get(&super::name_of(name).to_lowercase()).is_some_and(|c| is_single(&c.cte.query, l))
            }
            ast::TableFactor::Derived { subquery, .. } => is_single(subquery, l),
            _ => false,
        },
        _ => false,
    }
}

fn whole(n: i64) -> Expr {
    Expr::literal(Value::Long(n), Span::default())
}

fn negate(val: Val) -> Val {
    let ty = val.e.ty;
    Val { e: Expr::new(ExprKind::Negate(Box::new(val.e)), ty, Span::default()), nulls: val.nulls }
}

/// The argument of `epoch(x)`.
fn epoch(e: &ast::Expr) -> Option<&ast::Expr> {
    let ast::Expr::Function(f) = bare(e) else { return None };
    if function_name(f)? != "epoch" {
        return None;
    }
    match plain_args(f)?.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// Forms whose value is a truth value.
pub(super) fn is_test(e: &ast::Expr) -> bool {
    match bare(e) {
        ast::Expr::BinaryOp { op, .. } => matches!(
            op,
            BinaryOperator::And
                | BinaryOperator::Or
                | BinaryOperator::Eq
                | BinaryOperator::NotEq
                | BinaryOperator::Lt
                | BinaryOperator::LtEq
                | BinaryOperator::Gt
                | BinaryOperator::GtEq
        ),
        ast::Expr::UnaryOp { op, .. } => *op == UnaryOperator::Not,
        ast::Expr::IsNull(_)
        | ast::Expr::IsNotNull(_)
        | ast::Expr::IsTrue(_)
        | ast::Expr::IsNotTrue(_)
        | ast::Expr::IsFalse(_)
        | ast::Expr::IsNotFalse(_)
        | ast::Expr::IsDistinctFrom(..)
        | ast::Expr::IsNotDistinctFrom(..)
        | ast::Expr::Like { .. }
        | ast::Expr::ILike { .. }
        | ast::Expr::InList { .. }
        | ast::Expr::InSubquery { .. }
        | ast::Expr::Exists { .. }
        | ast::Expr::Between { .. } => true,
        ast::Expr::Function(f) => {
            let name = function_name(f).unwrap_or_default();
            super::test::TESTS.contains(&name.as_str())
        }
        _ => false,
    }
}

/// The start of an expression's text.
pub(super) fn short(e: &ast::Expr) -> String {
    let text = e.to_string();
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
