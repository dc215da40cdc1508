"""SQL text as DuckDB's own parser reads it: what is checked is what will run, so no second parser can disagree.

A private DuckDB without data, files or extensions does the reading (nothing is executed there, only parsed and bound).
"""

import json
import re
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from etlml.compute.names import literal
from etlml.errors import ExpressionInvalid, SqlRefused
from etlml.redaction import redacted

if TYPE_CHECKING:
    import duckdb

LONGEST_TEXT = 50_000
_HEAD, _TAIL = "SELECT (\n", "\n)"
_QUERY_HEAD, _QUERY_TAIL = "SELECT * FROM (\n", "\n)"
_TOO_DEEP = "is nested too deeply. Split it over several steps or columns."
_NO_SELECT = "must be a SELECT; statements that change, load or configure anything are refused."
_OF_NO_MATTER = frozenset({"select_list", "from_table", "aggregate_handling"})
_PLAIN_SELECT = {
    "type": "SELECT_NODE",
    "modifiers": [],
    "cte_map": {"map": []},
    "group_expressions": [],
    "group_sets": [],
}
_NOWHERE = 2**64 - 1  # DuckDB's location of what it made up itself
_TWO_WORDS = re.compile(r"(?<![\w\"'.])([^\W\d]\w*) ([^\W\d]\w*)(?![\w\"'.(])")
_KEYWORDS = """
    all and any as asc between by case cast collate desc distinct else end escape except exclude false filter from glob group
    having ilike in intersect interval is join like limit not null offset on or over partition rows select similar then to
    true union using values when where with within
"""
_SQL_WORDS = frozenset(_KEYWORDS.split())
_lock = threading.Lock()

Node = dict[str, Any]


class Unbound(Exception):
    """DuckDB's complaint about SQL that it cannot bind: exception_message, position, error_subtype, name, ..."""

    def __init__(self, complaint: Node) -> None:
        super().__init__(complaint)
        self.complaint = complaint


