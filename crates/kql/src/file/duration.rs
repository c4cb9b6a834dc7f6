//! Durations of rule metadata: Kusto's timespans (`14d`, `1.02:03:04`) and ISO 8601 (`PT5H`, `P1D`); in ticks.

use ruleferry_ir::TICKS_PER_SECOND;
use std::fmt::Write as _;

const MINUTE: i64 = 60 * TICKS_PER_SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Reads either form; months and years are counted as 30 and 365 days.
pub fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(iso) = text.strip_prefix(['P', 'p']) {
        return parse_iso(iso);
    }
    if text.contains(':') {
        return parse_clock(text);
    }
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at_checked(split)?;
    let unit = match unit.trim() {
        "d" | "day" | "days" => DAY,
        "h" | "hr" | "hrs" | "hour" | "hours" => HOUR,
        "m" | "min" | "minute" | "minutes" => MINUTE,
        "s" | "sec" | "second" | "seconds" => TICKS_PER_SECOND,
        "w" | "week" | "weeks" => 7 * DAY,
        _ => return None,
    };
    scaled(number, unit)
}

/// `number` of `unit`, rounded to ticks.
fn scaled(number: &str, unit: i64) -> Option<i64> {
    if let Ok(whole) = number.parse::<i64>() {
        return whole.checked_mul(unit);
    }
    let value = number.parse::<f64>().ok()? * unit as f64;
    (value.is_finite() && value.abs() < i64::MAX as f64).then_some(value.round() as i64)
}

fn parse_iso(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut number = String::new();
    let mut time = false;
    for c in text.chars() {
        match c.to_ascii_uppercase() {
            'T' => time = true,
            '0'..='9' | '.' => number.push(c),
            unit => {
                let unit = match (unit, time) {
                    ('Y', false) => 365 * DAY,
                    ('M', false) => 30 * DAY,
                    ('W', false) => 7 * DAY,
                    ('D', false) => DAY,
                    ('H', true) => HOUR,
                    ('M', true) => MINUTE,
                    ('S', true) => TICKS_PER_SECOND,
                    _ => return None,
                };
                total = total.checked_add(scaled(&number, unit)?)?;
                number.clear();
            }
        }
    }
    number.is_empty().then_some(total)
}

/// `[d.]hh:mm[:ss]`
fn parse_clock(text: &str) -> Option<i64> {
    let (days, clock) = match text.split_once('.') {
        Some((d, rest)) if !d.contains(':') => (d.parse::<i64>().ok()?, rest),
        _ => (0, text),
    };
    let mut parts = clock.split(':');
    let hours = parts.next()?.parse::<i64>().ok()?;
    let minutes = parts.next()?.parse::<i64>().ok()?;
    let seconds = parts.next().map_or(Some(0), |s| scaled(s, TICKS_PER_SECOND))?;
    days.checked_mul(DAY)?
        .checked_add(hours.checked_mul(HOUR)?)?
        .checked_add(minutes.checked_mul(MINUTE)?)?
        .checked_add(seconds)
}

/// `14d`, `90m`: the largest unit that needs no fraction.
pub fn duration_text(ticks: i64) -> String {
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (TICKS_PER_SECOND, "s")];
    match units.iter().find(|(size, _)| ticks % size == 0) {
        Some((size, unit)) => format!("{}{unit}", ticks / size),
        None => format!("{ticks}tick"),
    }
}

/// `P14D`, `PT5H30M`.
pub fn iso_duration(ticks: i64) -> String {
    let mut out = String::from("P");
    let (days, rest) = (ticks / DAY, ticks % DAY);
    if days > 0 {
        let _ = write!(out, "{days}D");
    }
    if rest > 0 || days == 0 {
        out.push('T');
        let (h, m, s) = (rest / HOUR, rest % HOUR / MINUTE, rest % MINUTE / TICKS_PER_SECOND);
        for (n, unit) in [(h, 'H'), (m, 'M')] {
            if n > 0 {
                let _ = write!(out, "{n}{unit}");
            }
        }
        if s > 0 || rest == 0 {
            let _ = write!(out, "{s}S");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        for (text, ticks) in [
            ("14d", 14 * DAY),
            ("1.5h", 90 * MINUTE),
            ("PT5H", 5 * HOUR),
            ("P1DT2H", 26 * HOUR),
            ("1.02:00:00", 26 * HOUR),
            ("PT30M", 30 * MINUTE),
            ("P2W", 14 * DAY),
        ] {
            assert_eq!(parse_duration(text), Some(ticks), "{text}");
        }
        for text in ["", "d", "P1", "5 parsecs", "PT1D", "999999999999999d"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn forms_are_written() {
        assert_eq!((duration_text(26 * HOUR), iso_duration(26 * HOUR)), ("26h".into(), "P1DT2H".into()));
        assert_eq!((duration_text(0), iso_duration(0)), ("0d".into(), "PT0S".into()));
    }
}
