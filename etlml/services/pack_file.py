"""The pack: one zip file whose manifest says what every other entry holds, byte for byte.

Entries have names of two shapes only, ``documents/<kind>.jsonl`` and ``files/<number>``: no path that somebody wrote is ever
taken from the archive's names. Nothing is believed that the manifest does not say: sizes are limits while reading, and
digests are compared before anything is used.
"""

import hashlib
import json
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal

from pydantic import BaseModel, Field, ValidationError

from etlml import __version__
from etlml.compute.session import sync_folder
from etlml.documents import Time
from etlml.errors import DataUnreadable, InvalidInput
from etlml.sizes import size

FORMAT = 2
"""What this version reads; a pack says the oldest format that its content needs."""
MANIFEST = "manifest.json"
KINDS = ("pipelines", "versions", "connections", "preferences", "models", "runs", "experiments")
SINCE_FORMAT_2 = {"documents/experiments.jsonl"}
LARGEST_MANIFEST = 32 * 2**20
LARGEST_DOCUMENTS = 500 * 10**6
_NAME = re.compile(r"documents/(?:" + "|".join(KINDS) + r")\.jsonl|files/[0-9]{6,9}")
_CHUNK = 2**20
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, RuntimeError, ValueError)


class Entry(BaseModel):
    """What an entry must be."""

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What a pack holds."""

    format: int = Field(ge=1)
    etlml: str = Field(max_length=40)
    created_at: Time
    entries: dict[str, Entry]


class PackWriter:
    """Writes a pack; use ``writing``."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries: dict[str, Entry] = {}
        self._files: dict[Path, str] = {}

    def add_documents(self, kind: str, documents: Iterable[Mapping[str, Any]]) -> int:
        """Write documents, one JSON object a line; how many there were."""
        number = 0

        def lines() -> Iterator[bytes]:
            nonlocal number
            for document in documents:
                number += 1
                yield json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

        self._write(f"documents/{kind}.jsonl", lines(), zipfile.ZIP_DEFLATED)
        return number

    def add_file(self, path: Path) -> str:
        """Write a file, once; its name in the pack. OSError if it cannot be read."""
        if path not in self._files:
            name = f"files/{len(self._files) + 1:06d}"
            with path.open("rb") as source:
                self._write(name, iter(lambda: source.read(_CHUNK), b""), zipfile.ZIP_STORED)
            self._files[path] = name
        return self._files[path]

    def sha256(self, name: str) -> str:
        """The digest of an entry that was written."""
        return self._entries[name].sha256

    def finish(self, created_at: Time) -> None:
        """Write the manifest."""
        needed = 2 if SINCE_FORMAT_2 & set(self._entries) else 1
        manifest = Manifest(format=needed, etlml=__version__, created_at=created_at, entries=self._entries)
        self._archive.writestr(MANIFEST, manifest.model_dump_json(indent=1), zipfile.ZIP_DEFLATED)

    def _write(self, name: str, chunks: Iterable[bytes], compression: Literal[0, 8]) -> None:
        info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
        info.compress_type = compression
        digest, size = hashlib.sha256(), 0
        with self._archive.open(info, "w", force_zip64=True) as target:
            for chunk in chunks:
                target.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self._entries[name] = Entry(bytes=size, sha256=digest.hexdigest())


