//! Event variables, placeholders, and to which variable each predicate belongs.

use super::event::EventVar;
use super::path::{Origin, Target};
use super::rows::Presence;
use super::{Binding, Cx, Lifter, make};
use crate::syntax::tree::{CompareOp, Expr as Tree, ExprKind, Field};
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::{Case, Expr, ExprKind as Ir, Type};
use smol_str::SmolStr;

/// Two variables that are equal in something.
pub struct JoinOn {
    pub left: (SmolStr, Expr),
    pub right: (SmolStr, Expr),
}

/// What predicates leave for the joined rows.
#[derive(Default)]
pub struct Across {
    pub on: Vec<JoinOn>,
    /// With the variables that each speaks of.
    pub tests: Vec<(Vec<SmolStr>, Expr)>,
}

impl Lifter<'_> {
    /// Every variable with a path is one of events.
    pub(super) fn find_variables(&mut self) {
        let rule = self.rule;
        let outcomes = rule.outcome.iter().map(|o| &o.value);
        for e in rule.events.iter().chain(outcomes) {
            visit(e, &mut |field, span| {
                if field.steps.is_empty() {
                    return;
                }
                let (origin, _) = Origin::of(field);
                match self.vars.get(&field.var).map(|v| v.origin) {
                    Some(known) if known != origin => {
                        let message = format!(
                            "`${}` stands for events of `{}` and of `{}`",
                            field.var,
                            known.root(),
                            origin.root()
                        );
                        self.fault(Diagnostic::error(codes::YARAL_RULE, span, message));
                    }
                    Some(_) => {}
                    None => {
                        let var = EventVar::new(field.var.clone(), origin, span);
                        self.vars.insert(field.var.clone(), var);
                    }
                }
            });
        }
        self.joined = self.vars.len() > 1;
    }

    /// Lifts the predicates of `events` into their variables.
    pub(super) fn predicates(&mut self) -> Across {
        let mut rest = Vec::new();
        self.rule.events.iter().for_each(|e| conjuncts(e, &mut rest));
        rest.retain(|e| !self.names_a_table(e));
        self.bind_all(&mut rest);
        for e in &rest {
            self.bind_alternatives(e);
        }
        self.one_type_each();
        let mut across = Across::default();
        for e in rest {
            self.predicate(e, &mut across);
        }
        self.join_placeholders(&mut across);
        across
    }

    /// Binds what `$p = field` and `field = $p` bind, and takes these predicates away.
    fn bind_all(&mut self, rest: &mut Vec<&Tree>) {
        loop {
            let before = rest.len();
            rest.retain(|e| !self.bind(e));
            if rest.len() == before {
                return;
            }
        }
    }

    fn bind(&mut self, e: &Tree) -> bool {
        let ExprKind::Compare(compare) = &e.kind else { return false };
        if compare.op != CompareOp::Eq || compare.nocase || matches!(compare.right.kind, ExprKind::Regex(_)) {
            return false;
        }
        [(&compare.left, &compare.right), (&compare.right, &compare.left)].into_iter().any(|(name, value)| {
            let Some(placeholder) = self.placeholder(name) else { return false };
            let Some(var) = self.only_variable(value) else { return false };
            let known = self.placeholders.get(&placeholder);
            if known.is_some_and(|p| p.bindings.iter().any(|b| b.var == var)) {
                return false;
            }
            let expr = self.row_value(&var, value);
            let computed = !matches!(value.kind, ExprKind::Field(_));
            self.add_binding(placeholder, Binding { var, expr, computed });
            true
        })
    }

    fn add_binding(&mut self, placeholder: SmolStr, binding: Binding) {
        self.placeholders.entry(placeholder).or_default().bindings.push(binding);
    }

    /// `$p`, if it is no event variable.
    fn placeholder(&self, e: &Tree) -> Option<SmolStr> {
        match &e.kind {
            ExprKind::Field(field) if field.steps.is_empty() && !self.vars.contains_key(&field.var) => {
                Some(field.var.clone())
            }
            _ => None,
        }
    }

    /// A value in the rows of a variable; what is absent is zero.
    fn row_value(&mut self, var: &SmolStr, e: &Tree) -> Expr {
        let before = self.current.replace(var.clone());
        let value = self.value(e, Cx::Row);
        self.current = before;
        match value.ty {
            Type::Dynamic | Type::Unknown => value.cast(Type::String, false),
            _ => self.filled(value),
        }
    }

    /// The one event variable that an expression speaks of, itself or through bound placeholders.
    fn only_variable(&self, e: &Tree) -> Option<SmolStr> {
        let (direct, placeholders) = self.mentioned(e);
        let candidate = match direct.as_slice() {
            [only] => only.clone(),
            [] => self.placeholders.get(placeholders.first()?)?.bindings.first()?.var.clone(),
            _ => return None,
        };
        let bound = |p: &SmolStr| {
            self.placeholders.get(p).is_some_and(|p| p.bindings.iter().any(|b| b.var == candidate))
        };
        placeholders.iter().all(bound).then_some(candidate)
    }

    /// Event variables and placeholders of an expression, each once.
    fn mentioned(&self, e: &Tree) -> (Vec<SmolStr>, Vec<SmolStr>) {
        let (mut direct, mut placeholders) = (Vec::new(), Vec::new());
        visit(e, &mut |field, _| {
            let list = if field.steps.is_empty() { &mut placeholders } else { &mut direct };
            if !list.contains(&field.var) {
                list.push(field.var.clone());
            }
        });
        (direct, placeholders)
    }

    /// `$e.a = $p or $e.b = $p`: the placeholder is one of several values, each tried in a copy of the event.
    fn bind_alternatives(&mut self, e: &Tree) {
        if !matches!(e.kind, ExprKind::Or(_) | ExprKind::And(_) | ExprKind::Not(_)) {
            return;
        }
        let (direct, placeholders) = self.mentioned(e);
        let [var] = direct.as_slice() else { return };
        for placeholder in placeholders {
            let bound =
                self.placeholders.get(&placeholder).is_some_and(|p| p.bindings.iter().any(|b| b.var == *var));
            if bound || self.vars.contains_key(&placeholder) {
                continue;
            }
            let mut sides = Vec::new();
            self.equal_to(e, &placeholder, &mut sides);
            let values: Vec<Expr> = sides.into_iter().map(|e| self.row_value(var, e)).collect();
            if values.is_empty() {
                continue;
            }
            let text = values.iter().any(|v| v.ty != values.first().map_or(v.ty, |f| f.ty));
            let values = values.into_iter().map(|v| if text { self.text(v) } else { v }).collect();
            let expr = self.alternative(var, &format!("{var} {placeholder}"), values, e.span.0);
            self.add_binding(placeholder, Binding { var: var.clone(), expr, computed: false });
        }
    }

    /// The other sides of equalities with a placeholder.
    fn equal_to<'e>(&self, e: &'e Tree, placeholder: &SmolStr, out: &mut Vec<&'e Tree>) {
        match &e.kind {
            ExprKind::And(operands) | ExprKind::Or(operands) => {
                operands.iter().for_each(|o| self.equal_to(o, placeholder, out));
            }
            ExprKind::Compare(c) if c.op == CompareOp::Eq && !c.nocase => {
                for (name, value) in [(&c.left, &c.right), (&c.right, &c.left)] {
                    if self.placeholder(name).as_ref() == Some(placeholder)
                        && self.placeholder(value).is_none()
                        && self.only_variable(value).is_some()
                        && !matches!(value.kind, ExprKind::Regex(_))
                    {
                        out.push(value);
                    }
                }
            }
            _ => {}
        }
    }

    /// A placeholder of variables in which it has different types is compared as text. What must be there comes first: its
    /// value is the one of the group.
    fn one_type_each(&mut self) {
        let presence = std::mem::take(&mut self.presence);
        for placeholder in self.placeholders.values_mut() {
            placeholder
                .bindings
                .sort_by_key(|b| presence.get(&b.var).is_some_and(|p| *p != Presence::Needed));
        }
        self.presence = presence;
        let mixed: Vec<usize> = (0..self.placeholders.len())
            .filter(|i| {
                let bindings = self.placeholders.get_index(*i).map_or(&[][..], |(_, p)| &p.bindings);
                bindings.windows(2).any(|w| matches!(w, [a, b] if a.expr.ty != b.expr.ty))
            })
            .collect();
        for i in mixed {
            let Some((_, placeholder)) = self.placeholders.get_index_mut(i) else { continue };
            let mut bindings = std::mem::take(&mut placeholder.bindings);
            for binding in &mut bindings {
                binding.expr = self.text(binding.expr.clone());
            }
            if let Some((_, placeholder)) = self.placeholders.get_index_mut(i) {
                placeholder.bindings = bindings;
            }
        }
    }

    fn predicate(&mut self, e: &Tree, across: &mut Across) {
        if let Some(var) = self.only_variable(e) {
            self.current = Some(var.clone());
            let predicate = self.condition(e, Cx::Row);
            self.current = None;
            if let Some(var) = self.vars.get_mut(&var) {
                var.predicates.push(predicate);
            }
            return;
        }
        let (direct, placeholders) = self.mentioned(e);
        let unbound =
            placeholders.iter().find(|p| !self.placeholders.contains_key(*p) && !self.vars.contains_key(*p));
        if let Some(unbound) = unbound {
            let message = format!("`${unbound}` is bound to no field");
            self.wrong(e.span.0, message, "equate it with a field of an event in `events`");
            return;
        }
        if direct.is_empty() && placeholders.is_empty() {
            self.wrong(e.span.0, "the predicate speaks of no event", "compare a field of an event variable");
            return;
        }
        if self.join_on(e, across) {
            return;
        }
        let test = self.condition(e, Cx::Joined);
        let mut vars = direct;
        for placeholder in &placeholders {
            let first = self.placeholders.get(placeholder).and_then(|p| p.bindings.first());
            vars.extend(first.map(|b| b.var.clone()));
        }
        vars.sort();
        vars.dedup();
        across.tests.push((vars, test));
    }

    /// `$a.f = $b.g`: a join on both.
    fn join_on(&mut self, e: &Tree, across: &mut Across) -> bool {
        let ExprKind::Compare(compare) = &e.kind else { return false };
        let arithmetic = |e: &Tree| matches!(e.kind, ExprKind::Arith { .. });
        if compare.op != CompareOp::Eq || arithmetic(&compare.left) || arithmetic(&compare.right) {
            return false;
        }
        let (Some(a), Some(b)) = (self.only_variable(&compare.left), self.only_variable(&compare.right))
        else {
            return false;
        };
        let (left, right) = (self.row_value(&a, &compare.left), self.row_value(&b, &compare.right));
        let (left, right) =
            if left.ty == right.ty { (left, right) } else { (self.text(left), self.text(right)) };
        let fold = |e: Expr| {
            if compare.nocase { make::call("tolower", vec![e.clone()], Type::String, e.span) } else { e }
        };
        if compare.nocase && left.ty != Type::String {
            return false;
        }
        let (left, right) = (fold(left), fold(right));
        let left = self.export_key(&a, &compare.left, compare.nocase, left);
        let right = self.export_key(&b, &compare.right, compare.nocase, right);
        across.on.push(JoinOn { left: (a, left), right: (b, right) });
        true
    }

    fn export_key(&mut self, var: &SmolStr, e: &Tree, folded: bool, value: Expr) -> Expr {
        let name = match &e.kind {
            ExprKind::Field(field) if !folded && !field.steps.is_empty() => super::value::written(field),
            _ => self.unique_name("key").to_string(),
        };
        self.export(var, &name, value)
    }

    /// A placeholder of several variables joins them.
    fn join_placeholders(&mut self, across: &mut Across) {
        let shared: Vec<(SmolStr, Vec<Binding>)> = self
            .placeholders
            .iter()
            .filter(|(_, p)| p.bindings.len() > 1)
            .map(|(name, p)| (name.clone(), p.bindings.clone()))
            .collect();
        for (name, bindings) in shared {
            let exported: Vec<(SmolStr, Expr)> = bindings
                .into_iter()
                .map(|b| {
                    let column = self.export(&b.var, &name, b.expr);
                    (b.var, column)
                })
                .collect();
            for (i, right) in exported.iter().enumerate() {
                for left in exported.iter().take(i) {
                    across.on.push(JoinOn { left: left.clone(), right: right.clone() });
                }
            }
        }
    }

    /// Match variables that have no value make no group, unless they come from a function.
    pub(super) fn drop_zero_keys(&mut self, key: &SmolStr, span: Span) {
        let Some(first) = self.placeholders.get(key).and_then(|p| p.bindings.first()).cloned() else {
            return;
        };
        if first.computed {
            return;
        }
        let test = match first.expr.ty {
            Type::String => {
                let empty = Ir::IsEmpty(Box::new(first.expr));
                Expr::new(empty, Type::Bool, span).negated(span)
            }
            ty => {
                let target = |expr| Target { expr, of_enum: None };
                let zero = make::zero(ty, span);
                let zero = target(zero);
                let value = target(first.expr);
                self.compare_values(ruleferry_ir::CompareOp::Ne, value, zero, Case::Sensitive, span)
            }
        };
        if let Some(var) = self.vars.get_mut(&first.var) {
            var.predicates.push(test);
        }
    }
}

