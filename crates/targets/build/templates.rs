//! `targets/<dialect>/functions.toml` and `macros/*.sql`: how IR functions are said in a dialect of SQL.

use crate::read::{self, Problems};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

struct Macro {
    text: String,
    needs: Vec<String>,
    path: PathBuf,
}

type Macros = BTreeMap<String, Macro>;

pub fn build(root: &Path, problems: &mut Problems) -> String {
    let folders = read::folders_with(root, "functions.toml");
    let mut out = format!("static DIALECTS: [SqlDialect; {}] = [\n", folders.len());
    let mut id = 0;
    for folder in folders {
        let macros = read_macros(&folder.join("macros"), problems);
        let order = order(&macros, problems);
        let path = folder.join("functions.toml");
        let content = with_base(root, read::table(&path, problems), problems);
        read::only_keys(&path, "top level", &content, &["base", "function", "aggregate"], problems);
        let _ = writeln!(out, "SqlDialect {{ name: {:?},", read::folder_name(&folder));
        for key in ["function", "aggregate"] {
            let list = templates(&path, key, &content, &macros, &mut id, problems);
            let _ = writeln!(out, "{key}s: &[\n{list}],");
        }
        out.push_str("macros: &[\n");
        for (name, m) in &macros {
            let rank = order.iter().position(|o| o == name).unwrap_or_default();
            let _ = writeln!(
                out,
                "    MacroDef {{ name: {name:?}, needs: &{:?}, rank: {rank}, text: {:?} }},",
                m.needs, m.text
            );
        }
        out.push_str("] },\n");
    }
    out + "];\n"
}

/// The templates of a dialect, and behind them those of the file that it builds on. One for the same name and arguments takes the place
/// of the other's; one for any arguments (without `args`) that of all of the name.
fn with_base(root: &Path, mut own: Table, problems: &mut Problems) -> Table {
    let Some(base) = own.get("base").and_then(Value::as_str).map(str::to_owned) else { return own };
    let base = read::table(&root.join(base), problems);
    for key in ["function", "aggregate"] {
        let mine: Vec<Value> = own.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let same = |a: &Value, b: &Value| {
            a.get("name") == b.get("name") && (a.get("args") == b.get("args") || a.get("args").is_none())
        };
        let theirs = base.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let rest: Vec<Value> = theirs.into_iter().filter(|t| !mine.iter().any(|m| same(m, t))).collect();
        // A form that is taken away stands for nothing.
        let kept = mine.into_iter().filter(|m| m.get("sql").is_some());
        own.insert(key.to_owned(), Value::Array(kept.chain(rest).collect()));
    }
    own
}

fn templates(
    path: &Path,
    key: &str,
    content: &Table,
    macros: &Macros,
    id: &mut usize,
    problems: &mut Problems,
) -> String {
    let mut entries = read::entries(content, key);
    // The order of the overloads of one name is kept: the first match wins.
    entries.sort_by_key(|e| e.get("name").and_then(Value::as_str).unwrap_or_default());
    let mut seen = BTreeSet::new();
    let mut out = String::new();
    for entry in entries {
        let name = read::text(path, key, entry, "name", problems);
        let at = format!("{key} `{name}`");
        read::only_keys(path, &at, entry, &["name", "args", "sql", "macros", "nulls", "assumes"], problems);
        let sql = read::text(path, &at, entry, "sql", problems);
        let nulls = match read::text(path, &at, entry, "nulls", problems) {
            "strict" => "Strict",
            "never" => "Never",
            "custom" => "Custom",
            other => {
                problems.add(path, format!("{at}: `nulls` is `{other}`, not strict, never or custom"));
                continue;
            }
        };
        let args = entry.get("args").is_some().then(|| read::texts(path, &at, entry, "args", problems));
        if !seen.insert((name, args.clone())) {
            problems.add(path, format!("{at}: given twice for the same arguments"));
        }
        let Places { highest, rest } = places(path, &at, sql, args.as_deref(), problems);
        let assumes = entry.get("assumes").and_then(Value::as_str);
        let needed = read::texts(path, &at, entry, "macros", problems);
        check_macros(path, &at, sql, &needed, macros, problems);
        let args = args.map(|args| arguments(path, &at, &args, problems));
        let args = args.map_or_else(|| "None".to_owned(), |a| format!("Some(&[{a}])"));
        let _ = writeln!(
            out,
            "    Template {{ id: {id}, name: {name:?}, args: {args}, sql: {sql:?}, places: {highest}, rest: {rest}, macros: &{needed:?}, nulls: Nulls::{nulls}, assumes: {assumes:?} }},"
        );
        *id += 1;
    }
    out
}

