"""Each complaint about a YAML text has its line."""

from etlml.services.yaml_lines import problems_with_lines

TEXT = """name: orders
schedule: "61 * * * *"
steps:
  - id: read
    type: extract
    config: {source: {kind: inline, rows: [{a: 1}]}}
  - id: kept
    type: transform
    config:
      ops:
        - {op: limit, rows: 1}
        - {op: filter, where: "b > 1"}
"""


def test_each_problem_has_the_line_of_its_field_or_step() -> None:
    found = {problem["step"]: problem for problem in problems_with_lines(TEXT)}
    assert found[None]["line"] == 2
    assert 7 <= found["kept"]["line"] <= 12


def test_a_step_that_needs_what_is_not_there_is_found_at_its_needs() -> None:
    (problem,) = problems_with_lines(
        TEXT.replace("61", "1").replace("type: transform", "type: transform\n    needs: [raed]")
    )
    assert problem["line"] == 9


def test_an_unknown_field_is_found_where_it_stands() -> None:
    (problem,) = problems_with_lines("name: p\nsteps:\n  - id: a\n    type: extract\n    retires: 3\n")
    assert problem["line"] in (3, 5)
    assert problem["step"] == "a"


def test_a_text_that_is_no_yaml_has_the_line_where_reading_ended() -> None:
    (problem,) = problems_with_lines("name: p\nsteps: [1,\n")
    assert problem["line"] == 2
    assert "not YAML" in problem["message"]


def test_a_pipeline_that_can_run_has_no_problems() -> None:
    assert problems_with_lines("name: p\n") == []
