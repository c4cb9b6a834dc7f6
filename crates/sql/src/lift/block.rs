//! The rows that a SELECT works on, and the names in sight of its expressions.

use super::nulls::Nulls;
use super::{Lifter, Refusal, Result, Val};
use crate::lower::walk::Uses;
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{self as ir, ColId, Expr, Item, Op, Plan, Type};
use smol_str::SmolStr;
use sqlparser::ast;
use std::sync::Arc;

/// A column in sight.
#[derive(Clone, Debug)]
pub(crate) struct Col {
    /// Its name in SQL.
    pub name: SmolStr,
    pub id: ColId,
    pub nulls: Nulls,
    /// A struct has no column of its own in the plan: its fields have.
    pub fields: Option<Vec<Col>>,
}

/// A FROM item, or the columns that a SELECT made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub qualifier: Option<SmolStr>,
    pub cols: Vec<Col>,
    /// A table without a schema: further columns may exist. Its name.
    pub open: Option<SmolStr>,
}

/// A name that the SELECT list gives, which other expressions of the SELECT may use.
#[derive(Clone, Debug)]
pub(crate) struct Alias<'q> {
    pub name: SmolStr,
    pub expr: &'q ast::Expr,
    /// Once it was used: the column that holds it.
    pub col: Option<Col>,
    /// Being read: it must not name itself.
    pub busy: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Block<'q> {
    pub plan: Plan,
    pub sources: Vec<Source>,
    pub aliases: Vec<Alias<'q>>,
    /// The order that the rows have for windows.
    pub windows: Option<super::window::Windows>,
    /// One row a key is kept (`DISTINCT ON`): the rows before, and the key columns.
    pub unique: Option<Box<Unique>>,
    /// The rows have this order.
    pub sorted: bool,
    /// Columns of the row around a lateral query: in sight where no name of its own hides them.
    pub outer: Vec<Source>,
}

#[derive(Clone, Debug)]
pub(crate) struct Unique {
    pub plan: Plan,
    /// Key columns before.
    pub keys: Vec<ColId>,
    /// Columns after and before.
    pub columns: Vec<(ColId, ColId)>,
}

impl<'q> Block<'q> {
    pub fn new(plan: Plan, sources: Vec<Source>) -> Self {
        Self {
            plan,
            sources,
            aliases: Vec::new(),
            windows: None,
            unique: None,
            sorted: false,
            outer: Vec::new(),
        }
    }

    pub fn cols(&self) -> impl Iterator<Item = &Col> {
        self.sources.iter().flat_map(|s| &s.cols)
    }

    /// Puts an operator over the rows.
    pub fn wrap(&mut self, output: Arc<[ColId]>, op: impl FnOnce(Plan) -> Op) {
        let empty = Plan::new(Op::Rows, Vec::new(), Span::default());
        let input = std::mem::replace(&mut self.plan, empty);
        self.plan = Plan::new(op(input), output, Span::default());
    }

    pub fn filter(&mut self, predicate: Expr) {
        let output = self.plan.output.clone();
        self.wrap(output, |input| Op::Filter { input, predicate });
    }

    /// Adds a computed column.
    pub fn extend(&mut self, id: ColId, expr: Expr) {
        let mut output = self.plan.output.to_vec();
        output.push(id);
        let item = Item { ids: vec![id], expr, named: true };
        // Into the step before, if it does not make what this one reads.
        if let Op::Extend { items, .. } = &mut *self.plan.op {
            let uses = Uses::of([&item.expr]);
            let reads = |i: &Item| i.ids.iter().any(|id| uses.columns.contains(id));
            if !uses.whole_row && !items.iter().any(reads) {
                items.push(item);
                self.plan.output = output.into();
                return;
            }
        }
        self.wrap(output.into(), |input| Op::Extend { input, items: vec![item] });
    }
}

pub(crate) fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || !a.is_ascii() && a.to_lowercase() == b.to_lowercase()
}

