"""apply, run and export."""

import json
from pathlib import Path

import yaml

from tests.cli.conftest import SMALL, Etlml


def changed(path: Path, **changes: object) -> Path:
    path.write_text(yaml.safe_dump({**SMALL, **changes}, sort_keys=False))
    return path


def test_apply_creates_then_leaves_alone_then_updates(etlml: Etlml, small: Path) -> None:
    assert etlml("apply", small).out.splitlines()[1].split("\t")[:3] == ["small", "created", "version 1"]
    assert etlml("apply", small).out.splitlines()[1].split("\t")[:3] == ["small", "unchanged", "version 1"]
    changed(small, description="Now with a description.")
    assert etlml("apply", small).out.splitlines()[1].split("\t")[:3] == ["small", "updated", "version 2"]


def test_check_names_what_is_wrong_with_its_line_and_saves_nothing(etlml: Etlml, small: Path) -> None:
    assert etlml("apply", "--check", small).out == "This pipeline can run.\n"
    changed(small, steps=[{"id": "x", "type": "transform", "config": {"ops": [{"op": "fitler"}]}}])
    done = etlml("apply", "--check", small)
    assert done.code == 1
    file, line, message = done.out.splitlines()[1].split("\t")
    assert (file, line.isdigit(), "fitler" in message) == (str(small), True, True)
    assert etlml("apply", "--check", small, "--json").json[0]["line"] == int(line)
    assert etlml("lineage", "small").code != 0


def test_apply_takes_several_files_and_folders(etlml: Etlml, small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    changed(folder / "a.yml", name="a")
    (folder / "b.json").write_text(json.dumps({**SMALL, "name": "b"}))
    (folder / "notes.txt").write_text("not a pipeline")
    done = etlml("apply", small, folder, "--json")
    assert [(each["name"], each["change"]) for each in done.json] == [
        ("small", "created"),
        ("a", "created"),
        ("b", "created"),
    ]


def test_apply_refuses_a_document_that_cannot_run_and_names_the_file(etlml: Etlml, small: Path) -> None:
    done = etlml(
        "apply", changed(small, steps=[{"id": "x", "type": "transform", "config": {"ops": [{"op": "fitler"}]}}])
    )
    assert done.code == 2
    assert str(small) in done.err
    assert "filter" in done.err
    assert "Traceback" not in done.err
    assert etlml("export", "small").code == 2


def test_a_file_that_is_not_there_is_wrong_use(etlml: Etlml, tmp_path: Path) -> None:
    done = etlml("apply", tmp_path / "no.yaml")
    assert (done.code, "No such file" in done.err) == (2, True)


def test_run_of_a_file_applies_it_runs_it_here_and_shows_the_steps(etlml: Etlml, small: Path, home: Path) -> None:
    done = etlml("run", small, "--wait")
    assert done.code == 0
    assert [line.split("  ")[:2] for line in done.out.splitlines()[:3]] == [
        ["numbers", "success"],
        ["some", "success"],
        ["save", "success"],
    ]
    assert "small success after" in done.out
    assert (home / "data" / "some.csv").read_text().split() == ["n,even", "2,true", "3,false", "4,true"]


def test_run_takes_parameters(etlml: Etlml, small: Path, home: Path) -> None:
    assert etlml("run", small, "--param", "least=4", "--wait").code == 0
    assert (home / "data" / "some.csv").read_text().split() == ["n,even", "4,true"]


def test_run_refuses_parameters_that_are_not_declared_or_not_pairs(etlml: Etlml, small: Path) -> None:
    unknown = etlml("run", small, "--param", "lest=4")
    assert (unknown.code, "least" in unknown.err) == (2, True)
    assert etlml("run", small, "--param", "least").code == 2


def test_run_without_a_worker_queues_and_says_what_to_do(etlml: Etlml, small: Path) -> None:
    done = etlml("run", small)
    assert done.code == 0
    assert "is queued" in done.out
    assert "No worker is up" in done.err
    assert etlml("runs", "--json").json[0]["status"] == "pending"


def test_run_that_fails_exits_with_1_and_says_why(etlml: Etlml, small: Path) -> None:
    steps = [
        *SMALL["steps"][:2],
        {"id": "check", "type": "validate", "config": {"rules": [{"rule": "between", "column": "n", "max": 3}]}},
    ]  # type: ignore[index]
    done = etlml("run", changed(small, steps=steps), "--wait")
    assert done.code == 1
    assert "small failed" in done.out
    assert "Error: Step 'check':" in done.err
    assert "Traceback" not in done.err


def test_run_of_an_unknown_pipeline_names_the_near_ones(etlml: Etlml, small: Path) -> None:
    etlml("apply", small)
    done = etlml("run", "smal")
    assert (done.code, done.err) == (2, "Error: There is no pipeline 'smal'. Did you mean 'small'?\n")


def test_run_gives_the_finished_run_as_json(etlml: Etlml, small: Path) -> None:
    done = etlml("run", small, "--wait", "--json")
    assert done.json["status"] == "success"
    assert [step["id"] for step in done.json["steps"]] == ["numbers", "some", "save"]


def test_export_gives_back_what_apply_takes(etlml: Etlml, small: Path, tmp_path: Path) -> None:
    etlml("apply", small)
    out = tmp_path / "exported.yaml"
    assert etlml("export", "small", "-o", out).code == 0
    assert out.read_text() == etlml("export", "small").out
    assert etlml("apply", out, "--json").json[0]["change"] == "unchanged"


def test_preview_shows_the_rows_that_an_op_changed(etlml: Etlml, tmp_path: Path) -> None:
    rows = {"kind": "inline", "rows": [{"id": 1, "x": None}, {"id": 2, "x": 5}]}
    steps = [
        {"id": "rows", "type": "extract", "config": {"source": rows}},
        {"id": "filled", "type": "transform", "config": {"ops": [{"op": "fill_null", "columns": {"x": 0}}]}},
    ]
    path = tmp_path / "filled.yaml"
    path.write_text(json.dumps({"name": "filled", "steps": steps}))
    done = etlml("preview", path, "filled", "--op", "1")
    assert " -> 0" in done.out
    assert len(done.out.splitlines()) == 2
    assert "x: 1 of 2 values changed" in done.err


def test_preview_shows_rows_and_sql_of_a_file_and_saves_nothing(etlml: Etlml, small: Path) -> None:
    step = SMALL["steps"][-1]["id"]
    done = etlml("preview", small, step, "--rows", "1")
    assert done.code == 0
    assert len(done.out.splitlines()) == 2
    assert "Computed on all rows." in done.err
    assert etlml("preview", small, "nonsense").code == 2
    assert etlml("runs", "--json").json == []


def test_run_until_a_step_skips_the_rest(etlml: Etlml, small: Path) -> None:
    first = SMALL["steps"][0]["id"]
    run = etlml("run", small, "--until", first, "--json").json
    assert run["until"] == first
    assert {step["status"] for step in run["steps"][1:]} == {"skipped"}
