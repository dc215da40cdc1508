"""Files and columns are checked without a run."""

from pathlib import Path

import pytest

from etlml.errors import ColumnMissing, ConfigInvalid, DataUnreadable
from etlml.validation.adhoc import validate_data

EXAMPLES = Path(__file__).parents[2] / "examples" / "data"


def test_columns_are_checked() -> None:
    outcome = validate_data({"a": [1, None, 3]}, [{"rule": "not_null", "column": "a"}], name="mine")
    assert (outcome.status, outcome.row_count, outcome.name, outcome.dataset) == ("failed", 3, "mine", "data")
    assert outcome.rules[0].sample == [{"a": None}]


def test_a_column_without_values_fits_every_rule() -> None:
    rules = [
        {"rule": "between", "column": "a", "min": 1},
        {"rule": "between", "column": "a", "min": "2024-01-01"},
        {"rule": "matches", "column": "a", "regex": "x"},
        {"rule": "in_set", "column": "a", "values": ["x", 1]},
        {"rule": "unique", "column": "a"},
        {"rule": "sql", "where": "a > 1"},
    ]
    for data in ({"a": [None, None]}, {"a": []}):
        assert validate_data(data, rules).status == "passed"


@pytest.mark.parametrize(
    ("file", "rows"), [("flights.parquet", 336_776), ("penguins.csv", 344), ("weather.csv.gz", 26_115)]
)
def test_files_are_checked(file: str, rows: int) -> None:
    outcome = validate_data(
        EXAMPLES / file, [{"rule": "between", "column": "year", "min": 2007, "max": 2013}], profile=True
    )
    assert (outcome.status, outcome.row_count, outcome.name, outcome.dataset) == ("passed", rows, file, file)
    assert "year" in [column["name"] for column in outcome.profile["columns"]]


def test_rules_are_refused_before_the_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="there is no rule"):
        validate_data(tmp_path / "missing.csv", [{"rule": "nothing"}])


def test_a_missing_file_and_a_missing_column_are_told(tmp_path: Path) -> None:
    rules = [{"rule": "not_null", "column": "yeer"}]
    with pytest.raises(DataUnreadable, match=r"missing\.csv"):
        validate_data(tmp_path / "missing.csv", rules)
    with pytest.raises(ColumnMissing, match="Did you mean 'year'"):
        validate_data(EXAMPLES / "penguins.csv", rules)
