"""What changed between two versions, in words: pure functions."""

import json
from typing import Any

from etlml.services.version_diff import FieldChange

_LONGEST = 80


def field_words(change: FieldChange) -> str:
    """One field's change on one line: ``config.ops[1].where: x > 1 -> x > 2``."""
    path = change.path.removeprefix("config.")
    if change.kind == "added":
        return f"{path}: added {shown(change.after)}"
    if change.kind == "removed":
        return f"{path}: removed {shown(change.before)}"
    return f"{path}: {shown(change.before)} -> {shown(change.after)}"


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
