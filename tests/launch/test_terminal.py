"""What the processes say, and where it goes."""

import io
import json
import subprocess
import sys
from pathlib import Path

from etlml.launch.terminal import Terminal
from etlml.redaction import register_secrets


def test_each_line_carries_its_process_and_goes_to_its_file(tmp_path: Path) -> None:
    shown = io.StringIO()
    terminal = Terminal(tmp_path, stream=shown)
    terminal.write("api", "hello")
    terminal.write("ui", "there")
    terminal.close()
    assert shown.getvalue() == "api    | hello\nui     | there\n"
    assert (tmp_path / "api.log").read_text() == "hello\n"
    assert (tmp_path / "ui.log").read_text() == "there\n"


def test_the_tail_is_the_last_lines(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, stream=io.StringIO())
    for number in range(100):
        terminal.write("worker", f"line {number}")
    assert terminal.tail("worker")[-1] == "line 99"
    assert len(terminal.tail("worker")) == 20
    terminal.close()


def test_secrets_are_masked_on_the_terminal_and_in_the_file(tmp_path: Path) -> None:
    register_secrets(["hunter2-of-terminal"])
    shown = io.StringIO()
    terminal = Terminal(tmp_path, stream=shown)
    terminal.write("api", "password is hunter2-of-terminal")
    terminal.close()
    assert "hunter2" not in shown.getvalue() + (tmp_path / "api.log").read_text()


def test_json_wraps_plain_lines_and_leaves_json_lines_alone(tmp_path: Path) -> None:
    shown = io.StringIO()
    terminal = Terminal(tmp_path, format="json", stream=shown)
    terminal.write("worker", '{"level": "INFO", "message": "mine"}')
    terminal.write("worker", "plain")
    terminal.close()
    first, second = map(json.loads, shown.getvalue().splitlines())
    assert first == {"level": "INFO", "message": "mine"}
    assert (second["source"], second["message"]) == ("worker", "plain")


def test_what_a_process_prints_is_pumped_whatever_its_bytes(tmp_path: Path) -> None:
    shown = io.StringIO()
    terminal = Terminal(tmp_path, stream=shown)
    code = r"import sys; sys.stdout.buffer.write(b'caf\xc3\xa9\nbad \xff byte\n\nlast without newline')"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        terminal.pump("ui", process.stdout).join(timeout=30)
    terminal.close()
    assert (tmp_path / "ui.log").read_text(encoding="utf-8").splitlines() == [
        "café",
        "bad � byte",
        "last without newline",
    ]


def test_a_closed_terminal_does_not_stop_the_files(tmp_path: Path) -> None:
    shown = io.StringIO()
    terminal = Terminal(tmp_path, stream=shown)
    shown.close()
    terminal.write("api", "still written")
    terminal.close()
    assert (tmp_path / "api.log").read_text() == "still written\n"


def test_files_rotate(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("etlml.launch.terminal.FILE_BYTES", 1000)
    terminal = Terminal(tmp_path, stream=io.StringIO())
    for number in range(200):
        terminal.write("api", f"line {number:04d} of many")
    terminal.close()
    files = sorted(path.name for path in tmp_path.glob("api.log*"))
    assert files == ["api.log", "api.log.1", "api.log.2", "api.log.3"]
    assert all((tmp_path / name).stat().st_size <= 1000 for name in files)
