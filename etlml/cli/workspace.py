"""The installation: demo, doctor."""

from typing import Any

import typer

from etlml.cli.options import Json


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(demo)
    app.command()(doctor)


def demo() -> None:
    """Install the example pipelines with their data, and run the flights one."""
    from etlml.cli.session import services
    from etlml.cli.watching import print_end, watch

    with services() as opened:
        installed = opened.workspace.install()
        typer.echo(f"Example pipelines: {', '.join(pipeline.name for pipeline in installed)}")
        finished = watch(opened, opened.runs.start("flights").id)
    print_end(finished)
    if finished.status != "success":
        raise typer.Exit(1)


def doctor(as_json: Json = False) -> None:
    """Check the installation and say in plain words what to do. Exit code 1 if something must be mended."""
    from etlml.cli.output import print_json
    from etlml.launch.checks import check_installation

    findings = check_installation()
    if as_json:
        print_json([finding.document() for finding in findings])
    else:
        for finding in findings:
            print_finding(finding)
    if any(finding.status == "failed" for finding in findings):
        raise typer.Exit(1)


def print_finding(finding: Any) -> None:
    """One line on what was found, and one on the mend."""
    mark, colour = {"ok": ("ok  ", "green"), "warning": ("warn", "yellow"), "failed": ("FAIL", "red")}[finding.status]
    typer.echo(f"{typer.style(mark, fg=colour)}  {finding.name}: {finding.message}")
    if finding.mend:
        typer.echo(f"      -> {finding.mend}")
