"""What there is to tell about a run or an evaluation of rules, in words. Pure functions."""

from collections.abc import Sequence

from etlml.documents import Channel, Notice, NotificationEvent, Pipeline, Run, Validation
from etlml.mends import split_mend
from etlml.redaction import redacted

LONGEST_LINE = 500
MOST_TOLD = 10
WORDS: dict[NotificationEvent, str] = {
    "run_failed": "failed",
    "run_recovered": "works again",
    "run_succeeded": "succeeded",
    "schedule_missed": "missed a scheduled run",
    "validation_failed": "has data that breaks its rules",
    "validation_warned": "has data that breaks a rule of low severity",
    "quarantine": "set rows aside",
}


def run_events(run: Run, before: str | None) -> list[NotificationEvent]:
    """What the end of a run tells; ``before`` is how the run before it came out."""
    match run.status:
        case "failed":
            return ["run_failed"]
        case "success":
            return ["run_recovered", "run_succeeded"] if before == "failed" else ["run_succeeded"]
        case "missed":
            return ["schedule_missed"]
        case _:
            return []


def validation_events(validation: Validation) -> list[NotificationEvent]:
    """What an evaluation tells."""
    found: list[NotificationEvent] = []
    if validation.status == "failed":
        found.append("validation_failed")
    if validation.status == "warning":
        found.append("validation_warned")
    if validation.quarantine and validation.quarantine.get("rows", 1):
        found.append("quarantine")
    return found


def wanted(
    channel: Channel, events: Sequence[NotificationEvent], pipeline: Pipeline | None, name: str
) -> NotificationEvent | None:
    """The first of the events that a channel wants to hear of, or None.

    One thing is told once: a run that works again is not told a second time as one that succeeded.
    """
    if channel.pipelines or channel.tags:
        tags = pipeline.tags if pipeline is not None else []
        known = name in channel.pipelines or (pipeline is not None and pipeline.id in channel.pipelines)
        if not known and not set(tags) & set(channel.tags):
            return None
    return next((event for event in events if event in channel.events), None)


def of_run(channel: Channel, event: NotificationEvent, run: Run, url: str) -> Notice:
    """A run's notice: pipeline, what, where, the mend, the link."""
    lines = [f"Pipeline: {run.pipeline_name}"]
    if run.error is not None:
        wrong, mend = split_mend(run.error.message)
        where = f"step {run.error.step}" if run.error.step else ""
        lines += _labelled(What=wrong, Where=where, Mend=mend)
    if event == "schedule_missed":
        due = run.scheduled_for.strftime("%Y-%m-%d %H:%M UTC") if run.scheduled_for else ""
        lines += _labelled(Due=due, What=run.reason or "")
    if run.duration_s is not None and event != "schedule_missed":
        lines.append(f"Took: {run.duration_s:.1f} s")
    return _notice(channel, event, run.id, run.pipeline_id, run.pipeline_name, lines, f"{url}/run?id={run.id}", run.id)


def of_validation(channel: Channel, event: NotificationEvent, one: Validation, pipeline: str, url: str) -> Notice:
    """The notice of an evaluation: which rules, how many rows, the link."""
    broken = [rule for rule in one.rules if not rule.success]
    lines = [f"Pipeline: {pipeline}"] if pipeline else []
    lines += _labelled(Rules=one.name, Where=f"step {one.step_id}" if one.step_id else one.dataset)
    lines += [
        f"Broken: {rule.rule}{f' of {rule.column}' if rule.column else ''}: {rule.failed:,} of {rule.checked:,} rows"
        for rule in broken[:5]
    ]
    if event == "quarantine" and one.quarantine:
        lines.append(f"Set aside: {one.quarantine.get('rows', 0):,} rows")
    link = f"{url}/validations?id={one.id}"
    return _notice(channel, event, one.id, one.pipeline_id, pipeline or one.name, lines, link, one.run_id)


def _notice(
    channel: Channel,
    event: NotificationEvent,
    subject: str,
    pipeline_id: str | None,
    name: str,
    lines: Sequence[str],
    link: str,
    run_id: str | None,
) -> Notice:
    return Notice(
        id=f"{channel.id}:{subject}:{event}",
        channel_id=channel.id,
        event=event,
        pipeline_id=pipeline_id,
        pipeline_name=name,
        run_id=run_id,
        title=redacted(f"{name} {WORDS[event]}"),
        lines=[redacted(line)[:LONGEST_LINE] for line in lines],
        link=link,
    )


def _labelled(**parts: str) -> list[str]:
    return [f"{label}: {text}" for label, text in parts.items() if text]


def composed(notices: Sequence[Notice], environment: str = "") -> tuple[str, str]:
    """One message about all of them: title and text. Beyond the first few there is only a count."""
    head = f"[{environment}] " if environment else ""
    if len(notices) == 1:
        one = notices[0]
        return head + one.title, "\n".join([*one.lines, one.link])
    counts: dict[str, int] = {}
    for notice in notices:
        counts[WORDS[notice.event]] = counts.get(WORDS[notice.event], 0) + 1
    title = f"{head}{len(notices)} events: " + ", ".join(f"{count} {word}" for word, count in counts.items())
    told = [_short(notice) for notice in notices[:MOST_TOLD]]
    if len(notices) > MOST_TOLD:
        told.append(f"... and {len(notices) - MOST_TOLD} more.")
    return title, "\n\n".join(told)


def _short(notice: Notice) -> str:
    what = next((line for line in notice.lines if line.startswith(("What:", "Broken:", "Set aside:"))), "")
    return "\n".join([f"- {notice.title}", *([f"  {what[:200]}"] if what else []), f"  {notice.link}"])
