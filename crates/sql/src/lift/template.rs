//! Function templates read backwards: an expression that is a template of the target's data with its places filled is the function
//! of the catalogue that the template writes.
//!
//! That trusts the table, which is checked against the engine by the documented results and the differential runs; what a template
//! gives for NULL is its `nulls`.

use super::block::Block;
use super::nulls::{Nulls, null_where};
use super::unify::{self, Holes};
use super::{Lifter, Place, Result, Val, heads};
use ruleferry_diag::Span;
use ruleferry_ir::functions::{self, FunctionDef, FunctionKind};
use ruleferry_ir::{self as ir, ArithmeticOp, Expr, ExprKind, Type};
use ruleferry_targets::sql::{self, ArgType, Nulls as TemplateNulls, Template};
use sqlparser::ast;

impl<'q> Lifter<'q> {
    /// The function of the catalogue that an expression is.
    pub(super) fn template_value(&mut self, block: &mut Block<'q>, e: &'q ast::Expr) -> Result<Option<Val>> {
        let Some((head, _)) = unify::shape(e) else { return Ok(None) };
        let mut last = None;
        for (pattern, template) in heads::functions(self.data, &head) {
            let mut holes = Holes::default();
            if !unify::unify(&pattern.tree, e, &mut holes) || !self.defines(template.macros) {
                continue;
            }
            match self.filled(block, template, &holes) {
                Ok(Some(args)) => match self.function_value(template, args, e) {
                    Ok(Some(val)) => return Ok(Some(val)),
                    Ok(None) => {}
                    Err(refusal) => last = Some(refusal),
                },
                Ok(None) => {}
                Err(refusal) => last = Some(refusal),
            }
        }
        last.map_or(Ok(None), Err)
    }

    /// Whether the script has the macros that a template calls.
    pub(super) fn defines(&self, macros: &[&str]) -> bool {
        macros.iter().all(|m| self.macros.contains(*m))
    }

    /// The arguments, if they are of the types that the template is for.
    pub(super) fn filled(
        &mut self,
        block: &mut Block<'q>,
        template: &'static Template,
        holes: &Holes<'q>,
    ) -> Result<Option<Vec<Val>>> {
        let mut args = Vec::with_capacity(holes.places.len());
        let given = holes.places.iter().map(|p| p.as_ref()).chain(holes.rest.iter().flatten().map(Some));
        for (i, place) in given.enumerate() {
            let Some(e) = place else { return Ok(None) };
            args.push(self.argument(block, template, i, e)?);
        }
        // An argument that the template leaves out.
        if let Some((_, constant)) = LEFT_OUT.iter().find(|(name, _)| *name == template.name) {
            args.push(super::literal::text_literal(constant));
        }
        let types: Vec<Type> = args.iter().map(|a| a.e.ty).collect();
        let chosen = sql::select(self.data.functions(template.name), &types);
        Ok(chosen.is_some_and(|c| c.id == template.id || c.sql == template.sql).then_some(args))
    }

    /// An argument; a time that becomes part of a dynamic value is written as its text.
    pub(super) fn argument(
        &mut self,
        block: &mut Block<'q>,
        template: &Template,
        at: usize,
        e: &'q ast::Expr,
    ) -> Result<Val> {
        let wanted = template.args.and_then(|args| match args.get(at).or(args.last()) {
            Some(ArgType::Repeat) => args.iter().rev().nth(1),
            other => other,
        });
        let e = match wanted {
            Some(ArgType::Is(_)) => e,
            Some(ArgType::Any | ArgType::Repeat) | None => timed(e).unwrap_or(e),
        };
        self.deeper(|l| l.value(block, e))
    }

