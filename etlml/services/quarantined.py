"""Rows that a check has set aside: looked at, and as a file to take along."""

import shutil
from pathlib import Path
from typing import Any

from etlml.compute.export import write_csv
from etlml.documents import Validation
from etlml.errors import NotFound
from etlml.services.rows import parquet_page
from etlml.services.step_files import Download, FileFormat, made
from etlml.settings import Settings
from etlml.store import Store


class QuarantineService:
    """Reads what checks have set aside; safe to use from many threads."""

    def __init__(self, store: Store, environment: Settings) -> None:
        self._store = store
        self._environment = environment

    def page(self, validation_id: str, *, limit: int = 100, offset: int = 0) -> dict[str, Any]:
        """Some of the rows, as ``RunRows.page`` gives them, each with its number and the rules that it breaks.

        Raises:
            NotFound: There is no such validation, it set nothing aside, or its rows were removed with those of its run.
        """
        kept = self._kept(self._store.validations.get(validation_id))
        return {**parquet_page(kept, limit=limit, offset=offset), "basis": ""}

    def file(self, validation_id: str, form: FileFormat) -> Download:
        """All of the rows as a file; raises what ``page`` raises."""
        validation = self._store.validations.get(validation_id)
        source = self._kept(validation)

        def write(target: Path) -> Path:
            if form == "csv":
                write_csv(source, target)
            else:
                shutil.copyfile(source, target)
            return target

        return made(f"{validation.step_id or validation.name}-set-aside-{validation_id[-6:]}.{form}", form, write)

    def of_step(self, run_id: str, step_id: str) -> Validation:
        """The validation by which a step of a run set rows aside; NotFound if it did not."""
        found = self._store.validations.list(run_id=run_id, limit=200, with_samples=False).items
        for validation in found:
            if validation.step_id == step_id and validation.quarantine:
                return validation
        raise NotFound("rows set aside by step", step_id)

    def _kept(self, validation: Validation) -> Path:
        folder = self._environment.runs_dir.resolve()
        path = (folder / str((validation.quarantine or {}).get("path", ""))).resolve()
        if not path.is_file() or not path.is_relative_to(folder):
            raise NotFound("rows set aside by", validation.name)
        return path