@contextmanager
def writing(path: Path, created_at: Time) -> Iterator[PackWriter]:
    """A pack that appears under its name when it is whole; on an error nothing is left.

    Raises:
        InvalidInput: It cannot be written there.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with zipfile.ZipFile(partial, "w", allowZip64=True) as archive:
            writer = PackWriter(archive)
            yield writer
            writer.finish(created_at)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror or error}. Choose another place.") from None
    finally:
        partial.unlink(missing_ok=True)


class PackReader:
    """Reads a pack that has been checked whole; use ``reading``."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest

    def documents(self, kind: str) -> Iterator[dict[str, Any]]:
        """The documents of a kind.

        Raises:
            DataUnreadable: A line is no JSON object.
        """
        name = f"documents/{kind}.jsonl"
        if name not in self.manifest.entries:
            return
        with _damage(), self._archive.open(name) as source:
            for number, line in enumerate(source, 1):
                document = json.loads(line)
                if not isinstance(document, dict):
                    raise DataUnreadable(f"The pack is damaged: line {number} of {name} is no document.")
                yield document

    def entry(self, name: str) -> Entry:
        """What a file must be; DataUnreadable if the pack has none of that name."""
        found = self.manifest.entries.get(name) if name.startswith("files/") else None
        if found is None:
            raise DataUnreadable(f"The pack is damaged: it has no file {name[:40]!r}.")
        return found

    def copy_file(self, name: str, target: Path) -> None:
        """Put a file in its place, whole or not at all.

        Raises:
            DataUnreadable: The pack changed since it was checked.
        """
        entry = self.entry(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        try:
            with partial.open("wb") as file:
                self._read(name, entry, lambda chunk: _write(file, chunk))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
            sync_folder(target.parent)
        finally:
            partial.unlink(missing_ok=True)

    def check(self) -> None:
        """Read everything once, and keep nothing.

        Raises:
            DataUnreadable: An entry is not what the manifest says.
        """
        for name, entry in self.manifest.entries.items():
            self._read(name, entry, lambda _: None)

    def _read(self, name: str, entry: Entry, take: Callable[[bytes], object]) -> None:
        digest, size = hashlib.sha256(), 0
        with _damage(), self._archive.open(name) as source:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > entry.bytes:
                    break
                digest.update(chunk)
                take(chunk)
        if size != entry.bytes or digest.hexdigest() != entry.sha256:
            raise DataUnreadable(f"The pack is damaged: {name} is not what its manifest says. Pack it again.")


@contextmanager
def reading(path: Path) -> Iterator[PackReader]:
    """A pack, checked whole before anything is taken from it.

    Raises:
        DataUnreadable: It is missing, no pack, or damaged.
        InvalidInput: A newer version of the platform wrote it.
    """
    try:
        file: BinaryIO = path.open("rb")
    except OSError as error:
        raise DataUnreadable(f"{path} cannot be read: {error.strerror}.") from None
    with file:
        with _damage():
            archive = zipfile.ZipFile(file)
        with archive:
            reader = PackReader(archive, _manifest(archive))
            reader.check()
            yield reader


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    infos = {info.filename: info for info in archive.infolist()}
    if MANIFEST not in infos:
        raise DataUnreadable("This is no pack: it has no manifest. Make one with `etlml pack FILE`.")
    with _damage(), archive.open(MANIFEST) as source:
        text = source.read(LARGEST_MANIFEST + 1)
    if len(text) > LARGEST_MANIFEST:
        raise DataUnreadable("The pack's manifest is too large to be one.")
    try:
        head = json.loads(text)
        newer = isinstance(head, dict) and isinstance(head.get("format"), int) and head["format"] > FORMAT
        if newer:
            raise InvalidInput(
                f"The pack was written by etlml {str(head.get('etlml'))[:40]}, in a format that this one ({__version__}) "
                "does not know. Upgrade first."
            )
        manifest = Manifest.model_validate(head)
    except (ValidationError, ValueError, RecursionError):
        raise DataUnreadable("The pack's manifest cannot be read. Pack it again.") from None
    _compare(archive, infos, manifest)
    return manifest


def _compare(archive: zipfile.ZipFile, infos: Mapping[str, zipfile.ZipInfo], manifest: Manifest) -> None:
    """Refuse entries that the manifest does not name, and sizes that it does not say."""
    names = set(infos) - {MANIFEST}
    if len(archive.infolist()) != len(infos) or names != set(manifest.entries):
        raise DataUnreadable("The pack is damaged: its entries are not those of its manifest.")
    for name, entry in manifest.entries.items():
        if not _NAME.fullmatch(name):
            raise DataUnreadable(f"The pack has an entry {name[:80]!r}, which is no name of a pack's entry.")
        if infos[name].file_size != entry.bytes:
            raise DataUnreadable(f"The pack is damaged: {name} is not as large as its manifest says.")
        if name.startswith("documents/") and entry.bytes > LARGEST_DOCUMENTS:
            raise DataUnreadable(f"The pack's {name} is larger than {size(LARGEST_DOCUMENTS)}, too large to be one.")


def _write(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise InvalidInput(
            f"A file of the pack cannot be written: {error.strerror}. Make room, then unpack again."
        ) from None


@contextmanager
def _damage() -> Iterator[None]:
    """What the zip, its compression or its JSON complain about, as one kind of error."""
    try:
        yield
    except (*_DAMAGED, OSError, RecursionError) as error:
        raise DataUnreadable(
            f"The pack cannot be read: {str(error)[:200] or type(error).__name__}. Pack it again."
        ) from None
