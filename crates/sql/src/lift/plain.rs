//! A query of any dialect in the plain forms of one: special syntax as calls, functions of the dialect as those of DuckDB.
//!
//! In: the tree as it was parsed. Out: the same tree, changed in its place, so that the reading knows one dialect. What a function means
//! in another dialect is data (`targets/<dialect>/reads.toml`); what cannot be said plainly is left for the reading to refuse.

use super::heads::{Heads, Pattern, parse_plain as parse};
use super::unify::{self, Holes, bare, function_name};
use crate::syntax::{ReadDialect, macro_expression};
use ruleferry_targets::reads::{self, To};
use rustc_hash::FxHashMap;
use sqlparser::ast::{
    self, BinaryOperator, CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, ObjectNamePart, Spanned, UnaryOperator,
    Value, VisitMut, VisitorMut,
};
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

/// A macro of the script's own.
#[derive(Debug)]
pub(super) struct OwnMacro {
    pub name: String,
    params: Vec<String>,
    body: Expr,
}

/// Nodes that may be copied: places of templates and macros may stand in them several times.
const MAX_COPIED: usize = 200_000;

/// The query is too large once its macros are written out.
#[derive(Debug)]
pub(super) struct TooLarge;

struct Plain<'m> {
    dialect: ReadDialect,
    macros: &'m [OwnMacro],
    copied: usize,
    /// Functions are respelled, too.
    spells: bool,
}

/// A macro of the script's own with those before it written out; `None` where it is of a form that is not read.
pub(super) fn own_macro(
    name: &str,
    text: &str,
    dialect: ReadDialect,
    before: &[OwnMacro],
) -> Option<OwnMacro> {
    let (params, mut body) = macro_expression(text, dialect)?;
    let mut plain = Plain { dialect, macros: before, copied: 0, spells: true };
    match body.visit(&mut plain) {
        ControlFlow::Continue(()) => Some(OwnMacro { name: name.to_lowercase(), params, body }),
        ControlFlow::Break(TooLarge) => None,
    }
}

/// Brings a query into plain forms.
pub(super) fn plain(
    query: &mut ast::Query,
    dialect: ReadDialect,
    macros: &[OwnMacro],
) -> Result<(), TooLarge> {
    let mut plain = Plain { dialect, macros, copied: 0, spells: true };
    match query.visit(&mut plain) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(fault) => Err(fault),
    }
}

/// Brings a template of what is emitted into the forms that a query comes in.
pub(super) fn plain_template(e: &mut Expr) {
    let mut plain = Plain { dialect: ReadDialect::DuckDb, macros: &[], copied: 0, spells: true };
    let _ = e.visit(&mut plain);
}

/// Brings special syntax of a template into plain calls.
pub(super) fn plain_forms(e: &mut Expr) {
    let mut plain = Plain { dialect: ReadDialect::DuckDb, macros: &[], copied: 0, spells: false };
    let _ = e.visit(&mut plain);
}

