"""References in configurations."""

from datetime import UTC, datetime

import pytest

from etlml.errors import ConfigInvalid
from etlml.steps.templating import References, filled, run_references

REFERENCES = run_references(
    run_id="r1",
    pipeline="flights",
    moment=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    params={"rows": 5, "name": "x"},
    secret=lambda name: f"<{name}>",
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${params.rows}", 5),
        ("a ${params.rows} b ${params.name}", "a 5 b x"),
        ("${run.id}", "r1"),
        ("${run.scheduled_for}", "2026-01-02T03:04:00Z"),
        ("day=${run.scheduled_date}", "day=2026-01-02"),
        ("${secret.TOKEN}", "<TOKEN>"),
        ("$${params.rows}", "${params.rows}"),
        ("$5 {params.rows} ${}", "$5 {params.rows} ${}"),
    ],
)
def test_references_are_filled_in(text: str, value: object) -> None:
    assert filled(text, REFERENCES) == value


def test_references_are_filled_in_anywhere_in_a_configuration_which_stays_as_it_was() -> None:
    config = {"ops": [{"op": "limit", "rows": "${params.rows}"}], "n": 1}
    assert filled(config, REFERENCES) == {"ops": [{"op": "limit", "rows": 5}], "n": 1}
    assert config["ops"] == [{"op": "limit", "rows": "${params.rows}"}]


def test_an_unknown_parameter_names_the_nearest() -> None:
    with pytest.raises(ConfigInvalid, match=r"params\.row\} has no value\. Did you mean 'rows'"):
        filled("${params.row}", REFERENCES)


def test_an_unknown_namespace_says_how_to_write_the_text_itself() -> None:
    with pytest.raises(ConfigInvalid, match="References start with params, run or secret"):
        filled("${env.HOME}", REFERENCES)


def test_a_check_never_sees_a_secret() -> None:
    assert filled("${secret.TOKEN}", References()) == "***"


def test_a_parameter_that_is_no_single_value_is_refused_within_a_text() -> None:
    references = References({"country": {"type": "string", "default": "DE"}})
    with pytest.raises(ConfigInvalid, match="Write its value alone, country: DE"):
        filled("country = '${params.country}'", references)
    assert filled("${params.country}", references) == {"type": "string", "default": "DE"}
