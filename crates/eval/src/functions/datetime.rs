//! Points in time and spans: parts, arithmetic by the calendar, formats, time zones.
//!
//! Time zones come from the database that is bundled with the program, never the system's, so that a run gives the same
//! answer everywhere.
//!
//! Source: Kusto documentation, "datetime_add()", "datetime_diff()", "datetime_part()", "format_datetime()", "format_timespan()",
//! "startofweek()" and their neighbours; weeks of a year by ISO 8601.

use super::{Call, Scalar, long, real, text};
use crate::cast::cast;
use crate::fault::Result;
use crate::time::{self, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, civil, clock, days_from_civil};
use crate::{Value, time::MAX_DATETIME};
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use ruleferry_ir::{Json, TICKS_PER_SECOND, Type};
use smol_str::SmolStr;
use std::fmt::Write as _;
use std::sync::LazyLock;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("datetime_add", datetime_add),
    ("datetime_diff", datetime_diff),
    ("datetime_list_timezones", datetime_list_timezones),
    ("datetime_local_to_utc", to_or_from_local),
    ("datetime_part", datetime_part),
    ("datetime_utc_to_local", to_or_from_local),
    ("dayofmonth", |_, args| part_of(args, "day")),
    ("dayofweek", dayofweek),
    ("dayofyear", |_, args| part_of(args, "dayofyear")),
    ("endofday", boundary),
    ("endofmonth", boundary),
    ("endofweek", boundary),
    ("endofyear", boundary),
    ("format_datetime", format_datetime),
    ("format_timespan", format_timespan),
    ("getyear", |_, args| part_of(args, "year")),
    ("hourofday", |_, args| part_of(args, "hour")),
    ("make_datetime", make_datetime),
    ("make_timespan", make_timespan),
    ("monthofyear", |_, args| part_of(args, "month")),
    ("startofday", boundary),
    ("startofmonth", boundary),
    ("startofweek", boundary),
    ("startofyear", boundary),
    ("unixtime_microseconds_todatetime", |_, args| unixtime(args, 10, 1)),
    ("unixtime_milliseconds_todatetime", |_, args| unixtime(args, 10_000, 1)),
    ("unixtime_nanoseconds_todatetime", |_, args| unixtime(args, 1, 100)),
    ("unixtime_seconds_todatetime", |_, args| unixtime(args, TICKS_PER_SECOND, 1)),
    ("week_of_year", |_, args| part_of(args, "week_of_year")),
    ("weekofyear", |_, args| part_of(args, "weekofyear")),
];

/// The ticks of a datetime argument.
fn at(args: &[Value], index: usize) -> Option<i64> {
    match args.get(index)? {
        Value::Datetime(t) => Some(*t),
        other => match cast(other, Type::Datetime) {
            Value::Datetime(t) => Some(t),
            _ => None,
        },
    }
}

fn datetime(ticks: Option<i64>) -> Value {
    ticks.filter(|t| (0..=MAX_DATETIME).contains(t)).map_or(Value::Null, Value::Datetime)
}

/// Days since 0001-01-01, which was a Monday.
const fn day_of(ticks: i64) -> i64 {
    ticks.div_euclid(TICKS_PER_DAY)
}

/// Days since Sunday.
const fn weekday(day: i64) -> i64 {
    (day + 1).rem_euclid(7)
}

/// The week of ISO 8601: it begins on Monday, and the first one has the year's first Thursday.
fn iso_week(day: i64) -> i64 {
    week_of(day - (weekday(day) + 6) % 7 + 3)
}

/// The older count: a week begins on Sunday, and the first one has the year's first Wednesday.
fn sunday_week(day: i64) -> i64 {
    week_of(day - weekday(day) + 3)
}

/// The number of a week by its middle day.
fn week_of(middle: i64) -> i64 {
    let (year, _, _) = civil(middle);
    (middle - days_from_civil(year, 1, 1).unwrap_or(0)) / 7 + 1
}

