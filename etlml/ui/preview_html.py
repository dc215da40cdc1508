"""What a preview tells, as compact HTML: pure functions."""

import html
import re
from collections.abc import Sequence
from typing import Any

from etlml.services.preview.result import ChangedRow, ColumnProfile, Learning, LoadTarget, OpChange, Preview
from etlml.ui import format as words
from etlml.ui import parts

_NAMES_SHOWN = 3
_LABELLED = 0.1  # a smaller part of the bar has no room for its name
_PREFIX = re.compile(r"^(Step '[^']*': )?(Op \d+ \([^)]*\): )?")
_PLACE = re.compile(r"\s*At (character|line) [^.]*:$")  # what would follow is on further lines
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:")


def computing() -> str:
    """That a preview is on its way; what is shown is the one before."""
    return '<div class="pv-wait" role="status"><i></i>Computing the preview …</div>'


def headline(found: Preview) -> str:
    """Rows, columns, time, and whether it is of a sample."""
    told = [
        f"<b>{words.plural(found.row_count, 'row')}</b>",
        words.plural(len(found.columns), "column"),
        words.duration(found.duration_s),
    ]
    pill = f" {parts.tone_pill('sample', 'warn')}" if found.sampled else ""
    basis = f"<small>{html.escape(found.basis)}</small>" if found.sampled else ""
    notes = "".join(f"<small>{html.escape(note)}</small>" for note in found.notes[:3])
    return f'<div class="pv-head">{" · ".join(told)}{pill}{basis}{notes}</div>'


def columns(profile: Sequence[ColumnProfile], rows: int) -> str:
    """Each column's type, gaps, values and shape."""
    return f'<div class="pv-cols">{"".join(_column(one, rows) for one in profile)}</div>'


def _column(one: ColumnProfile, rows: int) -> str:
    empty = f"{words.percent(one.nulls / rows)} empty" if one.nulls and rows else "no gaps"
    mark = "" if one.distinct_is_exact else "~"
    facts = [empty, f"{mark}{words.plural(one.distinct, 'value')}"]
    ends = ""
    if one.min is not None:
        low, high = _end(one.min), _end(one.max)
        ends = f"<span>{html.escape(low)}</span><span>{html.escape(high)}</span>"
    return (
        f'<div class="pv-col"><div class="pv-name"><b title="{html.escape(one.name)}">{html.escape(one.name)}</b>'
        f"<i>{html.escape(_short_type(one.type))}</i></div>"
        f'<div class="pv-shape">{_shape(one)}<div class="pv-ends">{ends}</div></div>'
        f'<div class="pv-facts{" pv-gaps" if one.nulls else ""}">{" · ".join(facts)}</div></div>'
    )


def _end(value: Any) -> str:
    """A least or greatest value, as short as it can be told."""
    if isinstance(value, float):
        return f"{value:,.6g}"
    return words.value(value, 24).replace("T", " ") if _MOMENT.match(str(value)) else words.value(value, 24)


def _shape(one: ColumnProfile) -> str:
    if one.bars:
        highest = max(one.bars) or 1
        bars = "".join(
            f'<i style="height:{max(round(count / highest * 100), 4 if count else 0)}%"></i>' for count in one.bars
        )
        return f'<div class="pv-bars">{bars}</div>'
    if one.top:
        shares = "".join(
            f'<i style="width:{round(share * 100, 1)}%" title="{html.escape(label)}: {words.percent(share)}">'
            f"<em>{html.escape(label) if share >= _LABELLED else ''}</em></i>"
            for label, share in one.top
        )
        return f'<div class="pv-top">{shares}</div>'
    return '<div class="pv-bars"></div>'


def _short_type(name: str) -> str:
    return {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}.get(name, name if len(name) <= 18 else name[:17] + "…")


def change(one: OpChange, *, sampled: bool = False) -> str:
    """What an op did, in one line: ``336,776 → 328,521 rows, + gain, + late``."""
    moved = one.rows_before != one.rows_after
    rows = f"{one.rows_before:,} → <b>{one.rows_after:,}</b> rows" if moved else f"{one.rows_after:,} rows"
    told = [rows, *_names("+", "add", one.added), *_names("−", "del", one.removed)]
    told += [f"{html.escape(old)} → {html.escape(new)}" for old, new in one.renamed[:_NAMES_SHOWN]]
    if len(one.renamed) > _NAMES_SHOWN:
        told.append(f"{len(one.renamed) - _NAMES_SHOWN} more renamed")
    told += [
        f"{html.escape(each.column)}: {html.escape(each.before)} → {html.escape(each.after)}"
        for each in one.retyped[:2]
    ]
    if len(one.retyped) > 2:
        told.append(f"{len(one.retyped) - 2} more retyped")
    told += _cells(one)
    about = " <small>(in a sample)</small>" if sampled else ""
    return f'<div class="pv-op">{", ".join(told)}{about}</div>'


