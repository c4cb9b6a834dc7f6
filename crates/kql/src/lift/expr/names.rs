//! The names that Kusto gives to columns when the query gives none.
//!
//! A column keeps its name, a path joins its parts with `_` (`Extra.user` is `Extra_user`), a call follows the rule of its
//! function; everything else is `ColumnN`, which is `None` here because the number depends on the neighbours.

use super::Lifter;
use crate::lift::Scope;
use crate::syntax::literal::Literal;
use crate::syntax::tree::{self, ColumnNames};
use ruleferry_ir::functions::{ArgName, FunctionKind, Resolved, ResultName, resolve};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};

/// Deeper expressions have no name of their own; the lift refuses them anyway.
const MAX_NAME_DEPTH: u32 = 200;

impl<'t> Lifter<'t> {
    /// The generated name of an expression of one row.
    pub(crate) fn default_name(&self, e: &'t tree::Expr, scope: &Scope<'_>) -> Option<SmolStr> {
        if let tree::ExprKind::Call(call) = &e.kind
            && let Some(resolved) = self.named_function(call, scope, FunctionKind::Scalar)
            && resolved.result_name == ResultName::FirstArgumentIfColumn
        {
            let name = literal_text(call.args.first()?)?;
            return self.row_column(scope, &name).map(|_| name);
        }
        self.name_at(e, scope, FunctionKind::Scalar, 0)
    }

    /// As [`Self::default_name`], over groups of rows: aggregates come before scalar functions of the same name.
    pub(super) fn aggregate_name(&self, e: &'t tree::Expr, scope: &Scope<'_>) -> Option<SmolStr> {
        self.name_at(e, scope, FunctionKind::Aggregate, 0)
    }

    /// Names of all columns of a call that makes several.
    pub(super) fn tuple_names(&self, e: &'t tree::Expr, scope: &Scope<'_>) -> Vec<Option<SmolStr>> {
        let tree::ExprKind::Call(call) = &e.kind else { return Vec::new() };
        let found = self.named_function(call, scope, FunctionKind::Scalar);
        found.map_or_else(Vec::new, |f| self.call_names(call, f, scope, FunctionKind::Aggregate, 0))
    }

    /// The catalogue's function behind a call, unless a `let` function of the same name stands before it.
    pub(super) fn named_function(
        &self,
        call: &tree::Call,
        scope: &Scope<'_>,
        first: FunctionKind,
    ) -> Option<Resolved> {
        if self.function(scope, &call.name.text).is_some() {
            return None;
        }
        let name = call.name.text.as_str();
        match first {
            FunctionKind::Aggregate => {
                resolve(name, FunctionKind::Aggregate).or_else(|| resolve(name, FunctionKind::Scalar))
            }
            FunctionKind::Scalar | FunctionKind::Plugin | FunctionKind::Tabular => {
                resolve(name, FunctionKind::Scalar)
            }
        }
    }

