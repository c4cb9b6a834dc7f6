"""Scalar expressions: a node of Microsoft's tree to `(type, function of a row)`.

A row is a tuple; `Env` says which column stands where, and which names `let` has bound.
"""

import json
import os
import sys
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from sexpr import child, elements, kind, leaves, nodes, plain_name, string_value, tokens  # noqa: E402

from .functions import FUNCTIONS, common, member  # noqa: E402
from .values import (  # noqa: E402
    MATCHERS, NUMBERS, Ambiguous, Nothing, Unsupported, cast, empty_of, equal, less, parse_datetime, parse_timespan, regex, text_of,
    to_dynamic,
)

TYPES = {
    "string": "string", "long": "long", "int64": "long", "int": "int", "int32": "int", "real": "real", "double": "real",
    "bool": "bool", "boolean": "bool", "datetime": "datetime", "date": "datetime", "timespan": "timespan", "time": "timespan",
    "dynamic": "dynamic", "guid": "guid", "uuid": "guid", "uniqueid": "guid", "decimal": "decimal",
}


class Scope:
    """Names bound by `let`: ("scalar", type, value), ("table", thunk), ("function", parameters, body, scope)."""

    def __init__(self, world, parent=None):
        self.world, self.parent, self.names = world, parent, {}

    def find(self, name):
        scope = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None


class Env:
    """What an expression can see."""

    def __init__(self, columns, scope):
        self.columns, self.scope = columns, scope
        self.index = {name: n for n, (name, _) in enumerate(columns)}


def constant(node, scope):
    """The type and value of an expression without columns."""
    ty, do = compile_expr(node, Env([], scope))
    return ty, do(())


def arguments(call):
    return [e for part in nodes(nodes(call)[1]) for e in elements(part)]


def compile_expr(node, env):
    do = _KINDS.get(kind(node))
    if do is None:
        return _binary(node, env)
    return do(node, env)


# --- literals


def _inside(token):
    """What stands between the brackets of `long(5)`, or the token."""
    return token[token.index("(") + 1 : -1].strip() if "(" in token else token


def _literal(ty, read):
    def do(node, env):
        body = _inside("".join(leaves_of(node)))
        value = empty_of(ty) if body == "null" else read(body)
        return ty, lambda row: value

    return do


def leaves_of(node):
    out, stack = [], [node]
    while stack:
        here = stack.pop()
        if isinstance(here, list):
            stack.extend(reversed(here[1:]))
        else:
            out.append(here)
    return out


def _integer(text):
    return int(text, 16) if text.lower().startswith("0x") else int(text)


def _string(node, env):
    value = "".join(string_value(t) for t in leaves_of(node))
    return "string", lambda row: value


def _unquoted(text):
    return text.strip("'\"")


def _datetime(text):
    value = parse_datetime(_unquoted(text))
    if value is None:
        raise Unsupported(f"datetime literal {text}")
    return value


def _timespan(text):
    value = parse_timespan(_unquoted(text))
    if value is None:
        raise Unsupported(f"timespan literal {text}")
    return value


def _dynamic(node, env):
    inner = nodes(node)[0]
    value = _json(inner)
    return "dynamic", lambda row: value


def _json(node):
    k = kind(node)
    if k == "JsonArrayExpression":
        return [_json(e) for e in elements(child(node, "List") or ["List"])]
    if k == "JsonObjectExpression":
        out = {}
        for pair in elements(child(node, "List") or ["List"]):
            out[string_value(leaves_of(pair)[0])] = _json(nodes(pair)[-1])
        return out
    if k in ("StringLiteralExpression", "CompoundStringLiteralExpression"):
        text = "".join(string_value(t) for t in leaves_of(node))
        return text
    if k == "NullLiteralExpression":
        return None
    if k == "BooleanLiteralExpression":
        return "".join(leaves_of(node)).lower() == "true"
    ty, do = compile_expr(node, Env([], None))
    return to_dynamic(do(()), ty)


# --- names, paths


