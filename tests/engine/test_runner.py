"""What a run does, from its claim to its final state: the real engine on real files."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etlml.engine import execution
from tests.engine.conftest import Workbench, statuses

ROWS = 1000


@pytest.fixture
def numbers(bench: Workbench, request: pytest.FixtureRequest) -> str:
    """A CSV of its own for each test, so that no test finds another's results in the cache."""
    path = bench.data / f"{request.node.name[:60]}.csv"
    path.write_text("n,k\n" + "".join(f"{n},{'abcdefg'[n % 7]}\n" for n in range(ROWS)))
    return path.name


def read(path: str, id: str = "read") -> dict[str, Any]:
    return {"id": id, "type": "extract", "config": {"source": {"kind": "file", "path": path}}}


def transform(id: str, *ops: dict[str, Any], needs: list[str] | None = None, **fields: Any) -> dict[str, Any]:
    return {"id": id, "type": "transform", "needs": needs, "config": {"ops": list(ops)}, **fields}


def save(path: str, id: str = "save", mode: str = "overwrite", **fields: Any) -> dict[str, Any]:
    return {"id": id, "type": "load", "config": {"sink": {"kind": "file", "path": path}, "mode": mode}, **fields}


FILTER = {"op": "filter", "where": "n < 500"}
DERIVE = {"op": "derive", "columns": {"m": "n * 2"}}
SLOW = {
    "op": "sql",
    "query": "SELECT count(*) AS c FROM input a, input b, input c, input d WHERE a.n + b.n + c.n + d.n = 7",
}


