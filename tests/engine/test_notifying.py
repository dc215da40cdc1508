"""What channels promise: each event once, few messages, no part of the URL anywhere, and no run that waits for any of it."""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from etlml.clock import utc_now
from etlml.documents import Channel, ErrorInfo, Pipeline, RuleResult, Run, Validation
from etlml.engine import notifying
from etlml.engine.notices import composed, run_events
from etlml.engine.notifying import GROUP_S, PAUSES_S, Notifying
from etlml.errors import Unavailable
from etlml.redaction import redacted
from etlml.services import Services
from etlml.settings import get_settings
from etlml.store import Store

TOKEN = "tok-3f9a1c77e2"


class Receiver:
    """A service on this machine: what it was sent, and what it answers."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages.append(json.loads(body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self.server.server_port}/{TOKEN}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def services(real_store: Store, home: Path) -> Services:
    return Services(real_store, get_settings())


class Clock:
    """A clock that goes on when told."""

    def __init__(self) -> None:
        self.now = utc_now() + timedelta(seconds=30)  # after whatever the test makes

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def a_run(clock: Clock, **fields: Any) -> Run:
    given = {
        "pipeline_id": "p",
        "pipeline_name": "flights",
        "status": "failed",
        "created_at": clock() + timedelta(milliseconds=1),
        "finished_at": clock() + timedelta(milliseconds=2),
    }
    return Run.model_validate(given | fields)


def a_failure(clock: Clock, **fields: Any) -> Run:
    error = ErrorInfo(
        step="clean", type="ColumnMissing", message="There is no column 'delay'. Did you mean 'dep_delay'?"
    )
    return a_run(clock, error=error, **fields)


def test_a_failure_is_told_with_what_where_mend_and_link(services: Services, receiver: Receiver, clock: Clock) -> None:
    services.settings.update({"public_url": "https://etl.example.org/", "environment_name": "Production"})
    services.notifications.create({"name": "team", "url": receiver.url})
    run = services.store.runs.add(a_failure(clock))
    assert Notifying(services.store, get_settings(), clock).tick() == 1
    (message,) = receiver.messages
    assert message["title"] == "[Production] flights failed"
    for part in (
        "Pipeline: flights",
        "What: There is no column 'delay'.",
        "Where: step clean",
        "Mend: Did you mean 'dep_delay'?",
        f"https://etl.example.org/run?id={run.id}",
    ):
        assert part in message["message"]
    assert services.notifications.get("team").last_sent_at is not None


def test_a_hundred_failures_are_two_messages(services: Services, receiver: Receiver, clock: Clock) -> None:
    services.notifications.create({"name": "team", "url": receiver.url})
    worker = Notifying(services.store, get_settings(), clock)
    services.store.runs.add(a_failure(clock))
    worker.tick()
    for _ in range(99):
        services.store.runs.add(a_failure(clock))
    worker.tick()
    assert len(receiver.messages) == 1
    clock.go_on(GROUP_S + 1)
    worker.tick()
    worker.tick()
    assert [message["title"] for message in receiver.messages] == ["flights failed", "99 events: 99 failed"]
    assert "... and 89 more." in receiver.messages[1]["message"]


def test_two_workers_tell_an_event_once(services: Services, receiver: Receiver, clock: Clock) -> None:
    services.notifications.create({"name": "team", "url": receiver.url})
    services.store.runs.add(a_failure(clock))
    workers = [Notifying(services.store, get_settings(), clock, group_s=0) for _ in range(4)]
    threads = [threading.Thread(target=worker.tick) for worker in workers for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fresh = Notifying(services.store, get_settings(), clock, group_s=0)  # as after a restart
    assert fresh.tick() == 0
    assert len(receiver.messages) == 1


def test_a_service_that_refuses_is_tried_again_a_few_times(
    services: Services, receiver: Receiver, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 500
    services.notifications.create({"name": "team", "url": receiver.url})
    services.store.runs.add(a_failure(clock))
    worker = Notifying(services.store, get_settings(), clock)
    with caplog.at_level(logging.INFO):
        for pause in (0, *PAUSES_S, 3600, 3600):
            clock.go_on(pause + 1)
            worker.tick()
    assert len(receiver.messages) == len(PAUSES_S) + 1
    channel = services.notifications.get("team")
    assert channel.last_error is not None
    assert "did not take the message" in channel.last_error
    assert services.notifications.notices("team").items[0].status == "failed"
    assert "Channel team could not send a message (try 4 of 4)" in caplog.text
    stored = json.dumps([*services.store.settings.all().values(), channel.model_dump(mode="json")], default=str)
    assert TOKEN not in caplog.text + stored
    assert TOKEN not in redacted(f"POST /{TOKEN} HTTP/1.1")  # as an HTTP library logs it


def test_a_fault_in_sending_is_no_fault_of_anything_else(services: Services, clock: Clock) -> None:
    def broken(*_: str) -> None:
        raise RuntimeError("library fault")

    services.notifications.create({"name": "team", "url": "json://localhost/x"})
    services.store.runs.add(a_failure(clock))
    assert Notifying(services.store, get_settings(), clock, send=broken).tick() == 0
    assert services.notifications.get("team").last_error == "RuntimeError"


@pytest.mark.parametrize(
    ("status", "before", "events"),
    [
        ("failed", "success", ["run_failed"]),
        ("success", "failed", ["run_recovered", "run_succeeded"]),
        ("success", "success", ["run_succeeded"]),
        ("success", None, ["run_succeeded"]),
        ("missed", None, ["schedule_missed"]),
        ("cancelled", "failed", []),
    ],
)
def test_each_end_of_a_run_tells_its_events(status: str, before: str | None, events: list[str], clock: Clock) -> None:
    assert run_events(a_run(clock, status=status), before) == events


def sent(services: Services, clock: Clock, **channel: Any) -> list[str]:
    """The titles that a channel is sent now."""
    titles: list[str] = []
    services.notifications.create({"name": "c", "url": "json://localhost/x", **channel})
    worker = Notifying(services.store, get_settings(), clock, send=lambda _, title, text: titles.append(title + text))
    worker.tick()
    return titles


def test_the_first_success_after_a_failure_is_told(services: Services, clock: Clock) -> None:
    services.store.runs.add(
        a_failure(clock, created_at=clock() - timedelta(days=1), finished_at=clock() - timedelta(days=1))
    )
    services.store.runs.add(a_run(clock, status="success"))
    assert "flights works again" in sent(services, clock)[0]


def test_a_channel_hears_only_of_its_pipelines_and_tags(services: Services, clock: Clock) -> None:
    services.store.pipelines.add(Pipeline(id="p", name="flights", tags=["night"]))
    services.store.runs.add(a_failure(clock))
    assert sent(services, clock, tags=["day"], pipelines=["other"]) == []
    services.notifications.update("c", {"tags": ["night"]})
    assert Notifying(services.store, get_settings(), clock, send=lambda *_: None).tick() == 1


def test_broken_rules_and_quarantine_are_told(services: Services, clock: Clock) -> None:
    rule = RuleResult(rule="not_null", column="flight", success=False, checked=1000, failed=12)
    services.store.validations.add(
        Validation(
            name="check", status="failed", score=0.5, row_count=1000, rules=[rule], step_id="check", pipeline_id=None,
            created_at=clock() + timedelta(milliseconds=1),
        )
    )  # fmt: skip
    at = clock() + timedelta(milliseconds=1)
    services.store.validations.add(
        Validation(name="q", status="passed", score=1, row_count=9, quarantine={"path": "x", "rows": 3}, created_at=at)
    )
    (told,) = sent(services, clock, events=["validation_failed", "quarantine"])
    assert "2 events" in told
    assert "Broken: not_null of flight: 12 of 1,000 rows" in told
    assert "Set aside: 3 rows" in told


def test_nothing_from_before_the_channel_is_told(services: Services, clock: Clock) -> None:
    services.store.runs.add(a_failure(clock, finished_at=clock() - timedelta(minutes=5)))
    assert sent(services, clock) == []


def test_secrets_in_an_error_do_not_leave(services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETLML_SECRET_WAREHOUSE", "swordfish-9000")
    get_settings.cache_clear()
    get_settings()
    services.store.runs.add(
        a_run(clock, error=ErrorInfo(type="X", message="Login with swordfish-9000 failed at pg://u:hunter22@host"))
    )
    (told,) = sent(services, clock)
    assert "swordfish" not in told
    assert "hunter22" not in told


def test_without_channels_a_look_is_one_query(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> object:
        raise Unavailable("not asked for")

    monkeypatch.setattr(services.store.runs, "ended_after", refused)
    assert Notifying(services.store, get_settings(), clock).tick() == 0


def test_a_message_about_several_counts_them(clock: Clock) -> None:
    channel = Channel(name="c", target="${secret.X}")
    told = [notifying.notices.of_run(channel, "run_failed", a_failure(clock), "http://s") for _ in range(2)]
    title, text = composed(told)
    assert title == "2 events: 2 failed"
    assert text.count("What: There is no column") == 2
