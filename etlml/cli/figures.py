"""How the installation is, and what it did: what the dashboard shows."""

from typing import TYPE_CHECKING, Annotated

import typer

from etlml.cli.options import Json

if TYPE_CHECKING:
    from etlml.services.stats import Overview

_WELL = {"ok": "ok", "warn": "look", "bad": "bad"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (health, stats):
        app.command()(command)


def health(as_json: Json = False) -> None:
    """Say whether scheduler, MongoDB, disk, slots and REST API work, and what to do. Exit code 1 if one of them does not."""
    from etlml.cli.output import print_json, print_table
    from etlml.cli.session import services

    with services() as opened:
        found = opened.health.parts()
    if as_json:
        print_json([vars(part) for part in found])
    else:
        rows = [(part.name, _WELL[part.state], part.words, part.detail, part.mend) for part in found]
        print_table(["PART", "STATE", "NOW", "DETAIL", "WHAT TO DO"], rows, empty="Nothing is known.")
    if any(part.state == "bad" for part in found):
        raise typer.Exit(1)


def stats(
    since: Annotated[str, typer.Option(help="From then on, such as 24h, 30d or 2026-11-22.")] = "7d",
    as_json: Json = False,
) -> None:
    """Print the dashboard's figures: runs, success rate, data quality, models, failures, what fires next."""
    from etlml.cli.log_lines import moment
    from etlml.cli.output import print_json, print_table
    from etlml.cli.session import services

    with services() as opened:
        found = opened.stats.overview(moment(since))
    print_json(found) if as_json else print_table(["FIGURE", "VALUE"], _figures(found), empty="Nothing is known.")


def _figures(found: "Overview") -> list[tuple[str, str]]:
    from etlml.cli.output import count, local

    runs, quality, models = found["runs"], found["quality"], found["models"]
    rows = [
        ("Pipelines", count(found["pipelines"])),
        ("Runs", count(sum(runs["counts"].values()))),
        *((f"  {status}", count(number)) for status, number in sorted(runs["counts"].items())),
        ("Success rate", _share(runs["success_rate"])),
        ("Data quality", _share(quality.get("score"))),
        ("Models", count(sum(models.values()))),
        ("  deployed", count(models.get("deployed", 0))),
        ("Waiting, running", f"{found['queue']['pending']}, {found['queue']['running']}"),
    ]
    rows += [(f"Failed {local(run.created_at)}", run.pipeline_name) for run in found["failures"][:3]]
    coming = [fire for fire in found["next_fires"] if not fire["paused"]]
    return rows + [(f"Fires {local(fire['at'])}", fire["pipeline"]) for fire in coming[:3]]


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
