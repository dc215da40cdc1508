"""The live preview of the selected step: computed as the draft is edited, shown as rows, columns and SQL."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from etlml.documents import PipelineDraft, Run, Step
from etlml.errors import EtlmlError, InvalidInput
from etlml.services import Services
from etlml.services.preview import Preview
from etlml.services.preview.cells import MOST_ROWS as MOST_CHANGED
from etlml.services.preview.plan import op_at_fault
from etlml.ui import complaints, drafted, fields, forms, parts, preview, preview_html
from etlml.ui.drafts import Draft

PARTS = ("Rows", "Columns", "SQL", "Last run")
CHANGES = "Changes"
_MEMO, _MEMO_S = "preview_memo", 5.0
_GLANCE_S, _HINT_AFTER_S = 0.05, 0.3
BELOW = "preview_below"


@dataclass(frozen=True)
class _Asked:
    """A preview that is being computed, or was: of which document, and since when."""

    document: PipelineDraft
    at: float
    answer: Future[Preview]


def asked(
    services: Services,
    draft: Draft,
    step_id: str,
    *,
    ops_until: int | None = None,
    changes_of: int | None = None,
    hint: DeltaGenerator | None = None,
) -> Preview | EtlmlError:
    """The preview of a step of the draft, or why there is none; not even looked up again while nothing is edited.

    It is computed beside this script: an edit made meanwhile ends the wait at once. ``hint`` tells of a longer wait.
    """
    answer = _begun(services, draft, step_id, ops_until, changes_of).answer
    with _told_of_waiting(hint) as tell:
        while not wait([answer], timeout=_GLANCE_S).done:
            tell()
            st.session_state.get(_MEMO)  # where Streamlit ends this script when there is something newer to do
    error = answer.exception()
    if error is None:
        return answer.result()
    if isinstance(error, EtlmlError):
        return error
    raise error


def _begun(services: Services, draft: Draft, step_id: str, ops_until: int | None, changes_of: int | None) -> _Asked:
    memo: dict[Any, _Asked] = st.session_state.setdefault(_MEMO, {})
    key, now = (draft.pipeline_id, step_id, ops_until, changes_of), time.monotonic()
    known = memo.get(key)
    if known is not None and known.document is draft.document and (not known.answer.done() or now - known.at < _MEMO_S):
        return known
    if len(memo) > 12:
        memo.clear()
    answer = services.previews.begin(draft.document, step_id, ops_until=ops_until, changes_of=changes_of)
    memo[key] = _Asked(draft.document, now, answer)
    return memo[key]


@contextmanager
def _told_of_waiting(hint: DeltaGenerator | None) -> Iterator[Callable[[], None]]:
    """Gives what shows the hint once the wait is long; it is taken away when the wait is over."""
    started, shown = time.monotonic(), False

    def tell() -> None:
        nonlocal shown
        if hint is not None and not shown and time.monotonic() - started > _HINT_AFTER_S:
            hint.html(preview_html.computing())
            shown = True

    yield tell
    if hint is not None and shown:
        hint.empty()


def draw(services: Services, draft: Draft, step: Step, *, run: Run | None, height: int, key: str) -> bool:
    """The preview with its parts; whether it shows an error."""
    chosen = st.segmented_control(
        "Part",
        [PARTS[0], CHANGES, *PARTS[1:]] if step.type == "transform" else PARTS,
        default="Rows",
        key=f"{key}_part",
        label_visibility="collapsed",
        required=True,
        width="stretch" if key == "panel" else "content",
        persist_state="session",
    )
    if chosen == "Last run":
        preview.of_step(services, run, step.id, height=height)
        return False
    if chosen == CHANGES and step.type == "transform":
        return _changes(services, draft, step, key=key)
    hint = st.empty()
    answer = asked(services, draft, step.id, hint=hint)
    if isinstance(answer, EtlmlError):
        st.html(parts.error_html(_told(answer, draft)))
    found = before_the_fault(services, draft, step, answer) if isinstance(answer, EtlmlError) else answer
    if found is not None:
        part(found, str(chosen), height=height, key=key)
    return isinstance(answer, EtlmlError)


def _changes(services: Services, draft: Draft, step: Step, *, key: str) -> bool:
    """The rows that one op changed or left out: the op whose card was opened last, or another one."""
    ops = [(at, op) for at, op in enumerate(drafted.items(step.config, "ops")) if isinstance(op, Mapping)]
    places = [at for at, op in ops if op.get("enabled", True) is not False]
    if not places:
        parts.empty("No op is on", "Add one, or switch one on, to see what it changes.")
        return False
    opened = forms.last_opened(forms.ops_key(draft.pipeline_id, step.id))
    names = {at: f"{at + 1} · {fields.label(str(op.get('op')))}" for at, op in ops}
    at = st.selectbox(
        "What changed by",
        places,
        places.index(opened) if opened in places else len(places) - 1,
        key=f"{key}_changes_{step.id}_{opened}_{len(ops)}",
        format_func=lambda place: names[place],
        width=320,
    )
    answer = asked(services, draft, step.id, changes_of=at, hint=st.empty())
    if isinstance(answer, EtlmlError):
        st.html(parts.error_html(_told(answer, draft)))
        return True
    for one in answer.ops:
        if one.at == at:
            st.html(preview_html.change(one, sampled=answer.sampled))
    st.html(
        preview_html.changed_rows(answer.changed_rows, most=MOST_CHANGED) or "<p class=pv-effect>No row to show.</p>"
    )
    if len(answer.changed_rows) >= MOST_CHANGED:
        st.caption(f"The first {MOST_CHANGED} rows of those.")
    return False


def _told(error: EtlmlError, draft: Draft) -> EtlmlError:
    """The error in the words of the form; only one of another step says of which."""
    step = draft.step(str(error.details.get("step") or draft.selected))
    message = complaints.in_form(error.message, step.config if step else {})
    elsewhere = step is not None and step.id != draft.selected
    return InvalidInput(f"Step {step.name} is not ready. {message}" if step and elsewhere else message)


def before_the_fault(services: Services, draft: Draft, step: Step, error: EtlmlError) -> Preview | None:
    """The table as it is before the op that an error speaks of."""
    at = op_at_fault(error)
    if at is None or step.type != "transform" or error.details.get("step") != step.id:
        return None
    found = asked(services, draft, step.id, ops_until=at)
    if isinstance(found, EtlmlError):
        return None
    st.caption(f"The rows as they come into {complaints.place(f'ops[{at}]', step.config)}:")
    return found


def part(found: Preview, chosen: str, *, height: int, key: str) -> None:
    """One of the parts of a preview, under what all of them say."""
    st.html(preview_html.headline(found))
    if found.rules:
        st.html(preview_html.rules(found))
    if found.target is not None:
        st.html(preview_html.target(found.target, found.row_count, sampled=found.sampled))
    if found.learning is not None:
        st.html(preview_html.learning(found.learning, found.profile, found.row_count, sampled=found.sampled))
    if chosen == "Rows":
        _rows(found, height=height, key=key)
    elif chosen == "Columns":
        st.html(preview_html.columns(found.profile, found.row_count))
    elif found.sql:
        st.code(found.sql, language="sql", wrap_lines=True)
    else:
        parts.empty("No SQL of its own", "This step hands its rows on, or another program reads them.")


def _rows(found: Preview, *, height: int, key: str) -> None:
    if not found.rows:
        parts.empty("No rows", "Nothing is left after this step.")
        return
    shown = {"columns": list(found.columns), "rows": list(found.rows)}
    preview.table(shown, key=f"{key}_rows_{found.step}", height=min(height, 38 + 35 * len(found.rows)))
    if found.row_count > len(found.rows):
        st.caption(f"The first {len(found.rows):,} rows.")


def place_switch(key: str) -> None:
    """Shows the preview under the canvas, over its whole width, or in the panel again."""
    below = is_below()

    def switch() -> None:
        st.session_state[BELOW] = not below

    st.button(
        "Show in the panel" if below else "Show below the canvas",
        icon=":material/right_panel_open:" if below else ":material/bottom_panel_open:",
        key=f"{key}_place",
        type="tertiary",
        on_click=switch,
        help="Below the canvas it stays while you edit the step's settings.",
    )


def is_below() -> bool:
    """Whether the preview stands under the canvas."""
    return bool(st.session_state.get(BELOW, True))
