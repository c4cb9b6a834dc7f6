//! What another converter made of the Sigma corpus, under the prover: `other-tools FOLDER [--show] [ID…]`.
//!
//! The folder holds one output a rule (`a__b.yml.kql`, `….sqlite.sql`, `….spark.sql`), as `tests/tools/pysigma.py` writes them: a KQL
//! condition, or SQL of a dialect, a whole query or a condition alone. Each is compared with
//! its rule: proved equivalent, shown different by an event, or not decided; the kinds of faults are counted.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test harness"
)]

use rayon::prelude::*;
use ruleferry_ir::{Envelope, Op, Query, Rule, Scan, Source, Type};
use ruleferry_kql::lift::{DataTables, LiftOptions, lift_with};
use ruleferry_kql::syntax::parse;
use ruleferry_prove::{Options, Relation, Verdict, compare};
use ruleferry_sql::ReadDialect;
use ruleferry_testkit::mutate::judge::{options, sigma_rules};
use ruleferry_testkit::{route, snapshot};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// The fields of the rule, as text: the columns that the other output may read.
struct Fields {
    table: SmolStr,
    columns: Vec<(SmolStr, Type)>,
}

impl DataTables for Fields {
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>> {
        (table == self.table).then(|| self.columns.clone())
    }

    fn names(&self) -> Vec<SmolStr> {
        vec![self.table.clone()]
    }
}

impl ruleferry_sql::SqlTables for Fields {
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>> {
        let raw = (SmolStr::new_static("_raw"), Type::String);
        let has = self.columns.iter().any(|(n, _)| n == "_raw");
        let columns = self.columns.iter().cloned().chain((!has).then_some(raw));
        (table == self.table).then(|| columns.collect())
    }
}

fn fields(rule: &Rule) -> Option<Fields> {
    let mut found = None;
    rule.query.for_each_plan(&mut |plan| {
        if let Op::Scan(Scan { source: Source::Table(table), .. }) = &*plan.op {
            let columns = plan
                .output
                .iter()
                .map(|id| (SmolStr::new(rule.query.columns.name(*id)), rule.query.columns.ty(*id)));
            found = Some(Fields { table: table.name.clone(), columns: columns.collect() });
        }
    });
    found
}

enum Outcome {
    /// Does not read or lift.
    Broken(String),
    Compared(Verdict),
}

/// The language of an output, by the ending of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    Kql,
    Sql(ReadDialect),
}

impl Made {
    fn of(name: &str) -> Option<(Self, &str)> {
        if let Some(rule) = name.strip_suffix(".kql") {
            return Some((Self::Kql, rule));
        }
        let (rule, dialect) = name.strip_suffix(".sql")?.rsplit_once('.')?;
        Some((Self::Sql(ReadDialect::parse(dialect)?), rule))
    }

    fn query(self, text: &str, fields: &Fields) -> Result<Query, String> {
        match self {
            Self::Kql => {
                let text = format!("['{}'] | where {text}", fields.table);
                let parsed = parse(&text);
                let lifted = lift_with(&parsed.query, &LiftOptions { source: &text }, Some(fields));
                let fault = parsed.diagnostics.iter().chain(&lifted.diagnostics).find(|d| d.is_error());
                match (lifted.query, fault) {
                    (Some(query), None) => Ok(query),
                    (_, fault) => {
                        Err(fault.map_or_else(String::new, |d| format!("{}: {}", d.code.0, d.message)))
                    }
                }
            }
            Self::Sql(dialect) => {
                let quote = if dialect == ReadDialect::Spark { '`' } else { '"' };
                let from = format!("SELECT * FROM {quote}{}{quote} WHERE ", fields.table);
                // The table's name is the user's to give.
                let text = match text.strip_prefix("SELECT * FROM logs WHERE ") {
                    Some(condition) => format!("{from}{condition}"),
                    // The text of the event has a name of its own there.
                    None => format!("{from}{}", text.replace("(raw)", "(_raw)")),
                };
                let options = ruleferry_sql::LiftOptions { dialect, tables: fields };
                let lifted = ruleferry_sql::lift(&text, &options);
                lifted.query.ok_or_else(|| {
                    let first = lifted.diagnostics.first();
                    first.map_or_else(String::new, |d| format!("{}: {}", d.code.0, d.message))
                })
            }
        }
    }
}

fn outcome(rule: &Rule, made: Made, text: &str) -> Outcome {
    let Some(fields) = fields(rule) else { return Outcome::Broken("no table".into()) };
    let query = match route::guarded(|| Ok(made.query(text, &fields))) {
        Ok(Ok(query)) => query,
        Ok(Err(why)) => return Outcome::Broken(why),
        Err(stop) => return Outcome::Broken(stop.to_string()),
    };
    let other = Rule { envelope: Envelope { ..rule.envelope.clone() }, query };
    let options = Options { empty_is_absent: made == Made::Kql, ..options(true) };
    let compared = route::guarded(|| Ok(compare(rule, &other, &options)));
    Outcome::Compared(compared.unwrap_or_else(|stop| Verdict::undecided(stop.to_string())))
}

