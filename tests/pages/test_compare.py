"""The page that compares two runs, in its states."""

import pytest

from etlml.documents import Pipeline, Run
from etlml.services import Services
from tests.pages.conftest import Opens, shown
from tests.services.factories import a_document
from tests.services.test_comparing import NEW, OLD, a_run


@pytest.fixture
def pipeline(services: Services) -> Pipeline:
    return services.pipelines.create(a_document())


@pytest.fixture
def pair(services: Services, pipeline: Pipeline) -> tuple[Run, Run]:
    return a_run(services, pipeline.id, 1, OLD, 2), a_run(services, pipeline.id, 1, NEW, 9)


def test_without_pipelines_it_says_what_will_be_here(open_page: Opens) -> None:
    app = open_page("compare.py")
    assert not app.exception
    assert "Nothing to compare yet" in shown(app)


def test_a_pipeline_that_never_ran_is_said_to_be(pipeline: Pipeline, open_page: Opens) -> None:
    assert "never run" in shown(open_page("compare.py"))


def test_the_newest_run_is_held_against_the_success_before(pair: tuple[Run, Run], open_page: Opens) -> None:
    app = open_page("compare.py")
    assert not app.exception
    chosen = [app.query_params[name] for name in "ab"]
    assert [one if isinstance(one, str) else one[0] for one in chosen] == [run.id for run in pair]


def test_rows_that_differ_are_shown_with_old_and_new(pair: tuple[Run, Run], open_page: Opens) -> None:
    app = open_page("compare.py", a=pair[0].id, b=pair[1].id, step="kept")
    assert not app.exception
    text = shown(app)
    assert "least: changed from 2 to 9" in text
    assert "<del>b</del> → <ins>B</ins>" in text
    assert "etlml-download/differences" in text
    assert app.multiselect[0].value == ["id"]


def test_keys_that_do_not_tell_rows_apart_are_refused_on_the_page(
    services: Services, pair: tuple[Run, Run], open_page: Opens
) -> None:
    doubled = a_run(services, pair[0].pipeline_id, 1, f"{OLD} UNION ALL SELECT 9, 'a'", 3)
    app = open_page("compare.py", a=pair[0].id, b=doubled.id, step="kept", keys="x")
    assert "cannot tell the rows of the later result apart" in app.error[0].value


def test_one_run_twice_says_so(pair: tuple[Run, Run], open_page: Opens) -> None:
    app = open_page("compare.py", a=pair[0].id, b=pair[0].id)
    assert "one run twice" in app.info[0].value


def test_runs_without_common_rows_still_compare(services: Services, pair: tuple[Run, Run], open_page: Opens) -> None:
    other = services.store.runs.put(Run(pipeline_id=pair[0].pipeline_id, pipeline_name="small", status="cancelled"))
    app = open_page("compare.py", a=pair[0].id, b=other.id)
    assert not app.exception
    assert "No step kept its rows in both runs" in shown(app)


def test_an_unknown_run_is_told_and_another_taken(pair: tuple[Run, Run], open_page: Opens) -> None:
    app = open_page("compare.py", a="nothing", b=pair[1].id)
    assert not app.exception
    assert "There is no" in app.warning[0].value
