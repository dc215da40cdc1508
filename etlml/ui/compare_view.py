"""Two runs side by side, as HTML: facts, changes in words, figures with their differences, rows old and new."""

import html
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Any

from etlml.services.comparison import Difference, FigurePair, RowDifference, RunComparison, RunFacts, StepPair, StepRows
from etlml.services.version_diff import FieldChange
from etlml.services.version_words import field_words, shown, told
from etlml.ui import format as words
from etlml.ui.looks import TRIGGER_LABEL, look
from etlml.ui.parts import pill_html, tone_pill

MOST_COLUMNS = 14
_TONE = {"added": "ok", "removed": "bad", "changed": "warn", "renamed": "run", "moved": "dull"}


def facts_html(found: RunComparison, zone: tzinfo | None) -> str:
    """The facts of both runs; those that differ stand out."""
    left, right = (_facts(run, zone) for run in (found.before, found.after))
    heads = "".join(
        f"<th>{html.escape(run.pipeline_name)} <small>{run.id[-6:]}</small></th>" for run in (found.before, found.after)
    )
    lines = "".join(
        f'<tr class="{"" if left[name] == right[name] else "differs"}">'
        f"<th>{name}</th><td>{left[name]}</td><td>{right[name]}</td></tr>"
        for name in left
    )
    return f'<table class="pairs"><thead><tr><th></th>{heads}</tr></thead><tbody>{lines}</tbody></table>'


def _facts(run: RunFacts, zone: tzinfo | None) -> dict[str, str]:
    return {
        "State": pill_html(run.status),
        "Started": html.escape(words.exact(run.started_at or run.created_at, zone)),
        "Took": words.duration(run.duration_s),
        "Version": str(run.pipeline_version),
        "Trigger": html.escape(
            TRIGGER_LABEL.get(run.trigger, run.trigger) + (f", {run.triggered_by}" if run.triggered_by else "")
        ),
        "Warnings": str(run.warnings),
    } | ({"Error": html.escape(words.value(run.error, 160))} if run.error else {"Error": words.MISSING})


def changes_html(found: RunComparison) -> str:
    """What was changed between the two, in words; empty if nothing was."""
    groups = [("Parameters", _named(found.params)), ("Pipeline", _lines(found.settings))]
    groups += [
        (change.step, _lines(change.fields) or [f"{change.kind}{f' from {change.was}' if change.was else ''}"])
        for change in found.changes
    ]
    groups += [("Surroundings of trainings", _named(found.environment))]
    kinds = {change.step: change.kind for change in found.changes}
    return "".join(
        f"<div><b>{html.escape(title)}</b>{_kind(kinds.get(title))}"
        f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in lines)}</ul></div>"
        for title, lines in groups
        if lines
    )


def _lines(changes: Sequence[Difference]) -> list[str]:
    return [field_words(_change(each)) for each in changes]


def _named(changes: Sequence[Difference]) -> list[str]:
    """Of values whose names are somebody's own: they are left as they are."""
    return [f"{each.path}: {told(_change(each))}" for each in changes]


def _change(each: Difference) -> FieldChange:
    return FieldChange(each.path, each.before, each.after, each.kind, tuple(each.items))


def _kind(kind: str | None) -> str:
    return tone_pill(kind, _TONE[kind]) if kind else ""  # type: ignore[arg-type]


def data_html(steps: Sequence[StepPair]) -> str:
    """Which sources held other data."""
    lines = [
        f"<li>{html.escape(step.name)}: {_source_words(step)}</li>" for step in steps if step.data_changed is not None
    ]
    return f"<div><b>Sources</b><ul>{''.join(lines)}</ul></div>" if lines else ""


def _source_words(step: StepPair) -> str:
    before, after = (side.rows_out if side else None for side in (step.before, step.after))
    told = "holds other data" if step.data_changed else "holds the same data"
    if before is None or after is None:
        return told
    return (
        f"{told} ({words.count(before)} → {words.count(after)} rows)"
        if before != after
        else f"{told} ({words.count(after)} rows)"
    )


def steps_html(steps: Sequence[StepPair]) -> str:
    """Each step's state, rows and time in both runs, with the differences."""
    longest = (
        max((side.duration_s or 0 for step in steps for side in (step.before, step.after) if side), default=0) or 1
    )
    names = ("Rows before", "after", "difference", "Time before", "after", "difference")
    heads = "".join(f'<th class="num">{name}</th>' for name in names)
    lines = "".join(_step_line(step, longest) for step in steps)
    return f'<table class="pairs steps"><thead><tr><th>Step</th><th>State</th>{heads}</tr></thead><tbody>{lines}</tbody></table>'


def _step_line(step: StepPair, longest: float) -> str:
    before, after = step.before, step.after
    states = " → ".join(dict.fromkeys(_state(side.status if side else None) for side in (before, after)))
    rows = [side.rows_out if side else None for side in (before, after)]
    times = [side.duration_s if side else None for side in (before, after)]
    cells = [
        f'<td class="num">{words.count(rows[0])}</td><td class="num">{words.count(rows[1])}</td>',
        f'<td class="num">{_delta(rows[0], rows[1], words.count)}</td>',
        "".join(f'<td class="num time">{_bar(value, longest)}{words.duration(value)}</td>' for value in times),
        f'<td class="num">{_delta(times[0], times[1], words.duration, bad_if_more=True)}</td>',
    ]
    gone = (
        ""
        if before and after
        else f" <small>{'only in the earlier run' if before else 'only in the later run'}</small>"
    )
    return f"<tr><th>{html.escape(step.name)}{gone}</th><td>{states}</td>{''.join(cells)}</tr>"


def _state(status: str | None) -> str:
    return f'<i class="dot {look(status).tone}"></i> {look(status).label}' if status else words.MISSING


