//! How fast `run --engine embedded` is against SQL that a person writes by hand, over one Parquet file.
//!
//! `RULEFERRY_DUCKDB_LIB=target/duckdb cargo run --release -p ruleferry-engine --example parquet_speed -- [ROWS]`
//! Makes a file of 5,000,000 sign-ins in the folder for temporary files, and prints the median of five runs of each.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "an example"
)]

use ruleferry_duckdb::{Engine, Options};
use ruleferry_engine::{Data, EngineKind, Input, RunOptions, parse_time, run_rule};
use std::time::{Duration, Instant};

/// A name, the rule, and the same by hand.
const RULES: [(&str, &str, &str); 3] = [
    (
        "filter and aggregate",
        "SigninLogs | where TimeGenerated > ago(10d) and ResultType == \"50126\" | summarize Failures = count(), Users = dcount(UserPrincipalName) by IPAddress | where Failures > 1000",
        "SELECT IPAddress, count(*) AS Failures, count(DISTINCT UserPrincipalName) AS Users FROM read_parquet($FILE) WHERE TimeGenerated > TIMESTAMP '2026-01-12' - INTERVAL 10 DAY AND ResultType = '50126' GROUP BY IPAddress HAVING count(*) > 1000",
    ),
    (
        "text and nested values",
        "SigninLogs | where AppDisplayName has \"app7\" and UserPrincipalName startswith \"user1\" | extend City = tostring(LocationDetails.city) | summarize count() by City",
        "SELECT json_extract_string(LocationDetails, '$.city') AS City, count(*) FROM read_parquet($FILE) WHERE regexp_matches(AppDisplayName, '(?i)(^|[^a-z0-9])app7($|[^a-z0-9])') AND UserPrincipalName ILIKE 'user1%' GROUP BY ALL",
    ),
    (
        "join",
        "let bad = SigninLogs | where ResultType == \"50126\" | summarize Failures = count() by UserPrincipalName | where Failures > 15; SigninLogs | where ResultType == \"0\" | join kind=inner bad on UserPrincipalName | summarize Successes = count() by UserPrincipalName, Failures | top 10 by Successes",
        "WITH bad AS (SELECT UserPrincipalName, count(*) AS Failures FROM read_parquet($FILE) WHERE ResultType = '50126' GROUP BY ALL HAVING count(*) > 15) SELECT s.UserPrincipalName, Failures, count(*) AS Successes FROM read_parquet($FILE) s JOIN bad USING (UserPrincipalName) WHERE ResultType = '0' GROUP BY ALL ORDER BY Successes DESC LIMIT 10",
    ),
];

fn main() {
    let rows: u64 = std::env::args().nth(1).map_or(5_000_000, |n| n.parse().expect("a number of rows"));
    let folder = std::env::temp_dir().join(format!("ruleferry-speed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("SigninLogs.parquet");
    let quoted = format!("'{}'", file.display());
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u16);
    let open = || {
        let options =
            Options { external_access: true, threads, memory_limit: "4GB".into(), ..Options::default() };
        Engine::open_with(&options).expect("libduckdb opens")
    };
    open()
        .execute(&format!(
            "COPY (SELECT TIMESTAMP '2026-01-01' + INTERVAL (i % 1000000) SECOND AS TimeGenerated, 'user' || (i * 7919 % 20011) || '@corp.example' AS UserPrincipalName, \
             CASE WHEN i % 13 = 0 THEN '50126' ELSE '0' END AS ResultType, '10.' || (i % 250) || '.' || (i % 13) || '.5' AS IPAddress, 'app' || (i % 40) AS AppDisplayName, \
             '{{\"city\": \"c' || (i % 50) || '\"}}' AS LocationDetails FROM range({rows}) t(i)) TO {quoted} (FORMAT parquet)"
        ))
        .unwrap();
    let now = parse_time("2026-01-12T00:00:00Z").unwrap();
    for (name, rule, hand) in RULES {
        let path = folder.join("rule.kql");
        std::fs::write(&path, rule).unwrap();
        let input = Input { path: path.clone(), shown: "rule.kql".into(), relative: path, walked: false };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            let start = Instant::now();
            let mut data = Data::default();
            data.add(&file.to_string_lossy()).unwrap();
            let options =
                RunOptions { from: None, sigma: Default::default(), engine: EngineKind::Embedded, now };
            let ran = run_rule(&input, data, &options);
            let found = ran.found.unwrap_or_else(|| panic!("{:?} {:?}", ran.diagnostics, ran.faults));
            ours.push(start.elapsed());
            let start = Instant::now();
            let table = open().query(&hand.replace("$FILE", &quoted)).unwrap();
            theirs.push(start.elapsed());
            assert_eq!(found.rows.len(), table.rows.len(), "{name}");
        }
        let (ours, theirs) = (median(ours), median(theirs));
        println!(
            "{name:<24} {ours:>8.0?} by hand {theirs:>8.0?}: {:.2}",
            ours.as_secs_f64() / theirs.as_secs_f64()
        );
    }
    let _ = std::fs::remove_dir_all(&folder);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
