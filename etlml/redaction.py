"""Keeps secrets out of logs, errors, documents, screens and replies.

Two nets: values registered as secret are replaced wherever they stand, and well-known shapes
(passwords in URIs, bearer tokens, key=value pairs with a telling key) are replaced even when nobody registered them.
"""

import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "***"
SHORTEST_SECRET = 4  # a shorter value would blank out ordinary words and protect nothing

_TELLING_KEY = re.compile(r"(?i)passw|secret|token|api_?key|private_?key|credential|authorization|connection_?string")
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?P<head>[a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*:)[^\s@/]+(?=@)"), r"\g<head>" + MASK),
    (re.compile(r"(?i)(?P<head>\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}"), r"\g<head>" + MASK),
    (
        re.compile(
            r"(?i)(?P<head>\b(?:password|passwd|pwd|secret|token|api_?key)\b[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s,;&'\"}]+)"
        ),
        r"\g<head>" + MASK,
    ),
)
_known: set[str] = set()
_lock = threading.Lock()


def register_secrets(values: Iterable[str]) -> None:
    """Have these values replaced wherever they appear from now on in this process."""
    with _lock:
        _known.update(value for value in values if len(value) >= SHORTEST_SECRET)


def redacted(text: str) -> str:
    """``text`` with every known secret and every secret-shaped part replaced by ``***``."""
    text = _without_known(text)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def redacted_document(value: Any) -> Any:
    """A copy of a JSON-like value with its strings redacted and the values of telling keys replaced."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {
            key: MASK
            if isinstance(item, str) and item and _TELLING_KEY.search(str(key)) and not item.startswith("${")
            else redacted_document(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted_document(item) for item in value]
    return value


def without_secrets(value: Any) -> Any:
    """A copy of a JSON-like value without the registered secrets; what only looks like one stays, for it may be data."""
    if isinstance(value, str):
        return _without_known(value)
    if isinstance(value, Mapping):
        return {without_secrets(key): without_secrets(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(item) for item in value]
    return value


def _without_known(text: str) -> str:
    with _lock:
        values = sorted(_known, key=len, reverse=True)
    for value in values:
        text = text.replace(value, MASK)
    return text
