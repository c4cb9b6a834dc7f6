//! The dialects beside DuckDB: their data, hostile texts and names, and how their SQL differs from DuckDB's.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::string_slice,
    reason = "tests"
)]

use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_kql::syntax::parse;
use ruleferry_sql::{Dialect, SqlOptions, all_dialects, lower, print};
use std::fmt::Write as _;

/// 2026-01-15T12:00:00Z
const NOW: i64 = 639_040_752_000_000_000;

fn sql(text: &str, dialect: &'static Dialect) -> Result<String, String> {
    let parsed = parse(text);
    assert!(parsed.diagnostics.is_empty(), "{text}: {:?}", parsed.diagnostics);
    let lifted = lift(&parsed.query, &LiftOptions { source: text });
    let query = lifted.query.unwrap_or_else(|| panic!("{text}: {:?}", lifted.diagnostics));
    let options = SqlOptions { dialect, now: Some(NOW), look_back: None };
    match lower(&query, &options) {
        Ok(lowered) => Ok(print(&lowered.script)),
        Err(found) => {
            assert!(found.iter().all(|d| d.is_error() && !d.span.is_empty()), "{text}: {found:?}");
            Err(found[0].message.clone())
        }
    }
}

fn others() -> impl Iterator<Item = &'static Dialect> {
    all_dialects().iter().filter(|d| !d.generic)
}

#[test]
fn every_template_is_read() {
    let unread: Vec<String> = all_dialects().iter().flat_map(ruleferry_sql::unread_templates).collect();
    assert!(unread.is_empty(), "{unread:#?}");
}

/// How a dialect ends a text and what it takes for one character, read by its own rules.
fn literals(sql: &str, dialect: &Dialect) -> Vec<String> {
    let mut out = Vec::new();
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '-' if chars.peek() == Some(&'-') => while chars.next().is_some_and(|c| c != '\n') {},
            '\'' => {
                let mut text = String::new();
                loop {
                    match chars.next().expect("a text ends") {
                        '\\' if dialect.backslash => match chars.next().expect("an escape ends") {
                            'n' => text.push('\n'),
                            'r' => text.push('\r'),
                            c => text.push(c),
                        },
                        '\'' if chars.peek() == Some(&'\'') && !dialect.backslash => {
                            chars.next();
                            text.push('\'');
                        }
                        '\'' => break,
                        c => text.push(c),
                    }
                }
                out.push(text);
            }
            c if c == dialect.quote => loop {
                let c = chars.next().expect("a name ends");
                if c == '\\' && dialect.name_backslash
                    || c == dialect.quote && chars.peek() == Some(&dialect.quote)
                {
                    chars.next();
                } else if c == dialect.quote {
                    break;
                }
            },
            _ => {}
        }
    }
    out
}

#[test]
fn hostile_texts_stay_texts() {
    let hostile = [
        r"a\",
        r"\'",
        r"\\'; DROP TABLE t; --",
        "it's",
        "''",
        r"\''",
        "line\nfeed",
        "%_",
        "`\"",
        r"\n",
        "é'\u{2019}",
        "/* */ --",
        "$1 {x} ?",
        r"C:\Windows\System32\'x",
        "'",
        "\\\\",
        "\t'",
    ];
    for dialect in others() {
        for text in hostile {
            let quoted =
                text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n").replace('\t', r"\t");
            let query = format!("T | where a == \"{quoted}\" | project a");
            let sql = sql(&query, dialect).unwrap_or_else(|e| panic!("{}: {text:?}: {e}", dialect.name));
            // `=~` compares folded texts; `==` the text as it is.
            assert!(literals(&sql, dialect).iter().any(|l| l == text), "{}: {text:?} in {sql}", dialect.name);
        }
    }
}

