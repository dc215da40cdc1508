"""The graph of two versions: pure functions."""

from etlml.documents import Position, Step
from etlml.services.version_diff import changed_steps
from etlml.ui.version_graph import both, yaml_diff_html


def a_step(id: str, type: str = "transform", needs: list[str] | None = None, **config: object) -> Step:
    return Step.model_validate({"id": id, "type": type, "needs": needs, "config": config})


BEFORE = [a_step("read", "extract"), a_step("tidy", ops=[]), a_step("save", "load", sink={"kind": "file"})]


def marks(before: list[Step], after: list[Step]) -> tuple[dict[str, str | None], dict[str, str]]:
    """The change of each node and of each edge."""
    nodes, edges = both(before, after, changed_steps(before, after, moves=True))
    return (
        {node["id"]: node.get("change") for node in nodes},
        {f"{edge['source']}>{edge['target']}": edge.get("change", "") for edge in edges},
    )


def test_added_removed_and_changed_steps_and_edges_are_marked() -> None:
    after = [a_step("read", "extract", path="x"), a_step("tidy", ops=[]), a_step("other", "train", needs=["tidy"])]
    nodes, edges = marks(BEFORE, after)
    assert nodes == {"read": "changed", "tidy": None, "other": "added", "save": "removed"}
    assert edges == {"read>tidy": "", "tidy>save": "removed", "tidy>other": "added"}


def test_edges_of_a_renamed_step_stay() -> None:
    after = [BEFORE[0], a_step("clean", ops=[]), a_step("save", "load", needs=["clean"], sink={"kind": "file"})]
    nodes, edges = marks(BEFORE, after)
    assert (nodes["clean"], nodes["save"]) == ("renamed", None)
    assert edges == {"read>clean": "", "clean>save": ""}


def test_a_step_that_only_stands_elsewhere_is_no_change() -> None:
    moved = [BEFORE[0].model_copy(update={"position": Position(x=9, y=9)}), *BEFORE[1:]]
    assert set(marks(BEFORE, moved)[0].values()) == {None}


def test_a_changed_step_says_in_words_what_changed() -> None:
    after = [BEFORE[0], a_step("tidy", ops=[{"op": "limit", "rows": 5}]), BEFORE[2]]
    nodes, _ = both(BEFORE, after, changed_steps(BEFORE, after))
    assert nodes[1]["changes"] == ["Op 1 (limit): added rows: 5"]


def test_a_step_that_is_gone_gives_way_to_one_that_is_there() -> None:
    before, after = (
        [a_step(name, "extract").model_copy(update={"position": Position(x=0, y=0)})] for name in ("old", "new")
    )
    before[0].config = {"source": {"kind": "inline"}}
    nodes, _ = both(before, after, changed_steps(before, after))
    assert [(node["id"], node["y"]) for node in nodes] == [("new", 0), ("old", 84)]


def test_a_cycle_does_not_hang() -> None:
    steps = [a_step("a", needs=["b"]), a_step("b", needs=["a"])]
    assert marks([], steps)[1] == {"b>a": "added", "a>b": "added"}
    assert both([], [], []) == ([], [])


def test_lines_of_a_diff_have_their_colour_and_are_escaped() -> None:
    text = yaml_diff_html(["@@ -1 +1 @@", "-a: <b>", "+a: c", " d: e"])
    assert '<div class="removed">-a: &lt;b&gt;</div>' in text
    assert '<div class="added">+a: c</div>' in text