    fn function_value(
        &mut self,
        template: &'static Template,
        args: Vec<Val>,
        node: &'q ast::Expr,
    ) -> Result<Option<Val>> {
        let name = template.name;
        if let Some(to) = name.strip_prefix("cast.").or(name.strip_prefix("value.")) {
            let Some(to) = Type::parse(to) else { return Ok(None) };
            let Some(arg) = args.into_iter().next() else { return Ok(None) };
            return self.cast_value(template, arg, to, node).map(Some);
        }
        if let Some(op) = name.strip_prefix("arith.") {
            let op = match op {
                "add" => ArithmeticOp::Add,
                "sub" => ArithmeticOp::Sub,
                "mul" => ArithmeticOp::Mul,
                "div" => ArithmeticOp::Div,
                "mod" => ArithmeticOp::Mod,
                _ => return Ok(None),
            };
            let [left, right] = args.as_slice() else { return Ok(None) };
            return Ok(Some(self.arithmetic_value(op, left.clone(), right.clone(), node)?));
        }
        if name == "extract_json" && args.first().is_some_and(|a| a.e.as_literal().is_some()) {
            return self.json_of_text(args, node);
        }
        match name {
            "match.term"
            | "match.term_cs"
            | "match.term_prefix"
            | "match.term_prefix_cs"
            | "match.term_suffix"
            | "match.term_suffix_cs"
            | "match.any_term"
            | "match.all_terms"
            | "match.regex"
            | "match.regex_cs"
            | "match.cidr"
            | "dynamic.strings"
            | "dynamic.has" => {
                // Of what is no list `list_contains` is NULL, as `set_has_element` is; `in` takes it for a list of itself.
                return Ok(None);
            }
            "dynamic.item" => {
                let [base, index] = args.as_slice() else { return Ok(None) };
                let e = ExprKind::Index(Box::new(base.e.clone()), Box::new(index.e.clone()));
                return Ok(Some(Val::exact(Expr::new(e, Type::Dynamic, Span::default()))));
            }
            "isnull" => {
                let Some(arg) = args.into_iter().next() else { return Ok(None) };
                return Ok(Some(Val::present(super::nulls::is_null(arg.e))));
            }
            "isnotnull" => {
                let Some(arg) = args.into_iter().next() else { return Ok(None) };
                return Ok(Some(Val::present(super::nulls::is_null(arg.e).negated(Span::default()))));
            }
            "isempty" => {
                let Some(arg) = args.into_iter().next() else { return Ok(None) };
                return Ok(Some(Val::present(super::nulls::is_empty(arg.e))));
            }
            "isnotempty" => {
                let Some(arg) = args.into_iter().next() else { return Ok(None) };
                return Ok(Some(Val::present(super::nulls::is_empty(arg.e).negated(Span::default()))));
            }
            _ => {}
        }
        let named = |(i, a): (usize, &Val)| i % 2 == 1 || a.nulls.never_empty;
        if name == "bag_pack" && !args.iter().enumerate().all(named) {
            // The catalogue's function leaves out members without a name.
            return Err(self.null(node, "the name of a member"));
        }
        let name = if name == "bag_pack.computed" { "bag_pack" } else { name };
        let Some(def) = functions::find(name, FunctionKind::Scalar) else { return Ok(None) };
        let args = self.packed(template, args, node)?;
        let types: Vec<Type> = args.iter().map(|a| a.e.ty).collect();
        let ty = def.return_type(&types);
        let args_e: Vec<Expr> = args.iter().map(|a| a.e.clone()).collect();
        let call = Expr::new(ExprKind::Call(def, args_e), ty, self.span(node));
        self.call_nulls(def, template.nulls, &args, call, node).map(Some)
    }

    /// A text that may be NULL as a part of a dynamic value: NULL is JSON's null there, and the IR takes a missing text for `""`.
    fn packed(&self, template: &Template, args: Vec<Val>, node: &ast::Expr) -> Result<Vec<Val>> {
        let wanted = |i: usize| match template.args.map(|a| (a, a.get(i).or(a.last()))) {
            Some((all, Some(ArgType::Repeat))) => all.iter().rev().nth(1),
            Some((_, other)) => other,
            None => None,
        };
        if template.nulls == TemplateNulls::Strict {
            return Ok(args);
        }
        let Some(array) = functions::find("pack_array", FunctionKind::Scalar) else { return Ok(args) };
        let mut out = Vec::with_capacity(args.len());
        for (i, arg) in args.into_iter().enumerate() {
            let name = i % 2 == 0 && template.name.starts_with("bag_pack");
            let any = wanted(i) == Some(&ArgType::Any);
            if name || !any || arg.e.ty != Type::String || !arg.nulls.sql {
                out.push(arg);
                continue;
            }
            let Ok(Some(null)) = self.cond(&arg) else {
                return Err(self.null(node, "a text in a dynamic value"));
            };
            let one = Expr::new(ExprKind::Call(array, vec![arg.e]), Type::Dynamic, Span::default());
            let first = Expr::literal(ir::Value::Long(0), Span::default());
            let element = ExprKind::Index(Box::new(one), Box::new(first));
            let element = Expr::new(element, Type::Dynamic, Span::default());
            out.push(Val::exact(null_where(null, element)));
        }
        Ok(out)
    }

