"""Columns of plain values become a relation, or are refused with the place."""

from typing import Any

import pytest

from etlml.compute.session import Session
from etlml.errors import ConfigInvalid
from etlml.validation.columns import written_columns


def test_written_columns_holds_the_values(session: Session) -> None:
    data = {"n": [1, None, 3], "t": ["a", "é", None], "f": [1, 2.5, float("nan")], "none": [None, None, None]}
    relation = written_columns(data, session.folder, session)
    assert [column.type for column in relation.schema] == ["BIGINT", "VARCHAR", "DOUBLE", '"NULL"']
    assert session.rows("SELECT n, t, none FROM data") == [(1, "a", None), (None, "é", None), (3, None, None)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "no columns"),
        ({"a": [1, 2], "b": [1]}, "Column 'b' has 1 values, but 'a' has 2.* write null where one is missing"),
        ({"a": [1], "A": [1]}, "differ in case only"),
        ({"a": 5}, "no list"),
        ({"a": "text"}, "no list"),
        ({"": [1]}, "Give it a name"),
        ({"a": [1, None, "x"]}, "1 in row 1 is a number, 'x' in row 3 is text"),
        ({"a": [True, 2]}, "True in row 1 is true or false, 2 in row 2 is a number"),
        ({"a": [2**80]}, "cannot be stored"),
        ({"a": ["\ud800"]}, "cannot be stored"),
    ],
)
def test_written_columns_refuses_what_is_no_table(data: Any, message: str, session: Session) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        written_columns(data, session.folder, session)