/// A part by its name; `None` for a name that is none.
fn part(name: &str, ticks: i64) -> Option<i64> {
    let day = day_of(ticks);
    let (year, month, of_month) = civil(day);
    let (hour, minute, second, rest) = clock(ticks.rem_euclid(TICKS_PER_DAY));
    Some(match name {
        "year" => year,
        "quarter" => (month + 2) / 3,
        "month" => month,
        "week_of_year" => iso_week(day),
        "weekofyear" => sunday_week(day),
        "day" => of_month,
        "dayofyear" => day - days_from_civil(year, 1, 1).unwrap_or(0) + 1,
        "hour" => hour,
        "minute" => minute,
        "second" => second,
        "millisecond" => rest / 10_000,
        "microsecond" => rest / 10,
        "nanosecond" => rest * 100,
        _ => return None,
    })
}

fn int(n: Option<i64>) -> Value {
    n.and_then(|n| i32::try_from(n).ok()).map_or(Value::Null, Value::Int)
}

fn part_of(args: &[Value], name: &str) -> Result<Value> {
    Ok(int(at(args, 0).and_then(|t| part(name, t))))
}

fn datetime_part(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let name = text(args, 0).to_ascii_lowercase();
    if part(&name, 0).is_none() {
        return Err(call.fault(0, format!("`{}` is no part of a datetime", text(args, 0))));
    }
    Ok(int(at(args, 1).and_then(|t| part(&name, t))))
}

fn dayofweek(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(at(args, 0).map_or(Value::Null, |t| Value::Timespan(weekday(day_of(t)) * TICKS_PER_DAY)))
}

/// Months since January of year 1.
fn months(year: i64, month: i64) -> i64 {
    (year - 1) * 12 + month - 1
}

/// A day some months later; a day that the month has not becomes its last.
fn plus_months(ticks: i64, count: i64) -> Option<i64> {
    let (year, month, day) = civil(day_of(ticks));
    let total = months(year, month).checked_add(count)?;
    let (year, month) = (total.div_euclid(12) + 1, total.rem_euclid(12) + 1);
    let day = day.min(time::days_in_month(year, month));
    Some(days_from_civil(year, month, day)? * TICKS_PER_DAY + ticks.rem_euclid(TICKS_PER_DAY))
}

/// Units of a fixed length, in nanoseconds.
fn nanoseconds(period: &str) -> Option<i128> {
    Some(match period {
        "week" => 7 * 86_400_000_000_000,
        "day" => 86_400_000_000_000,
        "hour" => 3_600_000_000_000,
        "minute" => 60_000_000_000,
        "second" => 1_000_000_000,
        "millisecond" => 1_000_000,
        "microsecond" => 1000,
        "nanosecond" => 1,
        _ => return None,
    })
}

/// Months of a period of the calendar.
fn calendar_months(period: &str) -> Option<i64> {
    match period {
        "year" => Some(12),
        "quarter" => Some(3),
        "month" => Some(1),
        _ => None,
    }
}

fn period(call: &Call<'_>, args: &[Value]) -> Result<String> {
    let name = text(args, 0).to_ascii_lowercase();
    if calendar_months(&name).is_none() && nanoseconds(&name).is_none() {
        return Err(call.fault(0, format!("`{}` is no period", text(args, 0))));
    }
    Ok(name)
}

fn datetime_add(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let period = period(call, args)?;
    let sum = || {
        let (count, ticks) = (long(args, 1)?, at(args, 2)?);
        if let Some(months) = calendar_months(&period) {
            return plus_months(ticks, count.checked_mul(months)?);
        }
        let span = i128::from(count).checked_mul(nanoseconds(&period)?)? / 100;
        i64::try_from(i128::from(ticks) + span).ok()
    };
    Ok(datetime(sum()))
}

/// How many borders of the period lie between two times.
fn datetime_diff(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let period = period(call, args)?;
    let difference = || {
        let (a, b) = (at(args, 1)?, at(args, 2)?);
        if let Some(length) = calendar_months(&period) {
            let number = |t| {
                let (year, month, _) = civil(day_of(t));
                months(year, month).div_euclid(length)
            };
            return Some(number(a) - number(b));
        }
        // Weeks begin on Sunday: the day before 0001-01-01 was one.
        let shift = if period == "week" { TICKS_PER_DAY } else { 0 };
        let length = nanoseconds(&period)?;
        let number = |t: i64| (i128::from(t + shift) * 100).div_euclid(length);
        i64::try_from(number(a) - number(b)).ok()
    };
    Ok(difference().map_or(Value::Null, Value::Long))
}

