"""The drawing of two versions: pure functions."""

from etlml.documents import Step
from etlml.services.version_diff import changed_steps
from etlml.ui.version_graph import graph_html, graph_svg, yaml_diff_html


def a_step(id: str, type: str = "transform", needs: list[str] | None = None, **config: object) -> Step:
    return Step.model_validate({"id": id, "type": type, "needs": needs, "config": config})


BEFORE = [a_step("read", "extract"), a_step("tidy", ops=[]), a_step("save", "load", sink={"kind": "file"})]


def test_added_removed_and_changed_steps_are_marked() -> None:
    after = [a_step("read", "extract", path="x"), a_step("tidy", ops=[]), a_step("other", "train", needs=["tidy"])]
    svg = graph_svg(BEFORE, after, changed_steps(BEFORE, after))
    for kind, name in (("changed", "read"), ("removed", "save"), ("added", "other")):
        assert f"<title>{name}: {kind}</title>" in svg
    assert svg.count('<path class="is-same"') == 1
    assert svg.count('<path class="is-added"') == svg.count('<path class="is-removed"') == 1


def test_edges_of_a_renamed_step_stay() -> None:
    after = [BEFORE[0], a_step("clean", ops=[]), a_step("save", "load", needs=["clean"], sink={"kind": "file"})]
    svg = graph_svg(BEFORE, after, changed_steps(BEFORE, after))
    assert svg.count('<path class="is-same"') == 2
    assert "clean: renamed" in svg


def test_names_are_escaped_and_a_cycle_does_not_hang() -> None:
    steps = [a_step("a", needs=["b"]), a_step("b", needs=["a"])]
    steps[0].name = "<b>&"
    assert "&lt;b&gt;&amp;" in graph_svg([], steps, changed_steps([], steps))
    assert graph_svg([], [], []) == ""
    assert "data:image/svg+xml;base64," in graph_html("<svg/>")


def test_lines_of_a_diff_have_their_colour_and_are_escaped() -> None:
    text = yaml_diff_html(["@@ -1 +1 @@", "-a: <b>", "+a: c", " d: e"])
    assert '<div class="removed">-a: &lt;b&gt;</div>' in text
    assert '<div class="added">+a: c</div>' in text
