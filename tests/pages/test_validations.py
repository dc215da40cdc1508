"""The validations page: the list with its filters and pages, one evaluation."""

import re
from datetime import timedelta
from io import BytesIO

from etlml.clock import utc_now
from etlml.documents import RuleResult, Validation
from etlml.services import Services
from tests.pages.conftest import Opens, shown
from tests.services.factories import a_document


def add(services: Services, count: int, **fields: object) -> None:
    for number in range(count):
        at = utc_now() - timedelta(minutes=number)
        given = {"name": f"check {number:03}", "status": "passed", "score": 1.0, "row_count": 5, "created_at": at}
        services.store.validations.add(Validation.model_validate(given | fields))


def test_one_validation_shows_its_rules(services: Services, open_page: Opens) -> None:
    broken = RuleResult(rule="not_null", column="fare", severity="error", success=False, checked=5, failed=2)
    add(services, 1, id="v1", status="failed", score=0.6, rules=[broken])
    app = open_page("validations.py", id="v1")
    assert not app.exception
    assert "fare is not missing" in shown(app)


def test_many_come_page_by_page_and_the_place_is_in_the_url(services: Services, open_page: Opens) -> None:
    add(services, 60)
    app = open_page("validations.py")
    assert "50 validations on this page" in shown(app)
    app.button(key="validations_older").click().run()
    assert "10 validations on this page" in shown(app)
    again = open_page("validations.py", after=app.query_params["after"])
    assert "10 validations on this page" in shown(again)
    app.button(key="validations_newer").click().run()
    assert "50 validations on this page" in shown(app)
    assert "after" not in app.query_params


def test_another_filter_begins_at_the_first_page(services: Services, open_page: Opens) -> None:
    add(services, 60)
    app = open_page("validations.py")
    app.button(key="validations_older").click().run()
    app.text_input(key="q").set_value("check 00").run()
    assert "after" not in app.query_params
    assert "No validation matches." in shown(app) or "check 001" in shown(app)
    assert not app.exception


def test_a_check_of_a_file_that_is_missing_says_so(services: Services, open_page: Opens) -> None:
    app = open_page("validations.py", view="check", check_path="nothing.csv")
    app.session_state["check_rules"] = {"rules": [{"rule": "not_null", "column": "a"}]}
    app.run()
    app.button(key="check_now").click().run()
    assert "nothing.csv" in app.error[0].value
    assert not app.exception


def test_a_file_is_shown_with_what_each_rule_finds_before_the_check_is_kept(
    services: Services, open_page: Opens
) -> None:
    services.data_files.add("fares.csv", BytesIO(b"day,fare\n1,7.5\n2,\n3,9\n"))
    app = open_page("validations.py", view="check", check_path="uploads/fares.csv")
    assert "<b>3 rows</b> · 2 columns" in shown(app)
    app.session_state["check_rules"] = {"rules": [{"rule": "not_null", "column": "fare"}]}
    app.run()
    assert set(app.selectbox(key="adhoc.0.rules.0.in.column").options) == {"day", "fare"}
    assert "2 pass, 1 fail" in shown(app)
    assert not services.validations.list().items
    app.button(key="check_now").click().run()
    kept = services.validations.list().items[0]
    assert kept.rules[0].failed == 1
    assert not app.exception
    assert app.query_params["id"] in (kept.id, [kept.id])


def test_one_is_deleted_only_after_a_question(services: Services, open_page: Opens) -> None:
    add(services, 1, id="v1")
    app = open_page("validations.py", id="v1")
    app.button(key="delete").click().run()
    assert app.button(key="confirm_yes").label == "Delete"
    assert [code.value for code in app.code].count("etlml delete validation v1") == 2
    assert len(services.validations.list().items) == 1


def test_a_line_says_whose_data_was_checked(services: Services, open_page: Opens) -> None:
    pipeline = services.pipelines.create(a_document(name="fares"))
    add(services, 1, pipeline_id=pipeline.id, dataset="clean")
    add(services, 1, dataset="a.csv")
    text = shown(open_page("validations.py"))
    assert re.search(r"fares .{1,12} clean", text)
    assert '\\"sub\\": \\"a.csv\\"' in text
