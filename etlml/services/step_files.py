"""All rows of a step, or all that differ between two runs, as a file to send: nothing is held in memory."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from etlml.compute.export import write_csv
from etlml.compute.scratch import scratch_folder
from etlml.services.comparing import ComparisonService
from etlml.services.run_rows import RunRows

FileFormat = Literal["csv", "parquet"]
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


@dataclass(frozen=True)
class Download:
    """A file to send under a name; ``done`` is called once it is sent, and removes what was made for it."""

    path: Path
    name: str
    media_type: str
    folder: Path | None = None

    def done(self) -> None:
        """Remove what was made for this download."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


class StepFiles:
    """Makes files of rows; safe to use from many threads."""

    def __init__(self, rows: RunRows, comparing: ComparisonService) -> None:
        self._rows = rows
        self._comparing = comparing

    def rows(self, run_id: str, step_id: str, form: FileFormat) -> Download:
        """Every row that a step gave, computed again if it kept none; raises what ``RunRows.page`` raises."""
        name = f"{step_id}-{run_id[-6:]}.{form}"

        def write(target: Path) -> Path:
            source = self._rows.all(run_id, step_id, target.parent)
            if form == "parquet":
                return source
            write_csv(source, target)
            return target

        return made(name, form, write)

    def prepare(self, run_id: str, step_id: str) -> None:
        """Have a step's rows at hand, so that its files need not be waited for; raises what ``rows`` raises."""
        self.rows(run_id, step_id, "parquet").done()

    def differences(
        self, before: str, after: str, step_id: str, form: FileFormat, *, keys: Sequence[str] | None = None
    ) -> Download:
        """Every row that differs between two runs' results of a step; raises what ``ComparisonService.step`` raises."""
        name = f"{step_id}-{before[-6:]}-{after[-6:]}.{form}"
        return made(name, form, lambda target: self._comparing.write(before, after, step_id, target, keys=keys))


def made(name: str, form: FileFormat, write: Callable[[Path], Path]) -> Download:
    """The file that ``write`` names: what it made of the path that it is given, or another one."""
    folder = scratch_folder("download")
    try:
        path = write(folder / f"rows.{form}")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Download(path, name, MEDIA_TYPES[form], folder)
