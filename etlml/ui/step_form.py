"""The selected step's form: its configuration, its name and behaviour in a run, the rules on its result."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from re import fullmatch
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from etlml.compute.schema import Schema
from etlml.documents import STEP_ID_PATTERN, Step
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.preview.plan import op_at_fault
from etlml.services.preview.result import OpChange
from etlml.steps.graph import resolved_needs
from etlml.steps.registry import config_classes
from etlml.ui import columns, complaints, drafted, fields, forms, live_preview, preview_html, source_files
from etlml.ui.drafts import Draft

_FEW_ROWS, _FEW_COLUMNS = 5, 3
MOST_LETTERS = 120  # of a name, as on the canvas

Later = Callable[[], None]


def nothing_later() -> None:
    """There is nothing to be drawn at last."""


@lru_cache(maxsize=8)
def config_fields(step_type: str) -> tuple[fields.FormField, ...]:
    """The fields of a step type's configuration."""
    return fields.fields_of(config_classes()[step_type])


@lru_cache(maxsize=1)
def rule_fields() -> fields.FormField:
    """The field that holds a list of rules."""
    return next(one for one in config_fields("validate") if one.name == "rules")


def settings(
    services: Services, draft: Draft, step: Step, outputs: Mapping[str, Schema | None], *, may_edit: bool
) -> Later:
    """The form of the step's configuration, and how it behaves in a run."""
    key = f"{draft.pipeline_id}.{step.id}.{draft.form}"
    needs = resolved_needs(draft.document.steps).get(step.id, ())
    schemas = {need: outputs.get(need) for need in needs}
    around = forms.Surroundings(
        key=f"{key}.config",
        columns=columns.input_columns(draft.document, step.id, outputs),
        inputs=needs,
        before_ops=cache(lambda: columns.before_ops(draft.document, step, schemas)),
        by_input={need: schema.names for need, schema in schemas.items() if schema is not None},
        changed=lambda config: _structure(draft, step, {"config": config}),
        disabled=not may_edit,
        offers=source_files.offers(services, step) if step.type == "extract" else {},
    )
    if step.type == "extract" and may_edit:
        source_files.upload(services, draft, step, key)
    config = forms.draw(config_fields(step.type), step.config, around)
    renamed = behaviour(step, key, draft, may_edit=may_edit)
    if may_edit:
        new = step.model_copy(update={"config": config, **renamed})
        if new != step:
            draft.change_step(new, old_id=step.id)
            if new.id != step.id:
                st.rerun(scope="fragment")
    if not around.lines:
        return nothing_later
    return lambda: op_lines(services, draft, step.id, around.lines)


def op_lines(services: Services, draft: Draft, step_id: str, lines: Mapping[int, Any]) -> None:
    """Under each op's card what it changed, or why it can't be applied."""
    step = draft.step(step_id)
    if step is None:
        return
    ops = [op for op in drafted.items(step.config, "ops") if isinstance(op, Mapping)]
    for at, op in enumerate(ops):
        if op.get("enabled", True) is False and at in lines:
            lines[at].html(preview_html.op_off())
    found = live_preview.asked(services, draft, step_id)
    if isinstance(found, EtlmlError):
        fault = op_at_fault(found)
        if fault is None or found.details.get("step") != step_id:
            return
        if fault in lines:
            lines[fault].html(preview_html.op_error(complaints.in_form(found.message, step.config)))
        found = live_preview.asked(services, draft, step_id, ops_until=fault) if fault else found
    if isinstance(found, EtlmlError):
        return
    for one in found.ops:
        if one.at in lines:
            lines[one.at].html(preview_html.change(one, sampled=found.sampled))
    opened = forms.last_opened(forms.ops_key(draft.pipeline_id, step_id))
    for one in found.ops:
        if one.at == opened and one.at in lines:
            _examples(services, draft, step_id, one, lines[one.at])