def _cells(one: OpChange) -> list[str]:
    """How many values of which columns are others now."""
    retyped = {each.column for each in one.retyped}
    changed = [cell for cell in one.cells if cell.changed]
    told = []
    for cell in changed[:_NAMES_SHOWN]:
        what = "no longer mean the same" if cell.column in retyped else "changed"
        parts_ = [f"{cell.emptied:,} became empty"] if cell.emptied else []
        parts_ += [f"{cell.filled:,} filled"] if cell.filled and cell.filled < cell.changed else []
        if cell.emptied == cell.changed:
            what, parts_ = "became empty", []
        elif cell.filled == cell.changed:
            what = "filled"
        more = f" ({', '.join(parts_)})" if parts_ else ""
        told.append(
            f'<span class="pv-mod">{html.escape(cell.column)}: <b>{cell.changed:,}</b> of {one.compared:,} values '
            f"{what}{more}</span>"
        )
    if len(changed) > _NAMES_SHOWN:
        told.append(f"values of {len(changed) - _NAMES_SHOWN} more columns changed")
    if one.cells and not changed and not one.added:
        where = f" in the first {one.compared:,} rows" if one.compared < one.rows_before else ""
        told.append(f"no value {'lost' if one.retyped else 'changed'}{where}")
    return told


def changed_rows(rows: Sequence[ChangedRow], *, most: int, columns: Sequence[str] | None = None) -> str:
    """Rows that an op changed, the old values struck beside the new ones, or rows that it left out, as a table.

    Args:
        rows: The rows.
        most: How many are drawn.
        columns: The columns that are drawn; left out, all.
    """
    shown = list(rows[:most])
    if not shown:
        return ""
    marked = dict.fromkeys(name for row in rows for name in row.before)
    names = list(columns if columns is not None else dict.fromkeys([*marked, *shown[0].values]))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr{' class=pv-gone' if row.gone else ''}><th>{row.row:,}</th>{''.join(_cell(row, name) for name in names)}</tr>"
        for row in shown
    )
    return (
        f'<div class="pv-diff" tabindex="0" role="region" aria-label="Changed rows"><table><thead><tr><th>row</th>{head}'
        f"</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(row: ChangedRow, name: str) -> str:
    now = _value(row.values.get(name))
    if name not in row.before:
        return f"<td>{now}</td>"
    return f'<td class="pv-cell"><del>{_value(row.before[name])}</del> {now}</td>'


def _value(value: Any) -> str:
    if value is None:
        return "<i>empty</i>"
    text = words.cell(value, 40)
    return html.escape(text.replace("T", " ") if _MOMENT.match(text) else text)


def _names(sign: str, tone: str, names: Sequence[str]) -> list[str]:
    shown = [f'<span class="pv-{tone}">{sign} {html.escape(name)}</span>' for name in names[:_NAMES_SHOWN]]
    if len(names) > _NAMES_SHOWN:
        rest = html.escape(", ".join(names[_NAMES_SHOWN:]))
        shown.append(f'<span class="pv-{tone}" title="{rest}">{sign} {len(names) - _NAMES_SHOWN} more</span>')
    return shown


def op_off() -> str:
    """The line of an op that is switched off."""
    return '<div class="pv-op pv-off">switched off, passed over</div>'


def op_error(message: str) -> str:
    """The line of an op that cannot be applied."""
    said = _PLACE.sub("", words.first_line(_PREFIX.sub("", message), 200))
    return f'<div class="pv-op pv-bad">{html.escape(said[:1].upper() + said[1:])}</div>'


def rules(found: Preview) -> str:
    """What each rule finds, with a few rows that break it."""
    if not found.rules:
        return ""
    verdict = (
        parts.tone_pill("these rows would fail the step", "bad")
        if found.rules_break
        else parts.tone_pill("these rows would pass", "ok")
    )
    lines = "".join(_rule(rule) for rule in sorted(found.rules, key=lambda rule: rule.success))
    return f'<div class="pv-rules">{verdict}{lines}</div>'


def _rule(rule: Any) -> str:
    tone = "ok" if rule.success else "warn" if rule.severity in ("info", "warning") else "bad"
    sample = ""
    if rule.sample:
        named = [row.get(rule.column) if rule.column else words.value(row, 60) for row in rule.sample]
        sample = (
            f"<small>such as {html.escape(', '.join(dict.fromkeys(words.cell(value, 60) for value in named)))}</small>"
        )
    name = f"{rule.rule}({rule.column})" if rule.column else rule.rule
    counts = f"{rule.checked - rule.failed:,} pass" + (f", {rule.failed:,} fail" if rule.failed else "")
    return (
        f'<div class="pv-rule tone-{tone}"><b>{html.escape(name)}</b><span>{counts}</span>'
        f"<p>{html.escape(rule.message)}</p>{sample}</div>"
    )


def target(one: LoadTarget, rows: int, *, sampled: bool) -> str:
    """Where a load would write."""
    there = {True: "exists", False: "not there yet", None: "not looked up"}[one.exists]
    facts = {"Would write": one.place, "There now": there, "Mode": one.mode}
    if not sampled:
        facts["Rows"] = f"{rows:,}"
    return f'{parts.table_html(facts)}<p class="pv-effect">{html.escape(one.effect)}</p>'


def learning(one: Learning, profile: Sequence[ColumnProfile], rows: int, *, sampled: bool) -> str:
    """What a training would learn from: features, and how the target is spread."""
    facts = {"Target": one.target or "none", "Features": ", ".join(one.features)}
    facts["Rows"] = f"{one.usable_rows:,}" + (
        f" of {rows:,}; the others have no target" if one.usable_rows < rows else ""
    )
    if sampled:
        facts["Rows"] += " (sample)"
    spread = next((column for column in profile if column.name == one.target), None)
    drawn = columns([spread], rows) if spread is not None else ""
    return f"{parts.table_html(facts)}{drawn}"