type Fits = fn(&str) -> bool;

/// What is wrong with an output that differs, by what stands in its text; the first that fits.
const FAULTS: &[(&str, Fits)] = &[
    ("a field name with a dot or dash comes out as a text constant", quoted_field),
    ("a search without a field comes out as a bare text", bare_text),
    ("a wildcard inside of a value is kept as a character", |t| {
        strings(t).any(|s| s.contains('*') && !t.contains("regex"))
    }),
    ("`null` is tested with `isnull`, which no text of Kusto meets", |t| t.contains("isnull(")),
    ("a range test of a missing or other address is null, and its negation loses the event", |t| {
        t.contains("ipv4_is_in_range(")
    }),
    ("a pattern loses its case mode or its flags", |t| t.contains("matches regex")),
];

/// The same for SQL.
const SQL_FAULTS: &[(&str, Fits)] = &[
    ("a field that is missing: `NOT (…)` is NULL, and the event is lost", |t| {
        t.to_uppercase().contains("NOT ")
    }),
    ("text is compared case by case: `=` tells cases apart", |t| t.contains("='") || t.contains(" = '")),
    ("a pattern loses its case mode or its flags", |t| {
        t.contains("REGEXP") || t.contains("rlike") || t.contains("regexp")
    }),
    ("`null` is tested with `IS NULL` alone", |t| t.contains("IS NULL") || t.contains("is null")),
];

/// The contents of texts in double quotes.
fn strings(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

fn quoted_field(text: &str) -> bool {
    // Outside of texts in double quotes.
    text.split('"').step_by(2).any(|part| {
        part.split('\'').skip(2).step_by(2).any(|after| {
            let after = after.trim_start();
            ["=~", "==", "in~", "contains", "startswith", "endswith", "matches", ")", ">", "<", ","]
                .iter()
                .any(|o| after.starts_with(o))
        })
    })
}

fn bare_text(text: &str) -> bool {
    text.split('"').step_by(2).any(|part| {
        let part = part.trim_end();
        part.is_empty() || part.ends_with("and") || part.ends_with("or") || part.ends_with("not(")
    }) && text.trim_start_matches('(').starts_with('"')
}

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = std::path::PathBuf::from(args.next().expect("a folder"));
    let (mut show, mut ids) = (false, Vec::new());
    for arg in args {
        if arg == "--show" { show = true } else { ids.push(arg) }
    }
    std::panic::set_hook(Box::new(|_| {}));
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("a folder").flatten().map(|e| e.path()).collect();
    files.sort();
    files.retain(|p| ids.is_empty() || ids.iter().any(|i| p.to_string_lossy().contains(i.as_str())));
    let root = snapshot::shared().join("corpus/sigma");
    let pool = rayon::ThreadPoolBuilder::new().stack_size(256 << 20).build().unwrap();
    let all: Vec<(String, Made, Outcome, String)> = pool.install(|| {
        files
            .par_iter()
            .filter_map(|file| {
                let own = file.file_name()?.to_string_lossy().into_owned();
                let (made, rule) = Made::of(&own)?;
                let name = rule.replace("__", "/");
                let mut rules = sigma_rules(&std::fs::read_to_string(root.join(&name)).ok()?);
                if rules.len() != 1 {
                    return None;
                }
                let text = std::fs::read_to_string(file).ok()?;
                Some((name, made, outcome(&rules.remove(0), made, &text), text))
            })
            .collect()
    });
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut faults: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut decided = 0;
    for (name, made, outcome, text) in &all {
        let word = match outcome {
            Outcome::Broken(why) => format!("does not read: {}", why.chars().take(60).collect::<String>()),
            Outcome::Compared(v) => v.relation().name().to_owned(),
        };
        let open = matches!(outcome, Outcome::Compared(v) if matches!(v.relation(), Relation::Unknown | Relation::EquivalentBounded));
        decided += usize::from(!open);
        if let Outcome::Compared(v) = outcome
            && !matches!(v.relation(), Relation::Equivalent | Relation::Unknown | Relation::EquivalentBounded)
        {
            let kinds = if *made == Made::Kql { FAULTS } else { SQL_FAULTS };
            let fault =
                kinds.iter().find(|(_, fits)| fits(text)).map_or("something else", |(fault, _)| *fault);
            *faults.entry((fault, v.relation().name())).or_default() += 1;
        }
        if show && word != "equivalent" {
            println!("{name} {word}");
            if let Outcome::Compared(v) = outcome {
                println!("  {v:?}");
            }
        }
        *counts.entry(word).or_default() += 1;
    }
    println!(
        "{} outputs, decided {decided} ({:.2} %)",
        all.len(),
        100.0 * decided as f64 / all.len().max(1) as f64
    );
    for (word, n) in counts {
        println!("  {n} {word}");
    }
    println!("what differs:");
    for ((fault, relation), n) in faults {
        println!("  {n} {relation}: {fault}");
    }
}