impl VisitorMut for Plain<'_> {
    type Break = TooLarge;

    fn post_visit_expr(&mut self, e: &mut Expr) -> ControlFlow<TooLarge> {
        let before = self.copied;
        self.form(e);
        self.expand(e);
        let mut inner: &mut Expr = e;
        while let Expr::UnaryOp { op: UnaryOperator::Not, expr } = inner {
            inner = expr;
        }
        for _ in 0..6 {
            if !self.spells || !self.respelled(inner) {
                break;
            }
        }
        if self.copied > MAX_COPIED && self.copied > before {
            return ControlFlow::Break(TooLarge);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<TooLarge> {
        // `FETCH FIRST 5 ROWS ONLY`
        if let Some(ast::Fetch { with_ties: false, percent: false, quantity }) = &query.fetch
            && query.limit_clause.is_none()
        {
            let one = || Expr::value(Value::Number("1".into(), false));
            let limit = Some(quantity.clone().unwrap_or_else(one));
            query.limit_clause =
                Some(ast::LimitClause::LimitOffset { limit, offset: None, limit_by: Vec::new() });
            query.fetch = None;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<TooLarge> {
        if let Some(first) = select.prewhere.take() {
            select.selection = Some(match select.selection.take() {
                Some(rest) => binary(nested(first), BinaryOperator::And, nested(rest)),
                None => first,
            });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &mut ast::ValueWithSpan) -> ControlFlow<TooLarge> {
        let text = match &mut value.value {
            Value::DoubleQuotedString(text)
            | Value::TripleSingleQuotedString(text)
            | Value::TripleDoubleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::NationalStringLiteral(text)
            | Value::SingleQuotedRawStringLiteral(text)
            | Value::DoubleQuotedRawStringLiteral(text)
            | Value::TripleSingleQuotedRawStringLiteral(text)
            | Value::TripleDoubleQuotedRawStringLiteral(text) => Some(std::mem::take(text)),
            Value::DollarQuotedString(text) => Some(std::mem::take(&mut text.value)),
            Value::Number(..)
            | Value::SingleQuotedString(_)
            | Value::UnicodeStringLiteral(_)
            | Value::SingleQuotedByteStringLiteral(_)
            | Value::DoubleQuotedByteStringLiteral(_)
            | Value::TripleSingleQuotedByteStringLiteral(_)
            | Value::TripleDoubleQuotedByteStringLiteral(_)
            | Value::QuoteDelimitedStringLiteral(_)
            | Value::NationalQuoteDelimitedStringLiteral(_)
            | Value::HexStringLiteral(_)
            | Value::Boolean(_)
            | Value::Null
            | Value::Placeholder(_) => None,
        };
        if let Some(text) = text {
            value.value = Value::SingleQuotedString(text);
        }
        ControlFlow::Continue(())
    }
}

/// Functions with the name of a unit among their arguments, and where it stands.
const UNITS: [(&str, usize); 17] = [
    ("date_add", 0),
    ("date_diff", 0),
    ("date_diff", 2),
    ("date_part", 0),
    ("date_sub", 0),
    ("date_trunc", 0),
    ("date_trunc", 1),
    ("dateadd", 0),
    ("datediff", 0),
    ("datetime_diff", 2),
    ("datetime_trunc", 1),
    ("timestamp_diff", 2),
    ("timestamp_trunc", 1),
    ("timestampadd", 0),
    ("timestampdiff", 0),
    ("time_slice", 2),
    ("trunc", 1),
];

/// Names of units, as arguments without quotes.
const UNIT_NAMES: [&str; 20] = [
    "day",
    "days",
    "dayofweek",
    "dayofyear",
    "hour",
    "hours",
    "isoweek",
    "microsecond",
    "millisecond",
    "minute",
    "minutes",
    "month",
    "months",
    "quarter",
    "second",
    "seconds",
    "week",
    "weeks",
    "year",
    "years",
];

impl Plain<'_> {
    /// Special syntax as calls and operators.
    fn form(&mut self, e: &mut Expr) {
        // Places of long chains are costly: only what becomes a call has one.
        let special = match e {
            Expr::Substring { .. }
            | Expr::Trim { .. }
            | Expr::Position { .. }
            | Expr::Extract { .. }
            | Expr::RLike { .. }
            | Expr::SimilarTo { .. } => true,
            Expr::BinaryOp { op, .. } => {
                !matches!(op, BinaryOperator::And | BinaryOperator::Or | BinaryOperator::StringConcat)
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) | Expr::Nested(_) => return,
            _ => false,
        };
        let at = if special { e.span() } else { sqlparser::tokenizer::Span::empty() };
        let own = std::mem::replace(e, Expr::Value(Value::Null.into()));
        *e = match own {
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let one = || Box::new(Expr::value(Value::Number("1".into(), false)));
                let args = [Some(expr), Some(substring_from.unwrap_or_else(one)), substring_for];
                call("substring", args.into_iter().flatten().map(|e| *e).collect(), at)
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters } => {
                let name = match trim_where {
                    None | Some(ast::TrimWhereField::Both) => "trim",
                    Some(ast::TrimWhereField::Leading) => "ltrim",
                    Some(ast::TrimWhereField::Trailing) => "rtrim",
                };
                let mut args = vec![*expr];
                args.extend(trim_what.map(|e| *e));
                args.extend(trim_characters.into_iter().flatten());
                call(name, args, at)
            }
            Expr::Position { expr, r#in } => call("strpos", vec![*r#in, *expr], at),
            Expr::Extract { field, expr, .. } => {
                let field = text(&field.to_string().to_lowercase());
                call("date_part", vec![field, *expr], at)
            }
            Expr::RLike { negated, expr, pattern, .. } => {
                negated_if(negated, call("rlike", vec![*expr, *pattern], at))
            }
            Expr::SimilarTo { negated, expr, pattern, escape_char } => {
                let mut args = vec![*expr, *pattern];
                args.extend(escape_char.map(|e| *e));
                // DuckDB has regular expressions there.
                let name =
                    if self.dialect == ReadDialect::DuckDb { "regexp_full_match" } else { "similar_to" };
                negated_if(negated, call(name, args, at))
            }
            Expr::Case { operand: Some(operand), mut conditions, else_result, case_token, end_token } => {
                for branch in &mut conditions {
                    self.copied += size(&operand);
                    let value = std::mem::replace(&mut branch.condition, Expr::Value(Value::Null.into()));
                    if self.copied <= MAX_COPIED {
                        branch.condition =
                            binary(nested((*operand).clone()), BinaryOperator::Eq, nested(value));
                    }
                }
                Expr::Case { operand: None, conditions, else_result, case_token, end_token }
            }
            Expr::BinaryOp { left, op, right } => operator(left, op, right, at),
            Expr::IsUnknown(inner) => Expr::IsNull(inner),
            Expr::IsNotUnknown(inner) => Expr::IsNotNull(inner),
            Expr::Cast { kind: CastKind::SafeCast, expr, data_type, format, .. } => {
                Expr::Cast { kind: CastKind::TryCast, expr, data_type, format }
            }
            Expr::Cast { kind, expr, data_type, format } if self.dialect == ReadDialect::Snowflake => {
                let texts = super::literal::type_of(&data_type) == Some(ruleferry_ir::Type::String);
                match (texts, *expr) {
                    (true, Expr::Nested(inner)) if is_arrow(&inner) => match *inner {
                        Expr::BinaryOp { left, right, .. } => {
                            nested(Expr::BinaryOp { left, op: BinaryOperator::LongArrow, right })
                        }
                        other => nested(other),
                    },
                    (_, expr) => Expr::Cast { kind, expr: Box::new(expr), data_type, format },
                }
            }
            Expr::JsonAccess { value, path } => match json_path(&path) {
                // A part of JSON is a text in one dialect, and a value of any type in the other.
                Some(path) => {
                    let op = match self.dialect {
                        ReadDialect::Spark => BinaryOperator::LongArrow,
                        _ => BinaryOperator::Arrow,
                    };
                    nested(binary(nested(*value), op, text(&path)))
                }
                None => Expr::JsonAccess { value, path },
            },
            Expr::AnyOp { left, compare_op, right, is_some } => match (compare_op, *right) {
                (BinaryOperator::Eq, right) => is_any(left, right, false),
                (op, right) => Expr::AnyOp { left, compare_op: op, right: Box::new(right), is_some },
            },
            Expr::AllOp { left, compare_op, right } => match (compare_op, *right) {
                (BinaryOperator::NotEq, right) => is_any(left, right, true),
                (op, right) => Expr::AllOp { left, compare_op: op, right: Box::new(right) },
            },
            Expr::InUnnest { expr, array_expr, negated } => is_any(expr, *array_expr, negated),
            Expr::Like { negated, any: true, expr, pattern, escape_char } => {
                self.any_like(negated, *expr, *pattern, escape_char, false)
            }
            Expr::ILike { negated, any: true, expr, pattern, escape_char } => {
                self.any_like(negated, *expr, *pattern, escape_char, true)
            }
            Expr::Function(f) => function(f),
            own => own,
        };
    }

    /// `x LIKE ANY ('a%', 'b%')`
    fn any_like(
        &mut self,
        negated: bool,
        expr: Expr,
        pattern: Expr,
        escape_char: Option<Box<Expr>>,
        folds: bool,
    ) -> Expr {
        let patterns = match pattern {
            Expr::Tuple(items) => items,
            Expr::Nested(one) => vec![*one],
            Expr::Array(array) => array.elem,
            one => vec![one],
        };
        let mut all: Option<Expr> = None;
        for pattern in patterns {
            self.copied += size(&expr);
            if self.copied > MAX_COPIED {
                break;
            }
            let (expr, pattern) = (Box::new(expr.clone()), Box::new(pattern));
            let escape_char = escape_char.clone();
            let one = if folds {
                Expr::ILike { negated: false, any: false, expr, pattern, escape_char }
            } else {
                Expr::Like { negated: false, any: false, expr, pattern, escape_char }
            };
            all = Some(match all {
                Some(before) => binary(before, BinaryOperator::Or, one),
                None => one,
            });
        }
        let all = all.unwrap_or_else(|| Expr::Value(Value::Boolean(false).into()));
        negated_if(negated, nested(all))
    }

    /// A call of a macro of the script's own is its expression.
    fn expand(&mut self, e: &mut Expr) {
        if self.macros.is_empty() {
            return;
        }
        let Expr::Function(f) = &*e else { return };
        let Some(name) = function_name(f) else { return };
        let Some(args) = unify::plain_args(f) else { return };
        let found = self.macros.iter().rev().find(|m| m.name == name && m.params.len() == args.len());
        let Some(found) = found else { return };
        let args: Vec<Expr> = args.into_iter().cloned().collect();
        self.copied += size(&found.body) + args.iter().map(size).sum::<usize>();
        if self.copied > MAX_COPIED {
            return;
        }
        let mut body = found.body.clone();
        let (params, copied) = (&found.params, &mut self.copied);
        let mut put = Places {
            find: |e: &Expr| {
                let Expr::Identifier(ident) = e else { return None };
                let at = params.iter().position(|p| p.eq_ignore_ascii_case(&ident.value))?;
                args.get(at).cloned()
            },
            copied,
        };
        let _ = body.visit(&mut put);
        *e = nested(body);
    }

    /// A function of the dialect as those of DuckDB; whether there was one.
    fn respelled(&mut self, e: &mut Expr) -> bool {
        let plain = match e {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) | Expr::Nested(_) => true,
            Expr::BinaryOp { op, .. } => matches!(op, BinaryOperator::And | BinaryOperator::Or),
            _ => false,
        };
        if plain {
            return false;
        }
        let Some((head, _)) = unify::shape(e) else { return self.respelled_call(e) };
        for dialect in
            [Some(self.dialect), (self.dialect != ReadDialect::DuckDb).then_some(ReadDialect::DuckDb)]
                .into_iter()
                .flatten()
        {
            for (pattern, to) in patterns(dialect, &head) {
                let mut holes = Holes::default();
                if unify::unify(&pattern.tree, e, &mut holes)
                    && let Some(new) = self.filled(&to, &holes)
                {
                    *e = with_place(new, e.span());
                    return true;
                }
            }
        }
        self.respelled_call(e)
    }

    /// A call with clauses (`FILTER`, `OVER`, `DISTINCT` …): the function may have another name, the clauses stay.
    fn respelled_call(&mut self, e: &mut Expr) -> bool {
        let Expr::Function(f) = &*e else { return false };
        let Some(extras) = Extras::of(f) else { return false };
        let mut bare_call = Expr::Function(extras.without(f));
        let Some((head, _)) = unify::shape(&bare_call) else { return false };
        for dialect in [self.dialect, ReadDialect::DuckDb] {
            for (pattern, to) in patterns(dialect, &head) {
                let mut holes = Holes::default();
                if !unify::unify(&pattern.tree, &bare_call, &mut holes) {
                    continue;
                }
                let Some(new) = self.filled(&to, &holes) else { continue };
                // Only a plain call can take them.
                if let Expr::Function(mut new) = with_place(new, e.span())
                    && extras.give(&mut new)
                {
                    bare_call = Expr::Function(new);
                    *e = bare_call;
                    return true;
                }
            }
        }
        false
    }

    fn filled(&mut self, to: &Expr, holes: &Holes<'_>) -> Option<Expr> {
        self.copied += size(to);
        if self.copied > MAX_COPIED {
            return None;
        }
        let mut new = to.clone();
        let mut put = Places {
            find: |e: &Expr| {
                let at = unify::hole(e)?.checked_sub(1)?;
                holes.places.get(at).copied().flatten().cloned().map(nested_if)
            },
            copied: &mut self.copied,
        };
        let _ = new.visit(&mut put);
        if let Some(rest) = &holes.rest {
            let mut spread = Spread { rest, copied: &mut self.copied };
            let _ = new.visit(&mut spread);
        }
        Some(new)
    }
}

/// Puts trees in places.
struct Places<'c, F> {
    find: F,
    copied: &'c mut usize,
}

impl<F: FnMut(&Expr) -> Option<Expr>> VisitorMut for Places<'_, F> {
    type Break = ();

    fn post_visit_expr(&mut self, e: &mut Expr) -> ControlFlow<()> {
        if let Some(new) = (self.find)(e) {
            *self.copied += size(&new);
            if *self.copied > MAX_COPIED {
                return ControlFlow::Break(());
            }
            *e = new;
        }
        ControlFlow::Continue(())
    }
}

