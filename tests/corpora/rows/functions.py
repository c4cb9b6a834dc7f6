"""Scalar functions of the interpreter. Each entry: result type (or a function of the argument types), and what it does.

`values` and `types` are lists; `FUNCTIONS[name] = (returns, strict, do)`. A strict function gives null (or "") when any
argument is null.
"""

import base64
import hashlib
import ipaddress
import math
import re
import urllib.parse
from datetime import datetime, timezone

from .values import (
    DAY, EPOCH, HOUR, MINUTE, SECOND, Ambiguous, Unsupported, cast, datetime_text, equal, has, json_text, less, parse_datetime,
    parse_json, regex, text_of, timespan_text, to_dynamic,
)

FUNCTIONS = {}


def define(names, returns, strict=True):
    def register(do):
        for name in names.split():
            FUNCTIONS[name] = (returns, strict, do)
        return do

    return register


def text(values, types, n=0):
    return text_of(values[n], types[n])


# --- casts

for _names, _type in (
    ("tostring", "string"), ("tolong", "long"), ("toint", "int"), ("todouble toreal", "real"), ("tobool toboolean", "bool"),
    ("todatetime", "datetime"), ("totimespan totime", "timespan"), ("toguid", "guid"), ("todecimal", "decimal"),
):
    define(_names, _type, strict=False)(lambda v, t, to=_type: cast(v[0], t[0], to))


@define("todynamic parse_json parsejson", "dynamic", strict=False)
def _(v, t):
    return parse_json(v[0]) if t[0] == "string" else to_dynamic(v[0], t[0])


@define("dynamic_to_json", "string", strict=False)
def _(v, t):
    return json_text(v[0])


# --- conditions


def common(types):
    known = set(types)
    if len(known) == 1:
        return types[0]
    if known <= {"int", "long"}:
        return "long"
    if known <= {"int", "long", "real"}:
        return "real"
    if "dynamic" in known:
        return "dynamic"
    raise Unsupported(f"mixed types {sorted(known)}")


def _as(value, source, target):
    return value if source == target else cast(value, source, target)


@define("iff iif", lambda t: common(t[1:]), strict=False)
def _(v, t):
    n = 1 if v[0] else 2
    return _as(v[n], t[n], common(t[1:]))


def case_type(types):
    return common(types[1::2] + types[-1:])


@define("case", case_type, strict=False)
def _(v, t):
    for n in range(0, len(v) - 1, 2):
        if v[n]:
            return _as(v[n + 1], t[n + 1], case_type(t))
    return _as(v[-1], t[-1], case_type(t))


@define("coalesce", common, strict=False)
def _(v, t):
    for value, ty in zip(v, t):
        if value is not None and value != "":
            return _as(value, ty, common(t))
    return "" if common(t) == "string" else None


@define("not", "bool")
def _(v, t):
    return not v[0]


@define("isempty", "bool", strict=False)
def _(v, t):
    return text(v, t) == ""


@define("isnotempty notempty", "bool", strict=False)
def _(v, t):
    return text(v, t) != ""


@define("isnull", "bool", strict=False)
def _(v, t):
    if t[0] == "string":
        return False
    return v[0] is None


@define("isnotnull notnull", "bool", strict=False)
def _(v, t):
    if t[0] == "string":
        return True
    return v[0] is not None


# --- text


@define("tolower", "string", strict=False)
def _(v, t):
    return text(v, t).lower()


@define("toupper", "string", strict=False)
def _(v, t):
    return text(v, t).upper()


@define("strcat", "string", strict=False)
def _(v, t):
    return "".join(text(v, t, n) for n in range(len(v)))


@define("strcat_delim", "string", strict=False)
def _(v, t):
    return text(v, t).join(text(v, t, n) for n in range(1, len(v)))


@define("strlen", "long", strict=False)
def _(v, t):
    return len(text(v, t))


@define("reverse", "string", strict=False)
def _(v, t):
    return text(v, t)[::-1]


@define("substring", "string")
def _(v, t):
    s, start = text(v, t), v[1]
    if start < 0:
        start = max(0, len(s) + start)
    return s[start:] if len(v) < 3 else s[start : start + max(0, v[2])]