impl<'q> Lifter<'q> {
    /// A plain name: a column of FROM, else a name of the SELECT list.
    pub(super) fn named(&mut self, block: &mut Block<'q>, ident: &ast::Ident) -> Result<Val> {
        let name = ident.value.as_str();
        if let Some((_, val)) = self.params.iter().rev().find(|(p, _)| same_name(p, name)) {
            return Ok(val.clone());
        }
        match self.find(block, name, None, ident)? {
            Some(col) => self.col_val(&col, ident),
            None => match self.alias(block, name)? {
                Some(col) => self.col_val(&col, ident),
                None => match self.learn(block, name, None) {
                    Some(col) => self.col_val(&col, ident),
                    None => Err(self.unknown(ident)),
                },
            },
        }
    }

    fn unknown(&self, ident: &ast::Ident) -> Refusal {
        let message = format!("no column `{}` is in sight", ident.value);
        Refusal::new(codes::SQL_READ_NAME, self.lines.range(ident.span), message)
    }

    /// `source.column`, `struct.field`.
    pub(super) fn compound(&mut self, block: &mut Block<'q>, parts: &[ast::Ident]) -> Result<Val> {
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
            return Err(Refusal::new(codes::SQL_READ_NAME, Span::default(), "an empty name"));
        };
        let qualifies = |s: &Source| s.qualifier.as_deref().is_some_and(|q| same_name(q, &first.value));
        if let [_, name] = parts
            && block.sources.iter().chain(&block.outer).any(qualifies)
        {
            let found = match self.find(block, &name.value, Some(&first.value), name)? {
                Some(col) => Some(col),
                None => self.learn(block, &name.value, Some(&first.value)),
            };
            return match found {
                Some(col) => self.col_val(&col, name),
                None => Err(self.unknown(name)),
            };
        }
        // A struct and its field.
        if let [holder, field] = parts {
            let name = format!("{}.{}", holder.value, field.value);
            if let Some((_, val)) = self.params.iter().rev().find(|(p, _)| same_name(p, &name)) {
                return Ok(val.clone());
            }
        }
        let holder = match parts {
            [holder, _] => match self.find(block, &holder.value, None, holder)? {
                Some(col) => Some(col),
                None => self.alias(block, &holder.value)?,
            },
            [source, holder, _] => self.find(block, &holder.value, Some(&source.value), holder)?,
            _ => None,
        };
        let field = holder
            .as_ref()
            .and_then(|h| h.fields.as_ref())
            .and_then(|fields| fields.iter().find(|f| same_name(&f.name, &last.value)));
        match field {
            Some(col) => self.col_val(col, last),
            None => Err(self.unknown(last)),
        }
    }

    fn col_val(&self, col: &Col, ident: &ast::Ident) -> Result<Val> {
        if col.fields.is_some() {
            let message = format!("`{}` is a struct as a value: it is not read back", ident.value);
            return Err(Refusal::new(codes::SQL_READ_FUNCTION, self.lines.range(ident.span), message));
        }
        let mut e = self.column(col.id);
        e.span = self.lines.range(ident.span);
        Ok(Val::new(e, col.nulls.clone()))
    }

    /// A column of FROM.
    pub(super) fn find(
        &self,
        block: &Block<'q>,
        name: &str,
        qualifier: Option<&str>,
        at: &ast::Ident,
    ) -> Result<Option<Col>> {
        let mine = |s: &&Source| match qualifier {
            Some(q) => s.qualifier.as_deref().is_some_and(|own| same_name(own, q)),
            None => true,
        };
        for sources in [&block.sources, &block.outer] {
            let mut found =
                sources.iter().filter(mine).flat_map(|s| &s.cols).filter(|c| same_name(&c.name, name));
            match (found.next(), found.next()) {
                (Some(col), None) => return Ok(Some(col.clone())),
                (None, _) => {}
                (Some(_), Some(_)) => {
                    let message = format!("`{name}` stands for more than one column");
                    return Err(Refusal::new(codes::SQL_READ_NAME, self.lines.range(at.span), message));
                }
            }
        }
        Ok(None)
    }

    /// A name of the SELECT list, as a column of the plan.
    pub(super) fn alias(&mut self, block: &mut Block<'q>, name: &str) -> Result<Option<Col>> {
        let Some(at) = block.aliases.iter().position(|a| same_name(&a.name, name)) else { return Ok(None) };
        let Some(alias) = block.aliases.get_mut(at) else { return Ok(None) };
        if let Some(col) = &alias.col {
            return Ok(Some(col.clone()));
        }
        // No name stands for itself.
        if std::mem::replace(&mut alias.busy, true) {
            return Ok(None);
        }
        let (expr, name) = (alias.expr, alias.name.clone());
        let col = self.deeper(|l| l.materialized(block, &name, expr));
        if let Some(alias) = block.aliases.get_mut(at) {
            alias.busy = false;
            alias.col = col.as_ref().ok().cloned();
        }
        let col = col?;
        Ok(Some(col))
    }

    /// An expression as a column.
    pub(super) fn materialized(
        &mut self,
        block: &mut Block<'q>,
        name: &str,
        expr: &'q ast::Expr,
    ) -> Result<Col> {
        if let Some(col) = self.struct_value(block, name, expr)? {
            return Ok(col);
        }
        let val = self.value(block, expr)?;
        Ok(self.put_known(block, name, val, std::ptr::from_ref(expr).addr()))
    }

    /// A value as a column, with what is known of NULL in it; `key` is its own in the script.
    pub(super) fn put_known(&mut self, block: &mut Block<'q>, name: &str, val: Val, key: usize) -> Col {
        let nulls = self.flagged(block, &val, key);
        Col { nulls, ..self.put(block, name, val) }
    }

    /// What is known of NULL in a value once it is a column: by another column, where someone asked for it.
    pub(super) fn flagged(&mut self, block: &mut Block<'q>, val: &Val, key: usize) -> Nulls {
        let mut nulls = val.nulls.as_column();
        let told = nulls.known.is_some() || nulls.pending.is_some() || nulls.never_empty;
        if val.e.ty != Type::String || !nulls.sql || nulls.exact || told {
            return nulls;
        }
        let Ok(Some(null)) = val.nulls.condition(&val.e) else { return nulls };
        if self.wanted.borrow().contains(&key) {
            let id = self.add("known_", Type::Bool);
            block.extend(id, null.negated(Span::default()));
            self.flags.insert(id);
            nulls.known = Some(id);
        } else {
            nulls.pending = Some(key);
        }
        nulls
    }

    /// A value as a column: itself if it is one.
    pub(super) fn put(&mut self, block: &mut Block<'q>, name: &str, val: Val) -> Col {
        // A column that the plan passes on keeps its id, unless it gets another name.
        if let Some(id) = val.e.as_column()
            && self.columns.name(id) == name
            && block.plan.output.contains(&id)
        {
            return Col { name: name.into(), id, nulls: val.nulls.as_column(), fields: None };
        }
        let id = self.add(name, val.e.ty);
        block.extend(id, val.e);
        Col { name: name.into(), id, nulls: val.nulls.as_column(), fields: None }
    }

    /// A column of a table without a schema that no one told of yet. What it holds is text.
    fn learn(&mut self, block: &mut Block<'q>, name: &str, qualifier: Option<&str>) -> Option<Col> {
        let mine = |s: &&mut Source| {
            s.open.is_some()
                && qualifier.is_none_or(|q| s.qualifier.as_deref().is_some_and(|own| same_name(own, q)))
        };
        let mut open = block.sources.iter_mut().filter(mine);
        let (source, None) = (open.next()?, open.next()) else { return None };
        let table = source.open.clone()?;
        let known = self.learned.entry(table.to_lowercase()).or_default();
        if known.iter().any(|(k, _)| same_name(k, name)) {
            return None;
        }
        known.push((name.into(), None));
        self.dirty.set(true);
        let id = self.columns.add(SmolStr::new(name), Type::String, Span::default());
        self.guessed.insert(id, (table.to_lowercase(), name.into()));
        let col = Col { name: name.into(), id, nulls: Nulls::EXACT, fields: None };
        source.cols.push(col.clone());
        Some(col)
    }

    /// Text that is not NULL, and not empty, in rows that pass a test: known from then on.
    pub(super) fn note(&self, block: &mut Block<'q>, predicate: &Expr) {
        let mut facts = Vec::new();
        facts_of(predicate, &mut facts);
        let aliased = block.aliases.iter_mut().filter_map(|a| a.col.as_mut());
        for col in block.sources.iter_mut().flat_map(|s| &mut s.cols).chain(aliased) {
            {
                for (_, never_empty) in facts.iter().filter(|(id, _)| *id == col.id) {
                    if col.nulls.exact || *never_empty {
                        // Neither NULL nor, where it was not exact, `''`: the IR then has a text, too.
                        col.nulls.sql = false;
                        col.nulls.exact |= *never_empty;
                    }
                    col.nulls.never_empty |= *never_empty;
                }
            }
        }
    }
}