    fn name_at(
        &self,
        e: &'t tree::Expr,
        scope: &Scope<'_>,
        kind: FunctionKind,
        depth: u32,
    ) -> Option<SmolStr> {
        if depth > MAX_NAME_DEPTH {
            return None;
        }
        match &e.kind {
            tree::ExprKind::Name(name) => Some(name.clone()),
            tree::ExprKind::Path { base, name } => {
                let of_row = matches!(&base.kind, tree::ExprKind::Name(owner) if self.is_row(owner, scope));
                let owner = if of_row { None } else { self.name_at(base, scope, kind, depth + 1) };
                Some(joined(owner, &name.text))
            }
            tree::ExprKind::Index { base, index } => {
                let base = self.name_at(base, scope, kind, depth + 1).filter(|n| !n.trim().is_empty());
                let index = index_name(index);
                match base {
                    Some(base) => Some(format_smolstr!("{base}_{}", index.unwrap_or_default())),
                    None => index,
                }
            }
            tree::ExprKind::Call(call) => {
                let function = self.named_function(call, scope, kind)?;
                self.call_names(call, function, scope, kind, depth).into_iter().next().flatten()
            }
            tree::ExprKind::Named(named) => match &named.names {
                ColumnNames::One(name) => Some(name.text.clone()),
                ColumnNames::Default => self.name_at(&named.value, scope, kind, depth + 1),
                ColumnNames::Many(names) => names.first().map(|n| n.text.clone()),
            },
            tree::ExprKind::Wildcard(_)
            | tree::ExprKind::Star
            | tree::ExprKind::ClientParameter(_)
            | tree::ExprKind::Literal(_)
            | tree::ExprKind::Dynamic(_)
            | tree::ExprKind::TypeOf(_)
            | tree::ExprKind::MethodCall { .. }
            | tree::ExprKind::Unary { .. }
            | tree::ExprKind::Binary(_)
            | tree::ExprKind::And(_)
            | tree::ExprKind::Or(_)
            | tree::ExprKind::List(_)
            | tree::ExprKind::Between(_)
            | tree::ExprKind::Pipeline(_)
            | tree::ExprKind::Wrapped(_)
            | tree::ExprKind::Datatable(_)
            | tree::ExprKind::ExternalData(_)
            | tree::ExprKind::EntityGroup(_)
            | tree::ExprKind::DataScope { .. }
            | tree::ExprKind::Error => None,
        }
    }

    /// A side of a join or a step of a `scan`: its columns keep their names.
    fn is_row(&self, owner: &str, scope: &Scope<'_>) -> bool {
        let step = || scope.states.is_some_and(|s| s.steps.iter().any(|step| step == owner));
        matches!(owner, "$left" | "$right") || step()
    }

    fn call_names(
        &self,
        call: &'t tree::Call,
        function: Resolved,
        scope: &Scope<'_>,
        kind: FunctionKind,
        depth: u32,
    ) -> Vec<Option<SmolStr>> {
        let names: Vec<Option<SmolStr>> =
            call.args.iter().map(|a| self.name_at(a, scope, kind, depth + 1)).collect();
        let numbers: Vec<Option<SmolStr>> = call.args.iter().map(number_text).collect();
        let args: Vec<ArgName<'_>> = names
            .iter()
            .zip(&numbers)
            .map(|(name, number)| arg_name(name.as_deref(), number.as_deref()))
            .collect();
        let rule = match function.result_name {
            // Only a call that is the whole expression is looked up in the row.
            ResultName::FirstArgumentIfColumn => ResultName::None,
            other => other,
        };
        function.def.default_names_by(rule, &args).into_iter().map(|n| n.map(SmolStr::from)).collect()
    }
}

pub(super) const fn arg_name<'a>(name: Option<&'a str>, number: Option<&'a str>) -> ArgName<'a> {
    match (name, number) {
        (Some(name), _) => ArgName::Named(name),
        (None, Some(number)) => ArgName::Number(number),
        (None, None) => ArgName::Unnamed,
    }
}

fn joined(owner: Option<SmolStr>, name: &SmolStr) -> SmolStr {
    match owner.filter(|o| !o.trim().is_empty()) {
        Some(owner) => format_smolstr!("{owner}_{name}"),
        None => name.clone(),
    }
}

fn literal_text(e: &tree::Expr) -> Option<SmolStr> {
    if let tree::ExprKind::Literal(Literal::String(s)) = &e.kind { Some(s.value.clone()) } else { None }
}

fn index_name(index: &tree::Expr) -> Option<SmolStr> {
    if let tree::ExprKind::Literal(Literal::Long(text)) = &index.kind {
        return Some(super::literal::parse_long(text).map_or_else(|| text.clone(), |n| n.to_smolstr()));
    }
    literal_text(index)
}

/// The text of a number, for the names of percentiles.
pub(super) fn number_text(e: &tree::Expr) -> Option<SmolStr> {
    let tree::ExprKind::Literal(Literal::Long(text) | Literal::Real(text)) = &e.kind else { return None };
    Some(text.clone())
}
