"""Random events for a query: values from its own literals, so that its predicates hit and nearly miss.

`Analysis` reads from the tree what each column is compared with, through `let`s, aliases, JSON paths and expansions;
`table` draws rows. Everything is drawn from one seeded generator.
"""

import json
import random
import re
import sys
from pathlib import Path

try:
    import re._parser as sre
except ImportError:  # Python before 3.11
    import sre_parse as sre

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from sexpr import child, elements, kind, nodes, plain_name, string_value, walk  # noqa: E402

from .scalar import Env, Scope, arguments, compile_expr, constant, default_name, leaves_of  # noqa: E402
from .tabular import evaluate, is_table, let  # noqa: E402
from .values import DAY, HOUR, MINUTE, Ambiguous, Nothing, Unsupported, datetime_text, regex  # noqa: E402

TRANSPARENT = {
    "tostring", "tolower", "toupper", "parse_json", "todynamic", "parsejson", "tolong", "toint", "todouble", "toreal", "todatetime",
    "tobool", "column_ifexists", "columnifexists", "coalesce", "isnotempty", "isempty", "toguid", "dynamic_to_json",
}
EQUALS = {"EqualExpression": "==", "EqualTildeExpression": "==", "InExpression": "==", "InCsExpression": "=="}
UNEQUAL = {"NotEqualExpression", "BangTildeExpression", "NotInExpression", "NotInCsExpression"}
PARTS = {
    "Contains": "part", "Has": "part", "HasPrefix": "part", "HasSuffix": "part", "StartsWith": "start", "EndsWith": "end",
}
ORDERS = {
    "GreaterThanExpression": 1, "GreaterThanOrEqualExpression": 0, "LessThanExpression": -1, "LessThanOrEqualExpression": 0,
}
IPS = ["10.1.2.3", "8.8.8.8", "192.168.7.9", "203.0.113.77"]
POOLS = (
    ("ip", IPS),
    ("addr", IPS),
    ("url", ["https://evil.example.com/a/b?x=1", "http://10.1.2.3:8080/p", "https://contoso.com/"]),
    ("upn", ["ann@contoso.com", "bob@contoso.com", "Ann@Contoso.com"]),
    ("userprincipal", ["ann@contoso.com", "bob@contoso.com", "Ann@Contoso.com"]),
    ("caller", ["ann@contoso.com", "bob@contoso.com"]),
    ("email", ["ann@contoso.com", "bob@fabrikam.com"]),
    ("userid", ["ann@contoso.com", "bob@contoso.com"]),
    ("sha", ["a" * 40, "b" * 40]),
    ("md5", ["c" * 32, "d" * 32]),
    ("computer", ["ws1.contoso.com", "WS2", "dc1.contoso.com"]),
    ("device", ["ws1", "ws2", "WS1"]),
)


class Leaf:
    """What one place (a column, or a path into it) is compared with."""

    def __init__(self):
        self.equals, self.parts, self.starts, self.ends, self.samples, self.orders, self.negative = [], [], [], [], [], [], []
        self.children, self.expanded = {}, False

    def at(self, path):
        here = self
        for key in path:
            here = here.children.setdefault(key, Leaf())
        return here


