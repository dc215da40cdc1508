"""The graph that steps form."""

import pytest

from etlml.documents import Step
from etlml.errors import GraphInvalid
from etlml.steps.graph import (
    ancestors,
    check_graph,
    consumers,
    descendants,
    execution_order,
    find_cycle,
    resolved_needs,
    width,
)


def a_step(id: str, type: str = "transform", needs: list[str] | None = None) -> Step:
    return Step.model_validate({"id": id, "type": type, "needs": needs})


DIAMOND = [
    a_step("top", "extract"),
    a_step("left", needs=["top"]),
    a_step("right", needs=["top"]),
    a_step("bottom", needs=["left", "right"]),
]


def test_needs_left_out_mean_the_step_before() -> None:
    steps = [a_step("a", "extract"), a_step("b"), a_step("c")]
    assert resolved_needs(steps) == {"a": (), "b": ("a",), "c": ("b",)}


def test_an_extract_takes_nothing_even_in_the_middle() -> None:
    assert resolved_needs([a_step("a", "extract"), a_step("b", "extract")])["b"] == ()


def test_execution_order_puts_every_step_after_its_needs_and_keeps_the_written_order_otherwise() -> None:
    assert [step.id for step in execution_order(DIAMOND[::-1])] == ["top", "right", "left", "bottom"]


def test_a_circle_is_refused_and_its_path_is_named() -> None:
    steps = [a_step("a", needs=["c"]), a_step("b", needs=["a"]), a_step("c", needs=["b"])]
    with pytest.raises(GraphInvalid, match=r"in a circle: a -> b -> c -> a"):
        execution_order(steps)


def test_a_step_that_needs_itself_is_a_circle() -> None:
    assert find_cycle({"a": ("a",)}) == ["a", "a"]


def test_a_long_chain_has_no_circle_and_needs_no_recursion() -> None:
    assert find_cycle({f"s{n}": (f"s{n + 1}",) for n in range(5000)}) == []


def test_an_unknown_need_names_the_nearest_step() -> None:
    (error,) = check_graph([a_step("flights", "extract"), a_step("clean", needs=["flihgts"])])
    assert error.message == "Step 'clean' needs 'flihgts', which is no step here. Did you mean 'flights'?"


def test_ids_that_differ_in_case_only_are_refused() -> None:
    (error,) = check_graph([a_step("Clean", "extract"), a_step("clean")])
    assert "upper and lower case count as equal" in error.message


def test_the_id_input_is_reserved() -> None:
    (error,) = check_graph([a_step("input", "extract")])
    assert "name of every step's first input" in error.message


def test_consumers_descendants_and_ancestors_follow_the_edges() -> None:
    needs = resolved_needs(DIAMOND)
    assert consumers(needs)["top"] == ("left", "right")
    assert descendants("left", needs) == {"bottom"}
    assert ancestors("bottom", needs) == {"top", "left", "right"}


def test_width_is_the_number_of_steps_side_by_side() -> None:
    assert width(resolved_needs(DIAMOND)) == 2
    assert width({}) == 1
