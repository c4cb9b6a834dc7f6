//! Points in time on the command line: RFC 3339 to ticks of 100 ns since 0001-01-01.

use ruleferry_ir::TICKS_PER_SECOND;

/// Reads `2026-01-31`, `2026-01-31T10:20:30Z`, with up to seven digits of a second and an offset. No zone is UTC.
pub fn parse_time(text: &str) -> Option<i64> {
    let (date, clock) = match text.split_once(['T', 't', ' ']) {
        Some((d, c)) => (d, c),
        None => (text, "00:00:00"),
    };
    let mut parts = date.split('-');
    let (year, month, day) =
        (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some()
        || !(1..=12).contains(&month)
        || !(1..=days_in(year, month)).contains(&day)
        || year < 1
    {
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
    let days = days_before(year, month) + day - 1;
    let seconds = days * 86_400 + hours * 3600 + minutes * 60 + seconds - offset;
    (seconds >= 0).then_some(seconds * TICKS_PER_SECOND + ticks)
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

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 0001-01-01 to the first of a month.
fn days_before(year: i64, month: i64) -> i64 {
    let y = year - 1;
    let years = y * 365 + y / 4 - y / 100 + y / 400;
    years + (1..month).map(|m| days_in(year, m)).sum::<i64>()
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
