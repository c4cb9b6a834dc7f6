//! The record as text for a terminal, and as Markdown.
//!
//! Rules are other people's text: what a terminal or a page would obey is made visible or escaped.

use super::{ExplainRecord, Indicator, Stage};
use ruleferry_diag::render::visible::visible;
use std::fmt::Write as _;

/// Values of one indicator that are shown; the record has all.
const MOST_VALUES: usize = 40;

/// Where the text goes: how headings, lists and quoted text are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Markdown,
}

/// The record for a terminal.
pub fn explain_text(record: &ExplainRecord) -> String {
    Report { form: Form::Text, out: String::new() }.whole(record)
}

/// The record as a page.
pub fn explain_markdown(record: &ExplainRecord) -> String {
    Report { form: Form::Markdown, out: String::new() }.whole(record)
}

struct Report {
    form: Form,
    out: String,
}

impl Report {
    fn whole(mut self, r: &ExplainRecord) -> String {
        self.head(r);
        self.numbered("What it does", &r.prose);
        if !r.stages.is_empty() {
            self.heading("Stages");
            self.stages(&r.stages, 0);
        }
        self.list("Looks for", r.indicators.iter().map(indicator));
        self.list(
            "Leaves out",
            r.exclusions.iter().map(|x| x.all.iter().map(indicator).collect::<Vec<_>>().join(" and ")),
        );
        self.list("Events", r.events.iter().map(indicator));
        self.list(
            "Parameters",
            r.parameters.iter().map(|p| format!("{} = {}{}", p.name, p.value, from(&p.derived_from))),
        );
        self.list(
            "Bindings",
            r.bindings.iter().map(|b| format!("{} ({}){}", b.name, b.kind, from(&b.derived_from))),
        );
        self.list(
            "Outputs",
            r.outputs.iter().map(|o| {
                format!("{} ({}{})", o.field, o.source, if o.returned { "" } else { ", not returned" })
            }),
        );
        let columns: Vec<String> =
            r.columns_returned.iter().map(|c| format!("{}: {}", c.name, c.ty)).collect();
        self.words("Columns returned", &columns);
        self.list(
            "Entities",
            r.entities.iter().map(|e| {
                let fields: Vec<String> = e.fields.iter().map(|(k, v)| format!("{k} = {v}")).collect();
                format!("{}: {}", e.ty, fields.join(", "))
            }),
        );
        self.words("Tables", &r.tables.iter().map(ToString::to_string).collect::<Vec<_>>());
        self.words("Columns read", &r.columns.iter().map(ToString::to_string).collect::<Vec<_>>());
        self.words("Operators", &r.operators.iter().map(ToString::to_string).collect::<Vec<_>>());
        self.words("Functions", &r.functions.iter().map(ToString::to_string).collect::<Vec<_>>());
        self.list("Needs", r.needs.iter().map(|n| format!("{} {}", n.kind, n.name)));
        self.list("Takes for granted", r.assumptions.iter().cloned());
        self.out
    }

    fn head(&mut self, r: &ExplainRecord) {
        let title = r.rule.title.as_deref().unwrap_or(&r.path);
        match self.form {
            Form::Text => {
                let _ = writeln!(self.out, "{}", visible(title));
            }
            Form::Markdown => {
                let _ = writeln!(self.out, "# {}", self.plain(title));
            }
        }
        if let Some(text) = &r.rule.description {
            self.out.push('\n');
            for line in text.lines() {
                let line = self.plain(line.trim());
                let _ = writeln!(self.out, "{line}");
            }
        }
        let mut facts: Vec<(&str, String)> = vec![("Language", r.language.to_owned())];
        let mut fact =
            |key, value: Option<String>| facts.extend(value.filter(|v| !v.is_empty()).map(|v| (key, v)));
        fact("Id", r.rule.id.as_ref().map(ToString::to_string));
        fact("Severity", r.rule.severity.map(str::to_owned));
        fact("Status", r.rule.status.as_ref().map(ToString::to_string));
        fact("Version", r.rule.version.as_ref().map(ToString::to_string));
        fact("Authors", Some(r.rule.authors.join(", ")));
        let source: Vec<String> = r.rule.log_source.iter().map(|(k, v)| format!("{k} {v}")).collect();
        fact("Log source", Some(source.join(", ")));
        fact("Runs every", r.schedule.frequency.clone());
        fact("Looks back", r.schedule.look_back.clone());
        fact("Alerts at", r.schedule.trigger.as_ref().map(|t| format!("{t} rows")));
        fact("False positives", Some(r.rule.false_positives.join("; ")));
        fact("References", Some(r.rule.references.join(" ")));
        fact("Tags", Some(r.rule.tags.join(", ")));
        for (tactic, techniques) in &r.attack {
            let tactic = if tactic.is_empty() { "Technique" } else { tactic };
            let all =
                if techniques.is_empty() { String::new() } else { format!(": {}", techniques.join(", ")) };
            facts.push(("ATT&CK", format!("{tactic}{all}")));
        }
        self.out.push('\n');
        for (key, value) in facts {
            let value = self.plain(&value.split_whitespace().collect::<Vec<_>>().join(" "));
            match self.form {
                Form::Text => {
                    let _ = writeln!(self.out, "{key:<16}{value}");
                }
                Form::Markdown => {
                    let _ = writeln!(self.out, "- **{}**: {value}", key.replace('&', "&amp;"));
                }
            }
        }
    }

