"""Data files for sources: chosen from a list, uploaded, made the start of a pipeline."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from etlml.documents import Step
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.data_files import EXTENSIONS, FORMATS, plain_stem
from etlml.ui import copy_as, drafted, frame, parts
from etlml.ui.copy_as import Action
from etlml.ui.drafts import Draft


def offers(services: Services, step: Step) -> Mapping[str, Callable[[], Sequence[str]]]:
    """What the fields of a source choose among: the files of its sort, the tables of its database."""
    source = drafted.part(step.config, "source")

    def paths(*kinds: str) -> list[str]:
        return [each.path for each in services.data_files.list(kinds=kinds)]

    def tables() -> Sequence[str]:
        try:
            return services.data_files.tables(str(source.get("path") or ""))
        except EtlmlError:  # the form says elsewhere what is wrong with the path
            return ()

    return {
        "file": partial(paths, *FORMATS),
        "sqlite": partial(paths, "sqlite"),
        "duckdb": partial(paths, "duckdb"),
        "table": tables,
    }


def upload(services: Services, draft: Draft, step: Step, key: str) -> None:
    """A button that uploads a file, and has the step read it."""
    with st.container(horizontal=True):
        with st.popover("Upload a file", icon=":material/upload_file:", width="stretch"):
            given = uploader(f"{key}.upload")
            st.caption("It is kept in the data folder, under uploads.")
        parts.command_lines(copy_as.pipelines.add_file("FILE.csv"))
    if given is None:
        return
    with parts.shown_errors():
        added = services.data_files.add(given.name, given, author=frame.current_user().name)
        source = services.data_files.source(added.path)
        draft.change_step(step.model_copy(update={"config": {**step.config, "source": source}}))
        draft.form += 1
        st.rerun(scope="fragment")


class Beginning(NamedTuple):
    """A file that a pipeline begins with: a name for the pipeline, what makes its document, the same as commands."""

    name: str
    document: Callable[[], dict[str, Any]]
    commands: Callable[[str], Action]


def begin(services: Services) -> Beginning | None:
    """A file to begin a pipeline with, uploaded or chosen; None as long as there is none."""
    given = uploader("new_data")
    files = services.data_files
    if given is not None:
        author = frame.current_user().name
        return Beginning(
            _stem(given.name),
            lambda: files.reader(files.add(given.name, given, author=author).path),
            lambda name: copy_as.pipelines.reading(name, given.name, adds=True),
        )
    known = [each.path for each in files.list()]
    chosen = st.selectbox(
        "Or a file that is there", known, index=None, placeholder="Choose a file", key="new_data_path"
    )
    if not chosen:
        return None
    return Beginning(_stem(chosen), lambda: files.reader(chosen), lambda name: copy_as.pipelines.reading(name, chosen))


def uploader(key: str, added: Callable[[], None] | None = None) -> UploadedFile | None:
    """Takes a file that a step can read; ``added`` is called before the page is drawn with it."""
    most = st.get_option("server.maxUploadSize")
    with st.container(key=f"data-file-{key}".replace(".", "-").replace(" ", "-")):
        return st.file_uploader(
            f"CSV, Excel, JSON, Parquet, SQLite or DuckDB, up to {most} MB", type=EXTENSIONS, key=key, on_change=added
        )


def _stem(path: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", " ", plain_stem(path)).strip(" -_")[:60] or "data"
