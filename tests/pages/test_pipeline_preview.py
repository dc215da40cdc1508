"""The builder's live preview, the ops' cards, and running to a step."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from etlml.documents import Pipeline
from etlml.services import Services
from etlml.steps.registry import config_classes
from etlml.ui import columns, fields
from tests.pages.conftest import Opens

ROWS = [{"n": 1, "k": "a"}, {"n": 2, "k": "b"}, {"n": 3, "k": "a"}]
OPS = [{"op": "filter", "where": "n > 1"}, {"op": "derive", "columns": {"twice": "n * 2"}}]


@pytest.fixture
def pipeline(services: Services) -> Pipeline:
    """Three rows, of which two stay and get a column."""
    steps: list[dict[str, Any]] = [
        {"id": "rows", "type": "extract", "config": {"source": {"kind": "inline", "rows": ROWS}}},
        {"id": "clean", "type": "transform", "config": {"ops": OPS}},
        {"id": "save", "type": "load", "config": {"sink": {"kind": "file", "path": "out.csv"}}},
    ]
    return services.pipelines.create({"name": "small", "steps": steps})


def html_of(app: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def view(app: AppTest, name: str) -> AppTest:
    return next(one for one in app.button_group if one.key == "step_view").set_value(name).run()


def previewed(app: AppTest) -> list[int] | None:
    """The values of a column of the preview; None where there is no preview."""
    return next((list(one.value["twice"]) for one in app.dataframe if "twice" in one.value), None)


def fold(app: AppTest, at: int) -> AppTest:
    """The page after a click on the head of an op's card, which opens or folds it."""
    return next(one for one in app.button if str(one.key).endswith(f".config.ops.{at}.head")).click().run()


def test_each_op_says_what_it_changed_as_it_is_edited(open_page: Opens, pipeline: Pipeline) -> None:
    app = fold(open_page("pipeline.py", id=pipeline.id, step="clean"), 0)
    assert not app.exception
    assert "3 → <b>2</b> rows" in html_of(app)
    assert "+ twice" in html_of(app)
    where = next(area for area in app.text_area if area.value == "n > 1")
    where.set_value("n > 2").run()
    assert "3 → <b>1</b> rows" in html_of(app)
    next(area for area in app.text_area if area.value == "n > 2").set_value("nn > 2").run()
    assert "pv-bad" in html_of(app)
    assert "Did you mean" in html_of(app)


def test_a_card_is_switched_off_and_duplicated(open_page: Opens, pipeline: Pipeline) -> None:
    app = open_page("pipeline.py", id=pipeline.id, step="clean")
    next(button for button in app.button if button.help == "Switch off").click().run()
    assert "switched off, passed over" in html_of(app)
    app.menu_button[0].click("Duplicate").run()
    assert html_of(app).count("switched off, passed over") == 2


def test_only_an_open_card_draws_its_form(open_page: Opens, pipeline: Pipeline) -> None:
    app = open_page("pipeline.py", id=pipeline.id, step="clean")
    assert [area.value for area in app.text_area] == []
    assert [area.value for area in fold(app, 1).text_area] == ["n * 2"]


def test_what_was_typed_last_stays_when_a_card_is_folded_and_opened_again(
    open_page: Opens, pipeline: Pipeline, services: Services
) -> None:
    app = fold(open_page("pipeline.py", id=pipeline.id, step="clean"), 1)
    app.text_area[0].set_value("n * 3")
    fold(app, 1)
    app.run()
    assert [area.value for area in app.text_area] == []
    assert [area.value for area in fold(app, 1).text_area] == ["n * 3"]
    assert previewed(app) == [6, 9]


def test_an_open_card_stays_open_while_others_are_moved_and_removed(open_page: Opens, pipeline: Pipeline) -> None:
    app = fold(open_page("pipeline.py", id=pipeline.id, step="clean"), 1)
    app.menu_button[0].click("Move down").run()
    assert [area.value for area in app.text_area] == ["n * 2"]
    app.menu_button[1].click("Remove").run()
    assert [area.value for area in app.text_area] == ["n * 2"]
    assert not any("Filter" in button.label for button in app.button)


def test_preview_shows_the_draft_without_a_run(open_page: Opens, pipeline: Pipeline) -> None:
    app = open_page("pipeline.py", id=pipeline.id, step="clean")
    assert not app.exception
    assert "<b>2 rows</b>" in html_of(app)
    assert previewed(app) == [4, 6]
    part = next(one for one in app.button_group if one.key == "below_part")
    assert "pv-bars" in html_of(part.set_value("Columns").run())
    part = next(one for one in app.button_group if one.key == "below_part")
    assert any('FROM "op 1"' in code.value for code in part.set_value("SQL").run().code)


