//! Rules and their sections.

use super::super::literal::{Duration, Text, write_quoted};
use super::super::tree::{
    Export, Expr, ExprKind, File, Match, Meta, Name, Outcome, Rule, Section, Setting, SettingValue, Setup,
    SetupKind, WindowKind,
};
use super::Printer;
use super::expr::{Level, write_text};

impl Printer<'_> {
    pub(super) fn file(&mut self, file: &File) {
        for (i, rule) in file.rules.iter().enumerate() {
            let start = rule.span.0.start;
            if i > 0 {
                self.trailing_comments(start);
                self.blank_line();
            }
            self.own_comments(start);
            if !self.out.is_empty() {
                self.newline();
            }
            self.rule(rule);
        }
        self.comments_before(u32::MAX);
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    pub(super) fn rule(&mut self, rule: &Rule) {
        self.put("rule ");
        self.put(&rule.name.text);
        self.put(" {");
        self.indented(|p| p.sections(rule));
        self.newline();
        self.put("}");
    }

    fn sections(&mut self, rule: &Rule) {
        let mut first = true;
        for section in Section::ALL {
            if !present(rule, section) {
                continue;
            }
            let head = rule.heads.at.get(section as usize).copied().flatten().unwrap_or(0);
            self.trailing_comments(head);
            if !first {
                self.blank_line();
            }
            first = false;
            self.own_comments(head);
            self.newline();
            self.put(section.word());
            self.put(":");
            self.indented(|p| p.section(rule, section));
        }
        self.comments_before(rule.heads.end.unwrap_or(0));
    }

    fn section(&mut self, rule: &Rule, section: Section) {
        match section {
            Section::Meta => self.entries(&rule.meta, |m| m.span.0.start, Self::meta),
            Section::Setup => self.entries(&rule.setup, |s| s.span.0.start, Self::setup),
            Section::Events => self.entries(&rule.events, |e| e.span.0.start, Self::predicate),
            Section::Match => self.entries(rule.matching.as_slice(), |m| m.span.0.start, Self::matching),
            Section::Outcome => self.entries(&rule.outcome, |o| o.span.0.start, Self::outcome),
            Section::Condition => {
                let write = |p: &mut Self, e: &Expr| p.expr(e, Level::Or);
                self.entries(rule.condition.as_slice(), |e| e.span.0.start, write);
            }
            Section::Options => self.entries(&rule.options, |o| o.span.0.start, Self::setting),
            Section::Export => self.entries(&rule.export, |e| e.span.0.start, Self::export),
        }
    }

    fn entries<T>(&mut self, entries: &[T], start: impl Fn(&T) -> u32, write: impl Fn(&mut Self, &T)) {
        for entry in entries {
            self.comments_before(start(entry));
            self.newline();
            write(self, entry);
        }
    }

    fn variable(&mut self, name: &Name) {
        self.put("$");
        self.put(&name.text);
    }

    fn duration(&mut self, duration: Duration) {
        self.leaf(|out| super::expr::write_duration(out, duration));
    }

    fn text(&mut self, text: &Text) {
        self.leaf(|out| write_text(out, text));
    }

    fn meta(&mut self, meta: &Meta) {
        self.put(&meta.key.text);
        self.put(" = ");
        self.text(&meta.value);
    }

    fn setup(&mut self, setup: &Setup) {
        let (name, condition) = match &setup.kind {
            SetupKind::GraphAppend { variable, table } => {
                self.put("graph_append [");
                self.variable(variable);
                self.put(", %");
                self.put(&table.text);
                self.put("]");
                return;
            }
            SetupKind::GraphOverride(condition) => ("graph_override(", condition),
            SetupKind::GraphExclude(condition) => ("graph_exclude(", condition),
        };
        self.put(name);
        self.expr(condition, Level::Or);
        self.put(")");
    }

    /// Predicates stand beside each other without a separator: one of alternatives stands in parentheses, so that
    /// the eye does not have to know how far `or` reaches, and one that begins with a bracket would go on the
    /// field before it.
    fn predicate(&mut self, predicate: &Expr) {
        let grouped = matches!(predicate.kind, ExprKind::Or(_)) || begins_with_bracket(predicate);
        self.expr(predicate, if grouped { Level::Grouped } else { Level::Or });
    }

    fn matching(&mut self, matching: &Match) {
        for (i, key) in matching.keys.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.variable(key);
        }
        let Some(window) = &matching.window else { return };
        let (word, pivot) = match &window.kind {
            WindowKind::Hop => (" over ", None),
            WindowKind::After(pivot) => (" over ", Some((" after ", pivot))),
            WindowKind::Before(pivot) => (" over ", Some((" before ", pivot))),
            WindowKind::Tumbling => (" by ", None),
        };
        self.put(word);
        self.duration(window.length);
        if let Some((side, pivot)) = pivot {
            self.put(side);
            self.variable(pivot);
        }
    }

    fn outcome(&mut self, outcome: &Outcome) {
        self.variable(&outcome.name);
        self.put(" = ");
        self.expr(&outcome.value, Level::Sum);
    }

    fn setting(&mut self, setting: &Setting) {
        self.put(&setting.name.text);
        self.put(" = ");
        match &setting.value {
            SettingValue::Bool(value) => self.put(if *value { "true" } else { "false" }),
            SettingValue::Duration(duration) => self.duration(*duration),
            SettingValue::Number(number) => self.put(number),
            SettingValue::Text(text) => self.leaf(|out| write_quoted(out, &text.value)),
        }
    }

    fn export(&mut self, export: &Export) {
        self.put("%");
        self.put(&export.table.text);
        self.put(".write_row(");
        self.indented(|p| {
            for (i, (name, value)) in export.columns.iter().enumerate() {
                p.comments_before(name.span.0.start);
                p.newline();
                p.put(&name.text);
                p.put(": ");
                p.expr(value, Level::Sum);
                if i + 1 < export.columns.len() {
                    p.put(",");
                }
            }
        });
        self.newline();
        self.put(")");
    }
}

fn present(rule: &Rule, section: Section) -> bool {
    match section {
        Section::Meta => !rule.meta.is_empty(),
        Section::Setup => !rule.setup.is_empty(),
        Section::Events => !rule.events.is_empty(),
        Section::Match => rule.matching.is_some(),
        Section::Outcome => !rule.outcome.is_empty(),
        Section::Condition => rule.condition.is_some(),
        Section::Options => !rule.options.is_empty(),
        Section::Export => !rule.export.is_empty(),
    }
}

fn begins_with_bracket(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Array(_) => true,
        ExprKind::Arith { first, .. } => begins_with_bracket(first),
        ExprKind::Compare(compare) => begins_with_bracket(&compare.left),
        ExprKind::In(lookup) => begins_with_bracket(&lookup.operand),
        ExprKind::IsNull { operand, .. } => begins_with_bracket(operand),
        ExprKind::NoCase(operand) => begins_with_bracket(operand),
        ExprKind::And(operands) | ExprKind::Or(operands) => operands.first().is_some_and(begins_with_bracket),
        ExprKind::Field(_)
        | ExprKind::Quantified { .. }
        | ExprKind::Count(_)
        | ExprKind::Text(_)
        | ExprKind::Regex(_)
        | ExprKind::Number(_)
        | ExprKind::Bool(_)
        | ExprKind::Duration(_)
        | ExprKind::Word(_)
        | ExprKind::TableColumn { .. }
        | ExprKind::WindowStart
        | ExprKind::WindowEnd
        | ExprKind::Call(_)
        | ExprKind::Not(_)
        | ExprKind::Bang(_)
        | ExprKind::Error => false,
    }
}
