"""runs, logs, cancel and retry."""

import gzip
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Etlml


@pytest.fixture
def done(etlml: Etlml, small: Path) -> str:
    """The id of a run that succeeded."""
    return str(etlml("run", small, "--wait", "--json").json["id"])


def test_runs_are_listed_newest_first(etlml: Etlml, small: Path, done: str) -> None:
    etlml("run", small)
    lines = [line.split("\t") for line in etlml("runs").out.splitlines()]
    assert lines[0][:3] == ["RUN", "PIPELINE", "STATUS"]
    assert [line[2] for line in lines[1:]] == ["pending", "success"]
    assert lines[2][0] == done


def test_runs_can_be_narrowed(etlml: Etlml, small: Path, done: str) -> None:
    etlml("run", small)
    assert [run["id"] for run in etlml("runs", "small", "--status", "success", "--json").json] == [done]
    assert len(etlml("runs", "-n", "1", "--json").json) == 1
    assert etlml("runs", "--status", "sucess").code == 2


def test_no_runs_say_how_to_start_one(etlml: Etlml) -> None:
    done = etlml("runs")
    assert (done.out, "etlml run NAME" in done.err) == ("", True)
    assert etlml("runs", "--json").json == []


def test_logs_are_printed_oldest_first_and_follow_ends_with_the_run(etlml: Etlml, done: str) -> None:
    lines = etlml("logs", done, "-f").out.splitlines()
    assert "started" in lines[0]
    assert "success" in lines[-1]
    documents = [json.loads(line) for line in etlml("logs", done, "--json").out.splitlines()]
    assert {document["run_id"] for document in documents} == {done}
    assert len(documents) == len(lines)


def test_the_beginning_of_an_id_is_enough(etlml: Etlml, done: str) -> None:
    assert etlml("logs", done[:-2]).out == etlml("logs", done).out


def test_an_unknown_run_is_wrong_use(etlml: Etlml) -> None:
    ran = etlml("logs", "nothing")
    assert (ran.code, ran.err) == (2, "Error: There is no run 'nothing'.\n")


def test_cancel_takes_a_waiting_run_from_the_queue_once(etlml: Etlml, small: Path) -> None:
    run_id = etlml("run", small, "--json").json["id"]
    assert f"Run {run_id} of small is cancelled" in etlml("cancel", run_id).out
    again = etlml("cancel", run_id)
    assert (again.code, "cancelled already" in again.err) == (1, True)


def test_retry_takes_over_what_is_done(etlml: Etlml, done: str) -> None:
    again = etlml("retry", done, "--from", "save", "--wait", "--json").json
    assert again["retry_of"] == done
    assert again["status"] == "success"
    assert etlml("retry", done, "--from", "nowhere").code == 2


class TestLogsOfEverything:
    def test_are_filtered_by_level_text_and_time(self, etlml: Etlml, done: str) -> None:
        assert done
        lines = etlml("logs", "--all", "--since", "1h").out.splitlines()
        assert lines
        assert etlml("logs", "--all", "--since", "1h", "--q", "no such text at all").out == ""
        assert etlml("logs", "--all", "--level", "critical").out == ""

    def test_equal_problems_are_counted(self, etlml: Etlml, done: str) -> None:
        assert isinstance(json.loads(etlml("logs", "--all", "--groups", "--json").out), list)

    def test_are_counted_over_time(self, etlml: Etlml, done: str) -> None:
        counted = etlml("logs", "--all", "--histogram", "--since", "1h", "--buckets", "6", "--json").json
        lines = etlml("logs", "--all", "--since", "1h", "--limit", "1000").out.splitlines()
        assert sum(sum(each["levels"].values()) for each in counted) >= len(lines) > 0
        assert etlml("logs", done, "--histogram", "--q", "no such text", "--json").json == []
        assert "█" in etlml("logs", done, "--histogram").out

    def test_of_a_run_are_searched_by_a_pattern(self, etlml: Etlml, done: str) -> None:
        assert etlml("logs", done, "--q", "^run of .* started", "--regex").out.count("started") == 1
        assert etlml("logs", done, "--q", "(a", "--regex").code == 2
        assert etlml("logs", "--all", "--pipeline", "no-such").code == 2

    def test_are_saved_as_a_file(self, etlml: Etlml, done: str, tmp_path: Path) -> None:
        plain, packed = tmp_path / "all.log", tmp_path / "all.jsonl.gz"
        assert etlml("logs", done, "--output", str(plain)).code == 0
        etlml("logs", done, "--output", str(packed))
        documents = [json.loads(line) for line in gzip.decompress(packed.read_bytes()).splitlines()]
        assert len(plain.read_text().splitlines()) >= len(documents) > 0
        assert {each["run_id"] for each in documents} == {done}

    def test_a_run_or_all_has_to_be_named_and_a_time_be_a_time(self, etlml: Etlml) -> None:
        assert etlml("logs").code == 2
        assert etlml("logs", "--all", "--since", "yesterday").code == 2
