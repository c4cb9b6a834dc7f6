//! Texts of datetimes and timespans → ticks of 100 ns.
//!
//! Read are the forms that Kusto documents: ISO 8601, RFC 822, RFC 850, sortable, and month/day/year; a zone shifts to UTC.

use ruleferry_ir::TICKS_PER_SECOND;

const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
const TICKS_PER_HOUR: i64 = 60 * TICKS_PER_MINUTE;
const TICKS_PER_DAY: i64 = 24 * TICKS_PER_HOUR;
/// 9999-12-31T23:59:59.9999999
const MAX_DATETIME: i64 = 3_155_378_975_999_999_999;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Ticks of one unit, by its spellings.
const UNITS: &[(&[&str], i64)] = &[
    (&["d", "day", "days"], TICKS_PER_DAY),
    (&["h", "hr", "hrs", "hour", "hours"], TICKS_PER_HOUR),
    (&["m", "min", "minute", "minutes"], TICKS_PER_MINUTE),
    (&["s", "sec", "second", "seconds"], TICKS_PER_SECOND),
    (&["ms", "milli", "millis", "millisec", "millisecond", "milliseconds"], TICKS_PER_SECOND / 1000),
    (&["micro", "micros", "microsec", "microsecond", "microseconds"], TICKS_PER_SECOND / 1_000_000),
    (&["tick", "ticks"], 1),
];
/// A tick is a hundred of these.
const NANOS: &[&str] = &["nano", "nanos", "nanosec", "nanosecond", "nanoseconds"];

/// Days since 0001-01-01 in the proleptic Gregorian calendar; `None` for a day that is not in it.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    const LENGTH: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if !(1..=9999).contains(&year) {
        return None;
    }
    let index = usize::try_from(month.checked_sub(1)?).ok()?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = LENGTH.get(index)? + i64::from(leap && month == 2);
    if !(1..=length).contains(&day) {
        return None;
    }
    let past = year - 1;
    let leap_day = i64::from(leap && month > 2);
    Some(past * 365 + past / 4 - past / 100 + past / 400 + BEFORE.get(index)? + leap_day + day - 1)
}

/// Reads one text from its start.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'t str {
        let length = self.rest.bytes().take_while(|b| keep(*b)).count();
        // Only ASCII is kept, so the length is a boundary.
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or(("", self.rest));
        self.rest = rest;
        taken
    }

    fn digits(&mut self) -> &'t str {
        self.take_while(|b| b.is_ascii_digit())
    }

    fn number(&mut self, longest: usize) -> Option<i64> {
        let text = self.digits();
        if text.is_empty() || text.len() > longest { None } else { text.parse().ok() }
    }

    fn word(&mut self) -> &'t str {
        self.take_while(|b| b.is_ascii_alphabetic())
    }
}

/// A datetime in ticks since 0001-01-01, or `None` for a text that is none.
pub fn parse_datetime(text: &str) -> Option<i64> {
    match text.trim() {
        "min" => return Some(0),
        "max" => return Some(MAX_DATETIME),
        _ => {}
    }
    let mut r = Reader { rest: text.trim() };
    let day = date(&mut r)?;
    let mut ticks = day * TICKS_PER_DAY;
    let separated = r.eat('T') || r.eat('t') || {
        let before = r.rest.len();
        r.skip_blanks();
        r.rest.len() != before
    };
    if separated && r.rest.starts_with(|c: char| c.is_ascii_digit()) {
        ticks += time_of_day(&mut r)?;
    }
    r.skip_blanks();
    ticks -= zone(&mut r)?;
    (r.rest.is_empty() && (0..=MAX_DATETIME).contains(&ticks)).then_some(ticks)
}

/// Days since 0001-01-01.
fn date(r: &mut Reader<'_>) -> Option<i64> {
    let weekday = r.word();
    if !weekday.is_empty() {
        let known = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
        let lower = weekday.to_ascii_lowercase();
        if !known.iter().any(|k| lower.starts_with(k)) || !r.eat(',') {
            return None;
        }
        r.skip_blanks();
    }
    let first_text = r.digits();
    let first: i64 = first_text.parse().ok()?;
    if first_text.len() == 8 {
        return days(first / 10_000, first / 100 % 100, first % 100);
    }
    let dashed = r.eat('-');
    if !dashed && !r.rest.starts_with([' ', '/']) {
        return None;
    }
    if first_text.len() == 4 {
        let slashed = !dashed && r.eat('/');
        if !dashed && !slashed {
            return None;
        }
        let month = r.number(2)?;
        let more = if dashed { r.eat('-') } else { r.eat('/') };
        let day = if more { r.number(2)? } else { 1 };
        return days(first, month, day);
    }
    if !dashed && r.eat('/') {
        let day = r.number(2)?;
        let year = if r.eat('/') { r.number(4)? } else { return None };
        return days(year, first, day);
    }
    r.skip_blanks();
    // `08 Nov 2014`, `08-Nov-14`
    let name = r.word().to_ascii_lowercase();
    let month =
        MONTHS.iter().position(|m| name.get(..3) == Some(*m)).and_then(|m| i64::try_from(m + 1).ok())?;
    if dashed && !r.eat('-') {
        return None;
    }
    r.skip_blanks();
    let year_text = r.digits();
    let year: i64 = year_text.parse().ok()?;
    match year_text.len() {
        // Two digits mean 1950 to 2049.
        2 => days(if year < 50 { 2000 + year } else { 1900 + year }, month, first),
        4 => days(year, month, first),
        _ => None,
    }
}

