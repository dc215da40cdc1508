"""What changed between two versions, in words: pure functions."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from etlml.services.version_diff import FieldChange

_LONGEST = 80
_LISTED: Mapping[str, str] = {
    "ops": "Op",
    "rules": "Rule",
    "validations": "Check",
    "triggers": "Trigger",
    "rows": "Row",
}
_NAMED: Mapping[str, str] = {"params": "Parameter", "parameters": "Parameter", "types": "Type of"}
_CALLED: Mapping[str, str] = {
    "needs": "Inputs",
    "timeout_s": "Time limit (s)",
    "cache": "Use an unchanged result",
    "on_failure": "If it fails",
    "max_running": "Runs at once",
    "cv": "Cross-validation",
    "id": "ID",
}
_OF_OP: Mapping[str, str] = {  # what stands beside each name in an op's table of names
    "derive": "formula",
    "aggregate": "formula",
    "window": "formula",
    "cast": "type",
    "rename": "new name",
    "fill_null": "value",
    "replace": "new value",
}
_TABLES = frozenset({"columns", "values"})
_ITEM = re.compile(r"(\w+)\[(\d+)\]")


def field_words(change: FieldChange) -> str:
    """One field's change on one line: ``Op 2 (derive) › late: formula changed from a to b``."""
    return f"{place(change)}: {told(change)}"


def place(change: FieldChange) -> str:
    """Where a change is, as the screen calls it: ``Op 2 (derive) › late``."""
    return " › ".join(_steps_of(change))


def told(change: FieldChange, longest: int = _LONGEST) -> str:
    """What became of the field: ``formula changed from a to b``, ``added …``, ``removed, it was …``."""
    noun = f"{name} " if (name := noun_of(change)) else ""
    before, after = shown(_untagged(change.before, change), longest), shown(_untagged(change.after, change), longest)
    if change.kind == "added":
        return f"{noun}added, {after}" if noun else f"added {after}"
    if change.kind == "removed":
        return f"{noun}removed, it was {before}"
    return f"{noun}changed from {before} to {after}"


def noun_of(change: FieldChange) -> str:
    """What the changed value is beside the name of its place, such as the formula of a derived column; often nothing."""
    parts = change.path.split(".")
    in_table = len(parts) > 1 and any(part in _TABLES for part in parts[:-1]) and bool(change.items)
    return _OF_OP.get(change.items[-1], "") if in_table else ""


def _steps_of(change: FieldChange) -> Iterator[str]:
    rest, items = change.path.removeprefix("config."), iter(change.items)
    while rest:
        head, _, rest = rest.partition(".")
        if (item := _ITEM.fullmatch(head)) is not None:
            kind = next(items, "")
            called = _LISTED.get(item[1], f"{_word(item[1])}, item")
            yield f"{called} {int(item[2]) + 1}" + (f" ({kind.replace('_', ' ')})" if kind else "")
        elif rest and head in _NAMED:
            yield f"{_NAMED[head]} {rest}"
            return
        elif rest and head in _TABLES and noun_of(change):
            yield rest  # a column's name may hold dots
            return
        else:
            yield (
                _word(head) if head == change.path.removeprefix("config.").partition(".")[0] else head.replace("_", " ")
            )


def _word(name: str) -> str:
    return _CALLED.get(name) or name.replace("_", " ").capitalize()


def _untagged(value: Any, change: FieldChange) -> Any:
    """An item that came or went, without its kind: the place says it already."""
    if change.kind == "changed" or not isinstance(value, dict) or not change.path.endswith("]") or not change.items:
        return value
    return {key: item for key, item in value.items() if item != change.items[-1] or key not in ("op", "rule", "kind")}


def shown(value: Any, longest: int = _LONGEST) -> str:
    """A plain value on one line, as a person would write it, cut to ``longest`` letters."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        text = ", ".join(f"{key}: {shown(item, longest)}" for key, item in value.items())
    elif isinstance(value, list):
        text = ", ".join(shown(item, longest) for item in value) or "nothing"
    else:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