def _name(node, env):
    name = plain_name(node)
    if name in env.index:
        n = env.index[name]
        return env.columns[n][1], lambda row: row[n]
    bound = env.scope.find(name) if env.scope else None
    if bound and bound[0] == "scalar":
        _, ty, value = bound
        return ty, lambda row: value
    if bound and bound[0] == "lazy":
        ty, value = bound[1]()
        return ty, lambda row: value
    if bound and bound[0] == "function":
        return _call_user(bound, [], env)
    raise Unsupported(f"name `{name}` is neither a column nor a scalar" if bound is None else "a table as a scalar")


def _path(node, env):
    base, key = nodes(node)
    ty, do = compile_expr(base, env)
    name = plain_name(key)
    if name is None:
        if kind(key) == "BracketedExpression":
            return _indexed(ty, do, nodes(key)[0], env)
        raise Unsupported("path of this form")
    if ty != "dynamic":
        raise Unsupported(f"path into {ty}")
    return "dynamic", lambda row: member(do(row), name)


def _element(node, env):
    base, brackets = nodes(node)
    ty, do = compile_expr(base, env)
    return _indexed(ty, do, nodes(brackets)[0], env)


def _indexed(ty, do, index, env):
    if ty != "dynamic":
        raise Unsupported(f"element of {ty}")
    _, key = compile_expr(index, env)
    return "dynamic", lambda row: member(do(row), key(row))


# --- operators


def _negative(node, env):
    ty, do = compile_expr(nodes(node)[0], env)
    return ty, lambda row: None if (v := do(row)) is None else -v


def _parenthesized(node, env):
    return compile_expr(nodes(node)[0], env)


def _and(node, env):
    (_, a), (_, b) = (compile_expr(n, env) for n in nodes(node))

    def do(row):
        x = a(row)
        if x is False:
            return False
        y = b(row)
        return False if y is False else (None if x is None or y is None else True)

    return "bool", do


def _or(node, env):
    (_, a), (_, b) = (compile_expr(n, env) for n in nodes(node))

    def do(row):
        x = a(row)
        if x is True:
            return True
        y = b(row)
        return True if y is True else (None if x is None or y is None else False)

    return "bool", do


def _is_any_column(node):
    return kind(node) == "StarExpression"


def _equality(negated):
    def build(node, env):
        (ta, a), (tb, b) = (compile_expr(n, env) for n in nodes(node))
        return "bool", lambda row: equal(a(row), ta, b(row), tb) != negated

    return build


def _tilde(negated):
    def build(node, env):
        (ta, a), (tb, b) = (compile_expr(n, env) for n in nodes(node))
        return "bool", lambda row: (text_of(a(row), ta).lower() == text_of(b(row), tb).lower()) != negated

    return build


def _order(flip, strict):
    """`<`, or flipped `>`; the others negate: `x <= y` is `not (y < x)`."""

    def build(node, env):
        (ta, a), (tb, b) = (compile_expr(n, env) for n in nodes(node))

        def do(row):
            x, y = a(row), b(row)
            found = less(y, tb, x, ta) if flip == strict else less(x, ta, y, tb)
            return found if strict or found is None else not found

        return "bool", do

    return build


def _match(name, negated, sensitive):
    test = MATCHERS[name]

    def build(node, env):
        left, right = nodes(node)
        (ta, a), (tb, b) = compile_expr(left, env), compile_expr(right, env)
        if ta not in ("string", "dynamic"):
            raise Unsupported(f"{name} on {ta}")

        def do(row):
            x, y = text_of(a(row), ta), text_of(b(row), tb)
            return test(x if sensitive else x.lower(), y if sensitive else y.lower()) != negated

        return "bool", do

    return build


def _regex(node, env):
    (ta, a), (_, b) = (compile_expr(n, env) for n in nodes(node))
    return "bool", lambda row: regex(b(row)).search(text_of(a(row), ta)) is not None


def _between(negated):
    def build(node, env):
        left, couple = nodes(node)
        first, last = nodes(couple)
        (t, x), (ta, a), (tb, b) = (compile_expr(n, env) for n in (left, first, last))
        plus = t == "datetime" and tb == "timespan"

        def do(row):
            value, low, high = x(row), a(row), b(row)
            if value is None or low is None or high is None:
                return None
            if plus:
                return (low <= value <= low + high) != negated
            below, above = less(value, t, low, ta), less(high, tb, value, t)
            if below is None or above is None:
                return None
            return (not below and not above) != negated

        return "bool", do

    return build