/// The operands of nested `and`s.
pub fn conjuncts<'e>(e: &'e Tree, out: &mut Vec<&'e Tree>) {
    match &e.kind {
        ExprKind::And(operands) => operands.iter().for_each(|o| conjuncts(o, out)),
        _ => out.push(e),
    }
}

/// Calls `f` with every field and variable of an expression.
pub fn visit(e: &Tree, f: &mut dyn FnMut(&Field, Span)) {
    match &e.kind {
        ExprKind::Field(field) | ExprKind::Quantified { field, .. } => f(field, e.span.0),
        ExprKind::Compare(c) => {
            visit(&c.left, f);
            visit(&c.right, f);
        }
        ExprKind::In(i) => visit(&i.operand, f),
        ExprKind::NoCase(e) | ExprKind::Not(e) | ExprKind::Bang(e) | ExprKind::IsNull { operand: e, .. } => {
            visit(e, f)
        }
        ExprKind::And(es) | ExprKind::Or(es) | ExprKind::Array(es) => es.iter().for_each(|e| visit(e, f)),
        ExprKind::Arith { first, rest } => {
            visit(first, f);
            rest.iter().for_each(|(_, e)| visit(e, f));
        }
        ExprKind::Call(call) => call.args.iter().for_each(|a| visit(&a.value, f)),
        ExprKind::Count(_)
        | ExprKind::Text(_)
        | ExprKind::Regex(_)
        | ExprKind::Number(_)
        | ExprKind::Bool(_)
        | ExprKind::Duration(_)
        | ExprKind::Word(_)
        | ExprKind::TableColumn { .. }
        | ExprKind::WindowStart
        | ExprKind::WindowEnd
        | ExprKind::Error => {}
    }
}
