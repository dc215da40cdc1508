"""The files in ETLML_HOME/data: found, added, and looked into for their tables."""

import os
import re
import shutil
import threading
import time
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from filecmp import cmp
from itertools import count, islice
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal, get_args

from etlml.compute.duck import open_database
from etlml.compute.scratch import scratch
from etlml.connectors import duckdb_files, sqlite_files
from etlml.connectors.formats import Format, kind_of, known_extensions
from etlml.connectors.guards import alone_in_process
from etlml.connectors.places import located
from etlml.errors import ConfigInvalid, Unavailable
from etlml.services.audit import AuditService
from etlml.services.principals import LOCAL_NAME
from etlml.settings import Settings

DataKind = Literal[Format, "sqlite", "duckdb"]
FORMATS: frozenset[str] = frozenset(get_args(Format))
UPLOADS = "uploads"
_DATABASES: dict[str, DataKind] = {".sqlite": "sqlite", ".sqlite3": "sqlite", ".db": "sqlite", ".duckdb": "duckdb"}
EXTENSIONS: tuple[str, ...] = tuple(sorted({*known_extensions(), *_DATABASES}))
"""What an added file's name may end with."""
_MOST_SEEN = 20_000
_LONGEST_NAME = 120
_FRESH_S = 2.0  # a form asks at every edit


@dataclass(frozen=True)
class DataFile:
    """One file that a step can read; ``path`` is as a source's ``path`` takes it."""

    path: str
    kind: DataKind
    bytes: int
    modified_at: datetime


class DataFileService:
    """Lists, adds and looks into data files. Thread-safe."""

    def __init__(self, audit: AuditService, environment: Settings) -> None:
        self._audit = audit
        self._data_dir = environment.data_dir
        self._lock = threading.Lock()
        self._listed: tuple[float, Sequence[DataFile]] = (-_FRESH_S, ())
        self._tables: dict[tuple[str, int, int], Sequence[str]] = {}

    def list(
        self, *, q: str | None = None, kinds: Collection[str] | None = None, limit: int = 200
    ) -> Sequence[DataFile]:
        """The files that a step can read, newest first; hidden ones are left out.

        Args:
            q: Part of the path.
            kinds: Only these: file formats, ``sqlite``, ``duckdb``.
            limit: At most so many.
        """
        text = (q or "").casefold()
        fitting = (
            each for each in self._all() if text in each.path.casefold() and (kinds is None or each.kind in kinds)
        )
        return list(islice(fitting, limit))

    def add(self, name: str, content: IO[bytes], *, replace: bool = False, author: str = LOCAL_NAME) -> DataFile:
        """Keep a file in ``uploads``. Nothing is lost: other content under a taken name gets the next free number.

        Args:
            name: Its name; of a path the last part.
            content: Its bytes, read to the end.
            replace: Put it in the place of the file of that name instead.

        Raises:
            ConfigInvalid: The name tells no format that can be read, or the file is empty.
            Unavailable: There is no room, or no right to write.
        """
        name = _checked_name(name)
        kind = data_kind(Path(name))
        folder = self._data_dir / UPLOADS
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with scratch("upload") as own:
                given = own / name
                with given.open("wb") as file:
                    shutil.copyfileobj(content, file, 2**20)
                if given.stat().st_size == 0:
                    raise ConfigInvalid(f"The file {name} is empty (0 bytes). Choose one with data.", field="file")
                target = folder / name if replace else _free(given, folder)
                partial = target.with_name(f".{target.name}.partial")
                shutil.move(given, partial)
                partial.replace(target)
        except OSError as error:
            raise Unavailable(f"{name} can't be kept in {folder}: {error.strerror or error}.") from None
        added = _described(target, self._data_dir, kind)
        with self._lock:
            self._listed = (-_FRESH_S, ())
        self._audit.record(author, "added", "file", added.path, bytes=added.bytes)
        return added

    def tables(self, path: str) -> Sequence[str]:
        """The tables and views of a database file, by name.

        Raises:
            DataUnreadable: It is missing, damaged, or no database.
        """
        file = located(path, self._data_dir)
        kind = data_kind(file)
        if kind not in ("sqlite", "duckdb"):
            raise ConfigInvalid(f"{file.name} is a {kind} file, which has no tables.", field="path")
        module = sqlite_files if kind == "sqlite" else duckdb_files
        module.refuse_other_file(file)
        facts = file.stat()
        key = (str(file), facts.st_mtime_ns, facts.st_size)
        with self._lock:
            if (known := self._tables.get(key)) is not None:
                return known
        found = _tables_of(file, kind)
        with self._lock:
            if len(self._tables) > 100:
                self._tables.clear()
            self._tables[key] = found
        return found

    def source(self, path: str) -> dict[str, Any]:
        """The configuration of a step that reads the file; of a database its first table."""
        kind = data_kind(Path(path))
        if kind in FORMATS:
            return {"kind": "file", "path": path}
        names = self.tables(path)
        if not names:
            raise ConfigInvalid(f"The database {path} has no tables yet.", field="path")
        return {"kind": kind, "path": path, "table": names[0]}

    def reader(self, path: str) -> dict[str, Any]:
        """The steps of a pipeline that reads the file and does nothing else: ``{"steps": [...]}``."""
        return {"steps": [{"id": step_id(path), "type": "extract", "config": {"source": self.source(path)}}]}

    def _all(self) -> Sequence[DataFile]:
        with self._lock:
            at, known = self._listed
            if time.monotonic() - at < _FRESH_S:
                return known
        found = sorted(_found(self._data_dir), key=lambda each: each.modified_at, reverse=True)
        with self._lock:
            self._listed = (time.monotonic(), found)
        return found