def list_values(listing, env):
    """The values of `(a, b, …)`: literals, dynamic arrays, tables. A function of the row, giving (value, type) pairs."""
    from .tabular import evaluate, is_table

    parts = []
    for item in (e for part in nodes(listing) for e in elements(part)):
        if is_table(item, env):
            table = evaluate(item, env.scope)
            ty = table.columns[0][1]
            fixed = [(row[0], ty) for row in table.rows]
            fixed = [(x, "dynamic") for v, t in fixed for x in v] if ty == "dynamic" and all(isinstance(v, list) for v, _ in fixed) else fixed
            parts.append(lambda row, fixed=fixed: fixed)
            continue
        ty, do = compile_expr(item, env)

        def one(row, ty=ty, do=do):
            value = do(row)
            if ty == "dynamic" and isinstance(value, list):
                return [(x, "dynamic") for x in value]
            return [] if ty == "dynamic" and value is None else [(value, ty)]

        parts.append(one)
    return lambda row: [pair for part in parts for pair in part(row)]


def _in(negated, folded):
    def build(node, env):
        left, listing = nodes(node)
        ty, do = compile_expr(left, env)
        values = list_values(listing, env)

        def test(row):
            x = do(row)
            if folded:
                low = text_of(x, ty).lower()
                return any(text_of(v, t).lower() == low for v, t in values(row)) != negated
            return any(equal(x, ty, v, t) for v, t in values(row)) != negated

        return "bool", test

    return build


def _has_list(every):
    def build(node, env):
        left, listing = nodes(node)
        ty, do = compile_expr(left, env)
        values = list_values(listing, env)
        combine = all if every else any

        def test(row):
            x = text_of(do(row), ty).lower()
            return combine(MATCHERS["has"](x, text_of(v, t).lower()) for v, t in values(row))

        return "bool", test

    return build


def _arithmetic(operator):
    def build(node, env):
        (ta, a), (tb, b) = (compile_expr(n, env) for n in nodes(node))
        ta, a = _as_number(ta, a, tb)
        tb, b = _as_number(tb, b, ta)
        ty = _result(operator, ta, tb)
        return ty, lambda row: None if (x := a(row)) is None or (y := b(row)) is None else _compute(operator, x, y, ta, tb)

    return build


def _as_number(ty, do, other):
    """A dynamic operand takes the type of the other."""
    if ty != "dynamic":
        return ty, do
    if other == "dynamic":
        raise Unsupported("arithmetic of two dynamic values")
    return other, lambda row: cast(do(row), "dynamic", other)


def _result(operator, a, b):
    times = {"datetime", "timespan"}
    if operator == "-" and a == b == "datetime":
        return "timespan"
    if operator in "+-" and {a, b} <= times:
        return "datetime" if "datetime" in (a, b) else "timespan"
    if operator == "/" and a == b == "timespan":
        return "real"
    if operator == "%" and a in times and b == "timespan":
        return "timespan"
    if operator in "*/" and "timespan" in (a, b) and (a in NUMBERS or b in NUMBERS):
        return "timespan"
    if a in NUMBERS and b in NUMBERS:
        return common([a, b])
    raise Unsupported(f"{a} {operator} {b}")


