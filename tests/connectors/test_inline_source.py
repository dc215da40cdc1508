"""What inline rows promise."""

from datetime import date

import pytest

from etlml.errors import ConfigInvalid
from tests.connectors.world import World


def inline(*rows: dict[str, object]) -> dict[str, object]:
    return {"kind": "inline", "rows": list(rows)}


def test_rows_keep_their_values_and_a_column_left_out_is_missing(world: World) -> None:
    rows = inline({"a": 1, "d": date(2024, 1, 31)}, {"a": 2.5, "b": "x", "n": None})
    assert world.read(rows) == [(1.0, date(2024, 1, 31), None, None), (2.5, None, "x", None)]


def test_check_tells_the_columns(world: World) -> None:
    rows = inline({"a": 1, "ok": True, "tags": ["x"]})
    schema = world.check(rows)
    assert schema is not None
    assert schema.as_dict() == world.schema(rows) == {"a": "BIGINT", "ok": "BOOLEAN", "tags": "VARCHAR[]"}


def test_a_column_of_mixed_types_is_refused_by_name(world: World) -> None:
    with pytest.raises(ConfigInvalid, match="column 'a' of the inline rows mixes types"):
        world.check(inline({"a": 1}, {"a": "x"}))


def test_rows_without_columns_are_refused(world: World) -> None:
    with pytest.raises(ConfigInvalid, match="have no columns"):
        world.check(inline({}))