@define("replace_string", "string", strict=False)
def _(v, t):
    return text(v, t).replace(text(v, t, 1), text(v, t, 2)) if text(v, t, 1) else text(v, t)


@define("replace_regex", "string", strict=False)
def _(v, t):
    return _replaced(text(v, t), text(v, t, 1), text(v, t, 2))


@define("replace", "string", strict=False)
def _(v, t):
    # The legacy function has the text last.
    return _replaced(text(v, t, 2), text(v, t), text(v, t, 1))


def _replaced(source, pattern, rewrite):
    rewrite = re.sub(r"\\(\d)", r"\\g<\1>", rewrite)
    rewrite = re.sub(r"\\(?!g<)", r"\\\\", rewrite)
    return regex(pattern).sub(rewrite, source)


def _trim(what, pattern, left, right):
    if left and (m := regex(f"^(?:{pattern})").match(what)):
        what = what[m.end() :]
    if right and (m := regex(f"(?:{pattern})$").search(what)):
        what = what[: m.start()]
    return what


for _name, _left, _right in (("trim", True, True), ("trim_start", True, False), ("trim_end", False, True)):
    define(_name, "string", strict=False)(lambda v, t, left=_left, right=_right: _trim(text(v, t, 1), text(v, t), left, right))


@define("indexof", "long", strict=False)
def _(v, t):
    if len(v) > 3:
        raise Unsupported("indexof with a length")
    return text(v, t).find(text(v, t, 1), v[2] if len(v) > 2 else 0)


@define("countof", "long", strict=False)
def _(v, t):
    if len(v) > 2 and v[2] == "regex":
        return len(regex(v[1]).findall(v[0]))
    found, at = 0, v[0].find(v[1])
    while at >= 0 and v[1]:
        found, at = found + 1, v[0].find(v[1], at + 1)
    return found


@define("split", "dynamic", strict=False)
def _(v, t):
    if text(v, t, 1) == "":
        raise Unsupported("split by nothing")
    parts = text(v, t).split(text(v, t, 1))
    if len(v) > 2:
        return [parts[v[2]]] if 0 <= v[2] < len(parts) else []
    return parts


@define("extract", "string", strict=False)
def _(v, t):
    if len(v) > 3:
        raise Unsupported("extract with a type")
    match = regex(v[0]).search(text(v, t, 2))
    return (match.group(v[1]) or "") if match else ""


@define("extract_all extractall", "dynamic", strict=False)
def _(v, t):
    if len(v) > 2:
        raise Unsupported("extract_all of chosen groups")
    pattern = regex(v[0])
    found = [list(m.groups(default="")) if pattern.groups > 1 else m.group(1) or "" for m in pattern.finditer(text(v, t, 1))]
    return found or None


@define("regex_quote", "string")
def _(v, t):
    raise Unsupported("regex_quote")


@define("base64_decode_tostring base64_decodestring", "string", strict=False)
def _(v, t):
    try:
        return base64.b64decode(text(v, t), validate=True).decode("utf-8")
    except ValueError:
        return ""


@define("base64_encode_tostring base64_encodestring", "string", strict=False)
def _(v, t):
    return base64.b64encode(text(v, t).encode()).decode()


@define("url_decode", "string", strict=False)
def _(v, t):
    return urllib.parse.unquote(text(v, t))


@define("hash_sha256", "string", strict=False)
def _(v, t):
    return hashlib.sha256(text(v, t).encode()).hexdigest()


@define("hash_md5", "string", strict=False)
def _(v, t):
    return hashlib.md5(text(v, t).encode()).hexdigest()


@define("strcmp", "int", strict=False)
def _(v, t):
    return (v[0] > v[1]) - (v[0] < v[1])


# --- numbers and times


def _number_type(types):
    return common(types)


@define("abs", lambda t: t[0])
def _(v, t):
    return abs(v[0])


@define("round", "real")
def _(v, t):
    digits = 10 ** (v[1] if len(v) > 1 else 0)
    scaled = float(v[0]) * digits
    if abs(scaled - math.floor(scaled) - 0.5) < 1e-9:
        raise Ambiguous("round of a half")
    return math.floor(scaled + 0.5) / digits


