//! One step after the other: a source, then operators over the columns that there are.

use super::{Column, Step, TABLES, text};
use crate::random::Random;
use crate::route;
use ruleferry_eval::MemoryTables;
use ruleferry_ir::{ColId, Type};

pub(super) struct Generator<'t> {
    pub random: Random,
    tables: &'t MemoryTables,
    pub columns: Vec<Column>,
    pub steps: Vec<Step>,
    names: usize,
    /// What comes now would rest on an open choice.
    pub done: bool,
}

impl<'t> Generator<'t> {
    pub fn new(tables: &'t MemoryTables, seed: u64) -> Self {
        let random = Random::new(seed);
        Self { random, tables, columns: Vec::new(), steps: Vec::new(), names: 0, done: false }
    }

    /// The columns that there are now, as the front end knows them: names that it makes, suffixes of joins, types of unions.
    pub fn learn(&mut self) {
        let text = text(self.tables, &self.steps, false);
        if let Ok(query) = route::guarded(|| route::ir(&text)) {
            let column = |id: &ColId| (query.columns.name(*id).to_owned(), query.columns.ty(*id));
            let plain = |(name, ty): &Column| {
                name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                    && !matches!(ty, Type::Unknown | Type::Decimal)
            };
            self.columns = query.plan.output.iter().map(column).filter(plain).collect();
        }
    }

    pub fn push(&mut self, kind: &str, head: impl Into<String>, items: Vec<String>, tail: impl Into<String>) {
        self.steps.push(Step { kind: kind.into(), head: head.into(), items, tail: tail.into() });
    }

    pub fn fresh(&mut self) -> String {
        self.names += 1;
        format!("x{}", self.names)
    }

    pub fn pct(&mut self, p: usize) -> bool {
        self.random.percent(p)
    }

    pub fn source(&mut self) {
        match self.random.below(17) {
            0 => {
                let n = 1 + self.random.below(6);
                self.push(
                    "range",
                    format!("range n from -1 to {n} step {}", 1 + self.random.clone().below(2)),
                    vec![],
                    "",
                );
                self.columns = vec![("n".into(), Type::Long)];
            }
            1 => {
                let items: Vec<(String, Type, String)> = [Type::String, Type::Long, Type::Datetime]
                    .into_iter()
                    .map(|t| (self.fresh(), t, self.expr(t, 2)))
                    .collect();
                self.push(
                    "print",
                    "print ",
                    items.iter().map(|(n, _, e)| format!("{n} = {e}")).collect(),
                    "",
                );
                self.columns = items.into_iter().map(|(n, t, _)| (n, t)).collect();
            }
            2 => {
                let kind = if self.pct(40) { "inner" } else { "outer" };
                let source = self.pct(50);
                let with = if source { " withsource=src" } else { "" };
                self.push("union", format!("union kind={kind}{with} T2, T3"), vec![], "");
                self.columns = vec![("k".into(), Type::String), ("n".into(), Type::Long)];
                if source {
                    // The names of the inputs.
                    self.columns.push(("src".into(), Type::String));
                }
                if kind == "outer" {
                    let rest = [
                        ("s2", Type::String),
                        ("t2", Type::Datetime),
                        ("r", Type::Real),
                        ("u", Type::String),
                    ];
                    self.columns.extend(rest.map(|(n, t)| (n.to_owned(), t)));
                }
            }
            3 => {
                let word = self.word();
                self.push("search", format!("search in (T2, T3) {word}"), vec![], "");
                self.columns = vec![("k".into(), Type::String), ("n".into(), Type::Long)];
            }
            4 => {
                let word = self.word();
                let rest = (*self.random.pick(&["", " project k, n", " project k, u"])).to_owned();
                let test = if self.pct(50) { format!("k contains {word}") } else { "n > 1".to_owned() };
                self.push("find", format!("find in (T2, T3) where {test}{rest}"), vec![], "");
                self.learn();
            }
            n => {
                let (name, columns) = TABLES[if n < 13 { 0 } else { 1 + n % 2 }];
                self.push("table", name, vec![], "");
                self.columns = columns.iter().map(|(n, t)| ((*n).to_owned(), *t)).collect();
            }
        }
    }

    pub fn of(&mut self, ty: Type) -> Option<String> {
        let fitting: Vec<&Column> = self.columns.iter().filter(|(_, t)| *t == ty).collect();
        (!fitting.is_empty()).then(|| self.random.pick(&fitting).0.clone())
    }

