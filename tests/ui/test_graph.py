"""Between steps and the canvas's graph."""

from typing import Any

import pytest

from etlml.documents import Position, Run, Step, StepRun
from etlml.ui import graph
from etlml.ui.templates import TEMPLATES


def a_step(id: str, type: str = "transform", **fields: Any) -> Step:
    return Step.model_validate({"id": id, "type": type, **fields})


def an_event(nodes: dict[str, dict[str, Any]], edges: list[tuple[str, str]]) -> dict[str, Any]:
    placed = [{"id": id, "x": 0, "y": 0, **more} for id, more in nodes.items()]
    return {"rev": 0, "nodes": placed, "edges": [{"source": a, "target": b} for a, b in edges]}


STEPS = [a_step("a", "extract"), a_step("b", "extract", needs=[]), a_step("c", needs=["a", "b"])]


class TestNodesAndEdges:
    def test_a_left_out_need_is_the_step_before(self) -> None:
        assert graph.edges_of([a_step("a", "extract"), a_step("b")]) == [{"source": "a", "target": "b"}]

    def test_a_need_that_is_no_step_has_no_edge(self) -> None:
        assert graph.edges_of([a_step("a", "extract"), a_step("b", needs=["gone"])]) == []

    def test_a_node_says_state_rows_and_time_of_its_run(self) -> None:
        run = Run(pipeline_id="p", steps=[StepRun(id="a", type="extract", status="success", rows_out=336_776)])
        node = graph.nodes_of([a_step("a", "extract")], run=run)[0]
        assert (node["status"], node["rows"]) == ("success", "336.8k rows")

    def test_problems_stand_on_their_node(self) -> None:
        nodes = graph.nodes_of(STEPS, problems={"c": ["no column x"]})
        assert [node["problems"] for node in nodes] == [[], [], ["no column x"]]

    @pytest.mark.parametrize(
        ("step", "text"),
        [
            (a_step("x", "extract", config={"source": {"kind": "file", "path": "data/flights.csv"}}), "flights.csv"),
            (a_step("x", config={"ops": [{"op": "filter"}, {"op": "derive"}]}), "filter, derive"),
            (a_step("x", "load", config={"sink": {"kind": "sqlite", "path": "a.db", "table": "t"}}), "t"),
            (a_step("x", "validate", config={"rules": [{}]}), "1 rule"),
            (a_step("x", "validate", config={"rules": [{}, {"enabled": False}]}), "1 rule, 1 off"),
            (a_step("x", "train", config={"algorithm": "random_forest_classifier"}), "random forest classifier"),
            (a_step("x"), "no ops yet"),
            (a_step("x", config={"ops": 5}), "no ops yet"),
            (a_step("x", "extract", config={"source": 5}), "no source yet"),
        ],
    )
    def test_summary_says_what_a_step_does(self, step: Step, text: str) -> None:
        assert graph.summary(step) == text


class TestMerged:
    def test_takes_places_and_edges(self) -> None:
        merged = graph.merged(STEPS, {}, an_event({"a": {"x": 5, "y": 6}, "b": {}, "c": {}}, [("a", "c")]), TEMPLATES)
        assert merged[0].position == Position(x=5, y=6)
        assert [step.needs for step in merged] == [[], [], ["a"]]

    def test_keeps_the_order_of_inputs_and_puts_new_ones_last(self) -> None:
        steps = [*STEPS, a_step("d", "extract", needs=[])]
        event = an_event({"a": {}, "b": {}, "c": {}, "d": {}}, [("d", "c"), ("b", "c"), ("a", "c")])
        assert graph.merged(steps, {}, event, TEMPLATES)[2].needs == ["a", "b", "d"]

    def test_leaves_out_what_was_deleted(self) -> None:
        merged = graph.merged(STEPS, {}, an_event({"a": {}, "c": {}}, [("a", "c")]), TEMPLATES)
        assert [step.id for step in merged] == ["a", "c"]

    def test_brings_back_a_deleted_step_as_it_was(self) -> None:
        gone = a_step("b", "extract", needs=[], config={"source": {"kind": "file", "path": "b.csv"}})
        merged = graph.merged([STEPS[0]], {"b": gone}, an_event({"a": {}, "b": {}}, []), TEMPLATES)
        assert merged[1].config == gone.config

    def test_makes_a_step_from_a_template(self) -> None:
        event = an_event({"a": {}, "filter": {"from": {"template": "transform.filter"}}}, [("a", "filter")])
        merged = graph.merged([STEPS[0]], {}, event, TEMPLATES)
        assert merged[1].config == {"ops": [{"op": "filter", "where": "true"}]}
        assert merged[1].needs == ["a"]

    def test_copies_share_nothing(self) -> None:
        steps = [a_step("a", config={"ops": [{"op": "limit", "rows": 1}]})]
        merged = graph.merged(steps, {}, an_event({"a": {}, "a_2": {"from": {"copy_of": "a"}}}, []), TEMPLATES)
        merged[1].config["ops"].append("changed")
        assert (merged[1].name, steps[0].config) == ("a_2", {"ops": [{"op": "limit", "rows": 1}]})

    def test_passes_over_a_node_that_nobody_knows(self) -> None:
        merged = graph.merged([STEPS[0]], {}, an_event({"a": {}, "x": {}}, [("x", "a")]), TEMPLATES)
        assert [(step.id, step.needs) for step in merged] == [("a", [])]


def test_a_new_id_is_carried_into_the_needs_of_others() -> None:
    renamed = graph.renamed(STEPS, "a", "flights")
    assert [(step.id, step.needs) for step in renamed] == [("flights", []), ("b", []), ("c", ["flights", "b"])]


def test_problems_are_told_apart_by_step() -> None:
    found = graph.problems_by_step([{"step": "a", "message": "x"}, {"step": None, "message": "y"}])
    assert found == {"a": ["x"], "": ["y"]}


def test_every_template_gives_a_step() -> None:
    for template in TEMPLATES.values():
        assert template.step("s").type == template.type
