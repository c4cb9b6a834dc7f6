"""Whether two texts say the same, by readers that are not ours: PyYAML and Microsoft's KQL parser."""

import re
from collections import Counter

import sexpr
import yaml

_NULL = "tag:yaml.org,2002:null"
_STR = "tag:yaml.org,2002:str"


def trees(before, after):
    """Where two trees of Microsoft's parser differ; None if nowhere. Idle brackets and separators, the quotes of strings and
    the second spelling of a keyword are no difference."""
    a, b = _essence(before), _essence(after)
    for n, (x, y) in enumerate(zip(a, b)):
        if x != y:
            return f"part {n}: {x} became {y}"
    return None if len(a) == len(b) else f"{len(a)} parts became {len(b)}"


_SYNONYMS = {
    "order": "sort", "mvexpand": "mv-expand", "mvapply": "mv-apply", "limit": "take", "filter": "where", "external_data": "externaldata",
    "<>": "!=", "boolean": "bool", "double": "real", "int64": "long", "int32": "int", "date": "datetime", "time": "timespan",
    "uuid": "guid", "uniqueid": "guid", "True": "true", "False": "false", "TRUE": "true", "FALSE": "false",
    "notcontains": "!contains", "notcontainscs": "!contains_cs", "containscs": "contains_cs",
}
_END = ")"


def _essence(text):
    """Kinds and tokens in order, the ends of nodes marked, without what has no meaning."""
    out, stack = [], [sexpr.parse(text)]
    while stack:
        node = stack.pop()
        if node is _END or isinstance(node, tuple):
            out.append(node)
        elif isinstance(node, sexpr.Token):
            out.append(_token(node))
        else:
            stack.extend(reversed(_parts(node)))
    return out


def _parts(node):
    """What stands for a node: its kind, children and end; or its children alone."""
    k = node[0]
    if k == "ParenthesizedExpression":
        return sexpr.nodes(node)
    if k == "SeparatedElement":
        return sexpr.nodes(node)
    if k == "List" and len(node) == 1:
        return []
    if k in ("PathExpression", "ElementExpression"):
        base, key = sexpr.nodes(node)
        inner = sexpr.nodes(key)[0] if k == "ElementExpression" or sexpr.kind(key) == "BracketedExpression" else key
        name = sexpr.plain_name(inner)
        if name is None and sexpr.kind(inner) == "StringLiteralExpression":
            name = sexpr.string_value(sexpr.leaves(inner)[0])
        return [("Member",), base, ("name", name) if name is not None else inner, _END]
    if k in ("NameReference", "NameDeclaration"):
        name = sexpr.plain_name(node)
        if name is not None:
            return [("name", name)]
    if k == "RenderOperator":
        # How a chart's options are spelled is of no account to a rule.
        return [(k,), *sexpr.tokens(node)[:2], _END]
    if k == "CompoundStringLiteralExpression":
        return [("StringLiteralExpression",), ("string", "".join(map(sexpr.string_value, sexpr.leaves(node)))), _END]
    children = [c for c in node[1:] if isinstance(c, list) or c not in (";", ",")]
    if k in ("TypeOfLiteralExpression", "ExpressionList"):
        children = [c for c in children if isinstance(c, list)]
    return [(k,), *children, _END]


def _token(token):
    if token[:1] in "'\"@`~" or re.match(r"[hH][@'\"`~]", token):
        return ("string", sexpr.string_value(token))
    for old, new in (("time(", "timespan("), ("double(", "real("), ("date(", "datetime(")):
        if token.startswith(old):
            return new + token[len(old) :]
    return _SYNONYMS.get(token, str(token))


def documents(before, after):
    """What of a stream of YAML documents is lost or changed in another; None if nothing. The order of keys is free."""
    a, b = (list(yaml.compose_all(t, Loader=yaml.SafeLoader)) for t in (before, after))
    if len(a) != len(b):
        return f"{len(a)} documents became {len(b)}"
    for x, y in zip(a, b):
        if lost := _node(x, y, ""):
            return lost
    return None


