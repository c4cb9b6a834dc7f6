//! What two queries read: their tables with the columns and types that serve both, and how their rows are judged.
//!
//! In: queries. Out: a layout for the tables that are made, and facts that the search goes by.

use indexmap::IndexMap;
use ruleferry_eval::Row;
use ruleferry_ir::{self as ir, ExprKind, Op, Query, Source, Type};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

/// Names of the columns that a query reads in expressions and join keys, or returns under a closed list.
pub(super) fn mentioned(query: &Query) -> Vec<SmolStr> {
    let mut found: FxHashSet<ir::ColId> = FxHashSet::default();
    query.any_expr(&mut |e| {
        found.extend(e.as_column());
        false
    });
    query.for_each_plan(&mut |plan| {
        if let Op::Join(join) = &*plan.op {
            found.extend(join.on.iter().flat_map(|key| [key.left, key.right]));
        } else if let Op::Distinct { input } = &*plan.op {
            found.extend(input.output.iter());
        } else if let Op::Partition { key, .. } = &*plan.op {
            found.insert(*key);
        }
    });
    let mut names: Vec<SmolStr> = found.into_iter().map(|id| SmolStr::new(query.columns.name(id))).collect();
    names.sort();
    names
}

/// The tables that the queries read, with the columns that they know, in types that serve both.
pub(super) fn layout(queries: &[&Query]) -> IndexMap<SmolStr, IndexMap<SmolStr, Type>> {
    let mut out: IndexMap<SmolStr, IndexMap<SmolStr, Type>> = IndexMap::new();
    for query in queries {
        query.for_each_plan(&mut |plan| {
            let Op::Scan(scan) = &*plan.op else { return };
            let (name, over) = match &scan.source {
                Source::Table(t) => (&t.name, None),
                Source::Input(i) => (&i.name, i.over.as_ref()),
                Source::Glob(_) => return,
            };
            let name =
                out.keys().find(|n| n.eq_ignore_ascii_case(name)).cloned().unwrap_or_else(|| name.clone());
            let columns = out.entry(name).or_default();
            for id in plan.output.iter().filter(|id| !over.is_some_and(|o| o.output.contains(id))) {
                let ty = query.columns.ty(*id);
                columns
                    .entry(query.columns.name(*id).into())
                    .and_modify(|known| *known = both(*known, ty))
                    .or_insert(ty);
            }
        });
    }
    // Names with a `*`: the tables that fit take the columns, or one that is made up does.
    for query in queries {
        query.for_each_plan(&mut |plan| {
            let Op::Scan(scan) = &*plan.op else { return };
            let Source::Glob(glob) = &scan.source else { return };
            let fits = out.keys().find(|n| super::build::glob_fits(glob, n)).cloned();
            let columns = out.entry(fits.unwrap_or_else(|| glob.replace('*', "X").into())).or_default();
            for id in plan.output.iter() {
                columns.entry(query.columns.name(*id).into()).or_insert_with(|| query.columns.ty(*id));
            }
        });
        // Data that functions look into.
        query.any_expr(&mut |e| {
            if let ExprKind::Call(f, _) = &e.kind {
                match f.name {
                    "geo_info_from_ip_address" => {
                        out.entry("geo_ip_ranges".into()).or_default();
                    }
                    "parse_user_agent" => {
                        out.entry("user_agent_patterns".into()).or_default();
                    }
                    _ => {}
                }
            }
            false
        });
    }
    out
}

/// A type whose values both read.
pub(super) fn both(a: Type, b: Type) -> Type {
    match (a, b) {
        (a, b) if a == b => a,
        (Type::Unknown, other) | (other, Type::Unknown) => other,
        (Type::Dynamic, _) | (_, Type::Dynamic) => Type::Dynamic,
        (Type::Int | Type::Long, Type::Int | Type::Long) => Type::Long,
        (
            Type::Int | Type::Long | Type::Real | Type::Decimal,
            Type::Int | Type::Long | Type::Real | Type::Decimal,
        ) => Type::Real,
        _ => Type::String,
    }
}

/// The one table that a query reads, where each row is judged for itself.
pub(super) fn row_wise(query: &Query) -> Option<SmolStr> {
    if !query.bindings.iter().all(|b| matches!(b.value, ir::BindingValue::Scalar(_))) {
        return None;
    }
    let plans_inside = query.any_expr(&mut |e| {
        matches!(&e.kind, ExprKind::Subquery(_) | ExprKind::InQuery(_) | ExprKind::Opaque(_))
            || matches!(&e.kind, ExprKind::Match(m) if matches!(m.values, ir::MatchValues::Query(_)))
            || matches!(&e.kind, ExprKind::Call(f, _)
                if f.has(ir::functions::Flags::WINDOW) || f.has(ir::functions::Flags::VOLATILE))
    });
    if plans_inside {
        return None;
    }
    let mut at = &query.plan;
    while let Op::Filter { input, .. }
    | Op::Extend { input, .. }
    | Op::Project { input, .. }
    | Op::Select { input, .. }
    | Op::Sort { input, .. } = &*at.op
    {
        at = input;
    }
    let Op::Scan(scan) = &*at.op else { return None };
    match &scan.source {
        Source::Table(t) => Some(t.name.clone()),
        Source::Glob(_) | Source::Input(_) => None,
    }
}

/// Operators of a query.
pub(super) fn weight(query: &Query) -> u64 {
    let mut count = 0;
    query.for_each_plan(&mut |_| count += 1);
    count
}

/// Rows that an alert takes, where it is more than one.
pub(super) fn threshold(rule: &ir::Rule) -> Option<usize> {
    let trigger = rule.envelope.trigger.as_ref()?;
    let n = usize::try_from(trigger.threshold).ok()?;
    match trigger.operator.as_str() {
        "gt" if n > 0 => Some(n + 1),
        "eq" if n > 1 => Some(n),
        _ => None,
    }
}

pub(super) fn hash(rows: &[Row]) -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = rustc_hash::FxHasher::default();
    for value in rows.iter().flat_map(|r| r.iter()) {
        ruleferry_eval::Key::new(value, Type::Dynamic).hash(&mut hasher);
    }
    rows.len().hash(&mut hasher);
    hasher.finish()
}
