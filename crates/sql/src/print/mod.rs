//! The printer: sqlparser's tree in, text that a reviewer reads with pleasure out.
//!
//! The skeleton of a statement (WITH, SELECT, FROM, JOIN, WHERE, GROUP BY …) gets a line for each clause; chains of AND and OR,
//! long lists, long calls and CASE are broken; all that fits on a line stays on one. What is not laid out here is printed by
//! sqlparser itself. Printed text reads back as the same tree.

mod expr;
mod flat;

use crate::lower::Script;
use flat::{Flat, Line};
use sqlparser::ast::{
    Cte, CteAsMaterialized, Distinct, Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, LimitClause,
    OrderByExpr, OrderByKind, Query, Select, SelectItem, SetExpr, SetOperator, SetQuantifier, TableFactor,
    TableWithJoins, WildcardAdditionalOptions,
};
use std::fmt::{self, Write};

/// Lines are broken where they would get longer.
const WIDTH: usize = 110;
const STEP: usize = 4;
/// Trees deeper than this are printed without layout, so that recursion has a bound.
const MAX_DEPTH: usize = 120;
/// Bytes that most scripts fit in.
const TYPICAL: usize = 4096;

/// The whole script: header, macros, query.
pub fn print(script: &Script) -> String {
    let mut out = String::with_capacity(TYPICAL);
    for line in script.header.iter().flat_map(|l| l.lines()) {
        // A comment ends with its line, whatever the text holds.
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        out.push_str("-- ");
        out.push_str(line.trim_end());
        out.push('\n');
    }
    for m in &script.macros {
        out.push_str(m.text.trim());
        out.push_str("\n\n");
    }
    let mut p = Printer { out, indent: 0, depth: 0 };
    p.query(&script.select);
    p.write(";\n");
    p.out
}

/// One query, without a semicolon.
pub fn print_query(query: &Query) -> String {
    let mut p = Printer { out: String::with_capacity(TYPICAL), indent: 0, depth: 0 };
    p.query(query);
    p.out
}

struct Printer {
    out: String,
    indent: usize,
    depth: usize,
}

impl Printer {
    fn write(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn line(&mut self) {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', self.indent));
    }

    /// The width that is left on this line.
    fn room(&self) -> usize {
        let used = self.out.rsplit('\n').next().map_or(0, |l| l.chars().count());
        WIDTH.saturating_sub(used)
    }

    /// Prints on this line if it fits; else says so.
    fn fits(&mut self, item: &dyn fmt::Display, reserve: usize) -> bool {
        let (start, left) = (self.out.len(), self.room().saturating_sub(reserve));
        let fits = write!(Short { text: &mut self.out, left }, "{item}").is_ok();
        if !fits {
            self.out.truncate(start);
        }
        fits
    }

    fn flat(&mut self, item: &dyn fmt::Display) {
        // Writing to a string does not fail.
        let _ = write!(self.out, "{item}");
    }

    fn indented(&mut self, f: impl FnOnce(&mut Self)) {
        self.indent += STEP;
        f(self);
        self.indent -= STEP;
    }

    fn query(&mut self, query: &Query) {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.flat(query);
            self.depth -= 1;
            return;
        }
        if let Some(with) = &query.with {
            self.write(if with.recursive { "WITH RECURSIVE " } else { "WITH " });
            for (i, cte) in with.cte_tables.iter().enumerate() {
                if i > 0 {
                    self.write(",");
                    self.line();
                    self.line();
                }
                self.cte(cte);
            }
            self.line();
            self.line();
        }
        self.set_expr(&query.body);
        if let Some(order) = &query.order_by {
            self.line();
            self.write("ORDER BY ");
            match &order.kind {
                OrderByKind::Expressions(keys) => {
                    self.open_list(keys, Self::order_key);
                }
                OrderByKind::All(options) => {
                    self.write("ALL");
                    self.flat(options);
                }
            }
        }
        if let Some(limit) = &query.limit_clause {
            self.line();
            match limit {
                LimitClause::LimitOffset { limit: Some(limit), offset: None, limit_by }
                    if limit_by.is_empty() =>
                {
                    self.write("LIMIT ");
                    self.expr(limit);
                }
                other => {
                    let text = other.to_string();
                    self.write(text.trim_start());
                }
            }
        }
        if let Some(settings) = &query.settings {
            self.line();
            self.write("SETTINGS ");
            for (i, setting) in settings.iter().enumerate() {
                if i > 0 {
                    self.write(", ");
                }
                self.flat(setting);
            }
        }
        self.depth -= 1;
    }

    fn cte(&mut self, cte: &Cte) {
        self.flat(&cte.alias);
        self.write(" AS ");
        match cte.materialized {
            Some(CteAsMaterialized::Materialized) => self.write("MATERIALIZED "),
            Some(CteAsMaterialized::NotMaterialized) => self.write("NOT MATERIALIZED "),
            None => {}
        }
        self.parenthesised(&cte.query);
    }

