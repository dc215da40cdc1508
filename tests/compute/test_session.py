"""The DuckDB session of a run."""

from pathlib import Path

import pytest

from etlml.compute.session import Session
from etlml.errors import StepCancelled


def test_a_session_that_is_closed_can_still_be_told_to_stop(tmp_path: Path) -> None:
    session = Session(tmp_path, memory_bytes=2**28)
    session.close()
    session.interrupt()
    with pytest.raises(StepCancelled):
        session.rows("SELECT 1")
