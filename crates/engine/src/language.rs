//! The rule languages, and how a file tells which one it is in.

use ruleferry_sql::ReadDialect;
use serde::{Serialize, Serializer};
use std::path::Path;

/// A language that rules are written in. This is the only place where languages are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    Kql,
    Sigma,
    /// SQL of a dialect.
    Sql(ReadDialect),
    Yaral,
}

/// How the text of a rule file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A query alone.
    Text,
    Yaml,
    Json,
}

impl Language {
    pub const ALL: [Self; 4] = [Self::Kql, Self::Sigma, Self::SQL, Self::Yaral];
    /// SQL as it is written here, and where no dialect is named.
    pub const SQL: Self = Self::Sql(ReadDialect::DuckDb);
    /// What `--from` may be.
    pub const NAMES: [&str; 16] = [
        "kql",
        "sigma",
        "yaral",
        "sql",
        "duckdb",
        "postgres",
        "postgresql",
        "clickhouse",
        "spark",
        "databricks",
        "snowflake",
        "bigquery",
        "trino",
        "athena",
        "presto",
        "sqlite",
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Kql => "kql",
            Self::Sigma => "sigma",
            Self::Sql(_) => "sql",
            Self::Yaral => "yaral",
        }
    }

    /// As people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Kql => "KQL",
            Self::Sigma => "Sigma",
            Self::Sql(_) => "SQL",
            Self::Yaral => "YARA-L",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        let plain = Self::ALL.into_iter().find(|l| l.name().eq_ignore_ascii_case(name));
        plain.or_else(|| ReadDialect::parse(name).map(Self::Sql))
    }
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Extensions of files that are taken from a folder.
pub const EXTENSIONS: [&str; 7] = ["kql", "csl", "yml", "yaml", "json", "yaral", "sql"];

/// The layout that a file's name stands for; text where it says nothing.
pub fn layout(path: &Path) -> Layout {
    match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("yml" | "yaml") => Layout::Yaml,
        Some("json") => Layout::Json,
        _ => Layout::Text,
    }
}

/// The language of a file, by its name and content; `None` where they fit none.
pub fn detect(path: &Path, text: &str) -> Option<(Language, Layout)> {
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    match extension.as_deref() {
        Some("kql" | "csl") => Some((Language::Kql, Layout::Text)),
        Some("sql") => Some((Language::SQL, Layout::Text)),
        Some("yaral") => Some((Language::Yaral, Layout::Text)),
        Some("json") => Some((Language::Kql, Layout::Json)),
        Some("yml" | "yaml") => yaml(text).map(|l| (l, Layout::Yaml)),
        // Standard input, or a name without a known ending: the content decides.
        _ => match text.trim_start_matches('\u{feff}').trim_start().chars().next() {
            Some('{' | '[') if text.contains("\"query") => Some((Language::Kql, Layout::Json)),
            Some('r' | 'R' | '/') if ruleferry_yaral::syntax::is_rule_text(text) => {
                Some((Language::Yaral, Layout::Text))
            }
            _ => Some(yaml(text).map_or((Language::Kql, Layout::Text), |l| (l, Layout::Yaml))),
        },
    }
}

/// Which language a YAML file holds, by the keys at the start of its lines.
fn yaml(text: &str) -> Option<Language> {
    let mut found = None;
    for line in text.lines() {
        // Most lines are indented, or begin a key of no interest.
        if !matches!(line.as_bytes().first(), Some(b'd' | b'l' | b'c' | b'f' | b'q' | b'-' | 0xEF)) {
            continue;
        }
        let line = line.trim_start_matches('\u{feff}').trim_start_matches("- ");
        let is = |key: &str| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'));
        // These decide: a Sigma rule may have a custom key `query`, never the other way round.
        if ["detection", "logsource", "correlation", "filter"].into_iter().any(is) {
            return Some(Language::Sigma);
        }
        if is("query") || is("queryCondition") {
            found = Some(Language::Kql);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_where_the_name_does_not() {
        let of = |name: &str, text: &str| detect(Path::new(name), text);
        assert_eq!(of("a.kql", "detection: x"), Some((Language::Kql, Layout::Text)));
        assert_eq!(of("a.yml", "title: x\ndetection:\n"), Some((Language::Sigma, Layout::Yaml)));
        assert_eq!(of("a.yaml", "id: 1\nquery: |\n  T\n"), Some((Language::Kql, Layout::Yaml)));
        assert_eq!(of("a.yml", "on: push\n"), None);
        assert_eq!(of("-", "T | take 1"), Some((Language::Kql, Layout::Text)));
        assert_eq!(of("a.yaral", "x"), Some((Language::Yaral, Layout::Text)));
        assert_eq!(of("-", "/* a */ // b\nrule r {\n"), Some((Language::Yaral, Layout::Text)));
        assert_eq!(of("-", "// rule r {\nrules | take 1"), Some((Language::Kql, Layout::Text)));
        assert_eq!(of("-", "title: x\nlogsource:\n"), Some((Language::Sigma, Layout::Yaml)));
    }
}
