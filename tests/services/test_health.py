"""The health of the installation, part by part."""

from datetime import UTC, datetime, timedelta

import pytest

from etlml.services import Services
from etlml.services.health import disk_part, scheduler_part, slots_part

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("age", "state"), [(1, "ok"), (12, "warn")])
def test_a_late_heartbeat_is_told(age: int, state: str) -> None:
    part = scheduler_part([{"heartbeat_at": NOW - timedelta(seconds=age)}], NOW)
    assert part.state == state
    assert bool(part.mend) == (state != "ok")


def test_no_worker_says_how_to_start_one() -> None:
    assert scheduler_part([], NOW).state == "bad"
    assert "etlml worker" in scheduler_part([], NOW).mend


@pytest.mark.parametrize(("free", "state"), [(50 * 2**30, "ok"), (3 * 2**30, "warn"), (2**20, "bad"), (None, "bad")])
def test_little_room_says_what_can_go(free: int | None, state: str) -> None:
    assert disk_part(free, 100 * 2**30).state == state


@pytest.mark.parametrize(("busy", "slots", "state"), [(0, 4, "ok"), (4, 4, "warn"), (0, 0, "bad")])
def test_no_free_slot_is_told(busy: int, slots: int, state: str) -> None:
    assert slots_part(busy, slots).state == state


def test_every_part_is_told_whatever_is_away(services: Services) -> None:
    parts = {part.name: part for part in services.health.parts()}
    assert list(parts) == ["Scheduler", "MongoDB", "Disk", "Slots", "REST API"]
    assert all(part.mend for part in parts.values() if part.state != "ok")
