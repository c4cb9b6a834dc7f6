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
        let (l, r) = (self.value(block, left)?, self.value(block, right)?);
        if zero && r.e.ty == Type::Timespan && matches!(l.e.as_literal(), Some(Value::Timespan(0))) {
            return Ok(negate(r));
        }
        let whole = l.e.ty.is_integer() && r.e.ty.is_integer();
        match op {
            // `/` of whole numbers is a real number; `//` is for those.
            BinaryOperator::Divide if whole => {
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
        Err(self.function(node, "a remainder that may be negative"))
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
            (Some(ast::Value::Number(digits, _)), Type::Decimal) => Some(Value::Decimal(digits.as_str().into())),
            _ => None,
        };
        if let Some(value) = value {
            let null = matches!(value, Value::Null(_));
            let e = Expr::literal(value, Span::default());
            return Ok(match (null, to) {
                // A NULL text: the constant is "" in the IR.
                (true, Type::String) => {
                    Val::new(e, Nulls::when(Some(Expr::bool(true, Span::default()))))
                }
                (true, _) => Val::exact(e),
                (false, _) => Val::present(e),
            });
        }
        let val = self.value(block, inner)?;
        if val.e.ty == to {
            return Ok(val);
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
                (a, b) if a.is_numeric() && b.is_numeric() => {
                    functions::common_type([a, b], false)
                }
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

    fn function_call(&mut self, block: &mut Block<'q>, f: &'q ast::Function, e: &'q ast::Expr) -> Result<Val> {
        let name = function_name(f).unwrap_or_default();
        if f.over.is_some() {
            return self.window(block, f, e);
        }
        let Some(args) = plain_args(f) else { return Err(self.function(e, format!("`{name}` in this form"))) };
        match (name.as_str(), args.as_slice()) {
            ("coalesce", args) => self.coalesce(block, args, e),
            ("nullif", [value, empty]) if literal::constant_text(empty) == Some("") => {
                let val = self.value(block, value)?;
                if val.e.ty != Type::String {
                    return Err(self.types(e, "`nullif` of what is no text"));
                }
                let condition = nulls::is_empty(val.e.clone());
                let nulls = Nulls { never_empty: true, ..Nulls::when(Some(condition)) };
                Ok(Val::new(val.e, nulls))
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
    fn coalesce(&mut self, block: &mut Block<'q>, args: &[&'q ast::Expr], node: &'q ast::Expr) -> Result<Val> {
        let (Some((last, before)), true) = (args.split_last(), args.len() > 1) else {
            return Err(self.function(node, "`coalesce` of one value"));
        };
        if let ([test], ast::Expr::Value(v)) = (before, bare(last))
            && let ast::Value::Boolean(default) = v.value
        {
            let place = if default { Place::Drop } else { Place::Keep };
            let test = self.test(block, test, place)?;
            let test = if default {
                super::test::two_valued_drop(test)
            } else {
                super::test::two_valued_keep(test)
            };
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
        // Kusto's `coalesce` passes over "" as over null: so must these.
        let (_, before) = vals.split_last().map_or((None, &[][..]), |(l, b)| (Some(l), b));
        if !before.iter().all(|v| v.nulls.never_empty) {
            return Err(self.null(node, "a text before the last of `coalesce`"));
        }
        let Some(def) = functions::find("coalesce", FunctionKind::Scalar) else {
            return Err(self.function(node, "`coalesce`"));
        };
        let never_empty = nulls.never_empty;
        let args = vals.into_iter().map(|v| v.e).collect();
        let e = Expr::new(ExprKind::Call(def, args), Type::String, self.span(node));
        // It gives "" for null: whether SQL has NULL there is what the last one says.
        let nulls = if nulls.sql { Nulls { never_empty, ..Nulls::OPEN } } else { Nulls { never_empty, ..Nulls::PRESENT } };
        Ok(Val::new(e, nulls))
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

    fn json_path(&self, base: Val, text: bool, right: &'q ast::Expr, node: &'q ast::Expr) -> Result<Val> {
        if base.e.ty != Type::Dynamic {
            return Err(self.types(node, format!("a path into `{}`", base.e.ty)));
        }
        let path = literal::constant_text(right).and_then(|path| json::access(base.e, path));
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
        let mut cols = rel.cols();
        let (Some(col), None) = (cols.next(), cols.next()) else {
            return Err(self.clause(node, "a query of several columns as a value"));
        };
        if col.fields.is_some() || !is_single(query, self) {
            return Err(self.clause(node, "a query of several rows as a value"));
        }
        let ty = self.columns.ty(col.id);
        // Exactly the column that is the value.
        let plan = only(rel.plan.clone(), col.id, self.column(col.id));
        let e = Expr::new(ExprKind::Subquery(Box::new(plan)), ty, self.span(node));
        Ok(if ty == Type::String { Val::new(e, Nulls::OPEN) } else { Val::exact(e) })
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
            ast::TableFactor::Table { name, args: None, .. } => l
                .ctes
                .get(&super::name_of(name).to_lowercase())
                .is_some_and(|c| is_single(&c.cte.query, l)),
            ast::TableFactor::Derived { subquery, .. } => is_single(subquery, l),
            _ => false,
        },
        _ => false,
    }
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
