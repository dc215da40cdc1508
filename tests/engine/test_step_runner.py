"""A step that needs the rows of an input which an earlier run computed only within another step's query."""

from tests.engine.conftest import Workbench

READ = {"id": "read", "type": "extract", "config": {"source": {"kind": "file", "path": "rows.csv"}}}
TIDY = {"id": "tidy", "type": "transform", "config": {"ops": [{"op": "filter", "where": "n > 1"}]}}
CHECK = {"id": "check", "type": "validate", "config": {"rules": [{"rule": "not_null", "column": "n"}]}}


def test_a_check_takes_an_input_that_an_earlier_run_had_fused(bench: Workbench) -> None:
    (bench.data / "rows.csv").parent.mkdir(parents=True, exist_ok=True)
    (bench.data / "rows.csv").write_text("n\n1\n2\n3\n")
    first = bench.run([READ, TIDY], name="first")
    assert (first.status, first.step("read").fused_into) == ("success", "tidy")
    second = bench.run([READ, CHECK], name="second")
    assert {step.id: step.rows_out for step in second.steps} == {"read": 3, "check": 3}
    assert second.status == "success"
