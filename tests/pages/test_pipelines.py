"""The list of pipelines, the ways to make one, and a pipeline's tabs for schedule, YAML and versions."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from etlml.services import Services
from etlml.services.starters import templates
from tests.pages.conftest import Opens, shown
from tests.services.factories import a_document


def stands(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def dialog() -> None:
    """The dialog's content as a page: Streamlit's test runner closes dialogs at each rerun."""
    from etlml.ui import frame, new_pipeline

    new_pipeline.draw(frame.services(), frame.current_user())


class TestList:
    def test_an_empty_one_offers_the_templates(self, open_page: Opens) -> None:
        app = stands(open_page("pipelines.py"))
        assert "No pipelines yet" in shown(app)
        assert {f"template_{key}" for key in templates()} <= {button.key for button in app.button}

    def test_filters_are_taken_from_the_url(self, services: Services, open_page: Opens) -> None:
        services.pipelines.create(a_document(name="one", tags=["x"]))
        services.pipelines.create(a_document(name="two", tags=["y"]))
        text = shown(stands(open_page("pipelines.py", tag="x")))
        assert "one" in text
        assert '"two"' not in text
        assert "No matching pipeline" in shown(stands(open_page("pipelines.py", q="three")))

    @pytest.mark.parametrize("after", ["garbage", "bnVsbA", "99999999999999999999"])
    def test_a_page_of_the_url_that_is_none_is_the_first(
        self, services: Services, open_page: Opens, after: str
    ) -> None:
        services.pipelines.create(a_document(name="one"))
        assert "one" in shown(stands(open_page("pipelines.py", after=after)))

    @pytest.mark.parametrize("sort", ["name", "last_run", "runs"])
    def test_it_stands_in_every_order(self, seeded: Services, open_page: Opens, sort: str) -> None:
        stands(open_page("pipelines.py", sort=sort))

    def test_a_paused_one_says_so(self, services: Services, open_page: Opens) -> None:
        services.pipelines.create(a_document(schedule="@daily"))
        services.schedules.pause("small")
        assert "Paused" in shown(stands(open_page("pipelines.py")))


class TestNew:
    def test_a_template_becomes_a_pipeline_of_a_free_name(self, services: Services) -> None:
        services.pipelines.create(a_document(name="csv-to-parquet"))
        app = AppTest.from_function(dialog, default_timeout=30).run()
        assert app.text_input(key="new_name_csv-to-parquet").value == "csv-to-parquet-2"
        app.button(key="new_create").click().run()
        assert [step.id for step in services.pipelines.get("csv-to-parquet-2").steps] == [
            "read",
            "typed",
            "check",
            "save",
        ]

    def test_blanks_around_a_name_are_none_of_it(self, services: Services) -> None:
        app = AppTest.from_function(dialog, default_timeout=30).run()
        app.text_input(key="new_name_csv-to-parquet").set_value("  mine ").run()
        app.button(key="new_create").click().run()
        assert list(services.pipelines.names()) == ["mine"]

    def test_a_file_that_is_uploaded_becomes_a_pipeline_that_reads_it(self, services: Services) -> None:
        app = AppTest.from_function(dialog, default_timeout=30).run()
        app.segmented_control(key="new_way").set_value("Data file").run()
        app.file_uploader(key="new_data").set_value(("Orders 2024.csv", b"a,b\n1,2\n", "text/csv")).run()
        assert services.data_files.list() == []
        app.button(key="new_create").click().run()
        (step,) = services.pipelines.get("Orders 2024").steps
        assert (step.id, step.config) == (
            "orders_2024",
            {"source": {"kind": "file", "path": "uploads/Orders 2024.csv"}},
        )

    def test_a_file_that_is_there_becomes_a_pipeline_that_reads_it(self, services: Services) -> None:
        services.data_files.add("2024-orders.csv", BytesIO(b"a,b\n1,2\n"))
        app = AppTest.from_function(dialog, default_timeout=30).run()
        app.segmented_control(key="new_way").set_value("Data file").run()
        app.selectbox(key="new_data_path").set_value("uploads/2024-orders.csv").run()
        app.button(key="new_create").click().run()
        assert [step.id for step in services.pipelines.get("2024-orders").steps] == ["read_2024_orders"]

    def test_what_is_wrong_with_yaml_is_listed_with_its_lines(self, services: Services) -> None:
        app = AppTest.from_function(dialog, default_timeout=30).run()
        app.segmented_control(key="new_way").set_value("Import YAML").run()
        app.text_area[0].set_value('name: p\nschedule: "61 * * * *"\n').run()
        app.button(key="new_create").click().run()
        assert "Line 2" in shown(stands(app))
        assert services.pipelines.list().items == []


def test_the_builder_leads_to_the_parameters(services: Services, open_page: Opens) -> None:
    services.pipelines.create(a_document(params={"least": 2}))
    app = stands(open_page("pipeline.py", id="small"))
    app.button(key="open_general").click().run()
    assert "least" in shown(stands(app))


class TestScheduleTab:
    @pytest.fixture
    def opened(self, services: Services, open_page: Opens) -> Callable[..., AppTest]:
        """The tab of a new pipeline with these fields."""

        def made(**changes: Any) -> AppTest:
            services.pipelines.create(a_document(**changes))
            return stands(open_page("pipeline.py", id="small", tab="Schedule"))

        return made

    def field(self, app: AppTest, label: str) -> Any:
        return next(one for one in app.text_input if one.label == label)

    def test_a_wrong_cron_is_told_below_its_field(self, opened: Callable[..., AppTest]) -> None:
        app = opened(schedule="0 6 * * 1-5")
        assert "Runs at 06:00 on weekdays." in [caption.value for caption in app.caption]
        self.field(app, "Cron").set_value("61 * * * *").run()
        assert any("cannot be read" in caption.value for caption in app.caption)

    def test_policies_are_edited_and_saved(self, services: Services, opened: Callable[..., AppTest]) -> None:
        app = opened(schedule="@daily")
        next(one for one in app.number_input if one.label.startswith("Too late")).set_value(30.0).run()
        app.button(key="save").click().run()
        assert services.pipelines.get("small").options.too_late_after_s == 1800

    def test_a_policy_that_is_left_to_the_installation_says_what_that_means_now(
        self, services: Services, opened: Callable[..., AppTest]
    ) -> None:
        services.settings.update({"schedule_missed": "all", "schedule_missed_limit": 3, "schedule_overlap": "skip"})
        app = opened(schedule="@daily")
        missed = next(one for one in app.selectbox if one.label == "Missed fires are made up")
        overlap = next(one for one in app.selectbox if one.label == "A fire while a run goes on")
        assert missed.format_func("") == "As the installation: all of them, at most 3"
        assert overlap.format_func("") == "As the installation: is skipped"
        overlap.set_value("cancel").run()
        app.button(key="save").click().run()
        options = services.pipelines.get("small").options
        assert (options.missed, options.missed_limit, options.overlap) == (None, None, "cancel")

    def test_triggers_have_a_form_and_say_what_they_lack(self, opened: Callable[..., AppTest]) -> None:
        app = opened(triggers=[{"kind": "file", "path": "inbox/*.csv"}, {"kind": "pipeline", "pipeline": "nobody"}])
        captions = " ".join(caption.value for caption in app.caption)
        assert "0 files match now" in captions
        assert "There is no other pipeline 'nobody'" in captions
        next(one for one in app.button if str(one.key).endswith(".triggers.0.head")).click().run()
        assert self.field(app, "Path").value == "inbox/*.csv"

    def test_refused_calls_of_the_webhook_are_told_with_the_reason(
        self, services: Services, opened: Callable[..., AppTest], open_page: Opens
    ) -> None:
        opened()
        token = services.webhooks.create("small")
        services.webhooks.refused(token, "body", "The body is wrong.")
        services.webhooks.refused(token, "paused", "It is paused.")
        app = stands(open_page("pipeline.py", id="small", tab="Schedule"))
        assert [one.label for one in app.expander if one.label.startswith("Refused")] == [
            "Refused: 2, the last just now because the pipeline was paused"
        ]

    def test_a_webhook_is_shown_once_and_leaves_unsaved_edits_alone(
        self, services: Services, opened: Callable[..., AppTest]
    ) -> None:
        app = opened(schedule="@daily")
        self.field(app, "Cron").set_value("0 7 * * *").run()
        app.button(key="webhook_create").click().run()
        stands(app)
        (line,) = [code.value for code in app.code if "/api/hooks/" in code.value]
        token = line.rpartition("/api/hooks/")[2].split()[0]
        app.button(key="webhook_seen").click().run()
        assert not any("/api/hooks/" in code.value for code in app.code)
        app.button(key="save").click().run()
        saved = services.pipelines.get("small")
        assert (saved.schedule, saved.version) == ("0 7 * * *", 3)
        assert services.webhooks.start(token).trigger == "webhook"


class TestVersions:
    @pytest.fixture
    def versioned(self, services: Services) -> Services:
        """With three versions: a step changed, then one was removed and the schedule set."""
        document = a_document()
        services.pipelines.create(document)
        document["steps"][1]["config"]["ops"][0]["where"] = "x >= 2"
        services.pipelines.update("small", document, author="ada")
        services.pipelines.update("small", {**document, "schedule": "@daily", "steps": document["steps"][:2]})
        return services

    def test_the_newest_is_compared_with_the_one_before(self, versioned: Services, open_page: Opens) -> None:
        text = shown(stands(open_page("pipeline.py", id="small", tab="Versions")))
        assert "by ada" in text
        assert "Removed" in text
        assert "Schedule" in text

    def test_any_two_are_compared(self, versioned: Services, open_page: Opens) -> None:
        text = shown(stands(open_page("pipeline.py", id="small", tab="Versions", version="2", against="1")))
        assert "Op 1 (filter) › where" in text
        assert "Changed" in text

    def test_versions_that_differ_in_settings_alone_are_compared(self, versioned: Services, open_page: Opens) -> None:
        services = versioned
        services.pipelines.update("small", services.pipelines.get("small").draft().model_copy(update={"tags": ["x"]}))
        assert "Tags" in shown(stands(open_page("pipeline.py", id="small", tab="Versions")))

    def test_the_first_version_alone_is_shown_whole(self, services: Services, open_page: Opens) -> None:
        services.pipelines.create(a_document())
        assert "first version" in shown(stands(open_page("pipeline.py", id="small", tab="Versions")))


def test_yaml_with_a_fault_is_told_with_its_line(services: Services, open_page: Opens) -> None:
    services.pipelines.create(a_document())
    app = open_page("pipeline.py", id="small", tab="YAML")
    app.text_area[0].set_value("name: small\nsteps:\n  - id: a\n    type: extrakt\n").run()
    app.button(key="apply_yaml").click().run()
    assert "Line 4" in shown(stands(app))
