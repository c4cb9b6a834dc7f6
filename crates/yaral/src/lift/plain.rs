//! Events of tables that are not UDM, in the form of [`crate::plain`]: the guard names the table, fields are its columns.

use super::path::{Target, unix_seconds};
use super::{Lifter, bind, make};
use crate::plain::{self, EVENT_ID, EVENT_TYPE, GENERIC_EVENT, LOG_TYPE, LookBack};
use crate::syntax::print_expr;
use crate::syntax::tree::{CompareOp, Expr as Tree, ExprKind, Field, Step};
use ruleferry_diag::Span;
use ruleferry_ir::{ArithmeticOp, CompareOp as Op, Expr, ExprKind as Ir, Missing, Type, Value};
use smol_str::SmolStr;

#[derive(Clone, Debug)]
pub struct PlainTable {
    pub name: SmolStr,
    /// The column that says when an event was.
    pub time: SmolStr,
}

/// The time column of tables of which nothing is known.
const TIME: &str = "TimeGenerated";

/// The conditions on a time that a period is.
pub fn period(of: &LookBack, time: &Expr) -> Vec<Expr> {
    let span = time.span;
    let now = || Expr::new(Ir::Now, Type::Datetime, span);
    let length = Expr::literal(Value::Timespan(of.ticks), span);
    let since = Expr::arithmetic(ArithmeticOp::Sub, now(), length, Type::Datetime, span);
    let op = if of.inclusive { Op::Ge } else { Op::Gt };
    let mut all = vec![Expr::compare(op, time.clone(), since, Missing::Null, span)];
    if of.until_now {
        all.push(Expr::compare(Op::Le, time.clone(), now(), Missing::Null, span));
    }
    all
}

/// The path of a field that is only names, without the variable.
fn path(field: &Field) -> Option<String> {
    let names: Option<Vec<&str>> = field
        .steps
        .iter()
        .map(|s| match s {
            Step::Name(name) => Some(name.as_str()),
            Step::Index(_) | Step::Key(_) => None,
        })
        .collect();
    names.map(|n| n.join("."))
}

/// `$e.path = "text"`
fn equality(e: &Tree) -> Option<(&SmolStr, String, &SmolStr)> {
    let ExprKind::Compare(c) = &e.kind else { return None };
    let (ExprKind::Field(field), ExprKind::Text(text)) = (&c.left.kind, &c.right.kind) else { return None };
    (c.op == CompareOp::Eq && !c.nocase).then(|| Some((&field.var, path(field)?, &text.value)))?
}

/// Whether a field may be one of a table, or of what all events have.
fn fits(field: &Field) -> bool {
    let common = path(field).is_some_and(|p| {
        p == EVENT_ID || p == EVENT_TYPE || p == LOG_TYPE || p.starts_with("metadata.event_timestamp")
    });
    common || plain::column(&field.steps).is_some()
}

impl Lifter<'_> {
    /// Variables whose guard names a table, and that use no field of UDM.
    pub(super) fn find_plain_tables(&mut self) {
        let rule = self.rule;
        let mut conjuncts = Vec::new();
        rule.events.iter().for_each(|e| bind::conjuncts(e, &mut conjuncts));
        let texts = |var: &SmolStr, wanted: &str| -> Vec<SmolStr> {
            let of = conjuncts.iter().filter_map(|e| equality(e));
            of.filter(|(v, p, _)| *v == var && p == wanted).map(|(.., text)| text.clone()).collect()
        };
        for (name, var) in &mut self.vars {
            let generic = texts(name, EVENT_TYPE);
            let logs = texts(name, LOG_TYPE);
            let ([event_type], [table]) = (generic.as_slice(), logs.as_slice()) else { continue };
            if event_type != GENERIC_EVENT {
                continue;
            }
            let mut all = true;
            let outcomes = rule.outcome.iter().map(|o| &o.value);
            for e in rule.events.iter().chain(outcomes) {
                bind::visit(e, &mut |field, _| {
                    all &= field.var != *name || field.steps.is_empty() || fits(field);
                });
            }
            if all {
                let time = self.tables.and_then(|t| t.time(table)).unwrap_or(SmolStr::new_static(TIME));
                var.plain = Some(PlainTable { name: table.clone(), time });
            }
        }
    }

    /// Whether a predicate is the guard of such a variable.
    pub(super) fn names_a_table(&self, e: &Tree) -> bool {
        let Some((var, path, _)) = equality(e) else { return false };
        let is_plain = self.vars.get(var).is_some_and(|v| v.plain.is_some());
        is_plain && (path == EVENT_TYPE || path == LOG_TYPE)
    }

    pub(super) fn walk_plain(&mut self, table: &PlainTable, field: &Field, span: Span) -> Target {
        let var = &field.var;
        let target = |expr: Expr| Target { expr, of_enum: None };
        match path(field).as_deref() {
            Some(plain::EVENT_SECONDS) => {
                let time = self.column(var, &table.time, Type::Datetime, span);
                return target(unix_seconds(time, span));
            }
            // All its events are of one kind.
            Some(LOG_TYPE) => return target(Expr::string(table.name.clone(), span)),
            Some(EVENT_TYPE) => return target(Expr::string(GENERIC_EVENT, span)),
            Some(EVENT_ID) => return target(self.column(var, EVENT_ID, Type::String, span)),
            _ => {}
        }
        let known = |name: &str| self.tables.and_then(|t| t.column(&table.name, name));
        // The longest path need not be the column: what lies behind it is inside of its value.
        let whole =
            plain::column(&field.steps).unwrap_or_else(|| (print_expr(&field.clone().expr()).into(), 0));
        let mut found = (whole.0.clone(), whole.1.max(1), known(&whole.0));
        if found.2.is_none() && !matches!(field.steps.get(2), Some(Step::Key(_))) {
            let mut name = String::new();
            for (i, part) in whole.0.split('.').enumerate() {
                if i > 0 {
                    name.push('.');
                }
                name.push_str(part);
                if let Some(ty) = known(&name) {
                    found = (name.as_str().into(), i + 1, Some(ty));
                    break;
                }
            }
        }
        let (name, used, ty) = found;
        let mut e = self.column(var, &name, ty.unwrap_or(Type::String), span);
        for step in field.steps.iter().skip(used) {
            e = match step {
                Step::Name(name) => make::member(e, name.clone(), span),
                Step::Index(n) => make::index(e, make::long(i64::from(*n), span), span),
                Step::Key(key) => make::index(e, Expr::string(key.value.clone(), span), span),
            };
        }
        target(if e.ty == Type::Dynamic { e.cast(Type::String, false) } else { e })
    }
}
