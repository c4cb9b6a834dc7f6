"""Picks the queries that Sigma can say: one table, `where` of columns against constants, `project*`, `sort`, `take`.

It judges the tree of Microsoft's parser and knows nothing of what Ruleferry can do. Not picked are queries with `let`,
and those that project anything but columns (renamed or not). A time filter `Time > ago(…)` may stand in the leading
`where`s, where it is the look-back.
"""

from sexpr import child, elements, kind, leaves, nodes, parse, plain_name

TIMES = {"TimeGenerated", "Timestamp"}
BOOLEAN = {"AndExpression", "OrExpression"}
LITERALS = {
    "StringLiteralExpression", "CompoundStringLiteralExpression", "LongLiteralExpression", "IntLiteralExpression",
    "RealLiteralExpression", "DecimalLiteralExpression", "BooleanLiteralExpression", "DateTimeLiteralExpression",
    "TimespanLiteralExpression", "GuidLiteralExpression",
}
COMPARE = {
    "EqualExpression", "NotEqualExpression", "EqualTildeExpression", "BangTildeExpression", "LessThanExpression",
    "LessThanOrEqualExpression", "GreaterThanExpression", "GreaterThanOrEqualExpression", "MatchesRegexExpression",
}
STRINGS = {"Contains", "Has", "HasPrefix", "HasSuffix", "StartsWith", "EndsWith"}
COMPARE |= {f"{n}{s}{c}Expression" for n in ("", "Not") for s in STRINGS for c in ("", "Cs")}
LISTS = {"InExpression", "InCsExpression", "NotInExpression", "NotInCsExpression", "HasAnyExpression", "HasAllExpression"}
TESTS = {"isempty", "isnotempty", "isnull", "isnotnull", "notempty", "notnull"}


def column(node):
    return kind(node) == "NameReference" and plain_name(node) is not None


def constant(node):
    if kind(node) == "UnaryMinusExpression":
        return constant(nodes(node)[0])
    if kind(node) == "ParenthesizedExpression":
        return constant(nodes(node)[0])
    return kind(node) in LITERALS


def constants(listing):
    items = [e for part in nodes(listing) for e in elements(part)]
    return bool(items) and all(constant(i) or _dynamic_list(i) for i in items)


def _dynamic_list(node):
    return kind(node) == "DynamicExpression" and kind(nodes(node)[0]) == "JsonArrayExpression"


def predicate(node):
    """A boolean combination of comparisons of a column with constants."""
    stack = [node]
    while stack:
        node = stack.pop()
        k = kind(node)
        if k in BOOLEAN or k == "ParenthesizedExpression":
            stack.extend(nodes(node))
        elif k == "FunctionCallExpression":
            name = plain_name(nodes(node)[0])
            arguments = [e for part in nodes(nodes(node)[1]) for e in elements(part)]
            if name == "not" and len(arguments) == 1:
                stack.append(arguments[0])
            elif not (name in TESTS and len(arguments) == 1 and column(arguments[0])):
                return False
        elif k in COMPARE:
            left, right = nodes(node)
            if not (column(left) and constant(right) or column(right) and constant(left)):
                return False
        elif k in LISTS:
            left, right = nodes(node)
            if not (column(left) and constants(right)):
                return False
        elif k in ("BetweenExpression", "NotBetweenExpression"):
            left, couple = nodes(node)
            if not (column(left) and all(map(constant, nodes(couple)))):
                return False
        else:
            return False
    return True


def look_back(node):
    """`Time > ago(1d)`, or `Time between (ago(1d) .. now())`."""
    def call(n, name):
        return kind(n) == "FunctionCallExpression" and plain_name(nodes(n)[0]) == name

    k = kind(node)
    if k == "ParenthesizedExpression":
        return look_back(nodes(node)[0])
    parts = nodes(node)
    if k in ("GreaterThanExpression", "GreaterThanOrEqualExpression"):
        right = parts[1]
        timespan = call(right, "ago") and "TimespanLiteralExpression" in [n[0] for n in _inner(right)]
        return plain_name(parts[0]) in TIMES and bool(timespan)
    if k == "BetweenExpression":
        first, last = nodes(parts[1])
        return plain_name(parts[0]) in TIMES and call(first, "ago") and call(last, "now")
    return False


def _inner(call):
    return [e for part in nodes(nodes(call)[1]) for e in elements(part)]


def conjuncts(node):
    while kind(node) == "ParenthesizedExpression":
        node = nodes(node)[0]
    if kind(node) == "AndExpression":
        return [c for n in nodes(node) for c in conjuncts(n)]
    return [node]


def plain_projection(operator):
    for e in elements(child(operator, "List") or ["List"]):
        named = kind(e) == "SimpleNamedExpression" and column(nodes(e)[-1])
        ordered = kind(e) == "OrderedExpression" and column(nodes(e)[0])
        if not (named or ordered or kind(e) == "NameReference"):
            return False
    return True


def operators(pipe):
    """The source and the operators of a pipeline, in order."""
    found = []
    while kind(pipe) == "PipeExpression":
        found.append(nodes(pipe)[1])
        pipe = nodes(pipe)[0]
    return pipe, found[::-1]


PROJECTIONS = {
    "ProjectOperator", "ProjectAwayOperator", "ProjectKeepOperator", "ProjectReorderOperator", "ProjectRenameOperator",
}


def simple(tree):
    statements = elements(nodes(parse(tree))[1])
    if len(statements) != 1 or kind(statements[0]) != "ExpressionStatement":
        return False
    source, found = operators(nodes(statements[0])[0])
    if not column(source) or any("*" in t for t in leaves(source)):
        return False
    leading, wheres = True, 0
    for operator in found:
        k = kind(operator)
        leading &= k == "FilterOperator"
        if k == "FilterOperator":
            condition = nodes(operator)[-1]
            rest = [c for c in conjuncts(condition) if not (leading and look_back(c))]
            if not all(map(predicate, rest)):
                return False
            wheres += bool(rest)
        elif k in PROJECTIONS:
            if not plain_projection(operator):
                return False
        elif k == "SortOperator":
            by = child(operator, "List") if not nodes(operator)[1:] else nodes(operator)[-1]
            if not all(column(nodes(e)[0]) if kind(e) == "OrderedExpression" else column(e) for e in elements(by)):
                return False
        elif k != "TakeOperator":
            return False
    return wheres > 0
