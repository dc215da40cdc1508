"""The command line as a person uses it, within this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pymongo.database import Database

from etlml.cli import main
from etlml.services import Services
from etlml.settings import get_settings
from etlml.store import Store
from etlml.store.encoding import Document
from tests.snapshot import Snapshot

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


@pytest.fixture(scope="session")
def _examples() -> Snapshot:
    return Snapshot()


@pytest.fixture
def etlml(
    home: Path,
    mongo_uri: str,
    mongo_database: Database[Document],
    capsys: pytest.CaptureFixture[str],
    _examples: Snapshot,
) -> Etlml:
    """Runs a command on an installation with the examples alone (the first command would make them in 0.2 s)."""
    new = Services(Store(mongo_database, indexes=False), get_settings())
    _examples.fill(mongo_database, new.workspace.install_examples)

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
