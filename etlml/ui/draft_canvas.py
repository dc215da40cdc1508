"""A draft on the canvas: its steps as the last run left them, and what is done there taken over into it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import canvas, drafts, graph, place, run_view, step_panel
from etlml.ui.drafts import Draft


def draw(
    services: Services, draft: Draft, user: Principal, *, run: Run | None, problems: Sequence[dict[str, Any]]
) -> None:
    """The canvas, and below it what is wrong with the pipeline as a whole."""
    hand = _Hand(services, draft, user, f"canvas_{draft.pipeline_id}")
    canvas.draw(
        hand.key,
        _nodes(services, draft, run, problems),
        graph.edges_of(draft.document.steps),
        rev=draft.rev,
        selected=draft.selected,
        choice=draft.choice,
        readonly=not user.permits("editor"),
        height="var(--build-height)",
        on_graph=hand.changed,
        on_selected=hand.selected,
        menu={"to": user.permits("operator"), "from": step_panel.began(run)},
        on_asked=hand.asked,
    )
    _general(problems)


@dataclass(frozen=True)
class _Hand:
    """What somebody does on the canvas of a draft; ``key`` is where Streamlit tells of it."""

    services: Services
    draft: Draft
    user: Principal
    key: str

    def changed(self) -> None:
        """Steps were added, moved, connected or removed."""
        drawn = st.session_state[self.key].get("graph")
        if drawn is not None:  # Streamlit may tell of a change whose value a newer one has replaced already
            self.draft.apply_canvas(drawn)
            self._keep()

    def selected(self) -> None:
        """Another step is looked at."""
        self.draft.selected = st.session_state[self.key].get("selected", self.draft.selected)
        place.set_params(step=self.draft.selected)

    def asked(self) -> None:
        """Something was chosen from a step's menu."""
        asked = st.session_state[self.key].get("asked") or {}
        if asked.get("what") == "rename" and self.user.permits("editor"):
            self.draft.rename_step(str(asked["id"]), str(asked["name"]))
            self._keep()
        elif asked.get("what") in ("to", "from"):
            step_panel.want(asked["what"], str(asked["id"]))

    def _keep(self) -> None:
        drafts.keep(self.services, self.draft, self.user.name)


def _nodes(
    services: Services, draft: Draft, run: Run | None, problems: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The steps with what the run says of them; stale ones gave it when they were others."""
    steps, by_step = draft.document.steps, graph.problems_by_step(problems)
    if run is not None and not run.is_final:
        usual_s = run_view.usual_seconds(services, run.pipeline_id)
        nodes = run_view.live_nodes(steps, run, usual_s, utc_now(), problems=by_step)
    else:
        nodes = graph.nodes_of(steps, run=run, problems=by_step)
    stale = _stale(services, draft, run)
    return [{**node, "stale": node["id"] in stale} for node in nodes]


def _stale(services: Services, draft: Draft, run: Run | None) -> set[str]:
    """Steps that are no longer what they were in the run."""
    if run is None or (run.pipeline_version == draft.version and not draft.is_dirty):
        return set()
    return drafts.stale_steps(draft.document.steps, run_view.steps_of(services, run))


def _general(problems: Sequence[dict[str, Any]]) -> None:
    """What is wrong with the pipeline as a whole; the steps' own problems are badges."""
    for message in graph.problems_by_step(problems).get("", [])[:3]:
        st.warning(message, icon=":material/warning:")
    if problems:
        st.caption(f":red[{len(problems)} to fix before this can be saved.] Select the marked steps to see what.")
