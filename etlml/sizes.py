"""Sizes and numbers as people write and read them: decimal units everywhere, 1 GB is 1,000,000,000 bytes. Pure functions."""

import re
from typing import Any

_READ = {"": 1, "b": 1, "k": 2**10, "kb": 10**3, "kib": 2**10, "m": 2**20, "mb": 10**6, "mib": 2**20}
_READ |= {"g": 2**30, "gb": 10**9, "gib": 2**30, "t": 2**40, "tb": 10**12, "tib": 2**40}
_WRITTEN = ("B", "kB", "MB", "GB", "TB", "PB")
_BINARY = re.compile(r"\b([0-9]+(?:\.[0-9]+)?) ?([KMGT]iB)\b")


def parse_bytes(value: Any) -> Any:
    """``"2GB"``, ``"512MiB"`` or a number of bytes, as a number of bytes; what is no text is passed through."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*", value)
    if match is None or match[2].lower() not in _READ:
        raise ValueError(f"{value!r} is not a size; write it like 2GB or 512MB")
    return int(float(match[1]) * _READ[match[2].lower()])


def size(value: float) -> str:
    """Bytes in decimal units: ``512 B``, ``5.0 MB``, ``123 kB``."""
    amount = float(value)
    for unit in _WRITTEN:
        if abs(amount) < 1000 or unit == _WRITTEN[-1]:
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"


def decimal(text: str) -> str:
    """A message of another program with its binary sizes in our units: ``1.0 GiB used`` becomes ``1.1 GB used``."""
    return _BINARY.sub(lambda found: size(parse_bytes(found[0])), text)


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """``1 step``, ``3 steps``."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
