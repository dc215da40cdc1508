"""Rules on data that belong to no run: a file, or a few columns that somebody sent."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from etlml.compute.relation import Relation
from etlml.compute.scratch import scratch
from etlml.compute.session import Session
from etlml.connectors.base import Reading
from etlml.connectors.file_source import FileSource
from etlml.documents import Validation
from etlml.validation.columns import written_columns
from etlml.validation.profile import profile_of
from etlml.validation.step_rules import RuleDocument, check_rules, typed_rules, validation

MEMORY_BYTES = 2**30
Data = Path | str | Mapping[str, Sequence[Any]]


def validate_data(
    data: Data,
    rules: Sequence[RuleDocument],
    *,
    name: str = "",
    profile: bool = False,
    memory_bytes: int = MEMORY_BYTES,
) -> Validation:
    """Check data against rules; broken rules are the finding, not an error.

    Args:
        data: A file's path (any format that an extract step reads; a glob too), or columns ``{"column": [values]}``.
        rules: As in a pipeline: ``[{"rule": "not_null", "column": "flight"}]``.
        name: What the validation is called; the data's name if left out.
        profile: Whether the outcome also describes each column.
        memory_bytes: DuckDB's memory limit; it spills beyond it.

    Raises:
        ConfigInvalid, ColumnMissing, ExpressionInvalid, SqlRefused: A rule can't be used on these data.
        DataUnreadable: The data can't be read.
    """
    typed = typed_rules(rules)
    check_rules(typed, None)
    dataset = Path(data).name if isinstance(data, str | Path) else "data"
    with _relation(data, memory_bytes) as (relation, session):
        check_rules(typed, relation.schema)
        outcome = validation(typed, relation, session, name=name or dataset)
        outcome.dataset = dataset
        if profile:
            outcome.profile = profile_of(relation, session)
    return outcome


@contextmanager
def _relation(data: Data, memory_bytes: int) -> Iterator[tuple[Relation, Session]]:
    """The data as a relation in a session of their own, which is gone afterwards with all its files."""
    with scratch("check") as folder:
        source = FileSource(path=str(data)) if isinstance(data, str | Path) else None
        readable = [path.resolve() for path in source.paths(Path.cwd())] if source else []
        with Session(folder, memory_bytes=memory_bytes, readable=readable, width=1) as session:
            if source is None:
                assert isinstance(data, Mapping)  # noqa: S101 - for the type checker
                yield written_columns(data, folder, session), session
            else:
                yield _read(source, folder, session, memory_bytes), session


def _read(source: FileSource, folder: Path, session: Session, memory_bytes: int) -> Relation:
    reading = Reading(
        name="data",
        folder=folder,
        data_dir=Path.cwd(),
        session=session,
        memory_bytes=memory_bytes,
        cancelled=lambda: False,
        log=lambda _level, _message: None,
    )
    relation = source.read(reading)
    if not relation.is_lazy:
        return relation
    if len(relation.source_files) == 1 and relation.source_files[0].suffix == ".parquet":
        return session.attach("data", relation.source_files[0])
    return session.materialise(relation, folder / "data.parquet")
