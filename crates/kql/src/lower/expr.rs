//! Scalar expressions: IR to KQL.

use super::matching::false_for_null;
use super::{Cx, Lowerer, build, literal, wrapped};
use crate::syntax::tree::{self, BinaryOp, Expr, ExprKind, ListOp, WrapKind};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{
    self as ir, ArithmeticOp, Compare, CompareOp, ExprKind as Ir, InValues, Missing, Type, Value,
};

/// The functions that convert.
const fn conversion(ty: Type) -> Option<&'static str> {
    Some(match ty {
        Type::Bool => "tobool",
        Type::Int => "toint",
        Type::Long => "tolong",
        Type::Real => "toreal",
        Type::Decimal => "todecimal",
        Type::String => "tostring",
        Type::Datetime => "todatetime",
        Type::Timespan => "totimespan",
        Type::Guid => "toguid",
        Type::Dynamic => "todynamic",
        Type::Unknown => return None,
    })
}

const fn comparison(op: CompareOp) -> BinaryOp {
    match op {
        CompareOp::Eq => BinaryOp::Eq,
        CompareOp::Ne => BinaryOp::Ne,
        CompareOp::Lt => BinaryOp::Lt,
        CompareOp::Le => BinaryOp::Le,
        CompareOp::Gt => BinaryOp::Gt,
        CompareOp::Ge => BinaryOp::Ge,
    }
}

const fn arithmetic(op: ArithmeticOp) -> BinaryOp {
    match op {
        ArithmeticOp::Add => BinaryOp::Add,
        ArithmeticOp::Sub => BinaryOp::Sub,
        ArithmeticOp::Mul => BinaryOp::Mul,
        ArithmeticOp::Div => BinaryOp::Div,
        ArithmeticOp::Mod => BinaryOp::Mod,
    }
}

