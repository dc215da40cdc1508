"""The README's example does what the README says."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Etlml

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)


def block(kind: str, containing: str = "") -> str:
    """The text of the first fenced block of a kind that contains something."""
    return next(str(text) for found, text in BLOCKS if found == kind and containing in text)


def masked(text: str) -> str:
    """Without what differs from run to run: durations and ids."""
    return re.sub(r"\d[\d.]* (?:ms|s|min \d\d s)\b", "TIME", re.sub(r"run [0-9a-f]{20}", "run ID", text))


@pytest.mark.slow
def test_the_example_prints_and_writes_what_is_shown(etlml: Etlml, home: Path, tmp_path: Path) -> None:
    (tmp_path / "late.yaml").write_text(block("yaml"))
    done = etlml("run", tmp_path / "late.yaml", "--wait")
    assert done.code == 0, done.err
    assert masked(done.out) == masked(block("", "success"))
    head = block("console", "head -3").splitlines()
    assert head[0] == "$ head -3 ~/.etlml/data/late.csv"
    assert (home / "data" / "late.csv").read_text().splitlines()[:3] == head[1:]
