"""Operators that join, expand and parse."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from sexpr import child, elements, kind, nodes, plain_name, string_value, tokens  # noqa: E402

from .scalar import TYPES, Env, Scope, arguments, compile_expr, constant, default_name, leaves_of  # noqa: E402
from .values import Ambiguous, Unsupported, cast, empty_of, equal, regex, text_of, to_dynamic  # noqa: E402


def _tabular():
    from . import tabular

    return tabular


def _keys(clause, left, right):
    """Pairs of column positions of `on a, $left.b == $right.c`."""
    pairs = []
    for e in _conditions(elements(child(clause, "List"))):
        if kind(e) == "NameReference":
            a = b = plain_name(e)
        elif kind(e) == "EqualExpression":
            sides = {}
            for side in nodes(e):
                if kind(side) != "PathExpression" or plain_name(nodes(side)[0]) not in ("$left", "$right"):
                    raise Unsupported("join condition of this form")
                sides[plain_name(nodes(side)[0])] = plain_name(nodes(side)[1])
            a, b = sides.get("$left"), sides.get("$right")
        else:
            raise Unsupported("join condition of this form")
        if a not in left.names() or b not in right.names():
            raise Unsupported(f"join on an unknown column")
        pairs.append((left.names().index(a), right.names().index(b)))
    return pairs


def _conditions(items):
    for e in items:
        if kind(e) == "AndExpression":
            yield from _conditions(nodes(e))
        elif kind(e) == "ParenthesizedExpression":
            yield from _conditions(nodes(e))
        else:
            yield e


def _index(table, at):
    out = {}
    for row in table.rows:
        key = tuple(row[i] for i in at)
        if any(v is None for v in key):
            raise Ambiguous("a null join key")
        out.setdefault(_join_key(key, [table.columns[i][1] for i in at]), []).append(row)
    return out


def _join_key(key, types):
    if "dynamic" in types:
        raise Unsupported("join on dynamic values")
    return repr(tuple(int(v) if isinstance(v, bool) is False and isinstance(v, int) else v for v in key))


def _renamed(left, right):
    """Names of the right side's columns beside the left's."""
    names = _tabular().Names(left)
    return [names.free(n) for n in right]


def join(operator, table, scope):
    t = _tabular()
    parameters = t._parameters_of(operator)
    how = t.parameter(operator, "kind") or "innerunique"
    other = next(n for n in nodes(operator) if kind(n) not in ("List", "JoinOnClause", "JoinWhereClause"))
    right = t.evaluate(other, scope)
    clause = child(operator, "JoinOnClause")
    if clause is None:
        raise Unsupported("join without on")
    return combine(table, right, _keys(clause, table, right), how)


def combine(left, right, pairs, how):
    t = _tabular()
    if any(left.columns[a][1] != right.columns[b][1] for a, b in pairs):
        types = {left.columns[a][1] for a, b in pairs} | {right.columns[b][1] for a, b in pairs}
        if not types <= {"int", "long"}:
            raise Unsupported("join on different types")
    by_left, by_right = _index(left, [a for a, _ in pairs]), _index(right, [b for _, b in pairs])
    if how in ("leftsemi", "leftanti", "anti", "leftantisemi"):
        wanted = how == "leftsemi"
        return t.Table(left.columns, [r for k, rows in by_left.items() if (k in by_right) == wanted for r in rows])
    if how in ("rightsemi", "rightanti", "rightantisemi"):
        wanted = how == "rightsemi"
        return t.Table(right.columns, [r for k, rows in by_right.items() if (k in by_left) == wanted for r in rows])
    if how == "innerunique":
        for key, rows in by_left.items():
            if key in by_right and len({repr(r) for r in rows}) > 1:
                raise Ambiguous("innerunique keeps any of several rows")
        by_left = {k: rows[:1] for k, rows in by_left.items()}
    elif how not in ("inner", "leftouter", "rightouter", "fullouter"):
        raise Unsupported(f"join kind {how}")
    names = _renamed(left.names(), right.names())
    columns = left.columns + [(n, ty) for n, (_, ty) in zip(names, right.columns)]
    no_left, no_right = (tuple(empty_of(ty) for _, ty in side.columns) for side in (left, right))
    rows = [a + b for k, many in by_left.items() for a in many for b in by_right.get(k, [])]
    if how in ("leftouter", "fullouter"):
        rows += [a + no_right for k, many in by_left.items() if k not in by_right for a in many]
    if how in ("rightouter", "fullouter"):
        rows += [no_left + b for k, many in by_right.items() if k not in by_left for b in many]
    return t.Table(columns, rows)


def lookup(operator, table, scope):
    t = _tabular()
    how = t.parameter(operator, "kind") or "leftouter"
    other = next(n for n in nodes(operator) if kind(n) not in ("List", "JoinOnClause"))
    right = t.evaluate(other, scope)
    pairs = _keys(child(operator, "JoinOnClause"), table, right)
    joined = combine(table, right, pairs, how)
    drop = {len(table.columns) + b for _, b in pairs}
    kept = [n for n in range(len(joined.columns)) if n not in drop]
    names = _renamed(table.names(), [right.columns[n - len(table.columns)][0] for n in kept if n >= len(table.columns)])
    columns = table.columns + [(name, joined.columns[n][1]) for name, n in zip(names, kept[len(table.columns) :])]
    return t.Table(columns, [tuple(r[n] for n in kept) for r in joined.rows])


def _type_of(clause, default="dynamic"):
    if clause is None:
        return default
    return TYPES[leaves_of(child(clause, "TypeOfLiteralExpression"))[2]]


def _expansion(node, table, scope):
    """(name, position or None, source type, function, type) of an item of mv-expand or mv-apply."""
    inner = nodes(node)[0]
    ty = _type_of(child(node, "ToTypeOfClause"))
    env = table.env(scope)
    if kind(inner) == "SimpleNamedExpression":
        name = plain_name(nodes(inner)[0])
        source, do = compile_expr(nodes(inner)[-1], env)
    else:
        source, do = compile_expr(inner, env)
        name = default_name(inner)
    position = table.names().index(name) if name in table.names() else None
    return name, position, source, do, ty


def _items(value, source):
    if source != "dynamic":
        raise Unsupported(f"expansion of {source}")
    if isinstance(value, dict):
        return [{k: v} for k, v in value.items()]
    return value if isinstance(value, list) else [value]


def expand(items, table, keep_empty):
    """The rows with their arrays unfolded, side by side."""
    t = _tabular()
    columns = list(table.columns)
    positions = []
    for name, position, _, _, ty in items:
        if position is None:
            name = t.Names(n for n, _ in columns).free(name)
            positions.append(len(columns))
            columns.append((name, ty))
        else:
            positions.append(position)
            columns[position] = (columns[position][0], ty)
    rows, origins = [], []
    for n, row in enumerate(table.rows):
        lists = [_items(do(row), source) for _, _, source, do, _ in items]
        length = max(map(len, lists))
        if length == 0:
            if not keep_empty:
                continue
            length = 1
        for i in range(length):
            out = list(row) + [None] * (len(columns) - len(row))
            for at, values, (_, _, _, _, ty) in zip(positions, lists, items):
                value = values[i] if i < len(values) else None
                out[at] = empty_of(ty) if value is None else (value if ty == "dynamic" else cast(value, "dynamic", ty))
            rows.append(tuple(out))
            origins.append(n)
    return t.Table(columns, rows), origins


def mv_expand(operator, table, scope):
    t = _tabular()
    if t._parameters_of(operator) - {"kind", "bagexpansion"} or child(operator, "MvExpandRowLimitClause"):
        raise Unsupported("mv-expand with options")
    items = [_expansion(e, table, scope) for e in elements(nodes(operator)[1])]
    return expand(items, table, keep_empty=True)[0]


def mv_apply(operator, table, scope):
    t = _tabular()
    if child(operator, "MvApplyRowLimitClause"):
        raise Unsupported("mv-apply with options")
    items = [_expansion(e, table, scope) for e in elements(nodes(operator)[1])]
    sub = nodes(child(operator, "MvApplySubqueryExpression"))[0]
    width = len(table.columns)
    columns, rows = None, []
    for row in table.rows:
        one, _ = expand(items, t.Table(table.columns, [row]), keep_empty=False)
        if not one.rows and not table.rows:
            continue
        result = _pipe(sub, one, scope)
        added = [n for n in range(len(result.columns)) if result.columns[n][0] not in table.names() or result.columns[n][0] in {i[0] for i in items}]
        carried = [n for n, (name, _) in enumerate(table.columns) if name not in {i[0] for i in items}]
        shape = [table.columns[n] for n in carried] + [result.columns[n] for n in added]
        if any(name in table.names() and name not in {i[0] for i in items} for name, _ in (result.columns[n] for n in added)):
            raise Unsupported("mv-apply that replaces columns")
        columns = shape
        rows += [tuple(row[n] for n in carried) + tuple(r[n] for n in added) for r in result.rows]
    if columns is None:
        raise Ambiguous("mv-apply of no rows")
    return t.Table(columns, rows)


def _pipe(node, table, scope):
    """A pipeline that starts with an operator."""
    t = _tabular()
    if kind(node) == "PipeExpression":
        first, operator = nodes(node)
        return t.apply(operator, _pipe(first, table, scope), scope)
    return t.apply(node, table, scope)


def parse(operator, table, scope):
    t = _tabular()
    mode = t.parameter(operator, "kind") or "simple"
    if mode not in ("simple",) or t._parameters_of(operator) - {"kind"}:
        raise Unsupported(f"parse kind={mode}")
    parts = nodes(operator)
    ty, do = compile_expr(parts[1], table.env(scope))
    pattern, columns = "", []
    pending = None
    steps = nodes(parts[2])
    for n, step in enumerate(steps):
        k = kind(step)
        last = n == len(steps) - 1
        if k == "StarExpression":
            pattern += ".*" if last else ".*?"
        elif k in ("StringLiteralExpression", "CompoundStringLiteralExpression"):
            pattern += re.escape("".join(string_value(x) for x in leaves_of(step)))
        else:
            column_type = "string"
            name = step
            if k == "NameAndTypeDeclaration":
                name, declared = nodes(step)
                column_type = TYPES[leaves_of(declared)[0]]
            columns.append((plain_name(name), column_type))
            if column_type in ("long", "int"):
                pattern += r"(\s*[+-]?\d+)"
            else:
                pattern += "(.*)" if last else "(.*?)"
    compiled = re.compile(pattern, re.S)
    open_end = kind(steps[-1]) in ("StringLiteralExpression", "CompoundStringLiteralExpression")
    strict = kind(operator) == "ParseWhereOperator"
    out_columns = list(table.columns)
    positions = []
    for name, column_type in columns:
        if name in (n for n, _ in out_columns):
            at = [n for n, _ in out_columns].index(name)
            out_columns[at] = (name, column_type)
            positions.append(at)
        else:
            positions.append(len(out_columns))
            out_columns.append((name, column_type))
    rows = []
    for row in table.rows:
        match = compiled.fullmatch(text_of(do(row), ty))
        if match is None and open_end and compiled.match(text_of(do(row), ty)):
            raise Ambiguous("parse of a text that goes on behind the last part")
        # A part that does not read as its type means that the whole does not match.
        if match and any(t != "string" and cast(match.group(n), "string", t) is None for n, (_, t) in enumerate(columns, 1)):
            match = None
        if match is None and strict:
            continue
        out = list(row) + [None] * (len(out_columns) - len(row))
        for n, (at, (_, column_type)) in enumerate(zip(positions, columns)):
            value = match.group(n + 1) if match else ""
            out[at] = value if column_type == "string" else (cast(value, "string", column_type) if value else None)
        rows.append(tuple(out))
    return t.Table(out_columns, rows)


def invoke(operator, table, scope):
    t = _tabular()
    call = nodes(operator)[-1]
    bound = scope.find(plain_name(nodes(call)[0]))
    if not bound or bound[0] != "function":
        raise Unsupported("invoke of a function that is not in the query")
    return t._invoke(bound, arguments(call), scope, piped=table)


def make_series(operator, table, scope):
    raise Unsupported("make-series")


OPERATORS = {
    "JoinOperator": join,
    "LookupOperator": lookup,
    "MvExpandOperator": mv_expand,
    "MvApplyOperator": mv_apply,
    "ParseOperator": parse,
    "ParseWhereOperator": parse,
    "InvokeOperator": invoke,
}
