//! Every Sigma rule of the regression data over the events of every case: `sigma-regression [--check] [ID…]`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a test harness")]

use ruleferry_testkit::{duck, sigma, snapshot};
use std::fmt::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let check = given.iter().any(|a| a == "--check");
    let ids: Vec<&String> = given.iter().filter(|a| !a.starts_with("--")).collect();
    std::panic::set_hook(Box::new(|_| {}));
    let worker = std::thread::Builder::new().stack_size(256 << 20).spawn(|| {
        let mut cases = sigma::load();
        let given: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
        if !given.is_empty() {
            cases.cases.retain(|c| given.iter().any(|i| c.id.contains(i.as_str())));
        }
        let engine = duck::open();
        if engine.is_none() {
            println!("no libduckdb: the SQL route is left out");
        }
        (sigma::run(&cases, engine.as_ref()), cases.events.len())
    });
    let (reports, events) = worker.unwrap().join().unwrap();
    let good = reports.iter().filter(|r| r.faults.is_empty()).count();
    let mut text = format!(
        "{} rules over {events} events: {good} find their own events as declared, and the three routes are equal\n\n",
        reports.len()
    );
    for r in &reports {
        let (found, own, wanted) = r.own;
        let _ = write!(text, "{} own {found} of {own} (at least {wanted}), all {}", r.id, r.found);
        let faults: String = r.faults.join("; ");
        let _ =
            writeln!(text, "{}{}", if faults.is_empty() { "" } else { " FAULT " }, faults.replace('\n', " "));
    }
    let shown: Vec<&str> =
        text.lines().filter(|l| l.contains("FAULT") || l.contains(" rules ") || !ids.is_empty()).collect();
    println!("{}", shown.join("\n"));
    if check && ids.is_empty() && !snapshot::check("tests/conformance/sigma-regression.snap", &text) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
