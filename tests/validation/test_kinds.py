"""Values of rules as SQL of their column's type."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from etlml.compute.schema import Column
from etlml.errors import ConfigInvalid
from etlml.validation.kinds import Bound, as_sql, kind_of


@pytest.mark.parametrize(
    ("value", "type_", "sql"),
    [
        (1, "BIGINT", "1"),
        (2.5, "TINYINT", "2.5"),
        ("0.10", "DECIMAL(8,2)", "0.10"),
        (10**30, "HUGEINT", str(10**30)),
        ("it's", "VARCHAR", "'it''s'"),
        ("S", "ENUM('S', 'M')", "'S'"),
        (True, "BOOLEAN", "TRUE"),
        ("2024-01-31", "DATE", "DATE '2024-01-31'"),
        ("2024-01-31", "TIMESTAMP", "DATE '2024-01-31'"),
        ("2024-01-31T10:00:00+02:00", "TIMESTAMP_NS", "'2024-01-31 08:00:00'::TIMESTAMP"),
        ("2024-01-31", "TIMESTAMP WITH TIME ZONE", "'2024-01-31 00:00:00+00:00'::TIMESTAMPTZ"),
        ("10:30", "TIME", "TIME '10:30:00'"),
        ("anything", '"NULL"', "NULL"),
    ],
)
def test_as_sql_writes_a_literal_of_the_columns_kind(value: Any, type_: str, sql: str) -> None:
    assert as_sql(value, Column("c", type_), field="min", label="rule 1") == sql


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (1, "VARCHAR"),
        ("x", "BIGINT"),
        ("nan", "DOUBLE"),
        (True, "BIGINT"),
        (1, "BOOLEAN"),
        (2024, "DATE"),
        ("31.01.2024", "TIMESTAMP"),
        ("noon", "TIME"),
        ("a", "BLOB"),
        (1, "INTEGER[]"),
    ],
)
def test_as_sql_refuses_a_value_of_another_kind(value: Any, type_: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"Rule 1: min is .*, but column 'c' is "):
        as_sql(value, Column("c", type_), field="min", label="rule 1")


def test_bounds_from_python_become_what_json_holds() -> None:
    bound = TypeAdapter[Any](Bound)
    assert bound.validate_python(date(2024, 1, 2)) == "2024-01-02"
    assert bound.validate_python(datetime(2024, 1, 2, tzinfo=UTC)) == "2024-01-02T00:00:00+00:00"
    for wrong in (True, float("nan"), float("-inf"), None, []):
        with pytest.raises(ValidationError):
            bound.validate_python(wrong)


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("UBIGINT", "number"),
        ("DECIMAL(38,0)", "number"),
        ("TIMESTAMP_S", "timestamp"),
        ("INTERVAL", "other"),
        ("DATE[]", "other"),
    ],
)
def test_kind_of_reads_duckdbs_types(type_: str, kind: str) -> None:
    assert kind_of(Column("c", type_)) == kind
