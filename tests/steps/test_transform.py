"""The transform step: one statement for its ops, Python code in a child, errors that say at which op, lineage."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from etlml.compute.children import Children
from etlml.compute.relation import Query, Relation
from etlml.compute.schema import Schema
from etlml.compute.session import Session
from etlml.errors import ColumnMissing, ConfigInvalid, MemoryExceeded, PythonFailed, StepCancelled, StepError
from etlml.invalid import config_invalid
from etlml.steps.base import StepContext
from etlml.steps.transform import TransformConfig

ORDERS = """SELECT * FROM (VALUES
    (1, 'Ulm', 10, DATE '2024-01-01'), (2, 'Bonn', NULL, DATE '2024-01-02'),
    (3, 'Ulm', 30, DATE '2024-02-01'), (4, NULL, 40, DATE '2024-02-02')) AS t(id, city, amount, day)"""
SHOPS = "SELECT * FROM (VALUES ('Ulm', 'south'), ('Bonn', 'west')) AS t(city, region)"


class World:
    """A real session with two lazy inputs, and a context as the runner gives it."""

    def __init__(self, session: Session, children: Any) -> None:
        self.session, self.children = session, children
        self.logged: list[tuple[str, str]] = []
        self.checkpoints: list[str] = []
        self.cancel = False
        self.memory_bytes = 2**30
        self.inputs = {
            "orders": session.define("orders", Query(ORDERS, ("source",))),
            "shops": session.define("shops", Query(SHOPS, ("source",))),
        }

    @property
    def schemas(self) -> dict[str, Schema | None]:
        return {name: relation.schema for name, relation in self.inputs.items()}

    def checkpoint(self, relation: Relation) -> Relation:
        self.checkpoints.append(relation.name)
        return self.session.materialise(relation, self.session.folder / f"{relation.name}.parquet")

    def context(self) -> StepContext:
        return StepContext(
            step_id="clean",
            load_id="l",
            folder=self.session.folder,
            data_dir=self.session.folder,
            session=self.session,
            children=self.children,
            tracker=None,  # type: ignore[arg-type]
            log=lambda level, message: self.logged.append((level, message)),
            cancelled=lambda: self.cancel,
            memory_bytes=self.memory_bytes,
            checkpoint=self.checkpoint,
        )

    def execute(self, *ops: dict[str, Any]) -> Relation:
        config = config_of(*ops)
        foretold = config.check(self.schemas)
        relation = config.execute(self.inputs, self.context()).relation
        assert relation.name == "clean"
        assert foretold in (None, relation.schema)
        return relation

    def rows(self, *ops: dict[str, Any]) -> list[tuple[Any, ...]]:
        self.execute(*ops)
        return self.session.rows('SELECT * FROM "clean"')


def config_of(*ops: dict[str, Any]) -> TransformConfig:
    return TransformConfig.model_validate({"ops": list(ops)})


def python(body: str) -> dict[str, Any]:
    return {"op": "python", "code": f"def transform(df):\n    {body}\n"}


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    with Children(size=1, warm=("etlml.steps.python_child",)) as pool:
        yield pool


@pytest.fixture
def world(children: Children) -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder, Session(Path(folder), memory_bytes=2**28) as session:
        yield World(session, children)


def test_ops_run_one_after_the_other_as_one_lazy_statement(world: World) -> None:
    relation = world.execute(
        {"op": "filter", "where": "amount IS NOT NULL"},
        {"op": "derive", "columns": {"double": "amount * 2"}},
        {"op": "join", "with": "shops", "on": ["city"], "how": "left"},
        {"op": "aggregate", "by": ["region"], "columns": {"total": "sum(double)"}},
        {"op": "sort", "by": ["-total"]},
    )
    assert relation.is_lazy
    assert world.checkpoints == []
    assert relation.schema == Schema.of([("region", "VARCHAR"), ("total", "BIGINT")])
    assert relation.effects == ("filter", "same", "join", "group", "same")
    assert sorted(world.session.rows('SELECT * FROM "clean"'), key=str) == [("south", 80), (None, 80)]


def test_statement_is_optimised_as_a_whole(world: World) -> None:
    source = world.session.define("source", Query("SELECT range AS n, range % 7 AS m FROM range(1000)"))
    world.inputs = {"big": world.checkpoint(source)}
    world.execute(
        {"op": "derive", "columns": {"x": "m + 1"}},
        {"op": "filter", "where": "n < 5"},
        {"op": "select", "columns": ["n"]},
    )
    plan = world.session.rows('EXPLAIN SELECT * FROM "clean"')[0][1]
    assert plan.count("~200 rows") == 1  # one scan, and nothing else
    assert "Filters: n<5" in plan


def test_no_ops_pass_the_input_through_and_ops_that_are_off_are_passed_over(world: World) -> None:
    assert len(world.rows()) == 4
    assert world.execute().effects == ("same",)
    off = {"op": "filter", "where": "nonsense(", "enabled": False, "label": "later"}
    assert world.execute(off, {"op": "limit", "rows": 2}).effects == ("limit",)


def test_neighbouring_filters_count_as_the_one_operator_that_they_become(world: World) -> None:
    ops = [{"op": "filter", "where": "id > 1"}, {"op": "rename", "columns": {"id": "i"}}, {"op": "drop_null"}]
    assert world.execute(*ops).effects == ("filter", "same", "same")


def test_error_says_at_which_op_it_happened(world: World) -> None:
    config = config_of({"op": "limit", "rows": 1}, {"op": "filter", "where": "amout > 1", "label": "big ones"})
    with pytest.raises(ColumnMissing, match=r"^Op 2 \(filter, big ones\): .*Did you mean 'amount'") as caught:
        config.check(world.schemas)
    assert caught.value.details["op"] == 1
    assert caught.value.details["field"] == "ops[1]"


def test_later_op_sees_the_columns_of_the_earlier_ones(world: World) -> None:
    config = config_of({"op": "drop", "columns": ["amount"]}, {"op": "sort", "by": ["amount"]})
    with pytest.raises(ColumnMissing, match=r"Op 2 \(sort\)"):
        config.check(world.schemas)


def test_unknown_op_and_field_are_refused_with_did_you_mean() -> None:
    for written, message in (
        ({"op": "filtr"}, "Did you mean 'filter'"),
        ({"op": "filter", "were": "a"}, "Did you mean 'where'"),
    ):
        with pytest.raises(ValidationError) as caught:
            config_of(written)
        assert message in config_invalid(caught.value, TransformConfig, where="Step 'clean'").message


def test_check_without_known_columns_still_finds_bad_structure() -> None:
    config_of({"op": "filter", "where": "a > 1"}, {"op": "sql", "query": "SELECT b FROM input"}).check({"x": None})
    with pytest.raises(Exception, match="Op 1"):
        config_of({"op": "filter", "where": "a >"}).check({"x": None})


def test_pivot_finds_its_columns_in_the_data(world: World) -> None:
    ops = [
        {"op": "derive", "columns": {"month": "'m' || month(day)"}},
        {"op": "pivot", "index": ["city"], "on": "month", "values": "amount", "agg": "sum"},
        {"op": "derive", "columns": {"both": "coalesce(m1, 0) + coalesce(m2, 0)"}},
    ]
    assert config_of(*ops).check(world.schemas) is None
    relation = world.execute(*ops)
    assert relation.schema.names == ("city", "m1", "m2", "both")
    assert relation.is_lazy
    assert world.checkpoints == ["clean.part1"]
    assert world.session.rows('SELECT * FROM "clean"') == [
        ("Bonn", None, None, 0),
        ("Ulm", 10, 30, 40),
        (None, None, 40, 40),
    ]


def test_pivot_with_listed_values_stays_lazy(world: World) -> None:
    pivot = {"op": "pivot", "index": ["city"], "on": "id", "values": "amount", "columns": [1, 3]}
    assert world.execute(pivot).schema.names == ("city", "1", "3")
    assert world.checkpoints == []


def test_pivot_of_too_many_values_is_refused(world: World) -> None:
    world.inputs = {"many": world.session.define("many", Query("SELECT range AS a, 1 AS b FROM range(1001)"))}
    with pytest.raises(StepError, match="more than 1000 different values"):
        world.execute({"op": "pivot", "on": "a", "values": "b"})


def test_python_code_runs_between_statements(world: World) -> None:
    relation = world.execute(
        {"op": "filter", "where": "amount IS NOT NULL"},
        python("df['twice'] = df.amount * 2; print('rows:', len(df)); return df[['id', 'twice', 'day', 'city']]"),
        {"op": "filter", "where": "twice > 20"},
    )
    assert relation.effects == ("other", "filter")
    assert world.checkpoints == ["clean.part1"]
    assert relation.schema.as_dict() == {"id": "INTEGER", "twice": "INTEGER", "day": "DATE", "city": "VARCHAR"}
    assert [row[:2] for row in world.session.rows('SELECT * FROM "clean"')] == [(3, 60), (4, 80)]
    assert ("INFO", "rows: 3") in world.logged


def test_python_code_at_the_end_gives_the_checkpoint_itself(world: World) -> None:
    relation = world.execute(python("return df"))
    assert relation.path == world.session.folder / "clean.parquet"
    assert relation.rows == 4
    assert relation.schema == world.inputs["orders"].schema  # a whole number with gaps is whole again


def test_python_failure_shows_the_users_own_frames_and_line(world: World) -> None:
    code = "def helper(df):\n    return df.nothing\n\ndef transform(df):\n    return helper(df)\n"
    with pytest.raises(
        PythonFailed, match=r"Op 1 \(python\): .* in line 2 \(return df.nothing\): AttributeError"
    ) as caught:
        world.execute({"op": "python", "code": code})
    assert caught.value.details["line"] == 2
    trace = caught.value.details["traceback"]
    assert 'File "<transform>", line 5, in transform' in trace
    assert "etlml" not in trace
    assert "pandas" not in trace


def test_python_code_is_stopped_when_the_run_is_cancelled(world: World) -> None:
    world.cancel = True
    started = time.perf_counter()
    with pytest.raises(StepCancelled):
        world.execute(python("import time; time.sleep(60)"))
    assert time.perf_counter() - started < 10


@pytest.mark.slow
def test_python_code_over_the_memory_cap_is_stopped(world: World) -> None:
    world.memory_bytes = 400 * 2**20
    with pytest.raises(MemoryExceeded):
        world.execute(python("import time; x = np.ones(100_000_000); time.sleep(5); return df"))


def test_volatile_expressions_keep_a_step_out_of_the_cache(tmp_path: Path) -> None:
    assert config_of({"op": "filter", "where": "a > 1"}).fingerprint(tmp_path) == ""
    assert config_of({"op": "derive", "columns": {"t": "now()"}}).fingerprint(tmp_path) is None
    assert config_of({"op": "sql", "query": "SELECT *, random() FROM input"}).fingerprint(tmp_path) is None
    assert config_of({"op": "derive", "columns": {"t": "now()"}, "enabled": False}).fingerprint(tmp_path) == ""


def test_statements_show_the_sql_up_to_what_needs_rows(world: World) -> None:
    config = config_of({"op": "limit", "rows": 1}, {"op": "filter", "where": "id > 1"}, python("return df"))
    (statement,) = config.statements(world.schemas)
    assert "LIMIT 1" in statement
    assert "WHERE (id > 1)" in statement
    assert world.session.schema_of(statement) == world.inputs["orders"].schema


def test_lineage_follows_every_column_through_the_ops(world: World) -> None:
    config = config_of(
        {"op": "rename", "columns": {"amount": "euros"}},
        {"op": "derive", "columns": {"cents": "euros * 100", "key": "city || cents"}},
        {"op": "join", "with": "shops", "on": ["city"], "how": "full"},
        {"op": "window", "columns": {"share": "euros / sum(euros)"}, "by": ["region"]},
        {"op": "sql", "query": "SELECT i.*, s.region AS again FROM input i JOIN shops s USING (city)"},
        {"op": "drop", "columns": ["day"]},
    )
    assert config.lineage(world.schemas) == {
        "id": {("orders", "id")},
        "city": {("orders", "city"), ("shops", "city")},
        "euros": {("orders", "amount")},
        "cents": {("orders", "amount")},
        "key": {("orders", "amount"), ("orders", "city")},
        "region": {("shops", "region")},
        "share": {("orders", "amount")},
        "again": {("shops", "region")},
    }
    assert config_of(python("return df")).lineage(world.schemas) is None


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (
            {"op": "aggregate", "by": "city", "columns": {"n": "count(*)", "s": "sum(amount + id)"}},
            {"city": ["city"], "n": [], "s": ["amount", "id"]},
        ),
        (
            {"op": "pivot", "index": "city", "on": "id", "values": "amount", "columns": [1]},
            {"city": ["city"], "1": ["amount", "id"]},
        ),
        (
            {"op": "unpivot", "ids": "city", "columns": ["id", "amount"]},
            {"city": ["city"], "name": [], "value": ["amount", "id"]},
        ),
        ({"op": "select", "columns": ["ID"]}, {"id": ["id"]}),
        (
            {"op": "derive", "columns": {"id": "amount", "x": "id"}},
            {"id": ["amount"], "city": ["city"], "amount": ["amount"], "day": ["day"], "x": ["amount"]},
        ),
        (
            {"op": "split", "column": "city", "by": "l", "into": ["city", "b"]},
            {"id": ["id"], "city": ["city"], "amount": ["amount"], "day": ["day"], "b": ["city"]},
        ),
    ],
)
def test_lineage_of_an_op(world: World, op: dict[str, Any], expected: dict[str, list[str]]) -> None:
    found = config_of(op).lineage(world.schemas)
    assert found == {name: {("orders", column) for column in columns} for name, columns in expected.items()}


def test_lineage_of_a_union_names_both_inputs(world: World) -> None:
    found = config_of({"op": "select", "columns": ["city"]}, {"op": "union", "with": "shops"}).lineage(world.schemas)
    assert found == {"city": {("orders", "city"), ("shops", "city")}, "region": {("shops", "region")}}


def test_step_with_one_op_costs_few_milliseconds(world: World) -> None:
    best = float("inf")
    for number in range(20):
        config = config_of({"op": "derive", "columns": {"x": f"amount + {number}"}})
        started = time.thread_time()
        config.check(world.schemas)
        config.execute(world.inputs, world.context())
        best = min(best, time.thread_time() - started)
    assert best < 0.01


def test_duplicate_pivot_columns_are_refused(world: World) -> None:
    world.inputs = {"t": world.session.define("t", Query("SELECT * FROM (VALUES ('a', 1), ('A', 2)) AS v(g, n)"))}
    with pytest.raises(StepError, match=r"Op 1 .*which DuckDB takes for the same"):
        world.execute({"op": "pivot", "on": "g", "values": "n"})


def test_config_invalid_keeps_its_field(world: World) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        config_of({"op": "fill_null", "columns": {"amount": "x"}}).check(world.schemas)
    assert caught.value.details["field"] == "ops[0].columns"
