//! The build script's checks: wrong data must be reported with file and reason, right data must come out as written.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
// The build script uses more of these modules than the tests do.
#![allow(dead_code)]

#[path = "../src/capability.rs"]
mod capability;
#[path = "../build/read.rs"]
mod read;
#[path = "../build/schema.rs"]
mod schema;
#[path = "../build/table_functions.rs"]
mod table_functions;
#[path = "../build/targets.rs"]
mod targets;
#[path = "../build/templates.rs"]
mod templates;

use read::Problems;
use std::path::{Path, PathBuf};

/// Writes the files into an empty folder.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&root);
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

#[track_caller]
fn assert_problems(problems: &Problems, expected: &[&str]) {
    let list = problems.list();
    assert_eq!(list.len(), expected.len(), "{list:#?}");
    for (problem, expected) in list.iter().zip(expected) {
        assert!(problem.contains(expected), "`{problem}` does not say `{expected}`");
        assert!(problem.contains(".toml: ") || problem.contains(".sql: "), "{problem}");
    }
}

fn check_templates(name: &str, functions: &str, macros: &[(&str, &str)]) -> (String, Problems) {
    let mut files = vec![("lite/functions.toml", functions)];
    files.extend_from_slice(macros);
    let mut problems = Problems::default();
    let out = templates::build(&folder(name, &files), &mut problems);
    (out, problems)
}

#[test]
fn templates_are_sorted_and_keep_the_order_of_overloads() {
    let functions = r#"
        [[function]]
        name = "strlen"
        args = ["string"]
        sql = "length($1 || '$[*]')"
        nulls = "strict"
        [[function]]
        name = "coalesce"
        args = ["any", "..."]
        sql = "coalesce($1, $...)"
        nulls = "custom"
        [[function]]
        name = "strlen"
        sql = "size_of($1)"
        macros = ["size_of"]
        nulls = "never"
    "#;
    let macros = [
        ("lite/macros/size_of.sql", "-- needs: helper\nCREATE MACRO size_of(x) AS helper(x);\n"),
        ("lite/macros/helper.sql", "-- Says why.\nCREATE MACRO helper(x) AS x;\n"),
    ];
    let (out, problems) = check_templates("sorted", functions, &macros);
    assert_problems(&problems, &[]);
    let at = |text: &str| out.find(text).unwrap();
    assert!(at("coalesce($1, $...)") < at("length($1 ||") && at("length($1 ||") < at("size_of($1)"));
    assert!(out.contains("args: Some(&[ArgType::Any, ArgType::Repeat, ]), sql: \"coalesce($1, $...)\", places: 1, rest: true") && out.contains("args: None"));
    assert!(out.contains(r#"name: "size_of", needs: &["helper"], rank: 1, text: "CREATE MACRO"#));
    assert!(out.contains(r#"rank: 0, text: "-- Says why.\nCREATE MACRO"#));
}

#[test]
fn faults_of_templates_are_reported() {
    let function = |rest: &str| format!("[[function]]\nname = \"f\"\n{rest}");
    for (name, rest, expected) in [
        ("type", "args = [\"text\"]\nsql = \"g($1)\"\nnulls = \"strict\"", "`text` is not an argument type"),
        ("place", "args = [\"string\"]\nsql = \"g($2)\"\nnulls = \"strict\"", "`$2` names no argument"),
        ("rest", "args = [\"string\"]\nsql = \"g($...)\"\nnulls = \"strict\"", "`args` does not end in"),
        ("zero", "sql = \"g($0)\"\nnulls = \"strict\"", "must be followed by 1 to 9"),
        ("dollar", "sql = \"g($x)\"\nnulls = \"strict\"", "must be followed by 1 to 9"),
        ("nulls", "sql = \"g($1)\"\nnulls = \"none\"", "`nulls` is `none`"),
        ("key", "sql = \"g($1)\"\nnull = true\nnulls = \"strict\"", "unknown key `null`"),
        ("macro", "sql = \"g($1)\"\nmacros = [\"m\"]\nnulls = \"strict\"", "no macro `m`"),
    ] {
        let (_, problems) = check_templates(name, &function(rest), &[]);
        assert_problems(&problems, &[expected]);
    }
    let twice = function("sql = \"g($1)\"\nnulls = \"strict\"\n").repeat(2);
    assert_problems(&check_templates("twice", &twice, &[]).1, &["given twice"]);
    let (_, problems) = check_templates("syntax", "[[function]\n", &[]);
    assert_problems(&problems, &["TOML parse error at line 1"]);
}

#[test]
fn faults_of_macros_are_reported() {
    let unnamed = "[[function]]\nname = \"f\"\nsql = \"m($1)\"\nnulls = \"strict\"";
    let (_, problems) =
        check_templates("unnamed", unnamed, &[("lite/macros/m.sql", "CREATE MACRO m(x) AS x;")]);
    assert_problems(&problems, &["calls the macro `m` without naming it"]);
    let macros = [
        ("lite/macros/a.sql", "-- needs: b\nCREATE MACRO a(x) AS b(x);"),
        ("lite/macros/b.sql", "-- needs: a\nCREATE MACRO b(x) AS a(x);"),
        ("lite/macros/c.sql", "CREATE MACRO d(x) AS a(x);"),
    ];
    let (_, problems) = check_templates("cycle", "", &macros);
    let expected = ["does not define `c`", "calls `a` without", "`a` needs itself", "`b` needs itself"];
    assert_problems(&problems, &expected);
}

#[test]
fn faults_of_schemas_are_reported() {
    let files = [
        ("log-analytics/schema/_standard.toml", "TimeGenerated = \"datetime\""),
        ("log-analytics/schema/a.toml", "[T]\nA = \"text\"\nB = \"long\"\n_open = true"),
        ("log-analytics/schema/b.toml", "[T]\nC = \"long\"\n[Empty]\n"),
        ("defender-xdr/schema/t.toml", "[D]\nTimestamp = \"datetime\""),
        ("azure-resource-graph/schema/t.toml", "[R]\n_ResourceId = \"string\""),
    ];
    let mut problems = Problems::default();
    let schema = schema::build(&folder("schemas", &files), &mut problems);
    assert_problems(
        &problems,
        &["T.A: \"text\" is not a type", "`T` is given twice", "`Empty` has no columns"],
    );
    assert_eq!(schema.names, "CTimeGeneratedTimestamp_ResourceId");
    assert_eq!(schema.name_offsets.len(), 5 * 4);
}

#[test]
fn faults_of_targets_are_reported() {
    let text = "title = \"T\"\nlanguage = \"sql\"\nversion = \"1\"\nsupport = \"much\"\ncapabilities = [\"flying\"]\n\
                [limits]\nsize = 1";
    let mut problems = Problems::default();
    targets::build(&folder("targets", &[("t/target.toml", text)]), &mut problems);
    let expected = [
        "`support`: `much` is none of",
        "`dialect` goes with",
        "unknown capability `flying`",
        "unknown key `size`",
    ];
    assert_problems(&problems, &expected);
}

#[test]
fn faults_of_table_functions_are_reported() {
    let text = "[[function]]\nname = \"F\"\nform = \"invoke\"\nparams = [{ name = \"x\", type = \"txt\" }]\n\
                [function.columns]\nA = \"number\"\n[[function]]\nname = \"G\"\nform = \"tables\"";
    let mut problems = Problems::default();
    table_functions::build(&folder("table-functions", &[("kql/table-functions.toml", text)]), &mut problems);
    assert_problems(
        &problems,
        &["F: `txt` is not a type", "F.A: \"number\" is not a type", "G: form `tables`"],
    );
}
