//! Texts of known forms: CSV, paths, versions, command lines; XML is in `xml`. And sizes in bytes, as text.

use super::strings::shown_arg;
use super::{Call, Scalar, long, real, text, xml};
use crate::Value;
use crate::fault::Result;
use indexmap::IndexMap;
use ruleferry_ir::Json;
use rust_decimal::Decimal;
use smol_str::SmolStr;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("format_bytes", format_bytes),
    ("parse_command_line", parse_command_line),
    ("parse_csv", parse_csv),
    ("parse_path", parse_path),
    ("parse_version", parse_version),
    ("parse_xml", parse_xml),
];

fn texts(items: Vec<String>) -> Value {
    Value::array(items.into_iter().map(|t| Json::String(t.into())).collect())
}

/// The fields of the first record; quotes are those of RFC 4180.
fn parse_csv(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let text = shown_arg(args, 0);
    let mut fields = vec![String::new()];
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        let Some(field) = fields.last_mut() else { break };
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            ',' if !quoted => fields.push(String::new()),
            '\r' | '\n' if !quoted => break,
            c => field.push(c),
        }
    }
    Ok(texts(fields))
}

/// Windows and Unix paths, with or without a scheme. Parts that it does not have are `""`.
fn parse_path(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    const SEPARATORS: [char; 2] = ['\\', '/'];
    let path = text(args, 0);
    let (scheme, rest) =
        path.split_once("://").filter(|(scheme, _)| super::url::is_scheme(scheme)).unwrap_or(("", path));
    let (directory, name, inside) = match rest.rfind(SEPARATORS) {
        Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default(), true),
        None => ("", rest, false),
    };
    // `\\?\C:\…`, `file:///C:/…`
    let drive = rest.strip_prefix(r"\\?\").or_else(|| rest.strip_prefix(r"\\.\")).unwrap_or(rest);
    let drive = if scheme.is_empty() { drive } else { drive.strip_prefix('/').unwrap_or(drive) };
    let root =
        drive.get(..2).filter(|d| d.ends_with(':') && d.starts_with(|c: char| c.is_ascii_alphabetic()));
    let (filename, stream) = name.split_once(':').unwrap_or((name, ""));
    let extension = filename.rsplit_once('.').map_or("", |(_, e)| e);
    let last = directory.rsplit(|c| SEPARATORS.contains(&c) || c == ':').next().unwrap_or_default();
    let members = [
        ("Scheme", scheme),
        ("RootPath", root.unwrap_or_default()),
        ("DirectoryPath", directory),
        ("DirectoryName", last),
        ("Filename", filename),
        ("Extension", extension),
        ("AlternateDataStreamName", if inside { stream } else { "" }),
    ];
    let bag: IndexMap<SmolStr, Json> =
        members.into_iter().map(|(name, part)| (name.into(), Json::String(part.into()))).collect();
    Ok(Value::dynamic(Json::Object(bag)))
}

/// Kusto: "parse_version()": one to four parts of up to eight digits, eight digits each.
fn parse_version(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let mut parts = text(args, 0).split('.');
    let mut number: i128 = 0;
    for place in 0..4 {
        let part = match parts.next() {
            Some(part) if (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()) => part,
            None if place > 0 => "0",
            Some(_) | None => return Ok(Value::Null),
        };
        number = number * 100_000_000 + part.parse::<i128>().unwrap_or(0);
    }
    let number = Decimal::try_from_i128_with_scale(number, 0).ok().filter(|_| parts.next().is_none());
    Ok(number.map_or(Value::Null, Value::Decimal))
}

/// As Windows' `CommandLineToArgvW` splits it. Of quotes that follow each other every third is one that is kept.
fn parse_command_line(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let line = shown_arg(args, 0);
    let kind = text(args, 1);
    if !kind.eq_ignore_ascii_case("windows") {
        return Err(call.fault(1, format!("`{kind}` is no kind of command line: only `windows` is known")));
    }
    if line.is_empty() {
        return Ok(Value::Null);
    }
    let blank = |c: char| matches!(c, ' ' | '\t');
    // The name of the program ends at its quote or at the first blank, and holds nothing that is escaped.
    let (program, rest) = match line.strip_prefix('"') {
        Some(inner) => inner.split_once('"').unwrap_or((inner, "")),
        None => line.split_at_checked(line.find(blank).unwrap_or(line.len())).unwrap_or_default(),
    };
    let mut found = vec![program.to_owned()];
    let mut chars = rest.chars().peekable();
    // The argument that is being read, and its open quotes: 1 inside of quotes.
    let mut current: Option<String> = None;
    let mut quotes = 0;
    while let Some(c) = chars.next() {
        if blank(c) && quotes == 0 {
            found.extend(current.take());
            continue;
        }
        let argument = current.get_or_insert_default();
        match c {
            '\\' => {
                let mut slashes = 1;
                while chars.next_if_eq(&'\\').is_some() {
                    slashes += 1;
                }
                if chars.peek() != Some(&'"') {
                    argument.extend(std::iter::repeat_n('\\', slashes));
                    continue;
                }
                argument.extend(std::iter::repeat_n('\\', slashes / 2));
                if slashes % 2 == 1 {
                    chars.next();
                    argument.push('"');
                }
            }
            '"' => {
                quotes += 1;
                while chars.next_if_eq(&'"').is_some() {
                    quotes += 1;
                }
                argument.extend(std::iter::repeat_n('"', quotes / 3));
                quotes = if quotes % 3 == 1 { 1 } else { 0 };
            }
            c => argument.push(c),
        }
    }
    found.extend(current);
    Ok(texts(found))
}

/// Null for what is not well-formed, or longer than 1 MB.
fn parse_xml(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    const MAX: usize = 1 << 20;
    let text = shown_arg(args, 0);
    if text.len() > MAX {
        return Ok(Value::Null);
    }
    Ok(xml::parse(&text).map_or(Value::Null, Value::dynamic))
}

/// Kusto: "format_bytes()": in the unit given, or the greatest in which it is 1 or more.
fn format_bytes(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    const UNITS: [&str; 7] = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB"];
    let Some(size) = real(args, 0).filter(|x| x.is_finite()) else { return Ok(Value::EMPTY) };
    let digits = long(args, 1).unwrap_or(0).clamp(0, 15);
    let wanted = text(args, 2);
    let unit = if wanted.is_empty() {
        let mut unit = 0;
        let mut rest = size.abs();
        while rest >= 1024.0 && unit + 1 < UNITS.len() {
            rest /= 1024.0;
            unit += 1;
        }
        unit
    } else {
        let known = UNITS.iter().position(|u| *u == wanted);
        known.ok_or_else(|| call.fault(2, format!("`{wanted}` is no unit of bytes: {}", UNITS.join(", "))))?
    };
    let scale = 10f64.powi(i32::try_from(digits).unwrap_or(0));
    let number = size / 1024f64.powi(i32::try_from(unit).unwrap_or(0));
    let rounded = (number * scale).round() / scale;
    Ok(Value::string(format!("{rounded} {}", UNITS.get(unit).copied().unwrap_or_default())))
}
