//! Operators that rules have seldom.

use super::steps::Generator;
use ruleferry_ir::Type;

impl Generator<'_> {
    pub(super) fn rare(&mut self) {
        match self.random.below(20) {
            0 => {
                let n = 1 + self.random.below(4);
                self.push("sample", format!("sample {n}"), vec![], "");
                self.done = true;
            }
            1 => {
                if let Some((name, _)) = self.any(|t| t != Type::Dynamic) {
                    let n = 1 + self.random.below(3);
                    self.push("sample-distinct", format!("sample-distinct {n} of {name}"), vec![], "");
                    self.done = true;
                }
            }
            2 => {
                self.push("getschema", "getschema", vec![], "");
                self.learn();
            }
            3 => {
                let kind = (*self.random.pick(&["table", "timechart", "barchart"])).to_owned();
                self.push("render", format!("render {kind}"), vec![], "");
                self.done = true;
            }
            4 => self.top_nested(),
            5 => self.scan(),
            6 | 7 => self.pivot(),
            8 | 17 => self.bag_unpack(),
            9 => {
                self.push("evaluate narrow", "evaluate narrow()", vec![], "");
                self.learn();
            }
            10 => {
                self.push("distinct *", "distinct *", vec![], "");
            }
            11 => {
                let mut keys = Vec::new();
                let mut columns = Vec::new();
                for _ in 0..2 {
                    if let Some(c) = self.any(|t| t != Type::Dynamic)
                        && !columns.contains(&c)
                    {
                        keys.push(c.0.clone());
                        columns.push(c);
                    }
                }
                if !keys.is_empty() {
                    self.push("summarize by", "summarize by ", keys, "");
                }
            }
            12 => {
                if let Some((by, _)) = self.any(|t| matches!(t, Type::Long | Type::Datetime | Type::Real)) {
                    let key = self.of(Type::String).map_or_else(String::new, |k| format!(" by {k}"));
                    let call =
                        if self.pct(50) { format!("arg_max({by}, *)") } else { "take_any(*)".to_owned() };
                    self.push("summarize *", "summarize ", vec![call], key);
                    self.done = true;
                }
            }
            13 => self.partition(),
            14 => self.series(),
            15 | 18 => self.expand_two(),
            16 => self.self_join(),
            _ => {
                let word = self.word();
                if self.columns.iter().any(|(_, t)| *t == Type::String) {
                    self.push("search of rows", format!("search {word}"), vec![], "");
                }
            }
        }
    }

    /// Its ranking of groups has no SQL: only the evaluator runs it.
    fn top_nested(&mut self) {
        let Some((key, _)) = self.any(|t| matches!(t, Type::String | Type::Long | Type::Bool)) else {
            return;
        };
        let by = match self.of(Type::Long) {
            Some(n) if self.pct(50) => format!("sum({n})"),
            _ => "count()".to_owned(),
        };
        let mut items = vec![format!("top-nested 2 of {key} by {by}")];
        if let Some((second, _)) = self.any(|t| matches!(t, Type::Long | Type::Bool | Type::Datetime))
            && second != key
            && self.pct(50)
        {
            items.push(format!("top-nested 1 of {second} by count()"));
        }
        self.push("top-nested", "", items, "");
        self.done = true;
    }

    /// States of a sequence have no SQL either.
    fn scan(&mut self) {
        let Some(n) = self.of(Type::Long) else { return };
        let order = self.order().join(", ");
        let step = self.fresh();
        let steps = if self.pct(50) {
            format!("step s1: true => {step} = s1.{step} + 1;")
        } else {
            format!("step s1: {n} > 1 => {step} = {n}; step s2: {n} <= 1 => {step} = s1.{step};")
        };
        let head = format!("sort by {order}\n| scan declare ({step}: long = 0) with ({steps})");
        self.push("scan", head, vec![], "");
        self.done = true;
    }

    fn pivot(&mut self) {
        let Some(pivoted) = self.of(Type::String) else { return };
        let number = self.of(Type::Long);
        let real = self.of(Type::Real);
        let (call, ty) = match (self.random.below(5), number, real) {
            (0, Some(n), _) => (format!("sum({n})"), "long"),
            (1, Some(n), _) => (format!("max({n})"), "long"),
            (2, _, Some(r)) => (format!("avg({r})"), "real"),
            (3, Some(n), _) => (format!("dcount({n})"), "long"),
            _ => ("count()".to_owned(), "long"),
        };
        let key = self.any(|t| matches!(t, Type::Bool | Type::Long | Type::Datetime));
        let (by, column) = match key.filter(|(k, _)| !call.contains(k.as_str())) {
            Some((k, t)) => (format!(", {k}"), format!("{k}: {t}, ")),
            None => return,
        };
        let schema = format!("({column}alpha: {ty}, beta: {ty})");
        self.push("evaluate pivot", format!("evaluate pivot({pivoted}, {call}{by}) : {schema}"), vec![], "");
        self.learn();
    }

    fn bag_unpack(&mut self) {
        let Some(j) = self.of(Type::Dynamic) else { return };
        let mut kept = vec![j.clone()];
        let mut schema = Vec::new();
        if let Some((name, ty)) = self.any(|t| !matches!(t, Type::Dynamic | Type::Guid))
            && !matches!(name.as_str(), "a" | "b" | "c")
        {
            schema.push(format!("{name}: {ty}"));
            kept.push(name);
        }
        let b = *self.random.pick(&["string", "dynamic"]);
        schema.extend(["a: dynamic".to_owned(), format!("b: {b}")]);
        // Bags alone are unpacked, beside columns that no member is named as.
        let head = format!(
            "where gettype({j}) == 'dictionary'\n| project {}\n| evaluate bag_unpack({j}) : ({})",
            kept.join(", "),
            schema.join(", ")
        );
        self.push("evaluate bag_unpack", head, vec![], "");
        self.learn();
    }

    fn partition(&mut self) {
        let Some((key, _)) = self.any(|t| matches!(t, Type::String | Type::Long)) else { return };
        let name = self.fresh();
        let body = match (self.random.below(3), self.of(Type::Long)) {
            (0, Some(n)) => format!("where {n} > 1"),
            (1, _) => format!("extend {name} = strlen(tostring({key}))"),
            (_, n) => {
                self.done = true;
                format!("top 1 by {}", n.unwrap_or_else(|| key.clone()))
            }
        };
        self.push("partition rows", format!("partition by {key} ( {body} )"), vec![], "");
    }

    fn series(&mut self) {
        let Some(t) = self.of(Type::Datetime) else { return };
        let n = self.of(Type::Long).unwrap_or_else(|| "1".to_owned());
        let r = self.of(Type::Real).unwrap_or_else(|| "1.5".to_owned());
        let call = match self.random.below(6) {
            0 => format!("sum({n})"),
            1 => format!("max({n}) default=-1"),
            2 => format!("avg({r}) default=0.0"),
            3 => format!("min({r})"),
            4 => format!("avg({r})"),
            _ => format!("count() , y = sum({r}) default=1.5"),
        };
        let kind = if self.pct(20) { "kind=nonempty " } else { "" };
        let by = match self.any(|t| matches!(t, Type::Bool | Type::String)) {
            Some((k, _)) if self.pct(50) => format!(" by {k}"),
            _ => String::new(),
        };
        let head = format!(
            "make-series {kind}c = {call} on {t} from datetime(2026-01-15T00:00:00Z) to datetime(2026-01-16) step 6h{by}"
        );
        self.push("make-series of values", head, vec![], "");
    }

    /// Two arrays side by side, the shorter one filled up.
    fn expand_two(&mut self) {
        let Some(j) = self.of(Type::Dynamic) else { return };
        let name = self.fresh();
        let other = self.expr(Type::Dynamic, 1);
        self.push("mv-expand of two", format!("mv-expand {j}, {name} = {other}"), vec![], "");
    }

    /// The rows so far with those of another table whose key has another name.
    fn self_join(&mut self) {
        let Some(s) = self.of(Type::String) else { return };
        let kind = *self.random.pick(&["inner", "leftouter", "leftanti"]);
        let right = *self.random.pick(&["T2", "T3", "T3 | summarize c = count(), a = avg(r) by k"]);
        let head = format!("join kind={kind} ({right}) on $left.{s} == $right.k");
        self.push("join of other names", head, vec![], "");
    }
}
