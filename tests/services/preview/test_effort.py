"""What counts against user code: its own work and its sleep, not what a busy machine keeps from it."""

from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from etlml.services.preview import effort
from etlml.services.preview.effort import Effort, WatchedChildren


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock and a process, as they are told to be."""
    now = SimpleNamespace(at=0.0, worked=0.0, status=psutil.STATUS_RUNNING)
    process = SimpleNamespace(cpu_times=lambda: SimpleNamespace(user=now.worked, system=0.0), status=lambda: now.status)
    monkeypatch.setattr(effort.psutil, "Process", lambda _: process)
    return now


@pytest.mark.parametrize(
    ("passed", "worked", "status", "spent"),
    [
        (3.0, 3.0, psutil.STATUS_RUNNING, True),
        (30.0, 1.0, psutil.STATUS_RUNNING, False),
        (3.0, 0.0, psutil.STATUS_SLEEPING, True),
        (1.0, 4.0, psutil.STATUS_RUNNING, False),
    ],
    ids=["it worked", "it was kept waiting", "it slept", "it worked on several processors"],
)
def test_it_is_spent_when_it_has_worked_or_slept_for_long(
    world: SimpleNamespace, passed: float, worked: float, status: str, spent: bool
) -> None:
    watched = Effort(2.0, clock=lambda: world.at)
    assert not watched.is_spent(), "it has not even begun"
    watched.begin(1)
    world.at, world.worked, world.status = passed, worked, status
    assert watched.is_spent() == spent


def test_where_there_is_another_way_it_is_over_after_some_time_in_any_case(world: SimpleNamespace) -> None:
    watched = Effort(2.0, 3.0, clock=lambda: world.at)
    watched.begin(1)
    world.at = 3.1
    assert watched.is_spent()


def test_code_is_stopped_when_it_is_spent_and_other_ends_stay_what_they_are(world: SimpleNamespace) -> None:
    def run(*_: Any, on_message: Any, cancelled: Any) -> None:
        on_message({"begun": 1})
        on_message({"log": "INFO", "message": "hello"})
        world.status = psutil.STATUS_SLEEPING
        while not cancelled():
            pass
        raise effort.StepCancelled

    heard: list[Any] = []
    children: Any = SimpleNamespace(run=run)
    with pytest.raises(effort.StepCancelled) as caught:
        WatchedChildren(lambda: children, lambda: Effort(0.01)).run(
            "t", {}, on_message=heard.append, cancelled=lambda: False
        )
    assert caught.value.details["code_spent"]
    assert heard == [{"log": "INFO", "message": "hello"}]
    with pytest.raises(effort.StepCancelled) as caught:
        WatchedChildren(lambda: children, lambda: Effort(60)).run(
            "t", {}, on_message=heard.append, cancelled=lambda: True
        )
    assert not caught.value.details["code_spent"]
