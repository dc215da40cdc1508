"""What is written down of a training."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from etlml.ml.record import typical
from etlml.ml.values import values_of


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (pa.array([1, 2, 2, 900], pa.int64()), 2),
        (pa.array([0.5, 1.25, None, 7.5]), 1.25),
        (pa.array(["a", "b", None, "b"]), "b"),
        (pa.array([False, True, True]), 1),
        (pa.array(np.array(["2026-01-01", "2026-01-03", "2026-02-09"], dtype="datetime64[us]")), "2026-01-03T00:00:00"),
        (pa.array([None, None], pa.float64()), None),
        (pa.array([], pa.string()), None),
    ],
)
def test_a_typical_value_is_one_that_rows_have(column: Any, value: Any) -> None:
    assert typical(values_of(column)) == value
