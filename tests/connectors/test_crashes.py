"""Loads survive kill -9 at any moment: every load is there whole and once, whatever was cut off."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from etlml.connectors.base import Mode
from tests.connectors import crashing_child
from tests.connectors.kinds import SINKS, source_of
from tests.connectors.world import World

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("ETLML_TEST_KILLS", "3"))  # more of them for a long night
LOADS = 4 * KILLS


def started(world: World, kind: str, mode: Mode) -> subprocess.Popen[bytes]:
    # runs/ is the World's own, whose folders are numbered anew in every process
    arguments = [str(world.runs.parent), kind, mode, str(LOADS)]
    child = subprocess.Popen(
        [sys.executable, "-m", crashing_child.__name__, *arguments], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    return child


def after_kills(world: World, kind: str, mode: Mode) -> None:
    dice = random.Random(f"{kind} {mode}")
    for _ in range(KILLS):
        child = started(world, kind, mode)
        try:
            child.wait(timeout=dice.uniform(0.02, 0.25))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        child.communicate()
    child = started(world, kind, mode)
    assert child.communicate() is not None
    assert child.returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(
            (kind, mode)
            for kind in ("parquet", "csv.gz", "parquet folder", "sqlite", "duckdb")
            for mode in ("append", "merge")
        ),
        ("jsonl", "append"),
        ("parquet", "overwrite"),
        ("sqlite", "overwrite"),
        ("duckdb", "overwrite"),
    ],
)
def test_every_load_is_whole_and_once_after_kills(tmp_path: Path, kind: str, mode: Mode) -> None:
    world = World(tmp_path / "home")
    after_kills(world, kind, mode)
    counts = Counter(dict(world.read(source_of(SINKS[kind]), "SELECT v, count(*) FROM src GROUP BY v")))
    whole, half = crashing_child.ROWS, crashing_child.ROWS // 2
    if mode == "append":
        assert counts == {f"n{number}": whole for number in range(LOADS)}
    elif mode == "merge":
        assert counts == {f"n{number}": whole if number == LOADS - 1 else half for number in range(LOADS)}
    else:
        assert counts == {f"n{LOADS - 1}": whole}
    assert world.leftovers() == []