    /// `extract_json` of a constant path, in the spelling of the dialect: of a dynamic value it is a chain of members; of a text the path
    /// is respelled.
    fn json_of_text(&self, args: Vec<Val>, node: &ast::Expr) -> Result<Option<Val>> {
        let [path, value] = args.as_slice() else { return Ok(None) };
        let Some(text) = path.e.as_literal().and_then(ir::Value::as_str) else { return Ok(None) };
        if value.e.ty == Type::Dynamic {
            let Some(e) = super::json::access(value.e.clone(), text) else { return Ok(None) };
            let mut e = e.cast(Type::String, false);
            e.span = self.span(node);
            return Ok(Some(Val::present(e)));
        }
        let (Some(path), Some(def)) =
            (super::json::respelled(text), functions::find("extract_json", FunctionKind::Scalar))
        else {
            return Err(self.function(node, "this path"));
        };
        let args = vec![Expr::string(path, Span::default()), value.e.clone()];
        Ok(Some(Val::present(Expr::new(ExprKind::Call(def, args), Type::String, self.span(node)))))
    }

    /// What NULL is of a call, by what the template's row in the data says.
    fn call_nulls(
        &self,
        def: &'static FunctionDef,
        nulls: TemplateNulls,
        args: &[Val],
        call: Expr,
        node: &ast::Expr,
    ) -> Result<Val> {
        let text = call.ty == Type::String;
        match nulls {
            TemplateNulls::Never => Ok(Val::present(call)),
            TemplateNulls::Custom if text => Ok(Val::new(call, Nulls::OPEN)),
            TemplateNulls::Custom => Ok(Val::exact(call)),
            TemplateNulls::Strict if text => {
                let mut conditions = Vec::new();
                for (i, arg) in args.iter().enumerate() {
                    match self.cond(arg) {
                        Ok(c) => conditions.extend(c),
                        // Of `""` it gives `""`: whether that stands for NULL is as open as in the argument.
                        Err(()) if empty_to_empty(def.name, i) && arg.e.ty == Type::String => {
                            return Ok(Val::new(call, Nulls::OPEN));
                        }
                        Err(()) => return Err(self.null(node, "an argument")),
                    }
                }
                if !is_total(def.name) {
                    let told = |(i, a): (usize, &Val)| {
                        a.e.ty != Type::String || !a.nulls.sql || empty_to_empty(def.name, i)
                    };
                    return if args.iter().enumerate().all(told) {
                        Ok(Val::new(call, Nulls::OPEN))
                    } else {
                        Err(self.null(node, "an argument"))
                    };
                }
                let condition = (!conditions.is_empty()).then(|| Expr::or(conditions, Span::default()));
                Ok(Val::new(call, Nulls::when(condition)))
            }
            TemplateNulls::Strict => {
                // Null for a missing argument that is not text. A text that is missing counts as `""` in the IR.
                let mut conditions = Vec::new();
                for arg in args.iter().filter(|a| a.e.ty == Type::String) {
                    match self.cond(arg) {
                        Ok(c) => conditions.extend(c),
                        Err(()) if empty_is_null(def.name) => {}
                        Err(()) => return Err(self.null(node, "an argument")),
                    }
                }
                if conditions.is_empty() || empty_is_null(def.name) {
                    return Ok(Val::exact(call));
                }
                Ok(Val::exact(null_where(Expr::or(conditions, Span::default()), call)))
            }
        }
    }