/// `H:M[:S[.f]] [AM|PM]` in ticks.
fn time_of_day(r: &mut Reader<'_>) -> Option<i64> {
    let mut hour = r.number(2)?;
    if !r.eat(':') {
        return None;
    }
    let minute = r.number(2)?;
    let mut second = 0;
    let mut fraction = 0;
    if r.eat(':') {
        second = r.number(2)?;
        if r.eat('.') || r.eat(',') {
            fraction = fraction_ticks(r.digits())?;
        }
    }
    let after = Reader { rest: r.rest.trim_start() }.word().to_ascii_lowercase();
    if matches!(after.as_str(), "am" | "pm") {
        if !(1..=12).contains(&hour) {
            return None;
        }
        r.skip_blanks();
        r.word();
        hour = hour % 12 + if after == "pm" { 12 } else { 0 };
    }
    let in_range = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    in_range.then(|| hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + second * TICKS_PER_SECOND + fraction)
}

/// The digits after the point; those below a tick are cut.
fn fraction_ticks(digits: &str) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    let padded: String = digits.chars().chain(std::iter::repeat('0')).take(7).collect();
    padded.parse().ok()
}

/// The offset from UTC in ticks: none, `Z`, `GMT`, `UTC`, `+01:00`, `-0130`.
fn zone(r: &mut Reader<'_>) -> Option<i64> {
    let name = r.word().to_ascii_lowercase();
    if !matches!(name.as_str(), "" | "z" | "gmt" | "utc") {
        return None;
    }
    let sign = if r.eat('+') {
        1
    } else if r.eat('-') {
        -1
    } else {
        return Some(0);
    };
    let text = r.digits();
    let (hour, minute) = match text.len() {
        1 | 2 => {
            let hour: i64 = text.parse().ok()?;
            (hour, if r.eat(':') { r.number(2)? } else { 0 })
        }
        4 => {
            let n: i64 = text.parse().ok()?;
            (n / 100, n % 100)
        }
        _ => return None,
    };
    (hour <= 14 && minute < 60).then(|| sign * (hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE))
}

/// A timespan in ticks: `1.5h`, `3d`, `12:30`, `1.02:03:04.5`, a bare number of days.
pub fn parse_timespan(text: &str) -> Option<i64> {
    let text = text.trim();
    match text {
        "min" => return Some(i64::MIN),
        "max" => return Some(i64::MAX),
        _ => {}
    }
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let ticks = if unsigned.contains(':') { clock(unsigned)? } else { quantity(unsigned)? };
    Some(if negative { -ticks } else { ticks })
}

/// `[d.]h:m[:s[.f]]`
fn clock(text: &str) -> Option<i64> {
    let mut r = Reader { rest: text };
    let first = r.number(8)?;
    let (days, hours) = if r.eat('.') { (first, r.number(2)?) } else { (0, first) };
    if !r.eat(':') {
        return None;
    }
    let minutes = r.number(2)?;
    let mut seconds = 0;
    let mut fraction = 0;
    if r.eat(':') {
        seconds = r.number(2)?;
        if r.eat('.') {
            fraction = fraction_ticks(r.digits())?;
        }
    }
    let in_range = hours < 24 && minutes < 60 && seconds < 60 && r.rest.is_empty();
    let rest = hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE + seconds * TICKS_PER_SECOND + fraction;
    if in_range { days.checked_mul(TICKS_PER_DAY)?.checked_add(rest) } else { None }
}

