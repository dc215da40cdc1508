"""Setting aside the rows that break a rule, so that the rest can go on.

Which rows are set aside is decided once, by the query that writes them down with their numbers; the rest is every other row
of the checkpoint. So no row is lost or doubled, not even under a rule whose answer changes with the time of day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from etlml.compute.names import literal, quoted, quoted_list
from etlml.compute.relation import Query, Relation
from etlml.compute.session import Session
from etlml.validation.evaluate import measure
from etlml.validation.rule import Measured, RowRule, Rule

FAILED_RULES = "_failed_rules"
ROW_NUMBER = "_row_number"


@dataclass(frozen=True)
class Quarantine:
    """What was set aside.

    Attributes:
        path: Parquet file with the failing rows as they came in, the number of each (from 1) and the rules that it breaks.
        rows: How many they are.
        rest: The other rows, lazy.
    """

    path: Path
    rows: int
    rest: Relation

    def as_json(self, folder: Path) -> dict[str, Any]:
        """For ``Validation.quarantine``; the path starts at the folder that holds the folders of all runs."""
        return {"path": self.path.relative_to(folder.parent).as_posix(), "rows": self.rows}


def set_aside(rules: Sequence[RowRule], relation: Relation, session: Session, *, name: str) -> Quarantine:
    """Write the rows that break any of the rules to ``<name>.quarantine.parquet``, whole or not at all.

    Args:
        rules: Row rules that are broken.
        relation: A materialised relation.
        session: The session that holds its view.
        name: The step; the rest becomes the view of that name.
    """
    if relation.path is None:
        raise ValueError("only a materialised relation has row numbers")
    scan = f"read_parquet({literal(str(relation.path))})"
    marks, number = free_name(FAILED_RULES, relation), free_name(ROW_NUMBER, relation)
    path = session.folder / f"{name}.quarantine.parquet"
    flagged = session.define(
        f"{name}.quarantine", Query(_failing(rules, measure(rules, relation, session), scan, marks, number))
    )
    rows = session.copy(flagged, path)
    numbers = f"SELECT {quoted(number)} - 1 FROM read_parquet({literal(str(path))})"
    columns = quoted_list(relation.schema.names)
    rest = session.define(
        name, Query(f"SELECT {columns} FROM {scan} WHERE file_row_number NOT IN ({numbers})", effects=("other",))
    )
    return Quarantine(path, rows, replace(rest, rows=None if relation.rows is None else relation.rows - rows))


def _failing(rules: Sequence[RowRule], measured: Measured, scan: str, marks: str, number: str) -> str:
    labels = rule_labels(rules)
    broken = [
        f"CASE WHEN {rule.failing_rows(measured)} THEN {literal(label)} END"
        for rule, label in zip(rules, labels, strict=True)
    ]
    listed = f"list_filter([{', '.join(broken)}], lambda name: name IS NOT NULL)"
    columns = quoted_list(measured.schema.names)
    return (
        f"SELECT * FROM (SELECT {columns}, file_row_number + 1 AS {quoted(number)}, {listed} AS {quoted(marks)} FROM {scan}) "
        f"WHERE len({quoted(marks)}) > 0"
    )


def rule_labels(rules: Sequence[Rule]) -> list[str]:
    """A label for each rule, no two alike: ``between(distance)``, ``between(distance) 2``."""
    seen: dict[str, int] = {}
    labels = []
    for rule in rules:
        seen[rule.label] = seen.get(rule.label, 0) + 1
        labels.append(rule.label if seen[rule.label] == 1 else f"{rule.label} {seen[rule.label]}")
    return labels


def free_name(wanted: str, relation: Relation) -> str:
    """The name, or one like it that the relation has no column of (rows that were in quarantine before have one)."""
    name, count = wanted, 1
    while name in relation.schema:
        count += 1
        name = f"{wanted}_{count}"
    return name
