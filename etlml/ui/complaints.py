"""What is wrong with a step, in the words of its form: ``ops[0].columns`` is "1 · Cast › Columns" there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from etlml.ui import fields

_STEP = re.compile(r"^Step '[^']*': ")
_FIELD = re.compile(r"\b[Ff]ield '([A-Za-z_][^']*)'")
_OP = re.compile(r"^Op (\d+) \(\w+\)")
_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_TAGS = ("op", "rule", "on")
_NAMED_BY_PEOPLE = ("columns", "params", "values")


def in_form(message: str, config: Mapping[str, Any]) -> str:
    """A message about a step, without the step's name and with fields as they are labelled on screen.

    Args:
        message: What was wrong, e.g. ``Step 'clean': field 'ops[0].columns' is empty.``
        config: The step's settings, which say what kind each item of a list is.
    """
    text = _FIELD.sub(lambda found: place(found[1], config), _STEP.sub("", message))
    text = _OP.sub(lambda found: place(f"ops[{int(found[1]) - 1}]", config), text).replace(
        "on_error: null", "On error to null"
    )
    return text[:1].upper() + text[1:]


def place(path: str, config: Mapping[str, Any]) -> str:
    """A field's path in the words of the form."""
    return " › ".join(_labels(path, config))


def _labels(path: str, config: Mapping[str, Any]) -> Iterator[str]:
    at: Any = config
    named = False
    for position, name in _PART.findall(path):
        if position:
            at = at[int(position)] if isinstance(at, Sequence) and int(position) < len(at) else None
            yield f"{int(position) + 1} · {_kind(at)}" if _kind(at) else str(int(position) + 1)
            continue
        at = at.get(name) if isinstance(at, Mapping) else None
        if not _is_cards(at):
            yield name if named else fields.label(name)
        named = named or name in _NAMED_BY_PEOPLE


def _is_cards(value: Any) -> bool:
    """Whether it is a list of cards, which are known by their number and need no name of the list."""
    return isinstance(value, list) and bool(value) and bool(_kind(value[0]))


def _kind(item: Any) -> str:
    tags = [item[tag] for tag in _TAGS if isinstance(item.get(tag), str)] if isinstance(item, Mapping) else []
    return fields.label(tags[0]) if tags else ""
