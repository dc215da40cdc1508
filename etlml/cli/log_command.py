"""The command logs: lines of a run or of everything, searched, counted, grouped, or saved as a file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from etlml.cli.options import Json, Limit, Since, one_of

LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


def logs(
    run: Annotated[str | None, typer.Argument(help="A run's id, or how it begins; --all for everything.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run ends; with --all until Ctrl-C.")
    ] = False,
    level: Annotated[str | None, typer.Option(help="Only lines of this level and above.")] = None,
    step: Annotated[str | None, typer.Option(help="Only lines of this step.")] = None,
    limit: Limit = 200,
    as_json: Json = False,
    everything: Annotated[bool, typer.Option("--all", help="Lines of everything, not of one run.")] = False,
    q: Annotated[str | None, typer.Option("--q", help="Only lines that contain this text.")] = None,
    regex: Annotated[bool, typer.Option("--regex", help="The text of --q is a regular expression.")] = False,
    source: Annotated[str | None, typer.Option(help="Only lines of this part of the platform, e.g. worker.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Only lines of this pipeline.")] = None,
    since: Since = None,
    until: Annotated[str | None, typer.Option(help="Up to then.")] = None,
    groups: Annotated[bool, typer.Option("--groups", help="Count equal warnings and errors.")] = False,
    histogram: Annotated[
        bool, typer.Option("--histogram", help="Count lines over time; the last day without --since.")
    ] = False,
    buckets: Annotated[
        int, typer.Option(min=1, max=500, help="With --histogram: about so many stretches of time.")
    ] = 24,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Save every line that fits; .jsonl as JSON, .gz compressed.")
    ] = None,
) -> None:
    """Print what a run logged, or everything did, oldest first; with -f until it ends."""
    from etlml.cli import log_lines

    level = one_of(LEVELS, level, "--level")
    if everything == (run is not None):
        raise typer.BadParameter("Name a run, or give --all.", param_hint="RUN")
    asked: Any = {"q": q, "source": source, "pipeline": pipeline, "since": since, "until": until}
    if run is not None and not (groups or histogram or output or any(asked.values())):
        log_lines.of_run(run, level=level, step=step, limit=limit, follow=follow, as_json=as_json)
        return
    asked |= {"run": run, "level": level, "step": step, "regex": regex}
    with log_lines.opened(asked) as (services, filters):
        if output is not None:
            log_lines.save(services, filters, output)
        elif histogram:
            log_lines.histogram(services, filters, buckets=buckets, as_json=as_json)
        elif groups:
            log_lines.groups(services, filters, limit=limit, as_json=as_json)
        else:
            log_lines.of_everything(services, filters, limit=limit, follow=follow, as_json=as_json)
