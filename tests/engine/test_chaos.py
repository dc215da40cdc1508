"""Workers and mongod are killed with -9 in the middle of runs; the long form is ``python -m bench chaos``."""

import pytest

from bench.chaos import storm


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_run_is_lost_and_no_row_is_there_twice_when_workers_and_mongod_are_killed() -> None:
    outcome = storm(runs=8, kills=6, seed=1)
    assert outcome.faults(8) == []
