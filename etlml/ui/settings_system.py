"""Settings: how the installation is: doctor, versions, database, indexes, diagnostics, packs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from etlml.clock import utc_now
from etlml.documents import WebhookCalls
from etlml.services import Services
from etlml.services.database import IndexFact
from etlml.services.doctor import Check
from etlml.services.principals import Principal
from etlml.ui import copy_as, lists, parts, settings_pack
from etlml.ui import format as words
from etlml.ui.looks import Tone

DOTS = {"ok": "ok", "warn": "warn", "fail": "bad"}
STATES: dict[str, tuple[str, Tone]] = {
    "ok": ("Everything works", "ok"),
    "degraded": ("Works, with something to mend", "warn"),
    "down": ("Down", "bad"),
}


def draw(services: Services, user: Principal) -> None:
    """Health first, then the database, then what can be taken along."""
    health = services.health.check()
    st.html(parts.tone_pill(*STATES.get(health["status"], STATES["down"])))
    left, right = st.columns(2, gap="large")
    with left:
        _doctor(services)
    with right:
        _versions(services, health)
    _collections(services)
    _indexes(services, user)
    if user.permits("admin"):
        _diagnostics(services, user)
        settings_pack.draw(services, user)
    else:
        st.caption("Admins make diagnostics bundles and packs here.")


@st.cache_data(ttl=30, show_spinner=False)
def _checks(_services: Services) -> Sequence[Check]:
    """The doctor looks for a third of a second; not again at each click."""
    return _services.doctor.run()


@st.cache_data(ttl=30, show_spinner=False)
def _sizes(_services: Services) -> Mapping[str, Mapping[str, int]]:
    return _services.database.sizes()


@st.cache_data(ttl=30, show_spinner=False)
def _index_facts(_services: Services) -> Sequence[IndexFact]:
    return _services.database.indexes()


def _doctor(services: Services) -> None:
    parts.section("Doctor")
    with st.spinner("Looking …"):
        checks = _checks(services)
    lines = "".join(
        f'<div><i class="dot {DOTS[check.status]}" title="{check.status}"></i>'
        f'<span class="what">{parts.escaped(check.message)}<small>{parts.escaped(check.mend)}</small></span>'
        f'<span class="when">{parts.escaped(check.name)}</span></div>'
        for check in checks
    )
    st.html(f'<div class="feed">{lines}</div>')
    if text := strangers(services.webhooks.unknown(), utc_now()):
        st.caption(f":orange[{text}]")


def strangers(calls: WebhookCalls, now: datetime) -> str:
    """What there is to say of webhook calls with a token that nobody has; empty where none came within a week."""
    last = calls.last_refused_at
    if last is None or now - last > timedelta(days=7):
        return ""
    counted = words.plural(calls.refused, "webhook call")
    return f"{counted} with an unknown token so far, the last {words.ago(last, now)}. The log says when they come."


def _versions(services: Services, health: dict[str, object]) -> None:
    parts.section("Versions")
    facts = services.database.facts()
    versions = {name: str(version) for name, version in dict(health["versions"]).items()}  # type: ignore[call-overload]
    st.html(parts.table_html({**versions, "mongodb": facts.version}))
    parts.section("MongoDB")
    latency = dict(health["mongodb"])["latency_ms"]  # type: ignore[call-overload]
    st.html(
        parts.table_html(
            {
                "Answers in": f"{latency} ms" if latency is not None else words.MISSING,
                "Replica set": facts.replica_set or "none",
                "Documents": words.count(facts.documents),
                "Size": words.size(facts.bytes),
                "Free disk": words.size(dict(health["disk"])["free_bytes"]),  # type: ignore[call-overload]
            }
        )
    )


def _collections(services: Services) -> None:
    with st.expander("Collections", icon=":material/database:"):
        rows = [
            lists.row(
                name,
                name={"text": name},
                documents=words.count(each["documents"]),
                size=words.size(each["bytes"] - each["index_bytes"]),
                indexes=words.size(each["index_bytes"]),
            )
            for name, each in sorted(_sizes(services).items(), key=lambda pair: -pair[1]["bytes"])
        ]
        columns = (
            lists.Column("name", "Collection", "name"),
            lists.Column("documents", "Documents", "number", "right"),
            lists.Column("size", "Data", "number", "right"),
            lists.Column("indexes", "Indexes", "number", "right"),
        )
        lists.draw("sizes", columns, rows, opens=False)


def _indexes(services: Services, user: Principal) -> None:
    facts = _index_facts(services)
    missing = [fact for fact in facts if fact.state == "missing"]
    extra = [fact for fact in facts if fact.state == "extra"]
    title = f"Indexes: {len(missing)} missing" if missing else f"Indexes: all {len(facts) - len(extra)} are there"
    with st.expander(title, icon=":material/manage_search:", expanded=bool(missing)):
        if missing:
            st.warning(
                "Missing: " + ", ".join(f"{one.collection}.{one.name}" for one in missing), icon=":material/warning:"
            )
            if user.permits("admin") and _asked_for_indexes():
                with st.spinner("Creating …"), parts.shown_errors():
                    services.database.create_indexes(author=user.name)
                    _checks.clear()
                    _index_facts.clear()
                    parts.toast_later("All indexes are there.")
                    st.rerun()
        if extra:
            st.caption(
                "Not made by the platform, and not used by it: "
                + ", ".join(f"{one.collection}.{one.name}" for one in extra)
            )
        largest = sorted(facts, key=lambda one: -one.bytes)[:10]
        st.html(parts.table_html({f"{one.collection}.{one.name}": words.size(one.bytes) for one in largest}))


def _asked_for_indexes() -> bool:
    with st.container(horizontal=True):
        pressed = st.button("Create missing", type="primary", key="create_indexes")
        parts.command_lines(copy_as.system.create_indexes())
    return pressed


def _diagnostics(services: Services, user: Principal) -> None:
    parts.section(
        "Diagnostics bundle", "for whoever helps: versions, doctor, settings, sizes, the last log lines; no secrets"
    )
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M")
    with st.container(horizontal=True):
        st.download_button(
            "Download diagnostics",
            lambda: services.diagnostics.content(author=user.name),
            file_name=f"etlml-diagnostics-{stamp}.zip",
            mime="application/zip",
            icon=":material/medical_information:",
            on_click="ignore",
            key="diagnostics",
        )
        parts.command_lines({"Diagnostics": copy_as.system.diagnostics(), "Doctor": copy_as.system.doctor()})
