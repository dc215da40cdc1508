"""The graph that a pipeline's steps form through ``needs``: pure functions of the steps."""

from collections.abc import Iterator, Mapping, Sequence

from etlml.documents import Step
from etlml.errors import GraphInvalid, did_you_mean

RESERVED_IDS = frozenset({"input"})


def resolved_needs(steps: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    """Each step's inputs: its ``needs``, or the step before where they are left out."""
    needs: dict[str, tuple[str, ...]] = {}
    previous: str | None = None
    for step in steps:
        if step.needs is not None:
            needs[step.id] = tuple(step.needs)
        else:
            needs[step.id] = (previous,) if previous is not None and step.type != "extract" else ()
        previous = step.id
    return needs


def check_graph(steps: Sequence[Step]) -> list[GraphInvalid]:
    """Everything that keeps the steps from forming a graph that can run; empty if nothing does."""
    needs = resolved_needs(steps)
    found = [*_wrong_ids(steps), *_wrong_needs(steps, needs)]
    return found or _circles(needs)


def _wrong_ids(steps: Sequence[Step]) -> Iterator[GraphInvalid]:
    seen: set[str] = set()
    for step in steps:
        lowered = step.id.lower()
        if lowered in RESERVED_IDS:
            yield GraphInvalid(
                f"Step id {step.id!r} is the name of every step's first input. Choose another id.", step=step.id
            )
        elif lowered in seen:
            yield GraphInvalid(
                f"Two steps have the id {step.id!r} (upper and lower case count as equal). Give each its own.",
                step=step.id,
            )
        seen.add(lowered)


def _wrong_needs(steps: Sequence[Step], needs: Mapping[str, Sequence[str]]) -> Iterator[GraphInvalid]:
    """Needs that name no step, or the same one twice."""
    for step in steps:
        for need in needs[step.id]:
            if need not in needs:
                hint = did_you_mean(need, needs.keys() - {step.id})
                yield GraphInvalid(
                    f"Step {step.id!r} needs {need!r}, which is no step here. {hint}", step=step.id, field="needs"
                )
        if len(set(needs[step.id])) < len(needs[step.id]):
            yield GraphInvalid(
                f"Step {step.id!r} names the same step twice in needs. Leave one out.", step=step.id, field="needs"
            )


def _circles(needs: Mapping[str, Sequence[str]]) -> list[GraphInvalid]:
    """The first circle, if there is one: the others may go with it."""
    cycle = find_cycle(needs)
    if not cycle:
        return []
    message = f"The steps need each other in a circle: {' -> '.join(cycle)}. Take one of these out of needs."
    return [GraphInvalid(message, step=cycle[0], field="needs", cycle=cycle)]


def find_cycle(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """One circle among the needs, first step repeated at the end, each step feeding the next; empty if there is none."""
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            step, position = stack.pop()
            if position == 0:
                if step in done:
                    continue
                if step in path:
                    return [step, *reversed(path[path.index(step) :])]
                path.append(step)
            upstream = needs.get(step, ())
            if position < len(upstream):
                stack.append((step, position + 1))
                stack.append((upstream[position], 0))
            else:
                done.add(step)
                path.remove(step)
    return []


def execution_order(steps: Sequence[Step]) -> list[Step]:
    """The steps so that each comes after its needs, otherwise as written.

    Raises:
        GraphInvalid: There is a circle or an unknown need.
    """
    if problems := check_graph(steps):
        raise problems[0]
    needs, placed, order = resolved_needs(steps), set[str](), list[Step]()
    waiting = list(steps)
    while waiting:
        step = next(step for step in waiting if placed.issuperset(needs[step.id]))
        waiting.remove(step)
        placed.add(step.id)
        order.append(step)
    return order


def consumers(needs: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The steps that take each step's result, in their order."""
    return {step: tuple(other for other, upstream in needs.items() if step in upstream) for step in needs}


def descendants(step: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    """Every step whose result depends on this one's, without itself."""
    return _reachable(step, consumers(needs))


def ancestors(step: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    """Every step that this one's result depends on, without itself."""
    return _reachable(step, needs)


def upto(steps: Sequence[Step], last: str) -> list[Step]:
    """The step of that id and every step that it needs, each with its needs written out, in the order of ``steps``."""
    needs = resolved_needs(steps)
    wanted = {last, *ancestors(last, needs)}
    return [step.model_copy(update={"needs": list(needs[step.id])}) for step in steps if step.id in wanted]


def _reachable(start: str, edges: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    frontier = list(edges.get(start, ()))
    while frontier:
        step = frontier.pop()
        if step not in found:
            found.add(step)
            frontier.extend(edges.get(step, ()))
    return found


def width(needs: Mapping[str, Sequence[str]]) -> int:
    """How many steps can stand side by side at most, counted by depth; at least 1."""
    depth: dict[str, int] = {}
    remaining = dict(needs)
    while remaining:
        for step in [step for step, upstream in remaining.items() if all(need in depth for need in upstream)]:
            depth[step] = max((depth[need] + 1 for need in remaining.pop(step)), default=0)
    levels = list(depth.values())
    return max((levels.count(level) for level in set(levels)), default=1)
