"""Computing lazy results: one query for a step and everything lazy below it, with the rows of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from etlml.compute.names import quoted
from etlml.compute.relation import Relation
from etlml.compute.session import Session
from etlml.engine.counts import Member, Operator, fused_rows, parse_plan
from etlml.errors import EtlmlError, StepCancelled


class MemberFailed(Exception):
    """A fused query failed; ``step`` is the one whose own part of it fails."""

    def __init__(self, step: str, error: EtlmlError) -> None:
        super().__init__(step, str(error))
        self.step, self.error = step, error


@dataclass(frozen=True)
class Computed:
    """A materialised relation, and the rows of every step that its query computed, itself included."""

    relation: Relation
    rows: Mapping[str, int]


@dataclass
class Fusion:
    """The relations of one run, lazy ones with what they were built on.

    A lazy relation has one taker at most, and only that taker's thread computes it.
    """

    session: Session
    folder: Path
    relations: dict[str, Relation] = field(default_factory=dict)
    inputs: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, relation: Relation, inputs: tuple[str, ...]) -> Relation:
        """Remember a relation by its name and what it was built on; a lazy Parquet scan is counted here, from the footers."""
        if relation.is_lazy and relation.effects == ("source",) and _all_parquet(relation.source_files):
            ((rows,),) = self.session.rows(f"SELECT count(*) FROM {quoted(relation.name)}")
            relation = replace(relation, rows=rows)
        self.relations[relation.name] = relation
        self.inputs[relation.name] = inputs
        return relation

    def alias(self, name: str, of: str) -> Relation:
        """Make ``name`` another name of a relation that is there."""
        original = self.relations[of]
        if original.is_lazy:
            raise ValueError(f"{of!r} is lazy and can't have a second name")
        return self.add(self.session.renamed(original, name), (of,))

    def compute(self, name: str) -> Computed:
        """Materialise a relation as ``<name>.parquet``.

        Raises:
            MemberFailed: The query failed; it says whose part.
        """
        relation = self.relations[name]
        members = self._lazy_members(name)
        plans: list[Operator] = []
        path = self.folder / f"{name}.parquet"
        try:
            done = self.session.materialise(relation, path, on_plan=lambda plan: plans.append(parse_plan(plan)))
        except StepCancelled:
            raise
        except EtlmlError as error:
            raise self._blamed(name, members, error) from error
        known = {
            need: known_rows
            for step in members
            for need in self.inputs[step]
            if need not in members and (known_rows := self.relations[need].rows) is not None
        }
        counts = fused_rows(name, done.rows or 0, members, known, plans[0])
        rows = {step: count if count is not None else self.count(step) for step, count in counts.items()}
        self.relations[name] = done
        for step in members:
            self.relations[step] = replace(self.relations[step], rows=rows[step])
        return Computed(self.relations[name], rows)

    def count(self, name: str) -> int:
        """The number of rows of a relation, by a query of its own where nobody knows it."""
        ((rows,),) = self.session.rows(f"SELECT count(*) FROM {quoted(name)}")
        return int(rows)

    def _lazy_members(self, name: str) -> dict[str, Member]:
        members: dict[str, Member] = {}
        frontier = [name]
        while frontier:
            step = frontier.pop()
            relation, inputs = self.relations[step], self.inputs[step]
            files = relation.source_files
            if not files and inputs and (first := self.relations[inputs[0]].path) is not None:
                files = (first,)
            members[step] = Member(relation, inputs, files)
            frontier.extend(need for need in inputs if self.relations[need].is_lazy)
        return members

    def _blamed(self, name: str, members: Mapping[str, Member], error: EtlmlError) -> MemberFailed:
        """Find the step whose own part fails: the first, from the sources on, that can't be computed by itself."""
        probe = self.folder / f".{name}.probe"
        for step in reversed(list(members)):
            if step == name:
                break
            try:
                self.session.copy(members[step].relation, probe)
            except StepCancelled:
                raise
            except EtlmlError as own:
                return MemberFailed(step, own)
            finally:
                probe.unlink(missing_ok=True)
        return MemberFailed(name, error)


def _all_parquet(files: tuple[Path, ...]) -> bool:
    return bool(files) and all(file.suffix in (".parquet", ".pq") for file in files)