impl Lowerer<'_> {
    pub(super) fn value(&mut self, e: &ir::Expr) -> Expr {
        self.expr(e, Cx::VALUE)
    }

    fn values(&mut self, es: &[ir::Expr]) -> Vec<Expr> {
        es.iter().map(|e| self.value(e)).collect()
    }

    pub(super) fn expr(&mut self, e: &ir::Expr, cx: Cx) -> Expr {
        self.deeper(e.span, build::expr(ExprKind::Error), |l| l.expr_inside(e, cx))
    }

    fn expr_inside(&mut self, e: &ir::Expr, cx: Cx) -> Expr {
        let span = e.span;
        match &e.kind {
            Ir::Literal(value) => literal::literal(value)
                .unwrap_or_else(|| self.refuse(codes::KQL_OUT_VALUE, span, "the constant has no KQL form")),
            Ir::Column(id) => match self.parts.get(id) {
                Some(part) => part.clone(),
                None => build::named(self.column_name(*id)),
            },
            Ir::Let(id) => self.binding_name(*id),
            Ir::Now => match self.options.now {
                Some(ticks) => literal::datetime(ticks),
                None => build::call("now", Vec::new()),
            },
            Ir::And(es) => build::and(self.conditions(es, cx)),
            Ir::Or(es) => build::or(self.conditions(es, cx)),
            Ir::Not(inner) => self.negation(inner, cx.negated()),
            Ir::Compare(c) => self.compare(c, false, span, cx),
            Ir::Match(m) => self.string_match(m, false, span, cx),
            Ir::In(i) => self.in_list(i, false),
            Ir::InQuery(i) => self.in_query(i, false),
            Ir::Between(b) => self.between(b, false),
            Ir::IsNull(inner) => self.null_test(inner, false, cx, span),
            Ir::IsEmpty(inner) => self.test("isempty", inner),
            Ir::Arithmetic(a) => self.arithmetic(a),
            Ir::Negate(inner) => build::minus(self.value(inner)),
            Ir::Call(function, args) => {
                let args = self.values(args);
                build::call(function.name, args)
            }
            Ir::Cast(cast) => self.cast(cast, span),
            Ir::Member(base, name) => {
                let base = Box::new(self.value(base));
                build::expr(ExprKind::Path { base, name: build::name(name.clone()) })
            }
            Ir::Index(base, index) => {
                let (base, index) = (Box::new(self.value(base)), Box::new(self.value(index)));
                build::expr(ExprKind::Index { base, index })
            }
            Ir::Case(branches, otherwise) => self.case(branches, otherwise),
            Ir::Subquery(plan) => {
                let rows = build::tabular(self.pipeline(plan));
                wrapped(WrapKind::ToScalar, rows)
            }
            Ir::Opaque(opaque) => self.opaque(opaque, span),
        }
    }

    fn conditions(&mut self, es: &[ir::Expr], cx: Cx) -> Vec<Expr> {
        es.iter().map(|e| self.expr(e, cx)).collect()
    }

    /// `not` of an expression, in the words that KQL has for it. `cx` is that of the operand.
    fn negation(&mut self, inner: &ir::Expr, cx: Cx) -> Expr {
        let span = inner.span;
        match &inner.kind {
            Ir::Match(m) => self.string_match(m, true, span, cx),
            Ir::Compare(c) => self.compare(c, true, span, cx),
            Ir::In(i) => self.in_list(i, true),
            Ir::InQuery(i) => self.in_query(i, true),
            Ir::Between(b) => self.between(b, true),
            Ir::IsNull(e) => self.null_test(e, true, cx, span),
            Ir::IsEmpty(e) => self.test("isnotempty", e),
            Ir::Literal(_)
            | Ir::Column(_)
            | Ir::Let(_)
            | Ir::Now
            | Ir::And(_)
            | Ir::Or(_)
            | Ir::Not(_)
            | Ir::Arithmetic(_)
            | Ir::Negate(_)
            | Ir::Call(..)
            | Ir::Cast(_)
            | Ir::Member(..)
            | Ir::Index(..)
            | Ir::Case(..)
            | Ir::Subquery(_)
            | Ir::Opaque(_) => build::not(self.expr(inner, cx)),
        }
    }

    fn test(&mut self, function: &str, e: &ir::Expr) -> Expr {
        let e = self.value(e);
        build::call(function, vec![e])
    }

    fn null_test(&mut self, e: &ir::Expr, negated: bool, cx: Cx, span: Span) -> Expr {
        if e.ty != Type::String {
            return self.test(if negated { "isnotnull" } else { "isnull" }, e);
        }
        let detail =
            "Kusto stores an absent text field as empty text: a field with empty text counts as absent";
        self.lose(codes::EMPTY_IS_MISSING, cx.widened, span, detail);
        self.test(if negated { "isnotempty" } else { "isempty" }, e)
    }

    fn compare(&mut self, c: &Compare, negated: bool, span: Span, cx: Cx) -> Expr {
        let (left, right) = (self.value(&c.left), self.value(&c.right));
        let text = c.left.ty == Type::String && c.right.ty == Type::String;
        let ordered = !matches!(c.op, CompareOp::Eq | CompareOp::Ne);
        if text && ordered {
            // Kusto's operators order numbers and times alone.
            let order = build::call("strcmp", vec![left, right]);
            let test = build::binary(comparison(c.op), order, build::long(0));
            return if negated { build::not(test) } else { test };
        }
        let equality = match c.op {
            CompareOp::Eq => Some(negated),
            CompareOp::Ne => Some(!negated),
            CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => None,
        };
        let native = match c.missing {
            Missing::Empty => true,
            Missing::Distinct => !ordered,
            Missing::Null => ordered || text && !cx.exact,
            // False for null is what `where` makes of it; under a negation it must be said.
            Missing::False => text || c.op != CompareOp::Ne && !cx.exact,
        };
        if native {
            return match equality {
                Some(unequal) => {
                    build::binary(if unequal { BinaryOp::Ne } else { BinaryOp::Eq }, left, right)
                }
                None => {
                    let test = build::binary(comparison(c.op), left, right);
                    if negated { build::not(test) } else { test }
                }
            };
        }
        let test = build::binary(comparison(c.op), left.clone(), right.clone());
        let test = match (c.missing, c.op) {
            (Missing::False, CompareOp::Ne) => {
                let nulls = present(&c.left, left).chain(present(&c.right, right));
                build::and(nulls.chain([test]).collect())
            }
            (Missing::False | Missing::Empty | Missing::Distinct, _) => false_for_null(test),
            (Missing::Null, _) if text => {
                let message =
                    "a missing text would have to make the condition unknown; in Kusto it is empty text";
                self.refuse(codes::KQL_OUT_VALUE, span, message)
            }
            (Missing::Null, _) => {
                let nulls: Vec<Expr> = [(&c.left, left), (&c.right, right)]
                    .into_iter()
                    .filter(|(e, _)| e.as_literal().is_none())
                    .map(|(_, e)| build::call("isnull", vec![e]))
                    .collect();
                let unknown = build::typed(crate::syntax::literal::ScalarType::Bool, "null");
                build::call("iff", vec![build::or(nulls), unknown, test])
            }
        };
        if negated { build::not(test) } else { test }
    }

    fn in_list(&mut self, i: &ir::InList, negated: bool) -> Expr {
        let subject = self.value(&i.subject);
        let items = match &i.values {
            InValues::List(es) => self.values(es),
            InValues::Dynamic(e) => vec![self.value(e)],
        };
        if items.is_empty() {
            return build::bool(negated);
        }
        let test = build::list(if negated { ListOp::NotIn } else { ListOp::In }, subject.clone(), items);
        let guarded = match i.missing {
            Missing::Empty | Missing::Distinct => false,
            Missing::False => false,
            Missing::Null => negated,
        };
        if guarded { build::and(vec![build::call("isnotnull", vec![subject]), test]) } else { test }
    }

    fn in_query(&mut self, i: &ir::InQuery, negated: bool) -> Expr {
        let subject = self.value(&i.subject);
        let rows = build::tabular(self.pipeline(&i.plan));
        let op = match (i.case, negated) {
            (ir::Case::Sensitive, false) => ListOp::In,
            (ir::Case::Sensitive, true) => ListOp::NotIn,
            (ir::Case::Insensitive, false) => ListOp::InCi,
            (ir::Case::Insensitive, true) => ListOp::NotInCi,
        };
        build::list(op, subject, vec![rows])
    }

    fn between(&mut self, b: &ir::Between, negated: bool) -> Expr {
        let (subject, low, high) = (self.value(&b.subject), self.value(&b.low), self.value(&b.high));
        build::expr(ExprKind::Between(Box::new(tree::Between { negated, subject, low, high })))
    }

    fn arithmetic(&mut self, a: &ir::Arithmetic) -> Expr {
        let right = self.value(&a.right);
        // `now() - 7d` is what people write as `ago(7d)`.
        if a.op == ArithmeticOp::Sub && matches!(a.left.kind, Ir::Now) && self.options.now.is_none() {
            return build::call("ago", vec![right]);
        }
        let left = self.value(&a.left);
        build::binary(arithmetic(a.op), left, right)
    }

    fn cast(&mut self, cast: &ir::Cast, span: Span) -> Expr {
        let inner = self.value(&cast.expr);
        if cast.implicit {
            return inner;
        }
        match conversion(cast.to) {
            Some(function) => build::call(function, vec![inner]),
            None => {
                self.refuse(codes::KQL_OUT_VALUE, span, "the type that a value is converted to is not known")
            }
        }
    }

    fn case(&mut self, branches: &[(ir::Expr, ir::Expr)], otherwise: &ir::Expr) -> Expr {
        let function = if branches.len() == 1 { "iff" } else { "case" };
        let mut args = Vec::with_capacity(branches.len() * 2 + 1);
        for (condition, value) in branches {
            args.push(self.value(condition));
            args.push(self.value(value));
        }
        args.push(self.value(otherwise));
        build::call(function, args)
    }

    fn opaque(&mut self, opaque: &ir::Opaque, span: Span) -> Expr {
        if opaque.language == "kql" {
            let parsed = crate::syntax::parse(&opaque.text);
            let clean = parsed.diagnostics.iter().all(|d| !d.is_error());
            if clean
                && let [statement] = parsed.query.statements.as_slice()
                && let tree::StatementKind::Query(e) = &statement.kind
            {
                return e.clone();
            }
        }
        let message = format!("`{}` has no KQL form: {}", opaque.text, opaque.reason);
        self.refuse(codes::KQL_OUT_OPAQUE, span, message)
    }
}

/// `isnotnull(x)` for what may be null.
fn present(e: &ir::Expr, lowered: Expr) -> impl Iterator<Item = Expr> + use<> {
    let constant = matches!(e.as_literal(), Some(v) if !matches!(v, Value::Null(_)));
    (!constant).then(|| build::call("isnotnull", vec![lowered])).into_iter()
}