fn arguments(path: &Path, at: &str, args: &[&str], problems: &mut Problems) -> String {
    let mut out = String::new();
    for (i, arg) in args.iter().enumerate() {
        let _ = match (*arg, read::variant(arg)) {
            ("any", _) => write!(out, "ArgType::Any, "),
            ("...", _) if i > 0 && i + 1 == args.len() => write!(out, "ArgType::Repeat, "),
            (_, Some(variant)) => write!(out, "ArgType::Is(Type::{variant}), "),
            (other, None) => {
                problems.add(path, format!("{at}: `{other}` is not an argument type"));
                Ok(())
            }
        };
    }
    out
}

/// What the SQL asks for: the highest `$n`, and whether `$...` takes more.
#[derive(Default)]
struct Places {
    highest: usize,
    rest: bool,
}

/// Each `$1` … `$9` must name an argument that is there; `$...` needs a call that can have more.
fn places(path: &Path, at: &str, sql: &str, args: Option<&[&str]>, problems: &mut Problems) -> Places {
    if sql.trim().is_empty() {
        problems.add(path, format!("{at}: `sql` is empty"));
    }
    let mut found = Places::default();
    // A `$` in a literal ('$[*]') is only text; every other piece between quotes is code.
    for place in sql.split('\'').step_by(2).flat_map(|code| code.split('$').skip(1)) {
        if place.starts_with("...") {
            found.rest = true;
        } else if let Some(n) = place.chars().next().and_then(|c| c.to_digit(10)).filter(|n| *n > 0) {
            found.highest = found.highest.max(n as usize);
        } else {
            problems.add(path, format!("{at}: `$` must be followed by 1 to 9 or `...`"));
        }
    }
    if let Some(args) = args {
        let fixed = args.iter().filter(|a| **a != "...").count();
        if found.highest > fixed {
            problems.add(path, format!("{at}: `${}` names no argument", found.highest));
        }
        if found.rest && !args.contains(&"...") {
            problems.add(path, format!("{at}: `$...` but `args` does not end in `...`"));
        }
    }
    found
}

/// Macros must exist, and those that the SQL calls must be named.
fn check_macros(path: &Path, at: &str, sql: &str, named: &[&str], macros: &Macros, problems: &mut Problems) {
    for name in named.iter().filter(|n| !macros.contains_key(**n)) {
        problems.add(path, format!("{at}: there is no macro `{name}`"));
    }
    for name in called(sql).filter(|n| macros.contains_key(*n) && !named.contains(n)) {
        problems.add(path, format!("{at}: calls the macro `{name}` without naming it in `macros`"));
    }
}

/// The words of a text that an opening parenthesis follows, comment lines aside.
fn called(sql: &str) -> impl Iterator<Item = &str> {
    let code = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
    code.flat_map(|line| line.rmatch_indices('(').filter_map(|(at, _)| line.get(..at))).filter_map(|before| {
        let word = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
        (!word.is_empty()).then_some(word)
    })
}

fn read_macros(folder: &Path, problems: &mut Problems) -> Macros {
    let mut macros = Macros::new();
    for path in read::files(folder, "sql") {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                problems.add(&path, error);
                continue;
            }
        };
        let mut needs = Vec::new();
        let mut kept = Vec::new();
        for line in text.lines() {
            match line.strip_prefix("-- needs:") {
                Some(list) => needs.extend(
                    list.split([',', ' ']).map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned),
                ),
                None => kept.push(line),
            }
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = kept.join("\n").trim().to_owned();
        macros.insert(name, Macro { text, needs, path });
    }
    for (name, m) in &macros {
        if !called(&m.text).any(|w| w == name) {
            problems.add(&m.path, format!("does not define `{name}`, which its file name promises"));
        }
        for needed in m.needs.iter().filter(|n| !macros.contains_key(*n)) {
            problems.add(&m.path, format!("there is no macro `{needed}`"));
        }
        for other in called(&m.text).filter(|w| *w != name && macros.contains_key(*w)) {
            if !m.needs.iter().any(|n| n == other) {
                problems.add(&m.path, format!("calls `{other}` without `-- needs: {other}`"));
            }
        }
    }
    macros
}

/// All macros, each behind those that it needs; those in a cycle are left out and reported.
fn order(macros: &Macros, problems: &mut Problems) -> Vec<String> {
    let mut done: Vec<String> = Vec::new();
    loop {
        let ready = |m: &Macro| m.needs.iter().all(|n| done.contains(n) || !macros.contains_key(n));
        let next = macros.iter().find(|(name, m)| !done.contains(name) && ready(m));
        let Some((name, _)) = next else { break };
        done.push(name.clone());
    }
    for (name, m) in macros.iter().filter(|(name, _)| !done.contains(name)) {
        problems.add(&m.path, format!("`{name}` needs itself, by way of {:?}", m.needs));
    }
    done
}
