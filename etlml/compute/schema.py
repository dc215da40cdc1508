"""The columns of a relation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from etlml.errors import ColumnMissing


@dataclass(frozen=True)
class Column:
    """A column's name and its type in DuckDB's words, such as ``BIGINT`` or ``TIMESTAMP WITH TIME ZONE``."""

    name: str
    type: str


@dataclass(frozen=True)
class Schema:
    """The columns of a relation in their order; names are looked up without regard to case, as DuckDB does."""

    columns: tuple[Column, ...]

    @classmethod
    def of(cls, columns: Sequence[tuple[str, str]]) -> "Schema":
        """From (name, type) pairs."""
        return cls(tuple(Column(name, type_) for name, type_ in columns))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_lower()

    def column(self, name: str, *, where: str = "the input") -> Column:
        """The column of that name.

        Raises:
            ColumnMissing: There is none; the message names the nearest. ``where`` says whose columns were searched.
        """
        found = self._by_lower().get(name.lower())
        if found is None:
            raise ColumnMissing(name, self.names, where=where)
        return found

    def require(self, names: Sequence[str], *, where: str = "the input") -> tuple[Column, ...]:
        """The columns of those names, in that order; ColumnMissing for the first that is not there."""
        return tuple(self.column(name, where=where) for name in names)

    def as_dict(self) -> dict[str, str]:
        """Name to type, in order."""
        return {column.name: column.type for column in self.columns}

    def as_json(self) -> list[dict[str, Any]]:
        """``[{"name": ..., "type": ...}]``, in order."""
        return [{"name": column.name, "type": column.type} for column in self.columns]

    def _by_lower(self) -> dict[str, Column]:
        return {column.name.lower(): column for column in self.columns}
