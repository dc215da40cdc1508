"""The panel beside the canvas: the selected step's head, and its form, rules, YAML or preview."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from etlml.documents import Run, Step
from etlml.errors import InvalidInput
from etlml.services import Services
from etlml.ui import complaints, live_preview, parts, step_code, step_form
from etlml.ui import format as words
from etlml.ui.copy_as import Action
from etlml.ui.drafts import Draft
from etlml.ui.looks import TYPE_LABEL
from etlml.ui.step_form import Later, nothing_later

VIEWS = ("Settings", "Checks", "Code", "Preview")
_WANTED = "wanted_run"


@dataclass(frozen=True)
class Runs:
    """How a part of the pipeline is run: ``to`` a step, ``from_`` a step; ``allowed`` is whether this viewer may.

    ``copies`` gives both as commands.
    """

    allowed: bool
    to: Callable[[str], None]
    from_: Callable[[str], None]
    copies: Callable[[str], Mapping[str, Action]]


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
        return nothing_later
    head(step, run, runs)
    above = st.container()
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
    if view == "Preview" and not live_preview.is_below():
        return _preview_at_last(services, draft, step, run, above)
    later = _view(str(view), services, draft, step, may_edit=may_edit)
    complain(services, draft, above)
    return later


def _view(view: str, services: Services, draft: Draft, step: Step, *, may_edit: bool) -> Later:
    _, outputs = draft.looked_into(services)
    if view == "Settings":
        return step_form.settings(services, draft, step, outputs, may_edit=may_edit)
    if view == "Checks":
        step_form.checks(draft, step, outputs, may_edit=may_edit)
    elif view == "Code":
        step_code.draw(services, draft, step, may_edit=may_edit)
    else:
        parts.empty("The preview is below the canvas", "It follows what you change here.")
        live_preview.place_switch("panel")
    return nothing_later


def _preview_at_last(services: Services, draft: Draft, step: Step, run: Run | None, above: DeltaGenerator) -> Later:
    place = st.container()

    def drawn() -> None:
        with place:
            told = live_preview.draw(services, draft, step, run=run, height=330, key="panel")
            live_preview.place_switch("panel")
        if not told:
            complain(services, draft, above)

    return drawn


def complain(services: Services, draft: Draft, place: DeltaGenerator) -> None:
    """Say what is wrong with the selected step, as it stands after the form: what was just typed counts."""
    problems, _ = draft.looked_into(services)
    for problem in [each for each in problems if each.get("step") == draft.selected][:4]:
        step = draft.step(draft.selected)
        message = complaints.in_form(str(problem["message"]), step.config if step else {})
        place.html(parts.error_html(InvalidInput(message)))


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
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
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
            parts.command_lines(runs.copies(step.id), quiet=True)


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


def _to_schedule() -> None:
    st.session_state["tab"] = "Schedule"


def nothing(draft: Draft) -> None:
    """What stands in the panel while no step is selected."""
    if draft.document.steps:
        parts.empty("No step selected", "Click a step to see and change what it does.")
        st.caption(f"{words.plural(len(draft.document.steps), 'step')}. Press ? on the canvas for its keys.")
        label, help_ = "Parameters, tags, limits", "Of the whole pipeline; they stand beside its schedule"
        if st.button(label, icon=":material/tune:", key="open_general", help=help_, on_click=_to_schedule):
            st.rerun()
    else:
        parts.empty("Start with a source", "Drag “File” from the palette onto the canvas, then say which file to read.")
