"""What every source and sink is, and the world as it sees it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb
from pydantic import BaseModel, ConfigDict

from etlml.compute.relation import Relation
from etlml.compute.schema import Schema
from etlml.compute.session import Session
from etlml.connectors.stopping import stoppable_database

Mode = Literal["append", "overwrite", "merge"]
Log = Callable[[str, str], None]


@dataclass(frozen=True)
class Reading:
    """The world of a source while it reads.

    Attributes:
        name: The name of the relation it gives, and the start of the names of files that it may write in ``folder``.
        folder: The run's folder.
        data_dir: Where relative paths start.
        session: The run's DuckDB session.
        memory_bytes: Memory limit of a connection of its own.
        cancelled: Whether to stop.
        log: ``log(level, message)``.
        most_rows: At most so many rows are copied from a database or workbook (for a preview); None copies all.
    """

    name: str
    folder: Path
    data_dir: Path
    session: Session
    memory_bytes: int
    cancelled: Callable[[], bool]
    log: Log
    most_rows: int | None = None

    def own_file(self, suffix: str) -> Path:
        """A file of this source in the run's folder."""
        return self.folder / f"{self.name}.source{suffix}"

    def shortened(self, query: str) -> str:
        """The query, ended after ``most_rows`` rows if there is such a limit."""
        return query if self.most_rows is None else f"SELECT * FROM ({query}\n) LIMIT {self.most_rows}"

    def database(self, *extensions: str) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A DuckDB database of its own, with the packaged extensions; it stops when the run is cancelled."""
        return stoppable_database(
            folder=self.folder, memory_bytes=self.memory_bytes, cancelled=self.cancelled, extensions=extensions
        )


@dataclass(frozen=True)
class Writing:
    """The world of a sink while it writes; see Reading.

    Attributes:
        relation: The rows; lazy only if the sink's ``takes_lazy`` said that it may be.
        load_id: The same on every attempt of one load.
        mode: What becomes of the rows that the sink has already.
        keys: The columns by which a merge tells rows apart.
    """

    relation: Relation
    load_id: str
    mode: Mode
    keys: tuple[str, ...]
    name: str
    folder: Path
    data_dir: Path
    session: Session
    memory_bytes: int
    cancelled: Callable[[], bool]
    log: Log

    @property
    def checkpoint(self) -> Path:
        """The Parquet file that holds the rows."""
        if self.relation.path is None:
            raise ValueError(f"the rows of {self.relation.name!r} have not been computed")
        return self.relation.path

    def own_file(self, suffix: str) -> Path:
        """A file of this sink in the run's folder."""
        return self.folder / f"{self.name}.sink{suffix}"

    def database(self, *extensions: str) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A DuckDB database of its own, with the packaged extensions; it stops when the run is cancelled."""
        return stoppable_database(
            folder=self.folder, memory_bytes=self.memory_bytes, cancelled=self.cancelled, extensions=extensions
        )


@dataclass(frozen=True)
class Written:
    """What a load did.

    Attributes:
        rows: How many rows it brought.
        place: The file, or file and table, for the reader of the run.
        bytes: Size of the file afterwards.
        already_there: An earlier attempt of the same load had finished: nothing was done.
        warnings: Things that deserve a look.
    """

    rows: int
    place: str
    bytes: int | None = None
    already_there: bool = False
    warnings: tuple[str, ...] = ()


class Source(BaseModel, ABC):
    """One kind of place that rows come from; its fields are its stored, typed configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def check(self, data_dir: Path) -> Schema | None:
        """The columns, if they can be told now; None if there is nothing to read yet.

        Raises:
            EtlmlError: The configuration is wrong whatever the data will be.
        """

    @abstractmethod
    def read(self, reading: Reading) -> Relation:
        """The rows as a relation named ``reading.name``: lazy where DuckDB reads the files itself, else a Parquet file.

        Raises:
            DataUnreadable: What is wrong with the data, where, and the mend.
        """

    @abstractmethod
    def paths(self, data_dir: Path) -> Sequence[Path]:
        """The files on this machine that the rows come from; globs are expanded, missing files left out."""

    def reach(self, data_dir: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """The files and folders that the run's session must be able to read."""
        return tuple(self.paths(data_dir)), ()

    def fingerprint(self, data_dir: Path) -> str | None:
        """Text that changes whenever the rows may have; None if nobody can tell."""
        facts = [(path, path.stat()) for path in self.paths(data_dir) if path.exists()]
        return "\n".join(f"{path}|{stat.st_size}|{stat.st_mtime_ns}" for path, stat in facts) or None


class Sink(BaseModel, ABC):
    """One kind of place that rows go to. A load is all or nothing, and takes effect once for each load id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def check(self, data_dir: Path, schema: Schema | None, mode: Mode) -> None:
        """Find what is wrong with the configuration; ``schema`` is the input's, None while unknown."""

    @abstractmethod
    def write(self, writing: Writing) -> Written:
        """Load the rows.

        Raises:
            LoadFailed: Nothing was changed; the message says why and what to do.
            StepCancelled: Nothing was changed.
        """

    def takes_lazy(self, mode: Mode) -> bool:
        """Whether the rows may come as a query that is computed while they are written."""
        return False