def _compute(operator, x, y, a, b):
    whole = a in ("int", "long") and b in ("int", "long")
    if operator == "+":
        return x + y
    if operator == "-":
        return x - y
    if operator == "*":
        return round(x * y) if "timespan" in (a, b) else x * y
    if y == 0:
        if whole or operator == "%":
            return None
        raise Ambiguous("division by zero")
    if operator == "/":
        if whole:
            return int(Decimal(x) / Decimal(y)) if abs(x) < 2**53 else (abs(x) // abs(y)) * (1 if (x < 0) == (y < 0) else -1)
        return round(x / y) if a == "timespan" and b != "timespan" else x / y
    if operator == "%":
        if x < 0 or y < 0:
            raise Ambiguous("the sign of %")
        return x % y
    raise Unsupported(operator)


# --- calls


def _call(node, env):
    name = plain_name(nodes(node)[0])
    given = arguments(node)
    bound = env.scope.find(name) if env.scope else None
    if bound and bound[0] == "function":
        return _call_user(bound, given, env)
    special = _SPECIAL.get(name)
    if special:
        return special(given, env)
    if name not in FUNCTIONS:
        raise Unsupported(f"function {name}")
    returns, strict, do = FUNCTIONS[name]
    compiled = [compile_expr(a, env) for a in given]
    types = [t for t, _ in compiled]
    functions = [f for _, f in compiled]
    ty = returns(types) if callable(returns) else returns
    missing = empty_of(ty)

    def run(row):
        values = [f(row) for f in functions]
        if strict and any(v is None for v in values):
            return missing
        found = do(values, types)
        return missing if found is None else found

    return ty, run


def _call_user(function, given, env):
    """A `let` function with a scalar body: its parameters are bound row by row."""
    _, parameters, body, scope = function
    compiled = [compile_expr(a, env) for a in given]
    columns, functions = [], []
    for n, (name, ty, default) in enumerate(parameters):
        if n < len(compiled):
            source, do = compiled[n]
            columns.append((name, ty))
            functions.append(do if source == ty else (lambda row, do=do, source=source, ty=ty: cast(do(row), source, ty)))
        elif default is not None:
            _, value = constant(default, scope)
            columns.append((name, ty))
            functions.append(lambda row, value=value: value)
        else:
            raise Unsupported("a missing argument")
    inner = Scope(scope.world, scope)
    statements, result = function_body(body)
    if statements:
        raise Unsupported("let in a scalar function")
    ty, do = compile_expr(result, Env(columns, inner))
    return ty, lambda row: do(tuple(f(row) for f in functions))


def function_body(body):
    """The statements of a function body and its result."""
    parts = nodes(body)
    statements = [s for s in elements(parts[0])] if parts and kind(parts[0]) == "List" else []
    if len(parts) < 2:
        raise Unsupported("a function without a result")
    return statements, parts[1]


def _now(given, env):
    offset = constant(given[0], env.scope)[1] if given else 0
    value = env.scope.world.now + offset
    return "datetime", lambda row: value


def _ago(given, env):
    ty, do = compile_expr(given[0], env)
    now = env.scope.world.now
    return "datetime", lambda row: None if (v := do(row)) is None else now - v


def _column_if_exists(given, env):
    name = constant(given[0], env.scope)[1]
    if name in env.index:
        n = env.index[name]
        return env.columns[n][1], lambda row: row[n]
    return compile_expr(given[1], env)


def _to_scalar(node, env):
    from .tabular import evaluate, is_table

    inner = next(n for n in nodes(node) if kind(n) not in ("List",))
    if not is_table(inner, env):
        return compile_expr(inner, env)
    table = evaluate(inner, env.scope)
    if len(table.rows) > 1 and len({repr(r[0]) for r in table.rows}) > 1 and not table.order:
        raise Ambiguous("toscalar of several rows")
    ty = table.columns[0][1]
    value = table.rows[0][0] if table.rows else empty_of(ty)
    return ty, lambda row: value


def _materialize(node, env):
    return compile_expr(nodes(node)[-1], env)


_SPECIAL = {
    "now": _now, "ago": _ago, "column_ifexists": _column_if_exists, "columnifexists": _column_if_exists,
}


def _binary(node, env):
    raise Unsupported(f"expression {kind(node)}")


_KINDS = {
    "LongLiteralExpression": _literal("long", _integer),
    "IntLiteralExpression": _literal("int", _integer),
    "RealLiteralExpression": _literal("real", float),
    "DecimalLiteralExpression": _literal("decimal", Decimal),
    "BooleanLiteralExpression": _literal("bool", lambda t: t.lower() == "true"),
    "DateTimeLiteralExpression": _literal("datetime", _datetime),
    "TimespanLiteralExpression": _literal("timespan", _timespan),
    "GuidLiteralExpression": _literal("guid", str.lower),
    "StringLiteralExpression": _string,
    "CompoundStringLiteralExpression": _string,
    "DynamicExpression": _dynamic,
    "NameReference": _name,
    "PathExpression": _path,
    "ElementExpression": _element,
    "ParenthesizedExpression": _parenthesized,
    "UnaryMinusExpression": _negative,
    "AndExpression": _and,
    "OrExpression": _or,
    "EqualExpression": _equality(False),
    "NotEqualExpression": _equality(True),
    "EqualTildeExpression": _tilde(False),
    "BangTildeExpression": _tilde(True),
    "LessThanExpression": _order(False, True),
    "GreaterThanExpression": _order(True, True),
    "LessThanOrEqualExpression": _order(False, False),
    "GreaterThanOrEqualExpression": _order(True, False),
    "MatchesRegexExpression": _regex,
    "BetweenExpression": _between(False),
    "NotBetweenExpression": _between(True),
    "InCsExpression": _in(False, True),
    "InExpression": _in(False, False),
    "NotInExpression": _in(True, False),
    "NotInCsExpression": _in(True, True),
    "HasAnyExpression": _has_list(False),
    "HasAllExpression": _has_list(True),
    "AddExpression": _arithmetic("+"),
    "SubtractExpression": _arithmetic("-"),
    "MultiplyExpression": _arithmetic("*"),
    "DivideExpression": _arithmetic("/"),
    "ModuloExpression": _arithmetic("%"),
    "FunctionCallExpression": _call,
    "ToScalarExpression": _to_scalar,
    "MaterializeExpression": _materialize,
}
for _base, _matcher in (
    ("Contains", "contains"), ("Has", "has"), ("HasPrefix", "hasprefix"), ("HasSuffix", "hassuffix"), ("StartsWith", "startswith"),
    ("EndsWith", "endswith"),
):
    for _negated in (False, True):
        for _sensitive in (False, True):
            _key = f"{'Not' if _negated else ''}{_base}{'Cs' if _sensitive else ''}Expression"
            _KINDS[_key] = _match(_matcher, _negated, _sensitive)


# --- names that Kusto gives to columns without one


def _result_names():
    path = Path(os.environ["RULEFERRY_CORPUS"]) / "reference/kql-functions.json"
    listed = json.loads(path.read_text(encoding="utf-8"))["functions"]
    return {f["name"]: (f.get("result_name"), f.get("result_name_prefix")) for f in listed}


RESULT_NAMES = _result_names()


def default_name(node, scope=None):
    """The name that an expression gives to its column; None for `ColumnN`."""
    k = kind(node)
    if k == "ParenthesizedExpression":
        return default_name(nodes(node)[0], scope)
    if k == "NameReference":
        return plain_name(node)
    if k == "PathExpression":
        base, key = nodes(node)
        if kind(key) == "BracketedExpression":
            return _joined(base, nodes(key)[0], scope)
        head = default_name(base, scope)
        return f"{head}_{plain_name(key)}" if head else None
    if k == "ElementExpression":
        base, brackets = nodes(node)
        return _joined(base, nodes(brackets)[0], scope)
    if k == "FunctionCallExpression":
        name = plain_name(nodes(node)[0])
        rule, prefix = RESULT_NAMES.get(name, (None, None))
        given = arguments(node)
        first = default_name(given[0], scope) if given else None
        if rule == "FirstArgument" or rule == "OnlyArgument" and len(given) == 1:
            return first
        if rule == "PrefixAndFirstArgument":
            return f"{prefix}_{first or ''}"
        if rule == "NameAndFirstArgument":
            return f"{name}_{first or ''}"
        if rule == "PrefixOnly":
            return f"{prefix}_"
        if name in ("column_ifexists", "columnifexists"):
            return string_value(leaves_of(given[0])[0]) if kind(given[0]) == "StringLiteralExpression" else None
    return None


def _joined(base, index, scope):
    head = default_name(base, scope)
    if not head:
        return None
    if kind(index) == "StringLiteralExpression":
        return f"{head}_{string_value(leaves_of(index)[0])}"
    if kind(index) in ("LongLiteralExpression", "UnaryMinusExpression"):
        raw = "".join(leaves_of(index))
        return f"{head}_{raw}" if raw.isdigit() else None
    return None
