"""Settings: take everything along to another installation, and bring it up from there."""

from datetime import UTC, datetime

import streamlit as st

from etlml.compute.scratch import scratch
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.services.unpacking import Outcome
from etlml.ui import copy_as, lists, parts
from etlml.ui import format as words

COLUMNS = (
    lists.Column("name", "Thing", "name"),
    lists.Column("kind", "Kind", "dim"),
    lists.Column("change", "Becomes", "text"),
    lists.Column("note", "Why", "dim"),
)
MOST_SHOWN = 300


def draw(services: Services, user: Principal) -> None:
    """Pack on the left, unpack on the right."""
    left, right = st.columns(2, gap="large")
    with left:
        parts.section("Pack", "pipelines, schedules, connections without secrets, settings and models in one file")
        _pack(services, user)
    with right:
        parts.section("Unpack", "what is there already is left alone, unless you say otherwise")
        _unpack(services, user)


def _pack(services: Services, user: Principal) -> None:
    runs = st.checkbox("Also runs with their results", key="pack_runs")
    experiments = st.checkbox("Also experiments with their metrics", key="pack_experiments")
    stamp = datetime.now(UTC).strftime("%Y%m%d")
    with st.container(horizontal=True):
        st.download_button(
            "Download pack",
            lambda: packed(services, user, runs=runs, experiments=experiments),
            file_name=f"etlml-{stamp}.pack",
            mime="application/zip",
            icon=":material/archive:",
            on_click="ignore",
            key="pack",
        )
        parts.command_lines(copy_as.system.pack(runs=runs, experiments=experiments))


def packed(services: Services, user: Principal, *, runs: bool, experiments: bool) -> bytes:
    """A pack's bytes."""
    with scratch("pack") as folder:
        path = folder / "etlml.pack"
        services.packing.pack(path, runs=runs, experiments=experiments, author=user.name)
        return path.read_bytes()


def _unpack(services: Services, user: Principal) -> None:
    given = st.file_uploader("A pack", type=["pack", "etlml", "zip"], key="unpack_file")
    if given is None:
        return
    replace = st.checkbox("Replace what is there under the same name", key="unpack_replace")
    with scratch("unpack") as folder, parts.shown_errors():
        path = folder / "given.pack"
        path.write_bytes(given.getbuffer())
        with st.spinner("Looking into it …"):
            plan = services.packing.unpack(path, replace=replace, dry_run=True)
        st.caption(f"Nothing is done yet. It would mean: {summary(plan)}.")
        _show(plan)
        changes = sum(each.change != "skipped" for each in plan)
        with st.container(horizontal=True):
            label = f"Unpack {words.plural(changes, 'thing')}"
            pressed = st.button(label, type="primary", key="unpack", disabled=not changes)
            parts.command_lines(copy_as.system.unpack(given.name, replace=replace))
        if pressed:
            with st.spinner("Unpacking …"):
                done = services.packing.unpack(path, replace=replace, author=user.name)
            parts.toast_later(f"Unpacked: {summary(done)}.")
            st.rerun()


def summary(outcomes: list[Outcome]) -> str:
    """How many are created, replaced and skipped."""
    counts = {change: sum(each.change == change for each in outcomes) for change in ("created", "replaced", "skipped")}
    return ", ".join(f"{number} {change}" for change, number in counts.items() if number) or "nothing"


def _show(outcomes: list[Outcome]) -> None:
    rows = [
        lists.row(f"{number}", name={"text": one.name}, kind=one.kind, change=one.change, note=one.note)
        for number, one in enumerate(outcomes[:MOST_SHOWN])
    ]
    lists.draw("unpack_plan", COLUMNS, rows, opens=False, height=320, empty="The pack is empty.")
