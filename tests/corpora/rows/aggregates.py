"""Aggregates of the interpreter: from the rows of a group to a value."""

import math

from .scalar import compile_expr, constant
from .values import NUMBERS, Ambiguous, Unsupported, empty_of, less, text_of, to_dynamic


def _same(a, b):
    return repr(a) == repr(b)


def _distinct(values):
    out, seen = [], set()
    for v in values:
        key = repr(v)
        if key not in seen:
            seen.add(key)
            out.append(v)
    return out


def _values(do, rows):
    return [v for v in map(do, rows) if v is not None]


def _sum(ty, values, rows):
    if ty == "dynamic":
        raise Unsupported("sum of dynamic")
    return sum(values) if values else (0.0 if ty == "real" else 0)


def _avg(ty, values, rows):
    if not values:
        raise Ambiguous("avg of nothing")
    mean = sum(values) / len(values)
    return round(mean) if ty in ("datetime", "timespan") else float(mean)


def _min(ty, values, rows):
    return _extreme(ty, values, False)


def _max(ty, values, rows):
    return _extreme(ty, values, True)


def _extreme(ty, values, largest):
    if ty == "dynamic" and len({type(v) for v in values}) > 1:
        raise Unsupported("min or max of mixed dynamic values")
    if ty == "dynamic" and any(isinstance(v, (list, dict, bool)) for v in values):
        raise Unsupported("min or max of dynamic values")
    if not values:
        return empty_of(ty)
    return max(values) if largest else min(values)


def _stdev(ty, values, rows):
    if len(values) < 2:
        raise Ambiguous("stdev of one value")
    mean = sum(values) / len(values)
    return math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))


def _set(ty, values, rows):
    out = [to_dynamic(v, ty) for v in values]
    if any(isinstance(v, (list, dict)) for v in out):
        raise Unsupported("make_set of arrays or bags")
    return _distinct(out)


def _list(ty, values, rows):
    return [to_dynamic(v, ty) for v in values]


def _dcount(ty, values, rows):
    if ty != "string" and len(values) < len(rows):
        raise Ambiguous("dcount with nulls")
    return len(_distinct(values))


def _number(ty):
    return "real" if ty in ("int", "long", "real", "decimal") else ty


# name: (result type of the argument's, what it does, whether the last argument is a condition)
SIMPLE = {
    "sum": (lambda t: "long" if t == "int" else t, _sum, False),
    "sumif": (lambda t: "long" if t == "int" else t, _sum, True),
    "avg": (_number, _avg, False),
    "avgif": (_number, _avg, True),
    "min": (lambda t: t, _min, False),
    "minif": (lambda t: t, _min, True),
    "max": (lambda t: t, _max, False),
    "maxif": (lambda t: t, _max, True),
    "stdev": (lambda t: "real", _stdev, False),
    "dcount": (lambda t: "long", _dcount, False),
    "dcountif": (lambda t: "long", _dcount, True),
    "count_distinct": (lambda t: "long", _dcount, False),
    "make_set": (lambda t: "dynamic", _set, False),
    "makeset": (lambda t: "dynamic", _set, False),
    "make_set_if": (lambda t: "dynamic", _set, True),
    "make_list": (lambda t: "dynamic", _list, False),
    "makelist": (lambda t: "dynamic", _list, False),
    "make_list_if": (lambda t: "dynamic", _list, True),
}
PICKS = {"arg_max", "arg_min", "argmax", "argmin", "any", "take_any", "anyif", "take_anyif"}
COUNTS = {"count", "countif"}
BAGS = {"make_bag", "make_bag_if"}
NAMES = {*SIMPLE, *PICKS, *COUNTS, *BAGS}


def build(name, given, env):
    """The aggregate as (type, function of the rows of a group)."""
    if name == "count":
        return "long", len
    compiled = [compile_expr(a, env) for a in given]
    if name == "countif":
        test = compiled[0][1]
        return "long", lambda rows: sum(test(r) is True for r in rows)
    if name in BAGS:
        return "dynamic", _bag(compiled, name.endswith("_if"))
    if name in ("any", "take_any"):
        ty, do = compiled[0]
        return ty, lambda rows: the_only(do, rows, ty)
    if name in ("anyif", "take_anyif"):
        (ty, do), (_, test) = compiled
        return ty, lambda rows: the_only(do, [r for r in rows if test(r)], ty)
    result, do, conditional = SIMPLE[name]
    ty, value = compiled[0]
    test = compiled[1][1] if conditional else None
    limit = _limit(name, given, env, conditional)

    def run(rows):
        rows = rows if test is None else [r for r in rows if test(r) is True]
        found = do(ty, _values(value, rows), rows)
        if limit is not None and isinstance(found, list) and len(found) > limit:
            raise Ambiguous("a set that is cut")
        return found

    return result(ty), run


def _limit(name, given, env, conditional):
    at = 2 if conditional else 1
    if "make" not in name or len(given) <= at:
        return None
    return constant(given[at], env.scope)[1]


def _bag(compiled, conditional):
    do = compiled[0][1]
    test = compiled[1][1] if conditional else None

    def run(rows):
        out = {}
        for row in rows:
            bag = do(row)
            if test is not None and test(row) is not True or not isinstance(bag, dict):
                continue
            for key, value in bag.items():
                if key in out and not _same(out[key], value):
                    raise Ambiguous("make_bag of differing values for a key")
                out[key] = value
        return out

    return run


def the_only(do, rows, ty):
    """`any`: what KQL may choose is judged only where there is no choice."""
    values = _distinct(v for v in map(do, rows) if v is not None and v != "")
    if len(values) > 1:
        raise Ambiguous("any of differing values")
    if values and len(values) == 1 and any(do(r) in (None, "") for r in rows):
        raise Ambiguous("any of a value and an empty one")
    return values[0] if values else empty_of(ty)


def pick(name, by, env, rows):
    """The row that `arg_max` or `arg_min` takes."""
    ty, do = by
    best, best_value = None, None
    ties = []
    for row in rows:
        value = do(row)
        if value is None or value == "":
            continue
        below = None if best is None else less(best_value, ty, value, ty)
        above = None if best is None else less(value, ty, best_value, ty)
        better = best is None or (below if name in ("arg_max", "argmax") else above)
        if better:
            best, best_value, ties = row, value, [row]
        elif not below and not above:
            ties.append(row)
    if best is None:
        raise Ambiguous("arg_max of nothing but nulls")
    if len(_distinct(ties)) > 1:
        raise Ambiguous("a tie of arg_max")
    return best
