"""Schedules, their fires and backfills as rows, a time line and words: pure functions."""

import html
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from etlml.documents import Backfill
from etlml.engine.fire_policy import Policy
from etlml.services.backfills import Interval, Progress
from etlml.services.fires import Fire, ScheduleRow
from etlml.services.schedules import Upcoming
from etlml.ui import format as words
from etlml.ui.lists import Column, row, when
from etlml.ui.looks import look
from etlml.ui.run_rows import status_cell

CATCH_UP = {"latest": "The newest one", "all": "All of them", "none": "None"}
OVERLAP = {"queue": "Waits for its end", "skip": "Is skipped", "cancel": "Stops the old run"}
OUTCOME_LABEL = {"ran": "Ran", "missed": "Missed", "skipped": "Skipped"}
DENSE = 60
_TICK_HOURS = 3

SCHEDULE_COLUMNS = (
    Column("name", "Pipeline", "name"),
    Column("status", "State", "status"),
    Column("next", "Next fire", "time"),
    Column("last", "Last fire", "time"),
    Column("outcome", "Outcome", "status"),
    Column("missed", "Missed, 7 days", "status"),
    Column("do", "", "actions"),
)
FIRE_COLUMNS = (
    Column("name", "Fire", "name"),
    Column("outcome", "What became of it", "status"),
    Column("ago", "When", "time"),
    Column("took", "Took", "number"),
)
BACKFILL_COLUMNS = (
    Column("name", "Backfill", "name"),
    Column("status", "State", "status"),
    Column("progress", "Progress", "bar"),
    Column("counts", "Runs", "dim"),
    Column("parallel", "At once", "number"),
    Column("created", "Started", "time"),
    Column("do", "", "actions"),
)
INTERVAL_COLUMNS = (
    Column("name", "Scheduled for", "name"),
    Column("status", "Newest run", "status"),
    Column("does", "In this backfill", "dim"),
)


def schedule_row(one: ScheduleRow, *, may_edit: bool) -> dict[str, Any]:
    """A schedule of the list."""
    paused = status_cell("pending") | {"label": "Paused"}
    active = status_cell("success") | {"label": "Active"}
    broken = status_cell("failed") | {"label": "Cannot fire", "title": one.problem}
    missed = one.last_missed
    return row(
        one.pipeline_id,
        name={"text": one.pipeline, "sub": one.problem or one.words, "title": f"{one.schedule}  ({one.timezone})"},
        status=paused if one.paused else broken if one.problem else active,
        next=None if one.paused or not one.next_fires else when(one.next_fires[0]),
        last=when(one.last.at) if one.last else None,
        outcome=outcome_cell(one.last) if one.last else None,
        missed={"text": "missed", "label": words.count(one.missed), "title": missed.reason} if missed else None,
        do=[
            {
                "key": "resume" if one.paused else "pause",
                "label": "Resume" if one.paused else "Pause",
                "title": f"{'Resume' if one.paused else 'Pause'} {one.pipeline}",
                "disabled": not may_edit,
            }
        ],
    )


def outcome_cell(fire: Fire) -> dict[str, Any]:
    """What became of a fire, with the reason on hover."""
    label = look(fire.status).label if fire.outcome == "ran" else OUTCOME_LABEL[fire.outcome]
    return {"text": "skipped" if fire.outcome == "skipped" else fire.status, "label": label, "title": fire.reason}


def fire_row(fire: Fire, zone: tzinfo) -> dict[str, Any]:
    """A fire of a schedule's history."""
    return row(
        fire.run_id,
        name={"text": words.exact(fire.at, zone), "sub": fire.reason},
        outcome=outcome_cell(fire),
        ago=when(fire.at),
        took=words.duration(fire.duration_s) if fire.duration_s is not None else "",
    )


def backfill_row(one: Backfill, progress: Progress, zone: tzinfo, *, may_edit: bool) -> dict[str, Any]:
    """A backfill with how far it is and what can be done with it."""
    ended = sum(progress.counts.get(status, 0) for status in ("success", "failed", "cancelled", "missed"))
    first, last = (words.day(moment.astimezone(zone)) for moment in (one.since, one.until))
    tone = "bad" if progress.counts.get("failed") else "ok" if one.status == "completed" else "run"
    return row(
        one.id,
        name={"text": one.pipeline_name, "sub": f"{first} to {last}" + (f", by {one.author}" if one.author else "")},
        status=status_cell("pending") | {"label": "Paused"} if one.status == "paused" else status_cell(one.status),
        progress={
            "value": ended / progress.total if progress.total else 1.0,
            "text": f"{ended:,} of {progress.total:,}",
            "tone": tone,
        },
        counts=counts_text(progress, ended=one.status in ("completed", "failed", "cancelled")),
        parallel=str(one.parallel),
        created=when(one.created_at),
        do=_backfill_actions(one.status, may_edit),
    )


