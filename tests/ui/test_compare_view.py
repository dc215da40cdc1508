"""Two runs side by side, as HTML."""

from datetime import UTC, datetime

import pytest

from etlml.services.comparison import (
    ColumnDifference,
    Difference,
    FigurePair,
    RowDifference,
    RunComparison,
    RunFacts,
    StepDifference,
    StepFigures,
    StepPair,
    StepRows,
)
from etlml.ui import compare_view, downloads

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def facts(**changes: object) -> RunFacts:
    fields = {"id": "r1", "pipeline_id": "p", "pipeline_name": "<orders>", "pipeline_version": 1, "status": "success"}
    fields |= {"trigger": "manual", "triggered_by": "", "created_at": AT, "started_at": AT, "duration_s": 1.0}
    return RunFacts.model_validate(fields | {"warnings": 0, "error": None} | changes)


def a_comparison(**changes: object) -> RunComparison:
    empty = {
        name: []
        for name in ("params", "settings", "changes", "environment", "steps", "metrics", "scores", "rules", "yaml")
    }
    sides = {"before": facts(), "after": facts(id="r2", duration_s=2.0)}
    return RunComparison.model_validate(empty | sides | {"versions_known": True} | changes)


def figures(**changes: object) -> StepFigures:
    fields = {"status": "success", "rows_in": 1, "rows_out": 10, "bytes": 1, "duration_s": 1.0}
    return StepFigures.model_validate(fields | changes)


def test_facts_that_differ_stand_out_and_names_are_only_text() -> None:
    text = compare_view.facts_html(a_comparison(), UTC)
    assert '<tr class="differs"><th>Took</th><td>1.0 s</td><td>2.0 s</td>' in text
    assert '<tr class=""><th>Version</th>' in text
    assert "<orders>" not in text


def test_changes_are_said_in_words() -> None:
    fields = [Difference(path="config.ops[0].where", kind="changed", before="x > 1", after="x > 2", items=["filter"])]
    changes = [StepDifference(step="clean", kind="changed", fields=fields), StepDifference(step="old", kind="removed")]
    text = compare_view.changes_html(a_comparison(changes=changes))
    assert "Op 1 (filter) › where: changed from x &gt; 1 to x &gt; 2" in text
    assert "<li>removed</li>" in text
    assert compare_view.changes_html(a_comparison()) == ""


def test_steps_show_differences_and_which_run_lacks_one() -> None:
    both = StepPair(
        step="a",
        name="a",
        type="transform",
        before=figures(),
        after=figures(rows_out=12, duration_s=3.0),
        comparable=True,
    )
    new = StepPair(step="b", name="b", type="load", before=None, after=figures(), comparable=False)
    text = compare_view.steps_html([both, new])
    assert "+2 (+20 %)" in text
    assert 'tone-bad">+2.0 s (+200 %)' in text
    assert "only in the later run" in text


@pytest.mark.parametrize(
    ("changed", "text"),
    [(True, "holds other data (10 → 12 rows)"), (False, "holds the same data (10 → 12 rows)")],
)
def test_a_source_says_whether_its_data_changed(changed: bool, text: str) -> None:
    step = StepPair(
        step="a",
        name="a",
        type="extract",
        before=figures(),
        after=figures(rows_out=12),
        comparable=True,
        data_changed=changed,
    )
    assert text in compare_view.data_html([step])
    assert compare_view.data_html([step.model_copy(update={"data_changed": None})]) == ""


def test_scores_differ_in_points_and_metrics_in_their_unit() -> None:
    assert "−9.0 points" in compare_view.figures_html(
        [FigurePair(step="s", name="n", before=0.9, after=0.81)], share=True
    )
    assert "+0.1000 (+12 %)" in compare_view.figures_html([FigurePair(step="s", name="n", before=0.8, after=0.9)])


def test_rows_show_old_and_new_values() -> None:
    row = RowDifference(
        kind="changed", key={"id": 1}, before={"x": None, "y": 1}, after={"x": "<b>", "y": 1}, columns=["x"]
    )
    gone = RowDifference(kind="removed", key={"id": 2}, before={"x": "a", "y": 2}, after=None, columns=[])
    found = StepRows(
        step="s", keys=["id"], rows_before=9, rows_after=8, added=0, removed=1, changed=1, same=7,
        columns=[ColumnDifference(column="z", before="INTEGER", after=None)], changes={"x": 1}, rows=[row, gone],
    )  # fmt: skip
    text = compare_view.rows_html(found)
    assert "<del>missing</del> → <ins>&lt;b&gt;</ins>" in text
    assert '<td class="dim">a</td>' in text
    assert "gone, was INTEGER" in compare_view.columns_html(found)
    assert "1 removed" in compare_view.counts_html(found)


def test_links_lead_to_all_rows() -> None:
    assert 'href="etlml-download/rows/r1/a.csv"' in downloads.rows_html("r1", "a")
    text = downloads.differences_html("r1", "r2", "a", ["x y", "z"])
    assert "etlml-download/differences/r1/r2/a.parquet?key=x+y&amp;key=z" in text
