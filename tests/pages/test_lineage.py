"""The lineage tab and the script of a pipeline's page."""

from etlml.services import Services
from tests.pages.conftest import Opens, shown

STEPS = [
    {"id": "rows", "type": "extract", "config": {"source": {"kind": "inline", "rows": [{"n": 1}]}}},
    {"id": "more", "type": "transform", "config": {"ops": [{"op": "derive", "columns": {"twice": "n * 2"}}]}},
]


def test_the_tab_follows_the_column_in_the_url(services: Services, open_page: Opens) -> None:
    pipeline = services.pipelines.create({"name": "p", "steps": STEPS})
    app = open_page("pipeline.py", id=pipeline.id, tab="Lineage", step="more", column="twice")
    assert not app.exception
    assert "n * 2" in shown(app)
    assert not open_page("pipeline.py", id=pipeline.id, tab="Lineage", step="more", column="gone").exception


def test_an_empty_pipeline_says_what_to_do(services: Services, open_page: Opens) -> None:
    pipeline = services.pipelines.create({"name": "p", "steps": []})
    assert "Nothing to follow yet" in shown(open_page("pipeline.py", id=pipeline.id, tab="Lineage"))


def test_the_script_is_shown_before_it_is_saved(services: Services, open_page: Opens) -> None:
    pipeline = services.pipelines.create({"name": "p", "steps": STEPS})
    app = open_page("pipeline.py", id=pipeline.id)
    app.button("as_script").click().run()
    assert not app.exception
    assert 'table("more"' in app.code[-1].value