/// `1.5h`; without a unit, days.
fn quantity(text: &str) -> Option<i64> {
    let mut r = Reader { rest: text };
    let whole = r.digits();
    let fraction = if r.eat('.') { r.digits() } else { "" };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let unit = r.rest.trim().to_ascii_lowercase();
    let number = || if whole.is_empty() { Some(0_i128) } else { whole.parse::<i128>().ok() };
    let per_unit = match unit.as_str() {
        "" => Some(TICKS_PER_DAY),
        name => UNITS.iter().find(|(names, _)| names.contains(&name)).map(|(_, ticks)| *ticks),
    };
    let (scale, divisor) = match per_unit {
        Some(ticks) => (i128::from(ticks), 1),
        None if NANOS.contains(&unit.as_str()) => (1, 100),
        None => return None,
    };
    // Digits far below a tick do not matter.
    let fraction: String = fraction.chars().take(18).collect();
    let denominator = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let numerator = if fraction.is_empty() { 0 } else { fraction.parse::<i128>().ok()? };
    let ticks = number()?.checked_mul(scale)?.checked_add(numerator * scale / denominator)? / divisor;
    i64::try_from(ticks).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(y: i64, mo: i64, d: i64, h: i64, mi: i64, s: i64) -> i64 {
        days(y, mo, d).unwrap() * TICKS_PER_DAY
            + h * TICKS_PER_HOUR
            + mi * TICKS_PER_MINUTE
            + s * TICKS_PER_SECOND
    }

    #[test]
    fn the_unix_epoch_is_where_it_should_be() {
        assert_eq!(at(1970, 1, 1, 0, 0, 0), 621_355_968_000_000_000);
        assert_eq!(at(1, 1, 1, 0, 0, 0), 0);
        assert_eq!(parse_datetime("9999-12-31T23:59:59.9999999Z"), Some(MAX_DATETIME));
    }

    #[test]
    fn documented_forms_of_datetimes_are_read() {
        let noon = at(2014, 11, 8, 12, 5, 9);
        let cases = [
            ("2014-11-08T12:05:09Z", noon),
            ("2014-11-08 12:05:09", noon),
            ("2014-11-08 12:05", at(2014, 11, 8, 12, 5, 0)),
            ("2014-11-08T12:05", at(2014, 11, 8, 12, 5, 0)),
            ("2014-11-08", at(2014, 11, 8, 0, 0, 0)),
            ("2014-11", at(2014, 11, 1, 0, 0, 0)),
            ("2014-1-8", at(2014, 1, 8, 0, 0, 0)),
            ("2014/11/08", at(2014, 11, 8, 0, 0, 0)),
            ("20141108", at(2014, 11, 8, 0, 0, 0)),
            ("11/8/2014 12:05:09 PM", noon),
            ("11/08/2014 12:05:09", noon),
            ("11/08/2014 12:00 AM", at(2014, 11, 8, 0, 0, 0)),
            ("Sat, 8 Nov 14 12:05:09 GMT", noon),
            ("8 Nov 2014 12:05:09", noon),
            ("Saturday, 08-Nov-14 12:05:09 UTC", noon),
            ("2014-11-08T14:05:09+02:00", noon),
            ("2014-11-08T10:35:09-0130", noon),
            ("2014-11-08T12:05:09.1234567Z", noon + 1_234_567),
            ("2014-11-08T12:05:09.12345678901", noon + 1_234_567),
            ("2024-02-29", at(2024, 2, 29, 0, 0, 0)),
        ];
        for (text, ticks) in cases {
            assert_eq!(parse_datetime(text), Some(ticks), "{text}");
        }
        for text in [
            "",
            "x",
            "2023-02-29",
            "2014-13-01",
            "2014-11-08T25:00",
            "2014-11-08Q",
            "11-08-2014",
            "0000-01-01",
            "é",
        ] {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
    }

    #[test]
    fn timespans_are_ticks() {
        let cases = [
            ("1d", TICKS_PER_DAY),
            ("1.5h", 90 * TICKS_PER_MINUTE),
            ("10m", 10 * TICKS_PER_MINUTE),
            ("3sec", 3 * TICKS_PER_SECOND),
            ("2ms", 20_000),
            ("1microsecond", 10),
            ("250nanos", 2),
            ("7ticks", 7),
            (
                "1.02:03:04.5",
                TICKS_PER_DAY + 2 * TICKS_PER_HOUR + 3 * TICKS_PER_MINUTE + 45 * TICKS_PER_SECOND / 10,
            ),
            ("12:30", 12 * TICKS_PER_HOUR + 30 * TICKS_PER_MINUTE),
            ("-1d", -TICKS_PER_DAY),
            ("2", 2 * TICKS_PER_DAY),
            ("0.1s", TICKS_PER_SECOND / 10),
        ];
        for (text, ticks) in cases {
            assert_eq!(parse_timespan(text), Some(ticks), "{text}");
        }
        for text in ["", "1q", "h", "25:00", "1:61", "99999999999d", "é"] {
            assert_eq!(parse_timespan(text), None, "{text}");
        }
    }
}
