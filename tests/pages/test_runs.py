"""The page of all runs: list, calendar, grid."""

import pytest

from etlml.clock import utc_now
from etlml.documents import Run, StepRun
from etlml.services import Services
from tests.pages.conftest import Opens, shown

VIEWS = ("list", "calendar", "grid")


@pytest.fixture
def runs(services: Services) -> list[Run]:
    steps = [StepRun(id="rows", type="extract", status="success", rows_out=7)]
    states = ("success", "failed", "success")
    return [
        services.store.runs.put(
            Run(
                id=f"r{n}",
                pipeline_id="p",
                pipeline_name="small",
                status=state,
                duration_s=n,
                warnings=n % 2,
                steps=steps,
            )  # type: ignore[arg-type]
        )
        for n, state in enumerate(states)
    ]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_without_runs_stands(open_page: Opens, view: str) -> None:
    app = open_page("runs.py", view=view)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_after_some_use_stands(seeded: Services, open_page: Opens, view: str) -> None:
    app = open_page("runs.py", view=view)
    assert not app.exception
    assert not app.error


def test_a_day_with_runs_can_be_opened(runs: list[Run], open_page: Opens) -> None:
    text = shown(open_page("runs.py", view="calendar")).replace("\\", "")
    assert f'data-open="{utc_now():%Y-%m-%d}"' in text
    assert "2 success, 1 failed" in text


def test_a_month_of_the_url_is_shown(runs: list[Run], open_page: Opens) -> None:
    assert "March 2024" in shown(open_page("runs.py", view="calendar", month="2024-03"))


def test_a_grid_opens_runs_and_shows_rows(runs: list[Run], open_page: Opens) -> None:
    text = shown(open_page("runs.py", view="grid")).replace("\\", "")
    assert 'data-open="r1"' in text
    assert "7 rows" in text


@pytest.mark.parametrize(
    ("params", "known"),
    [
        ({"state": "Failed"}, ["r1"]),
        ({"warned": "true"}, ["r1"]),
        ({"order": "Longest first"}, ["r2", "r1", "r0"]),
        ({"order": "Shortest first"}, ["r0", "r1", "r2"]),
        ({"order": "Oldest first"}, ["r0", "r1", "r2"]),
        ({"q": "r2"}, ["r2"]),
        ({"day": "2020-01-01"}, []),
    ],
)
def test_the_list_keeps_to_the_filters_of_the_url(
    runs: list[Run], open_page: Opens, params: dict[str, str], known: list[str]
) -> None:
    app = open_page("runs.py", **params)
    assert not app.exception
    text = shown(app)
    places = [text.find(f'\\"id\\": \\"{run.id}\\"') for run in runs]
    found = sorted((at, run.id) for at, run in zip(places, runs, strict=True) if at >= 0)
    assert [run_id for _, run_id in found] == known


def test_the_runs_of_a_backfill_are_under_a_chip_that_lets_go_of_it(seeded: Services, open_page: Opens) -> None:
    backfill = next(one for one in seeded.backfills.list().items if one.status == "completed")
    app = open_page("runs.py", backfill=backfill.id)
    assert not app.exception
    chip = app.button(key="backfill")
    assert chip.label.startswith("Backfill of daily-summary, ")
    assert shown(app).count('\\"trigger\\": \\"Backfill\\"') == 5
    chip.click().run()
    assert "backfill" not in app.query_params


def test_a_backfill_that_is_gone_is_a_chip_too(runs: list[Run], open_page: Opens) -> None:
    assert open_page("runs.py", backfill="gone").button(key="backfill").label == "A backfill that is gone"