/// `startof…` and `endof…`: the first or last tick of a period, some periods later.
fn boundary(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let offset = if args.len() > 1 { long(args, 1) } else { Some(0) };
    let (name, end) = match call.name.strip_prefix("endof") {
        Some(name) => (name, true),
        None => (call.name.trim_start_matches("startof"), false),
    };
    let found = || {
        let (ticks, offset) = (at(args, 0)?, offset?);
        let day = day_of(ticks);
        let (year, month, _) = civil(day);
        let (first, days) = match name {
            "day" => (day.checked_add(offset)?, 1),
            "week" => ((day - weekday(day)).checked_add(offset.checked_mul(7)?)?, 7),
            "month" => {
                let total = months(year, month).checked_add(offset)?;
                let (year, month) = (total.div_euclid(12) + 1, total.rem_euclid(12) + 1);
                (days_from_civil(year, month, 1)?, time::days_in_month(year, month))
            }
            _ => {
                let year = year.checked_add(offset)?;
                (days_from_civil(year, 1, 1)?, 365 + i64::from(time::is_leap(year)))
            }
        };
        let start = first.checked_mul(TICKS_PER_DAY)?;
        if end { start.checked_add(days * TICKS_PER_DAY - 1) } else { Some(start) }
    };
    Ok(datetime(found()))
}

fn in_a_day(hours: i64, minutes: i64, seconds: f64) -> bool {
    (0..24).contains(&hours) && (0..60).contains(&minutes) && (0.0..60.0).contains(&seconds)
}

/// Year, month, day, hour, minute, seconds with a fraction; or one value to convert.
fn make_datetime(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    if let [value] = args {
        return Ok(cast(value, Type::Datetime));
    }
    let whole = |index: usize| match args.get(index) {
        None => Some(0),
        Some(value) => cast(value, Type::Long).as_long(),
    };
    let made = || {
        let days = days_from_civil(whole(0)?, whole(1)?, whole(2)?)?;
        let (hour, minute) = (whole(3)?, whole(4)?);
        let seconds = if args.len() > 5 { real(args, 5)? } else { 0.0 };
        if !in_a_day(hour, minute, seconds) {
            return None;
        }
        Some(
            days * TICKS_PER_DAY
                + hour * TICKS_PER_HOUR
                + minute * TICKS_PER_MINUTE
                + to_ticks(seconds, TICKS_PER_SECOND)?,
        )
    };
    Ok(datetime(made()))
}

/// `[day,] hour, minute[, second]`, or one value to convert.
fn make_timespan(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    if let [value] = args {
        return Ok(cast(value, Type::Timespan));
    }
    let whole = |index: usize| args.get(index).and_then(|v| cast(v, Type::Long).as_long());
    let first = usize::from(args.len() > 3);
    let made = || {
        let days = if first == 1 { whole(0)? } else { 0 };
        let (hours, minutes) = (whole(first)?, whole(first + 1)?);
        let seconds = if args.len() > first + 2 { real(args, first + 2)? } else { 0.0 };
        if !in_a_day(hours, minutes, seconds) {
            return None;
        }
        days.checked_mul(TICKS_PER_DAY)?
            .checked_add(hours.checked_mul(TICKS_PER_HOUR)?)?
            .checked_add(minutes.checked_mul(TICKS_PER_MINUTE)?)?
            .checked_add(to_ticks(seconds, TICKS_PER_SECOND)?)
    };
    Ok(made().map_or(Value::Null, Value::Timespan))
}

/// A real number of units in ticks, rounded.
fn to_ticks(count: f64, unit: i64) -> Option<i64> {
    let ticks = (count * unit as f64).round();
    (ticks.abs() < 9.2e18).then_some(ticks as i64)
}

