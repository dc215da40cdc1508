"""A session, and relations in it made from plain columns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etlml.compute.names import literal
from etlml.compute.relation import Query, Relation
from etlml.compute.session import Session

ARelation = Callable[..., Relation]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with Session(tmp_path_factory.mktemp("run"), memory_bytes=2**29, threads=2, width=1) as session:
        yield session


@pytest.fixture(scope="module")
def a_relation(session: Session) -> ARelation:
    """Makes a materialised relation (lazy=True: a lazy one) from columns; ``types`` are pyarrow's."""
    numbers = count()

    def make(
        columns: Mapping[str, Sequence[Any]], *, types: Mapping[str, pa.DataType] | None = None, lazy: bool = False
    ) -> Relation:
        name = f"table{next(numbers)}"
        arrays = {column: pa.array(values, (types or {}).get(column)) for column, values in columns.items()}
        raw = session.folder / f"{name}.raw.parquet"
        pq.write_table(pa.table(arrays), raw)
        relation = session.define(name, Query(f"SELECT * FROM read_parquet({literal(str(raw))})"))
        return relation if lazy else session.materialise(relation, Path(session.folder / f"{name}.parquet"))

    return make
