"""Row counts of steps that were computed within another step's query, read off DuckDB's plan of that query.

An operator of the plan that corresponds to a step's last change tells its rows, so nothing is counted a second time.
Where the correspondence is not certain the answer is None, and the runner counts that step with a query of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etlml.compute.relation import Relation, RowEffect

_KINDS: dict[str, RowEffect] = {
    "FILTER": "filter",
    "HASH_JOIN": "join",
    "NESTED_LOOP_JOIN": "join",
    "BLOCKWISE_NL_JOIN": "join",
    "PIECEWISE_MERGE_JOIN": "join",
    "IE_JOIN": "join",
    "CROSS_PRODUCT": "join",
    "HASH_GROUP_BY": "group",
    "PERFECT_HASH_GROUP_BY": "group",
    "UNGROUPED_AGGREGATE": "group",
    "LIMIT": "limit",
    "STREAMING_LIMIT": "limit",
    "TOP_N": "limit",
    "RESERVOIR_SAMPLE": "sample",
    "STREAMING_SAMPLE": "sample",
    "UNNEST": "unnest",
    "UNION": "union",
}
_NEUTRAL = frozenset(
    {
        "PROJECTION",
        "ORDER_BY",
        "WINDOW",
        "STREAMING_WINDOW",
        "COPY_TO_FILE",
        "BATCH_COPY_TO_FILE",
        "QUERY",
        "EXPLAIN_ANALYZE",
    }
)


@dataclass(frozen=True)
class Operator:
    """One operator of a plan that was run."""

    name: str
    rows: int
    extra: Mapping[str, Any]
    children: tuple["Operator", ...]

    def walk(self) -> Iterator["Operator"]:
        """This operator and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Member:
    """A step within a fused query.

    Attributes:
        relation: Its lazy relation.
        inputs: The ids of its inputs; those that are no members were there before.
        base_files: The files of its own scan, or of its first input where that is a checkpoint.
    """

    relation: Relation
    inputs: tuple[str, ...]
    base_files: tuple[Path, ...] = ()


def parse_plan(document: Mapping[str, Any]) -> Operator:
    """A plan from the JSON of DuckDB's profile."""
    extra = document.get("extra_info")
    return Operator(
        str(document.get("operator_name") or "QUERY").strip().upper(),
        int(document.get("operator_cardinality") or 0),
        extra if isinstance(extra, Mapping) else {},
        tuple(parse_plan(child) for child in document.get("children", [])),
    )


def fused_rows(
    final: str, rows: int, members: Mapping[str, Member], known: Mapping[str, int], plan: Operator
) -> dict[str, int | None]:
    """The number of rows of every step in a fused query; None where the plan does not tell it for certain.

    Args:
        final: The step whose query was run; a key of ``members``.
        rows: Its number of rows.
        members: The steps in the query, by id.
        known: Rows of inputs from outside the query.
        plan: The query's plan.
    """
    counts: dict[str, int | None] = dict.fromkeys(members)
    for step, operator in _matched(_spine(final, members), members, plan).items():
        counts[step] = operator.rows
    for step, member in members.items():
        if member.relation.rows is not None:
            counts[step] = member.relation.rows
        elif member.relation.effects == ("source",) and (scan := _scan(plan, member.base_files)) is not None:
            counts[step] = scan.rows
    counts[final] = rows
    return {step: count for step, count in _propagated(members, {**known, **counts}).items() if step in members}


def _propagated(members: Mapping[str, Member], rows: Mapping[str, int | None]) -> dict[str, int | None]:
    """Fill in counts that follow from a neighbour's, where a step leaves the number of rows as it is."""
    known = dict(rows)
    for _ in members:
        for step, member in members.items():
            if not member.inputs or any(effect != "same" for effect in member.relation.effects):
                continue
            first = member.inputs[0]
            if known.get(step) is None and known.get(first) is not None:
                known[step] = known[first]
            elif first in members and known.get(first) is None and known.get(step) is not None:
                known[first] = known[step]
    return known


def _spine(final: str, members: Mapping[str, Member]) -> list[str]:
    """The steps from the deepest first input up to the last step."""
    spine = [final]
    while (inputs := members[spine[-1]].inputs) and inputs[0] in members:
        spine.append(inputs[0])
    return spine[::-1]


def _matched(spine: Sequence[str], members: Mapping[str, Member], plan: Operator) -> dict[str, Operator]:
    expected = [
        (effect, step)
        for step in spine
        for effect in members[step].relation.effects
        if effect not in ("same", "source")
    ]
    scan = _scan(plan, members[spine[0]].base_files)
    path = _path_to(plan, scan) if scan is not None else None
    if path is None:
        return {}
    changes: list[Operator] = []
    for operator in reversed(path[:-1]):
        if operator.name in _KINDS:
            changes.append(operator)
        elif operator.name not in _NEUTRAL:
            return {}
    if [_KINDS[operator.name] for operator in changes] != [effect for effect, _ in expected]:
        return {}
    found: dict[str, Operator] = {}
    current = path[-1]
    position = 0
    for step in spine:
        while position < len(expected) and expected[position][1] == step:
            current = changes[position]
            position += 1
        found[step] = current
    return found


def _path_to(operator: Operator, target: Operator) -> list[Operator] | None:
    if operator is target:
        return [operator]
    for child in operator.children:
        if (below := _path_to(child, target)) is not None:
            return [operator, *below]
    return None


def _scan(plan: Operator, files: Sequence[Path]) -> Operator | None:
    """The one unfiltered scan of these files; None if there is none or more than one."""
    names = {str(path) for path in files}
    scans = [operator for operator in plan.walk() if not operator.children and _file_names(operator) & names]
    return scans[0] if len(scans) == 1 and not _is_filtered(scans[0]) else None


def _file_names(operator: Operator) -> set[str]:
    text = operator.extra.get("Filename(s)")
    if isinstance(text, str):
        return {part.strip() for part in text.split(",")}
    return {str(part) for part in text} if isinstance(text, list) else set()


def _is_filtered(operator: Operator) -> bool:
    return any("filter" in str(key).lower() for key in operator.extra)