    pub fn any(&mut self, test: impl Fn(Type) -> bool) -> Option<Column> {
        let fitting: Vec<&Column> = self.columns.iter().filter(|(_, t)| test(*t)).collect();
        (!fitting.is_empty()).then(|| (*self.random.pick(&fitting)).clone())
    }

    pub fn ty(&mut self) -> Type {
        *self.random.pick(&[
            Type::String,
            Type::String,
            Type::Long,
            Type::Long,
            Type::Real,
            Type::Bool,
            Type::Datetime,
            Type::Timespan,
            Type::Dynamic,
        ])
    }

    pub fn step(&mut self) {
        self.next();
        let known = ["where", "extend", "project", "sort", "distinct", "take", "top", "count"];
        if !self.done && self.steps.last().is_some_and(|s| !known.contains(&s.kind.as_str())) {
            self.learn();
        }
    }

    fn next(&mut self) {
        match self.random.below(48) {
            34..=44 => self.rare(),
            0..=3 => {
                let predicate = self.expr(Type::Bool, 3);
                self.push("where", format!("where {predicate}"), vec![], "");
            }
            4 | 5 => self.extend("extend", "extend "),
            6 => {
                let mut items = Vec::new();
                let mut columns = Vec::new();
                for (name, ty) in self.columns.clone() {
                    if self.pct(50) {
                        items.push(name.clone());
                        columns.push((name, ty));
                    }
                }
                for _ in 0..1 + self.random.below(2) {
                    let (name, ty) = (self.fresh(), self.ty());
                    items.push(format!("{name} = {}", self.expr(ty, 3)));
                    columns.push((name, ty));
                }
                self.push("project", "project ", items, "");
                self.columns = columns;
            }
            7 | 45 | 46 => {
                let at = self.random.below(self.columns.len());
                let name = self.columns[at].0.clone();
                if self.columns.len() > 1 {
                    match self.random.below(4) {
                        0 => {
                            self.push("project-away", format!("project-away {name}"), vec![], "");
                            self.columns.remove(at);
                        }
                        1 => {
                            let other = self.columns[(at + 1) % self.columns.len()].0.clone();
                            self.push("project-keep", format!("project-keep {name}, {other}"), vec![], "");
                            self.columns.retain(|(n, _)| *n == name || *n == other);
                        }
                        2 => {
                            let new = self.fresh();
                            self.push("project-rename", format!("project-rename {new} = {name}"), vec![], "");
                            self.columns[at].0 = new;
                        }
                        _ => {
                            self.push("project-reorder", format!("project-reorder {name}"), vec![], "");
                            let column = self.columns.remove(at);
                            self.columns.insert(0, column);
                        }
                    }
                }
            }
            8..=11 => self.summarize(),
            12 => {
                let mut names: Vec<Column> = Vec::new();
                for _ in 0..1 + self.random.below(2) {
                    if let Some(c) = self.any(|t| t != Type::Dynamic)
                        && !names.contains(&c)
                    {
                        names.push(c);
                    }
                }
                if !names.is_empty() {
                    let list = names.iter().map(|(n, _)| n.clone()).collect();
                    self.push("distinct", "distinct ", list, "");
                    self.columns = names;
                }
            }
            13..=17 => self.join(),
            18 => {
                let branch = self
                    .random
                    .pick(&["T2", "T3", "(T3 | where n > 1)", "(T2 | extend y = strlen(k))"])
                    .to_owned();
                self.push("union", format!("union {branch}"), vec![], "");
            }
            19 | 20 => {
                let items = self.order();
                self.push("sort", "sort by ", items, "");
            }
            21 => {
                // One key is all that `top` takes.
                let items: Vec<String> = self.order().into_iter().take(1).collect();
                if !items.is_empty() {
                    let n = 1 + self.random.below(5);
                    self.push("top", format!("top {n} by "), items, "");
                    self.done = true;
                }
            }
            22 => {
                let n = self.random.below(6);
                self.push("take", format!("take {n}"), vec![], "");
                self.done = true;
            }
            23 => self.expand(),
            24 => self.apply(),
            25 => self.parse(),
            26 => self.window(),
            27 => self.make_series(),
            28 => {
                self.push("count", "count", vec![], "");
                self.columns = vec![("Count".into(), Type::Long)];
            }
            29 => {
                if let Some((key, _)) = self.any(|t| matches!(t, Type::String | Type::Long))
                    && let Some((by, _)) = self.any(|t| t != Type::Dynamic)
                {
                    self.push(
                        "partition",
                        format!("partition by {key} ( summarize c = count(), m = max({by}) by {key} )"),
                        vec![],
                        "",
                    );
                    let ty = self.columns.iter().find(|(n, _)| *n == by).map_or(Type::Long, |(_, t)| *t);
                    let key = self.columns.iter().find(|(n, _)| *n == key).cloned();
                    self.columns =
                        key.into_iter().chain([("c".to_owned(), Type::Long), ("m".to_owned(), ty)]).collect();
                }
            }
            30 => {
                if let Some(s) = self.of(Type::String) {
                    self.push("parse-kv", format!("parse-kv {s} as (x: string, y: long, id: long, key: string) with (pair_delimiter=';', kv_delimiter='=')"), vec![], "");
                    self.replace([
                        ("x", Type::String),
                        ("y", Type::Long),
                        ("id", Type::Long),
                        ("key", Type::String),
                    ]);
                }
            }
            31 => {
                let (set, key) = if self.pct(50) { ("in", "k") } else { ("!in", "k") };
                if let Some(s) = self.of(Type::String) {
                    let fold = if self.pct(40) { "~" } else { "" };
                    let sub =
                        self.random.pick(&["T2 | where n > 1", "T3", "T3 | where isnotempty(u)"]).to_owned();
                    self.push(
                        "where in query",
                        format!("where {s} {set}{fold} (({sub} | project {key}))"),
                        vec![],
                        "",
                    );
                }
            }
            32 => {
                let f = self.random.pick(&["max(n)", "count()", "min(n)", "sum(n)"]).to_owned();
                let name = self.fresh();
                self.push("toscalar", format!("extend {name} = toscalar(T2 | summarize {f})"), vec![], "");
                self.columns.push((name, Type::Long));
            }
            33 => {
                let word = self.word();
                let op = self.random.pick(&["has", "contains", "has_cs", "startswith"]).to_owned();
                if self.columns.iter().any(|(_, t)| *t == Type::String) {
                    self.push("where any column", format!("where * {op} {word}"), vec![], "");
                }
            }
            _ => self.join(),
        }
    }

