"""Folders of partitioned files as sinks: the new folder is prepared beside the old one and takes its place in one swap.

The journal of loads lies within the folder, so that the swap brings rows and journal in together.
"""

import ctypes
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import duckdb

from etlml.clock import utc_now
from etlml.compute.names import literal, quoted_list
from etlml.compute.schema import Schema
from etlml.compute.session import sync_file, sync_folder
from etlml.connectors.base import Writing, Written
from etlml.connectors.columns import matched, refuse_bad_keys, refuse_lossy, selection
from etlml.connectors.csv_files import CsvOptions, layout_of, united_columns
from etlml.connectors.file_additions import without_keys
from etlml.connectors.file_formats import Held, copy_options, csv_as_text
from etlml.connectors.formats import FileKind
from etlml.connectors.journal import MOST_LOADS, remove_stale, staged_path
from etlml.connectors.places import PARTITION, expanded
from etlml.connectors.sniffing import described, paths_list
from etlml.connectors.stopping import refuse_cancelled
from etlml.errors import LoadFailed

JOURNAL = ".etlml-loads.json"
AT_CURRENT_FOLDER = -100
EXCHANGE = 2


def write_folder(target: Path, kind: FileKind, by: tuple[str, ...], writing: Writing) -> Written:
    """Load rows into a folder of files, one subfolder for each value of the columns ``by``."""
    aside = target.with_name(f".{target.name}.etlml-old")
    _recover(target, aside)
    remove_stale(target)
    _refuse_foreign(target, kind)
    loads = _loads(target)
    if writing.load_id in loads:
        return Written(loads[writing.load_id]["rows"], str(target), _size(target), already_there=True)
    staged = staged_path(target, writing.load_id)
    try:
        staged.mkdir()
        rows = _stage(staged, target, kind, by, writing)
        loads = {
            **dict(list(loads.items())[-MOST_LOADS + 1 :]),
            writing.load_id: {"rows": rows, "at": utc_now().isoformat()},
        }
        (staged / JOURNAL).write_text(json.dumps(loads), encoding="utf-8")
        _sync_tree(staged, writing)
        refuse_cancelled(writing.cancelled)
        _swap(staged, target, aside)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Written(rows, str(target), _size(target))


def _stage(staged: Path, target: Path, kind: FileKind, by: tuple[str, ...], writing: Writing) -> int:
    with writing.database() as connection:
        connection.execute(
            f"CREATE TEMP VIEW incoming AS SELECT * FROM read_parquet({literal(str(writing.checkpoint))})"
        )
        if writing.mode == "merge":
            refuse_bad_keys(connection, "incoming", writing.keys)
        files = expanded(str(target), target) if writing.mode != "overwrite" else []
        query = "SELECT * FROM incoming"
        if files:
            query = _additions(connection, files, target, kind, by, writing)
            if writing.mode == "append":
                _link_tree(target, staged)
        name = hashlib.sha256(writing.load_id.encode()).hexdigest()[:12]
        parts = f"PARTITION_BY ({quoted_list(by)}), FILENAME_PATTERN 'part-{name}-{{i}}', OVERWRITE_OR_IGNORE true"
        connection.execute(f"COPY ({query}) TO {literal(str(staged))} ({copy_options(kind)}, {parts})")
        return int(connection.execute("SELECT count(*) FROM incoming").fetchall()[0][0])


def _additions(
    connection: duckdb.DuckDBPyConnection,
    files: list[Path],
    target: Path,
    kind: FileKind,
    by: tuple[str, ...],
    writing: Writing,
) -> str:
    """The rows to write: the new ones; in a merge also those that stay."""
    held = _held(files, kind, by, target)
    pairs = matched(writing.relation.schema, held.schema, str(target))
    if kind.format == "parquet":
        refuse_lossy(connection, "incoming", pairs, str(target))
    new = f"SELECT {selection(pairs)} FROM incoming"
    return new if writing.mode == "append" else f"{without_keys(held, new, writing.keys)} UNION ALL {new}"


def _held(files: list[Path], kind: FileKind, by: tuple[str, ...], target: Path) -> Held:
    found = {part.split("=", 1)[0] for file in files for part in file.relative_to(target).parts[:-1]}
    if found != set(by):
        raise LoadFailed(
            f"The folder {target} is partitioned by {', '.join(sorted(found)) or 'nothing'}, not by {', '.join(by)}. "
            "Set the same partition_by, or load with mode overwrite.",
            path=str(target),
        )
    hive = "hive_partitioning=true, hive_types_autocast=false"
    if kind.format == "parquet":
        query = f"SELECT * FROM read_parquet({paths_list(files)}, union_by_name=true, {hive})"
        return Held(query, described(query))
    layouts = [layout_of(file, kind.packing, CsvOptions(header=True)) for file in files]
    names = tuple(united_columns(layouts))
    if any(tuple(name for name, _ in layout.columns) != names for layout in layouts):
        raise LoadFailed(
            f"The files in {target} do not have the same columns. Load with mode overwrite.", path=str(target)
        )
    schema = Schema.of([(name, "VARCHAR") for name in (*names, *by)])
    return Held(csv_as_text(names, paths_list(files), layouts[0], f", {hive}"), schema)


def _refuse_foreign(target: Path, kind: FileKind) -> None:
    """Refuse to replace a folder that is no partitioned set of such files: somebody keeps something else there."""
    if not target.exists():
        return
    if not target.is_dir():
        raise LoadFailed(
            f"{target} is a file, and partition_by needs a folder. Choose another path, or leave partition_by out.",
            path=str(target),
        )
    ending = f".{kind.format}"
    for file in (each for each in target.rglob("*") if each.is_file() and each.name != JOURNAL):
        folders = file.relative_to(target).parts[:-1]
        if not folders or not all(PARTITION.match(folder) for folder in folders) or ending not in file.name:
            raise LoadFailed(
                f"The folder {target} holds {file.relative_to(target)}, which is no part of a partitioned {kind.format} folder. "
                "Choose a folder that is empty or does not exist yet.",
                path=str(target),
            )


def _loads(target: Path) -> dict[str, dict[str, Any]]:
    try:
        return dict(json.loads((target / JOURNAL).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _link_tree(source: Path, copy: Path) -> None:
    """The same files under a second name; copied where the disk knows no links."""
    for file in expanded(str(source), source):
        twin = copy / file.relative_to(source)
        twin.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file, twin)
        except OSError:
            shutil.copy2(file, twin)


def _sync_tree(folder: Path, writing: Writing) -> None:
    for each in sorted(folder.rglob("*"), reverse=True):
        refuse_cancelled(writing.cancelled)
        if each.is_dir():
            sync_folder(each)
        elif each.stat().st_nlink == 1:
            sync_file(each)
    sync_folder(folder)


def _swap(staged: Path, target: Path, aside: Path) -> None:
    """Put the staged folder in the target's place; what was there ends up under the staged name."""
    if not target.exists():
        staged.rename(target)
    elif not _exchanged(staged, target):
        target.rename(aside)  # killed here, the next load puts it back (see _recover)
        staged.rename(target)
        shutil.rmtree(aside)
    sync_folder(target.parent)


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two names in one step, which Linux can."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(AT_CURRENT_FOLDER, os.fsencode(one), AT_CURRENT_FOLDER, os.fsencode(other), EXCHANGE) == 0)


def _recover(target: Path, aside: Path) -> None:
    if aside.exists():
        if target.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(target)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in expanded(str(folder), folder))
