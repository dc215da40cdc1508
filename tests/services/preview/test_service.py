"""Previews: what a step would give, without anything being written."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from etlml.documents import PipelineDraft
from etlml.errors import ColumnMissing, ConfigInvalid, EtlmlError, NotFound, StepError, StepTimeout
from etlml.services.preview import PreviewService
from etlml.services.preview import service as previews
from etlml.services.preview.bench import Reach
from etlml.services.preview.plan import op_at_fault
from etlml.settings import get_settings

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "data"
ROWS = [
    {"id": 1, "x": 1.5, "k": "a"},
    {"id": 2, "x": None, "k": "b"},
    {"id": 3, "x": 4.0, "k": "a"},
    {"id": 4, "x": -2.0, "k": None},
]


@pytest.fixture
def service(home: Path) -> Iterator[PreviewService]:
    made = PreviewService(get_settings())
    yield made
    made.close()


def step(id: str, type: str, needs: list[str] | None = None, **config: Any) -> dict[str, Any]:
    return {"id": id, "type": type, "config": config, "needs": needs}


def draft(*steps: dict[str, Any], **fields: Any) -> PipelineDraft:
    rows = step("rows", "extract", source={"kind": "inline", "rows": ROWS})
    return PipelineDraft.model_validate({"name": "p", "steps": [rows, *steps], **fields})


def transform(*ops: dict[str, Any], id: str = "clean", needs: list[str] | None = None) -> dict[str, Any]:
    return step(id, "transform", needs or ["rows"], ops=list(ops))


FILTER = {"op": "filter", "where": "x IS NOT NULL"}
DERIVE = {"op": "derive", "columns": {"y": "x * 2"}}


class TestATransform:
    def test_rows_columns_count_profile_and_sql(self, service: PreviewService) -> None:
        found = service.of_step(draft(transform(FILTER, DERIVE)), "clean", limit=2)
        assert found.rows == ({"id": 1, "x": 1.5, "k": "a", "y": 3.0}, {"id": 3, "x": 4.0, "k": "a", "y": 8.0})
        assert (found.row_count, found.sampled, found.basis) == (3, False, "Computed on all rows.")
        profile = {column.name: column for column in found.profile}
        assert (profile["k"].nulls, profile["k"].distinct, profile["k"].top[0]) == (1, 1, ("a", pytest.approx(2 / 3)))
        assert (profile["y"].min, profile["y"].max, sum(profile["y"].bars)) == (-4.0, 8.0, 3)
        assert 'FROM "op 1"' in found.sql
        assert "\n" in found.sql

    def test_each_op_says_what_it_changed(self, service: PreviewService) -> None:
        ops = [
            FILTER,
            {**DERIVE, "enabled": False},
            {"op": "cast", "columns": {"x": "int"}},
            {"op": "drop", "columns": ["k"]},
        ]
        changes = service.of_step(draft(transform(*ops)), "clean").ops
        assert [(one.at, one.op, one.rows_before, one.rows_after) for one in changes] == [
            (0, "filter", 4, 3),
            (2, "cast", 3, 3),
            (3, "drop", 3, 3),
        ]
        assert (changes[1].retyped[0].before, changes[1].retyped[0].after) == ("DOUBLE", "BIGINT")
        assert changes[2].removed == ("k",)

    def test_the_first_ops_alone_although_a_later_one_is_wrong(self, service: PreviewService) -> None:
        document = draft(transform(FILTER, {"op": "filter"}))
        with pytest.raises(ConfigInvalid) as caught:
            service.of_step(document, "clean")
        assert op_at_fault(caught.value) == 1
        assert service.of_step(document, "clean", ops_until=1).row_count == 3

    def test_the_op_that_fails_on_the_rows_is_named(self, service: PreviewService) -> None:
        ops = [DERIVE, {"op": "cast", "columns": {"k": "int"}}, FILTER]
        with pytest.raises(StepError, match=r"^Op 2 \(cast\): .*'k'") as caught:
            service.of_step(draft(transform(*ops)), "clean")
        assert (op_at_fault(caught.value), caught.value.details["step"]) == (1, "clean")

    def test_python_code_runs_in_a_child(self, service: PreviewService) -> None:
        code = "def transform(df):\n    print('hello')\n    return df.assign(z=df['id'] + 1)\n"
        found = service.of_step(draft(transform({"op": "python", "code": code}, FILTER)), "clean")
        assert found.rows[0]["z"] == 2
        assert found.ops[0].added == ("z",)
        with pytest.raises(EtlmlError, match="failed in line 2"):
            service.of_step(draft(transform({"op": "python", "code": "def transform(df):\n    1 / 0"})), "clean")

    def test_an_expression_of_many_brackets(self, service: PreviewService) -> None:
        deep = {"op": "derive", "columns": {"y": "(" * 400 + "x" + ")" * 400}}
        assert service.of_step(draft(transform(deep)), "clean").rows[0]["y"] == 1.5


class TestWhatIsWrong:
    def test_a_wrong_column_says_what_was_meant_and_in_which_step(self, service: PreviewService) -> None:
        document = draft(transform({"op": "drop", "columns": ["idd"]}), step("next", "transform", ["clean"]))
        with pytest.raises(ColumnMissing, match="Did you mean 'id'") as caught:
            service.of_step(document, "next")
        assert caught.value.details["step"] == "clean"
        assert "'clean'" in caught.value.message

    def test_other_branches_may_be_wrong(self, service: PreviewService) -> None:
        document = draft(transform(FILTER), step("bad", "load", ["rows"], sink={"kind": "nonsense"}))
        assert service.of_step(document, "clean").row_count == 3

    def test_an_unknown_step_and_a_missing_file(self, service: PreviewService) -> None:
        with pytest.raises(NotFound):
            service.of_step(draft(), "row")
        with pytest.raises(EtlmlError, match=r"nowhere\.csv"):
            service.of_step(draft(step("file", "extract", [], source={"kind": "file", "path": "nowhere.csv"})), "file")

    def test_references_are_filled_with_the_given_parameters(self, service: PreviewService) -> None:
        document = draft(transform({"op": "filter", "where": "id >= ${params.least}"}), params={"least": 2})
        assert service.of_step(document, "clean").row_count == 3
        assert service.of_step(document, "clean", params={"least": 4}).row_count == 1


class TestOtherSteps:
    def test_rules_are_evaluated_and_rows_that_break_them_shown(self, service: PreviewService) -> None:
        rules = [{"rule": "not_null", "column": "x"}, {"rule": "between", "column": "id", "min": 1}]
        found = service.of_step(draft(step("check", "validate", rules=rules)), "check")
        assert [(rule.success, rule.failed) for rule in found.rules] == [(False, 1), (True, 0)]
        assert found.rules[0].sample[0]["id"] == 2
        assert (found.rules_break, found.row_count) == (True, 4)
        apart = draft(
            step("check", "validate", rules=rules, on_failure="quarantine"), step("on", "transform", ["check"])
        )
        assert service.of_step(apart, "check").rules_break is False
        assert service.of_step(apart, "on").row_count == 3

    def test_rules_that_are_off_are_not_evaluated(self, service: PreviewService) -> None:
        rules = [{"rule": "not_null", "column": "x", "enabled": False}, {"rule": "unique", "column": "id"}]
        found = service.of_step(draft(step("check", "validate", rules=rules)), "check")
        assert [rule.rule for rule in found.rules] == ["unique"]
        assert (found.rules_break, "rule 1" in found.sql, "rule 2" in found.sql) == (False, False, True)

    def test_a_load_says_where_it_would_write_and_writes_nothing(self, service: PreviewService, home: Path) -> None:
        before = sorted(home.rglob("*"))
        document = draft(step("save", "load", sink={"kind": "file", "path": "out/x.parquet"}))
        found = service.of_step(document, "save")
        assert found.target is not None
        assert (found.target.place, found.target.exists, found.row_count) == ("out/x.parquet", False, 4)
        assert sorted(home.rglob("*")) == before
        (home / "data" / "out").mkdir()
        (home / "data" / "out" / "x.parquet").touch()
        now = service.of_step(document, "save").target
        assert now is not None
        assert (now.exists, now.effect) == (True, "The rows replace all that is there.")

    def test_a_training_shows_its_frame(self, service: PreviewService) -> None:
        config = {"target": "x", "algorithm": "linear_regression", "features": ["id", "k"]}
        found = service.of_step(draft(step("model", "train", **config)), "model")
        assert [column["name"] for column in found.columns] == ["x", "id", "k"]
        assert found.learning is not None
        assert (found.learning.usable_rows, found.row_count) == (3, 4)

    def test_only_some_rows_of_a_database_are_read(
        self, service: PreviewService, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("etlml.services.preview.bench.MOST_COPIED", 10)
        with sqlite3.connect(home / "data" / "db.sqlite") as database:
            database.execute("CREATE TABLE t (n INTEGER)")
            database.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(50)])
        for source in ({"table": "t"}, {"query": "SELECT n FROM t ORDER BY n DESC"}):
            document = draft(step("db", "extract", [], source={"kind": "sqlite", "path": "db.sqlite", **source}))
            found = service.of_step(document, "db")
            assert (found.row_count, found.sampled) == (10, True)
            assert "the first 10 rows of db" in found.basis


class TestHowItIsComputed:
    def test_what_takes_too_long_is_tried_on_fewer_rows(
        self, service: PreviewService, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (home / "data" / "n.csv").write_text("n\n" + "\n".join(map(str, range(3000))))
        monkeypatch.setattr(previews, "_EXACT_S", 0.3)
        monkeypatch.setattr(previews, "_REACHES", (Reach(), Reach(main=20), Reach(main=10, others=10)))
        cross = {"op": "sql", "query": "SELECT count(*) AS c FROM input a, input b, input c WHERE a.n + b.n + c.n = 7"}
        numbers = step("n", "extract", [], source={"kind": "file", "path": "n.csv"})
        document = draft(numbers, transform(cross, needs=["n"]))
        found = service.of_step(document, "clean")
        assert (found.rows, found.sampled) == (({"c": 36},), True)
        assert found.basis == "Computed on the first 20 rows of n."
        started = time.perf_counter()
        service.of_step(document.model_copy(update={"params": {"a": 1}}), "clean", limit=5)
        assert time.perf_counter() - started < 0.3, "the exact way is not tried again at once"

    def test_never_a_hang(self, service: PreviewService, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(previews, "_EXACT_S", 0.1)
        monkeypatch.setattr(previews, "_SAMPLE_S", 0.1)
        endless = {"op": "sql", "query": "SELECT sum(a.range) AS s FROM range(100000000) a, range(100000) b"}
        with pytest.raises(StepTimeout, match="takes too long"):
            service.of_step(draft(transform(endless)), "clean")

    def test_code_that_does_not_end_is_given_up_after_two_attempts(
        self, service: PreviewService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[Reach] = []
        real = PreviewService._attempt

        def counted(self: PreviewService, work: Any, reach: Reach, limit: int) -> Any:
            tried.append(reach)
            return real(self, work, reach, limit)

        for limit in ("_EXACT_S", "_SAMPLE_S", "_PYTHON_S"):
            monkeypatch.setattr(previews, limit, 0.1)
        monkeypatch.setattr(PreviewService, "_attempt", counted)
        endless = {"op": "python", "code": "def transform(df):\n    while True:\n        pass"}
        with pytest.raises(StepTimeout, match="takes too long"):
            service.of_step(draft(transform(endless)), "clean")
        assert tried == [previews._REACHES[0], previews._REACHES[-1]]

    @pytest.mark.slow
    def test_code_that_worked_and_did_not_end_is_told_at_once_when_asked_again(
        self, service: PreviewService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for limit in ("_CODE_EXACT_S", "_CODE_SAMPLE_S"):
            monkeypatch.setattr(previews, limit, 0.1)
        for limit in ("_EXACT_S", "_SAMPLE_S"):
            monkeypatch.setattr(previews, limit, 60.0)
        endless = {"op": "python", "code": "def transform(df):\n    while True:\n        pass"}
        tried: list[Reach] = []
        real = PreviewService._attempt
        monkeypatch.setattr(
            PreviewService,
            "_attempt",
            lambda self, work, reach, limit: (tried.append(reach), real(self, work, reach, limit)),
        )
        for _ in range(2):
            with pytest.raises(StepTimeout, match="Look for a loop that never ends"):
                service.of_step(draft(transform(endless)), "clean")
        assert len(tried) == 2, "asked again, it is not tried again"

    def test_asked_again_it_costs_nothing_until_a_file_changes(self, service: PreviewService, home: Path) -> None:
        path = home / "data" / "a.csv"
        path.write_text("a\n1\n")
        document = draft(step("a", "extract", [], source={"kind": "file", "path": "a.csv"}))
        first = service.of_step(document, "a")
        assert service.of_step(document, "a").rows is first.rows
        path.write_text("a\n1\n2\n3\n")
        assert service.of_step(document, "a").row_count == 3

    def test_several_viewers_get_their_answers_and_equal_ones_are_computed_once(
        self, service: PreviewService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        attempts: list[int] = []
        real = PreviewService._attempt

        def counted(self: PreviewService, *args: Any) -> Any:
            attempts.append(threading.get_ident())
            time.sleep(0.05)
            return real(self, *args)

        monkeypatch.setattr(PreviewService, "_attempt", counted)
        documents = [draft(transform({"op": "limit", "rows": rows})) for rows in (1, 2, 3, 1, 2, 3)]
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(lambda document: service.of_step(document, "clean").row_count, documents))
        assert found == [1, 2, 3, 1, 2, 3]
        assert len(attempts) == 3

    def test_user_sql_reaches_no_file(self, service: PreviewService, home: Path) -> None:
        (home / "data" / "secret.csv").write_text("a\n1\n")
        reach = {"op": "sql", "query": f"SELECT * FROM read_csv('{home}/data/secret.csv')"}
        with pytest.raises(EtlmlError, match="read_csv"):
            service.of_step(draft(transform(reach)), "clean")

    @pytest.mark.slow
    def test_all_flights_within_time(self, service: PreviewService, home: Path) -> None:
        shutil.copytree(EXAMPLES, home / "data" / "examples")
        flights = step("flights", "extract", [], source={"kind": "file", "path": "examples/flights.parquet"})
        planes = step(
            "planes", "extract", [], source={"kind": "file", "path": "examples/planes.csv", "null_values": ["NA"]}
        )
        ops = [{"op": "filter", "where": "dep_delay IS NOT NULL"}, {"op": "join", "with": "planes", "on": ["tailnum"]}]
        document = draft(flights, planes, transform(*ops, needs=["flights", "planes"]))
        service.of_step(document, "flights")
        started = time.perf_counter()
        found = service.of_step(document, "clean")
        took = time.perf_counter() - started
        if not found.sampled:  # on a machine that does much else it settles for a sample
            assert [(one.rows_before, one.rows_after) for one in found.ops] == [(336776, 328521), (328521, 279971)]
            assert took < 2.5


class TestSecrets:
    """Used as in a run, stored here or in the environment, and told to nobody."""

    @pytest.fixture
    def stored(self, home: Path) -> Path:
        (home / "secrets").mkdir(exist_ok=True)
        path = home / "secrets" / "WHO"
        path.write_text("it's swordfish")
        return path

    def test_a_stored_one_is_used_and_stands_neither_in_sql_rows_nor_columns(
        self, service: PreviewService, stored: Path
    ) -> None:
        text = "$q$ ${secret.WHO}$q$"
        document = draft(transform({"op": "derive", "columns": {"w": text, "n": f"length({text})"}}))
        found = service.of_step(document, "clean")
        assert (found.rows[0]["w"], found.rows[0]["n"]) == (" ***", len(" it's swordfish"))
        assert "swordfish" not in found.model_dump_json()
        stored.write_text("longer than before")
        assert service.of_step(document, "clean").rows[0]["n"] == len(" longer than before")

    def test_an_error_does_not_tell_it(self, service: PreviewService, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ETLML_SECRET_WHO", "swordfish 3")
        for ops in (
            [{"op": "filter", "where": "x > CAST('${secret.WHO}' AS INTEGER)"}],
            [{"op": "filter", "where": "x > '${secret.WHO}' AND ("}],
            [{"op": "drop", "columns": ["${secret.WHO}"]}],
            [{"op": "python", "code": "def transform(df):\n    raise ValueError('${secret.WHO}')"}],
        ):
            with pytest.raises(EtlmlError) as caught:
                service.of_step(draft(transform(*ops)), "clean")
            assert "swordfish" not in f"{caught.value} {caught.value.message} {caught.value.details}"

    def test_one_that_is_missing_is_named(self, service: PreviewService) -> None:
        with pytest.raises(EtlmlError, match="no secret 'NOWHERE'"):
            service.of_step(draft(transform({"op": "filter", "where": "k = '${secret.NOWHERE}'"})), "clean")
