"""Settings: the workers and what is in force in each, what they take on, how schedules are read, what is fixed at the start."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from etlml.services import Services
from etlml.services.preferences import Preferences
from etlml.services.principals import Principal
from etlml.settings import LEAST_RUN_MEMORY, MOST_SLOTS
from etlml.ui import format as words
from etlml.ui import frame, lists, parts, settings_form
from etlml.ui.schedule_rows import CATCH_UP, OVERLAP

COLUMNS = (
    lists.Column("name", "Worker", "name"),
    lists.Column("slots", "Slots busy", "number"),
    lists.Column("memory", "Memory of a run", "number"),
    lists.Column("by", "Set by", "dim"),
    lists.Column("since", "Started", "time"),
    lists.Column("beat", "Last heartbeat", "time"),
)
EMPTY = "No worker is alive, so runs wait. Start one with `etlml worker`."
VARIABLES: Mapping[str, str] = {"worker_slots": "ETLML_WORKER_SLOTS", "run_memory": "ETLML_RUN_MEMORY"}
GB = 10**9


def draw(services: Services, user: Principal) -> None:
    """Workers live; the rest below."""
    parts.section("Workers", "what is in force in each")
    _workers(services)
    left, right = st.columns(2, gap="large")
    current = services.settings.get()
    with left:
        parts.section("Runs at once, and their memory", "taken up within a second, without a restart")
        _limits(services, user, current)
        _fixed()
    with right:
        parts.section("Schedules", "for pipelines that do not say otherwise, from their next fire on")
        _policies(services, user, current)
        parts.section("Time zone and address")
        settings_form.draw(services, user, "timezone", "public_url")


@parts.fragment(run_every="5s", key="settings_workers")
def _workers(services: Services) -> None:
    rows = [
        lists.row(
            w["id"],
            name={"text": w["host"], "sub": f"process {w['pid']}"},
            slots=f"{w['running']} of {w['slots']}",
            memory=words.size(w["run_memory"]),
            by=set_by(w["fixed"]),
            since=lists.when(w["started_at"]),
            beat=lists.when(w["heartbeat_at"]),
        )
        for w in services.health.check()["workers"]
    ]
    lists.draw("workers", COLUMNS, rows, opens=False, empty=EMPTY)


def set_by(fixed: Sequence[str]) -> str:
    """Who decides on a worker's limits: ``these settings``, ``ETLML_WORKER_SLOTS``."""
    return ", ".join(VARIABLES[name] for name in VARIABLES if name in fixed) or "these settings"


def _limits(services: Services, user: Principal, current: Preferences) -> None:
    admin, environment = user.permits("admin"), frame.environment()
    with st.container(horizontal=True):
        slots = st.number_input(
            "Runs at once, each worker",
            1,
            MOST_SLOTS,
            current.worker_slots,
            key="engine_slots",
            placeholder="each machine's own",
            help="Empty: as many as the machine has cores, 2 to 8. With fewer than now, what runs may end first.",
            disabled=not admin,
        )
        memory = st.number_input(
            "Memory of a run (GB)",
            LEAST_RUN_MEMORY / GB,
            None,
            current.run_memory / GB if current.run_memory else None,
            step=0.5,
            format="%.4g",
            key="engine_memory",
            placeholder="each machine's own",
            help="Empty: a quarter of the machine's, at most 16 GB. Holds for runs that begin from now on.",
            disabled=not admin,
        )
    for remark in remarks([w["fixed"] for w in services.health.check()["workers"]], environment.model_fields_set):
        st.caption(remark)
    same = memory is not None and current.run_memory is not None and abs(memory * GB - current.run_memory) < 1
    chosen = current.run_memory if same else None if memory is None else round(memory * GB)
    changed: dict[str, Any] = {"worker_slots": slots, "run_memory": chosen}
    settings_form.save(services, user, settings_form.different(current, changed), key="save_engine")


def remarks(workers: Sequence[Sequence[str]], here: set[str]) -> list[str]:
    """What is set here in vain, where an environment decides: one sentence a variable.

    Args:
        workers: For each live worker, which limits its environment sets.
        here: What the studio's own environment sets, which decides for a worker that starts beside it.
    """
    told = []
    for name, variable in VARIABLES.items():
        held = sum(name in fixed for fixed in workers)
        if held and held == len(workers):
            told.append(
                f"{variable} is set where the workers run, and wins: what is set here has no effect until it is taken away."
            )
        elif held:
            told.append(f"{variable} is set where {held} of {len(workers)} workers run, and wins there.")
        elif not workers and name in here:
            told.append(f"{variable} is set here, and wins for workers that start here.")
    return told


def _policies(services: Services, user: Principal, current: Preferences) -> None:
    off = not user.permits("admin")
    missed = st.selectbox(
        "Missed fires are made up",
        list(CATCH_UP),
        index=list(CATCH_UP).index(current.schedule_missed),
        format_func=CATCH_UP.__getitem__,
        key="engine_missed",
        disabled=off,
        help="Fires that came while no worker was alive.",
    )
    limit: int | None = current.schedule_missed_limit
    if missed == "all":
        limit = st.number_input("At most", 1, 1000, limit, key="engine_missed_limit", disabled=off)
    overlap = st.selectbox(
        "A fire while a run goes on",
        list(OVERLAP),
        index=list(OVERLAP).index(current.schedule_overlap),
        format_func=OVERLAP.__getitem__,
        key="engine_overlap",
        disabled=off,
    )
    changed = {"schedule_missed": missed, "schedule_missed_limit": limit, "schedule_overlap": overlap}
    settings_form.save(services, user, settings_form.different(current, changed), key="save_policies")


def _fixed() -> None:
    environment = frame.environment()
    parts.section("Fixed at the start", "change the variable or .env, then start again")
    st.html(
        parts.table_html(
            {
                "Files": f"{environment.home} (ETLML_HOME)",
                "Database": f"{environment.database} (ETLML_DATABASE)",
                "Studio": f"{environment.host}:{environment.port} (ETLML_HOST, ETLML_PORT)",
                "REST": f"{environment.host}:{environment.api_port} (ETLML_API_PORT)",
                "Sign-in": f"{'required' if environment.auth_required else 'off'} (ETLML_AUTH)",
            }
        )
    )