/// Columns that have a value in each row that passes; whether it is also not `""`.
fn facts_of(e: &Expr, out: &mut Vec<(ColId, bool)>) {
    use ir::{ExprKind, MatchKind, MatchValue, MatchValues, Missing, Subject};
    match &e.kind {
        ExprKind::And(parts) => parts.iter().for_each(|p| facts_of(p, out)),
        ExprKind::Or(parts) => {
            // What each branch says.
            let mut branches = parts.iter().map(|p| {
                let mut facts = Vec::new();
                facts_of(p, &mut facts);
                facts
            });
            let mut common = branches.next().unwrap_or_default();
            for facts in branches {
                common.retain_mut(|(id, filled)| {
                    let mut same = facts.iter().filter(|(other, _)| other == id).peekable();
                    let found = same.peek().is_some();
                    *filled &= same.any(|(_, f)| *f);
                    found
                });
            }
            out.extend(common);
        }
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::IsNull(v) => out.extend(v.as_column().map(|id| (id, false))),
            ExprKind::IsEmpty(v) => out.extend(v.as_column().map(|id| (id, true))),
            _ => {}
        },
        ExprKind::Match(m) => {
            let Subject::Expr(subject) = &m.subject else { return };
            let Some(id) = subject.as_column() else { return };
            let literal = |v: &MatchValue| match v {
                MatchValue::Expr(e) => {
                    e.as_literal().and_then(ir::Value::as_str).is_some_and(|s| !s.is_empty())
                }
                MatchValue::Glob(parts) => parts.iter().any(|p| !matches!(p, ir::GlobPart::Many)),
            };
            let MatchValues::List(values) = &m.values else { return };
            let filled =
                !values.is_empty() && values.iter().all(literal) && !matches!(m.kind, MatchKind::Regex);
            if filled {
                out.push((id, true));
            } else if matches!(m.missing, Missing::False | Missing::Null) && !values.is_empty() {
                out.push((id, false));
            }
        }
        ExprKind::Compare(c) => {
            if matches!(c.missing, Missing::False | Missing::Null) {
                out.extend([&c.left, &c.right].into_iter().filter_map(Expr::as_column).map(|id| (id, false)));
            }
        }
        ExprKind::In(i) => out.extend(i.subject.as_column().map(|id| (id, false))),
        ExprKind::Between(b) => out.extend(b.subject.as_column().map(|id| (id, false))),
        ExprKind::InQuery(_)
        | ExprKind::IsNull(_)
        | ExprKind::IsEmpty(_)
        | ExprKind::Literal(_)
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
        | ExprKind::Opaque(_) => {}
    }
}