#[test]
fn hostile_names_stay_names() {
    for dialect in others() {
        for name in [r"a\", "a`b", "a\"b", "select", "x; DROP TABLE t", "naïve", "a.b", r"\`"] {
            let quoted = name.replace('\\', r"\\").replace('"', "\\\"");
            let query = format!("T | where ['{quoted}'] > 1 | project ['{quoted}']");
            let sql = sql(&query, dialect).unwrap_or_else(|e| panic!("{}: {name:?}: {e}", dialect.name));
            let q = dialect.quote;
            let own = if dialect.name_backslash {
                name.replace('\\', r"\\").replace(q, &format!("\\{q}"))
            } else {
                name.replace(q, &format!("{q}{q}"))
            };
            assert!(sql.contains(&format!("{q}{own}{q}")), "{}: {name:?} in {sql}", dialect.name);
            assert!(literals(&sql, dialect).is_empty(), "{sql}");
        }
    }
}

#[test]
fn what_has_no_form_is_refused_with_its_place() {
    let refused = [
        ("sqlite", "T | where a matches regex \"a+\"", "regular expressions"),
        ("sqlite", "T | where a has \"Ünit\"", "beyond ASCII"),
        ("sqlite", "T | where a =~ \"Ünit\"", "beyond ASCII"),
        ("postgres", "T | where a matches regex @\"\\p{L}\"", "a class of Unicode"),
        ("postgres", "T | make-series count() on TimeGenerated step 1h", "make-series"),
        ("clickhouse", "T | extend d = parse_xml(x)", "parse_xml"),
    ];
    for (target, query, why) in refused {
        let found = sql(query, Dialect::find(target).unwrap()).unwrap_err();
        assert!(found.contains(why), "{target}: {query}: {found}");
    }
}

const RULES: [(&str, &str); 6] = [
    (
        "failures",
        "SigninLogs\n| where TimeGenerated > ago(1d) and ResultType !in (\"0\", \"50125\") and UserPrincipalName has \"admin\"\n| extend City = tostring(LocationDetails.city)\n| summarize Failures = count(), Apps = dcount(AppDisplayName), Last = max(TimeGenerated) by UserPrincipalName, City\n| where Failures > 5 and not(City contains \"o'hare\\\\x\")",
    ),
    (
        "hourly",
        "SecurityEvent\n| where EventID == 4625 and isnotempty(Account)\n| summarize count() by bin(TimeGenerated, 1h), Computer\n| top 5 by count_ desc",
    ),
    (
        "unmatched",
        "SecurityEvent\n| where EventID == 4688 and CommandLine contains_cs \"50%_off\"\n| join kind=leftanti (SecurityEvent | where EventID == 4689) on NewProcessId",
    ),
    ("latest", "SigninLogs\n| summarize arg_max(TimeGenerated, IPAddress, Location) by UserPrincipalName"),
    (
        "pattern",
        "Syslog\n| where SyslogMessage matches regex @\"(?i)fail\\w+ (?:for|from) \\d{1,3}\\.\" or ProcessName =~ \"SSHD\"\n| project TimeGenerated, Computer, Level = coalesce(SeverityLevel, \"none\")",
    ),
    ("tables", "union (A | project x = 1, y = \"a\"), (B | project x = 2, z = todatetime(t))"),
];

#[test]
fn differences_per_dialect() {
    let mut out = String::new();
    for (name, query) in RULES {
        let base = sql(query, Dialect::DUCKDB).unwrap();
        let _ = writeln!(out, "==== {name}\n{query}\n\n-- duckdb\n{base}");
        for dialect in others() {
            let _ = writeln!(out, "-- {}", dialect.name);
            match sql(query, dialect) {
                Ok(own) => out.push_str(&difference(&base, &own)),
                Err(why) => {
                    let _ = writeln!(out, "refused: {why}");
                }
            }
        }
        out.push('\n');
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialects.snap");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &out).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == out, "tests/dialects.snap is another; UPDATE=1 writes it\n{}", difference(&kept, &out));
}

/// The lines that go and come, in the order of a longest common run.
fn difference(a: &str, b: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
    let mut best = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            best[i][j] =
                if a[i] == b[j] { best[i + 1][j + 1] + 1 } else { best[i + 1][j].max(best[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, String::new());
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || i < a.len() && best[i + 1][j] >= best[i][j + 1] {
            let _ = writeln!(out, "- {}", a[i]);
            i += 1;
        } else {
            let _ = writeln!(out, "+ {}", b[j]);
            j += 1;
        }
    }
    out
}
