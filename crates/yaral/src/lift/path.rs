//! From a path such as `principal.ip_geo_artifact.location.city` to a column of the table and what is done with it.
//!
//! A column is named by the path to the first repeated field, map or scalar on the way; what lies behind is taken out of
//! its dynamic value. A repeated field without an index is a group: the event is taken once for
//! each element.

use super::Lifter;
use super::make;
use crate::syntax::tree::{Field, Step};
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::time::UNIX_EPOCH;
use ruleferry_ir::{Expr, ExprKind, Type, Value};
use ruleferry_targets::udm::{self, UdmEnum, UdmField, UdmMessage, UdmType};
use smol_str::SmolStr;

/// Where a variable's events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    Udm,
    Graph,
    Detection,
}

impl Origin {
    pub const fn root(self) -> &'static str {
        match self {
            Self::Udm => "udm",
            Self::Graph => "graph",
            Self::Detection => "detection",
        }
    }

    /// The table that holds them.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Udm => "UDM",
            Self::Graph => "GRAPH",
            Self::Detection => "DETECTION",
        }
    }

    /// The column that says when an event was; entities have none.
    pub const fn time(self) -> Option<&'static str> {
        match self {
            Self::Udm => Some(EVENT_TIME),
            Self::Detection => Some("detection_time"),
            Self::Graph => None,
        }
    }

    /// What tells one event from another.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Udm => "metadata.id",
            Self::Graph => "metadata.product_entity_id",
            Self::Detection => "id",
        }
    }

    /// The source that a path names, and the path behind its name.
    pub fn of(field: &Field) -> (Self, &[Step]) {
        if let [Step::Name(first), rest @ ..] = field.steps.as_slice() {
            for origin in [Self::Udm, Self::Graph, Self::Detection] {
                if first == origin.root() {
                    return (origin, rest);
                }
            }
        }
        (Self::Udm, &field.steps)
    }
}

/// What a path leads to.
#[derive(Clone, Debug)]
pub struct Target {
    pub expr: Expr,
    pub of_enum: Option<&'static UdmEnum>,
}

/// What has been walked of a path.
enum At {
    /// Only messages so far: the name of the column is still growing.
    Name(String),
    /// A value.
    Value(Expr),
}

impl Lifter<'_> {
    /// The value of a field in the rows of its event variable. Each repeated field on the way is a group that is expanded.
    pub(super) fn walk(&mut self, field: &Field, span: Span) -> Target {
        self.walk_to(field, span, false)
    }

    /// The same, but a repeated field at the end of the path is the whole array.
    pub(super) fn walk_whole(&mut self, field: &Field, span: Span) -> Target {
        self.walk_to(field, span, true)
    }

    fn walk_to(&mut self, field: &Field, span: Span, whole: bool) -> Target {
        if let Some(table) = self.vars.get(&field.var).and_then(|v| v.plain.clone()) {
            return self.walk_plain(&table, field, span);
        }
        let (origin, steps) = Origin::of(field);
        let mut message = udm::root(origin.root());
        let mut at = At::Name(String::new());
        let mut of_enum = None;
        let mut ty = Type::Dynamic;
        let mut keyed: Option<UdmField> = None;
        let mut known_path = true;
        let mut steps = steps.iter().peekable();
        let mut path = String::new();
        while let Some(step) = steps.next() {
            match step {
                Step::Name(name) => {
                    if is_time(message) {
                        return self.time_part(name, at, field, span);
                    }
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                    at = stepped(at, name, span);
                    let Some(known) = message.and_then(|m| m.field(name)) else {
                        self.unknown(message, name, &path, field, span);
                        message = None;
                        known_path = false;
                        ty = Type::String;
                        continue;
                    };
                    (message, of_enum, ty) = described(known);
                    keyed = Some(*known);
                    if known.repeated {
                        let array = self.value_at(at, field, Type::Dynamic, span);
                        let value = match steps.peek() {
                            Some(Step::Index(n)) => {
                                let n = i64::from(*n);
                                steps.next();
                                make::index(array, make::long(n, span), span)
                            }
                            Some(Step::Key(key)) if known.keyed => {
                                // Labels are a list of keys and values.
                                steps.next();
                                message = None;
                                ty = Type::String;
                                self.label(&field.var, &path, array, &key.value, span)
                            }
                            None if whole => array,
                            _ => self.group(&field.var, &path, array, ty, span),
                        };
                        at = At::Value(value);
                    } else if known.ty == UdmType::Map {
                        at = At::Value(self.value_at(at, field, Type::Dynamic, span));
                    }
                }
                Step::Index(_) => self.misuse(span, "an index stands only behind a repeated field"),
                Step::Key(key) => {
                    let takes_key = keyed.is_some_and(|k| k.keyed || k.ty == UdmType::Map);
                    if !takes_key && known_path {
                        self.misuse(span, "a key in brackets stands only behind a map or labels");
                    }
                    let map = self.value_at(at, field, Type::Dynamic, span);
                    at = At::Value(make::index(map, Expr::string(key.value.clone(), span), span));
                    ty = Type::String;
                    message = None;
                }
            }
        }
        let ty = if is_time(message) { Type::Datetime } else { ty };
        let expr = self.value_at(at, field, ty, span);
        let expr = if expr.ty == ty || whole { expr } else { expr.cast(ty, false) };
        Target { expr, of_enum }
    }

    fn value_at(&mut self, at: At, field: &Field, ty: Type, span: Span) -> Expr {
        match at {
            At::Name(path) => self.column(&field.var, &path, ty, span),
            At::Value(value) => value,
        }
    }

    /// `….seconds` of a time.
    fn time_part(&mut self, name: &str, at: At, field: &Field, span: Span) -> Target {
        let time = self.value_at(at, field, Type::Datetime, span);
        let time = if time.ty == Type::Datetime { time } else { time.cast(Type::Datetime, false) };
        let expr = match name {
            "seconds" => unix_seconds(time, span),
            "nanos" => {
                let part = Expr::string("nanosecond", span);
                make::call("datetime_part", vec![part, time], Type::Long, span)
            }
            _ => {
                self.unknown(udm_timestamp(), name, name, field, span);
                unix_seconds(time, span)
            }
        };
        Target { expr, of_enum: None }
    }

    fn unknown(&mut self, message: Option<&UdmMessage>, name: &str, path: &str, field: &Field, span: Span) {
        // One message for what lies behind an unknown field.
        let Some(message) = message else { return };
        let text = format!("UDM has no field `{path}` (of `${}`): it is taken for a text", field.var);
        let warning = Diagnostic::warning(codes::YARAL_UNKNOWN_FIELD, span, text);
        let warning = match message.similar_field(name) {
            Some(similar) => warning.with_help(format!("`{similar}` is the nearest name there")),
            None => warning,
        };
        self.warn(warning);
    }

    fn misuse(&mut self, span: Span, message: &str) {
        self.fault(Diagnostic::error(codes::YARAL_FIELD_USE, span, message));
    }
}

