"""pack, unpack, retention and backfill."""

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from etlml.settings import get_settings
from tests.cli.conftest import SMALL, Etlml

LEARNT = {
    "name": "learnt",
    "steps": [
        {
            "id": "rows",
            "type": "extract",
            "config": {"source": {"kind": "inline", "rows": [{"x": n, "big": int(n > 20)} for n in range(40)]}},
        },
        {
            "id": "model",
            "type": "train",
            "config": {"target": "big", "algorithm": "decision_tree_classifier", "register_as": "size"},
        },
    ],
}


def file_of(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / f"{document['name']}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


@pytest.mark.slow
def test_a_pack_runs_and_predicts_on_another_installation(
    etlml: Etlml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mongo_client: Any
) -> None:
    for document in (SMALL, LEARNT):
        assert etlml("run", file_of(tmp_path, document), "--wait").code == 0
    packed = etlml("pack", tmp_path / "all.pack", "--runs", "--json").json
    assert (packed["counts"]["models"], packed["counts"]["runs"]) == (1, 2)

    monkeypatch.setenv("ETLML_HOME", str(tmp_path / "other"))
    monkeypatch.setenv("ETLML_DATABASE", "other")
    get_settings.cache_clear()
    get_settings().make_folders()
    try:
        outcomes = etlml("unpack", tmp_path / "all.pack", "--json").json
        changes = {each["name"]: each["change"] for each in outcomes if each["kind"] != "run"}
        assert (changes["small"], changes["learnt"], changes["size v1.0"]) == ("created",) * 3
        assert changes["flights"] == "skipped"  # an example, which is there from the start
        assert [each["change"] for each in outcomes if each["kind"] == "run"] == ["created"] * 2
        assert etlml("run", "small", "--wait").code == 0
        assert (tmp_path / "other" / "data" / "some.csv").is_file()
        data = tmp_path / "new.csv"
        data.write_text("x\n3\n33\n")
        predicted = csv.DictReader(etlml("predict", "size", data).out.splitlines())
        assert [row["prediction"] for row in predicted] == ["0", "1"]
        lines = etlml("unpack", tmp_path / "all.pack").out.splitlines()
        assert {line.split("\t")[2] for line in lines[1:]} == {"skipped"}
    finally:
        mongo_client.drop_database("other")


def test_a_file_that_is_no_pack_is_wrong_use(etlml: Etlml, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no zip")
    ran = etlml("unpack", tmp_path / "text")
    assert (ran.code, ran.err.startswith("Error: The pack cannot be read")) == (2, True)


def test_retention_says_what_it_would_free(etlml: Etlml) -> None:
    assert etlml("retention", "--json").json == {
        "applied": False,
        "runs": 0,
        "checkpoints": 0,
        "validations": 0,
        "log_lines": 0,
        "audit_entries": 0,
        "bytes": 0,
    }
    assert etlml("retention", "--apply").out.splitlines()[0] == "WHAT\tFREED"


def test_backfill_takes_days_in_the_schedules_zone(etlml: Etlml, tmp_path: Path) -> None:
    etlml("apply", file_of(tmp_path, {**SMALL, "schedule": "0 6 * * *", "timezone": "Europe/Berlin"}))
    days = ("--since", "2024-03-30", "--until", "2024-03-31")  # the clocks go forward on the second one
    listed = etlml("backfill", "small", *days, "--dry-run", "--json").json
    assert listed == ["2024-03-30T05:00:00+00:00", "2024-03-31T04:00:00+00:00"]
    started = etlml("backfill", "small", *days, "--parallel", "2", "--param", "least=1", "--json").json
    assert (started["parallel"], len(started["intervals"]), started["params"]) == (2, 2, {"least": 1})
    assert "2 runs, 1 at a time" in etlml("backfill", "small", *days).out
    assert etlml("backfill", "small", "--since", "2024-04-01", "--until", "2024-03-01").code == 2
    assert etlml("backfill", "smal", *days).code == 2


def test_run_without_cache_does_the_work_again(etlml: Etlml, small: Path) -> None:
    again = [etlml("run", small, "--wait", "--json", *more).json for more in ((), (), ("--no-cache",))]
    assert [run["steps"][0]["status"] for run in (again[0], again[2])] == ["success", "success"]
    assert [step["forced"] for step in again[2]["steps"]] == [True] * 3
