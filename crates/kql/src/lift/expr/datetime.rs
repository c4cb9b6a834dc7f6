//! Texts of datetimes and timespans → ticks of 100 ns: the forms of [`ruleferry_ir::time`], and the words for the ends of the range.

use ruleferry_ir::time::{self, MAX_DATETIME};

/// A datetime in ticks since 0001-01-01, or `None` for a text that is none.
pub fn parse_datetime(text: &str) -> Option<i64> {
    match text.trim() {
        "min" => Some(0),
        "max" => Some(MAX_DATETIME),
        text => compact(text).or_else(|| time::parse_datetime(text)),
    }
}

/// A timespan in ticks: `1.5h`, `3d`, `12:30`, `1.02:03:04.5`, a bare number of days.
pub fn parse_timespan(text: &str) -> Option<i64> {
    match text.trim() {
        "min" => Some(i64::MIN),
        "max" => Some(i64::MAX),
        text => time::parse_timespan(text),
    }
}

/// `20141108`, which a literal may be.
fn compact(text: &str) -> Option<i64> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: i64 = text.parse().ok()?;
    Some(time::days_from_civil(n / 10_000, n / 100 % 100, n % 100)? * time::TICKS_PER_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_have_forms_of_their_own() {
        assert_eq!(parse_datetime("20141108"), parse_datetime("2014-11-08"));
        assert!(parse_datetime("20141108").is_some());
        assert_eq!(parse_datetime("20141308"), None);
        assert_eq!(parse_datetime("max"), Some(MAX_DATETIME));
        assert_eq!(parse_timespan("min"), Some(i64::MIN));
        assert_eq!(parse_timespan("1.5h"), Some(90 * time::TICKS_PER_MINUTE));
    }
}
