"""The panel beside the canvas: the selected step's form, rules, YAML and last result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from re import fullmatch
from typing import Any

import streamlit as st
from pydantic import TypeAdapter, ValidationError
from streamlit.delta_generator import DeltaGenerator

from etlml.compute.schema import Schema
from etlml.documents import STEP_ID_PATTERN, Run, Step
from etlml.errors import EtlmlError, InvalidInput
from etlml.services import Services
from etlml.services.preview.plan import op_at_fault
from etlml.steps.graph import resolved_needs
from etlml.steps.registry import config_classes
from etlml.ui import columns, fields, forms, live_preview, parts, preview_html
from etlml.ui import format as words
from etlml.ui.drafts import Draft
from etlml.ui.looks import TYPE_LABEL

VIEWS = ("Settings", "Checks", "Code", "Preview")

Later = Callable[[], None]
_WANTED = "wanted_run"


@dataclass(frozen=True)
class Runs:
    """How a part of the pipeline is run: ``to`` a step, ``from_`` a step; ``allowed`` is whether this viewer may."""

    allowed: bool
    to: Callable[[str], None]
    from_: Callable[[str], None]


def _nothing_later() -> None:
    """There is nothing to be drawn at last."""


@lru_cache(maxsize=8)
def config_fields(step_type: str) -> tuple[fields.FormField, ...]:
    """The fields of a step type's configuration."""
    return fields.fields_of(config_classes()[step_type])


@lru_cache(maxsize=1)
def rule_fields() -> fields.FormField:
    """The field that holds a list of rules."""
    return next(one for one in config_fields("validate") if one.name == "rules")


def draw(
    services: Services,
    draft: Draft,
    *,
    run: Run | None,
    may_edit: bool,
    runs: Runs | None = None,
) -> Later:
    """Draw the panel for ``draft.selected``; edits go into the draft.

    Returns:
        What takes longer and is drawn into the panel at last: what each op changed, or the preview.
    """
    step = draft.step(draft.selected)
    if step is None:
        nothing(draft)
        return _nothing_later
    head(step, run, runs)
    complaints = st.container()
    _, outputs = draft.looked_into(services)
    view = st.segmented_control(
        "View",
        VIEWS,
        default="Settings",
        key="step_view",
        label_visibility="collapsed",
        required=True,
        width="stretch",
        persist_state="session",
    )
    later: Later = _nothing_later

    def complain() -> None:
        problems, _ = draft.looked_into(services)  # after the form: what was just typed counts
        for problem in [each for each in problems if each.get("step") == draft.selected][:4]:
            complaints.html(parts.error_html(InvalidInput(_without_prefix(str(problem["message"])))))

    def preview_last(place: DeltaGenerator) -> Later:
        def drawn() -> None:
            with place:
                told = live_preview.draw(services, draft, step, run=run, height=330, key="panel")
                live_preview.place_switch("panel")
            if not told:
                complain()

        return drawn

    if view == "Settings":
        later = settings(services, draft, step, outputs, may_edit=may_edit)
    elif view == "Checks":
        checks(draft, step, outputs, may_edit=may_edit)
    elif view == "Code":
        code(services, draft, step, may_edit=may_edit)
    elif live_preview.is_below():
        parts.empty("The preview is below the canvas", "It follows what you change here.")
        live_preview.place_switch("panel")
    else:
        return preview_last(st.container())
    complain()
    return later


def head(step: Step, run: Run | None, runs: Runs | None) -> None:
    """The step's name and kind, and the buttons that run a part of the pipeline."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.html(
            f'<div class="head pv-title"><h1>{parts.escaped(step.name)}</h1></div>'
            f'<div class="pv-kind">{TYPE_LABEL[step.type]}</div>',
            width="stretch",
        )
        if runs is None:
            return
        finished = step.id in began(run)
        st.button(
            "To here",
            icon=":material/keyboard_tab:",
            key="run_to",
            type="tertiary",
            help="Run this step and all that it needs, and nothing else",
            disabled=not runs.allowed,
            on_click=want,
            args=("to", step.id),
        )
        st.button(
            "From here",
            icon=":material/start:",
            key="run_from",
            type="tertiary",
            help="Run this step and all that depends on it again, with what the last run left before it"
            if finished
            else "The pipeline has to have run once with this step",
            disabled=not runs.allowed or not finished,
            on_click=want,
            args=("from", step.id),
        )


def began(run: Run | None) -> list[str]:
    """The steps from which a run that has ended can be done again."""
    return [step.id for step in run.steps] if run is not None and run.is_final else []


def want(what: str, step_id: str) -> None:
    """Have a part of the pipeline run, ``to`` or ``from`` a step, once what is edited has been taken over."""
    st.session_state[_WANTED] = (what, step_id)


def run_what_is_wanted(runs: Runs) -> None:
    """Start the run that a button or the canvas's menu asked for."""
    wanted = st.session_state.pop(_WANTED, None)
    if wanted is not None and runs.allowed:
        (runs.to if wanted[0] == "to" else runs.from_)(wanted[1])


