"""The list of backfills: how far each is, pause, resume, cancel."""

from datetime import tzinfo

import streamlit as st

from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import copy_as, lists, parts, place, row_commands, schedule_rows
from etlml.ui import format as words

MOST = 50


def draw(services: Services, user: Principal) -> None:
    """Draw the list; it is live while one is running."""
    running = bool(services.backfills.list(status="running", limit=1).items)

    @parts.fragment(run_every="2s" if running else None, key="backfills")
    def table() -> None:
        found = services.backfills.list(limit=MOST).items
        if not found:
            parts.empty("No backfills yet", "“Backfill …” runs a pipeline for the past moments of its schedule.")
            return
        rows = [
            schedule_rows.backfill_row(
                one, services.backfills.progress(one), place.zone(), may_edit=user.permits("editor")
            )
            for one in found
        ]
        copies = {one.id: row_commands.backfill(one) for one in found}
        happened = lists.draw("backfill_list", schedule_rows.BACKFILL_COLUMNS, rows, copies=copies)
        st.caption("Open one to see its runs.")
        if happened.opened:
            place.go("runs", backfill=happened.opened)
        if happened.row and happened.action:
            _act(services, user, happened.row, happened.action)
        if running and not any(one.status == "running" for one in found):
            st.rerun()

    table()


def label(services: Services, backfill_id: str, zone: tzinfo) -> str:
    """A backfill as a filter: ``Backfill of flights, 1 Nov to 8 Nov 2026``."""
    try:
        one = services.backfills.get(backfill_id)
    except EtlmlError:
        return "A backfill that is gone"
    first, last = one.since.astimezone(zone), one.until.astimezone(zone)
    days = words.day(last) if first.date() == last.date() else f"{words.day(first, year=False)} to {words.day(last)}"
    return f"Backfill of {one.pipeline_name}, {days}"


def _act(services: Services, user: Principal, backfill_id: str, action: str) -> None:
    if action == "cancel":
        parts.confirm(
            "Cancel this backfill?",
            "No more of its runs are started; those that wait or go on are cancelled. What has run stays.",
            "Cancel the backfill",
            lambda: services.backfills.cancel(backfill_id, author=user.name),
            "The backfill is cancelled.",
            commands=copy_as.backfills.change([backfill_id], "cancel"),
        )
        return
    act = services.backfills.pause if action == "pause" else services.backfills.resume
    done = "The backfill is paused." if action == "pause" else "The backfill goes on."
    if parts.attempt(lambda: act(backfill_id, author=user.name), done):
        st.rerun()
