//! Which test belongs to which rule: `<rule>.test.yaml` stands beside `<rule>.kql`, `<rule>.yaml` and so on.

use crate::input::{Input, WalkError};
use crate::language::EXTENSIONS;
use std::path::{Path, PathBuf};

/// A file of tests and the rule that it is about, or why there is none.
#[derive(Clone, Debug)]
pub struct TestInput {
    pub test: Input,
    pub rule: Result<Input, String>,
}

const ENDINGS: [&str; 2] = [".test.yaml", ".test.yml"];

/// The name of the rule, if the file is one of tests.
fn tested(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    ENDINGS.iter().find_map(|e| name.strip_suffix(e)).map(str::to_owned)
}

/// The tests of `paths`: those in a folder, those of a rule, or a file of tests itself. Each once.
pub fn find_tests(paths: &[PathBuf]) -> (Vec<TestInput>, Vec<WalkError>) {
    let (mut tests, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        let shown = path.to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            folder(path, &mut tests, &mut errors);
        } else if !path.exists() {
            errors.push(WalkError::Missing(shown));
        } else if tested(path).is_some() {
            tests.push(test(path, false));
        } else {
            match beside(path) {
                Some(found) => {
                    tests.push(TestInput { test: input(&found, false), rule: Ok(input(path, false)) })
                }
                None => errors.push(WalkError::Walk(format!(
                    "`{shown}` has no tests beside it in `{}`",
                    expected(path)
                ))),
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    tests.retain(|t| seen.insert(t.test.path.clone()));
    (tests, errors)
}

fn folder(root: &Path, tests: &mut Vec<TestInput>, errors: &mut Vec<WalkError>) {
    let walker =
        ignore::WalkBuilder::new(root).hidden(true).require_git(false).sort_by_file_path(Path::cmp).build();
    for entry in walker {
        match entry {
            Ok(e) if e.file_type().is_some_and(|t| t.is_file()) && tested(e.path()).is_some() => {
                tests.push(test(e.path(), true));
            }
            Ok(_) => {}
            Err(e) => errors.push(WalkError::Walk(e.to_string())),
        }
    }
}

fn input(path: &Path, walked: bool) -> Input {
    let shown = path.to_string_lossy().replace('\\', "/");
    let relative = path.file_name().map_or_else(|| path.to_path_buf(), PathBuf::from);
    Input { path: path.to_path_buf(), shown, relative, walked }
}

fn expected(rule: &Path) -> String {
    let stem = rule.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{stem}.test.yaml")
}

/// The tests of a rule.
fn beside(rule: &Path) -> Option<PathBuf> {
    let stem = rule.file_stem()?.to_str()?;
    ENDINGS.iter().map(|e| rule.with_file_name(format!("{stem}{e}"))).find(|p| p.is_file())
}

fn test(path: &Path, walked: bool) -> TestInput {
    let stem = tested(path).unwrap_or_default();
    let rules: Vec<PathBuf> = EXTENSIONS
        .iter()
        .map(|e| path.with_file_name(format!("{stem}.{e}")))
        .filter(|p| p.is_file())
        .collect();
    let name = |p: &PathBuf| p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let rule = match rules.as_slice() {
        [rule] => Ok(input(rule, false)),
        [] => Err(format!("there is no rule `{stem}` beside the test")),
        several => {
            let names: Vec<String> = several.iter().map(name).collect();
            Err(format!("several files beside the test may be its rule: {}", names.join(", ")))
        }
    };
    TestInput { test: input(path, walked), rule }
}
