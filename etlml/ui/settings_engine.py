"""Settings: the workers, what was set at their start, and how schedules are read."""

import streamlit as st

from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import format as words
from etlml.ui import frame, lists, parts, settings_form

COLUMNS = (
    lists.Column("name", "Worker", "name"),
    lists.Column("slots", "Slots busy", "number"),
    lists.Column("since", "Started", "time"),
    lists.Column("beat", "Last heartbeat", "time"),
)
EMPTY = "No worker is alive, so runs wait. Start one with `etlml worker`."


def draw(services: Services, user: Principal) -> None:
    """Workers live; the rest below."""
    parts.section("Workers")
    _workers(services)
    left, right = st.columns(2, gap="large")
    with left:
        _fixed()
    with right:
        parts.section("Time zone and address")
        settings_form.draw(services, user, "timezone", "public_url")
        st.caption(
            "Missed and overlapping fires are set with each pipeline's schedule. Unless told otherwise, the "
            "latest missed fire is made up, and a fire during a run waits for it to end."
        )


@parts.fragment(run_every="5s", key="settings_workers")
def _workers(services: Services) -> None:
    rows = [
        lists.row(
            w["id"],
            name={"text": w["host"], "sub": f"process {w['pid']}"},
            slots=f"{w['running']} of {w['slots']}",
            since=lists.when(w["started_at"]),
            beat=lists.when(w["heartbeat_at"]),
        )
        for w in services.health.check()["workers"]
    ]
    lists.draw("workers", COLUMNS, rows, opens=False, empty=EMPTY)


def _fixed() -> None:
    environment = frame.environment()
    parts.section("Fixed at the start", "change the variable or .env, then start again")
    st.html(
        parts.table_html(
            {
                "Runs at once, each worker": f"{environment.worker_slots} (ETLML_WORKER_SLOTS)",
                "Memory of a run": f"{words.size(environment.run_memory)} (ETLML_RUN_MEMORY)",
                "Files": f"{environment.home} (ETLML_HOME)",
                "Database": f"{environment.database} (ETLML_DATABASE)",
                "Studio": f"{environment.host}:{environment.port} (ETLML_HOST, ETLML_PORT)",
                "REST": f"{environment.host}:{environment.api_port} (ETLML_API_PORT)",
                "Sign-in": f"{'required' if environment.auth_required else 'off'} (ETLML_AUTH)",
            }
        )
    )