/// Puts the arguments of `$...` in a call or a list.
struct Spread<'c, 'e> {
    rest: &'c [&'e Expr],
    copied: &'c mut usize,
}

impl VisitorMut for Spread<'_, '_> {
    type Break = ();

    fn post_visit_expr(&mut self, e: &mut Expr) -> ControlFlow<()> {
        match e {
            Expr::Function(Function { args: FunctionArguments::List(list), .. }) => {
                let rest = |arg: &FunctionArg| matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) if unify::hole(e) == Some(0));
                if let Some(at) = list.args.iter().position(rest) {
                    let new =
                        self.rest.iter().map(|e| FunctionArg::Unnamed(FunctionArgExpr::Expr((*e).clone())));
                    list.args.splice(at..=at, new);
                    *self.copied += self.rest.iter().map(|e| size(e)).sum::<usize>();
                }
            }
            Expr::Array(array) => {
                if let Some(at) = array.elem.iter().position(|e| unify::hole(e) == Some(0)) {
                    array.elem.splice(at..=at, self.rest.iter().map(|e| (*e).clone()));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Clauses of a call.
struct Extras {
    filter: Option<Box<Expr>>,
    over: Option<ast::WindowType>,
    null_treatment: Option<ast::NullTreatment>,
    within_group: Vec<ast::OrderByExpr>,
    clauses: Vec<FunctionArgumentClause>,
    distinct: Option<ast::DuplicateTreatment>,
}

impl Extras {
    /// `None` for a call without any.
    fn of(f: &Function) -> Option<Self> {
        let FunctionArguments::List(list) = &f.args else { return None };
        let own = Self {
            filter: f.filter.clone(),
            over: f.over.clone(),
            null_treatment: f.null_treatment,
            within_group: f.within_group.clone(),
            clauses: list.clauses.clone(),
            distinct: list.duplicate_treatment,
        };
        let any = own.filter.is_some()
            || own.over.is_some()
            || own.null_treatment.is_some()
            || !own.within_group.is_empty()
            || !own.clauses.is_empty()
            || own.distinct.is_some();
        any.then_some(own)
    }

    fn without(&self, f: &Function) -> Function {
        let mut plain = f.clone();
        plain.filter = None;
        plain.over = None;
        plain.null_treatment = None;
        plain.within_group = Vec::new();
        if let FunctionArguments::List(list) = &mut plain.args {
            list.clauses = Vec::new();
            list.duplicate_treatment = None;
        }
        plain
    }

    /// Whether all found a place.
    fn give(&self, f: &mut Function) -> bool {
        let FunctionArguments::List(list) = &mut f.args else { return false };
        if list.duplicate_treatment.is_some() && self.distinct.is_some() {
            return false;
        }
        list.clauses.extend(self.clauses.iter().cloned());
        if self.distinct.is_some() {
            list.duplicate_treatment = self.distinct;
        }
        f.filter = match (f.filter.take(), &self.filter) {
            (Some(a), Some(b)) => {
                Some(Box::new(binary(nested(*a), BinaryOperator::And, nested((**b).clone()))))
            }
            (a, b) => a.or_else(|| b.clone()),
        };
        f.over.clone_from(&self.over);
        f.null_treatment = self.null_treatment;
        f.within_group.clone_from(&self.within_group);
        true
    }
}

/// The respellings of a dialect, parsed when they are met.
#[derive(Default)]
struct Respellings {
    heads: Heads,
    to: FxHashMap<usize, Option<Rc<Expr>>>,
}

thread_local! {
    static RESPELLINGS: RefCell<FxHashMap<ReadDialect, Respellings>> = RefCell::new(FxHashMap::default());
}

/// What is written with this head in a dialect, and what stands for it.
fn patterns(dialect: ReadDialect, head: &str) -> Vec<(Rc<Pattern>, Rc<Expr>)> {
    let Some(data) = reads::reads(dialect.name()) else { return Vec::new() };
    RESPELLINGS.with_borrow_mut(|known| {
        let own = known.entry(dialect).or_insert_with(|| {
            let texts = data.reads.iter().map(|r| match r.to {
                To::Sql(_) => r.sql,
                To::Ir(_) => "",
            });
            Respellings { heads: Heads::new(texts, None), to: FxHashMap::default() }
        });
        let found = own.heads.with_head(head);
        let to = &mut own.to;
        found
            .iter()
            .filter_map(|p| {
                let parsed = to.entry(p.at).or_insert_with(|| match data.reads.get(p.at)?.to {
                    To::Sql(text) => parse(text).map(Rc::new),
                    To::Ir(_) => None,
                });
                Some((Rc::clone(p), parsed.clone()?))
            })
            .collect()
    })
}

fn operator(left: Box<Expr>, op: BinaryOperator, right: Box<Expr>, at: sqlparser::tokenizer::Span) -> Expr {
    let regex = |name: &str, l: Box<Expr>, r: Box<Expr>| call(name, vec![*l, *r], at);
    match op {
        BinaryOperator::PGRegexMatch => regex("regex_operator", left, right),
        BinaryOperator::PGRegexNotMatch => negated_if(true, regex("regex_operator", left, right)),
        BinaryOperator::PGRegexIMatch => regex("regex_operator_i", left, right),
        BinaryOperator::PGRegexNotIMatch => negated_if(true, regex("regex_operator_i", left, right)),
        BinaryOperator::PGLikeMatch | BinaryOperator::PGNotLikeMatch => Expr::Like {
            negated: op == BinaryOperator::PGNotLikeMatch,
            any: false,
            expr: left,
            pattern: right,
            escape_char: None,
        },
        BinaryOperator::PGILikeMatch | BinaryOperator::PGNotILikeMatch => Expr::ILike {
            negated: op == BinaryOperator::PGNotILikeMatch,
            any: false,
            expr: left,
            pattern: right,
            escape_char: None,
        },
        BinaryOperator::Regexp => regex("rlike", left, right),
        BinaryOperator::Spaceship => Expr::IsNotDistinctFrom(left, right),
        BinaryOperator::PGExp => call("pow", vec![*left, *right], at),
        BinaryOperator::MyIntegerDivide => {
            Expr::BinaryOp { left, op: BinaryOperator::DuckIntegerDivide, right }
        }
        op => Expr::BinaryOp { left, op, right },
    }
}

/// `x = ANY (…)`
fn is_any(left: Box<Expr>, right: Expr, negated: bool) -> Expr {
    match right {
        Expr::Array(array) => Expr::InList { expr: left, list: array.elem, negated },
        Expr::Tuple(list) => Expr::InList { expr: left, list, negated },
        Expr::Subquery(subquery) => Expr::InSubquery { expr: left, subquery, negated },
        Expr::Nested(inner) => is_any(left, *inner, negated),
        other => negated_if(
            negated,
            call("list_contains", vec![other, *left], sqlparser::tokenizer::Span::empty()),
        ),
    }
}

/// Calls without parentheses, with parameters of their own, with units.
fn function(mut f: Function) -> Expr {
    if matches!(f.args, FunctionArguments::None) {
        f.args = list(Vec::new());
    }
    let Some(name) = function_name(&f) else { return Expr::Function(f) };
    // `quantile(0.9)(x)`
    if let (FunctionArguments::List(params), FunctionArguments::List(args)) = (&f.parameters, &mut f.args)
        && let [ObjectNamePart::Identifier(ident)] = f.name.0.as_mut_slice()
    {
        args.args.extend(params.args.iter().cloned());
        ident.value = format!("{name}_params");
        f.parameters = FunctionArguments::None;
    }
    if let FunctionArguments::List(list) = &mut f.args {
        for (i, arg) in list.args.iter_mut().enumerate() {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) = arg else { continue };
            if !UNITS.contains(&(name.as_str(), i)) {
                continue;
            }
            let unit = match &*e {
                Expr::Identifier(i) if i.quote_style.is_none() => i.value.to_lowercase(),
                // `WEEK(MONDAY)`
                Expr::Value(v) => match &v.value {
                    Value::SingleQuotedString(text) => text.to_lowercase(),
                    _ => continue,
                },
                _ => continue,
            };
            if UNIT_NAMES.contains(&unit.as_str()) {
                *e = text(&unit);
            }
        }
    }
    Expr::Function(f)
}

fn is_arrow(e: &Expr) -> bool {
    matches!(e, Expr::BinaryOp { op: BinaryOperator::Arrow, .. })
}

/// A path behind `:` as one of `->`.
fn json_path(path: &ast::JsonPath) -> Option<String> {
    let mut out = String::from("$");
    for step in &path.path {
        match step {
            ast::JsonPathElem::Dot { key, .. } => name_step(&mut out, key)?,
            ast::JsonPathElem::Bracket { key } | ast::JsonPathElem::ColonBracket { key } => match bare(key) {
                Expr::Value(v) => match &v.value {
                    Value::SingleQuotedString(name) => name_step(&mut out, name)?,
                    Value::Number(n, _) if n.bytes().all(|b| b.is_ascii_digit()) => {
                        out.push('[');
                        out.push_str(n);
                        out.push(']');
                    }
                    _ => return None,
                },
                _ => return None,
            },
        }
    }
    Some(out)
}

fn name_step(out: &mut String, name: &str) -> Option<()> {
    if name.contains(['"', '\\']) {
        return None;
    }
    out.push_str(".\"");
    out.push_str(name);
    out.push('"');
    Some(())
}

/// How many expressions a tree has.
fn size(e: &Expr) -> usize {
    let mut count = 0;
    let _ = ast::visit_expressions(e, |_| {
        count += 1;
        ControlFlow::<()>::Continue(())
    });
    count
}

/// A call of a function of this name, at a place.
fn call(name: &str, args: Vec<Expr>, at: sqlparser::tokenizer::Span) -> Expr {
    let name = ObjectName(vec![ObjectNamePart::Identifier(Ident::with_span(at, name))]);
    Expr::Function(Function {
        name,
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: list(args),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn list(args: Vec<Expr>) -> FunctionArguments {
    let args = args.into_iter().map(|e| FunctionArg::Unnamed(FunctionArgExpr::Expr(e))).collect();
    FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() })
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn nested(e: Expr) -> Expr {
    Expr::Nested(Box::new(e))
}

fn nested_if(e: Expr) -> Expr {
    match e {
        Expr::BinaryOp { .. } | Expr::UnaryOp { .. } | Expr::Lambda(_) => nested(e),
        e => e,
    }
}

fn negated_if(negated: bool, e: Expr) -> Expr {
    if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(e) } } else { e }
}

fn text(text: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(text.to_owned()))
}

/// The tree that stands for another, at its place where it is a call.
fn with_place(mut e: Expr, at: sqlparser::tokenizer::Span) -> Expr {
    if let Expr::Function(f) = &mut e
        && let [ObjectNamePart::Identifier(ident)] = f.name.0.as_mut_slice()
    {
        ident.span = at;
    }
    e
}
