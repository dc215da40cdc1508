"""The rows that a step gave, as a table with each column's type."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import streamlit as st

from etlml.documents import Run
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.ui import downloads, parts, place
from etlml.ui import format as words

SHOWN = 100


def of_step(services: Services, run: Run | None, step_id: str, *, height: int = 420) -> None:
    """The first rows of a step's result in a run."""
    if run is None:
        parts.empty("No rows yet", "Run the pipeline to see what this step gives.")
        return
    kept = any(step.checkpoint for step in run.steps if step.id == step_id)
    try:
        with nullcontext() if kept else st.spinner("Computing the rows again…"):
            found = services.run_rows.page(run.id, step_id, limit=SHOWN)
    except EtlmlError as error:
        parts.empty("No rows to show", error.message)
        if next_step := error.details.get("fused_into"):
            _way_to(run.id, next_step)
        return
    shown, width = len(found["rows"]), words.plural(len(found["columns"]), "column")
    st.caption(f"The first {shown:,} of {words.plural(found['total'], 'row')}, {width}. {found['basis']}")
    table(found, key=f"rows_{run.id}_{step_id}", height=height)
    _files(services, run.id, step_id, at_hand=not found["basis"])


def _way_to(run_id: str, step_id: str) -> None:
    """A way to the rows of another step, from the run's own page or another one."""
    label, icon = f"The rows of {step_id}", ":material/arrow_forward:"
    if place.param("id") != run_id:
        place.link("run", label, icon=icon, id=run_id, tab="Rows", step=step_id)
    elif st.button(label, icon=icon, key=f"rows_of_{step_id}_instead", type="tertiary"):
        place.set_params(step=step_id)
        st.rerun()


def _files(services: Services, run_id: str, step_id: str, *, at_hand: bool) -> None:
    """Links to all rows; those that have to be computed again are so first, where one sees it."""
    ready = f"all_rows_of_{run_id}_{step_id}"
    if not at_hand and ready not in st.session_state:
        spot = st.empty()
        if not spot.button("Get all rows as a file", icon=":material/download:", key=f"make_{ready}"):
            return
        try:
            with spot, st.spinner("Computing all rows…", show_time=True):
                services.step_files.prepare(run_id, step_id)
        except EtlmlError as error:
            spot.error(error.message, icon=":material/error:")
            return
        st.session_state[ready] = True
        spot.empty()
    st.html(downloads.rows_html(run_id, step_id))


def table(found: Mapping[str, Any], *, key: str, height: int) -> None:
    """Rows as a grid; each column's type is its help."""
    import pandas as pd

    names = [column["name"] for column in found["columns"]]
    times = [column["name"] for column in found["columns"] if str(column["type"]).startswith("TIMESTAMP")]
    rows = [
        {**row, **{name: str(row[name]).replace("T", " ") for name in times if row[name] is not None}}
        for row in found["rows"]
    ]
    config = {column["name"]: st.column_config.Column(help=column["type"]) for column in found["columns"]}
    st.dataframe(
        pd.DataFrame(rows, columns=names),
        hide_index=True,
        height=height,
        width="content",
        key=key,
        column_config=config,
    )
