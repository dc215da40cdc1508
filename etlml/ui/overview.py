"""The dashboard's figures in the form in which they are drawn: pure functions of what the statistics service says."""

import html
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from etlml.documents import AuditEntry, Model, Run
from etlml.services.health import Part
from etlml.services.schedules import Upcoming
from etlml.ui import charts, gantt
from etlml.ui import format as words
from etlml.ui.lists import row, when
from etlml.ui.looks import FAMILIAR

HOURLY = timedelta(days=1)


class Metric(NamedTuple):
    """One figure with its change and its course."""

    label: str
    value: str
    help: str
    delta: str | None = None
    note: str | None = None
    trend: Sequence[float] = ()
    neutral: bool = False


class Summary(NamedTuple):
    """What the dashboard shows of one range; ``before`` is the range of the same length that went before."""

    days: list[str]
    series: dict[str, list[int]]
    runs: int
    runs_before: int
    success_rate: float | None
    success_before: float | None
    score: float | None
    scores: list[float]
    pipelines: int
    models: int
    deployed: int
    by_pipeline: Sequence[Mapping[str, Any]]
    failures: list[Run]
    missed: list[Run]
    range_note: str


def summary(found: Mapping[str, Any], *, now: datetime, span: timedelta, zone: tzinfo) -> Summary:
    """The figures of the last ``span``, out of an overview of that time."""
    since = now - span
    days = slots(since, now, zone)
    current, before = found["runs"]["by_day"], found["before"]
    quality = found["quality"].get("by_day", [])
    checks = sum(each["n"] for each in quality)
    models: Mapping[str, int] = found["models"]
    return Summary(
        days=days,
        series=charts.runs_by_day(current, days),
        runs=sum(each["runs"] for each in current),
        runs_before=sum(before["counts"].values()),
        success_rate=rate(current),
        success_before=before["success_rate"],
        score=sum(each["score"] * each["n"] for each in quality) / checks if checks else None,
        scores=[float(each["score"]) for each in quality],
        pipelines=found["pipelines"],
        models=sum(models.values()),
        deployed=models.get("deployed", 0),
        by_pipeline=found["runs"]["by_pipeline"],
        failures=[run for run in found["failures"] if run.created_at >= since],
        missed=[run for run in found.get("missed", []) if run.created_at >= since],
        range_note=f"last {words.duration(span.total_seconds())}",
    )


def is_hourly(span: timedelta) -> bool:
    """Whether a time is so short that its runs are counted by hour."""
    return span <= HOURLY


def slots(since: datetime, now: datetime, zone: tzinfo) -> list[str]:
    """The days of a time, of a short one its hours, as the statistics write them."""
    if not is_hourly(now - since):
        return charts.days_between(since.astimezone(zone).date(), now.astimezone(zone).date())
    hours = range(int((now - since) / timedelta(hours=1)) + 2)  # the first and the last may be cut
    every = (min(since + timedelta(hours=number), now).astimezone(zone) for number in hours)
    return list(dict.fromkeys(f"{each:%Y-%m-%d %H}:00" for each in every))


def rate(by_day: Sequence[Mapping[str, Any]]) -> float | None:
    """The share of successes among what succeeded or failed; None without any."""
    good = sum(each["runs"] for each in by_day if each["status"] == "success")
    bad = sum(each["runs"] for each in by_day if each["status"] == "failed")
    return good / (good + bad) if good + bad else None


def metrics(shown: Summary) -> list[Metric]:
    """The row of figures at the top."""
    checked = [score * 100 for score in shown.scores]
    deployed = f"{shown.deployed} deployed" if shown.deployed else None
    return [
        Metric("Pipelines", words.count(shown.pipelines), "Pipelines that are stored."),
        _runs(shown),
        _success_rate(shown),
        Metric("Data quality", words.percent(shown.score), "Mean score of the validations.", trend=checked),
        Metric("Models", words.count(shown.models), "Registered versions.", delta=deployed, neutral=True),
    ]


def _runs(shown: Summary) -> Metric:
    more = shown.runs - shown.runs_before
    return Metric(
        "Runs",
        words.count(shown.runs),
        "Runs in this time.",
        delta=f"{more:+,}" if shown.runs_before else None,
        note="vs before",
        trend=[float(sum(values[i] for values in shown.series.values())) for i in range(len(shown.days))],
        neutral=True,
    )