def _examples(services: Services, draft: Draft, step_id: str, one: OpChange, line: DeltaGenerator) -> None:
    """Under the card that was opened last the first rows that its op changed, in few columns."""
    found = live_preview.asked(services, draft, step_id, changes_of=one.at)
    if isinstance(found, EtlmlError) or not found.changed_rows:
        return
    marked = list(dict.fromkeys(name for row in found.changed_rows for name in row.before))
    names = [*marked, *(name for name in found.changed_rows[0].values if name not in marked)][:_FEW_COLUMNS]
    table = preview_html.changed_rows(found.changed_rows, most=_FEW_ROWS, columns=names)
    line.html(f'<div class="pv-op">{table}</div>')


def behaviour(step: Step, key: str, draft: Draft, *, may_edit: bool) -> dict[str, Any]:
    """Name, inputs' order, retries, time limit, cache."""
    off = not may_edit
    with st.expander("Name, retries, time limit"):
        named = _names(step, key, draft, off=off)
        needs = _inputs(resolved_needs(draft.document.steps).get(step.id, ()), key, off=off)
        left, right = st.columns(2)
        retries = left.number_input("Retries", 0, 20, step.retries, key=f"{key}.retries", disabled=off)
        limit = right.number_input(
            "Time limit (s)", 0.0, None, step.timeout_s, key=f"{key}.timeout", placeholder="none", disabled=off
        )
        stop = st.segmented_control(
            "If it fails",
            ["stop", "continue"],
            default=step.on_failure,
            key=f"{key}.fail",
            required=True,
            disabled=off,
            help="stop fails the run; continue lets steps that do not need this one, and the run, go on.",
        )
        cache = st.toggle("Use an unchanged result of an earlier run", step.cache, key=f"{key}.cache", disabled=off)
    return {
        **named,
        "needs": needs,
        "retries": int(retries),
        "timeout_s": limit or None,
        "on_failure": stop,
        "cache": cache,
    }


def _names(step: Step, key: str, draft: Draft, *, off: bool) -> dict[str, str]:
    name = st.text_input("Name", step.name, key=f"{key}.name", disabled=off, max_chars=MOST_LETTERS)
    step_id = st.text_input(
        "ID", step.id, key=f"{key}.id", disabled=off, help="How other steps, SQL and files call it."
    )
    taken = {one.id.lower() for one in draft.document.steps if one.id != step.id}
    if not fullmatch(STEP_ID_PATTERN, step_id) or step_id.lower() in taken:
        st.caption(":red[An ID is unique and has letters, digits, _ and -, starting with a letter.]")
        step_id = step.id
    return {"id": step_id, "name": step_id if name.strip() in ("", step.id) else name.strip()}


def _inputs(needs: Sequence[str], key: str, *, off: bool) -> list[str]:
    """The inputs, the main one first."""
    if len(needs) < 2:
        return [*needs]
    main = st.selectbox(
        "Main input",
        needs,
        key=f"{key}.main.{'-'.join(needs)}",
        disabled=off,
        help="The first input; SQL calls it input.",
    )
    return [main, *(need for need in needs if need != main)]


def checks(draft: Draft, step: Step, outputs: Mapping[str, Schema | None], *, may_edit: bool) -> None:
    """Rules that hang on the step's result."""
    st.caption("Rules on what this step gives. They run with it, and fail it when a rule of severity error is broken.")
    schema = outputs.get(step.id)
    around = forms.Surroundings(
        key=f"{draft.pipeline_id}.{step.id}.{draft.form}.checks",
        columns=list(schema.names) if schema else [],
        changed=lambda values: _structure(draft, step, {"validations": values["rules"]}),
        disabled=not may_edit,
    )
    rules = forms.draw((rule_fields(),), {"rules": step.validations}, around).get("rules", [])
    if may_edit and rules != step.validations:
        draft.change_step(step.model_copy(update={"validations": rules}))


def _structure(draft: Draft, step: Step, changes: Mapping[str, Any]) -> None:
    draft.change_step(step.model_copy(update=dict(changes)))
    draft.form += 1
