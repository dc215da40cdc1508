"""Temporary files of a process go with it, however it ends."""

import shutil
import subprocess
import sys
from pathlib import Path

from etlml.compute.scratch import remove_abandoned, scratch, scratch_folder

HOLD = """
import sys
from etlml.compute.scratch import scratch_folder
folder = scratch_folder("copies")
(folder / "rows.parquet").write_bytes(b"rows")
print(folder, flush=True)
sys.stdin.readline()
"""


def holder(tmp_path: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that keeps a file in a folder of its own below ``tmp_path``."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "TMP": str(tmp_path)},
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_lasts_as_long_as_its_block() -> None:
    with scratch("copies") as folder:
        (folder / "rows.parquet").write_bytes(b"rows")
    assert not folder.exists()


def test_a_process_takes_its_folders_with_it(tmp_path: Path) -> None:
    process, folder = holder(tmp_path)
    assert (folder / "rows.parquet").exists()
    process.communicate("\n")
    assert list(tmp_path.iterdir()) == []


def test_the_folders_of_a_killed_process_are_removed_and_those_of_a_living_one_stay(tmp_path: Path) -> None:
    killed, left = holder(tmp_path)
    living, kept = holder(tmp_path)
    killed.kill()
    killed.communicate()
    assert left.exists()
    remove_abandoned(tmp_path)
    assert not left.parent.exists()
    assert (kept / "rows.parquet").exists()
    living.communicate("\n")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_comes_back_where_something_cleared_the_temporary_files() -> None:
    shutil.rmtree(scratch_folder("copies").parent)
    with scratch("copies") as second:
        assert second.is_dir()
