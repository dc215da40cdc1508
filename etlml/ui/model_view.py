"""Models as rows, their inputs as a form, their answers in words."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from math import floor, log10
from typing import Any, NamedTuple

import streamlit as st

from etlml.documents import Model
from etlml.ui import format as words
from etlml.ui.lists import Column, row, when
from etlml.ui.looks import FAMILIAR, look

COLUMNS = (
    Column("name", "Model", "name"),
    Column("newest", "Newest", "text"),
    Column("deployed", "Deployed", "text"),
    Column("metric", "Metrics of the newest", "dim"),
    Column("versions", "Versions", "number"),
    Column("at", "Registered", "time"),
)
VERSION_COLUMNS = (
    Column("name", "Version", "name"),
    Column("status", "State", "status"),
    Column("at", "Registered", "time"),
)
_NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL", "NUMERIC", "REAL", "HUGEINT", "NUMBER")


class Input(NamedTuple):
    """One input of a model."""

    name: str
    kind: str
    categories: Sequence[Any]
    typical: Any = None


def model_row(model: Model, versions: int, deployed: str | None) -> dict[str, Any]:
    """A model with its newest version."""
    return row(
        model.name,
        name={"text": model.name, "sub": model.algorithm},
        newest=model.version,
        deployed=deployed or "",
        metric=metrics_line(model.metrics),
        versions=str(versions),
        at=when(model.created_at),
    )


def version_row(model: Model) -> dict[str, Any]:
    """One version."""
    return row(
        model.version,
        name={
            "text": model.version,
            "sub": ", ".join(f"@{alias}" for alias in model.aliases) or metrics_line(model.metrics, 1),
        },
        status={"text": model.status, "label": look(model.status).label},
        at=when(model.created_at),
    )


def metrics_line(metrics: Mapping[str, float | None], most: int = 3) -> str:
    """Some metrics in one line."""
    shown = telling(metrics)[:most]
    return ", ".join(f"{key.replace('_', ' ')} {words.metric(metrics[key])}" for key in shown)


def telling(metrics: Mapping[str, float | None]) -> list[str]:
    """The names of the metrics that are there: the familiar ones first, those on the rows learned from last."""
    there = [key for key, value in metrics.items() if value is not None]
    return sorted(
        there, key=lambda key: (key.startswith("train"), FAMILIAR.index(key) if key in FAMILIAR else len(FAMILIAR))
    )


def inputs(model: Model) -> list[Input]:
    """The model's inputs, as its signature says."""
    return [
        Input(
            str(each["name"]),
            str(each.get("type", "")).upper(),
            list(each.get("categories") or ()),
            each.get("example"),
        )
        for each in model.signature.get("inputs", ())
        if isinstance(each, Mapping) and "name" in each
    ]


def example(one: Input) -> Any:
    """A value that fits an input, for forms and commands: a typical one of the training data if the model knows it."""
    if one.typical is not None:
        return one.typical
    if one.categories:
        return one.categories[0]
    if one.kind.startswith("BOOL"):
        return True
    if any(word in one.kind for word in _NUMBERS):
        return 1 if "INT" in one.kind else 1.0
    if _is_moment(one):
        return "2026-01-31T12:00:00"
    return "2026-01-31" if one.kind.startswith("DATE") else "text"


def example_row(model: Model) -> dict[str, Any]:
    """A row that the model can be asked about."""
    return {one.name: example(one) for one in inputs(model)}


def _is_moment(one: Input) -> bool:
    return "TIMESTAMP" in one.kind or "DATETIME" in one.kind


def input_widget(one: Input, key: str) -> Any:
    """A field for an input, which starts with its example."""
    start = example(one)
    if one.categories:
        known = list(one.categories)
        return st.selectbox(
            one.name,
            known,
            index=known.index(start) if start in known else 0,
            key=key,
            accept_new_options=all(isinstance(c, str) for c in known),
        )
    if isinstance(start, bool):
        return st.toggle(one.name, start, key=key)
    if isinstance(start, int | float):
        return _number(one.name, start, key)
    if _is_moment(one):
        moment = st.datetime_input(one.name, datetime.fromisoformat(start), key=key)
        return moment.isoformat() if moment else None
    if one.kind.startswith("DATE"):
        day = st.date_input(one.name, date.fromisoformat(start[:10]), key=key)
        return day.isoformat() if isinstance(day, date) else None
    return st.text_input(one.name, one.typical or "", key=key)


def _number(label: str, start: float, key: str) -> float | None:
    """A field for a number, as short as it can be written; a click goes on by about a hundredth of it."""
    step = 10.0 ** (floor(log10(abs(start))) - 1) if start else 1.0
    step = max(step, 1.0) if float(start).is_integer() else step
    return st.number_input(label, value=float(start), step=step, format="%g", key=key)


def class_name(label: str, predicted: Any) -> str:
    """A class as the prediction itself is shown: JSON's keys are texts, also those of true and false."""
    yes_or_no = {"True": True, "False": False} if isinstance(predicted, bool) else {}
    return words.value(yes_or_no.get(label, label))


def draw_prediction(model: Model, found: Mapping[str, Any]) -> None:
    """A model's answer: the value, and how sure it is."""
    output = str((model.signature.get("output") or {}).get("name") or "Prediction")
    st.metric(output, words.value(found["predictions"][0]), border=True)
    shares = (found.get("probabilities") or [None])[0]
    if isinstance(shares, Mapping):
        for label, share in sorted(shares.items(), key=lambda pair: -float(pair[1]))[:8]:
            st.progress(float(share), f"{class_name(label, found['predictions'][0])}: {words.percent(float(share))}")