def _backfill_actions(status: str, may_edit: bool) -> list[dict[str, Any]]:
    offered = {"running": ("pause", "cancel"), "paused": ("resume", "cancel")}.get(status, ())
    return [
        {
            "key": key,
            "label": key.capitalize(),
            "title": f"{key.capitalize()} this backfill",
            "disabled": not may_edit,
            "tone": "danger" if key == "cancel" else "",
        }
        for key in offered
    ]


def counts_text(progress: Progress, *, ended: bool = False) -> str:
    """How many runs are in each state: ``7 success, 1 failed, 2 to start``."""
    parts = [f"{number:,} {look(status).label.lower()}" for status, number in progress.counts.items() if number]
    return ", ".join(
        [*parts, f"{progress.waiting:,} {'not started' if ended else 'to start'}"] if progress.waiting else parts
    )


def interval_row(one: Interval, zone: tzinfo) -> dict[str, Any]:
    """A moment of a dry run; times are the schedule's."""
    return row(
        one.at.isoformat(),
        name={"text": words.day_and_time(one.at.astimezone(zone), weekday=True)},
        status=status_cell(one.status) if one.status else None,
        does="runs" if one.chosen else "is left out",
    )


def policy_facts(policy: Policy) -> dict[str, str]:
    """The policies of a schedule in words."""
    late = f"after {words.duration(policy.too_late_after_s)}" if policy.too_late_after_s else "never"
    return {
        "Missed fires made up": missed_words(policy),
        "A fire while a run goes on": OVERLAP[policy.overlap].lower(),
        "Too late": late,
    }


def missed_words(policy: Policy) -> str:
    """Which missed fires are made up: ``all of them, at most 10``."""
    return CATCH_UP[policy.missed].lower() + (f", at most {policy.missed_limit}" if policy.missed == "all" else "")


def timeline_html(coming: Sequence[Upcoming], now: datetime, zone: tzinfo, span: timedelta) -> str:
    """The fires of the next hours: a lane for each schedule, a mark for each fire, the exact time on hover."""
    lanes = "".join(_lane(one, now, zone, span) for one in coming)
    return f'<div class="fires">{_axis(now, zone, span)}{lanes}</div>'


def _lane(one: Upcoming, now: datetime, zone: tzinfo, span: timedelta) -> str:
    if len(one.at) > DENSE:
        first = _share(one.at[0], now, span)
        width = _share(one.at[-1], now, span) - first
        marks = f'<i class="many" style="left:{first:.2f}%;width:{width:.2f}%" title="{words.plural(len(one.at), "fire")}"></i>'
    else:
        marks = "".join(
            f'<i style="left:{_share(at, now, span):.2f}%" title="{at.astimezone(zone):%a %H:%M}"></i>' for at in one.at
        )
    name, text = html.escape(one.pipeline), html.escape(one.words)
    first_at = f"{one.at[0].astimezone(zone):%H:%M}"
    return (
        f'<div class="line"><span title="{name}: {text}">{name}</span><div class="lane">{marks}</div>'
        f"<small>{first_at}{f' +{len(one.at) - 1:,}' if len(one.at) > 1 else ''}</small></div>"
    )


def _axis(now: datetime, zone: tzinfo, span: timedelta) -> str:
    local = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    hours = (local + timedelta(hours=hour) for hour in range(1, int(span.total_seconds() // 3600) + 1))
    ticks = "".join(
        f'<b style="left:{_share(at, now, span):.2f}%">{at:%H:%M}</b>' for at in hours if at.hour % _TICK_HOURS == 0
    )
    clock = f"{now.astimezone(zone):%H:%M}"
    return f'<div class="line axis"><span>Now {clock}</span><div class="lane">{ticks}</div><small></small></div>'


def _share(at: datetime, now: datetime, span: timedelta) -> float:
    """Where a moment lies in the span, in percent."""
    return 100 * (at - now) / span
