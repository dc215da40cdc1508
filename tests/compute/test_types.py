"""Type names and which values fit."""

from typing import Any

import pytest

from etlml.compute.types import canonical_type, family, fits
from etlml.errors import ConfigInvalid


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("int", "BIGINT"),
        ("Float", "DOUBLE"),
        ("string", "VARCHAR"),
        ("text", "VARCHAR"),
        ("bool", "BOOLEAN"),
        ("date", "DATE"),
        ("datetime", "TIMESTAMP"),
        ("integer", "INTEGER"),
        ("decimal(10, 2)", "DECIMAL(10,2)"),
        ("timestamptz", "TIMESTAMP WITH TIME ZONE"),
        ("varchar[]", "VARCHAR[]"),
        ("struct(a int, b varchar)", "STRUCT(a INTEGER, b VARCHAR)"),
        ("enum('a', 'b')", "ENUM('a', 'b')"),
    ],
)
def test_type_is_known_by_friendly_and_duckdb_names(name: str, canonical: str) -> None:
    assert canonical_type(name) == canonical


@pytest.mark.parametrize(
    "name", ["strng", "", "int) + (1", "int AS x", "int FROM t", "int; select 1", "(select 1)", "decimal(99,1)"]
)
def test_what_is_no_type_is_refused(name: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"There is no type|No type is given"):
        canonical_type(name)


def test_near_name_is_suggested() -> None:
    with pytest.raises(ConfigInvalid, match="Did you mean 'string'"):
        canonical_type("strng")


@pytest.mark.parametrize(
    ("value", "type_", "does"),
    [
        (1, "BIGINT", True),
        (0.5, "BIGINT", False),
        (300, "TINYINT", False),
        ("12", "BIGINT", True),
        ("x", "BIGINT", False),
        ("2024-02-30", "DATE", False),
        (True, "BOOLEAN", True),
        ("x", "ENUM('x', 'y')", True),
        ("z", "ENUM('x', 'y')", False),
        ("it's", "VARCHAR", True),
        (1, "INTEGER[]", False),
    ],
)
def test_value_fits_a_type_when_nothing_is_lost(value: Any, type_: str, does: bool) -> None:
    assert fits(value, type_) is does


def test_families_of_types() -> None:
    assert {family(name) for name in ("BIGINT", "DOUBLE", "DECIMAL(3,1)", "UTINYINT")} == {"number"}
    assert {family(name) for name in ("VARCHAR", "UUID", "ENUM('a')")} == {"text"}
    assert {family(name) for name in ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")} == {"moment"}
    assert family("BIGINT[]") == "BIGINT[]"
    assert family("BOOLEAN") == "BOOLEAN"
