import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.store import Store
from etlml.store.run_watch import Wakeup

MakeRun = Callable[..., Run]


def following(events: Iterator[Wakeup | None]) -> Wakeup:
    """The next wake-up; fails after some empty waits."""
    for _ in range(50):
        if (event := next(events)) is not None:
            return event
    raise AssertionError("no wake-up came")


class TestWatch:
    def test_tells_of_every_change_of_state_that_matters(self, real_store: Store, a_run: MakeRun) -> None:
        with closing(real_store.runs.watch(timeout_s=0.1)) as events:
            assert following(events) == Wakeup("unknown")
            run = real_store.runs.add(a_run())
            real_store.runs.claim("w", utc_now(), 30)
            real_store.runs.set_step(run.id, 1, "w", 0, {"status": "running"})
            real_store.runs.heartbeat("w", [run.id], utc_now())
            real_store.runs.request_cancel(run.id)
            real_store.runs.release(run.id, 1, "w")
            real_store.runs.add(again := a_run())
            kinds = [(following(events).kind) for _ in range(5)]
        assert kinds == ["queued", "claimed", "cancel", "ended", "queued"]
        assert again.id != run.id

    def test_wakes_within_100_ms(self, real_store: Store, a_run: MakeRun) -> None:
        delays = []
        with closing(real_store.runs.watch(timeout_s=5)) as events:
            assert following(events) == Wakeup("unknown")
            for _ in range(10):
                added: dict[str, float] = {}
                run = a_run()

                def add(run: Run = run, added: dict[str, float] = added) -> None:
                    real_store.runs.add(run)
                    added["at"] = time.perf_counter()

                timer = threading.Timer(0.05, add)
                timer.start()
                assert following(events) == Wakeup("queued", run.id)
                woken = time.perf_counter()
                timer.join()
                delays.append(woken - added["at"])
        assert sorted(delays)[len(delays) // 2] < 0.1

    def test_says_none_when_nothing_happens(self, real_store: Store) -> None:
        with closing(real_store.runs.watch(timeout_s=0.05)) as events:
            assert following(events) == Wakeup("unknown")
            assert next(events) is None

    def test_polls_where_there_are_no_change_streams(self, mock_store: Store) -> None:
        began = time.perf_counter()
        with closing(mock_store.runs.watch(timeout_s=0.05)) as events:
            assert [next(events), next(events)] == [None, None]
        assert time.perf_counter() - began >= 0.1