    fn cast_value(&self, template: &'static Template, arg: Val, to: Type, node: &ast::Expr) -> Result<Val> {
        if arg.e.ty == to {
            return Ok(arg);
        }
        let from_text = arg.e.ty == Type::String;
        let never = template.nulls == TemplateNulls::Never;
        let was = self.cond(&arg);
        let e = if to == Type::Dynamic && from_text {
            // `parse_json_text` reads the text; `to_json` keeps it.
            match functions::find("parse_json", FunctionKind::Scalar) {
                Some(def) if template.name == "cast.dynamic" => {
                    Expr::new(ExprKind::Call(def, vec![arg.e]), Type::Dynamic, self.span(node))
                }
                _ => return Err(self.function(node, "a text as a part of a dynamic value")),
            }
        } else {
            let mut e = arg.e.cast(to, false);
            e.span = self.span(node);
            e
        };
        if to == Type::String {
            // Of null the IR makes "".
            return Ok(if never {
                Val::present(e)
            } else {
                match was {
                    Ok(condition) => Val::new(e, Nulls::when(condition)),
                    Err(()) => Val::new(e, Nulls::OPEN),
                }
            });
        }
        // Of "" and of null every conversion makes null.
        Ok(Val::exact(e))
    }

    /// The string match that a template of one is.
    pub(super) fn template_match(
        &mut self,
        block: &mut Block<'q>,
        e: &'q ast::Expr,
        place: Place,
    ) -> Result<Option<Expr>> {
        let Some((head, _)) = unify::shape(e) else { return Ok(None) };
        for (pattern, template) in heads::functions(self.data, &head) {
            let Some(kind) = match_kind(template.name) else { continue };
            let mut holes = Holes::default();
            if !self.defines(template.macros) || !unify::unify(&pattern.tree, e, &mut holes) {
                continue;
            }
            let [Some(subject), Some(value)] = holes.places.as_slice() else { continue };
            return self.term_match(block, kind, subject, value, place, e).map(Some);
        }
        Ok(None)
    }
}

/// The time in `to_json(datetime_text(x))`, `to_json(timespan_text(x))`.
pub(super) fn timed(e: &ast::Expr) -> Option<&ast::Expr> {
    let one = |e| match super::select::named_call(e) {
        Some((name, args)) => match args.as_slice() {
            [arg] => Some((name, *arg)),
            _ => None,
        },
        None => None,
    };
    let (outer, inner) = one(e)?;
    let (text, time) = one(inner)?;
    (outer == "to_json" && matches!(text.as_str(), "datetime_text" | "timespan_text")).then_some(time)
}

/// Functions whose last argument has one value only, which their template does not write.
const LEFT_OUT: [(&str, &str); 1] = [("parse_command_line", "windows")];

fn match_kind(name: &str) -> Option<(ir::MatchKind, ir::Case)> {
    use ir::{Case, MatchKind};
    Some(match name {
        "match.term" => (MatchKind::Term, Case::Insensitive),
        "match.term_cs" => (MatchKind::Term, Case::Sensitive),
        "match.term_prefix" => (MatchKind::TermPrefix, Case::Insensitive),
        "match.term_prefix_cs" => (MatchKind::TermPrefix, Case::Sensitive),
        "match.term_suffix" => (MatchKind::TermSuffix, Case::Insensitive),
        "match.term_suffix_cs" => (MatchKind::TermSuffix, Case::Sensitive),
        _ => return None,
    })
}

/// Functions from text to text that give a text for every text, never NULL.
fn is_total(name: &str) -> bool {
    const TOTAL: [&str; 14] = [
        "base64_encode_tostring",
        "extract",
        "replace_regex",
        "replace_string",
        "regex_quote",
        "reverse",
        "substring",
        "tolower",
        "toupper",
        "translate",
        "trim",
        "trim_end",
        "trim_start",
        "url_encode",
    ];
    TOTAL.contains(&name)
}

/// Functions that give `""` where this argument is `""`.
fn empty_to_empty(name: &str, argument: usize) -> bool {
    const TABLE: [(&str, usize); 14] = [
        ("base64_encode_tostring", 0),
        ("extract", 2),
        ("replace_string", 0),
        ("regex_quote", 0),
        ("reverse", 0),
        ("substring", 0),
        ("tolower", 0),
        ("toupper", 0),
        ("translate", 2),
        ("trim", 1),
        ("trim_end", 1),
        ("trim_start", 1),
        ("url_encode", 0),
        ("url_decode", 0),
    ];
    TABLE.contains(&(name, argument))
}

/// Functions of a text that give null for `""`.
fn empty_is_null(name: &str) -> bool {
    matches!(name, "parse_json" | "make_datetime" | "ipv4_is_private" | "parse_ipv4")
}
