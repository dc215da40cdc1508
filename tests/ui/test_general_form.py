"""A pipeline's parameters: names in full, each with its default."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

LONG = "a_very_long_parameter_name_that_somebody_gave_for_good_reasons_of_his_own"


def page(params: "dict[str, object]") -> None:
    import streamlit as st

    from etlml.documents import PipelineDraft
    from etlml.ui import general_form

    st.session_state["now"] = general_form.params(PipelineDraft(name="p", params=params), "form", False)


@pytest.fixture
def app() -> AppTest:
    params = {LONG: 5, "day": "2026-01-01", "code": "07", "on": True, "list": [1, 2], "none": None}
    return AppTest.from_function(page, kwargs={"params": params}).run()


def now(app: AppTest) -> dict[str, Any]:
    assert not app.exception
    found: dict[str, Any] = app.session_state["now"]
    return found


def test_what_nobody_touches_stays_as_it_is_and_names_are_not_cut(app: AppTest) -> None:
    assert now(app) == {LONG: 5, "day": "2026-01-01", "code": "07", "on": True, "list": [1, 2], "none": None}
    assert app.text_input(key="form.params.0.value").label.replace("\\", "") == LONG


def test_a_default_is_read_as_it_is_written(app: AppTest) -> None:
    app.text_input(key="form.params.0.value").set_value("0.5").run()
    app.text_input(key="form.params.3.value").set_value("").run()
    assert (now(app)[LONG], now(app)["on"]) == (0.5, None)


def test_a_parameter_is_added_renamed_and_removed(app: AppTest) -> None:
    app.text_input(key="form.params.add").set_value(" added ").run()
    assert now(app)["added"] is None
    assert app.text_input(key="form.params.add").value == ""
    app.text_input(key="form.params.1.name").set_value("when").run()
    assert list(now(app))[:3] == ["list", LONG, "when"]
    app.button(key="form.params.0.x").click().run()
    assert LONG not in now(app)


def test_a_name_is_given_once(app: AppTest) -> None:
    app.text_input(key="form.params.add").set_value("day").run()
    assert "already" in app.toast[0].value
    assert len(now(app)) == 6
