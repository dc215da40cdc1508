"""The command line as a person uses it, within this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from etlml.cli import main

SMALL = {
    "name": "small",
    "params": {"least": 2},
    "steps": [
        {
            "id": "numbers",
            "type": "extract",
            "config": {"source": {"kind": "inline", "rows": [{"n": n, "even": n % 2 == 0} for n in range(5)]}},
        },
        {"id": "some", "type": "transform", "config": {"ops": [{"op": "filter", "where": "n >= ${params.least}"}]}},
        {"id": "save", "type": "load", "config": {"sink": {"kind": "file", "path": "some.csv"}, "mode": "overwrite"}},
    ],
}


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Etlml = Callable[..., Ran]


@pytest.fixture
def etlml(home: Path, mongo_uri: str, capsys: pytest.CaptureFixture[str]) -> Etlml:
    """Runs a command on an empty installation."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else int(bool(code)), printed.out, printed.err)

    return run


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file with a small pipeline."""
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL, sort_keys=False))
    return path