def test_preview_moves_into_the_panel(open_page: Opens, pipeline: Pipeline) -> None:
    app = open_page("pipeline.py", id=pipeline.id, step="clean")
    app.button(key="below_place").click().run()
    assert previewed(app) is None
    assert previewed(view(app, "Preview")) == [4, 6]


def test_running_to_a_step_saves_and_skips_the_rest(open_page: Opens, pipeline: Pipeline, services: Services) -> None:
    app = open_page("pipeline.py", id=pipeline.id, step="clean")
    app.button(key="run_to").click().run()
    (run,) = services.runs.list(pipeline=pipeline.id).items
    assert (run.until, run.step("save").status) == ("clean", "skipped")


def test_an_op_is_offered_the_columns_that_the_ops_before_it_leave(services: Services, pipeline: Pipeline) -> None:
    draft = pipeline.draft()
    outputs = columns.output_columns(draft, services.environment.data_dir)
    assert columns.before_ops(draft, draft.steps[1], {"rows": outputs["rows"]}) == [["n", "k"], ["n", "k"]]
    ops = [*OPS, {"op": "drop", "columns": ["k"]}, {"op": "sort", "by": ["twice"]}]
    step = draft.steps[1].model_copy(update={"config": {"ops": ops}})
    assert columns.before_ops(draft, step, {"rows": outputs["rows"]})[2:] == [["n", "k", "twice"], ["n", "twice"]]


def test_every_field_of_every_step_has_help() -> None:
    def bare(one: fields.FormField, path: str) -> list[str]:
        inner = [
            name for variant in one.variants for each in variant.fields for name in bare(each, f"{path}.{variant.tag}")
        ]
        return inner if one.help else [f"{path}.{one.name}", *inner]

    assert [
        name for kind, model in config_classes().items() for one in fields.fields_of(model) for name in bare(one, kind)
    ] == []


def test_looking_at_a_form_changes_nothing_although_a_default_is_written_down(
    open_page: Opens, services: Services, pipeline: Pipeline
) -> None:
    sink = {"sink": {"kind": "file", "path": "out.csv"}, "mode": "overwrite"}
    steps = [*pipeline.draft().model_dump(mode="json")["steps"][:2], {"id": "save", "type": "load", "config": sink}]
    services.pipelines.update(pipeline.id, {"name": "small", "steps": steps})
    app = open_page("pipeline.py", id=pipeline.id, step="save")
    assert "unsaved changes" not in html_of(app)


def test_the_open_card_and_the_part_changes_show_the_cells_that_an_op_changed(
    open_page: Opens, pipeline: Pipeline, services: Services
) -> None:
    ops = [{"op": "replace", "column": "k", "values": {"b": "B"}}, *OPS]
    document = pipeline.draft().model_copy(update={"steps": [pipeline.steps[0], pipeline.steps[1]]})
    document.steps[1].config["ops"] = ops
    services.pipelines.update(pipeline.id, document.model_dump(mode="json"))
    app = open_page("pipeline.py", id=pipeline.id, step="clean")
    assert "k: <b>1</b> of 3 values changed" in html_of(app)
    cell = '<td class="pv-cell"><del>b</del> B</td>'
    assert cell not in html_of(app)
    assert html_of(fold(app, 0)).count(cell) == 1
    next(one for one in app.button_group if one.key == "below_part").set_value("Changes").run()
    assert html_of(app).count(cell) == 2
    assert "pv-gone" in html_of(app.selectbox[-1].set_value(1).run())


@pytest.mark.parametrize(
    ("step", "config"),
    [
        ("rows", {"source": 5}),
        ("clean", {"ops": 5}),
        ("clean", {"ops": [{"op": "limit", "rows": -1}]}),
        ("clean", {"ops": [{"op": "rename", "columns": ["n"]}]}),
    ],
    ids=str,
)
def test_what_was_written_wrong_as_yaml_is_shown_complained_of_and_kept(
    services: Services, open_page: Opens, pipeline: Pipeline, step: str, config: dict[str, Any]
) -> None:
    document = pipeline.draft()
    app = open_page("pipeline.py", id=pipeline.id, tab="YAML")
    next(each for each in document.steps if each.id == step).config = config
    app.text_area[0].set_value(services.pipelines.to_yaml(document)).run()
    app.button(key="apply_yaml").click().run()
    app = open_page("pipeline.py", id=pipeline.id, step=step)
    assert not app.exception
    assert "to fix before this can be saved" in " ".join(caption.value for caption in app.caption)
    written = open_page("pipeline.py", id=pipeline.id, tab="YAML").text_area[0].value
    assert config in [each["config"] for each in services.pipelines.from_yaml(written)["steps"]]
