"""The pieces that a step's part of a script is written with: SQL, values, a person's own code."""

import io
import re
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from etlml.services.script.marks import Marks
from etlml.services.script.sql_layout import laid_out

INDENT = "    "
_TEXT_OF_LINES = re.compile(r"'[^']*\n[^']*'|--")
KEPT = "\x00"
"""What marks a line that must not be moved: it begins within a text."""
WIDTH = 110


@dataclass(frozen=True)
class Sql:
    """A SELECT, written as a text over several lines. ``⟦name⟧`` in it is a variable of the function."""

    text: str


@dataclass(frozen=True)
class Value:
    """A Python value, written as a literal on a line that is indented so far."""

    value: Any
    indent: str = ""


@dataclass(frozen=True)
class Own:
    """Code that a person wrote, as the body of a function."""

    text: str


Piece = str | Sql | Value | Own


@dataclass
class Body:
    """What a step does: statements, each of pieces; and the names that its imports bring."""

    statements: list[list[Piece]] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)

    def add(self, *pieces: Piece) -> None:
        """One more statement."""
        self.statements.append(list(pieces))

    def plain(self, marks: Marks | None = None) -> str:
        """The pieces as one text, to compare two of them; with marks in it, the real values are put there."""
        text = repr(self.statements)
        return marks.unmarked(text) if marks else text

    def code(self, marks: Marks) -> str:
        """The statements as Python code, not indented."""
        return "\n".join("".join(_written(piece, marks) for piece in pieces) for pieces in self.statements)


def call(function: str, *given: Piece, **named: Piece) -> list[Piece]:
    """A call over one line, or one argument a line where that is too long."""
    arguments: list[list[Piece]] = [[each] for each in given] + [[f"{name}=", each] for name, each in named.items()]
    flat = sum(
        len(repr(each.value)) if isinstance(each, Value) else len(str(each)) for each in (*given, *named.values())
    )
    is_long = len(function) + flat + sum(len(name) + 3 for name in named) > 100
    pieces: list[Piece] = [f"{function}(" + (f"\n{INDENT}" if is_long else "")]
    for number, argument in enumerate(arguments):
        if is_long and isinstance(argument[-1], Value):
            argument[-1] = Value(argument[-1].value, INDENT)
        pieces += [*([f",\n{INDENT}" if is_long else ", "] if number else []), *argument]
    return [*pieces, ",\n)" if is_long else ")"]


def _written(piece: Piece, marks: Marks) -> str:
    if isinstance(piece, Sql):
        return _sql(piece.text, marks)
    if isinstance(piece, Value):
        return literal_code(piece.value, marks, piece.indent)
    return _own(piece.text, marks) if isinstance(piece, Own) else piece


def _sql(text: str, marks: Marks) -> str:
    """A triple-quoted text; an f-string where something is filled in."""
    lines = laid_out(text).split("\n")
    margin = KEPT if _TEXT_OF_LINES.search(text) else INDENT  # a blank more would change a text of several lines
    body = "\n".join(f"{margin}{line}" if line else "" for line in lines)
    fills = any(True for _ in marks.within(text)) or "⟦" in text
    if '"""' in body or body.rstrip().endswith('"'):
        body = body if '"""' not in body else text
        if '"""' in body:
            return _text(body, marks)
    if fills:
        body = _filled(body.replace("{", "{{").replace("}", "}}"), marks, in_sql=True)
        body = re.sub("⟦([^⟧]*)⟧", r"{\1}", body)
    prefix = ("r" if "\\" in body else "") + ("f" if fills else "")
    return f'{prefix}"""\n{body}\n"""'


def _filled(text: str, marks: Marks, *, in_sql: bool = False) -> str:
    """A text with its marks as the replacement fields of an f-string."""
    for mark in marks.found:
        if in_sql:  # a whole SQL text is quoted as one, whatever the value holds
            text = text.replace(f"'{mark.text}'", "{text(" + mark.code + ")}")
        text = text.replace(mark.text, "{" + mark.code + "}")
    return text


def literal_code(value: Any, marks: Marks, indent: str = "") -> str:
    """A value as Python writes it, on several lines where it is long."""
    if isinstance(value, str):
        return _text(value, marks)
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = [mark for mark in marks.found if mark.text == str(value)]
        return found[0].code if found else repr(value)
    if isinstance(value, dict):
        items = [
            f"{literal_code(key, marks)}: {literal_code(item, marks, indent + INDENT)}" for key, item in value.items()
        ]
        return _container("{", items, "}", indent)
    if isinstance(value, list | tuple):
        items = [literal_code(item, marks, indent + INDENT) for item in value]
        brackets = ("[", "]") if isinstance(value, list) else ("(", ",)" if len(items) == 1 else ")")
        return _container(brackets[0], items, brackets[1], indent)
    return repr(value)


def _container(opening: str, items: Sequence[str], closing: str, indent: str) -> str:
    flat = f"{opening}{', '.join(items)}{closing}"
    if len(flat) + len(indent) <= WIDTH and "\n" not in flat:
        return flat
    inner = f",\n{indent}{INDENT}".join(items)
    return f"{opening}\n{indent}{INDENT}{inner},\n{indent}{closing.removeprefix(',')}"


def _text(value: str, marks: Marks) -> str:
    found = list(marks.within(value))
    for mark in found:
        if value == mark.text:
            return f"str({mark.code})" if mark.code.startswith("PARAMS") else mark.code
    if not found:
        return _double_quoted(value)
    field_by_text = {mark.text: "{" + mark.code.replace('"', "'") + "}" for mark in found}
    shown = _double_quoted(value.replace("{", "{{").replace("}", "}}"))
    for text, replacement in field_by_text.items():
        shown = shown.replace(text, replacement)
    return f"f{shown}"


def _double_quoted(value: str) -> str:
    shown = repr(value)
    return f'"{shown[1:-1]}"' if shown.startswith("'") and '"' not in shown and "\\'" not in shown else shown


def _own(text: str, marks: Marks) -> str:
    """A person's code with its marks replaced where they stand alone: as a number, or as a whole text."""
    for mark in marks.within(text):
        text = re.sub(rf"(['\"]){re.escape(mark.text)}\1", f"str({mark.code})", text)
        text = text.replace(mark.text, mark.code)
    inside = lines_within_texts(text)
    return "\n".join(KEPT + line if number in inside else line for number, line in enumerate(text.split("\n"), start=1))


def lines_within_texts(code: str) -> set[int]:
    """The numbers of the lines of Python code that begin within a text of several lines."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(f"{code}\n").readline):
        if token.type == tokenize.STRING and token.end[0] > token.start[0]:
            found.update(range(token.start[0] + 1, token.end[0] + 1))
    return found
