"""A run's parameters: the pipeline's own, with some values replaced."""

import math
import re
from collections.abc import Mapping
from typing import Any

from etlml.errors import ConfigInvalid, did_you_mean
from etlml.services.plain import checked_plain


def merged_params(declared: Mapping[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The declared parameters with the given values in their place.

    Text is turned into the declared value's type where it stands for one (``"3"`` for a number, ``"true"`` for a boolean),
    since a command line has nothing but text. A parameter declared as null takes anything.

    Raises:
        ConfigInvalid: A given one is not declared (did you mean), or of another kind.
    """
    values = dict(declared)
    for name, value in (given or {}).items():
        if name not in declared:
            raise ConfigInvalid(
                f"The pipeline has no parameter {name!r}. {did_you_mean(name, declared)}", field=f"params.{name}"
            )
        checked_plain(value, where=f"parameter {name!r}")
        values[name] = _as_declared(name, declared[name], value)
    return values


def _as_declared(name: str, declared: Any, value: Any) -> Any:
    if declared is None or value is None or (isinstance(value, type(declared)) and not isinstance(value, bool)):
        return value
    converted = _converted(declared, value)
    if converted is None:
        raise ConfigInvalid(
            f"Parameter {name!r} is {_shown(value)}, but its default {_shown(declared)} is {_kind(declared)}. "
            f"Give {_kind(declared)}.",
            field=f"params.{name}",
        )
    return converted


def _converted(declared: Any, value: Any) -> Any:
    """``value`` in the type of ``declared``, or None where it does not stand for one."""
    if isinstance(declared, bool):
        text = str(value).lower() if isinstance(value, str | bool) else ""
        return {"true": True, "false": False}.get(text)
    if isinstance(value, bool):
        return None
    if isinstance(declared, str) and isinstance(value, int | float):
        return str(value)
    if isinstance(declared, int | float) and isinstance(value, str):
        return _number(value, whole=isinstance(declared, int))
    return value if isinstance(declared, int | float) and isinstance(value, int | float) else None


def _number(text: str, *, whole: bool) -> int | float | None:
    """The number that a text stands for; one without a fraction stays whole where the default is."""
    if whole and re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _kind(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return names.get(type(value), type(value).__name__)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
