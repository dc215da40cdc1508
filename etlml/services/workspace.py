"""The example workspace: what a first visit finds in place of an empty page."""

import logging
import shutil
import sysconfig
from pathlib import Path

from filelock import FileLock

import etlml
from etlml.errors import EtlmlError, NameTaken, NotFound
from etlml.services.pipelines import PipelineService
from etlml.services.yaml_text import from_yaml
from etlml.settings import Settings
from etlml.store import Store

AUTHOR = "examples"
KEY = "examples_installed"
_DATA_MARKER = ".examples-copied"
_logger = logging.getLogger(__name__)


class WorkspaceService:
    """Sets up what a new installation starts with."""

    def __init__(self, store: Store, pipelines: PipelineService, environment: Settings) -> None:
        self._store = store
        self._pipelines = pipelines
        self._environment = environment

    def install_examples(self) -> list[str]:
        """Copy the example data to ETLML_HOME/data/examples and create the example pipelines, each once ever.

        What the user has deleted stays deleted. Safe to call at every start, from several processes at once.

        Returns:
            The names of the pipelines that were created now.
        """
        self._environment.make_folders()
        with FileLock(self._environment.home / ".examples.lock", timeout=60):
            self._copy_data(examples_dir() / "data")
            return self._create_pipelines()

    def _copy_data(self, source: Path) -> None:
        marker = self._environment.home / _DATA_MARKER
        if marker.exists():
            return
        target = self._environment.data_dir / "examples"
        target.mkdir(parents=True, exist_ok=True)
        for file in sorted(source.iterdir()):
            if file.is_file() and not (target / file.name).exists():
                partial = target / f".{file.name}.partial"
                shutil.copyfile(file, partial)
                partial.replace(target / file.name)
        marker.touch()

    def _create_pipelines(self) -> list[str]:
        known = set(self._store.settings.get(KEY, []) or [])
        created: list[str] = []
        for file in _pipeline_files():
            if file.stem in known:
                continue
            try:
                created.append(self._pipelines.create(from_yaml(file.read_bytes()), author=AUTHOR).name)
            except NameTaken:
                pass
            except EtlmlError as error:  # an example must not keep the platform from starting
                _logger.warning("Example pipeline %s was not created: %s", file.name, error.message)
                continue
            known.add(file.stem)
            self._store.settings.set(KEY, sorted(known))
        return created


def _pipeline_files() -> list[Path]:
    return sorted((examples_dir() / "pipelines").glob("*.yaml"))


def examples_dir() -> Path:
    """The folder of the examples: in the checkout, or where the installed package keeps its data.

    Raises:
        NotFound: It is in neither.
    """
    places = (
        Path(etlml.__file__).resolve().parent.parent / "examples",
        Path(sysconfig.get_path("data")) / "share" / "etlml" / "examples",
    )
    for place in places:
        if (place / "data").is_dir():
            return place
    raise NotFound("folder", "examples")
