"""Packed and foreign-encoded text files: opened, proved whole, and laid out plainly where DuckDB cannot read them itself."""

import bz2
import codecs
import gzip
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from etlml.connectors.formats import FileKind
from etlml.connectors.stopping import refuse_cancelled
from etlml.errors import ConfigInvalid, DataUnreadable

CHUNK = 1 << 20
READ_BY_DUCKDB = frozenset({None, "gzip", "zstd"})
UTF8 = frozenset({"utf-8", "ascii", "utf-8-sig"})
LATIN1 = "iso8859-1"
MOST_PROVED = 1000
DAMAGE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, lzma.LZMAError)
_PROVED: dict[tuple[str, int, int], None] = {}  # versions of packed files that were read to their end


def codec_name(encoding: str | None) -> str:
    """The codec's one true name; utf-8 if none is given.

    Raises:
        ConfigInvalid: Python knows no such encoding.
    """
    try:
        return codecs.lookup(encoding or "utf-8").name
    except LookupError:
        raise ConfigInvalid(
            f"There is no encoding {encoding!r}. Common ones: utf-8, latin-1, cp1252, utf-16.", field="source.encoding"
        ) from None


def opened(path: Path, packing: str | None) -> IO[bytes]:
    """The file's bytes, unpacked.

    Raises:
        DataUnreadable: A zip archive does not hold exactly one file.
    """
    if packing is None:
        return path.open("rb")
    if packing == "gzip":
        return cast(IO[bytes], gzip.open(path))
    if packing == "bz2":
        return bz2.open(path)
    if packing == "xz":
        return lzma.open(path)
    if packing == "zstd":
        return cast(IO[bytes], pa.input_stream(str(path), compression="zstd"))
    archive = zipfile.ZipFile(path)
    members = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if len(members) != 1:
        raise DataUnreadable(
            f"The archive {path} holds {len(members)} files; only one with a single file can be read. Unpack it first."
        )
    return archive.open(members[0])


def beginning(path: Path, packing: str | None, size: int) -> bytes:
    """The first unpacked bytes."""
    try:
        with opened(path, packing) as file:
            return file.read(size)
    except DAMAGE as error:
        raise _damaged(path, packing, error) from None


def refuse_cut_off(path: Path, packing: str | None, cancelled: Callable[[], bool] = lambda: False) -> None:
    """Unpack a packed file to its end: DuckDB takes one that was cut off at the end of a line for whole."""
    stat = path.stat()
    version = (str(path), stat.st_size, stat.st_mtime_ns)
    if packing not in ("gzip", "zstd") or version in _PROVED:
        return
    try:
        with opened(path, packing) as file:
            while file.read(CHUNK):
                refuse_cancelled(cancelled)
    except DAMAGE as error:
        raise _damaged(path, packing, error) from None
    _PROVED[version] = None
    while len(_PROVED) > MOST_PROVED:
        _PROVED.pop(next(iter(_PROVED)), None)


def needs_laying_out(kind: FileKind, codec: str) -> bool:
    """Whether DuckDB cannot read such a file where it lies."""
    native = codec in UTF8 or (codec == LATIN1 and kind.format in ("csv", "tsv"))
    return kind.packing not in READ_BY_DUCKDB or not native


def lay_out(path: Path, kind: FileKind, codec: str, target: Path, cancelled: Callable[[], bool]) -> None:
    """Write the file's text to ``target``, unpacked and as UTF-8.

    Raises:
        DataUnreadable: It is damaged, or not in that encoding.
    """
    try:
        with opened(path, kind.packing) as source, target.open("wb") as plain:
            if codec in UTF8:
                shutil.copyfileobj(source, plain, CHUNK)
                return
            decoder = codecs.getincrementaldecoder(codec)()
            while chunk := source.read(CHUNK):
                refuse_cancelled(cancelled)
                plain.write(decoder.decode(chunk).encode())
            plain.write(decoder.decode(b"", final=True).encode())
    except UnicodeDecodeError as error:
        raise DataUnreadable(
            f"The file {path} is not in the encoding {codec}: {error.reason}. Set another encoding.", path=str(path)
        ) from None
    except DAMAGE as error:
        raise _damaged(path, kind.packing, error) from None


def _damaged(path: Path, packing: str | None, error: Exception) -> DataUnreadable:
    if packing is None:
        return DataUnreadable(f"The file {path} cannot be read: {error}.", path=str(path))
    return DataUnreadable(
        f"The file {path} is damaged, cut off or not {packing}: {error}. Get a whole copy of it.", path=str(path)
    )
