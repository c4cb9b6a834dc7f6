//! Functions that the data says in terms of the IR (`ir = …` in `targets/<dialect>/reads.toml`).
//!
//! In: a call. Out: the expression of the IR that stands for it, with what is known of NULL.

use super::block::Block;
use super::heads::{Heads, Pattern, parse_plain as parse};
use super::nulls::{Nulls, is_empty, null_where};
use super::unify::{self, Holes, bare, function_name, plain_args};
use super::{Lifter, Result, Val, literal};
use crate::ReadDialect;
use ruleferry_diag::Span;
use ruleferry_ir::functions::{self, ArithOp, FunctionKind, binary_result};
use ruleferry_ir::{ArithmeticOp, CompareOp, Expr, ExprKind, Missing, Type, Value};
use ruleferry_targets::reads::{self, Read, ReadNulls, To};
use rustc_hash::FxHashMap;
use sqlparser::ast::{self, BinaryOperator, UnaryOperator};
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Default)]
struct Recipes {
    heads: Heads,
    bodies: FxHashMap<usize, Option<Rc<ast::Expr>>>,
}

thread_local! {
    static RECIPES: RefCell<FxHashMap<ReadDialect, Recipes>> = RefCell::new(FxHashMap::default());
}

/// A recipe with its parts parsed.
type Found = (Rc<Pattern>, &'static Read, Rc<ast::Expr>);

fn recipes(dialect: ReadDialect, head: &str) -> Vec<Found> {
    let Some(data) = reads::reads(dialect.name()) else { return Vec::new() };
    RECIPES.with_borrow_mut(|known| {
        let own = known.entry(dialect).or_insert_with(|| {
            let texts = data.reads.iter().map(|r| match r.to {
                To::Ir(_) => r.sql,
                To::Sql(_) => "",
            });
            Recipes { heads: Heads::new(texts, None), bodies: FxHashMap::default() }
        });
        let found = own.heads.with_head(head);
        let bodies = &mut own.bodies;
        found
            .iter()
            .filter_map(|p| {
                let read = data.reads.get(p.at)?;
                let body = bodies.entry(p.at).or_insert_with(|| match read.to {
                    To::Ir(text) => parse(text).map(Rc::new),
                    To::Sql(_) => None,
                });
                Some((Rc::clone(p), read, body.clone()?))
            })
            .collect()
    })
}

impl<'q> Lifter<'q> {
    /// The value of a call that the data knows.
    pub(super) fn recipe_value(&mut self, block: &mut Block<'q>, e: &'q ast::Expr) -> Result<Option<Val>> {
        let Some((head, _)) = unify::shape(e) else { return Ok(None) };
        let mut found = recipes(self.dialect, &head);
        if self.dialect != ReadDialect::DuckDb {
            found.extend(recipes(ReadDialect::DuckDb, &head));
        }
        for (pattern, read, body) in found {
            let mut holes = Holes::default();
            if !unify::unify(&pattern.tree, e, &mut holes) {
                continue;
            }
            let given = holes.places.iter().copied().chain(holes.rest.iter().flatten().copied().map(Some));
            let mut args = Vec::new();
            for place in given {
                let Some(place) = place else { return Ok(None) };
                let mut val = self.value(block, place)?;
                let wanted = read.args.get(args.len()).copied().flatten();
                if let Some(wanted) = wanted
                    && val.e.ty == Type::String
                    && wanted != Type::String
                {
                    self.settle(&mut val, if wanted == Type::Real { Type::Long } else { wanted });
                    if wanted == Type::Datetime
                        && let Some(ticks) =
                            val.e.as_literal().and_then(Value::as_str).and_then(literal::timestamp)
                    {
                        val = Val::present(Expr::literal(Value::Datetime(ticks), Span::default()));
                    }
                }
                args.push(val);
            }
            let fits = |(i, val): (usize, &Val)| match read.args.get(i).copied().flatten() {
                None => true,
                Some(Type::Real) => val.e.ty.is_numeric(),
                Some(Type::Long) => val.e.ty.is_integer(),
                Some(Type::String) => matches!(val.e.ty, Type::String | Type::Guid),
                Some(ty) => val.e.ty == ty,
            };
            if !args.iter().enumerate().all(fits) {
                continue;
            }
            let Some(mut made) = self.cooked(&body, &args) else { continue };
            if let Some(ty) = read.gives {
                made = made.cast(ty, true);
            }
            made.span = self.span(e);
            return self.recipe_nulls(read.nulls, &args, made, e).map(Some);
        }
        Ok(None)
    }

    fn recipe_nulls(&self, nulls: ReadNulls, args: &[Val], made: Expr, node: &ast::Expr) -> Result<Val> {
        let text = made.ty == Type::String;
        match nulls {
            ReadNulls::Never => return Ok(Val::present(made)),
            ReadNulls::Open if text => return Ok(Val::new(made, Nulls::OPEN)),
            ReadNulls::Open => return Ok(Val::exact(made)),
            ReadNulls::Strict | ReadNulls::Empty => {}
        }
        let mut conditions = Vec::new();
        for arg in args {
            match self.cond(arg) {
                // Of a value that is not text null is null by itself.
                Ok(Some(_)) if !text && arg.e.ty != Type::String => {}
                Ok(c) => conditions.extend(c),
                Err(()) => return Err(self.null(node, "an argument")),
            }
        }
        if nulls == ReadNulls::Empty {
            conditions.push(is_empty(made.clone()));
        }
        let condition = (!conditions.is_empty()).then(|| Expr::or(conditions, Span::default()));
        Ok(match (text, condition) {
            // Of a missing text the IR has "", of which the function may make something.
            (true, Some(condition)) => {
                Val::new(super::nulls::blank_where(condition.clone(), made), Nulls::when(Some(condition)))
            }
            (true, None) => Val::present(made),
            (false, None) => Val::exact(made),
            (false, Some(condition)) => Val::exact(null_where(condition, made)),
        })
    }

    /// The expression of a recipe over these arguments; `None` where the types do not go together.
    fn cooked(&self, e: &ast::Expr, args: &[Val]) -> Option<Expr> {
        let none = Span::default();
        if let Some(at) = unify::hole(e) {
            return args.get(at.checked_sub(1)?).map(|a| a.e.clone());
        }
        match bare(e) {
            ast::Expr::Value(v) => Some(Expr::literal(
                match &v.value {
                    ast::Value::Number(digits, _) if digits.contains(['.', 'e']) => {
                        Value::Real(digits.parse().ok()?)
                    }
                    ast::Value::Number(digits, _) => Value::Long(digits.parse().ok()?),
                    ast::Value::SingleQuotedString(text) => Value::String(text.as_str().into()),
                    ast::Value::Boolean(b) => Value::Bool(*b),
                    _ => return None,
                },
                none,
            )),
            ast::Expr::Interval(i) => match &*i.value {
                ast::Expr::Value(v) => match &v.value {
                    ast::Value::SingleQuotedString(text) => {
                        Some(Expr::literal(Value::Timespan(literal::spelled(text)?), none))
                    }
                    _ => None,
                },
                _ => None,
            },
            ast::Expr::TypedString(t) => match &t.value.value {
                ast::Value::SingleQuotedString(text) => {
                    Some(Expr::literal(Value::Datetime(literal::timestamp(text)?), none))
                }
                _ => None,
            },
            ast::Expr::Cast { expr, data_type, .. } => {
                let to = literal::type_of(data_type)?;
                Some(self.cooked(expr, args)?.cast(to, false))
            }
            ast::Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                Some(self.cooked(expr, args)?.negated(none))
            }
            ast::Expr::Case { operand: None, conditions, else_result: Some(otherwise), .. } => {
                let otherwise = self.cooked(otherwise, args)?;
                let mut branches = Vec::new();
                for branch in conditions {
                    branches
                        .push((self.cooked(&branch.condition, args)?, self.cooked(&branch.result, args)?));
                }
                let ty = otherwise.ty;
                branches
                    .iter()
                    .all(|(_, v)| v.ty == ty)
                    .then(|| Expr::new(ExprKind::Case(branches, Box::new(otherwise)), ty, none))
            }
            ast::Expr::BinaryOp { left, op, right } => {
                let (l, r) = (self.cooked(left, args)?, self.cooked(right, args)?);
                let arithmetic = |op: ArithmeticOp, catalogue: ArithOp, l: Expr, r: Expr| {
                    let ty = binary_result(catalogue, l.ty, r.ty)?;
                    Some(Expr::arithmetic(op, l, r, ty, none))
                };
                let compare = |op: CompareOp, l: Expr, r: Expr| {
                    super::test::comparable(l.ty, r.ty).then(|| Expr::compare(op, l, r, Missing::Null, none))
                };
                match op {
                    BinaryOperator::Plus => arithmetic(ArithmeticOp::Add, ArithOp::Add, l, r),
                    BinaryOperator::Minus => arithmetic(ArithmeticOp::Sub, ArithOp::Sub, l, r),
                    BinaryOperator::Multiply => arithmetic(ArithmeticOp::Mul, ArithOp::Mul, l, r),
                    BinaryOperator::Divide => arithmetic(ArithmeticOp::Div, ArithOp::Div, l, r),
                    BinaryOperator::Modulo => arithmetic(ArithmeticOp::Mod, ArithOp::Mod, l, r),
                    BinaryOperator::Eq => compare(CompareOp::Eq, l, r),
                    BinaryOperator::Lt => compare(CompareOp::Lt, l, r),
                    BinaryOperator::LtEq => compare(CompareOp::Le, l, r),
                    BinaryOperator::Gt => compare(CompareOp::Gt, l, r),
                    BinaryOperator::GtEq => compare(CompareOp::Ge, l, r),
                    BinaryOperator::And => Some(Expr::and(vec![l, r], none)),
                    BinaryOperator::Or => Some(Expr::or(vec![l, r], none)),
                    _ => None,
                }
            }
            ast::Expr::Function(f) => {
                let name = function_name(f)?;
                let mut own: Vec<Expr> = Vec::new();
                for arg in plain_args(f)? {
                    match unify::hole(arg) {
                        Some(0) => own.extend(args.iter().map(|a| a.e.clone())),
                        _ => own.push(self.cooked(arg, args)?),
                    }
                }
                if let ("now", []) = (name.as_str(), own.as_slice()) {
                    return Some(Expr::new(ExprKind::Now, Type::Datetime, none));
                }
                if name == "element" {
                    let [base, index] = <[Expr; 2]>::try_from(own).ok()?;
                    let index = ExprKind::Index(Box::new(base), Box::new(index));
                    return Some(Expr::new(index, Type::Dynamic, none));
                }
                let def = functions::find(&name, FunctionKind::Scalar)?;
                let types: Vec<Type> = own.iter().map(|a| a.ty).collect();
                let ty = def.return_type(&types);
                Some(Expr::new(ExprKind::Call(def, own), ty, none))
            }
            _ => None,
        }
    }
}
