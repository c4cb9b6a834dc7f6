"""Picks the queries that YARA-L can say by their features.

Tables by name; filters; columns that are renamed, dropped or computed by scalar functions that YARA-L has; inner and leftanti
joins on equal columns; at most one `summarize` with count, dcount, make_set, min, max by columns or windows of time, and
conditions on its counts; sort. Who joins or counts says how far the query looks back, two days at most, or counts by windows
of time of whole minutes. It judges the tree of Microsoft's parser and knows nothing of what Ruleferry can do.
"""

import re

from sexpr import child, elements, kind, leaves, nodes, parse, plain_name
from simple_kql import TIMES, operators, plain_projection

COMPARE = {
    "EqualExpression", "NotEqualExpression", "EqualTildeExpression", "BangTildeExpression", "LessThanExpression",
    "LessThanOrEqualExpression", "GreaterThanExpression", "GreaterThanOrEqualExpression", "MatchesRegexExpression",
    "AndExpression", "OrExpression",
}
STRINGS = {"Contains", "Has", "HasPrefix", "HasSuffix", "StartsWith", "EndsWith"}
COMPARE |= {f"{n}{s}{c}Expression" for n in ("", "Not") for s in STRINGS for c in ("", "Cs")}
LISTS = {"InExpression", "InCsExpression", "NotInExpression", "NotInCsExpression", "HasAnyExpression", "HasAllExpression"}
LITERALS = {
    "StringLiteralExpression", "CompoundStringLiteralExpression", "LongLiteralExpression", "IntLiteralExpression",
    "RealLiteralExpression", "BooleanLiteralExpression", "TimespanLiteralExpression",
}
# Functions with a counterpart in the reference of YARA-L, conversions, and tests.
FUNCTIONS = {
    "not", "isempty", "isnotempty", "isnull", "isnotnull", "tolower", "toupper", "strcat", "tostring", "toint", "tolong",
    "replace_string", "replace_regex", "base64_decode_tostring", "url_decode", "abs", "pow", "sqrt", "log", "hash_sha256",
    "ipv4_is_in_range", "ipv4_is_private", "hourofday", "reverse", "coalesce",
}
AGGREGATES = {"count", "dcount", "make_set", "min", "max"}
UNITS = {"d": 86400, "day": 86400, "days": 86400, "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600, "m": 60, "min": 60, "minute": 60, "minutes": 60, "s": 1, "sec": 1, "second": 1, "seconds": 1}
LONGEST = 48 * 3600


def seconds(text):
    """The length of `1d`, `90m`, `timespan(1d)`; None for another spelling."""
    found = re.fullmatch(r"(?:timespan\(|time\()?\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*\)?", text)
    return float(found[1]) * UNITS[found[2]] if found and found[2] in UNITS else None


def iso_seconds(text):
    """`P1D`, `PT5H`."""
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", text or "")
    if not found or text == "P":
        return None
    days, hours, minutes = (int(g or 0) for g in found.groups())
    return days * 86400 + hours * 3600 + minutes * 60


class Query:
    """What is known of the `let`s, and what has been met on the way."""

    def __init__(self):
        self.constants, self.tables, self.lengths = set(), set(), {}
        self.sources, self.bounded, self.joins, self.summaries = 0, 0, 0, 0
        self.windowed = False

    def length(self, node):
        if kind(node) == "TimespanLiteralExpression":
            return seconds(leaves(node)[0])
        return self.lengths.get(plain_name(node))

    def look_back(self, node):
        """`Time > ago(1d)`, `Time between (ago(1d) .. now())`: its length, or None."""
        k = kind(node)
        if k == "ParenthesizedExpression":
            return self.look_back(nodes(node)[0])
        parts = nodes(node)
        if k in ("GreaterThanExpression", "GreaterThanOrEqualExpression"):
            return self.ago(parts[1]) if plain_name(parts[0]) in TIMES else None
        if k == "BetweenExpression" and plain_name(parts[0]) in TIMES:
            first, last = nodes(parts[1])
            return self.ago(first) if called(last) == "now" else None
        return None

    def ago(self, node):
        return self.length(arguments(node)[0]) if called(node) == "ago" and arguments(node) else None

    def scalar(self, node):
        """Columns, paths, constants, and comparisons and functions of these."""
        stack = [node]
        while stack:
            node = stack.pop()
            k = kind(node)
            if k == "NameReference":
                if plain_name(node) is None or plain_name(node) in self.tables:
                    return False
            elif k == "PathExpression":
                base, member = nodes(node)
                if plain_name(member) is None:
                    return False
                stack.append(base)
            elif k == "FunctionCallExpression":
                if called(node) not in FUNCTIONS:
                    return False
                stack.extend(arguments(node))
            elif k in COMPARE or k in ("ParenthesizedExpression", "UnaryMinusExpression"):
                stack.extend(nodes(node))
            elif k in LISTS:
                left, right = nodes(node)
                items = [e for part in nodes(right) for e in elements(part)]
                if not all(map(self.constant, items)):
                    return False
                stack.append(left)
            elif k in ("BetweenExpression", "NotBetweenExpression"):
                stack.extend([nodes(node)[0], *nodes(nodes(node)[1])])
            elif k not in LITERALS:
                return False
        return True

    def constant(self, node):
        k = kind(node)
        if k in ("UnaryMinusExpression", "ParenthesizedExpression"):
            return self.constant(nodes(node)[0])
        return k in LITERALS or plain_name(node) in self.constants or dynamic_list(node)

    def statement(self, let):
        name, value = plain_name(nodes(let)[0]), nodes(let)[-1]
        if self.constant(value) or dynamic_list(value):
            self.constants.add(name)
            if (length := self.length(value)) is not None:
                self.lengths[name] = length
            return True
        if kind(value) in ("PipeExpression", "NameReference") and self.pipeline(value, False):
            self.tables.add(name)
            return True
        return False

    def pipeline(self, pipe, counts=True):
        source, found = operators(pipe)
        name = plain_name(source)
        if kind(source) != "NameReference" or name is None or "*" in name or name in self.constants:
            return False
        # A query that a `let` names was judged there.
        own = name not in self.tables
        self.sources += own
        bounded = grouped = False
        for operator in found:
            k = kind(operator)
            if k == "FilterOperator":
                rest = []
                for c in conjuncts(nodes(operator)[-1]):
                    length = None if grouped else self.look_back(c)
                    if length is None:
                        rest.append(c)
                    else:
                        bounded |= 60 <= length <= LONGEST
                if not all(map(self.scalar, rest)):
                    return False
            elif k == "ExtendOperator":
                if not all(self.scalar(value(e)) for e in elements(nodes(operator)[-1])):
                    return False
            elif k == "ProjectOperator":
                if not all(self.scalar(value(e)) for e in elements(nodes(operator)[-1])):
                    return False
            elif k in ("ProjectAwayOperator", "ProjectKeepOperator", "ProjectReorderOperator", "ProjectRenameOperator"):
                if not plain_projection(operator) or any("*" in t for t in leaves(operator)):
                    return False
            elif k == "SortOperator":
                continue
            elif k == "JoinOperator" and not grouped:
                if not self.join(operator):
                    return False
            elif k == "SummarizeOperator" and counts and not grouped:
                if not self.summarize(operator):
                    return False
                grouped = True
            else:
                return False
        self.bounded += own and bounded
        return True

    def join(self, operator):
        joins = {plain_name(nodes(p)[0]): leaves(p)[-1] for p in elements(nodes(operator)[0])}
        on = child(operator, "JoinOnClause")
        if joins.get("kind") not in ("inner", "leftanti") or on is None:
            return False
        for key in elements(nodes(on)[0]):
            sides = nodes(key) if kind(key) == "EqualExpression" else []
            equal = len(sides) == 2 and all(kind(s) == "PathExpression" for s in sides)
            if not (kind(key) == "NameReference" or equal):
                return False
        right = nodes(operator)[1]
        right = nodes(right)[0] if kind(right) == "ParenthesizedExpression" else right
        self.joins += 1
        return self.pipeline(right, False)

    def summarize(self, operator):
        listing, by = nodes(operator)[1], child(operator, "SummarizeByClause")
        aggregates = elements(listing) if kind(listing) == "List" else []
        self.summaries += 1
        if by is None or not aggregates or self.joins and any(called(value(a)) == "count" for a in aggregates):
            return False
        for aggregate in map(value, aggregates):
            given = arguments(aggregate) if kind(aggregate) == "FunctionCallExpression" else [None]
            # Texts have no highest or lowest in YARA-L: times have.
            ordered = called(aggregate) in ("min", "max") and not (given and plain_name(given[0]) in TIMES)
            if called(aggregate) not in AGGREGATES or ordered or not all(map(self.scalar, given)):
                return False
        for key in map(value, elements(nodes(by)[0])):
            if called(key) == "bin":
                time, length = (arguments(key) + [None])[:2]
                length = self.length(length)
                if plain_name(time) not in TIMES or length is None or not 60 <= length <= LONGEST or self.joins:
                    return False
                self.windowed = True
            elif kind(key) not in ("NameReference", "PathExpression") or plain_name(key) in TIMES or not self.scalar(key):
                return False
        return True


def conjuncts(node):
    while kind(node) == "ParenthesizedExpression":
        node = nodes(node)[0]
    if kind(node) == "AndExpression":
        return [c for n in nodes(node) for c in conjuncts(n)]
    return [node]


def value(element):
    return nodes(element)[-1] if kind(element) == "SimpleNamedExpression" else element


def called(node):
    return plain_name(nodes(node)[0]) if kind(node) == "FunctionCallExpression" else None


def arguments(call):
    return [e for part in nodes(nodes(call)[1]) for e in elements(part)]


def dynamic_list(node):
    if kind(node) != "DynamicExpression" or kind(nodes(node)[0]) != "JsonArrayExpression":
        return False
    return all(kind(e) in LITERALS for part in nodes(nodes(node)[0]) for e in elements(part))


def windowed(tree, period=None):
    """`period`: the `queryPeriod` of the rule around the query."""
    statements = elements(nodes(parse(tree))[1])
    if not statements or kind(statements[-1]) != "ExpressionStatement":
        return False
    query = Query()
    for statement in statements[:-1]:
        if kind(statement) != "LetStatement" or not query.statement(statement):
            return False
    if not query.pipeline(nodes(statements[-1])[0]):
        return False
    if not (query.joins or query.summaries) or query.windowed:
        return True
    around = iso_seconds(period)
    return query.bounded == query.sources or around is not None and 60 <= around <= LONGEST
