"""What changed between two versions of a pipeline, step by step and field by field: pure functions."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher, unified_diff
from typing import Any, Literal

from etlml.documents import PipelineDraft, Step
from etlml.steps.graph import resolved_needs

StepChangeKind = Literal["added", "removed", "changed", "renamed", "moved"]
FieldChangeKind = Literal["added", "removed", "changed"]
_TAGS = ("op", "rule", "kind")
_APART = frozenset({"id", "name", "position", "needs"})  # compared by rules of their own


@dataclass(frozen=True)
class FieldChange:
    """One field that differs; ``path`` is dotted, such as ``config.ops[1].where``, with the place in ``after``.

    ``before`` of an added field and ``after`` of a removed one are None. ``items`` says what the listed items on the path
    are, such as ``("filter",)``; of an item that became another kind it is what it is now.
    """

    path: str
    before: Any
    after: Any
    kind: FieldChangeKind = "changed"
    items: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class StepChange:
    """What became of one step; ``was`` is the id that a renamed one had. An added or removed one lists no fields."""

    step: str
    kind: StepChangeKind
    fields: tuple[FieldChange, ...] = ()
    was: str | None = None


def changed_steps(before: Sequence[Step], after: Sequence[Step], *, moves: bool = False) -> list[StepChange]:
    """The steps that differ, in the order of ``after``, then those that are gone.

    A step that kept its type and configuration under another id is renamed; needs are compared as resolved and with
    the renames followed, so that others do not count as changed for it.

    Args:
        before: The steps as they were.
        after: The steps as they are.
        moves: Whether a step that only stands elsewhere on the canvas is listed too, as ``moved``.
    """
    old, new = {step.id: step for step in before}, {step.id: step for step in after}
    was = _renames(before, after)
    needs_before, needs_after = resolved_needs(before), resolved_needs(after)
    now = {before_id: after_id for after_id, before_id in was.items()}
    found: list[StepChange] = []
    for step in after:
        origin = old.get(was.get(step.id, step.id))
        if origin is None:
            found.append(StepChange(step.id, "added"))
            continue
        followed = [now.get(need, need) for need in needs_before[origin.id]]
        fields = tuple(_step_differences(origin, step, followed, list(needs_after[step.id])))
        if step.id in was:
            found.append(StepChange(step.id, "renamed", fields, was[step.id]))
        elif fields:
            found.append(StepChange(step.id, "changed", fields))
        elif moves and origin.position != step.position:
            found.append(StepChange(step.id, "moved", tuple(differences("position", _place(origin), _place(step)))))
    return found + [StepChange(step.id, "removed") for step in before if step.id not in new and step.id not in now]


def changed_settings(before: PipelineDraft, after: PipelineDraft) -> list[FieldChange]:
    """What differs outside the steps: name, schedule, parameters, triggers; tokens of webhooks stay unseen."""
    return list(differences("", _settings(before), _settings(after)))


def differences(path: str, before: Any, after: Any, items: tuple[str, ...] = ()) -> Iterator[FieldChange]:
    """Where two plain values differ; objects are compared field by field, lists of objects item by item."""
    if before == after and type(before) is type(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping) and _tag(before) == _tag(after):
        for key in dict.fromkeys([*before, *after]):
            inside = f"{path}.{key}" if path else str(key)
            if key not in after:
                yield FieldChange(inside, before[key], None, "removed", items)
            elif key not in before:
                yield FieldChange(inside, None, after[key], "added", items)
            else:
                yield from differences(inside, before[key], after[key], items)
    elif _are_objects(before) and _are_objects(after):  # one of them may be empty
        yield from _list_differences(path, before, after, items)
    else:
        yield FieldChange(path, before, after, items=items)


def yaml_diff(before: str, after: str) -> list[str]:
    """Two texts as the lines of a unified diff, without its file names; empty where they are equal."""
    return list(unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3))[2:]


def _step_differences(
    before: Step, after: Step, needs_before: list[str], needs_after: list[str]
) -> Iterator[FieldChange]:
    shown_before = before.name if before.name != before.id else ""
    shown_after = after.name if after.name != after.id else ""
    yield from differences("name", shown_before, shown_after)
    yield from differences("needs", needs_before, needs_after)
    yield from differences(
        "", before.model_dump(mode="json", exclude=set(_APART)), after.model_dump(mode="json", exclude=set(_APART))
    )


def _list_differences(
    path: str, before: Sequence[Any], after: Sequence[Any], items: tuple[str, ...]
) -> Iterator[FieldChange]:
    old_keys, new_keys = ([json.dumps(item, sort_keys=True, default=str) for item in each] for each in (before, after))
    for code, i, i_end, j, j_end in SequenceMatcher(None, old_keys, new_keys, autojunk=False).get_opcodes():
        if code == "equal":
            continue
        for at in range(max(i_end - i, j_end - j)):
            old = before[i + at] if i + at < i_end else None
            new = after[j + at] if j + at < j_end else None
            within = (*items, str(_tag(new or old or {}) or ""))
            if new is None:
                yield FieldChange(f"{path}[{i + at}]", old, None, "removed", within)
            elif old is None:
                yield FieldChange(f"{path}[{j + at}]", None, new, "added", within)
            else:
                yield from differences(f"{path}[{j + at}]", old, new, within)


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)


def _tag(value: Mapping[str, Any]) -> Any:
    """What kind of op, rule or source it is: of two kinds, the whole is one change."""
    return next((value[tag] for tag in _TAGS if tag in value), None)


def _renames(before: Sequence[Step], after: Sequence[Step]) -> dict[str, str]:
    """The former id by the new one, of steps that are the same but for the id."""
    old_ids, new_ids = {step.id for step in before}, {step.id for step in after}
    gone = [step for step in before if step.id not in new_ids]
    found: dict[str, str] = {}
    for step in after:
        if step.id in old_ids:
            continue
        same = next((one for one in gone if (one.type, one.config) == (step.type, step.config)), None)
        if same is not None:
            gone.remove(same)
            found[step.id] = same.id
    return found


def _place(step: Step) -> dict[str, float] | None:
    return step.position.model_dump() if step.position else None


def _settings(draft: PipelineDraft) -> dict[str, Any]:
    plain = {name: getattr(draft, name) for name in PipelineDraft.model_fields}
    fields = PipelineDraft.model_validate(plain).model_dump(mode="json", exclude={"steps"})
    fields["triggers"] = [
        {name: value for name, value in trigger.items() if value is not None} for trigger in fields["triggers"]
    ]
    return fields
