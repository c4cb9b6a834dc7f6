//! Lengths of time as Sigma writes them: `30s`, `15m`, `12h`, `7d`; in ticks.

use ruleferry_ir::TICKS_PER_SECOND;

/// Units in seconds, the largest first.
const UNITS: [(char, i64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// One or more numbers with their units: `7d`, `1h30m`.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut number: Option<i64> = None;
    for c in text.trim().chars() {
        if let Some(digit) = c.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(i64::from(digit))?);
        } else {
            let (_, seconds) = UNITS.iter().find(|(unit, _)| *unit == c.to_ascii_lowercase())?;
            total =
                total.checked_add(number.take()?.checked_mul(*seconds)?.checked_mul(TICKS_PER_SECOND)?)?;
        }
    }
    (number.is_none() && total > 0).then_some(total)
}

/// The `timespan` of a correlation: as [`parse`], with `M` for months and `y` for years. Those are no fixed length: the longest
/// is taken, so that no window is cut short.
pub(crate) fn parse_timespan(text: &str) -> Option<i64> {
    let long = [("M", 31), ("y", 366)].into_iter().find_map(|(unit, days)| {
        let count: i64 = text.trim().strip_suffix(unit)?.parse().ok()?;
        (count > 0).then(|| count.checked_mul(days * 86_400 * TICKS_PER_SECOND))?
    });
    long.or_else(|| parse(text))
}

/// The shortest form, without weeks; `None` for a length that is no whole number of seconds.
pub(crate) fn format(ticks: i64) -> Option<String> {
    if ticks <= 0 || ticks % TICKS_PER_SECOND != 0 {
        return None;
    }
    let seconds = ticks / TICKS_PER_SECOND;
    let (unit, size) = UNITS.into_iter().skip(1).find(|(_, size)| seconds % size == 0)?;
    Some(format!("{}{unit}", seconds / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (text, seconds, again) in
            [("7d", 604_800, "7d"), ("1h30m", 5400, "90m"), ("2w", 1_209_600, "14d")]
        {
            let ticks = seconds * TICKS_PER_SECOND;
            assert_eq!(parse(text), Some(ticks));
            assert_eq!(format(ticks).as_deref(), Some(again));
        }
        for fault in ["", "d", "7", "7 d", "99999999999999d", "0s"] {
            assert_eq!(parse(fault), None, "{fault}");
        }
    }
}
