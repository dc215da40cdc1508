"""Paths of sources and sinks: where they start, what a glob means, what may not be written."""

import glob
import os
import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from etlml.errors import ConfigInvalid, DataUnreadable, did_you_mean

_MAGIC = re.compile(r"[*?\[]")
PARTITION = re.compile(r"^[^=/]+=[^/]*$")


def located(path: str, data_dir: Path) -> Path:
    """The absolute path; a relative one starts at ``data_dir``, ``~`` is the user's home."""
    # Not resolve(): a symbolic link to today's file should stay one in messages and fingerprints.
    return Path(os.path.abspath(data_dir / Path(path).expanduser()))  # noqa: PTH100


def expanded(path: str, data_dir: Path) -> list[Path]:
    """The files that ``path`` means, sorted: itself, a glob's matches, or all files of a folder; hidden ones are left out."""
    start = located(path, data_dir)
    if start.is_file():
        return [start]
    if start.is_dir():
        found = (each for each in start.rglob("*") if not _is_hidden(each.relative_to(start)))
    elif is_glob(path):
        found = (Path(each) for each in glob.iglob(str(start), recursive=True))  # noqa: PTH207 - pathlib's takes no absolute pattern
    else:
        return []
    return sorted(each for each in found if each.is_file())


def found_files(path: str, data_dir: Path) -> list[Path]:
    """Like ``expanded``, for when there have to be some.

    Raises:
        DataUnreadable: There is none; or one is empty or may not be read.
    """
    files = expanded(path, data_dir)
    if not files:
        raise DataUnreadable(_missing(path, data_dir), path=str(located(path, data_dir)))
    for file in files:
        refuse_unusable(file)
    return files


def refuse_unusable(file: Path) -> None:
    """Refuse a file without a byte, or without the right to read it."""
    if not os.access(file, os.R_OK):
        raise DataUnreadable(
            f"The file {file} may not be read. Give its reading right to the user who runs etlml.", path=str(file)
        )
    if file.stat().st_size == 0:
        raise DataUnreadable(
            f"The file {file} is empty (0 bytes). Put the data there, or correct the path.", path=str(file)
        )


def reachable(path: str, data_dir: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The files and the folders that must be in reach to read ``path``, also when its files arrive only later."""
    start = located(path, data_dir)
    if start.is_dir():
        return (), (start,)
    if not is_glob(path):
        return (start,), ()
    fixed = takewhile(lambda part: not is_glob(part), start.parts)
    return (), (Path(*fixed),)


def is_glob(path: str) -> bool:
    """Whether the path has *, ? or [ in it."""
    return _MAGIC.search(path) is not None


def is_partitioned(files: Sequence[Path]) -> bool:
    """Whether files lie in folders named like ``year=2013``."""
    return any(PARTITION.match(part) for file in files for part in file.parts[:-1])


def refuse_own_folders(target: Path, data_dir: Path, *, field: str = "sink.path") -> None:
    """Refuse to write where the platform keeps its own files."""
    home = data_dir.resolve().parent
    for own in ("mongod", "runs", "models"):
        if target.resolve().is_relative_to(home / own):
            raise ConfigInvalid(
                f"A sink cannot write into {home / own}: etlml keeps its own files there. "
                f"Choose a path elsewhere, such as out/{target.name}.",
                field=field,
            )


def _is_hidden(relative: Path) -> bool:
    return any(part.startswith(".") for part in relative.parts)


def _missing(path: str, data_dir: Path) -> str:
    start = located(path, data_dir)
    if start.is_dir():
        return f"The folder {start} holds no files. Put the data there, or correct the path."
    if is_glob(path):
        return f"No file matches {start}. Correct the pattern: * stands for any part of a name, ** for any folders."
    return f"There is no file {start}. {_mend(start, data_dir)}"


def _mend(start: Path, data_dir: Path) -> str:
    if not start.parent.is_dir():
        return f"Its folder {start.parent} does not exist either. Relative paths start at {data_dir}."
    names = [each.name for each in start.parent.iterdir() if not each.name.startswith(".")]
    return (
        did_you_mean(start.name, names)
        if names
        else f"The folder {start.parent} is empty. Relative paths start at {data_dir}."
    )
