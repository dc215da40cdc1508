"""A flood of refused webhook calls costs little, and none is lost from the count."""

import logging

import pytest

from etlml.engine.leftovers import UNKNOWN
from etlml.services import Services
from etlml.services.refusals import MOST_A_MINUTE, Refusals


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_flood_is_a_few_writes_and_one_line_a_minute_and_is_counted_in_full(
    services: Services, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, writes = Clock(), []
    refusals = Refusals(services.store, clock)
    write = services.store.webhook_calls.refused
    monkeypatch.setattr(
        services.store.webhook_calls, "refused", lambda *args, **kw: (writes.append(1), write(*args, **kw))
    )
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            refusals.note(UNKNOWN, "", "unknown", "There is no such webhook.")
        assert len(writes) == MOST_A_MINUTE
        assert len(caplog.records) == 1
        clock.now = 60
        refusals.note(UNKNOWN, "", "unknown", "There is no such webhook.")
    assert "1000 since this was last said" in caplog.messages[1]
    found = services.store.webhook_calls.of(UNKNOWN)
    assert (found.refused, len(found.recent)) == (1001, 10)


def test_a_message_is_redacted_and_cut(services: Services) -> None:
    services.secrets.set("TOKEN", "swordfish-1234")
    Refusals(services.store, Clock()).note("p", "small", "body", "swordfish-1234 " + "x" * 1000)
    (refusal,) = services.store.webhook_calls.of("p").recent
    assert refusal.message.startswith("*** x")
    assert len(refusal.message) == 200
