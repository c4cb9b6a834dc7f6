//! The embedded engine as runs use it: opening, names and literals of its SQL, its values as ours.

use ruleferry_duckdb::{Engine, Error, Options, Value as Sql};
use ruleferry_eval::{Value, cast, parse_json};
use ruleferry_ir::Type;
use smol_str::SmolStr;
use std::path::{Path, PathBuf};

/// What a query of the embedded engine may hold in memory.
const MEMORY: &str = "4GB";

/// The engine; its SQL may read these files and no others.
pub(super) fn open(files: &[PathBuf]) -> Result<Engine, Error> {
    let threads = std::thread::available_parallelism().map_or(1, |n| u16::try_from(n.get()).unwrap_or(1));
    let options =
        Options { external_access: true, threads, memory_limit: MEMORY.to_owned(), ..Options::default() };
    let engine = Engine::open_with(&options)?;
    let paths: Vec<String> = files.iter().map(|p| text(&p.to_string_lossy())).collect();
    engine.execute(&format!(
        "SET allowed_paths = [{}]; SET enable_external_access = false",
        paths.join(", ")
    ))?;
    Ok(engine)
}

/// The path as the engine compares it with those that are allowed.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// What a person does about an engine that does not open.
pub(super) fn help(error: &Error) -> &'static str {
    if error.is_library_missing() {
        "install libduckdb 1.5 (tests/engines/fetch-duckdb.sh fetches it), set RULEFERRY_DUCKDB_LIB to its path, or use `--engine reference`"
    } else {
        "use `--engine reference`, which is the definition of what the rule means"
    }
}

/// A quoted name.
pub(super) fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A literal of text. No statement holds a NUL, so one in the text is computed.
pub(super) fn text(text: &str) -> String {
    let quoted = |t: &str| format!("'{}'", t.replace('\'', "''"));
    if text.contains('\0') {
        let parts: Vec<String> = text.split('\0').map(quoted).collect();
        format!("({})", parts.join(" || chr(0) || "))
    } else {
        quoted(text)
    }
}

/// The text of a value that casts to its type in the engine; `None` for null.
pub(super) fn written(value: &Value, ty: Type) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Real(x) if x.is_nan() => "NaN".to_owned(),
        Value::Real(x) if x.is_infinite() => if *x > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        Value::Real(x) => format!("{x:e}"),
        // The engine counts microseconds.
        Value::Datetime(_) => {
            let text = as_text(value);
            let (day, clock) = text.trim_end_matches('Z').split_once('T')?;
            let clock = clock.get(..15).unwrap_or(clock);
            format!("{day} {clock}")
        }
        Value::Timespan(ticks) => format!("{} microseconds", ticks / 10),
        Value::Dynamic(_) => ruleferry_eval::json_text(value.as_json()?).to_string(),
        Value::String(s) if ty == Type::Dynamic => {
            ruleferry_eval::json_text(&ruleferry_ir::Json::String(s.clone())).to_string()
        }
        Value::Bool(_)
        | Value::Int(_)
        | Value::Long(_)
        | Value::Decimal(_)
        | Value::String(_)
        | Value::Guid(_) => as_text(value).to_string(),
    })
}

fn as_text(value: &Value) -> SmolStr {
    match cast(value, Type::String) {
        Value::String(s) => s,
        _ => SmolStr::default(),
    }
}

/// 1970-01-01 in ticks.
const EPOCH: i128 = 621_355_968_000_000_000;

/// A value of a result in the type of its column.
pub(super) fn value(sql: &Sql, ty: Type) -> Value {
    let long = |n: i128| i64::try_from(n).ok();
    let made = match sql {
        Sql::Null => Value::Null,
        Sql::Bool(b) => Value::Bool(*b),
        Sql::Int(n) => match long(*n) {
            Some(n) => Value::Long(n),
            None => Value::Real(*n as f64),
        },
        Sql::Real(x) => Value::Real(*x),
        Sql::Text(t) => Value::string(t.as_str()),
        Sql::Json(t) if ty == Type::String => Value::string(t.as_str()),
        Sql::Json(t) => parse_json(t).map_or_else(|| Value::string(t.as_str()), Value::dynamic),
        Sql::Timestamp(nanos) => long(nanos.div_euclid(100) + EPOCH).map_or(Value::Null, Value::Datetime),
        Sql::Date(days) => {
            long(i128::from(*days) * 864_000_000_000 + EPOCH).map_or(Value::Null, Value::Datetime)
        }
        Sql::Interval { months, days, micros } => {
            let days = i128::from(*months) * 30 + i128::from(*days);
            long(days * 864_000_000_000 + i128::from(*micros) * 10).map_or(Value::Null, Value::Timespan)
        }
        Sql::List(_) | Sql::Struct(_) | Sql::Map(_) => {
            parse_json(&sql.to_json().to_string()).map_or(Value::Null, Value::dynamic)
        }
        Sql::Decimal { .. } | Sql::Blob(_) => Value::string(sql.to_string()),
    };
    let fits = match &made {
        Value::Null => true,
        Value::Bool(_) => ty == Type::Bool,
        Value::Int(_) => ty == Type::Int,
        Value::Long(_) => ty == Type::Long,
        Value::Real(_) => ty == Type::Real,
        Value::Decimal(_) => ty == Type::Decimal,
        Value::String(_) => ty == Type::String,
        Value::Datetime(_) => ty == Type::Datetime,
        Value::Timespan(_) => ty == Type::Timespan,
        Value::Guid(_) => ty == Type::Guid,
        Value::Dynamic(_) => ty == Type::Dynamic,
    };
    if fits {
        return made;
    }
    match (&made, ty) {
        (Value::String(s), Type::Dynamic) => Value::dynamic(ruleferry_ir::Json::String(s.clone())),
        (other, Type::Dynamic) => Value::dynamic(other.to_json()),
        (other, ty) => cast(other, ty),
    }
}