    fn heading(&mut self, title: &str) {
        let _ = match self.form {
            Form::Text => writeln!(self.out, "\n{title}:"),
            Form::Markdown => writeln!(self.out, "\n## {title}\n"),
        };
    }

    fn numbered(&mut self, title: &str, items: &[String]) {
        if items.is_empty() {
            return;
        }
        self.heading(title);
        for (i, item) in items.iter().enumerate() {
            let item = self.sentence(item);
            let _ = match self.form {
                Form::Text => writeln!(self.out, "{:>4}. {item}", i + 1),
                Form::Markdown => writeln!(self.out, "{}. {item}", i + 1),
            };
        }
    }

    fn list(&mut self, title: &str, items: impl Iterator<Item = String>) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        self.heading(title);
        for item in items {
            let item = self.plain(&item);
            let _ = match self.form {
                Form::Text => writeln!(self.out, "  {item}"),
                Form::Markdown => writeln!(self.out, "- {item}"),
            };
        }
    }

    fn words(&mut self, title: &str, items: &[String]) {
        if items.is_empty() {
            return;
        }
        self.heading(title);
        let line = self.plain(&items.join(", "));
        let _ = match self.form {
            Form::Text => writeln!(self.out, "  {line}"),
            Form::Markdown => writeln!(self.out, "{line}"),
        };
    }

    fn stages(&mut self, stages: &[Stage], depth: usize) {
        let indent = "   ".repeat(depth);
        for stage in stages {
            let steps = if stage.steps > 1 { format!(" ×{}", stage.steps) } else { String::new() };
            let kind = self.plain(&stage.kind);
            let lines: Vec<&str> = if stage.predicates.is_empty() || !stage.branches.is_empty() {
                stage.text.lines().collect()
            } else {
                stage.predicates.iter().map(String::as_str).collect()
            };
            match self.form {
                Form::Text => {
                    let _ = writeln!(self.out, "{indent}{:>4}. {kind}{steps}", stage.index);
                    for line in lines {
                        let _ = writeln!(self.out, "{indent}      {}", visible(line));
                    }
                    for note in &stage.notes {
                        let _ = writeln!(self.out, "{indent}      ({})", visible(note));
                    }
                }
                Form::Markdown => {
                    let _ = writeln!(self.out, "{indent}{}. **{kind}**{steps}", stage.index);
                    for line in lines {
                        let _ = writeln!(self.out, "{indent}   - {}", code(line));
                    }
                    for note in &stage.notes {
                        let note = self.sentence(note);
                        let _ = writeln!(self.out, "{indent}   - *{note}*");
                    }
                }
            }
            for branch in &stage.branches {
                self.stages(branch, depth + 1);
            }
        }
    }

    /// Text of a rule where no markup is meant.
    fn plain(&self, text: &str) -> String {
        let text = visible(text);
        match self.form {
            Form::Text => text.into_owned(),
            Form::Markdown => escaped(&text),
        }
    }

    /// A sentence of ours, with quoted pieces of the rule in it.
    fn sentence(&self, text: &str) -> String {
        match self.form {
            Form::Text => visible(text).into_owned(),
            // Every other piece is the rule's; one that holds a backtick itself shifts them, and then all are escaped.
            Form::Markdown => {
                let pieces: Vec<&str> = text.split('`').collect();
                if pieces.len().is_multiple_of(2) {
                    return escaped(&visible(text));
                }
                let mut out = String::new();
                for (i, piece) in pieces.iter().enumerate() {
                    out.push_str(&if i % 2 == 1 { code(piece) } else { escaped(&visible(piece)) });
                }
                out
            }
        }
    }
}

fn from(names: &[smol_str::SmolStr]) -> String {
    if names.is_empty() { String::new() } else { format!(" (derived from {})", names.join(", ")) }
}

fn indicator(i: &Indicator) -> String {
    let word = match i.kind.as_str() {
        "is_null" => return format!("{} has no value", i.field),
        "is_not_null" => return format!("{} has a value", i.field),
        "condition" => return i.field.clone(),
        other => other,
    };
    let mut values: Vec<String> = i.values.iter().take(MOST_VALUES).map(|v| format!("\"{v}\"")).collect();
    if i.values.len() > MOST_VALUES {
        values.push(format!("… and {} more", i.values.len() - MOST_VALUES));
    }
    format!("{} {word} {}", i.field, values.join(", "))
}

/// A code span that holds any text.
fn code(text: &str) -> String {
    let text = visible(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    if text.is_empty() { String::new() } else { format!("{fence}{space}{text}{space}{fence}") }
}

/// Text without markup, in Markdown and in the HTML that it may become.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}
