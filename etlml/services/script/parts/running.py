"""Running the steps."""

import argparse
import datetime
import math
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from etlml.services.script.parts.tables import Failed, con, count, here, paths, text

DATA = "."
PARAMS: dict[str, Any] = {}
RUN: dict[str, str] = {}
FIXED: dict[str, str] = {}
STEPS: list["Step"] = []


class Step(NamedTuple):
    """One step, the steps whose rows it takes, and what its failure means."""

    run: Callable[[], None]
    id: str
    needs: tuple[str, ...] = ()
    may_fail: bool = False
    retries: int = 0


def main() -> int:
    """Run the steps in order; one that fails stops those that depend on it."""
    parser = argparse.ArgumentParser(description=(sys.modules[__name__].__doc__ or "").strip().split("\n")[0])
    parser.add_argument("--data", default=DATA, help="folder where relative paths start (%(default)s)")
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="another value of a parameter"
    )
    parser.add_argument("--run-id", default=uuid.uuid4().hex[:20], help="what the run is called")
    parser.add_argument(
        "--scheduled-for", metavar="TIME", help="the time that the run is for, such as 2024-05-31T06:00:00"
    )
    given = parser.parse_args()
    try:
        set_params(given.param)
        set_run(given.run_id, given.scheduled_for)
    except ValueError as error:
        parser.error(str(error))
    here.data = Path(given.data).expanduser().absolute()
    con.execute("SET TimeZone = 'UTC'")
    with tempfile.TemporaryDirectory() as work:
        here.work = Path(work)
        con.execute(f"SET temp_directory = {text(work)}")
        failed = run_steps()
        con.close()
    return 1 if failed else 0


def run_steps() -> list[str]:
    """The ids of the steps that failed although they must not."""
    bad: set[str] = set()
    failed: list[str] = []
    for step in STEPS:
        if bad.intersection(step.needs):
            print(f"{step.id}: skipped")
            bad.add(step.id)
            continue
        started = time.perf_counter()
        try:
            attempt(step)
        except Exception as error:
            print(f"{step.id}: failed: {error}", file=sys.stderr)
            bad.add(step.id)
            if not step.may_fail:
                failed.append(step.id)
            continue
        rows = f"{count(step.id):,} rows, " if step.id in paths else ""
        print(f"{step.id}: {rows}{time.perf_counter() - started:.2f} s")
    return failed


def attempt(step: Step) -> None:
    """Run a step; one that may be tried again waits a little longer each time."""
    for number in range(step.retries):
        try:
            return step.run()
        except (duckdb.IOException, OSError) as error:
            print(f"{step.id}: attempt {number + 1} failed: {error}", file=sys.stderr)
            time.sleep(2**number)
    return step.run()


def set_params(given: list[str]) -> None:
    """Take the values of --param, in the types of the parameters that they replace."""
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or name not in PARAMS:
            raise ValueError(f"--param {pair}: give NAME=VALUE; parameters are {', '.join(PARAMS) or 'none'}")
        if name in FIXED:
            raise ValueError(
                f"--param {name}: its value is part of the script ({FIXED[name]}); export it anew with the other value"
            )
        PARAMS[name] = as_declared(PARAMS[name], value, name)


def as_declared(declared: Any, value: str, name: str) -> Any:
    """A text in the type of the parameter's value."""
    if isinstance(declared, bool):
        if value.lower() not in ("true", "false"):
            raise ValueError(f"--param {name}: give true or false")
        return value.lower() == "true"
    if isinstance(declared, int | float):
        try:
            return int(value) if isinstance(declared, int) else finite(value)
        except ValueError:
            return finite(value)
    return value


def finite(value: str) -> float:
    """A number that is one."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is no number")
    return number


def set_run(run_id: str, moment: str | None) -> None:
    """What the run is called, and the time that it is for: now, unless one was given."""
    when = datetime.datetime.now(datetime.UTC) if moment is None else datetime.datetime.fromisoformat(moment)
    when = when.replace(tzinfo=datetime.UTC) if when.tzinfo is None else when.astimezone(datetime.UTC)
    RUN.update(id=run_id, scheduled_for=f"{when:%Y-%m-%dT%H:%M:%SZ}", scheduled_date=f"{when:%Y-%m-%d}")


def secret(name: str) -> str:
    """A secret from the environment variable of that name."""
    if name not in os.environ:
        raise Failed(f"Set the environment variable {name}: it holds a secret that this step needs.")
    return os.environ[name]
