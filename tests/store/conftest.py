"""Small factories for store tests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from etlml.documents import Pipeline, Run, Step, StepRun

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """A moment to test by."""
    return NOW


@pytest.fixture
def a_run() -> Callable[..., Run]:
    """Makes runs, each a second younger than the one before."""
    made = 0

    def make(**changes: Any) -> Run:
        nonlocal made
        made += 1
        steps = [StepRun(id="read", type="extract"), StepRun(id="write", type="load")]
        fields = {"pipeline_id": "p1", "pipeline_name": "flights", "steps": steps}
        return Run(**{**fields, "created_at": NOW - timedelta(hours=1) + timedelta(seconds=made), **changes})

    return make


@pytest.fixture
def a_pipeline() -> Callable[..., Pipeline]:
    """Makes pipelines of one step."""

    def make(**changes: Any) -> Pipeline:
        return Pipeline(**{"name": "flights", "steps": [Step(id="read", type="extract")], **changes})

    return make
