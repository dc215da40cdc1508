"""References in a script: values that stand out, put in place of parameters to find where each of them goes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from etlml.settings import SECRET_PREFIX
from etlml.steps.templating import References

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}Z?")
FAMILIES = 2


@dataclass(frozen=True)
class Mark:
    """A value that stands for a reference.

    Attributes:
        text: How it looks in a text.
        code: The Python expression that it becomes.
        real: What the reference stands for now, as text.
        name: The parameter, if it is one.
    """

    text: str
    code: str
    real: str
    name: str | None = None


@dataclass(frozen=True)
class Marks:
    """The references of a configuration with marks in place of the values."""

    references: References
    found: tuple[Mark, ...]

    def unmarked(self, text: str) -> str:
        """The text with the real values."""
        for mark in self.found:
            text = text.replace(mark.text, mark.real)
        return text

    def within(self, text: str) -> Iterator[Mark]:
        """The marks that occur in a text."""
        return (mark for mark in self.found if mark.text in text)

    def pattern(self) -> re.Pattern[str] | None:
        """Finds any mark."""
        return re.compile("|".join(re.escape(mark.text) for mark in self.found)) if self.found else None


def real_references(params: Mapping[str, Any], pipeline: str) -> References:
    """The references with their values; a secret's is not known."""
    return References(params, _run("0" * 20, pipeline, datetime(2000, 1, 1, tzinfo=UTC)), lambda name: f"secret {name}")


def marked_references(params: Mapping[str, Any], pipeline: str, secrets: list[str], *, family: int) -> Marks:
    """The references with marks in place of every value that may be another in another run."""
    values, found = dict(params), list[Mark]()
    numbers = sorted((name for name in params if _is_number(params[name])), key=lambda name: params[name])
    texts = [name for name in params if isinstance(params[name], str)]
    for place, name in enumerate([*numbers, *texts], start=1):
        values[name] = _mark(params[name], place, family)
        found.append(Mark(str(values[name]), f'PARAMS["{name}"]', str(params[name]), name))
    run, marked_run = _run("0" * 20, pipeline, datetime(2000, 1, 1, tzinfo=UTC)), {}
    for place, name in enumerate(("id", "scheduled_for", "scheduled_date"), start=500):
        marked_run[name] = _mark(run[name], place, family) if name != "id" else f"{place}beef{place}beef{place}bee"
        found.append(Mark(marked_run[name], f'RUN["{name}"]', run[name]))
    for name in secrets:
        found.append(Mark(f"zqsecret{name}qz", f'secret("{SECRET_PREFIX}{name.upper()}")', f"secret {name}"))
    return Marks(References(values, run | marked_run, lambda name: f"zqsecret{name}qz"), tuple(found))


def _run(run_id: str, pipeline: str, moment: datetime) -> dict[str, str]:
    return {
        "id": run_id,
        "pipeline": pipeline,
        "scheduled_for": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "scheduled_date": f"{moment:%Y-%m-%d}",
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _mark(value: Any, place: int, family: int) -> Any:
    """A value of the same kind and form that nobody writes by chance."""
    sign = -1 if family else 1
    if isinstance(value, int):
        return sign * ((1_900_000_000 if abs(value) < 2**31 else 8_100_000_000_000_000_000) + place)
    if isinstance(value, float):
        return 0.19 + place * 1e-9 if 0 <= value <= 1 else sign * (19_000_000.5 + place)
    if _DATE.fullmatch(value):
        return (date(9100, 1, 1) + timedelta(days=place)).isoformat()
    if _MOMENT.fullmatch(value):
        moment = (datetime(9100, 1, 1, 1, 2, 3, tzinfo=UTC) + timedelta(days=place)).replace(tzinfo=None).isoformat()
        return moment.replace("T", value[10]) + ("Z" if value.endswith("Z") else "")
    return str(1_900_000_000 + place) if value.isdigit() else f"zqmark{place}qz"
