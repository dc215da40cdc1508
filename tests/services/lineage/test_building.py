"""Column-level lineage: a table of what each op does to columns, and what the ends of a pipeline use."""

from typing import Any

import pytest

from etlml.compute.schema import Schema
from etlml.documents import PipelineDraft
from etlml.errors import ColumnMissing, NotFound
from etlml.services.lineage import LineageGraph, trail
from etlml.services.lineage.building import lineage_of

COLUMNS = {
    "a": [("id", "BIGINT"), ("city", "VARCHAR"), ("x", "DOUBLE"), ("tags", "VARCHAR[]")],
    "b": [("town", "VARCHAR"), ("land", "VARCHAR"), ("x", "DOUBLE")],
}


def schema_of(step: str, config: Any, inputs: Any) -> Schema | None:
    return Schema.of(COLUMNS[step]) if step in COLUMNS else config.check(inputs)


def graph(*steps: dict[str, Any]) -> LineageGraph:
    sources = [
        {"id": id, "type": "extract", "needs": [], "config": {"source": {"kind": "file", "path": f"{id}.csv"}}}
        for id in COLUMNS
    ]
    return lineage_of(
        PipelineDraft.model_validate({"name": "p", "steps": [*sources, *steps], "params": {"n": 3}}), schema_of
    )


def after(*ops: dict[str, Any]) -> LineageGraph:
    return graph({"id": "t", "type": "transform", "needs": ["a", "b"], "config": {"ops": list(ops)}})


def column(found: LineageGraph, name: str) -> tuple[str, list[str], str]:
    """From where, and how."""
    one = next(each for each in found.steps[2].columns if each.name == name)
    return one.how, [f"{origin.step}.{origin.column}" for origin in one.origins], "; ".join(one.texts)


JOIN = {"op": "join", "with": "b", "left_on": ["city"], "right_on": ["town"]}


@pytest.mark.parametrize(
    ("op", "name", "expected"),
    [
        ({"op": "select", "columns": ["X"]}, "x", ("same", ["a.x"], "")),
        ({"op": "drop", "columns": ["x"]}, "id", ("same", ["a.id"], "")),
        ({"op": "rename", "columns": {"x": "y"}}, "y", ("renamed", ["a.x"], "x renamed to y")),
        ({"op": "cast", "columns": {"x": "int"}}, "x", ("changed", ["a.x"], "x as int")),
        ({"op": "filter", "where": "x > 1"}, "id", ("same", ["a.id"], "")),
        ({"op": "derive", "columns": {"y": "x * ${params.n}"}}, "y", ("expression", ["a.x"], "x * 3")),
        ({"op": "derive", "columns": {"y": "1"}}, "y", ("expression", [], "1")),
        ({"op": "fill_null", "columns": {"x": 0}}, "x", ("changed", ["a.x"], "x, 0 where missing")),
        ({"op": "drop_null"}, "x", ("same", ["a.x"], "")),
        ({"op": "replace", "column": "city", "values": {"A": "B"}}, "city", ("changed", ["a.city"], "1 values of city replaced")),
        ({"op": "dedupe", "keys": ["city"]}, "x", ("same", ["a.x"], "")),
        ({"op": "sort", "by": ["-x"]}, "x", ("same", ["a.x"], "")),
        ({"op": "limit", "rows": 1}, "x", ("same", ["a.x"], "")),
        ({"op": "sample", "rows": 1}, "x", ("same", ["a.x"], "")),
        ({"op": "aggregate", "by": ["city"], "columns": {"n": "sum(x)"}}, "n", ("aggregate", ["a.x"], "sum(x)")),
        ({"op": "aggregate", "by": ["city"], "columns": {"n": "sum(x)"}}, "city", ("same", ["a.city"], "")),
        ({"op": "window", "columns": {"n": "sum(x)"}, "by": ["city"]}, "n", ("window", ["a.x"], "sum(x) by city")),
        ({"op": "pivot", "index": ["id"], "on": "city", "values": "x", "columns": ["R"]}, "R",
         ("aggregate", ["a.city", "a.x"], "sum(x) where city is R")),
        ({"op": "unpivot", "ids": ["id"], "columns": ["x"]}, "value", ("changed", ["a.x"], "columns turned into rows")),
        (JOIN, "land", ("joined", ["b.land"], "joined from b on town")),
        (JOIN, "x_b", ("joined", ["b.x"], "joined from b on town")),
        (JOIN, "x", ("same", ["a.x"], "")),
        ({"op": "union", "with": "b"}, "x", ("joined", ["a.x", "b.x"], "rows of b put below")),
        ({"op": "unnest", "column": "tags"}, "tags", ("changed", ["a.tags"], "one row for each item of tags")),
        ({"op": "split", "column": "city", "by": "-", "into": ["p", "q"]}, "q",
         ("expression", ["a.city"], "part of city, split at '-'")),
        ({"op": "sql", "query": "SELECT x + id AS z FROM input"}, "z",
         ("query", ["a.id", "a.x"], "SELECT x + id AS z FROM input")),
        ({"op": "limit", "rows": 1, "enabled": False}, "x", ("same", ["a.x"], "")),
    ],
    ids=lambda value: value["op"] if isinstance(value, dict) else None,
)  # fmt: skip
def test_each_op_says_what_a_column_is_made_of(
    op: dict[str, Any], name: str, expected: tuple[str, list[str], str]
) -> None:
    assert column(after(op), name) == expected