def _bar(value: float | None, longest: float) -> str:
    return f'<i style="width:{100 * (value or 0) / longest:.1f}%"></i>' if value else ""


def _delta(before: float | None, after: float | None, worded: Any, *, bad_if_more: bool = False) -> str:
    """The difference with its sign and share; coloured only where more is worse and it is more than a tenth."""
    if before is None or after is None:
        return words.MISSING
    if before == after:
        return '<span class="dim">same</span>'
    change = after - before
    part = abs(change) / abs(before) if before else 0
    share = f" ({'+' if change > 0 else '−'}{words.percent(part, 0 if part >= 0.1 else 1)})" if part >= 0.001 else ""
    tone = ""
    if bad_if_more and before and abs(change) / before > 0.1 and abs(change) > 0.05:
        tone = "tone-bad" if change > 0 else "tone-ok"
    return f'<span class="delta {tone}">{"+" if change > 0 else "−"}{worded(abs(change))}{share}</span>'


def figures_html(pairs: Sequence[FigurePair], *, share: bool = False) -> str:
    """Metrics, scores or failing rows side by side; ``share`` writes them as percentages."""
    worded = words.percent if share else words.metric
    lines = ""
    for pair in pairs:
        change = _points(pair) if share else _delta(pair.before, pair.after, worded)
        cells = "".join(f'<td class="num">{cell}</td>' for cell in (worded(pair.before), worded(pair.after), change))
        lines += f"<tr><th>{html.escape(pair.name)} <small>{html.escape(pair.step)}</small></th>{cells}</tr>"
    heads = "".join(f'<th class="num">{name}</th>' for name in ("Before", "After", "Difference"))
    return f'<table class="pairs"><thead><tr><th></th>{heads}</tr></thead><tbody>{lines}</tbody></table>'


def _points(pair: FigurePair) -> str:
    """The difference of two shares, in percentage points."""
    if pair.before is None or pair.after is None or pair.before == pair.after:
        return _delta(pair.before, pair.after, words.percent)
    change = (pair.after - pair.before) * 100
    tone = "tone-ok" if change > 0 else "tone-bad"
    return f'<span class="delta {tone}">{"+" if change > 0 else "−"}{abs(change):.1f} points</span>'


def counts_html(rows: StepRows) -> str:
    """How many rows were added, removed, changed, and are the same, as a bar with its legend."""
    parts = (
        ("same", rows.same, "dull"),
        ("changed", rows.changed, "warn"),
        ("added", rows.added, "ok"),
        ("removed", rows.removed, "bad"),
    )
    total = sum(count for _, count, _ in parts) or 1
    bar = "".join(
        f'<i class="tone-{tone}" style="flex-grow:{max(count / total, 0.006):.5f}" title="{count:,} {name}"></i>'
        for name, count, tone in parts
        if count
    )
    legend = "".join(f'<span class="tone-{tone}"><i></i>{count:,} {name}</span>' for name, count, tone in parts)
    return f'<div class="split"><div class="track">{bar}</div><div class="legend">{legend}</div></div>'


def columns_html(rows: StepRows) -> str:
    """Which columns changed in how many rows, and which only one side has or has with another type."""
    most = max(rows.changes.values(), default=0) or 1
    lines = "".join(
        f'<tr><th>{html.escape(column)}</th><td class="time wide"><i style="width:{100 * count / most:.1f}%"></i></td>'
        f'<td class="num">{count:,}</td></tr>'
        for column, count in sorted(rows.changes.items(), key=lambda pair: -pair[1])
    )
    lines += "".join(
        f"<tr><th>{html.escape(each.column)}</th><td colspan=2>{html.escape(_column_words(each.before, each.after))}</td></tr>"
        for each in rows.columns
    )
    return f'<table class="pairs">{lines}</table>' if lines else ""


def _column_words(before: str | None, after: str | None) -> str:
    if before is None:
        return f"new, {after}"
    return f"gone, was {before}" if after is None else f"type {before} → {after}"


def rows_html(rows: StepRows) -> str:
    """The first rows that differ: changed values as old → new."""
    columns = _columns_to_show(rows)
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in [*rows.keys, *columns])
    lines = "".join(_row_line(row, rows.keys, columns) for row in rows.rows)
    head = f"<thead><tr><th></th>{heads}</tr></thead>"
    return f'<div class="scroll"><table class="pairs rows-diff">{head}<tbody>{lines}</tbody></table></div>'


def _columns_to_show(rows: StepRows) -> list[str]:
    """Those that changed most often first, then the others of the rows."""
    changed = sorted(rows.changes, key=lambda column: -rows.changes[column])
    others = [column for row in rows.rows for column in {**(row.before or {}), **(row.after or {})}]
    return list(dict.fromkeys([*changed, *others]))[:MOST_COLUMNS]


def _row_line(row: RowDifference, keys: Sequence[str], columns: Sequence[str]) -> str:
    cells = "".join(f"<td>{html.escape(shown(row.key[key], 60))}</td>" for key in keys)
    return f"<tr><td>{_kind(row.kind)}</td>{cells}{''.join(_values(row, columns))}</tr>"


def _values(row: RowDifference, columns: Sequence[str]) -> Iterator[str]:
    for column in columns:
        sides = [side[column] if side is not None and column in side else None for side in (row.before, row.after)]
        texts = [html.escape(_cell(side)) for side in sides]
        if column in row.columns:
            yield f'<td class="differs"><del>{texts[0]}</del> → <ins>{texts[1]}</ins></td>'
        else:
            yield f'<td class="dim">{texts[0] if row.before is not None else texts[1]}</td>'


def _cell(value: Any) -> str:
    return "missing" if value is None else shown(value, 40)
