//! `parse`, `parse-where`, `parse-kv`.

use super::param;
use crate::lift::Lifter;
use crate::lift::scope::{Env, Rel, Scope};
use crate::syntax::tree::{self, ParsePart};
use ruleferry_diag::Span;
use ruleferry_ir::{Op, Parse, ParseKv, ParseMode, ParsePiece, Type};
use smol_str::SmolStr;

impl<'t> Lifter<'t> {
    pub(super) fn parse(&mut self, input: Rel, parse: &'t tree::Parse, span: Span, env: Env) -> Rel {
        let subject = self.expr_as(&parse.subject, Type::String, &Scope::over(env, &input));
        let mode = match param(&parse.params, "kind").map(|p| self.param_text(p)).as_deref() {
            Some("regex") => ParseMode::Regex,
            Some("relaxed") => ParseMode::Relaxed,
            Some(_) | None => ParseMode::Simple,
        };
        let flags = param(&parse.params, "flags").map(|p| self.param_text(p)).unwrap_or_default();
        let mut output = input.plan.output.to_vec();
        let mut pieces = Vec::with_capacity(parse.pattern.len());
        for part in &parse.pattern {
            pieces.push(match part {
                ParsePart::Star => ParsePiece::Star,
                ParsePart::Text(text) => ParsePiece::Text(text.value.clone()),
                ParsePart::Column { name, ty } => {
                    let ty = Self::declared_type(ty.as_ref());
                    ParsePiece::Column(self.replace_column(&mut output, name.text.clone(), ty, name.span.0))
                }
            });
        }
        let filter = parse.filter;
        input.then(|input| Op::Parse(Parse { input, subject, mode, flags, pieces, filter }), output, span)
    }

    pub(super) fn parse_kv(&mut self, input: Rel, parse: &'t tree::ParseKv, span: Span, env: Env) -> Rel {
        let subject = self.expr_as(&parse.subject, Type::String, &Scope::over(env, &input));
        let mut output = input.plan.output.to_vec();
        let mut columns = Vec::with_capacity(parse.columns.len());
        for column in &parse.columns {
            let ty = crate::lift::expr::scalar_type(&column.ty);
            columns.push(self.replace_column(&mut output, column.name.text.clone(), ty, column.name.span.0));
        }
        let text = |name: &str| param(&parse.properties, name).map(|p| self.param_text(p));
        let kv = ParseKvOptions {
            pair_delimiter: text("pair_delimiter"),
            kv_delimiter: text("kv_delimiter"),
            quotes: text("quote").or_else(|| text("quotes")).and_then(|q| quotes(&q)),
            escape: text("escape"),
            greedy: text("greedy").is_some_and(|g| g == "true"),
            regex: text("regex"),
        };
        let op = |input| {
            Op::ParseKv(ParseKv {
                input,
                subject,
                columns,
                pair_delimiter: kv.pair_delimiter,
                kv_delimiter: kv.kv_delimiter,
                quotes: kv.quotes,
                escape: kv.escape,
                greedy: kv.greedy,
                regex: kv.regex,
            })
        };
        input.then(op, output, span)
    }
}

struct ParseKvOptions {
    pair_delimiter: Option<SmolStr>,
    kv_delimiter: Option<SmolStr>,
    quotes: Option<(SmolStr, SmolStr)>,
    escape: Option<SmolStr>,
    greedy: bool,
    regex: Option<SmolStr>,
}

/// One character for both ends, or one for each; written `"'"` or `("(", ")")`.
fn quotes(text: &str) -> Option<(SmolStr, SmolStr)> {
    let mut marks = text.chars().filter(|c| !c.is_whitespace() && *c != ',');
    let open = marks.next()?;
    let close = marks.next_back().unwrap_or(open);
    Some((SmolStr::from_iter([open]), SmolStr::from_iter([close])))
}
