"""Window expressions without the ceremony: ``sum(x) / n`` becomes ``sum(x) OVER (...) / n``."""

import re

from etlml.compute.parse import Node, expression_location, expression_tree
from etlml.compute.sql_functions import AGGREGATES, WINDOWS

_TOKEN = re.compile(
    rb"""[eE]'(?:[^'\\]|\\.|'')*'"""  # e'...' with backslashes
    rb"""|'[^']*'|"[^"]*"|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/|[()]|\w+""",
    re.DOTALL,
)


def with_over(text: str, over: str, *, where: str = "expression") -> str:
    """Give every aggregate and window function that has no OVER of its own this one.

    Args:
        over: ``OVER (...)``, as it is to stand behind the function.
    """
    raw = text.encode()
    ends = sorted({_call_end(raw, start) for start in _bare_calls(expression_tree(text, where=where))}, reverse=True)
    for end in ends:
        raw = raw[:end] + b" " + over.encode() + raw[end:]
    return raw.decode()


def _bare_calls(node: object) -> list[int]:
    """Where functions that need an OVER stand, outermost only: within a window function there is no other."""
    if isinstance(node, list):
        return [start for item in node for start in _bare_calls(item)]
    if not isinstance(node, dict):
        return []
    if node.get("class") == "FUNCTION" and str(node["function_name"]).lower() in AGGREGATES | WINDOWS:
        start = expression_location(node)
        return [] if start is None else [start]
    return [start for item in _inner(node) for start in _bare_calls(item)]


def _inner(node: Node) -> list[object]:
    return [item for item in node.values() if isinstance(item, list | dict)]


def _call_end(raw: bytes, start: int) -> int:
    """Just behind the call that begins at ``start``, its FILTER (...) included."""
    end = _closing(raw, start)
    rest = raw[end:].lstrip()
    if rest[:6].upper() == b"FILTER" and rest[6:].lstrip().startswith(b"("):
        end = _closing(raw, end)
    return end


def _closing(raw: bytes, start: int) -> int:
    """Just behind the parenthesis that closes the first one after ``start``; quotes and comments are passed over."""
    depth = 0
    for token in _TOKEN.finditer(raw, start):
        if token[0] == b"(":
            depth += 1
        elif token[0] == b")":
            depth -= 1
            if depth == 0:
                return token.end()
    return len(raw)