def test_expressions_are_kept_in_their_order() -> None:
    found = after({"op": "derive", "columns": {"y": "x * 2"}}, {"op": "rename", "columns": {"y": "z"}})
    assert column(found, "z") == ("renamed", ["a.x"], "x * 2; y renamed to z")


@pytest.mark.parametrize(
    ("op", "purpose", "origins"),
    [
        ({"op": "filter", "where": "x > 1"}, "filter", ["a.x"]),
        (JOIN, "join key", ["a.city", "b.town"]),
        ({"op": "aggregate", "by": ["city"]}, "group key", ["a.city"]),
        ({"op": "sort", "by": ["-x"]}, "order", ["a.x"]),
        ({"op": "dedupe", "keys": ["id"]}, "filter", ["a.id"]),
    ],
    ids=lambda value: value["op"] if isinstance(value, dict) else None,
)
def test_an_op_uses_columns_beside_what_it_makes_of_them(op: dict[str, Any], purpose: str, origins: list[str]) -> None:
    (use,) = after(op).steps[2].uses
    assert (use.purpose, [f"{one.step}.{one.column}" for one in use.origins]) == (purpose, origins)


class TestWhatCannotBeTold:
    @pytest.mark.parametrize(
        ("op", "why"),
        [
            (
                {"op": "python", "code": "def transform(df):\n    return df\n"},
                "Python code makes the columns: unknown from here.",
            ),
            ({"op": "pivot", "on": "city", "values": "x"}, "The values of a column become columns: unknown from here."),
        ],
        ids=["python", "pivot"],
    )
    def test_is_said(self, op: dict[str, Any], why: str) -> None:
        found = after({"op": "derive", "columns": {"y": "x"}}, op)
        assert (found.steps[2].unknown, found.steps[2].columns) == (why, [])
        assert trail(found, "a", "x").unknown == ["t"]

    def test_a_wrong_step_keeps_no_other_from_being_followed(self) -> None:
        found = graph(
            {"id": "bad", "type": "transform", "needs": ["a"], "config": {"ops": [{"op": "nonsense"}]}},
            {
                "id": "good",
                "type": "transform",
                "needs": ["a"],
                "config": {"ops": [{"op": "select", "columns": ["x"]}]},
            },
        )
        assert "bad" in found.steps[2].unknown
        assert [each.name for each in found.steps[3].columns] == ["x"]


class TestATrail:
    @pytest.fixture
    def whole(self) -> LineageGraph:
        ops = [{"op": "filter", "where": "id > 0"}, {"op": "derive", "columns": {"late": "x - 1"}}]
        trained = {"target": "late", "algorithm": "ridge", "register_as": "m"}
        rules = [{"rule": "between", "column": "late", "min": 0}, {"rule": "sql", "where": "late < x"}]
        return graph(
            {"id": "t", "type": "transform", "needs": ["a"], "config": {"ops": ops}},
            {"id": "check", "type": "validate", "config": {"rules": rules}},
            {"id": "save", "type": "load", "config": {"sink": {"kind": "file", "path": "o.csv"}}},
            {"id": "model", "type": "train", "needs": ["check"], "config": trained},
        )  # fmt: skip

    def test_leads_from_the_file_to_every_end(self, whole: LineageGraph) -> None:
        found = trail(whole, "t", "LATE")
        assert [(leg.step, leg.column, leg.text) for leg in found.sources] == [("a", "x", "a.csv")]
        assert [leg.text for leg in found.through] == ["x - 1"]
        assert [leg.text for leg in found.rows] == ["id > 0"]
        assert [leg.text for leg in found.goes] == [
            "checked by between(late): min 0", "checked by sql: where late < x", "saved to o.csv (overwrite)", "target of m",
        ]  # fmt: skip

    def test_of_a_source_knows_what_is_made_of_it(self, whole: LineageGraph) -> None:
        found = trail(whole, "a", "x")
        assert {f"{one.step}.{one.column}" for one in found.downstream} >= {"t.x", "t.late", "save.late", "model.x"}
        assert any(leg.text == "feature of m" for leg in found.goes)
        assert found.upstream == []

    def test_of_nothing_is_refused(self, whole: LineageGraph) -> None:
        with pytest.raises(NotFound, match="nope"):
            trail(whole, "nope", "x")
        with pytest.raises(ColumnMissing, match="lat"):
            trail(whole, "t", "lat")


def test_sixty_steps_of_forty_columns_take_no_time() -> None:
    wide = {f"c{n}": f"x + {n}" for n in range(40)}
    steps = [{"id": "s0", "type": "transform", "needs": ["a"], "config": {"ops": [{"op": "derive", "columns": wide}]}}]
    for n in range(1, 58):
        changed = {f"c{n % 40}": f"c{n % 40} + c{(n + 1) % 40}"}
        steps.append({"id": f"s{n}", "type": "transform", "config": {"ops": [{"op": "derive", "columns": changed}]}})
    found = graph(*steps)
    assert len(found.steps) == 60
    assert len(trail(found, "s57", "c5").upstream) > 57