/// A number of units since 1970: `unit / divisor` ticks each.
fn unixtime(args: &[Value], unit: i64, divisor: i64) -> Result<Value> {
    let since = || match long(args, 0) {
        Some(n) => Some(n.checked_mul(unit)?.div_euclid(divisor)),
        None => Some(to_ticks(real(args, 0)?, unit)?.div_euclid(divisor)),
    };
    Ok(datetime(since().and_then(|ticks| ticks.checked_add(time::UNIX_EPOCH))))
}

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// `datetime_utc_to_local` and `datetime_local_to_utc`. A local time that the zone skips is read as if the clock had not been
/// changed yet; of two the later one counts, that of standard time, as in .NET and in DuckDB (undocumented).
fn to_or_from_local(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let name = text(args, 1).trim();
    let Ok(zone) = ZONES.get(name) else { return Ok(Value::Null) };
    let to_utc = call.name == "datetime_local_to_utc";
    Ok(datetime(at(args, 0).and_then(|t| if to_utc { utc_of(t, &zone) } else { local_of(t, &zone) })))
}

fn local_of(ticks: i64, zone: &TimeZone) -> Option<i64> {
    let seconds = (ticks - time::UNIX_EPOCH).div_euclid(TICKS_PER_SECOND);
    let instant = jiff::Timestamp::from_second(seconds).ok()?;
    Some(ticks + i64::from(zone.to_offset(instant).seconds()) * TICKS_PER_SECOND)
}

fn utc_of(ticks: i64, zone: &TimeZone) -> Option<i64> {
    let (year, month, day) = civil(day_of(ticks));
    let (hour, minute, second, _) = clock(ticks.rem_euclid(TICKS_PER_DAY));
    let small = |n: i64| i8::try_from(n).ok();
    let year = i16::try_from(year).ok()?;
    let local =
        DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0)
            .ok()?;
    let instant = zone.to_ambiguous_timestamp(local).later().ok()?;
    let whole = instant.as_second().checked_mul(TICKS_PER_SECOND)?.checked_add(time::UNIX_EPOCH)?;
    whole.checked_add(ticks.rem_euclid(TICKS_PER_SECOND))
}

fn datetime_list_timezones(_: &Call<'_>, _: &[Value]) -> Result<Value> {
    let mut names: Vec<SmolStr> = ZONES.available().map(|name| SmolStr::new(name.as_str())).collect();
    names.sort();
    Ok(Value::array(names.into_iter().map(Json::String).collect()))
}

/// The next piece of a format: one of the words if it starts so, else a run of one letter of `repeated`, else one character.
fn next_piece<'f>(format: &'f str, words: &[&str], repeated: &str) -> (&'f str, &'f str) {
    let length = words.iter().find(|w| format.starts_with(**w)).map(|w| w.len()).unwrap_or_else(|| {
        let first = format.chars().next().unwrap_or_default();
        if repeated.contains(first) {
            format.chars().take_while(|c| *c == first).count()
        } else {
            first.len_utf8()
        }
    });
    format.split_at_checked(length).unwrap_or((format, ""))
}

/// The first digits of a fraction of a second; `F` drops zeros at their end.
fn fraction(out: &mut String, piece: &str, rest: i64) {
    let digits = format!("{rest:07}");
    let digits = digits.get(..piece.len().min(7)).unwrap_or_default();
    out.push_str(if piece.starts_with('F') { digits.trim_end_matches('0') } else { digits });
}

fn format_datetime(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    const WORDS: [&str; 15] =
        ["yyyy", "yy", "y", "MM", "M", "dd", "d", "HH", "H", "hh", "h", "mm", "m", "ss", "s"];
    let Some(ticks) = at(args, 0) else { return Ok(Value::EMPTY) };
    let (year, month, day) = civil(day_of(ticks));
    let (hour, minute, second, rest) = clock(ticks.rem_euclid(TICKS_PER_DAY));
    let of_half = (hour + 11) % 12 + 1;
    let mut out = String::new();
    let mut format = text(args, 1);
    while !format.is_empty() {
        let (piece, after) =
            next_piece(format, if format.starts_with("tt") { &["tt"] } else { &WORDS }, "fF");
        format = after;
        let (number, width) = match piece {
            "yyyy" => (year, 4),
            "yy" => (year % 100, 2),
            "y" => (year % 100, 1),
            "MM" => (month, 2),
            "M" => (month, 1),
            "dd" => (day, 2),
            "d" => (day, 1),
            "HH" => (hour, 2),
            "H" => (hour, 1),
            "hh" => (of_half, 2),
            "h" => (of_half, 1),
            "mm" => (minute, 2),
            "m" => (minute, 1),
            "ss" => (second, 2),
            "s" => (second, 1),
            _ => {
                match piece {
                    "tt" => out.push_str(if hour < 12 { "AM" } else { "PM" }),
                    _ if piece.starts_with(['f', 'F']) => fraction(&mut out, piece, rest),
                    _ => out.push_str(piece),
                }
                continue;
            }
        };
        let _ = write!(out, "{number:0width$}");
    }
    Ok(Value::string(out))
}