def _node(a, b, path):
    if a is None or b is None:
        return None if a is b else f"{path or 'document'}: empty on one side"
    if isinstance(a, yaml.ScalarNode):
        if not isinstance(b, yaml.ScalarNode):
            return f"{path}: a scalar became a {b.id}"
        if path.endswith(".detection.condition") or ".detection.condition[" in path:
            return None if condition(a.value) == condition(b.value) else f"{path}: `{a.value}` became `{b.value}`"
        # A number in quotes is a text; a null is no empty text.
        if (_kind(a), a.value) != (_kind(b), b.value) and not (_kind(a) == _kind(b) == _NULL):
            return f"{path}: {_kind(a)[-5:]} `{a.value}` became {_kind(b)[-5:]} `{b.value}`"
        return None
    if a.id != b.id:
        return f"{path}: a {a.id} became a {b.id}"
    if isinstance(a, yaml.SequenceNode):
        if len(a.value) != len(b.value):
            return f"{path}: {len(a.value)} items became {len(b.value)}"
        pairs = [(x, y, f"{path}[{n}]") for n, (x, y) in enumerate(zip(a.value, b.value))]
    else:
        keys, theirs = ([k.value for k, _ in m.value] for m in (a, b))
        if sorted(keys) != sorted(theirs):
            return f"{path}: keys {sorted(set(keys) ^ set(theirs))}"
        other = {k.value: v for k, v in b.value}
        pairs = [(v, other[k.value], f"{path}.{k.value}") for k, v in a.value]
    return next((lost for x, y, p in pairs if (lost := _node(x, y, p))), None)


def condition(text):
    """What a Sigma condition says, as a tree in which `and` and `or` take any number of operands; brackets are spent."""
    head, pipe, tail = text.partition("|")
    words = re.findall(r"\(|\)|[^\s()]+", head)

    def either(at):
        return several(at, "or", lambda i: several(i, "and", negation))

    def several(at, word, operand):
        found, at = operand(at)
        items = [found]
        while at < len(words) and words[at].lower() == word:
            found, at = operand(at + 1)
            items.append(found)
        flat = [x for i in items for x in (i[1:] if isinstance(i, tuple) and i[0] == word else [i])]
        return (flat[0] if len(flat) == 1 else (word, *flat)), at

    def negation(at):
        if words[at].lower() == "not":
            found, at = negation(at + 1)
            return ("not", found), at
        if words[at] == "(":
            found, at = either(at + 1)
            return found, at + 1
        if at + 2 < len(words) and words[at + 1].lower() == "of":
            return ("of", words[at].lower(), words[at + 2]), at + 3
        return words[at], at + 1

    try:
        found, at = either(0)
        return found, words[at:], " ".join(tail.split())
    except IndexError:
        return text


def _kind(node):
    """Dates and whatever else is no number, boolean or null is text to Sigma."""
    return node.tag if node.tag[22:] in ("null", "bool", "int", "float") else _STR


def comments(before, after):
    """Comments that went missing or appeared; None if the same."""
    a, b = _comments(before), _comments(after)
    gone, new = a - b, b - a
    return None if not gone and not new else f"comments: {list(gone.elements())[:2]} gone, {list(new.elements())[:2]} new"


def _comments(text):
    found, end = Counter(), 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        found.update(c.strip() for c in re.findall(r"#.*", text[end : token.start_mark.index]))
        # The end of a block scalar lies behind the comments that follow it.
        end = token.end_mark.index
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            indented = text[token.start_mark.index : end].splitlines()
            head = indented[0] if indented else ""
            found.update(c.strip() for c in re.findall(r"#.*", head))
            found.update(c.strip() for c in _behind(indented[1:]))
    return found


def _behind(lines):
    """Comment lines at the end of a block scalar's extent that are less indented than it."""
    own = next((len(l) - len(l.lstrip()) for l in lines if l.strip()), 0)
    return [l for l in lines if l.strip().startswith("#") and len(l) - len(l.lstrip()) < own]


def sigma_fault(text):
    """Why a text is no Sigma rule with a condition over its selections, or correlation of such rules; None if it is one."""
    try:
        rules = [d for d in yaml.load_all(text, Loader=yaml.BaseLoader) if d is not None]
    except yaml.YAMLError as e:
        return f"not YAML: {e}"
    names_of_rules = {r.get("name") for r in rules if isinstance(r, dict)}
    for rule in rules:
        if isinstance(rule, dict) and isinstance(rule.get("correlation"), dict):
            correlation = rule["correlation"]
            if not {"type", "rules", "timespan"} <= correlation.keys() or "title" not in rule:
                return "title, type, rules or timespan of the correlation is missing"
            if not set(correlation["rules"]) <= names_of_rules:
                return "the correlation refers to a rule that is not there"
            continue
        if not isinstance(rule, dict) or not {"title", "logsource", "detection"} <= rule.keys():
            return "title, logsource or detection is missing"
        detection = rule["detection"]
        conditions = detection.get("condition")
        if not conditions:
            return "no condition"
        names = set(detection) - {"condition", "timeframe"}
        for condition in [conditions] if isinstance(conditions, str) else conditions:
            for word in re.findall(r"[^\s()|]+", condition):
                star = word.replace("*", "")
                known = word in names or word in ("and", "or", "not", "of", "them", "all") or word.isdigit()
                if not known and not ("*" in word and any(n.startswith(star) for n in names)):
                    return f"the condition names `{word}`, which is no selection"
    return None if rules else "no document"
