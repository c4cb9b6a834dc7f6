//! Functions that need data from outside: where an address is, what a user agent is. The data is an input, given as a table.
//!
//! In: the argument's value and the input table (`geo_ip_ranges`, `user_agent_patterns`; their columns below, as the emitted SQL
//! reads them). Out: the bag that Kusto's function gives. Without the table it is a fault that names it, never a guess.

use crate::expr::shown;
use crate::fault::{Fault, Result};
use crate::functions::ip_number;
use crate::plan::Evaluator;
use crate::tables::Request;
use crate::{Row, Value};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{Json, Type};
use smol_str::SmolStr;
use std::rc::Rc;

/// The functions of this module with the table that each reads.
const INPUTS: [(&str, &str); 2] =
    [("geo_info_from_ip_address", "geo_ip_ranges"), ("parse_user_agent", "user_agent_patterns")];

/// Ranges of addresses, ends included, as 32 hexadecimal digits of IPv6 (IPv4 as `::ffff:a.b.c.d`), and where they are.
const RANGES: [(&str, Type); 7] = [
    ("first_ip", Type::String),
    ("last_ip", Type::String),
    ("country", Type::String),
    ("state", Type::String),
    ("city", Type::String),
    ("latitude", Type::Real),
    ("longitude", Type::Real),
];

/// Patterns of the uap-core project's form: kind (`browser`, `os`, `device`), place in the order, pattern, and the texts that
/// stand for its groups 1 to 5 (`$1` to `$5` for the groups themselves), null where the group stands for itself.
const PATTERNS: [(&str, Type); 8] = [
    ("kind", Type::String),
    ("place", Type::Long),
    ("pattern", Type::String),
    ("family", Type::String),
    ("part1", Type::String),
    ("part2", Type::String),
    ("part3", Type::String),
    ("part4", Type::String),
];

/// Members of each kind of answer of `parse_user_agent`, with the name of the kind in the answer.
const AGENT: [(&str, &str, &[&str]); 3] = [
    ("browser", "Browser", &["Family", "MajorVersion", "MinorVersion", "Patch"]),
    ("os", "OperatingSystem", &["Family", "MajorVersion", "MinorVersion", "Patch", "PatchMinor"]),
    ("device", "Device", &["Family", "Brand", "Model"]),
];

/// The table that a function reads.
pub(crate) fn input_of(function: &str) -> Option<&'static str> {
    INPUTS.iter().find(|(name, _)| *name == function).map(|(_, table)| *table)
}

pub(crate) fn call(evaluator: &Evaluator<'_>, name: &str, args: &[Value], span: Span) -> Result<Value> {
    match name {
        "geo_info_from_ip_address" => where_is(evaluator, args, span),
        "parse_user_agent" => agent(evaluator, args, span),
        _ => {
            Err(Fault::new(codes::EVAL_UNSUPPORTED, span, format!("the evaluator has no function `{name}`")))
        }
    }
}

fn input(
    evaluator: &Evaluator<'_>,
    table: &'static str,
    columns: &[(&str, Type)],
    span: Span,
) -> Result<Rc<Vec<Row>>> {
    evaluator.outside(table, || {
        let columns: Vec<(SmolStr, Type)> = columns.iter().map(|(n, t)| ((*n).into(), *t)).collect();
        let rows = evaluator.tables().scan(&Request { table, columns: &columns, event: false })?;
        rows.ok_or_else(|| {
            let message = format!("the function needs data from outside, the table `{table}`");
            Fault::new(codes::EVAL_NO_TABLE, span, message)
                .help(format!("give it with `--data {table}=FILE`; `ruleferry codes E0802` says more"))
        })
    })
}

/// Of ranges that have a common address the one that starts last counts.
fn where_is(evaluator: &Evaluator<'_>, args: &[Value], span: Span) -> Result<Value> {
    let ranges = input(evaluator, "geo_ip_ranges", &RANGES, span)?;
    let Some(address) = args.first().and_then(Value::text).and_then(ip_number) else {
        return Ok(Value::Null);
    };
    let digits = format!("{address:032x}");
    let at = |row: &Row, index: usize| row.get(index).cloned().unwrap_or(Value::Null);
    let text = |row: &Row, index: usize| shown(&at(row, index)).to_lowercase();
    let inside = |row: &&Row| text(row, 0) <= digits && text(row, 1) >= digits;
    let found = ranges.iter().filter(inside).max_by_key(|row| text(row, 0));
    let Some(row) = found else { return Ok(Value::Null) };
    let members =
        RANGES.iter().enumerate().skip(2).map(|(i, (name, _))| ((*name).into(), at(row, i).to_json()));
    Ok(Value::dynamic(Json::Object(members.collect())))
}

/// `parse_user_agent(text, parts)`: the first pattern of a kind that matches counts; without one the family is `Other`.
fn agent(evaluator: &Evaluator<'_>, args: &[Value], span: Span) -> Result<Value> {
    let patterns = input(evaluator, "user_agent_patterns", &PATTERNS, span)?;
    let text = args.first().and_then(Value::text).unwrap_or_default();
    let wanted: Vec<SmolStr> = match args.get(1) {
        Some(parts) => match parts.as_array() {
            Some(items) => items.iter().map(|i| shown(&Value::of_json(i))).collect(),
            None => vec![shown(parts)],
        },
        None => AGENT.iter().map(|(kind, ..)| (*kind).into()).collect(),
    };
    let mut answer: Vec<(SmolStr, Json)> = Vec::new();
    for (kind, name, members) in AGENT {
        if !wanted.iter().any(|w| w == kind) {
            continue;
        }
        let mut of_kind: Vec<&Row> =
            patterns.iter().filter(|row| row.first().and_then(Value::text) == Some(kind)).collect();
        of_kind.sort_by_key(|row| row.get(1).and_then(Value::as_long));
        let values = match of_kind.into_iter().find_map(|row| groups(evaluator, row, text, kind)) {
            Some(values) => values,
            None => vec!["Other".into()],
        };
        let value = |i: usize| Json::String(values.get(i).cloned().unwrap_or_default());
        let bag = members.iter().enumerate().map(|(i, member)| ((*member).into(), value(i)));
        answer.push((name.into(), Json::Object(bag.collect())));
    }
    Ok(Value::dynamic(Json::Object(answer.into_iter().collect())))
}

