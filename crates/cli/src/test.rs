//! `ruleferry test`.

use crate::Exit;
use crate::args::{Test, TestFormat};
use crate::{output, run};
use anyhow::{Result, bail};
use ruleferry_engine::diag::render::{FileReport, json};
use ruleferry_engine::{
    Input, TestOptions, TestStatus, Tested, find_tests, for_each, junit, run_tests, text_report,
};
use std::io::{self, BufWriter, Write as _};

pub fn run(args: &Test) -> Result<Exit> {
    let (tests, errors) = find_tests(&args.paths);
    for e in &errors {
        output::message(&format!("error: {e}"))?;
    }
    if tests.is_empty() && errors.is_empty() {
        bail!("no tests found (looked for *.test.yaml)");
    }
    let options = TestOptions {
        engine: run::engine(args.engine),
        sigma: output::sigma_options(args.values.as_deref())?,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut passed, mut failed, mut invalid) = (0_usize, 0_usize, 0_usize);
    let mut all: Vec<Tested> = Vec::new();
    let inputs: Vec<Input> = tests.iter().map(|t| t.test.clone()).collect();
    let work = |i: usize, _: &Input| tests.get(i).map(|test| run_tests(test, &options));
    for_each(&inputs, work, |_, tested| {
        let Some(mut tested) = tested else { return Ok(()) };
        for record in &tested.records {
            match record.status {
                TestStatus::Passed => passed += 1,
                TestStatus::Failed => failed += 1,
                TestStatus::Invalid => invalid += 1,
            }
        }
        match args.format {
            TestFormat::Json => {
                tested
                    .records
                    .iter()
                    .try_for_each(|r| writeln!(out, "{}", json::line(r).map_err(io::Error::other)?))?;
            }
            TestFormat::Text => out.write_all(text_report(&tested).as_bytes())?,
            TestFormat::Junit => {}
        }
        if args.format == TestFormat::Text {
            out.flush()?;
            for (path, text, found) in std::mem::take(&mut tested.reports) {
                output::findings(FileReport::new(path, text, found))?;
            }
        }
        output::data_warnings(&tested.warnings)?;
        if args.format == TestFormat::Junit {
            all.push(tested);
        }
        Ok(())
    })?;
    if args.format == TestFormat::Junit {
        out.write_all(junit(&all).as_bytes())?;
    }
    out.flush()?;
    let total = passed + failed + invalid;
    output::message(&format!("{total} tests: {passed} passed, {failed} failed, {invalid} invalid"))?;
    Ok(if invalid > 0 || !errors.is_empty() {
        Exit::Error
    } else if failed > 0 {
        Exit::Report
    } else {
        Exit::Done
    })
}