class Analysis:
    def __init__(self, tree, world):
        self.world = world
        self.scope = Scope(world)
        self.aliases, self.columns, self.groups = {}, {}, {}
        self.timespans, self.datetimes = [], []
        self.words = []
        for node in walk(tree):
            if isinstance(node, list):
                self._bind(node)
        for node in walk(tree):
            if isinstance(node, list):
                self._read(node)
        self.spans = sorted({s for s in self.timespans if 0 < s <= 400 * DAY}) or [HOUR, DAY]

    # -- names

    def _bind(self, node):
        k = kind(node)
        if k == "LetStatement":
            try:
                let(node, self.scope)
            except (Unsupported, Ambiguous, KeyError, TypeError, IndexError):
                pass
        elif k == "SimpleNamedExpression":
            place = self._place(nodes(node)[-1])
            name = plain_name(nodes(node)[0])
            if place and name and place[0] != name and name not in self.aliases:
                self.aliases[name] = place
        elif k in ("MvExpandExpression", "MvApplyExpression"):
            inner = nodes(node)[0]
            named = kind(inner) == "SimpleNamedExpression"
            name = plain_name(nodes(inner)[0]) if named else default_name(inner)
            place = self._place(nodes(inner)[-1] if named else inner)
            if place:
                column, path = self._resolve(place)
                self._leaf(column, path).expanded = True
                if name:
                    self.aliases.setdefault(name, (column, (*path, "*"))) if name != column or path else self.aliases.update({name: (column, ("*",))})

    def _place(self, node, depth=0):
        """(column, path) that an expression is about, or None."""
        k = kind(node)
        if depth > 12 or k is None:
            return None
        if k == "ParenthesizedExpression":
            return self._place(nodes(node)[0], depth + 1)
        if k == "NameReference":
            name = plain_name(node)
            return None if name is None or self.scope.find(name) else (name, ())
        if k in ("PathExpression", "ElementExpression"):
            base, key = nodes(node)
            found = self._place(base, depth + 1)
            if found is None or base[0] == "NameReference" and plain_name(base) in ("$left", "$right"):
                return None
            name = plain_name(key)
            if name is None and kind(key) == "BracketedExpression":
                inner = nodes(key)[0]
                text = "".join(leaves_of(inner))
                name = int(text) if re.fullmatch(r"-?\d+", text) else string_value(text) if text[:1] in "'\"@" else None
            return None if name is None else (found[0], (*found[1], name))
        if k == "FunctionCallExpression" and plain_name(nodes(node)[0]) in TRANSPARENT:
            for a in arguments(node):
                if found := self._place(a, depth + 1):
                    return found
        return None

    def _resolve(self, place):
        column, path = place
        seen = set()
        while column in self.aliases and column not in seen:
            seen.add(column)
            base, more = self.aliases[column]
            if base == column:
                return column, (*more, *path)
            column, path = base, (*more, *path)
        return column, path

    def _leaf(self, column, path):
        return self.columns.setdefault(column, Leaf()).at(path)

    # -- what it is compared with

    def _values(self, node):
        """Constants that an operand or list stands for."""
        out = []
        items = [e for part in nodes(node) for e in elements(part)] if kind(node) == "ExpressionList" else [node]
        for item in items:
            try:
                if is_table(item, Env([], self.scope)):
                    table = evaluate(item, self.scope)
                    out += [row[0] for row in table.rows[:20]]
                    continue
                _, value = constant(item, self.scope)
                out += value if isinstance(value, list) else [value]
            except (Unsupported, Ambiguous, Nothing, KeyError, TypeError, IndexError, ValueError, RecursionError):
                continue
        return [v for v in out if v is not None and not isinstance(v, (list, dict))]

    def _read(self, node):
        k = kind(node)
        if k == "TimespanLiteralExpression":
            try:
                self.timespans.append(constant(node, self.scope)[1])
            except Unsupported:
                pass
        elif k in EQUALS or k in UNEQUAL or k in ORDERS or k == "HasAnyExpression" or k == "HasAllExpression" or k == "MatchesRegexExpression":
            self._compare(k, *nodes(node)[:2])
        elif k in ("BetweenExpression",):
            left, couple = nodes(node)
            if place := self._place(left):
                low, high = (self._values(n) for n in nodes(couple))
                if low and high and all(isinstance(x, (int, float)) for x in low + high):
                    leaf = self._leaf(*self._resolve(place))
                    leaf.equals += [low[0], high[0], (low[0] + high[0]) // 2 if isinstance(low[0], int) else low[0]]
        elif k == "FunctionCallExpression":
            self._function(node)
        elif k in ("ParseOperator", "ParseWhereOperator"):
            self._parse(node)
        elif k in ("JoinOperator", "LookupOperator"):
            self._join(node)
        else:
            match = re.fullmatch(r"(Not)?(Contains|Has|HasPrefix|HasSuffix|StartsWith|EndsWith)(Cs)?Expression", k or "")
            if match:
                left, right = nodes(node)
                values = [str(v) for v in self._values(right)]
                if kind(left) == "StarExpression":
                    self.words += values
                elif place := self._place(left):
                    leaf = self._leaf(*self._resolve(place))
                    if match.group(1):
                        leaf.negative += values
                    else:
                        {"part": leaf.parts, "start": leaf.starts, "end": leaf.ends}[PARTS[match.group(2)]].extend(values)

    def _compare(self, k, left, right):
        place = self._place(left)
        if place is None:
            place, right = self._place(right), left
            if place is None:
                return
        values = self._values(right)
        leaf = self._leaf(*self._resolve(place))
        if k in EQUALS:
            leaf.equals += values
        elif k in UNEQUAL:
            leaf.negative += values
        elif k in ORDERS:
            leaf.orders += [(ORDERS[k], v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
        elif k == "HasAnyExpression":
            leaf.parts += [str(v) for v in values]
        elif k == "HasAllExpression":
            leaf.samples.append(" ".join(str(v) for v in values))
        elif k == "MatchesRegexExpression":
            leaf.samples += [("regex", v) for v in values if isinstance(v, str)]

    def _function(self, node):
        name, given = plain_name(nodes(node)[0]), arguments(node)
        try:
            if name in ("extract", "extract_all") and len(given) > 1:
                place = self._place(given[-1])
                values = self._values(given[0])
                if place and values:
                    self._leaf(*self._resolve(place)).samples += [("regex", v) for v in values]
            elif name == "split" and (place := self._place(given[0])):
                separator = self._values(given[1])
                if separator and separator[0]:
                    self._leaf(*self._resolve(place)).samples.append(separator[0].join(["alpha", "beta", "Gamma"]))
            elif name in ("ipv4_is_private", "ipv4_is_in_range", "ipv4_is_in_any_range") and (place := self._place(given[0])):
                self._leaf(*self._resolve(place)).samples += IPS
            elif name in ("parse_url", "parseurl") and (place := self._place(given[0])):
                self._leaf(*self._resolve(place)).samples += ["https://evil.example.com/a/b?x=1&y=2", "http://contoso.com/"]
            elif name in ("ipv4_is_match",):
                for a in given:
                    if place := self._place(a):
                        self._leaf(*self._resolve(place)).samples += IPS
            elif name in ("base64_decode_tostring",) and (place := self._place(given[0])):
                self._leaf(*self._resolve(place)).samples += ["aGVsbG8gd29ybGQ=", "SUVYKCk="]
        except IndexError:
            pass

    def _parse(self, node):
        place = self._place(nodes(node)[1])
        if place is None:
            return
        text = ""
        for step in nodes(nodes(node)[2]):
            k = kind(step)
            if k in ("StringLiteralExpression", "CompoundStringLiteralExpression"):
                text += "".join(string_value(t) for t in leaves_of(step))
            elif k == "StarExpression":
                text += "zz"
            elif k == "NameAndTypeDeclaration" and leaves_of(nodes(step)[1])[0] in ("long", "int", "real", "double"):
                text += "42"
            elif k == "NameAndTypeDeclaration" and leaves_of(nodes(step)[1])[0] in ("datetime", "date"):
                text += "2026-03-18 11:22:33"
            else:
                text += "Val"
        self._leaf(*self._resolve(place)).samples.append(text)

    def _join(self, node):
        clause = child(node, "JoinOnClause")
        for e in walk(clause) if clause else ():
            if kind(e) == "EqualExpression":
                names = [plain_name(nodes(s)[1]) for s in nodes(e) if kind(s) == "PathExpression"]
                if len(names) == 2 and all(names):
                    a, b = (self._root(self._resolve((n, ()))[0]) for n in names)
                    if a != b:
                        self.groups[a] = b

    def _root(self, name):
        while name in self.groups:
            name = self.groups[name]
        return name

    def joined(self, name):
        """All columns that are compared with one of this name, as one."""
        return self._root(name)


# --- texts that a regular expression matches


def sample(pattern, rng):
    try:
        regex(pattern)
        return _sample(sre.parse(pattern), rng)[:200]
    except (Unsupported, re.error, OverflowError, RecursionError):
        return "sample"


def _sample(parsed, rng):
    out = ""
    for op, value in parsed:
        name = str(op)
        if name == "LITERAL":
            out += chr(value)
        elif name == "NOT_LITERAL":
            out += "q" if value != ord("q") else "r"
        elif name == "ANY":
            out += rng.choice("ab1 ")
        elif name == "IN":
            out += _one_of(value, rng)
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            low, high, inner = value
            times = rng.randint(low, max(low, min(int(high), low + 2)))
            out += "".join(_sample(inner, rng) for _ in range(times))
        elif name == "SUBPATTERN":
            out += _sample(value[-1], rng)
        elif name == "BRANCH":
            out += _sample(rng.choice(value[1]), rng)
    return out


_CLASSES = {"CATEGORY_DIGIT": "0123456789", "CATEGORY_WORD": "abcXYZ019_", "CATEGORY_SPACE": " ", "CATEGORY_NOT_SPACE": "aZ9-/",
            "CATEGORY_NOT_DIGIT": "ab-", "CATEGORY_NOT_WORD": " -/."}


def _one_of(items, rng):
    negated = str(items[0][0]) == "NEGATE"
    options = ""
    for op, value in items[1 if negated else 0 :]:
        name = str(op)
        if name == "LITERAL":
            options += chr(value)
        elif name == "RANGE":
            options += "".join(chr(c) for c in range(value[0], min(value[1], value[0] + 40) + 1))
        elif name == "CATEGORY":
            options += _CLASSES.get(str(value), "a")
    if negated:
        options = "".join(c for c in "abcXYZ019 -_/" if c not in options) or "~"
    return rng.choice(options)


# --- drawing values


class Drawer:
    """Draws the values of one data set."""

    def __init__(self, analysis, rng, hit, pool):
        self.analysis, self.rng, self.hit, self.pool = analysis, rng, hit, pool
        self.serial = 0

    def value(self, column, ty, hit):
        leaf = self.analysis.columns.get(column, Leaf())
        if ty == "dynamic" or leaf.children or leaf.expanded:
            if self.rng.random() < 0.05:
                return "" if ty == "string" else None
            made = self.json(column, leaf, hit)
            if ty == "dynamic":
                return made
            return made if isinstance(made, str) else json.dumps(made, separators=(",", ":"))
        return self.scalar(column, leaf, ty, hit)

    def scalar(self, column, leaf, ty, hit):
        if ty == "string" or ty == "guid":
            return self.text(column, leaf, hit)
        if not hit and self.rng.random() < 0.1:
            return None
        if ty == "bool":
            wanted = [v for v in leaf.equals if isinstance(v, bool)]
            return self.rng.choice(wanted) if hit and wanted else self.rng.random() < (0.8 if hit else 0.5)
        if ty == "datetime":
            return self.time(leaf, hit)
        if ty == "timespan":
            return self.rng.choice(self.analysis.spans) // 10 * 10
        return self.number(leaf, ty, hit)

    def number(self, leaf, ty, hit):
        wanted = [v for v in leaf.equals if isinstance(v, (int, float)) and not isinstance(v, bool)]
        wanted += [int(v) for v in leaf.equals if isinstance(v, str) and v.isdigit()]
        wanted += [v + way * self.rng.randint(1, 3) for way, v in leaf.orders]
        if wanted and (hit or self.rng.random() < 0.5):
            value = self.rng.choice(wanted)
            value += 0 if hit else self.rng.choice([-1, 0, 1])
        else:
            value = self.rng.choice([0, 1, 2, 3, 7, 443, 1024])
        return float(value) if ty == "real" else int(value)

    def time(self, leaf, hit):
        wanted = [v for v in leaf.equals if isinstance(v, int) and v > 600_000_000_000_000_000]
        now = self.analysis.world.now
        self.serial += 10
        if wanted and self.rng.random() < 0.8:
            return (self.rng.choice(wanted) + self.rng.randint(-5, 5) * MINUTE) // 10 * 10 + self.serial
        span = self.rng.choice(self.analysis.spans)
        age = self.rng.random() * span * (0.98 if hit else 1.3)
        return (now - int(age)) // 10 * 10 + self.serial - 5_000_000

    def text(self, column, leaf, hit):
        good = self.good_text(column, leaf)
        if hit:
            return good
        roll = self.rng.random()
        if roll < 0.15:
            return ""
        if roll < 0.3:
            return good.swapcase()
        if roll < 0.42:
            return good + self.rng.choice(["x", " x", ".1", "_"])
        if roll < 0.54:
            return self.rng.choice(["x", "x ", "_", "a-"]) + good
        if roll < 0.6:
            return good[:-1]
        if roll < 0.72 and leaf.negative:
            return str(self.rng.choice(leaf.negative))
        if roll < 0.8:
            return "other"
        return good

    def good_text(self, column, leaf):
        rng = self.rng
        equals = [str(v) for v in leaf.equals if isinstance(v, str) or isinstance(v, int) and abs(v) < 10**12]
        fragments = leaf.parts or leaf.starts or leaf.ends or leaf.samples
        if equals and (not fragments or rng.random() < 0.5):
            return rng.choice(equals)
        if not fragments:
            return rng.choice(self.pool_of(column))
        start = rng.choice(leaf.starts) if leaf.starts and rng.random() < 0.9 else ""
        end = rng.choice(leaf.ends) if leaf.ends and rng.random() < 0.9 else ""
        middle = [str(p) for p in (leaf.parts if rng.random() < 0.35 else rng.sample(leaf.parts, min(1, len(leaf.parts))))]
        if leaf.samples and (rng.random() < 0.7 or not leaf.parts):
            chosen = rng.choice(leaf.samples)
            middle.append(sample(chosen[1], rng) if isinstance(chosen, tuple) else chosen)
        body = " ".join(middle[:8])
        return (start + (" " if start and body else "") + body + (" " if end and body else "") + end) or rng.choice(self.pool_of(column))

    def pool_of(self, column):
        name = self.analysis.joined(column).lower()
        if self.analysis.words and self.rng.random() < 0.1:
            return self.analysis.words
        for key, values in POOLS:
            if key in name:
                return values[: max(1, self.pool)]
        return [f"v{n}" for n in range(1, self.pool + 1)]

    def json(self, column, leaf, hit):
        if leaf.expanded:
            element = leaf.children.get("*", Leaf())
            count = self.rng.choice([1, 2, 3])
            return [self.json(column, element, hit if n == 0 else self.rng.random() < 0.4) for n in range(count)]
        keys = [k for k in leaf.children if k != "*"]
        if not hit and self.rng.random() < 0.1:
            return None
        indexes = [k for k in keys if isinstance(k, int)]
        if indexes:
            size = max(max(indexes) + 1, -min(indexes))
            return [self.json(column, leaf.children.get(n) or leaf.children.get(n - size) or leaf, hit) if (n in leaf.children or n - size in leaf.children) else "e" for n in range(size)]
        if keys:
            made = {str(k): self.json(str(k), leaf.children[k], hit) for k in keys if hit or self.rng.random() < 0.9}
            if leaf.parts or leaf.samples or leaf.starts or leaf.ends:
                made["note"] = self.text(column, leaf, hit)
            return made
        typed = [v for v in leaf.equals if isinstance(v, (bool, float)) or isinstance(v, int)]
        if typed or leaf.orders:
            if any(isinstance(v, bool) for v in typed):
                return self.rng.random() < 0.7
            return self.number(leaf, "long", hit)
        return self.text(column, leaf, hit)


def table(columns, used, drawer, count):
    """Rows for a table: `columns` as (name, type), of which those in `used` get values."""
    from .values import empty_of

    rows = []
    for _ in range(count):
        whole = drawer.rng.random() < drawer.hit
        row = []
        for name, ty in columns:
            if name not in used:
                row.append(empty_of(ty))
                continue
            row.append(drawer.value(name, ty, whole or drawer.rng.random() < 0.7))
        rows.append(tuple(row))
    return rows
