//! The rule that a finding speaks of, with the condition in question taken out, or left alone.
//!
//! In: a rule and a place in its query. Out: another rule, for showing on rows what the condition does.

use ruleferry_diag::Span;
use ruleferry_ir::{
    BindingValue, Expr, ExprKind, InValues, JoinKind, MatchValue, MatchValues, Op, Plan, Rule,
};

/// What becomes of the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// It goes.
    Drop,
    /// Of the alternatives that it stands among, it alone stays.
    Only,
    /// It and what stands beside it give way to what never holds.
    Never,
}

/// The rule without the condition that stands there; `None` if none does.
pub(super) fn without(rule: &Rule, span: Span) -> Option<Rule> {
    changed(rule, &mut |plan| cut_filter(plan, span, Cut::Drop))
}

/// The rule with that alternative and none of those beside it.
pub(super) fn only(rule: &Rule, span: Span) -> Option<Rule> {
    changed(rule, &mut |plan| cut_filter(plan, span, Cut::Only))
}

/// The rule in which neither this condition nor those beside it hold for anything.
pub(super) fn never(rule: &Rule, span: Span) -> Option<Rule> {
    changed(rule, &mut |plan| cut_filter(plan, span, Cut::Never))
}

/// The rule whose join without kind keeps all pairs.
pub(super) fn all_pairs(rule: &Rule, span: Span) -> Option<Rule> {
    changed(rule, &mut |plan| {
        // The finding stands at the word, at the front of the operator.
        let here = plan.span.start == span.start;
        if let Op::Join(join) = &mut *plan.op
            && here
            && !join.explicit
            && join.kind == JoinKind::InnerUnique
        {
            join.kind = JoinKind::Inner;
            return true;
        }
        false
    })
}

fn changed(rule: &Rule, change: &mut dyn FnMut(&mut Plan) -> bool) -> Option<Rule> {
    let mut rule = rule.clone();
    let mut any = walk(&mut rule.query.plan, change);
    for binding in &mut rule.query.bindings {
        if let BindingValue::Table { plan, materialized: _ } = &mut binding.value {
            any |= walk(plan, change);
        }
    }
    any.then_some(rule)
}

/// Calls `change` with every plan but those in expressions; whether one was changed.
fn walk(plan: &mut Plan, change: &mut dyn FnMut(&mut Plan) -> bool) -> bool {
    let mut any = change(plan);
    let mut go = |p: &mut Plan| any |= walk(p, change);
    match &mut *plan.op {
        Op::Scan(_) | Op::Ref(_) | Op::Values(_) | Op::Range(_) | Op::Rows => {}
        Op::Filter { input, .. }
        | Op::Extend { input, .. }
        | Op::Project { input, .. }
        | Op::Select { input, .. }
        | Op::Distinct { input }
        | Op::Sort { input, .. }
        | Op::Limit { input, .. }
        | Op::Top { input, .. }
        | Op::Serialize { input, .. }
        | Op::GetSchema { input }
        | Op::Render { input, .. } => go(input),
        Op::Aggregate(a) => go(&mut a.input),
        Op::Join(j) => {
            go(&mut j.left);
            go(&mut j.right);
        }
        Op::Union(u) => u.inputs.iter_mut().for_each(go),
        Op::Expand(e) => go(&mut e.input),
        Op::Apply(a) => {
            go(&mut a.input);
            go(&mut a.body);
        }
        Op::MakeSeries(m) => go(&mut m.input),
        Op::Parse(p) => go(&mut p.input),
        Op::ParseKv(p) => go(&mut p.input),
        Op::Partition { input, key: _, body } => {
            go(input);
            go(body);
        }
        Op::Sequence(s) => go(&mut s.input),
        Op::TopNested(t) => go(&mut t.input),
        Op::Plugin(p) => p.input.iter_mut().for_each(go),
        Op::Search(s) => s.inputs.iter_mut().for_each(go),
        Op::Opaque { input, opaque: _ } => input.iter_mut().for_each(go),
    }
    any
}

/// Where a condition was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nowhere,
    /// It is this one: whoever holds it cuts.
    Here,
    /// It was inside, and is cut.
    Cut,
    /// It is inside, and all that stands with it goes.
    Beside,
}

fn cut_filter(plan: &mut Plan, span: Span, cut: Cut) -> bool {
    let Op::Filter { input: _, predicate } = &mut *plan.op else { return false };
    match cut_inside(predicate, span, cut) {
        Found::Nowhere => false,
        Found::Cut | Found::Beside => true,
        Found::Here => {
            match cut {
                Cut::Drop => *predicate = Expr::bool(true, predicate.span),
                Cut::Only => {}
                Cut::Never => *predicate = Expr::bool(false, predicate.span),
            }
            true
        }
    }
}

fn cut_inside(e: &mut Expr, span: Span, cut: Cut) -> Found {
    if e.span == span {
        return Found::Here;
    }
    let found = cut_part(e, span, cut);
    if found == Found::Beside {
        *e = Expr::bool(false, e.span);
        return Found::Cut;
    }
    found
}

fn cut_part(e: &mut Expr, span: Span, cut: Cut) -> Found {
    match &mut e.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            for at in 0..parts.len() {
                match parts.get_mut(at).map_or(Found::Nowhere, |p| cut_inside(p, span, cut)) {
                    Found::Nowhere => {}
                    found @ (Found::Cut | Found::Beside) => return found,
                    Found::Here => return keep(parts, at, cut),
                }
            }
            Found::Nowhere
        }
        ExprKind::Not(inner) => cut_inside(inner, span, cut),
        ExprKind::Match(m) => {
            let MatchValues::List(values) = &mut m.values else { return Found::Nowhere };
            let place = values.iter().position(|v| matches!(v, MatchValue::Expr(e) if e.span == span));
            cut_list(values, place, cut)
        }
        ExprKind::In(list) => {
            let InValues::List(values) = &mut list.values else { return Found::Nowhere };
            let place = values.iter().position(|v| v.span == span);
            cut_list(values, place, cut)
        }
        ExprKind::Literal(_)
        | ExprKind::Column(_)
        | ExprKind::Let(_)
        | ExprKind::Now
        | ExprKind::Compare(_)
        | ExprKind::InQuery(_)
        | ExprKind::Between(_)
        | ExprKind::IsNull(_)
        | ExprKind::IsEmpty(_)
        | ExprKind::Arithmetic(_)
        | ExprKind::Negate(_)
        | ExprKind::Call(..)
        | ExprKind::Cast(_)
        | ExprKind::Member(..)
        | ExprKind::Index(..)
        | ExprKind::Case(..)
        | ExprKind::Subquery(_)
        | ExprKind::Opaque(_) => Found::Nowhere,
    }
}

fn cut_list<T>(values: &mut Vec<T>, place: Option<usize>, cut: Cut) -> Found {
    match place {
        Some(at) if values.len() > 1 => keep(values, at, cut),
        Some(_) => Found::Here,
        None => Found::Nowhere,
    }
}

fn keep<T>(parts: &mut Vec<T>, at: usize, cut: Cut) -> Found {
    match cut {
        Cut::Drop => {
            parts.remove(at);
        }
        Cut::Only => {
            parts.swap(0, at);
            parts.truncate(1);
        }
        Cut::Never => return Found::Beside,
    }
    Found::Cut
}
