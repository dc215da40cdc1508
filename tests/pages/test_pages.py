"""Every page in its states: nothing there, one thing, many, something wrong."""

import pytest

from etlml.errors import Unavailable
from etlml.services import Services
from etlml.ui import frame
from tests.pages.conftest import Opens, shown
from tests.services.factories import a_document

LISTS = ["pipelines.py", "runs.py", "experiments.py", "models.py", "validations.py", "logs.py", "settings.py"]


@pytest.mark.parametrize("page", ["dashboard.py", *LISTS])
def test_a_page_of_an_empty_installation_stands(open_page: Opens, page: str) -> None:
    app = open_page(page)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("page", ["dashboard.py", *LISTS])
def test_a_page_after_some_use_stands(seeded: Services, open_page: Opens, page: str) -> None:
    app = open_page(page)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("page", ["pipeline.py", "run.py", "experiment.py"])
def test_a_page_of_something_that_is_gone_says_so(open_page: Opens, page: str) -> None:
    app = open_page(page, id="nothing")
    assert not app.exception
    assert "There is no" in app.error[0].value


@pytest.mark.parametrize(
    "page", ["dashboard.py", "pipelines.py", "runs.py", "experiments.py", "models.py", "validations.py"]
)
def test_a_page_says_that_the_database_is_away(
    services: Services, open_page: Opens, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> object:
        raise Unavailable("MongoDB does not answer. Wait a moment, or see etlml doctor.")

    for store in ("pipelines", "runs", "experiments", "models", "validations"):
        for method in ("list", "stats", "find", "registry"):
            if hasattr(getattr(services.store, store), method):
                monkeypatch.setattr(getattr(services.store, store), method, away)
    app = open_page(page)
    assert not app.exception
    assert "MongoDB does not answer" in app.error[0].value


class TestFirstVisit:
    def test_the_first_visit_is_a_guide_with_one_big_button(self, services: Services, open_page: Opens) -> None:
        services.pipelines.create(a_document(name="flights"))
        app = open_page("dashboard.py")
        assert app.button(key="run_flights_big").label == "Run flights"

    def test_the_button_starts_a_run_and_opens_it(self, services: Services, open_page: Opens) -> None:
        services.pipelines.create(a_document(name="flights", params={}, steps=a_document()["steps"][:1]))
        app = open_page("dashboard.py")
        app.button(key="run_flights_big").click().run()
        assert not app.exception
        assert len(services.runs.list().items) == 1

    def test_after_the_first_run_there_are_figures(self, seeded: Services, open_page: Opens) -> None:
        app = open_page("dashboard.py")
        assert [metric.label for metric in app.metric][:3] == ["Pipelines", "Runs", "Success rate"]
        assert app.metric[0].value == "5"


class TestPipeline:
    def test_its_name_and_tabs_are_there(self, seeded: Services, open_page: Opens) -> None:
        app = open_page("pipeline.py", id="flights")
        assert not app.exception
        labels = [tab.label for tab in app.tabs]
        assert labels[labels.index("Build") :][:5] == ["Build", "Runs", "Schedule", "YAML", "Versions"]

    @pytest.mark.parametrize("step", ["flights", "clean", "check", "save", "model"])
    def test_each_kind_of_step_has_a_form(self, seeded: Services, open_page: Opens, step: str) -> None:
        app = open_page("pipeline.py", id="flights", step=step)
        assert not app.exception
        assert step in shown(app)

    def test_an_edit_of_the_form_makes_a_draft_that_can_be_saved(self, services: Services, open_page: Opens) -> None:
        pipeline = services.pipelines.create(a_document())
        app = open_page("pipeline.py", id=pipeline.id, step="saved")
        path = next(field for field in app.text_input if field.label == "Path")
        path.set_value("other.parquet").run()
        app.button(key="save").click().run()
        assert not app.exception
        saved = services.pipelines.get(pipeline.id)
        assert (saved.version, saved.steps[2].config["sink"]["path"]) == (2, "other.parquet")

    def test_an_edit_survives_a_new_session(self, services: Services, open_page: Opens) -> None:
        pipeline = services.pipelines.create(a_document())
        app = open_page("pipeline.py", id=pipeline.id, step="saved")
        next(field for field in app.text_input if field.label == "Path").set_value("other.parquet").run()
        again = open_page("pipeline.py", id=pipeline.id, step="saved")
        assert next(field for field in again.text_input if field.label == "Path").value == "other.parquet"

    def test_discard_goes_back_to_what_is_saved(self, services: Services, open_page: Opens) -> None:
        pipeline = services.pipelines.create(a_document())
        app = open_page("pipeline.py", id=pipeline.id, step="saved")
        next(field for field in app.text_input if field.label == "Path").set_value("other.parquet").run()
        app.button(key="discard").click().run()
        assert next(field for field in app.text_input if field.label == "Path").value == "out.parquet"

    def test_what_is_wrong_is_said_and_not_saved(self, services: Services, open_page: Opens) -> None:
        pipeline = services.pipelines.create(a_document())
        app = open_page("pipeline.py", id=pipeline.id, step="kept")
        next(area for area in app.text_area if area.label == "Where").set_value("y >= 1").run()
        app.button(key="save").click().run()
        assert not app.exception
        assert services.pipelines.get(pipeline.id).version == 1
        assert "has no column" in app.toast[0].value


class TestRun:
    def test_a_failed_run_says_what_where_and_the_mend(self, seeded: Services, open_page: Opens) -> None:
        run = seeded.runs.list(status="failed", limit=1).items[0]
        app = open_page("run.py", id=run.id)
        assert not app.exception
        assert "error-card" in shown(app)
        assert app.button(key="retry_here").label.startswith("Run again from")

    def test_a_running_run_can_be_stopped(self, seeded: Services, open_page: Opens) -> None:
        run = seeded.runs.list(status="running").items[0]
        app = open_page("run.py", id=run.id)
        app.button(key="stop").click().run()
        assert seeded.runs.get(run.id).cancel_requested

    @pytest.mark.parametrize("tab", ["Timeline", "Steps", "Rows", "Checks", "Logs", "Details"])
    def test_every_tab_stands(self, seeded: Services, open_page: Opens, tab: str) -> None:
        run = seeded.runs.list(pipeline="flights", status="success", limit=1).items[0]
        app = open_page("run.py", id=run.id, tab=tab)
        assert not app.exception
        assert not app.error


class TestModelsAndExperiments:
    def test_a_model_can_be_deployed(self, seeded: Services, open_page: Opens) -> None:
        app = open_page("models.py", name="late-flight", version="v1.0")
        app.button(key="deploy").click().run()
        assert seeded.models.get_version("late-flight", "v1.0").status == "deployed"

    def test_an_experiment_shows_its_metrics(self, seeded: Services, open_page: Opens) -> None:
        experiment = seeded.experiments.list(limit=1).items[0]
        app = open_page("experiment.py", id=experiment.id)
        assert not app.exception
        assert "accuracy" in [metric.label for metric in app.metric]

    def test_experiments_are_compared_side_by_side(self, seeded: Services, open_page: Opens) -> None:
        ids = [experiment.id for experiment in seeded.experiments.list(limit=3).items]
        app = open_page("experiments.py", compare=",".join(ids))
        assert not app.exception
        assert "Side by side" in shown(app)


@pytest.mark.parametrize("tab", ["Connections", "People", "API keys", "Engine", "Retention", "Appearance", "System"])
def test_every_part_of_the_settings_stands(seeded: Services, open_page: Opens, tab: str) -> None:
    app = open_page("settings.py", tab=tab)
    assert not app.exception
    assert not app.error


def test_a_page_is_drawn_anew_when_the_database_is_back(
    services: Services, open_page: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> object:
        raise Unavailable("MongoDB cannot be reached.")

    with monkeypatch.context() as gone:
        gone.setattr(services.settings, "get", away)
        gone.setattr(services.health, "check", away)
        app = open_page("pipelines.py")
        assert "away" in app.sidebar.get("html")[-1].proto.body
        assert frame._AWAY in app.session_state
    strips: list[bool] = []
    monkeypatch.setattr(frame, "health_html", lambda database, *_: strips.append(database) or "<i></i>")
    frame._pulse.clear()
    app.run()
    assert frame._AWAY not in app.session_state
    assert strips == [True, True], "once for this run, and once anew"


def test_a_page_is_not_drawn_anew_without_end_where_only_a_part_of_the_database_fails(
    services: Services, open_page: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> object:
        raise Unavailable("MongoDB could not do this.")

    strips: list[bool] = []
    monkeypatch.setattr(frame, "health_html", lambda database, *_: strips.append(database) or "<i></i>")
    monkeypatch.setattr(services.settings, "get", away)
    frame._pulse.clear()
    open_page("pipelines.py")
    assert strips == [True]