def data_kind(path: Path) -> DataKind:
    """What a file's name says that it is.

    Raises:
        ConfigInvalid: The extension says nothing.
    """
    return _DATABASES.get(path.suffix.lower()) or kind_of(path, field="file").format


def plain_stem(path: str) -> str:
    """A file's name without what follows its first dot, in letters that every name may have: ``Übersicht`` is ``Ubersicht``."""
    stem = PurePosixPath(path).name.partition(".")[0]
    return unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()


def step_id(path: str) -> str:
    """A step's id from a file's name: ``Orders 2024.csv`` becomes ``orders_2024``."""
    stem = plain_stem(path)
    words = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")[:40].rstrip("_")
    return words if words[:1].isalpha() else f"read_{words}".rstrip("_")


def _found(data_dir: Path) -> Iterator[DataFile]:
    for path in islice(_walked(data_dir), _MOST_SEEN):
        try:
            yield _described(path, data_dir, data_kind(path))
        except (ConfigInvalid, OSError):
            continue  # not for a step to read, or gone meanwhile


def _walked(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(where, name) for name in names if not name.startswith("."))


def _described(path: Path, data_dir: Path, kind: DataKind) -> DataFile:
    facts = path.stat()
    shown = PurePosixPath(path.relative_to(data_dir)).as_posix()
    return DataFile(shown, kind, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))


def _tables_of(file: Path, kind: str) -> list[str]:
    with alone_in_process(file, lambda: False):
        if kind == "sqlite":
            with sqlite_files.reading(file, timeout_s=2) as connection:
                return [name for name in sqlite_files.tables(connection) if not name.startswith("_etlml")]
        with closing(open_database()) as connection:
            duckdb_files.attach(connection, file, "source", lambda: False, read_only=True, busy_s=0.5)
            names = duckdb_files.table_names(connection, "source")
    return [name if schema == "main" else f"{schema}.{name}" for schema, name in names if not name.startswith("_etlml")]


def _checked_name(name: str) -> str:
    last = unicodedata.normalize("NFC", name.replace("\\", "/")).rpartition("/")[2]
    clean = "".join(each if each.isprintable() and each not in '<>:"|?*' else "_" for each in last).strip(" .")
    if not clean or len(clean) > _LONGEST_NAME:
        raise ConfigInvalid(f"A file's name has 1 to {_LONGEST_NAME} characters. Rename it.", field="file")
    return clean


def _free(given: Path, folder: Path) -> Path:
    """Where to put a file: under its name, the next free number, or where the same content lies already."""
    stem, dot, rest = given.name.partition(".")
    names = (given.name if number == 1 else f"{stem}-{number}{dot}{rest}" for number in count(1))
    targets = (folder / name for name in names)
    return next(each for each in targets if not each.exists() or cmp(given, each, shallow=False))
