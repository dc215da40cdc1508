"""One evaluation of rules: its score, each rule's result, the rows that failed."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

import streamlit as st

from etlml.documents import RuleResult, Validation
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.ui import downloads, parts, preview
from etlml.ui import format as words
from etlml.ui.lists import Column, row, when
from etlml.ui.looks import look, score_tone

COLUMNS = (
    Column("name", "Validation", "name"),
    Column("status", "State", "status"),
    Column("score", "Score", "bar"),
    Column("rules", "Rules", "number"),
    Column("rows", "Rows", "number"),
    Column("took", "Took", "number"),
    Column("at", "When", "time"),
)
RULE_COLUMNS = (
    Column("name", "Rule", "name"),
    Column("status", "Result", "status"),
    Column("failed", "Failed rows", "number"),
    Column("share", "Share", "number"),
    Column("checked", "Checked", "number"),
    Column("observed", "Seen", "dim"),
)


def validation_row(validation: Validation, pipeline: str = "") -> dict[str, Any]:
    """An evaluation as a row of a list; with the name of its pipeline, if it has one."""
    broken = sum(not rule.success for rule in validation.rules)
    return row(
        validation.id,
        name={"text": validation.name, "sub": " · ".join(filter(None, (pipeline, validation.dataset)))},
        status={"text": validation.status, "label": look(validation.status).label},
        score={
            "value": validation.score,
            "text": words.percent(validation.score),
            "tone": score_tone(validation.score),
        },
        rules=f"{len(validation.rules) - broken} of {len(validation.rules)}",
        rows=words.short_count(validation.row_count),
        took=words.duration(validation.duration_ms / 1000),
        at=when(validation.created_at),
    )


def rule_name(rule: RuleResult) -> str:
    """A rule as a person would say it: ``distance between 1 and 10000``."""
    arguments = {
        key: value for key, value in rule.arguments.items() if value is not None and key not in ("severity", "mostly")
    }
    column = rule.column or ""
    if rule.rule == "between":
        low, high = arguments.get("min"), arguments.get("max")
        return (
            f"{column} between {low} and {high}"
            if low is not None and high is not None
            else f"{column} at {'least' if high is None else 'most'} {low if high is None else high}"
        )
    if rule.rule == "in_set":
        return f"{column} is one of {words.value(arguments.get('values'), 60)}"
    if rule.rule == "not_null":
        return f"{column} is not missing"
    if rule.rule == "unique":
        return f"{column or words.value(arguments.get('columns'))} is unique"
    if rule.rule == "matches":
        return f"{column} matches {arguments.get('regex', '')}"
    if rule.rule == "row_count_between":
        return f"{words.value(arguments.get('min'))} to {words.value(arguments.get('max'))} rows"
    if rule.rule == "sql":
        return words.value(arguments.get("where", "sql"), 80)
    return " ".join([rule.rule.replace("_", " "), column]).strip()


def rule_row(rule: RuleResult, at: int) -> dict[str, Any]:
    """A rule's result as a row of a list."""
    state = "passed" if rule.success else "warning" if rule.severity in ("info", "warning") else "failed"
    return row(
        str(at),
        name={"text": rule_name(rule), "sub": rule.message or f"severity {rule.severity}"},
        status={"text": state, "label": "Holds" if rule.success else "Broken"},
        failed=words.count(rule.failed) if rule.failed else "0",
        share=words.percent(rule.failed_fraction, 2) if rule.failed else "",
        checked=words.count(rule.checked),
        observed=seen(rule.observed),
    )


def seen(observed: Any) -> str:
    """What a rule saw, in words: ``min 17, max 4,983``, ``female (165), NA (11)``."""
    if not isinstance(observed, Mapping):
        return "" if observed is None else _figure(observed)
    told = [
        f"{_figure(one['value'])} ({one['rows']:,})"
        for one in observed.get("failing") or []
        if isinstance(one, Mapping)
    ]
    told += [f"{name} {_figure(value)}" for name, value in observed.items() if name != "failing" and value is not None]
    return ", ".join(told)


def _figure(value: Any) -> str:
    """A value without the zeros that a fixed number of digits brings along."""
    return f"{value:,.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else words.value(value, 60)


def card(services: Services, validation: Validation, *, zone: tzinfo | None) -> None:
    """The whole evaluation."""
    from etlml.ui import lists

    pill = parts.pill_html(validation.status) + parts.tone_pill(
        words.percent(validation.score), score_tone(validation.score)
    )
    parts.head(validation.name, pill=pill, sub=validation.dataset if validation.dataset != validation.name else "")
    st.html(
        parts.facts_html(
            {
                "Rows": words.count(validation.row_count),
                "Took": words.duration(validation.duration_ms / 1000),
                "When": words.exact(validation.created_at, zone),
            }
        )
    )
    rules = sorted(enumerate(validation.rules), key=lambda pair: pair[1].success)
    lists.draw(f"rules_{validation.id}", RULE_COLUMNS, [rule_row(rule, at) for at, rule in rules], opens=False)
    for at, rule in rules:
        if rule.sample:
            samples(validation, rule, at)
    if validation.quarantine:
        _set_aside(services, validation)


def _set_aside(services: Services, validation: Validation) -> None:
    """The first of the rows that were set aside, and all of them as a file."""
    rows = words.plural(int((validation.quarantine or {}).get("rows", 0)), "row")
    parts.section("Set aside", f"{rows}, with the rules that each breaks")
    try:
        found = services.quarantine.page(validation.id, limit=preview.SHOWN)
    except EtlmlError:
        parts.empty("No rows to show", "They were removed with the other rows of their run.")
        return
    columns = found["columns"]
    found["columns"] = [columns[-1], columns[-2], *columns[:-2]]  # the rules and the row's number, which come last
    preview.table(found, key=f"aside_{validation.id}", height=min(330, 38 + 35 * len(found["rows"])))
    st.html(downloads.set_aside_html(validation.id))


def samples(validation: Validation, rule: RuleResult, at: int) -> None:
    """Some of the rows that broke a rule."""
    import pandas as pd

    st.caption(f"Rows that break “{rule_name(rule)}”: {len(rule.sample)} of {rule.failed:,}")
    st.dataframe(
        pd.DataFrame(rule.sample),
        hide_index=True,
        key=f"sample_{validation.id}_{at}",
        height="content",
        width="content",
    )


def profile_rows(profile: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A profile's columns as plain rows for a table."""
    columns = profile.get("columns", profile)
    if isinstance(columns, Mapping):
        return [
            {"column": name, **(facts if isinstance(facts, Mapping) else {"value": facts})}
            for name, facts in columns.items()
        ]
    return [dict(each) for each in columns]