class TestAGreenRun:
    def test_rows_are_counted_in_every_step_although_they_were_one_query(self, bench: Workbench, numbers: str) -> None:
        run = bench.run([read(numbers), transform("keep", FILTER), transform("double", DERIVE), save("out/a.parquet")])
        assert run.status == "success"
        assert [(s.rows_in, s.rows_out) for s in run.steps] == [(None, ROWS), (ROWS, 500), (500, 500), (500, 500)]
        assert [s.fused_into for s in run.steps] == ["double", "double", None, None]
        assert duckdb.sql(f"SELECT sum(m) FROM '{bench.data}/out/a.parquet'").fetchone() == (249500,)

    def test_independent_branches_run_side_by_side(self, bench: Workbench, numbers: str) -> None:
        slow = {
            "op": "sql",
            "query": "SELECT count(*) AS c FROM input a, input b, range(40) r WHERE a.n + b.n + r.range = 7",
        }
        run = bench.run(
            [read(numbers), transform("left", slow, needs=["read"]), transform("right", slow, needs=["read"])]
        )
        left, right = run.step("left"), run.step("right")
        assert left.started_at
        assert right.started_at
        assert left.finished_at
        assert right.finished_at
        assert max(left.started_at, right.started_at) < min(left.finished_at, right.finished_at)

    def test_the_pipeline_shows_the_state_of_its_last_run(self, bench: Workbench, numbers: str) -> None:
        run = bench.run([read(numbers)])
        deadline = time.monotonic() + 5
        while (pipeline := bench.store.pipelines.get(run.pipeline_id)).status == "running":
            assert time.monotonic() < deadline
        assert (pipeline.status, pipeline.run_count, pipeline.last_run_id) == ("success", 1, run.id)

    def test_parameters_and_secrets_reach_the_steps_and_secrets_no_document(
        self, bench: Workbench, numbers: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ETLML_SECRET_LETTER", "abcdefgh-secret")
        steps = [
            read(numbers),
            transform(
                "keep",
                {"op": "filter", "where": "n < ${params.limit}"},
                {"op": "derive", "columns": {"letter": "length('${secret.LETTER}')"}},
            ),
        ]
        run = bench.run(steps, params={"limit": 3})
        assert (run.status, run.step("keep").rows_out) == ("success", 3)
        assert duckdb.sql(
            f"SELECT DISTINCT letter FROM '{bench.settings.runs_dir}/{run.step('keep').checkpoint}'"
        ).fetchone() == (15,)
        assert "abcdefgh-secret" not in run.model_dump_json()

    def test_a_secret_in_a_rule_or_a_path_stays_out_of_what_is_kept(
        self, bench: Workbench, numbers: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ETLML_SECRET_PLACE", "hidden-place")
        rule = {"rule": "sql", "where": "'${secret.PLACE}' = 'x'", "severity": "warning"}
        sink = {"kind": "sqlite", "path": "${secret.PLACE}.db", "table": "t"}
        steps = [
            read(numbers),
            {"id": "check", "type": "validate", "config": {"rules": [rule]}},
            {"id": "save", "type": "load", "config": {"sink": sink, "mode": "overwrite"}},
        ]
        run = bench.run(steps)
        (found,) = bench.store.validations.list(run_id=run.id).items
        assert (run.status, found.status, found.step_id) == ("success", "warning", "check")
        assert "hidden-place" not in run.model_dump_json() + found.model_dump_json()

    def test_a_run_of_no_steps_succeeds(self, bench: Workbench) -> None:
        assert bench.run([]).status == "success"


class TestAFailure:
    def test_a_failed_step_skips_what_depends_on_it_and_nothing_else(self, bench: Workbench, numbers: str) -> None:
        run = bench.run(
            [
                read(numbers),
                transform("bad", {"op": "cast", "columns": {"k": "INTEGER"}}, needs=["read"]),
                transform("after", DERIVE, needs=["bad"]),
                save("out/never.parquet", needs=["after"]),
                transform("good", DERIVE, needs=["read"]),
                save("out/good.parquet", id="kept", needs=["good"]),
            ]
        )
        assert statuses(run) == {
            "read": "success",
            "bad": "failed",
            "after": "skipped",
            "save": "skipped",
            "good": "success",
            "kept": "success",
        }
        assert run.status == "failed"
        assert run.error is not None
        assert run.error.step == "bad"
        assert not (bench.data / "out/never.parquet").exists()

    def test_the_step_at_fault_is_named_although_a_later_one_computed_it(self, bench: Workbench, numbers: str) -> None:
        run = bench.run(
            [read(numbers), transform("bad", {"op": "cast", "columns": {"k": "INTEGER"}}), transform("fine", DERIVE)]
        )
        assert statuses(run) == {"read": "success", "bad": "failed", "fine": "skipped"}
        assert "'k'" in (run.step("bad").error or pytest.fail("no error")).message
        assert run.step("read").rows_out == ROWS

    def test_a_step_that_may_fail_leaves_the_run_green_with_a_warning(self, bench: Workbench, numbers: str) -> None:
        bad = transform("bad", {"op": "cast", "columns": {"k": "INTEGER"}}, needs=["read"], on_failure="continue")
        run = bench.run([read(numbers), bad, transform("good", DERIVE, needs=["read"])])
        assert (run.status, run.warnings, statuses(run)["bad"]) == ("success", 1, "failed")

    def test_a_missing_file_fails_its_step_with_the_mend(self, bench: Workbench, numbers: str) -> None:
        run = bench.run([read(numbers.replace(".csv", ".cvs")), save("out/x.parquet")])
        assert statuses(run) == {"read": "failed", "save": "skipped"}
        assert "Did you mean" in run.error.message if run.error else False

    def test_a_wrong_column_is_refused_before_anything_is_written(self, bench: Workbench, numbers: str) -> None:
        run = bench.run(
            [
                read(numbers),
                save("out/early.parquet"),
                transform("bad", {"op": "filter", "where": "nn > 1"}, needs=["read"]),
            ]
        )
        assert run.status == "failed"
        assert run.error is not None
        assert "Did you mean 'n'?" in run.error.message
        assert not (bench.data / "out/early.parquet").exists()

    def test_a_step_is_tried_again_as_often_as_it_says(self, bench: Workbench, numbers: str) -> None:
        step = read("appears-later-" + numbers)
        run = bench.start(bench.pipeline([{**step, "retries": 3}]))
        bench.until(run, lambda r: r.steps[0].attempts >= 1)
        (bench.data / f"appears-later-{numbers}").write_text("n\n1\n")
        run = bench.wait(run)
        assert run.status == "success"
        assert run.steps[0].attempts >= 2

    def test_a_step_over_its_time_limit_fails_and_says_so(self, bench: Workbench, numbers: str) -> None:
        run = bench.run(
            [read(numbers), transform("slow", SLOW, timeout_s=0.3), transform("other", DERIVE, needs=["read"])]
        )
        error = run.step("slow").error
        assert error is not None
        assert (error.type, error.message.split(".")[0]) == (
            "StepTimeout",
            "Step 'slow' took longer than its limit of 0",
        )
        assert statuses(run)["other"] == "success"

    def test_a_run_over_its_time_limit_fails_and_says_so(self, bench: Workbench, numbers: str) -> None:
        run = bench.run([read(numbers), transform("slow", SLOW)], timeout_s=0.3)
        assert run.status == "failed"
        assert run.error is not None
        assert run.error.type == "StepTimeout"


class TestRules:
    def test_a_broken_rule_keeps_rows_from_the_sink_and_leaves_its_verdict(
        self, bench: Workbench, numbers: str
    ) -> None:
        rule = {"rule": "between", "column": "n", "max": 10}
        run = bench.run(
            [read(numbers), {"id": "check", "type": "validate", "config": {"rules": [rule]}}, save("out/v.parquet")]
        )
        assert statuses(run) == {"read": "success", "check": "failed", "save": "skipped"}
        assert not (bench.data / "out/v.parquet").exists()
        (verdict,) = bench.store.validations.list(run_id=run.id).items
        assert (verdict.status, verdict.step_id, verdict.rules[0].failed) == ("failed", "check", ROWS - 11)

    @pytest.mark.parametrize("at", ["read", "keep", "save"])
    def test_rules_hang_on_every_kind_of_step(self, bench: Workbench, numbers: str, at: str) -> None:
        steps = [read(numbers), transform("keep", FILTER), save(f"out/rules-{at}.parquet")]
        for step in steps:
            if step["id"] == at:
                step["validations"] = [{"rule": "row_count_between", "max": 3}]
        run = bench.run(steps)
        assert statuses(run)[at] == "failed"
        assert not (bench.data / f"out/rules-{at}.parquet").exists()

    def test_a_warning_leaves_the_run_green_and_is_counted(self, bench: Workbench, numbers: str) -> None:
        rule = {"rule": "row_count_between", "max": 3, "severity": "warning"}
        run = bench.run([{**read(numbers), "validations": [rule]}])
        assert (run.status, run.warnings, run.steps[0].warnings) == ("success", 1, 1)

    def test_quarantined_rows_stay_behind_and_the_rest_goes_on(self, bench: Workbench, numbers: str) -> None:
        config = {"on_failure": "quarantine", "rules": [{"rule": "between", "column": "n", "max": 99}]}
        run = bench.run([read(numbers), {"id": "check", "type": "validate", "config": config}, save("out/q.parquet")])
        assert (run.status, run.step("save").rows_out) == ("success", 100)
        (verdict,) = bench.store.validations.list(run_id=run.id).items
        assert verdict.quarantine is not None
        assert verdict.quarantine["rows"] == ROWS - 100


class TestTheCache:
    def test_an_unchanged_step_is_cached_and_a_load_is_done_again(self, bench: Workbench, numbers: str) -> None:
        steps = [read(numbers), transform("keep", FILTER), save("out/cached.parquet")]
        pipeline = bench.pipeline(steps)
        bench.wait(bench.start(pipeline))
        (bench.data / "out/cached.parquet").unlink()
        second = bench.wait(bench.start(pipeline))
        assert statuses(second) == {"read": "cached", "keep": "cached", "save": "success"}
        assert [step.rows_out for step in second.steps] == [ROWS, 500, 500]
        assert (bench.data / "out/cached.parquet").exists()

    def test_only_what_changed_runs_again(self, bench: Workbench, numbers: str) -> None:
        steps = [
            read(numbers),
            {**transform("keep", FILTER), "cache": True},
            transform("double", DERIVE),
            save("out/c.parquet"),
        ]
        steps[1]["validations"] = [{"rule": "not_null", "column": "n"}]  # makes it a checkpoint of its own
        pipeline = bench.pipeline(steps)
        bench.wait(bench.start(pipeline))
        steps[2] = transform("double", {"op": "derive", "columns": {"m": "n * 3"}})
        again = bench.wait(bench.start(bench.change(pipeline, steps)))
        assert statuses(again) == {"read": "cached", "keep": "cached", "double": "success", "save": "success"}

    def test_a_changed_file_runs_again(self, bench: Workbench, numbers: str) -> None:
        pipeline = bench.pipeline([read(numbers), transform("keep", FILTER)])
        bench.wait(bench.start(pipeline))
        path = bench.data / numbers
        path.write_text(path.read_text() + "1,z\n")
        assert statuses(bench.wait(bench.start(pipeline))) == {"read": "success", "keep": "success"}

    def test_the_cache_can_be_switched_off_for_a_step(self, bench: Workbench, numbers: str) -> None:
        pipeline = bench.pipeline([{**read(numbers), "cache": False}, transform("keep", FILTER, cache=False)])
        bench.wait(bench.start(pipeline))
        assert statuses(bench.wait(bench.start(pipeline))) == {"read": "success", "keep": "success"}

    def test_a_lost_checkpoint_is_computed_again(self, bench: Workbench, numbers: str) -> None:
        pipeline = bench.pipeline([read(numbers), transform("keep", FILTER)])
        first = bench.wait(bench.start(pipeline))
        (bench.settings.runs_dir / (first.step("keep").checkpoint or "")).unlink()
        assert statuses(bench.wait(bench.start(pipeline)))["keep"] == "success"

    def test_a_run_keeps_its_rows_when_the_run_they_came_from_is_removed(self, bench: Workbench, numbers: str) -> None:
        pipeline = bench.pipeline([read(numbers), transform("keep", FILTER)])
        first, second = bench.wait(bench.start(pipeline)), bench.wait(bench.start(pipeline))
        (bench.settings.runs_dir / (first.step("keep").checkpoint or "")).unlink()
        assert (bench.settings.runs_dir / (second.step("keep").checkpoint or "")).is_file()


class TestWhileItRuns:
    @pytest.mark.slow
    def test_a_step_that_takes_long_is_seen_to_run_whatever_went_before(self, bench: Workbench, numbers: str) -> None:
        waits = {"op": "python", "code": "import time\ndef transform(df):\n    time.sleep(0.8)\n    return df\n"}
        run = bench.start(bench.pipeline([read(numbers), transform("first", waits), transform("second", waits)]))
        seen = bench.until(run, lambda r: r.step("second").status != "pending")
        assert statuses(seen) == {"read": "success", "first": "success", "second": "running"}
        assert seen.step("second").rows_in == ROWS
        assert bench.wait(run).status == "success"

    def test_a_query_says_how_far_it_is_for_all_that_it_computes(
        self, bench: Workbench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(execution, "PROGRESS_S", 0.05)
        rows = "SELECT range AS n, hash(range)::VARCHAR AS k FROM range(1200000)"
        duckdb.execute(f"COPY ({rows}) TO '{bench.data}/many.parquet'")
        digest = {"op": "derive", "columns": {"m": "md5(md5(md5(k)))"}}
        run = bench.start(
            bench.pipeline(
                [read("many.parquet"), transform("keep", FILTER | {"where": "n >= 0"}), transform("m", digest)]
            )
        )
        seen = bench.until(run, lambda r: r.step("m").progress or r.is_final)
        shares = {step.progress for step in seen.steps}
        assert len(shares) == 1
        assert 0 < (shares.pop() or 0) < 1
        ended = bench.wait(run)
        assert (ended.status, {step.progress for step in ended.steps}) == ("success", {None})


class TestCancelling:
    def assert_stops(self, bench: Workbench, step: dict[str, Any], numbers: str) -> None:
        run = bench.start(bench.pipeline([read(numbers), step, transform("after", DERIVE, needs=["read"])]))
        bench.until(run, lambda r: r.step(step["id"]).status == "running" and r.step("after").status == "success")
        time.sleep(0.3)
        began = time.monotonic()
        bench.store.runs.request_cancel(run.id)
        ended = bench.wait(run)
        assert time.monotonic() - began < 2
        assert (ended.status, ended.step("after").status) == ("cancelled", "success")

    def test_a_query_stops_within_two_seconds(self, bench: Workbench, numbers: str) -> None:
        self.assert_stops(bench, transform("slow", SLOW, needs=["read"]), numbers)

    def test_python_code_stops_within_two_seconds(self, bench: Workbench, numbers: str) -> None:
        code = "import time\ndef transform(df):\n    while True:\n        time.sleep(0.1)\n"
        self.assert_stops(bench, transform("slow", {"op": "python", "code": code}, needs=["read"]), numbers)

    def test_a_training_stops_within_two_seconds(self, bench: Workbench, numbers: str) -> None:
        config = {"target": "k", "algorithm": "random_forest_classifier", "parameters": {"n_estimators": 1000000}}
        self.assert_stops(bench, {"id": "slow", "type": "train", "needs": ["read"], "config": config}, numbers)

    def test_a_waiting_run_is_cancelled_at_once(self, bench: Workbench, numbers: str) -> None:
        pipeline = bench.pipeline([read(numbers), transform("slow", SLOW)])
        going, waiting = bench.start(pipeline), bench.start(pipeline)
        bench.until(going, lambda r: r.status == "running")
        assert bench.store.runs.request_cancel(waiting.id).status == "cancelled"
        bench.store.runs.request_cancel(going.id)
        bench.wait(going)


class TestMemory:
    @pytest.mark.slow
    def test_python_code_over_its_memory_fails_with_the_figures_and_the_worker_lives_on(
        self, bench: Workbench, numbers: str
    ) -> None:
        code = "def transform(df):\n    kept = []\n    while True:\n        kept.append(bytearray(50_000_000))\n"
        run = bench.run([read(numbers), transform("greedy", {"op": "python", "code": code})])
        error = run.step("greedy").error
        assert error is not None
        assert error.type == "MemoryExceeded"
        assert "GB" in error.message
        assert bench.run([read(numbers)], name="next").status == "success"


class TestResuming:
    def test_a_run_that_a_stopping_worker_gives_back_goes_on_after_its_last_checkpoint(
        self, bench: Workbench, numbers: str
    ) -> None:
        from etlml.engine.engine import Engine

        slow = transform("slow", SLOW, needs=["kept"])
        steps = [
            {**read(numbers), "validations": [{"rule": "not_null", "column": "n"}]},
            {
                "id": "kept",
                "type": "load",
                "config": {"sink": {"kind": "sqlite", "path": "out/r.sqlite", "table": "t"}, "mode": "append"},
            },
            slow,
        ]
        pipeline = bench.pipeline(steps)
        run = bench.start(pipeline)
        bench.until(run, lambda r: r.step("slow").status == "running")
        bench.engine.stop()
        released = bench.store.runs.get(run.id)
        assert (released.status, released.step("kept").status) == ("pending", "success")
        bench.store.runs.request_cancel(run.id)
        bench.engine = Engine(bench.settings, bench.store)
        bench.engine.start()
        quick = bench.start(pipeline)
        bench.until(quick, lambda r: r.step("slow").status == "running")
        bench.store.runs.request_cancel(quick.id)
        bench.wait(quick)
        with sqlite3.connect(bench.data / "out/r.sqlite") as database:
            assert database.execute("SELECT count(*) FROM t").fetchone() == (2 * ROWS,)


def test_no_run_leaves_a_partial_file(bench: Workbench, numbers: str) -> None:
    bench.run([read(numbers), transform("bad", {"op": "cast", "columns": {"k": "INTEGER"}})])
    assert not [path for path in Path(bench.settings.runs_dir).rglob("*") if path.name.startswith(".")]
