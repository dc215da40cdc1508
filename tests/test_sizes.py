"""Sizes are read in any unit, and written in decimal ones alone."""

import re
from pathlib import Path

import pytest

from etlml.sizes import decimal, parse_bytes, plural, size

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("text", "number"), [("2GB", 2 * 10**9), ("2GiB", 2**31), ("1.5 mb", 1_500_000), ("7", 7), ("4g", 2**32)]
)
def test_a_size_is_read_in_any_unit(text: str, number: int) -> None:
    assert parse_bytes(text) == number


def test_what_is_no_size_is_refused() -> None:
    with pytest.raises(ValueError, match="'2 apples' is not a size; write it like 2GB or 512MB"):
        parse_bytes("2 apples")


@pytest.mark.parametrize(
    ("number", "text"), [(512, "512 B"), (5_036_756, "5.0 MB"), (123_456, "123 kB"), (3e12, "3.0 TB")]
)
def test_a_size_is_written_in_decimal_units(number: float, text: str) -> None:
    assert size(number) == text


def test_sizes_in_others_messages_are_made_decimal() -> None:
    text = "failed to pin block of size 256.0 KiB (1.0 GiB/1.0GiB used) of 3 bytes"
    assert decimal(text) == "failed to pin block of size 262 kB (1.1 GB/1.1 GB used) of 3 bytes"


def test_no_message_of_ours_has_a_binary_unit() -> None:
    shown = re.compile(r"""["'f][^"'\n]*[}\d ](?:[KMGT]iB)\b""")
    sources = [path for folder in ("etlml", "api", "pages") for path in (ROOT / folder).rglob("*.py")]
    allowed = {"sizes.py", "duck.py", "parse.py"}  # the two last write for DuckDB
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sources
        if path.name not in allowed and "node_modules" not in path.parts
        for line in path.read_text(encoding="utf-8").splitlines()
        if shown.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("number", "nouns", "text"),
    [(0, None, "0 warnings"), (1, None, "1 warning"), (1234, None, "1,234 warnings"), (2, "alarms", "2 alarms")],
)
def test_a_noun_agrees_with_its_number(number: int, nouns: str | None, text: str) -> None:
    assert plural(number, "warning", nouns) == text
