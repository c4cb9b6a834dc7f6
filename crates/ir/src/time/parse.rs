//! Texts of datetimes and timespans → ticks.
//!
//! Read are the forms that Kusto documents ("The datetime data type: supported formats", "The timespan data type"): ISO 8601,
//! RFC 822, RFC 850, sortable, and month/day/year; a zone shifts to UTC. A text of another form is no time: nothing is guessed.

use super::{
    MAX_DATETIME, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND,
    TICKS_PER_MINUTE, days_from_civil,
};
use crate::TICKS_PER_SECOND;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Ticks of one unit, by its spellings.
const UNITS: &[(&[&str], i64)] = &[
    (&["d", "day", "days"], TICKS_PER_DAY),
    (&["h", "hr", "hrs", "hour", "hours"], TICKS_PER_HOUR),
    (&["m", "min", "minute", "minutes"], TICKS_PER_MINUTE),
    (&["s", "sec", "second", "seconds"], TICKS_PER_SECOND),
    (&["ms", "milli", "millis", "millisec", "millisecond", "milliseconds"], TICKS_PER_MILLISECOND),
    (&["micro", "micros", "microsec", "microsecond", "microseconds"], TICKS_PER_MICROSECOND),
    (&["tick", "ticks"], 1),
];
/// A tick is a hundred of these.
const NANOS: &[&str] = &["nano", "nanos", "nanosec", "nanosecond", "nanoseconds"];

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
    let mut r = Reader { rest: text.trim() };
    let mut ticks = date(&mut r)? * TICKS_PER_DAY;
    if r.eat('T') || r.eat('t') {
        ticks += time_of_day(&mut r)?;
    } else if r.rest.starts_with(|c: char| c.is_ascii_whitespace()) {
        r.skip_blanks();
        if r.rest.starts_with(|c: char| c.is_ascii_digit()) {
            ticks += time_of_day(&mut r)?;
        }
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
    let text = r.digits();
    let first: i64 = text.parse().ok()?;
    match text.len() {
        // `2014`, `2014-11`, `2014-11-08`, `2014/11/08`, `2014, 11, 8`
        4 => {
            let separator = if r.eat('-') {
                '-'
            } else if r.eat('/') {
                '/'
            } else if r.eat(',') {
                ','
            } else {
                return if r.rest.is_empty() { days_from_civil(first, 1, 1) } else { None };
            };
            let number = |r: &mut Reader<'_>| {
                if separator == ',' {
                    r.skip_blanks();
                }
                r.number(2)
            };
            let month = number(r)?;
            let day = if r.eat(separator) { number(r)? } else { 1 };
            days_from_civil(first, month, day)
        }
        1 | 2 if r.eat('/') => of_the_year(r, first, '/'),
        1 | 2 if r.eat('-') => {
            if r.rest.starts_with(|c: char| c.is_ascii_digit()) {
                return of_the_year(r, first, '-');
            }
            let month = month(r)?;
            if r.eat('-') { short_year(r, month, first) } else { None }
        }
        1 | 2 => {
            r.skip_blanks();
            let month = month(r)?;
            r.skip_blanks();
            short_year(r, month, first)
        }
        _ => None,
    }
}

/// `11/08/2014` after its first number: the month, unless only the day can be that large.
fn of_the_year(r: &mut Reader<'_>, first: i64, separator: char) -> Option<i64> {
    let second = r.number(2)?;
    let year = if r.eat(separator) { r.digits() } else { return None };
    let year = if year.len() == 4 { year.parse().ok()? } else { return None };
    if first > 12 { days_from_civil(year, second, first) } else { days_from_civil(year, first, second) }
}

/// The name of a month: the first three letters count.
fn month(r: &mut Reader<'_>) -> Option<i64> {
    let name = r.word().to_ascii_lowercase();
    let index = MONTHS.iter().position(|m| name.get(..3) == Some(*m))?;
    i64::try_from(index + 1).ok()
}

/// The year of `8 Nov 14`: two digits mean 1950 to 2049.
fn short_year(r: &mut Reader<'_>, month: i64, day: i64) -> Option<i64> {
    let text = r.digits();
    let year: i64 = text.parse().ok()?;
    match text.len() {
        2 => days_from_civil(if year < 50 { 2000 + year } else { 1900 + year }, month, day),
        4 => days_from_civil(year, month, day),
        _ => None,
    }
}

/// `H[:M[:S[.f]]] [AM|PM]` in ticks.
fn time_of_day(r: &mut Reader<'_>) -> Option<i64> {
    let mut hour = r.number(2)?;
    let minute = if r.eat(':') { r.number(2)? } else { 0 };
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
    // `Z` is an offset by itself: nothing is added to it.
    if name == "z" {
        return Some(0);
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
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let ticks = if unsigned.contains(':') { clock(unsigned)? } else { quantity(unsigned)? };
    // The range has one more on its negative side.
    i64::try_from(if negative { -ticks } else { ticks }).ok()
}

/// `[d.]h:m[:s[.f]]`
fn clock(text: &str) -> Option<i128> {
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
    in_range.then(|| i128::from(days) * i128::from(TICKS_PER_DAY) + i128::from(rest))
}

/// `1.5h`; without a unit, days.
fn quantity(text: &str) -> Option<i128> {
    let mut r = Reader { rest: text };
    let whole = r.digits();
    let fraction = if r.eat('.') { r.digits() } else { "" };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let unit = r.rest.trim().to_ascii_lowercase();
    let (scale, divisor) = match unit.as_str() {
        "" => (TICKS_PER_DAY, 1),
        name if NANOS.contains(&name) => (1, 100),
        name => (UNITS.iter().find(|(names, _)| names.contains(&name))?.1, 1),
    };
    // Digits far below a tick do not matter.
    let fraction: String = fraction.chars().take(18).collect();
    let denominator = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let numerator: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let scale = i128::from(scale);
    Some(whole.checked_mul(scale)?.checked_add(numerator * scale / denominator)? / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(y: i64, mo: i64, d: i64, h: i64, mi: i64, s: i64) -> i64 {
        days_from_civil(y, mo, d).unwrap_or(0) * TICKS_PER_DAY
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
            ("2014-11-08T12", at(2014, 11, 8, 12, 0, 0)),
            ("2014", at(2014, 1, 1, 0, 0, 0)),
            ("11-08-2014", at(2014, 11, 8, 0, 0, 0)),
            ("13/08/2014 12:05:09", at(2014, 8, 13, 12, 5, 9)),
            ("2014-11", at(2014, 11, 1, 0, 0, 0)),
            ("2014, 11, 8", at(2014, 11, 8, 0, 0, 0)),
            ("2014-1-8", at(2014, 1, 8, 0, 0, 0)),
            ("2014/11/08", at(2014, 11, 8, 0, 0, 0)),
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
            "2014-11-08T",
            "14-14-2014",
            "11-08-14",
            "0000-01-01",
            "2",
            "20141108",
            "min",
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
            ("-10675199.02:48:05.4775808", i64::MIN),
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
