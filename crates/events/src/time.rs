//! Points in time on the command line: RFC 3339 to ticks of 100 ns since 0001-01-01.

use ruleferry_ir::TICKS_PER_SECOND;
use ruleferry_ir::time::{MAX_DATETIME, TICKS_PER_DAY, days_from_civil};

/// Reads `2026-01-31`, `2026-01-31T10:20:30Z`, with up to seven digits of a second and an offset. No zone is UTC.
pub fn parse_time(text: &str) -> Option<i64> {
    let (date, clock) = match text.split_once(['T', 't', ' ']) {
        Some((d, c)) => (d, c),
        None => (text, "00:00:00"),
    };
    let mut parts = date.split('-');
    let (year, month, day) =
        (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let days = days_from_civil(year, month, day)?;
    if parts.next().is_some() {
        return None;
    }
    let (clock, offset) = zone(clock)?;
    let (clock, fraction) = clock.split_once('.').map_or((clock, ""), |(c, f)| (c, f));
    let mut parts = clock.split(':');
    let (hours, minutes) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let seconds = parts.next().map_or(Some(0), |s| number(s, 2))?;
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 59 || fraction.len() > 9 {
        return None;
    }
    let digits = format!("{:0<7}", fraction.get(..fraction.len().min(7))?);
    let ticks = number(&digits, 7)?;
    let seconds = hours * 3600 + minutes * 60 + seconds - offset;
    let ticks = days * TICKS_PER_DAY + seconds * TICKS_PER_SECOND + ticks;
    (0..=MAX_DATETIME).contains(&ticks).then_some(ticks)
}

fn number(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// The clock without its zone, and the zone's offset in seconds.
fn zone(clock: &str) -> Option<(&str, i64)> {
    if let Some(clock) = clock.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = clock.rfind(['+', '-']) else { return Some((clock, 0)) };
    let (clock, offset) = clock.split_at_checked(at)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let seconds = number(hours, 2)? * 3600 + number(minutes, 2)? * 60;
    Some((clock, if offset.starts_with('-') { -seconds } else { seconds }))
}

#[cfg(test)]
mod tests {
    use super::parse_time;

    #[test]
    fn times_are_read() {
        assert_eq!(parse_time("0001-01-01"), Some(0));
        assert_eq!(parse_time("1970-01-01T00:00:00Z"), Some(621_355_968_000_000_000));
        assert_eq!(parse_time("1970-01-01T02:00:00.1234567+02:00"), Some(621_355_968_001_234_567));
        for bad in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-01-01T25:00:00Z",
            "2026-01-01T00:00:00+2",
            "nowish",
        ] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }
}
