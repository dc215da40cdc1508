"""File formats by extension, and which options make sense with which."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from etlml.errors import ConfigInvalid, did_you_mean

Format = Literal["csv", "tsv", "json", "jsonl", "parquet", "excel"]
TEXT: frozenset[Format] = frozenset({"csv", "tsv", "json", "jsonl"})

_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "excel",
}
PACKINGS = {".gz": "gzip", ".zst": "zstd", ".zip": "zip", ".bz2": "bz2", ".xz": "xz"}
OPTIONS: dict[Format, frozenset[str]] = {
    "csv": frozenset({"header", "delimiter", "null_values", "types", "encoding"}),
    "tsv": frozenset({"header", "delimiter", "null_values", "types", "encoding"}),
    "json": frozenset({"types", "encoding"}),
    "jsonl": frozenset({"types", "encoding"}),
    "parquet": frozenset({"types"}),
    "excel": frozenset({"header", "types", "sheet", "range"}),
}


@dataclass(frozen=True)
class FileKind:
    """What a file's name says about it: its format, and how it is packed if it is."""

    format: Format
    packing: str | None = None


def known_extensions() -> set[str]:
    """What the name of a file that can be read ends with."""
    return {*_FORMATS, *PACKINGS}


def kind_of(path: Path, given: Format | None = None, *, field: str) -> FileKind:
    """The kind of a file by its name; ``given`` overrules the format.

    Raises:
        ConfigInvalid: The extension says nothing.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packing = PACKINGS.get(suffixes[-1]) if suffixes else None
    if packing is not None:
        suffixes.pop()
    found = given or (_FORMATS.get(suffixes[-1]) if suffixes else None)
    if found is None:
        raise ConfigInvalid(_unknown(path, suffixes), field=field)
    if packing is not None and found not in TEXT:
        raise ConfigInvalid(
            f"{path.name}: {found} files are packed inside already; leave the {path.suffix} out.", field=field
        )
    return FileKind(found, packing)


def refuse_senseless(format_: Format, given: set[str]) -> None:
    """Refuse options that the format does not know."""
    for name in sorted(given - OPTIONS[format_]):
        raise ConfigInvalid(
            f"The option {name} has no meaning for {format_} files; leave it out. "
            f"They know: {', '.join(sorted(OPTIONS[format_]))}.",
            field=f"source.{name}",
        )


def _unknown(path: Path, suffixes: list[str]) -> str:
    known = f"Set format to one of {', '.join(OPTIONS)}."
    if not suffixes:
        return f"The name {path.name!r} has no extension that tells its format. {known}"
    if suffixes[-1] == ".xls":
        return f"{path.name}: the old .xls format cannot be read. Save it as .xlsx first."
    return (
        f"The extension {suffixes[-1]!r} of {path.name!r} is not known. {did_you_mean(suffixes[-1], _FORMATS)} {known}"
    )
