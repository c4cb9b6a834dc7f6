"""KQL's values in Python, written from Kusto's documentation and from design note `semantics.md`, without a look at Ruleferry.

A value is a plain Python value; its KQL type is known statically, beside it:
string → str (never None) · long, int → int · real → float · decimal → Decimal · bool → bool · datetime, timespan → int, ticks
of 100 ns · guid → str · dynamic → what JSON gives (None, bool, int, float, str, list, dict). None is null.
"""

import json
import re
from datetime import datetime, timezone
from decimal import Decimal

SECOND = 10_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND
EPOCH = 621_355_968_000_000_000  # ticks from year 1 to 1970
NUMBERS = ("int", "long", "real", "decimal")
UNITS = {
    "d": DAY, "day": DAY, "days": DAY, "h": HOUR, "hr": HOUR, "hrs": HOUR, "hour": HOUR, "hours": HOUR, "m": MINUTE, "min": MINUTE,
    "minute": MINUTE, "minutes": MINUTE, "s": SECOND, "sec": SECOND, "second": SECOND, "seconds": SECOND, "ms": 10_000,
    "milli": 10_000, "millis": 10_000, "millisec": 10_000, "millisecond": 10_000, "milliseconds": 10_000, "us": 10, "micro": 10,
    "micros": 10, "microsec": 10, "microsecond": 10, "microseconds": 10, "tick": 1, "ticks": 1, "w": 7 * DAY, "nanosecond": 0.01,
}


class Unsupported(Exception):
    """The interpreter does not cover this; the query is not judged."""


class Ambiguous(Exception):
    """KQL leaves the answer open on this data; other data may settle it."""


class Nothing(Exception):
    """A run-time error of the query."""


def empty_of(ty):
    """What a missing value of a type is."""
    return "" if ty == "string" else None


# --- texts of values


def datetime_text(ticks):
    seconds, rest = divmod(ticks - EPOCH, SECOND)
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:07d}Z"


def timespan_text(ticks):
    sign, ticks = ("-", -ticks) if ticks < 0 else ("", ticks)
    days, rest = divmod(ticks, DAY)
    seconds, fraction = divmod(rest, SECOND)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return sign + (f"{days}." if days else "") + text + (f".{fraction:07d}" if fraction else "")


def real_text(value):
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def json_text(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def text_of(value, ty):
    """`tostring`."""
    if value is None:
        return ""
    if ty in ("string", "guid"):
        return value
    if ty == "bool":
        return "True" if value else "False"
    if ty == "datetime":
        return datetime_text(value)
    if ty == "timespan":
        return timespan_text(value)
    if ty == "real":
        return real_text(value)
    if ty == "dynamic":
        if isinstance(value, str):
            return value
        if isinstance(value, float):
            return real_text(value)
        return json_text(value)
    return str(value)


# --- reading values from text


def parse_datetime(text):
    text = text.strip()
    match = re.fullmatch(
        r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]00:?00)?", text
    )
    if not match:
        if re.fullmatch(r"[A-Za-z_ ]*", text):
            return None
        raise Unsupported(f"datetime text `{text}`")
    y, mo, d, h, mi, s = (int(g or 0) for g in match.groups()[:6])
    try:
        moment = datetime(y, mo, d, h, mi, s, tzinfo=timezone.utc)
    except ValueError:
        return None
    fraction = int((match.group(7) or "0").ljust(7, "0")[:7])
    return int(moment.timestamp()) * SECOND + fraction + EPOCH


def parse_timespan(text):
    text = text.strip()
    if match := re.fullmatch(r"(-?)(\d+(?:\.\d+)?)\s*([a-z]+)", text):
        unit = UNITS.get(match.group(3))
        if unit is None:
            return None
        ticks = round(float(match.group(2)) * unit)
        return -ticks if match.group(1) else ticks
    match = re.fullmatch(r"(-?)(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?", text)
    if match:
        sign, d, h, m, s, f = match.groups()
        ticks = int(d or 0) * DAY + int(h) * HOUR + int(m) * MINUTE + int(s or 0) * SECOND + int((f or "0").ljust(7, "0"))
        return -ticks if sign else ticks
    if re.fullmatch(r"\d+", text):
        return int(text) * DAY
    return None


def parse_long(text):
    text = text.strip()
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", text):
        return int(text, 16)
    if re.fullmatch(r"[+-]?\d+\.\d*", text):
        raise Unsupported("tolong of a text with a fraction")
    return None


def parse_json(text):
    """A text that is no JSON stays the text; the data avoids it."""
    if text.strip() == "":
        return None if text == "" else text
    try:
        return json.loads(text)
    except ValueError:
        return text


def cast(value, source, target):
    """The `to…` functions, and `to typeof(…)`."""
    if target == "string":
        return text_of(value, source)
    if value is None or source == target:
        return value
    if target == "dynamic":
        return to_dynamic(value, source)
    if source == "dynamic":
        return _from_dynamic(value, target)
    if source == "string":
        return _from_text(value, target)
    if target in ("long", "int"):
        if source in ("bool", *NUMBERS):
            return int(value)
        if source in ("datetime", "timespan"):
            return value
    if target == "real" and source in ("bool", *NUMBERS):
        return float(value)
    if target == "decimal" and source in NUMBERS:
        return Decimal(str(value))
    if target == "bool" and source in NUMBERS:
        return value != 0
    if target in ("datetime", "timespan") and source in ("int", "long"):
        return value
    raise Unsupported(f"cast of {source} to {target}")