/// The sign is not shown, as there is no letter for it.
fn format_timespan(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    const WORDS: [&str; 8] = ["HH", "H", "hh", "h", "mm", "m", "ss", "s"];
    /// The documentation names up to eight; more would be zeros.
    const MAX_DAY_DIGITS: usize = 64;
    let ticks = match args.first() {
        Some(Value::Timespan(t)) => *t,
        Some(other) => match cast(other, Type::Timespan) {
            Value::Timespan(t) => t,
            _ => return Ok(Value::EMPTY),
        },
        None => return Ok(Value::EMPTY),
    };
    let size = ticks.unsigned_abs();
    let day = TICKS_PER_DAY.unsigned_abs();
    let days = size / day;
    let (hour, minute, second, rest) = clock(i64::try_from(size % day).unwrap_or(0));
    let mut out = String::new();
    let mut format = text(args, 1);
    while !format.is_empty() {
        let (piece, after) = next_piece(format, &WORDS, "dfF");
        format = after;
        let (number, width) = match piece {
            "HH" | "hh" => (hour, 2),
            "H" | "h" => (hour, 1),
            "mm" => (minute, 2),
            "m" => (minute, 1),
            "ss" => (second, 2),
            "s" => (second, 1),
            _ => {
                if piece.starts_with('d') {
                    let width = piece.len().min(MAX_DAY_DIGITS);
                    let _ = write!(out, "{days:0width$}");
                } else if piece.starts_with(['f', 'F']) {
                    fraction(&mut out, piece, rest);
                } else {
                    out.push_str(piece);
                }
                continue;
            }
        };
        let _ = write!(out, "{number:0width$}");
    }
    Ok(Value::string(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(text: &str) -> i64 {
        time::parse_datetime(text).unwrap_or_default()
    }

    #[test]
    fn weeks_follow_iso_8601() {
        for (date, week) in
            [("2000-01-01", 52), ("2020-12-31", 53), ("2021-01-04", 1), ("2018-12-31", 1), ("0001-01-01", 1)]
        {
            assert_eq!(iso_week(day_of(on(date))), week, "{date}");
        }
        assert_eq!(weekday(day_of(on("2017-01-01"))), 0);
        // A Sunday that ISO counts to the week before.
        assert_eq!((iso_week(day_of(on("2021-01-10"))), sunday_week(day_of(on("2021-01-10")))), (1, 2));
    }

    #[test]
    fn months_end_on_their_last_day() {
        assert_eq!(plus_months(on("2021-01-31"), 1), Some(on("2021-02-28")));
        assert_eq!(plus_months(on("2020-03-31 10:00"), -1), Some(on("2020-02-29 10:00")));
        assert_eq!(plus_months(on("0001-01-01"), -1), None);
    }

    #[test]
    fn zones_know_of_summer() {
        let zone = ZONES.get("Europe/Paris").unwrap_or(TimeZone::UTC);
        let summer = on("2021-07-01 12:00:00.5");
        assert_eq!(local_of(summer, &zone), Some(summer + 2 * TICKS_PER_HOUR));
        assert_eq!(utc_of(summer, &zone), Some(summer - 2 * TICKS_PER_HOUR));
        // 02:30 does not exist that night.
        assert_eq!(utc_of(on("2021-03-28 02:30"), &zone), Some(on("2021-03-28 01:30")));
    }
}
