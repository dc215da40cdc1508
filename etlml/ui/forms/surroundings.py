"""What a form may offer for choice, and where its edits go."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

Values = dict[str, Any]


TYPES = (
    "int",
    "float",
    "string",
    "bool",
    "date",
    "datetime",
    "BIGINT",
    "DOUBLE",
    "VARCHAR",
    "BOOLEAN",
    "DATE",
    "TIMESTAMP",
    "DECIMAL(18,2)",
)


@dataclass(frozen=True)
class Surroundings:
    """What a form may offer for choice.

    Attributes:
        key: Start of the widgets' keys; a change of it starts them afresh.
        columns: Names of the input's columns.
        inputs: Ids of the steps whose results come in.
        changed: Called with a whole new value of the form when its structure changes (an op is added, moved, removed).
        disabled: Whether nothing may be changed.
        before_ops: Gives for each op the columns that come into it, as far as they are known.
        by_input: The columns of each input.
        partner: Within an op that takes a second input: the columns of that one.
        offers: What other fields choose among, by the sort of the field; asked when the field is drawn.
        lines: Filled with a place under each op's card, by the op's place in the list.
    """

    key: str
    columns: Sequence[str] = ()
    inputs: Sequence[str] = ()
    changed: Callable[[Values], None] = field(default=lambda _: None)
    disabled: bool = False
    lines: dict[int, Any] = field(default_factory=dict)
    before_ops: Callable[[], Sequence[Sequence[str]]] = tuple
    by_input: Mapping[str, Sequence[str]] = field(default_factory=dict)
    partner: Sequence[str] | None = None
    offers: Mapping[str, Callable[[], Sequence[str]]] = field(default_factory=dict)

    def inside(self, name: str) -> "Surroundings":
        """The same, for a part."""
        return replace(self, key=f"{self.key}.{name}")


@lru_cache(maxsize=1)
def algorithms() -> list[str]:
    """The algorithms that can be trained, as they are written in a configuration."""
    from etlml.ml.algorithms import known_algorithms, snake_case

    return sorted(snake_case(name) for name in known_algorithms())


def offered(picks: str, around: Surroundings) -> list[str]:
    """What a field of that sort may be filled with."""
    if picks in around.offers:
        return list(around.offers[picks]())
    if picks == "column":
        return list(around.columns)
    if picks == "partner":
        return list(around.columns if around.partner is None else around.partner)
    if picks == "sort":
        return [*around.columns, *(f"-{name}" for name in around.columns)]
    if picks == "algorithm":
        return algorithms()
    if picks == "input":
        return list(around.inputs)
    return list(TYPES) if picks == "type" else []
