//! Values out of text: the forms in which case files, JSON and SQL write times and numbers. Independent of the evaluator's own
//! readers, which are what is tested.

use ruleferry_ir::Json;
use smol_str::SmolStr;

pub const TICKS_A_DAY: i64 = 864_000_000_000;
/// Ticks from year 1 to 1970.
pub const UNIX_EPOCH: i64 = 621_355_968_000_000_000;

/// Days from 0001-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years start in March, so that the leap day is the last.
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let of_years = y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    of_years + (m * 306 + 5) / 10 + day - 1 - 306
}

/// `YYYY-MM-DD[T ]HH:MM[:SS[.fffffff]][Z]`, in ticks since year 1.
pub fn datetime(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let mut parts = date.split('-');
    let mut part = |width: usize| {
        let p = parts.next()?;
        (p.len() == width && p.bytes().all(|b| b.is_ascii_digit())).then(|| p.parse::<i64>().ok())?
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some(days(year, month, day) * TICKS_A_DAY + clock(time)?)
}

/// `HH:MM[:SS[.fffffff]]`
fn clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let mut whole = || parts.next()?.parse::<i64>().ok();
    let (hours, minutes) = (whole()?, whole()?);
    let seconds = parts.next().unwrap_or("0");
    if parts.next().is_some() {
        return None;
    }
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: String = fraction.chars().chain("0000000".chars()).take(7).collect();
    let seconds: i64 = seconds.parse().ok()?;
    Some((hours * 3600 + minutes * 60 + seconds) * 10_000_000 + fraction.parse::<i64>().ok()?)
}

/// `[-][d.]HH:MM:SS[.fffffff]`, in ticks.
pub fn timespan(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |t| (true, t));
    let colon = text.find(':')?;
    let (days, rest) = match text[..colon].split_once('.') {
        Some((d, h)) => (d.parse::<i64>().ok()?, format!("{h}{}", &text[colon..])),
        None => (0, text.to_owned()),
    };
    let ticks = days.checked_mul(TICKS_A_DAY)?.checked_add(clock(&rest)?)?;
    Some(if negative { -ticks } else { ticks })
}

pub fn guid(text: &str) -> Option<u128> {
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    (hex.len() == 32).then(|| u128::from_str_radix(&hex, 16).ok())?
}

/// JSON of a case file or of a SQL result as the IR has it.
pub fn json(value: &serde_json::Value) -> Json {
    match value {
        serde_json::Value::Null => Json::Null,
        serde_json::Value::Bool(b) => Json::Bool(*b),
        serde_json::Value::Number(n) => match n.as_i64() {
            Some(n) => Json::Long(n),
            None => Json::Real(n.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(s) => Json::String(s.into()),
        serde_json::Value::Array(items) => Json::Array(items.iter().map(json).collect()),
        serde_json::Value::Object(map) => {
            Json::Object(map.iter().map(|(k, v)| (SmolStr::new(k), json(v))).collect())
        }
    }
}

/// The text of a JSON value; times as texts.
pub fn json_text(value: &Json) -> String {
    serde(value).to_string()
}

fn serde(value: &Json) -> serde_json::Value {
    match value {
        Json::Null => serde_json::Value::Null,
        Json::Bool(b) => (*b).into(),
        Json::Long(n) => (*n).into(),
        Json::Real(x) => (*x).into(),
        Json::String(s) => s.as_str().into(),
        Json::Datetime(t) => crate::conformance::moment(*t).into(),
        Json::Timespan(t) => (*t as f64 / 1e7).into(),
        Json::Array(items) => items.iter().map(serde).collect(),
        Json::Object(map) => {
            serde_json::Value::Object(map.iter().map(|(k, v)| (k.to_string(), serde(v))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read() {
        assert_eq!(datetime("0001-01-01T00:00:00.0000000Z"), Some(0));
        assert_eq!(datetime("1970-01-01"), Some(UNIX_EPOCH));
        assert_eq!(datetime("2026-01-15T12:00:00.5Z"), Some(639_040_752_005_000_000));
        assert_eq!(datetime("2026-1-15"), None);
        assert_eq!(timespan("-1.00:00:00.0000001"), Some(-TICKS_A_DAY - 1));
        assert_eq!(timespan("01:00:00"), Some(36_000_000_000));
    }
}
