"""compare."""

from pathlib import Path

from tests.cli.conftest import Etlml


def test_two_runs_are_compared(etlml: Etlml, small: Path) -> None:
    one = etlml("run", small, "--wait", "--json").json["id"]
    two = etlml("run", "small", "--param", "least=3", "--wait", "--json").json["id"]
    shown = etlml("compare", one, two)
    assert "least" in shown.out
    assert etlml("compare", two, "--json").json["before"]["id"] == one
    rows = etlml("compare", one, two, "--step", "some", "--keys", "n", "--json").json
    assert (rows["removed"], rows["same"]) == (1, 2)
    assert "1 removed" in etlml("compare", one, two, "--step", "some").out
    assert etlml("compare", one, two, "--keys", "n").code == 2
    assert etlml("compare", one, two, "--step", "some", "--keys", "nothing").code == 2


def test_runs_are_listed_by_length_and_by_warnings(etlml: Etlml, small: Path) -> None:
    run = etlml("run", small, "--wait", "--json").json["id"]
    assert [each["id"] for each in etlml("runs", "--longest", "--json").json] == [run]
    assert etlml("runs", "--warned", "--json").json == []
    assert [each["id"] for each in etlml("runs", "--oldest", "--since", "1d", "--json").json] == [run]
    assert etlml("runs", "--trigger", "backfill", "--json").json == []
    assert etlml("runs", "--backfill", "none", "--json").json == []
    assert etlml("runs", "--oldest", "--longest").code == 2


def test_rows_of_a_step_are_shown_and_saved(etlml: Etlml, small: Path, tmp_path: Path) -> None:
    run = etlml("run", small, "--wait", "--json").json["id"]
    assert "The first 2 of 3 rows." in etlml("rows", run, "some", "--limit", "2").err
    assert etlml("rows", run, "some", "--json").json["rows"][0] == {"n": 2, "even": True}
    assert etlml("rows", run, "some", "-o", tmp_path / "some.csv").code == 0
    assert (tmp_path / "some.csv").read_text().splitlines() == ["n,even", "2,true", "3,false", "4,true"]
    assert etlml("rows", run, "some", "-o", tmp_path / "some.xlsx").code == 2
    assert etlml("rows", run, "nothing").code != 0