def _from_dynamic(value, target):
    if isinstance(value, (list, dict)):
        return None
    if isinstance(value, bool):
        return cast(value, "bool", target)
    if isinstance(value, int):
        return cast(value, "long", target)
    if isinstance(value, float):
        return cast(value, "real", target)
    return _from_text(value, target)


def _from_text(text, target):
    if target in ("long", "int"):
        return parse_long(text)
    if target == "real":
        try:
            return float(text.strip())
        except ValueError:
            return None
    if target == "decimal":
        return Decimal(text) if re.fullmatch(r"[+-]?\d+(\.\d+)?", text.strip()) else None
    if target == "bool":
        low = text.strip().lower()
        if low in ("true", "false"):
            return low == "true"
        return int(low) != 0 if re.fullmatch(r"-?\d+", low) else None
    if target == "datetime":
        return parse_datetime(text) if text.strip() else None
    if target == "timespan":
        return parse_timespan(text)
    if target == "guid":
        return text.lower() if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) else None
    raise Unsupported(f"cast of string to {target}")


def to_dynamic(value, ty):
    """A value as an element of a dynamic one."""
    if ty == "datetime":
        return None if value is None else datetime_text(value)
    if ty == "timespan":
        return None if value is None else timespan_text(value)
    if ty == "decimal":
        return None if value is None else float(value)
    return value


# --- comparing


def equal(a, ta, b, tb):
    """`==`, False for null."""
    if a is None or b is None:
        return False
    if ta == "dynamic" and tb == "dynamic":
        if isinstance(a, (list, dict)) or isinstance(b, (list, dict)):
            return type(a) is type(b) and a == b
        return type(a) is type(b) and a == b or (_number(a) and _number(b) and a == b)
    if tb == "dynamic":
        return equal(b, tb, a, ta)
    if ta == "dynamic":
        if tb == "string":
            if not isinstance(a, str) and text_of(a, "dynamic").lower() == b.lower():
                raise Ambiguous("a dynamic value that is no text against its text")
            return a == b
        if tb == "bool":
            return isinstance(a, bool) and a == b
        if tb in NUMBERS:
            if isinstance(a, str) and a.strip() == text_of(b, tb):
                raise Ambiguous("a dynamic text against a number")
            return _number(a) and a == b
        if tb in ("datetime", "timespan", "guid"):
            return _from_dynamic(a, tb) == b
    if ta == tb or ta in NUMBERS and tb in NUMBERS:
        return a == b
    if {ta, tb} <= {"bool", *NUMBERS}:
        return int(a) == int(b) if "bool" in (ta, tb) and isinstance(b, (int, bool)) else a == b
    if "string" in (ta, tb):
        text, other, ty = (a, b, tb) if ta == "string" else (b, a, ta)
        if ty == "guid":
            return text.lower() == other.lower()
        return _from_text(text, ty) == other
    raise Unsupported(f"== of {ta} and {tb}")


def _number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def less(a, ta, b, tb):
    """`<`; None for null."""
    if a is None or b is None:
        return None
    if ta == "dynamic":
        a = _from_dynamic(a, tb) if tb != "dynamic" else a
        if tb == "string" and not isinstance(a, str):
            raise Unsupported("order of dynamic and string")
    elif tb == "dynamic":
        b = _from_dynamic(b, ta)
    elif ta != tb and not (ta in NUMBERS and tb in NUMBERS):
        if ta == "string" and tb != "string":
            a = _from_text(a, tb)
        elif tb == "string":
            b = _from_text(b, ta)
        else:
            raise Unsupported(f"order of {ta} and {tb}")
    if a is None or b is None:
        return None
    if isinstance(a, str) != isinstance(b, str) or isinstance(a, (list, dict)):
        raise Unsupported("order of mixed dynamic values")
    return a < b


# --- matching texts


def _boundary(text, at, edge):
    """Whether a term may begin or end at a place: no alphanumeric on both sides of it."""
    return not (edge.isalnum() and 0 <= at < len(text) and text[at].isalnum())


def has(text, what, left=True, right=True):
    """`has`: a boundary beside each alphanumeric edge of what is looked for. `hasprefix` asks for the left one alone."""
    if what == "":
        return True
    at = text.find(what)
    while at >= 0:
        end = at + len(what)
        if (not left or _boundary(text, at - 1, what[0])) and (not right or _boundary(text, end, what[-1])):
            return True
        at = text.find(what, at + 1)
    return False


MATCHERS = {
    "contains": lambda t, w: w in t,
    "has": has,
    "hasprefix": lambda t, w: has(t, w, right=False),
    "hassuffix": lambda t, w: has(t, w, left=False),
    "startswith": lambda t, w: t.startswith(w),
    "endswith": lambda t, w: t.endswith(w),
}


def regex(pattern):
    """An RE2 pattern as Python's, where both mean the same."""
    if re.search(r"\\[pPCQEAz]|\[\[:", pattern):
        raise Unsupported("a regular expression of RE2 alone")
    flags = 0
    if match := re.match(r"\(\?([a-zA-Z]+)\)", pattern):
        letters = match.group(1)
        if "U" in letters:
            raise Unsupported("ungreedy flag")
        for letter in letters:
            flags |= {"i": re.I, "s": re.S, "m": re.M}[letter]
        pattern = pattern[match.end() :]
    elif "(?i)" in pattern:
        raise Unsupported("a flag amid a regular expression")
    try:
        return re.compile(pattern.replace("$", r"\Z") if pattern.endswith("$") and not pattern.endswith("\\$") and not flags & re.M and pattern.count("$") == 1 else pattern, flags | re.A)
    except re.error as e:
        raise Unsupported(f"regular expression: {e}") from e