@define("ceiling", "real")
def _(v, t):
    return float(math.ceil(v[0]))


@define("sqrt", "real")
def _(v, t):
    return math.sqrt(v[0]) if v[0] >= 0 else None


@define("log", "real")
def _(v, t):
    return math.log(v[0]) if v[0] > 0 else None


@define("log2", "real")
def _(v, t):
    return math.log2(v[0]) if v[0] > 0 else None


@define("exp", "real")
def _(v, t):
    return math.exp(v[0])


@define("pow", "real")
def _(v, t):
    return float(v[0]) ** v[1]


@define("isnan", "bool")
def _(v, t):
    return v[0] != v[0]


@define("min_of", common, strict=False)
def _(v, t):
    found = [x for x in v if x is not None]
    return min(found) if found else None


@define("max_of", common, strict=False)
def _(v, t):
    found = [x for x in v if x is not None]
    return max(found) if found else None


def bin_type(types):
    return types[0] if types[0] not in ("int", "long") or types[1] != "real" else "real"


@define("bin floor", bin_type)
def _(v, t):
    if v[1] == 0:
        return None
    if "real" in t:
        return math.floor(v[0] / v[1]) * v[1]
    return v[0] // v[1] * v[1]


def civil(ticks):
    return datetime.fromtimestamp((ticks - EPOCH) // SECOND, timezone.utc)


def ticks_of(moment):
    return int(moment.timestamp()) * SECOND + EPOCH


@define("startofday", "datetime")
def _(v, t):
    return v[0] // DAY * DAY + (v[1] * DAY if len(v) > 1 else 0)


@define("endofday", "datetime")
def _(v, t):
    return v[0] // DAY * DAY + DAY - 1 + (v[1] * DAY if len(v) > 1 else 0)


@define("startofweek", "datetime")
def _(v, t):
    day = v[0] // DAY * DAY
    return day - (civil(v[0]).isoweekday() % 7) * DAY + (7 * DAY * v[1] if len(v) > 1 else 0)


@define("startofmonth", "datetime")
def _(v, t):
    at = civil(v[0])
    months = at.year * 12 + at.month - 1 + (v[1] if len(v) > 1 else 0)
    return ticks_of(datetime(months // 12, months % 12 + 1, 1, tzinfo=timezone.utc))


@define("startofyear", "datetime")
def _(v, t):
    return ticks_of(datetime(civil(v[0]).year, 1, 1, tzinfo=timezone.utc))


@define("dayofweek", "timespan")
def _(v, t):
    return civil(v[0]).isoweekday() % 7 * DAY


@define("hourofday", "int")
def _(v, t):
    return civil(v[0]).hour


@define("dayofmonth", "int")
def _(v, t):
    return civil(v[0]).day


@define("getyear", "int")
def _(v, t):
    return civil(v[0]).year


@define("getmonth monthofyear", "int")
def _(v, t):
    return civil(v[0]).month


_SIMPLE_UNITS = {"day": DAY, "hour": HOUR, "minute": MINUTE, "second": SECOND, "millisecond": 10_000}


@define("datetime_diff", "long")
def _(v, t):
    unit = v[0].lower().rstrip("s") if v[0].lower() not in _SIMPLE_UNITS else v[0].lower()
    if unit not in _SIMPLE_UNITS:
        raise Unsupported(f"datetime_diff of {unit}")
    size = _SIMPLE_UNITS[unit]
    return v[1] // size - v[2] // size


@define("datetime_add", "datetime")
def _(v, t):
    unit = v[0].lower()
    if unit not in _SIMPLE_UNITS:
        raise Unsupported(f"datetime_add of {unit}")
    return v[2] + v[1] * _SIMPLE_UNITS[unit]


@define("datetime_part", "long")
def _(v, t):
    at = civil(v[1])
    parts = {"year": at.year, "month": at.month, "day": at.day, "hour": at.hour, "minute": at.minute, "second": at.second}
    if v[0].lower() not in parts:
        raise Unsupported(f"datetime_part of {v[0]}")
    return parts[v[0].lower()]


@define("unixtime_seconds_todatetime", "datetime")
def _(v, t):
    return round(v[0] * SECOND) + EPOCH


@define("unixtime_milliseconds_todatetime", "datetime")
def _(v, t):
    return round(v[0] * 10_000) + EPOCH


@define("make_datetime", "datetime")
def _(v, t):
    if len(v) < 3:
        raise Unsupported("make_datetime")
    return ticks_of(datetime(*(int(x) for x in v[:5]), tzinfo=timezone.utc)) + round(v[5] * SECOND if len(v) > 5 else 0)


# --- dynamic values


@define("pack_array", "dynamic", strict=False)
def _(v, t):
    return [to_dynamic(x, ty) for x, ty in zip(v, t)]


@define("pack bag_pack pack_dictionary", "dynamic", strict=False)
def _(v, t):
    return {text(v, t, n): to_dynamic(v[n + 1], t[n + 1]) for n in range(0, len(v), 2)}


@define("array_length arraylength", "long")
def _(v, t):
    return len(v[0]) if isinstance(v[0], list) else None


@define("array_concat", "dynamic")
def _(v, t):
    if not all(isinstance(x, list) for x in v):
        return None
    return [x for part in v for x in part]


@define("array_slice", "dynamic")
def _(v, t):
    if not isinstance(v[0], list):
        return None
    n = len(v[0])
    start, end = (x + n if x < 0 else x for x in v[1:3])
    return v[0][max(0, start) : max(0, end + 1)]


@define("array_reverse", "dynamic")
def _(v, t):
    return v[0][::-1] if isinstance(v[0], list) else None


@define("array_index_of", "long")
def _(v, t):
    if not isinstance(v[0], list):
        return None
    return next((n for n, x in enumerate(v[0]) if equal(x, "dynamic", v[1], t[1])), -1)


@define("array_sort_asc", "dynamic")
def _(v, t):
    return _sorted(v, False)


@define("array_sort_desc", "dynamic")
def _(v, t):
    return _sorted(v, True)


def _sorted(v, reverse):
    if len(v) > 1:
        raise Unsupported("sort of several arrays")
    if not isinstance(v[0], list):
        return None
    if len({type(x) for x in v[0]}) > 1:
        raise Unsupported("sort of mixed values")
    return sorted(v[0], reverse=reverse)


@define("strcat_array", "string")
def _(v, t):
    if not isinstance(v[0], list):
        return ""
    return text(v, t, 1).join(text_of(x, "dynamic") for x in v[0])


@define("set_has_element", "bool")
def _(v, t):
    return isinstance(v[0], list) and any(equal(x, "dynamic", v[1], t[1]) for x in v[0])


def _distinct(items):
    out = []
    for x in items:
        if x not in out:
            out.append(x)
    return out


@define("set_union", "dynamic")
def _(v, t):
    return _distinct(x for part in v if isinstance(part, list) for x in part)


@define("set_difference", "dynamic")
def _(v, t):
    if not all(isinstance(x, list) for x in v):
        raise Ambiguous("set_difference of what is no array")
    return _distinct(x for x in v[0] if not any(x in other for other in v[1:]))


@define("set_intersect", "dynamic")
def _(v, t):
    if not all(isinstance(x, list) for x in v):
        raise Ambiguous("set_intersect of what is no array")
    return _distinct(x for x in v[0] if all(x in other for other in v[1:]))


@define("bag_keys", "dynamic")
def _(v, t):
    return list(v[0]) if isinstance(v[0], dict) else None


@define("bag_merge", "dynamic", strict=False)
def _(v, t):
    out = {}
    for bag in v:
        if isinstance(bag, dict):
            out = {**bag, **out}
    return out


@define("bag_has_key", "bool")
def _(v, t):
    return isinstance(v[0], dict) and v[1] in v[0]


@define("bag_remove_keys", "dynamic")
def _(v, t):
    return {k: x for k, x in v[0].items() if k not in v[1]} if isinstance(v[0], dict) else None


@define("extractjson extract_json", "string", strict=False)
def _(v, t):
    if len(v) > 2:
        raise Unsupported("extractjson with a type")
    path = re.fullmatch(r"\$((?:\.\w+|\[\d+\]|\['[^']+'\])*)", v[0])
    if not path:
        raise Unsupported(f"JSON path {v[0]}")
    here = parse_json(v[1]) if t[1] == "string" else v[1]
    for name, index, quoted in re.findall(r"\.(\w+)|\[(\d+)\]|\['([^']+)'\]", path.group(1)):
        here = member(here, int(index) if index else name or quoted)
    return text_of(here, "dynamic")


def member(value, key):
    """`value[key]`: null where there is none."""
    if isinstance(key, str):
        return value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list) and isinstance(key, int):
        key = key + len(value) if key < 0 else key
        return value[key] if 0 <= key < len(value) else None
    return None


# --- addresses and links


def _address(what):
    if re.search(r"(^|\.)0\d", what):
        raise Ambiguous("an address with leading zeros")
    try:
        return ipaddress.IPv4Address(what)
    except ValueError:
        return None


def _network(what):
    try:
        return ipaddress.IPv4Network(what, strict=False)
    except ValueError:
        return None


_PRIVATE = [ipaddress.IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


@define("ipv4_is_private", "bool")
def _(v, t):
    address = _address(v[0])
    return None if address is None else any(address in n for n in _PRIVATE)


@define("ipv4_is_in_range", "bool")
def _(v, t):
    address, network = _address(v[0]), _network(v[1])
    return None if address is None or network is None else address in network


@define("ipv4_is_in_any_range", "bool")
def _(v, t):
    ranges = [x for r in v[1:] for x in (r if isinstance(r, list) else [r])]
    address = _address(v[0])
    if address is None:
        return None
    return any((n := _network(r)) is not None and address in n for r in ranges)


@define("ipv4_is_match", "bool")
def _(v, t):
    if len(v) > 2 or any("/" in x for x in v):
        raise Unsupported("ipv4_is_match with a prefix")
    a, b = map(_address, v)
    return None if a is None or b is None else a == b


@define("parse_ipv4", "long")
def _(v, t):
    address = _address(v[0])
    return None if address is None else int(address)


@define("has_any_ipv4_prefix", "bool")
def _(v, t):
    raise Unsupported("has_any_ipv4_prefix")


@define("parse_url parseurl", "dynamic", strict=False)
def _(v, t):
    match = re.fullmatch(r"([a-z]+)://([A-Za-z0-9.-]+)(?::(\d+))?(/[^?#\s]*)?(?:\?([^#\s]*))?(?:#(\S*))?", text(v, t))
    if not match:
        raise Ambiguous("parse_url of no plain link")
    scheme, host, port, path, query, fragment = (g or "" for g in match.groups())
    pairs = {}
    for part in filter(None, query.split("&")):
        key, _, value = part.partition("=")
        pairs[key] = urllib.parse.unquote(value)
    return {
        "Scheme": scheme, "Host": host, "Port": port, "Path": path, "Username": "", "Password": "",
        "Query Parameters": pairs, "Fragment": fragment,
    }


@define("parse_path", "dynamic", strict=False)
def _(v, t):
    raise Unsupported("parse_path")


@define("format_datetime", "string")
def _(v, t):
    parts = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
    out, rest = "", v[1]
    while rest:
        key = next((k for k in parts if rest.startswith(k)), None)
        if key:
            out, rest = out + civil(v[0]).strftime(parts[key]), rest[len(key) :]
        elif rest[0].isalpha():
            raise Unsupported(f"format {v[1]}")
        else:
            out, rest = out + rest[0], rest[1:]
    return out


@define("gettype", "string", strict=False)
def _(v, t):
    if t[0] != "dynamic":
        return t[0]
    kinds = {bool: "bool", int: "long", float: "double", str: "string", list: "array", dict: "dictionary", type(None): "null"}
    return kinds[type(v[0])]


@define("binary_and", "long")
def _(v, t):
    return v[0] & v[1]


@define("binary_or", "long")
def _(v, t):
    return v[0] | v[1]