    /// `(` query `)` with the query on lines of its own.
    fn parenthesised(&mut self, query: &Query) {
        self.write("(");
        self.indented(|p| {
            p.line();
            p.query(query);
        });
        self.line();
        self.write(")");
    }

    fn set_expr(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.parenthesised(query),
            SetExpr::SetOperation { .. } => self.set_operation(body),
            SetExpr::Values(values) => {
                self.write("VALUES");
                self.indented(|p| {
                    for (i, row) in values.rows.iter().enumerate() {
                        if i > 0 {
                            p.write(",");
                        }
                        p.line();
                        p.write("(");
                        p.list(&row.content, Self::expr);
                        p.write(")");
                    }
                });
            }
            other => self.flat(other),
        }
    }

    /// A chain of the same operation, without recursion along it.
    fn set_operation(&mut self, body: &SetExpr) {
        let mut todo: Vec<(Option<String>, &SetExpr)> = vec![(None, body)];
        while let Some((word, part)) = todo.pop() {
            if let SetExpr::SetOperation { left, op, set_quantifier, right } = part {
                let mut own = op.to_string();
                if *set_quantifier != SetQuantifier::None {
                    own.push(' ');
                    own.push_str(&set_quantifier.to_string());
                }
                // `a UNION ALL (b UNION ALL c)` would need parentheses; all our chains are of one associative operation.
                debug_assert_eq!(*op, SetOperator::Union);
                todo.push((Some(own), right));
                todo.push((word, left));
                continue;
            }
            if let Some(word) = word {
                self.line();
                self.write(&word);
                self.line();
            }
            self.set_expr(part);
        }
    }

    fn select(&mut self, select: &Select) {
        let laid_out = select.top.is_none()
            && select.into.is_none()
            && select.lateral_views.is_empty()
            && select.prewhere.is_none()
            && select.connect_by.is_empty()
            && select.cluster_by.is_empty()
            && select.distribute_by.is_empty()
            && select.sort_by.is_empty()
            && select.named_window.is_empty()
            && select.value_table_mode.is_none()
            && select.exclude.is_none()
            && select.select_modifiers.is_none();
        if !laid_out {
            return self.flat(select);
        }
        self.write("SELECT ");
        match &select.distinct {
            None | Some(Distinct::All) => {}
            Some(Distinct::Distinct) => self.write("DISTINCT "),
            Some(Distinct::On(keys)) => {
                self.write("DISTINCT ON (");
                self.list(keys, Self::expr);
                self.write(") ");
            }
        }
        self.select_list(&select.projection);
        if !select.from.is_empty() {
            self.line();
            self.write("FROM ");
            self.open_list(&select.from, Self::from);
        }
        if let Some(test) = &select.selection {
            self.line();
            self.write("WHERE ");
            self.condition(test);
        }
        match &select.group_by {
            GroupByExpr::All(modifiers) if modifiers.is_empty() => {
                self.line();
                self.write("GROUP BY ALL");
            }
            GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => {
                if !keys.is_empty() {
                    self.line();
                    self.write("GROUP BY ");
                    self.open_list(keys, Self::expr);
                }
            }
            other => {
                self.line();
                self.flat(other);
            }
        }
        if let Some(test) = &select.having {
            self.line();
            self.write("HAVING ");
            self.condition(test);
        }
        if let Some(test) = &select.qualify {
            self.line();
            self.write("QUALIFY ");
            self.condition(test);
        }
    }

    /// The SELECT list: on one line if it is short, else one item a line.
    fn select_list(&mut self, items: &[SelectItem]) {
        if let [only] = items {
            return self.select_item(only);
        }
        if items.len() <= 8 && items.iter().all(simple_item) && self.fits(&Joined(items), 0) {
            return;
        }
        self.indented(|p| {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    p.write(",");
                }
                p.line();
                p.select_item(item);
            }
        });
    }

    fn select_item(&mut self, item: &SelectItem) {
        if self.fits(&Line(item), 1) {
            return;
        }
        match item {
            SelectItem::UnnamedExpr(e) => self.expr(e),
            SelectItem::ExprWithAlias { expr, alias } => {
                self.expr(expr);
                self.write(" AS ");
                self.flat(alias);
            }
            SelectItem::Wildcard(options) => {
                self.write("*");
                self.star_options(options);
            }
            SelectItem::QualifiedWildcard(kind, options) => {
                self.flat(kind);
                self.star_options(options);
            }
            other => self.flat(other),
        }
    }

    fn star_options(&mut self, options: &WildcardAdditionalOptions) {
        if let Some(exclude) = &options.opt_exclude {
            self.write(" ");
            match exclude {
                sqlparser::ast::ExcludeSelectItem::Multiple(names) => {
                    self.write("EXCLUDE (");
                    self.list(names, |p, n| p.flat(n));
                    self.write(")");
                }
                other @ sqlparser::ast::ExcludeSelectItem::Single(_) => self.flat(other),
            }
        }
        if let Some(replace) = &options.opt_replace {
            self.write(" REPLACE (");
            self.list(&replace.items, |p, item| {
                p.expr(&item.expr);
                p.write(" AS ");
                p.flat(&item.column_name);
            });
            self.write(")");
        }
        if let Some(rename) = &options.opt_rename {
            self.write(" ");
            self.flat(rename);
        }
    }

    fn from(&mut self, item: &TableWithJoins) {
        self.factor(&item.relation);
        for join in &item.joins {
            self.join(join);
        }
    }

    fn join(&mut self, join: &Join) {
        self.line();
        let (words, constraint) = match &join.join_operator {
            JoinOperator::Join(c) => ("JOIN", Some(c)),
            JoinOperator::Inner(c) => ("INNER JOIN", Some(c)),
            JoinOperator::Left(c) => ("LEFT JOIN", Some(c)),
            JoinOperator::LeftOuter(c) => ("LEFT OUTER JOIN", Some(c)),
            JoinOperator::Right(c) => ("RIGHT JOIN", Some(c)),
            JoinOperator::RightOuter(c) => ("RIGHT OUTER JOIN", Some(c)),
            JoinOperator::FullOuter(c) => ("FULL JOIN", Some(c)),
            JoinOperator::Semi(c) => ("SEMI JOIN", Some(c)),
            JoinOperator::Anti(c) => ("ANTI JOIN", Some(c)),
            JoinOperator::CrossJoin(c) => ("CROSS JOIN", Some(c)),
            other => {
                let whole = Join { join_operator: other.clone(), ..join.clone() };
                let text = whole.to_string();
                return self.write(text.trim_start());
            }
        };
        self.write(words);
        self.write(" ");
        self.factor(&join.relation);
        match constraint {
            Some(JoinConstraint::On(test)) => {
                self.indented(|p| {
                    if !p.fits(&On(test), 0) {
                        p.line();
                        p.write("ON ");
                        p.condition(test);
                    }
                });
            }
            Some(JoinConstraint::Using(names)) => {
                self.write(" USING (");
                self.list(names, |p, n| p.flat(n));
                self.write(")");
            }
            Some(JoinConstraint::Natural | JoinConstraint::None) | None => {}
        }
    }

    fn factor(&mut self, factor: &TableFactor) {
        match factor {
            TableFactor::Derived { lateral, subquery, alias, sample: None } => {
                if *lateral {
                    self.write("LATERAL ");
                }
                self.parenthesised(subquery);
                if let Some(alias) = alias {
                    self.write(" ");
                    self.flat(alias);
                }
            }
            other => self.flat(other),
        }
    }

    fn order_key(&mut self, key: &OrderByExpr) {
        self.expr(&key.expr);
        self.flat(&key.options);
    }

    /// Items with commas inside of parentheses, which close on a line of their own if the items do not fit on this one.
    fn list<T: Flat>(&mut self, items: &[T], each: impl FnMut(&mut Self, &T)) {
        if self.open_list(items, each) {
            self.line();
        }
    }

    /// Items with commas: on this line if they fit, else wrapped to lines that are as full as they get. Says whether it wrapped.
    fn open_list<T: Flat>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) -> bool {
        if items.is_empty() || items.len() > 1 && self.fits(&Joined(items), 1) {
            return false;
        }
        if let [only] = items {
            each(self, only);
            return false;
        }
        self.indented(|p| {
            p.line();
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    p.write(",");
                    if !short(&Line(item), p.room().saturating_sub(2)) {
                        p.line();
                    } else {
                        p.write(" ");
                    }
                }
                each(p, item);
            }
        });
        true
    }
}

