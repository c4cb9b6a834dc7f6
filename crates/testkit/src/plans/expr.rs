//! Random expressions of a type. `endofday` and its kind are left out: their last 100 ns are beyond DuckDB's microseconds.

use super::{Generator, JSONS, STRINGS, moment};
use crate::conformance;
use ruleferry_ir::Type;

impl Generator<'_> {
    pub(super) fn word(&mut self) -> String {
        let words = [
            "'alpha'",
            "'Beta'",
            "'a'",
            "'ñandú'",
            "'7'",
            "'10.0'",
            "'x=1'",
            "'%'",
            "'a_b'",
            "'日本語'",
            "'be'",
            "'p?q'",
        ];
        (*self.random.pick(&words)).to_owned()
    }

    pub(super) fn expr(&mut self, ty: Type, depth: usize) -> String {
        if depth == 0 || self.pct(25) {
            return self.leaf(ty);
        }
        let d = depth - 1;
        match ty {
            Type::Bool => self.bool(d),
            Type::Long | Type::Int => self.long(d),
            Type::Real | Type::Decimal => self.real(d),
            Type::String | Type::Unknown | Type::Guid => self.string(d),
            Type::Datetime => self.datetime(d),
            Type::Timespan => self.timespan(d),
            Type::Dynamic => self.dynamic(d),
        }
    }

    pub(super) fn leaf(&mut self, ty: Type) -> String {
        if self.pct(75)
            && let Some(column) = self.of(ty)
        {
            return column;
        }
        match ty {
            Type::Bool => (*self.random.pick(&["true", "false", "bool(null)"])).to_owned(),
            Type::Long | Type::Int => {
                (*self.random.pick(&["0", "1", "2", "7", "-3", "long(null)", "42"])).to_owned()
            }
            Type::Real | Type::Decimal => {
                (*self.random.pick(&["0.0", "1.5", "-2.25", "10.0", "real(null)"])).to_owned()
            }
            Type::String | Type::Unknown | Type::Guid => {
                let s = *self.random.pick(STRINGS);
                serde_json::Value::from(s).to_string()
            }
            Type::Datetime => {
                let t = moment(&mut self.random);
                (*self.random.pick(&["now()", "ago(1h)", "datetime(null)", "datetime(2026-01-15 12:00:00)"]))
                    .to_owned()
                    .replace(
                        "datetime(2026-01-15 12:00:00)",
                        &format!("datetime({})", conformance::moment(t)),
                    )
            }
            Type::Timespan => {
                (*self.random.pick(&["1h", "30m", "1d", "0s", "timespan(null)", "1.5h"])).to_owned()
            }
            Type::Dynamic => {
                let j = *self.random.pick(JSONS);
                format!("dynamic({j})")
            }
        }
    }

    fn bool(&mut self, d: usize) -> String {
        match self.random.below(20) {
            0 => format!("({} and {})", self.expr(Type::Bool, d), self.expr(Type::Bool, d)),
            1 => format!("({} or {})", self.expr(Type::Bool, d), self.expr(Type::Bool, d)),
            2 => format!("not({})", self.expr(Type::Bool, d)),
            3..=6 => {
                let ty = *self.random.pick(&[
                    Type::Long,
                    Type::Real,
                    Type::Datetime,
                    Type::Timespan,
                    Type::String,
                ]);
                let op = *self.random.pick(&["==", "!=", "<", "<=", ">", ">="]);
                let op = if ty == Type::String { *self.random.pick(&["==", "!=", "=~", "!~"]) } else { op };
                format!("({} {op} {})", self.expr(ty, d), self.expr(ty, d))
            }
            7..=10 => {
                let op = *self.random.pick(&[
                    "has",
                    "!has",
                    "contains",
                    "!contains",
                    "startswith",
                    "!startswith",
                    "endswith",
                    "!endswith",
                    "has_cs",
                    "contains_cs",
                    "startswith_cs",
                    "endswith_cs",
                    "hasprefix",
                    "hassuffix",
                    "!hasprefix",
                    "hasprefix_cs",
                    "!has_cs",
                ]);
                format!("({} {op} {})", self.expr(Type::String, d), self.word())
            }
            11 => {
                let op = *self.random.pick(&["in", "!in", "in~", "!in~", "has_any", "has_all"]);
                format!("({} {op} ({}, {}, 'Alpha'))", self.expr(Type::String, d), self.word(), self.word())
            }
            12 => {
                let pattern =
                    *self.random.pick(&["'^a'", "'[0-9]+'", "'(?i)ALPHA$'", "'a.b'", "'\\\\d'", "'^$'"]);
                format!("({} matches regex {pattern})", self.expr(Type::String, d))
            }
            13 => format!(
                "{}({})",
                self.random.clone().pick(&["isempty", "isnotempty"]),
                self.expr(Type::String, d)
            ),
            14 => {
                let ty = self.ty();
                format!("{}({})", self.random.clone().pick(&["isnull", "isnotnull"]), self.expr(ty, d))
            }
            15 => {
                let ty = *self.random.pick(&[Type::Long, Type::Real, Type::Datetime]);
                let op = *self.random.pick(&["between", "!between"]);
                format!("({} {op} ({} .. {}))", self.expr(ty, d), self.leaf(ty), self.leaf(ty))
            }
            16 => format!("({} in (1, 2, {}))", self.expr(Type::Long, d), self.leaf(Type::Long)),
            17 => format!("tobool({})", self.expr(Type::Long, d)),
            18 => format!(
                "iff({}, {}, {})",
                self.expr(Type::Bool, d),
                self.expr(Type::Bool, d),
                self.expr(Type::Bool, d)
            ),
            _ => format!("({} has_any (dynamic(['alpha', 'x'])))", self.expr(Type::String, d)),
        }
    }

    fn long(&mut self, d: usize) -> String {
        match self.random.below(18) {
            0 => format!("({} + {})", self.expr(Type::Long, d), self.expr(Type::Long, d)),
            1 => format!("({} - {})", self.expr(Type::Long, d), self.expr(Type::Long, d)),
            2 => format!("({} * {})", self.expr(Type::Long, d), self.leaf(Type::Long)),
            3 => format!("({} / {})", self.expr(Type::Long, d), self.expr(Type::Long, d)),
            4 => format!("({} % {})", self.expr(Type::Long, d), self.random.clone().pick(&["2", "3", "7"])),
            5 => format!("strlen({})", self.expr(Type::String, d)),
            6 => format!("tolong({})", self.expr(Type::String, d)),
            7 => format!("array_length({})", self.expr(Type::Dynamic, d)),
            8 => {
                let part = *self.random.pick(&["hour", "day", "minute", "second"]);
                format!(
                    "datetime_diff('{part}', {}, {})",
                    self.expr(Type::Datetime, d),
                    self.expr(Type::Datetime, d)
                )
            }
            9 => {
                let f =
                    *self.random.pick(&["hourofday", "dayofmonth", "dayofyear", "getyear", "monthofyear"]);
                format!("tolong({f}({}))", self.expr(Type::Datetime, d))
            }
            10 => format!("indexof({}, {})", self.expr(Type::String, d), self.word()),
            11 => format!("countof({}, 'a')", self.expr(Type::String, d)),
            12 => format!(
                "iff({}, {}, {})",
                self.expr(Type::Bool, d),
                self.expr(Type::Long, d),
                self.expr(Type::Long, d)
            ),
            13 => format!("coalesce({}, {})", self.expr(Type::Long, d), self.leaf(Type::Long)),
            14 => format!("{}({})", self.random.clone().pick(&["abs", "-"]), self.expr(Type::Long, d)),
            15 => format!(
                "{}({}, {})",
                self.random.clone().pick(&["min_of", "max_of"]),
                self.expr(Type::Long, d),
                self.expr(Type::Long, d)
            ),
            16 => format!("bin({}, 5)", self.expr(Type::Long, d)),
            _ => format!("tolong({})", self.expr(Type::Dynamic, d)),
        }
    }

    fn real(&mut self, d: usize) -> String {
        match self.random.below(10) {
            0 => format!("todouble({})", self.expr(Type::Long, d)),
            1 => format!("({} + {})", self.expr(Type::Real, d), self.expr(Type::Real, d)),
            2 => format!("({} * 0.5)", self.expr(Type::Real, d)),
            3 => format!("({} / {})", self.expr(Type::Real, d), self.expr(Type::Real, d)),
            4 => format!("round({}, 1)", self.expr(Type::Real, d)),
            5 => format!(
                "{}({})",
                self.random.clone().pick(&["ceiling", "abs", "sign"]).replace("sign", "1.0 * sign"),
                self.expr(Type::Real, d)
            ),
            6 => format!("todouble({})", self.expr(Type::String, d)),
            7 => format!(
                "iff({}, {}, {})",
                self.expr(Type::Bool, d),
                self.expr(Type::Real, d),
                self.expr(Type::Real, d)
            ),
            8 => format!("bin({}, 0.5)", self.expr(Type::Real, d)),
            _ => format!("coalesce({}, {})", self.expr(Type::Real, d), self.leaf(Type::Real)),
        }
    }

    fn string(&mut self, d: usize) -> String {
        match self.random.below(21) {
            0 => format!("strcat({}, '-', {})", self.expr(Type::String, d), self.expr(Type::String, d)),
            1 => format!(
                "{}({})",
                self.random.clone().pick(&["tolower", "toupper"]),
                self.expr(Type::String, d)
            ),
            2 => format!(
                "substring({}, {}, 3)",
                self.expr(Type::String, d),
                self.random.clone().pick(&["0", "1", "4"])
            ),
            3 => format!("tostring({})", self.expr(Type::Long, d)),
            4 => format!("tostring({})", self.expr(Type::Bool, d)),
            5 => format!("tostring({})", self.expr(Type::Datetime, d)),
            6 => format!("tostring({})", self.expr(Type::Timespan, d)),
            7 | 8 => format!("tostring({})", self.expr(Type::Dynamic, d)),
            9 => format!("replace_string({}, 'a', 'xy')", self.expr(Type::String, d)),
            10 => format!("trim(@'\\s+', {})", self.expr(Type::String, d)),
            11 => format!("extract(@'([a-z]+)', 1, {})", self.expr(Type::String, d)),
            12 => format!(
                "tostring(split({}, {})[{}])",
                self.expr(Type::String, d),
                self.random.clone().pick(&["'.'", "' '", "'='"]),
                self.random.clone().below(3)
            ),
            13 => format!(
                "iff({}, {}, {})",
                self.expr(Type::Bool, d),
                self.expr(Type::String, d),
                self.expr(Type::String, d)
            ),
            14 => format!(
                "case({}, {}, {}, {}, {})",
                self.expr(Type::Bool, d),
                self.leaf(Type::String),
                self.expr(Type::Bool, d),
                self.leaf(Type::String),
                self.leaf(Type::String)
            ),
            15 => format!("coalesce({}, {})", self.expr(Type::String, d), self.leaf(Type::String)),
            16 => format!("replace_regex({}, @'[0-9]+', '#')", self.expr(Type::String, d)),
            17 => format!("base64_encode_tostring({})", self.expr(Type::String, d)),
            18 => format!("format_datetime({}, 'yyyy-MM-dd HH:mm')", self.expr(Type::Datetime, d)),
            19 => format!("strcat({}, {})", self.expr(Type::Long, d), self.expr(Type::String, d)),
            _ => format!("url_decode({})", self.expr(Type::String, d)),
        }
    }

    fn datetime(&mut self, d: usize) -> String {
        match self.random.below(8) {
            0 => format!("({} + {})", self.expr(Type::Datetime, d), self.expr(Type::Timespan, d)),
            1 => format!("({} - {})", self.expr(Type::Datetime, d), self.expr(Type::Timespan, d)),
            2 => format!(
                "bin({}, {})",
                self.expr(Type::Datetime, d),
                self.random.clone().pick(&["1h", "1d", "7d", "5m"])
            ),
            3 => format!(
                "{}({})",
                self.random.clone().pick(&["startofday", "startofmonth", "startofweek", "startofyear"]),
                self.expr(Type::Datetime, d)
            ),
            4 => format!(
                "datetime_add('{}', {}, {})",
                self.random.clone().pick(&["day", "hour", "month"]),
                self.random.clone().below(3),
                self.expr(Type::Datetime, d)
            ),
            5 => format!("todatetime({})", self.expr(Type::String, d)),
            6 => format!(
                "iff({}, {}, {})",
                self.expr(Type::Bool, d),
                self.expr(Type::Datetime, d),
                self.expr(Type::Datetime, d)
            ),
            _ => format!("coalesce({}, {})", self.expr(Type::Datetime, d), self.leaf(Type::Datetime)),
        }
    }

    fn timespan(&mut self, d: usize) -> String {
        match self.random.below(5) {
            0 | 1 => format!("({} - {})", self.expr(Type::Datetime, d), self.expr(Type::Datetime, d)),
            2 => format!("({} + {})", self.expr(Type::Timespan, d), self.expr(Type::Timespan, d)),
            3 => format!("({} * 2)", self.expr(Type::Timespan, d)),
            _ => format!(
                "iff({}, {}, {})",
                self.expr(Type::Bool, d),
                self.expr(Type::Timespan, d),
                self.expr(Type::Timespan, d)
            ),
        }
    }

    fn dynamic(&mut self, d: usize) -> String {
        match self.random.below(12) {
            0 => format!("pack_array({}, {})", self.expr(Type::Long, d), self.expr(Type::String, d)),
            1 => format!("bag_pack('a', {}, 'b', {})", self.expr(Type::String, d), self.expr(Type::Long, d)),
            2 => format!("parse_json({})", self.expr(Type::String, d)),
            3 | 4 => match self.of(Type::Dynamic) {
                Some(j) => format!("{j}.{}", self.random.pick(&["a", "b", "c"])),
                None => self.leaf(Type::Dynamic),
            },
            5 => match self.of(Type::Dynamic) {
                Some(j) => format!("{j}[{}]", self.random.pick(&["0", "1", "-1", "'b'"])),
                None => self.leaf(Type::Dynamic),
            },
            6 => format!("split({}, ' ')", self.expr(Type::String, d)),
            7 => format!("array_concat({}, {})", self.expr(Type::Dynamic, d), self.expr(Type::Dynamic, d)),
            8 => format!("array_slice({}, 0, 1)", self.expr(Type::Dynamic, d)),
            9 => format!(
                "iff({}, {}, {})",
                self.expr(Type::Bool, d),
                self.expr(Type::Dynamic, d),
                self.expr(Type::Dynamic, d)
            ),
            10 => format!("todynamic({})", self.expr(Type::String, d)),
            _ => match self.of(Type::Dynamic) {
                Some(j) => format!("{j}.c[0].a"),
                None => self.leaf(Type::Dynamic),
            },
        }
    }
}
