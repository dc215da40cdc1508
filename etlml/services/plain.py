"""What may go into a stored document: JSON-like values that MongoDB can hold."""

import math
from typing import Any

from etlml.errors import InvalidInput

DEEPEST = 40
LARGEST_INTEGER = 2**63 - 1


def checked_plain(value: Any, *, where: str = "the document", _depth: int = 0) -> Any:
    """``value`` itself, if it can be stored as it is.

    Raises:
        InvalidInput: A number is too large or not finite, a text is not valid Unicode, a key holds a NUL, or it nests too deeply.
    """
    if _depth > DEEPEST:
        raise InvalidInput(f"{_sentence(where)} nests deeper than {DEEPEST} levels. Flatten it.")
    if isinstance(value, str):
        _check_text(value, where)
    elif isinstance(value, bool) or value is None:
        pass
    elif isinstance(value, int):
        if not -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER:
            raise InvalidInput(f"{_sentence(where)} holds an integer beyond 64 bits. Write it as text.")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidInput(
                f"{_sentence(where)} holds {value}, which is no JSON number. Leave it out or write null."
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_key(key, where)
            checked_plain(item, where=f"{where}.{key}" if len(where) < 80 else where, _depth=_depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            checked_plain(item, where=where, _depth=_depth + 1)
    return value


def _check_text(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(
            f"{_sentence(where)} holds half of a surrogate pair, which is no Unicode text. Remove it."
        ) from None


def _check_key(key: Any, where: str) -> None:
    if not isinstance(key, str):
        raise InvalidInput(
            f"{_sentence(where)} has the key {key!r}, which is {type(key).__name__}, not text. Put quotes around it "
            "(in YAML, unquoted on, off, yes, no, true and null are not text)."
        )
    _check_text(key, where)
    if "\0" in key:
        raise InvalidInput(f"{_sentence(where)} has a key that holds a NUL character. Remove it.")


def _sentence(where: str) -> str:
    return where[:1].upper() + where[1:]
