"""A profile is small, JSON-safe and made in one scan."""

import json
from collections.abc import Callable

from etlml.compute.relation import Relation
from etlml.compute.session import Session
from etlml.validation.profile import profile_of


def test_profile_of_describes_each_column(a_relation: Callable[..., Relation], session: Session) -> None:
    profile = profile_of(
        a_relation({"n": [1, 5, None], "f": [float("nan"), 1.0, 2.0], "tags": [["a"], [], None]}), session
    )
    assert profile["columns"] == [
        {"name": "n", "type": "BIGINT", "nulls": 1, "distinct": 2, "min": 1, "max": 5},
        {"name": "f", "type": "DOUBLE", "nulls": 0, "distinct": 3, "min": 1.0, "max": "nan"},
        {"name": "tags", "type": "VARCHAR[]", "nulls": 1, "distinct": 2, "min": None, "max": None},
    ]
    json.dumps(profile, allow_nan=False)
