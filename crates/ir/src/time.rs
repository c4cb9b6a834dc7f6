//! Points in time and spans in ticks of 100 ns: the calendar, and texts as Kusto reads and writes them.
//!
//! A datetime counts from 0001-01-01T00:00:00Z in the proleptic Gregorian calendar, which every year to 9999 follows.

mod parse;

pub use parse::{parse_datetime, parse_timespan};

use crate::TICKS_PER_SECOND;
use smol_str::{SmolStr, format_smolstr};

pub const TICKS_PER_MICROSECOND: i64 = TICKS_PER_SECOND / 1_000_000;
pub const TICKS_PER_MILLISECOND: i64 = TICKS_PER_SECOND / 1000;
pub const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
pub const TICKS_PER_HOUR: i64 = 60 * TICKS_PER_MINUTE;
pub const TICKS_PER_DAY: i64 = 24 * TICKS_PER_HOUR;
/// 9999-12-31T23:59:59.9999999Z
pub const MAX_DATETIME: i64 = 3_155_378_975_999_999_999;
/// 1970-01-01T00:00:00Z
pub const UNIX_EPOCH: i64 = 719_162 * TICKS_PER_DAY;

pub const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month, 1 to 12.
pub const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month and day of a day counted from 0001-01-01.
pub fn civil(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, so that the leap day ends a year.
    let days = days + 306;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days from 0001-01-01 to a day; `None` for a day that is not in the calendar.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=days_in_month(year, month)).contains(&day)
    {
        return None;
    }
    // As in `civil`: years from March to February.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    Some(y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 306)
}

/// Hours, minutes, seconds and ticks of a span that is not negative; hours may be 24 and more.
pub const fn clock(ticks: i64) -> (i64, i64, i64, i64) {
    let seconds = ticks / TICKS_PER_SECOND;
    (seconds / 3600, seconds / 60 % 60, seconds % 60, ticks % TICKS_PER_SECOND)
}

/// `2021-03-04T05:06:07.5000000Z`
pub fn datetime_text(ticks: i64) -> SmolStr {
    let (year, month, day) = civil(ticks.div_euclid(TICKS_PER_DAY));
    let (h, m, s, rest) = clock(ticks.rem_euclid(TICKS_PER_DAY));
    format_smolstr!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{rest:07}Z")
}

/// `[-][d.]hh:mm:ss[.fffffff]`
pub fn timespan_text(ticks: i64) -> SmolStr {
    let sign = if ticks < 0 { "-" } else { "" };
    let size = i128::from(ticks).abs();
    let days = size / i128::from(TICKS_PER_DAY);
    let (h, m, s, rest) = clock(i64::try_from(size % i128::from(TICKS_PER_DAY)).unwrap_or(0));
    let days = if days == 0 { SmolStr::default() } else { format_smolstr!("{days}.") };
    if rest == 0 {
        format_smolstr!("{sign}{days}{h:02}:{m:02}:{s:02}")
    } else {
        format_smolstr!("{sign}{days}{h:02}:{m:02}:{s:02}.{rest:07}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_there_and_back() {
        assert_eq!(days_from_civil(1, 1, 1), Some(0));
        assert_eq!(days_from_civil(1970, 1, 1), Some(719_162));
        assert_eq!(days_from_civil(9999, 12, 31).map(|d| (d + 1) * TICKS_PER_DAY - 1), Some(MAX_DATETIME));
        for days in (0..3_652_059).step_by(13) {
            let (y, m, d) = civil(days);
            assert_eq!(days_from_civil(y, m, d), Some(days), "{y}-{m}-{d}");
        }
        for (y, m, d) in
            [(2023, 2, 29), (2100, 2, 29), (2021, 4, 31), (2021, 13, 1), (0, 1, 1), (10_000, 1, 1)]
        {
            assert_eq!(days_from_civil(y, m, d), None, "{y}-{m}-{d}");
        }
    }

    #[test]
    fn texts_have_kustos_form() {
        assert_eq!(datetime_text(0), "0001-01-01T00:00:00.0000000Z");
        assert_eq!(datetime_text(MAX_DATETIME), "9999-12-31T23:59:59.9999999Z");
        assert_eq!(datetime_text(UNIX_EPOCH + 5), "1970-01-01T00:00:00.0000005Z");
        assert_eq!(timespan_text(0), "00:00:00");
        assert_eq!(timespan_text(-1), "-00:00:00.0000001");
        assert_eq!(timespan_text(TICKS_PER_DAY + TICKS_PER_HOUR), "1.01:00:00");
        assert_eq!(timespan_text(i64::MIN), "-10675199.02:48:05.4775808");
    }
}
