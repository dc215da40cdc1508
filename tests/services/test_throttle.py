"""Guessing passwords takes time."""

import pytest

from etlml.services.throttle import MOST_FAILURES, WINDOW_S, Pace, Throttle


@pytest.mark.parametrize(("name", "address"), [("ann", "10.0.0.2"), ("bob", "10.0.0.1")])
def test_after_many_failures_the_name_and_the_address_wait(name: str, address: str) -> None:
    throttle = Throttle(clock=lambda: 0.0)
    for _ in range(MOST_FAILURES):
        assert throttle.wait_s("ann", "10.0.0.1") == 0
        throttle.failed("ann", "10.0.0.1")
    assert throttle.wait_s(name, address) == WINDOW_S
    assert throttle.wait_s("bob", "10.0.0.2") == 0


def test_it_forgets_after_its_window_and_after_success() -> None:
    now = [0.0]
    throttle = Throttle(clock=lambda: now[0])
    for _ in range(MOST_FAILURES):
        throttle.failed("ann", "10.0.0.1")
    now[0] = WINDOW_S + 1
    assert throttle.wait_s("ann", "10.0.0.1") == 0
    for _ in range(MOST_FAILURES):
        throttle.failed("ann", "10.0.0.1")
    throttle.succeeded("ann", "10.0.0.1")
    assert throttle.wait_s("ann", "10.0.0.1") == 0


def test_a_pace_holds_for_any_minute_and_for_each_key_by_itself() -> None:
    now = [0.0]
    pace = Pace(2, clock=lambda: now[0])
    assert pace.take("a") == 0
    now[0] = 50.0
    assert [pace.take("a"), pace.take("a"), pace.take("b")] == [0, 10, 0]
    now[0] = 59.9
    assert pace.take("a") == 1
    now[0] = 60.0
    assert [pace.take("a"), pace.take("a")] == [0, 50]
