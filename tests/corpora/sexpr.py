"""The syntax tree that Microsoft's parser prints: `(Kind child …)` with tokens as JSON strings.

A node is a Python list whose first element is the kind; a token is a `Token` (a str).
"""

import json
import re

_PART = re.compile(r'\(([A-Za-z0-9_]+)|\)|"(?:[^"\\]|\\.)*"')


class Token(str):
    pass


def parse(text):
    stack = [[]]
    for match in _PART.finditer(text):
        part = match.group()
        if part == ")":
            node = stack.pop()
            stack[-1].append(node)
        elif part[0] == "(":
            stack.append([match.group(1)])
        else:
            stack[-1].append(Token(json.loads(part)))
    return stack[0][0]


def kind(node):
    return node[0] if isinstance(node, list) else None


def nodes(node):
    """Children that are nodes."""
    return [c for c in node[1:] if isinstance(c, list)]


def tokens(node):
    """Children that are tokens."""
    return [c for c in node[1:] if not isinstance(c, list)]


def child(node, *kinds):
    """The first child node of one of the kinds, or None."""
    return next((c for c in nodes(node) if c[0] in kinds), None)


def elements(listing):
    """What a `List` holds, without the separators."""
    return [nodes(c)[0] if kind(c) == "SeparatedElement" else c for c in nodes(listing)]


def walk(node):
    """The node and all below it, top down, without recursion: trees of long `or` chains are deep."""
    stack = [node]
    while stack:
        here = stack.pop()
        yield here
        if isinstance(here, list):
            stack.extend(reversed(here[1:]))


def leaves(node):
    """The tokens of a tree, in order."""
    return [n for n in walk(node) if isinstance(n, Token)]


def string_value(token):
    """The text that a KQL string literal stands for."""
    body = token[1:] if token[:1] in "hH" else token
    for fence in ("```", "~~~"):
        if body.startswith(fence):
            return body[3:-3]
    if body[0] == "@":
        quote = body[1]
        return body[2:-1].replace(quote * 2, quote)
    return _unescape(body[1:-1])


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "b": "\b", "f": "\f", "v": "\v", "a": "\a"}


def _unescape(text):
    def one(match):
        c = match.group(1)
        if c[0] in "uUx" and len(c) > 1:
            return chr(int(c[1:], 16))
        if c[0] in "01234567" and len(c) > 1:
            return chr(int(c, 8))
        return _ESCAPES.get(c, c)

    return re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{2,3}|.)", one, text, flags=re.S)


def plain_name(node):
    """The name of a reference or a declaration, brackets and quotes taken off; None for anything else."""
    if kind(node) in ("NameReference", "NameDeclaration"):
        node = node[1]
    if kind(node) == "TokenName":
        return str(node[1])
    if kind(node) == "BracketedName":
        inner = node[2]
        if isinstance(inner, list):
            inner = leaves(inner)[0]
        return string_value(inner) if inner[:1] in "'\"@hH`~" else str(inner)
    return None
