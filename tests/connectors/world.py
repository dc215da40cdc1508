"""A small world for sources and sinks: a data folder, and a run of its own for every read and load."""

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from pydantic import TypeAdapter

from etlml.compute.relation import Query
from etlml.compute.schema import Schema
from etlml.compute.session import Session
from etlml.connectors.base import Mode, Reading, Sink, Source, Writing, Written
from etlml.connectors.sinks import AnySink
from etlml.connectors.sources import AnySource

Config = dict[str, Any]
Row = tuple[Any, ...]
_SOURCE: TypeAdapter[Source] = TypeAdapter(AnySource)
_SINK: TypeAdapter[Sink] = TypeAdapter(AnySink)
MEMORY = 512 << 20


def never() -> bool:
    return False


class World:
    """``data`` is where relative paths start; ``runs`` holds one folder a read or load."""

    def __init__(self, home: Path) -> None:
        self.data, self.runs = home / "data", home / "runs"
        self.data.mkdir(parents=True, exist_ok=True)
        self._numbers = count()
        self.log: list[tuple[str, str]] = []

    def file(self, name: str, content: str | bytes) -> Path:
        """A file in the data folder."""
        path = self.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def check(self, config: Config) -> Schema | None:
        return _SOURCE.validate_python(config).check(self.data)

    def read(self, config: Config, sql: str = "SELECT * FROM src") -> list[Row]:
        """The rows of a source, through a session that is shut in as a run's is."""
        return self.relation(config, sql)[1]

    def schema(self, config: Config) -> dict[str, str]:
        return self.relation(config, "SELECT 1")[0].as_dict()

    def relation(self, config: Config, sql: str) -> tuple[Schema, list[Row]]:
        source = _SOURCE.validate_python(config)
        folder = self._folder()
        with Session(folder, memory_bytes=MEMORY, readable=source.paths(self.data)) as session:
            reading = Reading("src", folder, self.data, session, MEMORY, never, self._log)
            relation = source.read(reading)
            return relation.schema, session.rows(sql)

    def load(
        self,
        config: Config,
        rows: str,
        mode: Mode = "overwrite",
        keys: Sequence[str] = (),
        *,
        load_id: str | None = None,
        lazy: bool = False,
        cancelled: Callable[[], bool] = never,
    ) -> Written:
        """Load the rows of a SELECT into a sink; nothing but the checkpoint may be left in the run's folder."""
        sink = _SINK.validate_python(config)
        folder = self._folder()
        with Session(folder, memory_bytes=MEMORY) as session:
            relation = session.define("rows", Query(rows))
            sink.check(self.data, relation.schema, mode)
            if not lazy:
                relation = session.materialise(relation, folder / "rows.parquet")
            identity = load_id or f"load-{folder.name}"
            writing = Writing(
                relation, identity, mode, tuple(keys), "out", folder, self.data, session, MEMORY, cancelled, self._log
            )
            try:
                return sink.write(writing)
            finally:
                left = {each.name for each in folder.iterdir()} - {"rows.parquet", "spill"}
                assert not left, left

    def leftovers(self) -> list[str]:
        """Files that only a load going on may have."""
        signs = (".partial", ".new", "-journal", "-wal", ".wal", ".etlml-old")
        return [each.name for each in self.data.rglob("*") if each.name.endswith(signs)]

    def _folder(self) -> Path:
        self.runs.mkdir(exist_ok=True)
        return Path(mkdtemp(prefix=f"{next(self._numbers)}-", dir=self.runs))

    def _log(self, level: str, message: str) -> None:
        self.log.append((level, message))