/// The texts that a pattern makes of a user agent; none where it does not match.
fn groups(evaluator: &Evaluator<'_>, row: &Row, text: &str, kind: &str) -> Option<Vec<SmolStr>> {
    let pattern = row.get(2).and_then(Value::text)?;
    let found = evaluator.regexes().find(pattern, false)?;
    let found = found.captures(text)?;
    let group = |n: usize| found.get(n).map_or("", |m| m.as_str());
    let texts = (0..5).map(|i| match row.get(3 + i) {
        Some(Value::String(template)) => {
            let filled = (1..=5).fold(template.to_string(), |t, n| t.replace(&format!("${n}"), group(n)));
            filled.trim().into()
        }
        _ if kind != "device" => group(i + 1).into(),
        _ if i == 1 => SmolStr::default(),
        _ => group(1).into(),
    });
    Some(texts.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use crate::{MemoryTable, MemoryTables, Options, Value, cast, evaluate};
    use ruleferry_ir::Type;
    use ruleferry_kql::lift::{LiftOptions, lift};
    use ruleferry_kql::syntax::parse;

    fn run(text: &str, tables: &MemoryTables) -> Result<String, String> {
        let options = LiftOptions { source: text };
        let query = lift(&parse(text).query, &options).query.unwrap();
        let answer = evaluate(&query, tables, Options::at(0)).map_err(|f| f.to_string())?;
        let value = answer.rows.first().and_then(|r| r.first()).cloned().unwrap_or(Value::Null);
        Ok(cast(&value, Type::String).text().unwrap_or_default().to_owned())
    }

    fn table(columns: &[(&str, Type)], rows: &[&[&str]]) -> MemoryTable {
        MemoryTable {
            columns: columns.iter().map(|(n, t)| ((*n).into(), *t)).collect(),
            rows: rows
                .iter()
                .map(|row| {
                    let values = row.iter().zip(columns).map(|(text, (_, ty))| {
                        if *text == "-" { Value::Null } else { cast(&Value::string(*text), *ty) }
                    });
                    values.collect()
                })
                .collect(),
            events: None,
        }
    }

    #[test]
    fn places_come_from_the_input() {
        let ranges = table(
            &super::RANGES,
            &[
                &[
                    "00000000000000000000ffffcb007100",
                    "00000000000000000000ffffcb0071ff",
                    "Testland",
                    "North",
                    "Here",
                    "1.5",
                    "-2.5",
                ],
                &[
                    "20010db8000000000000000000000000",
                    "20010db8ffffffffffffffffffffffff",
                    "Sixland",
                    "",
                    "",
                    "0",
                    "0",
                ],
            ],
        );
        let tables = MemoryTables { tables: [("geo_ip_ranges".into(), ranges)].into_iter().collect() };
        let country =
            |ip: &str| run(&format!("print tostring(geo_info_from_ip_address('{ip}').country)"), &tables);
        assert_eq!(country("203.0.113.9").unwrap(), "Testland");
        assert_eq!(country("2001:db8::1").unwrap(), "Sixland");
        assert_eq!(country("192.0.2.1").unwrap(), "");
        let fault = run("print geo_info_from_ip_address('192.0.2.1')", &MemoryTables::default()).unwrap_err();
        assert!(fault.starts_with("E0802") && fault.contains("geo_ip_ranges"), "{fault}");
    }

    #[test]
    fn agents_are_read_by_the_patterns_of_the_input() {
        let patterns = table(
            &super::PATTERNS,
            &[
                &["browser", "2", r"(Fox)/(\d+)\.(\d+)", "-", "-", "-", "-", "-"],
                &["browser", "1", r"(Tool)[ /](\d+)", "$1 Browser", "-", "0", "-", "-"],
                &["device", "4", r"; (Phone (\w+))", "$1", "Acme", "$2", "-", "-"],
            ],
        );
        let tables =
            MemoryTables { tables: [("user_agent_patterns".into(), patterns)].into_iter().collect() };
        let agent = |text: &str, parts: &str| {
            run(&format!("print parse_user_agent('{text}', {parts})"), &tables).unwrap()
        };
        assert_eq!(
            agent("Fox/12.3 (Phone X1)", "'browser'"),
            r#"{"Browser":{"Family":"Fox","MajorVersion":"12","MinorVersion":"3","Patch":""}}"#
        );
        assert_eq!(
            agent("Tool/7 Fox/12.3 (x; Phone X1)", "dynamic(['browser', 'device'])"),
            r#"{"Browser":{"Family":"Tool Browser","MajorVersion":"7","MinorVersion":"0","Patch":""},"Device":{"Family":"Phone X1","Brand":"Acme","Model":"X1"}}"#
        );
        assert_eq!(agent("x", "'device'"), r#"{"Device":{"Family":"Other","Brand":"","Model":""}}"#);
    }
}