    fn replace<const N: usize>(&mut self, columns: [(&str, Type); N]) {
        for (name, ty) in columns {
            self.columns.retain(|(n, _)| n != name);
            self.columns.push((name.to_owned(), ty));
        }
    }

    fn extend(&mut self, kind: &str, head: &str) {
        let mut items = Vec::new();
        let mut new = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let ty = self.ty();
            // Sometimes a column is replaced.
            let name =
                if self.pct(15) { self.random.pick(&self.columns.clone()).0.clone() } else { self.fresh() };
            if new.iter().any(|(n, _)| *n == name) {
                continue;
            }
            items.push(format!("{name} = {}", self.expr(ty, 3)));
            new.push((name, ty));
        }
        self.push(kind, head, items, "");
        for (name, ty) in new {
            match self.columns.iter_mut().find(|(n, _)| *n == name) {
                Some(column) => column.1 = ty,
                None => self.columns.push((name, ty)),
            }
        }
    }

    pub fn order(&mut self) -> Vec<String> {
        let mut items: Vec<String> = Vec::new();
        for _ in 0..1 + self.random.below(2) {
            if let Some((name, _)) = self.any(|t| !matches!(t, Type::Dynamic | Type::Guid)) {
                let way = *self.random.pick(&["", " asc", " desc", " asc nulls last", " desc nulls first"]);
                if !items.iter().any(|i| i.starts_with(&name)) {
                    items.push(format!("{name}{way}"));
                }
            }
        }
        if items.is_empty() { vec!["1".to_owned()] } else { items }
    }

    fn summarize(&mut self) {
        let mut columns: Vec<Column> = Vec::new();
        let mut keys = Vec::new();
        for _ in 0..self.random.below(3) {
            match self.random.below(4) {
                0 if self.columns.iter().any(|(_, t)| *t == Type::Datetime) => {
                    let name = self.fresh();
                    let t = self.of(Type::Datetime).unwrap_or_default();
                    let span = *self.random.pick(&["1h", "1d", "30m"]);
                    keys.push(format!("{name} = bin({t}, {span})"));
                    columns.push((name, Type::Datetime));
                }
                1 => {
                    let (name, ty) =
                        (self.fresh(), *self.random.clone().pick(&[Type::String, Type::Long, Type::Bool]));
                    keys.push(format!("{name} = {}", self.expr(ty, 2)));
                    columns.push((name, ty));
                }
                _ => {
                    if let Some(c) = self.any(|t| t != Type::Dynamic)
                        && !columns.contains(&c)
                    {
                        keys.push(c.0.clone());
                        columns.push(c);
                    }
                }
            }
        }
        let mut items = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let name = self.fresh();
            let condition = self.expr(Type::Bool, 1);
            let n = self.of(Type::Long).unwrap_or_else(|| "1".into());
            let r = self.of(Type::Real).unwrap_or_else(|| "1.5".into());
            let (any, ty) = self
                .any(|t| !matches!(t, Type::Dynamic | Type::Bool | Type::Guid))
                .unwrap_or_else(|| ("1".into(), Type::Long));
            let (call, ty) = match self.random.below(19) {
                0 => ("count()".to_owned(), Type::Long),
                1 => (format!("countif({condition})"), Type::Long),
                2 => (format!("dcount({any})"), Type::Long),
                3 => (format!("dcountif({any}, {condition})"), Type::Long),
                4 => (format!("sum({n})"), Type::Long),
                5 => (format!("sumif({r}, {condition})"), Type::Real),
                6 => (format!("avg({n})"), Type::Real),
                7 => (format!("min({any})"), ty),
                8 => (format!("max({any})"), ty),
                9 => (format!("maxif({any}, {condition})"), ty),
                10 => (format!("avgif({r}, {condition})"), Type::Real),
                11 => (format!("stdev({n})"), Type::Real),
                12 => (format!("variance({r})"), Type::Real),
                13 => (format!("count_distinct({any})"), Type::Long),
                14 => (format!("count() * 2 + countif({condition})"), Type::Long),
                15 | 16 => {
                    let f = *self.random.pick(&["make_set", "make_list"]);
                    self.done = true;
                    (format!("{f}({any})"), Type::Dynamic)
                }
                17 => {
                    self.done = true;
                    let f = *self.random.pick(&["arg_max", "arg_min"]);
                    let other = self.any(|_| true).map_or_else(|| "1".to_owned(), |c| c.0);
                    items.push(format!("{f}({any}, {other})"));
                    continue;
                }
                _ => {
                    self.done = true;
                    (format!("take_any({any})"), ty)
                }
            };
            items.push(format!("{name} = {call}"));
            columns.push((name, ty));
        }
        let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
        self.push("summarize", "summarize ", items, by);
        self.columns = columns;
    }

    fn join(&mut self) {
        const KINDS: &[&str] = &[
            "inner",
            "innerunique",
            "leftouter",
            "rightouter",
            "fullouter",
            "leftsemi",
            "rightsemi",
            "leftanti",
            "rightanti",
            "lookup",
            "lookup inner",
        ];
        let kind = *self.random.pick(KINDS);
        let has = |c: &str, t: Type| self.columns.iter().any(|(n, u)| n == c && *u == t);
        let mut on = Vec::new();
        if has("k", Type::String) {
            on.push("k");
        }
        if has("n", Type::Long) && (on.is_empty() || self.random.clone().percent(40)) {
            on.push("n");
        }
        self.random.number();
        if on.is_empty() {
            return;
        }
        let right = if self.pct(50) { "T2" } else { "T3" };
        let filter = *self.random.pick(&["", " | where n > 0", " | where isnotempty(k)"]);
        let (name, head) = match kind {
            "lookup" => ("lookup", format!("lookup ({right}{filter}) on ")),
            "lookup inner" => ("lookup kind=inner", format!("lookup kind=inner ({right}{filter}) on ")),
            "innerunique" if self.pct(50) => ("join kind=innerunique", format!("join ({right}{filter}) on ")),
            kind => ("", format!("join kind={kind} ({right}{filter}) on ")),
        };
        let name = if name.is_empty() { format!("join kind={kind}") } else { name.to_owned() };
        let columns = TABLES[if right == "T2" { 1 } else { 2 }].1;
        if matches!(kind, "rightsemi" | "rightanti") {
            self.columns = columns.iter().map(|(n, t)| ((*n).to_owned(), *t)).collect();
        } else if !matches!(kind, "leftsemi" | "leftanti") {
            // Columns of a name that the left side has get a suffix, and are left alone.
            for (n, t) in columns {
                if !self.columns.iter().any(|(m, _)| m == n) {
                    self.columns.push(((*n).to_owned(), *t));
                }
            }
        }
        let keys =
            on.iter()
                .map(|k| {
                    if self.random.percent(20) { format!("$left.{k} == $right.{k}") } else { (*k).to_owned() }
                })
                .collect();
        self.push(&name, head, keys, "");
        if kind == "innerunique" {
            self.done = true;
        }
    }

    fn expand(&mut self) {
        let Some(j) = self.of(Type::Dynamic) else { return };
        let how = *self.random.pick(&["", "kind=array ", "kind=bag ", "with_itemindex=ix "]);
        let (to, ty) = *self.random.pick(&[
            ("", Type::Dynamic),
            (" to typeof(string)", Type::String),
            (" to typeof(long)", Type::Long),
        ]);
        self.push("mv-expand", format!("mv-expand {how}{j}{to}"), vec![], "");
        if let Some(c) = self.columns.iter_mut().find(|(n, _)| *n == j) {
            c.1 = ty;
        }
        if how.contains("index") {
            self.replace([("ix", Type::Long)]);
        }
    }

    fn apply(&mut self) {
        let Some(j) = self.of(Type::Dynamic) else { return };
        let name = self.fresh();
        let body = match self.random.below(3) {
            0 => format!("where tostring({name}) has {}", self.word()),
            1 => format!("summarize c_{name} = count()"),
            _ => format!("extend y_{name} = strlen(tostring({name}))"),
        };
        let summarized = body.starts_with("summarize");
        self.push("mv-apply", format!("mv-apply {name} = {j} on ( {body} )"), vec![], "");
        if summarized {
            self.columns.push((format!("c_{name}"), Type::Long));
        } else {
            self.columns.push((name.clone(), Type::Dynamic));
            if body.starts_with("extend") {
                self.columns.push((format!("y_{name}"), Type::Long));
            }
        }
    }

    fn parse(&mut self) {
        let Some(s) = self.of(Type::String) else { return };
        let (a, b) = (self.fresh(), self.fresh());
        let op = *self.random.pick(&["parse", "parse-where"]);
        let patterns = [
            (format!("{s} with * 'x=' {a}:long ';' {b}"), Type::Long),
            (format!("{s} with {a} ' ' {b}"), Type::String),
            (format!("{s} with * 'key=' {a} ' id=' {b} ' '"), Type::String),
            (format!("kind=regex {s} with '.*?(a|b)' {a} 'e' {b}"), Type::String),
            (format!("{s} with {a} '.' {b}"), Type::String),
            (format!("kind=relaxed {s} with 'x=' {a}:long ';y=' {b}"), Type::Long),
        ];
        let (pattern, ty) = self.random.pick(&patterns).clone();
        self.push(op, format!("{op} {pattern}"), vec![], "");
        self.columns.push((a, ty));
        self.columns.push((b, Type::String));
    }

    /// Functions that look at other rows: over rows that are sorted by all their columns.
    fn window(&mut self) {
        self.columns.retain(|(_, t)| !matches!(t, Type::Dynamic | Type::Guid));
        if self.columns.is_empty() {
            self.columns.push(("q".into(), Type::Long));
            self.push("project", "project q = 1", vec![], "");
        }
        let names: Vec<String> = self.columns.iter().map(|(n, _)| n.clone()).collect();
        let keys = names.iter().map(|n| format!("{n} asc")).collect::<Vec<_>>().join(", ");
        let sorted = format!("project {}\n| sort by {keys}\n| ", names.join(", "));
        let mut items = Vec::new();
        let mut new = Vec::new();
        for _ in 0..1 + self.random.below(2) {
            let name = self.fresh();
            let (any, ty) = self.random.pick(&self.columns.clone()).clone();
            let n = self.of(Type::Long);
            let (call, ty) = match (self.random.below(4), n) {
                (0, _) => ("row_number()".to_owned(), Type::Long),
                (1, Some(n)) => (format!("row_cumsum({n})"), Type::Long),
                (2, _) => (format!("prev({any})"), ty),
                _ => (format!("next({any})"), ty),
            };
            items.push(format!("{name} = {call}"));
            new.push((name, ty));
        }
        let op = *self.random.pick(&["serialize", "extend"]);
        let kind = if op == "serialize" { "serialize" } else { "window" };
        self.push(kind, format!("{sorted}{op} "), items, "");
        self.columns.extend(new);
    }

    fn make_series(&mut self) {
        let Some(t) = self.of(Type::Datetime) else { return };
        let by = self.of(Type::String).map_or_else(String::new, |s| {
            if self.random.percent(60) { format!(" by {s}") } else { String::new() }
        });
        let agg = *self.random.pick(&["count()", "dcount(1)", "countif(true)"]);
        let step = *self.random.pick(&["1h", "6h", "1d"]);
        let range = *self
            .random
            .pick(&["from ago(1d) to now()", "from datetime(2026-01-13) to datetime(2026-01-16)"]);
        self.push(
            "make-series",
            format!("make-series c = {agg} default=0 on {t} {range} step {step}{by}"),
            vec![],
            "",
        );
        self.columns = vec![("c".into(), Type::Dynamic)];
    }
}
