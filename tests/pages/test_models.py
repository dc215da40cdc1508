"""The model registry: the list, a model's versions."""

from etlml.services import Services
from tests.pages.conftest import Opens, shown


def register(services: Services, *names: str) -> None:
    for name in names:
        services.store.models.register(name, algorithm="Ridge", file_path="x", metrics={"r2": 0.5})


def test_every_model_is_one_line_and_found_by_its_name(services: Services, open_page: Opens) -> None:
    register(services, "fares", "delays", "fares")
    assert shown(open_page("models.py")).count("Ridge") == 2
    app = open_page("models.py", q="del")
    assert "delays" in shown(app)
    assert "fares" not in shown(app)


def test_more_than_a_page_of_models_are_paged_by_name(services: Services, open_page: Opens) -> None:
    register(services, *(f"model {number:02}" for number in range(53)))
    app = open_page("models.py")
    app.button(key="models_older").click().run()
    assert "3 models on this page" in shown(app)
    assert "model 52" in shown(app)


def test_a_model_that_is_gone_says_so(open_page: Opens) -> None:
    app = open_page("models.py", name="nothing")
    assert "There is no model" in app.error[0].value
    assert not app.exception


def test_a_model_without_file_refuses_a_prediction_in_words(services: Services, open_page: Opens) -> None:
    signature = {"inputs": [{"name": "a", "type": "DOUBLE"}], "output": {"name": "y"}}
    services.store.models.register("fares", algorithm="Ridge", file_path="models/none.skops", signature=signature)
    app = open_page("models.py", name="fares")
    assert not app.exception
    if buttons := [button for button in app.button if button.label == "Predict"]:
        buttons[0].click().run()
        assert "is gone" in app.error[0].value


def test_a_try_starts_from_typical_values(services: Services, open_page: Opens) -> None:
    inputs = [
        {"name": "year", "type": "number", "example": 2013},
        {"name": "share", "type": "number", "example": 0.0125},
        {"name": "wet", "type": "boolean", "example": False},
        {"name": "origin", "type": "text", "categories": ["EWR", "JFK"], "example": "JFK"},
        {"name": "note", "type": "text", "example": "late"},
        {"name": "at", "type": "datetime", "example": "2013-07-03T15:00:00"},
    ]
    services.store.models.register("fares", algorithm="Ridge", file_path="x", signature={"inputs": inputs})
    app = open_page("models.py", name="fares")
    assert not app.exception
    assert [each.value for each in app.number_input] == [2013, 0.0125]
    assert [each.value for each in app.toggle] == [False]
    assert "JFK" in [each.value for each in app.selectbox]
    assert "late" in [each.value for each in app.text_input]
