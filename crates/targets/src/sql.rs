//! How IR functions are written in each dialect of SQL.
//!
//! In: an IR function name (or a key such as `cast.string`) and argument types. Out: a [`Template`] whose `sql` has the
//! places `$1` … `$9` and `$...`, and the macros that a script must define first. The data is `targets/<dialect>/functions.toml`
//! and `targets/<dialect>/macros/*.sql`.

use ruleferry_ir::Type;

include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// What a template wants of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgType {
    Any,
    Is(Type),
    /// As the one before, any number of times (none, too).
    Repeat,
}

/// What the SQL gives when an argument is NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// NULL if any argument is.
    Strict,
    /// Never NULL.
    Never,
    /// As the function is documented.
    Custom,
}

/// One overload of a function in a dialect.
#[derive(Debug, PartialEq, Eq)]
pub struct Template {
    /// A number of its own among all templates, for caches of parsed templates: below [`template_count`].
    pub id: usize,
    pub name: &'static str,
    /// `None`: takes arguments of any types, as many as there are places.
    pub args: Option<&'static [ArgType]>,
    pub sql: &'static str,
    /// The highest `$n`.
    pub places: usize,
    /// Has `$...`: the arguments after the highest `$n`, any number of them.
    pub rest: bool,
    pub macros: &'static [&'static str],
    pub nulls: Nulls,
    /// What a conversion that uses it takes for granted.
    pub assumes: Option<&'static str>,
}

impl Template {
    /// Whether it takes arguments of exactly these types. A type that is not known fits `any` only.
    pub fn takes(&self, types: &[Type]) -> bool {
        self.takes_by(types, |wanted, ty| wanted == ty)
    }

    fn takes_by(&self, types: &[Type], fits: fn(Type, Type) -> bool) -> bool {
        let Some(args) = self.args else {
            return types.len() == self.places || self.rest && types.len() > self.places;
        };
        let (wanted, repeat) = match args {
            [wanted @ .., ArgType::Repeat] => (wanted, wanted.last()),
            wanted => (wanted, None),
        };
        let fits = |wanted: &ArgType, ty: &Type| match wanted {
            ArgType::Any => true,
            ArgType::Is(t) => fits(*t, *ty),
            ArgType::Repeat => false,
        };
        let enough = types.len() >= wanted.len() && (repeat.is_some() || types.len() == wanted.len());
        enough
            && types.iter().enumerate().all(|(i, ty)| wanted.get(i).or(repeat).is_some_and(|w| fits(w, ty)))
    }
}

/// The overload for arguments of these types: the first that takes exactly these, else the first that takes them widened
/// (int to long to real, decimal to real, guid to string).
pub fn select(overloads: &'static [Template], types: &[Type]) -> Option<&'static Template> {
    let exact = overloads.iter().find(|t| t.takes(types));
    exact.or_else(|| overloads.iter().find(|t| t.takes_by(types, widens)))
}

fn widens(wanted: Type, given: Type) -> bool {
    match wanted {
        Type::Long => matches!(given, Type::Long | Type::Int),
        Type::Real => given.is_numeric(),
        Type::String => matches!(given, Type::String | Type::Guid),
        Type::Bool | Type::Int | Type::Decimal | Type::Datetime | Type::Timespan => wanted == given,
        Type::Guid | Type::Dynamic | Type::Unknown => wanted == given,
    }
}

/// A macro that a script defines before its query.
#[derive(Debug, PartialEq, Eq)]
pub struct MacroDef {
    pub name: &'static str,
    /// The macros that this one calls.
    pub needs: &'static [&'static str],
    /// A macro stands behind all of lower rank.
    rank: usize,
    /// The definition as a statement, comments included.
    pub text: &'static str,
}

/// The data of one dialect.
#[derive(Debug)]
pub struct SqlDialect {
    pub name: &'static str,
    functions: &'static [Template],
    aggregates: &'static [Template],
    macros: &'static [MacroDef],
}