@lru_cache(maxsize=1)
def _database() -> "duckdb.DuckDBPyConnection":
    import duckdb  # here, so that a process that checks no SQL does not pay for it

    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "threads": 1,
            "memory_limit": "256MiB",
            "errors_as_json": True,
        },
    )
    for setting in (
        "GLOBAL TimeZone = 'UTC'",
        "python_enable_replacements = false",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection


def in_parser(sql: str) -> list[tuple[Any, ...]]:
    """The rows of a statement that parses or binds a user's text and runs none of it.

    Raises:
        Unbound: DuckDB refuses it.
    """
    with _lock:
        database = _database()
        try:
            return database.execute(sql).fetchall()
        except _duckdb_error() as error:
            raise Unbound(_complaint(error)) from None


def _duckdb_error() -> type[Exception]:
    import duckdb

    return duckdb.Error


def expression_tree(text: str, *, where: str) -> Node:
    """The tree of one expression; its locations count from the beginning of ``text``.

    The text is parsed bare and within parentheses: only what is one whole expression both ways is safe to embed.

    Raises:
        ExpressionInvalid: It cannot be parsed; the position is marked.
        SqlRefused: It is more than one expression.
    """
    bare, wrapped = _trees(text, "SELECT \n", _HEAD, _TAIL, where)
    trees = [_lone_expression(node) for node in (bare, wrapped)]
    if trees[0] is None or trees[1] is None:
        raise SqlRefused(
            f"{_sentence(where)} must be one expression, such as price * quantity; no SELECT, FROM, WHERE, AS or list of several."
        )
    return trees[1]


def _lone_expression(node: Node) -> Node | None:
    """The only thing that a SELECT selects; None if it has more than that."""
    items = node.get("select_list", [])
    rest = {key: item for key, item in node.items() if item is not None and key not in _OF_NO_MATTER}
    plain = rest == {
        "type": "SELECT_NODE",
        "modifiers": [],
        "cte_map": {"map": []},
        "group_expressions": [],
        "group_sets": [],
    }
    if not plain or node["from_table"]["type"] != "EMPTY" or len(items) != 1 or items[0].get("alias"):
        return None
    tree: Node = items[0]
    return tree


def query_tree(text: str, *, where: str) -> Node:
    """The tree of one SELECT (also WITH, VALUES, FROM-first); its locations count from the beginning of ``text``.

    Raises:
        ExpressionInvalid: It cannot be parsed; the position is marked.
        SqlRefused: It is no SELECT, or more than one statement.
    """
    _, node = _trees(text, "", _QUERY_HEAD, _QUERY_TAIL, where)
    subquery: Node = node["from_table"]["subquery"]["node"]
    return subquery


def location(node: Node, head: int) -> int | None:
    """Where in the user's text a node stands, in bytes."""
    found = node.get("query_location", _NOWHERE)
    return None if found == _NOWHERE or found < head else int(found) - head


def expression_location(node: Node) -> int | None:
    """Where in an expression's text a node stands, in bytes."""
    return location(node, len(_HEAD))


def query_location(node: Node) -> int | None:
    """Where in a query's text a node stands, in bytes."""
    return location(node, len(_QUERY_HEAD))


def _trees(text: str, bare_head: str, head: str, tail: str, where: str) -> tuple[Node, Node]:
    if not text.strip():
        raise ExpressionInvalid(f"{_sentence(where)} is empty. Write an SQL {'expression' if bare_head else 'query'}.")
    if len(text) > LONGEST_TEXT:
        raise SqlRefused(f"{_sentence(where)} has {len(text)} characters; {LONGEST_TEXT} is the most.")
    if "\0" in text:
        raise ExpressionInvalid(f"{_sentence(where)} contains a null character. Remove it.")
    try:
        # As literals, not parameters: the first parameter makes duckdb import pandas, which takes a second.
        texts = (literal(f"{bare_head}{text}\n"), literal(f"{head}{text}{tail}"))
        bare, wrapped = in_parser(f"SELECT json_serialize_sql({texts[0]}), json_serialize_sql({texts[1]})")[0]
        bare_tree, tree = json.loads(bare), json.loads(wrapped)
    except (UnicodeEncodeError, UnicodeDecodeError):
        raise ExpressionInvalid(f"{_sentence(where)} contains characters that are no Unicode text.") from None
    except RecursionError:
        raise ExpressionInvalid(
            f"{_sentence(where)} is nested too deeply. Split it over several steps or columns."
        ) from None
    if bare_tree["error"]:
        raise _unreadable(bare_tree, text, len(bare_head), where)
    if len(bare_tree["statements"]) != 1:
        raise SqlRefused(f"{_sentence(where)} must be one statement; take out what follows the semicolon.")
    node: Node = bare_tree["statements"][0]["node"]
    if bare_head and _lone_expression(node) is None:
        return node, node
    if tree["error"]:
        raise _unreadable(tree, text, len(head), where)
    return node, tree["statements"][0]["node"]


def _unreadable(answer: Node, text: str, start: int, where: str) -> ExpressionInvalid | SqlRefused:
    if answer.get("error_type") == "not implemented":
        return SqlRefused(
            f"{_sentence(where)} must be a SELECT; statements that change, load or configure anything are refused."
        )
    message = str(answer.get("error_message", "cannot be parsed")).split("\n")[0]
    position = answer.get("position")
    if "memory exhausted" in message or "expression depth" in message:
        return ExpressionInvalid(f"{_sentence(where)} {_TOO_DEEP}")
    if message.startswith("syntax error at end of input"):
        message, position = "it ends too early", None
    at = None if position is None else int(position) - start
    message = message if message.endswith(".") else f"{message}."
    marked_message, details = marked(f"{_sentence(where)} cannot be read: {message}{_unquoted(text, at)}", text, at)
    return ExpressionInvalid(marked_message, **details)


def _unquoted(text: str, at: int | None) -> str:
    """The mend where two words before a syntax error look like one name that has a blank."""
    if at is None:
        return ""
    index = len(text.encode()[:at].decode(errors="ignore"))
    for pair in _TWO_WORDS.finditer(text):
        words = {pair[1].lower(), pair[2].lower()}
        if pair.start() < index <= pair.end() + 1 and not words & _SQL_WORDS:
            return f' Put a name that has a blank in double quotes: "{pair[1]} {pair[2]}".'
    return ""


def marked(message: str, text: str, at: int | None) -> tuple[str, dict[str, int]]:
    """A message with the line of ``text`` that holds byte ``at`` and a caret under it, and the position's details."""
    message = message if message.endswith((".", "!", "?")) else f"{message}."
    if at is None or at < 0:
        at = len(text.encode())
    index = min(len(text.encode()[:at].decode(errors="ignore")), len(text))
    start = text.rfind("\n", 0, index) + 1
    line = text[start:].split("\n", 1)[0]
    column = index - start
    shown, caret = _window(line.replace("\t", " "), column)
    number = text.count("\n", 0, index) + 1
    at_line = f"line {number}, " if "\n" in text.strip() else ""
    place = f" At {at_line}character {column + 1}:"
    return f"{message}{place}\n    {redacted(shown)}\n    {' ' * caret}^", {
        "position": index + 1,
        "line": number,
        "character": column + 1,
    }


def _window(line: str, column: int, *, width: int = 100) -> tuple[str, int]:
    """At most ``width`` characters of a line around a column, and where the column then is."""
    if len(line) <= width:
        return line, column
    start = max(0, min(column - width // 2, len(line) - width))
    return line[start : start + width], column - start


def _sentence(where: str) -> str:
    return where[:1].upper() + where[1:]


def _complaint(error: Exception) -> Node:
    found = re.search(r"\{.*\}", str(error), re.DOTALL)
    try:
        return dict(json.loads(found[0])) if found else {"exception_message": str(error)}
    except ValueError:
        return {"exception_message": str(error)}
