"""Many claimers at once, on a real server: what only atomic updates and unique indexes can promise."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.errors import Conflict, StateConflict
from etlml.store import Store

MakeRun = Callable[..., Run]
CLAIMERS = 8


class TestClaimers:
    def test_never_get_the_same_run(self, real_store: Store, a_run: MakeRun) -> None:
        for _ in range(120):
            real_store.runs.add(a_run(max_running=100))

        def claim_all(worker: str) -> list[str]:
            claimed = []
            while (run := real_store.runs.claim(worker, utc_now(), 30)) is not None:
                claimed.append(run.id)
                if len(claimed) % 5 == 0:  # stay below max_running
                    for run_id in claimed[-5:]:
                        real_store.runs.finish(run_id, 1, worker, "success", utc_now())
            return claimed

        with ThreadPoolExecutor(CLAIMERS) as pool:
            claimed = list(pool.map(claim_all, [f"w{number}" for number in range(CLAIMERS)]))
        every = [run_id for each in claimed for run_id in each]
        assert len(every) == len(set(every)) == 120

    @pytest.mark.parametrize("max_running", [1, 3])
    def test_never_run_more_of_a_pipeline_than_it_allows(
        self, real_store: Store, a_run: MakeRun, max_running: int
    ) -> None:
        pipelines = ["a", "b", "c"]
        for number in range(45):
            real_store.runs.add(a_run(pipeline_id=pipelines[number % 3], max_running=max_running))
        going, most, lock = Counter[str](), Counter[str](), threading.Lock()

        def drain(worker: str) -> int:
            done, idle = 0, 0
            while idle < 3:
                run = real_store.runs.claim(worker, utc_now(), 30)
                if run is None:
                    idle = 0 if real_store.runs.counts_by_status().get("pending") else idle + 1
                    continue
                with lock:
                    going[run.pipeline_id] += 1
                    most[run.pipeline_id] = max(most[run.pipeline_id], going[run.pipeline_id])
                time.sleep(random.uniform(0, 0.005))
                with lock:
                    going[run.pipeline_id] -= 1
                real_store.runs.finish(run.id, run.attempt, worker, "success", utc_now())
                done += 1
            return done

        with ThreadPoolExecutor(CLAIMERS) as pool:
            done = sum(pool.map(drain, [f"w{number}" for number in range(CLAIMERS)]))
        assert done == 45
        assert all(most[pipeline] <= max_running for pipeline in pipelines)

    def test_a_lost_run_is_taken_back_by_one_only(self, real_store: Store, a_run: MakeRun) -> None:
        run = real_store.runs.add(a_run())
        real_store.runs.claim("dead", utc_now(), 0)
        later = utc_now() + timedelta(seconds=1)
        with ThreadPoolExecutor(CLAIMERS) as pool:
            taken = list(pool.map(lambda _: real_store.runs.take_back(run.id, later), range(CLAIMERS)))
        assert sum(each is not None for each in taken) == 1

    def test_a_fire_is_queued_once(self, real_store: Store, a_run: MakeRun) -> None:
        moment = utc_now()
        runs = [a_run(trigger="schedule", scheduled_for=moment) for _ in range(CLAIMERS)]

        def fire(run: Run) -> bool:
            try:
                real_store.runs.add(run)
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(CLAIMERS) as pool:
            assert sum(pool.map(fire, runs)) == 1

    def test_a_cancel_between_claims_is_never_lost(self, real_store: Store, a_run: MakeRun) -> None:
        """Either the run never starts, or its worker is told."""
        for _ in range(30):
            run = real_store.runs.add(a_run())
            with ThreadPoolExecutor(2) as pool:
                claiming = pool.submit(real_store.runs.claim, "w", utc_now(), 30)
                cancelling = pool.submit(real_store.runs.request_cancel, run.id)
            cancelling.result()
            stored = real_store.runs.get(run.id)
            if claiming.result() is None:
                assert stored.status == "cancelled"
            else:
                assert real_store.runs.heartbeat("w", [run.id], utc_now()).cancelled == {run.id}
                real_store.runs.finish(run.id, 1, "w", "cancelled", utc_now())

    def test_a_finish_and_a_take_back_at_once_have_one_winner(self, real_store: Store, a_run: MakeRun) -> None:
        for _ in range(30):
            run = real_store.runs.add(a_run())
            real_store.runs.claim("w", utc_now(), 0)
            later = utc_now() + timedelta(seconds=1)
            with ThreadPoolExecutor(2) as pool:
                finishing = pool.submit(real_store.runs.finish, run.id, 1, "w", "success", later)
                taking = pool.submit(real_store.runs.take_back, run.id, later, 1)
            taken = taking.result()
            stored = real_store.runs.get(run.id)
            if taken is None:
                assert finishing.result().status == stored.status == "success"
            else:
                with pytest.raises(StateConflict):
                    finishing.result()
                assert stored.status == "failed"