fn with_name(templates: &'static [Template], name: &str) -> &'static [Template] {
    let start = templates.partition_point(|t| t.name < name);
    let rest = templates.get(start..).unwrap_or_default();
    rest.get(..rest.partition_point(|t| t.name == name)).unwrap_or_default()
}

impl SqlDialect {
    /// The overloads of a scalar function, in the order to try them.
    pub fn functions(&self, name: &str) -> &'static [Template] {
        with_name(self.functions, name)
    }

    /// The overloads of an aggregate, in the order to try them.
    pub fn aggregates(&self, name: &str) -> &'static [Template] {
        with_name(self.aggregates, name)
    }

    pub const fn all_functions(&self) -> &'static [Template] {
        self.functions
    }

    pub const fn all_aggregates(&self) -> &'static [Template] {
        self.aggregates
    }

    pub const fn all_macros(&self) -> &'static [MacroDef] {
        self.macros
    }

    pub fn macro_def(&self, name: &str) -> Option<&'static MacroDef> {
        self.macros.binary_search_by(|m| m.name.cmp(name)).ok().and_then(|i| self.macros.get(i))
    }

    /// These macros and all that they need, each behind those that it needs, none twice. Unknown names are left out.
    pub fn macro_closure<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<&'static MacroDef> {
        let mut waiting: Vec<&str> = names.into_iter().collect();
        let mut found: Vec<&'static MacroDef> = Vec::new();
        while let Some(name) = waiting.pop() {
            let Some(def) = self.macro_def(name) else { continue };
            if found.iter().all(|f| f.name != def.name) {
                found.push(def);
                waiting.extend(def.needs);
            }
        }
        found.sort_by_key(|m| m.rank);
        found
    }
}

/// How many templates there are in all dialects.
pub fn template_count() -> usize {
    DIALECTS.iter().map(|d| d.functions.len() + d.aggregates.len()).sum()
}

pub fn dialects() -> &'static [SqlDialect] {
    &DIALECTS
}

pub fn dialect(name: &str) -> Option<&'static SqlDialect> {
    DIALECTS.iter().find(|d| d.name == name)
}

pub fn functions(dialect_name: &str, name: &str) -> &'static [Template] {
    dialect(dialect_name).map_or(&[], |d| d.functions(name))
}

pub fn aggregates(dialect_name: &str, name: &str) -> &'static [Template] {
    dialect(dialect_name).map_or(&[], |d| d.aggregates(name))
}

pub fn macro_text(dialect_name: &str, name: &str) -> Option<&'static MacroDef> {
    dialect(dialect_name)?.macro_def(name)
}

pub fn macro_closure<'a>(
    dialect_name: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Vec<&'static MacroDef> {
    dialect(dialect_name).map_or_else(Vec::new, |d| d.macro_closure(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn template(args: Option<&'static [ArgType]>) -> Template {
        Template {
            id: 0,
            name: "f",
            args,
            sql: "f($1)",
            places: 1,
            rest: false,
            macros: &[],
            nulls: Nulls::Strict,
            assumes: None,
        }
    }

    #[test]
    fn overloads_take_what_they_name() {
        use Type::{Long, String, Unknown};
        assert!(template(None).takes(&[Unknown]) && !template(None).takes(&[Long, Long]));
        assert!(Template { rest: true, ..template(None) }.takes(&[Long, Long]));
        let two = template(Some(&[ArgType::Is(String), ArgType::Any]));
        assert!(two.takes(&[String, Unknown]) && !two.takes(&[Unknown, String]) && !two.takes(&[String]));
        let many = template(Some(&[ArgType::Is(String), ArgType::Repeat]));
        assert!(many.takes(&[String]) && many.takes(&[String; 5]));
        assert!(!many.takes(&[String, Long]) && !many.takes(&[]));
        let none = template(Some(&[]));
        assert!(none.takes(&[]) && !none.takes(&[Long]));
    }

    #[test]
    fn exact_types_come_before_widened_ones() {
        static OVERLOADS: [Template; 3] = [
            template(Some(&[ArgType::Is(Type::Real)])),
            template(Some(&[ArgType::Is(Type::Long)])),
            template(Some(&[ArgType::Is(Type::String)])),
        ];
        let chosen = |ty| select(&OVERLOADS, &[ty]).map(|t| t.args.unwrap()[0]);
        assert_eq!(chosen(Type::Long), Some(ArgType::Is(Type::Long)));
        assert_eq!(chosen(Type::Decimal), Some(ArgType::Is(Type::Real)));
        assert_eq!(chosen(Type::Guid), Some(ArgType::Is(Type::String)));
        assert_eq!(chosen(Type::Dynamic), None);
    }
}
