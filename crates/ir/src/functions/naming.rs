//! Names of the columns that a call makes when the query gives none.
//!
//! `summarize max(Size)` makes a column `max_Size`, `extend tolower(Name)` a column `Column1`. The rules, by [`ResultName`]:
//! an argument *has a name* if it is a column (`Size`), a path (`Extra.user` gives `Extra_user`, `Extra[0]` gives `Extra_0`),
//! or a call whose own rule gives it one (`tostring(Extra.user)` gives `Extra_user`, `bin(Time, 1h)` gives `Time`).
//! A column without a name is `Column1`, `Column2`, … by its place among the unnamed. Whoever makes the columns of an
//! operator adds a number where the name is taken: two `count()` make `count_` and `count_1`.

/// How a call names its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultName {
    /// `ColumnN`.
    None,
    /// The first argument's name; `ColumnN` if it has none: `tostring(Size)` is `Size`.
    FirstArgument,
    /// As `FirstArgument`, but only for a call with one argument (`make_datetime`).
    OnlyArgument,
    /// This, `_`, and the first argument's name if any: `max(Size)` is `max_Size`, `max(Size + 1)` is `max_`.
    PrefixAndFirstArgument(&'static str),
    /// Always this: `ingestion_time()` is `$IngestionTime`.
    PrefixOnly(&'static str),
    /// The text of the first argument if there is such a column: `column_ifexists("Size", 0)` is `Size`, else `ColumnN`.
    FirstArgumentIfColumn,
    /// `arg_max`, `arg_min`: each argument's own name. Unnamed: `max_` for the first, and for the others `max_`, the first
    /// one's name, `_arg` and the position: `arg_max(Time, Size + 1)` makes `Time` and `max_Time_arg1`.
    ArgExtreme(&'static str),
    /// The obsolete `argmax`, `argmin`: `max_Time`, `max_Time_Size`.
    ArgExtremePrefixed(&'static str),
    /// `take_any`: each argument's own name; unnamed ones are `any_arg0`, `any_arg1` by position.
    EachArgument,
    /// The obsolete `any`: `any_Size` for each argument, `any_` if unnamed.
    PrefixAndEachArgument(&'static str),
    /// `percentile_Size_95`, one for each percentage, dots in it as `_`; the percentages start at argument `from`.
    Percentile { from: usize },
    /// `array_sort_asc`: `Sizes_sorted` for each array; unnamed ones are `array0_sorted` by position.
    Sorted,
    /// The function's name, `_`, the first argument's name, `_` and the column's: `series_stats_Sizes_min`.
    Columns,
}

/// What is known of an argument when its column is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgName<'a> {
    /// The name that the argument would have as a column of its own.
    Named(&'a str),
    /// The text of a number: the `99.9` of `percentile(x, 99.9)`.
    Number(&'a str),
    /// The value of a text constant; for `column_ifexists` give `Named` if there is such a column.
    Unnamed,
}

impl<'a> ArgName<'a> {
    const fn name(self) -> Option<&'a str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Number(_) | Self::Unnamed => None,
        }
    }
}

impl super::FunctionDef {
    /// The default names of the columns of a call, in order; `None` is `ColumnN`. `*` arguments must be expanded before.
    pub fn default_names(&self, args: &[ArgName<'_>]) -> Vec<Option<String>> {
        self.default_names_by(self.result_name, args)
    }

    /// As [`Self::default_names`] by another rule: obsolete names of a function name their columns differently.
    pub fn default_names_by(&self, rule: ResultName, args: &[ArgName<'_>]) -> Vec<Option<String>> {
        let first = args.first().and_then(|a| a.name());
        let first_or_empty = first.unwrap_or_default();
        match rule {
            ResultName::None => vec![None],
            ResultName::FirstArgument | ResultName::FirstArgumentIfColumn => vec![first.map(str::to_owned)],
            ResultName::OnlyArgument => vec![first.filter(|_| args.len() == 1).map(str::to_owned)],
            ResultName::PrefixAndFirstArgument(prefix) => vec![Some(format!("{prefix}_{first_or_empty}"))],
            ResultName::PrefixOnly(name) => vec![Some(name.to_owned())],
            ResultName::ArgExtreme(prefix) => each(args, |i, name| match (name, i) {
                (Some(name), _) => name.to_owned(),
                (None, 0) => format!("{prefix}_"),
                (None, _) => format!("{prefix}_{first_or_empty}_arg{i}"),
            }),
            ResultName::ArgExtremePrefixed(prefix) => each(args, |i, name| match (name, i) {
                (_, 0) => format!("{prefix}_{first_or_empty}"),
                (Some(name), _) => format!("{prefix}_{first_or_empty}_{name}"),
                (None, _) => format!("{prefix}_{first_or_empty}_arg{i}"),
            }),
            ResultName::EachArgument => {
                each(args, |i, name| name.map_or_else(|| format!("any_arg{i}"), str::to_owned))
            }
            ResultName::PrefixAndEachArgument(prefix) => {
                each(args, |_, name| format!("{prefix}_{}", name.unwrap_or_default()))
            }
            ResultName::Percentile { from } => {
                let percentage = |a: &ArgName<'_>| match a {
                    ArgName::Number(text) => text.replace('.', "_"),
                    ArgName::Named(_) | ArgName::Unnamed => String::new(),
                };
                let name = |a| Some(format!("percentile_{first_or_empty}_{}", percentage(a)));
                args.iter().skip(from).map(name).collect()
            }
            ResultName::Sorted => each(args, |i, name| {
                name.map_or_else(|| format!("array{i}_sorted"), |n| format!("{n}_sorted"))
            }),
            ResultName::Columns => {
                let columns = self.signatures.iter().find_map(|s| match s.returns {
                    super::Returns::Columns(columns) => Some(columns),
                    _ => None,
                });
                let name = |suffix| Some(format!("{}_{first_or_empty}_{suffix}", self.name));
                columns.unwrap_or_default().iter().map(|(suffix, _)| name(*suffix)).collect()
            }
        }
    }
}

fn each(args: &[ArgName<'_>], name: impl Fn(usize, Option<&str>) -> String) -> Vec<Option<String>> {
    args.iter().enumerate().map(|(i, a)| Some(name(i, a.name()))).collect()
}
