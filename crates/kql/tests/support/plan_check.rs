//! Checks what every lifted query must keep: each expression speaks only of columns that its operator's input has, each
//! operator's output names a column once, and no type is left open.

use ruleferry_ir::{
    AggregateCall, AggregateItem, BindingValue, Child, ColId, Columns, Expr, ExprKind, Op, Plan, PluginArg,
    Query, Type,
};
use std::collections::HashSet;

/// What is wrong with a query; empty if nothing is.
pub fn check(query: &Query) -> Vec<String> {
    let mut checker =
        Checker { columns: &query.columns, bindings: Vec::new(), faults: Vec::new(), rows: Vec::new() };
    for binding in &query.bindings {
        match &binding.value {
            BindingValue::Scalar(e) => {
                checker.expr(e, &HashSet::new());
                checker.bindings.push(None);
            }
            BindingValue::Table { plan, .. } => {
                checker.plan(plan);
                checker.bindings.push(Some(plan.output.len()));
            }
        }
    }
    checker.plan(&query.plan);
    checker.faults
}

struct Checker<'q> {
    columns: &'q Columns,
    /// Width of each binding so far; none for a scalar.
    bindings: Vec<Option<usize>>,
    faults: Vec<String>,
    /// Rows of the enclosing bodies, innermost last.
    rows: Vec<HashSet<ColId>>,
}

impl Checker<'_> {
    fn fault(&mut self, text: String) {
        self.faults.push(text);
    }

    fn plan(&mut self, plan: &Plan) {
        let mut seen = HashSet::new();
        let mut names = HashSet::new();
        for id in plan.output.iter() {
            if !seen.insert(*id) {
                self.fault(format!("column `{}` twice in one output", self.columns.name(*id)));
            }
            if !names.insert(self.columns.name(*id)) {
                self.fault(format!("name `{}` twice in one output", self.columns.name(*id)));
            }
            if self.columns.ty(*id) == Type::Unknown {
                self.fault(format!("column `{}` without a type", self.columns.name(*id)));
            }
        }
        let mut scope: HashSet<ColId> = HashSet::new();
        plan.children(&mut |c| {
            if let Child::Plan(p) = c {
                scope.extend(p.output.iter());
            }
        });
        match &*plan.op {
            Op::Rows => match self.rows.last() {
                Some(rows) if plan.output.iter().all(|id| rows.contains(id)) => {}
                Some(_) => self.fault("the rows of a body are not those of its host".into()),
                None => self.fault("rows outside of a body".into()),
            },
            Op::Ref(binding) => match self.bindings.get(binding.0 as usize) {
                Some(Some(width)) if *width == plan.output.len() => {}
                Some(_) => self.fault(format!("reference to binding {} of another shape", binding.0)),
                None => self.fault(format!("reference to binding {}, which comes later", binding.0)),
            },
            Op::Join(j) => {
                for key in &j.on {
                    if !j.left.output.contains(&key.left) || !j.right.output.contains(&key.right) {
                        self.fault("a join key that its side does not have".into());
                    }
                }
                if j.left.output.iter().any(|id| j.right.output.contains(id)) {
                    self.fault("both sides of a join share a column".into());
                }
            }
            Op::Union(u) => {
                let merged = plan.output.len() - usize::from(u.source.is_some());
                if u.columns.len() != merged || u.labels.len() != u.inputs.len() {
                    self.fault("a union whose columns do not fit its output".into());
                }
                for row in &u.columns {
                    for (id, input) in row.iter().zip(&u.inputs) {
                        if id.is_some_and(|id| !input.output.contains(&id)) {
                            self.fault("a union column that its input does not have".into());
                        }
                    }
                }
            }
            Op::Select { input, items, .. } => {
                for item in items {
                    if !input.output.contains(&item.from) {
                        self.fault(format!("selects `{}`, which is not there", self.columns.name(item.from)));
                    }
                }
            }
            Op::Search(_) => scope.extend(plan.output.iter()),
            Op::Sequence(s) => {
                scope.extend(plan.output.iter());
                scope.extend(s.steps.iter().flat_map(|step| step.states.iter().map(|(_, _, id)| *id)));
            }
            Op::Aggregate(a) => a.aggregates.iter().for_each(|i| parts(i, &mut scope)),
            Op::MakeSeries(m) => m.aggregates.iter().for_each(|s| parts(&s.aggregate, &mut scope)),
            Op::TopNested(t) => t.levels.iter().for_each(|l| parts(&l.by, &mut scope)),
            Op::Plugin(p) => {
                for arg in &p.args {
                    if let PluginArg::Aggregate(item) = arg {
                        parts(item, &mut scope);
                    }
                }
            }
            _ => {}
        }
        let host = self.host_rows(plan);
        let mut children = Vec::new();
        plan.children(&mut |c| children.push(c));
        for child in children {
            match child {
                Child::Expr(e) => self.expr(e, &scope),
                Child::Plan(p) => {
                    let body = host.as_ref().filter(|(body, _)| std::ptr::eq(*body, p));
                    if let Some((_, rows)) = body {
                        self.rows.push(rows.clone());
                    }
                    self.plan(p);
                    if body.is_some() {
                        self.rows.pop();
                    }
                }
            }
        }
    }

    /// The body of an operator and the rows that it works on.
    fn host_rows<'p>(&self, plan: &'p Plan) -> Option<(&'p Plan, HashSet<ColId>)> {
        match &*plan.op {
            Op::Apply(a) => {
                let mut rows: HashSet<ColId> = a.input.output.iter().copied().collect();
                rows.extend(a.items.iter().map(|i| i.id));
                rows.extend(a.index);
                Some((&a.body, rows))
            }
            Op::Partition { input, body, .. } => Some((body, input.output.iter().copied().collect())),
            _ => None,
        }
    }

    fn expr(&mut self, e: &Expr, scope: &HashSet<ColId>) {
        if e.ty == Type::Unknown {
            self.fault("an expression without a type".into());
        }
        match &e.kind {
            ExprKind::Column(id) if !scope.contains(id) => {
                self.fault(format!("column `{}` is not in scope", self.columns.name(*id)));
            }
            ExprKind::Let(binding) if self.bindings.get(binding.0 as usize) != Some(&None) => {
                self.fault(format!("`let` {} is no scalar before this place", binding.0));
            }
            _ => {}
        }
        let mut children = Vec::new();
        e.children(&mut |c| children.push(c));
        for child in children {
            match child {
                Child::Expr(e) => self.expr(e, scope),
                Child::Plan(p) => self.plan(p),
            }
        }
    }
}

/// The results of the calls inside an expression over aggregates are in its scope.
fn parts(item: &AggregateItem, scope: &mut HashSet<ColId>) {
    if let AggregateCall::Composed { parts, .. } = &item.call {
        for part in parts {
            scope.extend(part.ids.iter());
            self::parts(part, scope);
        }
    }
}
