//! `bag_unpack` and `narrow`: columns from members, rows from columns.

use super::Call;
use crate::cast::cast;
use crate::expr::{Scope, member};
use crate::fault::Result;
use crate::rows::{EVENT, Row, Rows, Slots};
use crate::{Value, expr};
use ruleferry_ir::{ColId, Json, Type};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;

/// What becomes of a member with the name of a column that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conflict {
    Error,
    Replace,
    Keep,
}

/// Where a column of the output comes from.
enum Source {
    Input(usize),
    /// A member of the bag, else (where a column of that name is replaced) the input's.
    Member(SmolStr, Type),
}

/// `bag_unpack(bag [, prefix [, conflict [, ignored]]])`. Kusto: "bag_unpack plugin".
pub(super) fn bag_unpack(call: &Call<'_, '_>, input: Rows) -> Result<Rows> {
    let evaluator = call.evaluator;
    let slots = Slots::new(&input.columns);
    let Some(bag) = call.expr(0) else { return Err(call.fault(0, "a column is expected")) };
    let prefix = call.constant(1)?;
    let prefix = prefix.text().unwrap_or_default();
    let conflict = match call.constant(2)?.text() {
        Some("replace_source") => Conflict::Replace,
        Some("keep_source") => Conflict::Keep,
        _ => Conflict::Error,
    };
    let ignored = texts(&call.constant(3)?);
    let bags: Vec<Value> =
        input.rows.iter().map(|row| evaluator.expr(bag, &Scope::new(&slots, row))).collect::<Result<_>>()?;

    // The members of all bags with their types, by the names of their columns.
    let mut members: BTreeMap<SmolStr, (SmolStr, Type)> = BTreeMap::new();
    for value in &bags {
        let Some(Json::Object(map)) = value.as_json() else { continue };
        for (name, value) in map {
            if ignored.contains(name) {
                continue;
            }
            let ty = type_of(value);
            let column = format_smolstr!("{prefix}{name}");
            let known = &mut members.entry(column).or_insert_with(|| (name.clone(), ty)).1;
            *known = match (*known, ty) {
                (known, Type::Unknown) => known,
                (Type::Unknown, ty) => ty,
                (known, ty) if known == ty => known,
                _ => Type::Dynamic,
            };
        }
    }

    let gone = bag.as_column();
    let before: FxHashMap<&str, usize> = input
        .columns
        .iter()
        .enumerate()
        .filter(|(_, id)| **id != EVENT && Some(**id) != gone)
        .map(|(i, id)| (evaluator.name(*id), i))
        .collect();
    let mut columns: Vec<ColId> = Vec::new();
    let mut sources: Vec<Source> = Vec::new();
    let mut shown: FxHashSet<SmolStr> = FxHashSet::default();
    for id in call.plan.output.iter() {
        let name = SmolStr::new(evaluator.name(*id));
        let found = members.get(&name);
        let source = match (slots.get(*id), found) {
            (Some(_), Some((member, _))) if conflict == Conflict::Replace => {
                Source::Member(member.clone(), call.ty(*id))
            }
            (Some(_), Some(_)) if conflict == Conflict::Error && Some(*id) != gone => {
                let message = format!("`{name}` is a column already");
                return Err(call
                    .fault(0, &message)
                    .help("say which one counts: `columnsConflict='keep_source'`"));
            }
            (Some(place), _) => Source::Input(place),
            (None, Some((member, _))) => Source::Member(member.clone(), call.ty(*id)),
            (None, None) => match before.get(name.as_str()) {
                Some(place) => Source::Input(*place),
                None => Source::Member(name.strip_prefix(prefix).unwrap_or(&name).into(), call.ty(*id)),
            },
        };
        shown.insert(name);
        columns.push(*id);
        sources.push(source);
    }
    if call.plugin.open {
        for (name, (member, ty)) in members {
            if !shown.contains(&name) {
                let ty = if ty == Type::Unknown { Type::Dynamic } else { ty };
                columns.push(evaluator.find_column(name, ty));
                sources.push(Source::Member(member, ty));
            }
        }
    }
    if let Some(place) = slots.event() {
        columns.push(EVENT);
        sources.push(Source::Input(place));
    }
    let rows = input.rows.iter().zip(&bags).map(|(row, bag)| -> Row {
        let value = |source: &Source| match source {
            Source::Input(place) => row.get(*place).cloned().unwrap_or(Value::Null),
            Source::Member(name, ty) => {
                let value = member(bag, name);
                if value.is_null() || matches!(ty, Type::Dynamic | Type::Unknown) {
                    value
                } else {
                    cast(&value, *ty)
                }
            }
        };
        sources.iter().map(value).collect()
    });
    Ok(Rows { rows: rows.collect(), columns: columns.into() })
}

fn texts(value: &Value) -> Vec<SmolStr> {
    let text = |item: &Json| if let Json::String(s) = item { Some(s.clone()) } else { None };
    value.as_array().unwrap_or_default().iter().filter_map(text).collect()
}

/// The type of a column that holds such values; unknown for null.
const fn type_of(json: &Json) -> Type {
    match json {
        Json::Null => Type::Unknown,
        Json::Bool(_) => Type::Bool,
        Json::Long(_) => Type::Long,
        Json::Real(_) => Type::Real,
        Json::String(_) => Type::String,
        Json::Datetime(_) => Type::Datetime,
        Json::Timespan(_) => Type::Timespan,
        Json::Array(_) | Json::Object(_) => Type::Dynamic,
    }
}

/// A row for each cell: the number of its row, the name of its column, its text. Kusto: "narrow plugin".
pub(super) fn narrow(call: &Call<'_, '_>, input: Rows) -> Result<Rows> {
    let names: Vec<Value> = input
        .columns
        .iter()
        .filter(|id| **id != EVENT)
        .map(|id| Value::String(call.evaluator.column_name(*id)))
        .collect();
    let mut rows: Vec<Row> = Vec::new();
    for (n, row) in input.rows.iter().enumerate() {
        let number = Value::Long(i64::try_from(n).unwrap_or(i64::MAX));
        for (name, value) in names.iter().zip(row.iter()) {
            rows.push([number.clone(), name.clone(), Value::String(expr::shown(value))].into());
        }
        call.evaluator.check_size(rows.len(), call.span())?;
    }
    Ok(Rows { columns: call.plan.output.clone(), rows })
}
