"""The installation: doctor, indexes, diagnostics, packs."""

from etlml.ui.copy_as.action import Action, Request, action, options, path, query

PACK = "etlml.pack"


def doctor() -> Action:
    """Say what should be mended."""
    return action(["doctor"], Request("GET", path("system", "doctor")))


def create_indexes() -> Action:
    """Create the indexes that are missing."""
    return action(["indexes", "--create"], Request("POST", path("system", "indexes")))


def diagnostics() -> Action:
    """Write a diagnostics bundle."""
    file = "etlml-diagnostics.zip"
    return action(["doctor", "--bundle", file], Request("GET", path("system", "diagnostics"), saves=file))


def pack(*, runs: bool = False, experiments: bool = False) -> Action:
    """Write everything that can be taken along to a file."""
    asked = Request("GET", path("system", "pack"), query=query(runs=runs, experiments=experiments), saves=PACK)
    return action(["pack", PACK, *options(runs=runs, experiments=experiments)], asked)


def unpack(file: str = PACK, *, replace: bool = False, dry_run: bool = False) -> Action:
    """Bring up what a pack holds."""
    asked = Request("POST", path("system", "unpack"), query=query(replace=replace, dry_run=dry_run), uploads=file)
    return action(["unpack", file, *options(replace=replace, dry_run=dry_run)], asked)