def _success_rate(shown: Summary) -> Metric:
    now, before = shown.success_rate, shown.success_before
    rates = [rate([{"status": s, "runs": v[i]} for s, v in shown.series.items()]) for i in range(len(shown.days))]
    return Metric(
        "Success rate",
        words.percent(now),
        "Successful runs among those that succeeded or failed.",
        delta=None if now is None or before is None else f"{(now - before) * 100:+.1f} points",
        note="vs before",
        trend=[share * 100 for share in rates if share is not None],
    )


def running_row(run: Run, usual_s: Mapping[str, float], expected_s: float | None, now: datetime) -> dict[str, Any]:
    """A run that goes on, with its progress against earlier runs."""
    share = gantt.progress(run, usual_s, now)
    started = run.started_at or run.created_at
    so_far = words.duration(max((now - started).total_seconds(), 0))
    usual = words.duration(expected_s) if expected_s else ""
    return row(
        run.id,
        name={
            "text": run.pipeline_name,
            "sub": f"{so_far} of {usual}" if usual else f"for {so_far}",
            "title": f"For {so_far}" + (f", usually {usual}" if usual else ""),
        },
        bar={"value": share, "text": words.percent(share, 0), "tone": "run"},
        do=[{"key": "stop", "label": "Stop", "tone": "danger", "disabled": run.cancel_requested}],
    )


def failure_row(run: Run) -> dict[str, Any]:
    """A failed run with the first line of its error."""
    line = words.first_line(run.error.message, 90) if run.error else "failed"
    return row(
        run.id,
        name={"text": run.pipeline_name, "sub": line, "title": run.error.message if run.error else ""},
        at=when(run.finished_at or run.created_at),
    )


def missed_row(run: Run) -> dict[str, Any]:
    """A moment at which a schedule should have started a run."""
    reason = words.first_line(run.reason, 90) or "The run was not started."
    return row(
        run.id,
        name={"text": run.pipeline_name, "sub": reason, "title": run.reason or ""},
        at=when(run.scheduled_for or run.created_at),
    )


def upcoming_row(coming: Upcoming, zone: tzinfo) -> dict[str, Any]:
    """A schedule's next fire, and how often it fires after that."""
    more = len(coming.at) - 1
    until = f"{coming.at[-1].astimezone(zone):%a %H:%M}"
    return row(
        coming.pipeline_id,
        name={
            "text": coming.pipeline,
            "sub": f"and {more:,} more until {until}" if more else "",
            "title": coming.words,
        },
        at=when(coming.at[0]),
    )


def model_row(model: Model) -> dict[str, Any]:
    """A model in production with its best known metric."""
    name = next((each for each in FAMILIAR if model.metrics.get(each) is not None), None)
    figure = f"{name} {words.metric(model.metrics[name])}" if name else model.algorithm
    return row(
        f"{model.name}@{model.version}",
        name={"text": f"{model.name} {model.version}", "sub": figure, "title": ", ".join(model.aliases) or model.name},
        at=when(model.created_at),
    )


def opened_by(entry: AuditEntry) -> tuple[str, dict[str, str]] | None:
    """The page of what an entry of the audit log is about, and its parameters; None if it has none."""
    if entry.action == "deleted":
        return None
    if entry.kind == "model":
        return "models", {"name": entry.key.split("@")[0].split(" ")[0]}
    if entry.kind in ("pipeline", "run", "experiment"):
        return entry.kind, {"id": entry.key}
    tab = {"connection": "Connections", "user": "People", "api_key": "API keys", "settings": "Appearance"}.get(
        entry.kind
    )
    return ("settings", {"tab": tab}) if tab else None


def health_html(parts: Sequence[Part]) -> str:
    """The strip of what has to run; what has a problem says its mend."""
    cells = "".join(
        f'<div class="{each.state}" title="{html.escape(each.detail, quote=True)}">'
        f'<i class="dot {each.state}"></i><span>{html.escape(each.name)}</span><b>{html.escape(each.words)}</b>'
        + (f"<small>{html.escape(each.mend.replace('`', ''))}</small>" if each.mend else "")
        + "</div>"
        for each in parts
    )
    return f'<div class="vitals" role="status">{cells}</div>'