/// Writes until the room is used up, or the line ends.
struct Short<'a> {
    text: &'a mut String,
    left: usize,
}

impl Write for Short<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        // Characters begin with a byte that continues none; most texts are too short for anything cleverer.
        let (mut n, mut ends) = (0, false);
        for b in s.bytes() {
            n += usize::from(b & 0xC0 != 0x80);
            ends |= b == b'\n';
        }
        if n > self.left || ends {
            return Err(fmt::Error);
        }
        self.left -= n;
        self.text.push_str(s);
        Ok(())
    }
}

/// Counts until the room is used up.
struct Count(usize);

impl Write for Count {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.0 = self.0.checked_sub(s.chars().count()).ok_or(fmt::Error)?;
        Ok(())
    }
}

fn short(item: &dyn fmt::Display, width: usize) -> bool {
    write!(Count(width), "{item}").is_ok()
}

struct Joined<'a, T>(&'a [T]);

impl<T: Flat> fmt::Display for Joined<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, item) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            item.flat(f)?;
        }
        Ok(())
    }
}

struct On<'a>(&'a Expr);

impl fmt::Display for On<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " ON {}", Line(self.0))
    }
}

/// Columns, aliases and short calls may share a line.
fn simple_item(item: &SelectItem) -> bool {
    match item {
        SelectItem::UnnamedExpr(e) | SelectItem::ExprWithAlias { expr: e, .. } => {
            !matches!(e, Expr::Case { .. } | Expr::Subquery(_)) && short(&Line(e), 40)
        }
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => true,
        _ => false,
    }
}