/// A step into a message.
fn stepped(at: At, name: &str, span: Span) -> At {
    match at {
        At::Name(mut path) => {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
            At::Name(path)
        }
        At::Value(value) => At::Value(make::member(value, name, span)),
    }
}

/// Seconds since 1970.
pub(super) fn unix_seconds(time: Expr, span: Span) -> Expr {
    let epoch = Expr::literal(Value::Datetime(UNIX_EPOCH), span);
    let second = Expr::string("second", span);
    make::call("datetime_diff", vec![second, time, epoch], Type::Long, span)
}

/// The time that [`unix_seconds`] was made of.
pub(super) fn time_of(seconds: &Expr) -> Option<&Expr> {
    match &seconds.kind {
        ExprKind::Call(function, args) if function.name == "datetime_diff" => match args.as_slice() {
            [_, time, Expr { kind: ExprKind::Literal(Value::Datetime(UNIX_EPOCH)), .. }] => Some(time),
            _ => None,
        },
        ExprKind::Call(function, args) if function.name == "coalesce" => args.first().and_then(time_of),
        _ => None,
    }
}

fn is_time(message: Option<&UdmMessage>) -> bool {
    message.is_some_and(|m| m.name == "Timestamp")
}

fn udm_timestamp() -> Option<&'static UdmMessage> {
    let event = udm::root("udm")?.field("metadata")?;
    let UdmType::Message(metadata) = event.ty else { return None };
    let UdmType::Message(timestamp) = udm::message(metadata)?.field("event_timestamp")?.ty else {
        return None;
    };
    udm::message(timestamp)
}

type Described = (Option<&'static UdmMessage>, Option<&'static UdmEnum>, Type);

fn described(field: &UdmField) -> Described {
    match field.ty {
        UdmType::Scalar(ty) => (None, None, ty),
        UdmType::Message(at) => (udm::message(at), None, Type::Dynamic),
        UdmType::Enum(at) => (None, udm::enumeration(at), Type::String),
        UdmType::Map => (None, None, Type::Dynamic),
    }
}

/// The column of events that says when they were.
pub const EVENT_TIME: &str = "metadata.event_timestamp";

/// The name of the element of a repeated field.
pub fn element_name(path: &str) -> SmolStr {
    SmolStr::from(format!("{path}[]"))
}