def nothing(draft: Draft) -> None:
    """What stands in the panel while no step is selected."""
    if draft.document.steps:
        parts.empty("No step selected", "Click a step to see and change what it does.")
        st.caption(f"{words.plural(len(draft.document.steps), 'step')}. Press ? on the canvas for its keys.")
    else:
        parts.empty("Start with a source", "Drag “File” from the palette onto the canvas, then say which file to read.")


def _without_prefix(message: str) -> str:
    head, _, rest = message.partition(": ")
    return rest[:1].upper() + rest[1:] if head.startswith("Step ") and rest else message


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
        before_ops=columns.before_ops(draft.document, step, schemas) if step.type == "transform" else (),
        by_input={need: schema.names for need, schema in schemas.items() if schema is not None},
        changed=lambda config: _structure(draft, step, {"config": config}),
        disabled=not may_edit,
    )
    config = forms.draw(config_fields(step.type), step.config, around)
    renamed = behaviour(step, key, draft, may_edit=may_edit)
    if may_edit:
        new = step.model_copy(update={"config": config, **renamed})
        if new != step:
            draft.change_step(new, old_id=step.id)
            if new.id != step.id:
                st.rerun(scope="fragment")
    if not around.lines:
        return _nothing_later
    return lambda: op_lines(services, draft, step.id, around.lines)


def op_lines(services: Services, draft: Draft, step_id: str, lines: Mapping[int, Any]) -> None:
    """Under each op's card what it changed, or why it can't be applied."""
    step = draft.step(step_id)
    if step is None:
        return
    ops = [op for op in step.config.get("ops") or [] if isinstance(op, Mapping)]
    for at, op in enumerate(ops):
        if op.get("enabled", True) is False and at in lines:
            lines[at].html(preview_html.op_off())
    found = live_preview.asked(services, draft, step_id)
    if isinstance(found, EtlmlError):
        fault = op_at_fault(found)
        if fault is None or found.details.get("step") != step_id:
            return
        if fault in lines:
            lines[fault].html(preview_html.op_error(found.message))
        found = live_preview.asked(services, draft, step_id, ops_until=fault) if fault else found
    if isinstance(found, EtlmlError):
        return
    for one in found.ops:
        if one.at in lines:
            lines[one.at].html(preview_html.change(one, sampled=found.sampled))


def behaviour(step: Step, key: str, draft: Draft, *, may_edit: bool) -> dict[str, Any]:
    """Name, inputs' order, retries, time limit, cache."""
    off = not may_edit
    needs = list(resolved_needs(draft.document.steps).get(step.id, ()))
    with st.expander("Name, retries, time limit"):
        name = st.text_input("Name", step.name, key=f"{key}.name", disabled=off)
        step_id = st.text_input(
            "ID", step.id, key=f"{key}.id", disabled=off, help="How other steps, SQL and files call it."
        )
        taken = {one.id.lower() for one in draft.document.steps if one.id != step.id}
        if not fullmatch(STEP_ID_PATTERN, step_id) or step_id.lower() in taken:
            st.caption(":red[An ID is unique and has letters, digits, _ and -, starting with a letter.]")
            step_id = step.id
        if len(needs) > 1:
            main = st.selectbox(
                "Main input",
                needs,
                key=f"{key}.main.{'-'.join(needs)}",
                disabled=off,
                help="The first input; SQL calls it input.",
            )
            needs = [main, *(need for need in needs if need != main)]
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
    given_name = step_id if name in ("", step.id) else name
    return {
        "id": step_id,
        "name": given_name,
        "needs": needs,
        "retries": int(retries),
        "timeout_s": limit or None,
        "on_failure": stop,
        "cache": cache,
    }


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


def code(services: Services, draft: Draft, step: Step, *, may_edit: bool) -> None:
    """The step as YAML, to read, copy and change."""
    import yaml

    document = step.model_dump(mode="json", exclude_defaults=True)
    document.pop("position", None)
    shown = services.pipelines.to_yaml(
        draft.document.model_copy(update={"steps": [step.model_copy(update={"position": None})], "name": "x"})
    )
    body = shown.partition("steps:\n")[2]
    text = st.text_area(
        "YAML",
        _dedented(body),
        height=380,
        key=f"{draft.pipeline_id}.{step.id}.{draft.form}.yaml",
        disabled=not may_edit,
        label_visibility="collapsed",
    )
    if may_edit and st.button("Apply", key="apply_step_yaml", icon=":material/check:"):
        try:
            given = services.pipelines.from_yaml(text)
            new = TypeAdapter(Step).validate_python(
                {**given, "id": given.get("id", step.id), "position": step.position}
            )
        except EtlmlError as error:
            st.error(f"```\n{error.message}\n```")
            return
        except (ValidationError, yaml.YAMLError) as error:
            first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
            st.error(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")
            return
        draft.change_step(new, old_id=step.id)
        draft.form += 1
        draft.rev += 1
        st.rerun()


def _dedented(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(line[4:] if line.startswith("    ") else line.removeprefix("  - ") for line in lines)
