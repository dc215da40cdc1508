"""What each op does to columns: where they come from, in which words, and which columns it uses beside."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from etlml.compute.schema import Schema
from etlml.compute.sql import expression_columns
from etlml.errors import EtlmlError
from etlml.services.lineage.graph import How, Origin, Purpose, Use
from etlml.steps.ops.base import CURRENT, Inputs, Op, output_schema, sort_key
from etlml.steps.ops.code import Python, Sql
from etlml.steps.ops.columns import Cast, Rename
from etlml.steps.ops.combining import Join, Union
from etlml.steps.ops.grouping import Aggregate, Pivot, Window
from etlml.steps.ops.reshaping import Unnest, Unpivot
from etlml.steps.ops.rows import Dedupe, DropNull, Filter, Sort
from etlml.steps.ops.values import Derive, FillNull, Replace, Split
from etlml.steps.transform import TransformConfig

LONGEST = 160
Source = tuple[str, str]


@dataclass(frozen=True)
class Trace:
    """What is known of one column in the middle of a step."""

    sources: frozenset[Source]
    how: How = "same"
    texts: tuple[str, ...] = ()

    def through(self, how: How, text: str) -> "Trace":
        """After one more change."""
        return Trace(self.sources, how, (*self.texts, cut(text)))


@dataclass
class Traced:
    """The columns after some ops, by name; None once they cannot be told any more."""

    columns: dict[str, Trace] | None
    schema: Schema | None
    uses: list[Use] = field(default_factory=list)
    unknown: str = ""


def cut(text: str) -> str:
    """A text of at most ``LONGEST`` characters, on one line."""
    flat = " ".join(str(text).split())
    return flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 1]}…"


def traced(config: TransformConfig, inputs: Inputs) -> Traced:
    """The columns of a transform step, each with what it is made of."""
    first, schema = next(iter(inputs.items()))
    if schema is None:
        return Traced(None, None, unknown=f"The columns of {first} are not known.")
    at = Traced({name: Trace(frozenset({(first, name)})) for name in schema.names}, schema)
    for op in config.ops:
        if op.enabled:
            _apply(op, at, inputs)
    return at


def _apply(op: Op, at: Traced, inputs: Inputs) -> None:
    if isinstance(op, Python):
        at.columns, at.schema, at.unknown = None, None, "Python code makes the columns: unknown from here."
        return
    if at.columns is None or at.schema is None:
        return
    try:
        at.uses += [_use(at.columns, *each) for each in _uses(op, at.schema)]
        after = output_schema(op, at.schema, inputs)
        if after is None:
            words = (
                "The values of a column become columns" if isinstance(op, Pivot) else "The columns depend on the rows"
            )
            at.columns, at.schema, at.unknown = None, None, f"{words}: unknown from here."
            return
        at.columns = _after(op, at.columns, at.schema, after, inputs)
        at.schema = after
    except EtlmlError as error:
        at.columns, at.schema, at.unknown = None, None, f"The step cannot be followed: {error.message}"


def _after(op: Op, columns: Mapping[str, Trace], before: Schema, after: Schema, inputs: Inputs) -> dict[str, Trace]:
    """The columns after an op, in the order of its result."""
    origins = op.origins(before, after, inputs)
    words = {name.lower(): found for name, found in _words(op).items()}
    lowered = {name.lower(): trace for name, trace in columns.items()}
    result: dict[str, Trace] = {}
    for name in after.names:
        mine = [
            lowered[column.lower()]
            for table, column in sorted(origins.get(name, ()))
            if table == CURRENT and column.lower() in lowered
        ]
        others = frozenset(source for source in origins.get(name, ()) if source[0] != CURRENT)
        result[name] = _merged(mine, others, words.get(name.lower()), words.get("*"))
    return result


def _merged(
    mine: Sequence[Trace], others: frozenset[Source], word: tuple[How, str] | None, any_word: tuple[How, str] | None
) -> Trace:
    sources = others.union(*(trace.sources for trace in mine)) if mine else others
    texts = tuple(dict.fromkeys(text for trace in mine for text in trace.texts))
    if word is not None:
        return Trace(sources, texts=texts).through(*word)
    if any_word is not None and (others or any_word[0] == "query"):
        return Trace(sources, texts=texts).through(*any_word)
    if len(mine) == 1:
        return replace(mine[0], sources=sources)
    return Trace(sources, "changed" if texts else "same", texts)


def _words(op: Op) -> dict[str, tuple[How, str]]:
    """For the columns that an op changes: how, and in which words; ``*`` for those that come from elsewhere."""
    if isinstance(op, Rename):
        return {new: ("renamed", f"{old} renamed to {new}") for old, new in op.columns.items()}
    if isinstance(op, Cast):
        return {name: ("changed", f"{name} as {type_}") for name, type_ in op.columns.items()}
    if isinstance(op, Derive):
        return {name: ("expression", text) for name, text in op.columns.items()}
    if isinstance(op, Aggregate):
        return {name: ("aggregate", text) for name, text in op.columns.items()}
    if isinstance(op, Window):
        return {name: ("window", f"{text}{_over(op)}") for name, text in op.columns.items()}
    if isinstance(op, FillNull):
        return {name: ("changed", f"{name}, {value!r} where missing") for name, value in op.columns.items()}
    if isinstance(op, Replace):
        return {op.column: ("changed", f"{len(op.values)} values of {op.column} replaced")}
    if isinstance(op, Split):
        return dict.fromkeys(op.into, ("expression", f"part of {op.column}, split at {op.by!r}"))
    if isinstance(op, Join):
        return {"*": ("joined", f"joined from {op.with_} on {', '.join(_keys(op)[1])}")}
    if isinstance(op, Union):
        return {"*": ("joined", f"rows of {', '.join(op.with_)} put below")}
    return _reshaped_words(op)


def _reshaped_words(op: Op) -> dict[str, tuple[How, str]]:
    if isinstance(op, Pivot):
        return {
            str(value): ("aggregate", f"{op.agg}({op.values}) where {op.on} is {value}") for value in op.columns or ()
        }
    if isinstance(op, Unpivot):
        return {
            op.name: ("expression", "the name of the column that became a row"),
            op.value: ("changed", "columns turned into rows"),
        }
    if isinstance(op, Unnest):
        return {op.column: ("changed", f"one row for each item of {op.column}")}
    if isinstance(op, Sql):
        return {"*": ("query", op.query)}
    return {}


def _over(op: Window) -> str:
    by = f" by {', '.join(op.by)}" if op.by else ""
    return by + (f" in order of {', '.join(op.order_by)}" if op.order_by else "")


def _keys(op: Join) -> tuple[Sequence[str], Sequence[str]]:
    return (op.on or op.left_on or [], op.on or op.right_on or [])


Found = tuple[Purpose, str, Iterable[str], Iterable[Source]]


def _uses(op: Op, schema: Schema) -> Iterator[Found]:
    """What an op does with columns beside making others of them: purpose, words, own columns, columns of other inputs."""
    if isinstance(op, Filter):
        yield "filter", op.where, expression_columns(op.where, schema), ()
    elif isinstance(op, DropNull):
        yield "filter", "rows without a value are left out", op.columns or schema.names, ()
    elif isinstance(op, Dedupe):
        yield "filter", "one row of those that agree", op.keys or schema.names, ()
        if op.order_by:
            yield (
                "order",
                f"the first by {', '.join(op.order_by)}",
                [sort_key(key, schema)[0] for key in op.order_by],
                (),
            )
    elif isinstance(op, Sort):
        yield "order", f"sorted by {', '.join(op.by)}", [sort_key(key, schema)[0] for key in op.by], ()
    elif isinstance(op, Aggregate) and op.by:
        yield "group key", f"grouped by {', '.join(op.by)}", op.by, ()
    elif isinstance(op, Window) and (op.by or op.order_by):
        yield "group key", f"window{_over(op)}", [*op.by, *(sort_key(key, schema)[0] for key in op.order_by)], ()
    elif isinstance(op, Pivot):
        yield "group key", f"pivot on {op.on}", [*op.index, op.on], ()
    elif isinstance(op, Join):
        left, right = _keys(op)
        yield "join key", f"{op.how} join with {op.with_}", left, [(op.with_, column) for column in right]


def _use(
    columns: Mapping[str, Trace], purpose: Purpose, text: str, own: Iterable[str], others: Iterable[Source]
) -> Use:
    lowered = {name.lower(): trace for name, trace in columns.items()}
    sources = {source for name in own for source in lowered[name.lower()].sources} | set(others)
    return Use(
        purpose=purpose, text=cut(text), origins=[Origin(step=step, column=column) for step, column in sorted(sources)]
    )
